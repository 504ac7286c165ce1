/* plugin_api_citizen.c - the citizen as a dialog sees her: ask, choose, confirm, say, and her fields.
 *
 * The object holds nothing: whose it is, the run knows.  So a dialog can't hand it to another, and it costs one
 * userdata a state.
 */
#include <lauxlib.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "calendar.h"
#include "phrases.h"
#include "plugin_api.h"
#include "plugin_value.h"

static const char citizen_key; /* its address marks the object's metatable */

/* The run, where argument 1 is the citizen: a method that was called with '.' is found out. */
static struct run *check_citizen(lua_State *L, const char *method)
{
	struct run *run = check_run(L);
	bool ours = lua_type(L, 1) == LUA_TUSERDATA && lua_getmetatable(L, 1);

	if (ours) {
		ours = lua_rawgetp(L, -1, &citizen_key) != LUA_TNIL;
		lua_pop(L, 2);
	}
	if (!ours)
		luaL_error(L, "call it with a colon: citizen:%s(...)", method);
	return run;
}

static struct bytes keep(struct run *run, struct bytes bytes)
{
	return arena_bytes(&run->request_arena, bytes.data, bytes.len);
}

/* ---- ask ---- */

static const struct {
	const char *name;
	enum answer_kind kind;
	int64_t min, max; /* defaults */
} kinds[] = {
	{ "text", ANSWER_TEXT, 1, ANSWER_CHARS_MAX },
	{ "integer", ANSWER_INTEGER, -999999999999, 999999999999 },
	{ "decimal", ANSWER_DECIMAL, -999999999999, 999999999999 },
	{ "date", ANSWER_DATE, -25567, 47846 }, /* the years 1900 to 2100 */
	{ "phone", ANSWER_PHONE, 0, 0 },
};

/* A bound in the units of the request: a whole number, thousandths, or days. */
static int64_t read_bound(lua_State *L, enum answer_kind kind, const char *name)
{
	int year, month, day, used = 0;
	const char *text;

	switch (kind) {
	case ANSWER_DECIMAL:
		if (lua_type(L, -1) != LUA_TNUMBER || !(fabs(lua_tonumber(L, -1)) < 1e9))
			luaL_argerror(L, 3, lua_pushfstring(L, "%s must be a number", name));
		return llround(lua_tonumber(L, -1) * DECIMAL_PARTS);
	case ANSWER_DATE:
		text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
		if (sscanf(text, "%4d-%2d-%2d%n", &year, &month, &day, &used) != 3 || text[used] ||
		    used != 10 || !calendar_is_day(year, month, day))
			luaL_argerror(
				L, 3,
				lua_pushfstring(L, "%s must be a date as \"2026-12-31\"", name));
		return calendar_days(year, month, day);
	case ANSWER_PHONE:
		luaL_argerror(L, 3, "a phone number has no min and max");
		return 0;
	default:
		if (!lua_isinteger(L, -1))
			luaL_argerror(L, 3, lua_pushfstring(L, "%s must be a whole number", name));
		return lua_tointeger(L, -1);
	}
}

/* An option of ask by its name: the value lies on top of the stack. */
static void read_ask_option(lua_State *L, struct request *request, const char *name, bool *given)
{
	if (strcmp(name, "kind") == 0)
		return;
	if (strcmp(name, "optional") == 0) {
		if (!lua_isboolean(L, -1))
			luaL_argerror(L, 3, "optional must be true or false");
		request->optional = lua_toboolean(L, -1);
	} else if (strcmp(name, "min") == 0 || strcmp(name, "max") == 0) {
		*(name[1] == 'i' ? &request->min : &request->max) = read_bound(L, request->answer,
									       name);
		*given = true;
	} else {
		luaL_argerror(
			L, 3,
			lua_pushfstring(
				L, "there is no option '%s'; there are kind, min, max and optional",
				name));
	}
}

