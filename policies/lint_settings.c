// SPDX-License-Identifier: Apache-2.0
/* Network, capabilities, limits, variables, tests: what is said once, or not at all. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "policies/danger.h"
#include "policies/label.h"
#include "policies/lint_find.h"

/* Names whose values open doors; a leading or trailing '*' matches anything. */
static const char *const secret_names[] = {
	"SSH_AUTH_SOCK", "*TOKEN*", "*SECRET*",	  "*PASSWORD*", "*PASSWD*",
	"*API_KEY*",	 "AWS_*",   "GPG_AGENT*", "KUBECONFIG", "DBUS_SESSION_BUS_ADDRESS",
	"XAUTHORITY"
};

static bool matches(const char *pattern, const char *name)
{
	char middle[32];
	size_t n = strlen(pattern);
	bool open_begin = pattern[0] == '*', open_end = pattern[n - 1] == '*';

	(void)snprintf(middle, sizeof(middle), "%.*s",
		       (int)(n - (size_t)open_begin - (size_t)open_end), pattern + open_begin);
	if (open_begin)
		return strstr(name, middle) != NULL;
	return open_end ? strncmp(name, middle, strlen(middle)) == 0 : strcmp(name, middle) == 0;
}

static void look_at_env(struct linter *l)
{
	for (size_t i = 0; i < l->policy->n_env; i++) {
		const struct policy_env *env = &l->policy->env[i];

		for (size_t k = 0; k < ARRAY_SIZE(secret_names) && !env->value; k++) {
			if (!matches(secret_names[k], env->name))
				continue;
			lint_add(l, "CP709", LINT_WARNING, env->where,
				 "leave it out, or set a value that is for the payload alone",
				 "%s is passed from the caller: its value opens doors", env->name);
			break;
		}
	}
}

static void look_at_caps(struct linter *l)
{
	size_t n;
	const struct danger_cap *table = danger_caps(&n);

	for (size_t i = 0; i < n; i++) {
		if (l->policy->caps & 1ULL << table[i].cap)
			lint_add(l, "CP706", LINT_WARNING,
				 l->policy->setting_where[POLICY_SETTING_CAP], "cap none",
				 "%s is kept: it %s", table[i].name, table[i].why);
	}
}

#define ABSTRACT_SOCKETS                                                                           \
	", and, where Landlock is older than ABI 6, every abstract socket (X11, session buses)"

static void look_at_net(struct linter *l)
{
	const struct syscall_desc *call = syscall_by_name("socket");
	const struct policy_cond unix_only = { .op = POLICY_EQ,
					       .width = WIDTH_S32,
					       .value = AF_UNIX };
	bool reaches_unix = reach_allowed(l->policy, (enum abi)l->policy->native, call, &unix_only,
					  1, NULL) != REACH_NO;

	if (l->policy->net != POLICY_NET_HOST)
		return;
	/* Ports are closed by other lines; what has none is not. */
	if (l->policy->n_ports == 0)
		lint_add(l, "CP705", LINT_WARNING, l->policy->setting_where[POLICY_SETTING_NET],
			 "net loopback, or ports: net connect tcp 443",
			 "the host's network: every service on the host's loopback is in reach%s",
			 reaches_unix ? ABSTRACT_SOCKETS : "");
	else if (reaches_unix)
		lint_add(l, "CP705", LINT_NOTE, l->policy->setting_where[POLICY_SETTING_NET], NULL,
			 "the host's network, by the ports that are named%s", ABSTRACT_SOCKETS);
}

static void look_at_limits(struct linter *l)
{
	static const struct {
		enum policy_limit limit;
		const char *name;
		const char *why;
		const char *instead;
	} wanted[] = {
		{ POLICY_LIMIT_PIDS, "pids", "a fork bomb takes the machine", "limit pids 512" },
		{ POLICY_LIMIT_MEMORY, "memory", "the payload can push others out of memory",
		  "limit memory 4G" },
		{ POLICY_LIMIT_NOFILE, "nofile", "the caller's limit of files is inherited",
		  "limit nofile 1024" },
	};

	const struct policy *p = l->policy;

	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		if (!p->has_limit[wanted[i].limit])
			lint_add(l, "CP708", LINT_NOTE, lint_head(l->policy), wanted[i].instead,
				 "no limit on %s: %s", wanted[i].name, wanted[i].why);
	}
	if (p->has_limit[POLICY_LIMIT_MEMORY] && p->has_limit[POLICY_LIMIT_MEMORY_HIGH] &&
	    p->limit[POLICY_LIMIT_MEMORY_HIGH] >= p->limit[POLICY_LIMIT_MEMORY])
		lint_add(l, "CP711", LINT_WARNING, p->limit_where[POLICY_LIMIT_MEMORY_HIGH],
			 "a memory-high below memory, or none",
			 "memory-high is not below memory: who reaches it is killed before he is "
			 "slowed down");
}

