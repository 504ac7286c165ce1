/* outbox_send.c - one attempt, and what came of it.
 *
 * An attempt is on disk before it leaves and its result comes after, so a crash in between leaves a message of which
 * nobody here knows whether the telco has it; a time-out after the request left is the same.  Both are UNKNOWN: sent
 * again blindly a citizen would get it twice, forgotten she would get nothing.  A receipt proves that the telco has
 * it, and is awaited; without one the connection's setting decides, and a note on the message says what was done.
 */
#include "outbox_priv.h"

#include <errno.h>
#include <string.h>

#include "clock.h"
#include "crash.h"
#include "log.h"
#include "metrics.h"

enum {
	RETRY_FIRST_MS = 2000, /* doubled after each failure */
	RETRY_MAX_MS = 900000,
	AWAIT_SECONDS = 60, /* where the connection isn't in the settings any more */
};

void parcel_start(struct parcel *parcel)
{
	parcel->row.state = OUTBOUND_SENDING;
	parcel->row.attempts++;
	parcel->row.not_before = 0;
	if (parcel->row.attempts > 1)
		metrics_add(METRIC_OUTBOUND_RETRIED, 1);
	parcel->turn = true;
	link_take(parcel->link);
	parcel_block(parcel, false);
	parcel_arm(parcel);
	parcel_dirty(parcel, true);
}

static void log_parcel(enum log_level level, const char *event, const struct parcel *parcel)
{
	log_event(level, event, "sconnection", parcel->link->name, "dmessage", &parcel->row.id,
		  "ncitizen", parcel->row.citizen, "scode", parcel->row.code, "snote",
		  parcel->row.note, NULL);
}

static void accept(struct parcel *parcel)
{
	metrics_add(METRIC_OUTBOUND_ACCEPTED, 1);
	parcel_settle(parcel, OUTBOUND_ACCEPTED);
}

static void refuse(struct parcel *parcel, const char *note)
{
	metrics_add(METRIC_OUTBOUND_FAILED, 1);
	parcel_note(parcel, note);
	log_parcel(LOG_WARN, "outbox.failed", parcel);
	parcel_settle(parcel, OUTBOUND_FAILED);
}

static void try_later(struct parcel *parcel)
{
	int64_t pause = RETRY_MAX_MS;

	if (parcel->failures < 9)
		pause = (int64_t)RETRY_FIRST_MS << parcel->failures;
	parcel->failures++;
	pause += (int64_t)(outbox_random(parcel->outbox) * (double)pause / 4);
	parcel_queue(parcel, clock_now_ms() + (pause < RETRY_MAX_MS ? pause : RETRY_MAX_MS));
}

/* doubt */

static const struct telco_config *config_of(const struct parcel *parcel)
{
	return parcel->link->telco ? telco_config(parcel->link->telco) : NULL;
}

void parcel_await(struct parcel *parcel)
{
	const struct telco_config *config = config_of(parcel);
	int64_t seconds = config ? config->unknown_seconds : AWAIT_SECONDS;

	parcel->due_ms = clock_now_ms() + seconds * 1000;
	parcel->row.not_before = parcel->due_ms / 1000;
	parcel_arm(parcel);
}

void parcel_doubt(struct parcel *parcel)
{
	if (parcel->stopped) {
		parcel_note(parcel, "outcome unknown, then the citizen said STOP");
		parcel_settle(parcel, OUTBOUND_DROPPED);
		parcel_dirty(parcel, false);
		return;
	}
	parcel->row.state = OUTBOUND_UNKNOWN;
	parcel->row.doubts++;
	parcel_note(parcel, "outcome unknown");
	metrics_add(METRIC_OUTBOUND_UNKNOWN, 1);
	log_parcel(LOG_WARN, "outbox.unknown", parcel);
	parcel_await(parcel);
	parcel_dirty(parcel, false);
}

static bool may_resend(const struct parcel *parcel)
{
	const struct telco_config *config = config_of(parcel);

	if (!config || parcel->row.doubts > 1)
		return false;
	return (parcel->row.class == CLASS_BROADCAST
			? config->unknown_broadcast
			: config->unknown_reply) == ON_UNKNOWN_RESEND_ONCE;
}

void parcel_decide(struct parcel *parcel)
{
	bool resend = may_resend(parcel);

	if (resend && parcel_expired(parcel, clock_now_ms())) {
		parcel_note(parcel, "outcome unknown, too old to be sent once more");
		parcel_expire(parcel);
		return;
	}
	if (resend) {
		metrics_add(METRIC_OUTBOUND_RESENT, 1);
		parcel_note(parcel, "outcome unknown, sent once more");
		log_parcel(LOG_WARN, "outbox.resent", parcel);
		parcel_queue(parcel, clock_now_ms());
		return;
	}
	metrics_add(METRIC_OUTBOUND_HELD, 1);
	parcel_note(parcel, parcel->row.doubts > 1 ? "outcome unknown again, held"
						   : "outcome unknown, held");
	log_parcel(LOG_WARN, "outbox.held", parcel);
	parcel_settle(parcel, OUTBOUND_HELD);
	parcel_dirty(parcel, false);
}

