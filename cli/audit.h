// SPDX-License-Identifier: Apache-2.0
/* What the verbs of cordon-audit share. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/scan.h"
#include "base/err.h"

enum { AUDIT_EXIT_BROKEN = 1, AUDIT_EXIT_FAILED = 125 };

struct audit_args {
	const char *file;
	const char *sandbox; /* an id or its beginning; "last" */
	const char *policy;
	const char *call;
	const char *path; /* a glob */
	int64_t since_ns; /* wall time; 0: all */
	uint64_t n;	  /* 0: no limit */
	bool follow, group, json;
};

int audit_cli_show(struct audit_args *args);
int audit_cli_verify(const struct audit_args *args);

/* --- tables of what was refused ------------------------------------------------------------ */

struct audit_table;

/* by_sandbox: a table for each sandbox; else one over all of them. NULL when out of memory. */
struct audit_table *audit_table_new(bool by_sandbox);
void audit_table_free(struct audit_table *table);
static inline void audit_table_freep(struct audit_table **table)
{
	audit_table_free(*table);
}

/* A record that passed the filters. 0 or -ENOMEM. */
int audit_table_add(struct audit_table *table, const struct scan *record, const struct scan *type);

/* Print, the most frequent first, at most n rows of each table (0: all). */
void audit_table_print(struct audit_table *table, uint64_t n);
