// SPDX-License-Identifier: Apache-2.0
/*
 * Numbers: include/uapi/linux/net.h (SYS_SOCKET and the like), include/uapi/linux/ipc.h. What they
 * come to: net/socket.c, ipc/syscall.c. send() and recv() are sendto() and recvfrom() without an
 * address.
 */
#include "policies/multiplex.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "policies/reach.h"

struct subcall {
	uint8_t number;
	const char *name; /* as consts.tbl has it */
	const char *call;
};

static const struct subcall sockets[] = {
	{ 1, "SYS_SOCKET", "socket" },
	{ 2, "SYS_BIND", "bind" },
	{ 3, "SYS_CONNECT", "connect" },
	{ 4, "SYS_LISTEN", "listen" },
	{ 5, "SYS_ACCEPT", "accept" },
	{ 6, "SYS_GETSOCKNAME", "getsockname" },
	{ 7, "SYS_GETPEERNAME", "getpeername" },
	{ 8, "SYS_SOCKETPAIR", "socketpair" },
	{ 9, "SYS_SEND", "sendto" },
	{ 10, "SYS_RECV", "recvfrom" },
	{ 11, "SYS_SENDTO", "sendto" },
	{ 12, "SYS_RECVFROM", "recvfrom" },
	{ 13, "SYS_SHUTDOWN", "shutdown" },
	{ 14, "SYS_SETSOCKOPT", "setsockopt" },
	{ 15, "SYS_GETSOCKOPT", "getsockopt" },
	{ 16, "SYS_SENDMSG", "sendmsg" },
	{ 17, "SYS_RECVMSG", "recvmsg" },
	{ 18, "SYS_ACCEPT4", "accept4" },
	{ 19, "SYS_RECVMMSG", "recvmmsg" },
	{ 20, "SYS_SENDMMSG", "sendmmsg" },
};

static const struct subcall ipcs[] = {
	{ 1, "SEMOP", "semop" },	   { 2, "SEMGET", "semget" },  { 3, "SEMCTL", "semctl" },
	{ 4, "SEMTIMEDOP", "semtimedop" }, { 11, "MSGSND", "msgsnd" }, { 12, "MSGRCV", "msgrcv" },
	{ 13, "MSGGET", "msgget" },	   { 14, "MSGCTL", "msgctl" }, { 21, "SHMAT", "shmat" },
	{ 22, "SHMDT", "shmdt" },	   { 23, "SHMGET", "shmget" }, { 24, "SHMCTL", "shmctl" },
};

static const struct multiplex {
	const char *name;
	const struct subcall *subcalls;
	size_t n;
	uint32_t mask; /* of the first argument: what the kernel chooses by */
} multiplexes[] = {
	{ "socketcall", sockets, ARRAY_SIZE(sockets), UINT32_MAX },
	{ "ipc", ipcs, ARRAY_SIZE(ipcs), 0xffff },
};

const struct syscall_desc *multiplex_call(const struct syscall_desc *multiplexer, uint32_t number)
{
	for (size_t i = 0; i < ARRAY_SIZE(multiplexes); i++) {
		const struct multiplex *m = &multiplexes[i];

		if (strcmp(m->name, multiplexer->name) != 0)
			continue;
		for (size_t k = 0; k < m->n; k++) {
			if (m->subcalls[k].number == (number & m->mask))
				return syscall_by_name(m->subcalls[k].call);
		}
	}
	return NULL;
}

/*
 * The rule that restricts the call where a multiplexer of i386 could make it: of i386's own form,
 * or of any open ABI's where i386 has no other way to make the call. NULL: none.
 */
