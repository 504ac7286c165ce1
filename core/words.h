/* words.h - what a citizen's words mean before any plugin sees them: stop, start, help; keywords.
 *
 * Source: civic-domain.md 5 and 6 of the reference: words of Indonesia and of carriers elsewhere.
 */
#pragma once
#include "base.h"

enum word {
	WORD_NONE,
	WORD_STOP,   /* ends all that wasn't asked for, and the dialog in front */
	WORD_START,  /* undoes a stop */
	WORD_HELP,
	WORD_CANCEL, /* BATAL: ends the dialog in front alone */
};
/* The whole message, any case, blanks and punctuation: "STOP", " Berhenti! ", "unreg all", "jangan sms saya lagi".
 * "stop kontak", "bantuan beras" and "info jalan" are WORD_NONE. */
enum word words_whole(struct bytes text);

/* Takes the first word as a keyword: folded to upper case, ended by a blank or one of . , : ; # * / - _ = or a newline.
 * rest is what follows, without the separators.  Both lie in the arena (rest points into text).  keyword is "" where there is none. */
void words_split(struct arena *arena, struct bytes text, const char **keyword, struct bytes *rest);
