/* test_plugin_sandbox.c - a run asks, goes on, ends, and shares nothing with its neighbours. */
#include "plugin_sandbox.h"

#include <criterion/criterion.h>
#include <lauxlib.h>
#include <stdint.h>
#include <string.h>

#include "plugin_sandbox_pool.h"

static struct sandbox *sandbox;

/* ask(): a request like those of a dialog. */
static int ask(lua_State *L)
{
	return sandbox_request(L);
}

static int finish(lua_State *L)
{
	return sandbox_end(L);
}

static void provide(lua_State *L, void *arg UNUSED)
{
	lua_pushcfunction(L, ask);
	sandbox_provide(sandbox, "ask");
	lua_pushcfunction(L, finish);
	sandbox_provide(sandbox, "finish");
	lua_newtable(L);
	lua_newtable(L);
	lua_setfield(L, -2, "inner");
	sandbox_provide(sandbox, "host");
}

static void open_sandbox(void)
{
	sandbox = sandbox_new(&sandbox_default_limits);
	cr_assert(sandbox_protected(sandbox, provide, NULL));
}

static void close_sandbox(void)
{
	sandbox_free(sandbox);
}

TestSuite(plugin_sandbox, .init = open_sandbox, .fini = close_sandbox);

static struct sandbox_run *load(const char *name)
{
	struct sandbox_run *run = sandbox_run_new(sandbox, NULL);

	cr_assert_eq(sandbox_run_load(run, name), SANDBOX_DONE, "%s", sandbox_run_error(run));
	sandbox_run_freeze(run);
	return run;
}

static void add(const char *name, const char *source)
{
	char error[1100];

	cr_assert(sandbox_add(sandbox, name, source, strlen(source), error, sizeof(error)), "%s",
		  error);
}

/* Loads a file that returns the dialog's function, and runs it to its first request or end. */
static enum sandbox_end begin(const char *source, struct sandbox_run **run)
{
	int results;

	add("t", source);
	*run = load("t");
	sandbox_run_budget(*run);
	return sandbox_run_resume(*run, 0, &results);
}

Test(plugin_sandbox, a_dialog_asks_and_goes_on_with_the_answer_also_inside_pcall)
{
	struct sandbox_run *run;
	int results;

	cr_assert_eq(begin("return function() local ok, a = pcall(function() return ask() .. '!' "
			   "end) return ok and a end",
			   &run),
		     SANDBOX_REQUEST);
	lua_pushliteral(sandbox_run_thread(run), "ya");
	cr_assert_eq(sandbox_run_resume(run, 1, &results), SANDBOX_DONE, "%s",
		     sandbox_run_error(run));
	cr_expect_eq(results, 1);
	cr_expect_str_eq(lua_tostring(sandbox_run_thread(run), -1), "ya!");
	sandbox_run_free(run);
}

Test(plugin_sandbox, two_dialogs_of_one_file_share_no_local_and_no_global)
{
	add("t", "local seen = 0\ncount = 0\nreturn function() seen = seen + 1; count = count + 1; "
		 "return seen * 10 + count end");
	for (int i = 0; i < 3; i++) {
		struct sandbox_run *run = load("t");
		int results;

		cr_assert_eq(sandbox_run_resume(run, 0, &results), SANDBOX_DONE, "%s",
			     sandbox_run_error(run));
		cr_expect_eq(lua_tointeger(sandbox_run_thread(run), -1), 11);
		sandbox_run_free(run);
	}
}

Test(plugin_sandbox, an_older_dialog_keeps_its_globals_when_the_file_runs_anew)
{
	struct sandbox_run *old, *young;
	int results;

	add("t", "who = ask and 'mine'\nreturn function() ask(); return who end");
	old = load("t");
	cr_assert_eq(sandbox_run_resume(old, 0, &results), SANDBOX_REQUEST);
	young = load("t");
	sandbox_run_free(young);
	cr_assert_eq(sandbox_run_resume(old, 0, &results), SANDBOX_DONE);
	cr_expect_str_eq(lua_tostring(sandbox_run_thread(old), -1), "mine");
	sandbox_run_free(old);
}

Test(plugin_sandbox, what_ends_a_dialog_passes_its_pcall)
{
	struct sandbox_run *run;
	int results;

	cr_expect_eq(begin("return function() pcall(finish); return 'went on' end", &run),
		     SANDBOX_ENDED);
	cr_expect_eq(sandbox_run_resume(run, 0, &results), SANDBOX_ENDED,
		     "and it is never resumed");
	sandbox_run_free(run);
}

