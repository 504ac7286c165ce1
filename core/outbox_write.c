/* outbox_write.c - what the store must know, in batches.
 *
 * Everything that changes in one turn of the loop is one step for the store.  Results may wait for the commit before
 * them to come back, which makes the batches larger the busier we are; an attempt that wants to leave, a receipt or an
 * operator waits for nothing.  A write that fails is tried again, whole, for as long as the program runs: until then
 * nothing leaves whose attempt isn't on disk, and a telco that brings a receipt is told to come again.
 */
#include "outbox_priv.h"

#include <errno.h>
#include <string.h>

#include "clock.h"
#include "crash.h"
#include "log.h"
#include "store.h"

enum {
	WRITE_MAX = 256,      /* messages in one step, and receipts */
	RETRY_FIRST_MS = 100, /* doubled while the store fails */
	RETRY_MAX_MS = 5000,
};

struct write_item {
	struct parcel *parcel;
	const struct outbound_update *update; /* in the step */
	struct errand_list waiters;
};

/* One commit that is out.  It lies in its step, so that whoever frees that frees both. */
struct outbox_write {
	LIST_ENTRY(outbox_write) next;
	struct outbox *outbox; /* NULL: it is gone */
	struct errand_list reports;
	unsigned count;
	struct write_item items[];
};

void parcel_dirty(struct parcel *parcel, bool urgent)
{
	struct outbox *outbox = parcel->outbox;

	if (urgent)
		outbox->urgent = true;
	outbox_wake(outbox);
	if (parcel->writing) {
		parcel->changed = true;
		return;
	}
	if (parcel->list == LISTED_DIRTY)
		return;
	if (parcel->list == LISTED_SETTLED)
		TAILQ_REMOVE(&outbox->settled, parcel, listed);
	parcel->list = LISTED_DIRTY;
	TAILQ_INSERT_TAIL(&outbox->dirty, parcel, listed);
	outbox->dirty_count++;
}

/* Looks into the store that began before a message's end was on disk may still find it unfinished: until they are
 * back, the message stays where they look first. */
void outbox_forget(struct outbox *outbox)
{
	const struct errand *oldest = TAILQ_FIRST(&outbox->searches);
	struct parcel *parcel;

	while ((parcel = TAILQ_FIRST(&outbox->settled)) &&
	       (!oldest || parcel->settled <= oldest->started)) {
		TAILQ_REMOVE(&outbox->settled, parcel, listed);
		parcel->list = LISTED_NOT;
		parcel_free(parcel);
	}
}

void parcel_done(struct parcel *parcel)
{
	struct outbox *outbox = parcel->outbox;

	if (parcel->line || parcel->calling || parcel->writing || parcel->list != LISTED_NOT)
		return;
	parcel->settled = ++outbox->settled_last;
	parcel->list = LISTED_SETTLED;
	TAILQ_INSERT_TAIL(&outbox->settled, parcel, listed);
	outbox_forget(outbox);
}

static void write_report(struct step *step, const struct report *report, bool forget)
{
	struct report_row *row = step_add_report(step);

	row->report = *report;
	row->report.connection = arena_strdup(&step->arena, report->connection);
	row->report.ref = arena_strdup(&step->arena, report->ref);
	row->report.code = arena_strdup(&step->arena, report->code ? report->code : "");
	row->arrived = clock_now();
	row->forget = forget;
}

static void write_parcel(struct outbox_write *write, struct step *step, struct parcel *parcel)
{
	struct write_item *item = &write->items[write->count++];
	struct outbound_update *update = step_add_update(step);
	const struct outbound *row = &parcel->row;

	update->id = row->id;
	update->attempts_seen = parcel->stored_attempts;
	update->attempts = row->attempts;
	update->doubts = row->doubts;
	update->state = row->state;
	update->not_before = row->not_before;
	if (row->provider_id[0])
		update->provider_id = arena_strdup(&step->arena, row->provider_id);
	if (parcel->new_note)
		update->note = arena_strdup(&step->arena, row->note);
	if (parcel->new_code)
		update->code = arena_strdup(&step->arena, row->code);
	if (parcel->forget_report)
		write_report(
			step,
			&(struct report){ .connection = row->connection, .ref = row->provider_id },
			true);
	parcel->new_note = parcel->new_code = false;
	parcel->writing = true;
	item->parcel = parcel;
	item->update = update;
	STAILQ_INIT(&item->waiters);
	STAILQ_CONCAT(&item->waiters, &parcel->waiters);
}

static void answer_all(struct errand_list *errands, int error)
{
	struct errand *errand;

	while ((errand = STAILQ_FIRST(errands))) {
		STAILQ_REMOVE_HEAD(errands, next);
		if (error == 0 && errand->kind == ERRAND_REPORT)
			crash_point("receipt.after_commit");
		errand_answer(errand, error);
	}
}

/* Another node has taken the message further: it isn't ours any more. */
static void parcel_lost(struct parcel *parcel)
{
	log_event(LOG_WARN, "outbox.lost", "sconnection", parcel->link->name, "dmessage",
		  &parcel->row.id, NULL);
	parcel->changed = false;
	parcel_settle(parcel, parcel->row.state);
	parcel_done(parcel);
}

