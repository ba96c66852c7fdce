// SPDX-License-Identifier: Apache-2.0
/*
 * Calls that do the same by another name or another number: denying one of a family and letting
 * another through denies nothing.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct twins {
	const char *id;	     /* of the finding */
	const char *effect;  /* what they all do: "opens files" */
	const char *members; /* separated by one space; any of them undoes the denial of another */
	bool whole;	     /* only where a denial has no conditions: their flags differ */
};

const struct twins *twins_table(size_t *ret_count);

/* A call that can do what others do, whose arguments lie in memory where no filter sees them. */
struct multiplexer {
	const char *call;
	const char *covers; /* separated by one space */
};
const struct multiplexer *multiplexer_table(size_t *ret_count);

/* Whether word is one of the words of a list. */
bool twins_has(const char *list, const char *word);
