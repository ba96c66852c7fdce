// SPDX-License-Identifier: Apache-2.0
/* Parsing and values on samples; the rest on the real cgroup v2 tree: as an ordinary user what can
 * be seen without delegation, as root a delegated subtree that a child with an ordinary uid then
 * uses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"
#include "sandbox/cgroup.h"

enum { ORDINARY_UID = 65000 };

static void test_parse_self(void **state)
{
	char path[32];

	(void)state;
	assert_int_equal(cgroup_parse_self("0::/user.slice/a\n", path, sizeof(path)), 0);
	assert_string_equal(path, "/user.slice/a");
	/* hybrid: v1 lines in front, a v1 line that holds "0::" inside */
	assert_int_equal(
		cgroup_parse_self("9:name=systemd:/0::/x\n1:cpu:/\n0::/\n", path, sizeof(path)), 0);
	assert_string_equal(path, "/");
	assert_int_equal(cgroup_parse_self("10::/no\n0::/yes", path, sizeof(path)), 0);
	assert_string_equal(path, "/yes");
	assert_int_equal(cgroup_parse_self("", path, sizeof(path)), -ENOENT);
	assert_int_equal(cgroup_parse_self("1:cpu:/\n", path, sizeof(path)), -ENOENT);
	assert_int_equal(cgroup_parse_self("0::x\n", path, sizeof(path)), -EINVAL);
	assert_int_equal(cgroup_parse_self("0::/../../a\n", path, sizeof(path)), -EXDEV);
	assert_int_equal(cgroup_parse_self("0::/..\n", path, sizeof(path)), -EXDEV);
	assert_int_equal(cgroup_parse_self("0::/..a\n", path, sizeof(path)), 0);
	assert_int_equal(
		cgroup_parse_self("0::/234567890123456789012345678901\n", path, sizeof(path)), 0);
	assert_int_equal(
		cgroup_parse_self("0::/2345678901234567890123456789012\n", path, sizeof(path)),
		-ENAMETOOLONG);
}

static void test_parse_mountinfo(void **state)
{
	static const char hybrid[] =
		"27 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n"
		"40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n"
		"41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";
	struct cgroup_mount m;
	const char *below;
	_cleanup_buf_ struct buf longer = BUF_INIT;
	int i;

	(void)state;
	assert_int_equal(cgroup_parse_mountinfo(hybrid, &m), 0);
	assert_string_equal(m.point, "/sys/fs/cgroup/unified");
	assert_string_equal(m.root, "/");
	/* optional fields, escapes, a root that is not "/" */
	assert_int_equal(cgroup_parse_mountinfo("30 23 0:26 /pod\\0401 /sys/fs/c\\134g rw "
						"shared:4 master:1 - cgroup2 cgroup rw\n",
						&m),
			 0);
	assert_string_equal(m.root, "/pod 1");
	assert_string_equal(m.point, "/sys/fs/c\\g");
	assert_int_equal(cgroup_relative(&m, "/pod 1/x", &below), 0);
	assert_string_equal(below, "x");
	assert_int_equal(cgroup_relative(&m, "/pod 1", &below), 0);
	assert_string_equal(below, "");
	assert_int_equal(cgroup_relative(&m, "/pod 12", &below), -EXDEV);
	assert_int_equal(cgroup_relative(&m, "/", &below), -EXDEV);
	/* a mount point that only looks like one */
	assert_int_equal(cgroup_parse_mountinfo("1 2 0:1 / /cgroup2 rw - tmpfs cgroup2 rw\n", &m),
			 -ENOENT);
	assert_int_equal(cgroup_parse_mountinfo("", &m), -ENOENT);
	assert_int_equal(cgroup_parse_mountinfo("1 2 - cgroup2 x\n", &m), -EINVAL);
	assert_int_equal(cgroup_parse_mountinfo(" - cgroup2 ", &m), -EINVAL);
	/* too long is refused, not cut */
	assert_int_equal(buf_puts(&longer, "1 2 0:1 / /"), 0);
	for (i = 0; i < LIMIT_PATH; i++)
		assert_int_equal(buf_puts(&longer, "a"), 0);
	assert_int_equal(buf_puts(&longer, " rw - cgroup2 x rw\n"), 0);
	assert_int_equal(cgroup_parse_mountinfo(longer.data, &m), -EINVAL);
}

