/* step.h - all that one event causes, gathered, to be committed as one.
 *
 * A step is plain data in one arena.  The loop (or a worker) fills it, store_commit applies it whole or
 * not at all, and until then nothing of it is visible anywhere.  It is applied in the order of the
 * members below.  What it says of a citizen is guarded by the citizen's version (compare-and-swap).
 */
#pragma once
#include <sys/queue.h>

#include "base.h"
#include "message.h"

/* What is kept of a citizen beside dialogs.  Strings are UTF-8, "" where not known. */
struct profile {
	bool stopped;         /* said STOP: nothing unasked-for is sent */
	int64_t stopped_at;   /* seconds UTC, 0 never */
	const char *language; /* "id", "jv", "en"; "" the default */
	const char *name;
	const char *area;   /* Kemendagri code */
	const char *fields; /* JSON object, or "" */
};

/* The citizen's latest USSD session with a telco: what a cumulative input is compared with. */
struct ussd_session {
	const char *connection, *session, *service_code;
	struct bytes raw; /* the whole input so far, as the telco gave it */
	int64_t touched;  /* seconds UTC of the last step */
	bool open;
	/* What the citizen has before her: the root menu, the question whether to go on with a dialog, or a dialog. */
	enum ussd_view { USSD_VIEW_MENU, USSD_VIEW_RESUME, USSD_VIEW_DIALOG } view;
	unsigned page; /* of the root menu */
};

enum dialog_state {
	DIALOG_WAITING,  /* for the citizen's answer: this one is in front */
	DIALOG_RUNNABLE, /* in front, and work is left: taken up at start */
	DIALOG_PARKED,   /* open, but another is in front */
	DIALOG_ENDED,    /* its reason says how */
};

enum dialog_reason {
	DIALOG_OPEN,
	DIALOG_DONE,
	DIALOG_STOPPED,
	DIALOG_EXPIRED,
	DIALOG_FAILED,
	DIALOG_REPLACED,
	DIALOG_DIVERGED,
};
const char *dialog_state_name(enum dialog_state state);    /* static; "waiting", ... */
const char *dialog_reason_name(enum dialog_reason reason); /* static; "open", "done", ... */

enum { BUNDLE_SIZE = 32 }; /* SHA-256 of code, parts, settings, strings and tables */

/* One dialog's row, as stored.  journal and pending are journal.h's formats, opaque here. */
struct dialog_row {
	struct id id;
	const char *citizen; /* "" for a dialog without one */
	const char *plugin;  /* up to 31 bytes */
	const char *dialog;  /* its name in the plugin's table */
	unsigned char bundle[BUNDLE_SIZE];
	enum dialog_state state;
	enum dialog_reason reason;
	const char *error;      /* for the author where reason is FAILED or DIVERGED, else "" */
	const char *connection; /* where its next message goes */
	const char *number;     /* our number or service code there */
	const char *meta;       /* the last inbound message's, or "" */
	bool asked_for;         /* the citizen began it: STOP's rule does not end its answers */
	struct bytes pending;   /* the request that it waits for, encoded; empty where ended */
	struct bytes journal;
	unsigned steps;                    /* steps so far */
	int64_t started, touched, expires; /* seconds UTC */
};

/* A change of one dialog. */
struct dialog_change {
	STAILQ_ENTRY(dialog_change)
	next;
	enum { DIALOG_CHANGE_OPEN, DIALOG_CHANGE_APPEND } kind;
	/* OPEN: the whole row.  APPEND: row.journal is what is added behind the stored journal; all the other
	 * members replace the stored ones.  A row that is ENDED leaves the open ones and is kept for its
	 * retention time. */
	struct dialog_row row;
};

enum inbound_state { INBOUND_IN_WORK, INBOUND_DONE };

/* The answer that a repeat of the same callback gets. */
struct reply {
	struct bytes screen; /* USSD: the screen; SMS: empty */
	bool more;           /* USSD: the session goes on (CON), else END */
};

/* A new inbound message.  Where (citizen, connection, provider_id) was stored within the window, the
 * whole step is refused as STORE_DUPLICATE and `seen` tells what is stored. provider_id "" is never a duplicate. */
struct inbound_row {
	struct inbound msg;
	enum inbound_state state;
	struct reply answer;
	int64_t arrived; /* seconds UTC */
	int64_t done_at; /* 0: not yet */
};

struct inbound_done {
	STAILQ_ENTRY(inbound_done)
	next;
	struct id id;
	struct reply answer;
};

/* A part of a long message that waits for the others.  A repeated part changes nothing; one of a message that was joined
 * within the window refuses the step as STORE_DUPLICATE, with that message in `seen`. */
struct part_row {
	STAILQ_ENTRY(part_row)
	next;
	struct inbound msg; /* part_* set */
	int64_t arrived;
};

struct part_key {
	const char *citizen, *connection, *to;
	unsigned ref, total;
	const char *last_id; /* the provider's id of the part that completed it, or "" */
};

/* A value in an index of a record: ordered within its type, integers and decimals as numbers. */
struct record_value {
	enum { RECORD_NULL, RECORD_INTEGER, RECORD_REAL, RECORD_TEXT } type;
	int64_t integer;
	double real;
	struct bytes text;
};

struct record_field {
	const char *name;
	struct record_value value;
};

enum record_outcome {
	RECORD_DONE,
	RECORD_EXISTS,  /* INSERT: its key is taken */
	RECORD_MISSING, /* UPDATE: there is no such record */
	RECORD_BOUND,   /* INCREMENT: beyond a bound or its type; UPDATE: above RECORD_BYTES_MAX */
};
enum { RECORD_BYTES_MAX = 16 << 10 }; /* of a record's JSON */

