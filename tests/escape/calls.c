// SPDX-License-Identifier: Apache-2.0
/* S1 to S16: the call filter, and what would go past it. */
#include <dirent.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/io_uring.h>
#include <linux/keyctl.h>
#include <linux/landlock.h>
#include <linux/perf_event.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/reboot.h>
#include <sys/swap.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/escape/probe.h"

static char scratch[65536];

/* S1: what the status of each task says; must: it is there as long as we look. */
static struct answer look_at_tasks(pid_t pid, bool must)
{
	char path[300], text[16];
	struct answer a = hidden();
	DIR *dir;
	int n = 0;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	if (!dir)
		return refused();
	for (struct dirent *e; a.outcome != DONE && (e = readdir(dir));) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%s/status", pid, e->d_name);
		if (!status_field(path, "Seccomp", text, sizeof(text)))
			continue; /* it has ended */
		n++;
		if (strcmp(text, "2") != 0)
			a = done("%.100s: mode %s", path, text);
	}
	closedir(dir);
	return n == 0 && must ? done("no task of %d was seen", pid) : a;
}

static int spin(void *stop)
{
	while (!*(volatile int *)stop)
		;
	syscall(SYS_exit, 0);
	return 0;
}

/* Its own, one of which is young; arg[0]: pid 1's. */
static struct answer go_thread_filter(const struct point *p)
{
	static _Alignas(16) char stack[65536];
	static volatile int stop;
	static int exists;
	const int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
			  CLONE_SYSVSEM | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
	struct answer a;

	if (p->arg[0])
		return look_at_tasks(world.init, true);
	stop = 0;
	if (clone(spin, stack + sizeof(stack), flags, (void *)(unsigned long)&stop, &exists, NULL,
		  &exists) < 0)
		return refused();
	a = look_at_tasks(getpid(), true);
	stop = 1;
	/* the kernel clears it when the thread is gone */
	for (int i = 0; i < 2000 && *(volatile int *)&exists; i++)
		usleep(1000);
	return a;
}

/* Every process that can be seen. */
static struct answer go_process_filter(const struct point *p)
{
	struct answer a = hidden();
	DIR *dir = opendir("/proc");

	(void)p;
	if (!dir)
		return refused();
	for (struct dirent *e; a.outcome != DONE && (e = readdir(dir));) {
		if (e->d_name[0] >= '1' && e->d_name[0] <= '9')
			a = look_at_tasks(atoi(e->d_name), false);
	}
	closedir(dir);
	return a;
}

/* S4: an entry of another ABI */
static struct answer go_int80(const struct point *p)
{
#ifdef __x86_64__
	long r;

	__asm__ volatile("int $0x80"
			 : "=a"(r)
			 : "a"(p->arg[0]), "b"(p->arg[1]), "c"(p->arg[2]), "d"(p->arg[3])
			 : "memory", "r8", "r9", "r10", "r11");
	errno = (int)-r;
	return by_result(r < 0 && r > -4096 ? -1 : 0, "a 32-bit call worked");
#else
	(void)p;
	return hidden();
#endif
}

/* A whole program of i386: exit(42). */
static struct answer go_i386_program(const struct point *p)
{
	static const unsigned char image[] = {
		0x7f,
		'E',
		'L',
		'F',
		1,
		1,
		1,
		0,
		0,
		0,
		0,
		0,
		0,
		0,
		0,
		0,
		2,
		0,
		3,
		0,
		1,
		0,
		0,
		0,
		0x54,
		0x80,
		0x04,
		0x08,
		0x34,
		0,
		0,
		0,
		0,
		0,
		0,
		0,
		0,
		0,
		0,
		0,
		0x34,
		0,
		0x20,
		0,
		1,
		0,
		0,
		0,
		0,
		0,
		0,
		0,
		1,
		0,
		0,
		0,
		0,
		0,
		0,
		0,
		0,
		0x80,
		0x04,
		0x08,
		0,
		0x80,
		0x04,
		0x08,
		0x60,
		0,
		0,
		0,
		0x60,
		0,
		0,
		0,
		5,
		0,
		0,
		0,
		0,
		0x10,
		0,
		0,
		/* mov $42,%ebx; mov $1,%eax; int $0x80 */
		0xbb,
		42,
		0,
		0,
		0,
		0xb8,
		1,
		0,
		0,
		0,
		0xcd,
		0x80,
	};
	const char *path = make_file("i386", "");
	int fd = open(path, O_WRONLY | O_CLOEXEC), status;
	pid_t pid;

