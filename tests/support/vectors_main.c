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

struct json_file {
	const char *name;
	void (*run)(struct tally *tally, const json_t *content);
	bool of_providers; /* its vectors name one */
};
static const struct json_file json_files[] = {
	{ "inbound-samples.json", run_inbound_samples, true },
	{ "inbound-sequences.json", run_inbound_sequences, true },
	{ "dlr-samples.json", run_dlr_samples, true },
	{ "dlr-order.json", run_dlr_order, false },
	{ "mt-samples.json", run_mt_samples, true },
	{ "ussd-sequences.json", run_ussd_sequences, true },
};

static const char *path_of(const struct tally *tally, const char *name, char *path, size_t size)
{
	snprintf(path, size, "%s/%s", tally->folder, name);
	return path;
}

/* NULL where the file isn't there, which is no failure, or is broken, which is. */
static json_t *load(struct tally *tally, const char *name)
{
	char path[512];
	json_error_t error;
	json_t *content;

	tally->file = name;
	if (access(path_of(tally, name, path, sizeof(path)), R_OK) != 0)
		return NULL;
	content = json_load_file(path, 0, &error);
	if (!content)
		tally_fail(tally, "file", "line %d: %s", error.line, error.text);
	return content;
}

static json_t *signatures_by_id(struct tally *tally)
{
	json_t *list = load(tally, "signatures.json"), *by_id = json_object(), *one;
	size_t i;

	json_array_foreach (list, i, one)
		json_object_set(by_id, text_of(one, "id"), one);
	json_decref(list);
	return by_id;
}

static void run_json_files(struct tally *tally)
{
	for (unsigned i = 0; i < ARRAY_LEN(json_files); i++) {
		json_t *content;

		if (tally->only && !json_files[i].of_providers)
			continue;
		content = load(tally, json_files[i].name);
		if (content)
			json_files[i].run(tally, content);
		json_decref(content);
	}
}

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
	tally.signatures = signatures_by_id(&tally);
	check_named(&tally);
	run_json_files(&tally);
	if (!tally.only)
		run_text_vectors(&tally);
	print_skipped(&tally);
	json_decref(tally.skipped);
	json_decref(tally.signatures);
	printf("%u passed, %u failed\n", tally.passed, tally.failed);
	return tally.failed ? 1 : 0;
}
