/* utf8.c - bytes from outside become valid text, and text is folded for comparing.
 *
 * Nearly all that citizens send is ASCII, so each function first takes eight bytes at a time while
 * they are; Unicode's tables (utf8proc) are asked only about the rest.
 */
#include "utf8.h"

#include <string.h>
#include <utf8proc.h>

static const char REPLACEMENT[] = "\xef\xbf\xbd"; /* U+FFFD */
enum { REPLACEMENT_LEN = 3 };

/* Bytes at the start that are ASCII and not NUL. */
static size_t ascii_run(const char *text, size_t len)
{
	const uint64_t ones = 0x0101010101010101, highs = 0x8080808080808080;
	size_t at = 0;

	for (; len - at >= 8; at += 8) {
		uint64_t eight;

		memcpy(&eight, text + at, 8);
		/* A byte of 0 borrows and so sets its high bit, one above 127 has it. */
		if (((eight - ones) | eight) & highs)
			break;
	}
	while (at < len && (unsigned char)text[at] - 1U < 0x7f)
		at++;
	return at;
}

/* Bytes of the sequence that begins at p.  valid: whether it is whole; else so many bytes are one
 * replacement. */
static size_t sequence(const unsigned char *p, size_t left, bool *valid)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t need, have;

	*valid = p[0] < 0x80;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 1;
	need = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	/* The second byte's range shuts out long forms, surrogates and what lies above U+10FFFF. */
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;
	for (have = 1; have < need && have < left; have++) {
		if (p[have] < low || p[have] > high)
			break;
		low = 0x80;
		high = 0xbf;
	}
	*valid = have == need;
	return have;
}

bool utf8_valid(const char *text, size_t len)
{
	for (size_t at = 0; at < len;) {
		bool valid;

		at += ascii_run(text + at, len - at);
		if (at == len)
			break;
		at += sequence((const unsigned char *)text + at, len - at, &valid);
		if (!valid)
			return false;
	}
	return true;
}

uint32_t utf8_next(struct bytes text, size_t *at)
{
	const unsigned char *p = (const unsigned char *)text.data + *at;

	if (p[0] < 0x80) {
		*at += 1;
		return p[0];
	}
	if (p[0] < 0xe0) {
		*at += 2;
		return (p[0] & 0x1fU) << 6 | (p[1] & 0x3fU);
	}
	if (p[0] < 0xf0) {
		*at += 3;
		return (p[0] & 0xfU) << 12 | (p[1] & 0x3fU) << 6 | (p[2] & 0x3fU);
	}
	*at += 4;
	return (p[0] & 7U) << 18 | (p[1] & 0x3fU) << 12 | (p[2] & 0x3fU) << 6 | (p[3] & 0x3fU);
}

/* Bytes at the start that are clean already, at most *room characters, which are taken off it. */
static size_t clean_run(struct bytes raw, size_t from, size_t *room)
{
	size_t at = from;

	while (at<raw.len && * room> 0) {
		size_t run = ascii_run(raw.data + at, raw.len - at), len;
		bool valid;

		if (run > *room)
			run = *room;
		*room -= run;
		at += run;
		if (at == raw.len || *room == 0)
			break;
		len = sequence((const unsigned char *)raw.data + at, raw.len - at, &valid);
		if (!valid || raw.data[at] == '\0')
			break;
		*room -= 1;
		at += len;
	}
	return at - from;
}

struct bytes utf8_clean(struct arena *arena, struct bytes raw, size_t max_chars, bool *cut)
{
	size_t room = max_chars, at = clean_run(raw, 0, &room), len = at;
	size_t bound;
	char *out;

	*cut = at < raw.len && room == 0;
	if (at == raw.len || *cut)
		return arena_bytes(arena, raw.data, at);
	bound = raw.len / REPLACEMENT_LEN < max_chars ? raw.len * REPLACEMENT_LEN : max_chars * 4;
	out = arena_alloc(arena, bound + 1);
	memcpy(out, raw.data, at);
	while (at < raw.len && room > 0) {
		size_t run;
		bool valid;

		memcpy(out + len, REPLACEMENT, REPLACEMENT_LEN);
		len += REPLACEMENT_LEN;
		room--;
		at += sequence((const unsigned char *)raw.data + at, raw.len - at, &valid);
		run = clean_run(raw, at, &room);
		memcpy(out + len, raw.data + at, run);
		len += run;
		at += run;
	}
	*cut = at < raw.len;
	return (struct bytes){ out, len };
}

static size_t put(char *out, uint32_t point)
{
	return (size_t)utf8proc_encode_char((utf8proc_int32_t)point, (utf8proc_uint8_t *)out);
}

