// SPDX-License-Identifier: Apache-2.0
/*
 * Paths and addresses of a recorded call. The sandbox's tree is somebody else's: it is walked by
 * descriptors that open nothing (O_PATH), from its own root, and each distinct text once.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "audit/learn_state.h"
#include "audit/peer.h"
#include "base/fd.h"
#include "base/hash.h"
#include "base/path.h"
#include "base/sys.h"

enum { MAX_LINKS = 40, MAPS_MAX = 256 * 1024 };

/* --- the table --- */

static struct learn_path *find_path(struct learn *l, const char *path)
{
	const size_t len = strlen(path);
	uint32_t slot = (uint32_t)hash_checksum(path, len, NULL, 0) % LEARN_SLOTS;
	struct learn_path *p;
	uint32_t text;

	while (l->slots[slot] > 0) {
		p = &l->paths[l->slots[slot] - 1];
		if (strcmp(l->text + p->text, path) == 0)
			return p;
		slot = (slot + 1) % LEARN_SLOTS;
	}
	text = l->n_paths < LEARN_PATHS ? learn_text(l, path) : 0;
	if (text == 0) {
		l->lost_paths++;
		return NULL;
	}
	p = &l->paths[l->n_paths++];
	l->slots[slot] = l->n_paths;
	*p = (struct learn_path){ .text = text, .kind = LEARN_MISSING, .denied = true };
	return p;
}

static void count_again(struct learn *l, struct learn_path *p, unsigned access, bool denied)
{
	p->count++;
	p->phases |= (uint8_t)(1U << l->phase);
	p->access |= (uint8_t)access;
	p->denied = p->denied && denied;
}

void learn_put(struct learn *l, const char *path, unsigned access, enum learn_kind kind,
	       uint16_t program, bool denied)
{
	struct learn_path *p = find_path(l, path);

	if (!p)
		return;
	if (p->count == 0)
		p->program = program;
	count_again(l, p, access, denied);
	/* What was missing when it was first looked for may have been made since. */
	if (kind != LEARN_MISSING)
		p->kind = (uint8_t)kind;
}

static enum learn_kind kind_of(mode_t mode)
{
	if (S_ISREG(mode))
		return LEARN_FILE;
	if (S_ISDIR(mode))
		return LEARN_DIR;
	return S_ISLNK(mode) ? LEARN_LINK : LEARN_OTHER;
}

/* --- where a name leads to --- */

struct walk {
	char done[LIMIT_PATH]; /* real so far; "" is the root */
	char todo[LIMIT_PATH];
	unsigned links;
};

/* Put a symlink's text before what is left. */
static int follow(struct learn *l, struct walk *w, int link, const char *rest)
{
	char text[LIMIT_PATH], todo[LIMIT_PATH];
	ssize_t n = readlinkat(link, "", text, sizeof(text) - 1);
	char *slash;

	if (n <= 0 || ++w->links > MAX_LINKS)
		return n < 0 ? -errno : -ELOOP;
	text[n] = '\0';
	if (snprintf(todo, sizeof(todo), "%s/%s", text, rest) >= (int)sizeof(todo))
		return -ENAMETOOLONG;
	memcpy(w->todo, todo, sizeof(todo));
	slash = strrchr(w->done, '/');
	if (text[0] == '/')
		w->done[0] = '\0';
	else if (slash)
		*slash = '\0';
	(void)l;
	return 0;
}

