/* topic.c - what a text without a keyword is about.
 *
 * The words are counted by class (topic_table.c), and a few rules weigh the counts.  A question needs something to ask about, a
 * problem something that is broken and something that a government has to do with: two kinds of words each, so that one that
 * strays in from talk between friends decides nothing.  Where a text does both ("kapan jalan kami diperbaiki? sudah rusak 2
 * tahun"), what is broken counts for more than that it is asked about.
 */
#include "topic.h"

#include <string.h>

#include "lookup.h"
#include "topic_table.h"
#include "utf8.h"

enum {
	WORDS_MAX = 60,    /* words that are looked at */
	WORD_SIZE = 32,    /* bytes of one with its NUL */
	BYTES_MAX = 480,   /* of a text */
	GREETING_MAX = 14, /* words of a greeting */
	CLASSES = 25,
	PASSIVE_MIN = 6,  /* letters of "dirampas": something was done */
	PHRASE_WORDS = 6, /* of "jam buka kantor samsat": asks without a question */
	ENOUGH = 4,       /* what makes a problem */
	SURE_WORDS = 6,   /* so many words at least, and... */
	SURE = 7,         /* ...so much, make one that is sure; or... */
	SURE_LONG = 9,    /* ...so many words, and a little more than enough */
	STATUS_MAX = 16,  /* words of a question about a report */
	HELP_MAX = 10,
	UNCLEAR_MAX = 6,
	NOT_DONE_MIN = 5, /* words of a text in which a "not" says more */
	TAG_MIN = 3,      /* words of a text that ends in "or not" */
};

const char *const topic_names[TOPICS] = {
	[TOPIC_PROBLEM] = "problem",
	[TOPIC_QUESTION] = "question",
	[TOPIC_STATUS] = "status",
};

/* ---- words ---- */

static const struct topic_word *find(const char *word)
{
	return lookup(word, topic_words, topic_words_count, sizeof(*topic_words));
}

/* Endings that leave a word what it is: the, my, your; and -kah, which asks. */
static const struct {
	const char *ending;
	unsigned says;
} endings[] = { { "nipun", 0 }, { "ipun", 0 }, { "nya", 0 },       { "kah", TOPIC_ASK },
		{ "lah", 0 },   { "ne", 0 },   { "ku", TOPIC_ME }, { "mu", 0 },
		{ "e", 0 },     { "2", 0 } };

static const struct topic_word *find_stem(const char *word, unsigned *more)
{
	size_t len = strlen(word);

	for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
		size_t ending = strlen(endings[i].ending);
		char stem[WORD_SIZE];
		const struct topic_word *row;

		if (len < ending + 2 || strcmp(word + len - ending, endings[i].ending) != 0)
			continue;
		memcpy(stem, word, len - ending);
		stem[len - ending] = '\0';
		row = find(stem);
		if (row) {
			*more = endings[i].says;
			return row;
		}
	}
	return NULL;
}

bool topic_is_word(const char *word)
{
	unsigned more;

	return strlen(word) < WORD_SIZE && (find(word) || find_stem(word, &more));
}

bool topic_is_courtesy(const char *word, bool offices)
{
	const struct topic_word *row = find(word);

	return row && row->says & (TOPIC_GREET | TOPIC_COURTESY) &&
	       (offices || !(row->says & TOPIC_SUBJECT));
}

bool topic_is_greeting_word(const char *word)
{
	const struct topic_word *row = find(word);

	return row && row->says & TOPIC_GREET;
}

bool topic_is_subject(const char *word)
{
	const struct topic_word *row = find(word);

	return row && row->says & (TOPIC_SUBJECT | TOPIC_FACT);
}

/* ---- a text as counts ---- */

struct sum {
	unsigned of[CLASSES]; /* words of each class */
	unsigned words;
	unsigned before, last; /* what the word before said, and the last that isn't courtesy */
	bool question_mark;
	bool until;   /* "sampai kapan", "jam berapa" */
	bool strange; /* a word that is none of courtesy */
};

static unsigned count(const struct sum *sum, unsigned class)
{
	return sum->of[__builtin_ctz(class)];
}

static bool is_until(const char *word)
{
	return strcmp(word, "sampai") == 0 || strcmp(word, "sampe") == 0 ||
	       strcmp(word, "smp") == 0 || strcmp(word, "tekan") == 0;
}

