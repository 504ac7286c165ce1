/* test_worker.c - work comes back through the loop, the same with and without a cache, whatever other plugins do. */
#include "worker.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "clock.h"

enum { TALKS_MAX = 200, QUESTIONS = 4 };

static struct event_base *base;
static struct workers *workers;
static struct bundle *calm, *other, *spin;

static struct bundle *bundle_of(const char *plugin, const char *source)
{
	struct bundle_file file = { plugin, { source, strlen(source) } };
	struct bundle parts = { .plugin = plugin, .files = &file, .file_count = 1 };
	struct buf content = { 0 };
	struct bundle *bundle;

	bundle_encode(&content, &parts);
	bundle = bundle_new((struct bytes){ content.data, content.len });
	buf_free(&content);
	cr_assert_not_null(bundle);
	return bundle;
}

static void open_loop(void)
{
	static const char asks[] =
		"local sum = 0\nreturn { dialog = function(citizen, settings, message)\n"
		"  for i = 1, 4 do\n    local n = citizen:ask(message.rest .. ' ' .. i .. '?', { "
		"kind = 'integer' })\n"
		"    sum = sum + n * i\n    citizen:say('%d %d', n, random(1000))\n  end\n"
		"  citizen:say('%d', sum)\nend }";

	base = event_base_new();
	calm = bundle_of("calm", asks);
	other = bundle_of("other", asks);
	spin = bundle_of("spin", "return { dialog = function() while true do end end }");
}

static void close_loop(void)
{
	workers_free(workers);
	workers = NULL;
	event_base_free(base);
	bundle_unref(calm);
	bundle_unref(other);
	bundle_unref(spin);
	clock_real();
}

TestSuite(worker, .init = open_loop, .fini = close_loop);

static void start(unsigned threads, unsigned cache)
{
	workers_free(workers);
	workers = workers_new(base, &(struct worker_options){ .count = threads, .cache = cache });
}

/* ---- a dialog, and what the loop keeps of it ---- */

struct talk {
	struct work work;
	struct buf journal;
	struct arena arena;
	struct step *step;
	struct buf seen; /* every question and all that was said, as text */
	unsigned number, answered, came, replays;
	bool within; /* workers_put hasn't returned */
};

static struct talk talks[TALKS_MAX];
static struct talk *order[TALKS_MAX * (QUESTIONS + 2)]; /* in which they came back */
static unsigned came;

static void back_cb(struct work *work, void *arg)
{
	struct talk *talk = arg;

	cr_assert_eq(work, &talk->work);
	cr_expect_not(talk->within, "never inside workers_put");
	talk->came++;
	order[came++] = talk;
}

static void put(struct talk *talk)
{
	struct work *work = &talk->work;

	step_free(talk->step);
	talk->step = step_new();
	work->call = (struct run_call){ .journal = { talk->journal.data, talk->journal.len },
					.citizen = "+6281234567890",
					.dialog = { 1, talk->number + 1 },
					.step = talk->step,
					.arena = &talk->arena };
	talk->within = true;
	workers_put(workers, work);
	talk->within = false;
}

/* Puts a new dialog of the bundle. */
static struct talk *begin(unsigned number, struct bundle *bundle)
{
	struct talk *talk = &talks[number];
	char rest[16];
	struct journal_event event = {
		.time = 1795489485, .seed = number, .start = true, .rest = { rest, 0 }
	};

	event.rest.len = (size_t)snprintf(rest, sizeof(rest), "N%u", number);
	talk->number = number;
	talk->work.bundle = bundle;
	talk->work.dialog = "dialog";
	talk->work.worker = -1;
	talk->work.cb = back_cb;
	talk->work.arg = talk;
	journal_add_event(&talk->journal, &event);
	put(talk);
	return talk;
}

static void note(struct talk *talk)
{
	const struct run_call *call = &talk->work.call;

	buf_addf(&talk->seen, "[%d %s %s]", (int)talk->work.end, call->said.data,
		 talk->work.end == RUN_WAITS ? call->request.prompt.data : call->error);
	talk->replays += call->replayed;
}

static void answer(struct talk *talk)
{
	const struct request *request = &talk->work.call.request;
	struct journal_event event = { .time = 1795489485, .seed = talk->number + talk->answered };
	struct journal_call call = { .kind = request->kind,
				     .hash = request->hash,
				     .shape = request->shape };
	struct buf result = { 0 };

	talk->work.known = talk->journal.len;
	journal_add_event(&talk->journal, &event);
	journal_result_integer(&result, talk->number + talk->answered++);
	call.results = (struct bytes){ result.data, result.len };
	journal_add_call(&talk->journal, &call);
	buf_free(&result);
	put(talk);
}

