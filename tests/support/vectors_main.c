/* vectors_main.c - test-vectors --adapters FOLDER DIR [provider...]
 *
 * Runs each file of DIR that is there; a failure is one line, the last line is "N passed, M
 * failed".
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "vectors.h"
#include "vectors_text.h"

static void check_named(struct tally *tally)
{
	char path[512];

	for (const char *const *name = tally->only; name && *name; name++) {
		snprintf(path, sizeof(path), "%s/%s.lua", tally->adapters, *name);
		tally->file = "adapters";
		if (access(path, R_OK) != 0)
			tally_fail(tally, *name, "there is no adapter %s", path);
	}
}

static void print_skipped(const struct tally *tally)
{
	const char *name;
	json_t *value;

	if (json_object_size(tally->skipped) == 0)
		return;
	printf("skipped, no adapter:");
	json_object_foreach (tally->skipped, name, value)
		printf(" %s", name);
	putchar('\n');
}

int main(int argc, char **argv)
{
	struct tally tally = { .file = "" };

	if (argc < 4 || strcmp(argv[1], "--adapters") != 0) {
		fprintf(stderr, "usage: %s --adapters FOLDER DIR [provider...]\n", argv[0]);
		return 2;
	}
	tally.adapters = argv[2];
	tally.folder = argv[3];
	tally.only = argc > 4 ? (const char *const *)argv + 4 : NULL;
	if (access(tally.folder, R_OK | X_OK) != 0) {
		fprintf(stderr, "%s: %s\n", tally.folder, strerror(errno));
		return 2;
	}
	log_set_level(LOG_ERROR);
	tally.skipped = json_object();
	check_named(&tally);
	run_vectors(&tally);
	if (!tally.only)
		run_text_vectors(&tally);
	print_skipped(&tally);
	json_decref(tally.skipped);
	printf("%u passed, %u failed\n", tally.passed, tally.failed);
	return tally.failed ? 1 : 0;
}
