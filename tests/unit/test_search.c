/* test_search.c - rows are found by words that are misspelt, shortened, joined, or in another order; nothing costs too much. */
#include "search.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "search_priv.h"
#include "search_table.h"

static const char *const rows[] = {
	"Desa Kalitidu Kecamatan Kalitidu",
	"SD Negeri Kalitidu 1",
	"SD Negeri Kalitidu 2",
	"SMP Negeri 1 Kalitidu",
	"Desa Sukorejo Kecamatan Parengan",
	"Desa Sukoharjo Kecamatan Kalitidu",
	"RSUD Sosodoro Djatikoesoemo",
	"Puskesmas Kali Tengah",
	"Pembangunan Saluran Drainase Jalan Veteran Dusun Mojo Desa Sumberejo Tahap II",
	"Rehabilitasi Gedung Balai Desa Sumberejo",
	"Dinas Ketahanan Pangan dan Perikanan",
	"DKPP Kabupaten Lamongan",
	"MTs Ma'arif Nurul Huda",
	"Kafé Résidence, São João",
	"Posyandu Sumber Agung",
	"Jl. Panglima Sudirman No. 05",
	"مدرسة النور",
};

static struct search *search;
static struct search_room *room;

static void build(const char *const *texts, size_t count)
{
	search_free(search);
	search = search_new();
	for (size_t i = 0; i < count; i++)
		search_add(search, (struct bytes){ texts[i], strlen(texts[i]) });
	search_end(search);
}

static void set_up(void)
{
	build(rows, ARRAY_LEN(rows));
	room = search_room_new();
}

static void tear_down(void)
{
	search_free(search);
	search_room_free(room);
}

TestSuite(search, .init = set_up, .fini = tear_down);

static unsigned find(const char *text, struct search_found *found, unsigned most)
{
	return search_find(search, room, (struct bytes){ text, strlen(text) }, found, most);
}

static void expect_first(const char *text, const char *wanted)
{
	struct search_found found[3];
	unsigned count = find(text, found, 3);

	cr_expect(count > 0 && strcmp(rows[found[0].row], wanted) == 0, "'%s' is '%s' %u", text,
		  count > 0 ? rows[found[0].row] : "nothing", count > 0 ? found[0].score : 0);
}

struct pair {
	const char *text, *wanted;
};

static void expect_all(const struct pair *pairs, size_t count)
{
	for (size_t i = 0; i < count; i++)
		expect_first(pairs[i].text, pairs[i].wanted);
}

Test(search, each_row_is_found_by_its_own_words_with_nearly_all_points)
{
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		struct search_found found[1];

		cr_assert(eq(u32, find(rows[i], found, 1), 1), "%s", rows[i]);
		cr_expect(eq(u32, found[0].row, i), "%s", rows[i]);
		cr_expect(ge(u32, found[0].score, 97), "%s", rows[i]);
	}
}

Test(search, misspelt_words_are_understood)
{
	const struct pair pairs[] = {
		{ "desa sukorjo", rows[4] },
		{ "deas suokrejo kecmatan parenggan", rows[4] },
		{ "sukohajro", rows[5] },
		{ "pustesmas kalo tengha", rows[7] },
		{ "pembagunan drainse veteram", rows[8] },
		{ "rehabiltsai balia dessa sumbrejo", rows[9] },
		{ "djatikoesuemo", rows[6] },
		{ "ketahanan pagnan prikanan", rows[10] },
	};

	expect_all(pairs, ARRAY_LEN(pairs));
}

Test(search, words_may_come_in_any_order_or_be_missing)
{
	const struct pair pairs[] = {
		{ "2 kalitidu negeri sd", rows[2] },
		{ "kalitidu 2", rows[2] },
		{ "tahap 2 mojo", rows[8] },
		{ "veteran drainase", rows[8] },
		{ "kalitidu smp", rows[3] },
		{ "mohon info alamat posyandu di sumber agung terima kasih", rows[14] },
	};

	expect_all(pairs, ARRAY_LEN(pairs));
}

Test(search, abbreviations_are_what_they_stand_for)
{
	const struct pair pairs[] = {
		{ "sdn kalitidu 2", rows[2] },
		{ "SDN2 KALITIDU", rows[2] },
		{ "S.D.N. Kalitidu II", rows[2] },
		{ "sekolah dasar negeri kalitidu 2", rows[2] },
		{ "smpn 1 kalitidu", rows[3] },
		{ "rumah sakit umum daerah", rows[6] },
		{ "rs sosodoro", rows[6] },
		{ "ds. sukorejo kec. parengan", rows[4] },
		{ "pemb. drainase jln veteran", rows[8] },
		{ "pkm kali tengah", rows[7] },
		{ "pskms kl tgh", rows[7] },
		{ "rhbltsi gdng balai ds sumberejo", rows[9] },
		{ "dinas kpp", rows[10] },
		{ "jalan panglima sudirman nomor 5", rows[15] },
		{ "pangl. sudirm", rows[15] },
		{ "sumb agung", rows[14] },
	};

	expect_all(pairs, ARRAY_LEN(pairs));
}

Test(search, words_may_be_joined_or_parted)
{
	const struct pair pairs[] = {
		{ "kali tidu kali tidu desa", rows[0] },
		{ "puskesmas kalitengah", rows[7] },
		{ "sumberagung", rows[14] },
		{ "sdnkalitidu 2", rows[2] },
		{ "suko rejo", rows[4] },
		{ "suko rjo parengan", rows[4] },
	};

	expect_all(pairs, ARRAY_LEN(pairs));
}

