// SPDX-License-Identifier: Apache-2.0
/* Trees on disk: from words, and from a seed. What cannot be made (a name twice, a parent that is
 * a file) is left out: the tree is hostile, not tidy. */
#include "tests/escape/trees.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { LONG = 4096 };

/* --- removing, where modes may be in the way */

static int make_open(const char *path, const struct stat *st, int flag, struct FTW *at)
{
	(void)st;
	(void)at;
	if (flag == FTW_D || flag == FTW_DNR)
		(void)chmod(path, 0700);
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *at)
{
	(void)st;
	(void)at;
	(void)(flag == FTW_DP || flag == FTW_D || flag == FTW_DNR ? rmdir(path) : unlink(path));
	return 0;
}

void tree_remove(const char *path)
{
	/* a directory that nobody may list is opened before it is listed: twice, for what is in it
	 */
	for (int i = 0; i < 4; i++)
		nftw(path, make_open, 32, FTW_PHYS | FTW_MOUNT);
	nftw(path, remove_one, 32, FTW_PHYS | FTW_MOUNT | FTW_DEPTH);
}

/* --- making */

static void make_file(const char *path, off_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);

	if (fd < 0)
		return;
	(void)!write(fd, "text\n", 5);
	if (size)
		(void)!ftruncate(fd, size);
	close(fd);
}

static void make_socket(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	if (strlen(path) < sizeof(un.sun_path)) {
		strcpy(un.sun_path, path);
		(void)!bind(fd, (struct sockaddr *)&un, sizeof(un));
	}
	close(fd);
}

/* Whether what is named has its place in the tree: nothing is planted through a symlink that leads
 * out. */
static bool is_beneath(const char *root, const char *name)
{
	const struct open_how how = { .flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
				      .resolve = RESOLVE_BENEATH };
	char parent[LONG] = ".";
	const char *slash = strrchr(name, '/');
	const int top = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	long fd;

	if (slash)
		snprintf(parent, sizeof(parent), "%.*s", (int)(slash - name), name);
	fd = syscall(SYS_openat2, top, parent, &how, sizeof(how));
	if (fd >= 0)
		close((int)fd);
	close(top);
	return fd >= 0;
}

static void make(const struct arena *a, const char *root, char type, const char *name,
		 const char *target)
{
	char path[LONG + TREE_TEXT], to[2 * LONG] = "";

	snprintf(path, sizeof(path), "%s/%s", root, name);
	for (const char *p = target; *p && strlen(to) < LONG; p++) {
		size_t n = strlen(to);

		if (*p == '@')
			snprintf(to + n, sizeof(to) - n, "%s", a->dir);
		else
			to[n] = *p, to[n + 1] = '\0';
	}
	if (!is_beneath(root, name) || (type == 'h' && !is_beneath(root, target)))
		return;
	switch (type) {
	case 'l':
		(void)!symlink(to, path);
		break;
	case 'd':
		(void)mkdir(path, 0755);
		break;
	case '0':
		(void)mkdir(path, 0);
		break;
	case 'f':
		make_file(path, 0);
		break;
	case 'b':
		make_file(path, (off_t)1 << 40);
		break;
	case 'p':
		(void)mkfifo(path, 0666);
		break;
	case 's':
		make_socket(path);
		break;
	case 'w':
		(void)mknod(path, S_IFCHR | 0600, 0);
		break;
	case 'h':
		snprintf(to, sizeof(to), "%s/%s", root, target);
		(void)!link(to, path);
		break;
	case 'o':
		(void)lsetxattr(path, "user.overlay.opaque", "y", 1, 0);
		break;
	case 'm':
		(void)lsetxattr(path, "user.overlay.metacopy", "", 0, 0);
		break;
	case 'r':
		(void)lsetxattr(path, "user.overlay.redirect", to, strlen(to), 0);
		break;
	default:
		abort();
	}
}

static bool is_in(const char *words, const char *name)
{
	const size_t len = strlen(name);

	for (const char *p = words; (p = strstr(p, name)); p += len)
		if ((p == words || p[-1] == ':') && (p[len] == '\0' || strchr(" >", p[len])))
			return true;
	return false;
}