static void test_parse_lists(void **state)
{
	char names[32];
	uint64_t value = 7;

	(void)state;
	assert_int_equal(cgroup_parse_controllers("cpuset cpu io memory hugetlb pids rdma misc\n"),
			 CGROUP_ALL);
	assert_int_equal(cgroup_parse_controllers("cpuset cpuacct pid memoryx\n"), 0);
	assert_int_equal(cgroup_parse_controllers(""), 0);
	assert_int_equal(cgroup_parse_controllers("memory"), CGROUP_MEMORY);
	assert_string_equal(cgroup_names(CGROUP_ALL, names), "pids, memory, cpu");
	assert_string_equal(cgroup_names(CGROUP_MEMORY, names), "memory");
	assert_string_equal(cgroup_names(0, names), "none");

	assert_int_equal(cgroup_parse_key("low 0\noom 3\noom_kill 12\n", "oom_kill", &value), 0);
	assert_int_equal(value, 12);
	assert_int_equal(cgroup_parse_key("low 0\noom_kill 12", "oom", &value), -ENOENT);
	assert_int_equal(cgroup_parse_key("max x\n", "max", &value), -EINVAL);
	assert_int_equal(cgroup_parse_key("max 1 2\n", "max", &value), -EINVAL);
	assert_int_equal(cgroup_parse_key("max 999999999999999999999999999\n", "max", &value),
			 -EINVAL);
	assert_int_equal(cgroup_parse_key("", "max", &value), -ENOENT);
	assert_int_equal(value, 12);
}

static void test_settings(void **state)
{
	struct cgroup_limits limits = { .pids = 512, .memory = 4ULL << 30, .cpu_milli = 1500 };
	struct cgroup_setting s[CGROUP_SETTINGS];

	(void)state;
	assert_int_equal(cgroup_settings(&limits, CGROUP_ALL, s), 5);
	assert_string_equal(s[0].file, "pids.max");
	assert_string_equal(s[0].value, "512");
	assert_string_equal(s[1].file, "memory.max");
	assert_string_equal(s[1].value, "4294967296");
	assert_string_equal(s[2].file, "memory.swap.max");
	assert_string_equal(s[2].value, "0");
	assert_true(s[2].optional);
	assert_string_equal(s[3].file, "memory.oom.group");
	assert_string_equal(s[3].value, "1");
	assert_false(s[1].optional || s[3].optional);
	assert_string_equal(s[4].file, "cpu.max");
	assert_string_equal(s[4].value, "150000 100000");
	/* only what the place can give, only what was asked */
	assert_int_equal(cgroup_settings(&limits, CGROUP_PIDS, s), 1);
	limits = (struct cgroup_limits){ .cpu_milli = 1 };
	assert_int_equal(cgroup_settings(&limits, CGROUP_ALL, s), 1);
	assert_string_equal(s[0].value, "1000 100000");
	limits = (struct cgroup_limits){ .pids = UINT64_MAX, .cpu_milli = UINT64_MAX };
	assert_int_equal(cgroup_settings(&limits, CGROUP_ALL, s), 2);
	assert_string_equal(s[0].value, "4194304");
	assert_string_equal(s[1].value, "1000000000 100000");
	limits = (struct cgroup_limits){ 0 };
	assert_int_equal(cgroup_settings(&limits, CGROUP_ALL, s), 0);
}

static void test_obtainable(void **state)
{
	struct cgroup_place place = { .available = CGROUP_ALL, .enabled = CGROUP_PIDS };

	(void)state;
	assert_int_equal(cgroup_obtainable(&place), CGROUP_ALL);
	place.crowded = true;
	assert_int_equal(cgroup_obtainable(&place), CGROUP_PIDS);
}

