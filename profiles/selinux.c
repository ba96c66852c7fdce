// SPDX-License-Identifier: Apache-2.0
/*
 * The module: one block a policy, which inherits what every sandbox has from cordon-base.cil and
 * adds what the policy's lines give. CIL names nothing by path, so each rule has the line that it
 * comes from beside it (SELinux userspace, secilc/docs, for the language).
 */
#include "profiles/selinux.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "profiles/report.h"
#include "profiles/selinux_judge.h"
#include "profiles/selinux_tables.h"

static const struct {
	unsigned right;
	const char *name;
} right_names[] = {
	{ SE_SEARCH, "search" }, { SE_LIST, "list" },	{ SE_READ, "read" }, { SE_MAP, "map" },
	{ SE_EXEC, "exec" },	 { SE_WRITE, "write" }, { SE_MAKE, "make" },
};

/* What stands in the module for an opening. */
static const struct {
	enum selinux_opening opening;
	const char *block; /* of cordon-base.cil, or NULL */
	const char *rule;  /* "CLASS (PERMISSIONS)" on the process itself, or NULL */
} openings[] = {
	{ SE_UNIX, "cordon_unix", NULL },
	{ SE_TCP, "cordon_tcp", NULL },
	{ SE_UDP, "cordon_udp", NULL },
	{ SE_PING, "cordon_ping", NULL },
	{ SE_ROUTE, "cordon_route", NULL },
	{ SE_EXECMEM, NULL, "process (execmem)" },
	{ SE_PTRACE, NULL, "process (ptrace)" },
	{ SE_KEY, NULL, "key (create link read search setattr view write)" },
	{ SE_BPF, NULL, "bpf (map_create map_read map_write prog_load prog_run)" },
	{ SE_PERF, NULL, "perf_event (cpu open read tracepoint write)" },
	{ SE_IO_URING, NULL, "anon_inode (create getattr ioctl map open read write)" },
	{ SE_USERFAULTFD, NULL, "anon_inode (create getattr ioctl open read write)" },
	{ SE_MEMFD_SECRET, NULL, "anon_inode (create getattr map open read write)" },
};

/* A comment is one line of bytes that cannot end it. */
static int put_where(const struct policy *policy, struct policy_where where, struct buf *out)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	int r = report_put_where(policy, &where, &text);

	r = r ? r : buf_puts(out, "    ; ");
	r = r ? r : text_escape(out, text.data, text.len);
	return r ? r : buf_puts(out, "\n");
}

static int put_rights(unsigned rights, struct buf *out)
{
	int r = buf_puts(out, "(cordon_path (");
	bool first = true;

	for (size_t i = 0; i < ARRAY_SIZE(right_names) && r == 0; i++) {
		if (!(rights & right_names[i].right))
			continue;
		r = buf_printf(out, "%s%s", first ? "" : " ", right_names[i].name);
		first = false;
	}
	return r ? r : buf_puts(out, "))");
}

/* A type that can be missing stands in an optional of its own, so that it alone falls away. */
static int put_type(const char *module, const struct selinux_right *t, struct buf *out)
{
	const bool optional = t->flags & LABEL_OPTIONAL;
	int r = buf_puts(out, "    ");

	if (optional)
		r = buf_printf(out, "(optional %s_%s ", module, t->type);
	r = r ? r : buf_printf(out, "(allow process %s ", t->type);
	r = r ? r : put_rights(t->rights, out);
	return r ? r : buf_puts(out, optional ? "))\n" : ")\n");
}

static int put_paths(const struct policy *policy, const char *module,
		     const struct selinux_rights *rights, struct buf *out)
{
	int r = rights->home ? buf_puts(out, "    (blockinherit cordon_home)\n") : 0;

	if (rights->memory && r == 0) {
		r = put_where(policy, rights->memory_where, out);
		r = r ? r : buf_puts(out, "    (blockinherit cordon_memory)\n");
	}
	for (size_t i = 0; i < rights->n && r == 0; i++) {
		const struct selinux_right *t = &rights->types[i];

		if (t->rights == 0 || strcmp(t->type, SELINUX_OWN) == 0)
			continue;
		r = put_where(policy, t->where, out);
		r = r ? r : put_type(module, t, out);
	}
	return r;
}

static int put_openings(const struct policy *policy, struct buf *out)
{
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(openings) && r == 0; i++) {
		if (!selinux_opens(policy, openings[i].opening))
			continue;
		if (openings[i].block)
			r = buf_printf(out, "    (blockinherit %s)\n", openings[i].block);
		else
			r = buf_printf(out, "    (allow process self (%s))\n", openings[i].rule);
	}
	return r;
}

/* Debian 12's policy has no class user_namespace: the optional falls away, and what no class
 * speaks of is allowed. */
