/* plugin_api_records.c - a plugin's records: insert, put, update, increment, get, find, count.
 *
 * A write is gathered in the step.  What a dialog may see of the store it asks for: the request is answered after
 * the writes before it are committed, and the answer is an entry of the journal.  A write whose result matters is such a
 * request too, and the store does it and writes the entry in one go.  A record is a JSON object in
 * the store; whose it is stands beside it and is never shown to the plugin.
 */
#include <inttypes.h>
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugin_api.h"
#include "plugin_sandbox_priv.h"
#include "plugin_value.h"
#include "utf8.h"

enum { TERMS_MAX = 8, KEY_BYTES_MAX = 512, FIND_DEFAULT = 20 };

static const char *const type_names[] = {
	[FIELD_TEXT] = "a text",
	[FIELD_INTEGER] = "a whole number",
	[FIELD_NUMBER] = "a number",
	[FIELD_BOOLEAN] = "true or false",
};

/* The table whose method was called; argument 1 is the table where it was called with ':'. */
static const struct record_table *check_table(lua_State *L)
{
	const struct record_table *table = lua_touserdata(L, lua_upvalueindex(1));

	if (!lua_istable(L, 1) || !sandbox_is_protected(L, 1))
		luaL_error(L, "call it with a colon: records.%s:insert(...)", table->name);
	return table;
}

static void check_changeable(lua_State *L, const struct record_table *table)
{
	if (table->append_only)
		luaL_error(L, "records.%s is append_only: its records can only be inserted",
			   table->name);
}

static bool is_citizen(lua_State *L, int idx)
{
	return lua_type(L, idx) == LUA_TUSERDATA;
}

static bool fits(lua_State *L, int idx, enum table_field_type type)
{
	switch (type) {
	case FIELD_TEXT:
		return lua_type(L, idx) == LUA_TSTRING;
	case FIELD_INTEGER:
		return lua_isinteger(L, idx);
	case FIELD_NUMBER:
		return lua_type(L, idx) == LUA_TNUMBER;
	default:
		return lua_isboolean(L, idx);
	}
}

static const char *field_list(lua_State *L, const struct record_table *table, bool indexed)
{
	luaL_Buffer buffer;
	unsigned count = 0;

	luaL_buffinit(L, &buffer);
	for (unsigned i = 0; i < table->field_count; i++) {
		if (indexed && !table->fields[i].indexed)
			continue;
		luaL_addstring(&buffer, count++ > 0 ? ", " : "");
		luaL_addstring(&buffer, table->fields[i].name);
	}
	luaL_pushresult(&buffer);
	return count > 0 ? lua_tostring(L, -1) : "none";
}

/* Every field of the row at argument 2 must be one of the table's, and of its type. */
static void check_row(lua_State *L, const struct record_table *table)
{
	luaL_checktype(L, 2, LUA_TTABLE);
	for (lua_pushnil(L); lua_next(L, 2); lua_pop(L, 1)) {
		const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "?";
		const struct table_field *field = table_field(table, name);

		if (strcmp(name, "citizen") == 0 && is_citizen(L, -1))
			continue;
		if (!field)
			luaL_error(L, "records.%s has no field '%s'; there are %s", table->name,
				   name, field_list(L, table, false));
		else if (!fits(L, -1, field->type))
			luaL_error(L, "records.%s.%s must be %s, not a %s", table->name, name,
				   type_names[field->type], luaL_typename(L, -1));
	}
}

/* Pushes the row without `citizen`, in a new table; what it gives back in a journal and keeps as JSON. */
static void push_row(lua_State *L, const struct record_table *table)
{
	lua_createtable(L, 0, (int)table->field_count);
	for (unsigned i = 0; i < table->field_count; i++) {
		lua_pushstring(L, table->fields[i].name);
		lua_pushvalue(L, -1);
		if (lua_rawget(L, 2) != LUA_TNIL)
			lua_rawset(L, -3);
		else
			lua_pop(L, 2);
	}
}

