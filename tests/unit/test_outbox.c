/* test_outbox.c - order, rate, retries, doubt, receipts: each rule of the outbox, with everything around it a fake.
 *
 * A test speaks of what the telco was asked (sent), answers it (answer), lets the loop and the store go on (run), and
 * looks at what the store has (state).
 */
#include "outbox.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "fake_store.h"
#include "fake_telco.h"
#include "log.h"
#include "metrics.h"
#include "timers.h"

enum { START = 1795489500 }; /* seconds */

static struct telco telco;
static struct telco_connection *k1;
static struct fake_store *store;
static struct timers *timers;
static struct outbox *outbox;
static int64_t now_ms;

static void open_outbox(void)
{
	struct outbox_options options = { .waiting_max = 100000, .seed = 7 };

	timers = timers_new(NULL);
	outbox = outbox_new(&store->store, &telco, NULL, timers, &options);
}

static void begin(void)
{
	log_set_level(LOG_ERROR + 1);
	now_ms = (int64_t)START * 1000;
	clock_fake(now_ms);
	id_init(1, 0);
	memset(&telco, 0, sizeof(telco));
	k1 = fake_telco_add(&telco, "k1");
	fake_telco_add(&telco, "k2");
	store = fake_store_new();
	open_outbox();
}

/* Does all that is due and all that the store has to do, until nothing is left. */
static void run(void)
{
	for (int idle = 0; idle < 2; idle++) {
		timers_run(timers);
		if (fake_store_run(store) > 0 || timers_next(timers) <= now_ms)
			idle = -1;
	}
}

static void wait_ms(int64_t ms)
{
	now_ms += ms;
	clock_fake(now_ms);
	run();
}

static void wait_seconds(int64_t seconds)
{
	wait_ms(seconds * 1000);
}

static void end(void)
{
	outbox_free(outbox);
	for (unsigned i = 0; i < fake_out_count; i++)
		fake_telco_answer(i,
				  "accepted"); /* what is out comes back when the outbox is gone */
	timers_free(timers);
	fake_store_free(store);
	fake_telco_reset();
}

/* The process dies: what is out never comes back, what the store did not do it never does. */
static void crash(void)
{
	struct fake_store *after = fake_store_new();

	for (unsigned i = 0; i < store->row_count; i++) {
		struct step *step = step_new();

		outbound_copy(&step->arena, &step_add_outbound(step)->msg, &store->rows[i]);
		fake_store_apply(after, step);
		step_free(step);
	}
	outbox_free(outbox);
	for (unsigned i = 0; i < fake_out_count; i++)
		fake_telco_answer(i, "unknown");
	timers_free(timers);
	fake_store_free(store);
	fake_telco_reset();
	store = after;
	open_outbox();
	outbox_pause(outbox, true);
	for (unsigned i = 0; i < store->row_count; i++) {
		if (!(store->rows[i].state > OUTBOUND_HELD &&
		      store->rows[i].state != OUTBOUND_SCREEN))
			outbox_resume(outbox, &store->rows[i]);
	}
	outbox_pause(outbox, false);
	run();
}

/* steps */

static struct outbound *add(struct step *step, const char *citizen, const char *text,
			    enum message_class class)
{
	struct outbound *msg = &step_add_outbound(step)->msg;

	*msg = (struct outbound){
		.id = id_new(citizen),
		.citizen = arena_strdup(&step->arena, citizen),
		.connection = "k1",
		.from = "2772",
		.meta = "",
		.text = arena_bytes(&step->arena, text, strlen(text)),
		.class = class,
		.asked_for = class != CLASS_BROADCAST,
		.provider_id = "",
		.note = "",
		.code = "",
		.created = now_ms / 1000,
	};
	return msg;
}

static void commit(struct step *step)
{
	outbox_prepare(outbox, step);
	fake_store_apply(store, step);
	outbox_committed(outbox, step);
	step_free(step);
}

static struct id say_as(const char *citizen, const char *text, enum message_class class)
{
	struct step *step = step_new();
	struct id id = add(step, citizen, text, class)->id;

	commit(step);
	return id;
}

static struct id say(const char *citizen, const char *text)
{
	return say_as(citizen, text, CLASS_REPLY);
}

static void stop(const char *citizen)
{
	struct step *step = step_new();

	step->citizen = citizen;
	step->drop_unasked = true;
	commit(step);
}

/* what came of it */

static enum outbound_state state(struct id id)
{
	const struct outbound *row = fake_store_row(store, id);

	cr_assert(row, "the message is not stored");
	return row->state;
}

static const char *note(struct id id)
{
	return fake_store_row(store, id)->note;
}

#define expect_state(id, expected)                                                                \
	cr_expect(state(id) == (expected), "state is %s, not %s", outbound_state_name(state(id)), \
		  outbound_state_name(expected))

/* All texts that the telco was asked to send, in order: "a b c". */
static const char *sent(void)
{
	static char all[4096];
	size_t len = 0;

	all[0] = '\0';
	for (unsigned i = 0; i < fake_out_count; i++)
		len += (size_t)snprintf(all + len, sizeof(all) - len, "%s%s", i ? " " : "",
					fake_outs[i].text);
	return all;
}

#define expect_sent(expected) \
	cr_expect_str_eq(sent(), expected, "sent '%s', not '%s'", sent(), expected)

/* Answers the latest call. */
static void answer(const char *words)
{
	cr_assert(fake_out_count > 0 && fake_telco_answer(fake_out_count - 1, words),
		  "no call is open");
	run();
}

static void answer_call(unsigned n, const char *words)
{
	cr_assert(fake_telco_answer(n, words), "call %u is not open", n);
	run();
}

static int told, told_error;

static void done(int error, void *arg UNUSED)
{
	told++;
	told_error = error;
}

/* The callback's error, or 1 where it wasn't called. */
static int report_ref(const char *ref, bool own_id, enum report_status status)
{
	struct report report = {
		.connection = "k1", .ref = ref, .own_id = own_id, .status = status, .code = ""
	};
	int before = told;
	int rc = outbox_report(outbox, &report, done, NULL);

	if (rc)
		return rc;
	cr_expect(told == before, "the callback came inside the call");
	run();
	cr_expect(told <= before + 1, "the callback came twice");
	return told == before ? 1 : told_error;
}

static int report_id(struct id id, enum report_status status)
{
	char text[ID_TEXT_SIZE];

	id_format(id, text);
	return report_ref(text, true, status);
}

