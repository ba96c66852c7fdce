// SPDX-License-Identifier: Apache-2.0
/* Files that a writer of the cache left: it was killed between making one and renaming it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "profiles/cache.h"

/* A writer takes milliseconds. */
enum { OLD_SECONDS = 60 };

static bool is_left(int dirfd, const char *name)
{
	struct stat st;

	return text_starts_with(name, CACHE_TMP) &&
	       fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
	       st.st_uid == geteuid() && st.st_mtime + OLD_SECONDS < time(NULL);
}

int cache_gc(const char *dir, bool dry, cache_gc_fn *fn, void *ctx, struct err *err)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), n = 0;
	char path[LIMIT_PATH];
	DIR *d;

	if (fd < 0)
		return errno == ENOENT ? 0 : err_set(err, -errno, "open the cache '%s'", dir);
	d = fdopendir(fd);
	if (!d) {
		fd_closep(&fd);
		return err_set(err, -ENOMEM, "read the cache '%s'", dir);
	}
	for (struct dirent *e = readdir(d); e; e = readdir(d)) {
		if (!is_left(fd, e->d_name) || (!dry && unlinkat(fd, e->d_name, 0) < 0))
			continue;
		n++;
		(void)snprintf(path, sizeof(path), "%.3800s/%.250s", dir, e->d_name);
		fn(ctx, path);
	}
	(void)closedir(d);
	return n;
}
