/* phone.c - mailboxes, who waits for them, and the receipts.
 *
 * It stands where a telco would: the gateway reaches it by HTTP through its adapter, and it calls back by HTTP with
 * receipts, so that what is tried with it is what a telco will do.  It keeps nothing over a restart, as a network would not
 * either; numbering goes on from the clock, so that a phone that asks for "after K" never misses what came since.
 * A receipt is sent when a phone has fetched the message: a mailbox that nobody opens is a phone that is off.
 */
#include "phone.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <event2/event.h>
#include <jansson.h>
#include <uthash.h>

#include "admin.h"
#include "clock.h"
#include "http_client.h"
#include "log.h"

enum {
	WAIT_MAX = 25,         /* seconds that a phone may wait for a message */
	WAITERS_MAX = 256,     /* phones that wait at once */
	NUMBER_MAX = 64,       /* bytes */
	TEXT_BYTES_MAX = 8192, /* of one message */
	RECEIPT_TRIES = 5,
	RECEIPT_RETRY = 2,   /* seconds, and twice as long after each failure */
	RECEIPTS_MAX = 1000, /* that wait to be sent or for an answer */
};

struct sms {
	TAILQ_ENTRY(sms) next;
	int64_t n;
	char *id, *from, *text; /* owned */
	bool fetched;
};

/* A phone that asked and waits. */
struct waiter {
	TAILQ_ENTRY(waiter) next;
	struct http_exchange *exchange;
	struct mailbox *box;
	int64_t after, until_ms;
};

struct mailbox {
	UT_hash_handle hh;
	char number[NUMBER_MAX];
	TAILQ_HEAD(sms_list, sms) messages; /* owned; oldest first */
	unsigned count, waiters;
};

struct receipt {
	TAILQ_ENTRY(receipt) next;
	struct phone
		*phone; /* borrowed; NULL: it is gone, and the call that is under way is the last */
	struct event *timer; /* owned */
	unsigned tries;
	bool under_way;
	char *body; /* owned */
};

struct phone {
	struct event_base *base;    /* borrowed */
	struct http_client *client; /* borrowed */
	char *secret, *receipt_url; /* owned */
	struct mailbox *boxes;      /* hash, the one used longest ago first */
	TAILQ_HEAD(waiter_list, waiter) waiters;
	unsigned waiter_count;
	TAILQ_HEAD(receipt_list, receipt) receipts;
	unsigned receipt_count;
	struct event *tick; /* owned; each second while someone waits */
	int64_t last;       /* number given to a message */
	bool stopped;
};

static void sms_free(struct sms *sms)
{
	free(sms->id);
	free(sms->from);
	free(sms->text);
	free(sms);
}

static void box_pop(struct mailbox *box)
{
	struct sms *oldest = TAILQ_FIRST(&box->messages);

	TAILQ_REMOVE(&box->messages, oldest, next);
	box->count--;
	sms_free(oldest);
}

static void box_free(struct phone *phone, struct mailbox *box)
{
	struct sms *sms = TAILQ_FIRST(&box->messages), *next;

	HASH_DEL(phone->boxes, box);
	for (; sms; sms = next) {
		next = TAILQ_NEXT(sms, next);
		sms_free(sms);
	}
	free(box);
}

/* Makes room for one more mailbox. */
static void boxes_trim(struct phone *phone)
{
	struct mailbox *box, *next;

	HASH_ITER (hh, phone->boxes, box, next) {
		if (HASH_COUNT(phone->boxes) < PHONE_NUMBERS_MAX)
			return;
		if (box->waiters == 0)
			box_free(phone, box);
	}
}

/* The mailbox of a number, as the one used last; made where there is none. */
static struct mailbox *box_get(struct phone *phone, const char *number)
{
	struct mailbox *box;

	HASH_FIND_STR(phone->boxes, number, box);
	if (box) {
		HASH_DEL(phone->boxes, box);
	} else {
		boxes_trim(phone);
		box = xcalloc(1, sizeof(*box));
		snprintf(box->number, sizeof(box->number), "%s", number);
		TAILQ_INIT(&box->messages);
	}
	HASH_ADD_STR(phone->boxes, number, box);
	return box;
}

