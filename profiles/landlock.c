// SPDX-License-Identifier: Apache-2.0
/* What Landlock can enforce, by ABI. Linked into the launcher: facts only. */
#include "profiles/landlock.h"

#include "base/fd.h"
#include "base/sys.h"

#define FS_READ (SYS_LANDLOCK_FS_READ_FILE | SYS_LANDLOCK_FS_READ_DIR)
/*
 * Devices cannot be made by who has no capability over the host, and ioctl on one is /dev's only.
 * connect(2) to a socket needs write permission on it (unix(7)), so a line that lets write lets
 * connect.
 */
#define FS_WRITE                                                                                   \
	(SYS_LANDLOCK_FS_WRITE_FILE | SYS_LANDLOCK_FS_REMOVE_DIR | SYS_LANDLOCK_FS_REMOVE_FILE |   \
	 SYS_LANDLOCK_FS_MAKE_DIR | SYS_LANDLOCK_FS_MAKE_REG | SYS_LANDLOCK_FS_MAKE_SOCK |         \
	 SYS_LANDLOCK_FS_MAKE_FIFO | SYS_LANDLOCK_FS_MAKE_SYM | SYS_LANDLOCK_FS_REFER |            \
	 SYS_LANDLOCK_FS_TRUNCATE | SYS_LANDLOCK_FS_RESOLVE_UNIX)

static const struct landlock_abi abis[] = {
	{ 1, 5, 13, "files by path", NULL, false },
	{ 2, 5, 19, "links and renames between directories",
	  "renaming between directories is refused", false },
	{ 3, 6, 2, "truncation", "truncation is not mediated", false },
	{ 4, 6, 7, "TCP ports", "TCP ports are not mediated", true },
	{ 5, 6, 10, "ioctl on devices", "ioctl on devices is not mediated", false },
	{ 6, 6, 12, "scopes", "abstract sockets and signals are bounded by namespaces only",
	  false },
	{ 7, 6, 15, "audit records", NULL, false },
	{ 8, 7, 0, "all threads at once", NULL, false },
	{ 9, 7, 1, "unix sockets by path", "unix sockets in what is shown can be connected to",
	  false },
	{ 10, 7, 2, "UDP ports", "UDP ports are not mediated", true },
	{ 11, 7, 3, "no_new_privs by itself", NULL, false },
};
_Static_assert(ARRAY_SIZE(abis) == LANDLOCK_NEWEST_ABI, "each ABI has its line");

static const struct {
	uint8_t abi;
	uint64_t rights;
} fs_since[] = {
	{ 1, (1ULL << 13) - 1 }, /* EXECUTE to MAKE_SYM */
	{ 2, SYS_LANDLOCK_FS_REFER },	  { 3, SYS_LANDLOCK_FS_TRUNCATE },
	{ 5, SYS_LANDLOCK_FS_IOCTL_DEV }, { 9, SYS_LANDLOCK_FS_RESOLVE_UNIX },
};

static const struct {
	uint8_t abi;
	uint64_t right;
} net_rights[2][2] = {
	[POLICY_PORT_CONNECT] = { [POLICY_PORT_TCP] = { 4, SYS_LANDLOCK_NET_CONNECT_TCP },
				  [POLICY_PORT_UDP] = { 10, SYS_LANDLOCK_NET_CONNECT_SEND_UDP } },
	[POLICY_PORT_BIND] = { [POLICY_PORT_TCP] = { 4, SYS_LANDLOCK_NET_BIND_TCP },
			       [POLICY_PORT_UDP] = { 10, SYS_LANDLOCK_NET_BIND_UDP } },
};

const struct landlock_abi *landlock_abis(size_t *ret_n)
{
	*ret_n = ARRAY_SIZE(abis);
	return abis;
}

uint64_t landlock_handled_fs(int abi)
{
	uint64_t rights = 0;

	for (size_t i = 0; i < ARRAY_SIZE(fs_since); i++) {
		if (abi >= fs_since[i].abi)
			rights |= fs_since[i].rights;
	}
	return rights;
}

uint64_t landlock_scoped(int abi)
{
	return abi >= 6 ? SYS_LANDLOCK_SCOPE_ABSTRACT_UNIX | SYS_LANDLOCK_SCOPE_SIGNAL : 0;
}

