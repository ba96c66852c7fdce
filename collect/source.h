// SPDX-License-Identifier: Apache-2.0
/* The kernel's audit as a multicast group of netlink: every record, as text, to whoever may listen
 * (linux/audit.h, AUDIT_NLGRP_READLOG). To join takes CAP_AUDIT_READ; to stay takes nothing. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "audit/kernel_record.h"
#include "base/err.h"

/* A socket in the group, or -errno with err. */
int source_open(struct err *err);

/* Whether the kernel's audit is on: then it tells of a second listener. Waits at most 0.3 s; needs
 * the capability. Records that come meanwhile are passed over. */
bool source_is_on(int fd);

struct source_record {
	unsigned type;
	size_t len;
	char text[KERNEL_RECORD_MAX + 1]; /* NUL-terminated */
};

/* 1 and a record, 0 when none waits, -ENOBUFS when some were lost, or -errno. What is no record of
 * the kernel's is passed over. */
int source_next(int fd, struct source_record *ret);
