// SPDX-License-Identifier: Apache-2.0
#include "policies/load.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "policies/compose.h"
#include "policies/digest.h"
#include "policies/let.h"

struct loader {
	const struct policy_search *search;
	struct unit units[LIMIT_POLICY_FILES];
	size_t n_units;
	uint16_t order[LIMIT_POLICY_FILES]; /* post-order */
	size_t n_order;
	struct diag_source sources[LIMIT_POLICY_FILES];
	struct diag diag;
	struct err *err;
};

static void loader_done(struct loader *l)
{
	for (size_t i = 0; i < l->n_units; i++) {
		struct unit *u = &l->units[i];

		free(u->source.path);
		free(u->text);
		free(u->dir);
		free(u->name);
		part_done(&u->part);
	}
	free(l->diag.expansions);
	free(l);
}

static void loader_freep(struct loader **l)
{
	if (*l)
		loader_done(*l);
}

static uint64_t nanoseconds(struct timespec t)
{
	return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

/* Take ownership of text (also on failure). */
static int add_unit(struct loader *l, const char *path, const char *name, char *text, size_t len,
		    size_t *ret)
{
	struct unit *u = &l->units[l->n_units];

	*u = (struct unit){ .text = text, .len = len };
	*ret = l->n_units++; /* from here on loader_done frees it */
	u->source.path = strdup(path);
	u->name = strdup(name);
	if (!u->source.path || !u->name)
		return -ENOMEM;
	hash_bytes(text, len, &u->source.digest);
	u->source.size = len;
	l->sources[*ret] = (struct diag_source){ .path = u->source.path, .text = text, .len = len };
	l->diag.n_sources = l->n_units;
	return 0;
}

/* Open a policy's file. Symlinks are followed: the caller's own and the administrator's
 * directories hold policies. O_NONBLOCK: a FIFO must not hold us. */
static int open_file(const char *path, struct stat *st)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0 || fstat(fd, st) < 0)
		return -errno;
	return TAKE_FD(fd);
}

static int add_file(struct loader *l, int fd, const struct stat *st, const char *path,
		    const char *name, size_t *ret)
{
	const char *slash = strrchr(path, '/');
	struct unit *u;
	char *text = NULL;
	size_t len = 0;
	int r = fd_read_all(fd, LIMIT_POLICY_BYTES, &text, &len);

	if (r == -EFBIG)
		return err_set(l->err, r, "read policy '%s': it is larger than %d bytes",
			       quote(path).text, LIMIT_POLICY_BYTES);
	if (r < 0)
		return err_set(l->err, r, "read policy '%s'", quote(path).text);
	r = add_unit(l, path, name, text, len, ret);
	if (r < 0)
		return r;
	u = &l->units[*ret];
	u->source.dev = st->st_dev;
	u->source.ino = st->st_ino;
	u->source.size = (uint64_t)st->st_size;
	u->source.mtime_ns = nanoseconds(st->st_mtim);
	u->source.ctime_ns = nanoseconds(st->st_ctim);
	u->dir = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup("./");
	return u->dir ? 0 : -ENOMEM;
}

/* --- names --- */

static int try_dir(const char *dir, const char *name, struct buf *path, struct stat *st)
{
	size_t len = strlen(dir);

	path->len = 0;
	if (buf_printf(path, "%s%s%s.policy", dir, len && dir[len - 1] == '/' ? "" : "/", name) < 0)
		return -ENOMEM;
	return open_file(path->data, st);
}

/* The file of a policy by name: a descriptor, and its path in *path. */
static int find_name(const struct loader *l, const char *first_dir, const char *name,
		     struct buf *path, struct stat *st)
{
	int r = -ENOENT;

	if (first_dir)
		r = try_dir(first_dir, name, path, st);
	for (size_t i = 0; r == -ENOENT && i < l->search->n_dirs; i++)
		r = try_dir(l->search->dirs[i], name, path, st);
	return r;
}

static void offer_dir(struct suggestion *s, const char *dir)
{
	static const char suffix[] = ".policy";
	DIR *d = opendir(dir);
	const struct dirent *e;
	char name[LIMIT_NAME];

	if (!d)
		return;
	for (unsigned n = 0; n < 1024 && (e = readdir(d)) != NULL; n++) {
		size_t len = strlen(e->d_name);

		if (len < sizeof(suffix) || len - (sizeof(suffix) - 1) >= sizeof(name) ||
		    strcmp(e->d_name + len - (sizeof(suffix) - 1), suffix) != 0)
			continue;
		len -= sizeof(suffix) - 1;
		memcpy(name, e->d_name, len);
		name[len] = '\0';
		suggest_offer(s, name);
	}
	(void)closedir(d);
}

static struct suggestion suggest_policy(const struct loader *l, const char *first_dir,
					const char *name)
{
	struct suggestion s = suggest_begin(name);

	if (first_dir)
		offer_dir(&s, first_dir);
	for (size_t i = 0; i < l->search->n_dirs; i++)
		offer_dir(&s, l->search->dirs[i]);
	return s;
}

