// SPDX-License-Identifier: Apache-2.0
/*
 * What the payload of a random launch finds out: each check bears the invariant that it is about
 * (the ids of SECURITY.md). Three things can be wrong with one:
 *	breach   there is more than was asked for
 *	lost     what was asked for is not there
 *	blind    the policy refuses the calls that would tell
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct check {
	const char *id;
	const char *what;
	void (*go)(const struct check *c);
};

struct checks {
	const struct check *first;
	size_t n;
};
extern const struct checks checks_self, checks_view, checks_others;

/* --- what it was told: NAME=VALUE words, in the order of the command line */
const char *told(const char *name);		  /* the value, or NULL */
const char *told_next(const char *name, int *at); /* each of several; *at begins at 0 */
long told_number(const char *name, long otherwise);
extern char secret[64];

/* --- what it says */
void breach(const struct check *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void lost(const struct check *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void blind(const struct check *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Bytes read from the file's beginning, ended by a NUL; -errno. */
int read_file(const char *path, char *ret, size_t size);
bool holds(const char *bytes, size_t n, const char *word);
