/* test_answer.c - answers as people write them, and what only looks like one. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "answer.h"
#include "answer_priv.h"
#include "calendar.h"
#include "csv.h"

static struct arena arena;

static void clear(void)
{
	arena_free(&arena);
}

TestSuite(answer, .fini = clear);

enum { LONG = 10000, OPTIONS_MAX = 99 };

static struct bytes text_of(const char *text)
{
	return (struct bytes){ text, strlen(text) };
}

/* A question of the labels, up to the first NULL. */
static struct question choice(const char *const *labels)
{
	struct bytes *options = arena_alloc(&arena, OPTIONS_MAX * sizeof(*options));
	unsigned count = 0;

	for (; labels[count]; count++)
		options[count] = text_of(labels[count]);
	return (struct question){ .kind = ANSWER_CHOICE,
				  .options = options,
				  .option_count = count };
}

static struct question integer(int64_t min, int64_t max)
{
	return (struct question){ .kind = ANSWER_INTEGER, .min = min, .max = max };
}

static const struct question yes_no = { .kind = ANSWER_YES_NO };
static const char *const satisfied[] = { "Sangat puas", "Puas", "Cukup puas", "Tidak puas", NULL };

/* The answer as text: the option from 1, the number, YA or TIDAK, "-" passed over, "?" none; with
 * "~" before what is only near. */
static const char *read(const struct question *question, const char *text)
{
	struct answer answer;
	enum answer_fit fit = answer_read(&arena, question, text_of(text), &answer);
	const char *near = fit == ANSWER_NEAR ? "~" : "";

	if (fit == ANSWER_NONE)
		return "?";
	if (answer.skipped)
		return "-";
	switch (question->kind) {
	case ANSWER_CHOICE:
		return arena_printf(&arena, "%s%u", near, answer.option + 1);
	case ANSWER_INTEGER:
		return arena_printf(&arena, "%s%lld", near, (long long)answer.integer);
	case ANSWER_YES_NO:
		return arena_printf(&arena, "%s%s", near, answer.yes ? "YA" : "TIDAK");
	case ANSWER_DECIMAL:
		return arena_printf(&arena, "%s%g", near, answer.decimal);
	case ANSWER_CHOICES: {
		char *all = arena_strdup(&arena, near);

		for (unsigned i = 0; i < question->option_count; i++)
			if (answer_chosen(&answer, i))
				all = arena_printf(&arena, "%s%s%u", all,
						   all[0] && all[strlen(all) - 1] != '~' ? " " : "",
						   i + 1);
		return all;
	}
	case ANSWER_DATE:
	case ANSWER_PHONE:
		return arena_printf(&arena, "%s%s", near, answer.text.data);
	default:
		break;
	}
	return arena_printf(&arena, "'%.*s'", (int)answer.text.len, answer.text.data);
}

struct reading_case {
	const char *text, *wanted;
};

static void expect_all(const struct question *question, const struct reading_case *cases,
		       size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *got = read(question, cases[i].text);

		cr_expect(strcmp(got, cases[i].wanted) == 0, "'%s' is read as %s, not %s",
			  cases[i].text, got, cases[i].wanted);
	}
}

#define EXPECT_ALL(question, ...)                                           \
	do {                                                                \
		static const struct reading_case cases[] = { __VA_ARGS__ }; \
		expect_all(question, cases, ARRAY_LEN(cases));              \
	} while (0)

Test(answer, the_tables_are_in_order)
{
	for (unsigned i = 1; i < answer_words_count; i++)
		cr_expect(strcmp(answer_words[i - 1].word, answer_words[i].word) < 0, "%s",
			  answer_words[i].word);
	for (unsigned i = 1; i < answer_numbers_count; i++)
		cr_expect(strcmp(answer_numbers[i - 1].word, answer_numbers[i].word) < 0, "%s",
			  answer_numbers[i].word);
}

