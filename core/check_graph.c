/* check_graph.c - what only the whole of a dialog's states tells.
 *
 * From each state an end must be in reach.  Two answers make no difference where what comes behind them is the same in words, writes
 * and questions, however far one looks: states are sorted into classes that are parted until nothing parts them.
 * What the budget left untried is taken to be different from all, and to end.
 */
#include <string.h>

#include "check_priv.h"

enum { ROUNDS_MAX = 128 };

static uint64_t mix(uint64_t hash, uint64_t with)
{
	for (unsigned i = 0; i < 8; i++)
		hash = (hash ^ (with >> 8 * i & 255)) * UINT64_C(0x100000001B3);
	return hash;
}

static void report(struct explore *explore, const struct node *node, enum finding_kind kind,
		   const char *text)
{
	check_add(explore->check, kind,
		  check_path(&explore->arena, explore->plugin, node->place.file), node->place.line,
		  0, "%s", text);
}

/* ---- ends ---- */

static bool is_cut(const struct node *node)
{
	return node->kind == NODE_QUESTION && node->questions >= CHECK_QUESTIONS_MAX;
}

static bool leads_to_end(const struct node *node)
{
	if (node->kind == NODE_END || node->kind == NODE_BROKEN)
		return true;
	for (unsigned i = 0; i < node->choice_count; i++)
		if (!node->choices[i].to || node->choices[i].to->can_end)
			return true;
	return false;
}

/* Those on the way to the limit are not told: what they count has no bound, but may have an end. */
static void find_endless(struct explore *explore)
{
	bool changed = true;

	while (changed) {
		changed = false;
		for (unsigned i = explore->node_count; i-- > 0;) {
			struct node *node = explore->nodes[i];

			if (node->can_end || !leads_to_end(node))
				continue;
			node->can_end = changed = true;
		}
	}
	for (unsigned i = 1; i < explore->node_count; i++) {
		struct node *node = explore->nodes[i];

		if (node->can_end || node->questions > CHECK_QUESTIONS_MAX / 2 ||
		    (node->parent->kind != NODE_START && !node->parent->can_end))
			continue;
		report(explore, node, FOUND_ENDLESS,
		       arena_printf(&explore->arena,
				    "no answer leads to an end from here (after %s)",
				    check_way(explore, node)));
	}
}

/* ---- answers that make no difference ---- */

static uint64_t first_class(const struct node *node)
{
	uint64_t class = mix(node->kind, node->request.hash);

	if (node->kind != NODE_END)
		return class;
	class = mix(class, node->effects);
	for (size_t i = 0; i < node->said.len; i++)
		class = mix(class, (unsigned char)node->said.data[i]);
	return class;
}

static uint64_t part(const struct node *node, unsigned number)
{
	uint64_t class = node->class;

	for (unsigned i = 0; i < node->choice_count; i++)
		class = mix(class,
			    node->choices[i].to ? node->choices[i].to->class : mix(number, i));
	return is_cut(node) ? mix(class, number) : class;
}

static void sort_into_classes(struct explore *explore)
{
	unsigned rounds = explore->node_count < ROUNDS_MAX ? explore->node_count : ROUNDS_MAX;

	for (unsigned i = 0; i < explore->node_count; i++)
		explore->nodes[i]->class = first_class(explore->nodes[i]);
	while (rounds-- > 0) {
		for (unsigned i = 0; i < explore->node_count; i++)
			explore->nodes[i]->next_class = part(explore->nodes[i], i + 1);
		for (unsigned i = 0; i < explore->node_count; i++)
			explore->nodes[i]->class = explore->nodes[i]->next_class;
	}
}

static bool same_place(const struct node *a, const struct node *b)
{
	return a->kind == b->kind && a->place.line == b->place.line &&
	       strcmp(a->place.file, b->place.file) == 0;
}

/* Whether two answers lead to the same wherever the question comes. */
static bool are_same(const struct explore *explore, const struct node *at, unsigned a, unsigned b)
{
	for (unsigned i = 0; i < explore->node_count; i++) {
		const struct node *node = explore->nodes[i];
		const struct node *to[2] = { NULL, NULL };

		if (!same_place(node, at) || node->choice_count <= b)
			continue;
		to[0] = node->choices[a].to;
		to[1] = node->choices[b].to;
		if (!to[0] || !to[1] || to[0]->class != to[1]->class)
			return false;
	}
	return true;
}

/* The answers of one question that are the same as an earlier one. */
static void find_same(struct explore *explore, const struct node *node)
{
	unsigned same = 0;

	for (unsigned b = 1; b < node->choice_count; b++)
		same += are_same(explore, node, 0, b);
	if (node->choice_count > 1 && same + 1 == node->choice_count) {
		report(explore, node, FOUND_SAME, "what is answered makes no difference");
		return;
	}
	for (unsigned b = 1; node->request.answer == ANSWER_CHOICE && b < node->choice_count; b++)
		for (unsigned a = 0; a < b; a++)
			if (are_same(explore, node, a, b)) {
				report(explore, node, FOUND_SAME,
				       arena_printf(&explore->arena,
						    "the options '%s' and '%s' lead to the same",
						    node->choices[a].label,
						    node->choices[b].label));
				return;
			}
}

/* Each place once. */
static void find_all_same(struct explore *explore)
{
	for (unsigned i = 0; i < explore->node_count; i++) {
		const struct node *node = explore->nodes[i];
		unsigned before = 0;

		while (before < i && !same_place(explore->nodes[before], node))
			before++;
		if (before == i && node->kind == NODE_QUESTION && node->can_end)
			find_same(explore, node);
	}
}

/* ---- the longest way ---- */

/* From a state on; a way that comes back to where it was is not longer. */
static void measure(struct explore *explore, struct node *node)
{
	unsigned longest = 0, cost = 0;

	node->busy = true;
	for (unsigned i = 0; i < node->choice_count; i++) {
		struct node *to = node->choices[i].to;

		if (to && to->busy)
			explore->use->loops = true;
		if (!to || to->busy)
			continue;
		if (!to->known)
			measure(explore, to);
		longest = to->longest > longest ? to->longest : longest;
		cost = to->cost > cost ? to->cost : cost;
	}
	node->busy = false;
	node->known = true;
	node->longest = longest + (node->kind == NODE_QUESTION);
	node->cost = cost + node->segments;
	explore->use->loops |= is_cut(node);
}

void check_graph(struct explore *explore)
{
	struct node *start = explore->nodes[0];

	find_endless(explore);
	sort_into_classes(explore);
	if (!explore->variant) /* a setting may make a question idle */
		find_all_same(explore);
	measure(explore, start);
	if (start->longest > explore->use->longest)
		explore->use->longest = start->longest;
	if (start->cost > explore->use->cost)
		explore->use->cost = start->cost;
}
