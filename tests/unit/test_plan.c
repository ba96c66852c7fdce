// SPDX-License-Identifier: Apache-2.0
/* The plan apart from its mounts: command, environment, ids, limits. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <sched.h>

#include "tests/unit/plan_case.h"

static const char *env_of(const struct plan_case *c, const char *name)
{
	size_t n = strlen(name);
	const char *found = NULL;

	for (size_t i = 0; c->plan->env[i]; i++) {
		if (strncmp(c->plan->env[i], name, n) != 0 || c->plan->env[i][n] != '=')
			continue;
		assert_null(found); /* never two of a name */
		found = c->plan->env[i] + n + 1;
	}
	return found;
}

static void expect_env(const struct plan_case *c, const char *name, const char *value)
{
	const char *got = env_of(c, name);

	if (!value ? got != NULL : !got || strcmp(got, value) != 0)
		fail_msg("%s is '%s', not '%s'", name, got ? got : "(not there)",
			 value ? value : "(not there)");
}

static void test_env(void **state)
{
	static const char *const env[] = { "PATH=/opt/x/bin:/usr/bin",
					   "AWS_SECRET_ACCESS_KEY=secret",
					   "SSH_AUTH_SOCK=/run/ssh",
					   "LD_PRELOAD=/tmp/evil.so",
					   "LC_ALL=C.UTF-8",
					   "LC_TIME=de_DE",
					   "LCX=no",
					   "LANG=de",
					   "TERM=vt100",
					   "TZ=UTC",
					   "FROM_POLICY=p",
					   "BY_NAME=n",
					   "CMAKE_A=1",
					   "CMAKE=no",
					   "BOTH=host",
					   "=odd",
					   "noequals",
					   NULL };
	struct plan_case *c = case_new("exec /usr\nenv FROM_POLICY CMAKE_* SET=value BOTH=policy\n"
				       "env EMPTY= UNSET\n",
				       env);

	(void)state;
	c->req.env[c->req.n_env++] = "BY_NAME";
	c->req.env[c->req.n_env++] = "MINE=1";
	c->req.env[c->req.n_env++] = "TZ=later";
	c->req.env[c->req.n_env++] = "MINE=2";
	c->req.env[c->req.n_env++] = "NOT_THERE";
	case_cwd(c, "/usr");
	case_make_good(c);
	expect_env(c, "AWS_SECRET_ACCESS_KEY", NULL);
	expect_env(c, "SSH_AUTH_SOCK", NULL);
	expect_env(c, "LD_PRELOAD", NULL);
	expect_env(c, "LCX", NULL);
	expect_env(c, "CMAKE", NULL);
	expect_env(c, "UNSET", NULL);
	expect_env(c, "NOT_THERE", NULL);
	expect_env(c, "noequals", NULL);
	expect_env(c, "LC_ALL", "C.UTF-8");
	expect_env(c, "LC_TIME", "de_DE");
	expect_env(c, "LANG", "de");
	expect_env(c, "TERM", "vt100");
	expect_env(c, "FROM_POLICY", "p");
	expect_env(c, "CMAKE_A", "1");
	expect_env(c, "SET", "value");
	expect_env(c, "EMPTY", "");
	expect_env(c, "BOTH", "policy");
	expect_env(c, "BY_NAME", "n");
	expect_env(c, "MINE", "2");   /* later wins */
	expect_env(c, "TZ", "later"); /* an option over what is always passed */
	expect_env(c, "PATH", "/opt/x/bin:/usr/bin");
	assert_string_equal(c->plan->path_env, "/opt/x/bin:/usr/bin");
	expect_env(c, "HOME", c->home);
	expect_env(c, "USER", "somebody");
	expect_env(c, "LOGNAME", "somebody");
	expect_env(c, "SHELL", "/bin/bash");
	expect_env(c, "PWD", "/usr");
	case_free(c);
}

