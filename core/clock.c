/* clock.c - the time, replaceable in tests.
 *
 * Wall time alone: all that is stored must mean the same after a restart, and a test moves everything by
 * setting one number.
 */
#include "clock.h"

#include <stdatomic.h>
#include <time.h>

enum { NOT_FAKE = -1 };

static _Atomic int64_t fake_ms = NOT_FAKE;

int64_t clock_now_ms(void)
{
	int64_t ms = atomic_load_explicit(&fake_ms, memory_order_relaxed);
	struct timespec now;

	if (ms != NOT_FAKE)
		return ms;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_now(void)
{
	return clock_now_ms() / 1000;
}

void clock_fake(int64_t ms)
{
	atomic_store(&fake_ms, ms < 0 ? 0 : ms);
}

void clock_real(void)
{
	atomic_store(&fake_ms, NOT_FAKE);
}