	(void)p;
	if (fd < 0 || write(fd, image, sizeof(image)) != (ssize_t)sizeof(image) ||
	    fchmod(fd, 0755) < 0)
		return refused();
	close(fd);
	pid = fork();
	if (pid < 0)
		return refused();
	if (pid == 0) {
		execl(path, path, (char *)NULL);
		_exit(errno & 0x7f);
	}
	waitpid(pid, &status, 0);
	unlink(path);
	if (WIFSIGNALED(status))
		return (struct answer){ .outcome = DENIED, .error = -WTERMSIG(status) };
	errno = WEXITSTATUS(status);
	return errno == 42 ? done("it ran to its end") : refused();
}

/* S5: a ring, and a call that is made by it */
static struct answer go_ring(const struct point *p)
{
	static struct io_uring_params params;
	int fd;

	memset(&params, 0, sizeof(params));
	params.flags = (unsigned)p->arg[0];
	fd = (int)syscall(SYS_io_uring_setup, 4, &params);
	if (fd < 0)
		return refused();
	unsigned char *sq = mmap(NULL, params.sq_off.array + params.sq_entries * 4,
				 PROT_READ | PROT_WRITE, MAP_SHARED, fd, IORING_OFF_SQ_RING);
	unsigned char *cq =
		params.features & IORING_FEAT_SINGLE_MMAP
			? sq
			: mmap(NULL, params.cq_off.cqes + params.cq_entries * 16,
			       PROT_READ | PROT_WRITE, MAP_SHARED, fd, IORING_OFF_CQ_RING);
	struct io_uring_sqe *sqe = mmap(NULL, 4 * sizeof(*sqe), PROT_READ | PROT_WRITE, MAP_SHARED,
					fd, IORING_OFF_SQES);

	if (sq == MAP_FAILED || cq == MAP_FAILED || sqe == MAP_FAILED)
		return refused();
	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = IORING_OP_OPENAT;
	sqe->fd = AT_FDCWD;
	sqe->addr = (unsigned long)"/";
	sqe->open_flags = O_RDONLY | O_DIRECTORY;
	((unsigned *)(sq + params.sq_off.array))[0] = 0;
	__atomic_store_n((unsigned *)(sq + params.sq_off.tail), 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
		return refused();
	int r = ((struct io_uring_cqe *)(cq + params.cq_off.cqes))->res;

	errno = -r;
	return by_result(r < 0 ? -1 : 0, "a file was opened by a ring");
}

/* S10: a neighbour of one's own */
static struct answer go_neighbour(const struct point *p)
{
	struct iovec here = { scratch, 8 }, there = { scratch, 8 };
	pid_t pid = sleeper();
	struct answer a;
	long r = -1;

	/* who has no process beside it asks about itself, which the filter answers alike */
	if (pid < 0)
		pid = getpid();
	switch (p->arg[0]) {
	case SYS_ptrace:
		r = ptrace(PTRACE_SEIZE, pid, NULL, NULL);
		break;
	case SYS_process_vm_readv:
		r = process_vm_readv(pid, &here, 1, &there, 1, 0);
		break;
	case SYS_process_vm_writev:
		r = process_vm_writev(pid, &here, 1, &there, 1, 0);
		break;
	case SYS_kcmp:
		r = syscall(SYS_kcmp, pid, getpid(), 2 /* files */, 0, 0);
		break;
	case SYS_pidfd_getfd:
		r = syscall(SYS_pidfd_getfd, syscall(SYS_pidfd_open, pid, 0), 1, 0);
		break;
	case SYS_process_madvise:
		r = syscall(SYS_process_madvise, syscall(SYS_pidfd_open, pid, 0), &there, 1,
			    20 /* COLD */, 0);
		break;
	case SYS_move_pages:
		r = syscall(SYS_move_pages, pid, 0, NULL, NULL, NULL, 0);
		break;
	default:
		break;
	}
	a = by_result(r, "it worked on a neighbour");
	if (pid != getpid())
		end_child(pid);
	return a;
}

/* S14: a tracer replaces a permitted number at its entry. */
static struct answer go_replace_number(const struct point *p)
{
#ifdef __x86_64__
	struct user_regs_struct regs;
	int status;
	pid_t pid = fork();

