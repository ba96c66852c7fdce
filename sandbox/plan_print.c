// SPDX-License-Identifier: Apache-2.0
/* A plan as text for people and as JSON. */
#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "base/sys.h"
#include "base/text.h"
#include "policies/label.h"
#include "policies/limit.h"
#include "sandbox/plan.h"

static const char *const step_names[] = {
	[STEP_BIND] = "bind", [STEP_PLACE] = "empty", [STEP_OVERLAY] = "overlay",
	[STEP_HIDE] = "hide", [STEP_DIR] = "dir",     [STEP_SYMLINK] = "symlink",
	[STEP_FILE] = "file", [STEP_PIN] = "pin",     [STEP_PROC] = "proc",
	[STEP_DEV] = "dev",
};
static const char *const access_names[] = {
	[ACCESS_NONE] = "",   [ACCESS_READ] = "r", [ACCESS_EXEC] = "rx", [ACCESS_WRITE] = "rw",
	[ACCESS_ALL] = "rwx", [ACCESS_DEV] = "rw", [ACCESS_PROC] = "rw",
};
static const char *const net_names[] = {
	[POLICY_NET_NONE] = "none",
	[POLICY_NET_LOOPBACK] = "loopback",
	[POLICY_NET_HOST] = "host",
};
static const char *const root_names[] = {
	[ROOT_HOST] = "the host, read-only",
	[ROOT_OVERLAY] = "overlay",
	[ROOT_READONLY] = "one base, read-only",
};
static const char *const upper_names[] = {
	[UPPER_TMPFS] = "tmpfs",
	[UPPER_DIR] = "directory",
	[UPPER_NONE] = "none",
};

static const char *port_name(uint64_t right)
{
	switch (right) {
	case SYS_LANDLOCK_NET_BIND_TCP:
		return "bind tcp";
	case SYS_LANDLOCK_NET_CONNECT_TCP:
		return "connect tcp";
	case SYS_LANDLOCK_NET_BIND_UDP:
		return "bind udp";
	default:
		return "connect udp";
	}
}

static void json_strings(struct json *j, const char *key, const char *const *list)
{
	json_array(j, key);
	for (size_t i = 0; list && list[i]; i++)
		json_string(j, NULL, list[i]);
	json_array_end(j);
}

static void json_steps(struct json *j, const struct plan *plan)
{
	json_array(j, "steps");
	for (size_t i = 0; i < plan->n_steps; i++) {
		const struct plan_step *s = &plan->steps[i];

		json_object(j, NULL);
		json_string(j, "do", step_names[s->kind]);
		if (s->kind == STEP_BIND || s->kind == STEP_OVERLAY || s->kind == STEP_SYMLINK)
			json_string(j, "source", s->source);
		json_string(j, "dest", s->dest);
		if (s->kind == STEP_BIND)
			json_bool(j, "writable", s->writable);
		json_bool(j, "optional", s->optional);
		json_string(j, "landlock", access_names[s->access]);
		json_string(j, "why", s->why);
		json_object_end(j);
	}
	json_array_end(j);
}

static void json_ports(struct json *j, const struct plan *plan)
{
	json_hex(j, "landlock_net", plan->landlock_net);
	json_array(j, "ports");
	for (size_t i = 0; i < plan->n_ports; i++) {
		const struct plan_port *p = &plan->ports[i];

		json_object(j, NULL);
		json_string(j, "do", port_name(p->right));
		json_u64(j, "first", p->first);
		json_u64(j, "last", p->last);
		json_string(j, "why", p->why);
		json_object_end(j);
	}
	json_array_end(j);
}

static void json_labels(struct json *j, const struct plan *plan)
{
	json_array(j, "labels");
	for (size_t i = 0; i < plan->n_labels; i++) {
		const struct plan_label *l = &plan->labels[i];

		json_object(j, NULL);
		json_string(j, "lsm", label_lsm_name((enum policy_lsm)l->lsm));
		json_string(j, "do", l->text);
		json_string(j, "why", l->why);
		json_object_end(j);
	}
	json_array_end(j);
}

/* In the units of the policy's model; a cpuset as its list. */
static void json_limits(struct json *j, const struct plan *plan)
{
	char set[CPUS_TEXT];

	json_object(j, "limits");
	for (unsigned i = 0; i < _POLICY_LIMIT_MAX; i++) {
		if (!plan->has_limit[i])
			continue;
		if (i == POLICY_LIMIT_CPUSET)
			json_string(j, "cpuset", cpus_format(&plan->cpuset, set));
		else
			json_u64(j, limit_name((enum policy_limit)i), plan->limit[i]);
	}
	json_object_end(j);
}