/* One value of a key, as JSON behind the buffer; idx -1 of citizen is the run's. */
static void add_key_value(lua_State *L, int idx, struct buf *key)
{
	const char *why = NULL;

	if (key->len > 1)
		buf_add(key, ",", 1);
	if (lua_isnil(L, idx))
		buf_addstr(key, "null");
	else
		why = value_to_json(L, idx, key);
	if (why)
		luaL_error(L, "a value of the key: %s", why);
	if (key->len > KEY_BYTES_MAX)
		luaL_error(L, "the key of a record has at most %d bytes", KEY_BYTES_MAX);
}

static void push_citizen_key(lua_State *L, const struct run *run)
{
	if (!run->call->citizen[0])
		luaL_error(L, "this dialog has no citizen, so the record needs another key");
	lua_pushstring(L, run->call->citizen);
}

/* The key of the row at argument 2: the unique fields' values as a JSON array. */
static const char *row_key(lua_State *L, struct run *run, const struct record_table *table)
{
	struct buf *key = &run->scratch;
	char id[ID_TEXT_SIZE];

	buf_reset(key);
	if (table->unique_count == 0) {
		id_format(run->live ? id_new(run->call->citizen) : (struct id){ 0 }, id);
		buf_addstr(key, id);
		return key->data;
	}
	buf_add(key, "[", 1);
	for (unsigned i = 0; i < table->unique_count; i++) {
		if (strcmp(table->unique[i], "citizen") == 0) {
			push_citizen_key(L, run);
		} else {
			lua_pushstring(L, table->unique[i]);
			lua_rawget(L, 2);
		}
		add_key_value(L, lua_gettop(L), key);
		lua_pop(L, 1);
	}
	buf_add(key, "]", 1);
	return key->data;
}

/* A value for an index, where idx fits the field. */
static struct record_value index_value(lua_State *L, int idx, struct arena *arena)
{
	struct record_value value = { .type = RECORD_NULL, .text = { "", 0 } };
	size_t len;
	const char *text;

	switch (lua_type(L, idx)) {
	case LUA_TBOOLEAN:
		value.type = RECORD_INTEGER;
		value.integer = lua_toboolean(L, idx);
		break;
	case LUA_TNUMBER:
		value.type = lua_isinteger(L, idx) ? RECORD_INTEGER : RECORD_REAL;
		value.integer = lua_tointeger(L, idx);
		value.real = lua_tonumber(L, idx);
		break;
	case LUA_TSTRING:
		text = lua_tolstring(L, idx, &len);
		value.type = RECORD_TEXT;
		value.text = arena_bytes(arena, text, len);
		break;
	default:
		break;
	}
	return value;
}

static void add_index(lua_State *L, const struct record_table *table, struct record_write *write,
		      struct arena *arena)
{
	write->index = arena_alloc(arena, (table->field_count + 1) * sizeof(*write->index));
	for (unsigned i = 0; i < table->field_count; i++) {
		if (!table->fields[i].indexed)
			continue;
		lua_pushstring(L, table->fields[i].name);
		lua_rawget(L, 2);
		write->index[write->index_count].name = arena_strdup(arena, table->fields[i].name);
		write->index[write->index_count++].value = index_value(L, lua_gettop(L), arena);
		lua_pop(L, 1);
	}
}

static char tag_of(int kind)
{
	static const char tags[] = { [RECORD_INSERT] = 'i',
				     [RECORD_PUT] = 'u',
				     [RECORD_UPDATE] = 'c',
				     [RECORD_INCREMENT] = '+' };

	return tags[kind];
}

/* What is written is hashed; where it is new, it is added to the step.  The row without `citizen` is on top of the stack, and
 * as it came at argument 2; key NULL: what the row says. */
