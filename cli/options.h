// SPDX-License-Identifier: Apache-2.0
/* The options of `cordon run` and `cordon shell`: one table, read into a request. */
#pragma once

#include "audit/record.h"
#include "base/err.h"
#include "sandbox/request.h"

struct run_options {
	const char *policy; /* name or path; NULL: the verb's own default */
	const char *sinks[LIMIT_SINKS];
	size_t n_sinks;
	struct audit_rotation rotation;
	uint64_t flood; /* for audit_flood() */
	bool dry_run, json, help;
	int verbose; /* -1 quiet, 0, 1 */
	char *title; /* the process's own argument area; see launch_options */
	size_t title_size;
	/* Options of the verb's own: asked about words that none of ours is. How many of argv it
	 * took, 0: none; or -EINVAL. NULL: the verb has none. */
	int (*own)(void *ctx, int argc, char **argv, struct err *err);
	void *own_ctx;
	struct request request; /* large */
};

/* argv[0] is the verb. The command is what follows "--" or the first word that is no option;
 * request.argv points into argv. 0, or -EINVAL with err naming the option. */
int options_parse(int argc, char **argv, struct run_options *ret, struct err *err);

/* The usage text of a verb, one line an option. */
void options_help(const char *verb);
