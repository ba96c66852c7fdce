// SPDX-License-Identifier: Apache-2.0
/*
 * The limits of one launch that a cgroup holds: getting it, what holds and what does not, what was
 * hit, what was used. Within sandbox/ only.
 */
#pragma once

#include "base/fd.h"
#include "sandbox/cgroup.h"
#include "sandbox/launch.h"

enum { LIMITS_SAID = _POLICY_LIMIT_MAX + 2, LIMITS_TEXT = 8192 };

struct limits {
	const struct plan *plan;
	struct cgroup cgroup; /* fd is -1 without one */
	struct err why; /* code below 0: why there is none, or none with all that was wanted */
	/* What the plan says of mechanisms, and the limits with it: for people and for the log. */
	const char *in_force[ARRAY_SIZE(((struct plan *)NULL)->in_force) + LIMITS_SAID];
	const char *given_up[ARRAY_SIZE(((struct plan *)NULL)->given_up) + LIMITS_SAID];
	char *text; /* LIMITS_TEXT bytes, of which what is said takes pages */
	size_t used;
};

/*
 * Get a cgroup for what the plan limits: where one is delegated, or by options->scope. May move the
 * calling process, which must be single-threaded. A limit of the policy that cannot be had is told
 * in given_up; one that was asked for by name is an error. 0 or -errno with err; limits_end()
 * undoes it in any case.
 */
int limits_start(struct limits *l, const struct plan *plan, const struct launch_options *options,
		 struct err *err);

/* After the last process: tell the log what was hit, and *ret what ended the sandbox, if that did.
 */
void limits_hit(const struct limits *l, struct audit *audit, struct launch_result *ret);

/* Bits of enum policy_limit that the kernel holds for the sandbox as a whole: the limit of each
 * process that would stand in is not set, so that programs may reserve what they do not use. */
unsigned limits_by_cgroup(const struct limits *l);

void limits_end(struct limits *l);
