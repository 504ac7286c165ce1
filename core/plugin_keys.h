/* plugin_keys.h - a table's keys in an order that is the same in every process: booleans, numbers, texts by bytes. */
#pragma once
#include <lua.h>

#include "base.h"

struct table_key {
	enum { TABLE_KEY_BOOLEAN, TABLE_KEY_NUMBER, TABLE_KEY_TEXT } kind;
	bool is_integer;
	lua_Integer integer; /* a boolean's value too */
	lua_Number number;   /* where it is a number and not an integer */
	struct bytes text;   /* lives as long as the table holds the key */
};

/* Pushes one value that owns the list, and gives the list and its length.  NULL, with nothing pushed: a key is of another type,
 * and *refused names that (static).  charge (may be NULL) is told of the work done; it and the lack of memory may raise, and
 * nothing is lost then: the list is Lua's. */
struct table_key *table_keys(lua_State *L, int idx, void (*charge)(lua_State *L, long steps),
			     size_t *count, const char **refused);
void table_key_push(lua_State *L, const struct table_key *key);
