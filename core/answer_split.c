/* answer_split.c - a text as words and numbers: "kira2 dua puluh lima org" is about, 25, people.
 *
 * Read before answer.c.  Words are looked up once, here; what they mean together is the readers'.
 */
#include "answer_priv.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "lookup.h"
#include "spell.h"
#include "topic.h"
#include "utf8.h"

enum {
	WORD_SIZE = 64,   /* bytes of a word that may stand in a table */
	DIGITS_MAX = 18,  /* of a number */
	STEM_MIN = 3,     /* letters of a word without its ending */
	NEAR_MIN = 4,     /* letters of a number that may be mistyped... */
	NUMBER_COST = 6,  /* ...by so much (spell.h)... */
	MENDED_WORDS = 3, /* ...in an answer of so many words */
};

/* ---- the text without what is in the way ---- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Digits at text, up to four of them. */
static size_t digits_at(const char *text)
{
	size_t count = 0;

	while (count < 4 && is_digit(text[count]))
		count++;
	return count;
}

/* Drops the dots of "1.500" and "1.500.000" and the apostrophes of "ma'af", in place. */
static void tidy(char *text)
{
	const char *in = text;
	char *out = text;
	size_t run = 0; /* digits before in; more than three are no group */

	while (*in) {
		bool groups = run > 0 && run <= 3 && out[-(ssize_t)run] != '0';

		if (run == 0 && (*in == '\'' || strncmp(in, "\u2019", 3) == 0)) {
			in += *in == '\'' ? 1 : 3;
		} else if (*in == '.' && groups && digits_at(in + 1) == 3) {
			for (; *in == '.' && digits_at(in + 1) == 3; in += 4, out += 3)
				memmove(out, in + 1, 3);
			run = 4;
		} else {
			run = is_digit(*in) ? run + 1 : 0;
			*out++ = *in++;
		}
	}
	*out = '\0';
}

/* Where the bytes that are looked at end: at a blank, so that no word is cut. */
static size_t end_of_start(struct bytes text)
{
	size_t end = PHRASE_MAX;

	if (text.len <= PHRASE_MAX)
		return text.len;
	while (end > 0 && text.data[end] != ' ' && text.data[end] != '\n')
		end--;
	return end;
}

static char *start_of(struct arena *arena, struct bytes text)
{
	size_t len = text.data ? end_of_start(text) : 0;
	char *start = arena_memdup(arena, len > 0 ? text.data : "", len);
	struct bytes folded;

	for (size_t i = 0; i < len; i++) {
		if (start[i] == '\n' || start[i] == '\r')
			start[i] = ';'; /* folding would make it a blank */
	}
	folded = utf8_fold(arena, (struct bytes){ start, len });
	start = arena_memdup(arena, folded.data, folded.len);
	tidy(start);
	return start;
}

/* ---- words ---- */

static const struct answer_word *find_word(const char *word)
{
	return lookup(word, answer_words, answer_words_count, sizeof(*answer_words));
}

/* Without letters that were held: "puaas", "yaaa". */
static char *squeeze(struct arena *arena, const char *word)
{
	char *out = arena_strdup(arena, word);
	size_t len = 0;

	for (; *word; word++) {
		if (len == 0 || out[len - 1] != *word)
			out[len++] = *word;
	}
	out[len] = '\0';
	return out;
}

static const struct answer_number *find_number(const char *word)
{
	return lookup(word, answer_numbers, answer_numbers_count, sizeof(*answer_numbers));
}

/* Without an ending that leaves a word what it is: "ajalah", "jawabanku". */
static const struct answer_word *find_stem(const char *word)
{
	static const char *const endings[] = { "lah", "nya", "ku", "ipun", "ne", "e" };
	size_t len = strlen(word);

	for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
		size_t ending = strlen(endings[i]);
		char stem[WORD_SIZE];
		const struct answer_word *row;

		if (len < ending + STEM_MIN || len >= sizeof(stem) ||
		    strcmp(word + len - ending, endings[i]) != 0)
			continue;
		memcpy(stem, word, len - ending);
		stem[len - ending] = '\0';
		row = find_word(stem);
		if (row && row->says & (SAYS_NOTHING | SAYS_YES | SAYS_NO))
			return row;
	}
	return NULL;
}

/* The number that a mistyped word is nearest to, of those that begin as it does; NULL: it is a word of its own, or near to none. */
static const struct answer_number *find_near_number(const char *word)
{
	const struct answer_number *best = NULL;
	unsigned least = NUMBER_COST + 1;
	uint32_t letters = spell_letters(word);
	bool two = false;

	if (strlen(word) < NEAR_MIN || strlen(word) > SPELL_MAX || topic_is_word(word))
		return NULL;
	for (unsigned i = 0; i < answer_numbers_count; i++) {
		const struct answer_number *number = &answer_numbers[i];
		unsigned cost;

		if (number->word[0] != word[0] || number->kind != NUMBER_PLAIN ||
		    strlen(number->word) < NEAR_MIN ||
		    spell_lacks_more(letters, spell_letters(number->word), 1))
			continue;
		cost = spell_cost(word, number->word, NUMBER_COST);
		if (cost > least)
			continue;
		two = cost == least && best && best->value != number->value;
		least = cost;
		best = number;
	}
	return two ? NULL : best;
}

