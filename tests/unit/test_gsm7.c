/* test_gsm7.c - the alphabet both ways, segments, substitution, packing; the vectors of the
 * codecs. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <string.h>

#include "csv.h"
#include "gsm7.h"
#include "gsm7_table.h"
#include "vectors_text.h"

static struct arena arena;

static void clear(void)
{
	arena_free(&arena);
}

TestSuite(gsm7, .fini = clear);

static struct bytes text_of(const char *text)
{
	return (struct bytes){ text, strlen(text) };
}

static struct bytes repeated(const char *what, unsigned times)
{
	struct buf buf = { 0 };
	struct bytes out;

	while (times-- > 0)
		buf_addstr(&buf, what);
	out = arena_bytes(&arena, buf.data, buf.len);
	buf_free(&buf);
	return out;
}

static char *smart(const char *text, bool optional)
{
	struct bytes out = gsm7_smart(&arena, text_of(text), optional);

	return arena_memdup(&arena, out.data, out.len);
}

Test(gsm7, all_vectors_of_the_codecs_pass)
{
	unsigned failed, passed = vectors_text_run(csv_path(""), &failed);

	cr_expect(eq(u32, failed, 0));
	cr_expect(gt(u32, passed, 900), "%u vectors were found in %s", passed, csv_path(""));
}

Test(gsm7, both_ways_of_the_table_agree)
{
	for (unsigned septet = 0; septet < 128; septet++) {
		uint32_t point = gsm7_default[septet];

		if (septet == GSM7_ESCAPE)
			continue;
		if (point < 256)
			cr_expect(eq(u32, gsm7_latin[point], septet));
		else
			cr_expect(eq(u32, gsm7_greek[point - GSM7_GREEK_FIRST], septet));
	}
	for (unsigned i = 0; i + 1 < gsm7_extension_count; i++) {
		uint32_t point = gsm7_extensions[i].point;
		unsigned code = point < 256 ? gsm7_latin[point] : GSM7_EURO_CODE;

		cr_expect(eq(u32, code, GSM7_EXTENDED | gsm7_extensions[i].septet));
	}
}

Test(gsm7, substitutes_are_in_order_and_in_the_alphabet)
{
	const struct gsm7_substitute *const lists[] = { gsm7_safe, gsm7_optional };
	const unsigned counts[] = { gsm7_safe_count, gsm7_optional_count };

	for (unsigned i = 0; i < 2; i++) {
		for (unsigned k = 0; k < counts[i]; k++) {
			const struct gsm7_substitute *row = &lists[i][k];

			cr_expect(le(u32, row->first, row->last));
			cr_expect(k == 0 || lists[i][k - 1].last < row->first, "U+%04X",
				  row->first);
			cr_expect(eq(int, gsm7_size(text_of(row->text), NULL, 0).coding,
				     CODING_GSM7));
		}
	}
}

Test(gsm7, ends_of_segments_keep_pairs_whole)
{
	size_t ends[4];
	struct bytes text = repeated("\u20ac", 153); /* three bytes, two septets each */
	struct text_size size = gsm7_size(text, ends, ARRAY_LEN(ends));

	cr_expect(eq(u32, size.segments, 3));
	cr_expect(eq(sz, ends[0], 76 * 3));
	cr_expect(eq(sz, ends[1], 152 * 3));
	cr_expect(eq(sz, ends[2], text.len));
}

Test(gsm7, more_segments_than_room_for_their_ends_are_still_counted)
{
	size_t ends[2] = { 0, 0 };
	struct text_size size = gsm7_size(repeated("a", 1000), ends, 1);

	cr_expect(eq(u32, size.segments, 7));
	cr_expect(eq(sz, ends[0], 153));
	cr_expect(eq(sz, ends[1], 0));
	gsm7_size(text_of("abc"), ends, 2);
	cr_expect(eq(sz, ends[0], 3));
}

Test(gsm7, substitution_changes_nothing_where_the_whole_does_not_become_gsm7)
{
	static const char *const texts[] = {
		"",           "Halo",   "[€] Ç é à\n", "“\u0928” – x", "a\r\nb \u044f",
		"3 \u2260 4", "\u226e", "\u20a6500",   "\uac01",
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct bytes text = text_of(texts[i]), out = gsm7_smart(&arena, text, false);

		cr_expect(out.data == text.data && out.len == text.len, "%s", texts[i]);
	}
}

