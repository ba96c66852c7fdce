// SPDX-License-Identifier: Apache-2.0
/*
 * Which process belongs to which sandbox: a table over all numbers that a process can have, of
 * fixed size, of which only the pages that are written take memory.
 *
 * A record is read some time after it was made, and its time is of a clock that stands still
 * between two ticks: it can be any time late, never early. So a number that was given again needs
 * care. The record is of the number's present owner when it is younger than that one's fork, or
 * else when it is younger than the end of the owner before: in both cases the one before cannot
 * have made it. When it is neither, it may be of either, and is nobody's. Of ends before the table
 * began nothing is known, but that no record of before is still to come, where all of them had been
 * read by then.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { MEMBERS_MAX = 4194304 }; /* PID_MAX_LIMIT, linux/threads.h */

struct members {
	/* Times in units of 4 ms of CLOCK_MONOTONIC, modulo 2^32: right for 99 days. */
	struct member {
		uint32_t serial; /* of the sandbox; 0: none */
		uint32_t forked;
		uint32_t before; /* the last end of a thread of who had the number before */
		uint32_t ended;	 /* of the present owner */
	} * table;
	uint32_t since; /* all forks and ends are known from here on */
};

/* 0 or -ENOMEM: 64 MiB of address space. */
int members_init(struct members *m);
void members_done(struct members *m);

/* From now on all forks and ends are told. all_read: so is each record of before. */
void members_begin(struct members *m, uint64_t mono_ms, bool all_read);

/* The process pid was made and belongs to serial; 0: to none. */
void members_put(struct members *m, pid_t pid, uint32_t serial, uint64_t mono_ms);

/* A registered pid 1, which is there and was there before: it is the owner of its number. */
void members_put_first(struct members *m, pid_t pid, uint32_t serial);

/* A thread of the process has ended. */
void members_ended(struct members *m, pid_t pid, uint64_t mono_ms);

/* To whom the process of that number belonged that made a record stamped mono_ms: a serial; 0: to
 * none; MEMBERS_UNSURE: to its present owner, or to the one before. */
#define MEMBERS_UNSURE UINT32_MAX
uint32_t members_get(const struct members *m, pid_t pid, uint64_t mono_ms);

/* Whose the number is now. */
uint32_t members_owner(const struct members *m, pid_t pid);
