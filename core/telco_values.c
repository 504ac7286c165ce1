/* telco_values.c - calls an adapter's functions and reads what they hand back.
 *
 * These C functions are what the adapter's coroutine runs: pushing and reading happens inside it,
 * so that running out of memory or time there ends the call and not the process.  Each goes on in
 * a continuation, because an error that the adapter's own pcall catches unwinds the C stack
 * beneath it.  What an adapter made is not believed: numbers are completed, ids and names must be
 * clean, text becomes valid UTF-8.
 */
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "gsm7.h"
#include "log.h"
#include "msisdn.h"
#include "plugin_value.h"
#include "telco_priv.h"
#include "utf8.h"

enum {
	MESSAGES_MAX = 1000, /* of one request */
	ADDRESS_MAX = 63,
	META_MAX = 2048,
	WHY_MAX = 100,
	URL_MAX = 64 * 1024,
	BODY_MAX = 1 << 20,
	HEADERS_MAX = 32,
};

/* One message or report being read. */
struct reading {
	lua_State *L;
	struct telco_connection *connection;
	struct telco_call *call;
	int keys, table; /* indexes */
	const char *bad; /* why it can't be taken, or NULL */
};

static void push_function(lua_State *L, const struct telco_connection *connection,
			  enum telco_function function)
{
	lua_rawgeti(L, LUA_REGISTRYINDEX, connection->function[function]);
}

static void push_settings(lua_State *L, const struct telco_connection *connection)
{
	lua_rawgeti(L, LUA_REGISTRYINDEX, connection->settings);
	lua_rawgeti(L, LUA_REGISTRYINDEX, connection->about);
}

bool telco_plain(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return false;
	return utf8_valid(text, len);
}

static const char *copy_text(struct telco_call *call, const char *text, size_t len)
{
	return len > 0 ? arena_memdup(call->arena, text, len) : "";
}

/* A reason for the log; never input. */
static const char *copy_why(lua_State *L, int idx, struct telco_call *call)
{
	size_t len;
	const char *why;

	if (lua_type(L, idx) != LUA_TSTRING)
		return "";
	why = lua_tolstring(L, idx, &len);
	return telco_plain(why, len) ? copy_text(call, why, len < WHY_MAX ? len : WHY_MAX) : "";
}

/* ---- fields of a table that came back ---- */

static int push_key_field(struct reading *reading, enum telco_key key)
{
	lua_rawgeti(reading->L, reading->keys, key);
	return lua_rawget(reading->L, reading->table);
}

/* A telco may put anything where the adapter expects a text, so this refuses the request and is
 * no fault of the adapter. */
static void bad_field(struct reading *reading, enum telco_key key, const char *what)
{
	lua_rawgeti(reading->L, reading->keys, key);
	reading->bad = arena_printf(reading->call->arena, "field %s %s",
				    lua_tostring(reading->L, -1), what);
	lua_pop(reading->L, 1);
}

/* The field's bytes as Lua keeps them, valid while it stays on the stack; leaves it there.
 * Numbers count as text. */
static struct bytes field_bytes(struct reading *reading, enum telco_key key)
{
	struct bytes value = { "", 0 };
	int type = push_key_field(reading, key);

	if (type == LUA_TSTRING || type == LUA_TNUMBER)
		value.data = lua_tolstring(reading->L, -1, &value.len);
	else if (type != LUA_TNIL)
		bad_field(reading, key, "is not text");
	return value;
}

/* A short clean text: ids, addresses, names. */
static const char *field_plain(struct reading *reading, enum telco_key key, size_t max,
			       const char *bad)
{
	struct bytes value = field_bytes(reading, key);
	const char *copy = "";

	if (value.len > max || !telco_plain(value.data, value.len))
		reading->bad = bad;
	else
		copy = copy_text(reading->call, value.data, value.len);
	lua_pop(reading->L, 1);
	return copy;
}

