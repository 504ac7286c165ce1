/* vectors_inbound.c - inbound-samples, inbound-sequences, dlr-samples, dlr-order. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "message.h"
#include "parts.h"
#include "receipt.h"
#include "vectors.h"
#include "words.h"

/* What a store would hold between the requests of one sequence. */
struct memory {
	struct part_row *rows;
	unsigned row_count, row_room;
	const char **ids;
	unsigned id_count;
};

/* What one request came to. */
struct result {
	const char *action;
	struct inbound *messages;
	unsigned message_count;
};

/* ---- comparing ---- */

static int64_t seconds_of(const char *rfc3339)
{
	struct tm tm = { 0 };
	const char *rest = strptime(rfc3339, "%Y-%m-%dT%H:%M:%S", &tm);

	return rest ? (int64_t)timegm(&tm) : -1;
}

static bool same(const char *got, const char *expected)
{
	return strcmp(got ? got : "", expected ? expected : "") == 0;
}

/* Each member of the expected meta is in what was kept. */
static bool meta_holds(const char *got, const json_t *expected)
{
	json_t *meta = json_loads(got[0] ? got : "{}", 0, NULL);
	const char *key;
	json_t *value;
	bool ok = true;

	json_object_foreach ((json_t *)expected, key, value)
		ok = ok && json_equal(json_object_get(meta, key), value);
	json_decref(meta);
	return ok;
}

static const char *check_message(struct subject *subject, const struct inbound *got,
				 const json_t *expected)
{
	const json_t *text = json_object_get(expected, "text");
	const char *time = text_of(expected, "time");
	struct arena *arena = &subject->arena;

	if (!same(got->channel == CHANNEL_SMS ? "sms" : "ussd", text_of(expected, "channel")))
		return "another channel";
	if (!same(got->from, text_of(expected, "from")))
		return arena_printf(arena, "from is %s", got->from);
	if (!same(got->to, text_of(expected, "to")))
		return arena_printf(arena, "to is \"%s\"", got->to);
	if (got->text.len != json_string_length(text) ||
	    memcmp(got->text.data, json_string_value(text), got->text.len) != 0)
		return arena_printf(arena, "text is \"%.*s\"", (int)got->text.len, got->text.data);
	if (!same(got->provider_id, text_of(expected, "id")))
		return arena_printf(arena, "id is \"%s\"", got->provider_id);
	if (got->time_is_telcos != (time != NULL) || (time && got->time != seconds_of(time)))
		return arena_printf(arena, "time is %lld", (long long)got->time);
	if (json_object_get(expected, "network") &&
	    !same(got->network, text_of(expected, "network")))
		return arena_printf(arena, "network is \"%s\"", got->network);
	if (!meta_holds(got->meta, json_object_get(expected, "meta")))
		return arena_printf(arena, "meta is %s", got->meta);
	return NULL;
}

static const char *check_messages(struct subject *subject, const struct result *result,
				  const json_t *expected)
{
	unsigned count = (unsigned)json_array_size(expected);

	if (strcmp(result->action, "deliver") != 0)
		return NULL;
	if (result->message_count != count)
		return arena_printf(&subject->arena, "%u messages, not %u", result->message_count,
				    count);
	for (unsigned i = 0; i < count; i++) {
		const char *why = check_message(subject, &result->messages[i],
						json_array_get(expected, i));

		if (why)
			return why;
	}
	return NULL;
}

/* ---- what a request comes to ---- */

static bool known(struct subject *subject, struct memory *memory, const char *id)
{
	const char **more;

	for (unsigned i = 0; i < memory->id_count; i++)
		if (id[0] && strcmp(memory->ids[i], id) == 0)
			return true;
	more = arena_alloc(&subject->arena, (memory->id_count + 1) * sizeof(*more));
	if (memory->id_count)
		memcpy(more, memory->ids, memory->id_count * sizeof(*more));
	more[memory->id_count++] = id;
	memory->ids = more;
	return false;
}

static void forget(struct memory *memory, const struct part_key *key)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < memory->row_count; i++) {
		const struct inbound *part = &memory->rows[i].msg;

		if (part->part_ref != key->ref || part->part_total != key->total ||
		    strcmp(part->from, key->citizen) != 0 || strcmp(part->to, key->to) != 0)
			memory->rows[kept++] = memory->rows[i];
	}
	memory->row_count = kept;
}

static void keep(struct memory *memory, const struct inbound *part, int64_t now)
{
	if (memory->row_count == memory->row_room) {
		memory->row_room = memory->row_room ? 2 * memory->row_room : 16;
		memory->rows = xrealloc(memory->rows, memory->row_room * sizeof(*memory->rows));
	}
	memory->rows[memory->row_count++] = (struct part_row){ .msg = *part, .arrived = now };
}

