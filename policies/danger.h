// SPDX-License-Identifier: Apache-2.0
/*
 * What the kernel's calls can cost who lets them through: one table, read by lint (why a line is a
 * risk) and by score (how much is reachable). doc/score.md says what the classes and weights mean.
 */
#pragma once

#include "policies/model.h"

enum danger_class {
	DANGER_MACHINE,	  /* owns or stops the machine for who has the privilege */
	DANGER_PROCESS,	  /* reads or steers another process */
	DANGER_NAMESPACE, /* brings namespaces and the kernel code behind their capabilities */
	DANGER_PROGRAM,	  /* takes programs of the caller's into the kernel */
	DANGER_SUBSYSTEM, /* a large or seldom used part of the kernel with a record of holes */
	DANGER_FILTER,	  /* goes past the filter's view: operations it does not see */
	DANGER_PATH,	  /* goes past paths, mounts or their hiding */
	DANGER_TERMINAL,  /* acts on the terminal outside */
	DANGER_HARDENING, /* switches hardening of the process itself off */
	DANGER_SIDE,	  /* timing or address leaks, primitives that exploits are built of */
	_DANGER_CLASS_MAX,
};

enum { DANGER_TESTS = 2, DANGER_WARN = 8 };

/* One call, or the part of it that the comparisons pick. */
struct danger {
	const char *call;
	const char *what; /* how it is named: "ioctl(TIOCSTI)"; NULL: the call alone */
	uint8_t class;	  /* enum danger_class */
	uint8_t weight;	  /* 1 to 20; from DANGER_WARN on lint warns, below it notes */
	uint8_t n_tests;
	struct {
		uint8_t arg, op; /* POLICY_EQ, or POLICY_MASKED_EQ; negate: != */
		bool negate;
		uint64_t mask, value;
	} tests[DANGER_TESTS];
	const char *why;    /* one sentence */
	const char *source; /* manual page, kernel document or advisories */
};

/* Capabilities that are root, or one step from it. */
struct danger_cap {
	unsigned cap;
	const char *name;
	const char *why;
};
const struct danger_cap *danger_caps(size_t *ret_count);

/* The table, sorted by call. */
const struct danger *danger_table(size_t *ret_count);

/* An entry's comparisons as a policy has them. How many. */
size_t danger_pattern(const struct danger *danger, const struct syscall_desc *call,
		      struct policy_cond ret[DANGER_TESTS]);

const char *danger_class_name(enum danger_class class);
const char *danger_name(const struct danger *danger);
