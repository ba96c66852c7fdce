// SPDX-License-Identifier: Apache-2.0
/* What our own programs give up, the supervisor and the readers: what they do all day works
 * under it, and what only somebody else would do ends the process or fails. Each attempt is made
 * without it, too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"
#include "cli/confine.h"
#include "sandbox/confine.h"

enum { PAGE = 4096, NOT_CONFINED = 99 };
enum who { NOBODY, SUPERVISOR, READER, PRINTER };

/* What the reader was told to write, and what it was not. */
static char out_path[64], other_path[64];

static long go_exec(void)
{
	char *const argv[] = { (char *)(uintptr_t) "true", NULL };

	return execv("/bin/true", argv);
}

static long go_fork(void)
{
	long pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	if (pid == 0)
		_exit(0);
	return pid;
}

static long go_map_code(void)
{
	return mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
			       MAP_FAILED
		       ? -1
		       : 0;
}

static long go_make_code(void)
{
	void *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? 0 : mprotect(p, PAGE, PROT_READ | PROT_EXEC);
}

static long go_trace(void)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static long go_unshare(void)
{
	return unshare(CLONE_FILES);
}

static long go_internet(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

static long go_listen(void)
{
	return listen(socket(AF_UNIX, SOCK_STREAM, 0), 1) == 0 || errno == EINVAL ? 0 : -1;
}

static long go_set_ids(void)
{
	return setuid(getuid());
}

static long go_log(void)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	return fd < 0 ? 0 : write(fd, "x\n", 2) == 2 && fdatasync(fd) == 0 ? close(fd) : -1;
}

static long go_read_memory(void)
{
	char from = 'x', to = 0;
	struct iovec local = { &to, 1 }, remote = { &from, 1 };

	return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == 1 && to == 'x' ? 0 : -1;
}

static long go_receiver(void)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return fd < 0 ? -1 : close(fd);
}

static long go_allocate(void)
{
	void *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? -1 : munmap(p, PAGE);
}

static long write_to(const char *path, int flags)
{
	int fd = open(path, flags | O_WRONLY | O_CLOEXEC, 0600);

	return fd < 0 ? -1 : write(fd, "x\n", 2) == 2 ? close(fd) : -1;
}

static long go_write_out(void)
{
	return write_to(out_path, O_CREAT | O_TRUNC);
}

static long go_write_other(void)
{
	return write_to(other_path, 0);
}

static long go_remove(void)
{
	return unlink(other_path) == 0 ? write_to(other_path, O_CREAT) : -1;
}

static long go_read_other(void)
{
	char byte;
	int fd = open(other_path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -1 : read(fd, &byte, 1) == 1 ? close(fd) : -1;
}

static long go_list(void)
{
	int fd = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char entries[512];

	return fd < 0							   ? -1
	       : syscall(SYS_getdents64, fd, entries, sizeof(entries)) > 0 ? close(fd)
									   : -1;
}

static int confine(enum who who, struct err *err)
{
	if (who == SUPERVISOR)
		return confine_supervisor(&supervisor_program, err);
	if (who == NOBODY)
		return 0;
	return confine_reader(&reader_program, who == READER ? out_path : NULL, err);
}

/* How a child that makes the attempt ends: 0 it worked, an errno, or 128 and the signal. */
static int attempt(long (*go)(void), enum who who)
{
	struct err err = ERR_INIT;
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		if (confine(who, &err) < 0)
			_exit(NOT_CONFINED);
		errno = 0;
		_exit(go() >= 0 ? 0 : errno);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void test_what_is_refused(void **state)
{
	static const struct {
		long (*go)(void);
		int how;
	} tries[] = {
		{ go_exec, 128 + SIGSYS },     { go_fork, 128 + SIGSYS },
		{ go_map_code, 128 + SIGSYS }, { go_make_code, 128 + SIGSYS },
		{ go_trace, 128 + SIGSYS },    { go_unshare, 128 + SIGSYS },
		{ go_internet, EPERM },	       { go_listen, EPERM },
		{ go_set_ids, EPERM },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(tries); i++) {
		assert_int_equal(attempt(tries[i].go, SUPERVISOR), tries[i].how);
		assert_int_equal(attempt(tries[i].go, NOBODY), 0);
	}
}

static void test_what_works(void **state)
{
	static long (*const tries[])(void) = { go_log, go_read_memory, go_receiver, go_allocate };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(tries); i++)
		assert_int_equal(attempt(tries[i], SUPERVISOR), 0);
}

static int make_files(void **state)
{
	(void)state;
	(void)snprintf(out_path, sizeof(out_path), "/tmp/test_confine.%d.d", (int)getpid());
	if (mkdir(out_path, 0700) < 0)
		return -1;
	(void)snprintf(out_path, sizeof(out_path), "/tmp/test_confine.%d.d/out", (int)getpid());
	(void)snprintf(other_path, sizeof(other_path), "/tmp/test_confine.%d.x", (int)getpid());
	return (int)write_to(other_path, O_CREAT);
}

static int remove_files(void **state)
{
	(void)state;
	(void)unlink(out_path);
	(void)unlink(other_path);
	*strrchr(out_path, '/') = '\0';
	return rmdir(out_path);
}

/* Files are Landlock's, where the kernel has it. */
static void test_the_reader(void **state)
{
	const bool files = sys_landlock_abi() > 0;
	const struct {
		long (*go)(void);
		int how;
	} tries[] = {
		{ go_exec, 128 + SIGSYS },
		{ go_fork, 128 + SIGSYS },
		{ go_map_code, 128 + SIGSYS },
		{ go_make_code, 128 + SIGSYS },
		{ go_trace, 128 + SIGSYS },
		{ go_unshare, 128 + SIGSYS },
		{ go_internet, 128 + SIGSYS },
		{ go_receiver, 128 + SIGSYS },
		{ go_read_memory, 128 + SIGSYS },
		{ go_set_ids, EPERM },
		{ go_remove, EPERM },
		{ go_write_other, files ? EACCES : 0 },
	};
	static long (*const works[])(void) = { go_write_out, go_write_out, go_read_other, go_list,
					       go_allocate };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(tries); i++) {
		assert_int_equal(attempt(tries[i].go, READER), tries[i].how);
		assert_int_equal(attempt(tries[i].go, NOBODY), 0);
	}
	/* the file that is to be made, and the one that is there */
	for (size_t i = 0; i < ARRAY_SIZE(works); i++)
		assert_int_equal(attempt(works[i], READER), 0);
}

