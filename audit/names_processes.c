// SPDX-License-Identifier: Apache-2.0
/* Names for calls on processes, memory, credentials and the kernel itself. */
#include <linux/bpf.h>
#include <linux/kexec.h>
#include <linux/keyctl.h>
#include <linux/prctl.h>
#include <linux/ptrace.h>
#include <linux/reboot.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/userfaultfd.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <time.h>

#include "audit/names.h"

#define NAMESPACES                                                                                 \
	NAME(CLONE_NEWNS), NAME(CLONE_NEWCGROUP), NAME(CLONE_NEWUTS), NAME(CLONE_NEWIPC),          \
		NAME(CLONE_NEWUSER), NAME(CLONE_NEWPID), NAME(CLONE_NEWNET)
#define CLONE_COMMON                                                                               \
	NAME(CLONE_VM), NAME(CLONE_FS), NAME(CLONE_FILES), NAME(CLONE_SIGHAND), NAME(CLONE_PIDFD), \
		NAME(CLONE_PTRACE), NAME(CLONE_VFORK), NAME(CLONE_PARENT), NAME(CLONE_THREAD),     \
		NAMESPACES, NAME(CLONE_SYSVSEM), NAME(CLONE_SETTLS), NAME(CLONE_PARENT_SETTID),    \
		NAME(CLONE_CHILD_CLEARTID), NAME(CLONE_DETACHED), NAME(CLONE_UNTRACED),            \
		NAME(CLONE_CHILD_SETTID), NAME(CLONE_IO)

/* clone(2) keeps the exit signal in its low byte; there 0x80 is no CLONE_NEWTIME. */
static const struct name_value clone_low[] = { { 0, "0" }, { 17, "SIGCHLD" } };
static const struct name_value clone_bits[] = { CLONE_COMMON };
static NAMES_BOTH(clone_flags, CSIGNAL, clone_low, clone_bits);
static const struct name_value clone3_bits[] = {
	CLONE_COMMON,
	NAME(CLONE_NEWTIME),
	NAME(CLONE_CLEAR_SIGHAND),
	NAME(CLONE_INTO_CGROUP),
};
NAMES_FLAGS(names_clone3_flags, clone3_bits);
static const struct name_value unshare_bits[] = {
	NAMESPACES,	NAME(CLONE_NEWTIME), NAME(CLONE_FS),	 NAME(CLONE_FILES),
	NAME(CLONE_VM), NAME(CLONE_SIGHAND), NAME(CLONE_THREAD), NAME(CLONE_SYSVSEM),
};
static NAMES_FLAGS(unshare_flags, unshare_bits);

static const struct name_value prot_bits[] = { NAME(PROT_READ), NAME(PROT_WRITE), NAME(PROT_EXEC),
					       NAME(PROT_GROWSDOWN), NAME(PROT_GROWSUP) };
static const struct name_value prot_low[] = { NAME(PROT_NONE) };
static const struct name_set prot_flags = { prot_low, 1, 0, prot_bits,
					    sizeof(prot_bits) / sizeof(prot_bits[0]) };
static const struct name_value map_low[] = { NAME(MAP_SHARED), NAME(MAP_PRIVATE),
					     NAME(MAP_SHARED_VALIDATE) };
static const struct name_value map_bits[] = {
	NAME(MAP_FIXED),  NAME(MAP_ANONYMOUS), NAME(MAP_GROWSDOWN), NAME(MAP_DENYWRITE),
	NAME(MAP_LOCKED), NAME(MAP_NORESERVE), NAME(MAP_POPULATE),  NAME(MAP_NONBLOCK),
	NAME(MAP_STACK),  NAME(MAP_HUGETLB),   NAME(MAP_SYNC),	    NAME(MAP_FIXED_NOREPLACE),
};
static NAMES_BOTH(map_flags, MAP_TYPE, map_low, map_bits);

