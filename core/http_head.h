/* http_head.h - the head of one HTTP request, from raw bytes to checked values.
 *
 * Pure: no socket, no time.  What evhttp would let pass (two lengths, a bare line feed, a NUL that cuts a value) is found
 * here, on the bytes as they came.
 */
#pragma once
#include "http.h"

enum {
	HTTP_HEADERS_MAX = 64,  /* header lines of a request */
	HTTP_TARGET_MAX = 8000, /* bytes */
	HTTP_ITEMS_MAX = 64,    /* items of a query or form */
};

struct http_head {
	struct http_request
		request; /* method, path, target, query, headers; no body and no peer yet */
	size_t body;     /* bytes that follow */
	bool keep;       /* the connection may serve further requests */
	bool old;        /* HTTP/1.0 */
	bool expects;    /* waits for "100 Continue" before it sends the body */
};

/* Finds where the head ends, looking on from *seen.  Gives its length with the empty line, 0: more bytes are needed.
 * Errors: -EINVAL: a line that does not end in CR LF */
ssize_t http_head_end(const char *data, size_t len, size_t *seen) MUST_CHECK;

/* Parses a whole head.  text is changed, and must live as long as *out; other memory is the arena's.
 * Gives 0, or the status to refuse with; out->request.method is HTTP_HEAD then only if the request was a HEAD.
 * Source: RFC 9112, 2 to 6; RFC 9110, 5 */
int http_head_parse(struct arena *arena, char *text, size_t len, size_t body_max,
		    struct http_head *out) MUST_CHECK;

/* Decodes the path of a target once.  NULL: a bad escape, or one that may mean two things to two readers. */
char *http_path_decode(struct arena *arena, const char *text, size_t len) MUST_CHECK;
