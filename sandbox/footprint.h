// SPDX-License-Identifier: Apache-2.0
/* What a supervisor that waits keeps in memory. Within sandbox/ only. */
#pragma once

/*
 * Let go of the pages of the program's own code and constants: they are the file's, and the kernel
 * maps those that are used again when they are. The start of a launch touches nearly all of them,
 * since a fault maps 64 KiB around it (fault_around_bytes); the loop needs few. What fails costs
 * memory only.
 */
void footprint_shrink(void);
