// SPDX-License-Identifier: Apache-2.0
/*
 * spelled [FROM]: calls whose arguments have names, each made once, in this order; what they return
 * does not matter. spelled --list prints their names. Descriptors are 77, which is none, so that
 * those which a policy must let pass elsewhere can be told by it, and nothing happens where they
 * are not refused. The others have to be refused: tests/integration/spelled.sh sees to it, in a
 * sandbox and under strace.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/futex.h>
#include <linux/io_uring.h>
#include <linux/keyctl.h>
#include <linux/landlock.h>
#include <linux/netlink.h>
#include <linux/openat2.h>
#include <linux/perf_event.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { NONE = 77 }; /* a descriptor that is not open */

#define P(x) ((long)(x))

static struct open_how how = { .flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
			       .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_XDEV };
static struct clone_args clone_args = { .flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_FS,
					.exit_signal = SIGCHLD };
static struct sockaddr_in in4 = { .sin_family = AF_INET };
static struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
static struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = "/run/x" };
static struct sockaddr_nl nl = { .nl_family = AF_NETLINK };
static char data[8] = "data";
static struct iovec iov = { data, 4 };
static union {
	struct cmsghdr head;
	char room[CMSG_SPACE(2 * sizeof(int))];
} control;
static struct msghdr msg = { .msg_name = &un,
			     .msg_namelen = sizeof(un),
			     .msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = &control,
			     .msg_controllen = sizeof(control) };
static struct timespec ts = { 1, 500 };
static struct timespec at[2] = { { 0, UTIME_NOW }, { 0, UTIME_OMIT } };
static struct itimerspec its = { { 0, 0 }, { 2, 0 } };
static struct rlimit64 limit = { 100, RLIM64_INFINITY };
static struct epoll_event event = { .events = EPOLLIN | EPOLLET | EPOLLONESHOT };
static struct sembuf ops = { 0, -1, IPC_NOWAIT | SEM_UNDO };
static struct {
	uint64_t set, clear, propagation, userns_fd;
} mount_attr = { 1 | 2 | 8, 4, 1 << 18, 0 };
static union bpf_attr map_attr = { .map_type = BPF_MAP_TYPE_ARRAY,
				   .key_size = 4,
				   .value_size = 8,
				   .max_entries = 1,
				   .map_flags = BPF_F_RDONLY_PROG };
static union bpf_attr prog_attr = { .prog_type = BPF_PROG_TYPE_CGROUP_SKB, .insn_cnt = 2 };
static union bpf_attr obj_attr;
static struct perf_event_attr perf = { .type = PERF_TYPE_HARDWARE,
				       .size = sizeof(perf),
				       .config = PERF_COUNT_HW_INSTRUCTIONS,
				       .sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_TID,
				       .read_format = PERF_FORMAT_GROUP };
static struct io_uring_params uring = { .flags = IORING_SETUP_SQPOLL | IORING_SETUP_CQSIZE };
static struct {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
} sched = { 48, 6, 1, 0, 0, 10, 20, 30 };
static struct landlock_ruleset_attr ruleset = { LANDLOCK_ACCESS_FS_EXECUTE |
						LANDLOCK_ACCESS_FS_MAKE_SYM };
static struct landlock_path_beneath_attr beneath = { LANDLOCK_ACCESS_FS_READ_DIR, NONE };
static struct {
	void *handler;
	unsigned long flags;
	void *restorer;
	uint64_t mask;
} action = { SIG_IGN, SA_RESTART | SA_NODEFER, NULL, 1 << (SIGUSR1 - 1) };
static uint64_t mask = 1 << (SIGTERM - 1) | 1 << (SIGCHLD - 1);
static siginfo_t info = { .si_signo = SIGUSR1, .si_code = SI_QUEUE };
static struct sigevent sigevent = { .sigev_signo = SIGALRM, .sigev_notify = SIGEV_SIGNAL };
static struct __user_cap_header_struct cap_header = { _LINUX_CAPABILITY_VERSION_3, 0 };
static struct __user_cap_data_struct cap_data[2] = { { 1 << CAP_CHOWN | 1 << CAP_KILL,
						       1 << CAP_SYS_ADMIN, 0 } };
static struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_END };
static int on = 1;
static unsigned int action_wanted = SECCOMP_RET_TRAP;

