/* test_journal.c - journals, requests and bundles come back as they were; cut, flipped or of a later version they are an
 * error or a value, and never more. */
#include "journal.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <lauxlib.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "plugin_bundle.h"
#include "plugin_value.h"

enum { ENTRIES = 6 };

static struct arena arena;
static struct buf buf;
static size_t ends[ENTRIES]; /* of put_journal's entries */

static void clear(void)
{
	arena_free(&arena);
	buf_free(&buf);
}

TestSuite(journal, .fini = clear);
TestSuite(bundle, .fini = clear);

static struct bytes text_of(const char *text)
{
	return (struct bytes){ text, strlen(text) };
}

static struct bytes all(void)
{
	return (struct bytes){ buf.data, buf.len };
}

static bool same(struct bytes a, struct bytes b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* A copy with nothing behind it, so that a read beyond its end is seen; the caller frees. */
static char *exact(struct bytes bytes)
{
	char *copy = malloc(bytes.len ? bytes.len : 1);

	return bytes.len ? memcpy(copy, bytes.data, bytes.len) : copy;
}

/* ---- journals ---- */

static const struct journal_event start = {
	.time = 1795489485,
	.seed = UINT64_C(0xFEDCBA9876543210),
	.citizen = { "jv", "Siti", "35.22.01" },
	.start = true,
	.keyword = { "LAPOR", 5 },
	.rest = { "jalan rusak", 11 },
	.text = { "lapor jalan rusak", 17 },
};
static const struct journal_event later = { .time = -1, .channel = CHANNEL_USSD };
static const struct journal_call asked = { .kind = REQUEST_ASK,
					   .hash = UINT64_MAX,
					   .shape = { "\0\1", 2 },
					   .results = { "\5\3a\0b", 5 } };
static const struct journal_call counted = { .kind = REQUEST_COUNT,
					     .shape = { "", 0 },
					     .results = { "\3\4", 2 } };

static void put_journal(void)
{
	unsigned n = 0;

	journal_add_event(&buf, &start);
	ends[n++] = buf.len;
	journal_add_event(&buf, &later);
	ends[n++] = buf.len;
	journal_add_call(&buf, &asked);
	ends[n++] = buf.len;
	journal_add_call(&buf, &counted);
	ends[n++] = buf.len;
	journal_add_event(&buf, &later);
	ends[n++] = buf.len;
	journal_add_call(&buf, &asked);
	ends[n++] = buf.len;
}

/* Walks to the end and touches all that is given.  What journal_next said last; *at is where. */
static int walk(struct bytes journal, size_t *at, unsigned *entries)
{
	struct journal_entry entry;
	struct buf line = { 0 };
	size_t before;
	int rc;

	*at = 0;
	*entries = 0;
	for (before = 0; (rc = journal_next(&journal, at, &entry)) == 1; before = *at) {
		cr_assert(*at > before && *at <= journal.len);
		++*entries;
		buf_reset(&line);
		journal_describe(&entry, &line);
		cr_expect_gt(line.len, 0);
		if (entry.type == ENTRY_EVENT)
			cr_expect(strlen(entry.event.citizen.language) +
					  strlen(entry.event.citizen.name) +
					  strlen(entry.event.citizen.area) <
				  journal.len);
		else
			cr_expect_lt((unsigned)entry.call.kind, (unsigned)REQUEST_KINDS);
	}
	buf_free(&line);
	return rc;
}

static void expect_event(const struct journal_event *is, const struct journal_event *was)
{
	cr_expect_eq(is->time, was->time);
	cr_expect_eq(is->seed, was->seed);
	cr_expect_eq(is->channel, was->channel);
	cr_expect_eq(is->start, was->start);
	cr_expect_str_eq(is->citizen.language, was->citizen.language ? was->citizen.language : "");
	cr_expect_str_eq(is->citizen.name, was->citizen.name ? was->citizen.name : "");
	cr_expect_str_eq(is->citizen.area, was->citizen.area ? was->citizen.area : "");
	cr_expect(same(is->keyword, was->keyword) && same(is->rest, was->rest) &&
		  same(is->text, was->text));
}

static void expect_call(const struct journal_call *is, const struct journal_call *was)
{
	cr_expect_eq(is->kind, was->kind);
	cr_expect_eq(is->hash, was->hash);
	cr_expect(same(is->shape, was->shape) && same(is->results, was->results));
}

Test(journal, entries_come_back_in_order_and_as_they_were)
{
	struct journal_entry entry;
	struct bytes journal;
	size_t at = 0;

	put_journal();
	journal = all();
	for (unsigned i = 0; i < ENTRIES; i++) {
		cr_assert_eq(journal_next(&journal, &at, &entry), 1, "entry %u", i);
		cr_expect_eq(at, ends[i]);
		if (i == 0 || i == 1 || i == 4) {
			cr_assert_eq(entry.type, ENTRY_EVENT);
			expect_event(&entry.event, i == 0 ? &start : &later);
		} else {
			cr_assert_eq(entry.type, ENTRY_CALL);
			expect_call(&entry.call, i == 3 ? &counted : &asked);
		}
	}
	cr_expect_eq(journal_next(&journal, &at, &entry), 0);
	cr_expect_eq(journal_next(&journal, &at, &entry), 0, "and again");
}

Test(journal, the_first_byte_is_the_version_and_a_later_one_is_refused)
{
	put_journal();
	cr_expect_eq(buf.data[0], JOURNAL_VERSION);
	for (int version = 0; version < 256; version++) {
		struct journal_entry entry;
		size_t at = 0;

		buf.data[0] = (char)version;
		cr_expect_eq(journal_next(&(struct bytes){ buf.data, buf.len }, &at, &entry),
			     version == JOURNAL_VERSION ? 1 : -EPROTO, "version %d", version);
		at = 0;
		cr_expect_eq(journal_next(&(struct bytes){ buf.data, 1 }, &at, &entry),
			     version == JOURNAL_VERSION ? 0 : -EPROTO, "the byte alone: %d",
			     version);
	}
}

/* One entry a letter: S the start, e an event, q an answered question, g a read, b a back. */
static void put_letters(const char *letters, size_t *ends_of)
{
	static const struct journal_event event = { .citizen = { "id", "", "" } };
	struct journal_call call = { .shape = { "", 0 }, .results = { "", 0 } };

	for (unsigned i = 0; letters[i]; i++) {
		call.hash = i;
		call.kind = letters[i] == 'q' ? REQUEST_ASK : REQUEST_GET;
		if (letters[i] == 'S')
			journal_add_event(&buf, &start);
		else if (letters[i] == 'e')
			journal_add_event(&buf, &event);
		else if (letters[i] == 'b')
			journal_add_back(&buf, 1795489485 + (int64_t)i);
		else
			journal_add_call(&buf, &call);
		ends_of[i] = buf.len;
	}
}

Test(journal, a_back_cancels_the_last_answer_that_counts_and_all_behind_it)
{
	/* kept: what replay sees; before: the place of the question that a further back would return to, -1: none. */
	static const struct {
		const char *letters, *kept;
		int count, before;
	} cases[] = {
		{ "S", "S", 0, -1 },
		{ "Sg", "Sg", 0, -1 },
		{ "Seq", "Seq", 0, 2 },
		{ "Seqb", "S", 1, -1 },
		{ "Seqgeqgg", "Seqgeqgg", 0, 5 },
		{ "Seqgeqggb", "Seqg", 1, 2 },
		{ "Seqgeqggbb", "S", 1, -1 },
		{ "Seqgeqggbeq", "Seqgeq", 1, 10 },
		{ "Sgeqbeqeqbb", "Sg", 2, -1 },
		{ "Seqbeqbeq", "Seq", 2, 8 },
		{ "Sb", "", -EPROTO, -1 },
		{ "Sgb", "", -EPROTO, -1 },
		{ "Seqbb", "", -EPROTO, -1 },
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		struct journal_skip *skips = NULL;
		struct journal_call before = { 0 };
		char kept[32] = "";
		size_t ends_of[32];
		int count, skip = 0;

		put_letters(cases[i].letters, ends_of);
		count = journal_skips(&arena, all(), &skips);
		cr_expect_eq(count, cases[i].count, "%s", cases[i].letters);
		for (unsigned k = 0; count >= 0 && cases[i].letters[k]; k++) {
			size_t from = k ? ends_of[k - 1] : 0;

			while (skip < count && skips[skip].to <= from)
				skip++;
			if (skip == count || from < skips[skip].from)
				strncat(kept, &cases[i].letters[k], 1);
		}
		cr_expect_str_eq(kept, cases[i].kept, "%s", cases[i].letters);
		cr_expect_eq(journal_question_before(all(), &before) ? (int)before.hash : -1,
			     cases[i].before, "%s", cases[i].letters);
		buf_reset(&buf);
	}
}

Test(journal, an_empty_one_has_no_entries)
{
	struct bytes none = { "", 0 };
	size_t at;
	unsigned entries;

	cr_expect_eq(walk(none, &at, &entries), 0);
	cr_expect_eq(entries, 0);
}

Test(journal, one_that_is_cut_ends_between_entries_or_is_damaged)
{
	put_journal();
	for (size_t len = 1; len <= buf.len; len++) {
		char *copy = exact((struct bytes){ buf.data, len });
		unsigned entries, whole = 0;
		size_t at;
		bool between = len == 1;

		for (unsigned i = 0; i < ENTRIES && ends[i] <= len; i++) {
			whole++;
			between = between || ends[i] == len;
		}
		cr_expect_eq(walk((struct bytes){ copy, len }, &at, &entries),
			     between ? 0 : -EPROTO, "%zu bytes", len);
		cr_expect_eq(entries, whole, "%zu bytes", len);
		free(copy);
	}
}

Test(journal, a_flipped_byte_gives_an_error_or_a_value)
{
	char *copy;
	unsigned entries, refused = 0;
	size_t at;

	put_journal();
	copy = exact(all());
	for (size_t i = 0; i < buf.len; i++) {
		for (unsigned bit = 0; bit < 9; bit++) {
			copy[i] = (char)(bit < 8 ? buf.data[i] ^ 1 << bit : ~buf.data[i]);
			refused += walk((struct bytes){ copy, buf.len }, &at, &entries) != 0;
			cr_expect_leq(entries, ENTRIES);
		}
		copy[i] = buf.data[i];
	}
	cr_expect_gt(refused, buf.len,
		     "lengths, types, versions and what has bounds are found out");
	free(copy);
}

Test(journal, an_entry_of_an_unknown_type_or_with_more_in_it_is_damaged)
{
	static const char *const rows[] = {
		"\001X\000\000", /* no type of ours */
		"\001E\000\000", /* an event without anything */
		"\001C\000\000", /* a call without anything */
		"\001\000\000\000", "\001E\177", "\001C", "\001",
	};
	static const size_t lens[] = { 4, 4, 4, 4, 3, 2, 1 };

	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		struct journal_entry entry;
		struct bytes journal = { exact((struct bytes){ rows[i], lens[i] }), lens[i] };
		size_t at = 0;

		cr_expect_eq(journal_next(&journal, &at, &entry), lens[i] == 1 ? 0 : -EPROTO,
			     "row %u", i);
		free((char *)journal.data);
	}
}

