// SPDX-License-Identifier: Apache-2.0
/*
 * OCI profiles: what an import means against libseccomp's program of the same profile, entry by
 * entry and for the profiles that containers run with; refusals with their places; and the way
 * back. The profiles come from Debian's packages (tools/install-deps test) to tests/.cache, or lie
 * in the directory CORDON_TEST_PROFILES.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <fcntl.h>
#include <linux/audit.h>

#include "profiles/bpf_eval.h"
#include "profiles/seccomp.h"
#include "tests/unit/import_case.h"
#include "tests/unit/oci_reference.h"

enum { VALUES = 160 };

/* A verdict of libseccomp's in the words of ours. */
static const char *reference_text(uint32_t ret)
{
	switch (ret & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_ALLOW:
	case SECCOMP_RET_LOG:
		return "allow";
	case SECCOMP_RET_ERRNO:
		return strerrorname_np((int)(ret & SECCOMP_RET_DATA));
	case SECCOMP_RET_KILL_PROCESS:
	case SECCOMP_RET_KILL_THREAD:
	case SECCOMP_RET_TRAP:
		return "kill";
	default:
		return "?";
	}
}

struct comparison {
	const struct policy *policy;
	const struct reference *ref;
	unsigned long asked, newer, detours, differences;
};

/* Calls that libseccomp has no number for, or none on x32: it answers with the default. */
static bool is_newer(const struct syscall_desc *call, enum abi abi)
{
	return seccomp_syscall_resolve_name(call->name) == __NR_SCMP_ERROR ||
	       (abi == ABI_X32 &&
		seccomp_syscall_resolve_name_arch(SCMP_ARCH_X32, call->name) < 0);
}

static void ask(struct comparison *c, const struct syscall_desc *call, enum abi abi,
		const uint64_t args[6])
{
	struct seccomp_data data = { .arch = abi_audit_arch(abi), .nr = call->nr[abi] };
	struct policy_verdict ours;
	struct bpf_result theirs;

	if (abi == ABI_X32)
		data.nr |= (int)X32_SYSCALL_BIT;
	for (unsigned i = 0; i < 6; i++)
		data.args[i] = abi == ABI_I386 ? (uint32_t)args[i] : args[i];
	policy_eval(c->policy, abi, call->nr[abi], args, &ours);
	bpf_run(c->ref->insns, c->ref->n, &data, NULL, &theirs);
	c->asked++;
	if (strcmp(verdict_text(&ours), reference_text(theirs.ret)) == 0)
		return;
	if (is_newer(call, abi)) {
		c->newer++;
		return;
	}
	/* listed: what would walk past a condition is denied */
	if (abi == ABI_I386 && ours.action != POLICY_ALLOW &&
	    (strcmp(call->name, "socketcall") == 0 || strcmp(call->name, "ipc") == 0)) {
		c->detours++;
		return;
	}
	if (c->differences++ < 10)
		print_message("%s on %s (%#llx, %#llx, %#llx): %s, libseccomp %s\n", call->name,
			      abi_name(abi), (unsigned long long)args[0],
			      (unsigned long long)args[1], (unsigned long long)args[2],
			      verdict_text(&ours), reference_text(theirs.ret));
}

/* Each value of each argument beside two fillings of the others, and all pairs of the first three.
 */
static void ask_all(struct comparison *c, json_object *profile, const struct syscall_desc *call,
		    enum abi abi)
{
	static uint64_t values[6][VALUES];
	size_t n[6];
	uint64_t args[6] = { 0 };

	for (unsigned i = 0; i < 6; i++)
		n[i] = reference_values(profile, call->name, i, values[i], VALUES);
	for (size_t i = 0; i < n[0]; i++) {
		for (size_t k = 0; k < n[1]; k++) {
			for (size_t m = 0; m < n[2]; m++) {
				args[0] = values[0][i];
				args[1] = values[1][k];
				args[2] = values[2][m];
				ask(c, call, abi, args);
			}
		}
	}
	for (unsigned a = 3; a < 6; a++) {
		for (size_t i = 0; i < n[a]; i++) {
			args[a] = values[a][i];
			ask(c, call, abi, args);
		}
	}
	for (uint64_t operation = 0; call->nr[ABI_I386] >= 0 && operation < 32; operation++) {
		uint64_t one[6] = { operation };

		ask(c, call, abi, one);
	}
}

