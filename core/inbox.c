/* inbox.c - takes each inbound message once.
 *
 * A repeat of a message that is still in work is found here and joins it; one of a message that is done is found by
 * the store, within the same commit that would store it again, so that nothing between a look and a write can go wrong.
 */
#include "inbox.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "clock.h"
#include "log.h"
#include "metrics.h"
#include "outbox.h"
#include "store.h"
#include "telco.h"
#include "turn.h"

enum {
	LINE_MAX_TURNS = 100, /* of one citizen */
	SESSIONS_MAX = 100000,
};

struct inbox *inbox_new(const struct inbox_parts *parts)
{
	struct inbox *inbox = xcalloc(1, sizeof(*inbox));

	inbox->parts = *parts;
	inbox->citizens = citizens_new(parts->store, parts->settings->citizen_cache);
	TAILQ_INIT(&inbox->session_list);
	TAILQ_INIT(&inbox->all);
	return inbox;
}

static void session_free(struct inbox *inbox, struct session_seen *session)
{
	if (!session)
		return;
	TAILQ_REMOVE(&inbox->session_list, session, next);
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): the table is there while it has an entry */
	HASH_DEL(inbox->sessions, session);
	free(session);
}

static void free_bundles(struct inbox *inbox)
{
	struct held_bundle *held, *next;
	struct breach *breach, *after;

	HASH_ITER (hh, inbox->bundles, held, next) {
		HASH_DEL(inbox->bundles, held);
		bundle_unref(held->bundle);
		free(held);
	}
	HASH_ITER (hh, inbox->breaches, breach, after) {
		HASH_DEL(inbox->breaches, breach);
		free(breach);
	}
}

/* All of one citizen's turns, first to last, because a line gives its first. */
static void abandon_line(struct citizen *citizen)
{
	struct turn *turn;

	while ((turn = citizen_first(citizen))) {
		bool last = citizen_waiting(citizen) == 1;

		turn_answer(turn,
			    &(struct inbox_answer){ .result = INBOX_FAILED, .screen = { "", 0 } });
		if (turn->done)
			turn->done(-ECANCELED, turn->done_arg);
		citizen_pop(citizen);
		turn_free(turn);
		if (last)
			return; /* the citizen may be gone */
	}
}

void inbox_free(struct inbox *inbox)
{
	if (!inbox)
		return;
	while (!TAILQ_EMPTY(&inbox->all))
		abandon_line(TAILQ_FIRST(&inbox->all)->citizen);
	while (!TAILQ_EMPTY(&inbox->session_list))
		session_free(inbox, TAILQ_FIRST(&inbox->session_list));
	free_bundles(inbox);
	citizens_free(inbox->citizens);
	plugins_free(inbox->parts.plugins);
	free(inbox);
}

void inbox_stop(struct inbox *inbox)
{
	inbox->stopping = true;
}

void inbox_close(struct inbox *inbox)
{
	inbox->stopping = inbox->closed = true;
	inbox->parts.outbox = NULL;
}

unsigned inbox_in_work(const struct inbox *inbox)
{
	return inbox->turns;
}

int inbox_store_error(const struct inbox *inbox)
{
	return inbox->store_error;
}

static void probed_cb(enum store_result result, int error, struct step *step, void *arg)
{
	struct inbox *inbox = arg;

	step_free(step);
	inbox->probing = false;
	inbox->store_error = result == STORE_DONE ? 0 : error ? error : -EIO;
}

static void add_probe(struct step *step, bool forget)
{
	struct report_row *row = step_add_report(step);

	row->report = (struct report){ .connection = "", .ref = "probe", .code = "" };
	row->arrived = clock_now();
	row->forget = forget;
}

/* Written and taken away again, so that the disk is asked. */
void inbox_probe_store(struct inbox *inbox)
{
	struct step *step;

	if (inbox->store_error == 0 || inbox->probing || inbox->closed)
		return;
	step = step_new();
	add_probe(step, false);
	add_probe(step, true);
	inbox->probing = store_commit(inbox->parts.store, step, probed_cb, inbox) == 0;
	if (!inbox->probing)
		step_free(step);
}

const struct plugin_set *inbox_plugins(const struct inbox *inbox)
{
	return inbox->parts.plugins;
}

