// SPDX-License-Identifier: Apache-2.0
/* A log as a stream of lines, in constant memory: no line is longer than LIMIT_LOG_LINE, and one
 * that is gets passed over and said. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"

enum { LINES_BUFFER = 4 * LIMIT_LOG_LINE };

struct lines {
	int fd;		  /* read with pread: its position is not used */
	uint64_t pos;	  /* of the next byte to read */
	uint64_t end;	  /* where to stop, UINT64_MAX: at the end of the file */
	char *buf;	  /* LINES_BUFFER bytes */
	size_t len, used; /* bytes in buf, and how many of them were handed out */
	bool skipping;
	uint64_t skipped;
};

struct line {
	const char *p; /* without the newline; valid until the next call */
	size_t len;
	uint64_t offset; /* of its first byte */
	bool torn;	 /* the file ends without a newline behind it */
	bool overlong;	 /* p is NULL, len says how long it was */
};

/* Read fd from byte pos on, up to byte end (UINT64_MAX: as far as it goes). */
void lines_begin(struct lines *lines, int fd, uint64_t pos, uint64_t end, char *buf);

/* 1 and a line, 0 at the end, or -errno. A torn line is handed out once, and again with what was
 * written since when lines_again() was called first. */
int lines_next(struct lines *lines, struct line *ret);
void lines_again(struct lines *lines, const struct line *torn);
