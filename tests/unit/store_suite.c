/* store_suite.c - the store's contract, as tests that know no backend. */
#include "store_suite.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"

#define ALICE "+62811000001"
#define BUDI "+62811000002"
#define BYTES(text) ((struct bytes){ text, sizeof(text) - 1 })

/* one call at a time, until its answer is there */

struct outcome {
	bool done;
	enum store_result result;
	int error;
	struct step *step;
	struct arena arena; /* what was found */
	struct citizen_state *state;
	struct find_rows rows;
	struct record_result records;
	struct record_chain chain;
	struct bytes content;
};

static void wait_for(struct suite *suite, const struct outcome *outcome)
{
	while (!outcome->done)
		cr_assert_eq(event_base_loop(suite->base, EVLOOP_ONCE), 0);
}

static void commit_cb(enum store_result result, int error, struct step *step, void *arg)
{
	struct outcome *outcome = arg;

	outcome->done = true;
	outcome->result = result;
	outcome->error = error;
	outcome->step = step;
}

static void commit(struct suite *suite, struct step *step, struct outcome *outcome)
{
	*outcome = (struct outcome){ 0 };
	cr_assert_eq(store_commit(suite->store, step, commit_cb, outcome), 0);
	wait_for(suite, outcome);
	cr_assert_eq(outcome->step, step);
}

enum store_result suite_commit(struct suite *suite, struct step *step)
{
	struct outcome outcome;

	commit(suite, step, &outcome);
	step_free(step);
	return outcome.result;
}

int suite_commit_error(struct suite *suite, struct step *step)
{
	struct outcome outcome;

	commit(suite, step, &outcome);
	step_free(step);
	return outcome.error;
}

static void must_commit(struct suite *suite, struct step *step)
{
	cr_assert_eq(suite_commit(suite, step), STORE_DONE);
}

static void citizen_cb(int error, struct citizen_state *state, struct arena *arena, void *arg)
{
	struct outcome *outcome = arg;

	outcome->done = true;
	outcome->error = error;
	outcome->state = state;
	outcome->arena = *arena;
}

static void load(struct suite *suite, const char *citizen, const char *provider_id,
		 struct outcome *outcome)
{
	*outcome = (struct outcome){ 0 };
	cr_assert_eq(store_load_citizen(suite->store, citizen, provider_id ? "k1" : NULL,
					provider_id, citizen_cb, outcome),
		     0);
	wait_for(suite, outcome);
	cr_assert_eq(outcome->error, 0);
}

int64_t suite_version(struct suite *suite, const char *citizen)
{
	struct outcome outcome;
	int64_t version;

	load(suite, citizen, NULL, &outcome);
	version = outcome.state->version;
	arena_free(&outcome.arena);
	return version;
}

/* What is lent is copied, so that a test can look at it. */
static void find_cb(int error, const struct find_rows *rows, void *arg)
{
	struct outcome *outcome = arg;
	struct arena *arena = &outcome->arena;

	outcome->done = true;
	outcome->error = error;
	if (error)
		return;
	outcome->rows = *rows;
	outcome->rows.dialogs = arena_alloc(arena, (rows->count + 1) * sizeof(*rows->dialogs));
	outcome->rows.outbound = arena_alloc(arena, (rows->count + 1) * sizeof(*rows->outbound));
	outcome->rows.inbound = arena_alloc(arena, (rows->count + 1) * sizeof(*rows->inbound));
	outcome->rows.reports = arena_alloc(arena, (rows->count + 1) * sizeof(*rows->reports));
	outcome->rows.citizens = arena_alloc(arena, (rows->count + 1) * sizeof(*rows->citizens));
	for (unsigned i = 0; i < rows->count; i++) {
		if (rows->dialogs)
			dialog_row_copy(arena, &outcome->rows.dialogs[i], &rows->dialogs[i]);
		if (rows->outbound)
			outbound_copy(arena, &outcome->rows.outbound[i], &rows->outbound[i]);
		if (rows->inbound) {
			outcome->rows.inbound[i] = rows->inbound[i];
			inbound_copy(arena, &outcome->rows.inbound[i].msg, &rows->inbound[i].msg);
		}
		if (rows->reports) {
			outcome->rows.reports[i] = rows->reports[i];
			outcome->rows.reports[i].report.ref = arena_strdup(
				arena, rows->reports[i].report.ref);
		}
		if (rows->citizens) {
			outcome->rows.citizens[i] = rows->citizens[i];
			outcome->rows.citizens[i].citizen = arena_strdup(arena,
									 rows->citizens[i].citizen);
		}
	}
}

static void find(struct suite *suite, const struct find *what, struct outcome *outcome)
{
	*outcome = (struct outcome){ 0 };
	cr_assert_eq(store_find(suite->store, what, find_cb, outcome), 0);
	wait_for(suite, outcome);
	cr_assert_eq(outcome->error, 0);
}

unsigned suite_count(struct suite *suite, const struct find *what)
{
	struct outcome outcome;
	struct find most = *what;

	most.limit = most.limit ? most.limit : 1000;
	find(suite, &most, &outcome);
	arena_free(&outcome.arena);
	return outcome.rows.count;
}

static unsigned count_kind(struct suite *suite, enum find_kind kind)
{
	return suite_count(suite, &(struct find){ .kind = kind, .before = INT64_MAX });
}

static void records_cb(int error, const struct record_result *result, void *arg)
{
	struct outcome *outcome = arg;

	outcome->done = true;
	outcome->error = error;
	if (error)
		return;
	outcome->records = *result;
	outcome->records.last.value.text = arena_bytes(
		&outcome->arena, result->last.value.text.data, result->last.value.text.len);
	outcome->records.groups = arena_alloc(&outcome->arena,
					      (result->group_count + 1) * sizeof(*result->groups));
	for (unsigned i = 0; i < result->group_count; i++) {
		outcome->records.groups[i] = result->groups[i];
		outcome->records.groups[i].value.text = arena_bytes(
			&outcome->arena, result->groups[i].value.text.data,
			result->groups[i].value.text.len);
	}
	outcome->records.rows = arena_alloc(&outcome->arena,
					    (result->row_count + 1) * sizeof(*result->rows));
	for (unsigned i = 0; i < result->row_count; i++)
		outcome->records.rows[i] = arena_bytes(&outcome->arena, result->rows[i].data,
						       result->rows[i].len);
}

/* The rows of a query as one text: their JSON, one behind the other. */
static const char *rows_of(struct suite *suite, struct record_query query, char out[static 256])
{
	struct outcome outcome = { 0 };
	size_t len = 0;

	query.plugin = "survey";
	query.table = "answers";
	query.limit = query.limit ? query.limit : 100;
	cr_assert_eq(store_records(suite->store, &query, records_cb, &outcome), 0);
	wait_for(suite, &outcome);
	cr_assert_eq(outcome.error, 0);
	for (unsigned i = 0; i < outcome.records.row_count; i++) {
		memcpy(out + len, outcome.records.rows[i].data, outcome.records.rows[i].len);
		len += outcome.records.rows[i].len;
	}
	out[len] = '\0';
	arena_free(&outcome.arena);
	return out;
}

static int64_t count_of(struct suite *suite, struct record_query query)
{
	struct outcome outcome = { 0 };

	query.plugin = "survey";
	query.table = "answers";
	query.limit = 1;
	query.count = true;
	cr_assert_eq(store_records(suite->store, &query, records_cb, &outcome), 0);
	wait_for(suite, &outcome);
	cr_assert_eq(outcome.error, 0);
	arena_free(&outcome.arena);
	return outcome.records.count;
}

/* what steps are made of */

static struct step *step_of(const char *citizen, int64_t version)
{
	struct step *step = step_new();

	step->citizen = citizen;
	step->version = version;
	return step;
}

static struct id id_of(int64_t serial)
{
	return (struct id){ .shard = 0xf000000000000001, .serial = serial };
}

struct step *suite_message(const char *citizen, int64_t version, int64_t serial,
			   const char *provider_id)
{
	struct step *step = step_of(citizen, version);
	struct inbound_row *row = arena_alloc(&step->arena, sizeof(*row));

	row->msg = (struct inbound){ .id = id_of(serial),
				     .connection = "k1",
				     .provider_id = provider_id,
				     .from = citizen,
				     .to = "8899",
				     .text = BYTES("SURVEI"),
				     .time = SUITE_NOW,
				     .network = "",
				     .meta = "{}",
				     .session = "" };
	row->arrived = clock_now();
	step->inbound = row;
	return step;
}

/* Bundles are told apart by their first byte. */
static void add_bundle(struct step *step, unsigned char name, struct bytes content)
{
	struct bundle_row *row = step_add_bundle(step);

	row->hash[0] = name;
	row->plugin = "survey";
	row->content = content;
}

static struct dialog_row *add_change(struct step *step, int kind, int64_t serial)
{
	struct dialog_change *change = step_add_dialog(step);

	change->kind = kind;
	change->row = (struct dialog_row){ .id = id_of(serial),
					   .citizen = step->citizen ? step->citizen : "",
					   .plugin = "survey",
					   .dialog = "main",
					   .bundle = { 7 },
					   .state = DIALOG_WAITING,
					   .error = "",
					   .connection = "k1",
					   .number = "8899",
					   .meta = "",
					   .asked_for = true,
					   .pending = BYTES("ask"),
					   .journal = BYTES("one"),
					   .steps = 1,
					   .started = SUITE_NOW,
					   .touched = SUITE_NOW,
					   .expires = SUITE_NOW + 100 };
	return &change->row;
}

static struct dialog_row *add_dialog(struct step *step, int64_t serial)
{
	return add_change(step, DIALOG_CHANGE_OPEN, serial);
}

static struct dialog_row *add_append(struct step *step, int64_t serial, struct bytes journal)
{
	struct dialog_row *row = add_change(step, DIALOG_CHANGE_APPEND, serial);

	row->journal = journal;
	row->steps = 2;
	return row;
}

struct outbound *suite_add_outbound(struct step *step, int64_t serial)
{
	struct outbound *msg = &step_add_outbound(step)->msg;

	*msg = (struct outbound){ .id = id_of(serial),
				  .citizen = step->citizen ? step->citizen : BUDI,
				  .connection = "k1",
				  .from = "8899",
				  .meta = "",
				  .text = BYTES("1 2 3 4"),
				  .class = CLASS_REPLY,
				  .asked_for = true,
				  .provider_id = "",
				  .note = "",
				  .code = "",
				  .created = SUITE_NOW,
				  .expires = SUITE_NOW + 86400 };
	return msg;
}

