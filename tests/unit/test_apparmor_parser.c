// SPDX-License-Identifier: Apache-2.0
/*
 * apparmor_parser's own reading of generated profiles: that it takes them, and that the regular
 * expressions it makes of their file rules give what the judge promises. Needs no kernel with
 * AppArmor: nothing is loaded.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policies/load.h"
#include "profiles/apparmor.h"
#include "profiles/apparmor_gen.h"
#include "tests/unit/random_paths.h"

enum { PROFILES = 40, PROBES = 80 };

#define FEATURES "/etc/apparmor.d/abi/3.0"

static char dir[] = "/tmp/cordon-apparmor.XXXXXX";

/* A parser of one's own: CORDON_APPARMOR_PARSER and CORDON_APPARMOR_FEATURES. */
static const char *parser(void)
{
	const char *own = getenv("CORDON_APPARMOR_PARSER");

	return own ? own : "/usr/sbin/apparmor_parser";
}

static const char *features(void)
{
	const char *own = getenv("CORDON_APPARMOR_FEATURES");

	return own ? own : FEATURES;
}

static int run(const char *const *argv, bool quiet)
{
	posix_spawn_file_actions_t actions;
	int status = -1;
	pid_t pid;

	assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
	for (int fd = 1; quiet && fd < 3; fd++)
		assert_int_equal(
			posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_WRONLY, 0),
			0);
	assert_int_equal(posix_spawnp(&pid, argv[0], &actions, NULL, (char *const *)(uintptr_t)argv,
				      environ),
			 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	(void)posix_spawn_file_actions_destroy(&actions);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool parses(const char *path)
{
	const char *const argv[] = { parser(),	 "-QKT", "-q",	      "--kernel-features",
				     features(), "-o",	 "/dev/null", path,
				     NULL };

	return run(argv, true) == 0;
}

static void write_text(const char *name, const char *suffix, const char *text, size_t len)
{
	char path[LIMIT_PATH];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s.%s", dir, name, suffix);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, len), 0);
	(void)close(fd);
}

static struct policy *load(const char *text)
{
	static const char *const dirs[] = { "policies/library" };
	struct policy_search search = { .dirs = dirs, .n_dirs = 1, .native = ABI_NATIVE };
	struct policy_diags diags = { .n_errors = 0 };
	struct err err = ERR_INIT;
	struct policy *policy = NULL;

	if (policy_load_text("p.policy", text, strlen(text), &search, &policy, &diags, &err) < 0)
		fail_msg("%s %s", err.msg, diags.text.data ? diags.text.data : "");
	policy_diags_done(&diags);
	return policy;
}

static void write_profile(const struct policy *policy, const struct profile_target *target,
			  const char *name)
{
	_cleanup_buf_ struct buf out = BUF_INIT;
	struct err err = ERR_INIT;

	if (apparmor_generate(policy, target, &out, &err) < 0)
		fail_msg("cannot %s", err.msg);
	write_text(name, "profile", out.data, out.len);
}

static void clear(void)
{
	const char *const argv[] = { "find", dir, "-type", "f", "-delete", NULL };

	assert_int_equal(run(argv, true), 0);
}

/* --- what is compared --- */

static void test_parser_means_what_the_judge_says(void **state)
{
	static char text[MAX_LINES + 1][LIMIT_PATH];
	struct policy_path lines[MAX_LINES + 1];
	struct policy *base = load("policy p\nallow execve\n");
	struct policy policy = { .name = base->name,
				 .abi_mask = base->abi_mask,
				 .kernel = base->kernel,
				 .rules = base->rules,
				 .n_rules = base->n_rules };
	const char *const argv[] = { "tests/lib/apparmor_rules.py", parser(), features(), dir,
				     NULL };
	uint64_t seed = 7;

	(void)state;
	for (unsigned i = 0; i < PROFILES; i++) {
		struct profile_target target = { .apparmor_abi = 30 };
		_cleanup_buf_ struct buf want = BUF_INIT;
		char name[16];

		target.vars.home = random_below(&seed, 2) ? "/home/u" : NULL;
		random_lines(&seed, &policy, lines, text);
		if (policy.n_paths == 0)
			continue;
		(void)snprintf(name, sizeof(name), "%02u", i);
		write_profile(&policy, &target, name);
		for (unsigned p = 0; p < PROBES; p++) {
			char path[LIMIT_PATH];

			random_probe(&seed, &policy, path, sizeof(path) - 80);
			assert_int_equal(buf_printf(&want, "%x %s\n",
						    aa_judge_path(&policy, &target, true, path),
						    path),
					 0);
		}
		write_text(name, "want", want.data, want.len);
	}
	assert_int_equal(run(argv, false), 0);
	/* and it finds what is wrong: one answer changed */
	write_text("01", "want", "3f /proc/kcore\n", strlen("3f /proc/kcore\n"));
	assert_int_equal(run(argv, true), 1);
	clear();
	policy_free(base);
}

/* --- what is taken --- */

static bool knows_4_0(void)
{
	return access("/etc/apparmor.d/abi/4.0", R_OK) == 0 || getenv("CORDON_APPARMOR_PARSER");
}

static const char *const reference[] = {
	"use default\n",
	"use strict\n",
	"use build\n",
	"use session\n",
	"use process\n",
	"use base-libc\n",
	"use default\nnet host\n",
	"use default\nnet none\n",
	"use default\nread $PWD\n",
	"use default\nwrite $PWD ~/out\n",
	"use default\ncap CAP_NET_BIND_SERVICE CAP_CHOWN CAP_SETUID CAP_SETGID\n",
	"allow read execve\n",
	"allow read\nread /\n",
	"allow read\nwrite /\n",
	"allow execve\nexec /usr\nhide /usr/a\nread /usr/a/b\nhide /usr/a/b/c\nwrite "
	"/usr/a/b/c/d\n",
	"allow execve\nexec /\nhide /home\ntmpfs ~\nread ~/.config\nhide ~/.config/secret\n",
	"allow mount umount2 pivot_root move_mount fsopen\n",
	"allow ptrace process_vm_readv kill tgkill pidfd_send_signal\n",
	"allow clone unshare clone3 setns\n",
	"allow mq_open mq_unlink io_uring_setup\n",
	"allow socket\nnet host\n",
	"allow socket if domain == AF_NETLINK\nnet host\n",
	"allow socket if type & 0xf == SOCK_RAW\nnet host\n",
	"allow socketpair if domain == AF_UNIX and type & 0xf == SOCK_SEQPACKET\n",
	"allow socket if domain == AF_UNIX\nnet host\n",
	"abi native i386\nallow socketcall socket\nnet host\n",
	"allow read\nlimit pids 1 nofile 1 memory 1T cpu 1 wall 1s\n",
	"allow read\ntmpfs /a/b/c/d/e /a/b/c/d/f\nread /a\n",
	"allow read\nread \"/a \\\"b\\\" {c,d} [e] *?^$ @{f} \\\\ #g , ; | & ~\"\nread "
	"/\xc3\xa9t\xc3\xa9\n",
	"allow read\nread /a\nhide \"/a/x y\" /a/-z \"/a/]\" \"/a/^\" /a/\xc3\xa9\nwrite \"/a/x "
	"y/-\" /a/-z/z\n",
	"allow read\nexec /\nhide /proc/1 /proc/self /proc/12/environ /dev/null /dev/shm /sys\n",
	"allow read\nwrite /dev/shm/x /dev/dri /sys/fs/cgroup\n",
};

static void test_parser_takes_each_kind(void **state)
{
	static const struct profile_target targets[] = {
		{ .apparmor_abi = 30 },
		{ .apparmor_abi = 30, .name = "x", .vars = { .home = "/h o", .pwd = "/h o/{w}" } },
		{ .apparmor_abi = 40 },
	};

	(void)state;
	assert_true(ARRAY_SIZE(reference) >= 30);
	for (size_t i = 0; i < ARRAY_SIZE(reference); i++) {
		for (size_t t = 0; t < ARRAY_SIZE(targets) - !knows_4_0(); t++) {
			_cleanup_buf_ struct buf text = BUF_INIT;
			struct policy *policy;
			char path[LIMIT_PATH];

			assert_int_equal(buf_printf(&text, "policy p\n%s", reference[i]), 0);
			policy = load(text.data);
			write_profile(policy, &targets[t], "taken");
			(void)snprintf(path, sizeof(path), "%s/taken.profile", dir);
			if (!parses(path))
				fail_msg("the parser refuses the profile of:\n%s", text.data);
			policy_free(policy);
		}
	}
	clear();
}

static char *refusal(const char *text)
{
	struct policy *policy = load(text);
	struct buf out = BUF_INIT;
	struct err err = ERR_INIT;
	int r = apparmor_generate(policy, &(struct profile_target){ .apparmor_abi = 30 }, &out,
				  &err);

	if (r == 0)
		write_text("long", "profile", out.data, out.len);
	buf_done(&out);
	policy_free(policy);
	assert_true(r == 0 || r == -EOPNOTSUPP);
	return r == 0 ? NULL : strdup(err.msg);
}

/* The parser's scanner has a buffer that does not grow, and what leaves much out takes it long:
 * long names are taken, what is too much is refused with its line. */
static void test_long_names(void **state)
{
	_cleanup_buf_ struct buf text = BUF_INIT, deep = BUF_INIT;
	_cleanup_free_ char *msg = NULL;
	char name[100], path[LIMIT_PATH];

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(buf_printf(&text, "policy p\nallow read\nwrite /a\nread /a/b\n"), 0);
	assert_int_equal(buf_puts(&deep, text.data), 0);
	for (int i = 0; i < 6; i++) {
		name[sizeof(name) - 2] = (char)('a' + i);
		assert_int_equal(buf_printf(&text, "write /a/b/%s\n", name), 0);
	}
	assert_int_equal(buf_puts(&text, "read \"/q"), 0);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(buf_puts(&text, "/{?"), 0);
	assert_int_equal(buf_puts(&text, "\"\n"), 0);
	assert_null(refusal(text.data));
	(void)snprintf(path, sizeof(path), "%s/long.profile", dir);
	assert_true(parses(path));

	assert_int_equal(buf_puts(&deep, "write /a/b"), 0);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(buf_puts(&deep, "/xy"), 0);
	assert_int_equal(buf_puts(&deep, "\n"), 0);
	msg = refusal(deep.data);
	assert_non_null(msg);
	assert_non_null(strstr(msg, "p.policy:"));
	clear();
}

/* That it takes all of the above means something. */
static void test_parser_refuses_what_is_broken(void **state)
{
	static const char *const broken[] = { "  \"/a{b\" r,\n",     "  \"/a\" q,\n",
					      "  network nosuch,\n", "  capability nosuch,\n",
					      "  \"/a[b\" r,\n",     "  \"/a\" r\n" };
	struct policy *policy = load("policy p\nuse default\n");
	char path[LIMIT_PATH];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/broken.profile", dir);
	for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
		_cleanup_buf_ struct buf out = BUF_INIT;
		struct err err = ERR_INIT;

		assert_int_equal(apparmor_generate(policy,
						   &(struct profile_target){ .apparmor_abi = 30 },
						   &out, &err),
				 0);
		write_text("broken", "profile", out.data, out.len);
		assert_true(parses(path));
		out.len -= strlen("}\n");
		assert_int_equal(buf_printf(&out, "%s}\n", broken[i]), 0);
		write_text("broken", "profile", out.data, out.len);
		if (parses(path))
			fail_msg("the parser takes '%s'", broken[i]);
	}
	clear();
	policy_free(policy);
}

