// SPDX-License-Identifier: Apache-2.0
/* The SELinux module as text: the same bytes each time, no name that can break out of it, and a
 * report of each line. What SELinux's own tools say of it is test_selinux_tools.c's. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "profiles/selinux_tables.h"
#include "tests/unit/selinux_case.h"

static const struct profile_target plain = { .name = NULL };

static char *text_of(const struct policy *policy, const struct profile_target *target)
{
	struct buf out = BUF_INIT;
	struct err err = ERR_INIT;

	assert_int_equal(selinux_generate(policy, target, &out, &err), 0);
	return out.data;
}

/* One block, closed, whatever is in the comments: parentheses outside of them, by hand. */
static void is_one_form(const char *text)
{
	unsigned forms = 0;
	int depth = 0;

	for (const char *p = text; *p; p++) {
		if (*p == ';') {
			p += strcspn(p, "\n");
			continue;
		}
		if (*p == '(' && depth++ == 0)
			forms++;
		if (*p == ')')
			depth--;
		assert_true(depth >= 0);
		assert_true((*p >= ' ' && *p < 127) || *p == '\n');
		assert_true(*p != '"');
	}
	assert_int_equal(depth, 0);
	assert_int_equal(forms, 1);
}

static void test_same_bytes(void **state)
{
	(void)state;
	for (size_t i = 0; i < SELINUX_CASES; i++) {
		struct policy *a = selinux_load(selinux_cases[i].name, selinux_cases[i].text);
		struct policy *b = selinux_load(selinux_cases[i].name, selinux_cases[i].text);
		char *ta, *tb;

		assert_non_null(a);
		assert_non_null(b);
		ta = text_of(a, &plain);
		tb = text_of(b, &plain);
		assert_string_equal(ta, tb);
		is_one_form(ta);
		free(ta);
		free(tb);
		policy_free(a);
		policy_free(b);
	}
}

static void test_names(void **state)
{
	static const char *const good[] = { "a", "cordon-x", "Z9_-", "allow", "block" };
	static const char *const bad[] = { "",	   "9a",  "-a",	  "_a",	      "a b", "a.b", "a)",
					   "a\n(", "a;b", "a\"b", "\xc3\xa4", "a/b", "a*" };
	struct policy *p = selinux_load("x", "use process\n");
	struct err err = ERR_INIT;
	struct buf out = BUF_INIT;

	(void)state;
	assert_non_null(p);
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		const struct profile_target t = { .name = good[i] };
		char *text = text_of(p, &t), want[64];

		(void)snprintf(want, sizeof(want), "(block %s\n", good[i]);
		assert_non_null(strstr(text, want));
		is_one_form(text);
		free(text);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		const struct profile_target t = { .name = bad[i] };

		assert_int_equal(selinux_generate(p, &t, &out, &err), -EINVAL);
		assert_null(out.data);
		assert_true(err.hint[0] != '\0');
	}
	policy_free(p);
}

/* Paths and file names stand in no rule and, escaped, in comments alone. */
static void test_hostile_paths(void **state)
{
	struct policy *p = selinux_load("x", "use process\nread \"/etc/a)(allow process b\" "
					     "\"/var/lib/;;*\" \"/usr/x \\\"(\"\nexec /usr\n");
	char *text;

	(void)state;
	assert_non_null(p);
	text = text_of(p, &plain);
	is_one_form(text);
	assert_null(strstr(text, "a)("));
	free(text);
	free(p->sources[0].path);
	p->sources[0].path = strdup("dir/x\n(allow)\x1b.policy");
	assert_non_null(p->sources[0].path);
	text = text_of(p, &plain);
	is_one_form(text);
	assert_null(strchr(text, '\x1b'));
	assert_null(strstr(text, "\n(allow)"));
	free(text);
	policy_free(p);
}

static bool has(const char *policy_text, const char *rule)
{
	struct policy *p = selinux_load("x", policy_text);
	char *text;
	bool found;

	assert_non_null(p);
	text = text_of(p, &plain);
	found = strstr(text, rule) != NULL;
	free(text);
	policy_free(p);
	return found;
}

