/* turn.c - the order of a turn: the state is read, the event is understood, all that it causes commits at once, who
 * waits is answered.
 *
 * Turns of one citizen never overlap.  A turn changes her state in memory as if it had happened; the commit makes it
 * true.  Where the commit is refused or fails, her state and the attempt are thrown away and nothing has happened.
 */
#include "turn.h"

#include <errno.h>
#include <string.h>

#include "clock.h"
#include "crash.h"
#include "log.h"
#include "metrics.h"
#include "outbox.h"
#include "store.h"
#include "telco.h"

enum {
	CONFLICTS_MAX = 20,
	RETRY_MS = 1000,
	PATIENCE_MS = 3000, /* the reference's security.md 7 */
};

static void begin(struct turn *turn);

struct turn *turn_new(struct inbox *inbox, enum turn_kind kind, const char *citizen)
{
	struct turn *turn = xcalloc(1, sizeof(*turn));

	turn->kind = kind;
	turn->inbox = inbox;
	turn->citizen = citizen_get(inbox->citizens, citizen);
	turn->msg = (struct inbound){ .connection = "",
				      .provider_id = "",
				      .from = citizen_key(turn->citizen),
				      .to = "",
				      .text = { "", 0 },
				      .network = "",
				      .meta = "",
				      .session = "" };
	STAILQ_INIT(&turn->waiters);
	TAILQ_INSERT_TAIL(&inbox->all, turn, all);
	return turn;
}

void turn_free(struct turn *turn)
{
	struct inbox *inbox = turn->inbox;

	TAILQ_REMOVE(&inbox->all, turn, all);
	if (turn->key)
		HASH_DEL(inbox->in_work, turn);
	free(turn->key);
	timers_cancel(inbox->parts.timers, turn->timer);
	step_free(turn->step);
	buf_free(&turn->text);
	buf_free(&turn->said);
	arena_free(&turn->arena);
	arena_free(&turn->run_arena);
	free(turn);
}

/* ---- lines ---- */

static void begin_cb(void *arg)
{
	struct turn *turn = arg;

	turn->timer = NULL;
	begin(turn);
}

static void begin_soon(struct turn *turn, int64_t pause_ms)
{
	turn->timer = timers_at(turn->inbox->parts.timers, clock_now_ms() + pause_ms, begin_cb,
				turn);
}

void turn_put(struct turn *turn)
{
	turn->inbox->turns++;
	metrics_set(METRIC_STEPS_WAITING, turn->inbox->turns);
	citizen_push(turn->citizen, turn);
	if (citizen_first(turn->citizen) == turn)
		begin_soon(turn, 0);
}

/* The turn is over: the next of this citizen begins. */
static void leave(struct turn *turn)
{
	struct citizen *citizen = turn->citizen;
	struct turn *next;

	turn->inbox->turns--;
	metrics_set(METRIC_STEPS_WAITING, turn->inbox->turns);
	next = TAILQ_NEXT(turn, next);
	citizen_pop(citizen); /* may free the citizen */
	turn_free(turn);
	if (next)
		begin_soon(next, 0);
}

/* ---- answers ---- */

void turn_answer(struct turn *turn, const struct inbox_answer *answer)
{
	struct waiter *waiter;
	struct inbox_answer again = *answer;

	again.end_screen = (struct id){ 0 };
	again.repeat_of = turn->msg.id;
	turn->answered = true;
	while ((waiter = STAILQ_FIRST(&turn->waiters))) {
		STAILQ_REMOVE_HEAD(&turn->waiters, next);
		waiter->cb(waiter->repeat ? &again : answer, waiter->arg);
	}
}

static void answer_taken(struct turn *turn)
{
	struct inbox_answer answer = { .result = INBOX_TAKEN,
				       .screen = turn->answer.screen,
				       .more = turn->answer.more,
				       .end_screen = turn->end_screen };

	turn_answer(turn, &answer);
}

static void tell_done(struct turn *turn, int error)
{
	if (turn->done)
		turn->done(error, turn->done_arg);
	turn->done = NULL;
}

static void forget_cb(struct dialog *dialog, void *arg)
{
	struct turn *turn = arg;

	workers_forget(turn->inbox->parts.workers, dialog->worker, dialog->row.id);
}

