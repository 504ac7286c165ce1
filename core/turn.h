/* turn.h - one event of one citizen, from its arrival to its answer: what inbox.c and turn*.c share.
 *
 * turn.c        reads the state, decides, commits, answers: the order of a turn
 * turn_read.c   what a text or a USSD input means, and what is done about it
 * turn_run.c    a dialog's steps: workers and the store's reads
 * turn_show.c   what the citizen is shown: pages, screens, messages
 */
#pragma once
#include <sys/queue.h>

#define uthash_fatal(text) abort()
#define uthash_malloc(size) xmalloc(size)
#include <stdlib.h>
#include <uthash.h>

#include "citizen.h"
#include "inbox.h"
#include "journal.h"
#include "parts.h"
#include "phrases.h"
#include "plugin.h"
#include "screen.h"
#include "settings.h"
#include "step.h"
#include "timers.h"
#include "worker.h"

struct waiter {
	STAILQ_ENTRY(waiter)
	next;
	inbox_answer_cb *cb;
	void *arg;
	bool repeat; /* joined later */
};

enum turn_kind {
	TURN_MESSAGE, /* a citizen's SMS or USSD step */
	TURN_RESUME,  /* a runnable dialog, after a start or a lost commit */
	TURN_OPTOUT,
	TURN_END,   /* a dialog is ended from outside */
	TURN_PARTS, /* parts have waited too long */
};

/* What the citizen has before her when the turn is over. */
enum turn_show {
	SHOW_NOTHING,
	SHOW_TEXT,     /* turn->text, and that is all */
	SHOW_QUESTION, /* turn->text and the question of turn->dialog, which waits */
	SHOW_PAGE,     /* another page of what she was shown last */
	SHOW_MENU,     /* USSD */
	SHOW_RESUME,   /* USSD */
};

struct turn {
	TAILQ_ENTRY(turn) next; /* in the citizen's line */
	TAILQ_ENTRY(turn) all;  /* of the inbox */
	enum turn_kind kind;
	struct inbox *inbox;
	struct citizen *citizen;
	struct arena
		arena; /* owns the message and what must live as long as the turn; the loop's alone */
	struct arena run_arena;    /* what workers hand out; theirs while the dialog runs */
	struct inbound msg;        /* TURN_RESUME: as far as the dialog's row knows */
	struct part_key *parts;    /* the message was joined of these; NULL: none */
	struct id dialog_id;       /* RESUME, END */
	enum dialog_reason reason; /* END */
	inbox_done_cb *done;       /* END; NULL: nobody is told */
	void *done_arg;
	STAILQ_HEAD(, waiter)
	waiters;
	UT_hash_handle hh; /* among those in work, by key; key NULL: it is not there */
	char *key;
	size_t key_len;
	struct timer *timer; /* USSD: the telco's patience; or the next try */
	/* The attempt in work: */
	int64_t now;
	struct step *step;     /* owned; NULL while it is the store's */
	struct buf text;       /* what the citizen reads first: notices, and what was said */
	struct dialog *dialog; /* that runs, or that was answered */
	struct bytes *inputs;  /* USSD: what was typed, not yet read */
	unsigned input, input_count;
	enum turn_show show;
	bool no_row;        /* a part of a message: its commit stores no message */
	bool stored;        /* the message's row is in the store, as in work */
	bool final;         /* the commit that is out is the last */
	bool fresh_session; /* USSD: the first request of a session */
	bool timed_out;     /* USSD: a request of a session that was over already */
	bool late;          /* USSD: the telco was told that the answer comes by SMS */
	bool answered;      /* who waited was told */
	unsigned conflicts, agains, reads;
	struct reply answer; /* of a repeat */
	struct id end_screen;
	/* The dialog's run: */
	struct work work;
	struct request request; /* what the run came to */
	struct buf said;        /* by the dialog in this turn */
};
TAILQ_HEAD(turn_list, turn);

