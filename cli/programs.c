// SPDX-License-Identifier: Apache-2.0
#include "cli/programs.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/sys.h"
#include "cli/own_label.h"
#include "cli/verbs.h"
#include "profiles/cache.h"

extern char **environ;

enum { MAX_DIRS = 4 };

struct places {
	const char *build; /* folder of this program, when cordon-policy lies there too; or "" */
	const char *config, *cache;
	const char *dirs[MAX_DIRS];
	size_t n_dirs;
	size_t used;
	char text[4 * LIMIT_PATH + 32]; /* what those point to: as many pages as they are long */
};

/* Who does not know where it lies must not take another place's policies for its own. */
static int find_build(char *ret, size_t size, struct err *err)
{
	char probe[LIMIT_PATH + 32];
	ssize_t n = readlink("/proc/self/exe", ret, size - 1);
	char *slash;
	int r = n < 0 ? -errno : 0;

	ret[n > 0 ? n : 0] = '\0';
	if (r < 0)
		return err_set(err, r, "find where cordon itself lies");
	slash = strrchr(ret, '/');
	if (slash)
		*slash = '\0';
	(void)snprintf(probe, sizeof(probe), "%s/cordon-policy", ret);
	if (slash && access(probe, X_OK) == 0)
		return 0;
	r = slash && errno != ENOENT && errno != ENOTDIR && errno != EACCES ? -errno : 0;
	ret[0] = '\0';
	return r < 0 ? err_set(err, r, "look for '%s'", probe) : 0;
}

/* name below the folder that holds the build folder. */
static void in_tree(const char *build, const char *name, char *ret, size_t size)
{
	const char *slash = strrchr(build, '/');

	(void)snprintf(ret, size, "%.*s/%s", slash ? (int)(slash - build) : 0, build, name);
}

/* $XDG_..._HOME/cordon... or $HOME/... ; "" when neither is an absolute path. */
static void xdg(char *ret, size_t size, const char *variable, const char *below_home,
		const char *rest)
{
	const char *base = getenv(variable), *home = getenv("HOME");
	int n = -1;

	if (base && base[0] == '/')
		n = snprintf(ret, size, "%s%s", base, rest);
	else if (home && home[0] == '/')
		n = snprintf(ret, size, "%s%s%s", home, below_home, rest);
	if (n < 0 || (size_t)n >= size)
		ret[0] = '\0';
}

/* Room for one more text, which taken() ends. */
static char *next(struct places *p)
{
	return p->text + p->used;
}

static const char *taken(struct places *p)
{
	const char *text = next(p);

	p->used += strlen(text) + 1;
	return text;
}

static int find_places(struct places *p, struct err *err)
{
	int r;

	p->used = p->n_dirs = 0;
	r = find_build(next(p), LIMIT_PATH, err);
	if (r < 0)
		return r;
	p->build = taken(p);
	xdg(next(p), LIMIT_PATH, "XDG_CONFIG_HOME", "/.config", "/cordon/policies");
	p->config = taken(p);
	xdg(next(p), LIMIT_PATH, "XDG_CACHE_HOME", "/.cache", "/cordon");
	p->cache = taken(p);
	if (p->config[0])
		p->dirs[p->n_dirs++] = p->config;
	p->dirs[p->n_dirs++] = "/etc/cordon/policies";
	if (p->build[0]) {
		in_tree(p->build, "policies/library", next(p), LIMIT_PATH + 32);
		p->dirs[p->n_dirs++] = taken(p);
	} else {
		p->dirs[p->n_dirs++] = CORDON_DATADIR "/policies";
	}
	return 0;
}

void programs_own_dirs(char *ret_cache, char *ret_config, size_t size)
{
	xdg(ret_cache, size, "XDG_CACHE_HOME", "/.cache", "/cordon");
	xdg(ret_config, size, "XDG_CONFIG_HOME", "/.config", "/cordon");
}

const char *programs_path(const char *name, struct err *err)
{
	static char path[LIMIT_PATH + 64];
	char build[LIMIT_PATH];

	if (find_build(build, sizeof(build), err) < 0)
		return NULL;
	(void)snprintf(path, sizeof(path), "%s/cordon-%s", build[0] ? build : CORDON_LIBEXECDIR,
		       name);
	return path;
}

void programs_data_path(const char *installed, const char *source, char *ret, size_t size)
{
	char build[LIMIT_PATH];

	(void)find_build(build, sizeof(build),
			 NULL); /* "" when it is not known: what is installed */
	if (build[0])
		in_tree(build, source, ret, size);
	else
		(void)snprintf(ret, size, "%s/%s", CORDON_DATADIR, installed);
}

