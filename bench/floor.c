// SPDX-License-Identifier: Apache-2.0
/*
 * floor DIR PROGRAM: the kernel work of one cold cordon launch and nothing else, so that what
 * cordon adds to it can be seen. Straight-line, no options, no checks beyond "did it work", no
 * notification answered, nothing recorded, nothing read back. DIR is a directory of the caller's,
 * shown as an overlay with a tmpfs upper; PROGRAM (static, below DIR) is the payload.
 *
 * Namespaces: user mount pid ipc uts cgroup net. Root: tmpfs with limits, eight read-only binds of
 * the host's top-level directories, the overlay, six devices, devpts, proc; pivot_root. Then
 * rlimits, no capabilities, no_new_privs, Landlock, seccomp with a listener handed to the parent,
 * pid 2, exec.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#endif

/* Line number and errno are all that a failed benchmark needs. */
#define MUST(call)                                                                                 \
	({                                                                                         \
		long _r = (long)(call);                                                            \
		if (_r < 0) {                                                                      \
			dprintf(2, "floor: line %d: %s: %s\n", __LINE__, #call, strerror(errno));  \
			_exit(125);                                                                \
		}                                                                                  \
		_r;                                                                                \
	})

/* What a policy for ordinary programs refuses: ranges between these are allowed by number. */
static const int refused[] = {
	SYS_ptrace,
	SYS_syslog,
	SYS_personality,
	SYS_vhangup,
	SYS_pivot_root,
	SYS_adjtimex,
	SYS_chroot,
	SYS_acct,
	SYS_settimeofday,
	SYS_mount,
	SYS_umount2,
	SYS_swapon,
	SYS_swapoff,
	SYS_reboot,
	SYS_sethostname,
	SYS_setdomainname,
	SYS_init_module,
	SYS_delete_module,
	SYS_quotactl,
	SYS_lookup_dcookie,
	SYS_clock_settime,
	SYS_kexec_load,
	SYS_add_key,
	SYS_request_key,
	SYS_keyctl,
	SYS_migrate_pages,
	SYS_unshare,
	SYS_move_pages,
	SYS_perf_event_open,
	SYS_fanotify_init,
	SYS_name_to_handle_at,
	SYS_open_by_handle_at,
	SYS_clock_adjtime,
	SYS_setns,
	SYS_process_vm_readv,
	SYS_process_vm_writev,
	SYS_kcmp,
	SYS_finit_module,
	SYS_bpf,
	SYS_userfaultfd,
	SYS_io_uring_setup,
	SYS_io_uring_enter,
	SYS_io_uring_register,
	SYS_open_tree,
	SYS_move_mount,
	SYS_fsopen,
	SYS_fsconfig,
	SYS_fsmount,
	SYS_fspick,
	SYS_pidfd_getfd,
	SYS_mount_setattr,
	SYS_quotactl_fd,
#if defined(__x86_64__)
	SYS_uselib,
	SYS_ustat,
	SYS_sysfs,
	SYS_modify_ldt,
	SYS__sysctl,
	SYS_iopl,
	SYS_ioperm,
	SYS_create_module,
	SYS_get_kernel_syms,
	SYS_query_module,
	SYS_nfsservctl,
	SYS_kexec_file_load,
#endif
};

enum { LAST_NR = 450, MAX_INSNS = 1024 };
static struct sock_filter insns[MAX_INSNS];
static unsigned n_insns;

static void put(uint16_t code, uint32_t k, unsigned jt, unsigned jf)
{
	insns[n_insns++] =
		(struct sock_filter){ .code = code, .k = k, .jt = (uint8_t)jt, .jf = (uint8_t)jf };
}

/* A balanced tree over the boundaries lo..hi (indexes of starts[]); each leaf returns. */
static void tree(const int *starts, const uint32_t *verdicts, unsigned lo, unsigned hi)
{
	if (hi - lo == 1) {
		put(BPF_RET | BPF_K, verdicts[lo], 0, 0);
		return;
	}
	unsigned mid = (lo + hi) / 2, at = n_insns;

	put(BPF_JMP | BPF_JGE | BPF_K, (uint32_t)starts[mid], 0, 0);
	put(BPF_JMP | BPF_JA, 0, 0, 0);
	tree(starts, verdicts, lo, mid);
	insns[at].jt = 1 - 1; /* to the far jump */
	insns[at].jf = 1;
	insns[at + 1].k = n_insns - at - 2;
	tree(starts, verdicts, mid, hi);
}

static int compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static struct sock_fprog filter(void)
{
	enum { N = sizeof(refused) / sizeof(*refused) };
	static int sorted[N], starts[2 * N + 2];
	static uint32_t verdicts[2 * N + 2];
	unsigned n = 0;
	int next = 0;

	memcpy(sorted, refused, sizeof(refused));
	qsort(sorted, N, sizeof(*sorted), compare);
	for (unsigned i = 0; i < N; i++) {
		if (sorted[i] > next) {
			starts[n] = next;
			verdicts[n++] = SECCOMP_RET_ALLOW;
		}
		starts[n] = sorted[i];
		verdicts[n++] = SECCOMP_RET_USER_NOTIF;
		next = sorted[i] + 1;
	}
	starts[n] = next;
	verdicts[n++] = SECCOMP_RET_ALLOW;
	starts[n] = LAST_NR + 1;
	verdicts[n++] = SECCOMP_RET_USER_NOTIF;

	put(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch), 0, 0);
	put(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
	put(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF, 0, 0);
	put(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
	tree(starts, verdicts, 0, n);
	return (struct sock_fprog){ .len = (unsigned short)n_insns, .filter = insns };
}

static void write_file(const char *path, const char *text)
{
	int fd = (int)MUST(open(path, O_WRONLY | O_CLOEXEC));

	MUST(write(fd, text, strlen(text)));
	close(fd);
}

static void ids(uid_t uid, gid_t gid)
{
	char map[64];

	write_file("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "%u %u 1", uid, uid);
	write_file("/proc/self/uid_map", map);
	snprintf(map, sizeof(map), "%u %u 1", gid, gid);
	write_file("/proc/self/gid_map", map);
	MUST(sethostname("floor", 5));

	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = (int)MUST(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));

	MUST(ioctl(fd, SIOCSIFFLAGS, &lo));
	close(fd);
}

static int new_fs(const char *type, const char *const options[][2], unsigned attrs)
{
	int fs = (int)MUST(fsopen(type, FSOPEN_CLOEXEC));

	for (; options && (*options)[0]; options++)
		MUST(fsconfig(fs, FSCONFIG_SET_STRING, (*options)[0], (*options)[1], 0));
	MUST(fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
	int mnt = (int)MUST(fsmount(fs, FSMOUNT_CLOEXEC, attrs));

	close(fs);
	return mnt;
}

static void attach(int mnt, int root, const char *to)
{
	MUST(move_mount(mnt, "", root, to, MOVE_MOUNT_F_EMPTY_PATH));
	close(mnt);
}

static void binds(int root)
{
	static const char *const dirs[] = { "usr", "etc",  "var",   "opt",
					    "srv", "boot", "media", "mnt" };
	static const char *const links[] = { "bin", "sbin", "lib", "lib64" };
	struct mount_attr ro = { .attr_set =
					 MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV };
	char path[32], target[64];

	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++) {
		snprintf(path, sizeof(path), "/%s", dirs[i]);
		int tree = open_tree(AT_FDCWD, path,
				     OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);

		if (tree < 0)
			continue; /* this host has it not */
		MUST(mkdirat(root, dirs[i], 0755));
		MUST(mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &ro, sizeof(ro)));
		attach(tree, root, dirs[i]);
	}
	for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++) {
		snprintf(target, sizeof(target), "usr/%s", links[i]);
		MUST(symlinkat(target, root, links[i]));
	}
}