/* ---- results ---- */

static void push(lua_State *L, unsigned i, struct buf *out)
{
	static const int64_t integers[] = { 0, -1, 1, 63, 64, -64, -65, INT64_MAX, INT64_MIN };
	static const char *const texts[] = { "", "ya", "Jl. Pahlawan \xc3\xa9", "a\0b" };

	if (i < 9) {
		lua_pushinteger(L, integers[i]);
		journal_result_integer(out, integers[i]);
	} else if (i < 13) {
		struct bytes text = { texts[i - 9], i == 12 ? 3 : strlen(texts[i - 9]) };

		lua_pushlstring(L, text.data, text.len);
		journal_result_text(out, text);
	} else if (i < 15) {
		lua_pushboolean(L, i == 14);
		journal_result_boolean(out, i == 14);
	} else {
		lua_pushnil(L);
		journal_result_nil(out);
	}
}

Test(journal, results_have_the_bytes_that_the_value_has_packed)
{
	lua_State *L = luaL_newstate();

	for (unsigned i = 0; i < 16; i++) {
		struct buf packed = { 0 };

		buf_reset(&buf);
		push(L, i, &buf);
		cr_assert_null(value_pack(L, -1, &packed));
		cr_expect(same(all(), (struct bytes){ packed.data, packed.len }), "row %u", i);
		lua_settop(L, 0);
		buf_free(&packed);
	}
	lua_close(L);
}

