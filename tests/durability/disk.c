// SPDX-License-Identifier: Apache-2.0
#include "tests/durability/disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECTOR = 512, PAGE = 4096, TWO_FREE = 2, MAX_SEEN = 1 << 18 };

const char *const op_names[_OP_MAX] = { "write",  "truncate", "sync",	 "create",
					"rename", "unlink",   "sync dir" };

/* --- names --------------------------------------------------------------------------------- */

int disk_find(const struct names *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++)
		if (!strcmp(names->of[i].name, name))
			return (int)i;
	return -1;
}

void names_remove(struct names *names, size_t i)
{
	names->of[i] = names->of[--names->n];
}

static void put(struct names *names, const char *name, unsigned inode)
{
	int i = disk_find(names, name);

	if (i < 0 && names->n == MAX_NAMES)
		abort();
	if (i < 0)
		i = (int)names->n++;
	snprintf(names->of[i].name, NAME_SIZE, "%s", name);
	names->of[i].inode = inode;
}

void names_apply(struct names *names, const struct op *op)
{
	int i = disk_find(names, op->name);

	if (op->kind == OP_CREATE) {
		put(names, op->name, op->inode);
	} else if (i >= 0 && (op->kind == OP_RENAME || op->kind == OP_UNLINK)) {
		const unsigned inode = names->of[i].inode;

		names_remove(names, (size_t)i);
		if (op->kind == OP_RENAME)
			put(names, op->to, inode);
	}
}

static bool is_of_names(const struct op *op)
{
	return op->kind == OP_CREATE || op->kind == OP_RENAME || op->kind == OP_UNLINK;
}

/* --- contents ------------------------------------------------------------------------------ */

static uint64_t fnv(uint64_t hash, const void *bytes, size_t len)
{
	const unsigned char *p = bytes;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ p[i]) * 1099511628211ULL;
	return hash;
}

static void *must(void *p)
{
	if (!p)
		abort();
	return p;
}

static struct content copy_of(const struct content *c)
{
	struct content ret = { .p = must(malloc(c->len + 1)), .len = c->len };

	memcpy(ret.p, c->p, c->len);
	return ret;
}

static void set_length(struct content *c, size_t len)
{
	c->p = must(realloc(c->p, len + 1));
	if (len > c->len)
		memset(c->p + c->len, 0, len - c->len);
	c->len = len;
}

/* The first part bytes of a write. */
static void apply_part(struct content *c, const struct op *op, size_t part)
{
	if (op->kind == OP_CUT) {
		set_length(c, op->at);
	} else if (part > 0) {
		if (op->at + part > c->len)
			set_length(c, op->at + part);
		memcpy(c->p + op->at, op->data, part);
	}
}

static bool is_of_data(const struct op *op, unsigned inode)
{
	return (op->kind == OP_WRITE || op->kind == OP_CUT) && op->inode == inode;
}

struct content disk_content(const struct disk *disk, unsigned inode, size_t n)
{
	struct content c = copy_of(&disk->inode[inode].base);

	for (size_t i = 0; i < n; i++)
		if (is_of_data(&disk->op[i], inode))
			apply_part(&c, &disk->op[i], disk->op[i].len);
	return c;
}

int disk_begin(struct disk *disk, const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	struct stat st;

	memset(disk, 0, sizeof(*disk));
	if (!d || fstat(dirfd(d), &st) < 0 || !realpath(dir, disk->dir)) {
		fprintf(stderr, "crash: cannot open '%s': %s\n", dir, strerror(errno));
		return -1;
	}
	disk->dev = st.st_dev;
	disk->ino = st.st_ino;
	while ((e = readdir(d))) {
		int fd = openat(dirfd(d), e->d_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		struct content *base = &disk->inode[disk->n_inodes].base;

		if (e->d_name[0] == '.' && (!e->d_name[1] || e->d_name[1] == '.')) {
			close(fd);
			continue;
		}
		if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
		    disk->n_inodes == MAX_INODES - 1) {
			fprintf(stderr, "crash: cannot use '%s/%s'\n", dir, e->d_name);
			return -1;
		}
		set_length(base, (size_t)st.st_size);
		if (read(fd, base->p, base->len) != (ssize_t)base->len)
			return -1;
		close(fd);
		disk->inode[disk->n_inodes].ino = st.st_ino;
		put(&disk->base, e->d_name, (unsigned)disk->n_inodes++);
	}
	closedir(d);
	disk->now = disk->base;
	return 0;
}