void tree_honest(const struct arena *a, const char *path, const char *skip)
{
	static const char *const dirs[] = { "bin", "dev", "etc", "home", "lib", "opt", "proc",
					    "run", "tmp", "usr", "var",	 "ro",	"rw" };
	char name[LONG];

	(void)mkdir(path, 0755);
	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++) {
		if (is_in(skip, dirs[i]))
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, dirs[i]);
		(void)mkdir(name, 0755);
	}
	snprintf(name, sizeof(name), "%s/bin/look", path);
	(void)!link(a->look, name);
}

void tree_build(const struct arena *a, const char *root, const char *entries)
{
	char *copy = strdup(entries), *rest = copy;

	for (char *word; (word = strsep(&rest, " "));) {
		char *target = strchr(word, '>');

		if (!word[0] || word[1] != ':')
			continue;
		if (target)
			*target++ = '\0';
		make(a, root, word[0], word + 2, target ? target : "");
	}
	free(copy);
}

/* --- from a seed */

static uint64_t state;

/* splitmix64 (Steele, Lea, Flood 2014) */
static unsigned draw(unsigned below)
{
	uint64_t z = (state += 0x9e3779b97f4a7c15U);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
	return (unsigned)((z ^ (z >> 31)) % below);
}

#define PICK(list) ((list)[draw(sizeof(list) / sizeof(*(list)))])

/* What a launcher looks for, and names that are trouble by themselves. */
static const char *const names[] = {
	"dev",		 "proc",	 "sys",	  "tmp",
	"etc",		 "run",		 "home",  "root",
	"var",		 "usr",		 "lib",	  "opt",
	"mnt",		 "bin",		 "x",	  "y",
	"null",		 "pts",		 "shm",	  "tty",
	"passwd",	 "group",	 "self",  "fd",
	"upper",	 "work",	 "index", "go",
	"secret",	 "sub",		 "...",	  " ",
	"-rf",		 "a:b",		 "a\\b",  "\n",
	"\033[2J",	 "\xff",	 "'\"",	  "*",
	"ld.so.preload", "resolv.conf",	 "ptmx",  "oldroot",
	".wh.x",	 ".wh..wh..opq", "core",  "look",
};
static const char *const targets[] = {
	"@/canary",
	"@/canary/secret",
	"@/canary/new",
	"@/canary/sub/",
	"../../../../../../../../../../../../@/canary",
	"../../../../../../../../../../../../@/canary/secret",
	"/proc/self/root@/canary",
	"/proc/1/root@/canary",
	"/proc/self/fd/7",
	"/proc/self/fd/9",
	"/proc/self/cwd",
	"/proc/self/exe",
	"/proc/thread-self/root/../../..@/canary",
	"/dev/fd/7/../..",
	"/",
	".",
	"..",
	"x",
	"y",
	"../x",
	"/etc",
	"/tmp",
	"/nowhere",
	"/dev/null",
	"///@///canary//",
	"@/canary/./sub/..",
};

static void random_path(char *ret, size_t size, unsigned depth)
{
	ret[0] = '\0';
	for (unsigned i = 0; i <= depth; i++) {
		size_t n = strlen(ret);

		snprintf(ret + n, size - n, "%s%s", n ? "/" : "", PICK(names));
	}
}

static void random_entry(const struct arena *a, const char *root)
{
	/* mostly directories, so that there is somewhere to go, and symlinks */
	static const char types[] = "dddddlllllllfffppswwh0bormo";
	char name[LONG], target[LONG];
	char type = types[draw(sizeof(types) - 1)];

	random_path(name, sizeof(name), draw(3));
	snprintf(target, sizeof(target), "%s", PICK(targets));
	if (type == 'h' || (type == 'l' && draw(4) == 0))
		random_path(target, sizeof(target), draw(2));
	if (type == 'l' && draw(40) == 0)
		memset(target, '/', LONG - 2), target[LONG - 2] = '\0';
	make(a, root, type, name, target);
}

static void deep(const char *root)
{
	char path[LONG];
	size_t n = (size_t)snprintf(path, sizeof(path), "%s", root);
	const unsigned depth = 20 + draw(200);

	for (unsigned i = 0; i < depth && n + 3 < sizeof(path); i++) {
		n += (size_t)snprintf(path + n, sizeof(path) - n, "/d");
		(void)mkdir(path, 0755);
	}
}

void shape_add(struct shape *s, const char *fmt, ...)
{
	va_list ap;

	if (s->n == TREE_OPTIONS)
		abort();
	va_start(ap, fmt);
	vsnprintf(s->option[s->n++], TREE_TEXT, fmt, ap);
	va_end(ap);
}

