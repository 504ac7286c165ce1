/* record.h - a record as the store keeps it: a JSON object without blanks, its members plain and in the order of their names.
 *
 * The store changes a record without Lua, and what isn't changed stays byte for byte.
 */
#pragma once
#include "base.h"
#include "step.h"

/* Adds to `out` the record `old` with the members of `changes` in place of its own.  false: one of them is no such object. */
bool record_merge(struct bytes old, struct bytes changes, struct buf *out) MUST_CHECK;
/* The number of a field; RECORD_NULL where there is none, RECORD_TEXT where it is none (its text is not given).  false: damaged. */
bool record_number(struct bytes json, const char *field, struct record_value *out) MUST_CHECK;
/* An object with one member, a number. */
void record_add_number(struct buf *out, const char *field, const struct record_value *number);
/* The sum as Lua has it: integers stay one.  false: it is beyond a bound, or no number, or none of its type. */
bool record_sum(const struct record_value *number, const struct record_write *write,
		struct record_value *out) MUST_CHECK;
