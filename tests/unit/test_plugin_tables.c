/* test_plugin_tables.c - a dialog looks into tables of data; what it got stays what it was, whatever becomes of the table. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "plugin_api.h"
#include "plugin_run.h"

enum { ERROR_SIZE = 1200, ENTRIES_MAX = 20 };

static const char csv[] = "code,name,note\nA1,Desa Kalitidu,\nA2,Desa Sukorejo,\"x \"\"y\"\"\"\n"
			  "7,Desa Turi,tujuh\nA3,SD Negeri Turi 1,\n";
static const char later_csv[] = "code,name,note\nA9,Desa Kalitidu,lain\nA1,Desa Lain,lain\n";

static struct program *program;
static struct run *run;
static struct buf journal;
static struct arena arena;
static struct step *step;
static struct run_call call;

static struct bytes text_of(const char *text)
{
	return (struct bytes){ text, strlen(text) };
}

static void close_run(void)
{
	run_free(run);
	program_free(program);
	run = NULL;
	program = NULL;
}

static void close_all(void)
{
	close_run();
	buf_free(&journal);
	arena_free(&arena);
	step_free(step);
}

TestSuite(plugin_tables, .fini = close_all);

/* A program with a table of both kinds of look-up and one of each. */
static void open_run(const char *body, const char *content)
{
	const char *columns[] = { "name" };
	struct data_table data[] = {
		{ .name = "both",
		  .file = "p.csv",
		  .key = "code",
		  .search = columns,
		  .search_count = 1 },
		{ .name = "keys", .file = "p.csv", .key = "code" },
		{ .name = "words",
		  .file = "p.csv",
		  .key = "",
		  .search = columns,
		  .search_count = 1 },
	};
	char *source = arena_printf(&arena, "return { dialog = function(citizen)\n%s\nend }", body);
	struct bundle_file file = { "t", text_of(source) };
	struct bundle parts = { .plugin = "t", .files = &file, .file_count = 1, .data = data };
	struct record_table records = { .name = "marks" };
	struct buf bytes = { 0 };
	char error[ERROR_SIZE] = "";
	struct bundle *bundle;

	parts.data_count = content ? ARRAY_LEN(data) : 0;
	for (unsigned i = 0; i < parts.data_count; i++)
		data[i].content = text_of(content);
	parts.tables = &records;
	parts.table_count = 1;
	parts.records = true;
	bundle_encode(&bytes, &parts);
	bundle = bundle_new((struct bytes){ bytes.data, bytes.len });
	buf_free(&bytes);
	cr_assert_not_null(bundle);
	close_run();
	program = program_new(bundle, error, sizeof(error));
	bundle_unref(bundle);
	cr_assert_not_null(program, "%s", error);
	run = run_new(program, "dialog", error, sizeof(error));
	cr_assert_not_null(run, "%s", error);
}

static enum run_end go(const struct request *committed, const struct read_result *read)
{
	enum run_end end;

	step_free(step);
	step = step_new();
	call = (struct run_call){ .journal = { journal.data, journal.len },
				  .citizen = "+62811",
				  .dialog = { 7, 9 },
				  .committed = committed,
				  .read = read,
				  .step = step,
				  .arena = &arena };
	end = run_go(run, &call);
	buf_add(&journal, call.appended.data, call.appended.len);
	return end;
}

static void add_event(bool start)
{
	struct journal_event event = { .time = 1795489485,
				       .seed = 42,
				       .citizen = { "id", "", "" },
				       .start = start,
				       .keyword = { "", 0 },
				       .rest = { "", 0 },
				       .text = { "", 0 } };

	journal_add_event(&journal, &event);
}

static enum run_end begin(const char *body)
{
	buf_reset(&journal);
	open_run(body, csv);
	add_event(true);
	return go(NULL, NULL);
}

static enum run_end answer(const char *text)
{
	struct buf results = { 0 };
	struct journal_call entry = {
		call.request.kind, call.request.hash, call.request.shape, { "", 0 }
	};

	journal_result_text(&results, text_of(text));
	entry.results = (struct bytes){ results.data, results.len };
	add_event(false);
	journal_add_call(&journal, &entry);
	buf_free(&results);
	return go(NULL, NULL);
}

/* The store answered a count. */
static enum run_end count(int64_t n)
{
	struct request *request = arena_alloc(&arena, sizeof(*request));
	struct read_result read = { .count = n };

	*request = call.request;
	return go(request, &read);
}

