// SPDX-License-Identifier: Apache-2.0
/* Named sets of calls: systemd's @groups. */
#pragma once

#include "policies/syscall.h"

/* Set set[i] for each member, i being the call's place in syscall_table(); the others stay as
 * they are. name with its '@'. 0 or -ENOENT. */
int groups_expand(const char *name, bool *set);

/* The i-th name, NULL past the last: for suggestions. */
const char *groups_name(size_t i);
