/* telco_view.c - requests, messages and answers as adapters see them.
 *
 * A view is one userdata for a connection, made once; it shows whatever call is in work, and each
 * field becomes a Lua value when it is asked for.  A Kannel request has a dozen query items, as
 * many headers and a body: making tables of all that for each message would cost more than the
 * adapter itself.  Outside of a call a view shows nothing.
 */
#include <lauxlib.h>
#include <string.h>

#include "gsm7.h"
#include "plugin_value.h"
#include "telco_priv.h"

enum field {
	FIELD_NONE,
	FIELD_METHOD,
	FIELD_PATH,
	FIELD_QUERY,
	FIELD_FORM,
	FIELD_HEADERS,
	FIELD_BODY,
	FIELD_JSON,
	FIELD_PEER,
	FIELD_NOW,
	FIELD_KEY,
	FIELD_ID,
	FIELD_TO,
	FIELD_TOKEN,
	FIELD_FROM,
	FIELD_TEXT,
	FIELD_CODING,
	FIELD_SEGMENTS,
	FIELD_META,
	FIELD_VALIDITY,
	FIELD_STATUS,
};

struct field_row {
	const char *name;
	enum field field;
};
static const struct field_row request_fields[] = {
	{ "method", FIELD_METHOD }, { "path", FIELD_PATH },       { "query", FIELD_QUERY },
	{ "form", FIELD_FORM },     { "headers", FIELD_HEADERS }, { "body", FIELD_BODY },
	{ "json", FIELD_JSON },     { "peer", FIELD_PEER },       { "now", FIELD_NOW },
	{ "key", FIELD_KEY },       { NULL, FIELD_NONE },
};
static const struct field_row message_fields[] = {
	{ "id", FIELD_ID },
	{ "to", FIELD_TO },
	{ "token", FIELD_TOKEN },
	{ "from", FIELD_FROM },
	{ "text", FIELD_TEXT },
	{ "coding", FIELD_CODING },
	{ "segments", FIELD_SEGMENTS },
	{ "meta", FIELD_META },
	{ "now", FIELD_NOW },
	{ "validity", FIELD_VALIDITY },
	{ NULL, FIELD_NONE },
};
static const struct field_row response_fields[] = {
	{ "status", FIELD_STATUS }, { "headers", FIELD_HEADERS }, { "body", FIELD_BODY },
	{ "json", FIELD_JSON },     { NULL, FIELD_NONE },
};

static const char *const key_names[KEY_COUNT] = {
	[KEY_ID] = "id",
	[KEY_FROM] = "from",
	[KEY_TOKEN] = "token",
	[KEY_TO] = "to",
	[KEY_TEXT] = "text",
	[KEY_TIME] = "time",
	[KEY_NETWORK] = "network",
	[KEY_META] = "meta",
	[KEY_CODING] = "coding",
	[KEY_PART_REF] = "part_ref",
	[KEY_PART_TOTAL] = "part_total",
	[KEY_PART_NUMBER] = "part_number",
	[KEY_SESSION] = "session",
	[KEY_STEP] = "step",
	[KEY_EVENT] = "event",
	[KEY_CUMULATIVE] = "cumulative",
	[KEY_REF] = "ref",
	[KEY_OWN_ID] = "own_id",
	[KEY_STATUS] = "status",
	[KEY_CODE] = "code",
	[KEY_OPTED_OUT] = "opted_out",
	[KEY_PROVIDER_ID] = "provider_id",
	[KEY_RETRY_AFTER_MS] = "retry_after_ms",
};

/* In each view's functions the connection is upvalue 1 and the table name -> enum field upvalue
 * 2. */
static struct telco_connection *view_connection(lua_State *L)
{
	struct telco_connection *connection = lua_touserdata(L, lua_upvalueindex(1));

	if (!connection->call)
		luaL_error(L, "the call that this belongs to is over");
	return connection;
}

static enum field view_field(lua_State *L)
{
	lua_pushvalue(L, 2);
	lua_rawget(L, lua_upvalueindex(2));
	return (enum field)lua_tointeger(L, -1);
}

static int push_bytes(lua_State *L, struct bytes bytes)
{
	lua_pushlstring(L, bytes.len ? bytes.data : "", bytes.len);
	return 1;
}

static int push_view(lua_State *L, const struct telco_connection *connection, enum telco_view view)
{
	lua_rawgeti(L, LUA_REGISTRYINDEX, connection->view[view]);
	return 1;
}

/* The body as a value, parsed once a call; nil where it isn't JSON. Numbers come as text, as they
 * were written. */
