/* citizen.h - what is kept of a citizen in memory: her state as stored, and her dialogs.
 *
 * A cache, and the line of her events: one is worked on at a time.  What a turn changes here is what its commit will store; where
 * the commit fails, all of it is thrown away and read again.
 */
#pragma once
#include <sys/queue.h>

#include "base.h"
#include "step.h"
#include "store.h"

struct bundle;
struct citizen;
struct citizens;
struct turn;

/* One open dialog. */
struct dialog {
	TAILQ_ENTRY(dialog) next;
	struct arena arena; /* owns the row's texts, but not its journal */
	struct dialog_row row;
	struct buf journal;    /* all of it, also what is not stored yet */
	size_t stored;         /* bytes of it that are stored */
	size_t seen;           /* bytes of it that the live run has seen; 0: there is none */
	bool is_stored;        /* the store has the row */
	bool dirty;            /* the row differs from the stored one */
	int worker;            /* where its live run is; -1: nowhere */
	struct bundle *bundle; /* referenced; NULL: not looked up yet */
};
TAILQ_HEAD(dialog_list, dialog);

struct citizen_data {
	struct arena arena; /* owns profile's and session's texts */
	int64_t version;
	struct profile profile;
	struct ussd_session session;
	bool profile_dirty, session_dirty;
	struct dialog_list dialogs; /* oldest first */
	struct arena parts_arena;
	struct part_row *parts; /* waiting parts of long messages */
	unsigned part_count;
	bool stale; /* the store has other parts by now: load it again before the next turn */
};

/* cached: citizens without events that are kept; 0: none. */
struct citizens *citizens_new(struct store *store, unsigned cached) MUST_CHECK;
void citizens_free(struct citizens *citizens); /* NULL is fine; no line may have turns */
void citizens_cached(struct citizens *citizens, unsigned cached);

struct citizen *citizen_get(struct citizens *citizens, const char *key);
const char *citizen_key(const struct citizen *citizen);
/* Her line.  A citizen whose line is empty may be forgotten at the next citizen_get. */
void citizen_push(struct citizen *citizen, struct turn *turn);       /* at its end */
void citizen_push_front(struct citizen *citizen, struct turn *turn); /* before the first */
struct turn *citizen_first(const struct citizen *citizen);           /* NULL: none */
void citizen_pop(struct citizen *citizen);                           /* the first is done */
unsigned citizen_waiting(const struct citizen *citizen);

/* Her state; NULL: it must be loaded. */
struct citizen_data *citizen_data(struct citizen *citizen);
/* cb once, from the loop: 0, or a negative errno.  seen: the stored message of the same id, lent; or NULL.
 * Errors: -EAGAIN too many reads wait: cb is not called. */
typedef void citizen_loaded_cb(int error, const struct inbound_row *seen, void *arg);
int citizen_load(struct citizen *citizen, const char *connection, const char *provider_id,
		 citizen_loaded_cb *cb, void *arg) MUST_CHECK;
/* Forgets her state, not her line.  forget is told of each dialog whose live run is worth nothing any more. */
typedef void citizen_forget_cb(struct dialog *dialog, void *arg);
void citizen_drop(struct citizen *citizen, citizen_forget_cb *forget, void *arg);

struct dialog *dialog_add(struct citizen_data *data,
			  const struct dialog_row *row); /* copies; not stored yet */
void dialog_remove(struct citizen_data *data, struct dialog *dialog);
struct dialog *dialog_find(struct citizen_data *data, struct id id); /* NULL: not open */
/* The dialog that a text goes to: the one in front, else the one parked last, which is in front then.  NULL: none. */
struct dialog *dialog_front(struct citizen_data *data);
/* Puts all that is changed into the step (copied), with the citizen's version. */
void citizen_gather(struct citizen *citizen, struct step *step);
/* That step is committed: nothing is changed any more, ended dialogs are gone, what the store appended to journals is in them. */
void citizen_committed(struct citizen *citizen, const struct step *step);
