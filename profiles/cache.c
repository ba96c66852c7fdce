// SPDX-License-Identifier: Apache-2.0
/*
 * A ref file: 64 digits, the bundle's hash; a newline; 64 digits, the hash of all the rest of the
 * ref; a newline; then NUL-terminated paths that must not exist. Those are the places where a file
 * would have been found before, or instead of, one that was read: a new file there makes the
 * entry stale, although none of the sources changed.
 */
#include "profiles/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/sys.h"
#include "profiles/bundle_format.h"

enum {
	REF_BYTES = 1 << 18, /* a ref file */
	REF_HEAD = 2 * HASH_HEX + 2,
	NAME_BYTES = HASH_HEX + 16, /* a file name of ours */
};

/* A file that changed so short ago may change again within one tick of its file system's
 * clock (10 ms where HZ is 100) and look the same: it is not cached yet. */
#define RACY_NS (20 * 1000000ULL)

static uint64_t to_ns(const struct timespec *t)
{
	return (uint64_t)t->tv_sec * 1000000000ULL + (uint64_t)t->tv_nsec;
}

/* A number in front of each text, so that no two lists run together to the same bytes. */
static void add_text(struct hash_state *st, const char *text)
{
	uint64_t len = strlen(text);

	hash_add(st, &len, sizeof(len));
	hash_add(st, text, len);
}

static void ref_name(const char *what, const char *const *dirs, size_t n_dirs, char ret[NAME_BYTES])
{
	uint32_t format = BUNDLE_FORMAT;
	struct hash_state st;
	struct hash hash;

	hash_begin(&st);
	add_text(&st, CORDON_VERSION);
	hash_add(&st, &format, sizeof(format));
	add_text(&st, what);
	for (size_t i = 0; i < n_dirs; i++)
		add_text(&st, dirs[i]);
	hash_end(&st, &hash);
	hash_hex(&hash, ret);
	(void)snprintf(ret + HASH_HEX, NAME_BYTES - HASH_HEX, ".ref");
}

static void bundle_name(const char *hex, char ret[NAME_BYTES])
{
	(void)snprintf(ret, NAME_BYTES, "%.*s.bundle", HASH_HEX, hex);
}

