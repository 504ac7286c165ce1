/* test_timers.c - what is due to time. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "timers.h"

static const int64_t NOON = 1795521600000;

static char called[64];
static struct timers *timers;

static void note_cb(void *arg)
{
	strncat(called, arg, sizeof(called) - strlen(called) - 1);
}

static void at(int64_t seconds, char *name)
{
	timers_at(timers, NOON + seconds * 1000, note_cb, name);
}

static void start(void)
{
	clock_fake(NOON);
	timers = timers_new(NULL);
}

static void stop(void)
{
	timers_free(timers);
}

TestSuite(timers, .init = start, .fini = stop);

Test(timers, run_in_the_order_of_their_times_and_then_of_adding)
{
	at(3, "c");
	at(1, "a");
	at(2, "b");
	at(3, "d");
	at(9, "z");
	clock_fake(NOON + 3000);
	timers_run(timers);
	cr_expect(eq(str, called, "abcd"));
	cr_expect(eq(i64, timers_next(timers), NOON + 9000));
}

Test(timers, nothing_runs_before_its_time)
{
	at(1, "a");
	clock_fake(NOON + 999);
	timers_run(timers);
	cr_expect(eq(str, called, ""));
	clock_fake(NOON + 1000);
	timers_run(timers);
	cr_expect(eq(str, called, "a"));
	cr_expect(eq(i64, timers_next(timers), INT64_MAX));
}

Test(timers, a_cancelled_one_never_runs)
{
	struct timer *b;

	at(1, "a");
	b = timers_at(timers, NOON + 1000, note_cb, "b");
	at(1, "c");
	timers_cancel(timers, b);
	timers_cancel(timers, NULL);
	clock_fake(NOON + 1000);
	timers_run(timers);
	cr_expect(eq(str, called, "ac"));
}

static struct timer *victim;

static void cancel_cb(void *arg)
{
	note_cb(arg);
	timers_cancel(timers, victim);
}

Test(timers, one_can_be_cancelled_by_another_that_is_due_with_it)
{
	timers_at(timers, NOON, cancel_cb, "a");
	victim = timers_at(timers, NOON, note_cb, "b");
	at(0, "c");
	timers_run(timers);
	cr_expect(eq(str, called, "ac"));
}

static void again_cb(void *arg)
{
	note_cb(arg);
	timers_at(timers, NOON - 5000, again_cb, arg);
}

Test(timers, one_that_adds_itself_for_the_past_waits_for_the_next_turn)
{
	timers_at(timers, NOON - 5000, again_cb, "a");
	at(0, "b");
	timers_run(timers);
	cr_expect(eq(str, called, "ab"));
	timers_run(timers);
	cr_expect(eq(str, called, "aba"));
}

static int64_t last_at;
static unsigned ran;

static void rising_cb(void *arg)
{
	int64_t *due = arg;

	cr_assert(ge(i64, *due, last_at));
	last_at = *due;
	ran++;
}

Test(timers, ten_thousand_added_and_cancelled_at_random_keep_their_order)
{
	enum { COUNT = 10000 };
	int64_t *due = xcalloc(COUNT, sizeof(*due));
	struct timer **entry = xcalloc(COUNT, sizeof(struct timer *));
	unsigned i, left = COUNT;

	srand(1);
	for (i = 0; i < COUNT; i++) {
		due[i] = NOON + rand() % 1000;
		entry[i] = timers_at(timers, due[i], rising_cb, &due[i]);
	}
	for (i = 0; i < COUNT; i += 3, left--)
		timers_cancel(timers, entry[i]);
	clock_fake(NOON + 1000);
	timers_run(timers);
	cr_expect(eq(uint, ran, left));
	free(entry);
	free(due);
}

static void break_cb(void *arg)
{
	note_cb("x");
	event_base_loopbreak(arg);
}

Test(timers, follow_the_real_clock_on_the_loop)
{
	struct event_base *base = event_base_new();
	struct timers *real;

	clock_real();
	real = timers_new(base);
	timers_at(real, clock_now_ms() + 20, break_cb, base);
	timers_at(real, clock_now_ms() + 3600000, break_cb, base);
	timers_at(real, clock_now_ms() - 1, note_cb, "a");
	cr_expect(eq(str, called, ""));
	event_base_dispatch(base);
	cr_expect(eq(str, called, "ax"));
	timers_free(real);
	event_base_free(base);
}
