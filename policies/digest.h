// SPDX-License-Identifier: Apache-2.0
/* What a policy's meaning depends on, as one hash. */
#pragma once

#include "policies/compose.h"

/* Over the paths and bytes of all units in order, the table of calls, the architecture and the
 * version of the compiler: a change in any of them is another policy to every cache. */
void digest_policy(const struct unit *units, size_t n_units, enum abi native, struct hash *ret);
