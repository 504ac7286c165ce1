/* rehearsal.c - a talk with plugins, without a gateway.
 *
 * Each line is a text, or with a colon in front a command to the stage.  Before each the plugin's files are looked at:
 * what was saved is what answers.  What the log would say of the plugin is shown where it happens.
 */
#include "rehearsal.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/thread.h>
#include <jansson.h>

#include "control_priv.h"
#include "journal.h"
#include "log.h"
#include "plugin.h"
#include "settings.h"
#include "transcript_record.h"
#include "world.h"

struct rehearsal {
	char *folder, *own; /* owned; of all plugins; the one that is tried, or NULL: all */
	const char *file;   /* to save to; NULL: nothing is saved */
	struct recording *recording;
	struct world *world;
	uint64_t stamp; /* of the files as they were read */
	bool by_ussd[WORLD_PEOPLE];
	unsigned citizen; /* who writes now */
	bool terminal, over;
	int log; /* owned; where the log goes */
	off_t log_read;
};

/* ---- the files ---- */

static uint64_t stamp; /* nftw's callback has no argument */

static int stamp_cb(const char *path, const struct stat *info, int type, struct FTW *ftw UNUSED)
{
	size_t len = strlen(path);

	if (type == FTW_F && len > 4 && strcmp(path + len - 4, ".lua") == 0)
		stamp = (stamp ^ (uint64_t)info->st_mtim.tv_sec ^
			 (uint64_t)info->st_mtim.tv_nsec << 20 ^ (uint64_t)info->st_size << 50 ^
			 (uint64_t)info->st_ino) *
			UINT64_C(0x100000001B3);
	return 0;
}

static uint64_t stamp_of(const struct rehearsal *rehearsal)
{
	static const char *const parts[] = { "lib" };
	char path[4096];

	stamp = 1;
	snprintf(path, sizeof(path), "%s/%s", rehearsal->folder,
		 rehearsal->own ? rehearsal->own : "");
	nftw(path, stamp_cb, 16, FTW_PHYS);
	for (unsigned i = 0; rehearsal->own && i < ARRAY_LEN(parts); i++) {
		snprintf(path, sizeof(path), "%s/%s", rehearsal->folder, parts[i]);
		nftw(path, stamp_cb, 16, FTW_PHYS);
	}
	return stamp;
}

static void tell_neighbours(const struct rehearsal *rehearsal)
{
	const struct plugin_set *set = world_plugins(rehearsal->world);

	for (unsigned i = 0; i < set->count; i++)
		if (set->plugins[i].error)
			printf("(left out: %s)\n", set->plugins[i].error);
}

/* Reads the plugins where they were not read, or were saved since.  false: there are none that could answer. */
static bool look_at_files(struct rehearsal *rehearsal)
{
	uint64_t now = stamp_of(rehearsal);
	bool open = world_is_open(rehearsal->world);

	if (open && now == rehearsal->stamp)
		return true;
	rehearsal->stamp = now;
	if (open ? world_load(rehearsal->world, NULL) : world_open(rehearsal->world)) {
		if (open)
			printf("(read again; dialogs that are open go on with the code that they "
			       "began with)\n");
		tell_neighbours(rehearsal);
	} else {
		printf("(error: %s%s)\n", world_error(rehearsal->world),
		       open ? "; the code of before stays" : "");
	}
	return world_is_open(rehearsal->world);
}

/* ---- what is shown ---- */

static void show_event(const json_t *event)
{
	const char *name = json_string_value(json_object_get(event, "event"));
	const char *text = json_string_value(json_object_get(event, "text"));

	if (!name)
		return;
	if (strcmp(name, "plugin.log") == 0 && text) {
		printf("(log: ");
		link_print_text(text, "  ");
		return;
	}
	text = json_string_value(json_object_get(event, "error"));
	if (!text)
		text = json_string_value(json_object_get(event, "what"));
	if (strncmp(name, "dialog.", 7) == 0 || strncmp(name, "plugin.", 7) == 0)
		printf("(%s: %s)\n", strcmp(name, "dialog.failed") == 0 ? "error" : name,
		       text ? text : "");
}

