// SPDX-License-Identifier: Apache-2.0
/*
 * cordon policy load: AppArmor profiles into a policy namespace that an administrator has made for
 * everybody, without root. Who is in the namespace, and root of a user namespace at the first
 * level, may load there (security/apparmor/policy.c, aa_policy_view_capable()). What that is worth
 * is in doc/apparmor.md: others may do the same to the same profiles.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/policy_report.h"
#include "cli/print.h"

enum { MAX_BLOB = 1 << 26 };

#define APPARMORFS "/sys/kernel/security/apparmor"

static bool is_namespace(const char *name)
{
	size_t n = strlen(name);

	if (n == 0 || n >= LIMIT_NAME || name[0] == '.' || name[0] == '-')
		return false;
	return strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") ==
	       n;
}

/* --- text to what the kernel takes --- */

static int memory_file(const char *what, const struct buf *content)
{
	int fd = memfd_create(what, MFD_CLOEXEC), r;

	if (fd < 0)
		return -errno;
	r = content ? fd_write_all(fd, content->data, content->len) : 0;
	if (r == 0 && lseek(fd, 0, SEEK_SET) < 0)
		r = -errno;
	if (r == 0)
		return fd;
	(void)close(fd);
	return r;
}

static int run_parser(const char *parser, int in, int out)
{
	/* -Q: do not load; -K, -T: no cache; -S: to standard output */
	const char *const argv[] = { "apparmor_parser", "-QKTS", "-q", NULL };
	const char *const env[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", NULL };
	posix_spawn_file_actions_t actions;
	int status = 0, r;
	pid_t pid;

	r = posix_spawn_file_actions_init(&actions);
	if (r != 0)
		return -r;
	r = posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	r = r ? r : posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	r = r ? r
	      : posix_spawn(&pid, parser, &actions, NULL, (char *const *)(uintptr_t)argv,
			    (char *const *)(uintptr_t)env);
	(void)posix_spawn_file_actions_destroy(&actions);
	if (r != 0)
		return -r;
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EBADMSG;
}

static int compile(const char *parser, const char *name, const struct buf *text, char **ret,
		   size_t *ret_len, struct err *err)
{
	_cleanup_close_ int in = memory_file("profile", text), out = memory_file("compiled", NULL);
	int r;

	if (in < 0 || out < 0)
		return err_set(err, in < 0 ? in : out, "make room for the profile of '%s'", name);
	r = run_parser(parser, in, out);
	if (r == -EBADMSG)
		return err_refuse(err, "compile the profile of '%s': %s refuses it", name, parser);
	if (r < 0) {
		(void)err_set(err, r, "run '%s'", parser);
		return err_hint(err,
				"it comes with the package apparmor; --parser says where it is");
	}
	if (lseek(out, 0, SEEK_SET) < 0)
		return err_set(err, -errno, "read the compiled profile of '%s'", name);
	r = fd_read_all(out, MAX_BLOB, ret, ret_len);
	return r < 0 ? err_set(err, r, "read the compiled profile of '%s'", name) : 0;
}

/* --- in the namespace --- */

static int write_whole(const char *path, const void *bytes, size_t len)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, bytes, len);
	return n < 0 ? -errno : (size_t)n == len ? 0 : -EIO;
}

static int write_text(const char *path, const char *text)
{
	return write_whole(path, text, strlen(text));
}

static int become_root_inside(struct err *err)
{
	const uid_t uid = geteuid();
	const gid_t gid = getegid();
	char map[2][32];
	int r;

	if (unshare(CLONE_NEWUSER) < 0)
		return err_set(err, -errno, "make a user namespace to load from");
	(void)snprintf(map[0], sizeof(map[0]), "0 %u 1", uid);
	(void)snprintf(map[1], sizeof(map[1]), "0 %u 1", gid);
	r = write_text("/proc/self/setgroups", "deny");
	r = r ? r : write_text("/proc/self/uid_map", map[0]);
	r = r ? r : write_text("/proc/self/gid_map", map[1]);
	return r < 0 ? err_set(err, r, "map the ids of a user namespace") : 0;
}

static int enter(const char *namespace, struct err *err)
{
	char text[LIMIT_NAME + 32];
	int r;

	(void)snprintf(text, sizeof(text), "stack :%s:unconfined", namespace);
	r = write_text("/proc/thread-self/attr/apparmor/current", text);
	if (r == 0)
		return 0;
	if (r == -ENOENT) {
		(void)err_refuse(err, "enter the AppArmor policy namespace '%s': there is none",
				 namespace);
		return err_hint(err,
				"as root, once a boot: mkdir " APPARMORFS "/policy/namespaces/%s",
				namespace);
	}
	if (r == -EINVAL)
		return err_refuse(err,
				  "enter the AppArmor policy namespace '%s': AppArmor is not "
				  "in force on this kernel",
				  namespace);
	return err_set(err, r, "enter the AppArmor policy namespace '%s'", namespace);
}