static const struct name_value ptrace_values[] = {
	NAME(PTRACE_TRACEME),
	NAME(PTRACE_PEEKTEXT),
	NAME(PTRACE_PEEKDATA),
	NAME(PTRACE_PEEKUSR),
	NAME(PTRACE_POKETEXT),
	NAME(PTRACE_POKEDATA),
	NAME(PTRACE_POKEUSR),
	NAME(PTRACE_CONT),
	NAME(PTRACE_KILL),
	NAME(PTRACE_SINGLESTEP),
	{ 12, "PTRACE_GETREGS" },
	{ 13, "PTRACE_SETREGS" },
	{ 14, "PTRACE_GETFPREGS" },
	{ 15, "PTRACE_SETFPREGS" },
	NAME(PTRACE_ATTACH),
	NAME(PTRACE_DETACH),
	NAME(PTRACE_SYSCALL),
	NAME(PTRACE_SETOPTIONS),
	NAME(PTRACE_GETEVENTMSG),
	NAME(PTRACE_GETSIGINFO),
	NAME(PTRACE_SETSIGINFO),
	NAME(PTRACE_GETREGSET),
	NAME(PTRACE_SETREGSET),
	NAME(PTRACE_SEIZE),
	NAME(PTRACE_INTERRUPT),
	NAME(PTRACE_LISTEN),
	NAME(PTRACE_PEEKSIGINFO),
	NAME(PTRACE_GETSIGMASK),
	NAME(PTRACE_SETSIGMASK),
	NAME(PTRACE_SECCOMP_GET_FILTER),
	NAME(PTRACE_SECCOMP_GET_METADATA),
	NAME(PTRACE_GET_SYSCALL_INFO),
	NAME(PTRACE_GET_RSEQ_CONFIGURATION),
};
static NAMES_ENUM(ptrace_requests, ptrace_values);

static const struct name_value prctl_values[] = {
	NAME(PR_SET_PDEATHSIG),
	NAME(PR_GET_PDEATHSIG),
	NAME(PR_GET_DUMPABLE),
	NAME(PR_SET_DUMPABLE),
	NAME(PR_GET_KEEPCAPS),
	NAME(PR_SET_KEEPCAPS),
	NAME(PR_SET_TIMING),
	NAME(PR_SET_NAME),
	NAME(PR_GET_NAME),
	NAME(PR_GET_SECCOMP),
	NAME(PR_SET_SECCOMP),
	NAME(PR_CAPBSET_READ),
	NAME(PR_CAPBSET_DROP),
	NAME(PR_GET_TSC),
	NAME(PR_SET_TSC),
	NAME(PR_GET_SECUREBITS),
	NAME(PR_SET_SECUREBITS),
	NAME(PR_SET_TIMERSLACK),
	NAME(PR_GET_TIMERSLACK),
	NAME(PR_TASK_PERF_EVENTS_DISABLE),
	NAME(PR_TASK_PERF_EVENTS_ENABLE),
	NAME(PR_MCE_KILL),
	NAME(PR_SET_MM),
	NAME(PR_SET_PTRACER),
	NAME(PR_SET_CHILD_SUBREAPER),
	NAME(PR_GET_CHILD_SUBREAPER),
	NAME(PR_SET_NO_NEW_PRIVS),
	NAME(PR_GET_NO_NEW_PRIVS),
	NAME(PR_GET_TID_ADDRESS),
	NAME(PR_SET_THP_DISABLE),
	NAME(PR_GET_THP_DISABLE),
	NAME(PR_CAP_AMBIENT),
	NAME(PR_GET_SPECULATION_CTRL),
	NAME(PR_SET_SPECULATION_CTRL),
	NAME(PR_SET_IO_FLUSHER),
	NAME(PR_GET_IO_FLUSHER),
	NAME(PR_SET_SYSCALL_USER_DISPATCH),
	NAME(PR_SCHED_CORE),
	NAME(PR_SET_VMA),
	{ 65, "PR_SET_MDWE" },
	{ 66, "PR_GET_MDWE" },
	{ 67, "PR_SET_MEMORY_MERGE" },
};
static NAMES_ENUM(prctl_options, prctl_values);

