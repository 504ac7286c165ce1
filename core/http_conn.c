/* http_conn.c - one connection: the gate in front of evhttp, and its clock.
 *
 * evhttp keeps the connection and writes the answers, but its parser forgives too much, and cuts values at NUL before
 * any callback sees them.  So a callback on the input buffer takes every byte off as it arrives, http_head.c parses it, and
 * evhttp is handed a request line of ours for each whole request, good or refused; behind a refused one nothing is parsed.
 * That also means that one request is one object with one arena, however its bytes were cut.
 * Time limits are deadlines looked at in one sweep, so that a request costs no timer.
 */
#include "http_priv.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <uthash.h>

#include "log.h"
#include "metrics.h"

enum {
	LINGER_MS =
		2000, /* how long the rest of a refused request is read, so that its sender sees the answer */
	LINGER_MAX = 64, /* connections */
	LINGER_BYTES = 1024 * 1024,
	INPUT_KEEP = 4096, /* a larger input buffer is given back when it is empty */
	LOG_A_SECOND = 5,  /* refusals that are logged */
};

struct http_conn {
	LIST_ENTRY(http_conn) next;
	LIST_ENTRY(http_conn) after;     /* server->written, where written is set */
	UT_hash_handle hh;               /* server->by_evcon */
	struct http_server *server;      /* borrowed */
	struct bufferevent *bev;         /* evhttp's */
	struct evhttp_connection *evcon; /* evhttp's; NULL while fresh */
	struct event *keeper;            /* owned; NULL while fresh */
	char peer[PEER_SIZE];
	struct buf in;                 /* bytes of heads that are not whole yet */
	size_t seen;                   /* of them looked at for the end of a head */
	struct http_exchange *partial; /* owned; its body is still coming */
	struct http_exchanges queue; /* owned until taken by http_conn_next; whole, oldest first */
	unsigned queued;
	struct http_exchange *current; /* owned; between http_conn_next and its last byte */
	int64_t deadline;              /* ms, 0: none */
	bool refused;                  /* what comes now is thrown away */
	bool unread;                   /* the sender was not done when it was refused */
	bool written;                  /* an answer was, and evhttp isn't told yet */
	bool inside;                   /* the gate itself changes the input buffer */
};

int64_t http_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

const char *http_conn_peer(const struct http_conn *conn)
{
	return conn->peer;
}

static void set_deadline(struct http_conn *conn, unsigned seconds)
{
	conn->deadline = http_now_ms() + (int64_t)seconds * 1000;
}

/* Ends a connection from our side: evhttp then sees its end and frees it. */
static void conn_cut(struct http_conn *conn)
{
	shutdown(bufferevent_getfd(conn->bev), SHUT_RDWR);
	bufferevent_enable(conn->bev, EV_READ);
	conn->deadline = 0;
}

static void log_refused(struct http_conn *conn, int status)
{
	struct http_server *server = conn->server;
	int64_t second = http_now_ms() / 1000;

	metrics_add(METRIC_INBOUND_REFUSED, 1);
	if (second != server->log_second) {
		server->log_second = second;
		server->logged = 0;
	}
	if (server->logged++ < LOG_A_SECOND)
		log_event(LOG_INFO, "http.refused", "istatus", (int64_t)status, "speer", conn->peer,
			  NULL);
}

/* Hands a whole request to evhttp, as a line of our own.  Only from within the input buffer's callback. */
static void conn_pass(struct http_conn *conn, struct http_exchange *exchange)
{
	static const char get[] = "GET / HTTP/1.1\r\n\r\n", head[] = "HEAD / HTTP/1.1\r\n\r\n";
	struct evbuffer *input = bufferevent_get_input(conn->bev);

	STAILQ_INSERT_TAIL(&conn->queue, exchange, next);
	conn->queued++;
	if (exchange->head.request.method == HTTP_HEAD)
		evbuffer_add(input, head, sizeof(head) - 1);
	else
		evbuffer_add(input, get, sizeof(get) - 1);
}

