/* new.c - a plugin to begin with.
 *
 * All that could be wrong is found before anything is written: the name, the folder, a keyword that others have.  The number in the
 * menu is the lowest that no other plugin has.
 */
#include "new.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugin.h"
#include "skeletons.h"
#include "words.h"

enum { KEYWORD_MAX = 20, NUMBER_MAX = 97 };

struct new
{
	const char *name, *kind;
	char folder[4096]; /* of all plugins */
	char own[4200];    /* the new one's */
	char keyword[KEYWORD_MAX + 1], label[KEYWORD_MAX + 1], number[8];
};

static bool refuse(const char *fmt, ...) PRINTF_LIKE(1, 2);
static bool refuse(const char *fmt, ...)
{
	va_list args;

	fputs("kentongan: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	putc('\n', stderr);
	return false;
}

/* ---- what it is called ---- */

static bool check_name(struct new *new)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";
	size_t len = strlen(new->name), at = 0;
	enum word word;

	if (len == 0 || len > PLUGIN_NAME_MAX || strspn(new->name, allowed) != len ||
	    !islower((unsigned char)new->name[0]) || strcmp(new->name, "lib") == 0 ||
	    strcmp(new->name, "telco") == 0)
		return refuse("'%s' can't be a plugin's name: take a-z, 0-9, _ and -, a letter "
			      "first, at most %d, and neither lib nor telco",
			      new->name, PLUGIN_NAME_MAX);
	for (const char *c = new->name; *c &&at < KEYWORD_MAX; c++)
		if (*c != '_' && *c != '-')
			new->keyword[at++] = (char)toupper((unsigned char)*c);
	new->label[0] = new->keyword[0];
	for (at = 1; new->keyword[at]; at++)
		new->label[at] = (char)tolower((unsigned char)new->keyword[at]);
	word = words_whole((struct bytes){ new->keyword, strlen(new->keyword) });
	if (strlen(new->keyword) < 2 || word != WORD_NONE)
		return refuse("%s can't be a keyword (%s); take another name", new->keyword,
			      word == WORD_NONE ? "it has at least 2 letters"
						: "it is a word of the gateway's own");
	return true;
}

/* ---- where ---- */

/* The folder that is set, else ./plugins. */
static bool find_folder(struct new *new)
{
	const char *set = getenv("KENTONGAN_PLUGINS");

	snprintf(new->folder, sizeof(new->folder), "%s", set && set[0] ? set : "plugins");
	snprintf(new->own, sizeof(new->own), "%s/%s", new->folder, new->name);
	if (access(new->own, F_OK) == 0)
		return refuse("%s is there already; take another name, or remove it", new->own);
	if (mkdir(new->folder, 0777) != 0 && errno != EEXIST)
		return refuse("%s: %s; go to the folder that holds plugins/, or set "
			      "KENTONGAN_PLUGINS",
			      new->folder, strerror(errno));
	return true;
}

/* A keyword of its own, and the lowest number that is free. */
static bool find_place(struct new *new)
{
	struct plugin_set *set;
	struct plugin *other;
	const char *dialog;
	char error[1024];
	bool fine = true;
	unsigned number = 1;

	if (plugins_load(new->folder, NULL, 0, "", &set, error, sizeof(error)) < 0)
		return refuse("%s", error);
	other = plugins_keyword(set, new->keyword, &dialog);
	if (other)
		fine = refuse("the plugin %s has the keyword %s already; take another name",
			      other->name, new->keyword);
	do
		snprintf(new->number, sizeof(new->number), "%u", number);
	while (plugins_anchor(set, new->number, &dialog) && ++number <= NUMBER_MAX);
	if (fine && number > NUMBER_MAX)
		fine = refuse("the menu's numbers up to %d are all taken", NUMBER_MAX);
	plugins_free(set);
	return fine;
}

/* ---- writing ---- */

static void fill(const struct new *new, const char *text, FILE *file)
{
	const struct {
		const char *hole, *value;
	} holes[] = { { "@NAME@", new->name },
		      { "@KEYWORD@", new->keyword },
		      { "@NUMBER@", new->number },
		      { "@LABEL@", new->label },
		      { "@FOLDER@", new->own } };

	while (*text) {
		unsigned i = 0;

		while (i < ARRAY_LEN(holes) &&
		       strncmp(text, holes[i].hole, strlen(holes[i].hole)) != 0)
			i++;
		if (i < ARRAY_LEN(holes)) {
			fputs(holes[i].value, file);
			text += strlen(holes[i].hole);
		} else {
			putc(*text++, file);
		}
	}
}

/* plugin.lua is NAME.lua there. */
static bool write_file(const struct new *new, const struct skeleton *skeleton)
{
	const char *dot = strchr(skeleton->file, '.');
	bool own = strncmp(skeleton->file, "plugin.", 7) == 0;
	char path[4400];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s%s", new->own, own ? new->name : "",
		 own ? dot : skeleton->file);
	file = fopen(path, "wx");
	if (!file)
		return refuse("%s: %s", path, strerror(errno));
	fill(new, skeleton->text, file);
	if (fclose(file) != 0)
		return refuse("%s: %s", path, strerror(errno));
	printf("%s\n", path);
	return true;
}

static bool write_all(const struct new *new)
{
	if (mkdir(new->own, 0777) != 0)
		return refuse("%s: %s", new->own, strerror(errno));
	for (const struct skeleton *at = skeletons; at->kind; at++)
		if (strcmp(at->kind, new->kind) == 0 && !write_file(new, at))
			return false;
	printf("Try it: kentongan chat %s, then write %s.  Its test: kentongan test %s\n", new->own,
	       new->keyword, new->own);
	return true;
}

/* ---- the command ---- */

static bool is_kind(const char *kind)
{
	for (const struct skeleton *at = skeletons; at->kind; at++)
		if (strcmp(at->kind, kind) == 0)
			return true;
	return false;
}

static int usage(FILE *out)
{
	fprintf(out,
		"usage: kentongan new NAME [--like survey|menu|lookup]\n"
		"  writes plugins/NAME (or $KENTONGAN_PLUGINS/NAME): a service that works, with "
		"its README and transcript\n"
		"  survey  asks, and keeps the answers (where --like is not given)\n"
		"  menu    tells what citizens choose to know\n"
		"  lookup  gives a code, and finds by it again\n");
	return out == stdout ? 0 : 2;
}

int new_main(int argc, char **argv)
{
	struct new *new;
	bool fine;

	if (argc == 2 && strcmp(argv[1], "--help") == 0)
		return usage(stdout);
	if ((argc != 2 && argc != 4) || argv[1][0] == '-' ||
	    (argc == 4 && (strcmp(argv[2], "--like") != 0 || !is_kind(argv[3]))))
		return usage(stderr);
	new = xcalloc(1, sizeof(*new));
	new->name = argv[1];
	new->kind = argc == 4 ? argv[3] : "survey";
	fine = check_name(new) && find_folder(new) && find_place(new) && write_all(new);
	free(new);
	return fine ? 0 : 1;
}