static struct record_write *add_record(struct step *step, int kind, const char *key,
				       const char *json)
{
	struct record_write *row = step_add_record(step);

	row->kind = kind;
	row->plugin = "survey";
	row->table = "answers";
	row->key = key;
	row->json = (struct bytes){ json, strlen(json) };
	row->citizen = "";
	return row;
}

static void add_index(struct step *step, struct record_write *row, const char *field,
		      struct record_value value)
{
	struct record_field *grown = arena_alloc(&step->arena,
						 (row->index_count + 1) * sizeof(*grown));

	if (row->index_count > 0)
		memcpy(grown, row->index, row->index_count * sizeof(*grown));
	grown[row->index_count++] = (struct record_field){ field, value };
	row->index = grown;
}

/* What the write came to, as a text. */
static void add_entry(struct buf *buf, const struct record_write *write)
{
	static const char *const names[] = { "done", "exists", "missing", "bound" };

	buf_addf(buf, "|%s%.*s", names[write->outcome], (int)write->row.len, write->row.data);
	if (write->kind == RECORD_INCREMENT && write->outcome == RECORD_DONE)
		buf_addf(buf, " %g",
			 write->sum.type == RECORD_REAL ? write->sum.real
							: (double)write->sum.integer);
}

static struct record_value integer(int64_t value)
{
	return (struct record_value){ .type = RECORD_INTEGER, .integer = value };
}

static struct record_value real(double value)
{
	return (struct record_value){ .type = RECORD_REAL, .real = value };
}

static struct record_value text(const char *value)
{
	return (struct record_value){ .type = RECORD_TEXT, .text = { value, strlen(value) } };
}

static struct dialog_row *only_dialog(struct suite *suite, struct outcome *outcome)
{
	load(suite, ALICE, NULL, outcome);
	cr_assert_eq(outcome->state->dialog_count, 1);
	return &outcome->state->dialogs[0];
}

/* steps and citizens */

void suite_a_citizen_never_seen_has_version_0_and_nothing(struct suite *suite)
{
	struct outcome outcome;

	load(suite, ALICE, "m1", &outcome);
	cr_expect_eq(outcome.state->version, 0);
	cr_expect_str_eq(outcome.state->citizen, ALICE);
	cr_expect_str_eq(outcome.state->profile.name, "");
	cr_expect_str_eq(outcome.state->session.connection, "");
	cr_expect_eq(outcome.state->dialog_count + outcome.state->part_count, 0);
	cr_expect_null(outcome.state->seen);
	arena_free(&outcome.arena);
}

void suite_a_step_is_stored_whole(struct suite *suite)
{
	struct step *step = suite_message(ALICE, 0, 1, "m1");
	struct outcome outcome;

	add_dialog(step, 2);
	suite_add_outbound(step, 3);
	add_record(step, RECORD_INSERT, "[1]", "{}");
	must_commit(suite, step);
	load(suite, ALICE, "m1", &outcome);
	cr_expect_eq(outcome.state->version, 1);
	cr_assert_eq(outcome.state->dialog_count, 1);
	cr_expect_str_eq(outcome.state->dialogs[0].plugin, "survey");
	cr_expect_str_eq(outcome.state->dialogs[0].number, "8899");
	cr_expect_eq(outcome.state->dialogs[0].bundle[0], 7);
	cr_expect_eq(outcome.state->dialogs[0].id.shard, id_of(2).shard);
	cr_expect_eq(outcome.state->dialogs[0].expires, SUITE_NOW + 100);
	cr_assert_not_null(outcome.state->seen);
	cr_expect_eq(outcome.state->seen->msg.id.serial, 1);
	cr_expect_eq(outcome.state->seen->msg.id.shard, id_of(1).shard);
	cr_expect_str_eq(outcome.state->seen->msg.to, "8899");
	arena_free(&outcome.arena);
	cr_expect_eq(count_kind(suite, FIND_OUTBOUND), 1);
	cr_expect_eq(count_of(suite, (struct record_query){ 0 }), 1);
}

static void nothing_but_the_first(struct suite *suite)
{
	cr_expect_eq(suite_version(suite, ALICE), 1);
	cr_expect_eq(count_kind(suite, FIND_INBOUND), 1);
	cr_expect_eq(count_kind(suite, FIND_OUTBOUND), 0);
	cr_expect_eq(count_kind(suite, FIND_DIALOGS), 0);
	cr_expect_eq(count_of(suite, (struct record_query){ 0 }), 0);
}

void suite_a_step_of_another_version_changes_nothing(struct suite *suite)
{
	static const int64_t wrong[] = { 0, 2, -1 };

	must_commit(suite, suite_message(ALICE, 0, 1, "m1"));
	for (unsigned i = 0; i < ARRAY_LEN(wrong); i++) {
		struct step *step = suite_message(ALICE, wrong[i], 10, "m2");

		add_dialog(step, 11);
		suite_add_outbound(step, 12);
		add_record(step, RECORD_INSERT, "[1]", "{}");
		cr_expect_eq(suite_commit(suite, step), STORE_CONFLICT);
		nothing_but_the_first(suite);
	}
	must_commit(suite, suite_message(ALICE, 1, 10, "m2")); /* nor is its id remembered */
}

/* A serial that is taken is found out last. */
void suite_a_step_that_fails_late_leaves_nothing(struct suite *suite)
{
	struct step *step = suite_message(ALICE, 1, 10, "m2");

	must_commit(suite, suite_message(ALICE, 0, 1, "m1"));
	add_dialog(step, 11);
	add_record(step, RECORD_INSERT, "[1]", "{}");
	suite_add_outbound(step, 12);
	suite_add_outbound(step, 12);
	cr_expect_eq(suite_commit(suite, step), STORE_FAILED);
	nothing_but_the_first(suite);
}

void suite_a_repeat_is_refused_whole_and_told_what_is_stored(struct suite *suite)
{
	struct step *step = suite_message(ALICE, 1, 10, "m1");
	struct outcome outcome;

	must_commit(suite, suite_message(ALICE, 0, 1, "m1"));
	add_dialog(step, 11);
	suite_add_outbound(step, 12);
	add_record(step, RECORD_INSERT, "[1]", "{}");
	commit(suite, step, &outcome);
	cr_expect_eq(outcome.result, STORE_DUPLICATE);
	cr_assert_not_null(step->seen);
	cr_expect_eq(step->seen->msg.id.serial, 1);
	cr_expect_eq(step->seen->state, INBOUND_IN_WORK);
	step_free(step);
	nothing_but_the_first(suite);
}

void suite_a_repeat_after_the_window_is_new(struct suite *suite)
{
	struct outcome outcome;

	must_commit(suite, suite_message(ALICE, 0, 1, "m1"));
	clock_fake((SUITE_NOW + SUITE_DEDUPE - 1) * INT64_C(1000));
	cr_expect_eq(suite_commit(suite, suite_message(ALICE, 1, 2, "m1")), STORE_DUPLICATE);
	clock_fake((SUITE_NOW + SUITE_DEDUPE) * INT64_C(1000));
	load(suite, ALICE, "m1", &outcome);
	cr_expect_null(outcome.state->seen);
	arena_free(&outcome.arena);
	must_commit(suite, suite_message(ALICE, 1, 2, "m1"));
	cr_expect_eq(suite_commit(suite, suite_message(ALICE, 2, 3, "m1")), STORE_DUPLICATE);
}

void suite_the_same_provider_id_of_others_is_no_repeat(struct suite *suite)
{
	struct step *other = suite_message(ALICE, 1, 3, "m1");

	must_commit(suite, suite_message(ALICE, 0, 1, "m1"));
	must_commit(suite, suite_message(BUDI, 0, 2, "m1"));
	other->inbound->msg.connection = "k2";
	must_commit(suite, other);
}

void suite_without_a_provider_id_nothing_is_a_repeat(struct suite *suite)
{
	must_commit(suite, suite_message(ALICE, 0, 1, ""));
	must_commit(suite, suite_message(ALICE, 1, 2, ""));
	cr_expect_eq(count_kind(suite, FIND_INBOUND), 2);
}

enum { ORDERED = 200 };

struct order {
	unsigned next;
	bool wrong;
};

static void ordered_cb(enum store_result result, int error UNUSED, struct step *step, void *arg)
{
	struct order *order = arg;

	order->wrong = order->wrong || result != STORE_DONE || step->version != order->next;
	order->next++;
	step_free(step);
}

void suite_steps_are_applied_in_the_order_of_their_calls(struct suite *suite)
{
	struct order order = { 0 };

	for (int i = 0; i < ORDERED; i++)
		cr_assert_eq(store_commit(suite->store, suite_message(ALICE, i, i + 1, ""),
					  ordered_cb, &order),
			     0);
	while (order.next < ORDERED)
		event_base_loop(suite->base, EVLOOP_ONCE);
	cr_expect_not(order.wrong);
	cr_expect_eq(suite_version(suite, ALICE), ORDERED);
}

void suite_no_callback_runs_inside_a_call(struct suite *suite)
{
	struct outcome outcome = { 0 };

	cr_assert_eq(
		store_commit(suite->store, suite_message(ALICE, 0, 1, ""), commit_cb, &outcome), 0);
	cr_expect_not(outcome.done);
	wait_for(suite, &outcome);
	step_free(outcome.step);
}

void suite_profile_and_session_are_replaced_each_by_itself(struct suite *suite)
{
	struct profile profile = {
		.language = "jv", .name = "Siti", .area = "33.74", .fields = "{}"
	};
	struct ussd_session session = { .connection = "k1",
					.session = "s1",
					.service_code = "*123#",
					.raw = BYTES("1*\0*2"),
					.touched = 5,
					.open = true,
					.view = USSD_VIEW_RESUME,
					.page = 3 };
	struct step *first = step_of(ALICE, 0), *second = step_of(ALICE, 1);
	struct outcome outcome;

	first->profile = &profile;
	must_commit(suite, first);
	second->session = &session;
	must_commit(suite, second);
	must_commit(suite, step_of(ALICE, 2));
	load(suite, ALICE, NULL, &outcome);
	cr_expect_eq(outcome.state->version, 3);
	cr_expect_str_eq(outcome.state->profile.name, "Siti");
	cr_expect_str_eq(outcome.state->profile.language, "jv");
	cr_expect_str_eq(outcome.state->session.session, "s1");
	cr_expect(outcome.state->session.open);
	cr_expect_eq(outcome.state->session.view, USSD_VIEW_RESUME);
	cr_expect_eq(outcome.state->session.page, 3);
	cr_assert_eq(outcome.state->session.raw.len, 5);
	cr_expect_arr_eq(outcome.state->session.raw.data, "1*\0*2", 5);
	arena_free(&outcome.arena);
}

