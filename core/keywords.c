/* keywords.c - finds a service by the word that a citizen typed.
 *
 * Keywords lie in order of the alphabet, so that one is found by halving; a near one is looked for among all, but for most a
 * comparison of their letters as bits shows at once that they are too far.
 */
#include "keywords.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lookup.h"
#include "plugin.h"
#include "spell.h"

enum {
	GLUED_MIN = 3, /* letters of a keyword that may be glued to what follows */
	APART = 3,     /* tenths of a slip by which the nearest must be nearer than the next */
	SLIPS_MAX = 2, /* letters that a near word may lack */
};

struct keywords {
	struct keyword *all; /* by folded */
	unsigned count;
	bool pairs; /* some are of two words */
};

static int by_folded(const void *a, const void *b)
{
	return strcmp(((const struct keyword *)a)->folded, ((const struct keyword *)b)->folded);
}

static void add(struct plugin_set *set, struct plugin *plugin, const struct plugin_keyword *row,
		bool prefix)
{
	char *folded = arena_strdup(&set->arena, row->keyword);

	for (char *c = folded; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	set->keywords->pairs |= strchr(folded, ' ') != NULL;
	set->keywords->all[set->keywords->count++] = (struct keyword){
		.word = row->means ? row->means : row->keyword,
		.folded = folded,
		.len = strlen(folded),
		.letters = spell_letters(folded),
		.plugin = plugin,
		.dialog = row->dialog,
		.prefix = prefix,
	};
}

void keywords_index(struct plugin_set *set)
{
	unsigned count = 0;

	for (unsigned i = 0; i < set->count; i++)
		if (!set->plugins[i].error)
			count += set->plugins[i].keyword_count + set->plugins[i].alias_count +
				 set->plugins[i].prefix_count;
	set->keywords = arena_alloc(&set->arena, sizeof(*set->keywords));
	set->keywords->all = arena_alloc(&set->arena, (count + 1) * sizeof(*set->keywords->all));
	for (unsigned i = 0; i < set->count; i++) {
		struct plugin *plugin = &set->plugins[i];

		for (unsigned k = 0; !plugin->error && k < plugin->keyword_count; k++)
			add(set, plugin, &plugin->keywords[k], false);
		for (unsigned k = 0; !plugin->error && k < plugin->alias_count; k++)
			add(set, plugin, &plugin->aliases[k], false);
		for (unsigned k = 0; !plugin->error && k < plugin->prefix_count; k++)
			add(set, plugin, &plugin->prefixes[k], true);
	}
	qsort(set->keywords->all, count, sizeof(*set->keywords->all), by_folded);
}

const struct keyword *keywords_find(const struct plugin_set *set, const char *word)
{
	if (!set->keywords)
		return NULL;
	return lookup(word, set->keywords->all, set->keywords->count, sizeof(struct keyword));
}

const struct keyword *keywords_begin(const struct plugin_set *set, const char *word)
{
	char start[SPELL_MAX + 1];
	size_t len = strlen(word);

	if (len > SPELL_MAX)
		len = SPELL_MAX;
	else if (len > 0)
		len--;
	memcpy(start, word, len);
	for (; len >= GLUED_MIN; len--) {
		const struct keyword *found;

		start[len] = '\0';
		found = keywords_find(set, start);
		if (found)
			return found;
	}
	return NULL;
}

bool keywords_have_pairs(const struct plugin_set *set)
{
	return set->keywords && set->keywords->pairs;
}

bool keywords_same_dialog(const struct keyword *a, const struct keyword *b)
{
	return a->plugin == b->plugin && strcmp(a->dialog, b->dialog) == 0;
}

/* The two nearest, of different dialogs. */
struct nearest {
	const struct keyword *best, *next;
	unsigned best_cost, next_cost;
};

static void weigh(struct nearest *near, const struct keyword *keyword, unsigned cost)
{
	if (cost < near->best_cost) {
		if (near->best && !keywords_same_dialog(near->best, keyword)) {
			near->next = near->best;
			near->next_cost = near->best_cost;
		}
		near->best = keyword;
		near->best_cost = cost;
	} else if (cost < near->next_cost && !keywords_same_dialog(near->best, keyword)) {
		near->next = keyword;
		near->next_cost = cost;
	}
}

const struct keyword *keywords_near(const struct plugin_set *set, const char *word,
				    const struct keyword **second)
{
	struct nearest near = { .best_cost = SPELL_FAR, .next_cost = SPELL_FAR };
	uint32_t letters = spell_letters(word);
	size_t len = strlen(word);

	*second = NULL;
	for (unsigned i = 0; set->keywords && i < set->keywords->count; i++) {
		const struct keyword *keyword = &set->keywords->all[i];
		unsigned cost;

		if (keyword->prefix || len > keyword->len + SLIPS_MAX ||
		    keyword->len > len + SLIPS_MAX ||
		    spell_lacks_more(letters, keyword->letters, SLIPS_MAX))
			continue;
		cost = spell_cost(word, keyword->folded, spell_room(keyword->len));
		if (cost != SPELL_FAR)
			weigh(&near, keyword, cost);
	}
	if (near.next && near.next_cost < near.best_cost + APART)
		*second = near.next;
	return near.best;
}