/* A telco's session, so that another number can't use it. */
struct session_seen {
	UT_hash_handle hh;
	TAILQ_ENTRY(session_seen) next; /* the longest unused first */
	int64_t touched;
	char citizen[CITIZEN_MAX + 1];
	size_t key_len;
	char key[];
};

struct held_bundle {
	UT_hash_handle hh;
	struct bundle *bundle; /* referenced */
};

/* How often a plugin has breached its limits lately. */
struct breach {
	UT_hash_handle hh;
	unsigned count;
	int64_t first;
	char plugin[PLUGIN_NAME_MAX + 1];
};

struct inbox {
	struct inbox_parts parts;
	struct citizens *citizens;
	struct turn *in_work; /* by citizen, connection and the telco's id */
	unsigned turns;
	struct session_seen *sessions;
	TAILQ_HEAD(, session_seen) session_list;
	struct held_bundle *bundles; /* of dialogs that began with other code than today's */
	struct breach *breaches;
	TAILQ_HEAD(, turn) all;
	int store_error; /* of the last commit or read that failed; 0: it works */
	bool probing;
	bool stopping; /* nothing new is taken */
	bool closed;   /* nothing goes on: store and workers are on their way out */
};

/* turn.c */
struct turn *turn_new(struct inbox *inbox, enum turn_kind kind, const char *citizen);
void turn_put(struct turn *turn);    /* into its citizen's line; begins where it is the first */
void turn_go_on(struct turn *turn);  /* as far as it can go without waiting */
void turn_finish(struct turn *turn); /* commits all of it; then answers */
void turn_commit(struct turn *turn, bool final);
void turn_fail(struct turn *turn,
	       int error); /* nothing was stored: who waits is told, the turn is over */
void turn_restart(struct turn *turn, int64_t pause_ms); /* forgets the attempt, and begins again */
void turn_free(struct turn *turn);
void turn_answer(struct turn *turn, const struct inbox_answer *answer); /* tells all who wait */

/* turn_read.c */
void turn_message(struct turn *turn);
void turn_next_input(struct turn *turn); /* USSD: reads what was typed next, or finishes */
void turn_stop(struct turn *turn);
/* Adds inputs that are joined by stars; turn->inputs has room. */
void turn_add_inputs(struct turn *turn, struct bytes joined);

/* turn_run.c */
void turn_start(struct turn *turn, struct plugin *plugin, const char *dialog, const char *keyword,
		struct bytes rest);
struct answer;
void turn_give(struct turn *turn, const struct answer *answer); /* to the dialog that waits */
void turn_undo(struct turn *turn); /* back to the question before, where that may be */
void turn_resume(struct turn *turn);
void turn_read_on(
	struct turn *turn); /* after a commit that was not the last: the store's reads, and on */
/* Ends a dialog, in memory and with the next commit. */
void turn_end_dialog(struct turn *turn, struct dialog *dialog, enum dialog_reason reason,
		     const char *error);
/* What the dialog waits for.  Its texts lie in the turn's arena. */
bool turn_pending(struct turn *turn, const struct dialog *dialog, struct request *out) MUST_CHECK;
void turn_set_pending(struct turn *turn, struct dialog *dialog, const struct request *request);
void turn_bundles_stored(struct turn *turn, const struct step *step); /* it is committed */
void turn_done(struct turn *turn); /* the dialog is over: what the citizen is shown */

/* turn_show.c */
void turn_say(struct turn *turn, enum phrase phrase,
	      const char *keyword); /* adds a line to turn->text */
unsigned turn_pages(struct turn *turn, struct bytes text);
struct bytes turn_page(struct turn *turn, struct bytes text, unsigned page,
		       const struct request *request);
void turn_compose(struct turn *turn); /* puts what is shown into the step and the dialog */
/* What people call a dialog: its keyword, or the plugin's name in capitals. */
const char *turn_keyword(struct turn *turn, const char *plugin, const char *dialog);
/* The connection of its message; NULL: it is not in the settings (any more). */
struct telco_connection *turn_connection(const struct turn *turn);
enum channel turn_channel(const struct turn *turn);
const char *turn_language(const struct turn *turn);
