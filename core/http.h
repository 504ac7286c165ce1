/* http.h - plain values of one HTTP exchange, either way, and the strict listener in front of evhttp.
 *
 * The checks of RFC 9112 that evhttp leaves out are made here, first, for the public and the admin listener
 * alike; a refused request never reaches a handler and nothing behind it on its connection is parsed.
 */
#pragma once
#include "base.h"

struct event_base;
struct arena;

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST };

struct http_field { /* one header, query item or form item; values may hold NUL */
	const char *name;
	struct bytes value;
};
struct http_fields {
	struct http_field *items;
	unsigned count;
};
/* First of that name (headers: any case), or NULL. */
const struct http_field *http_field(const struct http_fields *fields, const char *name,
				    bool any_case);

struct http_request {
	enum http_method method;
	const char *path;         /* decoded, begins with one '/', checked */
	const char *target;       /* as it came, with query */
	struct http_fields query; /* decoded; each name once (else it was refused with 400) */
	struct http_fields headers;
	struct bytes body;
	const char *peer; /* the sender's address, from the socket or a configured proxy */
};

struct http_response {
	int status;
	const char *content_type;   /* NULL: text/plain; charset=utf-8 */
	struct http_fields headers; /* further ones */
	struct bytes body;
	int retry_after; /* seconds, 0: none */
};

/* Decodes "a=b&c=d" (query or form).  false: a bad escape, or a name twice. Ownership: in the arena. */
bool http_parse_form(struct arena *arena, const char *text, size_t len,
		     struct http_fields *out) MUST_CHECK;

struct http_server;
struct http_exchange; /* one request that was accepted and waits for its answer */

/* Called on the loop for each request that passed the checks.  The handler answers with http_reply, now or later.
 * The request is lent until http_reply. */
typedef void http_handler(struct http_exchange *exchange, const struct http_request *request,
			  void *arg);

struct http_limits {
	unsigned connections;       /* in all; 512 */
	unsigned per_address;       /* 32; addresses in `trusted` have no such limit */
	size_t headers, body;       /* bytes: 16 KiB, 64 KiB */
	unsigned request_seconds;   /* from a request's first byte to its last: 10 */
	unsigned idle_seconds;      /* a kept connection between requests: 15 */
	const char *const *trusted; /* addresses of aggregators, ended by NULL; or NULL */
	const char *const *proxies; /* whose X-Forwarded-For is believed, ended by NULL; or NULL */
};
extern const struct http_limits http_default_limits;

/* host: an address, never a name.  port 0: any, see http_server_port.  A base made with
 * EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST serves a request for a fifth less.  base must outlive the server, and what the
 * lists of limits point to as well.
 * Errors: -EADDRINUSE, -EACCES, -EINVAL; the caller says what to do about it. */
int http_server_open(struct event_base *base, const char *host, unsigned port,
		     const struct http_limits *limits, http_handler *handler, void *arg,
		     struct http_server **out) MUST_CHECK;
unsigned http_server_port(const struct http_server *server);
/* No new connections or requests; those in work go on. */
void http_server_stop(struct http_server *server);
/* Exchanges without an answer yet. */
unsigned http_server_in_work(const struct http_server *server);
/* NULL is fine; cuts what is left, and calls its `sent`.  An exchange without an answer must get one later all the same:
 * that frees it, and calls `sent` within the call. */
void http_server_close(struct http_server *server);

/* Answers, once.  `sent` (may be NULL) is called later, from the loop: whole = the answer was written to the socket whole,
 * false = the connection was gone before. */
typedef void http_sent_cb(bool whole, void *arg);
void http_reply(struct http_exchange *exchange, const struct http_response *response,
		http_sent_cb *sent, void *arg);
/* A fixed body for the status, never input; 405 says which methods are right, 503 when to come again. */
void http_reply_status(struct http_exchange *exchange, int status);
