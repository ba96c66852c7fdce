// SPDX-License-Identifier: Apache-2.0
#include "cli/static_code.h"

#include <capstone/capstone.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	MAX_INSNS = 1 << 20, /* of a function */
	MAX_STEPS = 1 << 14, /* of a trace */
	ALL_STEPS = 1 << 28,
	/* The System V ABI: what a call may change, and where its arguments are. */
	CLOBBERED = 1 << CODE_RAX | 1 << CODE_RCX | 1 << CODE_RDX | 1 << CODE_RSI | 1 << CODE_RDI |
		    1 << CODE_R8 | 1 << CODE_R9 | 1 << CODE_R10 | 1 << CODE_R11,
	ARGUMENTS = 1 << CODE_RDI | 1 << CODE_RSI | 1 << CODE_RDX | 1 << CODE_RCX | 1 << CODE_R8 |
		    1 << CODE_R9,
	/* and what the kernel's entry changes */
	RESYNC = 32, /* bytes behind what is no instruction */
	BY_SYSCALL = 1 << CODE_RAX | 1 << CODE_RCX | 1 << CODE_R11,
};

/* The whole register that one of capstone's is part of; *ret_wide: writing it leaves nothing of
 * the old value. */
static enum code_register whole(unsigned reg, bool *ret_wide)
{
	static const unsigned parts[][5] = {
		{ X86_REG_RAX, X86_REG_EAX, X86_REG_AX, X86_REG_AL, X86_REG_AH },
		{ X86_REG_RCX, X86_REG_ECX, X86_REG_CX, X86_REG_CL, X86_REG_CH },
		{ X86_REG_RDX, X86_REG_EDX, X86_REG_DX, X86_REG_DL, X86_REG_DH },
		{ X86_REG_RBX, X86_REG_EBX, X86_REG_BX, X86_REG_BL, X86_REG_BH },
		{ X86_REG_RSP, X86_REG_ESP, X86_REG_SP, X86_REG_SPL, X86_REG_SPL },
		{ X86_REG_RBP, X86_REG_EBP, X86_REG_BP, X86_REG_BPL, X86_REG_BPL },
		{ X86_REG_RSI, X86_REG_ESI, X86_REG_SI, X86_REG_SIL, X86_REG_SIL },
		{ X86_REG_RDI, X86_REG_EDI, X86_REG_DI, X86_REG_DIL, X86_REG_DIL },
		{ X86_REG_R8, X86_REG_R8D, X86_REG_R8W, X86_REG_R8B, X86_REG_R8B },
		{ X86_REG_R9, X86_REG_R9D, X86_REG_R9W, X86_REG_R9B, X86_REG_R9B },
		{ X86_REG_R10, X86_REG_R10D, X86_REG_R10W, X86_REG_R10B, X86_REG_R10B },
		{ X86_REG_R11, X86_REG_R11D, X86_REG_R11W, X86_REG_R11B, X86_REG_R11B },
		{ X86_REG_R12, X86_REG_R12D, X86_REG_R12W, X86_REG_R12B, X86_REG_R12B },
		{ X86_REG_R13, X86_REG_R13D, X86_REG_R13W, X86_REG_R13B, X86_REG_R13B },
		{ X86_REG_R14, X86_REG_R14D, X86_REG_R14W, X86_REG_R14B, X86_REG_R14B },
		{ X86_REG_R15, X86_REG_R15D, X86_REG_R15W, X86_REG_R15B, X86_REG_R15B },
	};
	static uint8_t table[X86_REG_ENDING];
	static bool made;

	for (unsigned i = 0; !made && i < CODE_NO_REGISTER; i++) {
		for (unsigned k = 0; k < 5; k++)
			table[parts[i][k]] = (uint8_t)(1 + i + (k < 2 ? 32 : 0));
	}
	made = true;
	*ret_wide = false;
	if (reg >= X86_REG_ENDING || table[reg] == 0)
		return CODE_NO_REGISTER;
	*ret_wide = table[reg] & 32;
	return (enum code_register)((table[reg] & 31) - 1);
}

