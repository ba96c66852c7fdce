// SPDX-License-Identifier: Apache-2.0
/*
 * Lines to a tree. A place that begins with ~ of an unknown home has a name in it that stands for
 * any; what it says is then said of each literal name beside it too, by a copy, so that a walk
 * down needs no way back.
 */
#include "profiles/apparmor_tree.h"

#include <errno.h>
#include <string.h>

#include "base/path.h"
#include "base/text.h"

/* As names within a text: no path holds a control character, which aa_tree_make() makes sure of. */
#define ANY_NAME     "\x01"
#define PROCESS_NAME "\x02"

/* Like sandbox/mounts_special.c's table, but for every launcher: a profile is loaded once, and
 * root's own sandboxes enter it too. tests/integration/apparmor.sh holds the two together. */
const char *const aa_proc_masked[] = {
	"acpi",		"asound",	 "bus",		  "cmdline",	 "config.gz",
	"diskstats",	"driver",	 "dynamic_debug", "fs",		 "interrupts",
	"iomem",	"ioports",	 "irq",		  "kallsyms",	 "kcore",
	"key-users",	"keys",		 "kmsg",	  "kpagecgroup", "kpagecount",
	"kpageflags",	"latency_stats", "mdstat",	  "modules",	 "mtrr",
	"pagetypeinfo", "partitions",	 "pressure",	  "sched_debug", "schedstat",
	"scsi",		"slabinfo",	 "softirqs",	  "swaps",	 "sysrq-trigger",
	"timer_list",	"vmallocinfo",	 "zoneinfo",	  NULL,
};

/* Above every line, as /proc and /dev are at a launch; what is below them gives way. */
enum { RANK_BUILT_IN = 9 };

static const struct {
	const char *path;
	uint8_t rank, perms;
	bool is_list;
	const char *why;
} built_in[] = {
	/* "/" does not stand for it; a line may name it */
	{ "/sys", 0, 0, false, "not shown" },
	{ "/proc", RANK_BUILT_IN, AA_READ | AA_LOCK, false, "the sandbox's own" },
	{ "/proc/" PROCESS_NAME, 0, AA_READ | AA_LOCK | AA_WRITE, false,
	  "the sandbox's processes" },
	/* labels: changed by change_profile rules alone, of which there are none */
	{ "/proc/" PROCESS_NAME "/attr", 0, AA_READ | AA_LOCK, false, "labels" },
	{ "/proc/" PROCESS_NAME "/task/" PROCESS_NAME "/attr", 0, AA_READ | AA_LOCK, false,
	  "labels" },
	{ "/dev", RANK_BUILT_IN, 0, true, "the sandbox's own" },
	{ "/dev/null", 0, AA_READ | AA_WRITE | AA_LOCK, false, "a device" },
	{ "/dev/zero", 0, AA_READ | AA_WRITE | AA_LOCK, false, "a device" },
	{ "/dev/full", 0, AA_READ | AA_WRITE | AA_LOCK, false, "a device" },
	{ "/dev/random", 0, AA_READ | AA_WRITE | AA_LOCK, false, "a device" },
	{ "/dev/urandom", 0, AA_READ | AA_WRITE | AA_LOCK, false, "a device" },
	{ "/dev/tty", 0, AA_READ | AA_WRITE | AA_LOCK, false, "a device" },
	{ "/dev/ptmx", 0, AA_READ | AA_WRITE | AA_LOCK, false, "a device" },
	{ "/dev/pts", 0, AA_READ | AA_WRITE | AA_LOCK, false, "terminals" },
	{ "/dev/shm", 0, AA_READ | AA_WRITE | AA_LOCK | AA_LINK, false, "shared memory" },
};

static uint8_t perms_of(uint8_t verb, bool may_exec)
{
	const uint8_t exec = may_exec ? AA_EXEC : 0;

	switch ((enum policy_path_verb)verb) {
	case POLICY_PATH_READ:
		return AA_READ | AA_LOCK;
	case POLICY_PATH_EXEC:
		return (uint8_t)(AA_READ | AA_LOCK | AA_MMAP | exec);
	case POLICY_PATH_WRITE:
		return AA_READ | AA_LOCK | AA_WRITE | AA_LINK;
	case POLICY_PATH_TMPFS:
		return (uint8_t)(AA_READ | AA_LOCK | AA_WRITE | AA_LINK | AA_MMAP | exec);
	case POLICY_PATH_HIDE:
		break;
	}
	return 0;
}

/* read, exec and write add up, hide outranks them, tmpfs outranks all (doc/policy.md). */
enum { RANK_ADDS = 1, RANK_HIDE, RANK_TMPFS };

static uint8_t rank_of(uint8_t verb)
{
	return verb == POLICY_PATH_TMPFS  ? RANK_TMPFS
	       : verb == POLICY_PATH_HIDE ? RANK_HIDE
					  : RANK_ADDS;
}