Test(answer, a_choice_is_its_number_with_any_marks)
{
	struct question question = choice(satisfied);

	EXPECT_ALL(&question, { "2", "2" }, { "2.", "2" }, { "(2)", "2" }, { "-2", "2" },
		   { "\"2\"", "2" }, { "2\n", "2" }, { "２", "2" }, { "②", "2" },
		   { "2️⃣", "2" }, { "٢", "2" }, { "02", "2" }, { "no 2", "2" },
		   { "No. 2", "2" }, { "nmr2", "2" }, { "nomor 2 pak", "2" }, { "jawab 2", "2" },
		   { "jawabanku no 2 ya bu", "2" }, { "pilih dua", "2" }, { "DUA", "2" },
		   { "loro", "2" }, { "kalih mawon", "2" }, { "two", "2" }, { "2 (dua)", "2" },
		   { "2, puas", "2" }, { "2 puas", "2" }, { "2. Puas", "2" }, { "puas (2)", "2" },
		   { "gangsal", "?" }, { "5", "?" }, { "0", "?" }, { "22", "?" }, { "2.000", "?" },
		   { "99999999999999999999", "?" });
}

Test(answer, a_choice_is_not_a_number_about_something_else)
{
	struct question question = choice(satisfied);

	EXPECT_ALL(&question, { "2 atau 3", "?" }, { "2/3", "?" }, { "2 3", "?" }, { "2,3", "?" },
		   { "2-3", "?" }, { "1 dan 2", "?" }, { "2 minggu belum diangkut", "?" },
		   { "jalan rt 2 rusak", "?" }, { "4 sangat puas", "?" }, { "4. sangat puas", "?" },
		   { "2.5", "?" }, { "½", "?" }, { "dua puluh", "?" }, { "2 ribu", "?" },
		   { "2, eh 3", "?" }, { "lampu mati, 2", "?" }, { "2, antrinya lama", "~2" },
		   { "2 karena cepat", "~2" }, { "l", "~1" }, { "I", "~1" });
}

Test(answer, a_choice_is_its_letter_where_that_is_free)
{
	static const char *const two[] = { "Merah", "Biru", NULL };
	static const char *const blood[] = { "B", "A", "AB", "O", NULL };
	static const char *const sexes[] = { "Perempuan", "Laki-laki", NULL };
	struct question four = choice(satisfied), colours = choice(two), types = choice(blood),
			sex = choice(sexes);

	EXPECT_ALL(&four, { "a", "1" }, { "B.", "2" }, { "(c)", "3" }, { "d aja pak", "4" },
		   { "b puas", "2" }, { "a b", "?" }, { "a puas", "?" }, { "e", "?" },
		   { "a2", "?" });
	EXPECT_ALL(&colours, { "b", "2" }, { "c", "?" }, { "D", "?" });
	EXPECT_ALL(&types, { "a", "2" }, { "B", "1" }, { "ab", "3" }, { "o", "4" }, { "c", "3" });
	EXPECT_ALL(&sex, { "l", "?" }, { "laki2", "2" }, { "laki laki", "2" }, { "laki", "2" },
		   { "prmpuan", "1" }, { "prempuan", "1" }, { "permpuan", "1" },
		   { "peremouan", "~1" });
}

Test(answer, a_choice_is_its_label_and_not_what_holds_it)
{
	struct question question = choice(satisfied);

	EXPECT_ALL(&question, { "puas", "2" }, { " Puas. ", "2" }, { "puas pak", "2" },
		   { "saya puas", "2" }, { "puaaas 👍", "2" }, { "Sangat Puas", "1" },
		   { "sangatpuas", "1" }, { "sangat\npuas", "?" }, { "puas banget", "1" },
		   { "sgt puas", "1" }, { "sangat", "1" }, { "san", "1" }, { "sa", "?" },
		   { "cukup", "3" }, { "ckp puas", "3" }, { "tidak", "4" }, { "tidak puas", "4" },
		   { "tdk puas", "4" }, { "gak puas", "4" }, { "mboten puas", "4" },
		   { "sangat tidak puas", "~4" }, { "kurang puas", "?" }, { "tidak, puas", "?" },
		   { "puas tidak", "?" }, { "puas atau tidak puas", "?" },
		   { "puas/cukup puas", "?" }, { "puas, cukup puas", "?" },
		   { "yo puas pak, cuma suwe", "~2" }, { "puas dengan pelayanannya", "~2" },
		   { "pelayanan bagus", "?" }, { "pak", "?" }, { "", "?" }, { "   ", "?" },
		   { "👍", "?" }, { "???", "?" });
}

