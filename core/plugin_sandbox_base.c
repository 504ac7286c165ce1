/* plugin_sandbox_base.c - the base functions and coroutines as a plugin sees them.
 *
 * Stock functions stay where they are safe on a plugin's own tables.  The rest is replaced: what could catch
 * a limit (pcall, xpcall, resume, wrap), show an address (tostring), walk in an order that differs from
 * process to process (pairs), or keep a finalizer (setmetatable).
 */
#include <lauxlib.h>
#include <lualib.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "calendar.h"
#include "plugin_keys.h"
#include "plugin_sandbox_priv.h"

/* ---- errors ---- */

static int finish_pcall(lua_State *L, int status, lua_KContext extra)
{
	sandbox_check_dead(L, status);
	if (status != LUA_OK && status != LUA_YIELD) {
		lua_pushboolean(L, 0);
		lua_pushvalue(L, -2);
		return 2;
	}
	return lua_gettop(L) - (int)extra;
}

static int base_pcall(lua_State *L)
{
	int status;

	sandbox_check_dead(L, LUA_OK);
	luaL_checkany(L, 1);
	lua_pushboolean(L, 1);
	lua_insert(L, 1);
	status = lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 0, 0, finish_pcall);
	return finish_pcall(L, status, 0);
}

/* The plugin's handler, but not for the error that ends a run: hooks are off while that is handled. */
static int handle(lua_State *L)
{
	struct sandbox_run *run = sandbox_of(L)->current;

	if (run && run->dead != SANDBOX_DONE)
		return 1;
	lua_settop(L, 1);
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, 1, 1);
	return 1;
}

static int base_xpcall(lua_State *L)
{
	int n = lua_gettop(L), status;

	sandbox_check_dead(L, LUA_OK);
	luaL_checktype(L, 2, LUA_TFUNCTION);
	lua_pushvalue(L, 2);
	lua_pushcclosure(L, handle, 1);
	lua_replace(L, 2);
	lua_pushboolean(L, 1);
	lua_pushvalue(L, 1);
	lua_rotate(L, 3, 2);
	status = lua_pcallk(L, n - 2, LUA_MULTRET, 2, 2, finish_pcall);
	return finish_pcall(L, status, 2);
}

/* ---- text of a value ---- */

int sandbox_tostring(lua_State *L)
{
	luaL_checkany(L, 1);
	if (luaL_callmeta(L, 1, "__tostring")) {
		sandbox_check_dead(L, LUA_OK);
		if (!lua_isstring(L, -1))
			return luaL_error(L, "'__tostring' must return a string");
		return 1;
	}
	switch (lua_type(L, 1)) {
	case LUA_TNUMBER:
	case LUA_TSTRING:
	case LUA_TNIL:
	case LUA_TBOOLEAN:
		luaL_tolstring(L, 1, NULL);
		return 1;
	default:
		lua_pushstring(L, luaL_typename(L, 1)); /* no address */
		return 1;
	}
}

static int base_print(lua_State *L)
{
	struct sandbox_run *run = sandbox_check_run(L);
	size_t room = run->sandbox->limits.log;
	int n = lua_gettop(L);

	for (int i = 1; i <= n; i++) {
		size_t len;
		const char *text;

		lua_pushcfunction(L, sandbox_tostring);
		lua_pushvalue(L, i);
		lua_call(L, 1, 1);
		text = lua_tolstring(L, -1, &len);
		if (i > 1 && run->log.len < room)
			buf_add(&run->log, "\t", 1);
		if (len > room - run->log.len)
			len = room - run->log.len;
		buf_add(&run->log, text, len);
		lua_pop(L, 1);
	}
	if (run->log.len < room)
		buf_add(&run->log, "\n", 1);
	sandbox_charge(L, 10 + n);
	return 0;
}

/* ---- tables ---- */

