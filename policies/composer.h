// SPDX-License-Identifier: Apache-2.0
/* What the files of composition share; its callers see compose.h. */
#pragma once

#include "policies/compose.h"

/* What a unit means with everything it uses. Pointers lead into the units' parts, so that a
 * policy used on two ways is the same pointer twice. */
struct merged {
	struct scalar scalars[_SCALAR_MAX];
	const struct part_rule **rules;
	size_t n_rules;
	const struct policy_path **paths;
	size_t n_paths;
	const struct policy_env **env;
	size_t n_env;
	const struct policy_label *labels[_POLICY_LSM_MAX]; /* NULL: not said */
	const struct policy_port **ports;
	size_t n_ports;
	const struct policy_expect **expects;
	size_t n_expects;
};

struct composer {
	const struct unit *units;
	struct merged *merged; /* by unit */
	struct policy *policy;
	struct diag *d;
};

/* Add item to a list of pointers. */
#define LIST_ADD(list, n, item)                                                                    \
	({                                                                                         \
		int _r = list_grow(&(list), (n), sizeof(*(list)));                                 \
		if (_r == 0)                                                                       \
			(list)[(n)++] = (item);                                                    \
		_r;                                                                                \
	})

/* Take out what the unit's remove lines say; each is noted. 0, -EBADMSG with mistakes, -ENOMEM. */
int compose_remove(struct composer *c, const struct part *part, struct merged *m);

/* The root's merged to the model. Same results. */
int compose_model(struct composer *c, const struct merged *m, enum abi native);

/* Ports to the model, and the rules on socket(2) that follow from them: behind the policy's own,
 * of which room for PORT_RULES more must be there. Same results. */
enum { PORT_RULES = 16 };
int compose_ports(struct composer *c, const struct merged *m);
