/* store_sqlite_priv.h - what the files of the SQLite store share: a connection, a call, and values as bytes. */
#pragma once
#include <assert.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <sys/queue.h>

#include "store.h"

enum {
	STORE_APPLICATION_ID = 0x4b54474e, /* "KTGN", in the file's header */
	STORE_ROWS_MAX = 1000,             /* of one answer */
	BUSY_MS = 5000,                    /* how long a locked file is waited for */
	DIALOG_SLOT = 900,                 /* seconds: see store_sqlite_schema.c */
	LITERALS = 256,                    /* statements of one connection, at most */
};

/* What the second column of `home` says a row is; the first three are read with the citizen. */
enum home_kind { HOME_CITIZEN, HOME_DIALOG, HOME_PART, HOME_SEEN, HOME_MESSAGE };

/* The states that a start takes up again; the same text is in the partial index, as SQLite wants it.  It would make a
 * temporary table of IN and five values. */
#define UNFINISHED "(state < 4 OR state = 11)"
static_assert(OUTBOUND_QUEUED == 0 && OUTBOUND_HELD == 3 && OUTBOUND_ACCEPTED == 4 &&
		      OUTBOUND_SCREEN == 11,
	      "stored, and in UNFINISHED");

/* Whether those connections work that do the same for one store: it is logged when they begin to fail, and when all
 * work again. */
struct db_health {
	const char *who;
	atomic_uint failing; /* connections */
};

/* How far the writer has come with what it does a share at a time. */
struct db_progress {
	int64_t slot, slot_bundle, slot_serial; /* dialogs were moved on up to here */
	int64_t inbound, outbound; /* what is old was looked for up to here; 0: from the start */
};

/* A connection, for one thread, with the statements that it has prepared. */
struct db {
	const char *vfs; /* NULL: SQLite's own */
	sqlite3 *handle;
	struct db_literal {
		const char *sql;
		sqlite3_stmt *statement; /* owned */
	} literals[LITERALS];            /* by the text's address; sql NULL: free */
	struct db_statement *texts;      /* owned: uthash */
	int64_t dedupe_seconds;
	struct db_progress progress;      /* the writer's; of what is committed */
	struct db_health *health;         /* borrowed; NULL: each error is logged */
	const struct db_failure *failure; /* what it is failing with; NULL: nothing */
};

/* Errors of all that follow: 0 or more, or -ENOSPC, -EBUSY, -EIO. */
int db_open(struct db *db, const char *path, int flags) MUST_CHECK;
void db_close(struct db *db);
int db_error(struct db *db, int rc) MUST_CHECK; /* of SQLite's result; logs what is new */
void db_works(struct db *db); /* something was read or written: what failed is over */
/* It can't work again before a restart: after a failed fsync nobody knows what the disk has, and writing into a damaged file
 * damages more. */
bool db_lost(const struct db *db) MUST_CHECK;
void db_lose(struct db *db,
	     const struct db *other); /* what other is lost with, it is lost with too */
/* In words; NULL: it fails with another error, or not at all. */
const char *db_cause(const struct db *db, int error) MUST_CHECK;
int db_exec(struct db *db, const char *sql) MUST_CHECK;
int db_do(struct db *db, const char *literal) MUST_CHECK; /* one statement without values */

struct bind {
	enum { BIND_NULL, BIND_INT, BIND_REAL, BIND_TEXT, BIND_BLOB } type;
	int64_t integer;
	double real;
	struct bytes bytes; /* lent until the statement is done with */
};
#define BIND_I(value) ((struct bind){ .type = BIND_INT, .integer = (int64_t)(value) })
#define BIND_B(value) ((struct bind){ .type = BIND_BLOB, .bytes = (value) })
struct bind bind_text(const char *text);     /* NULL is "" */
struct bind bind_optional(const char *text); /* NULL is NULL */
/* A value as it lies in an index: an empty blob for none, so that SQLite orders numbers, texts, none. */
struct bind bind_value(const struct record_value *value);

/* Makes a statement ready, its parameters bound.  It is prepared once and known by its text's address, so that must be a
 * literal; texts that are put together go by query_start.  *out is lent. */
int db_query(struct db *db, const char *literal, const struct bind *binds, unsigned count,
	     sqlite3_stmt **out) MUST_CHECK;
