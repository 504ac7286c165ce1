/* test_plugin_run.c - a dialog runs up to each request, and its journal brings it there again without causing anything. */
#include "plugin_run.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugin_api.h"
#include "plugin_value.h"

enum { STOPS_MAX = 20, ERROR_SIZE = 1200 };

static const char key[] = "+6281234567890";

/* ---- a plugin, and one dialog of it ---- */

/* The tables of every plugin here. */
static const char *by_citizen[] = { "citizen" }, *by_code[] = { "code" },
		  *by_both[] = { "citizen", "year" }, *by_name[] = { "name" };
static struct table_field answer_fields[] = { { "area", FIELD_TEXT, false },
					      { "rating", FIELD_INTEGER, true } };
static struct table_field log_fields[] = {
	{ "done", FIELD_BOOLEAN, true },
	{ "note", FIELD_TEXT, true },
	{ "share", FIELD_NUMBER, true },
};
static struct table_field count_fields[] = {
	{ "n", FIELD_INTEGER, true },
	{ "name", FIELD_TEXT, true },
	{ "sum", FIELD_NUMBER, false },
};
static struct table_field ticket_fields[] = {
	{ "code", FIELD_TEXT, true },
	{ "name", FIELD_TEXT, true },
	{ "size", FIELD_INTEGER, true },
};
static struct table_field vote_fields[] = { { "year", FIELD_INTEGER, false } };
static struct record_table tables[] = {
	{ "answers", answer_fields, ARRAY_LEN(answer_fields), by_citizen, 1, false },
	{ "chain", ticket_fields, ARRAY_LEN(ticket_fields), by_code, 1, true },
	{ "counts", count_fields, ARRAY_LEN(count_fields), by_name, 1, false },
	{ "log", log_fields, ARRAY_LEN(log_fields), NULL, 0, false },
	{ "tickets", ticket_fields, ARRAY_LEN(ticket_fields), by_code, 1, false },
	{ "votes", vote_fields, ARRAY_LEN(vote_fields), by_both, 2, false },
};
static struct bundle_setting settings[] = {
	{ .name = "limit", .type = SETTING_IS_INTEGER, .integer = 3 },
	{ .name = "office", .type = SETTING_IS_TEXT, .text = { "Balai desa", 10 } },
	{ .name = "open", .type = SETTING_IS_BOOLEAN, .integer = 1 },
	{ .name = "share", .type = SETTING_IS_NUMBER, .number = 0.5 },
};

/* A dialog with all that the loop keeps of it. */
struct talk {
	struct program *program;
	struct run *run;
	struct buf journal;
	struct arena arena;
	struct step *step;
	struct run_call call;
	enum run_end end;
	struct journal_event event; /* what the next one is made of */
	bool loose;
	struct said_mark marks[RUN_MARKS];
};

static struct talk talk;

static void close_talk(struct talk *t)
{
	run_free(t->run);
	program_free(t->program);
	buf_free(&t->journal);
	arena_free(&t->arena);
	step_free(t->step);
	*t = (struct talk){ 0 };
}

static void close_first(void)
{
	close_talk(&talk);
}

TestSuite(plugin_run, .fini = close_first);

static struct bytes text_of(const char *text)
{
	return (struct bytes){ text, strlen(text) };
}