static struct record_write *add_write(lua_State *L, struct run *run,
				      const struct record_table *table, int kind, const char *key)
{
	struct record_write *write;
	struct arena *arena;
	const char *why;
	struct buf *json = &run->json;

	buf_reset(json);
	why = value_to_json(L, lua_gettop(L), json);
	if (!why && json->len > RECORD_BYTES_MAX)
		why = "the record is too large";
	if (why)
		luaL_error(L, "records.%s: %s", table->name, why);
	if (++run->writes > WRITES_MAX)
		luaL_error(L, "more than %d records were written before a question", WRITES_MAX);
	run_hash(run, tag_of(kind), table->name, strlen(table->name));
	run_hash(run, 'j', json->data, json->len);
	if (key)
		run_hash(run, 'k', key, strlen(key));
	else
		key = row_key(L, run, table);
	if (!run->live)
		return NULL;
	write = step_add_record(run->call->step);
	arena = &run->call->step->arena;
	write->kind = kind;
	write->plugin = arena_strdup(arena, run->program->bundle->plugin);
	write->table = arena_strdup(arena, table->name);
	write->key = arena_strdup(arena, key);
	write->json = arena_bytes(arena, json->data, json->len);
	write->citizen = arena_strdup(arena, run->call->citizen);
	write->chained = table->append_only;
	add_index(L, table, write, arena);
	return write;
}

/* A request about a table: another table is another call. */
static void request_begin(struct run *run, enum request_kind kind, const struct record_table *table)
{
	run_request_begin(run, kind);
	run->request.shape = (struct bytes){ table->name, strlen(table->name) };
	run_hash(run, 'n', table->name, strlen(table->name));
}

/* records.NAME:insert(row) -> row  |  nil, "exists"                                              [-0, +1|2, v]
 * Adds a record.  Where the table has a unique key that is taken, nothing is written and "exists" is said; this is then known, so
 * what the dialog has done so far is committed first.  Raises on a field that the table has not, or of another type.
 */
static int records_insert(lua_State *L)
{
	struct run *run = check_run(L);
	const struct record_table *table = check_table(L);
	struct record_write *write;
	const char *why;

	check_row(L, table);
	push_row(L, table);
	if (table->unique_count == 0) {
		add_write(L, run, table, RECORD_INSERT, NULL);
		return 1;
	}
	buf_reset(&run->results);
	why = value_pack(L, lua_gettop(L), &run->results);
	if (why)
		return luaL_error(L, "records.%s: %s", table->name, why);
	write = add_write(L, run, table, RECORD_INSERT, NULL);
	request_begin(run, REQUEST_INSERT, table);
	run->write = write;
	return run_request(L, run);
}

/* records.NAME:put(row) -> row                                                                   [-0, +1, v]
 * Writes a record, in place of the one with the same unique key.  Raises as insert does, and where the table has no key.
 */
static int records_put(lua_State *L)
{
	struct run *run = check_run(L);
	const struct record_table *table = check_table(L);

	check_changeable(L, table);
	check_row(L, table);
	if (table->unique_count == 0)
		return luaL_error(L,
				  "records.%s has no unique key, so there is nothing to put it in "
				  "place of: use insert",
				  table->name);
	push_row(L, table);
	add_write(L, run, table, RECORD_PUT, NULL);
	return 1;
}

/* The key at the arguments from 2 on, as a JSON array; with `others` more arguments behind it.  In run->scratch. */
static const char *args_key(lua_State *L, struct run *run, const struct record_table *table,
			    const char *method, int others)
{
	struct buf *key = &run->scratch;

	if (table->unique_count == 0)
		luaL_error(L, "records.%s has no unique key to %s a record by%s", table->name,
			   method, strcmp(method, "get") == 0 ? ": use find" : "");
	if (lua_gettop(L) < (int)table->unique_count + 1 + others)
		luaL_error(L, "records.%s:%s needs the %d values of its unique key%s", table->name,
			   method, (int)table->unique_count,
			   others > 0 ? ", and then what to change" : "");
	buf_reset(key);
	buf_add(key, "[", 1);
	for (unsigned i = 0; i < table->unique_count; i++) {
		bool ours = strcmp(table->unique[i], "citizen") == 0;

		if (ours && !is_citizen(L, (int)i + 2))
			luaL_argerror(L, (int)i + 2, "must be the citizen");
		if (ours)
			push_citizen_key(L, run);
		else
			lua_pushvalue(L, (int)i + 2);
		add_key_value(L, lua_gettop(L), key);
		lua_pop(L, 1);
	}
	buf_add(key, "]", 1);
	return key->data;
}