static void conn_refuse(struct http_conn *conn, struct http_exchange *exchange, int status,
			bool unread)
{
	exchange->refused = status;
	conn->refused = true;
	conn->unread = unread;
	log_refused(conn, status);
	conn_pass(conn, exchange);
}

/* The sender waits before it sends the body.  The output buffer is empty: nothing was asked before. */
static void send_continue(struct http_conn *conn)
{
	static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";

	if (conn->queued == 0 && !conn->current)
		(void)!send(bufferevent_getfd(conn->bev), text, sizeof(text) - 1,
			    MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* A whole head of len bytes.  more: bytes are behind it. */
static void conn_head(struct http_conn *conn, const char *data, size_t len, bool more)
{
	struct http_exchange *exchange = http_exchange_new(conn->server, conn);
	struct http_head *head = &exchange->head;
	char *text = arena_memdup(&exchange->arena, data, len);
	int status = http_head_parse(&exchange->arena, text, len, conn->server->limits.body, head);

	if (status == 0 && conn->queued >= QUEUE_MAX)
		status = 400;
	if (status) {
		conn_refuse(conn, exchange, status, more || head->request.method == HTTP_POST);
		return;
	}
	if (head->body == 0) {
		conn_pass(conn, exchange);
		return;
	}
	head->request.body = (struct bytes){ arena_alloc(&exchange->arena, head->body + 1),
					     head->body };
	conn->partial = exchange;
	if (head->expects && !more)
		send_continue(conn);
}

/* Takes what is there of the body; gives how many bytes that was. */
static size_t conn_body(struct http_conn *conn, const char *data, size_t len)
{
	struct http_exchange *exchange = conn->partial;
	size_t left = exchange->head.body - exchange->body_have, n = len < left ? len : left;

	memcpy((char *)exchange->head.request.body.data + exchange->body_have, data, n);
	exchange->body_have += n;
	if (n < left)
		return n;
	conn->partial = NULL;
	conn_pass(conn, exchange);
	return n;
}

/* No end of a head yet: is there still room for one? */
static void conn_check_size(struct http_conn *conn, const char *data, size_t len)
{
	if (len > conn->server->limits.headers)
		conn_refuse(conn, http_exchange_new(conn->server, conn),
			    memchr(data, '\n', len) ? 431 : 414, true);
}

/* Takes one head or a piece of a body off the front; 0: more bytes are needed. */
static size_t conn_take(struct http_conn *conn, const char *data, size_t len)
{
	ssize_t end;

	if (conn->partial)
		return conn_body(conn, data, len);
	if (conn->seen == 0 && len >= 2 && data[0] == '\r' && data[1] == '\n' &&
	    conn->in.len == len) {
		conn->seen = 0;
		return 2; /* RFC 9112, 2.2: an empty line before a request */
	}
	end = http_head_end(data, len, &conn->seen);
	if (end < 0 || (size_t)end > conn->server->limits.headers) {
		conn_refuse(conn, http_exchange_new(conn->server, conn), end < 0 ? 400 : 431, true);
		return len;
	}
	if (end == 0) {
		conn_check_size(conn, data, len);
		return 0;
	}
	conn->seen = 0;
	conn_head(conn, data, (size_t)end, len > (size_t)end);
	return (size_t)end;
}

/* What the clock of this connection runs for now. */
static void conn_set_clock(struct http_conn *conn, bool was_partial)
{
	bool partial = conn->partial || conn->in.len > 0;

	if (conn->current || conn->queued > 0)
		conn->deadline =
			0; /* the answer is ours to give; a request behind it gets its time then */
	else if (partial && !was_partial)
		set_deadline(conn, conn->server->limits.request_seconds);
}

static void conn_feed(struct http_conn *conn)
{
	size_t used = 0, n;
	bool was_partial = conn->partial || conn->seen > 0;

	while (used < conn->in.len && !conn->refused) {
		n = conn_take(conn, conn->in.data + used, conn->in.len - used);
		if (n == 0)
			break;
		used += n;
	}
	if (conn->refused || used == conn->in.len) {
		buf_reset(&conn->in);
		if (conn->in.cap > INPUT_KEEP)
			buf_free(&conn->in);
		conn->seen = 0;
	} else if (used > 0) {
		conn->in.len -= used;
		memmove(conn->in.data, conn->in.data + used, conn->in.len);
	}
	conn_set_clock(conn, was_partial);
}

/* The bytes behind the first `skip` of evhttp's buffer are new: takes them off. */
static void take_input(struct http_conn *conn, struct evbuffer *input, size_t skip)
{
	size_t len = evbuffer_get_length(input) - skip;
	struct evbuffer_ptr at;
	size_t have = conn->in.len;

	if (skip >
	    0) { /* a request of ours that evhttp hasn't looked at yet: put back afterwards */
		struct evbuffer *front = evbuffer_new();

		evbuffer_remove_buffer(input, front, skip);
		take_input(conn, input, 0);
		evbuffer_prepend_buffer(input, front);
		evbuffer_free(front);
		return;
	}
	if (!conn->refused) {
		buf_add(&conn->in, "", 0);
		while (len > 0) {
			struct evbuffer_iovec piece;

			evbuffer_ptr_set(input, &at, conn->in.len - have, EVBUFFER_PTR_SET);
			if (evbuffer_peek(input, (ssize_t)len, &at, &piece, 1) < 1)
				break;
			piece.iov_len = piece.iov_len < len ? piece.iov_len : len;
			buf_add(&conn->in, piece.iov_base, piece.iov_len);
			len -= piece.iov_len;
		}
	}
	evbuffer_drain(input, evbuffer_get_length(input));
	if (!conn->refused)
		conn_feed(conn);
}

static void input_cb(struct evbuffer *input, const struct evbuffer_cb_info *info, void *arg)
{
	struct http_conn *conn = arg;

	if (conn->inside || info->n_added == 0)
		return;
	if (!conn->evcon)
		http_conn_begin(conn);
	conn->inside = true;
	take_input(conn, input, evbuffer_get_length(input) - info->n_added);
	conn->inside = false;
	if (conn->in.len > conn->server->limits.headers + conn->server->limits.body)
		bufferevent_disable(conn->bev, EV_READ); /* evhttp reads again after its answer */
}

static bool is_listed(const char *const *list, const char *address)
{
	for (; list && *list; list++) {
		if (strcmp(*list, address) == 0)
			return true;
	}
	return false;
}

static bool too_many(const struct http_server *server, const struct http_conn *conn)
{
	const struct http_conn *other;
	unsigned same = 0;

	if (server->stopping || server->conn_count >= server->limits.connections)
		return true;
	if (is_listed(server->limits.trusted, conn->peer))
		return false;
	for (other = LIST_FIRST(&server->conns); other; other = LIST_NEXT(other, next))
		same += strcmp(other->peer, conn->peer) == 0;
	return same >= server->limits.per_address;
}

/* A refused connection that evhttp has closed; we hold its socket a little longer. */
struct http_rest {
	LIST_ENTRY(http_rest) next;
	struct event *event; /* owned */
	struct http_server *server;
	int fd; /* owned */
	int64_t until;
	size_t bytes;
};

static void rest_end(struct http_rest *rest)
{
	struct http_server *server = rest->server;

	LIST_REMOVE(rest, next);
	event_free(rest->event);
	close(rest->fd);
	free(rest);
	server->rest_count--;
	http_server_release(server);
}

static void rest_cb(evutil_socket_t fd, short events UNUSED, void *arg)
{
	struct http_rest *rest = arg;
	char scrap[8192];
	ssize_t n = recv(fd, scrap, sizeof(scrap), MSG_DONTWAIT);
	int64_t left = rest->until - http_now_ms();
	struct timeval wait = { 0, 250000 };

	if (n > 0)
		rest->bytes += (size_t)n;
	if (n == 0 || (n < 0 && errno != EAGAIN) || left <= 0 || rest->bytes > LINGER_BYTES)
		rest_end(rest);
	else
		event_add(rest->event, &wait);
}

/* Closing a socket with unread bytes resets it, and the sender may never see why it was refused: take it from evhttp,
 * which then only ends our half of it, and read on for a little. */
static void rest_begin(struct http_server *server, struct bufferevent *bev)
{
	int fd = bufferevent_getfd(bev);
	struct timeval wait = { 0, 250000 };
	struct http_rest *rest;

	if (server->rest_count >= LINGER_MAX || server->closed)
		return;
	bufferevent_setfd(bev, -1);
	rest = xcalloc(1, sizeof(*rest));
	*rest = (struct http_rest){ .server = server,
				    .fd = fd,
				    .until = http_now_ms() + LINGER_MS };
	rest->event = event_new(server->base, fd, EV_READ, rest_cb, rest);
	event_add(rest->event, &wait);
	LIST_INSERT_HEAD(&server->rests, rest, next);
	server->rest_count++;
}

void http_conn_drop_rests(struct http_server *server)
{
	struct http_rest *rest = LIST_FIRST(&server->rests), *next;

	for (; rest; rest = next) {
		next = LIST_NEXT(rest, next);
		rest_end(rest);
	}
}

static void conn_free(struct http_conn *conn)
{
	struct http_server *server = conn->server;
	struct http_exchange *exchange;

	LIST_REMOVE(conn, next);
	if (conn->written)
		LIST_REMOVE(conn, after);
	if (conn->evcon) {
		HASH_DEL(server->by_evcon, conn);
		server->conn_count--;
		metrics_add(METRIC_HTTP_CONNECTIONS, -1);
	}
	if (conn->current)
		http_exchange_cut(conn->current);
	if (conn->partial)
		http_exchange_free(conn->partial);
	while ((exchange = STAILQ_FIRST(&conn->queue))) {
		STAILQ_REMOVE_HEAD(&conn->queue, next);
		http_exchange_free(exchange);
	}
	buf_free(&conn->in);
	free(conn);
}

static void conn_closed_cb(struct evhttp_connection *evcon UNUSED, void *arg)
{
	struct http_conn *conn = arg;

	if (conn->keeper)
		event_free(conn->keeper); /* before its socket is closed or another's */
	if (conn->unread && conn->refused)
		rest_begin(conn->server, conn->bev);
	conn_free(conn);
}

struct bufferevent *http_conn_new_cb(struct event_base *base, void *arg)
{
	struct http_server *server = arg;
	struct bufferevent *bev = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
	struct http_conn *conn = xcalloc(1, sizeof(*conn));

	*conn = (struct http_conn){ .server = server, .bev = bev };
	STAILQ_INIT(&conn->queue);
	evbuffer_add_cb(bufferevent_get_input(bev), input_cb, conn);
	LIST_INSERT_HEAD(&server->fresh, conn, next);
	/* Its own evhttp_connection exists when this returns, and nothing is read from it before this event. */
	event_active(server->begin, EV_TIMEOUT, 0);
	return bev;
}

/* evhttp stops reading at each request and begins again behind its answer.  A second event on the socket keeps it
 * registered in between, which saves two system calls a request; it steps back where bytes or the end come that evhttp
 * does not want yet. */
static void keeper_cb(evutil_socket_t fd UNUSED, short events UNUSED, void *arg)
{
	struct http_conn *conn = arg;

	if (!(bufferevent_get_enabled(conn->bev) & EV_READ))
		event_del(conn->keeper);
}

static void keep(struct http_conn *conn)
{
	if (!event_pending(conn->keeper, EV_READ, NULL))
		event_add(conn->keeper, NULL);
}

void http_conn_begin(struct http_conn *conn)
{
	struct http_server *server = conn->server;
	static const char mapped[] = "::ffff:";
	struct timeval sweep = { 0, SWEEP_MS * 1000 };
	void *evcon = NULL;
	char *peer = NULL;
	uint16_t port;
	bool many;

	bufferevent_getcb(conn->bev, NULL, NULL, NULL,
			  &evcon); /* evhttp's own callbacks have its connection as argument */
	conn->evcon = evcon;
	evhttp_connection_set_closecb(conn->evcon, conn_closed_cb, conn);
	evhttp_connection_get_peer(conn->evcon, &peer, &port);
	if (peer && strncmp(peer, mapped, sizeof(mapped) - 1) == 0)
		peer += sizeof(mapped) - 1;
	strncpy(conn->peer, peer ? peer : "", sizeof(conn->peer) - 1);
	many = too_many(server, conn);
	LIST_REMOVE(conn, next);
	LIST_INSERT_HEAD(&server->conns, conn, next);
	HASH_ADD_PTR(server->by_evcon, evcon, conn);
	server->conn_count++;
	metrics_add(METRIC_HTTP_CONNECTIONS, 1);
	set_deadline(conn, server->limits.request_seconds);
	conn->keeper = event_new(server->base, bufferevent_getfd(conn->bev), EV_READ | EV_PERSIST,
				 keeper_cb, conn);
	keep(conn);
	if (!event_pending(server->sweep, EV_TIMEOUT, NULL))
		event_add(server->sweep, &sweep);
	if (many) {
		conn->refused = true;
		conn_cut(conn);
	}
}

/* Cuts what is late. */
void http_conn_sweep(struct http_server *server)
{
	int64_t now = http_now_ms();
	struct http_conn *conn;

	for (conn = LIST_FIRST(&server->conns); conn; conn = LIST_NEXT(conn, next)) {
		if (conn->deadline > 0 && conn->deadline <= now)
			conn_cut(conn);
	}
}

void http_conn_drop_idle(struct http_server *server)
{
	struct http_conn *conn;

	for (conn = LIST_FIRST(&server->conns); conn; conn = LIST_NEXT(conn, next)) {
		if (!conn->current && conn->queued == 0)
			conn_cut(conn);
	}
}

struct http_exchange *http_conn_next(struct http_server *server, struct evhttp_connection *evcon)
{
	struct http_conn *conn;

	HASH_FIND_PTR(server->by_evcon, &evcon, conn);
	if (!conn || conn->current || conn->queued == 0)
		return NULL;
	conn->current = STAILQ_FIRST(&conn->queue);
	STAILQ_REMOVE_HEAD(&conn->queue, next);
	conn->queued--;
	return conn->current;
}

/* Writes at once what evhttp has made ready, rather than wait until the loop says that the socket is writable: it nearly
 * always is, and that saves two system calls an answer.  What does not fit is left to evhttp. */
static void write_now(struct http_conn *conn)
{
	struct evbuffer *output = bufferevent_get_output(conn->bev);

	evbuffer_unfreeze(output, 1);
	(void)!evbuffer_write(
		output, bufferevent_getfd(conn->bev)); /* an error shows again when evhttp writes */
	evbuffer_freeze(output, 1);
	if (evbuffer_get_length(output) > 0)
		return;
	bufferevent_disable(conn->bev, EV_WRITE);
	conn->written = true;
	LIST_INSERT_HEAD(&conn->server->written, conn, after);
	event_active(conn->server->finish, EV_TIMEOUT, 0);
}

/* evhttp's own end of an answer: it never is one inside the call that gave it. */
void http_conn_end_written(struct http_server *server)
{
	struct http_conn *conn;

	while ((conn = LIST_FIRST(&server->written))) {
		LIST_REMOVE(conn, after);
		conn->written = false;
		bufferevent_trigger(conn->bev, EV_WRITE,
				    BEV_TRIG_IGNORE_WATERMARKS); /* may free conn */
	}
}

void http_conn_answering(struct http_conn *conn, bool last)
{
	/* Reading is off until it is written, so that a sender who closes its half still gets the answer. */
	bufferevent_disable(conn->bev, EV_READ);
	set_deadline(conn, WRITE_SECONDS);
	conn->refused |= last;
	write_now(conn);
}

void http_conn_answered(struct http_conn *conn)
{
	const struct http_limits *limits = &conn->server->limits;
	bool partial = conn->partial || conn->in.len > 0;

	conn->current = NULL;
	keep(conn);
	if (conn->queued > 0)
		conn->deadline = 0;
	else
		set_deadline(conn, partial ? limits->request_seconds : limits->idle_seconds);
}