static bool same(struct bytes a, struct bytes b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static struct bundle *bundle_of(const char *source)
{
	struct bundle_file file = { "t", text_of(source) };
	struct bundle parts = { .plugin = "t",
				.files = &file,
				.file_count = 1,
				.settings = settings,
				.setting_count = ARRAY_LEN(settings),
				.tables = tables,
				.table_count = ARRAY_LEN(tables),
				.records = true };
	struct buf content = { 0 };
	struct bundle *bundle;

	bundle_encode(&content, &parts);
	bundle = bundle_new((struct bytes){ content.data, content.len });
	buf_free(&content);
	cr_assert_not_null(bundle);
	return bundle;
}

static struct program *program_of(const char *source)
{
	struct bundle *bundle = bundle_of(source);
	char error[ERROR_SIZE] = "";
	struct program *program = program_new(bundle, error, sizeof(error));

	bundle_unref(bundle); /* the program's now */
	cr_assert_not_null(program, "%s", error);
	return program;
}

static struct run *new_run(struct program *program)
{
	char error[ERROR_SIZE] = "";
	struct run *run = run_new(program, "dialog", error, sizeof(error));

	cr_assert_not_null(run, "%s", error);
	return run;
}

/* A dialog that has not begun.  body is its function's. */
static void open_talk(struct talk *t, const char *body)
{
	struct buf source = { 0 };

	buf_addf(&source, "return { dialog = function(citizen, settings, message)\n%s\nend }",
		 body);
	t->program = program_of(source.data);
	buf_free(&source);
	t->run = new_run(t->program);
	t->event = (struct journal_event){ .time = 1795489485,
					   .seed = 42,
					   .citizen = { "id", "Siti", "35.22.01" },
					   .start = true,
					   .keyword = text_of("LAPOR"),
					   .rest = text_of("jalan rusak"),
					   .text = text_of("lapor jalan rusak") };
}

/* Runs with what the journal has now. */
static enum run_end go(struct talk *t, const struct request *committed,
		       const struct read_result *read)
{
	step_free(t->step);
	t->step = step_new();
	t->call = (struct run_call){ .journal = { t->journal.data, t->journal.len },
				     .citizen = key,
				     .dialog = { 7, 9 },
				     .committed = committed,
				     .read = read,
				     .step = t->step,
				     .arena = &t->arena,
				     .loose = t->loose,
				     .marks = t->marks };
	t->end = run_go(t->run, &t->call);
	buf_add(&t->journal, t->call.appended.data, t->call.appended.len);
	return t->end;
}

static enum run_end begin(struct talk *t, const char *body)
{
	open_talk(t, body);
	journal_add_event(&t->journal, &t->event);
	return go(t, NULL, NULL);
}

/* The citizen's next message gave this result. */
static enum run_end give(struct talk *t, struct bytes results)
{
	const struct request *request = &t->call.request;
	struct journal_call call = { .kind = request->kind,
				     .hash = request->hash,
				     .shape = request->shape,
				     .results = results };

	t->event.start = false;
	t->event.time += 60;
	t->event.seed++;
	journal_add_event(&t->journal, &t->event);
	journal_add_call(&t->journal, &call);
	return go(t, NULL, NULL);
}

static enum run_end give_text(struct talk *t, const char *text)
{
	struct buf buf = { 0 };
	enum run_end end;

	journal_result_text(&buf, text_of(text));
	end = give(t, (struct bytes){ buf.data, buf.len });
	buf_free(&buf);
	return end;
}

static enum run_end give_integer(struct talk *t, int64_t value)
{
	struct buf buf = { 0 };
	enum run_end end;

	journal_result_integer(&buf, value);
	end = give(t, (struct bytes){ buf.data, buf.len });
	buf_free(&buf);
	return end;
}

static enum run_end give_boolean(struct talk *t, bool value)
{
	return give(t, (struct bytes){ value ? "\2" : "\1", 1 });
}

/* The store answered. */
static enum run_end give_rows(struct talk *t, const char *const *rows, unsigned count)
{
	struct bytes *texts = arena_alloc(&t->arena, (count + 1) * sizeof(*texts));
	struct request *request = arena_alloc(&t->arena, sizeof(*request));
	struct read_result read = { .rows = texts, .row_count = count, .count = count };

	for (unsigned i = 0; i < count; i++)
		texts[i] = text_of(rows[i]);
	*request = t->call.request;
	return go(t, request, &read);
}

static struct record_write *last_write(const struct step *step)
{
	struct record_write *write, *last = NULL;

	STAILQ_FOREACH (write, &step->records, next)
		last = write;
	return last;
}

static unsigned count_writes(const struct step *step)
{
	struct record_write *write;
	unsigned count = 0;

	STAILQ_FOREACH (write, &step->records, next)
		count++;
	return count;
}

/* What a write came to, the step's last one. */
static enum run_end give_outcome(struct talk *t, enum record_outcome outcome)
{
	struct record_write *write = last_write(t->step);

	write->outcome = outcome;
	write->add_entry(&t->journal, write);
	return go(t, NULL, NULL);
}

/* The store has taken the insert, or found its key taken. */
static enum run_end give_insert(struct talk *t, bool exists)
{
	return give_outcome(t, exists ? RECORD_EXISTS : RECORD_DONE);
}

static const char *said(const struct talk *t)
{
	return t->call.said.data;
}

/* ---- what a dialog asks ---- */

Test(plugin_run, ask_waits_with_its_question_and_gives_the_answer)
{
	cr_assert_eq(begin(&talk, "citizen:say('Halo ' .. citizen:ask('Nama?') .. '!')"),
		     RUN_WAITS);
	cr_expect_eq(talk.call.request.kind, REQUEST_ASK);
	cr_expect_str_eq(talk.call.request.prompt.data, "Nama?");
	cr_expect_eq(talk.call.request.answer, ANSWER_TEXT);
	cr_expect(talk.call.request.min == 1 && talk.call.request.max == ANSWER_CHARS_MAX &&
		  !talk.call.request.optional);
	cr_expect_str_eq(said(&talk), "");
	cr_expect(talk.call.replayed);
	cr_expect_eq(run_position(talk.run), talk.journal.len);
	cr_assert_eq(give_text(&talk, "Budi"), RUN_DONE, "%s", talk.call.error);
	cr_expect_str_eq(said(&talk), "Halo Budi!");
	cr_expect_not(talk.call.replayed, "it went on where it was");
}

Test(plugin_run, ask_takes_a_kind_and_bounds_and_may_be_passed_over)
{
	cr_assert_eq(begin(&talk, "local n = citizen:ask('Umur?', { kind = 'integer', min = 1, max "
				  "= 120, optional = true })\n"
				  "citizen:say('%s', n == nil)"),
		     RUN_WAITS, "%s", talk.call.error);
	cr_expect_eq(talk.call.request.answer, ANSWER_INTEGER);
	cr_expect(talk.call.request.min == 1 && talk.call.request.max == 120 &&
		  talk.call.request.optional);
	cr_assert_eq(give(&talk, (struct bytes){ "\0", 1 }), RUN_DONE, "%s", talk.call.error);
	cr_expect_str_eq(said(&talk), "true");
}

Test(plugin_run, choose_waits_with_its_options_and_what_each_gives)
{
	struct request *request = &talk.call.request;

	cr_assert_eq(begin(&talk, "local a = citizen:choose('Apa?', { 'Jalan', { 'Air', value = "
				  "'water' }, { 'Lampu' } })\n"
				  "citizen:say(type(a) .. ' ' .. a)"),
		     RUN_WAITS, "%s", talk.call.error);
	cr_expect_eq(request->kind, REQUEST_CHOOSE);
	cr_expect_eq(request->answer, ANSWER_CHOICE);
	cr_expect_str_eq(request->prompt.data, "Apa?\n1 Jalan\n2 Air\n3 Lampu");
	cr_assert_eq(request->option_count, 3);
	cr_expect_str_eq(request->options[1].data, "Air");
	cr_expect(same(request->values[0], text_of("\3\2")), "the number 1, packed");
	cr_expect(same(request->values[1], text_of("\5\5water")));
	cr_expect(same(request->values[2], text_of("\3\6")));
	cr_assert_eq(give(&talk, request->values[1]), RUN_DONE, "%s", talk.call.error);
	cr_expect_str_eq(said(&talk), "string water");
}

Test(plugin_run, confirm_waits_for_yes_or_no)
{
	cr_assert_eq(begin(&talk, "citizen:say(citizen:confirm('Yakin?') and 'ya' or 'tidak')"),
		     RUN_WAITS);
	cr_expect_eq(talk.call.request.kind, REQUEST_CONFIRM);
	cr_expect_eq(talk.call.request.answer, ANSWER_YES_NO);
	cr_expect_str_eq(talk.call.request.prompt.data, "Yakin?");
	cr_assert_eq(give_boolean(&talk, false), RUN_DONE);
	cr_expect_str_eq(said(&talk), "tidak");
}

Test(plugin_run, what_is_said_is_lines_up_to_the_next_question_or_the_end)
{
	begin(&talk,
	      "citizen:say('Satu.')\ncitizen:say('%d dan %s', 2, 'tiga')\ncitizen:say('100 %')\n"
	      "citizen:ask('Lalu?')\ncitizen:say('Selesai.')");
	cr_assert_eq(talk.end, RUN_WAITS, "%s", talk.call.error);
	cr_expect_str_eq(said(&talk), "Satu.\n2 dan tiga\n100 %");
	cr_expect_str_eq(talk.call.request.prompt.data, "Lalu?");
	cr_assert_eq(give_text(&talk, "ya"), RUN_DONE);
	cr_expect_str_eq(said(&talk), "Selesai.");
}

Test(plugin_run, the_message_and_the_settings_are_arguments)
{
	begin(&talk, "citizen:say('%s|%s|%s|%s|%d', message.keyword, message.rest, message.text, "
		     "message.channel, message.time)\n"
		     "citizen:say('%s|%d|%s|%s', settings.office, settings.limit, settings.open, "
		     "settings.share)\n"
		     "citizen:say('%s', pcall(function() settings.limit = 4 end))");
	cr_assert_eq(talk.end, RUN_DONE, "%s", talk.call.error);
	cr_expect_str_eq(
		said(&talk),
		"LAPOR|jalan rusak|lapor jalan rusak|sms|1795489485\nBalai desa|3|true|0.5\nfalse");
}

Test(plugin_run, a_function_of_any_arguments_gets_the_message_too)
{
	static const char source[] =
		"return { dialog = function(...)\n"
		"  local citizen, settings, message = ...\n"
		"  citizen:say(\"%d %d %s\", select(\"#\", ...), settings.limit, message.rest)\n"
		"end }";

	open_talk(&talk, "");
	run_free(talk.run);
	program_free(talk.program);
	talk.program = program_of(source);
	talk.run = new_run(talk.program);
	journal_add_event(&talk.journal, &talk.event);
	cr_assert_eq(go(&talk, NULL, NULL), RUN_DONE, "%s", talk.call.error);
	cr_expect_str_eq(said(&talk), "3 3 jalan rusak");
}

Test(plugin_run, time_and_chance_are_the_events_and_change_with_it)
{
	const char *body = "local function see() citizen:say('%d %d %d %s', now(), "
			   "random(1000000), random(1000000), code()) end\n"
			   "see()\ncitizen:ask('?')\nsee()";
	struct talk other = { 0 };
	char first[128];

	cr_assert_eq(begin(&talk, body), RUN_WAITS, "%s", talk.call.error);
	snprintf(first, sizeof(first), "%s", said(&talk));
	cr_expect_eq(strncmp(first, "1795489485 ", 11), 0, "%s", first);
	cr_assert_eq(give_text(&talk, "ya"), RUN_DONE);
	cr_expect_eq(strncmp(said(&talk), "1795489545 ", 11), 0, "%s", said(&talk));
	cr_expect_str_neq(said(&talk) + 10, first + 10);
	begin(&other, body);
	cr_expect_str_eq(said(&other), first, "the same seed gives the same");
	close_talk(&other);
}

Test(plugin_run, the_citizens_fields_are_those_of_the_event)
{
	const char *body = "local function see()\n"
			   "citizen:say('%s|%s|%s|%s|%s', citizen.language, citizen.name, "
			   "citizen.area, citizen.channel, citizen.age)\n"
			   "end\nsee() citizen:ask('?') see() citizen:ask('?') see()";

	cr_assert_eq(begin(&talk, body), RUN_WAITS, "%s", talk.call.error);
	cr_expect_str_eq(said(&talk), "id|Siti|35.22.01|sms|nil");
	talk.event.citizen = (struct journal_citizen){ "jv", "", "35.22.02" };
	talk.event.channel = CHANNEL_USSD;
	cr_assert_eq(give_text(&talk, "1"), RUN_WAITS);
	cr_expect_str_eq(said(&talk), "jv|nil|35.22.02|ussd|nil");
	talk.event.citizen = (struct journal_citizen){ "jv", "Siti", "" };
	talk.event.channel = CHANNEL_SMS;
	cr_assert_eq(give_text(&talk, "1"), RUN_DONE);
	cr_expect_str_eq(said(&talk), "jv|Siti|nil|sms|nil");
}

Test(plugin_run, what_is_logged_is_handed_out_once)
{
	cr_assert_eq(begin(&talk, "log('began', 1)\ncitizen:ask('?')\nprint('went on')"),
		     RUN_WAITS);
	cr_expect_not_null(strstr(talk.call.log.data, "began"), "%s", talk.call.log.data);
	run_free(talk.run);
	talk.run = new_run(talk.program);
	cr_assert_eq(give_text(&talk, "ya"), RUN_DONE);
	cr_expect(talk.call.replayed);
	cr_expect_null(strstr(talk.call.log.data, "began"), "%s", talk.call.log.data);
	cr_expect_not_null(strstr(talk.call.log.data, "went on"), "%s", talk.call.log.data);
}

Test(plugin_run, a_local_at_file_level_belongs_to_one_dialog)
{
	struct program *program = program_of(
		"local count = 0\nreturn { dialog = function(citizen)\n"
		"count = count + 1 citizen:say('%d', count) end }");
	struct journal_event event = { .start = true };

	for (int i = 0; i < 3; i++) {
		struct talk t = { .run = new_run(program) };

		journal_add_event(&t.journal, &event);
		cr_assert_eq(go(&t, NULL, NULL), RUN_DONE, "%s", t.call.error);
		cr_expect_str_eq(said(&t), "1");
		close_talk(&t);
	}
	program_free(program);
}

Test(plugin_run, a_dialog_is_found_by_its_name_and_a_missing_one_is_named)
{
	struct program *program = program_of(
		"return { dialogs = { take = function() end, dialog = function() end } }");
	char error[ERROR_SIZE] = "";
	struct run *run = run_new(program, "take", error, sizeof(error));

	cr_expect_not_null(run, "%s", error);
	run_free(run);
	cr_expect_null(run_new(program, "results", error, sizeof(error)));
	cr_expect_str_eq(error, "t: there is no dialog 'results'");
	program_free(program);
}

Test(plugin_run, a_file_that_is_wrong_gives_no_program_and_one_that_raises_no_run)
{
	struct bundle *bundle = bundle_of("return {\n  dialog == 1\n}}");
	char error[ERROR_SIZE] = "";
	struct program *program;

	cr_expect_null(program_new(bundle, error, sizeof(error)));
	cr_expect_eq(strncmp(error, "t:3:", 4), 0, "%s", error);
	bundle_unref(bundle);
	program = program_of("local n = 1\nerror('no')");
	cr_expect_null(run_new(program, "dialog", error, sizeof(error)));
	cr_expect_str_eq(error, "t:2: no");
	program_free(program);
	program = program_of("local c = code()");
	cr_expect_null(run_new(program, "dialog", error, sizeof(error)));
	cr_expect_str_eq(error,
			 "t:1: this can't be called while the file is loaded, only in a dialog");
	program_free(program);
}

Test(plugin_run, a_dialog_that_raises_has_failed_with_its_line)
{
	cr_expect_eq(begin(&talk, "citizen:say('a')\nlocal x = nil + 1"), RUN_FAILED);
	cr_expect_eq(strncmp(talk.call.error, "t:3: ", 5), 0, "%s", talk.call.error);
}

Test(plugin_run, asking_within_pcall_waits_like_any_other)
{
	cr_assert_eq(begin(&talk, "local ok, a = pcall(function() local b = citizen:ask('Satu?') "
				  "error(b .. '!', 0) end)\n"
				  "citizen:say('%s %s', ok, a)"),
		     RUN_WAITS, "%s", talk.call.error);
	cr_assert_eq(give_text(&talk, "ya"), RUN_DONE, "%s", talk.call.error);
	cr_expect_str_eq(said(&talk), "false ya!");
}

Test(plugin_run, asking_in_a_coroutine_or_in_sort_is_refused)
{
	static const struct {
		const char *body, *error;
	} rows[] = {
		{ "local co = coroutine.wrap(function() citizen:ask('?') end)\nco()",
		  "t:2: this can't be called inside a coroutine" },
		{ "table.sort({ 2, 1 }, function(a, b) citizen:confirm('?') return a < b end)",
		  "t:2: this can't be called inside sort" },
		{ "coroutine.wrap(function() records.votes:insert { year = 1 } end)()",
		  "t:2: this can't be called inside a coroutine" },
		{ "coroutine.wrap(function() records.log:count() end)()",
		  "t:2: this can't be called inside a coroutine" },
	};

	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		struct talk t = { 0 };

		cr_expect_eq(begin(&t, rows[i].body), RUN_FAILED, "%s", rows[i].body);
		cr_expect_not_null(strstr(t.call.error, rows[i].error), "%s", t.call.error);
		close_talk(&t);
	}
}