/* Runs the loop until at least so many have come back. */
static void wait_for(unsigned count)
{
	while (came < count)
		cr_assert_eq(event_base_loop(base, EVLOOP_ONCE), 0);
}

static void close_talk(struct talk *talk)
{
	buf_free(&talk->journal);
	buf_free(&talk->seen);
	arena_free(&talk->arena);
	step_free(talk->step);
	*talk = (struct talk){ 0 };
}

static void close_all(void)
{
	for (unsigned i = 0; i < TALKS_MAX; i++)
		close_talk(&talks[i]);
	came = 0;
}

Test(worker, work_comes_back_through_the_loop)
{
	struct talk *talk;

	start(2, 10);
	cr_expect_eq(workers_waiting(workers), 0);
	talk = begin(0, calm);
	cr_expect_eq(workers_waiting(workers), 1);
	cr_expect_eq(talk->came, 0, "not before the loop runs");
	wait_for(1);
	cr_expect_eq(workers_waiting(workers), 0);
	cr_expect_eq(talk->work.end, RUN_WAITS, "%s", talk->work.call.error);
	cr_expect_str_eq(talk->work.call.request.prompt.data, "N0 1?");
	cr_expect(talk->work.worker == 0 || talk->work.worker == 1);
	close_all();
}

Test(worker, a_dialog_that_cannot_be_begun_has_failed_with_an_error)
{
	struct bundle *broken = bundle_of("broken", "return = 1"),
		      *empty = bundle_of("empty", "return {}");

	start(1, 10);
	begin(0, broken);
	begin(1, empty);
	wait_for(2);
	cr_expect_eq(talks[0].work.end, RUN_FAILED);
	cr_expect_eq(strncmp(talks[0].work.call.error, "broken:1: ", 10), 0, "%s",
		     talks[0].work.call.error);
	cr_expect_str_eq(talks[0].work.call.said.data, "");
	cr_expect_eq(talks[1].work.end, RUN_FAILED);
	cr_expect_str_eq(talks[1].work.call.error, "empty: there is no dialog 'dialog'");
	close_all();
	bundle_unref(broken);
	bundle_unref(empty);
}

/* ---- the cache ---- */

/* Every dialog to its end, all at once. */
static void play(unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		begin(i, i % 2 ? other : calm);
	for (unsigned next = 0; next < count * (QUESTIONS + 1); next++) {
		wait_for(next + 1);
		note(order[next]);
		if (order[next]->work.end == RUN_WAITS)
			answer(order[next]);
	}
}

Test(worker, a_dialog_gives_the_same_with_and_without_a_cache)
{
	static const unsigned caches[] = { 0, 1, 3, 1000 };
	static char first[20][1024];

	for (unsigned c = 0; c < ARRAY_LEN(caches); c++) {
		start(c % 2 + 1, caches[c]);
		play(20);
		for (unsigned i = 0; i < 20; i++) {
			cr_expect_eq(talks[i].came, QUESTIONS + 1);
			cr_expect_eq(talks[i].work.end, RUN_DONE, "%s", talks[i].work.call.error);
			if (c == 0)
				snprintf(first[i], sizeof(first[i]), "%s", talks[i].seen.data);
			cr_expect_str_eq(talks[i].seen.data, first[i], "cache %u", caches[c]);
			if (caches[c] == 0)
				cr_expect_eq(talks[i].replays, QUESTIONS + 1,
					     "each step is a replay");
		}
		close_all();
	}
}

Test(worker, a_cached_dialog_goes_on_where_it_was)
{
	start(1, 1000);
	play(20);
	for (unsigned i = 0; i < 20; i++)
		cr_expect_eq(talks[i].replays, 1, "it began once");
	close_all();
}

Test(worker, the_dialog_that_waits_longest_leaves_the_cache_first)
{
	start(1, 2);
	for (unsigned i = 0; i < 3; i++)
		begin(i, calm);
	wait_for(3);
	for (unsigned i = 0; i < 3; i++)
		answer(&talks[2 - i]);
	wait_for(6);
	cr_expect(talks[0].work.call.replayed);
	cr_expect(!talks[2].work.call.replayed && !talks[1].work.call.replayed);
	close_all();
}