/* What was logged since the last look. */
static void show_log(struct rehearsal *rehearsal)
{
	char chunk[4096], *start, *feed;
	struct buf text = { 0 };
	json_t *event;
	ssize_t n;

	while ((n = pread(rehearsal->log, chunk, sizeof(chunk), rehearsal->log_read)) > 0) {
		buf_add(&text, chunk, (size_t)n);
		rehearsal->log_read += n;
	}
	for (start = text.data; start && (feed = strchr(start, '\n')); start = feed + 1) {
		event = json_loadb(start, (size_t)(feed - start), 0, NULL);
		show_event(event);
		json_decref(event);
	}
	buf_free(&text);
}

static void show_screen(struct rehearsal *rehearsal, unsigned citizen, char *text)
{
	bool more = world_person(rehearsal->world, citizen)->more;

	printf("----------------------------------------\n");
	link_print_text(text, "");
	printf("%s\n", more ? "----------------------------------------"
			    : "------------------------- session ended");
	rehearsal->by_ussd[citizen] = more && rehearsal->by_ussd[citizen];
	recording_said(rehearsal->recording, citizen, text);
	free(text);
}

static void show_message(struct rehearsal *rehearsal, unsigned citizen, char *text)
{
	if (citizen == rehearsal->citizen)
		printf("gateway: ");
	else
		printf("gateway to citizen %u: ", citizen + 1);
	link_print_text(text, "  ");
	recording_said(rehearsal->recording, citizen, text);
	free(text);
}

static void show_all(struct rehearsal *rehearsal)
{
	char *text;

	show_log(rehearsal);
	for (unsigned i = 0; i < WORLD_PEOPLE; i++) {
		if ((text = world_seen(rehearsal->world, i)))
			show_screen(rehearsal, i, text);
		while ((text = world_heard(rehearsal->world, i)))
			show_message(rehearsal, i, text);
	}
}

/* ---- what is done ---- */

static void act(struct rehearsal *rehearsal, enum deed deed, const char *text)
{
	recording_deed(rehearsal->recording, deed, rehearsal->citizen, text);
	if (!deed_do(rehearsal->world, deed, rehearsal->citizen, text))
		printf("(error: %s)\n", world_error(rehearsal->world));
	show_all(rehearsal);
}

static void do_restart(struct rehearsal *rehearsal, const char *text UNUSED)
{
	act(rehearsal, DEED_RESTART, "");
	printf("(started anew)\n");
}

static void do_time(struct rehearsal *rehearsal, const char *text)
{
	static const struct {
		char letter;
		const char *one, *many;
	} units[] = { { 's', "second", "seconds" },
		      { 'm', "minute", "minutes" },
		      { 'h', "hour", "hours" },
		      { 'd', "day", "days" } };
	char letter, span[32];
	unsigned count;

	for (unsigned i = 0; sscanf(text, "+%6u%c", &count, &letter) == 2 && i < ARRAY_LEN(units);
	     i++) {
		if (units[i].letter != letter)
			continue;
		snprintf(span, sizeof(span), "%u %s", count,
			 count == 1 ? units[i].one : units[i].many);
		act(rehearsal, DEED_WAIT, span);
		printf("(%s later)\n", span);
		return;
	}
	printf("(:time +2d, +3h, +10m or +5s)\n");
}

static void show_dialog(const struct dialog_row *row)
{
	struct journal_entry entry;
	struct buf line = { 0 };
	size_t at = 0;

	printf("%s, %s: %s\n", row->plugin, row->dialog, dialog_state_name(row->state));
	while (journal_next(&row->journal, &at, &entry) == 1) {
		buf_reset(&line);
		journal_describe(&entry, &line);
		printf("  ");
		link_print_text(line.data, "    ");
	}
	buf_free(&line);
}

static void dialogs_cb(int error UNUSED, const struct find_rows *rows, void *arg UNUSED)
{
	if (rows->count == 0)
		printf("(no dialog is open)\n");
	for (unsigned i = 0; i < rows->count; i++)
		show_dialog(&rows->dialogs[i]);
}

