// SPDX-License-Identifier: Apache-2.0
/*
 * What a policy says that its author may not mean: findings with stable ids, each with its place,
 * the reason and what to write instead. doc/lint.md lists the ids. A finding is answered in the
 *text: # lint: allow CP402 because the build needs it on the same line, or above it. The reason is
 *mandatory, and an answer to nothing is a finding.
 */
#pragma once

#include "policies/model.h"

enum lint_level { LINT_NOTE, LINT_WARNING, LINT_ERROR };

struct lint_finding {
	char id[8];		   /* "CP101" */
	uint8_t level;		   /* enum lint_level */
	bool answered;		   /* a lint comment allows it */
	struct policy_where where; /* always a place: what is missing is found at the policy line */
	char *text;		   /* what, and why */
	char *instead;		   /* what to write; NULL: nothing that would be shorter */
};

struct lint {
	struct lint_finding *findings; /* sorted by place, then id */
	size_t n;
};

/* 0 or -ENOMEM. */
int lint_policy(const struct policy *policy, struct lint *ret);
void lint_done(struct lint *lint);

const char *lint_level_name(enum lint_level level);
int lint_level_from_name(const char *name, enum lint_level *ret); /* 0 or -EINVAL */

/* The line of a place, without its newline; NULL when the source has no such line. */
const char *lint_line(const struct policy *policy, struct policy_where where, size_t *ret_len);
