// SPDX-License-Identifier: Apache-2.0
/*
 * What Landlock can enforce, by ABI: which rights exist, which a path line grants, which ports and
 * scopes. Pure facts and arithmetic: the launcher applies it, the compiler reports and judges by
 * it. (Documentation/userspace-api/landlock.rst; include/uapi/linux/landlock.h.)
 */
#pragma once

#include <stdint.h>

#include "policies/model.h"

/* The newest ABI of which upstream's header says what it has; a kernel with a newer one is used as
 * this one. */
#define LANDLOCK_NEWEST_ABI 7

uint64_t landlock_handled_fs(int abi);
uint64_t landlock_scoped(int abi);
/* LANDLOCK_ACCESS_NET_* for a direction and protocol; 0 where the ABI has none. */
uint64_t landlock_net_right(int abi, enum policy_port_direction direction,
			    enum policy_port_protocol protocol);
/* What a path line of the verb grants below a directory, of what the ABI handles. */
uint64_t landlock_verb_rights(enum policy_path_verb verb, int abi);