int code_begin(struct code *c, struct err *err)
{
	csh handle;

	*c = (struct code){ .steps_left = ALL_STEPS };
	if (cs_open(CS_ARCH_X86, CS_MODE_64, &handle) != CS_ERR_OK)
		return err_set(err, -ENOSYS, "use capstone, the disassembler");
	c->handle = malloc(sizeof(handle));
	if (!c->handle) {
		(void)cs_close(&handle);
		return err_set(err, -ENOMEM, "begin to disassemble");
	}
	memcpy(c->handle, &handle, sizeof(handle));
	(void)cs_option(handle, CS_OPT_DETAIL, CS_OPT_ON);
	c->insn = cs_malloc(handle);
	if (!c->insn) {
		code_done(c);
		return err_set(err, -ENOMEM, "begin to disassemble");
	}
	return 0;
}

void code_done(struct code *c)
{
	if (c->insn)
		cs_free(c->insn, 1);
	if (c->handle)
		(void)cs_close(c->handle);
	free(c->handle);
	free(c->insns), free(c->jumps), free(c->seen);
	*c = (struct code){ .n = 0 };
}

/* --- one instruction --- */

static uint16_t written(csh handle, const cs_insn *insn)
{
	cs_regs read, write;
	uint8_t n_read = 0, n_write = 0;
	uint16_t bits = 0;
	bool wide;

	if (cs_regs_access(handle, insn, read, &n_read, write, &n_write) != CS_ERR_OK)
		return UINT16_MAX;
	for (unsigned i = 0; i < n_write; i++) {
		const enum code_register reg = whole(write[i], &wide);

		if (reg != CODE_NO_REGISTER)
			bits |= (uint16_t)(1U << reg);
	}
	return bits;
}

/* [rip + N]: the address. */
static bool relative(const cs_insn *insn, const cs_x86_op *op, uint64_t *ret)
{
	if (op->type != X86_OP_MEM || op->mem.base != X86_REG_RIP ||
	    op->mem.index != X86_REG_INVALID)
		return false;
	*ret = insn->address + insn->size + (uint64_t)op->mem.disp;
	return true;
}

static void set_transfer(struct code_insn *out, const cs_insn *insn, enum code_kind kind)
{
	const cs_x86 *x = &insn->detail->x86;

	out->kind = (uint8_t)kind;
	if (x->op_count != 1)
		return;
	if (x->operands[0].type == X86_OP_IMM)
		out->target = (uint64_t)x->operands[0].imm;
	else if (relative(insn, &x->operands[0], &out->target))
		out->through = true;
}

static void set_move(struct code_insn *out, const cs_insn *insn)
{
	const cs_x86 *x = &insn->detail->x86;
	bool wide, wide_from;

	if (x->op_count != 2 || x->operands[0].type != X86_OP_REG)
		return;
	out->to = (uint8_t)whole(x->operands[0].reg, &wide);
	if (!wide || out->to == CODE_NO_REGISTER)
		return;
	if (x->operands[1].type == X86_OP_IMM) {
		out->kind = CODE_SET;
		out->value = x->operands[0].size == 4 ? (uint32_t)x->operands[1].imm
						      : (uint64_t)x->operands[1].imm;
	} else if (x->operands[1].type == X86_OP_REG) {
		out->from = (uint8_t)whole(x->operands[1].reg, &wide_from);
		/* movsxd and movzx of less than four bytes change the value */
		if (wide_from && out->from != CODE_NO_REGISTER)
			out->kind = CODE_COPY;
	}
}

static bool is_cleared(const cs_x86 *x)
{
	return x->op_count == 2 && x->operands[0].type == X86_OP_REG &&
	       x->operands[1].type == X86_OP_REG && x->operands[0].reg == x->operands[1].reg;
}