/* What reads recordings and programs was told of no file to write. */
static void test_the_reader_that_prints(void **state)
{
	const bool files = sys_landlock_abi() > 0;
	const struct {
		long (*go)(void);
		int how;
	} tries[] = {
		{ go_exec, 128 + SIGSYS },
		{ go_fork, 128 + SIGSYS },
		{ go_make_code, 128 + SIGSYS },
		{ go_internet, 128 + SIGSYS },
		{ go_remove, EPERM },
		{ go_write_other, files ? EACCES : 0 },
		{ go_write_out, files ? EACCES : 0 },
	};
	static long (*const works[])(void) = { go_read_other, go_list, go_allocate };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(tries); i++) {
		assert_int_equal(attempt(tries[i].go, PRINTER), tries[i].how);
		assert_int_equal(attempt(tries[i].go, NOBODY), 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(works); i++)
		assert_int_equal(attempt(works[i], PRINTER), 0);
}

static void test_it_is_in_force(void **state)
{
	static const struct sock_filter let_all[] = { BPF_STMT(BPF_RET | BPF_K, 0x7fff0000) };
	static const struct program open = { let_all, 1 };
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		struct err err = ERR_INIT;

		/* A filter that is not ours lets the probe's number through to ENOSYS. */
		_exit(confine_supervisor(&open, &err) == -EPROTO ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

struct apart {
	int fd, ends; /* 256 and a signal */
};

static int write_and_end(void *context)
{
	const struct apart *apart = context;

	(void)dprintf(apart->fd, "read");
	if (apart->ends >= 256)
		(void)raise(apart->ends - 256);
	return apart->ends;
}

static void test_apart(void **state)
{
	static const struct {
		int ends;
		const char *error; /* NULL: taken as it is */
	} ends[] = {
		{ 0, NULL },
		{ 1, NULL },
		{ CONFINE_FAILED, NULL },
		{ 2, "read the thing: what reads it ended with status 2" },
		{ 255, "read the thing: what reads it ended with status 255" },
		{ 256 + SIGKILL, "read the thing: what reads it was ended by signal 9" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		_cleanup_close_ int fd = memfd_create("taken", MFD_CLOEXEC);
		struct apart apart = { .fd = fd, .ends = ends[i].ends };
		_cleanup_free_ char *text = NULL;
		struct err err = ERR_INIT;
		int status = -1, r;
		size_t len;

		r = confine_apart(write_and_end, &apart, "thing", &status, &err);
		assert_int_equal(r < 0, ends[i].error != NULL);
		if (ends[i].error)
			assert_string_equal(err.msg, ends[i].error);
		else
			assert_int_equal(status, ends[i].ends);
		assert_int_equal(confine_take(fd, 3, &text, &len), -EFBIG);
		assert_int_equal(confine_take(fd, 4, &text, &len), 0);
		assert_int_equal(len, 4);
		assert_string_equal(text, "read");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_refused),	       cmocka_unit_test(test_what_works),
		cmocka_unit_test(test_it_is_in_force),	       cmocka_unit_test(test_the_reader),
		cmocka_unit_test(test_the_reader_that_prints), cmocka_unit_test(test_apart),
	};
	return cmocka_run_group_tests(tests, make_files, remove_files);
}
