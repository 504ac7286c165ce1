/* gsm7.h - the GSM 7-bit alphabet: what fits an SMS segment and a USSD screen.
 *
 * Source: 3GPP TS 23.038 (alphabets, packing), TS 23.040 (lengths of concatenated messages).
 */
#pragma once
#include "base.h"

enum text_coding { CODING_GSM7, CODING_UCS2 };

struct text_size {
	enum text_coding coding;
	unsigned units;    /* septets, or UTF-16 units */
	unsigned segments; /* SMS parts; the empty text is 1 */
};
/* text is valid UTF-8. part_ends (may be NULL, room for max_ends) gets the byte offset behind each
 * segment.  Neither an escape and its character nor the two halves of a surrogate pair are ever in
 * two segments; the empty text is one. */
struct text_size gsm7_size(struct bytes text, size_t *part_ends, unsigned max_ends);

/* Smart substitution: typography and accents to GSM-7 (and CRLF and CR to LF) where that makes the
 * WHOLE text GSM-7; otherwise the text comes back as it was.  optional: also the class that changes
 * meaning or length.
 * Ownership: text itself where nothing changes, else in the arena. */
struct bytes gsm7_smart(struct arena *arena, struct bytes text, bool optional);

/* One septet a byte, escapes as two.  -EILSEQ: a character outside; -ENOSPC: out is too small.
 * Else the count. */
ssize_t gsm7_encode(struct bytes text, unsigned char *septets, size_t size) MUST_CHECK;
/* Septets (0 to 127; others become U+FFFD) to UTF-8 in the arena. */
struct bytes gsm7_decode(struct arena *arena, const unsigned char *septets, size_t count);
/* fill: bits before the first septet (behind a UDH), 0 to 6.  Gives the octets used. out holds
 * (count * 7 + fill + 7) / 8 (+1 for USSD). USSD fills seven spare bits with a CR, and adds one to
 * a text that ends in CR on an octet's end. */
size_t gsm7_pack(const unsigned char *septets, size_t count, unsigned fill, bool ussd,
		 unsigned char *out);
/* The way back; gives the septets. septets holds len * 8 / 7.  USSD: without the CR that gsm7_pack
 * added.  SMS: an eighth septet of spare bits shows as one of 0: the header of the message knows
 * the true count. */
size_t gsm7_unpack(const unsigned char *octets, size_t len, unsigned fill, bool ussd,
		   unsigned char *septets);

/* Characters (GSM-7 septets or UCS-2 units) that a USSD screen may hold for a text of this coding:
 * chars_gsm7 is the telco's limit (182 at most); UCS-2 holds what the same octets hold (80 at
 * most). */
unsigned gsm7_ussd_room(enum text_coding coding, unsigned chars_gsm7);
