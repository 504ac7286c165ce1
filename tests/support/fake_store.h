/* fake_store.h - a store in memory that commits when told, and fails when told.
 *
 * It keeps outbound rows and receipts, which is what the outbox asks a store for.  Nothing is applied before
 * fake_store_run, so that a test decides what happens between asking and having.
 */
#pragma once
#include "store.h"

struct fake_store {
	struct store store;    /* first: what modules are given */
	struct arena arena;    /* owns the rows */
	struct outbound *rows; /* in the order of arrival */
	unsigned row_count, row_room;
	struct report *reports; /* stored and not forgotten */
	unsigned report_count;
	struct fake_call *first, **last; /* what waits, oldest first */
	unsigned waiting;
	unsigned commits; /* that were done */
	unsigned updates; /* rows changed by them */
	int error;        /* commits fail with it; 0: they are done */
	bool busy;        /* calls are refused with -EAGAIN */
};

struct fake_store *fake_store_new(void);
void fake_store_free(struct fake_store *fake); /* forgets commits that wait, calls back the rest */
unsigned fake_store_run(
	struct fake_store *fake); /* does what waits now and calls back; how many that were */
bool fake_store_run_one(struct fake_store *fake); /* the oldest; false: nothing waits */
void fake_store_apply(struct fake_store *fake, struct step *step); /* as if it had been committed */
const struct outbound *fake_store_row(struct fake_store *fake, struct id id); /* NULL: none */
