/* score_corpus.c - score-corpus --services FOLDER [--quiet] FILE...
 *
 * Reads each row of a corpus (the columns of tests/corpus/README.md) with the program's own route and answer code, in the row's
 * context and with the services of a folder, and compares what comes out with the row's labels.  A miss is a line; before the
 * last line stand the counts of STOP and HELP, and the last is "R/N = P %".  Exit code 1: below 97 %, or a STOP or HELP
 * missed, or a STOP that was none.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "csv.h"
#include "log.h"
#include "plugin.h"
#include "route.h"
#include "utf8.h"

enum { ENOUGH = 97 }; /* per cent */

/* ---- the contexts ---- */

static struct bytes opinions[] = {
	{ "Sangat puas", 11 }, { "Puas", 4 }, { "Cukup puas", 10 }, { "Tidak puas", 10 }
};
static const struct context {
	const char *name, *plugin, *dialog;
	struct request request;
} contexts[] = {
	{ "q_choice4",
	  "survey",
	  "take",
	  { .kind = REQUEST_CHOOSE,
	    .answer = ANSWER_CHOICE,
	    .options = opinions,
	    .option_count = 4 } },
	{ "q_yesno", "survey", "take", { .kind = REQUEST_CONFIRM, .answer = ANSWER_YES_NO } },
	{ "q_number",
	  "survey",
	  "take",
	  { .kind = REQUEST_ASK, .answer = ANSWER_INTEGER, .min = 0, .max = 1000 } },
	{ "q_open",
	  "survey",
	  "take",
	  { .kind = REQUEST_ASK, .answer = ANSWER_TEXT, .min = 1, .max = 1000 } },
	{ "c_desc",
	  "complaint",
	  "report",
	  { .kind = REQUEST_ASK, .answer = ANSWER_TEXT, .min = 1, .max = 1000 } },
	{ "c_loc",
	  "complaint",
	  "report",
	  { .kind = REQUEST_ASK, .answer = ANSWER_TEXT, .min = 1, .max = 1000 } },
	{ "c_confirm",
	  "complaint",
	  "report",
	  { .kind = REQUEST_CONFIRM, .answer = ANSWER_YES_NO } },
};

/* ---- what came out, in the words of the labels ---- */

struct result {
	const char *intent, *keyword;
	const char *argument; /* "?": there is none yet, so it is asked for */
};

/* The corpus' names for the dialogs of the services. */
static const struct service {
	const char *dialog, *intent, *keyword;
} services[] = {
	{ "report", "complaint", "LAPOR" },
	{ "status", "info_lookup", "CEK" },
	{ "look_up", "info_lookup", "INFO" },
	{ "take", "survey_answer", "SURVEI" },
	{ "join", "join", "REG" },
};

static const char *copy(struct arena *arena, struct bytes text)
{
	return arena_memdup(arena, text.data, text.len);
}

static struct result begun(struct arena *arena, const struct route *route)
{
	const char *rest = copy(arena, route->rest);

	for (unsigned i = 0; i < ARRAY_LEN(services); i++)
		if (strcmp(services[i].dialog, route->dialog) == 0)
			return (struct result){ services[i].intent, services[i].keyword, rest };
	return (struct result){ "?", "?", rest };
}

static const char *answer_text(struct arena *arena, const struct context *context,
			       const struct answer *answer)
{
	switch (context->request.answer) {
	case ANSWER_TEXT:
		return copy(arena, answer->text);
	case ANSWER_INTEGER:
		return arena_printf(arena, "%lld", (long long)answer->integer);
	case ANSWER_CHOICE:
		return arena_printf(arena, "%u", answer->option + 1);
	case ANSWER_YES_NO:
		return answer->yes ? "YA" : "TIDAK";
	default:
		return "";
	}
}

static struct result result_of(struct arena *arena, const struct context *context,
			       const struct route *route)
{
	switch (route->kind) {
	case ROUTE_STOP:
		return (struct result){ "stop", "STOP", copy(arena, route->rest) };
	case ROUTE_CANCEL:
		return (struct result){ "cancel", "", "" };
	case ROUTE_START:
	case ROUTE_STARTED:
		return (struct result){ "join", "REG", "" };
	case ROUTE_HELP:
		return (struct result){ "help", "BANTUAN", copy(arena, route->rest) };
	case ROUTE_KEYWORD:
	case ROUTE_SAME:
		return begun(arena, route);
	case ROUTE_ANSWER:
		return (struct result){ strcmp(context->dialog, "report") == 0 ? "complaint"
									       : "survey_answer",
					"", answer_text(arena, context, &route->answer) };
	case ROUTE_GREETING:
		return (struct result){ "greeting", "", "" };
	case ROUTE_AGAIN:
		return (struct result){ "again", "", "?" };
	default:
		return (struct result){ "nonsense", "", "" };
	}
}

/* ---- right or not ---- */

struct row {
	const char *id, *text, *context, *intent, *keyword, *argument, *note;
};

static bool same(const char *a, const char *b)
{
	return strcasecmp(a, b) == 0;
}

/* Every word of wanted stands in said, in whatever order. */
static bool has_words(struct arena *arena, const char *wanted, const char *said)
{
	char *words = arena_strdup(arena, wanted), *rest = words;
	const char *word;

	while ((word = strtok_r(rest, " ", &rest)) != NULL)
		if (!strcasestr(said, word))
			return false;
	return true;
}

