/* chat.h - `kentongan chat`: a phone in the terminal. */
#pragma once

int chat_main(
	int argc,
	char **argv); /* argv[0] is "chat"; gives the exit status: 0, 1 failed, 2 wrong usage */
