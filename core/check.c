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

enum { BUDGET = 5000, BUDGET_MAX = 1000000 };

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

/* The line of the plugin's own file where a word is set: `word =`. */
static int line_of(const struct plugin *plugin, const char *word)
{
	struct bytes source = plugin->bundle->files[0].source;
	size_t len = strlen(word);
	int line = 1;

	for (size_t i = 0; i + len < source.len; i++) {
		const char *at = source.data + i;
		size_t blanks = strspn(at + len, " \t");

		if (*at == '\n')
			line++;
		else if (strncmp(at, word, len) == 0 && at[len + blanks] == '=' &&
			 (i == 0 || strchr(" \t\n{,", at[-1])))
			return line;
	}
	return 0;
}

static bool has_word(const struct plugin *plugin, const char *word)
{
	for (unsigned i = 0; i < plugin->bundle->file_count; i++)
		if (memmem(plugin->bundle->files[i].source.data,
			   plugin->bundle->files[i].source.len, word, strlen(word)))
			return true;
	return false;
}

/* ---- a plugin ---- */

static const struct profile_try profiles[] = {
	{ { "id", "", "" }, NULL },
	{ { "id", "Siti Rahayu", "35.22.01.2001" }, "citizen.name" },
	{ { "id", "Siti Rahayu", "35.22.01.2001" }, "citizen.area" },
	{ { "jv", "", "" }, "language" },
	{ { "en", "", "" }, "language" },
};

static bool is_tried(const struct plugin *plugin, unsigned profile)
{
	if (profiles[profile].needs && !has_word(plugin, profiles[profile].needs))
		return false;
	return profile != 2 || !is_tried(plugin, 1); /* the same citizen */
}

static bool has_start(const struct plugin *plugin, const char *dialog, enum channel channel)
{
	for (unsigned i = 0; channel == CHANNEL_SMS && i < plugin->keyword_count; i++)
		if (strcmp(plugin->keywords[i].dialog, dialog) == 0)
			return true;
	for (unsigned i = 0; channel == CHANNEL_USSD && i < plugin->anchor_count; i++)
		if (strcmp(plugin->anchors[i].dialog, dialog) == 0)
			return true;
	return false;
}

static void check_dialog(struct check *check, const struct plugin *plugin, const char *dialog,
			 struct plugin_use *use)
{
	static const enum channel channels[] = { CHANNEL_SMS, CHANNEL_USSD };
	unsigned ways = 0, count = 0;

	for (unsigned i = 0; i < ARRAY_LEN(profiles); i++)
		count += is_tried(plugin, i);
	for (unsigned c = 0; c < ARRAY_LEN(channels); c++)
		ways += has_start(plugin, dialog, channels[c]);
	if (ways == 0) {
		check_add(check, FOUND_UNREACHED, plugin->path, line_of(plugin, dialog), 0,
			  "no keyword and no code leads to the dialog '%s'", dialog);
		return;
	}
	for (unsigned i = 0; i < ARRAY_LEN(profiles) * ARRAY_LEN(channels); i++) {
		struct explore explore = { .check = check,
					   .plugin = plugin,
					   .dialog = dialog,
					   .channel = channels[i % 2],
					   .citizen = &profiles[i / 2].citizen,
					   .use = use,
					   .budget = check->budget / (ways * count) };

		if (is_tried(plugin, i / 2) && has_start(plugin, dialog, channels[i % 2]))
			check_explore(&explore);
	}
}

static void check_indexes(struct check *check, const struct plugin *plugin,
			  const struct record_table *table, const struct table_use *use)
{
	for (unsigned i = 0; i < table->field_count; i++)
		if (table->fields[i].indexed && !use->fields[i])
			check_add(check, FOUND_INDEX, plugin->path, line_of(plugin, table->name), i,
				  "no dialog searches records.%s by '%s': its index is of no use",
				  table->name, table->fields[i].name);
}

