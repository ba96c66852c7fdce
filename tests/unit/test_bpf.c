// SPDX-License-Identifier: Apache-2.0
/* The assembler's jumps, and the evaluator: what it accepts and what it answers. */
#include <errno.h>
#include <linux/audit.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "profiles/bpf_asm.h"
#include "profiles/bpf_eval.h"
#include "tests/unit/random_policy.h"

static const struct seccomp_data no_data;

static uint32_t run(const struct sock_filter *insns, size_t n, const struct seccomp_data *data)
{
	struct bpf_result r;

	bpf_run(insns, n, data, NULL, &r);
	return r.ret;
}

/* A ladder of n tests on nr, whose answers stand behind all of them: every jump is of another
 * length. */
static void ladder(uint32_t n)
{
	struct bpf_asm a = BPF_ASM_INIT;
	uint32_t *labels = calloc(n, sizeof(*labels));
	struct sock_filter *insns = NULL;
	uint32_t *notes = NULL;
	size_t len = 0;

	assert_non_null(labels);
	for (uint32_t i = 0; i < n; i++)
		labels[i] = bpf_asm_label(&a);
	bpf_asm_op(&a, BPF_LD | BPF_W | BPF_ABS, 0);
	for (uint32_t i = 0; i < n; i++) {
		a.note = i;
		bpf_asm_jump(&a, BPF_JMP | BPF_JEQ | BPF_K, i, labels[i], BPF_ASM_NEXT);
	}
	bpf_asm_op(&a, BPF_RET | BPF_K, 1);
	for (uint32_t i = 0; i < n; i++) {
		bpf_asm_place(&a, labels[i]);
		bpf_asm_op(&a, BPF_ALU | BPF_ADD | BPF_K, 7); /* no RET: that would be copied */
		bpf_asm_op(&a, BPF_RET | BPF_A, 0);
	}
	assert_int_equal(bpf_asm_finish(&a, LIMIT_BPF_INSNS, &insns, &notes, &len), 0);
	assert_int_equal(bpf_check(insns, len, NULL), 0);
	assert_int_equal(notes[1], 0);
	for (uint32_t i = 0; i < n; i++) {
		struct seccomp_data d = { .nr = (int)i };

		assert_int_equal(run(insns, len, &d), i + 7);
	}
	assert_int_equal(run(insns, len, &(struct seccomp_data){ .nr = (int)n }), 1);
	free(insns);
	free(notes);
	free(labels);
	bpf_asm_done(&a);
}

static void test_asm_far_jumps(void **state)
{
	(void)state;
	/* Around the 8-bit limit, and far past it. */
	for (uint32_t n = 80; n < 140; n++)
		ladder(n);
	ladder(250);
	ladder(256);
	ladder(700);
}

static void test_asm_copies_far_returns(void **state)
{
	struct bpf_asm a = BPF_ASM_INIT;
	uint32_t far = bpf_asm_label(&a);
	struct sock_filter *insns = NULL;
	size_t len = 0;

	(void)state;
	bpf_asm_op(&a, BPF_LD | BPF_W | BPF_ABS, 0);
	bpf_asm_jump(&a, BPF_JMP | BPF_JEQ | BPF_K, 5, far, BPF_ASM_NEXT);
	for (unsigned i = 0; i < 300; i++)
		bpf_asm_op(&a, BPF_ALU | BPF_ADD | BPF_K, 1);
	bpf_asm_op(&a, BPF_RET | BPF_A, 0);
	bpf_asm_place(&a, far);
	bpf_asm_op(&a, BPF_RET | BPF_K, 42);
	assert_int_equal(bpf_asm_finish(&a, LIMIT_BPF_INSNS, &insns, NULL, &len), 0);
	/* The return stands behind its jump, and the one that nothing leads to is gone. */
	assert_int_equal(len, 2 + 1 + 300 + 1);
	assert_int_equal(insns[2].code, BPF_RET | BPF_K);
	assert_int_equal(run(insns, len, &(struct seccomp_data){ .nr = 5 }), 42);
	assert_int_equal(run(insns, len, &(struct seccomp_data){ .nr = 6 }), 306);
	free(insns);
	bpf_asm_done(&a);
}

static void test_asm_refuses(void **state)
{
	struct sock_filter *insns = NULL;
	size_t len = 0;
	uint32_t label;

	(void)state;
	for (unsigned which = 0; which < 5; which++) {
		struct bpf_asm a = BPF_ASM_INIT;

		label = bpf_asm_label(&a);
		if (which == 0)
			bpf_asm_place(&a, label);
		if (which != 1)
			bpf_asm_op(&a, BPF_LD | BPF_W | BPF_ABS, 0);
		if (which == 0 || which == 2) /* backwards; no place at all */
			bpf_asm_jump(&a, BPF_JMP | BPF_JEQ | BPF_K, 5, label, BPF_ASM_NEXT);
		if (which == 3)
			bpf_asm_goto(&a, label);
		if (which != 1)
			bpf_asm_op(&a, BPF_RET | BPF_K, 0);
		/* 4 is the allowed twin */
		assert_int_equal(bpf_asm_finish(&a, LIMIT_BPF_INSNS, &insns, NULL, &len),
				 which == 4 ? 0 : -EINVAL);
		if (which == 4) {
			free(insns);
			insns = NULL;
			assert_int_equal(bpf_asm_finish(&a, 1, &insns, NULL, &len), -E2BIG);
			assert_int_equal(len, 2);
		}
		assert_null(insns);
		bpf_asm_done(&a);
	}
}

