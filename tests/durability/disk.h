// SPDX-License-Identifier: Apache-2.0
/*
 * What a disk may hold of one flat directory when the power fails. record.c follows programs and
 * notes what they do to its files; disk.c lists the states.
 *
 * What is taken for granted is what POSIX does: the contents of a file as of its last fsync(2) or
 * fdatasync(2), the names in a directory as of its own last fsync(2). Of what was done after that
 * a disk may hold
 *
 * - of the directory: any number of the first changes of names (journals keep their order), with
 *   or without the data of the files that they name;
 * - of each file, whatever the others hold: any number of its first writes, each whole (a write
 *   within one sector is not torn), and of the next one either nothing, or a first part that ends
 *   with a sector (512 bytes) or a page (4096), or lacks the last byte alone, or its length with
 *   zeros in place of all of it, of its last page or sector, or of its first one, which came to
 *   the disk last: what delayed allocation leaves.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum op_kind {
	OP_WRITE,
	OP_CUT,	   /* at: the new length */
	OP_SYNC,   /* of a file's contents */
	OP_CREATE, /* names: what came of it */
	OP_RENAME,
	OP_UNLINK,
	OP_SYNC_DIR,
	_OP_MAX,
};
extern const char *const op_names[_OP_MAX];

enum { NAME_SIZE = 128, MAX_OPS = 2048, MAX_INODES = 64, MAX_NAMES = 32, MAX_VARIANTS = 512 };

struct op {
	enum op_kind kind;
	unsigned inode;
	size_t at, len;
	char *data;
	char name[NAME_SIZE], to[NAME_SIZE];
};

struct content {
	char *p;
	size_t len;
	uint64_t hash;
};

struct names {
	size_t n;
	struct {
		char name[NAME_SIZE];
		unsigned inode;
	} of[MAX_NAMES];
};

struct disk {
	char dir[512]; /* without symlinks in it */
	dev_t dev;
	ino_t ino;
	struct names base, now; /* on the disk at the beginning; as the programs see it */
	size_t n_inodes;
	struct {
		ino_t ino;
		bool gone;
		struct content base;
	} inode[MAX_INODES];
	size_t n_ops;
	struct op op[MAX_OPS];
};

/* Take the directory as it is for what is on the disk. 0, or -1 and a sentence. */
int disk_begin(struct disk *disk, const char *dir);
int disk_find(const struct names *names, const char *name); /* its index or -1 */
void names_remove(struct names *names, size_t i);
/* Change names as the operation does. */
void names_apply(struct names *names, const struct op *op);
/* A file's contents behind the first n operations, were there no crash. To be freed. */
struct content disk_content(const struct disk *disk, unsigned inode, size_t n);

/* record.c: run a program, and what it starts outside of sandboxes, to its end. 0, or -1 with a
 * sentence when it did something to the directory that disk.c does not know. */
int record_run(struct disk *disk, char *const *argv, int *ret_status);

struct state {
	size_t n_ops; /* the power failed behind so many operations, at the latest */
	size_t n;
	const char *name[MAX_NAMES];
	const struct content *content[MAX_NAMES];
	uint64_t hash;
};
typedef void state_fn(void *ctx, const struct state *state);

/*
 * Each state once, in an order that depends on the operations alone; once more when a promise that
 * was made meanwhile (mark, of a number of operations) asks more of it. all: each combination of
 * what the files hold, but for torn writes, of which there is one. Else while a file has a torn
 * write, or two have some of their writes, each other one has none of its or all.
 */
size_t disk_states(const struct disk *disk, bool all, uint64_t (*mark)(void *ctx, size_t n_ops),
		   state_fn *fn, void *ctx);
