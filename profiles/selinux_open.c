// SPDX-License-Identifier: Apache-2.0
/* What a policy opens besides files: sockets, ports, keys, tracing, as SELinux can say it. */
#include <ctype.h>
#include <linux/capability.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "profiles/capabilities.h"
#include "profiles/selinux_tables.h"

/* Whether the call passes with these arguments. */
static bool passes(const struct policy *policy, const char *name, uint64_t a0, uint64_t a1,
		   uint64_t a2, uint64_t a3)
{
	const struct syscall_desc *call = syscall_by_name(name);
	const enum abi abi = (enum abi)policy->native;
	const uint64_t args[6] = { a0, a1, a2, a3, (uint64_t)-1, 0 };
	struct policy_verdict verdict;

	if (!call || call->nr[abi] < 0)
		return false;
	policy_eval(policy, abi, call->nr[abi], args, &verdict);
	return verdict.action == POLICY_ALLOW;
}

/* Whether some call of this name may pass: an allow line, and no refusal of all of it. */
static bool may(const struct policy *policy, const char *name)
{
	bool allowed = false;

	for (size_t i = 0; i < policy->n_rules; i++) {
		const struct policy_rule *r = &policy->rules[i];

		if (strcmp(r->call->name, name) != 0 || !(r->abi_mask & 1U << policy->native))
			continue;
		if (r->action == POLICY_ALLOW)
			allowed = true;
		else if (r->n_conds == 0)
			return false;
	}
	return allowed;
}

static bool may_any(const struct policy *policy, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (may(policy, names[i]))
			return true;
	}
	return false;
}
#define MAY_ANY(policy, ...)                                                                       \
	({                                                                                         \
		static const char *const _names[] = { __VA_ARGS__ };                               \
		may_any(policy, _names, ARRAY_SIZE(_names));                                       \
	})

static bool makes_socket(const struct policy *policy, uint64_t type, uint64_t protocol)
{
	return passes(policy, "socket", AF_INET, type, protocol, 0) ||
	       passes(policy, "socket", AF_INET6, type, protocol, 0);
}

static bool has_protocol(const struct policy *policy, enum policy_port_protocol protocol)
{
	for (size_t i = 0; i < policy->n_ports; i++) {
		if (policy->ports[i].protocol == protocol)
			return true;
	}
	return policy->n_ports == 0;
}

bool selinux_opens(const struct policy *policy, enum selinux_opening opening)
{
	const bool net = policy->net != POLICY_NET_NONE;

	switch (opening) {
	case SE_UNIX:
		return passes(policy, "socket", AF_UNIX, SOCK_STREAM, 0, 0) ||
		       passes(policy, "socket", AF_UNIX, SOCK_DGRAM, 0, 0) ||
		       passes(policy, "socketpair", AF_UNIX, SOCK_STREAM, 0, 0);
	case SE_TCP:
		return net && has_protocol(policy, POLICY_PORT_TCP) &&
		       makes_socket(policy, SOCK_STREAM, 0);
	case SE_UDP:
		return net && has_protocol(policy, POLICY_PORT_UDP) &&
		       makes_socket(policy, SOCK_DGRAM, 0);
	case SE_PING:
		return net && policy->n_ports == 0 &&
		       makes_socket(policy, SOCK_DGRAM, IPPROTO_ICMP);
	case SE_ROUTE:
		return passes(policy, "socket", AF_NETLINK, SOCK_RAW, NETLINK_ROUTE, 0);
	case SE_EXECMEM:
		return passes(policy, "mmap", 0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			      MAP_PRIVATE | MAP_ANONYMOUS);
	case SE_PTRACE:
		return MAY_ANY(policy, "ptrace", "process_vm_readv", "process_vm_writev",
			       "pidfd_getfd", "kcmp", "process_madvise");
	case SE_KEY:
		return MAY_ANY(policy, "keyctl", "add_key", "request_key");
	case SE_BPF:
		return may(policy, "bpf");
	case SE_PERF:
		return may(policy, "perf_event_open");
	case SE_IO_URING:
		return may(policy, "io_uring_setup");
	case SE_USERFAULTFD:
		return may(policy, "userfaultfd");
	case SE_MEMFD_SECRET:
		return may(policy, "memfd_secret");
	case SE_USERNS:
		return passes(policy, "unshare", CLONE_NEWUSER, 0, 0, 0) ||
		       passes(policy, "clone", CLONE_NEWUSER, 0, 0, 0) || may(policy, "clone3");
	case _SE_OPENING_MAX:
		break;
	}
	return false;
}

bool selinux_any_port(const struct policy *policy, enum policy_port_direction direction)
{
	for (size_t i = 0; i < policy->n_ports; i++) {
		if (policy->ports[i].direction == direction)
			return false;
	}
	return true;
}

/* Whether a port of the range has the type by the table. */
static bool range_has(const struct policy_port *line, const char *type)
{
	for (size_t i = 0; i < selinux_n_ports; i++) {
		const struct selinux_port *p = &selinux_ports[i];
		unsigned first = line->first > p->first ? line->first : p->first;
		unsigned last = line->last < p->last ? line->last : p->last;

		if (p->protocol != line->protocol || strcmp(p->type, type) != 0)
			continue;
		/* narrower rows may lie within: ask port by port until one is the row's own */
		for (unsigned port = first; port <= last; port++) {
			if (strcmp(selinux_port_type((enum policy_port_protocol)line->protocol,
						     (uint16_t)port),
				   type) == 0)
				return true;
		}
	}
	return false;
}

const struct policy_port *selinux_port_line(const struct policy *policy,
					    enum policy_port_direction direction,
					    enum policy_port_protocol protocol, const char *type)
{
	for (size_t i = 0; i < policy->n_ports; i++) {
		const struct policy_port *line = &policy->ports[i];

		if (line->direction == direction && line->protocol == protocol &&
		    range_has(line, type))
			return line;
	}
	return NULL;
}

const char *selinux_capability(unsigned capability, const char **ret_class)
{
	*ret_class = capability < 32 ? "cap_userns" : "cap2_userns";
	return capabilities_name(capability);
}

bool selinux_name_is_valid(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len > LIMIT_NAME + sizeof("cordon-") || !isascii(name[0]) ||
	    !isalpha((unsigned char)name[0]))
		return false;
	for (size_t i = 1; i < len; i++) {
		const unsigned char c = (unsigned char)name[i];

		if (!isascii(c) || (!isalnum(c) && c != '-' && c != '_'))
			return false;
	}
	return true;
}
