// SPDX-License-Identifier: Apache-2.0
/*
 * race [--kind NAME] [--launches N] [--tries N] [--exact N|all] [--mounts yes] [--seed S]
 *      CORDON LOOK DIR
 *
 * A process of the same user exchanges the components of a path (RENAME_EXCHANGE, with a symlink
 * out, a directory that holds one, another directory, a file, a FIFO) while sandboxes are launched
 * that name the path in each way there is. What the payload sees must be what lay there when the
 * plan looked, or the launch is refused: never what lies outside, and nothing there changes.
 *
 * For each kind of path, until both are reached: N launches, and N tries, a try being one exchange
 * that was made between the beginning of a launch and its end. What is printed counts both, and the
 * launches in which at least one exchange fell.
 *
 * --exact: launches with a single exchange, right before the nth call that names a path or moves a
 * mount, N of them for each kind or each; then it is known whether the plan had looked, and the
 * other directory may not be seen after that.
 *
 * --mounts yes: in a mount namespace that both share, the other directory is mounted over the
 * component instead. It wants to be run as root of a user namespace; only with --exact.
 *
 * $SECRET lies outside. Exit status: 0 no finding, 1 some, 2 it could not be done.
 */
#include "tests/races/races.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 4, FINDINGS = 20 };

struct shared {
	volatile unsigned long swaps;
	volatile int stop;
};

struct tally {
	unsigned long launches, hit, swaps, seen[_SEEN_MAX];
};

static struct arena arena;
static struct shared *shared;
static unsigned findings;
static uint64_t state;

/* splitmix64 (Steele, Lea, Flood 2014) */
static unsigned draw(unsigned below)
{
	uint64_t z = (state += 0x9e3779b97f4a7c15U);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
	return (unsigned)((z ^ (z >> 31)) % below);
}

static void finding(const struct kind *k, enum component c, enum decoy d, const char *how,
		    const char *why, const struct outcome *o)
{
	if (++findings > FINDINGS)
		return;
	printf("finding: %s, '%s' exchanged for a %s%s: %s\n  status %#x, said: %.600s\n", k->name,
	       component_names[c], decoy_names[d], how, why, (unsigned)o->status, o->text);
}

/* --- by chance */

static pid_t start_swapper(const char *one, const char *two)
{
	pid_t pid;

	shared->swaps = 0;
	shared->stop = 0;
	pid = fork();
	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	state ^= (uint64_t)getpid() << 32;
	while (!shared->stop) {
		if (arena_exchange(one, two) == 0)
			shared->swaps++;
		/* now in bursts, now so seldom that a launch meets one */
		if (draw(16) == 0)
			usleep(draw(4000));
		for (volatile unsigned i = draw(400); i > 0; i--)
			;
	}
	/* left as it was found */
	if (shared->swaps % 2 && arena_exchange(one, two) < 0)
		_exit(1);
	_exit(0);
}

static void batch(const struct kind *k, enum component c, enum decoy d, struct tally *t)
{
	static struct outcome o;
	char one[TEXT], two[TEXT];
	int status;
	pid_t pid;

	arena_pair(&arena, c, d, one, two);
	pid = start_swapper(one, two);
	if (pid < 0)
		fail("make a process");
	for (int i = 0; i < BATCH; i++) {
		const uint64_t outside = arena_outside(&arena, k);
		const unsigned long before = shared->swaps;
		unsigned long during;
		const char *why;
		enum seen seen;

		launch_run(&arena, k, &o);
		during = shared->swaps - before;
		seen = launch_judge(&arena, k, &o, outside, &why);
		t->launches++;
		t->hit += during > 0;
		t->swaps += during;
		t->seen[seen]++;
		if (why)
			finding(k, c, d, "", why, &o);
		arena_tidy(&arena);
	}
	shared->stop = 1;
	if (waitpid(pid, &status, 0) != pid || status != 0)
		fail("end the exchanges");
}

static void by_chance(const struct kind *k, unsigned long launches, unsigned long tries)
{
	struct tally t = { 0 };

	while (t.launches < launches || t.swaps < tries)
		batch(k, draw(_COMPONENT_MAX), draw(_DECOY_MAX), &t);
	printf("%-22s %6lu launches, %6lu of them with an exchange, %8lu exchanges:", k->name,
	       t.launches, t.hit, t.swaps);
	for (int i = 0; i < _SEEN_MAX; i++)
		printf(" %s %lu%s", seen_names[i], t.seen[i], i + 1 < _SEEN_MAX ? "," : "\n");
	fflush(stdout);
}

/* --- at a known point */

