/* plugin_api_tables.c - a plugin's tables of data: get, search.
 *
 * A table is part of the bundle, so the same code always has the same rows.  Yet what a call gave is an entry of the journal,
 * with the version of the table: how rows are ranked is the program's own and may be better in its next version, and a
 * dialog that is moved to new code meets new rows.  Either would answer otherwise on replay than the citizen was
 * answered, and the dialog would diverge.
 *
 * Such an entry needs nothing of the store and nothing of the citizen.  So the call never leaves the coroutine: it answers at
 * once, its entry is handed out with the request at which the run stops, and is committed with that.  What the dialog
 * caused before the call is neither committed nor forgotten by it; that is why a journal that ends with such entries
 * counts as at its end (run_is_live).
 */
#include <lauxlib.h>
#include <string.h>

#include "plugin_api.h"
#include "plugin_data.h"
#include "plugin_sandbox_priv.h"
#include "plugin_value.h"
#include "utf8.h"

enum {
	LOOKUPS_MAX = 100, /* up to a question or a read of records */
	SEARCH_DEFAULT = 5,
	SEARCH_MOST = 20,
	GET_COST = 200,     /* instructions */
	SEARCH_COST = 5000, /* likewise: a hundred of them are half a step */
	RESULTS_KEPT = 4,
};

/* A call on its way: what was asked, and how many results it gives beside the version. */
struct lookup {
	struct run *run;
	const struct data_table *table;
	int results;
};

static const struct data_table *check_data(lua_State *L)
{
	const struct data_table *table = lua_touserdata(L, lua_upvalueindex(1));

	if (!lua_istable(L, 1) || !sandbox_is_protected(L, 1))
		luaL_error(L, "call it with a colon: tables.%s:search(...)", table->name);
	return table;
}

/* ---- the journal ---- */

/* The code isn't the journal's; no pcall may go on from here. */
static int diverge(lua_State *L, struct run *run, const char *why)
{
	run->live = false;
	return sandbox_die(L, SANDBOX_ENDED, why);
}

/* Pushes what the journal's next entry has.  false: there is none, the call is new. */
static bool push_recorded(lua_State *L, struct lookup *lookup)
{
	struct run *run = lookup->run;
	struct journal_entry entry;
	struct bytes left;

	if (run->position >= run->call->journal.len && run->live)
		return false;
	if (run_next_entry(run, &entry) != 1 || entry.type != ENTRY_CALL ||
	    entry.call.kind != REQUEST_LOOKUP ||
	    (!run->call->loose && entry.call.hash != run->hash)) {
		diverge(L, run,
			"the dialog looks into a table where the journal has something else: not "
			"the code or arguments that it began with");
		return true;
	}
	left = entry.call.results;
	while (lookup->results < RESULTS_KEPT && value_unpack(L, &left))
		lookup->results++;
	if (lookup->results < 2)
		diverge(L, run, "the journal is damaged");
	lua_pop(L, 1); /* the version */
	lookup->results--;
	return true;
}

/* The results on top of the stack, and the table's version, as an entry. */
static void record(lua_State *L, const struct lookup *lookup)
{
	struct run *run = lookup->run;
	struct journal_call call = { .kind = REQUEST_LOOKUP,
				     .hash = run->hash,
				     .shape = { lookup->table->name,
						strlen(lookup->table->name) } };
	const char *version = data_version(lookup->table->index), *why = NULL;
	struct buf *packed = &run->scratch;

	buf_reset(packed);
	for (int i = lookup->results; i > 0 && !why; i--)
		why = value_pack(L, -i, packed);
	if (why)
		luaL_error(L, "tables.%s: %s", lookup->table->name, why);
	journal_result_text(packed, (struct bytes){ version, strlen(version) });
	call.results = (struct bytes){ packed->data, packed->len };
	journal_add_call(&run->lookups, &call);
}

static void begin(lua_State *L, struct lookup *lookup, char tag, struct bytes what, int64_t limit)
{
	struct run *run = lookup->run;

	if (++run->lookup_count > LOOKUPS_MAX)
		luaL_error(L, "more than %d rows or searches were asked for before a question",
			   LOOKUPS_MAX);
	run_hash(run, 'n', lookup->table->name, strlen(lookup->table->name));
	run_hash(run, 'l', &limit, sizeof(limit));
	run_hash(run, tag, what.data, what.len);
}

/* ---- rows ---- */

static void push_data_row(lua_State *L, const struct data_index *index, const struct rows *rows)
{
	const struct bytes *columns;
	unsigned count = data_columns(index, &columns);

	lua_createtable(L, 0, (int)count);
	for (unsigned i = 0; i < count; i++) {
		lua_pushlstring(L, columns[i].data, columns[i].len);
		lua_pushlstring(L, rows->fields[i].data, rows->fields[i].len);
		lua_rawset(L, -3);
	}
}

