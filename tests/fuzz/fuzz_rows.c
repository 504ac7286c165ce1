/* fuzz_rows.c - any bytes as comma-separated values, and what was read as the table of a search.
 *
 * Input: the table; its last field of each row is also searched for.
 */
#include <stdlib.h>
#include <string.h>

#include "rows.h"
#include "search.h"
#include "utf8.h"

enum { ROWS = 50, INPUT_MAX = 20000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void check_row(const struct rows *rows)
{
	require(rows->count >= 1 && rows->count <= ROWS_COLUMNS_MAX &&
		rows->count == rows->columns);
	for (unsigned i = 0; i < rows->count; i++) {
		require(rows->fields[i].len <= ROWS_FIELD_MAX);
		require(utf8_valid(rows->fields[i].data, rows->fields[i].len));
	}
}

static void check_search(const struct bytes *texts, uint32_t count)
{
	struct search *search = search_new();
	struct search_room *room = search_room_new();
	struct search_found found[SEARCH_FOUND_MAX];

	for (uint32_t i = 0; i < count; i++)
		search_add(search, texts[i]);
	search_end(search);
	for (uint32_t i = 0; i < count; i++) {
		unsigned n = search_find(search, room, texts[i], found, SEARCH_FOUND_MAX);

		require(n <= SEARCH_FOUND_MAX);
		for (unsigned f = 0; f < n; f++) {
			require(found[f].row < count);
			require(found[f].score >= 1 && found[f].score <= 100);
			require(f == 0 || found[f].score <= found[f - 1].score);
		}
	}
	require(search_memory(search) > 0);
	search_room_free(room);
	search_free(search);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = { 0 };
	struct bytes texts[ROWS];
	uint32_t count = 0;
	struct rows rows;
	size_t at = 0;
	int rc;

	if (size > INPUT_MAX)
		return 0;
	rows_init(&rows, (struct bytes){ (const char *)data, size });
	while ((rc = rows_next(&rows)) == 1) {
		struct bytes last = rows.fields[rows.count - 1];

		check_row(&rows);
		at = rows.row_at;
		if (count < ROWS)
			texts[count++] = arena_bytes(&arena, last.data, last.len);
	}
	if (rc < 0)
		require(rows.error_line >= 1 && rows.error_column >= 1 && rows.error[0]);
	else if (count > 0)
		require(rows_at(&rows, at));
	check_search(texts, count);
	rows_free(&rows);
	arena_free(&arena);
	return 0;
}