static void json_plan(struct json *j, const struct plan *plan)
{
	char digest[HASH_HEX + 1];

	hash_hex(bundle_policy_digest(plan->bundle), digest);
	json_object(j, NULL);
	json_string(j, "sandbox", plan->id);
	json_string(j, "policy", bundle_policy_name(plan->bundle));
	json_string(j, "policy_digest", digest);
	json_string(j, "root", root_names[plan->root]);
	json_array(j, "bases");
	for (size_t i = 0; i < plan->n_layers; i++)
		json_string(j, NULL, plan->layers[i]);
	json_array_end(j);
	json_string(j, "upper", upper_names[plan->upper]);
	if (plan->upper_dir)
		json_string(j, "upper_dir", plan->upper_dir);
	json_u64(j, "upper_bytes", plan->upper_size);
	json_u64(j, "upper_inodes", plan->upper_inodes);
	json_u64(j, "uid", plan->uid);
	json_u64(j, "uid_inside", plan->uid_inside);
	json_u64(j, "gid_inside", plan->gid_inside);
	json_string(j, "net", net_names[plan->net]);
	json_ports(j, plan);
	json_labels(j, plan);
	json_string(j, "hostname", plan->hostname);
	json_string(j, "cwd", plan->cwd);
	json_string(j, "root_landlock", access_names[plan->root_access]);
	json_steps(j, plan);
	json_limits(j, plan);
	json_hex(j, "capabilities", plan->caps);
	json_bool(j, "notify", plan->notify);
	json_bool(j, "learn", plan->learn);
	json_array(j, "learn_assumed");
	for (size_t i = 0; i < plan->n_assumed; i++)
		json_string(j, NULL, plan->assumed[i].name);
	json_array_end(j);
	json_bool(j, "may_nest", plan->nests);
	json_bool(j, "first_execve_let_pass", plan->exec_gated);
	json_bool(j, "terminal", plan->pty);
	json_bool(j, "new_time", plan->new_time);
	json_array(j, "fds");
	for (size_t i = 0; i < plan->n_pass_fds; i++)
		json_i64(j, NULL, plan->pass_fds[i]);
	json_array_end(j);
	json_string(j, "exec", plan->exec);
	json_strings(j, "argv", plan->argv);
	json_strings(j, "env", plan->env);
	json_strings(j, "in_force", plan->in_force);
	json_strings(j, "given_up", plan->given_up);
	json_object_end(j);
}

/* The writer fills a block; a block that is too small is doubled, up to what a plan can ever need.
 */
static int to_json(const struct plan *plan, struct buf *out)
{
	for (size_t cap = 1U << 14; cap <= 1U << 28; cap *= 2) {
		_cleanup_free_ char *block = malloc(cap);
		struct json j;
		size_t n;

		if (!block)
			return -ENOMEM;
		json_init(&j, block, cap);
		json_plan(&j, plan);
		n = json_finish(&j);
		if (n > 0)
			return buf_put(out, block, n);
	}
	return -EFBIG;
}

static int put_escaped(struct buf *out, const char *text)
{
	return text_escape(out, text, strlen(text));
}

static int text_steps(const struct plan *plan, struct buf *out)
{
	int r = 0;

	for (size_t i = 0; i < plan->n_steps && r == 0; i++) {
		const struct plan_step *s = &plan->steps[i];

		r = buf_printf(out, "  %-8s %-3s ", step_names[s->kind],
			       s->kind == STEP_BIND ? s->writable ? "rw" : "ro" : "");
		if (r == 0)
			r = put_escaped(out, s->dest);
		if (r == 0 && s->kind != STEP_PROC && s->kind != STEP_DEV &&
		    strcmp(s->source, s->dest) != 0) {
			r = buf_puts(out, s->kind == STEP_SYMLINK ? " -> " : " from ");
			if (r == 0)
				r = put_escaped(out, s->source);
		}
		if (r == 0)
			r = buf_puts(out, "  (");
		if (r == 0)
			r = put_escaped(out, s->why); /* a file name of the policy's */
		if (r == 0)
			r = buf_puts(out, s->optional ? ", if there)\n" : ")\n");
	}
	return r;
}

static int text_command(const struct plan *plan, struct buf *out)
{
	int r = buf_puts(out, "command  ");

	for (size_t i = 0; plan->argv[i] && r == 0; i++) {
		r = buf_puts(out, i ? " '" : "'");
		if (r == 0)
			r = put_escaped(out, plan->argv[i]);
		if (r == 0)
			r = buf_puts(out, "'");
	}
	return r == 0 ? buf_puts(out, "\nenv      ") : r;
}

