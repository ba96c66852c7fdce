// SPDX-License-Identifier: Apache-2.0
/*
 * What a malicious build tries that is one call or one open. Arguments are such that the kernel
 * itself would let an unprivileged process through where it ever does: what is refused here is
 * refused by the sandbox or for want of capability, not for a bad argument.
 */
#pragma once

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/bpf.h>
#include <linux/if_alg.h>
#include <linux/keyctl.h>
#include <linux/netlink.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <time.h>

/* Changes the machine where it is not refused: tried only behind a lock that was seen. */
enum { DANGEROUS = 1 };

#define P(p) ((long)(p))
#define S(s) ((long)(s))

static char scratch[65536];
static struct perf_event_attr perf = { .type = PERF_TYPE_SOFTWARE,
				       .size = sizeof(perf),
				       .config = PERF_COUNT_SW_CPU_CLOCK,
				       .exclude_kernel = 1 };
static union bpf_attr bpf_map = {
	.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1
};
static struct timespec now;   /* filled by main */
static struct timeval now_tv; /* filled by main */
static struct timex no_adjustment = { .modes = ADJ_FREQUENCY };
static struct sched_param real_time = { .sched_priority = 1 };
static struct {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, rest[6];
} clone_user = { .flags = CLONE_NEWUSER, .exit_signal = SIGCHLD };
static struct {
	uint32_t version, pid, caps[6];
} all_caps = { .version = 0x20080522, .caps = { -1U, -1U, -1U, -1U, -1U, -1U } },
  all_caps_header = { .version = 0x20080522 };
static struct {
	uint64_t set, clear, propagation, userns;
} no_attrs = { .clear = 1 /* MOUNT_ATTR_RDONLY */ };

struct call {
	const char *name;
	long nr;
	long args[6];
	int flags;
};

