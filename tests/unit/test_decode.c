// SPDX-License-Identifier: Apache-2.0
/* Arguments in words, from a memory that the test owns. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "audit/decode.h"
#include "audit/names.h"
#include "audit/peer.h"

/* Two pages at BASE; what lies behind them is not mapped. */
enum { BASE = 0x10000, SIZE = 8192 };
static char memory[SIZE];

static ssize_t read_memory(void *ctx, uint64_t addr, void *buf, size_t len)
{
	(void)ctx;
	if (addr < BASE || addr >= BASE + SIZE)
		return -EFAULT;
	if (len > BASE + SIZE - addr)
		len = (size_t)(BASE + SIZE - addr);
	memcpy(buf, memory + (addr - BASE), len);
	return (ssize_t)len;
}

static const struct decode_memory reader = { read_memory, NULL };
static char out[65536];

static const char *decode(const char *call, const uint64_t args[6], size_t text_max)
{
	const struct decode_call c = { syscall_by_name(call), ABI_NATIVE, args };
	struct json j;

	assert_non_null(c.desc);
	json_init(&j, out, sizeof(out));
	json_object(&j, NULL);
	decode_args(&j, &c, &reader, text_max);
	json_object_end(&j);
	assert_true(json_finish(&j) > 0);
	return out;
}

static void says(const char *want, const char *call, uint64_t a0, uint64_t a1, uint64_t a2,
		 uint64_t a3, uint64_t a4)
{
	const uint64_t args[6] = { a0, a1, a2, a3, a4 };
	const char *got = decode(call, args, DECODE_TEXT_MAX);

	if (!strstr(got, want))
		print_message("want %s\n in  %s\n", want, got);
	assert_non_null(strstr(got, want));
}

static uint64_t at(size_t offset, const void *bytes, size_t len)
{
	memcpy(memory + offset, bytes, len);
	return BASE + offset;
}

static uint64_t text(size_t offset, const char *s)
{
	return at(offset, s, strlen(s) + 1);
}

static void registers(void **state)
{
	const uint64_t cwd = (uint64_t)(int64_t)AT_FDCWD;

	(void)state;
	says("\"flags\":\"O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC\"", "openat", cwd, text(0, "x"),
	     O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644, 0);
	says("\"mode\":\"0644\"", "openat", cwd, BASE, O_CREAT, 0644, 0);
	says("\"dfd\":\"AT_FDCWD\"", "openat", cwd, BASE, 0, 0, 0);
	says("\"dfd\":7", "openat", 7, BASE, 0, 0, 0);
	/* The kernel reads 32 bits of an int: what an attacker puts above them is not shown. */
	says("\"dfd\":\"AT_FDCWD\"", "openat", 0xdead0000ffffff9cULL, BASE, 0, 0, 0);
	says("\"flags\":\"O_RDONLY\"", "openat", cwd, BASE, 0xffffffff00000000ULL, 0, 0);
	says("\"flags\":\"O_RDONLY|O_TMPFILE\"", "openat", cwd, BASE, O_TMPFILE, 0, 0);
	says("|0x40000000\"", "openat", cwd, BASE, 0x40000000, 0, 0);
	says("\"flags\":\"CLONE_NEWNS|CLONE_NEWUSER\"", "unshare", CLONE_NEWUSER | CLONE_NEWNS, 0,
	     0, 0, 0);
	says("\"flags\":\"SIGCHLD|CLONE_NEWUSER\"", "clone", CLONE_NEWUSER | 17, 0, 0, 0, 0);
	says("\"prot\":\"PROT_WRITE|PROT_EXEC\"", "mprotect", 0, 1, PROT_WRITE | PROT_EXEC, 0, 0);
	says("\"flags\":\"MAP_PRIVATE|MAP_ANONYMOUS\"", "mmap", 0, 1, 0,
	     MAP_PRIVATE | MAP_ANONYMOUS, 0);
	says("\"prot\":\"PROT_NONE\"", "mmap", 0, 1, 0, 0, 0);
	says("\"domain\":\"AF_VSOCK\",\"type\":\"SOCK_STREAM|SOCK_CLOEXEC\"", "socket", AF_VSOCK,
	     SOCK_STREAM | SOCK_CLOEXEC, 0, 0, 0);
	says("\"request\":\"PTRACE_ATTACH\",\"pid\":1", "ptrace", 16, 1, 0, 0, 0);
	says("\"cmd\":\"TIOCSTI\"", "ioctl", 0, TIOCSTI, 0, 0, 0);
	says("\"cmd\":\"TIOCSTI\"", "ioctl", 0, 0xffffffff00000000ULL | TIOCSTI, 0, 0, 0);
	says("\"cmd\":\"TIOCLINUX\"", "ioctl", 0, TIOCLINUX, 0, 0, 0);
	says("\"option\":\"KEYCTL_READ\"", "keyctl", 11, 0, 0, 0, 0);
	says("\"cmd\":\"BPF_PROG_LOAD\"", "bpf", 5, 0, 0, 0, 0);
	says("\"op\":\"SECCOMP_SET_MODE_FILTER\",\"flags\":\"SECCOMP_FILTER_FLAG_NEW_LISTENER\"",
	     "seccomp", 1, 8, 0, 0, 0);
	says("\"cmd\":\"F_SETPIPE_SZ\"", "fcntl", 1, 1031, 0, 0, 0);
	says("\"personality\":\"PER_LINUX|ADDR_NO_RANDOMIZE\"", "personality", 0x40000, 0, 0, 0, 0);
	says("\"sig\":\"SIGKILL\"", "kill", 1, 9, 0, 0, 0);
	says("\"pid\":-1,\"sig\":0", "kill", 0xffffffff, 0, 0, 0, 0);
	says("\"mode\":\"S_IFBLK|0600\",\"dev\":\"8:1\"", "mknodat", cwd, text(0, "sda1"),
	     S_IFBLK | 0600, 0x801, 0);
	says("\"mode\":\"R_OK|X_OK\"", "access", BASE, R_OK | X_OK, 0, 0, 0);
	says("\"flags\":\"MNT_DETACH\"", "umount2", BASE, MNT_DETACH, 0, 0, 0);
	says("\"cmd\":\"LINUX_REBOOT_CMD_POWER_OFF\"", "reboot", 0, 0, 0x4321fedc, 0, 0);
}

