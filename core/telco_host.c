/* telco_host.c - the functions that adapters may call: URLs, JSON, alphabets, numbers, hashes,
 * times.
 *
 * Adapters are pure, so each of these is too: text in, text out, nothing kept.
 * plugins/telco/README.md describes each with shape, errors and an example.  What they build lies
 * in the call's arena or the connection's buffer, so that an error on the way leaks nothing.
 */
#include <lauxlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "gsm7.h"
#include "msisdn.h"
#include "plugin_value.h"
#include "telco_priv.h"
#include "utf8.h"

enum { RESULT_MAX = 512 * 1024, CHARS_MAX = 64 * 1024 };

struct telco_connection *telco_caller(lua_State *L)
{
	return sandbox_owner(L);
}

struct arena *telco_arena(struct telco_connection *connection)
{
	return connection->call ? connection->call->arena : &connection->scratch;
}

static struct bytes check_bytes(lua_State *L, int idx)
{
	struct bytes bytes;

	bytes.data = luaL_checklstring(L, idx, &bytes.len);
	return bytes;
}

static int push_bytes(lua_State *L, struct bytes bytes)
{
	lua_pushlstring(L, bytes.len ? bytes.data : "", bytes.len);
	return 1;
}

/* ---- url ---- */

/* A-Z a-z 0-9 - . _ ~, a bit each. */
static const uint32_t unreserved[8] = { 0, 0x03ff6000, 0x87fffffe, 0x47fffffe, 0, 0, 0, 0 };

static void add_escaped(struct buf *buf, struct bytes text)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t from = 0;

	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.data[i];
		char escape[3] = { '%', hex[c >> 4], hex[c & 15] };

		if (unreserved[c / 32] >> (c % 32) & 1)
			continue;
		buf_add(buf, text.data + from, i - from);
		buf_add(buf, escape, sizeof(escape));
		from = i + 1;
	}
	buf_add(buf, text.data + from, text.len - from);
}

/* url.encode(text) -> text with every byte outside A-Z a-z 0-9 - . _ ~ as %XX      [-0, +1, v] */
static int url_encode(lua_State *L)
{
	struct buf *buf = &telco_caller(L)->buf;
	struct bytes text = check_bytes(L, 1);

	luaL_argcheck(L, text.len <= RESULT_MAX / 3, 1, "too long");
	buf_reset(buf);
	add_escaped(buf, text);
	lua_pushlstring(L, text.len ? buf->data : "", buf->len);
	return 1;
}

/* url.query(name, value, name, value, ...) -> "name=value&..."; a nil value leaves its name out
 *                                                                                  [-0, +1, v] */
static int url_query(lua_State *L)
{
	struct buf *buf = &telco_caller(L)->buf;
	int count = lua_gettop(L);
	size_t total = 0;

	for (int i = 1; i <= count; i++)
		if (!lua_isnil(L, i))
			total += check_bytes(L, i).len;
	luaL_argcheck(L, total <= RESULT_MAX / 3, 1, "too long");
	buf_reset(buf);
	for (int i = 1; i < count; i += 2) {
		if (lua_isnil(L, i + 1))
			continue;
		if (buf->len > 0)
			buf_add(buf, "&", 1);
		add_escaped(buf, check_bytes(L, i));
		buf_add(buf, "=", 1);
		add_escaped(buf, check_bytes(L, i + 1));
	}
	lua_pushlstring(L, buf->len ? buf->data : "", buf->len);
	return 1;
}

/* ---- json ---- */

/* json.encode(value) -> text                                                       [-0, +1, v] */
static int json_encode(lua_State *L)
{
	struct buf *buf = &telco_caller(L)->buf;
	const char *why;

	luaL_checkany(L, 1);
	buf_reset(buf);
	why = value_to_json(L, 1, buf);
	if (why)
		return luaL_error(L, "json.encode: %s", why);
	lua_pushlstring(L, buf->data, buf->len);
	return 1;
}

/* json.decode(text) -> value, or nil and why; numbers come as text            [-0, +1 or 2, v] */
static int json_decode(lua_State *L)
{
	const char *why = value_from_json(L, check_bytes(L, 1), true);

	if (!why)
		return 1;
	lua_pushnil(L);
	lua_pushstring(L, why);
	return 2;
}

