// SPDX-License-Identifier: Apache-2.0
/* The report leaves nothing out, and each judge answers as the policy and its mechanism say. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "policies/load.h"
#include "profiles/landlock.h"
#include "profiles/report.h"

static const char text[] = "policy test\n"
			   "kernel 6.18\n"
			   "allow read write openat connect bind socket kill mount setuid\n"
			   "deny mount errno ENOSYS\n"
			   "exec /usr\n"
			   "read /usr/share /data\n"
			   "hide /usr/lib/secret\n"
			   "write /src\n"
			   "tmpfs /tmp ~\n"
			   "net loopback\n"
			   "cap none\n"
			   "limit pids 10 cpu 2\n"
			   "env TERM\n"
			   "expect allow read\n";

enum {
	OURS = 1U << MECHANISM_SECCOMP | 1U << MECHANISM_VIEW | 1U << MECHANISM_LANDLOCK |
	       1U << MECHANISM_CAPABILITIES | 1U << MECHANISM_LIMITS
};

struct fixture {
	struct policy *policy;
	struct profile_target target;
};

static struct policy *load(const char *source)
{
	struct policy_diags diags = { .n_errors = 0 };
	struct err err = ERR_INIT;
	struct policy *policy = NULL;

	if (policy_load_text("/etc/cordon/test.policy", source, strlen(source), NULL, &policy,
			     &diags, &err) < 0)
		fail_msg("cannot %s\n%s", err.msg, diags.text.data ? diags.text.data : "");
	policy_diags_done(&diags);
	return policy;
}

static int setup(void **state)
{
	static struct fixture f;

	f.policy = load(text);
	f.target = (struct profile_target){ .landlock_abi = 7,
					    .vars = { .home = "/home/me", .pwd = "/src" } };
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	policy_free(f->policy);
	return 0;
}

static void test_names(void **state)
{
	(void)state;
	for (int i = 0; i < _MECHANISM_MAX; i++) {
		enum mechanism m;

		assert_int_equal(mechanism_from_name(mechanism_name((enum mechanism)i), &m), 0);
		assert_int_equal(m, i);
	}
	for (int i = 0; i <= COVERAGE_NOT_ITS_OWN; i++) {
		for (int j = 0; j < i; j++)
			assert_string_not_equal(coverage_name((enum coverage)i),
						coverage_name((enum coverage)j));
	}
	assert_int_equal(mechanism_from_name("grsecurity", &(enum mechanism){ 0 }), -EINVAL);
}

static const struct report_entry *entry(const struct report *report, enum mechanism mechanism,
					const char *subject)
{
	for (size_t i = 0; i < report->n; i++) {
		if (report->entries[i].mechanism == mechanism &&
		    strcmp(report->entries[i].subject, subject) == 0)
			return &report->entries[i];
	}
	fail_msg("nothing about '%s' by %s", subject, mechanism_name(mechanism));
	return NULL;
}

/* Each line of the policy by each mechanism, in order. */
static void test_report_is_whole(void **state)
{
	static const char *const subjects[] = {
		"allow read write openat connect bind socket kill mount setuid",
		"deny mount errno ENOSYS",
		"kernel 6.18",
		"exec /usr",
		"read /usr/share",
		"read /data",
		"hide /usr/lib/secret",
		"write /src",
		"tmpfs /tmp",
		"tmpfs ~",
		"net loopback",
		"cap none",
		"limit pids 10",
		"limit cpu 2",
		"env TERM",
		"abi x86_64",
	};
	struct fixture *f = *state;
	struct report report;
	struct err err = ERR_INIT;

	assert_int_equal(report_make(f->policy, &f->target, OURS, &report, &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(subjects); i++) {
		if (strcmp(subjects[i], "abi x86_64") == 0 && ABI_NATIVE != ABI_X86_64)
			continue;
		for (int m = 0; m < _MECHANISM_MAX; m++) {
			if (OURS & 1U << m)
				(void)entry(&report, (enum mechanism)m, subjects[i]);
		}
	}
	assert_int_equal(report.n, ARRAY_SIZE(subjects) * 5);
	for (size_t i = 1; i < report.n; i++)
		assert_true(report.entries[i - 1].where.line <= report.entries[i].where.line);
	for (size_t i = 0; i < report.n; i++) {
		/* what is less or more than the line says why */
		if (report.entries[i].coverage != COVERAGE_ENFORCED &&
		    report.entries[i].coverage != COVERAGE_NOT_ITS_OWN)
			assert_non_null(report.entries[i].note);
		assert_true(strcmp(report.entries[i].subject, "expect allow read") != 0);
	}
	report_done(&report);
}

/* All seven, of a policy with ports: each line once by each that has one answer to it. */
static void test_all_mechanisms(void **state)
{
	static const char source[] = "policy test\nkernel 6.18\nallow socket\nnet host\n"
				     "net connect tcp 443\nnet bind tcp 80\nread /usr\n";
	struct fixture *f = *state;
	struct policy *policy = load(source);
	struct err err = ERR_INIT;
	struct report report;

	assert_int_equal(report_make(policy, &f->target, (1U << _MECHANISM_MAX) - 1, &report, &err),
			 0);
	for (size_t i = 0; i < report.n; i++) {
		const struct report_entry *a = &report.entries[i];
		unsigned same = 0, mask = 0;

		for (size_t j = 0; j < report.n; j++) {
			const struct report_entry *b = &report.entries[j];

			if (a->where.line != b->where.line || strcmp(a->subject, b->subject) != 0)
				continue;
			mask |= 1U << b->mechanism;
			same += a->mechanism == b->mechanism && a->mechanism == MECHANISM_SECCOMP;
		}
		assert_int_equal(mask, (1U << _MECHANISM_MAX) - 1);
		assert_true(a->mechanism != MECHANISM_SECCOMP || same == 1);
		assert_true(!a->note || !strstr(a->note, "does not speak of"));
	}
	assert_int_equal(entry(&report, MECHANISM_LANDLOCK, "net connect tcp 443")->coverage,
			 COVERAGE_ENFORCED);
	assert_int_equal(entry(&report, MECHANISM_LANDLOCK, "net bind tcp 80")->coverage,
			 COVERAGE_WEAKER);
	report_done(&report);
	policy_free(policy);
}

/* A port that the ABI cannot hold is said, also of the protocol that a line closes by the way. */
static void test_ports_below_the_abi(void **state)
{
	static const char source[] = "policy test\nkernel 6.18\nallow socket\nnet host\n"
				     "net connect tcp 443\nnet bind udp any\n";
	struct fixture *f = *state;
	struct profile_target target = f->target;
	struct policy *policy = load(source);
	struct err err = ERR_INIT;
	struct report report;

	for (int abi = 0; abi <= LANDLOCK_NEWEST_ABI; abi++) {
		target.landlock_abi = abi;
		assert_int_equal(
			report_make(policy, &target, 1U << MECHANISM_LANDLOCK, &report, &err), 0);
		assert_int_equal(
			entry(&report, MECHANISM_LANDLOCK, "net connect tcp 443")->coverage,
			abi < 10 ? COVERAGE_NONE : COVERAGE_ENFORCED);
		report_done(&report);
	}
	policy_free(policy);
}

/* Who sends from a socket of UDP's that is not bound is asked for port 0 by the kernel that binds
 * it. */
static void test_sending_needs_a_port(void **state)
{
	static const char
		without[] = "policy test\nkernel 6.18\nallow socket connect sendto\nnet host\n"
			    "net connect udp any\nnet bind tcp 80\n",
		with[] = "policy test\nkernel 6.18\nallow socket connect sendto\nnet host\n"
			 "net connect udp any\nnet bind tcp 80\nnet bind udp 0\n";
	struct fixture *f = *state;
	struct profile_target target = f->target;

	target.landlock_abi = 10;
	for (int i = 0; i < 2; i++) {
		struct policy *policy = load(i ? with : without);
		struct err err = ERR_INIT;
		struct attempt attempt;
		struct judgement j;
		struct report report;

		assert_int_equal(
			report_make(policy, &target, 1U << MECHANISM_LANDLOCK, &report, &err), 0);
		assert_int_equal(
			entry(&report, MECHANISM_LANDLOCK, "net connect udp any")->coverage,
			i ? COVERAGE_ENFORCED : COVERAGE_STRICTER);
		report_done(&report);
		assert_int_equal(attempt_parse("connect(3, \"udp:127.0.0.1:53\")", ABI_NATIVE, "/",
					       &attempt, &err),
				 0);
		assert_int_equal(
			mechanism_judge(MECHANISM_LANDLOCK, policy, &target, &attempt, &j, &err),
			0);
		assert_int_equal(j.answer == JUDGE_DENIES, !i);
		assert_int_equal(j.errno_value, i ? 0 : EACCES);
		attempt_done(&attempt);
		policy_free(policy);
	}
}

/* What nobody can give is said of the line that lets the call pass, and of the call. */
static void test_queues(void **state)
{
	static const struct {
		enum mechanism mechanism;
		int abi; /* of Landlock */
		bool refuses;
	} cases[] = {
		{ MECHANISM_SECCOMP, 7, false },  { MECHANISM_VIEW, 7, false },
		{ MECHANISM_LANDLOCK, 1, true },  { MECHANISM_LANDLOCK, 11, true },
		{ MECHANISM_LANDLOCK, 0, false }, { MECHANISM_APPARMOR, 7, true },
		{ MECHANISM_SELINUX, 7, true },
	};
	static const char *const texts[] = { "mq_open(\"q\", O_RDWR)", "mq_unlink(\"q\")" };
	struct policy *policy = load("policy test\nkernel 6.18\nallow mq_open\nallow mq_unlink\n");
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases) * 2; i++) {
		const enum mechanism m = cases[i / 2].mechanism;
		const bool refuses = cases[i / 2].refuses && i % 2 == 0;
		struct profile_target target = f->target;
		struct err err = ERR_INIT;
		struct attempt attempt;
		struct judgement j;
		struct report report;

		target.landlock_abi = cases[i / 2].abi;
		assert_int_equal(attempt_parse(texts[i % 2], ABI_NATIVE, "/", &attempt, &err), 0);
		assert_int_equal(mechanism_judge(m, policy, &target, &attempt, &j, &err), 0);
		assert_int_equal(j.answer == JUDGE_DENIES, refuses);
		assert_int_equal(j.errno_value, refuses ? EACCES : 0);
		assert_int_equal(report_make(policy, &target, 1U << m, &report, &err), 0);
		assert_int_equal(
			entry(&report, m, i % 2 ? "allow mq_unlink" : "allow mq_open")->coverage ==
				COVERAGE_STRICTER,
			refuses);
		report_done(&report);
		attempt_done(&attempt);
	}
	policy_free(policy);
}

