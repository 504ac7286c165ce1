/* receipt.h - what a delivery report does to a message: the table of states, pure.
 *
 * Source: the reference's telco-apis.md 1.3 and vectors/dlr-order.json.
 */
#pragma once
#include "base.h"
#include "message.h"

/* The state that a message in `state` has after a report; the same where it changes nothing. */
enum outbound_state receipt_apply(enum outbound_state state, enum report_status status);
bool outbound_final(enum outbound_state state);