/* --- nodes --- */

void aa_tree_free(struct aa_node *root)
{
	struct aa_node *node = root;

	/* as deep as a path is long: no recursion */
	while (node) {
		struct aa_node *parent = node->parent;

		if (node->children) {
			node = node->children;
			continue;
		}
		if (parent)
			parent->children = node->next;
		free(node->name);
		free(node);
		node = parent;
	}
}

static struct aa_node *new_node(struct aa_node *parent, enum aa_name kind, const char *name,
				size_t len)
{
	struct aa_node *node = calloc(1, sizeof(*node));

	if (!node)
		return NULL;
	node->parent = parent;
	node->kind = (uint8_t)kind;
	if (kind == AA_NAME_LITERAL) {
		node->name = strndup(name, len);
		if (!node->name) {
			free(node);
			return NULL;
		}
	}
	return node;
}

static int compare_names(const struct aa_node *node, enum aa_name kind, const char *name,
			 size_t len)
{
	int r;

	if (node->kind != (uint8_t)kind)
		return node->kind < (uint8_t)kind ? -1 : 1;
	if (kind != AA_NAME_LITERAL)
		return 0;
	r = strncmp(node->name, name, len);
	return r ? r : node->name[len] != '\0';
}

/* The child of that name, made when it is missing. NULL: out of memory. */
static struct aa_node *child(struct aa_node *parent, enum aa_name kind, const char *name,
			     size_t len)
{
	struct aa_node **at = &parent->children;
	struct aa_node *node;

	for (; *at; at = &(*at)->next) {
		int order = compare_names(*at, kind, name, len);

		if (order == 0)
			return *at;
		if (order > 0)
			break;
	}
	node = new_node(parent, kind, name, len);
	if (!node)
		return NULL;
	node->next = *at;
	*at = node;
	return node;
}

static struct aa_node *place(struct aa_node *root, const char *path)
{
	struct aa_node *node = root;

	for (const char *p = path; node && *p;) {
		size_t len;

		p += *p == '/';
		len = strcspn(p, "/");
		if (len == 0)
			break;
		node = child(node,
			     *p == *ANY_NAME	   ? AA_NAME_ANY
			     : *p == *PROCESS_NAME ? AA_NAME_PROCESS
						   : AA_NAME_LITERAL,
			     p, len);
		p += len;
	}
	return node;
}

/* Two that speak of one place: the higher rank wins, equal ones add up. */
static void state(struct aa_node *node, const struct aa_node *what)
{
	if (node->stated && node->rank > what->rank)
		return;
	if (node->stated && node->rank == what->rank && node->rank == RANK_ADDS) {
		node->perms |= what->perms;
		return;
	}
	node->stated = true;
	node->rank = what->rank;
	node->perms = what->perms;
	node->is_list = what->is_list;
	node->line = what->line;
	node->why = what->why;
}

/* --- lines --- */

static int add_built_in(struct aa_node *root)
{
	struct aa_node *node;

	for (size_t i = 0; i < ARRAY_SIZE(built_in); i++) {
		node = place(root, built_in[i].path);
		if (!node)
			return -ENOMEM;
		state(node, &(struct aa_node){ .rank = built_in[i].rank,
					       .perms = built_in[i].perms,
					       .is_list = built_in[i].is_list,
					       .why = built_in[i].why });
	}
	node = place(root, "/proc");
	for (size_t i = 0; node && aa_proc_masked[i]; i++) {
		struct aa_node *masked =
			child(node, AA_NAME_LITERAL, aa_proc_masked[i], strlen(aa_proc_masked[i]));

		if (!masked)
			return -ENOMEM;
		state(masked, &(struct aa_node){ .why = "masked: the host's business" });
	}
	return node ? 0 : -ENOMEM;
}

static int refuse(const struct policy *policy, const struct policy_path *line, struct err *err,
		  const char *why)
{
	const char *path = line->where.line && line->where.source < policy->n_sources
				   ? policy->sources[line->where.source].path
				   : NULL;

	return err_set(err, -EOPNOTSUPP, "say line %u%s%s to AppArmor: %s", line->where.line,
		       path ? " of " : "", path ? path : "", why);
}

static bool has_control(const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return true;
	}
	return false;
}

static int add_line(struct aa_node *root, const struct policy_path *line,
		    const struct path_vars *vars, bool may_exec, size_t skip)
{
	char path[LIMIT_PATH];
	struct aa_node *node;
	int r = path_rule_expand(line, vars, path, sizeof(path));

	if (r < 0)
		return r;
	if (has_control(path + skip))
		return -EINVAL;
	/* a launch refuses everything else there */
	if (text_starts_with(path, "/proc/") && line->verb != POLICY_PATH_HIDE)
		return 0;
	node = place(root, path);
	if (!node)
		return -ENOMEM;
	state(node, &(struct aa_node){ .rank = rank_of(line->verb),
				       .perms = perms_of(line->verb, may_exec),
				       .line = line });
	return 0;
}

