// SPDX-License-Identifier: Apache-2.0
/*
 * The profile's text against the judge. The file rules are read back with a matcher of AppArmor's
 * own patterns, and on many paths what they give is compared with what the judge promises: two
 * algorithms that share the table of built-in places at most.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "policies/load.h"
#include "profiles/apparmor.h"
#include "profiles/apparmor_gen.h"
#include "tests/unit/apparmor_match.h"
#include "tests/unit/random_paths.h"

enum { ROUNDS = 400, PROBES = 60 };

/* --- policies --- */

static struct policy *load(const char *text)
{
	static const char *const dirs[] = { "policies/library" };
	struct policy_search search = { .dirs = dirs, .n_dirs = 1, .native = ABI_NATIVE };
	struct policy_diags diags = { .n_errors = 0 };
	struct err err = ERR_INIT;
	struct policy *policy = NULL;

	if (policy_load_text("test.policy", text, strlen(text), &search, &policy, &diags, &err) < 0)
		fail_msg("%s %s", err.msg, diags.text.data ? diags.text.data : "");
	policy_diags_done(&diags);
	return policy;
}

static char *generate(const struct policy *policy, const struct profile_target *target)
{
	struct buf out = BUF_INIT;
	struct err err = ERR_INIT;

	if (apparmor_generate(policy, target, &out, &err) < 0)
		fail_msg("cannot %s", err.msg);
	return out.data;
}

static const struct profile_target plain = { .apparmor_abi = 30 };

/* --- the text and the judge, on one path --- */

static void compare(const struct policy *policy, const struct profile_target *target,
		    const struct rules *rules, const char *path)
{
	const unsigned want = aa_judge_path(policy, target, true, path);
	const unsigned got = rules_give(rules, path);
	char dir[LIMIT_PATH + 1];

	if (got != want)
		fail_msg("'%s': the text gives %#x, the judge says %#x; the text:\n%s", path, got,
			 want, rules->text);
	(void)snprintf(dir, sizeof(dir), "%s/", path);
	/* a directory's name has a slash at its end */
	if (path[1] && rules_give(rules, dir) != want)
		fail_msg("'%s': the text gives %#x, the judge says %#x; the text:\n%s", dir,
			 rules_give(rules, dir), want, rules->text);
}

/* The deepest line wins, in the text as with the judge, with the home known and not. */
static void test_random_lines(void **state)
{
	static char text[MAX_LINES + 1][LIMIT_PATH];
	struct policy_path lines[MAX_LINES + 1];
	struct policy policy = { .name = (char[]){ "r" }, .abi_mask = 1U << ABI_NATIVE };
	struct policy *base = load("policy r\nallow execve\n");
	const char *more = getenv("CORDON_APPARMOR_ROUNDS");
	const unsigned rounds = more ? (unsigned)strtoul(more, NULL, 10) : ROUNDS;
	uint64_t seed = 1;
	unsigned given = 0;

	(void)state;
	policy.rules = base->rules;
	policy.n_rules = base->n_rules;
	policy.kernel = base->kernel;
	for (unsigned round = 0; round < rounds; round++) {
		struct profile_target target = plain;
		struct rules rules;
		char *out;

		target.vars.home = random_below(&seed, 2) ? "/home/u" : NULL;
		random_lines(&seed, &policy, lines, text);
		if (policy.n_paths == 0)
			continue;
		out = generate(&policy, &target);
		rules_read(&rules, out);
		for (unsigned i = 0; i < PROBES; i++) {
			char path[LIMIT_PATH];

			random_probe(&seed, &policy, path, sizeof(path) - 80);
			compare(&policy, &target, &rules, path);
			given += rules_give(&rules, path) != 0;
		}
		rules_done(&rules);
		free(out);
	}
	/* neither all refused nor all given */
	assert_in_range(given, rounds * PROBES / 10, rounds * PROBES * 9 / 10);
	policy_free(base);
}

