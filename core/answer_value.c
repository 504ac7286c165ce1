/* answer_value.c - answers that are a decimal number, a date or a phone number.
 *
 * Each is looked for among the words of the text; words around it make it near at best, two of it make it none.  Dates are
 * read as Indonesians write them, day before month; a year that could be of two centuries is asked for again.
 * Source: the reference's civic-domain.md 5; ISO 8601.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "answer_priv.h"
#include "calendar.h"
#include "msisdn.h"
#include "utf8.h"

enum { WORDS_MAX = 12, WORD_BYTES = 24, VALUE_BYTES = 100 };

struct words {
	char word[WORDS_MAX][WORD_BYTES];
	unsigned count;
	bool many; /* more than can be an answer */
};

static bool is_in(const char *word, const char *const *list)
{
	return answer_is_in((struct bytes){ word, strlen(word) }, list);
}

/* The text in folded words, which end at any byte of `ends`. */
static void split(struct arena *arena, struct bytes text, const char *ends, struct words *out)
{
	const char *at = utf8_fold(arena, text).data;

	*out = (struct words){ .many = text.len > VALUE_BYTES };
	while (!out->many && *(at += strspn(at, ends))) {
		size_t len = strcspn(at, ends);

		out->many = out->count == WORDS_MAX || len >= WORD_BYTES;
		if (!out->many)
			memcpy(out->word[out->count++], at, len);
		at += len;
	}
}

/* Around a value they say nothing. */
static const char *const courtesies[] = { "pak",   "bu",   "ya",     "tgl",   "tanggal",
					  "tgl.",  "thn",  "tahun",  "kira",  "sekitar",
					  "nomor", "no",   "hp",     "rp",    "lahir",
					  "mas",   "mbak", "kurang", "lebih", NULL };

/* ---- decimals ---- */

/* Digits with separators: "2,5", "2.5", "1.234,5", "1.500" (a thousand and a half thousand); false: no number. */
static bool parse_decimal(const char *word, double *out)
{
	const char *comma = strrchr(word, ','), *dot = strrchr(word, '.');
	const char *point = comma > dot ? comma : dot;
	char plain[WORD_BYTES];
	size_t len = 0;
	bool digits = false;

	if (point && (!comma || !dot) && strchr(word, *point) != point)
		point = NULL; /* "1.500.000": they part thousands */
	if (point && *point == '.' && !comma && strlen(point) == 4 && point - word <= 3 &&
	    *word != '0')
		point = NULL; /* "1.500" */
	for (const char *c = word; *c; c++) {
		if (c == point)
			plain[len++] = '.';
		else if (isdigit((unsigned char)*c) || (*c == '-' && c == word))
			plain[len++] = *c;
		else if (*c != '.' && *c != ',')
			return false;
		digits |= isdigit((unsigned char)*c) != 0;
	}
	plain[len] = '\0';
	*out = strtod(plain, NULL);
	return digits;
}

/* What the words come to: one number, "2 koma 5", "3 setengah", "setengah". */
struct decimal {
	double value;
	bool found, half, two;
	int comma; /* 1: "koma" stood before; 2: and its digits */
	unsigned strange;
};

static void add_number(struct decimal *sum, const char *word, double value)
{
	double scale = 1;

	if (sum->comma == 1 && sum->found) {
		for (const char *c = word; *c; c++)
			scale *= 10;
		sum->value += value / scale;
		sum->comma = 2;
	} else if (sum->found) {
		sum->two = true;
	} else {
		sum->value = value;
		sum->found = true;
	}
}

static void add_word(struct arena *arena, struct decimal *sum, const char *word)
{
	static const char *const halves[] = { "setengah", "separo", "half", NULL };
	struct question whole = { .kind = ANSWER_INTEGER, .min = 0, .max = 1000000 };
	struct answer answer;
	double value;

	if (parse_decimal(word, &value)) {
		add_number(sum, word, value);
	} else if (strcmp(word, "koma") == 0 || strcmp(word, "point") == 0) {
		sum->comma = 1;
	} else if (is_in(word, halves)) {
		sum->value += 0.5;
		sum->two |= sum->half;
		sum->half = sum->found = true;
	} else if (answer_read(arena, &whole, (struct bytes){ word, strlen(word) }, &answer) ==
		   ANSWER_FITS) {
		add_number(sum, "1", (double)answer.integer);
	} else if (!is_in(word, courtesies)) {
		sum->strange++;
	}
}

static enum answer_fit read_decimal(struct arena *arena, const struct question *question,
				    struct bytes text, struct answer *out)
{
	struct decimal sum = { 0 };
	struct words words;