/* What was changed in memory did not happen. */
static void drop_state(struct turn *turn)
{
	citizen_drop(turn->citizen, forget_cb, turn);
	step_free(turn->step);
	turn->step = NULL;
	turn->dialog = NULL;
}

void turn_fail(struct turn *turn, int error)
{
	drop_state(turn);
	turn_answer(turn, &(struct inbox_answer){ .result = INBOX_FAILED, .screen = { "", 0 } });
	tell_done(turn, error);
	leave(turn);
}

void turn_restart(struct turn *turn, int64_t pause_ms)
{
	drop_state(turn);
	buf_reset(&turn->text);
	buf_reset(&turn->said);
	turn->show = SHOW_NOTHING;
	turn->input = turn->input_count = 0;
	turn->end_screen = (struct id){ 0 };
	turn->answer = (struct reply){ 0 };
	if (turn->stored && turn->kind == TURN_MESSAGE)
		turn->kind =
			TURN_RESUME; /* the message is in the store with its dialog, which goes on from there */
	timers_cancel(turn->inbox->parts.timers, turn->timer);
	begin_soon(turn, pause_ms);
}

/* The store can't be read or written.  What is stored already must go on, the rest comes again. */
static void store_failed(struct turn *turn, int error)
{
	/* A message of parts that were given up came with nobody who could send it again. */
	bool must = turn->stored || turn->kind != TURN_MESSAGE || STAILQ_EMPTY(&turn->waiters);

	if (error != -EAGAIN) /* too much at once is no fault of the store's */
		turn->inbox->store_error = error;
	if (turn->done)
		must = false;
	if (must && !turn->inbox->stopping) {
		if (turn->msg.channel == CHANNEL_USSD)
			turn_answer(turn, &(struct inbox_answer){ .result = INBOX_FAILED,
								  .screen = { "", 0 } });
		turn_restart(turn, RETRY_MS);
		return;
	}
	turn_fail(turn, error);
}

/* ---- repeats ---- */

/* The message is stored: its answer is the stored one. */
static void answer_repeat(struct turn *turn, const struct inbound_row *seen)
{
	struct inbox_answer answer = { .result = INBOX_TAKEN, .repeat_of = seen->msg.id };

	metrics_add(METRIC_INBOUND_DUPLICATE, 1);
	answer.screen = arena_bytes(&turn->arena, seen->answer.screen.data,
				    seen->answer.screen.len);
	answer.more = seen->answer.more;
	turn->msg.id = seen->msg.id;
	turn_answer(turn, &answer);
	leave(turn);
}

/* ---- the store's answers ---- */

static void loaded_cb(int error, const struct inbound_row *seen, void *arg)
{
	struct turn *turn = arg;

	if (error != 0)
		store_failed(turn, error);
	else if (seen && turn->kind == TURN_MESSAGE && !turn->stored)
		answer_repeat(turn, seen);
	else
		turn_go_on(turn);
}

static void committed(struct turn *turn, struct step *step)
{
	struct inbox *inbox = turn->inbox;

	crash_point("dialog.after_commit");
	inbox->store_error = 0;
	if (step->inbound) {
		turn->stored = true;
		metrics_add(METRIC_INBOUND, 1);
	}
	if (!STAILQ_EMPTY(&step->dialogs))
		metrics_add(METRIC_STEPS, 1);
	if (inbox->parts.outbox)
		outbox_committed(inbox->parts.outbox, step);
	turn_bundles_stored(turn, step);
	citizen_committed(turn->citizen, step);
	if (step->parts_joined || !STAILQ_EMPTY(&step->parts))
		citizen_data(turn->citizen)->stale = true;
	step_free(step);
}

static void refused(struct turn *turn, enum store_result result, int error, struct step *step)
{
	struct inbox *inbox = turn->inbox;

	if (inbox->parts.outbox)
		outbox_aborted(inbox->parts.outbox, step);
	if (result == STORE_DUPLICATE && step->seen) {
		drop_state(turn);
		answer_repeat(turn, step->seen);
		step_free(step);
		return;
	}
	step_free(step);
	if (result == STORE_CONFLICT && turn->conflicts++ < CONFLICTS_MAX) {
		metrics_add(METRIC_CONFLICTS, 1);
		turn_restart(turn, 0);
		return;
	}
	store_failed(turn, error ? error : -EIO);
}

