/* http_client.h - one HTTP exchange out: libcurl's multi interface driven by libevent.
 *
 * Connections are kept and reused.  TLS is verified, redirects are not followed, names resolve on curl's threads.
 */
#pragma once
#include "base.h"
#include "http.h"

struct http_client;

struct http_call {
	const char *method; /* "GET", "POST" */
	const char *url;
	struct http_fields headers;
	struct bytes body;
	unsigned connect_ms, total_ms; /* 0: 5,000 and 20,000 */
	bool https_only;
	size_t answer_max; /* bytes of its body, 0: 64 KiB */
};

/* What came of it.  `left`: the request may have reached the other side (some of it was written), so a failure
 * after it is an unknown outcome, not a failed one. */
struct http_result {
	int error; /* 0; -ETIMEDOUT, -ECONNREFUSED, -EIO, -EMSGSIZE (answer too long), -EPROTO (TLS), -ECANCELED */
	bool left;
	int status;
	struct http_fields headers;
	struct bytes body;
};
typedef void http_result_cb(const struct http_result *result, void *arg); /* lent */

struct http_client *http_client_new(struct event_base *base, unsigned max_connections) MUST_CHECK;
/* The call is copied.  The callback runs once, from the loop, never inside this call.
 * Errors: -EINVAL not a URL, method (GET, POST) or header that we send; -ECANCELED: the client is being freed */
int http_client_call(struct http_client *client, const struct http_call *call, http_result_cb *cb,
		     void *arg) MUST_CHECK;
unsigned http_client_in_work(const struct http_client *client);
void http_client_free(
	struct http_client *client); /* NULL is fine; calls back what waits with -ECANCELED */