void inbox_reload(struct inbox *inbox, struct plugin_set *plugins, struct telco *telco,
		  const struct settings *settings)
{
	plugins_free(inbox->parts.plugins);
	inbox->parts.plugins = plugins;
	inbox->parts.telco = telco;
	inbox->parts.settings = settings;
	citizens_cached(inbox->citizens, settings->citizen_cache);
}

/* ---- USSD sessions ---- */

static struct session_seen *session_add(struct inbox *inbox, const char *key, size_t len)
{
	struct session_seen *session = xcalloc(1, sizeof(*session) + len);

	if (HASH_COUNT(inbox->sessions) >= SESSIONS_MAX)
		session_free(inbox, TAILQ_FIRST(&inbox->session_list));
	memcpy(session->key, key, len);
	session->key_len = len;
	HASH_ADD_KEYPTR(hh, inbox->sessions, session->key, len, session);
	TAILQ_INSERT_TAIL(&inbox->session_list, session, next);
	return session;
}

/* Whether this citizen may use the session: nobody else does. */
static bool session_is_hers(struct inbox *inbox, const struct inbound *msg)
{
	int64_t now = clock_now(), expiry = inbox->parts.settings->session_expiry;
	char key[256];
	int len = snprintf(key, sizeof(key), "%s%c%s", msg->connection, 0, msg->session);
	struct session_seen *session;

	while ((session = TAILQ_FIRST(&inbox->session_list)) && session->touched + expiry < now)
		session_free(inbox, session);
	if (len < 0 || (size_t)len >= sizeof(key))
		return false;
	HASH_FIND(hh, inbox->sessions, key, (size_t)len, session);
	if (session && strcmp(session->citizen, msg->from) != 0)
		return false;
	if (!session) {
		session = session_add(inbox, key, (size_t)len);
		snprintf(session->citizen, sizeof(session->citizen), "%s", msg->from);
	}
	session->touched = now;
	TAILQ_REMOVE(&inbox->session_list, session, next);
	TAILQ_INSERT_TAIL(&inbox->session_list, session, next);
	return true;
}

/* ---- messages ---- */

enum { CONTENT_BYTES = 16 };

/* The telco names its message by nothing, but says when it came: then sender, recipient, text, part and time name it
 * (security.md, section 4).  Without that time a second "1" is a second answer, and nothing names it. */
static const char *content_id(const struct inbound *msg, char out[static 2 + 2 * CONTENT_BYTES])
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	struct buf buf = { 0 };
	int ok;

	if (msg->provider_id[0] || msg->channel != CHANNEL_SMS || !msg->time_is_telcos)
		return msg->provider_id;
	buf_add(&buf, msg->from, strlen(msg->from) + 1);
	buf_add(&buf, msg->to, strlen(msg->to) + 1);
	buf_addf(&buf, "%lld/%u/%u/%u ", (long long)msg->time, msg->part_ref, msg->part_total,
		 msg->part_number);
	buf_add(&buf, msg->text.data, msg->text.len);
	ok = EVP_Digest(buf.data, buf.len, hash, NULL, EVP_sha256(), NULL);
	buf_free(&buf);
	if (!ok)
		abort(); /* no memory */
	out[0] = '#';
	for (int i = 0; i < CONTENT_BYTES; i++)
		snprintf(out + 1 + 2 * i, 3, "%02x", hash[i]);
	return out;
}

static struct turn *in_work(struct inbox *inbox, const struct inbound *msg, char **key, size_t *len)
{
	struct turn *turn = NULL;
	struct buf buf = { 0 };

	*key = NULL;
	if (!msg->provider_id[0])
		return NULL;
	buf_add(&buf, msg->from, strlen(msg->from) + 1);
	buf_add(&buf, msg->connection, strlen(msg->connection) + 1);
	buf_addstr(&buf, msg->provider_id);
	HASH_FIND(hh, inbox->in_work, buf.data, buf.len, turn);
	*key = buf.data;
	*len = buf.len;
	return turn;
}

static void wait_for(struct turn *turn, inbox_answer_cb *cb, void *arg, bool repeat)
{
	struct waiter *waiter = arena_alloc(&turn->arena, sizeof(*waiter));

	waiter->cb = cb;
	waiter->arg = arg;
	waiter->repeat = repeat;
	STAILQ_INSERT_TAIL(&turn->waiters, waiter, next);
}

