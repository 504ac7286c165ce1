/* test_plugin_pattern.c - our patterns do what Lua's own do, and cost no more than the step may. */
#include <criterion/criterion.h>
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <string.h>

#include "plugin_sandbox.h"

/* Prints all that find, match, gmatch and gsub give for generated subjects and patterns.  The generator is a small
 * one of its own, so that both sides see the same. */
static const char script[] =
	"local state = %d\n"
	"local function chance(n) state = (state * 1103515245 + 12345) %% 2147483648; return state "
	"// 65536 %% n + 1 end\n"
	"local pieces = { 'a', 'b', '.', '%%a', '%%d', '%%s', '%%w', '%%A', '[ab]', '[^a]', "
	"'[a-c]', '[%%d_]', '[]]', '[^]]', '[a-]',\n"
	"  '*', '+', '-', '?', '(', ')', '()', '$', '^', '%%b()', '%%f[%%w]', '%%f[a]', '%%1', "
	"'%%2', '%%', '[', ']', '%%b', 'x', '1', ' ' }\n"
	"local letters = { 'a', 'b', 'c', 'x', '1', '2', ' ', '(', ')', '_', ']', '-', '\\0', '%%' "
	"}\n"
	"local function text(list, most)\n"
	"  local out = {}\n"
	"  for i = 1, chance(most) - 1 do out[i] = list[chance(#list)] end\n"
	"  return table.concat(out)\n"
	"end\n"
	"local function line(...)\n"
	"  local out = { ... }\n"
	"  for i = 1, select('#', ...) do\n"
	"    local v = out[i]\n"
	"    out[i] = type(v) == 'string' and (v:gsub('^.-:%%d+: ', '')) or tostring(v)\n"
	"  end\n"
	"  return table.concat(out, '|')\n"
	"end\n"
	"local all = {}\n"
	"for i = 1, 250 do\n"
	"  local s, p = text(letters, 14), text(pieces, 6)\n"
	"  local init = chance(20) - 8\n"
	"  local function each()\n"
	"    local out = {}\n"
	"    for x, y in s:gmatch(p) do out[#out + 1] = line(x, y) end\n"
	"    return table.concat(out, ';')\n"
	"  end\n"
	"  local one = line(pcall(string.find, s, p, init)) .. '\\n' .. line(pcall(string.match, "
	"s, p)) .. '\\n'\n"
	"    .. line(pcall(string.gsub, s, p, '<%%0>')) .. '\\n' .. line(pcall(string.gsub, s, p, "
	"'%%1', 3)) .. '\\n'\n"
	"    .. line(pcall(string.gsub, s, p, { a = 'A', ab = 1 })) .. '\\n' .. "
	"line(pcall(string.find, s, p, init, true)) .. '\\n'\n"
	"    .. line(pcall(each))\n"
	"  all[#all + 1] = s .. ' ~ ' .. p .. '\\n' .. one\n"
	"end\n"
	"return table.concat(all, '\\n')\n";

static char source[sizeof(script) + 16];

static const char *ours(struct sandbox *sandbox, struct sandbox_run **run)
{
	char error[1100];

	cr_assert(sandbox_add(sandbox, "t", source, strlen(source), error, sizeof(error)), "%s",
		  error);
	*run = sandbox_run_new(sandbox, NULL);
	cr_assert_eq(sandbox_run_load(*run, "t"), SANDBOX_DONE, "%s", sandbox_run_error(*run));
	return lua_tostring(sandbox_run_thread(*run), -1);
}

/* Where they differ first, by lines. */
static void expect_same(const char *a, const char *b)
{
	const char *line = a;

	for (size_t i = 0; a[i] || b[i]; i++) {
		if (a[i] == b[i]) {
			if (a[i] == '\n')
				line = a + i + 1;
			continue;
		}
		cr_assert(false, "stock:\n%.400s\nours:\n%.400s", line, b + (line - a));
	}
}

Test(plugin_pattern, generated_patterns_give_what_the_stock_functions_give)
{
	struct sandbox_limits limits = sandbox_default_limits;

	limits.instructions = 100000000;
	limits.cpu_us = 60000000;
	for (int seed = 1; seed <= 40; seed++) {
		lua_State *L = luaL_newstate();
		struct sandbox *sandbox = sandbox_new(&limits);
		struct sandbox_run *run;

		snprintf(source, sizeof(source), script, seed);
		luaL_openlibs(L);
		cr_assert(!luaL_loadbuffer(L, source, strlen(source), "=t") &&
				  !lua_pcall(L, 0, 1, 0),
			  "%s", lua_tostring(L, -1));
		expect_same(lua_tostring(L, -1), ours(sandbox, &run));
		sandbox_run_free(run);
		sandbox_free(sandbox);
		lua_close(L);
	}
}

Test(plugin_pattern, a_pattern_that_would_run_for_minutes_is_stopped)
{
	static const char *const greedy[] = {
		"return (('a'):rep(160):find('a*a*a*a*a*b'))",
		"return (('a'):rep(40000):find('.-b'))",
		"return (('('):rep(40000):find('%b()'))",
		"return (('a'):rep(20000):gsub('(a*)%1b', ''))",
	};

	for (unsigned i = 0; i < ARRAY_LEN(greedy); i++) {
		struct sandbox *sandbox = sandbox_new(&sandbox_default_limits);
		struct sandbox_run *run = sandbox_run_new(sandbox, NULL);
		char error[1100];

		cr_assert(sandbox_add(sandbox, "t", greedy[i], strlen(greedy[i]), error,
				      sizeof(error)));
		cr_expect_eq(sandbox_run_load(run, "t"), SANDBOX_STOPPED, "%s", greedy[i]);
		sandbox_run_free(run);
		sandbox_free(sandbox);
	}
}