static void receipt_free(struct receipt *receipt)
{
	if (receipt->phone) {
		TAILQ_REMOVE(&receipt->phone->receipts, receipt, next);
		receipt->phone->receipt_count--;
		event_free(receipt->timer);
	}
	free(receipt->body);
	free(receipt);
}

/* The phones end; a call that is under way frees its receipt later. */
static void receipt_forget(struct receipt *receipt)
{
	struct phone *phone = receipt->phone;

	if (!receipt->under_way) {
		receipt_free(receipt);
		return;
	}
	TAILQ_REMOVE(&phone->receipts, receipt, next);
	event_free(receipt->timer);
	receipt->phone = NULL;
}

/* The gateway was busy, or restarts: later again, as a telco would. */
static void receipt_result_cb(const struct http_result *result, void *arg)
{
	struct receipt *receipt = arg;
	struct timeval wait = { RECEIPT_RETRY << receipt->tries, 0 };
	bool again = result->error != 0 || result->status == 503;

	receipt->under_way = false;
	again = again && result->error != -ECANCELED && receipt->phone && !receipt->phone->stopped;
	if (again && ++receipt->tries < RECEIPT_TRIES) {
		event_add(receipt->timer, &wait);
		return;
	}
	if (result->error != 0 || result->status >= 300)
		log_event(LOG_WARN, "phone.receipt_failed", "istatus", (int64_t)result->status,
			  "eerror", result->error, NULL);
	receipt_free(receipt);
}

static void receipt_send_cb(evutil_socket_t fd UNUSED, short events UNUSED, void *arg)
{
	struct receipt *receipt = arg;
	struct phone *phone = receipt->phone;
	struct http_field headers[] = {
		{ "Content-Type", { "application/json", 16 } },
		{ "X-Kentongan-Secret", { phone->secret, strlen(phone->secret) } },
	};
	struct http_call call = {
		.method = "POST",
		.url = phone->receipt_url,
		.headers = { headers, ARRAY_LEN(headers) },
		.body = { receipt->body, strlen(receipt->body) },
	};

	receipt->under_way = true;
	if (http_client_call(phone->client, &call, receipt_result_cb, receipt) < 0)
		receipt_free(receipt);
}

static void send_receipt(struct phone *phone, const char *id)
{
	struct receipt *receipt;
	json_t *body;

	if (phone->receipt_count >= RECEIPTS_MAX || phone->stopped)
		return;
	receipt = xcalloc(1, sizeof(*receipt));
	body = json_pack("{s:s, s:s}", "ref", id, "status", "delivered");
	*receipt = (struct receipt){ .phone = phone, .body = json_dumps(body, JSON_COMPACT) };
	json_decref(body);
	receipt->timer = evtimer_new(phone->base, receipt_send_cb, receipt);
	TAILQ_INSERT_TAIL(&phone->receipts, receipt, next);
	phone->receipt_count++;
	event_active(receipt->timer, EV_TIMEOUT, 0);
}

static void reply_json(struct http_exchange *exchange, int status, json_t *body)
{
	char *text = json_dumps(body, JSON_COMPACT);
	struct http_response response = { .status = status,
					  .content_type = "application/json",
					  .body = { text, strlen(text) } };

	http_reply(exchange, &response, NULL, NULL);
	free(text);
	json_decref(body);
}

static json_t *sms_json(const struct sms *sms)
{
	return json_pack("{s:I, s:s, s:s, s:s}", "n", (json_int_t)sms->n, "id", sms->id, "from",
			 sms->from, "text", sms->text);
}

static bool box_has_news(const struct mailbox *box, int64_t after)
{
	const struct sms *last = TAILQ_LAST(&box->messages, sms_list);

	return last && last->n > after;
}