/* ---- descriptions ---- */

static const char *describe(const struct journal_entry *entry)
{
	buf_reset(&buf);
	journal_describe(entry, &buf);
	return buf.data ? buf.data : "";
}

static const char *describe_result(enum request_kind kind, struct bytes results)
{
	struct journal_entry entry = { .type = ENTRY_CALL,
				       .call = { .kind = kind, .results = results } };

	return describe(&entry);
}

Test(journal, each_entry_has_a_line_for_people)
{
	struct journal_entry entry = { .type = ENTRY_EVENT, .event = start };

	cr_expect_str_eq(describe(&entry), "2026-11-24T03:04:45Z sms began: lapor jalan rusak");
	entry.event = later;
	cr_expect_str_eq(describe(&entry), "1969-12-31T23:59:59Z ussd");
	cr_expect_str_eq(describe_result(REQUEST_ASK, text_of("\5\2ya")), "ask -> \"ya\"");
	cr_expect_str_eq(describe_result(REQUEST_ASK, (struct bytes){ "\0", 1 }), "ask -> nil");
	cr_expect_str_eq(describe_result(REQUEST_CHOOSE, text_of("\3\4")), "choose -> 2");
	cr_expect_str_eq(describe_result(REQUEST_CONFIRM, text_of("\2")), "confirm -> true");
	cr_expect_str_eq(describe_result(REQUEST_CONFIRM, text_of("\1")), "confirm -> false");
	cr_expect_str_eq(describe_result(REQUEST_COUNT, text_of("\3\1")), "count -> -1");
	cr_expect_str_eq(describe_result(REQUEST_GET, text_of("\4\1\1\1\1\1\1\1\1")),
			 "get -> a decimal");
	cr_expect_str_eq(describe_result(REQUEST_FIND, (struct bytes){ "\6\0", 2 }),
			 "find -> a table");
	cr_expect_str_eq(describe_result(REQUEST_INSERT, (struct bytes){ "\0\5\6exists", 9 }),
			 "insert -> nil");
	cr_expect_str_eq(describe_result(REQUEST_ASK, (struct bytes){ "", 0 }), "ask -> nothing");
}

