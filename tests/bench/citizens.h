/* citizens.h - the people of a measurement: who has a dialog open, and whose turn it is.
 *
 * Each has a number and holds a conversation of two messages again and again.  Turns are taken so that the
 * number of open dialogs stays the same, and so that a citizen's next message comes as late as possible:
 * nothing of hers is then still warm in anybody's cache but by size.
 */
#pragma once
#include "base.h"

struct citizen {
	int64_t sent_us; /* of the message in work: when it was, or should have been, sent */
	uint32_t turn;   /* messages so far, with the one in work: names it */
	bool open;       /* has a dialog that waits for her answer */
	bool waits_ack, waits_reply;
};

struct citizens;

/* count: 1 to 99,999,999; opened: all begin with a dialog open; keep_open: how many are left open. */
struct citizens *citizens_new(uint32_t count, bool opened, uint32_t keep_open) MUST_CHECK;
void citizens_free(struct citizens *citizens);
struct citizen *citizens_at(struct citizens *citizens, uint32_t index); /* NULL: no such */
/* false: all are in work. */
bool citizens_take(struct citizens *citizens, uint32_t *index) MUST_CHECK;
void citizens_give(struct citizens *citizens, uint32_t index); /* back to those who can write */
uint32_t citizens_open(const struct citizens *citizens); /* with a dialog open and not in work */
