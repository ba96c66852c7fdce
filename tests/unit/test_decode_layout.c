// SPDX-License-Identifier: Apache-2.0
/* Structures, arrays and masks in a payload's memory: what they become, and what lengths and
 * addresses that are made up do. */
#include "tests/unit/decode_case.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/futex.h>
#include <linux/keyctl.h>
#include <linux/landlock.h>
#include <linux/perf_event.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

#include "policies/layout.h"

#define SHORT "{\"note\":\"shorter than the kernel takes\"}"
#define GONE  "{\"note\":\"unreadable\"}"

/* --- structures that grow ------------------------------------------------------------------ */

static void growing(void **state)
{
	struct clone_args clone = { .flags = CLONE_NEWPID, .set_tid_size = 2 };
	const int32_t tids[] = { 7, 8 };
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime, deadline, period;
		uint32_t util_min, util_max;
	} sched = { .policy = SCHED_FIFO, .priority = 5, .util_min = 9 };

	(void)state;
	memset(memory, 0xff, SIZE);
	clone.set_tid = AT(1000, tids);
	SAYS("{\"clone_args_as_read\":{\"flags\":\"CLONE_NEWPID\",\"set_tid\":{\"pid_t_as_read\":["
	     "7,8]},"
	     "\"set_tid_size\":2}}",
	     "clone3", AT(0, clone), sizeof(clone));
	/* The first version had 64 bytes: what lies behind is not the kernel's to read. */
	SAYS("\"uargs\":{\"clone_args_as_read\":{\"flags\":\"CLONE_NEWPID\"}}", "clone3",
	     AT(0, clone), 64);
	SAYS("\"uargs\":" SHORT, "clone3", BASE, 63);
	SAYS("\"uargs\":" SHORT, "clone3", BASE, 0);
	SAYS("\"uargs\":" GONE, "clone3", BASE + SIZE - 60, 64);
	SAYS("\"uargs\":null", "clone3", 0, 88);
	/* The size in the structure: 0 is the first version, absurd ones are what we know. */
	SAYS("{\"sched_policy\":\"SCHED_FIFO\",\"sched_priority\":5}}", "sched_setattr", 0,
	     AT(0, sched), 0);
	sched.size = 48;
	SAYS("{\"sched_policy\":\"SCHED_FIFO\",\"sched_priority\":5}}", "sched_setattr", 0,
	     AT(0, sched), 0);
	sched.size = 56;
	SAYS("\"sched_util_min\":9}}", "sched_setattr", 0, AT(0, sched), 0);
	sched.size = UINT32_MAX;
	SAYS("\"sched_util_min\":9}}", "sched_setattr", 0, AT(0, sched), 0);
	SAYS("\"uattr\":" GONE, "sched_setattr", 0, at(SIZE - 48, &sched, 48), 0);
	sched.size = 48;
	SAYS("\"sched_priority\":5}}", "sched_setattr", 0, at(SIZE - 48, &sched, 48), 0);
}