Test(journal, a_line_for_people_is_one_line_whatever_the_citizen_wrote)
{
	struct journal_entry entry = { .type = ENTRY_EVENT, .event = start };

	entry.event.text = text_of("LAPOR\nbau kandang ayam\r\n\x1B[2J\x07");
	describe(&entry);
	for (size_t i = 0; i < buf.len; i++)
		cr_expect(strchr("\n\r\x1B\x07", buf.data[i]) == NULL, "byte %zu of '%s'", i,
			  buf.data);
	describe_result(REQUEST_ASK, text_of("\5\3a\nb"));
	cr_expect_null(strchr(buf.data, '\n'), "'%s'", buf.data);
}

/* What was never set is not zero by chance. */
static __attribute__((noinline)) void soil_the_stack(void)
{
	volatile char stack[4096];

	for (unsigned i = 0; i < sizeof(stack); i++)
		stack[i] = 0x70;
}

Test(journal, a_time_that_no_calendar_has_is_described_too)
{
	static const int64_t times[] = { INT64_MAX,
					 INT64_MIN,
					 INT64_C(67768036191676799),
					 INT64_C(67768036191676800),
					 INT64_C(-67768040609740800),
					 INT64_C(-67768040609740801) };

	for (unsigned i = 0; i < ARRAY_LEN(times); i++) {
		struct journal_entry entry = { .type = ENTRY_EVENT, .event = { .time = times[i] } };
		const char *line;

		soil_the_stack();
		line = describe(&entry);
		cr_expect_geq(strlen(line), strlen(" sms"));
		cr_expect_lt(strlen(line), 40, "'%s'", line);
		cr_expect_str_eq(line + strlen(line) - 4, " sms", "'%s'", line);
	}
}