static void test_lines(void **state)
{
	(void)state;
	assert_true(has("use process\nread /etc/hosts\n",
			"net_conf_t (cordon_path (search list read))"));
	assert_false(has("use process\nread /etc\nhide /etc/hosts /etc/resolv.conf /etc/hostname "
			 "/etc/systemd\n",
			 "net_conf_t (cordon_path (search list read"));
	assert_true(has("use process\nread /etc\n", "net_conf_t (cordon_path"));
	assert_true(has("use process\nwrite $PWD\n",
			"user_home_t (cordon_path (search list read write make))"));
	/* what the caller left open to a home is no way around a line that reads there */
	assert_true(has("use process\nexec /usr\n", "(blockinherit cordon_home)"));
	assert_true(has("use process\nwrite ~\n", "(blockinherit cordon_home)"));
	assert_false(has("use process\nread ~\n", "(blockinherit cordon_home)"));
	/* secrets are given by name alone */
	assert_false(has("use process\nread ~ /etc\n", "ssh_home_t"));
	assert_false(has("use process\nread ~ /etc\n", "tls_privkey_t"));
	assert_true(has("use process\nread ~/.ssh\n", "ssh_home_t"));
	assert_false(has("use process\nread /etc/shadow\n", "shadow_t"));
	assert_true(has("use default\nnet connect tcp 443\n",
			"http_port_t (tcp_socket (name_connect))"));
	assert_false(has("use default\nnet connect tcp 443\n", "smtp_port_t"));
	assert_false(has("use default\nnet connect tcp 443\n", "cordon_udp"));
	assert_true(has("use default\nnet host\n", "port_type (tcp_socket (name_connect))"));
	assert_false(has("use default\nnet none\n", "tcp"));
	assert_true(has("use default\ncap CAP_BPF\n", "(cap2_userns (bpf))"));
	assert_false(has("use default\n", "cap_userns"));
	assert_true(has("use process\ntmpfs /tmp\n", "(blockinherit cordon_memory)"));
	assert_false(has("use process\nexec /usr\n", "(blockinherit cordon_memory)"));
}

/* The one entry of the report for the line that begins so. */
static enum coverage coverage_of(const char *policy_text, const char *line)
{
	struct policy *p = selinux_load("x", policy_text);
	struct report report = REPORT_INIT;
	struct err err = ERR_INIT;
	int found = -1;

	assert_non_null(p);
	assert_int_equal(report_make(p, &plain, 1U << MECHANISM_SELINUX, &report, &err), 0);
	for (size_t i = 0; i < report.n; i++) {
		if (strcmp(report.entries[i].subject, line) != 0)
			continue;
		/* a port line is also the rules on socket(2) that composition made of it */
		if (found >= 0 && report.entries[i].coverage == COVERAGE_NOT_ITS_OWN)
			continue;
		if (found >= 0 && found != COVERAGE_NOT_ITS_OWN)
			fail_msg("twice: %s", line);
		found = report.entries[i].coverage;
		if (found == COVERAGE_WEAKER || found == COVERAGE_STRICTER)
			assert_non_null(report.entries[i].note);
	}
	report_done(&report);
	policy_free(p);
	if (found < 0)
		fail_msg("no line: %s", line);
	return (enum coverage)found;
}

static void test_report(void **state)
{
	(void)state;
	assert_int_equal(coverage_of("use process\nexec /usr/bin/ssh\n", "exec /usr/bin/ssh"),
			 COVERAGE_ENFORCED);
	assert_int_equal(coverage_of("use process\nexec /usr/bin/ls\n", "exec /usr/bin/ls"),
			 COVERAGE_WEAKER);
	assert_int_equal(coverage_of("use process\nread /etc/hosts\n", "read /etc/hosts"),
			 COVERAGE_WEAKER);
	assert_int_equal(coverage_of("use process\nread /usr/src\n", "read /usr/src"),
			 COVERAGE_STRICTER);
	assert_int_equal(coverage_of("use process\nread /etc/shadow\n", "read /etc/shadow"),
			 COVERAGE_STRICTER);
	assert_int_equal(coverage_of("use process\nexec /\nhide /usr/bin/su\n", "hide /usr/bin/su"),
			 COVERAGE_WEAKER);
	assert_int_equal(
		coverage_of("use process\nread /etc\nhide /etc/ssl /etc/pki\n", "hide /etc/ssl"),
		COVERAGE_ENFORCED);
	assert_int_equal(coverage_of("use default\nnet none\n", "net none"), COVERAGE_STRICTER);
	assert_int_equal(coverage_of("use default\nnet connect tcp 22\n", "net connect tcp 22"),
			 COVERAGE_ENFORCED);
	assert_int_equal(coverage_of("use default\nnet connect tcp 443\n", "net connect tcp 443"),
			 COVERAGE_WEAKER);
	assert_int_equal(coverage_of("use default\nnet connect udp 53\n", "net connect udp 53"),
			 COVERAGE_WEAKER);
	assert_int_equal(coverage_of("use process\nlimit pids 5\n", "limit pids 5"),
			 COVERAGE_NOT_ITS_OWN);
	assert_int_equal(coverage_of("use process\nallow mount\n", "allow mount"),
			 COVERAGE_STRICTER);
}

