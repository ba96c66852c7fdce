// SPDX-License-Identifier: Apache-2.0
/* net connect and bind: the ports, and which sockets can be made beside them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "policies/load.h"

static const char *const dirs[] = { "tests/policies/lib" };
static const struct policy_search lib = { .dirs = dirs, .n_dirs = 1, .native = ABI_NATIVE };

static struct policy *load(const char *text)
{
	struct policy_diags diags = { .text = BUF_INIT };
	struct policy *policy = NULL;
	struct err err = ERR_INIT;

	if (policy_load_text("t", text, strlen(text), &lib, &policy, &diags, &err) < 0)
		fail_msg("%s\n%s", text, diags.text.data);
	policy_diags_done(&diags);
	return policy;
}

static void port(const struct policy *p, size_t i, unsigned direction, unsigned protocol,
		 unsigned families, unsigned first, unsigned last, unsigned line)
{
	assert_in_range(i, 0, p->n_ports - 1);
	assert_int_equal(p->ports[i].direction, direction);
	assert_int_equal(p->ports[i].protocol, protocol);
	assert_int_equal(p->ports[i].families, families);
	assert_int_equal(p->ports[i].first, first);
	assert_int_equal(p->ports[i].last, last);
	assert_int_equal(p->ports[i].where.line, line);
}

static void test_ports(void **state)
{
	const unsigned both = POLICY_FAMILY_INET | POLICY_FAMILY_INET6;
	struct policy *p = load("net host\n"
				"let web 443 80\n"
				"net bind tcp4 5000-5999\n"
				"net connect tcp $web 80\n"
				"net connect udp6 53\n"
				"net connect tcp6 any\n");

	(void)state;
	assert_int_equal(p->n_ports, 5);
	port(p, 0, POLICY_PORT_CONNECT, POLICY_PORT_TCP, POLICY_FAMILY_INET6, 0, 65535, 6);
	port(p, 1, POLICY_PORT_CONNECT, POLICY_PORT_TCP, both, 80, 80, 4);
	port(p, 2, POLICY_PORT_CONNECT, POLICY_PORT_TCP, both, 443, 443, 4);
	port(p, 3, POLICY_PORT_CONNECT, POLICY_PORT_UDP, POLICY_FAMILY_INET6, 53, 53, 5);
	port(p, 4, POLICY_PORT_BIND, POLICY_PORT_TCP, POLICY_FAMILY_INET, 5000, 5999, 3);
	assert_int_equal(p->net, POLICY_NET_HOST);
	assert_int_equal(p->setting_where[POLICY_SETTING_NET].line, 1);
	policy_free(p);
	p = load("net host\nallow read\n");
	assert_int_equal(p->n_ports, 0);
	assert_int_equal(p->n_rules, 1);
	policy_free(p);
}

/* 0 when the socket may be made, else the errno. */
static int answer(const struct policy *p, uint64_t domain, uint64_t type, uint64_t protocol,
		  unsigned *ret_line)
{
	const uint64_t args[6] = { domain, type, protocol };
	struct policy_verdict v;

	policy_eval(p, ABI_NATIVE, syscall_by_name("socket")->nr[ABI_NATIVE], args, &v);
	if (ret_line)
		*ret_line = v.rule ? v.rule->where.line : 0;
	return v.action == POLICY_ALLOW ? 0 : v.errno_value;
}

