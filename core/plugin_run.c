/* plugin_run.c - one dialog's life in Lua: run, or replayed, up to the next request.
 *
 * The dialog's coroutine and its journal are walked side by side.  Each request of the code meets the entry of the same
 * call: where kind and hash are equal the recorded result goes back and what was caused before it is forgotten, because it
 * was committed with it; where they differ the code is not the journal's, and nothing is guessed.  Behind the last entry
 * everything is new.
 */
#include "plugin_run.h"

#include <lauxlib.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugin_api.h"
#include "plugin_sandbox_priv.h"
#include "plugin_value.h"
#include "utf8.h"

enum { ERROR_MAX = 1024, RESULTS_MAX = 8 };

static const uint64_t HASH_BASIS = UINT64_C(0xCBF29CE484222325);

/* ---- programs ---- */

static void push_setting(lua_State *L, const struct bundle_setting *setting)
{
	switch (setting->type) {
	case SETTING_IS_TEXT:
		lua_pushlstring(L, setting->text.data, setting->text.len);
		break;
	case SETTING_IS_INTEGER:
		lua_pushinteger(L, setting->integer);
		break;
	case SETTING_IS_NUMBER:
		lua_pushnumber(L, setting->number);
		break;
	default:
		lua_pushboolean(L, setting->integer != 0);
		break;
	}
}

static void provide(lua_State *L, void *arg)
{
	struct program *program = arg;

	api_provide_globals(L, program);
	api_provide_citizen(L, program);
	api_provide_records(L, program);
	api_provide_tables(L, program);
	lua_newtable(L);
	for (unsigned i = 0; i < program->bundle->setting_count; i++) {
		push_setting(L, &program->bundle->settings[i]);
		lua_setfield(L, -2, program->bundle->settings[i].name);
	}
	sandbox_protect(L);
	program->settings = luaL_ref(L, LUA_REGISTRYINDEX);
}

struct program *program_new(struct bundle *bundle, char *error, size_t error_size)
{
	struct program *program = xcalloc(1, sizeof(*program));

	program->bundle = bundle_ref(bundle);
	if (!bundle_index(bundle, bundle->plugin, error, error_size))
		goto broken;
	program->sandbox = sandbox_new(&sandbox_default_limits);
	for (unsigned i = 0; i < bundle->file_count; i++) {
		const struct bundle_file *file = &bundle->files[i];

		if (!sandbox_add(program->sandbox, file->name, file->source.data, file->source.len,
				 error, error_size))
			goto broken;
	}
	if (sandbox_protected(program->sandbox, provide, program))
		return program;
	snprintf(error, error_size, "%s: out of memory", bundle->plugin);
broken:
	program_free(program);
	return NULL;
}

void program_free(struct program *program)
{
	if (!program)
		return;
	sandbox_free(program->sandbox);
	search_room_free(program->room);
	bundle_unref(program->bundle);
	free(program);
}

const struct bundle *program_bundle(const struct program *program)
{
	return program->bundle;
}

bool program_spoiled(const struct program *program)
{
	return sandbox_spoiled(program->sandbox);
}

/* ---- runs ---- */

struct find_dialog {
	struct run *run;
	const char *name;
	bool found;
};

/* Leaves of the manifest, on the coroutine's stack, the dialog's function alone. */
static void find_dialog(lua_State *L UNUSED, void *arg)
{
	struct find_dialog *find = arg;
	lua_State *thread = sandbox_run_thread(find->run->sandbox);

	if (!lua_istable(thread, -1))
		return;
	lua_pushliteral(thread, "dialogs");
	if (lua_rawget(thread, -2) == LUA_TTABLE)
		lua_replace(thread, -2);
	else
		lua_pop(thread, 1); /* there is one alone: the manifest's own `dialog` */
	lua_pushstring(thread, find->name);
	find->found = lua_rawget(thread, -2) == LUA_TFUNCTION;
	lua_replace(thread, -2);
}

struct run *run_new(struct program *program, const char *dialog, char *error, size_t error_size)
{
	struct run *run = xcalloc(1, sizeof(*run));
	struct find_dialog find = { .run = run, .name = dialog };

