/* store.h - the storage contract: a struct of functions, one backend each.
 *
 * Asynchronous: every call returns at once, and its callback runs on the loop thread, never inside the
 * call.  No SQL outside store_*.c.  A backend is an embedded SQLite file or, later, a server shared by many
 * processes: nothing here may depend on there being one writer.  What belongs to a citizen is found by
 * the citizen; our ids carry a shard of the citizen's key; a telco's ids have a look-up of their own.
 */
#pragma once
#include "base.h"
#include "step.h"

struct event_base;
struct store;

enum store_result {
	STORE_DONE,      /* it is on disk */
	STORE_CONFLICT,  /* the citizen's version was another: read again, do it again */
	STORE_DUPLICATE, /* step->seen was stored before; nothing was changed */
	STORE_FAILED,    /* nothing was changed; error says why */
};

/* error: 0, or -ENOSPC (disk full or below the reserve), -EBUSY (locked), -EIO, -EAGAIN (too many wait).
 * Ownership: the step is handed back; the callback (or its caller) frees it. */
typedef void store_commit_cb(enum store_result result, int error, struct step *step, void *arg);

/* A citizen as stored.  A citizen that was never seen has version 0 and no dialogs. */
struct citizen_state {
	const char *citizen;
	int64_t version;
	struct profile profile;
	struct ussd_session session; /* connection "" where none */
	struct dialog_row *dialogs;  /* the open ones, oldest first */
	unsigned dialog_count;
	const struct inbound_row *
		seen; /* the stored message of the same provider id, where one was asked for; or NULL */
	struct part_row *parts; /* waiting parts, as a list of part_count rows */
	unsigned part_count;
};

/* Where error is not 0 the state is NULL.  The state and all in it live in *arena; the callback owns the arena
 * (copy the struct out and call arena_free on it later). */
typedef void store_citizen_cb(int error, struct citizen_state *state, struct arena *arena,
			      void *arg);

enum record_op { RECORD_EQ, RECORD_LT, RECORD_LE, RECORD_GT, RECORD_GE };
struct record_term {
	const char *field;
	enum record_op op;
	struct record_value value;
};
/* A record's place in an order, to go on behind it whatever comes or goes meanwhile. */
struct record_cursor {
	int64_t number;            /* the record's, in the order of insertion */
	struct record_value value; /* of the field that is the order, where one is */
};
struct record_query {
	const char *plugin, *table;
	const char *key;                 /* get: this record alone; NULL: by terms */
	const struct record_term *terms; /* all must hold; fields are indexed ones */
	unsigned term_count;
	const char *order; /* an indexed field, or NULL: order of insertion */
	bool descending;
	const struct record_cursor
		*after; /* of a query with the same order; NULL: from the start */
	unsigned limit; /* 1 to 1000 */
	bool count;     /* only count */
	const char *
		by; /* count: of each value of this indexed field, `limit` values at most; NULL: all together */
};
struct record_group {
	struct record_value value; /* never RECORD_NULL: records without a value are in no group */
	int64_t count;
};
struct record_result {
	struct bytes *rows; /* JSON objects */
	unsigned row_count;
	int64_t count;
	struct record_group *groups; /* in the order of the values */
	unsigned group_count;
	bool more;                 /* there are rows or groups above the limit */
	struct record_cursor last; /* of the last row, where there is more */
};
typedef void store_records_cb(int error, const struct record_result *result, void *arg); /* lent */

enum { CHAIN_HASH_SIZE = 32 }; /* SHA-256 */
/* How far the chain of a table was walked: each chained record has the hash of its JSON and of the chained one before it.  Zeroed
 * is the start. */
struct record_chain {
	enum {
		CHAIN_MORE,  /* ask again from here */
		CHAIN_WHOLE, /* to its end, which is as it was left */
		CHAIN_BROKEN, /* at `number`: it is not what was inserted, or not behind what is before it */
		CHAIN_SHORT, /* records behind `number` are missing */
	} state;
	int64_t number;    /* of the last record that was looked at, in the order of insertion */
	int64_t count;     /* chained records so far */
	int64_t unchained; /* records from before the table had a chain */
	unsigned char hash[CHAIN_HASH_SIZE]; /* of the last chained one */
};
typedef void store_chain_cb(int error, const struct record_chain *chain, void *arg); /* lent */

/* What operators and start-up look for.  Rows come in the order of ids (time), at most `limit` (1 to 1000),
 * those behind `after` (serial 0: from the start). */
