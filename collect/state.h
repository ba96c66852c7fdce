// SPDX-License-Identifier: Apache-2.0
/* What is behind struct collector. Within the room only. */
#pragma once

#include "collect/clients.h"
#include "collect/collector.h"
#include "collect/domains.h"
#include "collect/held.h"
#include "collect/members.h"
#include "collect/process.h"
#include "collect/source.h"

struct collector {
	int epoll, source, forks, listener, signals;
	int proc;    /* root of /proc */
	int kauditd; /* its directory there, or -1 */
	struct collector_facts facts;
	bool forks_on;	   /* events are asked for */
	bool forks_armed;  /* epoll tells of them */
	uint64_t rearm_ms; /* when it shall again */
	uint64_t ticked_ms;
	uint64_t now_ms; /* CLOCK_MONOTONIC, as of this round */
	bool any_walk;	 /* a client cannot rely on fork events */
	bool any_syncing;
	bool stop;
	uint64_t serial; /* of the kernel's last event */
	bool gap;	 /* some were lost behind it, at gap_ms */
	uint64_t gap_ms;
	uint64_t lost, unknown; /* events; denials of nobody knows which user */
	struct collector_totals totals;
	struct members members;
	struct domains domains;
	struct held held;
	struct clients clients;
	struct source_record in;
	struct kernel_record record, held_record;
};

/* --- join.c: whose a record is --- */

/* All fork and exit events that wait, into the table. */
void join_forks(struct collector *c);

/* One record of the kernel's, parsed in c->record with its text in c->in. */
void join_record(struct collector *c);

/* What was held for too long; all: that waits for an event's end. */
void join_held(struct collector *c, bool all);

/* A client was registered: its pid 1 is its first member. */
void join_client(struct collector *c, struct client *client);

/* The number of milliseconds to add to a monotonic time for the wall clock's. */
int64_t join_wall_offset_ms(void);