/* results */

/* Only what is new costs a write. */
void parcel_code(struct parcel *parcel, const char *code)
{
	if (!code || strcmp(code, parcel->row.code) == 0)
		return;
	free(parcel->code);
	parcel->code = xstrdup(code);
	parcel->row.code = parcel->code;
	parcel->new_code = true;
}

static void take_provider_id(struct parcel *parcel, const char *provider_id)
{
	char key[PROVIDER_ID_MAX + 64];

	if (!provider_id || !provider_id[0])
		return;
	parcel_set_ref(parcel, &parcel->outbox->refs, key,
		       ref_key(key, sizeof(key), parcel->link->name, provider_id));
	parcel->row.provider_id = parcel->ref->key + strlen(parcel->link->name) + 1;
	early_match(parcel);
}

/* What the answer means for the message. */
static void take_outcome(struct parcel *parcel, const struct telco_outcome *outcome)
{
	int64_t now_ms = clock_now_ms();

	switch (outcome->kind) {
	case OUTCOME_PARTIAL:
		parcel_note(parcel, "taken in part, the rest is not sent again");
		accept(parcel);
		break;
	case OUTCOME_ACCEPTED:
		accept(parcel);
		break;
	case OUTCOME_PERMANENT:
		refuse(parcel, "refused by the telco");
		break;
	case OUTCOME_TEMPORARY:
		try_later(parcel);
		break;
	case OUTCOME_THROTTLED:
		parcel_queue(parcel,
			     parcel->link->until_ms > now_ms ? parcel->link->until_ms : now_ms);
		break;
	case OUTCOME_INSUFFICIENT_FUNDS:
	case OUTCOME_AUTH:
	case OUTCOME_CONFIG:
		parcel_queue(parcel, now_ms);
		break;
	case OUTCOME_UNKNOWN:
		parcel_doubt(parcel);
		break;
	}
}

static void heard(struct parcel *parcel, const struct telco_outcome *outcome)
{
	struct outbox *outbox = parcel->outbox;
	bool settled = parcel->row.state !=
		       OUTBOUND_SENDING; /* by a receipt that was faster, or STOP */

	link_heard(parcel->link, outcome);
	parcel_code(parcel, outcome->code);
	if (outcome->opted_out && outbox->optout)
		outbox->optout(parcel->row.citizen, parcel->link->name, outbox->optout_arg);
	if (!settled)
		take_outcome(parcel, outcome);
	if (outcome->kind == OUTCOME_ACCEPTED || outcome->kind == OUTCOME_PARTIAL)
		take_provider_id(parcel, outcome->provider_id);
	parcel_dirty(parcel, false);
}

/* Without the connection's adapter nobody understands its answers. */
static void outcome_of(const struct parcel *parcel, const struct http_result *result,
		       struct arena *arena, struct telco_outcome *outcome)
{
	*outcome = (struct telco_outcome){ .provider_id = "", .code = "" };
	if (parcel->link->telco)
		telco_outcome(parcel->link->telco, result, arena, outcome);
	else
		outcome->kind = result->left ? OUTCOME_UNKNOWN : OUTCOME_TEMPORARY;
}

static void result_cb(const struct http_result *result, void *arg)
{
	struct parcel *parcel = arg;
	struct telco_outcome outcome;
	struct arena arena = { 0 };

	crash_point("outbox.after_send");
	parcel->calling = false;
	if (!parcel->outbox) {
		free(parcel);
		return;
	}
	parcel->outbox->calls--;
	parcel->turn = false;
	link_give(parcel->link, false);
	outcome_of(parcel, result, &arena, &outcome);
	heard(parcel, &outcome);
	arena_free(&arena);
}

static void call(struct parcel *parcel, const struct http_call *call)
{
	struct outbox *outbox = parcel->outbox;

	if (http_client_call(outbox->client, call, result_cb, parcel) == 0) {
		parcel->calling = true;
		outbox->calls++;
		return;
	}
	parcel->turn = false;
	link_give(parcel->link, true);
	heard(parcel,
	      &(struct telco_outcome){ .kind = OUTCOME_CONFIG, .code = "url", .provider_id = "" });
}

void parcel_send(struct parcel *parcel)
{
	struct arena arena = { 0 };
	struct http_call request = { 0 };

	crash_point("outbox.before_send");
	if (!parcel->link->telco) {
		parcel_queue(parcel, clock_now_ms());
	} else if (telco_encode(parcel->link->telco, &parcel->row, clock_now(), &arena, &request) ==
		   0) {
		call(parcel, &request);
	} else {
		refuse(parcel, "this telco can't take it");
		parcel_dirty(parcel, false);
	}
	arena_free(&arena);
}
