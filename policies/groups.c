// SPDX-License-Identifier: Apache-2.0
/*
 * Names and contents are facts of systemd 252 (systemd.exec(5), `systemd-analyze syscall-filter`),
 * calls of other architectures left out; @sandbox is systemd 255's. Calls that no group of that
 * version holds stand beside their nearest relatives, in the second string of a group, so that
 * a group of ours is never smaller than systemd's. @known is the whole table.
 */
#include "policies/groups.h"

#include <errno.h>
#include <string.h>

#include "base/fd.h"
#include "base/limits.h"

struct group {
	const char *name;
	const char *members; /* separated by one space */
	const char *ours;    /* NULL: none of ours */
};

static const struct group groups[] = {
	{ "@aio",
	  "io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup "
	  "io_submit io_uring_enter io_uring_register io_uring_setup",
	  NULL },
	{ "@basic-io",
	  "_llseek close close_range dup dup2 dup3 lseek pread64 preadv preadv2 pwrite64 "
	  "pwritev pwritev2 read readv write writev",
	  NULL },
	{ "@chown", "chown chown32 fchown fchown32 fchownat lchown lchown32", NULL },
	{ "@clock",
	  "adjtimex clock_adjtime clock_adjtime64 clock_settime clock_settime64 settimeofday",
	  NULL },
	{ "@cpu-emulation", "modify_ldt vm86 vm86old", NULL },
	{ "@debug", "lookup_dcookie perf_event_open pidfd_getfd ptrace", NULL },
	{ "@default",
	  "arch_prctl brk clock_getres clock_getres_time64 clock_gettime clock_gettime64 "
	  "clock_nanosleep clock_nanosleep_time64 execve exit exit_group futex futex_time64 "
	  "futex_waitv get_robust_list get_thread_area getegid getegid32 geteuid geteuid32 "
	  "getgid getgid32 getgroups getgroups32 getpgid getpgrp getpid getppid getrandom "
	  "getresgid getresgid32 getresuid getresuid32 getrlimit getsid gettid gettimeofday "
	  "getuid getuid32 membarrier mmap mmap2 mprotect munmap nanosleep pause prlimit64 "
	  "restart_syscall rseq rt_sigreturn sched_getaffinity sched_yield set_robust_list "
	  "set_thread_area set_tid_address sigreturn time ugetrlimit uretprobe",
	  "futex_requeue futex_wait futex_wake map_shadow_stack mseal uprobe" },
	{ "@file-system",
	  "access chdir chmod close creat faccessat faccessat2 fallocate fchdir fchmod fchmodat "
	  "fchmodat2 fcntl fcntl64 fgetxattr flistxattr fremovexattr fsetxattr fstat fstat64 "
	  "fstatat64 fstatfs fstatfs64 ftruncate ftruncate64 futimesat getcwd getdents "
	  "getdents64 getxattr inotify_add_watch inotify_init inotify_init1 inotify_rm_watch "
	  "lgetxattr link linkat listxattr llistxattr lremovexattr lsetxattr lstat lstat64 "
	  "mkdir mkdirat mknod mknodat newfstatat oldfstat oldlstat oldstat open openat openat2 "
	  "readlink readlinkat removexattr rename renameat renameat2 rmdir setxattr stat stat64 "
	  "statfs statfs64 statx symlink symlinkat truncate truncate64 unlink unlinkat utime "
	  "utimensat utimensat_time64 utimes",
	  "cachestat file_getattr file_setattr getxattrat listxattrat removexattrat setxattrat" },
	{ "@io-event",
	  "_newselect epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait "
	  "epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 poll ppoll ppoll_time64 "
	  "pselect6 pselect6_time64 select",
	  NULL },
	{ "@ipc",
	  "ipc memfd_create mq_getsetattr mq_notify mq_open mq_timedreceive "
	  "mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink msgctl msgget "
	  "msgrcv msgsnd pipe pipe2 process_madvise process_vm_readv process_vm_writev semctl "
	  "semget semop semtimedop semtimedop_time64 shmat shmctl shmdt shmget",
	  NULL },
	{ "@keyring", "add_key keyctl request_key", NULL },
	{ "@known", NULL, NULL },
	{ "@memlock", "mlock mlock2 mlockall munlock munlockall", "memfd_secret mincore" },
	{ "@module", "delete_module finit_module init_module", NULL },
	{ "@mount",
	  "chroot fsconfig fsmount fsopen fspick mount mount_setattr move_mount open_tree "
	  "pivot_root umount umount2",
	  "listmount open_tree_attr statmount" },
	{ "@network-io",
	  "accept accept4 bind connect getpeername getsockname getsockopt listen recvfrom "
	  "recvmmsg recvmmsg_time64 recvmsg sendmmsg sendmsg sendto setsockopt shutdown socket "
	  "socketcall socketpair",
	  NULL },
	{ "@obsolete",
	  "_sysctl afs_syscall bdflush break create_module ftime get_kernel_syms getpmsg gtty "
	  "idle lock mpx prof profil putpmsg query_module security sgetmask ssetmask stime stty "
	  "sysfs tuxcall ulimit uselib ustat vserver",
	  NULL },
	{ "@pkey", "pkey_alloc pkey_free pkey_mprotect", NULL },
	{ "@privileged",
	  "@chown @clock @module @raw-io @reboot @swap _sysctl acct bpf capset chroot "
	  "fanotify_init fanotify_mark nfsservctl open_by_handle_at pivot_root quotactl "
	  "quotactl_fd setdomainname setfsuid setfsuid32 setgroups setgroups32 sethostname "
	  "setresuid setresuid32 setreuid setreuid32 setuid setuid32 vhangup",
	  "lsm_set_self_attr syslog" },
	{ "@process",
	  "capget clone clone3 execveat fork getrusage kill pidfd_open pidfd_send_signal prctl "
	  "rt_sigqueueinfo rt_tgsigqueueinfo setns tgkill times tkill unshare vfork wait4 "
	  "waitid waitpid",
	  "process_mrelease" },
	{ "@raw-io", "ioperm iopl", NULL },
	{ "@reboot", "kexec_file_load kexec_load reboot", NULL },
	{ "@resources",
	  "ioprio_set mbind migrate_pages move_pages nice sched_setaffinity sched_setattr "
	  "sched_setparam sched_setscheduler set_mempolicy set_mempolicy_home_node setpriority "
	  "setrlimit",
	  NULL },
	{ "@sandbox", "landlock_add_rule landlock_create_ruleset landlock_restrict_self seccomp",
	  NULL },
	{ "@setuid",
	  "setgid setgid32 setgroups setgroups32 setregid setregid32 setresgid setresgid32 "
	  "setresuid setresuid32 setreuid setreuid32 setuid setuid32",
	  NULL },
	{ "@signal",
	  "rt_sigaction rt_sigpending rt_sigprocmask rt_sigsuspend rt_sigtimedwait "
	  "rt_sigtimedwait_time64 sigaction sigaltstack signal signalfd signalfd4 sigpending "
	  "sigprocmask sigsuspend",
	  NULL },
	{ "@swap", "swapoff swapon", NULL },
	{ "@sync", "fdatasync fsync msync sync sync_file_range syncfs", NULL },
	{ "@system-service",
	  "@aio @basic-io @chown @default @file-system @io-event @ipc @keyring @memlock "
	  "@network-io @process @resources @setuid @signal @sync @timer capget capset "
	  "copy_file_range fadvise64 fadvise64_64 flock get_mempolicy getcpu getpriority ioctl "
	  "ioprio_get kcmp madvise mremap name_to_handle_at oldolduname olduname personality "
	  "readahead readdir remap_file_pages sched_get_priority_max sched_get_priority_min "
	  "sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval "
	  "sched_rr_get_interval_time64 sched_yield sendfile sendfile64 setfsgid setfsgid32 "
	  "setfsuid setfsuid32 setpgid setsid splice sysinfo tee umask uname userfaultfd "
	  "vmsplice",
	  "lsm_get_self_attr lsm_list_modules" },
	{ "@timer",
	  "alarm getitimer setitimer timer_create timer_delete timer_getoverrun timer_gettime "
	  "timer_gettime64 timer_settime timer_settime64 timerfd_create timerfd_gettime "
	  "timerfd_gettime64 timerfd_settime timerfd_settime64 times",
	  NULL },
};