/* Answers with what is behind `after`, and sends the receipts. */
static void reply_messages(struct phone *phone, struct http_exchange *exchange, struct mailbox *box,
			   int64_t after)
{
	json_t *list = json_array();
	struct sms *sms;

	TAILQ_FOREACH (sms, &box->messages, next) {
		if (sms->n <= after)
			continue;
		json_array_append_new(list, sms_json(sms));
		after = sms->n;
		if (!sms->fetched)
			send_receipt(phone, sms->id);
		sms->fetched = true;
	}
	reply_json(exchange, 200,
		   json_pack("{s:I, s:o}", "next", (json_int_t)after, "messages", list));
}

static void waiter_end(struct phone *phone, struct waiter *waiter)
{
	TAILQ_REMOVE(&phone->waiters, waiter, next);
	phone->waiter_count--;
	waiter->box->waiters--;
	reply_messages(phone, waiter->exchange, waiter->box, waiter->after);
	free(waiter);
}

/* Those who wait for this mailbox; NULL: those who have waited long enough. */
static void wake(struct phone *phone, const struct mailbox *box)
{
	struct waiter *waiter = TAILQ_FIRST(&phone->waiters), *next;
	int64_t now = clock_now_ms();

	for (; waiter; waiter = next) {
		next = TAILQ_NEXT(waiter, next);
		if (box ? waiter->box == box : (waiter->until_ms <= now || phone->stopped))
			waiter_end(phone, waiter);
	}
}

static void tick_cb(evutil_socket_t fd UNUSED, short events UNUSED, void *arg)
{
	struct phone *phone = arg;
	struct timeval second = { 1, 0 };

	wake(phone, NULL);
	if (phone->waiter_count > 0)
		event_add(phone->tick, &second);
}

static void wait_for_message(struct phone *phone, struct http_exchange *exchange,
			     struct mailbox *box, int64_t after, unsigned seconds)
{
	struct waiter *waiter = xcalloc(1, sizeof(*waiter));
	struct timeval second = { 1, 0 };

	*waiter = (struct waiter){ .exchange = exchange,
				   .box = box,
				   .after = after,
				   .until_ms = clock_now_ms() + (int64_t)seconds * 1000 };
	TAILQ_INSERT_TAIL(&phone->waiters, waiter, next);
	phone->waiter_count++;
	box->waiters++;
	if (!event_pending(phone->tick, EV_TIMEOUT, NULL))
		event_add(phone->tick, &second);
}

/* The number before the first message that no phone has fetched. */
static int64_t first_unread(const struct phone *phone, const struct mailbox *box)
{
	const struct sms *sms;

	TAILQ_FOREACH (sms, &box->messages, next) {
		if (!sms->fetched)
			return sms->n - 1;
	}
	return phone->last;
}

/* A whole number from 0 to max; absent gives fallback, anything else -1. */
static int64_t query_number(const struct http_request *request, const char *name, int64_t fallback,
			    int64_t max)
{
	const struct http_field *field = http_field(&request->query, name, false);
	long long value;
	char *end;

	if (!field)
		return fallback;
	errno = 0;
	value = strtoll(field->value.data, &end, 10);
	if (errno || end == field->value.data || end != field->value.data + field->value.len ||
	    value < 0 || value > max)
		return -1;
	return value;
}

/* The number that a phone asks for.  In a query '+' means a blank; a number has none. */
static const char *query_phone(const struct http_request *request, char out[static NUMBER_MAX])
{
	const struct http_field *field = http_field(&request->query, "number", false);

	if (!field || field->value.len == 0 || field->value.len >= NUMBER_MAX ||
	    strlen(field->value.data) != field->value.len)
		return NULL;
	memcpy(out, field->value.data, field->value.len + 1);
	if (out[0] == ' ')
		out[0] = '+';
	return out;
}

static void handle_messages(struct phone *phone, struct http_exchange *exchange,
			    const struct http_request *request)
{
	char buffer[NUMBER_MAX];
	const char *number = query_phone(request, buffer);
	int64_t after = query_number(request, "after", INT64_MAX, INT64_MAX - 1);
	int64_t wait = query_number(request, "wait", WAIT_MAX, WAIT_MAX);
	struct mailbox *box;

	if (!number || after < 0 || wait < 0) {
		http_reply_status(exchange, 400);
		return;
	}
	box = box_get(phone, number);
	if (after == INT64_MAX)
		after = first_unread(phone, box);
	if (box_has_news(box, after) || wait == 0 || phone->stopped)
		reply_messages(phone, exchange, box, after);
	else if (phone->waiter_count >= WAITERS_MAX)
		http_reply_status(exchange, 503);
	else
		wait_for_message(phone, exchange, box, after, (unsigned)wait);
}

