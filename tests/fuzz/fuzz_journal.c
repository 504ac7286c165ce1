/* fuzz_journal.c - any bytes as a stored journal, request or bundle.
 *
 * Input: 'j', 'r' or 'b' (any other is 'j'), then the bytes.
 */
#include "journal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "plugin_bundle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static bool same(struct bytes a, struct bytes b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* The byte behind each text is there, and a NUL. */
static void check_text(struct bytes text)
{
	require(text.data[text.len] == '\0');
}

static void check_event(const struct journal_event *event)
{
	require(event->channel == CHANNEL_SMS || event->channel == CHANNEL_USSD);
	require(event->citizen.language && event->citizen.name && event->citizen.area);
	check_text(event->keyword);
	check_text(event->rest);
	check_text(event->text);
}

/* What was read and is written again is read as the same. */
static void check_again(const struct journal_entry *entry)
{
	struct journal_entry again;
	struct buf buf = { 0 };
	struct bytes journal;
	size_t at = 1;

	if (entry->type == ENTRY_EVENT && entry->event.start) {
		journal_add_event(&buf, &entry->event);
	} else {
		buf_add(&buf, "\1", 1);
		if (entry->type == ENTRY_EVENT)
			journal_add_event(&buf, &entry->event);
		else if (entry->type == ENTRY_BACK)
			journal_add_back(&buf, entry->back_time);
		else
			journal_add_call(&buf, &entry->call);
	}
	require(buf.data[0] == JOURNAL_VERSION);
	journal = (struct bytes){ buf.data, buf.len };
	require(journal_next(&journal, &at, &again) == 1 && at == buf.len &&
		again.type == entry->type);
	if (entry->type == ENTRY_CALL)
		require(again.call.kind == entry->call.kind &&
			again.call.hash == entry->call.hash &&
			same(again.call.shape, entry->call.shape) &&
			same(again.call.results, entry->call.results));
	else if (entry->type == ENTRY_BACK)
		require(again.back_time == entry->back_time);
	else
		require(again.event.time == entry->event.time &&
			again.event.seed == entry->event.seed &&
			again.event.start == entry->event.start &&
			same(again.event.text, entry->event.text));
	buf_free(&buf);
}

/* In order, apart, within the journal. */
static void check_skips(struct bytes journal)
{
	struct arena arena = { 0 };
	struct journal_skip *skips = NULL;
	int count = journal_skips(&arena, journal, &skips);

	for (int i = 0; i < count; i++) {
		require(skips[i].from < skips[i].to && skips[i].to <= journal.len);
		require(i == 0 || skips[i].from >= skips[i - 1].to);
	}
	arena_free(&arena);
}

static void check_journal(struct bytes journal)
{
	struct journal_entry entry;
	struct buf line = { 0 };
	size_t at = 0, before = 0;
	int rc;

	while ((rc = journal_next(&journal, &at, &entry)) == 1) {
		require(at > before && at <= journal.len);
		before = at;
		if (entry.type == ENTRY_EVENT) {
			check_event(&entry.event);
		} else if (entry.type == ENTRY_CALL) {
			require((unsigned)entry.call.kind < REQUEST_KINDS);
			check_text(entry.call.shape);
			check_text(entry.call.results);
		}
		buf_reset(&line);
		journal_describe(&entry, &line);
		require(line.len > 0 && !memchr(line.data, '\n', line.len));
		check_again(&entry);
	}
	require(rc == 0 || rc == -EPROTO);
	check_skips(journal);
	buf_free(&line);
}

static void check_request(struct bytes data)
{
	struct arena arena = { 0 };
	struct request request, again;
	struct buf first = { 0 }, second = { 0 };

	if (request_decode(&arena, data, &request)) {
		require((unsigned)request.kind < REQUEST_KINDS &&
			(unsigned)request.answer <= ANSWER_KINDS - 1);
		require(request.option_count <= 99);
		for (unsigned i = 0; i < request.option_count; i++) {
			check_text(request.options[i]);
			check_text(request.values[i]);
		}
		request_encode(&first, &request);
		require(request_decode(&arena, (struct bytes){ first.data, first.len }, &again));
		request_encode(&second, &again);
		require(same((struct bytes){ first.data, first.len },
			     (struct bytes){ second.data, second.len }));
	}
	buf_free(&first);
	buf_free(&second);
	arena_free(&arena);
}

static void check_bundle(struct bytes content)
{
	struct bundle *bundle = bundle_new(content), *again;
	struct buf buf = { 0 };

	if (!bundle)
		return;
	require(bundle->file_count > 0 && same(bundle->content, content));
	for (unsigned i = 0; i < bundle->file_count; i++)
		check_text(bundle->files[i].source);
	for (unsigned i = 0; i < bundle->setting_count; i++)
		require((unsigned)bundle->settings[i].type <= SETTING_IS_BOOLEAN);
	for (unsigned i = 0; i < bundle->table_count; i++) {
		const struct record_table *table = bundle_table(bundle, bundle->tables[i].name);

		require(table && strcmp(table->name, bundle->tables[i].name) == 0);
		for (unsigned f = 0; f < table->field_count; f++)
			require(table_field(table, table->fields[f].name) != NULL);
	}
	bundle_encode(&buf, bundle);
	again = bundle_new((struct bytes){ buf.data, buf.len });
	require(again && again->file_count == bundle->file_count &&
		again->records == bundle->records);
	require((memcmp(again->hash, bundle->hash, BUNDLE_SIZE) == 0) ==
		same(again->content, bundle->content));
	bundle_unref(again);
	bundle_unref(bundle);
	buf_free(&buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes rest;

	if (size == 0)
		return 0;
	rest = (struct bytes){ (const char *)data + 1, size - 1 };
	if (data[0] == 'r')
		check_request(rest);
	else if (data[0] == 'b')
		check_bundle(rest);
	else
		check_journal(rest);
	return 0;
}