uint64_t landlock_net_right(int abi, enum policy_port_direction direction,
			    enum policy_port_protocol protocol)
{
	if ((size_t)direction >= ARRAY_SIZE(net_rights) ||
	    (size_t)protocol >= ARRAY_SIZE(net_rights[0]) ||
	    abi < net_rights[direction][protocol].abi)
		return 0;
	return net_rights[direction][protocol].right;
}

uint64_t landlock_verb_rights(enum policy_path_verb verb, int abi)
{
	uint64_t rights = 0;

	switch (verb) {
	case POLICY_PATH_READ:
		rights = FS_READ;
		break;
	case POLICY_PATH_EXEC:
		rights = FS_READ | SYS_LANDLOCK_FS_EXECUTE;
		break;
	case POLICY_PATH_WRITE:
		rights = FS_READ | FS_WRITE;
		break;
	case POLICY_PATH_TMPFS: /* what a build makes there, it runs there */
		rights = FS_READ | FS_WRITE | SYS_LANDLOCK_FS_EXECUTE;
		break;
	case POLICY_PATH_HIDE:
		break;
	}
	return rights & landlock_handled_fs(abi);
}

uint64_t landlock_dev_rights(int abi)
{
	return (FS_READ | SYS_LANDLOCK_FS_WRITE_FILE | SYS_LANDLOCK_FS_TRUNCATE |
		SYS_LANDLOCK_FS_IOCTL_DEV) &
	       landlock_handled_fs(abi);
}

uint64_t landlock_proc_rights(int abi)
{
	return (FS_READ | SYS_LANDLOCK_FS_WRITE_FILE | SYS_LANDLOCK_FS_TRUNCATE) &
	       landlock_handled_fs(abi);
}

uint64_t landlock_file_rights(uint64_t rights)
{
	return rights & (SYS_LANDLOCK_FS_EXECUTE | SYS_LANDLOCK_FS_WRITE_FILE |
			 SYS_LANDLOCK_FS_READ_FILE | SYS_LANDLOCK_FS_TRUNCATE |
			 SYS_LANDLOCK_FS_IOCTL_DEV | SYS_LANDLOCK_FS_RESOLVE_UNIX);
}

/* Whether the lines of the pair that speak of the family leave the port. */
static bool leaves(const struct policy_port *ports, size_t n, enum policy_port_direction direction,
		   enum policy_port_protocol protocol, unsigned family, uint32_t port)
{
	for (size_t i = 0; i < n; i++) {
		if (ports[i].direction == direction && ports[i].protocol == protocol &&
		    ports[i].families & family && port >= ports[i].first && port <= ports[i].last)
			return true;
	}
	return false;
}

/* Whether the two families have the same ports: they can only differ where a range begins, or
 * just behind where one ends. */
static bool families_agree(const struct policy_port *ports, size_t n,
			   enum policy_port_direction direction, enum policy_port_protocol protocol)
{
	for (size_t i = 0; i < n; i++) {
		const uint32_t at[] = { ports[i].first, ports[i].last + 1U };

		for (size_t j = 0; j < ARRAY_SIZE(at); j++) {
			if (leaves(ports, n, direction, protocol, POLICY_FAMILY_INET, at[j]) !=
			    leaves(ports, n, direction, protocol, POLICY_FAMILY_INET6, at[j]))
				return false;
		}
	}
	return true;
}

enum landlock_ports landlock_ports(const struct policy_port *ports, size_t n,
				   enum policy_port_direction direction,
				   enum policy_port_protocol protocol)
{
	bool closed = false, has_protocol = false, any = false;
	unsigned families = 0;

	for (size_t i = 0; i < n; i++) {
		const bool same = ports[i].protocol == protocol;

		closed = closed || ports[i].direction == direction;
		has_protocol = has_protocol || same;
		families |= ports[i].families;
		any = any || (same && ports[i].direction == direction && ports[i].first == 0 &&
			      ports[i].last == UINT16_MAX);
	}
	/* Who can make no socket of the protocol or of one family needs no rule for it. */
	if (!closed || !has_protocol)
		return LANDLOCK_PORTS_OPEN;
	if (families == (POLICY_FAMILY_INET | POLICY_FAMILY_INET6) &&
	    !families_agree(ports, n, direction, protocol))
		return LANDLOCK_PORTS_MIXED;
	return any ? LANDLOCK_PORTS_OPEN : LANDLOCK_PORTS_RULES;
}