static void test_sockets(void **state)
{
	unsigned line = 0;
	struct policy *p = load("allow socket\nnet host\n\nnet connect tcp4 443\n");

	(void)state;
	assert_int_equal(answer(p, AF_INET, SOCK_STREAM, 0, NULL), 0);
	assert_int_equal(answer(p, AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP, NULL), 0);
	assert_int_equal(answer(p, AF_UNIX, SOCK_DGRAM, 0, NULL), 0);
	assert_int_equal(answer(p, AF_INET, SOCK_DGRAM, 0, &line), EPERM);
	assert_int_equal(line, 4);
	assert_int_equal(answer(p, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0, NULL), EPERM);
	assert_int_equal(answer(p, AF_INET, SOCK_RAW, IPPROTO_TCP, NULL), EPERM);
	assert_int_equal(answer(p, AF_INET, SOCK_STREAM, IPPROTO_SCTP, NULL), EPERM);
	assert_int_equal(answer(p, AF_INET, SOCK_STREAM, IPPROTO_MPTCP, NULL), EPERM);
	/* garbage above the 32 bits that the kernel reads */
	assert_int_equal(answer(p, AF_INET | 1ULL << 32, SOCK_DGRAM, 0, NULL), EPERM);
	assert_int_equal(answer(p, AF_INET6, SOCK_STREAM, 0, NULL), EAFNOSUPPORT);
	policy_free(p);
	p = load("allow socket\nnet host\nnet connect tcp any\nnet bind udp6 53\n");
	assert_int_equal(answer(p, AF_INET, SOCK_STREAM, 0, NULL), 0);
	assert_int_equal(answer(p, AF_INET6, SOCK_STREAM, 0, NULL), 0);
	assert_int_equal(answer(p, AF_INET6, SOCK_DGRAM, IPPROTO_UDP, NULL), 0);
	assert_int_equal(answer(p, AF_INET6, SOCK_DGRAM, IPPROTO_UDPLITE, NULL), EPERM);
	assert_int_equal(answer(p, AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6, NULL), EPERM);
	assert_int_equal(answer(p, AF_INET6, SOCK_SEQPACKET, 0, NULL), EPERM);
	assert_int_equal(answer(p, AF_INET, SOCK_DGRAM, IPPROTO_UDP, NULL), EPERM);
	policy_free(p);
}

/* The policy's own socket rules stay what they are. */
static void test_own_rules(void **state)
{
	unsigned line = 0;
	struct policy *p =
		load("net host\n"
		     "net connect tcp4 443\n"
		     "deny socket if domain == AF_INET6 errno EACCES quiet\n"
		     "deny socket if domain == AF_INET and type == SOCK_RAW errno ENOSYS\n"
		     "kill socket if domain == AF_INET and type & 0xf == SOCK_PACKET\n"
		     "allow socket if domain == AF_INET\n");
	struct policy_verdict v;
	const uint64_t packet[6] = { AF_INET, SOCK_PACKET, 0 };

	(void)state;
	assert_int_equal(answer(p, AF_INET6, SOCK_STREAM, 0, &line), EACCES);
	assert_int_equal(line, 3);
	assert_int_equal(answer(p, AF_INET, SOCK_STREAM, 0, NULL), 0);
	assert_int_equal(answer(p, AF_INET, SOCK_DGRAM, 0, &line), EPERM);
	assert_int_equal(line, 2);
	policy_eval(p, ABI_NATIVE, syscall_by_name("socket")->nr[ABI_NATIVE], packet, &v);
	assert_int_equal(v.action, POLICY_KILL);
	/* nothing allows a unix socket here, and no port line does either */
	assert_int_equal(answer(p, AF_UNIX, SOCK_STREAM, 0, &line), EPERM);
	assert_int_equal(line, 0);
	policy_free(p);
}

/* socketcall has what socket is asked for in memory. */
static void test_socketcall(void **state)
{
	static const uint64_t args[6] = { 1 };
	struct policy_verdict v;
	int32_t nr = syscall_by_name("socketcall")->nr[ABI_I386];
	struct policy *p = load("abi native i386\nallow socketcall socket\nnet host\n");

	(void)state;
	policy_eval(p, ABI_I386, nr, args, &v);
	assert_int_equal(v.action, POLICY_ALLOW);
	policy_free(p);
	p = load("abi native i386\nallow socketcall socket\nnet host\nnet bind tcp 80\n");
	policy_eval(p, ABI_I386, nr, args, &v);
	assert_int_equal(v.action, POLICY_DENY);
	assert_int_equal(v.rule->where.line, 4);
	policy_free(p);
}

/* A ring makes sockets and connects them by operations that no filter sees. */
static void test_io_uring(void **state)
{
	static const uint64_t args[6] = { 8 };
	struct policy_verdict v;
	int32_t nr = syscall_by_name("io_uring_setup")->nr[ABI_NATIVE];
	struct policy *p = load("allow io_uring_setup\nnet host\n");

	(void)state;
	policy_eval(p, ABI_NATIVE, nr, args, &v);
	assert_int_equal(v.action, POLICY_ALLOW);
	policy_free(p);
	p = load("allow io_uring_setup\nnet host\nnet connect tcp 443\n");
	policy_eval(p, ABI_NATIVE, nr, args, &v);
	assert_int_equal(v.action, POLICY_DENY);
	assert_int_equal(v.errno_value, EPERM);
	assert_int_equal(v.rule->where.line, 3);
	policy_free(p);
}