static int put_userns(const struct policy *policy, const char *module, struct buf *out)
{
	if (!selinux_opens(policy, SE_USERNS))
		return 0;
	return buf_printf(out,
			  "    (optional %s_userns (allow process self (user_namespace "
			  "(create))))\n",
			  module);
}

/* Each type that a line's ports have, once. */
static int put_ports(const struct policy *policy, enum policy_port_direction direction,
		     enum policy_port_protocol protocol, struct buf *out)
{
	const char *class = protocol == POLICY_PORT_TCP ? "tcp_socket" : "udp_socket";
	const char *perm = direction == POLICY_PORT_BIND ? "name_bind" : "name_connect";
	int r = 0;

	/* connect(2) of UDP is not asked about */
	if (direction == POLICY_PORT_CONNECT && protocol == POLICY_PORT_UDP)
		return 0;
	if (selinux_any_port(policy, direction))
		return buf_printf(out, "    (allow process port_type (%s (%s)))\n", class, perm);
	for (size_t i = 0; i < selinux_n_ports && r == 0; i++) {
		const struct policy_port *line;
		bool seen = selinux_ports[i].protocol != protocol;

		for (size_t j = 0; j < i && !seen; j++)
			seen = selinux_ports[j].protocol == protocol &&
			       strcmp(selinux_ports[j].type, selinux_ports[i].type) == 0;
		line = seen ? NULL
			    : selinux_port_line(policy, direction, protocol, selinux_ports[i].type);
		if (!line)
			continue;
		r = put_where(policy, line->where, out);
		r = r ? r
		      : buf_printf(out, "    (allow process %s (%s (%s)))\n", selinux_ports[i].type,
				   class, perm);
	}
	return r;
}

static int put_network(const struct policy *policy, struct buf *out)
{
	int r = 0;

	if (selinux_opens(policy, SE_TCP)) {
		r = put_ports(policy, POLICY_PORT_CONNECT, POLICY_PORT_TCP, out);
		r = r ? r : put_ports(policy, POLICY_PORT_BIND, POLICY_PORT_TCP, out);
	}
	if (r == 0 && selinux_opens(policy, SE_UDP))
		r = put_ports(policy, POLICY_PORT_BIND, POLICY_PORT_UDP, out);
	return r;
}

static int put_capabilities(const struct policy *policy, struct buf *out)
{
	int r = 0;

	if (policy->caps != 0)
		r = put_where(policy, policy->setting_where[POLICY_SETTING_CAP], out);
	for (unsigned i = 0; i < 64 && r == 0; i++) {
		const char *class, *name = selinux_capability(i, &class);

		if (name && policy->caps & UINT64_C(1) << i)
			r = buf_printf(out, "    (allow process self (%s (%s)))\n", class, name);
	}
	return r;
}

static int put_module(const struct policy *policy, const char *module,
		      const struct selinux_rights *rights, struct buf *out)
{
	int r = buf_printf(
		out,
		"; SELinux module of the cordon policy \"%s\": generated. Load it beside "
		"cordon-base.cil.\n(block %s\n    (blockinherit cordon_base)\n",
		policy->name, module);

	r = r ? r : put_openings(policy, out);
	r = r ? r : put_userns(policy, module, out);
	r = r ? r : put_capabilities(policy, out);
	r = r ? r : put_network(policy, out);
	r = r ? r : put_paths(policy, module, rights, out);
	return r ? r : buf_puts(out, ")\n");
}

/* The name's bytes become CIL, so they are checked here whoever checked them before. */
static int module_name(const struct policy *policy, const struct profile_target *target, char *ret,
		       size_t size, struct err *err)
{
	int n = target->name ? snprintf(ret, size, "%s", target->name)
			     : snprintf(ret, size, "cordon-%s", policy->name);

	if (n < 0 || (size_t)n >= size || !selinux_name_is_valid(ret) ||
	    (policy->name && policy->name[strcspn(policy->name, "\"\\\n\r")] != '\0')) {
		(void)err_set(err, -EINVAL, "name an SELinux module '%.100s'", ret);
		(void)err_hint(err, "a name begins with a letter and has letters, digits, - and _");
		return -EINVAL;
	}
	return 0;
}

int selinux_generate(const struct policy *policy, const struct profile_target *target,
		     struct buf *ret, struct err *err)
{
	_cleanup_buf_ struct buf out = BUF_INIT;
	struct selinux_rights rights;
	char module[LIMIT_NAME * 2];
	int r = module_name(policy, target, module, sizeof(module), err);

	r = r ? r : selinux_rights_of(policy, target, &rights, err);
	if (r < 0)
		return r;
	r = put_module(policy, module, &rights, &out);
	selinux_rights_done(&rights);
	r = r ? r : buf_put(ret, out.data, out.len);
	return r < 0 ? err_set(err, r, "write an SELinux module of policy '%s'", policy->name) : 0;
}

const struct mechanism_ops selinux_mechanism = {
	.report = selinux_report,
	.judge = selinux_judge,
	.emit = selinux_generate,
};
