/* plugin_api.h - what Lua can call: one file for each table of calls; see plugins/README.md.
 *
 * A binding checks its arguments, adds to the run's effects or yields a request, and never acts.
 */
#pragma once
#include <lua.h>

#include "journal.h"
#include "plugin_bundle.h"
#include "plugin_run.h"
#include "plugin_sandbox.h"
#include "rows.h"
#include "search.h"

enum {
	SAID_MAX = 8 << 10,    /* bytes that a dialog says up to a question */
	SAYS_MAX = 10,         /* calls of say up to a question */
	PROMPT_MAX = 2000,     /* bytes of a question */
	LABEL_BYTES_MAX = 120, /* of an option */
	CHOICES_MAX = 99,
	ANSWER_CHARS_MAX = 1000,
	FIELD_BYTES_MAX = 120, /* of a citizen's name or area */
	WRITES_MAX = 100,      /* records written up to a question */
	FIND_MAX = 100,        /* rows of one find */
	GROUPS_MAX = 1000,     /* values of one count by them */
};

/* A dialog's life in a program: the owner of its sandbox_run. */
struct run {
	struct program *program;
	struct sandbox_run *sandbox;
	size_t position;            /* in the journal */
	struct journal_skip *skips; /* of the journal that it began with, in skip_arena */
	unsigned skip, skip_count;  /* the next one */
	struct arena skip_arena;
	bool started, over;
	bool live;             /* what is caused now is new: it is gathered, else only hashed */
	uint64_t hash;         /* of what was caused since the last request */
	struct run_call *call; /* while run_go runs */
	struct journal_citizen citizen;
	struct buf fields; /* the citizen's texts, each with its NUL */
	enum channel channel;
	struct buf said;
	struct buf scratch, json; /* of one binding */
	struct buf results; /* what the insert that waits gives where its key is free; else empty */
	unsigned says, writes;
	bool answered;      /* a question, that a back could return to; */
	bool acted;         /* and since then something was caused */
	struct buf lookups; /* entries of new look-ups, for the journal */
	unsigned lookup_count;
	struct rows rows;       /* that one reads */
	struct request request; /* the one that waits; its texts lie in request_arena */
	struct record_query query;
	struct arena request_arena;
	struct record_write *write; /* of a request that is a write, in the step; NULL in replay */
};

struct program {
	struct bundle *bundle; /* referenced */
	struct sandbox *sandbox;
	int citizen, settings;    /* registry */
	struct search_room *room; /* owned; NULL: nothing was searched yet */
};

struct run *
check_run(lua_State *L); /* refuses a run that a limit has ended, and code outside of a dialog */
/* The citizen's fields from here on, as the dialog sees them.  The texts are copied. */
void run_citizen(struct run *run, const struct journal_citizen *citizen);
void run_hash(struct run *run, char tag, const void *data, size_t len);
/* Forgets the request before, and begins run->request anew. */
void run_request_begin(struct run *run, enum request_kind kind);
/* Marks the request that run->request describes, with its arguments hashed, and yields. */
int run_request(lua_State *L, struct run *run);
/* The journal's next entry that no back has cancelled; 1, 0 at the end, or negative: damaged. */
int run_next_entry(struct run *run, struct journal_entry *entry);
/* Whether what follows is new: nothing is left of the journal but look-ups that are done. */
bool run_is_live(const struct run *run);
/* A text argument: valid UTF-8, not empty, without control characters but newline, at most max bytes. */
struct bytes check_words(lua_State *L, int idx, int arg, size_t max, const char *what);
/* Where a find goes on, as text; ordered: by a field. */
void api_push_cursor(lua_State *L, const struct record_cursor *cursor, bool ordered);

/* Each pushes or provides what it brings, under sandbox_protected. */
void api_provide_citizen(lua_State *L, struct program *program); /* sets program->citizen */
void api_provide_records(lua_State *L, struct program *program); /* the global `records` */
void api_provide_tables(lua_State *L, struct program *program);  /* the global `tables` */
void api_provide_globals(lua_State *L, struct program *program); /* code, log */
