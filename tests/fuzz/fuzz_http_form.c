/* fuzz_http_form.c - any bytes as a query or form, and as a path.
 *
 * Whatever comes: no name twice, no name with NUL, values within the input's size, and a path without what could be read twice.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http_head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void check_fields(const struct http_fields *fields, size_t size)
{
	unsigned i;

	require(fields->count <= HTTP_ITEMS_MAX);
	for (i = 0; i < fields->count; i++) {
		const struct http_field *field = &fields->items[i];

		require(*field->name && strlen(field->name) + field->value.len <= size);
		require(field->value.data[field->value.len] == '\0');
		require(http_field(fields, field->name, false) == field);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = { 0 };
	struct http_fields fields;
	char *text = arena_memdup(&arena, data, size), *path;

	if (http_parse_form(&arena, text, size, &fields))
		check_fields(&fields, size);
	path = http_path_decode(&arena, text, size);
	if (path)
		require(path[0] == '/' && !strstr(path, "//") && !strstr(path, "/../") &&
			!strpbrk(path, "\\%\r\n"));
	arena_free(&arena);
	return 0;
}