static void by_another_argument(void **state)
{
	struct landlock_path_beneath_attr beneath = { LANDLOCK_ACCESS_FS_EXECUTE, 9 };
	struct sock_fprog_like {
		uint16_t len;
		uint64_t filter;
	} prog = { 12, 0x1234 };
	union bpf_attr load = { .prog_type = BPF_PROG_TYPE_XDP, .insn_cnt = 3 };
	struct perf_event_attr perf = { .type = PERF_TYPE_SOFTWARE, .size = 64, .config = 2 };
	const uint32_t trap = SECCOMP_RET_TRAP;

	(void)state;
	memset(memory, 0, SIZE);
	SAYS("{\"allowed_access\":\"LANDLOCK_ACCESS_FS_EXECUTE\",\"parent_fd\":9}}",
	     "landlock_add_rule", 3, 1, AT(0, beneath), 0);
	SAYS("{\"landlock_net_port_attr_as_read\":{\"allowed_access\":\"LANDLOCK_ACCESS_NET_BIND_"
	     "TCP\"",
	     "landlock_add_rule", 3, 2, AT(0, beneath), 0);
	SAYS("\"rule_attr\":\"0x10000\"", "landlock_add_rule", 3, 77, BASE, 0); /* no such type */
	SAYS("\"uargs\":{\"sock_fprog_as_read\":{\"len\":12}}", "seccomp", 1, 0, AT(0, prog));
	SAYS("\"uargs\":{\"seccomp_action_as_read\":\"SECCOMP_RET_TRAP\"}", "seccomp", 2, 0,
	     AT(0, trap));
	load.license = text(500, "GPL");
	SAYS("{\"prog_type\":\"BPF_PROG_TYPE_XDP\",\"insn_cnt\":3,\"license\":{\"text_as_read\":"
	     "\"GPL\"}}}",
	     "bpf", BPF_PROG_LOAD, AT(0, load), 48);
	SAYS("{\"bpf_obj_as_read\":{\"pathname\":{\"path_as_read\":\"GPL\"}}}", "bpf", BPF_OBJ_GET,
	     AT(0, ((const uint64_t[]){ BASE + 500, 0 })), 16);
	SAYS("{\"type\":\"PERF_TYPE_SOFTWARE\",\"config\":\"PERF_COUNT_SW_PAGE_FAULTS\"}}",
	     "perf_event_open", AT(0, perf), 0, (uint64_t)-1, 3, 0);
	perf.type = PERF_TYPE_RAW;
	SAYS("\"config\":\"0x2\"", "perf_event_open", AT(0, perf), 0, 0, 0, 0);
	SAYS("\"option\":\"PR_SET_NAME\",\"arg2\":{\"text_as_read\":\"GPL\"}}}", "prctl",
	     PR_SET_NAME, BASE + 500);
	SAYS("\"option\":\"PR_SET_PDEATHSIG\",\"arg2\":\"SIGTERM\"}}", "prctl", PR_SET_PDEATHSIG,
	     SIGTERM, 5);
	SAYS("\"arg2\":\"PR_CAP_AMBIENT_RAISE\",\"arg3\":\"CAP_KILL\"}}", "prctl", PR_CAP_AMBIENT,
	     2, 5);
	SAYS("\"arg2\":\"PR_SET_MM_EXE_FILE\",\"arg3\":4}}", "prctl", PR_SET_MM, 13, 4);
	SAYS("{\"option\":\"0x3039\",\"arg2\":1,\"arg3\":\"0x10000\",", "prctl", 12345, 1, BASE);
}