Test(answer, a_mistyped_label_is_near_and_two_are_none)
{
	static const char *const villages[] = { "Sukorejo", "Sumberejo", "Sidorejo", "Ngumpak",
						NULL };
	static const char *const alike[] = { "Kapas", "Kapan", NULL };
	static const char *const wards[] = { "RT 01", "RT 02", "RT 12", NULL };
	struct question four = choice(satisfied), place = choice(villages), pair = choice(alike),
			ward = choice(wards);

	EXPECT_ALL(&four, { "pues", "~2" }, { "paus", "~2" }, { "sangat pues", "~1" },
		   { "sangta puas", "~1" }, { "tidka puas", "~4" }, { "biasa", "?" },
		   { "terserah", "?" }, { "lagi dimana", "?" }, { "maksudnya apa pak", "?" });
	EXPECT_ALL(&place, { "sukorejo", "1" }, { "sukoerjo", "~1" }, { "sumbrejo", "2" },
		   { "Sumberjo", "2" }, { "sidorjeo", "~3" }, { "su", "?" }, { "ngu", "4" },
		   { "ngumpka", "~4" }, { "s", "?" }, { "suk", "1" });
	EXPECT_ALL(&pair, { "kapas", "1" }, { "kapab", "?" }, { "kap", "?" });
	EXPECT_ALL(&ward, { "rt 2", "2" }, { "RT02", "2" }, { "rt 12", "3" }, { "rt 1 2", "?" },
		   { "rt 3", "?" }, { "3", "3" }, { "12", "?" });
}

Test(answer, labels_may_be_any_words)
{
	static const char *const yes[] = { "Ya", "Tidak", "Tidak tahu", NULL };
	static const char *const often[] = { "Sekali", "2-3 kali", "Lebih dari 3 kali", NULL };
	static const char *const marks[] = { "Ya, sudah", "Belum dan tidak mau", "Jalan/jembatan",
					     NULL };
	static const char *const same[] = { "Lumayan", "Cukup", "Puas sekali", NULL };
	static const char *const numbers[] = { "0", "1", "2", NULL };
	struct question knows = choice(yes), times = choice(often), marked = choice(marks),
			level = choice(same), digits = choice(numbers);

	EXPECT_ALL(&knows, { "ya", "1" }, { "ya pak", "1" }, { "iyo", "1" }, { "nggih bu", "1" },
		   { "tidak", "2" }, { "ora", "2" }, { "gak tahu", "3" }, { "ya tidak", "?" },
		   { "2 ya", "?" }, { "y/t", "?" });
	EXPECT_ALL(&times, { "sekali", "1" }, { "sekali saja", "1" }, { "2-3 kali", "2" },
		   { "2-3", "?" }, { "lebih dari 3 kali", "3" }, { "lebih", "3" }, { "3", "3" });
	EXPECT_ALL(&marked, { "ya, sudah", "1" }, { "ya sudah", "1" },
		   { "belum dan tidak mau", "2" }, { "belum", "2" }, { "jalan/jembatan", "3" },
		   { "jln", "?" });
	EXPECT_ALL(&level, { "lumayan", "1" }, { "cukup", "2" }, { "puas banget", "3" },
		   { "sangat puas", "3" }, { "puas", "3" });
	EXPECT_ALL(&digits, { "0", "1" }, { "1", "?" }, { "2", "?" }, { "3", "3" });
}

