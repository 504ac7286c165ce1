/* outbox.c - replies waiting for the telco.
 *
 * A message is a row in the store first and an HTTP request second.  Where nothing stands in its way its first
 * attempt is written in the commit that makes the row, so that a reply costs no commit of its own but the batched
 * one of its result.  After a crash a row that says SENDING may or may not have reached the telco; no order of writing
 * can tell, so it is treated as what it is: unknown (outbox_send.c).
 *
 * One citizen's messages leave in order: at most one is on its way, and the next is offered to its connection only
 * when that one is accepted, final, expired or held.  A message is in memory until the store has its end.
 * Read after step.c and before http_client.c.
 */
#include "outbox_priv.h"

#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "metrics.h"

struct outbox *outbox_new(struct store *store, struct telco *telco, struct http_client *client,
			  struct timers *timers, const struct outbox_options *options)
{
	struct outbox *outbox = xcalloc(1, sizeof(*outbox));

	outbox->store = store;
	outbox->telco = telco;
	outbox->client = client;
	outbox->timers = timers;
	outbox->options = *options;
	outbox->random = options->seed;
	if (outbox->random == 0)
		outbox->random = (uint64_t)clock_now_ms() << 20 ^ (uint64_t)getpid() ^ 1;
	TAILQ_INIT(&outbox->dirty);
	TAILQ_INIT(&outbox->settled);
	TAILQ_INIT(&outbox->searches);
	STAILQ_INIT(&outbox->unknown);
	STAILQ_INIT(&outbox->answers);
	SLIST_INIT(&outbox->spare_lines);
	LIST_INIT(&outbox->writes);
	return outbox;
}

/* xorshift64*: jitter needs to be spread, not secret. */
double outbox_random(struct outbox *outbox)
{
	uint64_t x = outbox->random;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	outbox->random = x;
	return (double)(x * 2685821657736338717u >> 11) / 9007199254740992.0;
}

static void free_lines(struct outbox *outbox)
{
	struct line *line, *next = outbox->lines;

	HASH_CLEAR(hh, outbox->lines);
	while ((line = next)) {
		next = line->hh.next;
		free(line);
	}
	while ((line = SLIST_FIRST(&outbox->spare_lines))) {
		SLIST_REMOVE_HEAD(&outbox->spare_lines, spare);
		free(line);
	}
}

static void free_links(struct outbox *outbox)
{
	struct link *link, *next = outbox->links;

	HASH_CLEAR(hh, outbox->links);
	while ((link = next)) {
		next = link->hh.next;
		timers_cancel(outbox->timers, link->timer);
		free(link);
	}
}

static void free_early(struct outbox *outbox)
{
	struct early *early, *next = outbox->early;

	HASH_CLEAR(hh, outbox->early);
	while ((early = next)) {
		next = early->hh.next;
		free(early);
	}
}

void outbox_free(struct outbox *outbox)
{
	struct parcel *parcel, *next;

	if (!outbox)
		return;
	timers_cancel(outbox->timers, outbox->turn);
	outbox_abandon_writes(outbox);
	HASH_ITER (hh, outbox->parcels, parcel, next) {
		STAILQ_CONCAT(&outbox->answers, &parcel->waiters);
		parcel_free(parcel);
	}
	outbox_abandon_errands(outbox);
	free_early(outbox);
	free_lines(outbox);
	free_links(outbox);
	free(outbox);
}

void outbox_telco(struct outbox *outbox, struct telco *telco)
{
	struct link *link, *next;

	outbox->telco = telco;
	HASH_ITER (hh, outbox->links, link, next)
		link_telco(link);
}

void outbox_on_optout(struct outbox *outbox, outbox_optout_cb *cb, void *arg)
{
	outbox->optout = cb;
	outbox->optout_arg = arg;
}

bool outbox_full(const struct outbox *outbox)
{
	return HASH_COUNT(outbox->parcels) >= outbox->options.waiting_max;
}

unsigned outbox_waiting(const struct outbox *outbox)
{
	return outbox->waiting;
}

