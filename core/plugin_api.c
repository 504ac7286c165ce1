/* plugin_api.c - what all calls share, and the calls that are no table's.
 *
 * A binding runs on the dialog's coroutine under its budget and memory cap, so anything may raise: nothing is taken there
 * that isn't the run's or Lua's.
 */
#include "plugin_api.h"

#include <lauxlib.h>
#include <string.h>

#include "utf8.h"

struct run *check_run(lua_State *L)
{
	struct run *run = sandbox_owner(L);

	if (!run || !run->call)
		luaL_error(L, "this can't be called while the file is loaded, only in a dialog");
	return run;
}

/* FNV-1a, 64 bits: it tells changed code from unchanged code, nobody gains by a collision. */
static uint64_t hash_bytes(uint64_t hash, const void *data, size_t len)
{
	const unsigned char *at = data;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ at[i]) * UINT64_C(0x100000001B3);
	return hash;
}

void run_hash(struct run *run, char tag, const void *data, size_t len)
{
	uint64_t size = len;

	run->hash = hash_bytes(run->hash, &tag, 1);
	run->hash = hash_bytes(run->hash, &size, sizeof(size));
	run->hash = hash_bytes(run->hash, data, len);
}

void run_request_begin(struct run *run, enum request_kind kind)
{
	arena_free(&run->request_arena);
	run->request = (struct request){ .kind = kind,
					 .shape = { "", 0 },
					 .text = { "", 0 },
					 .prompt = { "", 0 },
					 .inputs = { "", 0 } };
	run->write = NULL;
	run->query = (struct record_query){ 0 };
}

int run_request(lua_State *L, struct run *run)
{
	unsigned char kind = (unsigned char)run->request.kind;

	run_hash(run, 'r', &kind, 1);
	run->request.hash = run->hash;
	return sandbox_request(L);
}

struct bytes check_words(lua_State *L, int idx, int arg, size_t max, const char *what)
{
	size_t len;
	const char *text = luaL_checklstring(L, idx, &len);

	if (len == 0)
		luaL_argerror(L, arg, lua_pushfstring(L, "%s is empty", what));
	if (len > max)
		luaL_argerror(L, arg,
			      lua_pushfstring(L, "%s has %d bytes; at most %d are allowed", what,
					      (int)len, (int)max));
	if (!utf8_valid(text, len))
		luaL_argerror(L, arg, lua_pushfstring(L, "%s is not valid UTF-8", what));
	for (size_t i = 0; i < len; i++)
		if (((unsigned char)text[i] < 0x20 && text[i] != '\n') || text[i] == 0x7F)
			luaL_argerror(L, arg,
				      lua_pushfstring(L, "%s has a control character", what));
	return (struct bytes){ text, len };
}

/* code() -> text                                                                    [-0, +1, v]
 * A ticket's code: five characters by chance and one that checks them, none of them 0, O, 1, I or L.
 * Shape: 31 characters are a prime number, so the check finds every wrong character and every two that were swapped.
 */
static int api_code(lua_State *L)
{
	static const char letters[] = "23456789ABCDEFGHJKMNPQRSTUVWXYZ";
	enum { LETTERS = sizeof(letters) - 1, RANDOM = 5 };
	struct run *run = check_run(L);
	char code[RANDOM + 1];
	unsigned sum = 0;

	for (unsigned i = 0; i < RANDOM; i++) {
		unsigned n = (unsigned)(sandbox_run_random(run->sandbox) % LETTERS);

		code[i] = letters[n];
		sum += (i + 1) * n;
	}
	code[RANDOM] = letters[sum % LETTERS];
	lua_pushlstring(L, code, sizeof(code));
	return 1;
}

void api_provide_globals(lua_State *L, struct program *program)
{
	lua_pushcfunction(L, api_code);
	sandbox_provide(program->sandbox, "code");
	sandbox_push_provided(program->sandbox, "print");
	sandbox_provide(program->sandbox, "log");
}
