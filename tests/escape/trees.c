// SPDX-License-Identifier: Apache-2.0
/*
 * trees [--count N] [--seed S] [--replay S:K] CORDON LOOK DIR: launch on trees that an enemy made,
 * the hand-made ones and N from the seed, and judge each launch: it ends by itself, nothing outside
 * has changed, the payload saw no secret that lies outside, the tree itself is as it was where it
 * may not be written to, and the exit status is one that cordon gives. A finding names its replay.
 *
 * $SECRET is what lies in DIR/canary. Exit status: 0 no finding, 1 some, 2 it could not be done.
 */
#include "tests/escape/trees.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LIMIT_MS = 10000, OUTPUT = 1 << 18, FINDINGS = 20 };

static struct arena arena;
static const char *cordon;
static char secret[128], terces[128];
static unsigned findings, launches, ran, refused, failed_to_run;

static void fail(const char *what)
{
	fprintf(stderr, "trees: cannot %s: %s\n", what, strerror(errno));
	exit(2);
}

/* --- the outside, by all that stat(2) knows: a change of anything changes a ctime */

static uint64_t sum;

static void mix(const void *data, size_t n)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < n; i++)
		sum = (sum ^ p[i]) * 0x100000001b3U; /* FNV-1a */
}

static int add_one(const char *path, const struct stat *st, int flag, struct FTW *at)
{
	(void)flag;
	(void)at;
	mix(path, strlen(path));
	mix(&st->st_ino, sizeof(st->st_ino));
	mix(&st->st_mode, sizeof(st->st_mode));
	mix(&st->st_nlink, sizeof(st->st_nlink));
	mix(&st->st_size, sizeof(st->st_size));
	mix(&st->st_mtim, sizeof(st->st_mtim));
	mix(&st->st_ctim, sizeof(st->st_ctim));
	return 0;
}

static uint64_t look_of(const char *name)
{
	char path[TREE_TEXT + 64];

	snprintf(path, sizeof(path), "%s/%s", arena.dir, name);
	sum = 0xcbf29ce484222325U;
	nftw(path, add_one, 32, FTW_PHYS | FTW_MOUNT);
	return sum;
}

/* --- one launch */