static bool field_boolean(struct reading *reading, enum telco_key key)
{
	bool yes;

	push_key_field(reading, key);
	yes = lua_toboolean(reading->L, -1);
	lua_pop(reading->L, 1);
	return yes;
}

static lua_Integer field_integer(struct reading *reading, enum telco_key key)
{
	lua_Integer value;
	int type = push_key_field(reading, key), whole;

	value = lua_tointegerx(reading->L, -1, &whole);
	if (type != LUA_TNIL && !whole)
		bad_field(reading, key, "is not a whole number");
	lua_pop(reading->L, 1);
	return value;
}

/* ---- messages ---- */

/* 32 hexadecimal digits of SHA-256: for what is too long or too wild to be a key. */
static const char *hashed(struct reading *reading, const char *prefix, struct bytes value)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	struct buf *buf = &reading->connection->buf;

	EVP_Digest(value.data, value.len, hash, NULL, EVP_sha256(), NULL);
	buf_reset(buf);
	buf_addf(buf, "%s#", prefix);
	for (int i = 0; i < 16; i++)
		buf_addf(buf, "%02x", hash[i]);
	return copy_text(reading->call, buf->data, buf->len);
}

static void read_id(struct reading *reading, struct inbound *message)
{
	struct bytes id = field_bytes(reading, KEY_ID);

	message->provider_id = "";
	if (id.len > 0 && !telco_plain(id.data, id.len))
		reading->bad = "the telco's id is not clean text";
	else if (id.len > PROVIDER_ID_MAX)
		message->provider_id = hashed(reading, "", id);
	else
		message->provider_id = copy_text(reading->call, id.data, id.len);
	lua_pop(reading->L, 1);
}

static bool token_ok(struct bytes token)
{
	for (size_t i = 0; i < token.len; i++)
		if (token.data[i] <= ' ' || token.data[i] > '~')
			return false;
	return token.len > 0 && token.len <= CITIZEN_MAX - 4;
}

static void read_token(struct reading *reading, struct inbound *message, struct bytes token)
{
	message->sender = SENDER_TOKEN;
	message->from = "";
	if (token_ok(token))
		message->from = arena_printf(reading->call->arena, "ext:%.*s", (int)token.len,
					     token.data);
	else
		reading->bad = "the sender's token can't be one";
}

static void read_sender(struct reading *reading, struct inbound *message)
{
	char number[CITIZEN_MAX + 1];
	struct bytes raw = field_bytes(reading, KEY_TOKEN);

	if (raw.len > 0) {
		read_token(reading, message, raw);
		lua_pop(reading->L, 1);
		return;
	}
	raw = field_bytes(reading, KEY_FROM);
	message->from = "";
	if (raw.len == 0 || memchr(raw.data, '\0', raw.len)) {
		reading->bad = raw.len == 0 ? "there is no sender" : "the sender is not a number";
		lua_pop(reading->L, 2);
		return;
	}
	switch (msisdn_complete(raw, reading->connection->config.country, false, number,
				sizeof(number))) {
	case MSISDN_NUMBER:
		message->sender = SENDER_NUMBER;
		break;
	case MSISDN_SHORT:
		message->sender = SENDER_SHORT;
		break;
	case MSISDN_ALNUM:
		message->sender = SENDER_ALNUM;
		break;
	case MSISDN_INVALID:
		reading->bad = "the sender is not a number";
	}
	message->from = copy_text(reading->call, number, strlen(number));
	lua_pop(reading->L, 2);
}

/* Our own address as received, without "tel:" and the blanks around it. */
static void read_recipient(struct reading *reading, struct inbound *message)
{
	const char *to = field_plain(reading, KEY_TO, ADDRESS_MAX,
				     "the recipient is not an address");
	size_t len;

	to += strspn(to, " ");
	if (strncasecmp(to, "tel:", 4) == 0)
		to += 4;
	len = strlen(to);
	while (len > 0 && to[len - 1] == ' ')
		len--;
	message->to = copy_text(reading->call, to, len);
}

