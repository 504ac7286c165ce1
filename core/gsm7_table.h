/* gsm7_table.h - the tables that gsm7.c reads; nothing else includes it. */
#pragma once
#include "base.h"

enum {
	GSM7_ESCAPE = 0x1b,
	GSM7_EXTENDED = 0x80, /* set in a code of the way back: an escape goes before it */
	GSM7_NONE = 0xff,     /* not in the alphabet */
	GSM7_GREEK_FIRST = 0x393,
	GSM7_GREEK_LAST = 0x3a9,
	GSM7_EURO = 0x20ac,
	GSM7_EURO_CODE = GSM7_EXTENDED | 0x65,
};

extern const uint16_t gsm7_default[128]; /* septet -> character; a blank at the escape */
struct gsm7_extension {
	uint8_t septet; /* behind the escape */
	uint16_t point;
};
extern const struct gsm7_extension gsm7_extensions[];
extern const unsigned gsm7_extension_count;

extern const uint8_t gsm7_latin[256]; /* U+0000 to U+00FF -> septet */
extern const uint8_t gsm7_greek[GSM7_GREEK_LAST - GSM7_GREEK_FIRST + 1]; /* capitals */

struct gsm7_substitute { /* each character from first to last */
	uint16_t first, last;
	char text[4];
};
extern const struct gsm7_substitute gsm7_safe[], gsm7_optional[]; /* by character, rising */
extern const unsigned gsm7_safe_count, gsm7_optional_count;