Test(answer, yes_and_no_have_many_words)
{
	EXPECT_ALL(&yes_no, { "ya", "YA" }, { "Y", "YA" }, { "yaaa", "YA" }, { "iya pak", "YA" },
		   { "nggih", "YA" }, { "he eh", "YA" }, { "Ok.", "YA" }, { "1", "YA" },
		   { "(1)", "YA" }, { "no 1", "YA" }, { "satu", "YA" }, { "1 ya", "YA" },
		   { "sudah", "YA" }, { "sudah pak", "YA" }, { "ya, sudah", "YA" },
		   { "mau banget", "YA" }, { "tidak", "TIDAK" }, { "tdk", "TIDAK" },
		   { "T", "TIDAK" }, { "no", "TIDAK" }, { "2", "TIDAK" }, { "2. tidak", "TIDAK" },
		   { "nomor 2", "TIDAK" }, { "no 2", "TIDAK" }, { "dua", "TIDAK" },
		   { "gaaak", "TIDAK" }, { "ora", "TIDAK" }, { "mboten", "TIDAK" },
		   { "tidak pernah", "TIDAK" }, { "tidak mau", "TIDAK" }, { "gak ada", "TIDAK" },
		   { "mboten nate", "TIDAK" }, { "belum pernah", "TIDAK" }, { "ora tau", "TIDAK" },
		   { "tidak, terima kasih", "TIDAK" }, { "belum sama sekali", "TIDAK" });
}

Test(answer, yes_with_no_is_neither_and_other_words_make_it_near)
{
	EXPECT_ALL(&yes_no, { "ya tapi blm semua", "~YA" }, { "durung pak masih nunggu", "~TIDAK" },
		   { "belum, kapan bantuan cair?", "~TIDAK" }, { "tidka", "~TIDAK" },
		   { "mbotne", "~TIDAK" }, { "setju", "~YA" }, { "tidak ya", "~TIDAK" },
		   { "l", "~YA" }, { "ya tidak", "?" }, { "y/t", "?" }, { "ya atau tidak", "?" },
		   { "ya, tidak", "?" }, { "1 tidak", "?" }, { "1/2", "?" }, { "3", "?" },
		   { "0", "?" }, { "12", "?" }, { "mungkin", "?" }, { "tidak tahu", "?" },
		   { "ga tau", "?" }, { "ora ngerti", "?" }, { "embuh", "?" }, { "ya allah", "?" },
		   { "tidak salah", "?" }, { "mau tidak", "?" }, { "ada pohon tumbang", "?" },
		   { "sudah 3 hari air mati", "?" }, { "1 orang", "?" }, { "jalan rusak", "?" },
		   { "susah", "?" }, { "bulan", "?" }, { "apa", "?" }, { "", "?" });
}

Test(answer, all_words_of_yes_and_no_that_are_one_answer_are_known)
{
	static const char *const nos[] = { "kagak", "ndak", "tak",    "bukan",  "jangan",
					   "salah", "blum", "emoh",   "dudu",   "ojo",
					   "rung",  "teu",  "klentu", "dereng", "nope" };
	static const char *const yeses[] = { "iy",    "yap",   "yoi",   "okey",  "siap",
					     "stuju", "boleh", "bener", "gelem", "iso",
					     "onok",  "wes",   "injih", "leres", "enya" };

	for (size_t i = 0; i < ARRAY_LEN(nos); i++)
		cr_expect(strcmp(read(&yes_no, nos[i]), "TIDAK") == 0, "%s", nos[i]);
	for (size_t i = 0; i < ARRAY_LEN(yeses); i++)
		cr_expect(strcmp(read(&yes_no, yeses[i]), "YA") == 0, "%s", yeses[i]);
}

Test(answer, a_number_is_read_in_digits_and_in_words)
{
	struct question any = integer(0, 10000000);

	EXPECT_ALL(&any, { "4", "4" }, { "0", "0" }, { "007", "7" }, { "4.", "4" }, { "(4)", "4" },
		   { "1.500", "1500" }, { "1.500.000", "1500000" }, { "Rp 1.500,-", "1500" },
		   { "Rp1.500", "1500" }, { "4 org", "4" }, { "lima jiwa", "5" },
		   { "5 (lima)", "5" }, { "nol", "0" }, { "sepuluh", "10" }, { "sebelas", "11" },
		   { "dua belas", "12" }, { "rolas", "12" }, { "kalih welas", "12" },
		   { "twelve", "12" }, { "dua puluh", "20" }, { "dua puluh lima", "25" },
		   { "seratus dua puluh", "120" }, { "seribu lima ratus", "1500" },
		   { "2 ribu", "2000" }, { "20rb", "20000" }, { "2 ribu 500", "2500" },
		   { "dua juta tiga ratus ribu", "2300000" }, { "kira2 5 orang", "5" },
		   { "kira-kira 5", "5" }, { "kurang lebih 5", "5" }, { "ada 3 pak", "3" },
		   { "cuma 3", "3" }, { "sekawan", "4" }, { "telu wae", "3" });
}

