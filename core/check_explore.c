/* check_explore.c - runs a dialog with every kind of answer, as far as the budget goes.
 *
 * Each way is a journal, run anew from its start: so every way is a replay too, and code that does something else the second time is
 * found.  Two ways are one state where the functions of the dialog stand in the same places with the same values and as much is known
 * of the records; what lies behind is looked at once.  Places that were seen least often go first, so that a small budget comes to the
 * end of a long dialog before it comes to all its ways.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>

#include "check_priv.h"

enum {
	RANKS = 16,
	PLACES_MAX = 256,
	WAY_MAX = 8, /* answers of a way that are told */
	TURN = 256,
	TRIES = 3, /* of a run that a limit hit in replay */
};

struct item {
	struct node *node;
	unsigned choice;
};

/* What waits, first in first out. */
struct queue {
	struct item *items; /* owned */
	unsigned count, next, room;
};

struct work {
	struct explore *explore;
	struct queue queues[RANKS];
	struct {
		struct run_place place;
		unsigned seen;
	} places[PLACES_MAX];
	unsigned place_count;
	unsigned taken;
	struct buf journal;
};

static uint64_t mix(uint64_t hash, const void *data, size_t len)
{
	const unsigned char *at = data;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ at[i]) * UINT64_C(0x100000001B3);
	return hash;
}

/* ---- ways ---- */

static void add_way(const struct node *node, unsigned most, struct buf *out)
{
	if (!node->parent)
		return;
	if (most == 1 && node->parent->parent)
		buf_addstr(out, "...");
	else
		add_way(node->parent, most - 1, out);
	buf_addf(out, "%s%s", out->len > 0 ? ", " : "", node->parent->choices[node->via].label);
}

const char *check_way(struct explore *explore, const struct node *node)
{
	struct buf buf = { 0 };
	const char *way;

	add_way(node, WAY_MAX, &buf);
	way = arena_strdup(&explore->arena, buf.data ? buf.data : "");
	buf_free(&buf);
	return way;
}

/* The journal up to a node. */
static void add_journal(const struct node *node, struct buf *out)
{
	if (node->parent)
		add_journal(node->parent, out);
	buf_add(out, node->piece.data, node->piece.len);
}

/* ---- states ---- */

static void put(struct queue *queue, struct item item)
{
	if (queue->count == queue->room) {
		queue->room = queue->room > 0 ? 2 * queue->room : 64;
		queue->items = xrealloc(queue->items, queue->room * sizeof(*queue->items));
	}
	queue->items[queue->count++] = item;
}

/* How often a place was seen before. */
static unsigned seen_before(struct work *work, const struct run_place *place)
{
	for (unsigned i = 0; i < work->place_count; i++)
		if (work->places[i].place.line == place->line &&
		    work->places[i].place.kind == place->kind &&
		    strcmp(work->places[i].place.file, place->file) == 0)
			return work->places[i].seen++;
	if (work->place_count < PLACES_MAX) {
		work->places[work->place_count].place = *place;
		work->places[work->place_count++].seen = 1;
	}
	return 0;
}

static void put_choices(struct work *work, struct node *node)
{
	unsigned rank = seen_before(work, &node->place);

	rank = rank < RANKS ? rank : RANKS - 1;
	for (unsigned i = 0; i < node->choice_count; i++)
		put(&work->queues[rank], (struct item){ node, i });
}

static struct node *node_add(struct explore *explore, const struct node *from)
{
	struct node *node = arena_alloc(&explore->arena, sizeof(*node));

	*node = *from;
	if ((explore->node_count & (explore->node_count - 1)) == 0)
		explore->nodes = xrealloc(explore->nodes,
					  (explore->node_count ? 2 * explore->node_count : 1) *
						  sizeof(struct node *));
	explore->nodes[explore->node_count++] = node;
	HASH_ADD(hh, explore->by_state, state, sizeof(node->state), node);
	return node;
}

static struct node *node_find(const struct explore *explore, uint64_t state)
{
	struct node *node;

