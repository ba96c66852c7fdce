// SPDX-License-Identifier: Apache-2.0
/*
 * cordon-probe FD SIZE: make the calls of the block in FD, one after the other, with exactly those
 * registers. It is the payload of `cordon policy test --live`. Without a libc: its start makes no
 * call either, and none of its own can be taken for one that was asked for.
 */
#include <asm/unistd.h>
#include <linux/mman.h>
#include <stddef.h>

#include "cli/probe.h"

enum { PROT_RW = 3, EXIT_USAGE = 64, EXIT_NO_BLOCK = 65 };

#if defined(__x86_64__)
static int64_t call(int64_t nr, const uint64_t args[6])
{
	register uint64_t r10 __asm__("r10") = args[3];
	register uint64_t r8 __asm__("r8") = args[4];
	register uint64_t r9 __asm__("r9") = args[5];
	int64_t ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(args[0]), "S"(args[1]), "d"(args[2]), "r"(r10), "r"(r8),
			   "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

/* The child may share this stack: it ends in registers alone. */
static int64_t call_twice(int64_t nr, const uint64_t args[6])
{
	register uint64_t r10 __asm__("r10") = args[3];
	register uint64_t r8 __asm__("r8") = args[4];
	register uint64_t r9 __asm__("r9") = args[5];
	int64_t ret;

	__asm__ volatile("syscall\n\t"
			 "testq %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "movl %[exit], %%eax\n\t"
			 "xorl %%edi, %%edi\n\t"
			 "syscall\n\t"
			 "ud2\n"
			 "1:"
			 : "=a"(ret)
			 : "a"(nr), "D"(args[0]), "S"(args[1]), "d"(args[2]), "r"(r10), "r"(r8),
			   "r"(r9), [exit] "i"(__NR_exit)
			 : "rcx", "r11", "memory");
	return ret;
}

__asm__(".globl _start\n"
	"_start:\n\t"
	"xorl %ebp, %ebp\n\t"
	"movq %rsp, %rdi\n\t"
	"andq $-16, %rsp\n\t"
	"call probe_main\n\t"
	"ud2\n");
#elif defined(__aarch64__)
static int64_t call(int64_t nr, const uint64_t args[6])
{
	register int64_t x8 __asm__("x8") = nr;
	register uint64_t x0 __asm__("x0") = args[0];
	register uint64_t x1 __asm__("x1") = args[1];
	register uint64_t x2 __asm__("x2") = args[2];
	register uint64_t x3 __asm__("x3") = args[3];
	register uint64_t x4 __asm__("x4") = args[4];
	register uint64_t x5 __asm__("x5") = args[5];

	__asm__ volatile("svc #0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return (int64_t)x0;
}

static int64_t call_twice(int64_t nr, const uint64_t args[6])
{
	register int64_t x8 __asm__("x8") = nr;
	register uint64_t x0 __asm__("x0") = args[0];
	register uint64_t x1 __asm__("x1") = args[1];
	register uint64_t x2 __asm__("x2") = args[2];
	register uint64_t x3 __asm__("x3") = args[3];
	register uint64_t x4 __asm__("x4") = args[4];
	register uint64_t x5 __asm__("x5") = args[5];

	__asm__ volatile("svc #0\n\t"
			 "cbnz x0, 1f\n\t"
			 "mov x8, %[exit]\n\t"
			 "svc #0\n\t"
			 "udf #0\n"
			 "1:"
			 : "+r"(x0), "+r"(x8)
			 : "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5), [exit] "i"(__NR_exit)
			 : "memory");
	return (int64_t)x0;
}

__asm__(".globl _start\n"
	"_start:\n\t"
	"mov x29, #0\n\t"
	"mov x30, #0\n\t"
	"mov x0, sp\n\t"
	"and sp, x0, #-16\n\t"
	"bl probe_main\n\t"
	"udf #0\n");
#endif

static void leave(uint64_t status) __attribute__((noreturn));
static void leave(uint64_t status)
{
	const uint64_t args[6] = { status };

	(void)call(__NR_exit_group, args);
	(void)call(__NR_exit, args);
	__builtin_trap();
}

static int64_t number(const char *text)
{
	int64_t n = 0;

	if (*text == '\0')
		return -1;
	for (; *text; text++) {
		if (*text < '0' || *text > '9' || n > INT32_MAX / 10)
			return -1;
		n = 10 * n + (*text - '0');
	}
	return n;
}

static void probe(struct probe_block *block, struct probe_call *c, int64_t before)
{
	uint64_t args[6];

	for (unsigned i = 0; i < 6; i++) {
		args[i] = c->args[i];
		if (c->offset_mask >> i & 1)
			args[i] += block->base;
		if (c->before_mask >> i & 1)
			args[i] = (uint64_t)before;
	}
	/* Written before the call is made: a reader may find us ended by it. */
	__atomic_store_n(&c->state, PROBE_BEGUN, __ATOMIC_SEQ_CST);
	c->result = c->twice ? call_twice(c->nr, args) : call(c->nr, args);
	__atomic_store_n(&c->state, PROBE_DONE, __ATOMIC_SEQ_CST);
	__atomic_store_n(&block->at, block->at + 1, __ATOMIC_SEQ_CST);
}

void probe_main(uint64_t *stack) __attribute__((noreturn, used));
void probe_main(uint64_t *stack)
{
	uint64_t map[6] = { 0, 0, PROT_RW, MAP_SHARED, 0, 0 };
	struct probe_block *block;
	int64_t fd, size, address, before = -1;

	if (stack[0] != 3)
		leave(EXIT_USAGE);
	fd = number((const char *)stack[2]);
	size = number((const char *)stack[3]);
	if (fd < 0 || size < (int64_t)sizeof(*block))
		leave(EXIT_USAGE);
	map[1] = (uint64_t)size;
	map[4] = (uint64_t)fd;
	address = call(__NR_mmap, map);
	if (address < 0 && address > -4096)
		leave(EXIT_NO_BLOCK);
	block = (struct probe_block *)address;
	block->base = (uint64_t)address;
	for (uint32_t i = 0; i < block->n; i++) {
		struct probe_call *c = &block->calls[i];

		if (c->state == PROBE_WAITS)
			probe(block, c, before);
		before = c->result;
	}
	leave(0);
}
