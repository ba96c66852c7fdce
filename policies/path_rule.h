// SPDX-License-Identifier: Apache-2.0
/* Which path line of a policy speaks of a path: the deepest wins, as a launch decides it. */
#pragma once

#include "policies/model.h"

/* What a launch puts for the variables that a policy leaves to it. */
struct path_vars {
	const char *home; /* for "~"; NULL: lines with it match nothing */
	const char *pwd;  /* for "$PWD"; likewise */
	/* For ${NAME:-/default}: its value or NULL. NULL itself: the defaults. */
	const char *(*lookup)(const char *name, void *context);
	void *context;
};

/* The line's path with its variables put in, normal. 0, -ENOENT (a variable has no value),
 * -ENAMETOOLONG or -EINVAL (a value that is not an absolute path). */
int path_rule_expand(const struct policy_path *line, const struct path_vars *vars, char *ret,
		     size_t size);

/*
 * The line that speaks of path (absolute, normal), or NULL: nothing does, so it is not visible.
 * Of two lines that come to the same place tmpfs outranks hide and hide the others (doc/policy.md).
 * Optional lines count as if the path existed. A line on "/" stands for each top-level entry of
 * the host, so not for /proc, /sys and /dev. Of read, exec and write at one place, which add up,
 * it is the one that writes, else the one that executes. A hide line below a tmpfs, where nothing
 * of the host shows, is passed over for the tmpfs line.
 */
const struct policy_path *path_rule_find(const struct policy *policy, const struct path_vars *vars,
					 const char *path);

/* What a program may do, as a set: read, execute, write, by the bit of the verb that is for it. */
enum {
	PATH_MAY_READ = 1 << POLICY_PATH_READ,
	PATH_MAY_EXEC = 1 << POLICY_PATH_EXEC,
	PATH_MAY_WRITE = 1 << POLICY_PATH_WRITE,
};

/* What the lines at the deepest place, taken together, give; *ret_line as path_rule_find says. */
unsigned path_rule_rights(const struct policy *policy, const struct path_vars *vars,
			  const char *path, const struct policy_path **ret_line);

/* Whether they give what is wanted (POLICY_PATH_READ, _EXEC, _WRITE). */
bool path_rule_allows(const struct policy *policy, const struct path_vars *vars, const char *path,
		      enum policy_path_verb wanted, const struct policy_path **ret_line);

/* What a line with the verb gives by itself. A tmpfs gives all three, of what the payload makes
 * there: that is how a launch mounts it. */
unsigned path_rule_gives(enum policy_path_verb verb);
