/* plugin_run.h - a plugin's bundle in Lua, and one dialog's life in it: run, or replayed, up to the next request.
 *
 * For worker threads (8 MiB of stack).  A program is one Lua state with one bundle; a run is one dialog in it.  A run acts
 * on nothing: what it causes is gathered in a step, and only by what lies behind the last entry of the journal.
 */
#pragma once
#include "base.h"
#include "journal.h"
#include "plugin_bundle.h"
#include "store.h"

struct program;
struct run;

/* Compiles the bundle's files.  The bundle is referenced.  NULL: error has file, line and what. */
struct program *program_new(struct bundle *bundle, char *error, size_t error_size) MUST_CHECK;
void program_free(struct program *program); /* NULL is fine; its runs must be freed before */
const struct bundle *program_bundle(const struct program *program);
bool program_spoiled(
	const struct program *program); /* free it: its other runs are replayed elsewhere */

enum run_end {
	RUN_WAITS,  /* for the citizen: out->request */
	RUN_READS,  /* for the store: out->request, and out->query or a record_write in the step */
	RUN_DONE,   /* the function has returned */
	RUN_FAILED, /* the author's bug: out->error */
	RUN_BREACHED, /* a limit was hit: out->error */
	RUN_DIVERGED, /* the journal isn't this code's: out->error */
	RUN_AGAIN, /* a limit was hit in replay, which says nothing about the dialog: try again later */
};

/* What the store answered to RUN_READS with a query. */
struct read_result {
	const struct bytes *rows; /* JSON objects */
	unsigned row_count;
	int64_t count;
	const struct record_group *groups;
	unsigned group_count;
	bool more;
	struct record_cursor last;
};

enum { RUN_MARKS = 10 };

/* Where a text of `said` comes from. */
struct said_mark {
	size_t end;       /* of its bytes in said, without the newline behind it */
	const char *file; /* as `require` names it; in the call's arena */
	int line;
};

struct run_call {
	/* in */
	struct bytes journal; /* whole, with what is new at its end */
	const char *citizen;  /* "" : a dialog without one */
	struct id dialog;
	const struct request *
		committed; /* the request that the journal ends at, where what was caused up to it is kept already: a
					   * run that begins anew must not cause it again (a read, or a question that
					   * is gone back to).  NULL: none */
	const struct read_result
		*read;       /* answers the request that the journal ends at; NULL: none */
	struct step *step;   /* record_writes are added */
	struct arena *arena; /* for all that is handed out */
	bool loose; /* calls are compared by kind and shape, not by their words: whether other code could go on with the journal */
	struct said_mark *marks; /* room for RUN_MARKS, or NULL */
	/* out */
	unsigned mark_count;
	struct bytes said;          /* by say, up to the request or the end */
	struct journal_citizen set; /* what the dialog changed of the citizen; NULL: unchanged */
	struct request request;
	struct record_query
		query; /* of RUN_READS; table NULL: the request is a write, the step's last record_write */
	struct bytes appended; /* an entry for `read`, to be added to the journal */
	const char *error;     /* one line with file and line */
	struct bytes log;      /* what log and print wrote in what is new */
	/* Of RUN_DIVERGED, where a call was not the recorded one: what was, or REQUEST_NONE; and the questions that were passed. */
	enum request_kind expected;
	unsigned answered;
	bool replayed; /* the run began at the journal's start */
};

/* The dialog's function by its name, or NULL where the bundle has none (error says so). */
struct run *run_new(struct program *program, const char *dialog, char *error,
		    size_t error_size) MUST_CHECK;
void run_free(struct run *run);             /* NULL is fine */
size_t run_position(const struct run *run); /* bytes of its journal that it has seen */
size_t run_kept(const struct run *run);     /* bytes of memory that it has grown by */
/* After anything but RUN_WAITS and RUN_READS the run is over. */
enum run_end run_go(struct run *run, struct run_call *call) MUST_CHECK;

/* For who checks plugins: neither is cheap. */
struct run_place {
	enum request_kind kind; /* that it waits with; NONE: the function has returned */
	const char *file;       /* as `require` names it; in the arena */
	int line; /* of the call, or of the function before it has begun; 0: not known */
};
struct run_place run_place(struct run *run, struct arena *arena);
/* Of all that what comes may depend on: where each function of the dialog stands, its locals, and what lies outside of them. */
uint64_t run_state(struct run *run);
