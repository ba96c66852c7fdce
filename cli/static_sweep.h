// SPDX-License-Identifier: Apache-2.0
/* Functions of a file that tells of none: stripped, and without unwinding. */
#pragma once

#include "cli/static_elf.h"

/* Decodes all of its code from end to end. A function begins where something is called, where an
 * address is taken, and where data names what stands behind the end of other code. */
int sweep(struct elf_file *f, struct err *err);
