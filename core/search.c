/* search.c - finds rows of names and titles by words that are misspelt, shortened or in another order.
 *
 * A query goes three steps.  Each of its words is looked up: the very word, near ones, what it may be short for; each find is a
 * *hit*, a range of words with a quality.  Then the hits' postings are added up by row, those of rare words first.  The
 * rows that got most are read word by word: there each word counts once, neighbours can be told, and how much of the row
 * was asked for counts too.
 *
 * Every step has a budget, so that a query costs less than 2 ms whatever it is: WORDS_MAX words, NEAR_LOOKS words
 * looked at and NEAR_COMPARED compared, POSTINGS_MAX postings, READ_MAX rows read.  Where a budget ends, what is
 * left out is what matters least: words of nearly every row, far spellings.
 */
#include "search.h"

#include <stdlib.h>
#include <string.h>

#include "search_priv.h"

enum {
	WORDS_MAX = 16, /* of a query */
	HITS_MAX = 400,
	WORD_HITS_MAX = 40,   /* near words of one */
	NEAR_LOOKS = 24000,   /* words in buckets of a query */
	NEAR_COMPARED = 3000, /* of those, letter by letter */
	POSTINGS_MAX = 150000,
	READ_MAX = 200, /* rows that are read word by word */
	EDGES_MAX = 96,
	JOINED_MAX = 3,    /* words that may be one */
	PARTED_MAX = 3,    /* words that are looked at for two */
	PARTED_LEAST = 6,  /* letters of such a word */
	PART_LEAST = 2,    /* of a part */
	PART_NEAR = 5,     /* of a part that may be misspelt */
	PARTS_NEAR = 190,  /* quality that two parts must have together */
	PARTS_PLAIN = 245, /* where both must be right */
	PLAIN_MAX = 255,   /* quality of the very word */
	SHORT_LETTERS = 8, /* of an abbreviation */
	SCORE_LEAST = 20,  /* of 100: less is no match */
	MAP_SIZE = 1024,
};

/* A range of words that stand for some of the query's. */
struct hit {
	uint32_t first, last; /* words, both included */
	uint32_t second;      /* the word that must follow, or NO_WORD */
	uint16_t mask;        /* which of the query's words */
	uint8_t quality;      /* up to PLAIN_MAX; of a range: of endless words */
	uint8_t letters;      /* a range of beginnings: how many are given; else 0 */
	bool weak;            /* too many words: counts only where a row is read */
};

/* The hits of one word or of some that are joined: counted together. */
struct term {
	unsigned first, count; /* in hits */
	uint32_t rows;
	unsigned weight;
};

struct query {
	const struct search *search;
	struct search_room *room;
	struct search_token words[WORDS_MAX];
	unsigned weights[WORDS_MAX];
	unsigned count, total; /* total: of all weights */
	struct hit hits[HITS_MAX];
	unsigned hit_count;
	struct hit spare; /* there are too many */
	struct term terms[WORDS_MAX * 4];
	unsigned term_count;
	unsigned looks, compared; /* what is left */
	unsigned parted;          /* words that were looked at for two */
	struct {
		uint32_t word;
		uint16_t hits[3]; /* + 1 */
	} map[MAP_SIZE];          /* hits of one word alone */
	uint16_t ranges[HITS_MAX];
	unsigned range_count;
};

struct search_room {
	uint32_t
		*sums; /* by row: the number of the last term << 24 | sum of weight * quality / 4 */
	uint32_t *touched; /* rows with a sum */
	uint32_t *seen;    /* by word: the last look-up that met it */
	uint32_t row_size, word_size, touched_count;
	uint32_t best;    /* sum */
	uint32_t look_up; /* number */
	struct query query;
};

struct search_room *search_room_new(void)
{
	return xcalloc(1, sizeof(struct search_room));
}

void search_room_free(struct search_room *room)
{
	if (!room)
		return;
	free(room->sums);
	free(room->touched);
	free(room->seen);
	free(room);
}

size_t search_room_memory(const struct search_room *room)
{
	return sizeof(*room) + room->row_size * (sizeof(*room->sums) + sizeof(*room->touched)) +
	       room->word_size * sizeof(*room->seen);
}

static void room_fit(struct search_room *room, const struct search *search)
{
	if (room->row_size < search->row_count) {
		free(room->sums);
		free(room->touched);
		room->row_size = search->row_count;
		room->sums = xcalloc(room->row_size, sizeof(*room->sums));
		room->touched = xcalloc(room->row_size, sizeof(*room->touched));
	}
	if (room->word_size < search->word_count || room->look_up > UINT32_MAX - 1000) {
		free(room->seen);
		room->word_size = search->word_count;
		room->seen = xcalloc(room->word_size + 1U, sizeof(*room->seen));
		room->look_up = 0;
	}
}

/* ---- hits ---- */

