/* transcript_record.c - a talk as a transcript.
 *
 * Some of what is said is another each time: codes, chance.  Which words those are nobody has to say: the talk is done a few
 * times more, and what differs is what varies.
 */
#include "transcript_record.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "transcript_priv.h"
#include "world.h"

enum {
	QUOTED_LEAST = 4, /* characters of a code that a citizen can be taken to quote */
	TIMES = 6, /* it is done again: a small number by chance may come out the same now and then */
};

struct row {
	enum deed deed;
	bool said; /* by the gateway; else a deed */
	unsigned citizen;
	const char *text;
	const char *again[TIMES]; /* what was said the other times */
};

/* A word that came out otherwise. */
struct variable {
	struct bytes words[TIMES + 1]; /* in the talk, and each other time */
	unsigned number;
};

/* A word that a code stands for this time. */
struct stand_in {
	struct bytes first, now;
};

struct recording {
	struct arena arena;
	struct row *rows; /* owned, as the next */
	unsigned count;
	struct variable *variables;
	unsigned variable_count;
	struct stand_in *stand_ins; /* of the time that is under way */
	unsigned stand_in_count;
};

struct recording *recording_new(void)
{
	return xcalloc(1, sizeof(struct recording));
}

void recording_free(struct recording *recording)
{
	if (!recording)
		return;
	free(recording->rows);
	free(recording->variables);
	free(recording->stand_ins);
	arena_free(&recording->arena);
	free(recording);
}

static struct row *add_row(struct recording *recording)
{
	recording->rows = xrealloc(recording->rows,
				   (recording->count + 1) * sizeof(*recording->rows));
	return &recording->rows[recording->count++];
}

void recording_deed(struct recording *recording, enum deed deed, unsigned citizen, const char *text)
{
	*add_row(recording) = (struct row){ .deed = deed,
					    .citizen = citizen,
					    .text = arena_strdup(&recording->arena, text) };
}

void recording_said(struct recording *recording, unsigned citizen, const char *text)
{
	*add_row(recording) = (struct row){ .said = true,
					    .citizen = citizen,
					    .text = arena_strdup(&recording->arena, text) };
}

bool deed_do(struct world *world, enum deed deed, unsigned citizen, const char *text)
{
	const char *rest;
	int64_t seconds;

	switch (deed) {
	case DEED_SMS:
		return world_sms(world, citizen, text);
	case DEED_DIAL:
		return world_dial(world, citizen, text);
	case DEED_KEY:
		return world_key(world, citizen, text);
	case DEED_BY_SMS:
		return true;
	case DEED_DROP:
		return world_hang_up(world, citizen);
	case DEED_WAIT:
		if (world_span(text, &seconds, &rest))
			world_wait(seconds);
		return true;
	case DEED_RESTART:
		return world_restart(world);
	}
	return false;
}

/* ---- what varies ---- */

/* The word or the run of other characters that begins at *at. */
static struct bytes take_piece(struct bytes text, size_t *at)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	size_t from = *at;
	bool word = strchr(letters, text.data[from]) || (text.data[from] & 0x80);

	do {
		++*at;
	} while (*at < text.len &&
		 (strchr(letters, text.data[*at]) || (text.data[*at] & 0x80)) == word);
	return (struct bytes){ text.data + from, *at - from };
}

