/* search_index.c - builds the search's index.
 *
 * Words get their numbers in the order of their bytes, so that all words with the same beginning are one range, and
 * their rows one range of postings.  Near words share a deletion: each word is in the buckets of its first letters
 * without up to two of them, and what a bucket gives is compared letter by letter.  So no hash is stored beside a word, and a
 * collision costs a comparison.  Everything is an array of numbers: nothing is allocated for a row or a word.
 */
#include <stdlib.h>
#include <string.h>

#include "search_priv.h"

enum { WEIGHT_LEAST = 8, WEIGHT_STEP = 16, WEIGHT_MAX = 400 };

/* While rows are added: words by the order in which they came. */
struct search_building {
	struct buf texts;
	struct buf starts;    /* uint32_t: each word's text */
	struct buf row_words; /* uint32_t */
	struct buf row_at;    /* uint32_t */
	uint32_t *table;      /* open addressing; word + 1, 0 is free */
	uint32_t table_size;
};

/* ---- rows ---- */

static uint32_t hash_text(const char *text, unsigned bytes)
{
	uint32_t hash = UINT32_C(0x811C9DC5);

	for (unsigned i = 0; i < bytes; i++)
		hash = (hash ^ (unsigned char)text[i]) * UINT32_C(0x01000193);
	return hash ^ hash >> 15;
}

static const char *building_text(const struct search_building *building, uint32_t word)
{
	return building->texts.data + ((const uint32_t *)(void *)building->starts.data)[word];
}

static void grow_table(struct search *search)
{
	struct search_building *building = search->building;
	uint32_t size = building->table_size ? building->table_size * 2 : 1024;
	uint32_t *table = xcalloc(size, sizeof(*table));

	for (uint32_t word = 0; word < search->word_count; word++) {
		const char *text = building_text(building, word);
		uint32_t at = hash_text(text, (unsigned)strlen(text)) & (size - 1);

		while (table[at])
			at = (at + 1) & (size - 1);
		table[at] = word + 1;
	}
	free(building->table);
	building->table = table;
	building->table_size = size;
}

/* The word's number; a new one where it wasn't there. */
static uint32_t intern(struct search *search, const struct search_token *token)
{
	struct search_building *building = search->building;
	uint32_t at, start;

	if (search->word_count >= building->table_size / 2)
		grow_table(search);
	at = hash_text(token->text, token->bytes) & (building->table_size - 1);
	while (building->table[at]) {
		uint32_t word = building->table[at] - 1;

		if (strcmp(building_text(building, word), token->text) == 0)
			return word;
		at = (at + 1) & (building->table_size - 1);
	}
	start = (uint32_t)building->texts.len;
	buf_add(&building->starts, &start, sizeof(start));
	buf_add(&building->texts, token->text, token->bytes + 1U);
	building->table[at] = ++search->word_count;
	return search->word_count - 1;
}

struct search *search_new(void)
{
	struct search *search = xcalloc(1, sizeof(*search));

	search->building = xcalloc(1, sizeof(*search->building));
	return search;
}

void search_add(struct search *search, struct bytes text)
{
	struct search_token tokens[SEARCH_ROW_WORDS_MAX];
	unsigned count = search_tokens(text, true, tokens, SEARCH_ROW_WORDS_MAX);
	struct search_building *building = search->building;

	buf_add(&building->row_at, &search->word_total, sizeof(search->word_total));
	for (unsigned i = 0; i < count; i++) {
		uint32_t word = intern(search, &tokens[i]);

		buf_add(&building->row_words, &word, sizeof(word));
	}
	search->word_total += count;
	search->row_count++;
}

/* ---- the end ---- */

static int order_of_texts(const void *a, const void *b, void *arg)
{
	const struct search_building *building = arg;

	return strcmp(building_text(building, *(const uint32_t *)a),
		      building_text(building, *(const uint32_t *)b));
}

/* What was gathered, as an array of its exact size.  Never NULL. */
static void *take(struct buf *buf)
{
	void *out = xmemdup(buf->data ? buf->data : "", buf->len);

	buf_free(buf);
	return out;
}

