// SPDX-License-Identifier: Apache-2.0
/* The bundle: what goes in comes out, its verdicts are the policy's, and no damage goes unseen. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "profiles/bundle_format.h"
#include "profiles/compile.h"
#include "profiles/seccomp.h"
#include "tests/unit/random_policy.h"

static struct random_policy random_one;

/* A policy with something of everything. */
static struct policy *full_policy(uint64_t seed)
{
	static char usr[] = "/usr", home[] = "~/x", name[] = "LANG", set[] = "TERM", value[] = "";
	static struct policy_path paths[] = {
		{ .verb = POLICY_PATH_READ, .path = usr, .where = { .line = 7, .column = 1 } },
		{ .verb = POLICY_PATH_TMPFS, .optional = true, .path = home },
	};
	static struct policy_port ports[] = {
		{ .direction = POLICY_PORT_CONNECT,
		  .protocol = POLICY_PORT_TCP,
		  .families = POLICY_FAMILY_INET | POLICY_FAMILY_INET6,
		  .first = 443,
		  .last = 443,
		  .where = { .line = 9, .column = 1 } },
		{ .direction = POLICY_PORT_BIND,
		  .protocol = POLICY_PORT_UDP,
		  .families = POLICY_FAMILY_INET6,
		  .first = 0,
		  .last = 65535 },
	};
	static struct policy_env env[] = { { .name = name }, { .name = set, .value = value } };

	random_policy_make(seed, &random_one);
	random_one.policy.native = ABI_NATIVE;
	random_one.policy.abi_mask |= 1U << ABI_NATIVE;
	random_one.policy.paths = paths;
	random_one.policy.n_paths = 2;
	random_one.policy.env = env;
	random_one.policy.n_env = 2;
	random_one.policy.ports = ports;
	random_one.policy.n_ports = 2;
	random_one.policy.net = POLICY_NET_LOOPBACK;
	random_one.policy.caps = 1ULL << 10;
	random_one.policy.has_limit[POLICY_LIMIT_WALL] = true;
	random_one.policy.limit[POLICY_LIMIT_WALL] = 90000;
	random_one.policy.has_limit[POLICY_LIMIT_CPUSET] = true;
	random_one.policy.limit[POLICY_LIMIT_CPUSET] = 3;
	assert_int_equal(cpus_parse("1,1022-1023", &random_one.policy.cpuset), 0);
	random_one.source.dev = 1;
	random_one.source.ino = 2;
	random_one.source.size = 3;
	random_one.source.mtime_ns = 4;
	random_one.source.ctime_ns = 5;
	return &random_one.policy;
}

static struct buf compile(const struct policy *policy)
{
	struct buf out = BUF_INIT;
	struct err err = ERR_INIT;

	if (compile_bundle(policy, &out, &err) < 0)
		fail_msg("cannot %s", err.msg);
	return out;
}

static struct bundle *open_good(const struct buf *bytes)
{
	struct bundle *b = NULL;
	struct err err = ERR_INIT;

	if (bundle_open(bytes->data, bytes->len, &b, &err) < 0)
		fail_msg("cannot %s", err.msg);
	return b;
}

