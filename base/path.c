// SPDX-License-Identifier: Apache-2.0
#include "base/path.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"

int path_open_in(int root, const char *path, int flags, int how)
{
	uint64_t resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;

	if (how & PATH_NO_SYMLINKS)
		resolve |= RESOLVE_NO_SYMLINKS;
	return sys_openat2(root, path, (uint64_t)(unsigned)flags, 0, resolve);
}

int path_open_exact(const char *path, int flags)
{
	return sys_openat2(AT_FDCWD, path, (uint64_t)(unsigned)flags, 0,
			   RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
}

static bool is_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Above a home directory mkdir(2) may be refused before it is seen that the directory is there
 * (EROFS, EACCES). */
static int make_private(char *path, size_t len, size_t *ret_len)
{
	for (size_t i = 1; i <= len; i++) {
		int r;

		if (path[i] != '/')
			continue;
		path[i] = '\0';
		r = mkdir(path, 0700) < 0 ? -errno : 0;
		if (r < 0 && r != -EEXIST && !is_dir(path)) {
			*ret_len = i;
			return r;
		}
		path[i] = '/';
	}
	return 0;
}

int path_make_private(const char *path, size_t *ret_len)
{
	const char *slash = strrchr(path, '/');
	const size_t len = slash ? (size_t)(slash - path) : 0;
	char copy[LIMIT_PATH];
	mode_t mask;
	int r;

	*ret_len = len;
	if (len >= sizeof(copy) - 1)
		return -ENAMETOOLONG;
	if (len == 0)
		return 0;
	memcpy(copy, path, len);
	copy[len] = '\0';
	/* as in each launch but the first */
	if (is_dir(copy))
		return 0;
	copy[len] = '/';
	copy[len + 1] = '\0';
	mask = umask(0077);
	r = make_private(copy, len, ret_len);
	(void)umask(mask);
	return r;
}

/* One component below dir: made when missing, opened without following. */
static int step_into(int dir, const char *name, mode_t mode)
{
	const uint64_t resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
	int fd = sys_openat2(dir, name, O_PATH | O_DIRECTORY, 0, resolve);

	if (fd != -ENOENT)
		return fd;
	if (mkdirat(dir, name, mode) < 0 && errno != EEXIST)
		return -errno;
	return sys_openat2(dir, name, O_PATH | O_DIRECTORY, 0, resolve);
}

/* Walk all components of path, or all but the last, which is then the caller's. */
static int walk(int root, const char *path, mode_t mode, bool keep_last, const char **ret_last)
{
	_cleanup_close_ int owned = -1;
	const char *p = path;
	int dir = root;

	for (;;) {
		char name[256]; /* NAME_MAX of Linux and the NUL */
		const char *end;
		int next;

		p += strspn(p, "/");
		end = p + strcspn(p, "/");
		if (*p == '\0' && keep_last)
			return -EINVAL;
		if (*p == '\0' || (keep_last && end[strspn(end, "/")] == '\0')) {
			if (keep_last)
				*ret_last = p;
			if (owned >= 0)
				return TAKE_FD(owned);
			return sys_openat2(root, ".", O_PATH | O_DIRECTORY, 0, RESOLVE_BENEATH);
		}
		if ((size_t)(end - p) >= sizeof(name))
			return -ENAMETOOLONG;
		memcpy(name, p, (size_t)(end - p));
		name[end - p] = '\0';
		if (strcmp(name, "..") == 0)
			return -EINVAL;
		next = step_into(dir, name, mode);
		if (next < 0)
			return next;
		fd_closep(&owned);
		owned = dir = next;
		p = end;
	}
}

int path_make_dirs(int root, const char *path, mode_t mode)
{
	return walk(root, path, mode, false, NULL);
}

int path_make_parent(int root, const char *path, mode_t mode, const char **ret_name)
{
	const char *last = NULL;
	int fd = walk(root, path, mode, true, &last);

	if (fd < 0)
		return fd;
	if (strcmp(last, ".") == 0 || strcmp(last, "..") == 0 || strchr(last, '/')) {
		(void)close(fd);
		return -EINVAL;
	}
	*ret_name = last;
	return fd;
}

int path_make_file(int root, const char *path, mode_t mode)
{
	_cleanup_close_ int dir = -1, made = -1;
	const char *name;

	dir = path_make_parent(root, path, 0755, &name);
	if (dir < 0)
		return dir;
	made = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (made < 0 && errno != EEXIST)
		return -errno;
	return sys_openat2(dir, name, O_PATH, 0,
			   RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
}

bool path_is_normal(const char *path)
{
	size_t n = strlen(path);

	if (path[0] != '/' || n >= LIMIT_PATH)
		return false;
	if (n == 1)
		return true;
	for (const char *p = path; *p == '/';) {
		size_t len = strcspn(p + 1, "/");

		if (len == 0 || (len == 1 && p[1] == '.') ||
		    (len == 2 && p[1] == '.' && p[2] == '.'))
			return false;
		p += 1 + len;
	}
	return true;
}

static int append_components(char *out, size_t *len, size_t size, const char *path)
{
	const char *p = path;

	for (;;) {
		size_t n;

		p += strspn(p, "/");
		n = strcspn(p, "/");
		if (n == 0)
			return 0;
		if (n == 2 && p[0] == '.' && p[1] == '.') {
			while (*len > 0 && out[*len - 1] != '/')
				(*len)--;
			if (*len > 0)
				(*len)--;
		} else if (!(n == 1 && p[0] == '.')) {
			if (*len + 1 + n >= size)
				return -ENAMETOOLONG;
			out[(*len)++] = '/';
			memcpy(out + *len, p, n);
			*len += n;
		}
		p += n;
	}
}

int path_normalise(const char *base, const char *path, char *ret, size_t size)
{
	size_t len = 0;
	int r = 0;

	if (size < 2)
		return -ENAMETOOLONG;
	if (path[0] != '/')
		r = append_components(ret, &len, size, base);
	if (r == 0)
		r = append_components(ret, &len, size, path);
	if (r < 0)
		return r;
	if (len == 0)
		ret[len++] = '/';
	ret[len] = '\0';
	return 0;
}

bool path_is_absent(int code)
{
	return code == -ENOENT || code == -ENOTDIR || code == -EACCES || code == -ELOOP;
}

bool path_is_within(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	if (n == 1)
		return true;
	return strncmp(path, dir, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

size_t path_depth(const char *path)
{
	size_t depth = 0;

	for (const char *p = path; *p; p++) {
		if (*p == '/' && p[1] != '\0')
			depth++;
	}
	return depth;
}
