// SPDX-License-Identifier: Apache-2.0
/* The planner: request + bundle + host -> plan. Decides; changes nothing. */
#include "sandbox/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "audit/learn.h"
#include "base/path.h"
#include "base/sys.h"
#include "profiles/landlock.h"
#include "sandbox/terminal.h"

/* Mounts that one thing of cordon's own may take, in all writable trees together. */
enum { KEPT_STEPS = 32 };

/* Texts and arrays of a plan: blocks that live and go with it. */
struct plan_block {
	struct plan_block *next;
	max_align_t data[];
};

void *plan_reserve(struct plan *plan, size_t size)
{
	struct plan_block *b;

	if (size > SIZE_MAX - sizeof(*b))
		return NULL;
	b = malloc(sizeof(*b) + size);
	if (!b)
		return NULL;
	b->next = plan->blocks;
	plan->blocks = b;
	return b->data;
}

void *plan_alloc(struct plan *plan, size_t size)
{
	void *data = plan_reserve(plan, size);

	return data ? memset(data, 0, size) : NULL;
}

const char *plan_text(struct plan *plan, const char *fmt, ...)
{
	va_list ap;
	char *text;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return NULL;
	text = plan_alloc(plan, (size_t)n + 1);
	if (!text)
		return NULL;
	va_start(ap, fmt);
	(void)vsnprintf(text, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return text;
}

const char *plan_copy(struct plan *plan, const char *text)
{
	size_t n = strlen(text) + 1;
	char *copy = plan_alloc(plan, n);

	return copy ? memcpy(copy, text, n) : NULL;
}

void plan_free(struct plan *plan)
{
	if (!plan)
		return;
	for (struct plan_block *b = plan->blocks, *next; b; b = next) {
		next = b->next;
		free(b);
	}
	free(plan);
}

int plan_add_step(struct plan *plan, const struct plan_step *step, struct err *err)
{
	if (plan->n_steps >= plan->max_steps)
		return err_set(err, -E2BIG, "plan more than %zu mounts (at '%s')", plan->max_steps,
			       step->dest);
	plan->steps[plan->n_steps++] = *step;
	return 0;
}

void plan_in_force(struct plan *plan, const char *text)
{
	if (text && plan->n_in_force + 1 < ARRAY_SIZE(plan->in_force))
		plan->in_force[plan->n_in_force++] = text;
}

void plan_give_up(struct plan *plan, const char *text)
{
	if (text && plan->n_given_up + 1 < ARRAY_SIZE(plan->given_up))
		plan->given_up[plan->n_given_up++] = text;
}

void plan_take_inode(const struct stat *st, struct plan_inode *ret)
{
	*ret = (struct plan_inode){ .dev = st->st_dev, .ino = st->st_ino };
}

static const char *lookup_env(char *const *envp, const char *name)
{
	size_t n = strlen(name);

	for (char *const *e = envp; e && *e; e++) {
		if (strncmp(*e, name, n) == 0 && (*e)[n] == '=')
			return *e + n + 1;
	}
	return NULL;
}

static void ask_passwd(struct plan_host *host)
{
	FILE *f = fopen("/etc/passwd", "re");

	if (!f)
		return;
	plan_read_passwd(f, host);
	(void)fclose(f);
}

static int read_groups(struct plan_host *host, struct err *err)
{
	gid_t all[1024];
	int n = getgroups(ARRAY_SIZE(all), all);

	if (n < 0)
		return err_set(err, -errno, "read the supplementary groups");
	for (int i = 0; i < n; i++) {
		if (all[i] == host->gid)
			continue;
		if (host->n_groups < (int)ARRAY_SIZE(host->groups))
			host->groups[host->n_groups] = all[i];
		host->n_groups++;
	}
	return 0;
}

/* What lies below /proc/sys/kernel belongs to the machine's root (proc_sys_make_inode()), and shows
 * as whoever that is in the caller's user namespace; as nobody where he is not in it. */
static bool is_machines_root(uid_t uid)
{
	struct stat st;

	return stat("/proc/sys/kernel/ostype", &st) == 0 ? st.st_uid == uid : uid == 0;
}

int plan_host_read(struct plan_host *ret, char *const *envp, struct err *err)
{
	static char home[LIMIT_PATH];
	struct utsname uts;
	struct stat st;
	int r;

	*ret = (struct plan_host){
		.uid = geteuid(),
		.gid = getegid(),
		.environ = envp,
		.lsm = &lsm_kernel,
	};
	if (!getcwd(ret->cwd, sizeof(ret->cwd)) || ret->cwd[0] != '/')
		return err_set(err, errno ? -errno : -ENOENT, "find the working directory");
	if (stat(".", &st) < 0)
		return err_set(err, -errno, "look at the working directory");
	plan_take_inode(&st, &ret->cwd_inode);
	ret->machines_root = is_machines_root(ret->uid);
	r = read_groups(ret, err);
	if (r < 0)
		return r;
	ret->home = lookup_env(envp, "HOME");
	ret->user = lookup_env(envp, "USER");
	ret->shell = lookup_env(envp, "SHELL");
	if (!ret->home || !ret->user || !ret->shell)
		ask_passwd(ret);
	r = plan_find_home(ret->home, home, &ret->home, err);
	if (r < 0)
		return r;
	ret->landlock_abi = sys_landlock_abi();
	if (ret->landlock_abi < 0)
		return err_set(err, ret->landlock_abi, "ask the kernel for Landlock");
	for (int i = 0; i < 3 && r >= 0; i++)
		r = terminal_is_one(i, &ret->tty[i], err);
	if (r < 0)
		return r;
	if (uname(&uts) == 0)
		(void)snprintf(ret->release, sizeof(ret->release), "%s", uts.release);
	return 0;
}

static int plan_id(struct plan *plan, struct err *err)
{
	uint64_t id;
	int r = sys_getrandom(&id, sizeof(id));

	if (r < 0)
		return err_set(err, r, "draw a random sandbox id");
	(void)snprintf(plan->id, sizeof(plan->id), "%016llx", (unsigned long long)id);
	return 0;
}

static int plan_ids(struct plan *plan, const struct request *req, const struct plan_host *host,
		    struct err *err)
{
	plan->uid = host->uid;
	plan->machines_root = host->machines_root;
	plan->gid = host->gid;
	plan->n_groups = host->n_groups;
	plan->uid_inside = req->has_uid ? req->uid : host->uid;
	if (plan->uid_inside == (uid_t)-1)
		return err_refuse(err, "use uid %u inside: it means 'no uid' to the kernel",
				  plan->uid_inside);
	/* root inside has gid 0 too, as everybody expects of it */
	plan->gid_inside = req->has_uid ? (gid_t)req->uid : host->gid;
	plan->clone_flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC |
			    CLONE_NEWUTS | CLONE_NEWCGROUP;
	if (plan->net != POLICY_NET_HOST)
		plan->clone_flags |= CLONE_NEWNET;
	plan->new_time = req->new_time;
	if (plan->n_groups > 0)
		plan_give_up(plan,
			     plan_text(plan,
				       "%d supplementary group%s stay%s: a one-id map cannot drop "
				       "groups%s",
				       plan->n_groups, plan->n_groups == 1 ? "" : "s",
				       plan->n_groups == 1 ? "s" : "",
				       plan->landlock_abi ? "; Landlock closes the files they open"
							  : ""));
	return 0;
}

static void add_rlimit(struct plan *plan, int resource, const char *name, uint64_t value)
{
	plan->rlimits[plan->n_rlimits++] =
		(struct plan_rlimit){ .resource = resource, .name = name, .value = (rlim_t)value };
}

static void plan_limits(struct plan *plan, const struct request *req)
{
	for (int i = 0; i < _POLICY_LIMIT_MAX; i++) {
		uint64_t value;

		if (req->has_limit[i]) {
			plan->has_limit[i] = plan->limit_asked[i] = true;
			plan->limit[i] = req->limit[i];
		} else if (bundle_limit(plan->bundle, (enum policy_limit)i, &value)) {
			plan->has_limit[i] = true;
			plan->limit[i] = value;
		}
	}
	if (plan->has_limit[POLICY_LIMIT_CPUSET])
		plan->cpuset = req->has_limit[POLICY_LIMIT_CPUSET] ? req->cpuset
								   : *bundle_cpuset(plan->bundle);
	plan->upper_size = plan->has_limit[POLICY_LIMIT_UPPER] ? plan->limit[POLICY_LIMIT_UPPER]
							       : UINT64_C(1) << 30;
	plan->upper_inodes =
		plan->has_limit[POLICY_LIMIT_INODES] ? plan->limit[POLICY_LIMIT_INODES] : 1U << 20;
	plan->wall_ms = plan->has_limit[POLICY_LIMIT_WALL] ? plan->limit[POLICY_LIMIT_WALL] : 0;
	/* Core handlers run outside on the payload's data. */
	add_rlimit(plan, RLIMIT_CORE, "core", 0);
	if (plan->has_limit[POLICY_LIMIT_PIDS])
		add_rlimit(plan, RLIMIT_NPROC, "nproc", plan->limit[POLICY_LIMIT_PIDS]);
	if (plan->has_limit[POLICY_LIMIT_NOFILE])
		add_rlimit(plan, RLIMIT_NOFILE, "nofile", plan->limit[POLICY_LIMIT_NOFILE]);
	/* RLIMIT_DATA counts private writable memory of one process (Linux 4.7), so that it bounds
	 * a runaway allocation and leaves reserved address space alone, unlike RLIMIT_AS. */
	if (plan->has_limit[POLICY_LIMIT_MEMORY])
		add_rlimit(plan, RLIMIT_DATA, "data", plan->limit[POLICY_LIMIT_MEMORY]);
}

static int plan_root(struct plan *plan, const struct request *req, const struct plan_host *host,
		     struct err *err)
{
	struct stat st;

	plan->upper = req->upper;
	plan->root = ROOT_HOST;
	if (req->upper == UPPER_DIR && req->n_bases == 0)
		return err_refuse(err, "keep the upper in '%s'", req->upper_dir),
		       err_hint(err,
				"--upper DIR needs a --base: the host's root has no single upper");
	if (req->upper == UPPER_DIR) {
		char path[LIMIT_PATH];
		int r = path_normalise(host->cwd, req->upper_dir, path, sizeof(path));

		if (r < 0)
			return err_set(err, r, "use the upper '%s'", req->upper_dir);
		plan->upper_dir = plan_copy(plan, path);
		if (!plan->upper_dir)
			return err_set(err, -ENOMEM, "plan the launch");
		/* one that is not there, or no directory, is told of where it is opened */
		if (lstat(path, &st) == 0)
			plan_take_inode(&st, &plan->upper_inode);
	}
	for (size_t i = 0; i < req->n_bases; i++) {
		_cleanup_close_ int fd = -1;
		char path[LIMIT_PATH];
		int r = path_normalise(host->cwd, req->bases[i], path, sizeof(path));

		if (r < 0)
			return err_set(err, r, "use the base '%s'", req->bases[i]);
		/* What is mounted over "/" while the new root is built would be part of it. */
		if (path[1] == '\0')
			return err_refuse(err, "use '/' as a base"),
			       err_hint(err, "the host's root is what is used without --base");
		fd = path_open_exact(path, O_PATH | O_DIRECTORY);
		if (fd < 0) {
			r = err_set(err, fd, "open the base '%s'", path);
			return fd == -ELOOP ? err_hint(err, "a base is never reached through a "
							    "symlink: name the real path")
					    : r;
		}
		if (faccessat(fd, "", R_OK | X_OK, AT_EMPTY_PATH | AT_EACCESS) < 0)
			return err_set(err, -errno, "read the base '%s'", path);
		if (fstat(fd, &st) < 0)
			return err_set(err, -errno, "look at the base '%s'", path);
		plan_take_inode(&st, &plan->layer_inodes[i]);
		plan->layers[i] = plan_copy(plan, path);
		if (!plan->layers[i])
			return err_set(err, -ENOMEM, "plan the launch");
	}
	plan->n_layers = req->n_bases;
	if (plan->n_layers > 0)
		plan->root = req->upper == UPPER_NONE ? ROOT_READONLY : ROOT_OVERLAY;
	if (plan->root == ROOT_READONLY && plan->n_layers > 1)
		return err_refuse(err, "stack %zu bases with --upper none", plan->n_layers),
		       err_hint(err,
				"one base can be used without an upper; several need the overlay");
	return 0;
}

static bool is_allowed(const struct plan *plan, int nr, uint64_t first_arg)
{
	const uint64_t args[6] = { first_arg };
	struct bundle_verdict v;

	bundle_verdict(plan->bundle, ABI_NATIVE, nr, args, &v);
	return v.action == POLICY_ALLOW;
}

static int plan_exec(struct plan *plan, const struct request *req, struct err *err)
{
	size_t argc = 0;

	while (req->argv[argc]) {
		if (++argc > LIMIT_ARGV)
			return err_set(err, -E2BIG, "pass more than %d arguments", LIMIT_ARGV);
	}
	plan->argv = plan_alloc(plan, (argc + 1) * sizeof(*plan->argv));
	if (!plan->argv)
		return err_set(err, -ENOMEM, "plan the launch");
	/* Copies: pid 1 overwrites the caller's own, which its /proc would show inside. */
	for (size_t i = 0; i < argc; i++) {
		plan->argv[i] = plan_copy(plan, req->argv[i]);
		if (!plan->argv[i])
			return err_set(err, -ENOMEM, "plan the launch");
	}
	plan->exec = plan->argv[0];
	if (req->argv0)
		plan->argv[0] = plan_copy(plan, req->argv0);
	if (!plan->exec || !plan->argv[0])
		return err_set(err, -ENOMEM, "plan the launch");
	if (plan->exec[0] == '\0')
		return err_set(err, -ENOENT, "run a command whose name is empty");
	plan->nests = is_allowed(plan, SYS_unshare, CLONE_NEWUSER);
	plan->exec_gated = plan->learn || !is_allowed(plan, SYS_execve, 0);
	if (plan->exec_gated && !plan->notify)
		return err_refuse(err, "start anything under policy '%s': it denies execve",
				  bundle_policy_name(plan->bundle)),
		       err_hint(err,
				"with 'notify off' nobody can let the first execve pass; allow it");
	return 0;
}

static int compare_fds(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* A directory leads out of the sandbox: by ".." everything of the host is below it, and changing
 * modes or connecting to a socket there is nothing that Landlock mediates. A name that was not
 * opened (O_PATH) can still be opened for writing. */
static int check_fd(int fd, struct err *err)
{
	int flags = fcntl(fd, F_GETFL);
	struct stat st;

	if (flags < 0 || fstat(fd, &st) < 0)
		return err_set(err, -errno, "pass descriptor %d", fd);
	if (S_ISDIR(st.st_mode))
		(void)err_refuse(err,
				 "pass descriptor %d: it is a directory, which leads out of "
				 "the sandbox",
				 fd);
	else if (flags & O_PATH)
		(void)err_refuse(
			err, "pass descriptor %d: it is a path that was not opened (O_PATH)", fd);
	else
		return 0;
	return err_hint(err, "show what it names with --ro or --rw");
}

static int plan_fds(struct plan *plan, const struct request *req, struct err *err)
{
	/* 0, 1 and 2 are always passed; the caller may have closed them, which cli/ guards */
	for (int fd = 0; fd < 3; fd++) {
		int r = fcntl(fd, F_GETFD) < 0 ? 0 : check_fd(fd, err);

		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < req->n_pass_fds; i++) {
		int r = check_fd(req->pass_fds[i], err);

		if (r < 0)
			return r;
		plan->pass_fds[i] = req->pass_fds[i];
	}
	plan->n_pass_fds = req->n_pass_fds;
	qsort(plan->pass_fds, plan->n_pass_fds, sizeof(plan->pass_fds[0]), compare_fds);
	return 0;
}

static void plan_terminal(struct plan *plan, const struct request *req,
			  const struct plan_host *host)
{
	bool any = host->tty[0] || host->tty[1] || host->tty[2];

	/* The caller's own terminal crosses only where he says so by --pty never: what reads it is
	 * his session's, and TIOCSTI, where a policy lets it pass, types into it. */
	plan->pty = req->pty == PTY_ALWAYS || (req->pty == PTY_AUTO && any);
	if (any && !plan->pty)
		plan_give_up(
			plan,
			"a terminal of its own (--pty never): the caller's is the payload's too");
	for (int i = 0; i < 3; i++)
		plan->pty_for[i] = plan->pty && (host->tty[i] || (req->pty == PTY_ALWAYS && !any));
}

/* Not notified, so that nobody decides: only what the policy allows whatever its arguments are. */
static void plan_assume(struct plan *plan)
{
	size_t n;
	const struct learn_assumable *list = learn_assumables(&n);

	for (size_t i = 0; i < n && plan->n_assumed < PLAN_ASSUMED; i++) {
		const struct syscall_desc *desc = syscall_by_name(list[i].name);
		const int32_t nr = desc ? desc->nr[ABI_NATIVE] : -1;

		if (nr < 0 || !bundle_always_allows(plan->bundle, ABI_NATIVE, nr))
			continue;
		plan->assumed[plan->n_assumed++] =
			(struct plan_assumed){ nr, list[i].unless_exec, list[i].name };
	}
}

static void plan_mechanisms(struct plan *plan)
{
	static const char *const namespaces = "namespaces: user, mount, pid, ipc, uts, cgroup";
	const struct landlock_abi *abis;
	size_t n_abis;

	plan_in_force(
		plan,
		plan->clone_flags & CLONE_NEWNET
			? plan_text(plan, "%s, net%s", namespaces, plan->new_time ? ", time" : "")
			: plan_text(plan, "%s%s", namespaces, plan->new_time ? ", time" : ""));
	plan_in_force(plan,
		      plan->caps ? "capabilities: as the policy keeps" : "capabilities: none");
	plan_in_force(plan, "no_new_privs, securebits locked");
	if (!plan->nests)
		plan_in_force(plan, "no user namespace below");
	if (plan->landlock_abi > 0)
		plan_in_force(plan, plan_text(plan, "Landlock ABI %d", plan->landlock_abi));
	else
		plan_give_up(plan,
			     "Landlock: this kernel has none or has it disabled; mounts alone "
			     "decide what files can be reached");
	plan_in_force(plan,
		      plan->n_assumed > 0 ? "seccomp with every call recorded (learn), but for "
					    "those that --quick assumes"
		      : plan->learn	  ? "seccomp with every call recorded (learn)"
		      : plan->notify	  ? "seccomp with recorded denials"
		      : plan->n_told > 0 ? "seccomp with denials that the kernel tells (notify off)"
					 : "seccomp with unrecorded denials (notify off)");
	abis = landlock_abis(&n_abis);
	for (size_t i = 0; i < n_abis && plan->landlock_abi > 0; i++) {
		/* ports matter to who speaks of them, and that launch was refused */
		if (plan->landlock_abi >= abis[i].abi || !abis[i].without || abis[i].is_ports)
			continue;
		plan_give_up(plan, plan_text(plan, "Landlock ABI %u (Linux %u.%u): %s", abis[i].abi,
					     abis[i].major, abis[i].minor, abis[i].without));
	}
}

static int plan_fill(struct plan *plan, const struct request *req, const struct plan_host *host,
		     struct err *err)
{
	int r;

	plan->net = req->net >= 0 ? (uint8_t)req->net : bundle_net(plan->bundle);
	plan->landlock_abi =
		host->landlock_abi < LANDLOCK_NEWEST_ABI ? host->landlock_abi : LANDLOCK_NEWEST_ABI;
	plan->caps = bundle_caps(plan->bundle);
	plan->learn = req->learn;
	plan->notify = plan->learn || bundle_notify(plan->bundle);
	if (plan->learn && req->learn_quick)
		plan_assume(plan);
	plan->hostname = plan_text(plan, "%s", req->hostname ? req->hostname : "cordon");
	if (!plan->hostname)
		return err_set(err, -ENOMEM, "plan the launch");
	if (strlen(plan->hostname) > LIMIT_HOSTNAME)
		return err_set(err, -ENAMETOOLONG, "use a host name of over %d bytes",
			       LIMIT_HOSTNAME);
	plan_limits(plan, req);
	if ((r = plan_told(plan, err)) < 0 || (r = plan_id(plan, err)) < 0 ||
	    (r = plan_ids(plan, req, host, err)) < 0 || (r = plan_root(plan, req, host, err)) < 0 ||
	    (r = plan_paths(plan, req, host, err)) < 0 ||
	    (r = plan_keep(plan, req, host, err)) < 0 || (r = plan_ports(plan, err)) < 0 ||
	    (r = plan_environment(plan, req, host, err)) < 0 ||
	    (r = plan_exec(plan, req, err)) < 0 || (r = plan_fds(plan, req, err)) < 0)
		return r;
	plan_terminal(plan, req, host);
	plan_mechanisms(plan);
	return plan_labels(plan, req, host, err);
}

int plan_make(const struct request *req, const struct bundle *bundle, const struct plan_host *host,
	      struct plan **ret, struct err *err)
{
	struct plan *plan = calloc(1, sizeof(*plan));
	int r;

	if (!plan)
		return err_set(err, -ENOMEM, "plan the launch");
	plan->bundle = bundle;
	/* What is named, what "/" stands for, and what is built in: memory that is not touched is a
	 * page fault less in each launch. */
	plan->max_steps = bundle_n_paths(bundle) + req->n_places + LIMIT_ROOT_ENTRIES + 8 +
			  req->n_kept * KEPT_STEPS;
	plan->steps = plan_reserve(plan, plan->max_steps * sizeof(*plan->steps));
	r = plan->steps ? plan_fill(plan, req, host, err)
			: err_set(err, -ENOMEM, "plan the launch");
	if (r < 0) {
		plan_free(plan);
		return r;
	}
	*ret = plan;
	return 0;
}