static struct hit *add_hit(struct query *query, uint32_t first, uint32_t last, unsigned mask,
			   unsigned quality)
{
	struct hit *hit = query->hit_count < HITS_MAX ? &query->hits[query->hit_count++]
						      : &query->spare;

	*hit = (struct hit){ .first = first,
			     .last = last,
			     .second = NO_WORD,
			     .mask = (uint16_t)mask,
			     .quality = (uint8_t)quality };
	return hit;
}

/* The postings that are added up for a hit: of two words those of the rarer. */
static void postings_of(const struct search *search, const struct hit *hit, uint32_t *at,
			uint32_t *end)
{
	uint32_t first = hit->first, last = hit->last;

	if (hit->second != NO_WORD &&
	    search_rows_of(search, hit->second) < search_rows_of(search, first))
		first = last = hit->second;
	*at = search->words[first].posting;
	*end = search->words[last + 1].posting;
}

struct near {
	uint32_t word, rows;
	unsigned quality;
};

/* Whether one of these words is the text. */
static bool is_asked(const struct query *query, unsigned mask, const char *text)
{
	for (unsigned i = 0; i < query->count; i++)
		if (mask >> i & 1 && strcmp(query->words[i].text, text) == 0)
			return true;
	return false;
}

/* Longer words bear an edit better; a wrong first letter is rarer than another. */
static unsigned near_quality(const uint32_t *letters, unsigned len, const uint32_t *other,
			     unsigned other_len, unsigned edits)
{
	unsigned longer = len > other_len ? len : other_len;
	unsigned loss = edits == 1 ? 20 + 178 / longer : 41 + 382 / longer;

	return PLAIN_MAX - loss - (letters[0] != other[0] ? 8 : 0);
}

static bool is_better(const struct near *a, const struct near *b)
{
	return a->quality != b->quality ? a->quality > b->quality
	       : a->rows != b->rows     ? a->rows > b->rows
					: a->word < b->word;
}

static unsigned keep_near(struct near *nears, unsigned count, const struct near *near)
{
	unsigned at = count < WORD_HITS_MAX ? count : count - 1;

	if (count == WORD_HITS_MAX && !is_better(near, &nears[count - 1]))
		return count;
	for (; at > 0 && is_better(near, &nears[at - 1]); at--)
		nears[at] = nears[at - 1];
	nears[at] = *near;
	return count < WORD_HITS_MAX ? count + 1 : count;
}

/* One word of a bucket, compared with the query's. */
static unsigned look_at(struct query *query, uint32_t word, const uint32_t *letters, unsigned len,
			uint32_t mask, struct near *nears, unsigned count)
{
	const struct search_word *at = &query->search->words[word];
	unsigned most = search_edits(at->len > len ? at->len : len), edits;
	uint32_t other[WORD_BYTES];
	struct near near = { .word = word };

	if (at->len > len + most || len > at->len + most ||
	    (unsigned)__builtin_popcount(mask ^ at->mask) > 2 * most || query->compared == 0)
		return count;
	query->compared--;
	search_letters(search_text(query->search, word), at->bytes, other);
	edits = search_distance(letters, len, other, at->len, most);
	if (edits == 0 || edits > most)
		return count;
	near.rows = search_rows_of(query->search, word);
	near.quality = near_quality(letters, len, other, at->len, edits);
	return keep_near(nears, count, &near);
}

/* The words near to a text, the best first. */
static unsigned find_near(struct query *query, const struct search_token *word, struct near *nears)
{
	const struct search *search = query->search;
	uint32_t keys[NEAR_KEYS], letters[WORD_BYTES], look_up = ++query->room->look_up;
	unsigned len = search_letters(word->text, word->bytes, letters), count = 0, key_count;
	uint32_t mask = search_mask(letters, len);

	if (word->digits || len < 3)
		return 0;
	key_count = search_near_keys(letters, len, len < 5 ? 1 : 2, keys);
	for (unsigned k = 0; k < key_count; k++) {
		uint32_t bucket = keys[k] >> (32 - search->near_bits);

		for (uint32_t i = search->near_at[bucket]; i < search->near_at[bucket + 1]; i++) {
			uint32_t near = search->near_words[i];

			if (query->looks == 0)
				return count;
			query->looks--;
			if (query->room->seen[near] == look_up)
				continue;
			query->room->seen[near] = look_up;
			count = look_at(query, near, letters, len, mask, nears, count);
		}
	}
	return count;
}

static void add_near(struct query *query, const struct search_token *word, unsigned mask,
		     unsigned loss)
{
	struct near nears[WORD_HITS_MAX];
	unsigned count = find_near(query, word, nears);

	for (unsigned i = 0; i < count; i++)
		if (!is_asked(query, mask, search_text(query->search, nears[i].word)))
			add_hit(query, nears[i].word, nears[i].word, mask, nears[i].quality - loss);
}

