// SPDX-License-Identifier: Apache-2.0
/* The supervisor's own filter, made of sandbox/supervisor.policy when cordon is built. */
#pragma once

#include <linux/filter.h>

#include "base/err.h"

struct confine_filter {
	const struct sock_filter *insns;
	unsigned short n;
};

extern const struct confine_filter supervisor_program;

/*
 * Put the process, with all its threads, under the filter, and see that it is in force. It cannot
 * be undone, and no_new_privs stays set: nothing is executed afterwards. 0, or -errno with err.
 */
int confine_supervisor(const struct confine_filter *filter, struct err *err);
