/* check_open.c - a store's open dialogs on the code that is there now.
 *
 * An open dialog keeps the code that it began with.  Here its journal is run on the new code, and what that asks for is compared by
 * kind and shape, not by its words: a question may be worded better, but not be another.  The store is read from a copy, so
 * a gateway that has it open isn't disturbed.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/thread.h>

#include "check_priv.h"
#include "store.h"

enum { PAGE = 100, TRIES = 3 };

/* Dialogs that go wrong in the same way. */
struct wrong {
	const char *how;
	unsigned count;
};

struct open {
	const struct plugin *plugin;
	struct store *store;
	struct program *program;
	struct arena arena;   /* of wrongs */
	struct wrong *wrongs; /* owned */
	unsigned wrong_count;
	unsigned fine, bad;
	struct find find;
	bool done, more;
	int error;
};

/* ---- one dialog ---- */

static const char *how_it_diverged(struct open *open, struct run *run, const struct run_call *call)
{
	struct arena *arena = &open->arena;
	struct run_place place = run_place(run, arena);
	const char *found = place.kind == REQUEST_NONE ? "the end" : request_kind_name(place.kind);
	bool question = request_is_question(call->expected) || request_is_question(place.kind);
	const char *where = place.line > 0
				    ? arena_printf(arena, "%s.lua:%d", place.file, place.line)
				    : arena_printf(arena, "%s.lua", open->plugin->name);

	if (call->expected == REQUEST_NONE)
		return arena_strdup(arena, call->error);
	if (place.kind == call->expected)
		found = arena_printf(arena, "another %s", found);
	return arena_printf(arena, "%s %u, %s, expected %s, found %s",
			    question ? "question" : "after question", call->answered + question,
			    where, request_kind_name(call->expected), found);
}

/* NULL: it would go on. */
static const char *run_dialog(struct open *open, const struct dialog_row *row,
			      struct run_call *call)
{
	char error[1200] = "";
	const char *how = NULL;
	struct run *run = NULL;
	enum run_end end = RUN_AGAIN;

	for (unsigned i = 0; i < TRIES && end == RUN_AGAIN; i++) {
		run_free(run);
		if (open->program && program_spoiled(open->program)) {
			program_free(open->program);
			open->program = NULL;
		}
		if (!open->program)
			open->program = program_new(open->plugin->bundle, error, sizeof(error));
		run = open->program ? run_new(open->program, row->dialog, error, sizeof(error))
				    : NULL;
		if (!run)
			return arena_strdup(&open->arena, error);
		end = run_go(run, call);
	}
	if (end == RUN_DIVERGED)
		how = how_it_diverged(open, run, call);
	else if (end == RUN_FAILED || end == RUN_BREACHED || end == RUN_AGAIN)
		how = arena_strdup(&open->arena, call->error);
	run_free(run);
	return how;
}

static void add_wrong(struct open *open, const char *how)
{
	open->bad++;
	for (unsigned i = 0; i < open->wrong_count; i++)
		if (strcmp(open->wrongs[i].how, how) == 0) {
			open->wrongs[i].count++;
			return;
		}
	open->wrongs = xrealloc(open->wrongs, (open->wrong_count + 1) * sizeof(*open->wrongs));
	open->wrongs[open->wrong_count++] = (struct wrong){ how, 1 };
}

/* What was written before a read is in the journal's past; an insert that waits has its answer at the journal's end already. */
static void try_dialog(struct open *open, const struct dialog_row *row)
{
	struct arena arena = { 0 };
	struct request pending = { 0 };
	struct step *step = step_new();
	struct run_call call = { .journal = row->journal,
				 .citizen = row->citizen,
				 .dialog = row->id,
				 .step = step,
				 .arena = &arena,
				 .loose = true };
	const char *how = "what it waits for can't be read: damaged, or of a later version";

	if (request_decode(&arena, row->pending, &pending)) {
		if (row->state != DIALOG_RUNNABLE || pending.kind != REQUEST_INSERT)
			call.committed = &pending;
		how = pending.kind == REQUEST_MORE ? NULL : run_dialog(open, row, &call);
	}
	if (how)
		add_wrong(open, how);
	else
		open->fine++;
	step_free(step);
	arena_free(&arena);
}

/* ---- all of them ---- */

static void found_cb(int error, const struct find_rows *rows, void *arg)
{
	struct open *open = arg;

	open->done = true;
	open->error = error;
	open->more = !error && rows->count == PAGE;
	for (unsigned i = 0; !error && i < rows->count; i++) {
		try_dialog(open, &rows->dialogs[i]);
		open->find.after = rows->dialogs[i].id;
	}
}

static int walk(struct open *open, struct event_base *base)
{
	int rc;

	open->find =
		(struct find){ .kind = FIND_DIALOGS, .plugin = open->plugin->name, .limit = PAGE };
	do {
		open->done = open->more = false;
		rc = store_find(open->store, &open->find, found_cb, open);
		while (rc == 0 && !open->done)
			event_base_loop(base, EVLOOP_ONCE);
		rc = rc == 0 ? open->error : rc;
	} while (rc == 0 && open->more);
	return rc;
}

static void print(const struct open *open)
{
	printf("%u would continue, %u would diverge", open->fine, open->bad);
	if (open->wrong_count == 1)
		printf(": %s", open->wrongs[0].how);
	printf("\n");
	for (unsigned i = 0; open->wrong_count > 1 && i < open->wrong_count; i++)
		printf("  %u: %s\n", open->wrongs[i].count, open->wrongs[i].how);
}

static int run_copy(const struct plugin *plugin, const char *copy)
{
	struct store_sqlite_options options = { .path = copy,
						.readers = 1,
						.group_max = 16,
						.queue_max = 100,
						.dedupe_seconds = 7 * 86400 };
	struct event_base *base = event_base_new();
	struct open open = { .plugin = plugin };
	char error[1024] = "";
	int rc = store_sqlite_open(base, &options, &open.store, error, sizeof(error));

	if (rc == 0)
		rc = walk(&open, base);
	if (rc < 0)
		fprintf(stderr, "kentongan: %s\n", error[0] ? error : strerror(-rc));
	else
		print(&open);
	store_close(open.store);
	program_free(open.program);
	event_base_free(base);
	free(open.wrongs);
	arena_free(&open.arena);
	return rc < 0 || open.bad > 0;
}

static const char *path_of(struct arena *arena, const struct settings *settings)
{
	const char *path = settings->store + strlen("sqlite:");

	return path[0] == '/' ? path : arena_printf(arena, "%s/%s", settings->state, path);
}

int check_open(struct check *check, const struct plugin_set *set, const char *name)
{
	const struct plugin *plugin = NULL;
	char error[1024];
	const char *copy = arena_printf(&check->arena, "%s/copy.db", check->folder);
	const char *path = path_of(&check->arena, check->settings);
	int status = 1;

	for (unsigned i = 0; i < set->count; i++)
		if (strcmp(set->plugins[i].name, name) == 0)
			plugin = &set->plugins[i];
	if (!plugin || plugin->error) {
		fprintf(stderr, "kentongan: %s\n",
			plugin ? plugin->error
			       : arena_printf(&check->arena, "there is no plugin '%s'", name));
		return 1;
	}
	evthread_use_pthreads();
	if (store_sqlite_backup(path, copy, error, sizeof(error)) < 0)
		fprintf(stderr, "kentongan: %s\n", error);
	else
		status = run_copy(plugin, copy);
	return status;
}