static int act(int (*verb)(struct outbox *, struct id, outbox_done_cb *, void *), struct id id)
{
	int before = told;
	int rc = verb(outbox, id, done, NULL);

	run();
	return rc ? rc : told == before ? 1 : told_error;
}

TestSuite(outbox, .init = begin, .fini = end);

/* the way of one message */

Test(outbox, a_reply_leaves_with_its_commit_and_its_result_is_one_batched_write)
{
	struct id id = say("+1", "a");

	expect_sent("a");
	expect_state(id, OUTBOUND_SENDING);
	cr_expect(fake_store_row(store, id)->attempts == 1);
	run();
	cr_expect(store->commits == 0, "nothing but the step itself was written");
	answer("accepted");
	expect_state(id, OUTBOUND_ACCEPTED);
	cr_expect(store->commits == 1);
	cr_expect(outbox_waiting(outbox) == 0 && outbox_in_flight(outbox) == 0);
}

Test(outbox, results_of_one_turn_are_one_write)
{
	char citizen[16];

	for (int i = 0; i < 10; i++) {
		snprintf(citizen, sizeof(citizen), "+%d", i);
		say(citizen, "a");
	}
	for (unsigned i = 0; i < 10; i++)
		fake_telco_answer(i, "accepted");
	cr_expect(outbox_in_flight(outbox) == 10, "results are in flight until they are on disk");
	run();
	cr_expect(store->commits == 1);
	cr_expect(store->updates == 10);
	cr_expect(outbox_in_flight(outbox) == 0);
}

Test(outbox, what_was_prepared_and_not_committed_gives_its_turn_back)
{
	struct step *step = step_new();
	struct outbound *msg = add(step, "+1", "a", CLASS_REPLY);

	k1->limits.in_flight = 1;
	outbox_prepare(outbox, step);
	cr_expect(msg->state == OUTBOUND_SENDING);
	say("+2", "b");
	expect_sent("");
	outbox_aborted(outbox, step);
	cr_expect(msg->state == OUTBOUND_QUEUED && msg->attempts == 0);
	run();
	expect_sent("b");
	step_free(step);
}

Test(outbox, a_step_tried_again_after_a_conflict_is_sent_once)
{
	struct step *step = step_new();

	add(step, "+1", "a", CLASS_REPLY);
	outbox_prepare(outbox, step);
	outbox_aborted(outbox, step);
	commit(step);
	run();
	expect_sent("a");
	answer("accepted");
	cr_expect(outbox_in_flight(outbox) == 0);
}

Test(outbox, expiry_is_filled_in_from_the_connection)
{
	struct id id = say("+1", "a");

	cr_expect(fake_store_row(store, id)->expires == START + 86400);
}

/* order */

Test(outbox, one_citizens_replies_leave_in_order)
{
	struct step *step = step_new();
	struct id a = add(step, "+1", "a", CLASS_REPLY)->id,
		  b = add(step, "+1", "b", CLASS_REPLY)->id;

	commit(step);
	struct id c = say("+1", "c");

	run();
	expect_sent("a");
	expect_state(b, OUTBOUND_QUEUED);
	answer("accepted");
	expect_sent("a b");
	expect_state(a, OUTBOUND_ACCEPTED);
	answer("permanent 17");
	expect_sent("a b c");
	expect_state(b, OUTBOUND_FAILED);
	answer("accepted");
	expect_state(c, OUTBOUND_ACCEPTED);
	cr_expect(outbox_waiting(outbox) == 0);
}

Test(outbox, different_citizens_do_not_wait_for_each_other)
{
	say("+1", "a");
	say("+2", "b");
	say("+3", "c");
	expect_sent("a b c");
	answer_call(2, "accepted");
	answer_call(0, "accepted");
	answer_call(1, "accepted");
	cr_expect(outbox_waiting(outbox) == 0);
}

Test(outbox, a_higher_class_goes_first_among_those_that_wait)
{
	say("+1", "a");
	say_as("+1", "broadcast", CLASS_BROADCAST);
	say_as("+1", "service", CLASS_SERVICE);
	say("+1", "reply");
	say_as("+1", "emergency", CLASS_EMERGENCY);
	for (int i = 0; i < 5; i++)
		answer("accepted");
	expect_sent("a emergency reply service broadcast");
}

Test(outbox, within_one_step_the_higher_class_is_the_one_that_leaves_at_once)
{
	struct step *step = step_new();

	add(step, "+1", "broadcast", CLASS_BROADCAST);
	add(step, "+1", "reply", CLASS_REPLY);
	commit(step);
	expect_sent("reply");
	answer("accepted");
	expect_sent("reply broadcast");
}

Test(outbox, a_higher_class_overtakes_one_that_waits_for_its_retry)
{
	say_as("+1", "b", CLASS_BROADCAST);
	answer("temporary");
	say("+1", "r");
	expect_sent("b r");
	answer("accepted");
	wait_seconds(3);
	expect_sent("b r b");
}

Test(outbox, a_retry_keeps_its_place)
{
	struct id a = say("+1", "a");

	say("+1", "b");
	answer("temporary");
	expect_state(a, OUTBOUND_QUEUED);
	expect_sent("a");
	wait_seconds(3);
	expect_sent("a a");
	answer("accepted");
	expect_sent("a a b");
}

Test(outbox, an_attempt_that_is_not_written_does_not_leave)
{
	struct id b;

	say("+1", "a");
	b = say("+1", "b");
	store->error = -ENOSPC;
	answer("accepted");
	wait_seconds(30);
	expect_sent("a");
	expect_state(b, OUTBOUND_QUEUED);
	cr_expect(outbox_in_flight(outbox) > 0);
	store->error = 0;
	wait_seconds(6);
	expect_sent("a b");
	expect_state(b, OUTBOUND_SENDING);
	answer("accepted");
	expect_state(b, OUTBOUND_ACCEPTED);
}

Test(outbox, a_store_that_takes_no_calls_is_asked_again)
{
	struct id a = say("+1", "a");

	store->busy = true;
	answer("accepted");
	expect_state(a, OUTBOUND_SENDING);
	store->busy = false;
	wait_seconds(1);
	expect_state(a, OUTBOUND_ACCEPTED);
	cr_expect(outbox_in_flight(outbox) == 0);
}

/* rate and pauses */