static int base_setmetatable(lua_State *L)
{
	static const char *const refused[] = { "__gc", "__mode" };

	luaL_checktype(L, 1, LUA_TTABLE);
	luaL_argexpected(L, lua_isnil(L, 2) || lua_istable(L, 2), 2, "nil or table");
	if (sandbox_is_protected(L, 1) || luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL)
		return luaL_error(L, "cannot change a protected metatable");
	for (unsigned i = 0; lua_istable(L, 2) && i < ARRAY_LEN(refused); i++) {
		lua_pushstring(L, refused[i]);
		if (lua_rawget(L, 2) != LUA_TNIL)
			return luaL_error(L, "'%s' is not available here", refused[i]);
		lua_pop(L, 1);
	}
	lua_settop(L, 2);
	lua_setmetatable(L, 1);
	return 1;
}

static int base_getmetatable(lua_State *L)
{
	luaL_checkany(L, 1);
	if (!lua_istable(L, 1) || !lua_getmetatable(L, 1)) {
		lua_pushnil(L);
		return 1;
	}
	luaL_getmetafield(L, 1, "__metatable"); /* pushes nothing where there is none */
	return 1;
}

static int base_rawset(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	luaL_checkany(L, 2);
	luaL_checkany(L, 3);
	if (sandbox_is_protected(L, 1))
		return luaL_error(L, "this table can't be changed");
	lua_settop(L, 3);
	lua_rawset(L, 1);
	return 1;
}

/* upvalues: the table, its keys in order, where we are */
static int pairs_next(lua_State *L)
{
	lua_Integer i = lua_tointeger(L, lua_upvalueindex(3));

	for (;;) {
		if (lua_rawgeti(L, lua_upvalueindex(2), ++i) == LUA_TNIL)
			return 1;
		lua_pushvalue(L, -1);
		if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL)
			break; /* what was removed meanwhile is passed over */
		lua_pop(L, 2);
	}
	lua_pushinteger(L, i);
	lua_replace(L, lua_upvalueindex(3));
	return 2;
}

/* Pushes the table's keys as a list. */
static void sorted_keys(lua_State *L, int idx)
{
	const char *refused;
	size_t n;
	const struct table_key *keys = table_keys(L, idx, sandbox_charge, &n, &refused);

	if (!keys)
		luaL_error(
			L,
			"pairs: a %s can't be a key here: the order would differ from run to run",
			refused);
	lua_createtable(L, (int)n, 0);
	for (size_t i = 0; i < n; i++) {
		table_key_push(L, &keys[i]);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	lua_remove(L, -2);
}

static int base_pairs(lua_State *L)
{
	luaL_checkany(L, 1);
	if (luaL_getmetafield(L, 1, "__pairs") != LUA_TNIL) {
		lua_pushvalue(L, 1);
		lua_call(L, 1, 3);
		sandbox_check_dead(L, LUA_OK);
		return 3;
	}
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 1);
	lua_pushvalue(L, 1);
	sorted_keys(L, 1);
	lua_pushinteger(L, 0);
	lua_pushcclosure(L, pairs_next, 3);
	lua_pushvalue(L, 1);
	lua_pushnil(L);
	return 3;
}

/* ---- files, time, chance ---- */

static int finish_require(lua_State *L, int status, lua_KContext context UNUSED)
{
	struct sandbox_run *run = sandbox_of(L)->current;

	sandbox_check_dead(L, status);
	if (lua_isnil(L, -1)) {
		lua_pop(L, 1);
		lua_pushboolean(L, 1);
	}
	lua_rawgeti(L, LUA_REGISTRYINDEX, run->loaded_ref);
	lua_pushvalue(L, 1);
	lua_pushvalue(L, -3);
	lua_rawset(L, -3);
	lua_pop(L, 1);
	return 1;
}

