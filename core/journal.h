/* journal.h - what a dialog asked for and what came back, as bytes that only grow.
 *
 * A journal is a version byte and entries.  An *event* says what woke the dialog (a message), with the time, the seed
 * and the citizen's fields as they were; a *call* says what the dialog asked for and what it got.  Replay runs the
 * dialog's function again and hands it the recorded results: kind and hash of each call must equal its entry.  A *back*
 * cancels the last answer of the citizen's that isn't cancelled yet, and all behind it: replay leaves them out.
 * A *request* is the call that still waits for its result: it is stored beside the journal.
 */
#pragma once
#include "answer.h"
#include "base.h"
#include "message.h"

enum { JOURNAL_VERSION = 1 };

/* What a dialog can wait for. */
enum request_kind {
	REQUEST_NONE,    /* nothing: it runs, or has ended */
	REQUEST_ASK,     /* a free answer */
	REQUEST_CHOOSE,  /* one of some options */
	REQUEST_CONFIRM, /* yes or no */
	REQUEST_INSERT,  /* a record whose key may be taken */
	REQUEST_GET,     /* a record by its key */
	REQUEST_FIND,    /* records */
	REQUEST_COUNT,   /* how many */
	REQUEST_MORE, /* the dialog is over; the citizen has not seen all pages of its last text */
	REQUEST_UPDATE,    /* a change of a record that may not be there */
	REQUEST_INCREMENT, /* a number that is counted up to a bound */
	REQUEST_LOOKUP,    /* rows of a table of data: answered at once, so never waited for */
	REQUEST_KINDS,
};
const char *request_kind_name(enum request_kind kind); /* static; "ask", ... */

/* The citizen as she was when an event came.  "" where not known. */
struct journal_citizen {
	const char *language, *name, *area;
};

struct journal_event {
	int64_t time;  /* seconds UTC */
	uint64_t seed; /* of random(), code() */
	enum channel channel;
	struct journal_citizen citizen;
	bool start; /* the first: the rest is the dialog's third argument */
	struct bytes keyword, rest, text;
};

struct journal_call {
	enum request_kind kind;
	uint64_t hash; /* of its arguments, and of all effects since the call before */
	struct bytes
		shape; /* what must stay the same over an upgrade: number and values of options, kind of answer */
	struct bytes results; /* packed values (plugin_value.h), one behind the other */
};

struct journal_entry {
	enum { ENTRY_EVENT = 'E', ENTRY_CALL = 'C', ENTRY_BACK = 'B' } type;
	struct journal_event event;
	struct journal_call call;
	int64_t back_time; /* seconds UTC */
};

/* Each adds behind buf; the first entry of a journal brings the version byte. */
void journal_add_event(struct buf *buf, const struct journal_event *event);
void journal_add_call(struct buf *buf, const struct journal_call *call);
void journal_add_back(struct buf *buf, int64_t time);

/* Results as packed values, for what the loop itself puts into calls. */
void journal_result_nil(struct buf *buf);
void journal_result_boolean(struct buf *buf, bool value);
void journal_result_integer(struct buf *buf, int64_t value);
/* A list of packed values follows: each behind its place, from 1. */
void journal_result_list(struct buf *buf, unsigned count);
void journal_result_real(struct buf *buf, double value);
void journal_result_text(struct buf *buf, struct bytes text);

/* Walks a journal: rest begins as all of it.  1: *out is the next entry (its texts lie in the journal; those of
 * `const char *` are ended by a NUL), 0: the end, -EPROTO: damaged, or of a later version. */
int journal_next(const struct bytes *journal, size_t *at, struct journal_entry *out) MUST_CHECK;

/* What backs have cancelled: the bytes from `from` up to `to`. */
struct journal_skip {
	size_t from, to;
};
/* The skips of a journal in order, apart from each other; their number, or -EPROTO.  Ownership: in the arena. */
int journal_skips(struct arena *arena, struct bytes journal, struct journal_skip **out) MUST_CHECK;
/* The question whose answer a back would cancel, and which then waits again.  false: there is none. */
bool journal_question_before(struct bytes journal, struct journal_call *out) MUST_CHECK;
bool request_is_question(enum request_kind kind); /* that the citizen answers */
bool request_is_write(
	enum request_kind kind); /* the step's last record_write, whose entry the store appends */

/* Whether the citizen may go back from a question to the one before. */
enum request_back {
	BACK_NONE, /* it is the first */
	BACK_FREE,
	BACK_BARRED, /* something was caused since its answer, and is committed */
};

/* The request that waits, as the loop needs it: to show it, to read its answer, and to go on after a restart. */
struct request {
	enum request_kind kind;
	uint64_t hash;
	struct bytes shape;
	struct bytes
		text; /* all that was last to be shown: what was said before, and the question */
	struct bytes prompt; /* the question alone: what comes back where an answer doesn't fit */
	enum answer_kind answer;
	bool optional;
	bool random; /* its options stand in an order by chance */
	int64_t min, max;
	unsigned option_count;
	struct bytes *options; /* labels */
	struct bytes *values;  /* what each gives, packed */
	enum request_back back;
	unsigned page; /* of text: that was shown last */
	/* Of a dialog that is runnable: the message that it works on, and what else was typed with it (USSD). */
	struct id reply_to;
	struct bytes inputs;  /* joined by '*' */
	enum channel channel; /* how the citizen is answered */
};
void request_encode(struct buf *buf, const struct request *request);
/* Ownership: in the arena, or in data.  false: damaged. */
bool request_decode(struct arena *arena, struct bytes data, struct request *out) MUST_CHECK;

/* One line of text for people for each entry. */
void journal_describe(const struct journal_entry *entry, struct buf *out);