static void test_everything_comes_back(void **state)
{
	const struct policy *policy = full_policy(5);
	struct seccomp_program program = { .n = 0 };
	struct buf bytes = compile(policy);
	struct bundle *b = open_good(&bytes);
	struct policy_source source;
	struct bundle_path path;
	struct bundle_env env;
	struct bundle_port port;
	uint64_t limit = 0;
	uint16_t n;

	(void)state;
	assert_string_equal(bundle_policy_name(b), "random");
	assert_memory_equal(bundle_policy_digest(b), &policy->digest, sizeof(struct hash));
	assert_int_equal(bundle_notify(b), policy->notify);
	assert_int_equal(bundle_kernel(b), policy->kernel);
	assert_int_equal(bundle_net(b), POLICY_NET_LOOPBACK);
	assert_int_equal(bundle_caps(b), 1ULL << 10);
	assert_true(bundle_limit(b, POLICY_LIMIT_WALL, &limit));
	assert_int_equal(limit, 90000);
	assert_true(bundle_limit(b, POLICY_LIMIT_CPUSET, &limit));
	assert_int_equal(limit, 3);
	assert_true(cpus_equal(bundle_cpuset(b), &policy->cpuset));
	assert_false(bundle_limit(b, POLICY_LIMIT_PIDS, &limit));
	assert_false(bundle_limit(b, _POLICY_LIMIT_MAX, &limit));
	assert_int_equal(bundle_n_paths(b), 2);
	bundle_path(b, 0, &path);
	assert_string_equal(path.path, "/usr");
	assert_string_equal(path.file, random_one.path);
	assert_int_equal(path.line, 7);
	bundle_path(b, 1, &path);
	assert_string_equal(path.path, "~/x");
	assert_true(path.optional);
	assert_int_equal(path.verb, POLICY_PATH_TMPFS);
	assert_null(path.file);
	assert_int_equal(bundle_n_env(b), 2);
	bundle_env(b, 0, &env);
	assert_string_equal(env.name, "LANG");
	assert_null(env.value);
	bundle_env(b, 1, &env);
	assert_string_equal(env.value, "");
	assert_int_equal(bundle_native(b), ABI_NATIVE);
	assert_int_equal(bundle_default_errno(b), policy->default_errno);
	assert_int_equal(bundle_n_ports(b), 2);
	bundle_port(b, 0, &port);
	assert_int_equal(port.direction, POLICY_PORT_CONNECT);
	assert_int_equal(port.protocol, POLICY_PORT_TCP);
	assert_int_equal(port.families, POLICY_FAMILY_INET | POLICY_FAMILY_INET6);
	assert_int_equal(port.first, 443);
	assert_int_equal(port.last, 443);
	assert_string_equal(port.file, random_one.path);
	assert_int_equal(port.line, 9);
	bundle_port(b, 1, &port);
	assert_int_equal(port.direction, POLICY_PORT_BIND);
	assert_int_equal(port.protocol, POLICY_PORT_UDP);
	assert_int_equal(port.families, POLICY_FAMILY_INET6);
	assert_int_equal(port.first, 0);
	assert_int_equal(port.last, 65535);
	assert_null(port.file);
	assert_int_equal(bundle_n_sources(b), 1);
	bundle_source(b, 0, &source);
	assert_string_equal(source.path, random_one.path);
	assert_int_equal(source.dev, 1);
	assert_int_equal(source.ctime_ns, 5);
	assert_int_equal(seccomp_generate(policy, &program, NULL), 0);
	assert_memory_equal(bundle_seccomp(b, &n), program.insns,
			    program.n * sizeof(*program.insns));
	assert_int_equal(n, program.n);
	seccomp_program_done(&program);
	bundle_close(b);
	bundle_close(NULL);
	buf_done(&bytes);
}

/* The same policy gives the same bytes. */
static void test_same_bytes(void **state)
{
	struct buf a = compile(full_policy(9)), b = compile(full_policy(9));

	(void)state;
	assert_int_equal(a.len, b.len);
	assert_memory_equal(a.data, b.data, a.len);
	buf_done(&a);
	buf_done(&b);
}

static void compare_verdicts(const struct policy *policy, const struct bundle *b, enum abi abi,
			     int32_t nr, const uint64_t args[6])
{
	struct policy_verdict want;
	struct bundle_verdict got;

	policy_eval(policy, abi, nr, args, &want);
	bundle_verdict(b, abi, nr, args, &got);
	assert_int_equal(got.action, want.action);
	assert_int_equal(got.reason, want.reason);
	assert_int_equal(got.quiet, want.quiet);
	assert_int_equal(got.errno_value, want.errno_value);
	if (want.reason != POLICY_BY_RULE) {
		assert_null(got.file);
		assert_int_equal(got.rule, UINT32_MAX);
		return;
	}
	assert_string_equal(got.file, random_one.path);
	assert_true(got.rule < b->header->section[BUNDLE_RULES].count);
	/* Rules that mean the same stand on different lines here; the first one is named. */
	if (want.rule->n_conds == 0)
		assert_int_equal(got.line, want.rule->where.line);
}