static void requests(void **state)
{
	struct {
		char name[16];
		uint16_t flags;
	} ifreq = { "veth0", 0x1001 };
	const struct flock lock = {
		.l_type = F_RDLCK, .l_whence = SEEK_CUR, .l_len = 5, .l_pid = 3
	};

	(void)state;
	memset(memory, 0, SIZE);
	SAYS("\"cmd\":\"TIOCSTI\",\"arg\":{\"char_as_read\":\"r\"}", "ioctl", 0, TIOCSTI,
	     text(0, "rm"));
	SAYS("\"arg\":{\"tioclinux_as_read\":\"TIOCL_PASTESEL\"}", "ioctl", 0, TIOCLINUX,
	     text(0, "\3"));
	SAYS("{\"ifr_name\":\"veth0\",\"ifr_flags\":\"IFF_UP|IFF_MULTICAST\"}", "ioctl", 3, 0x8914,
	     AT(0, ifreq));
	SAYS("{\"ifr_name\":\"veth0\",\"ifr_flags\":\"IFF_TUN|IFF_NO_PI\"}", "ioctl", 3, 0x400454ca,
	     AT(0, ifreq));
	SAYS("\"cmd\":\"FICLONE\",\"arg\":9", "ioctl", 3, 0x40049409, 9);
	/* Nobody's: what the number itself says, and the register. */
	SAYS("\"cmd\":\"_IOC(READ|WRITE, 'z', 7, 16)\",\"arg\":\"0x10000\"", "ioctl", 3, 0xc0107a07,
	     BASE);
	SAYS("\"cmd\":\"_IOC(WRITE, 0x7f, 7, 0)\"", "ioctl", 3, 0x40007f07, 0);
	SAYS("\"cmd\":\"0x3\"", "ioctl", 3, 3, 0);
	SAYS("\"cmd\":\"F_SETLK\",\"arg\":{\"flock_as_read\":{\"l_type\":\"F_RDLCK\",\"l_whence\":"
	     "\"SEEK_CUR\","
	     "\"l_start\":0,\"l_len\":5,\"l_pid\":3}}",
	     "fcntl", 3, F_SETLK, AT(0, lock));
	SAYS("\"cmd\":\"F_SETFL\",\"arg\":\"O_RDONLY|O_APPEND\"", "fcntl", 3, F_SETFL, O_APPEND);
	SAYS("{\"decoded\":{\"fd\":3,\"cmd\":\"F_GETFD\"}}", "fcntl", 3, F_GETFD, 99);
	SAYS("\"cmd\":\"0x4d2\",\"arg\":7", "fcntl", 3, 1234, 7);
	SAYS("\"option\":\"KEYCTL_SEARCH\",\"arg2\":\"KEY_SPEC_SESSION_KEYRING\",\"arg3\":{\"text_"
	     "as_read\":\"a\"},"
	     "\"arg4\":{\"text_as_read\":\"b\"},\"arg5\":12",
	     "keyctl", KEYCTL_SEARCH, (uint64_t)-3, text(0, "a"), text(8, "b"), 12);
	SAYS("\"level\":\"SOL_TCP\",\"optname\":\"TCP_CONGESTION\",\"optval\":{\"text_as_read\":"
	     "\"bbr\"}",
	     "setsockopt", 3, 6, 13, text(0, "bbrxx"), 3);
	SAYS("\"optname\":\"SO_REUSEADDR\",\"optval\":{\"int_as_read\":1}", "setsockopt", 3, 1, 2,
	     AT(0, ((const int[]){ 1 })), 4);
	/* eight bytes are no int, and of another level nothing is known */
	SAYS("\"optname\":\"SO_REUSEADDR\",\"optlen\":8", "setsockopt", 3, 1, 2, BASE, 8);
	SAYS("\"level\":\"SOL_ATM\",\"optname\":\"0x2\",\"optval\":\"0x10000\"", "setsockopt", 3,
	     264, 2, BASE, 4);
}

/* --- arrays and masks ---------------------------------------------------------------------- */

