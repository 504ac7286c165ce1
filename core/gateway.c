/* gateway.c - telco callbacks in, USSD screens out.
 *
 * One callback may bring several messages and reports.  Each is taken by itself; the answer waits for the last of them, and
 * is 200 only if all are stored.  Where one isn't, the telco brings all again, and those that are stored are repeats.
 */
#include "gateway.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "crash.h"
#include "inbox.h"
#include "log.h"
#include "metrics.h"
#include "outbox.h"
#include "settings.h"
#include "telco.h"

struct gateway {
	struct inbox *inbox;
	struct outbox *outbox;
	struct telco *telco;
	const struct settings *settings;
};

/* One callback, until it is answered. */
struct callback {
	struct gateway *gateway;
	struct http_exchange *exchange;
	const struct http_request *request; /* lent until the reply */
	char *connection; /* its name: a reload may bring another adapter meanwhile */
	enum telco_kind kind;
	struct arena arena;
	unsigned left; /* messages and reports not yet stored */
	bool failed, refused;
	struct bytes screen;
	bool has_screen, more;
	struct id end_screen, repeat_of;
};

struct gateway *gateway_new(struct inbox *inbox, struct outbox *outbox, struct telco *telco,
			    const struct settings *settings)
{
	struct gateway *gateway = xcalloc(1, sizeof(*gateway));

	*gateway = (struct gateway){ inbox, outbox, telco, settings };
	return gateway;
}

void gateway_free(struct gateway *gateway)
{
	free(gateway);
}

void gateway_reload(struct gateway *gateway, struct telco *telco, const struct settings *settings)
{
	gateway->telco = telco;
	gateway->settings = settings;
}

void gateway_detach(struct gateway *gateway)
{
	gateway->outbox = NULL;
}

/* ---- answers ---- */

static void callback_free(struct callback *callback)
{
	arena_free(&callback->arena);
	free(callback);
}

static void sent_cb(bool whole, void *arg)
{
	struct callback *callback = arg;
	struct outbox *outbox = callback->gateway->outbox;

	crash_point("gateway.after_reply");
	if (!outbox)
		callback->end_screen = callback->repeat_of = (struct id){ 0 };
	if (callback->end_screen.serial)
		outbox_screen_sent(outbox, callback->end_screen, whole);
	else if (callback->repeat_of.serial && whole)
		outbox_screen_repeated(outbox, callback->repeat_of);
	callback_free(callback);
}

static void reply_status(struct callback *callback, int status)
{
	if (status == 503)
		metrics_add(METRIC_OVERLOAD, 1);
	http_reply_status(callback->exchange, status);
	callback_free(callback);
}

static void reply(struct callback *callback)
{
	struct telco_connection *connection = telco_find(callback->gateway->telco,
							 callback->connection);
	struct http_response response = { 0 };

	if (callback->refused || callback->failed || !connection) {
		reply_status(callback, callback->refused ? 403 : 503);
		return;
	}
	telco_answer(connection, callback->kind, callback->has_screen ? &callback->screen : NULL,
		     callback->more, callback->request, &callback->arena, &response);
	crash_point("gateway.before_reply");
	http_reply(callback->exchange, &response, sent_cb, callback);
}

static void part_done(struct callback *callback)
{
	if (--callback->left == 0)
		reply(callback);
}

static void taken_cb(const struct inbox_answer *answer, void *arg)
{
	struct callback *callback = arg;

	callback->failed |= answer->result == INBOX_FAILED;
	callback->refused |= answer->result == INBOX_REFUSED;
	if (callback->kind == TELCO_USSD && answer->result == INBOX_TAKEN) {
		callback->has_screen = answer->screen.len > 0;
		callback->screen = arena_bytes(&callback->arena, answer->screen.data,
					       answer->screen.len);
		callback->more = answer->more;
		callback->end_screen = answer->end_screen;
		callback->repeat_of = answer->repeat_of;
	}
	part_done(callback);
}

static void reported_cb(int error, void *arg)
{
	struct callback *callback = arg;

	callback->failed |= error != 0;
	part_done(callback);
}

/* ---- callbacks ---- */