/* DIR below the new root, as an overlay whose upper is a tmpfs that nothing else shows. */
static void overlay(int root, const char *dir)
{
	static const char *const limits[][2] = { { "size", "1G" },
						 { "nr_inodes", "100000" },
						 { 0 } };
	int upper = new_fs("tmpfs", limits, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	char up[64], work[64], path[4096];

	MUST(mkdirat(upper, "upper", 0755));
	MUST(mkdirat(upper, "work", 0755));
	snprintf(up, sizeof(up), "/proc/self/fd/%d/upper", upper);
	snprintf(work, sizeof(work), "/proc/self/fd/%d/work", upper);
	const char *const options[][2] = {
		{ "lowerdir", dir }, { "upperdir", up }, { "workdir", work }, { 0 }
	};
	int fs = (int)MUST(fsopen("overlay", FSOPEN_CLOEXEC));

	for (unsigned i = 0; options[i][0]; i++)
		MUST(fsconfig(fs, FSCONFIG_SET_STRING, options[i][0], options[i][1], 0));
	MUST(fsconfig(fs, FSCONFIG_SET_FLAG, "userxattr", NULL, 0));
	MUST(fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
	int mnt = (int)MUST(fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV));

	close(fs);
	close(upper);
	snprintf(path, sizeof(path), "%s", dir + 1);
	for (char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdirat(root, path, 0755);
		*slash = '/';
	}
	mkdirat(root, path, 0755);
	attach(mnt, root, path);
}

static void devices(int root)
{
	static const char *const names[] = { "null", "zero", "full", "random", "urandom", "tty" };
	static const char *const pts[][2] = { { "ptmxmode", "0666" }, { "mode", "0620" }, { 0 } };
	char from[32], to[32];

	MUST(mkdirat(root, "dev", 0755));
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		snprintf(from, sizeof(from), "/dev/%s", names[i]);
		snprintf(to, sizeof(to), "dev/%s", names[i]);
		close((int)MUST(openat(root, to, O_CREAT | O_WRONLY | O_CLOEXEC, 0600)));
		attach((int)MUST(open_tree(AT_FDCWD, from, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC)),
		       root, to);
	}
	MUST(mkdirat(root, "dev/pts", 0755));
	attach(new_fs("devpts", pts, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC), root, "dev/pts");
	MUST(symlinkat("pts/ptmx", root, "dev/ptmx"));
	MUST(mkdirat(root, "proc", 0555));
	attach(new_fs("proc", NULL, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC), root,
	       "proc");
}