/* require(name): one of the plugin's own files or plugins/lib, once a run. */
static int base_require(lua_State *L)
{
	struct sandbox_run *run = sandbox_check_run(L);
	const char *name = luaL_checkstring(L, 1);

	lua_settop(L, 1);
	if (run->loaded_ref == LUA_NOREF) {
		lua_newtable(L);
		run->loaded_ref = luaL_ref(L, LUA_REGISTRYINDEX);
	}
	lua_rawgeti(L, LUA_REGISTRYINDEX, run->loaded_ref);
	lua_pushvalue(L, 1);
	if (lua_rawget(L, -2) != LUA_TNIL) {
		if (lua_islightuserdata(L, -1))
			return luaL_error(L, "'%s' requires itself", name);
		return 1;
	}
	lua_pop(L, 1);
	lua_pushvalue(L, 1);
	lua_pushlightuserdata(L, run); /* being loaded */
	lua_rawset(L, -3);
	lua_pop(L, 1);
	if (!sandbox_push_file(L, run, name))
		return luaL_error(L, "no file '%s' in this plugin's folder or in plugins/lib",
				  name);
	sandbox_charge(L, 100);
	lua_callk(L, 0, 1, 0, finish_require);
	return finish_require(L, LUA_OK, 0);
}

static int base_now(lua_State *L)
{
	lua_pushinteger(L, sandbox_check_run(L)->now);
	return 1;
}

/* date(fmt [, time]): in Western Indonesian Time, by strftime's letters for numbers and English names. */
static int base_date(lua_State *L)
{
	struct sandbox_run *run = sandbox_check_run(L);
	const char *fmt = luaL_optstring(L, 1, "%Y-%m-%d %H:%M:%S");
	time_t time = (time_t)luaL_optinteger(L, 2, run->now);
	char out[256];
	struct tm tm;

	for (const char *p = strchr(fmt, '%'); p; p = strchr(p + 2, '%'))
		if (!p[1] || !strchr("YmdHMSjywaAbBp%", p[1]))
			return luaL_argerror(
				L, 1, "only %Y %m %d %H %M %S %j %y %w %a %A %b %B %p are known");
	luaL_argcheck(L, strlen(fmt) < 64, 1, "too long");
	time += WIB_SECONDS;
	luaL_argcheck(L, time > -62135596800 && time < 253402300800, 2,
		      "not a time between the years 1 and 9999");
	gmtime_r(&time, &tm);
	lua_pushlstring(L, out, strftime(out, sizeof(out), fmt, &tm));
	return 1;
}

/* random(): 0 <= x < 1; random(n): 1..n; random(m, n): m..n; the same for the same seed everywhere. */
static int base_random(lua_State *L)
{
	struct sandbox_run *run = sandbox_check_run(L);
	uint64_t value = sandbox_run_random(run), span;
	lua_Integer low = 1, high;

	if (lua_gettop(L) == 0) {
		lua_pushnumber(L, (lua_Number)(value >> 11) * 0x1p-53);
		return 1;
	}
	high = luaL_checkinteger(L, lua_gettop(L) > 1 ? 2 : 1);
	if (lua_gettop(L) > 1)
		low = luaL_checkinteger(L, 1);
	luaL_argcheck(L, low <= high, lua_gettop(L) > 1 ? 2 : 1, "interval is empty");
	span = (uint64_t)high - (uint64_t)low + 1;
	if (span) /* without a bias: refuse the last, incomplete round */
		while (value >= UINT64_MAX - UINT64_MAX % span)
			value = sandbox_run_random(run);
	lua_pushinteger(L, (lua_Integer)((uint64_t)low + (span ? value % span : value)));
	return 1;
}

/* ---- coroutines ---- */

static lua_State *check_coroutine(lua_State *L, int idx)
{
	lua_State *co = lua_tothread(L, idx);

	luaL_argexpected(L, co, idx, "coroutine");
	return co;
}