void suite_an_answer_is_kept_for_the_repeat(struct suite *suite)
{
	struct step *step = step_of(ALICE, 1);
	struct inbound_done *done = step_add_done(step);
	struct outcome outcome;

	must_commit(suite, suite_message(ALICE, 0, 1, "m1"));
	done->id = id_of(1);
	done->answer = (struct reply){ .screen = BYTES("1. Ya"), .more = true };
	must_commit(suite, step);
	load(suite, ALICE, "m1", &outcome);
	cr_assert_not_null(outcome.state->seen);
	cr_expect_eq(outcome.state->seen->state, INBOUND_DONE);
	cr_expect_eq(outcome.state->seen->done_at, SUITE_NOW);
	cr_expect(outcome.state->seen->answer.more);
	cr_expect_str_eq(outcome.state->seen->answer.screen.data, "1. Ya");
	arena_free(&outcome.arena);
}

/* dialogs */

void suite_a_journal_grows_and_keeps_every_byte(struct suite *suite)
{
	static const char second[] = { 0, 1, (char)0xff, 0, 'x', 0 };
	struct step *step = step_of(ALICE, 0), *append = step_of(ALICE, 1);
	struct outcome outcome;
	struct dialog_row *row;

	add_dialog(step, 2)->journal = BYTES("a\0b\0");
	must_commit(suite, step);
	row = add_append(append, 2, (struct bytes){ second, sizeof(second) });
	row->pending = BYTES("\0");
	row->state = DIALOG_PARKED;
	must_commit(suite, append);
	row = only_dialog(suite, &outcome);
	cr_assert_eq(row->journal.len, 4 + sizeof(second));
	cr_expect_arr_eq(row->journal.data, "a\0b\0\0\1\xff\0x\0", row->journal.len);
	cr_expect_eq(row->pending.len, 1);
	cr_expect_eq(row->state, DIALOG_PARKED);
	cr_expect_eq(row->steps, 2);
	arena_free(&outcome.arena);
}

void suite_an_ended_dialog_leaves_the_open_ones_and_is_found_by_its_id(struct suite *suite)
{
	struct step *step = step_of(ALICE, 0), *end = step_of(ALICE, 1);
	struct find by_id = { .kind = FIND_DIALOGS, .id = id_of(2), .limit = 10 };
	struct outcome outcome;
	struct dialog_row *row;

	add_dialog(step, 2);
	add_dialog(step, 3);
	must_commit(suite, step);
	row = add_append(end, 2, BYTES("\0two"));
	row->state = DIALOG_ENDED;
	row->reason = DIALOG_FAILED;
	row->error = "survey.lua:7: no";
	row->pending = (struct bytes){ NULL, 0 };
	must_commit(suite, end);
	cr_expect_eq(only_dialog(suite, &outcome)->id.serial, 3);
	arena_free(&outcome.arena);
	cr_expect_eq(count_kind(suite, FIND_DIALOGS), 1);
	find(suite, &by_id, &outcome);
	cr_assert_eq(outcome.rows.count, 1);
	row = &outcome.rows.dialogs[0];
	cr_expect_eq(row->state, DIALOG_ENDED);
	cr_expect_eq(row->reason, DIALOG_FAILED);
	cr_expect_str_eq(row->error, "survey.lua:7: no");
	cr_assert_eq(row->journal.len, 7);
	cr_expect_arr_eq(row->journal.data, "one\0two", 7);
	arena_free(&outcome.arena);
	by_id.id.shard++;
	cr_expect_eq(suite_count(suite, &by_id), 0, "an id is its shard too");
}

void suite_a_dialog_may_begin_and_end_in_one_step(struct suite *suite)
{
	struct step *step = step_of(ALICE, 0), *two = step_of(ALICE, 1);
	struct find by_id = { .kind = FIND_DIALOGS, .id = id_of(2) };

	add_dialog(step, 2)->state = DIALOG_ENDED;
	must_commit(suite, step);
	add_dialog(two, 3);
	add_append(two, 3, BYTES("end"))->state = DIALOG_ENDED;
	must_commit(suite, two);
	cr_expect_eq(count_kind(suite, FIND_DIALOGS), 0);
	cr_expect_eq(suite_count(suite, &by_id), 1);
	by_id.id = id_of(3);
	cr_expect_eq(suite_count(suite, &by_id), 1);
}

void suite_a_dialog_without_a_citizen_needs_no_guard(struct suite *suite)
{
	struct step *step = step_of(NULL, 0), *append = step_of(NULL, 0);

	add_dialog(step, 2);
	must_commit(suite, step);
	add_append(append, 2, BYTES("two"));
	must_commit(suite, append);
	cr_expect_eq(count_kind(suite, FIND_DIALOGS), 1);
}

void suite_what_is_appended_to_no_dialog_is_a_conflict(struct suite *suite)
{
	struct step *step = step_of(ALICE, 0), *write = step_of(ALICE, 0);
	struct record_write *row = add_record(write, RECORD_PUT, "[1]", "{}");

	add_append(step, 2, BYTES("two"));
	cr_expect_eq(suite_commit(suite, step), STORE_CONFLICT);
	row->dialog = id_of(2);
	row->add_entry = add_entry;
	cr_expect_eq(suite_commit(suite, write), STORE_CONFLICT);
	cr_expect_eq(suite_version(suite, ALICE), 0);
	cr_expect_eq(count_of(suite, (struct record_query){ 0 }), 0);
}

/* parts */

static void add_part(struct step *step, unsigned ref, unsigned number, const char *words)
{
	struct part_row *part = step_add_part(step);

	part->msg = (struct inbound){ .id = id_of(number),
				      .connection = "k1",
				      .provider_id = "",
				      .from = ALICE,
				      .to = "8899",
				      .text = { words, strlen(words) },
				      .network = "",
				      .meta = "",
				      .part_ref = ref,
				      .part_total = 2,
				      .part_number = number,
				      .session = "" };
	part->arrived = SUITE_NOW;
}

void suite_parts_wait_once_each_until_they_are_joined(struct suite *suite)
{
	struct part_key key = {
		.citizen = ALICE, .connection = "k1", .to = "8899", .ref = 5, .total = 2
	};
	struct step *step = step_of(ALICE, 0), *join = step_of(ALICE, 1);
	struct outcome outcome;

	add_part(step, 5, 1, "first");
	add_part(step, 6, 1, "other");
	add_part(step, 5, 1, "again");
	add_part(step, 5, 2, "second");
	must_commit(suite, step);
	load(suite, ALICE, NULL, &outcome);
	cr_assert_eq(outcome.state->part_count, 3);
	cr_expect_str_eq(outcome.state->parts[0].msg.text.data, "first");
	cr_expect_str_eq(outcome.state->parts[1].msg.text.data, "second");
	cr_expect_eq(outcome.state->parts[1].msg.id.serial, 2);
	cr_expect_eq(outcome.state->parts[1].arrived, SUITE_NOW);
	cr_expect_eq(outcome.state->parts[0].next.stqe_next, &outcome.state->parts[1]);
	cr_expect_null(outcome.state->parts[2].next.stqe_next);
	arena_free(&outcome.arena);
	join->parts_joined = &key;
	must_commit(suite, join);
	load(suite, ALICE, NULL, &outcome);
	cr_assert_eq(outcome.state->part_count, 1);
	cr_expect_eq(outcome.state->parts[0].msg.part_ref, 6);
	arena_free(&outcome.arena);
}

void suite_a_part_is_known_when_its_message_is_joined(struct suite *suite)
{
	struct part_key key = { .citizen = ALICE,
				.connection = "k1",
				.to = "8899",
				.ref = 5,
				.total = 2,
				.last_id = "p2" };
	struct step *step = step_of(ALICE, 0), *join = suite_message(ALICE, 1, 10, "p1");
	static const char *const ids[] = { "p1", "p2", "p3" };
	struct outcome outcome;

	add_part(step, 5, 1, "first");
	STAILQ_FIRST(&step->parts)->msg.provider_id = "p1";
	must_commit(suite, step);
	join->inbound->msg.joined = true;
	join->parts_joined = &key;
	must_commit(suite, join);
	for (unsigned i = 0; i < ARRAY_LEN(ids); i++) {
		step = step_of(ALICE, 2);
		add_part(step, 5, 2, "second");
		STAILQ_FIRST(&step->parts)->msg.provider_id = ids[i];
		commit(suite, step, &outcome);
		cr_expect_eq(outcome.result, i < 2 ? STORE_DUPLICATE : STORE_DONE, "%s", ids[i]);
		if (i < 2 && step->seen)
			cr_expect_eq(step->seen->msg.id.serial, 10);
		step_free(step);
	}
	load(suite, ALICE, NULL, &outcome);
	cr_expect_eq(outcome.state->part_count, 1);
	arena_free(&outcome.arena);
}

/* records */

void suite_an_insert_takes_a_key_once(struct suite *suite)
{
	struct step *step = step_of(NULL, 0);
	struct record_write *first = add_record(step, RECORD_INSERT, "[1]", "{\"n\":1}");
	struct record_write *second = add_record(step, RECORD_INSERT, "[1]", "{\"n\":2}");
	struct outcome outcome;
	char rows[256];

	commit(suite, step, &outcome);
	cr_expect_eq(outcome.result, STORE_DONE);
	cr_expect_eq(first->outcome, RECORD_DONE);
	cr_expect_eq(second->outcome, RECORD_EXISTS);
	step_free(step);
	cr_expect_str_eq(rows_of(suite, (struct record_query){ .key = "[1]" }, rows), "{\"n\":1}");
	cr_expect_str_eq(rows_of(suite, (struct record_query){ .key = "[2]" }, rows), "");
}

