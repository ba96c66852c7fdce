// SPDX-License-Identifier: Apache-2.0
/* Between the parts of lint: how a finding is made. */
#pragma once

#include "policies/lint.h"
#include "policies/reach.h"

struct linter {
	const struct policy *policy;
	struct lint *out;
	bool no_memory;
	uint64_t budget; /* of the searches for lines that others cover */
};

/* Add one; instead may be NULL. The same finding at the same place is added once. */
void lint_add(struct linter *l, const char *id, enum lint_level level, struct policy_where where,
	      const char *instead, const char *fmt, ...) __attribute__((format(printf, 6, 7)));

/* Where the policy is named: the place of what is missing. */
struct policy_where lint_head(const struct policy *policy);

/* Whether the word at a place is an @group: then the author did not name the call. */
bool lint_is_group(const struct policy *policy, struct policy_where where, const char *group);

/* "FILE:LINE" of another place than the finding's; use within one expression. */
struct lint_place {
	char text[96];
};
struct lint_place lint_place(const struct policy *policy, struct policy_where where);

/* The subjects; each looks at the whole policy. */
void lint_comparisons(struct linter *l);
void lint_shadows(struct linter *l);
void lint_twins(struct linter *l);
void lint_abis(struct linter *l);
void lint_dangers(struct linter *l);
void lint_view(struct linter *l);
void lint_settings(struct linter *l);

/* Mark what the texts answer; say which answers are wrong or idle. */
void lint_answers(struct linter *l);