/* The launcher's own profile, of ABI 4.0: what an older parser knows of it. */
static void test_launchers_profile(void **state)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_buf_ struct buf out = BUF_INIT;
	static const char *const newer[] = { "  userns,", "  mqueue,", "  io_uring," };
	char path[LIMIT_PATH];
	size_t len;

	(void)state;
	assert_int_equal(
		fd_read_file_at(AT_FDCWD, "profiles/apparmor.d/cordon", 1 << 16, &text, &len), 0);
	if (knows_4_0())
		assert_true(parses("profiles/apparmor.d/cordon"));
	assert_non_null(strstr(text, newer[0]));
	/* only the launcher has it, not what it runs */
	assert_null(strstr(strstr(text, "profile cordon_payload"), "\n  userns,"));
	assert_null(strstr(strstr(text, "profile cordon_payload"), "\n  capability"));
	for (char *line = text, *next; *line; line = next) {
		bool known = true;

		next = strchr(line, '\n');
		next = next ? next + 1 : line + strlen(line);
		for (size_t i = 0; i < ARRAY_SIZE(newer); i++)
			known = known && strncmp(line, newer[i], strlen(newer[i])) != 0;
		if (strncmp(line, "abi ", 4) == 0)
			assert_int_equal(buf_puts(&out, "abi <abi/3.0>,\n"), 0);
		else if (known)
			assert_int_equal(buf_put(&out, line, (size_t)(next - line)), 0);
	}
	write_text("launcher", "profile", out.data, out.len);
	(void)snprintf(path, sizeof(path), "%s/launcher.profile", dir);
	assert_true(parses(path));
	clear();
}

static int setup(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parser_means_what_the_judge_says),
		cmocka_unit_test(test_parser_takes_each_kind),
		cmocka_unit_test(test_long_names),
		cmocka_unit_test(test_parser_refuses_what_is_broken),
		cmocka_unit_test(test_launchers_profile),
	};

	if (access(parser(), X_OK) != 0) {
		(void)fprintf(stderr, "no %s: tools/install-deps test\n", parser());
		return 1;
	}
	return cmocka_run_group_tests(tests, setup, teardown);
}
