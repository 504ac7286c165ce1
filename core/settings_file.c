/* settings_file.c - a file of settings as plain values.
 *
 * Lua is the syntax that authors know already; nothing of its libraries is there, so a file can name values
 * and that is all.  What it made is copied out at once and the state is closed: no Lua lives on behind a
 * setting.
 */
#include <errno.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "settings_priv.h"
#include "utf8.h"

enum {
	FILE_MAX = 1024 * 1024,
	MEMORY_MAX = 32 * 1024 * 1024,
	INSTRUCTIONS_MAX = 1000000,
	NESTING_MAX = 4, /* plugin_settings, plugin, setting, list */
	ITEMS_MAX = 10000,
	SECRET_MAX = 4096, /* bytes of a credential */
	ERROR_MAX = 512,
};

struct reader {
	struct arena *arena;
	const char *path;
	struct bytes source;
	struct field_lines lines;
	size_t memory;
	unsigned items;
	char error[ERROR_MAX]; /* "" : none */
	int error_line;
};

static void *limited_alloc(void *ud, void *old, size_t old_size, size_t size)
{
	struct reader *reader = ud;
	void *p;

	if (!old)
		old_size = 0;
	if (size == 0) {
		free(old);
		reader->memory -= old_size;
		return NULL;
	}
	if (size > old_size && reader->memory - old_size + size > MEMORY_MAX)
		return NULL;
	p = realloc(old, size);
	if (p)
		reader->memory += size - old_size;
	return p;
}

static void too_long_hook(lua_State *L, lua_Debug *event)
{
	lua_getinfo(L, "l", event);
	lua_pushfstring(L, "S:%d: this takes too long: a setting is a plain value",
			event->currentline);
	lua_error(L);
}

/* env "NAME" -> text                                                               [-0, +1, v] */
static int env_get(lua_State *L)
{
	const char *name = luaL_checkstring(L, 1), *value = getenv(name);

	if (!value)
		return luaL_error(L, "env: %s is not set in the environment", name);
	lua_pushstring(L, value);
	return 1;
}

static bool is_credential_name(const char *name)
{
	return name[0] != '\0' && name[0] != '.' && strlen(name) < 128 &&
	       name[strspn(name,
			   "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-")] ==
		       '\0';
}

/* secret "NAME" -> text                                                            [-0, +1, v]
 * What systemd's LoadCredential put there; one newline at the end is not part of it. */
static int secret_get(lua_State *L)
{
	const char *name = luaL_checkstring(L, 1), *folder = getenv("CREDENTIALS_DIRECTORY");
	char content[SECRET_MAX];
	FILE *file;
	size_t len;

	luaL_argcheck(L, is_credential_name(name), 1,
		      "a name of letters, digits, '_', '.' and '-' is needed");
	if (!folder)
		return luaL_error(L, "secret: CREDENTIALS_DIRECTORY is not set, so there is no %s",
				  name);
	file = fopen(lua_pushfstring(L, "%s/%s", folder, name), "rb");
	if (!file)
		return luaL_error(L, "secret: no file %s in %s", name, folder);
	len = fread(content, 1, sizeof(content), file);
	fclose(file);
	if (len == sizeof(content))
		return luaL_error(L, "secret: %s is longer than %d bytes", name, SECRET_MAX - 1);
	if (len > 0 && content[len - 1] == '\n')
		len--;
	lua_pushlstring(L, content, len);
	return 1;
}

/* A name that the file reads and never set: a mistyped word, or text without its quotes. */
static int unknown_name(lua_State *L)
{
	return luaL_error(L, "'%s' is not known here; a text stands in quotes", lua_tostring(L, 2));
}

static bool fail(struct reader *reader, int line, const char *path, const char *why)
{
	reader->error_line = line;
	snprintf(reader->error, sizeof(reader->error), "%s%s%s", path, path[0] != '\0' ? ": " : "",
		 why);
	return false;
}

static bool read_text(lua_State *L, struct reader *reader, const char *path,
		      struct setting_value *out)
{
	size_t len;
	const char *text = lua_tolstring(L, -1, &len);