static const struct call {
	const char *name;
	long nr, args[6];
} calls[] = {
#define C(name, ...)                                                                               \
	{                                                                                          \
#name, SYS_##name,                                                                 \
		{                                                                                  \
			__VA_ARGS__                                                                \
		}                                                                                  \
	}
	C(openat, NONE, P("x"),
	  O_RDWR | O_CREAT | O_EXCL | O_TRUNC | O_APPEND | O_NONBLOCK | O_NOFOLLOW, 0640),
	C(openat, NONE, P("x"), O_RDONLY | O_TMPFILE | O_SYNC, 0),
	C(openat2, NONE, P("x"), P(&how), sizeof(how)),
	C(faccessat2, NONE, P("x"), R_OK | X_OK, AT_EACCESS | AT_SYMLINK_NOFOLLOW),
	C(fchownat, NONE, P("x"), 0, -1, AT_EMPTY_PATH),
	C(unlinkat, NONE, P("x"), AT_REMOVEDIR),
	C(linkat, NONE, P("x"), NONE, P("y"), AT_SYMLINK_FOLLOW),
	C(renameat2, NONE, P("x"), NONE, P("y"), 1 | 4),
	C(utimensat, NONE, P("x"), P(at), AT_SYMLINK_NOFOLLOW),
	C(statx, NONE, P("x"), AT_NO_AUTOMOUNT | 0x2000, 0x800 | 0x200, P(data)),
	C(mknodat, NONE, P("x"), S_IFBLK | 0600, 0x801),
	C(mkdirat, NONE, P("x"), 01777),
	C(fallocate, NONE, 1 | 2, 0, 10),
	C(fadvise64, NONE, 0, 0, 4),
	C(sync_file_range, NONE, 0, 0, 1 | 4),
	C(flock, NONE, 2 | 4),
	C(lseek, NONE, 5, SEEK_DATA),
	C(fcntl, NONE, F_DUPFD_CLOEXEC, 3),
	C(fcntl, NONE, F_SETFD, FD_CLOEXEC),
	C(fcntl, NONE, F_SETFL, O_NONBLOCK | O_ASYNC),
	C(fcntl, NONE, F_SETLKW, P(&lock)),
	C(fcntl, NONE, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_WRITE),
	C(fcntl, NONE, F_NOTIFY, DN_CREATE | DN_DELETE),
	C(fcntl, NONE, F_SETLEASE, F_RDLCK),
	C(fcntl, NONE, F_SETSIG, SIGIO),
	C(ioctl, NONE, TIOCSTI, P(data)),
	C(ioctl, NONE, TCSETSW, P(data)),
	C(ioctl, NONE, FIONBIO, P(&on)),
	C(ioctl, NONE, 0x8914, P(data)),     /* SIOCSIFFLAGS */
	C(ioctl, NONE, 0x400454ca, P(data)), /* TUNSETIFF */
	C(ioctl, NONE, 0x4c00, NONE),	     /* LOOP_SET_FD */
	C(ioctl, NONE, 0xae01, 0),	     /* KVM_CREATE_VM */
	C(fsetxattr, NONE, P("user.x"), P(data), 4, 1),
	C(inotify_init1, IN_CLOEXEC | IN_NONBLOCK),
	C(inotify_add_watch, NONE, P("x"), IN_CREATE | IN_MOVED_TO | IN_ONLYDIR),
	C(fanotify_init, 4 | 1 | 0x10, O_RDWR | O_LARGEFILE | 0100000),
	C(fanotify_mark, NONE, 1 | 0x10, 0x10000 | 0x40, NONE, P("x")),
	C(epoll_create1, EPOLL_CLOEXEC),
	C(epoll_ctl, NONE, EPOLL_CTL_ADD, NONE, P(&event)),
	C(eventfd2, 0, 0x80000 | 1),
	C(signalfd4, NONE, P(&mask), 8, 0x80000 | 0x800),
	C(timerfd_create, CLOCK_BOOTTIME, TFD_CLOEXEC),
	C(timerfd_settime, NONE, TFD_TIMER_ABSTIME, P(&its), 0),
	C(memfd_create, P("name"), 1 | 2 | 4),
	C(splice, NONE, 0, NONE, 0, 10, 1 | 4),
	C(vmsplice, NONE, P(&iov), 1, 8),
	C(pipe2, P(data), O_CLOEXEC | O_DIRECT),
	C(close_range, NONE, NONE, 4),
	C(mount, P("/dev/sda"), P("/mnt"), P("ext4"), 1 | 2 | 8 | 4096 | 16384, P("ro,x")),
	C(umount2, P("/mnt"), 1 | 2 | 8),
	C(fsopen, P("tmpfs"), 1),
	C(fsconfig, NONE, 1, P("source"), P("none"), 0),
	C(fsconfig, NONE, 6, 0, 0, 0),
	C(fsmount, NONE, 1, 1 | 2 | 8),
	C(fspick, NONE, P("x"), 1 | 8),
	C(open_tree, NONE, P("x"), 1 | 0x8000 | AT_EMPTY_PATH | O_CLOEXEC),
	C(move_mount, NONE, P("x"), NONE, P("y"), 4 | 0x40),
	C(mount_setattr, NONE, P("x"), 0x8000, P(&mount_attr), sizeof(mount_attr)),
	C(swapon, P("/swap"), 0x8000 | 5),
	C(quotactl, (int)(0x800007U << 8 | 1), P("/dev/sda"), 1000, P(data)),
	C(mmap, 0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED_NOREPLACE | MAP_NORESERVE,
	  NONE, 0),
	C(mmap, 0, 4096, PROT_NONE, MAP_SHARED_VALIDATE | MAP_SYNC | MAP_HUGETLB, NONE, 0),
	C(mremap, 4096, 1, 2, MREMAP_MAYMOVE | MREMAP_FIXED, 8192),
	C(msync, 4096, 1, MS_SYNC | MS_INVALIDATE),
	C(mlockall, MCL_CURRENT | MCL_FUTURE),
	C(mlock2, 4096, 1, 1),
	C(process_madvise, NONE, P(&iov), 1, MADV_COLD, 0),
	C(mbind, 4096, 1, 2 | 0x8000, P(&mask), 8, 1 | 2),
	C(set_mempolicy, 3, P(&mask), 8),
	C(pkey_alloc, 0, 1 | 2),
	C(membarrier, 1 << 4, 0, 0),
	C(unshare, CLONE_NEWUSER | CLONE_NEWNET | CLONE_FS),
	C(setns, NONE, CLONE_NEWPID),
	C(clone3, P(&clone_args), sizeof(clone_args)),
	C(waitid, P_PIDFD, NONE, 0, WEXITED | WSTOPPED | WNOHANG, 0),
	C(personality, 0x0040000 | 8),
	C(sched_setscheduler, 0, 1 | 0x40000000, P(&on)),
	C(sched_setattr, 0, P(&sched), 0),
	C(prlimit64, 0, RLIMIT_NOFILE, P(&limit), 0),
	C(setpriority, PRIO_PGRP, 0, 19),
	C(ioprio_set, 1, 0, 2 << 13),
	C(pidfd_open, 1, 0x800),
	C(pidfd_send_signal, NONE, SIGKILL, P(&info), 0),
	C(kcmp, 1, 1, 1, 0, 0),
	C(rt_sigaction, SIGUSR2, P(&action), 0, 8),
	C(rt_sigqueueinfo, 1, SIGUSR1, P(&info)),
	C(tgkill, 1, 1, SIGTERM),
	C(timer_create, CLOCK_MONOTONIC, P(&sigevent), P(data)),
	C(timer_settime, 7, TIMER_ABSTIME, P(&its), 0),
	C(clock_settime, CLOCK_REALTIME, P(&ts)),
	C(setitimer, 2, 0, 0),
	C(prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_ADMIN, 0, 0),
	C(prctl, PR_SET_SECUREBITS, 1 | 2 | 0x40),
	C(prctl, PR_CAPBSET_DROP, CAP_NET_RAW, 0, 0, 0),
	C(prctl, PR_SET_SPECULATION_CTRL, 1, 4, 0, 0),
	C(prctl, PR_SET_MM, PR_SET_MM_BRK, 0x1000, 0, 0),
	C(prctl, PR_SCHED_CORE, 1, 0, 1, 0),
	C(capset, P(&cap_header), P(cap_data)),
	C(seccomp, 1, 8 | 1, 0),
	C(seccomp, 2, 0, P(&action_wanted)),
	C(landlock_create_ruleset, P(&ruleset), 8, 0),
	C(landlock_add_rule, NONE, 1, P(&beneath), 0),
	C(ptrace, 16, 1, 0, 0),
	C(ptrace, 0x4200, 1, 0, 0x100000 | 1),
	C(ptrace, 7, 1, 0, SIGSTOP),
	C(keyctl, KEYCTL_CHOWN, KEY_SPEC_SESSION_KEYRING, 0, 0, 0),
	C(keyctl, KEYCTL_SEARCH, KEY_SPEC_USER_KEYRING, P("user"), P("x"), KEY_SPEC_THREAD_KEYRING),
	C(add_key, P("user"), P("x"), P(data), 4, KEY_SPEC_PROCESS_KEYRING),
	C(request_key, P("user"), P("x"), 0, KEY_SPEC_SESSION_KEYRING),
	C(bpf, BPF_MAP_CREATE, P(&map_attr), 40),
	C(bpf, BPF_PROG_LOAD, P(&prog_attr), 72),
	C(bpf, BPF_OBJ_GET, P(&obj_attr), 16),
	C(perf_event_open, P(&perf), 0, -1, NONE, 8 | 1),
	C(io_uring_setup, 8, P(&uring)),
	C(io_uring_enter, NONE, 1, 1, 1 | 2, 0, 0),
	C(io_uring_register, NONE, 4, P(&on), 1),
	C(futex, P(&on), FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME, 5, P(&ts),
	  0, 1),
	C(msgget, IPC_PRIVATE, IPC_CREAT | IPC_EXCL | 0600),
	C(shmget, IPC_PRIVATE, 4096, IPC_CREAT | SHM_HUGETLB | 0644),
	C(shmat, 1, 0, SHM_RDONLY | SHM_REMAP),
	C(shmctl, 1, IPC_RMID, 0),
	C(semop, 1, P(&ops), 1),
	C(semctl, 1, 0, 17, 0), /* SETALL */
	C(msgrcv, 1, P(data), 4, 0, IPC_NOWAIT | 010000),
	C(socket, AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP),
	C(socket, AF_NETLINK, SOCK_RAW, NETLINK_AUDIT),
	C(socket, AF_VSOCK, SOCK_STREAM | SOCK_NONBLOCK, 0),
	C(socketpair, AF_UNIX, SOCK_SEQPACKET, 0, P(data)),
	C(connect, NONE, P(&in4), sizeof(in4)),
	C(connect, NONE, P(&in6), sizeof(in6)),
	C(bind, NONE, P(&un), sizeof(un)),
	C(bind, NONE, P(&nl), sizeof(nl)),
	C(accept4, NONE, 0, 0, SOCK_CLOEXEC | SOCK_NONBLOCK),
	C(shutdown, NONE, SHUT_WR),
	C(sendto, NONE, P(data), 4, MSG_DONTWAIT | MSG_NOSIGNAL | MSG_MORE, P(&in4), sizeof(in4)),
	C(sendmsg, NONE, P(&msg), MSG_OOB | MSG_EOR),
	C(recvfrom, NONE, P(data), 4, MSG_PEEK | MSG_TRUNC, 0, 0),
	C(setsockopt, NONE, SOL_SOCKET, SO_KEEPALIVE, P(&on), 4),
	C(setsockopt, NONE, IPPROTO_TCP, 13, P("bbr"), 3),
	C(setsockopt, NONE, IPPROTO_IP, 1, P(&on), 4),
	C(getsockopt, NONE, IPPROTO_IPV6, 26, P(data), P(&on)),
	C(kexec_load, 0, 0, 0, 62 << 16 | 1),
	C(kexec_file_load, NONE, NONE, 0, 0, 2 | 4),
	C(finit_module, NONE, P("x=1"), 1 | 2),
	C(delete_module, P("x"), O_NONBLOCK | O_TRUNC),
	C(reboot, 0xfee1dead, 672274793, 0x4321fedc, 0),
	C(syslog, 3, P(data), 4),
	C(userfaultfd, O_CLOEXEC | O_NONBLOCK),
	C(getrandom, P(data), 4, 1 | 2),
	C(name_to_handle_at, NONE, P("x"), P(&mask), P(data), AT_EMPTY_PATH),
	C(preadv2, NONE, P(&iov), 1, 0, 0, 1 | 8),
	C(copy_file_range, NONE, 0, NONE, 0, 10, 0),
	C(process_vm_readv, 1, P(&iov), 1, P(&iov), 1, 0),
	C(execveat, NONE, P("x"), 0, 0, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW),
	C(chmod, P("/x"), 04755),
	C(umask, 027),
	C(wait4, -1, 0, WNOHANG | WUNTRACED | 0x40000000, 0),
};