void suite_an_insert_writes_one_entry_or_the_other(struct suite *suite)
{
	struct step *step = step_of(ALICE, 0);
	struct outcome outcome;
	struct dialog_row *row;

	add_dialog(step, 2);
	for (int i = 0; i < 2; i++) {
		struct record_write *record = add_record(step, RECORD_INSERT, "[1]", "{}");

		record->dialog = id_of(2);
		record->add_entry = add_entry;
	}
	must_commit(suite, step);
	row = only_dialog(suite, &outcome);
	cr_assert_eq(row->journal.len, 3 + 5 + 7);
	cr_expect_arr_eq(row->journal.data, "one|done|exists", 15);
	arena_free(&outcome.arena);
}

static int64_t with_rating(struct suite *suite, struct record_value value)
{
	struct record_term term = { .field = "rating", .op = RECORD_EQ, .value = value };

	return count_of(suite, (struct record_query){ .terms = &term, .term_count = 1 });
}

void suite_a_put_replaces_and_a_delete_removes_with_their_index(struct suite *suite)
{
	struct step *first = step_of(NULL, 0), *second = step_of(NULL, 0),
		    *third = step_of(NULL, 0), *fourth = step_of(NULL, 0);
	char rows[256];

	add_index(first, add_record(first, RECORD_PUT, "a", "1"), "rating", integer(1));
	add_record(first, RECORD_PUT, "b", "2");
	must_commit(suite, first);
	add_index(second, add_record(second, RECORD_PUT, "a", "3"), "rating", integer(9));
	must_commit(suite, second);
	cr_expect_str_eq(rows_of(suite, (struct record_query){ 0 }, rows), "32",
			 "it keeps its place");
	cr_expect_eq(with_rating(suite, integer(1)), 0);
	cr_expect_eq(with_rating(suite, integer(9)), 1);
	add_record(third, RECORD_DELETE, "a", "");
	add_record(third, RECORD_DELETE, "never", "");
	must_commit(suite, third);
	cr_expect_str_eq(rows_of(suite, (struct record_query){ 0 }, rows), "2");
	cr_expect_eq(with_rating(suite, integer(9)), 0);
	add_record(fourth, RECORD_INSERT, "a", "4");
	must_commit(suite, fourth);
	cr_expect_str_eq(rows_of(suite, (struct record_query){ 0 }, rows), "24",
			 "it comes last now");
}

static int64_t with_value(struct suite *suite, struct record_value value)
{
	/* EQ alone finds what isn't there: every kind of value is looked for by its index. */
	struct record_term term = { .field = "other", .op = RECORD_EQ, .value = value };

	return count_of(suite, (struct record_query){ .terms = &term, .term_count = 1 });
}

void suite_an_index_follows_each_kind_of_value(struct suite *suite)
{
	const struct record_value values[] = {
		integer(-3), integer(INT64_MIN),      real(2.5), real(-0.0), text(""),
		text("x"),   { .type = RECORD_NULL },
	};
	const unsigned count = ARRAY_LEN(values);

	for (unsigned i = 0; i < 2 * count; i++) {
		struct step *step = step_of(NULL, 0);
		struct record_write *row = add_record(step, RECORD_PUT, "a", "1");

		add_index(step, row, "rating", integer(7));
		add_index(step, row, "other", values[i / 2]); /* twice: as it is */
		must_commit(suite, step);
		for (unsigned j = 0; j < count; j++)
			cr_expect_eq(with_value(suite, values[j]), j == i / 2, "%u %u", i, j);
		cr_expect_eq(with_rating(suite, integer(7)), 1);
	}
}

/* a: 1, b: 2.5, c: 10, d: "", e: "10", f: "x\0y", g: none */
static void fill_ratings(struct suite *suite)
{
	const struct record_value values[] = {
		integer(1),
		real(2.5),
		integer(10),
		text(""),
		text("10"),
		{ .type = RECORD_TEXT, .text = BYTES("x\0y") },
		{ .type = RECORD_NULL },
	};
	static const char *const names[] = { "a", "b", "c", "d", "e", "f", "g" };
	struct step *step = step_of(NULL, 0);

	for (unsigned i = 0; i < ARRAY_LEN(values); i++) {
		struct record_write *row = add_record(step, RECORD_INSERT, names[i], names[i]);

		add_index(step, row, "rating", values[i]);
		add_index(step, row, "odd", integer(i % 2));
		row = add_record(step, RECORD_INSERT, names[i], "!"); /* not looked for */
		row->table = "others";
		add_index(step, row, "rating", values[i]);
		add_index(step, row, "odd", integer(i % 2));
	}
	must_commit(suite, step);
}

void suite_records_are_found_by_type_and_range(struct suite *suite)
{
	const struct {
		struct record_term term;
		const char *rows;
	} table[] = {
		{ { "rating", RECORD_EQ, integer(1) }, "a" },
		{ { "rating", RECORD_EQ, real(10) }, "c" },
		{ { "rating", RECORD_LT, integer(10) }, "ab" },
		{ { "rating", RECORD_LE, integer(10) }, "abc" },
		{ { "rating", RECORD_GT, real(1.5) }, "bc" },
		{ { "rating", RECORD_GE, integer(1) }, "abc" },
		{ { "rating", RECORD_EQ, text("10") }, "e" },
		{ { "rating", RECORD_LT, text("x") }, "de" },
		{ { "rating", RECORD_GE, text("10") }, "ef" },
		{ { "rating", RECORD_GT, text("x") }, "f" },
		{ { "rating", RECORD_EQ, { .type = RECORD_NULL } }, "g" },
		{ { "rating", RECORD_LT, { .type = RECORD_NULL } }, "" },
		{ { "other", RECORD_EQ, integer(1) }, "" },
	};
	char rows[256];

	fill_ratings(suite);
	for (unsigned i = 0; i < ARRAY_LEN(table); i++) {
		struct record_query query = { .terms = &table[i].term, .term_count = 1 };

		cr_expect_str_eq(rows_of(suite, query, rows), table[i].rows, "line %u: %s", i,
				 rows);
		cr_expect_eq(count_of(suite, query), (int64_t)strlen(table[i].rows), "line %u", i);
	}
}

void suite_records_come_in_the_order_that_is_asked_for(struct suite *suite)
{
	const struct record_term terms[] = { { "odd", RECORD_EQ, integer(0) },
					     { "rating", RECORD_GE, integer(2) } };
	const struct {
		struct record_query query;
		const char *rows;
	} table[] = {
		{ { 0 }, "abcdefg" },
		{ { .descending = true }, "gfedcba" },
		{ { .limit = 2 }, "ab" },
		{ { .order = "rating" }, "abcdefg" },
		{ { .order = "rating", .descending = true, .limit = 3 }, "gfe" },
		{ { .order = "odd" }, "acegbdf" },
		{ { .order = "odd", .terms = terms, .term_count = 1 }, "aceg" },
		{ { .terms = terms, .term_count = 2 }, "c" },
		{ { .order = "rating", .descending = true, .terms = terms, .term_count = 1 },
		  "geca" },
	};
	char rows[256];

	fill_ratings(suite);
	for (unsigned i = 0; i < ARRAY_LEN(table); i++)
		cr_expect_str_eq(rows_of(suite, table[i].query, rows), table[i].rows, "line %u: %s",
				 i, rows);
}

void suite_an_update_changes_the_record_that_is_there(struct suite *suite)
{
	struct step *first = step_of(NULL, 0), *second = step_of(ALICE, 0);
	struct record_write *row = add_record(first, RECORD_INSERT, "a",
					      "{\"n\":\"x,}\\\"\",\"rating\":1,\"z\":2.50}");
	struct outcome outcome;
	char rows[256];

	row->citizen = BUDI;
	add_index(first, row, "rating", integer(1));
	add_index(first, row, "other", text("x"));
	must_commit(suite, first);
	add_dialog(second, 2);
	for (int i = 0; i < 2; i++) {
		row = add_record(second, RECORD_UPDATE, i == 0 ? "a" : "b",
				 "{\"m\":true,\"rating\":7}");
		add_index(second, row, "rating", integer(7));
		row->dialog = id_of(2);
		row->add_entry = add_entry;
	}
	must_commit(suite, second);
	cr_expect_str_eq(rows_of(suite, (struct record_query){ 0 }, rows),
			 "{\"m\":true,\"n\":\"x,}\\\"\",\"rating\":7,\"z\":2.50}");
	cr_expect_eq(with_rating(suite, integer(1)), 0);
	cr_expect_eq(with_rating(suite, integer(7)), 1);
	cr_expect_eq(with_value(suite, text("x")), 1, "what isn't changed is found as before");
	cr_expect_str_eq(only_dialog(suite, &outcome)->journal.data,
			 "one|done{\"m\":true,\"n\":\"x,}\\\"\",\"rating\":7,\"z\":2.50}|missing");
	arena_free(&outcome.arena);
}

void suite_an_update_keeps_a_record_within_its_size(struct suite *suite)
{
	static char json[RECORD_BYTES_MAX];
	struct step *first = step_of(NULL, 0), *second = step_of(NULL, 0);
	struct record_write *row;
	struct outcome outcome;

	snprintf(json, sizeof(json), "{\"a\":\"%0*d\"}", (int)sizeof(json) - 9, 0);
	add_record(first, RECORD_INSERT, "a", json);
	must_commit(suite, first);
	row = add_record(second, RECORD_UPDATE, "a", "{\"b\":1}");
	commit(suite, second, &outcome);
	cr_expect_eq(outcome.result, STORE_DONE);
	cr_expect_eq(row->outcome, RECORD_BOUND);
	step_free(second);
}

/* Each is one step: its outcome and, where it is done, the sum. */
static void expect_increment(struct suite *suite, struct record_value by, struct record_value min,
			     struct record_value max, const char *entry)
{
	struct step *step = step_of(NULL, 0);
	struct record_write *row;
	struct buf json = { 0 }, text = { 0 };
	struct outcome outcome;

	buf_addf(&json, "{\"n\":%s}", by.type == RECORD_REAL ? "0.5" : "3");
	row = add_record(step, RECORD_INCREMENT, "a", json.data);
	add_index(step, row, "rating", by); /* another name than the field's: only n is summed */
	add_index(step, row, "n", by);
	row->increment.field = "n";
	row->increment.by = by;
	row->increment.min = min;
	row->increment.max = max;
	commit(suite, step, &outcome);
	cr_assert_eq(outcome.result, STORE_DONE);
	add_entry(&text, row);
	cr_expect_str_eq(text.data, entry);
	step_free(step);
	buf_free(&json);
	buf_free(&text);
}

