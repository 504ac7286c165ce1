/* store_sqlite_db.c - one connection to SQLite, and what it has prepared.
 *
 * Whoever needs a statement writes it where it is used, and it is still prepared once.  A literal is known by its address,
 * which costs nothing to look up.  What a plugin can ask for makes texts without end: those are kept by their text, and at
 * STATEMENTS_MAX all of them are given back and the few that are hot come again.  No two statements are in use at once
 * but for a row that is read while it is copied.
 *
 * A disk that is full or fails says so with every call.  An operator is told when that begins, with what to do, and when
 * it is over.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "log.h"
#include "store_sqlite_priv.h"

enum { STATEMENTS_MAX = 192 };

struct db_statement {
	UT_hash_handle hh;
	sqlite3_stmt *statement; /* owned */
	char text[];
};

/* What lasts, as opposed to what is one statement's fault. */
struct db_failure {
	int error;
	bool lost;
	const char *cause, *advice;
};

static const struct db_failure failure_full = { -ENOSPC, false, "the disk is full",
						"free space; the store then goes on by itself" };
static const struct db_failure failure_locked = { -EBUSY, false,
						  "another program has locked the file",
						  "end it; the store then goes on by itself" };
static const struct db_failure failure_disk = {
	-EIO, false, "the disk gives an error",
	"see the kernel's log, and whose the files are; the store goes on when they can be used"
};
static const struct db_failure failure_sync = {
	-EIO, true, "the disk did not keep what was written (fsync)",
	"check the disk, then start again; nothing is accepted until then"
};
static const struct db_failure failure_damaged = {
	-EIO, true, "the file is damaged, or can't be read as a store",
	"stop, and restore a backup; nothing is accepted until then"
};

static bool no_space(int system_error)
{
	return system_error == ENOSPC || system_error == EDQUOT;
}

static const struct db_failure *failure_of(struct db *db, int rc)
{
	switch (rc & 0xff) {
	case SQLITE_FULL:
		return &failure_full;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_PROTOCOL: /* locks again */
		return &failure_locked;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return &failure_damaged;
	case SQLITE_IOERR:
	case SQLITE_CANTOPEN:
		if (rc == SQLITE_IOERR_FSYNC || rc == SQLITE_IOERR_DIR_FSYNC)
			return &failure_sync;
		return no_space(sqlite3_system_errno(db->handle)) ? &failure_full : &failure_disk;
	case SQLITE_READONLY:
		return &failure_disk;
	default:
		return NULL;
	}
}

int db_open(struct db *db, const char *path, int flags)
{
	int rc = sqlite3_open_v2(path, &db->handle, flags | SQLITE_OPEN_NOMUTEX, db->vfs);

	if (!db->handle)
		abort(); /* no memory */
	sqlite3_extended_result_codes(db->handle, 1);
	sqlite3_busy_timeout(db->handle, BUSY_MS);
	return rc == SQLITE_OK ? 0 : db_error(db, rc);
}

static void forget_texts(struct db *db)
{
	struct db_statement *entry, *next;

	HASH_ITER (hh, db->texts, entry, next) {
		HASH_DEL(db->texts, entry);
		sqlite3_finalize(entry->statement);
		free(entry);
	}
}

void db_close(struct db *db)
{
	forget_texts(db);
	for (unsigned i = 0; i < LITERALS; i++)
		sqlite3_finalize(db->literals[i].statement);
	memset(db->literals, 0, sizeof(db->literals));
	/* Its log is all that a start has to recover from: closing must not move it into the file. */
	if (db_lost(db))
		sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_close(db->handle);
	db->handle = NULL;
}

static const char *who(const struct db *db)
{
	return db->health ? db->health->who : "copy";
}

static void log_failure(struct db *db, int rc, const struct db_failure *failure)
{
	int system_error = (rc & 0xff) == SQLITE_IOERR || (rc & 0xff) == SQLITE_CANTOPEN
				   ? sqlite3_system_errno(db->handle)
				   : 0;

	log_event(LOG_ERROR, failure->lost ? "store.failed" : "store.failing", "swho", who(db),
		  "scause", failure->cause, "sdo", failure->advice, "icode", (int64_t)rc, "ierrno",
		  (int64_t)system_error, NULL);
}

