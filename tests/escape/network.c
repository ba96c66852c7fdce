// SPDX-License-Identifier: Apache-2.0
/* S12, W1, W2: sockets, and who can be reached by them. Nothing is sent beyond loopback. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/escape/probe.h"

/* --- S12 */

static struct answer go_socket(const struct point *p)
{
	return by_result(socket((int)p->arg[0], (int)p->arg[1], (int)p->arg[2]), "a socket");
}

/* With bits above the 32 that the kernel looks at. */
static struct answer go_socket_high(const struct point *p)
{
	const unsigned long high = 1UL << 32;

	return by_result(syscall(SYS_socket, (unsigned long)p->arg[0] | high,
				 (unsigned long)p->arg[1] | high, (unsigned long)p->arg[2] | high),
			 "a socket");
}

/* A family by each of the types that there are. */
static struct answer go_family(const struct point *p)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET, SOCK_RDM };
	struct answer a = hidden();

	for (size_t i = 0; i < COUNT(types); i++) {
		for (int protocol = 0; protocol < 3; protocol++) {
			int fd = socket((int)p->arg[0], types[i], protocol);

			if (fd >= 0) {
				close(fd);
				return done("type %d", types[i]);
			}
			a = refused();
		}
	}
	return a;
}

/* --- W1, W2 */

static struct answer try_connect(int family, int type, const void *to, socklen_t len)
{
	int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), code = 0;
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	socklen_t n = sizeof(code);

	if (fd < 0)
		return refused();
	if (connect(fd, to, len) < 0 && errno != EINPROGRESS) {
		code = errno;
	} else if (poll(&p, 1, 2000) <= 0) {
		code = ETIMEDOUT;
	} else {
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &n);
	}
	close(fd);
	errno = code;
	return code ? refused() : done("connected");
}

static struct answer go_tcp(const struct point *p)
{
	struct sockaddr_in to4 = { .sin_family = AF_INET,
				   .sin_port = htons((uint16_t)fact_number("tcp")),
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in6 to6 = { .sin6_family = AF_INET6,
				    .sin6_port = htons((uint16_t)fact_number("tcp6")),
				    .sin6_addr = IN6ADDR_LOOPBACK_INIT };

	if (p->arg[0] == AF_INET6)
		return try_connect(AF_INET6, SOCK_STREAM, &to6, sizeof(to6));
	return try_connect(AF_INET, SOCK_STREAM, &to4, sizeof(to4));
}

/* Connecting a datagram socket looks up a route and sends nothing. 192.0.2.1 is documentation's. */
static struct answer go_route(const struct point *p)
{
	struct sockaddr_in to4 = { .sin_family = AF_INET, .sin_port = htons(9) };
	struct sockaddr_in6 to6 = { .sin6_family = AF_INET6, .sin6_port = htons(9) };

	if (p->arg[0] == AF_INET6) {
		inet_pton(AF_INET6, p->path, &to6.sin6_addr);
		return try_connect(AF_INET6, SOCK_DGRAM, &to6, sizeof(to6));
	}
	inet_pton(AF_INET, p->path, &to4.sin_addr);
	return try_connect(AF_INET, SOCK_DGRAM, &to4, sizeof(to4));
}

static struct answer go_unix(const struct point *p)
{
	const char *name = fact(p->path);
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t at = p->arg[1] ? 1 : 0;

	if (!name)
		return done("no socket was told of");
	snprintf(to.sun_path + at, sizeof(to.sun_path) - at, "%s", name);
	return try_connect(AF_UNIX, (int)p->arg[0], &to,
			   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + at + strlen(name)));
}

static struct answer go_path_socket(const struct point *p)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	struct answer a;

	snprintf(to.sun_path, sizeof(to.sun_path), "%s", p->path);
	a = try_connect(AF_UNIX, SOCK_STREAM, &to, sizeof(to));
	if (a.outcome != DONE && a.error == EPROTOTYPE)
		a = try_connect(AF_UNIX, SOCK_DGRAM, &to, sizeof(to));
	return a;
}

/* Any name of an abstract socket that the kernel lists. */
static struct answer go_list_abstract(const struct point *p)
{
	const char *name = fact("abstract");
	static char text[65536];
	int n = read_small("/proc/net/unix", text, sizeof(text));

	(void)p;
	if (n < 0) {
		errno = -n;
		return refused();
	}
	return name && memmem(text, (size_t)n, name, strlen(name)) ? done("%s", name) : hidden();
}

#define NO_FAMILY "the kernel lacks the family"
#define NO_DAEMON "no such service runs on this host, or not for this user"
#define FAMILY(name, number)                                                                       \
	{                                                                                          \
		"S12", "a socket of " name, go_family, .unless = NO_FAMILY, .arg = { number }      \
	}
#define NETLINK(name, number)                                                                      \
	{                                                                                          \
		"S12", "netlink " name, go_socket, .unless = NO_FAMILY,                            \
						   .arg = { AF_NETLINK,                            \
							    SOCK_RAW,                              \
							    number }                               \
	}
