/* timers.h - what is due to time, on the loop thread, by clock.h.
 *
 * One heap for the whole program, so that a test with a fake clock moves everything: set the clock, call
 * timers_run.  With a real clock one libevent timer follows the earliest entry.
 */
#pragma once
#include "base.h"

struct event_base;
struct timers;
struct timer; /* one entry */
typedef void timer_cb(void *arg);

struct timers *timers_new(struct event_base *base) MUST_CHECK; /* base is borrowed */
void timers_free(struct timers *timers); /* NULL is fine; forgets what is pending */

/* Calls cb(arg) once, from the loop, when the clock has reached at_ms; never inside this call.
 * Ownership: the entry frees itself before it calls cb; until then timers_cancel may be used. */
struct timer *timers_at(struct timers *timers, int64_t at_ms, timer_cb *cb, void *arg);
void timers_cancel(struct timers *timers, struct timer *timer); /* NULL is fine */
int64_t timers_next(const struct timers *timers); /* ms of the earliest, INT64_MAX: none */
void timers_run(struct timers *timers);           /* runs all that is due now */
