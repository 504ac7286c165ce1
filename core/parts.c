/* parts.c - joins the parts of a long message.
 *
 * UCS-2 parts are joined as bytes and decoded afterwards, because a telco may cut a character in
 * two.  What is incomplete after a day is delivered as far as it came: half a complaint can be
 * answered, silence can't.
 */
#include "parts.h"

#include <string.h>

#include "utf8.h"

enum { TOTAL_MAX = 255, SETS_SEEN_MAX = 2 * PARTS_SETS_MAX };

struct part_key parts_key(const struct inbound *part)
{
	return (struct part_key){ .citizen = part->from,
				  .connection = part->connection,
				  .to = part->to,
				  .ref = part->part_ref,
				  .total = part->part_total,
				  .last_id = part->provider_id };
}

static bool same_set(const struct inbound *a, const struct inbound *b)
{
	return a->part_ref == b->part_ref && a->part_total == b->part_total &&
	       strcmp(a->from, b->from) == 0 && strcmp(a->to, b->to) == 0 &&
	       strcmp(a->connection, b->connection) == 0;
}

static bool same_text(const struct inbound *a, const struct inbound *b)
{
	return a->part_coding == b->part_coding && a->text.len == b->text.len &&
	       (a->text.len == 0 || memcmp(a->text.data, b->text.data, a->text.len) == 0);
}

/* The telco gave the same part again: by its id, or where there is none or another, by what it
 * says. */
static bool repeated(const struct inbound *a, const struct inbound *b)
{
	return (a->provider_id[0] && strcmp(a->provider_id, b->provider_id) == 0) ||
	       same_text(a, b);
}

/* The parts of one set by number; returns how many there are. */
static unsigned collect(const struct part_row *have, unsigned count, const struct inbound *part,
			const struct inbound *by_number[static TOTAL_MAX + 1])
{
	unsigned found = 0;

	memset(by_number, 0, (TOTAL_MAX + 1) * sizeof(*by_number));
	for (unsigned i = 0; i < count; i++) {
		const struct inbound *other = &have[i].msg;

		if (!same_set(other, part) || other->part_number < 1 ||
		    other->part_number > TOTAL_MAX || by_number[other->part_number])
			continue;
		by_number[other->part_number] = other;
		found++;
	}
	return found;
}

static void add_decoded(struct arena *arena, struct buf *text, struct buf *wide)
{
	struct bytes decoded;

	if (wide->len == 0)
		return;
	decoded = utf8_from_utf16be(arena, (struct bytes){ wide->data, wide->len });
	buf_add(text, decoded.data, decoded.len);
	buf_reset(wide);
}

static struct bytes join_text(const struct inbound *const by_number[static TOTAL_MAX + 1],
			      struct arena *arena)
{
	struct buf text = { 0 }, wide = { 0 };
	struct bytes joined;
	bool cut;

	for (unsigned i = 1; i <= TOTAL_MAX; i++) {
		const struct inbound *part = by_number[i];

		if (part && part->part_coding == PART_UCS2) {
			buf_add(&wide, part->text.data, part->text.len);
			continue;
		}
		/* Behind a gap or a part in another coding no character goes on. */
		add_decoded(arena, &text, &wide);
		if (part)
			buf_add(&text, part->text.data, part->text.len);
	}
	add_decoded(arena, &text, &wide);
	joined = utf8_clean(arena, (struct bytes){ text.len ? text.data : "", text.len }, TEXT_MAX,
			    &cut);
	buf_free(&text);
	buf_free(&wide);
	return joined;
}

static void join(const struct inbound *const by_number[static TOTAL_MAX + 1], struct arena *arena,
		 struct inbound *joined)
{
	unsigned first = 1;

	while (!by_number[first])
		first++;
	*joined = *by_number[first];
	joined->text = join_text(by_number, arena);
	joined->part_ref = joined->part_total = joined->part_number = 0;
	joined->joined = true;
	joined->part_coding = PART_TEXT;
}

enum parts_result parts_add(const struct part_row *have, unsigned count, const struct inbound *part,
			    struct arena *arena, struct inbound *joined)
{
	const struct inbound *by_number[TOTAL_MAX + 1];
	unsigned found = collect(have, count, part, by_number);

	if (by_number[part->part_number])
		return PARTS_REPEATED;
	if (found + 1 < part->part_total)
		return PARTS_WAIT;
	by_number[part->part_number] = part;
	join(by_number, arena, joined);
	return PARTS_JOINED;
}

/* The sets that wait: one member of each, and when its oldest part came. */
struct sets {
	struct set {
		const struct inbound *member;
		int64_t began;
	} items[SETS_SEEN_MAX];
	unsigned count;
};

static void list_sets(const struct part_row *have, unsigned count, struct sets *sets)
{
	sets->count = 0;
	for (unsigned i = 0; i < count; i++) {
		unsigned s = 0;

		while (s < sets->count && !same_set(sets->items[s].member, &have[i].msg))
			s++;
		if (s == SETS_SEEN_MAX)
			continue; /* seen when another one is gone */
		if (s == sets->count)
			sets->items[sets->count++] = (struct set){ &have[i].msg, have[i].arrived };
		else if (have[i].arrived < sets->items[s].began)
			sets->items[s].began = have[i].arrived;
	}
}

/* Another message's part under a reference that still waits. */
static const struct inbound *overtaken(const struct part_row *have, unsigned count,
				       const struct inbound *part)
{
	for (unsigned i = 0; i < count; i++) {
		const struct inbound *other = &have[i].msg;

		if (same_set(other, part) && other->part_number == part->part_number &&
		    !repeated(part, other))
			return other;
	}
	return NULL;
}

/* One member of the set that must go, or NULL. */
static const struct inbound *to_give_up(const struct part_row *have, unsigned count,
					const struct inbound *part, int64_t now)
{
	const struct set *oldest = NULL;
	struct sets sets;
	unsigned others = 0;

	list_sets(have, count, &sets);
	for (unsigned i = 0; i < sets.count; i++) {
		const struct set *set = &sets.items[i];

		if (set->began + PARTS_SECONDS_MAX <= now)
			return set->member;
		if (!part || same_set(set->member, part))
			continue;
		others++;
		if (!oldest || set->began < oldest->began)
			oldest = set;
	}
	/* A set that is open already, or is only now begun, is the fourth at most. */
	if (part && others >= PARTS_SETS_MAX)
		return oldest->member;
	return part ? overtaken(have, count, part) : NULL;
}

bool parts_give_up(const struct part_row *have, unsigned count, const struct inbound *part,
		   int64_t now, struct arena *arena, struct part_key *key, struct inbound *joined)
{
	const struct inbound *by_number[TOTAL_MAX + 1],
		*member = to_give_up(have, count, part, now);

	if (!member)
		return false;
	collect(have, count, member, by_number);
	join(by_number, arena, joined);
	*key = parts_key(member);
	return true;
}