Test(outbox, a_connection_sends_no_faster_than_its_limit)
{
	char citizen[16];

	k1->limits.tps = 2;
	outbox_telco(outbox, &telco);
	for (int i = 0; i < 10; i++) {
		snprintf(citizen, sizeof(citizen), "+%d", i);
		say(citizen, "a");
	}
	run();
	cr_expect(fake_out_count == 1, "%u", fake_out_count);
	for (int i = 0; i < 8; i++)
		wait_ms(250);
	cr_expect(fake_out_count == 5, "%u after two seconds", fake_out_count);
	for (int i = 0; i < 12; i++)
		wait_ms(250);
	cr_expect(fake_out_count == 10, "%u", fake_out_count);
}

Test(outbox, no_more_calls_are_out_than_the_connection_bears)
{
	k1->limits.in_flight = 2;
	say("+1", "a");
	say("+2", "b");
	say_as("+3", "c", CLASS_BROADCAST);
	say("+4", "d");
	run();
	expect_sent("a b");
	answer_call(1, "accepted");
	expect_sent("a b d");
	answer_call(0, "accepted");
	expect_sent("a b d c");
}

Test(outbox, too_fast_slows_down_and_tries_again_when_told)
{
	struct id a = say("+1", "a");

	answer("throttled 3000");
	expect_state(a, OUTBOUND_QUEUED);
	say("+2", "b");
	wait_ms(2900);
	expect_sent("a");
	wait_ms(500);
	cr_expect(fake_out_count == 3, "%u", fake_out_count);
	answer_call(1, "accepted");
	answer_call(2, "accepted");
	expect_state(a, OUTBOUND_ACCEPTED);
}

Test(outbox, temporary_failures_back_off_from_two_seconds_to_fifteen_minutes)
{
	struct id a = say("+1", "a");
	int64_t pause = 2;

	k1->config.validity_seconds = 10 * 86400;
	for (unsigned n = 1; n < 14; n++) {
		int64_t before = now_ms, least = pause < 900 ? pause : 900;

		cr_assert(fake_out_count == n);
		answer("temporary");
		while (fake_out_count == n && now_ms < before + 2000000)
			wait_ms(100);
		cr_expect(now_ms - before >= least * 1000, "retry %u after %ld ms", n,
			  (long)(now_ms - before));
		cr_expect(now_ms - before <= (least + least / 4 + 61 + 16) * 1000,
			  "retry %u after %ld ms", n, (long)(now_ms - before));
		pause *= 2;
	}
	answer("accepted");
	expect_state(a, OUTBOUND_ACCEPTED);
	cr_expect(fake_store_row(store, a)->doubts == 0);
}

Test(outbox, jitter_differs_by_seed)
{
	struct outbox_options options = { .waiting_max = 10, .seed = 8 };
	int64_t first;

	say("+1", "a");
	answer("temporary");
	first = timers_next(timers);
	outbox_free(outbox);
	timers_free(timers);
	timers = timers_new(NULL);
	outbox = outbox_new(&store->store, &telco, NULL, timers, &options);
	say("+2", "b");
	answer("temporary");
	cr_expect(timers_next(timers) != first);
}

Test(outbox, a_connection_that_keeps_failing_is_tried_with_one_message)
{
	char citizen[16];

	for (int i = 0; i < 8; i++) {
		snprintf(citizen, sizeof(citizen), "+%d", i);
		say(citizen, "a");
	}
	for (unsigned i = 0; i < 8; i++)
		fake_telco_answer(i, "temporary");
	run();
	say("+9", "new");
	cr_expect(fake_out_count == 8, "it pauses");
	wait_seconds(3);
	cr_expect(fake_out_count == 9, "one trial, not %u", fake_out_count - 8);
	answer("temporary");
	wait_seconds(3);
	cr_expect(fake_out_count == 9, "and the next one later");
	wait_seconds(3);
	cr_expect(fake_out_count == 10);
	answer("accepted");
	cr_expect(fake_out_count == 18, "what was put off leaves when it works: %u",
		  fake_out_count);
}

static void expect_alarm(const char *words)
{
	struct id a = say("+1", "a");

	answer(words);
	cr_expect(metrics_get(METRIC_CONNECTIONS_PAUSED) == 1);
	expect_state(a, OUTBOUND_QUEUED);
	say("+2", "b");
	wait_seconds(59);
	cr_expect(fake_out_count == 1);
	wait_seconds(1);
	cr_expect(fake_out_count == 2, "one trial a minute");
	answer(words);
	wait_seconds(60);
	cr_expect(fake_out_count == 3);
	cr_expect_str_neq(fake_outs[2].text, fake_outs[1].text, "another message is tried");
	answer("accepted");
	cr_expect(metrics_get(METRIC_CONNECTIONS_PAUSED) == 0);
	cr_expect(fake_out_count == 4, "and the queue goes on");
	answer("accepted");
	expect_state(a, OUTBOUND_ACCEPTED);
}

Test(outbox, an_empty_account_pauses_the_connection_with_its_queue)
{
	expect_alarm("funds");
}

Test(outbox, refused_credentials_pause_the_connection_with_its_queue)
{
	expect_alarm("auth");
}

Test(outbox, a_refused_setting_pauses_the_connection_with_its_queue)
{
	expect_alarm("config");
}

Test(outbox, a_url_that_cannot_be_called_is_a_setting_to_mend)
{
	struct id a;

	fake_url_refused = true;
	a = say("+1", "a");
	run();
	expect_state(a, OUTBOUND_QUEUED);
	cr_expect(metrics_get(METRIC_CONNECTIONS_PAUSED) == 1);
	fake_url_refused = false;
	outbox_telco(outbox, &telco);
	run();
	expect_sent("a");
}

Test(outbox, new_settings_end_a_pause)
{
	say("+1", "a");
	answer("auth");
	outbox_telco(outbox, &telco);
	cr_expect(metrics_get(METRIC_CONNECTIONS_PAUSED) == 0);
	run();
	expect_sent("a a");
}

Test(outbox, a_connection_that_left_the_settings_keeps_its_queue)
{
	struct telco none = { 0 };
	struct id a, b;

	a = say("+1", "a");
	outbox_telco(outbox, &none);
	b = say("+2", "b");
	answer("accepted"); /* nobody understands it any more */
	expect_state(a, OUTBOUND_UNKNOWN);
	expect_state(b, OUTBOUND_QUEUED);
	outbox_telco(outbox, &telco);
	run();
	expect_sent("a b");
}

Test(outbox, other_connections_go_on_when_one_pauses)
{
	struct step *step = step_new();

	say("+1", "a");
	answer("auth");
	add(step, "+2", "b", CLASS_REPLY)->connection = "k2";
	commit(step);
	run();
	expect_sent("a b");
}

