// SPDX-License-Identifier: Apache-2.0
/* Policy model to bundle bytes: generate every profile, check each, write. Compiler side only. */
#pragma once

#include "base/fd.h"
#include "policies/model.h"

/*
 * Generate the seccomp program, run the independent evaluator over it against policy_eval(),
 * and serialise. Nothing is written when they differ: -ENOTRECOVERABLE, an internal error that
 * names the call and arguments. -E2BIG: the program is over LIMIT_BPF_INSNS.
 */
int compile_bundle(const struct policy *policy, struct buf *ret, struct err *err);