static void read_ask_kind(lua_State *L, struct request *request)
{
	const char *name = "text";
	bool found = false;

	lua_pushliteral(L, "kind");
	if (lua_rawget(L, 3) != LUA_TNIL)
		name = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
	for (unsigned i = 0; i < ARRAY_LEN(kinds); i++) {
		if (strcmp(kinds[i].name, name) != 0)
			continue;
		found = true;
		request->answer = kinds[i].kind;
		request->min = kinds[i].min;
		request->max = kinds[i].max;
	}
	if (!found)
		luaL_argerror(
			L, 3,
			"kind must be \"text\", \"integer\", \"decimal\", \"date\" or \"phone\"");
	lua_pop(L, 1);
}

static void read_ask_options(lua_State *L, struct request *request)
{
	int64_t most = kinds[0].max;
	bool given = false;

	request->answer = ANSWER_TEXT;
	request->min = kinds[0].min;
	request->max = most;
	if (lua_isnoneornil(L, 3))
		return;
	luaL_checktype(L, 3, LUA_TTABLE);
	read_ask_kind(L, request);
	for (lua_pushnil(L); lua_next(L, 3); lua_pop(L, 1)) {
		if (lua_type(L, -2) != LUA_TSTRING)
			luaL_argerror(L, 3, "options have names: { kind = \"integer\", min = 1 }");
		read_ask_option(L, request, lua_tostring(L, -2), &given);
	}
	if (given && (request->min > request->max || (request->answer == ANSWER_TEXT &&
						      (request->min < 1 || request->max > most))))
		luaL_argerror(L, 3,
			      request->answer == ANSWER_TEXT
				      ? "min and max are characters, from 1 to 1000"
				      : "min is above max");
}

/* citizen:ask(prompt [, { kind = "text"|"integer"|"decimal"|"date"|"phone", min =, max =, optional = }]) -> answer  [-0, +1, v]
 * Asks and parks the dialog; the step carries the question, and the answer comes back when the citizen's next message is
 * committed.  nil where it is optional and was passed over.  Raises on a bad argument (the author's bug).
 */
static int citizen_ask(lua_State *L)
{
	struct run *run = check_citizen(L, "ask");
	struct bytes prompt = check_words(L, 2, 2, PROMPT_MAX, "the question");
	struct request request = { 0 };
	int64_t arguments[4];

	read_ask_options(L, &request);
	run_request_begin(run, REQUEST_ASK);
	run->request.answer = request.answer;
	run->request.optional = request.optional;
	run->request.min = request.min;
	run->request.max = request.max;
	run->request.prompt = keep(run, prompt);
	arguments[0] = request.answer;
	arguments[1] = request.optional;
	arguments[2] = request.min;
	arguments[3] = request.max;
	run->request.shape = keep(run,
				  (struct bytes){ (char *)arguments, 2 * sizeof(arguments[0]) });
	run_hash(run, 'p', prompt.data, prompt.len);
	run_hash(run, 'a', arguments, sizeof(arguments));
	return run_request(L, run);
}

/* ---- choose ---- */

/* An option, on top of the stack: its label, and what it gives packed. */
static void read_option(lua_State *L, struct run *run, unsigned i, struct buf *values)
{
	struct bytes label;
	const char *why = NULL;
	size_t start = values->len;

	lua_pushvalue(L, -1);
	if (lua_istable(L, -1)) {
		lua_rawgeti(L, -1, 1);
		lua_replace(L, -2);
	}
	if (lua_type(L, -1) != LUA_TSTRING)
		luaL_argerror(L, 3, "an option is a text, or { \"text\", value = ... }");
	label = check_words(L, lua_gettop(L), 3, LABEL_BYTES_MAX, "an option");
	if (memchr(label.data, '\n', label.len))
		luaL_argerror(L, 3, "an option is one line");
	run->request.options[i] = keep(run, label);
	lua_pop(L, 1);
	lua_pushinteger(L, (lua_Integer)i + 1);
	if (lua_istable(L, -2)) {
		lua_pushliteral(L, "value");
		if (lua_rawget(L, -3) != LUA_TNIL)
			lua_replace(L, -2);
		else
			lua_pop(L, 1);
	}
	why = value_pack(L, -1, values);
	lua_pop(L, 1);
	if (why)
		luaL_argerror(L, 3, lua_pushfstring(L, "an option's value: %s", why));
	run->request.values[i] = keep(run,
				      (struct bytes){ values->data + start, values->len - start });
}