static bool take(bool *set, const char *name, size_t len)
{
	size_t n;
	const struct syscall_desc *table = syscall_table(&n);
	char copy[LIMIT_NAME];
	const struct syscall_desc *call;

	if (len >= sizeof(copy))
		return false;
	memcpy(copy, name, len);
	copy[len] = '\0';
	if (copy[0] == '@')
		return groups_expand(copy, set) == 0;
	call = syscall_by_name(copy);
	if (!call)
		return false;
	set[call - table] = true;
	return true;
}

static bool take_all(bool *set, const char *members)
{
	while (members && *members) {
		size_t len = strcspn(members, " ");

		if (!take(set, members, len))
			return false;
		members += len + (members[len] == ' ');
	}
	return true;
}

int groups_expand(const char *name, bool *set)
{
	size_t n;

	(void)syscall_table(&n);
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		if (strcmp(groups[i].name, name) != 0)
			continue;
		if (!groups[i].members) {
			memset(set, true, n * sizeof(*set));
			return 0;
		}
		/* a member that the table lacks is a fault of this file, found by the unit test */
		return take_all(set, groups[i].members) && take_all(set, groups[i].ours) ? 0
											 : -EINVAL;
	}
	return -ENOENT;
}

const char *groups_name(size_t i)
{
	return i < ARRAY_SIZE(groups) ? groups[i].name : NULL;
}
