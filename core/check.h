/* check.h - `kentongan check`: what is known of a plugin before a citizen sees it.
 *
 * Each dialog is run with every kind of answer at each question, on both channels, as far as a stated budget goes; nothing is sent or
 * stored.  What is found is told with file and line.  `--open` runs the open dialogs of a store on the plugins' code instead.
 */
#pragma once

int check_main(
	int argc,
	char **argv); /* argv[0] is "check"; gives the exit status: 0, 1 errors were found, 2 wrong usage */