/* One part, as the inbox would take it. */
static void take_part(struct subject *subject, struct memory *memory, const struct inbound *part,
		      int64_t now, struct result *result)
{
	struct part_key key;
	struct inbound joined;

	while (parts_give_up(memory->rows, memory->row_count, part, now, &subject->arena, &key,
			     &joined)) {
		result->messages[result->message_count++] = joined;
		result->action = "deliver";
		forget(memory, &key);
	}
	switch (parts_add(memory->rows, memory->row_count, part, &subject->arena, &joined)) {
	case PARTS_JOINED:
		key = parts_key(part);
		forget(memory, &key);
		result->messages[result->message_count++] = joined;
		result->action = "deliver";
		break;
	case PARTS_WAIT:
		keep(memory, part, now);
		if (!result->message_count)
			result->action = "buffer";
		break;
	case PARTS_REPEATED:
		if (!result->message_count)
			result->action = "duplicate";
	}
}

static void take_messages(struct subject *subject, struct memory *memory,
			  const struct telco_events *events, int64_t now, struct result *result)
{
	result->action = "duplicate";
	result->messages = arena_alloc(&subject->arena,
				       (events->message_count + 8) * sizeof(*result->messages));
	for (unsigned i = 0; i < events->message_count; i++) {
		const struct inbound *message = &events->messages[i];

		if (known(subject, memory, message->provider_id))
			continue;
		if (message->part_total > 1) {
			take_part(subject, memory, message, now, result);
			continue;
		}
		result->messages[result->message_count++] = *message;
		result->action = "deliver";
	}
}

static void take(struct subject *subject, struct memory *memory, const struct telco_events *events,
		 int64_t now, struct result *result)
{
	*result = (struct result){ .action = "reject" };
	if (events->verdict == TELCO_IGNORE)
		result->action = "ignore";
	else if (events->verdict == TELCO_TAKE)
		take_messages(subject, memory, events, now, result);
}

/* The core stays silent to machines, and takes a telco's own notice of an opt-out as the word
 * STOP. */
static bool action_fits(const struct result *result, const char *expected)
{
	bool delivered = strcmp(result->action, "deliver") == 0 && result->message_count > 0;

	if (strcmp(result->action, expected) == 0)
		return true;
	if (strcmp(expected, "ignore") == 0)
		return delivered && (result->messages[0].sender == SENDER_ALNUM ||
				     result->messages[0].sender == SENDER_SHORT);
	return strcmp(expected, "opt_out") == 0 && delivered &&
	       words_whole(result->messages[0].text) == WORD_STOP;
}

static const char *check_sms(struct subject *subject, struct memory *memory, const json_t *request,
			     const json_t *expect, int64_t now)
{
	const char *action = text_of(expect, "action"), *why;
	struct telco_events events = { .verdict = TELCO_BAD, .why = "the query is broken" };
	struct http_request http;
	struct http_response response;
	struct result result;

	if (vector_request(subject, request, TELCO_SMS, &http))
		telco_decode(subject->connection, TELCO_SMS, &http, now, &subject->arena, &events);
	take(subject, memory, &events, now, &result);
	if (!action_fits(&result, action))
		return arena_printf(&subject->arena, "%s, not %s (%s)", result.action, action,
				    events.why);
	if (strcmp(action, "deliver") == 0) {
		why = check_messages(subject, &result, json_object_get(expect, "messages"));
		if (why)
			return why;
	}
	/* Any refusal that the vector allows: 401 and 403 say the same. */
	verdict_reply(subject, TELCO_SMS, &events, &http, &response);
	if (events.verdict == TELCO_UNAUTHORIZED)
		return NULL;
	return check_reply(subject, &response, json_object_get(expect, "reply"));
}

static void run_inbound_sample(struct tally *tally, const json_t *sample)
{
	const json_t *config = json_object_get(sample, "config");
	struct memory memory = { 0 };
	struct subject subject;
	const char *why;

	if (subject_open(tally, &subject, text_of(sample, "provider"), config, false))
		why = check_sms(&subject, &memory, json_object_get(sample, "request"),
				json_object_get(sample, "expect"), vector_now(config));
	else
		why = subject.error;
	tally_result(tally, text_of(sample, "id"), why);
	free(memory.rows);
	subject_close(&subject);
}

void run_inbound_samples(struct tally *tally, const json_t *samples)
{
	vectors_each(tally, samples, run_inbound_sample);
}

static void run_sequence(struct tally *tally, const json_t *sequence)
{
	const json_t *config = json_object_get(sequence, "config");
	struct memory memory = { 0 };
	struct subject subject;
	char id[128];
	size_t i;
	json_t *step;

	if (!subject_open(tally, &subject, text_of(sequence, "provider"), config, false))
		tally_fail(tally, text_of(sequence, "id"), "%s", subject.error);
	else
		json_array_foreach (json_object_get(sequence, "steps"), i, step) {
			snprintf(id, sizeof(id), "%s step %zu", text_of(sequence, "id"), i + 1);
			tally_result(tally, id,
				     check_sms(&subject, &memory, json_object_get(step, "request"),
					       json_object_get(step, "expect"),
					       vector_now(config)));
		}
	free(memory.rows);
	subject_close(&subject);
}