	(void)p;
	if (pid < 0)
		return refused();
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
			_exit(errno & 0x7f);
		raise(SIGSTOP);
		/* becomes chroot("."), which fails otherwise than getppid */
		long r = syscall(SYS_getppid);

		_exit(r < 0 ? 100 : 101);
	}
	waitpid(pid, &status, 0);
	if (WIFEXITED(status)) {
		errno = WEXITSTATUS(status);
		return refused();
	}
	ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
	waitpid(pid, &status, 0);
	ptrace(PTRACE_GETREGS, pid, NULL, &regs);
	regs.orig_rax = SYS_getpid;
	ptrace(PTRACE_SETREGS, pid, NULL, &regs);
	ptrace(PTRACE_DETACH, pid, NULL, NULL);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == 101 ? done("the number was replaced")
							       : refused();
#else
	(void)p;
	return hidden();
#endif
}

/* S16: what a payload may do to itself */
static struct answer go_own_filter(const struct point *p)
{
	struct sock_filter insns[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
	struct sock_fprog prog = { 1, insns };

	/* outside it takes no_new_privs, which is set inside */
	if (world.twin)
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return by_result(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, p->arg[0], &prog),
			 "installed");
}

static struct answer go_own_landlock(const struct point *p)
{
	struct landlock_ruleset_attr attr = { .handled_access_fs = LANDLOCK_ACCESS_FS_MAKE_SOCK };
	int fd = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);

	(void)p;
	if (fd < 0)
		return refused();
	if (world.twin)
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return by_result(syscall(SYS_landlock_restrict_self, fd, 0), "restricted");
}

static struct perf_event_attr perf = { .type = PERF_TYPE_SOFTWARE,
				       .size = sizeof(perf),
				       .config = PERF_COUNT_SW_CPU_CLOCK,
				       .exclude_kernel = 1 };
static union bpf_attr bpf_map = {
	.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1
};
static struct timex no_adjustment = { .modes = ADJ_FREQUENCY };
static struct timex adjust = { .modes = ADJ_FREQUENCY };
static struct timespec epoch;

#define READ_IMPLIES 0x0400000
#define HIGH(v)	     ((long)((unsigned long)(v) | 1UL << 40))
#define MACHINE	     "it would change the machine that the test runs on"
#define NO_NUMBER    "no kernel has this number: outside it is ENOSYS too"
#define NO_IA32	     "the kernel has no 32-bit entry"
#define NO_CALL	     "the kernel lacks the call"
#define YAMA	     "kernel.yama.ptrace_scope keeps processes of one user apart"
#define CALL(id, name, twin_, ...)                                                                 \
	{                                                                                          \
		id, #name, go_call, twin_, .call = #name, .arg = { SYS_##name, __VA_ARGS__ }       \
	}
#define CALL_OR(id, name, twin_, why, ...)                                                         \
	{                                                                                          \
		id, #name, go_call, twin_, .unless = why, .call = #name,                           \
					   .arg = { SYS_##name,                                    \
						    __VA_ARGS__ }                                  \
	}
#define HARM(id, name, ...)                                                                        \
	{                                                                                          \
		id, #name, go_call, TWIN_NONE, .unless = MACHINE, .flags = HARMFUL, .call = #name, \
					       .arg = { SYS_##name,                                \
							__VA_ARGS__ }                              \
	}
#define NEIGHBOUR(name)                                                                            \
	{                                                                                          \
		"S10", #name, go_neighbour, .call = #name, .unless = YAMA, .arg = { SYS_##name }   \
	}
#define UNKNOWN(what, nr)                                                                          \
	{                                                                                          \
		"S2", what, go_call, TWIN_NONE, .unless = NO_NUMBER, .error = ENOSYS,              \
						.arg = { nr }                                      \
	}

