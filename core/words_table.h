/* words_table.h - the vocabulary that words.c reads; nothing else but its test includes it. */
#pragma once
#include "base.h"

/* What a word can do in a message; some do two things. */
#define WORDS_POLITE (UINT64_C(1) << 0)  /* please, sir, thanks, greetings: may stand anywhere */
#define WORDS_STOP (UINT64_C(1) << 1)    /* means stop alone */
#define WORDS_UNREG (UINT64_C(1) << 2)   /* the operators' word: any keyword may follow */
#define WORDS_QUIT (UINT64_C(1) << 3)    /* means stop alone, but also other things in a sentence */
#define WORDS_CHANNEL (UINT64_C(1) << 4) /* sms, message, subscription */
#define WORDS_SEND (UINT64_C(1) << 5)    /* send, contact */
#define WORDS_PEST (UINT64_C(1) << 6)    /* disturb, text */
#define WORDS_AGAIN (UINT64_C(1) << 7)   /* again, any more */
#define WORDS_MORE (UINT64_C(1) << 8)    /* with "no" */
#define WORDS_ME (UINT64_C(1) << 9)      /* I, my */
#define WORDS_NUMBER (UINT64_C(1) << 10) /* the number */
#define WORDS_NO (UINT64_C(1) << 11)     /* "no": number, or "no more" */
#define WORDS_THIS (UINT64_C(1) << 12)
#define WORDS_ALL (UINT64_C(1) << 13)
#define WORDS_PREP (UINT64_C(1) << 14)     /* to, from, of */
#define WORDS_PROHIBIT (UINT64_C(1) << 15) /* don't */
#define WORDS_NEG (UINT64_C(1) << 16)      /* not */
#define WORDS_DO (UINT64_C(1) << 17)       /* "do not" */
#define WORDS_USAH (UINT64_C(1) << 18)     /* "ga usah": no need */
#define WORDS_WANT (UINT64_C(1) << 19)     /* want, ask for */
#define WORDS_REFUSE (UINT64_C(1) << 20)   /* don't want */
#define WORDS_JOIN (UINT64_C(1) << 21)     /* take part, receive */
#define WORDS_CUKUP (UINT64_C(1) << 22)    /* enough */
#define WORDS_SUDAH (UINT64_C(1) << 23)    /* already */
#define WORDS_SERVICE (UINT64_C(1) << 24)  /* what one takes part in: common keywords */
#define WORDS_LOOKUP (UINT64_C(1) << 25)   /* what one looks up: common keywords */
#define WORDS_LIST (UINT64_C(1) << 26)     /* the list, the group */
#define WORDS_DELETE (UINT64_C(1) << 27)   /* delete, take off */
#define WORDS_HELP (UINT64_C(1) << 28)     /* means help alone */
#define WORDS_INFO (UINT64_C(1) << 29)     /* means help alone */
#define WORDS_MAIN (UINT64_C(1) << 30)     /* "menu utama" */
#define WORDS_CARA (UINT64_C(1) << 31)     /* the way, the form */
#define WORDS_HOW (UINT64_C(1) << 32)      /* how */
#define WORDS_VERB (UINT64_C(1) << 33)     /* use, type, answer */
#define WORDS_WHAT (UINT64_C(1) << 34)     /* what, who */
#define WORDS_MEANS (UINT64_C(1) << 35)    /* meaning */
#define WORDS_COST (UINT64_C(1) << 36)     /* pay, free, price */
#define WORDS_ASK (UINT64_C(1) << 37)      /* whether, how much, if */
#define WORDS_START (UINT64_C(1) << 38)
#define WORDS_CANCEL (UINT64_C(1) << 39)

struct words_entry {
	const char *word; /* folded */
	uint64_t classes;
};
extern const struct words_entry words_table[]; /* by word, rising (strcmp) */
extern const unsigned words_table_count;
