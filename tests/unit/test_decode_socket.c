// SPDX-License-Identifier: Apache-2.0
/* Addresses of sockets and control messages, true ones and made-up ones. */
#include "tests/unit/decode_case.h"

#include <arpa/inet.h>
#include <linux/if_alg.h>
#include <linux/if_packet.h>
#include <linux/if_xdp.h>
#include <linux/netlink.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#define ADDRESS(want) "\"uservaddr\":{\"sockaddr_as_read\":{" want "}}"

static void families(void **state)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(443) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
				    .sin6_port = htons(80),
				    .sin6_scope_id = 3 };
	struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = "/run/docker.sock" };
	const struct sockaddr_nl nl = { .nl_family = AF_NETLINK, .nl_pid = 7, .nl_groups = 2 };
	const struct sockaddr_ll ll = { .sll_family = AF_PACKET,
					.sll_protocol = htons(0x806),
					.sll_ifindex = 2 };
	const struct sockaddr_alg alg = { .salg_family = AF_ALG,
					  .salg_type = "hash",
					  .salg_name = "sha1" };
	const struct sockaddr_vm vm = { .svm_family = AF_VSOCK,
					.svm_cid = VMADDR_CID_HOST,
					.svm_port = 99 };
	const struct sockaddr_xdp xdp = {
		.sxdp_family = 44, .sxdp_flags = XDP_COPY, .sxdp_ifindex = 4, .sxdp_queue_id = 1
	};

	(void)state;
	memset(memory, 0, SIZE);
	in.sin_addr.s_addr = htonl(0x7f000001);
	SAYS(ADDRESS("\"family\":\"AF_INET\",\"address\":\"127.0.0.1\",\"port\":443"), "connect", 3,
	     AT(0, in), sizeof(in));
	in6.sin6_addr.s6_addr[15] = 1;
	SAYS(ADDRESS("\"family\":\"AF_INET6\",\"address\":\"::1\",\"port\":80,\"scope\":3"),
	     "connect", 3, AT(0, in6), sizeof(in6));
	/* as RFC 2133 had it, without a scope */
	SAYS(ADDRESS("\"family\":\"AF_INET6\",\"address\":\"::1\",\"port\":80"), "connect", 3,
	     AT(0, in6), 24);
	SAYS(ADDRESS("\"family\":\"AF_UNIX\",\"path\":\"/run/docker.sock\""), "connect", 3,
	     AT(0, un), sizeof(un));
	un.sun_path[0] = '\0';
	SAYS(ADDRESS("\"family\":\"AF_UNIX\",\"abstract\":\"run/d\""), "connect", 3, AT(0, un), 8);
	SAYS(ADDRESS("\"family\":\"AF_UNIX\",\"abstract\":\"run\\\\x00\""), "connect", 3,
	     at(0, "\1\0\0run\0", 7), 7);
	SAYS(ADDRESS("\"family\":\"AF_UNIX\",\"unnamed\":\"\""), "connect", 3, AT(0, un), 2);
	SAYS(ADDRESS("\"family\":\"AF_NETLINK\",\"port\":7,\"groups\":2"), "connect", 3, AT(0, nl),
	     sizeof(nl));
	SAYS(ADDRESS("\"family\":\"AF_PACKET\",\"protocol\":\"ETH_P_ARP\",\"interface\":2"),
	     "connect", 3, AT(0, ll), sizeof(ll));
	SAYS(ADDRESS("\"family\":\"AF_ALG\",\"type\":\"hash\",\"name\":\"sha1\""), "connect", 3,
	     AT(0, alg), sizeof(alg));
	SAYS(ADDRESS("\"family\":\"AF_VSOCK\",\"cid\":\"VMADDR_CID_HOST\",\"port\":99"), "connect",
	     3, AT(0, vm), sizeof(vm));
	SAYS(ADDRESS("\"family\":\"AF_XDP\",\"flags\":\"XDP_COPY\",\"interface\":4,\"queue\":1"),
	     "connect", 3, AT(0, xdp), sizeof(xdp));
	SAYS(ADDRESS("\"family\":\"AF_UNSPEC\""), "connect", 3, at(0, "\0\0", 2), 2);
	SAYS("\"addr\":{\"sockaddr_as_read\":{\"family\":\"AF_INET\"", "sendto", 3, 0, 0, 0,
	     AT(0, in), sizeof(in));
}