/* ---- records ---- */

Test(plugin_run, records_are_gathered_in_the_step_with_key_index_and_owner)
{
	struct record_write *write;

	cr_assert_eq(
		begin(&talk,
		      "local row = records.log:insert { note = 'a', done = true, share = 0.5 }\n"
		      "records.answers:put { citizen = citizen, rating = 2 }\n"
		      "records.tickets:put { code = 'A\"1', size = 3 }\nrecords.votes:put { year = "
		      "2026 }\n"
		      "citizen:say('%s %s', row.note, row.citizen)"),
		RUN_DONE, "%s", talk.call.error);
	cr_expect_str_eq(said(&talk), "a nil");
	cr_assert_eq(count_writes(talk.step), 4);
	write = STAILQ_FIRST(&talk.step->records);
	cr_expect(write->kind == RECORD_INSERT && write->dialog.serial == 0);
	cr_expect(strcmp(write->plugin, "t") == 0 && strcmp(write->table, "log") == 0 &&
		  strcmp(write->citizen, key) == 0);
	cr_expect_eq(strlen(write->key), 32, "a key of its own: %s", write->key);
	cr_expect_str_eq(write->json.data, "{\"done\":true,\"note\":\"a\",\"share\":0.5}");
	cr_assert_eq(write->index_count, 3);
	cr_expect(write->index[0].value.type == RECORD_INTEGER &&
		  write->index[0].value.integer == 1);
	cr_expect(write->index[1].value.type == RECORD_TEXT &&
		  strcmp(write->index[1].value.text.data, "a") == 0);
	cr_expect(write->index[2].value.type == RECORD_REAL && write->index[2].value.real == 0.5);
	write = STAILQ_NEXT(write, next);
	cr_expect_eq(write->kind, RECORD_PUT);
	cr_expect_str_eq(write->key, "[\"+6281234567890\"]");
	cr_expect_str_eq(write->json.data, "{\"rating\":2}");
	write = STAILQ_NEXT(write, next);
	cr_expect_str_eq(write->key, "[\"A\\\"1\"]");
	cr_expect_eq(write->index[1].value.type, RECORD_NULL, "no name");
	cr_expect_str_eq(STAILQ_NEXT(write, next)->key, "[\"+6281234567890\",2026]");
}

/* Both entries of an insert, each given to a run of its own. */
static void expect_insert(bool exists, const char *text)
{
	struct talk t = { 0 };
	struct record_write *write;

	cr_assert_eq(begin(&t, "records.log:insert { note = 'before' }\n"
			       "local row, why = records.tickets:insert { code = 'K1', size = 2 }\n"
			       "citizen:say('%s %s', row and row.size, why)"),
		     RUN_READS, "%s", t.call.error);
	cr_expect_eq(t.call.request.kind, REQUEST_INSERT);
	cr_expect_null(t.call.query.table, "it is no query");
	cr_assert_eq(count_writes(t.step), 2);
	write = last_write(t.step);
	cr_expect(write->dialog.shard == 7 && write->dialog.serial == 9);
	cr_expect_eq(STAILQ_FIRST(&t.step->records)->dialog.serial, 0,
		     "only the last has a result");
	cr_expect_str_eq(write->key, "[\"K1\"]");
	cr_expect(write->add_entry && write->call);
	cr_assert_eq(give_insert(&t, exists), RUN_DONE, "%s", t.call.error);
	cr_expect_str_eq(said(&t), text);
	cr_expect_eq(count_writes(t.step), 0);
	close_talk(&t);
}

Test(plugin_run, an_insert_with_a_unique_key_carries_both_of_its_results)
{
	expect_insert(false, "2 nil");
	expect_insert(true, "nil exists");
}

Test(plugin_run, get_find_and_count_hand_out_a_query_and_take_its_rows)
{
	static const char *const one[] = { "{\"rating\":4}" };
	static const char *const two[] = { "{\"code\":\"A\"}", "{\"code\":\"B\",\"size\":7}" };
	const struct record_query *query = &talk.call.query;

	cr_assert_eq(begin(&talk, "local row = records.answers:get(citizen)\n"
				  "local none = records.votes:get(citizen, 2026)\n"
				  "local rows = records.tickets:find({ name = 'x', size = { min = "
				  "2, max = 9 } },\n"
				  "  { order = 'size', descending = true, limit = 5 })\n"
				  "citizen:say('%d %s %d %s %d', row.rating, none, #rows, "
				  "rows[2].code, records.log:count { done = true })"),
		     RUN_READS, "%s", talk.call.error);
	cr_expect_eq(talk.call.request.kind, REQUEST_GET);
	cr_expect(strcmp(query->plugin, "t") == 0 && strcmp(query->table, "answers") == 0);
	cr_expect_str_eq(query->key, "[\"+6281234567890\"]");
	cr_assert_eq(give_rows(&talk, one, 1), RUN_READS, "%s", talk.call.error);
	cr_expect_str_eq(query->key, "[\"+6281234567890\",2026]");
	cr_assert_eq(give_rows(&talk, NULL, 0), RUN_READS, "%s", talk.call.error);
	cr_expect_eq(talk.call.request.kind, REQUEST_FIND);
	cr_expect_null(query->key);
	cr_assert_eq(query->term_count, 3);
	cr_expect(strcmp(query->terms[0].field, "name") == 0 && query->terms[0].op == RECORD_EQ &&
		  strcmp(query->terms[0].value.text.data, "x") == 0);
	cr_expect(query->terms[1].op == RECORD_GE && query->terms[1].value.integer == 2);
	cr_expect(query->terms[2].op == RECORD_LE && query->terms[2].value.integer == 9);
	cr_expect(strcmp(query->order, "size") == 0 && query->descending && query->limit == 5 &&
		  !query->count);
	cr_assert_eq(give_rows(&talk, two, 2), RUN_READS, "%s", talk.call.error);
	cr_expect_eq(talk.call.request.kind, REQUEST_COUNT);
	cr_expect(query->count && query->term_count == 1);
	cr_assert_eq(give_rows(&talk, two, 2), RUN_DONE, "%s", talk.call.error);
	cr_expect_str_eq(said(&talk), "4 nil 2 B 2");
}

/* What the store would give. */
static enum run_end give_read(struct talk *t, const struct read_result *read)
{
	struct request *request = arena_alloc(&t->arena, sizeof(*request));

	*request = t->call.request;
	return go(t, request, read);
}

/* The journal so far, on a run that begins anew. */
static void expect_replayed(struct talk *t, const char *text)
{
	run_free(t->run);
	t->run = new_run(t->program);
	cr_expect_eq(go(t, NULL, NULL), RUN_DONE, "%s", t->call.error);
	cr_expect_str_eq(said(t), text);
	cr_expect_eq(count_writes(t->step), 0);
}

static void expect_update(enum record_outcome outcome, const char *text)
{
	struct talk t = { 0 };
	struct record_write *write;

	cr_assert_eq(begin(&t, "local row, why = records.tickets:update('K1', { size = 2 })\n"
			       "citizen:say('%s %s', row and row.code .. row.size, why)"),
		     RUN_READS, "%s", t.call.error);
	cr_expect_eq(t.call.request.kind, REQUEST_UPDATE);
	cr_expect_null(t.call.query.table, "it is no query");
	cr_assert_eq(count_writes(t.step), 1);
	write = last_write(t.step);
	cr_expect_eq(write->kind, RECORD_UPDATE);
	cr_expect(write->dialog.shard == 7 && write->dialog.serial == 9);
	cr_expect_str_eq(write->key, "[\"K1\"]");
	cr_expect_str_eq(write->json.data, "{\"size\":2}");
	cr_assert_eq(write->index_count, 1, "only what is changed");
	cr_expect_str_eq(write->index[0].name, "size");
	write->row = text_of("{\"code\":\"K1\",\"size\":2}");
	cr_assert_eq(give_outcome(&t, outcome), RUN_DONE, "%s", t.call.error);
	cr_expect_str_eq(said(&t), text);
	expect_replayed(&t, text);
	close_talk(&t);
}

Test(plugin_run, an_update_gives_the_row_as_the_store_has_it)
{
	expect_update(RECORD_DONE, "K12 nil");
	expect_update(RECORD_MISSING, "nil nil");
	expect_update(RECORD_BOUND, "nil bound");
}

static void expect_increment(enum record_outcome outcome, const char *text)
{
	struct talk t = { 0 };
	struct record_write *write;

	cr_assert_eq(begin(&t,
			   "local n, why = records.counts:increment('ya', 'n', 2, { max = 9 })\n"
			   "citizen:say('%s %s', n, why)"),
		     RUN_READS, "%s", t.call.error);
	cr_expect_eq(t.call.request.kind, REQUEST_INCREMENT);
	write = last_write(t.step);
	cr_expect_eq(write->kind, RECORD_INCREMENT);
	cr_expect_str_eq(write->key, "[\"ya\"]");
	cr_expect_str_eq(write->citizen, "", "a count of all is no citizen's");
	cr_expect_str_eq(write->json.data, "{\"n\":2,\"name\":\"ya\"}", "as it is made");
	cr_assert_eq(write->index_count, 2);
	cr_expect_str_eq(write->increment.field, "n");
	cr_expect(write->increment.by.type == RECORD_INTEGER && write->increment.by.integer == 2);
	cr_expect_eq(write->increment.min.type, RECORD_NULL);
	cr_expect(write->increment.max.type == RECORD_INTEGER && write->increment.max.integer == 9);
	write->sum = (struct record_value){ .type = RECORD_INTEGER, .integer = 7 };
	cr_assert_eq(give_outcome(&t, outcome), RUN_DONE, "%s", t.call.error);
	cr_expect_str_eq(said(&t), text);
	expect_replayed(&t, text);
	close_talk(&t);
}