/* What the kernel answers, as the guests of `make check-vm` have seen: tests/vm/gaps.sh. */
static void answers_on(const struct profile_target *target, const char *policy_text,
		       const char *text, enum judgement_answer answer, int errno_value)
{
	struct policy *p = selinux_load("x", policy_text);
	struct judgement j;
	struct attempt attempt;
	struct err err = ERR_INIT;

	assert_non_null(p);
	assert_int_equal(attempt_parse(text, ABI_NATIVE, "/", &attempt, &err), 0);
	assert_int_equal(mechanism_judge(MECHANISM_SELINUX, p, target, &attempt, &j, &err), 0);
	if (j.answer != answer || j.errno_value != errno_value)
		fail_msg("%s: %u with errno %u", text, j.answer, j.errno_value);
	attempt_done(&attempt);
	policy_free(p);
}

static void answers(const char *policy_text, int landlock_abi, const char *text,
		    enum judgement_answer answer, int errno_value)
{
	const struct profile_target target = { .landlock_abi = landlock_abi };

	answers_on(&target, policy_text, text, answer, errno_value);
}

static void test_judge(void **state)
{
	static const char closed[] = "use default\nwrite /srv\n",
			  open[] = "use default\nremove deny add_key io_uring_setup mount bpf\n"
				   "allow add_key io_uring_setup mount bpf\ncap CAP_SYS_NICE\n",
			  secret[] = "use default\nremove deny memfd_secret\nallow memfd_secret\n";

	(void)state;
	answers(closed, 6, "socket(AF_INET, SOCK_STREAM, 262)", JUDGE_ALLOWS, 0);
	answers("use strict\n", 6, "socket(AF_INET, SOCK_STREAM, 262)", JUDGE_DENIES, EACCES);
	answers(closed, 6, "socket(AF_INET, SOCK_STREAM, 132)", JUDGE_DENIES, EACCES);
	answers(closed, 6, "mknodat(\"/srv/x\", S_IFCHR|0600, 0x103)", JUDGE_DENIES, EPERM);
	answers(closed, 6, "mknodat(\"/usr/x\", S_IFCHR|0600, 0x103)", JUDGE_DENIES, EACCES);
	answers(closed, 6, "mknodat(\"/srv/x\", S_IFIFO|0600)", JUDGE_ALLOWS, 0);
	answers(closed, 6, "setpriority(0, 0, 0xfffffff6)", JUDGE_DENIES, EACCES);
	answers(open, 6, "setpriority(0, 0, 0xfffffff6)", JUDGE_ALLOWS, 0);
	answers(closed, 6, "sethostname(\"x\", 1)", JUDGE_DENIES, EPERM);
	answers(closed, 6, "mount(\"none\", \"/srv\", \"tmpfs\")", JUDGE_DENIES, EACCES);
	answers(open, 6, "mount(\"none\", \"/srv\", \"tmpfs\")", JUDGE_DENIES, EACCES);
	answers(closed, 6, "umount2(\"/srv\", MNT_DETACH)", JUDGE_DENIES, EPERM);
	answers(closed, 6, "ptrace(PTRACE_SEIZE, 1, 0, 0)", JUDGE_DENIES, EACCES);
	answers(closed, 6, "kcmp(1, 1, 0, 0, 0)", JUDGE_DENIES, EPERM);
	answers(closed, 6, "process_vm_readv(1)", JUDGE_DENIES, EPERM);
	answers(closed, 6, "add_key(\"user\", \"x\", \"y\", 1, 0xfffffffe)", JUDGE_DENIES, EACCES);
	answers(open, 6, "add_key(\"user\", \"x\", \"y\", 1, 0xfffffffe)", JUDGE_ALLOWS, 0);
	answers(closed, 6, "memfd_secret(0)", JUDGE_DENIES, EACCES);
	answers(secret, 6, "memfd_secret(0)", JUDGE_ALLOWS, 0);
	/* of one class, so whoever has one has the others */
	answers(secret, 6, "io_uring_setup(1)", JUDGE_ALLOWS, 0);
	answers(closed, 6, "io_uring_setup(1)", JUDGE_DENIES, EACCES);
	answers(closed, 6, "memfd_create(\"x\", 0)", JUDGE_SILENT, 0);
	answers(closed, 6, "mq_open(\"q\", O_RDWR)", JUDGE_DENIES, EACCES);
	answers(closed, 6, "mq_unlink(\"q\")", JUDGE_SILENT, 0);
	answers(closed, 6, "getsid(7)", JUDGE_DENIES, EACCES);
	answers(closed, 6, "getsid(0)", JUDGE_SILENT, 0);
	answers(closed, 6, "getpriority(PRIO_PROCESS, 7)", JUDGE_SILENT, 0);
	answers(closed, 6, "bpf(5)", JUDGE_DENIES, EACCES);
	answers(closed, 2, "bpf(5)", JUDGE_DENIES, EPERM);
	/* Landlock 3 is 6.2's to 6.6's: there the kernel's own number decides. */
	answers(closed, 3, "bpf(5)", JUDGE_DENIES, EPERM);
	answers_on(&(struct profile_target){ .kernel = KERNEL(6, 3), .landlock_abi = 3 }, closed,
		   "bpf(5)", JUDGE_DENIES, EPERM);
	answers_on(&(struct profile_target){ .kernel = KERNEL(6, 4), .landlock_abi = 3 }, closed,
		   "bpf(5)", JUDGE_DENIES, EACCES);
}

