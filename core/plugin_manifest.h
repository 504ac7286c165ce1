/* plugin_manifest.h - what a plugin's file returns, checked field by field. */
#pragma once
#include <lua.h>

#include "plugin.h"

struct manifest {
	struct arena *arena;         /* what is read goes there */
	struct plugin *plugin;       /* out, but for path, error and bundle */
	struct record_table *tables; /* out */
	unsigned table_count;
	bool records;            /* out: needs records */
	struct data_table *data; /* out: without their content */
	unsigned data_count;
	char *field; /* out: the wrong field's path, or "" */
	char *why;   /* out: what is wrong and what is allowed */
};

/* The table is on top of L's stack.  Raw access only.  false: field and why say what is wrong. */
bool manifest_read(lua_State *L, struct manifest *manifest) MUST_CHECK;
