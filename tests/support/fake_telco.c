/* fake_telco.c - connections and the HTTP client as a test wants them. */
#include "fake_telco.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fake_out *fake_outs;
unsigned fake_out_count;
bool fake_url_refused;
void (*fake_on_call)(const struct fake_out *out);

static unsigned out_room;
static struct outbound encoding; /* the message of the last telco_encode */

struct telco_connection *fake_telco_add(struct telco *telco, const char *name)
{
	struct telco_connection *connection = &telco->connections[telco->count++];

	connection->config = (struct telco_config){
		.name = name,
		.unknown_reply = ON_UNKNOWN_RESEND_ONCE,
		.unknown_broadcast = ON_UNKNOWN_HOLD,
		.unknown_seconds = 60,
		.validity_seconds = 86400,
	};
	connection->limits = (struct telco_limits){ .in_flight = 16 };
	return connection;
}

struct telco_connection *telco_find(struct telco *telco, const char *name)
{
	for (unsigned i = 0; i < telco->count; i++) {
		if (strcmp(telco->connections[i].config.name, name) == 0)
			return &telco->connections[i];
	}
	return NULL;
}

const struct telco_config *telco_config(const struct telco_connection *connection)
{
	return &connection->config;
}

const struct telco_limits *telco_limits(const struct telco_connection *connection)
{
	return &connection->limits;
}

int telco_encode(struct telco_connection *connection, const struct outbound *message,
		 int64_t now UNUSED, struct arena *arena UNUSED, struct http_call *out)
{
	(void)connection;
	if (message->text.len >= 3 && memcmp(message->text.data, "bad", 3) == 0)
		return -EINVAL;
	encoding = *message;
	*out = (struct http_call){ .method = "POST", .url = "http://127.0.0.1/" };
	return 0;
}

int http_client_call(struct http_client *client UNUSED, const struct http_call *call UNUSED,
		     http_result_cb *cb, void *arg)
{
	struct fake_out *out;

	if (fake_url_refused)
		return -EINVAL;
	if (fake_out_count == out_room) {
		out_room = out_room ? 2 * out_room : 64;
		fake_outs = xrealloc(fake_outs, out_room * sizeof(fake_outs[0]));
	}
	out = &fake_outs[fake_out_count++];
	memset(out, 0, sizeof(*out));
	out->cb = cb;
	out->arg = arg;
	out->id = encoding.id;
	snprintf(out->to, sizeof(out->to), "%s", encoding.citizen);
	snprintf(out->text, sizeof(out->text), "%.*s", (int)encoding.text.len, encoding.text.data);
	snprintf(out->connection, sizeof(out->connection), "%s", encoding.connection);
	if (fake_on_call)
		fake_on_call(out);
	return 0;
}

bool fake_telco_answer(unsigned n, const char *words)
{
	struct http_result result = { .left = true,
				      .status = 200,
				      .body = { words, strlen(words) } };
	http_result_cb *cb;

	if (n >= fake_out_count || !fake_outs[n].cb)
		return false;
	cb = fake_outs[n].cb;
	fake_outs[n].cb = NULL;
	cb(&result, fake_outs[n].arg);
	return true;
}

void fake_telco_reset(void)
{
	free(fake_outs);
	fake_outs = NULL;
	out_room = 0;
	fake_out_count = 0;
	fake_url_refused = false;
}

void telco_outcome(struct telco_connection *connection UNUSED, const struct http_result *result,
		   struct arena *arena, struct telco_outcome *out)
{
	static const struct {
		const char *word;
		enum telco_outcome_kind kind;
	} rows[] = {
		{ "accepted", OUTCOME_ACCEPTED },   { "partial", OUTCOME_PARTIAL },
		{ "permanent", OUTCOME_PERMANENT }, { "temporary", OUTCOME_TEMPORARY },
		{ "throttled", OUTCOME_THROTTLED }, { "funds", OUTCOME_INSUFFICIENT_FUNDS },
		{ "auth", OUTCOME_AUTH },           { "config", OUTCOME_CONFIG },
		{ "unknown", OUTCOME_UNKNOWN },     { "optout", OUTCOME_PERMANENT },
	};
	char *words = arena_memdup(arena, result->body.data, result->body.len);
	char *rest = words + strcspn(words, " ");

	if (*rest)
		*rest++ = '\0';
	*out = (struct telco_outcome){ .kind = OUTCOME_UNKNOWN, .provider_id = "", .code = "" };
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		if (strcmp(rows[i].word, words) == 0)
			out->kind = rows[i].kind;
	}
	if (out->kind == OUTCOME_ACCEPTED)
		out->provider_id = rest;
	else if (out->kind == OUTCOME_THROTTLED)
		out->retry_after_ms = atoi(rest);
	else
		out->code = rest;
	out->opted_out = strcmp(words, "optout") == 0;
}
