// SPDX-License-Identifier: Apache-2.0
/* Shared by the parts of trees: what a hostile tree is made of, and how it is launched. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TREE_OPTIONS = 32, TREE_TEXT = 512 };

/* One launch: options between `cordon run` and `--`, and the command. */
struct shape {
	char option[TREE_OPTIONS][TREE_TEXT];
	size_t n;
	char command[TREE_TEXT];
	bool whole; /* the tree is no place that the launch may write to */
};

/* The place all of it is in: DIR/tree, DIR/canary, DIR/rw, DIR/ro, DIR/upper, DIR/honest. */
struct arena {
	char dir[TREE_TEXT];
	const char *look; /* the payload */
};

/* trees_make.c */
void tree_remove(const char *path);
/* An honest root with the payload in it; names of the top level that skip holds are left out. */
void tree_honest(const struct arena *a, const char *path, const char *skip);
/* Entries of the mini language (trees_hand.c) below root. */
void tree_build(const struct arena *a, const char *root, const char *entries);
/* Everything of it from the seed alone. */
void tree_random(const struct arena *a, uint64_t seed, struct shape *ret);
void shape_add(struct shape *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* trees_hand.c */
struct hand {
	const char *name;
	const char *entries; /* "" and honest: it must run */
	const char *options; /* words; @ is the arena's directory */
	const char *command;
	bool honest;
};
extern const struct hand hand_made[];
extern const size_t n_hand_made;