/* Renumbers the words by their texts. */
static void sort_words(struct search *search)
{
	struct search_building *building = search->building;
	uint32_t count = search->word_count;
	uint32_t *order = xcalloc(count + 1U, sizeof(*order)),
		 *place = xcalloc(count + 1U, sizeof(*place));
	uint32_t letters[WORD_BYTES], at = 0;

	for (uint32_t i = 0; i < count; i++)
		order[i] = i;
	qsort_r(order, count, sizeof(*order), order_of_texts, building);
	search->words = xcalloc(count + 1U, sizeof(*search->words));
	search->text_bytes = (uint32_t)building->texts.len;
	search->texts = xmalloc(search->text_bytes + 1U);
	for (uint32_t i = 0; i < count; i++) {
		const char *text = building_text(building, order[i]);
		struct search_word *word = &search->words[i];

		place[order[i]] = i;
		word->bytes = (uint8_t)strlen(text);
		word->text = at;
		memcpy(search->texts + at, text, word->bytes + 1U);
		at += word->bytes + 1U;
		word->len = (uint8_t)search_letters(text, word->bytes, letters);
		word->mask = search_mask(letters, word->len);
	}
	search->row_words = take(&building->row_words);
	for (uint32_t i = 0; i < search->word_total; i++)
		search->row_words[i] = place[search->row_words[i]];
	free(order);
	free(place);
}

static void fill_postings(struct search *search)
{
	uint32_t count = search->word_count, total = 0;
	uint32_t *seen = xcalloc(count + 1U, sizeof(*seen)),
		 *next = xcalloc(count + 1U, sizeof(*next));

	for (int pass = 0; pass < 2; pass++) {
		memset(seen, 0, (count + 1U) * sizeof(*seen));
		for (uint32_t row = 0; row < search->row_count; row++)
			for (uint32_t i = search->row_at[row]; i < search->row_at[row + 1]; i++) {
				uint32_t word = search->row_words[i];

				if (seen[word] == row + 1)
					continue;
				seen[word] = row + 1;
				if (pass == 1)
					search->postings[next[word]] = row;
				next[word]++;
			}
		for (uint32_t word = 0; pass == 0 && word <= count; word++) {
			uint32_t rows = next[word];

			search->words[word].posting = next[word] = total;
			total += rows;
		}
		if (pass == 0)
			search->postings = xcalloc(total + 1U, sizeof(*search->postings));
	}
	free(seen);
	free(next);
}

/* 16 times the logarithm of how many rows there are for each that has the word. */
unsigned search_weight(const struct search *search, uint32_t rows)
{
	uint64_t ratio = ((uint64_t)search->row_count << 16) / (rows ? rows : 1);
	unsigned whole = 0, weight;

	if (ratio < 1U << 16)
		ratio = 1U << 16;
	while (ratio >= 2U << 16) {
		ratio >>= 1;
		whole++;
	}
	weight = whole * WEIGHT_STEP;
	for (unsigned step = WEIGHT_STEP / 2; step > 0; step /= 2) {
		ratio = ratio * ratio >> 16;
		if (ratio >= 2U << 16) {
			ratio >>= 1;
			weight += step;
		}
	}
	return weight + WEIGHT_LEAST < WEIGHT_MAX ? weight + WEIGHT_LEAST : WEIGHT_MAX;
}

static void weigh(struct search *search)
{
	search->row_weights = xcalloc(search->row_count + 1U, sizeof(*search->row_weights));
	for (uint32_t word = 0; word < search->word_count; word++)
		search->words[word].weight = (uint16_t)search_weight(search,
								     search_rows_of(search, word));
	for (uint32_t row = 0; row < search->row_count; row++)
		for (uint32_t i = search->row_at[row]; i < search->row_at[row + 1]; i++)
			search->row_weights[row] =
				(uint16_t)(search->row_weights[row] +
					   search->words[search->row_words[i]].weight);
}

static unsigned near_keys(const struct search *search, uint32_t word, uint32_t *out)
{
	const struct search_word *at = &search->words[word];
	uint32_t letters[WORD_BYTES];
	unsigned edits = search_edits(at->len);

	if (edits == 0 || (search->texts[at->text] >= '0' && search->texts[at->text] <= '9'))
		return 0;
	search_letters(search_text(search, word), at->bytes, letters);
	return search_near_keys(letters, at->len, edits, out);
}