static int check_vars(const struct path_vars *vars, struct err *err)
{
	const char *const texts[] = { vars->home, vars->pwd };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		if (texts[i] && (!path_is_normal(texts[i]) || has_control(texts[i])))
			return err_set(err, -EINVAL, "use '%s' for %s: it is no plain path",
				       texts[i], i == 0 ? "~" : "$PWD");
	}
	return 0;
}

static int add_lines(struct aa_node *root, const struct policy *policy,
		     const struct path_vars *vars, bool may_exec, struct err *err)
{
	static const char *const homes[] = { "/home/" ANY_NAME, "/root" };

	for (size_t i = 0; i < policy->n_paths; i++) {
		const struct policy_path *line = &policy->paths[i];
		const bool each_home = line->path[0] == '~' && !vars->home;
		struct path_vars v = *vars;
		int r = 0;

		if (has_control(line->path))
			return refuse(policy, line, err, "its path has a control character");
		for (size_t h = 0; h < (each_home ? ARRAY_SIZE(homes) : 1) && r == 0; h++) {
			if (each_home)
				v.home = homes[h];
			/* the name that stands for any is the first one's own */
			r = add_line(root, line, &v, may_exec,
				     each_home && h == 0 ? strlen(homes[h]) : 0);
		}
		if (r == -ENOMEM)
			return err_set(err, r, "write an AppArmor profile");
		/* nothing is granted at a place that is not known; to hide it takes the place */
		if (r < 0 && line->verb == POLICY_PATH_HIDE) {
			(void)refuse(policy, line, err, "what it hides is known at a launch only");
			return err_hint(err, "give the place of $PWD when the profile is made, or "
					     "hide an absolute path");
		}
	}
	return 0;
}

/* --- copies for names beside one that stands for any --- */

static bool is_like(const struct aa_node *node, const struct aa_node *wild)
{
	return node->kind == AA_NAME_LITERAL &&
	       (wild->kind == AA_NAME_ANY || (node->name[0] >= '1' && node->name[0] <= '9'));
}

/* What is said at and below from, said at and below to as well. As deep as a line that begins
 * with ~ is: the recursion is bounded by LIMIT_PATH / 2. */
static int copy_below(struct aa_node *to, const struct aa_node *from)
{
	if (from->stated)
		state(to, from);
	for (const struct aa_node *c = from->children; c; c = c->next) {
		struct aa_node *same = child(to, (enum aa_name)c->kind, c->name ? c->name : "",
					     c->name ? strlen(c->name) : 0);
		int r = same ? copy_below(same, c) : -ENOMEM;

		if (r < 0)
			return r;
	}
	return 0;
}

static int spread(struct aa_node *node)
{
	int r = 0;

	for (const struct aa_node *wild = node->children; wild && r == 0; wild = wild->next) {
		if (wild->kind == AA_NAME_LITERAL)
			continue;
		for (struct aa_node *c = node->children; c && r == 0; c = c->next) {
			/* a process that a line names is as that line says */
			if (is_like(c, wild) && !(wild->kind == AA_NAME_PROCESS && c->stated))
				r = copy_below(c, wild);
		}
	}
	for (struct aa_node *c = node->children; c && r == 0; c = c->next)
		r = spread(c);
	return r;
}

/* In a tmpfs nothing of the host shows, so nothing is hidden: what the payload makes there under
 * such a name is its own. */
static void drop_hides(struct aa_node *node, bool in_tmpfs)
{
	if (node->stated && node->rank == RANK_HIDE && in_tmpfs)
		node->stated = false;
	else if (node->stated && node->rank != RANK_HIDE)
		in_tmpfs = node->rank == RANK_TMPFS;
	for (struct aa_node *c = node->children; c; c = c->next)
		drop_hides(c, in_tmpfs);
}

int aa_tree_make(const struct policy *policy, const struct path_vars *vars, bool may_exec,
		 struct aa_node **ret, struct err *err)
{
	_cleanup_aa_tree_ struct aa_node *root = new_node(NULL, AA_NAME_LITERAL, "", 0);
	int r = root ? add_built_in(root) : -ENOMEM;

	if (r == 0)
		r = check_vars(vars, err);
	if (r == 0)
		r = add_lines(root, policy, vars, may_exec, err);
	if (r == 0)
		r = spread(root);
	if (r == -ENOMEM)
		return err_set(err, r, "write an AppArmor profile");
	if (r < 0)
		return r;
	drop_hides(root, false);
	*ret = TAKE_PTR(root);
	return 0;
}