static void test_verdicts_are_the_policys(void **state)
{
	uint64_t seed = 11;

	(void)state;
	for (uint64_t i = 1; i <= 80; i++) {
		const struct policy *policy = full_policy(i);
		struct buf bytes = compile(policy);
		struct bundle *b = open_good(&bytes);
		uint64_t args[6] = { 0 };

		for (unsigned abi = 0; abi <= _ABI_MAX; abi++) {
			for (int32_t nr = -2; nr < 600; nr += 1 + (nr > 480) * 13)
				compare_verdicts(policy, b, (enum abi)abi, nr, args);
		}
		compare_verdicts(policy, b, ABI_NATIVE, INT32_MIN, args);
		compare_verdicts(policy, b, ABI_NATIVE, INT32_MAX, args);
		for (unsigned k = 0; k < 1500; k++) {
			const struct policy_rule *rule =
				&policy->rules[random_below(&seed, policy->n_rules)];
			enum abi abi = (enum abi)random_below(&seed, _ABI_MAX);

			for (unsigned a = 0; a < 6; a++)
				args[a] = random_value(&seed);
			for (uint8_t c = 0; c < rule->n_conds; c++) {
				if (random_below(&seed, 4))
					args[rule->conds[c].arg] =
						rule->conds[c].value + random_below(&seed, 3) - 1;
			}
			compare_verdicts(policy, b, abi, rule->call->nr[abi], args);
		}
		bundle_close(b);
		buf_done(&bytes);
	}
}

/* A bundle for the other architecture is written and read, and never taken for this one's. */
static void test_other_architecture(void **state)
{
	enum abi other = ABI_NATIVE == ABI_X86_64 ? ABI_AARCH64 : ABI_X86_64;
	uint64_t args[6] = { 0 };

	(void)state;
	for (uint64_t seed = 1; seed <= 40; seed++) {
		struct policy *policy = full_policy(seed);
		struct bundle *b = NULL;
		struct err err = ERR_INIT;
		struct buf bytes;

		policy->native = (uint8_t)other;
		policy->abi_mask = (uint8_t)(policy->abi_mask | 1U << other);
		bytes = compile(policy);
		assert_int_equal(bundle_open(bytes.data, bytes.len, &b, &err), -EBADMSG);
		assert_non_null(strstr(err.msg, "another architecture"));
		assert_null(b);
		assert_int_equal(bundle_open_for(bytes.data, bytes.len, other, &b, &err), 0);
		assert_int_equal(bundle_native(b), other);
		for (unsigned abi = 0; abi <= _ABI_MAX; abi++) {
			for (int32_t nr = -2; nr < 600; nr++)
				compare_verdicts(policy, b, (enum abi)abi, nr, args);
		}
		bundle_close(b);
		buf_done(&bytes);
	}
}

static void assert_refused(const void *bytes, size_t len)
{
	struct bundle *b = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(bundle_open(bytes, len, &b, &err), -EBADMSG);
	assert_null(b);
	assert_string_not_equal(err.msg, "");
}

static void test_truncated(void **state)
{
	struct buf bytes = compile(full_policy(3));

	(void)state;
	for (size_t len = 0; len < bytes.len; len++)
		assert_refused(bytes.data, len);
	bundle_close(open_good(&bytes));
	buf_done(&bytes);
}

static void test_flipped(void **state)
{
	struct buf bytes = compile(full_policy(3));

	(void)state;
	for (size_t i = 0; i < bytes.len; i++) {
		bytes.data[i] = (char)(bytes.data[i] ^ 1 << i % 8);
		assert_refused(bytes.data, bytes.len);
		bytes.data[i] = (char)(bytes.data[i] ^ 1 << i % 8);
	}
	bundle_close(open_good(&bytes));
	buf_done(&bytes);
}