void suite_an_increment_is_bounded_and_makes_its_record(struct suite *suite)
{
	const struct record_value none = { .type = RECORD_NULL };
	const struct record_term six = { .field = "n", .op = RECORD_EQ, .value = real(6.5) };
	char rows[256];

	expect_increment(suite, integer(3), none, integer(2), "|bound");
	cr_expect_str_eq(rows_of(suite, (struct record_query){ 0 }, rows), "");
	expect_increment(suite, integer(3), none, integer(3), "|done 3");
	expect_increment(suite, integer(3), none, integer(5), "|bound");
	expect_increment(suite, integer(3), none, integer(6), "|done 6");
	cr_expect_str_eq(rows_of(suite, (struct record_query){ 0 }, rows), "{\"n\":6}");
	expect_increment(suite, integer(INT64_MAX), none, none, "|bound");
	expect_increment(suite, integer(-7), integer(0), none, "|bound");
	expect_increment(suite, real(0.5), real(6.5), real(6.5), "|done 6.5");
	cr_expect_str_eq(rows_of(suite, (struct record_query){ 0 }, rows), "{\"n\":6.5}");
	expect_increment(suite, real(1e308), none, none, "|done 1e+308");
	expect_increment(suite, real(1e308), none, none, "|bound");
	expect_increment(suite, real(-1e308), none, none, "|done 0");
	cr_expect_eq(count_of(suite, (struct record_query){ .terms = &six, .term_count = 1 }), 0);
	cr_expect_eq(with_rating(suite, integer(3)), 1, "the index of other fields stays");
}

void suite_many_increments_lose_none(struct suite *suite)
{
	enum { MANY = 200 };
	static struct outcome outcomes[MANY];
	char rows[256];

	for (unsigned i = 0; i < MANY; i++) {
		struct step *step = step_of(NULL, 0);
		struct record_write *row = add_record(step, RECORD_INCREMENT, "a", "{\"n\":1}");

		row->increment.field = "n";
		row->increment.by = integer(1);
		row->increment.max = integer(150);
		outcomes[i] = (struct outcome){ 0 };
		cr_assert_eq(store_commit(suite->store, step, commit_cb, &outcomes[i]), 0);
	}
	for (unsigned i = 0; i < MANY; i++) {
		wait_for(suite, &outcomes[i]);
		cr_expect_eq(STAILQ_FIRST(&outcomes[i].step->records)->outcome,
			     i < 150 ? RECORD_DONE : RECORD_BOUND);
		step_free(outcomes[i].step);
	}
	cr_expect_str_eq(rows_of(suite, (struct record_query){ 0 }, rows), "{\"n\":150}");
}

void suite_a_find_goes_on_behind_its_last_row(struct suite *suite)
{
	static const char *const orders[] = { NULL, "rating", "odd" };
	char whole[256];

	fill_ratings(suite);
	for (unsigned i = 0; i < 2 * ARRAY_LEN(orders); i++) {
		struct record_query query = { .order = orders[i / 2], .descending = i % 2 };
		struct record_cursor last;
		struct buf all = { 0 }, text = { 0 };
		bool more = true;

		query.limit = 2;
		for (unsigned page = 0; more && page < 10; page++) {
			struct outcome outcome = { 0 };

			query.plugin = "survey";
			query.table = "answers";
			cr_assert_eq(store_records(suite->store, &query, records_cb, &outcome), 0);
			wait_for(suite, &outcome);
			for (unsigned r = 0; r < outcome.records.row_count; r++)
				buf_add(&all, outcome.records.rows[r].data,
					outcome.records.rows[r].len);
			more = outcome.records.more;
			last = outcome.records.last;
			buf_reset(&text);
			buf_add(&text, last.value.text.data, last.value.text.len);
			last.value.text = (struct bytes){ text.data, text.len };
			query.after = &last;
			arena_free(&outcome.arena);
		}
		query.after = NULL;
		query.limit = 100;
		cr_expect_str_eq(all.data, rows_of(suite, query, whole), "line %u", i);
		cr_expect_eq(all.len, 7);
		buf_free(&all);
		buf_free(&text);
	}
}

/* The groups as one text. */
static const char *groups_of(struct suite *suite, struct record_query query, char out[static 256])
{
	struct outcome outcome = { 0 };
	struct buf text = { 0 };

	query.plugin = "survey";
	query.table = "answers";
	query.count = true;
	cr_assert_eq(store_records(suite->store, &query, records_cb, &outcome), 0);
	wait_for(suite, &outcome);
	cr_assert_eq(outcome.error, 0);
	for (unsigned i = 0; i < outcome.records.group_count; i++) {
		const struct record_group *group = &outcome.records.groups[i];

		if (group->value.type == RECORD_TEXT)
			buf_addf(&text, "%s=%d ", group->value.text.data, (int)group->count);
		else
			buf_addf(&text, "%g=%d ",
				 group->value.type == RECORD_REAL ? group->value.real
								  : (double)group->value.integer,
				 (int)group->count);
	}
	buf_addf(&text, outcome.records.more ? "more" : ".");
	memcpy(out, text.data, text.len + 1);
	buf_free(&text);
	arena_free(&outcome.arena);
	return out;
}

void suite_records_are_counted_by_a_field(struct suite *suite)
{
	const struct record_term term = { "rating", RECORD_GE, integer(2) };
	char text[256];

	fill_ratings(suite);
	cr_expect_str_eq(groups_of(suite, (struct record_query){ .by = "odd" }, text), "0=4 1=3 .");
	cr_expect_str_eq(
		groups_of(suite,
			  (struct record_query){ .by = "odd", .terms = &term, .term_count = 1 },
			  text),
		"0=1 1=1 .");
	cr_expect_str_eq(groups_of(suite, (struct record_query){ .by = "rating" }, text),
			 "1=1 2.5=1 10=1 =1 10=1 x=1 .", "none has no group");
	cr_expect_str_eq(
		groups_of(suite, (struct record_query){ .by = "rating", .limit = 2 }, text),
		"1=1 2.5=1 more");
	cr_expect_str_eq(groups_of(suite, (struct record_query){ .by = "never" }, text), ".");
}

/* append_only records */

static void add_links(struct suite *suite, unsigned first, unsigned count)
{
	struct step *step = step_of(NULL, 0);

	for (unsigned i = first; i < first + count; i++) {
		const char *json = arena_printf(&step->arena, "{\"n\":%u}", i);

		add_record(step, RECORD_INSERT, json, json)->chained = true;
	}
	must_commit(suite, step);
}

static void chain_cb(int error, const struct record_chain *chain, void *arg)
{
	struct outcome *outcome = arg;

	outcome->done = true;
	outcome->error = error;
	if (!error)
		outcome->chain = *chain;
}

static struct record_chain verify(struct suite *suite)
{
	struct outcome outcome = { 0 };

	do {
		struct record_chain from = outcome.chain;

		outcome.done = false;
		cr_assert_eq(
			store_verify(suite->store, "survey", "answers", &from, chain_cb, &outcome),
			0);
		wait_for(suite, &outcome);
		cr_assert_eq(outcome.error, 0);
	} while (outcome.chain.state == CHAIN_MORE);
	return outcome.chain;
}

void suite_a_chain_is_whole_as_it_was_inserted(struct suite *suite)
{
	/* SHA-256 of 32 zeros and {"n":1} */
	static const char first[] =
		"29cecc91e68d3dffede939118bf4bbc6d970cf01aa0b9e6bde45692fabfdf661";
	struct step *step = step_of(NULL, 0);
	struct record_chain chain;
	char hex[65];

	add_record(step, RECORD_INSERT, "a", "{}");
	must_commit(suite, step);
	add_links(suite, 1, 1);
	add_links(suite, 1, 1); /* its key is taken: no link */
	chain = verify(suite);
	for (unsigned i = 0; i < CHAIN_HASH_SIZE; i++)
		snprintf(hex + 2 * i, 3, "%02x", chain.hash[i]);
	cr_expect_str_eq(hex, first);
	cr_expect_eq(chain.state, CHAIN_WHOLE);
	cr_expect(chain.count == 1 && chain.unchained == 1 && chain.number == 2);
	add_links(suite, 2, 1500);
	add_links(suite, 1502, 500);
	chain = verify(suite);
	cr_expect_eq(chain.state, CHAIN_WHOLE, "over several shares: %d", (int)chain.state);
	cr_expect(chain.count == 2001 && chain.number == 2002);
}

/* Links 1 to 5, and what was done to one of them. */
static void break_chain(struct suite *suite, int kind, const char *key, struct record_chain *out)
{
	struct step *step = step_of(NULL, 0);

	add_links(suite, 1, 5);
	add_record(step, kind, key, "{\"n\":0}");
	must_commit(suite, step);
	*out = verify(suite);
	cr_expect_neq(out->state, CHAIN_WHOLE);
}

void suite_a_changed_record_breaks_its_chain(struct suite *suite)
{
	struct record_chain chain;

	break_chain(suite, RECORD_PUT, "{\"n\":3}", &chain);
	cr_expect_eq(chain.state, CHAIN_BROKEN);
	cr_expect(chain.number == 3 && chain.count == 2);
}

void suite_a_missing_record_breaks_its_chain(struct suite *suite)
{
	struct record_chain chain;

	break_chain(suite, RECORD_DELETE, "{\"n\":3}", &chain);
	cr_expect_eq(chain.state, CHAIN_BROKEN);
	cr_expect(chain.number == 4 && chain.count == 2);
}

void suite_a_chain_without_its_end_is_short(struct suite *suite)
{
	struct record_chain chain;

	break_chain(suite, RECORD_DELETE, "{\"n\":5}", &chain);
	cr_expect_eq(chain.state, CHAIN_SHORT);
	cr_expect(chain.number == 4 && chain.count == 4);
}

void suite_a_record_that_was_not_inserted_breaks_the_chain(struct suite *suite)
{
	struct record_chain chain;

	break_chain(suite, RECORD_PUT, "other", &chain);
	cr_expect_eq(chain.state, CHAIN_BROKEN);
	cr_expect_eq(chain.number, 6);
}