/* The comparison finds a rule that is wrong: each line of a text in turn left out. */
static void test_faults_are_found(void **state)
{
	static const char *const probes[] = { "/usr/bin/x",	   "/usr/secret", "/usr/secret/x",
					      "/usr/secret/pub/x", "/usr/secre",  "/data/x" };
	struct policy *policy = load("policy f\nallow execve\nexec /usr\nhide /usr/secret\n"
				     "read /usr/secret/pub\nwrite /data\n");
	char *out = generate(policy, &plain);
	unsigned rules_seen = 0, found = 0;

	(void)state;
	for (char *line = strstr(out, "  # exec /usr"); line; line = strchr(line + 1, '\n')) {
		struct rules rules;
		unsigned wrong = 0;

		line += *line == '\n';
		if (!strstr(line, "/usr") && !strstr(line, "/data"))
			break;
		if (strncmp(line, "  \"/usr", 7) != 0 &&
		    strncmp(line, "  audit deny \"/usr", 18) != 0)
			continue;
		rules_seen++;
		line[2] = '#';
		rules_read(&rules, out);
		for (size_t i = 0; i < ARRAY_SIZE(probes); i++)
			wrong += rules_give(&rules, probes[i]) !=
				 aa_judge_path(policy, &plain, true, probes[i]);
		rules_done(&rules);
		line[2] = strncmp(line + 3, "udit", 4) == 0 ? 'a' : '"';
		found += wrong > 0;
	}
	assert_true(rules_seen >= 3);
	assert_int_equal(found, rules_seen);
	free(out);
	policy_free(policy);
}

static void test_names_are_literal(void **state)
{
	struct policy *policy =
		load("policy q\nallow execve\n"
		     "read \"/q/a b\" \"/q/x\\\"},\\\\n/** w,#\" /q/* \"/q/@{HOME}\"\n"
		     "write \"/w/[a-c]{d,e}?^\"\n");
	char *out = generate(policy, &plain);
	struct rules rules;

	(void)state;
	rules_read(&rules, out);
	assert_int_equal(rules_give(&rules, "/q/a b"), AA_READ | AA_LOCK);
	assert_int_equal(rules_give(&rules, "/q/x\"},\\n/** w,#"), AA_READ | AA_LOCK);
	assert_int_equal(rules_give(&rules, "/q/*"), AA_READ | AA_LOCK);
	assert_int_equal(rules_give(&rules, "/q/other"), 0);
	assert_int_equal(rules_give(&rules, "/q/@{HOME}/x"), AA_READ | AA_LOCK);
	assert_int_equal(rules_give(&rules, "/n/x"), 0);
	assert_true(rules_give(&rules, "/w/[a-c]{d,e}?^") & AA_WRITE);
	assert_int_equal(rules_give(&rules, "/w/ad1^"), 0);
	rules_done(&rules);
	free(out);
	policy_free(policy);
}

/* The masked names of /proc are those that a launch covers. */
static void test_masked_as_at_a_launch(void **state)
{
	_cleanup_free_ char *text = NULL;
	const char *at, *end;
	size_t len, n = 0;

	(void)state;
	assert_int_equal(
		fd_read_file_at(AT_FDCWD, "sandbox/mounts_special.c", 1 << 20, &text, &len), 0);
	at = strstr(text, "masked[] = {");
	assert_non_null(at);
	end = strstr(at, "\n};");
	assert_non_null(end);
	while ((at = strstr(at, "\t{ \"")) && at < end) {
		at += strlen("\t{ \"");
		assert_non_null(aa_proc_masked[n]);
		assert_int_equal(strncmp(at, aa_proc_masked[n], strlen(aa_proc_masked[n])), 0);
		assert_int_equal(at[strlen(aa_proc_masked[n])], '"');
		n++;
	}
	assert_true(n > 10);
	assert_null(aa_proc_masked[n]);
}

/* --- what is refused --- */

static void test_refusals(void **state)
{
	struct profile_target target = plain;
	struct policy_path line = { .verb = POLICY_PATH_READ, .path = (char[]){ "/a\nb" } };
	struct policy made = { .name = (char[]){ "m" }, .paths = &line, .n_paths = 1 };
	struct policy *policy = load("policy p\nallow read\nexec /\nhide $PWD/.git\n");
	struct buf out = BUF_INIT;
	struct err err = ERR_INIT;
	static const char *const bad[] = { "", "a b", "a//&b", "-x", "x{y}", ":ns:x", "a\nb" };

	(void)state;
	assert_int_equal(apparmor_generate(policy, &target, &out, &err), -EOPNOTSUPP);
	assert_non_null(strstr(err.msg, "line 4"));
	target.vars.pwd = "/src";
	free(generate(policy, &target));
	assert_int_equal(apparmor_generate(&made, &target, &out, &err), -EOPNOTSUPP);
	target.vars.home = "/home/../etc";
	assert_int_equal(apparmor_generate(policy, &target, &out, &err), -EINVAL);
	target.vars.home = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		target.name = bad[i];
		assert_int_equal(apparmor_generate(policy, &target, &out, &err), -EINVAL);
	}
	target.name = "my-profile_1.0";
	free(generate(policy, &target));
	assert_null(out.data);
	policy_free(policy);
}

