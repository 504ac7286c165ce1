/* test_receipt.c - what reports do, in every order. */
#include "receipt.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum report_status status_of(const char *name)
{
	static const char *const names[] = {
		[REPORT_QUEUED] = "queued",       [REPORT_SENT] = "sent",
		[REPORT_DELIVERED] = "delivered", [REPORT_FAILED] = "failed",
		[REPORT_EXPIRED] = "expired",     [REPORT_REJECTED] = "rejected",
		[REPORT_UNKNOWN] = "unknown",
	};

	for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(names[i], name) == 0)
			return i;
	}
	cr_assert(false, "no such status: %s", name);
	return REPORT_UNKNOWN;
}

static json_t *read_vectors(void)
{
	const char *top = getenv("KENTONGAN_SOURCE");
	char path[1024];
	json_error_t error;
	json_t *rows;

	snprintf(path, sizeof(path), "%s/tests/vectors/dlr-order.json", top ? top : ".");
	rows = json_load_file(path, 0, &error);
	cr_assert(rows, "%s: %s", path, error.text);
	return rows;
}

Test(receipt, reports_out_of_order_end_as_the_vectors_say)
{
	json_t *rows = read_vectors(), *row, *event;
	size_t i, k;

	cr_expect(json_array_size(rows) >= 5);
	json_array_foreach (rows, i, row) {
		enum outbound_state state = OUTBOUND_ACCEPTED;

		json_array_foreach (json_object_get(row, "events"), k, event)
			state = receipt_apply(state, status_of(json_string_value(event)));
		cr_expect_str_eq(outbound_state_name(state),
				 json_string_value(json_object_get(row, "expect")), "%s",
				 json_string_value(json_object_get(row, "id")));
	}
	json_decref(rows);
}

Test(receipt, every_state_and_report_has_its_answer)
{
	static const struct {
		enum outbound_state before;
		enum report_status status;
		enum outbound_state after;
	} rows[] = {
		{ OUTBOUND_SENDING, REPORT_QUEUED, OUTBOUND_ACCEPTED },
		{ OUTBOUND_UNKNOWN, REPORT_SENT, OUTBOUND_SENT },
		{ OUTBOUND_UNKNOWN, REPORT_UNKNOWN, OUTBOUND_UNKNOWN },
		{ OUTBOUND_HELD, REPORT_DELIVERED, OUTBOUND_DELIVERED },
		{ OUTBOUND_QUEUED, REPORT_FAILED, OUTBOUND_FAILED },
		{ OUTBOUND_SENT, REPORT_QUEUED, OUTBOUND_SENT },
		{ OUTBOUND_SENT, REPORT_REJECTED, OUTBOUND_REJECTED },
		{ OUTBOUND_DELIVERED, REPORT_FAILED, OUTBOUND_DELIVERED },
		{ OUTBOUND_DELIVERED, REPORT_EXPIRED, OUTBOUND_DELIVERED },
		{ OUTBOUND_FAILED, REPORT_DELIVERED, OUTBOUND_FAILED },
		{ OUTBOUND_REJECTED, REPORT_DELIVERED, OUTBOUND_REJECTED },
		{ OUTBOUND_EXPIRED, REPORT_SENT, OUTBOUND_EXPIRED },
		{ OUTBOUND_EXPIRED, REPORT_DELIVERED, OUTBOUND_DELIVERED },
		{ OUTBOUND_DROPPED, REPORT_DELIVERED, OUTBOUND_DROPPED },
	};

	for (unsigned i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect(receipt_apply(rows[i].before, rows[i].status) == rows[i].after, "row %u",
			  i);
}

Test(receipt, every_state_has_a_name_of_its_own)
{
	for (int a = OUTBOUND_QUEUED; a <= OUTBOUND_SCREEN; a++) {
		cr_expect(outbound_state_name(a)[0] != '\0');
		for (int b = OUTBOUND_QUEUED; b < a; b++)
			cr_expect_str_neq(outbound_state_name(a), outbound_state_name(b));
	}
}

Test(receipt, only_the_ends_are_final)
{
	static const enum outbound_state ends[] = { OUTBOUND_DELIVERED, OUTBOUND_FAILED,
						    OUTBOUND_EXPIRED, OUTBOUND_REJECTED,
						    OUTBOUND_DROPPED };
	unsigned count = 0;

	for (int state = OUTBOUND_QUEUED; state <= OUTBOUND_SCREEN; state++)
		count += outbound_final(state);
	cr_expect(count == ARRAY_LEN(ends));
	for (unsigned i = 0; i < ARRAY_LEN(ends); i++)
		cr_expect(outbound_final(ends[i]));
}