static void add_word(struct sum *sum, const char *word)
{
	unsigned more = 0, says;
	const struct topic_word *row = find(word);

	if (!row)
		row = find_stem(word, &more);
	says = (row ? row->says : 0) | more;
	if (!row && strncmp(word, "di", 2) == 0 && strlen(word) >= PASSIVE_MIN)
		says = TOPIC_PASSIVE;
	if (says & TOPIC_ASK && sum->before & (TOPIC_FOLLOW | TOPIC_FACT))
		sum->until = true;
	for (unsigned rest = says; rest; rest &= rest - 1)
		sum->of[__builtin_ctz(rest)]++;
	if (is_until(word)) /* of a report only in "sampai mana" */
		sum->of[__builtin_ctz(TOPIC_FOLLOW)]--;
	if (says & TOPIC_ASK && sum->until && sum->before & TOPIC_FOLLOW)
		sum->of[__builtin_ctz(TOPIC_FOLLOW)]++;
	sum->strange |= !(says & (TOPIC_GREET | TOPIC_COURTESY)) &&
			(word[0] < '0' || word[0] > '9');
	if (!(says & TOPIC_COURTESY))
		sum->last = says;
	sum->before = says;
	sum->words++;
}

static bool is_of_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* text is in lower case; it stops at the first word that is no courtesy where only that is wanted. */
static void sum_up(struct sum *sum, struct bytes text, bool courtesy_only)
{
	char word[WORD_SIZE];
	size_t at = 0;

	while (at < text.len && sum->words < WORDS_MAX && !(courtesy_only && sum->strange)) {
		size_t start = at;

		while (at < text.len && is_of_word(text.data[at]))
			at++;
		if (at > start && at - start < sizeof(word)) {
			memcpy(word, text.data + start, at - start);
			word[at - start] = '\0';
			add_word(sum, word);
		} else if (at > start) {
			sum->strange = true;
			sum->words++;
		} else {
			sum->question_mark |= text.data[at] == '?';
			at++;
		}
	}
}

/* ---- what they mean together ---- */

/* A friend's, a swindler's or a seller's; but "lampu mati, hubungi WA..." is a report. */
static bool is_private(const struct sum *sum)
{
	unsigned private = count(sum, TOPIC_PRIVATE);

	if (count(sum, TOPIC_TROUBLE) > 0)
		return private > 2;
	return private > 1 || (private == 1 && count(sum, TOPIC_SUBJECT) < 2);
}

/* "... wis metu durung", "... gratis tidak": or not? */
static bool has_tag(const struct sum *sum)
{
	return sum->last & TOPIC_NEG && sum->words >= TAG_MIN;
}

static bool is_greeting(const struct sum *sum)
{
	return !sum->strange && count(sum, TOPIC_GREET) > 0 && sum->words <= GREETING_MAX;
}

static bool is_status(const struct sum *sum)
{
	bool mine = count(sum, TOPIC_ME) > 0 || count(sum, TOPIC_LONG) > 0;
	bool asks = count(sum, TOPIC_ASK) + count(sum, TOPIC_WHY) + count(sum, TOPIC_NEG) > 0 ||
		    sum->question_mark;

	if (count(sum, TOPIC_TICKET) == 0 || sum->words > STATUS_MAX)
		return false;
	return (mine && count(sum, TOPIC_FOLLOW) > 0) || (asks && count(sum, TOPIC_FOLLOW) > 0) ||
	       (mine && count(sum, TOPIC_ASK) > 0 && count(sum, TOPIC_SUBJECT) == 0);
}

static bool is_help(const struct sum *sum)
{
	if (count(sum, TOPIC_SUBJECT) + count(sum, TOPIC_TROUBLE) + count(sum, TOPIC_PRIVATE) > 0)
		return false;
	if (count(sum, TOPIC_HOW) > 0 && count(sum, TOPIC_USE) > 0)
		return sum->words <= HELP_MAX;
	if (sum->words > UNCLEAR_MAX)
		return false;
	if (count(sum, TOPIC_HOW) > 0 && count(sum, TOPIC_NEG) > 0)
		return true; /* "tidak tau caranya" */
	if (count(sum, TOPIC_UNCLEAR) > 0)
		return count(sum, TOPIC_NEG) + count(sum, TOPIC_ASK) + count(sum, TOPIC_HOW) +
			       count(sum, TOPIC_THIS) >
		       0;
	return count(sum, TOPIC_ASK) > 0 &&
	       (count(sum, TOPIC_THIS) > 1 || count(sum, TOPIC_SERVICE) > 0);
}

/* "jam buka kantor samsat", "harga gabah" */
static bool is_phrase(const struct sum *sum)
{
	return count(sum, TOPIC_FACT) > 0 && count(sum, TOPIC_SUBJECT) > 0 &&
	       sum->words <= PHRASE_WORDS &&
	       count(sum, TOPIC_TROUBLE) + count(sum, TOPIC_NEG) + count(sum, TOPIC_FIX) +
			       count(sum, TOPIC_WHY) ==
		       0;
}