Test(plugin_sandbox, asking_where_it_cannot_wait_is_an_ordinary_error_with_its_line)
{
	static const struct {
		const char *source, *error;
	} rows[] = {
		{ "return function()\n local co = coroutine.wrap(function() ask() end)\n co()\nend",
		  "t:2: this can't be called inside a coroutine" },
		{ "return function()\n table.sort({ 2, 1 }, function(a, b) ask() return a < b "
		  "end)\nend",
		  "t:2: this can't be called inside sort" },
		{ "return function() new_global = 1 end", "t:1: global 'new_global' is read-only" },
		{ "return function() host.inner.x = 1 end", "t:1: this table can't be changed" },
		{ "return function() rawset(host.inner, 'x', 1) end",
		  "this table can't be changed" },
		{ "return function() coroutine.yield(1) end",
		  "coroutine.yield outside a coroutine" },
		{ "return function() error({}) end", "error with a value that is not a text" },
	};

	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		struct sandbox_run *run;

		cr_expect_eq(begin(rows[i].source, &run), SANDBOX_ERROR, "%s", rows[i].source);
		cr_expect_not_null(strstr(sandbox_run_error(run), rows[i].error), "%s",
				   sandbox_run_error(run));
		sandbox_run_free(run);
	}
}

Test(plugin_sandbox, a_request_while_the_file_is_loaded_is_an_error)
{
	struct sandbox_run *run = sandbox_run_new(sandbox, NULL);

	add("t", "ask()");
	cr_expect_eq(sandbox_run_load(run, "t"), SANDBOX_ERROR);
	cr_expect_not_null(strstr(sandbox_run_error(run), "while the file is loaded"), "%s",
			   sandbox_run_error(run));
	sandbox_run_free(run);
}

Test(plugin_sandbox, a_part_is_required_once_a_run_and_errors_name_what_is_missing)
{
	struct sandbox_run *run;
	int results;

	add("part", "local n = 0\nreturn { next = function() n = n + 1; return n end }");
	add("t", "local part = require 'part'\nreturn function() require('part').next(); return "
		 "part.next() end");
	run = load("t");
	cr_assert_eq(sandbox_run_resume(run, 0, &results), SANDBOX_DONE, "%s",
		     sandbox_run_error(run));
	cr_expect_eq(lua_tointeger(sandbox_run_thread(run), -1), 2);
	sandbox_run_free(run);
	cr_expect_eq(begin("return function() require 'nowhere' end", &run), SANDBOX_ERROR);
	cr_expect_not_null(strstr(sandbox_run_error(run), "no file 'nowhere'"), "%s",
			   sandbox_run_error(run));
	sandbox_run_free(run);
}

Test(plugin_sandbox, the_same_seed_and_time_give_the_same_chance_and_date)
{
	const char *source =
		"return random(1000) .. ' ' .. random(1000) .. ' ' .. date('%Y-%m-%d %H:%M')";
	char first[64] = "";

	add("t", source);
	for (int i = 0; i < 2; i++) {
		struct sandbox_run *run = sandbox_run_new(sandbox, NULL);

		sandbox_run_seed(run, 42);
		sandbox_run_time(run, 1795489498); /* 03:04:58 UTC is 10:04 in Jakarta */
		cr_assert_eq(sandbox_run_load(run, "t"), SANDBOX_DONE, "%s",
			     sandbox_run_error(run));
		if (i == 0)
			strncpy(first, lua_tostring(sandbox_run_thread(run), -1),
				sizeof(first) - 1);
		cr_expect_str_eq(lua_tostring(sandbox_run_thread(run), -1), first);
		sandbox_run_free(run);
	}
	cr_expect_not_null(strstr(first, "2026-11-24 10:04"), "%s", first);
}

Test(plugin_sandbox, a_broken_or_too_large_file_is_refused_with_its_line)
{
	static char large[40 << 10];
	char error[1100];

	cr_expect_not(sandbox_add(sandbox, "t", "x = = 1", 7, error, sizeof(error)));
	cr_expect_not_null(strstr(error, "t:1:"), "%s", error);
	memset(large, ' ', sizeof(large));
	cr_expect_not(sandbox_add(sandbox, "t", large, sizeof(large), error, sizeof(error)));
	cr_expect_not_null(strstr(error, "at most 32768"), "%s", error);
	cr_expect_not(sandbox_add(sandbox, "t", "\033Lua", 4, error, sizeof(error)), "bytecode");
}

static bool filled(const unsigned char *block, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (block[i] != (unsigned char)size)
			return false;
	return true;
}

Test(plugin_sandbox, blocks_of_every_size_lie_apart_and_are_taken_again)
{
	enum { ROUNDS = 3 };
	static unsigned char *blocks[POOL_SMALL_MAX + 1];
	struct pool pool = { 0 };
	size_t held = 0;

	for (unsigned round = 0; round < ROUNDS; round++) {
		for (size_t size = 1; size <= POOL_SMALL_MAX; size++) {
			blocks[size] = pool_take(&pool, size);
			cr_assert_eq((uintptr_t)blocks[size] % POOL_GRAIN, 0);
			memset(blocks[size], (int)size, size);
		}
		for (size_t size = 1; size <= POOL_SMALL_MAX; size++) {
			cr_assert(filled(blocks[size], size), "%zu bytes", size);
			pool_give(&pool, blocks[size], size);
		}
		if (round > 0)
			cr_expect_eq(pool.held, held);
		held = pool.held;
	}
	pool_free(&pool);
	cr_expect_eq(pool.held, 0);
}