static void arrays(void **state)
{
	struct iovec iov[10];
	const struct timespec when[2] = { { 5, UTIME_NOW }, { 6, 7 } };
	struct futex_waitv wait[2] = { { .val = 1, .flags = 2 }, { .val = 3, .flags = 0x80 | 2 } };
	const uint64_t iocbs[] = { BASE + 2048, 1, BASE + 2048 };
	struct {
		uint64_t data;
		uint32_t key, rw_flags;
		uint16_t opcode;
		int16_t reqprio;
		uint32_t fd;
		uint64_t buf, nbytes;
		int64_t offset;
		uint64_t reserved;
		uint32_t flags, resfd;
	} iocb = { .opcode = 1, .fd = 6, .nbytes = 10 };

	(void)state;
	memset(memory, 0, SIZE);
	for (size_t i = 0; i < 10; i++)
		iov[i] = (struct iovec){ NULL, i };
	SAYS("\"vec\":{\"iovec_as_read\":[{\"iov_len\":0},{\"iov_len\":1}]},\"vlen\":2", "writev",
	     1, AT(0, iov), 2);
	SAYS("{\"iov_len\":7}],\"count\":10}", "writev", 1, AT(0, iov), 10);
	SAYS("{\"iov_len\":7}],\"count\":18446744073709551615}", "writev", 1, AT(0, iov),
	     UINT64_MAX);
	SAYS("\"vec\":{\"iovec_as_read\":[]},\"vlen\":0", "writev", 1, AT(0, iov), 0);
	SAYS("\"vec\":null", "writev", 1, 0, 5);
	SAYS("\"vec\":{\"iovec_as_read\":[{\"iov_len\":1}],\"count\":2,\"note\":\"unreadable\"}",
	     "writev", 1, at(SIZE - 16, &iov[1], 16), 2);
	/* a length below zero is none */
	SAYS("\"grouplist\":{\"gid_t_as_read\":[]}}", "setgroups", (uint64_t)-1, BASE);
	SAYS("[{\"tv_sec\":5,\"tv_nsec\":\"UTIME_NOW\"},{\"tv_sec\":6,\"tv_nsec\":7}]", "utimensat",
	     3, 0, AT(0, when), 0);
	SAYS("[{\"val\":1,\"flags\":\"FUTEX2_SIZE_U32\"},{\"val\":3,\"flags\":\"FUTEX2_SIZE_U32|"
	     "FUTEX2_PRIVATE\"}]",
	     "futex_waitv", AT(0, wait), 2, 0, 0, 0);
	AT(2048, iocb);
	SAYS("{\"iocb_as_read\":[{\"aio_rw_flags\":\"0\",\"aio_lio_opcode\":\"IOCB_CMD_PWRITE\","
	     "\"aio_reqprio\":0,"
	     "\"aio_fildes\":6,\"aio_nbytes\":10,\"aio_offset\":0,\"aio_flags\":\"0\",\"aio_"
	     "resfd\":0}],"
	     "\"count\":3,\"note\":\"unreadable\"}",
	     "io_submit", 0, 3, AT(0, iocbs));
}

static void masks(void **state)
{
	uint64_t fds[16] = { 1 | 1 << 4, 0, 1 };
	uint64_t sets = 1ULL << (SIGINT - 1) | 1ULL << 40;

	(void)state;
	memset(memory, 0, SIZE);
	SAYS("\"inp\":{\"fds_as_read\":[0,4,128]},\"outp\":null", "pselect6", 200, AT(0, fds), 0, 0,
	     0, 0);
	SAYS("\"inp\":{\"fds_as_read\":[0,4]}", "pselect6", 100, AT(0, fds), 0, 0, 0, 0);
	SAYS("\"inp\":{\"fds_as_read\":[0,4,128],\"more\":true}", "pselect6", 1 << 20, AT(0, fds),
	     0, 0, 0, 0);
	SAYS("\"inp\":{\"fds_as_read\":[]}", "pselect6", (uint64_t)-5, AT(0, fds), 0, 0, 0, 0);
	SAYS("\"inp\":" GONE, "pselect6", 100, BASE + SIZE - 4, 0, 0, 0, 0);
	memset(fds, 0xff, sizeof(fds));
	SAYS("13,14,15],\"more\":true}", "pselect6", 100, AT(0, fds), 0, 0, 0, 0);
	fds[0] = 5;
	SAYS("{\"bits_as_read\":[0,2]}", "sched_setaffinity", 0, 1, AT(0, fds));
	SAYS("\"nmask\":{\"bits_as_read\":[0,2]}", "set_mempolicy", 2, AT(0, fds), 9);
	SAYS("\"nmask\":{\"bits_as_read\":[]}", "set_mempolicy", 2, AT(0, fds), 0);
	SAYS("\"nset\":{\"sigset_as_read\":\"SIGINT|SIGRT+9\"}", "rt_sigprocmask", 0, AT(0, sets),
	     0, 8);
	SAYS("{\"decoded\":{\"how\":\"SIG_BLOCK\",\"sigsetsize\":16}}", "rt_sigprocmask", 0,
	     AT(0, sets), 0, 16);
	sets = ~sets;
	SAYS("{\"sigset_as_read\":\"all but SIGINT|SIGRT+9\"}", "rt_sigprocmask", 0, AT(0, sets), 0,
	     8);
	sets = UINT64_MAX;
	SAYS("{\"sigset_as_read\":\"all\"}", "rt_sigprocmask", 0, AT(0, sets), 0, 8);
}

