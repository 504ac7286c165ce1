/* test_step.c - a step gathers in order, and points to nothing but itself. */
#include "step.h"

#include <criterion/criterion.h>
#include <string.h>

Test(step, lists_keep_the_order_in_which_they_were_filled)
{
	struct step *step = step_new();
	struct outbound_row *row;
	int expected = 1;

	for (int i = 1; i <= 3; i++)
		step_add_outbound(step)->msg.id.serial = i;
	STAILQ_FOREACH (row, &step->outbound, next) {
		cr_expect_eq(row->msg.id.serial, expected);
		expected++;
	}
	cr_expect_eq(expected, 4);
	step_free(step);
}

Test(step, a_new_step_says_nothing_of_anyone)
{
	struct step *step = step_new();

	cr_expect_null(step->citizen);
	cr_expect_null(step->inbound);
	cr_expect(STAILQ_EMPTY(&step->dialogs) && STAILQ_EMPTY(&step->records) &&
		  STAILQ_EMPTY(&step->updates));
	step_free(step);
	step_free(NULL);
}

Test(step, a_copied_dialog_outlives_its_source)
{
	char plugin[] = "survey", journal[] = { 1, 0, 2 };
	struct dialog_row from = { .plugin = plugin, .journal = { journal, 3 }, .steps = 7 }, to;
	struct arena arena = { 0 };

	dialog_row_copy(&arena, &to, &from);
	memset(plugin, 'x', sizeof(plugin) - 1);
	memset(journal, 9, sizeof(journal));
	cr_expect_str_eq(to.plugin, "survey");
	cr_expect_arr_eq(to.journal.data, "\1\0\2", 3);
	cr_expect_str_eq(to.error, "", "what was NULL is empty");
	cr_expect_eq(to.steps, 7);
	arena_free(&arena);
}

Test(step, a_copied_message_keeps_nul_bytes_and_lengths)
{
	struct inbound from = { .from = "+62811000001", .text = { "a\0b", 3 } }, to;
	struct arena arena = { 0 };

	inbound_copy(&arena, &to, &from);
	cr_expect_neq((const void *)to.from, (const void *)from.from);
	cr_expect_str_eq(to.from, "+62811000001");
	cr_expect_eq(to.text.len, 3);
	cr_expect_arr_eq(to.text.data, "a\0b", 3);
	arena_free(&arena);
}

Test(step, every_state_and_reason_has_a_name)
{
	for (int i = DIALOG_WAITING; i <= DIALOG_ENDED; i++)
		cr_expect_neq(strcmp(dialog_state_name(i), "?"), 0);
	for (int i = DIALOG_OPEN; i <= DIALOG_DIVERGED; i++)
		cr_expect_neq(strcmp(dialog_reason_name(i), "?"), 0);
	cr_expect_str_eq(dialog_state_name(99), "?");
}
