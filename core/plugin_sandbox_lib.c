/* plugin_sandbox_lib.c - string, table, math and utf8 as a plugin sees them.
 *
 * Stock functions are kept where each call is short by itself: a string has at most the size of one
 * allocation.  Those that loop over what a plugin claims (#, __len) are replaced by raw, bounded ones, the sort by
 * a stable one whose result does not depend on a clock.
 */
#include <lauxlib.h>
#include <lualib.h>
#include <string.h>

#include "plugin_sandbox_priv.h"

/* ---- string ---- */

static int string_rep(lua_State *L)
{
	size_t len, sep_len, total;
	const char *text = luaL_checklstring(L, 1, &len);
	lua_Integer n = luaL_checkinteger(L, 2);
	const char *sep = luaL_optlstring(L, 3, "", &sep_len);
	luaL_Buffer buffer;
	char *out;

	if (n <= 0 || len + sep_len == 0) {
		lua_pushliteral(L, "");
		return 1;
	}
	if ((uint64_t)n > sandbox_of(L)->limits.allocation / (len + sep_len))
		return luaL_error(L, "string.rep: the result is too large");
	total = (len + sep_len) * (size_t)n - sep_len;
	out = luaL_buffinitsize(L, &buffer, total);
	for (lua_Integer i = 0; i < n; i++) {
		memcpy(out, text, len);
		out += len;
		if (i + 1 < n) {
			memcpy(out, sep, sep_len);
			out += sep_len;
		}
	}
	luaL_pushresultsize(&buffer, total);
	sandbox_charge(L, (long)(total / 16));
	return 1;
}

/* upvalue: the stock function.  %p would show an address, and so would %s of a table. */
static int string_format(lua_State *L)
{
	size_t len;
	const char *fmt = luaL_checklstring(L, 1, &len), *end = fmt + len;
	int n = lua_gettop(L);

	for (const char *p = memchr(fmt, '%', len); p; p = memchr(p, '%', (size_t)(end - p))) {
		p++;
		p += strspn(p,
			    "-+#0 .123456789"); /* stops at the NUL behind the text at the latest */
		if (*p == 'p')
			return luaL_error(L, "invalid conversion '%%p' to 'format'");
		if (p < end)
			p++;
	}
	for (int i = 2; i <= n; i++) {
		int type = lua_type(L, i);

		if (type == LUA_TNIL || type == LUA_TBOOLEAN || type == LUA_TNUMBER ||
		    type == LUA_TSTRING)
			continue;
		lua_pushcfunction(L, sandbox_tostring);
		lua_pushvalue(L, i);
		lua_call(L, 1, 1);
		sandbox_check_dead(L, LUA_OK);
		lua_replace(L, i);
	}
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, n, 1);
	return 1;
}

/* ---- table ---- */

static void check_own(lua_State *L, int idx)
{
	luaL_checktype(L, idx, LUA_TTABLE);
	if (sandbox_is_protected(L, idx))
		luaL_error(L, "this table can't be changed");
}

static lua_Integer raw_count(lua_State *L, int idx)
{
	lua_Unsigned n = lua_rawlen(L, idx);

	if (n > SANDBOX_ELEMENTS_MAX)
		luaL_error(L, "the table has more than %d elements", SANDBOX_ELEMENTS_MAX);
	return (lua_Integer)n;
}

static int table_insert(lua_State *L)
{
	lua_Integer n, pos;

	check_own(L, 1);
	n = raw_count(L, 1) + 1;
	if (lua_gettop(L) == 2) {
		lua_rawseti(L, 1, n);
		return 0;
	}
	if (lua_gettop(L) != 3)
		return luaL_error(L, "wrong number of arguments to 'insert'");
	pos = luaL_checkinteger(L, 2);
	luaL_argcheck(L, pos >= 1 && pos <= n, 2, "position out of bounds");
	sandbox_charge(L, n - pos + 1);
	for (lua_Integer i = n; i > pos; i--) {
		lua_rawgeti(L, 1, i - 1);
		lua_rawseti(L, 1, i);
	}
	lua_rawseti(L, 1, pos);
	return 0;
}

