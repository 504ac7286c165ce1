/* main.c - the command line: a table of commands. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "chat.h"
#include "check.h"
#include "control.h"
#include "crash.h"
#include "new.h"
#include "rehearsal.h"
#include "serve.h"
#include "settings.h"
#include "store.h"
#include "transcript.h"

static const char *program;

static int run_serve(int argc, char **argv)
{
	return serve_main(program, argc, argv);
}

static int print_settings(int argc, char **argv UNUSED)
{
	struct buf out = { 0 };

	if (argc > 1) {
		fprintf(stderr, "usage: kentongan settings\n");
		return 2;
	}
	settings_print(&out);
	fputs(out.data, stdout);
	buf_free(&out);
	return 0;
}

/* backup STORE COPY, restore COPY STORE */
static int copy_store(int argc, char **argv)
{
	bool backup = strcmp(argv[0], "backup") == 0;
	char error[1024];
	int rc;

	if (argc != 3) {
		fprintf(stderr, "usage: kentongan %s\n  such as: kentongan %s\n",
			backup ? "backup STORE COPY" : "restore COPY STORE",
			backup ? "backup state/kentongan.db copy.db"
			       : "restore copy.db state/kentongan.db");
		return 2;
	}
	rc = backup ? store_sqlite_backup(argv[1], argv[2], error, sizeof(error))
		    : store_sqlite_restore(argv[1], argv[2], error, sizeof(error));
	if (rc < 0)
		fprintf(stderr, "kentongan: %s\n", error);
	return rc < 0;
}

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv); /* argv[0] is the name */
	const char *usage, *help;
} commands[] = {
	{ "serve", run_serve, "[--config FILE] [--state FOLDER]",
	  "run the gateway in the foreground" },
	{ "chat", chat_main, "[--from NUMBER] [--ussd [CODE]]", "a phone in the terminal" },
	{ "chat", chat_main, "plugins/NAME", "a talk with a plugin, without a gateway" },
	{ "record", rehearsal_main, "FILE.dialog plugins/NAME", "the same, saved as a transcript" },
	{ "new", new_main, "NAME [--like survey|menu|lookup]", "write a plugin to begin with" },
	{ "test", transcript_main, "[--restart-everywhere] [FILE|FOLDER...]",
	  "play the plugins' transcripts" },
	{ "check", check_main, "[FOLDER...]|--open PLUGIN", "look for faults in plugins" },
	{ "settings", print_settings, "", "list every setting, its default and what is allowed" },
	{ "message", control_main, "find|show|release|drop ...", "a citizen's messages" },
	{ "optout", control_main, "list", "citizens who said STOP" },
	{ "dialog", control_main, "list|show|end ...", "open dialogs" },
	{ "records", control_main, "verify PLUGIN.TABLE",
	  "whether append_only records are unchanged" },
	{ "backup", copy_store, "STORE COPY", "copy a store that is in use" },
	{ "restore", copy_store, "COPY STORE",
	  "put a copy in place of a store that is not in use" },
};

static int usage(FILE *out)
{
	fprintf(out, "%s - SMS and USSD gateway for civic engagement\n\n", PACKAGE_STRING);
	for (unsigned i = 0; i < ARRAY_LEN(commands); i++)
		fprintf(out, "  kentongan %-8s %-34s %s\n", commands[i].name, commands[i].usage,
			commands[i].help);
	fprintf(out, "\nEach says more with --help; `man kentongan` says all.\n");
	return out == stdout ? 0 : 2;
}

int main(int argc, char **argv)
{
	program = argv[0];
	if (getenv("KENTONGAN_CRASH_LIST")) {
		crash_list();
		return 0;
	}
	if (argc < 2)
		return usage(stderr);
	if (strcmp(argv[1], "--version") == 0) {
		puts(PACKAGE_STRING);
		return 0;
	}
	if (strcmp(argv[1], "--help") == 0)
		return usage(stdout);
	for (unsigned i = 0; i < ARRAY_LEN(commands); i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	fprintf(stderr, "kentongan: '%s' is no command\n\n", argv[1]);
	return usage(stderr);
}
