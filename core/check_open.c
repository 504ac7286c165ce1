/* check_open.c - a store's open dialogs on the code that is there now. */
#include <stdio.h>

#include "check_priv.h"

int check_open(struct check *check UNUSED, const struct plugin_set *set UNUSED,
	       const char *only UNUSED, const char *store UNUSED)
{
	return 1;
}
