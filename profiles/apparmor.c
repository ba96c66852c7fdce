// SPDX-License-Identifier: Apache-2.0
/* The profile's text: all but its file rules. */
#include "profiles/apparmor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "profiles/apparmor_gen.h"
#include "profiles/capabilities.h"

enum { NAME_MAX_LABEL = 200, ABI_4_0 = 40 };

/* Everything under this profile, what is under others as well included: in a stack ("a//&b", from
 * launchers that are confined themselves) a peer's label is all of it. */
#define OWN_PEER "\"{,**//&}@{profile_name}{,//&**}\""

/* Where the kernel puts what has no path inside: files of the host that were handed in open.
 * Parsers before 4.0 cannot say it, and there a program may not even ask what its output is. */
#define HANDED_IN "/cordon-handed-in"

/* A text that is built line by line: what fails once fails at the end. */
struct text {
	struct buf *buf;
	int r;
};

static void put(struct text *t, const char *line)
{
	if (t->r == 0)
		t->r = buf_puts(t->buf, line);
}

static void put_word(struct text *t, const char *before, const char *word, const char *after)
{
	put(t, before);
	put(t, word);
	put(t, after);
}

/* A label stands in other profiles' rules and in /proc: nothing in it may be a pattern, a
 * separator of stacks or namespaces, or blank. */
