// SPDX-License-Identifier: Apache-2.0
/*
 * Families are facts of the manual pages (the *at forms of section 2, "C library/kernel
 * differences") and of i386's table, where 32-bit users and 64-bit offsets came as second calls.
 * A call is with its family only when it does the whole of what the others do: fstat asks about a
 * file that is open already, so it is no twin of stat.
 */
#include "policies/twins.h"

#include <string.h>

#include "base/fd.h"

static const struct twins table[] = {
	{ "CP201", "opens files", "creat open openat openat2", false },
	{ "CP202", "looks at a file's attributes by name",
	  "fstatat64 lstat lstat64 newfstatat oldlstat oldstat stat stat64 statx", false },
	{ "CP203", "makes processes and namespaces", "clone clone3", false },
	{ "CP203", "makes processes", "clone clone3 fork vfork", true },
	{ "CP203", "makes namespaces", "clone clone3 unshare", false },
	{ "CP204", "runs programs", "execve execveat", false },
	{ "CP207", "changes modes", "chmod fchmodat fchmodat2", false },
	{ "CP207", "changes owners by name", "chown chown32 fchownat lchown lchown32", false },
	{ "CP207", "changes owners of open files", "fchown fchown32", false },
	{ "CP207", "removes names", "unlink unlinkat", false },
	{ "CP207", "removes directories", "rmdir unlinkat", false },
	{ "CP207", "renames", "rename renameat renameat2", false },
	{ "CP207", "makes hard links", "link linkat", false },
	{ "CP207", "makes symbolic links", "symlink symlinkat", false },
	{ "CP207", "makes directories", "mkdir mkdirat", false },
	{ "CP207", "makes special files", "mknod mknodat", false },
	{ "CP207", "truncates by name", "truncate truncate64", false },
	{ "CP207", "truncates open files", "ftruncate ftruncate64", false },
	{ "CP207", "asks whether files can be accessed", "access faccessat faccessat2", false },
	{ "CP207", "reads symbolic links", "readlink readlinkat", false },
	{ "CP207", "changes times", "futimesat utime utimensat utimensat_time64 utimes", false },
	{ "CP207", "reads directories", "getdents getdents64 readdir", false },
	{ "CP207", "sets extended attributes", "fsetxattr lsetxattr setxattr setxattrat", false },
	{ "CP207", "removes extended attributes",
	  "fremovexattr lremovexattr removexattr removexattrat", false },
	{ "CP207", "reads extended attributes", "fgetxattr getxattr getxattrat lgetxattr", false },
	{ "CP207", "reads files", "pread64 preadv preadv2 read readv", false },
	{ "CP207", "writes files", "pwrite64 pwritev pwritev2 write writev", false },
	{ "CP207", "copies between files", "copy_file_range sendfile sendfile64 splice", false },
	{ "CP207", "makes memory executable", "mprotect pkey_mprotect", false },
	{ "CP207", "maps memory", "mmap mmap2", false },
	{ "CP207", "locks memory", "mlock mlock2", false },
	{ "CP207", "reads other processes' memory", "process_vm_readv ptrace", false },
	{ "CP207", "writes other processes' memory", "process_vm_writev ptrace", false },
	{ "CP207", "takes other processes' files", "pidfd_getfd ptrace", false },
	{ "CP207", "sends signals",
	  "kill pidfd_send_signal rt_sigqueueinfo rt_tgsigqueueinfo tgkill tkill", false },
	{ "CP207", "makes mounts", "fsmount mount move_mount open_tree open_tree_attr", false },
	{ "CP207", "makes file systems", "fsmount mount", false },
	{ "CP207", "changes mounts' flags", "mount mount_setattr", false },
	{ "CP207", "takes mounts away", "umount umount2", false },
	{ "CP207", "loads modules", "finit_module init_module", false },
	{ "CP207", "replaces the kernel", "kexec_file_load kexec_load", false },
	{ "CP207", "sets the clock",
	  "adjtimex clock_adjtime clock_adjtime64 clock_settime clock_settime64 settimeofday "
	  "stime",
	  false },
	{ "CP207", "steers quotas", "quotactl quotactl_fd", false },
	{ "CP207", "adds keys", "add_key keyctl request_key", false },
	{ "CP207", "opens I/O ports", "ioperm iopl", false },
	{ "CP207", "sets limits", "prlimit64 setrlimit", false },
	{ "CP207", "sets scheduling", "sched_setattr sched_setparam sched_setscheduler", false },
	{ "CP207", "sends", "sendmmsg sendmsg sendto", false },
	{ "CP207", "receives", "recvfrom recvmmsg recvmmsg_time64 recvmsg", false },
	{ "CP207", "accepts connections", "accept accept4", false },
	{ "CP207", "waits for children", "wait4 waitid waitpid", false },
	{ "CP207", "watches files", "inotify_init inotify_init1", false },
	{ "CP207", "duplicates descriptors", "dup2 dup3", false },
	{ "CP207", "changes the user", "setresuid setresuid32 setreuid setreuid32 setuid setuid32",
	  false },
	{ "CP207", "changes the group", "setgid setgid32 setregid setregid32 setresgid setresgid32",
	  false },
	{ "CP207", "changes supplementary groups", "setgroups setgroups32", false },
	{ "CP207", "moves pages of others", "migrate_pages move_pages", false },
};

static const struct multiplexer multiplexers[] = {
	{ "socketcall",
	  "accept accept4 bind connect getpeername getsockname getsockopt listen recvfrom recvmmsg "
	  "recvmsg sendmmsg sendmsg sendto setsockopt shutdown socket socketpair" },
	{ "ipc", "msgctl msgget msgrcv msgsnd semctl semget semop semtimedop shmat shmctl shmdt "
		 "shmget" },
	{ "io_uring_enter",
	  "accept accept4 bind close connect epoll_ctl fadvise64 fallocate fgetxattr fsetxattr "
	  "fsync ftruncate getxattr linkat listen madvise mkdirat openat openat2 pipe2 read "
	  "readv recvmsg renameat renameat2 sendmsg sendto setxattr shutdown socket splice statx "
	  "symlinkat sync_file_range tee unlinkat waitid write writev" },
};

const struct twins *twins_table(size_t *ret_count)
{
	*ret_count = ARRAY_SIZE(table);
	return table;
}

const struct multiplexer *multiplexer_table(size_t *ret_count)
{
	*ret_count = ARRAY_SIZE(multiplexers);
	return multiplexers;
}

bool twins_has(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = list; (p = strstr(p, word)) != NULL; p += len) {
		if ((p == list || p[-1] == ' ') && (p[len] == ' ' || p[len] == '\0'))
			return true;
	}
	return false;
}
