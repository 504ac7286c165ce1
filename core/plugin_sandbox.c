/* plugin_sandbox.c - one Lua state and the runs in it: memory, budgets, and an end that nothing catches.
 *
 * A state is shared by all dialogs of one bundle, because a state for each costs ten times a step.  So a
 * run has an environment of its own, in which the compiled chunk is run anew: the compiled main function is
 * kept, and its _ENV is joined to a fresh upvalue before each run, so that what earlier runs made keeps
 * theirs.  A limit ends a run by a yield, which passes every pcall at once, or where a C function stands
 * between, by an error that our pcall raises again.  The rules are security.md's, section 2.
 */
#include "plugin_sandbox.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "plugin_sandbox_priv.h"
#include "utf8.h"

const struct sandbox_limits sandbox_default_limits = {
	.instructions = 1000000,
	.cpu_us = 100000,
	.memory = 16 << 20,
	.allocation = 1 << 20,
	.state_memory = 64 << 20,
	.source = 32 << 10,
	.log = 4 << 10,
};

/* Its address marks the metatables of read-only tables; no plugin can make such a key. */
static const char protected_key;

struct sandbox *sandbox_of(lua_State *L)
{
	return *(struct sandbox **)lua_getextraspace(L);
}

/* Memory checkers shall see each block by itself. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { POOLED_MAX = 0 };
#else
enum { POOLED_MAX = POOL_SMALL_MAX };
#endif

/* What lies free in the pool can't serve other sizes, so it holds more than is used.  Where that is much, it is a breach too:
 * code that fills memory with one size after another shall not get each of them in full. */
static bool over_limit(const struct sandbox *sandbox, size_t size, size_t growth)
{
	const struct sandbox_run *run = sandbox->current;
	const struct sandbox_limits *limits = &sandbox->limits;

	if (sandbox->lifted)
		return false;
	return size > limits->allocation || sandbox->used + growth > limits->state_memory ||
	       sandbox->pool.held > 2 * limits->state_memory ||
	       (run && run->grown + (int64_t)growth > (int64_t)limits->memory);
}

static bool is_pooled(size_t size)
{
	return size <= POOLED_MAX;
}

static void *take_block(struct sandbox *sandbox, size_t size)
{
	return is_pooled(size) ? pool_take(&sandbox->pool, size) : xmalloc(size);
}

static void give_block(struct sandbox *sandbox, void *block, size_t size)
{
	if (is_pooled(size))
		pool_give(&sandbox->pool, block, size);
	else
		free(block);
}

static void *change_block(struct sandbox *sandbox, void *block, size_t old, size_t size)
{
	void *moved;

	if (!is_pooled(old) && !is_pooled(size))
		return xrealloc(block, size);
	if (is_pooled(old) && is_pooled(size) && pool_same(old, size))
		return block;
	moved = take_block(sandbox, size);
	memcpy(moved, block, old < size ? old : size);
	give_block(sandbox, block, old);
	return moved;
}

static void account(struct sandbox *sandbox, size_t old, size_t size)
{
	sandbox->used += size - old;
	if (sandbox->current)
		sandbox->current->grown += (int64_t)size - (int64_t)old;
}

/* Lua's allocator.  Only growth is refused: Lua relies on shrinking to succeed. */
static void *sandbox_alloc(void *arg, void *block, size_t old, size_t size)
{
	struct sandbox *sandbox = arg;

	if (!block)
		old = 0; /* Lua passes the kind of object then */
	if (size > old && over_limit(sandbox, size, size - old))
		return NULL;
	account(sandbox, old, size);
	if (old == 0)
		return size == 0 ? NULL : take_block(sandbox, size);
	if (size > 0)
		return change_block(sandbox, block, old, size);
	give_block(sandbox, block, old);
	return NULL;
}

static int64_t microseconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

/* The thread's own clock costs a system call, as much as a whole short step does.  So a slice is timed from the
 * first look at its budget, and looked up there only where the clock on the wall, which is never slower, says
 * that the limit may be reached. */
