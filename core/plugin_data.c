/* plugin_data.c - a plugin's table of data.
 *
 * The file stays as it is, and a row is read from it when it is asked for: what is kept of a row is where it begins.  All of
 * the file is read once when the index is made, so that a wrong row is found by who loads the plugin, never by a citizen.
 */
#include "plugin_data.h"

#include <openssl/sha.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct data_index {
	struct bytes content; /* borrowed */
	uint32_t *row_at;     /* in the content */
	uint32_t row_count;
	uint32_t *keys; /* open addressing; row + 1, 0 is free */
	uint32_t key_size;
	int key_column; /* -1: none */
	struct bytes columns[ROWS_COLUMNS_MAX];
	unsigned column_count;
	struct arena arena; /* the columns' names */
	struct search *search;
	char version[DATA_VERSION_SIZE];
};

/* What is being made, and where what is wrong is told. */
struct maker {
	struct data_index *index;
	const struct data_table *table;
	const char *folder;
	struct rows rows;
	int search[DATA_SEARCH_MAX];
	struct buf text; /* that a row is searched by */
	char *error;
	size_t error_size;
};

static bool refuse(struct maker *maker, unsigned line, const char *fmt, ...) PRINTF_LIKE(3, 4);
static bool refuse(struct maker *maker, unsigned line, const char *fmt, ...)
{
	int len = snprintf(maker->error, maker->error_size, "%s/%s:%u: ", maker->folder,
			   maker->table->file, line);
	va_list args;

	if (len < 0 || (size_t)len >= maker->error_size)
		return false;
	va_start(args, fmt);
	vsnprintf(maker->error + len, maker->error_size - (size_t)len, fmt, args);
	va_end(args);
	return false;
}

/* As rows_next, with what is wrong told. */
static int next(struct maker *maker)
{
	struct rows *rows = &maker->rows;
	int rc = rows_next(rows);

	if (rc < 0)
		snprintf(maker->error, maker->error_size, "%s/%s:%u:%u: %s", maker->folder,
			 maker->table->file, rows->error_line, rows->error_column, rows->error);
	return rc;
}

/* ---- columns ---- */

static bool is_text(struct bytes bytes, const char *text)
{
	return bytes.len == strlen(text) && memcmp(bytes.data, text, bytes.len) == 0;
}

/* The column's number; -1: there is none, which is told. */
static int column_of(struct maker *maker, const char *name)
{
	const struct data_index *index = maker->index;
	struct buf names = { 0 };

	for (unsigned i = 0; i < index->column_count; i++)
		if (is_text(index->columns[i], name))
			return (int)i;
	for (unsigned i = 0; i < index->column_count && i < 20; i++)
		buf_addf(&names, "%s%s", i > 0 ? ", " : "", index->columns[i].data);
	refuse(maker, 1, "there is no column '%s'; there are %s", name, names.data);
	buf_free(&names);
	return -1;
}

static bool read_columns(struct maker *maker)
{
	struct data_index *index = maker->index;
	int rc = next(maker);

	if (rc < 0)
		return false;
	if (rc == 0)
		return refuse(maker, 1, "the file is empty; its first row names the columns");
	for (unsigned i = 0; i < maker->rows.count; i++) {
		struct bytes name = maker->rows.fields[i];

		if (name.len == 0)
			return refuse(maker, 1, "column %u has no name", i + 1);
		if (memchr(name.data, '\n', name.len))
			return refuse(maker, 1, "the name of column %u is more than a line", i + 1);
		for (unsigned other = 0; other < i; other++)
			if (is_text(name, index->columns[other].data))
				return refuse(maker, 1, "two columns have the name '%s'",
					      index->columns[other].data);
		index->columns[index->column_count++] = arena_bytes(&index->arena, name.data,
								    name.len);
	}
	index->key_column = -1;
	if (maker->table->key[0] && (index->key_column = column_of(maker, maker->table->key)) < 0)
		return false;
	for (unsigned i = 0; i < maker->table->search_count; i++)
		if ((maker->search[i] = column_of(maker, maker->table->search[i])) < 0)
			return false;
	return true;
}

/* A citizen may be told what a field has, so it has what may be said: no control characters. */
static bool check_fields(struct maker *maker)
{
	for (unsigned i = 0; i < maker->rows.count; i++) {
		struct bytes field = maker->rows.fields[i];

		for (size_t at = 0; at < field.len; at++)
			if (((unsigned char)field.data[at] < 0x20 && field.data[at] != '\n') ||
			    field.data[at] == 0x7F)
				return refuse(maker, maker->rows.row_line,
					      "the column '%s' has a control character",
					      maker->index->columns[i].data);
	}
	return true;
}

/* ---- keys ---- */

static uint32_t hash_key(struct bytes key)
{
	uint32_t hash = UINT32_C(0x811C9DC5);

	for (size_t i = 0; i < key.len; i++)
		hash = (hash ^ (unsigned char)key.data[i]) * UINT32_C(0x01000193);
	return hash ^ hash >> 15;
}

static bool has_key(const struct data_index *index, struct rows *rows, uint32_t row,
		    struct bytes key)
{
	const struct bytes *field = &rows->fields[index->key_column];

	data_row(index, rows, row);
	return field->len == key.len && memcmp(field->data, key.data, key.len) == 0;
}

