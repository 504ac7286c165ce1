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
/* As JSON text, at most 1 MiB: a table with a key 1 is an array, any other an object with text keys, in the order of
 * their bytes; an empty table is an object.  Texts must be UTF-8.  NULL, or why not. */
const char *value_to_json(lua_State *L, int idx, struct buf *buf);
/* Pushes the JSON text's value; strict (RFC 8259; depth 32, no name twice, no NUL, no half of a surrogate pair); null
 * is nil, so a member that is null is absent.  numbers_as_text: numbers come as strings, exactly as written.
 * NULL, or why not, with nothing pushed.  Runs out of Lua memory by raising, as any Lua call does. */
const char *value_from_json(lua_State *L, struct bytes json, bool numbers_as_text);
