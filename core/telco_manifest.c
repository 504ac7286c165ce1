/* telco_manifest.c - what an adapter's file returns, checked field by field, and its settings
 * with the operator's values.
 *
 * Runs once for each state, protected and with raw access only.  The first thing that is wrong is
 * told with its field and what is allowed; rows of settings are taken in the order of their
 * names, so that it is always the same one.
 */
#include <errno.h>
#include <lauxlib.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "telco_priv.h"

enum {
	SETTINGS_MAX = 64,
	SETTING_VALUE_MAX = 4096,
	DEFAULT_IN_FLIGHT = 16,
	DEFAULT_USSD_SECONDS = 10,
	USSD_CHARS_MAX = 182
};

struct reader {
	lua_State *L;
	struct telco_connection *connection;
	int manifest; /* index */
	char *error;
	size_t error_size;
};

static bool refuse(struct reader *reader, const char *fmt, ...) PRINTF_LIKE(2, 3);
static bool refuse(struct reader *reader, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(reader->error, reader->error_size, fmt, args);
	va_end(args);
	return false;
}

/* What the operator set, or did not set. */
static bool refuse_setting(struct reader *reader, const char *name, const char *fmt, ...)
	PRINTF_LIKE(3, 4);
static bool refuse_setting(struct reader *reader, const char *name, const char *fmt, ...)
{
	char why[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	reader->connection->wrong = arena_strdup(&reader->connection->arena, name);
	return refuse(reader, "%s", why);
}

/* Pushes table[name], raw. */
static int push_field(lua_State *L, int table, const char *name)
{
	table = lua_absindex(L, table);
	lua_pushstring(L, name);
	return lua_rawget(L, table);
}

/* Every key of the table at idx must be one of `names`. */
static bool only_fields(struct reader *reader, int idx, const char *where, const char *const *names,
			const char *allowed)
{
	lua_State *L = reader->L;

	idx = lua_absindex(L, idx);
	for (lua_pushnil(L); lua_next(L, idx); lua_pop(L, 1)) {
		const char *const *name = names;

		if (lua_type(L, -2) != LUA_TSTRING)
			return refuse(reader, "%s has an entry without a name; it may have %s",
				      where, allowed);
		while (*name && strcmp(*name, lua_tostring(L, -2)) != 0)
			name++;
		if (!*name)
			return refuse(reader, "%s has no field \"%.40s\"; it may have %s", where,
				      lua_tostring(L, -2), allowed);
	}
	return true;
}

/* ---- functions ---- */

struct function_row {
	const char *group, *name; /* group NULL: a field of the manifest itself */
	const char *field;        /* for people */
};
static const struct function_row functions[TELCO_FUNCTIONS] = {
	[TELCO_VERIFY] = { NULL, "verify", "verify" },
	[TELCO_INBOUND + TELCO_SMS] = { "inbound", "sms", "inbound.sms" },
	[TELCO_INBOUND + TELCO_USSD] = { "inbound", "ussd", "inbound.ussd" },
	[TELCO_INBOUND + TELCO_RECEIPT] = { "inbound", "receipt", "inbound.receipt" },
	[TELCO_ANSWER + TELCO_SMS] = { "answer", "sms", "answer.sms" },
	[TELCO_ANSWER + TELCO_USSD] = { "answer", "ussd", "answer.ussd" },
	[TELCO_ANSWER + TELCO_RECEIPT] = { "answer", "receipt", "answer.receipt" },
	[TELCO_OUTBOUND] = { NULL, "outbound", "outbound" },
	[TELCO_OUTCOME] = { NULL, "outcome", "outcome" },
};

static bool read_function(struct reader *reader, enum telco_function function)
{
	static const char *const kinds[] = { "sms", "ussd", "receipt", NULL };
	const struct function_row *row = &functions[function];
	lua_State *L = reader->L;
	int top = lua_gettop(L), table = reader->manifest, type;

	reader->connection->function[function] = LUA_NOREF;
	if (row->group) {
		type = push_field(L, reader->manifest, row->group);
		table = lua_gettop(L);
		if (type == LUA_TNIL) {
			lua_settop(L, top);
			return true;
		}
		if (type != LUA_TTABLE)
			return refuse(reader, "%s must be a table of functions, not a %s",
				      row->group, lua_typename(L, type));
		if (!only_fields(reader, table, row->group, kinds, "sms, ussd and receipt"))
			return false;
	}
	type = push_field(L, table, row->name);
	if (type != LUA_TNIL && type != LUA_TFUNCTION)
		return refuse(reader, "%s must be a function, not a %s", row->field,
			      lua_typename(L, type));
	if (type == LUA_TFUNCTION)
		reader->connection->function[function] = luaL_ref(L, LUA_REGISTRYINDEX);
	lua_settop(L, top);
	return true;
}

static bool has(const struct reader *reader, enum telco_function function)
{
	return reader->connection->function[function] != LUA_NOREF;
}

static bool read_functions(struct reader *reader)
{
	for (enum telco_function f = 0; f < TELCO_FUNCTIONS; f++)
		if (!read_function(reader, f))
			return false;
	if (!has(reader, TELCO_VERIFY))
		return refuse(
			reader,
			"verify is missing: without a check of who calls the connection can't be "
			"opened; "
			"give a function(request, settings) that compares a secret or a signature");
	if (!has(reader, TELCO_INBOUND + TELCO_SMS) && !has(reader, TELCO_INBOUND + TELCO_USSD))
		return refuse(reader, "inbound must have sms, or ussd, or both");
	if (has(reader, TELCO_INBOUND + TELCO_USSD) && !has(reader, TELCO_ANSWER + TELCO_USSD))
		return refuse(reader, "answer.ussd is missing: it makes the answer of a screen");
	if (has(reader, TELCO_INBOUND + TELCO_SMS) && !has(reader, TELCO_OUTBOUND))
		return refuse(reader,
			      "outbound is missing: it makes the request that sends a message");
	if (has(reader, TELCO_OUTBOUND) != has(reader, TELCO_OUTCOME))
		return refuse(reader,
			      "outbound and outcome belong together: one of them is missing");
	return true;
}

/* ---- limits ---- */

static bool read_limit(struct reader *reader, int table, const char *name, double min, double max,
		       double *out)
{
	lua_State *L = reader->L;
	int type = push_field(L, table, name);

	if (type != LUA_TNIL) {
		if (type != LUA_TNUMBER ||
		    !(lua_tonumber(L, -1) >= min && lua_tonumber(L, -1) <= max))
			return refuse(reader, "limits.%s must be a number from %g to %g", name, min,
				      max);
		*out = lua_tonumber(L, -1);
	}
	lua_pop(L, 1);
	return true;
}

static bool read_limits(struct reader *reader)
{
	static const char *const names[] = { "tps",          "in_flight", "ussd_chars",
					     "ussd_seconds", "splits",    NULL };
	const struct telco_config *config = &reader->connection->config;
	double tps = 0, in_flight = DEFAULT_IN_FLIGHT, chars = USSD_CHARS_MAX,
	       seconds = DEFAULT_USSD_SECONDS;
	lua_State *L = reader->L;
	int type = push_field(L, reader->manifest, "limits"), table = lua_gettop(L);
	bool splits = false;

	if (type != LUA_TNIL && type != LUA_TTABLE)
		return refuse(reader, "limits must be a table, not a %s", lua_typename(L, type));
	if (type == LUA_TTABLE) {
		if (!only_fields(reader, table, "limits", names,
				 "tps, in_flight, ussd_chars, ussd_seconds and splits") ||
		    !read_limit(reader, table, "tps", 0, 100000, &tps) ||
		    !read_limit(reader, table, "in_flight", 1, 1000, &in_flight) ||
		    !read_limit(reader, table, "ussd_chars", 20, USSD_CHARS_MAX, &chars) ||
		    !read_limit(reader, table, "ussd_seconds", 1, 180, &seconds))
			return false;
		type = push_field(L, table, "splits");
		if (type != LUA_TNIL && type != LUA_TBOOLEAN)
			return refuse(reader, "limits.splits must be true or false");
		splits = lua_toboolean(L, -1);
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
	reader->connection->limits = (struct telco_limits){
		.tps = config->tps ? config->tps : tps,
		.in_flight = config->in_flight ? config->in_flight : (unsigned)in_flight,
		.ussd_chars = (unsigned)chars,
		.ussd_seconds = (unsigned)seconds,
		.splits = splits,
	};
	return true;
}

/* ---- settings ---- */

enum setting_type {
	SETTING_STRING,
	SETTING_SECRET,
	SETTING_NUMBER,
	SETTING_BOOLEAN,
	SETTING_URL,
	SETTING_TYPES
};
static const char *const type_names[] = { "string", "secret", "number", "boolean", "url" };

struct row {
	const char *name; /* Lua's, as long as the manifest */
	enum setting_type type;
	bool required;
	double min, max; /* a number's value, else bytes */
	bool has_min, has_max;
	const char *help;         /* "" where none */
	const char *default_text; /* of a string or url, or NULL */
};

static bool read_bound(struct reader *reader, int table, const struct row *row, const char *name,
		       double *out, bool *given)
{
	int type = push_field(reader->L, table, name);

	*given = type != LUA_TNIL;
	if (*given && type != LUA_TNUMBER)
		return refuse(reader, "settings.%.40s.%s must be a number", row->name, name);
	if (*given)
		*out = lua_tonumber(reader->L, -1);
	lua_pop(reader->L, 1);
	return true;
}

static bool read_type(struct reader *reader, int table, struct row *row)
{
	lua_State *L = reader->L;
	const char *name = lua_rawgeti(L, table, 1) == LUA_TSTRING ? lua_tostring(L, -1) : "";

	for (row->type = 0; row->type < SETTING_TYPES; row->type++)
		if (strcmp(name, type_names[row->type]) == 0)
			break;
	lua_pop(L, 1);
	if (row->type == SETTING_TYPES)
		return refuse(reader,
			      "settings.%.40s: the type, its first entry, must be one of string, "
			      "secret, number, boolean, "
			      "url",
			      row->name);
	return true;
}

/* The row at idx; its name is set. */
static bool read_row(struct reader *reader, int idx, struct row *row)
{
	lua_State *L = reader->L;
	int type;

	if (lua_type(L, idx) != LUA_TTABLE)
		return refuse(
			reader,
			"settings.%.40s must be a table, as in { \"string\", help = \"...\" }",
			row->name);
	if (!read_type(reader, idx, row) ||
	    !read_bound(reader, idx, row, "min", &row->min, &row->has_min) ||
	    !read_bound(reader, idx, row, "max", &row->max, &row->has_max))
		return false;
	type = push_field(L, idx, "required");
	if (type != LUA_TNIL && type != LUA_TBOOLEAN)
		return refuse(reader, "settings.%.40s.required must be true or false", row->name);
	row->required = lua_toboolean(L, -1);
	lua_pop(L, 1);
	type = push_field(L, idx, "help");
	if (type != LUA_TNIL && type != LUA_TSTRING)
		return refuse(reader, "settings.%.40s.help must be text", row->name);
	row->help = type == LUA_TSTRING ? lua_tostring(L, -1) : "";
	lua_pop(L, 1);
	return true;
}

static const struct telco_setting *configured(const struct reader *reader, const char *name)
{
	const struct telco_config *config = &reader->connection->config;

	for (unsigned i = 0; i < config->setting_count; i++)
		if (strcmp(config->settings[i].name, name) == 0)
			return &config->settings[i];
	return NULL;
}

/* A value's text never goes into the error: it may be a secret. */
static bool check_length(struct reader *reader, const struct row *row, struct bytes value)
{
	if (value.len > SETTING_VALUE_MAX)
		return refuse_setting(reader, row->name, "is too long; at most %d bytes",
				      SETTING_VALUE_MAX);
	if (!telco_plain(value.data, value.len))
		return refuse_setting(reader, row->name, "must be text without control characters");
	if (row->has_min && (double)value.len < row->min)
		return refuse_setting(reader, row->name, "is too short; at least %g characters%s%s",
				      row->min, row->help[0] ? ": " : "", row->help);
	if (row->has_max && (double)value.len > row->max)
		return refuse_setting(reader, row->name, "is too long; at most %g characters",
				      row->max);
	return true;
}

static bool url_ok(struct bytes value)
{
	size_t scheme = value.len > 8 && memcmp(value.data, "https://", 8) == 0  ? 8
			: value.len > 7 && memcmp(value.data, "http://", 7) == 0 ? 7
										 : 0;

	for (size_t i = 0; i < value.len; i++)
		if (value.data[i] == ' ')
			return false;
	return scheme > 0; /* and something behind it */
}

static bool push_number(struct reader *reader, const struct row *row, struct bytes value)
{
	char *end;
	double number = strtod(value.data, &end);

	if (value.len == 0 || end != value.data + value.len || number != number)
		return refuse_setting(reader, row->name, "must be a number");
	if ((row->has_min && number < row->min) || (row->has_max && number > row->max))
		return refuse_setting(reader, row->name, "must be from %g to %g",
				      row->has_min ? row->min : -1e15,
				      row->has_max ? row->max : 1e15);
	if (number >= -1e15 && number <= 1e15 && number == (double)(lua_Integer)number)
		lua_pushinteger(reader->L, (lua_Integer)number);
	else
		lua_pushnumber(reader->L, number);
	return true;
}

/* Pushes the operator's value in its type. */
static bool push_value(struct reader *reader, const struct row *row, struct bytes value)
{
	if (row->type == SETTING_NUMBER)
		return push_number(reader, row, value);
	if (row->type == SETTING_BOOLEAN) {
		bool yes = value.len == 4 && memcmp(value.data, "true", 4) == 0;

		if (!yes && (value.len != 5 || memcmp(value.data, "false", 5) != 0))
			return refuse_setting(reader, row->name, "must be true or false");
		lua_pushboolean(reader->L, yes);
		return true;
	}
	if (!check_length(reader, row, value))
		return false;
	if (row->type == SETTING_URL && !url_ok(value))
		return refuse_setting(reader, row->name,
				      "must be a URL that begins with http:// or https://");
	lua_pushlstring(reader->L, value.data, value.len);
	return true;
}

static bool default_fits(const struct row *row, int type)
{
	switch (row->type) {
	case SETTING_NUMBER:
		return type == LUA_TNUMBER;
	case SETTING_BOOLEAN:
		return type == LUA_TBOOLEAN;
	default:
		return type == LUA_TSTRING;
	}
}

/* data[row->name] = the operator's value or the default. */
static bool set_value(struct reader *reader, int rows, int data, struct row *row)
{
	const struct telco_setting *setting = configured(reader, row->name);
	lua_State *L = reader->L;
	int top = lua_gettop(L), type;

	push_field(L, rows, row->name);
	if (!read_row(reader, top + 1, row))
		return false;
	type = push_field(L, top + 1, "default");
	if (type != LUA_TNIL && !default_fits(row, type))
		return refuse(reader, "settings.%.40s.default must be a %s", row->name,
			      type_names[row->type]);
	if (setting && !push_value(reader, row, setting->value))
		return false;
	if (!setting && type == LUA_TNIL && row->required)
		return refuse_setting(reader, row->name, "is missing%s%s", row->help[0] ? ": " : "",
				      row->help);
	lua_setfield(L, data,
		     row->name); /* the value on top: the operator's, the default, or nil */
	lua_settop(L, top);
	return true;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct row *)a)->name, ((const struct row *)b)->name);
}