unsigned outbox_in_flight(const struct outbox *outbox)
{
	return outbox->calls + outbox->dirty_count + outbox->written_count + outbox->errand_count;
}

void outbox_pause(struct outbox *outbox, bool paused)
{
	struct link *link, *next;

	outbox->paused = paused;
	HASH_ITER (hh, outbox->links, link, next)
		link_want(link);
}

/* The end of a turn of the loop: what was gathered in it is done at once, so that it is written at once. */
static void turn_cb(void *arg)
{
	struct outbox *outbox = arg;
	struct link *link, *next;

	outbox->turn = NULL;
	HASH_ITER (hh, outbox->links, link, next) {
		if (link->wanted)
			link_pump(link);
	}
	outbox_flush(outbox);
	outbox_answer(outbox);
}

void outbox_wake(struct outbox *outbox)
{
	if (!outbox->turn)
		outbox->turn = timers_at(outbox->timers, clock_now_ms(), turn_cb, outbox);
}

/* parcels */

static char *put_text(char **at, const char *text)
{
	size_t size = text ? strlen(text) + 1 : 1;
	char *put = *at;

	memcpy(put, text ? text : "", size);
	*at += size;
	return put;
}

static size_t text_size(const char *text)
{
	return text ? strlen(text) + 1 : 1;
}

/* One block of memory holds the message with all its strings. */
static struct parcel *parcel_copy(const struct outbound *row)
{
	size_t size = text_size(row->citizen) + text_size(row->from) + text_size(row->meta) +
		      text_size(row->note) + text_size(row->code) + row->text.len + 1;
	struct parcel *parcel = xmalloc(sizeof(*parcel) + size);
	char *at = parcel->data;

	memset(parcel, 0, sizeof(*parcel));
	parcel->row = *row;
	parcel->row.citizen = put_text(&at, row->citizen);
	parcel->row.from = put_text(&at, row->from);
	parcel->row.meta = put_text(&at, row->meta);
	parcel->row.note = put_text(&at, row->note);
	parcel->row.code = put_text(&at, row->code);
	parcel->row.provider_id = "";
	if (row->text.len > 0)
		memcpy(at, row->text.data, row->text.len);
	at[row->text.len] = '\0';
	parcel->row.text.data = at;
	return parcel;
}

struct parcel *parcel_new(struct outbox *outbox, const struct outbound *row)
{
	struct parcel *parcel = parcel_copy(row);
	char key[PROVIDER_ID_MAX + 64];

	parcel->outbox = outbox;
	parcel->link = link_get(outbox, row->connection);
	parcel->row.connection = parcel->link->name;
	parcel->stored_attempts = row->attempts;
	parcel->failures = row->attempts;
	STAILQ_INIT(&parcel->waiters);
	HASH_ADD(hh, outbox->parcels, row.id, sizeof(parcel->row.id), parcel);
	if (row->provider_id && row->provider_id[0]) {
		size_t len = ref_key(key, sizeof(key), row->connection, row->provider_id);

		parcel_set_ref(parcel, &outbox->refs, key, len);
		parcel->row.provider_id = parcel->ref->key + strlen(row->connection) + 1;
	}
	return parcel;
}

void parcel_free(struct parcel *parcel)
{
	struct outbox *outbox = parcel->outbox;

	parcel_drop_ref(parcel);
	timers_cancel(outbox->timers, parcel->timer);
	HASH_DEL(outbox->parcels, parcel);
	free(parcel->code);
	parcel->code = NULL;
	if (parcel->calling)
		parcel->outbox = NULL; /* its call is out and frees it when it comes back */
	else
		free(parcel);
}