static const struct call calls[] = {
	/* namespaces and mounts */
	{ "unshare-user", SYS_unshare, { CLONE_NEWUSER }, 0 },
	{ "unshare-mount", SYS_unshare, { CLONE_NEWNS }, 0 },
	{ "unshare-net", SYS_unshare, { CLONE_NEWNET }, 0 },
	{ "clone-user", SYS_clone, { CLONE_NEWUSER | SIGCHLD }, 0 },
	{ "clone3-user", SYS_clone3, { P(&clone_user), sizeof(clone_user) }, 0 },
	{ "mount-tmpfs", SYS_mount, { S("none"), S("/tmp"), S("tmpfs"), 0, 0 }, 0 },
	{ "mount-proc", SYS_mount, { S("none"), S("/tmp"), S("proc"), 0, 0 }, 0 },
	{ "mount-bind", SYS_mount, { S("/"), S("/tmp"), 0, MS_BIND, 0 }, 0 },
	{ "remount-root", SYS_mount, { 0, S("/"), 0, MS_REMOUNT | MS_BIND, 0 }, 0 },
	{ "umount-root", SYS_umount2, { S("/"), MNT_DETACH }, 0 },
	{ "umount-proc", SYS_umount2, { S("/proc"), MNT_DETACH }, 0 },
	{ "fsopen", SYS_fsopen, { S("tmpfs"), 0 }, 0 },
	{ "open_tree-clone", SYS_open_tree, { AT_FDCWD, S("/"), 1 }, 0 },
	{ "move_mount", SYS_move_mount, { AT_FDCWD, S("/proc"), AT_FDCWD, S("/tmp"), 0 }, 0 },
	{ "mount_setattr",
	  SYS_mount_setattr,
	  { AT_FDCWD, S("/"), 0, P(&no_attrs), sizeof(no_attrs) },
	  0 },
	{ "pivot_root", SYS_pivot_root, { S("/"), S("/") }, 0 },
	{ "chroot", SYS_chroot, { S("/") }, 0 },
	/* kernel code and kernel surface */
	{ "init_module", SYS_init_module, { P(scratch), 64, S("") }, DANGEROUS },
	{ "finit_module", SYS_finit_module, { 0, S(""), 0 }, DANGEROUS },
	{ "delete_module", SYS_delete_module, { S("cordon_none"), O_NONBLOCK }, DANGEROUS },
	{ "kexec_load", SYS_kexec_load, { 0, 0, 0, 0 }, DANGEROUS },
	{ "bpf", SYS_bpf, { BPF_MAP_CREATE, P(&bpf_map), sizeof(bpf_map) }, 0 },
	{ "perf_event_open", SYS_perf_event_open, { P(&perf), 0, -1, -1, 0 }, 0 },
	{ "userfaultfd", SYS_userfaultfd, { O_CLOEXEC | 1 /* user mode only */ }, 0 },
	{ "io_uring_setup", SYS_io_uring_setup, { 1, P(scratch) }, 0 },
	{ "fanotify_init", SYS_fanotify_init, { 0x200 /* report fid */, 0 }, 0 },
	{ "add_key", SYS_add_key, { S("user"), S("cordon"), S("x"), 1, -2 /* process */ }, 0 },
	{ "keyctl", SYS_keyctl, { KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 1 }, 0 },
	{ "request_key", SYS_request_key, { S("user"), S("cordon"), 0, 0 }, 0 },
	{ "name_to_handle_at",
	  SYS_name_to_handle_at,
	  { AT_FDCWD, S("/"), P(scratch), P(scratch + 512), 0 },
	  0 },
	{ "open_by_handle_at", SYS_open_by_handle_at, { AT_FDCWD, P(scratch), O_RDONLY }, 0 },
	{ "kcmp", SYS_kcmp, { 1, 1, 1, 0, 0 }, 0 },
	{ "personality", SYS_personality, { 0x0400000 /* READ_IMPLIES_EXEC */ }, 0 },
	{ "ptrace-traceme", SYS_ptrace, { 0 }, 0 },
#ifdef __x86_64__
	{ "modify_ldt", SYS_modify_ldt, { 0, P(scratch), sizeof(scratch) }, 0 },
	{ "iopl", SYS_iopl, { 3 }, DANGEROUS },
	{ "ioperm", SYS_ioperm, { 0x80, 1, 1 }, DANGEROUS },
	{ "x32-getpid", SYS_getpid | 0x40000000, { 0 }, 0 },
#endif
	{ "number-600", 600, { 0 }, 0 },
	{ "number-10000", 10000, { 0 }, 0 },
	/* the machine */
	{ "swapon", SYS_swapon, { S("/tmp/swap"), 0 }, DANGEROUS },
	{ "reboot", SYS_reboot, { (long)0xfee1dead, 672274793, RB_DISABLE_CAD, 0 }, DANGEROUS },
	{ "syslog", SYS_syslog, { 3, P(scratch), sizeof(scratch) }, 0 },
	{ "clock_settime", SYS_clock_settime, { CLOCK_REALTIME, P(&now) }, DANGEROUS },
	{ "settimeofday", SYS_settimeofday, { P(&now_tv), 0 }, DANGEROUS },
	{ "adjtimex", SYS_adjtimex, { P(&no_adjustment) }, DANGEROUS },
	{ "sethostname", SYS_sethostname, { S("breach"), 6 }, DANGEROUS },
	{ "setdomainname", SYS_setdomainname, { S("breach"), 6 }, DANGEROUS },
	{ "acct", SYS_acct, { 0 }, DANGEROUS },
	{ "vhangup", SYS_vhangup, { 0 }, DANGEROUS },
	{ "quotactl", SYS_quotactl, { 0x80000100 /* Q_SYNC */, 0, 0, 0 }, 0 },
	{ "mknod-null", SYS_mknodat, { AT_FDCWD, S("/tmp/null"), S_IFCHR | 0600, 0x103 }, 0 },
	{ "mknod-disk", SYS_mknodat, { AT_FDCWD, S("/tmp/disk"), S_IFBLK | 0600, 0x800 }, 0 },
	/* becoming somebody */
	{ "setresuid", SYS_setresuid, { 4242, 4242, 4242 }, 0 },
	{ "setresgid", SYS_setresgid, { 4242, 4242, 4242 }, 0 },
	{ "setgroups", SYS_setgroups, { 0, 0 }, 0 },
	{ "capset", SYS_capset, { P(&all_caps_header), P(&all_caps.caps) }, 0 },
	{ "real-time", SYS_sched_setscheduler, { 0, SCHED_FIFO, P(&real_time) }, DANGEROUS },
	{ "nice-20", SYS_setpriority, { 0, 0, -20 }, 0 },
};

