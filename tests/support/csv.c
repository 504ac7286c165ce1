/* csv.c - reads a table of test data.
 *
 * The whole file is read and its fields are ended in place, so that a column is a plain string.
 */
#include "csv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIELDS_MAX = 32 };

struct fields {
	char *text[FIELDS_MAX];
	unsigned count;
};
struct csv {
	struct buf content; /* owned; fields point into it */
	char *at;
	struct fields header, row;
	unsigned number;
};

const char *csv_path(const char *name)
{
	static char path[512];
	const char *source = getenv("KENTONGAN_SOURCE");

	snprintf(path, sizeof(path), "%s/tests/vectors%s%s", source ? source : ".",
		 name[0] ? "/" : "", name);
	return path;
}

/* One field, unquoted in place; gives what follows it. */
static char *take_field(char *at, char **field)
{
	char *out = at;

	*field = at;
	if (*at != '"')
		return at + strcspn(at, ",\r\n");
	for (at++; *at; at++) {
		if (*at == '"' && *++at != '"')
			break;
		*out++ = *at;
	}
	*out = '\0'; /* before the closing quote, so what follows is whole */
	return at;
}

static char *take_row(char *at, struct fields *fields)
{
	char *field, end;

	fields->count = 0;
	do {
		at = take_field(at, &field);
		if (fields->count < FIELDS_MAX)
			fields->text[fields->count++] = field;
		end = *at;
		if (end == '\0')
			return at;
		*at++ = '\0';
	} while (end == ',');
	return end == '\r' && *at == '\n' ? at + 1 : at;
}

struct csv *csv_open(const char *path)
{
	FILE *file = fopen(path, "rb");
	struct csv *csv;
	char block[4096];
	size_t got;

	if (!file)
		return NULL;
	csv = xcalloc(1, sizeof(*csv));
	while ((got = fread(block, 1, sizeof(block), file)) > 0)
		buf_add(&csv->content, block, got);
	fclose(file);
	buf_add(&csv->content, "", 0);
	csv->at = take_row(csv->content.data, &csv->header);
	csv->number = 1;
	return csv;
}

bool csv_next(struct csv *csv)
{
	if (!*csv->at)
		return false;
	csv->at = take_row(csv->at, &csv->row);
	csv->number++;
	return true;
}

const char *csv_column(const struct csv *csv, const char *name)
{
	for (unsigned i = 0; i < csv->header.count && i < csv->row.count; i++) {
		if (strcmp(csv->header.text[i], name) == 0)
			return csv->row.text[i];
	}
	return "";
}

unsigned csv_row(const struct csv *csv)
{
	return csv->number;
}

void csv_close(struct csv *csv)
{
	if (csv)
		buf_free(&csv->content);
	free(csv);
}
