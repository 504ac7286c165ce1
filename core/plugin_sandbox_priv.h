/* plugin_sandbox_priv.h - what the sandbox's files share: the state, a run, and how a run dies. */
#pragma once
#include <lua.h>

#include "plugin_sandbox.h"
#include "plugin_sandbox_pool.h"

/* Instructions between two looks at the budget; also what each new or resumed coroutine is charged,
 * because its count begins anew. */
enum { HOOK_PERIOD = 500, SANDBOX_ERROR_MAX = 1024, SANDBOX_ELEMENTS_MAX = 100000 };

struct sandbox {
	lua_State *L; /* owned */
	struct sandbox_limits limits;
	struct pool pool;            /* owned: the small of Lua's blocks */
	size_t used;                 /* bytes of Lua memory */
	struct sandbox_run *current; /* whose code runs now, or NULL */
	bool lifted;                 /* host code: no memory caps */
	bool spoiled;
	int shared;      /* registry: the table of all globals, shared and read-only */
	int env_meta;    /* registry: metatable of environments, while a file is loaded */
	int frozen_meta; /* registry: and afterwards */
	int holder;      /* registry: makes the closure that holds a run's environment */
	int files;       /* registry: name -> compiled main function */
	unsigned file_count;
};

struct sandbox_run {
	struct sandbox *sandbox; /* borrowed */
	void *owner;
	lua_State *thread;
	int thread_ref, env_ref;
	int loaded_ref;        /* what `require` has loaded; LUA_NOREF until it is called */
	enum sandbox_end dead; /* SANDBOX_DONE: alive */
	bool requested, loading;
	long instructions;
	int64_t cpu_used,
		cpu_since; /* microseconds of thread CPU: of this budget before, and the slice's start */
	int64_t wall_since; /* microseconds: the slice's start on the wall; 0: not looked at yet */
	int64_t grown;      /* bytes */
	struct buf log;
	uint64_t random[4];
	int64_t now;
	char *error; /* owned, SANDBOX_ERROR_MAX + 1 bytes; NULL: none, as with nearly all */
};

struct sandbox *sandbox_of(lua_State *L);
/* Marks the run dead, if it isn't, and leaves by a yield or, where none is possible, an error. */
int sandbox_die(lua_State *L, enum sandbox_end why, const char *what);
/* After anything that may have run plugin code: leaves at once where the run has died meanwhile. */
void sandbox_check_dead(lua_State *L, int status);
bool sandbox_is_protected(lua_State *L, int idx); /* a table that plugins may not change */
/* Replaces the table on top of the stack by a read-only view of it, deeply. */
void sandbox_protect(lua_State *L);
/* Pushes the file's main function, its globals those of the run. false: no such file, nothing pushed. */
bool sandbox_push_file(lua_State *L, struct sandbox_run *run, const char *name);
/* Copies the named functions of a stock library into the table on top of the stack. */
void sandbox_pick(lua_State *L, lua_CFunction open, const char *const *names);
/* Puts the libraries into the table on top of the stack. */
void sandbox_open_base(lua_State *L);      /* plugin_sandbox_base.c */
void sandbox_open_require(lua_State *L);   /* only where there is more than one file */
void sandbox_open_libraries(lua_State *L); /* plugin_sandbox_lib.c */
void sandbox_open_patterns(
	lua_State *L); /* plugin_pattern.c: find, match, gmatch, gsub into the table on top */
int sandbox_tostring(lua_State *L); /* tostring(v) without addresses; also for string.format */