struct bytes utf8_from_utf16be(struct arena *arena, struct bytes raw)
{
	const unsigned char *p = (const unsigned char *)raw.data;
	char *out = arena_alloc(arena, raw.len / 2 * 3 + REPLACEMENT_LEN + 1);
	size_t len = 0;

	for (size_t at = 0; at < raw.len;) {
		uint32_t point = 0xfffd;
		size_t left = raw.len - at, step = 2;

		if (left >= 2)
			point = (uint32_t)p[at] << 8 | p[at + 1];
		if (point >= 0xd800 && point <= 0xdfff) {
			/* The low half, where there is one. */
			uint32_t low = left >= 4 ? (uint32_t)p[at + 2] << 8 | p[at + 3] : 0;

			if (point <= 0xdbff && low >= 0xdc00 && low <= 0xdfff) {
				point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
				step = 4;
			} else {
				point = 0xfffd;
			}
		}
		len += put(out + len, point);
		at += step;
	}
	return (struct bytes){ out, len };
}

struct bytes utf8_from_latin1(struct arena *arena, struct bytes raw)
{
	char *out = arena_alloc(arena, raw.len * 2 + 1);
	size_t len = 0;

	for (size_t at = 0; at < raw.len; at++)
		len += put(out + len, (unsigned char)raw.data[at]);
	return (struct bytes){ out, len };
}

size_t utf8_length(struct bytes text)
{
	size_t chars = 0;

	for (size_t at = 0; at < text.len; at++)
		chars += (text.data[at] & 0xc0) != 0x80;
	return chars;
}

/* What an ASCII character folds to: ' ' for each blank, 0 for a control. */
static char fold_ascii(unsigned char c)
{
	if ((unsigned)c - 'A' < 26U)
		return (char)(c | 0x20);
	if (c > ' ' && c < 0x7f)
		return (char)c;
	return c == ' ' || (c >= '\t' && c <= '\r') ? ' ' : '\0';
}

static struct bytes fold_plain(struct arena *arena, struct bytes text)
{
	char *out = arena_alloc(arena, text.len + 1);
	size_t len = 0;

	for (size_t at = 0; at < text.len; at++) {
		char folded = fold_ascii((unsigned char)text.data[at]);

		if (folded == '\0' || (folded == ' ' && (len == 0 || out[len - 1] == ' ')))
			continue;
		out[len++] = folded;
	}
	if (len > 0 && out[len - 1] == ' ')
		len--;
	out[len] = '\0';
	return (struct bytes){ out, len };
}

/* Runs before utf8proc's own mapping, so that what it gives is normalised like the rest. */
static utf8proc_int32_t fold_digit(utf8proc_int32_t point, void *arg UNUSED)
{
	static const utf8proc_int32_t zeros[] = { 0x0660, 0x06f0,
						  0xa9d0 }; /* Arabic, eastern Arabic, Javanese */

	for (size_t i = 0; i < ARRAY_LEN(zeros); i++) {
		if (point >= zeros[i] && point <= zeros[i] + 9)
			return '0' + point - zeros[i];
	}
	return point;
}

static bool is_blank(utf8proc_int32_t point)
{
	return point == ' ' || point == 0x1680 || point == 0x2028 ||
	       point == 0x2029; /* NFKC made all others ' ' */
}

struct bytes utf8_fold(struct arena *arena, struct bytes text)
{
	const utf8proc_option_t options = UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT |
					  UTF8PROC_CASEFOLD | UTF8PROC_IGNORE | UTF8PROC_STRIPCC;
	const utf8proc_uint8_t *raw = (const utf8proc_uint8_t *)text.data;
	utf8proc_ssize_t count;
	utf8proc_int32_t *points;
	size_t len = 0;
	char *out;

	if (ascii_run(text.data, text.len) == text.len)
		return fold_plain(arena, text);
	count = utf8proc_decompose_custom(raw, (utf8proc_ssize_t)text.len, NULL, 0, options,
					  fold_digit, NULL);
	if (count <= 0) /* only marks, or not valid */
		return arena_bytes(arena, "", 0);
	points = arena_alloc(arena, ((size_t)count + 1) * sizeof(*points));
	count = utf8proc_decompose_custom(raw, (utf8proc_ssize_t)text.len, points, count, options,
					  fold_digit, NULL);
	count = utf8proc_normalize_utf32(points, count, options);
	out = arena_alloc(arena, (size_t)count * 4 + 1);
	for (utf8proc_ssize_t i = 0; i < count; i++) {
		if (!is_blank(points[i]))
			len += put(out + len, (uint32_t)points[i]);
		else if (len > 0 && out[len - 1] != ' ')
			out[len++] = ' ';
	}
	if (len > 0 && out[len - 1] == ' ')
		len--;
	out[len] = '\0';
	return (struct bytes){ out, len };
}
