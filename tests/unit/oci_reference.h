// SPDX-License-Identifier: Apache-2.0
/*
 * The other opinion on an OCI profile: it is read again, without any of ours, and given to
 * libseccomp rule by rule as runc does. Include behind cmocka.h.
 */
#pragma once

#include <errno.h>
#include <json-c/json.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct reference {
	struct sock_filter *insns;
	size_t n;
	unsigned rules, unknown;
};

static inline void reference_done(struct reference *ref)
{
	free(ref->insns);
}

static inline json_object *of(json_object *object, const char *name)
{
	json_object *value = NULL;

	return json_object_object_get_ex(object, name, &value) ? value : NULL;
}

static inline bool list_has(json_object *list, const char *text)
{
	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		if (strcmp(json_object_get_string(json_object_array_get_idx(list, i)), text) == 0)
			return true;
	}
	return false;
}

static inline uint32_t reference_action(json_object *entry, const char *action, const char *ret)
{
	const char *name = json_object_get_string(of(entry, action));
	json_object *number = of(entry, ret);
	uint16_t data = number ? (uint16_t)json_object_get_int(number) : EPERM;

	if (strcmp(name, "SCMP_ACT_ALLOW") == 0)
		return SCMP_ACT_ALLOW;
	if (strcmp(name, "SCMP_ACT_ERRNO") == 0)
		return SCMP_ACT_ERRNO(data);
	if (strcmp(name, "SCMP_ACT_LOG") == 0)
		return SCMP_ACT_LOG;
	if (strcmp(name, "SCMP_ACT_TRAP") == 0)
		return SCMP_ACT_TRAP;
	if (strcmp(name, "SCMP_ACT_KILL_PROCESS") == 0)
		return SCMP_ACT_KILL_PROCESS;
	return SCMP_ACT_KILL_THREAD;
}

static inline bool reference_applies(json_object *entry, const char *const *caps, int kernel)
{
	json_object *in = of(entry, "includes"), *out = of(entry, "excludes");
	bool all = true;
	int major = 0, minor = 0;

	for (; *caps; caps++) {
		if (out && list_has(of(out, "caps"), *caps))
			return false;
	}
	if (out && list_has(of(out, "arches"), "amd64"))
		return false;
	if (in && of(in, "arches") && !list_has(of(in, "arches"), "amd64"))
		return false;
	if (in && of(in, "minKernel") &&
	    (sscanf(json_object_get_string(of(in, "minKernel")), "%d.%d", &major, &minor) != 2 ||
	     kernel < major * 256 + minor))
		return false;
	(void)all;
	return true;
}

static inline bool reference_has_caps(json_object *entry, const char *const *caps)
{
	json_object *in = of(entry, "includes"), *list = in ? of(in, "caps") : NULL;

	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		const char *want = json_object_get_string(json_object_array_get_idx(list, i));
		bool found = false;

		for (const char *const *c = caps; *c; c++)
			found = found || strcmp(*c, want) == 0;
		if (!found)
			return false;
	}
	return true;
}

static inline struct scmp_arg_cmp reference_arg(json_object *arg)
{
	static const char *const names[] = { "",
					     "SCMP_CMP_NE",
					     "SCMP_CMP_LT",
					     "SCMP_CMP_LE",
					     "SCMP_CMP_EQ",
					     "SCMP_CMP_GE",
					     "SCMP_CMP_GT",
					     "SCMP_CMP_MASKED_EQ" };
	struct scmp_arg_cmp cmp = { .arg = (unsigned)json_object_get_int(of(arg, "index")) };

	for (unsigned i = 1; i < 8; i++) {
		if (strcmp(json_object_get_string(of(arg, "op")), names[i]) == 0)
			cmp.op = (enum scmp_compare)i;
	}
	cmp.datum_a = json_object_get_uint64(of(arg, "value"));
	cmp.datum_b = of(arg, "valueTwo") ? json_object_get_uint64(of(arg, "valueTwo")) : 0;
	return cmp;
}