static void read_part(struct reading *reading, struct inbound *message)
{
	lua_Integer total = field_integer(reading, KEY_PART_TOTAL);
	lua_Integer number = total > 1 ? field_integer(reading, KEY_PART_NUMBER) : 0;
	lua_Integer ref = total > 1 ? field_integer(reading, KEY_PART_REF) : 0;

	if (total <= 1)
		return;
	if (total > 255 || number < 1 || number > total || ref < 0 || ref > UINT32_MAX) {
		reading->bad = "the number of a part can't be";
		return;
	}
	message->part_total = (unsigned)total;
	message->part_number = (unsigned)number;
	message->part_ref = (unsigned)ref;
}

static struct bytes decode_text(struct reading *reading, struct bytes raw, const char *coding)
{
	struct arena *arena = reading->call->arena;

	if (strcmp(coding, "ucs2") == 0)
		return utf8_from_utf16be(arena, raw);
	if (strcmp(coding, "latin1") == 0)
		return utf8_from_latin1(arena, raw);
	if (strcmp(coding, "gsm7") == 0)
		return gsm7_decode(arena, (const unsigned char *)raw.data, raw.len);
	if (coding[0] && strcmp(coding, "utf8") != 0)
		bad_field(reading, KEY_CODING, "is not utf8, ucs2, latin1 or gsm7");
	return raw;
}

static void read_text(struct reading *reading, struct inbound *message)
{
	struct bytes raw = field_bytes(reading, KEY_TEXT);
	struct bytes coding = field_bytes(reading, KEY_CODING);
	bool cut = false, mended = false;

	if (message->part_total > 1 && strcmp(coding.data, "ucs2") == 0) {
		/* A character may be cut between two parts: the bytes are joined first. */
		message->part_coding = PART_UCS2;
		message->text = arena_bytes(reading->call->arena, raw.data, raw.len);
	} else {
		raw = decode_text(reading, raw, coding.data);
		message->text = utf8_clean(reading->call->arena, raw, TEXT_MAX, &cut);
		mended = !cut && (message->text.len != raw.len ||
				  memcmp(message->text.data, raw.data, raw.len) != 0);
	}
	lua_pop(reading->L, 2);
	if (mended)
		log_event(LOG_INFO, "telco.text_mended", "sconnection", message->connection,
			  "ncitizen", message->from, "swhat",
			  "NUL bytes or invalid sequences became replacement characters", NULL);
	if (cut)
		log_event(LOG_WARN, "telco.text_cut", "sconnection", message->connection,
			  "ncitizen", message->from, NULL);
}

static void read_time(struct reading *reading, struct inbound *message)
{
	struct bytes raw = field_bytes(reading, KEY_TIME);

	message->time_is_telcos = telco_parse_time(raw.data, raw.len, &message->time) &&
				  message->time > 0;
	if (!message->time_is_telcos)
		message->time = reading->call->now;
	lua_pop(reading->L, 1);
}

static void read_meta(struct reading *reading, struct inbound *message)
{
	struct buf *buf = &reading->connection->buf;
	const char *why;

	message->meta = "";
	if (push_key_field(reading, KEY_META) == LUA_TTABLE) {
		buf_reset(buf);
		why = value_to_json(reading->L, -1, buf);
		if (why || buf->len > META_MAX)
			reading->bad = "what a reply needs can't be kept";
		else
			message->meta = copy_text(reading->call, buf->data, buf->len);
	}
	lua_pop(reading->L, 1);
}

static enum ussd_event read_event(struct reading *reading)
{
	struct bytes event = field_bytes(reading, KEY_EVENT);
	enum ussd_event result = USSD_INPUT;

	if (strcmp(event.data, "start") == 0)
		result = USSD_START;
	else if (strcmp(event.data, "end") == 0)
		result = USSD_END;
	else if (strcmp(event.data, "input") != 0)
		bad_field(reading, KEY_EVENT, "is not start, input or end");
	lua_pop(reading->L, 1);
	return result;
}

