// SPDX-License-Identifier: Apache-2.0
/*
 * Comparing arguments. A register has 64 bits and the filter's accumulator 32: each comparison is
 * made of the words that the kernel will read (both for 64-bit arguments, the low one for
 * 32-bit ones, whose high word the kernel ignores and a caller can fill with anything).
 */
#include <linux/seccomp.h>
#include <stddef.h>

#include "profiles/seccomp_gen.h"

#define SIGN_BIT 0x80000000U

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the offsets of the low and high words are those of little-endian machines"
#endif

static bool is_narrow(const struct policy_cond *c)
{
	return c->width == WIDTH_S32 || c->width == WIDTH_U32;
}

static bool is_signed(const struct policy_cond *c)
{
	return c->width == WIDTH_S32 || c->width == WIDTH_S64;
}

static uint64_t all_ones(const struct policy_cond *c)
{
	return is_narrow(c) ? UINT32_MAX : UINT64_MAX;
}

static int low_word(const struct policy_cond *c)
{
	return (int)(offsetof(struct seccomp_data, args) + sizeof(uint64_t) * c->arg);
}

static int high_word(const struct policy_cond *c)
{
	return low_word(c) + 4;
}

/* Ordered comparisons are made unsigned: with the sign bit turned over they order the same. */
static uint64_t ordered_value(const struct policy_cond *c)
{
	uint64_t value = c->value & all_ones(c);

	if (is_signed(c))
		value ^= is_narrow(c) ? SIGN_BIT : (uint64_t)SIGN_BIT << 32;
	return value;
}

int seccomp_cond_fixed(const struct policy_cond *c)
{
	uint64_t mask = c->mask & all_ones(c);

	switch ((enum policy_op)c->op) {
	case POLICY_MASKED_EQ:
		if (c->value & all_ones(c) & ~mask)
			return c->negate;
		return mask == 0 ? !c->negate : -1;
	case POLICY_LT:
		return ordered_value(c) == 0 ? 0 : -1;
	case POLICY_GE:
		return ordered_value(c) == 0 ? 1 : -1;
	case POLICY_GT:
		return ordered_value(c) == all_ones(c) ? 0 : -1;
	case POLICY_LE:
		return ordered_value(c) == all_ones(c) ? 1 : -1;
	case POLICY_EQ:
	case POLICY_NE:
		break;
	}
	return -1;
}

static void load(struct seccomp_emit *e, int word)
{
	if (e->word == word)
		return;
	bpf_asm_op(e->a, BPF_LD | BPF_W | BPF_ABS, (uint32_t)word);
	e->word = word;
}

/* Change the accumulator: it holds no argument any more. */
static void alu(struct seccomp_emit *e, uint16_t op, uint32_t k)
{
	bpf_asm_op(e->a, BPF_ALU | op | BPF_K, k);
	e->word = -1;
}

static void jump(struct seccomp_emit *e, uint16_t op, uint32_t k, uint32_t yes, uint32_t no)
{
	bpf_asm_jump(e->a, BPF_JMP | op | BPF_K, k, yes, no);
}

/* (word & mask) == value, mask not zero. */
static void emit_masked_word(struct seccomp_emit *e, int word, uint32_t mask, uint32_t value,
			     uint32_t yes, uint32_t no)
{
	load(e, word);
	if (value == 0) {
		jump(e, BPF_JSET, mask, no, yes);
	} else if (value == mask && (mask & (mask - 1)) == 0) {
		jump(e, BPF_JSET, mask, yes, no);
	} else {
		if (mask != UINT32_MAX)
			alu(e, BPF_AND, mask);
		jump(e, BPF_JEQ, value, yes, no);
	}
}

/* (arg & mask) == value; equality is the mask of all ones. */
static void emit_masked(struct seccomp_emit *e, const struct policy_cond *c, uint64_t mask,
			uint32_t yes, uint32_t no)
{
	uint64_t value = c->value & all_ones(c);
	uint32_t low = (uint32_t)mask, high = (uint32_t)(mask >> 32), end;

	if (high == 0) {
		emit_masked_word(e, low_word(c), low, (uint32_t)value, yes, no);
		return;
	}
	if (low == 0) {
		emit_masked_word(e, high_word(c), high, (uint32_t)(value >> 32), yes, no);
		return;
	}
	end = bpf_asm_label(e->a);
	emit_masked_word(e, high_word(c), high, (uint32_t)(value >> 32), BPF_ASM_NEXT,
			 no == BPF_ASM_NEXT ? end : no);
	emit_masked_word(e, low_word(c), low, (uint32_t)value, yes, no);
	bpf_asm_place(e->a, end);
	e->word = -1;
}

/* arg > value, or arg >= value with or_equal. */
static void emit_ordered(struct seccomp_emit *e, const struct policy_cond *c, bool or_equal,
			 uint32_t yes, uint32_t no)
{
	uint64_t value = ordered_value(c);
	uint32_t low = (uint32_t)value, high = (uint32_t)(value >> 32), end;
	uint16_t op = or_equal ? BPF_JGE : BPF_JGT;

	if (is_narrow(c)) {
		load(e, low_word(c));
		if (is_signed(c))
			alu(e, BPF_XOR, SIGN_BIT);
		jump(e, op, low, yes, no);
		return;
	}
	load(e, high_word(c));
	if (is_signed(c))
		alu(e, BPF_XOR, SIGN_BIT);
	/* The low word decides only where the high words are equal and it can say either. */
	if (low == (or_equal ? 0 : UINT32_MAX)) {
		jump(e, op, high, yes, no);
		return;
	}
	end = bpf_asm_label(e->a);
	if (high != UINT32_MAX)
		jump(e, BPF_JGT, high, yes == BPF_ASM_NEXT ? end : yes, BPF_ASM_NEXT);
	jump(e, BPF_JEQ, high, BPF_ASM_NEXT, no == BPF_ASM_NEXT ? end : no);
	load(e, low_word(c));
	jump(e, op, low, yes, no);
	bpf_asm_place(e->a, end);
	e->word = -1;
}

void seccomp_emit_cond(struct seccomp_emit *e, const struct policy_cond *c, uint32_t yes,
		       uint32_t no)
{
	switch ((enum policy_op)c->op) {
	case POLICY_EQ:
		emit_masked(e, c, all_ones(c), yes, no);
		break;
	case POLICY_NE:
		emit_masked(e, c, all_ones(c), no, yes);
		break;
	case POLICY_MASKED_EQ:
		emit_masked(e, c, c->mask & all_ones(c), c->negate ? no : yes,
			    c->negate ? yes : no);
		break;
	case POLICY_GT:
		emit_ordered(e, c, false, yes, no);
		break;
	case POLICY_GE:
		emit_ordered(e, c, true, yes, no);
		break;
	case POLICY_LT:
		emit_ordered(e, c, true, no, yes);
		break;
	case POLICY_LE:
		emit_ordered(e, c, false, no, yes);
		break;
	}
	if (e->failed && e->fail_word != e->word)
		e->fail_word = -1;
	else
		e->fail_word = e->word;
	e->failed = true;
}
