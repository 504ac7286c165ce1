/* proc.h - what a process has used, from outside it.
 *
 * Source: proc(5), stat and status.
 */
#pragma once
#include "base.h"

enum { PROC_MAX = 8 };

struct proc {
	const char *name; /* borrowed */
	pid_t pid;
	double cpu_at_start; /* seconds, all threads, user and system */
	double cpu;          /* seconds between proc_start and proc_stop */
	long resident_kib;   /* at proc_stop */
	long peak_kib;
};
struct procs {
	struct proc items[PROC_MAX];
	unsigned count;
};

/* text: "name=pid", altered.  false: it isn't that, or there are too many. */
bool procs_add(struct procs *procs, char *text) MUST_CHECK;
void procs_start(struct procs *procs);
void procs_stop(struct procs *procs);
