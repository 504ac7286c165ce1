/* check.c - `kentongan check`: the command line, and what is found, told in order.
 *
 * A plugin is loaded as the gateway loads it; then each of its dialogs is run (check_explore.c), with a store and citizens that
 * are made up.  Nothing depends on the time or on chance, so the same plugins always give the same lines.
 */
#include "check.h"

#include <errno.h>
#include <ftw.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "check_priv.h"
#include "clock.h"
#include "log.h"

enum { BUDGET = 5000, BUDGET_MAX = 1000000, SECONDS = 60, SECONDS_MAX = 86400 };

static const int64_t TIME_MS = 1795489200000; /* 2026-11-24T03:00:00Z */

/* ---- findings ---- */

static const struct {
	const char *name;
	bool error;
} kinds[] = {
	[FOUND_LOAD] = { "load", true },
	[FOUND_FAILURE] = { "failure", true },
	[FOUND_ENDLESS] = { "endless", true },
	[FOUND_SCREENS] = { "screens", false },
	[FOUND_SEGMENTS] = { "segments", false },
	[FOUND_SAME] = { "same", false },
	[FOUND_UNREACHED] = { "unreached", false },
	[FOUND_TABLE] = { "table", false },
	[FOUND_INDEX] = { "index", false },
};

static struct finding *finding_at(struct check *check, enum finding_kind kind, const char *path,
				  int line)
{
	for (unsigned i = 0; i < check->finding_count; i++)
		if (check->findings[i].kind == kind && check->findings[i].line == line &&
		    strcmp(check->findings[i].path, path) == 0)
			return &check->findings[i];
	return NULL;
}

void check_add(struct check *check, enum finding_kind kind, const char *path, int line,
	       unsigned weight, const char *fmt, ...)
{
	struct finding *finding = finding_at(check, kind, path, line);
	char text[2048];
	va_list args;

	if (finding && finding->weight >= weight)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (!finding) {
		check->findings = xrealloc(check->findings,
					   (check->finding_count + 1) * sizeof(*check->findings));
		finding = &check->findings[check->finding_count++];
	}
	*finding = (struct finding){ kind, arena_strdup(&check->arena, path), line,
				     arena_strdup(&check->arena, text), weight };
}

static int by_place(const void *left, const void *right)
{
	const struct finding *a = left, *b = right;
	int path = strcmp(a->path, b->path);

	if (path != 0 || a->line != b->line)
		return path != 0 ? path : a->line - b->line;
	return (int)a->kind - (int)b->kind;
}

static void print_finding(const struct finding *finding)
{
	printf("%s:", finding->path);
	if (finding->line > 0)
		printf("%d:", finding->line);
	printf(" %s: %s\n", kinds[finding->kind].error ? "error" : "warning", finding->text);
}

void check_tell(struct check *check, unsigned first)
{
	if (check->finding_count > first)
		qsort(check->findings + first, check->finding_count - first,
		      sizeof(*check->findings), by_place);
	for (unsigned i = first; !check->json && i < check->finding_count; i++)
		print_finding(&check->findings[i]);
}

static json_t *finding_json(const struct finding *finding)
{
	return json_pack("{s:s, s:i, s:s, s:s, s:s}", "file", finding->path, "line", finding->line,
			 "severity", kinds[finding->kind].error ? "error" : "warning", "kind",
			 kinds[finding->kind].name, "text", finding->text);
}

/* ---- files ---- */

const char *check_path(struct arena *arena, const struct plugin *plugin, const char *name)
{
	char *folder = arena_strdup(arena, plugin->path);
	char *slash = strrchr(folder, '/');

	if (!name[0])
		return plugin->path;
	if (slash)
		*slash = '\0';
	if (strncmp(name, "lib.", 4) == 0)
		return arena_printf(arena, "%s/../lib/%s.lua", slash ? folder : ".", name + 4);
	return arena_printf(arena, "%s/%s.lua", slash ? folder : ".", name);
}

/* ---- the command ---- */

struct options {
	const char *config, *state, *open;
	unsigned budget, seconds;
	bool json, help;
};

static void print_usage(FILE *out)
{
	fprintf(out,
		"usage: kentongan check [--budget RUNS] [--seconds S] [--json] [--config FILE] "
		"[FOLDER...]\n"
		"       kentongan check --open PLUGIN [--state FOLDER] [--config FILE] [FOLDER]\n"
		"  runs each dialog of the plugins in the folders (a plugin's own, or that of all) "
		"with every "
		"kind of answer,\n"
		"  at most %d times and for %d seconds each; --open runs a store's open dialogs of "
		"one "
		"plugin on the code that is there now\n",
		BUDGET, SECONDS);
}