/* records.NAME:get(key...) -> row | nil                                                          [-0, +1, v]
 * The record of a unique key: its fields in their order, the citizen as `citizen`.
 */
static int records_get(lua_State *L)
{
	struct run *run = check_run(L);
	const struct record_table *table = check_table(L);
	const char *key = args_key(L, run, table, "get", 0);

	if (lua_gettop(L) != (int)table->unique_count + 1)
		return luaL_error(L, "records.%s:get needs the %d values of its unique key",
				  table->name, (int)table->unique_count);
	request_begin(run, REQUEST_GET, table);
	run->query.table = table->name;
	run->query.key = arena_strdup(&run->request_arena, key);
	run->query.limit = 1;
	run_hash(run, 'k', key, strlen(key));
	return run_request(L, run);
}

/* ---- changes of a record that is there ---- */

static bool in_key(const struct record_table *table, const char *name)
{
	for (unsigned i = 0; i < table->unique_count; i++)
		if (strcmp(table->unique[i], name) == 0)
			return true;
	return false;
}

/* The changes at argument 2: at least one, and none of the key, which the record is known by. */
static void check_changes(lua_State *L, const struct record_table *table)
{
	bool some = false;

	check_row(L, table);
	for (lua_pushnil(L); lua_next(L, 2); lua_pop(L, 1)) {
		const char *name = lua_tostring(L, -2);

		some = true;
		if (in_key(table, name) || strcmp(name, "citizen") == 0)
			luaL_error(L, "records.%s:update can't change '%s': the record is %s",
				   table->name, name,
				   in_key(table, name) ? "known by it" : "whose it is");
	}
	if (!some)
		luaL_error(L, "records.%s:update: there is nothing to change", table->name);
}

/* Only what is in the change is indexed anew. */
static void drop_unnamed(lua_State *L, struct record_write *write)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < write->index_count; i++) {
		lua_pushstring(L, write->index[i].name);
		if (lua_rawget(L, 2) != LUA_TNIL)
			write->index[kept++] = write->index[i];
		lua_pop(L, 1);
	}
	write->index_count = kept;
}

/* records.NAME:update(key..., changes) -> row | nil                                             [-0, +1|2, v]
 * Changes fields of the record of a unique key, in one go, whatever other dialogs do meanwhile.  nil: there is none; nil, "bound": it
 * would be too large.  Raises on a field of the key, or one that the table has not, or of another type.
 */
static int records_update(lua_State *L)
{
	struct run *run = check_run(L);
	const struct record_table *table = check_table(L);
	struct record_write *write;
	const char *key;

	check_changeable(L, table);
	key = args_key(L, run, table, "update", 1);
	if (lua_gettop(L) != (int)table->unique_count + 2 || !lua_istable(L, -1))
		return luaL_error(L, "records.%s:update ends with a table of changes", table->name);
	lua_replace(L, 2);
	check_changes(L, table);
	push_row(L, table);
	buf_reset(&run->results);
	write = add_write(L, run, table, RECORD_UPDATE, key);
	if (write)
		drop_unnamed(L, write);
	request_begin(run, REQUEST_UPDATE, table);
	run->write = write;
	return run_request(L, run);
}

static struct record_value number_at(lua_State *L, int idx)
{
	struct record_value value = { .type = RECORD_INTEGER, .text = { "", 0 } };

	if (!lua_isinteger(L, idx)) {
		value.type = RECORD_REAL;
		value.real = lua_tonumber(L, idx);
	} else {
		value.integer = lua_tointeger(L, idx);
	}
	return value;
}

