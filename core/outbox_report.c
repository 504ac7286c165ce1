/* outbox_report.c - receipts, and what operators do.
 *
 * Both are errands: they name a message that is in memory or, if it was done long ago, in the store; change it; and
 * are answered when the change is on disk.  A message that is looked up comes into memory for that time, so that all
 * that happens to it at once happens in one place and in order.
 *
 * A telco that names its own ids may send a receipt before it has answered the call that makes the id known.  Such
 * an early one looks like one for a message that we never sent: both are stored, and kept in memory for a while.
 */
#include "outbox_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "metrics.h"
#include "receipt.h"
#include "store.h"

enum {
	ERRANDS_MAX = 4096,
	EARLY_MAX = 10000,      /* the oldest are forgotten (in memory) */
	RELEASE_SECONDS = 3600, /* what a released message gets whose time is over */
};

size_t ref_key(char *out, size_t size, const char *connection, const char *ref)
{
	size_t connection_len = strnlen(connection, 63), ref_len = strlen(ref);

	if (ref_len > size - connection_len - 1)
		ref_len = size - connection_len - 1;
	memcpy(out, connection, connection_len);
	out[connection_len] = '\0';
	memcpy(out + connection_len + 1, ref, ref_len);
	return connection_len + 1 + ref_len;
}

/* errands */

static struct errand *errand_new(struct outbox *outbox, size_t room, outbox_done_cb *cb, void *arg)
{
	struct errand *errand = xcalloc(1, sizeof(*errand) + room);

	errand->outbox = outbox;
	errand->cb = cb;
	errand->arg = arg;
	outbox->errand_count++;
	return errand;
}

static struct errand *report_new(struct outbox *outbox, const struct report *report,
				 outbox_done_cb *cb, void *arg)
{
	const char *code = report->code ? report->code : "";
	size_t connection_size = strlen(report->connection) + 1, ref_size = strlen(report->ref) + 1;
	struct errand *errand = errand_new(outbox, connection_size + ref_size + strlen(code) + 1,
					   cb, arg);

	errand->kind = ERRAND_REPORT;
	errand->report = *report;
	errand->report.connection = memcpy(errand->data, report->connection, connection_size);
	errand->report.ref = memcpy(errand->data + connection_size, report->ref, ref_size);
	errand->report.code = memcpy(errand->data + connection_size + ref_size, code,
				     strlen(code) + 1);
	if (report->own_id && !id_parse(report->ref, &errand->id))
		errand->id = (struct id){ 0 };
	return errand;
}

void errand_answer(struct errand *errand, int error)
{
	errand->error = error;
	STAILQ_INSERT_TAIL(&errand->outbox->answers, errand, next);
	outbox_wake(errand->outbox);
}

void outbox_answer(struct outbox *outbox)
{
	struct errand *errand;

	while ((errand = STAILQ_FIRST(&outbox->answers))) {
		STAILQ_REMOVE_HEAD(&outbox->answers, next);
		outbox->errand_count--;
		errand->cb(errand->error, errand->arg);
		free(errand);
	}
}

static void free_all(struct errand_list *errands)
{
	struct errand *errand;

	while ((errand = STAILQ_FIRST(errands))) {
		STAILQ_REMOVE_HEAD(errands, next);
		free(errand);
	}
}

void outbox_abandon_errands(struct outbox *outbox)
{
	struct errand *errand;

	free_all(&outbox->answers);
	free_all(&outbox->unknown);
	TAILQ_FOREACH (errand, &outbox->searches, searching)
		errand->outbox = NULL; /* freed when the store has looked */
}

/* Answered when the message is on disk as it is now. */
static void errand_await(struct errand *errand, struct parcel *parcel)
{
	if (parcel->list != LISTED_DIRTY && !parcel->writing) {
		errand_answer(errand, 0);
		return;
	}
	parcel_dirty(parcel, true);
	STAILQ_INSERT_TAIL(&parcel->waiters, errand, next);
}

/* early receipts, and those for nothing */

static struct early *early_find(struct outbox *outbox, const char *connection, const char *ref)
{
	char key[PROVIDER_ID_MAX + 65];
	size_t len = ref_key(key, sizeof(key), connection, ref);
	struct early *early;

	HASH_FIND(hh, outbox->early, key, len, early);
	return early;
}

static void early_free(struct outbox *outbox, struct early *early)
{
	HASH_DEL(outbox->early, early);
	free(early);
}