static void begin_failing(struct db *db, int rc, const struct db_failure *failure)
{
	const struct db_failure *was = db->failure;
	bool others = false;

	if (was == failure || db_lost(db))
		return;
	db->failure = failure;
	if (db->health && !was)
		others = atomic_fetch_add(&db->health->failing, 1) > 0;
	if (!others)
		log_failure(db, rc, failure);
}

int db_error(struct db *db, int rc)
{
	const struct db_failure *failure = failure_of(db, rc);

	if (rc == SQLITE_NOMEM || rc == SQLITE_IOERR_NOMEM)
		abort();
	if (failure) {
		begin_failing(db, rc, failure);
		return failure->error;
	}
	log_event(LOG_ERROR, "store.sqlite", "swho", who(db), "icode", (int64_t)rc, "stext",
		  sqlite3_errmsg(db->handle), NULL);
	return -EIO;
}

void db_works(struct db *db)
{
	if (!db->failure || db_lost(db))
		return;
	db->failure = NULL;
	if (db->health && atomic_fetch_sub(&db->health->failing, 1) == 1)
		log_event(LOG_INFO, "store.works_again", "swho", who(db), NULL);
}

void db_lose(struct db *db, const struct db *other)
{
	db->failure = other->failure;
}

bool db_lost(const struct db *db)
{
	return db->failure && db->failure->lost;
}

const char *db_cause(const struct db *db, int error)
{
	return db->failure && db->failure->error == error ? db->failure->cause : NULL;
}

int db_damaged(const char *what)
{
	log_event(LOG_ERROR, "store.damaged", "swhat", what, NULL);
	return -EIO;
}

int db_exec(struct db *db, const char *sql)
{
	int rc = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : db_error(db, rc);
}

struct bind bind_text(const char *text)
{
	return (struct bind){ .type = BIND_TEXT, .bytes = { text, text ? strlen(text) : 0 } };
}

struct bind bind_optional(const char *text)
{
	return text ? bind_text(text) : (struct bind){ .type = BIND_NULL };
}

struct bind bind_value(const struct record_value *value)
{
	switch (value->type) {
	case RECORD_INTEGER:
		return BIND_I(value->integer);
	case RECORD_REAL:
		if (!isnan(value->real))
			return (struct bind){ .type = BIND_REAL, .real = value->real };
		break;
	case RECORD_TEXT:
		return (struct bind){ .type = BIND_TEXT, .bytes = value->text };
	case RECORD_NULL:
		break;
	}
	return (struct bind){ .type = BIND_BLOB };
}

static int prepare(struct db *db, const char *sql, sqlite3_stmt **out)
{
	int rc = sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL);

	return rc == SQLITE_OK ? 0 : db_error(db, rc);
}

/* Its place among the literals, or a free one. */
static struct db_literal *find_literal(struct db *db, const char *sql)
{
	unsigned at = (unsigned)((uintptr_t)sql * UINT64_C(0x9e3779b97f4a7c15) >> 32) % LITERALS;

	for (unsigned i = 0; i < LITERALS; i++, at = (at + 1) % LITERALS)
		if (db->literals[at].sql == sql || !db->literals[at].sql)
			return &db->literals[at];
	abort(); /* there are fewer in all of the program */
}

static int prepare_literal(struct db *db, const char *sql, sqlite3_stmt **out)
{
	struct db_literal *literal = find_literal(db, sql);
	int rc = literal->sql ? 0 : prepare(db, sql, &literal->statement);

	if (rc == 0)
		literal->sql = sql;
	*out = literal->statement;
	return rc;
}

static int prepare_text(struct db *db, const char *sql, sqlite3_stmt **out)
{
	struct db_statement *entry;
	size_t len = strlen(sql);
	int rc;

	HASH_FIND(hh, db->texts, sql, len, entry);
	if (entry) {
		*out = entry->statement;
		return 0;
	}
	if (HASH_COUNT(db->texts) >= STATEMENTS_MAX)
		forget_texts(db);
	rc = prepare(db, sql, out);
	if (rc < 0)
		return rc;
	entry = xcalloc(1, sizeof(*entry) + len + 1);
	entry->statement = *out;
	memcpy(entry->text, sql, len);
	HASH_ADD(hh, db->texts, text, len, entry);
	return 0;
}