static void fill_near(struct search *search)
{
	uint32_t keys[NEAR_KEYS], total = 0, buckets, *at;
	unsigned shift;

	for (uint32_t word = 0; word < search->word_count; word++)
		total += near_keys(search, word, keys);
	search->near_bits = 4;
	while (search->near_bits < 24 && 1U << search->near_bits < total / 2)
		search->near_bits++;
	buckets = 1U << search->near_bits;
	shift = 32 - search->near_bits;
	search->near_at = at = xcalloc(buckets + 2U, sizeof(*at));
	search->near_words = xcalloc(total + 1U, sizeof(*search->near_words));
	for (uint32_t word = 0; word < search->word_count; word++)
		for (unsigned i = near_keys(search, word, keys); i-- > 0;)
			at[(keys[i] >> shift) + 2]++;
	for (uint32_t i = 2; i <= buckets + 1; i++)
		at[i] += at[i - 1];
	for (uint32_t word = 0; word < search->word_count; word++)
		for (unsigned i = near_keys(search, word, keys); i-- > 0;)
			search->near_words[at[(keys[i] >> shift) + 1]++] = word;
}

static int order_of_skeletons(const void *a, const void *b, void *arg)
{
	const struct search *search = arg;
	char one[WORD_BYTES], other[WORD_BYTES];
	uint32_t first = *(const uint32_t *)a, second = *(const uint32_t *)b;
	int order;

	search_skeleton(search_text(search, first), search->words[first].bytes, one);
	search_skeleton(search_text(search, second), search->words[second].bytes, other);
	order = strcmp(one, other);
	return order ? order : (first > second) - (first < second);
}

static void sort_skeletons(struct search *search)
{
	search->skeletons = xcalloc(search->word_count + 1U, sizeof(*search->skeletons));
	for (uint32_t i = 0; i < search->word_count; i++)
		search->skeletons[i] = i;
	qsort_r(search->skeletons, search->word_count, sizeof(*search->skeletons),
		order_of_skeletons, search);
}

static void building_free(struct search *search)
{
	struct search_building *building = search->building;

	if (!building)
		return;
	buf_free(&building->texts);
	buf_free(&building->starts);
	buf_free(&building->row_words);
	buf_free(&building->row_at);
	free(building->table);
	free(building);
	search->building = NULL;
}

void search_end(struct search *search)
{
	buf_add(&search->building->row_at, &search->word_total, sizeof(search->word_total));
	search->row_at = take(&search->building->row_at);
	sort_words(search);
	fill_postings(search);
	weigh(search);
	fill_near(search);
	sort_skeletons(search);
	building_free(search);
}

void search_free(struct search *search)
{
	if (!search)
		return;
	building_free(search);
	free(search->words);
	free(search->texts);
	free(search->postings);
	free(search->row_at);
	free(search->row_words);
	free(search->row_weights);
	free(search->near_at);
	free(search->near_words);
	free(search->skeletons);
	free(search);
}

size_t search_memory(const struct search *search)
{
	uint32_t buckets = 1U << search->near_bits;

	return sizeof(*search) + search->word_count * sizeof(*search->words) + search->text_bytes +
	       sizeof(uint32_t) * ((size_t)search->words[search->word_count].posting +
				   search->row_count + search->word_total + buckets +
				   search->near_at[buckets] + search->word_count) +
	       search->row_count * sizeof(*search->row_weights);
}

/* ---- looking up ---- */

/* How a word's text and a beginning compare: 0 where it begins so. */
static uint32_t words_before(const struct search *search, const char *text, size_t bytes,
			     bool also_equal)
{
	uint32_t low = 0, high = search->word_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = strncmp(search_text(search, middle), text, bytes);

		if (order < 0 || (also_equal && order == 0))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint32_t search_exact(const struct search *search, const char *text)
{
	uint32_t at = words_before(search, text, WORD_BYTES, false);

	return at < search->word_count && strcmp(search_text(search, at), text) == 0 ? at : NO_WORD;
}

uint32_t search_beginning(const struct search *search, const char *text, unsigned bytes,
			  uint32_t *first)
{
	*first = words_before(search, text, bytes, false);
	return words_before(search, text, bytes, true);
}

static uint32_t skeletons_before(const struct search *search, const char *text, unsigned bytes,
				 bool also_equal)
{
	uint32_t low = 0, high = search->word_count;
	char skeleton[WORD_BYTES];

	while (low < high) {
		uint32_t middle = low + (high - low) / 2, word = search->skeletons[middle];
		int order;

		search_skeleton(search_text(search, word), search->words[word].bytes, skeleton);
		order = strncmp(skeleton, text, bytes);
		if (order < 0 || (also_equal && order == 0))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint32_t search_skeletons(const struct search *search, const char *text, unsigned bytes,
			  uint32_t *first)
{
	*first = skeletons_before(search, text, bytes, false);
	return skeletons_before(search, text, bytes, true);
}