	if (!utf8_valid(text, len) || memchr(text, '\0', len))
		return fail(reader, out->line, path, "must be text in UTF-8, without a NUL");
	out->text = arena_bytes(reader->arena, text, len);
	return true;
}

static bool read_number(lua_State *L, struct reader *reader, struct setting_value *out)
{
	char text[64];

	out->type = VALUE_NUMBER;
	out->number = (double)lua_tonumber(L, -1);
	out->whole = lua_isinteger(L, -1) ||
		     (out->number == floor(out->number) && fabs(out->number) < 9007199254740992.0);
	if (isnan(out->number))
		snprintf(text, sizeof(text), "nan");
	else if (lua_isinteger(L, -1))
		snprintf(text, sizeof(text), "%lld", lua_tointeger(L, -1));
	else
		snprintf(text, sizeof(text), "%.14g", out->number);
	out->text = arena_bytes(reader->arena, text, strlen(text));
	return true;
}

static int by_line(const void *a, const void *b)
{
	const struct setting_value *x = a, *y = b;

	return x->line != y->line ? (x->line > y->line) - (x->line < y->line)
				  : strcmp(x->name, y->name);
}

static bool read_value(lua_State *L, struct reader *reader, const char *path, unsigned nesting,
		       struct setting_value *out);

/* The items of a list, or of a table with names; the table is on top. */
static bool read_items(lua_State *L, struct reader *reader, const char *path, unsigned nesting,
		       struct setting_value *out)
{
	unsigned i = 0;

	lua_pushnil(L);
	while (lua_next(L, -2)) {
		struct setting_value *item = &out->items[i++];
		const char *name = "", *item_path = path;

		item->line = out->line;
		if (!out->list) {
			lua_pushvalue(L, -2); /* so that lua_next sees its key unchanged */
			name = arena_strdup(reader->arena, lua_tostring(L, -1));
			lua_pop(L, 1);
			item_path = path[0] != '\0'
					    ? arena_printf(reader->arena, "%s.%s", path, name)
					    : name;
			item->line = settings_line_of(&reader->lines, item_path);
			item->line = item->line > 0 ? item->line : out->line;
		} else if (lua_isinteger(L, -2) && lua_tointeger(L, -2) != (lua_Integer)i) {
			return fail(reader, out->line, path, "must be a list without gaps");
		}
		item->name = name;
		if (!read_value(L, reader, item_path, nesting, item))
			return false;
		lua_pop(L, 1);
	}
	if (!out->list)
		qsort(out->items, out->count, sizeof(*out->items), by_line);
	return true;
}

static bool read_table(lua_State *L, struct reader *reader, const char *path, unsigned nesting,
		       struct setting_value *out)
{
	unsigned named = 0;

	if (nesting >= NESTING_MAX)
		return fail(reader, out->line, path, "is nested too deeply");
	lua_pushnil(L);
	for (; lua_next(L, -2); lua_pop(L, 1)) {
		out->count++;
		if (lua_type(L, -2) == LUA_TSTRING)
			named++;
		else if (!lua_isinteger(L, -2))
			return fail(reader, out->line, path, "has a field whose name is not text");
	}
	if (named > 0 && named < out->count)
		return fail(reader, out->line, path, "must be a list or have names, not both");
	reader->items += out->count;
	if (reader->items > ITEMS_MAX)
		return fail(reader, out->line, path, "has too many fields");
	out->list = named == 0;
	out->items = arena_alloc(reader->arena, out->count * sizeof(*out->items));
	return read_items(L, reader, path, nesting + 1, out);
}

/* The value on top, which stays there. */
static bool read_value(lua_State *L, struct reader *reader, const char *path, unsigned nesting,
		       struct setting_value *out)
{
	if (!lua_checkstack(L, 8))
		return fail(reader, out->line, path, "is nested too deeply");
	switch (lua_type(L, -1)) {
	case LUA_TSTRING:
		out->type = VALUE_TEXT;
		return read_text(L, reader, path, out);
	case LUA_TNUMBER:
		return read_number(L, reader, out);
	case LUA_TBOOLEAN:
		out->type = VALUE_BOOLEAN;
		out->boolean = lua_toboolean(L, -1);
		out->text = out->boolean ? (struct bytes){ "true", 4 }
					 : (struct bytes){ "false", 5 };
		return true;
	case LUA_TTABLE:
		out->type = VALUE_TABLE;
		return read_table(L, reader, path, nesting, out);
	default:
		return fail(reader, out->line, path,
			    "must be a text, a number, true, false or a table");
	}
}