Test(plugin_run, an_increment_gives_the_sum_or_says_that_it_is_bound)
{
	expect_increment(RECORD_DONE, "7 nil");
	expect_increment(RECORD_BOUND, "nil bound");
}

Test(plugin_run, an_increment_of_a_decimal_gives_one)
{
	struct record_write *write;

	begin(&talk, "citizen:say('%s', records.counts:increment('ya', 'sum', 0.5))");
	write = last_write(talk.step);
	cr_expect(write->increment.by.type == RECORD_REAL && write->increment.by.real == 0.5);
	write->sum = (struct record_value){ .type = RECORD_REAL, .real = 2.0 };
	cr_assert_eq(give_outcome(&talk, RECORD_DONE), RUN_DONE, "%s", talk.call.error);
	cr_expect_str_eq(said(&talk), "2.0");
}

Test(plugin_run, a_write_with_a_result_bars_the_way_back_behind_it)
{
	cr_assert_eq(begin(&talk, "citizen:ask('Satu?') records.counts:increment('ya', 'n') "
				  "citizen:ask('Dua?')"),
		     RUN_WAITS);
	cr_assert_eq(give_text(&talk, "x"), RUN_READS);
	last_write(talk.step)->sum = (struct record_value){ .type = RECORD_INTEGER };
	cr_assert_eq(give_outcome(&talk, RECORD_DONE), RUN_WAITS, "%s", talk.call.error);
	cr_expect_eq(talk.call.request.back, BACK_BARRED);
}

static const char pages[] =
	"local rows, cursor = records.tickets:find({}, { order = 'name', limit = 1 })\n"
	"local more, none = records.tickets:find({}, { order = 'name', limit = 1, after = cursor "
	"})\n"
	"citizen:say('%s %s %s', rows[1].code, more[1].code, none)";

static void expect_cursor(struct record_value value)
{
	static const char *const second[] = { "{\"code\":\"B\"}" };
	struct bytes first = text_of("{\"code\":\"A\"}");
	struct read_result read = {
		.rows = &first, .row_count = 1, .count = 1, .more = true, .last = { 12, value }
	};
	const struct record_cursor *after;
	struct talk t = { 0 };

	begin(&t, pages);
	cr_assert_eq(give_read(&t, &read), RUN_READS, "%s", t.call.error);
	after = t.call.query.after;
	cr_assert_not_null(after);
	cr_expect_eq(after->number, 12);
	cr_expect_eq(after->value.type, value.type);
	cr_expect(after->value.integer == value.integer && after->value.real == value.real);
	cr_expect(same(after->value.text, value.text));
	cr_assert_eq(give_rows(&t, second, 1), RUN_DONE, "%s", t.call.error);
	cr_expect_str_eq(said(&t), "A B nil");
	expect_replayed(&t, "A B nil");
	close_talk(&t);
}

Test(plugin_run, a_find_gives_where_another_goes_on)
{
	expect_cursor((struct record_value){ .type = RECORD_NULL });
	expect_cursor((struct record_value){ .type = RECORD_INTEGER, .integer = -3 });
	expect_cursor((struct record_value){ .type = RECORD_REAL, .real = 0.1 });
	expect_cursor((struct record_value){ .type = RECORD_TEXT, .text = { "", 0 } });
	expect_cursor((struct record_value){ .type = RECORD_TEXT, .text = { "a:b\0c", 5 } });
}

Test(plugin_run, a_count_by_a_field_gives_a_table)
{
	struct record_group groups[] = {
		{ { .type = RECORD_INTEGER, .integer = 2 }, 5 },
		{ { .type = RECORD_TEXT, .text = { "x", 1 } }, 1 },
	};
	struct read_result read = { .groups = groups, .group_count = 2 };

	cr_assert_eq(begin(&talk,
			   "local n = records.tickets:count({ name = 'a' }, { by = 'size' })\n"
			   "citizen:say('%s %s %s', n[2], n.x, n[3])"),
		     RUN_READS, "%s", talk.call.error);
	cr_expect_str_eq(talk.call.query.by, "size");
	cr_expect(talk.call.query.count && talk.call.query.limit == GROUPS_MAX &&
		  talk.call.query.term_count == 1);
	cr_assert_eq(give_read(&talk, &read), RUN_DONE, "%s", talk.call.error);
	cr_expect_str_eq(said(&talk), "5 1 nil");
	expect_replayed(&talk, "5 1 nil");
}

Test(plugin_run, a_count_by_too_many_values_is_an_error)
{
	struct read_result read = { .more = true };

	begin(&talk, "records.tickets:count({}, { by = 'name' })");
	cr_expect_eq(give_read(&talk, &read), RUN_FAILED);
	cr_expect_not_null(strstr(talk.call.error, "more than 1000 values"), "%s", talk.call.error);
}

Test(plugin_run, what_is_append_only_is_inserted_as_a_chain)
{
	cr_assert_eq(begin(&talk, "records.chain:insert { code = 'A' }"), RUN_READS, "%s",
		     talk.call.error);
	cr_expect(last_write(talk.step)->chained);
}

Test(plugin_run, a_call_of_records_that_is_wrong_is_an_error_with_its_line)
{
	static const struct {
		const char *body, *error;
	} rows[] = {
		{ "records.chain:put { code = 'A' }", "records.chain is append_only" },
		{ "records.chain:update('A', { size = 1 })", "records.chain is append_only" },
		{ "records.chain:increment('A', 'size')", "records.chain is append_only" },
		{ "records.log:update('A', { done = true })", "has no unique key to update" },
		{ "records.log:increment('A')", "has no unique key to increment" },
		{ "records.log:get('A')", "has no unique key to get a record by: use find" },
		{ "records.tickets:get('A', 'B')", "needs the 1 values of its unique key" },
		{ "records.tickets:update('A')", "needs the 1 values of its unique key, and then" },
		{ "records.tickets:update('A', 1)", "ends with a table of changes" },
		{ "records.tickets:update('A', {})", "nothing to change" },
		{ "records.tickets:update('A', { code = 'B' })", "known by it" },
		{ "records.votes:update(citizen, 1, { citizen = citizen })", "known by it" },
		{ "records.tickets:update('A', { citizen = citizen })", "whose it is" },
		{ "records.tickets:update('A', { other = 1 })", "has no field 'other'" },
		{ "records.tickets:update('A', { size = '1' })", "must be a whole number" },
		{ "records.answers:update('A', { rating = 1 })", "must be the citizen" },
		{ "records.counts:increment('a')", "needs the 1 values of its unique key" },
		{ "records.counts:increment('a', 'name')", "not 'name'" },
		{ "records.counts:increment('a', 'other')", "not 'other'" },
		{ "records.counts:increment(1, 'n')", "records.counts.name must be a text" },
		{ "records.counts:increment(nil, 'n')", "records.counts.name must be a text" },
		{ "records.counts:increment('a', 'n', 0.5)", "grows by a whole number" },
		{ "records.counts:increment('a', 'n', 1, { most = 3 })", "there are min and max" },
		{ "records.counts:increment('a', 'n', 1, { max = 'x' })", "max must be a whole" },
		{ "records.counts:increment('a', 'n', 1, 9)", "table expected" },
		{ "records.answers:find { area = 'x' }", "can't be searched by 'area'" },
		{ "records.answers:count { area = 'x' }", "can't be searched by 'area'" },
		{ "records.answers:find({}, { order = 'area' })", "indexed field: rating" },
		{ "records.answers:count({}, { by = 'area' })", "indexed field: rating" },
		{ "records.log:count({}, { by = 'done' })", "a text or a whole number" },
		{ "records.log:count({}, { of = 'note' })", "there is by" },
		{ "records.log:find({}, { from = 1 })", "there are after, order, descending" },
		{ "records.log:find({}, { after = 1 })", "after must be" },
		{ "records.log:find({}, { after = 'x' })", "after must be" },
		{ "records.log:find({}, { after = '1:n' })", "after must be" },
		{ "records.log:find({}, { order = 'note', after = '1' })", "after must be" },
		{ "records.log:find({}, { order = 'note', after = '1:' })", "after must be" },
		{ "records.log:find({}, { order = 'note', after = '1:i2x' })", "after must be" },
	};

	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		struct talk t = { 0 };

		cr_expect_eq(begin(&t, rows[i].body), RUN_FAILED, "%s", rows[i].body);
		cr_expect_eq(strncmp(t.call.error, "t:2: ", 5), 0, "%s", t.call.error);
		cr_expect_not_null(strstr(t.call.error, rows[i].error), "%s: %s", rows[i].body,
				   t.call.error);
		close_talk(&t);
	}
}

/* ---- replay ---- */

static const char rich[] =
	"citizen:say('Halo %s', message.rest)\n"
	"records.log:insert { note = 'began ' .. now() }\n"
	"local name = citizen:ask('Nama?')\n"
	"local n = random(1000)\n"
	"local ok, age = pcall(function() return citizen:ask('Umur?', { kind = 'integer', min = 1, "
	"max = 120 }) end)\n"
	"local what = citizen:choose('Apa?', { 'Jalan', { 'Air', value = { kind = 'water', n = 1.5 "
	"} } })\n"
	"citizen:say('Mencari')\n"
	"local count = records.tickets:count { name = name }\n"
	"records.log:insert { note = 'counted', share = count / 2 }\n"
	"local rows = records.tickets:find({ name = name }, { order = 'size', limit = 3 })\n"
	"local row, why = records.tickets:insert { code = code(), name = name, size = age }\n"
	"citizen:say('Tiket %s', row.code)\n"
	"records.answers:put { rating = #rows }\n"
	"local again, taken = records.votes:insert { year = 2026 }\n"
	"local got = records.answers:get(citizen)\n"
	"if citizen:confirm('Yakin?') then\n"
	"  records.log:insert { note = what.kind .. ' ' .. taken .. ' ' .. got.rating .. ' ' .. n "
	".. ' ' .. random(1000) }\n"
	"  citizen:say('Selesai, %s (%d)', citizen.name, age)\n"
	"end";

