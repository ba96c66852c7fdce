// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/err.h"

/* The host's procfs by a checked descriptor: that file system, and its root. A descriptor (O_PATH)
 * or -errno with err. */
int host_proc_open(struct err *err);