static bool collect_rows(struct reader *reader, int rows, struct row *out, unsigned *count)
{
	lua_State *L = reader->L;

	for (lua_pushnil(L); lua_next(L, rows); lua_pop(L, 1)) {
		if (lua_type(L, -2) != LUA_TSTRING ||
		    !telco_plain(lua_tostring(L, -2), lua_rawlen(L, -2)))
			return refuse(reader, "settings has an entry without a name");
		if (*count == SETTINGS_MAX)
			return refuse(reader, "settings has more than %d rows", SETTINGS_MAX);
		out[(*count)++] = (struct row){ .name = lua_tostring(L, -2) };
	}
	qsort(out, *count, sizeof(*out), compare_names);
	return true;
}

/* What the operator set must be a row, or one of the host's own. */
static bool check_configured(struct reader *reader, const struct row *rows, unsigned count)
{
	const struct telco_config *config = &reader->connection->config;
	struct buf *names = &reader->connection->buf;

	for (unsigned i = 0; i < config->setting_count; i++) {
		unsigned r = 0;

		while (r < count && strcmp(rows[r].name, config->settings[i].name) != 0)
			r++;
		if (r < count || strcmp(config->settings[i].name, "smart") == 0)
			continue;
		buf_reset(names);
		for (r = 0; r < count; r++)
			buf_addf(names, "%s, ", rows[r].name);
		return refuse_setting(reader, config->settings[i].name,
				      "is not a setting of %s; it has %ssmart", config->adapter,
				      names->len ? names->data : "");
	}
	return true;
}

