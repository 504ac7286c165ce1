/* utf8.h - bytes from outside become valid text, and text is folded for comparing.
 *
 * Source: Unicode 15 (utf8proc); RFC 3629.
 */
#pragma once
#include "base.h"

bool utf8_valid(const char *text, size_t len); /* NUL counts as valid */
/* The character at *at, which moves behind it.  text is valid and *at < text.len. */
uint32_t utf8_next(struct bytes text, size_t *at);
/* Invalid sequences and NUL become U+FFFD (one for each maximal part of a sequence, as browsers do
 * it); at most max_chars characters are kept (cut says whether some were lost).
 * Ownership: this and all below: always a copy in the arena, with a NUL behind it. */
struct bytes utf8_clean(struct arena *arena, struct bytes raw, size_t max_chars, bool *cut);
/* Lone surrogates and an odd last byte become U+FFFD. */
struct bytes utf8_from_utf16be(struct arena *arena, struct bytes raw);
struct bytes utf8_from_latin1(struct arena *arena, struct bytes raw);
size_t utf8_length(struct bytes text); /* characters (code points) */
/* For comparing: NFKC, case folded, zero-width and bidi marks and controls dropped, full-width,
 * Arabic and Javanese digits to ASCII, runs of blanks to one blank, blanks at the ends dropped.
 * text is valid. */
struct bytes utf8_fold(struct arena *arena, struct bytes text);