/* A key: a text, or a whole number for what looks like one. */
static struct bytes check_data_key(lua_State *L)
{
	struct bytes key;

	if (!lua_isinteger(L, 2) && lua_type(L, 2) != LUA_TSTRING)
		luaL_argerror(L, 2, "the key must be a text");
	key.data = lua_tolstring(L, 2, &key.len);
	return key;
}

/* tables.NAME:get(key) -> row | nil                                                              [-0, +1, v]
 * The row of a key: its columns as texts.  Raises where the table has no key.
 */
static int tables_get(lua_State *L)
{
	struct lookup lookup = { .run = check_run(L), .table = check_data(L) };
	struct rows *rows = &lookup.run->rows;
	struct bytes key = check_data_key(L);

	if (!lookup.table->key[0])
		return luaL_error(L, "tables.%s has no key in the manifest: use search",
				  lookup.table->name);
	begin(L, &lookup, 'g', key, 1);
	if (push_recorded(L, &lookup))
		return lookup.results;
	sandbox_charge(L, GET_COST);
	rows_free(rows);
	data_open(lookup.table->index, rows);
	if (data_get(lookup.table->index, rows, key))
		push_data_row(L, lookup.table->index, rows);
	else
		lua_pushnil(L);
	lookup.results = 1;
	record(L, &lookup);
	return 1;
}

static unsigned check_limit(lua_State *L)
{
	unsigned limit = SEARCH_DEFAULT;

	if (lua_isnoneornil(L, 3))
		return limit;
	luaL_checktype(L, 3, LUA_TTABLE);
	for (lua_pushnil(L); lua_next(L, 3); lua_pop(L, 1)) {
		const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "?";

		if (strcmp(name, "limit") != 0)
			luaL_argerror(L, 3,
				      lua_pushfstring(L, "there is no option '%s'; there is limit",
						      name));
		luaL_argcheck(L,
			      lua_isinteger(L, -1) && lua_tointeger(L, -1) >= 1 &&
				      lua_tointeger(L, -1) <= SEARCH_MOST,
			      3, "limit must be 1 to 20");
		limit = (unsigned)lua_tointeger(L, -1);
	}
	return limit;
}

static void push_found(lua_State *L, const struct lookup *lookup, const struct search_found *found,
		       unsigned count)
{
	struct rows *rows = &lookup->run->rows;

	rows_free(rows);
	data_open(lookup->table->index, rows);
	lua_createtable(L, (int)count, 0);
	for (unsigned i = 0; i < count; i++) {
		data_row(lookup->table->index, rows, found[i].row);
		push_data_row(L, lookup->table->index, rows);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	lua_createtable(L, (int)count, 0);
	for (unsigned i = 0; i < count; i++) {
		lua_pushinteger(L, found[i].score);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
}

/* tables.NAME:search(text [, { limit = }]) -> list of rows, list of scores                     [-0, +2, v]
 * The rows whose searched columns fit the text best, best first, 5 at most unless limit says otherwise (to 20), and how well each
 * fits: 1 to 100.  Both are empty where nothing fits.  Raises where the table has no searched columns.
 */
static int tables_search(lua_State *L)
{
	struct lookup lookup = { .run = check_run(L), .table = check_data(L) };
	struct search_found found[SEARCH_MOST];
	struct program *program = lookup.run->program;
	struct bytes text;
	unsigned limit, count;

	text.data = luaL_checklstring(L, 2, &text.len);
	luaL_argcheck(L, utf8_valid(text.data, text.len), 2, "the text is not valid UTF-8");
	limit = check_limit(L);
	if (lookup.table->search_count == 0)
		return luaL_error(L, "tables.%s has no search in the manifest: use get",
				  lookup.table->name);
	begin(L, &lookup, 's', text, limit);
	if (push_recorded(L, &lookup))
		return lookup.results;
	sandbox_charge(L, SEARCH_COST);
	if (!program->room)
		program->room = search_room_new();
	count = search_find(data_search(lookup.table->index), program->room, text, found, limit);
	push_found(L, &lookup, found, count);
	lookup.results = 2;
	record(L, &lookup);
	return 2;
}

void api_provide_tables(lua_State *L, struct program *program)
{
	static const luaL_Reg methods[] = {
		{ "get", tables_get },
		{ "search", tables_search },
		{ NULL, NULL },
	};
	struct bundle *bundle = program->bundle;

	if (bundle->data_count == 0)
		return;
	lua_newtable(L);
	for (unsigned i = 0; i < bundle->data_count; i++) {
		lua_newtable(L);
		lua_pushlightuserdata(L, &bundle->data[i]);
		luaL_setfuncs(L, methods, 1);
		lua_setfield(L, -2, bundle->data[i].name);
	}
	sandbox_provide(program->sandbox, "tables");
}
