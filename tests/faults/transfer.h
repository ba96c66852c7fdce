// SPDX-License-Identifier: Apache-2.0
/* Calls that move bytes, and how one is made to move fewer: its length is changed at its entry, so
 * that the kernel itself moves no more, and is put back at its exit. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/user.h>

/* What was changed in the registers and memory of a stopped process. */
struct transfer_undo {
	size_t n;
	unsigned long addr[2], word[2];
};

/*
 * Whether the kernel may move less than this call asks for. The process is stopped at the call's
 * entry. What is no transfer, or moves all or nothing, is not.
 */
bool transfer_can_be_short(pid_t pid, const struct user_regs_struct *regs);

/* Let it move at most so many bytes: regs get the new length (to be set by the caller), memory is
 * changed at once. 0, or -1 when that is no less than it asks for, or could not be done. */
int transfer_shorten(pid_t pid, struct user_regs_struct *regs, size_t most,
		     struct transfer_undo *ret);
void transfer_restore(pid_t pid, const struct transfer_undo *undo);