/* What was seen where the dialog stopped. */
struct stop {
	size_t journal; /* bytes */
	enum run_end end;
	struct request request;
	struct bytes said;
	const char *writes[8]; /* as text */
	unsigned write_count;
	bool by_read;
};

static struct stop stops[STOPS_MAX];
static unsigned stop_count;

static void list_writes(struct arena *arena, const struct step *step, struct stop *stop)
{
	struct record_write *write;

	stop->write_count = 0;
	STAILQ_FOREACH (write, &step->records, next)
		stop->writes[stop->write_count++] = arena_printf(
			arena, "%d %s %s %s", (int)write->kind, write->table,
			write->add_entry || write->key[0] == '[' ? write->key : "",
			write->json.data);
}

static void note_stop(struct talk *t)
{
	struct stop *stop = &stops[stop_count++];

	stop->journal = t->journal.len;
	stop->end = t->end;
	stop->request = t->call.request;
	stop->said = t->call.said;
	stop->by_read = t->call.appended.len > 0;
	list_writes(&t->arena, t->step, stop);
}

/* The whole of `rich`, live. */
static void play(struct talk *t)
{
	static const char *const rows[] = { "{\"code\":\"A\",\"size\":1}", "{\"code\":\"B\"}" };
	static const char *const rating[] = { "{\"rating\":2}" };

	begin(t, rich);
	note_stop(t);
	give_text(t, "Budi");
	note_stop(t);
	give_integer(t, 41);
	note_stop(t);
	give(t, t->call.request.values[1]);
	note_stop(t);
	give_rows(t, rows, 2); /* count */
	note_stop(t);
	give_rows(t, rows, 2);
	note_stop(t);
	give_insert(t, false);
	note_stop(t);
	give_insert(t, true);
	note_stop(t);
	give_rows(t, rating, 1);
	note_stop(t);
	cr_assert_eq(t->end, RUN_WAITS, "%s", t->call.error);
	give_boolean(t, true);
	note_stop(t);
	cr_assert_eq(t->end, RUN_DONE, "%s", t->call.error);
	cr_assert_eq(stop_count, 10);
}

static void expect_request(const struct request *is, const struct request *was, unsigned at)
{
	cr_expect_eq(is->kind, was->kind, "stop %u", at);
	cr_expect_eq(is->hash, was->hash, "stop %u", at);
	cr_expect(same(is->shape, was->shape) && same(is->prompt, was->prompt), "stop %u", at);
	cr_expect(is->answer == was->answer && is->optional == was->optional &&
		  is->min == was->min && is->max == was->max);
	cr_assert_eq(is->option_count, was->option_count, "stop %u", at);
	for (unsigned i = 0; i < is->option_count; i++)
		cr_expect(same(is->options[i], was->options[i]) &&
				  same(is->values[i], was->values[i]),
			  "stop %u", at);
}

/* A new run, in a new state where fresh, with the journal as it was at the stop. */
static void replay(struct talk *t, const struct stop *stop, bool fresh, bool committed)
{
	struct talk again = { .run = NULL };

	if (fresh) {
		open_talk(&again, rich);
	} else {
		again.program = t->program;
		again.run = new_run(t->program);
	}
	buf_add(&again.journal, t->journal.data, stop->journal);
	go(&again, committed ? &stop->request : NULL, NULL);
	if (!fresh)
		again.program = NULL;
	t->call = again.call;
	t->end = again.end;
	list_writes(&t->arena, again.step, &stops[STOPS_MAX - 1]);
	cr_expect_eq(run_position(again.run), again.journal.len);
	t->call.said = arena_bytes(&t->arena, again.call.said.data, again.call.said.len);
	t->call.error = arena_strdup(&t->arena, again.call.error);
	t->call.request.prompt = arena_bytes(&t->arena, again.call.request.prompt.data,
					     again.call.request.prompt.len);
	t->call.request.shape = arena_bytes(&t->arena, again.call.request.shape.data,
					    again.call.request.shape.len);
	for (unsigned i = 0; i < again.call.request.option_count; i++) {
		cr_expect(same(again.call.request.options[i], stop->request.options[i]));
		cr_expect(same(again.call.request.values[i], stop->request.values[i]));
	}
	t->call.request.options = stop->request.options;
	t->call.request.values = stop->request.values;
	close_talk(&again);
}

Test(plugin_run,
     a_replay_at_each_length_of_the_journal_gives_the_same_request_and_what_is_new_alone)
{
	play(&talk);
	for (unsigned i = 0; i < stop_count; i++) {
		const struct stop *stop = &stops[i], *seen = &stops[STOPS_MAX - 1];

		for (int fresh = 0; fresh < 2; fresh++) {
			replay(&talk, stop, fresh, false);
			cr_assert_eq(talk.end, stop->end, "stop %u: %s", i, talk.call.error);
			cr_expect(talk.call.replayed);
			if (stop->end != RUN_DONE)
				expect_request(&talk.call.request, &stop->request, i);
			cr_expect_str_eq(talk.call.said.data, stop->said.data, "stop %u", i);
			cr_assert_eq(seen->write_count, stop->write_count, "stop %u", i);
			for (unsigned w = 0; w < seen->write_count; w++)
				cr_expect_str_eq(seen->writes[w], stop->writes[w], "stop %u", i);
		}
	}
}

Test(plugin_run, a_replay_up_to_what_is_committed_causes_nothing)
{
	play(&talk);
	for (unsigned i = 0; i < stop_count - 1; i++) {
		replay(&talk, &stops[i], i % 2, true);
		cr_assert_eq(talk.end, stops[i].end, "stop %u: %s", i, talk.call.error);
		expect_request(&talk.call.request, &stops[i].request, i);
		cr_expect_str_eq(talk.call.said.data, "", "stop %u", i);
		cr_expect_eq(stops[STOPS_MAX - 1].write_count, 0, "stop %u", i);
		cr_expect_str_eq(talk.call.log.data, "");
	}
}

Test(plugin_run, a_run_that_begins_anew_takes_what_was_read_and_gives_the_same_entry)
{
	static const char *const rows[] = { "{\"code\":\"A\",\"size\":1}", "{\"code\":\"B\"}" };
	struct bytes texts[] = { text_of(rows[0]), text_of(rows[1]) };
	struct read_result read = { .rows = texts, .row_count = 2, .count = 2 };
	struct talk again = { 0 };

	play(&talk);
	open_talk(&again, rich);
	buf_add(&again.journal, talk.journal.data, stops[3].journal);
	cr_assert_eq(go(&again, &stops[3].request, &read), RUN_READS, "%s", again.call.error);
	cr_expect_eq(again.journal.len, stops[4].journal);
	cr_expect_eq(memcmp(again.journal.data, talk.journal.data, again.journal.len), 0);
	cr_expect_eq(again.call.request.hash, stops[4].request.hash);
	cr_expect_eq(count_writes(again.step), 1,
		     "what lies behind the read is new, what lies before it is not");
	cr_expect_str_eq(said(&again), "");
	cr_expect_eq(run_position(again.run), again.journal.len);
	close_talk(&again);
}

Test(plugin_run, what_was_committed_must_be_what_the_code_asks_for)
{
	play(&talk);
	for (unsigned i = 0; i < stop_count - 1; i++) {
		struct stop stop = stops[i];

		stop.request.hash ^= 1;
		replay(&talk, &stop, true, true);
		cr_expect_eq(talk.end, RUN_DIVERGED, "stop %u", i);
		cr_expect_eq(strncmp(talk.call.error, "t: ", 3), 0, "%s", talk.call.error);
	}
}

Test(plugin_run, a_dialog_that_ends_before_what_was_committed_has_diverged)
{
	play(&talk);
	stops[9].request = stops[8].request;
	replay(&talk, &stops[9], true, true);
	cr_expect_eq(talk.end, RUN_DIVERGED);
	cr_expect_eq(
		strncmp(talk.call.error, "t: the dialog ends where the journal has confirm", 48), 0,
		"%s", talk.call.error);
}

Test(plugin_run, a_damaged_journal_is_divergence_and_no_guess)
{
	play(&talk);
	for (unsigned i = 0; i < stop_count; i++) {
		struct talk again = { 0 };

		open_talk(&again, rich);
		buf_add(&again.journal, talk.journal.data, stops[i].journal - 1);
		cr_expect_eq(go(&again, NULL, NULL), RUN_DIVERGED, "stop %u", i);
		cr_expect_eq(strncmp(again.call.error, "t: the journal is damaged", 25), 0, "%s",
			     again.call.error);
		cr_expect_eq(count_writes(again.step), 0);
		close_talk(&again);
	}
	talk.journal.data[0]++;
	run_free(talk.run);
	talk.run = new_run(talk.program);
	cr_expect_eq(go(&talk, NULL, NULL), RUN_DIVERGED);
	cr_expect_str_eq(talk.call.error, "t: the journal is damaged, or of a later version");
}

Test(plugin_run, a_result_that_is_no_value_is_an_error)
{
	begin(&talk, "citizen:ask('?')");
	cr_expect_eq(give(&talk, text_of("\x09")), RUN_FAILED);
	cr_expect_str_eq(talk.call.error, "t: a result: the journal is damaged");
}

/* Plays `before` with answers, then its journal on `after`. */
static void diverge(const char *before, const char *after, enum run_end end, const char *error)
{
	static const char *const rows[] = { "{\"code\":\"A\",\"size\":1}" };
	struct talk old = { 0 }, new = { 0 };

	begin(&old, before);
	while (old.end == RUN_WAITS || old.end == RUN_READS) {
		if (old.end == RUN_WAITS && old.call.request.kind == REQUEST_CHOOSE)
			give(&old, old.call.request.values[0]);
		else if (old.end == RUN_WAITS && old.call.request.answer == ANSWER_INTEGER)
			give_integer(&old, 5);
		else if (old.end == RUN_WAITS)
			give_text(&old, "ya");
		else if (old.call.request.kind == REQUEST_INSERT)
			give_insert(&old, false);
		else
			give_rows(&old, rows, 1);
	}
	cr_assert_eq(old.end, RUN_DONE, "%s: %s", before, old.call.error);
	open_talk(&new, after);
	buf_add(&new.journal, old.journal.data, old.journal.len);
	go(&new, NULL, NULL);
	cr_expect_eq(new.end, end, "%s -> %s: %d %s", before, after, (int)new.end, new.call.error);
	if (new.end == end && end == RUN_DIVERGED)
		cr_expect_eq(strncmp(new.call.error, error, strlen(error)), 0, "%s -> %s: %s",
			     before, after, new.call.error);
	if (end == RUN_DIVERGED) {
		cr_expect_eq(count_writes(new.step), 0);
		cr_expect_str_eq(said(&new), "");
	}
	close_talk(&old);
	close_talk(&new);
}

