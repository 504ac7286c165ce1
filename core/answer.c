/* answer.c - what a citizen's text means as the answer to a question that waits: pure.
 *
 * A text is read clause by clause, since people explain themselves: "puas, cuma antri lama" answers
 * in its first clause.  A clause that plainly says another answer undoes the first: "2/3", "y/t";
 * one that merely sounds like another doesn't: "ya tapi blm semua" is a yes.  Read after
 * answer_split.c (words) and before answer_choice.c (labels).
 */
#include "answer.h"

#include <limits.h>
#include <string.h>
#include <utf8proc.h>

#include "answer_priv.h"
#include "spell.h"
#include "topic.h"
#include "utf8.h"

enum {
	TAIL_MAX = 8, /* strange words behind a yes or a no that is still taken for one */
	NEARLY_APART =
		3, /* tenths of a slip by which a mistyped word must be nearer to one than to the other */
};

/* What the readers of clauses need. */
struct reader {
	const struct question *question;
	const struct labels *labels; /* of a choice */
};
typedef struct reading clause_cb(const struct reader *reader, struct phrase clause);

static const struct reading read_empty = { READ_EMPTY, 0 };
static const struct reading read_strange = { READ_STRANGE, 0 };
static const struct reading read_spoilt = { READ_SPOILT, 0 };

/* ---- a choice ---- */

static struct reading choice_clause(const struct reader *reader, struct phrase clause)
{
	return answer_choice_clause(reader->labels, clause);
}

/* ---- a whole number ---- */

/* The number of a clause, the same in words behind digits counting once; strange: words that
 * neither lead to a number nor name what is counted. */
struct count {
	const struct token *number;
	unsigned strange;
	bool spoilt;
};

static void count_token(struct count *count, const struct token *token)
{
	if (token->says & (SAYS_OTHERWISE | SAYS_UNSURE))
		count->spoilt = true;
	else if (token->says & SAYS_NO && !(token->says & SAYS_LEAD))
		count->spoilt = true; /* "bukan 5" */
	else if (token->kind == NUMBER_PLAIN && !count->number)
		count->number = token;
	else if (token->kind == NUMBER_PLAIN)
		count->spoilt |= count->number->number != token->number ||
				 count->number->digits == token->digits;
	else if (!(token->says & (SAYS_NOTHING | SAYS_YES)) &&
		 !(token->says & SAYS_UNIT && count->number))
		count->strange++;
}

static struct reading integer_clause(const struct reader *reader, struct phrase clause)
{
	struct count count = { 0 };
	int64_t value;

	for (unsigned i = 0; i < clause.count; i++)
		count_token(&count, &clause.tokens[i]);
	if (count.spoilt)
		return read_spoilt;
	if (!count.number)
		return count.strange > 0 ? read_strange : read_empty;
	value = count.number->minus ? -count.number->number : count.number->number;
	if (value < reader->question->min || value > reader->question->max)
		return count.strange > 0 ? read_strange : read_spoilt;
	return (struct reading){ count.strange > 0 || count.number->look_alike ? READ_NEAR
									       : READ_FITS,
				 value };
}

/* ---- yes or no ---- */

/* What the words of a clause have said so far. */
struct stand {
	unsigned before; /* what the last word said */
	bool yes, no, unsure, firm, near;
	unsigned content, strange;
};

/* An l or an I that was meant as a 1. */
static bool is_like_one(const struct token *token)
{
	return strcmp(token->word, "l") == 0 || strcmp(token->word, "i") == 0;
}

/* What a word says here, where 1 is yes and 2 is no. */
static unsigned says_here(struct phrase clause, unsigned i)
{
	const struct token *token = &clause.tokens[i];

	if (is_like_one(token))
		return SAYS_YES | SAYS_WEAKLY;
	if (token->kind == NUMBER_PLAIN && i + 1 < clause.count &&
	    clause.tokens[i + 1].says & SAYS_UNIT)
		return SAYS_NOTHING; /* "sudah 2 kali" */
	if (token->says & SAYS_UNIT && i > 0 && clause.tokens[i - 1].kind == NUMBER_PLAIN)
		return SAYS_NOTHING;
	if (token->kind == NUMBER_PLAIN && (token->number == 1 || token->number == 2))
		return SAYS_WEAKLY | (token->number == 1 ? SAYS_YES : SAYS_NO);
	if (token->says & SAYS_LEAD && i + 1 < clause.count &&
	    clause.tokens[i + 1].kind == NUMBER_PLAIN)
		return SAYS_NOTHING;
	return token->says;
}

