// SPDX-License-Identifier: Apache-2.0
/*
 * The policy of a launch: a shipped one; a shipped one with random lines more, whose rules are
 * drawn as the differential tests draw theirs (tests/unit/random_policy.h); or mutants of the
 * shipped texts (tests/unit/mutant.h). What is written is read back by the policies' own room, so
 * that what it means, or that it means nothing, is known.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policies/cond.h"
#include "policies/load.h"
#include "tests/launches/launches.h"
#include "tests/unit/mutant.h"
#include "tests/unit/random_policy.h"

enum { N_SHIPPED = 6, MAX_TEXT = 1 << 16, TRIES = 8 };

static const char *const shipped[N_SHIPPED] = { "default", "build",   "session",
						"strict",  "process", "base-libc" };
static char *shipped_text[N_SHIPPED];
const char *library_dir;

/* What the program inside cannot do without; and what some of its checks take. */
static const char *const needed[] = {
	"execve",	  "brk",	   "arch_prctl", "set_tid_address", "set_robust_list",
	"rseq",		  "prlimit64",	   "readlink",	 "readlinkat",	    "getrandom",
	"mprotect",	  "mmap",	   "munmap",	 "newfstatat",	    "fstat",
	"read",		  "write",	   "openat",	 "close",	    "exit_group",
	"getcwd",	  "uname",	   "getdents64", "fcntl",	    "lseek",
	"mkdir",	  "chmod",	   "utimensat",	 "alarm",	    "rt_sigaction",
	"rt_sigprocmask", "clock_gettime", "getpid",	 "gettid",	    "tgkill",
	"futex",	  "stat",	   "open",	 "writev",	    "ioctl",
	"rt_sigreturn",	  "fchmodat",	   "mkdirat",
};
static const struct {
	const char *call;
	uint64_t args[6];
} used[] = {
	{ "socket", { 2, 1 } },
	{ "socket", { 1, 1 } },
	{ "bind", { 0 } },
	{ "listen", { 0 } },
	{ "connect", { 0 } },
	{ "getsockname", { 0 } },
	{ "getsockopt", { 0 } },
	{ "poll", { 0 } },
	{ "kill", { 77 } },
	{ "shmget", { 0 } },
	{ "prctl", { 27 } },
	{ "prctl", { 3 } },
	{ "personality", { UINT32_MAX } },
};

static void die(const char *what)
{
	fprintf(stderr, "launches: cannot read the shipped policy %s: %s\n", what, strerror(errno));
	exit(2);
}

static void read_shipped(void)
{
	for (int i = 0; i < N_SHIPPED && !shipped_text[i]; i++) {
		char path[2 * PATH_SIZE];
		FILE *f;
		size_t n;

		snprintf(path, sizeof(path), "%s/%s.policy", library_dir, shipped[i]);
		f = fopen(path, "re");
		shipped_text[i] = calloc(1, MAX_TEXT);
		if (!f || !shipped_text[i])
			die(path);
		n = fread(shipped_text[i], 1, MAX_TEXT - 1, f);
		fclose(f);
		if (n == 0 || n == MAX_TEXT - 1)
			die(path);
	}
}

static void load(struct launch *l, const char *what)
{
	const char *dirs[] = { library_dir };
	const struct policy_search search = { .dirs = dirs, .n_dirs = 1, .native = ABI_NATIVE };
	struct policy_diags diags = { .text = BUF_INIT };
	struct err err = ERR_INIT;

	policy_free(l->policy);
	l->policy = NULL;
	if (policy_load(what, &search, &l->policy, &diags, &err) < 0)
		l->policy = NULL;
	policy_diags_done(&diags);
	snprintf(l->policy_name, sizeof(l->policy_name), "%s", what);
}

/* Into a directory of the launch's own. */
static const char *write_policy(struct launch *l, const char *name, const char *text)
{
	char dir[PATH_SIZE];
	const char *path;
	FILE *f;

	snprintf(dir, sizeof(dir), "%s", world_path("policies/drawn"));
	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		die(dir);
	path = launch_text(l, "%s/%s.policy", dir, name);
	f = fopen(path, "we");
	if (!f || fputs(text, f) < 0 || fclose(f) != 0)
		die(path);
	return path;
}

/* --- what a policy means to the program inside */

static bool refuses(const struct policy *policy, const char *name, enum policy_action from)
{
	const struct syscall_desc *call = syscall_by_name(name);
	const struct policy_rule *rules;
	size_t n = 0;

	rules = call ? policy_rules_of(policy, call, &n) : NULL;
	for (size_t i = 0; i < n; i++)
		if (rules[i].action >= from)
			return true;
	return false;
}

