/* topic.h - what a text without a keyword is about: a problem, a question, a report that was made; a greeting.  Pure.
 *
 * A guess, by the words that it is made of: whoever acts on one asks the citizen first.
 * Source: the reference's civic-domain.md 5 (Order of reading: free text).
 */
#pragma once
#include "base.h"

enum topic {
	TOPIC_PROBLEM,           /* "jalan desa rusak parah" */
	TOPIC_QUESTION,          /* "syarat bikin ktp apa saja" */
	TOPIC_STATUS,            /* "laporan saya sampai mana" */
	TOPICS,                  /* those that a service can take */
	TOPIC_GREETING = TOPICS, /* "terima kasih pak" */
	TOPIC_HELP,              /* "gimana cara pakai layanan ini" */
	TOPIC_NONE,
};
extern const char *const topic_names[TOPICS]; /* in manifests */

/* What a text is about; one that says so plainly (not a word or two) is sure.  text is valid UTF-8. */
enum topic topic_of(struct arena *arena, struct bytes text, bool *sure);
/* The same for a greeting alone, which is seen at its first words. */
bool topic_is_greeting(struct arena *arena, struct bytes text);
/* A word of any use in Indonesian or Javanese texts to a government, in lower case: it is no mistyped other one. */
bool topic_is_word(const char *word);
/* A word of greetings and thanks; with offices ("bupati") also what is addressed. */
bool topic_is_courtesy(const char *word, bool offices);
bool topic_is_greeting_word(const char *word);
/* What a government has to do with, or what is looked up: it may be glued to a keyword. */
bool topic_is_subject(const char *word);
