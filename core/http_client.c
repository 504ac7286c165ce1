/* http_client.c - one HTTP exchange out.
 *
 * libcurl tells which sockets and which time it waits for, libevent waits.  Calls and their easy handles are pooled: a handle
 * keeps what is the same for every call, so that a call sets only what is its own.
 *
 * A message must not be sent twice by accident, and libcurl repeats a request by itself when a kept connection turns out
 * to be dead, though its bytes may have been read.  So each attempt asks first (prereq_cb), and a second one after
 * any byte was written ends the call as an unknown outcome.  Kept connections are used again within a few seconds only,
 * which makes that rare: most servers keep them longer.
 */
#include "http_client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include <curl/curl.h>
#include <event2/event.h>

enum {
	CONNECT_MS = 5000,
	TOTAL_MS = 20000,
	ANSWER_MAX = 64 * 1024,
	ANSWER_HEADERS_MAX = 64,
	ANSWER_HEADER_BYTES = 16 * 1024,
	BODY_MAX = 1024 * 1024,
	URL_MAX_BYTES = 8 * 1024,
	IDLE_SECONDS =
		4, /* a kept connection older than this is not used again; Apache's default is 5 */
	POOL_MAX = 256,   /* calls kept for reuse */
	BODY_KEEP = 8192, /* a larger answer buffer is given back */
};

struct call {
	LIST_ENTRY(call) next;      /* client->calls, or client->pool */
	struct http_client *client; /* borrowed */
	CURL *easy;                 /* owned */
	struct arena arena;         /* owned; of one exchange */
	http_result_cb *cb;
	void *arg;
	struct http_field fields[ANSWER_HEADERS_MAX];
	unsigned field_count;
	size_t header_bytes;
	struct buf body; /* owned */
	size_t body_max;
	bool too_long; /* the answer */
	bool begun;    /* a connection was there, and the request went on its way */
};

struct http_client {
	struct event_base *base;                /* borrowed */
	CURLM *multi;                           /* owned */
	struct event *timer;                    /* owned */
	LIST_HEAD(call_list, call) calls, pool; /* owned */
	unsigned in_work, pooled;
	struct watch **watches; /* owned; by descriptor */
	unsigned watch_room;
	bool closing;
};

/* What is waited for on one of libcurl's sockets, until that is closed: a kept connection stays registered between two exchanges,
 * which saves two system calls for each. */
struct watch {
	struct event *event; /* owned */
	short events;        /* 0: none */
	bool idle;           /* libcurl waits for nothing */
	bool kept; /* a connection, whose closing we are told of; not a pair of the resolver's */
};

/* Some of the request was given to the socket. */
static bool call_left(const struct call *call)
{
	long size = 0;

	if (!call->begun) /* the size is of the handle's call before this one */
		return false;
	curl_easy_getinfo(call->easy, CURLINFO_REQUEST_SIZE, &size);
	return size > 0;
}

static int prereq_cb(void *arg, char *address UNUSED, char *own UNUSED, int port UNUSED,
		     int own_port UNUSED)
{
	struct call *call = arg;

	if (call_left(call))
		return CURL_PREREQFUNC_ABORT;
	call->begun = true;
	return CURL_PREREQFUNC_OK;
}

static size_t body_cb(char *data, size_t size, size_t count, void *arg)
{
	struct call *call = arg;
	size_t len = size * count;

	if (len > call->body_max - call->body.len) {
		call->too_long = true;
		return 0;
	}
	buf_add(&call->body, data, len);
	return len;
}

/* "Name: value" CR LF; a status line begins a new answer (after 100 Continue). */
static void take_header(struct call *call, const char *line, size_t len)
{
	const char *colon = memchr(line, ':', len);
	struct http_field *field = &call->fields[call->field_count];
	const char *value;

	if (len >= 5 && memcmp(line, "HTTP/", 5) == 0) {
		call->field_count = 0;
		return;
	}
	if (!colon || colon == line)
		return;
	while (len > 0 && strchr("\r\n \t", line[len - 1]))
		len--;
	for (value = colon + 1; value < line + len && (*value == ' ' || *value == '\t'); value++)
		;
	field->name = arena_memdup(&call->arena, line, (size_t)(colon - line));
	field->value = value < line + len
			       ? arena_bytes(&call->arena, value, (size_t)(line + len - value))
			       : arena_bytes(&call->arena, "", 0);
	call->field_count++;
}

