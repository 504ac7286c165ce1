/* rehearsal.h - `kentongan chat FOLDER`: a talk with the plugins of a folder, without a gateway; `kentongan record`: and it is saved. */
#pragma once

/* argv[0] is "chat" or "record"; gives the exit status: 0, 1 failed, 2 wrong usage. */
int rehearsal_main(int argc, char **argv);