Test(gsm7, substitution_takes_typography_accents_and_line_ends)
{
	static const struct {
		const char *text, *plain;
	} cases[] = {
		{ "“Halo” – it’s…", "\"Halo\" - it's..." },
		{ "a\r\nb\rc\n", "a\nb\nc\n" },
		{ "cafe\u0301 A\u030a", "café Å" },
		{ "çÇáàñõ", "cÇaàño" },
		{ "Đặng Văn", "Dang Van" },
		{ "a\u2066b\u2069c\u061c", "abc" },
		{ "\u1e9b\u01ff", "sø" },
		{ "\u0301x", "x" },
		{ "\u00a0\u3000\t", "   " },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		cr_expect(eq(str, smart(cases[i].text, false), (char *)cases[i].plain));
	cr_expect(eq(str, smart("₦500 ≠ ½", true), "NGN500 != 1/2"));
}

Test(gsm7, encoding_says_what_it_cannot)
{
	unsigned char septets[4];

	cr_expect(eq(long, gsm7_encode(text_of("a€"), septets, 4), 3));
	cr_expect(eq(long, gsm7_encode(text_of("a€"), septets, 2), -ENOSPC));
	cr_expect(eq(long, gsm7_encode(text_of("`"), septets, 4), -EILSEQ));
	cr_expect(eq(long, gsm7_encode(text_of(""), septets, 0), 0));
	cr_expect(eq(long, gsm7_encode(text_of("a"), septets, 0), -ENOSPC));
}

Test(gsm7, decoding_gives_something_for_any_septets)
{
	static const struct {
		const char *septets;
		size_t count;
		const char *text;
	} cases[] = {
		{ "\x1b", 1, "" }, /* an escape with nothing behind it */
		{ "\x1b\x65", 2, "€" },
		{ "\x1b\x41", 2, "A" }, /* not in the extension: the default alphabet's */
		{ "\x1b\x0d.", 3, "." },
		{ "\x1b\x1b"
		  "e",
		  3, " e" },
		{ "a\x80\xff", 3, "a\ufffd\ufffd" },
		{ "\x1b\x80", 2, "\ufffd" },
		{ "", 0, "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct bytes text = gsm7_decode(&arena, (const unsigned char *)cases[i].septets,
						cases[i].count);

		cr_expect(
			eq(str, arena_memdup(&arena, text.data, text.len), (char *)cases[i].text));
	}
	cr_expect(eq(str, (char *)gsm7_decode(&arena, (const unsigned char *)"\0\x02", 2).data,
		     "@$"));
}

/* All counts, all fills: what was packed comes back, and with USSD nothing more. */
Test(gsm7, packing_comes_back)
{
	unsigned char septets[64], octets[64], back[80];

	for (size_t count = 0; count < sizeof(septets); count++) {
		for (unsigned i = 0; i < 8; i++) {
			bool ussd = i == 7; /* nothing goes before a USSD string */
			unsigned fill = i % 7;
			size_t len, got;

			for (size_t k = 0; k < count; k++)
				septets[k] = (unsigned char)((k * 37 + count) & 0x7f);
			if (count > 0 && septets[count - 1] == 0x0d)
				septets[count - 1] = 'x';
			len = gsm7_pack(septets, count, fill, ussd, octets);
			cr_expect(le(sz, len, (count * 7 + fill + 7) / 8 + ussd));
			got = gsm7_unpack(octets, len, fill, ussd, back);
			cr_expect(got == count || (!ussd && got == count + 1),
				  "%zu of %zu, fill %u", got, count, fill);
			cr_expect(memcmp(septets, back, count) == 0);
		}
	}
}

Test(gsm7, a_ussd_text_that_ends_in_cr_comes_back)
{
	unsigned char septets[24], octets[24], back[32];

	memset(septets, 'a', sizeof(septets));
	for (size_t count = 1; count < sizeof(septets); count++) {
		size_t len;

		if (count % 8 ==
		    7) /* there the filler makes a second CR, and a reader shows one of them */
			continue;
		septets[count - 1] = 0x0d;
		len = gsm7_pack(septets, count, 0, true, octets);
		cr_expect(eq(sz, gsm7_unpack(octets, len, 0, true, back), count));
		septets[count - 1] = 'a';
	}
}

Test(gsm7, a_ussd_screen_holds_what_160_octets_hold)
{
	static const struct {
		unsigned chars, gsm7, ucs2;
	} cases[] = {
		{ 182, 182, 80 }, { 200, 182, 80 }, { 160, 160, 70 }, { 140, 140, 61 }, { 0, 0, 0 }
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cr_expect(eq(u32, gsm7_ussd_room(CODING_GSM7, cases[i].chars), cases[i].gsm7));
		cr_expect(eq(u32, gsm7_ussd_room(CODING_UCS2, cases[i].chars), cases[i].ucs2));
	}
}
