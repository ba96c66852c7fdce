// SPDX-License-Identifier: Apache-2.0
/*
 * launches [--seed N] [--count N] [--dir DIR] CORDON [LIBRARY]     N random launches
 * launches --replay SEED [--keep] CORDON                           one of them, with all that it
 * said launches --twin CORDON                                           `inside` where nothing
 * holds
 * --launcher "WORD..." before any: what is put before cordon, to see that the judge can judge.
 *
 * A failure prints the launch's own seed, its command and what did not hold, named by the
 * invariants of SECURITY.md. At the end a line with counts, and what the refusals said. Status 1
 * after a failure.
 */
#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "tests/launches/launches.h"
#include "tests/unit/random_policy.h"

enum { MAX_SENTENCES = 400 };

const char *cordon;

static struct {
	uint64_t seed, count;
	const char *dir;
	bool replay, twin, keep;
	char *launcher[16];
} o = { .count = 1000 };

static struct {
	unsigned ran, wild, refused, dry, failed;
} count;
static char *sentences[MAX_SENTENCES];
static unsigned times[MAX_SENTENCES];

static int usage(void)
{
	fprintf(stderr, "usage: launches [--seed N] [--count N] [--dir DIR] [--launcher WORDS] "
			"[--replay SEED [--keep] | --twin] CORDON [LIBRARY]\n");
	return 2;
}

/* What was refused, without what is each launch's own. */
static void remember(const char *sentence)
{
	char text[512];
	size_t n = 0;
	bool quoted = false;

	for (const char *p = sentence; *p && n < sizeof(text) - 1; p++) {
		if (*p == '\'')
			quoted = !quoted;
		if (!quoted || *p == '\'')
			text[n++] = *p;
	}
	text[n] = '\0';
	for (int i = 0; i < MAX_SENTENCES; i++) {
		if (!sentences[i])
			sentences[i] = strdup(text);
		if (sentences[i] && strcmp(sentences[i], text) == 0) {
			times[i]++;
			return;
		}
	}
}

static bool one(uint64_t seed)
{
	static struct outcome outcome;
	struct launch *l = launch_draw(seed);

	launch_run(l, o.launcher, &outcome);
	count.ran += outcome.verdict == RAN;
	count.wild += outcome.verdict == RAN && l->wild;
	count.refused += outcome.verdict == REFUSED;
	count.dry += outcome.verdict == DRY;
	count.failed += outcome.verdict == FAILED_LAUNCH;
	if (outcome.verdict == REFUSED)
		remember(outcome.sentence);
	if (outcome.verdict == FAILED_LAUNCH || o.replay) {
		printf("%s: seed 0x%016llx: status %d%s\n",
		       outcome.verdict == FAILED_LAUNCH ? "FAILED" : "held",
		       (unsigned long long)seed, outcome.status,
		       l->wild ? ", under a policy that may refuse what is needed" : "");
		launch_show(l, o.launcher);
		printf("%s", outcome.why);
		if (outcome.verdict == FAILED_LAUNCH && !o.replay)
			printf("%.1500s", outcome.err);
	}
	if (o.replay) {
		for (size_t i = 0; i < l->n_told; i++)
			printf("told %s\n", l->told[i]);
		printf("--- standard output\n%s--- standard error\n%s", outcome.out, outcome.err);
	}
	fflush(stdout);
	launch_free(l);
	return outcome.verdict != FAILED_LAUNCH;
}

static int random_launches(void)
{
	uint64_t state = o.seed;
	const time_t began = time(NULL);

	for (uint64_t i = 0; i < o.count; i++) {
		one(random_next(&state));
		/* the same mistake again and again says nothing more */
		if (count.failed >= 25)
			break;
	}
	for (int i = 0; i < MAX_SENTENCES && sentences[i]; i++)
		printf("refused %4u times: %s\n", times[i], sentences[i]);
	printf("launches: seed %llu: %u ran (%u under a wild policy), %u refused, %u dry, "
	       "%u FAILED; %lld s\n",
	       (unsigned long long)o.seed, count.ran, count.wild, count.refused, count.dry,
	       count.failed, (long long)(time(NULL) - began));
	/* a generator of refusals would show nothing */
	if (o.count >= 100 && count.failed == 0 && count.ran - count.wild < o.count / 3) {
		printf("launches: too few of them ran\n");
		return 1;
	}
	return count.failed > 0;
}

/*
 * The program inside, outside: nothing holds there, and each of its checks has to say so.
 */