static int table_remove(lua_State *L)
{
	lua_Integer n, pos;

	check_own(L, 1);
	n = raw_count(L, 1);
	pos = luaL_optinteger(L, 2, n);
	if (lua_gettop(L) > 1)
		luaL_argcheck(L, (n == 0 && pos == 0) || (pos >= 1 && pos <= n + 1), 2,
			      "position out of bounds");
	lua_settop(L, 1);
	lua_rawgeti(L, 1, pos);
	if (n > pos)
		sandbox_charge(L, n - pos);
	for (; pos < n; pos++) {
		lua_rawgeti(L, 1, pos + 1);
		lua_rawseti(L, 1, pos);
	}
	if (pos >= 1 && pos <= n) {
		lua_pushnil(L);
		lua_rawseti(L, 1, pos);
	}
	return 1;
}

static int table_move(lua_State *L)
{
	int to_table = lua_isnoneornil(L, 5) ? 1 : 5;
	lua_Integer from, last, to;

	luaL_checktype(L, 1, LUA_TTABLE);
	from = luaL_checkinteger(L, 2);
	last = luaL_checkinteger(L, 3);
	to = luaL_checkinteger(L, 4);
	check_own(L, to_table);
	if (last >= from) {
		luaL_argcheck(L, from > 0 || last < LUA_MAXINTEGER + from, 3,
			      "too many elements to move");
		luaL_argcheck(L, last - from < SANDBOX_ELEMENTS_MAX, 3,
			      "too many elements to move");
		luaL_argcheck(L, to <= LUA_MAXINTEGER - (last - from), 4,
			      "destination wrap around");
		sandbox_charge(L, last - from + 1);
		bool forward = to > last || to <= from ||
			       (to_table != 1 && !lua_rawequal(L, 1, to_table));

		for (lua_Integer i = 0; i <= last - from; i++) {
			lua_Integer k = forward ? i : last - from - i;

			lua_rawgeti(L, 1, from + k);
			lua_rawseti(L, to_table, to + k);
		}
	}
	lua_pushvalue(L, to_table);
	return 1;
}

static int table_concat(lua_State *L)
{
	size_t sep_len;
	const char *sep = luaL_optlstring(L, 2, "", &sep_len);
	lua_Integer first = luaL_optinteger(L, 3, 1), last;
	luaL_Buffer buffer;

	luaL_checktype(L, 1, LUA_TTABLE);
	last = luaL_opt(L, luaL_checkinteger, 4, raw_count(L, 1));
	luaL_argcheck(
		L, first > last || (lua_Unsigned)last - (lua_Unsigned)first < SANDBOX_ELEMENTS_MAX,
		4, "too many elements");
	luaL_buffinit(L, &buffer);
	for (lua_Integer i = first; first <= last && i <= last; i++) {
		if (lua_rawgeti(L, 1, i) != LUA_TSTRING && lua_type(L, -1) != LUA_TNUMBER)
			return luaL_error(L,
					  "invalid value (a %s) at index %I in table for 'concat'",
					  luaL_typename(L, -1), (LUAI_UACINT)i);
		luaL_addvalue(&buffer);
		if (i == last)
			break;
		luaL_addlstring(&buffer, sep, sep_len);
	}
	luaL_pushresult(&buffer);
	if (last >= first)
		sandbox_charge(L, (long)(last - first + 1) + (long)(lua_rawlen(L, -1) / 64));
	return 1;
}

static int table_unpack(lua_State *L)
{
	lua_Integer first = luaL_optinteger(L, 2, 1), last;

	luaL_checktype(L, 1, LUA_TTABLE);
	last = luaL_opt(L, luaL_checkinteger, 3, raw_count(L, 1));
	if (first > last)
		return 0;
	if ((lua_Unsigned)last - (lua_Unsigned)first >= SANDBOX_ELEMENTS_MAX ||
	    !lua_checkstack(L, (int)(last - first + 1)))
		return luaL_error(L, "too many results to unpack");
	sandbox_charge(L, last - first + 1);
	for (lua_Integer i = first; i < last; i++)
		lua_rawgeti(L, 1, i);
	lua_rawgeti(L, 1, last);
	return (int)(last - first + 1);
}

/* Is element a before element b?  Elements are numbers of places in the table at index 3. */
static bool sort_before(lua_State *L, unsigned a, unsigned b)
{
	bool before;

	sandbox_charge(L, 5);
	if (lua_isnil(L, 2)) {
		lua_rawgeti(L, 3, a);
		lua_rawgeti(L, 3, b);
		before = lua_compare(L, -2, -1, LUA_OPLT);
		lua_pop(L, 2);
	} else {
		lua_pushvalue(L, 2);
		lua_rawgeti(L, 3, a);
		lua_rawgeti(L, 3, b);
		lua_call(L, 2, 1);
		before = lua_toboolean(L, -1);
		lua_pop(L, 1);
	}
	sandbox_check_dead(L, LUA_OK);
	return before;
}