static const struct name_value arch_prctl_values[] = {
	{ 0x1001, "ARCH_SET_GS" },	   { 0x1002, "ARCH_SET_FS" },
	{ 0x1003, "ARCH_GET_FS" },	   { 0x1004, "ARCH_GET_GS" },
	{ 0x1011, "ARCH_GET_CPUID" },	   { 0x1012, "ARCH_SET_CPUID" },
	{ 0x1021, "ARCH_GET_XCOMP_SUPP" }, { 0x1022, "ARCH_GET_XCOMP_PERM" },
	{ 0x1023, "ARCH_REQ_XCOMP_PERM" }, { 0x5001, "ARCH_SHSTK_ENABLE" },
	{ 0x5002, "ARCH_SHSTK_DISABLE" },  { 0x5003, "ARCH_SHSTK_LOCK" },
};
static NAMES_ENUM(arch_prctl_options, arch_prctl_values);

static const struct name_value keyctl_values[] = {
	NAME(KEYCTL_GET_KEYRING_ID),
	NAME(KEYCTL_JOIN_SESSION_KEYRING),
	NAME(KEYCTL_UPDATE),
	NAME(KEYCTL_REVOKE),
	NAME(KEYCTL_CHOWN),
	NAME(KEYCTL_SETPERM),
	NAME(KEYCTL_DESCRIBE),
	NAME(KEYCTL_CLEAR),
	NAME(KEYCTL_LINK),
	NAME(KEYCTL_UNLINK),
	NAME(KEYCTL_SEARCH),
	NAME(KEYCTL_READ),
	NAME(KEYCTL_INSTANTIATE),
	NAME(KEYCTL_NEGATE),
	NAME(KEYCTL_SET_REQKEY_KEYRING),
	NAME(KEYCTL_SET_TIMEOUT),
	NAME(KEYCTL_ASSUME_AUTHORITY),
	NAME(KEYCTL_GET_SECURITY),
	NAME(KEYCTL_SESSION_TO_PARENT),
	NAME(KEYCTL_REJECT),
	NAME(KEYCTL_INSTANTIATE_IOV),
	NAME(KEYCTL_INVALIDATE),
	NAME(KEYCTL_GET_PERSISTENT),
	NAME(KEYCTL_DH_COMPUTE),
	NAME(KEYCTL_RESTRICT_KEYRING),
	NAME(KEYCTL_MOVE),
	NAME(KEYCTL_CAPABILITIES),
	NAME(KEYCTL_WATCH_KEY),
};
static NAMES_ENUM(keyctl_options, keyctl_values);

static const struct name_value bpf_values[] = {
	NAME(BPF_MAP_CREATE),	    NAME(BPF_MAP_LOOKUP_ELEM),
	NAME(BPF_MAP_UPDATE_ELEM),  NAME(BPF_MAP_DELETE_ELEM),
	NAME(BPF_MAP_GET_NEXT_KEY), NAME(BPF_PROG_LOAD),
	NAME(BPF_OBJ_PIN),	    NAME(BPF_OBJ_GET),
	NAME(BPF_PROG_ATTACH),	    NAME(BPF_PROG_DETACH),
	NAME(BPF_PROG_TEST_RUN),    NAME(BPF_PROG_GET_NEXT_ID),
	NAME(BPF_MAP_GET_NEXT_ID),  NAME(BPF_PROG_GET_FD_BY_ID),
	NAME(BPF_MAP_GET_FD_BY_ID), NAME(BPF_OBJ_GET_INFO_BY_FD),
	NAME(BPF_PROG_QUERY),	    NAME(BPF_RAW_TRACEPOINT_OPEN),
	NAME(BPF_BTF_LOAD),	    NAME(BPF_BTF_GET_FD_BY_ID),
	NAME(BPF_TASK_FD_QUERY),    NAME(BPF_MAP_LOOKUP_AND_DELETE_ELEM),
	NAME(BPF_MAP_FREEZE),	    NAME(BPF_BTF_GET_NEXT_ID),
	NAME(BPF_LINK_CREATE),	    NAME(BPF_LINK_UPDATE),
	NAME(BPF_ENABLE_STATS),	    NAME(BPF_ITER_CREATE),
	NAME(BPF_LINK_DETACH),	    NAME(BPF_PROG_BIND_MAP),
};
static NAMES_ENUM(bpf_commands, bpf_values);