static void compare_all(struct comparison *c, json_object *profile, bool all_abis)
{
	static const enum abi abis[] = { ABI_X86_64, ABI_I386, ABI_X32 };
	size_t n;
	const struct syscall_desc *table = syscall_table(&n);

	for (size_t i = 0; i < n; i++) {
		for (unsigned a = 0; a < (all_abis ? 3 : 1); a++) {
			if (table[i].nr[abis[a]] >= 0)
				ask_all(c, profile, &table[i], abis[a]);
		}
	}
}

/* --- the profiles that containers run with --- */

static char *read_profile(const char *name)
{
	const char *dir = getenv("CORDON_TEST_PROFILES");
	char path[LIMIT_PATH];
	char *text = NULL;
	size_t len;

	(void)snprintf(path, sizeof(path), "%s/%s", dir ? dir : "tests/.cache/profiles", name);
	if (fd_read_file_at(AT_FDCWD, path, LIMIT_IMPORT_BYTES, &text, &len) < 0) {
		print_message("%s is not there: tools/install-deps test\n", path);
		skip();
	}
	return text;
}

static void check_profile(const char *name)
{
	static const char *const caps[][3] = {
		{ NULL },
		{ "CAP_SYS_ADMIN" },
		{ "CAP_SYS_PTRACE" },
		{ "CAP_SYS_CHROOT" },
		{ "CAP_SYS_MODULE" },
		{ "CAP_DAC_READ_SEARCH" },
		{ "CAP_SYS_TIME" },
		{ "CAP_AUDIT_WRITE" },
		{ "CAP_BPF" },
		{ "CAP_PERFMON" },
		{ "CAP_SYS_NICE", "CAP_SYSLOG" },
		{ "CAP_SYS_ADMIN", "CAP_AUDIT_WRITE" },
	};
	static const int kernels[] = { 4 * 256 + 7, 6 * 256 + 18 };
	char *text = read_profile(name);
	json_object *profile = json_tokener_parse(text);
	unsigned long asked = 0, newer = 0, detours = 0;
	unsigned unknown = 0;

	assert_non_null(profile);
	for (size_t i = 0; i < ARRAY_SIZE(caps) * 2; i++) {
		struct import_options options = import_case_options();
		struct seccomp_program program = { .n = 0 };
		struct comparison c = { .asked = 0 };
		struct reference ref;
		struct imported imported;
		struct err err = ERR_INIT;

		for (const char *const *cap = caps[i / 2]; *cap; cap++) {
			uint64_t bit = (uint64_t)(strcmp(*cap, "CAP_SYS_ADMIN") == 0 ? 21 : 0);
			static const struct {
				const char *name;
				unsigned bit;
			} bits[] = { { "CAP_DAC_READ_SEARCH", 2 },
				     { "CAP_SYS_MODULE", 16 },
				     { "CAP_SYS_CHROOT", 18 },
				     { "CAP_SYS_PTRACE", 19 },
				     { "CAP_SYS_ADMIN", 21 },
				     { "CAP_SYS_NICE", 23 },
				     { "CAP_SYS_TIME", 25 },
				     { "CAP_AUDIT_WRITE", 29 },
				     { "CAP_SYSLOG", 34 },
				     { "CAP_PERFMON", 38 },
				     { "CAP_BPF", 39 } };

			for (size_t b = 0; b < ARRAY_SIZE(bits); b++) {
				if (strcmp(bits[b].name, *cap) == 0)
					bit = bits[b].bit;
			}
			options.caps |= UINT64_C(1) << bit;
		}
		options.kernel = (uint16_t)kernels[i % 2];
		imported = import_case(IMPORT_OCI, text, &options);
		if (imported.r < 0)
			fail_msg("%s", imported.result.notes.data);
		ref = reference_build(profile, caps[i / 2], kernels[i % 2], true);
		c.policy = imported.policy;
		c.ref = &ref;
		compare_all(&c, profile, true);
		if (c.differences)
			fail_msg("%s: %lu differences", name, c.differences);
		assert_int_equal(seccomp_generate(imported.policy, &program, &err), 0);
		seccomp_program_done(&program);
		asked += c.asked;
		newer += c.newer;
		detours += c.detours;
		unknown = ref.unknown;
		reference_done(&ref);
		imported_done(&imported);
	}
	print_message(
		"%s: %lu verdicts equal, but for %lu of calls that libseccomp lacks (%u names) "
		"and %lu ways round a condition that are closed\n",
		name, asked - newer - detours, newer, unknown, detours);
	json_object_put(profile);
	free(text);
}

static void test_moby(void **state)
{
	(void)state;
	check_profile("moby.json");
}

static void test_containers_common(void **state)
{
	(void)state;
	check_profile("containers-common.json");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_moby),
		cmocka_unit_test(test_containers_common),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
