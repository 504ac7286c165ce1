/* serve.h - `kentongan serve`: start-up, running, reloading, shutting down. */
#pragma once

/* program: how it was called, for the line that says how to begin a chat. */
int serve_main(
	const char *program, int argc,
	char **argv); /* argv[0] is "serve"; gives the exit status: 0, 1 failed, 2 wrong usage */