Test(answer, a_number_with_other_words_is_near_and_with_another_number_none)
{
	struct question any = integer(0, 10000), few = integer(1, 12), cold = integer(-20, 20);

	EXPECT_ALL(&any, { "6 jiwa, anak 4", "~6" }, { "O3", "~3" }, { "1O", "~10" },
		   { "di sini 3 rumah", "~3" }, { "keluarga saya sehat, 3 orang", "~3" },
		   { "3-4", "?" }, { "3 4", "?" }, { "3, 4", "?" }, { "3 atau 4", "?" },
		   { "3 sampai 4", "?" }, { "dua tiga", "?" }, { "2,5", "?" }, { "1,500", "?" },
		   { "0.500", "?" }, { "08.30", "?" }, { "1.50", "?" }, { "1.5000", "?" },
		   { "12/5/2020", "?" }, { "lebih dari 5", "?" }, { "bukan 5", "?" },
		   { "setengah", "?" }, { "minus 5", "?" }, { "-5", "?" }, { "banyak", "?" },
		   { "dua ribu tiga ribu", "?" }, { "dua belas belas", "?" }, { "ribu", "?" },
		   { "3 orang, eh 4", "?" }, { "5k", "?" }, { "", "?" }, { "pak", "?" });
	EXPECT_ALL(&few, { "1", "1" }, { "12", "12" }, { "0", "?" }, { "13", "?" },
		   { "99999999999999999999999999", "?" }, { "9223372036854775807", "?" });
	EXPECT_ALL(&cold, { "-5", "-5" }, { "suhu -5", "~-5" }, { "-21", "?" }, { "- 5", "5" });
}

Test(answer, any_number_is_read_where_any_is_asked)
{
	struct question any = integer(INT64_MIN, INT64_MAX);

	EXPECT_ALL(&any, { "999999999999999999", "999999999999999999" },
		   { "-999999999999999999", "-999999999999999999" }, { "1000000000000000000", "?" },
		   { "999999999999999999 juta", "?" }, { "999 juta juta", "?" });
}

Test(answer, a_text_is_kept_without_the_blanks_around_it)
{
	struct question text = { .kind = ANSWER_TEXT, .min = 0, .max = 10 };
	struct question three = { .kind = ANSWER_TEXT, .min = 3, .max = 10 };

	EXPECT_ALL(&text, { " jalan \n", "'jalan'" }, { "\u00a0a  b\u200b\t", "'a  b'" },
		   { "-", "'-'" }, { "0", "'0'" }, { "tidak ada", "'tidak ada'" },
		   { "ééééééééé", "'ééééééééé'" }, { "1234567890", "'1234567890'" },
		   { "12345678901", "?" }, { "", "?" }, { " \n\t ", "?" }, { "\u200b", "?" });
	EXPECT_ALL(&three, { "éé", "?" }, { "ééé", "'ééé'" }, { " ab ", "?" });
}

Test(answer, an_optional_question_may_be_passed_over)
{
	struct question text = { .kind = ANSWER_TEXT, .optional = true, .max = 100 };
	struct question number = { .kind = ANSWER_INTEGER, .optional = true, .min = 1, .max = 9 };
	struct question count = { .kind = ANSWER_INTEGER, .optional = true, .min = 0, .max = 9 };
	struct question four = choice(satisfied), maybe = yes_no;

	four.optional = maybe.optional = true;
	EXPECT_ALL(&text, { "-", "-" }, { " -- ", "-" }, { "0", "-" }, { "lewati", "-" },
		   { "Lewati saja pak", "-" }, { "SKIP", "-" }, { "tidak ada", "-" },
		   { "ora ono", "-" }, { "mboten wonten", "-" }, { "gak ada, terima kasih", "-" },
		   { "tidak ada air", "'tidak ada air'" }, { "", "?" },
		   { "lanjutkan programnya", "'lanjutkan programnya'" });
	EXPECT_ALL(&number, { "0", "-" }, { "-", "-" }, { "skip", "-" }, { "tidak ada", "-" },
		   { "3", "3" }, { "10", "?" }, { "", "?" });
	EXPECT_ALL(&count, { "0", "0" }, { "lewati", "-" });
	EXPECT_ALL(&four, { "0", "-" }, { "lewat", "-" }, { "tidak", "4" }, { "tidak ada", "-" },
		   { "2", "2" });
	EXPECT_ALL(&maybe, { "0", "-" }, { "tidak ada", "TIDAK" }, { "skip", "-" }, { "ya", "YA" });
}

