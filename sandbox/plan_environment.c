// SPDX-License-Identifier: Apache-2.0
/* The payload's environment: built from empty, by an allow-list. */
#include <errno.h>
#include <string.h>

#include "sandbox/plan.h"

/* What programs cannot do without and what tells nothing of the host. */
static const char *const always_passed[] = { "TERM", "LANG", "TZ" };

struct builder {
	struct plan *plan;
	size_t n, max;
	struct err *err;
};

enum { BUILT_IN_VARIABLES = 8 }; /* that the caller may lack */

static size_t name_length(const char *entry)
{
	return strcspn(entry, "=");
}

/* Later entries replace earlier ones of the same name. */
static int put(struct builder *b, const char *entry)
{
	size_t len = name_length(entry);

	if (!entry[len] || len == 0)
		return err_refuse(b->err, "use an environment variable without a name");
	for (size_t i = 0; i < b->n; i++) {
		if (name_length(b->plan->env[i]) == len &&
		    memcmp(b->plan->env[i], entry, len) == 0) {
			b->plan->env[i] = entry;
			return 0;
		}
	}
	if (b->n >= LIMIT_ENV)
		return err_set(b->err, -E2BIG, "pass more than %d environment variables",
			       LIMIT_ENV);
	b->plan->env[b->n++] = entry;
	return 0;
}

static int put_value(struct builder *b, const char *name, const char *value)
{
	const char *entry;

	if (!value)
		return 0;
	entry = plan_text(b->plan, "%s=%s", name, value);
	if (!entry)
		return err_set(b->err, -ENOMEM, "plan the environment");
	return put(b, entry);
}

/* Pass what the caller has under this name; a trailing '*' stands for any rest. */
static int pass(struct builder *b, const struct plan_host *host, const char *pattern)
{
	size_t len = strlen(pattern);
	bool prefix = len > 0 && pattern[len - 1] == '*';
	int r = 0;

	for (char *const *e = host->environ; e && *e && r == 0; e++) {
		if (name_length(*e) == 0 || !(*e)[name_length(*e)])
			continue;
		if (prefix ? strncmp(*e, pattern, len - 1) == 0
			   : name_length(*e) == len && memcmp(*e, pattern, len) == 0)
			r = put(b, *e);
	}
	return r;
}

static int built_in(struct builder *b, const struct plan_host *host)
{
	struct plan *plan = b->plan;
	const bool root = plan->uid_inside == 0 && plan->uid != 0;
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(always_passed) && r == 0; i++)
		r = pass(b, host, always_passed[i]);
	if (r == 0)
		r = pass(b, host, "LC_*");
	if (r == 0)
		r = put_value(b, "PATH",
			      "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	/* The host's programs are found where the caller finds them; a base has its own places. */
	if (r == 0 && plan->root == ROOT_HOST)
		r = pass(b, host, "PATH");
	if (r == 0)
		r = put_value(b, "HOME", host->home ? host->home : "/");
	if (r == 0)
		r = put_value(b, "USER", root ? "root" : host->user);
	if (r == 0)
		r = put_value(b, "LOGNAME", root ? "root" : host->user);
	if (r == 0 && plan->root == ROOT_HOST)
		r = put_value(b, "SHELL", host->shell);
	if (r == 0)
		r = put_value(b, "PWD", plan->cwd);
	return r;
}

int plan_environment(struct plan *plan, const struct request *req, const struct plan_host *host,
		     struct err *err)
{
	struct builder b = { .plan = plan, .err = err };
	int r;

	for (char *const *e = host->environ; e && *e; e++)
		b.max++;
	b.max += bundle_n_env(plan->bundle) + req->n_env + BUILT_IN_VARIABLES;
	if (b.max > LIMIT_ENV)
		b.max = LIMIT_ENV;
	plan->env = plan_alloc(plan, (b.max + 1) * sizeof(*plan->env));
	if (!plan->env)
		return err_set(err, -ENOMEM, "plan the environment");
	r = built_in(&b, host);
	for (size_t i = 0; i < bundle_n_env(plan->bundle) && r == 0; i++) {
		struct bundle_env e;

		bundle_env(plan->bundle, i, &e);
		r = e.value ? put_value(&b, e.name, e.value) : pass(&b, host, e.name);
	}
	for (size_t i = 0; i < req->n_env && r == 0; i++) {
		const char *copy = plan_copy(plan, req->env[i]);

		if (!copy)
			return err_set(err, -ENOMEM, "plan the environment");
		r = strchr(copy, '=') ? put(&b, copy) : pass(&b, host, copy);
	}
	for (size_t i = 0; i < b.n && r == 0; i++) {
		if (strncmp(plan->env[i], "PATH=", 5) == 0)
			plan->path_env = plan->env[i] + 5;
	}
	return r;
}