/* ---- text ---- */

/* text.from_ucs2(bytes) -> text                                                    [-0, +1, v] */
static int text_from_ucs2(lua_State *L)
{
	return push_bytes(L, utf8_from_utf16be(telco_arena(telco_caller(L)), check_bytes(L, 1)));
}

/* text.from_latin1(bytes) -> text                                                  [-0, +1, v] */
static int text_from_latin1(lua_State *L)
{
	return push_bytes(L, utf8_from_latin1(telco_arena(telco_caller(L)), check_bytes(L, 1)));
}

/* text.from_gsm7(septets) -> text; one septet a byte                               [-0, +1, v] */
static int text_from_gsm7(lua_State *L)
{
	struct bytes septets = check_bytes(L, 1);

	return push_bytes(L, gsm7_decode(telco_arena(telco_caller(L)),
					 (const unsigned char *)septets.data, septets.len));
}

/* text.clean(bytes) -> text; invalid sequences and NUL become U+FFFD               [-0, +1, v] */
static int text_clean(lua_State *L)
{
	bool cut;

	return push_bytes(
		L, utf8_clean(telco_arena(telco_caller(L)), check_bytes(L, 1), CHARS_MAX, &cut));
}

/* text.size(text) -> "gsm7" or "ucs2", units, segments                             [-0, +3, v] */
static int text_size(lua_State *L)
{
	struct bytes text = check_bytes(L, 1);
	struct text_size size;

	luaL_argcheck(L, utf8_valid(text.data, text.len), 1, "not valid UTF-8");
	size = gsm7_size(text, NULL, 0);
	lua_pushstring(L, size.coding == CODING_GSM7 ? "gsm7" : "ucs2");
	lua_pushinteger(L, size.units);
	lua_pushinteger(L, size.segments);
	return 3;
}

static void add_utf16(struct buf *buf, unsigned unit)
{
	char bytes[2] = { (char)(unit >> 8), (char)unit };

	buf_add(buf, bytes, sizeof(bytes));
}

/* text.to_ucs2(text) -> UTF-16BE bytes                                             [-0, +1, v] */
static int text_to_ucs2(lua_State *L)
{
	struct buf *buf = &telco_caller(L)->buf;
	struct bytes text = check_bytes(L, 1);

	luaL_argcheck(L, utf8_valid(text.data, text.len) && text.len <= RESULT_MAX / 2, 1,
		      "not valid UTF-8, or too long");
	buf_reset(buf);
	for (size_t i = 0; i < text.len;) {
		unsigned char lead = (unsigned char)text.data[i++];
		unsigned tail = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : 0;
		unsigned point = tail ? lead & (0x3fu >> tail) : lead;

		for (; tail > 0; tail--)
			point = point << 6 | ((unsigned char)text.data[i++] & 0x3f);
		if (point > 0xffff) {
			add_utf16(buf, 0xd7c0 + (point >> 10));
			add_utf16(buf, 0xdc00 | (point & 0x3ff));
		} else {
			add_utf16(buf, point);
		}
	}
	lua_pushlstring(L, buf->len ? buf->data : "", buf->len);
	return 1;
}

/* ---- number ---- */

/* number.complete(raw [, international]) -> number, kind; or nil, "invalid"        [-0, +2, v] */
static int number_complete(lua_State *L)
{
	static const char *const kinds[] = { [MSISDN_NUMBER] = "number",
					     [MSISDN_SHORT] = "short",
					     [MSISDN_ALNUM] = "alnum",
					     [MSISDN_INVALID] = "invalid" };
	struct telco_connection *connection = telco_caller(L);
	char number[CITIZEN_MAX + 1];
	enum msisdn_kind kind;

	kind = msisdn_complete(check_bytes(L, 1), connection->config.country, lua_toboolean(L, 2),
			       number, sizeof(number));
	if (kind == MSISDN_INVALID)
		lua_pushnil(L);
	else
		lua_pushstring(L, number);
	lua_pushstring(L, kinds[kind]);
	return 2;
}