/* { min =, max = } at idx, or nothing there. */
static void read_bounds(lua_State *L, int idx, const struct table_field *field,
			struct record_value *min, struct record_value *max)
{
	min->type = max->type = RECORD_NULL;
	if (lua_isnoneornil(L, idx))
		return;
	luaL_checktype(L, idx, LUA_TTABLE);
	for (lua_pushnil(L); lua_next(L, idx); lua_pop(L, 1)) {
		const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "?";
		bool low = strcmp(name, "min") == 0;

		if (!low && strcmp(name, "max") != 0)
			luaL_error(L, "there is no bound '%s'; there are min and max", name);
		if (!fits(L, -1, field->type))
			luaL_error(L, "%s must be %s, as %s is", name, type_names[field->type],
				   field->name);
		*(low ? min : max) = number_at(L, -1);
	}
}

/* Pushes the record that is made where there is none: the key, and `by` at by_idx in the field. */
static void push_counted(lua_State *L, const struct record_table *table,
			 const struct table_field *field, int by_idx)
{
	lua_createtable(L, 0, (int)table->unique_count + 1);
	for (unsigned i = 0; i < table->unique_count; i++) {
		const struct table_field *part = table_field(table, table->unique[i]);

		if (!part)
			continue; /* the citizen */
		if (!fits(L, (int)i + 2, part->type))
			luaL_error(L, "records.%s.%s must be %s, not a %s", table->name, part->name,
				   type_names[part->type], luaL_typename(L, (int)i + 2));
		lua_pushvalue(L, (int)i + 2);
		lua_setfield(L, -2, part->name);
	}
	lua_pushvalue(L, by_idx);
	lua_setfield(L, -2, field->name);
}

static void hash_number(struct run *run, const struct record_value *value)
{
	run_hash(run, '0' + (char)value->type, &value->integer, sizeof(value->integer));
	run_hash(run, 'd', &value->real, sizeof(value->real));
}

static const struct table_field *check_counter(lua_State *L, const struct record_table *table,
					       int idx)
{
	const char *name = luaL_checkstring(L, idx);
	const struct table_field *field = table_field(table, name);

	if (!field || (field->type != FIELD_INTEGER && field->type != FIELD_NUMBER) ||
	    in_key(table, name)) {
		luaL_error(L,
			   "records.%s:increment needs a field that is an integer or a number and "
			   "not of the key, not '%s'",
			   table->name, name);
	}
	return field;
}

/* records.NAME:increment(key..., field [, by [, { min =, max = }]]) -> number  |  nil, "bound"    [-0, +1|2, v]
 * Adds to a number of the record of a unique key, in one go, and makes the record where there is none (it counts from 0 then).
 * "bound": the sum would be beyond a bound, and nothing was changed.
 */
static int records_increment(lua_State *L)
{
	struct run *run = check_run(L);
	const struct record_table *table = check_table(L);
	int field_idx = (int)table->unique_count + 2;
	const struct table_field *field;
	struct record_value by, min = { 0 }, max = { 0 };
	struct record_write *write;
	const char *key;

	check_changeable(L, table);
	key = args_key(L, run, table, "increment", 1);
	field = check_counter(L, table, field_idx);
	lua_settop(L, field_idx + 2);
	if (lua_isnil(L, field_idx + 1)) {
		lua_pushinteger(L, 1);
		lua_replace(L, field_idx + 1);
	}
	if (!fits(L, field_idx + 1, field->type))
		return luaL_error(L, "records.%s.%s grows by %s, not by a %s", table->name,
				  field->name, type_names[field->type],
				  luaL_typename(L, field_idx + 1));
	by = number_at(L, field_idx + 1);
	read_bounds(L, field_idx + 2, field, &min, &max);
	push_counted(L, table, field, field_idx + 1);
	lua_pushvalue(L, -1);
	lua_replace(L, 2); /* the row, for its index */
	buf_reset(&run->results);
	hash_number(run, &min);
	hash_number(run, &max);
	write = add_write(L, run, table, RECORD_INCREMENT, key);
	if (write) {
		write->increment.field = arena_strdup(&run->call->step->arena, field->name);
		write->increment.by = by;
		write->increment.min = min;
		write->increment.max = max;
		if (!in_key(table, "citizen"))
			write->citizen = ""; /* a count of all, whoever was the first */
	}
	request_begin(run, REQUEST_INCREMENT, table);
	run_hash(run, 'f', field->name, strlen(field->name));
	run->write = write;
	return run_request(L, run);
}

