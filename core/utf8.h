/* utf8.h - bytes from outside become valid text, and text is folded for comparing.
 *
 * Source: Unicode 15 (utf8proc); RFC 3629.
 */
#pragma once
#include "base.h"

bool utf8_valid(const char *text, size_t len); /* NUL counts as valid */
/* Invalid sequences and NUL become U+FFFD; at most max_chars characters are kept (cut says whether some were lost). */
struct bytes utf8_clean(struct arena *arena, struct bytes raw, size_t max_chars, bool *cut);
struct bytes utf8_from_utf16be(struct arena *arena, struct bytes raw); /* lone surrogates and an odd last byte: U+FFFD */
struct bytes utf8_from_latin1(struct arena *arena, struct bytes raw);
size_t utf8_length(struct bytes text); /* characters (code points) */
/* For comparing: NFKC, case folded, zero-width and bidi marks and controls dropped, full-width and Arabic digits to ASCII,
 * runs of blanks to one blank, blanks at the ends dropped. */
struct bytes utf8_fold(struct arena *arena, struct bytes text);