Test(outbox, a_paused_outbox_lets_nothing_new_leave)
{
	outbox_pause(outbox, true);
	say("+1", "a");
	run();
	expect_sent("");
	outbox_pause(outbox, false);
	run();
	expect_sent("a");
}

/* ends without the telco */

Test(outbox, a_message_that_grew_too_old_is_not_sent)
{
	struct id a, b;

	outbox_pause(outbox, true);
	a = say("+1", "a");
	b = say("+1", "b");
	wait_seconds(86399);
	expect_state(a, OUTBOUND_QUEUED);
	wait_seconds(1);
	expect_state(a, OUTBOUND_EXPIRED);
	expect_state(b, OUTBOUND_EXPIRED);
	outbox_pause(outbox, false);
	run();
	expect_sent("");
	cr_expect(outbox_waiting(outbox) == 0);
}

Test(outbox, one_that_expires_between_retries_releases_the_next)
{
	struct step *step = step_new();

	add(step, "+1", "a", CLASS_REPLY)->expires = START + 1;
	commit(step);
	say("+1", "b");
	answer("temporary");
	wait_seconds(1);
	expect_sent("a b");
}

Test(outbox, a_message_is_not_sent_before_its_time)
{
	struct step *step = step_new();

	add(step, "+1", "a", CLASS_SERVICE)->not_before = START + 100;
	commit(step);
	run();
	expect_sent("");
	wait_seconds(100);
	expect_sent("a");
}

Test(outbox, what_the_adapter_cannot_send_fails_for_good)
{
	struct id a = say("+1", "bad"), b = say("+1", "b");

	run();
	expect_state(a, OUTBOUND_FAILED);
	expect_sent("b");
	answer("accepted");
	expect_state(b, OUTBOUND_ACCEPTED);
	cr_expect(outbox_in_flight(outbox) == 0);
}

Test(outbox, taken_in_part_is_never_sent_again)
{
	struct id a = say("+1", "a");

	answer("partial 3");
	expect_state(a, OUTBOUND_ACCEPTED);
	cr_expect(strstr(note(a), "in part"));
	wait_seconds(1000);
	expect_sent("a");
}

static char optout_of[32];

static void optout(const char *citizen, const char *connection, void *arg UNUSED)
{
	snprintf(optout_of, sizeof(optout_of), "%s %s", citizen, connection);
}

Test(outbox, a_citizen_who_opted_out_at_the_telco_is_told_of)
{
	struct id a;

	outbox_on_optout(outbox, optout, NULL);
	a = say("+1", "a");
	answer("optout 21610");
	cr_expect_str_eq(optout_of, "+1 k1");
	expect_state(a, OUTBOUND_FAILED);
	cr_expect_str_eq(fake_store_row(store, a)->code, "21610");
}

/* doubt */

Test(outbox, a_reply_in_doubt_is_sent_once_more_and_then_held)
{
	struct id a = say("+1", "a"), b = say("+1", "b");

	answer("unknown");
	expect_state(a, OUTBOUND_UNKNOWN);
	wait_seconds(59);
	expect_sent("a");
	wait_seconds(1);
	expect_sent("a a");
	cr_expect_str_eq(note(a), "outcome unknown, sent once more");
	answer("unknown");
	wait_seconds(59);
	expect_state(a, OUTBOUND_UNKNOWN);
	expect_sent("a a");
	wait_seconds(1);
	expect_state(a, OUTBOUND_HELD);
	cr_expect_str_eq(note(a), "outcome unknown again, held");
	cr_expect(fake_store_row(store, a)->attempts == 2 && fake_store_row(store, a)->doubts == 2);
	expect_sent("a a b");
	answer("accepted");
	expect_state(b, OUTBOUND_ACCEPTED);
	cr_expect(metrics_get(METRIC_OUTBOUND_UNKNOWN) == 2 &&
		  metrics_get(METRIC_OUTBOUND_RESENT) == 1 &&
		  metrics_get(METRIC_OUTBOUND_HELD) == 1);
	cr_expect(outbox_waiting(outbox) == 0);
}

Test(outbox, a_broadcast_in_doubt_is_held)
{
	struct id a = say_as("+1", "a", CLASS_BROADCAST);

	answer("unknown");
	wait_seconds(60);
	expect_state(a, OUTBOUND_HELD);
	cr_expect_str_eq(note(a), "outcome unknown, held");
	wait_seconds(1000);
	expect_sent("a");
}

Test(outbox, the_connections_setting_decides)
{
	struct id a, b;

	k1->config.unknown_reply = ON_UNKNOWN_HOLD;
	k1->config.unknown_broadcast = ON_UNKNOWN_RESEND_ONCE;
	k1->config.unknown_seconds = 5;
	a = say("+1", "a");
	answer("unknown");
	b = say_as("+2", "b", CLASS_BROADCAST);
	answer("unknown");
	wait_seconds(5);
	expect_state(a, OUTBOUND_HELD);
	expect_sent("a b b");
	answer("accepted");
	expect_state(b, OUTBOUND_ACCEPTED);
}

Test(outbox, a_receipt_settles_a_doubt)
{
	static const struct {
		enum report_status status;
		enum outbound_state state;
	} rows[] = {
		{ REPORT_QUEUED, OUTBOUND_ACCEPTED },     { REPORT_SENT, OUTBOUND_SENT },
		{ REPORT_DELIVERED, OUTBOUND_DELIVERED }, { REPORT_FAILED, OUTBOUND_FAILED },
		{ REPORT_EXPIRED, OUTBOUND_EXPIRED },     { REPORT_REJECTED, OUTBOUND_REJECTED },
	};
	char citizen[16];

	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		struct id id;

		outbox_telco(outbox, &telco); /* five doubts in a row would pause it */
		snprintf(citizen, sizeof(citizen), "+%u", i);
		id = say(citizen, "a");
		answer("unknown");
		cr_expect(report_id(id, rows[i].status) == 0);
		expect_state(id, rows[i].state);
	}
	wait_seconds(600);
	cr_expect(fake_out_count == ARRAY_LEN(rows), "none was sent again");
	cr_expect(outbox_waiting(outbox) == 0);
}

Test(outbox, a_receipt_that_knows_nothing_settles_no_doubt)
{
	struct id a = say("+1", "a");

	answer("unknown");
	cr_expect(report_id(a, REPORT_UNKNOWN) == 0);
	expect_state(a, OUTBOUND_UNKNOWN);
	wait_seconds(60);
	expect_sent("a a");
}