static void item_written(struct write_item *item)
{
	struct parcel *parcel = item->parcel;

	parcel->writing = false;
	answer_all(&item->waiters, item->update->lost ? -EAGAIN : 0);
	if (item->update->lost) {
		parcel_lost(parcel);
		return;
	}
	parcel->stored_attempts = item->update->attempts;
	parcel->forget_report = false;
	if (parcel->changed) {
		parcel->changed = false;
		parcel_dirty(parcel, true);
	} else if (parcel->row.state == OUTBOUND_SENDING && !parcel->calling) {
		parcel_send(parcel);
	} else {
		parcel_done(parcel);
	}
}

static void item_failed(struct write_item *item, int error)
{
	struct parcel *parcel = item->parcel;

	parcel->writing = parcel->changed = false;
	parcel->new_note = parcel->new_code = true;
	answer_all(&item->waiters, error);
	parcel_dirty(parcel, true);
}

static void write_failed(struct outbox *outbox, int error)
{
	int64_t pause = RETRY_MAX_MS;

	if (outbox->retries < 5)
		pause = (int64_t)RETRY_FIRST_MS << outbox->retries;
	if (outbox->retries++ == 0)
		log_event(LOG_ERROR, "outbox.not_written", "eerror", error, NULL);
	outbox->retry_ms = clock_now_ms() + pause;
}

static void write_over(struct outbox_write *write, int error)
{
	struct outbox *outbox = write->outbox;

	if (outbox) {
		LIST_REMOVE(write, next);
		outbox->written_count -= write->count;
		if (error)
			write_failed(outbox, error);
		else
			outbox->retries = 0;
		for (unsigned i = 0; i < write->count; i++) {
			if (error)
				item_failed(&write->items[i], error);
			else
				item_written(&write->items[i]);
		}
		outbox_wake(outbox);
	}
	answer_all(&write->reports, error);
}

static void commit_cb(enum store_result result, int error, struct step *step, void *arg)
{
	struct outbox_write *write = arg;
	struct report_row *row;

	if (result == STORE_DONE && write->outbox) {
		STAILQ_FOREACH (row, &step->reports, next) {
			if (!row->forget)
				early_stored(write->outbox, &row->report);
		}
	}
	write_over(write, result == STORE_DONE ? 0 : error ? error : -EIO);
	step_free(step);
}

static void gather_parcels(struct outbox *outbox, struct outbox_write *write, struct step *step,
			   unsigned count)
{
	while (write->count < count) {
		struct parcel *parcel = TAILQ_FIRST(&outbox->dirty);

		TAILQ_REMOVE(&outbox->dirty, parcel, listed);
		parcel->list = LISTED_NOT;
		outbox->dirty_count--;
		if (parcel->row.state != OUTBOUND_SENDING)
			crash_point("outbox.before_result");
		if (!STAILQ_EMPTY(&parcel->waiters))
			crash_point("receipt.before_commit");
		write_parcel(write, step, parcel);
	}
}

static void gather_reports(struct outbox *outbox, struct outbox_write *write, struct step *step)
{
	for (unsigned count = 0; count < WRITE_MAX && !STAILQ_EMPTY(&outbox->unknown); count++) {
		struct errand *errand = STAILQ_FIRST(&outbox->unknown);

		crash_point("receipt.before_commit");
		STAILQ_REMOVE_HEAD(&outbox->unknown, next);
		write_report(step, &errand->report, false);
		STAILQ_INSERT_TAIL(&write->reports, errand, next);
	}
}

static void write_some(struct outbox *outbox)
{
	unsigned count = outbox->dirty_count < WRITE_MAX ? outbox->dirty_count : WRITE_MAX;
	struct step *step = step_new();
	struct outbox_write *write = arena_alloc(&step->arena,
						 sizeof(*write) + count * sizeof(write->items[0]));
	int rc;

	write->outbox = outbox;
	STAILQ_INIT(&write->reports);
	gather_reports(outbox, write, step);
	gather_parcels(outbox, write, step, count);
	LIST_INSERT_HEAD(&outbox->writes, write, next);
	outbox->written_count += write->count;
	rc = store_commit(outbox->store, step, commit_cb, write);
	if (rc == 0)
		return;
	write_over(write, rc);
	step_free(step);
}

static void retry_cb(void *arg)
{
	struct outbox *outbox = arg;

	outbox->retry = NULL;
	outbox_wake(outbox);
}

void outbox_flush(struct outbox *outbox)
{
	int64_t now_ms = clock_now_ms();

	while (outbox->dirty_count > 0 || !STAILQ_EMPTY(&outbox->unknown)) {
		if (outbox->retries > 0 && now_ms < outbox->retry_ms) {
			if (!outbox->retry)
				outbox->retry = timers_at(outbox->timers, outbox->retry_ms,
							  retry_cb, outbox);
			return;
		}
		if (!outbox->urgent && !LIST_EMPTY(&outbox->writes) &&
		    outbox->dirty_count < WRITE_MAX)
			return;
		write_some(outbox);
	}
	outbox->urgent = false;
}

void outbox_abandon_writes(struct outbox *outbox)
{
	struct outbox_write *write;

	timers_cancel(outbox->timers, outbox->retry);
	while ((write = LIST_FIRST(&outbox->writes))) {
		LIST_REMOVE(write, next);
		write->outbox = NULL;
		for (unsigned i = 0; i < write->count; i++)
			STAILQ_CONCAT(&outbox->answers, &write->items[i].waiters);
		STAILQ_CONCAT(&outbox->answers, &write->reports);
	}
}
