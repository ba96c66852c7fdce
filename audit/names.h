// SPDX-License-Identifier: Apache-2.0
/* Names of what a system call's argument means: flags, requests, commands. Facts of the kernel's
 * user headers; a value without a name is shown as a number, never left out. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct name_value {
	uint64_t value;
	const char *name;
};

/*
 * An argument is one of `lows` in the bits of low_mask and any of `flags` in the others; without
 * a mask the one of `lows` is the name of 0. Flags that hold several bits stand before their parts.
 */
struct name_set {
	const struct name_value *lows;
	size_t n_lows;
	uint64_t low_mask;
	const struct name_value *flags;
	size_t n_flags;
};

/* NULL when nothing is known about that argument. */
const struct name_set *names_find(const char *call, unsigned arg);

/* "O_WRONLY|O_CREAT|0x40000000", cut to cap - 1. buf is returned. */
const char *names_spell(const struct name_set *set, uint64_t value, char *buf, size_t cap);

/* "EPERM" or "errno N"; "SIGTERM", "SIGRT+3" or "signal N"; "AF_UNIX" or "AF_N". buf is
 * returned. */
const char *names_errno(unsigned value, char *buf, size_t cap);
const char *names_signal(unsigned value, char *buf, size_t cap);
const char *names_family(unsigned value, char *buf, size_t cap);

/* Sets that structures in memory need. */
extern const struct name_set names_open_flags;
extern const struct name_set names_open_resolve;
extern const struct name_set names_clone3_flags;

/* What names_find walks: rows of the room's names_*.c files. */
struct name_row {
	const char *call;
	uint8_t arg;
	const struct name_set *set;
};
extern const struct name_row names_files[];
extern const size_t names_n_files;
extern const struct name_row names_processes[];
extern const size_t names_n_processes;
extern const struct name_row names_devices[];
extern const size_t names_n_devices;
extern const struct name_set names_families;

/* For the tables. */
#define NAME(x)                                                                                    \
	{                                                                                          \
		(uint64_t)(x), #x                                                                  \
	}
#define NAMES_ENUM(set, table)                                                                     \
	const struct name_set set = { (table), sizeof(table) / sizeof((table)[0]), UINT64_MAX,     \
				      NULL, 0 }
#define NAMES_FLAGS(set, table)                                                                    \
	const struct name_set set = { NULL, 0, 0, (table), sizeof(table) / sizeof((table)[0]) }
#define NAMES_BOTH(set, mask, low, table)                                                          \
	const struct name_set set = { (low), sizeof(low) / sizeof((low)[0]), (mask), (table),      \
				      sizeof(table) / sizeof((table)[0]) }
