/* rows.c - reads rows of comma-separated values.
 *
 * A field without quotes stays where it is in the text; one with doubled quotes is unfolded into a buffer that the next row uses
 * again.  What is wrong is told with line and column, as an editor counts them.
 */
#include "rows.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "utf8.h"

void rows_init(struct rows *rows, struct bytes text)
{
	bool marked = text.len >= 3 && memcmp(text.data, "\xEF\xBB\xBF", 3) == 0;

	*rows = (struct rows){ .text = text, .at = marked ? 3 : 0, .line = 1 };
}

void rows_free(struct rows *rows)
{
	buf_free(&rows->buf);
}

static int refuse(struct rows *rows, size_t at, const char *fmt, ...) PRINTF_LIKE(3, 4);
static int refuse(struct rows *rows, size_t at, const char *fmt, ...)
{
	size_t begin = at;
	va_list args;

	rows->error_line = 1;
	for (size_t i = 0; i < at; i++)
		if (rows->text.data[i] == '\n' ||
		    (rows->text.data[i] == '\r' &&
		     (i + 1 == rows->text.len || rows->text.data[i + 1] != '\n')))
			rows->error_line++;
	while (begin > 0 && rows->text.data[begin - 1] != '\n' &&
	       rows->text.data[begin - 1] != '\r')
		begin--;
	rows->error_column = (unsigned)(at - begin) + 1;
	va_start(args, fmt);
	vsnprintf(rows->error, sizeof(rows->error), fmt, args);
	va_end(args);
	rows->at = rows->text.len;
	return -EINVAL;
}

static char char_at(const struct rows *rows, size_t at)
{
	return at < rows->text.len ? rows->text.data[at] : '\0';
}

/* Behind the end of a line at `at`, or `at` where there is none. */
static size_t behind_line(const struct rows *rows, size_t at)
{
	if (char_at(rows, at) == '\r')
		return at + (char_at(rows, at + 1) == '\n' ? 2 : 1);
	return at + (char_at(rows, at) == '\n' ? 1 : 0);
}

/* What lies within quotes: the end of a line is one LF, however the file has it. */
static void add_content(struct rows *rows, const char *text, size_t len)
{
	while (len > 0) {
		const char *end = memchr(text, '\r', len);
		size_t run = end ? (size_t)(end - text) : len;

		buf_add(&rows->buf, text, run);
		text += run;
		len -= run;
		if (!end)
			return;
		buf_add(&rows->buf, "\n", 1);
		run = len > 1 && text[1] == '\n' ? 2 : 1;
		text += run;
		len -= run;
	}
}

/* A quoted field from its quote on: its content goes behind the buffer, which may still move.  *at moves behind the
 * closing quote. */
static int take_quoted(struct rows *rows, size_t *at, size_t *start)
{
	size_t begin = *at, i = begin + 1;
	const char *text = rows->text.data;

	*start = rows->buf.len;
	for (;; i++) {
		const char *quote = i < rows->text.len ? memchr(text + i, '"', rows->text.len - i)
						       : NULL;

		if (!quote)
			return refuse(rows, begin, "this quote is never closed");
		add_content(rows, text + i, (size_t)(quote - text) - i);
		i = (size_t)(quote - text) + 1;
		if (char_at(rows, i) != '"')
			break;
		buf_add(&rows->buf, "\"", 1);
	}
	*at = i;
	if (i < rows->text.len && !strchr(",\r\n", text[i]))
		return refuse(rows, i, "a comma or the line's end must follow the closing quote");
	return 0;
}

static int take_plain(struct rows *rows, size_t *at, struct bytes *out)
{
	size_t begin = *at, i = begin;
	const char *text = rows->text.data;

	while (i < rows->text.len && text[i] != ',' && text[i] != '\r' && text[i] != '\n') {
		if (text[i] == '"')
			return refuse(rows, i,
				      "a quote within a field: put the whole field into quotes and "
				      "double those within");
		i++;
	}
	*out = (struct bytes){ text + begin, i - begin };
	*at = i;
	return 0;
}

static int check_field(struct rows *rows, size_t at, struct bytes field)
{
	if (field.len > ROWS_FIELD_MAX)
		return refuse(rows, at, "the field has %zu bytes; at most %d are allowed",
			      field.len, ROWS_FIELD_MAX);
	if (!utf8_valid(field.data, field.len))
		return refuse(rows, at, "the field is not valid UTF-8");
	if (memchr(field.data, '\0', field.len))
		return refuse(rows, at, "the field has a NUL in it");
	return 0;
}

static int check_count(struct rows *rows)
{
	if (rows->columns == 0)
		rows->columns = rows->count;
	else if (rows->count != rows->columns)
		return refuse(rows, rows->row_at, "the row has %u field%s, the first row has %u",
			      rows->count, rows->count == 1 ? "" : "s", rows->columns);
	return 0;
}

static int take_row(struct rows *rows, size_t at)
{
	size_t begins[ROWS_COLUMNS_MAX], starts[ROWS_COLUMNS_MAX] = { 0 };
	bool quoted[ROWS_COLUMNS_MAX];
	int rc;

	rows->row_at = at;
	rows->count = 0;
	buf_reset(&rows->buf);
	for (;; at++) {
		if (rows->count == ROWS_COLUMNS_MAX)
			return refuse(rows, at, "a row has at most %d fields", ROWS_COLUMNS_MAX);
		begins[rows->count] = at;
		quoted[rows->count] = char_at(rows, at) == '"';
		rc = quoted[rows->count] ? take_quoted(rows, &at, &starts[rows->count])
					 : take_plain(rows, &at, &rows->fields[rows->count]);
		if (rc < 0)
			return rc;
		if (quoted[rows->count])
			rows->fields[rows->count].len = rows->buf.len - starts[rows->count];
		rows->count++;
		if (char_at(rows, at) != ',')
			break;
	}
	buf_add(&rows->buf, "", 0);
	for (unsigned i = 0; i < rows->count; i++) {
		if (quoted[i])
			rows->fields[i].data = rows->buf.data + starts[i];
		rc = check_field(rows, begins[i], rows->fields[i]);
		if (rc < 0)
			return rc;
	}
	rows->at = behind_line(rows, at);
	return 1;
}

int rows_next(struct rows *rows)
{
	size_t begin;
	int rc;

	while (rows->at < rows->text.len && behind_line(rows, rows->at) > rows->at) {
		rows->at = behind_line(rows, rows->at);
		rows->line++;
	}
	if (rows->at >= rows->text.len)
		return 0;
	rows->row_line = rows->line;
	begin = rows->at;
	rc = take_row(rows, begin);
	if (rc == 1)
		rc = check_count(rows);
	if (rc < 0)
		return rc;
	for (size_t i = begin; i < rows->at; i++)
		rows->line += rows->text.data[i] == '\n' ||
			      (rows->text.data[i] == '\r' && char_at(rows, i + 1) != '\n');
	return 1;
}

bool rows_at(struct rows *rows, size_t at)
{
	return at < rows->text.len && take_row(rows, at) == 1;
}