static size_t header_cb(char *data, size_t size, size_t count, void *arg)
{
	struct call *call = arg;
	size_t len = size * count;

	call->header_bytes += len;
	if (call->header_bytes > ANSWER_HEADER_BYTES) {
		call->too_long = true;
		return 0;
	}
	if (call->field_count < ANSWER_HEADERS_MAX)
		take_header(call, data, len);
	return len;
}

/* What is the same for every call. */
static int close_cb(void *arg, curl_socket_t fd);

static CURL *easy_new(struct call *call)
{
	CURL *easy = curl_easy_init();

	if (!easy)
		abort();
	curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, body_cb);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, header_cb);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
	curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, prereq_cb);
	curl_easy_setopt(easy, CURLOPT_PREREQDATA, call);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close_cb);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, call->client);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, (long)IDLE_SECONDS);
	curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* none, whatever the environment says */
	curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
	return easy;
}

static struct call *call_take(struct http_client *client)
{
	struct call *call = LIST_FIRST(&client->pool);

	if (call) {
		LIST_REMOVE(call, next);
		client->pooled--;
	} else {
		call = xcalloc(1, sizeof(*call));
		call->client = client;
		call->easy = easy_new(call);
	}
	LIST_INSERT_HEAD(&client->calls, call, next);
	client->in_work++;
	return call;
}

static void call_free(struct call *call)
{
	curl_easy_cleanup(call->easy);
	buf_free(&call->body);
	arena_free(&call->arena);
	free(call);
}

/* Back into the pool. */
static void call_put(struct call *call)
{
	struct http_client *client = call->client;

	LIST_REMOVE(call, next);
	client->in_work--;
	if (client->pooled >= POOL_MAX) {
		call_free(call);
		return;
	}
	arena_free(&call->arena);
	buf_reset(&call->body);
	if (call->body.cap > BODY_KEEP)
		buf_free(&call->body);
	call->field_count = 0;
	call->header_bytes = 0;
	call->too_long = call->begun = false;
	LIST_INSERT_HEAD(&client->pool, call, next);
	client->pooled++;
}

static int error_of(const struct call *call, CURLcode code)
{
	switch (code) {
	case CURLE_OK:
		return 0;
	case CURLE_OPERATION_TIMEDOUT:
		return -ETIMEDOUT;
	case CURLE_COULDNT_CONNECT:
	case CURLE_COULDNT_RESOLVE_HOST:
		return -ECONNREFUSED;
	case CURLE_WRITE_ERROR:
		return call->too_long ? -EMSGSIZE : -EIO;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
		return -EPROTO;
	default:
		return -EIO;
	}
}

/* Ends a call; the callback may make further ones. */
static void call_end(struct call *call, int error)
{
	struct http_result result = { .error = error, .left = call_left(call) };
	http_result_cb *cb = call->cb;
	void *arg = call->arg;
	long status = 0;

	if (error == 0) {
		curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
		result.status = (int)status;
		result.headers = (struct http_fields){ call->fields, call->field_count };
		result.body = (struct bytes){ call->body.data ? call->body.data : "",
					      call->body.len };
	}
	curl_multi_remove_handle(call->client->multi, call->easy);
	cb(&result, arg);
	call_put(call);
}

static void take_finished(struct http_client *client)
{
	CURLMsg *message;
	struct call *call;
	int left;

	while ((message = curl_multi_info_read(client->multi, &left))) {
		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&call);
		call_end(call, error_of(call, message->data.result));
	}
}

static void timer_due_cb(evutil_socket_t fd UNUSED, short events UNUSED, void *arg)
{
	struct http_client *client = arg;
	int running;

	curl_multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	take_finished(client);
}

static int timer_cb(CURLM *multi UNUSED, long ms, void *arg)
{
	struct http_client *client = arg;
	struct timeval wait = { ms / 1000, ms % 1000 * 1000 };

	if (ms < 0)
		event_del(client->timer);
	else if (ms == 0)
		event_active(client->timer, EV_TIMEOUT, 0);
	else
		event_add(client->timer, &wait);
	return 0;
}

static void socket_due_cb(evutil_socket_t fd, short events, void *arg)
{
	struct http_client *client = arg;
	struct watch *watch = client->watches[fd];
	int what = (events & EV_READ ? CURL_CSELECT_IN : 0) |
		   (events & EV_WRITE ? CURL_CSELECT_OUT : 0),
	    running;

	if (watch->idle) { /* the other side has closed it: libcurl sees that when it would use it again */
		event_del(watch->event);
		watch->events = 0;
		return;
	}
	curl_multi_socket_action(client->multi, fd, what, &running);
	take_finished(client);
}

