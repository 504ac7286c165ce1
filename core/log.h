/* log.h - one JSON line an event, on standard error.
 *
 * {"time":"2026-11-24T06:04:45.123Z","level":"warn","event":"telco.refused","connection":"k1","citizen":"+62812*****90"}
 * Numbers are masked, texts are never logged, control characters are escaped, a line is at most 4 KiB.
 */
#pragma once
#include "base.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* key, value pairs ended by NULL: each key's first character tells how its value is taken, and is not printed:
 *   's' const char *        text ("" where NULL)
 *   'i' int64_t             number (cast it)
 *   'n' const char *        a phone number or citizen's key: masked
 *   'd' const struct id *   an id
 *   'e' int                 a negative errno, as its text
 * e.g. log_event(LOG_WARN, "telco.refused", "sconnection", name, "ncitizen", from, "istatus", (int64_t)401, NULL) */
void log_event(enum log_level level, const char *event, ...) __attribute__((sentinel));
void log_set_level(enum log_level lowest);
void log_set_output(int fd); /* 2 by default; tests catch lines; the fd is borrowed */
/* Masks a number for people: "+62812*****90"; shorter than 8 characters: all but the last two.  out is always ended. */
void mask_number(const char *number, char *out, size_t size);
