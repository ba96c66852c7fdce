// SPDX-License-Identifier: Apache-2.0
/* A policy's rules for Landlock, and its profile as JSON. */
#include "profiles/landlock_rules.h"

#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "base/path.h"
#include "base/sys.h"
#include "profiles/landlock.h"
#include "profiles/landlock_judge.h"
#include "profiles/report.h"

/* What a launch makes itself and lets the payload use (sandbox/landlock.c). */
static const struct {
	const char *place;
	uint64_t (*rights)(int abi);
	bool writes;
} own[] = {
	{ "/proc", landlock_proc_rights, false },
	{ "/dev", landlock_dev_rights, false },
	{ "/dev/shm", NULL, true },
};

void landlock_rules_done(struct landlock_rules *rules)
{
	for (size_t i = 0; i < rules->n; i++)
		free(rules->rules[i].place);
	free(rules->rules);
	*rules = LANDLOCK_RULES_INIT;
}

static int add(struct landlock_rules *to, const char *place, const struct landlock_rule *rule)
{
	struct landlock_rule *r = &to->rules[to->n];

	if (rule->rights == 0)
		return 0;
	*r = *rule;
	r->place = strdup(place);
	if (!r->place)
		return -ENOMEM;
	to->n++;
	return 0;
}

static uint64_t handled_net(const struct policy *policy, int abi)
{
	uint64_t rights = 0;

	for (int d = POLICY_PORT_CONNECT; d <= POLICY_PORT_BIND; d++) {
		for (int p = POLICY_PORT_TCP; p <= POLICY_PORT_UDP; p++) {
			const enum policy_port_direction direction = (enum policy_port_direction)d;
			const enum policy_port_protocol protocol = (enum policy_port_protocol)p;
			const bool closed =
				policy->net == POLICY_NET_NONE
					? protocol == POLICY_PORT_TCP
					: landlock_ports(policy->ports, policy->n_ports, direction,
							 protocol) != LANDLOCK_PORTS_OPEN;

			if (closed)
				rights |= landlock_net_right(abi, direction, protocol);
		}
	}
	return rights;
}

int landlock_rules_of(const struct policy *policy, const struct profile_target *target,
		      struct landlock_rules *ret, struct err *err)
{
	const int abi = target->landlock_abi;
	struct landlock_rules out = { .handled_fs = landlock_handled_fs(abi),
				      .handled_net = handled_net(policy, abi),
				      .scoped = landlock_scoped(abi) };
	int r = 0;

	out.rules = calloc(policy->n_paths + ARRAY_SIZE(own), sizeof(*out.rules));
	if (!out.rules)
		return err_set(err, -ENOMEM, "list Landlock's rules");
	for (size_t i = 0; i < ARRAY_SIZE(own) && r == 0; i++)
		r = add(&out, own[i].place,
			&(struct landlock_rule){
				.rights = own[i].writes
						  ? landlock_verb_rights(POLICY_PATH_WRITE, abi)
						  : own[i].rights(abi),
				.made = true,
				.launch = "the launch's own" });
	for (size_t i = 0; i < policy->n_paths && r == 0; i++) {
		const struct policy_path *line = &policy->paths[i];
		char place[LIMIT_PATH];

		if (path_rule_expand(line, &target->vars, place, sizeof(place)) < 0)
			continue;
		r = add(&out, place,
			&(struct landlock_rule){ .rights = landlock_verb_rights(
							 (enum policy_path_verb)line->verb, abi),
						 .optional = line->optional,
						 .made = line->verb == POLICY_PATH_TMPFS,
						 .where = line->where,
						 .line = line });
	}
	if (r < 0) {
		landlock_rules_done(&out);
		return err_set(err, r, "list Landlock's rules");
	}
	*ret = out;
	return 0;
}

uint64_t landlock_rules_grant(const struct landlock_rules *rules, const char *path)
{
	uint64_t rights = 0;

	for (size_t i = 0; i < rules->n; i++) {
		if (path_is_within(path, rules->rules[i].place))
			rights |= rules->rules[i].rights;
	}
	return rights;
}

/* --- the profile for a reader --- */

static void put_names(struct json *j, const char *key, uint64_t bits, const char *const *names,
		      size_t n)
{
	json_array(j, key);
	for (size_t i = 0; i < n; i++) {
		if (bits & 1ULL << i)
			json_string(j, NULL, names[i]);
	}
	json_array_end(j);
}

