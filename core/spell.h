/* spell.h - how near a typed word is to the one that was meant.  Pure.
 *
 * A slip of the thumb is not any letter for any other: on a keypad one press too many stays on the key (LAPOR, kapor), on a
 * phone's keyboard the thumb hits the key beside (lspor), a vowel is left out to save letters (LPR), two letters change
 * places, one is held.  Such slips cost less than a letter that nothing explains, so that words which only look alike
 * stay apart.
 * Source: the reference's civic-domain.md 5 (Keypad).
 */
#pragma once
#include "base.h"

enum { SPELL_MAX = 24 };        /* letters of a word; a longer one is near to nothing */
enum { SPELL_FAR = UINT8_MAX }; /* more than the most that was asked for */

/* Tenths of a slip that make word of meant, or SPELL_FAR where it takes more than most.  Both are of a-z and 0-9. */
unsigned spell_cost(const char *word, const char *meant, unsigned most);
/* What a word of so many letters may cost and still be meant: the longer, the more; 0 for one of two. */
unsigned spell_room(size_t letters);
/* The letters of a word as bits: what spell_lacks needs. */
uint32_t spell_letters(const char *word);
/* Whether one of two words has more than so many letters that the other lacks: more slips lie between them then.  Much cheaper
 * than their cost. */
static inline bool spell_lacks_more(uint32_t word, uint32_t meant, unsigned letters)
{
	uint32_t more = word & ~meant, less = meant & ~word;

	for (; letters > 0; letters--) {
		more &= more - 1;
		less &= less - 1;
	}
	return more | less;
}
/* With at most so many of a letter that was held ("stoopp"), and with letters for the digits that look like them ("st0p"; not
 * where there are digits alone).  out has room for word. */
void spell_tidy(const char *word, unsigned held, char *out);
