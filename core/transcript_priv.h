/* transcript_priv.h - what the transcript's files share: the lines of a file, texts with holes, one file's play. */
#pragma once
#include <stdarg.h>

#include "base.h"

/* One thing that happens in a transcript. */
struct line {
	int number; /* in the file */
	const char
		*word; /* "citizen", "gateway", ...; "--": a stage direction, the text says which */
	unsigned citizen; /* whose, from 0 */
	const char *text;
};

struct script {
	const char *path; /* borrowed */
	struct line *lines;
	unsigned count;
	struct arena arena; /* owns all texts */
	char *error;        /* owned; with path and line; NULL: it could be read */
};

/* Reads a file.  Check error; script_free in any case. */
void script_read(const char *path, struct script *out);
void script_free(struct script *script);
/* Replaces *text, which is the caller's, by "path:number: ...". */
void script_fault(char **text, const char *path, int number, const char *fmt, va_list args);

/* What {name} stands for in one play. */
struct holes {
	struct arena arena; /* owns the names and texts */
	struct hole {
		const char *name, *text;
	} * rows;
	unsigned count;
};
void holes_free(struct holes *holes);
/* A text that is sent: {name} is what it stood for.  Ownership: in the arena. */
const char *holes_fill(struct holes *holes, const char *text);
/* Whether what was said is what is expected: a {name} that is new takes as little as fits, a known one is what it was.
 * wanted_at, said_at: where not, how far both went along with each other. */
bool holes_fit(struct holes *holes, const char *wanted, const char *said, size_t *wanted_at,
	       size_t *said_at) MUST_CHECK;
/* Both texts side by side, with a mark at the first difference. */
void texts_beside(struct buf *out, const char *wanted, const char *said, size_t wanted_at,
		  size_t said_at);

struct play_options {
	bool restart_everywhere; /* between every two lines */
};
/* Plays a file.  false: *failure says why and where; it is the caller's. */
bool transcript_play(const char *path, const struct play_options *options,
		     char **failure) MUST_CHECK;

/* Where the plugins of a file lie: around it (plugins/x/y.dialog, plugins/x/x.lua), else as set.  The caller's. */
char *transcript_plugins(const char *path, const char *otherwise) MUST_CHECK;
