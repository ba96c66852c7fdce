// SPDX-License-Identifier: Apache-2.0
/* Places of a host that matter, and what it means when a payload reads or writes them. */
#pragma once

#include "policies/path_rule.h"

/* A home that stands for anybody's, and a working directory below it like any other. */
#define PLACES_HOME "/home/user"
extern const struct path_vars places_vars;

struct place {
	uint8_t verb;	/* POLICY_PATH_READ, _WRITE or _EXEC: what is done to it */
	uint8_t weight; /* in the score's points */
	bool warn;	/* lint warns */
	const char *path;
	const char *why;
};
const struct place *places_table(size_t *ret_count);

/* The line that lets the payload do it to the host's own file (no tmpfs), or NULL. */
const struct policy_path *places_granted(const struct policy *policy, const struct place *place);
