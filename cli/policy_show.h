// SPDX-License-Identifier: Apache-2.0
/* cordon policy show --json. */
#pragma once

#include "cli/policy.h"

/* All that the policy says, on stdout, one object. 0 or -errno with err. */
int policy_cli_show_json(const struct policy *policy, struct err *err);
