// SPDX-License-Identifier: Apache-2.0
/*
 * From path lines to rights on types. Each path of the table and each line's own path is a point;
 * the line that speaks of a point gives its rights to the point's type, and the types on the way
 * down to it may be searched.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "profiles/selinux_tables.h"

/* Stand-ins: no home or working directory of a person looks like these. */
#define SOME_HOME "/home/.cordon-home"
#define SOME_PWD  SOME_HOME "/.cordon-pwd"

enum {
	MAX_TYPES = 256,
	FILES = SE_READ | SE_STAT,
	READS = SE_SEARCH | SE_LIST | FILES,
	WRITES = SE_WRITE | SE_MAKE,
};

/*
 * What every module's process has on these types whatever the policy says: the reference policy
 * gives some to its attribute domain, in which each process's type must be (a neverallow), the
 * rest is cordon-base.cil's. tests/unit/test_selinux_tools.c asks the
 * compiled policy.
 */
static const struct {
	const char *type;
	unsigned rights;
} always[] = {
	{ "cpu_online_t", FILES },
	{ "device_t", SE_SEARCH | SE_LIST },
	{ "devpts_t", SE_SEARCH | SE_LIST },
	{ "etc_t", SE_SEARCH | SE_LIST },
	{ SELINUX_OWN, FILES | SE_WRITE }, /* memfd_create and the like */
	{ "ld_so_cache_t", FILES },
	{ "ld_so_t", FILES | SE_MAP },
	{ "lib_t", READS | SE_MAP },
	{ "proc_t", READS },
	{ "root_t", SE_SEARCH | SE_LIST },
	{ "sysctl_fs_t", READS },
	{ "sysctl_kernel_t", READS },
	{ "sysctl_t", SE_SEARCH },
	{ "sysctl_vm_t", SE_SEARCH },
	{ "sysfs_t", SE_SEARCH },
	{ "textrel_shlib_t", FILES | SE_MAP },
	{ "tmpfs_t", SE_SEARCH | SE_LIST },
	{ "usr_t", SE_SEARCH },
	{ "var_run_t", SE_SEARCH | SE_LIST },
	{ "var_t", SE_SEARCH },
};

struct path_vars selinux_vars(const struct profile_target *target)
{
	struct path_vars vars = target->vars;

	if (!vars.home)
		vars.home = SOME_HOME;
	if (!vars.pwd)
		vars.pwd = SOME_PWD;
	return vars;
}

static unsigned types_rights(unsigned may)
{
	return (may & PATH_MAY_READ ? READS : 0U) | (may & PATH_MAY_EXEC ? SE_MAP | SE_EXEC : 0U) |
	       (may & PATH_MAY_WRITE ? WRITES : 0U);
}

unsigned selinux_verb_rights(enum policy_path_verb verb)
{
	return types_rights(path_rule_gives(verb));
}

void selinux_rights_done(struct selinux_rights *rights)
{
	free(rights->types);
	*rights = (struct selinux_rights){ .n = 0 };
}