/* The kinds of the journal's entries: E an event, else the first letter of the call. */
static const char *entries(void)
{
	static char out[ENTRIES_MAX + 1];
	struct bytes all = { journal.data, journal.len };
	struct journal_entry entry;
	size_t at = 0;
	unsigned n = 0;

	while (n < ENTRIES_MAX && journal_next(&all, &at, &entry) == 1)
		out[n++] = entry.type == ENTRY_EVENT ? 'E' : request_kind_name(entry.call.kind)[0];
	out[n] = '\0';
	cr_expect_eq(at, all.len);
	return out;
}

static void expect_said(enum run_end end, const char *said)
{
	cr_expect_eq(end, RUN_DONE, "%d: %s", (int)end, call.error);
	cr_expect_str_eq(call.said.data, said);
}

Test(plugin_tables, get_gives_a_row_of_texts_or_nil)
{
	expect_said(begin("local a, b = tables.both:get('A2'), tables.keys:get(7)\n"
			  "citizen:say('%s|%s|%s', a.code, a.name, a.note)\n"
			  "citizen:say('%s %s', b.note, math.type(b.code) or type(b.code))\n"
			  "citizen:say('%s', tables.keys:get('A4'))\n"
			  "citizen:say('[%s]', tables.keys:get('A1').note)"),
		    "A2|Desa Sukorejo|x \"y\"\ntujuh string\nnil\n[]");
	cr_expect_str_eq(entries(), "Ellll");
}

Test(plugin_tables, search_gives_rows_and_scores_the_best_first)
{
	expect_said(begin("local rows, scores = tables.both:search('dsa trui')\n"
			  "citizen:say('%d %d', #rows, #scores)\n"
			  "citizen:say('%s %s', rows[1].name, rows[2].name)\n"
			  "citizen:say('%s', scores[1] > scores[2] and math.type(scores[1]))\n"
			  "rows, scores = tables.words:search('zzzz')\n"
			  "citizen:say('%d %d', #rows, #scores)\n"
			  "citizen:say('%d', #tables.words:search('desa', { limit = 2 }))\n"
			  "citizen:say('%d', #tables.words:search(''))"),
		    "2 2\nDesa Turi SD Negeri Turi 1\ninteger\n0 0\n2\n0");
	cr_expect_str_eq(entries(), "Ellll");
}

Test(plugin_tables, what_was_found_stays_when_the_table_is_another)
{
	static const char body[] =
		"local row = tables.both:search('kalitidu')[1]\n"
		"citizen:ask('Ya?')\n"
		"citizen:say(row.code .. row.note .. tables.both:get('A1').name)";

	cr_assert_eq(begin(body), RUN_WAITS, "%s", call.error);
	open_run(body, later_csv);
	expect_said(answer("ya"), "A1Desa Lain");
	cr_expect_str_eq(entries(), "ElEal");
	open_run(body, csv);
	expect_said(go(NULL, NULL), "A1Desa Lain");
	cr_expect_str_eq(entries(), "ElEal", "nothing is new");
}

Test(plugin_tables, an_entry_names_the_version_of_the_table)
{
	struct bytes all;
	struct journal_entry entry;
	size_t at = 0;
	const char *version;

	expect_said(begin("tables.keys:get('A1') citizen:say('x')"), "x");
	all = (struct bytes){ journal.data, journal.len };
	cr_assert_eq(journal_next(&all, &at, &entry), 1);
	cr_assert_eq(journal_next(&all, &at, &entry), 1);
	cr_assert_eq(entry.call.kind, REQUEST_LOOKUP);
	cr_expect_eq(entry.call.shape.len, 4);
	cr_expect_arr_eq(entry.call.shape.data, "keys", 4);
	version = data_version(program_bundle(program)->data[1].index);
	cr_expect_eq(strlen(version), DATA_VERSION_SIZE - 1);
	cr_expect_not_null(
		memmem(entry.call.results.data, entry.call.results.len, version, strlen(version)));
}

Test(plugin_tables, look_ups_lie_about_a_read_in_their_order)
{
	static const char body[] = "citizen:say('satu')\n"
				   "local a = tables.keys:get('A1').name\n"
				   "local n = records.marks:count()\n"
				   "citizen:say('dua')\n"
				   "local b = tables.keys:get('A2').name\n"
				   "citizen:ask(a .. n .. b)\n"
				   "citizen:say(tables.keys:get('A3').name)";

	cr_assert_eq(begin(body), RUN_READS, "%s", call.error);
	cr_expect_str_eq(call.said.data, "satu");
	cr_expect_str_eq(entries(), "El");
	cr_expect_eq(run_position(run), journal.len);
	cr_assert_eq(count(3), RUN_WAITS, "%s", call.error);
	cr_expect_str_eq(call.said.data, "dua");
	cr_expect_str_eq(call.request.prompt.data, "Desa Kalitidu3Desa Sukorejo");
	cr_expect_str_eq(entries(), "Elcl");
	cr_expect_eq(run_position(run), journal.len);
	expect_said(answer("ya"), "SD Negeri Turi 1");
	cr_expect_str_eq(entries(), "ElclEal");
}