int programs_exec(const char *name, char **argv, struct err *err)
{
	const char *path = programs_path(name, err);

	if (!path)
		return err->code;
	/* It launches and makes user namespaces; the others need no more than a payload has. */
	if (strcmp(name, "policy") == 0)
		own_label_keep();
	(void)execv(path, argv);
	(void)err_set(err, -errno, "run '%s'", path);
	return err_hint(err, "it is installed beside cordon or in %s", CORDON_LIBEXECDIR);
}

static int spawn_compiler(const struct places *p, const char *what, int fd, struct err *err)
{
	const char *argv[2 * MAX_DIRS + 10];
	posix_spawn_file_actions_t actions;
	const char *path = programs_path("policy", err);
	char number[16];
	size_t n = 0;
	int r, status;
	pid_t pid;

	if (!path)
		return err->code;
	(void)snprintf(number, sizeof(number), "%d", fd);
	argv[n++] = "cordon-policy";
	argv[n++] = "compile";
	argv[n++] = "--to-fd";
	argv[n++] = number;
	if (p->cache[0]) {
		argv[n++] = "--cache";
		argv[n++] = p->cache;
	}
	for (size_t i = 0; i < p->n_dirs; i++) {
		argv[n++] = "--search";
		argv[n++] = p->dirs[i];
	}
	argv[n++] = what;
	argv[n] = NULL;
	if (posix_spawn_file_actions_init(&actions) != 0)
		return err_set(err, -ENOMEM, "run '%s'", path);
	/* a descriptor duplicated onto itself loses its close-on-exec mark there */
	r = posix_spawn_file_actions_adddup2(&actions, fd, fd);
	if (r == 0)
		r = posix_spawn(&pid, path, &actions, NULL, (char **)(uintptr_t)argv, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	if (r != 0) {
		(void)err_set(err, -r, "run the policy compiler '%s'", path);
		return err_hint(err, "it is installed beside cordon or in %s", CORDON_LIBEXECDIR);
	}
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return err_set(err, -errno, "wait for the policy compiler");
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	(void)err_refuse(err, "use the policy '%s'", what); /* its mistakes have been told */
	/* What else was in the way is a sentence of the compiler's, and one is enough. */
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_CORDON)
		err->msg[0] = '\0';
	return err->code = -EBADMSG;
}

static int compile(const struct places *p, const char *what, struct bundle **ret, struct err *err)
{
	int fd = memfd_create("cordon-bundle", MFD_CLOEXEC);
	off_t size;
	void *bytes;
	int r;

	if (fd < 0)
		return err_set(err, -errno, "make a memory file for the bundle");
	r = spawn_compiler(p, what, fd, err);
	size = r == 0 ? lseek(fd, 0, SEEK_END) : 0;
	bytes = size > 0 ? mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
	(void)close(fd);
	if (r < 0)
		return r;
	if (bytes == MAP_FAILED)
		return err_set(err, -EIO, "read what the policy compiler made of '%s'", what);
	return bundle_open(bytes, (size_t)size, ret, err);
}

/* A path is the same policy from every working directory; a name is looked up. */
static int absolute(const char *what, char ret[LIMIT_PATH], struct err *err)
{
	char cwd[LIMIT_PATH];
	int r;

	if (!getcwd(cwd, sizeof(cwd)))
		return err_set(err, -errno, "find the working directory");
	r = path_normalise(cwd, what, ret, LIMIT_PATH);
	return r < 0 ? err_set(err, r, "use the policy '%s'", what) : 0;
}

int programs_bundle(const char *what, struct bundle **ret, struct err *err)
{
	struct found {
		struct places places;
		char full[LIMIT_PATH];
	};
	_cleanup_free_ struct found *f = malloc(sizeof(*f));
	const size_t len = strlen(what);
	int r;

	if (!f)
		return err_set(err, -ENOMEM, "look for the policy '%s'", what);
	r = find_places(&f->places, err);
	if (r < 0)
		return r;
	if (strchr(what, '/') || (len > 7 && strcmp(what + len - 7, ".policy") == 0)) {
		r = absolute(what, f->full, err);
		if (r < 0)
			return r;
		what = f->full;
	}
	if (f->places.cache[0] &&
	    cache_find(f->places.cache, what, f->places.dirs, f->places.n_dirs, ret, err) == 0)
		return 0;
	return compile(&f->places, what, ret, err);
}
