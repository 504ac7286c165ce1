/* store_sqlite_retain.c - what is older goes, a share at a time.
 *
 * The writer does this between the steps of others, so one call takes at most SHARE rows of each kind.  What is
 * unfinished stays, however old.  A message goes together with the memory of its provider's id, and not before that
 * may be forgotten.  A bundle goes when no dialog is left that knows it, open or ended; the few that are needed are looked
 * at each time.
 */
#include "clock.h"
#include "store_sqlite_priv.h"

enum {
	SHARE = 256,
	BUNDLES_SHARE = 16, /* they are large */
	/* A step that needs it may be on its way for a day, and when it was put is known to the hour. */
	BUNDLE_GRACE = 86400 + 3600,
};

struct old_inbound {
	int64_t serial;
	const char *citizen;
	struct inbound msg;
};

static int find_inbound(struct db *db, struct arena *arena, int64_t before,
			struct old_inbound *rows, unsigned *count)
{
	sqlite3_stmt *statement;
	int rc = DB_QUERY(db, &statement,
			  "SELECT serial, citizen, msg FROM inbound WHERE state = 1 AND arrived < ?"
			  " ORDER BY arrived LIMIT ?",
			  BIND_I(before), BIND_I(SHARE));

	while (rc == 0 && (rc = db_next(db, statement)) == 1) {
		struct old_inbound *row = &rows[(*count)++];

		row->serial = sqlite3_column_int64(statement, 0);
		row->citizen = column_text(arena, statement, 1);
		rc = 0;
		if (!unpack_inbound(arena, column_bytes(statement, 2), &row->msg))
			rc = db_damaged("inbound");
		if (rc < 0)
			sqlite3_reset(statement);
	}
	return rc;
}

static int delete_link(struct db *db, const char *citizen, int64_t key)
{
	return DB_RUN(db, "DELETE FROM home WHERE citizen = ? AND kind = 4 AND key = ?",
		      bind_text(citizen), BIND_I(key));
}

static int delete_inbound(struct db *db, struct arena *arena, const struct old_inbound *row)
{
	struct bytes key = seen_key(arena, row->msg.connection, row->msg.provider_id);
	int rc = DB_RUN(db,
			"DELETE FROM home"
			" WHERE citizen = ? AND kind = 3 AND key = ? AND version = ?",
			bind_text(row->citizen), BIND_B(key), BIND_I(row->serial));

	if (rc >= 0)
		rc = delete_link(db, row->citizen, -row->serial);
	return rc < 0 ? rc
		      : DB_RUN(db, "DELETE FROM inbound WHERE serial = ?", BIND_I(row->serial));
}

/* Each of these: the number of rows that went, or an error. */
static int retain_inbound(struct db *db, int64_t before)
{
	int64_t forgotten = clock_now() - db->dedupe_seconds;
	struct old_inbound rows[SHARE];
	struct arena arena = { 0 };
	unsigned count = 0;
	int rc = find_inbound(db, &arena, before < forgotten ? before : forgotten, rows, &count);

	for (unsigned i = 0; rc >= 0 && i < count; i++)
		rc = delete_inbound(db, &arena, &rows[i]);
	arena_free(&arena);
	return rc < 0 ? rc : (int)count;
}

struct old_outbound {
	int64_t serial;
	const char *citizen;
};

static int find_outbound(struct db *db, struct arena *arena, int64_t before,
			 struct old_outbound *rows, unsigned *count)
{
	sqlite3_stmt *statement;
	int rc = DB_QUERY(db, &statement,
			  "SELECT serial, citizen FROM outbound"
			  " WHERE state NOT IN " UNFINISHED_STATES
			  " AND created < ? ORDER BY created LIMIT ?",
			  BIND_I(before), BIND_I(SHARE));

	while (rc == 0 && (rc = db_next(db, statement)) == 1) {
		rows[(*count)++] = (struct old_outbound){ sqlite3_column_int64(statement, 0),
							  column_text(arena, statement, 1) };
		rc = 0;
	}
	return rc;
}

static int retain_outbound(struct db *db, int64_t before)
{
	struct old_outbound rows[SHARE];
	struct arena arena = { 0 };
	unsigned count = 0;
	int rc = find_outbound(db, &arena, before, rows, &count);

	for (unsigned i = 0; rc >= 0 && i < count; i++) {
		rc = delete_link(db, rows[i].citizen, rows[i].serial);
		if (rc >= 0)
			rc = DB_RUN(db, "DELETE FROM outbound WHERE serial = ?",
				    BIND_I(rows[i].serial));
	}
	arena_free(&arena);
	return rc < 0 ? rc : (int)count;
}

