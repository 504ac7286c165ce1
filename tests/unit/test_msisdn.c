/* test_msisdn.c - phone numbers beyond the vectors: what telcos write around them, and what is no
 * number. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "msisdn.h"

struct number_case {
	const char *country, *raw;
	bool digits; /* the telco writes international digits */
	enum msisdn_kind kind;
	const char *out;
};

static void expect(const struct number_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct bytes raw = { cases[i].raw, strlen(cases[i].raw) };
		char out[64];

		cr_expect(eq(int,
			     msisdn_complete(raw, cases[i].country, cases[i].digits, out,
					     sizeof(out)),
			     cases[i].kind),
			  "%s '%s'", cases[i].country, cases[i].raw);
		cr_expect(eq(str, out, (char *)cases[i].out));
	}
}

Test(msisdn, what_is_no_number_is_invalid)
{
	static const struct number_case cases[] = {
		{ "ID", "", false, MSISDN_INVALID, "" },
		{ "ID", "   ", false, MSISDN_INVALID, "" },
		{ "ID", "+", false, MSISDN_INVALID, "" },
		{ "ID", "++62812345678", false, MSISDN_INVALID, "" },
		{ "ID", "62+812345678", false, MSISDN_INVALID, "" },
		{ "ID", "0812#345678", false, MSISDN_INVALID, "" },
		{ "ID", "*123#", false, MSISDN_INVALID, "" },
		{ "ID", "12", false, MSISDN_INVALID, "" },
		{ "ID", "+0812345678", false, MSISDN_INVALID, "" },
		{ "ID", "+6281234567890123", false, MSISDN_INVALID, "" },
		{ "ID", "+62 00812345678", false, MSISDN_INVALID,
		  "" }, /* two zeros are no trunk prefix */
		{ "ID",
		  "0812\xff"
		  "345678",
		  false, MSISDN_INVALID, "" },
		{ "ID", "PEMERINTAHAN KAB", false, MSISDN_INVALID, "" },
		{ "ID", "A\nB", false, MSISDN_INVALID, "" },
		{ "ID", "\U0001f600", false, MSISDN_INVALID, "" },
		{ "", "081234567890", false, MSISDN_INVALID, "" },
		{ "", "6281234567890", false, MSISDN_INVALID, "" },
		{ "ID", "254712345678", false, MSISDN_INVALID,
		  "" }, /* of no country that it says */
	};

	expect(cases, ARRAY_LEN(cases));
}

Test(msisdn, what_stands_around_the_digits_goes)
{
	static const struct number_case cases[] = {
		{ "ID", " 6281234567890", false, MSISDN_NUMBER,
		  "+6281234567890" }, /* a plus sent without escaping */
		{ "ID", "\u00a0+62 812-3456.7890\u3000", false, MSISDN_NUMBER, "+6281234567890" },
		{ "ID", "(0812) 3456/7890", false, MSISDN_NUMBER, "+6281234567890" },
		{ "ID", "０８１２３４５６７８９０", false, MSISDN_NUMBER, "+6281234567890" },
		{ "ID", "＋６２８１２３４５６７８９０", false, MSISDN_NUMBER, "+6281234567890" },
		{ "ID", "\u202a+62\u2011812\u20113456\u20117890\u202c", false, MSISDN_NUMBER,
		  "+6281234567890" },
		{ "ID", "TEL:+6281234567890;ext=7", false, MSISDN_NUMBER, "+6281234567890" },
		{ "ID", "tel: 0812 3456 7890", false, MSISDN_NUMBER, "+6281234567890" },
		{ "ID", "62(0)81234567890", false, MSISDN_NUMBER, "+6281234567890" },
		{ "ID", "0062 (0)812 3456 7890", false, MSISDN_NUMBER, "+6281234567890" },
		{ "GB", "+44 (0)20 7946 0000", false, MSISDN_NUMBER, "+442079460000" },
		{ "KE", "+(254) 712 345 678", false, MSISDN_NUMBER, "+254712345678" },
	};

	expect(cases, ARRAY_LEN(cases));
}

