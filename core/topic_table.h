/* topic_table.h - the vocabulary that topic.c weighs; nothing else but its test includes it. */
#pragma once
#include "base.h"

/* What a word says about the text that it stands in; some say several things. */
#define TOPIC_ASK (1U << 0)       /* when, where, how much, whether */
#define TOPIC_WHY (1U << 1)       /* why, how come: asks, and complains as often */
#define TOPIC_FACT (1U << 2)      /* what is looked up: price, hours, requirements */
#define TOPIC_BUSY (1U << 3)      /* what one does at a counter: apply, pay, get */
#define TOPIC_SUBJECT (1U << 4)   /* what a government has to do with */
#define TOPIC_PLACE (1U << 5)     /* where */
#define TOPIC_TROUBLE (1U << 6)   /* broken, dark, stolen, late */
#define TOPIC_NEG (1U << 7)       /* not, not yet, seldom */
#define TOPIC_PLEA (1U << 8)      /* please, at once */
#define TOPIC_FIX (1U << 9)       /* what is to be done about it */
#define TOPIC_REPORT (1U << 10)   /* says itself that it reports */
#define TOPIC_LONG (1U << 11)     /* for how long */
#define TOPIC_TICKET (1U << 12)   /* a report that was made */
#define TOPIC_FOLLOW (1U << 13)   /* what became of it */
#define TOPIC_ME (1U << 14)       /* I, my */
#define TOPIC_PRIVATE (1U << 15)  /* for a friend, or from a swindler or a seller */
#define TOPIC_GREET (1U << 16)    /* a greeting or thanks */
#define TOPIC_COURTESY (1U << 17) /* goes with one */
#define TOPIC_HOW (1U << 18)      /* the way, the form, how */
#define TOPIC_USE (1U << 19)      /* what is done with our services */
#define TOPIC_UNCLEAR (1U << 20)  /* understand, meaning */
#define TOPIC_THIS (1U << 21)     /* this service */
#define TOPIC_SOFT (1U << 22)     /* trouble, unless it is asked about: a lost card, dried rice */
#define TOPIC_PASSIVE (1U << 23)  /* something was done; by its form, so of no word in the table */
#define TOPIC_SERVICE (1U << 24)  /* what we offer: services, menu */

struct topic_word {
	const char *word; /* folded, ASCII */
	unsigned says;
};
extern const struct topic_word topic_words[]; /* by word, rising (strcmp) */
extern const unsigned topic_words_count;
