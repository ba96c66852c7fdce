// SPDX-License-Identifier: Apache-2.0
/* `if ...` of a call's line: read once, then made into rules for each call and ABI. */
#pragma once

#include "policies/value.h"

/* A value, or a range of them. */
struct span {
	size_t word;
	bool range;
	struct value low, high; /* high: ranges only */
};

/* One condition as written: it may stand for several, and for any call that has the argument. */
struct test {
	size_t arg_word;
	uint8_t op;
	bool negate;
	bool has_mask;
	struct value mask;
	struct span *spans; /* any of them */
	size_t n_spans;
};

struct tests {
	struct test list[LIMIT_RULE_CONDS];
	size_t n;
};
void tests_done(struct tests *t);

/* A word that ends the list of an `in`, the calls of a line or the ABIs of an `on`. */
bool parse_is_suffix(const struct parser *p, size_t i);
bool parse_is_word(const struct parser *p, size_t i, const char *text);

/* From `if` at word *i on. 0, -EINVAL with a mistake, or -ENOMEM. */
int parse_tests(struct parser *p, size_t *i, struct tests *ret);

/* Add the rules that rule (its call, answer and ABIs) becomes under the tests. named: the line
 * says for which ABIs it is. Same results. */
int parse_add_rules(struct parser *p, const struct tests *tests, const struct policy_rule *rule,
		    bool named);