/* Puts a message into its mailbox. */
static struct sms *deliver(struct phone *phone, struct mailbox *box, const char *id,
			   const char *from, const char *text)
{
	struct sms *sms = xcalloc(1, sizeof(*sms));

	phone->last = phone->last >= clock_now_ms() ? phone->last + 1 : clock_now_ms();
	*sms = (struct sms){
		.n = phone->last, .id = xstrdup(id), .from = xstrdup(from), .text = xstrdup(text)
	};
	TAILQ_INSERT_TAIL(&box->messages, sms, next);
	if (++box->count > PHONE_MESSAGES_MAX)
		box_pop(box);
	return sms;
}

static void handle_send(struct phone *phone, struct http_exchange *exchange,
			const struct http_request *request)
{
	json_t *body = json_loadb(request->body.data, request->body.len, JSON_REJECT_DUPLICATES,
				  NULL);
	const char *id = json_string_value(json_object_get(body, "id"));
	const char *from = json_string_value(json_object_get(body, "from"));
	const char *to = json_string_value(json_object_get(body, "to"));
	const char *text = json_string_value(json_object_get(body, "text"));
	struct mailbox *box;
	char own_id[32];

	if (!id || !from || !to || !text || !*to || strlen(to) >= NUMBER_MAX ||
	    strlen(from) >= NUMBER_MAX || strlen(id) >= NUMBER_MAX ||
	    strlen(text) > TEXT_BYTES_MAX) {
		http_reply_status(exchange, 400);
	} else {
		box = box_get(phone, to);
		snprintf(own_id, sizeof(own_id), "phone-%lld",
			 (long long)deliver(phone, box, id, from, text)->n);
		reply_json(exchange, 202, json_pack("{s:s}", "id", own_id));
		wake(phone, box);
	}
	json_decref(body);
}

void phone_handle(struct phone *phone, struct http_exchange *exchange,
		  const struct http_request *request)
{
	const struct http_field *secret = http_field(&request->headers, "X-Kentongan-Secret", true);

	if (!secret || !admin_secret_equal(secret->value, phone->secret))
		http_reply_status(exchange, 401);
	else if (strcmp(request->path, "/phone/send") == 0 && request->method == HTTP_POST)
		handle_send(phone, exchange, request);
	else if (strcmp(request->path, "/phone/messages") == 0 && request->method == HTTP_GET)
		handle_messages(phone, exchange, request);
	else
		http_reply_status(exchange, 404);
}

struct phone *phone_new(struct event_base *base, struct http_client *client, const char *secret,
			const char *gateway)
{
	struct phone *phone = xcalloc(1, sizeof(*phone));
	struct buf url = { 0 };

	buf_addf(&url, "%s/receipt", gateway);
	*phone = (struct phone){
		.base = base, .client = client, .secret = xstrdup(secret), .receipt_url = url.data
	};
	TAILQ_INIT(&phone->waiters);
	TAILQ_INIT(&phone->receipts);
	phone->tick = evtimer_new(base, tick_cb, phone);
	phone->last = clock_now_ms();
	return phone;
}

void phone_stop(struct phone *phone)
{
	phone->stopped = true;
	wake(phone, NULL);
}

void phone_free(struct phone *phone)
{
	struct receipt *receipt, *after;
	struct mailbox *box, *next;

	if (!phone)
		return;
	phone_stop(phone);
	for (receipt = TAILQ_FIRST(&phone->receipts); receipt; receipt = after) {
		after = TAILQ_NEXT(receipt, next);
		receipt_forget(receipt);
	}
	HASH_ITER (hh, phone->boxes, box, next)
		box_free(phone, box);
	event_free(phone->tick);
	free(phone->secret);
	free(phone->receipt_url);
	free(phone);
}
