// SPDX-License-Identifier: Apache-2.0
/*
 * Which calls a policy lets through, over all values of the arguments: an exact search, not
 * samples. A comparison splits an argument's values into intervals and cubes (some bits fixed), of
 * which the intersection is again one interval and one cube; so each step of the search is decided
 * exactly.
 */
#pragma once

#include "policies/model.h"

enum reach {
	REACH_NO,  /* no values: proved */
	REACH_YES, /* *ret_args holds some */
	REACH_HARD /* given up after REACH_STEPS steps */
};
enum { REACH_STEPS = 20000, REACH_LISTS = 3 };

/* Are there values for which every comparison of all[] holds, and of no rule of none[] all of them?
 * The comparisons' widths are the argument's. */
struct reach_query {
	enum abi abi;
	const struct policy_cond *all[REACH_LISTS];
	size_t n_all[REACH_LISTS];
	const struct policy_rule *const *none; /* for the same call */
	size_t n_none;
	/* For who searches often: how many rules may still be looked at by all searches together,
	 * counted down; at 0 each is given up. NULL: REACH_STEPS alone. */
	uint64_t *budget;
};
/* About a second. */
enum { REACH_BUDGET = 1 << 26 };
enum reach reach_find(const struct reach_query *query, uint64_t ret_args[6]);

/* Whether the policy allows the call on that ABI for some values that meet the n comparisons of
 * pattern. ret_args may be NULL. */
enum reach reach_allowed(const struct policy *policy, enum abi abi, const struct syscall_desc *call,
			 const struct policy_cond *pattern, size_t n, uint64_t ret_args[6]);

/* Whether it allows the call for every value. */
bool reach_all_allowed(const struct policy *policy, enum abi abi, const struct syscall_desc *call);

/*
 * A call and values for which the two policies answer differently (action, errno, quiet), or
 * REACH_NO: what they mean for calls is the same on every ABI.
 */
struct reach_difference {
	enum abi abi;
	const struct syscall_desc *call;
	uint64_t args[6];
};
enum reach reach_differ(const struct policy *a, const struct policy *b,
			struct reach_difference *ret);
