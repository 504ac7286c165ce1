/* http.c - the listeners: limits, exchanges and answers.
 *
 * A request is one exchange from its first byte to the last byte of its answer, and only http_conn.c decides what becomes
 * an exchange.  Error bodies are fixed: nothing that came in goes back out.  An exchange may outlive its
 * connection (the answer takes time) and its server (shutting down), so both are told of its end.
 */
#include "http_priv.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>

#include "log.h"
#include "metrics.h"

enum {
	BACKLOG = 1024,
	ACCEPT_PAUSE_MS = 100, /* accept() fails (no descriptors): trying at once would spin */
	RETRY_SECONDS = 5,     /* Retry-After of a 503 without one of its own */
};

const struct http_limits http_default_limits = {
	.connections = 512,
	.per_address = 32,
	.headers = 16 * 1024,
	.body = 64 * 1024,
	.request_seconds = 10,
	.idle_seconds = 15,
};

static const struct status {
	int status;
	const char *reason;
} statuses[] = {
	{ 200, "OK" },
	{ 201, "Created" },
	{ 202, "Accepted" },
	{ 204, "No Content" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 408, "Request Timeout" },
	{ 409, "Conflict" },
	{ 411, "Length Required" },
	{ 413, "Content Too Large" },
	{ 414, "URI Too Long" },
	{ 415, "Unsupported Media Type" },
	{ 417, "Expectation Failed" },
	{ 429, "Too Many Requests" },
	{ 431, "Request Header Fields Too Large" },
	{ 500, "Internal Server Error" },
	{ 502, "Bad Gateway" },
	{ 503, "Service Unavailable" },
	{ 504, "Gateway Timeout" },
	{ 505, "HTTP Version Not Supported" },
};

static const char *reason_of(int status)
{
	unsigned i;

	for (i = 0; i < ARRAY_LEN(statuses); i++) {
		if (statuses[i].status == status)
			return statuses[i].reason;
	}
	return "Status";
}

struct http_exchange *http_exchange_new(struct http_server *server, struct http_conn *conn)
{
	struct arena arena = { 0 };
	struct http_exchange *exchange = arena_alloc(&arena, sizeof(*exchange));

	exchange->arena = arena;
	exchange->server = server;
	exchange->conn = conn;
	server->exchanges++;
	return exchange;
}

void http_exchange_free(struct http_exchange *exchange)
{
	struct http_server *server = exchange->server;
	struct arena arena = exchange->arena;

	server->exchanges--;
	arena_free(&arena);
	http_server_release(server);
}

/* Tells the end of an answer, and ends the exchange. */
static void exchange_end(struct http_exchange *exchange, bool whole)
{
	http_sent_cb *sent = exchange->sent;
	void *arg = exchange->sent_arg;

	http_exchange_free(exchange);
	if (sent)
		sent(whole, arg);
}

void http_exchange_cut(struct http_exchange *exchange)
{
	exchange->conn = NULL;
	/* evhttp frees the request with the connection, but for one that it had taken off because we still work on it. */
	if (!exchange->replied && exchange->answer &&
	    !evhttp_request_get_connection(exchange->answer))
		evhttp_request_free(exchange->answer);
	exchange->answer = NULL;
	if (exchange->replied)
		exchange_end(exchange, false);
	else if (!exchange->handed)
		http_exchange_free(exchange);
}

static void finish_all(struct http_server *server)
{
	struct http_exchange *exchange;

	while ((exchange = STAILQ_FIRST(&server->finished))) {
		STAILQ_REMOVE_HEAD(&server->finished, next);
		exchange_end(exchange, false);
	}
}

static void finish_cb(evutil_socket_t fd UNUSED, short events UNUSED, void *arg)
{
	struct http_server *server = arg;

	server->exchanges++; /* keeps the server while its callbacks run */
	http_conn_end_written(server);
	if (!server->closed)
		finish_all(server);
	server->exchanges--;
	http_server_release(server);
}

