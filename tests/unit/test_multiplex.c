// SPDX-License-Identifier: Apache-2.0
/* socketcall and ipc on i386: each policy that they would go past is refused, its twin is not. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policies/load.h"
#include "policies/multiplex.h"

/* Whether the text compiles; says: what the mistake must say. */
static void judge(const char *text, const char *says, const char *hints)
{
	__attribute__((
		cleanup(policy_diags_done))) struct policy_diags diags = { .text = BUF_INIT };
	struct policy *policy = NULL;
	struct err err = ERR_INIT;
	int r = policy_load_text("t.policy", text, strlen(text), NULL, &policy, &diags, &err);

	policy_free(policy);
	if (!says && r < 0)
		fail_msg("refused:\n%s\n%s", text, diags.text.data ? diags.text.data : err.msg);
	if (!says)
		return;
	if (r != -EBADMSG)
		fail_msg("taken (%d):\n%s", r, text);
	if (!strstr(diags.text.data, says) || (hints && !strstr(diags.text.data, hints)))
		fail_msg("%s\nsays:\n%s", text, diags.text.data);
}

#define I386	"abi native i386\n"
#define SOCKETS I386 "allow socketcall bind connect\n"

static void test_sockets(void **state)
{
	(void)state;
	judge(SOCKETS "allow socket if domain == AF_UNIX\n",
	      "t.policy:2:7: socketcall makes socket on i386",
	      "call in SYS_BIND SYS_CONNECT on i386");
	judge(SOCKETS "deny socket\n", "past the rule in t.policy:3", NULL);
	judge(SOCKETS "kill socket\n", "makes socket on i386", NULL);
	judge(SOCKETS "allow socket\ndeny socket if type & 0xf == SOCK_RAW\n", "makes socket",
	      NULL);
	judge(SOCKETS "allow socket\ndeny bind\n", "makes bind", NULL);
	judge(SOCKETS "allow socket\ndeny recvfrom\n", "makes recvfrom", NULL);
	/* accept has no number of its own on i386: what is said of it is said of socketcall. */
	judge(SOCKETS "allow socket\ndeny accept\n", "makes accept", NULL);
	/* Nothing is restricted, or the multiplexer is shut, or i386 is. */
	/* As the hints say it. */
	judge(I386 "allow bind connect\nallow socket if domain == AF_UNIX\n"
		   "allow socketcall if call in SYS_BIND SYS_CONNECT on i386\n",
	      NULL, NULL);
	judge(SOCKETS "deny socketcall on i386\nallow socket if domain == AF_UNIX\n", NULL, NULL);
	/* What is restricted on the native ABI alone. */
	judge(SOCKETS "allow socket on i386\nallow socket if domain == AF_UNIX on native\n", NULL,
	      NULL);
	judge(SOCKETS "allow socket on native\nallow socket if domain == AF_UNIX on i386\n",
	      "makes socket", NULL);
	judge(SOCKETS "allow socket\n", NULL, NULL);
	judge(SOCKETS "allow socket if domain == AF_UNIX\nallow socket\n", NULL, NULL);
	judge(I386 "allow socket if domain == AF_UNIX\n", NULL, NULL);
	judge(I386 "deny socketcall\nallow socket if domain == AF_UNIX\n", NULL, NULL);
	judge(SOCKETS "deny socketcall\nallow socket if domain == AF_UNIX\n", NULL, NULL);
	judge("allow socketcall bind connect\nallow socket if domain == AF_UNIX\n", NULL, NULL);
	judge("abi native x32\nallow socketcall\nallow socket if domain == AF_UNIX\n", NULL, NULL);
}

static void test_sockets_by_number(void **state)
{
	(void)state;
	judge(I386 "allow socket if domain == AF_UNIX\nallow bind\n"
		   "allow socketcall if call in SYS_BIND SYS_LISTEN\n",
	      NULL, NULL);
	judge(I386 "allow socket if domain == AF_UNIX\nallow bind\n"
		   "allow socketcall if call in SYS_SOCKET SYS_BIND\n",
	      "t.policy:4:7: socketcall makes socket", "call in SYS_BIND on i386");
	judge(I386 "allow socket if domain == AF_UNIX\nallow socketcall if call > SYS_SOCKET\n",
	      NULL, NULL);
	judge(I386 "allow socket if domain == AF_UNIX\nallow socketcall if call >= SYS_SOCKET\n",
	      "makes socket", NULL);
	judge(I386 "allow socket if domain == AF_UNIX\nallow socketcall\n"
		   "deny socketcall if call == SYS_SOCKET\n",
	      NULL, NULL);
	judge(I386 "allow sendto if flags == 0\nallow socketcall if call == SYS_SEND\n",
	      "makes sendto", NULL);
}

static void test_ipc(void **state)
{
	(void)state;
	judge(I386 "allow ipc\nallow shmget if size < 4096\n", "makes shmget", NULL);
	judge(I386 "allow ipc\ndeny semop\n", "makes semop", NULL);
	judge(I386 "allow ipc shmget\n", NULL, NULL);
	judge(I386 "deny ipc\nallow shmget if size < 4096\n", NULL, NULL);
	judge(I386 "allow ipc if call & 0xffff == SHMAT\nallow shmget if size < 4096\n", NULL,
	      NULL);
	/* The kernel reads the lower half: the upper one is another way to the same call. */
	judge(I386 "allow ipc\ndeny ipc if call == SHMGET\nallow shmget if size < 4096\n",
	      "makes shmget", NULL);
	judge(I386 "allow ipc\ndeny ipc if call & 0xffff == SHMGET\nallow shmget if size < 4096\n",
	      NULL, NULL);
	judge(I386 "allow ipc if call == 0x10017\nallow shmget if size < 4096\n", "makes shmget",
	      NULL);
}

static void test_both_are_told(void **state)
{
	(void)state;
	judge(I386 "allow ipc socketcall\ndeny bind shmat\n", "makes bind", NULL);
	judge(I386 "allow ipc socketcall\ndeny bind shmat\n", "makes shmat", NULL);
}

/* Every number that the kernel has, and its neighbours that it has not. */
static void test_numbers(void **state)
{
	const struct syscall_desc *sockets = syscall_by_name("socketcall");
	const struct syscall_desc *ipc = syscall_by_name("ipc");
	unsigned n = 0;

	(void)state;
	assert_ptr_equal(multiplex_call(sockets, 1), syscall_by_name("socket"));
	assert_ptr_equal(multiplex_call(sockets, 20), syscall_by_name("sendmmsg"));
	assert_null(multiplex_call(sockets, 0));
	assert_null(multiplex_call(sockets, 21));
	assert_null(multiplex_call(sockets, 0x10001));
	assert_ptr_equal(multiplex_call(ipc, 0x30017), syscall_by_name("shmget"));
	assert_null(multiplex_call(syscall_by_name("read"), 1));
	for (uint32_t i = 0; i < 40; i++) {
		n += multiplex_call(sockets, i) != NULL;
		n += multiplex_call(ipc, i) != NULL;
	}
	assert_int_equal(n, 20 + 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sockets), cmocka_unit_test(test_sockets_by_number),
		cmocka_unit_test(test_ipc),	cmocka_unit_test(test_both_are_told),
		cmocka_unit_test(test_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