static struct early *early_new(struct outbox *outbox, const struct report *report)
{
	char key[PROVIDER_ID_MAX + 65];
	size_t len = ref_key(key, sizeof(key), report->connection, report->ref);
	struct early *early = xcalloc(1, sizeof(*early) + len);

	if (HASH_COUNT(outbox->early) >= EARLY_MAX)
		early_free(outbox, outbox->early); /* the oldest stands first */
	early->state = OUTBOUND_ACCEPTED;
	memcpy(early->key, key, len);
	HASH_ADD_KEYPTR(hh, outbox->early, early->key, len, early);
	return early;
}

void early_stored(struct outbox *outbox, const struct report *report)
{
	struct early *early = early_find(outbox, report->connection, report->ref);

	if (early)
		early->stored = true;
}

void early_match(struct parcel *parcel)
{
	struct outbox *outbox = parcel->outbox;
	struct early *early = early_find(outbox, parcel->link->name, parcel->row.provider_id);

	if (!early)
		return;
	if (parcel->row.state == OUTBOUND_ACCEPTED)
		parcel->row.state = early->state;
	if (early->code[0])
		parcel_code(parcel, early->code);
	parcel->forget_report = true;
	early_free(outbox, early);
}

static void report_unknown(struct errand *errand)
{
	struct outbox *outbox = errand->outbox;
	const struct report *report = &errand->report;
	struct early *early = early_find(outbox, report->connection, report->ref);
	enum outbound_state state;

	if (!early)
		early = early_new(outbox, report);
	state = receipt_apply(early->state, report->status);
	if (early->stored && early->state == state) {
		errand_answer(errand, 0);
		return;
	}
	early->state = state;
	early->stored = false;
	if (report->code[0])
		snprintf(early->code, sizeof(early->code), "%s", report->code);
	metrics_add(METRIC_RECEIPTS_UNKNOWN, 1);
	log_event(LOG_INFO, "outbox.receipt_unknown", "sconnection", report->connection, NULL);
	STAILQ_INSERT_TAIL(&outbox->unknown, errand, next);
	outbox->urgent = true;
	outbox_wake(outbox);
}

/* receipts */

static void count_state(enum outbound_state before, enum outbound_state after)
{
	if (after == OUTBOUND_FAILED || after == OUTBOUND_REJECTED || after == OUTBOUND_EXPIRED)
		metrics_add(METRIC_OUTBOUND_FAILED, 1);
	else if (!outbound_over(before) || before == OUTBOUND_HELD)
		metrics_add(METRIC_OUTBOUND_ACCEPTED, 1);
}

static void report_apply(struct errand *errand, struct parcel *parcel)
{
	struct outbox *outbox = errand->outbox;
	const struct report *report = &errand->report;
	enum outbound_state before = parcel->row.state,
			    after = receipt_apply(before, report->status);

	if (report->opted_out && outbox->optout)
		outbox->optout(parcel->row.citizen, parcel->link->name, outbox->optout_arg);
	if (after != before) {
		count_state(before, after);
		if (before == OUTBOUND_UNKNOWN)
			parcel_note(parcel, "outcome unknown, then a receipt came");
		parcel_code(parcel, report->code[0] ? report->code : NULL);
		parcel_settle(parcel, after);
		parcel_dirty(parcel, true);
	}
	errand_await(errand, parcel);
	parcel_done(parcel);
}

/* A receipt is believed only for what left, and from the connection that it left through. */
static void report_run(struct errand *errand, struct parcel *parcel)
{
	if (!parcel || parcel->row.attempts == 0 || parcel->row.state == OUTBOUND_SCREEN ||
	    strcmp(parcel->link->name, errand->report.connection) != 0) {
		report_unknown(errand);
		if (parcel)
			parcel_done(parcel);
		return;
	}
	report_apply(errand, parcel);
}

/* operators */

static void release(struct parcel *parcel)
{
	if (parcel->row.attempts > 0)
		parcel_note(parcel, "released by an operator");
	if (parcel_expired(parcel, clock_now_ms()))
		parcel->row.expires = clock_now() + RELEASE_SECONDS;
	parcel->stopped = false;
	parcel_queue(parcel, clock_now_ms());
}

static void drop(struct parcel *parcel)
{
	parcel_note(parcel, "dropped by an operator");
	parcel_settle(parcel, OUTBOUND_DROPPED);
	parcel_dirty(parcel, true);
}