/* What no way has touched; with a budget that was too small nothing is said. */
static void check_tables(struct check *check, const struct plugin *plugin,
			 const struct plugin_use *use)
{
	const struct bundle *bundle = plugin->bundle;

	for (unsigned i = 0; use->untried == 0 && i < bundle->table_count; i++) {
		const struct record_table *table = &bundle->tables[i];
		const struct table_use *of = &use->tables[i];
		int line = line_of(plugin, table->name);

		if (!of->read && !of->written)
			check_add(check, FOUND_TABLE, plugin->path, line, 0,
				  "no dialog uses records.%s", table->name);
		else if (!of->read)
			check_add(check, FOUND_TABLE, plugin->path, line, 0,
				  "no dialog reads records.%s", table->name);
		else
			check_indexes(check, plugin, table, of);
	}
}

static void print_use(const struct check *check, const struct plugin *plugin,
		      const struct plugin_use *use)
{
	if (check->json)
		return;
	printf("%s: %u runs, %u states; at most: questions %u%s, SMS segments %u\n", plugin->name,
	       use->runs, use->states, use->longest, use->loops ? " (and circles)" : "", use->cost);
	if (use->untried > 0)
		printf("%s: the budget of %u runs for a dialog left %u answers untried, the first "
		       "of "
		       "them at %s.lua:%d\n",
		       plugin->name, check->budget, use->untried, use->untried_at.file,
		       use->untried_at.line);
}

static struct table_use *new_tables(struct arena *arena, const struct bundle *bundle)
{
	struct table_use *tables = arena_alloc(arena, (bundle->table_count + 1) * sizeof(*tables));

	for (unsigned i = 0; i < bundle->table_count; i++)
		tables[i].fields = arena_alloc(arena, (bundle->tables[i].field_count + 1) *
							      sizeof(*tables[i].fields));
	return tables;
}

/* Findings of one plugin in the order of its lines, and then what it comes to. */
static void check_plugin(struct check *check, const struct plugin *plugin)
{
	unsigned first = check->finding_count;
	struct plugin_use use = { 0 };

	if (plugin->error) {
		char *error = arena_strdup(&check->arena, plugin->error), *colon;
		int line = 0, at = 0;

		colon = strchr(error, ':');
		if (colon && sscanf(colon, ":%d: %n", &line, &at) == 1 && at > 0) {
			*colon = '\0';
			check_add(check, FOUND_LOAD, error, line, 0, "%s", colon + at);
		} else {
			check_add(check, FOUND_LOAD, plugin->path, 0, 0, "%s", error);
		}
	} else {
		use.tables = new_tables(&check->arena, plugin->bundle);
		for (unsigned i = 0; i < plugin->dialog_count; i++)
			check_dialog(check, plugin, plugin->dialogs[i], &use);
		check_tables(check, plugin, &use);
	}
	if (check->finding_count > first)
		qsort(check->findings + first, check->finding_count - first,
		      sizeof(*check->findings), by_place);
	for (unsigned i = first; !check->json && i < check->finding_count; i++)
		print_finding(&check->findings[i]);
	if (!plugin->error)
		print_use(check, plugin, &use);
}

/* ---- the command ---- */

struct options {
	const char *config, *state, *open;
	unsigned budget;
	bool json, help;
};

static void print_usage(FILE *out)
{
	fprintf(out,
		"usage: kentongan check [--budget RUNS] [--json] [--config FILE] [FOLDER...]\n"
		"       kentongan check --open PLUGIN [--state FOLDER] [--config FILE] [FOLDER]\n"
		"  runs each dialog of the plugins in the folders (a plugin's own, or that of all) "
		"with every "
		"kind of answer,\n"
		"  %d runs for each dialog at most; --open runs a store's open dialogs of one "
		"plugin on "
		"the code that is there now\n",
		BUDGET);
}

static bool parse(int argc, char **argv, struct options *out)
{
	static const struct option names[] = {
		{ "budget", required_argument, NULL, 'b' },
		{ "config", required_argument, NULL, 'c' },
		{ "open", required_argument, NULL, 'o' },
		{ "state", required_argument, NULL, 's' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	*out = (struct options){ .budget = BUDGET };
	optind = 1;
	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		switch (option) {
		case 'b':
			out->budget = (unsigned)strtoul(optarg, NULL, 10);
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
	return out->budget >= 1 && out->budget <= BUDGET_MAX;
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
			check_plugin(check, &set->plugins[i]);
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

	if (options->open && access(state, F_OK) < 0) {
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
	struct check check = { .budget = options->budget, .json = options->json, .folder = folder };
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
