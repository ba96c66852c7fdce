// SPDX-License-Identifier: Apache-2.0
/*
 * The supervisor's side of the seccomp listener: take a notification, record it, answer it. The
 * answer rests on registers and the bundle alone, never on memory that the payload can change
 * (seccomp_unotify(2), "Design goals").
 */
#pragma once

#include <linux/seccomp.h>
#include <stdbool.h>

#include "audit/learn.h"
#include "audit/record.h"
#include "base/err.h"
#include "profiles/bundle.h"

struct notify {
	int fd; /* owned, -1: none */
	const struct bundle *bundle;
	struct audit *audit;
	struct learn *learn; /* NULL: only denials come here, and nothing is recorded for learning
			      */
	bool let_first_exec_pass; /* execve is notified: the launch itself is one */
	uint64_t answered;
	bool crowded;  /* the last look for more than one found more */
	uint8_t alone; /* how often it was not looked */
	union {
		struct seccomp_notif notif;
		char space[256]; /* a newer kernel's structure is larger (SECCOMP_GET_NOTIF_SIZES)
				  */
	} in;
	union {
		struct seccomp_notif_resp resp;
		char space[128];
	} out;
};

#define NOTIFY_INIT ((struct notify){ .fd = -1 })

/* Take fd over. -E2BIG: this kernel's structures are larger than ours can ever be. */
int notify_begin(struct notify *n, int fd, struct err *err);
void notify_end(struct notify *n);

/*
 * poll(2) said revents: answer what waits, at most max of them. 0, also when a caller is gone
 * meanwhile; 1 when the last process under the filter is gone; -errno when the listener is broken.
 */
int notify_ready(struct notify *n, short revents, unsigned max);