static void watch_set(struct http_client *client, struct watch *watch, curl_socket_t fd,
		      short events)
{
	if (watch->events == events)
		return;
	if (watch->events)
		event_del(watch->event);
	event_assign(watch->event, client->base, fd, (short)(events | EV_PERSIST), socket_due_cb,
		     client);
	event_add(watch->event, NULL);
	watch->events = events;
}

static bool is_connection(curl_socket_t fd)
{
	struct sockaddr_storage name = { .ss_family = AF_UNSPEC };
	socklen_t size = sizeof(name);

	return getsockname(fd, (struct sockaddr *)&name, &size) == 0 &&
	       (name.ss_family == AF_INET || name.ss_family == AF_INET6);
}

static struct watch *watch_get(struct http_client *client, curl_socket_t fd)
{
	unsigned room = client->watch_room ? client->watch_room : 64;

	while (room <= (unsigned)fd)
		room *= 2;
	if (room != client->watch_room) {
		client->watches = xrealloc(client->watches, room * sizeof(struct watch *));
		memset(client->watches + client->watch_room, 0,
		       (room - client->watch_room) * sizeof(struct watch *));
		client->watch_room = room;
	}
	if (!client->watches[fd]) {
		client->watches[fd] = xcalloc(1, sizeof(struct watch));
		client->watches[fd]->event = event_new(client->base, fd, 0, socket_due_cb, client);
		client->watches[fd]->kept = is_connection(fd);
	}
	return client->watches[fd];
}

static void watch_drop(struct http_client *client, curl_socket_t fd)
{
	struct watch *watch = (unsigned)fd < client->watch_room ? client->watches[fd] : NULL;

	if (!watch)
		return;
	event_free(watch->event);
	free(watch);
	client->watches[fd] = NULL;
}

static int socket_cb(CURL *easy UNUSED, curl_socket_t fd, int what, void *arg,
		     void *socket_arg UNUSED)
{
	struct http_client *client = arg;
	struct watch *watch = watch_get(client, fd);

	watch->idle = what == CURL_POLL_REMOVE;
	if (watch->idle && !watch->kept)
		watch_drop(client, fd);
	else if (!watch->idle)
		watch_set(client, watch, fd,
			  (short)((what & CURL_POLL_IN ? EV_READ : 0) |
				  (what & CURL_POLL_OUT ? EV_WRITE : 0)));
	return 0;
}

/* libcurl closes a socket; the event goes before the descriptor can be another's. */
static int close_cb(void *arg, curl_socket_t fd)
{
	struct http_client *client = arg;

	watch_drop(client, fd);
	return close(fd);
}

struct http_client *http_client_new(struct event_base *base, unsigned max_connections)
{
	struct http_client *client = xcalloc(1, sizeof(*client));

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		abort();
	client->base = base;
	client->timer = evtimer_new(base, timer_due_cb, client);
	client->multi = curl_multi_init();
	if (!client->multi)
		abort();
	curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, socket_cb);
	curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
	curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, timer_cb);
	curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
	curl_multi_setopt(client->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)max_connections);
	curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, (long)max_connections);
	curl_multi_setopt(client->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
	return client;
}

static bool url_is_good(const struct http_call *call)
{
	const char *url = call->url, *host;
	const unsigned char *c;

	if (!url || strlen(url) > URL_MAX_BYTES)
		return false;
	if (strncasecmp(url, "https://", 8) == 0)
		host = url + 8;
	else if (strncasecmp(url, "http://", 7) == 0 && !call->https_only)
		host = url + 7;
	else
		return false;
	for (c = (const unsigned char *)url; *c; c++) {
		if (*c < 0x21 || *c == 0x7f)
			return false;
	}
	return *host && !strchr("/?#:@", *host);
}

/* Nothing that could end a header line. */
static bool headers_are_good(const struct http_fields *headers)
{
	unsigned i;
	size_t k;

	for (i = 0; i < headers->count; i++) {
		const struct http_field *field = &headers->items[i];

		if (!*field->name || strpbrk(field->name, "\r\n: \t"))
			return false;
		for (k = 0; k < field->value.len; k++) {
			if (strchr("\r\n", field->value.data[k])) /* NUL too */
				return false;
		}
	}
	return true;
}

