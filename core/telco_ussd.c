/* telco_ussd.c - what is new in a USSD input that a telco sends whole each time.
 *
 * A citizen may type stars, so the new input is what follows the text before and one star, never
 * what follows the last star.  Only the first request of a session is taken apart: it was dialled
 * at once, *123*1*2#.
 */
#include <errno.h>
#include <string.h>

#include "telco.h"

static void split(struct bytes raw, struct arena *arena, struct bytes **inputs, unsigned *count)
{
	const char *at = raw.data, *end = raw.data + raw.len;
	unsigned items = 1;

	for (size_t i = 0; i < raw.len; i++)
		items += raw.data[i] == '*';
	*inputs = arena_alloc(arena, items * sizeof(**inputs));
	*count = items;
	for (unsigned i = 0; i < items; i++) {
		const char *star = memchr(at, '*', (size_t)(end - at));
		const char *stop = star ? star : end;

		(*inputs)[i] = arena_bytes(arena, at, (size_t)(stop - at));
		at = star ? star + 1 : end;
	}
}

int telco_ussd_inputs(struct bytes previous, bool first, struct bytes raw, struct arena *arena,
		      struct bytes **inputs, unsigned *count)
{
	size_t skip = previous.len > 0 ? previous.len + 1 : 0;

	*inputs = NULL;
	*count = 0;
	if (first) {
		if (raw.len > 0)
			split(raw, arena, inputs, count);
		return 0;
	}
	if (raw.len == previous.len &&
	    (raw.len == 0 || memcmp(raw.data, previous.data, raw.len) == 0))
		return -EALREADY;
	if (raw.len < skip || (skip > 0 && (memcmp(raw.data, previous.data, previous.len) != 0 ||
					    raw.data[previous.len] != '*')))
		return -EINVAL;
	*inputs = arena_alloc(arena, sizeof(**inputs));
	(*inputs)[0] = arena_bytes(arena, raw.data + skip, raw.len - skip);
	*count = 1;
	return 0;
}
