// SPDX-License-Identifier: Apache-2.0
/*
 * Which system calls a program and its libraries can reach. Functions are reached by direct calls
 * and jumps, through the tables that the loader fills, and by their address being taken in code
 * that is reached or in data: more than can happen, never less, but for what is loaded at run time.
 */
#pragma once

#include "cli/static_elf.h"

enum { GRAPH_FILES = 256, GRAPH_CALLS = 1024, GRAPH_TOLD = 4, GRAPH_SITES = 4096, GRAPH_VIA = 8 };

/* A place in the code. */
struct graph_place {
	uint16_t file;
	uint32_t function;
	uint64_t address;
};

struct graph_call {
	size_t n; /* sites; 0: not found */
	struct graph_place place[GRAPH_TOLD];
};

enum graph_why { GRAPH_COMPUTED, GRAPH_POINTER, GRAPH_FOREIGN, GRAPH_UNSURE };

/* A site whose number is not known. */
struct graph_unknown {
	enum graph_why why;
	struct graph_place place;
};

struct graph_state; /* by file */

struct graph {
	struct elf_file *files[GRAPH_FILES]; /* [0] is the program */
	size_t n_files, interpreter;	     /* 0: none */
	const char *missing[GRAPH_FILES];    /* libraries that were not found */
	size_t n_missing;
	struct graph_call calls[GRAPH_CALLS]; /* by number */
	struct graph_unknown *unknown;
	size_t n_unknown;
	bool more_unknown;
	size_t n_sites, n_functions, n_reached, undecoded;
	bool opens_libraries; /* dlopen is reached */
	bool looks_up;	      /* and dlsym, with names that are computed */
	struct graph_state *state;
};

/* Load the program, what it needs, its interpreter, and files that are opened at run time. */
int graph_load(struct graph *g, const char *path, const char *const *with, size_t n_with,
	       struct err *err);
/* The same of one file that is read already, for tests; it is handed over. */
int graph_of_file(struct graph *g, struct elf_file *f, struct err *err);
void graph_done(struct graph *g);

/* Find all that is reached. */
int graph_walk(struct graph *g, struct err *err);

/* How a place is reached: it, its caller ... up to where all begins: how many. */
size_t graph_via(const struct graph *g, const struct graph_place *place,
		 struct graph_place ret[GRAPH_VIA]);