static bool out_of_time(struct sandbox_run *run)
{
	int64_t wall = microseconds(CLOCK_MONOTONIC), limit = run->sandbox->limits.cpu_us;

	if (run->wall_since == 0) {
		run->wall_since = wall;
		run->cpu_since = microseconds(CLOCK_THREAD_CPUTIME_ID);
	}
	return run->cpu_used + wall - run->wall_since > limit &&
	       run->cpu_used + microseconds(CLOCK_THREAD_CPUTIME_ID) - run->cpu_since > limit;
}

static void count_hook(lua_State *L, lua_Debug *ar);

/* Where the plugin is: "survey:12: ", or "". */
static void where_is(lua_State *L, char *out, size_t size)
{
	lua_Debug ar;

	out[0] = '\0';
	for (int level = 0; level < 20 && lua_getstack(L, level, &ar); level++) {
		lua_getinfo(L, "Sl", &ar);
		if (ar.currentline > 0) {
			snprintf(out, size, "%s:%d: ", ar.short_src, ar.currentline);
			return;
		}
	}
}

/* Cuts, and replaces what is not text, so that the error can be logged and shown. */
static void set_error(char out[static SANDBOX_ERROR_MAX + 1], const char *text, size_t len)
{
	struct arena arena = { 0 };
	struct bytes clean;
	bool cut;
	size_t n;

	if (len > SANDBOX_ERROR_MAX)
		len = SANDBOX_ERROR_MAX;
	clean = utf8_clean(&arena, (struct bytes){ text, len }, SANDBOX_ERROR_MAX, &cut);
	n = clean.len < SANDBOX_ERROR_MAX ? clean.len : SANDBOX_ERROR_MAX;
	while (n > 0 && n < clean.len && ((unsigned char)clean.data[n] & 0xC0) == 0x80)
		n--;
	memcpy(out, clean.data, n);
	out[n] = '\0';
	for (char *c = out; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7F)
			*c = ' ';
	arena_free(&arena);
}

static void run_error(struct sandbox_run *run, const char *text, size_t len)
{
	if (!run->error)
		run->error = xcalloc(1, SANDBOX_ERROR_MAX + 1);
	set_error(run->error, text, len);
}

int sandbox_die(lua_State *L, enum sandbox_end why, const char *what)
{
	struct sandbox_run *run = sandbox_of(L)->current;
	char where[LUA_IDSIZE + 32], text[LUA_IDSIZE + 160];

	if (run && run->dead == SANDBOX_DONE) {
		run->dead = why;
		where_is(L, where, sizeof(where));
		snprintf(text, sizeof(text), "%s%s", where, what);
		run_error(run, text, strlen(text));
		if (why == SANDBOX_MEMORY)
			sandbox_of(L)->spoiled = true;
	}
	lua_sethook(L, count_hook, LUA_MASKCOUNT, 1);
	if (lua_isyieldable(L))
		return lua_yield(L, 0);
	lua_pushliteral(L, "stopped");
	return lua_error(L);
}

void sandbox_check_dead(lua_State *L, int status)
{
	struct sandbox_run *run = sandbox_of(L)->current;

	if (!run)
		return;
	if (status == LUA_ERRMEM)
		sandbox_die(L, SANDBOX_MEMORY, "out of memory");
	if (run->dead != SANDBOX_DONE)
		sandbox_die(L, run->dead, sandbox_run_error(run));
}

static void check_budget(lua_State *L, struct sandbox_run *run)
{
	const struct sandbox_limits *limits = &run->sandbox->limits;

	if (run->dead != SANDBOX_DONE)
		sandbox_die(L, run->dead, sandbox_run_error(run));
	else if (run->instructions > limits->instructions)
		sandbox_die(L, SANDBOX_STOPPED, "stopped: too many instructions in one step");
	else if (out_of_time(run))
		sandbox_die(L, SANDBOX_STOPPED, "stopped: too much processor time in one step");
}

static void count_hook(lua_State *L, lua_Debug *ar UNUSED)
{
	struct sandbox_run *run = sandbox_of(L)->current;

	if (!run)
		return;
	run->instructions += HOOK_PERIOD;
	check_budget(L, run);
}

