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
	LOOK_SHARE = 1024,    /* messages that a call looks at */
	AHEAD_SECONDS = 3600, /* a serial that is more ahead was made by a clock that was wrong */
	BUNDLES_SHARE = 16,   /* they are large */
	/* A step that needs it may be on its way for a day, and when it was put is known to the hour. */
	BUNDLE_GRACE = 86400 + 3600,
};

/* Old messages, one way: looked for by serial, which rises with time, from where the last call came to. */
struct walk {
	int64_t before, now;
	int64_t at; /* the last serial that was looked at */
	unsigned looked, count;
	struct old_message {
		int64_t serial;
		const char *citizen;
		struct bytes msg;
	} old[SHARE];
	struct arena arena; /* owned: what old rows point to */
};

enum walk_end { WALK_ALL, WALK_SHARE, WALK_YOUNG }; /* of the table; of a call; a row is young */

/* What is unfinished, or was stored at a time that is still to come, is passed by: nobody waits behind it.  Columns
 * serial, finished, stored, citizen, msg. */
static enum walk_end walk_row(struct walk *walk, sqlite3_stmt *statement)
{
	bool finished = sqlite3_column_int(statement, 1);
	int64_t stored = sqlite3_column_int64(statement, 2);

	walk->at = sqlite3_column_int64(statement, 0);
	walk->looked++;
	if (finished && stored < walk->before)
		walk->old[walk->count++] =
			(struct old_message){ walk->at, column_text(&walk->arena, statement, 3),
					      column_copy(&walk->arena, statement, 4) };
	if (stored >= walk->before && stored <= walk->now)
		return WALK_YOUNG;
	return walk->count == SHARE || walk->looked == LOOK_SHARE ? WALK_SHARE : WALK_ALL;
}

static int walk_on(struct db *db, struct walk *walk, const char *literal, enum walk_end *end)
{
	sqlite3_stmt *statement;
	int rc = DB_QUERY(db, &statement, literal, BIND_I(walk->at));

	*end = WALK_ALL;
	while (rc == 0 && *end == WALK_ALL && (rc = db_next(db, statement)) == 1) {
		*end = walk_row(walk, statement);
		rc = 0;
	}
	if (*end != WALK_ALL)
		sqlite3_reset(statement);
	return rc;
}

/* Behind what is young all is, but for serials of a clock that was ahead: those are looked at too.  *at is where the next
 * call begins, 0 where all was looked at. */
static int find_old(struct db *db, struct walk *walk, const char *literal, int64_t before,
		    int64_t *at)
{
	enum walk_end end;
	int64_t ahead;
	int rc;

	*walk = (struct walk){ .before = before, .now = clock_now(), .at = *at };
	ahead = id_serial_at((walk->now + AHEAD_SECONDS) * 1000);
	rc = walk_on(db, walk, literal, &end);
	if (rc == 0 && end == WALK_YOUNG && walk->at < ahead) {
		walk->at = ahead - 1;
		rc = walk_on(db, walk, literal, &end);
	}
	*at = end == WALK_SHARE ? walk->at : 0;
	return rc;
}

static int delete_link(struct db *db, const char *citizen, int64_t key)
{
	return DB_RUN(db, "DELETE FROM home WHERE citizen = ? AND kind = 4 AND key = ?",
		      bind_text(citizen), BIND_I(key));
}

/* A reply that is left gets a row of its own. */
static int keep_reply(struct db *db, const char *citizen, struct bytes seen, int64_t serial)
{
	return DB_RUN(db,
		      "INSERT OR IGNORE INTO home (citizen, kind, key) SELECT citizen, 4, slot"
		      " FROM home WHERE citizen = ? AND kind = 3 AND key = ? AND version = ?"
		      " AND EXISTS (SELECT 1 FROM outbound WHERE serial = slot)",
		      bind_text(citizen), BIND_B(seen), BIND_I(serial));
}

