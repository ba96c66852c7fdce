/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is attempted, as an expect line writes it. "$A" is the arena, "$D" one of its directories,
 * "$P" a process outside, "$T" and "$U" two TCP ports that somebody listens on, "$B" a free one.
 */
#pragma once

enum {
	USERNS = 1 << 0, /* in a user and mount namespace of its own, where capabilities count */
	NOT_IN_VIEW = 1 << 1, /* what the sandbox's one-id map or pid numbers answer is no effect */
	SHARED = 1 << 2,      /* leaves its process as it was, but for its socket: made in one with
				 others */
};

struct attempt_row {
	const char *text;
	unsigned flags;
};

/* The arena's directories. Each has the same files in it. */
static const char *const areas[] = {
	"ro",	     /* one that is read */
	"ro/hidden", /* hidden below it */
	"x",	     /* one that is executed */
	"x/data",    /* read below it */
	"rw",	     /* one that is written */
	"rw/keep",   /* read below it */
	"rw/run",    /* executed below it */
	"none",	     /* of which nothing is said */
	"tmp",	     /* a tmpfs */
};

/* For each area: $D. */
static const struct attempt_row file_rows[] = {
	{ "openat(\"$D/f\", O_RDONLY)", SHARED },
	{ "openat(\"$D/f\", O_RDONLY|O_NOFOLLOW|O_CLOEXEC)", SHARED },
	{ "openat(\"$D/f\", O_PATH)", SHARED },
	{ "openat(\"$D/w\", O_WRONLY)", SHARED },
	{ "openat(\"$D/w\", O_RDWR)", SHARED },
	{ "openat(\"$D/w\", O_WRONLY|O_APPEND)", SHARED },
	{ "openat(\"$D/t1\", O_RDONLY|O_TRUNC)", SHARED },
	{ "openat(\"$D/t2\", O_WRONLY|O_TRUNC)", SHARED },
	{ "openat(\"$D/n1\", O_WRONLY|O_CREAT, 0600)", SHARED },
	{ "openat(\"$D/n2\", O_RDWR|O_CREAT|O_EXCL, 0600)", SHARED },
	{ "openat(\"$D\", O_RDONLY|O_DIRECTORY)", SHARED },
	{ "truncate(\"$D/t3\", 0)", SHARED },
	{ "mkdirat(\"$D/n3\", 0700)", SHARED },
	{ "mknodat(\"$D/n4\", S_IFIFO|0600)", SHARED },
	{ "mknodat(\"$D/n5\", S_IFREG|0600)", SHARED },
	{ "symlinkat(\"anywhere\", AT_FDCWD, \"$D/n6\")", SHARED },
	{ "unlinkat(AT_FDCWD, \"$D/u1\", 0)", SHARED },
	{ "unlinkat(AT_FDCWD, \"$D/d1\", AT_REMOVEDIR)", SHARED },
	{ "renameat2(AT_FDCWD, \"$D/r1\", AT_FDCWD, \"$D/n7\")", SHARED },
	{ "renameat2(AT_FDCWD, \"$D/r2\", AT_FDCWD, \"$D/d2/n\")", SHARED },
	{ "linkat(AT_FDCWD, \"$D/f\", AT_FDCWD, \"$D/n8\")", SHARED },
	{ "linkat(AT_FDCWD, \"$D/f\", AT_FDCWD, \"$D/d2/n2\")", SHARED },
	{ "execve(\"$D/run1\")", 0 },
	{ "setxattr(\"$D/w\", \"user.x\", \"y\", 1, 0)", SHARED },
	{ "fchmodat(\"$D/w\", 0640)", SHARED },
	{ "fchownat(AT_FDCWD, \"$D/w\", 0xffffffff, 0xffffffff)", SHARED },
	{ "utimensat(AT_FDCWD, \"$D/w\")", SHARED },
	{ "faccessat(\"$D/f\", 4)", SHARED },
	{ "newfstatat(\"$D/f\")", SHARED },
	{ "statx(\"$D/f\")", SHARED },
	{ "statfs(\"$D/f\")", SHARED },
	{ "readlinkat(AT_FDCWD, \"$D/s\", 0, 100)", SHARED },
	{ "chdir(\"$D\")", SHARED },
	{ "listxattr(\"$D/f\")", SHARED },
	{ "bind(3, \"unix:$D/n9\")", SHARED },
	{ "connect(3, \"unix:$D/sock\")", SHARED },
};

