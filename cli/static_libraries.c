// SPDX-License-Identifier: Apache-2.0
#include "cli/static_libraries.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "cli/static_sweep.h"

enum { CONF_MAX = 64 * 1024 };

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool is_loaded(const struct graph *g, const char *name)
{
	for (size_t i = 0; i < g->n_files; i++) {
		if (strcmp(base_name(g->files[i]->path), name) == 0)
			return true;
	}
	for (size_t i = 0; i < g->n_missing; i++) {
		if (strcmp(g->missing[i], name) == 0)
			return true;
	}
	return false;
}

static int add(struct graph *g, const char *path, struct err *err)
{
	struct elf_file *f = NULL;
	int r;

	if (g->n_files == GRAPH_FILES)
		return err_set(err, -EFBIG, "read '%s': it is one file too many", path);
	r = elf_open(path, &f, err);
	for (size_t i = 0; i < g->n_files && r == 0; i++) {
		/* the same by another name */
		if (g->files[i]->device == f->device && g->files[i]->inode == f->inode) {
			elf_free(f);
			return 0;
		}
	}
	if (r == 0)
		g->files[g->n_files++] = f;
	if (r == 0 && !f->has_symbols && !f->has_frames)
		r = sweep(f, err);
	return r;
}

/* 0, -ENOENT where no such library for this machine lies, or another error. */
static int add_from(struct graph *g, const char *dir, size_t len, const char *origin,
		    const char *name, struct err *err)
{
	static const char variable[] = "$ORIGIN", braced[] = "${ORIGIN}";
	const size_t skip =
		len >= sizeof(braced) - 1 && strncmp(dir, braced, sizeof(braced) - 1) == 0
			? sizeof(braced) - 1
		: len >= sizeof(variable) - 1 && strncmp(dir, variable, sizeof(variable) - 1) == 0
			? sizeof(variable) - 1
			: 0;
	char path[LIMIT_PATH];
	struct err why = ERR_INIT;
	int r;

	if (snprintf(path, sizeof(path), "%s%.*s/%s", skip ? origin : "", (int)(len - skip),
		     dir + skip, name) >= (int)sizeof(path) ||
	    path[0] != '/' || access(path, R_OK) < 0)
		return -ENOENT;
	r = add(g, path, &why);
	if (r == -ENOEXEC) /* of another machine, which the loader passes over, too */
		return -ENOENT;
	if (r < 0)
		*err = why;
	return r;
}

static int add_from_list(struct graph *g, const char *list, const char *origin, const char *name,
			 struct err *err)
{
	int r = -ENOENT;

	while (list && *list && r == -ENOENT) {
		const size_t len = strcspn(list, ":");

		if (len > 0)
			r = add_from(g, list, len, origin, name, err);
		list += len + (list[len] == ':');
	}
	return r;
}

/* The directories of /etc/ld.so.conf.d: a name a line. */
static int add_from_conf(struct graph *g, const char *name, struct err *err)
{
	glob_t found = { 0 };
	int r = -ENOENT;

	if (glob("/etc/ld.so.conf.d/*.conf", 0, NULL, &found) != 0)
		return r;
	for (size_t i = 0; i < found.gl_pathc && r == -ENOENT; i++) {
		_cleanup_free_ char *text = NULL;
		size_t len;

		if (fd_read_file_at(AT_FDCWD, found.gl_pathv[i], CONF_MAX, &text, &len) < 0)
			continue;
		for (char *line = text; *line && r == -ENOENT;) {
			const size_t n = strcspn(line, " \t\n");

			if (line[0] == '/')
				r = add_from(g, line, n, "", name, err);
			line += strcspn(line, "\n");
			line += *line == '\n';
		}
	}
	globfree(&found);
	return r;
}

static int add_needed(struct graph *g, const struct elf_file *by, const char *name, struct err *err)
{
	static const char usual[] = "/lib/x86_64-linux-gnu:/usr/lib/x86_64-linux-gnu:/lib64:"
				    "/usr/lib64:/lib:/usr/lib";
	char origin[LIMIT_PATH];
	int r = -ENOENT;

	(void)snprintf(
		origin, sizeof(origin), "%.*s",
		(int)(base_name(by->path) > by->path ? base_name(by->path) - by->path - 1 : 0),
		by->path);
	if (strchr(name, '/'))
		return add_from(g, name, (size_t)(base_name(name) - name - 1), origin,
				base_name(name), err);
	if (!by->runpath)
		r = add_from_list(g, by->rpath, origin, name, err);
	/* of the program's own, which holds for all that it needs */
	if (r == -ENOENT && !by->runpath && g->files[0]->rpath && !g->files[0]->runpath)
		r = add_from_list(g, g->files[0]->rpath, origin, name, err);
	if (r == -ENOENT)
		r = add_from_list(g, by->runpath, origin, name, err);
	if (r == -ENOENT)
		r = add_from_conf(g, name, err);
	if (r == -ENOENT)
		r = add_from_list(g, usual, origin, name, err);
	return r;
}

/* In the order in which the loader looks for symbols: level by level. */
static int load_needed(struct graph *g, size_t from, struct err *err)
{
	int r = 0;

	for (size_t i = from; i < g->n_files && r == 0; i++) {
		const struct elf_file *f = g->files[i];

		for (size_t k = 0; k < f->n_needed && r == 0; k++) {
			if (is_loaded(g, base_name(f->needed[k])))
				continue;
			r = add_needed(g, f, f->needed[k], err);
			if (r == -ENOENT && g->n_missing < GRAPH_FILES) {
				g->missing[g->n_missing++] = f->needed[k];
				r = 0;
			}
		}
	}
	return r;
}

int libraries_load(struct graph *g, const char *path, const char *const *with, size_t n_with,
		   struct err *err)
{
	char resolved[LIMIT_PATH];
	const char *interpreter;
	int r;

	if (!realpath(path, resolved))
		return err_set(err, -errno, "read '%s'", path);
	r = add(g, resolved, err);
	if (r == 0)
		r = load_needed(g, 0, err);
	for (size_t i = 0; i < n_with && r == 0; i++) {
		const size_t from = g->n_files;

		if (!realpath(with[i], resolved))
			return err_set(err, -errno, "read '%s'", with[i]);
		r = add(g, resolved, err);
		if (r == 0 && g->n_files > from)
			g->files[from]->is_opened = true;
		if (r == 0)
			r = load_needed(g, from, err);
	}
	interpreter = r == 0 ? g->files[0]->interpreter : NULL;
	if (interpreter && !is_loaded(g, base_name(interpreter)))
		r = add(g, interpreter, err);
	for (size_t i = 1; i < g->n_files && interpreter; i++) {
		if (strcmp(base_name(g->files[i]->path), base_name(interpreter)) == 0)
			g->interpreter = i;
	}
	return r;
}
