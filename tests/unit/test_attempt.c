// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/fd.h"
#include "policies/attempt.h"

static void read_one(const char *text, struct attempt *ret)
{
	struct err err = ERR_INIT;
	int r = attempt_parse(text, ABI_X86_64, "/src/dir", ret, &err);

	if (r < 0)
		fail_msg("%s: %s", text, err.msg);
}

static void reads_arguments(void **state)
{
	struct attempt a;

	(void)state;
	read_one("openat(\"/etc/passwd\", O_RDWR)", &a);
	assert_string_equal(a.call->name, "openat");
	assert_int_equal(a.n_args, 3);
	assert_int_equal((int)a.args[0], AT_FDCWD);
	assert_string_equal(a.text[1], "/etc/passwd");
	assert_int_equal(a.args[2], O_RDWR);
	attempt_done(&a);
	read_one("openat(5, \"x/../y\", 0x40|01)", &a);
	assert_int_equal(a.args[0], 5);
	assert_string_equal(a.text[1], "/src/dir/y");
	assert_int_equal(a.args[2], 0x41);
	attempt_done(&a);
	read_one("mount", &a);
	assert_int_equal(a.n_args, 0);
	attempt_done(&a);
	read_one("getpid()", &a);
	assert_int_equal(a.n_effects, 0);
	attempt_done(&a);
}

/* One line an effect; path, value and port only where they matter. */
struct want {
	const char *text;
	struct effect effects[ATTEMPT_EFFECTS];
	uint8_t n;
};

#define FILE_EFFECT(bits, where)                                                                   \
	{                                                                                          \
		.kind = EFFECT_FILE, .access = (bits), .path = (where)                             \
	}
#define CAP(name)                                                                                  \
	{                                                                                          \
		.kind = EFFECT_CAPABILITY, .capability = CAP_##name                                \
	}
#define NET(what, af, proto, number)                                                               \
	{                                                                                          \
		.kind = (what), .family = (af), .protocol = POLICY_PORT_##proto, .port = (number)  \
	}
#define NONE                                                                                       \
	{                                                                                          \
		{                                                                                  \
			.kind = 0                                                                  \
		}                                                                                  \
	}

