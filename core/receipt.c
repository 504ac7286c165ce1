/* receipt.c - what a delivery report does to a message.
 *
 * Reports come late, twice and in any order, so the table only lets a message go forward: a final state
 * stays, but a handset that got the text after all outdoes "expired".
 */
#include "receipt.h"

bool outbound_final(enum outbound_state state)
{
	switch (state) {
	case OUTBOUND_DELIVERED:
	case OUTBOUND_FAILED:
	case OUTBOUND_EXPIRED:
	case OUTBOUND_REJECTED:
	case OUTBOUND_DROPPED:
		return true;
	default:
		return false;
	}
}

enum outbound_state receipt_apply(enum outbound_state state, enum report_status status)
{
	static const enum outbound_state said[] = {
		[REPORT_QUEUED] = OUTBOUND_ACCEPTED,     [REPORT_SENT] = OUTBOUND_SENT,
		[REPORT_DELIVERED] = OUTBOUND_DELIVERED, [REPORT_FAILED] = OUTBOUND_FAILED,
		[REPORT_EXPIRED] = OUTBOUND_EXPIRED,     [REPORT_REJECTED] = OUTBOUND_REJECTED,
	};

	if (status == REPORT_UNKNOWN)
		return state;
	if (outbound_final(state)) {
		bool late = state == OUTBOUND_EXPIRED && status == REPORT_DELIVERED;

		return late ? OUTBOUND_DELIVERED : state;
	}
	if (state == OUTBOUND_SENT && status == REPORT_QUEUED)
		return state;
	return said[status];
}