/* --- use --- */

static int load_uses(struct loader *l, size_t unit, unsigned depth);

static int read_unit(struct loader *l, size_t unit, unsigned depth)
{
	struct unit *u = &l->units[unit];
	int r = parse_uses(u->text, u->len, (uint16_t)unit, &u->part);

	if (r < 0)
		return r;
	u->open = true;
	r = load_uses(l, unit, depth);
	u->open = false;
	l->order[l->n_order++] = (uint16_t)unit;
	return r;
}

/* All files are there, so it is known what each variable holds. */
static int parse_units(struct loader *l, struct policy *policy)
{
	struct let_scope scopes[LIMIT_POLICY_FILES] = { { .list = NULL } };
	struct parser p = { .d = &l->diag, .native = l->search->native, .values = &scopes[0] };
	int r = let_compose(l->units, l->n_units, l->order, scopes, policy, &l->diag);

	for (size_t i = 0; i < l->n_units && r == 0; i++) {
		struct unit *u = &l->units[i];

		p.part = &u->part;
		p.visible = &scopes[i];
		r = parse_text(u->text, u->len, (uint16_t)i, &p);
		if (r == 0 && u->part.name && strcmp(u->part.name, u->name) != 0)
			diag_warn(&l->diag, u->part.name_where,
				  "the file is read under the name '%s'", quote(u->name).text);
	}
	if (r == 0)
		r = let_model(&scopes[0], policy);
	let_scopes_done(scopes, LIMIT_POLICY_FILES);
	return r;
}

static bool same_file(const struct unit *u, const struct stat *st)
{
	return u->dir && u->source.dev == st->st_dev && u->source.ino == st->st_ino;
}

static void report_cycle(struct loader *l, const struct part_use *use, const struct unit *again)
{
	/* who is open and was brought by a line of the policy that is used again */
	struct policy_where by = use->where;

	for (size_t i = 0; i < l->n_units; i++) {
		const struct unit *u = &l->units[i];

		if (u->open && u->used_at.line && &l->units[u->used_at.source] == again)
			by = u->used_at;
	}
	diag_error(&l->diag, use->where, "a cycle: '%s' leads here by %s and is used again",
		   again->name, diag_place(&l->diag, by).text);
}

static int load_use(struct loader *l, size_t unit, struct part_use *use, unsigned depth)
{
	_cleanup_close_ int fd = -1;
	_cleanup_buf_ struct buf path = BUF_INIT;
	struct stat st;
	size_t found = 0;
	int r;

	fd = find_name(l, l->units[unit].dir, use->name, &path, &st);
	if (fd == -ENOMEM)
		return fd;
	if (fd < 0) {
		struct suggestion s = suggest_policy(l, l->units[unit].dir, use->name);

		if (fd == -ENOENT)
			diag_error(&l->diag, use->where, "there is no policy '%s'", use->name);
		else
			diag_error(&l->diag, use->where, "policy '%s' cannot be opened: %s",
				   use->name, err_text(fd));
		suggest_end(&l->diag, &s);
		return 0;
	}
	while (found < l->n_units && !same_file(&l->units[found], &st))
		found++;
	use->part = found;
	if (found < l->n_units) {
		if (l->units[found].open)
			report_cycle(l, use, &l->units[found]);
		return 0;
	}
	if (depth > LIMIT_POLICY_DEPTH || l->n_units == LIMIT_POLICY_FILES) {
		diag_error(&l->diag, use->where,
			   "more than %d policies within each other, or %d together",
			   LIMIT_POLICY_DEPTH, LIMIT_POLICY_FILES);
		return 0;
	}
	r = add_file(l, fd, &st, path.data, use->name, &use->part);
	if (r < 0)
		return r;
	l->units[use->part].used_at = use->where;
	return read_unit(l, use->part, depth);
}

static int load_uses(struct loader *l, size_t unit, unsigned depth)
{
	struct part *part = &l->units[unit].part;

	for (size_t i = 0; i < part->n_uses && !diag_full(&l->diag); i++) {
		int r = load_use(l, unit, &part->uses[i], depth + 1);

		if (r < 0)
			return r;
	}
	return 0;
}

/* --- the whole --- */

static int take_sources(struct loader *l, struct policy *policy)
{
	const struct unit *root = &l->units[0];

	policy->name = strdup(root->part.name ? root->part.name : root->name);
	policy->sources = calloc(l->n_units, sizeof(*policy->sources));
	if (!policy->name || !policy->sources)
		return -ENOMEM;
	digest_policy(l->units, l->n_units, l->search->native, &policy->digest);
	for (; policy->n_sources < l->n_units; policy->n_sources++) {
		struct unit *u = &l->units[policy->n_sources];

		policy->sources[policy->n_sources] = u->source;
		policy->sources[policy->n_sources].text = u->text;
		policy->sources[policy->n_sources].len = u->len;
		u->source.path = NULL; /* now the policy's; the diagnostics are written */
		u->text = NULL;
	}
	return 0;
}

