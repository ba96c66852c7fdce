// SPDX-License-Identifier: Apache-2.0
/* The seccomp program of a launch that learns. Within sandbox/ only. */
#pragma once

#include <linux/filter.h>

#include "sandbox/plan.h"

enum { LEARN_FILTER_INSNS = PLAN_ASSUMED + 16 };

/* Instructions: each call is notified, but for those that plan->assumed lets pass and the self-test
 * call. Nothing is allocated. */
unsigned short learn_filter(const struct plan *plan, struct sock_filter ret[LEARN_FILTER_INSNS]);
