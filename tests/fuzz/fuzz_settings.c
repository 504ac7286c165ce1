/* fuzz_settings.c - finds the lines of fields in any text: it runs on files that Lua has not seen yet, too. */
#include <stdlib.h>

#include "settings_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = { 0 };
	struct field_lines lines = settings_scan(&arena,
						 (struct bytes){ (const char *)data, size });
	unsigned i;

	for (i = 0; i < lines.count && i < 100; i++)
		if (settings_line_of(&lines, lines.rows[i].path) < 1)
			abort();
	arena_free(&arena);
	return 0;
}
