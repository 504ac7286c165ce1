/* outbox.h - replies waiting for the telco: order a citizen, rate a connection, retry, expiry, doubt.
 *
 * A message is a row in the store first and an HTTP request second.  The first attempt is written in the commit
 * that makes the row, later ones before they leave; a crash leaves SENDING rows, whose outcome is unknown then.
 */
#pragma once
#include "base.h"
#include "message.h"
#include "step.h"

struct http_client;
struct outbox;
struct store;
struct telco;
struct timers;

struct outbox_options {
	unsigned waiting_max; /* messages in memory; at it outbox_full says so: 100,000 */
	uint64_t seed;        /* of the jitter of retries; 0: by chance */
};
/* All borrowed. */
struct outbox *outbox_new(struct store *store, struct telco *telco, struct http_client *client,
			  struct timers *timers, const struct outbox_options *options) MUST_CHECK;
/* NULL is fine; what waits stays in the store, and callbacks that wait are not called.  Before client, timers and store
 * are freed; they may still call back afterwards. */
void outbox_free(struct outbox *outbox);
/* After a reload of settings: looks up the connections anew (the old telco may be closed then), and ends all pauses. */
void outbox_telco(struct outbox *outbox, struct telco *telco);

/* The telco said that this citizen wants no more (an answer or a receipt).  From the loop, lent. */
typedef void outbox_optout_cb(const char *citizen, const char *connection, void *arg);
/* cb NULL: nobody is told */
void outbox_on_optout(struct outbox *outbox, outbox_optout_cb *cb, void *arg);

bool outbox_full(const struct outbox *outbox);
unsigned outbox_waiting(const struct outbox *outbox);
/* Calls that are out, and what is not yet on disk. */
unsigned outbox_in_flight(const struct outbox *outbox);
void outbox_pause(struct outbox *outbox, bool paused); /* shutting down: nothing new leaves */

/* Before the commit of a step: for each outbound row of it, decides whether it can leave at once (state SENDING, attempts 1, and a
 * turn is reserved) or must wait (QUEUED). */
void outbox_prepare(struct outbox *outbox, struct step *step);
/* After it: takes over the rows of a committed step (copies them) and sends; or gives the turns back. Also does to the messages in memory what
 * step->drop_unasked did to those in the store. */
void outbox_committed(struct outbox *outbox, const struct step *step);
void outbox_aborted(struct outbox *outbox, const struct step *step);
/* At start, before receipts are let in: one unfinished row of the store (QUEUED, SENDING, UNKNOWN, HELD, SCREEN).  In the
 * order of ids; pause the outbox until all are in, so that none overtakes another. */
void outbox_resume(struct outbox *outbox, const struct outbound *row);

/* A USSD END screen (state SCREEN) was handed over whole, or could not be: then it follows by SMS. */
void outbox_screen_sent(struct outbox *outbox, struct id id, bool whole);
/* A repeat of a USSD callback was answered with its stored screen, so the row with this reply_to need not follow by SMS. */
void outbox_screen_repeated(struct outbox *outbox, struct id reply_to);

/* A receipt.  cb once, from the loop: 0 stored (also where it changes nothing), else a negative errno (answer 503).
 * Errors: -EAGAIN too many wait, or the store fails: answer 503. */
typedef void outbox_done_cb(int error, void *arg);
int outbox_report(struct outbox *outbox, const struct report *report, outbox_done_cb *cb,
		  void *arg) MUST_CHECK;

/* An operator's act on a HELD, UNKNOWN or QUEUED message: send it now, or never.  A message whose validity is over gets
 * another hour.  cb's error: -ENOENT no such message, -EALREADY it is accepted or final, -EAGAIN it is being sent just now.
 * Errors: -EAGAIN too many wait. */
int outbox_release(struct outbox *outbox, struct id id, outbox_done_cb *cb, void *arg) MUST_CHECK;
int outbox_drop(struct outbox *outbox, struct id id, outbox_done_cb *cb, void *arg) MUST_CHECK;
