/* lookup.h - finds a word in a table that is in order of its words.
 *
 * A message is looked up word by word in several tables, and words differ in their first letters: so they are compared in
 * place, which costs half of what bsearch() and strcmp() do.
 */
#pragma once
#include "base.h"

/* The row of a word, or NULL.  A row begins with a pointer to its word; rows are in order of strcmp(). */
static inline const void *lookup(const char *word, const void *table, unsigned count, size_t size)
{
	unsigned low = 0, high = count;

	while (low < high) {
		unsigned middle = (low + high) / 2;
		const void *row = (const char *)table + middle * size;
		const unsigned char *a = (const unsigned char *)word;
		const unsigned char *b = *(const unsigned char *const *)row;

		while (*a && *a == *b)
			a++, b++;
		if (*a == *b)
			return row;
		if (*a > *b)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}