static void act_run(struct errand *errand, struct parcel *parcel)
{
	enum outbound_state state = parcel ? parcel->row.state : OUTBOUND_QUEUED;

	if (!parcel) {
		errand_answer(errand, -ENOENT);
		return;
	}
	if (state == OUTBOUND_QUEUED || state == OUTBOUND_UNKNOWN || state == OUTBOUND_HELD) {
		if (errand->kind == ERRAND_RELEASE)
			release(parcel);
		else
			drop(parcel);
		errand_await(errand, parcel);
	} else {
		errand_answer(errand, outbound_over(state) ? -EALREADY : -EAGAIN);
	}
	parcel_done(parcel);
}

/* looking for the message */

static struct parcel *parcel_find(const struct errand *errand)
{
	struct outbox *outbox = errand->outbox;
	char key[PROVIDER_ID_MAX + 65];
	struct outbox_ref *ref = NULL;
	struct parcel *parcel = NULL;
	size_t len;

	if (errand->id.serial != 0) {
		HASH_FIND(hh, outbox->parcels, &errand->id, sizeof(errand->id), parcel);
	} else if (!errand->report.own_id) {
		len = ref_key(key, sizeof(key), errand->report.connection, errand->report.ref);
		HASH_FIND(hh, outbox->refs, key, len, ref);
		parcel = ref ? ref->parcel : NULL;
	}
	return parcel;
}

static void errand_run(struct errand *errand)
{
	struct parcel *parcel = parcel_find(errand);

	if (errand->kind == ERRAND_REPORT)
		report_run(errand, parcel);
	else
		act_run(errand, parcel);
}

/* A row comes into memory for the time that something happens to it. */
static void load(struct outbox *outbox, const struct outbound *row)
{
	struct parcel *parcel;

	HASH_FIND(hh, outbox->parcels, &row->id, sizeof(row->id), parcel);
	if (!parcel)
		parcel_resume(parcel_new(outbox, row));
}

static void found_cb(int error, const struct find_rows *rows, void *arg)
{
	struct errand *errand = arg;
	struct outbox *outbox = errand->outbox;

	if (!outbox) {
		free(errand);
		return;
	}
	TAILQ_REMOVE(&outbox->searches, errand, searching);
	if (error) {
		errand_answer(errand, error);
	} else {
		if (!parcel_find(errand) && rows->count > 0)
			load(outbox, &rows->outbound[0]);
		errand_run(errand);
	}
	outbox_forget(outbox);
}

static int errand_search(struct errand *errand)
{
	struct outbox *outbox = errand->outbox;
	struct find find = { .kind = FIND_OUTBOUND, .id = errand->id, .limit = 1 };
	int rc;

	if (errand->id.serial == 0) {
		find.connection = errand->report.connection;
		find.provider_id = errand->report.ref;
	}
	rc = store_find(outbox->store, &find, found_cb, errand);
	if (rc)
		return rc;
	errand->started = outbox->settled_last;
	TAILQ_INSERT_TAIL(&outbox->searches, errand, searching);
	return 0;
}

static int errand_begin(struct errand *errand)
{
	struct outbox *outbox = errand->outbox;
	bool nothing_to_find = errand->report.own_id && errand->id.serial == 0;
	int rc = 0;

	if (nothing_to_find || parcel_find(errand))
		errand_run(errand);
	else
		rc = errand_search(errand);
	if (rc) {
		outbox->errand_count--;
		free(errand);
		rc = -EAGAIN;
	}
	return rc;
}

/* While the store fails nothing can be answered with success, and nothing more is gathered. */
static bool errands_full(const struct outbox *outbox)
{
	return outbox->errand_count >= ERRANDS_MAX || outbox->retries > 0;
}

int outbox_report(struct outbox *outbox, const struct report *report, outbox_done_cb *cb, void *arg)
{
	if (errands_full(outbox))
		return -EAGAIN;
	metrics_add(METRIC_RECEIPTS, 1);
	return errand_begin(report_new(outbox, report, cb, arg));
}

static int act(struct outbox *outbox, int kind, struct id id, outbox_done_cb *cb, void *arg)
{
	struct errand *errand;

	if (errands_full(outbox))
		return -EAGAIN;
	errand = errand_new(outbox, 1, cb, arg);
	errand->kind = kind;
	errand->id = id;
	errand->report = (struct report){ .connection = "", .ref = "", .own_id = true };
	return errand_begin(errand);
}

int outbox_release(struct outbox *outbox, struct id id, outbox_done_cb *cb, void *arg)
{
	return act(outbox, ERRAND_RELEASE, id, cb, arg);
}

int outbox_drop(struct outbox *outbox, struct id id, outbox_done_cb *cb, void *arg)
{
	return act(outbox, ERRAND_DROP, id, cb, arg);
}
