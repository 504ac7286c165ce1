/* test_phrases.c - the gateway's own texts: each is there in every language and fits. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "gsm7.h"
#include "phrases.h"
#include "words.h"

static const char *const languages[] = { "id", "jv", "en" };
/* As long as the header allows. */
static const struct phrase_holes longest = {
	.office = "Pemerintah Kabupaten Contohan",
	.keywords = "LAPOR, SURVEI, INFO, DAFTAR, PENGUMUMAN, BANJIR, USULAN, CEK",
	.keyword = "PENGUMUMANDESA",
};
static struct arena arena;

static void clear(void)
{
	arena_free(&arena);
}

TestSuite(phrases, .fini = clear);

Test(phrases, each_fits_one_screen_and_two_segments_in_every_language)
{
	for (size_t i = 0; i < ARRAY_LEN(languages); i++) {
		for (enum phrase phrase = 0; phrase < PHRASES; phrase++) {
			struct bytes text = phrase_text(&arena, languages[i], phrase, &longest);
			struct text_size size = gsm7_size(text, NULL, 0);

			cr_expect(size.units > 0, "%s %d is empty", languages[i], (int)phrase);
			cr_expect(eq(int, size.coding, CODING_GSM7), "%s: %s", languages[i],
				  text.data);
			cr_expect(size.units <= gsm7_ussd_room(CODING_GSM7, 182),
				  "%u units, %s: %s", size.units, languages[i], text.data);
			cr_expect(size.segments <= 2, "%s: %s", languages[i], text.data);
		}
	}
}

Test(phrases, have_no_hole_left_open)
{
	for (size_t i = 0; i < ARRAY_LEN(languages); i++) {
		for (enum phrase phrase = 0; phrase < PHRASES; phrase++) {
			struct bytes text = phrase_text(&arena, languages[i], phrase, &longest);

			cr_expect(strpbrk(text.data, "{}") == NULL, "%s", text.data);
			text = phrase_text(&arena, languages[i], phrase, NULL);
			cr_expect(strpbrk(text.data, "{}") == NULL, "%s", text.data);
		}
	}
}

Test(phrases, name_the_office_and_its_keywords)
{
	const struct phrase_holes holes = { .office = "Pemkab Contoh",
					    .keywords = "LAPOR, INFO",
					    .keyword = "LAPOR" };
	const char *help = phrase_text(&arena, "id", PHRASE_HELP, &holes).data;
	const char *same = phrase_text(&arena, "id", PHRASE_SAME_KEYWORD, &holes).data;

	cr_expect(strstr(help, "Pemkab Contoh") && strstr(help, "LAPOR, INFO"), "%s", help);
	cr_expect(eq(
		str, (char *)same,
		"Anda masih di LAPOR. Untuk mulai dari awal, kirim BATAL dulu, lalu LAPOR lagi."));
}

Test(phrases, of_an_unknown_language_are_indonesian)
{
	static const char *const tags[] = { NULL, "", "i", "su", "idx", "ID", "id-ID" };
	const char *indonesian = phrase_text(&arena, "id", PHRASE_BUSY, NULL).data;

	for (size_t i = 0; i < ARRAY_LEN(tags); i++)
		cr_expect(eq(str, (char *)phrase_text(&arena, tags[i], PHRASE_BUSY, NULL).data,
			     (char *)indonesian));
	cr_expect(eq(str, (char *)phrase_text(&arena, "EN-gb", PHRASE_CANCELLED, NULL).data,
		     "Cancelled. Send HELP to see the services."));
	cr_expect(phrase_language_known("jv") && phrase_language_known("id-ID"));
	cr_expect(not(phrase_language_known("su")));
	cr_expect(not(phrase_language_known(NULL)));
}

static void expect_known(const char *word, size_t len)
{
	static const char *const others[] = {
		"SMS", "LANJUT"
	}; /* no command; understood only where a page waits */

	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		if (strlen(others[i]) == len && memcmp(others[i], word, len) == 0)
			return;
	}
	cr_expect(ne(int, words_whole((struct bytes){ word, len }), WORD_NONE), "%.*s", (int)len,
		  word);
}

Test(phrases, ask_only_for_words_that_work)
{
	for (size_t i = 0; i < ARRAY_LEN(languages) * PHRASES; i++) {
		const char *at = phrase_text(&arena, languages[i / PHRASES],
					     (enum phrase)(i % PHRASES), NULL)
					 .data;

		while (*(at += strcspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"))) {
			size_t len = strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");

			if (len > 1)
				expect_known(at, len);
			at += len;
		}
	}
}