/* Words that begin so; their quality comes with their length, where a row is read. */
static void add_beginnings(struct query *query, unsigned number, bool exact)
{
	const struct search_token *word = &query->words[number];
	uint32_t first, end = search_beginning(query->search, word->text, word->bytes, &first);
	struct hit *hit;

	if (word->digits || first + (exact ? 1 : 0) >= end)
		return;
	hit = add_hit(query, first, end - 1, 1U << number, number + 1 == query->count ? 125 : 100);
	hit->letters = word->len;
	hit->weak = exact || (word->len < 3 && query->count > 1);
}

static bool is_consonants(const struct search_token *word)
{
	if (word->len < 2 || word->len != word->bytes || word->digits)
		return false;
	for (unsigned i = 1; i < word->bytes; i++)
		if (search_is_vowel(word->text[i]))
			return false;
	return true;
}

/* "jln" is jalan, "bjn" is bojonegoro: the consonants, or the first of them. */
static void add_skeletons(struct query *query, unsigned number)
{
	enum { LOOKED_MAX = 200 };
	const struct search_token *word = &query->words[number];
	const struct search *search = query->search;
	char skeleton[WORD_BYTES];
	struct near nears[WORD_HITS_MAX];
	uint32_t at, end;
	unsigned count = 0;

	if (!is_consonants(word))
		return;
	end = search_skeletons(search, word->text, word->bytes, &at);
	for (unsigned looked = 0; at < end && looked < LOOKED_MAX; at++, looked++) {
		uint32_t found = search->skeletons[at];
		unsigned len = search_skeleton(search_text(search, found),
					       search->words[found].bytes, skeleton);
		struct near near = { found, search_rows_of(search, found),
				     len == word->bytes ? 185 : 100 + 70 * word->bytes / len };

		if (search->words[found].bytes > word->bytes)
			count = keep_near(nears, count, &near);
	}
	for (unsigned i = 0; i < count; i++)
		add_hit(query, nears[i].word, nears[i].word, 1U << number, nears[i].quality);
}

/* "kalitidu" is kali and tidu, one behind the other. */
static void add_split(struct query *query, unsigned number)
{
	const struct search_token *word = &query->words[number];
	char left[WORD_BYTES];

	for (unsigned at = 2; at + 2 <= word->bytes && !word->digits; at++) {
		uint32_t first, second;

		memcpy(left, word->text, at);
		left[at] = '\0';
		first = search_exact(query->search, left);
		second = first == NO_WORD ? NO_WORD : search_exact(query->search, word->text + at);
		if (second != NO_WORD)
			add_hit(query, first, first, 1U << number, 235)->second = second;
	}
}

/* Rows of the best hits and the very like: what the word is worth. */
static unsigned weight_of(const struct query *query, unsigned first)
{
	const unsigned like = 25;
	const struct search *search = query->search;
	unsigned best = 0;
	uint32_t at, end;
	uint64_t rows = 0;

	for (unsigned i = first; i < query->hit_count; i++)
		if (query->hits[i].quality > best)
			best = query->hits[i].quality;
	for (unsigned i = first; i < query->hit_count; i++)
		if (query->hits[i].quality + like >= best) {
			postings_of(search, &query->hits[i], &at, &end);
			rows += end - at;
		}
	if (best == 0) /* nobody knows it */
		return (search_weight(search, 1) + search_weight(search, search->row_count)) / 2;
	return search_weight(search, rows < search->row_count ? (uint32_t)rows : search->row_count);
}

static void add_term(struct query *query, unsigned first, unsigned weight)
{
	struct term *term = &query->terms[query->term_count];
	uint32_t at, end;

	if (query->hit_count == first || query->term_count == ARRAY_LEN(query->terms))
		return;
	*term = (struct term){ first, query->hit_count - first, 0, weight };
	for (unsigned i = first; i < query->hit_count; i++)
		if (!query->hits[i].weak) {
			postings_of(query->search, &query->hits[i], &at, &end);
			term->rows += end - at;
		}
	query->term_count++;
}

static void look_up(struct query *query, unsigned number)
{
	const struct search_token *word = &query->words[number];
	const char *whole = search_abbreviation(word->text);
	uint32_t exact = search_exact(query->search, word->text),
		 meant = whole ? search_exact(query->search, whole) : NO_WORD;
	unsigned first = query->hit_count, mask = 1U << number;

	if (exact != NO_WORD)
		add_hit(query, exact, exact, mask, PLAIN_MAX);
	if (meant != NO_WORD)
		add_hit(query, meant, meant, mask, PLAIN_MAX - 5);
	add_near(query, word, mask, 0);
	if (exact == NO_WORD)
		add_split(query, number);
	add_beginnings(query, number, exact != NO_WORD || meant != NO_WORD);
	if (exact == NO_WORD && meant == NO_WORD)
		add_skeletons(query, number);
	query->weights[number] = weight_of(query, first);
	query->total += query->weights[number];
	add_term(query, first, query->weights[number]);
}

