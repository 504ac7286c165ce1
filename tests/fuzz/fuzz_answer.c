/* fuzz_answer.c - any text as the answer to any question, with any labels, and any two words for near.
 *
 * Input: a byte for the kind (below 128: optional), a byte for the bounds, then lines: the text, then
 * a label each.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "utf8.h"

enum { LABELS_MAX = 99, KINDS = 4, SIZE_MAX_IN = 12000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

/* Takes the first line off text. */
static struct bytes next_line(struct bytes *text)
{
	const char *end = memchr(text->data, '\n', text->len);
	struct bytes line = { text->data, end ? (size_t)(end - text->data) : text->len };
	size_t used = line.len + (end ? 1 : 0);

	text->data += used;
	text->len -= used;
	return line;
}

static void check_answer(const struct question *question, const struct answer *answer)
{
	if (answer->skipped) {
		require(question->optional);
		return;
	}
	if (question->kind == ANSWER_CHOICE)
		require(answer->option < question->option_count);
	if (question->kind == ANSWER_INTEGER)
		require(answer->integer >= question->min && answer->integer <= question->max);
	if (question->kind == ANSWER_TEXT) {
		int64_t length = (int64_t)utf8_length(answer->text);

		require(utf8_valid(answer->text.data, answer->text.len));
		require(length >= 1 && length >= question->min && length <= question->max);
	}
}

static void check_slips(struct arena *arena, struct bytes a, struct bytes b)
{
	const char *word = arena_memdup(arena, a.data, a.len);
	const char *meant = arena_memdup(arena, b.data, b.len);
	unsigned slips = answer_slips(word, meant);

	require(slips <= 2 || slips == UINT_MAX);
	require((slips == 0) == (strcmp(word, meant) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = { 0 };
	struct bytes labels[LABELS_MAX], rest, text;
	struct question question = { .options = labels };
	struct answer answer;
	bool cut;

	if (size < 2 || size > SIZE_MAX_IN)
		return 0;
	rest = utf8_clean(&arena, (struct bytes){ (const char *)data + 2, size - 2 }, SIZE_MAX_IN,
			  &cut);
	question.kind = (enum answer_kind)(data[0] % KINDS);
	question.optional = data[0] < 128;
	question.min = data[1] == 0 ? INT64_MIN : data[1] % 16 - 8;
	question.max = data[1] == 0 ? INT64_MAX : question.min + data[1];
	text = next_line(&rest);
	do
		labels[question.option_count++] = next_line(&rest);
	while (rest.len > 0 && question.option_count < LABELS_MAX);
	if (answer_read(&arena, &question, text, &answer) != ANSWER_NONE)
		check_answer(&question, &answer);
	check_slips(&arena, text, labels[0]);
	arena_free(&arena);
	return 0;
}