Test(answer, slips_are_counted_by_the_length_of_the_word)
{
	static const struct {
		const char *word, *meant;
		unsigned slips;
	} cases[] = {
		{ "puas", "puas", 0 },
		{ "ya", "ya", 0 },
		{ "", "", 0 },
		{ "ta", "ya", UINT_MAX },
		{ "yaa", "ya", UINT_MAX },
		{ "stp", "stop", 1 },
		{ "stopp", "stop", 1 },
		{ "stup", "stop", 1 },
		{ "sotp", "stop", 1 },
		{ "qtop", "stop", 1 },
		{ "tsop", "stop", 1 },
		{ "qtoq", "stop", UINT_MAX },
		{ "otpp", "stop", UINT_MAX },
		{ "lapor", "lapor", 0 },
		{ "lapr", "lapor", 1 },
		{ "laopr", "lapor", 1 },
		{ "loapr", "lapor", UINT_MAX },
		{ "lap0r", "lapor", 1 },
		{ "1apor", "lapor", 1 },
		{ "lap1r", "lapor", UINT_MAX },
		{ "lapor2", "lapor", UINT_MAX },
		{ "desa12", "desa21", UINT_MAX },
		{ "info1", "info2", UINT_MAX },
		{ "1nfo", "info", 1 },
		{ "bantun", "bantuan", 1 },
		{ "bnatun", "bantuan", 2 },
		{ "bntn", "bantuan", UINT_MAX },
		{ "kafé", "kafe", 1 },
		{ "", "stop", UINT_MAX },
		{ "stop", "", UINT_MAX },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		cr_expect(answer_slips(cases[i].word, cases[i].meant) == cases[i].slips,
			  "%s for %s", cases[i].word, cases[i].meant);
}

/* What the rows of the corpus with a question ask, or false: another context. */
static bool question_of(const struct csv *csv, struct question *out)
{
	const char *context = csv_column(csv, "context");

	if (strcmp(context, "q_choice4") == 0)
		*out = choice(satisfied);
	else if (strcmp(context, "q_yesno") == 0)
		*out = yes_no;
	else if (strcmp(context, "q_number") == 0)
		*out = integer(0, 100);
	else if (strcmp(context, "q_open") == 0)
		*out = (struct question){ .kind = ANSWER_TEXT, .min = 1, .max = 160 };
	else
		return false;
	return true;
}

Test(answer, the_corpus_is_read_as_it_is_labelled)
{
	struct csv *csv = csv_open(csv_path("sms-corpus.csv"));
	unsigned rows = 0;

	cr_assert(csv != NULL, "%s", csv_path("sms-corpus.csv"));
	while (csv_next(csv)) {
		const char *text = csv_column(csv, "text"), *wanted = csv_column(csv, "argument");
		struct question question;
		const char *got;

		if (!question_of(csv, &question))
			continue;
		if (strcmp(csv_column(csv, "intent"), "survey_answer") != 0)
			wanted = "?"; /* taken before, and no answer if not */
		else if (strcmp(wanted, "*") == 0)
			wanted = arena_printf(&arena, "'%s'", text);
		got = read(&question, text);
		cr_expect(strcmp(got + (*got == '~'), wanted) == 0, "%s '%s' is read as %s, not %s",
			  csv_column(csv, "id"), text, got, wanted);
		rows++;
	}
	csv_close(csv);
	cr_expect(gt(u32, rows, 110));
}

Test(answer, a_word_for_yes_or_no_of_the_table_is_never_the_other)
{
	for (unsigned i = 0; i < answer_words_count; i++) {
		unsigned says = answer_words[i].says;
		const char *got = read(&yes_no, answer_words[i].word);

		if (says & SAYS_YES)
			cr_expect(strcmp(got, "YA") == 0, "%s", answer_words[i].word);
		else if (says & SAYS_NO)
			cr_expect(strcmp(got, "TIDAK") == 0, "%s", answer_words[i].word);
		else
			cr_expect(strcmp(got, "?") == 0, "%s", answer_words[i].word);
	}
}

static enum answer_fit read_repeated(const struct question *question, const char *piece)
{
	char *text = arena_alloc(&arena, LONG);
	size_t len = strlen(piece);
	struct answer answer;

	for (size_t at = 0; at < LONG / len * len; at++)
		text[at] = piece[at % len];
	return answer_read(&arena, question, (struct bytes){ text, LONG / len * len }, &answer);
}

Test(answer, long_texts_are_no_choice_and_no_number)
{
	static const char *const pieces[] = { "a",  "a ", "1",  "1 ", "1.111.", "no ",
					      "ya", "l ", "é ", "ﷺ",  "puas ",  "-" };
	char label[LONG];
	struct bytes options[OPTIONS_MAX];
	struct question hard = { .kind = ANSWER_CHOICE,
				 .options = options,
				 .option_count = OPTIONS_MAX };
	struct question number = integer(0, 100);

	memset(label, 'a', sizeof(label));
	for (size_t i = 0; i < OPTIONS_MAX; i++)
		options[i] = (struct bytes){ label, LONG - i };
	for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
		cr_expect(eq(int, read_repeated(&hard, pieces[i]), ANSWER_NONE), "%s", pieces[i]);
		cr_expect(eq(int, read_repeated(&number, pieces[i]), ANSWER_NONE), "%s", pieces[i]);
		cr_expect(eq(int, read_repeated(&yes_no, pieces[i]), ANSWER_NONE), "%s", pieces[i]);
	}
}