static int read_only(lua_State *L)
{
	return luaL_error(L, "settings can't be changed by an adapter");
}

/* Replaces the table on top by a reference to a read-only one with its fields. */
static int keep_read_only(lua_State *L)
{
	lua_createtable(L, 0, 0);
	lua_createtable(L, 0, 3);
	lua_pushvalue(L, -3);
	lua_setfield(L, -2, "__index");
	lua_pushcfunction(L, read_only);
	lua_setfield(L, -2, "__newindex");
	lua_pushboolean(L, false);
	lua_setfield(L, -2, "__metatable");
	lua_setmetatable(L, -2);
	lua_remove(L, -2);
	return luaL_ref(L, LUA_REGISTRYINDEX);
}

/* The host's own setting: accents and typography to GSM-7 before a message is sent. */
static bool read_smart(struct reader *reader)
{
	const struct telco_setting *setting = configured(reader, "smart");
	struct row row = { .name = "smart", .type = SETTING_BOOLEAN };

	reader->connection->smart = true;
	if (!setting)
		return true;
	if (!push_value(reader, &row, setting->value))
		return false;
	reader->connection->smart = lua_toboolean(reader->L, -1);
	lua_pop(reader->L, 1);
	return true;
}

static bool read_settings(struct reader *reader)
{
	struct row rows[SETTINGS_MAX];
	lua_State *L = reader->L;
	unsigned count = 0;
	int type = push_field(L, reader->manifest, "settings"), table, data;

	if (type == LUA_TNIL)
		lua_createtable(L, 0, 0);
	else if (type != LUA_TTABLE)
		return refuse(reader, "settings must be a table of rows, not a %s",
			      lua_typename(L, type));
	table = lua_gettop(L);
	lua_createtable(L, 0, 8);
	data = lua_gettop(L);
	if (!collect_rows(reader, table, rows, &count) || !check_configured(reader, rows, count))
		return false;
	for (unsigned i = 0; i < count; i++)
		if (!set_value(reader, table, data, &rows[i]))
			return false;
	reader->connection->settings = keep_read_only(L);
	lua_settop(L, table - 1);
	return read_smart(reader);
}