/* Whether the kernel takes the program; asked in a child, which it will confine. */
static bool kernel_takes(struct sock_filter *insns, size_t n)
{
	struct sock_fprog prog = { .len = (unsigned short)n, .filter = insns };
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
			_exit(3);
		if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) == 0)
			_exit(0);
		_exit(errno == EINVAL ? 1 : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	/* A filter that answers KILL ends the child at its next call: it was taken. */
	if (!WIFEXITED(status))
		return true;
	assert_true(WEXITSTATUS(status) != 3);
	return WEXITSTATUS(status) != 1;
}

/* Random programs, near enough to legal ones: the evaluator takes what the kernel takes. */
static void test_check_agrees_with_the_kernel(void **state)
{
	static const uint16_t codes[] = {
		BPF_LD | BPF_W | BPF_ABS,
		BPF_LD | BPF_H | BPF_ABS,
		BPF_LD | BPF_IMM,
		BPF_LD | BPF_MEM,
		BPF_LDX | BPF_MEM,
		BPF_LDX | BPF_IMM,
		BPF_LD | BPF_W | BPF_LEN,
		BPF_LD | BPF_W | BPF_IND,
		BPF_ST,
		BPF_STX,
		BPF_ALU | BPF_ADD | BPF_X,
		BPF_ALU | BPF_DIV | BPF_K,
		BPF_ALU | BPF_MOD | BPF_K,
		BPF_ALU | BPF_LSH | BPF_K,
		BPF_ALU | BPF_XOR | BPF_K,
		BPF_ALU | BPF_NEG,
		BPF_JMP | BPF_JA,
		BPF_JMP | BPF_JEQ | BPF_K,
		BPF_JMP | BPF_JSET | BPF_X,
		BPF_JMP | BPF_JGT | BPF_K,
		BPF_RET | BPF_K,
		BPF_RET | BPF_A,
		BPF_RET | BPF_X,
		BPF_MISC | BPF_TAX,
		BPF_MISC | BPF_TXA,
		BPF_JMP | 0x50,
		BPF_LDX | BPF_B | BPF_MSH,
	};
	uint64_t seed = 7;
	unsigned taken = 0, refused = 0;

	(void)state;
	for (unsigned round = 0; round < 400; round++) {
		struct sock_filter p[5];
		size_t n = 1 + random_below(&seed, 5);
		bool ours;

		for (size_t i = 0; i < n; i++) {
			p[i].code = codes[random_below(&seed, random_below(&seed, 4) ? 22 : 27)];
			p[i].jt = (uint8_t)random_below(&seed, 3);
			p[i].jf = (uint8_t)random_below(&seed, 3);
			p[i].k = (uint32_t)random_below(&seed, 70);
			if (random_below(&seed, 2))
				p[i].k = BPF_CLASS(p[i].code) == BPF_JMP ? 0 : p[i].k & ~3U;
		}
		if (random_below(&seed, 4))
			p[n - 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
		ours = bpf_check(p, n, NULL) == 0;
		assert_int_equal(ours, kernel_takes(p, n));
		ours ? taken++ : refused++;
	}
	/* The test says something only if both happen. */
	assert_true(taken > 50 && refused > 50);
}

static void test_check_bounds(void **state)
{
	struct sock_filter *p = calloc(LIMIT_BPF_INSNS + 1, sizeof(*p));

	(void)state;
	assert_non_null(p);
	for (size_t i = 0; i <= LIMIT_BPF_INSNS; i++)
		p[i] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
	assert_int_equal(bpf_check(p, 0, NULL), -EINVAL);
	assert_int_equal(bpf_check(p, LIMIT_BPF_INSNS, NULL), 0);
	assert_int_equal(bpf_check(p, LIMIT_BPF_INSNS + 1, NULL), -EINVAL);
	p[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 60);
	assert_int_equal(bpf_check(p, 2, NULL), 0);
	p[0].k = 64;
	assert_int_equal(bpf_check(p, 2, NULL), -EINVAL);
	p[0].k = 61;
	assert_int_equal(bpf_check(p, 2, NULL), -EINVAL);
	p[0] = (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, UINT32_MAX);
	assert_int_equal(bpf_check(p, 2, NULL), -EINVAL);
	free(p);
}

static void test_run_arithmetic(void **state)
{
	static const struct {
		uint16_t code;
		uint32_t a, k, want;
	} cases[] = {
		{ BPF_ADD, 0xffffffff, 2, 1 },		{ BPF_SUB, 1, 2, 0xffffffff },
		{ BPF_MUL, 0x10000, 0x10001, 0x10000 }, { BPF_DIV, 7, 2, 3 },
		{ BPF_AND, 0xff0, 0x0ff, 0x0f0 },	{ BPF_OR, 0xf00, 0x00f, 0xf0f },
		{ BPF_XOR, 0x80000001, 0x80000000, 1 }, { BPF_LSH, 1, 31, 0x80000000 },
		{ BPF_RSH, 0x80000000, 31, 1 },		{ BPF_NEG, 1, 0, 0xffffffff },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sock_filter p[] = {
			BPF_STMT(BPF_LD | BPF_IMM, cases[i].a),
			BPF_STMT((uint16_t)(BPF_ALU | cases[i].code | BPF_K), cases[i].k),
			BPF_STMT(BPF_RET | BPF_A, 0),
		};

		assert_int_equal(bpf_check(p, 3, NULL), 0);
		assert_int_equal(run(p, 3, &no_data), cases[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_asm_far_jumps),
		cmocka_unit_test(test_asm_copies_far_returns),
		cmocka_unit_test(test_asm_refuses),
		cmocka_unit_test(test_check_agrees_with_the_kernel),
		cmocka_unit_test(test_check_bounds),
		cmocka_unit_test(test_run_arithmetic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