	HASH_FIND(hh, explore->by_state, &state, sizeof(state), node);
	return node;
}

static uint64_t facts_state(const struct fact *facts, uint64_t hash)
{
	for (; facts; facts = facts->before) {
		hash = mix(hash, facts->table, strlen(facts->table));
		if (facts->key)
			hash = mix(hash, facts->key, strlen(facts->key));
		else
			hash = mix(hash, facts->where, strlen(facts->where));
		hash = mix(hash, facts->json.data, facts->json.len);
		hash = mix(hash, &facts->count, sizeof(facts->count));
	}
	return hash;
}

/* ---- what a run came to ---- */

/* The line of an error as Lua writes it, "survey:12: what". */
static void report_error(struct explore *explore, const struct node *node, const char *error)
{
	char name[64] = "";
	int line = 0, at = 0;
	const char *way = check_way(explore, node);

	if (sscanf(error, "%63[^: ]:%d: %n", name, &line, &at) < 2 || at == 0) {
		at = 0; /* it went wrong somewhere behind the call before */
		line = node->parent->place.line;
		snprintf(name, sizeof(name), "%s", node->parent->place.file);
	}
	check_add(explore->check, FOUND_FAILURE, check_path(&explore->arena, explore->plugin, name),
		  line, 0, "%s (after %s)", error + at, way);
}

static void use_query(struct explore *explore, const struct record_query *query)
{
	const struct bundle *bundle = explore->plugin->bundle;
	const struct record_table *table = bundle_table(bundle, query->table);
	struct table_use *use = &explore->use->tables[table - bundle->tables];

	use->read = true;
	for (unsigned i = 0; i < query->term_count; i++)
		use->fields[table_field(table, query->terms[i].field) - table->fields] = true;
	if (query->order)
		use->fields[table_field(table, query->order) - table->fields] = true;
}

/* A record without a unique key gets one by chance: here it is numbered, so that two ways to the same are the same. */
static const char *key_of(struct explore *explore, const struct node *node,
			  const struct record_table *table, const struct record_write *write)
{
	unsigned count = 0;

	if (table->unique_count > 0)
		return write->key;
	for (const struct fact *fact = node->facts; fact; fact = fact->before)
		count++;
	return arena_printf(&explore->arena, "#%u", count);
}

/* What was written is known from here on; a write that waits for what it comes to is not written yet. */
static void take_writes(struct explore *explore, struct node *node, struct step *step)
{
	const struct bundle *bundle = explore->plugin->bundle;
	struct record_write *write;
	struct table_use *use;

	STAILQ_FOREACH (write, &step->records, next) {
		const struct record_table *table = bundle_table(bundle, write->table);

		use = &explore->use->tables[table - bundle->tables];
		use->written = true;
		node->effects = mix(node->effects, write->table, strlen(write->table));
		node->effects = mix(node->effects, write->json.data, write->json.len);
		if (write->add_entry) {
			model_waits(explore, node, table, write);
			use->read = true; /* it learns what was there */
		} else {
			write->key = key_of(explore, node, table, write);
			node->facts = model_wrote(explore, node->facts, write);
		}
	}
}

/* What was said before a read belongs to the question behind it. */
static void take_said(struct explore *explore, struct node *node, const struct node *before,
		      const struct run_call *call)
{
	struct arena *arena = &explore->arena;
	unsigned old = before->kind == NODE_READ ? before->mark_count : 0;
	size_t start = old > 0 ? before->said.len + 1 : 0;
	struct said_mark *marks = arena_alloc(arena, (old + call->mark_count + 1) * sizeof(*marks));

	for (unsigned i = 0; i < old; i++)
		marks[i] = before->marks[i];
	for (unsigned i = 0; i < call->mark_count; i++) {
		marks[old + i] = call->marks[i];
		marks[old + i].end += start;
	}
	node->marks = marks;
	node->mark_count = old + call->mark_count;
	node->said = old == 0 ? call->said : before->said;
	if (old > 0 && call->mark_count > 0) {
		node->said.data = arena_printf(arena, "%s\n%s", before->said.data, call->said.data);
		node->said.len = strlen(node->said.data);
	}
}

