/* screen.h - lays a long text out in pages: USSD screens, or messages of a few segments each.
 *
 * Pure: which page a citizen sees is the dialog's to remember.  A page breaks between words, and
 * never inside a line that offers an answer ("1 Puas", "2. Tidak"); a question stays with its
 * answers where one page holds them.
 * Source: 3GPP TS 23.038 (160 octets of a USSD string, which no network joins).
 */
#pragma once
#include "base.h"

struct screen_rule {
	unsigned chars;    /* USSD: characters of a GSM-7 screen, 40 to 182; 0: SMS */
	unsigned segments; /* SMS: segments of one page, at least 1 */
	/* Lines at the end of a page, "" for none: of each that another follows ("98 Lanjut",
	 * "(LANJUT)"), and below that of each but the first ("0 Kembali"). */
	const char *more, *back;
};

/* Pages of a text, at least 1.  text is valid UTF-8; back, and then more, is left out where hints
 * would take more than half of a page (with narrow screens of another alphabet). */
unsigned screen_count(struct bytes text, const struct screen_rule *rule);

/* Page 0 to screen_count - 1; beyond that the last one.  A text that is one page is left as it is.
 * Ownership: in the arena, or text itself. */
struct bytes screen_page(struct arena *arena, struct bytes text, unsigned page,
			 const struct screen_rule *rule);