static const struct name_value seccomp_values[] = { NAME(SECCOMP_SET_MODE_STRICT),
						    NAME(SECCOMP_SET_MODE_FILTER),
						    NAME(SECCOMP_GET_ACTION_AVAIL),
						    NAME(SECCOMP_GET_NOTIF_SIZES) };
static NAMES_ENUM(seccomp_operations, seccomp_values);
static const struct name_value seccomp_bits[] = {
	NAME(SECCOMP_FILTER_FLAG_TSYNC),       NAME(SECCOMP_FILTER_FLAG_LOG),
	NAME(SECCOMP_FILTER_FLAG_SPEC_ALLOW),  NAME(SECCOMP_FILTER_FLAG_NEW_LISTENER),
	NAME(SECCOMP_FILTER_FLAG_TSYNC_ESRCH), NAME(SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV),
};
static NAMES_FLAGS(seccomp_flags, seccomp_bits);

/* Personalities: the low byte is a domain, of which only Linux's own has a use. */
static const struct name_value persona_low[] = { { 0, "PER_LINUX" }, { 8, "PER_LINUX32" } };
static const struct name_value persona_bits[] = {
	{ 0x0020000, "UNAME26" },
	{ 0x0040000, "ADDR_NO_RANDOMIZE" },
	{ 0x0080000, "FDPIC_FUNCPTRS" },
	{ 0x0100000, "MMAP_PAGE_ZERO" },
	{ 0x0200000, "ADDR_COMPAT_LAYOUT" },
	{ 0x0400000, "READ_IMPLIES_EXEC" },
	{ 0x0800000, "ADDR_LIMIT_32BIT" },
	{ 0x1000000, "SHORT_INODE" },
	{ 0x2000000, "WHOLE_SECONDS" },
	{ 0x4000000, "STICKY_TIMEOUTS" },
	{ 0x8000000, "ADDR_LIMIT_3GB" },
};
static NAMES_BOTH(persona_flags, 0xff, persona_low, persona_bits);

static const struct name_value perf_bits[] = { { 1, "PERF_FLAG_FD_NO_GROUP" },
					       { 2, "PERF_FLAG_FD_OUTPUT" },
					       { 4, "PERF_FLAG_PID_CGROUP" },
					       { 8, "PERF_FLAG_FD_CLOEXEC" } };
static NAMES_FLAGS(perf_flags, perf_bits);
static const struct name_value finit_bits[] = { { 1, "MODULE_INIT_IGNORE_MODVERSIONS" },
						{ 2, "MODULE_INIT_IGNORE_VERMAGIC" },
						{ 4, "MODULE_INIT_COMPRESSED_FILE" } };
static NAMES_FLAGS(finit_flags, finit_bits);
static const struct name_value delete_module_bits[] = { { 04000, "O_NONBLOCK" },
							{ 01000, "O_TRUNC" } };
static NAMES_FLAGS(delete_module_flags, delete_module_bits);
static const struct name_value kexec_bits[] = { NAME(KEXEC_ON_CRASH),
						NAME(KEXEC_PRESERVE_CONTEXT) };
static NAMES_FLAGS(kexec_flags, kexec_bits);
static const struct name_value kexec_file_bits[] = { NAME(KEXEC_FILE_UNLOAD),
						     NAME(KEXEC_FILE_ON_CRASH),
						     NAME(KEXEC_FILE_NO_INITRAMFS) };
