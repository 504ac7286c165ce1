/* test_metrics.c - counters and gauges. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>
#include <string.h>

#include "metrics.h"

static void *count(void *arg UNUSED)
{
	int i;

	for (i = 0; i < 10000; i++)
		metrics_add(METRIC_INBOUND, 1);
	return NULL;
}

Test(metrics, counts_from_any_thread)
{
	pthread_t threads[4];
	unsigned i;

	for (i = 0; i < ARRAY_LEN(threads); i++)
		cr_assert(eq(int, pthread_create(&threads[i], NULL, count, NULL), 0));
	for (i = 0; i < ARRAY_LEN(threads); i++)
		pthread_join(threads[i], NULL);
	cr_expect(eq(i64, metrics_get(METRIC_INBOUND), 40000));
}

Test(metrics, prints_every_row_with_help_and_type)
{
	struct buf out = { 0 };
	unsigned rows = 0;
	const char *at;

	metrics_add(METRIC_OVERLOAD, 3);
	metrics_set(METRIC_OUTBOX_WAITING, -2);
	metrics_print(&out);
	for (at = out.data; (at = strstr(at, "# TYPE kentongan_")) != NULL; at++)
		rows++;
	cr_expect(eq(uint, rows, METRIC_COUNT));
	cr_expect(eq(ptr, strstr(out.data, "(null)"), NULL));
	cr_expect(
		ne(ptr,
		   strstr(out.data,
			  "# TYPE kentongan_overload_total counter\nkentongan_overload_total 3\n"),
		   NULL));
	cr_expect(ne(ptr,
		     strstr(out.data,
			    "# TYPE kentongan_outbox_waiting gauge\nkentongan_outbox_waiting -2\n"),
		     NULL));
	buf_free(&out);
}
