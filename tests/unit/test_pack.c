/* test_pack.c - values as bytes come back as they were, and broken bytes are zeros and "". */
#include "pack.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct buf buf;

static void clear(void)
{
	buf_free(&buf);
}

TestSuite(pack, .fini = clear);

static struct unpack packed(void)
{
	return unpack_from((struct bytes){ buf.data, buf.len });
}

static const uint64_t numbers[] = {
	0,          1,
	127,        128,
	129,        16383,
	16384,      UINT32_MAX,
	1ULL << 35, (1ULL << 63) - 1,
	1ULL << 63, UINT64_MAX - 1,
	UINT64_MAX,
};

Test(pack, a_number_comes_back_and_a_small_one_is_one_byte)
{
	for (unsigned i = 0; i < ARRAY_LEN(numbers); i++) {
		struct unpack unpack;

		buf_reset(&buf);
		pack_number(&buf, numbers[i]);
		unpack = packed();
		cr_expect_eq(unpack_number(&unpack), numbers[i]);
		cr_expect(unpack_done(&unpack));
		cr_expect_eq(buf.len == 1, numbers[i] < 128, "%zu bytes", buf.len);
		cr_expect_leq(buf.len, 10);
	}
}

Test(pack, a_signed_number_comes_back_and_a_small_one_below_zero_is_one_byte)
{
	static const int64_t rows[] = { 0,         -1,       1,         -64,       63,
					64,        -65,      INT32_MIN, INT32_MAX, INT64_MIN + 1,
					INT64_MIN, INT64_MAX };

	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		struct unpack unpack;

		buf_reset(&buf);
		pack_signed(&buf, rows[i]);
		unpack = packed();
		cr_expect_eq(unpack_signed(&unpack), rows[i]);
		cr_expect(unpack_done(&unpack));
		cr_expect_eq(buf.len == 1, rows[i] >= -64 && rows[i] < 64);
	}
}

Test(pack, a_word_is_eight_bytes_low_ones_first)
{
	struct unpack unpack;

	pack_word(&buf, UINT64_C(0x0123456789ABCDEF));
	cr_expect_eq(buf.len, 8);
	cr_expect_arr_eq(buf.data, "\xEF\xCD\xAB\x89\x67\x45\x23\x01", 8);
	unpack = packed();
	cr_expect_eq(unpack_word(&unpack), UINT64_C(0x0123456789ABCDEF));
	cr_expect(unpack_done(&unpack));
}

Test(pack, a_text_is_lent_with_its_nul_and_null_is_empty)
{
	struct unpack unpack;
	struct bytes out;

	pack_text(&buf, "LAPOR");
	pack_text(&buf, "");
	pack_text(&buf, NULL);
	pack_bytes(&buf, (struct bytes){ "a\0b", 3 });
	unpack = packed();
	out = unpack_bytes(&unpack);
	cr_expect_str_eq(out.data, "LAPOR");
	cr_expect(out.data > buf.data && out.data < buf.data + buf.len, "it is not copied");
	cr_expect_eq(unpack_bytes(&unpack).len, 0);
	cr_expect_eq(unpack_bytes(&unpack).len, 0);
	out = unpack_bytes(&unpack);
	cr_assert_eq(out.len, 3);
	cr_expect_arr_eq(out.data, "a\0b", 4);
	cr_expect(unpack_done(&unpack));
}

/* One of each, in order. */
static void put_all(void)
{
	pack_number(&buf, 300);
	pack_signed(&buf, -300);
	pack_word(&buf, UINT64_MAX);
	pack_text(&buf, "LAPOR jalan rusak");
	pack_number(&buf, 7);
}

struct all {
	uint64_t number, word;
	int64_t sign;
	struct bytes text;
	unsigned count;
};

static struct all take_all(struct unpack *unpack)
{
	struct all all;

	all.number = unpack_number(unpack);
	all.sign = unpack_signed(unpack);
	all.word = unpack_word(unpack);
	all.text = unpack_bytes(unpack);
	all.count = unpack_count(unpack, 7);
	return all;
}

Test(pack, whatever_is_cut_off_is_zero_or_empty_and_found_out)
{
	put_all();
	for (size_t len = 0; len < buf.len; len++) {
		char *exact = malloc(len ? len : 1); /* a read beyond its end is seen */
		struct unpack unpack = unpack_from(
			(struct bytes){ memcpy(exact, buf.data, len), len });
		struct all all = take_all(&unpack);

		cr_expect(unpack.broken && !unpack_done(&unpack), "%zu bytes", len);
		cr_expect(all.number == 300 || all.number == 0);
		cr_expect(all.sign == -300 || all.sign == 0);
		cr_expect(all.word == UINT64_MAX || all.word == 0);
		cr_expect(strcmp(all.text.data, "LAPOR jalan rusak") == 0 ||
			  strcmp(all.text.data, "") == 0);
		cr_expect_eq(all.count, 0, "what is last is missing always");
		free(exact);
	}
}

Test(pack, what_is_left_over_is_not_done)
{
	struct unpack unpack;

	put_all();
	pack_number(&buf, 0);
	unpack = packed();
	cr_expect_eq(take_all(&unpack).count, 7);
	cr_expect(!unpack.broken && !unpack_done(&unpack));
}

Test(pack, a_lying_length_or_a_missing_nul_is_wrong)
{
	static const struct {
		const char *bytes;
		size_t len;
	} rows[] = {
		{ "", 0 },
		{ "\x00", 1 },
		{ "\x01", 1 },
		{ "\x01"
		  "a",
		  2 },
		{ "\x01"
		  "ab",
		  3 },
		{ "\x02"
		  "a\0",
		  3 },
		{ "\x80", 1 },
		{ "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01\0", 11 }, /* 2^64 - 1 */
		{ "\xFE\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01\0", 11 },
		{ "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F\0", 10 }, /* 2^63 - 1 */
	};

	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		char *exact = malloc(rows[i].len ? rows[i].len : 1);
		struct unpack unpack = unpack_from(
			(struct bytes){ memcpy(exact, rows[i].bytes, rows[i].len), rows[i].len });
		struct bytes out = unpack_bytes(&unpack);

		cr_expect(unpack.broken, "row %u", i);
		cr_expect(out.len == 0 && strcmp(out.data, "") == 0, "row %u", i);
		free(exact);
	}
}

Test(pack, a_number_of_more_than_64_bits_is_wrong)
{
	static const char *const rows[] = {
		"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x02", /* 2^64 */
		"\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F",
		"\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01",
		"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80",
	};

	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		struct unpack unpack = unpack_from((struct bytes){ rows[i], strlen(rows[i]) });

		cr_expect_eq(unpack_number(&unpack), 0, "row %u", i);
		cr_expect(unpack.broken, "row %u", i);
	}
}

Test(pack, a_count_above_the_most_is_wrong)
{
	struct unpack unpack;

	pack_number(&buf, 9);
	unpack = packed();
	cr_expect_eq(unpack_count(&unpack, 9), 9);
	unpack = packed();
	cr_expect_eq(unpack_count(&unpack, 8), 0);
	cr_expect(unpack.broken);
	cr_expect_eq(unpack_number(&unpack), 0, "and nothing is read from then on");
	buf_reset(&buf);
	pack_number(&buf, (UINT64_C(1) << 32) + 1); /* 1 as an unsigned */
	unpack = packed();
	cr_expect_eq(unpack_count(&unpack, 8), 0);
	cr_expect(unpack.broken);
}
