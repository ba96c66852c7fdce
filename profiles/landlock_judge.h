// SPDX-License-Identifier: Apache-2.0
/* Parts of landlock_mechanism, between its files. */
#pragma once

#include "profiles/mechanism.h"

/* Whether it refuses all that the call does, whatever the policy's lines are. */
bool landlock_refuses(const char *call);

int landlock_judge(const struct policy *policy, const struct profile_target *target,
		   const struct attempt *attempt, struct judgement *ret, struct err *err);
int landlock_report(const struct policy *policy, const struct profile_target *target,
		    struct report *report, struct err *err);
int landlock_emit(const struct policy *policy, const struct profile_target *target, struct buf *ret,
		  struct err *err);