static NAMES_FLAGS(kexec_file_flags, kexec_file_bits);
static const struct name_value reboot_values[] = {
	NAME(LINUX_REBOOT_CMD_RESTART),	   NAME(LINUX_REBOOT_CMD_HALT),
	NAME(LINUX_REBOOT_CMD_CAD_ON),	   NAME(LINUX_REBOOT_CMD_CAD_OFF),
	NAME(LINUX_REBOOT_CMD_POWER_OFF),  NAME(LINUX_REBOOT_CMD_RESTART2),
	NAME(LINUX_REBOOT_CMD_SW_SUSPEND), NAME(LINUX_REBOOT_CMD_KEXEC),
};
static NAMES_ENUM(reboot_commands, reboot_values);
static const struct name_value userfaultfd_bits[] = { { 1, "UFFD_USER_MODE_ONLY" },
						      { 02000000, "O_CLOEXEC" },
						      { 04000, "O_NONBLOCK" } };
static NAMES_FLAGS(userfaultfd_flags, userfaultfd_bits);
static const struct name_value memfd_bits[] = { { 1, "MFD_CLOEXEC" },
						{ 2, "MFD_ALLOW_SEALING" },
						{ 4, "MFD_HUGETLB" },
						{ 8, "MFD_NOEXEC_SEAL" },
						{ 0x10, "MFD_EXEC" } };
static NAMES_FLAGS(memfd_flags, memfd_bits);
static const struct name_value sched_low[] = {
	{ 0, "SCHED_OTHER" }, { 1, "SCHED_FIFO" },     { 2, "SCHED_RR" },  { 3, "SCHED_BATCH" },
	{ 5, "SCHED_IDLE" },  { 6, "SCHED_DEADLINE" }, { 7, "SCHED_EXT" },
};
static const struct name_value sched_bits[] = { { 0x40000000, "SCHED_RESET_ON_FORK" } };
static NAMES_BOTH(sched_policies, 0xff, sched_low, sched_bits);
static const struct name_value clock_values[] = {
	NAME(CLOCK_REALTIME),	       NAME(CLOCK_MONOTONIC),	  NAME(CLOCK_PROCESS_CPUTIME_ID),
	NAME(CLOCK_THREAD_CPUTIME_ID), NAME(CLOCK_MONOTONIC_RAW), NAME(CLOCK_REALTIME_COARSE),
	NAME(CLOCK_MONOTONIC_COARSE),  NAME(CLOCK_BOOTTIME),	  NAME(CLOCK_REALTIME_ALARM),
	NAME(CLOCK_BOOTTIME_ALARM),    NAME(CLOCK_TAI),
};
static NAMES_ENUM(clock_ids, clock_values);

const struct name_row names_processes[] = {
	{ "clone", 0, &clone_flags },
	{ "unshare", 0, &unshare_flags },
	{ "setns", 1, &unshare_flags },
	{ "mmap", 2, &prot_flags },
	{ "mmap", 3, &map_flags },
	{ "mmap2", 2, &prot_flags },
	{ "mmap2", 3, &map_flags },
	{ "mprotect", 2, &prot_flags },
	{ "pkey_mprotect", 2, &prot_flags },
	{ "ptrace", 0, &ptrace_requests },
	{ "prctl", 0, &prctl_options },
	{ "arch_prctl", 0, &arch_prctl_options },
	{ "keyctl", 0, &keyctl_options },
	{ "bpf", 0, &bpf_commands },
	{ "seccomp", 0, &seccomp_operations },
	{ "seccomp", 1, &seccomp_flags },
	{ "personality", 0, &persona_flags },
	{ "perf_event_open", 4, &perf_flags },
	{ "finit_module", 2, &finit_flags },
	{ "delete_module", 1, &delete_module_flags },
	{ "kexec_load", 3, &kexec_flags },
	{ "kexec_file_load", 4, &kexec_file_flags },
	{ "reboot", 2, &reboot_commands },
	{ "userfaultfd", 0, &userfaultfd_flags },
	{ "memfd_create", 1, &memfd_flags },
	{ "sched_setscheduler", 1, &sched_policies },
	{ "clock_settime", 0, &clock_ids },
	{ "clock_settime64", 0, &clock_ids },
	{ "clock_adjtime", 0, &clock_ids },
	{ "clock_adjtime64", 0, &clock_ids },
	{ "timer_create", 0, &clock_ids },
};
const size_t names_n_processes = sizeof(names_processes) / sizeof(names_processes[0]);