static void set_kind(csh handle, struct code_insn *out, const cs_insn *insn)
{
	const cs_x86 *x = &insn->detail->x86;
	bool wide;

	switch (insn->id) {
	case X86_INS_SYSCALL:
		out->kind = CODE_SYSCALL;
		out->writes |= BY_SYSCALL;
		break;
	case X86_INS_NOP:
		out->kind = CODE_NOTHING;
		out->writes = 0;
		break;
	case X86_INS_SYSENTER:
		out->kind = CODE_FOREIGN;
		break;
	case X86_INS_INT:
		if (x->op_count == 1 && x->operands[0].imm == 0x80)
			out->kind = CODE_FOREIGN;
		break;
	case X86_INS_CALL:
		set_transfer(out, insn, CODE_CALL);
		out->writes |= CLOBBERED;
		break;
	case X86_INS_JMP:
		set_transfer(out, insn, CODE_JUMP);
		break;
	case X86_INS_RET: /* hlt is no end: libc goes on behind it, for want of another way */
	case X86_INS_UD2:
	case X86_INS_INT3:
		out->kind = CODE_END;
		break;
	case X86_INS_MOV:
	case X86_INS_MOVABS:
	case X86_INS_MOVSXD:
		set_move(out, insn);
		break;
	case X86_INS_XOR:
	case X86_INS_SUB:
		if (is_cleared(x)) {
			out->to = (uint8_t)whole(x->operands[0].reg, &wide);
			out->kind = wide && out->to != CODE_NO_REGISTER ? CODE_SET : CODE_OTHER;
		}
		break;
	case X86_INS_PUSH:
		out->kind = CODE_PUSH;
		out->is_constant = x->op_count == 1 && x->operands[0].type == X86_OP_IMM;
		out->value = out->is_constant ? (uint64_t)x->operands[0].imm : 0;
		break;
	case X86_INS_POP:
		out->to = x->op_count == 1 && x->operands[0].type == X86_OP_REG
				  ? (uint8_t)whole(x->operands[0].reg, &wide)
				  : CODE_NO_REGISTER;
		out->kind = out->to == CODE_NO_REGISTER ? CODE_OTHER : CODE_POP;
		break;
	default:
		if (insn->id >= X86_INS_CMOVA && insn->id <= X86_INS_CMOVS) {
			set_move(out, insn);
			out->kind = out->kind == CODE_COPY ? CODE_MAYBE : CODE_OTHER;
		} else if (cs_insn_group(handle, insn, CS_GRP_JUMP)) {
			set_transfer(out, insn, CODE_BRANCH);
		}
		break;
	}
}

/* lea: the register is the address. */
static void set_address(struct code_insn *out, const cs_insn *insn)
{
	bool wide;

	if (insn->id != X86_INS_LEA)
		return;
	out->to = (uint8_t)whole(insn->detail->x86.operands[0].reg, &wide);
	if (!wide || out->to == CODE_NO_REGISTER)
		return;
	out->kind = CODE_SET;
	out->value = out->target;
}

/* An address that it takes: of a function, or of a place where one lies. */
static void set_named(struct code_insn *out, const cs_insn *insn, const struct elf_file *f)
{
	const cs_x86 *x = &insn->detail->x86;

	if (out->kind == CODE_CALL || out->kind == CODE_JUMP || out->kind == CODE_BRANCH)
		return;
	for (unsigned i = 0; i < x->op_count && !out->names; i++) {
		if (relative(insn, &x->operands[i], &out->target)) {
			out->names = true;
			out->through = insn->id != X86_INS_LEA;
			set_address(out, insn);
		} else if (f->fixed && x->operands[i].type == X86_OP_IMM &&
			   elf_is_code(f, (uint64_t)x->operands[i].imm)) {
			out->names = true;
			out->target = (uint64_t)x->operands[i].imm;
		}
	}
}

/* --- a function --- */

static struct code_insn *next(struct code *c)
{
	struct code_insn *grown;

