// SPDX-License-Identifier: Apache-2.0
/* Arguments in words, from a memory that the test owns. */
#include "tests/unit/decode_case.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/names.h"
#include "audit/peer.h"

static void says(const char *want, const char *call, uint64_t a0, uint64_t a1, uint64_t a2,
		 uint64_t a3, uint64_t a4)
{
	SAYS(want, call, a0, a1, a2, a3, a4);
}

static const char *decode(const char *call, const uint64_t args[6], size_t text_max)
{
	return decode_on(ABI_NATIVE, call, args, text_max);
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
	struct clone_args clone = { .flags = CLONE_NEWUSER, .exit_signal = 17 };
	struct open_how how = { .flags = O_PATH, .resolve = RESOLVE_BENEATH };

	(void)state;
	says("\"dev_name\":{\"path_as_read\":\"/dev/sda\"},\"dir_name\":{\"path_as_read\":\"/"
	     "mnt\"},"
	     "\"type\":{\"text_as_read\":\"ext4\"},\"flags\":\"MS_RDONLY|MS_BIND|MS_REC\"",
	     "mount", text(0, "/dev/sda"), text(100, "/mnt"), text(200, "ext4"),
	     MS_BIND | MS_REC | MS_RDONLY, 0);
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
	says("\"uargs\":{\"note\":\"shorter than the kernel takes\"}", "clone3", BASE, 8, 0, 0, 0);
	says("\"uargs\":{\"clone_args_as_read\"", "clone3", BASE, UINT64_MAX, 0, 0, 0);
	/* Escapes. */
	says("{\"path_as_read\":\"a\\\"b\\\\x0a\\\\x1b[31m\\\\xff\\\\\\\\\"}", "chdir",
	     text(0, "a\"b\n\x1b[31m\xff\\"), 0, 0, 0, 0);
}

static void vectors(void **state)
{
	uint64_t argv[20] = { 0 };

	(void)state;
	memset(memory, 0, SIZE);
	argv[0] = text(1000, "ls");
	argv[1] = text(1010, "a\"b");
	SAYS("\"filename\":{\"path_as_read\":\"ls\"},\"argv\":{\"argv_as_read\":[\"ls\",\"a\\\"b\"]"
	     "}}",
	     "execve", argv[0], AT(0, argv), BASE);
	SAYS("\"argv\":{\"argv_as_read\":[]}}", "execve", argv[0], BASE + 500, 0);
	SAYS("\"argv\":null", "execve", argv[0], 0, 0);
	SAYS("\"argv\":{\"note\":\"unreadable\"}", "execve", argv[0], 8, 0);
	/* one that cannot be read, more than sixteen, more than a text's worth, no end */
	argv[1] = 1;
	SAYS("[\"ls\"],\"more\":true}", "execve", argv[0], AT(0, argv), 0);
	for (size_t i = 0; i < 20; i++)
		argv[i] = text(1000, "x");
	SAYS("\"x\",\"x\"],\"more\":true}", "execve", argv[0], AT(0, argv), 0);
	memset(memory + 1000, 'z', 3000);
	memset(memory + 4000, 0, 10);
	assert_non_null(strstr(decode("execve", (const uint64_t[6]){ BASE, AT(0, argv) }, 10),
			       "[\"zzzzzzzzzz\"],\"more\":true}"));
	SAYS("[\"x\"],\"more\":true}", "execve", argv[0],
	     at(SIZE - 8, ((const uint64_t[]){ text(1000, "x") }), 8), 0);
	/* a length that is given, with and without a NUL */
	SAYS("\"name\":{\"text_as_read\":\"host\"},\"len\":4", "sethostname", text(0, "hostess"),
	     4);
	SAYS("\"name\":{\"text_as_read\":\"host\"},\"len\":9", "sethostname", text(0, "host"), 9);
	SAYS("\"name\":{\"text_as_read\":\"\"},\"len\":-1", "sethostname", BASE, (uint64_t)-1);
	assert_non_null(strstr(decode("sethostname", (const uint64_t[6]){ BASE + 1000, 2000 }, 5),
			       "{\"text_as_read\":\"x\"}"));
	memset(memory, 'y', SIZE);
	assert_non_null(strstr(decode("sethostname", (const uint64_t[6]){ BASE, 2000 }, 5),
			       "{\"text_as_read\":\"yyyyy\",\"length\":2000}"));
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
		cmocka_unit_test(hostile_memory), cmocka_unit_test(vectors),
		cmocka_unit_test(this_process),	  cmocka_unit_test(all_calls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
