// SPDX-License-Identifier: Apache-2.0
#include "profiles/bpf_eval.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"

/* One instruction by itself; NULL or what is wrong with it. */
static const char *check_insn(const struct sock_filter *in, size_t i, size_t n)
{
	switch (in->code) {
	case BPF_LD | BPF_W | BPF_ABS:
		if (in->k >= sizeof(struct seccomp_data) || in->k % 4 != 0)
			return "loads outside the call's data";
		return NULL;
	case BPF_LD | BPF_MEM:
	case BPF_LDX | BPF_MEM:
	case BPF_ST:
	case BPF_STX:
		return in->k >= BPF_MEMWORDS ? "uses scratch memory that is not there" : NULL;
	case BPF_ALU | BPF_DIV | BPF_K:
		return in->k == 0 ? "divides by zero" : NULL;
	case BPF_ALU | BPF_LSH | BPF_K:
	case BPF_ALU | BPF_RSH | BPF_K:
		return in->k >= 32 ? "shifts by too much" : NULL;
	case BPF_JMP | BPF_JA:
		return in->k >= n - i - 1 ? "jumps outside" : NULL;
	case BPF_JMP | BPF_JEQ | BPF_K:
	case BPF_JMP | BPF_JEQ | BPF_X:
	case BPF_JMP | BPF_JGE | BPF_K:
	case BPF_JMP | BPF_JGE | BPF_X:
	case BPF_JMP | BPF_JGT | BPF_K:
	case BPF_JMP | BPF_JGT | BPF_X:
	case BPF_JMP | BPF_JSET | BPF_K:
	case BPF_JMP | BPF_JSET | BPF_X:
		return i + in->jt + 1 >= n || i + in->jf + 1 >= n ? "jumps outside" : NULL;
	case BPF_LD | BPF_W | BPF_LEN:
	case BPF_LDX | BPF_W | BPF_LEN:
	case BPF_LD | BPF_IMM:
	case BPF_LDX | BPF_IMM:
	case BPF_RET | BPF_K:
	case BPF_RET | BPF_A:
	case BPF_ALU | BPF_ADD | BPF_K:
	case BPF_ALU | BPF_ADD | BPF_X:
	case BPF_ALU | BPF_SUB | BPF_K:
	case BPF_ALU | BPF_SUB | BPF_X:
	case BPF_ALU | BPF_MUL | BPF_K:
	case BPF_ALU | BPF_MUL | BPF_X:
	case BPF_ALU | BPF_DIV | BPF_X:
	case BPF_ALU | BPF_AND | BPF_K:
	case BPF_ALU | BPF_AND | BPF_X:
	case BPF_ALU | BPF_OR | BPF_K:
	case BPF_ALU | BPF_OR | BPF_X:
	case BPF_ALU | BPF_XOR | BPF_K:
	case BPF_ALU | BPF_XOR | BPF_X:
	case BPF_ALU | BPF_LSH | BPF_X:
	case BPF_ALU | BPF_RSH | BPF_X:
	case BPF_ALU | BPF_NEG:
	case BPF_MISC | BPF_TAX:
	case BPF_MISC | BPF_TXA:
		return NULL;
	default:
		return "has an opcode that seccomp does not take";
	}
}

/* Scratch memory that may be read here must have been written on every path: valid[i] is the
 * intersection over the ways to i, as in the kernel's check_load_and_stores(). */
static bool scratch_is_written(const struct sock_filter *insns, size_t n, uint16_t *valid)
{
	uint16_t now = 0;

	memset(valid, 0xff, n * sizeof(*valid));
	for (size_t i = 0; i < n; i++) {
		const struct sock_filter *in = &insns[i];

		now &= valid[i];
		switch (BPF_CLASS(in->code)) {
		case BPF_ST:
		case BPF_STX:
			now |= (uint16_t)(1U << in->k);
			break;
		case BPF_LD:
		case BPF_LDX:
			if (BPF_MODE(in->code) == BPF_MEM && !(now & 1U << in->k))
				return false;
			break;
		case BPF_JMP:
			if (BPF_OP(in->code) == BPF_JA) {
				valid[i + 1 + in->k] &= now;
			} else {
				valid[i + 1 + in->jt] &= now;
				valid[i + 1 + in->jf] &= now;
			}
			now = 0xffff;
			break;
		default:
			break;
		}
	}
	return true;
}