/* The key's place in the table: of its row, or free. */
static uint32_t place_of(const struct data_index *index, struct rows *rows, struct bytes key)
{
	uint32_t mask = index->key_size - 1, at = hash_key(key) & mask;

	while (index->keys[at] && !has_key(index, rows, index->keys[at] - 1, key))
		at = (at + 1) & mask;
	return at;
}

static bool add_key(struct maker *maker, struct rows *other, uint32_t row)
{
	struct data_index *index = maker->index;
	struct bytes key = maker->rows.fields[index->key_column];
	uint32_t at;

	if (key.len == 0)
		return refuse(maker, maker->rows.row_line, "the key is empty");
	at = place_of(index, other, key);
	if (index->keys[at])
		return refuse(maker, maker->rows.row_line, "the key '%.*s' is there already",
			      key.len < 60 ? (int)key.len : 60, key.data);
	index->keys[at] = row + 1;
	return true;
}

/* All rows are known by their places; each once more for its key and its words. */
static bool read_contents(struct maker *maker)
{
	struct data_index *index = maker->index;
	struct rows other;
	bool fine = true;

	data_open(index, &other);
	rows_init(&maker->rows, index->content);
	fine = next(maker) == 1; /* the names */
	for (uint32_t row = 0; fine && row < index->row_count; row++) {
		fine = next(maker) == 1 && check_fields(maker);
		if (fine && index->key_column >= 0)
			fine = add_key(maker, &other, row);
		if (!fine || !index->search)
			continue;
		buf_reset(&maker->text);
		for (unsigned i = 0; i < maker->table->search_count; i++) {
			struct bytes field = maker->rows.fields[maker->search[i]];

			buf_add(&maker->text, field.data, field.len);
			buf_add(&maker->text, " ", 1);
		}
		search_add(index->search, (struct bytes){ maker->text.data, maker->text.len });
	}
	rows_free(&other);
	return fine;
}

static bool read_places(struct maker *maker)
{
	struct data_index *index = maker->index;
	uint32_t size = 0;
	int rc;

	while ((rc = next(maker)) == 1) {
		if (index->row_count == DATA_ROWS_MAX)
			return refuse(maker, maker->rows.row_line, "a table has at most %d rows",
				      DATA_ROWS_MAX);
		if (index->row_count == size) {
			size = size ? size * 2 : 256;
			index->row_at = xrealloc(index->row_at, size * sizeof(*index->row_at));
		}
		index->row_at[index->row_count++] = (uint32_t)maker->rows.row_at;
	}
	return rc == 0;
}

static bool make(struct maker *maker)
{
	struct data_index *index = maker->index;
	bool fine;

	rows_init(&maker->rows, maker->table->content);
	if (!read_columns(maker) || !read_places(maker))
		return false;
	index->key_size = 16;
	while (index->key_column >= 0 && index->key_size < index->row_count * 2)
		index->key_size *= 2;
	index->keys = xcalloc(index->key_size, sizeof(*index->keys));
	if (maker->table->search_count > 0)
		index->search = search_new();
	rows_free(&maker->rows);
	fine = read_contents(maker);
	if (fine && index->search)
		search_end(index->search);
	return fine;
}

static void set_version(struct data_index *index)
{
	unsigned char hash[SHA256_DIGEST_LENGTH];

	SHA256((const unsigned char *)index->content.data, index->content.len, hash);
	for (unsigned i = 0; i < (DATA_VERSION_SIZE - 1) / 2; i++)
		snprintf(index->version + 2 * i, 3, "%02x", hash[i]);
}

struct data_index *data_index_new(const struct data_table *table, const char *folder, char *error,
				  size_t error_size)
{
	struct data_index *index = xcalloc(1, sizeof(*index));
	struct maker maker = { .index = index,
			       .table = table,
			       .folder = folder,
			       .error = error,
			       .error_size = error_size };
	bool fine;

	index->content = table->content;
	set_version(index);
	fine = make(&maker);
	rows_free(&maker.rows);
	buf_free(&maker.text);
	if (fine)
		return index;
	data_index_free(index);
	return NULL;
}

void data_index_free(struct data_index *index)
{
	if (!index)
		return;
	search_free(index->search);
	free(index->row_at);
	free(index->keys);
	arena_free(&index->arena);
	free(index);
}

/* ---- reading ---- */

const char *data_version(const struct data_index *index)
{
	return index->version;
}

unsigned data_columns(const struct data_index *index, const struct bytes **out)
{
	*out = index->columns;
	return index->column_count;
}

const struct search *data_search(const struct data_index *index)
{
	return index->search;
}

void data_open(const struct data_index *index, struct rows *rows)
{
	rows_init(rows, index->content);
}

void data_row(const struct data_index *index, struct rows *rows, uint32_t row)
{
	if (row >= index->row_count || !rows_at(rows, index->row_at[row]))
		abort(); /* every row was read when the index was made */
}

bool data_get(const struct data_index *index, struct rows *rows, struct bytes key)
{
	uint32_t row;

	if (index->key_column < 0)
		return false;
	row = index->keys[place_of(index, rows, key)];
	if (row > 0)
		data_row(index, rows, row - 1);
	return row > 0;
}