Test(search, case_accents_and_apostrophes_do_not_matter)
{
	const struct pair pairs[] = {
		{ "maarif", rows[12] },
		{ "MTS MA’ARIF", rows[12] },
		{ "kafe residence sao joao", rows[13] },
		{ "ＫＡＬＩ　ＴＥＮＧＡＨ", rows[7] },
		{ "مدرسه النور", rows[16] },
	};

	expect_all(pairs, ARRAY_LEN(pairs));
}

Test(search, what_is_not_there_is_not_found)
{
	static const char *const texts[] = {
		"", "   ", "...", "zzzzzz", "xyzzy", "123456", "\xF0\x9F\x98\x80", "qqq www xxx"
	};
	struct search_found found[5];

	for (unsigned i = 0; i < ARRAY_LEN(texts); i++)
		cr_expect(eq(u32, find(texts[i], found, 5), 0), "'%s'", texts[i]);
}

Test(search, an_index_without_rows_or_words_gives_nothing)
{
	static const char *const empty[] = { "", "-", "  " };
	struct search_found found[5];

	build(empty, 0);
	cr_expect(eq(u32, find("desa", found, 5), 0));
	build(empty, 3);
	cr_expect(eq(u32, find("desa", found, 5), 0));
}

Test(search, of_equal_rows_the_earlier_is_first_and_no_more_come_than_asked_for)
{
	static const char *const equal[] = { "Desa Turi", "Desa Turi", "Desa Turi", "Desa Turi" };
	struct search_found found[5];

	build(equal, 4);
	cr_assert(eq(u32, find("turi", found, 3), 3));
	for (uint32_t i = 0; i < 3; i++)
		cr_expect(eq(u32, found[i].row, i));
	cr_expect(eq(u32, find("turi", found, 5), 4));
}

Test(search, edits_are_counted_as_damerau_does)
{
	static const struct {
		const char *one, *other;
		unsigned edits;
	} table[] = {
		{ "kalitidu", "kalitidu", 0 },
		{ "kalitidu", "kalitdu", 1 },
		{ "kalitidu", "kalitiddu", 1 },
		{ "kalitidu", "kalitiku", 1 },
		{ "kalitidu", "klaitidu", 1 },
		{ "kalitidu", "klaitiud", 2 },
		{ "tirto", "tiropt", 2 },
		{ "tiropt", "tirto", 2 },
		{ "angbu", "abnu", 2 },
		{ "kalitidu", "xalixixu", 3 },
		{ "a", "abcd", 3 },
		{ "", "ab", 2 },
	};

	for (unsigned i = 0; i < ARRAY_LEN(table); i++) {
		uint32_t one[WORD_BYTES], other[WORD_BYTES];
		unsigned one_len = search_letters(table[i].one, (unsigned)strlen(table[i].one),
						  one);
		unsigned other_len = search_letters(table[i].other,
						    (unsigned)strlen(table[i].other), other);

		cr_expect(
			eq(u32, search_distance(one, one_len, other, other_len, 2), table[i].edits),
			"%s %s", table[i].one, table[i].other);
	}
}

Test(search, abbreviations_are_in_order_and_stand_for_words)
{
	for (unsigned i = 0; i < search_short_count; i++) {
		struct search_token words[8];
		const char *text = search_shorts[i].words;
		unsigned count = search_tokens((struct bytes){ text, strlen(text) }, false, words,
					       8);

		cr_expect(i == 0 || strcmp(search_shorts[i - 1].word, search_shorts[i].word) < 0,
			  "%s", search_shorts[i].word);
		for (unsigned w = 0; w < count; w++)
			cr_expect_null(search_abbreviation(words[w].text), "%s stands for %s",
				       search_shorts[i].word, words[w].text);
	}
}

/* ---- what a query may cost ---- */

static double cpu_ms(void)
{
	struct timespec at;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
	return (double)at.tv_sec * 1e3 + (double)at.tv_nsec / 1e6;
}

/* The least of some runs: what else the machine does isn't the query's. */
static double cost_of(const char *text)
{
	struct search_found found[5];
	double least = 1e9;

	for (int run = 0; run < 5; run++) {
		double before = cpu_ms(), cost;

		(void)find(text, found, 5);
		cost = cpu_ms() - before;
		least = cost < least ? cost : least;
	}
	return least;
}

Test(search, a_query_is_bounded_whatever_the_rows_are)
{
	/* Sanitizers and other builds take a multiple; without bounds these would take a hundredfold. */
	const double most_ms = 40;
	static const char *const texts[] = {
		"aaaaaaa aaaaaab aaaaaba aaaabaa aaabaaa aabaaaa abaaaaa baaaaaa aaaaaac aaaaaca",
		"desa desa desa desa desa desa desa desa desa desa desa desa desa desa desa desa",
		"a b c d e f g h i j k l m n o p",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	};
	char text[200];
	unsigned number = 0;

	search_free(search);
	search = search_new();
	for (unsigned i = 0; i < 50000; i++) {
		char word[10] = "aaaaaaaa";

		for (unsigned at = 0, n = number++; at < 8; at++, n /= 3)
			word[at] = (char)('a' + n % 3);
		snprintf(text, sizeof(text), "desa %s %s a b c d e f g h i j k l m n o p", word,
			 word + 1);
		search_add(search, (struct bytes){ text, strlen(text) });
	}
	search_end(search);
	for (unsigned i = 0; i < ARRAY_LEN(texts); i++)
		cr_expect(lt(dbl, cost_of(texts[i]), most_ms), "%s", texts[i]);
}

Test(search, a_long_text_is_cut)
{
	char *text = xmalloc(100001);
	struct search_found found[1];

	memset(text, 'x', 100000);
	memcpy(text, "desa sukorejo ", 14);
	text[100000] = '\0';
	cr_assert(eq(u32, find(text, found, 1), 1));
	cr_expect(eq(u32, found[0].row, 4));
	free(text);
}
