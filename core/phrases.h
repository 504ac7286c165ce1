/* phrases.h - the gateway's own texts to citizens, in their languages.
 *
 * Each fits one USSD screen and one or two SMS segments; what a plugin says is the plugin's.
 * {office}, {keywords} and {keyword} are filled in from struct phrase_holes.
 */
#pragma once
#include "base.h"

enum phrase {
	PHRASE_HELP,              /* what one can do: {office}, {keywords} */
	PHRASE_HELP_SHORT,        /* how to get help */
	PHRASE_STOPPED,           /* confirms a stop, and says how to come back */
	PHRASE_STARTED,           /* confirms the undoing of a stop */
	PHRASE_START_NOT_STOPPED, /* MULAI of one who had not stopped: {keywords} */
	PHRASE_APOLOGY,           /* a service failed, through no fault of the citizen */
	PHRASE_GREETING,          /* answers a greeting, or thanks: {office}, {keywords} */
	PHRASE_WHICH,             /* a mistyped keyword may be one of two, which are {keyword} */
	PHRASE_NOT_UNDERSTOOD,    /* says what is possible: {keywords} */
	PHRASE_EXPIRED,           /* the dialog waited too long and is over: {keyword} */
	PHRASE_EXPIRED_GONE,      /* the same, of a service that isn't there any more: {keyword} */
	PHRASE_SAME_KEYWORD, /* the dialog of this keyword is open; how to begin anew: {keyword} */
	PHRASE_CANCELLED,    /* confirms BATAL */
	PHRASE_NOTHING_TO_CANCEL,
	PHRASE_NOT_FITTING,    /* goes before the question that comes back */
	PHRASE_FIRST_QUESTION, /* there is none to go back to */
	PHRASE_BACK_BARRED,    /* what was answered before is kept already */
	PHRASE_LANGUAGE,       /* in the language that is spoken from now on */
	PHRASE_MORE_SMS,       /* the line that ends a page of SMS: LANJUT gives the next */
	PHRASE_MORE_USSD,      /* the line of a screen: 98 */
	PHRASE_BACK_USSD,      /* the line of a screen: 0 */
	PHRASE_USSD_TITLE,     /* above the root menu: {office} */
	PHRASE_USSD_BY_SMS,    /* the answer comes by SMS */
	PHRASE_USSD_RESUME,    /* above the choice to go on with a dropped session: {keyword} */
	PHRASE_USSD_GO_ON,     /* that choice */
	PHRASE_USSD_ANEW,      /* the other one */
	PHRASE_USSD_ENDED,     /* the session is over */
	PHRASE_BUSY,           /* try again soon */
	PHRASE_PAUSED,         /* a service is out of use: {keyword} */
	PHRASE_YES,            /* the first answer of a question for yes or no */
	PHRASE_NO,             /* the second */
	PHRASE_OPTIONAL,       /* below a question that may be passed over */
	PHRASE_DONE,           /* where a dialog ends and has nothing to say */
	PHRASES,
};

struct phrase_holes {         /* NULL where a phrase has no such hole */
	const char *office;   /* who runs the gateway, up to 30 characters */
	const char *keywords; /* "LAPOR, SURVEI, INFO", up to 60 characters */
	const char *keyword;  /* up to 15 characters */
};

/* language: a BCP 47 tag ("id", "jv", "en-GB"); another or NULL is Indonesian.  Ownership: in the
 * arena, with a NUL behind it. */
struct bytes phrase_text(struct arena *arena, const char *language, enum phrase phrase,
			 const struct phrase_holes *holes);

bool phrase_language_known(const char *language);