Test(outbox, a_doubt_too_old_to_be_sent_once_more_expires)
{
	struct step *step = step_new();
	struct outbound *msg = add(step, "+1", "a", CLASS_REPLY);
	struct id a = msg->id;

	msg->expires = START + 30;
	commit(step);
	answer("unknown");
	wait_seconds(60);
	expect_state(a, OUTBOUND_EXPIRED);
	cr_expect(strstr(note(a), "unknown"));
	expect_sent("a");
}

/* crashes */

Test(outbox, after_a_crash_a_message_on_its_way_is_in_doubt)
{
	struct id a = say("+1", "a"), b = say("+1", "b");

	crash();
	expect_state(a, OUTBOUND_UNKNOWN);
	cr_expect(fake_store_row(store, a)->doubts == 1);
	expect_sent("");
	wait_seconds(60);
	expect_sent("a");
	cr_expect_str_eq(note(a), "outcome unknown, sent once more");
	answer("accepted");
	expect_sent("a b");
	answer("accepted");
	expect_state(b, OUTBOUND_ACCEPTED);
}

Test(outbox, a_second_crash_on_the_way_holds_the_message)
{
	struct id a = say("+1", "a");

	crash();
	wait_seconds(60);
	expect_sent("a");
	crash();
	cr_expect(fake_store_row(store, a)->doubts == 2);
	wait_seconds(60);
	expect_state(a, OUTBOUND_HELD);
	expect_sent("");
}

Test(outbox, a_crash_while_a_doubt_is_open_counts_it_once)
{
	struct id a = say("+1", "a");

	answer("unknown");
	crash();
	cr_expect(fake_store_row(store, a)->doubts == 1);
	expect_state(a, OUTBOUND_UNKNOWN);
	cr_expect(report_id(a, REPORT_DELIVERED) == 0);
	expect_state(a, OUTBOUND_DELIVERED);
	wait_seconds(100);
	expect_sent("");
}

Test(outbox, after_a_crash_what_waited_goes_on_in_order)
{
	say("+1", "a");
	answer("temporary");
	say("+1", "b");
	say("+2", "c");
	answer("accepted");
	crash();
	wait_seconds(3);
	expect_sent("a");
	answer("accepted");
	expect_sent("a b");
}

Test(outbox, a_result_that_was_not_written_before_the_crash_is_a_doubt)
{
	struct id a = say("+1", "a");

	fake_telco_answer(0, "accepted");
	timers_run(timers); /* the commit is out and never done */
	crash();
	expect_state(a, OUTBOUND_UNKNOWN);
	cr_expect(report_id(a, REPORT_SENT) == 0);
	expect_state(a, OUTBOUND_SENT);
}

/* receipts */

Test(outbox, receipts_by_our_id_go_forward_only)
{
	struct id a = say("+1", "a");

	answer("accepted");
	cr_expect(report_id(a, REPORT_SENT) == 0);
	expect_state(a, OUTBOUND_SENT);
	cr_expect(report_id(a, REPORT_DELIVERED) == 0);
	cr_expect(report_id(a, REPORT_SENT) == 0);
	cr_expect(report_id(a, REPORT_DELIVERED) == 0);
	cr_expect(report_id(a, REPORT_FAILED) == 0);
	expect_state(a, OUTBOUND_DELIVERED);
	expect_sent("a");
}

Test(outbox, receipts_by_the_telcos_id_find_their_message)
{
	struct id a = say("+1", "a");

	answer("accepted at-1");
	cr_expect_str_eq(fake_store_row(store, a)->provider_id, "at-1");
	cr_expect(report_ref("at-1", false, REPORT_DELIVERED) == 0);
	expect_state(a, OUTBOUND_DELIVERED);
	cr_expect(metrics_get(METRIC_RECEIPTS_UNKNOWN) == 0);
}

Test(outbox, two_receipts_at_once_for_a_message_of_long_ago_end_forward)
{
	struct id a = say("+1", "a");
	struct report report = {
		.connection = "k1", .ref = "p", .status = REPORT_DELIVERED, .code = ""
	};

	answer("accepted p");
	told = 0;
	cr_expect(outbox_report(outbox, &report, done, NULL) == 0);
	report.status = REPORT_SENT;
	cr_expect(outbox_report(outbox, &report, done, NULL) == 0);
	run();
	cr_expect(told == 2 && told_error == 0);
	expect_state(a, OUTBOUND_DELIVERED);
}

Test(outbox, a_failure_that_a_receipt_tells_is_not_sent_again)
{
	struct id a = say("+1", "a");

	answer("accepted");
	cr_expect(report_id(a, REPORT_FAILED) == 0);
	expect_state(a, OUTBOUND_FAILED);
	wait_seconds(1000);
	expect_sent("a");
}

Test(outbox, a_receipt_by_our_id_that_overtakes_the_answer_settles_the_message)
{
	struct id a = say("+1", "a"), b = say("+1", "b");

	cr_expect(report_id(a, REPORT_DELIVERED) == 0);
	expect_state(a, OUTBOUND_DELIVERED);
	run();
	expect_sent("a b");
	answer_call(0, "temporary"); /* its answer says nothing any more */
	expect_state(a, OUTBOUND_DELIVERED);
	answer_call(1, "accepted");
	expect_state(b, OUTBOUND_ACCEPTED);
	wait_seconds(100);
	expect_sent("a b");
	cr_expect(outbox_in_flight(outbox) == 0);
}

Test(outbox, a_receipt_by_the_telcos_id_that_overtakes_the_answer_is_kept_for_it)
{
	struct id a = say("+1", "a");

	cr_expect(report_ref("p-9", false, REPORT_SENT) == 0);
	cr_expect(report_ref("p-9", false, REPORT_DELIVERED) == 0);
	cr_expect(store->report_count == 2);
	answer("accepted p-9");
	expect_state(a, OUTBOUND_DELIVERED);
	cr_expect(store->report_count == 0, "and then forgotten");
	cr_expect(report_ref("p-9", false, REPORT_SENT) == 0);
	expect_state(a, OUTBOUND_DELIVERED);
	cr_expect(store->report_count == 0);
}

Test(outbox, a_receipt_whose_look_up_is_out_when_the_answer_comes_finds_its_message)
{
	struct id a = say("+1", "a");
	struct report report = {
		.connection = "k1", .ref = "p", .status = REPORT_DELIVERED, .code = ""
	};

	told = 0;
	cr_expect(outbox_report(outbox, &report, done, NULL) == 0);
	fake_telco_answer(0, "accepted p");
	run();
	expect_state(a, OUTBOUND_DELIVERED);
	cr_expect(told == 1 && told_error == 0);
	cr_expect(store->report_count == 0);
}