	split(arena, text, " \t\r\n!?;:()\"'", &words);
	for (unsigned i = 0; i < words.count; i++) {
		size_t len = strlen(words.word[i]);

		if (strchr(".,", words.word[i][len - 1])) /* the end of a sentence */
			words.word[i][len - 1] = '\0';
		if (words.word[i][0])
			add_word(arena, &sum, words.word[i]);
	}
	if (words.many || !sum.found || sum.two || sum.strange > 2 ||
	    sum.value * DECIMAL_PARTS < (double)question->min ||
	    sum.value * DECIMAL_PARTS > (double)question->max)
		return ANSWER_NONE;
	out->decimal = sum.value;
	return sum.strange > 0 ? ANSWER_NEAR : ANSWER_FITS;
}

/* ---- dates ---- */

static const struct month {
	const char *name;
	int number;
} months[] = {
	{ "januari", 1 },  { "jan", 1 },       { "january", 1 },   { "februari", 2 },
	{ "feb", 2 },      { "pebruari", 2 },  { "peb", 2 },       { "february", 2 },
	{ "maret", 3 },    { "mar", 3 },       { "mrt", 3 },       { "march", 3 },
	{ "april", 4 },    { "apr", 4 },       { "mei", 5 },       { "may", 5 },
	{ "juni", 6 },     { "jun", 6 },       { "june", 6 },      { "juli", 7 },
	{ "jul", 7 },      { "july", 7 },      { "agustus", 8 },   { "agst", 8 },
	{ "agt", 8 },      { "ags", 8 },       { "agus", 8 },      { "aug", 8 },
	{ "august", 8 },   { "september", 9 }, { "sep", 9 },       { "sept", 9 },
	{ "oktober", 10 }, { "okt", 10 },      { "oct", 10 },      { "october", 10 },
	{ "nov", 11 },     { "nopember", 11 }, { "november", 11 }, { "nop", 11 },
	{ "des", 12 },     { "dec", 12 },      { "desember", 12 }, { "december", 12 },
};

static const struct near_day {
	const char *name;
	int days;
} near_days[] = {
	{ "sekarang", 0 },   { "saiki", 0 }, { "today", 0 },    { "besok", 1 },
	{ "besuk", 1 },      { "sesuk", 1 }, { "tomorrow", 1 }, { "lusa", 2 },
	{ "kemarin", -1 },   { "kmrn", -1 }, { "kemaren", -1 }, { "wingi", -1 },
	{ "yesterday", -1 },
};

struct bytes answer_date(struct arena *arena, int64_t days)
{
	int year, month, day;

	calendar_date(days, &year, &month, &day);
	return (struct bytes){ arena_printf(arena, "%04d-%02d-%02d", year, month, day), 10 };
}

/* The parts of a date as they are found. */
struct date {
	int numbers[3];
	size_t digits[3];
	unsigned count;
	int month; /* by its name */
	unsigned month_at;
	int day_off; /* of a near day */
	bool near_day, bad;
	unsigned strange;
};

static void add_part(struct date *date, const char *word)
{
	size_t digits = strspn(word, "0123456789");

	if (digits > 0 && !word[digits] && digits <= 8) {
		if (date->count == ARRAY_LEN(date->numbers)) {
			date->bad = true;
			return;
		}
		date->digits[date->count] = digits;
		date->numbers[date->count++] = atoi(word);
		return;
	}
	for (unsigned i = 0; i < ARRAY_LEN(months); i++)
		if (strcmp(months[i].name, word) == 0) {
			date->bad |= date->month > 0 && date->month != months[i].number;
			date->month = months[i].number;
			date->month_at = date->count;
			return;
		}
	for (unsigned i = 0; i < ARRAY_LEN(near_days); i++)
		if (strcmp(near_days[i].name, word) == 0) {
			date->bad |= date->near_day;
			date->near_day = true;
			date->day_off = near_days[i].days;
			return;
		}
	if (strcmp(word, "hari") == 0 || strcmp(word, "ini") == 0) {
		date->near_day |= strcmp(word, "ini") == 0;
	} else if (!is_in(word, courtesies)) {
		date->strange++;
	}
}

/* "17081945" */
static void cut_digits(struct date *date)
{
	int all = date->numbers[0];

	if (date->count != 1 || date->digits[0] != 8 || date->month)
		return;
	date->numbers[0] = all / 1000000;
	date->numbers[1] = all / 10000 % 100;
	date->numbers[2] = all % 10000;
	date->digits[0] = date->digits[1] = 2;
	date->digits[2] = 4;
	date->count = 3;
}

