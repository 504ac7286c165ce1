/* store_sqlite_schema.c - the tables, as numbered steps from an empty file.
 *
 * All that a message of a citizen touches lies side by side: `home` begins with the citizen's key, and her row, open
 * dialogs, waiting parts and remembered ids are neighbours, so that a step dirties one or two pages and a load reads
 * them in one go.  Messages lie by their serial, which rises with time: new ones share the last page.  What is looked
 * for at start has partial indexes, which are as small as the work that is left.
 *
 * An index is rewritten wherever a row moves in it, and for a citizen at random that is a page of its own.  So no index of
 * open dialogs has what changes with every step.  When to look whether one has expired is its slot, of DIALOG_SLOT
 * seconds: a step that puts that off leaves the slot, and retaining moves on those whose slot has passed, which are few,
 * as most dialogs end before.  A bundle is known in its dialogs by its mark, the beginning of its hash: two with one
 * mark would only stay for each other.
 *
 * Every index costs each row that comes, goes or moves in it, and every statement on its table a look.  So what is old is
 * found by walking a table from its first serial, and one index serves what is asked for seldom: of each slot, who
 * needs a bundle; of each bundle, what ended when.
 *
 * A migration is never changed once released; a new one goes to the end, and its number is the file's user_version.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/random.h>

#include "log.h"
#include "store_sqlite_priv.h"

static const char *const migrations[] = {
	/* 1 */
	"CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;"

	/* kind 0 citizen: version, state = stopped, head = profile, body = session
	 * kind 1 dialog:  key = serial, plugin, bundle, state, due = expires, slot <= due, head = the rest, body = journal
	 * kind 2 part:    key = connection, to, ref, total, number; state = 1, due = arrived, head = message
	 * kind 3 seen:    key = connection, provider id; version = serial of the message, due = arrived,
	 *                 slot = serial of the first one out of the same step, or NULL
	 * kind 5 part seen: as 3, of a part of a message that was joined
	 * kind 4 message: key = serial of any other one out, or less than 0 for one in without an id of its provider's
	 * A citizen's messages are found here, on the page that her step writes anyway, and not by indexes of their own. */
	"CREATE TABLE home (citizen TEXT, kind INTEGER, key, version INTEGER, state INTEGER,"
	" due INTEGER, slot INTEGER, shard INTEGER, plugin TEXT, bundle INTEGER, head BLOB,"
	" body BLOB,"
	" PRIMARY KEY (citizen, kind, key)) WITHOUT ROWID;"
	"CREATE UNIQUE INDEX home_dialog ON home (key) WHERE kind = 1;"
	"CREATE INDEX home_expires ON home (slot, bundle, key) WHERE kind = 1;"
	/* who said STOP, runnable dialogs, parts: all are few */
	"CREATE INDEX home_marked ON home (kind, citizen, key) WHERE state = 1;"

	"CREATE TABLE ended (serial INTEGER PRIMARY KEY, shard INTEGER, citizen TEXT,"
	" plugin TEXT, bundle INTEGER, touched INTEGER, head BLOB, journal BLOB);"
	"CREATE INDEX ended_touched ON ended (bundle, touched);"

	"CREATE TABLE inbound (serial INTEGER PRIMARY KEY, shard INTEGER, citizen TEXT,"
	" state INTEGER, arrived INTEGER, done_at INTEGER, answer BLOB, more INTEGER, msg BLOB);"
	"CREATE INDEX inbound_unfinished ON inbound (serial) WHERE state = 0;"

	"CREATE TABLE outbound (serial INTEGER PRIMARY KEY, shard INTEGER, citizen TEXT,"
	" connection TEXT, asked_for INTEGER, state INTEGER, attempts INTEGER, doubts INTEGER,"
	" provider_id TEXT, note TEXT, code TEXT, created INTEGER, not_before INTEGER, msg BLOB);"
	"CREATE INDEX outbound_provider ON outbound (connection, provider_id)"
	" WHERE provider_id <> '';"
	"CREATE INDEX outbound_unfinished ON outbound (serial) WHERE " UNFINISHED ";"

	/* id rises within its table, so that its records lie in the order of insertion; fields = what record_index has of it,
	 * so that no index is needed to find that */
	"CREATE TABLE record (plugin TEXT, tbl TEXT, id INTEGER, key TEXT, citizen TEXT,"
	" fields BLOB, json BLOB, link BLOB, PRIMARY KEY (plugin, tbl, id)) WITHOUT ROWID;"
	"CREATE UNIQUE INDEX record_key ON record (plugin, tbl, key);"
	/* link: of a chained record, the SHA-256 of the link before and its own JSON; here what the last one is, and how many */
	"CREATE TABLE record_chain (plugin TEXT, tbl TEXT, count INTEGER, hash BLOB,"
	" PRIMARY KEY (plugin, tbl)) WITHOUT ROWID;"
	/* value: a number, a text, or an empty blob for none; SQLite orders them so */
	"CREATE TABLE record_index (plugin TEXT, tbl TEXT, field TEXT, value, record INTEGER,"
	" PRIMARY KEY (plugin, tbl, field, value, record)) WITHOUT ROWID;"

	/* AUTOINCREMENT: whoever pages behind an id meets all that came later, whatever went between */
	"CREATE TABLE report (id INTEGER PRIMARY KEY AUTOINCREMENT, connection TEXT, ref TEXT,"
	" own_id INTEGER, status INTEGER, code TEXT, opted_out INTEGER, arrived INTEGER,"
	" UNIQUE (connection, ref, status));"
	"CREATE INDEX report_arrived ON report (arrived);"

	"CREATE TABLE bundle (id INTEGER PRIMARY KEY, hash BLOB UNIQUE, mark INTEGER, plugin TEXT,"
	" put INTEGER, content BLOB);"
	"CREATE INDEX bundle_put ON bundle (put, mark);",
};