/* --- rules that are no file's --- */

static void has(const char *text, const char *line, bool wanted)
{
	if (!strstr(text, line) == wanted)
		fail_msg("%s '%s' in:\n%s", wanted ? "no" : "unwanted", line, text);
}

static void test_other_rules(void **state)
{
	struct policy *policy = load(
		"policy o\nallow execve mount umount2 ptrace mq_open io_uring_setup unshare kill\n"
		"allow socket if domain == AF_INET6 and type & 0xf == SOCK_DGRAM\n"
		"allow socketpair if domain == AF_UNIX\nnet loopback\ncap CAP_NET_RAW\n"
		"limit pids 7 nofile 9 memory 1M\n");
	struct policy *closed = load("policy c\nallow read execve\nread /\n");
	struct profile_target target = plain;
	char *out = generate(policy, &target);

	(void)state;
	has(out, "abi <abi/3.0>,", true);
	has(out, "network inet6 dgram,", true);
	has(out, "network unix,", true);
	has(out, "network inet stream", false);
	has(out, "capability net_raw,", true);
	has(out, "  mount,\n  remount,\n  umount,\n", true);
	has(out, "pivot_root", true); /* in the head's comment */
	has(out, "  pivot_root,", false);
	has(out, "ptrace (trace) peer=\"{,**//&}@{profile_name}{,//&**}\",", true);
	has(out, "signal (send) peer=\"{,**//&}@{profile_name}{,//&**}\",", true);
	has(out, "  set rlimit core <= 0,\n}", true); /* and no other */
	has(out, "nproc", false);
	has(out, "nofile", false);
	has(out, "rlimit data", false);
	has(out, "userns", false);
	has(out, "attach_disconnected", false);
	free(out);
	target.apparmor_abi = 40;
	out = generate(policy, &target);
	has(out, "abi <abi/4.0>,", true);
	has(out, "  userns,", true);
	has(out, " flags=(attach_disconnected.path=/cordon-handed-in) {", true);
	has(out, "\"/cordon-handed-in{,/**}\" rwk,", true);
	has(out, "  mqueue ", true);
	has(out, "  io_uring ", true);
	free(out);
	out = generate(closed, &target);
	has(out, "network ", false);
	has(out, "  capability", false);
	has(out, "  mount", false);
	has(out, "(trace)", false);
	has(out, "(send)", false);
	has(out, "  userns", false);
	has(out, "change_profile", false);
	free(out);
	policy_free(policy);
	policy_free(closed);
}

/* --- the judge, on attempts --- */

static void judge(const struct policy *policy, unsigned abi, const char *text,
		  enum judgement_answer answer, int errno_value)
{
	struct profile_target target = { .apparmor_abi = abi };
	struct attempt attempt;
	struct judgement j;
	struct err err = ERR_INIT;

	if (attempt_parse(text, ABI_NATIVE, "/", &attempt, &err) < 0)
		fail_msg("cannot %s", err.msg);
	assert_int_equal(apparmor_mechanism.judge(policy, &target, &attempt, &j, &err), 0);
	if (j.answer != answer || (answer == JUDGE_DENIES && j.errno_value != errno_value))
		fail_msg("%s: answer %u, errno %u", text, j.answer, j.errno_value);
	attempt_done(&attempt);
}

