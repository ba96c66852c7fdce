// SPDX-License-Identifier: Apache-2.0
/*
 * What a supervisor and the collector of the kernel's denials (collect/) say to each other: packets
 * over a SOCK_SEQPACKET socket of this machine, in its own byte order. The supervisor says two
 * words and the kernel vouches for who it is; everything else comes from the collector.
 */
#pragma once

#include <stdint.h>

#include "audit/kernel_record.h"

#define COLLECTED_SOCKET "/run/cordon/collect.sock"

enum {
	COLLECTED_VERSION = 1,
	COLLECTED_WAIT_MS = 2000, /* a supervisor waits at most so long for an answer */
};

/* To the collector. */
enum {
	COLLECTED_HELLO = 0x636f7264, /* with a pidfd of the sandbox's pid 1 */
	COLLECTED_SYNC,		      /* the sandbox has ended: hand out what is left */
};
struct collected_word {
	uint32_t word;
	uint32_t version;
};

/* From the collector. */
enum collected_kind {
	COLLECTED_READY = 1, /* the answer to HELLO */
	COLLECTED_RECORD,    /* a denial: text follows */
	COLLECTED_LOST,	     /* what no record tells of */
	COLLECTED_SYNCED,    /* the answer to SYNC: nothing follows */
};

/* How a record was joined to a sandbox (doc/decisions/0015). */
enum collected_joined {
	COLLECTED_BY_DOMAIN,
	COLLECTED_BY_PID,
	COLLECTED_BY_PARENT,
	COLLECTED_BY_UID,
	_COLLECTED_BY_MAX,
};

struct collected_packet {
	uint32_t kind;
	int32_t error;	 /* READY: 0, or -errno of a refusal; SYNCED: 0, or -ETIMEDOUT: more of the
			  * sandbox's denials may be on their way, and nobody knows how many */
	uint32_t forks;	 /* READY: processes are followed by fork events */
	uint32_t audit;	 /* READY: the kernel's audit is on; off, Landlock tells nothing */
	uint32_t type;	 /* RECORD */
	uint32_t joined; /* RECORD */
	uint32_t pid;	 /* RECORD: in the sandbox's pid namespace, 0: not known */
	uint32_t reserved;
	/* LOST */
	uint64_t events;   /* of the whole machine, at most, that never reached the collector */
	uint64_t unjoined; /* denials of the user's, or of nobody knows whom, that had no process */
	uint64_t dropped[_KERNEL_MECHANISM_MAX]; /* denials of this sandbox, not taken in time */
	/* RECORD: the kernel's text, to the packet's end */
};
