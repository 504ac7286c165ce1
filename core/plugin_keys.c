/* plugin_keys.c - a table's keys in order.
 *
 * The list is a userdata, never malloc's: whatever raises while it is in use, Lua gives it back, and it counts against
 * the run's memory.
 */
#include "plugin_keys.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

static int compare_numbers(const struct table_key *a, const struct table_key *b)
{
	if (a->is_integer && b->is_integer)
		return (a->integer > b->integer) - (a->integer < b->integer);
	/* a float key is never integral and a NaN is no key: long double holds both exactly */
	long double x = a->is_integer ? (long double)a->integer : (long double)a->number;
	long double y = b->is_integer ? (long double)b->integer : (long double)b->number;

	return (x > y) - (x < y);
}

static int compare_texts(struct bytes a, struct bytes b)
{
	int c = memcmp(a.data, b.data, a.len < b.len ? a.len : b.len);

	return c ? c : (a.len > b.len) - (a.len < b.len);
}

static int compare_keys(const void *x, const void *y)
{
	const struct table_key *a = x, *b = y;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	switch (a->kind) {
	case TABLE_KEY_BOOLEAN:
		return (a->integer > b->integer) - (a->integer < b->integer);
	case TABLE_KEY_NUMBER:
		return compare_numbers(a, b);
	default:
		return compare_texts(a->text, b->text);
	}
}

/* Most tables have a few keys, for which the calls of qsort cost more than the sorting. */
static void sort_keys(struct table_key *keys, size_t n)
{
	if (n > 8) {
		qsort(keys, n, sizeof(*keys), compare_keys);
		return;
	}
	for (size_t i = 1; i < n; i++) {
		struct table_key key = keys[i];
		size_t k = i;

		for (; k > 0 && compare_keys(&keys[k - 1], &key) > 0; k--)
			keys[k] = keys[k - 1];
		keys[k] = key;
	}
}

/* The key at the top of the stack, which stays.  false: of another type. */
static bool read_key(lua_State *L, struct table_key *key)
{
	switch (lua_type(L, -1)) {
	case LUA_TBOOLEAN:
		key->kind = TABLE_KEY_BOOLEAN;
		key->integer = lua_toboolean(L, -1);
		return true;
	case LUA_TNUMBER:
		key->kind = TABLE_KEY_NUMBER;
		key->is_integer = lua_isinteger(L, -1);
		if (key->is_integer)
			key->integer = lua_tointeger(L, -1);
		else
			key->number = lua_tonumber(L, -1);
		return true;
	case LUA_TSTRING:
		key->kind = TABLE_KEY_TEXT;
		key->text.data = lua_tolstring(L, -1, &key->text.len);
		return true;
	default:
		return false;
	}
}

static size_t count_keys(lua_State *L, int idx, void (*charge)(lua_State *L, long steps))
{
	size_t n = 0;

	lua_pushnil(L);
	while (lua_next(L, idx)) {
		lua_pop(L, 1);
		if (++n % 64 == 0 && charge)
			charge(L, 64);
	}
	return n;
}

struct table_key *table_keys(lua_State *L, int idx, void (*charge)(lua_State *L, long steps),
			     size_t *count, const char **refused)
{
	size_t n, i = 0;
	struct table_key *keys;

	idx = lua_absindex(L, idx);
	luaL_checkstack(L, 4, "keys");
	n = count_keys(L, idx, charge);
	keys = lua_newuserdatauv(L, (n + 1) * sizeof(*keys), 0);
	memset(keys, 0, (n + 1) * sizeof(*keys));
	lua_pushnil(L);
	while (lua_next(L, idx)) {
		lua_pop(L, 1);
		if (!read_key(L, &keys[i++])) {
			*refused = luaL_typename(L, -1);
			lua_pop(L, 2);
			return NULL;
		}
	}
	if (charge)
		charge(L, (long)n * 4);
	sort_keys(keys, n);
	*count = n;
	return keys;
}

void table_key_push(lua_State *L, const struct table_key *key)
{
	if (key->kind == TABLE_KEY_BOOLEAN)
		lua_pushboolean(L, (int)key->integer);
	else if (key->kind == TABLE_KEY_TEXT)
		lua_pushlstring(L, key->text.data, key->text.len);
	else if (key->is_integer)
		lua_pushinteger(L, key->integer);
	else
		lua_pushnumber(L, key->number);
}
