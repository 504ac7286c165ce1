/* outbox_link.c - what one connection bears: a rate, calls at once, and pauses.
 *
 * A connection that fails is left alone for a while and then tried with one message: a queue that runs against a
 * wall would cost each of its messages a back-off and the telco its patience.  The same gate serves for three causes
 * that differ only in who mends them: trouble on the way (the telco, soon), too fast (we, at once), and money,
 * credentials or settings (an operator, who is called).  When the trial works, what was put off is due at once.
 */
#include "outbox_priv.h"

#include <string.h>

#include "clock.h"
#include "log.h"
#include "metrics.h"

enum {
	TRIP_FAILURES = 5,    /* temporary ones in a row until the connection pauses */
	TRIP_FIRST_MS = 2000, /* doubled with each trial that fails */
	TRIP_MAX_MS = 60000,
	ALARM_MS = 60000,   /* between trials while an operator is needed */
	THROTTLE_MS = 1000, /* where the telco doesn't say how long */
};
static const double RATE_MIN = 0.2;   /* messages a second, however often we were too fast */
static const double RATE_STEP = 0.05; /* and this much more with each that is taken */
static const double RATE_FREE =
	1000; /* above it a connection without a limit of its own has none again */

/* What the settings allow. */
static double link_limit(const struct link *link)
{
	return link->telco ? telco_limits(link->telco)->tps : 0;
}

static double link_burst(const struct link *link)
{
	return link->rate > 10 ? link->rate / 10 : 1;
}

void link_telco(struct link *link)
{
	link->telco = telco_find(link->outbox->telco, link->name);
	if (!link->telco)
		log_event(LOG_ERROR, "outbox.no_connection", "sconnection", link->name, NULL);
	link->rate = link_limit(link);
	link->tokens = link_burst(link);
	link->filled_ms = clock_now_ms();
	link->until_ms = 0;
	link->probing = false;
	if (link->alarm)
		metrics_add(METRIC_CONNECTIONS_PAUSED, -1);
	link->alarm = NULL;
	link->failures = link->trips = 0;
	link_want(link);
}

struct link *link_get(struct outbox *outbox, const char *name)
{
	size_t len = strlen(name);
	struct link *link;

	HASH_FIND(hh, outbox->links, name, len, link);
	if (link)
		return link;
	link = xcalloc(1, sizeof(*link) + len + 1);
	link->outbox = outbox;
	memcpy(link->name, name, len);
	for (int class = 0; class < CLASSES; class ++)
		TAILQ_INIT(&link->ready[class]);
	TAILQ_INIT(&link->delayed);
	HASH_ADD_KEYPTR(hh, outbox->links, link->name, len, link);
	link_telco(link);
	return link;
}

void link_want(struct link *link)
{
	link->wanted = true;
	outbox_wake(link->outbox);
}

static void link_fill(struct link *link, int64_t now_ms)
{
	double tokens = link->tokens + link->rate * (double)(now_ms - link->filled_ms) / 1000;

	link->tokens = tokens < link_burst(link) ? tokens : link_burst(link);
	link->filled_ms = now_ms;
}

/* Whether one more may leave now. */
static bool link_has_room(struct link *link, int64_t now_ms)
{
	if (link->outbox->paused || !link->telco || now_ms < link->until_ms)
		return false;
	if (link->in_flight >= (link->probing ? 1 : telco_limits(link->telco)->in_flight))
		return false;
	if (link->rate <= 0)
		return true;
	link_fill(link, now_ms);
	return link->tokens >= 1;
}

bool link_takes(struct link *link, enum message_class class, int64_t now_ms)
{
	for (int higher = 0; higher <= (int)class; higher++) {
		if (!TAILQ_EMPTY(&link->ready[higher]))
			return false;
	}
	return link_has_room(link, now_ms);
}

void link_take(struct link *link)
{
	link->in_flight++;
	if (link->rate > 0)
		link->tokens -= 1;
}

static struct parcel *link_first(struct link *link)
{
	for (int class = 0; class < CLASSES; class ++) {
		if (!TAILQ_EMPTY(&link->ready[class]))
			return TAILQ_FIRST(&link->ready[class]);
	}
	return NULL;
}

void link_give(struct link *link, bool unused)
{
	link->in_flight--;
	if (unused && link->rate > 0)
		link->tokens += 1;
	if (link_first(link))
		link_want(link);
}

/* offers */

void link_offer(struct parcel *parcel)
{
	struct link *link = parcel->link;

	if (parcel->offer == OFFERED_DELAYED)
		link_withdraw(parcel);
	if (parcel->due_ms > clock_now_ms()) {
		parcel->offer = OFFERED_DELAYED;
		TAILQ_INSERT_TAIL(&link->delayed, parcel, offered);
	} else {
		parcel->offer = OFFERED_READY;
		TAILQ_INSERT_TAIL(&link->ready[parcel->row.class], parcel, offered);
		link_want(link);
	}
	parcel_arm(parcel);
}