static void memory_of_the_payload(void **state)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(443) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(80) };
	struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = "/run/docker.sock" };
	struct clone_args clone = { .flags = CLONE_NEWUSER, .exit_signal = 17 };
	struct open_how how = { .flags = O_PATH, .resolve = RESOLVE_BENEATH };

	(void)state;
	says("\"dev_name\":{\"path_as_read\":\"/dev/sda\"},\"dir_name\":{\"path_as_read\":\"/"
	     "mnt\"},"
	     "\"type\":{\"text_as_read\":\"ext4\"},\"flags\":\"MS_RDONLY|MS_BIND|MS_REC\"",
	     "mount", text(0, "/dev/sda"), text(100, "/mnt"), text(200, "ext4"),
	     MS_BIND | MS_REC | MS_RDONLY, 0);
	in.sin_addr.s_addr = htonl(0x7f000001);
	says("{\"family\":\"AF_INET\",\"address\":\"127.0.0.1\",\"port\":443}", "connect", 3,
	     at(0, &in, sizeof(in)), sizeof(in), 0, 0);
	in6.sin6_addr.s6_addr[15] = 1;
	says("{\"family\":\"AF_INET6\",\"address\":\"::1\",\"port\":80}", "connect", 3,
	     at(0, &in6, sizeof(in6)), sizeof(in6), 0, 0);
	says("{\"family\":\"AF_UNIX\",\"path\":\"/run/docker.sock\"}", "connect", 3,
	     at(0, &un, sizeof(un)), sizeof(un), 0, 0);
	un.sun_path[0] = '\0';
	says("{\"sockaddr_as_read\":{\"family\":\"AF_UNIX\",\"abstract\":\"run/d", "connect", 3,
	     at(0, &un, sizeof(un)), 8, 0, 0);
	says("{\"clone_args_as_read\":{\"flags\":\"CLONE_NEWUSER\",\"exit_signal\":\"SIGCHLD\"}}",
	     "clone3", at(0, &clone, sizeof(clone)), sizeof(clone), 0, 0, 0);
	says("{\"open_how_as_read\":{\"flags\":\"O_RDONLY|O_PATH\",\"resolve\":\"RESOLVE_BENEATH\"}"
	     "}",
	     "openat2", 3, text(500, "x"), at(0, &how, sizeof(how)), sizeof(how), 0);
}