static int twin(void)
{
	char inside[PATH_SIZE + 16], words[32][3 * PATH_SIZE], *argv[34];
	static const char *const said[] = {
		"fds=0,1,2,99",
		"caps=123",
		"uid=4242",
		"gid=4242",
		"limit=nofile:7",
		"noenv=HOME",
		"env=HOME=x",
		"host=?",
		"cwd=/x",
		"argv0=x",
		"dumpable=0",
		"switch=/dev/null",
		"loopback=no",
		"tty=yes",
		"terminals=7",
		"clock-below=0",
		"made-link=/proc/self/exe:x",
		"made-file=/proc/self/comm:x",
	};
	size_t n = 0;

	snprintf(inside, sizeof(inside), "%s/inside", world.programs);
	for (; n < sizeof(said) / sizeof(said[0]); n++)
		snprintf(words[n], sizeof(words[0]), "%s", said[n]);
	snprintf(words[n++], sizeof(words[0]), "secret-backwards=%s", world.backwards);
	snprintf(words[n++], sizeof(words[0]), "mark=%s", world.abstract);
	snprintf(words[n++], sizeof(words[0]), "dir=---:%s:x", world.work);
	snprintf(words[n++], sizeof(words[0]), "hidden=%s", world.canary_tmp);
	snprintf(words[n++], sizeof(words[0]), "shm=%d", world.shm_key);
	snprintf(words[n++], sizeof(words[0]), "port=-:%d", world.port);
	snprintf(words[n++], sizeof(words[0]), "abstract=-:%s", world.abstract);
	snprintf(words[n++], sizeof(words[0]), "process=%d", (int)world.process);
	snprintf(words[n++], sizeof(words[0]), "trace=%d", (int)world.process);
	snprintf(words[n++], sizeof(words[0]), "ns=mnt:");
	snprintf(words[n++], sizeof(words[0]), "init=%d", (int)world.process);
	argv[0] = inside;
	for (size_t i = 0; i < n; i++)
		argv[i + 1] = words[i];
	argv[n + 1] = NULL;
	if (fork() == 0) {
		close(FD_NULL);
		setenv("SECRET", world.secret, 1);
		umask(0);
		if (world.root && setgroups(1, (gid_t[]){ 7 }) < 0)
			_exit(99);
		signal(SIGUSR1, SIG_IGN);
		execv(inside, argv);
		_exit(99);
	}
	wait(NULL);
	return 0;
}

static bool take_number(const char *text, uint64_t *ret)
{
	return text && text_parse_u64(text, ret) == 0;
}

static void take_launcher(char *words)
{
	size_t n = 0;

	for (char *w = strtok(words, " "); w && n < 15; w = strtok(NULL, " "))
		o.launcher[n++] = w;
}

static void stop(int sig)
{
	(void)sig;
	world_end();
	_exit(130);
}

int main(int argc, char **argv)
{
	static char library[PATH_SIZE];
	int i = 1, r;

	if (strcmp(argv[0], "sleep") == 0) { /* the process that the world has */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pause();
		return 0;
	}
	o.seed = (uint64_t)time(NULL);
	for (; i < argc && argv[i][0] == '-'; i++) {
		char *value = i + 1 < argc ? argv[i + 1] : NULL;

		if (strcmp(argv[i], "--twin") == 0) {
			o.twin = true;
			continue;
		}
		if (strcmp(argv[i], "--keep") == 0) {
			o.keep = true;
			continue;
		}
		if (strcmp(argv[i], "--dir") == 0 && value)
			o.dir = value;
		else if (strcmp(argv[i], "--launcher") == 0 && value)
			take_launcher(value);
		else if (strcmp(argv[i], "--replay") == 0 && take_number(value, &o.seed))
			o.replay = true;
		else if (!(strcmp(argv[i], "--seed") == 0 && take_number(value, &o.seed)) &&
			 !(strcmp(argv[i], "--count") == 0 && take_number(value, &o.count)))
			return usage();
		i++;
	}
	if (i >= argc)
		return usage();
	cordon = realpath(argv[i], NULL);
	if (!cordon) {
		fprintf(stderr, "launches: no %s: %s\n", argv[i], strerror(errno));
		return 2;
	}
	snprintf(library, sizeof(library), "%.*s/../policies/library",
		 (int)(strrchr(cordon, '/') - cordon), cordon);
	library_dir = i + 1 < argc ? argv[i + 1] : library;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	signal(SIGINT, stop);
	signal(SIGTERM, stop);
	if (!o.dir)
		o.dir = getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
	world_make(o.dir);
	r = o.twin ? twin() : o.replay ? !one(o.seed) : random_launches();
	if (!o.keep)
		world_end();
	return r;
}
