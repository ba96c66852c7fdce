// SPDX-License-Identifier: Apache-2.0
/*
 * Rotated files of a log. Writers: under the lock, in an order that leaves after each call
 * something that the next writer brings to its end: the rotate record, the rename, the head, the
 * new file. Readers: the files in order, as they were at one moment.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/batch.h"
#include "audit/chain.h"
#include "audit/seal.h"
#include "base/err.h"

/* --- a locked write ------------------------------------------------------------------------ */

/* Lines gathered in the chain's block, and the point before its first line. */
struct turn {
	struct chain *chain;
	const char *sandbox;	 /* of the writer */
	struct chain_point done; /* what the log holds */
	struct chain_point at;	 /* with the block's lines */
	size_t len;		 /* of the block */
	uint64_t lines;		 /* written in this turn */
	uint64_t gone;		 /* rotated files up to that number are to be removed */
};

int turn_put(struct turn *turn, const char *body, size_t len); /* a line into the block */
int turn_flush(struct turn *turn);			       /* the block into the log */
int turn_head(struct turn *turn); /* what the log holds into the head */

/* --- both ---------------------------------------------------------------------------------- */

/* Numbers of rotated files, ascending. */
struct rotate_list {
	uint64_t number[AUDIT_KEEP_MAX + 1];
	size_t n;
};

/* 0, -E2BIG when there are more, or -errno. Allocates nothing. */
int rotate_list(int dir, const char *name, struct rotate_list *ret);

/* "NAME.00000000000000000042", or name itself for number 0. */
void rotate_name(const char *name, uint64_t number, char *buf, size_t size);

/* Rename within dir; -EEXIST when the name is taken. */
int rotate_rename(int dir, const char *from, const char *to);

/* --- writers ------------------------------------------------------------------------------- */

/* The point before the first line of the file NAME: the end of the newest rotated file, or 0. */
void rotate_base(struct chain *chain, struct chain_point *ret);

/* The sequence number that a log's file begins with, 0 when that cannot be told. */
uint64_t rotate_first(int fd);

/* Behind a rotate record: rename, head, new file. A file that cannot be renamed stays in use, and
 * that is no error. 0 or -errno. */
int rotate_finish(struct turn *turn);

bool rotate_due(struct turn *turn, const struct batch *batch);
int rotate_log(struct turn *turn);

/* Remove what turn->gone says; its record is in the log. */
void rotate_remove(struct turn *turn);

/* --- readers ------------------------------------------------------------------------------- */

struct log_file {
	int fd;
	uint64_t size;	 /* at the moment of opening */
	uint64_t number; /* in its name: of its last record; 0: the file NAME itself */
};

struct log_set {
	struct log_file file[AUDIT_KEEP_MAX + 2];
	size_t n;
	int head; /* 1: point is the head's; 0: there is none; -EINVAL: it is damaged */
	struct chain_point point;
	int seal; /* 1: there is a sealing state; 0: none; -EINVAL: it is damaged */
	struct seal_state state;
};

/*
 * Open the log at path and what was rotated from it, oldest first, with the writers' lock held when
 * it can be had. The file NAME may be missing when others of them are there; it is the last one
 * then too, with fd -1. 0 or -errno.
 */
int log_set_open(const char *path, struct log_set **ret, struct err *err);
void log_set_close(struct log_set *set); /* NULL is allowed */
static inline void log_set_closep(struct log_set **set)
{
	log_set_close(*set);
}
