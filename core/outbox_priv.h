/* outbox_priv.h - what the parts of the outbox share.
 *
 * outbox.c        the public calls: steps, screens, start and end
 * outbox_line.c   citizens: whose message comes next
 * outbox_link.c   connections: rate, calls at once, pauses
 * outbox_send.c   one attempt and what came of it
 * outbox_write.c  what the store must know, in batches
 * outbox_report.c receipts, and what operators do
 */
#pragma once
#include <sys/queue.h>

#define uthash_fatal(text) abort()
#define uthash_malloc(size) xmalloc(size)
#include <stdlib.h>
#include <uthash.h>

#include "outbox.h"
#include "telco.h"
#include "timers.h"

enum {
	CLASSES = CLASS_BROADCAST + 1,
	SCREEN_MS = 30000, /* how long an END screen's fate may stay open */
};

struct parcel;
struct errand;
TAILQ_HEAD(parcel_list, parcel);
STAILQ_HEAD(errand_list, errand);

/* A second name of a message: a telco's id, or the inbound message that a screen answers. */
struct outbox_ref {
	UT_hash_handle hh;
	struct parcel *parcel;
	bool screen;   /* which table it stands in */
	bool shadowed; /* in none: another message has the same id */
	size_t key_len;
	char key[];
};

/* A parcel is one message in memory, a line one citizen's messages, a link a connection, an errand a receipt or an
 * operator's act on its way.
 */

/* Until it is accepted, held or final, and that is on disk. */
struct parcel {
	struct outbound row; /* as it is now */
	struct outbox *
		outbox; /* borrowed; NULL: it is gone, and the call that is out frees the message */
	struct link *link; /* borrowed: its connection */
	struct line
		*line; /* in whose order it stands: it waits or blocks; NULL: neither any more */
	UT_hash_handle hh;           /* by row.id */
	TAILQ_ENTRY(parcel) waiting; /* of its citizen: in its class, or among those on their way */
	TAILQ_ENTRY(parcel) offered; /* at its link: ready or delayed */
	TAILQ_ENTRY(parcel) listed;  /* to be written, or to be forgotten */
	struct timer *timer;         /* NULL: none pending */
	struct outbox_ref *ref;      /* owned; NULL: none */
	struct errand_list waiters;  /* told when what is to be written is on disk */
	char *code;                  /* owned; row.code where a telco gave one */
	int64_t due_ms;              /* not sent before */
	uint64_t settled;            /* its place in the list of those to be forgotten */
	unsigned stored_attempts;    /* as the store has it: what an update is guarded by */
	unsigned failures;           /* temporary ones */
	enum { LISTED_NOT, LISTED_DIRTY, LISTED_SETTLED } list;
	enum { OFFERED_NOT, OFFERED_READY, OFFERED_DELAYED } offer;
	bool blocks;             /* the citizen's next ones wait for it */
	bool turn;               /* counts among its link's calls */
	bool calling;            /* the call is out: the message can't be freed */
	bool writing;            /* a commit is out: the same */
	bool changed;            /* since that commit began */
	bool new_note, new_code; /* not yet written */
	bool forget_report;      /* the stored receipt that came before its id was known */
	bool stopped;            /* unasked-for, and the citizen said STOP while it was out */
	char data[];             /* the row's strings */
};

/* Of a citizen whose messages wait or are on their way. */
struct line {
	UT_hash_handle hh;
	struct parcel_list waiting[CLASSES]; /* in the order of ids */
	struct parcel_list out;              /* those that block */
	struct parcel *offered;              /* the next one, at its link; NULL: none may go */
	unsigned blocked; /* those that block, and turns that a step has reserved */
	SLIST_ENTRY(line) spare;
	char key[CITIZEN_MAX + 1];
};

/* One connection as the outbox sees it. */
struct link {
	UT_hash_handle hh;
	struct outbox *outbox;
	struct telco_connection *telco; /* borrowed; NULL: not in the settings (any more) */
	struct parcel_list ready[CLASSES], delayed;
	struct timer *timer; /* when to look again; NULL: none pending */
	int64_t timer_ms;
	bool wanted;              /* to be pumped in this turn */
	unsigned in_flight;       /* turns taken */
	double rate, tokens;      /* messages a second, 0: no limit */
	int64_t filled_ms;        /* when tokens were counted last */
	int64_t until_ms;         /* nothing leaves before */
	bool probing;             /* one at a time, until one works */
	const char *alarm;        /* why an operator is needed; NULL: not */
	unsigned failures, trips; /* in a row */
	char name[];
};

/* A receipt or an operator's act that waits: for a look into the store, then for its commit. */
struct errand {
	STAILQ_ENTRY(errand)
	next;
	TAILQ_ENTRY(errand) searching;
	struct outbox *outbox; /* NULL: it is gone */
	enum { ERRAND_REPORT, ERRAND_RELEASE, ERRAND_DROP } kind;
	struct id id;         /* serial 0: a telco's id, or none of ours */
	struct report report; /* of a ERRAND_REPORT; its strings lie in data */
	outbox_done_cb *cb;
	void *arg;
	uint64_t started; /* what was settled when the look began */
	int error;        /* the answer, once it is known */
	char data[];
};

/* A receipt for an id that no message has (yet). */
struct early {
	UT_hash_handle hh;
	enum outbound_state state; /* what its message becomes */
	bool stored;
	char code[32]; /* the telco's; cut where it is longer */
	size_t key_len;
	char key[];
};

struct outbox_write;
LIST_HEAD(write_list, outbox_write);