/* One record reads only so often, however its pointers hang together, and goes only so deep. */
static void limits(void **state)
{
	struct mmsghdr messages[8];
	struct iovec iov[8];

	(void)state;
	memset(memory, 0, SIZE);
	memset(messages, 0, sizeof(messages));
	for (size_t i = 0; i < 8; i++) {
		iov[i] = (struct iovec){ NULL, 1 };
		messages[i].msg_hdr.msg_iovlen = 1000;
		memcpy(&messages[i].msg_hdr.msg_iov, &(uint64_t){ BASE }, sizeof(uint64_t));
		memcpy(&messages[i].msg_hdr.msg_name, &(uint64_t){ BASE }, sizeof(uint64_t));
		messages[i].msg_hdr.msg_namelen = 16;
		memcpy(&messages[i].msg_hdr.msg_control, &(uint64_t){ BASE }, sizeof(uint64_t));
		messages[i].msg_hdr.msg_controllen = 4096;
	}
	at(0, iov, sizeof(iov));
	SAYS("\"note\":\"not read: too much in one call\"", "sendmmsg", 3, AT(1024, messages), 1024,
	     0);
	assert_int_equal(reads, 64);
	assert_true(strlen(out) < 8192);
}

/* --- other ABIs ---------------------------------------------------------------------------- */

