// SPDX-License-Identifier: Apache-2.0
/* Sinks that work, fill up, break and die: the policy is enforced all the same, and what was not
 * taken is told to the last record. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "audit/place.h"
#include "audit/record.h"
#include "audit/state.h"
#include "audit/verify.h"
#include "base/fd.h"

static char dir[64];

static int setup(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/cordon-sink-XXXXXX");
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	char cmd[128];

	(void)state;
	(void)snprintf(cmd, sizeof(cmd), "rm -rf '%s'", dir);
	return system(cmd);
}

static const char *in_dir(const char *name)
{
	static char path[4][128];
	static unsigned turn;
	char *p = path[turn++ % 4];

	(void)snprintf(p, 128, "%s/%s", dir, name);
	return p;
}

static const struct audit_start start = { .sandbox = "00000000000000c0", .policy = "p" };

static struct audit *begin(const char *const *specs, size_t n)
{
	struct err err = ERR_INIT;
	struct audit *audit = NULL;

	if (audit_new(specs, n, &audit, &err) < 0 || audit_begin(audit, &start, &err) < 0)
		print_message("%s\n", err.msg);
	assert_int_equal(err.code, 0);
	return audit;
}

/* Different calls, so that each is a record of its own; written out each time. */
static void deny(struct audit *audit, unsigned n)
{
	struct seccomp_notif notif = { .pid = 0 };
	struct audit_denial d = { .notif = &notif,
				  .notify_fd = -1,
				  .file = "x.policy",
				  .line = 9,
				  .errno_value = EPERM };

	for (unsigned i = 0; i < n; i++) {
		d.nr = syscall_by_name("mount")->nr[ABI_NATIVE];
		d.rule = i;
		audit_denial(audit, &d);
	}
	audit->queued_ms = 0; /* the batch is due */
	audit_tick(audit);
}

static void end(struct audit *audit, struct audit_totals *totals)
{
	const struct audit_end how = { .started = true };

	audit_end(audit, &how, totals);
	audit_free(audit);
}

static void copy_to_file(const char *name, const char *text, size_t len)
{
	_cleanup_close_ int fd = open(in_dir(name), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	assert_int_equal(fd_write_all(fd, text, len), 0);
}

/* A log that came through a descriptor: whole, and accounting for what is expected. */
static void judge(const char *name, uint64_t denials, uint64_t lost)
{
	struct verify_result v;

	assert_int_equal(verify_path(in_dir(name), &v, NULL), 0);
	if (v.kind != VERIFY_WHOLE)
		print_message("line %llu: %s\n", (unsigned long long)v.line, v.text);
	assert_int_equal(v.kind, VERIFY_WHOLE);
	assert_int_equal(v.denials, denials);
	assert_int_equal(v.lost, lost);
	assert_int_equal(v.unclosed, 0);
}

static void fd_through_a_pipe(void **state)
{
	static char text[65536];
	char spec[32];
	const char *specs[] = { spec };
	struct audit *audit;
	struct audit_totals totals;
	int p[2], flags;
	ssize_t n;

	(void)state;
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	(void)snprintf(spec, sizeof(spec), "fd:%d", p[1]);
	flags = fcntl(p[1], F_GETFL);
	audit = begin(specs, 1);
	assert_int_equal(fcntl(p[1], F_GETFL), flags); /* the caller's end still blocks */
	deny(audit, 5);
	end(audit, &totals);
	assert_int_equal(totals.lost, 0);
	n = read(p[0], text, sizeof(text));
	assert_true(n > 0);
	copy_to_file("pipe", text, (size_t)n);
	judge("pipe", 5, 0);
	(void)close(p[0]);
	(void)close(p[1]);
}

/* Nobody reads for a while: 64 KiB fit, the rest is told as lost once there is room again. */
static void fd_that_fills_up(int p[2])
{
	static char text[1 << 20];
	char spec[32];
	const char *specs[] = { spec };
	size_t len = 0, lost;
	struct audit *audit;
	struct audit_totals totals;
	ssize_t n;

	(void)snprintf(spec, sizeof(spec), "fd:%d", p[1]);
	audit = begin(specs, 1);
	deny(audit, 700);
	assert_in_range(audit->sink[0].lost_denials, 1, 699);
	lost = audit->sink[0].lost_denials;
	while ((n = recv(p[0], text + len, sizeof(text) - len, MSG_DONTWAIT)) > 0 ||
	       (n < 0 && errno == ENOTSOCK && (n = read(p[0], text + len, sizeof(text) - len)) > 0))
		len += (size_t)n;
	deny(audit, 3);
	end(audit, &totals);
	(void)close(p[1]);
	assert_int_equal(totals.lost, lost);
	while ((n = read(p[0], text + len, sizeof(text) - len)) > 0)
		len += (size_t)n;
	(void)close(p[0]);
	copy_to_file("full-fd", text, len);
	judge("full-fd", 703, lost);
	assert_int_equal(unlink(in_dir("full-fd")), 0);
}

static void a_pipe_and_a_socket_that_fill_up(void **state)
{
	int p[2];

	(void)state;
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	(void)fcntl(p[0], F_SETFL, O_NONBLOCK);
	fd_that_fills_up(p);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, p), 0);
	fd_that_fills_up(p);
}