void sandbox_charge(lua_State *L, long instructions)
{
	struct sandbox_run *run = sandbox_of(L)->current;
	long before;

	if (!run)
		return;
	before = run->instructions / HOOK_PERIOD;
	run->instructions += instructions;
	if (run->instructions / HOOK_PERIOD != before)
		check_budget(L, run);
}

bool sandbox_is_protected(lua_State *L, int idx)
{
	bool protected = false;

	if (lua_getmetatable(L, idx)) {
		protected = lua_rawgetp(L, -1, &protected_key) != LUA_TNIL;
		lua_pop(L, 2);
	}
	return protected;
}

static int refuse_change(lua_State *L)
{
	return luaL_error(L, "this table can't be changed");
}

static int refuse_global(lua_State *L)
{
	const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "?";

	return luaL_error(L, "global '%s' is read-only now: what must be kept belongs in records",
			  name);
}

void sandbox_protect(lua_State *L)
{
	int real = lua_gettop(L);

	luaL_checkstack(L, 8, "protect");
	lua_pushnil(L);
	while (lua_next(
		L, real)) { /* replacing the value of a key that is there is allowed meanwhile */
		if (lua_istable(L, -1) && !sandbox_is_protected(L, -1)) {
			lua_pushvalue(L, -2);
			lua_insert(L, -2);
			sandbox_protect(L);
			lua_rawset(L, real);
		} else {
			lua_pop(L, 1);
		}
	}
	lua_createtable(L, 0, 0);
	lua_createtable(L, 0, 4);
	lua_pushvalue(L, real);
	lua_setfield(L, -2, "__index");
	lua_pushcfunction(L, refuse_change);
	lua_setfield(L, -2, "__newindex");
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_pushboolean(L, 1);
	lua_rawsetp(L, -2, &protected_key);
	lua_setmetatable(L, -2);
	lua_replace(L, real);
}

/* The metatable of environments: what isn't there is looked up in the shared table. */
static int make_env_meta(lua_State *L, int shared, bool frozen)
{
	lua_createtable(L, 0, 3);
	lua_rawgeti(L, LUA_REGISTRYINDEX, shared);
	lua_setfield(L, -2, "__index");
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	if (frozen) {
		lua_pushcfunction(L, refuse_global);
		lua_setfield(L, -2, "__newindex");
	}
	return luaL_ref(L, LUA_REGISTRYINDEX);
}

static int set_up(lua_State *L)
{
	struct sandbox *sandbox = lua_touserdata(L, 1);

	lua_newtable(L);
	sandbox_open_base(L);
	sandbox_open_libraries(L);
	sandbox->shared = luaL_ref(L, LUA_REGISTRYINDEX);
	sandbox->env_meta = make_env_meta(L, sandbox->shared, false);
	sandbox->frozen_meta = make_env_meta(L, sandbox->shared, true);
	if (luaL_loadstring(L, "local env = ... return function() return env end") != LUA_OK)
		return lua_error(L);
	sandbox->holder = luaL_ref(L, LUA_REGISTRYINDEX);
	lua_newtable(L);
	sandbox->files = luaL_ref(L, LUA_REGISTRYINDEX);
	return 0;
}

struct sandbox *sandbox_new(const struct sandbox_limits *limits)
{
	struct sandbox *sandbox = xcalloc(1, sizeof(*sandbox));

	sandbox->limits = *limits;
	sandbox->lifted = true;
	sandbox->L = lua_newstate(sandbox_alloc, sandbox);
	if (!sandbox->L)
		abort();
	*(struct sandbox **)lua_getextraspace(sandbox->L) = sandbox;
	lua_pushcfunction(sandbox->L, set_up);
	lua_pushlightuserdata(sandbox->L, sandbox);
	if (lua_pcall(sandbox->L, 1, 0, 0) != LUA_OK)
		abort(); /* our own set-up: it fails always or never */
	sandbox->lifted = false;
	return sandbox;
}

void sandbox_free(struct sandbox *sandbox)
{
	if (!sandbox)
		return;
	sandbox->lifted = true;
	lua_close(sandbox->L);
	pool_free(&sandbox->pool);
	free(sandbox);
}

lua_State *sandbox_lua(struct sandbox *sandbox)
{
	return sandbox->L;
}

