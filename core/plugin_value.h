/* plugin_value.h - Lua values as bytes and as JSON, for journals, records and adapters.
 *
 * Only nil, booleans, numbers, strings and tables of these: depth at most 16, packed size at most 64 KiB, no cycles, keys
 * strings or integers.  Raw access only, no metamethod runs.  The same value always gives the same bytes.
 */
#pragma once
#include <lua.h>

#include "base.h"

/* Packs the value at idx behind buf.  NULL, or why not ("a function can't be kept", ...: static). */
const char *value_pack(lua_State *L, int idx, struct buf *buf);
/* Pushes one packed value and moves *data behind it.  false: broken bytes (nothing is pushed). */
bool value_unpack(lua_State *L, struct bytes *data);
/* As JSON text: a table with a key 1 or made by json_array is an array; an empty table is an object.  Strings must be UTF-8. */
const char *value_to_json(lua_State *L, int idx, struct buf *buf);
/* Pushes the JSON text's value; strict (depth 32, no duplicate keys, no NUL or lone surrogate); null becomes nil, or
 * `null_key`'s registry value where it is not 0.  numbers_as_text: numbers come as strings, exactly as written.
 * NULL, or why not, with nothing pushed. */
const char *value_from_json(lua_State *L, struct bytes json, bool numbers_as_text);
