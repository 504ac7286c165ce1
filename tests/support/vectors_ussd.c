/* vectors_ussd.c - ussd-sequences: sessions step by step, with what the gateway keeps of one. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "vectors.h"

enum { SESSIONS_MAX = 16, INPUTS_MAX = 256 };

struct session {
	const char *id, *from;
	struct bytes raw;
	const char *last_id;             /* of the last request */
	struct bytes inputs[INPUTS_MAX]; /* the whole path */
	unsigned input_count;
};

struct sessions {
	struct session items[SESSIONS_MAX];
	unsigned count;
};

/* What one request came to. */
struct turn {
	const char *type;
	const struct session *session;
	unsigned fresh; /* inputs that came with it */
};

static struct session *find_session(struct sessions *sessions, const struct inbound *message,
				    bool *is_new)
{
	struct session *session;

	for (unsigned i = 0; i < sessions->count; i++) {
		session = &sessions->items[i];
		*is_new = false;
		if (strcmp(session->id, message->session) == 0 &&
		    strcmp(session->from, message->from) == 0)
			return session;
	}
	*is_new = true;
	session = &sessions->items[sessions->count < SESSIONS_MAX ? sessions->count++ : 0];
	*session = (struct session){ .id = message->session, .from = message->from, .last_id = "" };
	return session;
}

static void add_input(struct session *session, struct bytes input, struct turn *turn)
{
	if (session->input_count < INPUTS_MAX)
		session->inputs[session->input_count++] = input;
	turn->fresh++;
}

static const char *take_cumulative(struct arena *arena, struct session *session, bool is_new,
				   const struct inbound *message, struct turn *turn)
{
	struct bytes *inputs;
	unsigned count;
	int rc = telco_ussd_inputs(session->raw, is_new, message->text, arena, &inputs, &count);

	if (rc == -EALREADY) {
		turn->type = "repeat";
		return NULL;
	}
	if (rc != 0)
		return "the input does not extend the one before";
	for (unsigned i = 0; i < count; i++)
		add_input(session, inputs[i], turn);
	session->raw = message->text;
	turn->type = is_new ? "start" : "input";
	return NULL;
}

static const char *take(struct arena *arena, struct sessions *sessions,
			const struct inbound *message, struct turn *turn)
{
	bool is_new;
	struct session *session = find_session(sessions, message, &is_new);

	*turn = (struct turn){ .session = session, .type = "end" };
	if (message->ussd == USSD_END)
		return NULL;
	if (message->cumulative)
		return take_cumulative(arena, session, is_new, message, turn);
	if (strcmp(session->last_id, message->provider_id) == 0) {
		turn->type = "repeat";
		return NULL;
	}
	session->last_id = message->provider_id;
	turn->type = message->ussd == USSD_START ? "start" : "input";
	if (message->ussd == USSD_INPUT)
		add_input(session, message->text, turn);
	return NULL;
}

/* ---- comparing ---- */

static bool same_bytes(struct bytes got, const json_t *expected)
{
	return got.len == json_string_length(expected) &&
	       (got.len == 0 || memcmp(got.data, json_string_value(expected), got.len) == 0);
}

static const char *check_inputs(struct arena *arena, const struct turn *turn, const json_t *event)
{
	const json_t *input = json_object_get(event, "input"),
		     *inputs = json_object_get(event, "inputs");
	const struct session *session = turn->session;

	if (json_is_string(input) &&
	    (turn->fresh != 1 || !same_bytes(session->inputs[session->input_count - 1], input)))
		return "another input";
	if (!json_is_array(inputs))
		return NULL;
	if (json_array_size(inputs) != session->input_count)
		return arena_printf(arena, "%u inputs so far", session->input_count);
	for (unsigned i = 0; i < session->input_count; i++)
		if (!same_bytes(session->inputs[i], json_array_get(inputs, i)))
			return arena_printf(arena, "input %u is \"%.*s\"", i + 1,
					    (int)session->inputs[i].len, session->inputs[i].data);
	return NULL;
}