static bool allows(const struct policy *policy, const char *name, const uint64_t args[6])
{
	const struct syscall_desc *call = syscall_by_name(name);
	struct policy_verdict v;

	if (!call || call->nr[ABI_NATIVE] < 0)
		return true;
	policy_eval(policy, ABI_NATIVE, call->nr[ABI_NATIVE], args, &v);
	return v.action == POLICY_ALLOW;
}

static void judge(struct launch *l)
{
	static const uint64_t none[6];

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		l->wild = l->wild || !allows(l->policy, needed[i], none) ||
			  (refuses(l->policy, needed[i], POLICY_DENY) &&
			   strcmp(needed[i], "ioctl") != 0);
	for (size_t i = 0; i < sizeof(used) / sizeof(used[0]); i++)
		l->wild = l->wild || !allows(l->policy, used[i].call, used[i].args) ||
			  refuses(l->policy, used[i].call, POLICY_KILL);
	if (refuses(l->policy, "ptrace", POLICY_KILL))
		launch_tell(l, "trace=0");
}

/* Nothing outside the world is given for writing. */
static bool is_harmless(const struct policy *policy)
{
	for (size_t i = 0; i < policy->n_paths; i++) {
		const char *path = policy->paths[i].path;

		if (policy->paths[i].verb == POLICY_PATH_WRITE && path[0] != '~' &&
		    strncmp(path, "$PWD", 4) != 0 &&
		    strncmp(path, world.top, strlen(world.top)) != 0)
			return false;
	}
	return true;
}

/* --- random lines */

static bool is_about_inside(const char *name)
{
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (strcmp(needed[i], name) == 0)
			return true;
	for (size_t i = 0; i < sizeof(used) / sizeof(used[0]); i++)
		if (strcmp(used[i].call, name) == 0)
			return true;
	return false;
}

/* A rule as the language has it: addresses are not compared, and a value has its argument's width.
 */
static void put_rule(struct launch *l, struct buf *to, const struct policy_rule *rule)
{
	static const char *const actions[] = { "allow", "deny", "kill" };
	const char *between = " if ";

	(void)buf_printf(to, "%s %s", actions[rule->action], rule->call->name);
	for (unsigned i = 0; i < rule->n_conds; i++) {
		struct policy_cond cond = rule->conds[i];
		char text[COND_TEXT];

		cond.width = rule->call->args[cond.arg].width;
		if (cond.width == WIDTH_PTR || cond.width == WIDTH_NONE)
			continue;
		if (cond.width == WIDTH_S32 || cond.width == WIDTH_U32) {
			cond.value &= UINT32_MAX;
			cond.mask &= UINT32_MAX;
		}
		cond_text(rule->call, &cond, text);
		(void)buf_printf(to, "%s%s", between, text);
		between = " and ";
	}
	if (chance(l, 20))
		(void)buf_puts(to, " on native");
	if (rule->action == POLICY_DENY && strerrorname_np(rule->errno_value))
		(void)buf_printf(to, " errno %s", strerrorname_np(rule->errno_value));
	(void)buf_puts(to, rule->quiet && rule->action == POLICY_DENY ? " quiet\n" : "\n");
}

static void put_rules(struct launch *l, struct buf *to, bool any)
{
	size_t n_table;
	const struct syscall_desc *table = syscall_table(&n_table);

	for (uint64_t n = draw(l, 10); n > 0; n--) {
		const struct syscall_desc *call = &table[draw(l, n_table)];
		struct policy_rule rule;

		random_rule(&l->state, call, &rule);
		if (any || !is_about_inside(call->name))
			put_rule(l, to, &rule);
	}
}

static void put_paths(struct launch *l, struct buf *to)
{
	static const char *const verbs[] = { "read", "exec", "write", "hide", "tmpfs" };

	for (uint64_t n = draw(l, 4); n > 0; n--) {
		static const char *const roots[] = { "", "~", "$PWD", "/opt/launches-not-there" };
		const uint64_t kind = draw(l, 12);
		const char *verb = verbs[draw(l, 5)];

		if (kind < 9)
			(void)buf_printf(to, "%s%s %s\n", verb, chance(l, 50) ? "?" : "",
					 world_path(world_nodes[draw(l, 6)]));
		else if (kind == 9)
			(void)buf_printf(to, "%s? ${LAUNCHES_NONE:-%s}\n", verb,
					 world_path(world_nodes[draw(l, 6)]));
		else
			(void)buf_printf(to, "%s? %s\n", verb, roots[1 + draw(l, 3)]);
	}
}