/* An answer whose connection is gone. */
static void answer_nobody(struct http_exchange *exchange)
{
	struct http_server *server = exchange->server;

	if (server->closed) {
		exchange_end(exchange, false);
		return;
	}
	STAILQ_INSERT_TAIL(&server->finished, exchange, next);
	event_active(server->finish, EV_TIMEOUT, 0);
}

static void written_cb(struct evhttp_request *answer UNUSED, void *arg)
{
	struct http_exchange *exchange = arg;

	http_conn_answered(exchange->conn);
	exchange_end(exchange, true);
}

static void add_fields(struct http_exchange *exchange, const struct http_fields *fields)
{
	struct evkeyvalq *out = evhttp_request_get_output_headers(exchange->answer);
	unsigned i;

	for (i = 0; i < fields->count; i++) {
		const struct http_field *field = &fields->items[i];

		if (!memchr(field->value.data, '\0', field->value.len))
			evhttp_add_header(out, field->name,
					  arena_memdup(&exchange->arena, field->value.data,
						       field->value.len));
	}
}

/* The Date header's value; made once a second. */
static const char *date_text(void)
{
	static char text[sizeof("Sun, 06 Nov 1994 08:49:37 GMT")];
	static time_t made;
	time_t now = time(NULL);
	struct tm tm;

	if (now != made && gmtime_r(&now, &tm)) {
		strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &tm);
		made = now;
	}
	return text;
}

static void add_headers(struct http_exchange *exchange, const struct http_response *response,
			bool last)
{
	struct evkeyvalq *out = evhttp_request_get_output_headers(exchange->answer);
	const char *type = response->content_type ? response->content_type
						  : "text/plain; charset=utf-8";
	char number[16];

	evhttp_add_header(out, "Date", date_text());
	if (response->body.len > 0)
		evhttp_add_header(out, "Content-Type", type);
	add_fields(exchange, &response->headers);
	if (response->status == 405)
		evhttp_add_header(out, "Allow", "GET, HEAD, POST");
	if (response->retry_after > 0) {
		snprintf(number, sizeof(number), "%d", response->retry_after);
		evhttp_add_header(out, "Retry-After", number);
	}
	if (last)
		evhttp_add_header(out, "Connection", "close");
	else if (exchange->head.old)
		evhttp_add_header(out, "Connection", "keep-alive");
}

/* Also what a HEAD asks for has its length, but no body. */
static void add_body(struct http_exchange *exchange, const struct bytes *body)
{
	char number[24];

	if (exchange->head.request.method != HTTP_HEAD) {
		evbuffer_add(evhttp_request_get_output_buffer(exchange->answer), body->data,
			     body->len);
		return;
	}
	snprintf(number, sizeof(number), "%zu", body->len);
	evhttp_add_header(evhttp_request_get_output_headers(exchange->answer), "Content-Length",
			  number);
}

void http_reply(struct http_exchange *exchange, const struct http_response *response,
		http_sent_cb *sent, void *arg)
{
	struct http_server *server = exchange->server;
	bool last = exchange->refused || !exchange->head.keep || server->stopping;
	struct evhttp_request *answer = exchange->answer;

	exchange->sent = sent;
	exchange->sent_arg = arg;
	exchange->replied = true;
	if (exchange->handed)
		server->in_work--;
	if (!exchange->conn) {
		answer_nobody(exchange);
		return;
	}
	add_headers(exchange, response, last);
	add_body(exchange, &response->body);
	evhttp_request_set_on_complete_cb(answer, written_cb, exchange);
	evhttp_send_reply(answer, response->status, reason_of(response->status), NULL);
	http_conn_answering(exchange->conn, last);
}