struct outcome {
	int status;
	bool hung;
	char text[OUTPUT];
	size_t len;
};

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void become_cordon(const struct shape *s, int out)
{
	const char *argv[TREE_OPTIONS + 16];
	char log[TREE_TEXT + 16];
	size_t n = 0;
	int passed = open("/etc/hostname", O_RDONLY), dir = open(arena.dir, O_RDONLY | O_DIRECTORY);

	if (passed < 0)
		passed = open("/dev/null", O_RDONLY);
	/* 9 is for --file, and 7 a directory that was leaked */
	if (dup2(passed, 9) < 0 || dup2(dir, 7) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
		_exit(99);
	snprintf(log, sizeof(log), "file:%s/log.jsonl", arena.dir);
	argv[n++] = cordon;
	argv[n++] = "run";
	argv[n++] = "-q";
	argv[n++] = "--audit";
	argv[n++] = log;
	for (size_t i = 0; i < s->n; i++)
		argv[n++] = s->option[i];
	argv[n++] = "--";
	argv[n++] = s->command;
	argv[n++] = terces;
	argv[n] = NULL;
	setpgid(0, 0);
	execv(cordon, (char **)(unsigned long)argv);
	_exit(99);
}

static void launch(const struct shape *s, struct outcome *o)
{
	const long end = now_ms() + LIMIT_MS;
	int ends[2];
	pid_t pid;

	o->len = 0;
	o->hung = false;
	if (pipe2(ends, O_CLOEXEC) < 0)
		fail("make a pipe");
	fflush(stdout);
	pid = fork();
	if (pid == 0)
		become_cordon(s, ends[1]);
	close(ends[1]);
	if (pid < 0)
		fail("make a process");
	for (;;) {
		struct pollfd p = { .fd = ends[0], .events = POLLIN };
		long left = end - now_ms();
		ssize_t n;

		if (left <= 0 || poll(&p, 1, (int)left) == 0) {
			o->hung = true;
			kill(-pid, SIGKILL);
			kill(pid, SIGKILL);
			break;
		}
		n = read(ends[0], o->text + o->len, sizeof(o->text) - 1 - o->len);
		if (n <= 0)
			break;
		o->len += (size_t)n;
	}
	close(ends[0]);
	o->text[o->len] = '\0';
	waitpid(pid, &o->status, 0);
}

/* --- the judge */

static void finding(const char *replay, const struct shape *s, const struct outcome *o,
		    const char *what)
{
	if (++findings > FINDINGS)
		return;
	printf("finding: %s: %s\n  status %#x;", replay, what, (unsigned)o->status);
	for (size_t i = 0; i < s->n; i++)
		printf(" %s", s->option[i]);
	printf(" -- %s\n  said: %.600s\n", s->command, o->text);
}

static void judge(const char *replay, const struct shape *s, bool must_run)
{
	static struct outcome o;
	const uint64_t canary = look_of("canary"), honest = look_of("honest"), ro = look_of("ro");
	const uint64_t tree = s->whole ? look_of("tree") : 0;
	int code;

	launch(s, &o);
	launches++;
	code = WIFEXITED(o.status) ? WEXITSTATUS(o.status) : -1;
	if (o.hung)
		finding(replay, s, &o, "it hung");
	if (strstr(o.text, secret) || strstr(o.text, "SECRET "))
		finding(replay, s, &o, "the payload saw what lies outside");
	if (look_of("canary") != canary)
		finding(replay, s, &o, "something outside has changed");
	if (look_of("honest") != honest || look_of("ro") != ro)
		finding(replay, s, &o, "a layer or place that is not writable has changed");
	if (s->whole && look_of("tree") != tree)
		finding(replay, s, &o, "the base has changed");
	if (code == 0 && strstr(o.text, "ran\n")) {
		ran++;
	} else if (code == 125 || code == 126 || code == 127) {
		refused++;
		if (!strstr(o.text, "cordon: cannot"))
			finding(replay, s, &o, "refused without a sentence");
	} else if (code > 0 && code < 125 && !must_run) {
		failed_to_run++; /* a command of the tree's own */
	} else if (!o.hung) {
		finding(replay, s, &o, "an exit status that means nothing");
	}
	if (must_run && code != 0)
		finding(replay, s, &o, "an honest tree does not run");
}

/* --- the cases */

static void with_dir(const char *text, char *ret, size_t size)
{
	size_t n = 0;

	for (; *text; text++) {
		const char one[2] = { *text, '\0' };

		n += (size_t)snprintf(ret + n, size - n, "%s", *text == '@' ? arena.dir : one);
		if (n >= size)
			fail("name so long a path");
	}
}

static void clear(void)
{
	char path[TREE_TEXT + 16];

	snprintf(path, sizeof(path), "%s/tree", arena.dir);
	tree_remove(path);
	snprintf(path, sizeof(path), "%s/rw", arena.dir);
	tree_remove(path);
	if (mkdir(path, 0755) < 0)
		fail("make a directory");
}

static void one_by_hand(const struct hand *h)
{
	struct shape s = { .n = 0 };
	char root[TREE_TEXT + 8], options[2048], *rest = options;

	clear();
	snprintf(root, sizeof(root), "%s/tree", arena.dir);
	if (strstr(h->options, "--upper @/tree") || strstr(h->options, "@/tree/")) {
		if (mkdir(root, 0755) < 0)
			fail("make a tree");
		tree_build(&arena, root, h->entries);
	} else {
		tree_honest(&arena, root, h->entries);
		tree_build(&arena, root, h->entries);
		s.whole = strstr(h->options, "--base @/tree") != NULL;
	}
	with_dir(h->options, options, sizeof(options));
	if (!strstr(h->options, "--cwd")) {
		shape_add(&s, "--cwd");
		shape_add(&s, "/");
	}
	for (char *word; (word = strsep(&rest, " "));)
		if (*word)
			shape_add(&s, "%s", word);
	with_dir(h->command, s.command, sizeof(s.command));
	if (s.command[0] != '/' || strncmp(s.command, arena.dir, strlen(arena.dir)) == 0) {
		shape_add(&s, "--ro");
		shape_add(&s, "%s/look", arena.dir);
	}
	judge(h->name, &s, h->honest);
}

static void one_from_seed(uint64_t seed, unsigned long k)
{
	struct shape s;
	char replay[64];

	clear();
	snprintf(replay, sizeof(replay), "--replay %llu:%lu", (unsigned long long)seed, k);
	tree_random(&arena, seed * 1000003 + k, &s);
	if (strncmp(s.command, arena.dir, strlen(arena.dir)) == 0) {
		shape_add(&s, "--ro");
		shape_add(&s, "%s/look", arena.dir);
	}
	judge(replay, &s, false);
}

static void copy_look(const char *from, const char *path)
{
	static char block[1 << 16];
	int in = open(from, O_RDONLY | O_CLOEXEC), out;
	ssize_t n = 0;

	out = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	while (in >= 0 && (n = read(in, block, sizeof(block))) > 0)
		if (write(out, block, (size_t)n) != n)
			fail("copy the payload");
	if (in < 0 || out < 0 || n < 0 || close(out) < 0)
		fail("copy the payload");
	close(in);
}

static void make_arena(const char *dir, const char *look)
{
	static const char *const dirs[] = { "canary", "canary/sub", "ro", "rw", "ro/in" };
	char path[TREE_TEXT + 32];
	const char *s = getenv("SECRET");
	size_t n = s ? strlen(s) : 0;
	FILE *f;

	if (n < 8 || n >= sizeof(secret) || strlen(dir) >= TREE_TEXT - 200) {
		errno = EINVAL;
		fail("use $SECRET and DIR");
	}
	snprintf(arena.dir, sizeof(arena.dir), "%s", dir);
	strcpy(secret, s);
	for (size_t i = 0; i < n; i++)
		terces[i] = secret[n - 1 - i];
	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, dirs[i]);
		if (mkdir(path, 0755) < 0)
			fail("make the arena");
	}
	snprintf(path, sizeof(path), "%s/canary/secret", dir);
	f = fopen(path, "we");
	if (!f || fprintf(f, "%s\n", secret) < 0 || fclose(f) != 0)
		fail("plant the secret");
	/* trees link to one copy, whatever their number; layers that are compared have their own */
	snprintf(path, sizeof(path), "%s/look", dir);
	copy_look(look, path);
	snprintf(path, sizeof(path), "%s/honest", dir);
	arena.look = "";
	tree_honest(&arena, path, "");
	snprintf(path, sizeof(path), "%s/honest/bin/look", dir);
	copy_look(look, path);
	snprintf(path, sizeof(path), "%s/look", dir);
	arena.look = strdup(path);
}

