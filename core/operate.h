/* operate.h - what operators ask and do: the admin API's operations on store, outbox and inbox. */
#pragma once
#include "admin.h"
#include "base.h"

struct inbox;
struct outbox;
struct store;

/* All borrowed; the argument of operate_ops. */
struct operate {
	struct store *store;
	struct outbox *outbox;
	struct inbox *inbox;
	const char *country; /* of numbers that are written without one */
	bool stopping;
};

extern const struct admin_ops operate_ops;