static void hear_answer(struct stand *stand, unsigned says)
{
	bool denies = stand->before & SAYS_NO && !(stand->before & SAYS_WEAKLY);

	if (stand->content++ == 0)
		stand->firm = !(says & SAYS_WEAKLY);
	if (denies && says & SAYS_WEAKLY && says & SAYS_NO)
		stand->unsure = true; /* "tidak salah" */
	else if (says & SAYS_NO)
		stand->no = true;
	else if (!denies || !(says & SAYS_WEAKLY)) /* "tidak pernah" says no more than "tidak" */
		stand->yes = true;
}

static void hear(struct stand *stand, const struct token *token, unsigned says)
{
	bool lone_ya = stand->no && strcmp(token->word, "ya") == 0; /* "tidak ya": right? */

	stand->near |= token->look_alike || is_like_one(token) || lone_ya;
	if (says & SAYS_UNSURE || (says & SAYS_KNOW && stand->before & SAYS_NO))
		stand->unsure = true;
	else if (says & (SAYS_YES | SAYS_NO) && !lone_ya)
		hear_answer(stand, says);
	else if (!(says & (SAYS_NOTHING | SAYS_MORE))) {
		stand->content++;
		stand->strange++;
	}
	stand->before = says;
}

/* What a mistyped word says: yes, no, or 0 where it is near to neither, or to both. */
static unsigned says_nearly(const char *word)
{
	unsigned least[2] = { SPELL_FAR, SPELL_FAR }; /* of no, of yes */
	uint32_t letters = spell_letters(word);

	if (strlen(word) > SPELL_MAX || topic_is_word(word))
		return 0;
	for (unsigned i = 0; i < answer_words_count; i++) {
		const struct answer_word *row = &answer_words[i];
		unsigned cost, yes = row->says & SAYS_YES ? 1 : 0;

		if (!(row->says & (SAYS_YES | SAYS_NO)) ||
		    spell_lacks_more(letters, spell_letters(row->word), 2))
			continue;
		cost = spell_cost(word, row->word, spell_room(strlen(row->word)));
		if (cost < least[yes])
			least[yes] = cost;
	}
	if (least[0] == least[1])
		return 0;
	if (least[0] < least[1])
		return least[0] + NEARLY_APART <= least[1] ? SAYS_NO : 0;
	return least[1] + NEARLY_APART <= least[0] ? SAYS_YES : 0;
}

/* The one answer that a mistyped word is near to: "tidka". */
static struct reading near_yes_no(struct phrase clause)
{
	unsigned says = 0;

	for (unsigned i = 0; i < clause.count; i++)
		if (!clause.tokens[i].says && !clause.tokens[i].known)
			says |= says_nearly(clause.tokens[i].word);
	if (says != SAYS_YES && says != SAYS_NO)
		return read_strange;
	return (struct reading){ READ_NEAR, says == SAYS_YES };
}

static struct reading yes_no_clause(const struct reader *reader UNUSED, struct phrase clause)
{
	struct stand stand = { 0 };

	for (unsigned i = 0; i < clause.count; i++)
		hear(&stand, &clause.tokens[i], says_here(clause, i));
	if (stand.unsure)
		return stand.strange > 0 && !stand.yes && !stand.no ? read_strange : read_spoilt;
	if (stand.yes && stand.no)
		return read_spoilt;
	if (stand.content == 0)
		return read_empty;
	if (!stand.yes && !stand.no)
		return stand.content == 1 ? near_yes_no(clause) : read_strange;
	if (stand.strange > 0 && (!stand.firm || stand.strange > TAIL_MAX))
		return read_strange;
	return (struct reading){ stand.strange > 0 || stand.near ? READ_NEAR : READ_FITS,
				 stand.yes };
}

/* ---- clauses together ---- */

/* Adds what the next clause says. */
static void combine(struct reading *sum, struct reading next, bool skips_strange)
{
	if (sum->kind == READ_SPOILT || next.kind == READ_EMPTY)
		return;
	if (next.kind == READ_SPOILT) {
		*sum = next;
	} else if (!reading_answers(*sum)) {
		if (sum->kind == READ_STRANGE && reading_answers(next))
			next.kind = skips_strange ? READ_NEAR : READ_STRANGE;
		*sum = next;
	} else if (!reading_answers(next) || next.value != sum->value) {
		sum->kind = next.kind == READ_FITS ? READ_SPOILT : READ_NEAR;
	}
}