void suite_a_table_that_never_was_has_no_chain(struct suite *suite)
{
	struct outcome outcome = { 0 };

	cr_assert_eq(store_verify(suite->store, "survey", "answers", &(struct record_chain){ 0 },
				  chain_cb, &outcome),
		     0);
	wait_for(suite, &outcome);
	cr_expect_eq(outcome.error, -ENOENT);
}

/* outbound messages and receipts */

static void only_outbound(struct suite *suite, int64_t serial, struct outcome *outcome)
{
	find(suite, &(struct find){ .kind = FIND_OUTBOUND, .id = id_of(serial), .limit = 1 },
	     outcome);
	cr_assert_eq(outcome->rows.count, 1);
}

void suite_an_outbound_message_is_kept_with_all_that_it_has(struct suite *suite)
{
	struct step *step = step_of(ALICE, 0);
	struct outbound *msg = suite_add_outbound(step, 3);
	struct outcome outcome;

	msg->reply_to = id_of(1);
	msg->text = BYTES("a\0b");
	msg->class = CLASS_BROADCAST;
	msg->asked_for = false;
	msg->state = OUTBOUND_SENDING;
	msg->attempts = 2;
	msg->doubts = 1;
	msg->note = "note";
	msg->not_before = SUITE_NOW + 7;
	must_commit(suite, step);
	only_outbound(suite, 3, &outcome);
	msg = &outcome.rows.outbound[0];
	cr_expect_eq(msg->reply_to.shard, id_of(1).shard);
	cr_expect_eq(msg->reply_to.serial, 1);
	cr_expect_str_eq(msg->citizen, ALICE);
	cr_expect_str_eq(msg->from, "8899");
	cr_assert_eq(msg->text.len, 3);
	cr_expect_arr_eq(msg->text.data, "a\0b", 3);
	cr_expect_eq(msg->class, CLASS_BROADCAST);
	cr_expect_not(msg->asked_for);
	cr_expect_eq(msg->state, OUTBOUND_SENDING);
	cr_expect_eq(msg->attempts, 2);
	cr_expect_eq(msg->doubts, 1);
	cr_expect_str_eq(msg->note, "note");
	cr_expect_eq(msg->not_before, SUITE_NOW + 7);
	cr_expect_eq(msg->expires, SUITE_NOW + 86400);
	arena_free(&outcome.arena);
}

static struct outbound_update *add_update(struct step *step, int64_t serial, unsigned seen,
					  enum outbound_state state)
{
	struct outbound_update *update = step_add_update(step);

	update->id = id_of(serial);
	update->attempts_seen = seen;
	update->attempts = seen + 1;
	update->state = state;
	return update;
}

void suite_an_update_with_an_old_lease_is_lost(struct suite *suite)
{
	struct step *step = step_of(ALICE, 0), *updates = step_of(NULL, 0);
	struct outbound_update *first, *late, *unknown;
	struct outcome outcome;

	suite_add_outbound(step, 3)->note = "kept";
	must_commit(suite, step);
	first = add_update(updates, 3, 0, OUTBOUND_SENDING);
	first->code = "8";
	late = add_update(updates, 3, 0, OUTBOUND_FAILED);
	unknown = add_update(updates, 99, 0, OUTBOUND_FAILED);
	commit(suite, updates, &outcome);
	cr_expect_eq(outcome.result, STORE_DONE);
	cr_expect_not(first->lost);
	cr_expect(late->lost);
	cr_expect(unknown->lost);
	step_free(updates);
	only_outbound(suite, 3, &outcome);
	cr_expect_eq(outcome.rows.outbound[0].state, OUTBOUND_SENDING);
	cr_expect_eq(outcome.rows.outbound[0].attempts, 1);
	cr_expect_str_eq(outcome.rows.outbound[0].note, "kept");
	cr_expect_str_eq(outcome.rows.outbound[0].code, "8");
	arena_free(&outcome.arena);
}

void suite_a_receipt_finds_its_message_by_the_telcos_id(struct suite *suite)
{
	struct step *step = step_of(ALICE, 0), *update = step_of(NULL, 0);
	struct find by_ref = { .kind = FIND_OUTBOUND, .connection = "k1", .provider_id = "t-1" };

	suite_add_outbound(step, 3);
	suite_add_outbound(step, 4);
	must_commit(suite, step);
	cr_expect_eq(suite_count(suite, &by_ref), 0);
	add_update(update, 3, 0, OUTBOUND_ACCEPTED)->provider_id = "t-1";
	must_commit(suite, update);
	cr_expect_eq(suite_count(suite, &by_ref), 1);
	by_ref.connection = "k2";
	cr_expect_eq(suite_count(suite, &by_ref), 0);
	by_ref.connection = "k1";
	by_ref.provider_id = "";
	cr_expect_eq(suite_count(suite, &by_ref), 0, "no id is nobody's id");
}

static enum outbound_state state_of(struct suite *suite, int64_t serial)
{
	struct outcome outcome;
	enum outbound_state state;

	only_outbound(suite, serial, &outcome);
	state = outcome.rows.outbound[0].state;
	arena_free(&outcome.arena);
	return state;
}

void suite_stop_drops_what_waits_and_was_not_asked_for(struct suite *suite)
{
	struct step *step = step_of(ALICE, 0), *other = step_of(BUDI, 0), *stop = step_of(ALICE, 1);
	struct outbound *sending;

	suite_add_outbound(step, 1)->asked_for = false;
	suite_add_outbound(step, 2);
	sending = suite_add_outbound(step, 3);
	sending->asked_for = false;
	sending->state = OUTBOUND_SENDING;
	suite_add_outbound(other, 4)->asked_for = false;
	must_commit(suite, step);
	must_commit(suite, other);
	stop->drop_unasked = true;
	suite_add_outbound(stop, 5)->asked_for = false; /* comes after the drop */
	must_commit(suite, stop);
	cr_expect_eq(state_of(suite, 1), OUTBOUND_DROPPED);
	cr_expect_eq(state_of(suite, 2), OUTBOUND_QUEUED);
	cr_expect_eq(state_of(suite, 3), OUTBOUND_SENDING);
	cr_expect_eq(state_of(suite, 4), OUTBOUND_QUEUED);
	cr_expect_eq(state_of(suite, 5), OUTBOUND_QUEUED);
}

static unsigned count_of_citizen(struct suite *suite, enum find_kind kind, const char *citizen)
{
	return suite_count(suite, &(struct find){ .kind = kind, .citizen = citizen });
}

void suite_a_citizens_messages_are_found_whatever_led_to_them(struct suite *suite)
{
	struct step *step = suite_message(ALICE, 0, 1, "m1"), *stop = step_of(ALICE, 3);

	for (int i = 0; i < 3; i++)
		suite_add_outbound(step, 10 + i)->asked_for = false;
	suite_add_outbound(step, 13)->citizen = BUDI;
	must_commit(suite, step);
	step = suite_message(ALICE, 1, 2, "");
	suite_add_outbound(step, 14)->asked_for = false;
	must_commit(suite, step);
	step = suite_message(ALICE, 2, 3, "m3"); /* whose first goes to another */
	suite_add_outbound(step, 15)->citizen = BUDI;
	suite_add_outbound(step, 16)->asked_for = false;
	must_commit(suite, step);
	cr_expect_eq(count_of_citizen(suite, FIND_INBOUND, ALICE), 3);
	cr_expect_eq(count_of_citizen(suite, FIND_OUTBOUND, ALICE), 5);
	cr_expect_eq(count_of_citizen(suite, FIND_OUTBOUND, BUDI), 2);
	stop->drop_unasked = true;
	must_commit(suite, stop);
	for (int i = 10; i <= 16; i++)
		cr_expect_eq(state_of(suite, i),
			     i == 13 || i == 15 ? OUTBOUND_QUEUED : OUTBOUND_DROPPED, "%d", i);
}

void suite_messages_are_found_after_their_provider_id_went_to_another(struct suite *suite)
{
	struct step *first = suite_message(ALICE, 0, 1, "m1"),
		    *second = suite_message(ALICE, 1, 2, "m1");

	suite_add_outbound(first, 10);
	must_commit(suite, first);
	clock_fake((SUITE_NOW + SUITE_DEDUPE) * INT64_C(1000));
	second->inbound->arrived = clock_now();
	suite_add_outbound(second, 11);
	must_commit(suite, second);
	cr_expect_eq(count_of_citizen(suite, FIND_INBOUND, ALICE), 2);
	cr_expect_eq(count_of_citizen(suite, FIND_OUTBOUND, ALICE), 2);
}

static void add_report(struct step *step, const char *ref, enum report_status status, bool forget)
{
	struct report_row *row = step_add_report(step);

	row->report =
		(struct report){ .connection = "k1", .ref = ref, .status = status, .code = "" };
	row->arrived = SUITE_NOW;
	row->forget = forget;
}

void suite_reports_wait_until_they_are_forgotten(struct suite *suite)
{
	struct step *step = step_of(NULL, 0), *forget = step_of(NULL, 0);
	struct outcome outcome;

	add_report(step, "t-1", REPORT_SENT, false);
	add_report(step, "t-1", REPORT_DELIVERED, false);
	add_report(step, "t-2", REPORT_FAILED, false);
	add_report(step, "t-2", REPORT_FAILED, false);
	must_commit(suite, step);
	find(suite, &(struct find){ .kind = FIND_REPORTS, .limit = 10 }, &outcome);
	cr_assert_eq(outcome.rows.count, 3);
	cr_expect_eq(outcome.rows.reports[0].report.status, REPORT_SENT);
	cr_expect_eq(outcome.rows.reports[1].report.status, REPORT_DELIVERED);
	cr_expect_str_eq(outcome.rows.reports[2].report.ref, "t-2");
	arena_free(&outcome.arena);
	add_report(forget, "t-1", REPORT_QUEUED, true);
	must_commit(suite, forget);
	cr_expect_eq(count_kind(suite, FIND_REPORTS), 1);
}

static void bundle_cb(int error, struct bytes content, void *arg)
{
	struct outcome *outcome = arg;

	outcome->done = true;
	outcome->error = error;
	if (error == 0)
		outcome->content = arena_bytes(&outcome->arena, content.data, content.len);
}

