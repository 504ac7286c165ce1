/* answer_choice.c - which option a clause means, by its place ("2", "b", "kalih") or by its label.
 *
 * A label is looked for in ever looser ways, and the first way that finds any decides: one label is
 * the answer, two are none.  So "puas" is "Puas" though "Sangat puas" ends in it, and "kurang puas",
 * which is no label, is not made one.
 */
#include "answer_priv.h"

#include <limits.h>
#include <string.h>

#include "utf8.h"

enum { PREFIX_MIN = 3, LETTERS_MAX = 64 }; /* letters of a prefix; of a word that may be mistyped */

struct label {
	struct phrase phrase;
	const char *words, *means; /* without blanks: people leave them out */
};
struct labels {
	struct arena *arena; /* borrowed */
	struct label *label;
	unsigned count;
};

/* ---- near spellings ---- */

struct letters {
	uint32_t at[LETTERS_MAX];
	unsigned count;
};

static bool letters_of(const char *word, struct letters *out)
{
	struct bytes text = { word, strlen(word) };

	out->count = 0;
	for (size_t at = 0; at < text.len;) {
		if (out->count == LETTERS_MAX)
			return false;
		out->at[out->count++] = utf8_next(text, &at);
	}
	return true;
}

static bool is_digit(uint32_t letter)
{
	return letter - '0' < 10U;
}

static bool looks_like(uint32_t digit, uint32_t letter)
{
	return (digit == '0' && letter == 'o') ||
	       (digit == '1' && (letter == 'l' || letter == 'i'));
}

static bool may_be_other(uint32_t a, uint32_t b)
{
	return (!is_digit(a) && !is_digit(b)) || looks_like(a, b) || looks_like(b, a);
}

