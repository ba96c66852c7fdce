// SPDX-License-Identifier: Apache-2.0
/* Where records go. A sink never blocks for long and never fails its caller: it takes what it can
 * and counts the rest as lost. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/batch.h"
#include "audit/chain.h"
#include "audit/format.h"
#include "base/err.h"

enum sink_kind { SINK_FILE, SINK_STDERR, SINK_FD };

struct sink {
	enum sink_kind kind;
	bool socket, terminal, colour;
	bool own_description; /* fd is non-blocking without a change to the caller's */
	bool contended;	      /* the last wait for the log's lock was in vain */
	int fd;
	struct chain chain;    /* SINK_FILE */
	struct chain_point at; /* SINK_FD: its own chain, from 1 */
	char *rest;	       /* SINK_FD: the end of a line that was taken in part */
	size_t rest_len;
	int why;			     /* of the last loss */
	uint64_t lost_records, lost_denials; /* not yet told */
	uint64_t all_lost_records, all_lost_denials;
	char name[LIMIT_PATH + 8]; /* as asked for: "file:PATH" */
};

/* How long one flush may wait for other writers of the same log. */
enum { SINK_WAIT_MS = 100, SINK_WAIT_OPEN_MS = 5000, SINK_WAIT_END_MS = 2000 };

/* Open "file:PATH", "stderr" or "fd:N"; NULL: the default file. block is CHAIN_BLOCK bytes shared
 * by all sinks of one audit, used during calls only. */
int sink_open(struct sink *sink, const char *spec, char *block, struct err *err);
void sink_close(struct sink *sink);

/* Hand over the batch. What the sink did not take is counted in it. Returns 0, or -errno of the
 * loss. */
int sink_write(struct sink *sink, const struct batch *batch, const struct format_id *id,
	       unsigned wait_ms);