static bool right_argument(struct arena *arena, const struct row *row, const struct result *result)
{
	struct bytes text = { row->text, strlen(row->text) };

	if (strcmp(row->argument, "*") == 0) {
		const char *whole = utf8_fold(arena, text).data;

		return strcmp(utf8_fold(arena, (struct bytes){ result->argument,
							       strlen(result->argument) })
				      .data,
			      whole) == 0;
	}
	if (strcmp(row->argument, "?") == 0) /* of a question that was not asked, it is asked */
		return !result->argument[0] || strcmp(result->argument, "?") == 0 ||
		       (strcmp(result->keyword, "CEK") == 0 &&
			!strpbrk(result->argument, "0123456789"));
	if (strcmp(row->intent, "info_lookup") == 0)
		return has_words(arena, row->argument, result->argument);
	return same(row->argument, result->argument);
}

static bool is_right(struct arena *arena, const struct row *row, const struct result *result)
{
	bool in_dialog = strcmp(row->context, "none") != 0;

	if (strcmp(result->intent, "cancel") == 0)
		return strstr(row->note, "ambiguous-cancel");
	if (strcmp(result->intent, "again") == 0)
		return (strcmp(row->argument, "?") == 0 && row->keyword[0] == '\0') ||
		       strcmp(row->intent, "nonsense") == 0;
	if (strcmp(row->intent, "nonsense") == 0) /* out of a session a digit gets help */
		return strcmp(result->intent, "nonsense") == 0 ||
		       (strcmp(result->intent, "help") == 0 && !in_dialog &&
			strspn(row->text, "0123456789.,()# ") == strlen(row->text));
	return strcmp(row->intent, result->intent) == 0 && same(row->keyword, result->keyword) &&
	       right_argument(arena, row, result);
}

/* ---- the tally ---- */

struct tally {
	unsigned rows, right;
	unsigned stop_missed, stop_false, help_missed, help_false;
};

static void count_word(const char *word, const struct row *row, const struct result *result,
		       unsigned *missed, unsigned *taken)
{
	bool wanted = strcmp(row->intent, word) == 0, got = strcmp(result->intent, word) == 0;
	bool cancelled = strcmp(result->intent, "cancel") == 0 &&
			 strstr(row->note, "ambiguous-cancel");
	bool digit = strcmp(row->intent, "nonsense") == 0 &&
		     strspn(row->text, "0123456789.,()# ") == strlen(row->text);

	*missed += wanted && !got && !cancelled;
	*taken += !wanted && got && !digit;
}

static void score_row(const struct plugin_set *plugins, const struct row *row, struct tally *tally)
{
	struct arena arena = { 0 };
	struct route_view view = { .plugins = plugins };
	const struct context *context = NULL;
	struct result result;
	struct route route;

	for (unsigned i = 0; i < ARRAY_LEN(contexts); i++)
		if (strcmp(contexts[i].name, row->context) == 0)
			context = &contexts[i];
	if (context) {
		view.plugin = context->plugin;
		view.dialog = context->dialog;
		view.request = &context->request;
		view.pages = 1;
	}
	route_text(&arena, &view, (struct bytes){ row->text, strlen(row->text) }, &route);
	result = result_of(&arena, context, &route);
	tally->rows++;
	count_word("stop", row, &result, &tally->stop_missed, &tally->stop_false);
	count_word("help", row, &result, &tally->help_missed, &tally->help_false);
	if (is_right(&arena, row, &result))
		tally->right++;
	else
		printf("%s [%s] '%s': %s %s '%s', not %s %s '%s'\n", row->id, row->context,
		       row->text, result.intent, result.keyword, result.argument, row->intent,
		       row->keyword, row->argument);
	arena_free(&arena);
}

static bool score_file(const struct plugin_set *plugins, const char *path, struct tally *tally)
{
	struct csv *csv = csv_open(path);

	if (!csv) {
		perror(path);
		return false;
	}
	while (csv_next(csv)) {
		struct row row = { csv_column(csv, "id"),      csv_column(csv, "text"),
				   csv_column(csv, "context"), csv_column(csv, "intent"),
				   csv_column(csv, "keyword"), csv_column(csv, "argument"),
				   csv_column(csv, "note") };

		score_row(plugins, &row, tally);
	}
	csv_close(csv);
	return true;
}

static struct plugin_set *load(const char *folder)
{
	struct plugin_set *plugins;
	char why[512];

	if (plugins_load(folder, NULL, 0, "", &plugins, why, sizeof(why)) != 0) {
		fprintf(stderr, "%s\n", why);
		exit(2);
	}
	for (unsigned i = 0; i < plugins->count; i++)
		if (plugins->plugins[i].error) {
			fprintf(stderr, "%s\n", plugins->plugins[i].error);
			exit(2);
		}
	return plugins;
}

int main(int argc, char **argv)
{
	struct tally tally = { 0 };
	struct plugin_set *plugins;
	unsigned percent;

	if (argc < 4 || strcmp(argv[1], "--services") != 0) {
		fprintf(stderr, "usage: %s --services FOLDER FILE...\n", argv[0]);
		return 2;
	}
	log_set_level(LOG_ERROR);
	plugins = load(argv[2]);
	for (int i = 3; i < argc; i++)
		if (!score_file(plugins, argv[i], &tally))
			return 2;
	plugins_free(plugins);
	percent = tally.rows ? tally.right * 10000 / tally.rows : 0;
	printf("STOP: %u missed, %u false; HELP: %u missed, %u false\n", tally.stop_missed,
	       tally.stop_false, tally.help_missed, tally.help_false);
	printf("%u/%u = %u.%02u %%\n", tally.right, tally.rows, percent / 100, percent % 100);
	return tally.rows > 0 && percent >= ENOUGH * 100 && tally.stop_missed == 0 &&
			       tally.stop_false == 0 && tally.help_missed == 0
		       ? 0
		       : 1;
}