/* Runs the chunk in a table of its own, which is left on the stack. */
static int run_file(lua_State *L)
{
	struct reader *reader = lua_touserdata(L, 1);

	lua_newtable(L); /* what it sets */
	lua_newtable(L); /* metatable: what it may read beside that */
	lua_newtable(L); /* words */
	lua_pushcfunction(L, env_get);
	lua_setfield(L, -2, "env");
	lua_pushcfunction(L, secret_get);
	lua_setfield(L, -2, "secret");
	lua_newtable(L);
	lua_pushcfunction(L, unknown_name);
	lua_setfield(L, -2, "__index");
	lua_setmetatable(L, -2);
	lua_setfield(L, -2, "__index");
	lua_setmetatable(L, -2);
	if (luaL_loadbufferx(L, reader->source.data, reader->source.len, "=S", "t") != LUA_OK)
		return lua_error(L);
	lua_pushvalue(L, -2);
	lua_setupvalue(L, -2, 1);
	lua_sethook(L, too_long_hook, LUA_MASKCOUNT, INSTRUCTIONS_MAX);
	lua_call(L, 0, 0);
	lua_sethook(L, NULL, 0, 0);
	return 1;
}

/* "S:12: what" becomes the line and the rest. */
static void keep_lua_error(struct reader *reader, const char *message)
{
	char *end;

	if (!message)
		message = "takes too much memory";
	if (strncmp(message, "S:", 2) == 0) {
		reader->error_line = (int)strtol(message + 2, &end, 10);
		message = strncmp(end, ": ", 2) == 0 ? end + 2 : end;
	}
	snprintf(reader->error, sizeof(reader->error), "%s", message);
}

static int run(struct reader *reader, struct setting_value *root)
{
	lua_State *L = lua_newstate(limited_alloc, reader);
	int rc = -EINVAL;

	if (!L)
		return -ENOMEM;
	lua_pushcfunction(L, run_file);
	lua_pushlightuserdata(L, reader);
	if (lua_pcall(L, 1, 1, 0) != LUA_OK) {
		keep_lua_error(reader, lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL);
	} else {
		reader->lines = settings_scan(reader->arena, reader->source);
		root->type = VALUE_TABLE;
		root->name = "";
		if (read_table(L, reader, "", 0, root))
			rc = 0;
	}
	lua_close(L);
	return rc;
}

static int read_source(const char *path, struct buf *out)
{
	FILE *file = fopen(path, "rb");
	char chunk[4096];
	size_t n;
	int rc = 0;

	if (!file)
		return -errno;
	while (out->len <= FILE_MAX && (n = fread(chunk, 1, sizeof(chunk), file)) > 0)
		buf_add(out, chunk, n);
	if (ferror(file))
		rc = -EIO;
	else if (out->len > FILE_MAX)
		rc = -EFBIG;
	fclose(file);
	if (rc == 0)
		buf_addstr(out, "");
	return rc;
}

int settings_file_read(const char *path, struct arena *arena, struct setting_value *root,
		       char *error_text, size_t error_size)
{
	struct reader reader = { .arena = arena, .path = path };
	struct buf source = { 0 };
	int rc = read_source(path, &source);

	if (rc < 0) {
		snprintf(error_text, error_size, "%s: %s", path, strerrordesc_np(-rc));
		goto out;
	}
	reader.source = (struct bytes){ source.data, source.len };
	rc = run(&reader, root);
	if (rc < 0)
		snprintf(error_text, error_size, "%s:%d: %s", path, reader.error_line,
			 reader.error);
out:
	buf_free(&source);
	return rc;
}