static void test_coverage(void **state)
{
	static const struct {
		enum mechanism mechanism;
		const char *subject;
		enum coverage coverage;
		const char *note; /* a part of it */
	} cases[] = {
		{ MECHANISM_SECCOMP, "deny mount errno ENOSYS", COVERAGE_ENFORCED, NULL },
		{ MECHANISM_LANDLOCK, "deny mount errno ENOSYS", COVERAGE_NOT_ITS_OWN, NULL },
		{ MECHANISM_LANDLOCK,
		  "allow read write openat connect bind socket kill mount setuid",
		  COVERAGE_STRICTER, "mount is refused" },
		{ MECHANISM_VIEW, "hide /usr/lib/secret", COVERAGE_ENFORCED, NULL },
		{ MECHANISM_LANDLOCK, "hide /usr/lib/secret", COVERAGE_WEAKER,
		  "test.policy:5 grants access on '/usr'" },
		{ MECHANISM_LANDLOCK, "read /usr/share", COVERAGE_WEAKER,
		  "test.policy:5 grants more on '/usr'" },
		{ MECHANISM_LANDLOCK, "read /data", COVERAGE_WEAKER, "mode, owner" },
		{ MECHANISM_LANDLOCK, "write /src", COVERAGE_ENFORCED, NULL },
		{ MECHANISM_LANDLOCK, "tmpfs ~", COVERAGE_WEAKER, "empty" },
		{ MECHANISM_VIEW, "read /data", COVERAGE_WEAKER, "executed" },
		{ MECHANISM_VIEW, "net loopback", COVERAGE_ENFORCED, NULL },
		{ MECHANISM_CAPABILITIES, "cap none", COVERAGE_ENFORCED, NULL },
		{ MECHANISM_LIMITS, "limit pids 10", COVERAGE_ENFORCED, "RLIMIT_NPROC" },
		{ MECHANISM_LIMITS, "limit cpu 2", COVERAGE_WEAKER, "cgroup" },
	};
	struct fixture *f = *state;
	struct report report;
	struct err err = ERR_INIT;

	assert_int_equal(report_make(f->policy, &f->target, OURS, &report, &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct report_entry *e = entry(&report, cases[i].mechanism, cases[i].subject);

		assert_string_equal(coverage_name((enum coverage)e->coverage),
				    coverage_name(cases[i].coverage));
		if (cases[i].note && (!e->note || !strstr(e->note, cases[i].note)))
			fail_msg("'%s' says: %s", cases[i].subject, e->note ? e->note : "nothing");
	}
	report_done(&report);
}

static void test_older_abis_lose_more(void **state)
{
	struct fixture *f = *state;
	struct profile_target target = f->target;
	struct err err = ERR_INIT;
	size_t before = SIZE_MAX;

	for (int abi = 0; abi <= LANDLOCK_NEWEST_ABI; abi++) {
		struct report report;
		size_t said = 0;

		target.landlock_abi = abi;
		assert_int_equal(
			report_make(f->policy, &target, 1U << MECHANISM_LANDLOCK, &report, &err),
			0);
		if (abi == 0)
			assert_int_equal(entry(&report, MECHANISM_LANDLOCK, "write /src")->coverage,
					 COVERAGE_NONE);
		if (abi == 1)
			assert_int_equal(entry(&report, MECHANISM_LANDLOCK, "write /src")->coverage,
					 COVERAGE_STRICTER);
		for (size_t i = 0; i < report.n; i++)
			said += report.entries[i].note ? strlen(report.entries[i].note) : 0;
		if (abi > 1)
			assert_true(said <= before);
		before = said;
		report_done(&report);
	}
}

static void test_judges(void **state)
{
	static const struct {
		enum mechanism mechanism;
		const char *attempt;
		enum judgement_answer answer;
		int error;
	} cases[] = {
		{ MECHANISM_SECCOMP, "read(0)", JUDGE_ALLOWS, 0 },
		{ MECHANISM_SECCOMP, "mount", JUDGE_DENIES, ENOSYS },
		{ MECHANISM_SECCOMP, "ptrace", JUDGE_DENIES, EPERM },
		{ MECHANISM_LANDLOCK, "openat(\"/usr/bin/true\", O_RDONLY)", JUDGE_ALLOWS, 0 },
		{ MECHANISM_LANDLOCK, "openat(\"/usr/bin/true\", O_WRONLY)", JUDGE_DENIES, EACCES },
		{ MECHANISM_LANDLOCK, "openat(\"/usr/lib/secret\", O_RDONLY)", JUDGE_ALLOWS, 0 },
		{ MECHANISM_LANDLOCK, "openat(\"/etc/passwd\", O_RDONLY)", JUDGE_DENIES, EACCES },
		{ MECHANISM_LANDLOCK, "execve(\"/usr/share/x\")", JUDGE_ALLOWS, 0 },
		{ MECHANISM_LANDLOCK, "execve(\"/data/x\")", JUDGE_DENIES, EACCES },
		{ MECHANISM_LANDLOCK, "chmod(\"/etc/passwd\", 0600)", JUDGE_SILENT, 0 },
		{ MECHANISM_LANDLOCK, "stat(\"/etc/passwd\")", JUDGE_SILENT, 0 },
		{ MECHANISM_LANDLOCK, "unlink(\"/src/x\")", JUDGE_ALLOWS, 0 },
		{ MECHANISM_LANDLOCK, "rmdir(\"/src\")", JUDGE_DENIES, EACCES },
		{ MECHANISM_LANDLOCK, "rename(\"/src/x\", \"/src/y\")", JUDGE_ALLOWS, 0 },
		{ MECHANISM_LANDLOCK, "rename(\"/src/x\", \"/src/d/y\")", JUDGE_ALLOWS, 0 },
		/* /tmp executes, /src does not: a way to gain the right */
		{ MECHANISM_LANDLOCK, "rename(\"/src/x\", \"/tmp/y\")", JUDGE_DENIES, EXDEV },
		{ MECHANISM_LANDLOCK, "rename(\"/tmp/x\", \"/src/y\")", JUDGE_ALLOWS, 0 },
		{ MECHANISM_LANDLOCK, "link(\"/data/x\", \"/src/y\")", JUDGE_DENIES, EXDEV },
		{ MECHANISM_LANDLOCK, "rename(\"/data/x\", \"/src/y\")", JUDGE_DENIES, EACCES },
		{ MECHANISM_LANDLOCK, "connect(3, \"unix:@x\")", JUDGE_DENIES, EPERM },
		{ MECHANISM_LANDLOCK, "connect(3, \"unix:/data/x\")", JUDGE_SILENT, 0 },
		{ MECHANISM_LANDLOCK, "connect(3, \"tcp:127.0.0.1:80\")", JUDGE_SILENT, 0 },
		{ MECHANISM_LANDLOCK, "kill(1, SIGKILL)", JUDGE_DENIES, EPERM },
		{ MECHANISM_LANDLOCK, "getpid", JUDGE_SILENT, 0 },
		{ MECHANISM_VIEW, "openat(\"/usr/bin/true\", O_RDONLY)", JUDGE_ALLOWS, 0 },
		{ MECHANISM_VIEW, "openat(\"/usr/bin/true\", O_WRONLY)", JUDGE_DENIES, EROFS },
		{ MECHANISM_VIEW, "openat(\"/usr/lib/secret/x\", O_RDONLY)", JUDGE_DENIES, ENOENT },
		{ MECHANISM_VIEW, "openat(\"/etc/passwd\", O_RDONLY)", JUDGE_DENIES, ENOENT },
		{ MECHANISM_VIEW, "execve(\"/data/x\")", JUDGE_ALLOWS, 0 },
		{ MECHANISM_VIEW, "chmod(\"/data/x\", 0600)", JUDGE_DENIES, EROFS },
		{ MECHANISM_VIEW, "mkdir(\"/tmp/x\", 0700)", JUDGE_ALLOWS, 0 },
		{ MECHANISM_VIEW, "mkdir(\"/tmp/x/y\", 0700)", JUDGE_DENIES, ENOENT },
		{ MECHANISM_VIEW, "mkdir(\"/x\", 0700)", JUDGE_DENIES, EROFS },
		{ MECHANISM_VIEW, "rename(\"/src/x\", \"/src/y\")", JUDGE_ALLOWS, 0 },
		{ MECHANISM_VIEW, "rename(\"/src/x\", \"/tmp/y\")", JUDGE_DENIES, EXDEV },
		{ MECHANISM_VIEW, "connect(3, \"tcp:192.0.2.1:80\")", JUDGE_DENIES, ENETUNREACH },
		{ MECHANISM_VIEW, "connect(3, \"tcp:127.0.0.1:80\")", JUDGE_DENIES, ECONNREFUSED },
		{ MECHANISM_VIEW, "connect(3, \"unix:@x\")", JUDGE_DENIES, ECONNREFUSED },
		{ MECHANISM_VIEW, "bind(3, \"tcp:127.0.0.1:80\")", JUDGE_SILENT, 0 },
		{ MECHANISM_VIEW, "mount", JUDGE_SILENT, 0 },
		{ MECHANISM_CAPABILITIES, "sethostname", JUDGE_DENIES, EPERM },
		{ MECHANISM_CAPABILITIES, "bind(3, \"tcp:127.0.0.1:80\")", JUDGE_DENIES, EACCES },
		{ MECHANISM_CAPABILITIES, "bind(3, \"tcp:127.0.0.1:8080\")", JUDGE_SILENT, 0 },
		{ MECHANISM_CAPABILITIES, "read(0)", JUDGE_SILENT, 0 },
		{ MECHANISM_LIMITS, "read(0)", JUDGE_SILENT, 0 },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err = ERR_INIT;
		struct attempt attempt;
		struct judgement j;

		if (attempt_parse(cases[i].attempt, ABI_X86_64, "/", &attempt, &err) < 0)
			fail_msg("%s: %s", cases[i].attempt, err.msg);
		assert_int_equal(mechanism_judge(cases[i].mechanism, f->policy, &f->target,
						 &attempt, &j, &err),
				 0);
		if (j.answer != cases[i].answer || j.errno_value != cases[i].error)
			fail_msg("%s by %s: answer %d errno %d, not %d and %d", cases[i].attempt,
				 mechanism_name(cases[i].mechanism), j.answer, j.errno_value,
				 cases[i].answer, cases[i].error);
		attempt_done(&attempt);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_report_is_whole),
		cmocka_unit_test(test_all_mechanisms),
		cmocka_unit_test(test_ports_below_the_abi),
		cmocka_unit_test(test_sending_needs_a_port),
		cmocka_unit_test(test_coverage),
		cmocka_unit_test(test_queues),
		cmocka_unit_test(test_older_abis_lose_more),
		cmocka_unit_test(test_judges),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
