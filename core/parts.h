/* parts.h - joins the parts of a long message: pure, over the rows that wait in the store.
 *
 * Parts of one message share sender, recipient, connection, reference and total.  They come in
 * any order and more than once.
 * Source: 3GPP TS 23.040, 9.2.3.24.1; the reference's security.md, 4.
 */
#pragma once
#include "base.h"
#include "message.h"
#include "step.h"

enum {
	PARTS_SETS_MAX = 4,            /* incomplete messages of one sender */
	PARTS_SECONDS_MAX = 24 * 3600, /* how long one waits: 8-bit references come again */
};

enum parts_result {
	PARTS_WAIT,     /* keep it: others are missing */
	PARTS_JOINED,   /* it was the last one: *joined is the message, and its waiting parts go */
	PARTS_REPEATED, /* it waits already: acknowledge, do nothing */
};

/* Shape:     have are the waiting parts of this citizen, in any order; joined has the text in the
 *            order of the parts, the telco's id and the time of part 1, and no part_* any more
 * Ownership: what joined points to lies in the arena or in the parts
 */
enum parts_result parts_add(const struct part_row *have, unsigned count, const struct inbound *part,
			    struct arena *arena, struct inbound *joined);

/* Whether some incomplete message must be delivered as it is now: one that has waited for too
 * long; one whose reference `part` uses for another message; the oldest, where part would begin
 * one more than PARTS_SETS_MAX.  Ask until it is false, and before parts_add; each *joined is a
 * message of its own, and the parts of *key go with it.
 * part: NULL asks for what has waited too long alone. */
bool parts_give_up(const struct part_row *have, unsigned count, const struct inbound *part,
		   int64_t now, struct arena *arena, struct part_key *key, struct inbound *joined);

/* Names the set that a part belongs to.  Lent from the part. */
struct part_key parts_key(const struct inbound *part);