/* ---- find and count ---- */

static void add_term(lua_State *L, struct run *run, struct record_term *terms,
		     const struct table_field *field, enum record_op op, int idx)
{
	struct buf *text = &run->scratch;
	const char *why;

	if (run->query.term_count >= TERMS_MAX)
		luaL_error(L, "at most %d conditions at once", TERMS_MAX);
	if (!fits(L, idx, field->type))
		luaL_error(L, "%s must be compared with %s, not a %s", field->name,
			   type_names[field->type], luaL_typename(L, idx));
	terms[run->query.term_count++] = (struct record_term){
		.field = field->name, .op = op, .value = index_value(L, idx, &run->request_arena)
	};
	buf_reset(text);
	buf_addf(text, "%s %d ", field->name, (int)op);
	why = value_pack(L, idx, text);
	if (why)
		luaL_error(L, "%s: %s", field->name, why);
	run_hash(run, 't', text->data, text->len);
}

/* A condition { min =, max = }, on top of the stack. */
static void add_range(lua_State *L, struct run *run, struct record_term *terms,
		      const struct table_field *field)
{
	static const struct {
		const char *name;
		enum record_op op;
	} bounds[] = { { "min", RECORD_GE }, { "max", RECORD_LE } };
	unsigned before = run->query.term_count;

	for (unsigned i = 0; i < ARRAY_LEN(bounds); i++) {
		lua_pushstring(L, bounds[i].name);
		if (lua_rawget(L, -2) != LUA_TNIL)
			add_term(L, run, terms, field, bounds[i].op, lua_gettop(L));
		lua_pop(L, 1);
	}
	if (run->query.term_count == before)
		luaL_error(L, "%s: a range is { min = ..., max = ... }, with one or both",
			   field->name);
}

/* The conditions at argument 2, in the order of the table's fields. */
static void read_terms(lua_State *L, struct run *run, const struct record_table *table)
{
	struct record_term *terms = arena_alloc(&run->request_arena, TERMS_MAX * sizeof(*terms));

	run->query.table = table->name;
	run->query.terms = terms;
	if (lua_isnoneornil(L, 2))
		return;
	luaL_checktype(L, 2, LUA_TTABLE);
	for (lua_pushnil(L); lua_next(L, 2); lua_pop(L, 1)) {
		const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "?";
		const struct table_field *field = table_field(table, name);

		if (!field || !field->indexed)
			luaL_error(L, "records.%s can't be searched by '%s'; it is indexed by %s",
				   table->name, name, field_list(L, table, true));
	}
	for (unsigned i = 0; i < table->field_count; i++) {
		lua_pushstring(L, table->fields[i].name);
		if (lua_rawget(L, 2) == LUA_TTABLE)
			add_range(L, run, terms, &table->fields[i]);
		else if (!lua_isnil(L, -1))
			add_term(L, run, terms, &table->fields[i], RECORD_EQ, lua_gettop(L));
		lua_pop(L, 1);
	}
}

/* ---- cursors: a record's number, and where the order is a field its value ---- */