	run->program = program;
	run->sandbox = sandbox_run_new(program->sandbox, run);
	run->hash = HASH_BASIS;
	run->citizen = (struct journal_citizen){ "", "", "" };
	if (sandbox_run_load(run->sandbox, program->bundle->files[0].name) != SANDBOX_DONE) {
		snprintf(error, error_size, "%s", sandbox_run_error(run->sandbox));
		goto broken;
	}
	sandbox_run_freeze(run->sandbox);
	if (sandbox_protected(program->sandbox, find_dialog, &find) && find.found)
		return run;
	snprintf(error, error_size, "%s: there is no dialog '%s'", program->bundle->plugin, dialog);
broken:
	run_free(run);
	return NULL;
}

void run_free(struct run *run)
{
	if (!run)
		return;
	sandbox_run_free(run->sandbox);
	arena_free(&run->skip_arena);
	buf_free(&run->fields);
	arena_free(&run->request_arena);
	buf_free(&run->said);
	buf_free(&run->scratch);
	buf_free(&run->json);
	buf_free(&run->results);
	buf_free(&run->lookups);
	rows_free(&run->rows);
	free(run);
}

size_t run_position(const struct run *run)
{
	return run->position;
}

size_t run_kept(const struct run *run)
{
	return sandbox_run_kept(run->sandbox);
}

/* ---- walking ---- */

/* A slice of the dialog: what is pushed for it, and what came of it. */
struct slice {
	struct run *run;
	const struct journal_event *start; /* the arguments of the function, or */
	struct bytes results;              /* packed values, or */
	const struct read_result *read;    /* what the store gave */
	struct buf *packed;                /* of `read`: as it goes into the journal */
	int count;
	const char *why; /* NULL: pushed */
};

static void set_text(lua_State *L, const char *name, struct bytes text)
{
	lua_pushlstring(L, text.data, text.len);
	lua_setfield(L, -2, name);
}

/* Whether the function on top of the stack can see a third argument. */
static bool wants_message(lua_State *L)
{
	lua_Debug ar;

	lua_pushvalue(L, -1);
	lua_getinfo(L, ">u", &ar);
	return ar.nparams >= 3 || ar.isvararg;
}

static void push_start(struct slice *slice, lua_State *L)
{
	const struct journal_event *event = slice->start;
	bool message = wants_message(L);

	lua_rawgeti(L, LUA_REGISTRYINDEX, slice->run->program->citizen);
	lua_rawgeti(L, LUA_REGISTRYINDEX, slice->run->program->settings);
	slice->count = 2;
	if (!message)
		return;
	lua_createtable(L, 0, 5);
	set_text(L, "keyword", event->keyword);
	set_text(L, "rest", event->rest);
	set_text(L, "text", event->text);
	set_text(L, "channel",
		 event->channel == CHANNEL_USSD ? (struct bytes){ "ussd", 4 }
						: (struct bytes){ "sms", 3 });
	lua_pushinteger(L, event->time);
	lua_setfield(L, -2, "time");
	slice->count = 3;
}

/* The row of an update is JSON in the journal, as the store made it. */
static void push_row(struct slice *slice, lua_State *L)
{
	struct bytes json;

	json.data = lua_tolstring(L, -1, &json.len);
	slice->why = value_from_json(L, json, false);
	if (!slice->why)
		lua_remove(L, -2);
}

static void push_results(struct slice *slice, lua_State *L)
{
	struct bytes left = slice->results;

	while (left.len > 0 && slice->count < RESULTS_MAX) {
		if (!value_unpack(L, &left)) {
			slice->why = "the journal is damaged";
			return;
		}
		slice->count++;
	}
	if (slice->run->request.kind == REQUEST_UPDATE && slice->count == 1 && lua_isstring(L, -1))
		push_row(slice, L);
}

