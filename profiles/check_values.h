// SPDX-License-Identifier: Apache-2.0
/* The values at which conditions change their minds: the check's inputs for one call. */
#pragma once

#include "policies/model.h"

/* Sorted and without doubles; n 0: no condition speaks of the argument. Heap, owned. */
struct check_values {
	uint64_t *value[6];
	size_t n[6];
	bool narrow[6]; /* all conditions on it are 32 bits wide: so are the values */
};

/* From the conditions of those rules that speak of an ABI in abi_mask. 0 or -ENOMEM. */
int check_values_new(const struct policy_rule *rules, size_t n_rules, uint8_t abi_mask,
		     struct check_values *ret);
void check_values_done(struct check_values *v);

/* Number of combinations, at most cap. */
size_t check_values_product(const struct check_values *v, size_t cap);

/* Set those of args that the rule has conditions on so that it holds, if values can. */
void check_values_satisfy(const struct check_values *v, const struct policy_rule *rule,
			  uint64_t args[6]);

/* For each argument a value for which as few conditions as possible hold. */
void check_values_fill(const struct check_values *v, const struct policy_rule *rules,
		       size_t n_rules, uint64_t args[6]);

bool check_values_same_cond(const struct policy_cond *a, const struct policy_cond *b);