/* The reader went away: no signal, no end, and the other sink has everything. */
static void a_dead_reader_is_told_to_the_others(void **state)
{
	char file[160], fd[32];
	const char *specs[] = { file, fd };
	struct audit_totals totals;
	struct audit *audit;
	_cleanup_free_ char *text = NULL;
	size_t len;
	int p[2];

	(void)state;
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	(void)snprintf(file, sizeof(file), "file:%s", in_dir("both"));
	(void)snprintf(fd, sizeof(fd), "fd:%d", p[1]);
	audit = begin(specs, 2);
	(void)close(p[0]);
	deny(audit, 4);
	end(audit, &totals);
	(void)close(p[1]);
	assert_int_equal(totals.denials, 4);
	assert_int_equal(totals.lost, 5); /* four denials and the closing record */
	judge("both", 4, 0);
	assert_int_equal(fd_read_file_at(AT_FDCWD, in_dir("both"), 1 << 20, &text, &len), 0);
	assert_non_null(strstr(text, "\"other_sinks\":4"));
}

static void a_full_file_system_is_told(void **state)
{
	char file[160];
	const char *specs[] = { file };
	struct audit_totals totals;
	struct rlimit old, tight;
	struct audit *audit;
	uint64_t lost;
	struct stat st;

	(void)state;
	(void)snprintf(file, sizeof(file), "file:%s", in_dir("limit"));
	audit = begin(specs, 1);
	deny(audit, 2);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(stat(in_dir("limit"), &st), 0);
	tight = old;
	tight.rlim_cur = (rlim_t)st.st_size + 1200;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
	deny(audit, 10);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	lost = audit->sink[0].lost_denials;
	assert_in_range(lost, 7, 9);
	deny(audit, 1);
	end(audit, &totals);
	assert_int_equal(totals.lost, lost);
	judge("limit", 13, lost);
}

static size_t count_of(const char *name, const char *what)
{
	_cleanup_free_ char *text = NULL;
	size_t len, n = 0;

	assert_int_equal(fd_read_file_at(AT_FDCWD, in_dir(name), 1 << 20, &text, &len), 0);
	for (const char *p = text; (p = strstr(p, what)); p++)
		n++;
	return n;
}

/* What is left of a full file's last block may take the record of the loss, and nothing more: it
 * is not told before there is room for the next batch, too. */
static void an_outage_is_told_once(void **state)
{
	char file[160];
	const char *specs[] = { file };
	struct rlimit old, tight;

	(void)state;
	(void)snprintf(file, sizeof(file), "file:%s", in_dir("once"));
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	for (rlim_t left = 0; left < 2000; left += 50) {
		struct audit *audit = begin(specs, 1);
		struct stat st;
		uint64_t lost;

		deny(audit, 2);
		assert_int_equal(stat(in_dir("once"), &st), 0);
		tight = old;
		tight.rlim_cur = (rlim_t)st.st_size + left;
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
		for (unsigned i = 0; i < 3; i++)
			deny(audit, 10);
		lost = audit->sink[0].lost_denials;
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
		deny(audit, 10);
		end(audit, NULL);
		assert_int_equal(count_of("once", "\"type\":\"lost\""), 1);
		assert_int_equal(count_of("once", "\"why\":\"EFBIG\""), 1);
		judge("once", 42, lost);
		assert_int_equal(unlink(in_dir("once")), 0);
		assert_int_equal(unlink(in_dir("once.head")), 0);
	}
}

/* Another process holds the log's lock: what the queue has room for is written when it is let go,
 * and the other sink has each record once and at once. */