static bool too_many_reads(struct explore *explore, const struct node *node)
{
	if (node->reads <= CHECK_READS_MAX)
		return false;
	check_add(explore->check, FOUND_FAILURE,
		  check_path(&explore->arena, explore->plugin, node->place.file), node->place.line,
		  0, "more than %d reads of records without a question (after %s)", CHECK_READS_MAX,
		  check_way(explore, node));
	return true;
}

/* Its ways on. */
static void grow(struct work *work, struct node *node)
{
	struct explore *explore = work->explore;

	if (node->kind == NODE_READ && !too_many_reads(explore, node))
		model_reads(explore, node);
	else if (node->kind == NODE_READ)
		node->kind = NODE_BROKEN;
	else if (node->kind == NODE_QUESTION && node->questions < CHECK_QUESTIONS_MAX)
		model_answers(explore, node);
	put_choices(work, node);
}

static enum node_kind kind_of(enum run_end end)
{
	switch (end) {
	case RUN_WAITS:
		return NODE_QUESTION;
	case RUN_READS:
		return NODE_READ;
	case RUN_DONE:
		return NODE_END;
	default:
		return NODE_BROKEN;
	}
}

/* All that tells a state apart from others. */
static uint64_t state_of(const struct node *node, struct run *run)
{
	uint64_t state = run && node->kind <= NODE_READ ? run_state(run) : 0;

	state = mix(state, &node->kind, sizeof(node->kind));
	state = mix(state, &node->effects, sizeof(node->effects));
	state = mix(state, node->said.data, node->said.len);
	return facts_state(node->facts, state);
}

/* A state that is new, or the one that was there. */
static void arrive(struct work *work, struct item from, struct node *fresh)
{
	struct explore *explore = work->explore;
	struct choice *choice = &from.node->choices[from.choice];

	choice->to = node_find(explore, fresh->state);
	if (choice->to)
		return;
	choice->to = node_add(explore, fresh);
	if (fresh->kind == NODE_QUESTION || fresh->kind == NODE_END)
		check_shown(explore, choice->to);
	grow(work, choice->to);
}

/* ---- runs ---- */

static void refuse(struct run_call *call, const char *error)
{
	call->error = arena_strdup(call->arena, error);
	call->said = (struct bytes){ "", 0 };
}

/* A run from the journal's start; a program that a limit has spoiled is made anew. */
static enum run_end go(struct explore *explore, struct run_call *call, struct run **run)
{
	char error[1200] = "";

	*run = NULL;
	if (explore->program && program_spoiled(explore->program)) {
		program_free(explore->program);
		explore->program = NULL;
	}
	if (!explore->program)
		explore->program = program_new(explore->plugin->bundle, error, sizeof(error));
	if (explore->program)
		*run = run_new(explore->program, explore->dialog, error, sizeof(error));
	if (!*run) {
		refuse(call, error);
		return RUN_FAILED;
	}
	return run_go(*run, call);
}

static enum run_end run_journal(struct work *work, struct item item, struct run_call *call,
				struct run **run)
{
	const struct choice *choice = &item.node->choices[item.choice];
	enum run_end end = RUN_AGAIN;

	buf_reset(&work->journal);
	add_journal(item.node, &work->journal);
	buf_add(&work->journal, choice->entry.data, choice->entry.len);
	call->journal = (struct bytes){ work->journal.data, work->journal.len };
	call->committed = choice->read ? &item.node->request : NULL;
	call->read = choice->read;
	*run = NULL;
	for (unsigned i = 0; i < TRIES && end == RUN_AGAIN; i++) {
		run_free(*run);
		end = go(work->explore, call, run);
	}
	work->explore->use->runs++;
	return end;
}

