// SPDX-License-Identifier: Apache-2.0
/* Which of what AppArmor mediates the policy's calls can reach at all: by exact search over the
 * rules (policies/reach.h), so that a profile never refuses what they allow. */
#include <linux/sched.h>
#include <string.h>
#include <sys/socket.h>

#include "policies/reach.h"
#include "profiles/apparmor_gen.h"

/* include/linux/socket.h; the parser's names for them, base_af_names.h of AppArmor 3.0. */
static const char *const families[AA_FAMILIES] = {
	[1] = "unix",	   [2] = "inet",       [3] = "ax25",	    [4] = "ipx",
	[5] = "appletalk", [6] = "netrom",     [7] = "bridge",	    [8] = "atmpvc",
	[9] = "x25",	   [10] = "inet6",     [11] = "rose",	    [13] = "netbeui",
	[14] = "security", [15] = "key",       [16] = "netlink",    [17] = "packet",
	[18] = "ash",	   [19] = "econet",    [20] = "atmsvc",	    [21] = "rds",
	[22] = "sna",	   [23] = "irda",      [24] = "pppox",	    [25] = "wanpipe",
	[26] = "llc",	   [27] = "ib",	       [28] = "mpls",	    [29] = "can",
	[30] = "tipc",	   [31] = "bluetooth", [32] = "iucv",	    [33] = "rxrpc",
	[34] = "isdn",	   [35] = "phonet",    [36] = "ieee802154", [37] = "caif",
	[38] = "alg",	   [39] = "nfc",       [40] = "vsock",	    [41] = "kcm",
	[42] = "qipcrtr",  [43] = "smc",       [44] = "xdp",	    [45] = "mctp",
};

/* 6 (DCCP) has no name that parsers 3.0 and 4.1 take. */
static const char *const types[AA_TYPES] = {
	[SOCK_STREAM] = "stream", [SOCK_DGRAM] = "dgram",	  [SOCK_RAW] = "raw",
	[SOCK_RDM] = "rdm",	  [SOCK_SEQPACKET] = "seqpacket", [SOCK_PACKET] = "packet",
};

const char *aa_family_name(unsigned family)
{
	return family < AA_FAMILIES ? families[family] : NULL;
}

const char *aa_type_name(unsigned type)
{
	return type < AA_TYPES ? types[type] : NULL;
}

/* On some ABI that is open, with values that meet the n comparisons. What cannot be decided is
 * taken for reachable: seccomp decides it in the end. */
static bool reaches(const struct policy *policy, const char *name,
		    const struct policy_cond *pattern, size_t n)
{
	const struct syscall_desc *call = syscall_by_name(name);

	for (int abi = 0; call && abi < _ABI_MAX; abi++) {
		if ((policy->abi_mask & 1U << abi) && call->nr[abi] >= 0 &&
		    reach_allowed(policy, (enum abi)abi, call, pattern, n, NULL) != REACH_NO)
			return true;
	}
	return false;
}

static bool reaches_any(const struct policy *policy, const char *const *names)
{
	for (; *names; names++) {
		if (reaches(policy, *names, NULL, 0))
			return true;
	}
	return false;
}

static bool reaches_bits(const struct policy *policy, const char *name, unsigned arg, uint64_t mask,
			 uint64_t value)
{
	const struct syscall_desc *call = syscall_by_name(name);
	struct policy_cond cond = {
		.arg = (uint8_t)arg, .op = POLICY_MASKED_EQ, .mask = mask, .value = value
	};

	if (!call)
		return false;
	cond.width = call->args[arg].width;
	return reaches(policy, name, &cond, 1);
}

static bool makes_socket(const struct policy *policy, const char *name, unsigned family,
			 unsigned type)
{
	const struct policy_cond conds[] = {
		{ .arg = 0, .op = POLICY_EQ, .width = WIDTH_S32, .value = family },
		/* SOCK_TYPE_MASK, include/linux/net.h */
		{ .arg = 1,
		  .op = POLICY_MASKED_EQ,
		  .width = WIDTH_S32,
		  .mask = 0xf,
		  .value = type },
	};

	return reaches(policy, name, conds, ARRAY_SIZE(conds));
}

/* Of the families from first to last. */
static void find_sockets(const struct policy *policy, unsigned first, unsigned last,
			 struct aa_facts *facts)
{
	const bool plain = reaches(policy, "socket", NULL, 0);
	const bool pair = reaches(policy, "socketpair", NULL, 0);

	facts->any_socket = reaches(policy, "socketcall", NULL, 0);
	for (unsigned f = first; f <= last && f < AA_FAMILIES; f++) {
		for (unsigned t = 0; t < AA_TYPES; t++) {
			if ((plain && makes_socket(policy, "socket", f, t)) ||
			    (pair && makes_socket(policy, "socketpair", f, t)))
				facts->types[f] |= (uint16_t)(1U << t);
		}
	}
}

void aa_facts_find_family(const struct policy *policy, unsigned family, struct aa_facts *ret)
{
	*ret = (struct aa_facts){ .any_socket = false };
	find_sockets(policy, family, family, ret);
}

void aa_facts_find_calls(const struct policy *policy, struct aa_facts *ret)
{
	static const char *const mounts[] = { "mount", "move_mount", NULL };
	static const char *const unmounts[] = { "umount", "umount2", NULL };
	static const char *const pivots[] = { "pivot_root", NULL };
	static const char *const traces[] = { "ptrace", "process_vm_readv", "process_vm_writev",
					      "pidfd_getfd", NULL };
	static const char *const signals[] = { "kill",
					       "tkill",
					       "tgkill",
					       "rt_sigqueueinfo",
					       "rt_tgsigqueueinfo",
					       "pidfd_send_signal",
					       NULL };
	static const char *const executes[] = { "execve", "execveat", NULL };
	static const char *const queues[] = { "mq_open", "mq_unlink", NULL };
	static const char *const rings[] = { "io_uring_setup", NULL };
	/* clone3's flags are in memory */
	static const char *const hidden[] = { "clone3", NULL };

	*ret = (struct aa_facts){
		.mounts = reaches_any(policy, mounts),
		.unmounts = reaches_any(policy, unmounts),
		.pivots = reaches_any(policy, pivots),
		.traces = reaches_any(policy, traces),
		.signals = reaches_any(policy, signals),
		.executes = reaches_any(policy, executes),
		.makes_userns = reaches_any(policy, hidden) ||
				reaches_bits(policy, "clone", 0, CLONE_NEWUSER, CLONE_NEWUSER) ||
				reaches_bits(policy, "unshare", 0, CLONE_NEWUSER, CLONE_NEWUSER),
		.queues = reaches_any(policy, queues),
		.rings = reaches_any(policy, rings),
	};
}

void aa_facts_find(const struct policy *policy, struct aa_facts *ret)
{
	aa_facts_find_calls(policy, ret);
	find_sockets(policy, 0, AA_FAMILIES - 1, ret);
}

bool aa_has_socket(const struct policy *policy, const struct aa_facts *facts, unsigned family,
		   unsigned type)
{
	/* no network at all: not even a socket that reaches nothing */
	if (policy->net == POLICY_NET_NONE && (family == AF_INET || family == AF_INET6))
		return false;
	if (facts->any_socket)
		return true;
	if (family >= AA_FAMILIES || type >= AA_TYPES || !families[family])
		return false;
	/* a rule without a type speaks of all of them, also of those that have no name */
	return (facts->types[family] & 1U << type) &&
	       (types[type] || facts->types[family] == UINT16_MAX);
}
