// SPDX-License-Identifier: Apache-2.0
/* Shared by the judges of crash. */
#pragma once

#include "tests/durability/disk.h"

struct options {
	const char *dir;      /* whose files are followed */
	const char *scratch;  /* a directory for the states, of this program alone */
	const char *cordon;   /* for what comes behind a crash */
	const char *payload;  /* what it runs */
	const char *seal_key; /* of the log, NULL: it is not sealed */
	bool all;	      /* every combination of what files hold */
	size_t forgot;	     /* the operation of that number is a sync and was taken out; 0: none */
	unsigned long every; /* one state in so many is gone on with by cordon itself */
};

/* The state as files in the scratch directory, and nothing else in it. */
void crash_put(const struct options *o, const struct state *state);
/* Run a program with its output thrown away: its exit status, or -1. */
int crash_run(char *const *argv);
/* Tell of a finding in a state; the files of the first ones stay in scratch's siblings. */
__attribute__((format(printf, 3, 4))) void
crash_finding(const struct options *o, const struct state *state, const char *fmt, ...);
size_t crash_findings(void);
/* A sync was taken out, and the state was possible with it, too, or a finding is there already. */
bool crash_is_passed(const struct options *o, const struct state *state);

/* audit.c, cache.c: judge all states of what was recorded. 0, or -1 when that was not possible. */
int judge_audit(const struct disk *disk, const struct options *o);
int judge_cache(const struct disk *disk, const struct options *o);
