/* journal.c - the bytes of journals and requests.
 *
 * A journal lives as long as its dialog, over every upgrade of the program: its first byte is the version, and a
 * program that does not know the version refuses the journal rather than guess.
 */
#include "journal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pack.h"

enum { REQUEST_VERSION = 1, OPTIONS_MAX = 99 };

const char *request_kind_name(enum request_kind kind)
{
	static const char *const names[] = {
		[REQUEST_NONE] = "none",           [REQUEST_ASK] = "ask",
		[REQUEST_CHOOSE] = "choose",       [REQUEST_CONFIRM] = "confirm",
		[REQUEST_INSERT] = "insert",       [REQUEST_GET] = "get",
		[REQUEST_FIND] = "find",           [REQUEST_COUNT] = "count",
		[REQUEST_MORE] = "more",           [REQUEST_UPDATE] = "update",
		[REQUEST_INCREMENT] = "increment", [REQUEST_LOOKUP] = "lookup",
	};

	return (unsigned)kind < ARRAY_LEN(names) ? names[kind] : "?";
}

bool request_is_question(enum request_kind kind)
{
	return kind == REQUEST_ASK || kind == REQUEST_CHOOSE || kind == REQUEST_CONFIRM;
}

bool request_is_write(enum request_kind kind)
{
	return kind == REQUEST_INSERT || kind == REQUEST_UPDATE || kind == REQUEST_INCREMENT;
}

/* ---- journals ---- */

/* Wraps an entry: its type, its length, what it holds. */
static void put_entry(struct buf *buf, char type, const struct buf *body)
{
	buf_add(buf, &type, 1);
	pack_bytes(buf, (struct bytes){ body->data, body->len });
}

void journal_add_event(struct buf *buf, const struct journal_event *event)
{
	static const char version = JOURNAL_VERSION;
	struct buf body = { 0 };

	if (event->start)
		buf_add(buf, &version, 1);
	pack_signed(&body, event->time);
	pack_word(&body, event->seed);
	pack_number(&body, event->channel);
	pack_text(&body, event->citizen.language);
	pack_text(&body, event->citizen.name);
	pack_text(&body, event->citizen.area);
	pack_number(&body, event->start);
	if (event->start) {
		pack_bytes(&body, event->keyword);
		pack_bytes(&body, event->rest);
		pack_bytes(&body, event->text);
	}
	put_entry(buf, ENTRY_EVENT, &body);
	buf_free(&body);
}

void journal_add_call(struct buf *buf, const struct journal_call *call)
{
	struct buf body = { 0 };

	pack_number(&body, call->kind);
	pack_word(&body, call->hash);
	pack_bytes(&body, call->shape);
	pack_bytes(&body, call->results);
	put_entry(buf, ENTRY_CALL, &body);
	buf_free(&body);
}

void journal_add_back(struct buf *buf, int64_t time)
{
	struct buf body = { 0 };

	pack_signed(&body, time);
	put_entry(buf, ENTRY_BACK, &body);
	buf_free(&body);
}

/* The tags of plugin_value.c's form. */
enum tag { TAG_NIL, TAG_FALSE, TAG_TRUE, TAG_INTEGER, TAG_FLOAT, TAG_TEXT, TAG_TABLE };

void journal_result_nil(struct buf *buf)
{
	pack_number(buf, TAG_NIL);
}

void journal_result_boolean(struct buf *buf, bool value)
{
	pack_number(buf, value ? TAG_TRUE : TAG_FALSE);
}

void journal_result_integer(struct buf *buf, int64_t value)
{
	pack_number(buf, TAG_INTEGER);
	pack_signed(buf, value);
}

void journal_result_list(struct buf *buf, unsigned count)
{
	pack_number(buf, TAG_TABLE);
	pack_number(buf, count);
}

void journal_result_real(struct buf *buf, double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	pack_number(buf, TAG_FLOAT);
	pack_word(buf, bits);
}

void journal_result_text(struct buf *buf, struct bytes text)
{
	pack_number(buf, TAG_TEXT);
	pack_number(buf, text.len);
	buf_add(buf, text.data, text.len);
}

static void take_event(struct unpack *reader, struct journal_event *out)
{
	*out = (struct journal_event){ .keyword = { "", 0 }, .rest = { "", 0 }, .text = { "", 0 } };
	out->time = unpack_signed(reader);
	out->seed = unpack_word(reader);
	out->channel = (enum channel)unpack_count(reader, CHANNEL_USSD);
	out->citizen.language = unpack_bytes(reader).data;
	out->citizen.name = unpack_bytes(reader).data;
	out->citizen.area = unpack_bytes(reader).data;
	out->start = unpack_count(reader, 1);
	if (out->start) {
		out->keyword = unpack_bytes(reader);
		out->rest = unpack_bytes(reader);
		out->text = unpack_bytes(reader);
	}
}