/* Other families that end at internet addresses. */
static void test_other_families(void **state)
{
	static const uint64_t closed[] = { AF_SMC, AF_RDS, AF_RXRPC };
	struct policy *open = load("allow socket\nnet host\n");
	struct policy *p = load("allow socket\nnet host\nnet bind tcp 80\n");

	(void)state;
	for (size_t i = 0; i < sizeof(closed) / sizeof(closed[0]); i++) {
		assert_int_equal(answer(open, closed[i], SOCK_STREAM, 0, NULL), 0);
		assert_int_equal(answer(p, closed[i], SOCK_STREAM, 0, NULL), EAFNOSUPPORT);
	}
	assert_int_equal(answer(p, AF_VSOCK, SOCK_STREAM, 0, NULL), 0);
	policy_free(open);
	policy_free(p);
}

static void test_remove(void **state)
{
	struct policy *p = load("use ports\nremove net connect tcp 443\n");

	(void)state;
	assert_int_equal(p->n_ports, 3);
	assert_int_equal(p->n_notes, 1);
	assert_int_equal(p->notes[0].kind, POLICY_NOTE_REMOVED);
	assert_string_equal(p->notes[0].text, "net connect tcp 443");
	assert_int_equal(p->notes[0].where.line, 2);
	assert_int_equal(p->notes[0].other.source, 1);
	policy_free(p);
	p = load("use ports\nremove net connect tcp\n");
	assert_int_equal(p->n_ports, 2);
	policy_free(p);
	p = load("use ports\nremove net connect\nremove net bind udp 53\nallow socket\n");
	assert_int_equal(p->n_ports, 0);
	/* nothing is closed any more */
	assert_int_equal(answer(p, AF_INET, SOCK_RAW, 0, NULL), 0);
	policy_free(p);
}

static void test_expect(void **state)
{
	struct policy *p = load("net host\nnet connect tcp 443\n"
				"expect allow connect tcp 443\nexpect deny bind udp6 53 54\n"
				"expect allow read(3)\nexpect deny read /x \"/y z\"\n"
				"expect allow exec ~/bin\nexpect allow read\n"
				"let where /w\nexpect deny write $where/x\n");

	(void)state;
	assert_int_equal(p->n_expects, 9);
	assert_int_equal(p->expects[0].kind, POLICY_EXPECT_PORT);
	assert_int_equal(p->expects[0].action, POLICY_ALLOW);
	assert_int_equal(p->expects[0].port.first, 443);
	assert_int_equal(p->expects[0].port.last, 443);
	assert_int_equal(p->expects[1].port.direction, POLICY_PORT_BIND);
	assert_int_equal(p->expects[1].port.families, POLICY_FAMILY_INET6);
	assert_int_equal(p->expects[2].port.first, 54);
	assert_int_equal(p->expects[3].kind, POLICY_EXPECT_CALL);
	assert_string_equal(p->expects[3].call->name, "read");
	assert_int_equal(p->expects[3].n_args, 1);
	assert_int_equal(p->expects[4].kind, POLICY_EXPECT_PATH);
	assert_int_equal(p->expects[4].verb, POLICY_PATH_READ);
	assert_string_equal(p->expects[4].path, "/x");
	assert_string_equal(p->expects[5].path, "/y z");
	assert_int_equal(p->expects[6].verb, POLICY_PATH_EXEC);
	assert_string_equal(p->expects[6].path, "~/bin");
	assert_int_equal(p->expects[7].kind, POLICY_EXPECT_CALL);
	assert_int_equal(p->expects[7].n_args, 0);
	assert_string_equal(p->expects[8].path, "/w/x");
	policy_free(p);
	p = load("use ports\nremove expect deny write /etc\nremove expect allow connect tcp 443\n");
	assert_int_equal(p->n_expects, 1);
	assert_int_equal(p->n_notes, 2);
	policy_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ports),	  cmocka_unit_test(test_sockets),
		cmocka_unit_test(test_own_rules), cmocka_unit_test(test_socketcall),
		cmocka_unit_test(test_io_uring),  cmocka_unit_test(test_other_families),
		cmocka_unit_test(test_remove),	  cmocka_unit_test(test_expect),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
