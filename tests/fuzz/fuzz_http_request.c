/* fuzz_http_request.c - any bytes as the head of a request.
 *
 * What is accepted has one Host at most, a plain path, headers without control bytes and a length within its limit; and where the
 * bytes are cut while its end is looked for makes no difference.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http_head.h"

enum { BODY_MAX = 65536 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
	if (!ok)
		abort();
}

/* The end as found when the bytes come one by one. */
static ssize_t end_bytewise(const char *text, size_t size)
{
	size_t seen = 0, len;
	ssize_t end;

	for (len = 1; len <= size; len++) {
		end = http_head_end(text, len, &seen);
		if (end != 0)
			return end;
	}
	return 0;
}

static void check_head(const struct http_head *head)
{
	const struct http_fields *headers = &head->request.headers;
	unsigned i, hosts = 0;

	require(head->request.path[0] == '/' && head->request.target[0] == '/' &&
		head->body <= BODY_MAX);
	require(head->body == 0 || head->request.method == HTTP_POST);
	for (i = 0; i < headers->count; i++) {
		const struct http_field *field = &headers->items[i];

		require(*field->name && !strpbrk(field->name, " \t:\r\n"));
		require(strlen(field->value.data) == field->value.len &&
			!strpbrk(field->value.data, "\r\n"));
		hosts += strcasecmp(field->name, "Host") == 0;
		require(strcasecmp(field->name, "Transfer-Encoding") != 0);
	}
	require(hosts == 1 || (hosts == 0 && head->old));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = { 0 };
	char *text = arena_memdup(&arena, data, size);
	struct http_head head;
	size_t seen = 0;
	ssize_t end = http_head_end(text, size, &seen);

	require(size > 4096 || end_bytewise(text, size) == end);
	if (end > 0 && http_head_parse(&arena, text, (size_t)end, BODY_MAX, &head) == 0)
		check_head(&head);
	arena_free(&arena);
	return 0;
}
