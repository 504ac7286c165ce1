/* test_utf8.c - bytes from outside become valid text; folding. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "utf8.h"

static struct arena arena;

static void clear(void)
{
	arena_free(&arena);
}

TestSuite(utf8, .fini = clear);

static char *clean(const char *raw, size_t len, size_t max, bool *cut)
{
	struct bytes out = utf8_clean(&arena, (struct bytes){ raw, len }, max, cut);

	cr_expect(utf8_valid(out.data, out.len));
	cr_expect(eq(chr, out.data[out.len], '\0'));
	return (char *)out.data;
}

static char *fold(const char *text)
{
	return (char *)utf8_fold(&arena, (struct bytes){ text, strlen(text) }).data;
}

Test(utf8, broken_sequences_become_one_replacement_each)
{
	static const struct {
		const char *raw, *text;
	} cases[] = {
		{ "\xff", "\ufffd" },
		{ "a\x80"
		  "b",
		  "a\ufffd"
		  "b" },
		{ "\xc0\xaf", "\ufffd\ufffd" }, /* a long form of '/' */
		{ "\xe0\x80\xaf", "\ufffd\ufffd\ufffd" },
		{ "\xed\xa0\x80", "\ufffd\ufffd\ufffd" },           /* a surrogate */
		{ "\xf4\x90\x80\x80", "\ufffd\ufffd\ufffd\ufffd" }, /* above U+10FFFF */
		{ "\xf5\x80", "\ufffd\ufffd" },
		{ "\xe2\x82", "\ufffd" }, /* cut off */
		{ "\xe2\x82x", "\ufffdx" },
		{ "\xf0\x9f\x98", "\ufffd" },
		{ "\xf0\x9f\x98\x80\xc3", "\U0001f600\ufffd" },
		{ "\xc3\xc3\xa9", "\ufffd\u00e9" },
		{ "abcdefgh\xffijklmnopq", "abcdefgh\ufffdijklmnopq" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		bool cut = true;

		cr_expect(not(utf8_valid(cases[i].raw, strlen(cases[i].raw))));
		cr_expect(eq(str, clean(cases[i].raw, strlen(cases[i].raw), 100, &cut),
			     (char *)cases[i].text));
		cr_expect(not(cut));
	}
}

Test(utf8, nul_is_replaced_but_valid)
{
	bool cut;

	cr_expect(utf8_valid("a\0b", 3));
	cr_expect(eq(str, clean("a\0b", 3, 100, &cut),
		     "a\ufffd"
		     "b"));
	cr_expect(eq(str, clean("", 0, 100, &cut), ""));
}

Test(utf8, a_text_is_cut_behind_so_many_characters)
{
	static const char *const texts[] = { "abcdefghijkl", "\u00e9\u00e9\u00e9\u00e9",
					     "\xff\xff\xff\xff", "ab\377cd", "abc" };
	static const char *const kept[] = { "abc", "\u00e9\u00e9\u00e9", "\ufffd\ufffd\ufffd",
					    "ab\ufffd", "abc" };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		bool cut;

		cr_expect(eq(str, clean(texts[i], strlen(texts[i]), 3, &cut), (char *)kept[i]));
		cr_expect(eq(int, cut, i != 4), "%s", texts[i]);
		cr_expect(eq(str, clean(texts[i], strlen(texts[i]), 0, &cut), ""));
		cr_expect(cut);
	}
}

Test(utf8, what_is_cleaned_is_a_copy)
{
	char raw[] = "LAPOR jalan rusak";
	bool cut;
	char *text = clean(raw, strlen(raw), 100, &cut);

	raw[0] = 'X';
	cr_expect(eq(str, text, "LAPOR jalan rusak"));
}

Test(utf8, each_character_is_read)
{
	struct bytes text = { "a\u00e9\u20ac\U0001f600", 10 };
	static const uint32_t points[] = { 'a', 0xe9, 0x20ac, 0x1f600 };
	size_t at = 0;

	for (size_t i = 0; i < ARRAY_LEN(points); i++)
		cr_expect(eq(u32, utf8_next(text, &at), points[i]));
	cr_expect(eq(sz, at, text.len));
	cr_expect(eq(sz, utf8_length(text), 4));
}

Test(utf8, utf16_with_lone_halves_and_an_odd_byte_is_read)
{
	static const struct {
		const char *raw;
		size_t len;
		const char *text;
	} cases[] = {
		{ "\0H\x20\xac", 4, "H\u20ac" },
		{ "\xd8\x3d\xde\x00", 4, "\U0001f600" },
		{ "\xd8\x3d\0a", 4,
		  "\ufffd"
		  "a" },
		{ "\xde\x00\0a", 4,
		  "\ufffd"
		  "a" },
		{ "\xd8\x3d", 2, "\ufffd" },
		{ "\xd8\x3d\xde", 3, "\ufffd\ufffd" },
		{ "\0a\0", 3, "a\ufffd" },
		{ "", 0, "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		cr_expect(eq(str,
			     (char *)utf8_from_utf16be(&arena,
						       (struct bytes){ cases[i].raw, cases[i].len })
				     .data,
			     (char *)cases[i].text));
}

Test(utf8, latin1_is_read)
{
	cr_expect(eq(str, (char *)utf8_from_latin1(&arena, (struct bytes){ "a\xe9\xff", 3 }).data,
		     "a\u00e9\u00ff"));
	cr_expect(eq(str, (char *)utf8_from_latin1(&arena, (struct bytes){ "", 0 }).data, ""));
}

Test(utf8, folding_makes_what_reads_alike_alike)
{
	static const struct {
		const char *text, *folded;
	} cases[] = {
		{ "  LAPOR \t\r\n Jalan  ", "lapor jalan" },
		{ "", "" },
		{ " \n ", "" },
		{ "a\x01\x7f"
		  "b",
		  "ab" },
		{ "ＬＡＰＯＲ　１２", "lapor 12" },
		{ "\u0661\u06f2\ua9d3", "123" },
		{ "STO\u200bP\u202e \u00ad!", "stop !" },
		{ "Cafe\u0301 \u00c9", "caf\u00e9 \u00e9" },
		{ "Stra\u00dfe", "strasse" },
		{ "\u00a0a\u2003\u2028b\u00a0", "a b" },
		{ "a\xc2\x85"
		  "b",
		  "a b" },
		{ "\u200b", "" },
		{ "\ufb01", "fi" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		cr_expect(eq(str, fold(cases[i].text), (char *)cases[i].folded));
}
