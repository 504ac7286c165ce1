/* answer.h - what a citizen's text means as the answer to a question that waits: pure.
 *
 * People write "2", "2.", "(2)", "b", "dua", "kalih", "puas", "pues": all are the second of "Sangat puas, Puas".
 * What is certain fits, what is probable is near (taken after keywords were looked for), and where two answers are as
 * likely it is asked again.
 * Source: the reference's civic-domain.md 5 and data/yes-no-words.csv; design 3 (the order of reading).
 */
#pragma once
#include "base.h"

enum answer_kind {
	ANSWER_TEXT,    /* any text of min to max characters */
	ANSWER_INTEGER, /* a whole number from min to max */
	ANSWER_CHOICE,  /* one of the options */
	ANSWER_YES_NO,
	ANSWER_DECIMAL, /* a number from min to max, which are thousandths */
	ANSWER_DATE,    /* a day from min to max, which are days since 1970-01-01 */
	ANSWER_PHONE,
	ANSWER_CHOICES, /* one or more of the options */
	ANSWER_KINDS,
};
enum { DECIMAL_PARTS = 1000 };

struct question {
	enum answer_kind kind;
	bool optional; /* may be passed over: "-", "0" where 0 is no answer, "lewati", "skip", "tidak ada" */
	int64_t min, max;            /* TEXT: characters; INTEGER: the number */
	const struct bytes *options; /* CHOICE: labels in order, valid UTF-8 */
	unsigned option_count;       /* 1 to 99 */
	int64_t today;               /* DATE: the day that it is, as min and max */
	const char *country; /* PHONE: of numbers without one, as msisdn.h has it; NULL none */
};

enum answer_fit {
	ANSWER_FITS, /* certain: take it before anything else is looked for */
	ANSWER_NEAR, /* a near spelling of one answer alone */
	ANSWER_NONE, /* no answer, or as near to two: ask again */
};

struct answer {
	bool skipped; /* optional, and passed over; the rest is unset then */
	struct bytes
		text;   /* TEXT: without blanks at the ends; DATE: "1945-08-17"; PHONE: "+62..." */
	double decimal; /* DECIMAL */
	uint64_t chosen[2]; /* CHOICES: see answer_chosen */
	int64_t integer;    /* INTEGER */
	unsigned option;    /* CHOICE: from 0 */
	bool yes;           /* YES_NO */
};

/* text is valid UTF-8, as the citizen wrote it; of all but a TEXT only the first 200 bytes count.
 * A choice by its number needs labels that are no such number: of "0", "1", "2" a "1" is NONE, as it may be the first or the second.
 * A letter a to d is the option in that place, unless a label is that letter.  A number with strange words around is NEAR.
 * out is of use where it isn't NONE.  Ownership: in the arena. */
enum answer_fit answer_read(struct arena *arena, const struct question *question, struct bytes text,
			    struct answer *out);

/* Whether the option, from 0, is one of the CHOICES. */
bool answer_chosen(const struct answer *answer, unsigned option);
/* A day, as min and max are, as "1945-08-17".  Ownership: in the arena. */
struct bytes answer_date(struct arena *arena, int64_t days);

/* Whether a mistyped word (folded) means another (folded): one letter wrong, missing, too many or swapped with its neighbour in a word
 * of 4 letters, two in one of 7 and more; at least its first or its last letter is right; digits are never letters but for 0 and o, 1 and l
 * or i, which are a slip too. The count of slips, 0 for the word itself however short, or UINT_MAX: not near. */
unsigned answer_slips(const char *word, const char *meant);
