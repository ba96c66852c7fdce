// SPDX-License-Identifier: Apache-2.0
/* The real cgroup v2 tree: as an ordinary user what can be seen without delegation, as root a
 * delegated subtree that a child with an ordinary uid then uses. Texts: test_cgroup_text.c. */
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

#define ID_A "000000000000000a"
#define ID_B "0123456789abcdef"
#define ID_C "fedcba9876543210"
#define ID_D "ffffffffffffffff"

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
	int r = cgroup_find(NULL, &place, &err);

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
	struct cgroup_limits limits = {
		.set = CGROUP_LIMIT(PIDS) | CGROUP_LIMIT(MEMORY) | CGROUP_LIMIT(CPU),
		.value = { [POLICY_LIMIT_PIDS] = 64,
			   [POLICY_LIMIT_MEMORY] = 1 << 26,
			   [POLICY_LIMIT_CPU] = 500 },
	};
	struct cgroup cg = CGROUP_INIT, second = CGROUP_INIT;
	struct cgroup_events events;
	struct audit_usage usage = AUDIT_USAGE_INIT;
	_cleanup_buf_ struct buf buf = BUF_INIT;
	struct err err = ERR_INIT;
	char path[64], want[64];
	int status;
	pid_t pid;

	NEED(cgroup_find(NULL, &place, &err) == 0);
	NEED(strcmp(place.path, d->dir) == 0);
	NEED(!place.crowded && place.inside);
	NEED(cgroup_make(&place, "aa", &limits, &cg, &err) == 0);
	NEED(cgroup_controllers(cg.in_force) ==
	     (cgroup_obtainable(&place) & (CGROUP_PIDS | CGROUP_MEMORY | CGROUP_CPU)));
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
	cgroup_usage(&cg, &usage);
	NEED(usage.cpu_usec != AUDIT_UNKNOWN && usage.max_rss == AUDIT_UNKNOWN);
	NEED(!(cg.in_force & CGROUP_LIMIT(MEMORY)) || usage.oom_kills == 0);
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
	struct cgroup_limits limits = { .set = CGROUP_LIMIT(PIDS),
					.value = { [POLICY_LIMIT_PIDS] = 64 } };
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
	NEED(cgroup_find(NULL, &place, &err) == 0);
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

/* Where pids is given on already, a process still comes in, and then nothing below takes one: with
 * us alone that is undone, with others it is told. */
static int threaded_root(const struct delegation *d)
{
	struct cgroup_place place = CGROUP_PLACE_INIT;
	struct cgroup_limits limits = { .set = CGROUP_LIMIT(PIDS),
					.value = { [POLICY_LIMIT_PIDS] = 64 } };
	struct cgroup cg = CGROUP_INIT;
	struct err err = ERR_INIT;
	_cleanup_close_ int control = openat(d->fd, "cgroup.subtree_control", O_WRONLY | O_CLOEXEC);
	pid_t pid, other;

	NEED(cgroup_find(NULL, &place, &err) == 0);
	/* no such controller here: nothing to see */
	if (!(place.available & CGROUP_PIDS))
		return 0;
	cgroup_place_done(&place);
	other = fork();
	if (other == 0) {
		for (;;)
			(void)pause();
	}
	NEED(other > 0);
	NEED(write(control, "+pids", 5) == 5);
	NEED(cgroup_find(NULL, &place, &err) == 0);
	NEED(place.inside && place.crowded && place.enabled == CGROUP_PIDS);
	/* the leaf is refused, and does not stay */
	NEED(cgroup_make(&place, "aa", &limits, &cg, &err) == -EOPNOTSUPP);
	NEED(strstr(err.msg, "others sit") && cg.fd == -1);
	NEED(faccessat(place.fd, "cordon-aa", F_OK, 0) < 0 && errno == ENOENT);
	(void)kill(other, SIGKILL);
	NEED(waitpid(other, NULL, 0) == other);
	cgroup_place_done(&place);
	NEED(cgroup_find(NULL, &place, &err) == 0);
	NEED(place.inside && !place.crowded && place.enabled == CGROUP_PIDS);
	NEED(cgroup_make(&place, "aa", &limits, &cg, &err) == 0);
	NEED(cg.in_force == CGROUP_LIMIT(PIDS) && !place.inside);
	pid = start_in(&cg);
	NEED(pid > 0);
	NEED(cgroup_end(&cg, &err) == 0);
	NEED(waitpid(pid, NULL, 0) == pid);
	cgroup_place_done(&place);
	return 0;
}

static void test_threaded_root_as_root(void **state)
{
	if (!*state)
		skip();
	assert_int_equal(in_delegation(*state, threaded_root), 0);
}

