// SPDX-License-Identifier: Apache-2.0
/*
 * An independent evaluator for seccomp's classic BPF: what the kernel accepts, and what it
 * answers. It shares nothing with the generator; tests and seccomp_check() judge by it.
 */
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/*
 * Accept what the kernel accepts (bpf_check_basics_ok(), bpf_check_classic() in net/core/filter.c,
 * seccomp_check_filter() in kernel/seccomp.c): 1 to 4096 instructions, known opcodes, jumps forward
 * and inside, scratch memory written before it is read on every path, loads aligned and inside
 * struct seccomp_data, no division by a zero constant, no shift by 32 or more, a RET at the end. 0
 * or -EINVAL naming the instruction.
 */
int bpf_check(const struct sock_filter *insns, size_t n, struct err *err);

struct bpf_result {
	uint32_t ret;
	bool read_args; /* an argument was loaded: the kernel's bitmap cannot serve this call */
	bool read_ip;
	unsigned steps;
};

/* Run a program that passed bpf_check(). cover (may be NULL; n bytes) gets 1 at each instruction
 * that was executed. */
void bpf_run(const struct sock_filter *insns, size_t n, const struct seccomp_data *data,
	     uint8_t *cover, struct bpf_result *ret);
