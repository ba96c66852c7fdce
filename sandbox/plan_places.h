// SPDX-License-Identifier: Apache-2.0
/*
 * The places of a view while it is planned: one a path, and what they become in the plan. Private
 * to plan_paths.c, which says what goes in.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "sandbox/plan.h"

enum verbs { VERB_READ = 1, VERB_EXEC = 2, VERB_WRITE = 4 };
enum origin { BUILT_IN, BY_POLICY, BY_OPTION };

struct place {
	enum plan_step_kind kind;
	enum origin origin;
	unsigned verbs; /* STEP_BIND */
	bool optional;
	bool expanded; /* a top-level entry of the host that "/" stands for */
	int fd;
	struct plan_inode inode;
	const char *source;
	const char *dest;
	const char *why;
};

struct view {
	struct plan *plan;
	const struct plan_host *host;
	struct place *places;
	size_t n;
	struct err *err;
};

/* Sets err. */
int places_no_memory(struct err *err);

/* Two of one origin at one path are joined or refused; else the later origin in enum origin holds.
 * -EEXIST, -E2BIG. */
int places_add(struct view *v, const struct place *new);

/* The place of exactly that path, or NULL. */
struct place *places_find(struct view *v, const char *dest);

/* The deepest place at or above path; skip is left out. NULL: the upper's own root. */
struct place *places_covering(struct view *v, const char *path, const struct place *skip);

/* Whether the host's files are seen there. */
bool places_shows_host(const struct place *p);

/* All of them into the plan, those that hold others first. */
int places_to_steps(struct view *v);