static const char *const fs_names[] = {
	"execute",   "write_file", "read_file", "read_dir",  "remove_dir",   "remove_file",
	"make_char", "make_dir",   "make_reg",	"make_sock", "make_fifo",    "make_block",
	"make_sym",  "refer",	   "truncate",	"ioctl_dev", "resolve_unix",
};
static const char *const net_names[] = { "bind_tcp", "connect_tcp", "bind_udp",
					 "connect_send_udp" };
static const char *const scope_names[] = { "abstract_unix_socket", "signal" };

static void put_rule(struct json *j, const struct policy *policy, const struct landlock_rule *rule)
{
	_cleanup_buf_ struct buf where = BUF_INIT;

	if (!rule->launch)
		(void)report_put_where(policy, &rule->where, &where);
	json_object(j, NULL);
	json_string(j, "place", rule->place);
	json_hex(j, "allowed_access", rule->rights);
	put_names(j, "allowed", rule->rights, fs_names, ARRAY_SIZE(fs_names));
	json_bool(j, "optional", rule->optional);
	json_bool(j, "made_by_the_launch", rule->made);
	json_string(j, "line", where.data);
	json_object_end(j);
}

static void put_port(struct json *j, const struct policy *policy, const struct policy_port *port,
		     int abi, uint64_t handled)
{
	const uint64_t right =
		handled & landlock_net_right(abi, (enum policy_port_direction)port->direction,
					     (enum policy_port_protocol)port->protocol);
	_cleanup_buf_ struct buf where = BUF_INIT;

	if (right == 0)
		return;
	(void)report_put_where(policy, &port->where, &where);
	json_object(j, NULL);
	json_u64(j, "first", port->first);
	json_u64(j, "last", port->last);
	json_hex(j, "allowed_access", right);
	put_names(j, "allowed", right, net_names, ARRAY_SIZE(net_names));
	json_string(j, "line", where.data);
	json_object_end(j);
}

static void put_profile(struct json *j, const struct policy *policy,
			const struct profile_target *target, const struct landlock_rules *rules)
{
	const int abi = target->landlock_abi < LANDLOCK_NEWEST_ABI ? target->landlock_abi
								   : LANDLOCK_NEWEST_ABI;

	json_object(j, NULL);
	json_string(j, "policy", policy->name);
	json_i64(j, "abi", abi);
	json_hex(j, "handled_access_fs", rules->handled_fs);
	put_names(j, "handled_fs", rules->handled_fs, fs_names, ARRAY_SIZE(fs_names));
	json_hex(j, "handled_access_net", rules->handled_net);
	put_names(j, "handled_net", rules->handled_net, net_names, ARRAY_SIZE(net_names));
	json_hex(j, "scoped", rules->scoped);
	put_names(j, "scopes", rules->scoped, scope_names, ARRAY_SIZE(scope_names));
	json_array(j, "paths");
	for (size_t i = 0; i < rules->n; i++)
		put_rule(j, policy, &rules->rules[i]);
	json_array_end(j);
	json_array(j, "ports");
	for (size_t i = 0; i < policy->n_ports && policy->net != POLICY_NET_NONE; i++)
		put_port(j, policy, &policy->ports[i], abi, rules->handled_net);
	json_array_end(j);
	json_object_end(j);
}

int landlock_emit(const struct policy *policy, const struct profile_target *target, struct buf *ret,
		  struct err *err)
{
	struct landlock_rules rules = { .n = 0 };
	int r = landlock_rules_of(policy, target, &rules, err);
	size_t n = 0;

	if (r < 0)
		return r;
	for (size_t cap = 1U << 16; cap <= 1U << 26 && n == 0; cap *= 4) {
		_cleanup_free_ char *block = malloc(cap);
		struct json j;

		if (!block) {
			r = -ENOMEM;
			break;
		}
		json_init(&j, block, cap);
		put_profile(&j, policy, target, &rules);
		n = json_finish(&j);
		if (n > 0) {
			r = buf_put(ret, block, n);
			r = r ? r : buf_puts(ret, "\n");
		}
	}
	landlock_rules_done(&rules);
	if (r == 0 && n == 0)
		r = -EFBIG;
	return r < 0 ? err_set(err, r, "write the Landlock profile of '%s'", policy->name) : 0;
}