static void commit_cb(enum store_result result, int error, struct step *step, void *arg)
{
	struct turn *turn = arg;

	if (result != STORE_DONE) {
		refused(turn, result, error, step);
		return;
	}
	committed(turn, step);
	if (turn->final) {
		answer_taken(turn);
		tell_done(turn, 0);
		leave(turn);
		return;
	}
	if (turn->msg.channel == CHANNEL_SMS)
		answer_taken(turn);
	if (!turn->inbox->closed)
		turn_read_on(turn);
}

/* ---- commits ---- */

static void gather_inbound(struct turn *turn, struct step *step)
{
	struct inbound_row *row;
	struct inbound_done *done;

	if (turn->no_row)
		return;
	if (turn->kind == TURN_MESSAGE && !turn->stored) {
		row = arena_alloc(&step->arena, sizeof(*row));
		inbound_copy(&step->arena, &row->msg, &turn->msg);
		row->state = turn->final ? INBOUND_DONE : INBOUND_IN_WORK;
		row->answer.screen = arena_bytes(&step->arena, turn->answer.screen.data,
						 turn->answer.screen.len);
		row->answer.more = turn->answer.more;
		row->arrived = turn->now;
		row->done_at = turn->final ? turn->now : 0;
		step->inbound = row;
		step->parts_joined = turn->parts;
		crash_point("inbox.before_commit");
	} else if (turn->final && turn->msg.id.serial != 0) {
		done = step_add_done(step);
		done->id = turn->msg.id;
		done->answer.screen = arena_bytes(&step->arena, turn->answer.screen.data,
						  turn->answer.screen.len);
		done->answer.more = turn->answer.more;
	}
}

void turn_commit(struct turn *turn, bool final)
{
	struct inbox *inbox = turn->inbox;
	struct step *step = turn->step;
	int rc;

	turn->final = final;
	turn->step = NULL;
	gather_inbound(turn, step);
	citizen_gather(turn->citizen, step);
	if (inbox->parts.outbox)
		outbox_prepare(inbox->parts.outbox, step);
	crash_point("dialog.before_commit");
	rc = store_commit(inbox->parts.store, step, commit_cb, turn);
	if (rc == 0)
		return;
	if (inbox->parts.outbox)
		outbox_aborted(inbox->parts.outbox, step);
	step_free(step);
	store_failed(turn, rc);
}

void turn_finish(struct turn *turn)
{
	turn_compose(turn);
	turn_commit(turn, true);
}

/* ---- parts ---- */

/* A message made of parts goes before the one in work, which then begins anew. */
static void put_before(struct turn *turn, const struct inbound *joined, const struct part_key *key)
{
	struct turn *first = turn_new(turn->inbox, TURN_MESSAGE, citizen_key(turn->citizen));

	inbound_copy(&first->arena, &first->msg, joined);
	first->msg.id = id_new(joined->from);
	first->parts = arena_alloc(&first->arena, sizeof(*first->parts));
	*first->parts = (struct part_key){ .citizen = first->msg.from,
					   .connection = first->msg.connection,
					   .to = first->msg.to,
					   .ref = key->ref,
					   .total = key->total,
					   .last_id = "" };
	first->inbox->turns++;
	citizen_push_front(turn->citizen, first);
	begin_soon(first, 0);
}

/* The telco's patience: where the answer isn't there in time and the message is stored, it follows by SMS. */
static void late_cb(void *arg)
{
	struct turn *turn = arg;
	struct inbox_answer answer = { .result = INBOX_TAKEN };

	turn->timer = NULL;
	if (turn->answered)
		return;
	if (!turn->stored) {
		turn->timer = timers_at(turn->inbox->parts.timers, clock_now_ms() + RETRY_MS / 2,
					late_cb, turn);
		return;
	}
	turn->late = true;
	answer.screen = phrase_text(&turn->arena, turn->inbox->parts.settings->language,
				    PHRASE_USSD_BY_SMS, NULL);
	turn_answer(turn, &answer);
}