Test(plugin_run, code_that_is_not_the_journals_is_divergence_and_names_the_plugin)
{
	static const struct {
		const char *before, *after, *error;
	} rows[] = {
		{ "citizen:ask('A?')", "citizen:ask('B?')",
		  "t: the dialog ask where the journal has ask" },
		{ "citizen:ask('A?')", "citizen:confirm('A?')",
		  "t: the dialog confirm where the journal has ask" },
		{ "citizen:ask('A?')", "citizen:say('x') citizen:ask('A?')", "t: " },
		{ "citizen:say('x') citizen:ask('A?')", "citizen:say('y') citizen:ask('A?')",
		  "t: " },
		{ "citizen:ask('A?')", "records.log:insert { note = 'x' } citizen:ask('A?')",
		  "t: " },
		{ "citizen:ask('A?')", "citizen:ask('A?', { optional = true })", "t: " },
		{ "citizen:ask('A?')", "citizen:ask('A?', { max = 999 })", "t: " },
		{ "citizen:ask('A?')", "citizen:ask('A?', { min = 2 })", "t: " },
		{ "citizen:ask('A?', { kind = 'integer' })", "citizen:ask('A?')", "t: " },
		{ "citizen:choose('A?', { 'x', 'y' })", "citizen:choose('A?', { 'x', 'z' })",
		  "t: " },
		{ "citizen:choose('A?', { 'x', 'y' })", "citizen:choose('A?', { 'x' })", "t: " },
		{ "citizen:choose('A?', { 'x', 'y' })", "citizen:choose('A?', { 'x', 'y', 'z' })",
		  "t: " },
		{ "citizen:choose('A?', { 'x', 'y' })",
		  "citizen:choose('A?', { 'x', { 'y', value = 3 } })", "t: " },
		{ "citizen:choose('A?', { 'x', 'y' })", "citizen:choose('A?', { 'y', 'x' })",
		  "t: " },
		{ "citizen:ask('A?') citizen:ask('B?')", "citizen:ask('B?') citizen:ask('A?')",
		  "t: " },
		{ "citizen:ask('A?') citizen:ask('B?')", "citizen:ask('A?')",
		  "t: the dialog ends where the journal has ask" },
		{ "citizen:ask('A?')", "", "t: the dialog ends where the journal has ask" },
		{ "citizen:ask('A?')", "local x\nx()", "t:3: " },
		{ "citizen:ask('A?')",
		  "local ok = pcall(error, 'x') citizen:ask('A?' .. tostring(ok))", "t: " },
		{ "records.tickets:insert { code = 'K', size = 1 }",
		  "records.tickets:insert { code = 'K', size = 2 }", "t: " },
		{ "records.tickets:insert { code = 'K' }", "records.tickets:insert { code = 'L' }",
		  "t: " },
		{ "records.tickets:get('K')", "records.tickets:get('L')", "t: " },
		{ "records.tickets:find()", "records.tickets:find(nil, { limit = 3 })", "t: " },
		{ "records.tickets:find()", "records.tickets:find(nil, { descending = true })",
		  "t: " },
		{ "records.tickets:find()", "records.tickets:find(nil, { order = 'size' })",
		  "t: " },
		{ "records.tickets:find { size = 1 }", "records.tickets:find { size = 2 }", "t: " },
		{ "records.tickets:find { size = { min = 1 } }",
		  "records.tickets:find { size = { max = 1 } }", "t: " },
		{ "records.tickets:count { code = 'a' }", "records.tickets:count { name = 'a' }",
		  "t: " },
		{ "records.tickets:count()", "records.tickets:find()", "t: " },
		{ "citizen:ask('A?') records.log:insert { note = 'a' } citizen:ask('B?')",
		  "citizen:ask('A?') records.log:insert { note = 'b' } citizen:ask('B?')", "t: " },
	};

	for (unsigned i = 0; i < ARRAY_LEN(rows); i++)
		diverge(rows[i].before, rows[i].after, RUN_DIVERGED, rows[i].error);
}

Test(plugin_run, reading_another_table_of_records_is_divergence)
{
	diverge("records.tickets:count()", "records.log:count()", RUN_DIVERGED, "t: ");
	diverge("records.tickets:find()", "records.log:find()", RUN_DIVERGED, "t: ");
	diverge("records.tickets:get('K')", "records.answers:get(citizen)", RUN_DIVERGED, "t: ");
	diverge("records.answers:get(citizen)", "local row = records.tickets:get('+6281234567890')",
		RUN_DIVERGED, "t: ");
}

Test(plugin_run, what_makes_no_difference_to_the_citizen_is_no_divergence)
{
	diverge("citizen:ask('A?')",
		"local unused = 1 log('x') citizen:ask('A' .. '?', { min = 1 })", RUN_DONE, "");
	diverge("records.tickets:find { size = 1, name = 'a' }",
		"records.tickets:find({ name = 'a', size = 1 }, { limit = 20 })", RUN_DONE, "");
	diverge("citizen:ask('A?') random(5)", "random(7) citizen:ask('A?') code()", RUN_DONE, "");
}

/* ---- limits ---- */

Test(plugin_run, a_limit_ends_what_is_new_for_good_and_a_replay_for_now)
{
	static const struct {
		const char *loop, *error;
	} rows[] = {
		{ "while true do end", "stopped: too many instructions in one step" },
		{ "pcall(function() while true do end end) while true do end",
		  "stopped: too many instructions in one step" },
		{ "local t = {} for i = 1, 200000 do t[i] = i end", "out of memory" },
		{ "while true do pcall(string.rep, 'x', 1 << 40) end", "stopped" },
	};

	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		struct talk t = { 0 }, replayed = { 0 };
		char body[256];

		snprintf(body, sizeof(body), "records.log:insert { note = 'x' }\n%s", rows[i].loop);
		cr_expect_eq(begin(&t, body), RUN_BREACHED, "%s", rows[i].loop);
		cr_expect_not_null(strstr(t.call.error, rows[i].error), "%s: %s", rows[i].loop,
				   t.call.error);
		close_talk(&t);
		begin(&t, "citizen:ask('?')");
		give_text(&t, "ya");
		snprintf(body, sizeof(body), "%s citizen:ask('?')", rows[i].loop);
		open_talk(&replayed, body);
		buf_add(&replayed.journal, t.journal.data, t.journal.len);
		cr_expect_eq(go(&replayed, NULL, NULL), RUN_AGAIN, "%s: %s", rows[i].loop,
			     replayed.call.error);
		close_talk(&replayed);
		close_talk(&t);
	}
}

Test(plugin_run, what_ends_at_a_limit_is_told_with_its_line)
{
	cr_expect_eq(begin(&talk, "\nwhile true do end"), RUN_BREACHED);
	cr_expect_str_eq(talk.call.error, "t:3: stopped: too many instructions in one step");
	close_talk(&talk);
	cr_expect_eq(begin(&talk, "local t = {}\nfor i = 1, 200000 do t[i] = i end"), RUN_BREACHED);
	cr_expect_str_eq(talk.call.error, "t:3: out of memory");
}

Test(plugin_run, each_step_has_a_budget_of_its_own_also_in_a_replay)
{
	const char *body = "for question = 1, 6 do\n  local n = 0\n  for i = 1, 100000 do n = n + "
			   "i end\n  citizen:ask('?')\nend";

	begin(&talk, body);
	for (unsigned i = 0; i < 5; i++)
		cr_assert_eq(give_text(&talk, "ya"), RUN_WAITS, "%s", talk.call.error);
	run_free(talk.run);
	talk.run = new_run(talk.program);
	cr_expect_eq(give_text(&talk, "ya"), RUN_DONE, "%s", talk.call.error);
}

Test(plugin_run, a_state_that_ran_out_of_memory_is_spoiled)
{
	begin(&talk, "citizen:ask('?')\nlocal t = {} for i = 1, 200000 do t[i] = i end");
	cr_expect_not(program_spoiled(talk.program));
	cr_expect_eq(give_text(&talk, "ya"), RUN_BREACHED);
	cr_expect(program_spoiled(talk.program));
}

Test(plugin_run, what_a_dialog_keeps_is_counted)
{
	begin(&talk, "local kept = ('x'):rep(300000)\ncitizen:ask('?')\ncitizen:say('%d', #kept)");
	cr_assert_eq(talk.end, RUN_WAITS, "%s", talk.call.error);
	cr_expect_geq(run_kept(talk.run), 300000);
}

/* ---- wrong arguments ---- */

static void expect_failure(const char *body, const char *error)
{
	struct talk t = { 0 };

	cr_expect_eq(begin(&t, body), RUN_FAILED, "%s", body);
	cr_expect_str_eq(t.call.error, error, "%s: %s", body, t.call.error);
	cr_expect_eq(count_writes(t.step), 0, "%s", body);
	close_talk(&t);
}