Test(outbox, receipts_for_nothing_are_stored_counted_and_answered)
{
	cr_expect(report_ref("never-sent", false, REPORT_DELIVERED) == 0);
	cr_expect(report_ref("00000000000000000000000000000000", true, REPORT_DELIVERED) == 0);
	cr_expect(report_ref("not an id", true, REPORT_SENT) == 0);
	cr_expect(store->report_count == 3);
	cr_expect(metrics_get(METRIC_RECEIPTS_UNKNOWN) == 3);
	cr_expect(report_ref("never-sent", false, REPORT_DELIVERED) == 0);
	cr_expect(store->report_count == 3, "a repeat changes nothing");
}

Test(outbox, a_receipt_from_another_connection_is_not_believed)
{
	struct id a = say("+1", "a");
	struct report report = {
		.connection = "k2", .own_id = true, .status = REPORT_FAILED, .code = ""
	};
	char text[ID_TEXT_SIZE];

	answer("accepted");
	id_format(a, text);
	report.ref = text;
	cr_expect(outbox_report(outbox, &report, done, NULL) == 0);
	run();
	expect_state(a, OUTBOUND_ACCEPTED);
	cr_expect(metrics_get(METRIC_RECEIPTS_UNKNOWN) == 1);
}

Test(outbox, a_receipt_for_what_never_left_is_not_believed)
{
	struct id a;

	outbox_pause(outbox, true);
	a = say("+1", "a");
	cr_expect(report_id(a, REPORT_DELIVERED) == 0);
	expect_state(a, OUTBOUND_QUEUED);
	outbox_pause(outbox, false);
	run();
	expect_sent("a");
}

Test(outbox, a_receipt_that_cannot_be_stored_is_refused_and_comes_again)
{
	struct id a = say("+1", "a");

	answer("accepted");
	store->error = -EIO;
	cr_expect(report_id(a, REPORT_DELIVERED) == -EIO);
	cr_expect(report_id(a, REPORT_DELIVERED) == -EAGAIN, "while the store fails");
	expect_state(a, OUTBOUND_ACCEPTED);
	store->error = 0;
	wait_seconds(1);
	cr_expect(report_id(a, REPORT_DELIVERED) == 0);
	expect_state(a, OUTBOUND_DELIVERED);
}

Test(outbox, early_receipts_in_memory_are_bounded)
{
	char ref[32];

	for (int i = 0; i < 10500; i++) {
		snprintf(ref, sizeof(ref), "r%d", i);
		cr_assert(report_ref(ref, false, REPORT_SENT) == 0);
	}
	cr_expect(store->report_count == 10500, "all are stored");
	say("+1", "a");
	answer("accepted r0"); /* forgotten: nothing but a receipt less */
	say("+2", "b");
	answer("accepted r10499");
	cr_expect(store->report_count == 10499);
}

Test(outbox, too_many_receipts_at_once_are_told_to_come_again)
{
	struct report report = {
		.connection = "k1", .ref = "x", .status = REPORT_SENT, .code = ""
	};
	int rc = 0, count = 0;

	while (rc == 0 && count < 10000) {
		rc = outbox_report(outbox, &report, done, NULL);
		count++;
	}
	cr_expect(rc == -EAGAIN && count > 1000);
	run();
	cr_expect(outbox_report(outbox, &report, done, NULL) == 0);
	run();
}

Test(outbox, an_optout_in_a_receipt_is_told_of)
{
	struct id a = say("+1", "a");
	struct report report = { .connection = "k1",
				 .ref = "p",
				 .status = REPORT_FAILED,
				 .code = "9",
				 .opted_out = true };

	outbox_on_optout(outbox, optout, NULL);
	optout_of[0] = '\0';
	answer("accepted p");
	cr_expect(outbox_report(outbox, &report, done, NULL) == 0);
	run();
	cr_expect_str_eq(optout_of, "+1 k1");
	cr_expect_str_eq(fake_store_row(store, a)->code, "9");
}

/* screens */

static struct id end_screen(struct id reply_to)
{
	struct step *step = step_new();
	struct outbound *msg = add(step, "+1", "screen", CLASS_REPLY);
	struct id id = msg->id;

	msg->state = OUTBOUND_SCREEN;
	msg->reply_to = reply_to;
	commit(step);
	run();
	return id;
}

Test(outbox, a_screen_that_was_taken_is_done)
{
	struct id id = end_screen(id_new("+1"));

	say("+1", "next");
	run();
	expect_sent("");
	outbox_screen_sent(outbox, id, true);
	run();
	expect_state(id, OUTBOUND_ACCEPTED);
	expect_sent("next");
	wait_seconds(100);
	expect_sent("next");
}

Test(outbox, a_screen_that_was_not_taken_follows_by_sms_in_order)
{
	struct id id = end_screen(id_new("+1"));

	say("+1", "next");
	outbox_screen_sent(outbox, id, false);
	run();
	expect_sent("screen");
	answer("accepted");
	expect_sent("screen next");
	expect_state(id, OUTBOUND_ACCEPTED);
	cr_expect(strstr(note(id), "SMS"));
	cr_expect(fake_store_row(store, id)->attempts == 1);
}

Test(outbox, an_open_screen_after_a_crash_waits_for_a_repeat)
{
	struct id call = id_new("+1"), id = end_screen(call);

	crash();
	wait_seconds(29);
	expect_sent("");
	outbox_screen_repeated(outbox, call);
	run();
	expect_state(id, OUTBOUND_ACCEPTED);
	wait_seconds(100);
	expect_sent("");
}

Test(outbox, an_open_screen_without_a_repeat_follows_by_sms)
{
	struct id call = id_new("+1"), id = end_screen(call);

	crash();
	wait_seconds(30);
	expect_sent("screen");
	outbox_screen_repeated(outbox, call);
	answer("accepted");
	expect_state(id, OUTBOUND_ACCEPTED);
}

Test(outbox, a_step_with_a_screen_that_was_not_committed_blocks_nobody)
{
	struct step *step = step_new();

	add(step, "+1", "screen", CLASS_REPLY)->state = OUTBOUND_SCREEN;
	outbox_prepare(outbox, step);
	outbox_aborted(outbox, step);
	step_free(step);
	say("+1", "a");
	expect_sent("a");
}

/* STOP */

