/* http_form.c - fields: finding one, and decoding queries, forms and paths.
 *
 * A name that comes twice is refused, not resolved: two readers (one that checks, one that stores) could each
 * take another one.  A broken escape is refused for the same reason.
 * Source: URL Standard, application/x-www-form-urlencoded; RFC 3986, 2.1.
 */
#include "http.h"

#include <string.h>
#include <strings.h>

#include "http_head.h"

const struct http_field *http_field(const struct http_fields *fields, const char *name,
				    bool any_case)
{
	unsigned i;

	for (i = 0; i < fields->count; i++) {
		const char *own = fields->items[i].name;

		if (any_case ? strcasecmp(own, name) == 0 : strcmp(own, name) == 0)
			return &fields->items[i];
	}
	return NULL;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One escape at text[at], which holds '%'.  -1: broken. */
static int unescape(const char *text, size_t len, size_t at)
{
	int high, low;

	if (len - at < 3)
		return -1;
	high = hex_digit(text[at + 1]);
	low = hex_digit(text[at + 2]);
	return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* Decodes len bytes into out, which has room for len and a NUL. Gives the length, -1: a bad escape. */
static ssize_t decode(const char *text, size_t len, bool plus, char *out)
{
	size_t i, n = 0;

	for (i = 0; i < len; i++) {
		int c = (unsigned char)text[i];

		if (c == '%') {
			c = unescape(text, len, i);
			if (c < 0)
				return -1;
			i += 2;
		} else if (c == '+' && plus) {
			c = ' ';
		}
		out[n++] = (char)c;
	}
	out[n] = '\0';
	return (ssize_t)n;
}

/* One "name=value".  A name may not be empty or hold NUL. */
static bool parse_item(const char *text, size_t len, char **memory, struct http_field *out)
{
	const char *equals = memchr(text, '=', len);
	size_t name_len = equals ? (size_t)(equals - text) : len;
	ssize_t n = decode(text, name_len, true, *memory);

	if (n <= 0 || memchr(*memory, '\0', (size_t)n))
		return false;
	out->name = *memory;
	*memory += n + 1;
	n = equals ? decode(equals + 1, len - name_len - 1, true, *memory)
		   : decode("", 0, true, *memory);
	if (n < 0)
		return false;
	out->value = (struct bytes){ *memory, (size_t)n };
	*memory += n + 1;
	return true;
}

static unsigned count_items(const char *text, size_t len)
{
	unsigned count = 1;
	const char *end = text + len;

	while (count <= HTTP_ITEMS_MAX && (text = memchr(text, '&', (size_t)(end - text)))) {
		count++;
		text++;
	}
	return count;
}

bool http_parse_form(struct arena *arena, const char *text, size_t len, struct http_fields *out)
{
	const char *end = text + len;
	unsigned count;
	char *memory;

	*out = (struct http_fields){ 0 };
	if (len == 0)
		return true;
	count = count_items(text, len);
	if (count > HTTP_ITEMS_MAX)
		return false;
	out->items = arena_alloc(arena, count * sizeof(*out->items));
	memory = arena_alloc(
		arena,
		len + 2 * (size_t)count); /* each item: name, NUL, value, NUL in place of '=' and '&' */
	while (text <= end) {
		const char *next = memchr(text, '&', (size_t)(end - text));
		size_t item = (size_t)((next ? next : end) - text);

		if (item > 0) {
			if (!parse_item(text, item, &memory, &out->items[out->count]))
				return false;
			if (http_field(out, out->items[out->count].name, false))
				return false;
			out->count++;
		}
		text += item + 1;
	}
	return true;
}

/* A path that two readers could take for two: "//", "/./", "/../", a backslash, a control byte, a further escape. */
static bool path_is_plain(const char *path, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		unsigned char c = (unsigned char)path[i];

		if (c < 0x20 || c == 0x7f || c == '\\' || c == '%')
			return false;
		if (c != '/')
			continue;
		if (path[i + 1] == '/')
			return false;
		if (path[i + 1] != '.')
			continue;
		if (path[i + 2] == '/' || path[i + 2] == '\0')
			return false;
		if (path[i + 2] == '.' && (path[i + 3] == '/' || path[i + 3] == '\0'))
			return false;
	}
	return true;
}

char *http_path_decode(struct arena *arena, const char *text, size_t len)
{
	char *path = arena_alloc(arena, len + 1);
	ssize_t n = decode(text, len, false, path);

	if (n <= 0 || path[0] != '/' || !path_is_plain(path, (size_t)n))
		return NULL;
	return path;
}