Test(journal, every_kind_of_request_has_a_name_of_its_own)
{
	for (int kind = REQUEST_NONE; kind < REQUEST_KINDS; kind++)
		for (int other = REQUEST_NONE; other < kind; other++)
			cr_expect_str_neq(request_kind_name((enum request_kind)kind),
					  request_kind_name((enum request_kind)other));
	cr_expect_str_eq(request_kind_name(REQUEST_KINDS), "?");
	cr_expect_str_eq(request_kind_name((enum request_kind) - 1), "?");
}

/* ---- requests ---- */

static struct bytes labels[] = { { "Sangat puas", 11 }, { "Puas", 4 }, { "", 0 } };
static struct bytes values[] = { { "\3\2", 2 }, { "\0", 1 }, { "", 0 } };

static const struct request request = {
	.kind = REQUEST_CHOOSE,
	.hash = UINT64_C(0x8000000000000001),
	.shape = { "\0\0", 2 },
	.text = { "Halo.\nBagaimana?", 16 },
	.prompt = { "Bagaimana?", 10 },
	.answer = ANSWER_CHOICE,
	.optional = true,
	.min = INT64_MIN,
	.max = INT64_MAX,
	.option_count = 3,
	.options = labels,
	.values = values,
	.page = 2,
	.reply_to = { UINT64_MAX, 77 },
	.inputs = { "1*2*", 4 },
	.channel = CHANNEL_USSD,
};

static void expect_request(const struct request *is, const struct request *was)
{
	cr_expect(is->kind == was->kind && is->hash == was->hash && is->answer == was->answer);
	cr_expect(same(is->shape, was->shape) && same(is->text, was->text) &&
		  same(is->prompt, was->prompt));
	cr_expect(is->optional == was->optional && is->min == was->min && is->max == was->max);
	cr_expect(is->page == was->page && is->channel == was->channel &&
		  same(is->inputs, was->inputs));
	cr_expect(is->reply_to.shard == was->reply_to.shard &&
		  is->reply_to.serial == was->reply_to.serial);
	cr_assert_eq(is->option_count, was->option_count);
	for (unsigned i = 0; i < is->option_count; i++)
		cr_expect(same(is->options[i], was->options[i]) &&
			  same(is->values[i], was->values[i]));
}

Test(journal, a_request_comes_back_as_it_was)
{
	struct request out, plain = { .kind = REQUEST_CONFIRM, .answer = ANSWER_PHONE };

	request_encode(&buf, &request);
	cr_assert(request_decode(&arena, all(), &out));
	expect_request(&out, &request);
	buf_reset(&buf);
	request_encode(&buf, &plain);
	cr_assert(request_decode(&arena, all(), &out));
	cr_expect_str_eq(out.text.data, "");
	cr_expect_eq(out.option_count, 0);
	cr_expect_eq(out.kind, REQUEST_CONFIRM);
}

Test(journal, a_request_with_ninety_nine_options_comes_back)
{
	struct bytes many[99];
	struct request all_of_them = request, out;

	for (unsigned i = 0; i < ARRAY_LEN(many); i++)
		many[i] = text_of("x");
	all_of_them.options = all_of_them.values = many;
	all_of_them.option_count = ARRAY_LEN(many);
	request_encode(&buf, &all_of_them);
	cr_assert(request_decode(&arena, all(), &out));
	expect_request(&out, &all_of_them);
}