static char *put_bytes(char *at, struct bytes bytes)
{
	memcpy(at, bytes.data, bytes.len);
	return at + bytes.len;
}

/* The question with its options, as it is shown: each on a line, behind its number of one or two digits. */
static struct bytes prompt_with_options(struct run *run, struct bytes prompt)
{
	unsigned count = run->request.option_count;
	size_t room = prompt.len + 1;
	char *text, *at;

	for (unsigned i = 0; i < count; i++)
		room += run->request.options[i].len + sizeof("\n99 ");
	text = arena_alloc(&run->request_arena, room);
	at = put_bytes(text, prompt);
	for (unsigned i = 1; i <= count; i++) {
		*at++ = '\n';
		if (i >= 10)
			*at++ = (char)('0' + i / 10);
		*at++ = (char)('0' + i % 10);
		*at++ = ' ';
		at = put_bytes(at, run->request.options[i - 1]);
	}
	return (struct bytes){ text, (size_t)(at - text) };
}

/* How to choose: { many = true, order = "random" }. */
static void read_choose_options(lua_State *L, struct request *request)
{
	if (lua_isnoneornil(L, 4))
		return;
	luaL_checktype(L, 4, LUA_TTABLE);
	for (lua_pushnil(L); lua_next(L, 4); lua_pop(L, 1)) {
		const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";

		if (strcmp(name, "many") == 0 && lua_isboolean(L, -1))
			request->answer = lua_toboolean(L, -1) ? ANSWER_CHOICES : ANSWER_CHOICE;
		else if (strcmp(name, "order") == 0 && lua_type(L, -1) == LUA_TSTRING &&
			 strcmp(lua_tostring(L, -1), "random") == 0)
			request->random = true;
		else
			luaL_argerror(L, 4, "there are many = true and order = \"random\"");
	}
}

/* The same order when the dialog is replayed, another for the next citizen. */
static void shuffle(struct run *run)
{
	struct request *request = &run->request;

	for (unsigned left = request->option_count; left > 1; left--) {
		unsigned other = (unsigned)(sandbox_run_random(run->sandbox) % left);
		struct bytes option = request->options[left - 1];
		struct bytes value = request->values[left - 1];

		request->options[left - 1] = request->options[other];
		request->values[left - 1] = request->values[other];
		request->options[other] = option;
		request->values[other] = value;
	}
}

/* citizen:choose(prompt, { "Puas", { "Tidak puas", value = "no" }, ... } [, { many =, order = }]) -> value    [-0, +1, v]
 * Asks for one of the options: its value, or its number where it has none; with many for one or more, as a list in the order
 * shown.  Raises on a bad argument.
 */
static int citizen_choose(lua_State *L)
{
	struct run *run = check_citizen(L, "choose");
	struct bytes prompt = check_words(L, 2, 2, PROMPT_MAX, "the question");
	lua_Unsigned count;
	struct buf *values;

	luaL_checktype(L, 3, LUA_TTABLE);
	count = lua_rawlen(L, 3);
	luaL_argcheck(L, count >= 1 && count <= CHOICES_MAX, 3, "must list 1 to 99 options");
	run_request_begin(run, REQUEST_CHOOSE);
	run->request.answer = ANSWER_CHOICE;
	read_choose_options(L, &run->request);
	run->request.option_count = (unsigned)count;
	run->request.options = arena_alloc(&run->request_arena,
					   count * sizeof(*run->request.options));
	run->request.values = arena_alloc(&run->request_arena,
					  count * sizeof(*run->request.values));
	values = &run->scratch;
	buf_reset(values);
	for (unsigned i = 0; i < count; i++) {
		lua_rawgeti(L, 3, (lua_Integer)i + 1);
		read_option(L, run, i, values);
		run_hash(run, 'o', run->request.options[i].data, run->request.options[i].len);
		lua_pop(L, 1);
	}
	if (run->request.random)
		shuffle(run);
	run->request.prompt = prompt_with_options(run, prompt);
	run->request.shape = keep(run, (struct bytes){ values->data, values->len });
	run_hash(run, 'p', prompt.data, prompt.len);
	run_hash(run, 'v', values->data, values->len);
	if (run->request.answer == ANSWER_CHOICES)
		run_hash(run, 'm', "", 0);
	return run_request(L, run);
}

