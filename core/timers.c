/* timers.c - what is due to time, on the loop thread.
 *
 * A binary heap ordered by time and, within one time, by order of adding.  Entries follow the wall clock,
 * while libevent's own timer does not see it being set: so that one wakes at least once a minute.
 */
#include "timers.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdlib.h>

#include "clock.h"

enum { WAKE_MAX_MS = 60000 };

struct timer {
	int64_t at_ms;
	uint64_t serial; /* order of adding */
	size_t place;    /* in the heap */
	timer_cb *cb;
	void *arg;
};

struct timers {
	struct event_base *base; /* borrowed; NULL: a test calls timers_run */
	struct event wake;
	int64_t wake_at;     /* ms when wake fires; INT64_MAX: not pending */
	struct timer **heap; /* owned, with its entries */
	size_t count, room;
	uint64_t serial;
	int64_t running; /* time of the timers_run in work, INT64_MIN: none */
};

static bool is_before(const struct timer *a, const struct timer *b)
{
	return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->serial < b->serial;
}

static void heap_put(struct timers *timers, size_t place, struct timer *timer)
{
	timers->heap[place] = timer;
	timer->place = place;
}

static void heap_up(struct timers *timers, struct timer *timer)
{
	size_t place = timer->place;

	while (place > 0 && is_before(timer, timers->heap[(place - 1) / 2])) {
		heap_put(timers, place, timers->heap[(place - 1) / 2]);
		place = (place - 1) / 2;
	}
	heap_put(timers, place, timer);
}

static void heap_down(struct timers *timers, struct timer *timer)
{
	size_t place = timer->place, child;

	while ((child = 2 * place + 1) < timers->count) {
		if (child + 1 < timers->count &&
		    is_before(timers->heap[child + 1], timers->heap[child]))
			child++;
		if (!is_before(timers->heap[child], timer))
			break;
		heap_put(timers, place, timers->heap[child]);
		place = child;
	}
	heap_put(timers, place, timer);
}

static void heap_remove(struct timers *timers, struct timer *timer)
{
	struct timer *last = timers->heap[--timers->count];

	if (last == timer)
		return;
	heap_put(timers, timer->place, last);
	heap_up(timers, last);
	heap_down(timers, last);
}

/* libevent wakes us for the earliest entry; too early does no harm, so a later one leaves it as it is. */
static void follow(struct timers *timers)
{
	int64_t now, at = timers_next(timers);
	struct timeval wait;

	if (!timers->base || at >= timers->wake_at)
		return;
	now = clock_now_ms();
	at = at < now ? now : at;
	at = at - now > WAKE_MAX_MS ? now + WAKE_MAX_MS : at;
	if (at >= timers->wake_at)
		return;
	timers->wake_at = at;
	wait.tv_sec = (time_t)((at - now) / 1000);
	wait.tv_usec = (suseconds_t)((at - now) % 1000 * 1000);
	evtimer_add(&timers->wake, &wait);
}

static void timers_wake_cb(evutil_socket_t fd UNUSED, short events UNUSED, void *arg)
{
	struct timers *timers = arg;

	timers->wake_at = INT64_MAX;
	timers_run(timers);
}

struct timers *timers_new(struct event_base *base)
{
	struct timers *timers = xcalloc(1, sizeof(*timers));

	timers->base = base;
	timers->wake_at = INT64_MAX;
	timers->running = INT64_MIN;
	if (base)
		evtimer_assign(&timers->wake, base, timers_wake_cb, timers);
	return timers;
}

void timers_free(struct timers *timers)
{
	size_t i;

	if (!timers)
		return;
	if (timers->base)
		evtimer_del(&timers->wake);
	for (i = 0; i < timers->count; i++)
		free(timers->heap[i]);
	free(timers->heap);
	free(timers);
}

struct timer *timers_at(struct timers *timers, int64_t at_ms, timer_cb *cb, void *arg)
{
	struct timer *timer = xcalloc(1, sizeof(*timer));

	/* What a callback adds for the past comes behind all that was due with it: else timers_run would not end. */
	timer->at_ms = at_ms < timers->running ? timers->running : at_ms;
	timer->serial = timers->serial++;
	timer->cb = cb;
	timer->arg = arg;
	if (timers->count == timers->room) {
		timers->room = timers->room > 0 ? timers->room * 2 : 16;
		timers->heap = xrealloc(timers->heap, timers->room * sizeof(*timers->heap));
	}
	heap_put(timers, timers->count++, timer);
	heap_up(timers, timer);
	if (timers->heap[0] == timer)
		follow(timers);
	return timer;
}

void timers_cancel(struct timers *timers, struct timer *timer)
{
	if (!timer)
		return;
	heap_remove(timers, timer);
	free(timer);
}

int64_t timers_next(const struct timers *timers)
{
	return timers->count > 0 ? timers->heap[0]->at_ms : INT64_MAX;
}

void timers_run(struct timers *timers)
{
	uint64_t until =
		timers->serial; /* what callbacks add waits for the next turn of the loop */

	timers->running = clock_now_ms();
	while (timers->count > 0) {
		struct timer *timer = timers->heap[0];
		timer_cb *cb = timer->cb;
		void *arg = timer->arg;

		if (timer->at_ms > timers->running || timer->serial >= until)
			break;
		heap_remove(timers, timer);
		free(timer);
		cb(arg);
	}
	timers->running = INT64_MIN;
	follow(timers);
}