/* The table is found again by the message's state when the name is given up, so that it need not be kept. */
void parcel_set_ref(struct parcel *parcel, struct outbox_ref **table, const void *key, size_t len)
{
	struct outbox_ref *ref, *other;

	parcel_drop_ref(parcel);
	ref = xmalloc(sizeof(*ref) + len + 1);
	ref->parcel = parcel;
	ref->screen = table == &parcel->outbox->screens;
	ref->key_len = len;
	memcpy(ref->key, key, len);
	ref->key[len] = '\0';
	parcel->ref = ref;
	HASH_FIND(hh, *table, key, len, other);
	ref->shadowed = other !=
			NULL; /* a telco that gives an id twice: the first message keeps it */
	if (!other)
		HASH_ADD_KEYPTR(hh, *table, ref->key, len, ref);
}

void parcel_drop_ref(struct parcel *parcel)
{
	struct outbox *outbox = parcel->outbox;
	struct outbox_ref *ref = parcel->ref;

	if (!ref)
		return;
	if (!ref->shadowed && ref->screen)
		HASH_DEL(outbox->screens, ref);
	else if (!ref->shadowed)
		HASH_DEL(outbox->refs, ref);
	parcel->ref = NULL;
	free(ref);
}

bool parcel_expired(const struct parcel *parcel, int64_t now_ms)
{
	return parcel->row.expires > 0 && now_ms >= parcel->row.expires * 1000;
}

void parcel_note(struct parcel *parcel, const char *note)
{
	parcel->row.note = note;
	parcel->new_note = true;
}

/* What is due to time. */
static void timer_cb_parcel(void *arg)
{
	struct parcel *parcel = arg;

	parcel->timer = NULL;
	switch (parcel->row.state) {
	case OUTBOUND_QUEUED:
		if (parcel_expired(parcel, clock_now_ms()))
			parcel_expire(parcel);
		else if (parcel->offer == OFFERED_DELAYED)
			link_offer(parcel);
		else
			parcel_arm(parcel);
		break;
	case OUTBOUND_UNKNOWN:
		parcel_decide(parcel);
		break;
	case OUTBOUND_SCREEN:
		if (parcel->row.doubts > 0)
			parcel_decide(parcel);
		else
			outbox_screen_sent(parcel->outbox, parcel->row.id, false);
		break;
	default:
		break;
	}
}

void parcel_arm(struct parcel *parcel)
{
	struct timers *timers = parcel->outbox->timers;
	int64_t at = INT64_MAX;

	timers_cancel(timers, parcel->timer);
	parcel->timer = NULL;
	if (parcel->row.state == OUTBOUND_UNKNOWN || parcel->row.state == OUTBOUND_SCREEN)
		at = parcel->due_ms;
	if (parcel->row.state == OUTBOUND_QUEUED && parcel->row.expires > 0)
		at = parcel->row.expires * 1000;
	if (parcel->offer == OFFERED_DELAYED && parcel->due_ms < at)
		at = parcel->due_ms;
	if (at != INT64_MAX)
		parcel->timer = timers_at(timers, at, timer_cb_parcel, parcel);
}

void parcel_settle(struct parcel *parcel, enum outbound_state state)
{
	struct outbox *outbox = parcel->outbox;

	timers_cancel(outbox->timers, parcel->timer);
	parcel->timer = NULL;
	parcel->row.state = state;
	if (parcel->turn && !parcel->calling) {
		parcel->turn = false;
		link_give(parcel->link, true);
	}
	if (parcel->line)
		parcel_leave(parcel);
}

void parcel_expire(struct parcel *parcel)
{
	log_event(LOG_INFO, "outbox.expired", "sconnection", parcel->link->name, "dmessage",
		  &parcel->row.id, "ncitizen", parcel->row.citizen, NULL);
	if (!parcel->row.note[0])
		parcel_note(parcel, "too old, not sent");
	metrics_add(METRIC_OUTBOUND_FAILED, 1);
	parcel_settle(parcel, OUTBOUND_EXPIRED);
	parcel_dirty(parcel, false);
}

void parcel_queue(struct parcel *parcel, int64_t due_ms)
{
	if (parcel->line)
		parcel_settle(parcel, OUTBOUND_QUEUED);
	if (parcel->stopped) {
		parcel_settle(parcel, OUTBOUND_DROPPED);
	} else {
		parcel->row.state = OUTBOUND_QUEUED;
		parcel->due_ms = due_ms;
		parcel->row.not_before = (due_ms + 999) / 1000;
		parcel_wait(parcel);
	}
	parcel_dirty(parcel, false);
}

