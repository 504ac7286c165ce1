/* test_record.c - records as JSON: members are replaced, numbers added, and what is no record of ours is refused. */
#include <criterion/criterion.h>
#include <string.h>

#include "record.h"

static struct bytes bytes_of(const char *text)
{
	return (struct bytes){ text, strlen(text) };
}

Test(record, a_merge_replaces_adds_and_keeps_the_rest_in_order)
{
	static const struct {
		const char *old, *changes, *merged;
	} rows[] = {
		{ "{}", "{}", "{}" },
		{ "{}", "{\"a\":1}", "{\"a\":1}" },
		{ "{\"a\":1}", "{}", "{\"a\":1}" },
		{ "{\"a\":1}", "{\"a\":\"x\"}", "{\"a\":\"x\"}" },
		{ "{\"b\":1.50,\"d\":true}", "{\"a\":1,\"c\":2,\"e\":3}",
		  "{\"a\":1,\"b\":1.50,\"c\":2,\"d\":true,\"e\":3}" },
		{ "{\"a\":1,\"a1\":2,\"a_\":3}", "{\"a1\":4}", "{\"a\":1,\"a1\":4,\"a_\":3}" },
		{ "{\"a\":\"}\\\\\\\",b\",\"b\":\"\\u0001\"}", "{\"c\":false}",
		  "{\"a\":\"}\\\\\\\",b\",\"b\":\"\\u0001\",\"c\":false}" },
	};

	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf out = { 0 };

		cr_expect(record_merge(bytes_of(rows[i].old), bytes_of(rows[i].changes), &out));
		cr_expect_str_eq(out.data, rows[i].merged, "line %u: %s", i, out.data);
		buf_free(&out);
	}
}

/* Every beginning of a record, and other things, in memory of exactly their size. */
Test(record, what_is_no_record_is_refused)
{
	static const char whole[] = "{\"a\":\"x\\\"\",\"b\":12}";
	static const char *const wrong[] = { "1",          "[]",
					     "{} ",        "{\"a\"}",
					     "{\"a\":}",   "{\"a\":1,}",
					     "{\"a\":1}}", "{\"a\":1\"b\":2}",
					     "{a:1}",      "{\"a\",:1}" };
	struct record_value value;
	struct buf out = { 0 };

	for (size_t len = 0; len < sizeof(whole) - 1; len++) {
		char *cut = xmalloc(len + 1);

		memcpy(cut, whole, len);
		cut = xrealloc(cut, len > 0 ? len : 1);
		cr_expect_not(record_merge((struct bytes){ cut, len }, bytes_of("{}"), &out));
		cr_expect_not(record_merge(bytes_of("{}"), (struct bytes){ cut, len }, &out));
		cr_expect_not(record_number((struct bytes){ cut, len }, "b", &value));
		free(cut);
	}
	for (unsigned i = 0; i < ARRAY_LEN(wrong); i++)
		cr_expect_not(record_merge(bytes_of(wrong[i]), bytes_of("{}"), &out), "%s",
			      wrong[i]);
	buf_free(&out);
}

Test(record, numbers_are_read_by_their_type)
{
	struct bytes json = bytes_of("{\"a\":-12,\"b\":2.5,\"c\":\"7\",\"d\":true,\"e\":1e+20}");
	struct record_value value;

	cr_assert(record_number(json, "a", &value));
	cr_expect(value.type == RECORD_INTEGER && value.integer == -12);
	cr_assert(record_number(json, "b", &value));
	cr_expect(value.type == RECORD_REAL && value.real == 2.5);
	cr_assert(record_number(json, "e", &value));
	cr_expect(value.type == RECORD_REAL && value.real == 1e20);
	cr_assert(record_number(json, "c", &value));
	cr_expect_eq(value.type, RECORD_TEXT);
	cr_assert(record_number(json, "d", &value));
	cr_expect_eq(value.type, RECORD_TEXT);
	cr_assert(record_number(json, "f", &value));
	cr_expect_eq(value.type, RECORD_NULL);
}

static struct record_value integer(int64_t value)
{
	return (struct record_value){ .type = RECORD_INTEGER, .integer = value };
}

static struct record_value real(double value)
{
	return (struct record_value){ .type = RECORD_REAL, .real = value };
}

/* The sum as JSON, or what stands for none. */
static void expect_sum(struct record_value number, struct record_value by, struct record_value min,
		       struct record_value max, const char *text)
{
	struct record_write write = { .increment = { "n", by, min, max } };
	struct record_value sum;
	struct buf out = { 0 };

	if (record_sum(&number, &write, &sum))
		record_add_number(&out, "n", &sum);
	else
		buf_addstr(&out, "none");
	cr_expect_str_eq(out.data, text);
	buf_free(&out);
}

Test(record, sums_keep_their_type_and_their_bounds)
{
	const struct record_value none = { .type = RECORD_NULL }, text = { .type = RECORD_TEXT };

	expect_sum(none, integer(3), none, none, "{\"n\":3}");
	expect_sum(none, real(3), none, none, "{\"n\":3.0}");
	expect_sum(text, integer(3), none, none, "none");
	expect_sum(integer(4), integer(-6), none, none, "{\"n\":-2}");
	expect_sum(integer(4), real(0.5), none, none, "{\"n\":4.5}");
	expect_sum(real(1.5), integer(1), none, none, "{\"n\":2.5}");
	expect_sum(real(1e20), integer(0), none, none, "{\"n\":1e+20}");
	expect_sum(integer(INT64_MIN), integer(-1), none, none, "none");
	expect_sum(integer(INT64_MAX - 1), integer(1), none, integer(INT64_MAX),
		   "{\"n\":9223372036854775807}");
	expect_sum(integer(INT64_MAX - 1), integer(1), none, integer(INT64_MAX - 1), "none");
	expect_sum(integer(1), integer(1), integer(3), none, "none");
	expect_sum(integer(2), integer(1), integer(3), integer(3), "{\"n\":3}");
	expect_sum(integer(2), integer(1), none, real(2.5), "none");
	expect_sum(real(-1e308), real(-1e308), none, none, "none");
}
