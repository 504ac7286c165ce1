/* plugin_sandbox.h - what Lua can't: memory, time, libraries.  The specification is the reference's security.md, 2.
 *
 * A sandbox is one Lua state that belongs to one bundle on one worker (or to one telco adapter on the loop);
 * only one thread uses it at a time.  A run is one dialog's life in it: an environment of its own in which the
 * chunk is run anew, one coroutine, one account of memory, one budget for each step.  A run that breached a
 * limit is dead: nothing of it is ever resumed, whatever its code catches.
 */
#pragma once
#include <lua.h>

#include "base.h"

struct sandbox;
struct sandbox_run;

struct sandbox_limits {
	long instructions;   /* for one step: 1,000,000 */
	long cpu_us;         /* thread CPU of one step: 100,000 */
	size_t memory;       /* growth of one run: 16 MiB */
	size_t allocation;   /* one block: 1 MiB */
	size_t state_memory; /* the whole state: 64 MiB */
	size_t source;       /* one file: 32 KiB */
	size_t log;          /* print and log of one step: 4 KiB */
};
extern const struct sandbox_limits sandbox_default_limits;

struct sandbox *sandbox_new(const struct sandbox_limits *limits) MUST_CHECK; /* limits are copied */
void sandbox_free(struct sandbox *sandbox); /* NULL is fine; its runs must be freed before */

/* Compiles a file, once for all runs.  name: as `require` and error texts name it ("survey", "lib.xml").
 * false: too large, binary, or a syntax error; error has file and line, at most 1 KiB, clean UTF-8. */
bool sandbox_add(struct sandbox *sandbox, const char *name, const char *source, size_t len,
		 char *error, size_t error_size) MUST_CHECK;
/* A host function or table for all environments of this sandbox: pops the value from `L` (sandbox_lua's stack).
 * Tables become read-only for plugins, deeply. */
void sandbox_provide(struct sandbox *sandbox, const char *name);
lua_State *
sandbox_lua(struct sandbox *sandbox); /* for set-up by the host, under sandbox_protected */
/* Runs fn(L, arg) protected, with the memory caps lifted: for host code that builds values outside a run. false: it raised. */
bool sandbox_protected(struct sandbox *sandbox, void (*fn)(lua_State *L, void *arg),
		       void *arg) MUST_CHECK;
/* Pushes what plugins see under a global name; for set-up by the host, under sandbox_protected. */
void sandbox_push_provided(struct sandbox *sandbox, const char *name);
size_t sandbox_memory(const struct sandbox *sandbox); /* bytes in use */
/* A breach has made this state not worth keeping: free it, its other runs are replayed elsewhere. */
bool sandbox_spoiled(const struct sandbox *sandbox);

enum sandbox_end {
	SANDBOX_DONE, /* returned: results lie on the thread's stack */
	SANDBOX_REQUEST, /* a host function asked for something (sandbox_request): resume with its results */
	SANDBOX_ERROR,   /* an ordinary error */
	SANDBOX_STOPPED, /* instructions or CPU, uncatchable */
	SANDBOX_MEMORY,  /* memory, uncatchable */
	SANDBOX_ENDED,   /* a host function ended it (sandbox_end), uncatchable */
};

/* A run with a fresh environment.  owner: what host functions find again with sandbox_owner. */
struct sandbox_run *sandbox_run_new(struct sandbox *sandbox, void *owner) MUST_CHECK;
void sandbox_run_free(struct sandbox_run *run); /* NULL is fine; runs no code of the plugin */
void sandbox_run_own(struct sandbox_run *run, void *owner);

/* Runs the file `name` anew in the run's environment, as a coroutine, within one step's budget; once, before anything else.
 * Ends DONE with its first result (usually the manifest) on the stack of sandbox_run_thread, which alone keeps it; never REQUEST
 * (a request at file level is an error). */
enum sandbox_end sandbox_run_load(struct sandbox_run *run, const char *name) MUST_CHECK;
/* After load: assigning a new global is an error from here on (state belongs in records). */
void sandbox_run_freeze(struct sandbox_run *run);
lua_State *sandbox_run_thread(struct sandbox_run *run); /* the dialog's coroutine; after load */

/* Starts (function and nargs on the thread's stack) or goes on (nargs results of the request on it) with the budget
 * that is left.  *nresults: what lies on the stack afterwards (DONE). */
enum sandbox_end sandbox_run_resume(struct sandbox_run *run, int nargs, int *nresults) MUST_CHECK;
void sandbox_run_budget(struct sandbox_run *run); /* a new step: the full budget again */
long sandbox_run_instructions(const struct sandbox_run *run); /* used of this budget */
const char *sandbox_run_error(
	const struct sandbox_run
		*run); /* after ERROR, STOPPED, MEMORY: file, line and what; <= 1 KiB, clean */
struct bytes sandbox_run_log(const struct sandbox_run *run); /* what print wrote in this step */
size_t sandbox_run_kept(const struct sandbox_run *run);      /* bytes that it has grown by */

/* In host functions: */
struct sandbox_run *sandbox_check_run(lua_State *L); /* refuses a dead run */
void *sandbox_owner(lua_State *L);                   /* as sandbox_check_run, gives its owner */
/* Marks a real request and yields; `return sandbox_request(L);` with nothing of worth on the stack: what resume pushes are the
 * call's results.  Raises where the caller isn't the dialog's own coroutine. */
int sandbox_request(lua_State *L);
/* Ends the run below Lua, where no pcall catches it; `return sandbox_end(L);` */
int sandbox_end(lua_State *L);
void sandbox_charge(lua_State *L,
		    long instructions); /* a host function's own work; may not return */
/* Seed for math.random and random() from here on (xoshiro256**, the same on every machine). */
void sandbox_run_seed(struct sandbox_run *run, uint64_t seed);
uint64_t sandbox_run_random(struct sandbox_run *run);
void sandbox_run_time(struct sandbox_run *run, int64_t seconds); /* what now() and date() answer */