/* Where the type stands, or would. */
static size_t index_of(const struct selinux_rights *rights, const char *type)
{
	size_t from = 0, to = rights->n;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (strcmp(rights->types[middle].type, type) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

static struct selinux_right *right_on(const struct selinux_rights *rights, const char *type)
{
	const size_t i = index_of(rights, type);

	return i < rights->n && strcmp(rights->types[i].type, type) == 0 ? &rights->types[i] : NULL;
}

const struct selinux_right *selinux_right_on(const struct selinux_rights *rights, const char *type)
{
	return right_on(rights, type);
}

unsigned selinux_effective(const struct selinux_rights *rights, const char *type)
{
	const struct selinux_right *r = right_on(rights, type), *programs;

	if (!r)
		return 0;
	programs = r->flags & LABEL_PROGRAM ? right_on(rights, "cordon_program") : NULL;
	return r->rights | r->always | (programs ? programs->rights : 0);
}

static void add_type(struct selinux_rights *to, const char *type, unsigned flags)
{
	struct selinux_right *r = right_on(to, type);

	if (!r) {
		r = &to->types[index_of(to, type)];
		memmove(r + 1, r, (size_t)(&to->types[to->n++] - r) * sizeof(*r));
		*r = (struct selinux_right){ .type = type };
		for (size_t i = 0; i < ARRAY_SIZE(always); i++) {
			if (strcmp(always[i].type, type) == 0)
				r->always = always[i].rights;
		}
	}
	r->flags |= flags & ~(unsigned)(LABEL_FILE | LABEL_WITHIN | LABEL_BELOW);
}

/* Every type of the table, none with a right yet. */
static int begin(struct selinux_rights *ret)
{
	struct selinux_rights r = { .types = calloc(MAX_TYPES, sizeof(*r.types)) };

	if (!r.types)
		return -ENOMEM;
	for (size_t i = 0; i < selinux_n_labels; i++) {
		/* bin_t is no program's own type even though cordon_program has it too */
		if (r.n == MAX_TYPES - 1 && !right_on(&r, selinux_labels[i].type))
			break;
		add_type(&r, selinux_labels[i].type, selinux_labels[i].flags);
	}
	add_type(&r, SELINUX_OWN, 0);
	*ret = r;
	return 0;
}

static void give(struct selinux_rights *to, const char *type, unsigned rights,
		 const struct policy_path *line)
{
	struct selinux_right *r = right_on(to, type);

	if (!r || r->flags & LABEL_NEVER || (rights & ~r->rights) == 0)
		return;
	r->rights |= rights;
	if (r->where.line == 0 && line)
		r->where = line->where;
}

/* The directories above a spelling, so that it can be reached. */
static void give_way(struct selinux_rights *to, const char *spelling,
		     const struct policy_path *line)
{
	char way[LIMIT_PATH];
	char *slash;

	if (strlen(spelling) >= sizeof(way))
		return;
	memcpy(way, spelling, strlen(spelling) + 1);
	while ((slash = strrchr(way, '/')) && slash > way) {
		*slash = '\0';
		give(to, selinux_label_of(way)->type, SE_SEARCH, line);
	}
	give(to, "root_t", SE_SEARCH, line);
	if (spelling[0] == '~') {
		give(to, "home_root_t", SE_SEARCH, line);
		give(to, "user_home_dir_t", SE_SEARCH, line);
	}
}

/* A place where a line's verb holds and the types there. */
struct point {
	const char *path;     /* absolute */
	const char *spelling; /* as the table has it */
	const char *type;
};

static void give_point(const struct policy *policy, const struct path_vars *vars,
		       const struct point *at, struct selinux_rights *to)
{
	const struct policy_path *line;
	const unsigned may = path_rule_rights(policy, vars, at->path, &line);

	if (!line || line->verb == POLICY_PATH_HIDE)
		return;
	if (line->verb == POLICY_PATH_TMPFS) {
		if (!to->memory)
			to->memory_where = line->where;
		to->memory = true;
		give(to, SELINUX_OWN, SE_ALL, line);
		give(to, "tmpfs_t", SE_SEARCH | SE_LIST | SE_MAKE, line);
		return;
	}
	give(to, at->type, types_rights(may), line);
	give_way(to, at->spelling, line);
}

static int give_line(const struct policy *policy, const struct path_vars *vars, size_t i,
		     struct selinux_rights *to)
{
	char path[LIMIT_PATH], spelling[LIMIT_PATH];
	const struct selinux_label *label;
	int r = path_rule_expand(&policy->paths[i], vars, path, sizeof(path));

	if (r < 0)
		return r == -ENOENT || r == -EINVAL ? 0 : r;
	if (selinux_spell(vars, path, spelling, sizeof(spelling)) < 0)
		return -ENAMETOOLONG;
	label = selinux_label_of(spelling);
	give_point(policy, vars,
		   &(struct point){ .path = path, .spelling = spelling, .type = label->type }, to);
	return 0;
}

/* What the caller left open is used without `open`, and so must not meet the `open` of a reader. */
static void find_home(struct selinux_rights *to)
{
	struct selinux_right *home = right_on(to, "user_home_t");

	to->home = home && (!(home->rights & SE_READ) || home->rights & SE_WRITE);
	if (to->home)
		home->always |= SE_STAT;
}

int selinux_rights_of(const struct policy *policy, const struct profile_target *target,
		      struct selinux_rights *ret, struct err *err)
{
	const struct path_vars vars = selinux_vars(target);
	struct selinux_rights rights;
	char path[LIMIT_PATH];
	int r = begin(&rights);

	if (r < 0)
		return err_set(err, r, "translate the paths of policy '%s'", policy->name);
	for (size_t i = 0; i < policy->n_paths && r == 0; i++)
		r = give_line(policy, &vars, i, &rights);
	for (size_t i = 0; i < selinux_n_labels && r == 0; i++) {
		const struct selinux_label *l = &selinux_labels[i];

		if (l->flags & (LABEL_NAMED | LABEL_NEVER))
			continue;
		r = selinux_row_path(l->path, &vars, path, sizeof(path));
		if (r == 0)
			give_point(policy, &vars,
				   &(struct point){
					   .path = path, .spelling = l->path, .type = l->type },
				   &rights);
	}
	if (r < 0) {
		selinux_rights_done(&rights);
		return err_set(err, r, "translate the paths of policy '%s'", policy->name);
	}
	find_home(&rights);
	*ret = rights;
	return 0;
}
