// SPDX-License-Identifier: Apache-2.0
/*
 * A function's instructions, as far as a system call's number can depend on them, and where a
 * register's value at one of them comes from.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/static_elf.h"

/* The registers that hold integers, in the order of their numbers in instructions. */
enum code_register {
	CODE_RAX,
	CODE_RCX,
	CODE_RDX,
	CODE_RBX,
	CODE_RSP,
	CODE_RBP,
	CODE_RSI,
	CODE_RDI,
	CODE_R8,
	CODE_R9,
	CODE_R10,
	CODE_R11,
	CODE_R12,
	CODE_R13,
	CODE_R14,
	CODE_R15,
	CODE_NO_REGISTER,
};

enum code_kind {
	CODE_OTHER,
	CODE_NOTHING, /* fills space */
	CODE_SET,     /* to is value */
	CODE_COPY,    /* to is from */
	CODE_MAYBE,   /* to is from, or what it was */
	CODE_PUSH,    /* of value, when is_constant */
	CODE_POP,     /* to is what was pushed */
	CODE_CALL,    /* target, 0: not known */
	CODE_JUMP,    /* the same, and nothing follows */
	CODE_BRANCH,  /* target, or goes on */
	CODE_END,     /* nothing follows: ret, ud2, hlt */
	CODE_SYSCALL,
	CODE_FOREIGN, /* int 0x80, sysenter: another ABI's call */
};

struct code_insn {
	uint64_t address;
	uint64_t target; /* of CALL, JUMP, BRANCH; or an address that is named: see names */
	uint64_t value;
	uint16_t writes; /* a bit a register */
	uint8_t size;
	uint8_t kind; /* enum code_kind */
	uint8_t to, from;
	bool is_constant;
	bool through;	/* target is a place that holds the address */
	bool names;	/* it takes the address that target is, or (through) that lies there */
	bool unsure;	/* it follows what was no instruction, and may be none */
	bool ends;	/* a call that does not come back: set by who knows what is called */
	bool is_leader; /* a jump of this function leads here */
};

/* A jump within the function. */
struct code_jump {
	uint64_t target;
	size_t from;
};

struct code {
	struct code_insn *insns;
	struct code_jump *jumps; /* by target */
	struct code_seen *seen;	 /* by instruction, for traces */
	size_t n, max, n_jumps, max_jumps, max_seen;
	uint64_t traces, steps_left;
	uint64_t start, end;
	size_t undecoded; /* bytes that are no instruction that the disassembler knows */
	void *handle;	  /* capstone's */
	void *insn;
};

int code_begin(struct code *c, struct err *err);
void code_done(struct code *c);

/* Decode [start, end) of a file; what was decoded before is gone. 0 or -ENOMEM. */
int code_decode(struct code *c, const struct elf_file *f, uint64_t start, uint64_t end);

enum { CODE_MAX_VALUES = 16 };

/* What a register can hold where instruction i begins. All traces together take a bounded number of
 * steps; those beyond it find nothing, which is told as unknown. */
struct code_values {
	uint64_t value[CODE_MAX_VALUES];
	unsigned n;
	uint16_t arguments; /* a bit a register: what that held when the function was entered */
	bool unknown;	    /* something else, too */
};
void code_trace(struct code *c, size_t i, enum code_register reg, struct code_values *ret);

/* The instruction at an address of the function; SIZE_MAX: none. */
size_t code_at(const struct code *c, uint64_t address);