size_t sandbox_memory(const struct sandbox *sandbox)
{
	return sandbox->used;
}

bool sandbox_spoiled(const struct sandbox *sandbox)
{
	size_t most = sandbox->limits.state_memory;

	return sandbox->spoiled || sandbox->used > most || sandbox->pool.held > most;
}

struct protected_call {
	void (*fn)(lua_State *L, void *arg);
	void *arg;
};

static int call_protected(lua_State *L)
{
	struct protected_call *call = lua_touserdata(L, 1);

	lua_settop(L, 0);
	call->fn(L, call->arg);
	return 0;
}

bool sandbox_protected(struct sandbox *sandbox, void (*fn)(lua_State *L, void *arg), void *arg)
{
	struct protected_call call = { fn, arg };
	bool lifted = sandbox->lifted;
	int status;

	sandbox->lifted = true;
	lua_pushcfunction(sandbox->L, call_protected);
	lua_pushlightuserdata(sandbox->L, &call);
	status = lua_pcall(sandbox->L, 1, 0, 0);
	if (status != LUA_OK)
		lua_pop(sandbox->L, 1);
	sandbox->lifted = lifted;
	return status == LUA_OK;
}

void sandbox_provide(struct sandbox *sandbox, const char *name)
{
	lua_State *L = sandbox->L;

	if (lua_istable(L, -1))
		sandbox_protect(L);
	lua_rawgeti(L, LUA_REGISTRYINDEX, sandbox->shared);
	lua_insert(L, -2);
	lua_setfield(L, -2, name);
	lua_pop(L, 1);
}

void sandbox_push_provided(struct sandbox *sandbox, const char *name)
{
	lua_rawgeti(sandbox->L, LUA_REGISTRYINDEX, sandbox->shared);
	lua_getfield(sandbox->L, -1, name);
	lua_remove(sandbox->L, -2);
}

struct file {
	struct sandbox *sandbox;
	const char *name, *source;
	size_t len;
	char error[SANDBOX_ERROR_MAX + 1];
};

static void add_file(lua_State *L, void *arg)
{
	struct file *file = arg;
	char chunk[LUA_IDSIZE];

	snprintf(chunk, sizeof(chunk), "=%s", file->name);
	if (luaL_loadbufferx(L, file->source, file->len, chunk, "t") != LUA_OK) {
		size_t len;
		const char *text = lua_tolstring(L, -1, &len);

		set_error(file->error, text ? text : "can't be compiled", text ? len : 17);
		return;
	}
	lua_rawgeti(L, LUA_REGISTRYINDEX, file->sandbox->files);
	lua_insert(L, -2);
	lua_setfield(L, -2, file->name);
	if (++file->sandbox->file_count == 2) {
		lua_rawgeti(L, LUA_REGISTRYINDEX, file->sandbox->shared);
		sandbox_open_require(L);
	}
}

bool sandbox_add(struct sandbox *sandbox, const char *name, const char *source, size_t len,
		 char *error, size_t error_size)
{
	struct file file = { .sandbox = sandbox, .name = name, .source = source, .len = len };

	if (len > sandbox->limits.source) {
		snprintf(error, error_size,
			 "%s: the file has %zu bytes; at most %zu are allowed: split it and "
			 "require the parts",
			 name, len, sandbox->limits.source);
		return false;
	}
	if (!sandbox_protected(sandbox, add_file, &file) && !file.error[0])
		snprintf(file.error, sizeof(file.error), "%s: can't be compiled", name);
	snprintf(error, error_size, "%s", file.error);
	return !file.error[0];
}

bool sandbox_push_file(lua_State *L, struct sandbox_run *run, const char *name)
{
	struct sandbox *sandbox = run->sandbox;

	luaL_checkstack(L, 6, "file");
	lua_rawgeti(L, LUA_REGISTRYINDEX, sandbox->files);
	lua_pushstring(L, name);
	if (lua_rawget(L, -2) != LUA_TFUNCTION) {
		lua_pop(L, 2);
		return false;
	}
	lua_remove(L, -2);
	lua_rawgeti(L, LUA_REGISTRYINDEX, sandbox->holder);
	lua_rawgeti(L, LUA_REGISTRYINDEX, run->env_ref);
	lua_call(L, 1, 1);
	lua_upvaluejoin(L, -2, 1, -1, 1);
	lua_pop(L, 1);
	return true;
}