static bool is_label(const char *name)
{
	size_t n = strlen(name);

	if (n == 0 || n > NAME_MAX_LABEL)
		return false;
	for (size_t i = 0; i < n; i++) {
		const char c = name[i];
		const bool alnum =
			(c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

		if (!alnum && (i == 0 || !strchr("-_.", c)))
			return false;
	}
	return true;
}

int aa_profile_name(const struct policy *policy, const struct profile_target *target,
		    struct buf *ret, struct err *err)
{
	_cleanup_buf_ struct buf name = BUF_INIT;
	int r;

	r = target->name ? buf_puts(&name, target->name)
			 : buf_printf(&name, "cordon-%s", policy->name ? policy->name : "");
	if (r < 0)
		return err_set(err, r, "write an AppArmor profile");
	if (!is_label(name.data)) {
		r = err_set(err, -EINVAL, "name an AppArmor profile '%s'", name.data);
		return err_hint(err,
				"a name has letters, digits, '-', '_' and '.', begins with a "
				"letter or digit and is shorter than %d bytes",
				NAME_MAX_LABEL + 1),
		       r;
	}
	*ret = name;
	name = BUF_INIT;
	return 0;
}

static void put_head(struct text *t, const struct policy *policy,
		     const struct profile_target *target, const char *name)
{
	char digest[HASH_HEX + 1];

	hash_hex(&policy->digest, digest);
	put(t, "# AppArmor profile of the cordon policy '");
	if (t->r == 0 && policy->name)
		t->r = text_escape(t->buf, policy->name, strlen(policy->name));
	put(t, "'. Generated: change the policy, not this file.\n");
	put_word(t, "# policy digest ", digest, "\n");
	put(t, "# Paths are the sandbox's own, behind pivot_root. To load, as root:\n"
	       "#   apparmor_parser --replace THIS-FILE\n");
	put_word(t, "abi <abi/", target->apparmor_abi >= ABI_4_0 ? "4.0" : "3.0", ">,\n\n");
	put_word(t, "profile ", name,
		 target->apparmor_abi >= ABI_4_0 ? " flags=(attach_disconnected.path=" HANDED_IN
						   ") {\n"
						 : " {\n");
	if (target->apparmor_abi >= ABI_4_0)
		put(t, "  # files of the host that were handed in open\n"
		       "  \"" HANDED_IN "{,/**}\" rwk,\n\n");
}

/*
 * Who shares the host's network namespace sees its abstract sockets. Kernels with unix mediation
 * (Ubuntu's) hold the peer; for others the parser makes a plain network rule of each.
 */
static void put_unix(struct text *t, const char *type)
{
	put_word(
		t,
		"  unix (create, bind, listen, accept, shutdown, getattr, setattr, getopt, setopt, "
		"send, receive)",
		type, ",\n");
	put_word(t, "  unix (connect)", type, " peer=(label=" OWN_PEER "),\n");
}

static void put_unix_types(struct text *t, const struct policy *policy,
			   const struct aa_facts *facts, bool all)
{
	if (all)
		put_unix(t, "");
	for (unsigned type = 0; type < AA_TYPES && !all; type++) {
		char name[32];

		if (!aa_type_name(type) || !aa_has_socket(policy, facts, AF_UNIX, type))
			continue;
		(void)snprintf(name, sizeof(name), " type=%s", aa_type_name(type));
		put_unix(t, name);
	}
}

static void put_network(struct text *t, const struct policy *policy, const struct aa_facts *facts)
{
	put(t, "\n  # sockets: families and types that the policy's calls can make\n");
	for (unsigned f = 0; f < AA_FAMILIES; f++) {
		unsigned n = 0;

		for (unsigned type = 0; type < AA_TYPES; type++)
			n += aa_has_socket(policy, facts, f, type);
		if (!aa_family_name(f) || n == 0)
			continue;
		if (f == AF_UNIX && policy->net == POLICY_NET_HOST) {
			put_unix_types(t, policy, facts, n == AA_TYPES);
			continue;
		}
		if (n == AA_TYPES)
			put_word(t, "  network ", aa_family_name(f), ",\n");
		for (unsigned type = 0; type < AA_TYPES && n < AA_TYPES; type++) {
			if (!aa_type_name(type) || !aa_has_socket(policy, facts, f, type))
				continue;
			put_word(t, "  network ", aa_family_name(f), " ");
			put_word(t, "", aa_type_name(type), ",\n");
		}
	}
}

static void put_capabilities(struct text *t, const struct policy *policy)
{
	if (!policy->caps)
		put(t, "\n  # capabilities: none\n");
	else
		put(t, "\n  # capabilities over the sandbox's own namespaces\n");
	for (unsigned c = 0; c < 64; c++) {
		if ((policy->caps & UINT64_C(1) << c) && capabilities_name(c))
			put_word(t, "  capability ", capabilities_name(c), ",\n");
	}
}

static void put_processes(struct text *t, const struct aa_facts *facts)
{
	put(t, "\n  # other processes: those in this profile; who is outside decides for himself\n"
	       "  signal (receive),\n"
	       "  ptrace (readby, tracedby),\n"
	       "  ptrace (read) peer=" OWN_PEER ",\n");
	if (facts->signals)
		put(t, "  signal (send) peer=" OWN_PEER ",\n");
	if (facts->traces)
		put(t, "  ptrace (trace) peer=" OWN_PEER ",\n");
}

static void put_mounts(struct text *t, const struct aa_facts *facts)
{
	if (!facts->mounts && !facts->unmounts && !facts->pivots)
		return;
	put(t, "\n  # the sandbox's own mounts: which ones is seccomp's to say\n");
	if (facts->mounts)
		put(t, "  mount,\n  remount,\n");
	if (facts->unmounts)
		put(t, "  umount,\n");
	if (facts->pivots)
		put(t, "  pivot_root,\n");
}

static void put_newer(struct text *t, const struct profile_target *target,
		      const struct aa_facts *facts)
{
	if (target->apparmor_abi < ABI_4_0 ||
	    (!facts->makes_userns && !facts->queues && !facts->rings))
		return;
	put(t, "\n  # what ABI 4.0 knows beyond 3.0\n");
	if (facts->makes_userns)
		put(t, "  userns,\n");
	if (facts->queues)
		put(t,
		    "  mqueue (create, open, read, write, delete, getattr, setattr) type=posix,\n");
	if (facts->rings)
		put(t, "  io_uring (sqpoll, override_creds),\n");
}

/*
 * The one limit that no launch has otherwise. The kernel sets a profile's rlimits at execve, below
 * what the launcher has set by then: of the policy's they would hold against a --limit that is
 * higher, and against the cgroup that RLIMIT_DATA and RLIMIT_NPROC stand in for.
 */
static void put_limits(struct text *t)
{
	put(t, "\n  # no cores; the policy's limits are the launcher's to set\n"
	       "  set rlimit core <= 0,\n");
}

int apparmor_generate(const struct policy *policy, const struct profile_target *target,
		      struct buf *ret, struct err *err)
{
	_cleanup_aa_tree_ struct aa_node *root = NULL;
	_cleanup_buf_ struct buf name = BUF_INIT;
	_cleanup_buf_ struct buf out = BUF_INIT;
	struct text t = { .buf = &out };
	struct aa_facts facts;
	int r = aa_profile_name(policy, target, &name, err);

	if (r < 0)
		return r;
	aa_facts_find(policy, &facts);
	r = aa_tree_make(policy, &target->vars, facts.executes, &root, err);
	if (r < 0)
		return r;
	put_head(&t, policy, target, name.data);
	r = t.r == 0 ? aa_put_files(policy, root, &out, err) : 0;
	if (r < 0)
		return r;
	put_network(&t, policy, &facts);
	put_capabilities(&t, policy);
	put_processes(&t, &facts);
	put_mounts(&t, &facts);
	put_newer(&t, target, &facts);
	put_limits(&t);
	put(&t, "}\n");
	if (t.r < 0)
		return err_set(err, t.r, "write an AppArmor profile");
	*ret = out;
	out = BUF_INIT;
	return 0;
}