static int delete_inbound(struct db *db, struct arena *arena, const struct old_message *old)
{
	struct inbound msg = { 0 };
	struct bytes seen;
	int rc;

	if (!unpack_inbound(arena, old->msg, &msg))
		return db_damaged("inbound");
	seen = seen_key(arena, msg.connection, msg.provider_id);
	rc = keep_reply(db, old->citizen, seen, old->serial);
	if (rc >= 0)
		rc = DB_RUN(db,
			    "DELETE FROM home"
			    " WHERE citizen = ? AND kind = 3 AND key = ? AND version = ?",
			    bind_text(old->citizen), BIND_B(seen), BIND_I(old->serial));
	if (rc >= 0 && msg.joined)
		rc = DB_RUN(db, "DELETE FROM home WHERE citizen = ? AND kind = 5 AND version = ?",
			    bind_text(old->citizen), BIND_I(old->serial));
	if (rc >= 0)
		rc = delete_link(db, old->citizen, -old->serial);
	return rc < 0 ? rc
		      : DB_RUN(db, "DELETE FROM inbound WHERE serial = ?", BIND_I(old->serial));
}

/* Each of these: 1 where more is left, or 0, or an error. */
static int retain_inbound(struct db *db, int64_t before)
{
	int64_t forgotten = clock_now() - db->dedupe_seconds;
	int64_t *at = &db->progress.inbound;
	struct walk walk;
	int rc = find_old(db, &walk,
			  "SELECT serial, state <> 0, arrived, citizen, msg FROM inbound"
			  " WHERE serial > ? ORDER BY serial",
			  before < forgotten ? before : forgotten, at);

	for (unsigned i = 0; rc >= 0 && i < walk.count; i++)
		rc = delete_inbound(db, &walk.arena, &walk.old[i]);
	arena_free(&walk.arena);
	return rc < 0 ? rc : *at != 0;
}

static int delete_outbound(struct db *db, const struct old_message *old)
{
	int rc = delete_link(db, old->citizen, old->serial);

	return rc < 0 ? rc
		      : DB_RUN(db, "DELETE FROM outbound WHERE serial = ?", BIND_I(old->serial));
}

static int retain_outbound(struct db *db, int64_t before)
{
	int64_t *at = &db->progress.outbound;
	struct walk walk;
	int rc = find_old(db, &walk,
			  "SELECT serial, NOT " UNFINISHED ", created, citizen, NULL FROM outbound"
			  " WHERE serial > ? ORDER BY serial",
			  before, at);

	for (unsigned i = 0; rc >= 0 && i < walk.count; i++)
		rc = delete_outbound(db, &walk.old[i]);
	arena_free(&walk.arena);
	return rc < 0 ? rc : *at != 0;
}

/* Where a statement deleted as many rows as it may, there may be more. */
static int full_share(int rc, int share)
{
	return rc < 0 ? rc : rc == share;
}

/* Of each bundle those that ended first. */
static int retain_ended(struct db *db, int64_t before)
{
	return full_share(DB_RUN(db,
				 "DELETE FROM ended WHERE serial IN (WITH RECURSIVE marks (mark) AS"
				 " (SELECT min(bundle) FROM ended UNION ALL"
				 " SELECT (SELECT min(bundle) FROM ended WHERE bundle > mark)"
				 " FROM marks WHERE mark IS NOT NULL)"
				 " SELECT serial FROM marks CROSS JOIN ended"
				 " WHERE bundle = mark AND touched < ? LIMIT ?)",
				 BIND_I(before), BIND_I(SHARE)),
			  SHARE);
}

static int retain_reports(struct db *db, int64_t before)
{
	return full_share(
		DB_RUN(db,
		       "DELETE FROM report WHERE id IN"
		       " (SELECT id FROM report WHERE arrived < ? ORDER BY arrived LIMIT ?)",
		       BIND_I(before), BIND_I(SHARE)),
		SHARE);
}

