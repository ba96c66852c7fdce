// SPDX-License-Identifier: Apache-2.0
/* Recordings of one or several runs, read back and merged: what cordon-learn writes a policy of. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/fd.h"
#include "policies/syscall.h"

enum {
	LEARN_MAX_RUNS = 32,
	LEARN_MAX_FILE = 64 << 20,
	LEARN_MAX_TUPLES = 64,
	LEARN_MAX_ASSUMED = 64,
	LEARN_MAX_PLACES = 2048,
	LEARN_MAX_ITEMS = 65536, /* paths or sockets of all runs */
};

struct learned_run {
	char *id, *time, *policy, *command, *cwd, *home, *cut;
	uint8_t net;
	unsigned landlock; /* ABI of the kernel that it ran on; 0: none, or not told */
	bool host_root, phased, ended, complete;
	size_t n_assumed;
	uint64_t calls, denied, odd, unread, unresolved, lost, lost_args;
};

struct learned_call {
	const struct syscall_desc *desc;
	enum abi abi;
	bool denied, killed, quiet, key_varies;
	uint16_t errno_value;
	uint32_t runs;	/* bit per run */
	uint8_t phases; /* bit per phase */
	uint64_t count;
	char *program; /* first caller's, the last component */
	unsigned n_tuples;
	uint64_t tuple[LEARN_MAX_TUPLES][3];
};

struct learned_path {
	char *path, *program;
	unsigned access; /* LEARN_READ ... of audit/learn.h */
	bool missing, link, directory, denied;
	uint32_t runs;
	uint8_t phases;
	uint64_t count;
};

struct learned_place {
	char *path, *kind, *why;
	bool writable;
};

struct learned_socket {
	char *address, *program;
	bool bind, denied;
	unsigned family, port;
	int type, protocol; /* -1: not seen */
	uint32_t runs;
	uint8_t phases;
	uint64_t count;
};

struct learned_setting {
	char *name, *value; /* env: value NULL passes it on; limit: a number */
};

/* A call that was not recorded in these runs (--quick). */
struct learned_assumed {
	const struct syscall_desc *desc;
	uint32_t runs;
};

struct learned {
	struct learned_run runs[LEARN_MAX_RUNS];
	struct learned_call *calls;
	struct learned_path *paths;
	struct learned_place *places;
	struct learned_socket *sockets;
	struct learned_setting *envs, *limits;
	struct learned_assumed assumed[LEARN_MAX_ASSUMED];
	size_t n_assumed;
	size_t n_runs, n_calls, n_paths, n_places, n_sockets, n_envs, n_limits;
	size_t max_calls, max_paths, max_places, max_sockets, max_envs, max_limits;
	uint64_t unknown; /* calls without a name in the table */
};
void learned_done(struct learned *l);

/* Add a recording's runs. A run that is there already is an error, as is a file that is none. */
int learned_read(struct learned *l, const char *file, struct err *err);
/* The same of its text, whose ends of lines become NUL; file is its name in what is said. */
int learned_parse(struct learned *l, const char *file, char *text, struct err *err);

/* One entry a path, sorted by its bytes. */
void learned_merge_paths(struct learned *l);

/* Whether every run is complete. */
bool learned_complete(const struct learned *l);

/* The policy's text. 0 or -ENOMEM. */
int learned_policy(struct learned *l, const char *name, struct buf *out);
/* Its parts. */
int learned_rules(struct learned *l, struct buf *out);
int learned_view(struct learned *l, struct buf *out);
int learned_net(const struct learned *l, struct buf *out);

/* "# r1,r2 247x dash", behind a rule that is padded to one column. */
int learned_put(struct buf *out, const char *rule, uint32_t runs, uint64_t count,
		const char *program, const char *phase);
const char *learned_phase(const struct learned *l, uint8_t phases);