/* --- what a file may hold ------------------------------------------------------------------ */

struct variants {
	size_t n, n_whole; /* those of whole writes come first */
	struct content of[MAX_VARIANTS];
};

static void add(struct variants *v, struct content c)
{
	c.hash = fnv(14695981039346656037ULL, c.p, c.len);
	for (size_t i = 0; i < v->n; i++) {
		if (v->of[i].hash == c.hash && v->of[i].len == c.len) {
			free(c.p);
			return;
		}
	}
	if (v->n == MAX_VARIANTS)
		abort();
	v->of[v->n++] = c;
}

static void add_part(struct variants *v, const struct content *before, const struct op *op,
		     size_t part)
{
	struct content c = copy_of(before);

	apply_part(&c, op, part);
	add(v, c);
}

/* The write's length is there, and zeros from one of its bytes to another. */
static void add_zeros(struct variants *v, const struct content *before, const struct op *op,
		      size_t from, size_t to)
{
	struct content c = copy_of(before);

	apply_part(&c, op, op->len);
	memset(c.p + op->at + from, 0, to - from);
	add(v, c);
}

static void add_torn(struct variants *v, const struct content *before, const struct op *op)
{
	/* The first sector and page that end within it, counted from the file's beginning. */
	const size_t sector = SECTOR - op->at % SECTOR, page = PAGE - op->at % PAGE;
	const size_t len = op->len, end = op->at + len;
	size_t middle = (op->at + len / 2) / SECTOR * SECTOR;
	const bool appended = op->kind == OP_WRITE && op->at == before->len;

	if (appended && len > 1)
		add_part(v, before, op, len - 1);
	if (op->kind != OP_WRITE || sector >= len) {
		/* Within a sector: as a whole, or, in a new one, zeros. */
		if (appended)
			add_zeros(v, before, op, 0, len);
		return;
	}
	add_part(v, before, op, sector);
	for (size_t part = page; part < len; part += PAGE)
		add_part(v, before, op, part);
	if (middle > op->at)
		add_part(v, before, op, middle - op->at);
	add_part(v, before, op, (end - 1) / SECTOR * SECTOR - op->at);
	add_zeros(v, before, op, 0, len);
	add_zeros(v, before, op, 0, sector);
	add_zeros(v, before, op, (end - 1) / SECTOR * SECTOR - op->at, len);
	if (page < len) {
		add_zeros(v, before, op, 0, page);
		add_zeros(v, before, op, (end - 1) / PAGE * PAGE - op->at, len);
		add_zeros(v, before, op, page, page + PAGE < len ? page + PAGE : len);
	}
}

static void find_variants(const struct disk *disk, unsigned inode, size_t n_ops,
			  struct variants *ret)
{
	struct content before;
	size_t synced = 0;

	for (size_t i = 0; i < n_ops; i++)
		if (disk->op[i].kind == OP_SYNC && disk->op[i].inode == inode)
			synced = i;
	ret->n = 0;
	for (int torn = 0; torn < 2; torn++) {
		before = disk_content(disk, inode, synced);
		if (!torn)
			add(ret, copy_of(&before));
		for (size_t i = synced; i < n_ops; i++) {
			const struct op *op = &disk->op[i];

			if (!is_of_data(op, inode))
				continue;
			if (torn)
				add_torn(ret, &before, op);
			apply_part(&before, op, op->len);
			if (!torn)
				add(ret, copy_of(&before));
		}
		if (!torn)
			ret->n_whole = ret->n;
		free(before.p);
	}
}

/* --- states -------------------------------------------------------------------------------- */

