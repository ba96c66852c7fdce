// SPDX-License-Identifier: Apache-2.0
/*
 * An ELF file as the static helper needs it: where its code is, where its functions begin, what the
 * slots of its tables lead to. The file is somebody else's: everything in it is checked, and every
 * number of it has its bound. Read once, nothing of it is run.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"

enum {
	ELF_MAX_FILE = 512 << 20,
	ELF_MAX_SEGMENTS = 64,
	ELF_MAX_FUNCTIONS = 1 << 21,
	ELF_MAX_SLOTS = 1 << 21,
	ELF_MAX_NEEDED = 128,
};

struct elf_segment {
	uint64_t start, size; /* addresses; size is what the file holds */
	uint64_t offset;
	bool executable, writable;
};

struct elf_function {
	uint64_t start, end;
	const char *name; /* or NULL: only its place is known */
	bool exported;
};

/* A place that the loader fills: with a function's address, or what a symbol is. */
struct elf_slot {
	uint64_t place;
	uint64_t target;    /* an address of this file, 0: by symbol */
	const char *symbol; /* NULL: by address */
	bool code;	    /* lies where code is called through: a PLT's or the GOT */
};

struct elf_file {
	char *path;
	uint64_t device, inode; /* of a file that was opened */
	char *bytes;
	size_t len;
	void *elf;	/* libelf's */
	bool is_opened; /* at run time: whoever does calls what it exports, by any name */
	bool has_symbols, has_frames; /* neither: most functions are not known */
	bool fixed;		      /* ET_EXEC: addresses in its code are what they are */
	uint64_t entry;
	struct elf_segment segments[ELF_MAX_SEGMENTS];
	size_t n_segments;
	struct elf_segment plt[8]; /* sections of stubs, by their addresses */
	size_t n_plt;
	struct elf_function *functions; /* sorted, none overlaps */
	size_t n_functions;
	struct elf_function *exports; /* by name; end is 0 */
	size_t n_exports;
	struct elf_slot *slots; /* by place */
	size_t n_slots;
	uint64_t *starters; /* functions that the loader calls, and the entry */
	size_t n_starters;
	const char *needed[ELF_MAX_NEEDED], *rpath, *runpath, *interpreter;
	size_t n_needed;
};

/* 0 and *ret, or -errno. -ENOEXEC: no ELF file for x86_64 that this can read. */
int elf_open(const char *path, struct elf_file **ret, struct err *err);
/* The same of bytes that are handed over (malloc), for tests. */
int elf_parse(const char *path, char *bytes, size_t len, struct elf_file **ret, struct err *err);
void elf_free(struct elf_file *f); /* NULL is allowed */

/* Within the files of this reader: fill a file whose path and bytes are set; sort what it has. */
int elf_read(struct elf_file *f, struct err *err);
void elf_settle(struct elf_file *f);

/* Functions that begin there, too. 0 or -ENOMEM. */
int elf_discover(struct elf_file *f, const uint64_t *starts, size_t n);

/* What the file has at an address, at least one byte and up to *ret_len; NULL where it has none. */
const uint8_t *elf_at(const struct elf_file *f, uint64_t address, size_t *ret_len);

bool elf_is_code(const struct elf_file *f, uint64_t address);
bool elf_is_plt(const struct elf_file *f, uint64_t address);

/* The function that holds the address; SIZE_MAX: none. */
size_t elf_function_at(const struct elf_file *f, uint64_t address);
const struct elf_slot *elf_slot_at(const struct elf_file *f, uint64_t place);
/* The first of the exports of that name (there may be versions of it), or where it would stand. */
size_t elf_export(const struct elf_file *f, const char *name);
