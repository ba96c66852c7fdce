// SPDX-License-Identifier: Apache-2.0
/* Lines for one ABI, and what a comparison means on each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "policies/abi_args.h"
#include "policies/load.h"

/* As of x86_64 on every machine: the ABIs beside it are its own. */
static const struct policy_search search = { .native = ABI_X86_64 };

static struct policy *load(const char *text)
{
	struct policy_diags diags = { .text = BUF_INIT };
	struct policy *policy = NULL;
	struct err err = ERR_INIT;

	if (policy_load_text("t", text, strlen(text), &search, &policy, &diags, &err) < 0)
		fail_msg("%s\n%s", text, diags.text.data);
	policy_diags_done(&diags);
	return policy;
}

static int answer(const struct policy *p, enum abi abi, const char *call, unsigned arg,
		  uint64_t value)
{
	uint64_t args[6] = { 0 };
	struct policy_verdict v;

	args[arg] = value;
	policy_eval(p, abi, syscall_by_name(call)->nr[abi], args, &v);
	return v.action == POLICY_ALLOW ? 0 : v.action == POLICY_KILL ? -1 : v.errno_value;
}

static void test_suffixes(void **state)
{
	struct policy *p = load("abi native i386 x32\n"
				"allow read write getpid getppid close\n"
				"deny read on i386 errno ENOSYS\n"
				"kill write on x32 i386 quiet\n"
				"deny getpid errno ENOSYS quiet on native\n"
				"deny close if fd == 3 quiet on i386 errno EACCES\n"
				"deny @process on i386\n");

	(void)state;
	assert_int_equal(answer(p, ABI_X86_64, "read", 0, 0), 0);
	assert_int_equal(answer(p, ABI_X32, "read", 0, 0), 0);
	assert_int_equal(answer(p, ABI_I386, "read", 0, 0), ENOSYS);
	assert_int_equal(answer(p, ABI_X86_64, "write", 0, 0), 0);
	assert_int_equal(answer(p, ABI_I386, "write", 0, 0), -1);
	assert_int_equal(answer(p, ABI_X32, "write", 0, 0), -1);
	assert_int_equal(answer(p, ABI_X86_64, "getpid", 0, 0), ENOSYS);
	assert_int_equal(answer(p, ABI_I386, "getpid", 0, 0), 0);
	assert_int_equal(answer(p, ABI_I386, "close", 0, 3), EACCES);
	assert_int_equal(answer(p, ABI_I386, "close", 0, 4), 0);
	assert_int_equal(answer(p, ABI_X86_64, "close", 0, 3), 0);
	policy_free(p);
}

/* The same case may be answered otherwise on another ABI, and not on the same. */
static void test_contradiction(void **state)
{
	static const char *const bad =
		"abi native i386\ndeny read\ndeny read on i386 errno ENOSYS\n";
	struct policy_diags diags = { .text = BUF_INIT };
	struct policy *policy = NULL;
	struct err err = ERR_INIT;
	struct policy *p = load("abi native i386\ndeny read on native errno ENOSYS\n"
				"deny read on i386 errno EACCES\ndeny write on i386\ndeny write\n");

	(void)state;
	assert_int_equal(answer(p, ABI_X86_64, "read", 0, 0), ENOSYS);
	assert_int_equal(answer(p, ABI_I386, "read", 0, 0), EACCES);
	assert_int_equal(p->n_rules, 4);
	assert_int_equal(p->n_notes, 0);
	policy_free(p);
	p = load("abi native i386\ndeny write\ndeny write on i386\n");
	assert_int_equal(p->n_rules, 1);
	assert_int_equal(p->n_notes, 1);
	assert_int_equal(p->notes[0].kind, POLICY_NOTE_REPEATED);
	assert_string_equal(p->notes[0].text, "deny write on i386");
	assert_int_equal(p->notes[0].where.line, 3);
	assert_int_equal(p->notes[0].other.line, 2);
	policy_free(p);
	assert_int_equal(policy_load_text("t", bad, strlen(bad), &search, &policy, &diags, &err),
			 -EBADMSG);
	assert_non_null(strstr(diags.text.data, "t:3:6: read: another answer for the same case"));
	policy_diags_done(&diags);
}