Test(worker, a_forgotten_dialog_is_replayed)
{
	start(1, 10);
	begin(0, calm);
	begin(1, calm);
	wait_for(2);
	workers_forget(workers, talks[0].work.worker, talks[0].work.call.dialog);
	workers_forget(workers, -1, talks[1].work.call.dialog);             /* nowhere */
	workers_forget(workers, talks[1].work.worker, (struct id){ 9, 9 }); /* unknown */
	answer(&talks[0]);
	answer(&talks[1]);
	wait_for(4);
	cr_expect(talks[0].work.call.replayed);
	cr_expect_not(talks[1].work.call.replayed);
	cr_expect_str_eq(talks[0].work.call.request.prompt.data, "N0 2?");
	close_all();
}

Test(worker, a_live_run_that_has_seen_another_journal_is_not_used)
{
	start(1, 10);
	begin(0, calm);
	begin(1, calm);
	wait_for(2);
	answer(&talks[0]);
	wait_for(3);
	talks[0].answered =
		0; /* the commit failed: the same answer comes again, behind the journal as it was */
	talks[0].journal.len = talks[0].work.known;
	put(&talks[0]);
	wait_for(4);
	cr_expect(talks[0].work.call.replayed);
	cr_expect_str_eq(talks[0].work.call.request.prompt.data, "N0 1?");
	talks[1].work.bundle = other;
	answer(&talks[1]);
	wait_for(5);
	cr_expect(talks[1].work.call.replayed, "the code is another");
	close_all();
}

/* ---- turns ---- */

Test(worker, a_plugin_that_never_ends_is_stopped_and_does_not_keep_anothers_work_waiting)
{
	unsigned last_calm = 0, last_spin = 0;

	for (unsigned threads = 1; threads <= 2; threads++) {
		start(threads, 10);
		for (unsigned i = 0; i < 8; i++)
			begin(i, spin);
		for (unsigned i = 8; i < 28; i++)
			begin(i, calm);
		wait_for(28);
		for (unsigned i = 0; i < 28; i++) {
			unsigned number = order[i]->number;

			*(number < 8 ? &last_spin : &last_calm) = i;
			cr_expect_eq(order[i]->work.end, number < 8 ? RUN_BREACHED : RUN_WAITS,
				     "%s", order[i]->work.call.error);
			cr_expect_eq(order[i]->came, 1);
		}
		/* With one thread it is certain: who breached is served after all others. */
		if (threads == 1)
			cr_expect_lt(last_calm, last_spin);
		for (unsigned i = 0, next = 8; i < 28; i++)
			if (order[i]->number >= 8)
				cr_expect_eq(order[i]->number, next++, "in order");
		close_all();
	}
}

Test(worker, a_plugin_that_breached_a_limit_goes_on_to_be_served)
{
	start(2, 10);
	clock_fake(1000000);
	begin(0, spin);
	wait_for(1);
	begin(1, spin);
	wait_for(2);
	clock_fake(1000000 + 61000);
	begin(2, spin);
	wait_for(3);
	for (unsigned i = 0; i < 3; i++)
		cr_expect_eq(talks[i].work.end, RUN_BREACHED);
	close_all();
}

Test(worker, two_threads_bring_many_dialogs_to_their_ends)
{
	start(2, 50);
	play(TALKS_MAX);
	for (unsigned i = 0; i < TALKS_MAX; i++) {
		char end[32];

		/* the answers are i, i + 1, i + 2, i + 3, and each counts as often as its place */
		snprintf(end, sizeof(end), "\n%u ]", 10 * i + 20);
		cr_expect_eq(talks[i].work.end, RUN_DONE, "%s", talks[i].work.call.error);
		cr_expect_str_eq(talks[i].seen.data + talks[i].seen.len - strlen(end), end, "%s",
				 talks[i].seen.data);
	}
	cr_expect_eq(workers_waiting(workers), 0);
	close_all();
}

/* ---- the end ---- */

Test(worker, work_that_waits_is_given_back_when_the_threads_end)
{
	start(2, 10);
	for (unsigned i = 0; i < 50; i++)
		begin(i, i % 10 == 0 ? spin : calm);
	cr_expect_eq(workers_waiting(workers), 50);
	workers_free(workers);
	workers = NULL;
	cr_expect_eq(came, 50, "within the call");
	for (unsigned i = 0; i < 50; i++) {
		cr_expect_eq(talks[i].came, 1);
		cr_expect_eq(talks[i].work.end, RUN_AGAIN);
	}
	close_all();
}

Test(worker, threads_end_with_dialogs_in_the_cache_and_forgets_not_yet_done)
{
	start(2, 10);
	for (unsigned i = 0; i < 6; i++)
		begin(i, calm);
	wait_for(6);
	for (unsigned i = 0; i < 6; i++)
		workers_forget(workers, talks[i].work.worker, talks[i].work.call.dialog);
	workers_free(workers);
	workers = NULL;
	workers_free(NULL);
	close_all();
}