/* ---- several words that are one ---- */

static void add_joined(struct query *query, unsigned from, unsigned count)
{
	struct search_token joined = { .bytes = 0 };
	unsigned mask = 0, weight = 0, first = query->hit_count;
	uint32_t exact;

	for (unsigned i = from; i < from + count; i++) {
		if (query->words[i].digits || joined.bytes + query->words[i].bytes >= WORD_BYTES)
			return;
		memcpy(joined.text + joined.bytes, query->words[i].text,
		       query->words[i].bytes + 1U);
		joined.bytes = (uint8_t)(joined.bytes + query->words[i].bytes);
		joined.len = (uint8_t)(joined.len + query->words[i].len);
		mask |= 1U << i;
		weight += query->weights[i];
	}
	exact = search_exact(query->search, joined.text);
	if (exact != NO_WORD)
		add_hit(query, exact, exact, mask, PLAIN_MAX - 15);
	else if (count == 2)
		add_near(query, &joined, mask, 20);
	add_term(query, first, weight);
}

/* The row says "DPUPR", the query the words. */
static void add_initials(struct query *query, unsigned from)
{
	char text[SHORT_LETTERS + 1];
	unsigned len = 0, mask = 0, weight = 0;

	for (unsigned i = from; i < query->count && len < SHORT_LETTERS; i++) {
		unsigned first = query->hit_count;
		uint32_t found;

		if (query->words[i].digits || (unsigned char)query->words[i].text[0] >= 0x80)
			return;
		mask |= 1U << i;
		weight += query->weights[i];
		if (search_is_small(query->words[i].text))
			continue;
		text[len++] = query->words[i].text[0];
		text[len] = '\0';
		found = len >= 3 && !is_asked(query, ~0U, text) ? search_exact(query->search, text)
								: NO_WORD;
		if (found != NO_WORD) {
			add_hit(query, found, found, mask, 170);
			add_term(query, first, weight);
		}
	}
}

/* ---- adding up ---- */

static void add_gain(struct search_room *room, uint32_t row, uint32_t number, uint32_t gain)
{
	uint32_t sum = room->sums[row];

	if (sum >> 24 == number)
		return;
	sum = (sum & 0xFFFFFF) + gain;
	room->sums[row] = number << 24 | sum;
	room->best = sum > room->best ? sum : room->best;
}

/* Adds to the sum of each row that one hit has, once for a term. */
static void add_rows(struct search_room *room, const uint32_t *at, const uint32_t *end,
		     uint32_t number, uint32_t gain)
{
	for (; at < end; at++) {
		if (room->sums[*at] == 0)
			room->touched[room->touched_count++] = *at;
		add_gain(room, *at, number, gain);
	}
}

/* The same, where only rows that have a sum already matter. */
static void add_known(struct search_room *room, const uint32_t *at, const uint32_t *end,
		      uint32_t number, uint32_t gain)
{
	enum {
		SEARCH_COST = 8
	}; /* postings that are passed over in the time that a row is looked up in */

	if ((uint64_t)room->touched_count * SEARCH_COST > (uint64_t)(end - at)) {
		for (; at < end; at++)
			if (room->sums[*at] != 0)
				add_gain(room, *at, number, gain);
		return;
	}
	for (uint32_t i = 0; i < room->touched_count; i++) {
		const uint32_t *low = at, *high = end;

		while (low < high) {
			const uint32_t *middle = low + (high - low) / 2;

			if (*middle < room->touched[i])
				low = middle + 1;
			else
				high = middle;
		}
		if (low < end && *low == room->touched[i])
			add_gain(room, *low, number, gain);
	}
}

static int order_of_terms(const void *a, const void *b)
{
	const struct term *one = a, *other = b;

	if (one->rows != other->rows)
		return one->rows < other->rows ? -1 : 1;
	return (one->first > other->first) - (one->first < other->first);
}

static int order_of_hits(const void *a, const void *b)
{
	const struct hit *one = a, *other = b;

	if (one->quality != other->quality)
		return one->quality > other->quality ? -1 : 1;
	return (one->first > other->first) - (one->first < other->first);
}

static void add_hit_up(struct query *query, const struct hit *hit, uint32_t number, unsigned weight,
		       bool known, uint32_t *left)
{
	const struct search *search = query->search;
	struct search_room *room = query->room;
	uint32_t at, end, gain = weight * hit->quality / 4, rows;

	postings_of(search, hit, &at, &end);
	rows = end - at;
	if (hit->weak || (rows > *left && room->touched_count > 0))
		return;
	if (rows > *left)
		end = at + *left;
	if (known && hit->first == hit->last)
		add_known(room, search->postings + at, search->postings + end, number, gain);
	else
		add_rows(room, search->postings + at, search->postings + end, number, gain);
	*left -= rows < *left ? rows : *left;
}

