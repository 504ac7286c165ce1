/* test_plugin_value.c - values come back as they went, and what can't be kept says so. */
#include "plugin_value.h"

#include <criterion/criterion.h>
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static lua_State *L;

static void open_lua(void)
{
	L = luaL_newstate();
	luaL_openlibs(L);
}

static void close_lua(void)
{
	lua_close(L);
}

/* Pushes the value of a Lua expression. */
static void eval(const char *expression)
{
	char code[512];

	snprintf(code, sizeof(code), "return %s", expression);
	cr_assert(!luaL_dostring(L, code), "%s", lua_tostring(L, -1));
}

TestSuite(plugin_value, .init = open_lua, .fini = close_lua);

Test(plugin_value, what_is_packed_comes_back_and_packs_the_same)
{
	static const char *const values[] = {
		"nil",
		"true",
		"false",
		"0",
		"-1",
		"math.maxinteger",
		"math.mininteger",
		"0.1",
		"-0.0",
		"1/0",
		"''",
		"'a\\0b'",
		"{}",
		"{1, 2, 3}",
		"{a = {b = {}}}",
		"{[-5] = 'x', [7] = false}",
		"('x'):rep(60000)",
		"{1, 2, n = 2}",
	};

	for (unsigned i = 0; i < ARRAY_LEN(values); i++) {
		struct buf first = { 0 }, second = { 0 };
		struct bytes data;

		eval(values[i]);
		cr_assert_null(value_pack(L, -1, &first), "%s", values[i]);
		data = (struct bytes){ first.data, first.len };
		cr_assert(value_unpack(L, &data), "%s", values[i]);
		cr_expect_eq(data.len, 0);
		cr_assert_null(value_pack(L, -1, &second));
		cr_expect(first.len == second.len &&
				  memcmp(first.data, second.data, first.len) == 0,
			  "%s", values[i]);
		lua_settop(L, 0);
		buf_free(&first);
		buf_free(&second);
	}
}

Test(plugin_value, the_order_of_making_a_table_does_not_show)
{
	struct buf a = { 0 }, b = { 0 };

	eval("(function() local t = {}; t.x = 1; t.y = 2; t[3] = 4; return t end)()");
	eval("(function() local t = {}; t[3] = 4; t.z = 0; t.y = 2; t.x = 1; t.z = nil; return t "
	     "end)()");
	cr_assert_null(value_pack(L, 1, &a));
	cr_assert_null(value_pack(L, 2, &b));
	cr_expect(a.len == b.len && memcmp(a.data, b.data, a.len) == 0);
	buf_free(&a);
	buf_free(&b);
}

Test(plugin_value, what_cannot_be_kept_is_refused_with_a_reason)
{
	static const char *const values[] = {
		"print",
		"coroutine.create(print)",
		"{[1.5] = 1}",
		"{[true] = 1}",
		"{f = print}",
		"(function() local t = {}; t.t = t; return t end)()",
		"('x'):rep(70000)",
	};
	struct buf buf = { 0 };

	for (unsigned i = 0; i < ARRAY_LEN(values); i++) {
		eval(values[i]);
		cr_expect_not_null(value_pack(L, -1, &buf), "%s", values[i]);
		cr_expect_eq(buf.len, 0, "nothing is left behind");
		lua_settop(L, 0);
	}
	buf_free(&buf);
}

Test(plugin_value, broken_bytes_are_refused_and_nothing_is_pushed)
{
	static const struct bytes broken[] = {
		{ "", 0 },         { "\7", 1 },         { "\3", 1 },          { "\3\xFF\xFF", 3 },
		{ "\4\1\2", 3 },   { "\5\5ab", 4 },     { "\6\3\5\1a\2", 6 }, { "\6\x7F", 2 },
		{ "\6\1\2\2", 4 }, { "\6\1\6\0\2", 5 },
	};

	for (unsigned i = 0; i < ARRAY_LEN(broken); i++) {
		struct bytes data = broken[i];

		cr_expect_not(value_unpack(L, &data), "%u", i);
		cr_expect_eq(lua_gettop(L), 0, "%u", i);
	}
}