static void of_32_bits(void **state)
{
	const struct sockaddr un = { .sa_family = AF_UNIX, .sa_data = "/x" };
	const uint64_t bits = 0x7;

	(void)state;
	memset(memory, 0, SIZE);
	/* mmap, select and the sockets have their arguments in memory */
	SAYS_ON(ABI_I386,
		"{\"decoded\":{\"arg\":{\"mmap_arg_struct_as_read\":{\"len\":4096,\"prot\":\"PROT_"
		"EXEC\","
		"\"flags\":\"MAP_PRIVATE|MAP_ANONYMOUS\",\"fd\":-1,\"offset\":0}}}}",
		"mmap", WORDS(0, 0, 4096, 4, 0x22, UINT32_MAX, 0));
	AT(512, bits);
	SAYS_ON(ABI_I386,
		"{\"n\":3,\"inp\":{\"fds_as_read\":[0,1,2]},\"outp\":null,\"exp\":null,\"tvp\":"
		"{\"timeval_as_read\":{\"tv_sec\":7,\"tv_usec\":0}}}",
		"select", WORDS(0, 3, BASE + 512, 0, 0, (uint32_t)WORDS(600, 7, 0)));
	AT(512, un);
	SAYS_ON(ABI_I386,
		"\"call\":\"SYS_CONNECT\",\"args\":{\"socketcall_address_as_read\":{\"fd\":5,"
		"\"address\":"
		"{\"sockaddr_as_read\":{\"family\":\"AF_UNIX\",\"path\":\"/x\"}},\"addrlen\":16}}",
		"socketcall", 3, WORDS(0, 5, BASE + 512, 16));
	SAYS_ON(ABI_I386,
		"{\"domain\":\"AF_NETLINK\",\"type\":\"SOCK_RAW\",\"protocol\":\"NETLINK_AUDIT\"}",
		"socketcall", 1, WORDS(0, AF_NETLINK, SOCK_RAW, 9));
	SAYS_ON(ABI_I386, "\"call\":\"SYS_SOCKET\",\"args\":" GONE, "socketcall", 1, 4);
	SAYS_ON(ABI_I386, "\"call\":\"0x63\",\"args\":\"0x10000\"", "socketcall", 99, BASE);
	SAYS_ON(ABI_I386,
		"{\"call\":\"SEMOP\",\"first\":4,\"second\":1,\"ptr\":{\"sembuf_as_read\":[{\"sem_"
		"num\":7,",
		"ipc", 1, 4, 1, 0, AT(0, bits));
	SAYS_ON(ABI_I386,
		"{\"call\":\"SHMGET\",\"first\":\"IPC_PRIVATE\",\"second\":4096,\"third\":\"IPC_"
		"CREAT|0600\"}",
		"ipc", 23, 0, 4096, 01600);
	/* 64-bit values in two registers move what follows; ids have 16 bits */
	SAYS_ON(ABI_I386,
		"\"offset_low\":1,\"offset_high\":2,\"len\":3,\"advice\":\"POSIX_FADV_DONTNEED\"",
		"fadvise64", 5, 1, 2, 3, 4);
	SAYS_ON(ABI_I386, "\"user\":-1,\"group\":3}", "chown", 0, 0xffff, 3);
	SAYS_ON(ABI_I386, "\"user\":65535,\"group\":-1}", "chown32", 0, 0xffff, UINT32_MAX);
	/* pointers and longs have 4 bytes */
	SAYS_ON(ABI_I386, "\"vec\":{\"iovec_as_read\":[{\"iov_len\":9},{\"iov_len\":8}]}", "writev",
		1, WORDS(0, BASE, 9, BASE, 8), 2);
	SAYS_ON(ABI_I386, "{\"timespec_as_read\":{\"tv_sec\":-1,\"tv_nsec\":5}}", "nanosleep",
		WORDS(0, UINT32_MAX, 5));
	SAYS_ON(ABI_I386, "{\"timespec64_as_read\":{\"tv_sec\":4294967295,\"tv_nsec\":5}}",
		"clock_nanosleep_time64", 0, 0, WORDS(0, UINT32_MAX, 0, 5, 0));
	SAYS_ON(ABI_I386, "{\"sa_flags\":\"SA_RESTART\",\"sa_mask\":\"SIGHUP\"}", "rt_sigaction", 2,
		WORDS(0, 0x8000, 0x10000000, 0, 1, 0), 0, 8);
	SAYS_ON(ABI_I386, "\"argv\":{\"argv_as_read\":[\"a\",\"b\"]}", "execve", text(40, "/x"),
		WORDS(0, (uint32_t)text(60, "a"), (uint32_t)text(70, "b"), 0), 0);
	/* of x32 only its own calls are of 32 bits */
	SAYS_ON(ABI_X32, "[{\"iov_len\":9}]", "writev", 1, WORDS(0, BASE, 9), 1);
	SAYS_ON(ABI_X32, "{\"timespec_as_read\":{\"tv_sec\":4294967295,\"tv_nsec\":5}}",
		"nanosleep", WORDS(0, UINT32_MAX, 0, 5, 0));
	/* what is above 32 bits of a pointer is nobody's */
	SAYS_ON(ABI_X32, "\"filename\":{\"path_as_read\":\"/x\"}", "chdir",
		0xabcd00000000ULL | text(0, "/x"));
	SAYS_ON(ABI_AARCH64,
		"\"event\":{\"epoll_event_aligned_as_read\":{\"events\":\"EPOLLIN\",\"data\":9}}",
		"epoll_ctl", 3, 1, 4, WORDS(0, 1, 0, 9, 0));
	SAYS_ON(ABI_X86_64,
		"\"event\":{\"epoll_event_as_read\":{\"events\":\"EPOLLIN\",\"data\":9}}",
		"epoll_ctl", 3, 1, 4, WORDS(0, 1, 9, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(growing),    cmocka_unit_test(by_another_argument),
		cmocka_unit_test(requests),   cmocka_unit_test(arrays),
		cmocka_unit_test(masks),      cmocka_unit_test(limits),
		cmocka_unit_test(of_32_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