/* citizen:confirm(prompt) -> boolean                                                            [-0, +1, v]
 * Asks for yes or no.  Raises on a bad argument.
 */
static int citizen_confirm(lua_State *L)
{
	struct run *run = check_citizen(L, "confirm");
	struct bytes prompt = check_words(L, 2, 2, PROMPT_MAX, "the question");

	run_request_begin(run, REQUEST_CONFIRM);
	run->request.answer = ANSWER_YES_NO;
	run->request.prompt = keep(run, prompt);
	run_hash(run, 'p', prompt.data, prompt.len);
	return run_request(L, run);
}

/* ---- call ---- */

static int called(lua_State *L, int status UNUSED, lua_KContext before)
{
	return lua_gettop(L) - (int)before;
}

/* citizen:call(dialog, ...) -> what it returns                                                 [-0, +n, e]
 * Runs another dialog function, of this plugin or of plugins/lib, as a part of this one.  Raises what it raises.
 */
static int citizen_call(lua_State *L)
{
	int count = lua_gettop(L);

	check_citizen(L, "call");
	luaL_checktype(L, 2, LUA_TFUNCTION);
	lua_pushvalue(L, 2);
	lua_pushvalue(L, 1);
	for (int i = 3; i <= count; i++)
		lua_pushvalue(L, i);
	lua_callk(L, count - 1, LUA_MULTRET, count, called);
	return called(L, LUA_OK, count);
}

/* ---- set ---- */

/* A field of the argument by its name, or what is there now; *changed where it is given. */
static const char *set_field(lua_State *L, const char *name, const char *now, const char **changed)
{
	struct bytes text;

	if (lua_getfield(L, 2, name) == LUA_TNIL) {
		lua_pop(L, 1);
		return now;
	}
	if (lua_type(L, -1) == LUA_TSTRING && lua_rawlen(L, -1) == 0)
		text = (struct bytes){ "", 0 };
	else
		text = check_words(L, lua_gettop(L), 2, FIELD_BYTES_MAX, name);
	if (memchr(text.data, '\n', text.len))
		luaL_argerror(L, 2, lua_pushfstring(L, "%s is one line", name));
	if (strcmp(name, "language") == 0 && !phrase_language_known(text.data))
		luaL_argerror(L, 2, "language is \"id\", \"jv\" or \"en\"");
	*changed = text.data; /* the table at 2 keeps it */
	lua_pop(L, 1);
	return *changed;
}

/* citizen:set{ name =, area =, language = }                                                     [-0, +0, v]
 * Changes what is kept of her, with the step; "" forgets a name or an area.  Raises on a bad argument.
 */
static int citizen_set(lua_State *L)
{
	struct run *run = check_citizen(L, "set");
	struct journal_citizen now, set = { 0 };

	luaL_checktype(L, 2, LUA_TTABLE);
	for (lua_pushnil(L); lua_next(L, 2); lua_pop(L, 1)) {
		const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";

		if (strcmp(name, "name") != 0 && strcmp(name, "area") != 0 &&
		    strcmp(name, "language") != 0)
			luaL_argerror(L, 2,
				      "there are the fields name, area and language to be set");
	}
	now.name = set_field(L, "name", run->citizen.name, &set.name);
	now.area = set_field(L, "area", run->citizen.area, &set.area);
	now.language = set_field(L, "language", run->citizen.language, &set.language);
	run_hash(run, 'f', now.name, strlen(now.name) + 1);
	run_hash(run, 'f', now.area, strlen(now.area) + 1);
	run_hash(run, 'f', now.language, strlen(now.language) + 1);
	run->acted = true;
	if (run->live) {
		struct journal_citizen *out = &run->call->set;

		out->name = set.name ? arena_strdup(run->call->arena, set.name) : out->name;
		out->area = set.area ? arena_strdup(run->call->arena, set.area) : out->area;
		out->language = set.language ? arena_strdup(run->call->arena, set.language)
					     : out->language;
	}
	run_citizen(run, &now);
	return 0;
}

/* ---- say ---- */

