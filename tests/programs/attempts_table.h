/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is attempted, as an expect line writes it. "$A" is the arena, "$D" one of its directories,
 * "$P" a process outside, "$T" and "$U" two TCP ports that somebody listens on, "$B" a free one.
 */
#pragma once

enum {
	USERNS = 1 << 0, /* in a user and mount namespace of its own, where capabilities count */
	NOT_IN_VIEW = 1 << 1, /* what the sandbox's one-id map or pid numbers answer is no effect */
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
	{ "openat(\"$D/f\", O_RDONLY)", 0 },
	{ "openat(\"$D/f\", O_RDONLY|O_NOFOLLOW|O_CLOEXEC)", 0 },
	{ "openat(\"$D/f\", O_PATH)", 0 },
	{ "openat(\"$D/w\", O_WRONLY)", 0 },
	{ "openat(\"$D/w\", O_RDWR)", 0 },
	{ "openat(\"$D/w\", O_WRONLY|O_APPEND)", 0 },
	{ "openat(\"$D/t1\", O_RDONLY|O_TRUNC)", 0 },
	{ "openat(\"$D/t2\", O_WRONLY|O_TRUNC)", 0 },
	{ "openat(\"$D/n1\", O_WRONLY|O_CREAT, 0600)", 0 },
	{ "openat(\"$D/n2\", O_RDWR|O_CREAT|O_EXCL, 0600)", 0 },
	{ "openat(\"$D\", O_RDONLY|O_DIRECTORY)", 0 },
	{ "truncate(\"$D/t3\", 0)", 0 },
	{ "mkdirat(\"$D/n3\", 0700)", 0 },
	{ "mknodat(\"$D/n4\", S_IFIFO|0600)", 0 },
	{ "mknodat(\"$D/n5\", S_IFREG|0600)", 0 },
	{ "symlinkat(\"anywhere\", AT_FDCWD, \"$D/n6\")", 0 },
	{ "unlinkat(AT_FDCWD, \"$D/u1\", 0)", 0 },
	{ "unlinkat(AT_FDCWD, \"$D/d1\", AT_REMOVEDIR)", 0 },
	{ "renameat2(AT_FDCWD, \"$D/r1\", AT_FDCWD, \"$D/n7\")", 0 },
	{ "renameat2(AT_FDCWD, \"$D/r2\", AT_FDCWD, \"$D/d2/n\")", 0 },
	{ "linkat(AT_FDCWD, \"$D/f\", AT_FDCWD, \"$D/n8\")", 0 },
	{ "linkat(AT_FDCWD, \"$D/f\", AT_FDCWD, \"$D/d2/n2\")", 0 },
	{ "execve(\"$D/run1\")", 0 },
	{ "fchmodat(\"$D/w\", 0640)", 0 },
	{ "fchownat(AT_FDCWD, \"$D/w\", 0xffffffff, 0xffffffff)", 0 },
	{ "utimensat(AT_FDCWD, \"$D/w\")", 0 },
	{ "faccessat(\"$D/f\", 4)", 0 },
	{ "newfstatat(\"$D/f\")", 0 },
	{ "statx(\"$D/f\")", 0 },
	{ "statfs(\"$D/f\")", 0 },
	{ "readlinkat(AT_FDCWD, \"$D/s\", 0, 100)", 0 },
	{ "chdir(\"$D\")", 0 },
	{ "listxattr(\"$D/f\")", 0 },
	{ "bind(3, \"unix:$D/n9\")", 0 },
	{ "connect(3, \"unix:$D/sock\")", 0 },
};