void http_reply_status(struct http_exchange *exchange, int status)
{
	char body[64];
	int len = snprintf(body, sizeof(body), "%d %s\n", status, reason_of(status));
	struct http_response response = { .status = status, .body = { body, (size_t)len } };

	if (status == 503)
		response.retry_after = RETRY_SECONDS;
	http_reply(exchange, &response, NULL, NULL);
}

static bool is_proxy(const struct http_limits *limits, const char *address)
{
	const char *const *proxy = limits->proxies;

	for (; proxy && *proxy; proxy++) {
		if (strcmp(*proxy, address) == 0)
			return true;
	}
	return false;
}

/* The address as one of our proxies saw it: the last one in X-Forwarded-For that isn't itself a proxy.  NULL: none. */
static const char *forwarded_peer(struct http_exchange *exchange)
{
	const struct http_field *field = http_field(&exchange->head.request.headers,
						    "X-Forwarded-For", true);
	char *list = field ? arena_strdup(&exchange->arena, field->value.data) : NULL, *item;
	unsigned char raw[16];

	while (list && *list) {
		item = strrchr(list, ',');
		if (item)
			*item++ = '\0';
		else
			item = list;
		item += strspn(item, " \t");
		item[strcspn(item, " \t")] = '\0';
		if (inet_pton(AF_INET, item, raw) != 1 && inet_pton(AF_INET6, item, raw) != 1)
			return NULL;
		if (!is_proxy(&exchange->server->limits, item))
			return item;
		if (item == list)
			break;
	}
	return NULL;
}

static void set_peer(struct http_exchange *exchange)
{
	const char *peer = http_conn_peer(exchange->conn), *forwarded = NULL;

	if (exchange->server->limits.proxies && is_proxy(&exchange->server->limits, peer))
		forwarded = forwarded_peer(exchange);
	exchange->head.request.peer = forwarded ? forwarded : arena_strdup(&exchange->arena, peer);
}

/* evhttp has read one of our lines: the oldest exchange of its connection is due. */
static void request_cb(struct evhttp_request *answer, void *arg)
{
	struct http_server *server = arg;
	struct http_exchange *exchange = http_conn_next(server,
							evhttp_request_get_connection(answer));

	if (!exchange) { /* can't be: evhttp reads only what conn_pass wrote */
		evhttp_send_error(answer, 500, NULL);
		return;
	}
	exchange->answer = answer;
	if (exchange->refused || server->stopping) {
		http_reply_status(exchange, exchange->refused ? exchange->refused : 503);
		return;
	}
	exchange->handed = true;
	server->in_work++;
	set_peer(exchange);
	server->handler(exchange, &exchange->head.request, server->arg);
}

static void begin_cb(evutil_socket_t fd UNUSED, short events UNUSED, void *arg)
{
	struct http_server *server = arg;

	while (!LIST_EMPTY(&server->fresh))
		http_conn_begin(LIST_FIRST(&server->fresh));
}

static void sweep_cb(evutil_socket_t fd UNUSED, short events UNUSED, void *arg)
{
	struct http_server *server = arg;
	struct timeval again = { 0, SWEEP_MS * 1000 };

	http_conn_sweep(server);
	if (server->conn_count > 0)
		event_add(server->sweep, &again);
}

static void accept_error_cb(struct evconnlistener *listener, void *arg)
{
	struct http_server *server = arg;
	struct timeval pause = { 0, ACCEPT_PAUSE_MS * 1000 };

	log_event(LOG_WARN, "http.accept_failed", "eerror", -EVUTIL_SOCKET_ERROR(), NULL);
	evconnlistener_disable(listener);
	event_add(server->accept_again, &pause);
}

static void accept_again_cb(evutil_socket_t fd UNUSED, short events UNUSED, void *arg)
{
	struct http_server *server = arg;

	if (server->bound)
		evconnlistener_enable(evhttp_bound_socket_get_listener(server->bound));
}

