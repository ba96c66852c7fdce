// SPDX-License-Identifier: Apache-2.0
/* Policies, for those verbs of cordon-audit that judge by one. */
#pragma once

#include "audit/recorded.h"
#include "cli/audit.h"
#include "policies/model.h"
#include "profiles/mechanism.h"

/* A name or a path, as cordon-policy takes it. Mistakes are printed when err is not NULL, else the
 * policy is only tried. 0 or -errno. */
int audit_policy_load(const struct audit_args *args, const char *what, struct policy **ret,
		      struct err *err);

/* Where policies are looked up: AUDIT_MAX_SEARCH places are enough. How many. */
size_t audit_policy_dirs(const struct audit_args *args, const char *ret[AUDIT_MAX_SEARCH]);

static inline void audit_policy_freep(struct policy **policy)
{
	policy_free(*policy);
}
#define _cleanup_audit_policy_ __attribute__((cleanup(audit_policy_freep)))

/* Whether the record was made under that policy, and not one that was changed since. */
bool audit_policy_is_records(const struct policy *policy, const struct recorded *record);

/* Whether a verdict's rule is the one that the record names, and its answer the one it has. */
bool audit_policy_same_verdict(const struct policy *policy, const struct policy_verdict *verdict,
			       const struct recorded *record);

/* "FILE:LINE" (the file without its directories unless whole), "default", "kernel" or "abi". */
void audit_policy_rule_text(const struct policy *policy, const struct policy_verdict *verdict,
			    bool whole, char *buf, size_t cap);