/* What the files in securityfs speak of is the namespace of who opens them. */
static int load_here(const char *namespace, const void *blob, size_t len, struct err *err)
{
	int r = become_root_inside(err);

	r = r ? r : enter(namespace, err);
	if (r < 0)
		return r;
	r = write_whole(APPARMORFS "/.replace", blob, len);
	if (r == -EACCES || r == -EPERM) {
		(void)err_set(err, r, "load into the AppArmor policy namespace '%s'", namespace);
		return err_hint(err, "it has to be one level deep, and so has the user namespace: "
				     "not from within a container");
	}
	return r < 0 ? err_set(err, r, "load into the AppArmor policy namespace '%s'", namespace)
		     : 0;
}

/* A process of its own: neither namespace can be left again. */
static int load_in_child(const char *namespace, const void *blob, size_t len, struct err *err)
{
	struct err *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status = 0;
	pid_t pid;

	if (shared == MAP_FAILED)
		return err_set(err, -errno, "map a page");
	*shared = ERR_INIT;
	pid = fork();
	if (pid == 0)
		_exit(load_here(namespace, blob, len, shared) < 0);
	if (pid < 0)
		(void)err_set(shared, -errno, "start a process that loads");
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (pid > 0 && status != 0 && shared->code == 0)
		(void)err_set(shared, -ECHILD, "load into the AppArmor policy namespace '%s'",
			      namespace);
	*err = *shared;
	(void)munmap(shared, sizeof(*shared));
	return err->code;
}

static int load_one(const struct policy_args *args, const char *what, const char *namespace)
{
	const char *parser = policy_arg(args, "--parser");
	_cleanup_policy_ struct policy *policy = NULL;
	_cleanup_buf_ struct buf text = BUF_INIT;
	_cleanup_free_ char *blob = NULL;
	struct profile_target target;
	struct err err = ERR_INIT;
	size_t len = 0;
	int r;

	if (policy_cli_load(args, what, &policy) < 0 || policy_cli_target(args, &target) < 0)
		return -EINVAL;
	target.vars = (struct path_vars){ .home = policy_arg(args, "--home"),
					  .pwd = policy_arg(args, "--pwd") };
	r = mechanism_ops_of(MECHANISM_APPARMOR)->emit(policy, &target, &text, &err);
	r = r ? r
	      : compile(parser ? parser : "/usr/sbin/apparmor_parser", policy->name, &text, &blob,
			&len, &err);
	r = r ? r : load_in_child(namespace, blob, len, &err);
	if (r < 0) {
		print_error(NULL, &err);
		return r;
	}
	(void)printf("loaded: cordon run --label apparmor=:%s:cordon-%s\n", namespace,
		     policy->name);
	return 0;
}

static int load(const struct policy_args *args)
{
	const char *namespace = policy_arg(args, "--apparmor-namespace");
	struct err err = ERR_INIT;

	if (!namespace) {
		(void)policy_cli_usage_error("load needs", "--apparmor-namespace NAME");
		return POLICY_EXIT_FAILED;
	}
	if (!is_namespace(namespace)) {
		(void)policy_cli_usage_error("no name of a policy namespace:", namespace);
		return POLICY_EXIT_FAILED;
	}
	if (access(APPARMORFS "/.replace", F_OK) < 0) {
		(void)err_set(&err, -errno,
			      "load into an AppArmor policy namespace: find " APPARMORFS
			      "/.replace");
		(void)err_hint(&err,
			       "AppArmor is not in force on this kernel, or securityfs is not "
			       "mounted");
		print_error(NULL, &err);
		return POLICY_EXIT_FAILED;
	}
	for (int i = 0; i < args->n_what; i++) {
		if (load_one(args, args->what[i], namespace) < 0)
			return POLICY_EXIT_FAILED;
	}
	return 0;
}

const struct policy_verb policy_verb_load = {
	.name = "load",
	.run = load,
	.min_what = 1,
	.max_what = 64,
	.options =
		" --apparmor-namespace= --apparmor-abi= --landlock-abi= --home= --pwd= --parser= ",
	.usage = "  load --apparmor-namespace NAME WHAT...\n"
		 "                             without root, into a namespace that root has "
		 "opened\n",
};