Test(answer, the_start_of_a_long_text_is_read_to_a_blank)
{
	struct question question = choice(satisfied);
	char text[400];

	memset(text, ' ', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	memcpy(text, "puas,", 5);
	memcpy(text + 196, "tidakpuas", 9);
	cr_expect(strcmp(read(&question, text), "2") == 0, "%s", read(&question, text));
	text[0] = '\0';
	cr_expect(strcmp(read(&question, text), "?") == 0);
}

Test(answer, no_bytes_at_all_are_no_answer)
{
	struct question text = { .kind = ANSWER_TEXT, .max = 5 };
	struct answer answer;

	cr_expect(eq(int, answer_read(&arena, &text, (struct bytes){ 0 }, &answer), ANSWER_NONE));
	cr_expect(eq(int, answer_read(&arena, &yes_no, (struct bytes){ 0 }, &answer), ANSWER_NONE));
	cr_expect(eq(int, answer_read(&arena, &yes_no, (struct bytes){ "y\0a", 3 }, &answer),
		     ANSWER_FITS));
}

Test(answer, a_decimal_is_read_with_comma_or_point_and_in_words)
{
	struct question question = { .kind = ANSWER_DECIMAL,
				     .min = -5000,
				     .max = 2000000 * 1000LL };

	EXPECT_ALL(&question, { "2,5", "2.5" }, { "2.5", "2.5" }, { " 2.5 m", "~2.5" },
		   { "1.500", "1500" }, { "1.500,25", "1500.25" }, { "1,500.25", "1500.25" },
		   { "1.500.000", "1.5e+06" }, { "0.125", "0.125" }, { "-1,5", "-1.5" },
		   { "7", "7" }, { "7.", "7" }, { "2 koma 5", "2.5" }, { "dua koma 25", "2.25" },
		   { "2 setengah", "2.5" }, { "setengah", "0.5" }, { "tiga", "3" },
		   { "kira kira 2,5 ya pak", "2.5" }, { "-6", "?" }, { "3000000", "?" },
		   { "2 atau 3", "?" }, { "banyak", "?" }, { "", "?" }, { ",", "?" },
		   { "12a", "?" }, { "saya tidak tahu berapa luasnya", "?" });
}

Test(answer, a_date_is_read_day_first)
{
	struct question question = { .kind = ANSWER_DATE,
				     .min = calendar_days(1900, 1, 1),
				     .max = calendar_days(2026, 12, 31),
				     .today = calendar_days(2026, 11, 24) };

	EXPECT_ALL(&question, { "17-8-1945", "1945-08-17" }, { "17/08/1945", "1945-08-17" },
		   { "17.8.1945", "1945-08-17" }, { "17 8 1945", "1945-08-17" },
		   { "17081945", "1945-08-17" }, { "1945-08-17", "1945-08-17" },
		   { "17 Agustus 1945", "1945-08-17" }, { "tgl 17 agst 1945 pak", "1945-08-17" },
		   { "17 agustus 45", "1945-08-17" }, { "17-8-45", "1945-08-17" },
		   { "1 mei 26", "?" }, { "1-5-99", "1999-05-01" },
		   { "29 februari 2024", "2024-02-29" }, { "29 februari 2023", "?" },
		   { "31-4-2020", "?" }, { "12/25/2020", "?" }, { "hari ini", "2026-11-24" },
		   { "kemarin", "2026-11-23" }, { "besok", "2026-11-25" },
		   { "lusa ya", "2026-11-26" }, { "20 desember", "2026-12-20" },
		   { "3 januari", "2026-01-03" }, { "20/12", "2026-12-20" }, { "1-1-1899", "?" },
		   { "17", "?" }, { "agustus", "?" }, { "17 agustus 1945 18", "?" },
		   { "17 agustus atau mei", "?" }, { "saya lahir 17-8-1945", "~1945-08-17" },
		   { "", "?" }, { "0-0-0", "?" });
}

Test(answer, a_phone_number_is_completed)
{
	struct question question = { .kind = ANSWER_PHONE, .country = "ID" };

	EXPECT_ALL(&question, { "081234567890", "+6281234567890" },
		   { "0812-3456-7890", "+6281234567890" },
		   { "+62 812 3456 7890", "+6281234567890" },
		   { "no hp 0812 3456 7890 pak", "+6281234567890" },
		   { "nomorku 081234567890", "~+6281234567890" }, { "2772", "?" },
		   { "tidak punya", "?" }, { "", "?" });
}

Test(answer, values_may_be_passed_over_too)
{
	struct question question = { .kind = ANSWER_DATE,
				     .optional = true,
				     .min = calendar_days(1900, 1, 1),
				     .max = calendar_days(2026, 12, 31) };

	EXPECT_ALL(&question, { "-", "-" }, { "lewati", "-" }, { "17-8-1945", "1945-08-17" },
		   { "entah", "?" });
}

Test(answer, days_are_those_of_the_calendar)
{
	cr_expect(eq(i64, calendar_days(1970, 1, 1), 0));
	cr_expect(eq(i64, calendar_days(1969, 12, 31), -1));
	cr_expect(eq(i64, calendar_days(2000, 3, 1), 11017));
	cr_expect(eq(i64, calendar_days(2026, 11, 24), 20781));
}

Test(answer, several_options_are_read_piece_by_piece)
{
	static const char *const labels[] = { "Jalan", "Air bersih", "Lampu, dan trotoar", "Sampah",
					      NULL };
	struct question question = choice(labels);

	question.kind = ANSWER_CHOICES;
	EXPECT_ALL(&question, { "1", "1" }, { "1,3", "1 3" }, { "3, 1", "1 3" }, { "1 3", "1 3" },
		   { "1 dan 3", "1 3" }, { "1.2.4", "1 2 4" }, { "13", "~1 3" },
		   { "jalan dan sampah", "1 4" }, { "jalan, air bersih", "1 2" },
		   { "Lampu, dan trotoar", "3" }, { "a, d", "1 4" }, { "semua", "1 2 3 4" },
		   { "kabeh", "1 2 3 4" }, { "1 lan sampah", "1 4" }, { "5", "?" }, { "1, 7", "?" },
		   { "11", "?" }, { "", "?" }, { ",", "?" }, { "tidak tahu", "?" });
}