struct journal_call;

/* A change of one record.  A record is named by (plugin, table, key): the unique key's values as a JSON
 * array, or the record's own id as text where the table has no unique key. */
struct record_write {
	STAILQ_ENTRY(record_write)
	next;
	enum {
		RECORD_INSERT, /* changes nothing where the key is taken */
		RECORD_PUT,
		RECORD_DELETE,
		RECORD_UPDATE, /* the members of json replace those of the record that is there */
		RECORD_INCREMENT, /* adds to the number of a field; makes the record where there is none */
	} kind;
	const char *plugin, *table, *key;
	struct bytes json;   /* the record, a JSON object (record.h); INCREMENT: where it is made */
	const char *citizen; /* whose record, for erase and export; "" none; UPDATE: as it is */
	struct record_field *index; /* the indexed fields; UPDATE: those of them that json has */
	unsigned index_count;
	struct {
		const char *field;
		struct record_value by;       /* an integer or a real, as are: */
		struct record_value min, max; /* RECORD_NULL: no bound */
	} increment;
	bool chained; /* INSERT: its hash is over the JSON and the hash of the table's chained record before */
	/* Where a write's result is an entry of the journal: the store asks for the entry once it knows the result, on a
	 * thread of its own, and appends it to the dialog's journal in the same transaction.  The dialog must be open.
	 * dialog.serial 0: nothing is appended. */
	struct id dialog;
	void (*add_entry)(struct buf *buf, const struct record_write *write);
	const struct journal_call
		*call; /* add_entry's: of the request, with what an INSERT gives */
	/* out */
	enum record_outcome outcome;
	struct bytes row;        /* of an UPDATE that is done: the record as it is now */
	struct record_value sum; /* of an INCREMENT that is done */
	struct bytes entry;      /* what was appended */
};

struct outbound_row {
	STAILQ_ENTRY(outbound_row)
	next;
	struct outbound msg;
};

/* What became of an outbound message.  Applied only where the stored attempts equal attempts_seen (the
 * lease's counter), else skipped and `lost` is set. */
struct outbound_update {
	STAILQ_ENTRY(outbound_update)
	next;
	struct id id;
	unsigned attempts_seen;
	unsigned attempts, doubts;
	enum outbound_state state;
	const char *provider_id; /* NULL: unchanged */
	const char *note, *code; /* NULL: unchanged */
	int64_t not_before;
	bool lost; /* out */
};

/* A receipt for a message that isn't known (yet). */
struct report_row {
	STAILQ_ENTRY(report_row)
	next;
	struct report report;
	int64_t arrived;
	bool forget;   /* delete the stored one of the same (connection, ref) instead */
	int64_t order; /* out, of FIND_REPORTS: for find's `after` */
};

/* A plugin's code, parts, settings and strings, as bytes (plugin.h's format). */
struct bundle_row {
	STAILQ_ENTRY(bundle_row)
	next;
	unsigned char hash[BUNDLE_SIZE];
	const char *plugin;
	struct bytes content;
};

struct step {
	struct arena arena; /* owns all that the members point to, and the step's own lists */

	/* Whose.  The step commits only if the stored version equals `version` (0: no row yet), which then is
	 * version + 1.  citizen NULL: no guard; profile, session, dialogs and inbound are not used then, but
	 * dialogs of no citizen (row.citizen "") may be changed. */
	const char *citizen;
	int64_t version;
	const struct profile *profile;      /* replaces the stored one; NULL: unchanged */
	const struct ussd_session *session; /* replaces the stored one; NULL: unchanged */

	struct inbound_row *inbound; /* NULL: none */
	STAILQ_HEAD(, inbound_done)
	done; /* inbound messages that are answered now */
	STAILQ_HEAD(, part_row)
	parts;
	const struct part_key *
		parts_joined; /* these waiting parts are `inbound` now: they go, and their providers' ids are
				* remembered as its; NULL: none */
	STAILQ_HEAD(, bundle_row)
	bundles; /* before the dialogs that need them; one that is there stays */
	STAILQ_HEAD(, dialog_change)
	dialogs;
	STAILQ_HEAD(, record_write)
	records;
	bool drop_unasked; /* STOP: every waiting outbound message of the citizen that is not asked for is DROPPED */
	STAILQ_HEAD(, outbound_row)
	outbound;
	STAILQ_HEAD(, outbound_update)
	updates;
	STAILQ_HEAD(, report_row)
	reports;

	struct inbound_row
		*seen; /* out, on STORE_DUPLICATE: the stored one (in the step's arena) */
};

struct step *step_new(void) MUST_CHECK;
void step_free(struct step *step); /* NULL is fine */

/* Each adds one zeroed row to its list, in order, and lends it. */
struct inbound_done *step_add_done(struct step *step);
struct part_row *step_add_part(struct step *step);
struct bundle_row *step_add_bundle(struct step *step);
struct dialog_change *step_add_dialog(struct step *step);
struct record_write *step_add_record(struct step *step);
struct outbound_row *step_add_outbound(struct step *step);
struct outbound_update *step_add_update(struct step *step);
struct report_row *step_add_report(struct step *step);

/* Deep copies into an arena, so that what is lent can be kept. */
void inbound_copy(struct arena *arena, struct inbound *to, const struct inbound *from);
void outbound_copy(struct arena *arena, struct outbound *to, const struct outbound *from);
void profile_copy(struct arena *arena, struct profile *to, const struct profile *from);
void session_copy(struct arena *arena, struct ussd_session *to, const struct ussd_session *from);
void dialog_row_copy(struct arena *arena, struct dialog_row *to, const struct dialog_row *from);
