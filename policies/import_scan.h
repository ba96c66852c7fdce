// SPDX-License-Identifier: Apache-2.0
/* Words of minijail's and kafel's languages, with their places. */
#pragma once

#include "policies/import_model.h"

enum scan_kind { SCAN_END, SCAN_NEWLINE, SCAN_NAME, SCAN_NUMBER, SCAN_PUNCT };

struct import_token {
	enum scan_kind kind;
	char text[LIMIT_NAME]; /* a name, or the signs */
	uint64_t number;
	unsigned line, column;
};

enum scan_language {
	SCAN_MINIJAIL, /* lines have a meaning; `#` comments; names with - and @ */
	SCAN_KAFEL,    /* they have none; two kinds of C's comments */
};

struct import_scan {
	struct import *im;
	const char *path;
	const char *text;
	size_t len, at;
	unsigned line, column;
	enum scan_language language;
	bool failed; /* an error was made: nothing more comes */
	struct import_token token;
};

void import_scan_init(struct import_scan *s, struct import *im, enum scan_language language,
		      const char *path, const char *text, size_t len);

/* s->token becomes the next one. */
void import_scan_next(struct import_scan *s);

/* The signs or the name. */
bool import_scan_is(const struct import_scan *s, const char *text);
/* The same, and the next token. */
bool import_scan_accept(struct import_scan *s, const char *text);
/* The same, or an error that wants it. */
bool import_scan_expect(struct import_scan *s, const char *text);

/* The bytes between the token and the line's end, without blanks at their ends, as a heap string;
 * then the newline is the token. */
char *import_scan_rest(struct import_scan *s);

/* minijail: drop what is left of a broken line. */
void import_scan_skip_line(struct import_scan *s);

/* "FILE:LINE:COLUMN" of the token. */
const char *import_scan_where(const struct import_scan *s, char ret[IMPORT_WHERE]);

/* An error at the token; s->failed. */
void import_scan_error(struct import_scan *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * The file that the source includes, found beside the one that says so. NULL and an error, or a
 * heap string and *ret_path.
 */
char *import_scan_include(struct import_scan *s, const char *name, char ret_path[LIMIT_PATH],
			  size_t *ret_len);
