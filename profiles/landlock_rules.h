// SPDX-License-Identifier: Apache-2.0
/*
 * The rules that a launch of a policy gives to Landlock, without a launch: places and rights with
 * their lines. Compiler side only. Landlock adds what the rules on the way from "/" to a file
 * grant, so a place cannot take back what one above it gives.
 */
#pragma once

#include "profiles/mechanism.h"

struct landlock_rule {
	char *place;	    /* absolute, normal; owned */
	uint64_t rights;    /* of a directory there */
	bool optional;	    /* nothing happens where it does not exist */
	bool made;	    /* by the launch: /proc, /dev, a tmpfs */
	const char *launch; /* NULL, or what of the launcher's own it is for */
	struct policy_where where;
	const struct policy_path *line; /* NULL with launch */
};

struct landlock_rules {
	struct landlock_rule *rules;
	size_t n;
	uint64_t handled_fs, handled_net, scoped;
};
#define LANDLOCK_RULES_INIT ((struct landlock_rules){ .n = 0 })
void landlock_rules_done(struct landlock_rules *rules);

/* Lines whose variables have no value grant nothing. 0 or -errno with err. */
int landlock_rules_of(const struct policy *policy, const struct profile_target *target,
		      struct landlock_rules *ret, struct err *err);

/* All that is granted on path, or on what is made in directory path. */
uint64_t landlock_rules_grant(const struct landlock_rules *rules, const char *path);