Test(plugin_run, a_question_that_is_wrong_says_what_is_allowed)
{
	static const struct {
		const char *body, *error;
	} rows[] = {
		{ "citizen:ask()",
		  "t:2: bad argument #1 to 'ask' (string expected, got no value)" },
		{ "citizen:ask({})", "t:2: bad argument #1 to 'ask' (string expected, got table)" },
		{ "citizen:ask('')", "t:2: bad argument #1 to 'ask' (the question is empty)" },
		{ "citizen:ask('\\xFF')",
		  "t:2: bad argument #1 to 'ask' (the question is not valid UTF-8)" },
		{ "citizen:ask('a\\tb')",
		  "t:2: bad argument #1 to 'ask' (the question has a control character)" },
		{ "citizen:ask('a\\0b')",
		  "t:2: bad argument #1 to 'ask' (the question has a control character)" },
		{ "citizen:ask(('x'):rep(2001))", "t:2: bad argument #1 to 'ask' (the question has "
						  "2001 bytes; at most 2000 are allowed)" },
		{ "citizen:ask('?', 5)",
		  "t:2: bad argument #2 to 'ask' (table expected, got number)" },
		{ "citizen:ask('?', { kind = 'colour' })",
		  "t:2: bad argument #2 to 'ask' (kind must be \"text\", \"integer\", \"decimal\", "
		  "\"date\" or \"phone\")" },
		{ "citizen:ask('?', { kind = 1 })",
		  "t:2: bad argument #2 to 'ask' (kind must be \"text\", \"integer\", \"decimal\", "
		  "\"date\" or \"phone\")" },
		{ "citizen:ask('?', { tries = 3 })",
		  "t:2: bad argument #2 to 'ask' (there is no option 'tries'; there are kind, min, "
		  "max and optional)" },
		{ "citizen:ask('?', { 'integer' })", "t:2: bad argument #2 to 'ask' (options have "
						     "names: { kind = \"integer\", min = 1 })" },
		{ "citizen:ask('?', { kind = 'decimal', min = 'x' })",
		  "t:2: bad argument #2 to 'ask' (min must be a number)" },
		{ "citizen:ask('?', { kind = 'date', max = '2026-13' })",
		  "t:2: bad argument #2 to 'ask' (max must be a date as \"2026-12-31\")" },
		{ "citizen:ask('?', { kind = 'date', min = '2026-02-30' })",
		  "t:2: bad argument #2 to 'ask' (min must be a date as \"2026-12-31\")" },
		{ "citizen:ask('?', { kind = 'phone', max = 5 })",
		  "t:2: bad argument #2 to 'ask' (a phone number has no min and max)" },
		{ "citizen:set({ colour = 'red' })", "t:2: bad argument #1 to 'set' (there are the "
						     "fields name, area and language to be set)" },
		{ "citizen:set({ language = 'fr' })",
		  "t:2: bad argument #1 to 'set' (language is \"id\", \"jv\" or \"en\")" },
		{ "citizen:call('x')",
		  "t:2: bad argument #1 to 'call' (function expected, got string)" },
		{ "citizen:ask('?', { optional = 1 })",
		  "t:2: bad argument #2 to 'ask' (optional must be true or false)" },
		{ "citizen:ask('?', { min = 1.5 })",
		  "t:2: bad argument #2 to 'ask' (min must be a whole number)" },
		{ "citizen:ask('?', { max = '9' })",
		  "t:2: bad argument #2 to 'ask' (max must be a whole number)" },
		{ "citizen:ask('?', { min = 0 })",
		  "t:2: bad argument #2 to 'ask' (min and max are characters, from 1 to 1000)" },
		{ "citizen:ask('?', { max = 1001 })",
		  "t:2: bad argument #2 to 'ask' (min and max are characters, from 1 to 1000)" },
		{ "citizen:ask('?', { kind = 'integer', min = 2, max = 1 })",
		  "t:2: bad argument #2 to 'ask' (min is above max)" },
		{ "citizen.ask('?')", "t:2: call it with a colon: citizen:ask(...)" },
		{ "citizen.ask({}, '?')", "t:2: call it with a colon: citizen:ask(...)" },
		{ "citizen:confirm()",
		  "t:2: bad argument #1 to 'confirm' (string expected, got no value)" },
		{ "citizen.confirm('?')", "t:2: call it with a colon: citizen:confirm(...)" },
		{ "citizen:shout('x')", "t:2: attempt to call a nil value (method 'shout')" },
		{ "citizen.name = 'x'",
		  "t:2: the citizen's fields are set by citizen:set{ name = ... }" },
	};

	for (unsigned i = 0; i < ARRAY_LEN(rows); i++)
		expect_failure(rows[i].body, rows[i].error);
}

Test(plugin_run, options_that_are_wrong_say_what_is_allowed)
{
	static const struct {
		const char *body, *error;
	} rows[] = {
		{ "citizen:choose('?')",
		  "t:2: bad argument #2 to 'choose' (table expected, got no value)" },
		{ "citizen:choose('?', {})",
		  "t:2: bad argument #2 to 'choose' (must list 1 to 99 options)" },
		{ "local t = {} for i = 1, 100 do t[i] = 'x' end\ncitizen:choose('?', t)",
		  "t:3: bad argument #2 to 'choose' (must list 1 to 99 options)" },
		{ "citizen:choose('?', { 'a' }, { order = 'first' })",
		  "t:2: bad argument #3 to 'choose' (there are many = true and order = "
		  "\"random\")" },
		{ "citizen:choose('?', { 5 })", "t:2: bad argument #2 to 'choose' (an option is a "
						"text, or { \"text\", value = ... })" },
		{ "citizen:choose('?', { 'a', { value = 1 } })",
		  "t:2: bad argument #2 to 'choose' (an option is a text, or { \"text\", value = "
		  "... })" },
		{ "citizen:choose('?', { 'a\\nb' })",
		  "t:2: bad argument #2 to 'choose' (an option is one line)" },
		{ "citizen:choose('?', { { 'a', value = print } })",
		  "t:2: bad argument #2 to 'choose' (an option's value: a function can't be "
		  "kept)" },
		{ "citizen:choose('?', { { 'a', value = citizen } })",
		  "t:2: bad argument #2 to 'choose' (an option's value: only texts, numbers, "
		  "booleans and tables of these can be kept)" },
		{ "citizen:choose('', { 'a' })",
		  "t:2: bad argument #1 to 'choose' (the question is empty)" },
	};

	for (unsigned i = 0; i < ARRAY_LEN(rows); i++)
		expect_failure(rows[i].body, rows[i].error);
}

Test(plugin_run, an_option_that_is_wrong_names_the_argument_that_it_stands_in)
{
	expect_failure("citizen:choose('?', { '' })",
		       "t:2: bad argument #2 to 'choose' (an option is empty)");
	expect_failure("citizen:choose('?', { { ('x'):rep(121) } })",
		       "t:2: bad argument #2 to 'choose' (an option has 121 bytes; at most 120 are "
		       "allowed)");
}

Test(plugin_run, a_delete_character_is_a_control_character_too)
{
	expect_failure("citizen:ask('a\\127b')",
		       "t:2: bad argument #1 to 'ask' (the question has a control character)");
}

Test(plugin_run, a_text_that_is_wrong_says_what_is_allowed)
{
	static const struct {
		const char *body, *error;
	} rows[] = {
		{ "citizen:say()",
		  "t:2: bad argument #1 to 'say' (string expected, got no value)" },
		{ "citizen:say(5)", "t:2: bad argument #1 to 'say' (string expected, got number)" },
		{ "citizen:say('')", "t:2: bad argument #1 to 'say' (the text is empty)" },
		{ "citizen:say(('x'):rep(8193))", "t:2: bad argument #1 to 'say' (the text has "
						  "8193 bytes; at most 8192 are allowed)" },
		{ "citizen.say('x')", "t:2: call it with a colon: citizen:say(...)" },
		{ "for i = 1, 11 do citizen:say('x') end",
		  "t:2: say was called more than 10 times before a question" },
		{ "citizen:say(('x'):rep(8000)) citizen:say(('x'):rep(200))",
		  "t:2: more than 8192 bytes were said before a question" },
	};

	for (unsigned i = 0; i < ARRAY_LEN(rows); i++)
		expect_failure(rows[i].body, rows[i].error);
}

Test(plugin_run, a_record_that_is_wrong_says_what_is_allowed)
{
	static const struct {
		const char *body, *error;
	} rows[] = {
		{ "records.log:insert()",
		  "t:2: bad argument #1 to 'insert' (table expected, got no value)" },
		{ "records.log.insert { note = 'a' }",
		  "t:2: call it with a colon: records.log:insert(...)" },
		{ "records.log:insert { colour = 1 }",
		  "t:2: records.log has no field 'colour'; there are done, note, share" },
		{ "records.log:insert { 'a' }",
		  "t:2: records.log has no field '?'; there are done, note, share" },
		{ "records.log:insert { note = 1 }",
		  "t:2: records.log.note must be a text, not a number" },
		{ "records.log:insert { done = 'x' }",
		  "t:2: records.log.done must be true or false, not a string" },
		{ "records.log:insert { share = '1' }",
		  "t:2: records.log.share must be a number, not a string" },
		{ "records.log:insert { share = 0/0 }",
		  "t:2: records.log: a number is not finite" },
		{ "records.log:insert { note = '\\xFF' }",
		  "t:2: records.log: a text is not valid UTF-8" },
		{ "records.log:insert { note = ('x'):rep(16385) }",
		  "t:2: records.log: the record is too large" },
		{ "records.tickets:insert { code = 'A', size = 1.5 }",
		  "t:2: records.tickets.size must be a whole number, not a number" },
		{ "records.answers:insert { citizen = 'me' }",
		  "t:2: records.answers has no field 'citizen'; there are area, rating" },
		{ "records.log:put { note = 'a' }",
		  "t:2: records.log has no unique key, so there is nothing to put it in place of: "
		  "use insert" },
		{ "records.log:get('a')",
		  "t:2: records.log has no unique key to get a record by: use find" },
		{ "records.votes:get(citizen)",
		  "t:2: records.votes:get needs the 2 values of its unique key" },
		{ "records.votes:get('me', 1)",
		  "t:2: bad argument #1 to 'get' (must be the citizen)" },
		{ "records.answers:find { area = 'x' }",
		  "t:2: records.answers can't be searched by 'area'; it is indexed by rating" },
		{ "records.answers:find { colour = 'x' }",
		  "t:2: records.answers can't be searched by 'colour'; it is indexed by rating" },
		{ "records.votes:find { year = 1 }",
		  "t:2: records.votes can't be searched by 'year'; it is indexed by none" },
		{ "records.answers:find { rating = 'x' }",
		  "t:2: rating must be compared with a whole number, not a string" },
		{ "records.answers:find { rating = {} }",
		  "t:2: rating: a range is { min = ..., max = ... }, with one or both" },
		{ "records.answers:find({}, { limit = 0 })",
		  "t:2: bad argument #2 to 'find' (limit must be 1 to 100)" },
		{ "records.answers:find({}, { limit = 101 })",
		  "t:2: bad argument #2 to 'find' (limit must be 1 to 100)" },
		{ "records.answers:find({}, { order = 'area' })",
		  "t:2: bad argument #2 to 'find' (order must be an indexed field: rating)" },
		{ "records.answers:find({}, { descending = 1 })",
		  "t:2: bad argument #2 to 'find' (descending must be true or false)" },
		{ "records.answers:find({}, { skip = 1 })",
		  "t:2: bad argument #2 to 'find' (there is no option 'skip'; there are after, "
		  "order, descending and limit)" },
		{ "records.answers:find(5)",
		  "t:2: bad argument #1 to 'find' (table expected, got number)" },
		{ "records.answers:count { area = 'x' }",
		  "t:2: records.answers can't be searched by 'area'; it is indexed by rating" },
		{ "records.places:find()", "t:2: attempt to index a nil value (field 'places')" },
		{ "records.log = 1", "t:2: this table can't be changed" },
	};

	for (unsigned i = 0; i < ARRAY_LEN(rows); i++)
		expect_failure(rows[i].body, rows[i].error);
}