Test(plugin_tables, a_run_that_begins_anew_before_the_read_is_answered_says_nothing_twice)
{
	static const char body[] = "citizen:say('satu')\nlocal a = tables.keys:get('A1').name\n"
				   "local n = records.marks:count()\ncitizen:say(a .. n)";

	cr_assert_eq(begin(body), RUN_READS, "%s", call.error);
	open_run(body, csv);
	expect_said(count(2), "Desa Kalitidu2");
	cr_expect_str_eq(entries(), "Elc");
}

Test(plugin_tables, what_came_before_a_look_up_is_new_until_it_is_committed)
{
	static const char body[] = "citizen:say('satu')\nlocal a = tables.keys:get('A1').name\n"
				   "citizen:say(a)";

	expect_said(begin(body), "satu\nDesa Kalitidu");
	open_run(body, csv);
	expect_said(go(NULL, NULL), "satu\nDesa Kalitidu");
	cr_expect_str_eq(entries(), "El");
}

Test(plugin_tables, another_look_up_than_the_journals_is_divergence_that_nothing_catches)
{
	static const char was[] = "local a = tables.both:get('A1').name citizen:ask(a)";
	static const struct {
		const char *body;
	} rows[] = {
		{ "local a = tables.both:get('A2').name citizen:ask(a)" },
		{ "local a = tables.keys:get('A1').name citizen:ask(a)" },
		{ "local a = tables.both:search('A1') citizen:ask('x')" },
		{ "pcall(function() tables.both:get('A2') end) citizen:ask('x')" },
		{ "citizen:ask('Desa Kalitidu')" },
		{ "tables.both:get('A1') tables.both:get('A1') citizen:ask('Desa Kalitidu')" },
		{ "citizen:say('x')" },
	};

	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		cr_assert_eq(begin(was), RUN_WAITS);
		open_run(rows[i].body, csv);
		cr_expect_eq(answer("ya"), RUN_DIVERGED, "%s: %s", rows[i].body, call.error);
		cr_expect_neq(call.error[0], '\0');
	}
}

Test(plugin_tables, a_wrong_call_says_what_is_allowed)
{
	static const struct {
		const char *body, *error;
	} rows[] = {
		{ "tables.both:get()", "t:2: bad argument #1 to 'get' (the key must be a text)" },
		{ "tables.both:get(1.5)",
		  "t:2: bad argument #1 to 'get' (the key must be a text)" },
		{ "tables.both.get('A1')", "t:2: call it with a colon: tables.both:search(...)" },
		{ "tables.words:get('A1')",
		  "t:2: tables.words has no key in the manifest: use search" },
		{ "tables.keys:search('x')",
		  "t:2: tables.keys has no search in the manifest: use get" },
		{ "tables.both:search()",
		  "t:2: bad argument #1 to 'search' (string expected, got no value)" },
		{ "tables.both:search('\\xFF')",
		  "t:2: bad argument #1 to 'search' (the text is not valid UTF-8)" },
		{ "tables.both:search('x', 5)",
		  "t:2: bad argument #2 to 'search' (table expected, got number)" },
		{ "tables.both:search('x', { limit = 21 })",
		  "t:2: bad argument #2 to 'search' (limit must be 1 to 20)" },
		{ "tables.both:search('x', { limit = 0 })",
		  "t:2: bad argument #2 to 'search' (limit must be 1 to 20)" },
		{ "tables.both:search('x', { most = 1 })",
		  "t:2: bad argument #2 to 'search' (there is no option 'most'; there is limit)" },
		{ "tables.both.name = 1", "t:2: this table can't be changed" },
		{ "for _ = 1, 101 do tables.both:get('A1') end",
		  "t:2: more than 100 rows or searches were asked for before a question" },
	};

	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		cr_expect_eq(begin(rows[i].body), RUN_FAILED, "%s", rows[i].body);
		cr_expect_str_eq(call.error, rows[i].error);
	}
}

Test(plugin_tables, a_plugin_without_tables_has_no_such_global)
{
	open_run("citizen:say(type(rawget(_G or {}, 'tables')))\nreturn tables.x", NULL);
	buf_reset(&journal);
	add_event(true);
	cr_expect_eq(go(NULL, NULL), RUN_FAILED);
}