/* Hands over all that a callback brought.  One count more is held meanwhile, so that it isn't answered before the end. */
static void take(struct callback *callback, const struct telco_events *events)
{
	struct gateway *gateway = callback->gateway;

	callback->left = 1;
	for (unsigned i = 0; i < events->message_count; i++) {
		if (inbox_take(gateway->inbox, &events->messages[i], taken_cb, callback) < 0)
			callback->failed = true;
		else
			callback->left++;
	}
	for (unsigned i = 0; i < events->report_count; i++) {
		if (outbox_report(gateway->outbox, &events->reports[i], reported_cb, callback) < 0)
			callback->failed = true;
		else
			callback->left++;
	}
	part_done(callback);
}

static void refuse(struct callback *callback, int status, const char *why)
{
	log_event(status >= 500 ? LOG_ERROR : LOG_WARN, "telco.refused", "sconnection",
		  callback->connection, "speer", callback->request->peer, "istatus",
		  (int64_t)status, "swhy", why, NULL);
	metrics_add(METRIC_INBOUND_REFUSED, 1);
	reply_status(callback, status);
}

static void judge(struct callback *callback, const struct telco_events *events)
{
	switch (events->verdict) {
	case TELCO_TAKE:
		take(callback, events);
		break;
	case TELCO_IGNORE:
		callback->left = 1;
		part_done(callback);
		break;
	case TELCO_UNAUTHORIZED:
		refuse(callback, 401, events->why);
		break;
	case TELCO_BAD:
		refuse(callback, 400, events->why);
		break;
	case TELCO_BROKEN:
		refuse(callback, 500, events->why);
		break;
	}
}

/* Where addresses of aggregators are listed, nobody else may call; the simulated phones are on this machine. */
static bool may_call(const struct gateway *gateway, const struct telco_connection *connection,
		     const char *peer)
{
	const char *const *trusted = gateway->settings->trusted;

	if (!trusted || !trusted[0] || strcmp(telco_config(connection)->adapter, "phone") == 0)
		return true;
	for (; *trusted; trusted++)
		if (strcmp(*trusted, peer) == 0)
			return true;
	return false;
}

/* "/telco/NAME/KIND" and perhaps more.  false: it is another path. */
static bool read_path(const char *path, struct arena *arena, char **name, enum telco_kind *kind)
{
	static const char *const kinds[] = {
		[TELCO_SMS] = "sms", [TELCO_USSD] = "ussd", [TELCO_RECEIPT] = "receipt"
	};
	static const char front[] = "/telco/";
	const char *at = path + sizeof(front) - 1, *slash, *end;

	if (strncmp(path, front, sizeof(front) - 1) != 0 || !(slash = strchr(at, '/')))
		return false;
	*name = arena_memdup(arena, at, (size_t)(slash - at));
	end = strchrnul(slash + 1, '/');
	for (unsigned i = 0; i < ARRAY_LEN(kinds); i++)
		if (strlen(kinds[i]) == (size_t)(end - slash - 1) &&
		    strncmp(slash + 1, kinds[i], strlen(kinds[i])) == 0) {
			*kind = (enum telco_kind)i;
			return true;
		}
	return false;
}

void gateway_handle(struct http_exchange *exchange, const struct http_request *request, void *arg)
{
	struct gateway *gateway = arg;
	struct callback *callback = xcalloc(1, sizeof(*callback));
	struct telco_connection *connection = NULL;
	struct telco_events events;

	*callback = (struct callback){
		.gateway = gateway, .exchange = exchange, .request = request, .screen = { "", 0 }
	};
	if (read_path(request->path, &callback->arena, &callback->connection, &callback->kind))
		connection = telco_find(gateway->telco, callback->connection);
	if (!connection) {
		reply_status(callback, 404);
		return;
	}
	if (request->method == HTTP_HEAD) {
		reply_status(callback, 405);
		return;
	}
	if (!may_call(gateway, connection, request->peer)) {
		refuse(callback, 403, "the address is not among those in `trusted`");
		return;
	}
	telco_decode(connection, callback->kind, request, clock_now(), &callback->arena, &events);
	judge(callback, &events);
}