/* The session and what tells its steps apart name a request: a repeat has the same. */
static void read_step(struct reading *reading, struct inbound *message)
{
	struct bytes step = field_bytes(reading, KEY_STEP);

	if (message->ussd == USSD_END)
		message->provider_id = arena_printf(reading->call->arena, "%s#end",
						    message->session);
	else if (strlen(message->session) + 1 + step.len <= PROVIDER_ID_MAX &&
		 telco_plain(step.data, step.len))
		message->provider_id = arena_printf(reading->call->arena, "%s/%.*s",
						    message->session, (int)step.len, step.data);
	else
		message->provider_id = hashed(reading, message->session, step);
	lua_pop(reading->L, 1);
}

static void read_session(struct reading *reading, struct inbound *message)
{
	message->session = field_plain(reading, KEY_SESSION, 80, "the session's id can't be one");
	if (!message->session[0] && !reading->bad)
		reading->bad = "there is no session";
	message->ussd = read_event(reading);
	message->cumulative = field_boolean(reading, KEY_CUMULATIVE);
	read_step(reading, message);
}

static void read_message(struct reading *reading, struct inbound *message)
{
	message->connection = reading->connection->config.name;
	message->channel = reading->call->kind == TELCO_USSD ? CHANNEL_USSD : CHANNEL_SMS;
	message->session = "";
	message->provider_id = "";
	if (message->channel == CHANNEL_USSD)
		read_session(reading, message);
	else
		read_id(reading, message);
	read_sender(reading, message);
	read_recipient(reading, message);
	read_part(reading, message);
	read_text(reading, message);
	read_time(reading, message);
	message->network = field_plain(reading, KEY_NETWORK, ADDRESS_MAX, reading->bad);
	read_meta(reading, message);
}

/* ---- reports ---- */

static enum report_status read_status(struct reading *reading)
{
	static const char *const names[] = {
		[REPORT_QUEUED] = "queued",       [REPORT_SENT] = "sent",
		[REPORT_DELIVERED] = "delivered", [REPORT_FAILED] = "failed",
		[REPORT_EXPIRED] = "expired",     [REPORT_REJECTED] = "rejected",
		[REPORT_UNKNOWN] = "unknown",
	};
	struct bytes status = field_bytes(reading, KEY_STATUS);
	int found = -1;

	for (unsigned i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(status.data, names[i]) == 0)
			found = (int)i;
	if (found < 0)
		bad_field(reading, KEY_STATUS, "is not a status");
	lua_pop(reading->L, 1);
	return found < 0 ? REPORT_UNKNOWN : (enum report_status)found;
}

static void read_report(struct reading *reading, struct report *report)
{
	report->connection = reading->connection->config.name;
	report->ref = field_plain(reading, KEY_REF, PROVIDER_ID_MAX,
				  "the id in a receipt can't be one");
	if (!report->ref[0] && !reading->bad)
		reading->bad = "there is no id in the receipt";
	report->own_id = field_boolean(reading, KEY_OWN_ID);
	report->status = read_status(reading);
	report->code = field_plain(reading, KEY_CODE, ADDRESS_MAX, reading->bad);
	report->opted_out = field_boolean(reading, KEY_OPTED_OUT);
}

/* ---- decode ---- */

static void read_one(struct reading *reading, struct telco_events *events, unsigned i)
{
	if (reading->call->kind == TELCO_RECEIPT)
		read_report(reading, &events->reports[i]);
	else
		read_message(reading, &events->messages[i]);
}

