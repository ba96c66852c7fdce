// SPDX-License-Identifier: Apache-2.0
/*
 * How much a policy leaves in reach, as points: a sum of fixed, positive weights over cells (a call
 * on an ABI, a dangerous part of one, a place, a port, a capability, a limit that is not set), each
 * of which is in reach or not. What a policy allows decides each cell, so a policy that allows less
 * never has more points. doc/score.md tells the weights.
 */
#pragma once

#include "policies/danger.h"
#include "policies/model.h"

enum score_part {
	SCORE_CALLS,   /* calls in reach, and in reach with every argument */
	SCORE_DANGERS, /* known-dangerous calls and patterns */
	SCORE_FILES,   /* places of the host that are read, written, executed */
	SCORE_NET,
	SCORE_CAPS,
	SCORE_LIMITS, /* resources without a limit */
	_SCORE_MAX,
};

struct score_danger {
	const struct danger *danger;
	enum abi abi;
};

struct score {
	uint32_t points[_SCORE_MAX];
	uint32_t total;
	struct {
		uint16_t all;	/* the ABI's calls that the table knows; 0: not opened */
		uint16_t some;	/* let through for some arguments */
		uint16_t whole; /* for all of them */
	} calls[_ABI_MAX];
	struct score_danger *dangers; /* the heaviest first */
	size_t n_dangers;
	bool hard; /* a search was given up, and its cell counted as in reach */
};

/* 0 or -ENOMEM. */
int score_policy(const struct policy *policy, struct score *ret);
void score_done(struct score *score);

const char *score_part_name(enum score_part part);