static int push_json(lua_State *L, struct telco_call *call, struct bytes body)
{
	if (call->json_ready) {
		lua_getiuservalue(L, 1, 1);
		return 1;
	}
	if (value_from_json(L, body, true) != NULL)
		lua_pushnil(L);
	lua_pushvalue(L, -1);
	lua_setiuservalue(L, 1, 1);
	call->json_ready = true;
	return 1;
}

/* A secret in the URL: the query's `key`, or what follows /telco/<connection>/<kind>/ in the
 * path. */
static int push_key(lua_State *L, const struct http_request *request)
{
	const struct http_field *key = http_field(&request->query, "key", false);
	const char *at = request->path;

	if (key)
		return push_bytes(L, key->value);
	for (int slashes = 0; slashes < 4; slashes++) {
		at = strchr(at, '/');
		if (!at)
			return 0;
		at++;
	}
	lua_pushstring(L, at);
	return 1;
}

static int request_index(lua_State *L)
{
	struct telco_connection *connection = view_connection(L);
	struct telco_call *call = connection->call;
	const struct http_request *request = call->request;

	if (!request)
		return luaL_error(L, "there is no request in this call");
	switch (view_field(L)) {
	case FIELD_METHOD:
		lua_pushstring(L, request->method == HTTP_POST   ? "POST"
				  : request->method == HTTP_HEAD ? "HEAD"
								 : "GET");
		return 1;
	case FIELD_PATH:
		lua_pushstring(L, request->path);
		return 1;
	case FIELD_QUERY:
		return push_view(L, connection, VIEW_QUERY);
	case FIELD_FORM:
		return push_view(L, connection, VIEW_FORM);
	case FIELD_HEADERS:
		return push_view(L, connection, VIEW_HEADERS);
	case FIELD_BODY:
		return push_bytes(L, request->body);
	case FIELD_JSON:
		return push_json(L, call, request->body);
	case FIELD_PEER:
		lua_pushstring(L, request->peer);
		return 1;
	case FIELD_NOW:
		lua_pushinteger(L, call->now);
		return 1;
	case FIELD_KEY:
		return push_key(L, request);
	default:
		return luaL_error(L, "a request has no such field");
	}
}

static void push_citizen(lua_State *L, const char *citizen, bool token)
{
	lua_pushstring(L, token ? citizen + 4 : citizen);
}

static int push_meta(lua_State *L, const struct outbound *message)
{
	const char *meta = message->meta ? message->meta : "";

	if (meta[0] && value_from_json(L, (struct bytes){ meta, strlen(meta) }, true) == NULL)
		return 1;
	lua_createtable(L, 0, 0);
	return 1;
}

static int message_index(lua_State *L)
{
	struct telco_call *call = view_connection(L)->call;
	const struct outbound *message = call->message;
	char id[ID_TEXT_SIZE];
	bool token;

	if (!message)
		return luaL_error(L, "there is no message in this call");
	token = strncmp(message->citizen, "ext:", 4) == 0;
	switch (view_field(L)) {
	case FIELD_ID:
		id_format(message->id, id);
		lua_pushlstring(L, id, ID_TEXT_SIZE - 1);
		return 1;
	case FIELD_TO:
		push_citizen(L, message->citizen, token);
		return 1;
	case FIELD_TOKEN:
		lua_pushboolean(L, token);
		return 1;
	case FIELD_FROM:
		if (!message->from || !message->from[0])
			return 0;
		lua_pushstring(L, message->from);
		return 1;
	case FIELD_TEXT:
		return push_bytes(L, call->text);
	case FIELD_CODING:
		lua_pushstring(L, gsm7_size(call->text, NULL, 0).coding == CODING_GSM7 ? "gsm7"
										       : "ucs2");
		return 1;
	case FIELD_SEGMENTS:
		lua_pushinteger(L, gsm7_size(call->text, NULL, 0).segments);
		return 1;
	case FIELD_META:
		return push_meta(L, message);
	case FIELD_NOW:
		lua_pushinteger(L, call->now);
		return 1;
	case FIELD_VALIDITY:
		lua_pushinteger(L, message->expires > call->now ? message->expires - call->now : 0);
		return 1;
	default:
		return luaL_error(L, "a message has no such field");
	}
}

