/* new.h - `kentongan new NAME`: a plugin to begin with, which works and passes its test. */
#pragma once

int new_main(int argc,
	     char **argv); /* argv[0] is "new"; gives the exit status: 0, 1 failed, 2 wrong usage */
