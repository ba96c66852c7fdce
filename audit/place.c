// SPDX-License-Identifier: Apache-2.0
#include "audit/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"

static const char give_another[] = "give another log: --audit file:PATH, or --audit stderr";

int place_default(char *ret, size_t size, struct err *err)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	int n;

	/* The XDG base directory specification: a relative path is invalid and is ignored. */
	if (state && state[0] == '/')
		n = snprintf(ret, size, "%s/cordon/audit.jsonl", state);
	else if (home && home[0] == '/')
		n = snprintf(ret, size, "%s/.local/state/cordon/audit.jsonl", home);
	else {
		err_set(err, -ENOENT, "find a place for the audit log: HOME is not set");
		return err_hint(err, "%s", give_another), -ENOENT;
	}
	if (n < 0 || (size_t)n >= size)
		return err_set(err, -ENAMETOOLONG, "find a place for the audit log below '%s'",
			       state && state[0] == '/' ? "$XDG_STATE_HOME" : "$HOME");
	return 0;
}

int place_make_parents(const char *path, struct err *err)
{
	size_t len;
	int r = path_make_private(path, &len);

	if (r == 0)
		return 0;
	err_set(err, r, "make the directory '%.*s' for the audit log", (int)len, path);
	return err_hint(err, "%s", give_another), r;
}

int place_open_dir(const char *path, int *ret_dir, const char **ret_name, struct err *err)
{
	_cleanup_close_ int fd = -1;
	char dir[LIMIT_PATH];
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	size_t len = slash ? (size_t)(slash - path) : 0;

	if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return err_set(err, -EINVAL, "use '%s' as the audit log: it names no file", path);
	if (strlen(path) >= sizeof(dir) - PLACE_SUFFIX || strlen(name) > 255 - PLACE_SUFFIX)
		return err_set(err, -ENAMETOOLONG, "use '%.64s...' as the audit log", path);
	if (!slash)
		memcpy(dir, ".", 2);
	else if (len == 0)
		memcpy(dir, "/", 2);
	else {
		memcpy(dir, path, len);
		dir[len] = '\0';
	}
	fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		int r = -errno;

		err_set(err, r, "open the directory '%s' of the audit log", dir);
		if (r == -ENOENT)
			err_hint(err, "make it: mkdir -p -m 0700 '%s'", dir);
		return r;
	}
	*ret_dir = TAKE_FD(fd);
	*ret_name = name;
	return 0;
}

static int check(const struct stat *st, const char *path, struct err *err)
{
	const char *what = NULL;
	int r = -EINVAL;

	switch (st->st_mode & S_IFMT) {
	case S_IFREG:
		break;
	case S_IFLNK:
		what = "a symbolic link";
		r = -ELOOP;
		break;
	case S_IFDIR:
		what = "a directory";
		r = -EISDIR;
		break;
	case S_IFIFO:
		what = "a FIFO";
		break;
	case S_IFSOCK:
		what = "a socket";
		break;
	default:
		what = "a device";
	}
	if (what) {
		err_set(err, r, "use '%s' as the audit log: it is %s, not a regular file", path,
			what);
		return err_hint(err, "%s", give_another), r;
	}
	if (st->st_uid != geteuid()) {
		err_set(err, -EPERM, "use '%s' as the audit log: user %u owns it, not you (%u)",
			path, st->st_uid, geteuid());
		return err_hint(err, "%s", give_another), -EPERM;
	}
	if (st->st_mode & (S_IWGRP | S_IWOTH)) {
		err_set(err, -EPERM, "use '%s' as the audit log: others may write it (mode %04o)",
			path, st->st_mode & 07777);
		return err_hint(err, "chmod go-w '%s', and look at what it holds", path), -EPERM;
	}
	return 0;
}

int place_open_file(int dir, const char *name, const char *path, bool append, bool *ret_made,
		    struct err *err)
{
	/* O_NONBLOCK: a FIFO put there between the look and the open does not hold us. Writers read
	 * too: what a killed writer left behind is looked at. */
	const int flags =
		O_RDWR | (append ? O_APPEND : 0) | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	_cleanup_close_ int fd = -1;
	struct stat st;
	bool made = false;
	int r;

	/* A first look, so that what cannot even be opened is named; the one that counts is made on
	 * the descriptor. */
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		r = check(&st, path, err);
		if (r < 0)
			return r;
	}
	fd = openat(dir, name, flags);
	if (fd < 0 && errno == ENOENT) {
		fd = openat(dir, name, flags | O_CREAT | O_EXCL, 0600);
		made = fd >= 0;
		if (fd < 0 && errno == EEXIST) /* a second writer was quicker */
			fd = openat(dir, name, flags);
	}
	if (fd < 0 || fstat(fd, &st) < 0) {
		r = -errno;
		err_set(err, r, "open the audit log '%s' for writing", path);
		return err_hint(err, "%s", give_another), r;
	}
	r = check(&st, path, err);
	if (r < 0)
		return r;
	/* The umask may have taken our own rights, an access list may have added others'. */
	if (made && fchmod(fd, 0600) < 0)
		return err_set(err, -errno, "set the mode of the audit log '%s'", path);
	if (ret_made)
		*ret_made = made;
	return TAKE_FD(fd);
}