static const struct want wants[] = {
	/* opening */
	{ "open(\"/a\", O_RDONLY)", { FILE_EFFECT(FILE_READ, "/a") }, 1 },
	{ "open(\"b\", O_WRONLY)", { FILE_EFFECT(FILE_WRITE, "/src/dir/b") }, 1 },
	{ "open(\"/a\", O_RDWR|O_TRUNC)",
	  { FILE_EFFECT(FILE_READ | FILE_WRITE | FILE_TRUNCATE, "/a") },
	  1 },
	{ "open(\"/a\", O_WRONLY|O_CREAT, 0644)",
	  { FILE_EFFECT(FILE_WRITE | FILE_CREATE, "/a") },
	  1 },
	{ "openat(\"/a\", O_PATH)", { FILE_EFFECT(FILE_STAT, "/a") }, 1 },
	{ "openat(\"/a\", O_WRONLY|O_TMPFILE, 0600)", { FILE_EFFECT(FILE_WRITE, "/a") }, 1 },
	{ "creat(\"/a\", 0644)",
	  { FILE_EFFECT(FILE_WRITE | FILE_CREATE | FILE_TRUNCATE, "/a") },
	  1 },
	{ "openat2(\"/a\")", { FILE_EFFECT(FILE_READ, "/a") }, 1 },
	{ "open", NONE, 0 },
	{ "execve(\"/bin/sh\")", { FILE_EFFECT(FILE_EXEC, "/bin/sh") }, 1 },
	{ "execveat(\"sh\")", { FILE_EFFECT(FILE_EXEC, "/src/dir/sh") }, 1 },
	{ "truncate(\"/a\", 0)", { FILE_EFFECT(FILE_TRUNCATE, "/a") }, 1 },
	/* names */
	{ "mkdirat(\"/d\", 0755)", { FILE_EFFECT(FILE_MKDIR, "/d") }, 1 },
	{ "rmdir(\"/d\")", { FILE_EFFECT(FILE_REMOVE, "/d") }, 1 },
	{ "unlinkat(\"/d\", AT_REMOVEDIR)", { FILE_EFFECT(FILE_REMOVE, "/d") }, 1 },
	{ "rename(\"/d/a\", \"/d/b\")",
	  { FILE_EFFECT(FILE_REMOVE, "/d/a"), FILE_EFFECT(FILE_CREATE, "/d/b") },
	  2 },
	{ "rename(\"/d/a\", \"/e/a\")",
	  { FILE_EFFECT(FILE_REMOVE, "/d/a"), FILE_EFFECT(FILE_CREATE | FILE_LINK, "/e/a") },
	  2 },
	{ "rename(\"/d/a\", \"/db/a\")",
	  { FILE_EFFECT(FILE_REMOVE, "/d/a"), FILE_EFFECT(FILE_CREATE | FILE_LINK, "/db/a") },
	  2 },
	{ "linkat(\"/d/a\", \"/d/b\")",
	  { FILE_EFFECT(FILE_STAT, "/d/a"), FILE_EFFECT(FILE_CREATE, "/d/b") },
	  2 },
	{ "symlink(\"../x\", \"/d/l\")", { FILE_EFFECT(FILE_SYMLINK, "/d/l") }, 1 },
	{ "symlinkat(\"../x\", \"/d/l\")", { FILE_EFFECT(FILE_SYMLINK, "/d/l") }, 1 },
	{ "mknod(\"/p\", S_IFIFO|0600)",
	  { { .kind = EFFECT_FILE, .access = FILE_MKNOD, .value = S_IFIFO | 0600, .path = "/p" } },
	  1 },
	{ "mknod(\"/f\", 0600)",
	  { { .kind = EFFECT_FILE, .access = FILE_CREATE, .value = 0600, .path = "/f" } },
	  1 },
	{ "mknodat(\"/n\", S_IFBLK|0600, 0x801)",
	  { { .kind = EFFECT_FILE, .access = FILE_MKNOD, .value = S_IFBLK | 0600, .path = "/n" },
	    { .kind = EFFECT_CAPABILITY, .capability = CAP_MKNOD, .value = S_IFBLK | 0600 } },
	  2 },
	{ "mknod(\"/w\", S_IFCHR, 0)",
	  { { .kind = EFFECT_FILE, .access = FILE_MKNOD, .value = S_IFCHR, .path = "/w" } },
	  1 },
	{ "chmod(\"/a\", 0600)", { FILE_EFFECT(FILE_CHMOD, "/a") }, 1 },
	{ "chown(\"/a\", 0xffffffff, 5)", { FILE_EFFECT(FILE_CHMOD, "/a") }, 1 },
	{ "lchown(\"/a\", 7, 0xffffffff)",
	  { FILE_EFFECT(FILE_CHMOD, "/a"),
	    { .kind = EFFECT_CAPABILITY, .capability = CAP_CHOWN, .value = 7 } },
	  2 },
	{ "utimensat(\"/a\")", { FILE_EFFECT(FILE_CHMOD, "/a") }, 1 },
	{ "setxattr(\"/a\", \"user.x\")", { FILE_EFFECT(FILE_CHMOD, "/a") }, 1 },
	{ "stat(\"/a\")", { FILE_EFFECT(FILE_STAT, "/a") }, 1 },
	{ "readlinkat(\"a\")", { FILE_EFFECT(FILE_STAT, "/src/dir/a") }, 1 },
	/* sockets */
	{ "socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC)",
	  { { .kind = EFFECT_SOCKET, .family = AF_INET, .type = SOCK_STREAM } },
	  1 },
	{ "socket(AF_INET6, SOCK_DGRAM)",
	  { { .kind = EFFECT_SOCKET,
	      .family = AF_INET6,
	      .type = SOCK_DGRAM,
	      .protocol = POLICY_PORT_UDP } },
	  1 },
	{ "socket(AF_INET, SOCK_RAW, IPPROTO_ICMP)",
	  { { .kind = EFFECT_SOCKET, .family = AF_INET, .type = SOCK_RAW, .value = 1 },
	    CAP(NET_RAW) },
	  2 },
	{ "socket(AF_PACKET, SOCK_DGRAM)",
	  { { .kind = EFFECT_SOCKET,
	      .family = AF_PACKET,
	      .type = SOCK_DGRAM,
	      .protocol = POLICY_PORT_UDP },
	    CAP(NET_RAW) },
	  2 },
	{ "socket", NONE, 0 },
	{ "connect(3, \"tcp:192.0.2.1:443\")", { NET(EFFECT_CONNECT, AF_INET, TCP, 443) }, 1 },
	{ "connect(3, \"udp:[2001:db8::1]:53\")", { NET(EFFECT_CONNECT, AF_INET6, UDP, 53) }, 1 },
	{ "sendto(3, 0, 0, 0, \"udp:192.0.2.1:53\")",
	  { NET(EFFECT_CONNECT, AF_INET, UDP, 53) },
	  1 },
	{ "connect(3, \"unix:x/s\")",
	  { { .kind = EFFECT_UNIX, .family = AF_UNIX, .path = "/src/dir/x/s" } },
	  1 },
	{ "connect(3, \"unix:@name\")",
	  { { .kind = EFFECT_UNIX, .family = AF_UNIX, .path = "@name" } },
	  1 },
	{ "bind(3, \"tcp:0.0.0.0:8080\")", { NET(EFFECT_BIND, AF_INET, TCP, 8080) }, 1 },
	{ "bind(3, \"tcp:0.0.0.0:0\")", { NET(EFFECT_BIND, AF_INET, TCP, 0) }, 1 },
	{ "bind(3, \"tcp:0.0.0.0:80\")",
	  { NET(EFFECT_BIND, AF_INET, TCP, 80),
	    { .kind = EFFECT_CAPABILITY, .capability = CAP_NET_BIND_SERVICE, .value = 80 } },
	  2 },
	{ "bind(3, \"unix:/run/s\")",
	  { { .kind = EFFECT_FILE, .access = FILE_MKNOD, .value = S_IFSOCK, .path = "/run/s" } },
	  1 },
	{ "bind(3, \"unix:@s\")", NONE, 0 },
	{ "connect", NONE, 0 },
	/* capabilities */
	{ "sethostname", { CAP(SYS_ADMIN) }, 1 },
	{ "settimeofday", { CAP(SYS_TIME) }, 1 },
	{ "reboot", { CAP(SYS_BOOT) }, 1 },
	{ "init_module", { CAP(SYS_MODULE) }, 1 },
	{ "chroot(\"/d\")", { FILE_EFFECT(FILE_STAT, "/d"), CAP(SYS_CHROOT) }, 2 },
	{ "setuid(0)", { CAP(SETUID) }, 1 },
	{ "setresuid(0xffffffff, 0xffffffff, 0xffffffff)", NONE, 0 },
	{ "setresuid(0, 0, 0)", { CAP(SETUID) }, 1 },
	{ "setgroups", { CAP(SETGID) }, 1 },
	{ "iopl(0)", NONE, 0 },
	{ "iopl(3)",
	  { { .kind = EFFECT_CAPABILITY, .capability = CAP_SYS_RAWIO, .value = 3 } },
	  1 },
	{ "syslog(3)", NONE, 0 },
	{ "syslog(2)", { { .kind = EFFECT_CAPABILITY, .capability = CAP_SYSLOG, .value = 2 } }, 1 },
	{ "setpriority(0, 0, 5)", NONE, 0 },
	{ "prctl(PR_SET_NAME)", NONE, 0 },
	/* mounts and namespaces */
	{ "mount", { { .kind = EFFECT_MOUNT }, CAP(SYS_ADMIN) }, 2 },
	{ "open_tree(\"/d\", 0)", { FILE_EFFECT(FILE_STAT, "/d") }, 1 },
	{ "open_tree(\"/d\", 1)",
	  { { .kind = EFFECT_MOUNT }, CAP(SYS_ADMIN), FILE_EFFECT(FILE_STAT, "/d") },
	  3 },
	{ "unshare(CLONE_FILES)", NONE, 0 },
	{ "unshare(CLONE_NEWNET)",
	  { { .kind = EFFECT_NAMESPACE, .value = CLONE_NEWNET }, CAP(SYS_ADMIN) },
	  2 },
	{ "clone(CLONE_NEWUSER|CLONE_NEWNS|SIGCHLD)",
	  { { .kind = EFFECT_NAMESPACE, .value = CLONE_NEWUSER | CLONE_NEWNS } },
	  1 },
	{ "clone(0x80)", NONE, 0 },
	{ "setns(3, CLONE_NEWNET)",
	  { { .kind = EFFECT_NAMESPACE, .value = CLONE_NEWNET }, CAP(SYS_ADMIN) },
	  2 },
	/* other processes */
	{ "ptrace(PTRACE_TRACEME)", NONE, 0 },
	{ "ptrace(PTRACE_ATTACH, 7)", { { .kind = EFFECT_PTRACE, .value = 7 } }, 1 },
	{ "process_vm_readv(7)", { { .kind = EFFECT_PTRACE, .value = 7 } }, 1 },
	{ "pidfd_getfd(3, 4)", { { .kind = EFFECT_PTRACE, .value = 3 } }, 1 },
	{ "kill(0, SIGTERM)", NONE, 0 },
	{ "kill(7, SIGTERM)", { { .kind = EFFECT_SIGNAL, .value = 7 } }, 1 },
	{ "kill(-1, 9)", { { .kind = EFFECT_SIGNAL, .value = UINT32_MAX } }, 1 },
	{ "getpgid(0)", NONE, 0 },
	{ "getpgid(7)", { { .kind = EFFECT_PROCESS, .value = 7 } }, 1 },
	{ "prlimit64(7, RLIMIT_NOFILE)", { { .kind = EFFECT_PROCESS, .value = 7 } }, 1 },
	{ "setpriority(PRIO_PROCESS, 7, 0)", { { .kind = EFFECT_PROCESS, .value = 7 } }, 1 },
	{ "setpriority(PRIO_USER, 7, 0)", NONE, 0 },
	{ "ioprio_get(1, 7)", { { .kind = EFFECT_PROCESS, .value = 7 } }, 1 },
	{ "ioprio_get(3, 7)", NONE, 0 },
	{ "ioprio_get(1, 0)", NONE, 0 },
	{ "mq_open(\"q\", O_RDWR)", { { .kind = EFFECT_QUEUE, .value = O_RDWR } }, 1 },
	{ "mq_unlink(\"q\")", NONE, 0 },
	{ "read(0)", NONE, 0 },
};