struct sandbox_run *sandbox_run_new(struct sandbox *sandbox, void *owner)
{
	struct sandbox_run *run = xcalloc(1, sizeof(*run));

	run->sandbox = sandbox;
	run->owner = owner;
	run->thread_ref = run->env_ref = run->loaded_ref = LUA_NOREF;
	sandbox_run_seed(run, 0);
	return run;
}

/* Drops the references and leaves the rest to the collector: closing the coroutine would run its __close
 * handlers without limits. */
void sandbox_run_free(struct sandbox_run *run)
{
	if (!run)
		return;
	luaL_unref(run->sandbox->L, LUA_REGISTRYINDEX, run->thread_ref);
	luaL_unref(run->sandbox->L, LUA_REGISTRYINDEX, run->env_ref);
	luaL_unref(run->sandbox->L, LUA_REGISTRYINDEX, run->loaded_ref);
	buf_free(&run->log);
	free(run->error);
	free(run);
}

void sandbox_run_own(struct sandbox_run *run, void *owner)
{
	run->owner = owner;
}

lua_State *sandbox_run_thread(struct sandbox_run *run)
{
	return run->thread;
}

void sandbox_run_budget(struct sandbox_run *run)
{
	run->instructions = 0;
	run->cpu_used = 0;
	buf_reset(&run->log);
}

/* What an error left on the coroutine's stack, if it is text: nothing of the plugin may run to make it so. */
static void take_error(struct sandbox_run *run)
{
	size_t len;

	if (lua_gettop(run->thread) > 0 && lua_type(run->thread, -1) == LUA_TSTRING) {
		const char *text = lua_tolstring(run->thread, -1, &len);

		run_error(run, text, len);
	} else {
		run_error(run, "error with a value that is not a text", 37);
	}
}

static enum sandbox_end end_of(struct sandbox_run *run, int status, int *nresults)
{
	if (run->dead != SANDBOX_DONE)
		return run->dead;
	if (status == LUA_OK)
		return SANDBOX_DONE;
	if (status == LUA_YIELD && run->requested) {
		lua_pop(run->thread, *nresults);
		*nresults = 0;
		return SANDBOX_REQUEST;
	}
	if (status == LUA_YIELD) {
		run_error(run, "coroutine.yield outside a coroutine", 35);
	} else if (status == LUA_ERRMEM) {
		char where[LUA_IDSIZE + 32], text[LUA_IDSIZE + 64];

		where_is(run->thread, where, sizeof(where)); /* the stack is as it was */
		snprintf(text, sizeof(text), "%sout of memory", where);
		run_error(run, text, strlen(text));
		run->sandbox->spoiled = true;
		return run->dead = SANDBOX_MEMORY;
	} else {
		take_error(run);
	}
	return run->dead = SANDBOX_ERROR;
}

enum sandbox_end sandbox_run_resume(struct sandbox_run *run, int nargs, int *nresults)
{
	struct sandbox *sandbox = run->sandbox;
	int status;

	*nresults = 0;
	if (run->dead != SANDBOX_DONE)
		return run->dead;
	run->requested = false;
	run->wall_since = 0;
	sandbox->current = run;
	lua_sethook(run->thread, count_hook, LUA_MASKCOUNT, HOOK_PERIOD);
	status = lua_resume(run->thread, sandbox->L, nargs, nresults);
	sandbox->current = NULL;
	if (run->wall_since != 0)
		run->cpu_used += microseconds(CLOCK_THREAD_CPUTIME_ID) - run->cpu_since;
	return end_of(run, status, nresults);
}

struct load {
	struct sandbox_run *run;
	const char *name;
	bool found;
};

