/* answer_many.c - several of some options: "1,3", "1 dan 3", "13", "jalan sama air", "semua".
 *
 * The text is cut into pieces, and each must be one option, by the same rules as where one is asked for.
 */
#include <ctype.h>
#include <string.h>

#include "answer_priv.h"
#include "utf8.h"

enum { MANY_BYTES = 200 };

static const char *const joiners[] = { "dan",     "lan",   "and",  "sama", "karo",
				       "kaliyan", "serta", "plus", NULL };
static const char *const everything[] = { "semua", "semuanya", "kabeh", "sedaya", "all", NULL };

bool answer_is_in(struct bytes word, const char *const *list)
{
	for (; *list; list++)
		if (strlen(*list) == word.len && memcmp(*list, word.data, word.len) == 0)
			return true;
	return false;
}

static void choose(struct answer *out, unsigned option)
{
	out->chosen[option / 64] |= UINT64_C(1) << (option % 64);
}

bool answer_chosen(const struct answer *answer, unsigned option)
{
	return answer->chosen[option / 64] >> (option % 64) & 1;
}

/* One piece; the worse of what it is and what was so far. */
static enum answer_fit add_piece(struct arena *arena, const struct question *question,
				 struct bytes piece, enum answer_fit so_far, struct answer *out)
{
	struct question one = *question;
	struct answer answer;
	enum answer_fit fit;

	one.kind = ANSWER_CHOICE;
	one.optional = false;
	fit = answer_read(arena, &one, piece, &answer);
	if (fit == ANSWER_NONE)
		return ANSWER_NONE;
	choose(out, answer.option);
	return fit == ANSWER_FITS ? so_far : ANSWER_NEAR;
}

static bool is_number(struct bytes word)
{
	for (size_t i = 0; i < word.len; i++)
		if (!isdigit((unsigned char)word.data[i]))
			return false;
	return word.len > 0;
}

/* "13" of fewer than ten options is the first and the third. */
static enum answer_fit read_digits(const struct question *question, struct bytes text,
				   struct answer *out)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned option = (unsigned)(text.data[i] - '0');

		if (option < 1 || option > question->option_count || answer_chosen(out, option - 1))
			return ANSWER_NONE;
		choose(out, option - 1);
	}
	return ANSWER_NEAR;
}

/* The next word of the piece that begins at *at, or an end: a joiner, a mark, a blank between two numbers. */
static struct bytes next_piece(struct bytes text, size_t *at)
{
	static const char marks[] = ",;+&/\n.";
	static const char blanks[] = " \t\r";
	size_t start, end;
	bool number = false;

	while (*at < text.len && (strchr(marks, text.data[*at]) || strchr(blanks, text.data[*at])))
		++*at;
	for (start = end = *at; *at < text.len && !strchr(marks, text.data[*at]);) {
		size_t from = *at;
		struct bytes word;

		while (*at < text.len && !strchr(marks, text.data[*at]) &&
		       !strchr(blanks, text.data[*at]))
			++*at;
		word = (struct bytes){ text.data + from, *at - from };
		if (answer_is_in(word, joiners))
			break;
		if (end > start && (number || is_number(word))) {
			*at = from; /* "1 3", "1 air" */
			break;
		}
		number = is_number(word);
		end = *at;
		while (*at < text.len && strchr(blanks, text.data[*at]))
			++*at;
	}
	return (struct bytes){ text.data + start, end - start };
}

enum answer_fit answer_many(struct arena *arena, const struct question *question, struct bytes text,
			    struct answer *out)
{
	struct bytes folded = utf8_fold(arena, text), piece;
	enum answer_fit fit = ANSWER_FITS;
	unsigned pieces = 0;
	size_t at = 0;

	if (text.len > MANY_BYTES)
		return ANSWER_NONE;
	if (answer_is_in(folded, everything)) {
		for (unsigned i = 0; i < question->option_count; i++)
			choose(out, i);
		return ANSWER_FITS;
	}
	if (question->option_count < 10 && folded.len > 1 && is_number(folded))
		return read_digits(question, folded, out);
	/* A label may hold what parts pieces elsewhere. */
	if (add_piece(arena, question, text, ANSWER_FITS, out) == ANSWER_FITS)
		return ANSWER_FITS;
	*out = (struct answer){ 0 };
	for (; at < folded.len && fit != ANSWER_NONE; pieces += piece.len > 0) {
		piece = next_piece(folded, &at);
		if (piece.len > 0)
			fit = add_piece(arena, question, piece, fit, out);
	}
	return pieces > 0 ? fit : ANSWER_NONE;
}
