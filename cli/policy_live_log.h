// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/policy_live.h"

/* Read the audit log of one sandbox and tell those calls (indices into calls, in the order they
 * were made) which denials are theirs. 0 or -errno. */
int live_log_match(int fd, struct live_call *calls, const size_t *made, size_t n_made,
		   struct err *err);