int bpf_check(const struct sock_filter *insns, size_t n, struct err *err)
{
	_cleanup_free_ uint16_t *valid = NULL;

	if (n == 0 || n > LIMIT_BPF_INSNS)
		return err_set(err, -EINVAL, "accept a filter of %zu instructions", n);
	for (size_t i = 0; i < n; i++) {
		const char *wrong = check_insn(&insns[i], i, n);

		if (wrong)
			return err_set(err, -EINVAL, "accept the filter: instruction %zu %s", i,
				       wrong);
	}
	if (BPF_CLASS(insns[n - 1].code) != BPF_RET)
		return err_set(err, -EINVAL, "accept the filter: it does not end in a return");
	valid = calloc(n, sizeof(*valid));
	if (!valid)
		return err_set(err, -ENOMEM, "check the filter");
	if (!scratch_is_written(insns, n, valid))
		return err_set(err, -EINVAL,
			       "accept the filter: scratch memory is read before it is written");
	return 0;
}

struct machine {
	uint32_t a;
	uint32_t x;
	uint32_t mem[BPF_MEMWORDS];
};

static uint32_t alu(uint16_t code, uint32_t a, uint32_t v)
{
	switch (BPF_OP(code)) {
	case BPF_ADD:
		return a + v;
	case BPF_SUB:
		return a - v;
	case BPF_MUL:
		return a * v;
	case BPF_DIV:
		return v ? a / v : 0; /* zero ends the run before */
	case BPF_AND:
		return a & v;
	case BPF_OR:
		return a | v;
	case BPF_XOR:
		return a ^ v;
	case BPF_LSH:
		return a << (v & 31);
	case BPF_RSH:
		return a >> (v & 31);
	default: /* BPF_NEG */
		return 0U - a;
	}
}

static bool holds(uint16_t code, uint32_t a, uint32_t v)
{
	switch (BPF_OP(code)) {
	case BPF_JEQ:
		return a == v;
	case BPF_JGT:
		return a > v;
	case BPF_JGE:
		return a >= v;
	default: /* BPF_JSET */
		return (a & v) != 0;
	}
}

static uint32_t load(const struct machine *m, const struct sock_filter *in,
		     const struct seccomp_data *data, struct bpf_result *ret)
{
	uint32_t word;

	switch (BPF_MODE(in->code)) {
	case BPF_ABS:
		memcpy(&word, (const uint8_t *)data + in->k, sizeof(word));
		ret->read_args |= in->k >= offsetof(struct seccomp_data, args);
		ret->read_ip |= in->k >= offsetof(struct seccomp_data, instruction_pointer) &&
				in->k < offsetof(struct seccomp_data, args);
		return word;
	case BPF_MEM:
		return m->mem[in->k];
	case BPF_LEN:
		return (uint32_t)sizeof(*data);
	default: /* BPF_IMM */
		return in->k;
	}
}

void bpf_run(const struct sock_filter *insns, size_t n, const struct seccomp_data *data,
	     uint8_t *cover, struct bpf_result *ret)
{
	struct machine m = { .a = 0 };

	*ret = (struct bpf_result){ .ret = SECCOMP_RET_KILL_PROCESS };
	for (size_t i = 0; i < n; i++) {
		const struct sock_filter *in = &insns[i];
		uint32_t v = BPF_SRC(in->code) == BPF_X ? m.x : in->k;

		if (cover)
			cover[i] = 1;
		ret->steps++;
		switch (BPF_CLASS(in->code)) {
		case BPF_LD:
			m.a = load(&m, in, data, ret);
			break;
		case BPF_LDX:
			m.x = load(&m, in, data, ret);
			break;
		case BPF_ST:
			m.mem[in->k] = m.a;
			break;
		case BPF_STX:
			m.mem[in->k] = m.x;
			break;
		case BPF_ALU:
			/* The kernel ends a filter that divides by zero with 0,
			 * SECCOMP_RET_KILL_THREAD (bpf_convert_filter() in net/core/filter.c). */
			if (BPF_OP(in->code) == BPF_DIV && v == 0) {
				ret->ret = SECCOMP_RET_KILL_THREAD;
				return;
			}
			m.a = alu(in->code, m.a, v);
			break;
		case BPF_JMP:
			if (BPF_OP(in->code) == BPF_JA)
				i += in->k;
			else
				i += holds(in->code, m.a, v) ? in->jt : in->jf;
			break;
		case BPF_RET:
			ret->ret = BPF_RVAL(in->code) == BPF_A ? m.a : in->k;
			return;
		default: /* BPF_MISC */
			if (BPF_MISCOP(in->code) == BPF_TAX)
				m.x = m.a;
			else
				m.a = m.x;
			break;
		}
	}
}
