/* http_head.c - the head of one request, parsed by the letter of RFC 9112.
 *
 * Nothing is forgiven: where a sender and a proxy could read a head in two ways, it is refused, and the connection
 * ends with it, because what follows might be the body or the next request.  Parsing is in place, and runs on whole heads
 * only: how the bytes were cut on their way can make no difference.
 * Source: RFC 9112 (message syntax), RFC 9110, 5.6.2 (token), 6.1 and 8.6 (lengths).
 */
#include "http_head.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

static const char TOKEN[] = "!#$%&'*+-.^_`|~"
			    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
static const char HOST[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.:_-[]";

ssize_t http_head_end(const char *data, size_t len, size_t *seen)
{
	const char *feed;

	while (*seen < len && (feed = memchr(data + *seen, '\n', len - *seen))) {
		size_t at = (size_t)(feed - data);

		if (at == 0 || data[at - 1] != '\r')
			return -EINVAL;
		*seen = at + 1;
		if (at >= 3 && data[at - 2] == '\n')
			return (ssize_t)(at + 1);
	}
	*seen = len;
	return 0;
}

static bool is_token(const char *text)
{
	return *text && text[strspn(text, TOKEN)] == '\0';
}

/* Takes the line at *text off; its CR LF becomes a NUL.  The whole head ends in CR LF. */
static char *take_line(char **text, char *end)
{
	char *line = *text, *feed = memchr(line, '\n', (size_t)(end - line));

	if (!feed || feed == line || feed[-1] != '\r')
		return NULL;
	feed[-1] = '\0';
	*text = feed + 1;
	return strlen(line) == (size_t)(feed - 1 - line) ? line : NULL; /* NULL: a NUL within */
}

static int parse_method(const char *name, enum http_method *out)
{
	static const struct {
		const char *name;
		enum http_method method;
	} methods[] = { { "GET", HTTP_GET }, { "POST", HTTP_POST }, { "HEAD", HTTP_HEAD } };
	unsigned i;

	for (i = 0; i < ARRAY_LEN(methods); i++) {
		if (strcmp(name, methods[i].name) != 0)
			continue;
		*out = methods[i].method;
		return 0;
	}
	return is_token(name) ? 405 : 400;
}

static int parse_version(const char *text, bool *old)
{
	if (strcmp(text, "HTTP/1.1") == 0 || strcmp(text, "HTTP/1.0") == 0) {
		*old = text[7] == '0';
		return 0;
	}
	if (strncmp(text, "HTTP/", 5) != 0)
		return 400;
	text += 5;
	text += strspn(text, "0123456789");
	return *text == '.' && text[1] && text[1 + strspn(text + 1, "0123456789")] == '\0' ? 505
											   : 400;
}

/* Bytes 0x21 to 0x7e, beginning with one '/'; no fragment. */
static int check_target(const char *target)
{
	const unsigned char *c = (const unsigned char *)target;

	if (c[0] != '/' || c[1] == '/')
		return 400;
	for (; *c; c++) {
		if (*c < 0x21 || *c > 0x7e || *c == '#')
			return 400;
	}
	return c - (const unsigned char *)target > HTTP_TARGET_MAX ? 414 : 0;
}

static int parse_target(struct arena *arena, char *target, struct http_request *out)
{
	char *query = strchr(target, '?');
	size_t path_len = query ? (size_t)(query - target) : strlen(target);

	out->target = target;
	out->path = http_path_decode(arena, target, path_len);
	if (!out->path)
		return 400;
	if (query && !http_parse_form(arena, query + 1, strlen(query + 1), &out->query))
		return 400;
	return 0;
}

/* "METHOD target HTTP/1.x", one blank between each. */
static int parse_first_line(struct arena *arena, char *line, struct http_head *out)
{
	char *target = strchr(line, ' '), *version = target ? strchr(target + 1, ' ') : NULL;
	int status;

	if (!version)
		return 400;
	*target++ = '\0';
	*version++ = '\0';
	status = parse_method(line, &out->request.method);
	if (status == 0)
		status = parse_version(version, &out->old);
	if (status == 0)
		status = check_target(target);
	return status ? status : parse_target(arena, target, &out->request);
}

/* "Name: value": the name a token up to the colon, the value without the blanks around it and without control bytes. */
static int parse_header(char *line, struct http_field *out)
{
	char *colon = strchr(line, ':'), *value, *end;
	const unsigned char *c;

	if (!colon)
		return 400;
	*colon = '\0';
	if (!is_token(line))
		return 400;
	value = colon + 1 + strspn(colon + 1, " \t");
	end = value + strlen(value);
	while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	*end = '\0';
	for (c = (const unsigned char *)value; *c; c++) {
		if ((*c < 0x20 && *c != '\t') || *c == 0x7f)
			return 400;
	}
	*out = (struct http_field){ line, { value, (size_t)(end - value) } };
	return 0;
}

static int parse_headers(char *text, char *end, struct http_fields *out)
{
	char *line;
	int status;

	while ((line = take_line(&text, end)) && *line) {
		if (out->count == HTTP_HEADERS_MAX)
			return 431;
		status = parse_header(line, &out->items[out->count]);
		if (status)
			return status;
		out->count++;
	}
	return line && text == end ? 0 : 400;
}

/* What the framing and routing headers said. */
struct framing {
	const char *host, *length, *type, *authorization, *connection;
	bool coded, encoded;
	const char *expect;
};

/* Takes a header that may come once. */
static int take_once(const char **slot, const struct http_field *field)
{
	if (*slot)
		return 400;
	*slot = field->value.data;
	return 0;
}

static int take_framing(struct framing *framing, const struct http_field *field)
{
	const struct {
		const char *name;
		const char **slot;
	} once[] = {
		{ "Host", &framing->host },
		{ "Content-Length", &framing->length },
		{ "Content-Type", &framing->type },
		{ "Connection", &framing->connection },
		{ "Authorization", &framing->authorization },
		{ "Expect", &framing->expect },
	};
	unsigned i;

	for (i = 0; i < ARRAY_LEN(once); i++) {
		if ((field->name[0] | 0x20) == (once[i].name[0] | 0x20) &&
		    strcasecmp(field->name, once[i].name) == 0)
			return take_once(once[i].slot, field);
	}
	framing->coded |= strcasecmp(field->name, "Transfer-Encoding") == 0;
	framing->encoded |= strcasecmp(field->name, "Content-Encoding") == 0;
	return 0;
}

/* One to seven digits, so that no arithmetic can wrap. */
static int parse_length(const char *text, size_t body_max, size_t *out)
{
	size_t digits = strspn(text, "0123456789");

	if (digits == 0 || text[digits] != '\0')
		return 400;
	if (digits > 7)
		return 413;
	for (*out = 0; *text; text++)
		*out = *out * 10 + (size_t)(*text - '0');
	return *out > body_max ? 413 : 0;
}

static int check_host(const char *host, bool old)
{
	if (!host)
		return old ? 0 : 400;
	return *host && host[strspn(host, HOST)] == '\0' ? 0 : 400;
}

static int check_body(const struct framing *framing, size_t body_max, struct http_head *out)
{
	int status = 0;

	if (framing->coded)
		return 411;
	if (framing->length)
		status = parse_length(framing->length, body_max, &out->body);
	else if (out->request.method == HTTP_POST)
		status = 411;
	if (status)
		return status;
	if (out->body > 0 && out->request.method != HTTP_POST)
		return 400;
	return framing->encoded ? 415 : 0;
}

/* A comma-separated list holds the word, in any case. */
static bool list_has(const char *list, const char *word)
{
	size_t len = strlen(word), item;

	for (; list && *list; list += item) {
		list += strspn(list, " \t,");
		item = strcspn(list, " \t,");
		if (item == len && strncasecmp(list, word, len) == 0)
			return true;
	}
	return false;
}

static int check_framing(const struct framing *framing, size_t body_max, struct http_head *out)
{
	int status = check_host(framing->host, out->old);

	if (status == 0)
		status = check_body(framing, body_max, out);
	if (status)
		return status;
	if (out->old)
		out->keep = list_has(framing->connection, "keep-alive");
	else
		out->keep = !list_has(framing->connection, "close");
	out->expects = framing->expect && !out->old;
	if (out->expects && strcasecmp(framing->expect, "100-continue") != 0)
		return 417;
	return 0;
}

int http_head_parse(struct arena *arena, char *text, size_t len, size_t body_max,
		    struct http_head *out)
{
	struct framing framing = { 0 };
	char *end = text + len, *line = take_line(&text, end);
	struct http_fields *headers = &out->request.headers;
	unsigned i;
	int status;

	*out = (struct http_head){ 0 };
	if (!line)
		return 400;
	status = parse_first_line(arena, line, out);
	if (status)
		return status;
	headers->items = arena_alloc(arena, HTTP_HEADERS_MAX * sizeof(*headers->items));
	status = parse_headers(text, end, headers);
	for (i = 0; i < headers->count && status == 0; i++)
		status = take_framing(&framing, &headers->items[i]);
	return status ? status : check_framing(&framing, body_max, out);
}