/* What the way adds to the journal: an answer and the look-ups behind it, or all that a read left. */
static struct bytes piece_of(struct explore *explore, const struct choice *choice,
			     const struct run_call *call)
{
	struct buf buf = { 0 };
	struct bytes piece;

	if (!choice->read)
		buf_add(&buf, choice->entry.data, choice->entry.len);
	buf_add(&buf, call->appended.data, call->appended.len);
	piece = arena_bytes(&explore->arena, buf.data ? buf.data : "", buf.len);
	buf_free(&buf);
	return piece;
}

/* The state that a run came to. */
static struct node state_after(struct explore *explore, struct item from,
			       const struct run_call *call, enum run_end end)
{
	const struct node *node = from.node;
	const struct choice *choice = &node->choices[from.choice];
	struct node fresh = {
		.kind = kind_of(end),
		.parent = from.node,
		.via = from.choice,
		.piece = piece_of(explore, choice, call),
		.request = call->request,
		.query = call->query,
		.place.file = "",
		.facts = choice->fact ? choice->fact : node->facts,
		.questions = node->questions + (end == RUN_WAITS),
		.reads = end == RUN_READS ? node->reads + 1 : 0,
		.effects = node->kind == NODE_READ ? node->effects : 0,
	};

	take_said(explore, &fresh, node, call);
	take_writes(explore, &fresh, call->step);
	if (end == RUN_READS && fresh.query.table)
		use_query(explore, &fresh.query);
	if (fresh.kind == NODE_BROKEN)
		report_error(explore, &fresh, call->error);
	return fresh;
}

static void run_choice(struct work *work, struct item item)
{
	struct explore *explore = work->explore;
	struct said_mark marks[RUN_MARKS];
	struct step *step = step_new();
	struct run_call call = { .citizen = "+6281200000001",
				 .dialog = { 1, 1 },
				 .step = step,
				 .arena = &explore->arena,
				 .marks = marks };
	struct run *run;
	enum run_end end = run_journal(work, item, &call, &run);
	struct node fresh = state_after(explore, item, &call, end);

	if (run)
		fresh.place = run_place(run, &explore->arena);
	fresh.state = state_of(&fresh, run);
	arrive(work, item, &fresh);
	run_free(run);
	step_free(step);
}

/* Of the places that were seen often, for a while what came last, which leads far, and for a while what waits longest. */
static bool take(struct work *work, struct item *out)
{
	struct queue *last = &work->queues[RANKS - 1];

	for (unsigned i = 0; i < RANKS; i++) {
		struct queue *queue = &work->queues[i];

		if (queue->next == queue->count)
			continue;
		work->taken++;
		*out = queue == last && work->taken / TURN % 2 == 0 ? queue->items[--queue->count]
								    : queue->items[queue->next++];
		return true;
	}
	return false;
}

/* What the budget has left out. */
static void count_untried(struct work *work)
{
	struct plugin_use *use = work->explore->use;
	struct item item;

	while (take(work, &item)) {
		if (use->untried++ > 0)
			continue;
		use->untried_at = item.node->place;
		use->untried_at.file = arena_strdup(&work->explore->check->arena,
						    item.node->place.file);
	}
}

/* Not clock.h's, which stands still. */
static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void check_explore(struct explore *explore)
{
	struct work work = { .explore = explore };
	struct node *start = node_add(explore,
				      &(struct node){ .kind = NODE_START, .place.file = "" });
	int64_t began = now_ms();
	struct item item;

	model_starts(explore, start);
	put_choices(&work, start);
	for (unsigned i = 0;
	     i < explore->budget && now_ms() - began < explore->ms && take(&work, &item); i++)
		run_choice(&work, item);
	check_graph(explore);
	count_untried(&work);
	explore->use->states += explore->node_count - 1;
	for (unsigned i = 0; i < RANKS; i++)
		free(work.queues[i].items);
	buf_free(&work.journal);
	program_free(explore->program);
	explore->program = NULL;
	HASH_CLEAR(hh, explore->by_state);
	free(explore->nodes);
	explore->nodes = NULL;
	arena_free(&explore->arena);
}