/* Ours alone: owned by the caller, and nobody else may write. */
static bool is_ours(const struct stat *st)
{
	return st->st_uid == geteuid() && (st->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

static int open_dir(const char *dir, int *ret, struct err *err)
{
	_cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return err_set(err, -ENOENT, "find the cache directory '%s'", dir);
	if (fd < 0)
		return err_set(err, errno == ENOTDIR || errno == ELOOP ? -EPERM : -errno,
			       "open the cache directory '%s'", dir);
	if (fstat(fd, &st) < 0)
		return err_set(err, -errno, "look at the cache directory '%s'", dir);
	if (!is_ours(&st)) {
		(void)err_set(err, -EPERM, "trust the cache directory '%s'", dir);
		(void)err_hint(err, "it must be yours and writable by you alone: chmod 700 '%s'",
			       dir);
		return -EPERM;
	}
	*ret = TAKE_FD(fd);
	return 0;
}

/* An entry's bytes. Whatever is no regular file of ours is -EPERM, and never waited for. */
static int read_entry(int dirfd, const char *name, size_t max, char **ret, size_t *ret_len,
		      struct err *err)
{
	_cleanup_close_ int fd =
		openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	int r;

	if (fd < 0 && (errno == ELOOP || errno == ENXIO))
		return err_set(err, -EPERM, "use the cache entry '%s': it is no regular file",
			       name);
	if (fd < 0)
		return err_set(err, -errno, "open the cache entry '%s'", name);
	if (fstat(fd, &st) < 0)
		return err_set(err, -errno, "look at the cache entry '%s'", name);
	if (!S_ISREG(st.st_mode))
		return err_set(err, -EPERM, "use the cache entry '%s': it is no regular file",
			       name);
	if (!is_ours(&st))
		return err_set(err, -EPERM,
			       "use the cache entry '%s': others own it or may write to it", name);
	r = fd_read_all(fd, max, ret, ret_len);
	if (r < 0)
		return err_set(err, r == -EFBIG ? -EBADMSG : r, "read the cache entry '%s'", name);
	return 0;
}

static int damaged(const char *name, struct err *err)
{
	return err_set(err, -EBADMSG, "use the cache entry '%s': it is damaged", name);
}

static int stale(const char *path, struct err *err)
{
	return err_set(err, -ENOENT, "use the cached bundle: '%s' changed", path);
}

static bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

/* The hash over the bundle's digits and the list. */
static void ref_hash(const char *hex, const char *list, size_t len, char ret[HASH_HEX + 1])
{
	struct hash_state st;
	struct hash hash;

	hash_begin(&st);
	hash_add(&st, hex, HASH_HEX);
	hash_add(&st, list, len);
	hash_end(&st, &hash);
	hash_hex(&hash, ret);
}

/* Read and check a ref; *ret_digest is what it leads to. */
static int read_ref(int dirfd, const char *name, struct hash *ret_digest, struct err *err)
{
	_cleanup_free_ char *ref = NULL;
	char hex[HASH_HEX + 1];
	size_t len;
	int r = read_entry(dirfd, name, REF_BYTES, &ref, &len, err);

	if (r < 0)
		return r;
	if (len < REF_HEAD || ref[HASH_HEX] != '\n' || ref[REF_HEAD - 1] != '\n' ||
	    (len > REF_HEAD && ref[len - 1] != '\0'))
		return damaged(name, err);
	ref_hash(ref, ref + REF_HEAD, len - REF_HEAD, hex);
	if (memcmp(hex, ref + HASH_HEX + 1, HASH_HEX) != 0)
		return damaged(name, err);
	memcpy(hex, ref, HASH_HEX);
	hex[HASH_HEX] = '\0';
	if (hash_from_hex(hex, ret_digest) < 0)
		return damaged(name, err);
	for (size_t at = REF_HEAD; at < len; at += strlen(ref + at) + 1) {
		if (exists(ref + at))
			return stale(ref + at, err);
	}
	return 0;
}

/* Whether the file is the one that was read, unchanged. */
static bool is_current(const struct policy_source *source, struct stat *ret_st)
{
	return stat(source->path, ret_st) == 0 && S_ISREG(ret_st->st_mode) &&
	       ret_st->st_dev == source->dev && ret_st->st_ino == source->ino &&
	       (uint64_t)ret_st->st_size == source->size &&
	       to_ns(&ret_st->st_mtim) == source->mtime_ns &&
	       to_ns(&ret_st->st_ctim) == source->ctime_ns;
}

int cache_find(const char *dir, const char *what, const char *const *search_dirs, size_t n_dirs,
	       struct bundle **ret, struct err *err)
{
	__attribute__((cleanup(bundle_closep))) struct bundle *bundle = NULL;
	_cleanup_close_ int dirfd = -1;
	_cleanup_free_ char *bytes = NULL;
	char name[NAME_BYTES], hex[HASH_HEX + 1];
	struct hash digest;
	size_t len;
	int r = open_dir(dir, &dirfd, err);

	if (r < 0)
		return r;
	ref_name(what, search_dirs, n_dirs, name);
	r = read_ref(dirfd, name, &digest, err);
	if (r < 0)
		return r;
	hash_hex(&digest, hex);
	bundle_name(hex, name);
	r = read_entry(dirfd, name, LIMIT_BUNDLE_BYTES, &bytes, &len, err);
	r = r ? r : bundle_open(bytes, len, &bundle, err);
	if (r < 0)
		return r;
	bundle->owned = TAKE_PTR(bytes);
	if (memcmp(&bundle->header->hash, &digest, sizeof(digest)) != 0)
		return damaged(name, err);
	for (size_t i = 0; i < bundle_n_sources(bundle); i++) {
		struct policy_source source;
		struct stat st;

		bundle_source(bundle, i, &source);
		if (!is_current(&source, &st))
			return stale(source.path, err);
	}
	*ret = TAKE_PTR(bundle);
	return 0;
}

/* The places that must stay empty, while they are collected. */
struct absent {
	struct buf list;
	uint64_t now;
	struct err *err;
};

static bool is_source(const struct bundle *b, const char *path)
{
	for (size_t i = 0; i < bundle_n_sources(b); i++) {
		struct policy_source source;

		bundle_source(b, i, &source);
		if (strcmp(source.path, path) == 0)
			return true;
	}
	return false;
}

/*
 * A place where a file called base would be looked for. before: what is found there comes before
 * the source that was read, so that a file there means that the world changed meanwhile.
 */
static int add_place(struct absent *a, const struct bundle *b, const char *dir, size_t dir_len,
		     const char *base, bool before)
{
	_cleanup_buf_ struct buf path = BUF_INIT;
	struct stat st;
	int r = buf_put(&path, dir, dir_len);

	r = r ? r : buf_puts(&path, "/");
	r = r ? r : buf_puts(&path, base);
	if (r < 0)
		return err_set(a->err, r, "store the bundle");
	if (is_source(b, path.data))
		return 0;
	if (exists(path.data)) {
		/* It stands behind in the order, or there was no reason to look here; unless it
		 * came while the policy was compiled. */
		if (before || lstat(path.data, &st) < 0 ||
		    to_ns(&st.st_ctim) + 2 * 1000000000ULL > a->now)
			return err_set(a->err, -EAGAIN, "store the bundle: '%s' appeared",
				       path.data);
		return 0;
	}
	r = a->list.len + path.len < REF_BYTES - REF_HEAD - 1
		    ? buf_put(&a->list, path.data, path.len + 1)
		    : -EFBIG;
	return r < 0 ? err_set(a->err, r, "store the bundle: too many places to watch") : 0;
}

/* Every place for the name of one source: the search directories, and the directories of all
 * sources for one that was named by `use`. */
static int add_places(struct absent *a, const struct bundle *b, size_t which, bool by_name,
		      const char *const *dirs, size_t n_dirs)
{
	struct policy_source source, other;
	const char *base;
	size_t n_before = 0;
	int r = 0;

	bundle_source(b, which, &source);
	base = strrchr(source.path, '/');
	if (!base)
		return 0;
	base++;
	for (size_t i = 0; i < n_dirs && n_before == 0; i++) {
		size_t len = strlen(dirs[i]);

		if (strncmp(source.path, dirs[i], len) == 0 && source.path + len + 1 == base)
			n_before = i + 1;
	}
	for (size_t i = 0; by_name && i < n_dirs && r == 0; i++)
		r = add_place(a, b, dirs[i], strlen(dirs[i]), base, i + 1 < n_before);
	for (size_t i = 0; which > 0 && i < bundle_n_sources(b) && r == 0; i++) {
		const char *end;

		bundle_source(b, i, &other);
		end = strrchr(other.path, '/');
		if (end)
			r = add_place(a, b, other.path, (size_t)(end - other.path), base, false);
	}
	return r;
}

/* What the ref has to say besides the bundle's hash, and whether the bundle is worth storing. */
static int collect(struct absent *a, const struct bundle *b, const char *what,
		   const char *const *dirs, size_t n_dirs)
{
	struct timespec now;
	int r = 0;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	a->now = to_ns(&now);
	for (size_t i = 0; i < bundle_n_sources(b) && r == 0; i++) {
		struct policy_source source;
		struct stat st;

		bundle_source(b, i, &source);
		if (!is_current(&source, &st) || source.ctime_ns + RACY_NS > a->now)
			return err_set(a->err, -EAGAIN, "store the bundle: '%s' just changed",
				       source.path);
		r = add_places(a, b, i, i > 0 || !strchr(what, '/'), dirs, n_dirs);
	}
	return r;
}

/* Write under a name of its own and rename: readers see the whole file or none. No fsync: a file
 * that a power loss tore is found by its hash. */
static int write_entry(int dirfd, const char *name, const struct buf *head, const void *bytes,
		       size_t len, struct err *err)
{
	_cleanup_close_ int fd = -1;
	uint64_t random;
	char tmp[NAME_BYTES];
	int r = sys_getrandom(&random, sizeof(random));

	if (r == 0) {
		(void)snprintf(tmp, sizeof(tmp), CACHE_TMP "%016llx", (unsigned long long)random);
		fd = openat(dirfd, tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		r = fd < 0 ? -errno : 0;
	}
	if (r < 0)
		return err_set(err, r, "make a file in the cache directory");
	if (head->len > 0)
		r = fd_write_all(fd, head->data, head->len);
	if (r == 0 && len > 0)
		r = fd_write_all(fd, bytes, len);
	if (r == 0 && renameat(dirfd, tmp, dirfd, name) < 0)
		r = -errno;
	if (r < 0) {
		(void)unlinkat(dirfd, tmp, 0);
		return err_set(err, r, "write the cache entry '%s'", name);
	}
	return 0;
}

static int make_dir(const char *dir, struct err *err)
{
	char path[LIMIT_PATH];
	size_t len;
	int r;

	if (dir[0] != '/' || snprintf(path, sizeof(path), "%s/", dir) >= (int)sizeof(path))
		return err_set(err, -EINVAL, "use the cache directory '%s': no absolute path", dir);
	r = path_make_private(path, &len);
	return r < 0 ? err_set(err, r, "make the cache directory '%.*s'", (int)len, path) : 0;
}

int cache_store(const char *dir, const char *what, const char *const *search_dirs, size_t n_dirs,
		const void *bytes, size_t len, struct err *err)
{
	__attribute__((cleanup(bundle_closep))) struct bundle *bundle = NULL;
	_cleanup_buf_ struct buf list = BUF_INIT;
	_cleanup_buf_ struct buf head = BUF_INIT;
	_cleanup_close_ int dirfd = -1;
	struct absent absent = { .err = err };
	char name[NAME_BYTES], hex[HASH_HEX + 1], check[HASH_HEX + 1];
	int r = bundle_open(bytes, len, &bundle, err);

	if (r < 0)
		return r;
	r = collect(&absent, bundle, what, search_dirs, n_dirs);
	list = absent.list;
	r = r ? r : make_dir(dir, err);
	r = r ? r : open_dir(dir, &dirfd, err);
	if (r < 0)
		return r;
	hash_hex(&bundle->header->hash, hex);
	bundle_name(hex, name);
	r = write_entry(dirfd, name, &head, bytes, len, err);
	if (r < 0)
		return r;
	ref_hash(hex, list.data, list.len, check);
	r = buf_printf(&head, "%s\n%s\n", hex, check);
	if (r < 0)
		return err_set(err, r, "store the bundle");
	ref_name(what, search_dirs, n_dirs, name);
	return write_entry(dirfd, name, &head, list.data, list.len, err);
}
