// SPDX-License-Identifier: Apache-2.0
/*
 * From calls that were seen to the lines that allow them: merged into lists of values where that is
 * exact, generalised only where it must be, and said then.
 */
#pragma once

#include "policies/danger.h"
#include "policies/model.h"

enum {
	SUGGEST_VALUES = 16, /* in one list */
	SUGGEST_LINES = 8,   /* for one call */
	SUGGEST_SEEN = 256,  /* different calls that are told apart */
};

/* Whether an allow rule is tied to that argument: flags, named values, signals, socket types,
 * requests. Numbers, descriptors and addresses differ from run to run and say nothing. */
bool suggest_is_telling(const struct syscall_desc *call, unsigned arg);

/* One line: each tied argument is one of its values. */
struct suggest_line {
	uint8_t tied;	/* bit per argument */
	uint8_t masked; /* bit per argument: any bits of values[arg][0], and no other */
	uint8_t n_values[6];
	uint64_t values[6][SUGGEST_VALUES];
};

/* Calls of one kind, each combination of telling arguments once. */
struct suggest_seen {
	const struct syscall_desc *call;
	uint64_t (*args)[6]; /* heap, owned; what does not tell is 0 */
	size_t n, room;
	bool more; /* there were more than SUGGEST_SEEN */
};
int suggest_see(struct suggest_seen *seen, const uint64_t args[6]); /* 0 or -ENOMEM */
void suggest_seen_done(struct suggest_seen *seen);

/*
 * Lines that allow every call that was seen, at most SUGGEST_LINES. As long as they can, they allow
 * no other; *ret_general says that they do: flags were seen in too many combinations, and any
 * combination of them is allowed. 0, -E2BIG (no such lines), or -ENOMEM.
 */
int suggest_lines(const struct suggest_seen *seen, struct suggest_line ret[SUGGEST_LINES],
		  size_t *ret_n, bool *ret_general);

/* The gravest danger that lines for these calls open, or NULL. */
const struct danger *suggest_danger(const struct suggest_seen *seen, bool general);

/* Take the calls out that are dangerous (from DANGER_WARN on) by what was seen of them: the gravest
 * of these dangers, or NULL when nothing was taken out. */
const struct danger *suggest_drop_dangers(struct suggest_seen *seen);
