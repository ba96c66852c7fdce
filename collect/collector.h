// SPDX-License-Identifier: Apache-2.0
/*
 * The collector of the kernel's own denials: it hears the kernel's audit and hands each denial to
 * the supervisor whose sandbox it is of, and to nobody else (doc/decisions/0015). One thread, one
 * loop, fixed memory: after collector_open() nothing is allocated.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct collector;

struct collector_options {
	const char *socket; /* where supervisors connect; its directory is there */
	int source;  /* for tests: records come from this socket instead; -1: the kernel's audit */
	int forks;   /* for tests: as source; -1: the kernel's, -2: none */
	int kauditd; /* with source: a directory as /proc has it of a thread; -1: none */
};

/* What is printed about it. */
struct collector_facts {
	bool forks;   /* fork events are to be had */
	bool audit;   /* the kernel's audit is on */
	bool kauditd; /* its thread can be seen in /proc */
	unsigned max; /* sandboxes at once, for want of descriptors perhaps fewer than it could take
		       */
};

struct collector_totals {
	uint64_t records;   /* read */
	uint64_t denials;   /* of these */
	uint64_t delivered; /* to a sandbox */
	uint64_t unjoined;  /* of a process that was gone */
	uint64_t lost;	    /* events that the kernel could not hand over, at most */
	uint64_t refused;   /* connections */
};

/* All that needs rights: sockets, tables, /proc. 0, or -errno with err. */
int collector_open(const struct collector_options *options, struct collector **ret,
		   struct collector_facts *facts, struct err *err);

/* Run until SIGTERM or SIGINT. 0, or -errno with err when a socket is broken. */
int collector_run(struct collector *c, struct err *err);

void collector_totals(const struct collector *c, struct collector_totals *ret);
void collector_close(struct collector *c); /* NULL is allowed */

/* Within the room: what epoll says is readable; from the last one on, the number of a client. */
enum {
	COLLECTOR_SOURCE = 1,
	COLLECTOR_FORKS,
	COLLECTOR_LISTENER,
	COLLECTOR_SIGNALS,
	COLLECTOR_CLIENTS = 16,
};