	if (c->n == c->max) {
		if (c->max >= MAX_INSNS)
			return NULL;
		grown = reallocarray(c->insns, c->max ? c->max * 2 : 4096, sizeof(*grown));
		if (!grown)
			return NULL;
		c->insns = grown;
		c->max = c->max ? c->max * 2 : 4096;
	}
	return &c->insns[c->n];
}

size_t code_at(const struct code *c, uint64_t address)
{
	size_t low = 0, high = c->n;

	while (low < high) {
		const size_t mid = low + (high - low) / 2;

		if (c->insns[mid].address < address)
			low = mid + 1;
		else
			high = mid;
	}
	return low < c->n && c->insns[low].address == address ? low : SIZE_MAX;
}

static int compare_jumps(const void *a, const void *b)
{
	const struct code_jump *x = a, *y = b;

	return x->target < y->target ? -1 : x->target > y->target;
}

static int mark_leaders(struct code *c)
{
	c->n_jumps = 0;
	for (size_t i = 0; i < c->n; i++) {
		const struct code_insn *in = &c->insns[i];
		size_t at;

		if ((in->kind != CODE_JUMP && in->kind != CODE_BRANCH) || in->through)
			continue;
		at = code_at(c, in->target);
		if (at == SIZE_MAX)
			continue;
		c->insns[at].is_leader = true;
		if (c->n_jumps == c->max_jumps) {
			const size_t max = c->max_jumps ? c->max_jumps * 2 : 1024;
			struct code_jump *grown = reallocarray(c->jumps, max, sizeof(*grown));

			if (!grown)
				return -ENOMEM;
			c->jumps = grown;
			c->max_jumps = max;
		}
		c->jumps[c->n_jumps++] = (struct code_jump){ in->target, i };
	}
	if (c->n_jumps > 0)
		qsort(c->jumps, c->n_jumps, sizeof(*c->jumps), compare_jumps);
	return 0;
}

int code_decode(struct code *c, const struct elf_file *f, uint64_t start, uint64_t end)
{
	csh handle;
	size_t len = 0;
	const uint8_t *p = elf_at(f, start, &len);
	uint64_t address = start, unsure = 0;

	memcpy(&handle, c->handle, sizeof(handle));
	c->n = c->undecoded = 0;
	c->start = start;
	c->end = end;
	if (!p || end <= start)
		return 0;
	if (len > end - start)
		len = (size_t)(end - start);
	while (len > 0) {
		struct code_insn *out;
		cs_insn *insn = c->insn;

		if (!cs_disasm_iter(handle, &p, &len, &address, insn)) {
			/* newer than the disassembler, or no instruction */
			p++, len--, address++;
			c->undecoded++;
			unsure = address + RESYNC;
			continue;
		}
		out = next(c);
		if (!out)
			return c->n >= MAX_INSNS ? mark_leaders(c) : -ENOMEM;
		*out = (struct code_insn){ .address = insn->address,
					   .size = (uint8_t)insn->size,
					   .unsure = insn->address < unsure,
					   .to = CODE_NO_REGISTER,
					   .from = CODE_NO_REGISTER,
					   .writes = written(handle, insn) };
		set_kind(handle, out, insn);
		set_named(out, insn, f);
		c->n++;
	}
	return mark_leaders(c);
}

/* --- where a value comes from --- */

/* The registers that a trace asked for before an instruction, a bit each. */
struct code_seen {
	uint64_t trace;
	uint32_t regs;
};

struct trace {
	struct code *c;
	struct code_values *out;
	unsigned steps;
	struct ask {
		size_t i;
		uint8_t reg;
	} * stack;
	size_t n, max;
};

static void put_value(struct code_values *out, uint64_t value)
{
	for (unsigned i = 0; i < out->n; i++) {
		if (out->value[i] == value)
			return;
	}
	if (out->n == CODE_MAX_VALUES)
		out->unknown = true;
	else
		out->value[out->n++] = value;
}