static const struct attempt_row rows[] = {
	/* from one area to another */
	{ "renameat2(AT_FDCWD, \"$A/ro/r3\", AT_FDCWD, \"$A/rw/m1\")", SHARED },
	{ "renameat2(AT_FDCWD, \"$A/rw/r3\", AT_FDCWD, \"$A/ro/m1\")", SHARED },
	{ "renameat2(AT_FDCWD, \"$A/rw/r4\", AT_FDCWD, \"$A/tmp/m1\")", SHARED },
	{ "renameat2(AT_FDCWD, \"$A/none/r3\", AT_FDCWD, \"$A/rw/m2\")", SHARED },
	{ "renameat2(AT_FDCWD, \"$A/x/r3\", AT_FDCWD, \"$A/rw/m3\")", SHARED },
	{ "linkat(AT_FDCWD, \"$A/ro/f\", AT_FDCWD, \"$A/rw/m4\")", SHARED },
	{ "linkat(AT_FDCWD, \"$A/rw/f\", AT_FDCWD, \"$A/ro/m4\")", SHARED },
	{ "linkat(AT_FDCWD, \"$A/none/f\", AT_FDCWD, \"$A/rw/m5\")", SHARED },
	{ "linkat(AT_FDCWD, \"$A/rw/f\", AT_FDCWD, \"$A/tmp/m6\")", SHARED },
	{ "linkat(AT_FDCWD, \"$A/x/f\", AT_FDCWD, \"$A/tmp/m7\")", SHARED },

	/* devices and the launcher's own places */
	{ "mknodat(\"$A/rw/n10\", S_IFCHR|0600, 0x103)", SHARED },
	{ "mknodat(\"$A/ro/n10\", S_IFCHR|0600, 0x103)", SHARED },
	{ "mknodat(\"$A/rw/n11\", S_IFBLK|0600, 0x700)", SHARED },
	{ "openat(\"/dev/null\", O_RDWR)", SHARED },
	{ "openat(\"/dev/zero\", O_RDONLY)", SHARED },
	{ "openat(\"/proc/self/status\", O_RDONLY)", SHARED },
	{ "openat(\"/proc/self/oom_score_adj\", O_WRONLY)", SHARED },

	/* sockets: families and types */
	{ "socket(AF_UNIX, SOCK_STREAM)", SHARED },
	{ "socket(AF_UNIX, SOCK_DGRAM|SOCK_CLOEXEC)", SHARED },
	{ "socket(AF_INET, SOCK_STREAM)", SHARED },
	{ "socket(AF_INET, SOCK_DGRAM)", SHARED },
	{ "socket(AF_INET6, SOCK_STREAM)", SHARED },
	{ "socket(AF_INET6, SOCK_DGRAM|SOCK_NONBLOCK)", SHARED },
	{ "socket(AF_INET, SOCK_RAW, IPPROTO_ICMP)", SHARED },
	{ "socket(AF_INET, SOCK_STREAM, 262)", SHARED }, /* IPPROTO_MPTCP */
	{ "socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE)", SHARED },
	{ "socket(AF_PACKET, SOCK_RAW)", SHARED },
	{ "socket(AF_VSOCK, SOCK_STREAM)", SHARED },
	{ "socket(AF_ALG, SOCK_SEQPACKET)", SHARED },
	{ "socket(AF_KEY, SOCK_RAW, 2)", SHARED },
	{ "socket(AF_BLUETOOTH, SOCK_RAW)", SHARED },
	{ "socket(AF_TIPC, SOCK_STREAM)", SHARED },
	{ "socketpair(AF_UNIX, SOCK_STREAM)", SHARED },

	/* addresses */
	{ "connect(3, \"tcp:127.0.0.1:$T\")", SHARED },
	{ "connect(3, \"tcp:127.0.0.1:$U\")", SHARED },
	{ "connect(3, \"tcp:[::1]:$T\")", SHARED },
	{ "connect(3, \"tcp:[::1]:$U\")", SHARED },
	/* not loopback, and no packet of it leaves any machine (net/ipv4/tcp_ipv4.c,
	   tcp_v4_connect()) */
	{ "connect(3, \"tcp:224.0.0.1:$T\")", SHARED },
	{ "connect(3, \"udp:127.0.0.1:$T\")", SHARED },
	{ "connect(3, \"udp:127.0.0.1:$U\")", SHARED },
	{ "sendto(3, 0, 0, 0, \"udp:127.0.0.1:$T\")", SHARED },
	{ "sendto(3, 0, 0, 0, \"udp:127.0.0.1:$U\")", SHARED },
	{ "bind(3, \"tcp:127.0.0.1:$B\")", SHARED },
	{ "bind(3, \"tcp:0.0.0.0:$B\")", SHARED },
	{ "bind(3, \"tcp:[::1]:$B\")", SHARED },
	{ "bind(3, \"tcp:127.0.0.1:0\")", SHARED },
	{ "bind(3, \"tcp:0.0.0.0:80\")", SHARED },
	{ "bind(3, \"udp:127.0.0.1:$B\")", SHARED },
	{ "bind(3, \"udp:0.0.0.0:0\")", SHARED },
	{ "bind(3, \"udp:0.0.0.0:53\")", SHARED },
	{ "connect(3, \"unix:@cordon-attempts-$P\")", SHARED },
	{ "connect(3, \"unix:$A/nothing\")", SHARED },

	/* capabilities over the user namespace's own things */
	{ "sethostname(\"x\", 1)", USERNS },
	{ "setdomainname(\"x\", 1)", USERNS },
	{ "chroot(\"$A/rw\")", USERNS },
	{ "setgroups(0)", NOT_IN_VIEW },
	{ "setuid(0)", NOT_IN_VIEW },
	{ "setgid(0)", NOT_IN_VIEW },
	{ "setresuid(0, 0, 0)", NOT_IN_VIEW },
	{ "setregid(0, 0)", NOT_IN_VIEW },
	{ "prctl(PR_CAPBSET_DROP, 10)", USERNS },
	{ "socket(AF_PACKET, SOCK_DGRAM)", USERNS },
	{ "bind(3, \"tcp:0.0.0.0:81\")", USERNS },
	{ "bind(3, \"udp:0.0.0.0:54\")", USERNS },
	{ "vhangup", SHARED },
	{ "acct", SHARED },
	{ "reboot(0, 0, 0)", SHARED },
	{ "kexec_load(0, 0, 0, 0)", SHARED },
	{ "init_module", SHARED },
	{ "finit_module", SHARED },
	{ "delete_module(\"x\")", SHARED },
	{ "swapon(\"$A/rw/f\")", SHARED },
	{ "swapoff(\"$A/rw/f\")", SHARED },
	{ "syslog(4)", SHARED },
	{ "bpf(5)", SHARED },
	{ "setpriority(0, 0, 0xfffffff6)", 0 },
	{ "iopl(3)", SHARED },
	{ "ioperm(0, 1, 1)", SHARED },

	/* namespaces */
	{ "unshare(CLONE_NEWUSER)", 0 },
	{ "unshare(CLONE_NEWNS)", 0 },
	{ "unshare(CLONE_NEWNS)", USERNS },
	{ "unshare(CLONE_NEWNET)", USERNS },
	{ "unshare(CLONE_NEWUTS)", USERNS },
	{ "unshare(CLONE_NEWIPC)", USERNS },
	{ "unshare(CLONE_NEWPID)", USERNS },
	{ "unshare(CLONE_NEWCGROUP)", USERNS },
	{ "unshare(CLONE_FILES)", 0 },
	{ "unshare(CLONE_FS)", 0 },
	{ "clone(SIGCHLD)", 0 },
	{ "clone(CLONE_NEWUSER|SIGCHLD)", 0 },
	{ "clone(CLONE_NEWNS|SIGCHLD)", 0 },

	/* mounts */
	{ "mount(\"none\", \"$A/rw/d3\", \"tmpfs\")", SHARED },
	{ "mount(\"none\", \"$A/rw/d3\", \"tmpfs\")", USERNS },
	{ "mount(\"$A/rw/d4\", \"$A/rw/d3\", 0, MS_BIND)", USERNS },
	{ "mount(\"none\", \"/\", 0, MS_REC|MS_PRIVATE)", USERNS },
	{ "umount2(\"$A/rw/d4\", MNT_DETACH)", USERNS },
	{ "pivot_root(\"$A/rw\", \"$A/rw/d3\")", USERNS },
	{ "fsopen(\"tmpfs\", 0)", USERNS },
	{ "fsopen(\"tmpfs\", 0)", SHARED },
	{ "move_mount(AT_FDCWD, \"$A/rw/d4\", AT_FDCWD, \"$A/rw/d3\", 0)", USERNS },
	{ "open_tree(AT_FDCWD, \"$A/rw\", 1)", USERNS | NOT_IN_VIEW },
	{ "open_tree(AT_FDCWD, \"$A/rw\", 0)", SHARED },

	/* other processes */
	{ "kill($P, 0)", SHARED },
	{ "tkill($P, 0)", SHARED },
	{ "tgkill($P, $P, 0)", SHARED },
	{ "ptrace(PTRACE_SEIZE, $P, 0, 0)", 0 },
	{ "process_vm_readv($P)", SHARED },
	{ "process_vm_writev($P)", SHARED },
	{ "kcmp($P, $P, 0, 0, 0)", SHARED },
	{ "get_robust_list($P)", SHARED },
	{ "move_pages($P, 0, 0, 0, 0, 2)", SHARED },
	{ "ptrace(PTRACE_TRACEME)", 0 },

	/* calls that only seccomp has a say in */
	{ "getpid", SHARED },
	{ "getuid", SHARED },
	{ "uname", SHARED },
	{ "getrandom", SHARED },
	{ "personality(0xffffffff)", SHARED },
	{ "personality(ADDR_NO_RANDOMIZE)", 0 },
	{ "personality(READ_IMPLIES_EXEC)", 0 },
	{ "prctl(PR_SET_NAME)", SHARED },
	{ "prctl(PR_GET_DUMPABLE)", SHARED },
	{ "prctl(PR_SET_DUMPABLE, 0)", 0 },
	{ "prctl(PR_SET_MM)", SHARED },
	{ "prctl(PR_SET_NO_NEW_PRIVS, 1)", 0 },
	{ "seccomp", 0 },
	{ "keyctl(0, 0xfffffffd, 0)", 0 },
	{ "add_key(\"user\", \"x\", \"y\", 1, 0xfffffffe)", NOT_IN_VIEW },
	{ "request_key(\"user\", \"none\", 0, 0)", NOT_IN_VIEW },
	{ "io_uring_setup(1)", SHARED },
	{ "userfaultfd(1)", SHARED },
	{ "memfd_create(\"x\", 0)", SHARED },
	{ "memfd_secret(0)", SHARED },
	{ "inotify_init1(0)", SHARED },
	{ "fanotify_init(0, 0)", NOT_IN_VIEW | SHARED },
	{ "epoll_create1(0)", SHARED },
	{ "eventfd2(0, 0)", SHARED },
	{ "timerfd_create(CLOCK_MONOTONIC, 0)", SHARED },
	{ "shmget(0, 4096, 0600)", SHARED },
	{ "semget(0, 1, 0600)", SHARED },
	{ "msgget(0, 0600)", SHARED },
	/* $B: the namespace is everybody's; the first is there, the second is not */
	{ "mq_open(\"cordon-$B\", O_RDONLY)", NOT_IN_VIEW | SHARED },
	{ "mq_open(\"cordon-$B\", O_WRONLY|O_NONBLOCK)", NOT_IN_VIEW | SHARED },
	{ "mq_open(\"cordon-$B\", O_RDWR)", NOT_IN_VIEW | SHARED },
	{ "mq_open(\"cordon-$B-new\", O_RDWR|O_CREAT, 0600, 0)", NOT_IN_VIEW | SHARED },
	{ "mmap(0, 4096, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS, 0xffffffff, 0)", SHARED },
	{ "mmap(0, 4096, PROT_READ|PROT_WRITE|PROT_EXEC, MAP_PRIVATE|MAP_ANONYMOUS, 0xffffffff, 0)",
	  SHARED },
	{ "sched_yield", SHARED },
	{ "getpgid(0)", SHARED },
	{ "getpgid($P)", SHARED },
	{ "getsid(0)", SHARED },
	{ "getsid($P)", SHARED },
	{ "sched_getscheduler(0)", SHARED },
	{ "sched_getscheduler($P)", SHARED },
	{ "sched_getaffinity($P, 128)", SHARED },
	{ "getpriority(PRIO_PROCESS, $P)", SHARED },
	{ "setpriority(PRIO_PROCESS, $P, 0)", SHARED },
	{ "setpriority(PRIO_PROCESS, 0, 0)", SHARED },
	{ "ioprio_get(1, $P)", SHARED },
	{ "ioprio_set(1, $P, 0)", SHARED },
	{ "ioprio_set(1, 0, 0)", SHARED },
	{ "prlimit64(0, RLIMIT_NOFILE, 0)", SHARED },
	{ "prlimit64($P, RLIMIT_NOFILE, 0)", SHARED },
	{ "pidfd_open($P, 0)", SHARED },
	{ "flock(0, LOCK_SH)", SHARED },
	{ "setpgid(0, 0)", 0 },
	{ "setsid", 0 },
	{ "umask(077)", 0 },
	{ "dup(0)", SHARED },
	{ "pipe2(0)", SHARED },
	{ "fcntl(0, F_GETFD)", SHARED },
	{ "ioctl(0, TIOCSTI)", NOT_IN_VIEW | SHARED },
	{ "ioctl(0, TCGETS)", NOT_IN_VIEW | SHARED },
	{ "mlockall(0)", SHARED },
	{ "membarrier(0)", SHARED },
	{ "modify_ldt(0)", SHARED },
	{ "name_to_handle_at(AT_FDCWD, \"$A/rw/f\")", NOT_IN_VIEW | SHARED },
	{ "clone3", 0 },
	{ "openat2", SHARED },
	{ "landlock_create_ruleset(0, 0, 1)", SHARED },
	{ "futex_waitv", SHARED },
	{ "mseal(0, 0, 0)", SHARED },
	{ "uselib", SHARED },
	{ "_sysctl", SHARED },
	{ "nfsservctl", SHARED },
	{ "lookup_dcookie", SHARED },
};