void api_push_cursor(lua_State *L, const struct record_cursor *cursor, bool ordered)
{
	char number[32], value[40] = "n";

	snprintf(number, sizeof(number), "%" PRId64 "%s", cursor->number, ordered ? ":" : "");
	if (cursor->value.type == RECORD_INTEGER)
		snprintf(value, sizeof(value), "i%" PRId64, cursor->value.integer);
	else if (cursor->value.type == RECORD_REAL)
		snprintf(value, sizeof(value), "r%a", cursor->value.real);
	else if (cursor->value.type == RECORD_TEXT)
		snprintf(value, sizeof(value), "t");
	lua_pushstring(L, number);
	if (!ordered)
		return;
	lua_pushstring(L, value);
	lua_pushlstring(L, cursor->value.text.data,
			cursor->value.type == RECORD_TEXT ? cursor->value.text.len : 0);
	lua_concat(L, 3);
}

static bool parse_cursor_value(struct bytes text, struct record_value *out)
{
	const char *end = text.data + text.len;
	char *stop = (char *)text.data + 1;

	*out = (struct record_value){ .type = RECORD_NULL, .text = { "", 0 } };
	if (text.len == 0)
		return false;
	switch (*text.data) {
	case 'n':
		break;
	case 'i':
		out->type = RECORD_INTEGER;
		out->integer = strtoll(text.data + 1, &stop, 10);
		break;
	case 'r':
		out->type = RECORD_REAL;
		out->real = strtod(text.data + 1, &stop);
		break;
	case 't':
		out->type = RECORD_TEXT;
		out->text = (struct bytes){ text.data + 1, text.len - 1 };
		return true;
	default:
		return false;
	}
	return stop == end;
}

/* The cursor on top of the stack, which find gave. */
static bool parse_cursor(struct arena *arena, struct bytes text, bool ordered,
			 struct record_cursor *out)
{
	struct bytes copy = arena_bytes(arena, text.data, text.len);
	char *end;

	*out = (struct record_cursor){ .value.text = { "", 0 } };
	out->number = strtoll(copy.data, &end, 10);
	if (end == copy.data || (*end == ':') != ordered)
		return false;
	if (!ordered)
		return end == copy.data + copy.len;
	return parse_cursor_value(
		(struct bytes){ end + 1, copy.len - (size_t)(end + 1 - copy.data) }, &out->value);
}

/* Once all options are known. */
static void read_after(lua_State *L, struct run *run)
{
	struct record_cursor *cursor = arena_alloc(&run->request_arena, sizeof(*cursor));
	struct bytes text = { NULL, 0 };

	lua_pushliteral(L, "after");
	if (lua_rawget(L, 3) == LUA_TNIL) {
		lua_pop(L, 1);
		return;
	}
	if (lua_type(L, -1) == LUA_TSTRING)
		text.data = lua_tolstring(L, -1, &text.len);
	if (!text.data ||
	    !parse_cursor(&run->request_arena, text, run->query.order != NULL, cursor))
		luaL_argerror(L, 3,
			      "after must be what a find of the same order gave behind its rows");
	run->query.after = cursor;
	run_hash(run, 'a', text.data, text.len);
	lua_pop(L, 1);
}

/* One option of find, its value on top of the stack. */
static void read_find_option(lua_State *L, struct run *run, const struct record_table *table,
			     const char *name)
{
	const struct table_field *field;

	if (strcmp(name, "limit") == 0) {
		luaL_argcheck(L,
			      lua_isinteger(L, -1) && lua_tointeger(L, -1) >= 1 &&
				      lua_tointeger(L, -1) <= FIND_MAX,
			      3, "limit must be 1 to 100");
		run->query.limit = (unsigned)lua_tointeger(L, -1);
	} else if (strcmp(name, "descending") == 0) {
		luaL_argcheck(L, lua_isboolean(L, -1), 3, "descending must be true or false");
		run->query.descending = lua_toboolean(L, -1);
	} else if (strcmp(name, "order") == 0) {
		field = lua_type(L, -1) == LUA_TSTRING ? table_field(table, lua_tostring(L, -1))
						       : NULL;
		if (!field || !field->indexed)
			luaL_argerror(L, 3,
				      lua_pushfstring(L, "order must be an indexed field: %s",
						      field_list(L, table, true)));
		else
			run->query.order = field->name;
	} else if (strcmp(name, "after") != 0) {
		luaL_argerror(L, 3,
			      lua_pushfstring(L,
					      "there is no option '%s'; there are after, order, "
					      "descending and limit",
					      name));
	}
}