#define SOCKET(path_)                                                                              \
	{                                                                                          \
		"W2", "connect to " path_, go_path_socket, TWIN_ROOT, .path = path_,               \
								      .unless = NO_DAEMON          \
	}

static const struct point list[] = {
	{ "S12", "raw packets", go_socket, TWIN_NS, .arg = { AF_PACKET, SOCK_RAW, 0 },
	  .call = "socket", .unless = NO_FAMILY },
	{ "S12", "packets by the old type", go_socket, TWIN_NS, .arg = { AF_INET, 10, 0 },
	  .unless = NO_FAMILY },
	{ "S12", "raw IPv4", go_socket, TWIN_NS, .arg = { AF_INET, SOCK_RAW, 1 } },
	{ "S12", "raw IPv6", go_socket, TWIN_NS, .arg = { AF_INET6, SOCK_RAW, 58 },
	  .unless = "the kernel has no IPv6" },
	{ "S12", "every protocol raw", go_socket, TWIN_NS, .arg = { AF_INET, SOCK_RAW, 255 } },
	{ "S12", "AF_XDP", go_socket, TWIN_NS, .arg = { 44, SOCK_RAW, 0 }, .unless = NO_FAMILY },
	FAMILY("AX.25", 3),
	FAMILY("IPX", 4),
	FAMILY("AppleTalk", 5),
	FAMILY("NET/ROM", 6),
	FAMILY("ATM PVC", 8),
	FAMILY("X.25", 9),
	FAMILY("ROSE", 11),
	FAMILY("DECnet", 12),
	FAMILY("LLC", 26),
	FAMILY("PF_KEY", 15),
	FAMILY("RDS", 21),
	FAMILY("SNA", 22),
	FAMILY("IRDA", 23),
	FAMILY("PPPoX", 24),
	FAMILY("CAN", 29),
	FAMILY("TIPC", 30),
	FAMILY("Bluetooth", 31),
	FAMILY("IUCV", 32),
	FAMILY("RxRPC", 33),
	FAMILY("ISDN", 34),
	FAMILY("Phonet", 35),
	FAMILY("802.15.4", 36),
	FAMILY("CAIF", 37),
	FAMILY("the kernel's cryptography (ALG)", 38),
	FAMILY("NFC", 39),
	FAMILY("vsock", 40),
	FAMILY("KCM", 41),
	FAMILY("QIPCRTR", 42),
	FAMILY("SMC", 43),
	FAMILY("MCTP", 45),
	FAMILY("a number beyond all", 46),
	NETLINK("audit", NETLINK_AUDIT),
	NETLINK("netfilter", NETLINK_NETFILTER),
	NETLINK("xfrm", NETLINK_XFRM),
	NETLINK("kobject_uevent", NETLINK_KOBJECT_UEVENT),
	NETLINK("generic", NETLINK_GENERIC),
	NETLINK("sock_diag", NETLINK_SOCK_DIAG),
	NETLINK("connector", NETLINK_CONNECTOR),
	NETLINK("crypto", NETLINK_CRYPTO),
	{ "S15", "vsock with bits that the kernel ignores", go_socket_high,
	  .arg = { 40, SOCK_STREAM, 0 }, .unless = NO_FAMILY },
	{ "S15", "ALG with bits that the kernel ignores", go_socket_high,
	  .arg = { 38, SOCK_SEQPACKET, 0 }, .unless = NO_FAMILY },
	{ "S15", "netlink with bits that the kernel ignores", go_socket_high,
	  .arg = { AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG }, .unless = NO_FAMILY },

	{ "W1", "a server on the host's 127.0.0.1", go_tcp, .arg = { AF_INET } },
	{ "W1", "a server on the host's ::1", go_tcp, .arg = { AF_INET6 },
	  .unless = "the host has no IPv6" },
	{ "W1", "a route to the world", go_route, .path = "192.0.2.1", .arg = { AF_INET },
	  .unless = "the host has no route itself" },
	{ "W1", "an IPv6 route to the world", go_route, .path = "2001:db8::1", .arg = { AF_INET6 },
	  .unless = "the host has no route itself" },
	{ "W1", "the address of a cloud's metadata", go_route, .path = "169.254.169.254",
	  .arg = { AF_INET }, .unless = "the host has no route itself" },
	{ "W2", "an abstract socket", go_unix, .path = "abstract", .arg = { SOCK_STREAM, 1 } },
	{ "W2", "the names of abstract sockets", go_list_abstract },
	{ "W2", "a socket with a path outside", go_unix, .path = "socket",
	  .arg = { SOCK_STREAM, 0 } },
	SOCKET("/dev/log"),
	SOCKET("/run/systemd/journal/stdout"),
	SOCKET("/run/dbus/system_bus_socket"),
	SOCKET("/run/docker.sock"),
	SOCKET("/run/podman/podman.sock"),
	SOCKET("/run/containerd/containerd.sock"),
	SOCKET("/run/systemd/private"),
	SOCKET("/tmp/.X11-unix/X0"),
};

const struct points points_network = { list, COUNT(list) };