/* ---- hashes ---- */

/* Pushes bytes in the form that argument idx names: "hex" (default), "base64" or "raw". */
static int push_hash(lua_State *L, int idx, const unsigned char *hash, size_t len)
{
	static const char *const forms[] = { "hex", "base64", "raw", NULL };
	static const char digits[] = "0123456789abcdef";
	char out[2 * EVP_MAX_MD_SIZE + 1];

	switch (luaL_checkoption(L, idx, "hex", forms)) {
	case 0:
		for (size_t i = 0; i < len; i++) {
			out[2 * i] = digits[hash[i] >> 4];
			out[2 * i + 1] = digits[hash[i] & 15];
		}
		lua_pushlstring(L, out, 2 * len);
		return 1;
	case 1:
		lua_pushlstring(L, out,
				(size_t)EVP_EncodeBlock((unsigned char *)out, hash, (int)len));
		return 1;
	default:
		lua_pushlstring(L, (const char *)hash, len);
		return 1;
	}
}

static int hmac(lua_State *L, const EVP_MD *md)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	struct bytes key = check_bytes(L, 1), data = check_bytes(L, 2);
	unsigned len = 0;

	if (!HMAC(md, key.data, (int)key.len, (const unsigned char *)data.data, data.len, hash,
		  &len))
		return luaL_error(L, "this hash is not available");
	return push_hash(L, 3, hash, len);
}

static int digest(lua_State *L, const EVP_MD *md)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	struct bytes data = check_bytes(L, 1);
	unsigned len = 0;

	if (!EVP_Digest(data.data, data.len, hash, &len, md, NULL))
		return luaL_error(L, "this hash is not available");
	return push_hash(L, 2, hash, len);
}

/* hmac.sha256(key, data [, form]) -> text; form is "hex", "base64" or "raw".  sha512, sha1, md5
 * likewise
 *                                                                                  [-0, +1, v] */
static int hmac_sha256(lua_State *L)
{
	return hmac(L, EVP_sha256());
}

static int hmac_sha512(lua_State *L)
{
	return hmac(L, EVP_sha512());
}

static int hmac_sha1(lua_State *L)
{
	return hmac(L, EVP_sha1());
}

static int hmac_md5(lua_State *L)
{
	return hmac(L, EVP_md5());
}

/* digest.sha256(data [, form]) -> text.  sha1, md5 likewise                        [-0, +1, v] */
static int digest_sha256(lua_State *L)
{
	return digest(L, EVP_sha256());
}

static int digest_sha1(lua_State *L)
{
	return digest(L, EVP_sha1());
}

static int digest_md5(lua_State *L)
{
	return digest(L, EVP_md5());
}

/* ---- base64 ---- */

/* base64.encode(bytes) -> text                                                     [-0, +1, v] */
static int base64_encode(lua_State *L)
{
	struct bytes data = check_bytes(L, 1);
	unsigned char *out;

	luaL_argcheck(L, data.len <= RESULT_MAX / 2, 1, "too long");
	out = arena_alloc(telco_arena(telco_caller(L)), (data.len + 2) / 3 * 4 + 1);
	lua_pushlstring(
		L, (char *)out,
		(size_t)EVP_EncodeBlock(out, (const unsigned char *)data.data, (int)data.len));
	return 1;
}

/* 0 to 63, or -1.  Both alphabets of RFC 4648. */
static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

/* base64.decode(text) -> bytes, or nil; both alphabets, with or without padding    [-0, +1, v] */
static int base64_decode(lua_State *L)
{
	struct buf *buf = &telco_caller(L)->buf;
	struct bytes text = check_bytes(L, 1);
	unsigned bits = 0, value = 0;

	while (text.len > 0 && text.data[text.len - 1] == '=')
		text.len--;
	buf_reset(buf);
	for (size_t i = 0; i < text.len && i <= RESULT_MAX; i++) {
		int six = base64_value(text.data[i]);
		char byte;

		if (six < 0)
			return 0;
		value = value << 6 | (unsigned)six;
		bits += 6;
		if (bits < 8)
			continue;
		bits -= 8;
		byte = (char)(value >> bits);
		buf_add(buf, &byte, 1);
	}
	if (text.len % 4 == 1)
		return 0;
	lua_pushlstring(L, buf->len ? buf->data : "", buf->len);
	return 1;
}

