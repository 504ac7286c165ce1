/* rows.h - reads rows of comma-separated values.
 *
 * Source: RFC 4180, and UTF-8 with or without a byte order mark.  Rows end with CRLF, LF or CR, and so does a line within
 * quotes, which is given as LF; an empty line is no row.
 * Shape: the first row names the columns; every other has as many fields.  A quote stands at a field's beginning or is
 * doubled within quotes.  At most ROWS_COLUMNS_MAX columns; a field has at most ROWS_FIELD_MAX bytes, and no NUL.
 */
#pragma once
#include "base.h"

enum { ROWS_COLUMNS_MAX = 64, ROWS_FIELD_MAX = 16 << 10 };

struct rows {
	struct bytes text; /* borrowed */
	size_t at;         /* the next row */
	unsigned line;     /* where it begins, from 1 */
	/* Of the row that was read last: */
	struct bytes fields[ROWS_COLUMNS_MAX]; /* in the text, or unquoted in the buffer */
	unsigned count;
	size_t row_at;     /* where it began, for rows_at */
	unsigned row_line; /* and its line */
	struct buf buf;    /* owned */
	unsigned columns;  /* of the first row; 0: it is the next */
	/* Where it is wrong: */
	unsigned error_line, error_column; /* bytes from the line's beginning, from 1 */
	char error[160];                   /* what is wrong, for people */
};

void rows_init(struct rows *rows, struct bytes text);
/* 1: a row was read; 0: there is none left; -EINVAL: it is wrong, and rows->error says what. */
int rows_next(struct rows *rows) MUST_CHECK;
/* Reads one row of a text that was read before: `at` is a row_at of it.  false: there is none. */
bool rows_at(struct rows *rows, size_t at) MUST_CHECK;
void rows_free(struct rows *rows); /* what it owns */