static void hostile_memory(void **state)
{
	uint64_t args[6] = { 0 };

	(void)state;
	says("\"dev_name\":null", "mount", 0, text(0, "/"), 0, 0, 0);
	says("\"dev_name\":{\"note\":\"unreadable\"}", "mount", 0x42, text(0, "/"), 0, 0, 0);
	says("\"dev_name\":{\"note\":\"unreadable\"}", "mount", UINT64_MAX, 0, 0, 0, 0);
	/* A text that ends with the last mapped byte is read whole, one without an end is not. */
	says("{\"path_as_read\":\"end\"}", "chdir", text(SIZE - 4, "end"), 0, 0, 0, 0);
	memset(memory + SIZE - 10, 'x', 10);
	says("{\"note\":\"unreadable\"}", "chdir", BASE + SIZE - 10, 0, 0, 0, 0);
	/* 4,096 bytes and no end: all of them, and the length says so. */
	memset(memory, 'y', SIZE);
	says("yyy\",\"length\":4096}", "chdir", BASE + 1, 0, 0, 0, 0);
	args[0] = BASE;
	assert_non_null(strstr(decode("chdir", args, 10), "\"yyyyyyyyyy\",\"length\":4096}"));
	/* Lengths of the payload's: too short, too long, absurd. */
	says("{\"decoded\":{\"fd\":3,\"addrlen\":1}}", "connect", 3, BASE, 1, 0, 0);
	says("{\"decoded\":{\"fd\":3,\"addrlen\":129}}", "connect", 3, BASE, 129, 0, 0);
	says("{\"decoded\":{\"fd\":3,\"addrlen\":-1}}", "connect", 3, BASE, 0xffffffff, 0, 0);
	says("\"uservaddr\":{\"note\":\"unreadable\"}", "connect", 3, BASE + SIZE - 4, 16, 0, 0);
	says("\"uargs\":{\"note\":\"shorter than the kernel takes\"}", "clone3", BASE, 8, 0, 0, 0);
	says("\"uargs\":{\"clone_args_as_read\"", "clone3", BASE, UINT64_MAX, 0, 0, 0);
	says("\"family\":\"AF_31097\"", "connect", 3, BASE, 2, 0, 0); /* 0x7979 */
	/* Escapes. */
	says("{\"path_as_read\":\"a\\\"b\\\\x0a\\\\x1b[31m\\\\xff\\\\\\\\\"}", "chdir",
	     text(0, "a\"b\n\x1b[31m\xff\\"), 0, 0, 0, 0);
}

/* The real reader, on ourselves: procfs and process_vm_readv. */
static void this_process(void **state)
{
	char page[32] = "a text of ours";
	char copy[sizeof(page)] = "";
	static struct peer peer;
	pid_t self = getpid();

	(void)state;
	peer_read(self, &peer);
	assert_true(peer.known);
	assert_int_equal(peer.uid, getuid());
	assert_true(peer.pid_inside > 0);
	assert_string_equal("test_decode", strncat(copy, peer.comm, peer.comm_len));
	assert_true(peer.exe_len > 0);
	assert_int_equal(peer_memory(&self, (uint64_t)(uintptr_t)page, copy, sizeof(copy)),
			 sizeof(copy));
	assert_string_equal(copy, page);
	assert_true(peer_memory(&self, 1, copy, sizeof(copy)) < 0);
	self = 0x7ffffffe;
	peer_read(self, &peer);
	assert_false(peer.known);
	assert_int_equal(peer.comm_len + peer.exe_len, 0);
	assert_int_equal(peer_memory(&self, 1, copy, sizeof(copy)), -ESRCH);
}

/* Each call can be decoded whatever its registers hold. */
static void all_calls(void **state)
{
	size_t n;
	const struct syscall_desc *table = syscall_table(&n);

	(void)state;
	memset(memory, 0xff, sizeof(memory));
	for (size_t i = 0; i < n; i++) {
		for (unsigned v = 0; v < 4; v++) {
			static const uint64_t values[] = { 0, UINT64_MAX, BASE, 0x80000001 };
			const uint64_t args[6] = { values[v], values[v], values[v],
						   values[v], values[v], values[v] };

			(void)decode(table[i].name, args, 512);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(registers),	  cmocka_unit_test(memory_of_the_payload),
		cmocka_unit_test(hostile_memory), cmocka_unit_test(this_process),
		cmocka_unit_test(all_calls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