/* One component: 0, 1 when nothing is there, -errno. */
static int step(struct learn *l, struct walk *w, bool follow_last, mode_t *ret_mode,
		uint16_t program, bool denied)
{
	_cleanup_close_ int fd = -1;
	char rest[LIMIT_PATH];
	const char *p = w->todo + strspn(w->todo, "/");
	const size_t len = strcspn(p, "/");
	const size_t have = strlen(w->done);
	struct stat st;

	(void)snprintf(rest, sizeof(rest), "%s", p + len + strspn(p + len, "/"));
	if (len == 0 || (len == 1 && p[0] == '.') || (len == 2 && p[0] == '.' && p[1] == '.')) {
		char *slash = strrchr(w->done, '/');

		if (len == 2 && slash)
			*slash = '\0';
		*ret_mode = S_IFDIR;
		memcpy(w->todo, rest, sizeof(rest));
		return 0;
	}
	if (have + len + 2 > sizeof(w->done))
		return -ENAMETOOLONG;
	w->done[have] = '/';
	memcpy(w->done + have + 1, p, len);
	w->done[have + 1 + len] = '\0';
	memcpy(w->todo, rest, sizeof(rest));
	fd = path_open_in(l->root, w->done + 1, O_PATH | O_NOFOLLOW, PATH_FOLLOW_INSIDE);
	if (fd < 0)
		return path_is_absent(fd) ? 1 : fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	*ret_mode = st.st_mode;
	/* procfs's links lead to open files, not to names: their own readers go through those */
	if (!S_ISLNK(st.st_mode) || (rest[0] == '\0' && !follow_last) ||
	    path_is_within(w->done, "/proc"))
		return 0;
	learn_put(l, w->done, LEARN_LOOK, LEARN_LINK, program, denied);
	return follow(l, w, fd, rest);
}

/* Most names have no symlink on the way: one look-up tells, and the text itself is the place. 0:
 * the path has been counted. */
static int resolve_plain(struct learn *l, const char *path, unsigned access, bool follow_last,
			 uint16_t program, bool denied)
{
	_cleanup_close_ int fd = -1;
	const uint64_t hash = hash_checksum(path, strlen(path), NULL, 0);
	struct learn_known *known = &l->known[hash % LEARN_KNOWN];
	char normal[LIMIT_PATH];
	struct learn_path *p;
	struct stat st;

	/* By number: who makes two names agree hides a path from his own policy. */
	if (known->path > 0 && known->hash == hash) {
		p = &l->paths[known->path - 1];
		count_again(l, p, access, denied);
		return 0;
	}
	if (path_normalise("/", path, normal, sizeof(normal)) < 0)
		return -ENAMETOOLONG;
	fd = path_open_in(l->root, path + 1, O_PATH | (follow_last ? 0 : O_NOFOLLOW),
			  PATH_NO_SYMLINKS);
	if (fd == -ENOENT) {
		learn_put(l, normal, access, LEARN_MISSING, program, denied);
		return 0;
	}
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	learn_put(l, normal, access, kind_of(st.st_mode), program, denied);
	if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)) {
		p = find_path(l, normal);
		*known = (struct learn_known){ hash, p ? (uint32_t)(p - l->paths) + 1 : 0 };
	}
	return 0;
}

void learn_resolve(struct learn *l, const char *path, unsigned access, bool follow_last,
		   uint16_t program, bool denied)
{
	struct walk w = { .done = "" };
	mode_t mode = S_IFDIR;
	int r = 0;

	if (l->root < 0 || strlen(path) >= sizeof(w.todo)) {
		l->unresolved++;
		learn_put(l, path, access, LEARN_UNSEEN, program, denied);
		return;
	}
	if (path[1] && resolve_plain(l, path, access, follow_last, program, denied) == 0)
		return;
	memcpy(w.todo, path, strlen(path) + 1);
	while (r == 0 && w.todo[strspn(w.todo, "/")])
		r = step(l, &w, follow_last, &mode, program, denied);
	if (r < 0)
		l->unresolved++;
	/* What lies below something that is missing is told whole, as text. */
	if (r == 1 && w.todo[0]) {
		char normal[LIMIT_PATH];

		if (path_normalise(w.done, w.todo, normal, sizeof(normal)) == 0)
			memcpy(w.done, normal, sizeof(normal));
	}
	learn_put(l, w.done[0] ? w.done : "/", access,
		  r == 1  ? LEARN_MISSING
		  : r < 0 ? LEARN_UNSEEN
			  : kind_of(mode),
		  program, denied);
}