Test(journal, a_request_that_is_cut_or_longer_or_of_a_later_version_is_refused)
{
	struct request out;

	request_encode(&buf, &request);
	for (size_t len = 0; len < buf.len; len++) {
		char *copy = exact((struct bytes){ buf.data, len });

		cr_expect_not(request_decode(&arena, (struct bytes){ copy, len }, &out),
			      "%zu bytes", len);
		free(copy);
	}
	buf.data[0]++;
	cr_expect_not(request_decode(&arena, all(), &out));
	buf.data[0]--;
	buf_add(&buf, "", 1);
	cr_expect_not(request_decode(&arena, all(), &out));
}

Test(journal, a_request_with_a_flipped_byte_is_refused_or_within_its_bounds)
{
	char *copy;

	request_encode(&buf, &request);
	copy = exact(all());
	for (size_t i = 0; i < buf.len; i++) {
		for (unsigned bit = 0; bit < 9; bit++) {
			struct request out;

			copy[i] = (char)(bit < 8 ? buf.data[i] ^ 1 << bit : ~buf.data[i]);
			if (!request_decode(&arena, (struct bytes){ copy, buf.len }, &out))
				continue;
			cr_expect_lt((unsigned)out.kind, (unsigned)REQUEST_KINDS);
			cr_expect_leq((unsigned)out.answer, (unsigned)ANSWER_KINDS - 1);
			cr_expect_leq((unsigned)out.channel, (unsigned)CHANNEL_USSD);
			cr_assert_leq(out.option_count, 99);
			for (unsigned n = 0; n < out.option_count; n++)
				cr_expect_eq(out.options[n].data[out.options[n].len], '\0');
		}
		copy[i] = buf.data[i];
	}
	free(copy);
}

/* ---- bundles ---- */

static struct bundle_file files[] = { { "survey", { "return {}", 9 } },
				      { "lib.dates", { "", 0 } } };
static struct bundle_setting settings[] = {
	{ .name = "ask", .type = SETTING_IS_BOOLEAN, .integer = 1 },
	{ .name = "limit", .type = SETTING_IS_INTEGER, .integer = -5 },
	{ .name = "office", .type = SETTING_IS_TEXT, .text = { "Balai \"desa\"", 12 } },
	{ .name = "share", .type = SETTING_IS_NUMBER, .number = 0.25 },
};
static struct table_field fields[] = {
	{ "area", FIELD_TEXT, false },
	{ "rating", FIELD_INTEGER, true },
	{ "score", FIELD_NUMBER, true },
	{ "seen", FIELD_BOOLEAN, false },
};
static const char *unique[] = { "citizen", "rating" };
static struct record_table tables[] = {
	{ .name = "answers",
	  .fields = fields,
	  .field_count = 4,
	  .unique = unique,
	  .unique_count = 2 },
	{ .name = "notes", .fields = fields, .field_count = 1 },
};
static const struct bundle whole = {
	.plugin = "survey",
	.files = files,
	.file_count = 2,
	.settings = settings,
	.setting_count = 4,
	.tables = tables,
	.table_count = 2,
	.records = true,
};

Test(bundle, it_comes_back_as_it_was_with_the_hash_of_its_content)
{
	unsigned char hash[BUNDLE_SIZE];
	struct bundle *bundle;

	bundle_encode(&buf, &whole);
	bundle = bundle_new(all());
	cr_assert_not_null(bundle);
	cr_expect(same(bundle->content, all()));
	cr_expect(bundle->content.data != buf.data, "it is copied");
	SHA256((unsigned char *)buf.data, buf.len, hash);
	cr_expect_arr_eq(bundle->hash, hash, BUNDLE_SIZE);
	cr_expect_str_eq(bundle->plugin, "survey");
	cr_expect(bundle->records);
	cr_assert(bundle->file_count == 2 && bundle->setting_count == 4 &&
		  bundle->table_count == 2);
	cr_expect_str_eq(bundle->files[0].source.data, "return {}");
	cr_expect_str_eq(bundle->files[1].name, "lib.dates");
	cr_expect_eq(bundle->settings[0].integer, 1);
	cr_expect_eq(bundle->settings[1].integer, -5);
	cr_expect_str_eq(bundle->settings[2].text.data, "Balai \"desa\"");
	cr_expect_eq(bundle->settings[3].number, 0.25);
	bundle_unref(bundle);
}