static struct reading read_clauses(const struct reader *reader, struct phrase text,
				   clause_cb *read_clause)
{
	bool skips_strange = reader->question->kind == ANSWER_INTEGER;
	struct reading sum = read_empty;

	for (unsigned start = 0, end; start < text.count; start = end) {
		unsigned first = (text.tokens[start].says & SAYS_BUT) ? start + 1 : start;

		for (end = start + 1; end < text.count && !text.tokens[end].new_clause &&
				      !(text.tokens[end].says & SAYS_BUT);)
			end++;
		combine(&sum,
			read_clause(reader, (struct phrase){ .tokens = text.tokens + first,
							     .count = end - first }),
			skips_strange);
	}
	return sum;
}

static struct reading read_choice(struct arena *arena, const struct question *question,
				  struct phrase text)
{
	struct reader reader = { question, answer_labels(arena, question) };
	struct reading whole = answer_choice_whole(reader.labels, text);

	return reading_answers(whole) ? whole : read_clauses(&reader, text, choice_clause);
}

static struct reading read_words(struct arena *arena, const struct question *question,
				 struct phrase text)
{
	struct reader reader = { .question = question };

	if (text.cut)
		return read_strange; /* as good as an essay */
	switch (question->kind) {
	case ANSWER_CHOICE:
		return read_choice(arena, question, text);
	case ANSWER_INTEGER:
		return read_clauses(&reader, text, integer_clause);
	case ANSWER_YES_NO:
		return read_clauses(&reader, text, yes_no_clause);
	default:
		break;
	}
	return read_strange;
}

/* ---- text, and nothing ---- */

static bool is_blank(uint32_t point)
{
	utf8proc_category_t kind = utf8proc_category((utf8proc_int32_t)point);

	return kind == UTF8PROC_CATEGORY_CC || kind == UTF8PROC_CATEGORY_CF ||
	       (kind >= UTF8PROC_CATEGORY_ZS && kind <= UTF8PROC_CATEGORY_ZP);
}

static struct bytes trim(struct bytes text)
{
	size_t start = text.len, end = 0;

	for (size_t at = 0, before = 0; at < text.len; before = at) {
		if (is_blank(utf8_next(text, &at)))
			continue;
		if (before < start)
			start = before;
		end = at;
	}
	return end > start ? (struct bytes){ text.data + start, end - start }
			   : (struct bytes){ "", 0 };
}

static enum answer_fit read_text(struct arena *arena, const struct question *question,
				 struct bytes text, struct answer *out)
{
	int64_t length;

	text = trim(text);
	length = (int64_t)utf8_length(text);
	if (length < 1 || length < question->min || length > question->max)
		return ANSWER_NONE;
	out->text = arena_bytes(arena, text.data, text.len);
	return ANSWER_FITS;
}

static bool is_dash(struct bytes text)
{
	text = trim(text);
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] != '-')
			return false;
	}
	return text.len > 0;
}

/* "-", "lewati saja", "tidak ada pak", "0". */
static bool passes(struct phrase words, struct bytes text)
{
	const struct token *said[2];
	unsigned count = 0;

	if (is_dash(text))
		return true;
	if (text.len > PHRASE_MAX)
		return false;
	for (unsigned i = 0; i < words.count; i++) {
		if (words.tokens[i].says & SAYS_NOTHING)
			continue;
		if (count == ARRAY_LEN(said))
			return false;
		said[count++] = &words.tokens[i];
	}
	if (count == 1)
		return said[0]->says & SAYS_PASS || (said[0]->digits && said[0]->number == 0);
	return count == 2 && strcmp(said[0]->means, "tidak") == 0 &&
	       strcmp(said[1]->means, "ada") == 0;
}

static enum answer_fit give(const struct question *question, struct reading reading,
			    struct answer *out)
{
	if (!reading_answers(reading))
		return ANSWER_NONE;
	if (question->kind == ANSWER_INTEGER)
		out->integer = reading.value;
	else if (question->kind == ANSWER_CHOICE)
		out->option = (unsigned)reading.value;
	else
		out->yes = reading.value != 0;
	return reading.kind == READ_FITS ? ANSWER_FITS : ANSWER_NEAR;
}

enum answer_fit answer_read(struct arena *arena, const struct question *question, struct bytes text,
			    struct answer *out)
{
	struct phrase words = answer_hear(arena, text);
	struct reading reading = read_words(arena, question, words);

	*out = (struct answer){ 0 };
	if (question->optional && reading.kind != READ_FITS && passes(words, text)) {
		out->skipped = true;
		return ANSWER_FITS;
	}
	if (question->kind == ANSWER_TEXT)
		return read_text(arena, question, text, out);
	if (question->kind == ANSWER_CHOICES)
		return answer_many(arena, question, text, out);
	if (question->kind >= ANSWER_DECIMAL)
		return answer_value(arena, question, text, out);
	return give(question, reading, out);
}