Test(outbox, stop_drops_what_was_not_asked_for)
{
	struct id reply, broadcast, other;

	outbox_pause(outbox, true);
	broadcast = say_as("+1", "b", CLASS_BROADCAST);
	reply = say("+1", "r");
	other = say_as("+2", "o", CLASS_BROADCAST);
	stop("+1");
	outbox_pause(outbox, false);
	run();
	expect_state(broadcast, OUTBOUND_DROPPED);
	expect_sent("r o");
	answer_call(0, "accepted");
	answer_call(1, "accepted");
	expect_state(reply, OUTBOUND_ACCEPTED);
	expect_state(other, OUTBOUND_ACCEPTED);
	cr_expect(outbox_waiting(outbox) == 0);
}

Test(outbox, stop_catches_a_broadcast_whose_attempt_is_being_written)
{
	struct id broadcast;

	outbox_pause(outbox, true);
	broadcast = say_as("+1", "b", CLASS_BROADCAST);
	outbox_pause(outbox, false);
	timers_run(timers); /* the attempt's commit is out */
	cr_expect(store->waiting == 1);
	stop("+1");
	run();
	expect_sent("");
	expect_state(broadcast, OUTBOUND_DROPPED);
	cr_expect(outbox_in_flight(outbox) == 0);
	say("+1", "r");
	expect_sent("r");
}

Test(outbox, stop_ends_the_retries_of_a_broadcast_that_is_out)
{
	static const char *const answers[] = { "temporary", "unknown", "throttled 5", "auth" };

	for (unsigned i = 0; i < ARRAY_LEN(answers); i++) {
		struct id broadcast;

		outbox_telco(outbox, &telco);
		broadcast = say_as("+1", "b", CLASS_BROADCAST);
		stop("+1");
		answer(answers[i]);
		expect_state(broadcast, OUTBOUND_DROPPED);
	}
	wait_seconds(2000);
	expect_sent("b b b b");
}

Test(outbox, stop_drops_a_broadcast_in_doubt)
{
	struct id broadcast;

	k1->config.unknown_broadcast = ON_UNKNOWN_RESEND_ONCE;
	broadcast = say_as("+1", "b", CLASS_BROADCAST);
	answer("unknown");
	stop("+1");
	run();
	expect_state(broadcast, OUTBOUND_DROPPED);
	wait_seconds(200);
	expect_sent("b");
}

Test(outbox, the_answer_to_stop_leaves_in_the_same_step)
{
	struct step *step = step_new();
	struct id broadcast;

	k1->limits.in_flight = 1;
	say("+2", "x");
	broadcast = say_as("+1", "b", CLASS_BROADCAST);
	answer_call(0, "permanent");
	expect_sent("x b");
	answer_call(1, "temporary");
	step->citizen = "+1";
	step->drop_unasked = true;
	add(step, "+1", "stopped", CLASS_REPLY);
	commit(step);
	expect_sent("x b stopped");
	run();
	expect_state(broadcast, OUTBOUND_DROPPED);
}

/* operators */

Test(outbox, a_held_message_is_released_and_sent)
{
	struct id a = say_as("+1", "a", CLASS_BROADCAST);

	answer("unknown");
	wait_seconds(60);
	expect_state(a, OUTBOUND_HELD);
	wait_seconds(2 * 86400); /* its validity is over, which an operator may overrule */
	cr_expect(act(outbox_release, a) == 0);
	expect_sent("a a");
	answer("accepted");
	expect_state(a, OUTBOUND_ACCEPTED);
	cr_expect_str_eq(note(a), "released by an operator");
}

Test(outbox, operators_drop_what_waits)
{
	struct id held = say_as("+1", "h", CLASS_BROADCAST), doubt, queued;

	answer("unknown");
	wait_seconds(60);
	doubt = say("+2", "d");
	answer("unknown");
	queued = say("+2", "q");
	cr_expect(act(outbox_drop, held) == 0);
	cr_expect(act(outbox_drop, queued) == 0);
	cr_expect(act(outbox_drop, doubt) == 0);
	expect_state(held, OUTBOUND_DROPPED);
	expect_state(doubt, OUTBOUND_DROPPED);
	expect_state(queued, OUTBOUND_DROPPED);
	cr_expect_str_eq(note(held), "dropped by an operator");
	wait_seconds(1000);
	expect_sent("h d");
}

Test(outbox, a_doubt_released_by_an_operator_is_sent_at_once)
{
	struct id a = say("+1", "a");

	answer("unknown");
	cr_expect(act(outbox_release, a) == 0);
	expect_sent("a a");
}

Test(outbox, operators_hear_why_not)
{
	struct id a = say("+1", "a"), never = id_new("+1");

	cr_expect(act(outbox_release, a) == -EAGAIN);
	cr_expect(act(outbox_drop, a) == -EAGAIN);
	answer("accepted");
	cr_expect(act(outbox_release, a) == -EALREADY);
	cr_expect(act(outbox_drop, a) == -EALREADY);
	cr_expect(act(outbox_drop, never) == -ENOENT);
	cr_expect(act(outbox_release, (struct id){ 0 }) == -ENOENT);
	expect_sent("a");
}

/* many */

Test(outbox, a_full_outbox_says_so)
{
	struct outbox_options options = { .waiting_max = 2, .seed = 1 };
	struct outbox *small = outbox_new(&store->store, &telco, NULL, timers, &options);
	struct outbox *whole = outbox;

	outbox = small;
	say("+1", "a");
	cr_expect(!outbox_full(small));
	say("+2", "b");
	cr_expect(outbox_full(small));
	answer_call(0, "accepted");
	cr_expect(!outbox_full(small));
	outbox_free(small);
	outbox = whole;
}

/* Whether each citizen's calls from `first` on came as "0", "1", ... */
static bool in_order(unsigned *next)
{
	for (unsigned i = 0; i < fake_out_count; i++) {
		unsigned citizen = (unsigned)atoi(fake_outs[i].to);

		if ((unsigned)atoi(fake_outs[i].text) != next[citizen]++)
			return false;
	}
	return true;
}

