// SPDX-License-Identifier: Apache-2.0
/* A recording's memory, for the files of this room that fill and write it. */
#pragma once

#include "audit/learn.h"
#include "base/limits.h"

enum {
	LEARN_NUMBERS = 1024, /* of an ABI; higher ones are counted as odd */
	LEARN_CALLS = 1024,   /* distinct (call, ABI, allowed or not) */
	LEARN_VALUES = 16,    /* distinct values of one argument; then it varies */
	LEARN_TUPLES = 64,    /* distinct values of the arguments that say what a call does */
	LEARN_KEYED = 64,     /* calls with such arguments */
	LEARN_PROGRAMS = 512, /* distinct executables */
	LEARN_PIDS = 4096,    /* whose program is remembered */
	LEARN_PATHS = 16384,  /* distinct paths */
	LEARN_SLOTS = 32768,  /* of their hash table */
	LEARN_TEXT = 4 << 20, /* bytes of all texts */
	LEARN_KNOWN = 8192,
	LEARN_SOCKETS = 1024, /* distinct addresses */
	LEARN_CHAIN = 8,      /* ancestors that are told */
	LEARN_PHASES = 2,
};

struct learn_values {
	uint8_t n;
	bool varies;
	uint64_t value[LEARN_VALUES];
};

struct learn_tuple {
	uint64_t value[3];
	uint64_t count;
};

struct learn_key {
	uint16_t n;
	bool varies;
	struct learn_tuple tuple[LEARN_TUPLES];
};

struct learn_entry {
	uint8_t abi;
	bool denied, killed, quiet;
	bool no_key; /* it should have one */
	uint8_t phases;
	uint16_t key; /* 0: none, else place in keys + 1 */
	uint16_t errno_value;
	int32_t nr;
	uint32_t chain[LEARN_CHAIN]; /* programs: the first caller, its parent ... */
	uint8_t n_chain;
	uint64_t count[LEARN_PHASES];
	uint64_t first_ns;
	struct learn_values args[6];
};

enum learn_kind { LEARN_MISSING, LEARN_FILE, LEARN_DIR, LEARN_LINK, LEARN_OTHER, LEARN_UNSEEN };

struct learn_path {
	uint32_t text;
	uint32_t program;
	uint8_t access;
	uint8_t kind; /* enum learn_kind */
	uint8_t phases;
	bool denied; /* every call with it was refused */
	uint64_t count;
};

/* A path without symlinks that was looked up before and was there. */
struct learn_known {
	uint64_t hash;
	uint32_t path; /* place in paths + 1 */
};

struct learn_socket {
	bool bind;
	uint8_t phases;
	uint16_t family, port;
	int32_t type, protocol; /* -1: not seen */
	uint32_t address;	/* text */
	uint32_t program;
	uint64_t count;
};

struct learn_pid {
	int32_t pid;
	uint16_t program; /* place in programs + 1 */
	bool executes;	  /* it called execve: the next call may be another program's */
};

struct learn {
	const char *exec, *exec_path, *exec_cwd; /* NULL once told */
	int root; /* of the sandbox, as its payload sees it; -1: not yet */
	uint8_t phase;
	uint64_t started_ns;
	uint64_t calls, denied;
	uint64_t odd_numbers; /* calls with a number that no table can have */
	uint64_t unread;      /* texts that could not be read */
	uint64_t unresolved;  /* paths whose place could not be looked at */
	uint64_t gone;	      /* callers that ended before their text was believed */
	uint64_t lost_calls, lost_keys, lost_paths, lost_sockets, lost_programs;

	uint16_t index[2][_ABI_MAX][LEARN_NUMBERS]; /* by denied; place in entries + 1 */
	uint16_t n_entries, n_keys, n_programs;
	uint32_t n_paths, n_sockets, n_text;
	struct learn_entry entries[LEARN_CALLS];
	struct learn_key keys[LEARN_KEYED];
	uint32_t programs[LEARN_PROGRAMS]; /* texts */
	bool mapped[LEARN_PROGRAMS];	   /* its loader was looked at */
	struct learn_pid pids[LEARN_PIDS];
	uint32_t slots[LEARN_SLOTS]; /* place in paths + 1 */
	struct learn_path paths[LEARN_PATHS];
	struct learn_known known[LEARN_KNOWN]; /* by the hash of a path as it was read */
	struct learn_socket sockets[LEARN_SOCKETS];
	char text[LEARN_TEXT]; /* [0] is the empty text */
};

/* A text's place, or 0 when there is no room. */
uint32_t learn_text(struct learn *l, const char *text);

/* The program behind a process: its place in programs + 1, 0 when it cannot be told. */
uint16_t learn_program(struct learn *l, int32_t pid);

/* Paths and addresses of a call. */
void learn_places(struct learn *l, const struct learn_event *e, const struct syscall_desc *desc,
		  uint16_t program);

/* What a process has mapped executable right after execve: itself and its loader. */
void learn_mapped(struct learn *l, int32_t pid, uint16_t program);

/* Count a path that is where it is said to be. */
void learn_put(struct learn *l, const char *path, unsigned access, enum learn_kind kind,
	       uint16_t program, bool denied);

/* Whether the caller still waits: what was read of it is its own. */
bool learn_is_valid(const struct learn_event *e);

/* Find what path leads to for a caller, count it and each symlink on the way. */
void learn_resolve(struct learn *l, const char *path, unsigned access, bool follow,
		   uint16_t program, bool denied);

void learn_socket(struct learn *l, const struct learn_event *e, const struct syscall_desc *desc,
		  uint16_t program);