/* The rarest first.  Once what is left weighs less than what the best row has, a row that has nothing yet can't come before
 * it: no rows are added then. */
static void add_up(struct query *query)
{
	uint32_t left = POSTINGS_MAX;
	uint64_t rest = 0;

	qsort(query->terms, query->term_count, sizeof(*query->terms), order_of_terms);
	for (unsigned t = 0; t < query->term_count; t++)
		rest += query->terms[t].weight;
	query->room->best = 0;
	for (unsigned t = 0; t < query->term_count; t++) {
		struct term *term = &query->terms[t];
		bool known = rest * PLAIN_MAX / 4 < query->room->best;

		qsort(query->hits + term->first, term->count, sizeof(*query->hits), order_of_hits);
		for (unsigned i = 0; i < term->count; i++)
			add_hit_up(query, &query->hits[term->first + i], t + 1, term->weight, known,
				   &left);
		rest -= term->weight;
	}
}

/* ---- the rows that are worth reading ---- */

/* What a row got, less a little for what it has beside. */
static int32_t promise(const struct query *query, uint32_t row)
{
	return (int32_t)(query->room->sums[row] & 0xFFFFFF) -
	       (int32_t)query->search->row_weights[row] * 8;
}

/* The READ_MAX most promising rows, by a histogram: it takes the same time however the rows lie. */
static unsigned pick_rows(struct query *query, uint32_t out[static READ_MAX])
{
	enum { STEPS = 1024 };
	const struct search_room *room = query->room;
	uint32_t histogram[STEPS] = { 0 }, above = 0;
	int32_t low = INT32_MAX, high = INT32_MIN;
	unsigned step = STEPS - 1, count = 0, shift = 0;

	for (uint32_t i = 0; i < room->touched_count; i++) {
		int32_t value = promise(query, room->touched[i]);

		low = value < low ? value : low;
		high = value > high ? value : high;
	}
	while ((high - low) >> shift >= STEPS)
		shift++;
	for (uint32_t i = 0; i < room->touched_count; i++)
		histogram[(promise(query, room->touched[i]) - low) >> shift]++;
	while (step > 0 && above + histogram[step] <= READ_MAX)
		above += histogram[step--];
	/* All above the step, and as many at it as there is room for. */
	for (uint32_t i = 0; i < room->touched_count && count < READ_MAX; i++) {
		unsigned at = (unsigned)(promise(query, room->touched[i]) - low) >> shift;

		if (at > step || (at == step && above < READ_MAX)) {
			out[count++] = room->touched[i];
			above += at == step;
		}
	}
	return count;
}

static void clear_sums(struct search_room *room)
{
	for (uint32_t i = 0; i < room->touched_count; i++)
		room->sums[room->touched[i]] = 0;
	room->touched_count = 0;
}

/* ---- reading a row ---- */

/* A word of the row that stands for some of the query's. */
struct edge {
	uint32_t gain; /* weight * quality */
	uint16_t mask;
	uint8_t at, count; /* words of the row */
	uint8_t quality;
};

struct reading {
	struct query *query;
	const uint32_t *words;
	unsigned count;
	struct edge edges[EDGES_MAX];
	unsigned edge_count;
	unsigned asked;    /* words of the query that are met */
	uint64_t taken[2]; /* words of the row that are */
	uint64_t gain, row_gain;
	uint8_t places[WORDS_MAX]; /* of the query's words in the row, from 1; 0: not met */
};

static unsigned mask_weight(const struct query *query, unsigned mask)
{
	unsigned weight = 0;

	for (unsigned i = 0; mask; i++, mask >>= 1)
		weight += mask & 1 ? query->weights[i] : 0;
	return weight;
}

static bool comes_before(const struct edge *a, const struct edge *b)
{
	return a->quality != b->quality ? a->quality > b->quality : a->gain > b->gain;
}

static void add_edge(struct reading *reading, unsigned at, unsigned count, unsigned mask,
		     unsigned quality)
{
	struct edge edge = { mask_weight(reading->query, mask) * quality, (uint16_t)mask,
			     (uint8_t)at, (uint8_t)count, (uint8_t)quality };
	unsigned place = reading->edge_count;

	if (place == EDGES_MAX) {
		if (!comes_before(&edge, &reading->edges[--place]))
			return;
	} else {
		reading->edge_count++;
	}
	for (; place > 0 && comes_before(&edge, &reading->edges[place - 1]); place--)
		reading->edges[place] = reading->edges[place - 1];
	reading->edges[place] = edge;
}