static bool effect_is(const struct effect *a, const struct effect *b)
{
	if (a->kind != b->kind || a->capability != b->capability || a->protocol != b->protocol ||
	    a->family != b->family || a->port != b->port || a->type != b->type ||
	    a->access != b->access)
		return false;
	/* of capabilities most values are ids, which the table leaves out when they are 0 */
	if (a->value != b->value && a->kind != EFFECT_MOUNT && a->kind != EFFECT_CAPABILITY)
		return false;
	if (!a->path != !b->path)
		return false;
	return !a->path || strcmp(a->path, b->path) == 0;
}

static void finds_effects(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wants); i++) {
		struct attempt a;

		read_one(wants[i].text, &a);
		if (a.n_effects != wants[i].n)
			fail_msg("%s: %u effects, not %u", wants[i].text, a.n_effects, wants[i].n);
		for (uint8_t k = 0; k < a.n_effects; k++) {
			if (!effect_is(&a.effects[k], &wants[i].effects[k]))
				fail_msg("%s: effect %u: kind %u access %#x cap %u value %#llx %s",
					 wants[i].text, k, a.effects[k].kind, a.effects[k].access,
					 a.effects[k].capability,
					 (unsigned long long)a.effects[k].value,
					 a.effects[k].path ? a.effects[k].path : "");
		}
		/* Asked again it is the same. */
		assert_int_equal(attempt_find_effects(&a, "/elsewhere"), 0);
		assert_int_equal(a.n_effects, wants[i].n);
		for (uint8_t k = 0; k < a.n_effects; k++)
			assert_true(effect_is(&a.effects[k], &wants[i].effects[k]));
		attempt_done(&a);
	}
}