static void sort_merge(lua_State *L, const unsigned *from, unsigned *to, unsigned low,
		       unsigned middle, unsigned high)
{
	unsigned i = low, j = middle;

	for (unsigned k = low; k < high; k++) {
		if (i < middle && (j >= high || !sort_before(L, from[j], from[i])))
			to[k] = from[i++];
		else
			to[k] = from[j++];
	}
}

/* A stable merge sort from the bottom up over a copy, so a comparator that changes the table harms nothing. */
static int table_sort(lua_State *L)
{
	lua_Integer n;
	unsigned *from, *to;

	check_own(L, 1);
	n = raw_count(L, 1);
	lua_settop(L, 2);
	if (!lua_isnil(L, 2))
		luaL_checktype(L, 2, LUA_TFUNCTION);
	lua_createtable(L, (int)n, 0);
	from = lua_newuserdatauv(L, (size_t)(n + 1) * 2 * sizeof(*from), 0);
	to = from + n;
	for (unsigned i = 0; i < (unsigned)n; i++) {
		from[i] = i + 1;
		lua_rawgeti(L, 1, i + 1);
		lua_rawseti(L, 3, i + 1);
	}
	for (unsigned width = 1; width < (unsigned)n; width *= 2) {
		unsigned *swap = from;

		for (unsigned low = 0; low < (unsigned)n; low += 2 * width) {
			unsigned middle = low + width < (unsigned)n ? low + width : (unsigned)n;
			unsigned high = low + 2 * width < (unsigned)n ? low + 2 * width
								      : (unsigned)n;

			sort_merge(L, from, to, low, middle, high);
		}
		from = to;
		to = swap;
	}
	for (unsigned i = 0; i < (unsigned)n; i++) {
		lua_rawgeti(L, 3, from[i]);
		lua_rawseti(L, 1, i + 1);
	}
	sandbox_charge(L, n * 2);
	return 0;
}

/* ---- opening ---- */

static const luaL_Reg table_functions[] = {
	{ "concat", table_concat },
	{ "insert", table_insert },
	{ "move", table_move },
	{ "remove", table_remove },
	{ "sort", table_sort },
	{ "unpack", table_unpack },
	{ NULL, NULL },
};

/* Leaves a new table on top, with the named functions of a stock library. */
static void pick(lua_State *L, lua_CFunction open, const char *const *names)
{
	lua_newtable(L);
	sandbox_pick(L, open, names);
}

/* The string library, twice: as a global, and behind every string, where no plugin can reach the table itself. */
static void open_string(lua_State *L)
{
	static const char *const names[] = { "byte", "char",  "len",    "lower", "reverse",
					     "sub",  "upper", "format", NULL };

	pick(L, luaopen_string, names);
	lua_getfield(L, -1, "format");
	lua_pushcclosure(L, string_format, 1);
	lua_setfield(L, -2, "format");
	lua_pushcfunction(L, string_rep);
	lua_setfield(L, -2, "rep");
	sandbox_open_patterns(L);
}

static void guard_strings(lua_State *L)
{
	lua_pushliteral(L, "");
	lua_createtable(L, 0, 2);
	open_string(L);
	lua_setfield(L, -2, "__index");
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_setmetatable(L, -2);
	lua_pop(L, 1);
}

void sandbox_open_libraries(lua_State *L)
{
	static const char *const math[] = { "abs",        "ceil", "floor",      "fmod",
					    "huge",       "max",  "maxinteger", "min",
					    "mininteger", "modf", "pi",         "sqrt",
					    "tointeger",  "type", "ult",        NULL };
	static const char *const utf8[] = { "char", "charpattern", "codepoint", "codes",
					    "len",  "offset",      NULL };
	static const char *const table[] = { "pack", NULL };

	open_string(L);
	sandbox_protect(L);
	lua_setfield(L, -2, "string");
	guard_strings(L); /* after luaopen_string, which sets a metatable of its own */
	pick(L, luaopen_math, math);
	lua_getfield(L, -2, "random");
	lua_setfield(L, -2, "random");
	sandbox_protect(L);
	lua_setfield(L, -2, "math");
	pick(L, luaopen_utf8, utf8);
	sandbox_protect(L);
	lua_setfield(L, -2, "utf8");
	pick(L, luaopen_table, table);
	luaL_setfuncs(L, table_functions, 0);
	sandbox_protect(L);
	lua_setfield(L, -2, "table");
}
