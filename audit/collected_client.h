// SPDX-License-Identifier: Apache-2.0
/* A supervisor's connection to the collector. Nothing here waits longer than it is told to. */
#pragma once

#include <stdbool.h>

#include "audit/collected.h"

struct collected {
	int fd;		   /* owned, -1: none; poll it for reading */
	bool forks, audit; /* as struct collected_packet has them */
	char text[KERNEL_RECORD_MAX];
};

/*
 * Connect to the socket at path and register the sandbox whose pid 1 the pidfd is; the collector
 * has it when this returns 0. -ENOENT or -ECONNREFUSED: there is no collector. -ETIMEDOUT: no
 * answer within COLLECTED_WAIT_MS. Else -errno, the collector's own refusal among them.
 */
int collected_open(struct collected *c, const char *path, int pidfd);
void collected_close(struct collected *c);

/* What has come: 1 with a packet, whose text is valid until the next call; 0: nothing now; -errno:
 * the connection is of no more use. */
int collected_next(struct collected *c, struct collected_packet *ret, struct kernel_text *ret_text);

/* Ask for all that is left; COLLECTED_SYNCED is the answer. */
int collected_sync(struct collected *c);

/* 0 when something came before end_ms (of stamp_coarse_ms()), -ETIMEDOUT or -errno. */
int collected_wait(struct collected *c, uint64_t end_ms);

/* Whether anybody listens: 0 or -errno. */
int collected_probe(const char *path);
