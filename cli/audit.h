// SPDX-License-Identifier: Apache-2.0
/* What the verbs of cordon-audit share. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/scan.h"
#include "base/err.h"

enum { AUDIT_EXIT_BROKEN = 1, AUDIT_EXIT_FAILED = 125, AUDIT_MAX_SEARCH = 16 };

struct audit_args {
	const char *file;
	const char *sandbox; /* an id or its beginning; "last" */
	const char *policy;  /* show: a name; else a name or a path */
	const char *call;
	const char *path;     /* a glob */
	const char *seal_key; /* a file, "-": standard input */
	const char *rule;     /* a glob: of FILE:LINE, with or without directories, or "default" */
	const char *comm;
	const char *out, *format, *expect;
	const char *search[AUDIT_MAX_SEARCH];
	size_t n_search;
	int64_t since_ns, until_ns; /* wall time; 0: all */
	uint64_t n;		    /* 0: no limit */
	uint64_t seq;		    /* 0: any */
	bool follow, group, json, count, patch, all;
};

/* One verb, in a file of its own. */
struct audit_verb {
	const char *name;
	int (*run)(struct audit_args *args); /* the exit status */
	const char *options; /* letters of those it takes, as cli/audit.c has them */
};
int audit_cli_show(struct audit_args *args);
int audit_cli_verify(struct audit_args *args);
int audit_cli_seal_setup(struct audit_args *args);
int audit_cli_explain(struct audit_args *args);
int audit_cli_replay(struct audit_args *args);
int audit_cli_suggest(struct audit_args *args);
int audit_cli_export(struct audit_args *args);

/* "cordon: ..." with its hint on stderr: AUDIT_EXIT_FAILED. */
int audit_cli_fail(const struct err *err);

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
