/* worker.h - the threads that run Lua: whose turn it is, and which dialogs are kept live.
 *
 * Work comes from the loop and goes back to it; what a plugin does can't reach the loop's time.  Plugins are served in turn, one
 * never holds more than half of the threads, and one that has breached a limit gets one thread, after all others.
 */
#pragma once
#include <sys/queue.h>

#include "base.h"
#include "plugin_run.h"

struct event_base;
struct workers;
struct work;
typedef void work_cb(struct work *work, void *arg);

/* One dialog's run up to its next request.  All is the caller's until workers_put, and again from the callback on. */
struct work {
	struct run_call call;
	struct bundle *bundle; /* borrowed */
	const char *dialog;    /* its name in the plugin's table */
	size_t known;          /* bytes of the journal that a live run has seen; 0: a new dialog */
	int worker;            /* in: where its live run is, -1: nowhere; out: where it was run */
	enum run_end end;      /* out */
	work_cb *cb;           /* from the loop, never within workers_put */
	void *arg;
	/* the workers' own */
	TAILQ_ENTRY(work) next;
};

struct worker_options {
	unsigned count;     /* threads; 0: one a core, at least two */
	unsigned cache;     /* live dialogs in each; 0: every step is replayed */
	const char *folder; /* where a plugin that hung is noted; NULL: nowhere */
};

struct workers *workers_new(struct event_base *base,
			    const struct worker_options *options) MUST_CHECK;
/* NULL is fine.  Ends the threads after what they run; work that waits is called back with RUN_AGAIN, within this call. */
void workers_free(struct workers *workers);
void workers_put(struct workers *workers, struct work *work);
/* The live run of a dialog is ahead of its journal (a commit failed), or the dialog is over: drop it.  worker: where, -1: nowhere. */
void workers_forget(struct workers *workers, int worker, struct id dialog);
unsigned workers_waiting(const struct workers *workers); /* works put and not yet called back */