static void meet(struct reading *reading, unsigned at, const struct hit *hit)
{
	unsigned quality = hit->quality, count = 1;

	if (hit->second != NO_WORD) {
		if (at + 1 >= reading->count || reading->words[at + 1] != hit->second)
			return;
		count = 2;
	}
	if (hit->letters > 0) {
		unsigned len = reading->query->search->words[reading->words[at]].len;

		quality = hit->letters == len ? PLAIN_MAX - 5
					      : hit->quality + 90 * hit->letters / len;
	}
	add_edge(reading, at, count, hit->mask, quality);
}

static void meet_all(struct reading *reading)
{
	const struct query *query = reading->query;

	for (unsigned at = 0; at < reading->count; at++) {
		uint32_t word = reading->words[at], slot = word * 2654435761U % MAP_SIZE;

		for (; query->map[slot].hits[0]; slot = (slot + 1) % MAP_SIZE) {
			if (query->map[slot].word != word)
				continue;
			for (unsigned i = 0; i < 3 && query->map[slot].hits[i]; i++)
				meet(reading, at, &query->hits[query->map[slot].hits[i] - 1]);
		}
		for (unsigned i = 0; i < query->range_count; i++) {
			const struct hit *hit = &query->hits[query->ranges[i]];

			if (hit->first <= word && word <= hit->last)
				meet(reading, at, hit);
		}
	}
}

static bool is_taken(const struct reading *reading, unsigned at, unsigned count)
{
	for (unsigned i = at; i < at + count; i++)
		if (reading->taken[i / 64] >> i % 64 & 1)
			return true;
	return false;
}

static void take(struct reading *reading, const struct edge *edge)
{
	for (unsigned i = edge->at; i < edge->at + edge->count; i++) {
		reading->taken[i / 64] |= UINT64_C(1) << i % 64;
		reading->row_gain +=
			(uint64_t)reading->query->search->words[reading->words[i]].weight *
			edge->quality;
	}
	for (unsigned i = 0; i < reading->query->count; i++)
		if (edge->mask >> i & 1)
			reading->places[i] = (uint8_t)(edge->at + 1);
	reading->asked |= edge->mask;
	reading->gain += edge->gain;
}

/* The surest first: each word of the query and of the row counts once.  at_least: only those of so many words of the row. */
static void take_edges(struct reading *reading, unsigned at_least)
{
	for (unsigned i = 0; i < reading->edge_count; i++) {
		const struct edge *edge = &reading->edges[i];

		if (edge->count >= at_least && !(reading->asked & edge->mask) &&
		    !is_taken(reading, edge->at, edge->count))
			take(reading, edge);
	}
}

/* A word may stand in a row twice, and where it is taken first it can part two that belong together: so both ways. */
static void take_best(struct reading *reading)
{
	struct reading other;
	bool pairs = false;

	for (unsigned i = 0; i < reading->edge_count; i++)
		pairs = pairs || reading->edges[i].count > 1;
	if (pairs) {
		other = *reading;
		take_edges(&other, 2);
		take_edges(&other, 1);
	}
	take_edges(reading, 1);
	if (pairs && other.gain > reading->gain)
		*reading = other;
}

/* ---- what is left: initials and words without vowels ---- */

/* Words of the row, from `at` on, whose beginnings make up the text.  Gives how many, or 0. */
static unsigned made_of(const struct reading *reading, unsigned at, const char *text,
			unsigned depth)
{
	const char *word;

	if (!*text)
		return depth;
	if (at >= reading->count || depth >= SHORT_LETTERS)
		return 0;
	word = search_text(reading->query->search, reading->words[at]);
	if (depth > 0 && search_is_small(word) && *word != *text)
		return made_of(reading, at + 1, text, depth + 1);
	for (unsigned len = 1; *text && text[len - 1] == word[len - 1]; len++) {
		unsigned count = made_of(reading, at + 1, text + len, depth + 1);

		if (count > 0)
			return count;
		if (!text[len])
			break;
	}
	return 0;
}

/* Whether the letters stand in the word in this order, the first at its beginning. */
static bool stands_in(const char *letters, const char *word)
{
	if (*letters != *word)
		return false;
	for (; *word && *letters; word++)
		letters += *letters == *word;
	return !*letters;
}

static void meet_left(struct reading *reading, unsigned number)
{
	const struct query *query = reading->query;
	const struct search_token *word = &query->words[number];
	bool consonants = is_consonants(word);

	for (unsigned at = 0; at < reading->count; at++) {
		const char *text = search_text(query->search, reading->words[at]);
		unsigned count;

		if (is_taken(reading, at, 1) || *text != *word->text)
			continue;
		count = word->len >= 2 ? made_of(reading, at, word->text, 0) : 0;
		if (count > 1) {
			add_edge(reading, at, count, 1U << number, 215);
			return;
		}
		if (consonants && stands_in(word->text, text)) {
			add_edge(reading, at, 1, 1U << number, 130);
			return;
		}
	}
}

