// SPDX-License-Identifier: Apache-2.0
/* Loading a seccomp program of ours into the process itself. For the launcher and programs of ours.
 */
#pragma once

#include <linux/filter.h>
#include <stdbool.h>

#include "base/err.h"

struct program {
	const struct sock_filter *insns;
	unsigned short n;
};

/* Built in: tools/gen-program made them of a room's policy. Each is linked into its program alone.
 */
extern const struct program supervisor_program, collect_program, reader_program;

/* A Landlock ruleset that refuses all that an ABI knows: what is to be left is granted by the
 * caller. A descriptor, owned, or -errno. */
int program_ruleset(int abi);

/* Whether a program of our generator's is in force: it answers BUNDLE_PROBE_NR. */
bool program_in_force(void);

/*
 * Load it, and see that it is in force; flags are seccomp(2)'s, no_new_privs is the caller's to
 * have set. whose: for errors. Allocates nothing. 0, or -errno with err.
 */
int program_load(const struct program *program, unsigned flags, const char *whose, struct err *err);
