/* transcript.c - `kentongan test`: plays conversations against the gateway. */
#include "transcript.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <event2/thread.h>

#include "log.h"
#include "transcript_priv.h"

struct tally {
	struct play_options options;
	unsigned passed, failed;
};

static void play_one(struct tally *tally, const char *path)
{
	char *failure;

	if (transcript_play(path, &tally->options, &failure)) {
		tally->passed++;
	} else {
		tally->failed++;
		printf("%s\n", failure);
	}
	free(failure);
	fflush(stdout);
}

static bool is_transcript(const char *path)
{
	size_t len = strlen(path);

	return len > 7 && strcmp(path + len - 7, ".dialog") == 0;
}

static void play_all(struct tally *tally, const char *path)
{
	struct dirent **entries;
	struct stat info;
	int count;

	if (stat(path, &info) != 0 || !S_ISDIR(info.st_mode)) {
		play_one(tally, path);
		return;
	}
	count = scandir(path, &entries, NULL, alphasort);
	for (int i = 0; i < count; i++) {
		char *below = NULL;

		if (asprintf(&below, "%s/%s", path, entries[i]->d_name) < 0)
			abort();
		if (entries[i]->d_name[0] != '.' && stat(below, &info) == 0 &&
		    (S_ISDIR(info.st_mode) || is_transcript(below)))
			play_all(tally, below);
		free(below);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
}

static int usage(FILE *out)
{
	fprintf(out,
		"usage: kentongan test [--restart-everywhere] [FILE.dialog|FOLDER...]\n"
		"  plays transcripts, by default those of all plugins; see plugins/README.md\n"
		"  --restart-everywhere  loses all that is in memory between every two lines\n");
	return out == stdout ? 0 : 2;
}

int transcript_main(int argc, char **argv)
{
	const char *plugins = getenv("KENTONGAN_PLUGINS");
	struct tally tally = { 0 };
	int first = 1;

	for (; first < argc && argv[first][0] == '-'; first++) {
		if (strcmp(argv[first], "--help") == 0)
			return usage(stdout);
		if (strcmp(argv[first], "--restart-everywhere") != 0)
			return usage(stderr);
		tally.options.restart_everywhere = true;
	}
	evthread_use_pthreads();
	log_set_level(LOG_ERROR);
	for (int i = first; i < argc; i++)
		play_all(&tally, argv[i]);
	if (first == argc)
		play_all(&tally, plugins && plugins[0] ? plugins : KENTONGAN_PLUGINS);
	printf("%u passed, %u failed\n", tally.passed, tally.failed);
	return tally.failed > 0 || tally.passed == 0;
}
