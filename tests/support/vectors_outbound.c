/* vectors_outbound.c - mt-samples: a message to the request that sends it, and answers to
 * outcomes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vectors.h"

/* ---- the message ---- */

/* The vectors' ids are UUIDs, ours are the same 32 digits without dashes. */
static struct id message_id(const char *uuid)
{
	char digits[ID_TEXT_SIZE] = "", high[17] = "";
	size_t n = 0;

	for (; uuid && *uuid && n < ID_TEXT_SIZE - 1; uuid++)
		if (*uuid != '-')
			digits[n++] = *uuid;
	memcpy(high, digits, 16);
	return (struct id){ strtoull(high, NULL, 16),
			    (int64_t)strtoull(n > 16 ? digits + 16 : "1", NULL, 16) };
}

static const char *recipients(struct arena *arena, const json_t *to)
{
	const char *all = "";
	size_t i;
	json_t *one;

	if (json_is_string(to))
		return arena_strdup(arena, json_string_value(to));
	json_array_foreach ((json_t *)to, i, one)
		all = arena_printf(arena, "%s%s%s", all, i ? "," : "", json_string_value(one));
	return all;
}

static const char *meta_text(struct arena *arena, const json_t *meta)
{
	char *text = json_is_object(meta) ? json_dumps(meta, JSON_COMPACT) : NULL;
	const char *copy = text ? arena_strdup(arena, text) : "";

	free(text);
	return copy;
}

static struct outbound make_message(struct arena *arena, const json_t *message)
{
	const json_t *text = json_object_get(message, "text");
	const char *from = text_of(message, "from");

	return (struct outbound){
		.id = message_id(text_of(message, "id")),
		.citizen = recipients(arena, json_object_get(message, "to")),
		.connection = "v1",
		.from = from ? from : "",
		.meta = meta_text(arena, json_object_get(message, "meta")),
		.text = { json_string_value(text), json_string_length(text) },
		.provider_id = "",
		.note = "",
		.code = "",
	};
}

/* ---- the request ---- */

struct comparison {
	struct tally *tally;
	struct arena *arena;
	const char *uuid;      /* the vector's id of the message */
	char id[ID_TEXT_SIZE]; /* the same as we write it */
};

static const char *replace(struct arena *arena, const char *text, const char *from, const char *to)
{
	const char *at = from && from[0] ? strstr(text, from) : NULL;

	if (!at)
		return text;
	return arena_printf(arena, "%.*s%s%s", (int)(at - text), text, to,
			    replace(arena, at + strlen(from), from, to));
}

/* "@signature NAME" stands for an entry of signatures.json. */
static const char *expected_text(struct comparison *c, const char *text)
{
	if (strncmp(text, "@signature ", 11) != 0)
		return text;
	text = text_of(json_object_get(c->tally->signatures, text + 11), "signature");
	return text ? text : "";
}

static bool same_text(struct comparison *c, struct bytes got, const char *expected)
{
	const char *ours;

	expected = expected_text(c, expected);
	ours = replace(c->arena, expected, c->uuid, c->id);
	return (got.len == strlen(expected) && memcmp(got.data, expected, got.len) == 0) ||
	       (got.len == strlen(ours) && memcmp(got.data, ours, got.len) == 0);
}

static bool same_hex(struct bytes got, const char *hex)
{
	char two[3];

	if (strlen(hex) != 2 * got.len)
		return false;
	for (size_t i = 0; i < got.len; i++) {
		snprintf(two, sizeof(two), "%02x", (unsigned char)got.data[i]);
		if (strncasecmp(two, hex + 2 * i, 2) != 0)
			return false;
	}
	return true;
}