static bool same(const char *got, const char *expected)
{
	return !expected || strcmp(got, expected) == 0;
}

static bool reason_holds(const struct inbound *message, const char *reason)
{
	json_t *meta = json_loads(message->meta[0] ? message->meta : "{}", 0, NULL);
	bool ok = !reason || same(text_of(meta, "reason") ? text_of(meta, "reason") : "", reason);

	json_decref(meta);
	return ok;
}

static const char *check_event(struct arena *arena, const struct inbound *message,
			       const struct turn *turn, const json_t *event)
{
	if (strcmp(turn->type, text_of(event, "type")) != 0)
		return arena_printf(arena, "%s, not %s", turn->type, text_of(event, "type"));
	if (!same(message->session, text_of(event, "session")))
		return arena_printf(arena, "session is \"%s\"", message->session);
	if (!same(message->from, text_of(event, "from")))
		return arena_printf(arena, "from is %s", message->from);
	if (!same(message->to, text_of(event, "service_code")))
		return arena_printf(arena, "service code is \"%s\"", message->to);
	if (!same(message->network, text_of(event, "network")))
		return arena_printf(arena, "network is \"%s\"", message->network);
	if (!reason_holds(message, text_of(event, "reason")))
		return arena_printf(arena, "meta is %s", message->meta);
	return check_inputs(arena, turn, event);
}

/* The application's answer of the step, or of the one before where this is its repeat. */
static const char *check_screen(struct subject *subject, const struct http_request *http,
				const json_t *app, const json_t *reply)
{
	const json_t *text = json_object_get(app, "text");
	struct bytes screen = { json_string_value(text), json_string_length(text) };
	struct http_response response;

	telco_answer(subject->connection, TELCO_USSD, text ? &screen : NULL,
		     json_is_true(json_object_get(app, "cont")), http, &subject->arena, &response);
	return check_reply(subject, &response, reply);
}

static const char *run_step(struct subject *subject, struct sessions *sessions, const json_t *step,
			    const json_t *app, int64_t now)
{
	const json_t *event = json_object_get(step, "event");
	struct telco_events events = { .verdict = TELCO_BAD, .why = "the query is broken" };
	struct http_request http;
	struct turn turn;
	const char *why;

	if (vector_request(subject, json_object_get(step, "request"), TELCO_USSD, &http))
		telco_decode(subject->connection, TELCO_USSD, &http, now, &subject->arena, &events);
	if (events.verdict == TELCO_IGNORE && strcmp(text_of(event, "type"), "ignore") == 0)
		return check_screen(subject, &http, NULL, json_object_get(step, "reply"));
	if (events.verdict != TELCO_TAKE || events.message_count != 1)
		return arena_printf(&subject->arena, "not taken (%s)", events.why);
	why = take(&subject->arena, sessions, events.messages, &turn);
	if (!why)
		why = check_event(&subject->arena, events.messages, &turn, event);
	return why ? why : check_screen(subject, &http, app, json_object_get(step, "reply"));
}

static void run_sequence(struct tally *tally, const json_t *sequence)
{
	const json_t *config = json_object_get(sequence, "config"), *app = NULL;
	struct sessions sessions = { .count = 0 };
	struct subject subject;
	char id[128];
	size_t i;
	json_t *step;

	if (!subject_open(tally, &subject, text_of(sequence, "provider"), config, false))
		tally_fail(tally, text_of(sequence, "id"), "%s", subject.error);
	else
		json_array_foreach (json_object_get(sequence, "steps"), i, step) {
			const char *type = text_of(json_object_get(step, "event"), "type"), *why;

			if (json_object_get(step, "app") || strcmp(type, "repeat") != 0)
				app = json_object_get(step, "app");
			why = run_step(&subject, &sessions, step, app, vector_now(config));
			snprintf(id, sizeof(id), "%s step %zu", text_of(sequence, "id"), i + 1);
			tally_result(tally, id, why);
		}
	subject_close(&subject);
}

void run_ussd_sequences(struct tally *tally, const json_t *sequences)
{
	vectors_each(tally, sequences, run_sequence);
}