enum find_kind {
	FIND_INBOUND, /* by citizen, or id, or all */
	FIND_INBOUND_UNFINISHED,
	FIND_OUTBOUND,            /* by citizen, or id, or (connection, provider_id) */
	FIND_OUTBOUND_UNFINISHED, /* QUEUED, SENDING, UNKNOWN, HELD, SCREEN */
	FIND_DIALOGS, /* open ones; by citizen, or plugin, or id (then ended ones too), or all */
	FIND_DIALOGS_RUNNABLE,
	FIND_DIALOGS_EXPIRED, /* expires <= before */
	FIND_STOPPED,         /* citizens who said STOP */
	FIND_REPORTS,         /* receipts that wait for their message; `after` is the row's order */
	FIND_PARTS, /* citizens of whom a part of a long message has waited since `before` */
};
struct find {
	enum find_kind kind;
	const char *citizen;                  /* NULL: any */
	const char *plugin;                   /* NULL: any */
	const char *connection, *provider_id; /* FIND_OUTBOUND: both, or neither */
	struct id id;                         /* serial 0: any */
	struct id after;
	const char *
		after_citizen; /* FIND_STOPPED, FIND_PARTS, FIND_DIALOGS_*: citizens in order; NULL: from the start */
	int64_t before;
	unsigned limit;
};
struct find_rows { /* the member that fits the kind is filled */
	unsigned count;
	struct inbound_row *inbound;
	struct outbound *outbound;
	struct dialog_row *dialogs;
	struct citizen_state *citizens; /* version and profile; FIND_PARTS: neither */
	struct report_row *reports;
};
typedef void store_find_cb(int error, const struct find_rows *rows, void *arg); /* lent */

typedef void store_bundle_cb(int error, struct bytes content,
			     void *arg); /* lent; -ENOENT: not stored */

struct retention { /* seconds UTC: what is older goes */
	int64_t inbound, outbound, dialogs_ended, reports, parts;
};
typedef void store_done_cb(int error, void *arg);

struct store_ops {
	void (*close)(struct store *store); /* commits what waits, then frees */
	int (*commit)(struct store *store, struct step *step, store_commit_cb *cb, void *arg);
	int (*load_citizen)(struct store *store, const char *citizen, const char *connection,
			    const char *provider_id, store_citizen_cb *cb, void *arg);
	int (*records)(struct store *store, const struct record_query *query, store_records_cb *cb,
		       void *arg);
	int (*verify)(struct store *store, const char *plugin, const char *table,
		      const struct record_chain *from, store_chain_cb *cb, void *arg);
	int (*find)(struct store *store, const struct find *find, store_find_cb *cb, void *arg);
	int (*bundle)(struct store *store, const unsigned char hash[static BUNDLE_SIZE],
		      store_bundle_cb *cb, void *arg);
	/* Removes some of what is older, a bounded share of it a call; error -EAGAIN: call again, more is left. */
	int (*retain)(struct store *store, const struct retention *retention, store_done_cb *cb,
		      void *arg);
	uint64_t (*secret)(struct store *store); /* made with the store, for id_init */
	bool (*lost)(const struct store *store);
};

/* First member of every backend's struct. */
struct store {
	const struct store_ops *ops;
};

/* Each is 0, or -EAGAIN where too many calls wait already (answer 503): the callback is not called then and
 * the step stays the caller's.  What a query, find or key points to is copied before the call returns; a step
 * is the store's until its callback. */
int store_commit(struct store *store, struct step *step, store_commit_cb *cb, void *arg) MUST_CHECK;
int store_load_citizen(struct store *store, const char *citizen, const char *connection,
		       const char *provider_id, store_citizen_cb *cb, void *arg)
	MUST_CHECK; /* connection, provider_id: NULL or a message to look for */
int store_records(struct store *store, const struct record_query *query, store_records_cb *cb,
		  void *arg) MUST_CHECK;
/* Walks on along a table's chain, a bounded share of it a call. */
int store_verify(struct store *store, const char *plugin, const char *table,
		 const struct record_chain *from, store_chain_cb *cb, void *arg) MUST_CHECK;
int store_find(struct store *store, const struct find *find, store_find_cb *cb,
	       void *arg) MUST_CHECK;
int store_bundle(struct store *store, const unsigned char hash[static BUNDLE_SIZE],
		 store_bundle_cb *cb, void *arg) MUST_CHECK;
int store_retain(struct store *store, const struct retention *retention, store_done_cb *cb,
		 void *arg) MUST_CHECK;
uint64_t store_secret(struct store *store);
/* The disk did not keep what was written, or the store is damaged: every commit gives -EIO from here on, and only a new start can
 * go on (it has been logged).  Any thread. */
bool store_lost(const struct store *store);
void store_close(
	struct store *store); /* NULL is fine; the loop must not run callbacks afterwards */

struct store_sqlite_options {
	const char *path;
	unsigned readers;       /* reader threads, 1 to 8 */
	unsigned group_max;     /* steps in one transaction, 1 to 1024 */
	unsigned group_wait_us; /* how long the writer waits for more steps, 0 to 5000 */
	unsigned queue_max;     /* calls that may wait, commits and reads each */
	int64_t reserve_bytes;  /* commits are refused below this much free disk */
	int64_t dedupe_seconds; /* how long a provider's id is remembered, at least 7 days in service */
};
/* Opens or makes a store, and brings an older one up to date (numbered migrations).
 * Errors: -EBUSY another process has it open; -EPROTO it is newer than this program; -EIO, -ENOSPC, -EACCES;
 *         error_text says it in words with the path, for a person. */
int store_sqlite_open(struct event_base *base, const struct store_sqlite_options *options,
		      struct store **out, char *error_text, size_t error_size) MUST_CHECK;
/* Copies a live store, or checks a copy and puts it in place of a store that no process has open. */
int store_sqlite_backup(const char *path, const char *copy, char *error_text,
			size_t error_size) MUST_CHECK;
int store_sqlite_restore(const char *copy, const char *path, char *error_text,
			 size_t error_size) MUST_CHECK;