static bool fits_in(const struct question *question, int year, int month, int day, int64_t *out)
{
	if (year < 1000 || !calendar_is_day(year, month, day))
		return false;
	*out = calendar_days(year, month, day);
	return *out >= question->min && *out <= question->max;
}

/* A year of two digits is that of the one century in which the date is allowed. */
static bool in_century(const struct question *question, int year, int month, int day, int64_t *out)
{
	int64_t before = 0, after = 0;
	bool old = fits_in(question, 1900 + year, month, day, &before);
	bool late = fits_in(question, 2000 + year, month, day, &after);

	*out = old ? before : after;
	return old != late;
}

/* Without a year: the allowed one that is nearest to today. */
static bool nearest(const struct question *question, int month, int day, int64_t *out)
{
	int year, m, d;
	int64_t days, best = INT64_MAX;

	calendar_date(question->today, &year, &m, &d);
	for (int y = year - 1; y <= year + 1; y++)
		if (fits_in(question, y, month, day, &days) &&
		    llabs(days - question->today) < best) {
			best = llabs(days - question->today);
			*out = days;
		}
	return best < INT64_MAX;
}

static bool resolve(const struct question *question, const struct date *date, int64_t *out)
{
	const int *n = date->numbers;
	unsigned year_at = date->month ? 1 : 2;

	if (date->near_day && date->count == 0 && !date->month) {
		*out = question->today + date->day_off;
		return *out >= question->min && *out <= question->max;
	}
	if (date->near_day || date->count == 0)
		return false;
	if (!date->month && date->count == 3 && date->digits[0] == 4) /* 1945-08-17 */
		return fits_in(question, n[0], n[1], n[2], out);
	if (date->count == year_at)
		return date->month ? nearest(question, date->month, n[0], out)
				   : nearest(question, n[1], n[0], out);
	if (date->count != year_at + 1 || date->digits[year_at] == 3 || date->digits[year_at] > 4)
		return false;
	if (date->digits[year_at] <= 2)
		return in_century(question, n[year_at], date->month ? date->month : n[1], n[0],
				  out);
	return fits_in(question, n[year_at], date->month ? date->month : n[1], n[0], out);
}

static enum answer_fit read_date(struct arena *arena, const struct question *question,
				 struct bytes text, struct answer *out)
{
	struct date date = { 0 };
	struct words words;
	int64_t days;

	split(arena, text, " \t\r\n!?;:()\"'.,/-_", &words);
	for (unsigned i = 0; i < words.count; i++)
		add_part(&date, words.word[i]);
	cut_digits(&date);
	if (words.many || date.bad || date.strange > 2 || !resolve(question, &date, &days))
		return ANSWER_NONE;
	out->text = answer_date(arena, days);
	return date.strange > 0 ? ANSWER_NEAR : ANSWER_FITS;
}

/* ---- phone numbers ---- */

/* Digits, however they are grouped: "0812-3456 7890". */
static enum answer_fit read_phone(struct arena *arena, const struct question *question,
				  struct bytes text, struct answer *out)
{
	char number[CITIZEN_MAX + 1];
	struct words words;
	struct buf digits = { 0 };
	bool strange = false;
	enum msisdn_kind kind;

	split(arena, text, " \t\r\n!?;:()\"'.,/-_", &words);
	for (unsigned i = 0; i < words.count; i++) {
		if (strspn(words.word[i], "+0123456789") == strlen(words.word[i]))
			buf_addstr(&digits, words.word[i]);
		else if (!is_in(words.word[i], courtesies))
			strange = true;
	}
	buf_add(&digits, "", 1);
	kind = msisdn_complete((struct bytes){ digits.data, digits.len - 1 },
			       question->country ? question->country : "", false, number,
			       sizeof(number));
	buf_free(&digits);
	if (words.many || kind != MSISDN_NUMBER)
		return ANSWER_NONE;
	out->text.data = arena_strdup(arena, number);
	out->text.len = strlen(number);
	return strange ? ANSWER_NEAR : ANSWER_FITS;
}

enum answer_fit answer_value(struct arena *arena, const struct question *question,
			     struct bytes text, struct answer *out)
{
	switch (question->kind) {
	case ANSWER_DECIMAL:
		return read_decimal(arena, question, text, out);
	case ANSWER_DATE:
		return read_date(arena, question, text, out);
	default:
		return read_phone(arena, question, text, out);
	}
}
