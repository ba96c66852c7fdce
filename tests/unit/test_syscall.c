// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <errno.h>
#include <linux/audit.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/fd.h"
#include "policies/syscall.h"

static void test_sorted_and_found(void **state)
{
	size_t n;
	const struct syscall_desc *t = syscall_table(&n);

	(void)state;
	assert_in_range(n, 460, 600);
	for (size_t i = 0; i < n; i++) {
		if (i)
			assert_true(strcmp(t[i - 1].name, t[i].name) < 0);
		assert_ptr_equal(syscall_by_name(t[i].name), &t[i]);
		for (int a = 0; a < _ABI_MAX; a++) {
			if (t[i].nr[a] < 0)
				continue;
			assert_ptr_equal(syscall_by_nr((enum abi)a, t[i].nr[a]), &t[i]);
			assert_true(t[i].nr[a] <= syscall_max_nr((enum abi)a));
		}
	}
	assert_null(syscall_by_name("openatt"));
	assert_null(syscall_by_name(""));
}

static void test_numbers_of_nobody(void **state)
{
	(void)state;
	for (int a = 0; a < _ABI_MAX; a++) {
		assert_null(syscall_by_nr((enum abi)a, -1));
		assert_null(syscall_by_nr((enum abi)a, INT32_MIN));
		assert_null(syscall_by_nr((enum abi)a, INT32_MAX));
		assert_null(syscall_by_nr((enum abi)a, syscall_max_nr((enum abi)a) + 1));
		assert_non_null(syscall_by_nr((enum abi)a, syscall_max_nr((enum abi)a)));
	}
	assert_null(syscall_by_nr(_ABI_MAX, 0));
	assert_int_equal(syscall_max_nr(_ABI_MAX), -1);
	assert_null(syscall_by_nr(ABI_X86_64, 400)); /* the gap between 336 and 424 */
	assert_null(syscall_by_nr(ABI_AARCH64, 300));
}

/* Another project's table is the second opinion, for every name that it knows. */
static void test_numbers_agree_with_libseccomp(void **state)
{
	static const uint32_t arch[_ABI_MAX] = { SCMP_ARCH_X86_64, SCMP_ARCH_AARCH64, SCMP_ARCH_X86,
						 SCMP_ARCH_X32 };
	size_t n, compared = 0;

	(void)state;
	(void)syscall_table(&n);
	for (int a = 0; a < _ABI_MAX; a++) {
		for (int32_t nr = 0; nr < 600; nr++) {
			int raw = a == ABI_X32 ? nr | (int)X32_SYSCALL_BIT : nr;
			_cleanup_free_ char *name = seccomp_syscall_resolve_num_arch(arch[a], raw);
			const struct syscall_desc *d = syscall_by_nr((enum abi)a, nr);

			if (!name)
				continue;
			if (!d)
				fail_msg("%s %d is %s for libseccomp", abi_name((enum abi)a), nr,
					 name);
			assert_string_equal(d->name, name);
			compared++;
		}
	}
	assert_in_range(compared, 1400, 4 * n);
}

static void test_newest_calls(void **state)
{
	static const struct {
		const char *name;
		int nr;
		uint16_t since;
	} want[] = {
		{ "memfd_secret", 447, KERNEL(5, 14) },	  { "futex_waitv", 449, KERNEL(5, 16) },
		{ "cachestat", 451, KERNEL(6, 5) },	  { "statmount", 457, KERNEL(6, 8) },
		{ "mseal", 462, KERNEL(6, 10) },	  { "setxattrat", 463, KERNEL(6, 13) },
		{ "open_tree_attr", 467, KERNEL(6, 15) }, { "file_setattr", 469, KERNEL(6, 17) },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		const struct syscall_desc *d = syscall_by_name(want[i].name);

		assert_non_null(d);
		assert_int_equal(d->nr[ABI_X86_64], want[i].nr);
		assert_int_equal(d->nr[ABI_AARCH64], want[i].nr);
		assert_int_equal(d->since, want[i].since);
	}
	assert_int_equal(syscall_by_name("uretprobe")->nr[ABI_X86_64], 335);
	assert_int_equal(syscall_by_name("uprobe")->nr[ABI_X86_64], 336);
	assert_int_equal(syscall_by_name("uprobe")->nr[ABI_AARCH64], -1);
	assert_int_equal(syscall_max_nr(ABI_X86_64), 469);
	assert_int_equal(syscall_max_nr(ABI_AARCH64), 469);
	assert_int_equal(syscall_by_name("openat")->nr[ABI_NATIVE], SYS_openat);
}

static void check_arg(const char *call, unsigned i, const char *name, enum syscall_width width,
		      enum syscall_kind kind)
{
	const struct syscall_desc *d = syscall_by_name(call);

	assert_non_null(d);
	assert_true(i < d->n_args);
	assert_string_equal(d->args[i].name, name);
	assert_int_equal(d->args[i].width, width);
	assert_int_equal(d->args[i].kind, kind);
}

