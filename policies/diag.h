// SPDX-License-Identifier: Apache-2.0
/* Mistakes in policy texts: "file:line:column: message", the line, a caret, a hint. */
#pragma once

#include "policies/load.h"

enum { DIAG_MAX = 50 }; /* mistakes shown in one run */

/* A text as read; where.source indexes an array of these. */
struct diag_source {
	const char *path;
	const char *text;
	size_t len;
};

/* A variable's use in the line that is being read: a mistake there says where it was set. */
struct diag_expansion {
	struct policy_where at;
	const char *name;
	struct policy_where let;
};

struct diag {
	struct policy_diags *out;
	const struct diag_source *sources;
	size_t n_sources;
	struct diag_expansion *expansions;
	size_t n_expansions;
	bool no_memory;
};

/* Add one. Once DIAG_MAX are there, one closing line is added and the rest only counted. */
void diag_error(struct diag *d, struct policy_where where, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void diag_warn(struct diag *d, struct policy_where where, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* A line below the one added last. */
void diag_hint(struct diag *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Enough is enough: nothing more will be shown. */
bool diag_full(const struct diag *d);

/* Words from a file, made safe to show and cut at a readable length. Use within one expression:
 * quote(word).text */
struct quoted {
	char text[96];
};
struct quoted quote(const char *word);

/* "file:line" of a place. */
struct quoted diag_place(const struct diag *d, struct policy_where where);

/* The known name nearest to a word that is none. */
struct suggestion {
	const char *word;
	char best[LIMIT_NAME];
	unsigned distance;
};
struct suggestion suggest_begin(const char *word);
void suggest_offer(struct suggestion *s, const char *candidate);
/* diag_hint "did you mean 'x'?" when something is near enough. */
void suggest_end(struct diag *d, const struct suggestion *s);
