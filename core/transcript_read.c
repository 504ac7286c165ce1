/* transcript_read.c - a transcript's lines.
 *
 * All of a file is read before anything is played, and whose a line is gets settled here, so that a mistyped word or
 * name is an error of the file and never a text.
 */
#include "transcript_priv.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

enum { NAME_MAX_BYTES = 40, HEAD_MAX = 80 };

struct reader {
	struct script *script;
	const char *names[WORLD_PEOPLE];
	unsigned name_count;
	unsigned current; /* whom a line without a name is about, where there are names */
	unsigned capacity;
	int number;
	struct buf text; /* of the line that is being read, with those that go on with it */
};

void script_fault(char **text, const char *path, int number, const char *fmt, va_list args)
{
	char *what = NULL, *whole = NULL;

	if (vasprintf(&what, fmt, args) < 0 ||
	    asprintf(&whole, "%s:%d: %s", path, number, what) < 0)
		abort();
	free(what);
	free(*text);
	*text = whole;
}

static bool wrong(struct reader *reader, const char *fmt, ...) PRINTF_LIKE(2, 3);
static bool wrong(struct reader *reader, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	script_fault(&reader->script->error, reader->script->path, reader->number, fmt, args);
	va_end(args);
	return false;
}

/* ---- whose a line is ---- */

/* "2" or "Siti" as a whole. */
static bool find_citizen(const struct reader *reader, const char *name, unsigned *out)
{
	char *end;
	long number = strtol(name, &end, 10);

	if (end != name && *end == '\0' && number >= 1 && number <= WORLD_PEOPLE) {
		*out = (unsigned)number - 1;
		return true;
	}
	for (unsigned i = 0; i < reader->name_count; i++)
		if (strcmp(reader->names[i], name) == 0) {
			*out = i;
			return true;
		}
	return false;
}

/* Takes the citizen off the end of "dial 2", "gateway Siti", "gateway to Siti".  false: there is none. */
static bool take_citizen(const struct reader *reader, char *head, unsigned *out)
{
	for (char *blank = strchr(head, ' '); blank; blank = strchr(blank + 1, ' '))
		if (find_citizen(reader, blank + 1, out)) {
			*blank = '\0';
			if (blank - head > 3 && strcmp(blank - 3, " to") == 0)
				blank[-3] = '\0';
			return true;
		}
	return false;
}

static bool is_deed(const char *word)
{
	return strcmp(word, "citizen") == 0 || strcmp(word, "dial") == 0 ||
	       strcmp(word, "key") == 0;
}

static void add_line(struct reader *reader, const char *word, unsigned citizen, const char *text)
{
	struct script *script = reader->script;

	if (script->count == reader->capacity) {
		reader->capacity = reader->capacity ? 2 * reader->capacity : 64;
		script->lines = xrealloc(script->lines, reader->capacity * sizeof(struct line));
	}
	script->lines[script->count++] = (struct line){ .number = reader->number,
							.word = arena_strdup(&script->arena, word),
							.citizen = citizen,
							.text = arena_strdup(&script->arena,
									     text) };
}

/* "-- citizens Siti, Budi" */
static bool take_names(struct reader *reader, const char *text)
{
	char *list = arena_strdup(&reader->script->arena, text), *rest = list, *name;
	unsigned known;

	while ((name = strsep(&rest, ","))) {
		size_t len;

		name += strspn(name, " ");
		for (len = strlen(name); len > 0 && name[len - 1] == ' '; len--)
			name[len - 1] = '\0';
		if (len == 0 || len > NAME_MAX_BYTES || strchr(name, ':') ||
		    (name[0] >= 'a' && name[0] <= 'z') || (name[0] >= '0' && name[0] <= '9') ||
		    find_citizen(reader, name, &known))
			return wrong(reader,
				     "a citizen's name begins with a capital letter, has no colon "
				     "and is given once: -- citizens Siti, Budi");
		if (reader->name_count == WORLD_PEOPLE)
			return wrong(reader, "more than %d citizens", WORLD_PEOPLE);
		reader->names[reader->name_count++] = name;
	}
	return true;
}

/* "Siti by SMS", "the call of Siti drops": the citizen is taken out of the text. */
static bool take_direction(struct reader *reader, char *text)
{
	static const char call_of[] = "the call of ", drops[] = " drops";
	unsigned citizen = reader->current;
	char *by = strstr(text, " by "), *end = strstr(text, drops);
	const char *name = text;

	if (strncmp(text, "citizens ", 9) == 0)
		return take_names(reader, text + 9);
	if (strncmp(text, call_of, sizeof(call_of) - 1) == 0 && end) {
		*end = '\0';
		name = text + sizeof(call_of) - 1;
		text = "the call drops";
	} else if (by && strncmp(text, "record", 6) != 0) {
		*by = '\0';
		text = by + 1;
	} else {
		add_line(reader, "--", citizen, text);
		return true;
	}
	name += strncmp(name, "citizen ", 8) == 0 ? 8 : 0;
	if (!find_citizen(reader, name, &citizen))
		return wrong(reader, "'%s' is no citizen; name them before: -- citizens Siti, Budi",
			     name);
	if (reader->name_count > 0)
		reader->current = citizen;
	add_line(reader, "--", citizen, text);
	return true;
}

/* "citizen 2: text", "Siti: text", "-- restart" */
static bool take_line(struct reader *reader, char *text)
{
	char *colon = strchr(text, ':');
	unsigned citizen = reader->current;
	char head[HEAD_MAX];

	if (strncmp(text, "--", 2) == 0)
		return take_direction(reader, text + 2 + strspn(text + 2, " "));
	if (!colon || colon - text >= HEAD_MAX)
		return wrong(reader, "a line is \"word: text\", or \"-- what happens\"");
	memcpy(head, text, (size_t)(colon - text));
	head[colon - text] = '\0';
	if (head[0] >= 'A' && find_citizen(reader, head, &citizen))
		strcpy(head, "citizen");
	else if (!take_citizen(reader, head, &citizen) && strcmp(head, "citizen") == 0)
		citizen = 0;
	if (reader->name_count > 0 && is_deed(head))
		reader->current = citizen;
	add_line(reader, head, citizen, colon + 1 + strspn(colon + 1, " \t"));
	return true;
}

static bool flush(struct reader *reader)
{
	bool fine = reader->text.len == 0 || take_line(reader, reader->text.data);

	buf_reset(&reader->text);
	return fine;
}

static bool read_lines(struct reader *reader, FILE *file)
{
	char *text = NULL;
	size_t size = 0;
	bool fine = true;
	int number = 0;

	while (fine && getline(&text, &size, file) >= 0) {
		size_t blanks = strspn(text, " \t");

		number++;
		text[strcspn(text, "\r\n")] = '\0';
		if (text[0] == '#')
			continue;
		if (reader->text.len > 0 && blanks > 0) {
			buf_addf(&reader->text, "\n%s", text + blanks);
			continue;
		}
		fine = flush(reader);
		reader->number = number;
		if (text[blanks] != '\0')
			buf_addstr(&reader->text, text);
	}
	free(text);
	return fine && flush(reader);
}

void script_read(const char *path, struct script *out)
{
	struct reader reader = { .script = out };
	FILE *file = fopen(path, "r");

	*out = (struct script){ .path = path };
	if (!file) {
		wrong(&reader, "%s", strerror(errno));
		return;
	}
	read_lines(&reader, file);
	fclose(file);
	buf_free(&reader.text);
}

void script_free(struct script *script)
{
	free(script->lines);
	free(script->error);
	arena_free(&script->arena);
}
