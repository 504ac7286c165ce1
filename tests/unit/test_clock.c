/* test_clock.c - the time, replaceable in tests. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <time.h>

#include "clock.h"

Test(clock, stands_where_a_test_puts_it)
{
	clock_fake(1795521600123);
	cr_expect(eq(i64, clock_now_ms(), 1795521600123));
	cr_expect(eq(i64, clock_now(), 1795521600));
	clock_fake(0);
	cr_expect(eq(i64, clock_now_ms(), 0));
}

Test(clock, is_the_machines_again_after_clock_real)
{
	int64_t before = (int64_t)time(NULL);

	clock_fake(0);
	clock_real();
	cr_expect(ge(i64, clock_now(), before));
	cr_expect(le(i64, clock_now(), (int64_t)time(NULL)));
}
