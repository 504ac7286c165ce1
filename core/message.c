/* message.c - the words for a message's states, as logs, the store's readers and operators see them. */
#include "message.h"

const char *outbound_state_name(enum outbound_state state)
{
	static const char *const names[] = {
		[OUTBOUND_QUEUED] = "queued",       [OUTBOUND_SENDING] = "sending",
		[OUTBOUND_UNKNOWN] = "unknown",     [OUTBOUND_HELD] = "held",
		[OUTBOUND_ACCEPTED] = "accepted",   [OUTBOUND_SENT] = "sent",
		[OUTBOUND_DELIVERED] = "delivered", [OUTBOUND_FAILED] = "failed",
		[OUTBOUND_EXPIRED] = "expired",     [OUTBOUND_REJECTED] = "rejected",
		[OUTBOUND_DROPPED] = "dropped",     [OUTBOUND_SCREEN] = "screen",
	};

	return names[state];
}