static void a_locked_log_is_waited_for(void **state)
{
	static char text[1 << 20];
	char file[160], fd[32];
	const char *specs[] = { file, fd };
	_cleanup_close_ int lock = -1;
	struct audit_totals totals;
	struct audit *audit;
	uint64_t lost;
	size_t len = 0;
	int p[2];

	(void)state;
	assert_int_equal(pipe2(p, O_CLOEXEC | O_NONBLOCK), 0);
	assert_true(fcntl(p[1], F_SETPIPE_SZ, 1 << 20) > 0);
	(void)snprintf(file, sizeof(file), "file:%s", in_dir("locked"));
	(void)snprintf(fd, sizeof(fd), "fd:%d", p[1]);
	audit = begin(specs, 2);
	lock = open(in_dir("locked.head"), O_RDONLY | O_CLOEXEC);
	for (unsigned round = 1; round <= 2; round++) {
		assert_int_equal(flock(lock, LOCK_EX), 0);
		deny(audit, 20);
		deny(audit, 5);
		assert_true(audit->sink[0].contended);
		assert_in_range(audit_timeout_ms(audit), 0, STATE_BATCH_MS);
		assert_int_equal(count_of("locked", "\"type\":\"denial\""), (round - 1) * 25);
		len += (size_t)read(p[0], text + len, sizeof(text) - len);
		copy_to_file("locked-fd", text, len);
		assert_int_equal(count_of("locked-fd", "\"type\":\"denial\""), round * 25);
		assert_int_equal(flock(lock, LOCK_UN), 0);
		deny(audit, 0);
		assert_int_equal(count_of("locked", "\"type\":\"denial\""), round * 25);
		assert_int_equal(audit->sink[0].all_lost_records, 0);
	}
	/* for longer than the queue has room: one outage */
	assert_int_equal(flock(lock, LOCK_EX), 0);
	for (unsigned i = 0; i < 30; i++)
		deny(audit, 10);
	lost = audit->sink[0].lost_denials;
	assert_in_range(lost, 1, 300);
	assert_int_equal(flock(lock, LOCK_UN), 0);
	deny(audit, 3);
	end(audit, &totals);
	assert_int_equal(totals.n_loss, 1);
	assert_int_equal(totals.loss[0].denials, lost);
	assert_int_equal(count_of("locked", "\"type\":\"lost\""), 1);
	assert_int_equal(count_of("locked", "\"why\":\"ETIMEDOUT\""), 1);
	judge("locked", 353, lost);
	len += (size_t)read(p[0], text + len, sizeof(text) - len);
	copy_to_file("locked-fd", text, len);
	judge("locked-fd", 353, 0);
	(void)close(p[0]);
	(void)close(p[1]);
}

static bool put_text(const char *path, const char *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && fd_write_all(fd, text, strlen(text)) == 0;
}

/* A namespace where the tmpfs can be mounted and has owners. */
static bool own_mounts(void)
{
	char uids[32], gids[32];

	(void)snprintf(uids, sizeof(uids), "0 %u 1", geteuid());
	(void)snprintf(gids, sizeof(gids), "0 %u 1", getegid());
	return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 && put_text("/proc/self/uid_map", uids) &&
	       put_text("/proc/self/setgroups", "deny") && put_text("/proc/self/gid_map", gids) &&
	       mkdir(in_dir("disk"), 0700) == 0 &&
	       mount("tmpfs", in_dir("disk"), "tmpfs", 0, "size=65536") == 0;
}

/* A real one: a tmpfs of 64 KiB in a namespace of our own. The child's status tells. */
static int on_a_tiny_disk(void)
{
	char file[160];
	const char *specs[] = { file };
	struct audit_totals totals;
	struct verify_result v;
	struct audit *audit;

	if (!own_mounts())
		return 77;
	(void)snprintf(file, sizeof(file), "file:%s", in_dir("disk/log"));
	/* No assertion here: the library would go on with the other tests in this process. */
	if (audit_new(specs, 1, &audit, NULL) < 0 || audit_begin(audit, &start, NULL) < 0)
		return 4;
	deny(audit, 500);
	if (audit->sink[0].lost_denials == 0)
		return 1;
	/* Somebody makes room: the log goes on, and says how many are missing. */
	if (mount(NULL, in_dir("disk"), NULL, MS_REMOUNT, "size=1048576") < 0)
		return 2;
	end(audit, &totals);
	if (verify_path(in_dir("disk/log"), &v, NULL) < 0 || v.kind != VERIFY_WHOLE)
		return 5;
	return v.denials == 500 && v.lost == totals.lost && v.lost > 0 ? 0 : 3;
}

static void a_full_disk(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	if (pid == 0)
		_exit(on_a_tiny_disk());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
}

/* stderr, as a person sees it. */
static void lines_for_people(void **state)
{
	const char *specs[] = { "stderr" };
	char text[8192] = "", want[256];
	struct audit *audit;
	int p[2], saved = dup(STDERR_FILENO);
	ssize_t n;

	(void)state;
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	assert_int_equal(dup2(p[1], STDERR_FILENO), STDERR_FILENO);
	audit = begin(specs, 1);
	deny(audit, 1);
	audit_limit(audit, "wall", "the wall clock limit of 1 s\x1b[31m was reached", 0);
	end(audit, NULL);
	(void)dup2(saved, STDERR_FILENO);
	(void)close(saved);
	(void)close(p[1]);
	n = read(p[0], text, sizeof(text) - 1);
	(void)close(p[0]);
	assert_true(n > 0);
	(void)snprintf(want, sizeof(want), "cordon: denied mount(0) by x.policy:9: EPERM");
	assert_non_null(strstr(text, "cordon: denied mount("));
	assert_non_null(strstr(text, " by x.policy:9: EPERM"));
	assert_non_null(strstr(text, "cordon: limit: the wall clock limit of 1 s\\x1b[31m was"));
	assert_null(strchr(text, '\x1b')); /* no terminal, no colour */
	assert_null(strchr(text, '\r'));
}

