/* plugin_value.c - Lua values as bytes and as JSON.
 *
 * The packed form is canonical: the same value gives the same bytes, so that a journal's arguments can be compared by
 * their hash.  JSON is read straight into Lua by a strict reader of our own, because numbers must come as they were
 * written (ids of twenty digits) and a value must not be built twice on the path of every message.
 */
#include "plugin_value.h"

#include <lauxlib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugin_keys.h"
#include "utf8.h"

enum { DEPTH_MAX = 16, PACKED_MAX = 64 << 10, JSON_DEPTH_MAX = 32, JSON_TEXT_MAX = 1 << 20 };
enum tag { TAG_NIL, TAG_FALSE, TAG_TRUE, TAG_INTEGER, TAG_FLOAT, TAG_STRING, TAG_TABLE };

/* ---- packed ---- */

static void pack_number(struct buf *buf, uint64_t n)
{
	unsigned char out[10];
	size_t len = 0;

	do {
		out[len] = (unsigned char)(n & 0x7F);
		n >>= 7;
		if (n)
			out[len] |= 0x80;
		len++;
	} while (n);
	buf_add(buf, out, len);
}

static void pack_tag(struct buf *buf, enum tag tag)
{
	unsigned char byte = (unsigned char)tag;

	buf_add(buf, &byte, 1);
}

static void pack_float(struct buf *buf, double value)
{
	unsigned char out[8];
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	for (unsigned i = 0; i < 8; i++)
		out[i] = (unsigned char)(bits >> (8 * i));
	pack_tag(buf, TAG_FLOAT);
	buf_add(buf, out, sizeof(out));
}

static const char *pack(lua_State *L, int idx, struct buf *buf, size_t start, unsigned depth);

/* The table's keys in order, owned by one value that is pushed.  NULL: why says what can't be kept; nothing is pushed. */
static const struct table_key *members(lua_State *L, int idx, size_t *count, const char **why)
{
	const char *refused;
	const struct table_key *keys = table_keys(L, idx, NULL, count, &refused);

	*why = NULL;
	for (size_t i = 0; keys && i < *count && !*why; i++)
		if (keys[i].kind != TABLE_KEY_TEXT && !keys[i].is_integer)
			*why = "only texts and integers can be keys";
	if (!keys)
		*why = "only texts and integers can be keys";
	else if (!*why && *count > PACKED_MAX)
		*why = "the table is too large to be kept";
	if (keys && *why)
		lua_pop(L, 1);
	return *why ? NULL : keys;
}

