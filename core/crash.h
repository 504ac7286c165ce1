/* crash.h - named places where the order of two durable or visible acts matters, for tests that kill.
 *
 * Compiled to nothing unless configured with --enable-crashpoints.  Then KENTONGAN_CRASH="name:N" in the environment kills the
 * process (SIGKILL, as a power cut would) at the N-th passing of that place.
 */
#pragma once

#ifdef KENTONGAN_CRASHPOINTS
void crash_point(const char *name); /* thread-safe */
#else
#define crash_point(name) ((void)0)
#endif
/* Prints all names, one a line, on standard output; nothing where there are none. */
void crash_list(void);
