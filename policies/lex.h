// SPDX-License-Identifier: Apache-2.0
/*
 * One line to words. In a plain part a word ends at a blank and '#' at its beginning starts a
 * comment; "..." may stand anywhere in it and holds blanks, '#', \" and \\. Behind `if` (of
 * allow, deny, kill) and in the call of `expect` operators are words of their own.
 */
#pragma once

#include "base/limits.h"
#include "policies/diag.h"

struct word {
	const char *text; /* NUL-terminated */
	uint16_t column;
	uint16_t length; /* in the line, quotes and escapes included */
	bool quoted;	 /* some part stood in quotes */
	bool expression; /* read where operators are words of their own */
	bool variable;	 /* a variable stood there */
};

struct line {
	struct word words[LIMIT_POLICY_LINE + 1];
	size_t n;
	uint16_t comment;	 /* the column where one begins, 0 for none */
	struct policy_where end; /* behind the last word, for "something is missing" */
	char store[2 * LIMIT_POLICY_LINE + 2];
};

/* 0, or -EINVAL with a mistake in d. text has no newline and at most LIMIT_POLICY_LINE bytes. */
int lex_line(const char *text, size_t len, struct policy_where where, struct line *ret,
	     struct diag *d);

/* The words of a variable's text in an expression, behind those that ret has, all at the place
 * where; *used of ret->store is taken. The caller has made sure that there is room. Same results.
 */
int lex_expression(const char *text, struct policy_where where, struct line *ret, size_t *used,
		   struct diag *d);