/* One pair for all, or none: then SELinux takes all sandboxes of the type for one. */
static void look_at_labels(struct linter *l)
{
	const struct policy_label *said = &l->policy->labels[POLICY_LSM_SELINUX];
	const char *why;
	struct label label;

	if (!said->text || label_parse(POLICY_LSM_SELINUX, said->text, &label, &why) < 0)
		return;
	if (label.categories == LABEL_PAIR || label.categories == LABEL_BARE)
		lint_add(l, "CP710", LINT_WARNING, said->where,
			 "leave the categories out, or give a range: TYPE:c0.c1023",
			 "every sandbox has %s: SELinux does not tell them apart",
			 label.categories == LABEL_PAIR ? "this pair of categories"
							: "no categories");
}

static bool is_expected(const struct policy *policy, const struct syscall_desc *call)
{
	for (size_t i = 0; i < policy->n_expects; i++) {
		if (policy->expects[i].kind == POLICY_EXPECT_CALL &&
		    policy->expects[i].call == call && policy->expects[i].action != POLICY_ALLOW)
			return true;
	}
	return false;
}

/* One finding a line: some call of it should be tested. */
static void look_at_expects(struct linter *l)
{
	const struct policy *p = l->policy;

	for (size_t i = 0; i < p->n_rules; i++) {
		const struct policy_rule *rule = &p->rules[i];
		bool tested = false, first = true;

		if (rule->action == POLICY_ALLOW)
			continue;
		for (size_t k = 0; k < p->n_rules && !tested; k++) {
			if (p->rules[k].action == POLICY_ALLOW ||
			    p->rules[k].where.source != rule->where.source ||
			    p->rules[k].where.line != rule->where.line)
				continue;
			first = first && k >= i;
			tested = is_expected(p, p->rules[k].call);
		}
		if (!tested && first)
			lint_add(l, "CP506", LINT_NOTE, rule->where, "expect deny CALL(ARG, ...)",
				 "no expect line tests what this line refuses: when it is lost, "
				 "nobody notices");
	}
}

/* Whether any line of any file but its own names the variable: $name, and no longer name. */
static bool is_let_used(const struct policy *p, const char *name, size_t len)
{
	for (size_t i = 0; i < p->n_sources; i++) {
		for (const char *at = p->sources[i].text; at && (at = strchr(at, '$')) != NULL;) {
			at++;
			if (strncmp(at, name, len) == 0 && at[len] != '_' &&
			    !isalnum((unsigned char)at[len]))
				return true;
		}
	}
	return false;
}

/* The model has no variables any more: the texts have. */
static void look_at_lets(struct linter *l)
{
	for (size_t i = 0; i < l->policy->n_sources; i++) {
		struct policy_where where = { .source = (uint16_t)i, .line = 1, .column = 1 };
		const char *line = l->policy->sources[i].text;

		for (; line && *line; where.line++) {
			const char *end = strchrnul(line, '\n'), *name = line + 4;
			size_t len = strcspn(name, " \t\n");

			if (strncmp(line, "let ", 4) == 0 && len &&
			    !is_let_used(l->policy, name, len))
				lint_add(l, "CP603", LINT_WARNING, where, "take the line out",
					 "the variable '%.*s' is not used", (int)len, name);
			line = *end ? end + 1 : end;
		}
	}
}

void lint_settings(struct linter *l)
{
	const struct policy *p = l->policy;

	if (!p->notify)
		lint_add(l, "CP707", LINT_WARNING, p->setting_where[POLICY_SETTING_NOTIFY],
			 "notify on",
			 "denials are plain errors: none of them is recorded, and the log is "
			 "blind");
	if (p->setting_where[POLICY_SETTING_KERNEL].line == 0)
		lint_add(l, "CP308", LINT_NOTE, lint_head(p), "kernel 6.18",
			 "no `kernel` line: calls that a later table brings count as judged");
	look_at_net(l);
	look_at_caps(l);
	look_at_env(l);
	look_at_limits(l);
	look_at_expects(l);
	look_at_lets(l);
	look_at_labels(l);
}
