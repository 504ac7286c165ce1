/* bench_words.c - bench_words CORPUS...: what it costs to know whose message a text is.
 *
 * Reads each text of the corpora as one without a dialog and as an answer to a choice, with 50 plugins of 10 keywords
 * each, and prints processor time a message: the mean, and the mean of the dearest text.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "csv.h"
#include "keywords.h"
#include "plugin.h"
#include "route.h"

enum { PLUGINS = 50, KEYWORDS = 10, TEXTS_MAX = 4000, ROUNDS = 200 };

static struct plugin plugins[PLUGINS];
static struct plugin_set set = { .plugins = plugins, .count = PLUGINS };
static struct bytes opinions[] = {
	{ "Sangat puas", 11 }, { "Puas", 4 }, { "Cukup puas", 10 }, { "Tidak puas", 10 }
};
static const struct request choice = {
	.kind = REQUEST_CHOOSE, .answer = ANSWER_CHOICE, .options = opinions, .option_count = 4
};
static char *texts[TEXTS_MAX];
static unsigned text_count;

/* The services that the texts are for come first; the rest have keywords of syllables, as near to each other as real ones are. */
static void add_keywords(struct plugin *plugin, unsigned at)
{
	static const char *const real[] = { "LAPOR",  "ADUAN", "PENGADUAN", "KELUHAN", "ATUR",
					    "INFO",   "CEK",   "STATUS",    "SURVEI",  "SURVEY",
					    "DAFTAR", "REG",   "GABUNG",    "IKUT",    "MATUR" };
	static const char *const syllables[] = { "BA", "KA", "LU", "MI", "NO", "PE", "RI", "SA",
						 "TU", "WA", "JA", "GE", "DO", "HA", "CI" };

	plugin->keywords = calloc(KEYWORDS, sizeof(*plugin->keywords));
	plugin->keyword_count = KEYWORDS;
	for (unsigned k = 0; k < KEYWORDS; k++) {
		unsigned n = at * KEYWORDS + k;
		char *word = malloc(16);

		if (n < ARRAY_LEN(real))
			snprintf(word, 16, "%s", real[n]);
		else
			snprintf(word, 16, "%s%s%s%c", syllables[n % 15], syllables[n / 15 % 15],
				 syllables[n * 7 / 15 % 15], (char)('K' + n % 10));
		plugin->keywords[k] = (struct plugin_keyword){ word, "dialog", NULL };
	}
}

static void make_plugins(void)
{
	for (unsigned i = 0; i < PLUGINS; i++) {
		char *name = malloc(16);

		snprintf(name, 16, "service%u", i);
		plugins[i] = (struct plugin){ .name = name };
		add_keywords(&plugins[i], i);
	}
	plugins[0].texts[TOPIC_PROBLEM] = "dialog";
	plugins[1].texts[TOPIC_QUESTION] = "dialog";
	plugins[2].texts[TOPIC_STATUS] = "dialog";
	keywords_index(&set);
}

static void read_texts(const char *path)
{
	struct csv *csv = csv_open(path);

	if (!csv) {
		perror(path);
		exit(2);
	}
	while (csv_next(csv) && text_count < TEXTS_MAX)
		texts[text_count++] = xstrdup(csv_column(csv, "text"));
	csv_close(csv);
}

static double now_us(void)
{
	struct timespec time;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static void read_one(const struct route_view *view, const char *text)
{
	struct arena arena = { 0 };
	struct route route;

	route_text(&arena, view, (struct bytes){ text, strlen(text) }, &route);
	arena_free(&arena);
}

static void measure(const char *name, const struct route_view *view)
{
	double start = now_us(), all, dearest = 0;
	unsigned which = 0;

	for (unsigned round = 0; round < ROUNDS; round++)
		for (unsigned i = 0; i < text_count; i++)
			read_one(view, texts[i]);
	all = (now_us() - start) / ROUNDS / text_count;
	for (unsigned i = 0; i < text_count; i++) {
		start = now_us();
		for (unsigned round = 0; round < ROUNDS; round++)
			read_one(view, texts[i]);
		if ((now_us() - start) / ROUNDS > dearest) {
			dearest = (now_us() - start) / ROUNDS;
			which = i;
		}
	}
	printf("%s: %.2f us a message; the dearest %.2f us: %.60s\n", name, all, dearest,
	       texts[which]);
}

int main(int argc, char **argv)
{
	const struct route_view outside = { .plugins = &set };
	const struct route_view inside = { .plugins = &set,
					   .plugin = "service3",
					   .dialog = "dialog",
					   .request = &choice,
					   .pages = 1 };

	for (int i = 1; i < argc; i++)
		read_texts(argv[i]);
	if (text_count == 0) {
		fprintf(stderr, "usage: %s CORPUS...\n", argv[0]);
		return 2;
	}
	make_plugins();
	printf("%u texts, %d plugins, %d keywords\n", text_count, PLUGINS, PLUGINS * KEYWORDS);
	measure("no dialog", &outside);
	measure("in a choice", &inside);
	return 0;
}