void link_withdraw(struct parcel *parcel)
{
	struct link *link = parcel->link;

	if (parcel->offer == OFFERED_DELAYED)
		TAILQ_REMOVE(&link->delayed, parcel, offered);
	else if (parcel->offer == OFFERED_READY)
		TAILQ_REMOVE(&link->ready[parcel->row.class], parcel, offered);
	parcel->offer = OFFERED_NOT;
}

static void timer_cb_link(void *arg)
{
	struct link *link = arg;

	link->timer = NULL;
	link_want(link);
}

/* Something is ready and can't leave: looks again when time alone would let it. */
static void link_arm(struct link *link, int64_t now_ms)
{
	int64_t at = INT64_MAX;

	if (now_ms < link->until_ms)
		at = link->until_ms;
	else if (link->rate > 0 && link->tokens < 1)
		at = now_ms + (int64_t)((1 - link->tokens) / link->rate * 1000 + 0.999);
	if (at == INT64_MAX || (link->timer && link->timer_ms <= at))
		return;
	timers_cancel(link->outbox->timers, link->timer);
	link->timer = timers_at(link->outbox->timers, at, timer_cb_link, link);
	link->timer_ms = at;
}

void link_pump(struct link *link)
{
	int64_t now_ms = clock_now_ms();
	struct parcel *parcel;

	link->wanted = false;
	while ((parcel = link_first(link)) && link_has_room(link, now_ms)) {
		if (parcel_expired(parcel, now_ms))
			parcel_expire(parcel);
		else
			parcel_start(parcel);
	}
	if (parcel)
		link_arm(link, now_ms);
}

/* What answers tell about the connection itself. */

static void link_works(struct link *link)
{
	struct parcel *parcel;
	double limit = link_limit(link);

	link->failures = link->trips = 0;
	if (link->rate > 0 && (limit <= 0 || link->rate < limit))
		link->rate += RATE_STEP;
	if (limit > 0 && link->rate > limit)
		link->rate = limit;
	if (limit <= 0 && link->rate > RATE_FREE)
		link->rate = 0;
	if (!link->probing)
		return;
	log_event(LOG_INFO, "outbox.resumed", "sconnection", link->name, NULL);
	if (link->alarm)
		metrics_add(METRIC_CONNECTIONS_PAUSED, -1);
	link->alarm = NULL;
	link->probing = false;
	link->until_ms = 0;
	while ((parcel = TAILQ_FIRST(&link->delayed))) {
		parcel->due_ms = 0;
		link_offer(parcel);
	}
	link_want(link);
}

static void link_fails(struct link *link, int64_t now_ms)
{
	int64_t pause = TRIP_MAX_MS;

	if (now_ms < link->until_ms || (++link->failures < TRIP_FAILURES && !link->probing))
		return;
	if (!link->probing)
		log_event(LOG_WARN, "outbox.paused", "sconnection", link->name, "scause",
			  "failures", NULL);
	if (link->trips < 5)
		pause = (int64_t)TRIP_FIRST_MS << link->trips++;
	link->until_ms = now_ms + pause +
			 (int64_t)(outbox_random(link->outbox) * (double)pause / 4);
	link->probing = true;
}

static void link_needs_help(struct link *link, int64_t now_ms, const char *cause)
{
	if (!link->alarm)
		metrics_add(METRIC_CONNECTIONS_PAUSED, 1);
	if (!link->alarm || strcmp(link->alarm, cause) != 0)
		log_event(LOG_ERROR, "outbox.paused", "sconnection", link->name, "scause", cause,
			  NULL);
	link->alarm = cause;
	link->probing = true;
	link->until_ms = now_ms + ALARM_MS;
}

static void link_too_fast(struct link *link, int64_t now_ms, int64_t retry_after_ms)
{
	double now_rate = link->rate > 0 ? link->rate : RATE_FREE / 10;

	if (now_ms < link->until_ms)
		return; /* another call of the same burst */
	link->rate = now_rate / 2 > RATE_MIN ? now_rate / 2 : RATE_MIN;
	link->tokens = 0;
	link->filled_ms = now_ms;
	link->until_ms = now_ms + (retry_after_ms > 0 ? retry_after_ms : THROTTLE_MS);
	log_event(LOG_WARN, "outbox.throttled", "sconnection", link->name, "imilliseconds",
		  link->until_ms - now_ms, NULL);
}

void link_heard(struct link *link, const struct telco_outcome *outcome)
{
	int64_t now_ms = clock_now_ms();

	switch (outcome->kind) {
	case OUTCOME_ACCEPTED:
	case OUTCOME_PARTIAL:
	case OUTCOME_PERMANENT:
		link_works(link);
		break;
	case OUTCOME_TEMPORARY:
	case OUTCOME_UNKNOWN:
		link_fails(link, now_ms);
		break;
	case OUTCOME_THROTTLED:
		link_too_fast(link, now_ms, outcome->retry_after_ms);
		break;
	case OUTCOME_INSUFFICIENT_FUNDS:
		link_needs_help(link, now_ms, "the account is empty");
		break;
	case OUTCOME_AUTH:
		link_needs_help(link, now_ms, "the credentials are refused");
		break;
	case OUTCOME_CONFIG:
		link_needs_help(link, now_ms, "a setting is refused");
		break;
	}
}