static void find_bundle(struct suite *suite, unsigned char name, struct outcome *outcome)
{
	const unsigned char hash[BUNDLE_SIZE] = { name };

	*outcome = (struct outcome){ 0 };
	cr_assert_eq(store_bundle(suite->store, hash, bundle_cb, outcome), 0);
	wait_for(suite, outcome);
	cr_assert(outcome->error == 0 || outcome->error == -ENOENT);
}

static bool has_bundle(struct suite *suite, unsigned char name)
{
	struct outcome outcome;

	find_bundle(suite, name, &outcome);
	arena_free(&outcome.arena);
	return outcome.error == 0;
}

void suite_a_bundle_is_stored_once(struct suite *suite)
{
	struct step *step = step_of(NULL, 0);
	struct outcome outcome;

	add_bundle(step, 1, BYTES("co\0de"));
	add_bundle(step, 1, BYTES("other"));
	must_commit(suite, step);
	find_bundle(suite, 1, &outcome);
	cr_assert_eq(outcome.error, 0);
	cr_assert_eq(outcome.content.len, 5);
	cr_expect_arr_eq(outcome.content.data, "co\0de", 5);
	arena_free(&outcome.arena);
	cr_expect_not(has_bundle(suite, 2));
}

/* what a start looks for */

void suite_a_start_finds_what_is_unfinished(struct suite *suite)
{
	static const bool unfinished[] = {
		[OUTBOUND_QUEUED] = true, [OUTBOUND_SENDING] = true, [OUTBOUND_UNKNOWN] = true,
		[OUTBOUND_HELD] = true,   [OUTBOUND_SCREEN] = true,
	};
	struct step *step = suite_message(ALICE, 0, 1, "m1");
	struct outcome outcome;
	unsigned at = 0;

	for (int i = 0; i <= OUTBOUND_SCREEN; i++)
		suite_add_outbound(step, 100 + i)->state = (enum outbound_state)i;
	must_commit(suite, step);
	step = suite_message(ALICE, 1, 2, "m2");
	step->inbound->state = INBOUND_DONE;
	must_commit(suite, step);
	cr_expect_eq(count_kind(suite, FIND_INBOUND), 2);
	cr_expect_eq(count_kind(suite, FIND_INBOUND_UNFINISHED), 1);
	find(suite, &(struct find){ .kind = FIND_OUTBOUND_UNFINISHED, .limit = 100 }, &outcome);
	cr_assert_eq(outcome.rows.count, 5);
	for (int i = 0; i <= OUTBOUND_SCREEN; i++)
		if (unfinished[i])
			cr_expect_eq(outcome.rows.outbound[at++].state, (enum outbound_state)i);
	arena_free(&outcome.arena);
}

void suite_a_start_finds_dialogs_by_citizen(struct suite *suite)
{
	struct find what = { .kind = FIND_DIALOGS_EXPIRED, .before = SUITE_NOW + 50, .limit = 2 };
	struct step *budi = step_of(BUDI, 0), *alice = step_of(ALICE, 0);
	struct outcome outcome;
	struct dialog_row *row;

	add_dialog(budi, 1)->expires = SUITE_NOW;
	add_dialog(alice, 2)->expires = SUITE_NOW + 50;
	add_dialog(alice, 3)->expires = SUITE_NOW + 51;
	row = add_dialog(alice, 4);
	row->expires = SUITE_NOW;
	row->state = DIALOG_RUNNABLE;
	must_commit(suite, budi);
	must_commit(suite, alice);
	find(suite, &what, &outcome);
	cr_assert_eq(outcome.rows.count, 2);
	cr_expect_eq(outcome.rows.dialogs[0].id.serial, 2);
	cr_expect_eq(outcome.rows.dialogs[1].id.serial, 4);
	arena_free(&outcome.arena);
	what.after_citizen = ALICE;
	find(suite, &what, &outcome);
	cr_assert_eq(outcome.rows.count, 1);
	cr_expect_eq(outcome.rows.dialogs[0].id.serial, 1);
	arena_free(&outcome.arena);
	what.after = id_of(2);
	cr_expect_eq(suite_count(suite, &what), 2, "behind one dialog of a citizen");
	cr_expect_eq(count_kind(suite, FIND_DIALOGS_RUNNABLE), 1);
}

static void done_cb(int error, void *arg)
{
	struct outcome *outcome = arg;

	outcome->done = true;
	outcome->error = error;
}

static int retain(struct suite *suite, const struct retention *retention)
{
	struct outcome outcome = { 0 };

	cr_assert_eq(store_retain(suite->store, retention, done_cb, &outcome), 0);
	wait_for(suite, &outcome);
	return outcome.error;
}

/* At `hours` from SUITE_NOW, all that may go. */
static void retain_at(struct suite *suite, int64_t hours, int64_t dialogs_ended)
{
	const struct retention what = { .dialogs_ended = dialogs_ended };

	clock_fake((SUITE_NOW + hours * 3600) * 1000);
	while (retain(suite, &what) == -EAGAIN)
		;
}

static unsigned count_expired(struct suite *suite, int64_t before)
{
	return suite_count(suite, &(struct find){ .kind = FIND_DIALOGS_EXPIRED, .before = before });
}

void suite_an_answer_puts_off_when_a_dialog_expires(struct suite *suite)
{
	static const int64_t later[] = { 1, 2, 600, 86400, 7 * 86400, 5 };
	struct step *step = step_of(ALICE, 0);

	add_dialog(step, 2)->expires = SUITE_NOW;
	must_commit(suite, step);
	cr_expect_eq(count_expired(suite, SUITE_NOW), 1);
	for (unsigned i = 0; i < ARRAY_LEN(later); i++) {
		step = step_of(ALICE, 1 + i);
		add_append(step, 2, BYTES(""))->expires = SUITE_NOW + later[i];
		must_commit(suite, step);
		cr_expect_eq(count_expired(suite, SUITE_NOW + later[i] - 1), 0, "line %u", i);
		cr_expect_eq(count_expired(suite, SUITE_NOW + later[i]), 1, "line %u", i);
	}
}

void suite_retaining_changes_nothing_of_when_dialogs_expire(struct suite *suite)
{
	struct step *step = step_of(ALICE, 0);

	for (int i = 0; i < 600; i++)
		add_dialog(step, 1 + i)->expires = SUITE_NOW + i;
	must_commit(suite, step);
	step = step_of(ALICE, 1);
	for (int i = 0; i < 600; i += 2)
		add_append(step, 1 + i, BYTES(""))->expires = SUITE_NOW + 86400 + i;
	must_commit(suite, step);
	for (int64_t hours = 0; hours < 72; hours += 12) {
		retain_at(suite, hours, 0);
		cr_expect_eq(count_expired(suite, SUITE_NOW + 299), 150, "at %d", (int)hours);
		cr_expect_eq(count_expired(suite, SUITE_NOW + 86400 - 1), 300);
		cr_expect_eq(count_expired(suite, SUITE_NOW + 86400 + 299), 450);
		cr_expect_eq(count_expired(suite, SUITE_NOW + 86400 + 599), 600);
	}
	step = step_of(ALICE, 2);
	add_append(step, 1, BYTES(""))->expires = SUITE_NOW - 10000; /* as it pleases */
	must_commit(suite, step);
	cr_expect_eq(count_expired(suite, SUITE_NOW - 9999), 1);
}

void suite_pages_go_on_behind_the_last_row(struct suite *suite)
{
	const enum find_kind kinds[] = { FIND_INBOUND, FIND_INBOUND_UNFINISHED, FIND_OUTBOUND,
					 FIND_OUTBOUND_UNFINISHED, FIND_DIALOGS };

	for (int i = 0; i < 5; i++) {
		struct step *step = suite_message(i % 2 ? BUDI : ALICE, i / 2, 10 + i, "");

		add_bundle(step, 7, BYTES("code"));
		suite_add_outbound(step, 10 + i);
		add_dialog(step, 10 + i);
		must_commit(suite, step);
	}
	for (unsigned i = 0; i < ARRAY_LEN(kinds); i++) {
		struct find what = { .kind = kinds[i], .limit = 3 };

		cr_expect_eq(suite_count(suite, &what), 3, "kind %u", i);
		what.after = id_of(12);
		cr_expect_eq(suite_count(suite, &what), 2, "kind %u", i);
		what.after = id_of(0);
		what.citizen = BUDI;
		cr_expect_eq(suite_count(suite, &what), 2, "kind %u", i);
	}
	cr_expect_eq(suite_count(suite, &(struct find){ .kind = FIND_DIALOGS, .plugin = "survey" }),
		     5);
	cr_expect_eq(suite_count(suite, &(struct find){ .kind = FIND_DIALOGS, .plugin = "other" }),
		     0);
}

void suite_parts_that_have_waited_are_found_by_citizen(struct suite *suite)
{
	struct step *alice = step_of(ALICE, 0), *budi = step_of(BUDI, 0);

	add_part(alice, 5, 1, "first");
	add_part(alice, 6, 1, "other");
	STAILQ_FIRST(&alice->parts)->arrived = SUITE_NOW - 100;
	add_part(budi, 5, 1, "first");
	STAILQ_FIRST(&budi->parts)->msg.from = BUDI;
	must_commit(suite, alice);
	must_commit(suite, budi);
	cr_expect_eq(
		suite_count(suite, &(struct find){ .kind = FIND_PARTS, .before = SUITE_NOW - 101 }),
		0);
	cr_expect_eq(
		suite_count(suite, &(struct find){ .kind = FIND_PARTS, .before = SUITE_NOW - 100 }),
		1);
	cr_expect_eq(suite_count(suite, &(struct find){ .kind = FIND_PARTS, .before = SUITE_NOW }),
		     2);
	cr_expect_eq(suite_count(suite, &(struct find){ .kind = FIND_PARTS,
							.before = SUITE_NOW,
							.after_citizen = ALICE }),
		     1);
}

