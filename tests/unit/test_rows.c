/* test_rows.c - comma-separated values are read as RFC 4180 has them, and what is wrong is told with line and column. */
#include "rows.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct bytes text_of(const char *text)
{
	return (struct bytes){ text, strlen(text) };
}

/* Rows ended by '/', fields parted by '|'; what is wrong as "line:column: why". */
static char *read_all(struct bytes text)
{
	struct buf out = { 0 };
	struct rows rows;
	int rc;

	rows_init(&rows, text);
	buf_add(&out, "", 0);
	while ((rc = rows_next(&rows)) == 1) {
		for (unsigned i = 0; i < rows.count; i++) {
			buf_addstr(&out, i > 0 ? "|" : "");
			buf_add(&out, rows.fields[i].data, rows.fields[i].len);
		}
		buf_addstr(&out, "/");
	}
	if (rc < 0) {
		cr_expect_eq(rc, -EINVAL);
		buf_addf(&out, "%u:%u: %s", rows.error_line, rows.error_column, rows.error);
		cr_expect_eq(rows_next(&rows), 0, "nothing comes behind what is wrong");
	}
	rows_free(&rows);
	return out.data;
}

struct row {
	const char *text, *wanted;
};

static void expect_rows(const struct row *table, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char *is = read_all(text_of(table[i].text));

		cr_expect_str_eq(is, table[i].wanted, "of %s", table[i].text);
		free(is);
	}
}

Test(rows, what_is_wrong_is_told_with_line_and_column)
{
	static const struct row table[] = {
		{ "a,b\n1\n", "a|b/2:1: the row has 1 field, the first row has 2" },
		{ "a,b\n1,2,3", "a|b/2:1: the row has 3 fields, the first row has 2" },
		{ "a,b\r\n1,\"2\r\n3", "a|b/2:3: this quote is never closed" },
		{ "a,b\n1,\"2\"3\n",
		  "a|b/2:6: a comma or the line's end must follow the closing quote" },
		{ "a,b\n1,2\"3\n",
		  "a|b/2:4: a quote within a field: put the whole field into quotes and double "
		  "those within" },
		{ "a,b\n\"1\n2\",3\n4\n",
		  "a|b/1\n2|3/4:1: the row has 1 field, the first row has 2" },
		{ "a,b\n1,\xFF\n", "a|b/2:3: the field is not valid UTF-8" },
		{ "a,b\n1,\"\xC3\"\n", "a|b/2:3: the field is not valid UTF-8" },
	};

	expect_rows(table, ARRAY_LEN(table));
}

Test(rows, fields_may_have_quotes_commas_and_line_ends)
{
	static const struct row table[] = {
		{ "", "" },
		{ "\n\r\n", "" },
		{ "a", "a/" },
		{ "a,b\n1,2\n3,4", "a|b/1|2/3|4/" },
		{ "a,b\r\n1,2\r\n", "a|b/1|2/" },
		{ "a,b\r1,2\r", "a|b/1|2/" },
		{ "\xEF\xBB\xBF"
		  "a,b\n1,2\n",
		  "a|b/1|2/" },
		{ "a,b\n,\n", "a|b/|/" },
		{ "a,b\n\n1,2\n\n\n3,4\n\n", "a|b/1|2/3|4/" },
		{ "a,b\n\"\",\"\"\n", "a|b/|/" },
		{ "\"a\",\"b\"\n\"1,2\",\"\"\"3\"\"\"\n", "a|b/1,2|\"3\"/" },
		{ "a,b\n\"1\r\n2\",3\n", "a|b/1\n2|3/" },
		{ "a,b\n\"1\r\r\n\n2\r\",3\r", "a|b/1\n\n\n2\n|3/" },
		{ "a,b\n \"1\n", "a|b/2:2: a quote within a field: put the whole field into "
				 "quotes and double those within" },
		{ "nama,b\nKôta,\xE2\x80\x9Cx\xE2\x80\x9D\n",
		  "nama|b/Kôta|\xE2\x80\x9Cx\xE2\x80\x9D/" },
	};

	expect_rows(table, ARRAY_LEN(table));
}

Test(rows, a_nul_and_what_is_too_much_are_refused)
{
	struct buf text = { 0 };
	char *is = read_all((struct bytes){ "a,b\n1,\0\n", 8 });

	cr_expect_str_eq(is, "a|b/2:3: the field has a NUL in it");
	free(is);
	for (int i = 0; i < ROWS_COLUMNS_MAX; i++)
		buf_addstr(&text, ",");
	is = read_all((struct bytes){ text.data, text.len });
	cr_expect_str_eq(is, "1:65: a row has at most 64 fields");
	free(is);
	buf_reset(&text);
	for (int i = 0; i <= ROWS_FIELD_MAX; i++)
		buf_addstr(&text, "x");
	is = read_all((struct bytes){ text.data, text.len });
	cr_expect_str_eq(is, "1:1: the field has 16385 bytes; at most 16384 are allowed");
	free(is);
	buf_free(&text);
}

Test(rows, a_row_can_be_read_again_from_where_it_began)
{
	struct bytes text = text_of("a,b\n\"1\"\"\",2\n3,4\n");
	size_t at[3];
	struct rows rows;

	rows_init(&rows, text);
	for (int i = 0; i < 3; i++) {
		cr_assert_eq(rows_next(&rows), 1);
		at[i] = rows.row_at;
		cr_expect_eq(rows.row_line, (unsigned)i + 1);
	}
	cr_assert(rows_at(&rows, at[1]));
	cr_expect_eq(rows.count, 2);
	cr_expect_eq(rows.fields[0].len, 2);
	cr_expect_arr_eq(rows.fields[0].data, "1\"", 2);
	cr_expect_not(rows_at(&rows, text.len));
	rows_free(&rows);
}
