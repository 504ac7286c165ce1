/* metrics.c - counters and gauges, printed as Prometheus text.
 *
 * One table and one array of atomics: counting must be possible from any thread and cost nothing.
 * Source: Prometheus, text-based exposition format 0.0.4.
 */
#include "metrics.h"

#include <inttypes.h>
#include <stdatomic.h>

enum metric_type { COUNTER, GAUGE };

static const struct {
	const char *name;
	enum metric_type type;
	const char *help;
} metrics[METRIC_COUNT] = {
	[METRIC_INBOUND] = { "inbound", COUNTER, "Messages accepted from telcos" },
	[METRIC_INBOUND_DUPLICATE] = { "inbound_duplicate", COUNTER,
				       "Repeated callbacks answered without acting" },
	[METRIC_INBOUND_REFUSED] = { "inbound_refused", COUNTER,
				     "Callbacks refused: key, form or limits" },
	[METRIC_OVERLOAD] = { "overload", COUNTER, "Callbacks answered with 503" },
	[METRIC_UNANSWERED] = { "unanswered", COUNTER, "Messages that get no answer by rule" },
	[METRIC_STEPS] = { "steps", COUNTER, "Dialog steps committed" },
	[METRIC_STEPS_FAILED] = { "steps_failed", COUNTER,
				  "Dialogs ended by an error, a limit or divergence" },
	[METRIC_REPLAYS] = { "replays", COUNTER, "Dialogs replayed from their journal" },
	[METRIC_CONFLICTS] = { "conflicts", COUNTER,
			       "Commits that lost against another of the same citizen" },
	[METRIC_COMMITS] = { "commits", COUNTER, "Transactions of the store" },
	[METRIC_COMMIT_ERRORS] = { "commit_errors", COUNTER, "Transactions that failed" },
	[METRIC_OUTBOUND_ACCEPTED] = { "outbound_accepted", COUNTER, "Messages that a telco took" },
	[METRIC_OUTBOUND_FAILED] = { "outbound_failed", COUNTER,
				     "Messages refused for good or expired" },
	[METRIC_OUTBOUND_RETRIED] = { "outbound_retried", COUNTER,
				      "Attempts repeated after a failure" },
	[METRIC_OUTBOUND_UNKNOWN] = { "outbound_unknown", COUNTER,
				      "Attempts whose outcome is unknown" },
	[METRIC_OUTBOUND_RESENT] = { "outbound_resent", COUNTER,
				     "Messages sent once more after an unknown outcome" },
	[METRIC_OUTBOUND_HELD] = { "outbound_held", COUNTER, "Messages held for an operator" },
	[METRIC_RECEIPTS] = { "receipts", COUNTER, "Delivery reports taken" },
	[METRIC_RECEIPTS_UNKNOWN] = { "receipts_unknown", COUNTER,
				      "Delivery reports for messages that are not ours" },
	[METRIC_HTTP_CONNECTIONS] = { "http_connections", GAUGE, "Open HTTP connections" },
	[METRIC_OUTBOX_WAITING] = { "outbox_waiting", GAUGE, "Messages waiting for a telco" },
	[METRIC_CONNECTIONS_PAUSED] = { "connections_paused", GAUGE,
					"Connections that need an operator (money, credentials, "
					"settings)" },
	[METRIC_STEPS_WAITING] = { "steps_waiting", GAUGE,
				   "Events waiting for or being worked on" },
	[METRIC_STORE_WAITING] = { "store_waiting", GAUGE, "Steps waiting for a commit" },
};

static _Atomic int64_t values[METRIC_COUNT];

void metrics_add(enum metric metric, int64_t n)
{
	atomic_fetch_add_explicit(&values[metric], n, memory_order_relaxed);
}

void metrics_set(enum metric metric, int64_t n)
{
	atomic_store_explicit(&values[metric], n, memory_order_relaxed);
}

int64_t metrics_get(enum metric metric)
{
	return atomic_load_explicit(&values[metric], memory_order_relaxed);
}

void metrics_print(struct buf *out)
{
	unsigned i;

	for (i = 0; i < METRIC_COUNT; i++) {
		const char *name = metrics[i].name,
			   *suffix = metrics[i].type == COUNTER ? "_total" : "";

		buf_addf(out, "# HELP kentongan_%s%s %s\n", name, suffix, metrics[i].help);
		buf_addf(out, "# TYPE kentongan_%s%s %s\n", name, suffix,
			 metrics[i].type == COUNTER ? "counter" : "gauge");
		buf_addf(out, "kentongan_%s%s %" PRId64 "\n", name, suffix,
			 metrics_get((enum metric)i));
	}
}
