/* plugin_data.h - a plugin's table of data: rows of a CSV file, found by key and by words.
 *
 * What the manifest says of it and the file's bytes are part of the bundle; the index over them is made once for a bundle,
 * belongs to it and goes with it, and every worker reads the same one.
 * Memory: 12 bytes a row and search.h's index, beside the file itself.
 */
#pragma once
#include "base.h"
#include "rows.h"
#include "search.h"

enum {
	DATA_BYTES_MAX = 8 << 20, /* of a file */
	DATA_ROWS_MAX = 200000,
	DATA_SEARCH_MAX = 8, /* columns that are searched */
	DATA_VERSION_SIZE = 13,
};

struct data_index;

struct data_table {
	const char *name;
	const char *file;    /* in the plugin's folder */
	const char *key;     /* a column; "": it has none */
	const char **search; /* columns; none: it can't be searched */
	unsigned search_count;
	struct bytes content;     /* of the file */
	struct data_index *index; /* the bundle's; NULL: not made yet */
};

/* NULL: error names file, line, column and what is wrong.  folder: of the file, for people.  The content is borrowed. */
struct data_index *data_index_new(const struct data_table *table, const char *folder, char *error,
				  size_t error_size) MUST_CHECK;
void data_index_free(struct data_index *index); /* NULL is fine */

const char *data_version(const struct data_index *index); /* a hash of the file, 12 digits */
/* The columns' names, in their order. */
unsigned data_columns(const struct data_index *index, const struct bytes **out);
/* false: there is no such row, or the table has no key. */
bool data_get(const struct data_index *index, struct rows *rows, struct bytes key) MUST_CHECK;
/* Makes rows ready for data_get and data_row; free it with rows_free. */
void data_open(const struct data_index *index, struct rows *rows);
/* Reads a row that a search found: rows->fields are its columns. */
void data_row(const struct data_index *index, struct rows *rows, uint32_t row);
const struct search *data_search(const struct data_index *index);