/* Whatever this machine has: found, or a reason with a hint. */
static void test_find_here(void **state)
{
	struct cgroup_place place = CGROUP_PLACE_INIT;
	struct err err = ERR_INIT;
	int r = cgroup_find(&place, &err);

	(void)state;
	if (r == 0) {
		assert_true(place.fd >= 0);
		assert_int_equal(place.path[0], '/');
	} else {
		assert_int_equal(place.fd, -1);
		assert_int_equal(err.code, r);
		assert_true(err.msg[0] != '\0');
	}
	cgroup_place_done(&place);
}

static void test_bad_id(void **state)
{
	static const char *const bad[] = {
		"", "a/b", "..", "a b", "supervisor", "12345678901234567890123456789012345678901"
	};
	struct cgroup_place place = CGROUP_PLACE_INIT;
	struct cgroup_limits limits = { 0 };
	struct cgroup cg = CGROUP_INIT;
	size_t i;

	(void)state;
	/* a place without a directory: a good id gets as far as that, a bad one does not */
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(cgroup_make(&place, bad[i], &limits, &cg, NULL), -EINVAL);
	assert_int_equal(cgroup_make(&place, "0123456789abcdef", &limits, &cg, NULL), -EBADF);
	assert_int_equal(cgroup_end(&cg, NULL), 0);
}

/* --- a delegated subtree, made by root; one a test, as a node that gave its controllers on takes
 * no process any more */

struct delegation {
	char dir[LIMIT_PATH + 64];
	int fd;
};

static int as_root_setup(void **state)
{
	static struct delegation d;
	static struct cgroup_mount mount;
	_cleanup_buf_ struct buf buf = BUF_INIT;
	static const char *const files[] = { "", "/cgroup.procs", "/cgroup.subtree_control" };
	char path[LIMIT_PATH + 128];
	size_t i;

	*state = NULL;
	if (geteuid() != 0)
		return 0;
	if (fd_read_virtual_at(AT_FDCWD, "/proc/self/mountinfo", 1 << 22, &buf) < 0 ||
	    cgroup_parse_mountinfo(buf.data, &mount) < 0)
		return 0;
	(void)snprintf(d.dir, sizeof(d.dir), "%s/cordon-test.%d", mount.point, (int)getpid());
	if (mkdir(d.dir, 0755) < 0)
		return 0; /* mounted read-only, as in a container */
	for (i = 0; i < ARRAY_SIZE(files); i++) {
		(void)snprintf(path, sizeof(path), "%s%s", d.dir, files[i]);
		if (chown(path, ORDINARY_UID, ORDINARY_UID) < 0)
			return -1;
	}
	d.fd = open(d.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = &d;
	return d.fd < 0 ? -1 : 0;
}

static int as_root_teardown(void **state)
{
	struct delegation *d = *state;

	if (!d)
		return 0;
	(void)unlinkat(d->fd, "cordon-supervisor", AT_REMOVEDIR);
	(void)close(d->fd);
	return rmdir(d->dir);
}

/* Run fn in a child that sits in the delegated node as an ordinary user. Returns its status. */
static int in_delegation(const struct delegation *d, int (*fn)(const struct delegation *))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		_cleanup_close_ int procs = openat(d->fd, "cgroup.procs", O_WRONLY | O_CLOEXEC);

		if (procs < 0 || write(procs, "0", 1) != 1)
			_exit(250);
		if (setgroups(0, NULL) < 0 || setresgid(ORDINARY_UID, ORDINARY_UID, ORDINARY_UID) ||
		    setresuid(ORDINARY_UID, ORDINARY_UID, ORDINARY_UID))
			_exit(251);
		_exit(fn(d));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 252;
}

#define NEED(cond)                                                                                 \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			(void)fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond);           \
			return 1;                                                                  \
		}                                                                                  \
	} while (0)

static pid_t start_in(const struct cgroup *cg)
{
	struct clone_args args = { .flags = CLONE_INTO_CGROUP,
				   .exit_signal = SIGCHLD,
				   .cgroup = (unsigned)cg->fd };
	pid_t pid = sys_clone3(&args);

	if (pid == 0) {
		for (;;)
			(void)pause();
	}
	return pid;
}