static int retain_ended(struct db *db, int64_t before)
{
	return DB_RUN(db,
		      "DELETE FROM ended WHERE serial IN"
		      " (SELECT serial FROM ended WHERE touched < ? ORDER BY touched LIMIT ?)",
		      BIND_I(before), BIND_I(SHARE));
}

static int retain_reports(struct db *db, int64_t before)
{
	return DB_RUN(db,
		      "DELETE FROM report WHERE id IN"
		      " (SELECT id FROM report WHERE arrived < ? ORDER BY arrived LIMIT ?)",
		      BIND_I(before), BIND_I(SHARE));
}

static int retain_parts(struct db *db, int64_t before)
{
	return DB_RUN(db,
		      "DELETE FROM home WHERE kind = 2 AND (citizen, key) IN"
		      " (SELECT citizen, key FROM home WHERE kind = 2 AND due < ?"
		      " ORDER BY due LIMIT ?)",
		      BIND_I(before), BIND_I(SHARE));
}

struct passed {
	int64_t slot, serial, due;
	const char *citizen;
};

static int find_passed(struct db *db, struct arena *arena, struct passed *rows, unsigned *count)
{
	sqlite3_stmt *statement;
	int rc = DB_QUERY(db, &statement,
			  "SELECT slot, key, due, citizen FROM home INDEXED BY home_expires"
			  " WHERE kind = 1 AND (slot, key) > (?, ?) AND slot < ?"
			  " ORDER BY slot, key LIMIT ?",
			  BIND_I(db->progress.slot), BIND_I(db->progress.slot_serial),
			  BIND_I(clock_now() / DIALOG_SLOT), BIND_I(SHARE));

	while (rc == 0 && (rc = db_next(db, statement)) == 1) {
		rows[(*count)++] = (struct passed){ sqlite3_column_int64(statement, 0),
						    sqlite3_column_int64(statement, 1),
						    sqlite3_column_int64(statement, 2),
						    column_text(arena, statement, 3) };
		rc = 0;
	}
	return rc;
}

/* Moves on what did not expire in its slot.  Behind the last one looked at, so that what expired and still waits to be
 * ended is looked at once; a start looks at all again. */
static int move_on(struct db *db)
{
	struct passed rows[SHARE];
	struct arena arena = { 0 };
	unsigned count = 0;
	int rc = find_passed(db, &arena, rows, &count);

	for (unsigned i = 0; rc >= 0 && i < count; i++)
		if (rows[i].due / DIALOG_SLOT > rows[i].slot)
			rc = DB_RUN(db,
				    "UPDATE home SET slot = ?"
				    " WHERE citizen = ? AND kind = 1 AND key = ?",
				    BIND_I(rows[i].due / DIALOG_SLOT), bind_text(rows[i].citizen),
				    BIND_I(rows[i].serial));
	if (rc >= 0 && count > 0) {
		db->progress.slot = rows[count - 1].slot;
		db->progress.slot_serial = rows[count - 1].serial;
	}
	arena_free(&arena);
	return rc < 0 ? rc : (int)count;
}

static int retain_bundles(struct db *db)
{
	return DB_RUN(db,
		      "DELETE FROM bundle WHERE id IN (SELECT id FROM bundle AS b WHERE put < ?"
		      " AND NOT EXISTS (SELECT 1 FROM home WHERE kind = 1 AND bundle = b.mark)"
		      " AND NOT EXISTS (SELECT 1 FROM ended WHERE bundle = b.mark)"
		      " ORDER BY put LIMIT ?)",
		      BIND_I(clock_now() - BUNDLE_GRACE), BIND_I(BUNDLES_SHARE));
}

int write_retain(struct db *db, const struct retention *retention)
{
	const struct {
		int (*run)(struct db *db, int64_t before);
		int64_t before;
	} kinds[] = {
		{ retain_inbound, retention->inbound },
		{ retain_outbound, retention->outbound },
		{ retain_ended, retention->dialogs_ended },
		{ retain_reports, retention->reports },
		{ retain_parts, retention->parts },
	};
	bool more = false;
	int rc;

	for (unsigned i = 0; i < ARRAY_LEN(kinds); i++) {
		rc = kinds[i].run(db, kinds[i].before);
		if (rc < 0)
			return rc;
		more = more || rc == SHARE;
	}
	rc = move_on(db);
	if (rc < 0)
		return rc;
	more = more || rc == SHARE;
	rc = retain_bundles(db);
	return rc < 0 ? rc : more || rc == BUNDLES_SHARE;
}