struct walk {
	const struct disk *disk;
	bool all;
	uint64_t mark;
	uint64_t *seen; /* a table of hashes, 0: free */
	size_t n_states;
	struct variants *variants; /* by inode */
	state_fn *fn;
	void *ctx;
	struct state state;
	const struct names *names;
};

static bool is_new(struct walk *w, uint64_t hash)
{
	size_t i = (size_t)(hash % MAX_SEEN);

	for (hash += !hash; w->seen[i]; i = (i + 1) % MAX_SEEN)
		if (w->seen[i] == hash)
			return false;
	if (w->n_states > MAX_SEEN / 2)
		abort();
	w->seen[i] = hash;
	return true;
}

/* What a file takes of the freedom that is left: a torn write all of it. */
static unsigned cost_of(const struct walk *w, const struct variants *v, size_t i)
{
	if (i >= v->n_whole)
		return TWO_FREE;
	return w->all || i == 0 || i + 1 == v->n_whole ? 0 : 1;
}

/* Every choice for names from the which-th on. */
static void choose(struct walk *w, size_t which, unsigned freedom, uint64_t hash)
{
	struct state *s = &w->state;
	const struct variants *v;

	if (which == w->names->n) {
		s->hash = hash;
		s->n = which;
		if (is_new(w, fnv(hash, &w->mark, sizeof(w->mark)))) {
			w->n_states++;
			w->fn(w->ctx, s);
		}
		return;
	}
	v = &w->variants[w->names->of[which].inode];
	s->name[which] = w->names->of[which].name;
	for (size_t i = 0; i < v->n; i++) {
		const unsigned cost = cost_of(w, v, i);
		uint64_t h = fnv(hash, s->name[which], strlen(s->name[which]) + 1);

		if (cost > freedom)
			continue;
		s->content[which] = &v->of[i];
		choose(w, which + 1, freedom - cost, fnv(h, &v->of[i].hash, sizeof(v->of[i].hash)));
	}
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void at(struct walk *w, size_t n_ops)
{
	const struct disk *disk = w->disk;
	struct names names = disk->base;
	size_t synced = 0;

	for (unsigned i = 0; i < disk->n_inodes; i++)
		find_variants(disk, i, n_ops, &w->variants[i]);
	for (size_t i = 0; i < n_ops; i++)
		if (disk->op[i].kind == OP_SYNC_DIR)
			synced = i;
	for (size_t i = 0; i <= n_ops; i++) {
		if (i > 0)
			names_apply(&names, &disk->op[i - 1]);
		if (i >= synced && (i == n_ops || is_of_names(&disk->op[i]))) {
			struct names sorted = names;

			qsort(sorted.of, sorted.n, sizeof(sorted.of[0]), by_name);
			w->names = &sorted;
			w->state.n_ops = n_ops;
			choose(w, 0, TWO_FREE, 1);
		}
	}
	for (unsigned i = 0; i < disk->n_inodes; i++)
		for (size_t j = 0; j < w->variants[i].n; j++)
			free(w->variants[i].of[j].p);
}

/* What was possible stays so until something is forced to the disk, and what is possible then is
 * looked at just before that. A promise is looked at where it is made, too. */
size_t disk_states(const struct disk *disk, bool all, uint64_t (*mark)(void *ctx, size_t n_ops),
		   state_fn *fn, void *ctx)
{
	struct walk w = { .disk = disk, .all = all, .fn = fn, .ctx = ctx };

	w.seen = must(calloc(MAX_SEEN, sizeof(*w.seen)));
	w.variants = must(calloc(MAX_INODES, sizeof(*w.variants)));
	for (size_t n = 0; n <= disk->n_ops; n++) {
		const bool forced = n == disk->n_ops || disk->op[n].kind == OP_SYNC ||
				    disk->op[n].kind == OP_SYNC_DIR;

		w.mark = mark ? mark(ctx, n) : 0;
		if (forced || (mark && mark(ctx, n + 1) != w.mark))
			at(&w, n);
	}
	free(w.variants);
	free(w.seen);
	return w.n_states;
}