static const struct policy_rule *restriction(const struct policy *policy,
					     const struct syscall_desc *call)
{
	uint8_t abis = policy->abi_mask;
	size_t n;
	const struct policy_rule *rules = policy_rules_of(policy, call, &n);

	if (call->nr[ABI_I386] >= 0)
		abis = 1U << ABI_I386;
	for (size_t i = 0; i < n; i++) {
		for (unsigned abi = 0; abi < _ABI_MAX; abi++) {
			if (!(abis & rules[i].abi_mask & policy->abi_mask & 1U << abi) ||
			    call->nr[abi] < 0 ||
			    (rules[i].action == POLICY_ALLOW && rules[i].n_conds == 0))
				continue;
			if (!reach_all_allowed(policy, (enum abi)abi, call))
				return &rules[i];
		}
	}
	return NULL;
}

/* The allow rule that lets the multiplexer make the subcall, or NULL. */
static const struct policy_rule *opening(const struct policy *policy, const struct multiplex *m,
					 const struct syscall_desc *multiplexer, uint8_t number)
{
	const struct policy_cond chosen = { .arg = 0,
					    .op = POLICY_MASKED_EQ,
					    .width = multiplexer->args[0].width,
					    .mask = m->mask,
					    .value = number };
	uint64_t args[6] = { number };
	struct policy_verdict verdict;
	size_t n;
	const struct policy_rule *rules = policy_rules_of(policy, multiplexer, &n);

	switch (reach_allowed(policy, ABI_I386, multiplexer, &chosen, 1, args)) {
	case REACH_NO:
		return NULL;
	case REACH_YES:
		policy_eval(policy, ABI_I386, multiplexer->nr[ABI_I386], args, &verdict);
		return verdict.rule;
	case REACH_HARD:
		break;
	}
	/* Not proved to be closed: held to be open, by the first rule that can be at fault. */
	for (size_t i = 0; i < n; i++) {
		if (rules[i].action == POLICY_ALLOW && rules[i].abi_mask & 1U << ABI_I386)
			return &rules[i];
	}
	return NULL;
}

/* The numbers that the multiplexer may keep, as a policy names them. */
static void name_the_rest(const struct policy *policy, const struct multiplex *m, char *ret,
			  size_t size)
{
	size_t len = 0;

	ret[0] = '\0';
	for (size_t i = 0; i < m->n && len < size; i++) {
		size_t n;
		const struct syscall_desc *call = syscall_by_name(m->subcalls[i].call);
		int r;

		(void)policy_rules_of(policy, call, &n);
		if (n == 0 || restriction(policy, call))
			continue;
		r = snprintf(ret + len, size - len, " %s", m->subcalls[i].name);
		len += r > 0 ? (size_t)r : 0;
	}
}

static int check_one(const struct policy *policy, const struct multiplex *m, struct diag *d)
{
	const struct syscall_desc *multiplexer = syscall_by_name(m->name);
	char rest[512];

	for (size_t i = 0; i < m->n; i++) {
		const struct syscall_desc *call = syscall_by_name(m->subcalls[i].call);
		const struct policy_rule *limit = restriction(policy, call), *open;

		open = limit ? opening(policy, m, multiplexer, m->subcalls[i].number) : NULL;
		if (!open)
			continue;
		diag_error(d, open->where,
			   "%s makes %s on i386 with its arguments in memory, past the rule in %s",
			   m->name, call->name, diag_place(d, limit->where).text);
		name_the_rest(policy, m, rest, sizeof(rest));
		if (rest[0])
			diag_hint(d,
				  "deny %s on i386, or name what it may make: allow %s if call "
				  "in%s on i386",
				  m->name, m->name, rest);
		else
			diag_hint(d,
				  "deny %s on i386; C libraries make the calls themselves since "
				  "Linux 4.3 (sockets) and 5.1 (ipc)",
				  m->name);
		return -EBADMSG;
	}
	return 0;
}

int check_multiplexers(const struct policy *policy, struct diag *d)
{
	int r = 0;

	if (!(policy->abi_mask & 1U << ABI_I386))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(multiplexes); i++) {
		int one = check_one(policy, &multiplexes[i], d);

		r = r ? r : one;
	}
	return r;
}