static const char *push_rows(const struct read_result *read, lua_State *L)
{
	const char *why = NULL;

	lua_createtable(L, (int)read->row_count, 0);
	for (unsigned i = 0; i < read->row_count && !why; i++) {
		why = value_from_json(L, read->rows[i], false);
		if (!why)
			lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	return why;
}

static const char *push_groups(const struct slice *slice, lua_State *L)
{
	const struct read_result *read = slice->read;

	if (read->more)
		return "there are more than 1000 values to count by"; /* GROUPS_MAX */
	lua_createtable(L, 0, (int)read->group_count);
	for (unsigned i = 0; i < read->group_count; i++) {
		const struct record_value *value = &read->groups[i].value;

		if (value->type == RECORD_INTEGER)
			lua_pushinteger(L, value->integer);
		else
			lua_pushlstring(L, value->text.data, value->text.len);
		lua_pushinteger(L, read->groups[i].count);
		lua_rawset(L, -3);
	}
	return NULL;
}

static void push_find(struct slice *slice, lua_State *L)
{
	const struct run *run = slice->run;

	slice->why = push_rows(slice->read, L);
	if (slice->why || !slice->read->more)
		return;
	api_push_cursor(L, &slice->read->last, run->query.order != NULL);
	slice->count = 2;
}

static void push_read(struct slice *slice, lua_State *L)
{
	const struct read_result *read = slice->read;

	slice->count = 1;
	switch (slice->run->request.kind) {
	case REQUEST_COUNT:
		if (slice->run->query.by)
			slice->why = push_groups(slice, L);
		else
			lua_pushinteger(L, read->count);
		break;
	case REQUEST_GET:
		if (read->row_count == 0)
			lua_pushnil(L);
		else
			slice->why = value_from_json(L, read->rows[0], false);
		break;
	default:
		push_find(slice, L);
		break;
	}
	for (int i = slice->count; i > 0 && !slice->why; i--)
		slice->why = value_pack(L, -i, slice->packed);
}

static void push_slice(lua_State *L UNUSED, void *arg)
{
	struct slice *slice = arg;
	lua_State *thread = sandbox_run_thread(slice->run->sandbox);

	slice->why = NULL;
	slice->count = 0;
	if (!lua_checkstack(thread, 30))
		slice->why = "out of memory";
	else if (slice->start)
		push_start(slice, thread);
	else if (slice->read)
		push_read(slice, thread);
	else
		push_results(slice, thread);
}

static enum run_end fail(struct run_call *call, enum run_end end, const char *fmt, ...)
	PRINTF_LIKE(3, 4);
static enum run_end fail(struct run_call *call, enum run_end end, const char *fmt, ...)
{
	char text[ERROR_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	call->error = arena_strdup(call->arena, text);
	return end;
}

/* What ends a slice beside a request. */
static enum run_end end_of(struct run *run, struct run_call *call, enum sandbox_end end)
{
	const char *error = sandbox_run_error(run->sandbox);

	switch (end) {
	case SANDBOX_DONE:
		return RUN_DONE;
	case SANDBOX_REQUEST:
		return RUN_WAITS;
	case SANDBOX_STOPPED:
	case SANDBOX_MEMORY:
		return fail(call, run->live ? RUN_BREACHED : RUN_AGAIN, "%s", error);
	default:
		return fail(call, run->live ? RUN_FAILED : RUN_DIVERGED, "%s", error);
	}
}

/* Runs one slice.  RUN_WAITS: there is a request. */
static enum run_end run_slice(struct run *run, struct run_call *call, struct slice *slice)
{
	enum sandbox_end end;
	int nresults;

	buf_reset(&run->said);
	run->says = run->writes = run->lookup_count = 0;
	run->hash = HASH_BASIS;
	sandbox_run_budget(run->sandbox);
	if (!sandbox_protected(run->program->sandbox, push_slice, slice))
		slice->why = "out of memory";
	if (slice->why)
		return fail(call, RUN_FAILED, "%s: a result: %s", run->program->bundle->plugin,
			    slice->why);
	run->request = (struct request){ 0 };
	end = sandbox_run_resume(run->sandbox, slice->count, &nresults);
	run->acted |= run->writes > 0;
	return end_of(run, call, end);
}

/* Three short texts that live as long as the run: an arena's block would be many times their size. */
void run_citizen(struct run *run, const struct journal_citizen *citizen)
{
	size_t language = strlen(citizen->language) + 1, name = strlen(citizen->name) + 1;
	struct buf fields = { 0 }; /* what is given may lie in run->fields */

	buf_add(&fields, citizen->language, language);
	buf_add(&fields, citizen->name, name);
	buf_addstr(&fields, citizen->area);
	buf_free(&run->fields);
	run->fields = fields;
	run->citizen = (struct journal_citizen){
		.language = run->fields.data,
		.name = run->fields.data + language,
		.area = run->fields.data + language + name,
	};
}

static void apply_event(struct run *run, const struct journal_event *event)
{
	run_citizen(run, &event->citizen);
	run->channel = event->channel;
	sandbox_run_seed(run->sandbox, event->seed);
	sandbox_run_time(run->sandbox, event->time);
}

static enum run_end diverged(struct run *run, struct run_call *call, enum request_kind expected)
{
	const char *now = run->over ? "ends" : request_kind_name(run->request.kind);

	call->expected = expected;
	return fail(call, RUN_DIVERGED,
		    "%s: the dialog %s where the journal has %s: not the code or arguments that it "
		    "began with",
		    run->program->bundle->plugin, now, request_kind_name(expected));
}

/* The next entry that counts, from *at on; `skip` is the next one there. */
static int entry_at(const struct run *run, size_t *at, unsigned *skip, struct journal_entry *entry)
{
	int rc = journal_next(&run->call->journal, at, entry);

	while (*skip < run->skip_count && *at == run->skips[*skip].from)
		*at = run->skips[(*skip)++].to;
	return rc;
}

int run_next_entry(struct run *run, struct journal_entry *entry)
{
	return entry_at(run, &run->position, &run->skip, entry);
}

bool run_is_live(const struct run *run)
{
	size_t at = run->position;
	unsigned skip = run->skip;
	struct journal_entry entry;

	if (run->call->committed)
		return false;
	while (at < run->call->journal.len)
		if (entry_at(run, &at, &skip, &entry) != 1 || entry.type != ENTRY_CALL ||
		    entry.call.kind != REQUEST_LOOKUP)
			return false;
	return true;
}

/* The next entries: an event or none, then a call or the end.  1: a call; 0: the end; negative: damaged. */
static int next_call(struct run *run, struct journal_entry *entry)
{
	int rc = run_next_entry(run, entry);

	if (rc == 1 && entry->type == ENTRY_EVENT) {
		apply_event(run, &entry->event);
		rc = run_next_entry(run, entry);
	}
	return rc == 1 && entry->type != ENTRY_CALL ? -1 : rc;
}

/* The first slice of a run. */
static enum run_end begin(struct run *run, struct run_call *call)
{
	struct journal_entry entry;
	struct slice slice = { .run = run, .start = &entry.event };
	int skips = journal_skips(&run->skip_arena, call->journal, &run->skips);

	run->skip_count = skips > 0 ? (unsigned)skips : 0;
	if (skips < 0 || run_next_entry(run, &entry) != 1 || entry.type != ENTRY_EVENT ||
	    !entry.event.start)
		return fail(call, RUN_DIVERGED, "%s: the journal is damaged, or of a later version",
			    run->program->bundle->plugin);
	apply_event(run, &entry.event);
	run->started = true;
	run->live = run_is_live(run);
	return run_slice(run, call, &slice);
}

/* Hands the store's answer to the request that waits, and writes its entry. */
static enum run_end take_read(struct run *run, struct run_call *call)
{
	struct buf packed = { 0 }, entry = { 0 };
	struct slice slice = { .run = run, .read = call->read, .packed = &packed };
	struct journal_call done = { .kind = run->request.kind,
				     .hash = run->request.hash,
				     .shape = run->request.shape };
	struct arena *arena = call->arena;
	enum run_end end;

	buf_add(&entry, run->lookups.data, run->lookups.len); /* that came before the read */
	buf_reset(&run->lookups);
	done.shape = arena_bytes(arena, done.shape.data, done.shape.len);
	run->live = true;
	end = run_slice(run, call, &slice);
	done.results = (struct bytes){ packed.data, packed.len };
	journal_add_call(&entry, &done);
	call->appended = arena_bytes(arena, entry.data, entry.len);
	run->position += entry.len;
	buf_free(&packed);
	buf_free(&entry);
	return end;
}

static bool same_bytes(struct bytes a, struct bytes b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* Whether the request of the code is the recorded one. */
static bool is_same(const struct run *run, const struct run_call *call, enum request_kind kind,
		    uint64_t hash, struct bytes shape)
{
	if (kind != run->request.kind)
		return false;
	return call->loose ? same_bytes(shape, run->request.shape) : hash == run->request.hash;
}

/* Walks on until the code has a request that the journal doesn't answer. */
static enum run_end walk(struct run *run, struct run_call *call, enum run_end end)
{
	struct journal_entry entry;
	struct slice slice;
	int rc;

	for (;;) {
		rc = end == RUN_WAITS || end == RUN_DONE ? next_call(run, &entry) : 0;
		if (rc < 0)
			return fail(call, RUN_DIVERGED, "%s: the journal is damaged",
				    run->program->bundle->plugin);
		if (rc == 0)
			return end;
		run->over = end == RUN_DONE;
		if (run->over ||
		    !is_same(run, call, entry.call.kind, entry.call.hash, entry.call.shape))
			return diverged(run, call, entry.call.kind);
		if (request_is_question(entry.call.kind)) {
			run->answered = true;
			call->answered++;
			run->acted = false;
		}
		run->live = run_is_live(run);
		slice = (struct slice){ .run = run, .results = entry.call.results };
		end = run_slice(run, call, &slice);
	}
}

static bool reads(enum request_kind kind)
{
	return request_is_write(kind) || kind == REQUEST_GET || kind == REQUEST_FIND ||
	       kind == REQUEST_COUNT;
}

static void add_sum(struct buf *results, const struct record_value *sum)
{
	if (sum->type == RECORD_INTEGER)
		journal_result_integer(results, sum->integer);
	else
		journal_result_real(results, sum->real);
}

/* What a write came to, as the dialog gets it: nil and why not, or what was made of the record. */
static void add_entry(struct buf *buf, const struct record_write *write)
{
	static const char *const reasons[] = {
		[RECORD_EXISTS] = "exists", [RECORD_BOUND] = "bound"
	};
	const char *why = write->outcome == RECORD_DONE ? NULL : reasons[write->outcome];
	struct journal_call call = *write->call;
	struct buf results = { 0 };

	if (write->outcome != RECORD_DONE)
		journal_result_nil(&results);
	else if (write->kind == RECORD_UPDATE)
		journal_result_text(&results, write->row);
	else if (write->kind == RECORD_INCREMENT)
		add_sum(&results, &write->sum);
	else
		buf_add(&results, call.results.data, call.results.len);
	if (why)
		journal_result_text(&results, (struct bytes){ why, strlen(why) });
	call.results = (struct bytes){ results.data, results.len };
	journal_add_call(buf, &call);
	buf_free(&results);
}

/* The store makes the entry, which knows what the write came to. */
static void finish_write(struct run *run, struct run_call *call)
{
	struct arena *arena = &call->step->arena;
	struct journal_call *entry = arena_alloc(arena, sizeof(*entry));

	entry->kind = run->request.kind;
	entry->hash = run->request.hash;
	entry->shape = arena_bytes(arena, run->request.shape.data, run->request.shape.len);
	entry->results = arena_bytes(arena, run->results.data, run->results.len);
	run->write->dialog = call->dialog;
	run->write->call = entry;
	run->write->add_entry = add_entry;
}

static struct bytes copy(struct arena *arena, struct bytes bytes)
{
	return arena_bytes(arena, bytes.data, bytes.len);
}

/* The request and the query, copied out of the run: the loop reads them while the run may go on elsewhere. */
static void hand_out(struct run *run, struct run_call *call)
{
	struct arena *arena = call->arena;
	struct request *request = &call->request;
	struct record_query *query = &call->query;
	struct record_cursor *after;
	struct record_term *terms;

	*request = run->request;
	request->back = !run->answered ? BACK_NONE : run->acted ? BACK_BARRED : BACK_FREE;
	request->shape = copy(arena, request->shape);
	request->prompt = copy(arena, request->prompt);
	request->options = arena_alloc(arena,
				       (request->option_count + 1) * sizeof(*request->options));
	request->values = arena_alloc(arena,
				      (request->option_count + 1) * sizeof(*request->values));
	for (unsigned i = 0; i < request->option_count; i++) {
		request->options[i] = copy(arena, run->request.options[i]);
		request->values[i] = copy(arena, run->request.values[i]);
	}
	*query = run->query;
	if (!query->table)
		return;
	query->plugin = arena_strdup(arena, run->program->bundle->plugin);
	query->table = arena_strdup(arena, query->table);
	query->key = arena_strdup(arena, query->key);
	query->order = arena_strdup(arena, query->order);
	query->by = arena_strdup(arena, query->by);
	terms = arena_alloc(arena, (query->term_count + 1) * sizeof(*terms));
	for (unsigned i = 0; i < query->term_count; i++) {
		terms[i] = query->terms[i];
		terms[i].field = arena_strdup(arena, terms[i].field);
		terms[i].value.text = copy(arena, terms[i].value.text);
	}
	query->terms = terms;
	if (!query->after)
		return;
	after = arena_alloc(arena, sizeof(*after));
	*after = *query->after;
	after->value.text = copy(arena, after->value.text);
	query->after = after;
}

static void clean_log(struct run *run, struct run_call *call)
{
	struct bytes log = sandbox_run_log(run->sandbox);
	bool cut;

	call->log = (struct bytes){ "", 0 };
	if (run->live && log.len > 0)
		call->log = utf8_clean(call->arena, log, log.len, &cut);
}

/* Entries of look-ups that are new, behind that of a read. */
static void hand_out_lookups(struct run *run, struct run_call *call)
{
	struct buf all = { 0 };

	if (run->lookups.len == 0)
		return;
	buf_add(&all, call->appended.data, call->appended.len);
	buf_add(&all, run->lookups.data, run->lookups.len);
	call->appended = arena_bytes(call->arena, all.data, all.len);
	run->position += run->lookups.len;
	buf_free(&all);
	buf_reset(&run->lookups);
}

static enum run_end finish(struct run *run, struct run_call *call, enum run_end end)
{
	call->said = copy(call->arena, (struct bytes){ run->said.data, run->said.len });
	hand_out_lookups(run, call);
	clean_log(run, call);
	run->over = end != RUN_WAITS;
	if (end != RUN_WAITS)
		return end;
	if (request_is_write(run->request.kind) && run->write)
		finish_write(run, call);
	hand_out(run, call);
	return reads(run->request.kind) ? RUN_READS : RUN_WAITS;
}

enum run_end run_go(struct run *run, struct run_call *call)
{
	enum run_end end = RUN_WAITS;
	bool fresh = !run->started;

	call->replayed = fresh;
	call->said = call->log = call->appended = (struct bytes){ "", 0 };
	call->set = (struct journal_citizen){ 0 };
	call->error = "";
	call->mark_count = call->answered = 0;
	call->expected = REQUEST_NONE;
	run->call = call;
	if (fresh)
		end = begin(run, call);
	end = walk(run, call, end);
	if (end == RUN_WAITS && call->committed &&
	    !is_same(run, call, call->committed->kind, call->committed->hash,
		     call->committed->shape))
		end = diverged(run, call, call->committed->kind);
	else if (end == RUN_DONE && call->committed) {
		run->over = true;
		end = diverged(run, call, call->committed->kind);
	}
	if (end == RUN_WAITS && call->read)
		end = take_read(run, call);
	end = finish(run, call, end);
	run->call = NULL;
	return end;
}