/* The nth call of one kind of launch; false when there are no more. */
static bool exact(const struct kind *k, enum component c, enum decoy d, unsigned nth,
		  struct tally *t)
{
	static struct outcome o;
	const uint64_t outside = arena_outside(&arena, k);
	char one[TEXT], two[TEXT], how[64];
	const char *why;
	enum seen seen;
	bool after, reached;

	arena_pair(&arena, c, d, one, two);
	reached = exact_run(&arena, k, one, two, nth, &after, &o);
	seen = launch_judge(&arena, k, &o, outside, &why);
	snprintf(how, sizeof(how), " before call %u (%s the look)", nth,
		 after ? "after" : "before");
	/* what is moved into a tree that is shown anyhow is shown */
	if (!why && after && reached && seen == SEEN_OTHER && !k->hides && !k->closes)
		why = "not what the plan had looked at";
	if (!why && after && reached && k->hides && seen == SEEN_PLANNED)
		why = "what the plan hides is seen";
	if (!why && after && reached && k->closes &&
	    faccessat(arena.planned, ".cordon-look", F_OK, 0) == 0)
		why = "what the plan shows read-only was written to";
	if (why)
		finding(k, c, d, how, why, &o);
	t->launches++;
	t->hit += reached && after;
	t->swaps += reached;
	t->seen[why ? SEEN_FINDING : seen]++;
	arena_tidy(&arena);
	return reached;
}

static unsigned count_points(const struct kind *k)
{
	static struct outcome o;
	char one[TEXT], two[TEXT];
	bool after;
	unsigned n;

	arena_pair(&arena, COMPONENT_C, DECOY_DIR, one, two);
	n = exact_run(&arena, k, one, two, 0, &after, &o);
	arena_tidy(&arena);
	if (n == 0)
		fail("follow a launch");
	return n;
}

static void at_points(const struct kind *k, unsigned long n)
{
	static const enum decoy decoys[] = { DECOY_DIR, DECOY_DIR, DECOY_LINK, DECOY_INNER };
	const unsigned kinds_of = arena_by_mounts ? 1 : 4;
	struct tally t = { 0 };
	unsigned last;

	if (n == 0) {
		for (int c = 0; c < _COMPONENT_MAX; c++)
			for (unsigned nth = 1; exact(k, (enum component)c, DECOY_DIR, nth, &t);)
				nth++;
	} else {
		last = count_points(k);
		for (unsigned long i = 0; i < n; i++)
			exact(k, draw(_COMPONENT_MAX), decoys[draw(kinds_of)], 1 + draw(last), &t);
	}
	printf("%-22s %6lu launches with one exchange each, %6lu of them after the look:", k->name,
	       t.swaps, t.hit);
	for (int i = 0; i < _SEEN_MAX; i++)
		printf(" %s %lu%s", seen_names[i], t.seen[i], i + 1 < _SEEN_MAX ? "," : "\n");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	unsigned long launches = 0, tries = 0, points = 0;
	const char *only = NULL, *exactly = NULL;
	int i = 1;

	for (; i + 1 < argc && argv[i][0] == '-'; i += 2) {
		if (!strcmp(argv[i], "--kind"))
			only = argv[i + 1];
		else if (!strcmp(argv[i], "--launches"))
			launches = strtoul(argv[i + 1], NULL, 10);
		else if (!strcmp(argv[i], "--tries"))
			tries = strtoul(argv[i + 1], NULL, 10);
		else if (!strcmp(argv[i], "--exact"))
			exactly = argv[i + 1];
		else if (!strcmp(argv[i], "--mounts"))
			arena_by_mounts = true;
		else if (!strcmp(argv[i], "--seed"))
			state = strtoul(argv[i + 1], NULL, 10);
	}
	if (argc - i != 3) {
		fprintf(stderr, "usage: race [--kind NAME] [--launches N] [--tries N] [--exact "
				"N|all] [--mounts yes] [--seed S] CORDON LOOK DIR\n");
		return 2;
	}
	umask(022);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED)
		fail("map a page");
	arena.cordon = argv[i];
	arena_make(&arena, argv[i + 2], argv[i + 1]);
	points = exactly && strcmp(exactly, "all") ? strtoul(exactly, NULL, 10) : 0;
	for (size_t k = 0; k < n_kinds; k++) {
		if (only && strcmp(only, kinds[k].name) != 0)
			continue;
		if (exactly)
			at_points(&kinds[k], points);
		else
			by_chance(&kinds[k], launches, tries);
	}
	printf("races: %u findings\n", findings);
	return findings != 0;
}
