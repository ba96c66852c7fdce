// SPDX-License-Identifier: Apache-2.0
/* Every operator as written, on every width, at every edge: against arithmetic on wide numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "policies/load.h"

/* clang has no -Wpedantic quarrel with it, gcc wants to be told */
__extension__ typedef __int128 wide;

static const struct {
	const char *call, *arg;
	unsigned index, bits;
	bool is_signed;
	uint8_t width;
} subjects[] = {
	{ "kill", "pid", 0, 32, true, WIDTH_S32 },
	{ "read", "fd", 0, 32, false, WIDTH_U32 },
	{ "lseek", "offset", 1, 64, true, WIDTH_S64 },
	{ "mprotect", "len", 1, 64, false, WIDTH_U64 },
};

enum op { EQ, NE, LT, LE, GT, GE, IN_RANGE, IN_MIXED, MASK_EQ, MASK_NE, MASK_NOT_ZERO, _OPS };

static const uint64_t edges[] = { 0,
				  1,
				  2,
				  0x7f,
				  0x7ffffffe,
				  0x7fffffff,
				  0x80000000,
				  0x80000001,
				  0xfffffffe,
				  0xffffffff,
				  0x100000000,
				  0x180000000,
				  0x7fffffffffffffff,
				  0x8000000000000000,
				  0x8000000000000001,
				  0xffffffff00000000,
				  0xfffffffffffffffe,
				  0xffffffffffffffff };

/* What the kernel makes of a register. */
static wide as_read(unsigned s, uint64_t reg)
{
	wide v = subjects[s].bits == 32 ? (wide)(reg & 0xffffffff) : (wide)reg;

	if (subjects[s].is_signed && v >> (subjects[s].bits - 1))
		v -= (wide)1 << subjects[s].bits;
	return v;
}

static void put_number(struct buf *b, wide v)
{
	assert_int_equal(v < 0 ? buf_printf(b, "-%" PRIu64, (uint64_t)-v)
			       : buf_printf(b, "%" PRIu64, (uint64_t)v),
			 0);
}

static void put_rule(struct buf *b, unsigned s, enum op op, wide a, wide c)
{
	static const char *const words[] = { " == ",
					     " != ",
					     " < ",
					     " <= ",
					     " > ",
					     " >= ",
					     " in ",
					     " in ",
					     " & 0xff == ",
					     " & 0xff != ",
					     " & 0x80000001 != " };

	assert_int_equal(
		buf_printf(b, "allow %s if %s%s", subjects[s].call, subjects[s].arg, words[op]), 0);
	if (op == MASK_NOT_ZERO) {
		assert_int_equal(buf_puts(b, "0\n"), 0);
		return;
	}
	put_number(b, op == MASK_EQ || op == MASK_NE ? (a & 0xff) : a);
	if (op == IN_RANGE || op == IN_MIXED) {
		assert_int_equal(buf_puts(b, ".."), 0);
		put_number(b, c);
	}
	assert_int_equal(buf_puts(b, op == IN_MIXED ? " 77\n" : "\n"), 0);
}

static bool holds(enum op op, wide x, wide a, wide c)
{
	switch (op) {
	case EQ:
		return x == a;
	case NE:
		return x != a;
	case LT:
		return x < a;
	case LE:
		return x <= a;
	case GT:
		return x > a;
	case GE:
		return x >= a;
	case IN_RANGE:
		return x >= a && x <= c;
	case IN_MIXED:
		return (x >= a && x <= c) || x == 77;
	case MASK_EQ:
		return (x & 0xff) == (a & 0xff);
	case MASK_NE:
		return (x & 0xff) != (a & 0xff);
	case MASK_NOT_ZERO:
		return (x & 0x80000001) != 0;
	case _OPS:
		break;
	}
	return false;
}

static unsigned check(unsigned s, enum op op, wide a, wide c)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	struct policy_diags diags = { .text = BUF_INIT };
	struct policy *p = NULL;
	struct err err = ERR_INIT;
	int32_t nr = syscall_by_name(subjects[s].call)->nr[ABI_NATIVE];
	unsigned allowed = 0;

	put_rule(&text, s, op, a, c);
	if (policy_load_text("t", text.data, text.len, NULL, &p, &diags, &err) < 0)
		fail_msg("%s", diags.text.data);
	for (size_t i = 0; i < ARRAY_SIZE(edges) + 1; i++) {
		uint64_t args[6] = { 9, 9, 9, 9, 9, 9 };
		uint64_t reg = i < ARRAY_SIZE(edges) ? edges[i] : 77;
		struct policy_verdict v;
		bool want = holds(op, as_read(s, reg), a, c);

		args[subjects[s].index] = reg;
		policy_eval(p, ABI_NATIVE, nr, args, &v);
		if ((v.action == POLICY_ALLOW) != want)
			fail_msg("0x%" PRIx64 " is %s by %s", reg, want ? "refused" : "allowed",
				 text.data);
		allowed += want;
	}
	policy_free(p);
	policy_diags_done(&diags);
	return allowed;
}

static void test_operators(void **state)
{
	unsigned allowed[_OPS] = { 0 };

	(void)state;
	for (unsigned s = 0; s < ARRAY_SIZE(subjects); s++) {
		assert_int_equal(syscall_by_name(subjects[s].call)->args[subjects[s].index].width,
				 subjects[s].width);
		for (unsigned op = 0; op < _OPS; op++) {
			for (size_t i = 0; i < ARRAY_SIZE(edges); i++) {
				wide a = as_read(s, edges[i]);
				wide c = as_read(s, edges[(i + 3) % ARRAY_SIZE(edges)]);

				allowed[op] += check(s, (enum op)op, a < c ? a : c, a < c ? c : a);
			}
		}
	}
	for (unsigned op = 0; op < _OPS; op++)
		assert_in_range(allowed[op], 72, 4 * ARRAY_SIZE(edges) * ARRAY_SIZE(edges));
}

/* `or` is a second rule; `and` on one argument and on several. */
static void test_and_or(void **state)
{
	static const char text[] = "allow kill if pid > 10 and pid != 20 and sig in 1..3 9\n"
				   "allow kill if pid == 20 and sig == 0\n";
	struct policy_diags diags = { .text = BUF_INIT };
	struct policy *p = NULL;
	struct err err = ERR_INIT;
	unsigned n = 0;

	(void)state;
	assert_int_equal(policy_load_text("t", text, strlen(text), NULL, &p, &diags, &err), 0);
	for (uint64_t pid = 0; pid < 30; pid++) {
		for (uint64_t sig = 0; sig < 12; sig++) {
			const uint64_t args[6] = { pid, sig };
			bool want =
				(pid > 10 && pid != 20 && ((sig >= 1 && sig <= 3) || sig == 9)) ||
				(pid == 20 && sig == 0);
			struct policy_verdict v;

			policy_eval(p, ABI_NATIVE, syscall_by_name("kill")->nr[ABI_NATIVE], args,
				    &v);
			assert_int_equal(v.action == POLICY_ALLOW, want);
			n += want;
		}
	}
	assert_int_equal(n, 18 * 4 + 1);
	policy_free(p);
	policy_diags_done(&diags);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_operators),
		cmocka_unit_test(test_and_or),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