static int co_create(lua_State *L)
{
	lua_State *co;

	luaL_checktype(L, 1, LUA_TFUNCTION);
	sandbox_charge(L, HOOK_PERIOD);
	co = lua_newthread(L);
	lua_pushvalue(L, 1);
	lua_xmove(L, co, 1);
	return 1;
}

/* Moves nargs from L to co, runs it, moves what it gave back: their number, or -1 and an error's value. */
static int resume(lua_State *L, lua_State *co, int nargs)
{
	int status, results;

	if (!lua_checkstack(co, nargs + 1)) {
		lua_pushliteral(L, "too many arguments to resume");
		return -1;
	}
	if (lua_status(co) == LUA_OK && lua_gettop(co) == 0) {
		lua_pushliteral(L, "cannot resume dead coroutine");
		return -1;
	}
	sandbox_charge(L, 100);
	lua_xmove(L, co, nargs);
	status = lua_resume(co, L, nargs, &results);
	sandbox_check_dead(L, status == LUA_ERRMEM ? LUA_ERRMEM : LUA_OK);
	if (status != LUA_OK && status != LUA_YIELD) {
		lua_xmove(co, L, 1);
		return -1;
	}
	if (!lua_checkstack(L, results + 1)) {
		lua_pop(co, results);
		lua_pushliteral(L, "too many results to resume");
		return -1;
	}
	lua_xmove(co, L, results);
	return results;
}

static int co_resume(lua_State *L)
{
	lua_State *co = check_coroutine(L, 1);
	int results = resume(L, co, lua_gettop(L) - 1);

	lua_pushboolean(L, results >= 0);
	if (results < 0) {
		lua_insert(L, -2);
		return 2;
	}
	lua_insert(L, -(results + 1));
	return results + 1;
}

static int wrap_call(lua_State *L)
{
	lua_State *co = lua_tothread(L, lua_upvalueindex(1));
	int results = resume(L, co, lua_gettop(L));

	return results < 0 ? lua_error(L) : results;
}

static int co_wrap(lua_State *L)
{
	co_create(L);
	lua_pushcclosure(L, wrap_call, 1);
	return 1;
}

void sandbox_pick(lua_State *L, lua_CFunction open, const char *const *names)
{
	lua_pushcfunction(L, open);
	lua_call(L, 0, 1);
	for (; *names; names++) {
		lua_getfield(L, -1, *names);
		lua_setfield(L, -3, *names);
	}
	lua_pop(L, 1);
}

void sandbox_open_require(lua_State *L)
{
	lua_pushcfunction(L, base_require);
	lua_setfield(L, -2, "require");
}

static const luaL_Reg coroutine_functions[] = {
	{ "create", co_create },
	{ "resume", co_resume },
	{ "wrap", co_wrap },
	{ NULL, NULL },
};

static const luaL_Reg base_functions[] = {
	{ "date", base_date },
	{ "getmetatable", base_getmetatable },
	{ "now", base_now },
	{ "pairs", base_pairs },
	{ "pcall", base_pcall },
	{ "print", base_print },
	{ "random", base_random },
	{ "rawset", base_rawset },
	{ "setmetatable", base_setmetatable },
	{ "tostring", sandbox_tostring },
	{ "xpcall", base_xpcall },
	{ NULL, NULL },
};

void sandbox_open_base(lua_State *L)
{
	static const char *const base[] = { "assert", "error",    "ipairs", "rawequal",
					    "rawget", "rawlen",   "select", "tonumber",
					    "type",   "_VERSION", NULL };
	static const char *const co[] = { "yield", "status", "isyieldable", "running", NULL };

	sandbox_pick(L, luaopen_base,
		     base); /* fills the state's globals too, which no plugin sees */
	luaL_setfuncs(L, base_functions, 0);
	lua_newtable(L);
	sandbox_pick(L, luaopen_coroutine, co);
	luaL_setfuncs(L, coroutine_functions, 0);
	sandbox_protect(L);
	lua_setfield(L, -2, "coroutine");
}
