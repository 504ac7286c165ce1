/* answer_priv.h - what the parts of answer.c share: a text as its words, and what a reading comes to. */
#pragma once
#include "answer.h"

/* What a word says; some say several things. */
#define SAYS_NOTHING (1U << 0)   /* courtesy, or talk about answering; most of "yes" too */
#define SAYS_LEAD (1U << 1)      /* "nomor", "pilih": a number follows, which may be glued to it */
#define SAYS_MORE (1U << 2)      /* "banget": "sangat" behind its word */
#define SAYS_BUT (1U << 3)       /* begins another clause: but, because, and, with */
#define SAYS_UNIT (1U << 4)      /* what is counted */
#define SAYS_OTHERWISE (1U << 5) /* makes a number another one: more than, half, to */
#define SAYS_YES (1U << 6)
#define SAYS_NO (1U << 7)
#define SAYS_WEAKLY \
	(1U << 8) /* yes or no, but not with strange words: "ada" begins any complaint */
#define SAYS_UNSURE (1U << 10)
#define SAYS_KNOW (1U << 11) /* unsure behind a "no" */
#define SAYS_PASS (1U << 12) /* passes over the question */

struct answer_word {
	const char *word;  /* folded; two words with one blank between are a pair */
	const char *means; /* the usual word for it; NULL: itself */
	unsigned says;
};
extern const struct answer_word answer_words[]; /* by word, rising (strcmp) */
extern const unsigned answer_words_count;

enum number_kind {
	NUMBER_NONE,
	NUMBER_PLAIN,
	NUMBER_TEEN,      /* "belas" */
	NUMBER_TIMES,     /* "puluh", "ratus" */
	NUMBER_THOUSANDS, /* "ribu", "juta" */
};
struct answer_number {
	const char *word;
	int64_t value;
	int64_t below; /* a number that follows and belongs to it is below that: "seratus" five */
	enum number_kind kind;
};
extern const struct answer_number answer_numbers[]; /* by word, rising (strcmp) */
extern const unsigned answer_numbers_count;

/* A word of a text, or a number of one or more words. */
struct token {
	const char *word;  /* folded */
	const char *means; /* the usual word for it; where there is none, it without held letters */
	unsigned says;
	bool known;            /* stands in a table */
	enum number_kind kind; /* NUMBER_PLAIN or NUMBER_NONE */
	int64_t number;        /* INT64_MAX: none that we can read */
	int64_t below;
	bool digits;     /* the number is written in digits */
	bool look_alike; /* with an O or an l for a digit */
	bool minus;      /* right behind a minus sign */
	bool new_clause; /* behind a comma, a full stop, a slash, a new line... */
};
struct phrase {
	struct token *tokens; /* in the arena */
	unsigned count;
	bool cut; /* there were more words */
};
enum { PHRASE_MAX = 200, PHRASE_TOKENS = 40 }; /* bytes that are looked at; words */

/* The first words of a text.  Ownership: in the arena. */
struct phrase answer_split(struct arena *arena, struct bytes text);
/* The same of what a citizen wrote, who may have mistyped a number. */
struct phrase answer_hear(struct arena *arena, struct bytes text);

enum reading_kind {
	READ_EMPTY,   /* says nothing: "pak" */
	READ_STRANGE, /* about something else */
	READ_SPOILT,  /* no answer, whatever else is said: two answers, out of range */
	READ_NEAR,
	READ_FITS,
};
struct reading {
	enum reading_kind kind;
	int64_t value; /* of near and fits: the option from 0, 1 for yes, the number */
};
static inline bool reading_answers(struct reading reading)
{
	return reading.kind >= READ_NEAR;
}

/* Whether a folded word is one of a list that NULL ends. */
bool answer_is_in(struct bytes word, const char *const *list);
/* answer_value.c: DECIMAL, DATE and PHONE. */
enum answer_fit answer_value(struct arena *arena, const struct question *question,
			     struct bytes text, struct answer *out);

/* answer_many.c: CHOICES. */
enum answer_fit answer_many(struct arena *arena, const struct question *question, struct bytes text,
			    struct answer *out);

/* The labels of a question, as words; in the arena. */
struct labels;
struct labels *answer_labels(struct arena *arena, const struct question *question);
/* The whole text is one label, marks and all: labels may hold what parts clauses elsewhere. */
struct reading answer_choice_whole(const struct labels *labels, struct phrase text);
struct reading answer_choice_clause(const struct labels *labels, struct phrase clause);
