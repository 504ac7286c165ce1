/* plugin_run_look.c - a run seen from outside: where it waits, and all that its future may depend on.
 *
 * Nothing of it is needed to run a dialog, and nothing of it changes one: `kentongan check` tells states apart with it.
 */
#include <lauxlib.h>
#include <string.h>

#include "plugin_api.h"
#include "plugin_value.h"

enum { LEVELS_MAX = 200, REACH = 3 }; /* functions that functions hold */

/* ---- where ---- */

struct look {
	struct run *run;
	struct arena *arena;
	struct run_place place;
	struct buf buf;
	uint64_t hash;
};

static void look_where(lua_State *L UNUSED, void *arg)
{
	struct look *look = arg;
	lua_State *thread = sandbox_run_thread(look->run->sandbox);
	lua_Debug ar;

	if (!look->run->started) {
		lua_pushvalue(thread, -1);
		lua_getinfo(thread, ">S", &ar);
		look->place.line = ar.linedefined;
		look->place.file = arena_strdup(look->arena, ar.short_src);
		return;
	}
	for (int level = 0; level < LEVELS_MAX && lua_getstack(thread, level, &ar); level++) {
		lua_getinfo(thread, "Sl", &ar);
		if (ar.currentline <= 0)
			continue;
		look->place.line = ar.currentline;
		look->place.file = arena_strdup(look->arena, ar.short_src);
		return;
	}
}

struct run_place run_place(struct run *run, struct arena *arena)
{
	struct look look = { .run = run, .arena = arena, .place.file = "" };

	look.place.kind = run->request.kind; /* NONE where the function has returned */
	if (!sandbox_protected(run->program->sandbox, look_where, &look))
		look.place.line = 0;
	return look.place;
}

/* ---- state ---- */

/* FNV-1a, 64 bits. */
static void mix(struct look *look, const void *data, size_t len)
{
	const unsigned char *at = data;

	for (size_t i = 0; i < len; i++)
		look->hash = (look->hash ^ at[i]) * UINT64_C(0x100000001B3);
}

static void mix_number(struct look *look, int64_t number)
{
	mix(look, &number, sizeof(number));
}

static void mix_outer(struct look *look, lua_State *L, int idx, int reach);

/* The value on top of the stack, which goes. What can't be kept, such as a function, counts by its kind and by what it holds. */
static void mix_value(struct look *look, lua_State *L, int reach)
{
	int type = lua_type(L, -1);

	mix_number(look, type);
	buf_reset(&look->buf);
	if (type == LUA_TFUNCTION)
		mix_outer(look, L, lua_gettop(L), reach - 1);
	else if (!value_pack(L, -1, &look->buf))
		mix(look, look->buf.data, look->buf.len);
	lua_pop(L, 1);
}

/* What a function holds of what lies outside of it. */
static void mix_outer(struct look *look, lua_State *L, int idx, int reach)
{
	const char *name;

	if (reach < 0 || !lua_checkstack(L, 10))
		return;
	for (int i = 1; (name = lua_getupvalue(L, idx, i)); i++) {
		if (strcmp(name, "_ENV") == 0)
			lua_pop(L, 1);
		else
			mix_value(look, L, reach);
	}
}

static void look_level(struct look *look, lua_State *L, lua_State *thread, lua_Debug *ar)
{
	lua_getinfo(thread, "Slf", ar);
	mix(look, ar->short_src, strlen(ar->short_src));
	mix_number(look, ar->currentline);
	lua_xmove(thread, L, 1);
	mix_outer(look, L, lua_gettop(L), REACH);
	lua_pop(L, 1);
	if (ar->currentline <= 0)
		return; /* a C function: what it was called with is hashed with the request */
	for (int i = 1; lua_getlocal(thread, ar, i); i++) {
		lua_xmove(thread, L, 1);
		mix_value(look, L, REACH);
	}
}

static void look_state(lua_State *L, void *arg)
{
	struct look *look = arg;
	lua_State *thread = sandbox_run_thread(look->run->sandbox);
	lua_Debug ar;

	if (!lua_checkstack(thread, 10) || !lua_checkstack(L, 10))
		return;
	for (int level = 0; level < LEVELS_MAX && lua_getstack(thread, level, &ar); level++)
		look_level(look, L, thread, &ar);
}

uint64_t run_state(struct run *run)
{
	struct look look = { .run = run, .hash = run->request.hash };

	if (!sandbox_protected(run->program->sandbox, look_state, &look))
		look.hash = 0;
	buf_free(&look.buf);
	return look.hash;
}