int db_next(struct db *db, sqlite3_stmt *statement) MUST_CHECK; /* 1: a row; 0: no more */
int db_run(struct db *db, const char *literal, const struct bind *binds,
	   unsigned count) MUST_CHECK; /* the number of rows that it changed */
#define DB_QUERY(db, out, sql, ...)                             \
	db_query(db, sql, (const struct bind[]){ __VA_ARGS__ }, \
		 ARRAY_LEN(((const struct bind[]){ __VA_ARGS__ })), out)
#define DB_RUN(db, sql, ...)                                  \
	db_run(db, sql, (const struct bind[]){ __VA_ARGS__ }, \
	       ARRAY_LEN(((const struct bind[]){ __VA_ARGS__ })))

/* A statement whose text depends on what is asked for.  Zeroed is empty. */
struct query {
	struct buf sql;
	struct bind *binds; /* owned */
	unsigned count;
};
void query_add(struct query *query, const char *sql);
void query_bind(struct query *query, const char *sql,
		struct bind bind); /* sql has one '?' for it */
int query_start(struct db *db, const struct query *query, sqlite3_stmt **out) MUST_CHECK;
void query_free(struct query *query);

struct bytes column_bytes(sqlite3_stmt *statement, int column); /* lent until the next row */
struct bytes column_copy(struct arena *arena, sqlite3_stmt *statement, int column);
const char *column_text(struct arena *arena, sqlite3_stmt *statement, int column); /* never NULL */

/* Values as bytes.  unpack: false where the bytes are damaged; strings and bytes are copied into the arena. */
void pack_profile(struct buf *buf, const struct profile *profile);
bool unpack_profile(struct arena *arena, struct bytes from, struct profile *out) MUST_CHECK;
void pack_session(struct buf *buf, const struct ussd_session *session);
bool unpack_session(struct arena *arena, struct bytes from, struct ussd_session *out) MUST_CHECK;
/* All but the id, and the columns beside it: citizen and plugin of a dialog, its journal; what changes of an outbound. */
void pack_dialog(struct buf *buf, const struct dialog_row *row);
bool unpack_dialog(struct arena *arena, struct bytes from, struct dialog_row *out) MUST_CHECK;
void pack_inbound(struct buf *buf, const struct inbound *msg);
bool unpack_inbound(struct arena *arena, struct bytes from, struct inbound *out) MUST_CHECK;
void pack_outbound(struct buf *buf, const struct outbound *msg);
bool unpack_outbound(struct arena *arena, struct bytes from, struct outbound *out) MUST_CHECK;
void pack_fields(struct buf *buf, const struct record_field *fields, unsigned count);
bool unpack_fields(struct arena *arena, struct bytes from, struct record_field **out,
		   unsigned *count) MUST_CHECK;
struct bytes buf_bytes(const struct buf *buf); /* lent */

/* Room for one more in an array of the arena that has count rows; the new one is zeroed. */
void *rows_grow(struct arena *arena, void *rows, unsigned count, size_t size) MUST_CHECK;

int64_t bundle_mark(const unsigned char hash[static BUNDLE_SIZE]); /* what dialogs know it by */
/* What a provider's id is remembered by, within its citizen. */
struct bytes seen_key(struct arena *arena, const char *connection, const char *provider_id);

/* One call, from the loop to a thread and back. */
struct call {
	STAILQ_ENTRY(call)
	next;
	enum call_kind {
		CALL_COMMIT,
		CALL_RETAIN,
		CALL_CITIZEN,
		CALL_RECORDS,
		CALL_VERIFY,
		CALL_FIND,
		CALL_BUNDLE
	} kind;
	void *arg;
	int error;
	struct arena arena; /* owned: what is asked and what is answered */
	union {
		struct {
			struct step *step;
			store_commit_cb *cb;
			enum store_result result;
		} commit;
		struct {
			struct retention what;
			store_done_cb *cb;
		} retain;
		struct {
			const char *citizen, *connection, *provider_id;
			store_citizen_cb *cb;
			struct citizen_state *state;
		} citizen;
		struct {
			struct record_query query;
			store_records_cb *cb;
			struct record_result result;
		} records;
		struct {
			const char *plugin, *table;
			store_chain_cb *cb;
			struct record_chain chain;
		} verify;
		struct {
			struct find find;
			store_find_cb *cb;
			struct find_rows rows;
		} find;
		struct {
			unsigned char hash[BUNDLE_SIZE];
			store_bundle_cb *cb;
			struct bytes content;
		} bundle;
	};
};
STAILQ_HEAD(call_list, call);