static unsigned fewer(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static bool is_swapped(const struct letters *a, unsigned i, const struct letters *b, unsigned j)
{
	return i + 1 < a->count && j + 1 < b->count && a->at[i] == b->at[j + 1] &&
	       a->at[i + 1] == b->at[j] && !is_digit(a->at[i]) && !is_digit(a->at[i + 1]);
}

/* Slips that make b from j on of a from i on, or more than left. */
static unsigned slips_from(const struct letters *a, unsigned i, const struct letters *b, unsigned j,
			   unsigned left)
{
	unsigned best = left + 1;

	while (i < a->count && j < b->count && a->at[i] == b->at[j])
		i++, j++;
	if (i == a->count && j == b->count)
		return 0;
	if (left == 0)
		return best;
	if (i < a->count && !is_digit(a->at[i]))
		best = fewer(best, 1 + slips_from(a, i + 1, b, j, left - 1));
	if (j < b->count && !is_digit(b->at[j]))
		best = fewer(best, 1 + slips_from(a, i, b, j + 1, left - 1));
	if (i < a->count && j < b->count && may_be_other(a->at[i], b->at[j]))
		best = fewer(best, 1 + slips_from(a, i + 1, b, j + 1, left - 1));
	if (is_swapped(a, i, b, j))
		best = fewer(best, 1 + slips_from(a, i + 2, b, j + 2, left - 1));
	return best;
}

unsigned answer_slips(const char *word, const char *meant)
{
	struct letters a, b;
	unsigned allowed, slips;

	if (strcmp(word, meant) == 0)
		return 0;
	if (!letters_of(word, &a) || !letters_of(meant, &b) || a.count == 0 || b.count < 4)
		return UINT_MAX;
	if (a.at[0] != b.at[0] && a.at[a.count - 1] != b.at[b.count - 1])
		return UINT_MAX;
	allowed = b.count < 7 ? 1 : 2;
	slips = slips_from(&a, 0, &b, 0, allowed);
	return slips <= allowed ? slips : UINT_MAX;
}

/* ---- a clause's words as a label's ---- */

static bool is_number(const struct token *token)
{
	return token->kind == NUMBER_PLAIN;
}

static bool is_same(const struct token *a, const struct token *b)
{
	if (is_number(a) || is_number(b))
		return is_number(a) && is_number(b) && a->number == b->number;
	return strcmp(a->means, b->means) == 0;
}

/* "puas banget" becomes "sangat puas"; "sekali" alone stays what it is. */
static void move_more(struct phrase *phrase)
{
	struct token *tokens = phrase->tokens;

	if (phrase->count > 0 && tokens[0].says & SAYS_MORE)
		tokens[0].means = tokens[0].word;
	for (unsigned i = 1; i < phrase->count; i++) {
		struct token more = tokens[i];
		bool had = strcmp(tokens[0].means, more.means) == 0;

		if (!(more.says & SAYS_MORE))
			continue;
		more.new_clause = tokens[0].new_clause;
		memmove(tokens + !had, tokens, i * sizeof(*tokens));
		if (!had) {
			tokens[0] = more;
			continue;
		}
		memmove(tokens + i, tokens + i + 1, (--phrase->count - i) * sizeof(*tokens));
		i--;
	}
}

/* All words of a phrase without blanks, but numbers with one, so that "1 2" isn't "12". */
static const char *join(struct arena *arena, struct phrase phrase, bool means)
{
	struct buf buf = { 0 };
	const char *out;

	for (unsigned i = 0; i < phrase.count; i++) {
		const struct token *token = &phrase.tokens[i];

		if (is_number(token))
			buf_addf(&buf, "%lld ", (long long)token->number);
		else
			buf_addstr(&buf, means ? token->means : token->word);
	}
	out = arena_strdup(arena, buf.data ? buf.data : "");
	buf_free(&buf);
	return out;
}

static struct label label_of(struct arena *arena, struct phrase phrase)
{
	struct label label = { .words = join(arena, phrase, false) };

	move_more(&phrase);
	label.phrase = phrase;
	label.means = join(arena, phrase, true);
	return label;
}

struct labels *answer_labels(struct arena *arena, const struct question *question)
{
	struct labels *labels = arena_alloc(arena, sizeof(*labels));

	labels->arena = arena;
	labels->count = question->option_count;
	labels->label = arena_alloc(arena, (labels->count + 1) * sizeof(*labels->label));
	for (unsigned i = 0; i < labels->count; i++)
		labels->label[i] = label_of(arena, answer_split(arena, question->options[i]));
	return labels;
}

/* ---- ways to mean a label ---- */

typedef bool means_cb(const struct label *said, const struct label *label);

static bool same_words(const struct label *said, const struct label *label)
{
	return strcmp(said->words, label->words) == 0;
}

static bool same_meaning(const struct label *said, const struct label *label)
{
	return strcmp(said->means, label->means) == 0;
}

static bool begins(const struct label *said, const struct label *label)
{
	struct bytes words = { said->words, strlen(said->words) };
	struct bytes means = { said->means, strlen(said->means) };

	if (is_number(&said->phrase.tokens[0]) || utf8_length(words) < PREFIX_MIN)
		return false;
	return strncmp(words.data, label->words, words.len) == 0 ||
	       strncmp(means.data, label->means, means.len) == 0;
}

/* "prmpuan", "sgt" (an n is as easily lost as a vowel): never one letter alone. */
static bool abbreviates_word(const char *word, const char *meant)
{
	if (word[0] != meant[0] || !word[0] || !word[1])
		return false;
	for (; *meant; meant++) {
		if (*word == *meant)
			word++;
		else if (!strchr("aeioun", *meant))
			return false;
	}
	return !*word;
}

static bool abbreviates(const struct label *said, const struct label *label)
{
	const struct token *words = said->phrase.tokens, *meant = label->phrase.tokens;

	if (said->phrase.count != label->phrase.count)
		return false;
	for (unsigned i = 0; i < said->phrase.count; i++) {
		if (!is_same(&words[i], &meant[i]) &&
		    (is_number(&words[i]) || is_number(&meant[i]) ||
		     !abbreviates_word(words[i].means, meant[i].means)))
			return false;
	}
	return true;
}

/* All slips of a label's words; UINT_MAX: not near. */
static unsigned slips_of(const struct label *said, const struct label *label)
{
	const struct token *words = said->phrase.tokens, *meant = label->phrase.tokens;
	unsigned sum = 0;

	if (said->phrase.count != label->phrase.count)
		return UINT_MAX;
	for (unsigned i = 0; i < said->phrase.count; i++) {
		unsigned slips = UINT_MAX;

		if (is_same(&words[i], &meant[i]))
			slips = 0;
		else if (!is_number(&words[i]) && !is_number(&meant[i]))
			slips = abbreviates_word(words[i].means, meant[i].means)
					? 1
					: answer_slips(words[i].means, meant[i].means);
		if (slips == UINT_MAX)
			return UINT_MAX;
		sum += slips;
	}
	return sum;
}

static struct reading reading_of(unsigned found, unsigned option, enum reading_kind kind)
{
	if (found == 0)
		return (struct reading){ READ_STRANGE, 0 };
	return (struct reading){ found == 1 ? kind : READ_SPOILT, option };
}

static struct reading find(const struct labels *labels, const struct label *said, means_cb *way,
			   enum reading_kind kind)
{
	unsigned found = 0, option = 0;

	for (unsigned i = 0; i < labels->count; i++) {
		if (way(said, &labels->label[i])) {
			found++;
			option = i;
		}
	}
	return reading_of(found, option, kind);
}

static struct reading find_near(const struct labels *labels, const struct label *said)
{
	unsigned found = 0, option = 0, least = UINT_MAX;

	for (unsigned i = 0; i < labels->count; i++) {
		unsigned slips = slips_of(said, &labels->label[i]);

		if (slips == UINT_MAX || slips > least)
			continue;
		found = slips < least ? 1 : found + 1;
		least = slips;
		option = i;
	}
	return reading_of(found, option, READ_NEAR);
}

/* "belum puas" is "tidak puas" where no label says "belum". */
static struct reading find_not_yet(const struct labels *labels, struct phrase content)
{
	struct phrase not = { .tokens = arena_alloc(labels->arena,
						    content.count * sizeof(*content.tokens)),
			      .count = content.count };
	struct label said;

	memcpy(not .tokens, content.tokens, content.count * sizeof(*content.tokens));
	not .tokens[0].means = "tidak";
	said = label_of(labels->arena, not );
	return find(labels, &said, same_meaning, READ_NEAR);
}

static struct reading match(const struct labels *labels, struct phrase content)
{
	static means_cb *const ways[] = { same_words, same_meaning, begins, abbreviates };
	struct label said = label_of(labels->arena, content);
	struct reading reading = { READ_STRANGE, 0 };

	for (size_t i = 0; i < ARRAY_LEN(ways) && reading.kind == READ_STRANGE; i++)
		reading = find(labels, &said, ways[i], READ_FITS);
	if (reading.kind == READ_STRANGE && said.phrase.count > 1 &&
	    strcmp(said.phrase.tokens[0].means, "sangat") == 0) {
		struct phrase less = { .tokens = said.phrase.tokens + 1,
				       .count = said.phrase.count - 1 };
		struct label milder = label_of(labels->arena, less);

		reading = find(labels, &milder, same_meaning, READ_NEAR);
	}
	if (reading.kind == READ_STRANGE && said.phrase.count > 1 &&
	    strcmp(said.phrase.tokens[0].means, "belum") == 0)
		reading = find_not_yet(labels, said.phrase);
	return reading.kind == READ_STRANGE ? find_near(labels, &said) : reading;
}

/* ---- places ---- */

static bool is_letter(const struct token *token)
{
	return !is_number(token) && token->word[0] && !token->word[1];
}

/* A label is this letter, or (begun) begins with it. */
static bool is_of_label(const struct labels *labels, char letter, bool begun)
{
	for (unsigned i = 0; i < labels->count; i++) {
		const char *words = labels->label[i].words;

		if (words[0] == letter && (begun || !words[1]))
			return true;
	}
	return false;
}

/* Which option a word names by its place: EMPTY none, SPOILT one that isn't there. */
static struct reading place_of(const struct labels *labels, const struct token *token)
{
	int64_t at = token->number - 1;

	if (is_number(token)) {
		if (at < 0 || at >= labels->count)
			return (struct reading){ READ_SPOILT, 0 };
		return (struct reading){ token->look_alike ? READ_NEAR : READ_FITS, at };
	}
	if (!is_letter(token))
		return (struct reading){ READ_EMPTY, 0 };
	at = token->word[0] - 'a';
	if (at >= 0 && at < 4 && at < labels->count && !is_of_label(labels, token->word[0], false))
		return (struct reading){ READ_FITS, at };
	if (strchr("li", token->word[0]) && !is_of_label(labels, token->word[0], true))
		return (struct reading){ READ_NEAR, 0 };
	return (struct reading){ READ_EMPTY, 0 };
}

/* The place that all of a clause's numbers and letters name; the words besides go to rest. */
static struct reading find_place(const struct labels *labels, struct phrase content,
				 struct phrase *rest)
{
	struct reading place = { READ_EMPTY, 0 };

	for (unsigned i = 0; i < content.count; i++) {
		struct reading named = place_of(labels, &content.tokens[i]);

		if (named.kind == READ_EMPTY)
			rest->tokens[rest->count++] = content.tokens[i];
		else if (place.kind == READ_EMPTY)
			place = named;
		else if (named.kind == READ_SPOILT || named.value != place.value ||
			 content.tokens[i].digits == content.tokens[i - 1].digits)
			place.kind = READ_SPOILT;
	}
	return place;
}

/* ---- clauses ---- */

static bool is_label_word(const struct labels *labels, const struct token *token)
{
	for (unsigned i = 0; i < labels->count; i++) {
		const struct phrase *label = &labels->label[i].phrase;

		for (unsigned j = 0; j < label->count; j++) {
			if (is_same(token, &label->tokens[j]))
				return true;
		}
	}
	return false;
}

static struct phrase copy(const struct labels *labels, struct phrase phrase)
{
	size_t size = phrase.count * sizeof(*phrase.tokens);
	struct token *tokens = arena_alloc(labels->arena, size + 1);

	memcpy(tokens, phrase.tokens, size);
	return (struct phrase){ .tokens = tokens, .count = phrase.count };
}

/* Without what says nothing, but labels may be made of it: "Ya", "Bapak". */
static struct phrase content_of(const struct labels *labels, struct phrase clause)
{
	struct phrase out = copy(labels, clause);

	out.count = 0;
	for (unsigned i = 0; i < clause.count; i++) {
		if (!(clause.tokens[i].says & SAYS_NOTHING) ||
		    is_label_word(labels, &clause.tokens[i]))
			out.tokens[out.count++] = clause.tokens[i];
	}
	return out;
}

/* Each word is the label's, and where the text has a comma the label has one. */
static bool is_whole(struct phrase said, struct phrase label)
{
	if (said.count != label.count)
		return false;
	for (unsigned i = 0; i < said.count; i++) {
		if (!is_same(&said.tokens[i], &label.tokens[i]) ||
		    (i > 0 && said.tokens[i].new_clause && !label.tokens[i].new_clause))
			return false;
	}
	return true;
}

struct reading answer_choice_whole(const struct labels *labels, struct phrase text)
{
	struct phrase said = content_of(labels, text);
	unsigned found = 0, option = 0;

	move_more(&said);
	for (unsigned i = 0; i < labels->count && said.count > 1; i++) {
		if (is_whole(said, labels->label[i].phrase)) {
			found++;
			option = i;
		}
	}
	return reading_of(found, option, READ_FITS);
}

/* A number alone; where a label is that number too, both must be the same option. */
static struct reading weigh_place(struct reading place, struct reading label)
{
	if (!reading_answers(label))
		return place;
	if (place.kind == READ_SPOILT)
		return label;
	return place.value == label.value ? place : (struct reading){ READ_SPOILT, 0 };
}

/* A number with other words: "2 (puas)" agrees, "4 puas" doesn't, "2 minggu" is something else. */
static struct reading weigh_both(struct reading place, struct reading label)
{
	if (label.kind == READ_STRANGE)
		return label;
	if (!reading_answers(label) || !reading_answers(place) || place.value != label.value)
		return (struct reading){ READ_SPOILT, 0 };
	return place.kind == READ_NEAR ? place : label;
}

struct reading answer_choice_clause(const struct labels *labels, struct phrase clause)
{
	struct phrase content = content_of(labels, clause);
	struct phrase rest = { .tokens = copy(labels, content).tokens };
	struct reading place, label;

	if (content.count == 0)
		return (struct reading){ READ_EMPTY, 0 };
	place = find_place(labels, content, &rest);
	label = match(labels, content);
	if (place.kind == READ_EMPTY || (rest.count > 0 && reading_answers(label)))
		return label;
	if (rest.count == 0)
		return weigh_place(place, label);
	return weigh_both(place, match(labels, rest));
}