static void do_journal(struct rehearsal *rehearsal, const char *text UNUSED)
{
	struct find find = { .kind = FIND_DIALOGS,
			     .citizen = world_person(rehearsal->world, rehearsal->citizen)->number,
			     .limit = 100 };

	if (!world_find(rehearsal->world, &find, dialogs_cb, NULL))
		printf("(error: %s)\n", world_error(rehearsal->world));
}

static void do_drop(struct rehearsal *rehearsal, const char *text UNUSED)
{
	if (!rehearsal->by_ussd[rehearsal->citizen]) {
		printf("(there is no call; :ussd makes one)\n");
		return;
	}
	rehearsal->by_ussd[rehearsal->citizen] = false;
	act(rehearsal, DEED_DROP, "");
	printf("(the call is over)\n");
}

static void do_ussd(struct rehearsal *rehearsal, const char *text)
{
	rehearsal->by_ussd[rehearsal->citizen] = true;
	act(rehearsal, DEED_DIAL, *text ? text : world_settings(rehearsal->world)->ussd_code);
}

static void do_sms(struct rehearsal *rehearsal, const char *text UNUSED)
{
	if (rehearsal->by_ussd[rehearsal->citizen])
		act(rehearsal, DEED_BY_SMS, "");
	rehearsal->by_ussd[rehearsal->citizen] = false;
}

static void do_citizen(struct rehearsal *rehearsal, const char *text)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	if (end == text || *end || number < 1 || number > WORLD_PEOPLE)
		printf("(:citizen 1 to :citizen %d)\n", WORLD_PEOPLE);
	else
		rehearsal->citizen = (unsigned)number - 1;
}

static void do_quit(struct rehearsal *rehearsal, const char *text UNUSED)
{
	rehearsal->over = true;
}

static void do_help(struct rehearsal *rehearsal, const char *text);

static const struct {
	const char *word;
	void (*run)(struct rehearsal *rehearsal, const char *text);
	const char *help;
} commands[] = {
	{ "ussd", do_ussd, "[CODE]  dial; what you write then are keys" },
	{ "drop", do_drop, "the call ends" },
	{ "sms", do_sms, "write messages again, though the call goes on" },
	{ "time", do_time, "+2d  let time pass: d, h, m, s" },
	{ "restart", do_restart, "lose all that is in memory" },
	{ "journal", do_journal, "what the open dialog has asked and got" },
	{ "citizen", do_citizen, "2  be another citizen" },
	{ "help", do_help, "this; a text that begins with a colon is sent with two" },
	{ "quit", do_quit, "or Ctrl-D" },
};

static void do_help(struct rehearsal *rehearsal UNUSED, const char *text UNUSED)
{
	for (unsigned i = 0; i < ARRAY_LEN(commands); i++)
		printf("  :%-8s %s\n", commands[i].word, commands[i].help);
}

static void command(struct rehearsal *rehearsal, const char *text)
{
	size_t len = strcspn(text, " ");

	for (unsigned i = 0; i < ARRAY_LEN(commands); i++)
		if (strlen(commands[i].word) == len && strncmp(commands[i].word, text, len) == 0) {
			commands[i].run(rehearsal, text + len + strspn(text + len, " "));
			return;
		}
	printf("(:%s is no command; :help lists them)\n", text);
}

static void take_line(struct rehearsal *rehearsal, const char *text)
{
	bool ready = look_at_files(rehearsal);

	if (text[0] == ':' && text[1] != ':') {
		if (ready || strcmp(text, ":quit") == 0)
			command(rehearsal, text + 1);
		return;
	}
	text += text[0] == ':';
	if (ready)
		act(rehearsal, rehearsal->by_ussd[rehearsal->citizen] ? DEED_KEY : DEED_SMS, text);
}