/* Where what was just said comes from. */
static void mark_said(lua_State *L, struct run *run)
{
	struct run_call *call = run->call;
	struct said_mark *mark = &call->marks[call->mark_count];
	lua_Debug ar;

	if (call->mark_count == RUN_MARKS || !lua_getstack(L, 1, &ar))
		return;
	lua_getinfo(L, "Sl", &ar);
	*mark = (struct said_mark){ run->said.len, arena_strdup(call->arena, ar.short_src),
				    ar.currentline };
	call->mark_count++;
}

/* citizen:say(text)  citizen:say(format, ...)                                                   [-0, +0, v]
 * Adds a line to what the citizen reads next: before the next question, or at the end.  With arguments the text is a format as of
 * string.format.  Raises on a bad argument, and after too much of it.   upvalue: string.format
 */
static int citizen_say(lua_State *L)
{
	struct run *run = check_citizen(L, "say");
	int n = lua_gettop(L);
	struct bytes text;

	luaL_checktype(L, 2, LUA_TSTRING);
	if (n > 2) {
		lua_pushvalue(L, lua_upvalueindex(1));
		lua_insert(L, 2);
		lua_call(L, n - 1, 1);
	}
	text = check_words(L, 2, 2, SAID_MAX, "the text");
	if (++run->says > SAYS_MAX)
		return luaL_error(L, "say was called more than %d times before a question",
				  SAYS_MAX);
	if (run->said.len + text.len > SAID_MAX)
		return luaL_error(L, "more than %d bytes were said before a question", SAID_MAX);
	run_hash(run, 's', text.data, text.len);
	if (run->live) {
		if (run->said.len > 0)
			buf_add(&run->said, "\n", 1);
		buf_add(&run->said, text.data, text.len);
		if (run->call->marks)
			mark_said(L, run);
	}
	return 0;
}

/* ---- the object ---- */

static int push_field_of(lua_State *L, const struct run *run, const char *name)
{
	if (strcmp(name, "channel") == 0)
		lua_pushstring(L, run->channel == CHANNEL_USSD ? "ussd" : "sms");
	else if (strcmp(name, "language") == 0)
		lua_pushstring(L, run->citizen.language);
	else if (strcmp(name, "name") == 0 && run->citizen.name[0])
		lua_pushstring(L, run->citizen.name);
	else if (strcmp(name, "area") == 0 && run->citizen.area[0])
		lua_pushstring(L, run->citizen.area);
	else
		lua_pushnil(L);
	return 1;
}

/* citizen.NAME: a method (upvalue 1), or one of her fields as they were when the event came; nil where not known. */
static int citizen_index(lua_State *L)
{
	struct run *run = check_run(L);

	lua_pushvalue(L, 2);
	if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL || lua_type(L, 2) != LUA_TSTRING)
		return 1;
	lua_pop(L, 1);
	return push_field_of(L, run, lua_tostring(L, 2));
}

static int citizen_newindex(lua_State *L)
{
	return luaL_error(L, "the citizen's fields are set by citizen:set{ name = ... }");
}

void api_provide_citizen(lua_State *L, struct program *program)
{
	static const luaL_Reg methods[] = {
		{ "ask", citizen_ask },         { "choose", citizen_choose },
		{ "confirm", citizen_confirm }, { "call", citizen_call },
		{ "set", citizen_set },         { NULL, NULL },
	};

	lua_newuserdatauv(L, 0, 0);
	lua_newtable(L);
	lua_newtable(L);
	luaL_setfuncs(L, methods, 0);
	sandbox_push_provided(program->sandbox, "string");
	lua_getfield(L, -1, "format");
	lua_remove(L, -2);
	lua_pushcclosure(L, citizen_say, 1);
	lua_setfield(L, -2, "say");
	lua_pushcclosure(L, citizen_index, 1);
	lua_setfield(L, -2, "__index");
	lua_pushcfunction(L, citizen_newindex);
	lua_setfield(L, -2, "__newindex");
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_pushboolean(L, 1);
	lua_rawsetp(L, -2, &citizen_key);
	lua_setmetatable(L, -2);
	program->citizen = luaL_ref(L, LUA_REGISTRYINDEX);
}