/* Every item is expected, and every expected one is there. */
static const char *check_items(struct comparison *c, const struct http_fields *got,
			       const json_t *expected, const json_t *hex)
{
	for (unsigned i = 0; i < got->count; i++) {
		const struct http_field *item = &got->items[i];
		const char *text = text_of(expected, item->name), *bytes = text_of(hex, item->name);

		if (!text && !bytes)
			return arena_printf(c->arena, "%s is not expected", item->name);
		if (text ? !same_text(c, item->value, text) : !same_hex(item->value, bytes))
			return arena_printf(c->arena, "%s is \"%.*s\"", item->name,
					    (int)item->value.len, item->value.data);
	}
	if (got->count != json_object_size(expected) + json_object_size(hex))
		return arena_printf(c->arena, "%u items, not %zu", got->count,
				    json_object_size(expected) + json_object_size(hex));
	return NULL;
}

static const char *check_form(struct comparison *c, const char *text, size_t len,
			      const json_t *expected, const json_t *hex, const char *what)
{
	struct http_fields items = { 0 };
	const char *why;

	if (len > 0 && !http_parse_form(c->arena, text, len, &items))
		return arena_printf(c->arena, "the %s can't be decoded", what);
	why = check_items(c, &items, expected, hex);
	return why ? arena_printf(c->arena, "%s: %s", what, why) : NULL;
}

static const char *check_url(struct comparison *c, const struct http_call *call,
			     const json_t *request)
{
	const char *query = strchr(call->url, '?'),
		   *expected = expected_text(c, text_of(request, "url"));
	size_t base = query ? (size_t)(query - call->url) : strlen(call->url);

	if (strcmp(call->method, text_of(request, "method")) != 0)
		return arena_printf(c->arena, "method is %s", call->method);
	if (strcmp(call->url, expected) == 0)
		return NULL;
	if (base != strlen(expected) || strncmp(call->url, expected, base) != 0)
		return arena_printf(c->arena, "url is %s", call->url);
	return check_form(c, query ? query + 1 : "", query ? strlen(query + 1) : 0,
			  json_object_get(request, "query"),
			  json_object_get(request, "query_bytes_hex"), "query");
}

static const char *check_headers(struct comparison *c, const struct http_call *call,
				 const json_t *expected)
{
	const char *name;
	json_t *value;

	json_object_foreach ((json_t *)expected, name, value) {
		const struct http_field *got = http_field(&call->headers, name, true);

		if (!got || !same_text(c, got->value, json_string_value(value)))
			return arena_printf(c->arena, "header %s is %s", name,
					    got ? got->value.data : "missing");
	}
	return NULL;
}

/* Texts anywhere in the expected JSON may name the message. */
static json_t *with_our_id(struct comparison *c, const json_t *value)
{
	char *text = json_dumps(value, JSON_ENCODE_ANY);
	json_t *result = json_loads(replace(c->arena, text, c->uuid, c->id), JSON_DECODE_ANY, NULL);

	free(text);
	return result;
}

static const char *check_json(struct comparison *c, struct bytes body, const json_t *expected)
{
	json_t *got = json_loadb(body.data, body.len, JSON_DECODE_ANY, NULL),
	       *ours = with_our_id(c, expected);
	bool ok = json_equal(got, expected) || json_equal(got, ours);

	json_decref(got);
	json_decref(ours);
	return ok ? NULL : arena_printf(c->arena, "body is %.*s", (int)body.len, body.data);
}

static const char *check_body(struct comparison *c, const struct http_call *call,
			      const json_t *request)
{
	const json_t *form = json_object_get(request, "form"),
		     *json = json_object_get(request, "json");
	const char *body = text_of(request, "body");

	if (form)
		return check_form(c, call->body.data, call->body.len, form, NULL, "form");
	if (json)
		return check_json(c, call->body, json);
	if (body)
		return same_text(c, call->body, body)
			       ? NULL
			       : arena_printf(c->arena, "body is %.*s", (int)call->body.len,
					      call->body.data);
	return call->body.len == 0 ? NULL : "there is a body";
}

