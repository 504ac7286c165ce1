/* proc.c - what a process has used, from outside it.
 *
 * The kernel counts in ticks of 10 ms, so a window of seconds is measured to well under one percent.
 */
#include "proc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool procs_add(struct procs *procs, char *text)
{
	char *equals = strchr(text, '=');

	if (!equals || procs->count == PROC_MAX)
		return false;
	*equals = '\0';
	procs->items[procs->count++] = (struct proc){ .name = text,
						      .pid = (pid_t)strtol(equals + 1, NULL, 10) };
	return true;
}

static double cpu_seconds(pid_t pid)
{
	char path[64], line[1024] = "";
	unsigned long user = 0, system = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "r");
	if (!file)
		return 0;
	/* The name, in brackets, may hold blanks; behind it are fields 3, 4, ... of which 14 and 15 are wanted. */
	if (fgets(line, sizeof(line), file) && strrchr(line, ')'))
		sscanf(strrchr(line, ')') + 1,
		       " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
	fclose(file);
	return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static long status_kib(pid_t pid, const char *field)
{
	char path[64], line[256];
	long kib = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "r");
	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file))
		if (strncmp(line, field, strlen(field)) == 0)
			kib = strtol(line + strlen(field), NULL, 10);
	fclose(file);
	return kib;
}

void procs_start(struct procs *procs)
{
	for (unsigned i = 0; i < procs->count; i++)
		procs->items[i].cpu_at_start = cpu_seconds(procs->items[i].pid);
}

void procs_stop(struct procs *procs)
{
	for (struct proc *proc = procs->items; proc < procs->items + procs->count; proc++) {
		proc->cpu = cpu_seconds(proc->pid) - proc->cpu_at_start;
		proc->resident_kib = status_kib(proc->pid, "VmRSS:");
		proc->peak_kib = status_kib(proc->pid, "VmHWM:");
	}
}