static void make_about(struct reader *reader)
{
	const struct telco_config *config = &reader->connection->config;
	lua_State *L = reader->L;

	lua_createtable(L, 0, 4);
	lua_pushstring(L, config->name);
	lua_setfield(L, -2, "name");
	lua_pushstring(L, config->country);
	lua_setfield(L, -2, "country");
	lua_pushstring(L, config->public_url);
	lua_setfield(L, -2, "public_url");
	lua_pushstring(L, config->numbers[0] ? config->numbers[0] : "");
	lua_setfield(L, -2, "number");
	reader->connection->about = keep_read_only(L);
}

static bool read_name(struct reader *reader)
{
	static const char *const names[] = { "name",   "summary",  "settings", "verify", "inbound",
					     "answer", "outbound", "outcome",  "limits", NULL };
	lua_State *L = reader->L;
	bool ok;

	if (lua_type(L, reader->manifest) != LUA_TTABLE)
		return refuse(reader, "the file must return a table, not a %s",
			      luaL_typename(L, reader->manifest));
	if (!only_fields(reader, reader->manifest, "the table", names,
			 "name, summary, settings, verify, inbound, answer, outbound, outcome and "
			 "limits"))
		return false;
	ok = push_field(L, reader->manifest, "name") == LUA_TSTRING &&
	     strcmp(lua_tostring(L, -1), reader->connection->config.adapter) == 0;
	lua_pop(L, 1);
	if (!ok)
		return refuse(reader, "name must be \"%s\", as the file",
			      reader->connection->config.adapter);
	ok = push_field(L, reader->manifest, "summary") == LUA_TNIL ||
	     lua_type(L, -1) == LUA_TSTRING;
	lua_pop(L, 1);
	return ok || refuse(reader, "summary must be text");
}

bool telco_read_manifest(lua_State *L, struct telco_connection *connection, char *error,
			 size_t error_size)
{
	struct reader reader = { L, connection, lua_gettop(L), error, error_size };
	bool ok = read_name(&reader) && read_functions(&reader) && read_limits(&reader) &&
		  read_settings(&reader);

	if (ok)
		make_about(&reader);
	lua_settop(L, reader.manifest);
	return ok;
}