static void test_judge(void **state)
{
	struct policy *policy = load("policy j\nuse default\n");
	struct policy *open =
		load("policy k\nallow @file-system execve @process ptrace kill mount\n"
		     "allow unshare clone\nwrite /data /more\nread /ro\nexec /usr\n");

	(void)state;
	judge(policy, 30, "openat(\"/etc/passwd\", O_RDONLY)", JUDGE_ALLOWS, 0);
	judge(policy, 30, "openat(\"/etc/passwd\", O_RDWR)", JUDGE_DENIES, EACCES);
	judge(policy, 30, "openat(\"/etc/shadow\", O_RDONLY)", JUDGE_DENIES, EACCES);
	judge(policy, 30, "stat(\"/etc/shadow\")", JUDGE_SILENT, 0);
	judge(policy, 30, "openat(\"/tmp/x\", O_WRONLY|O_CREAT)", JUDGE_ALLOWS, 0);
	judge(policy, 30, "openat(\"/proc/kcore\", O_RDONLY)", JUDGE_DENIES, EACCES);
	judge(policy, 30, "openat(\"/proc/self/attr/current\", O_WRONLY)", JUDGE_DENIES, EACCES);
	judge(policy, 30, "openat(\"/proc/self/comm\", O_WRONLY)", JUDGE_ALLOWS, 0);
	judge(policy, 30, "openat(\"/proc/sys/kernel/x\", O_WRONLY)", JUDGE_DENIES, EACCES);
	judge(policy, 30, "openat(\"/dev/null\", O_RDWR)", JUDGE_ALLOWS, 0);
	judge(policy, 30, "openat(\"/dev/sda\", O_RDONLY)", JUDGE_DENIES, EACCES);
	judge(policy, 30, "socket(AF_INET, SOCK_STREAM)", JUDGE_ALLOWS, 0);
	judge(policy, 30, "socket(AF_INET, SOCK_RAW)", JUDGE_DENIES, EACCES);
	judge(policy, 30, "socket(AF_ALG, SOCK_SEQPACKET)", JUDGE_DENIES, EACCES);
	judge(policy, 30, "ptrace(PTRACE_ATTACH, 1)", JUDGE_DENIES, EACCES);
	judge(policy, 30, "kcmp(1, 1, 0, 0, 0)", JUDGE_DENIES, EPERM);
	judge(policy, 30, "process_vm_readv(1)", JUDGE_DENIES, EPERM);
	judge(policy, 30, "setpriority(0, 0, 0xfffffff6)", JUDGE_DENIES, EACCES);
	judge(policy, 30, "mount", JUDGE_DENIES, EACCES);
	judge(policy, 30, "umount2", JUDGE_DENIES, EPERM);
	judge(policy, 30, "unshare(CLONE_NEWUSER)", JUDGE_SILENT, 0);
	judge(policy, 40, "unshare(CLONE_NEWUSER)", JUDGE_DENIES, EACCES);
	judge(policy, 30, "getpid", JUDGE_SILENT, 0);
	judge(open, 40, "unshare(CLONE_NEWUSER)", JUDGE_ALLOWS, 0);
	judge(open, 30, "mount", JUDGE_DENIES, EPERM);
	judge(open, 30, "ptrace(PTRACE_ATTACH, 1)", JUDGE_DENIES, EACCES);
	judge(open, 30, "mq_open(\"q\", O_RDWR)", JUDGE_DENIES, EACCES);
	judge(open, 40, "mq_open(\"q\", O_RDWR)", JUDGE_SILENT, 0);
	judge(open, 30, "mq_unlink(\"q\")", JUDGE_SILENT, 0);
	judge(open, 30, "execve(\"/usr/bin/x\")", JUDGE_ALLOWS, 0);
	judge(open, 30, "execve(\"/data/x\")", JUDGE_DENIES, EACCES);
	judge(open, 30, "link(\"/data/a\", \"/more/b\")", JUDGE_ALLOWS, 0);
	judge(open, 30, "link(\"/ro/a\", \"/data/b\")", JUDGE_DENIES, EACCES);
	judge(open, 30, "rename(\"/data/a\", \"/more/b\")", JUDGE_ALLOWS, 0);
	judge(open, 30, "rename(\"/ro/a\", \"/data/b\")", JUDGE_DENIES, EACCES);
	judge(open, 30, "chmod(\"/ro/a\", 0600)", JUDGE_DENIES, EACCES);
	judge(open, 30, "utimensat(AT_FDCWD, \"/ro/a\")", JUDGE_SILENT, 0);
	policy_free(policy);
	policy_free(open);
}

