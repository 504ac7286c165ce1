/* test_keywords.c - keywords of many plugins: exact, as a beginning, near to one alone, of two words, as a prefix. */
#include "keywords.h"

#include <criterion/criterion.h>
#include <string.h>

#include "plugin.h"

static struct plugin_keyword complaint[] = { { "ADUAN", "report", NULL },
					     { "CEK", "status", NULL },
					     { "LAPOR", "report", NULL },
					     { "LAPOR RAHASIA", "report", NULL } };
static struct plugin_keyword names[] = { { "KELUHAN", "report", "LAPOR" } };
static struct plugin_keyword region[] = { { "BJN", "report", NULL } };
static struct plugin_keyword flood[] = { { "BANJIR", "level", NULL } };
static struct plugin_keyword town[] = { { "BANJAR", "town", NULL }, { "PKL", "town", NULL } };
static struct plugin_keyword broken[] = { { "RUSAK", "dialog", NULL } };
static struct plugin plugins[] = {
	{ .name = "broken", .error = "no", .keywords = broken, .keyword_count = 1 },
	{ .name = "complaint",
	  .keywords = complaint,
	  .keyword_count = 4,
	  .aliases = names,
	  .alias_count = 1,
	  .prefixes = region,
	  .prefix_count = 1 },
	{ .name = "flood", .keywords = flood, .keyword_count = 1 },
	{ .name = "town", .keywords = town, .keyword_count = 2 },
};
static struct plugin_set set = { .plugins = plugins, .count = ARRAY_LEN(plugins) };

static void begin(void)
{
	keywords_index(&set);
}

static void clear(void)
{
	arena_free(&set.arena);
}

TestSuite(keywords, .init = begin, .fini = clear);

static const char *word_of(const struct keyword *keyword)
{
	return keyword ? keyword->word : "";
}

Test(keywords, a_word_is_found_as_it_is)
{
	cr_expect_str_eq(word_of(keywords_find(&set, "lapor")), "LAPOR");
	cr_expect_str_eq(word_of(keywords_find(&set, "lapor rahasia")), "LAPOR RAHASIA");
	cr_expect_str_eq(word_of(keywords_find(&set, "keluhan")), "LAPOR"); /* another name */
	cr_expect_str_eq(word_of(keywords_find(&set, "bjn")), "BJN");
	cr_expect(keywords_find(&set, "bjn")->prefix);
	cr_expect_str_eq(word_of(keywords_find(&set, "laporan")), "");
	cr_expect_str_eq(word_of(keywords_find(&set, "")), "");
	cr_expect_str_eq(word_of(keywords_find(&set, "rusak")),
			 ""); /* of a plugin that is not loaded */
	cr_expect(keywords_have_pairs(&set));
}

Test(keywords, the_longest_beginning_is_found)
{
	cr_expect_str_eq(word_of(keywords_begin(&set, "laporjalan")), "LAPOR");
	cr_expect_str_eq(word_of(keywords_begin(&set, "cek1042")), "CEK");
	cr_expect_str_eq(word_of(keywords_begin(&set, "lapor")), ""); /* nothing is left */
	cr_expect_str_eq(word_of(keywords_begin(&set, "")), "");
	cr_expect_str_eq(
		word_of(keywords_begin(&set, "laporxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx")),
		"LAPOR");
}

Test(keywords, a_near_one_wins_alone_or_is_one_of_two)
{
	static const struct {
		const char *word, *best, *second;
	} rows[] = {
		{ "lapr", "LAPOR", "" },
		{ "adan", "ADUAN", "" },
		{ "ck", "CEK", "" },
		{ "banjer", "BANJAR", "BANJIR" },
		{ "banjor", "BANJIR", "BANJAR" }, /* o is beside i, but not by far */
		{ "bjm", "", "" },                /* a prefix is only meant where it is exact */
		{ "pk", "", "" },
		{ "xyz", "", "" },
		{ "", "", "" },
	};

	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		const struct keyword *second;
		const char *best = word_of(keywords_near(&set, rows[i].word, &second));

		cr_expect_str_eq(best, rows[i].best, "%s is near %s", rows[i].word, best);
		cr_expect_str_eq(word_of(second), rows[i].second, "%s: %s", rows[i].word,
				 word_of(second));
	}
}

Test(keywords, without_an_index_there_is_none)
{
	const struct plugin_set bare = { .plugins = plugins, .count = ARRAY_LEN(plugins) };
	const struct keyword *second;

	cr_expect_null(keywords_find(&bare, "lapor"));
	cr_expect_null(keywords_begin(&bare, "laporjalan"));
	cr_expect_null(keywords_near(&bare, "lapr", &second));
	cr_expect_not(keywords_have_pairs(&bare));
}
