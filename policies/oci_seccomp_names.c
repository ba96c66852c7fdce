// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>

#include "base/fd.h"
#include "policies/oci_seccomp.h"

int oci_seccomp_action(const char *name, enum import_verdict *ret)
{
	static const struct {
		const char *name;
		enum import_verdict verdict;
	} actions[] = {
		{ "SCMP_ACT_ALLOW", IMPORT_ALLOW },
		{ "SCMP_ACT_LOG", IMPORT_LOG },
		{ "SCMP_ACT_ERRNO", IMPORT_ERRNO },
		{ "SCMP_ACT_KILL", IMPORT_KILL_THREAD },
		{ "SCMP_ACT_KILL_THREAD", IMPORT_KILL_THREAD },
		{ "SCMP_ACT_KILL_PROCESS", IMPORT_KILL_PROCESS },
		{ "SCMP_ACT_TRAP", IMPORT_TRAP },
		{ "SCMP_ACT_TRACE", IMPORT_TRACE },
		{ "SCMP_ACT_NOTIFY", IMPORT_NOTIFY },
	};

	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		if (strcmp(name, actions[i].name) == 0) {
			*ret = actions[i].verdict;
			return 0;
		}
	}
	return -ENOENT;
}

int oci_seccomp_operator(const char *name, enum import_op *ret)
{
	static const char *const operators[] = {
		[IMPORT_EQ] = "SCMP_CMP_EQ",
		[IMPORT_NE] = "SCMP_CMP_NE",
		[IMPORT_LT] = "SCMP_CMP_LT",
		[IMPORT_LE] = "SCMP_CMP_LE",
		[IMPORT_GT] = "SCMP_CMP_GT",
		[IMPORT_GE] = "SCMP_CMP_GE",
		[IMPORT_MASKED_EQ] = "SCMP_CMP_MASKED_EQ",
	};

	for (size_t i = 0; i < ARRAY_SIZE(operators); i++) {
		if (strcmp(name, operators[i]) == 0) {
			*ret = (enum import_op)i;
			return 0;
		}
	}
	return -ENOENT;
}

int oci_seccomp_arch(const char *name, enum abi *ret)
{
	static const struct {
		const char *name;
		enum abi abi;
	} ours[] = {
		{ "SCMP_ARCH_X86_64", ABI_X86_64 },
		{ "SCMP_ARCH_X86", ABI_I386 },
		{ "SCMP_ARCH_X32", ABI_X32 },
		{ "SCMP_ARCH_AARCH64", ABI_AARCH64 },
	};
	static const char *const others[] = {
		"ARM",	"MIPS",	 "MIPS64",  "MIPS64N32", "MIPSEL",	"MIPSEL64", "MIPSEL64N32",
		"PPC",	"PPC64", "PPC64LE", "S390",	 "S390X",	"PARISC",   "PARISC64",
		"M68K", "SH",	 "SHEB",    "RISCV64",	 "LOONGARCH64",
	};

	for (size_t i = 0; i < ARRAY_SIZE(ours); i++) {
		if (strcmp(name, ours[i].name) == 0) {
			*ret = ours[i].abi;
			return 0;
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		if (strncmp(name, "SCMP_ARCH_", 10) == 0 && strcmp(name + 10, others[i]) == 0) {
			*ret = _ABI_MAX;
			return 0;
		}
	}
	return -ENOENT;
}

const char *oci_seccomp_native(enum abi abi)
{
	return abi == ABI_AARCH64 ? "arm64" : "amd64";
}
