// SPDX-License-Identifier: Apache-2.0
/* The files that a program is loaded with, found as the loader would, without its cache. */
#pragma once

#include "cli/static_graph.h"

/* Fills files, missing. What is needed and not found is no error. */
int libraries_load(struct graph *g, const char *path, const char *const *with, size_t n_with,
		   struct err *err);