static const struct attempt_row rows[] = {
	/* from one area to another */
	{ "renameat2(AT_FDCWD, \"$A/ro/r3\", AT_FDCWD, \"$A/rw/m1\")", 0 },
	{ "renameat2(AT_FDCWD, \"$A/rw/r3\", AT_FDCWD, \"$A/ro/m1\")", 0 },
	{ "renameat2(AT_FDCWD, \"$A/rw/r4\", AT_FDCWD, \"$A/tmp/m1\")", 0 },
	{ "renameat2(AT_FDCWD, \"$A/none/r3\", AT_FDCWD, \"$A/rw/m2\")", 0 },
	{ "renameat2(AT_FDCWD, \"$A/x/r3\", AT_FDCWD, \"$A/rw/m3\")", 0 },
	{ "linkat(AT_FDCWD, \"$A/ro/f\", AT_FDCWD, \"$A/rw/m4\")", 0 },
	{ "linkat(AT_FDCWD, \"$A/rw/f\", AT_FDCWD, \"$A/ro/m4\")", 0 },
	{ "linkat(AT_FDCWD, \"$A/none/f\", AT_FDCWD, \"$A/rw/m5\")", 0 },
	{ "linkat(AT_FDCWD, \"$A/rw/f\", AT_FDCWD, \"$A/tmp/m6\")", 0 },
	{ "linkat(AT_FDCWD, \"$A/x/f\", AT_FDCWD, \"$A/tmp/m7\")", 0 },

	/* devices and the launcher's own places */
	{ "mknodat(\"$A/rw/n10\", S_IFCHR|0600, 0x103)", 0 },
	{ "mknodat(\"$A/ro/n10\", S_IFCHR|0600, 0x103)", 0 },
	{ "mknodat(\"$A/rw/n11\", S_IFBLK|0600, 0x700)", 0 },
	{ "openat(\"/dev/null\", O_RDWR)", 0 },
	{ "openat(\"/dev/zero\", O_RDONLY)", 0 },
	{ "openat(\"/proc/self/status\", O_RDONLY)", 0 },
	{ "openat(\"/proc/self/oom_score_adj\", O_WRONLY)", 0 },

	/* sockets: families and types */
	{ "socket(AF_UNIX, SOCK_STREAM)", 0 },
	{ "socket(AF_UNIX, SOCK_DGRAM|SOCK_CLOEXEC)", 0 },
	{ "socket(AF_INET, SOCK_STREAM)", 0 },
	{ "socket(AF_INET, SOCK_DGRAM)", 0 },
	{ "socket(AF_INET6, SOCK_STREAM)", 0 },
	{ "socket(AF_INET6, SOCK_DGRAM|SOCK_NONBLOCK)", 0 },
	{ "socket(AF_INET, SOCK_RAW, IPPROTO_ICMP)", 0 },
	{ "socket(AF_INET, SOCK_STREAM, 262)", 0 }, /* IPPROTO_MPTCP */
	{ "socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE)", 0 },
	{ "socket(AF_PACKET, SOCK_RAW)", 0 },
	{ "socket(AF_VSOCK, SOCK_STREAM)", 0 },
	{ "socket(AF_ALG, SOCK_SEQPACKET)", 0 },
	{ "socket(AF_KEY, SOCK_RAW, 2)", 0 },
	{ "socket(AF_BLUETOOTH, SOCK_RAW)", 0 },
	{ "socket(AF_TIPC, SOCK_STREAM)", 0 },
	{ "socketpair(AF_UNIX, SOCK_STREAM)", 0 },

	/* addresses */
	{ "connect(3, \"tcp:127.0.0.1:$T\")", 0 },
	{ "connect(3, \"tcp:127.0.0.1:$U\")", 0 },
	{ "connect(3, \"tcp:[::1]:$T\")", 0 },
	{ "connect(3, \"tcp:[::1]:$U\")", 0 },
	{ "connect(3, \"tcp:192.0.2.1:$T\")", 0 },
	{ "connect(3, \"udp:127.0.0.1:$T\")", 0 },
	{ "connect(3, \"udp:127.0.0.1:$U\")", 0 },
	{ "sendto(3, 0, 0, 0, \"udp:127.0.0.1:$T\")", 0 },
	{ "sendto(3, 0, 0, 0, \"udp:127.0.0.1:$U\")", 0 },
	{ "bind(3, \"tcp:127.0.0.1:$B\")", 0 },
	{ "bind(3, \"tcp:0.0.0.0:$B\")", 0 },
	{ "bind(3, \"tcp:[::1]:$B\")", 0 },
	{ "bind(3, \"tcp:127.0.0.1:0\")", 0 },
	{ "bind(3, \"tcp:0.0.0.0:80\")", 0 },
	{ "bind(3, \"udp:127.0.0.1:$B\")", 0 },
	{ "bind(3, \"udp:0.0.0.0:0\")", 0 },
	{ "bind(3, \"udp:0.0.0.0:53\")", 0 },
	{ "connect(3, \"unix:@cordon-attempts-$P\")", 0 },
	{ "connect(3, \"unix:$A/nothing\")", 0 },

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
	{ "vhangup", 0 },
	{ "acct", 0 },
	{ "reboot(0, 0, 0)", 0 },
	{ "kexec_load(0, 0, 0, 0)", 0 },
	{ "init_module", 0 },
	{ "finit_module", 0 },
	{ "delete_module(\"x\")", 0 },
	{ "swapon(\"$A/rw/f\")", 0 },
	{ "swapoff(\"$A/rw/f\")", 0 },
	{ "syslog(4)", 0 },
	{ "bpf(5)", 0 },
	{ "setpriority(0, 0, 0xfffffff6)", 0 },
	{ "iopl(3)", 0 },
	{ "ioperm(0, 1, 1)", 0 },

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
	{ "mount(\"none\", \"$A/rw/d3\", \"tmpfs\")", 0 },
	{ "mount(\"none\", \"$A/rw/d3\", \"tmpfs\")", USERNS },
	{ "mount(\"$A/rw/d4\", \"$A/rw/d3\", 0, MS_BIND)", USERNS },
	{ "mount(\"none\", \"/\", 0, MS_REC|MS_PRIVATE)", USERNS },
	{ "umount2(\"$A/rw/d4\", MNT_DETACH)", USERNS },
	{ "pivot_root(\"$A/rw\", \"$A/rw/d3\")", USERNS },
	{ "fsopen(\"tmpfs\", 0)", USERNS },
	{ "fsopen(\"tmpfs\", 0)", 0 },
	{ "move_mount(AT_FDCWD, \"$A/rw/d4\", AT_FDCWD, \"$A/rw/d3\", 0)", USERNS },
	{ "open_tree(AT_FDCWD, \"$A/rw\", 1)", USERNS | NOT_IN_VIEW },
	{ "open_tree(AT_FDCWD, \"$A/rw\", 0)", 0 },

	/* other processes */
	{ "kill($P, 0)", 0 },
	{ "tkill($P, 0)", 0 },
	{ "tgkill($P, $P, 0)", 0 },
	{ "ptrace(PTRACE_SEIZE, $P, 0, 0)", 0 },
	{ "process_vm_readv($P)", 0 },
	{ "process_vm_writev($P)", 0 },
	{ "kcmp($P, $P, 0, 0, 0)", 0 },
	{ "get_robust_list($P)", 0 },
	{ "move_pages($P, 0, 0, 0, 0, 2)", 0 },
	{ "ptrace(PTRACE_TRACEME)", 0 },

	/* calls that only seccomp has a say in */
	{ "getpid", 0 },
	{ "getuid", 0 },
	{ "uname", 0 },
	{ "getrandom", 0 },
	{ "personality(0xffffffff)", 0 },
	{ "personality(ADDR_NO_RANDOMIZE)", 0 },
	{ "personality(READ_IMPLIES_EXEC)", 0 },
	{ "prctl(PR_SET_NAME)", 0 },
	{ "prctl(PR_GET_DUMPABLE)", 0 },
	{ "prctl(PR_SET_DUMPABLE, 0)", 0 },
	{ "prctl(PR_SET_MM)", 0 },
	{ "prctl(PR_SET_NO_NEW_PRIVS, 1)", 0 },
	{ "seccomp", 0 },
	{ "keyctl(0, 0xfffffffd, 0)", 0 },
	{ "add_key(\"user\", \"x\", \"y\", 1, 0xfffffffe)", NOT_IN_VIEW },
	{ "request_key(\"user\", \"none\", 0, 0)", NOT_IN_VIEW },
	{ "io_uring_setup(1)", 0 },
	{ "userfaultfd(1)", 0 },
	{ "memfd_create(\"x\", 0)", 0 },
	{ "memfd_secret(0)", 0 },
	{ "inotify_init1(0)", 0 },
	{ "fanotify_init(0, 0)", NOT_IN_VIEW },
	{ "epoll_create1(0)", 0 },
	{ "eventfd2(0, 0)", 0 },
	{ "timerfd_create(CLOCK_MONOTONIC, 0)", 0 },
	{ "shmget(0, 4096, 0600)", 0 },
	{ "semget(0, 1, 0600)", 0 },
	{ "msgget(0, 0600)", 0 },
	{ "sched_yield", 0 },
	{ "setpgid(0, 0)", 0 },
	{ "setsid", 0 },
	{ "umask(077)", 0 },
	{ "dup(0)", 0 },
	{ "pipe2(0)", 0 },
	{ "fcntl(0, F_GETFD)", 0 },
	{ "ioctl(0, TIOCSTI)", NOT_IN_VIEW },
	{ "ioctl(0, TCGETS)", NOT_IN_VIEW },
	{ "mlockall(0)", 0 },
	{ "membarrier(0)", 0 },
	{ "modify_ldt(0)", 0 },
	{ "name_to_handle_at(AT_FDCWD, \"$A/rw/f\")", NOT_IN_VIEW },
	{ "clone3", 0 },
	{ "openat2", 0 },
	{ "landlock_create_ruleset(0, 0, 1)", 0 },
	{ "futex_waitv", 0 },
	{ "mseal(0, 0, 0)", 0 },
	{ "uselib", 0 },
	{ "_sysctl", 0 },
	{ "nfsservctl", 0 },
	{ "lookup_dcookie", 0 },
};