static int collect(const struct delegation *d)
{
	struct cgroup_place place = CGROUP_PLACE_INIT;
	struct cgroup_limits limits = { 0 };
	struct cgroup live = CGROUP_INIT, busy = CGROUP_INIT;
	struct err err = ERR_INIT;
	pid_t pid;

	(void)d;
	NEED(cgroup_find(NULL, &place, &err) == 0);
	NEED(mkdirat(place.fd, "cordon-" ID_A, 0755) == 0);
	NEED(mkdirat(place.fd, "cordon-other", 0755) == 0);
	NEED(mkdirat(place.fd, "cordon-supervisor", 0755) == 0);
	NEED(cgroup_make(&place, ID_D, &limits, &live, &err) == 0);
	/* one whose supervisor died, but whose process is still there */
	NEED(cgroup_make(&place, ID_B, &limits, &busy, &err) == 0);
	pid = start_in(&busy);
	NEED(pid > 0);
	NEED(flock(busy.fd, LOCK_UN) == 0);
	NEED(cgroup_gc(&place, 0) == 1);
	NEED(faccessat(place.fd, "cordon-" ID_A, F_OK, 0) < 0);
	NEED(faccessat(place.fd, "cordon-" ID_D, F_OK, 0) == 0);
	NEED(faccessat(place.fd, "cordon-" ID_B, F_OK, 0) == 0);
	NEED(faccessat(place.fd, "cordon-supervisor", F_OK, 0) == 0);
	NEED(faccessat(place.fd, "cordon-other", F_OK, 0) == 0);
	NEED(cgroup_gc(&place, 0) == 0);
	NEED(cgroup_end(&live, &err) == 0);
	NEED(cgroup_end(&busy, &err) == 0);
	NEED(waitpid(pid, NULL, 0) == pid);
	NEED(unlinkat(place.fd, "cordon-other", AT_REMOVEDIR) == 0);
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

/* A launch looks at a few, from a random one on: what is left goes in the end, and where there are
 * few, at once. */
static int collect_some(const struct delegation *d)
{
	struct cgroup_place place = CGROUP_PLACE_INIT;
	struct cgroup_limits limits = { 0 };
	struct cgroup live = CGROUP_INIT;
	struct err err = ERR_INIT;
	char name[32];
	int removed = 0;

	(void)d;
	NEED(cgroup_find(NULL, &place, &err) == 0);
	NEED(cgroup_gc(&place, 8) == 0);
	NEED(cgroup_make(&place, ID_D, &limits, &live, &err) == 0);
	for (int i = 0; i < 40; i++) {
		(void)snprintf(name, sizeof(name), "cordon-%016x", i);
		NEED(mkdirat(place.fd, name, 0755) == 0);
	}
	for (int i = 0; i < 2000 && removed < 40; i++) {
		int n = cgroup_gc(&place, 3);

		NEED(n >= 0 && n <= 3);
		removed += n;
	}
	NEED(removed == 40);
	for (int i = 0; i < 7; i++) {
		(void)snprintf(name, sizeof(name), "cordon-%016x", i);
		NEED(mkdirat(place.fd, name, 0755) == 0);
	}
	/* each of them may be looked at twice: from the random one on, and from the beginning */
	for (int i = 0; i < 2 && removed < 47; i++)
		removed += cgroup_gc(&place, 8);
	NEED(removed == 47);
	NEED(faccessat(place.fd, "cordon-" ID_D, F_OK, 0) == 0);
	NEED(cgroup_end(&live, &err) == 0);
	cgroup_place_done(&place);
	return 0;
}

static void test_gc_of_some_as_root(void **state)
{
	if (!*state)
		skip();
	assert_int_equal(in_delegation(*state, collect_some), 0);
}

static void count_found(void *ctx, const char *path)
{
	if (strstr(path, "/cordon-test."))
		++*(int *)ctx;
}

/* Everything of ours, wherever it is: leaves and scopes that nobody is in. */
static int collect_all(const struct delegation *d)
{
	static const char *const left[] = {
		"cordon-" ID_A,
		"cordon-deep.service",
		"cordon-deep.service/er",
		"cordon-deep.service/er/cordon-" ID_B,
		"cordon-" ID_C ".scope",
		"cordon-" ID_C ".scope/cordon-supervisor",
		"cordon-" ID_C ".scope/cordon-" ID_C,
		"cordon-" ID_D ".scope",
		"cordon-other.scope",
	};
	struct cgroup_place place = CGROUP_PLACE_INIT;
	struct cgroup_limits limits = { 0 };
	struct cgroup live = CGROUP_INIT;
	struct err err = ERR_INIT;
	int n = 0, fd;

	NEED(cgroup_find(NULL, &place, &err) == 0);
	for (size_t i = 0; i < ARRAY_SIZE(left); i++)
		NEED(mkdirat(d->fd, left[i], 0755) == 0);
	fd = openat(d->fd, "cordon-" ID_D ".scope/cgroup.procs", O_WRONLY | O_CLOEXEC);
	NEED(fd >= 0 && write(fd, "0", 1) == 1);
	(void)close(fd);
	NEED(cgroup_make(&place, ID_D, &limits, &live, &err) == 0);
	NEED(cgroup_gc_all(true, count_found, &n, &err) >= 5 && n == 5);
	NEED(faccessat(d->fd, "cordon-" ID_A, F_OK, 0) == 0);
	n = 0;
	NEED(cgroup_gc_all(false, count_found, &n, &err) >= 5 && n == 5);
	NEED(faccessat(d->fd, "cordon-" ID_A, F_OK, 0) < 0);
	NEED(faccessat(d->fd, "cordon-deep.service/er/cordon-" ID_B, F_OK, 0) < 0);
	NEED(faccessat(d->fd, "cordon-" ID_C ".scope", F_OK, 0) < 0);
	NEED(faccessat(d->fd, "cordon-" ID_D ".scope", F_OK, 0) == 0);
	NEED(faccessat(d->fd, "cordon-" ID_D, F_OK, 0) == 0);
	NEED(faccessat(d->fd, "cordon-deep.service/er", F_OK, 0) == 0);
	n = 0;
	NEED(cgroup_gc_all(false, count_found, &n, &err) >= 0 && n == 0);
	NEED(cgroup_end(&live, &err) == 0);
	fd = openat(d->fd, "cgroup.procs", O_WRONLY | O_CLOEXEC);
	NEED(fd >= 0 && write(fd, "0", 1) == 1);
	(void)close(fd);
	NEED(unlinkat(d->fd, "cordon-" ID_D ".scope", AT_REMOVEDIR) == 0);
	NEED(unlinkat(d->fd, "cordon-other.scope", AT_REMOVEDIR) == 0);
	NEED(unlinkat(d->fd, "cordon-deep.service/er", AT_REMOVEDIR) == 0);
	NEED(unlinkat(d->fd, "cordon-deep.service", AT_REMOVEDIR) == 0);
	cgroup_place_done(&place);
	return 0;
}

static void test_gc_of_all_as_root(void **state)
{
	if (!*state)
		skip();
	assert_int_equal(in_delegation(*state, collect_all), 0);
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
	NEED(cgroup_find(NULL, &place, &err) == 0);
	NEED(strcmp(place.path, d->dir) == 0 && !place.inside && !place.crowded);
	cgroup_place_done(&place);
	/* a manager appears: its tree is its own */
	NEED(mkdirat(d->fd, "init.scope", 0755) == 0);
	NEED(cgroup_find(NULL, &place, &err) == -EACCES);
	NEED(strstr(err.hint, "Delegate=yes"));
	/* what it has just handed over is ours by its name, even where nothing marks it */
	NEED(mkdirat(d->fd, "cordon-x.scope", 0755) == 0);
	fd = openat(d->fd, "cordon-x.scope/cgroup.procs", O_WRONLY | O_CLOEXEC);
	NEED(fd >= 0 && write(fd, "0", 1) == 1);
	(void)close(fd);
	NEED(cgroup_find("cordon-y.scope", &place, &err) == -EACCES);
	NEED(cgroup_find("cordon-x.scope", &place, &err) == 0);
	NEED(strcmp(strrchr(place.path, '/'), "/cordon-x.scope") == 0 && place.inside);
	cgroup_place_done(&place);
	NEED(unlinkat(d->fd, "init.scope", AT_REMOVEDIR) == 0);
	/* back into the node, so that the leaf can be removed */
	fd = openat(d->fd, "cgroup.procs", O_WRONLY | O_CLOEXEC);
	NEED(fd >= 0 && write(fd, "0", 1) == 1);
	(void)close(fd);
	NEED(unlinkat(d->fd, "cordon-supervisor", AT_REMOVEDIR) == 0);
	NEED(unlinkat(d->fd, "cordon-x.scope", AT_REMOVEDIR) == 0);
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
		cmocka_unit_test(test_obtainable),
		cmocka_unit_test(test_find_here),
		cmocka_unit_test(test_bad_id),
		AS_ROOT(test_make_and_end_as_root),
		AS_ROOT(test_crowded_place_as_root),
		AS_ROOT(test_threaded_root_as_root),
		AS_ROOT(test_gc_as_root),
		AS_ROOT(test_gc_of_some_as_root),
		AS_ROOT(test_gc_of_all_as_root),
		AS_ROOT(test_place_rules_as_root),
	};

	return cmocka_run_group_tests_name("cgroup", tests, NULL, NULL);
}