static int refused(const char *spec, struct err *err)
{
	struct audit *audit = NULL;
	int r;

	*err = ERR_INIT;
	r = audit_new(&spec, 1, &audit, err);
	if (r == 0) {
		r = audit_begin(audit, &start, err);
		audit_free(audit);
	}
	return r;
}

static void what_is_refused(void **state)
{
	struct err err;
	char spec[160];
	int p[2];

	(void)state;
	assert_int_equal(refused("journald", &err), -EINVAL);
	assert_non_null(strstr(err.hint, "fd:N"));
	assert_int_equal(refused("file:", &err), -EINVAL);
	assert_int_equal(refused("fd:", &err), -EINVAL);
	assert_int_equal(refused("fd:1x", &err), -EINVAL);
	assert_int_equal(refused("fd:99999999999", &err), -EINVAL);
	assert_int_equal(refused("fd:999", &err), -EBADF);
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	(void)snprintf(spec, sizeof(spec), "fd:%d", p[0]);
	assert_int_equal(refused(spec, &err), -EBADF);
	/* Fail closed: a sink that cannot take the opening record. */
	(void)close(p[0]);
	(void)snprintf(spec, sizeof(spec), "fd:%d", p[1]);
	assert_int_equal(refused(spec, &err), -EPIPE);
	(void)close(p[1]);
	assert_int_equal(refused("file:/dev/full", &err), -EINVAL);
	assert_int_equal(refused("file:/nonexistent/log", &err), -ENOENT);
}

/* A log that may be read only, as an ordinary user would have it. */
static int try_read_only(void)
{
	_cleanup_close_ int fd = open(in_dir("ro"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	struct err err;
	char spec[160];

	if (geteuid() == 0 &&
	    (fchown(fd, 65534, 65534) < 0 || chmod(dir, 0755) < 0 ||
	     setresgid(65534, 65534, 65534) < 0 || setresuid(65534, 65534, 65534) < 0))
		return 1;
	if (fchmod(fd, 0400) < 0)
		return 2;
	(void)snprintf(spec, sizeof(spec), "file:%s", in_dir("ro"));
	return refused(spec, &err) == -EACCES && strstr(err.msg, in_dir("ro")) ? 0 : 3;
}

static void a_read_only_log(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	if (pid == 0)
		_exit(try_read_only());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void the_default_place(void **state)
{
	struct audit *audit;
	char want[128], path[LIMIT_PATH];
	struct err err = ERR_INIT;
	struct stat st;

	(void)state;
	assert_int_equal(setenv("HOME", in_dir("home"), 1), 0);
	assert_int_equal(unsetenv("XDG_STATE_HOME"), 0);
	assert_int_equal(place_default(path, sizeof(path), &err), 0);
	(void)snprintf(want, sizeof(want), "%s/.local/state/cordon/audit.jsonl", in_dir("home"));
	assert_string_equal(path, want);
	assert_int_equal(setenv("XDG_STATE_HOME", "relative", 1), 0); /* invalid by its standard */
	assert_int_equal(place_default(path, sizeof(path), &err), 0);
	assert_string_equal(path, want);
	assert_int_equal(mkdir(in_dir("home"), 0755), 0);
	assert_int_equal(setenv("XDG_STATE_HOME", in_dir("home/state"), 1), 0);
	audit = begin(NULL, 0);
	end(audit, NULL);
	assert_int_equal(stat(in_dir("home/state/cordon"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(stat(in_dir("home/state/cordon/audit.jsonl"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(unsetenv("XDG_STATE_HOME"), 0);
	assert_int_equal(unsetenv("HOME"), 0);
	assert_int_equal(place_default(path, sizeof(path), &err), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fd_through_a_pipe),
		cmocka_unit_test(a_pipe_and_a_socket_that_fill_up),
		cmocka_unit_test(a_dead_reader_is_told_to_the_others),
		cmocka_unit_test(a_full_file_system_is_told),
		cmocka_unit_test(an_outage_is_told_once),
		cmocka_unit_test(a_locked_log_is_waited_for),
		cmocka_unit_test(a_full_disk),
		cmocka_unit_test(lines_for_people),
		cmocka_unit_test(what_is_refused),
		cmocka_unit_test(a_read_only_log),
		cmocka_unit_test(the_default_place),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
