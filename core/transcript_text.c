/* transcript_text.c - texts with holes, and two texts side by side. */
#include "transcript_priv.h"

#include <stdlib.h>
#include <string.h>

#include "utf8.h"

/* ---- holes ---- */

static const char *hole_get(const struct holes *holes, const char *name, size_t len)
{
	for (unsigned i = 0; i < holes->count; i++)
		if (strlen(holes->rows[i].name) == len &&
		    strncmp(holes->rows[i].name, name, len) == 0)
			return holes->rows[i].text;
	return NULL;
}

static void hole_put(struct holes *holes, const char *name, size_t len, const char *text,
		     size_t text_len)
{
	holes->rows = xrealloc(holes->rows, (holes->count + 1) * sizeof(*holes->rows));
	holes->rows[holes->count].name = arena_memdup(&holes->arena, name, len);
	holes->rows[holes->count++].text = arena_memdup(&holes->arena, text, text_len);
}

void holes_free(struct holes *holes)
{
	free(holes->rows);
	arena_free(&holes->arena);
}

const char *holes_fill(struct holes *holes, const char *text)
{
	struct buf out = { 0 };
	const char *filled;

	for (const char *at = text; *at; at++) {
		const char *end = *at == '{' ? strchr(at, '}') : NULL;
		const char *known = end ? hole_get(holes, at + 1, (size_t)(end - at - 1)) : NULL;

		if (known) {
			buf_addstr(&out, known);
			at = end;
		} else {
			buf_add(&out, at, 1);
		}
	}
	filled = arena_strdup(&holes->arena, out.data ? out.data : "");
	buf_free(&out);
	return filled;
}

/* One comparison, and how far it came at best. */
struct fit {
	struct holes *holes;
	const char *wanted, *said;
	size_t wanted_at, said_at;
	bool none; /* it has not come anywhere yet */
};

/* A hole may swallow all that was said, so it counts how much of what is expected was met, the sooner the better. */
static bool strayed(struct fit *fit, const char *wanted, const char *said)
{
	size_t wanted_at = (size_t)(wanted - fit->wanted), said_at = (size_t)(said - fit->said);

	if (wanted_at > fit->wanted_at || fit->none) {
		fit->wanted_at = wanted_at;
		fit->said_at = said_at;
		fit->none = false;
	}
	return false;
}

static bool fits(struct fit *fit, const char *wanted, const char *said)
{
	const char *end = NULL, *known;
	size_t len;

	for (; *wanted && (*wanted != '{' || !(end = strchr(wanted, '}'))); wanted++, said++)
		if (*wanted != *said)
			return strayed(fit, wanted, said);
	if (!*wanted)
		return !*said || strayed(fit, wanted, said);
	len = (size_t)(end - wanted - 1);
	known = len > 0 ? hole_get(fit->holes, wanted + 1, len) : NULL;
	if (known)
		return strncmp(said, known, strlen(known)) == 0
			       ? fits(fit, end + 1, said + strlen(known))
			       : strayed(fit, wanted, said);
	for (size_t taken = 0;; taken++) {
		if (fits(fit, end + 1, said + taken)) {
			if (len > 0)
				hole_put(fit->holes, wanted + 1, len, said, taken);
			return true;
		}
		if (!said[taken])
			return false;
	}
}

bool holes_fit(struct holes *holes, const char *wanted, const char *said, size_t *wanted_at,
	       size_t *said_at)
{
	struct fit fit = { .holes = holes, .wanted = wanted, .said = said, .none = true };
	bool fine = fits(&fit, wanted, said);

	*wanted_at = fit.wanted_at;
	*said_at = fit.said_at;
	return fine;
}

/* ---- side by side ---- */

enum { COLUMN = 46 };

/* A text as rows of a column. */
struct column {
	struct bytes text;
	size_t at;    /* where the next row begins */
	size_t mark;  /* where the texts part */
	bool utf8;    /* else a byte is a character */
	bool done;    /* no row is left */
	int marked;   /* the mark's place in the row that was taken last; -1: it is not there */
	size_t width; /* of that row */
};

/* The next row, of at most COLUMN characters; "" where none is left. */
static struct bytes next_row(struct column *column)
{
	size_t from = column->at, at = from;
	bool end;

	column->marked = -1;
	column->width = 0;
	if (column->done)
		return (struct bytes){ "", 0 };
	for (;;) {
		if (at == column->mark)
			column->marked = (int)column->width;
		end = at >= column->text.len || column->text.data[at] == '\n';
		if (end || column->width == COLUMN)
			break;
		if (column->utf8)
			utf8_next(column->text, &at);
		else
			at++;
		column->width++;
	}
	if (!end)
		column->marked = at == column->mark ? -1 : column->marked;
	column->done = at >= column->text.len;
	column->at = end ? at + 1 : at;
	return (struct bytes){ column->text.data + from, at - from };
}

static void add_blanks(struct buf *out, size_t count)
{
	while (count-- > 0)
		buf_add(out, " ", 1);
}

/* A caret in each column whose row has the mark. */
static void add_marks(struct buf *out, const struct column *left, const struct column *right)
{
	size_t width = 2;

	add_blanks(out, width);
	if (left->marked >= 0) {
		add_blanks(out, (size_t)left->marked);
		buf_addstr(out, "^");
		width += (size_t)left->marked + 1;
	}
	if (right->marked >= 0) {
		add_blanks(out, 2 + COLUMN + 3 + (size_t)right->marked - width);
		buf_addstr(out, "^");
	}
	buf_addstr(out, "\n");
}

static struct column column_of(const char *text, size_t mark)
{
	struct column column = { .text = { text, strlen(text) }, .mark = mark };

	column.utf8 = utf8_valid(column.text.data, column.text.len);
	while (column.utf8 && column.mark > 0 && (text[column.mark] & 0xC0) == 0x80)
		column.mark--; /* to where the character begins */
	return column;
}

void texts_beside(struct buf *out, const char *wanted, const char *said, size_t wanted_at,
		  size_t said_at)
{
	struct column left = column_of(wanted, wanted_at), right = column_of(said, said_at);

	buf_addf(out, "  %-*s | said\n", COLUMN, "expected");
	while (!left.done || !right.done) {
		struct bytes a = next_row(&left), b = next_row(&right);
		bool marked = left.marked >= 0 || right.marked >= 0;

		buf_addstr(out, "  ");
		buf_add(out, a.data, a.len);
		add_blanks(out, COLUMN - left.width);
		buf_addstr(out, marked ? " ! " : " | ");
		buf_add(out, b.data, b.len);
		while (out->len > 0 && out->data[out->len - 1] == ' ')
			out->len--;
		buf_addstr(out, "\n");
		if (marked)
			add_marks(out, &left, &right);
	}
}