/* store_sqlite_write.c: within the writer's transaction.  0 with *result set, or the transaction's error. */
int write_step(struct db *db, struct step *step, enum store_result *result) MUST_CHECK;

/* store_sqlite_record.c: within the writer's transaction.  0 with the row's outcome and what belongs to it set. */
int write_record(struct db *db, struct arena *arena, struct record_write *row) MUST_CHECK;

/* store_sqlite_chain.c: links a record that was just inserted, within the writer's transaction; walks on along a chain. */
int chain_record(struct db *db, const struct record_write *row, int64_t id) MUST_CHECK;
int read_chain(struct db *db, struct call *call) MUST_CHECK;

/* store_sqlite_retain.c: within the writer's transaction.  0, or 1 where more is left. */
int write_retain(struct db *db, const struct retention *retention) MUST_CHECK;

/* store_sqlite_read.c, store_sqlite_find.c: each fills the call's answer. */
int read_citizen(struct db *db, struct call *call) MUST_CHECK;
int read_records(struct db *db, struct call *call) MUST_CHECK;
int read_bundle(struct db *db, struct call *call) MUST_CHECK;
int read_find(struct db *db, struct call *call) MUST_CHECK;
/* The message that is remembered by this key; NULL: none within the window.  It lives in the arena. */
int read_seen(struct db *db, struct arena *arena, const char *citizen, struct bytes key,
	      struct inbound_row **out) MUST_CHECK;
/* Columns shard, serial, citizen, state, arrived, done_at, answer, more, msg. */
#define INBOUND_COLUMNS "shard, serial, citizen, state, arrived, done_at, answer, more, msg"
int inbound_from_row(struct arena *arena, sqlite3_stmt *statement,
		     struct inbound_row *out) MUST_CHECK;
/* Columns shard, serial, citizen, plugin, head, journal. */
int dialog_from_row(struct arena *arena, sqlite3_stmt *statement,
		    struct dialog_row *out) MUST_CHECK;
int db_damaged(const char *what) MUST_CHECK; /* logs; -EIO */

/* store_sqlite_schema.c: 0; -EPROTO newer than we; -EIO no store of ours; or as db_error. */
int schema_check(struct db *db) MUST_CHECK; /* what lies in the file can be read by us */
int schema_migrate(struct db *db)
	MUST_CHECK; /* brings it up to date, within transactions of its own */
int schema_secret(struct db *db, uint64_t *out) MUST_CHECK; /* makes it where there is none */

/* store_sqlite_vfs.c: SQLite's files with a log that is written in few calls, for a connection that writes with
 * synchronous = FULL; by the name that SQLite knows it by. */
const char *store_vfs(void) MUST_CHECK;

/* store_sqlite_mover.c: moves the log into the file.  The writer is borrowed; it looks after each group, and has ended when
 * the mover is stopped, before it is closed.  0, or as db_open. */
struct mover;
int mover_start(const char *path, struct db *writer, struct mover **out) MUST_CHECK;
void mover_stop(struct mover *mover); /* NULL is fine */
/* The writer's log has so many pages.  Whether the writer has failed to move them. */
bool mover_look(struct mover *mover, int frames) MUST_CHECK;

/* store_sqlite.c: a thread that gets no signals; 0 or a negative errno. */
int store_thread(pthread_t *thread, void *(*main_of)(void *arg), void *arg) MUST_CHECK;

/* store_sqlite_lock.c: who has the store open.  Gives a descriptor to close, or -EBUSY with *holder the other's pid
 * (0: not known), or another negative errno. */
int store_lock(const char *path, long *holder) MUST_CHECK;
int sync_folder_of(const char *path) MUST_CHECK; /* 0 or a negative errno */
/* Says what went wrong with a path, for a person; gives rc back. */
int store_say(int rc, const char *path, const char *what, char *text, size_t size) MUST_CHECK;