static int pragma_int(struct db *db, const char *sql, int64_t *out)
{
	sqlite3_stmt *statement;
	int rc = db_query(db, sql, NULL, 0, &statement);

	if (rc == 0)
		rc = db_next(db, statement);
	if (rc < 0)
		return rc;
	*out = rc > 0 ? sqlite3_column_int64(statement, 0) : 0;
	sqlite3_reset(statement);
	return 0;
}

int schema_check(struct db *db)
{
	int64_t application, version, tables;
	int rc = pragma_int(db, "PRAGMA application_id", &application);

	if (rc == 0)
		rc = pragma_int(db, "PRAGMA user_version", &version);
	if (rc == 0)
		rc = pragma_int(db, "SELECT count(*) FROM sqlite_master", &tables);
	if (rc < 0)
		return rc;
	if (application != STORE_APPLICATION_ID && (application != 0 || version != 0 || tables > 0))
		return db_damaged("the file is no store of ours");
	return version > (int64_t)ARRAY_LEN(migrations) ? -EPROTO : 0;
}

static int migrate_to(struct db *db, int64_t version)
{
	char mark[96];
	int rc = db_exec(db, "BEGIN IMMEDIATE");

	if (rc < 0)
		return rc;
	snprintf(mark, sizeof(mark), "PRAGMA application_id = %d; PRAGMA user_version = %d",
		 (int)STORE_APPLICATION_ID, (int)version);
	rc = db_exec(db, migrations[version - 1]);
	if (rc == 0)
		rc = db_exec(db, mark);
	if (rc == 0)
		rc = db_exec(db, "COMMIT");
	if (rc < 0 && !sqlite3_get_autocommit(db->handle))
		sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
	return rc;
}

int schema_migrate(struct db *db)
{
	int64_t version;
	int rc = pragma_int(db, "PRAGMA user_version", &version);

	while (rc == 0 && version < (int64_t)ARRAY_LEN(migrations)) {
		rc = migrate_to(db, ++version);
		if (rc == 0)
			log_event(LOG_INFO, "store.migrated", "iversion", version, NULL);
	}
	return rc;
}

int schema_secret(struct db *db, uint64_t *out)
{
	uint64_t secret;
	int64_t stored;
	int rc;

	if (getrandom(&secret, sizeof(secret), 0) != (ssize_t)sizeof(secret))
		return -EIO;
	rc = DB_RUN(db, "INSERT OR IGNORE INTO meta VALUES ('secret', ?)", BIND_I(secret));
	if (rc >= 0)
		rc = pragma_int(db, "SELECT value FROM meta WHERE name = 'secret'", &stored);
	if (rc == 0)
		*out = (uint64_t)stored;
	return rc;
}