int main(int argc, char **argv)
{
	unsigned long count = 0, seed = 1, only = 0;
	bool replay = false;
	int i = 1;

	for (; i + 1 < argc && argv[i][0] == '-'; i += 2) {
		if (!strcmp(argv[i], "--count"))
			count = strtoul(argv[i + 1], NULL, 10);
		else if (!strcmp(argv[i], "--seed"))
			seed = strtoul(argv[i + 1], NULL, 10);
		else if (!strcmp(argv[i], "--replay"))
			replay = sscanf(argv[i + 1], "%lu:%lu", &seed, &only) == 2;
	}
	if (argc - i != 3) {
		fprintf(stderr,
			"usage: trees [--count N] [--seed S] [--replay S:K] CORDON LOOK DIR\n");
		return 2;
	}
	umask(022);
	cordon = argv[i];
	make_arena(argv[i + 2], argv[i + 1]);
	for (size_t k = 0; k < n_hand_made && !replay; k++)
		one_by_hand(&hand_made[k]);
	for (unsigned long k = replay ? only : 0; k < (replay ? only + 1 : count); k++)
		one_from_seed(seed, k);
	clear();
	printf("%u launches on hostile trees (%zu by hand, seed %lu): %u ran, %u refused, %u ended "
	       "by themselves, %u findings\n",
	       launches, replay ? 0 : n_hand_made, seed, ran, refused, failed_to_run, findings);
	return findings != 0;
}
