/* main.c - the command line. */
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		puts(PACKAGE_STRING);
		return 0;
	}
	puts("usage: kentongan --help | --version");
	return argc == 2 && strcmp(argv[1], "--help") == 0 ? 0 : 2;
}