static void take_call(struct unpack *reader, struct journal_call *out)
{
	out->kind = (enum request_kind)unpack_count(reader, REQUEST_KINDS - 1);
	out->hash = unpack_word(reader);
	out->shape = unpack_bytes(reader);
	out->results = unpack_bytes(reader);
}

int journal_next(const struct bytes *journal, size_t *at, struct journal_entry *out)
{
	const unsigned char *data = (const unsigned char *)journal->data;
	struct unpack reader = { data + *at, data + journal->len, false }, body;

	if (*at == 0 && journal->len > 0 && *reader.at++ != JOURNAL_VERSION)
		return -EPROTO;
	if (reader.at == reader.end)
		return 0;
	out->type = *reader.at++;
	body = unpack_from(unpack_bytes(&reader));
	if (out->type == ENTRY_EVENT)
		take_event(&body, &out->event);
	else if (out->type == ENTRY_CALL)
		take_call(&body, &out->call);
	else if (out->type == ENTRY_BACK)
		out->back_time = unpack_signed(&body);
	else
		body.broken = true;
	if (reader.broken || !unpack_done(&body))
		return -EPROTO;
	*at = (size_t)(reader.at - data);
	return 1;
}

/* ---- what backs cancel ---- */

/* The answers that count, in order: where the event of each begins, and its call. */
struct answers {
	struct answered {
		size_t from;
		struct journal_call call;
	} * items; /* owned */
	unsigned count, room;
	struct journal_skip *skips; /* owned */
	unsigned skip_count, skip_room;
};

static void add_answer(struct answers *answers, size_t from, const struct journal_call *call)
{
	if (answers->count == answers->room) {
		answers->room = answers->room ? 2 * answers->room : 16;
		answers->items = xrealloc(answers->items, answers->room * sizeof(*answers->items));
	}
	answers->items[answers->count++] = (struct answered){ from, *call };
}

/* Up to `to` nothing counts from the last answer on; skips in between are within this one. */
static bool cancel_last(struct answers *answers, size_t to)
{
	size_t from;

	if (answers->count == 0)
		return false;
	from = answers->items[--answers->count].from;
	while (answers->skip_count > 0 && answers->skips[answers->skip_count - 1].from >= from)
		answers->skip_count--;
	if (answers->skip_count == answers->skip_room) {
		answers->skip_room = answers->skip_room ? 2 * answers->skip_room : 4;
		answers->skips = xrealloc(answers->skips,
					  answers->skip_room * sizeof(*answers->skips));
	}
	answers->skips[answers->skip_count++] = (struct journal_skip){ from, to };
	return true;
}

/* An answer is a question's call right behind the event that brought it. */
static bool read_answers(struct bytes journal, struct answers *answers)
{
	struct journal_entry entry;
	size_t at = 0, begin = 0, event_at = 0;
	bool behind_event = false;
	int rc;

	for (; (rc = journal_next(&journal, &at, &entry)) == 1; begin = at) {
		if (entry.type == ENTRY_BACK && !cancel_last(answers, at))
			return false;
		if (entry.type == ENTRY_CALL && behind_event &&
		    request_is_question(entry.call.kind))
			add_answer(answers, event_at, &entry.call);
		behind_event = entry.type == ENTRY_EVENT;
		if (behind_event)
			event_at = begin;
	}
	return rc == 0;
}

static void answers_free(struct answers *answers)
{
	free(answers->items);
	free(answers->skips);
}

int journal_skips(struct arena *arena, struct bytes journal, struct journal_skip **out)
{
	struct answers answers = { 0 };
	int count = -EPROTO;

	if (read_answers(journal, &answers)) {
		count = (int)answers.skip_count;
		*out = NULL; /* mostly there are none, and a run keeps the arena */
		if (count > 0) {
			*out = arena_alloc(arena, answers.skip_count * sizeof(**out));
			memcpy(*out, answers.skips, answers.skip_count * sizeof(**out));
		}
	}
	answers_free(&answers);
	return count;
}

bool journal_question_before(struct bytes journal, struct journal_call *out)
{
	struct answers answers = { 0 };
	bool found = read_answers(journal, &answers) && answers.count > 0;

	if (found)
		*out = answers.items[answers.count - 1].call;
	answers_free(&answers);
	return found;
}

/* ---- requests ---- */