/* steps */

static void prepare_row(struct outbox *outbox, struct outbound *msg)
{
	struct link *link = link_get(outbox, msg->connection);

	if (msg->created == 0)
		msg->created = clock_now();
	if (msg->expires == 0 && link->telco)
		msg->expires = msg->created + telco_config(link->telco)->validity_seconds;
	if (msg->state == OUTBOUND_SCREEN)
		line_reserve(outbox, line_get(outbox, msg->citizen));
}

/* Whether nothing stands before a message that isn't stored yet. */
static bool may_leave(struct outbox *outbox, const struct outbound *msg)
{
	const struct line *line = line_find(outbox, msg->citizen);
	const struct parcel *first = line ? line_first(line) : NULL;
	int64_t now_ms = clock_now_ms();

	if (line && line->blocked > 0)
		return false;
	if (first && first->row.class <= msg->class)
		return false;
	if (msg->not_before * 1000 > now_ms || (msg->expires > 0 && msg->expires * 1000 <= now_ms))
		return false;
	return link_takes(link_get(outbox, msg->connection), msg->class, now_ms);
}

static void prepare_class(struct outbox *outbox, struct step *step, enum message_class class)
{
	struct outbound_row *row;

	STAILQ_FOREACH (row, &step->outbound, next) {
		struct outbound *msg = &row->msg;

		if (msg->class != class || msg->state != OUTBOUND_QUEUED || !may_leave(outbox, msg))
			continue;
		line_reserve(outbox, line_get(outbox, msg->citizen));
		link_take(link_get(outbox, msg->connection));
		msg->state = OUTBOUND_SENDING;
		msg->attempts = 1;
	}
}

void outbox_prepare(struct outbox *outbox, struct step *step)
{
	struct outbound_row *row;

	if (STAILQ_EMPTY(&step->outbound))
		return;
	STAILQ_FOREACH (row, &step->outbound, next)
		prepare_row(outbox, &row->msg);
	for (int class = 0; class < CLASSES; class ++)
		prepare_class(outbox, step, class);
}

void outbox_aborted(struct outbox *outbox, const struct step *step)
{
	struct outbound_row *row;

	STAILQ_FOREACH (row, &step->outbound, next) {
		struct outbound *msg = &row->msg;

		if (msg->state == OUTBOUND_SENDING) {
			link_give(link_get(outbox, msg->connection), true);
			msg->state = OUTBOUND_QUEUED;
			msg->attempts = 0;
		} else if (msg->state != OUTBOUND_SCREEN) {
			continue;
		}
		line_unreserve(outbox, line_find(outbox, msg->citizen));
	}
}

static void take_over(struct outbox *outbox, const struct outbound *row)
{
	struct parcel *parcel = parcel_new(outbox, row);

	parcel->failures = 0;
	if (row->state == OUTBOUND_QUEUED) {
		parcel->due_ms = row->not_before * 1000;
		parcel_wait(parcel);
		return;
	}
	parcel_block(parcel, true);
	if (row->state == OUTBOUND_SENDING) {
		parcel->turn = true;
		parcel_send(parcel);
		return;
	}
	parcel_set_ref(parcel, &outbox->screens, &row->reply_to, sizeof(row->reply_to));
	parcel->due_ms = clock_now_ms() + SCREEN_MS;
	parcel_arm(parcel);
}

/* The store has dropped what it had as waiting; what it had otherwise is written. */
static void stop_parcel(struct parcel *parcel)
{
	bool stored = parcel->row.state == OUTBOUND_QUEUED && parcel->list != LISTED_DIRTY &&
		      !parcel->writing;

	if (parcel->calling) {
		parcel->stopped = true;
		return;
	}
	if (parcel->row.state == OUTBOUND_UNKNOWN)
		parcel_note(parcel, "outcome unknown, then the citizen said STOP");
	parcel_settle(parcel, OUTBOUND_DROPPED);
	if (stored)
		parcel_done(parcel);
	else
		parcel_dirty(parcel, false);
}