static void open_root(struct learn *l, int32_t pid)
{
	char name[64];

	if (l->root >= 0)
		return;
	(void)snprintf(name, sizeof(name), "/proc/%d/root", pid);
	l->root = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* --- what a call does to its paths --- */

struct effect_row {
	const char *call;
	uint8_t first, second; /* access to the first path and to the second */
	bool nofollow;
};

static const struct effect_row effects[] = {
	{ "access", LEARN_LOOK, 0, false },
	{ "chdir", LEARN_LOOK, 0, false },
	{ "chmod", LEARN_WRITE, 0, false },
	{ "chown", LEARN_WRITE, 0, false },
	{ "creat", LEARN_WRITE | LEARN_MAKE, 0, false },
	{ "execve", LEARN_EXEC, 0, false },
	{ "execveat", LEARN_EXEC, 0, false },
	{ "fchmodat", LEARN_WRITE, 0, false },
	{ "fchmodat2", LEARN_WRITE, 0, false },
	{ "fchownat", LEARN_WRITE, 0, false },
	{ "futimesat", LEARN_WRITE, 0, false },
	{ "inotify_add_watch", LEARN_READ, 0, false },
	{ "lchown", LEARN_WRITE, 0, true },
	{ "link", LEARN_READ, LEARN_MAKE, true },
	{ "linkat", LEARN_READ, LEARN_MAKE, true },
	{ "lremovexattr", LEARN_WRITE, 0, true },
	{ "lsetxattr", LEARN_WRITE, 0, true },
	{ "mkdir", LEARN_MAKE, 0, true },
	{ "mkdirat", LEARN_MAKE, 0, true },
	{ "mknod", LEARN_MAKE, 0, true },
	{ "mknodat", LEARN_MAKE, 0, true },
	{ "removexattr", LEARN_WRITE, 0, false },
	{ "rename", LEARN_MAKE, LEARN_MAKE, true },
	{ "renameat", LEARN_MAKE, LEARN_MAKE, true },
	{ "renameat2", LEARN_MAKE, LEARN_MAKE, true },
	{ "rmdir", LEARN_MAKE, 0, true },
	{ "setxattr", LEARN_WRITE, 0, false },
	{ "setxattrat", LEARN_WRITE, 0, false },
	{ "symlink", 0, LEARN_MAKE, true },
	{ "symlinkat", 0, LEARN_MAKE, true },
	{ "truncate", LEARN_WRITE, 0, false },
	{ "unlink", LEARN_MAKE, 0, true },
	{ "unlinkat", LEARN_MAKE, 0, true },
	{ "utime", LEARN_WRITE, 0, false },
	{ "utimensat", LEARN_WRITE, 0, false },
	{ "utimes", LEARN_WRITE, 0, false },
};

static unsigned open_access(uint64_t flags)
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
	return access;
}

static void access_of(const struct learn_event *e, const struct syscall_desc *desc, bool how_known,
		      uint64_t how, uint8_t ret[2], bool *ret_follow)
{
	const char *name = desc->name;
	const uint64_t *arg = (const uint64_t *)e->notif->data.args;

	ret[0] = ret[1] = LEARN_LOOK;
	*ret_follow = true;
	if (strcmp(name, "open") == 0 || strcmp(name, "openat") == 0 ||
	    strcmp(name, "openat2") == 0) {
		const uint64_t flags = how_known ? how : arg[name[4] ? 2 : 1];

		ret[0] = (uint8_t)open_access(flags);
		*ret_follow =
			!(flags & O_NOFOLLOW) && (flags & (O_CREAT | O_EXCL)) != (O_CREAT | O_EXCL);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(effects); i++) {
		if (strcmp(effects[i].call, name) != 0)
			continue;
		ret[0] = effects[i].first;
		ret[1] = effects[i].second;
		*ret_follow = !effects[i].nofollow;
		return;
	}
	*ret_follow = strcmp(name, "lstat") != 0 && strncmp(name, "readlink", 8) != 0 &&
		      strncmp(name, "lget", 4) != 0 && strncmp(name, "llist", 5) != 0;
}

/* --- reading --- */

/* A text of the caller's, or -errno; -ENAMETOOLONG as the kernel says. */
static int read_text(int32_t pid, uint64_t addr, char ret[LIMIT_PATH])
{
	pid_t target = pid;
	size_t len = 0;

	while (len < LIMIT_PATH) {
		size_t want = 4096 - (size_t)((addr + len) & 4095);
		ssize_t n;

		/* most are short: one page is not worth its copying */
		if (len == 0 && want > 256)
			want = 256;
		if (want > LIMIT_PATH - len)
			want = LIMIT_PATH - len;
		n = peer_memory(&target, addr + len, ret + len, want);
		if (n <= 0)
			return n < 0 ? (int)n : -EFAULT;
		if (memchr(ret + len, '\0', (size_t)n))
			return 0;
		len += (size_t)n;
	}
	return -ENAMETOOLONG;
}

