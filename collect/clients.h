// SPDX-License-Identifier: Apache-2.0
/*
 * The supervisors that are connected, and what each is owed. Who a client is comes from the kernel
 * (SO_PEERCRED, the pidfd it passes, /proc); nothing that it says is believed. A client whose
 * socket is full waits for nothing and blocks nobody: what it misses is counted, and told when
 * there is room.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "audit/collected.h"

enum {
	CLIENTS_MAX = 4096,
	CLIENTS_OF_USER = 1536,	 /* one user leaves room for others */
	CLIENTS_HELLO_MS = 2000, /* who says nothing so long is sent away */
};

struct client {
	int fd;	   /* owned, -1: free */
	int pidfd; /* owned, of its sandbox's pid 1; -1: not registered */
	uid_t uid;
	pid_t peer; /* the supervisor */
	pid_t pid1;
	unsigned depth; /* which of a member's numbers is the one inside */
	/* Both are new for each registration. The second is also new when fork events were lost:
	 * what the table of members says of an older one counts no more. */
	uint32_t serial, member;
	bool walk; /* fork events of its sandbox were lost, or there are none */
	bool full; /* it waits for room */
	bool syncing;
	uint64_t since_ms; /* connected, then registered */
	uint64_t asked_ms; /* to be told the rest */
	unsigned n_domains;
	uint64_t dropped[_KERNEL_MECHANISM_MAX];
	uint64_t unjoined;
	/* Of the whole machine's counters, what it was told already. */
	uint64_t told_events, told_unknown;
	uint64_t told_ms;
};

struct clients {
	struct client client[CLIENTS_MAX];
	unsigned n, registered, max;
	unsigned top;  /* no one beyond */
	uint32_t turn; /* of serials */
	uint64_t refused;
	int epoll;
};

/* max: as many as there are descriptors for. */
void clients_init(struct clients *c, int epoll, unsigned max);
void clients_done(struct clients *c);

/* Take who waits at the listening socket. */
void clients_accept(struct clients *c, int listener, uint64_t now_ms);
void clients_drop(struct clients *c, struct client *client);

/* A word of the client's: 1 COLLECTED_HELLO, and the pidfd is in *ret_pidfd; 2 COLLECTED_SYNC; 0
 * nothing yet; -errno: it is to be dropped. */
int clients_hear(struct client *client, int *ret_pidfd);

/*
 * Whether the process of the pidfd is a sandbox's pid 1 of that client, by what /proc says of it:
 * it is the peer's child, pid 1 of a pid namespace below the first, its four uids are the peer's
 * and so is all that its user namespace maps. Then the client is registered, the pidfd its own, and
 * it has serials. 0; -EAGAIN: no id map yet; or -errno. The pidfd is the caller's unless 0 is
 * returned.
 */
int clients_register(struct clients *c, struct client *client, int proc, int pidfd,
		     uint64_t now_ms);

/* The client is registered and its pid 1 has not been reaped: its number is still its own. */
bool clients_has_pid1(const struct client *client, int proc);

/* Of a serial (or member serial): its client, or NULL when it has gone. */
struct client *clients_by_serial(struct clients *c, uint32_t serial);
struct client *clients_by_member(struct clients *c, uint32_t member);
uint32_t clients_new_serial(struct clients *c, const struct client *client);

/* What is sent. False: there was no room. */
bool clients_ready(struct client *client, int error, bool forks, bool audit);
/* whole: nothing of its sandbox's was on its way any more. */
bool clients_synced(struct clients *c, struct client *client, bool whole);
void clients_record(struct clients *c, struct client *client, const struct kernel_record *record,
		    const char *text, size_t len, enum collected_joined joined, pid_t inside);
/* There is room again: what is told of it next is what was missed. */
void clients_room(struct clients *c, struct client *client);
/* What it was not told: its own counts, and what the machine's counters grew by. */
bool clients_lost(struct clients *c, struct client *client, uint64_t events, uint64_t unknown,
		  uint64_t now_ms);