static int bind_one(sqlite3_stmt *statement, int index, const struct bind *bind)
{
	const char *data = bind->bytes.data ? bind->bytes.data : "";

	switch (bind->type) {
	case BIND_NULL:
		return sqlite3_bind_null(statement, index);
	case BIND_INT:
		return sqlite3_bind_int64(statement, index, bind->integer);
	case BIND_REAL:
		return sqlite3_bind_double(statement, index, bind->real);
	case BIND_TEXT:
		return sqlite3_bind_text64(statement, index, data, bind->bytes.len, SQLITE_STATIC,
					   SQLITE_UTF8);
	default:
		return sqlite3_bind_blob64(statement, index, data, bind->bytes.len, SQLITE_STATIC);
	}
}

static int bind_all(struct db *db, sqlite3_stmt *statement, const struct bind *binds,
		    unsigned count)
{
	int rc = SQLITE_OK;

	for (unsigned i = 0; rc == SQLITE_OK && i < count; i++)
		rc = bind_one(statement, (int)i + 1, &binds[i]);
	return rc == SQLITE_OK ? 0 : db_error(db, rc);
}

int db_query(struct db *db, const char *literal, const struct bind *binds, unsigned count,
	     sqlite3_stmt **out)
{
	int rc = prepare_literal(db, literal, out);

	return rc < 0 ? rc : bind_all(db, *out, binds, count);
}

int db_next(struct db *db, sqlite3_stmt *statement)
{
	int rc = sqlite3_step(statement);

	if (rc == SQLITE_ROW)
		return 1;
	if (rc != SQLITE_DONE)
		rc = db_error(db, rc); /* before the reset, which forgets why */
	else
		rc = 0;
	sqlite3_reset(statement);
	return rc;
}

int db_run(struct db *db, const char *literal, const struct bind *binds, unsigned count)
{
	sqlite3_stmt *statement;
	int rc = db_query(db, literal, binds, count, &statement);

	if (rc == 0)
		rc = db_next(db, statement);
	if (rc < 0)
		return rc;
	if (rc > 0)
		sqlite3_reset(statement);
	return sqlite3_changes(db->handle);
}

int db_do(struct db *db, const char *literal)
{
	int rc = db_run(db, literal, NULL, 0);

	return rc < 0 ? rc : 0;
}

struct bytes column_bytes(sqlite3_stmt *statement, int column)
{
	const void *data = sqlite3_column_blob(statement, column);
	int len = sqlite3_column_bytes(statement, column);

	return (struct bytes){ data ? data : "", (size_t)len };
}

struct bytes column_copy(struct arena *arena, sqlite3_stmt *statement, int column)
{
	struct bytes from = column_bytes(statement, column);

	return arena_bytes(arena, from.data, from.len);
}

const char *column_text(struct arena *arena, sqlite3_stmt *statement, int column)
{
	return column_copy(arena, statement, column).data;
}

void query_add(struct query *query, const char *sql)
{
	buf_addstr(&query->sql, sql);
}

void query_bind(struct query *query, const char *sql, struct bind bind)
{
	query_add(query, sql);
	query->binds = xrealloc(query->binds, (query->count + 1) * sizeof(bind));
	query->binds[query->count++] = bind;
}

int query_start(struct db *db, const struct query *query, sqlite3_stmt **out)
{
	int rc = prepare_text(db, query->sql.data, out);

	return rc < 0 ? rc : bind_all(db, *out, query->binds, query->count);
}

void query_free(struct query *query)
{
	buf_free(&query->sql);
	free(query->binds);
}

void *rows_grow(struct arena *arena, void *rows, unsigned count, size_t size)
{
	void *grown;

	if (count & (count - 1))
		return rows; /* there is room up to the next power of two */
	grown = arena_alloc(arena, (count ? 2 * (size_t)count : 1) * size);
	if (count > 0)
		memcpy(grown, rows, count * size);
	return grown;
}