/* Whatever order the caller's environment has, a later entry of a name replaces the earlier. */
static void test_env_on_a_base(void **state)
{
	static const char *const env[] = { "PATH=/opt/x/bin", "SHELL=/bin/zsh", NULL };
	struct plan_case *c = case_new("exec /usr\n", env);

	(void)state;
	c->req.bases[0] = in_arena("dir");
	c->req.n_bases = 1;
	c->req.has_uid = true;
	case_make_good(c);
	/* the host's places for programs say nothing of a base's */
	assert_null(strstr(c->plan->path_env, "/opt/x"));
	expect_env(c, "SHELL", NULL);
	/* root inside, unless it is root outside */
	expect_env(c, "USER", geteuid() == 0 ? "somebody" : "root");
	case_free(c);
}

static void test_env_refused(void **state)
{
	struct plan_case *c = case_new("exec /usr\n", NULL);

	(void)state;
	c->req.env[0] = "=x";
	c->req.n_env = 1;
	case_make_refused(c, -EINVAL, "without a name");
	c->req.env[0] = "X=";
	case_make_good(c);
	expect_env(c, "X", "");
	case_free(c);
}

static void test_too_many_variables(void **state)
{
	static char text[LIMIT_ENV + 1][16];
	static const char *env[LIMIT_ENV + 2];
	struct plan_case *c = case_new("exec /usr\nenv X*\n", env);

	(void)state;
	for (size_t i = 0; i <= LIMIT_ENV; i++) {
		(void)snprintf(text[i], sizeof(text[i]), "X%zu=1", i);
		env[i] = text[i];
	}
	case_make_refused(c, -E2BIG, "4096");
	env[LIMIT_ENV - 20] = NULL;
	case_make_good(c);
	case_free(c);
}

/* Nothing of a plan lies in memory that a caller may change after. */
static void test_env_is_copied(void **state)
{
	struct plan_case *c = case_new("exec /usr\n", NULL);
	char two[] = "TWO=before";

	(void)state;
	c->req.env[c->req.n_env++] = two;
	case_make_good(c);
	memcpy(two, "XXX=after!", 10);
	expect_env(c, "TWO", "before");
	case_free(c);
}

static void test_arguments(void **state)
{
	_cleanup_free_ char **argv = calloc(LIMIT_ARGV + 2, sizeof(*argv));
	struct plan_case *c = case_new("exec /usr\n", NULL);
	static char arg[] = "a";

	(void)state;
	assert_non_null(argv);
	for (size_t i = 0; i <= LIMIT_ARGV; i++)
		argv[i] = arg;
	c->req.argv = argv;
	case_make_refused(c, -E2BIG, "32768");
	argv[LIMIT_ARGV] = NULL;
	case_make_good(c);
	plan_free(c->plan);
	argv[10000] = NULL;
	case_make_good(c);
	assert_string_equal(c->plan->argv[9999], "a");
	assert_null(c->plan->argv[10000]);
	case_free(c);
}

static void test_command(void **state)
{
	struct plan_case *c = case_new("exec /usr\n", NULL);
	static char empty[] = "";

	(void)state;
	case_make_good(c);
	assert_string_equal(c->plan->exec, "/bin/true");
	assert_string_equal(c->plan->argv[0], "/bin/true");
	plan_free(c->plan);
	c->req.argv0 = "-login";
	case_make_good(c);
	assert_string_equal(c->plan->exec, "/bin/true");
	assert_string_equal(c->plan->argv[0], "-login");
	plan_free(c->plan);
	c->argv[0] = empty;
	case_make_refused(c, -ENOENT, "empty");
	case_free(c);
}

static void test_exec_denied(void **state)
{
	struct plan_case *c = case_new("exec /usr\ndeny execve\n", NULL);

	(void)state;
	case_make_good(c);
	assert_true(c->plan->exec_gated);
	case_free(c);
	c = case_new("exec /usr\n", NULL);
	case_make_good(c);
	assert_false(c->plan->exec_gated);
	case_free(c);
	c = case_new("exec /usr\ndeny execve\nnotify off\n", NULL);
	case_make_refused(c, -EINVAL, "execve");
	assert_true(strlen(c->err.hint) > 0);
	case_free(c);
	c = case_new("exec /usr\nnotify off\n", NULL);
	case_make_good(c);
	assert_false(c->plan->notify);
	case_free(c);
}