/* records.NAME:find([where [, { order =, descending =, limit =, after = }]]) -> list of rows [, cursor]  [-0, +1|2, v]
 * Records whose indexed fields equal those of `where` (or lie in a range, { min =, max = }), 20 at most unless limit says
 * otherwise (to 100), oldest first unless order says otherwise.  Where there are more, the cursor is what `after` goes on behind.  Raises on a field
 * that isn't indexed.
 */
static int records_find(lua_State *L)
{
	struct run *run = check_run(L);
	const struct record_table *table = check_table(L);
	const struct record_query *query = &run->query;
	int64_t options[2];

	request_begin(run, REQUEST_FIND, table);
	run->query.limit = FIND_DEFAULT;
	read_terms(L, run, table);
	if (!lua_isnoneornil(L, 3)) {
		luaL_checktype(L, 3, LUA_TTABLE);
		for (lua_pushnil(L); lua_next(L, 3); lua_pop(L, 1))
			read_find_option(L, run, table,
					 lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2)
									: "?");
		read_after(L, run);
	}
	options[0] = query->limit;
	options[1] = query->descending;
	run_hash(run, 'f', options, sizeof(options));
	run_hash(run, 'f', query->order ? query->order : "",
		 query->order ? strlen(query->order) : 0);
	return run_request(L, run);
}

/* { by = field } at argument 3: a field whose values can be keys of a table that is kept. */
static void read_by(lua_State *L, struct run *run, const struct record_table *table)
{
	const struct table_field *field = NULL;

	if (lua_isnoneornil(L, 3))
		return;
	luaL_checktype(L, 3, LUA_TTABLE);
	for (lua_pushnil(L); lua_next(L, 3); lua_pop(L, 1)) {
		const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "?";

		if (strcmp(name, "by") != 0)
			luaL_argerror(
				L, 3,
				lua_pushfstring(L, "there is no option '%s'; there is by", name));
		if (lua_type(L, -1) == LUA_TSTRING)
			field = table_field(table, lua_tostring(L, -1));
		if (!field || !field->indexed)
			luaL_argerror(L, 3,
				      lua_pushfstring(L, "by must be an indexed field: %s",
						      field_list(L, table, true)));
		else if (field->type != FIELD_TEXT && field->type != FIELD_INTEGER)
			luaL_argerror(L, 3, "by must be a text or a whole number");
		else
			run->query.by = field->name;
	}
}

/* records.NAME:count([where [, { by = }]]) -> number | table                                     [-0, +1, v]
 * How many records there are, or fulfil the conditions of find; with `by` how many of each value of that field, by value.
 */
static int records_count(lua_State *L)
{
	struct run *run = check_run(L);
	const struct record_table *table = check_table(L);

	request_begin(run, REQUEST_COUNT, table);
	read_terms(L, run, table);
	read_by(L, run, table);
	run->query.limit = run->query.by ? GROUPS_MAX : 1;
	run->query.count = true;
	if (run->query.by)
		run_hash(run, 'b', run->query.by, strlen(run->query.by));
	return run_request(L, run);
}

void api_provide_records(lua_State *L, struct program *program)
{
	static const luaL_Reg methods[] = {
		{ "count", records_count },   { "find", records_find },
		{ "get", records_get },       { "increment", records_increment },
		{ "insert", records_insert }, { "put", records_put },
		{ "update", records_update }, { NULL, NULL },
	};
	struct bundle *bundle = program->bundle;

	if (!bundle->records)
		return;
	lua_newtable(L);
	for (unsigned i = 0; i < bundle->table_count; i++) {
		lua_newtable(L);
		lua_pushlightuserdata(L, &bundle->tables[i]);
		luaL_setfuncs(L, methods, 1);
		lua_setfield(L, -2, bundle->tables[i].name);
	}
	sandbox_provide(program->sandbox, "records");
}
