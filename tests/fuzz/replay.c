/* replay.c - feeds a fuzz target every file of a folder once, without libFuzzer.
 *
 * So the seeds, and every input that ever broke something, stay tests of any build.  The folder is the argument, else the one
 * of this program's name: tests/fuzz/replay_telco reads tests/fuzz/corpus/telco.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

static bool replay_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	struct buf content = { 0 };
	uint8_t *exact;
	char chunk[4096];
	size_t n;

	if (!file) {
		perror(path);
		return false;
	}
	while ((n = fread(chunk, 1, sizeof(chunk), file)) > 0)
		buf_add(&content, chunk, n);
	fclose(file);
	exact = xmalloc(content.len); /* no NUL behind it: a read beyond its end is seen */
	if (content.len > 0)
		memcpy(exact, content.data, content.len);
	LLVMFuzzerTestOneInput(exact, content.len);
	free(exact);
	buf_free(&content);
	return true;
}

static char *corpus_of(const char *program)
{
	const char *source = getenv("KENTONGAN_SOURCE"), *name = strstr(program, "replay_");
	struct buf path = { 0 };

	buf_addf(&path, "%s/tests/fuzz/corpus/%s", source ? source : ".",
		 name ? name + strlen("replay_") : "");
	return path.data;
}

int main(int argc, char **argv)
{
	char *folder = argc > 1 ? xstrdup(argv[1]) : corpus_of(argv[0]);
	DIR *dir = opendir(folder);
	struct dirent *entry;
	unsigned done = 0;
	bool fine = true;

	if (LLVMFuzzerInitialize)
		LLVMFuzzerInitialize(&argc, &argv);
	while (dir && (entry = readdir(dir)) != NULL) {
		struct buf path = { 0 };

		if (entry->d_name[0] == '.')
			continue;
		buf_addf(&path, "%s/%s", folder, entry->d_name);
		fine = replay_file(path.data) && fine;
		done++;
		buf_free(&path);
	}
	if (dir)
		closedir(dir);
	printf("%s: %u inputs\n", folder, done);
	free(folder);
	return fine && done > 0 ? 0 : 1;
}