static void test_ids(void **state)
{
	struct plan_case *c = case_new("exec /usr\n", NULL);

	(void)state;
	case_make_good(c);
	assert_int_equal(c->plan->uid_inside, geteuid());
	assert_int_equal(c->plan->gid_inside, getegid());
	plan_free(c->plan);
	c->req.has_uid = true;
	c->req.uid = 0;
	case_make_good(c);
	assert_int_equal(c->plan->uid_inside, 0);
	assert_int_equal(c->plan->gid_inside, 0);
	assert_int_equal(c->plan->uid, geteuid());
	plan_free(c->plan);
	c->req.uid = (uid_t)-1;
	case_make_refused(c, -EINVAL, "uid");
	c->req.uid = (uid_t)-2;
	case_make_good(c);
	case_free(c);
}

static void test_limits(void **state)
{
	struct plan_case *c =
		case_new("exec /usr\nlimit pids 7 nofile 9 upper 1M wall 2s cpuset 0-2\n", NULL);
	bool core = false;
	char set[CPUS_TEXT];

	(void)state;
	c->req.has_limit[POLICY_LIMIT_NOFILE] = true;
	c->req.limit[POLICY_LIMIT_NOFILE] = 33;
	c->req.has_limit[POLICY_LIMIT_MEMORY] = true;
	c->req.limit[POLICY_LIMIT_MEMORY] = 1 << 30;
	case_make_good(c);
	assert_int_equal(c->plan->limit[POLICY_LIMIT_PIDS], 7);
	assert_int_equal(c->plan->limit[POLICY_LIMIT_NOFILE], 33);
	assert_true(c->plan->limit_asked[POLICY_LIMIT_NOFILE]);
	assert_false(c->plan->limit_asked[POLICY_LIMIT_PIDS]);
	assert_false(c->plan->has_limit[POLICY_LIMIT_CPU]);
	assert_int_equal(c->plan->upper_size, 1 << 20);
	assert_true(c->plan->upper_inodes > 0);
	assert_int_equal(c->plan->wall_ms, 2000);
	assert_string_equal(cpus_format(&c->plan->cpuset, set), "0-2");
	for (size_t i = 0; i < c->plan->n_rlimits; i++) {
		const struct plan_rlimit *l = &c->plan->rlimits[i];

		core = core || (l->resource == RLIMIT_CORE && l->value == 0);
		if (l->resource == RLIMIT_NOFILE)
			assert_int_equal(l->value, 33);
		if (l->resource == RLIMIT_NPROC)
			assert_int_equal(l->value, 7);
		if (l->resource == RLIMIT_DATA)
			assert_int_equal(l->value, 1 << 30);
	}
	assert_int_equal(c->plan->n_rlimits, 4);
	assert_true(core);
	case_free(c);
}

static void test_net_and_name(void **state)
{
	struct plan_case *c = case_new("exec /usr\nnet loopback\n", NULL);
	char name[LIMIT_HOSTNAME + 2];

	(void)state;
	case_make_good(c);
	assert_int_equal(c->plan->net, POLICY_NET_LOOPBACK);
	assert_true(c->plan->clone_flags & CLONE_NEWNET);
	assert_string_equal(c->plan->hostname, "cordon");
	plan_free(c->plan);
	c->req.net = POLICY_NET_HOST;
	case_make_good(c);
	assert_false(c->plan->clone_flags & CLONE_NEWNET);
	plan_free(c->plan);
	memset(name, 'h', sizeof(name));
	name[LIMIT_HOSTNAME + 1] = '\0';
	c->req.hostname = name;
	case_make_refused(c, -ENAMETOOLONG, "host name");
	name[LIMIT_HOSTNAME] = '\0';
	case_make_good(c);
	case_free(c);
}

static void test_descriptors(void **state)
{
	struct plan_case *c = case_new("exec /usr\n", NULL);

	(void)state;
	c->req.pass_fds[0] = 2;
	c->req.pass_fds[1] = 0;
	c->req.n_pass_fds = 2;
	case_make_good(c);
	assert_int_equal(c->plan->pass_fds[0], 0);
	assert_int_equal(c->plan->pass_fds[1], 2);
	plan_free(c->plan);
	c->req.pass_fds[1] = 1 << 20;
	case_make_refused(c, -EBADF, "1048576");
	c->req.pass_fds[1] = -1;
	case_make_refused(c, -EBADF, "-1");
	case_free(c);
}