static int text_env(const struct plan *plan, struct buf *out)
{
	int r = 0;

	for (size_t i = 0; plan->env[i] && r == 0; i++) {
		r = text_escape(out, plan->env[i], strcspn(plan->env[i], "="));
		if (r == 0)
			r = buf_puts(out, plan->env[i + 1] ? " " : "");
	}
	return r == 0 ? buf_puts(out, "\n") : r;
}

/* A right that is handled and has no port is closed as a whole. */
static int text_ports(const struct plan *plan, struct buf *out)
{
	int r = 0;

	for (uint64_t right = 1; right <= plan->landlock_net && r == 0; right <<= 1) {
		bool any = false;

		for (size_t i = 0; i < plan->n_ports; i++)
			any = any || plan->ports[i].right == right;
		if ((plan->landlock_net & right) && !any)
			r = buf_printf(out, "ports    %s: none\n", port_name(right));
	}
	for (size_t i = 0; i < plan->n_ports && r == 0; i++) {
		const struct plan_port *p = &plan->ports[i];

		r = p->first == p->last
			    ? buf_printf(out, "ports    %s %u  (", port_name(p->right), p->first)
			    : buf_printf(out, "ports    %s %u-%u  (", port_name(p->right), p->first,
					 p->last);
		if (r == 0)
			r = put_escaped(out, p->why); /* a file name of the policy's */
		if (r == 0)
			r = buf_puts(out, ")\n");
	}
	return r;
}

static int text_labels(const struct plan *plan, struct buf *out)
{
	int r = 0;

	for (size_t i = 0; i < plan->n_labels && r == 0; i++) {
		const struct plan_label *l = &plan->labels[i];

		r = buf_printf(out, "label    %s: ", label_lsm_name((enum policy_lsm)l->lsm));
		if (r == 0)
			r = put_escaped(out, l->text);
		if (r == 0)
			r = buf_puts(out, "  (");
		if (r == 0)
			r = put_escaped(out, l->why); /* a file name of the policy's */
		if (r == 0)
			r = buf_puts(out, ")\n");
	}
	return r;
}

static int text_limits(const struct plan *plan, struct buf *out)
{
	char text[CPUS_TEXT];
	int r = 0;

	for (unsigned i = 0; i < _POLICY_LIMIT_MAX && r == 0; i++) {
		const enum policy_limit which = (enum policy_limit)i;

		if (plan->has_limit[i])
			r = buf_printf(out, "limit    %s %s\n", limit_name(which),
				       limit_text(which, plan->limit[i], &plan->cpuset, text));
	}
	return r;
}

static int text_plan(const struct plan *plan, struct buf *out)
{
	int r = buf_printf(
		out,
		"sandbox  %s\npolicy   %s\nroot     %s\nupper    %s, at most %llu bytes and %llu "
		"inodes\nids      uid %u and gid %u inside, %u and %u outside\nnet      %s\nhost   "
		"  ",
		plan->id, bundle_policy_name(plan->bundle), root_names[plan->root],
		upper_names[plan->upper], (unsigned long long)plan->upper_size,
		(unsigned long long)plan->upper_inodes, plan->uid_inside, plan->gid_inside,
		plan->uid, plan->gid, net_names[plan->net]);

	if (r == 0)
		r = put_escaped(out, plan->hostname);
	if (r == 0)
		r = buf_puts(out, "\ncwd      ");
	if (r == 0)
		r = put_escaped(out, plan->cwd);
	if (r == 0)
		r = buf_puts(out, "\n");
	for (size_t i = 0; i < plan->n_layers && r == 0; i++) {
		r = buf_puts(out, "base     ");
		if (r == 0)
			r = put_escaped(out, plan->layers[i]);
		if (r == 0)
			r = buf_puts(out, "\n");
	}
	if (r == 0)
		r = text_command(plan, out);
	if (r == 0)
		r = text_env(plan, out);
	if (r == 0)
		r = text_ports(plan, out);
	if (r == 0)
		r = text_labels(plan, out);
	if (r == 0)
		r = text_limits(plan, out);
	for (size_t i = 0; i < plan->n_in_force && r == 0; i++)
		r = buf_printf(out, "with     %s\n", plan->in_force[i]);
	for (size_t i = 0; i < plan->n_given_up && r == 0; i++)
		r = buf_printf(out, "without  %s\n", plan->given_up[i]);
	if (r == 0)
		r = buf_puts(out, "mounts, parents first:\n");
	return r == 0 ? text_steps(plan, out) : r;
}

int plan_print(const struct plan *plan, bool json, struct buf *out)
{
	int r;

	if (!json)
		return text_plan(plan, out);
	r = to_json(plan, out);
	return r == 0 ? buf_puts(out, "\n") : r;
}