/* The run's coroutine, with the file's main function on it, and its environment. */
static void make_run(lua_State *L, void *arg)
{
	struct load *load = arg;
	struct sandbox_run *run = load->run;

	run->thread = lua_newthread(L);
	run->thread_ref = luaL_ref(L, LUA_REGISTRYINDEX);
	lua_createtable(L, 0, 1);
	lua_pushliteral(L, "_G");
	lua_pushvalue(L, -2);
	lua_rawset(L, -3);
	lua_rawgeti(L, LUA_REGISTRYINDEX, run->sandbox->env_meta);
	lua_setmetatable(L, -2);
	run->env_ref = luaL_ref(L, LUA_REGISTRYINDEX);
	load->found = sandbox_push_file(L, run, load->name);
	if (load->found)
		lua_xmove(L, run->thread, 1);
}

enum sandbox_end sandbox_run_load(struct sandbox_run *run, const char *name)
{
	struct load load = { .run = run, .name = name };
	size_t before = run->sandbox->used;
	enum sandbox_end end;
	int nresults;

	if (!sandbox_protected(run->sandbox, make_run, &load) || !load.found) {
		char text[SANDBOX_ERROR_MAX];

		snprintf(text, sizeof(text), "%s: no such file in this plugin", name);
		run_error(run, text, strlen(text));
		return run->dead = SANDBOX_ERROR;
	}
	run->grown = (int64_t)run->sandbox->used - (int64_t)before;
	sandbox_run_budget(run);
	run->loading = true;
	end = sandbox_run_resume(run, 0, &nresults);
	run->loading = false;
	if (end == SANDBOX_DONE) /* one result, nil where there is none */
		lua_settop(run->thread, lua_gettop(run->thread) - nresults + 1);
	return end;
}

void sandbox_run_freeze(struct sandbox_run *run)
{
	lua_State *L = run->sandbox->L; /* nothing here needs memory, so nothing raises */

	lua_rawgeti(L, LUA_REGISTRYINDEX, run->env_ref);
	lua_rawgeti(L, LUA_REGISTRYINDEX, run->sandbox->frozen_meta);
	lua_setmetatable(L, -2);
	lua_pop(L, 1);
}

long sandbox_run_instructions(const struct sandbox_run *run)
{
	return run->instructions;
}

const char *sandbox_run_error(const struct sandbox_run *run)
{
	return run->error ? run->error : "";
}

struct bytes sandbox_run_log(const struct sandbox_run *run)
{
	return (struct bytes){ run->log.data ? run->log.data : "", run->log.len };
}

size_t sandbox_run_kept(const struct sandbox_run *run)
{
	return run->grown > 0 ? (size_t)run->grown : 0;
}

struct sandbox_run *sandbox_check_run(lua_State *L)
{
	struct sandbox_run *run = sandbox_of(L)->current;

	if (!run)
		luaL_error(L, "called outside a run");
	sandbox_check_dead(L, LUA_OK);
	return run;
}

void *sandbox_owner(lua_State *L)
{
	return sandbox_check_run(L)->owner;
}

int sandbox_request(lua_State *L)
{
	struct sandbox_run *run = sandbox_check_run(L);

	if (run->loading)
		return luaL_error(
			L, "this can't be called while the file is loaded, only in a dialog");
	if (L != run->thread)
		return luaL_error(
			L, "this can't be called inside a coroutine, only in the dialog itself");
	if (!lua_isyieldable(L))
		return luaL_error(L, "this can't be called inside sort, gsub or a metamethod");
	run->requested = true;
	return lua_yield(L, 0);
}

int sandbox_end(lua_State *L)
{
	return sandbox_die(L, SANDBOX_ENDED, "ended");
}

/* splitmix64, to spread a seed over the generator's state. */
void sandbox_run_seed(struct sandbox_run *run, uint64_t seed)
{
	for (unsigned i = 0; i < ARRAY_LEN(run->random); i++) {
		uint64_t z = (seed += 0x9E3779B97F4A7C15u);

		z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
		z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
		run->random[i] = z ^ (z >> 31);
	}
}

static uint64_t rotate(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

/* xoshiro256** by Blackman and Vigna, in the public domain. */
uint64_t sandbox_run_random(struct sandbox_run *run)
{
	uint64_t *s = run->random;
	uint64_t result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate(s[3], 45);
	return result;
}

void sandbox_run_time(struct sandbox_run *run, int64_t seconds)
{
	run->now = seconds;
}
