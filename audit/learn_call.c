// SPDX-License-Identifier: Apache-2.0
/* What a recorded call names, and what an execve brought along that no call did. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "audit/learn_state.h"
#include "base/fd.h"
#include "base/path.h"

enum { MAPS_MAX = 256 * 1024, EXECUTABLE = 4, ANONYMOUS = 0x20 }; /* PROT_EXEC, MAP_ANONYMOUS */

static uint8_t open_access(uint64_t flags)
{
	unsigned access = 0;

	if (flags & O_PATH)
		return LEARN_LOOK;
	if ((flags & O_ACCMODE) != O_WRONLY)
		access |= LEARN_READ;
	if ((flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC))
		access |= LEARN_WRITE;
	if (flags & O_CREAT)
		access |= LEARN_MAKE;
	if ((flags & O_TMPFILE) == O_TMPFILE)
		access |= LEARN_MAKE;
	if (flags & O_DIRECTORY)
		access |= LEARN_LIST;
	return (uint8_t)access;
}

/* What a call does to its two paths, and whether the last symlink is followed. */
static void access_of(struct learn *l, const struct learn_event *e, const struct learn_shape *s,
		      uint8_t ret[2], bool *ret_follow)
{
	const __u64 *arg = e->notif->data.args;
	uint64_t flags;
	bool unsure = false;

	ret[0] = s->first;
	ret[1] = s->second;
	*ret_follow = !s->nofollow;
	if (!(s->role & LEARN_ROLE_OPEN))
		return;
	if (s->desc->args[2].kind == KIND_STRUCT) { /* openat2(2) */
		/* flags come first; what cannot be read the kernel refuses */
		if (learn_memory(l, e, arg[2], &flags, sizeof(flags), &unsure) != sizeof(flags))
			flags = 0;
	} else {
		flags = arg[s->desc->args[0].kind == KIND_PATH ? 1 : 2];
	}
	ret[0] = open_access(flags);
	*ret_follow = !(flags & O_NOFOLLOW) && (flags & (O_CREAT | O_EXCL)) != (O_CREAT | O_EXCL);
}

/* A text of the caller's, or -errno; -ENAMETOOLONG as the kernel says. */
static int read_text(struct learn *l, const struct learn_event *e, uint64_t addr,
		     char ret[LIMIT_PATH], bool *unsure)
{
	size_t len = 0;

	while (len < LIMIT_PATH) {
		size_t want = 4096 - (size_t)((addr + len) & 4095);
		ssize_t n;

		/* most are short: one page is not worth its copying */
		if (len == 0 && want > 256)
			want = 256;
		if (want > LIMIT_PATH - len)
			want = LIMIT_PATH - len;
		n = learn_memory(l, e, addr + len, ret + len, want, unsure);
		if (n <= 0)
			return n < 0 ? (int)n : -EFAULT;
		if (memchr(ret + len, '\0', (size_t)n))
			return 0;
		len += (size_t)n;
	}
	return -ENAMETOOLONG;
}

bool learn_is_text(const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return false;
	}
	return true;
}

static void put_path(struct learn *l, const struct learn_event *e, uint64_t addr, int dirfd,
		     unsigned access, bool follow_last, uint16_t program)
{
	char *whole = l->whole, *text = l->read;
	bool unsure = false;
	size_t begin = 0;
	int r;

	if (addr == 0)
		return; /* utimensat(fd, NULL) and its kin name no path */
	r = read_text(l, e, addr, text, &unsure);
	/* AT_EMPTY_PATH: the descriptor itself, which was opened by some other call */
	if (r == 0 && text[0] == '\0' && !(access & LEARN_EXEC))
		return;
	if (r == 0 && text[0] != '/') {
		r = learn_start(l, e, dirfd, whole, &unsure);
		if (r == 0) {
			begin = strlen(whole);
			whole[begin++] = '/';
		}
	}
	if (unsure && !learn_is_valid(e)) {
		l->gone++;
		return;
	}
	/* The kernel refuses these, too. */
	if (r == -EFAULT || r == -ENAMETOOLONG || r == -ENOTDIR || r == -EBADF || r == -ENOENT)
		return;
	if (r < 0) {
		l->unread++;
		return;
	}
	memcpy(whole + begin, text, strlen(text) + 1);
	if (!learn_is_text(whole)) {
		l->unread++; /* a policy cannot name it */
		return;
	}
	if (strlen(whole) < LIMIT_PATH)
		learn_resolve(l, whole, access, follow_last, program, e->denied);
}