/* --- the report --- */

static const struct report_entry *entry(const struct report *report, const char *subject)
{
	for (size_t i = 0; i < report->n; i++) {
		if (strstr(report->entries[i].subject, subject))
			return &report->entries[i];
	}
	fail_msg("no line '%s'", subject);
	return NULL;
}

/* The judge asks for parts of what the generator asks for whole. */
static void test_parts_of_the_facts(void **state)
{
	static const char *const texts[] = {
		"policy t\nuse default\n",
		"policy t\nuse strict\n",
		"policy t\nkernel 6.18\nallow socket socketpair io_uring_setup mq_open mount\n",
		"policy t\nkernel 6.18\nallow read\n",
	};
	unsigned made = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct policy *policy = load(texts[i]);
		struct aa_facts all, calls;

		aa_facts_find(policy, &all);
		aa_facts_find_calls(policy, &calls);
		for (unsigned f = 0; f < AA_FAMILIES; f++) {
			struct aa_facts family;

			aa_facts_find_family(policy, f, &family);
			assert_int_equal(family.types[f], all.types[f]);
			assert_int_equal(family.any_socket, all.any_socket);
			made += all.types[f] != 0;
			calls.types[f] = all.types[f];
		}
		calls.any_socket = all.any_socket;
		assert_memory_equal(&calls, &all, offsetof(struct aa_facts, rings) + 1);
		policy_free(policy);
	}
	assert_true(made > AA_FAMILIES);
}

static void test_report(void **state)
{
	struct policy *policy = load(
		"policy t\nallow read execve\ndeny mount\nallow kill\nread $PWD /a\nhide /a/b\n"
		"tmpfs ~\nwrite /w\nnet loopback\nlimit nofile 4 wall 1s\ncap none\n"
		"allow socket if domain == AF_INET and type == SOCK_STREAM\n");
	struct policy_port port = { .protocol = POLICY_PORT_TCP, .first = 443, .last = 443 };
	struct report report = REPORT_INIT;
	struct err err = ERR_INIT;
	struct policy copy = *policy;
	static const struct {
		const char *subject;
		enum coverage coverage;
	} wanted[] = {
		{ "allow read", COVERAGE_ENFORCED },	{ "deny mount", COVERAGE_ENFORCED },
		{ "allow kill", COVERAGE_STRICTER },	{ "read $PWD", COVERAGE_WEAKER },
		{ "read /a", COVERAGE_WEAKER },		{ "hide /a/b", COVERAGE_WEAKER },
		{ "tmpfs ~", COVERAGE_WEAKER },		{ "write /w", COVERAGE_ENFORCED },
		{ "net connect", COVERAGE_WEAKER },	{ "limit nofile", COVERAGE_NOT_ITS_OWN },
		{ "limit wall", COVERAGE_NOT_ITS_OWN }, { "cap none", COVERAGE_ENFORCED },
		{ "allow socket", COVERAGE_ENFORCED },
	};

	(void)state;
	copy.ports = &port;
	copy.n_ports = 1;
	assert_int_equal(apparmor_mechanism.report(&copy, &plain, &report, &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		const struct report_entry *e = entry(&report, wanted[i].subject);

		if (e->coverage != wanted[i].coverage)
			fail_msg("%s: %s (%s)", e->subject,
				 coverage_name((enum coverage)e->coverage), e->note ? e->note : "");
		if (e->coverage == COVERAGE_WEAKER || e->coverage == COVERAGE_STRICTER)
			assert_non_null(e->note);
	}
	report_done(&report);
	policy_free(policy);
}

static void test_deterministic(void **state)
{
	struct policy *policy = load("policy d\nuse build\nwrite ~/x $PWD\n");
	char *one = generate(policy, &plain), *two = generate(policy, &plain);

	(void)state;
	assert_string_equal(one, two);
	free(one);
	free(two);
	policy_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_lines),
		cmocka_unit_test(test_faults_are_found),
		cmocka_unit_test(test_names_are_literal),
		cmocka_unit_test(test_masked_as_at_a_launch),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_other_rules),
		cmocka_unit_test(test_judge),
		cmocka_unit_test(test_parts_of_the_facts),
		cmocka_unit_test(test_report),
		cmocka_unit_test(test_deterministic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