/* The tables' own order and size. */
static void test_tables(void **state)
{
	(void)state;
	for (size_t i = 1; i < selinux_n_labels; i++)
		assert_true(strcmp(selinux_labels[i - 1].path, selinux_labels[i].path) <= 0);
	for (size_t i = 0; i < selinux_n_labels; i++) {
		struct policy empty = { .n_paths = 0 };
		struct selinux_rights rights;
		struct err err = ERR_INIT;

		assert_int_equal(selinux_rights_of(&empty, &plain, &rights, &err), 0);
		assert_non_null(selinux_right_on(&rights, selinux_labels[i].type));
		selinux_rights_done(&rights);
	}
	for (unsigned port = 1; port <= UINT16_MAX; port++) {
		assert_string_not_equal(selinux_port_type(POLICY_PORT_TCP, (uint16_t)port),
					"port_t");
		assert_string_not_equal(selinux_port_type(POLICY_PORT_UDP, (uint16_t)port),
					"port_t");
	}
	assert_string_equal(selinux_port_type(POLICY_PORT_TCP, 443), "http_port_t");
	assert_string_equal(selinux_port_type(POLICY_PORT_UDP, 53), "dns_port_t");
}

/* The deepest row at or above the path, of two the later: by looking at each. */
static const struct selinux_label *label_by_all(const char *path)
{
	const struct selinux_label *found = &selinux_labels[0];

	for (size_t i = 0; i < selinux_n_labels; i++) {
		const struct selinux_label *row = &selinux_labels[i];
		const size_t len = strcmp(row->path, "/") == 0 ? 0 : strlen(row->path);
		const bool own = strcmp(path, row->path) == 0;

		if (strncmp(path, row->path, len) != 0 || (path[len] != '/' && path[len] != '\0') ||
		    strlen(row->path) < strlen(found->path) || row->flags & LABEL_WITHIN ||
		    row->flags & (own ? LABEL_BELOW : LABEL_FILE))
			continue;
		found = row;
	}
	return found;
}

static void test_labels(void **state)
{
	static const char *const behind[] = { "", "/x", "/x/y", "x", "/bin", "/.cache", "-", "0" };
	unsigned told_apart = 0;

	(void)state;
	for (size_t i = 0; i < selinux_n_labels; i++) {
		for (size_t j = 0; j < ARRAY_SIZE(behind); j++) {
			char path[256];

			(void)snprintf(path, sizeof(path), "%s%s", selinux_labels[i].path,
				       behind[j]);
			assert_ptr_equal(selinux_label_of(path), label_by_all(path));
			told_apart += selinux_label_of(path) != selinux_labels;
		}
	}
	assert_true(told_apart > selinux_n_labels * 6);
	assert_ptr_equal(selinux_label_of("/"), selinux_labels);
	assert_string_equal(selinux_label_of("~")->type, "user_home_dir_t");
	assert_string_equal(selinux_label_of("~/x")->type, "user_home_t");
	assert_string_equal(selinux_label_of("/usr/bin/bash")->type, "shell_exec_t");
	assert_string_equal(selinux_label_of("/usr/bin/bash/x")->type, "bin_t");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_bytes),    cmocka_unit_test(test_names),
		cmocka_unit_test(test_hostile_paths), cmocka_unit_test(test_lines),
		cmocka_unit_test(test_report),	      cmocka_unit_test(test_tables),
		cmocka_unit_test(test_judge),	      cmocka_unit_test(test_labels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