void request_encode(struct buf *buf, const struct request *request)
{
	pack_number(buf, REQUEST_VERSION);
	pack_number(buf, request->kind);
	pack_word(buf, request->hash);
	pack_bytes(buf, request->shape);
	pack_bytes(buf, request->text);
	pack_bytes(buf, request->prompt);
	pack_number(buf, request->answer);
	pack_number(buf, request->optional);
	pack_number(buf, request->random);
	pack_signed(buf, request->min);
	pack_signed(buf, request->max);
	pack_number(buf, request->option_count);
	for (unsigned i = 0; i < request->option_count; i++) {
		pack_bytes(buf, request->options[i]);
		pack_bytes(buf, request->values[i]);
	}
	pack_number(buf, request->back);
	pack_number(buf, request->page);
	pack_word(buf, request->reply_to.shard);
	pack_signed(buf, request->reply_to.serial);
	pack_bytes(buf, request->inputs);
	pack_number(buf, request->channel);
}

bool request_decode(struct arena *arena, struct bytes data, struct request *out)
{
	struct unpack reader = unpack_from(data);

	*out = (struct request){ 0 };
	if (unpack_number(&reader) != REQUEST_VERSION)
		return false;
	out->kind = (enum request_kind)unpack_count(&reader, REQUEST_KINDS - 1);
	out->hash = unpack_word(&reader);
	out->shape = unpack_bytes(&reader);
	out->text = unpack_bytes(&reader);
	out->prompt = unpack_bytes(&reader);
	out->answer = (enum answer_kind)unpack_count(&reader, ANSWER_KINDS - 1);
	out->optional = unpack_count(&reader, 1);
	out->random = unpack_count(&reader, 1);
	out->min = unpack_signed(&reader);
	out->max = unpack_signed(&reader);
	out->option_count = unpack_count(&reader, OPTIONS_MAX);
	out->options = arena_alloc(arena, (out->option_count + 1) * sizeof(*out->options));
	out->values = arena_alloc(arena, (out->option_count + 1) * sizeof(*out->values));
	for (unsigned i = 0; i < out->option_count; i++) {
		out->options[i] = unpack_bytes(&reader);
		out->values[i] = unpack_bytes(&reader);
	}
	out->back = (enum request_back)unpack_count(&reader, BACK_BARRED);
	out->page = unpack_count(&reader, 10000);
	out->reply_to.shard = unpack_word(&reader);
	out->reply_to.serial = unpack_signed(&reader);
	out->inputs = unpack_bytes(&reader);
	out->channel = (enum channel)unpack_count(&reader, CHANNEL_USSD);
	return unpack_done(&reader);
}

/* ---- for people ---- */

static void describe_time(struct buf *out, int64_t seconds)
{
	time_t time = (time_t)seconds;
	char text[32];
	struct tm tm;

	if (!gmtime_r(&time, &tm) || strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		buf_addf(out, "%" PRId64, seconds);
	else
		buf_addstr(out, text);
}

/* On one line. */
static void describe_text(struct buf *out, struct bytes text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.data[i];

		buf_add(out, c < 0x20 || c == 0x7F ? " " : text.data + i, 1);
	}
}

/* The first of packed values, where it is plain (plugin_value.c has the format). */
static void describe_value(struct buf *out, struct bytes packed)
{
	struct unpack reader = unpack_from(packed);
	struct bytes text;
	uint64_t n;

	switch (unpack_number(&reader)) {
	case TAG_NIL:
		buf_addstr(out, reader.broken ? "nothing" : "nil");
		break;
	case TAG_FALSE:
		buf_addstr(out, "false");
		break;
	case TAG_TRUE:
		buf_addstr(out, "true");
		break;
	case TAG_INTEGER:
		buf_addf(out, "%" PRId64, unpack_signed(&reader));
		break;
	case TAG_FLOAT:
		buf_addstr(out, "a decimal");
		break;
	case TAG_TEXT:
		n = unpack_number(&reader);
		text = (struct bytes){ (const char *)reader.at, (size_t)n };
		if (reader.broken || n > (uint64_t)(reader.end - reader.at))
			break;
		buf_add(out, "\"", 1);
		describe_text(out, text);
		buf_add(out, "\"", 1);
		break;
	default:
		buf_addstr(out, "a table");
		break;
	}
}

void journal_describe(const struct journal_entry *entry, struct buf *out)
{
	if (entry->type == ENTRY_CALL) {
		buf_addf(out, "%s -> ", request_kind_name(entry->call.kind));
		describe_value(out, entry->call.results);
		return;
	}
	if (entry->type == ENTRY_BACK) {
		describe_time(out, entry->back_time);
		buf_addstr(out, " back to the question before");
		return;
	}
	describe_time(out, entry->event.time);
	buf_addf(out, entry->event.channel == CHANNEL_USSD ? " ussd" : " sms");
	if (!entry->event.start)
		return;
	buf_addstr(out, " began: ");
	describe_text(out, entry->event.text);
}
