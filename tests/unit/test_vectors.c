/* test_vectors.c - the adapters and the test vectors that are shipped: what scripts/test-vectors runs.
 *
 * $KENTONGAN_SOURCE is the folder of the sources; beneath the current one where it isn't set.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "log.h"
#include "vectors.h"

static void run_folder(const char *name, unsigned at_least)
{
	const char *source = getenv("KENTONGAN_SOURCE");
	char adapters[512], folder[512];
	struct tally tally = { .file = "", .adapters = adapters, .folder = folder };

	snprintf(adapters, sizeof(adapters), "%s/plugins/telco", source ? source : ".");
	snprintf(folder, sizeof(folder), "%s/tests/vectors%s", source ? source : ".", name);
	log_set_level(LOG_ERROR);
	tally.skipped = json_object();
	run_vectors(&tally);
	json_decref(tally.skipped);
	cr_expect(eq(u32, tally.failed, 0));
	cr_expect(ge(u32, tally.passed, at_least), "fewer vectors than there were: %u",
		  tally.passed);
}

Test(vectors, of_the_reference_hold_for_the_shipped_adapters)
{
	run_folder("", 80);
}

Test(vectors, of_what_telcos_send_wrong_hold_too)
{
	run_folder("/more", 100);
}