static void meet_rest(struct reading *reading)
{
	const struct query *query = reading->query;

	reading->edge_count = 0;
	for (unsigned i = 0; i < query->count; i++)
		if (!(reading->asked >> i & 1) && !query->words[i].digits &&
		    query->words[i].len == query->words[i].bytes &&
		    query->words[i].len <= SHORT_LETTERS)
			meet_left(reading, i);
	take_edges(reading, 1);
}

/* ---- the score ---- */

/* Of a thousand: words of the query that stand in the row behind the one before them. */
static unsigned in_order(const struct reading *reading)
{
	unsigned met = 0, behind = 0, last = 0;

	for (unsigned i = 0; i < reading->query->count; i++) {
		if (reading->places[i] == 0)
			continue;
		behind += reading->places[i] >= last;
		last = reading->places[i];
		met++;
	}
	return met > 0 ? behind * 1000 / met : 0;
}

/* Of a million: how much of the query is in the row, then how much of the row is in the query, then the order. */
static uint32_t read_row(struct query *query, uint32_t row)
{
	const struct search *search = query->search;
	uint32_t at = search->row_at[row];
	struct reading reading = { .query = query,
				   .words = search->row_words + at,
				   .count = search->row_at[row + 1] - at };
	uint64_t asked = (uint64_t)query->total * PLAIN_MAX,
		 has = (uint64_t)search->row_weights[row] * PLAIN_MAX;

	meet_all(&reading);
	take_best(&reading);
	meet_rest(&reading);
	return (uint32_t)(reading.gain * 770000 / asked + reading.row_gain * 220000 / has +
			  in_order(&reading) * 10);
}

struct ranked {
	uint32_t row, score;
};

static int order_of_ranks(const void *a, const void *b)
{
	const struct ranked *one = a, *other = b;

	if (one->score != other->score)
		return one->score > other->score ? -1 : 1;
	return (one->row > other->row) - (one->row < other->row);
}

static void fill_map(struct query *query)
{
	memset(query->map, 0, sizeof(query->map));
	query->range_count = 0;
	for (unsigned i = 0; i < query->hit_count; i++) {
		const struct hit *hit = &query->hits[i];
		uint32_t slot = hit->first * 2654435761U % MAP_SIZE;
		unsigned free_place = 0;

		if (hit->first != hit->last || hit->letters > 0) {
			query->ranges[query->range_count++] = (uint16_t)i;
			continue;
		}
		while (query->map[slot].hits[0] &&
		       (query->map[slot].word != hit->first || query->map[slot].hits[2]))
			slot = (slot + 1) % MAP_SIZE;
		while (query->map[slot].hits[free_place])
			free_place++;
		query->map[slot].word = hit->first;
		query->map[slot].hits[free_place] = (uint16_t)(i + 1);
	}
}

static unsigned rank(struct query *query, struct search_found *out, unsigned most)
{
	uint32_t rows[READ_MAX];
	struct ranked ranks[READ_MAX] = { { 0 } };
	unsigned count = pick_rows(query, rows), found = 0;

	fill_map(query);
	for (unsigned i = 0; i < count; i++)
		ranks[i] = (struct ranked){ rows[i], read_row(query, rows[i]) };
	qsort(ranks, count, sizeof(*ranks), order_of_ranks);
	for (; found < count && found < most && ranks[found].score >= SCORE_LEAST * 10000; found++)
		out[found] = (struct search_found){ ranks[found].row, ranks[found].score / 10000 };
	return found;
}

/* ---- the query's words ---- */

/* Adds the words that an abbreviation of several stands for, where the rows have one of them.  Gives how many. */
static unsigned add_whole(struct query *query, const char *abbreviation)
{
	const char *text = search_abbreviation(abbreviation);
	struct search_token whole[WORDS_MAX];
	unsigned count, known = 0, added = 0;

	if (!text || !strchr(text, ' '))
		return 0;
	count = search_tokens((struct bytes){ text, strlen(text) }, false, whole, WORDS_MAX);
	for (unsigned i = 0; i < count; i++)
		known += search_exact(query->search, whole[i].text) != NO_WORD;
	while (known > 0 && added < count && query->count < WORDS_MAX)
		query->words[query->count++] = whole[added++];
	return added;
}

/* How well a part of a word is a word itself: 0 not at all. */
static unsigned part_quality(struct query *query, const struct search_token *part, bool near)
{
	struct near nears[WORD_HITS_MAX];

	if (search_exact(query->search, part->text) != NO_WORD)
		return PLAIN_MAX;
	if (search_abbreviation(part->text))
		return PLAIN_MAX - 5;
	return near && part->len >= PART_NEAR && find_near(query, part, nears) > 0
		       ? nears[0].quality
		       : 0;
}

static struct search_token part_of(const struct search_token *word, unsigned from, unsigned to)
{
	struct search_token part = { .bytes = (uint8_t)(to - from), .len = (uint8_t)(to - from) };

