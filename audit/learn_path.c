// SPDX-License-Identifier: Apache-2.0
/*
 * Where the paths of recorded calls lead. The sandbox's tree is somebody else's: it is walked from
 * its own root by descriptors that open nothing (O_PATH), and looked at below such by one name.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/learn_state.h"
#include "base/fd.h"
#include "base/hash.h"
#include "base/path.h"

enum { MAX_LINKS = 40 };

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
	uint32_t link[LEARN_KNOWN_LINKS]; /* places in paths + 1 */
};

/* Put a symlink's text before what is left. */
static int follow(struct walk *w, int link, const char *rest)
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
	if (w->links < LEARN_KNOWN_LINKS) {
		const struct learn_path *found = find_path(l, w->done);

		w->link[w->links] = found ? (uint32_t)(found - l->paths) + 1 : 0;
	}
	return follow(w, fd, rest);
}

/* --- what was found before --- */

/* By number: who makes two names agree hides a path from his own policy. */
static struct learn_known *known_slot(struct learn *l, const char *path, bool follow_last,
				      uint64_t *ret_hash)
{
	*ret_hash = hash_checksum(path, strlen(path), follow_last ? "f" : "", follow_last ? 1 : 0);
	return &l->known[*ret_hash % LEARN_KNOWN];
}

static bool is_known(struct learn *l, const struct learn_known *known, uint64_t hash,
		     unsigned access, bool denied)
{
	if (known->path == 0 || known->hash != hash || known->names != l->ages.names)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(known->link) && known->link[i] > 0; i++)
		count_again(l, &l->paths[known->link[i] - 1], LEARN_LOOK, denied);
	count_again(l, &l->paths[known->path - 1], access, denied);
	return true;
}

/* What is there is remembered; what is not can be made at any time. Below /proc, names are those
 * of processes, which come and go. */
static void remember(struct learn *l, const char *path, bool follow_last, const char *end,
		     const struct walk *w)
{
	const struct learn_path *p = find_path(l, end);
	uint64_t hash;
	struct learn_known *known = known_slot(l, path, follow_last, &hash);

	if (!p || path_is_within(end, "/proc") || (w && w->links > LEARN_KNOWN_LINKS))
		return;
	*known = (struct learn_known){ .hash = hash,
				       .names = l->ages.names,
				       .path = (uint32_t)(p - l->paths) + 1 };
	if (w)
		memcpy(known->link, w->link, sizeof(known->link));
}

/* A descriptor of a directory that no symlink leads to, or -errno; kept here. */
static int directory(struct learn *l, const char *path, size_t len)
{
	const uint64_t hash = hash_checksum(path, len, NULL, 0);
	struct learn_dir *d = &l->dirs[hash % LEARN_DIRS];
	int fd;

	if (d->fd > 0 && d->hash == hash && d->dirs == l->ages.dirs)
		return d->fd - 1;
	memcpy(l->read, path, len);
	l->read[len] = '\0';
	fd = path_open_in(l->root, l->read[1] ? l->read + 1 : ".", O_PATH | O_DIRECTORY,
			  PATH_NO_SYMLINKS);
	if (fd < 0)
		return fd;
	if (d->fd > 0)
		(void)close(d->fd - 1);
	*d = (struct learn_dir){ .hash = hash, .dirs = l->ages.dirs, .fd = fd + 1 };
	return fd;
}

/* With "..", ".", or a final slash. By text alone ".." is right only where no symlink is, which the
 * opening finds. As resolve_plain(). */
static int resolve_odd(struct learn *l, const char *path, unsigned access, bool follow_last,
		       uint16_t program, bool denied)
{
	_cleanup_close_ int fd =
		path_open_in(l->root, path + 1, O_PATH | O_NOFOLLOW, PATH_NO_SYMLINKS);
	char normal[LIMIT_PATH];
	struct stat st;

	if ((fd < 0 && fd != -ENOENT) || path_normalise("/", path, normal, sizeof(normal)) < 0)
		return -ELOOP;
	if (fd < 0) {
		learn_put(l, normal, access, LEARN_MISSING, program, denied);
		return 0;
	}
	if (fstat(fd, &st) < 0 || (follow_last && S_ISLNK(st.st_mode)))
		return -ELOOP;
	learn_put(l, normal, access, kind_of(st.st_mode), program, denied);
	remember(l, path, follow_last, normal, NULL);
	return 0;
}

/* Most names have no symlink on the way: their directory is open already, and one look tells. 0:
 * the path has been counted; else the way has to be walked. */
static int resolve_plain(struct learn *l, const char *path, unsigned access, bool follow_last,
			 uint16_t program, bool denied)
{
	const char *name = strrchr(path, '/');
	struct stat st;
	int dir;

	if (!path_is_normal(path))
		return resolve_odd(l, path, access, follow_last, program, denied);
	dir = directory(l, path, name == path ? 1 : (size_t)(name - path));
	if (dir < 0 && dir != -ENOENT)
		return dir;
	if (dir < 0 || fstatat(dir, name + 1, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (dir >= 0 && errno != ENOENT)
			return -errno;
		learn_put(l, path, access, LEARN_MISSING, program, denied);
		return 0;
	}
	if (S_ISLNK(st.st_mode) && follow_last)
		return -ELOOP;
	learn_put(l, path, access, kind_of(st.st_mode), program, denied);
	remember(l, path, follow_last, path, NULL);
	return 0;
}

static void walk(struct learn *l, const char *path, unsigned access, bool follow_last,
		 uint16_t program, bool denied)
{
	struct walk w = { .done = "" };
	mode_t mode = S_IFDIR;
	int r = 0;

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
	if (r == 0)
		remember(l, path, follow_last, w.done[0] ? w.done : "/", &w);
}

void learn_resolve(struct learn *l, const char *path, unsigned access, bool follow_last,
		   uint16_t program, bool denied)
{
	struct learn_known *known;
	uint64_t hash;

	if (l->root < 0 || strlen(path) >= LIMIT_PATH) {
		l->unresolved++;
		learn_put(l, path, access, LEARN_UNSEEN, program, denied);
		return;
	}
	known = known_slot(l, path, follow_last, &hash);
	if (is_known(l, known, hash, access, denied))
		return;
	if (path[1] && resolve_plain(l, path, access, follow_last, program, denied) == 0)
		return;
	walk(l, path, access, follow_last, program, denied);
}

void learn_root(struct learn *l, int32_t pid)
{
	char name[64];

	if (l->root >= 0)
		return;
	(void)snprintf(name, sizeof(name), "/proc/%d/root", pid);
	l->root = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
}
