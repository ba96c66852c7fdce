// SPDX-License-Identifier: Apache-2.0
/* Policy model to bundle bytes: generate every profile, check each, write. Compiler side only. */
#pragma once

#include "base/fd.h"
#include "policies/model.h"
#include "profiles/usage.h"

/*
 * Generate the seccomp program, run the independent evaluator over it against policy_eval(),
 * and serialise. Nothing is written when they differ: -ENOTRECOVERABLE, an internal error that
 * names the call and arguments. -E2BIG: the program is over LIMIT_BPF_INSNS.
 */
int compile_bundle(const struct policy *policy, struct buf *ret, struct err *err);

/* The same with the filter made for how often calls are made: seccomp_generate_for(). */
int compile_bundle_for(const struct policy *policy, const struct usage *usage, struct buf *ret,
		       struct err *err);