/* The table at idx: one message or report, or an array of them. */
static void read_events(lua_State *L, struct telco_connection *connection, int idx)
{
	struct telco_call *call = connection->call;
	struct telco_events *events = call->events;
	struct reading reading = { .L = L, .connection = connection, .call = call };
	bool many = lua_rawgeti(L, idx, 1) != LUA_TNIL;
	lua_Unsigned count = many ? lua_rawlen(L, idx) : 1;

	luaL_argcheck(L, count <= MESSAGES_MAX, 1, "too many messages");
	lua_rawgeti(L, LUA_REGISTRYINDEX, connection->keys);
	reading.keys = lua_gettop(L);
	reading.table = idx;
	if (call->kind == TELCO_RECEIPT)
		events->reports = arena_alloc(call->arena, count * sizeof(*events->reports));
	else
		events->messages = arena_alloc(call->arena, count * sizeof(*events->messages));
	for (unsigned i = 0; i < count && !reading.bad; i++) {
		if (many) {
			if (lua_rawgeti(L, idx, (lua_Integer)i + 1) != LUA_TTABLE)
				luaL_error(L, "entry %d of the array must be a table", (int)i + 1);
			reading.table = lua_gettop(L);
		}
		read_one(&reading, events, i);
		lua_settop(L, reading.keys);
	}
	events->verdict = reading.bad ? TELCO_BAD : TELCO_TAKE;
	events->why = reading.bad ? reading.bad : "";
	*(call->kind == TELCO_RECEIPT ? &events->report_count
				      : &events->message_count) = reading.bad ? 0 : (unsigned)count;
}

/* inbound's results lie at 1 and 2. */
static int decode_read(lua_State *L, int status UNUSED, lua_KContext context UNUSED)
{
	struct telco_connection *connection = telco_caller(L);
	struct telco_call *call = connection->call;

	if (lua_type(L, 1) == LUA_TTABLE) {
		read_events(L, connection, 1);
		return 0;
	}
	if (lua_type(L, 1) != LUA_TSTRING)
		return luaL_error(L, "an inbound function must return a table, or \"ignore\" or "
				     "\"bad\" with a reason");
	if (strcmp(lua_tostring(L, 1), "ignore") == 0)
		call->events->verdict = TELCO_IGNORE;
	else if (strcmp(lua_tostring(L, 1), "bad") == 0)
		call->events->verdict = TELCO_BAD;
	else
		return luaL_error(L, "an inbound function returned a word that is neither "
				     "\"ignore\" nor \"bad\"");
	call->events->why = copy_why(L, 2, call);
	return 0;
}

/* verify's results lie at 1 and 2. */
static int decode_verified(lua_State *L, int status UNUSED, lua_KContext context UNUSED)
{
	struct telco_connection *connection = telco_caller(L);
	struct telco_call *call = connection->call;

	if (lua_type(L, 1) != LUA_TBOOLEAN || !lua_toboolean(L, 1)) {
		call->events->verdict = TELCO_UNAUTHORIZED;
		call->events->why = copy_why(L, 2, call);
		return 0;
	}
	lua_settop(L, 0);
	push_function(L, connection, TELCO_INBOUND + call->kind);
	lua_rawgeti(L, LUA_REGISTRYINDEX, connection->view[VIEW_REQUEST]);
	push_settings(L, connection);
	lua_callk(L, 3, 2, 0, decode_read);
	return decode_read(L, LUA_OK, 0);
}

int telco_run_decode(lua_State *L)
{
	struct telco_connection *connection = telco_caller(L);

	push_function(L, connection, TELCO_VERIFY);
	lua_rawgeti(L, LUA_REGISTRYINDEX, connection->view[VIEW_REQUEST]);
	push_settings(L, connection);
	lua_callk(L, 3, 2, 0, decode_verified);
	return decode_verified(L, LUA_OK, 0);
}

/* ---- what is sent: a body and headers ---- */

static struct bytes copy_body(lua_State *L, int idx, struct telco_call *call)
{
	struct bytes body = { "", 0 };

	if (lua_isnoneornil(L, idx))
		return body;
	if (lua_type(L, idx) != LUA_TSTRING)
		luaL_error(L, "the body must be text, not a %s", luaL_typename(L, idx));
	body.data = lua_tolstring(L, idx, &body.len);
	if (body.len > BODY_MAX)
		luaL_error(L, "the body is too large");
	return arena_bytes(call->arena, body.data, body.len);
}