static int make_and_end(const struct delegation *d)
{
	struct cgroup_place place = CGROUP_PLACE_INIT;
	struct cgroup_limits limits = { .pids = 64, .memory = 1 << 26, .cpu_milli = 500 };
	struct cgroup cg = CGROUP_INIT, second = CGROUP_INIT;
	struct cgroup_events events;
	_cleanup_buf_ struct buf buf = BUF_INIT;
	struct err err = ERR_INIT;
	char path[64], want[64];
	int status;
	pid_t pid;

	NEED(cgroup_find(&place, &err) == 0);
	NEED(strcmp(place.path, d->dir) == 0);
	NEED(!place.crowded && place.inside);
	NEED(cgroup_make(&place, "aa", &limits, &cg, &err) == 0);
	NEED(cg.in_force == cgroup_obtainable(&place));
	NEED(fcntl(cg.fd, F_GETFD) & FD_CLOEXEC);
	/* the same name twice is an error that names it, and nothing is touched */
	NEED(cgroup_make(&place, "aa", &limits, &second, &err) == -EEXIST);
	NEED(strstr(err.msg, "cordon-aa") && second.fd == -1);
	pid = start_in(&cg);
	NEED(pid > 0);
	(void)snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)pid);
	NEED(fd_read_virtual_at(AT_FDCWD, path, 1 << 16, &buf) == 0);
	(void)snprintf(want, sizeof(want), "0::%s/cordon-aa", strrchr(d->dir, '/'));
	NEED(strstr(buf.data, want));
	NEED(cgroup_events(&cg, &events) == 0 && events.oom_kill == 0 && events.pids_max == 0);
	/* the leaf is ended with its process in it */
	NEED(cgroup_end(&cg, &err) == 0);
	NEED(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	NEED(faccessat(place.fd, "cordon-aa", F_OK, 0) < 0 && errno == ENOENT);
	NEED(cgroup_end(&cg, &err) == 0);
	NEED(cgroup_events(&cg, &events) == -EBADF);
	cgroup_place_done(&place);
	return 0;
}

static void test_make_and_end_as_root(void **state)
{
	if (!*state)
		skip();
	assert_int_equal(in_delegation(*state, make_and_end), 0);
}

/* Another process in the place: nobody is moved, and nothing is promised. */
static int crowded_place(const struct delegation *d)
{
	struct cgroup_place place = CGROUP_PLACE_INIT;
	struct cgroup_limits limits = { .pids = 64 };
	struct cgroup cg = CGROUP_INIT;
	_cleanup_buf_ struct buf procs = BUF_INIT;
	struct err err = ERR_INIT;
	char line[16];
	pid_t pid = fork();

	(void)d;
	if (pid == 0) {
		for (;;)
			(void)pause();
	}
	NEED(pid > 0);
	NEED(cgroup_find(&place, &err) == 0);
	NEED(place.crowded && place.inside);
	NEED(cgroup_obtainable(&place) == 0);
	NEED(cgroup_make(&place, "bb", &limits, &cg, &err) == 0);
	NEED(cg.in_force == 0);
	NEED(fd_read_virtual_at(place.fd, "cgroup.procs", 1 << 16, &procs) == 0);
	(void)snprintf(line, sizeof(line), "%d\n", (int)pid);
	NEED(strstr(procs.data, line));
	NEED(cgroup_end(&cg, &err) == 0);
	(void)kill(pid, SIGKILL);
	NEED(waitpid(pid, NULL, 0) == pid);
	cgroup_place_done(&place);
	return 0;
}

static void test_crowded_place_as_root(void **state)
{
	if (!*state)
		skip();
	assert_int_equal(in_delegation(*state, crowded_place), 0);
}