/* No row names a call or an argument that is not there, and no call has too many effects. */
static void every_call_has_effects_to_find(void **state)
{
	size_t n;
	const struct syscall_desc *table = syscall_table(&n);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		struct attempt a = { .call = &table[i], .n_args = table[i].n_args };

		for (unsigned bits = 0; bits < 3; bits++) {
			for (unsigned k = 0; k < 6; k++)
				a.args[k] = bits == 0 ? 0 : bits == 1 ? UINT64_MAX : 0x12000;
			assert_int_equal(attempt_find_effects(&a, "/"), 0);
			assert_true(a.n_effects < ATTEMPT_EFFECTS);
		}
	}
}

static void refuses(void **state)
{
	static const struct {
		const char *text, *names;
	} bad[] = {
		{ "", "missing" },
		{ "opn(\"/x\")", "opn" },
		{ "open(\"/x\"", "')'" },
		{ "open(\"/x\", O_BROKEN)", "O_BROKEN" },
		{ "open(\"/x\") x", "x" },
		{ "read(\"x\")", "fd" },
		{ "getpid(1)", "0 arguments" },
		{ "connect(3, \"192.0.2.1\")", "192.0.2.1" },
		{ "connect(3, \"tcp:192.0.2.1\")", "tcp:192.0.2.1" },
		{ "connect(3, \"tcp:192.0.2.256:1\")", "192.0.2.256" },
		{ "connect(3, \"tcp:192.0.2.1:65536\")", "65536" },
		{ "connect(3, \"tcp:[::1:80\")", "[::1:80" },
		{ "connect(3, \"tcp:]:80\")", "tcp:]:80" },
		{ "connect(3, \"tcp:[]:80\")", "tcp:[]:80" },
		{ "connect(3, \"tcp::\")", "tcp::" },
		{ "connect(3, \"tcp:[:80\")", "tcp:[:80" },
		{ "connect(3, \"unix:\")", "unix:" },
		{ "connect(3, \"unix:@\")", "unix:@" },
		{ "bind(3, \"sctp:127.0.0.1:1\")", "sctp" },
		{ "time\n", "" },
	};
	struct attempt a;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct err err = ERR_INIT;
		int r = attempt_parse(bad[i].text, ABI_X86_64, "/", &a, &err);

		if (r == 0)
			attempt_done(&a);
		if (r != -EINVAL || !strstr(err.msg, bad[i].names))
			fail_msg("'%s': %d %s", bad[i].text, r, err.msg);
	}
}

