/* plugin_pattern.h - Lua's patterns with a budget: find, match, gmatch and gsub that can be stopped.
 *
 * No hook fires inside a C function, and 160 characters are enough to keep the stock matcher busy for minutes.
 * Source: Lua 5.4 reference manual, 6.4.1.
 */
#pragma once
#include "base.h"

enum { PATTERN_CAPTURES_MAX = 32 };

/* Called for work done; may not return (a budget is spent). */
typedef void pattern_charge_cb(void *arg, long steps);

struct pattern_capture {
	const char *start;
	ptrdiff_t len; /* -1: still open; -2: a position capture */
};

struct pattern {
	const char *subject, *subject_end;
	const char *pattern, *pattern_end;
	pattern_charge_cb *charge;
	void *charge_arg;
	const char *error; /* out: what is wrong with the pattern, static; NULL: nothing */
	unsigned depth;
	long steps; /* not yet charged */
	unsigned count;
	struct pattern_capture captures[PATTERN_CAPTURES_MAX];
};

/* Matches the pattern (without its anchor) at exactly `at`: behind the match, or NULL: no match, or an error. */
const char *pattern_match(struct pattern *p, const char *at);
/* The first place at or behind *at where it matches; *at is moved there.  anchored: at *at alone. */
const char *pattern_search(struct pattern *p, const char **at, bool anchored);