static const struct point list[] = {
	{ "S1", "a thread without a filter", go_thread_filter },
	{ "S1", "a task of pid 1 without a filter", go_thread_filter, .arg = { 1 } },
	{ "S1", "a process without a filter", go_process_filter },
	UNKNOWN("call 600", 600),
	UNKNOWN("call 10000", 10000),
	UNKNOWN("call 2^30-1", 0x3fffffff),
	UNKNOWN("call -1", -1),
#ifdef __x86_64__
	{ "S3", "getpid of x32", go_call, .unless = "the kernel has no x32", .error = ENOSYS,
	  .arg = { 0x40000000 | SYS_getpid } },
	{ "S3", "execve of x32", go_call, TWIN_NONE, .unless = "the kernel has no x32",
	  .error = ENOSYS, .arg = { 0x40000000 | 520, P("/none"), 0, 0 } },
	{ "S3", "x32 with i386's number of unshare", go_call, TWIN_NONE,
	  .unless = "x32 has no call of this number: outside it is ENOSYS too", .error = ENOSYS,
	  .arg = { 0x40000000 | 310, CLONE_NEWUSER } },
	{ "S3", "x32 with a number of nobody's", go_call, TWIN_NONE, .unless = NO_NUMBER,
	  .error = ENOSYS, .arg = { 0x40000000 | 600 } },
#endif
	{ "S4", "getpid of i386 by int 0x80", go_int80, .unless = NO_IA32, .arg = { 20 } },
	{ "S4", "unshare of i386", go_int80, .unless = NO_IA32, .arg = { 310, CLONE_NEWUSER } },
	{ "S4", "keyctl of i386", go_int80, .unless = NO_IA32,
	  .arg = { 288, KEYCTL_GET_KEYRING_ID, KEY_SPEC_PROCESS_KEYRING, 1 } },
	{ "S4", "ptrace of i386", go_int80, .unless = NO_IA32, .arg = { 26, 0 } },
	{ "S4", "a program of i386", go_i386_program, .unless = NO_IA32 },
	{ "S5", "io_uring that opens a file", go_ring, .call = "io_uring_setup",
	  .unless = "kernel.io_uring_disabled is set" },
	{ "S5", "io_uring with a polling thread", go_ring, .arg = { IORING_SETUP_SQPOLL },
	  .unless = "kernel.io_uring_disabled is set" },
	CALL_OR("S5", io_uring_enter, TWIN_NONE, "it wants a ring, which is tried before", 0, 1, 0),
	CALL_OR("S5", io_uring_register, TWIN_NONE, "it wants a ring, which is tried before", 0),
	CALL("S6", add_key, TWIN_PLAIN, P("user"), P("cordon"), P("x"), 1,
	     KEY_SPEC_PROCESS_KEYRING),
	CALL("S6", keyctl, TWIN_PLAIN, KEYCTL_GET_KEYRING_ID, KEY_SPEC_PROCESS_KEYRING, 1),
	{ "S6", "join another session's keyring", go_call, .call = "keyctl",
	  .arg = { SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, 0 } },
	CALL_OR("S7", bpf, TWIN_ROOT, "the kernel lacks or locks bpf", BPF_MAP_CREATE, P(&bpf_map),
		sizeof(bpf_map)),
	CALL_OR("S7", perf_event_open, TWIN_PLAIN, "kernel.perf_event_paranoid is over 2", P(&perf),
		0, -1, -1, 0),
	CALL_OR("S7", userfaultfd, TWIN_PLAIN, NO_CALL, O_CLOEXEC | 1),
	CALL_OR("S7", fanotify_init, TWIN_PLAIN, "the kernel lets root only", 0x200, 0),
	CALL_OR("S7", fanotify_mark, TWIN_NONE, "it wants a group, which is tried before", 0, 1, 1,
		AT_FDCWD, P("/")),
	CALL_OR("S7", memfd_secret, TWIN_PLAIN, NO_CALL, 0),
	{ "S8", "READ_IMPLIES_EXEC", go_call, .call = "personality",
	  .arg = { SYS_personality, READ_IMPLIES } },
	{ "S8", "ADDR_NO_RANDOMIZE", go_call, .arg = { SYS_personality, ADDR_NO_RANDOMIZE } },
	{ "S8", "both", go_call, .arg = { SYS_personality, READ_IMPLIES | ADDR_NO_RANDOMIZE } },
	{ "S8", "MMAP_PAGE_ZERO", go_call, .arg = { SYS_personality, MMAP_PAGE_ZERO } },
	{ "S8", "another system's", go_call, .arg = { SYS_personality, PER_SVR4 } },
	HARM("S9", clock_settime, CLOCK_REALTIME, P(&epoch)),
	HARM("S9", settimeofday, P(&epoch), 0),
	HARM("S9", adjtimex, P(&no_adjustment)),
	HARM("S9", clock_adjtime, CLOCK_REALTIME, P(&adjust)),
	NEIGHBOUR(ptrace),
	NEIGHBOUR(process_vm_readv),
	NEIGHBOUR(process_vm_writev),
	NEIGHBOUR(kcmp),
	NEIGHBOUR(pidfd_getfd),
	NEIGHBOUR(process_madvise),
	NEIGHBOUR(move_pages),
	{ "S10", "be traced", go_call, .call = "ptrace", .arg = { SYS_ptrace, PTRACE_TRACEME } },
	CALL_OR("S10", migrate_pages, TWIN_PLAIN, NO_CALL, 0, 0, 0, 0),
	HARM("S11", init_module, P(scratch), 64, P("")),
	HARM("S11", finit_module, 0, P(""), 0),
	HARM("S11", delete_module, P("cordon_none"), O_NONBLOCK),
	HARM("S11", kexec_load, 0, 0, 0, 0),
	HARM("S11", kexec_file_load, -1, -1, 0, 0, 0),
	HARM("S11", reboot, (long)0xfee1dead, 672274793, RB_DISABLE_CAD, 0),
	HARM("S11", swapon, P("/tmp/none"), 0),
	HARM("S11", swapoff, P("/tmp/none")),
	HARM("S11", quotactl, 0x80000100, 0, 0, 0),
	HARM("S11", acct, 0),
	HARM("S11", vhangup, 0),
#ifdef __x86_64__
	CALL_OR("S11", iopl, TWIN_ROOT, NO_CALL, 3),
	CALL_OR("S11", ioperm, TWIN_ROOT, NO_CALL, 0x80, 1, 1),
	CALL_OR("S13", modify_ldt, TWIN_PLAIN, NO_CALL, 0, P(scratch), sizeof(scratch)),
	CALL_OR("S13", ustat, TWIN_PLAIN, NO_CALL ", or the root file system has no such number",
		254 << 8, P(scratch)),
	CALL_OR("S13", sysfs, TWIN_PLAIN, NO_CALL, 3),
	CALL_OR("S13", uselib, TWIN_NONE, "no kernel of today has it", P("/none")),
	{ "S13", "_sysctl", go_call, TWIN_NONE, .unless = "no kernel of today has it",
	  .call = "_sysctl", .arg = { 156, P(scratch) } },
#endif
	{ "S14", "a tracer replaces a number", go_replace_number, .unless = YAMA },
	{ "S15", "unshare with bits that the kernel ignores", go_call, TWIN_NONE,
	  .unless = "unshare takes all 64 bits, so that such flags are EINVAL",
	  .arg = { SYS_unshare, HIGH(CLONE_NEWUSER) } },
	{ "S15", "personality with bits that the kernel ignores", go_call,
	  .arg = { SYS_personality, HIGH(READ_IMPLIES) } },
	{ "S15", "keyctl with bits that the kernel ignores", go_call,
	  .arg = { SYS_keyctl, HIGH(KEYCTL_GET_KEYRING_ID), KEY_SPEC_PROCESS_KEYRING, 1 } },
	{ "S16", "a filter of its own", go_own_filter, .flags = WORKS },
	{ "S16", "a Landlock ruleset of its own", go_own_landlock, .flags = WORKS },
	{ "S16", "a listener of its own beside ours", go_own_filter,
	  .arg = { SECCOMP_FILTER_FLAG_NEW_LISTENER } },
};

const struct points points_calls = { list, COUNT(list) };
