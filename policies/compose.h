// SPDX-License-Identifier: Apache-2.0
/* Several texts to one meaning: `use` and `remove`, who decides, and what contradicts. */
#pragma once

#include "policies/part.h"

/* One file of a composition. */
struct unit {
	struct policy_source source; /* path owned; digest and stat as of reading */
	char *text;		     /* owned */
	size_t len;
	char *dir;  /* where `use` looks first; NULL for a text from memory */
	char *name; /* as it was asked for */
	struct part part;
	bool open;		     /* being read: using it again is a cycle */
	struct policy_where used_at; /* the `use` that brought it first; line 0 for the root */
};

/* Merge units (order: post-order, users behind what they use; unit 0 is the root) into policy's
 * rules, paths, env, expects and settings. 0, -EBADMSG with mistakes in d, or -ENOMEM. */
int compose_units(const struct unit *units, size_t n_units, const uint16_t *order, enum abi native,
		  struct policy *policy, struct diag *d);

/* Sort rules as policies/model.h says, drop repetitions, find contradictions. */
int check_rules(struct policy *policy, struct diag *d);