/* The address as the system wants it. */
static int parse_address(const char *host, unsigned port, struct sockaddr_storage *out,
			 socklen_t *len)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)out;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;

	memset(out, 0, sizeof(*out));
	if (port > UINT16_MAX)
		return -EINVAL;
	if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)port);
		*len = sizeof(*v4);
		return 0;
	}
	if (inet_pton(AF_INET6, host, &v6->sin6_addr) != 1)
		return -EINVAL;
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons((uint16_t)port);
	*len = sizeof(*v6);
	return 0;
}

static unsigned bound_port(int fd)
{
	struct sockaddr_in6 address = { 0 }; /* the port has the same place in both families */
	socklen_t len = sizeof(address);

	return getsockname(fd, (struct sockaddr *)&address, &len) < 0 ? 0
								      : ntohs(address.sin6_port);
}

static int server_listen(struct http_server *server, const char *host, unsigned port)
{
	const unsigned flags = LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE;
	struct sockaddr_storage address;
	struct evconnlistener *listener;
	socklen_t len;
	int rc = parse_address(host, port, &address, &len), one = 1;

	if (rc < 0)
		return rc;
	errno = 0;
	listener = evconnlistener_new_bind(server->base, NULL, NULL, flags, BACKLOG,
					   (struct sockaddr *)&address, (int)len);
	if (!listener)
		return errno ? -errno : -EINVAL;
	/* Accepted sockets inherit it: an answer is written whole, waiting for more to send only adds time. */
	setsockopt(evconnlistener_get_fd(listener), IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	server->port = bound_port(evconnlistener_get_fd(listener));
	server->bound = evhttp_bind_listener(server->evhttp, listener);
	evconnlistener_set_error_cb(listener, accept_error_cb);
	evconnlistener_enable(listener);
	return 0;
}

int http_server_open(struct event_base *base, const char *host, unsigned port,
		     const struct http_limits *limits, http_handler *handler, void *arg,
		     struct http_server **out)
{
	struct http_server *server = xcalloc(1, sizeof(*server));
	int rc;

	*server = (struct http_server){
		.base = base, .limits = *limits, .handler = handler, .arg = arg
	};
	STAILQ_INIT(&server->finished);
	server->evhttp = evhttp_new(base);
	server->accept_again = evtimer_new(base, accept_again_cb, server);
	server->sweep = evtimer_new(base, sweep_cb, server);
	server->begin = evtimer_new(base, begin_cb, server);
	server->finish = evtimer_new(base, finish_cb, server);
	evhttp_set_bevcb(server->evhttp, http_conn_new_cb, server);
	evhttp_set_gencb(server->evhttp, request_cb, server);
	evhttp_set_default_content_type(server->evhttp, NULL);
	rc = server_listen(server, host, port);
	if (rc < 0)
		http_server_close(server);
	else
		*out = server;
	return rc;
}

unsigned http_server_port(const struct http_server *server)
{
	return server->port;
}

unsigned http_server_in_work(const struct http_server *server)
{
	return server->in_work;
}

void http_server_stop(struct http_server *server)
{
	if (server->stopping)
		return;
	server->stopping = true;
	if (server->bound)
		evhttp_del_accept_socket(server->evhttp, server->bound);
	server->bound = NULL;
	http_conn_drop_idle(server);
}

void http_server_release(struct http_server *server)
{
	if (server->closed && server->exchanges == 0 && server->rest_count == 0)
		free(server);
}

void http_server_close(struct http_server *server)
{
	if (!server)
		return;
	server->stopping = true;
	begin_cb(-1, 0, server); /* so that each connection tells us of its end */
	server->exchanges++;     /* keeps the server until the end of this function */
	server->closed = true;
	evhttp_free(server->evhttp);
	http_conn_drop_rests(server);
	finish_all(server);
	event_free(server->accept_again);
	event_free(server->sweep);
	event_free(server->begin);
	event_free(server->finish);
	server->exchanges--;
	http_server_release(server);
}
