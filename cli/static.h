// SPDX-License-Identifier: Apache-2.0
/* Within cordon-static: what was found, told. */
#pragma once

#include "cli/learn_model.h"
#include "cli/static_graph.h"

/* A recording beside what was found; bits are places in GRAPH_CALLS. */
struct comparison {
	const struct learned *learned; /* NULL: none was asked for */
	bool recorded[GRAPH_CALLS];
	const char *by[GRAPH_CALLS]; /* the first program that made it */
	const char
		*because[GRAPH_CALLS]; /* recorded, not found, and why that is no contradiction */
	size_t n_both, n_explained, n_lacking, n_never;
};

void compare(const struct graph *g, const struct learned *l, struct comparison *ret);

/* On standard output. 0 or -errno. */
int static_text(const struct graph *g, const struct comparison *c, bool verbose, struct err *err);
int static_json(const struct graph *g, const struct comparison *c, struct err *err);