static void refuses_what_the_abi_lacks(void **state)
{
	struct err err = ERR_INIT;
	struct attempt a;

	(void)state;
	assert_int_equal(attempt_parse("open(\"/x\")", ABI_AARCH64, "/", &a, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "aarch64"));
	assert_int_equal(attempt_parse("openat(\"/x\")", ABI_AARCH64, "/", &a, &err), 0);
	attempt_done(&a);
}

static void long_paths(void **state)
{
	char text[LIMIT_PATH + 64] = "open(\"/", cwd[LIMIT_PATH];
	struct err err = ERR_INIT;
	struct attempt a;

	(void)state;
	memset(text + 7, 'a', 200);
	(void)snprintf(text + 207, 4, "\")");
	memset(cwd, 'b', sizeof(cwd));
	cwd[0] = '/';
	cwd[LIMIT_PATH - 100] = '\0';
	assert_int_equal(attempt_parse(text, ABI_X86_64, cwd, &a, &err), 0);
	attempt_done(&a);
	text[6] = 'a'; /* relative, and now too long */
	assert_int_equal(attempt_parse(text, ABI_X86_64, cwd, &a, &err), -EINVAL);
	memset(text + 7, 'a', LIMIT_POLICY_LINE);
	text[LIMIT_POLICY_LINE + 7] = '\0';
	assert_int_equal(attempt_parse(text, ABI_X86_64, "/", &a, &err), -EINVAL);
}

static void of_expectations(void **state)
{
	char path[] = "/etc/passwd", home[] = "~/x";
	struct policy_expect e = { .kind = POLICY_EXPECT_PATH,
				   .verb = POLICY_PATH_WRITE,
				   .path = path };
	struct err err = ERR_INIT;
	struct attempt a;

	(void)state;
	assert_int_equal(attempt_of_expect(&e, ABI_X86_64, "/", &a, &err), 0);
	assert_string_equal(a.call->name, "openat");
	assert_int_equal(a.effects[0].access, FILE_WRITE);
	assert_string_equal(a.effects[0].path, path);
	attempt_done(&a);
	e.verb = POLICY_PATH_EXEC;
	assert_int_equal(attempt_of_expect(&e, ABI_X86_64, "/", &a, &err), 0);
	assert_string_equal(a.call->name, "execve");
	assert_int_equal(a.effects[0].access, FILE_EXEC);
	attempt_done(&a);
	e.path = home;
	assert_int_equal(attempt_of_expect(&e, ABI_X86_64, "/", &a, &err), -EINVAL);
	e = (struct policy_expect){ .kind = POLICY_EXPECT_PORT,
				    .port = { .direction = POLICY_PORT_BIND,
					      .protocol = POLICY_PORT_UDP,
					      .families = POLICY_FAMILY_INET6,
					      .first = 5000,
					      .last = 5000 } };
	assert_int_equal(attempt_of_expect(&e, ABI_X86_64, "/", &a, &err), 0);
	assert_string_equal(a.call->name, "bind");
	assert_int_equal(a.effects[0].kind, EFFECT_BIND);
	assert_int_equal(a.effects[0].family, AF_INET6);
	assert_int_equal(a.effects[0].protocol, POLICY_PORT_UDP);
	assert_int_equal(a.effects[0].port, 5000);
	attempt_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_arguments),
		cmocka_unit_test(finds_effects),
		cmocka_unit_test(every_call_has_effects_to_find),
		cmocka_unit_test(refuses),
		cmocka_unit_test(refuses_what_the_abi_lacks),
		cmocka_unit_test(long_paths),
		cmocka_unit_test(of_expectations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