static void made_up(void **state)
{
	const struct sockaddr_in in = { .sin_family = AF_INET };

	(void)state;
	memset(memory, 'y', SIZE);
	AT(0, in);
	/* too short for what it says it is: the family is all there is */
	SAYS(ADDRESS("\"family\":\"AF_INET\""), "connect", 3, BASE, 7);
	SAYS(ADDRESS("\"family\":\"AF_ALG\""), "connect", 3, at(0, "\46\0", 2), 40);
	SAYS(ADDRESS("\"family\":\"AF_31097\""), "connect", 3, BASE + 100, 2); /* 0x7979 */
	/* The kernel takes no such length. */
	SAYS("{\"decoded\":{\"fd\":3,\"addrlen\":1}}", "connect", 3, BASE, 1);
	SAYS("{\"decoded\":{\"fd\":3,\"addrlen\":129}}", "connect", 3, BASE, 129);
	SAYS("{\"decoded\":{\"fd\":3,\"addrlen\":-1}}", "connect", 3, BASE, 0xffffffff);
	SAYS("\"uservaddr\":{\"note\":\"unreadable\"}", "connect", 3, BASE + SIZE - 4, 16);
	SAYS("\"uservaddr\":null", "connect", 3, 0, 16);
	/* what the kernel fills in is not read */
	SAYS("{\"decoded\":{\"fd\":3}}", "accept", 3, BASE, BASE);
	SAYS("{\"decoded\":{\"fd\":3,\"size\":5,\"flags\":\"MSG_PEEK\"}}", "recvfrom", 3, BASE, 5,
	     2, BASE, BASE);
}

static struct msghdr message(uint64_t control, size_t len)
{
	struct msghdr msg = { .msg_controllen = len };

	memcpy(&msg.msg_control, &control, sizeof(control));
	return msg;
}

static void control_messages(void **state)
{
	union {
		struct cmsghdr head;
		char room[256];
	} c = { .head = { CMSG_LEN(8), SOL_SOCKET, SCM_RIGHTS } };
	struct cmsghdr *second = (struct cmsghdr *)(void *)(c.room + CMSG_SPACE(8));
	struct msghdr msg;

	(void)state;
	memset(memory, 0, SIZE);
	memcpy(CMSG_DATA(&c.head), &(const int[]){ 5, 6 }, 8);
	*second = (struct cmsghdr){ CMSG_LEN(12), SOL_SOCKET, SCM_CREDENTIALS };
	memcpy(CMSG_DATA(second), &(const int[]){ 1, 2, 3 }, 12);
	AT(0, c);
	msg = message(BASE, CMSG_SPACE(8) + CMSG_SPACE(12));
	SAYS("\"msg_control\":{\"control_as_read\":[{\"level\":\"SOL_SOCKET\",\"type\":\"SCM_"
	     "RIGHTS\",\"fds\":[5,6]},"
	     "{\"level\":\"SOL_SOCKET\",\"type\":\"SCM_CREDENTIALS\",\"pid\":1,\"uid\":2,\"gid\":3}"
	     "]}",
	     "sendmsg", 3, AT(1024, msg));
	msg = message(BASE, 1 << 20);
	SAYS("\"type\":\"SCM_RIGHTS\",\"fds\":[5,6]}", "sendmsg", 3, AT(1024, msg));
	assert_non_null(strstr(out, "\"more\":true"));
	/* lengths inside: too short, too long, for ever */
	c.head.cmsg_len = 3;
	AT(0, c);
	SAYS("\"control_as_read\":[],\"more\":true", "sendmsg", 3, AT(1024, msg));
	c.head.cmsg_len = UINT64_MAX;
	AT(0, c);
	SAYS("\"fds\":[5,6,28,0,1,2,1,2,3,", "sendmsg", 3, AT(1024, msg));
	assert_non_null(strstr(out, "],\"more\":true}"));
	msg = message(BASE + SIZE - 8, 64);
	SAYS("\"msg_control\":{\"note\":\"unreadable\"}", "sendmsg", 3, AT(1024, msg));
	msg = message(BASE, 0);
	SAYS("\"msg_control\":{\"control_as_read\":[]}", "sendmsg", 3, AT(1024, msg));
	/* a 32-bit caller's header has a length of 4 bytes */
	WORDS(0, 16, SOL_SOCKET, SCM_RIGHTS, 9);
	SAYS_ON(ABI_I386,
		"\"msg_control\":{\"control_as_read\":[{\"level\":\"SOL_SOCKET\",\"type\":\"SCM_"
		"RIGHTS\",\"fds\":[9]}]}",
		"sendmsg", 3, WORDS(1024, 0, 0, 0, 0, BASE, 16, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(families),
		cmocka_unit_test(made_up),
		cmocka_unit_test(control_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