/* Sockets that reach beyond a loopback of one's own, or into rarely used kernel code. */
static const struct {
	const char *name;
	int family, type, protocol;
} sockets[] = {
	{ "socket-packet", AF_PACKET, SOCK_RAW, 0 },
	{ "socket-raw", AF_INET, SOCK_RAW, 1 /* ICMP */ },
	{ "socket-raw6", AF_INET6, SOCK_RAW, 58 /* ICMPv6 */ },
	{ "socket-vsock", AF_VSOCK, SOCK_STREAM, 0 },
	{ "socket-alg", AF_ALG, SOCK_SEQPACKET, 0 },
	{ "socket-key", AF_KEY, SOCK_RAW, 2 },
	{ "socket-xdp", 44 /* AF_XDP */, SOCK_RAW, 0 },
	{ "socket-bluetooth", AF_BLUETOOTH, SOCK_RAW, 1 },
	{ "socket-can", AF_CAN, SOCK_RAW, 1 },
	{ "socket-tipc", AF_TIPC, SOCK_SEQPACKET, 0 },
	{ "socket-rds", AF_RDS, SOCK_SEQPACKET, 0 },
	{ "socket-audit", AF_NETLINK, SOCK_RAW, NETLINK_AUDIT },
	{ "socket-netfilter", AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER },
	{ "socket-uevent", AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT },
};

/* Files whose bytes must not be had: refused, absent or empty. */
static const char *const secrets[] = {
	"/etc/shadow",	     "/etc/gshadow",
	"/etc/sudoers",	     "/etc/ssh/ssh_host_rsa_key",
	"/proc/kcore",	     "/proc/kmsg",
	"/proc/keys",	     "/proc/key-users",
	"/proc/timer_list",  "/proc/slabinfo",
	"/proc/vmallocinfo", "/proc/sched_debug",
	"/proc/1/environ",   "/proc/1/mem",
	"/proc/1/auxv",	     "/proc/1/maps",
	"/dev/mem",	     "/dev/kmem",
	"/dev/port",	     "/dev/kmsg",
	"/dev/sda",	     "/dev/vda",
	"/dev/nvme0n1",	     "/dev/dm-0",
	"/var/log/auth.log", "/root/.bash_history",
	"/sys/kernel/notes", "/sys/firmware/dmi/tables/DMI",
};

/* Files that must not open for writing (they are opened and nothing is written). */
static const char *const controls[] = {
	"/proc/sysrq-trigger",
	"/proc/sys/kernel/core_pattern",
	"/proc/sys/kernel/modprobe",
	"/proc/sys/kernel/hostname",
	"/proc/sys/fs/binfmt_misc/register",
	"/proc/sys/vm/drop_caches",
	"/proc/irq/default_smp_affinity",
	"/proc/mtrr",
	"/proc/self/setgroups",
	"/sys/kernel/uevent_helper",
	"/sys/fs/cgroup/cgroup.procs",
	"/sys/power/state",
	"/dev/net/tun",
	"/dev/kvm",
	"/dev/fuse",
	"/dev/loop-control",
	"/dev/mapper/control",
	"/dev/uinput",
	"/dev/vhost-vsock",
};

/* Directories of the base: a file made here must not reach the host. */
static const char *const base_dirs[] = {
	"/",	"/usr", "/usr/bin", "/usr/lib",	       "/etc",	"/boot", "/opt",
	"/srv", "/var", "/var/lib", "/var/spool/cron", "/root",
};

/* In each home that can be seen. */
static const char *const home_secrets[] = {
	".ssh/id_ed25519",  ".ssh/id_rsa",   ".ssh/authorized_keys", ".gnupg/pubring.kbx",
	".aws/credentials", ".netrc",	     ".git-credentials",     ".docker/config.json",
	".kube/config",	    ".bash_history", ".config/gh/hosts.yml",
};