static const char *pack_table(lua_State *L, int idx, struct buf *buf, size_t start, unsigned depth)
{
	const char *why;
	size_t count;
	const struct table_key *keys;

	if (depth >= DEPTH_MAX || !lua_checkstack(L, 8))
		return "the table is nested too deeply, or holds itself";
	keys = members(L, idx, &count, &why);
	if (!keys)
		return why;
	pack_tag(buf, TAG_TABLE);
	pack_number(buf, count);
	for (size_t i = 0; i < count && !why; i++) {
		table_key_push(L, &keys[i]);
		why = pack(L, lua_gettop(L), buf, start, depth + 1);
		if (!why) {
			lua_rawget(L, idx);
			why = pack(L, lua_gettop(L), buf, start, depth + 1);
		}
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
	return why;
}

static const char *pack(lua_State *L, int idx, struct buf *buf, size_t start, unsigned depth)
{
	size_t len;
	const char *text;

	if (buf->len - start > PACKED_MAX)
		return "the value is too large to be kept";
	switch (lua_type(L, idx)) {
	case LUA_TNIL:
		pack_tag(buf, TAG_NIL);
		return NULL;
	case LUA_TBOOLEAN:
		pack_tag(buf, lua_toboolean(L, idx) ? TAG_TRUE : TAG_FALSE);
		return NULL;
	case LUA_TNUMBER:
		if (!lua_isinteger(L, idx)) {
			pack_float(buf, lua_tonumber(L, idx));
			return NULL;
		}
		pack_tag(buf, TAG_INTEGER);
		uint64_t n = (uint64_t)lua_tointeger(L, idx);

		pack_number(buf, n << 1 ^ (0 - (n >> 63)));
		return NULL;
	case LUA_TSTRING:
		text = lua_tolstring(L, idx, &len);
		if (len > PACKED_MAX)
			return "the text is too long to be kept";
		pack_tag(buf, TAG_STRING);
		pack_number(buf, len);
		buf_add(buf, text, len);
		return NULL;
	case LUA_TTABLE:
		return pack_table(L, idx, buf, start, depth);
	case LUA_TFUNCTION:
		return "a function can't be kept";
	default:
		return "only texts, numbers, booleans and tables of these can be kept";
	}
}

const char *value_pack(lua_State *L, int idx, struct buf *buf)
{
	size_t start = buf->len;
	const char *why = pack(L, lua_absindex(L, idx), buf, start, 0);

	if (!why && buf->len - start > PACKED_MAX)
		why = "the value is too large to be kept";
	if (why)
		buf->len = start;
	return why;
}

static bool unpack_number(struct bytes *data, uint64_t *out)
{
	*out = 0;
	for (unsigned shift = 0; shift < 64 && data->len > 0; shift += 7) {
		unsigned char byte = (unsigned char)*data->data++;

		data->len--;
		if (shift == 63 && byte > 1)
			return false;
		*out |= (uint64_t)(byte & 0x7F) << shift;
		if (!(byte & 0x80))
			return true;
	}
	return false;
}

static bool unpack(lua_State *L, struct bytes *data, unsigned depth);

static bool unpack_table(lua_State *L, struct bytes *data, unsigned depth)
{
	uint64_t count;

	if (depth >= DEPTH_MAX || !unpack_number(data, &count) || count > data->len / 2 ||
	    !lua_checkstack(L, 6))
		return false;
	lua_createtable(L, 0, 0);
	for (uint64_t i = 0; i < count; i++) {
		if (!unpack(L, data, depth + 1))
			goto broken;
		if (lua_type(L, -1) != LUA_TSTRING && !lua_isinteger(L, -1)) {
			lua_pop(L, 1);
			goto broken;
		}
		if (!unpack(L, data, depth + 1)) {
			lua_pop(L, 1);
			goto broken;
		}
		lua_rawset(L, -3);
	}
	return true;
broken:
	lua_pop(L, 1);
	return false;
}

static bool unpack_float(lua_State *L, struct bytes *data)
{
	uint64_t bits = 0;
	double value;

	if (data->len < 8)
		return false;
	for (unsigned i = 0; i < 8; i++)
		bits |= (uint64_t)(unsigned char)data->data[i] << (8 * i);
	memcpy(&value, &bits, sizeof(value));
	data->data += 8;
	data->len -= 8;
	lua_pushnumber(L, value);
	return true;
}

static bool unpack(lua_State *L, struct bytes *data, unsigned depth)
{
	uint64_t n;
	int tag;

	if (data->len == 0)
		return false;
	tag = (unsigned char)*data->data++;
	data->len--;
	switch (tag) {
	case TAG_NIL:
		lua_pushnil(L);
		return true;
	case TAG_FALSE:
	case TAG_TRUE:
		lua_pushboolean(L, tag == TAG_TRUE);
		return true;
	case TAG_INTEGER:
		if (!unpack_number(data, &n))
			return false;
		lua_pushinteger(L, (lua_Integer)(n >> 1 ^ (0 - (n & 1))));
		return true;
	case TAG_FLOAT:
		return unpack_float(L, data);
	case TAG_STRING:
		if (!unpack_number(data, &n) || n > data->len)
			return false;
		lua_pushlstring(L, data->data, (size_t)n);
		data->data += n;
		data->len -= (size_t)n;
		return true;
	case TAG_TABLE:
		return unpack_table(L, data, depth);
	default:
		return false;
	}
}

bool value_unpack(lua_State *L, struct bytes *data)
{
	return lua_checkstack(L, 8) && unpack(L, data, 0);
}

/* ---- JSON out ---- */

static const char *json_string(struct buf *buf, const char *text, size_t len)
{
	size_t start = 0;

	if (!utf8_valid(text, len))
		return "a text is not valid UTF-8";
	buf_add(buf, "\"", 1);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		buf_add(buf, text + start, i - start);
		start = i + 1;
		if (c == '"' || c == '\\')
			buf_addf(buf, "\\%c", c);
		else if (c == '\n')
			buf_addstr(buf, "\\n");
		else
			buf_addf(buf, "\\u%04x", c);
	}
	buf_add(buf, text + start, len - start);
	buf_add(buf, "\"", 1);
	return NULL;
}