/* A long has 32 bits on i386, where a filter sees zeros above them. */
static void test_width(void **state)
{
	struct policy *p = load("abi native i386 x32\n"
				"allow lseek if offset < 0\n"
				"allow prctl if arg2 == 0xffffffff\n"
				"allow kcmp if idx1 > 0x80000000\n"
				"allow io_getevents if nr in -3..5\n");

	(void)state;
	assert_int_equal(answer(p, ABI_X86_64, "lseek", 1, (uint64_t)-1), 0);
	assert_int_equal(answer(p, ABI_X86_64, "lseek", 1, UINT32_MAX), EPERM);
	assert_int_equal(answer(p, ABI_X32, "lseek", 1, UINT32_MAX), EPERM);
	assert_int_equal(answer(p, ABI_I386, "lseek", 1, UINT32_MAX), 0);
	assert_int_equal(answer(p, ABI_I386, "lseek", 1, INT32_MAX), EPERM);
	assert_int_equal(answer(p, ABI_X86_64, "prctl", 1, UINT32_MAX), 0);
	assert_int_equal(answer(p, ABI_X86_64, "prctl", 1, UINT64_MAX), EPERM);
	assert_int_equal(answer(p, ABI_I386, "prctl", 1, UINT32_MAX), 0);
	assert_int_equal(answer(p, ABI_I386, "kcmp", 3, 0x80000001), 0);
	assert_int_equal(answer(p, ABI_I386, "kcmp", 3, 0x80000000), EPERM);
	assert_int_equal(answer(p, ABI_X86_64, "io_getevents", 2, (uint64_t)-3), 0);
	assert_int_equal(answer(p, ABI_X86_64, "io_getevents", 2, (uint32_t)-3), EPERM);
	assert_int_equal(answer(p, ABI_I386, "io_getevents", 2, (uint32_t)-3), 0);
	assert_int_equal(answer(p, ABI_I386, "io_getevents", 2, 6), EPERM);
	policy_free(p);
	/* of what is not open nothing is kept */
	p = load("allow lseek if offset < 0\n");
	assert_int_equal(p->n_rules, 1);
	assert_int_equal(p->rules[0].conds[0].width, WIDTH_S64);
	policy_free(p);
}

/* What a filter cannot see on an ABI is refused where that is open (tests/policies/bad/on-*) and
 * nowhere else. */
static void test_closed(void **state)
{
	struct policy *p = load("allow mmap if prot & 4 == 0\nallow fallocate if len < 10\n");

	(void)state;
	assert_int_equal(p->n_rules, 2);
	assert_int_equal(answer(p, ABI_X86_64, "mmap", 2, 3), 0);
	assert_int_equal(answer(p, ABI_X86_64, "mmap", 2, 4), EPERM);
	policy_free(p);
	p = load("abi native i386\nallow mmap if prot & 4 == 0 on native\ndeny mmap on i386\n");
	assert_int_equal(answer(p, ABI_X86_64, "mmap", 2, 3), 0);
	assert_int_equal(answer(p, ABI_I386, "mmap", 2, 3), EPERM);
	policy_free(p);
}

/* Every argument of the table on every ABI has a width or a reason. */
static void test_table(void **state)
{
	size_t n, refused = 0;
	const struct syscall_desc *table = syscall_table(&n);

	(void)state;
	for (size_t c = 0; c < n; c++) {
		for (unsigned abi = 0; abi < _ABI_MAX; abi++) {
			for (unsigned i = 0; table[c].nr[abi] >= 0 && i < table[c].n_args; i++) {
				enum syscall_width width = WIDTH_NONE;
				const char *why = NULL;
				int r = abi_arg_width(&table[c], (enum abi)abi, i, &width, &why);

				assert_true((r == 0 && width != WIDTH_NONE) || (r < 0 && why));
				refused += r < 0;
				if (abi == ABI_X86_64 || abi == ABI_AARCH64) {
					assert_int_equal(r, 0);
					assert_int_equal(width, table[c].args[i].width);
				}
				if (abi == ABI_I386 && r == 0)
					assert_true(width != WIDTH_S64 && width != WIDTH_U64);
			}
		}
	}
	assert_in_range(refused, 50, 120);
}

/* The same text for another architecture than this machine's. */
static void test_native(void **state)
{
	static const char text[] = "abi native\nallow read\n";

	(void)state;
	for (enum abi native = ABI_X86_64; native <= ABI_AARCH64; native++) {
		const struct policy_search other = { .native = native };
		struct policy_diags diags = { .text = BUF_INIT };
		struct policy *here = NULL, *there = NULL;
		struct err err = ERR_INIT;

		assert_int_equal(
			policy_load_text("t", text, strlen(text), &other, &there, &diags, &err), 0);
		assert_int_equal(
			policy_load_text("t", text, strlen(text), NULL, &here, &diags, &err), 0);
		assert_int_equal(there->native, native);
		assert_int_equal(there->abi_mask, 1U << native);
		assert_int_equal(here->native, ABI_NATIVE);
		/* a cache must not take one for the other */
		assert_int_equal(memcmp(&here->digest, &there->digest, sizeof(here->digest)) == 0,
				 native == ABI_NATIVE);
		policy_free(here);
		policy_free(there);
		policy_diags_done(&diags);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_suffixes), cmocka_unit_test(test_contradiction),
		cmocka_unit_test(test_width),	 cmocka_unit_test(test_closed),
		cmocka_unit_test(test_table),	 cmocka_unit_test(test_native),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