static int response_index(lua_State *L)
{
	struct telco_connection *connection = view_connection(L);
	const struct http_result *result = connection->call->result;

	if (!result)
		return luaL_error(L, "there is no answer in this call");
	switch (view_field(L)) {
	case FIELD_STATUS:
		lua_pushinteger(L, result->status);
		return 1;
	case FIELD_HEADERS:
		return push_view(L, connection, VIEW_RESPONSE_HEADERS);
	case FIELD_BODY:
		return push_bytes(L, result->body);
	case FIELD_JSON:
		return push_json(L, connection->call, result->body);
	default:
		return luaL_error(L, "an answer has no such field");
	}
}

/* ---- query, form and headers ---- */

static const struct http_fields no_fields;

static const struct http_fields *view_fields(const struct telco_call *call, enum telco_view view)
{
	if (view == VIEW_RESPONSE_HEADERS)
		return call->result ? &call->result->headers : &no_fields;
	if (!call->request)
		return &no_fields;
	if (view == VIEW_FORM)
		return &call->form;
	return view == VIEW_QUERY ? &call->request->query : &call->request->headers;
}

static int fields_index(lua_State *L)
{
	enum telco_view view = (enum telco_view)lua_tointeger(L, lua_upvalueindex(2));
	const struct http_fields *fields = view_fields(view_connection(L)->call, view);
	bool headers = view == VIEW_HEADERS || view == VIEW_RESPONSE_HEADERS;
	const struct http_field *field;

	if (lua_type(L, 2) != LUA_TSTRING)
		return 0;
	field = http_field(fields, lua_tostring(L, 2), headers);
	return field ? push_bytes(L, field->value) : 0;
}

/* request.form() -> all of them as a table, for signatures over every field. */
static int fields_call(lua_State *L)
{
	enum telco_view view = (enum telco_view)lua_tointeger(L, lua_upvalueindex(2));
	const struct http_fields *fields = view_fields(view_connection(L)->call, view);

	lua_createtable(L, 0, (int)fields->count);
	for (unsigned i = 0; i < fields->count; i++) {
		lua_pushstring(L, fields->items[i].name);
		push_bytes(L, fields->items[i].value);
		lua_rawset(L, -3);
	}
	return 1;
}

static int refuse_assignment(lua_State *L)
{
	return luaL_error(L, "this can't be changed");
}

/* ---- making them ---- */

static void push_field_names(lua_State *L, const struct field_row *rows)
{
	lua_createtable(L, 0, 12);
	for (; rows->name; rows++) {
		lua_pushinteger(L, rows->field);
		lua_setfield(L, -2, rows->name);
	}
}

/* upvalue 2 is on top and is taken. */
static void set_closure(lua_State *L, struct telco_connection *connection, lua_CFunction fn,
			int metatable, const char *name)
{
	lua_pushlightuserdata(L, connection);
	lua_insert(L, -2);
	lua_pushcclosure(L, fn, 2);
	lua_setfield(L, metatable, name);
}

static void make_view(lua_State *L, struct telco_connection *connection, enum telco_view view,
		      lua_CFunction index, const struct field_row *rows)
{
	int metatable;

	lua_newuserdatauv(L, 0, 1);
	lua_createtable(L, 0, 5);
	metatable = lua_gettop(L);
	if (rows) {
		push_field_names(L, rows);
		set_closure(L, connection, index, metatable, "__index");
	} else {
		lua_pushinteger(L, view);
		set_closure(L, connection, index, metatable, "__index");
		lua_pushinteger(L, view);
		set_closure(L, connection, fields_call, metatable, "__call");
	}
	lua_pushcfunction(L, refuse_assignment);
	lua_setfield(L, metatable, "__newindex");
	lua_pushboolean(L, false);
	lua_setfield(L, metatable, "__metatable");
	lua_setmetatable(L, -2);
	connection->view[view] = luaL_ref(L, LUA_REGISTRYINDEX);
}

void telco_make_views(lua_State *L, struct telco_connection *connection)
{
	make_view(L, connection, VIEW_REQUEST, request_index, request_fields);
	make_view(L, connection, VIEW_QUERY, fields_index, NULL);
	make_view(L, connection, VIEW_FORM, fields_index, NULL);
	make_view(L, connection, VIEW_HEADERS, fields_index, NULL);
	make_view(L, connection, VIEW_MESSAGE, message_index, message_fields);
	make_view(L, connection, VIEW_RESPONSE, response_index, response_fields);
	make_view(L, connection, VIEW_RESPONSE_HEADERS, fields_index, NULL);
	lua_createtable(L, KEY_COUNT, 0);
	for (int key = 1; key < KEY_COUNT; key++) {
		lua_pushstring(L, key_names[key]);
		lua_rawseti(L, -2, key);
	}
	connection->keys = luaL_ref(L, LUA_REGISTRYINDEX);
}
