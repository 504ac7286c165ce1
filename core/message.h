/* message.h - plain values: one inbound turn of a citizen, one outbound message, one receipt.
 *
 * An adapter makes the inbound ones of a telco's HTTP request; the outbox turns the outbound ones into
 * HTTP requests.  Text is always valid UTF-8 here: bytes that were not became U+FFFD at the edge.
 */
#pragma once
#include "base.h"

enum channel { CHANNEL_SMS, CHANNEL_USSD };

enum {
	/* Bytes of a citizen's key: "+" and 8 to 15 digits, or "ext:" and a token. */
	CITIZEN_MAX = 63,
	/* Bytes of a telco's message id; a longer one is hashed by telco.c. */
	PROVIDER_ID_MAX = 127,
	/* Characters of an inbound text that are kept; the rest is cut, and logged. */
	TEXT_MAX = 10000,
};

enum sender_kind {
	SENDER_NUMBER, /* E.164: can be answered */
	SENDER_SHORT,  /* 3 to 6 digits: never answered (a machine) */
	SENDER_ALNUM,  /* letters: never answered */
	SENDER_TOKEN,  /* ext:...: an opaque subscriber, answered through its telco */
};

/* One message of a citizen, as a telco gave it. */
struct inbound {
	struct id id; /* ours; given by the inbox */
	enum channel channel;
	enum sender_kind sender;
	const char *connection;  /* the connection's name in the settings */
	const char *provider_id; /* the telco's id, or ""; USSD: session and step */
	const char *from;        /* sender NUMBER or TOKEN: the citizen's key; else as received */
	const char *to;          /* our number or service code, as received */
	struct bytes text;       /* UTF-8; USSD: this step's input, empty at the start */
	int64_t time;            /* seconds UTC: the telco's where it gives one, else of arrival */
	bool time_is_telcos;
	const char *network; /* or "" */
	const char *meta;    /* JSON object of what a reply needs (a link id), or "" */
	/* SMS that came as one of several parts (3GPP TS 23.040, 9.2.3.24.1); part_total 0 or 1: whole */
	unsigned part_ref, part_total, part_number; /* number from 1 */
	bool joined;                                /* it came in parts, and this is the whole */
	/* PART_UCS2: text holds raw UTF-16BE bytes, joined first. */
	enum part_coding { PART_TEXT, PART_UCS2 } part_coding;
	/* USSD */
	const char *session; /* the telco's session id */
	enum ussd_event { USSD_START, USSD_INPUT, USSD_END } ussd;
	bool cumulative; /* text is the whole input so far, items joined by '*' */
};

/* A higher class always goes first. */
enum message_class { CLASS_EMERGENCY, CLASS_REPLY, CLASS_SERVICE, CLASS_BROADCAST };

enum outbound_state {
	OUTBOUND_QUEUED,    /* waits: order, rate, back-off or a paused connection */
	OUTBOUND_SENDING,   /* an attempt, written down before it leaves: unknown after a crash */
	OUTBOUND_UNKNOWN,   /* the telco may have it: a receipt is awaited */
	OUTBOUND_HELD,      /* unknown, and the setting is hold: an operator releases or drops it */
	OUTBOUND_ACCEPTED,  /* the telco has it */
	OUTBOUND_SENT,      /* a receipt: the network has it */
	OUTBOUND_DELIVERED, /* final */
	OUTBOUND_FAILED,    /* final: refused for good, or a receipt says so */
	OUTBOUND_EXPIRED,   /* final: too old, here or at the telco */
	OUTBOUND_REJECTED,  /* final */
	OUTBOUND_DROPPED,   /* final: by an operator, or by the citizen's STOP */
	OUTBOUND_SCREEN,    /* a USSD END screen, answered but not yet known to be handed over */
};
const char *outbound_state_name(enum outbound_state state); /* static; "queued", ... */

/* One message to a citizen. */
struct outbound {
	struct id id;       /* ours; also what receipts name where the telco hands back our id */
	struct id reply_to; /* the inbound message that it answers; serial 0: none */
	const char *citizen;
	const char *connection;
	const char *from;  /* our number */
	const char *meta;  /* the inbound message's meta, or "" */
	struct bytes text; /* UTF-8 */
	enum message_class class;
	bool asked_for; /* the citizen asked: STOP does not end it */
	enum outbound_state state;
	unsigned attempts;
	unsigned doubts;         /* how often an outcome was unknown */
	const char *provider_id; /* "" until known */
	/* What was done about it, for people: "outcome unknown, sent once more", or "". */
	const char *note;
	const char *code;                     /* the telco's last error code, or "" */
	int64_t created, not_before, expires; /* seconds UTC */
};

enum report_status {
	REPORT_QUEUED,
	REPORT_SENT,
	REPORT_DELIVERED,
	REPORT_FAILED,
	REPORT_EXPIRED,
	REPORT_REJECTED,
	REPORT_UNKNOWN,
};

/* One delivery report, as a telco gave it. */
struct report {
	const char *connection;
	const char *ref; /* see own_id */
	bool own_id;     /* ref is our id as text; else the telco's */
	enum report_status status;
	const char *code; /* or "" */
	bool opted_out;   /* the telco says that this citizen wants no more */
};