	memcpy(part.text, word->text + from, part.bytes);
	return part;
}

static bool is_long_word(const struct query *query, const struct search_token *part)
{
	return part->len >= PART_NEAR && search_exact(query->search, part->text) != NO_WORD;
}

/* Where a word is best parted in two: "sdnkalitidu", "klaitiduwetan".  0: nowhere.  near: the parts may be misspelt. */
static unsigned best_cut(struct query *query, const struct search_token *word, bool near)
{
	unsigned best = 0, best_quality = near ? PARTS_NEAR : PARTS_PLAIN;

	for (unsigned at = PART_LEAST; at + PART_LEAST <= word->len; at++) {
		struct search_token left = part_of(word, 0, at),
				    right = part_of(word, at, word->len);
		unsigned first = part_quality(query, &left, near), second;

		if (first == 0)
			continue;
		second = part_quality(query, &right, near);
		first = (first * left.len + second * right.len) / word->len;
		if (second > 0 && first > best_quality &&
		    (near || is_long_word(query, &left) || is_long_word(query, &right))) {
			best_quality = first;
			best = at;
		}
	}
	return best;
}

/* The same for one of a query's words: one that is known stays whole, and one that is misspelt is parted only where
 * both parts are right. */
static unsigned cut_of(struct query *query, const struct search_token *word)
{
	enum { NEAR_ENOUGH = 215 };
	struct near nears[WORD_HITS_MAX];
	unsigned near;

	if (word->digits || word->len != word->bytes || word->len < PARTED_LEAST ||
	    part_quality(query, word, false) > 0)
		return 0;
	near = find_near(query, word, nears);
	if (near > 0)
		return nears[0].quality < NEAR_ENOUGH ? best_cut(query, word, false) : 0;
	if (query->parted++ >= PARTED_MAX)
		return 0;
	return best_cut(query, word, true);
}

/* Letters that are said one by one have a vowel by chance at most. */
static bool is_spelt(const struct search_token *word)
{
	unsigned vowels = 0;

	for (unsigned i = 0; i < word->bytes; i++)
		vowels += search_is_vowel(word->text[i]);
	return vowels == 0 || (vowels == 1 && word->len > 3);
}

/* "smnk" is smkn: a misspelt abbreviation, where nothing in the rows is like it and one alone is nearest. */
static const char *near_abbreviation(struct query *query, const struct search_token *word)
{
	struct near nears[WORD_HITS_MAX];

	if (word->len < 3 || word->len > SHORT_LETTERS || word->len != word->bytes ||
	    word->digits || !is_spelt(word) || part_quality(query, word, false) > 0 ||
	    find_near(query, word, nears) > 0)
		return NULL;
	return search_near_abbreviation(word->text, word->len);
}

static void add_word(struct query *query, const struct search_token *word)
{
	const char *near = near_abbreviation(query, word);

	if (query->count < WORDS_MAX && add_whole(query, near ? near : word->text) == 0)
		query->words[query->count++] = *word;
}

static void split_query(struct query *query, struct bytes text)
{
	struct search_token raw[WORDS_MAX], left, right;
	unsigned count = search_tokens(text, false, raw, WORDS_MAX), cut;

	for (unsigned i = 0; i < count; i++) {
		cut = cut_of(query, &raw[i]);
		if (cut == 0) {
			add_word(query, &raw[i]);
			continue;
		}
		left = part_of(&raw[i], 0, cut);
		right = part_of(&raw[i], cut, raw[i].len);
		add_word(query, &left);
		add_word(query, &right);
	}
}

static void look_up_all(struct query *query)
{
	for (unsigned i = 0; i < query->count; i++)
		look_up(query, i);
	for (unsigned i = 0; i < query->count; i++) {
		for (unsigned count = 2; count <= JOINED_MAX && i + count <= query->count; count++)
			add_joined(query, i, count);
		add_initials(query, i);
	}
}

unsigned search_find(const struct search *search, struct search_room *room, struct bytes text,
		     struct search_found *out, unsigned most)
{
	struct query *query = &room->query;
	unsigned found = 0;

	if (text.len > SEARCH_TEXT_MAX) {
		text.len = SEARCH_TEXT_MAX;
		while (text.len > 0 && ((unsigned char)text.data[text.len] & 0xC0) == 0x80)
			text.len--;
	}
	room_fit(room, search);
	query->search = search;
	query->room = room;
	query->count = query->total = query->hit_count = query->term_count = 0;
	query->looks = NEAR_LOOKS;
	query->compared = NEAR_COMPARED;
	query->parted = 0;
	split_query(query, text);
	look_up_all(query);
	add_up(query);
	if (room->touched_count > 0)
		found = rank(query, out, most < SEARCH_FOUND_MAX ? most : SEARCH_FOUND_MAX);
	clear_sums(room);
	return found;
}