static int collect(const struct delegation *d)
{
	struct cgroup_place place = CGROUP_PLACE_INIT;
	struct cgroup_limits limits = { 0 };
	struct cgroup live = CGROUP_INIT, busy = CGROUP_INIT;
	struct err err = ERR_INIT;
	pid_t pid;

	(void)d;
	NEED(cgroup_find(&place, &err) == 0);
	NEED(mkdirat(place.fd, "cordon-stale", 0755) == 0);
	NEED(mkdirat(place.fd, "other", 0755) == 0);
	NEED(mkdirat(place.fd, "cordon-supervisor", 0755) == 0);
	NEED(cgroup_make(&place, "live", &limits, &live, &err) == 0);
	/* one whose supervisor died, but whose process is still there */
	NEED(cgroup_make(&place, "busy", &limits, &busy, &err) == 0);
	pid = start_in(&busy);
	NEED(pid > 0);
	NEED(flock(busy.fd, LOCK_UN) == 0);
	NEED(cgroup_gc(&place) == 1);
	NEED(faccessat(place.fd, "cordon-stale", F_OK, 0) < 0);
	NEED(faccessat(place.fd, "cordon-live", F_OK, 0) == 0);
	NEED(faccessat(place.fd, "cordon-busy", F_OK, 0) == 0);
	NEED(faccessat(place.fd, "cordon-supervisor", F_OK, 0) == 0);
	NEED(faccessat(place.fd, "other", F_OK, 0) == 0);
	NEED(cgroup_gc(&place) == 0);
	NEED(cgroup_end(&live, &err) == 0);
	NEED(cgroup_end(&busy, &err) == 0);
	NEED(waitpid(pid, NULL, 0) == pid);
	NEED(unlinkat(place.fd, "other", AT_REMOVEDIR) == 0);
	NEED(unlinkat(place.fd, "cordon-supervisor", AT_REMOVEDIR) == 0);
	cgroup_place_done(&place);
	return 0;
}

static void test_gc_as_root(void **state)
{
	if (!*state)
		skip();
	assert_int_equal(in_delegation(*state, collect), 0);
}

/* In the leaf cordon-supervisor the place is the node above it; below a service manager's node what
 * is not marked as delegated is not ours, and what is marked is. */
static int place_rules(const struct delegation *d)
{
	struct cgroup_place place = CGROUP_PLACE_INIT;
	struct err err = ERR_INIT;
	int fd;

	NEED(mkdirat(d->fd, "cordon-supervisor", 0755) == 0);
	fd = openat(d->fd, "cordon-supervisor/cgroup.procs", O_WRONLY | O_CLOEXEC);
	NEED(fd >= 0 && write(fd, "0", 1) == 1);
	(void)close(fd);
	NEED(cgroup_find(&place, &err) == 0);
	NEED(strcmp(place.path, d->dir) == 0 && !place.inside && !place.crowded);
	cgroup_place_done(&place);
	/* a manager appears: its tree is its own */
	NEED(mkdirat(d->fd, "init.scope", 0755) == 0);
	NEED(cgroup_find(&place, &err) == -EACCES);
	NEED(strstr(err.hint, "Delegate=yes"));
	NEED(unlinkat(d->fd, "init.scope", AT_REMOVEDIR) == 0);
	/* back into the node, so that the leaf can be removed */
	fd = openat(d->fd, "cgroup.procs", O_WRONLY | O_CLOEXEC);
	NEED(fd >= 0 && write(fd, "0", 1) == 1);
	(void)close(fd);
	NEED(unlinkat(d->fd, "cordon-supervisor", AT_REMOVEDIR) == 0);
	return 0;
}

static void test_place_rules_as_root(void **state)
{
	if (!*state)
		skip();
	assert_int_equal(in_delegation(*state, place_rules), 0);
}

#define AS_ROOT(test) cmocka_unit_test_setup_teardown(test, as_root_setup, as_root_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_self),   cmocka_unit_test(test_parse_mountinfo),
		cmocka_unit_test(test_parse_lists),  cmocka_unit_test(test_settings),
		cmocka_unit_test(test_obtainable),   cmocka_unit_test(test_find_here),
		cmocka_unit_test(test_bad_id),	     AS_ROOT(test_make_and_end_as_root),
		AS_ROOT(test_crowded_place_as_root), AS_ROOT(test_gc_as_root),
		AS_ROOT(test_place_rules_as_root),
	};

	return cmocka_run_group_tests_name("cgroup", tests, NULL, NULL);
}