static void take_number(struct token *token, const struct answer_number *number)
{
	token->kind = number->kind;
	token->number = number->value;
	token->below = number->below;
}

static void look_up(struct arena *arena, struct token *token)
{
	const char *squeezed = squeeze(arena, token->word);
	const struct answer_word *row = find_word(token->word);
	const struct answer_number *number = find_number(token->word);

	if (!row)
		row = find_word(squeezed);
	if (!row && !number)
		number = find_number(squeezed);
	if (!row && !number)
		row = find_stem(token->word);
	token->means = row && row->means ? row->means : row ? row->word : squeezed;
	token->says = row ? row->says : 0;
	token->known = row || number;
	if (number)
		take_number(token, number);
}

/* "ktiga": in an answer of a few words, so that a sentence doesn't become a number by a slip. */
static void mend_numbers(struct arena *arena, struct phrase *phrase)
{
	for (unsigned i = 0; phrase->count <= MENDED_WORDS && i < phrase->count; i++) {
		struct token *token = &phrase->tokens[i];
		const struct answer_number *number = NULL;

		if (!token->known && !token->digits)
			number = find_near_number(squeeze(arena, token->word));
		if (!number)
			continue;
		take_number(token, number);
		token->look_alike = true;
	}
}

/* "he eh", "terima kasih": with the word before, one of the table. */
static bool joins_pair(struct token *before, const struct token *token)
{
	size_t first = strlen(before->word), second = strlen(token->word);
	const struct answer_word *row = NULL;
	char pair[WORD_SIZE];

	if (!token->new_clause && first + second + 2 <= sizeof(pair)) {
		memcpy(pair, before->word, first);
		pair[first] = ' ';
		memcpy(pair + first + 1, token->word, second + 1);
		row = find_word(pair);
	}
	if (!row)
		return false;
	before->word = row->word;
	before->means = row->means ? row->means : row->word;
	before->says = row->says;
	before->known = true;
	before->kind = NUMBER_NONE;
	return true;
}

static void read_digits(struct token *token)
{
	const char *digit = token->word;

	token->kind = NUMBER_PLAIN;
	token->digits = true;
	token->below = 1;
	while (*digit == '0')
		digit++;
	token->number = strlen(digit) <= DIGITS_MAX ? strtoll(digit, NULL, 10) : INT64_MAX;
}

/* ---- from bytes to words ---- */

struct split {
	struct arena *arena;
	const char *text;
	struct phrase out;
	bool new_clause;
};

static bool is_part_of_word(uint32_t point)
{
	utf8proc_category_t kind;

	if (point < 0x80)
		return (point | 0x20) - 'a' < 26U || point - '0' < 10U;
	kind = utf8proc_category((utf8proc_int32_t)point);
	return kind >= UTF8PROC_CATEGORY_LU && kind <= UTF8PROC_CATEGORY_NO &&
	       kind != UTF8PROC_CATEGORY_ME; /* the frame of a key */
}

static struct token *last_token(struct split *split)
{
	return split->out.count > 0 ? &split->out.tokens[split->out.count - 1] : NULL;
}

static void add_token(struct split *split, char *word, bool look_alike)
{
	struct token *before = last_token(split);
	struct token token = { .word = word,
			       .means = word,
			       .look_alike = look_alike,
			       .new_clause = split->new_clause };

	if (split->out.count == PHRASE_TOKENS) {
		split->out.cut = true;
		return;
	}
	if (is_digit(word[0]))
		read_digits(&token);
	else
		look_up(split->arena, &token);
	split->new_clause = false;
	if (!before || token.digits || !joins_pair(before, &token))
		split->out.tokens[split->out.count++] = token;
}

/* "O3", "l2", "1O", but not "5l", which is litres: the digits that were meant, or NULL. */
static char *mend_digits(struct arena *arena, const char *run, size_t len)
{
	char *out = arena_memdup(arena, run, len);
	bool has_digit = false, has_letter = false;

	for (size_t i = 0; i < len; i++) {
		if (out[i] == 'o')
			out[i] = '0';
		else if ((out[i] == 'l' || out[i] == 'i') && i + 1 < len)
			out[i] = '1';
		else if (!is_digit(out[i]))
			return NULL;
		has_letter |= out[i] != run[i];
		has_digit |= out[i] == run[i];
	}
	return has_digit && has_letter ? out : NULL;
}

