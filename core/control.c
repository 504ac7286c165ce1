/* control.c - what an operator asks a running gateway for: messages, opt-outs, dialogs.
 *
 * One command is one call of the admin API (admin.h has its shapes) and a way to print the answer; --json prints it as
 * it came, for other programs.
 */
#include "control.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <event2/event.h>

#include "control_priv.h"

struct options {
	struct link_options link;
	const char *citizen, *plugin;
	bool json;
};

typedef void print_fn(const json_t *answer);

/* kentongan OBJECT VERB [ARGUMENT] */
struct command {
	const char *object, *verb;
	const char *argument; /* what it is called in the usage, or NULL: none */
	const char *path;     /* behind /api/v1/; '*' stands for the argument */
	bool post;
	print_fn *print;
	const char *help;
};

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

/* A time of the API as local time. */
static void print_time(const json_t *seconds)
{
	time_t time = (time_t)json_integer_value(seconds);
	struct tm tm;
	char text[32] = "";

	if (localtime_r(&time, &tm))
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	printf("%-19s", text);
}

static void print_message_line(const json_t *message)
{
	printf("%s  ", text_of(message, "id"));
	print_time(json_object_get(message, "time"));
	printf("  %-3s  %-9s  %s  %s  %s\n", text_of(message, "direction"),
	       text_of(message, "state"), text_of(message, "citizen"),
	       text_of(message, "connection"), text_of(message, "note"));
	printf("    ");
	link_print_text(text_of(message, "text"), "    ");
}

static void print_dialog_line(const json_t *dialog)
{
	printf("%s  ", text_of(dialog, "id"));
	print_time(json_object_get(dialog, "time"));
	printf("  %-8s  %s  %s.%s  %s\n", text_of(dialog, "state"), text_of(dialog, "citizen"),
	       text_of(dialog, "plugin"), text_of(dialog, "dialog"), text_of(dialog, "reason"));
}

static void print_list(const json_t *list, const char *none, print_fn *line)
{
	size_t i;
	const json_t *item;

	if (json_array_size(list) == 0)
		printf("%s\n", none);
	json_array_foreach (list, i, item) {
		line(item);
	}
}

static void print_messages(const json_t *answer)
{
	print_list(json_object_get(answer, "messages"), "No messages.", print_message_line);
}

static void print_dialogs(const json_t *answer)
{
	print_list(json_object_get(answer, "dialogs"), "No open dialogs.", print_dialog_line);
}

static void print_optout_line(const json_t *citizen)
{
	printf("%s  ", text_of(citizen, "citizen"));
	if (json_object_get(citizen, "since"))
		print_time(json_object_get(citizen, "since"));
	printf("\n");
}

static void print_optouts(const json_t *answer)
{
	print_list(json_object_get(answer, "citizens"), "Nobody has said STOP.", print_optout_line);
}

static void print_value(const char *key, const json_t *value)
{
	size_t i;
	const json_t *item;

	if (json_is_array(value)) {
		printf("%s:\n", key);
		json_array_foreach (value, i, item) {
			printf("  ");
			link_print_text(json_is_string(item) ? json_string_value(item) : "", "  ");
		}
		return;
	}
	printf("%-12s ", key);
	if (json_is_string(value)) {
		link_print_text(json_string_value(value), "             ");
		return;
	}
	if (json_is_integer(value) &&
	    (strcmp(key, "time") == 0 || strcmp(key, "expires") == 0 || strcmp(key, "since") == 0))
		print_time(value);
	else if (json_is_integer(value))
		printf("%lld", (long long)json_integer_value(value));
	else if (json_is_boolean(value))
		printf("%s", json_is_true(value) ? "yes" : "no");
	printf("\n");
}

/* Each key and value, one a line. */
static void print_object(const json_t *answer)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)answer, key, value) {
		print_value(key, value);
	}
}

/* The first broken link, or the hash that stands for all of it. */
static void print_chain(const json_t *answer)
{
	const char *state = text_of(answer, "state");
	long long records = (long long)json_integer_value(json_object_get(answer, "records"));
	long long number = (long long)json_integer_value(json_object_get(answer, "number"));
	long long before = (long long)json_integer_value(json_object_get(answer, "unchained"));

	if (before > 0)
		printf("%lld records from before the table was append_only are no part of it.\n",
		       before);
	if (strcmp(state, "whole") == 0)
		printf("Whole: %lld records, the last one's hash is %s\n", records,
		       text_of(answer, "hash"));
	else if (strcmp(state, "short") == 0)
		printf("BROKEN: records are missing behind number %lld, at the end\n", number);
	else
		printf("BROKEN at record %lld: it was changed, or one before it is missing; %lld "
		       "before it are as they were inserted\n",
		       number, records);
}

static const struct command commands[] = {
	{ "message", "find", "NUMBER", "messages/find", true, print_messages,
	  "a citizen's messages, both ways" },
	{ "message", "show", "ID", "messages/*", false, print_object, "all about one message" },
	{ "message", "release", "ID", "messages/*/release", true, print_object,
	  "send a held or doubtful message now" },
	{ "message", "drop", "ID", "messages/*/drop", true, print_object, "never send it" },
	{ "optout", "list", NULL, "optouts", false, print_optouts, "citizens who said STOP" },
	{ "dialog", "list", NULL, "dialogs/find", true, print_dialogs,
	  "open dialogs; --citizen, --plugin" },
	{ "dialog", "show", "ID", "dialogs/*", false, print_object, "one dialog and its journal" },
	{ "dialog", "end", "ID", "dialogs/*/end", true, print_object, "end it" },
	{ "records", "verify", "PLUGIN.TABLE", "records/verify", true, print_chain,
	  "whether an append_only table is as it was inserted" },
};

