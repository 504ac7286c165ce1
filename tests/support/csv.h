/* csv.h - reads a table of test data: RFC 4180, a header row, values that may hold quotes and line
 * breaks. */
#pragma once
#include "base.h"

struct csv;

/* The folder of test vectors, from KENTONGAN_SOURCE (as `make check` sets it) or the current
 * folder. */
const char *csv_path(const char *name); /* lent until the next call */

struct csv *csv_open(const char *path) MUST_CHECK; /* NULL: it can't be read */
bool csv_next(struct csv *csv);                    /* false: no further row */
const char *csv_column(const struct csv *csv,
		       const char *name); /* of this row; "" where there is none; lent */
unsigned csv_row(const struct csv *csv);  /* from 1: the first behind the header is 2 */
void csv_close(struct csv *csv);          /* NULL is fine */
