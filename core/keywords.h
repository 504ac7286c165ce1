/* keywords.h - finds a service by the word that a citizen typed: exact, glued to what follows, or near.  Pure.
 *
 * The index is made once for a set of plugins, so that 500 keywords cost a message no more than one.
 */
#pragma once
#include "base.h"

struct arena;
struct plugin;
struct plugin_set;

struct keyword {
	const char *folded; /* in lower case; lookup() goes by it */
	const char *word;   /* in upper case; of another name the keyword that it stands for */
	size_t len;
	uint32_t letters; /* of spell_letters() */
	struct plugin *plugin;
	const char *dialog;
	bool prefix; /* may stand before any other keyword */
};

/* Makes set->keywords of all plugins that are loaded.  Ownership: in the set's arena; the plugins are borrowed. */
void keywords_index(struct plugin_set *set);
/* word is in lower case; NULL: none. */
const struct keyword *keywords_find(const struct plugin_set *set, const char *word);
/* The longest keyword that word begins with, and which leaves more than it; NULL: none. */
const struct keyword *keywords_begin(const struct plugin_set *set, const char *word);
/* The one that a mistyped word (lower case, no held letters) is nearest to.  NULL with *second NULL: none; where two services
 * are about as near, it and *second are they. */
const struct keyword *keywords_near(const struct plugin_set *set, const char *word,
				    const struct keyword **second);
/* Whether there is a keyword of two words. */
bool keywords_have_pairs(const struct plugin_set *set);
bool keywords_same_dialog(const struct keyword *a, const struct keyword *b);
