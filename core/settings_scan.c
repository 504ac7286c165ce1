/* settings_scan.c - finds the line of each field in a file of settings.
 *
 * Lua doesn't keep where a field of a table was written.  So the source is read a second time, by words: a
 * name before a '=' is a field of the table whose braces are around it.  The file has compiled before, so
 * nothing here needs to be an error.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "settings_priv.h"

enum { DEPTH_MAX = 16, FIELDS_MAX = 65536, PATH_MAX_BYTES = 512 };

struct scan {
	struct arena *arena;
	const char *at, *end;
	int line;
	char path[PATH_MAX_BYTES]; /* of the innermost table, then the name that was read last */
	size_t base[DEPTH_MAX];    /* length of the path at each nesting */
	unsigned depth;
	bool named; /* a name stands behind the base */
	int name_line;
	struct field_lines lines;
	unsigned room;
};

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static void skip_to(struct scan *scan, const char *to)
{
	for (; scan->at < to; scan->at++)
		if (*scan->at == '\n')
			scan->line++;
}

/* Behind "[==[ ... ]==]", at whose first bracket we stand; false: it is not one. */
static bool skip_long(struct scan *scan)
{
	const char *at = scan->at + 1;
	size_t level = 0;
	char close[64];
	const char *found;

	while (at < scan->end && *at == '=' && level < sizeof(close) - 3) {
		at++;
		level++;
	}
	if (at >= scan->end || *at != '[')
		return false;
	close[0] = close[level + 1] = ']';
	memset(close + 1, '=', level);
	found = memmem(at, (size_t)(scan->end - at), close, level + 2);
	skip_to(scan, found ? found + level + 2 : scan->end);
	return true;
}

static void skip_comment(struct scan *scan)
{
	const char *end;

	scan->at += 2;
	if (scan->at < scan->end && *scan->at == '[' && skip_long(scan))
		return;
	end = memchr(scan->at, '\n', (size_t)(scan->end - scan->at));
	scan->at = end ? end : scan->end;
}

/* Behind a quoted text; its content is lent. */
static struct bytes skip_quoted(struct scan *scan)
{
	const char *start = scan->at + 1, *at = start;

	while (at < scan->end && *at != *scan->at)
		at += *at == '\\' && at + 1 < scan->end ? 2 : 1;
	skip_to(scan, at < scan->end ? at + 1 : scan->end);
	return (struct bytes){ start, (size_t)(at - start) };
}

/* The name behind the base; one that comes after a '.' goes on with it. */
static void name_set(struct scan *scan, struct bytes name, bool more)
{
	size_t len = more && scan->named ? strlen(scan->path) : scan->base[scan->depth];

	scan->named = len + name.len + 2 < sizeof(scan->path);
	if (!scan->named)
		return;
	if (len > 0)
		scan->path[len++] = '.';
	memcpy(scan->path + len, name.data, name.len);
	scan->path[len + name.len] = '\0';
	scan->name_line = scan->line;
}

static void name_clear(struct scan *scan)
{
	scan->named = false;
	scan->path[scan->base[scan->depth]] = '\0';
}

static void field_add(struct scan *scan)
{
	struct field_lines *lines = &scan->lines;

	if (!scan->named || lines->count >= FIELDS_MAX)
		return;
	if (lines->count == scan->room) {
		struct field_line *grown;

		scan->room = scan->room > 0 ? scan->room * 2 : 64;
		grown = arena_alloc(scan->arena, scan->room * sizeof(*grown));
		if (lines->count > 0)
			memcpy(grown, lines->rows, lines->count * sizeof(*grown));
		lines->rows = grown;
	}
	lines->rows[lines->count++] = (struct field_line){ arena_strdup(scan->arena, scan->path),
							   scan->name_line };
}

static void scan_word(struct scan *scan, bool more)
{
	const char *start = scan->at;

	while (scan->at < scan->end && is_word(*scan->at))
		scan->at++;
	name_set(scan, (struct bytes){ start, (size_t)(scan->at - start) }, more);
}

/* ["name"] as a field; anything else in brackets has no name. */
static void scan_bracket(struct scan *scan)
{
	if (skip_long(scan))
		return;
	scan->at++;
	while (scan->at < scan->end && *scan->at == ' ')
		scan->at++;
	if (scan->at < scan->end && (*scan->at == '"' || *scan->at == '\''))
		name_set(scan, skip_quoted(scan), false);
	else
		name_clear(scan);
}

static void scan_brace(struct scan *scan, char brace)
{
	if (brace == '{' && scan->depth + 1 < DEPTH_MAX) {
		scan->depth++;
		scan->base[scan->depth] = strlen(scan->path);
	} else if (brace == '}' && scan->depth > 0) {
		scan->depth--;
	}
	scan->named = false;
	if (brace == '}')
		name_clear(scan);
}

static void scan_sign(struct scan *scan)
{
	char c = *scan->at;

	skip_to(scan, scan->at + 1);
	if (c == '=' && scan->at < scan->end && *scan->at == '=') {
		scan->at++;
		name_clear(scan);
	} else if (c == '=') {
		field_add(scan); /* the name stays: a brace may follow */
	} else if (c == '{' || c == '}') {
		scan_brace(scan, c);
	} else if (c == ',' || c == ';') {
		name_clear(scan);
	}
}

struct field_lines settings_scan(struct arena *arena, struct bytes source)
{
	struct scan scan = {
		.arena = arena, .at = source.data, .end = source.data + source.len, .line = 1
	};
	bool dot = false;

	while (scan.at < scan.end) {
		char c = *scan.at;

		if (c == '-' && scan.end - scan.at > 1 && scan.at[1] == '-') {
			skip_comment(&scan);
		} else if (is_word(c)) {
			scan_word(&scan, dot);
			dot = false;
		} else if (c == '"' || c == '\'') {
			skip_quoted(&scan);
		} else if (c == '[') {
			scan_bracket(&scan);
		} else {
			dot = c == '.' || (dot && isspace((unsigned char)c));
			scan_sign(&scan);
		}
	}
	return scan.lines;
}

int settings_line_of(const struct field_lines *lines, const char *path)
{
	unsigned i;

	for (i = lines->count; i > 0; i--)
		if (strcmp(lines->rows[i - 1].path, path) == 0)
			return lines->rows[i - 1].line;
	return 0;
}
