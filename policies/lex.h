// SPDX-License-Identifier: Apache-2.0
/*
 * One line to words. In a plain part a word ends at a blank and '#' at its beginning starts a
 * comment; "..." may stand anywhere in it and holds blanks, '#', \" and \\. Behind `if` (of
 * allow, deny, kill) and behind `expect` operators are words of their own.
 */
#pragma once

#include "base/limits.h"
#include "policies/diag.h"

struct word {
	const char *text; /* NUL-terminated */
	uint16_t column;
	bool quoted; /* some part stood in quotes */
};

struct line {
	struct word words[LIMIT_POLICY_LINE + 1];
	size_t n;
	struct policy_where end; /* behind the last word, for "something is missing" */
	char store[2 * LIMIT_POLICY_LINE + 2];
};

/* 0, or -EINVAL with a mistake in d. text has no newline and at most LIMIT_POLICY_LINE bytes. */
int lex_line(const char *text, size_t len, struct policy_where where, struct line *ret,
	     struct diag *d);
