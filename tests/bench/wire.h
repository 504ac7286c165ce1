/* wire.h - the driver's own HTTP: as little of it as measuring needs.
 *
 * The driver shares the cores with what it measures, so it speaks just the HTTP/1.1 that Kannel, evhttp and the
 * gateway speak on kept connections, with one system call to send and one to receive a message.
 */
#pragma once
#include "base.h"

struct event_base;
struct wire_pool; /* kept connections to one port of 127.0.0.1 */
struct wire_sink; /* a server that hears requests and answers each at once */

enum { WIRE_MAX = 8192 }; /* bytes of a request or an answer, head and body */

/* tag as given to wire_send.  status 0: the connection broke before an answer came. */
typedef void wire_answer_cb(unsigned status, struct bytes body, uint32_t tag, void *arg);

struct wire_pool *wire_pool_new(struct event_base *base, unsigned port, unsigned connections,
				wire_answer_cb *cb, void *arg) MUST_CHECK;
/* A whole request.  It leaves at once, or as soon as a connection is free. Ownership: copied. */
void wire_send(struct wire_pool *pool, const char *request, size_t len, uint32_t tag);
void wire_pool_free(struct wire_pool *pool);

/* target is the request's, with query, ended by a NUL; the answer is what comes back (static, whole HTTP). */
typedef const char *wire_heard_cb(const char *target, void *arg);

struct wire_sink *wire_sink_new(struct event_base *base, unsigned port, wire_heard_cb *cb,
				void *arg) MUST_CHECK;
unsigned wire_sink_port(const struct wire_sink *sink);
void wire_sink_free(struct wire_sink *sink);

/* Finds name=... in a query and undoes its escapes into out, which is always ended.  false: not there. */
bool wire_param(const char *target, const char *name, char *out, size_t size) MUST_CHECK;