static void test_bases(void **state)
{
	struct plan_case *c = case_new("exec /usr\n", NULL);

	(void)state;
	c->req.n_bases = 1;
	c->req.bases[0] = in_arena("none");
	case_make_refused(c, -ENOENT, in_arena("none"));
	c->req.bases[0] = in_arena("file");
	case_make_refused(c, -ENOTDIR, in_arena("file"));
	c->req.bases[0] = in_arena("link");
	case_make_refused(c, -ELOOP, in_arena("link"));
	assert_true(strlen(c->err.hint) > 0);
	c->req.bases[0] = "/";
	case_make_refused(c, -EINVAL, "'/'");
	c->req.bases[0] = in_arena("job");
	c->req.bases[1] = in_arena("dir");
	c->req.n_bases = 2;
	case_make_good(c);
	assert_string_equal(c->plan->layers[0], in_arena("job"));
	assert_string_equal(c->plan->layers[1], in_arena("dir"));
	plan_free(c->plan);
	c->req.upper = UPPER_NONE;
	case_make_refused(c, -EINVAL, "2 bases");
	c->req.n_bases = 0;
	c->req.upper = UPPER_DIR;
	c->req.upper_dir = in_arena("dir");
	case_make_refused(c, -EINVAL, in_arena("dir"));
	case_free(c);
}

static void test_terminal(void **state)
{
	struct plan_case *c = case_new("exec /usr\n", NULL);

	(void)state;
	case_make_good(c);
	assert_false(c->plan->pty);
	plan_free(c->plan);
	c->host.tty[1] = true;
	case_make_good(c);
	assert_true(c->plan->pty && !c->plan->pty_for[0] && c->plan->pty_for[1]);
	plan_free(c->plan);
	c->req.pty = PTY_NEVER;
	case_make_good(c);
	assert_false(c->plan->pty || c->plan->pty_for[1]);
	plan_free(c->plan);
	c->req.pty = PTY_ALWAYS;
	c->host.tty[1] = false;
	case_make_good(c);
	assert_true(c->plan->pty && c->plan->pty_for[0] && c->plan->pty_for[2]);
	case_free(c);
}

/* --- the real host --- */

static void test_host(void **state)
{
	char home[LIMIT_PATH + 16], user[] = "USER=u", shell[] = "SHELL=/bin/s";
	char *env[] = { home, user, shell, NULL };
	struct plan_host host;
	struct err err = ERR_INIT;

	(void)state;
	(void)snprintf(home, sizeof(home), "HOME=%s/./job//", arena);
	assert_int_equal(plan_host_read(&host, env, &err), 0);
	assert_string_equal(host.home, in_arena("job"));
	assert_string_equal(host.user, "u");
	assert_string_equal(host.shell, "/bin/s");
	assert_int_equal(host.uid, geteuid());
	assert_true(host.cwd[0] == '/');
	/* a home by another name is still that home */
	(void)snprintf(home, sizeof(home), "HOME=%s/link", arena);
	assert_int_equal(plan_host_read(&host, env, &err), 0);
	assert_string_equal(host.home, in_arena("job"));
	(void)snprintf(home, sizeof(home), "HOME=relative");
	assert_int_equal(plan_host_read(&host, env, &err), 0);
	assert_null(host.home);
	(void)snprintf(home, sizeof(home), "HOME=//");
	assert_int_equal(plan_host_read(&host, env, &err), 0);
	assert_null(host.home);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_env),	      cmocka_unit_test(test_env_on_a_base),
		cmocka_unit_test(test_env_refused),   cmocka_unit_test(test_too_many_variables),
		cmocka_unit_test(test_env_is_copied), cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_command),	      cmocka_unit_test(test_exec_denied),
		cmocka_unit_test(test_ids),	      cmocka_unit_test(test_limits),
		cmocka_unit_test(test_net_and_name),  cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_bases),	      cmocka_unit_test(test_terminal),
		cmocka_unit_test(test_host),
	};

	return cmocka_run_group_tests_name("plan", tests, arena_make, arena_remove);
}