int main(int argc, char **argv)
{
	const size_t n = sizeof(calls) / sizeof(calls[0]);
	size_t from = 0;

	if (argc > 1 && strcmp(argv[1], "--list") == 0) {
		for (size_t i = 0; i < n; i++)
			puts(calls[i].name);
		return 0;
	}
	if (argc > 1)
		from = strtoul(argv[1], NULL, 10);
	control.head = (struct cmsghdr){ .cmsg_len = CMSG_LEN(2 * sizeof(int)),
					 .cmsg_level = SOL_SOCKET,
					 .cmsg_type = SCM_RIGHTS };
	in4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in4.sin_port = htons(443);
	obj_attr.pathname = (uint64_t)(uintptr_t) "/sys/fs/bpf/x";
	prog_attr.license = (uint64_t)(uintptr_t) "GPL";
	memcpy(data, "eth0", 5);
	for (size_t i = from; i < n; i++) {
		const long *a = calls[i].args;
		char mark[32];

		/* Between the calls, for a tracer: which one comes. */
		(void)snprintf(mark, sizeof(mark), "/call/%zu", i);
		(void)syscall(SYS_chdir, mark);
		(void)syscall(calls[i].nr, a[0], a[1], a[2], a[3], a[4], a[5]);
	}
	return 0;
}
