/* wire.c - the driver's own HTTP.
 *
 * A request is smaller than an empty socket's buffer and a kept connection carries one at a time, so a write is
 * never short and needs no queue of its own; what waits, waits for a free connection.
 */
#include "wire.h"

#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/listener.h>

struct wire_conn {
	struct wire_pool *pool; /* or NULL: the sink's */
	struct wire_sink *sink;
	struct event *event; /* owned */
	int fd;
	bool busy;
	uint32_t tag;
	size_t len;
	char data[WIRE_MAX + 1];
	LIST_ENTRY(wire_conn) next;
};

struct wire_waiting {
	STAILQ_ENTRY(wire_waiting)
	next;
	uint32_t tag;
	size_t len;
	char data[];
};

struct wire_pool {
	struct event_base *base;
	unsigned port;
	wire_answer_cb *cb;
	void *arg;
	unsigned count, max; /* connections */
	LIST_HEAD(, wire_conn) idle, busy;
	STAILQ_HEAD(, wire_waiting)
	waiting;
};

struct wire_sink {
	struct event_base *base;
	struct evconnlistener *listener;
	unsigned port;
	wire_heard_cb *cb;
	void *arg;
	LIST_HEAD(, wire_conn) conns;
};

static struct sockaddr_in loopback(unsigned port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons((uint16_t)port),
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static void write_whole(struct wire_conn *conn, const char *data, size_t len)
{
	if (send(conn->fd, data, len, MSG_NOSIGNAL) != (ssize_t)len && errno != EPIPE &&
	    errno != ECONNRESET)
		warn("a request of %zu bytes was not taken whole", len);
}

/* Whether a whole head has come; then its length and its body's. */
static bool head_ends(const struct wire_conn *conn, size_t *head, size_t *body)
{
	const char *end = memmem(conn->data, conn->len, "\r\n\r\n", 4);
	const char *line;

	if (!end)
		return false;
	*head = (size_t)(end - conn->data) + 4;
	*body = 0;
	for (line = conn->data; line < end; line = strchr(line, '\n') + 1)
		if (!strncasecmp(line, "content-length:", 15))
			*body = strtoul(line + 15, NULL, 10);
	return true;
}

static bool says_close(const struct wire_conn *conn, size_t head)
{
	const char *line;

	for (line = conn->data; line < conn->data + head; line = strchr(line, '\n') + 1)
		if (!strncasecmp(line, "connection: close", 17))
			return true;
	return false;
}

static void conn_shift(struct wire_conn *conn, size_t used)
{
	conn->len -= used;
	memmove(conn->data, conn->data + used, conn->len + 1);
}

static void conn_free(struct wire_conn *conn)
{
	LIST_REMOVE(conn, next);
	event_free(conn->event);
	close(conn->fd);
	free(conn);
}

/* false: the other side has closed, or said too much. */
static bool conn_read(struct wire_conn *conn)
{
	ssize_t n = recv(conn->fd, conn->data + conn->len, WIRE_MAX - conn->len, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n <= 0)
		return false;
	conn->len += (size_t)n;
	conn->data[conn->len] = '\0';
	return true;
}

static struct wire_conn *conn_new(struct event_base *base, int fd, event_callback_fn cb)
{
	struct wire_conn *conn = xcalloc(1, sizeof(*conn));
	int on = 1;

	conn->fd = fd;
	evutil_make_socket_nonblocking(fd);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	conn->event = event_new(base, fd, EV_READ | EV_PERSIST, cb, conn);
	if (!conn->event || event_add(conn->event, NULL) < 0)
		errx(1, "no event for a connection");
	return conn;
}

static void conn_send(struct wire_conn *conn, const char *request, size_t len, uint32_t tag)
{
	conn->busy = true;
	conn->tag = tag;
	write_whole(conn, request, len);
}

static struct wire_conn *pool_connect(struct wire_pool *pool, event_callback_fn cb)
{
	struct sockaddr_in to = loopback(pool->port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct wire_conn *conn;

	if (fd < 0)
		err(1, "socket");
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		err(1, "connecting to port %u", pool->port);
	conn = conn_new(pool->base, fd, cb);
	conn->pool = pool;
	pool->count++;
	return conn;
}

static void pool_read_cb(evutil_socket_t fd, short what, void *arg);

/* A connection that is free now, or NULL where all that are allowed carry something. */
static struct wire_conn *pool_get(struct wire_pool *pool)
{
	struct wire_conn *conn = LIST_FIRST(&pool->idle);

	if (!conn && pool->count < pool->max)
		conn = pool_connect(pool, pool_read_cb);
	else if (conn)
		LIST_REMOVE(conn, next);
	if (conn)
		LIST_INSERT_HEAD(&pool->busy, conn, next);
	return conn;
}

static void pool_go_on(struct wire_pool *pool)
{
	struct wire_waiting *first;
	struct wire_conn *conn;

	while ((first = STAILQ_FIRST(&pool->waiting)) && (conn = pool_get(pool))) {
		STAILQ_REMOVE_HEAD(&pool->waiting, next);
		conn_send(conn, first->data, first->len, first->tag);
		free(first);
	}
}

void wire_send(struct wire_pool *pool, const char *request, size_t len, uint32_t tag)
{
	struct wire_conn *conn = STAILQ_EMPTY(&pool->waiting) ? pool_get(pool) : NULL;
	struct wire_waiting *waiting;

	if (conn) {
		conn_send(conn, request, len, tag);
		return;
	}
	waiting = xmalloc(sizeof(*waiting) + len);
	waiting->tag = tag;
	waiting->len = len;
	memcpy(waiting->data, request, len);
	STAILQ_INSERT_TAIL(&pool->waiting, waiting, next);
}

/* The connection is on neither list while the callback runs, so that what the callback sends takes another one. */
static void pool_read_cb(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct wire_conn *conn = arg;
	struct wire_pool *pool = conn->pool;
	size_t head = 0, body = 0;
	bool gone = !conn_read(conn);
	bool whole = head_ends(conn, &head, &body) && conn->len >= head + body;

	if (!gone && !whole)
		return;
	if (conn->busy && whole)
		pool->cb((unsigned)strtoul(conn->data + 9, NULL, 10),
			 (struct bytes){ conn->data + head, body }, conn->tag, pool->arg);
	else if (conn->busy)
		pool->cb(0, (struct bytes){ "", 0 }, conn->tag, pool->arg);
	conn->busy = false;
	if (gone || says_close(conn, head)) {
		pool->count--;
		conn_free(conn);
	} else {
		conn_shift(conn, head + body);
		LIST_REMOVE(conn, next);
		LIST_INSERT_HEAD(&pool->idle, conn, next);
	}
	pool_go_on(pool);
}

struct wire_pool *wire_pool_new(struct event_base *base, unsigned port, unsigned connections,
				wire_answer_cb *cb, void *arg)
{
	struct wire_pool *pool = xcalloc(1, sizeof(*pool));

	*pool = (struct wire_pool){
		.base = base, .port = port, .max = connections, .cb = cb, .arg = arg
	};
	LIST_INIT(&pool->idle);
	LIST_INIT(&pool->busy);
	STAILQ_INIT(&pool->waiting);
	return pool;
}

void wire_pool_free(struct wire_pool *pool)
{
	struct wire_waiting *waiting;

	while (!LIST_EMPTY(&pool->idle))
		conn_free(LIST_FIRST(&pool->idle));
	while (!LIST_EMPTY(&pool->busy))
		conn_free(LIST_FIRST(&pool->busy));
	while ((waiting = STAILQ_FIRST(&pool->waiting))) {
		STAILQ_REMOVE_HEAD(&pool->waiting, next);
		free(waiting);
	}
	free(pool);
}

/* "GET /x?y HTTP/1.1": hands over /x?y and answers. */
static void sink_hear(struct wire_conn *conn)
{
	char *target = strchr(conn->data, ' ');
	char *end = target ? strchr(target + 1, ' ') : NULL;
	const char *answer;

	if (!end)
		return;
	*end = '\0';
	answer = conn->sink->cb(target + 1, conn->sink->arg);
	*end = ' ';
	write_whole(conn, answer, strlen(answer));
}

static void sink_read_cb(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct wire_conn *conn = arg;
	size_t head, body;
	bool gone = !conn_read(conn);

	while (!gone && head_ends(conn, &head, &body) && conn->len >= head + body) {
		sink_hear(conn);
		gone = says_close(conn, head);
		conn_shift(conn, head + body);
	}
	if (gone)
		conn_free(conn);
}

static void sink_accept_cb(struct evconnlistener *listener UNUSED, evutil_socket_t fd,
			   struct sockaddr *address UNUSED, int address_len UNUSED, void *arg)
{
	struct wire_sink *sink = arg;
	struct wire_conn *conn = conn_new(sink->base, fd, sink_read_cb);

	conn->sink = sink;
	LIST_INSERT_HEAD(&sink->conns, conn, next);
}

struct wire_sink *wire_sink_new(struct event_base *base, unsigned port, wire_heard_cb *cb,
				void *arg)
{
	struct wire_sink *sink = xcalloc(1, sizeof(*sink));
	struct sockaddr_in at = loopback(port);
	socklen_t at_len = sizeof(at);

	*sink = (struct wire_sink){ .base = base, .cb = cb, .arg = arg };
	LIST_INIT(&sink->conns);
	sink->listener = evconnlistener_new_bind(base, sink_accept_cb, sink,
						 LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE, 1024,
						 (struct sockaddr *)&at, sizeof(at));
	if (!sink->listener)
		err(1, "listening on port %u", port);
	getsockname(evconnlistener_get_fd(sink->listener), (struct sockaddr *)&at, &at_len);
	sink->port = ntohs(at.sin_port);
	return sink;
}

unsigned wire_sink_port(const struct wire_sink *sink)
{
	return sink->port;
}

void wire_sink_free(struct wire_sink *sink)
{
	while (!LIST_EMPTY(&sink->conns))
		conn_free(LIST_FIRST(&sink->conns));
	evconnlistener_free(sink->listener);
	free(sink);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 32); /* to lower case */
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool wire_param(const char *target, const char *name, char *out, size_t size)
{
	size_t name_len = strlen(name), n = 0;
	const char *p = strchr(target, '?');

	out[0] = '\0';
	while (p && !(strncmp(p + 1, name, name_len) == 0 && p[1 + name_len] == '='))
		p = strchr(p + 1, '&');
	if (!p)
		return false;
	for (p += name_len + 2; *p && *p != '&' && n + 1 < size; p++) {
		if (*p == '%' && hex_digit(p[1]) >= 0 && hex_digit(p[2]) >= 0) {
			out[n++] = (char)(hex_digit(p[1]) * 16 + hex_digit(p[2]));
			p += 2;
		} else {
			out[n++] = *p == '+' ? ' ' : *p;
		}
	}
	out[n] = '\0';
	return true;
}