Test(bundle, tables_and_fields_are_found_by_name)
{
	const struct record_table *table;
	struct bundle *bundle;

	bundle_encode(&buf, &whole);
	bundle = bundle_new(all());
	table = bundle_table(bundle, "answers");
	cr_assert_not_null(table);
	cr_expect_eq(table_field(table, "score")->type, FIELD_NUMBER);
	cr_expect(table_field(table, "rating")->indexed && !table_field(table, "area")->indexed);
	cr_expect_null(table_field(table, "citizen"));
	cr_assert_eq(table->unique_count, 2);
	cr_expect_str_eq(table->unique[0], "citizen");
	cr_expect_eq(bundle_table(bundle, "notes")->unique_count, 0);
	cr_expect_null(bundle_table(bundle, "answer"));
	bundle_unref(bundle);
}

Test(bundle, the_same_members_give_the_same_bytes_and_any_other_member_others)
{
	struct bundle other = whole;
	struct buf again = { 0 };

	bundle_encode(&buf, &whole);
	bundle_encode(&again, &whole);
	cr_expect(same(all(), (struct bytes){ again.data, again.len }));
	other.records = false;
	buf_reset(&again);
	bundle_encode(&again, &other);
	cr_expect_not(same(all(), (struct bytes){ again.data, again.len }));
	buf_free(&again);
}

Test(bundle, it_lives_as_long_as_anyone_refers_to_it)
{
	struct bundle *bundle;

	bundle_encode(&buf, &whole);
	bundle = bundle_new(all());
	cr_expect_eq(bundle_ref(bundle), bundle);
	bundle_unref(bundle);
	cr_expect_str_eq(bundle->plugin, "survey");
	bundle_unref(bundle);
	bundle_unref(NULL);
}

Test(bundle, one_that_is_cut_or_longer_or_of_a_later_form_or_has_no_file_is_refused)
{
	struct bundle none = whole;

	bundle_encode(&buf, &whole);
	for (size_t len = 0; len < buf.len; len++) {
		char *copy = exact((struct bytes){ buf.data, len });

		cr_expect_null(bundle_new((struct bytes){ copy, len }), "%zu bytes", len);
		free(copy);
	}
	buf.data[0]++;
	cr_expect_null(bundle_new(all()));
	buf.data[0]--;
	buf_add(&buf, "", 1);
	cr_expect_null(bundle_new(all()));
	buf_reset(&buf);
	none.file_count = 0;
	bundle_encode(&buf, &none);
	cr_expect_null(bundle_new(all()));
}

Test(bundle, one_that_is_too_large_is_refused)
{
	static char source[BUNDLE_CONTENT_MAX];
	struct bundle_file large = { "survey", { source, sizeof(source) } };
	struct bundle bundle = { .plugin = "survey", .files = &large, .file_count = 1 };

	memset(source, ' ', sizeof(source));
	bundle_encode(&buf, &bundle);
	cr_expect_null(bundle_new(all()));
}

Test(bundle, one_with_a_flipped_byte_is_refused_or_within_its_bounds)
{
	char *copy;

	bundle_encode(&buf, &whole);
	copy = exact(all());
	for (size_t i = 0; i < buf.len; i++) {
		for (unsigned bit = 0; bit < 9; bit++) {
			struct bundle *bundle;

			copy[i] = (char)(bit < 8 ? buf.data[i] ^ 1 << bit : ~buf.data[i]);
			bundle = bundle_new((struct bytes){ copy, buf.len });
			if (!bundle)
				continue;
			cr_expect_gt(bundle->file_count, 0);
			for (unsigned n = 0; n < bundle->setting_count; n++)
				cr_expect_leq((unsigned)bundle->settings[n].type,
					      (unsigned)SETTING_IS_BOOLEAN);
			cr_expect_null(bundle_table(bundle, "no such"));
			bundle_unref(bundle);
		}
		copy[i] = buf.data[i];
	}
	free(copy);
}