static bool is_question(const struct sum *sum)
{
	unsigned about = count(sum, TOPIC_SUBJECT) + count(sum, TOPIC_FACT) +
			 count(sum, TOPIC_BUSY);
	unsigned asks = count(sum, TOPIC_ASK) + has_tag(sum) + sum->question_mark;

	if (asks == 0 && is_phrase(sum))
		return true;
	if (asks == 0 || about == 0 ||
	    (about == 1 && count(sum, TOPIC_SUBJECT) == 0 && asks < 2 && sum->words > 4))
		return false;
	if (count(sum, TOPIC_TROUBLE) == 0 && count(sum, TOPIC_REPORT) == 0)
		return count(sum, TOPIC_WHY) == 0 || count(sum, TOPIC_NEG) == 0;
	if (count(sum, TOPIC_SOFT) == count(sum, TOPIC_TROUBLE) && count(sum, TOPIC_ASK) > 0 &&
	    count(sum, TOPIC_LONG) + count(sum, TOPIC_NEG) + count(sum, TOPIC_FIX) +
			    count(sum, TOPIC_REPORT) ==
		    0)
		return true; /* "ktp hilang syaratnya apa" */
	return count(sum, TOPIC_ASK) > 1 ||
	       (sum->until && count(sum, TOPIC_FIX) == 0 && count(sum, TOPIC_NEG) == 0);
}

static unsigned at_most(unsigned n, unsigned most)
{
	return n < most ? n : most;
}

/* How much speaks for a problem; 0: it is none. */
static unsigned weigh_problem(const struct sum *sum)
{
	unsigned wrong = count(sum, TOPIC_TROUBLE) + count(sum, TOPIC_FIX) +
			 count(sum, TOPIC_REPORT) + count(sum, TOPIC_PASSIVE);
	unsigned about = at_most(count(sum, TOPIC_SUBJECT), 2) +
			 at_most(count(sum, TOPIC_PLACE), 1);
	unsigned not_done = count(sum, TOPIC_NEG) + count(sum, TOPIC_WHY) == 0 ? 0
			    : sum->words < NOT_DONE_MIN                        ? 2
									       : 3;

	if ((wrong == 0 && not_done == 0 && count(sum, TOPIC_PLEA) == 0) || about == 0)
		return 0;
	return 3 * count(sum, TOPIC_TROUBLE) +
	       2 * at_most(count(sum, TOPIC_FIX) + count(sum, TOPIC_PASSIVE), 2) +
	       2 * count(sum, TOPIC_REPORT) + not_done + at_most(count(sum, TOPIC_PLEA), 1) +
	       at_most(count(sum, TOPIC_LONG), 1) + about;
}

/* The start of a text in lower case. */
static struct bytes lower(struct arena *arena, struct bytes text)
{
	char *out;

	if (text.len > BYTES_MAX) {
		text.len = BYTES_MAX;
		while (text.len > 0 && ((unsigned char)text.data[text.len] & 0xC0) == 0x80)
			text.len--;
	}
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.data[i] >= 0x80)
			return utf8_fold(arena, text);
	out = arena_memdup(arena, text.data, text.len);
	for (size_t i = 0; i < text.len; i++)
		if (out[i] >= 'A' && out[i] <= 'Z')
			out[i] |= 0x20;
	return (struct bytes){ out, text.len };
}

bool topic_is_greeting(struct arena *arena, struct bytes text)
{
	struct sum sum = { 0 };

	if (text.len > BYTES_MAX)
		return false;
	sum_up(&sum, lower(arena, text), true);
	return is_greeting(&sum);
}

enum topic topic_of(struct arena *arena, struct bytes text, bool *sure)
{
	struct sum sum = { 0 };
	unsigned weight;

	sum_up(&sum, lower(arena, text), false);
	weight = weigh_problem(&sum);
	*sure = false;
	if (is_greeting(&sum))
		return TOPIC_GREETING;
	if (is_private(&sum))
		return TOPIC_NONE;
	if (is_status(&sum)) {
		*sure = count(&sum, TOPIC_FOLLOW) > 0;
		return TOPIC_STATUS;
	}
	if (is_help(&sum))
		return TOPIC_HELP;
	if (is_question(&sum))
		return TOPIC_QUESTION;
	*sure = count(&sum, TOPIC_ASK) == 0 && ((weight >= SURE && sum.words >= SURE_WORDS) ||
						(weight > ENOUGH && sum.words >= SURE_LONG));
	return weight >= ENOUGH ? TOPIC_PROBLEM : TOPIC_NONE;
}