static void policy_freep(struct policy **policy)
{
	policy_free(*policy);
}

/* Unit 0 is there: read what it uses, compose, check. */
static int finish(struct loader *l, struct policy **ret)
{
	__attribute__((cleanup(policy_freep))) struct policy *policy = calloc(1, sizeof(*policy));
	const struct diag *d = &l->diag;
	int r = policy ? read_unit(l, 0, 0) : -ENOMEM;

	if (r == 0)
		r = parse_units(l, policy);
	if (r == 0 && d->out->n_errors)
		r = -EBADMSG;
	if (r == 0)
		r = compose_units(l->units, l->n_units, l->order, l->search->native, policy,
				  &l->diag);
	if (r == 0)
		r = check_rules(policy, &l->diag);
	if (r == 0 && d->no_memory)
		r = -ENOMEM;
	if (r == 0)
		r = take_sources(l, policy);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(policy);
	return 0;
}

static int report(struct loader *l, const char *what, int r)
{
	if (r == -EBADMSG) {
		unsigned n = l->diag.out->n_errors;

		return err_set(l->err, r, "use policy '%s': %u mistake%s in it", quote(what).text,
			       n, n == 1 ? "" : "s");
	}
	if (r == -ENOMEM)
		return err_set(l->err, r, "read policy '%s'", quote(what).text);
	return r;
}

static struct loader *loader_new(const struct policy_search *search, struct policy_diags *diags,
				 struct err *err)
{
	static const struct policy_search here = POLICY_SEARCH_INIT;
	struct loader *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->search = search ? search : &here;
	l->err = err;
	l->diag = (struct diag){ .out = diags, .sources = l->sources };
	return l;
}

static bool is_path(const char *what)
{
	size_t len = strlen(what);

	return strchr(what, '/') || (len > 7 && strcmp(what + len - 7, ".policy") == 0);
}

/* "dir/build.policy" -> "build" */
static int base_name(const char *path, char ret[LIMIT_PATH])
{
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;
	size_t len = strlen(base);

	if (len > 7 && strcmp(base + len - 7, ".policy") == 0)
		len -= 7;
	if (len >= LIMIT_PATH)
		return -ENAMETOOLONG;
	memcpy(ret, base, len);
	ret[len] = '\0';
	return 0;
}

static int not_found(struct loader *l, const char *what, int code)
{
	struct suggestion s = suggest_policy(l, NULL, what);

	err_set(l->err, code, "open policy '%s'", quote(what).text);
	if (code == -ENOENT && s.best[0])
		err_hint(l->err, "did you mean '%s'?", quote(s.best).text);
	return code;
}

int policy_load(const char *what, const struct policy_search *search, struct policy **ret,
		struct policy_diags *diags, struct err *err)
{
	__attribute__((cleanup(loader_freep))) struct loader *l = loader_new(search, diags, err);
	_cleanup_buf_ struct buf path = BUF_INIT;
	_cleanup_close_ int fd = -1;
	char name[LIMIT_PATH];
	struct stat st;
	size_t unit;
	int r;

	if (!l)
		return err_set(err, -ENOMEM, "read policy '%s'", quote(what).text);
	if (is_path(what)) {
		r = base_name(what, name);
		if (r < 0)
			return err_set(err, r, "open policy '%s'", quote(what).text);
		fd = open_file(what, &st);
		r = buf_puts(&path, what);
	} else {
		fd = find_name(l, NULL, what, &path, &st);
		r = strlen(what) < LIMIT_NAME ? 0 : -ENAMETOOLONG;
		if (r == 0)
			(void)snprintf(name, sizeof(name), "%s", what);
	}
	if (fd < 0)
		return not_found(l, what, fd);
	if (r == 0)
		r = add_file(l, fd, &st, path.data, name, &unit);
	if (r == 0)
		r = finish(l, ret);
	return report(l, what, r);
}

int policy_load_text(const char *name, const char *text, size_t len,
		     const struct policy_search *search, struct policy **ret,
		     struct policy_diags *diags, struct err *err)
{
	__attribute__((cleanup(loader_freep))) struct loader *l = loader_new(search, diags, err);
	char base[LIMIT_PATH];
	char *copy;
	size_t unit;
	int r = base_name(name, base);

	if (!l)
		return err_set(err, -ENOMEM, "read policy '%s'", quote(name).text);
	if (r == 0 && len > LIMIT_POLICY_BYTES)
		r = -EFBIG;
	if (r < 0)
		return err_set(err, r, "read policy '%s'", quote(name).text);
	copy = malloc(len + 1);
	if (!copy)
		return report(l, name, -ENOMEM);
	if (len)
		memcpy(copy, text, len);
	copy[len] = '\0';
	r = add_unit(l, name, base, copy, len, &unit);
	if (r == 0)
		r = finish(l, ret);
	return report(l, name, r);
}