struct outbox {
	struct store *store; /* borrowed, like the three that follow */
	struct telco *telco;
	struct http_client *client;
	struct timers *timers;
	struct outbox_options options;
	outbox_optout_cb *optout;
	void *optout_arg;
	bool paused;
	uint64_t random;            /* state of the jitter's generator */
	struct parcel *parcels;     /* owned; by our id */
	struct outbox_ref *refs;    /* of messages whose telco's id isn't on disk yet */
	struct outbox_ref *screens; /* by what they answer */
	struct line *lines;         /* owned */
	SLIST_HEAD(line_list, line) spare_lines; /* owned */
	unsigned spares;
	struct link *links;       /* owned; by name */
	struct early *early;      /* owned; oldest first */
	unsigned waiting;         /* messages in some citizen's order */
	unsigned calls;           /* out */
	struct timer *turn;       /* the end of this turn of the loop; NULL: nothing to do then */
	struct parcel_list dirty; /* to be written */
	unsigned dirty_count;
	struct errand_list unknown; /* receipts to be stored */
	struct errand_list answers; /* those that are over */
	unsigned errand_count;
	TAILQ_HEAD(search_list, errand) searches; /* oldest first */
	struct parcel_list settled; /* forgotten when no look into the store is older */
	uint64_t settled_last;
	struct write_list writes; /* commits that are out */
	unsigned written_count;   /* messages in them */
	bool urgent;              /* what is dirty can't wait for an earlier commit */
	unsigned retries;         /* the store failed so often in a row */
	int64_t retry_ms;         /* then not before */
	struct timer *retry;      /* NULL: none pending */
};

/* Accepted, held or final: nothing is left to send. */
static inline bool outbound_over(enum outbound_state state)
{
	return state >= OUTBOUND_HELD && state != OUTBOUND_SCREEN;
}

/* outbox.c */
struct parcel *parcel_new(struct outbox *outbox, const struct outbound *row);
void parcel_free(struct parcel *parcel);   /* and takes it out of what finds it */
void parcel_arm(struct parcel *parcel);    /* sets its timer by its state */
void parcel_resume(struct parcel *parcel); /* after a start: takes up an unfinished row */
/* Neither waits nor blocks any more: frees its place in the order and its turn. */
void parcel_settle(struct parcel *parcel, enum outbound_state state);
void parcel_expire(struct parcel *parcel);
/* Waits (again), from due_ms on; settles it where the citizen stopped it. */
void parcel_queue(struct parcel *parcel, int64_t due_ms);
void parcel_note(struct parcel *parcel, const char *note); /* static text */
void parcel_set_ref(struct parcel *parcel, struct outbox_ref **table, const void *key, size_t len);
void parcel_drop_ref(struct parcel *parcel);
bool parcel_expired(const struct parcel *parcel, int64_t now_ms);
void outbox_wake(
	struct outbox *outbox); /* do what is gathered, once this turn of the loop is over */
double outbox_random(struct outbox *outbox); /* 0 to 1, 1 excluded */

/* outbox_line.c */
struct line *line_find(struct outbox *outbox, const char *key);
struct line *line_get(struct outbox *outbox, const char *key);
struct parcel *line_first(const struct line *line);
void line_reserve(struct outbox *outbox, struct line *line); /* blocks without a message */
/* May free the citizen, like parcel_leave. */
void line_unreserve(struct outbox *outbox, struct line *line);
void parcel_wait(struct parcel *parcel);                 /* enters its citizen's order */
void parcel_block(struct parcel *parcel, bool reserved); /* on its way: the next ones wait */
void parcel_leave(struct parcel *parcel); /* out of the order; the next one is offered */

/* outbox_link.c */
struct link *link_get(struct outbox *outbox, const char *name);
void link_telco(struct link *link); /* looks its connection up, and forgets pauses */
void link_offer(struct parcel *parcel);
void link_withdraw(struct parcel *parcel);
void link_want(struct link *link);
void link_pump(struct link *link);
bool link_takes(struct link *link, enum message_class class, int64_t now_ms);
void link_take(struct link *link);
void link_give(struct link *link,
	       bool unused); /* unused: nothing left, so the rate isn't charged */
void link_heard(struct link *link, const struct telco_outcome *outcome);

/* outbox_send.c */
void parcel_start(
	struct parcel *parcel); /* writes an attempt down; it leaves when that is on disk */
void parcel_send(struct parcel *parcel);
void parcel_doubt(struct parcel *parcel);                  /* may be out: awaits a receipt */
void parcel_await(struct parcel *parcel);                  /* goes on doing so */
void parcel_code(struct parcel *parcel, const char *code); /* copied */
void parcel_decide(struct parcel *parcel);                 /* no receipt came */

/* outbox_write.c */
void parcel_dirty(struct parcel *parcel, bool urgent);
void outbox_flush(struct outbox *outbox);
void outbox_forget(struct outbox *outbox); /* messages that nobody can ask for any more */
void parcel_done(struct parcel *parcel);   /* nothing is left to do: forget it when that is safe */
void outbox_abandon_writes(struct outbox *outbox);

/* outbox_report.c */
void errand_answer(struct errand *errand, int error);
void outbox_answer(struct outbox *outbox);
void outbox_abandon_errands(struct outbox *outbox);
void errand_free(struct errand *errand);
void early_stored(struct outbox *outbox, const struct report *report);
void early_match(struct parcel *parcel); /* its telco's id is known now */
size_t ref_key(char *out, size_t size, const char *connection, const char *ref);
