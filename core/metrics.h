/* metrics.h - counters and gauges, printed as Prometheus text (exposition format 0.0.4).
 *
 * A metric is a row in the table in metrics.c; adding one is adding a row here and there.  Counting is
 * thread-safe and costs one atomic add.  Labels come from fixed sets or the settings, never from input.
 */
#pragma once
#include "base.h"

struct buf;
enum metric {
	METRIC_INBOUND,           /* messages accepted */
	METRIC_INBOUND_DUPLICATE, /* repeats answered without acting */
	METRIC_INBOUND_REFUSED,   /* callbacks refused: key, form, limits */
	METRIC_OVERLOAD,          /* 503 answers */
	METRIC_UNANSWERED,        /* messages that get no answer by rule (machines, short codes) */
	METRIC_STEPS,             /* dialog steps committed */
	METRIC_STEPS_FAILED,      /* dialogs ended by an error, a limit or divergence */
	METRIC_REPLAYS,           /* dialogs replayed */
	METRIC_CONFLICTS,         /* commits that lost the compare-and-swap */
	METRIC_COMMITS,           /* transactions */
	METRIC_COMMIT_ERRORS,
	METRIC_OUTBOUND_ACCEPTED,
	METRIC_OUTBOUND_FAILED,
	METRIC_OUTBOUND_RETRIED,
	METRIC_OUTBOUND_UNKNOWN, /* outcomes unknown */
	METRIC_OUTBOUND_RESENT,  /* sent once more after an unknown outcome */
	METRIC_OUTBOUND_HELD,
	METRIC_RECEIPTS,
	METRIC_RECEIPTS_UNKNOWN, /* for messages that we never sent */
	METRIC_HTTP_CONNECTIONS, /* gauge */
	METRIC_OUTBOX_WAITING,   /* gauge */
	METRIC_CONNECTIONS_PAUSED, /* gauge: connections that need an operator (money, credentials, settings) */
	METRIC_STEPS_WAITING, /* gauge: events waiting for or being worked on */
	METRIC_STORE_WAITING, /* gauge: steps waiting for a commit */
	METRIC_COUNT,
};
void metrics_add(enum metric metric, int64_t n); /* counters: n >= 0; gauges: any */
void metrics_set(enum metric metric, int64_t n); /* gauges */
int64_t metrics_get(enum metric metric);
void metrics_print(struct buf *out);