static void watch_patience(struct turn *turn)
{
	const struct telco_connection *connection = turn_connection(turn);
	int64_t patience = PATIENCE_MS;

	if (turn->msg.channel != CHANNEL_USSD || turn->answered)
		return;
	if (connection && telco_limits(connection)->ussd_seconds < 5)
		patience = telco_limits(connection)->ussd_seconds * (int64_t)600;
	turn->timer = timers_at(turn->inbox->parts.timers, clock_now_ms() + patience, late_cb,
				turn);
}

/* Whether something incomplete had to be taken first. */
static bool give_up(struct turn *turn, const struct inbound *part)
{
	struct citizen_data *data = citizen_data(turn->citizen);
	struct part_key key;
	struct inbound joined;

	if (data->part_count == 0 || !parts_give_up(data->parts, data->part_count, part, turn->now,
						    &turn->arena, &key, &joined))
		return false;
	put_before(turn, &joined, &key);
	step_free(turn->step);
	turn->step = NULL;
	return true;
}

/* A part of a long message.  true: it waits for the others, or was there already. */
static bool take_part(struct turn *turn)
{
	struct citizen_data *data = citizen_data(turn->citizen);
	struct inbound joined;
	struct part_row *row;

	switch (parts_add(data->parts, data->part_count, &turn->msg, &turn->arena, &joined)) {
	case PARTS_WAIT:
		row = step_add_part(turn->step);
		inbound_copy(&turn->step->arena, &row->msg, &turn->msg);
		row->arrived = turn->now;
		turn->no_row = true;
		turn_commit(turn, true);
		return true;
	case PARTS_REPEATED:
		metrics_add(METRIC_INBOUND_DUPLICATE, 1);
		answer_taken(turn);
		leave(turn);
		return true;
	default:
		turn->parts = arena_alloc(&turn->arena, sizeof(*turn->parts));
		*turn->parts = parts_key(&turn->msg);
		joined.id = turn->msg.id;
		inbound_copy(&turn->arena, &turn->msg, &joined);
		turn->parts->citizen = turn->msg.from;
		return false;
	}
}

/* ---- beginning ---- */

static void message(struct turn *turn)
{
	bool part = turn->msg.part_total > 1;

	if (turn->msg.channel == CHANNEL_SMS && !turn->parts &&
	    give_up(turn, part ? &turn->msg : NULL))
		return;
	if (part && take_part(turn))
		return;
	watch_patience(turn);
	turn_message(turn);
}

static void end_dialog(struct turn *turn)
{
	struct dialog *dialog = dialog_find(citizen_data(turn->citizen), turn->dialog_id);
	struct request request;

	if (!dialog || (turn->reason == DIALOG_EXPIRED && dialog->row.expires > turn->now)) {
		tell_done(turn, dialog ? 0 : -ENOENT);
		leave(turn);
		return;
	}
	if (turn_pending(turn, dialog, &request) && request.kind == REQUEST_MORE)
		turn->reason = DIALOG_DONE;
	turn_end_dialog(turn, dialog, turn->reason,
			turn->reason == DIALOG_STOPPED ? "ended by an operator" : "");
	turn_commit(turn, true);
}

void turn_go_on(struct turn *turn)
{
	turn->step = step_new();
	turn->now = clock_now();
	switch (turn->kind) {
	case TURN_MESSAGE:
		message(turn);
		break;
	case TURN_RESUME:
		turn_resume(turn);
		break;
	case TURN_OPTOUT:
		turn_stop(turn);
		turn_commit(turn, true);
		break;
	case TURN_END:
		end_dialog(turn);
		break;
	case TURN_PARTS:
		if (!give_up(turn, NULL))
			leave(turn);
		break;
	}
}

static void begin(struct turn *turn)
{
	const struct citizen_data *data = citizen_data(turn->citizen);
	int rc;

	if (turn->inbox->closed)
		return;
	if (data && data->stale)
		drop_state(turn);
	if (citizen_data(turn->citizen)) {
		turn_go_on(turn);
		return;
	}
	rc = citizen_load(turn->citizen, turn->kind == TURN_MESSAGE ? turn->msg.connection : NULL,
			  turn->kind == TURN_MESSAGE ? turn->msg.provider_id : NULL, loaded_cb,
			  turn);
	if (rc < 0)
		store_failed(turn, rc);
}