static bool token_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_';
}

static bool header_ok(struct bytes name, struct bytes value)
{
	for (size_t i = 0; i < name.len; i++)
		if (!token_char(name.data[i]))
			return false;
	return name.len > 0 && telco_plain(value.data, value.len);
}

/* Content-Type goes to *type where type is not NULL. */
static void copy_headers(lua_State *L, int idx, struct telco_call *call, struct http_fields *out,
			 const char **type)
{
	if (lua_isnoneornil(L, idx))
		return;
	if (lua_type(L, idx) != LUA_TTABLE)
		luaL_error(L, "the headers must be a table of names and texts");
	out->items = arena_alloc(call->arena, HEADERS_MAX * sizeof(*out->items));
	for (lua_pushnil(L); lua_next(L, idx); lua_pop(L, 1)) {
		struct bytes name, value;

		if (lua_type(L, -2) != LUA_TSTRING || lua_type(L, -1) != LUA_TSTRING)
			luaL_error(L, "the headers must be a table of names and texts");
		name.data = lua_tolstring(L, -2, &name.len);
		value.data = lua_tolstring(L, -1, &value.len);
		if (!header_ok(name, value) || out->count == HEADERS_MAX)
			luaL_error(L, "a header's name or value can't be one");
		if (type && strcasecmp(name.data, "content-type") == 0) {
			*type = copy_text(call, value.data, value.len);
			continue;
		}
		out->items[out->count].name = copy_text(call, name.data, name.len);
		out->items[out->count++].value = arena_bytes(call->arena, value.data, value.len);
	}
}

/* status, headers and body lie at 1 to 3. */
static int answer_read(lua_State *L, int resumed UNUSED, lua_KContext context UNUSED)
{
	struct telco_call *call = telco_caller(L)->call;
	struct http_response *response = call->response;
	lua_Integer status = luaL_checkinteger(L, 1);

	luaL_argcheck(L, status >= 200 && status <= 599, 1, "the status must be from 200 to 599");
	response->status = (int)status;
	copy_headers(L, 2, call, &response->headers, &response->content_type);
	response->body = copy_body(L, 3, call);
	return 0;
}

int telco_run_answer(lua_State *L)
{
	struct telco_connection *connection = telco_caller(L);
	struct telco_call *call = connection->call;

	push_function(L, connection, TELCO_ANSWER + call->kind);
	if (call->screen)
		lua_pushlstring(L, call->screen->len ? call->screen->data : "", call->screen->len);
	else
		lua_pushnil(L);
	lua_pushboolean(L, call->more);
	lua_rawgeti(L, LUA_REGISTRYINDEX, connection->view[VIEW_REQUEST]);
	push_settings(L, connection);
	lua_callk(L, 5, 3, 0, answer_read);
	return answer_read(L, LUA_OK, 0);
}

static bool url_ok(struct bytes url)
{
	size_t scheme = strncmp(url.data, "https://", 8) == 0  ? 8
			: strncmp(url.data, "http://", 7) == 0 ? 7
							       : 0;

	for (size_t i = 0; i < url.len; i++)
		if (url.data[i] <= ' ' || url.data[i] > '~')
			return false;
	return scheme > 0 && url.len > scheme && url.len <= URL_MAX;
}

/* method, url, headers and body lie at 1 to 4; or nil and why. */
static int encode_read(lua_State *L, int status UNUSED, lua_KContext context UNUSED)
{
	struct telco_call *call = telco_caller(L)->call;
	struct bytes url;

	if (lua_type(L, 1) == LUA_TNIL) {
		call->refused = copy_why(L, 2, call);
		return 0;
	}
	if (lua_type(L, 1) != LUA_TSTRING || lua_type(L, 2) != LUA_TSTRING)
		return luaL_error(
			L,
			"outbound must return method, url, headers and body, or nil and a reason");
	url.data = lua_tolstring(L, 2, &url.len);
	luaL_argcheck(L,
		      strcmp(lua_tostring(L, 1), "GET") == 0 ||
			      strcmp(lua_tostring(L, 1), "POST") == 0,
		      1, "the method must be GET or POST");
	luaL_argcheck(L, url_ok(url), 2, "not a URL that can be called");
	call->http->method = lua_tostring(L, 1)[0] == 'G' ? "GET" : "POST";
	call->http->url = copy_text(call, url.data, url.len);
	call->http->https_only = strncmp(url.data, "https://", 8) == 0;
	copy_headers(L, 3, call, &call->http->headers, NULL);
	call->http->body = copy_body(L, 4, call);
	return 0;
}