static void stop_list(struct parcel_list *list)
{
	struct parcel *parcel, *next;

	for (parcel = TAILQ_FIRST(list); parcel; parcel = next) {
		next = TAILQ_NEXT(parcel, waiting);
		if (!parcel->row.asked_for && parcel->row.state != OUTBOUND_SCREEN)
			stop_parcel(parcel);
	}
}

static void stop_unasked(struct outbox *outbox, const char *citizen)
{
	struct line *line = line_find(outbox, citizen);

	if (!line)
		return;
	line_reserve(outbox, line); /* so that it stays, and none is offered meanwhile */
	for (int class = 0; class < CLASSES; class ++)
		stop_list(&line->waiting[class]);
	stop_list(&line->out);
	line_unreserve(outbox, line);
}

void outbox_committed(struct outbox *outbox, const struct step *step)
{
	struct outbound_row *row;

	if (step->drop_unasked && step->citizen)
		stop_unasked(outbox, step->citizen);
	STAILQ_FOREACH (row, &step->outbound, next) {
		if (!outbound_over(row->msg.state))
			take_over(outbox, &row->msg);
	}
}

/* start */

void parcel_resume(struct parcel *parcel)
{
	struct outbox *outbox = parcel->outbox;

	switch (parcel->row.state) {
	case OUTBOUND_QUEUED:
		parcel->due_ms = parcel->row.not_before * 1000;
		parcel_wait(parcel);
		break;
	case OUTBOUND_SENDING:
		parcel_block(parcel, false);
		parcel_doubt(parcel);
		break;
	case OUTBOUND_UNKNOWN:
		parcel_block(parcel, false);
		parcel_await(parcel);
		break;
	case OUTBOUND_SCREEN: /* handed over or not, nobody knows; a repeat of its callback settles it */
		parcel->row.doubts++;
		metrics_add(METRIC_OUTBOUND_UNKNOWN, 1);
		parcel_block(parcel, false);
		parcel_set_ref(parcel, &outbox->screens, &parcel->row.reply_to,
			       sizeof(parcel->row.reply_to));
		parcel->due_ms = clock_now_ms() + SCREEN_MS;
		parcel_arm(parcel);
		break;
	default:
		break;
	}
}

void outbox_resume(struct outbox *outbox, const struct outbound *row)
{
	struct parcel *parcel;

	HASH_FIND(hh, outbox->parcels, &row->id, sizeof(row->id), parcel);
	if (parcel || outbound_over(row->state))
		return;
	parcel_resume(parcel_new(outbox, row));
}

/* screens */

void outbox_screen_sent(struct outbox *outbox, struct id id, bool whole)
{
	struct parcel *parcel;

	HASH_FIND(hh, outbox->parcels, &id, sizeof(id), parcel);
	if (!parcel || parcel->row.state != OUTBOUND_SCREEN)
		return;
	parcel_drop_ref(parcel);
	if (whole) {
		metrics_add(METRIC_OUTBOUND_ACCEPTED, 1);
		parcel_settle(parcel, OUTBOUND_ACCEPTED);
		parcel_dirty(parcel, false);
		return;
	}
	log_event(LOG_INFO, "outbox.screen_by_sms", "sconnection", parcel->link->name, "dmessage",
		  &id, "ncitizen", parcel->row.citizen, NULL);
	parcel_note(parcel, "the screen was not taken, sent by SMS");
	parcel_queue(parcel, clock_now_ms());
}

void outbox_screen_repeated(struct outbox *outbox, struct id reply_to)
{
	struct outbox_ref *ref;

	HASH_FIND(hh, outbox->screens, &reply_to, sizeof(reply_to), ref);
	if (ref)
		outbox_screen_sent(outbox, ref->parcel->row.id, true);
}
