// SPDX-License-Identifier: Apache-2.0
/* Policy to an SELinux module in CIL, for semodule on the reference policy. */
#pragma once

#include "profiles/mechanism.h"

/* The module: one type for the process, what it may do, and how it is entered. Deterministic.
 * 0, -ENOMEM, or -EOPNOTSUPP naming the line that cannot even be written more strictly. */
int selinux_generate(const struct policy *policy, const struct profile_target *target,
		     struct buf *ret, struct err *err);