static void put_mapping(struct learn *l, const struct learn_event *e, uint16_t program)
{
	const __u64 *arg = e->notif->data.args;
	char path[LIMIT_PATH];
	bool unsure = false;

	/* of a file: a mount without exec refuses it */
	if (!(arg[2] & EXECUTABLE) || (arg[3] & ANONYMOUS))
		return;
	if (learn_start(l, e, (int)arg[4], path, &unsure) == 0 && (!unsure || learn_is_valid(e)) &&
	    learn_is_text(path))
		learn_put(l, path, LEARN_READ | LEARN_EXEC, LEARN_FILE, program, e->denied);
}

void learn_places(struct learn *l, const struct learn_event *e, const struct learn_shape *s,
		  uint16_t program)
{
	const __u64 *arg = e->notif->data.args;
	bool follow_last = true;
	uint8_t access[2];
	unsigned n = 0;

	if (s->role & LEARN_ROLE_MMAP)
		put_mapping(l, e, program);
	if (s->role & (LEARN_ROLE_SOCKET | LEARN_ROLE_PATHS))
		learn_root(l, (int32_t)e->notif->pid);
	if (s->role & LEARN_ROLE_SOCKET)
		learn_socket(l, e, s->desc, program);
	if (!(s->role & LEARN_ROLE_PATHS))
		return;
	access_of(l, e, s, access, &follow_last);
	for (unsigned i = 0; i < s->desc->n_args; i++) {
		int dirfd = AT_FDCWD;

		if (s->desc->args[i].kind != KIND_PATH)
			continue;
		if (i > 0 && s->desc->args[i - 1].kind == KIND_DIRFD)
			dirfd = (int)arg[i - 1];
		if (n < 2 && access[n])
			put_path(l, e, arg[i], dirfd, access[n], follow_last, program);
		n++;
	}
}

/* --- after execve --- */

/* Loaders by the names that programs have for them: the kernel opens them, no call does. */
static void put_loader(struct learn *l, uint16_t program)
{
	static const char *const names[] = {
		"/lib64/ld-linux-x86-64.so.2",
		"/lib/ld-linux-aarch64.so.1",
		"/lib/ld-linux.so.2",
		"/libx32/ld-linux-x32.so.2",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names) && l->root >= 0; i++) {
		_cleanup_close_ int fd =
			path_open_in(l->root, names[i] + 1, O_PATH, PATH_FOLLOW_INSIDE);

		if (fd >= 0)
			learn_resolve(l, names[i], LEARN_READ | LEARN_EXEC, true, program, false);
	}
}

/* The command itself: a script's name shows in no mapping. */
static void put_command(struct learn *l, uint16_t program)
{
	const char *name = l->exec, *p = l->exec_path;
	char path[LIMIT_PATH];

	l->exec = NULL;
	if (!name || l->root < 0)
		return;
	if (strchr(name, '/')) {
		if (path_normalise(l->exec_cwd, name, path, sizeof(path)) == 0)
			learn_resolve(l, path, LEARN_READ | LEARN_EXEC, true, program, false);
		return;
	}
	while (p) {
		const size_t n = strcspn(p, ":");
		_cleanup_close_ int fd = -1;

		if (snprintf(path, sizeof(path), "%.*s/%s", (int)n, p, name) < (int)sizeof(path) &&
		    path[0] == '/')
			fd = path_open_in(l->root, path + 1, O_PATH, PATH_FOLLOW_INSIDE);
		if (fd >= 0) {
			learn_resolve(l, path, LEARN_READ | LEARN_EXEC, true, program, false);
			return;
		}
		p = p[n] ? p + n + 1 : NULL;
	}
}

void learn_mapped(struct learn *l, int32_t pid, uint16_t program)
{
	_cleanup_buf_ struct buf maps = BUF_INIT;
	char name[64];
	unsigned n = 0;

	/* The same program has the same loader, and what that maps are calls. */
	if (l->mapped[program - 1])
		return;
	l->mapped[program - 1] = true;
	(void)snprintf(name, sizeof(name), "/proc/%d/maps", pid);
	if (fd_read_virtual_at(-1, name, MAPS_MAX, &maps) < 0 || !maps.data) {
		l->unread++;
		return;
	}
	learn_root(l, pid);
	put_command(l, program);
	/* "7f00-7f10 r-xp 00000000 fe:01 123    /usr/bin/cat": a newline in a name is escaped */
	for (char *line = maps.data, *end; *line; line = end) {
		char *path;

		end = line + strcspn(line, "\n");
		if (*end)
			*end++ = '\0';
		path = strchr(line, '/');
		if (!path || !strstr(line, " r-x") || !learn_is_text(path))
			continue;
		learn_put(l, path, LEARN_READ | LEARN_EXEC, LEARN_FILE, program, false);
		n++;
	}
	if (n > 1) /* beside the program itself */
		put_loader(l, program);
}