static void put_settings(struct launch *l, struct buf *to)
{
	static const char *const nets[] = { "none", "loopback", "host" };
	static const char *const caps[] = { "CAP_NET_BIND_SERVICE", "CAP_KILL CAP_CHOWN", "none",
					    "CAP_SYS_NICE" };

	if (chance(l, 40))
		(void)buf_printf(to, "net %s\n", nets[draw(l, 3)]);
	if (chance(l, 20))
		(void)buf_printf(to, "cap %s\n", caps[draw(l, 4)]);
	if (chance(l, 30))
		(void)buf_printf(to, "limit nofile %u inodes %uK\n", 32 + (unsigned)draw(l, 2000),
				 2 + (unsigned)draw(l, 30));
	if (chance(l, 10))
		(void)buf_puts(to, "limit pids none memory 4G\n");
	if (chance(l, 30))
		(void)buf_printf(to, "env POLICY_SET=%u LAUNCHES_PASSED NOT_SET_*\n",
				 (unsigned)draw(l, 100));
	if (chance(l, 15))
		(void)buf_printf(to, "default errno %s\n", chance(l, 50) ? "ENOSYS" : "EACCES");
	if (chance(l, 15))
		(void)buf_puts(to, "notify off\n");
	if (chance(l, 15))
		(void)buf_puts(to, "abi native i386 x32\n");
	if (chance(l, 15))
		(void)buf_puts(to, "net connect tcp 443 8000-8010\n");
}

static void draw_grown(struct launch *l)
{
	static const char *const from[] = { "default", "default", "build", "session" };
	const bool any = chance(l, 20);

	for (int tries = 0; tries < TRIES; tries++) {
		struct buf text = BUF_INIT;
		const char *path;

		(void)buf_printf(&text, "policy grown\nuse %s\nkernel 6.%u\n",
				 any && chance(l, 30) ? "process" : from[draw(l, 4)],
				 chance(l, 80) ? 18 : (unsigned)draw(l, 18));
		put_rules(l, &text, any);
		put_paths(l, &text);
		put_settings(l, &text);
		path = write_policy(l, "grown", text.data);
		buf_done(&text);
		load(l, path);
		/* some that has mistakes is launched, too */
		if (l->policy ? is_harmless(l->policy) : chance(l, 4))
			return;
	}
}

static char *mutate(struct launch *l, const char *text)
{
	char *now = strdup(text);

	for (uint64_t n = 1 + draw(l, 3); n > 0 && now; n--) {
		struct mutants m = { 0 };
		char *next;

		mutants_of(now, &m);
		if (m.n == 0)
			break;
		next = mutant_apply(now, &m.list[draw(l, m.n)]);
		free(m.list);
		free(now);
		now = next;
	}
	return now;
}

static void draw_mutant(struct launch *l)
{
	for (int tries = 0; tries < TRIES; tries++) {
		const uint64_t which = draw(l, N_SHIPPED), entry = draw(l, 4);
		char *text = mutate(l, shipped_text[which]);
		const char *path = NULL;

		/* `use` looks beside the file first */
		for (uint64_t i = 0; i < N_SHIPPED; i++) {
			const char *written =
				write_policy(l, shipped[i], i == which ? text : shipped_text[i]);

			path = i == entry ? written : path;
		}
		free(text);
		load(l, path);
		if (l->policy ? is_harmless(l->policy) : chance(l, 4))
			return;
	}
}

void policy_draw(struct launch *l)
{
	const uint64_t kind = draw(l, 100);

	read_shipped();
	if (kind < 25)
		load(l, "default"); /* without the option */
	else if (kind < 40)
		load(l, shipped[1 + draw(l, 3)]);
	else if (kind < 80)
		draw_grown(l);
	else
		draw_mutant(l);
	if (l->policy && (!is_harmless(l->policy) ||
			  (world.sanitized && l->policy->has_limit[POLICY_LIMIT_MEMORY])))
		load(l, "default");
	if (kind >= 25) {
		launch_word(l, "--policy");
		launch_word(l, launch_text(l, "%s", l->policy_name));
	}
	if (!l->policy) {
		launch_may_refuse(l, "use the policy");
		return;
	}
	judge(l);
	l->net = l->policy->net;
	if (kind >= 80)
		launch_may_refuse(l, ""); /* a mutant may ask for what is not there */
	if (!l->policy->notify && !allows(l->policy, "execve", (const uint64_t[6]){ 0 }))
		launch_may_refuse(l, "start anything under policy");
}