Test(msisdn, a_country_completes_by_its_own_rules)
{
	static const struct number_case cases[] = {
		{ "ID", "081234567", false, MSISDN_NUMBER, "+6281234567" },
		{ "ID", "0811234567890", false, MSISDN_NUMBER, "+62811234567890" },
		{ "ID", "02112345678", false, MSISDN_NUMBER, "+622112345678" },
		{ "ID", "622112345678", false, MSISDN_NUMBER, "+622112345678" },
		{ "NG", "0092348031234567", false, MSISDN_NUMBER, "+2348031234567" },
		{ "NG", "002348031234567", false, MSISDN_NUMBER, "+2348031234567" },
		{ "NG", "8031234567", false, MSISDN_NUMBER, "+2348031234567" },
		{ "NG", "23408031234567", false, MSISDN_NUMBER, "+2348031234567" },
		{ "TZ", "000255712345678", false, MSISDN_NUMBER, "+255712345678" },
		{ "GH", "0233241234567", false, MSISDN_NUMBER, "+233233241234567" },
		{ "IN", "9187654321", false, MSISDN_NUMBER,
		  "+919187654321" }, /* ten digits that begin like the code */
		{ "KE", "6281234567890", false, MSISDN_NUMBER,
		  "+6281234567890" }, /* longer than a number there */
		{ "KE", "112345678", false, MSISDN_NUMBER, "+254112345678" },
		{ "KE", "312345678", false, MSISDN_INVALID, "" },
		{ "", "+6281234567890", false, MSISDN_NUMBER, "+6281234567890" },
		{ "", "006281234567890", false, MSISDN_NUMBER, "+6281234567890" },
	};

	expect(cases, ARRAY_LEN(cases));
}

Test(msisdn, international_digits_are_taken_as_they_are)
{
	static const struct number_case cases[] = {
		{ "ID", "254712345678", true, MSISDN_NUMBER, "+254712345678" },
		{ "", "6281234567890", true, MSISDN_NUMBER, "+6281234567890" },
		{ "ID", "9123", true, MSISDN_SHORT, "9123" },
		{ "ID", "081234567890", true, MSISDN_NUMBER, "+6281234567890" },
		{ "ID", "1234567890123456", true, MSISDN_INVALID, "" },
	};

	expect(cases, ARRAY_LEN(cases));
}

Test(msisdn, short_codes_and_names_stay_as_they_are)
{
	static const struct number_case cases[] = {
		{ "ID", "123", false, MSISDN_SHORT, "123" },
		{ "", "98765", false, MSISDN_SHORT, "98765" },
		{ "ID", " TELKOMSEL ", false, MSISDN_ALNUM, "TELKOMSEL" },
		{ "ID", "Bank-1", false, MSISDN_ALNUM, "Bank-1" },
		{ "ID", "ＩＮＦＯ", false, MSISDN_ALNUM, "INFO" },
	};

	expect(cases, ARRAY_LEN(cases));
}

Test(msisdn, as_many_digits_as_are_looked_at_are_too_many)
{
	char digits[200], out[64];

	memset(digits, '8', sizeof(digits));
	for (size_t len = 16; len <= sizeof(digits); len++) {
		cr_expect(eq(int,
			     msisdn_complete((struct bytes){ digits, len }, "ID", false, out,
					     sizeof(out)),
			     MSISDN_INVALID));
		cr_expect(eq(
			int,
			msisdn_complete((struct bytes){ digits, len }, "", true, out, sizeof(out)),
			MSISDN_INVALID));
	}
}

Test(msisdn, a_small_buffer_refuses)
{
	struct bytes raw = { "+6281234567890", 14 };
	char out[15];

	cr_expect(eq(int, msisdn_complete(raw, "ID", false, out, 15), MSISDN_NUMBER));
	cr_expect(eq(int, msisdn_complete(raw, "ID", false, out, 14), MSISDN_INVALID));
	cr_expect(eq(str, out, ""));
}

Test(msisdn, known_countries_are_those_with_rules)
{
	static const char *const known[] = { "ID", "KE", "GH", "NG", "TZ", "IN", "PH" };

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		cr_expect(msisdn_country_known(known[i]));
	cr_expect(not(msisdn_country_known("")));
	cr_expect(not(msisdn_country_known("id")));
	cr_expect(not(msisdn_country_known(NULL)));
}