/* The directory that a relative path begins at. 0 or -errno. */
static int read_start(int32_t pid, int dirfd, char ret[LIMIT_PATH])
{
	char name[64];
	ssize_t n;

	if (dirfd == AT_FDCWD)
		(void)snprintf(name, sizeof(name), "/proc/%d/cwd", pid);
	else
		(void)snprintf(name, sizeof(name), "/proc/%d/fd/%d", pid, dirfd);
	n = readlink(name, ret, LIMIT_PATH - 1);
	if (n <= 0)
		return n < 0 ? -errno : -ENOENT;
	ret[n] = '\0';
	return ret[0] == '/' ? 0 : -ENOTDIR; /* "pipe:[1]" and its kin are no place */
}

static bool is_text(const char *text)
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
	const int32_t pid = (int32_t)e->notif->pid;
	char text[LIMIT_PATH], start[LIMIT_PATH], whole[2 * LIMIT_PATH];
	int r = addr == 0 ? 1 : read_text(pid, addr, text);

	if (r == 1)
		return; /* utimensat(fd, NULL) and its kin name no path */
	if (r == 0 && text[0] != '/')
		r = read_start(pid, dirfd, start);
	else if (r == 0)
		start[0] = '\0';
	if (!learn_is_valid(e)) {
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
	/* AT_EMPTY_PATH: the descriptor itself, which was opened by some other call */
	if (text[0] == '\0' && !(access & LEARN_EXEC))
		return;
	if (!is_text(text) || !is_text(start)) {
		l->unread++; /* a policy cannot name it */
		return;
	}
	(void)snprintf(whole, sizeof(whole), "%s%s%s", start, text[0] == '/' ? "" : "/", text);
	if (strlen(whole) >= LIMIT_PATH)
		return;
	learn_resolve(l, whole, access, follow_last, program, e->denied);
}

static void put_mapping(struct learn *l, const struct learn_event *e, uint16_t program)
{
	char path[LIMIT_PATH];

	/* PROT_EXEC of a file: a mount without exec refuses it */
	if (!(e->notif->data.args[2] & 4) || (e->notif->data.args[3] & 0x20))
		return;
	if (read_start((int32_t)e->notif->pid, (int)e->notif->data.args[4], path) == 0 &&
	    learn_is_valid(e) && is_text(path))
		learn_put(l, path, LEARN_READ | LEARN_EXEC, LEARN_FILE, program, e->denied);
}

void learn_places(struct learn *l, const struct learn_event *e, const struct syscall_desc *desc,
		  uint16_t program)
{
	const __u64 *arg = e->notif->data.args;
	uint8_t access[2];
	unsigned n = 0;
	uint64_t how = 0;
	bool how_known = false, follow_last;

	if (strcmp(desc->name, "mmap") == 0) {
		put_mapping(l, e, program);
		return;
	}
	learn_socket(l, e, desc, program);
	for (unsigned i = 0; i < desc->n_args; i++) {
		int dirfd = AT_FDCWD;

		if (desc->args[i].kind != KIND_PATH)
			continue;
		if (n == 0) {
			pid_t pid = (pid_t)e->notif->pid;

			open_root(l, pid);
			if (strcmp(desc->name, "openat2") == 0)
				how_known =
					peer_memory(&pid, arg[2], &how, sizeof(how)) == sizeof(how);
			access_of(e, desc, how_known || strcmp(desc->name, "openat2") == 0, how,
				  access, &follow_last);
		}
		if (i > 0 && desc->args[i - 1].kind == KIND_DIRFD)
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
	open_root(l, pid);
	put_command(l, program);
	/* "7f00-7f10 r-xp 00000000 fe:01 123    /usr/bin/cat": a newline in a name is escaped */
	for (char *line = maps.data, *end; *line; line = end) {
		char *path = strchr(line, '/');

		end = line + strcspn(line, "\n");
		if (*end)
			*end++ = '\0';
		path = strchr(line, '/');
		if (!path || !strstr(line, " r-x") || !is_text(path))
			continue;
		learn_put(l, path, LEARN_READ | LEARN_EXEC, LEARN_FILE, program, false);
		n++;
	}
	if (n > 1) /* beside the program itself */
		put_loader(l, program);
}