/* An answer that needs no turn, given from the loop. */
struct quick {
	inbox_answer_cb *cb;
	void *arg;
	enum inbox_result result;
};

static void quick_cb(void *arg)
{
	struct quick *quick = arg;

	quick->cb(&(struct inbox_answer){ .result = quick->result, .screen = { "", 0 } },
		  quick->arg);
	free(quick);
}

static int answer_soon(struct inbox *inbox, enum inbox_result result, inbox_answer_cb *cb,
		       void *arg)
{
	struct quick *quick = xcalloc(1, sizeof(*quick));

	*quick = (struct quick){ cb, arg, result };
	timers_at(inbox->parts.timers, clock_now_ms(), quick_cb, quick);
	return 0;
}

static int join(struct turn *turn, inbox_answer_cb *cb, void *arg)
{
	metrics_add(METRIC_INBOUND_DUPLICATE, 1);
	if (turn->answered &&
	    turn->msg.channel == CHANNEL_SMS) /* it is stored, its dialog still works */
		return answer_soon(turn->inbox, INBOX_TAKEN, cb, arg);
	wait_for(turn, cb, arg, true);
	return 0;
}

static bool overloaded(const struct inbox *inbox)
{
	return inbox->stopping || inbox->turns >= inbox->parts.settings->inbox_max ||
	       (inbox->parts.outbox && outbox_full(inbox->parts.outbox));
}

static void hash_turn(struct inbox *inbox, struct turn *turn, char *key, size_t len)
{
	turn->key = key;
	turn->key_len = len;
	if (key)
		HASH_ADD_KEYPTR(hh, inbox->in_work, turn->key, len, turn);
}

/* Puts the message into its citizen's line; its id is known by now, or is "". */
static int take(struct inbox *inbox, const struct inbound *msg, inbox_answer_cb *cb, void *arg)
{
	struct turn *turn;
	size_t len = 0;
	char *key;

	turn = in_work(inbox, msg, &key, &len);
	if (turn) {
		free(key);
		return join(turn, cb, arg);
	}
	if (citizen_waiting(citizen_get(inbox->citizens, msg->from)) >= LINE_MAX_TURNS) {
		free(key);
		return -EAGAIN;
	}
	turn = turn_new(inbox, TURN_MESSAGE, msg->from);
	inbound_copy(&turn->arena, &turn->msg, msg);
	turn->msg.id = id_new(msg->from);
	hash_turn(inbox, turn, key, len);
	wait_for(turn, cb, arg, false);
	turn_put(turn);
	return 0;
}

int inbox_take(struct inbox *inbox, const struct inbound *msg, inbox_answer_cb *cb, void *arg)
{
	char name[2 + 2 * CONTENT_BYTES];
	struct inbound named = *msg;

	if (overloaded(inbox))
		return -EAGAIN;
	if (msg->channel == CHANNEL_USSD && !session_is_hers(inbox, msg)) {
		log_event(LOG_WARN, "inbox.session_of_another", "sconnection", msg->connection,
			  "ncitizen", msg->from, NULL);
		metrics_add(METRIC_INBOUND_REFUSED, 1);
		return answer_soon(inbox, INBOX_REFUSED, cb, arg);
	}
	named.provider_id = content_id(msg, name);
	return take(inbox, &named, cb, arg);
}

/* ---- what no citizen sent ---- */

void inbox_resume(struct inbox *inbox, const struct dialog_row *row)
{
	struct turn *turn = turn_new(inbox, TURN_RESUME, row->citizen);

	turn->dialog_id = row->id;
	turn_put(turn);
}

void inbox_optout(struct inbox *inbox, const char *citizen, const char *connection)
{
	struct turn *turn = turn_new(inbox, TURN_OPTOUT, citizen);

	turn->msg.connection = arena_strdup(&turn->arena, connection);
	turn_put(turn);
}

void inbox_end_dialog(struct inbox *inbox, const char *citizen, struct id dialog,
		      enum dialog_reason reason, inbox_done_cb *cb, void *arg)
{
	struct turn *turn = turn_new(inbox, TURN_END, citizen);

	turn->dialog_id = dialog;
	turn->reason = reason;
	turn->done = cb;
	turn->done_arg = arg;
	turn_put(turn);
}

void inbox_give_up_parts(struct inbox *inbox, const char *citizen)
{
	turn_put(turn_new(inbox, TURN_PARTS, citizen));
}
