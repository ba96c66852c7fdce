// SPDX-License-Identifier: Apache-2.0
/* What the collector gives up once it has its sockets, for good. */
#pragma once

#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* Refuse to begin with more than the one capability, as uid 0, or outside of the first user
 * namespace. 0, or -errno with err. */
int confine_check(struct err *err);

struct confine_program {
	const struct sock_filter *insns;
	uint16_t n;
};
/* Made of collect.policy by the build; linked into cordon-collect only. */
extern const struct confine_program collect_program;

/*
 * Drop every capability from every set, no new privileges, no core dump, a Landlock domain that
 * grants reading below /proc and nothing else, and the seccomp program; then read back what is in
 * force. *ret_landlock: the ABI that was used, 0: the kernel has none. 0, or -errno with err: the
 * process must end.
 */
int confine_apply(const struct confine_program *program, int *ret_landlock, struct err *err);
