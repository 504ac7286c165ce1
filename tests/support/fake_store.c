/* fake_store.c - a store in memory that commits when told, and fails when told. */
#include "fake_store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { REPORTS_MAX = 20000 };

struct fake_call {
	struct fake_call *next;
	struct step *step; /* NULL: a find */
	store_commit_cb *commit_cb;
	struct find find;
	struct arena arena; /* owns what find points to */
	store_find_cb *find_cb;
	void *arg;
};

static bool same_id(struct id a, struct id b)
{
	return a.shard == b.shard && a.serial == b.serial;
}

/* Ids rise with time, so the rows are in their order. */
static struct outbound *row_of(struct fake_store *fake, struct id id)
{
	unsigned low = 0, high = fake->row_count;

	while (low < high) {
		unsigned middle = (low + high) / 2;

		if (fake->rows[middle].id.serial < id.serial)
			low = middle + 1;
		else
			high = middle;
	}
	return low < fake->row_count && same_id(fake->rows[low].id, id) ? &fake->rows[low] : NULL;
}

const struct outbound *fake_store_row(struct fake_store *fake, struct id id)
{
	return row_of(fake, id);
}

static struct fake_call *enqueue(struct fake_store *fake, void *arg)
{
	struct fake_call *call = xcalloc(1, sizeof(*call));

	call->arg = arg;
	*fake->last = call;
	fake->last = &call->next;
	fake->waiting++;
	return call;
}

static int commit(struct store *store, struct step *step, store_commit_cb *cb, void *arg)
{
	struct fake_store *fake = (struct fake_store *)store;
	struct fake_call *call;

	if (fake->busy)
		return -EAGAIN;
	call = enqueue(fake, arg);
	call->step = step;
	call->commit_cb = cb;
	return 0;
}

static int find(struct store *store, const struct find *find, store_find_cb *cb, void *arg)
{
	struct fake_store *fake = (struct fake_store *)store;
	struct fake_call *call;

	if (fake->busy)
		return -EAGAIN;
	call = enqueue(fake, arg);
	call->find = *find;
	call->find.connection = arena_strdup(&call->arena, find->connection);
	call->find.provider_id = arena_strdup(&call->arena, find->provider_id);
	call->find_cb = cb;
	return 0;
}

static bool matches(const struct find *find, const struct outbound *row)
{
	if (find->id.serial != 0)
		return same_id(find->id, row->id);
	return strcmp(find->connection, row->connection) == 0 &&
	       strcmp(find->provider_id, row->provider_id) == 0;
}

static void run_find(struct fake_store *fake, struct fake_call *call)
{
	struct find_rows rows = { 0 };

	for (unsigned i = 0; i < fake->row_count && rows.count == 0; i++) {
		if (matches(&call->find, &fake->rows[i])) {
			rows.outbound = &fake->rows[i];
			rows.count = 1;
		}
	}
	call->find_cb(0, &rows, call->arg);
}

static void apply_update(struct fake_store *fake, struct outbound_update *update)
{
	struct outbound *row = row_of(fake, update->id);

	update->lost = !row || row->attempts != update->attempts_seen;
	if (update->lost)
		return;
	row->attempts = update->attempts;
	row->doubts = update->doubts;
	row->state = update->state;
	row->not_before = update->not_before;
	if (update->provider_id)
		row->provider_id = arena_strdup(&fake->arena, update->provider_id);
	if (update->note)
		row->note = arena_strdup(&fake->arena, update->note);
	if (update->code)
		row->code = arena_strdup(&fake->arena, update->code);
	fake->updates++;
}

static void apply_report(struct fake_store *fake, const struct report_row *row)
{
	unsigned kept = 0;

	if (!row->forget) {
		struct report *report = &fake->reports[fake->report_count++];

		*report = row->report;
		report->connection = arena_strdup(&fake->arena, row->report.connection);
		report->ref = arena_strdup(&fake->arena, row->report.ref);
		return;
	}
	for (unsigned i = 0; i < fake->report_count; i++) {
		if (strcmp(fake->reports[i].ref, row->report.ref) != 0)
			fake->reports[kept++] = fake->reports[i];
	}
	fake->report_count = kept;
}

static void drop_unasked(struct fake_store *fake, const char *citizen)
{
	for (unsigned i = 0; i < fake->row_count; i++) {
		struct outbound *row = &fake->rows[i];

		if (row->state == OUTBOUND_QUEUED && !row->asked_for &&
		    strcmp(row->citizen, citizen) == 0)
			row->state = OUTBOUND_DROPPED;
	}
}

void fake_store_apply(struct fake_store *fake, struct step *step)
{
	struct outbound_row *row;
	struct outbound_update *update;
	struct report_row *report;

	if (step->drop_unasked)
		drop_unasked(fake, step->citizen);
	STAILQ_FOREACH (row, &step->outbound, next) {
		if (fake->row_count == fake->row_room) {
			fake->row_room = fake->row_room ? 2 * fake->row_room : 64;
			fake->rows = xrealloc(fake->rows, fake->row_room * sizeof(fake->rows[0]));
		}
		outbound_copy(&fake->arena, &fake->rows[fake->row_count++], &row->msg);
	}
	STAILQ_FOREACH (update, &step->updates, next)
		apply_update(fake, update);
	STAILQ_FOREACH (report, &step->reports, next)
		apply_report(fake, report);
}

static void run_commit(struct fake_store *fake, struct fake_call *call)
{
	if (fake->error) {
		call->commit_cb(STORE_FAILED, fake->error, call->step, call->arg);
		return;
	}
	fake_store_apply(fake, call->step);
	fake->commits++;
	call->commit_cb(STORE_DONE, 0, call->step, call->arg);
}

bool fake_store_run_one(struct fake_store *fake)
{
	struct fake_call *call = fake->first;

	if (!call)
		return false;
	fake->first = call->next;
	if (!fake->first)
		fake->last = &fake->first;
	fake->waiting--;
	if (call->step)
		run_commit(fake, call);
	else
		run_find(fake, call);
	arena_free(&call->arena);
	free(call);
	return true;
}

unsigned fake_store_run(struct fake_store *fake)
{
	unsigned count = fake->waiting;

	for (unsigned i = 0; i < count; i++)
		fake_store_run_one(fake);
	return count;
}

struct fake_store *fake_store_new(void)
{
	static const struct store_ops ops = { .commit = commit, .find = find };
	struct fake_store *fake = xcalloc(1, sizeof(*fake));

	fake->store.ops = &ops;
	fake->last = &fake->first;
	fake->reports = xcalloc(REPORTS_MAX, sizeof(fake->reports[0]));
	return fake;
}

void fake_store_free(struct fake_store *fake)
{
	struct fake_call *call;

	while ((call = fake->first)) {
		fake->first = call->next;
		if (!call->step)
			call->find_cb(-ECANCELED, NULL, call->arg);
		step_free(call->step);
		arena_free(&call->arena);
		free(call);
	}
	arena_free(&fake->arena);
	free(fake->rows);
	free(fake->reports);
	free(fake);
}