static void root_tree(const char *dir)
{
	static const char *const limits[][2] = {
		{ "size", "64M" }, { "nr_inodes", "10000" }, { "mode", "0755" }, { 0 }
	};

	MUST(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	attach(new_fs("tmpfs", limits, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV), AT_FDCWD, "/tmp");
	int root = (int)MUST(open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC));

	binds(root);
	overlay(root, dir);
	devices(root);
	MUST(fchdir(root));
	MUST(syscall(SYS_pivot_root, ".", "."));
	MUST(umount2(".", MNT_DETACH));
	MUST(chdir(dir));
	close(root);
}

static void landlock(const char *dir)
{
	const uint64_t read_exec = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE |
				   LANDLOCK_ACCESS_FS_READ_DIR;
	const struct {
		const char *path;
		uint64_t access;
	} rules[] = { { "/", read_exec },  { dir, 0x7fff },	   { "/dev", 0x400e },
		      { "/proc", 0x400e }, { "/dev/pts", 0x400e }, { "/usr", read_exec } };
	struct landlock_ruleset_attr attr = { .handled_access_fs = 0x7fff }; /* ABI 3 */
	int ruleset = (int)MUST(syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0));

	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
		struct landlock_path_beneath_attr rule = {
			.allowed_access = rules[i].access,
			.parent_fd = (int)MUST(open(rules[i].path, O_PATH | O_CLOEXEC)),
		};

		MUST(syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0));
		close(rule.parent_fd);
	}
	MUST(syscall(SYS_landlock_restrict_self, ruleset, 0));
	close(ruleset);
}

static void lock(const char *dir, const struct sock_fprog *prog, int wire)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { 0 };
	const struct rlimit core = { 0, 0 }, files = { 1024, 1024 }, processes = { 512, 512 };

	MUST(setrlimit(RLIMIT_CORE, &core));
	MUST(setrlimit(RLIMIT_NOFILE, &files));
	MUST(setrlimit(RLIMIT_NPROC, &processes));
	for (unsigned cap = 0; prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0; cap++)
		;
	MUST(prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED, 0, 0, 0));
	MUST(syscall(SYS_capset, &header, none));
	MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	landlock(dir);
	int listener = (int)MUST(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
					 SECCOMP_FILTER_FLAG_NEW_LISTENER, prog));
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr header;
	} control = { .header = { .cmsg_level = SOL_SOCKET,
				  .cmsg_type = SCM_RIGHTS,
				  .cmsg_len = CMSG_LEN(sizeof(int)) } };
	char byte = 0;
	struct iovec one = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &one,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control) };

	memcpy(CMSG_DATA(&control.header), &listener, sizeof(int));
	MUST(sendmsg(wire, &msg, 0));
	close(listener);
	close(wire);
}

static int child(const char *dir, char *const argv[], uid_t uid, gid_t gid,
		 const struct sock_fprog *prog, int wire)
{
	int status;

	MUST(prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0));
	ids(uid, gid);
	root_tree(dir);
	lock(dir, prog, wire);
	pid_t payload = (pid_t)MUST(fork());

	if (payload == 0) {
		MUST(setsid());
		MUST(close_range(3, ~0U, CLOSE_RANGE_CLOEXEC));
		execve(argv[0], argv, environ);
		_exit(127);
	}
	while (waitpid(-1, &status, 0) != payload)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
	int wire[2], pidfd = -1;
	siginfo_t info;
	struct clone_args args = {
		.flags = CLONE_PIDFD | CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC |
			 CLONE_NEWUTS | CLONE_NEWCGROUP | CLONE_NEWNET,
		.pidfd = (uint64_t)(uintptr_t)&pidfd,
		.exit_signal = SIGCHLD,
	};

	if (argc < 3)
		return 2;
	uid_t uid = getuid();
	gid_t gid = getgid();
	struct sock_fprog prog = filter();

	MUST(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, wire));
	if (MUST(syscall(SYS_clone3, &args, sizeof(args))) == 0)
		_exit(child(argv[1], argv + 2, uid, gid, &prog, wire[1]));
	close(wire[1]);

	char bytes[CMSG_SPACE(sizeof(int))], byte;
	struct iovec one = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &one,
			      .msg_iovlen = 1,
			      .msg_control = bytes,
			      .msg_controllen = sizeof(bytes) };

	MUST(recvmsg(wire[0], &msg, MSG_CMSG_CLOEXEC));
	MUST(waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED));
	return info.si_status;
}