Test(plugin_value, json_goes_out_in_one_form)
{
	static const struct {
		const char *value, *json;
	} rows[] = {
		{ "{}", "{}" },
		{ "{1, 'a', true}", "[1,\"a\",true]" },
		{ "{b = 1, a = {2.5}}", "{\"a\":[2.5],\"b\":1}" },
		{ "'q\"\\\\\\n\\1'", "\"q\\\"\\\\\\n\\u0001\"" },
		{ "3.0", "3.0" },
		{ "nil", "null" },
	};
	struct buf buf = { 0 };

	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		eval(rows[i].value);
		buf_reset(&buf);
		cr_assert_null(value_to_json(L, -1, &buf), "%s", rows[i].value);
		cr_expect_str_eq(buf.data, rows[i].json);
		lua_settop(L, 0);
	}
	eval("'\\xff'");
	cr_expect_not_null(value_to_json(L, -1, &buf));
	eval("0/0");
	cr_expect_not_null(value_to_json(L, -1, &buf));
	buf_free(&buf);
}

Test(plugin_value, json_comes_in_strictly)
{
	static const struct {
		const char *json, *expect; /* as JSON again; NULL: refused */
	} rows[] = {
		{ " {\"a\" : [1, 2.5, null, true], \"b\":\"\\u00e9\\ud83d\\ude00\"} ",
		  "{\"a\":[1,2.5,null,true],\"b\":\"\xC3\xA9\xF0\x9F\x98\x80\"}" },
		{ "[]", "{}" },
		{ "-0.5e3", "-500.0" },
		{ "", NULL },
		{ "{\"a\":1,\"a\":2}", NULL },
		{ "{\"a\":null,\"a\":2}", NULL },
		{ "\"\\ud800\"", NULL },
		{ "\"\\u0000\"", NULL },
		{ "\"\xff\"", NULL },
		{ "01", NULL },
		{ "[1,]", NULL },
		{ "{\"a\":1,}", NULL },
		{ "[1] x", NULL },
		{ "nul", NULL },
		{ "\"a\nb\"", NULL },
		{ "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", NULL },
	};
	struct buf buf = { 0 };

	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		const char *why = value_from_json(
			L, (struct bytes){ rows[i].json, strlen(rows[i].json) }, false);

		cr_expect_eq(why == NULL, rows[i].expect != NULL, "%s: %s", rows[i].json,
			     why ? why : "taken");
		if (why) {
			cr_expect_eq(lua_gettop(L), 0, "%s", rows[i].json);
			continue;
		}
		buf_reset(&buf);
		cr_assert_null(value_to_json(L, -1, &buf));
		cr_expect_str_eq(buf.data, rows[i].expect ? rows[i].expect : "");
		lua_settop(L, 0);
	}
	cr_assert_null(value_from_json(L, (struct bytes){ "12345678901234567890123", 23 }, true));
	cr_expect_str_eq(lua_tostring(L, -1), "12345678901234567890123",
			 "long ids keep their digits");
	buf_free(&buf);
}

/* An allocator that gives out only so many blocks more; -1: no end. */
static long blocks = -1;

static void *scarce(void *arg, void *block, size_t old, size_t size)
{
	(void)arg;
	(void)old;
	if (size == 0) {
		free(block);
		return NULL;
	}
	if (blocks == 0)
		return NULL;
	if (blocks > 0)
		blocks--;
	return realloc(block, size);
}

static int convert(lua_State *state)
{
	static const char json[] = "{\"a long name, which Lua does not keep as one of its short "
				   "texts\":[\"\\u00e9\"]}";
	struct buf *buf = lua_touserdata(state, 1);

	lua_remove(state, 1);
	value_pack(state, 1, buf);
	value_to_json(state, 1, buf);
	value_from_json(state, (struct bytes){ json, sizeof(json) - 1 }, false);
	return 0;
}

/* What is lost when Lua raises for lack of memory is seen by the leak checker. */
Test(plugin_value, nothing_is_lost_where_memory_ends_in_the_middle)
{
	struct buf buf = { 0 };
	bool done = false;

	for (long most = 0; !done; most++) {
		lua_State *state;

		blocks = -1;
		state = lua_newstate(scarce, NULL);
		lua_newtable(state);
		for (int i = 0; i < 20; i++) {
			lua_pushfstring(state,
					"a name of more than forty bytes, number %d in the table",
					i);
			lua_pushinteger(state, i);
			lua_settable(state, -3);
		}
		lua_pushcfunction(state, convert);
		lua_pushlightuserdata(state, &buf);
		lua_pushvalue(state, 1);
		lua_gc(state, LUA_GCCOLLECT);
		blocks = most;
		done = lua_pcall(state, 2, 0, 0) == LUA_OK;
		blocks = -1;
		lua_close(state);
		buf_reset(&buf);
		cr_assert_lt(most, 1000);
	}
	buf_free(&buf);
}
