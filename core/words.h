/* words.h - what a citizen's words mean before any plugin sees them: stop, start, help; keywords.
 *
 * Source: civic-domain.md 5 and 6 of the reference: words of Indonesia and of carriers elsewhere.
 */
#pragma once
#include "base.h"

enum word {
	WORD_NONE,
	WORD_STOP,  /* ends all that wasn't asked for, and the dialog in front */
	WORD_START, /* undoes a stop */
	WORD_HELP,
	WORD_DECLINE, /* a stop, but for an answer where it is asked whether one wants: "tidak mau ikut survei ini" */
	WORD_CANCEL, /* BATAL: ends the dialog in front alone */
};
/* What the whole message means, in any case, with blanks, marks, politeness and one slip of the
 * thumb: "STOP", " Berhenti! ", "tolong stop ya pak", "unreg bola", "jangan sms saya lagi", "stpo".
 * WORD_NONE where one word is about something else: "stop kontak", "bantuan beras", "info jalan".
 * INFO alone is WORD_HELP; where a service has that keyword, the caller may prefer the service.
 * YES is never WORD_START: it would take away the answer to a question. */
enum word words_whole(struct bytes text);

/* What a whole message says about the way through a dialog, whatever its question is. */
enum way {
	WAY_NONE,
	WAY_BACK,          /* "kembali", "wangsul", "back": to the question before */
	WAY_REPEAT,        /* "ulang", "baleni", "repeat": the question again */
	WAY_LANGUAGE,      /* "bahasa jawa", "basa Jawa", "english please" */
	WAY_LANGUAGE_WEAK, /* "jawa" alone, which may as well be an answer */
};
/* Marks, blanks and politeness around don't matter.  language: "id", "jv" or "en" where it is about that. */
enum way words_way(struct arena *arena, struct bytes text, const char **language);

/* Takes the first word as a keyword, folded to upper case: it ends at the first character that is
 * neither letter nor digit (a blank, a newline, any of . , : ; # * / - _ =).  rest is what follows,
 * without the separators and the blanks at its end.  Where there is no keyword, or one of more than
 * 64 bytes, keyword is "" and rest is all of it.
 * Ownership: keyword lies in the arena, rest in text. */
void words_split(struct arena *arena, struct bytes text, const char **keyword, struct bytes *rest);
/* A word of the vocabulary that words_whole reads, in lower case. */
bool words_is_own(const char *word);
/* "tolong", "pak", "ya": it adds nothing to what is said; in lower case. */
bool words_is_polite(const char *word);
/* One that may stand before a keyword: "tolong", "saya mau", "mohon izin"; in lower case. */
bool words_may_lead(const char *word);