static void talk(struct rehearsal *rehearsal)
{
	char *line = NULL;
	size_t size = 0;

	if (rehearsal->terminal)
		printf("A talk with %s, without a gateway.  Each line is an SMS; :help lists the "
		       "commands.\n",
		       rehearsal->own ? rehearsal->own : "the plugins");
	look_at_files(rehearsal);
	while (!rehearsal->over) {
		if (rehearsal->terminal)
			printf(rehearsal->by_ussd[rehearsal->citizen] ? "key> " : "> ");
		fflush(stdout);
		if (getline(&line, &size, stdin) < 0)
			break;
		line[strcspn(line, "\r\n")] = '\0';
		take_line(rehearsal, line);
	}
	free(line);
	if (rehearsal->terminal && !rehearsal->over)
		printf("\n");
}

/* ---- the command ---- */

static int usage(FILE *out)
{
	fprintf(out,
		"usage: kentongan chat [--record FILE.dialog] FOLDER\n"
		"       kentongan record FILE.dialog FOLDER\n"
		"Talks with a plugin (plugins/x), or with all of a folder, without a gateway; each "
		"line "
		"is an SMS, :help lists\n"
		"the commands.  What is saved meanwhile is read again.  record keeps the talk as a "
		"transcript.\n");
	return out == stdout ? 0 : 2;
}

/* plugins/x with x.lua in it is that plugin; else it is a folder of plugins. */
static bool find_folder(struct rehearsal *rehearsal, const char *path)
{
	char *whole = realpath(path, NULL), *name = whole ? strrchr(whole, '/') : NULL, *file;
	struct stat info;

	if (!whole || stat(whole, &info) != 0 || !S_ISDIR(info.st_mode)) {
		fprintf(stderr,
			"kentongan: %s: there is no such folder; give a plugin's, such as "
			"plugins/survey, or that of all plugins\n",
			path);
		free(whole);
		return false;
	}
	rehearsal->folder = whole;
	if (asprintf(&file, "%s/%s.lua", whole, name + 1) < 0)
		abort();
	if (stat(file, &info) == 0) {
		rehearsal->own = xstrdup(name + 1);
		*(name == whole ? name + 1 : name) = '\0';
	}
	free(file);
	return true;
}

static int save(struct rehearsal *rehearsal)
{
	char *why;
	bool fine;

	if (!rehearsal->file)
		return 0;
	fine = recording_save(rehearsal->recording, rehearsal->file, rehearsal->folder,
			      rehearsal->own, &why);
	if (fine)
		printf("(saved as %s; it passes kentongan test)\n", rehearsal->file);
	else
		fprintf(stderr, "kentongan: saved as %s, but it does not pass:\n%s\n",
			rehearsal->file, why);
	free(why);
	return fine ? 0 : 1;
}

static int rehearse(struct rehearsal *rehearsal)
{
	int status = 1;

	evthread_use_pthreads();
	rehearsal->log = memfd_create("log", MFD_CLOEXEC);
	if (rehearsal->log >= 0)
		log_set_output(rehearsal->log);
	rehearsal->terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	rehearsal->recording = recording_new();
	rehearsal->world = world_new("the settings", rehearsal->own, !rehearsal->file);
	if (!world_settings(rehearsal->world) || !world_load(rehearsal->world, rehearsal->folder)) {
		fprintf(stderr, "kentongan: %s\n", world_error(rehearsal->world));
	} else {
		talk(rehearsal);
		status = world_is_open(rehearsal->world) ? 0 : 1;
	}
	world_free(rehearsal->world);
	if (status == 0)
		status = save(rehearsal);
	recording_free(rehearsal->recording);
	if (rehearsal->log >= 0)
		close(rehearsal->log);
	return status;
}

int rehearsal_main(int argc, char **argv)
{
	struct rehearsal rehearsal = { 0 };
	int at = 1, status = 1;

	if (argc > 1 && strcmp(argv[1], "--help") == 0)
		return usage(stdout);
	if (strcmp(argv[0], "record") == 0 || (argc > 1 && strcmp(argv[1], "--record") == 0)) {
		at += strcmp(argv[0], "record") != 0;
		rehearsal.file = at < argc ? argv[at++] : NULL;
	}
	if (at + 1 != argc || argv[at][0] == '-')
		return usage(stderr);
	if (find_folder(&rehearsal, argv[at]))
		status = rehearse(&rehearsal);
	free(rehearsal.folder);
	free(rehearsal.own);
	return status;
}
