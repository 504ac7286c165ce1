/* control.h - the operator's commands: clients of a running gateway's admin API and phones.
 *
 * They find the gateway by its state folder: `addresses` there says where it listens, and the secrets there open it.
 */
#pragma once
#include "base.h"

/* kentongan message|optout|dialog ...  argv[0] is that word.  Gives the exit status: 0, 1 failed, 2 wrong usage. */
int control_main(int argc, char **argv);

/* Written at start by the gateway: its public and admin base URL, "http://127.0.0.1:8080". Errors: -errno of the file. */
int control_addresses_put(const char *state, const char *public_base,
			  const char *admin_base) MUST_CHECK;