/* Somebody who can write the hash anew: the structure alone must hold. */
static void test_forged(void **state)
{
	struct buf bytes = compile(full_policy(3));
	uint64_t seed = 1;
	unsigned taken = 0, refused = 0;

	(void)state;
	for (unsigned round = 0; round < 6000; round++) {
		struct buf copy = BUF_INIT;
		struct bundle *b = NULL;

		assert_int_equal(buf_put(&copy, bytes.data, bytes.len), 0);
		for (uint64_t n = 1 + random_below(&seed, 3); n > 0; n--) {
			size_t at = random_below(&seed, round % 2 ? copy.len : 256);

			copy.data[at] = (char)random_next(&seed);
		}
		bundle_seal(copy.data, copy.len);
		if (bundle_open(copy.data, copy.len, &b, NULL) == 0) {
			struct bundle_verdict v;
			uint64_t args[6] = { 1, 2, 3, 4, 5, 6 };

			/* What was let in can be read. */
			for (int32_t nr = 0; nr < 500; nr += 3)
				bundle_verdict(b, ABI_NATIVE, nr, args, &v);
			bundle_close(b);
			taken++;
		} else {
			refused++;
		}
		buf_done(&copy);
	}
	assert_true(taken > 0 && refused > 300);
	buf_done(&bytes);
}

/* Each field of a port and of the default, one at a time, with the seal made anew. */
static void test_forged_fields(void **state)
{
	struct buf bytes = compile(full_policy(3));
	struct bundle_rec_header *h = (void *)bytes.data;
	struct bundle_rec_port *ports = (void *)(bytes.data + h->section[BUNDLE_PORTS].offset);
	struct bundle_rec_port good[2] = { ports[0], ports[1] };
	const struct bundle_rec_port bad[] = {
		{ .direction = 2, .families = 1, .first = 1, .last = 1 },
		{ .protocol = 2, .families = 1, .first = 1, .last = 1 },
		{ .families = 0, .first = 1, .last = 1 },
		{ .families = 4, .first = 1, .last = 1 },
		{ .families = 1, .first = 2, .last = 1 },
		{ .families = 1, .first = 1, .last = 1, .zero = 1 },
		{ .families = 1, .first = 1, .last = 1, .file = UINT32_MAX - 1 },
		{ .direction = POLICY_PORT_BIND, .protocol = POLICY_PORT_UDP, .families = 3 },
	};
	uint16_t default_errno = h->default_errno;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ports[0] = bad[i];
		bundle_seal(bytes.data, bytes.len);
		assert_refused(bytes.data, bytes.len);
		ports[0] = good[0];
	}
	h->default_errno = 0;
	bundle_seal(bytes.data, bytes.len);
	assert_refused(bytes.data, bytes.len);
	h->default_errno = 4096;
	bundle_seal(bytes.data, bytes.len);
	assert_refused(bytes.data, bytes.len);
	h->default_errno = default_errno;
	bundle_seal(bytes.data, bytes.len);
	bundle_close(open_good(&bytes));
	buf_done(&bytes);
}

static void test_unaligned(void **state)
{
	struct buf bytes = compile(full_policy(3));
	char *moved = malloc(bytes.len + 8);

	(void)state;
	assert_non_null(moved);
	memcpy(moved + 4, bytes.data, bytes.len);
	assert_refused(moved + 4, bytes.len);
	memcpy(moved, bytes.data, bytes.len);
	bundle_close(open_good(&(struct buf){ .data = moved, .len = bytes.len }));
	free(moved);
	buf_done(&bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything_comes_back),
		cmocka_unit_test(test_same_bytes),
		cmocka_unit_test(test_verdicts_are_the_policys),
		cmocka_unit_test(test_other_architecture),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_flipped),
		cmocka_unit_test(test_forged),
		cmocka_unit_test(test_forged_fields),
		cmocka_unit_test(test_unaligned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