static void print_usage(FILE *out, const char *object)
{
	unsigned i;

	fprintf(out, "usage:\n");
	for (i = 0; i < ARRAY_LEN(commands); i++) {
		const struct command *command = &commands[i];

		if (strcmp(command->object, object) == 0)
			fprintf(out, "  kentongan %s %-7s %-7s %s\n", command->object,
				command->verb, command->argument ? command->argument : "",
				command->help);
	}
	fprintf(out, "options: --state DIR (\"state\"), --admin URL, --json%s\n",
		strcmp(object, "dialog") == 0 ? ", --citizen NUMBER, --plugin NAME" : "");
}

static bool parse_options(int argc, char **argv, struct options *out)
{
	static const struct option names[] = {
		{ "citizen", required_argument, NULL, 'c' },
		{ "plugin", required_argument, NULL, 'p' },
		{ "json", no_argument, NULL, 'j' },
		LINK_OPTIONS /* and the end */
	};
	int option;

	*out = (struct options){ .link.state = "state" };
	optind = 1;
	while ((option = link_getopt(argc, argv, names, &out->link)) != -1) {
		switch (option) {
		case 'c':
			out->citizen = optarg;
			break;
		case 'p':
			out->plugin = optarg;
			break;
		case 'j':
			out->json = true;
			break;
		default:
			return false;
		}
	}
	return true;
}

/* The command that the words name; NULL where there is none or the number of words is wrong. */
static const struct command *find_command(const char *object, int count, char **words)
{
	unsigned i;

	for (i = 0; i < ARRAY_LEN(commands) && count > 0; i++) {
		const struct command *command = &commands[i];

		if (strcmp(command->object, object) == 0 && strcmp(command->verb, words[0]) == 0)
			return count == (command->argument ? 2 : 1) ? command : NULL;
	}
	return NULL;
}

static json_t *command_body(const struct command *command, const struct options *options,
			    const char *argument)
{
	json_t *body;

	if (!command->post)
		return NULL;
	body = json_object();
	if (strcmp(command->path, "messages/find") == 0)
		json_object_set_new(body, "number", json_string(argument));
	if (strcmp(command->path, "records/verify") == 0) {
		size_t len = strcspn(argument, ".");

		json_object_set_new(body, "plugin", json_stringn(argument, len));
		json_object_set_new(body, "table",
				    json_string(argument + len + (argument[len] == '.')));
	}
	if (options->citizen)
		json_object_set_new(body, "citizen", json_string(options->citizen));
	if (options->plugin)
		json_object_set_new(body, "plugin", json_string(options->plugin));
	return body;
}

/* What the callback makes of the answer. */
struct answer {
	const struct link *link;
	const struct command *command;
	bool json, done, ok;
};

static void answer_cb(const struct http_result *result, void *arg)
{
	struct answer *answer = arg;
	json_t *body = NULL;

	answer->done = true;
	if (result->error == 0 && result->status == 200)
		body = json_loadb(result->body.data, result->body.len, 0, NULL);
	if (!body) {
		link_explain(answer->link, answer->link->admin_base, result);
		return;
	}
	answer->ok = !json_object_get(body, "hash") || strcmp(text_of(body, "state"), "whole") == 0;
	if (answer->json)
		printf("%.*s\n", (int)result->body.len, result->body.data);
	else
		answer->command->print(body);
	json_decref(body);
}

/* The path with the argument in place of '*'; ids only, so nothing to escape. */
static void command_url(const struct link *link, const struct command *command,
			const char *argument, struct buf *out)
{
	const char *star = strchr(command->path, '*');

	buf_addf(out, "%s/api/v1/", link->admin_base);
	if (star)
		buf_addf(out, "%.*s%s%s", (int)(star - command->path), command->path, argument,
			 star + 1);
	else
		buf_addstr(out, command->path);
}

static int run(const struct command *command, const struct options *options, const char *argument)
{
	struct answer answer = { .command = command, .json = options->json };
	struct buf url = { 0 }, bearer = { 0 };
	struct http_field header;
	struct link link;

	if (!link_open(&link, &options->link, "admin.secret"))
		return 1;
	answer.link = &link;
	command_url(&link, command, argument, &url);
	buf_addf(&bearer, "Bearer %s", link.secret);
	header = (struct http_field){ "Authorization", { bearer.data, bearer.len } };
	link_call(&link, url.data, &header, command_body(command, options, argument), 0, answer_cb,
		  &answer);
	while (!answer.done)
		event_base_loop(link.base, EVLOOP_ONCE);
	buf_free(&url);
	buf_free(&bearer);
	link_close(&link);
	return answer.ok ? 0 : 1;
}

static bool is_id(const char *text)
{
	struct id id;

	return id_parse(text, &id);
}

int control_main(int argc, char **argv)
{
	const struct command *command;
	struct options options;
	const char *argument;

	if (!parse_options(argc, argv, &options)) {
		print_usage(stderr, argv[0]);
		return 2;
	}
	if (options.link.help) {
		print_usage(stdout, argv[0]);
		return 0;
	}
	command = find_command(argv[0], argc - optind, argv + optind);
	if (!command) {
		print_usage(stderr, argv[0]);
		return 2;
	}
	argument = command->argument ? argv[optind + 1] : "";
	if (command->argument && strcmp(command->argument, "ID") == 0 && !is_id(argument)) {
		fprintf(stderr,
			"kentongan: %s is not an id: 32 digits, as `kentongan %s %s` shows them\n",
			argument, argv[0], strcmp(argv[0], "message") == 0 ? "find" : "list");
		return 2;
	}
	return run(command, &options, argument);
}