static const char *check_request(struct tally *tally, struct subject *subject, const json_t *sample)
{
	const json_t *json = json_object_get(sample, "message"),
		     *request = json_object_get(sample, "request");
	struct outbound message = make_message(&subject->arena, json);
	struct comparison c = { tally, &subject->arena, text_of(json, "id"), "" };
	struct http_call call;
	const char *why;

	id_format(message.id, c.id);
	if (telco_encode(subject->connection, &message,
			 vector_now(json_object_get(sample, "config")), &subject->arena,
			 &call) != 0)
		return "can't be sent";
	why = check_url(&c, &call, request);
	if (!why)
		why = check_headers(&c, &call, json_object_get(request, "headers"));
	return why ? why : check_body(&c, &call, request);
}

/* ---- the answers ---- */

static const char *const outcome_names[] = {
	[OUTCOME_ACCEPTED] = "accepted",   [OUTCOME_PARTIAL] = "partial",
	[OUTCOME_PERMANENT] = "permanent", [OUTCOME_TEMPORARY] = "temporary",
	[OUTCOME_THROTTLED] = "throttled", [OUTCOME_INSUFFICIENT_FUNDS] = "insufficient_funds",
	[OUTCOME_AUTH] = "auth",           [OUTCOME_CONFIG] = "config",
	[OUTCOME_UNKNOWN] = "unknown",
};

static void make_result(struct arena *arena, const json_t *response, struct http_result *out)
{
	const json_t *headers = json_object_get(response, "headers"),
		     *body = json_object_get(response, "body");
	const char *name;
	json_t *value;

	*out = (struct http_result){
		.left = true, .status = (int)json_integer_value(json_object_get(response, "status"))
	};
	out->headers.items = arena_alloc(arena, (json_object_size(headers) + 1) *
							sizeof(*out->headers.items));
	json_object_foreach ((json_t *)headers, name, value)
		out->headers.items[out->headers.count++] = (struct http_field){
			name, { json_string_value(value), json_string_length(value) }
		};
	out->body = (struct bytes){ json_is_string(body) ? json_string_value(body) : "",
				    json_string_length(body) };
}

static const char *check_outcome(struct subject *subject, const json_t *one)
{
	const json_t *expect = json_object_get(one, "expect"),
		     *retry = json_object_get(expect, "retry_after_ms");
	const char *id = text_of(expect, "provider_id"), *code = text_of(expect, "code");
	struct arena *arena = &subject->arena;
	struct telco_outcome outcome;
	struct http_result result;

	make_result(arena, json_object_get(one, "response"), &result);
	telco_outcome(subject->connection, &result, arena, &outcome);
	if (strcmp(outcome_names[outcome.kind], text_of(expect, "outcome")) != 0)
		return arena_printf(arena, "outcome is %s", outcome_names[outcome.kind]);
	if (strcmp(outcome.provider_id, id ? id : "") != 0)
		return arena_printf(arena, "provider_id is \"%s\"", outcome.provider_id);
	if (strcmp(outcome.code, code ? code : "") != 0)
		return arena_printf(arena, "code is \"%s\"", outcome.code);
	if (outcome.opted_out != json_is_true(json_object_get(expect, "opt_out")))
		return "opt_out differs";
	if (json_is_integer(retry) && json_integer_value(retry) != outcome.retry_after_ms)
		return arena_printf(arena, "retry_after_ms is %lld",
				    (long long)outcome.retry_after_ms);
	return NULL;
}

static void run_sample(struct tally *tally, const json_t *sample)
{
	struct subject subject;
	const char *id = text_of(sample, "id");
	char name[160];
	size_t i;
	json_t *response;

	if (!subject_open(
		    tally, &subject, text_of(sample, "provider"), json_object_get(sample, "config"),
		    json_is_true(json_object_get(json_object_get(sample, "message"), "smart")))) {
		tally_fail(tally, id, "%s", subject.error);
		subject_close(&subject);
		return;
	}
	tally_result(tally, id, check_request(tally, &subject, sample));
	json_array_foreach (json_object_get(sample, "responses"), i, response) {
		snprintf(name, sizeof(name), "%s answer %s", id, text_of(response, "id"));
		tally_result(tally, name, check_outcome(&subject, response));
	}
	subject_close(&subject);
}

void run_mt_samples(struct tally *tally, const json_t *samples)
{
	vectors_each(tally, samples, run_sample);
}