static int retain_parts(struct db *db, int64_t before)
{
	return full_share(DB_RUN(db,
				 "DELETE FROM home WHERE kind = 2 AND (citizen, key) IN"
				 " (SELECT citizen, key FROM home INDEXED BY home_marked"
				 " WHERE kind = 2 AND state = 1 AND due < ? LIMIT ?)",
				 BIND_I(before), BIND_I(SHARE)),
			  SHARE);
}

struct passed {
	int64_t slot, bundle, serial, due;
	const char *citizen;
};

static int find_passed(struct db *db, struct arena *arena, struct passed *rows, unsigned *count)
{
	sqlite3_stmt *statement;
	int rc = DB_QUERY(db, &statement,
			  "SELECT slot, bundle, key, due, citizen FROM home INDEXED BY home_expires"
			  " WHERE kind = 1 AND (slot, bundle, key) > (?, ?, ?) AND slot < ?"
			  " ORDER BY slot, bundle, key LIMIT ?",
			  BIND_I(db->progress.slot), BIND_I(db->progress.slot_bundle),
			  BIND_I(db->progress.slot_serial), BIND_I(clock_now() / DIALOG_SLOT),
			  BIND_I(SHARE));

	while (rc == 0 && (rc = db_next(db, statement)) == 1) {
		rows[(*count)++] = (struct passed){ sqlite3_column_int64(statement, 0),
						    sqlite3_column_int64(statement, 1),
						    sqlite3_column_int64(statement, 2),
						    sqlite3_column_int64(statement, 3),
						    column_text(arena, statement, 4) };
		rc = 0;
	}
	return rc;
}

/* Moves on what did not expire in its slot.  Behind the last one looked at, so that what expired and still waits to be
 * ended is looked at once; a start looks at all again. */
static int move_on(struct db *db, int64_t before UNUSED)
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
		db->progress.slot_bundle = rows[count - 1].bundle;
		db->progress.slot_serial = rows[count - 1].serial;
	}
	arena_free(&arena);
	return rc < 0 ? rc : count == SHARE;
}

/* Who has it open is looked for in each slot; most that are needed have ended dialogs, which tell it at once. */
static int retain_bundles(struct db *db, int64_t before UNUSED)
{
	return full_share(DB_RUN(db,
				 "DELETE FROM bundle WHERE id IN (WITH RECURSIVE slots (slot) AS"
				 " (SELECT (SELECT min(slot) FROM home INDEXED BY home_expires "
				 "WHERE kind = 1)"
				 " UNION ALL SELECT (SELECT min(h.slot) FROM home AS h INDEXED BY "
				 "home_expires"
				 " WHERE h.kind = 1 AND h.slot > slots.slot)"
				 " FROM slots WHERE slot IS NOT NULL)"
				 " SELECT id FROM bundle AS b WHERE put < ?"
				 " AND NOT EXISTS (SELECT 1 FROM ended WHERE bundle = b.mark)"
				 " AND NOT EXISTS (SELECT 1 FROM slots CROSS JOIN home AS h"
				 " INDEXED BY home_expires WHERE h.kind = 1 AND h.slot = slots.slot"
				 " AND h.bundle = b.mark) ORDER BY put LIMIT ?)",
				 BIND_I(clock_now() - BUNDLE_GRACE), BIND_I(BUNDLES_SHARE)),
			  BUNDLES_SHARE);
}

int write_retain(struct db *db, const struct retention *retention)
{
	const struct {
		int (*run)(struct db *db, int64_t before);
		int64_t before;
	} kinds[] = {
		{ retain_outbound, retention->outbound },
		{ retain_inbound, retention->inbound }, /* finds few replies left */
		{ retain_ended, retention->dialogs_ended },
		{ retain_reports, retention->reports },
		{ retain_parts, retention->parts },
		{ move_on, 0 },
		{ retain_bundles, 0 },
	};
	bool more = false;
	int rc;

	for (unsigned i = 0; i < ARRAY_LEN(kinds); i++) {
		rc = kinds[i].run(db, kinds[i].before);
		if (rc < 0)
			return rc;
		more = more || rc > 0;
	}
	return more;
}
