// SPDX-License-Identifier: Apache-2.0
/* The two promises of the SELinux module: by line, and by attempt. */
#pragma once

#include "profiles/mechanism.h"

int selinux_report(const struct policy *policy, const struct profile_target *target,
		   struct report *report, struct err *err);
int selinux_judge(const struct policy *policy, const struct profile_target *target,
		  const struct attempt *attempt, struct judgement *ret, struct err *err);
