/* test_plugin_documented.c - what a plugin can call stands in plugins/README.md and in contrib/editor, and nothing else does.
 *
 * The calls are read from a real sandbox.  What plain Lua has under the same name needs no words of ours.
 */
#include <criterion/criterion.h>
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugin_api.h"
#include "plugin_sandbox_priv.h"

enum { NAMES_MAX = 400 };

static char *names[NAMES_MAX]; /* "now", "citizen:ask", "records:insert", "string.trim" */
static unsigned name_count;

static bool plain(const char *table, const char *name)
{
	static lua_State *L;
	bool there;

	if (!L) {
		L = luaL_newstate();
		luaL_openlibs(L);
	}
	lua_settop(L, 0);
	lua_pushglobaltable(L);
	if (*table && lua_getfield(L, -1, table) != LUA_TTABLE)
		return false;
	there = lua_getfield(L, -1, name) != LUA_TNIL;
	return there;
}

static void note(const char *table, const char *sign, const char *name)
{
	cr_assert_lt(name_count, NAMES_MAX);
	if (asprintf(&names[name_count++], "%s%s%s", table, sign, name) < 0)
		abort();
}

/* The functions of the table on top of the stack, or behind a read-only view of one. */
static void note_table(lua_State *L, const char *table, const char *sign)
{
	int top = lua_gettop(L);

	if (luaL_getmetafield(L, -1, "__index") == LUA_TTABLE)
		lua_replace(L, top);
	lua_settop(L, top);
	cr_assert(lua_istable(L, top), "%s", table);
	for (lua_pushnil(L); lua_next(L, top); lua_pop(L, 1)) {
		const char *name = lua_tostring(L, -2);

		if (sign[0] == ':' || !plain(table, name))
			note(table, sign, name);
	}
}

static void note_globals(lua_State *L)
{
	int top = lua_gettop(L);

	for (lua_pushnil(L); lua_next(L, top); lua_settop(L, top + 1)) {
		const char *name = lua_tostring(L, top + 1);

		if (strcmp(name, "records") == 0) {
			if (luaL_getmetafield(L, -1, "__index") != LUA_TTABLE)
				lua_settop(L, top + 2);
			lua_getfield(L, -1, "things");
			note_table(L, "records", ":");
		} else if (lua_type(L, -1) == LUA_TFUNCTION) {
			if (!plain("", name))
				note("", "", name);
		} else if (lua_istable(L, -1) || lua_isuserdata(L, -1)) {
			note_table(L, name, ".");
		}
	}
}

static void note_all(lua_State *L, void *arg)
{
	struct program *program = arg;

	api_provide_citizen(L, program);
	api_provide_records(L, program);
	api_provide_globals(L, program);
	lua_rawgeti(L, LUA_REGISTRYINDEX, program->citizen);
	lua_getmetatable(L, -1);
	lua_getfield(L, -1, "__index");
	cr_assert_str_eq(lua_getupvalue(L, -1, 1), "");
	note_table(L, "citizen", ":");
	lua_settop(L, 0);
	lua_rawgeti(L, LUA_REGISTRYINDEX, program->sandbox->shared);
	note_globals(L);
	lua_settop(L, 0);
}

static void read_sandbox(void)
{
	struct record_table table = { .name = "things" };
	struct bundle bundle = { .tables = &table, .table_count = 1, .records = true };
	struct program program = { .bundle = &bundle,
				   .sandbox = sandbox_new(&sandbox_default_limits) };

	cr_assert(sandbox_protected(program.sandbox, note_all, &program));
	sandbox_free(program.sandbox);
	cr_assert_gt(name_count, 12);
}

TestSuite(plugin_documented, .init = read_sandbox);

static char *read_file(const char *name)
{
	const char *source = getenv("KENTONGAN_SOURCE");
	struct buf text = { 0 };
	char path[4096], chunk[4096];
	FILE *file;
	size_t n;

	snprintf(path, sizeof(path), "%s/%s", source ? source : ".", name);
	file = fopen(path, "r");
	cr_assert(file, "%s", path);
	while ((n = fread(chunk, 1, sizeof(chunk), file)) > 0)
		buf_add(&text, chunk, n);
	fclose(file);
	return text.data;
}

Test(plugin_documented, every_call_stands_in_the_plugins_readme)
{
	char *text = read_file("plugins/README.md");

	for (unsigned i = 0; i < name_count; i++) {
		const char *colon = strchr(names[i], ':');
		char call[128];

		if (colon && strncmp(names[i], "records", 7) == 0)
			snprintf(call, sizeof(call), "`records.NAME%s(", colon);
		else
			snprintf(call, sizeof(call), "`%s(", names[i]);
		cr_expect(strstr(text, call), "plugins/README.md doesn't tell of %s", call + 1);
	}
	free(text);
}

/* "citizen:ask" as the annotations have it. */
static void annotation_of(const char *name, char *out, size_t size)
{
	const char *colon = strchr(name, ':');

	if (colon)
		snprintf(out, size, "function %s%s(",
			 strncmp(name, "citizen", 7) == 0 ? "Citizen" : "RecordTable", colon);
	else
		snprintf(out, size, "function %s(", name);
}

Test(plugin_documented, every_call_stands_in_the_editors_annotations)
{
	char *text = read_file("contrib/editor/kentongan.lua"), call[128];

	for (unsigned i = 0; i < name_count; i++) {
		annotation_of(names[i], call, sizeof(call));
		cr_expect(strstr(text, call), "contrib/editor/kentongan.lua lacks %s", call);
	}
	free(text);
}

Test(plugin_documented, the_annotations_have_no_call_that_is_not_there)
{
	char *text = read_file("contrib/editor/kentongan.lua"), call[128];

	for (char *at = text; (at = strstr(at, "\nfunction ")); at++) {
		bool known = false;

		for (unsigned i = 0; i < name_count && !known; i++) {
			annotation_of(names[i], call, sizeof(call));
			known = strncmp(at + 1, call, strlen(call)) == 0;
		}
		cr_expect(known, "the sandbox has no %.40s", at + 1);
	}
	free(text);
}
