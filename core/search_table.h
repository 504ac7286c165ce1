/* search_table.h - the table of abbreviations; nothing but search_table.c and its test includes it. */
#pragma once
#include "base.h"

struct search_short {
	const char *word;  /* folded, letters alone */
	const char *words; /* what it stands for, with one blank between */
};
extern const struct search_short search_shorts[]; /* by word, rising (strcmp) */
extern const unsigned search_short_count;
