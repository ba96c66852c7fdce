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

struct sink;

/* One kind of sink, in a file of its own. */
struct sink_kind {
	const char *name;
	/* What stands behind "NAME:", or NULL. Fills sink->name. */
	int (*open)(struct sink *sink, const char *argument, char *block, struct err *err);
	/* One record, all of it or nothing; 0 or -errno. What a batch may still wait in all is
	 * *wait_ms, and is taken from there. */
	int (*put)(struct sink *sink, const struct batch_entry *entry, unsigned *wait_ms);
	void (*close)(struct sink *sink);
};
extern const struct sink_kind sink_file, sink_stderr, sink_fd, sink_journal, sink_syslog;

struct sink {
	const struct sink_kind *kind;
	bool socket, terminal, colour;
	bool own_description;	  /* fd is non-blocking without a change to the caller's */
	bool contended;		  /* the last wait, for a lock or a reader, was in vain */
	struct batch_point taken; /* of a queue that several sinks take from: its caller's */
	int fd;
	struct chain chain;    /* file */
	struct chain_point at; /* fd, journal, syslog: its own chain, from 1 */
	char *rest;	       /* fd: the end of a line that was taken in part */
	size_t rest_len;
	int why;			     /* of the last loss's beginning */
	uint64_t lost_records, lost_denials; /* not yet told */
	uint64_t all_lost_records, all_lost_denials;
	char name[LIMIT_PATH + 8]; /* as asked for: "file:PATH" */
};

/* A file that was full is not taken for one that has room again before so much more is free. */
enum { SINK_ROOM = 16 * 1024 };

/* How long one flush may wait for other writers of the same log. */
enum { SINK_WAIT_MS = 100, SINK_WAIT_OPEN_MS = 5000, SINK_WAIT_END_MS = 2000 };

/* Open "file:PATH", "stderr", "fd:N", "journal[:SOCKET]" or "syslog[:SOCKET]"; NULL: the default
 * file. block is CHAIN_BLOCK bytes shared
 * by all sinks of one audit, used during calls only. */
int sink_open(struct sink *sink, const char *spec, char *block, struct err *err);
void sink_close(struct sink *sink);

/* Hand over the batch. What the sink did not take is counted in it. Returns 0, -errno of the loss,
 * or, if the caller may keep the batch, 1: another process has locked the log and nothing was
 * taken or lost. */
int sink_write(struct sink *sink, const struct batch *batch, const struct format_id *id,
	       unsigned wait_ms, bool may_keep);

/* For kinds of sinks: wait until the descriptor takes something, within what the batch may still
 * wait, and take that from *wait_ms. */
bool sink_wait(int fd, unsigned *wait_ms);