/* "kira2" is "kira-kira": the 2 doubles the word.  In "nomor2" it is a number. */
static bool is_doubling(struct split *split, const char *part, size_t len, const char *run)
{
	const struct token *before = last_token(split);

	return len == 1 && *part == '2' && part - run > 1 && !is_digit(part[-1]) && before &&
	       !(before->says & SAYS_LEAD);
}

/* Letters and digits that no mark parts. */
static void add_run(struct split *split, const char *run, size_t len)
{
	char *mended = mend_digits(split->arena, run, len);
	bool minus = run > split->text && run[-1] == '-' &&
		     (run - 1 == split->text || run[-2] == ' ' || run[-2] == ';');
	unsigned first = split->out.count;

	if (mended)
		add_token(split, mended, true);
	for (size_t at = 0, end; !mended && at < len; at = end) {
		for (end = at + 1; end < len && is_digit(run[end]) == is_digit(run[at]);)
			end++;
		if (!is_doubling(split, run + at, end - at, run))
			add_token(split, arena_memdup(split->arena, run + at, end - at), false);
	}
	if (first < split->out.count)
		split->out.tokens[first].minus = minus;
}

static void split_words(struct split *split)
{
	struct bytes text = { split->text, strlen(split->text) };

	for (size_t at = 0, start = 0; start < text.len; start = at) {
		size_t end = at;

		while (at < text.len && is_part_of_word(utf8_next(text, &at)))
			end = at;
		if (end > start)
			add_run(split, text.data + start, end - start);
		if (end < at && strchr(",;./|!?", text.data[end]))
			split->new_clause = true;
	}
}

/* ---- numbers of several words ---- */

struct sum {
	int64_t total, part; /* whole thousands; what is below them */
	int64_t last, room;  /* the last that was added, and below what it had to be */
	int64_t below;       /* what is added next must be */
	int64_t total_below; /* thousands that come next must be */
};

/* false: it begins another number. */
static bool add_plain(struct sum *sum, const struct token *token)
{
	if (token->number == 0 || token->number >= sum->below)
		return false;
	sum->last = token->number;
	sum->room = sum->below;
	sum->part += token->number;
	sum->below = token->below;
	return true;
}

/* false: "dua belas belas". */
static bool multiply(struct sum *sum, const struct token *token)
{
	int64_t by = token->number;

	if (token->kind == NUMBER_THOUSANDS) {
		if (sum->part <= 0 || sum->part >= 1000 || sum->total_below <= by)
			return false;
		sum->total += sum->part * by;
		sum->part = 0;
		sum->total_below = by;
	} else {
		if (sum->last <= 0 || sum->last >= 10 || sum->last * by >= sum->room)
			return false;
		sum->part += token->kind == NUMBER_TEEN ? by : sum->last * (by - 1);
	}
	sum->last = 0;
	sum->below = token->below;
	return true;
}

/* The number at tokens, of which count words are left; *used of them are its. */
static struct token join_number(const struct token *tokens, unsigned count, unsigned *used)
{
	struct token out = tokens[0];
	struct sum sum = { .part = out.number,
			   .last = out.number,
			   .room = INT64_MAX,
			   .below = out.below,
			   .total_below = INT64_MAX };
	bool broken = out.number == INT64_MAX;
	unsigned i;

	for (i = 1; i < count && !tokens[i].new_clause && tokens[i].kind != NUMBER_NONE; i++) {
		if (tokens[i].kind != NUMBER_PLAIN)
			broken |= !multiply(&sum, &tokens[i]);
		else if (!add_plain(&sum, &tokens[i]))
			break;
		out.look_alike |= tokens[i].look_alike;
	}
	*used = i;
	out.number = broken ? INT64_MAX : sum.total + sum.part;
	out.says = broken ? SAYS_OTHERWISE : 0;
	return out;
}

static void join_numbers(struct phrase *phrase)
{
	unsigned count = 0;

	for (unsigned i = 0, used = 1; i < phrase->count; i += used) {
		struct token token = phrase->tokens[i];

		used = 1;
		if (token.kind == NUMBER_PLAIN)
			token = join_number(phrase->tokens + i, phrase->count - i, &used);
		else
			token.kind = NUMBER_NONE; /* "ribu" alone is a word */
		phrase->tokens[count++] = token;
	}
	phrase->count = count;
}

static struct phrase split_text(struct arena *arena, struct bytes text, bool mend)
{
	struct split split = { .arena = arena, .text = start_of(arena, text) };
	size_t len = strlen(split.text);
	size_t room = len < PHRASE_TOKENS ? len : PHRASE_TOKENS;

	split.out.tokens = arena_alloc(arena, (room + 1) * sizeof(struct token));
	split_words(&split);
	if (mend)
		mend_numbers(arena, &split.out);
	join_numbers(&split.out);
	return split.out;
}

struct phrase answer_split(struct arena *arena, struct bytes text)
{
	return split_text(arena, text, false);
}

struct phrase answer_hear(struct arena *arena, struct bytes text)
{
	return split_text(arena, text, true);
}