static bool parse(int argc, char **argv, struct options *out)
{
	static const struct option names[] = {
		{ "budget", required_argument, NULL, 'b' },
		{ "seconds", required_argument, NULL, 't' },
		{ "config", required_argument, NULL, 'c' },
		{ "open", required_argument, NULL, 'o' },
		{ "state", required_argument, NULL, 's' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	*out = (struct options){ .budget = BUDGET, .seconds = SECONDS };
	optind = 1;
	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		switch (option) {
		case 'b':
			out->budget = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 't':
			out->seconds = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 'c':
			out->config = optarg;
			break;
		case 'o':
			out->open = optarg;
			break;
		case 's':
			out->state = optarg;
			break;
		case 'j':
			out->json = true;
			break;
		case 'h':
			out->help = true;
			break;
		default:
			return false;
		}
	}
	return out->budget >= 1 && out->budget <= BUDGET_MAX && out->seconds >= 1 &&
	       out->seconds <= SECONDS_MAX;
}

/* A plugin's own folder names its plugin: the plugins lie around it. */
static char *folder_of(const char *path, char **only)
{
	char *copy = xstrdup(path), *name, *file = NULL, *folder = NULL;
	struct stat info;

	*only = NULL;
	while (strlen(copy) > 1 && copy[strlen(copy) - 1] == '/')
		copy[strlen(copy) - 1] = '\0';
	name = strrchr(copy, '/') ? strrchr(copy, '/') + 1 : copy;
	if (asprintf(&file, "%s/%s.lua", copy, name) < 0)
		abort();
	if (stat(file, &info) != 0) {
		folder = xstrdup(copy);
	} else {
		*only = xstrdup(name);
		folder = name == copy ? xstrdup(".") : xmemdup(copy, (size_t)(name - copy - 1));
	}
	free(file);
	free(copy);
	return folder;
}

static struct plugin_set *load(struct check *check, const char *folder)
{
	const struct settings *settings = check->settings;
	struct plugin_set *set;
	char error[1024];

	if (plugins_load(folder, settings->plugin_settings, settings->plugin_setting_count,
			 settings->file, &set, error, sizeof(error)) == 0)
		return set;
	fprintf(stderr, "kentongan: %s\n", error);
	return NULL;
}

static bool check_folder(struct check *check, const struct options *options, const char *path)
{
	char *only, *folder = folder_of(path, &only);
	struct plugin_set *set = load(check, folder);
	bool fine = set != NULL;

	if (set && options->open)
		fine = check_open(check, set, options->open) == 0;
	for (unsigned i = 0; set && !options->open && i < set->count; i++)
		if (!only || strcmp(set->plugins[i].name, only) == 0)
			check_plugin(check, &set->plugins[i], folder);
	plugins_free(set);
	free(folder);
	free(only);
	return fine;
}

/* The last line, or all as JSON; the exit status. */
static int finish(const struct check *check)
{
	unsigned errors = 0;
	json_t *list = json_array(), *all;

	for (unsigned i = 0; i < check->finding_count; i++) {
		errors += kinds[check->findings[i].kind].error;
		json_array_append_new(list, finding_json(&check->findings[i]));
	}
	all = json_pack("{s:o, s:i, s:i}", "findings", list, "errors", (int)errors, "warnings",
			(int)(check->finding_count - errors));
	if (check->json) {
		json_dumpf(all, stdout, JSON_INDENT(1));
		printf("\n");
	} else {
		printf("%u errors, %u warnings\n", errors, check->finding_count - errors);
	}
	json_decref(all);
	return errors > 0;
}

static int remove_cb(const char *path, const struct stat *info UNUSED, int type UNUSED,
		     struct FTW *ftw UNUSED)
{
	return remove(path);
}

/* Reading settings makes the program's own secrets: not where there is no gateway. */
static bool read_settings(struct check *check, const struct options *options,
			  struct settings **settings)
{
	const char *state = options->state  ? options->state
			    : options->open ? "state"
					    : check->folder;
	char error[1024];

	if (options->open && !options->config && access(state, F_OK) < 0) {
		fprintf(stderr,
			"kentongan: %s: %s; --state says where the gateway keeps its store\n",
			state, strerror(errno));
		return false;
	}
	if (settings_read(options->config, state, settings, error, sizeof(error)) == 0)
		return true;
	fprintf(stderr, "kentongan: %s\n", error);
	return false;
}

static int run(struct check *check, const struct options *options, int count, char **folders)
{
	struct settings *settings;
	bool fine = true;
	int status;

	if (!read_settings(check, options, &settings))
		return 1;
	check->settings = settings;
	if (count == 0)
		fine = check_folder(check, options, settings->plugins);
	for (int i = 0; i < count; i++)
		fine &= check_folder(check, options, folders[i]);
	status = options->open ? 0 : finish(check);
	settings_free(settings);
	return fine ? status : 1;
}

static int run_in_folder(const struct options *options, int count, char **folders)
{
	const char *tmp = getenv("TMPDIR");
	char folder[64];
	struct check check = { .budget = options->budget,
			       .seconds = options->seconds,
			       .json = options->json,
			       .folder = folder };
	int status;

	snprintf(folder, sizeof(folder), "%.40s/kentongan-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(folder)) {
		fprintf(stderr, "kentongan: %s: %s\n", folder, strerror(errno));
		return 1;
	}
	status = run(&check, options, count, folders);
	nftw(folder, remove_cb, 16, FTW_DEPTH | FTW_PHYS);
	free(check.findings);
	arena_free(&check.arena);
	return status;
}

int check_main(int argc, char **argv)
{
	struct options options;

	if (!parse(argc, argv, &options)) {
		print_usage(stderr);
		return 2;
	}
	if (options.help) {
		print_usage(stdout);
		return 0;
	}
	log_set_level(LOG_ERROR);
	if (!options.open) {
		clock_fake(TIME_MS);
		id_init(1, 0);
	}
	return run_in_folder(&options, argc - optind, argv + optind);
}