void suite_who_said_stop_is_found(struct suite *suite)
{
	struct profile stopped = { .stopped = true, .stopped_at = 9 }, not = { 0 };
	struct step *alice = step_of(ALICE, 0), *budi = step_of(BUDI, 0),
		    *again = step_of(ALICE, 1);
	struct outcome outcome;

	alice->profile = &stopped;
	budi->profile = &stopped;
	must_commit(suite, alice);
	must_commit(suite, budi);
	find(suite, &(struct find){ .kind = FIND_STOPPED, .limit = 10 }, &outcome);
	cr_assert_eq(outcome.rows.count, 2);
	cr_expect_str_eq(outcome.rows.citizens[0].citizen, ALICE);
	cr_expect_eq(outcome.rows.citizens[0].profile.stopped_at, 9);
	cr_expect_eq(outcome.rows.citizens[0].version, 1);
	arena_free(&outcome.arena);
	cr_expect_eq(
		suite_count(suite, &(struct find){ .kind = FIND_STOPPED, .after_citizen = ALICE }),
		1);
	again->profile = &not ;
	must_commit(suite, again);
	cr_expect_eq(count_kind(suite, FIND_STOPPED), 1);
}

/* retention */

static void fill_old(struct suite *suite, int count)
{
	for (int i = 0; i < count; i++) {
		struct step *step = suite_message(ALICE, i, 1 + i, "");

		step->inbound->state = i ? INBOUND_DONE : INBOUND_IN_WORK;
		suite_add_outbound(step, 1 + i)->state = i ? OUTBOUND_DELIVERED : OUTBOUND_QUEUED;
		add_dialog(step, 1 + i)->state = i ? DIALOG_ENDED : DIALOG_WAITING;
		add_report(step, i % 2 ? "odd" : "even", REPORT_SENT, false);
		add_part(step, (unsigned)i, 1, "part");
		must_commit(suite, step);
	}
}

void suite_what_is_old_goes_in_shares_and_the_rest_stays(struct suite *suite)
{
	const int64_t later = SUITE_NOW + 2 * (int64_t)SUITE_DEDUPE;
	struct retention all = { later, later, later, later, later };
	int rc, calls = 0;

	fill_old(suite, 600);
	cr_expect_eq(retain(suite, &(struct retention){ .outbound = SUITE_NOW }), 0);
	cr_expect_eq(suite_count(suite, &(struct find){ .kind = FIND_OUTBOUND }), 600);
	clock_fake(later * 1000);
	while ((rc = retain(suite, &all)) == -EAGAIN)
		calls++;
	cr_expect_eq(rc, 0);
	cr_expect_geq(calls, 1, "not all at once");
	cr_expect_eq(count_kind(suite, FIND_INBOUND), 1, "what is in work stays");
	cr_expect_eq(count_kind(suite, FIND_OUTBOUND), 1);
	cr_expect_eq(count_kind(suite, FIND_DIALOGS), 1);
	cr_expect_eq(count_kind(suite, FIND_REPORTS), 0);
	cr_expect_eq(suite_count(suite, &(struct find){ .kind = FIND_DIALOGS, .id = id_of(300) }),
		     0);
	cr_expect_eq(suite_version(suite, ALICE), 600);
}

/* More of those that stay than a call looks at, before and between those that go. */
void suite_what_is_old_goes_from_behind_what_stays(struct suite *suite)
{
	const int64_t later = SUITE_NOW + 2 * (int64_t)SUITE_DEDUPE;
	const struct retention all = { later, later, 0, 0, 0 };
	struct step *step;
	int64_t serial = 1, version = 0;

	for (int i = 0; i < 40; i++, version++) {
		step = suite_message(ALICE, version, serial, i % 2 ? "" : "m");
		step->inbound->msg.provider_id = i % 2 ? "" : arena_printf(&step->arena, "m%d", i);
		step->inbound->state = i % 3 ? INBOUND_IN_WORK : INBOUND_DONE;
		if (i % 4 == 0) /* of a clock that was ahead */
			step->inbound->arrived = later + 1000;
		for (int j = 0; j < 100; j++, serial++)
			suite_add_outbound(step, serial)->state = j == 99 ? OUTBOUND_DELIVERED
									  : OUTBOUND_QUEUED;
		must_commit(suite, step);
	}
	clock_fake(later * 1000);
	for (int sweep = 0; sweep < 2; sweep++) {
		while (retain(suite, &all) == -EAGAIN)
			;
		cr_expect_eq(count_kind(suite, FIND_INBOUND_UNFINISHED), 26);
		cr_expect_eq(count_kind(suite, FIND_INBOUND), 26 + 4);
	}
	for (int64_t i = 1; i < serial; i++)
		cr_expect_eq(
			suite_count(suite, &(struct find){ .kind = FIND_OUTBOUND, .id = id_of(i) }),
			i % 100 != 0, "%d", (int)i);
}

void suite_what_is_young_stays_and_what_a_clock_ahead_numbered_goes(struct suite *suite)
{
	const int64_t later = SUITE_NOW + 2 * (int64_t)SUITE_DEDUPE;
	const int64_t ahead = id_serial_at((later + 86400) * 1000);
	const int64_t serials[] = { 1, 2, 3, ahead, ahead + 1, ahead + 2 };

	for (unsigned i = 0; i < ARRAY_LEN(serials); i++) {
		struct step *step = suite_message(ALICE, i, serials[i], "");

		step->inbound->state = INBOUND_DONE;
		step->inbound->arrived = i % 3 == 1 ? later - 5 : SUITE_NOW;
		must_commit(suite, step);
	}
	clock_fake(later * 1000);
	cr_expect_eq(retain(suite, &(struct retention){ .inbound = later - 10 }), 0);
	cr_expect_eq(count_kind(suite, FIND_INBOUND), 4);
	cr_expect_eq(suite_count(suite, &(struct find){ .kind = FIND_INBOUND, .id = id_of(1) }), 0);
	cr_expect_eq(suite_count(suite, &(struct find){ .kind = FIND_INBOUND, .id = id_of(ahead) }),
		     0);
}

void suite_a_reply_that_outlives_its_message_is_still_found(struct suite *suite)
{
	const int64_t later = SUITE_NOW + 2 * (int64_t)SUITE_DEDUPE;
	struct step *step = suite_message(ALICE, 0, 1, "m1"), *drop = step_of(ALICE, 1);

	step->inbound->state = INBOUND_DONE;
	suite_add_outbound(step, 2)->asked_for = false;
	must_commit(suite, step);
	clock_fake(later * 1000);
	cr_expect_eq(retain(suite, &(struct retention){ .inbound = later, .outbound = later }), 0);
	cr_expect_eq(count_kind(suite, FIND_INBOUND), 0);
	cr_expect_eq(count_of_citizen(suite, FIND_OUTBOUND, ALICE), 1);
	drop->drop_unasked = true;
	must_commit(suite, drop);
	cr_expect_eq(retain(suite, &(struct retention){ .outbound = later }), 0);
	cr_expect_eq(count_of_citizen(suite, FIND_OUTBOUND, ALICE), 0);
}

void suite_ended_dialogs_of_every_bundle_go_when_they_are_old(struct suite *suite)
{
	struct step *step = step_of(ALICE, 0);

	for (int i = 0; i < 900; i++) {
		struct dialog_row *row = add_dialog(step, 1 + i);

		row->bundle[0] = (unsigned char)(0x70 + i % 32); /* marks of either sign */
		row->state = DIALOG_ENDED;
		row->touched = SUITE_NOW + i % 3;
	}
	must_commit(suite, step);
	retain_at(suite, 1, SUITE_NOW + 1);
	for (int i = 0; i < 900; i++)
		cr_expect_eq(suite_count(suite, &(struct find){ .kind = FIND_DIALOGS,
								.id = id_of(1 + i) }),
			     i % 3 > 0, "%d", i);
}

void suite_a_bundle_stays_while_a_dialog_knows_it(struct suite *suite)
{
	struct step *step = step_of(ALICE, 0);
	struct dialog_row *row;

	for (unsigned char name = 1; name <= 5; name++)
		add_bundle(step, name, BYTES("code"));
	add_dialog(step, 1)->bundle[0] = 1;
	add_dialog(step, 2)->bundle[0] = 2;
	row = add_dialog(step, 3); /* begins and ends in one step */
	row->bundle[0] = 3;
	row->state = DIALOG_ENDED;
	must_commit(suite, step);
	retain_at(suite, 48, 0);
	for (unsigned char name = 1; name <= 5; name++)
		cr_expect_eq(has_bundle(suite, name), name <= 3, "bundle %u", name);

	step = step_of(ALICE, 1);
	add_bundle(step, 4, BYTES("code"));
	add_append(step, 1, BYTES("moved"))->bundle[0] = 4;
	row = add_append(step, 2, BYTES("ended"));
	row->bundle[0] = 2;
	row->state = DIALOG_ENDED;
	must_commit(suite, step);
	retain_at(suite, 96, SUITE_NOW);
	cr_expect_not(has_bundle(suite, 1), "its dialog has another now");
	cr_expect(has_bundle(suite, 2), "its dialog has ended, and is kept");
	cr_expect(has_bundle(suite, 3));
	cr_expect(has_bundle(suite, 4));
	retain_at(suite, 96, SUITE_NOW + 1);
	for (unsigned char name = 1; name <= 5; name++)
		cr_expect_eq(has_bundle(suite, name), name == 4, "bundle %u", name);
}

void suite_a_bundle_that_was_put_within_a_day_stays(struct suite *suite)
{
	struct step *step = step_of(NULL, 0);

	add_bundle(step, 1, BYTES("code"));
	add_bundle(step, 2, BYTES("code"));
	must_commit(suite, step);
	retain_at(suite, 24, 0);
	cr_expect(has_bundle(suite, 1));
	step = step_of(NULL, 0);
	add_bundle(step, 2, BYTES("code")); /* again */
	must_commit(suite, step);
	retain_at(suite, 47, 0);
	cr_expect_not(has_bundle(suite, 1));
	cr_expect(has_bundle(suite, 2));
	retain_at(suite, 72, 0);
	cr_expect_not(has_bundle(suite, 2));
}

void suite_bundles_that_nobody_needs_go_in_shares(struct suite *suite)
{
	struct step *step = step_of(ALICE, 0);
	unsigned calls = 0;

	for (unsigned char name = 1; name <= 200; name++)
		add_bundle(step, name, BYTES("code"));
	add_dialog(step, 1)->bundle[0] = 100;
	must_commit(suite, step);
	clock_fake((SUITE_NOW + 2 * INT64_C(86400)) * 1000);
	while (retain(suite, &(struct retention){ 0 }) == -EAGAIN)
		calls++;
	cr_expect_geq(calls, 1, "not all at once");
	for (unsigned char name = 1; name <= 200; name++)
		cr_expect_eq(has_bundle(suite, name), name == 100, "bundle %u", name);
}
