/* crash.c - dies where a test says so.
 *
 * The table of names is here, not at the places, so that a sweep can list them without passing them.
 */
#include "crash.h"

#include "base.h"

#ifdef KENTONGAN_CRASHPOINTS
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const names[] = {
	"gateway.before_reply", "gateway.after_reply",   "inbox.before_commit",
	"worker.before_run",    "dialog.before_commit",  "dialog.after_commit",
	"dialog.before_read",   "outbox.before_send",    "outbox.after_send",
	"outbox.before_result", "receipt.before_commit", "receipt.after_commit",
	"store.before_commit",  "store.after_step",      "store.after_commit",
	"start.before_scan",    "start.after_scan",
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static const char *wanted; /* static; NULL: none */
static atomic_long left;

static void read_wish(void)
{
	const char *wish = getenv("KENTONGAN_CRASH"), *colon = wish ? strchr(wish, ':') : NULL;

	for (unsigned i = 0; colon && i < ARRAY_LEN(names); i++)
		if (strlen(names[i]) == (size_t)(colon - wish) &&
		    strncmp(names[i], wish, strlen(names[i])) == 0)
			wanted = names[i];
	left = colon ? atol(colon + 1) : 0;
	if (wish && (!wanted || left < 1)) {
		fprintf(stderr, "KENTONGAN_CRASH=%s: must be NAME:N, N at least 1; the names are\n",
			wish);
		crash_list();
		exit(2);
	}
}

void crash_point(const char *name)
{
	pthread_once(&once, read_wish);
	if (wanted && strcmp(name, wanted) == 0 && atomic_fetch_sub(&left, 1) == 1)
		kill(getpid(), SIGKILL);
}

void crash_list(void)
{
	for (unsigned i = 0; i < ARRAY_LEN(names); i++)
		puts(names[i]);
}
#else
void crash_list(void)
{
}
#endif