static void json_integer(struct buf *buf, lua_Integer value)
{
	char digits[20], *at = digits + sizeof(digits);
	uint64_t n = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

	do {
		*--at = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	if (value < 0)
		*--at = '-';
	buf_add(buf, at, (size_t)(digits + sizeof(digits) - at));
}

static const char *json_number(lua_State *L, int idx, struct buf *buf)
{
	double value = lua_tonumber(L, idx);

	if (lua_isinteger(L, idx))
		json_integer(buf, lua_tointeger(L, idx));
	else if (!isfinite(value))
		return "a number is not finite";
	else
		buf_addf(buf, "%.17g%s", value,
			 value == floor(value) && fabs(value) < 1e15 ? ".0" : "");
	return NULL;
}

static const char *json_out(lua_State *L, int idx, struct buf *buf, unsigned depth);

static const char *json_array(lua_State *L, int idx, struct buf *buf, unsigned depth)
{
	const char *why = NULL;
	lua_Integer n = (lua_Integer)lua_rawlen(L, idx);

	buf_add(buf, "[", 1);
	for (lua_Integer i = 1; i <= n && !why; i++) {
		if (i > 1)
			buf_add(buf, ",", 1);
		lua_rawgeti(L, idx, i);
		why = json_out(L, lua_gettop(L), buf, depth + 1);
		lua_pop(L, 1);
	}
	buf_add(buf, "]", 1);
	return why;
}

static const char *json_object(lua_State *L, int idx, struct buf *buf, unsigned depth)
{
	const char *why;
	size_t count;
	const struct table_key *keys = members(L, idx, &count, &why);

	if (!keys)
		return why;
	buf_add(buf, "{", 1);
	for (size_t i = 0; i < count && !why; i++) {
		if (keys[i].kind != TABLE_KEY_TEXT) {
			why = "a table has both a list's and named members, or a list with holes";
			break;
		}
		if (i > 0)
			buf_add(buf, ",", 1);
		why = json_string(buf, keys[i].text.data, keys[i].text.len);
		buf_add(buf, ":", 1);
		if (!why) {
			table_key_push(L, &keys[i]);
			lua_rawget(L, idx);
			why = json_out(L, lua_gettop(L), buf, depth + 1);
			lua_pop(L, 1);
		}
	}
	buf_add(buf, "}", 1);
	lua_pop(L, 1);
	return why;
}

static const char *json_table(lua_State *L, int idx, struct buf *buf, unsigned depth)
{
	bool list;

	if (depth >= DEPTH_MAX || !lua_checkstack(L, 8))
		return "the table is nested too deeply, or holds itself";
	list = lua_rawgeti(L, idx, 1) != LUA_TNIL;
	lua_pop(L, 1);
	return list ? json_array(L, idx, buf, depth) : json_object(L, idx, buf, depth);
}

static const char *json_out(lua_State *L, int idx, struct buf *buf, unsigned depth)
{
	size_t len;
	const char *text;

	if (buf->len > JSON_TEXT_MAX)
		return "the value is too large";
	switch (lua_type(L, idx)) {
	case LUA_TNIL:
		buf_addstr(buf, "null");
		return NULL;
	case LUA_TBOOLEAN:
		buf_addstr(buf, lua_toboolean(L, idx) ? "true" : "false");
		return NULL;
	case LUA_TNUMBER:
		return json_number(L, idx, buf);
	case LUA_TSTRING:
		text = lua_tolstring(L, idx, &len);
		return json_string(buf, text, len);
	case LUA_TTABLE:
		return json_table(L, idx, buf, depth);
	default:
		return "only texts, numbers, booleans and tables of these can be JSON";
	}
}

const char *value_to_json(lua_State *L, int idx, struct buf *buf)
{
	size_t start = buf->len;
	const char *why = json_out(L, lua_absindex(L, idx), buf, 0);

	if (why)
		buf->len = start;
	return why;
}

/* ---- JSON in ---- */

struct reader {
	lua_State *L;
	const char *at, *end;
	char *text; /* a string with escapes: Lua's memory, as large as the source, which no text exceeds */
	size_t text_len;
	bool numbers_as_text;
	const char *why;
};

static bool fail(struct reader *r, const char *why)
{
	if (!r->why)
		r->why = why;
	return false;
}

static void skip_blanks(struct reader *r)
{
	while (r->at < r->end &&
	       (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r'))
		r->at++;
}

static bool read_value(struct reader *r, unsigned depth);

static bool read_hex(struct reader *r, unsigned *out)
{
	*out = 0;
	if (r->end - r->at < 4)
		return fail(r, "JSON: a \\u escape is cut");
	for (unsigned i = 0; i < 4; i++) {
		char c = *r->at++;
		unsigned digit;

		if (c >= '0' && c <= '9')
			digit = (unsigned)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			digit = (unsigned)((c | 0x20) - 'a' + 10);
		else
			return fail(r, "JSON: a \\u escape has other than hexadecimal digits");
		*out = *out * 16 + digit;
	}
	return true;
}

static void add_text(struct reader *r, const char *text, size_t len)
{
	memcpy(r->text + r->text_len, text, len);
	r->text_len += len;
}

static void add_character(struct reader *r, unsigned c)
{
	char out[4];
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	if (n == 1) {
		out[0] = (char)c;
	} else {
		for (size_t i = n; i-- > 1; c >>= 6)
			out[i] = (char)(0x80 | (c & 0x3F));
		out[0] = (char)((0xF00 >> n & 0xFF) | c);
	}
	add_text(r, out, n);
}

static bool read_unicode(struct reader *r)
{
	unsigned c, low;

	if (!read_hex(r, &c))
		return false;
	if (c == 0)
		return fail(r, "JSON: a NUL in a text");
	if (c >= 0xDC00 && c <= 0xDFFF)
		return fail(r, "JSON: half of a surrogate pair");
	if (c >= 0xD800 && c <= 0xDBFF) {
		if (r->end - r->at < 2 || r->at[0] != '\\' || r->at[1] != 'u')
			return fail(r, "JSON: half of a surrogate pair");
		r->at += 2;
		if (!read_hex(r, &low))
			return false;
		if (low < 0xDC00 || low > 0xDFFF)
			return fail(r, "JSON: half of a surrogate pair");
		c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
	}
	add_character(r, c);
	return true;
}

static bool read_escape(struct reader *r)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *found;
	char c;

	if (r->at >= r->end)
		return fail(r, "JSON: a text is cut");
	c = *r->at++;
	if (c == 'u')
		return read_unicode(r);
	found = c ? strchr(from, c) : NULL;
	if (!found)
		return fail(r, "JSON: an unknown escape");
	add_text(r, &to[found - from], 1);
	return true;
}

/* Behind the opening quote; pushes the text. */
static bool read_string(struct reader *r)
{
	const char *start = r->at;

	r->text_len = 0;
	for (;;) {
		while (r->at < r->end && *r->at != '"' && *r->at != '\\' &&
		       (unsigned char)*r->at >= 0x20)
			r->at++;
		if (r->at >= r->end)
			return fail(r, "JSON: a text is cut");
		if ((unsigned char)*r->at < 0x20)
			return fail(r, "JSON: a control character in a text");
		if (!r->text || (*r->at == '"' && r->text_len == 0))
			break; /* no escapes: straight from the source */
		add_text(r, start, (size_t)(r->at - start));
		if (*r->at++ == '"') {
			lua_pushlstring(r->L, r->text, r->text_len);
			return true;
		}
		if (!read_escape(r))
			return false;
		start = r->at;
	}
	lua_pushlstring(r->L, start, (size_t)(r->at - start));
	r->at++;
	return true;
}

static bool digits(struct reader *r)
{
	const char *start = r->at;

	while (r->at < r->end && *r->at >= '0' && *r->at <= '9')
		r->at++;
	return r->at > start || fail(r, "JSON: a number is cut");
}

static bool read_number(struct reader *r)
{
	const char *start = r->at;
	char copy[64];
	size_t len;

	if (*r->at == '-')
		r->at++;
	if (r->at + 1 < r->end && r->at[0] == '0' && r->at[1] >= '0' && r->at[1] <= '9')
		return fail(r, "JSON: a number begins with 0");
	if (!digits(r))
		return false;
	if (r->at < r->end && *r->at == '.') {
		r->at++;
		if (!digits(r))
			return false;
	}
	if (r->at < r->end && (*r->at == 'e' || *r->at == 'E')) {
		r->at++;
		if (r->at < r->end && (*r->at == '+' || *r->at == '-'))
			r->at++;
		if (!digits(r))
			return false;
	}
	len = (size_t)(r->at - start);
	if (r->numbers_as_text) {
		lua_pushlstring(r->L, start, len);
		return true;
	}
	if (len >= sizeof(copy))
		return fail(r, "JSON: a number is too long");
	memcpy(copy, start, len);
	copy[len] = '\0';
	if (lua_stringtonumber(r->L, copy) == 0)
		return fail(r, "JSON: not a number");
	return true;
}

static bool read_array(struct reader *r, unsigned depth)
{
	lua_Integer n = 0;

	lua_createtable(r->L, 0, 0);
	skip_blanks(r);
	if (r->at < r->end && *r->at == ']') {
		r->at++;
		return true;
	}
	for (;;) {
		if (!read_value(r, depth + 1))
			return false;
		lua_rawseti(r->L, -2, ++n);
		skip_blanks(r);
		if (r->at < r->end && *r->at == ',')
			r->at++;
		else
			break;
	}
	if (r->at >= r->end || *r->at++ != ']')
		return fail(r, "JSON: a list is not closed");
	return true;
}

static bool read_member(struct reader *r, unsigned depth)
{
	skip_blanks(r);
	if (r->at >= r->end || *r->at++ != '"' || !read_string(r))
		return fail(r, "JSON: a member's name is missing");
	lua_pushvalue(r->L, -1);
	if (lua_rawget(r->L, -4) != LUA_TNIL) /* names seen, null members included */
		return fail(r, "JSON: a name stands twice in an object");
	lua_pop(r->L, 1);
	lua_pushvalue(r->L, -1);
	lua_pushboolean(r->L, 1);
	lua_rawset(r->L, -5);
	skip_blanks(r);
	if (r->at >= r->end || *r->at++ != ':')
		return fail(r, "JSON: a ':' is missing");
	if (!read_value(r, depth + 1))
		return false;
	lua_rawset(r->L, -3);
	skip_blanks(r);
	return true;
}

static bool read_object(struct reader *r, unsigned depth)
{
	lua_createtable(r->L, 0, 0); /* names seen */
	lua_createtable(r->L, 0, 4);
	skip_blanks(r);
	if (r->at < r->end && *r->at == '}') {
		r->at++;
		lua_remove(r->L, -2);
		return true;
	}
	for (;;) {
		if (!read_member(r, depth))
			return false;
		if (r->at < r->end && *r->at == ',')
			r->at++;
		else
			break;
	}
	if (r->at >= r->end || *r->at++ != '}')
		return fail(r, "JSON: an object is not closed");
	lua_remove(r->L, -2);
	return true;
}

static bool read_word(struct reader *r, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(r->end - r->at) < len || memcmp(r->at, word, len) != 0)
		return fail(r, "JSON: a value is missing");
	r->at += len;
	if (*word == 'n')
		lua_pushnil(r->L);
	else
		lua_pushboolean(r->L, *word == 't');
	return true;
}

static bool read_value(struct reader *r, unsigned depth)
{
	if (depth >= JSON_DEPTH_MAX || !lua_checkstack(r->L, 10))
		return fail(r, "JSON: nested too deeply");
	skip_blanks(r);
	if (r->at >= r->end)
		return fail(r, "JSON: a value is missing");
	switch (*r->at) {
	case '{':
		r->at++;
		return read_object(r, depth);
	case '[':
		r->at++;
		return read_array(r, depth);
	case '"':
		r->at++;
		return read_string(r);
	case 't':
		return read_word(r, "true");
	case 'f':
		return read_word(r, "false");
	case 'n':
		return read_word(r, "null");
	default:
		if (*r->at != '-' && (*r->at < '0' || *r->at > '9'))
			return fail(r, "JSON: a value is missing");
		return read_number(r);
	}
}

const char *value_from_json(lua_State *L, struct bytes json, bool numbers_as_text)
{
	struct reader r = { .L = L,
			    .at = json.data,
			    .end = json.data + json.len,
			    .numbers_as_text = numbers_as_text };
	int top = lua_gettop(L);

	if (json.len == 0 || memchr(json.data, 0, json.len) || !utf8_valid(json.data, json.len))
		return "JSON: empty, or not valid UTF-8";
	if (memchr(json.data, '\\', json.len))
		r.text = lua_newuserdatauv(L, json.len, 0);
	if (read_value(&r, 0)) {
		skip_blanks(&r);
		if (r.at != r.end)
			fail(&r, "JSON: more behind the value");
	}
	if (r.why)
		lua_settop(L, top);
	else if (r.text)
		lua_remove(L, top + 1);
	return r.why;
}