void run_inbound_sequences(struct tally *tally, const json_t *sequences)
{
	vectors_each(tally, sequences, run_sequence);
}

/* ---- receipts ---- */

static const char *const status_names[] = {
	[REPORT_QUEUED] = "queued",       [REPORT_SENT] = "sent",
	[REPORT_DELIVERED] = "delivered", [REPORT_FAILED] = "failed",
	[REPORT_EXPIRED] = "expired",     [REPORT_REJECTED] = "rejected",
	[REPORT_UNKNOWN] = "unknown",
};
/* Where a message stands after a first report of a status. */
static const enum outbound_state states[] = {
	[REPORT_QUEUED] = OUTBOUND_ACCEPTED,     [REPORT_SENT] = OUTBOUND_SENT,
	[REPORT_DELIVERED] = OUTBOUND_DELIVERED, [REPORT_FAILED] = OUTBOUND_FAILED,
	[REPORT_EXPIRED] = OUTBOUND_EXPIRED,     [REPORT_REJECTED] = OUTBOUND_REJECTED,
	[REPORT_UNKNOWN] = OUTBOUND_ACCEPTED,
};

static const char *check_report(struct subject *subject, const struct report *got,
				const json_t *expected)
{
	const json_t *final = json_object_get(expected, "final");

	if (!same(got->ref, text_of(expected, "ref")))
		return arena_printf(&subject->arena, "ref is \"%s\"", got->ref);
	if (got->own_id != same("own_id", text_of(expected, "ref_kind")))
		return "another kind of ref";
	if (!same(status_names[got->status], text_of(expected, "status")))
		return arena_printf(&subject->arena, "status is %s", status_names[got->status]);
	if (json_is_boolean(final) && outbound_final(states[got->status]) != json_is_true(final))
		return "final differs";
	if (!same(got->code, text_of(expected, "code")))
		return arena_printf(&subject->arena, "code is \"%s\"", got->code);
	return NULL;
}

static const char *check_reports(struct subject *subject, const struct telco_events *events,
				 const json_t *expected)
{
	unsigned count = (unsigned)json_array_size(expected);
	const char *why = NULL;

	if (events->report_count != count)
		return arena_printf(&subject->arena, "%u reports, not %u", events->report_count,
				    count);
	for (unsigned i = 0; i < count && !why; i++)
		why = check_report(subject, &events->reports[i], json_array_get(expected, i));
	return why;
}

static const char *check_dlr(struct subject *subject, const json_t *sample)
{
	const json_t *expect = json_object_get(sample, "expect");
	const char *action = text_of(expect, "action"), *got = "reject", *why;
	struct telco_events events = { .verdict = TELCO_BAD, .why = "the query is broken" };
	struct http_request http;
	struct http_response response;

	if (vector_request(subject, json_object_get(sample, "request"), TELCO_RECEIPT, &http))
		telco_decode(subject->connection, TELCO_RECEIPT, &http,
			     vector_now(json_object_get(sample, "config")), &subject->arena,
			     &events);
	if (events.verdict == TELCO_TAKE)
		got = "report";
	else if (events.verdict == TELCO_IGNORE)
		got = "ignore";
	if (strcmp(got, action) != 0)
		return arena_printf(&subject->arena, "%s, not %s (%s)", got, action, events.why);
	why = check_reports(subject, &events, json_object_get(expect, "reports"));
	if (why)
		return why;
	verdict_reply(subject, TELCO_RECEIPT, &events, &http, &response);
	return check_reply(subject, &response, json_object_get(expect, "reply"));
}

static void run_dlr_sample(struct tally *tally, const json_t *sample)
{
	struct subject subject;
	bool open = subject_open(tally, &subject, text_of(sample, "provider"),
				 json_object_get(sample, "config"), false);

	tally_result(tally, text_of(sample, "id"),
		     open ? check_dlr(&subject, sample) : subject.error);
	subject_close(&subject);
}

void run_dlr_samples(struct tally *tally, const json_t *samples)
{
	vectors_each(tally, samples, run_dlr_sample);
}

static int status_of(const char *name)
{
	for (unsigned i = 0; i < ARRAY_LEN(status_names); i++)
		if (name && strcmp(name, status_names[i]) == 0)
			return (int)i;
	return -1;
}

void run_dlr_order(struct tally *tally, const json_t *cases)
{
	size_t i, j;
	json_t *one, *event;

	json_array_foreach ((json_t *)cases, i, one) {
		enum outbound_state state = OUTBOUND_ACCEPTED;
		int expected = status_of(text_of(one, "expect"));

		json_array_foreach (json_object_get(one, "events"), j, event) {
			int status = status_of(json_string_value(event));

			if (status >= 0)
				state = receipt_apply(state, (enum report_status)status);
		}
		if (expected >= 0 && state == states[expected])
			tally_pass(tally);
		else
			tally_fail(tally, text_of(one, "id"), "ends as %s",
				   outbound_state_name(state));
	}
}