Test(plugin_run, too_many_records_before_a_question_are_an_error)
{
	cr_expect_eq(begin(&talk, "for i = 1, 101 do records.log:insert { note = 'x' } end"),
		     RUN_FAILED);
	cr_expect_str_eq(talk.call.error,
			 "t:2: more than 100 records were written before a question");
	close_talk(&talk);
	cr_expect_eq(
		begin(&talk,
		      "for i = 1, 100 do records.log:insert { note = 'x' } end\ncitizen:ask('?')\n"
		      "for i = 1, 100 do records.log:insert { note = 'x' } end"),
		RUN_WAITS, "%s", talk.call.error);
	cr_expect_eq(give_text(&talk, "ya"), RUN_DONE, "%s", talk.call.error);
}

Test(plugin_run, a_dialog_without_a_citizen_has_no_key_of_hers)
{
	open_talk(&talk, "records.answers:put { rating = 1 }");
	journal_add_event(&talk.journal, &talk.event);
	talk.step = step_new();
	talk.call = (struct run_call){ .journal = { talk.journal.data, talk.journal.len },
				       .citizen = "",
				       .step = talk.step,
				       .arena = &talk.arena };
	cr_expect_eq(run_go(talk.run, &talk.call), RUN_FAILED);
	cr_expect_str_eq(talk.call.error,
			 "t:2: this dialog has no citizen, so the record needs another key");
}

Test(plugin_run, errors_of_arguments_can_be_caught_and_cause_nothing)
{
	cr_assert_eq(begin(&talk,
			   "local ok, why = pcall(citizen.ask, citizen, '')\n"
			   "local also = pcall(records.log.insert, records.log, { colour = 1 })\n"
			   "citizen:say('%s %s %s', ok, also, citizen:ask('Lalu?'))"),
		     RUN_WAITS, "%s", talk.call.error);
	cr_expect_str_eq(talk.call.request.prompt.data, "Lalu?");
	cr_assert_eq(give_text(&talk, "ya"), RUN_DONE, "%s", talk.call.error);
	cr_expect_str_eq(said(&talk), "false false ya");
}

/* ---- codes ---- */

static const char letters[] = "23456789ABCDEFGHJKMNPQRSTUVWXYZ";

static bool is_code(const char *code)
{
	unsigned sum = 0, i;

	for (i = 0; i < 5; i++)
		sum += (i + 1) * (unsigned)(strchr(letters, code[i]) - letters);
	return code[5] == letters[sum % 31];
}

/* No single wrong character and no two that changed places pass. */
static void expect_found_out(const char *code)
{
	char wrong[8];

	for (unsigned at = 0; at < 6; at++) {
		snprintf(wrong, sizeof(wrong), "%s", code);
		for (const char *letter = letters; *letter; letter++) {
			wrong[at] = *letter;
			cr_expect_eq(is_code(wrong), *letter == code[at], "%s for %s", wrong, code);
		}
		for (unsigned other = 0; other < at; other++) {
			snprintf(wrong, sizeof(wrong), "%s", code);
			wrong[at] = code[other];
			wrong[other] = code[at];
			cr_expect_eq(is_code(wrong), code[at] == code[other], "%s for %s", wrong,
				     code);
		}
	}
}

Test(plugin_run, a_code_has_a_check_that_finds_every_wrong_character_and_every_swap)
{
	char *at, *codes;
	unsigned count = 0;

	cr_assert_eq(begin(&talk, "local t = {} for i = 1, 200 do t[i] = code() "
				  "end\ncitizen:say(table.concat(t, ' '))"),
		     RUN_DONE, "%s", talk.call.error);
	codes = arena_strdup(&talk.arena, said(&talk));
	for (char *code = strtok_r(codes, " ", &at); code;
	     code = strtok_r(NULL, " ", &at), count++) {
		cr_assert_eq(strlen(code), 6, "%s", code);
		cr_assert_eq(strspn(code, letters), 6, "%s", code);
		cr_expect(is_code(code), "%s", code);
		expect_found_out(code);
	}
	cr_expect_eq(count, 200);
}

/* ---- seen from outside ---- */

/* What code comes to, loosely compared, with the journal of other code whose first question was answered. */
static enum run_end go_loosely(const char *before, const char *after, bool waits)
{
	struct talk old = { 0 };
	struct request committed;
	enum run_end end;

	close_talk(&talk);
	begin(&old, before);
	give(&old, old.call.request.kind == REQUEST_CHOOSE ? old.call.request.values[0]
							   : text_of("\5\2ya"));
	committed = old.call.request;
	open_talk(&talk, after);
	talk.loose = true;
	buf_add(&talk.journal, old.journal.data, old.journal.len);
	end = go(&talk, waits ? &committed : NULL, NULL);
	close_talk(&old);
	return end;
}

Test(plugin_run, a_loose_run_compares_calls_by_kind_and_shape)
{
	static const struct {
		const char *before, *after;
		enum run_end end;
	} rows[] = {
		{ "citizen:ask('Nama?')", "citizen:ask('Siapa?')", RUN_DONE },
		{ "citizen:ask('Nama?')", "citizen:say('Halo.') citizen:ask('Nama?', { max = 9 })",
		  RUN_DONE },
		{ "citizen:ask('Nama?')", "citizen:ask('Nama?', { optional = true })",
		  RUN_DIVERGED },
		{ "citizen:ask('Nama?')", "citizen:confirm('Nama?')", RUN_DIVERGED },
		{ "citizen:choose('?', { 'A', 'B' })", "citizen:choose('?', { 'C', 'D' })",
		  RUN_DONE },
		{ "citizen:choose('?', { 'A', 'B' })", "citizen:choose('?', { 'A', 'B', 'C' })",
		  RUN_DIVERGED },
	};

	for (unsigned i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect_eq(go_loosely(rows[i].before, rows[i].after, false), rows[i].end,
			     "%s -> %s", rows[i].before, rows[i].after);
}

Test(plugin_run, a_divergence_names_the_call_the_questions_before_and_the_line)
{
	struct run_place place;

	cr_assert_eq(go_loosely("citizen:ask('1?') citizen:confirm('2?')",
				"citizen:ask('1?')\n\ncitizen:ask('2?')", true),
		     RUN_DIVERGED);
	place = run_place(talk.run, &talk.arena);
	cr_expect_eq(talk.call.expected, REQUEST_CONFIRM);
	cr_expect_eq(talk.call.answered, 1);
	cr_expect_eq(place.kind, REQUEST_ASK);
	cr_expect_eq(place.line, 4);
	cr_expect_str_eq(place.file, "t");
	cr_assert_eq(go_loosely("citizen:ask('1?') citizen:ask('2?')", "citizen:ask('1?')", true),
		     RUN_DIVERGED);
	cr_expect_eq(run_place(talk.run, &talk.arena).kind, REQUEST_NONE);
	cr_expect_eq(run_place(talk.run, &talk.arena).line, 0);
}

Test(plugin_run, what_is_said_is_marked_with_its_line)
{
	cr_assert_eq(begin(&talk, "citizen:say('Satu.')\nlocal function tell(text)\n"
				  "citizen:say(text)\nend\ntell('Dua.')\ncitizen:ask('?')"),
		     RUN_WAITS);
	cr_assert_eq(talk.call.mark_count, 2);
	cr_expect(talk.marks[0].end == 5 && talk.marks[0].line == 2);
	cr_expect(talk.marks[1].end == strlen(said(&talk)) && talk.marks[1].line == 4);
	cr_expect_eq(run_place(talk.run, &talk.arena).line, 7);
}

/* The state behind the answer `text` to the first question. */
static uint64_t state_behind(const char *body, const char *text)
{
	close_talk(&talk);
	begin(&talk, body);
	cr_assert_eq(give_text(&talk, text), RUN_WAITS, "%s", talk.call.error);
	return run_state(talk.run);
}

Test(plugin_run, a_state_is_where_it_stands_and_what_it_may_still_use)
{
	static const struct {
		const char *body;
		bool same; /* after different answers */
	} rows[] = {
		{ "citizen:ask('1?') citizen:ask('2?')", true },
		{ "local a = citizen:ask('1?') citizen:ask('2?') citizen:say(a)", false },
		{ "local a = { b = { citizen:ask('1?') } } citizen:ask('2?') citizen:say(a.b[1])",
		  false },
		{ "local a\nlocal function set() a = citizen:ask('1?') end\nset()\n"
		  "citizen:ask('2?') citizen:say(a)",
		  false },
		{ "do local a = citizen:ask('1?') end citizen:ask('2?')", true },
		{ "if citizen:ask('1?') == 'ya' then citizen:ask('2?') else citizen:ask('2?') end",
		  true },
		{ "if citizen:ask('1?') == 'ya' then citizen:ask('2?') else\ncitizen:ask('2?') end",
		  false },
	};

	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t yes = state_behind(rows[i].body, "ya");

		cr_expect_eq(state_behind(rows[i].body, "ya"), yes, "%s", rows[i].body);
		cr_expect_eq(state_behind(rows[i].body, "bukan") == yes, rows[i].same, "%s",
			     rows[i].body);
	}
}
