/* test_spell.c - what slips of the thumb cost, as a table, and words that only look alike. */
#include "spell.h"

#include <criterion/criterion.h>
#include <string.h>

Test(spell, what_a_thumb_does_costs_less_than_what_nothing_explains)
{
	static const struct {
		const char *word, *meant;
		unsigned cost;
	} rows[] = {
		{ "lapor", "lapor", 0 },
		{ "lap0r", "lapor", 2 },
		{ "1apor", "lapor", 2 },
		{ "iapor", "lapor", 2 },
		{ "lapoor", "lapor", 3 },
		{ "lapooor", "lapor", 6 },
		{ "kapor", "lapor", 5 },
		{ "japor", "lapor", 5 },
		{ "lbpor", "lapor", 5 },
		{ "laqor", "lapor", 5 },
		{ "lapnr", "lapor", 5 },
		{ "lapoq", "lapor", 5 },
		{ "lapr", "lapor", 5 },
		{ "lpr", "lapor", 10 },
		{ "laopr", "lapor", 6 },
		{ "alpor", "lapor", 6 },
		{ "lspor", "lapor", 6 },
		{ "lapir", "lapor", 6 },
		{ "inpo", "info", 6 },
		{ "unrek", "unreg", 6 },
		{ "lapiyr", "lapor", 17 },
		{ "laspor", "lapor", 7 },
		{ "lapar", "lapor", 8 },
		{ "laor", "lapor", 10 },
		{ "lapork", "lapor", 11 },
		{ "lapora", "lapor", 8 },
		{ "lpoar", "lapor", 13 },
		{ "laxor", "lapor", 12 },
		{ "", "", 0 },
		{ "", "a", 10 },
		{ "a", "", 8 },
	};

	for (unsigned i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect_eq(spell_cost(rows[i].word, rows[i].meant, 100), rows[i].cost,
			     "%s for %s costs %u, not %u", rows[i].word, rows[i].meant,
			     spell_cost(rows[i].word, rows[i].meant, 100), rows[i].cost);
}

Test(spell, what_costs_more_than_the_most_is_far)
{
	cr_expect_eq(spell_cost("kapor", "lapor", 5), 5);
	cr_expect_eq(spell_cost("kapor", "lapor", 4), SPELL_FAR);
	cr_expect_eq(spell_cost("laopr", "lapor", 6), 6); /* a swap reaches over a row */
	cr_expect_eq(spell_cost("laporan", "lapor", spell_room(5)), SPELL_FAR);
	cr_expect_eq(spell_cost("aaaaaaaaaaaaaaaaaaaaaaaaa", "a", 200), SPELL_FAR); /* too long */
	cr_expect_eq(spell_cost("a", "aaaaaaaaaaaaaaaaaaaaaaaaa", 200), SPELL_FAR);
}

Test(spell, a_long_word_may_be_mistyped_more_than_a_short_one)
{
	cr_expect_eq(spell_room(2), 0);
	for (size_t len = 1; len < 30; len++)
		cr_expect_geq(spell_room(len), spell_room(len - 1));
}

Test(spell, letters_tell_what_is_far_without_a_comparison)
{
	cr_expect_not(spell_lacks_more(spell_letters("kapor"), spell_letters("lapor"), 1));
	cr_expect(spell_lacks_more(spell_letters("kapor"), spell_letters("lapor"), 0));
	cr_expect(spell_lacks_more(spell_letters("survei"), spell_letters("lapor"), 2));
	cr_expect_not(spell_lacks_more(spell_letters("lap0r"), spell_letters("lapor"), 1));
}

Test(spell, held_letters_and_digits_are_tidied)
{
	static const struct {
		const char *word;
		unsigned held;
		const char *out;
	} rows[] = {
		{ "stoopp", 1, "stop" }, { "stooop", 2, "stoop" }, { "st0p", 1, "stop" },
		{ "1apor", 1, "iapor" }, { "1042", 1, "1042" },    { "100", 2, "100" },
		{ "", 1, "" },
	};

	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		char out[16];

		spell_tidy(rows[i].word, rows[i].held, out);
		cr_expect_str_eq(out, rows[i].out);
	}
}
