/* search_priv.h - what the search's files share: words as they are compared, and the index. */
#pragma once
#include "search.h"

enum {
	WORD_BYTES = 48, /* of a word with its NUL; a longer one is cut */
	NEAR_PREFIX = 7, /* letters of a word whose deletions are indexed */
	NEAR_KEYS = 1 + NEAR_PREFIX + NEAR_PREFIX * (NEAR_PREFIX - 1) / 2,
};
#define NO_WORD UINT32_MAX

/* A word as it is compared: folded, without accents; of letters alone or of digits alone. */
struct search_token {
	char text[WORD_BYTES];
	uint8_t bytes, len; /* len: letters */
	bool digits;
};

/* ---- search_words.c ---- */

/* The words of a text, up to `most`.  expand: abbreviations become what they stand for. */
unsigned search_tokens(struct bytes text, bool expand, struct search_token *out, unsigned most);
/* Letters as numbers. */
unsigned search_letters(const char *text, unsigned bytes, uint32_t out[static WORD_BYTES]);
/* A bit for each letter that is in the word: two words of which many bits differ are far from each other. */
uint32_t search_mask(const uint32_t *letters, unsigned len);
/* Edits between two words, where they are at most `most` (0 to 2), else most + 1. */
unsigned search_distance(const uint32_t *a, unsigned a_len, const uint32_t *b, unsigned b_len,
			 unsigned most);
/* Edits that a word may have. */
unsigned search_edits(unsigned len);
/* Hashes of the word's first letters without up to `edits` of them.  Gives how many, each once. */
unsigned search_near_keys(const uint32_t *letters, unsigned len, unsigned edits,
			  uint32_t out[static NEAR_KEYS]);
/* The first letter and the consonants behind it.  Gives the bytes; a NUL is added. */
unsigned search_skeleton(const char *text, unsigned bytes, char out[static WORD_BYTES]);
bool search_is_vowel(char c);

/* ---- search_table.c ---- */

/* What an abbreviation stands for, words with blanks between, or NULL. */
const char *search_abbreviation(const char *word);
/* The abbreviation of several words that a misspelt one is nearest to, or NULL: there is none, or more than one. */
const char *search_near_abbreviation(const char *word, unsigned len);
/* Small words that initials pass over: dan, di, of... */
bool search_is_small(const char *word);

/* ---- search_index.c ---- */

struct search_word {
	uint32_t text;    /* in search.texts */
	uint32_t posting; /* its first in search.postings; the next word's is behind its last */
	uint32_t mask;
	uint16_t weight; /* the rarer, the more */
	uint8_t bytes, len;
};

struct search {
	uint32_t row_count, word_count;
	uint32_t word_total;       /* in all rows */
	struct search_word *words; /* in the order of their bytes, and one behind the last */
	char *texts;               /* each ended by a NUL */
	uint32_t text_bytes;
	uint32_t *postings; /* rows of each word, rising */
	uint32_t *row_at;   /* row_count + 1, in row_words */
	uint32_t *row_words;
	uint16_t *row_weights;
	uint32_t *near_at; /* buckets of search_near_keys, and one behind the last */
	uint32_t *near_words;
	unsigned near_bits;
	uint32_t *skeletons; /* words in the order of their skeletons */
	struct search_building *building;
};

static inline const char *search_text(const struct search *search, uint32_t word)
{
	return search->texts + search->words[word].text;
}

static inline uint32_t search_rows_of(const struct search *search, uint32_t word)
{
	return search->words[word + 1].posting - search->words[word].posting;
}

/* The word, or NO_WORD. */
uint32_t search_exact(const struct search *search, const char *text);
/* The words that begin with a text: from *first up to but without the word that is given. */
uint32_t search_beginning(const struct search *search, const char *text, unsigned bytes,
			  uint32_t *first);
/* The places in search.skeletons that begin with a text, likewise. */
uint32_t search_skeletons(const struct search *search, const char *text, unsigned bytes,
			  uint32_t *first);
/* Of words that `rows` rows have. */
unsigned search_weight(const struct search *search, uint32_t rows);