/* Widths that a wrong guess would turn into a hole. */
static void test_widths(void **state)
{
	(void)state;
	check_arg("ioctl", 1, "cmd", WIDTH_U32, KIND_ENUM);
	check_arg("socket", 0, "domain", WIDTH_S32, KIND_ENUM);
	check_arg("socket", 1, "type", WIDTH_S32, KIND_FLAGS);
	check_arg("clone", 0, "flags", WIDTH_U64, KIND_FLAGS);
	check_arg("clone", 1, "newsp", WIDTH_PTR, KIND_ADDRESS);
	check_arg("unshare", 0, "flags", WIDTH_U64, KIND_FLAGS);
	check_arg("setns", 1, "flags", WIDTH_S32, KIND_FLAGS);
	check_arg("personality", 0, "personality", WIDTH_U32, KIND_FLAGS);
	check_arg("prctl", 0, "option", WIDTH_S32, KIND_ENUM);
	check_arg("fcntl", 1, "cmd", WIDTH_U32, KIND_ENUM);
	check_arg("mmap", 2, "prot", WIDTH_U64, KIND_FLAGS);
	check_arg("openat", 0, "dfd", WIDTH_S32, KIND_DIRFD);
	check_arg("openat", 1, "filename", WIDTH_PTR, KIND_PATH);
	check_arg("openat", 2, "flags", WIDTH_S32, KIND_FLAGS);
	check_arg("openat", 3, "mode", WIDTH_U32, KIND_MODE);
	check_arg("openat2", 2, "how", WIDTH_PTR, KIND_STRUCT);
	check_arg("clone3", 0, "uargs", WIDTH_PTR, KIND_STRUCT);
	check_arg("connect", 1, "uservaddr", WIDTH_PTR, KIND_SOCKADDR);
	check_arg("kill", 1, "sig", WIDTH_S32, KIND_SIGNAL);
	check_arg("ptrace", 0, "request", WIDTH_S64, KIND_ENUM);
	check_arg("lseek", 1, "offset", WIDTH_S64, KIND_NUMBER);
	check_arg("mknodat", 2, "mode", WIDTH_U32, KIND_MODE);
}

static void test_argument_lists_are_whole(void **state)
{
	size_t n;
	const struct syscall_desc *t = syscall_table(&n);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		assert_in_range(t[i].n_args, 0, 6);
		assert_in_range(strnlen(t[i].name, SYSCALL_NAME_SIZE), 1, SYSCALL_NAME_SIZE - 1);
		for (unsigned j = 0; j < 6; j++) {
			if (j >= t[i].n_args) {
				assert_string_equal(t[i].args[j].name, "");
				assert_int_equal(t[i].args[j].width, WIDTH_NONE);
				continue;
			}
			assert_in_range(strnlen(t[i].args[j].name, SYSCALL_ARG_NAME_SIZE), 1,
					SYSCALL_ARG_NAME_SIZE - 1);
			assert_in_range(t[i].args[j].width, WIDTH_S32, WIDTH_PTR);
			assert_in_range(t[i].args[j].kind, 0, _KIND_MAX - 1);
			if (t[i].args[j].kind == KIND_PATH || t[i].args[j].kind == KIND_SOCKADDR)
				assert_int_equal(t[i].args[j].width, WIDTH_PTR);
		}
	}
}

static void test_abi_names(void **state)
{
	enum abi abi = ABI_X32;

	(void)state;
	for (int a = 0; a < _ABI_MAX; a++) {
		assert_int_equal(abi_from_name(abi_name((enum abi)a), &abi), 0);
		assert_int_equal(abi, a);
	}
	assert_int_equal(abi_from_name("native", &abi), 0);
	assert_int_equal(abi, ABI_NATIVE);
	abi = ABI_X32;
	assert_int_equal(abi_from_name("riscv64", &abi), -EINVAL);
	assert_int_equal(abi, ABI_X32); /* untouched on failure */
	assert_string_equal(abi_name(_ABI_MAX), "unknown");
}

static void test_abi_of_a_notification(void **state)
{
	enum abi abi = _ABI_MAX;
	int32_t nr = -7;

	(void)state;
	assert_int_equal(abi_from_audit_arch(AUDIT_ARCH_X86_64, 257, &abi, &nr), 0);
	assert_int_equal(abi, ABI_X86_64);
	assert_int_equal(nr, 257);
	assert_int_equal(abi_from_audit_arch(AUDIT_ARCH_X86_64, X32_SYSCALL_BIT | 514, &abi, &nr),
			 0);
	assert_int_equal(abi, ABI_X32);
	assert_int_equal(nr, 514);
	/* -1 is how a tracer skips a call: no x32 call, though the bit is set */
	assert_int_equal(abi_from_audit_arch(AUDIT_ARCH_X86_64, UINT32_MAX, &abi, &nr), 0);
	assert_int_equal(abi, ABI_X86_64);
	assert_int_equal(nr, -1);
	assert_int_equal(abi_from_audit_arch(AUDIT_ARCH_I386, 102, &abi, &nr), 0);
	assert_int_equal(abi, ABI_I386);
	assert_int_equal(abi_from_audit_arch(AUDIT_ARCH_AARCH64, 56, &abi, &nr), 0);
	assert_int_equal(abi, ABI_AARCH64);
	nr = -7;
	assert_int_equal(abi_from_audit_arch(AUDIT_ARCH_S390X, 1, &abi, &nr), -EINVAL);
	assert_int_equal(nr, -7);
	assert_int_equal(abi_audit_arch(ABI_X32), AUDIT_ARCH_X86_64);
	assert_int_equal(abi_audit_arch(ABI_I386), AUDIT_ARCH_I386);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sorted_and_found),
		cmocka_unit_test(test_numbers_of_nobody),
		cmocka_unit_test(test_numbers_agree_with_libseccomp),
		cmocka_unit_test(test_newest_calls),
		cmocka_unit_test(test_widths),
		cmocka_unit_test(test_argument_lists_are_whole),
		cmocka_unit_test(test_abi_names),
		cmocka_unit_test(test_abi_of_a_notification),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