static bool call_is_good(const struct http_call *call)
{
	bool post = strcmp(call->method, "POST") == 0;

	if (!post && (strcmp(call->method, "GET") != 0 || call->body.len > 0))
		return false;
	return call->body.len <= BODY_MAX && url_is_good(call) && headers_are_good(&call->headers);
}

static struct curl_slist *add_line(struct call *call, struct curl_slist *rest, const char *text)
{
	struct curl_slist *line = arena_alloc(&call->arena, sizeof(*line));

	*line = (struct curl_slist){ .data = (char *)text, .next = rest };
	return line;
}

/* In the call's arena; libcurl only reads it. */
static struct curl_slist *header_lines(struct call *call, const struct http_fields *headers)
{
	struct curl_slist *lines = add_line(call, NULL,
					    "Expect:"); /* never wait for 100 Continue */
	unsigned i;

	for (i = headers->count; i > 0; i--) {
		const struct http_field *field = &headers->items[i - 1];
		char *text;

		if (field->value.len > 0)
			text = arena_printf(&call->arena, "%s: %.*s", field->name,
					    (int)field->value.len, field->value.data);
		else
			text = arena_printf(&call->arena, "%s;",
					    field->name); /* libcurl's way to say "empty" */
		lines = add_line(call, lines, text);
	}
	return lines;
}

/* libcurl takes a URL apart, and puts its query into the request letter by letter, which for a long one costs more than all else:
 * what stands behind the host is given to it as it goes on the wire. */
static void set_url(struct call *call, const char *url)
{
	size_t origin = (size_t)(strchr(url, ':') - url) + 3;
	char *target;

	origin += strcspn(url + origin, "/?#");
	target = arena_printf(&call->arena, "%s%s", url[origin] == '/' ? "" : "/", url + origin);
	target[strcspn(target, "#")] = '\0'; /* a fragment stays here: RFC 9110, 4.2.5 */
	curl_easy_setopt(call->easy, CURLOPT_URL,
			 arena_printf(&call->arena, "%.*s/", (int)origin, url));
	curl_easy_setopt(call->easy, CURLOPT_REQUEST_TARGET, target);
}

static void set_own(struct call *call, const struct http_call *from)
{
	unsigned connect_ms = from->connect_ms ? from->connect_ms : CONNECT_MS;
	unsigned total_ms = from->total_ms ? from->total_ms : TOTAL_MS;

	set_url(call, from->url);
	curl_easy_setopt(call->easy, CURLOPT_PROTOCOLS_STR,
			 from->https_only ? "https" : "http,https");
	if (strcmp(from->method, "POST") == 0) {
		curl_easy_setopt(call->easy, CURLOPT_POST, 1L);
		curl_easy_setopt(call->easy, CURLOPT_POSTFIELDS,
				 arena_memdup(&call->arena, from->body.data, from->body.len));
		curl_easy_setopt(call->easy, CURLOPT_POSTFIELDSIZE_LARGE,
				 (curl_off_t)from->body.len);
	} else {
		curl_easy_setopt(call->easy, CURLOPT_HTTPGET, 1L);
	}
	curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, header_lines(call, &from->headers));
	curl_easy_setopt(call->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms);
	curl_easy_setopt(call->easy, CURLOPT_TIMEOUT_MS, (long)total_ms);
}

int http_client_call(struct http_client *client, const struct http_call *from, http_result_cb *cb,
		     void *arg)
{
	struct call *call;

	if (client->closing)
		return -ECANCELED;
	if (!call_is_good(from))
		return -EINVAL;
	call = call_take(client);
	call->cb = cb;
	call->arg = arg;
	call->body_max = from->answer_max ? from->answer_max : ANSWER_MAX;
	set_own(call, from);
	if (curl_multi_add_handle(client->multi, call->easy) != CURLM_OK)
		abort();
	return 0;
}

unsigned http_client_in_work(const struct http_client *client)
{
	return client->in_work;
}

void http_client_free(struct http_client *client)
{
	struct call *call, *next;

	if (!client)
		return;
	client->closing = true;
	for (call = LIST_FIRST(&client->calls); call; call = next) {
		next = LIST_NEXT(call, next);
		call_end(call, -ECANCELED);
	}
	for (call = LIST_FIRST(&client->pool); call; call = next) {
		next = LIST_NEXT(call, next);
		call_free(call);
	}
	curl_multi_cleanup(client->multi);
	for (unsigned fd = 0; fd < client->watch_room; fd++)
		watch_drop(client, (curl_socket_t)fd); /* sockets that libcurl closed by itself */
	event_free(client->timer);
	free(client->watches);
	free(client);
}