/* ---- the rest ---- */

/* equal(a, b) -> whether both are the same text, in a time that doesn't tell where they differ;
 * false for a nil
 *                                                                                  [-0, +1, -] */
static int equal(lua_State *L)
{
	size_t a_len = 0, b_len = 0;
	const char *a = lua_type(L, 1) == LUA_TSTRING ? lua_tolstring(L, 1, &a_len) : NULL;
	const char *b = lua_type(L, 2) == LUA_TSTRING ? lua_tolstring(L, 2, &b_len) : NULL;

	lua_pushboolean(L, a && b && a_len == b_len && CRYPTO_memcmp(a, b, a_len) == 0);
	return 1;
}

/* time.parse(text) -> seconds UTC, or nil                                          [-0, +1, v] */
static int time_parse(lua_State *L)
{
	struct bytes text = check_bytes(L, 1);
	int64_t seconds;

	if (!telco_parse_time(text.data, text.len, &seconds))
		return 0;
	lua_pushinteger(L, seconds);
	return 1;
}

/* status_outcome(status) -> what a status says where the body says nothing         [-0, +1, v] */
static int status_outcome(lua_State *L)
{
	lua_Integer status = luaL_checkinteger(L, 1);
	const char *outcome = "permanent";

	if (status >= 200 && status <= 299)
		outcome = "accepted";
	else if (status < 400)
		outcome = "config"; /* a redirect: the URL in the settings isn't the right one */
	else if (status == 408 || status >= 500)
		outcome = "temporary";
	else if (status == 429)
		outcome = "throttled";
	else if (status == 401 || status == 403)
		outcome = "auth";
	lua_pushstring(L, outcome);
	return 1;
}

struct library {
	const char *name;
	const luaL_Reg *functions;
};

static const luaL_Reg url_functions[] = { { "encode", url_encode },
					  { "query", url_query },
					  { NULL, NULL } };
static const luaL_Reg json_functions[] = { { "encode", json_encode },
					   { "decode", json_decode },
					   { NULL, NULL } };
static const luaL_Reg text_functions[] = { { "from_ucs2", text_from_ucs2 },
					   { "from_latin1", text_from_latin1 },
					   { "from_gsm7", text_from_gsm7 },
					   { "clean", text_clean },
					   { "size", text_size },
					   { "to_ucs2", text_to_ucs2 },
					   { NULL, NULL } };
static const luaL_Reg number_functions[] = { { "complete", number_complete }, { NULL, NULL } };
static const luaL_Reg hmac_functions[] = { { "sha256", hmac_sha256 },
					   { "sha512", hmac_sha512 },
					   { "sha1", hmac_sha1 },
					   { "md5", hmac_md5 },
					   { NULL, NULL } };
static const luaL_Reg digest_functions[] = {
	{ "sha256", digest_sha256 }, { "sha1", digest_sha1 }, { "md5", digest_md5 }, { NULL, NULL }
};
static const luaL_Reg base64_functions[] = { { "encode", base64_encode },
					     { "decode", base64_decode },
					     { NULL, NULL } };
static const luaL_Reg time_functions[] = { { "parse", time_parse }, { NULL, NULL } };
static const struct library libraries[] = {
	{ "url", url_functions },       { "json", json_functions }, { "text", text_functions },
	{ "number", number_functions }, { "hmac", hmac_functions }, { "digest", digest_functions },
	{ "base64", base64_functions }, { "time", time_functions },
};

void telco_provide(lua_State *L, struct sandbox *sandbox)
{
	for (unsigned i = 0; i < ARRAY_LEN(libraries); i++) {
		lua_createtable(L, 0, 6);
		luaL_setfuncs(L, libraries[i].functions, 0);
		sandbox_provide(sandbox, libraries[i].name);
	}
	lua_pushcfunction(L, equal);
	sandbox_provide(sandbox, "equal");
	lua_pushcfunction(L, status_outcome);
	sandbox_provide(sandbox, "status_outcome");
}
