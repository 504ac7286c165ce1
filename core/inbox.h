/* inbox.h - takes each inbound message once, and sees it through to its answer.
 *
 * A telco repeats a callback until it sees our 200, so the same message can come twice, days apart, or while the first is still in
 * work.  The inbox stores a message before it says that it has it: what it accepted outlives a crash, and so does all
 * that it causes.
 */
#pragma once
#include "base.h"
#include "message.h"
#include "step.h"

struct event_base;
struct inbox;
struct outbox;
struct plugin_set;
struct settings;
struct store;
struct telco;
struct timers;
struct workers;

/* All borrowed, but for plugins, which the inbox owns from here on. */
struct inbox_parts {
	struct event_base *base;
	struct store *store;
	struct timers *timers;
	struct workers *workers;
	struct outbox *outbox; /* NULL: what is said is stored, and nobody sends it (transcripts) */
	struct telco *telco;
	struct plugin_set *plugins;
	const struct settings *settings;
};

struct inbox_answer {
	enum inbox_result {
		INBOX_TAKEN,   /* stored, this time or before: answer 200, with the screen */
		INBOX_REFUSED, /* a known session with another number: 403 */
		INBOX_FAILED,  /* not stored: 503, the telco will call again */
	} result;
	struct bytes screen; /* USSD; lent */
	bool more;           /* USSD: the session goes on */
	struct id
		end_screen; /* the outbound message that this screen is, to be told of with outbox_screen_sent; serial 0: none */
	struct id
		repeat_of; /* a repeat: the inbound message, for outbox_screen_repeated; serial 0: none */
};
typedef void inbox_answer_cb(const struct inbox_answer *answer, void *arg);

struct inbox *inbox_new(const struct inbox_parts *parts) MUST_CHECK;
/* Nothing new is taken; what is in work goes on. */
void inbox_stop(struct inbox *inbox);
/* Nothing goes on either: call it before workers and store are freed, which still call back. */
void inbox_close(struct inbox *inbox);
/* NULL is fine; after inbox_close, workers_free and store_close.  Answers who still waits with INBOX_FAILED, within this call. */
void inbox_free(struct inbox *inbox);
unsigned inbox_in_work(const struct inbox *inbox);
int inbox_store_error(const struct inbox *inbox); /* of its last commit or read; 0: it went well */
/* While there is such an error: tries a small write, so that it is known when the store works again.  Call it now and then. */
void inbox_probe_store(struct inbox *inbox);

/* One message.  cb is called once, from the loop, never inside this call.
 * Shape:     as telco_decode gives it
 * Errors:    -EAGAIN too many are in work, or wait for telcos (answer 503); cb is not called then
 * Ownership: copied
 * Source:    3GPP TS 23.040, 9.2.3.24.1 (concatenated short messages)
 */
int inbox_take(struct inbox *inbox, const struct inbound *msg, inbox_answer_cb *cb,
	       void *arg) MUST_CHECK;

/* At start, before messages are taken: a dialog that is runnable. */
void inbox_resume(struct inbox *inbox, const struct dialog_row *row);
/* The telco says that this citizen wants no more. */
void inbox_optout(struct inbox *inbox, const char *citizen, const char *connection);
/* An operator ends a dialog, or time does (reason DIALOG_EXPIRED).  cb (may be NULL) once, from the loop: 0, -ENOENT it is not open, or why it could
 * not be stored. */
typedef void inbox_done_cb(int error, void *arg);
void inbox_end_dialog(struct inbox *inbox, const char *citizen, struct id dialog,
		      enum dialog_reason reason, inbox_done_cb *cb, void *arg);
/* Parts of a long message have waited too long: what is there is taken as it is. */
void inbox_give_up_parts(struct inbox *inbox, const char *citizen);

/* After a reload: the new set is the inbox's, the rest is borrowed. */
void inbox_reload(struct inbox *inbox, struct plugin_set *plugins, struct telco *telco,
		  const struct settings *settings);
const struct plugin_set *inbox_plugins(const struct inbox *inbox);
