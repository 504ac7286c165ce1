/* check_priv.h - what the parts of `kentongan check` share: findings, and the graph of a dialog's states. */
#pragma once
#include "check.h"
#include "plugin.h"
#include "plugin_run.h"
#include "settings.h"

#define uthash_fatal(text) abort()
#define uthash_malloc(size) xmalloc(size)
#include <stdlib.h>

#include <uthash.h>

/* ---- findings ---- */

/* One finding of a kind is kept for each line: the first, or the one of the greatest weight. */
enum finding_kind {
	FOUND_LOAD,
	FOUND_FAILURE, /* the dialog fails, breaches a limit or diverges */
	FOUND_ENDLESS,
	FOUND_SCREENS,
	FOUND_SEGMENTS,
	FOUND_SAME, /* answers that make no difference */
	FOUND_UNREACHED,
	FOUND_TABLE,
	FOUND_INDEX,
};

struct finding {
	enum finding_kind kind;
	const char *path; /* of the file */
	int line;         /* 0: not known */
	const char *text;
	unsigned weight;
};

struct check {
	struct arena arena; /* of the findings */
	const struct settings *settings;
	const char *folder;       /* a new one, that goes in the end */
	unsigned budget, seconds; /* for each dialog: runs, time */
	bool json;
	struct finding *findings; /* owned */
	unsigned finding_count;
};

/* Adds, or takes the place of a lighter one; path and text are copied. */
void check_add(struct check *check, enum finding_kind kind, const char *path, int line,
	       unsigned weight, const char *fmt, ...) PRINTF_LIKE(6, 7);
/* Puts those from `first` on in order, and prints them. */
void check_tell(struct check *check, unsigned first);
/* The path of a file as `require` names it.  Ownership: in the arena. */
const char *check_path(struct arena *arena, const struct plugin *plugin, const char *name);

/* ---- a dialog's states ---- */

struct profile_try {
	struct journal_citizen citizen;
	const char *needs; /* tried where the code has this word; NULL: always */
};

/* What is known of the records on the way to a state. */
struct fact {
	const struct fact *before;
	const char *table, *key; /* key NULL: of a query, */
	const char *where;       /* which this tells apart */
	struct bytes json;       /* data NULL: there is none */
	unsigned count;          /* of a query */
};

/* One way on from a state. */
struct choice {
	const char *label;
	struct bytes entry;             /* what it adds to the journal, or */
	const struct read_result *read; /* what the store gives */
	const struct fact *fact;        /* what is known then; NULL: nothing new */
	struct node *to;                /* NULL: not tried */
};

/* A write, and what it may come to. */
enum { OUTCOMES_MAX = 2 };
struct waiting {
	struct choice outcomes[OUTCOMES_MAX];
	unsigned count;
};

enum node_kind { NODE_START, NODE_QUESTION, NODE_READ, NODE_END, NODE_BROKEN };

struct node {
	UT_hash_handle hh; /* by state */
	enum node_kind kind;
	uint64_t state;
	struct node *parent; /* the first way here */
	unsigned via;
	struct bytes piece; /* of the journal, behind the parent's */
	struct request request;
	struct record_query query; /* of NODE_READ, but for a write */
	struct waiting *waiting;   /* a write, for what it comes to */
	struct run_place place;
	struct bytes said; /* since the question before */
	struct said_mark *marks;
	unsigned mark_count;
	const struct fact *facts;
	unsigned questions, reads; /* on the first way: in all; since the question before */
	struct choice *choices;
	unsigned choice_count;
	uint64_t effects;  /* what an end has caused */
	unsigned segments; /* that are shown here, by SMS */
	/* check_graph.c's: */
	bool can_end, busy, known;
	uint64_t class, next_class;
	unsigned longest, cost;
};

/* What a plugin does with a table of its records. */
struct table_use {
	bool written, read;
	bool *fields; /* searched or ordered by */
};

struct plugin_use {
	struct table_use *tables; /* of the bundle */
	unsigned runs, states, longest, cost;
	bool loops;
	unsigned untried;            /* answers, */
	struct run_place untried_at; /* the first of them */
};

/* One dialog on one channel for one kind of citizen. */
struct explore {
	struct check *check;
	const struct plugin *plugin;
	const char *dialog;
	enum channel channel;
	const struct journal_citizen *citizen;
	const char *variant; /* "replace = false": the setting that is another; NULL: none */
	struct program *program;
	struct plugin_use *use;
	struct arena arena;  /* of all nodes */
	struct node **nodes; /* owned list */
	unsigned node_count;
	struct node *by_state;
	unsigned budget, ms; /* runs, time */
};

enum {
	CHECK_QUESTIONS_MAX = 100, /* on one way */
	CHECK_READS_MAX = 100,     /* without a question, as in turn_run.c */
};

/* All of a plugin that lies in a folder of plugins (check_plugin.c). */
void check_plugin(struct check *check, const struct plugin *plugin, const char *folder);
/* Runs the dialog as far as the budget goes. */
void check_explore(struct explore *explore);
/* What a citizen did up to a state, for people.  Ownership: in the arena. */
const char *check_way(struct explore *explore, const struct node *node);
/* "SURVEI", "2 Puas": an event and the answer of each choice (check_model.c). */
void model_starts(struct explore *explore, struct node *node);
void model_answers(struct explore *explore, struct node *node);
void model_reads(struct explore *explore, struct node *node);
/* What the writes of a step make known. */
const struct fact *model_wrote(struct explore *explore, const struct fact *facts,
			       const struct record_write *write);
/* Sets the node's waiting write; what is lent is not kept. */
void model_waits(struct explore *explore, struct node *node, const struct record_table *table,
		 struct record_write *write);
/* What is shown at a question or an end (check_text.c). */
void check_shown(struct explore *explore, struct node *node);
/* What only the whole graph tells: ways without an end, answers without a difference, the longest way (check_graph.c). */
void check_graph(struct explore *explore);

/* `--open` (check_open.c); the exit status. */
int check_open(struct check *check, const struct plugin_set *set, const char *name);