Test(outbox, a_hundred_thousand_wait_and_leave_in_order)
{
	enum { CITIZENS = 20000, ALL = 100000 };
	unsigned *next = xcalloc(CITIZENS, sizeof(*next)), answered = 0;
	char citizen[16], text[16];

	k1->limits.in_flight = 1000;
	outbox_pause(outbox, true);
	for (int i = 0; i < ALL; i++) {
		snprintf(citizen, sizeof(citizen), "%d", i % CITIZENS);
		snprintf(text, sizeof(text), "%d", i / CITIZENS);
		say(citizen, text);
	}
	cr_expect(outbox_full(outbox) && outbox_waiting(outbox) == ALL);
	outbox_pause(outbox, false);
	run();
	while (answered < fake_out_count) {
		while (answered < fake_out_count)
			fake_telco_answer(answered++, "accepted");
		run();
	}
	cr_expect(fake_out_count == ALL, "%u", fake_out_count);
	cr_expect(in_order(next));
	cr_expect(outbox_waiting(outbox) == 0 && outbox_in_flight(outbox) == 0);
	cr_expect(store->commits < ALL / 50, "%u commits", store->commits);
	free(next);
}

/* Whatever happens: random acts of the telco, the store and the clock, and crashes, against a record of what was seen. */

enum { STORY_CITIZENS = 6, STORY_MESSAGES = 120, STORY_ACTS = 900, STORIES = 60 };

struct told_message {
	struct id id;
	unsigned citizen, calls, taken;
	bool over; /* the telco's side knows its end */
};

static struct told_message story[STORY_MESSAGES];
static unsigned story_count;
static uint64_t dice;

static unsigned roll(unsigned sides)
{
	dice = dice * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(dice >> 33) % sides;
}

static struct told_message *told_of(struct id id)
{
	for (unsigned i = 0; i < story_count; i++) {
		if (story[i].id.serial == id.serial)
			return &story[i];
	}
	return NULL;
}

static bool is_over(const struct told_message *message)
{
	enum outbound_state now = state(message->id);

	return message->over || (now >= OUTBOUND_HELD && now != OUTBOUND_SCREEN);
}

static void check_call(const struct fake_out *out)
{
	struct told_message *message = told_of(out->id);
	const struct outbound *row = fake_store_row(store, out->id);

	cr_assert(row->state == OUTBOUND_SENDING, "a call left whose attempt isn't written");
	cr_expect(row->attempts > message->calls - (message->calls > 0 ? 1 : 0));
	message->calls++;
	message->over = false;
	for (struct told_message *before = story; before < message; before++) {
		if (before->citizen == message->citizen)
			cr_expect(is_over(before), "a later message overtook an earlier one");
	}
}

static void story_say(void)
{
	char citizen[16];
	struct step *step;
	struct told_message *message = &story[story_count];

	if (story_count == STORY_MESSAGES)
		return;
	message->citizen = roll(STORY_CITIZENS);
	snprintf(citizen, sizeof(citizen), "+%u", message->citizen);
	step = step_new();
	message->id = add(step, citizen, "text", CLASS_REPLY)->id;
	story_count++;
	outbox_prepare(outbox, step);
	if (roll(8) == 0)
		outbox_aborted(outbox, step);
	commit(step);
}

static void story_answer(const char *words)
{
	unsigned n = fake_out_count > 0 ? roll(fake_out_count) : 0;
	struct told_message *message = fake_out_count > 0 ? told_of(fake_outs[n].id) : NULL;

	if (!message || !fake_outs[n].cb)
		return;
	if (strcmp(words, "accepted") == 0)
		message->taken++;
	if (strcmp(words, "accepted") == 0 || strcmp(words, "permanent") == 0)
		message->over = true;
	fake_telco_answer(n, words);
}

static void ignore(int error UNUSED, void *arg UNUSED)
{
}

static void story_report(void)
{
	char text[ID_TEXT_SIZE];
	struct told_message *message = &story[roll(story_count)];
	struct report report = { .connection = "k1", .own_id = true, .ref = text, .code = "" };

	if (message->calls == 0)
		return;
	report.status = roll(3) ? REPORT_SENT : REPORT_DELIVERED;
	id_format(message->id, text);
	if (outbox_report(outbox, &report, ignore, NULL) == 0)
		message->over = true;
}

static void story_act(void)
{
	static const char *const answers[] = { "temporary", "unknown", "permanent", "throttled 700",
					       "auth" };

	switch (roll(16)) {
	case 0:
	case 1:
	case 2:
		story_say();
		break;
	case 3:
	case 4:
	case 5:
		story_answer("accepted");
		break;
	case 6:
		story_answer(answers[roll(ARRAY_LEN(answers))]);
		break;
	case 7:
		story_report();
		break;
	case 8:
		store->error = roll(4) == 0 ? -EIO : 0;
		store->busy = roll(6) == 0;
		break;
	case 9:
		now_ms += roll(roll(4) ? 800 : 70000);
		clock_fake(now_ms);
		break;
	case 10:
	case 11:
	case 12:
		fake_store_run_one(store);
		break;
	case 13:
		if (roll(20) == 0) {
			for (unsigned i = 0; i < story_count; i++)
				story[i].over = false; /* what was not written is in doubt again */
			crash();
		}
		break;
	default:
		timers_run(timers);
		break;
	}
}

static void story_finish(void)
{
	store->error = 0;
	store->busy = false;
	for (int round = 0; round < 4000 && outbox_waiting(outbox) > 0; round++) {
		wait_seconds(5);
		for (unsigned i = 0; i < fake_out_count; i++)
			if (fake_outs[i].cb) {
				told_of(fake_outs[i].id)->taken++;
				told_of(fake_outs[i].id)->over = true;
				fake_telco_answer(i, "accepted");
			}
		run();
	}
	run();
}

Test(outbox, whatever_happens_nothing_is_lost_doubled_unmarked_or_out_of_order)
{
	for (unsigned seed = 1; seed <= STORIES; seed++) {
		if (seed > 1) {
			end();
			begin();
		}
		memset(story, 0, sizeof(story));
		story_count = 0;
		dice = seed;
		fake_on_call = check_call;
		story_say();
		for (int i = 0; i < STORY_ACTS; i++)
			story_act();
		story_finish();
		cr_expect(outbox_waiting(outbox) == 0 && outbox_in_flight(outbox) == 0,
			  "story %u: %u wait", seed, outbox_waiting(outbox));
		for (unsigned i = 0; i < story_count; i++) {
			const struct outbound *row = fake_store_row(store, story[i].id);

			cr_expect(row->state >= OUTBOUND_HELD, "story %u, message %u: %s", seed, i,
				  outbound_state_name(row->state));
			cr_expect(story[i].calls > 0, "story %u, message %u was never sent", seed,
				  i);
			cr_expect(story[i].taken <= 1 || row->doubts > 0,
				  "story %u, message %u: twice, unmarked", seed, i);
		}
	}
}