static inline void reference_rule(scmp_filter_ctx ctx, struct reference *ref, json_object *entry,
				  const char *name, uint32_t action)
{
	json_object *args = of(entry, "args");
	size_t n = args ? json_object_array_length(args) : 0;
	struct scmp_arg_cmp cmp[8];
	bool seen[6] = { false }, twice = false;
	int nr = seccomp_syscall_resolve_name(name);

	if (nr == __NR_SCMP_ERROR) {
		ref->unknown++;
		return;
	}
	assert_in_range(n, 0, 8);
	for (size_t i = 0; i < n; i++) {
		cmp[i] = reference_arg(json_object_array_get_idx(args, i));
		twice = twice || seen[cmp[i].arg];
		seen[cmp[i].arg] = true;
	}
	ref->rules++;
	if (twice) {
		for (size_t i = 0; i < n; i++)
			assert_int_equal(seccomp_rule_add_array(ctx, action, nr, 1, &cmp[i]), 0);
		return;
	}
	assert_int_equal(seccomp_rule_add_array(ctx, action, nr, (unsigned)n, cmp), 0);
}

static inline void reference_export(scmp_filter_ctx ctx, struct reference *ref)
{
	int fd = memfd_create("bpf", MFD_CLOEXEC);
	off_t size;

	assert_true(fd >= 0);
	assert_int_equal(seccomp_export_bpf(ctx, fd), 0);
	size = lseek(fd, 0, SEEK_END);
	ref->n = (size_t)size / sizeof(*ref->insns);
	ref->insns = malloc((size_t)size);
	assert_non_null(ref->insns);
	assert_int_equal(pread(fd, ref->insns, (size_t)size, 0), size);
	(void)close(fd);
}

/* caps ends with NULL. all_abis: i386 and x32 beside x86_64. */
static inline struct reference reference_build(json_object *profile, const char *const *caps,
					       int kernel, bool all_abis)
{
	uint32_t action = reference_action(profile, "defaultAction", "defaultErrnoRet");
	json_object *list = of(profile, "syscalls");
	struct reference ref = { .n = 0 };
	scmp_filter_ctx ctx = seccomp_init(action);

	assert_non_null(ctx);
	if (all_abis) {
		assert_int_equal(seccomp_arch_add(ctx, SCMP_ARCH_X86), 0);
		assert_int_equal(seccomp_arch_add(ctx, SCMP_ARCH_X32), 0);
	}
	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		json_object *entry = json_object_array_get_idx(list, i);
		json_object *names = of(entry, "names");
		uint32_t own = reference_action(entry, "action", "errnoRet");

		if (!reference_applies(entry, caps, kernel) || !reference_has_caps(entry, caps) ||
		    own == action)
			continue;
		for (size_t k = 0; k < json_object_array_length(names); k++)
			reference_rule(ctx, &ref, entry,
				       json_object_get_string(json_object_array_get_idx(names, k)),
				       own);
	}
	reference_export(ctx, &ref);
	seccomp_release(ctx);
	return ref;
}

/* What a register can be asked: each value of the profile's, its neighbours, and the ends. */
static inline size_t reference_values(json_object *profile, const char *name, unsigned arg,
				      uint64_t *ret, size_t max)
{
	json_object *list = of(profile, "syscalls");
	size_t n = 0;

	ret[n++] = 0;
	ret[n++] = UINT32_MAX;
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		json_object *entry = json_object_array_get_idx(list, i), *args = of(entry, "args");

		if (!args || !list_has(of(entry, "names"), name))
			continue;
		for (size_t k = 0; k < json_object_array_length(args); k++) {
			struct scmp_arg_cmp c = reference_arg(json_object_array_get_idx(args, k));

			if (c.arg != arg || n + 8 > max)
				continue;
			ret[n++] = c.datum_a;
			ret[n++] = (uint32_t)(c.datum_a - 1);
			ret[n++] = (uint32_t)(c.datum_a + 1);
			ret[n++] = c.datum_a & (~c.datum_a + 1);
			ret[n++] = c.datum_b;
			ret[n++] = (uint32_t)(c.datum_b | ~c.datum_a);
		}
	}
	return n;
}
