// SPDX-License-Identifier: Apache-2.0
/* Where cordon-policy and cordon-audit look policies up when they are told nothing. */
#pragma once

#include <stddef.h>

enum { POLICY_DEFAULT_DIRS = 4 };

/* The caller's own, the administrator's, those of the tree that this build lies in, and the
 * installed ones. Their number; the texts live for good. */
size_t policy_default_dirs(const char *ret[POLICY_DEFAULT_DIRS]);