static void ask(struct trace *t, size_t i, unsigned reg)
{
	struct code_seen *seen = &t->c->seen[i];
	struct ask *grown;

	if (seen->trace != t->c->traces)
		*seen = (struct code_seen){ .trace = t->c->traces };
	if (seen->regs & 1U << reg)
		return;
	seen->regs |= 1U << reg;
	if (t->n == t->max) {
		grown = reallocarray(t->stack, t->max ? t->max * 2 : 64, sizeof(*grown));
		if (!grown) {
			t->out->unknown = true;
			return;
		}
		t->stack = grown;
		t->max = t->max ? t->max * 2 : 64;
	}
	t->stack[t->n++] = (struct ask){ i, (uint8_t)reg };
}

static bool falls_through(const struct code_insn *in)
{
	return in->kind != CODE_JUMP && in->kind != CODE_END && !in->ends;
}

/* What the instruction before i made of the register, or the same question further up. */
static void step_back(struct trace *t, size_t i, unsigned reg)
{
	const struct code_insn *in = &t->c->insns[i];

	if (in->kind == CODE_SET && in->to == reg) {
		put_value(t->out, in->value);
	} else if (in->kind == CODE_COPY && in->to == reg) {
		ask(t, i, in->from);
	} else if (in->kind == CODE_MAYBE && in->to == reg) {
		ask(t, i, in->from);
		ask(t, i, reg);
	} else if (in->kind == CODE_POP && in->to == reg && i > 0 && !in->is_leader &&
		   t->c->insns[i - 1].kind == CODE_PUSH && t->c->insns[i - 1].is_constant) {
		put_value(t->out, t->c->insns[i - 1].value);
	} else if (in->writes & 1U << reg) {
		t->out->unknown = true;
	} else {
		ask(t, i, reg);
	}
}

static size_t first_jump(const struct code *c, uint64_t target)
{
	size_t low = 0, high = c->n_jumps;

	while (low < high) {
		const size_t mid = low + (high - low) / 2;

		if (c->jumps[mid].target < target)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* All that can come right before instruction i. */
static void before(struct trace *t, size_t i, unsigned reg)
{
	const struct code *c = t->c;
	bool any = false;

	if (c->insns[i].is_leader) {
		for (size_t k = first_jump(c, c->insns[i].address);
		     k < c->n_jumps && c->jumps[k].target == c->insns[i].address; k++) {
			any = true;
			ask(t, c->jumps[k].from, reg);
		}
	}
	if (i == 0) {
		any = true;
		if (ARGUMENTS & 1U << reg)
			t->out->arguments |= (uint16_t)(1U << reg);
		else
			t->out->unknown = true;
	} else if (falls_through(&c->insns[i - 1])) {
		any = true;
		step_back(t, i - 1, reg);
	}
	/* reached by a jump that is computed, unless it only fills the space before a target */
	if (!any && c->insns[i].kind != CODE_NOTHING)
		t->out->unknown = true;
}

void code_trace(struct code *c, size_t i, enum code_register reg, struct code_values *ret)
{
	struct trace t = { .c = c, .out = ret };

	*ret = (struct code_values){ .n = 0 };
	if (c->max_seen < c->n) {
		struct code_seen *grown = reallocarray(c->seen, c->max, sizeof(*grown));

		if (!grown) {
			ret->unknown = true;
			return;
		}
		memset(grown + c->max_seen, 0, (c->max - c->max_seen) * sizeof(*grown));
		c->seen = grown;
		c->max_seen = c->max;
	}
	c->traces++;
	ask(&t, i, reg);
	while (t.n > 0) {
		const struct ask a = t.stack[--t.n];

		if (++t.steps > MAX_STEPS || c->steps_left == 0) {
			ret->unknown = true;
			break;
		}
		c->steps_left--;
		before(&t, a.i, a.reg);
	}
	free(t.stack);
}
