// SPDX-License-Identifier: Apache-2.0
/*
 * A small assembler for classic BPF: forward labels, and jumps of any length. Conditional
 * jumps have 8-bit offsets (linux/filter.h); where a target is further away a trampoline is
 * put behind the jump: a copy of the target when that is a RET, a JA otherwise.
 * The first failure sticks and is returned by bpf_asm_finish(), so that callers emit without
 * asking each time.
 */
#pragma once

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>

/* A jump target: the instruction behind the jump. */
#define BPF_ASM_NEXT UINT32_MAX

struct bpf_asm_item; /* one instruction, or the place of a label */

struct bpf_asm {
	struct bpf_asm_item *items;
	size_t n_items;
	size_t cap_items;
	uint32_t *labels; /* item index of each label's place; UINT32_MAX before */
	size_t n_labels;
	size_t cap_labels;
	uint32_t note; /* given to what is emitted from now on; see bpf_asm_finish() */
	int error;
};
#define BPF_ASM_INIT ((struct bpf_asm){ .note = UINT32_MAX })

void bpf_asm_done(struct bpf_asm *a);
#define _cleanup_bpf_asm_ __attribute__((cleanup(bpf_asm_done)))

uint32_t bpf_asm_label(struct bpf_asm *a);		       /* a new one, not placed yet */
void bpf_asm_place(struct bpf_asm *a, uint32_t label);	       /* here, once */
void bpf_asm_op(struct bpf_asm *a, uint16_t code, uint32_t k); /* loads, ALU, RET */
void bpf_asm_jump(struct bpf_asm *a, uint16_t code, uint32_t k, uint32_t jt, uint32_t jf);
void bpf_asm_goto(struct bpf_asm *a, uint32_t label); /* nothing when it is placed next */

/*
 * Resolve. *ret_notes (may be NULL) gets the note of each instruction. Both are heap blocks.
 * 0, -ENOMEM, -E2BIG (over max instructions; *ret_n says how many there would be), or -EINVAL:
 * a label without a place, or a jump backwards, which classic BPF does not have.
 */
int bpf_asm_finish(struct bpf_asm *a, size_t max, struct sock_filter **ret, uint32_t **ret_notes,
		   size_t *ret_n);