/* A place of one of the kinds at a name of the tree's. */
static void random_place(const struct arena *a, struct shape *s)
{
	static const char *const kinds[] = { "--ro",  "--rw",	   "--overlay", "--tmpfs", "--hide",
					     "--dir", "--symlink", "--file",	"--cwd" };
	const char *kind = PICK(kinds);
	char at[TREE_TEXT - 64];

	random_path(at, sizeof(at), draw(3));
	for (char *p = at; *p; p++)
		if (*p == ':' || *p == '\\')
			*p = '_';
	shape_add(s, "%s", kind);
	if (!strcmp(kind, "--ro") || !strcmp(kind, "--overlay"))
		shape_add(s, "%.200s/ro:/%.200s", a->dir, at);
	else if (!strcmp(kind, "--rw"))
		shape_add(s, "%.200s/rw:/%.200s", a->dir, at);
	else if (!strcmp(kind, "--symlink"))
		shape_add(s, "text:/%.200s", at);
	else if (!strcmp(kind, "--file"))
		shape_add(s, "9:/%.200s", at);
	else
		shape_add(s, "/%.200s", at);
}

static void random_options(const struct arena *a, struct shape *s)
{
	static const char *const policies[] = { "default", "build", "session", "strict" };

	shape_add(s, "--policy");
	shape_add(s, "%s", PICK(policies));
	if (draw(3) == 0) {
		shape_add(s, "--uid");
		shape_add(s, "0");
	}
	for (unsigned n = draw(4); n > 0; n--)
		random_place(a, s);
}

static void random_base(const struct arena *a, struct shape *s)
{
	shape_add(s, "--base");
	shape_add(s, "%s/tree", a->dir);
	s->whole = true;
	switch (draw(4)) {
	case 0:
		shape_add(s, "--upper");
		shape_add(s, "none");
		break;
	case 1:
		shape_add(s, "--base");
		shape_add(s, "%s/honest", a->dir);
		break;
	default:
		break;
	}
	if (draw(3) == 0) {
		char go[TREE_TEXT - 8];

		random_path(go, sizeof(go), draw(2));
		snprintf(s->command, sizeof(s->command), "/%s", go);
	} else {
		snprintf(s->command, sizeof(s->command), "/bin/look");
	}
}

/* As an upper: parts of it are the kernel's to write to. */
static void random_upper(const struct arena *a, struct shape *s)
{
	shape_add(s, "--base");
	shape_add(s, "%s/honest", a->dir);
	shape_add(s, "--upper");
	shape_add(s, "%s/tree", a->dir);
	snprintf(s->command, sizeof(s->command), "/bin/look");
}

static void random_shown(const struct arena *a, struct shape *s)
{
	static const char *const kinds[] = { "--ro", "--rw", "--overlay" };
	char at[TREE_TEXT - 64];

	for (unsigned n = 1 + draw(3); n > 0; n--) {
		random_path(at, sizeof(at), draw(3));
		for (char *p = at; *p; p++)
			if (*p == ':' || *p == '\\')
				*p = '_';
		shape_add(s, "%s", PICK(kinds));
		shape_add(s, "%.200s/tree/%.200s", a->dir, draw(4) ? at : "");
	}
	snprintf(s->command, sizeof(s->command), "%s/look", a->dir);
}

void tree_random(const struct arena *a, uint64_t seed, struct shape *ret)
{
	char root[TREE_TEXT + 8];
	unsigned kind, entries;

	state = seed;
	memset(ret, 0, sizeof(*ret));
	kind = draw(8);
	snprintf(root, sizeof(root), "%s/tree", a->dir);
	(void)mkdir(root, 0755);
	/* half of them whole roots with something wrong, half of them nothing but what is wrong */
	entries = 1 + draw(40);
	for (unsigned i = 0; i < entries; i++)
		random_entry(a, root);
	if (draw(10) == 0)
		deep(root);
	if (draw(2))
		tree_honest(a, root, "");
	shape_add(ret, "--cwd");
	shape_add(ret, "/");
	if (kind < 5)
		random_base(a, ret);
	else if (kind == 5)
		random_upper(a, ret);
	else
		random_shown(a, ret);
	random_options(a, ret);
}