int telco_run_encode(lua_State *L)
{
	struct telco_connection *connection = telco_caller(L);

	if (connection->function[TELCO_OUTBOUND] == LUA_NOREF) {
		connection->call->refused = "this telco has no way to send a message";
		return 0;
	}
	push_function(L, connection, TELCO_OUTBOUND);
	lua_rawgeti(L, LUA_REGISTRYINDEX, connection->view[VIEW_MESSAGE]);
	push_settings(L, connection);
	lua_callk(L, 3, 4, 0, encode_read);
	return encode_read(L, LUA_OK, 0);
}

/* ---- outcome ---- */

static enum telco_outcome_kind outcome_kind(lua_State *L, int idx)
{
	static const char *const names[] = {
		[OUTCOME_ACCEPTED] = "accepted",
		[OUTCOME_PARTIAL] = "partial",
		[OUTCOME_PERMANENT] = "permanent",
		[OUTCOME_TEMPORARY] = "temporary",
		[OUTCOME_THROTTLED] = "throttled",
		[OUTCOME_INSUFFICIENT_FUNDS] = "insufficient_funds",
		[OUTCOME_AUTH] = "auth",
		[OUTCOME_CONFIG] = "config",
		[OUTCOME_UNKNOWN] = "unknown",
	};
	const char *name = lua_type(L, idx) == LUA_TSTRING ? lua_tostring(L, idx) : "";

	for (unsigned i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(name, names[i]) == 0)
			return (enum telco_outcome_kind)i;
	luaL_error(L, "outcome must return accepted, partial, permanent, temporary, throttled, "
		      "insufficient_funds, auth, config or "
		      "unknown");
	return OUTCOME_UNKNOWN;
}

/* The word lies at 1, details at 2. */
static int outcome_read(lua_State *L, int status UNUSED, lua_KContext context UNUSED)
{
	struct telco_connection *connection = telco_caller(L);
	struct telco_call *call = connection->call;
	struct reading reading = {
		.L = L, .connection = connection, .call = call, .table = 2, .keys = 3
	};

	call->outcome->kind = outcome_kind(L, 1);
	if (lua_isnil(L, 2))
		return 0;
	luaL_argcheck(L, lua_type(L, 2) == LUA_TTABLE, 2, "the details must be a table");
	lua_rawgeti(L, LUA_REGISTRYINDEX, connection->keys);
	call->outcome->provider_id = field_plain(&reading, KEY_PROVIDER_ID, PROVIDER_ID_MAX, NULL);
	call->outcome->code = field_plain(&reading, KEY_CODE, ADDRESS_MAX, NULL);
	call->outcome->retry_after_ms = field_integer(&reading, KEY_RETRY_AFTER_MS);
	call->outcome->opted_out = field_boolean(&reading, KEY_OPTED_OUT);
	return 0;
}

int telco_run_outcome(lua_State *L)
{
	struct telco_connection *connection = telco_caller(L);

	if (connection->function[TELCO_OUTCOME] == LUA_NOREF)
		return 0;
	push_function(L, connection, TELCO_OUTCOME);
	lua_rawgeti(L, LUA_REGISTRYINDEX, connection->view[VIEW_RESPONSE]);
	push_settings(L, connection);
	lua_callk(L, 3, 2, 0, outcome_read);
	return outcome_read(L, LUA_OK, 0);
}