static bool same(struct bytes a, struct bytes b)
{
	return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

static unsigned variable_number(struct recording *recording, const struct bytes *words)
{
	struct variable *variable;

	for (unsigned i = 0; i < recording->variable_count; i++) {
		unsigned t = 0;

		while (t <= TIMES && same(recording->variables[i].words[t], words[t]))
			t++;
		if (t > TIMES)
			return recording->variables[i].number;
	}
	recording->variables = xrealloc(recording->variables, (recording->variable_count +
							       1) * sizeof(*recording->variables));
	variable = &recording->variables[recording->variable_count++];
	memcpy(variable->words, words, sizeof(variable->words));
	variable->number = recording->variable_count;
	return variable->number;
}

static void add_hole(struct buf *out, unsigned number)
{
	if (number == 1)
		buf_addstr(out, "{code}");
	else
		buf_addf(out, "{code%u}", number);
}

/* The pieces at the same place of the talk's text and of each other time's.  false: a text is at its end. */
static bool take_pieces(const struct row *row, size_t at[static TIMES + 1],
			struct bytes words[static TIMES + 1])
{
	for (unsigned t = 0; t <= TIMES; t++) {
		const char *text = t == 0 ? row->text : row->again[t - 1];
		struct bytes all = { text, strlen(text) };

		if (at[t] >= all.len)
			return false;
		words[t] = take_piece(all, &at[t]);
	}
	return true;
}

/* The text with holes for what varies; where more than words does, a hole alone. */
static const char *blend(struct recording *recording, const struct row *row)
{
	struct bytes words[TIMES + 1];
	size_t at[TIMES + 1] = { 0 };
	struct buf out = { 0 };
	const char *blended;
	bool whole = true;

	while (take_pieces(row, at, words)) {
		unsigned t = 1;

		while (t <= TIMES && same(words[0], words[t]))
			t++;
		if (t > TIMES)
			buf_add(&out, words[0].data, words[0].len);
		else
			add_hole(&out, variable_number(recording, words));
	}
	for (unsigned t = 0; t <= TIMES; t++)
		whole &= at[t] == strlen(t == 0 ? row->text : row->again[t - 1]);
	blended = arena_strdup(&recording->arena, whole && out.data ? out.data : "{}");
	buf_free(&out);
	return blended;
}

/* What she wrote, with the codes that she quotes as holes. */
static const char *quote(struct recording *recording, const char *text)
{
	struct bytes all = { text, strlen(text) };
	struct buf out = { 0 };
	size_t at = 0;

	buf_addstr(&out, "");
	while (at < all.len) {
		struct bytes piece = take_piece(all, &at);
		unsigned i = 0;

		while (i < recording->variable_count &&
		       !same(recording->variables[i].words[0], piece))
			i++;
		if (i < recording->variable_count && piece.len >= QUOTED_LEAST)
			add_hole(&out, recording->variables[i].number);
		else
			buf_add(&out, piece.data, piece.len);
	}
	text = arena_strdup(&recording->arena, out.data);
	buf_free(&out);
	return text;
}

/* ---- the other times ---- */

/* Notes which words stand in for those of the talk. */
static void note_stand_ins(struct recording *recording, const char *first, const char *now)
{
	struct bytes a = { first, strlen(first) }, b = { now, strlen(now) };
	size_t at_a = 0, at_b = 0;

	while (at_a < a.len && at_b < b.len) {
		struct bytes one = take_piece(a, &at_a), other = take_piece(b, &at_b);

		if (one.len < QUOTED_LEAST || same(one, other))
			continue;
		recording->stand_ins = xrealloc(recording->stand_ins,
						(recording->stand_in_count + 1) *
							sizeof(*recording->stand_ins));
		recording->stand_ins[recording->stand_in_count++] = (struct stand_in){ one, other };
	}
}

/* What she writes this time. */
static const char *send_text(struct recording *recording, const char *text)
{
	struct bytes all = { text, strlen(text) };
	struct buf out = { 0 };
	size_t at = 0;

	buf_addstr(&out, "");
	while (at < all.len) {
		struct bytes piece = take_piece(all, &at);

		for (unsigned i = 0; i < recording->stand_in_count; i++)
			if (same(recording->stand_ins[i].first, piece)) {
				piece = recording->stand_ins[i].now;
				break;
			}
		buf_add(&out, piece.data, piece.len);
	}
	text = arena_strdup(&recording->arena, out.data);
	buf_free(&out);
	return text;
}

static bool hear_again(struct recording *recording, struct world *world, struct row *row,
		       unsigned time)
{
	char *said = world_seen(world, row->citizen);

	if (!said)
		said = world_heard(world, row->citizen);
	if (!said)
		return false;
	row->again[time] = arena_strdup(&recording->arena, said);
	note_stand_ins(recording, row->text, row->again[time]);
	free(said);
	return true;
}

static bool repeat(struct recording *recording, struct world *world, unsigned time)
{
	recording->stand_in_count = 0;
	for (unsigned i = 0; i < recording->count; i++) {
		struct row *row = &recording->rows[i];
		bool fine = row->said ? hear_again(recording, world, row, time)
				      : deed_do(world, row->deed, row->citizen,
						send_text(recording, row->text));

		if (!fine)
			return false;
	}
	return true;
}

static bool repeat_once(struct recording *recording, const char *folder, const char *own,
			unsigned time)
{
	struct world *world = world_new(folder, own, false);
	bool fine = world_settings(world) && world_load(world, folder) && world_open(world) &&
		    repeat(recording, world, time);

	world_free(world);
	return fine;
}

/* false: the talk went another way, so what was said stays as it was. */
static bool find_what_varies(struct recording *recording, const char *folder, const char *own)
{
	for (unsigned time = 0; time < TIMES; time++)
		if (!repeat_once(recording, folder, own, time))
			return false;
	for (unsigned i = 0; i < recording->count; i++) {
		struct row *row = &recording->rows[i];

		row->text = row->said ? blend(recording, row) : quote(recording, row->text);
	}
	return true;
}

/* ---- the file ---- */

/* Lines behind the first are indented; blanks that a text begins with would be taken for that. */
static void write_text(FILE *file, const char *text)
{
	for (const char *at = text; *at; at++) {
		bool first = at == text || at[-1] == '\n';

		if (first && at > text)
			fputs("  ", file);
		if (first && *at == ' ') {
			fputs("{}", file);
			at += strspn(at, " ") - 1;
		} else {
			putc(*at, file);
		}
	}
	putc('\n', file);
}

static void write_who(FILE *file, const char *word, unsigned citizen)
{
	if (citizen > 0)
		fprintf(file, "%s %u", word, citizen + 1);
	else
		fputs(word, file);
}

static void write_row(FILE *file, const struct row *row)
{
	if (row->said) {
		write_who(file, "gateway", row->citizen);
		fputs(": ", file);
		write_text(file, row->text);
		return;
	}
	switch (row->deed) {
	case DEED_SMS:
	case DEED_KEY:
		write_who(file, "citizen", row->citizen);
		fprintf(file, ": %s\n", row->text);
		break;
	case DEED_DIAL:
	case DEED_BY_SMS:
		fputs("-- ", file);
		if (row->citizen > 0)
			fprintf(file, "citizen %u ", row->citizen + 1);
		fprintf(file, row->deed == DEED_DIAL ? "by USSD %s\n" : "by SMS\n", row->text);
		break;
	case DEED_DROP:
		fputs("-- the call ", file);
		if (row->citizen > 0)
			fprintf(file, "of citizen %u ", row->citizen + 1);
		fputs("drops\n", file);
		break;
	case DEED_WAIT:
		fprintf(file, "-- %s %s\n", row->text,
			strncmp(row->text, "1 ", 2) == 0 ? "passes" : "pass");
		break;
	case DEED_RESTART:
		fputs("-- restart\n", file);
		break;
	}
}

/* From a folder to another, both whole: "../../plugins". */
static void relative(const char *from, const char *to, struct buf *out)
{
	size_t at = 0, fork = 0;

	while (from[at] && from[at] == to[at]) {
		at++;
		if ((from[at] == '/' || !from[at]) && (to[at] == '/' || !to[at]))
			fork = at;
	}
	for (const char *rest = from + fork; (rest = strchr(rest, '/')); rest++)
		buf_addstr(out, "../");
	to += fork;
	to += *to == '/';
	buf_addstr(out, *to ? to : ".");
}

/* Where the file doesn't lie beside the plugin it says where the plugins are. */
static void write_plugins(FILE *file, const char *path, const char *folder)
{
	char *around = transcript_plugins(path, ""), *whole, *here,
	     *plugins = realpath(folder, NULL);
	struct buf text = { 0 };

	whole = around[0] ? realpath(around, NULL) : NULL;
	here = realpath(path, NULL);
	if (here)
		*strrchr(here, '/') = '\0';
	if (plugins && here && (!whole || strcmp(whole, plugins) != 0)) {
		relative(here, plugins, &text);
		fprintf(file, "plugins: %s\n", text.data);
	}
	buf_free(&text);
	free(here);
	free(plugins);
	free(whole);
	free(around);
}

bool recording_save(struct recording *recording, const char *path, const char *folder,
		    const char *own, char **why)
{
	struct play_options options = { 0 };
	bool repeated = find_what_varies(recording, folder, own);
	FILE *file = fopen(path, "w");

	*why = NULL;
	if (!file) {
		if (asprintf(why, "%s: %s", path, strerror(errno)) < 0)
			abort();
		return false;
	}
	write_plugins(file, path, folder);
	for (unsigned i = 0; i < recording->count; i++)
		write_row(file, &recording->rows[i]);
	if (fclose(file) != 0 && asprintf(why, "%s: %s", path, strerror(errno)) < 0)
		abort();
	if (*why || transcript_play(path, &options, why))
		return !*why;
	if (!repeated && !*why)
		*why = xstrdup("done once more the talk goes another way");
	return false;
}
