// SPDX-License-Identifier: Apache-2.0
/* Policy to an AppArmor profile: text for apparmor_parser, loaded once by an administrator. */
#pragma once

#include "profiles/mechanism.h"

/*
 * The complete profile: files, network, capabilities, mount, ptrace, signal, unix, userns, as far
 * as the target's apparmor_abi knows them. Paths are the sandbox's own (after pivot_root).
 * Deterministic. 0, -ENOMEM, or -EOPNOTSUPP naming the line that cannot even be
 * written more strictly.
 */
int apparmor_generate(const struct policy *policy, const struct profile_target *target,
		      struct buf *ret, struct err *err);
