/* search.h - finds rows of names and titles by words that are misspelt, shortened or in another order.
 *
 * An index is built once and never changes, so any number of threads may search it; each brings a room of its own.
 * Words are compared without case, marks and accents.  Near is one edit (a letter more, less, other, or two swapped) in
 * words of four to six letters, and two in longer ones.  Abbreviations are search_table.c's, beginnings of words, words
 * without their vowels, and initials.  Nothing here depends on the machine: the same rows and words give the same answer.
 *
 * Memory: a row takes 6 bytes and 8 for each word in it; a distinct word its letters and 30 to 250 bytes.  So 100,000 rows
 * take 5.4 MB with five words each of 2,400 in all, and 50 MB with four each of 263,000; a room takes 0.8 to 2 MB.  Building takes 1 to 11 us a
 * row.  scripts/score-search prints all of it.
 */
#pragma once
#include "base.h"

struct search;
struct search_room;

enum {
	SEARCH_TEXT_MAX = 400,      /* bytes of a query that are read */
	SEARCH_FOUND_MAX = 50,      /* rows that a query can give */
	SEARCH_ROW_WORDS_MAX = 100, /* words of a row that are indexed */
	SEARCH_ROWS_MAX = 1 << 20,
};

struct search_found {
	uint32_t row;   /* in the order in which they were added, from 0 */
	unsigned score; /* 1 to 100: that of the very words is 100 */
};

/* Building: add each row's text (valid UTF-8; at most SEARCH_ROWS_MAX rows), then end; search only then. */
struct search *search_new(void) MUST_CHECK;
void search_add(struct search *search, struct bytes text);
void search_end(struct search *search);
void search_free(struct search *search); /* NULL is fine */
size_t search_memory(const struct search *search);

/* What one thread needs to search, any index; it grows with the largest. */
struct search_room *search_room_new(void) MUST_CHECK;
void search_room_free(struct search_room *room); /* NULL is fine */
size_t search_room_memory(const struct search_room *room);

/* The rows that fit the text best, best first; of equal ones the earlier.  Gives their number, up to `most`.
 * Its work is bounded, whatever the text and the rows are: see the first lines of search.c. */
unsigned search_find(const struct search *search, struct search_room *room, struct bytes text,
		     struct search_found *out, unsigned most) MUST_CHECK;
