// SPDX-License-Identifier: Apache-2.0
/*
 * The options of a launch. Each draw that the launcher may refuse says by which words its refusal
 * is known; a launch without such a draw has to run.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/launches/launches.h"
#include "tests/unit/random_policy.h"

uint64_t draw(struct launch *l, uint64_t below)
{
	return random_below(&l->state, below);
}

bool chance(struct launch *l, unsigned percent)
{
	return random_below(&l->state, 100) < percent;
}

char *launch_text(struct launch *l, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (l->n_kept == sizeof(l->kept) / sizeof(l->kept[0]) || vasprintf(&text, fmt, ap) < 0) {
		fprintf(stderr, "launches: too many words\n");
		exit(2);
	}
	va_end(ap);
	l->kept[l->n_kept++] = text;
	return text;
}

void launch_word(struct launch *l, const char *word)
{
	if (l->n_words == MAX_WORDS - 1)
		exit(2);
	l->words[l->n_words++] = launch_text(l, "%s", word);
}

void launch_tell(struct launch *l, const char *fmt, ...)
{
	char text[4 * PATH_SIZE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (l->n_told < MAX_WORDS)
		l->told[l->n_told++] = launch_text(l, "%s", text);
}

void launch_may_refuse(struct launch *l, const char *text)
{
	if (l->n_refusals < MAX_REFUSALS)
		l->refusals[l->n_refusals++] = launch_text(l, "%s", text);
	else /* so many that any explains it */
		l->refusals[0] = launch_text(l, "%s", "");
}

void launch_option(struct launch *l, const char *name, const char *value)
{
	/* the two ways to give a value */
	if (chance(l, 20)) {
		launch_word(l, launch_text(l, "%s=%s", name, value));
		return;
	}
	launch_word(l, name);
	launch_word(l, value);
}

static void draw_root(struct launch *l)
{
	if (chance(l, 75)) {
		if (chance(l, 10)) {
			launch_option(l, "--upper", "none");
			l->upper = NO_UPPER;
		} else if (chance(l, 1)) {
			launch_option(l, "--upper", world.upper);
			launch_may_refuse(l, "keep the upper");
		}
		return;
	}
	l->n_bases = 1 + draw(l, 2);
	if (l->n_bases == 2)
		launch_option(l, "--base", world.over);
	launch_option(l, "--base", world.base);
	switch (draw(l, l->n_bases == 2 ? 12 : 4)) {
	case 0:
		launch_option(l, "--upper", "none");
		l->upper = NO_UPPER;
		if (l->n_bases == 2)
			launch_may_refuse(l, "with --upper none");
		break;
	case 1:
		launch_option(l, "--upper", place_spell(l, world.upper));
		l->upper = UPPER_KEPT;
		break;
	default:
		break;
	}
}

/* --- who it is */

static void draw_identity(struct launch *l)
{
	static const char *const names[] = { "box", "a.b-c.example", "X", "0" };
	unsigned uid = geteuid(), gid = getegid();

	if (chance(l, 40)) {
		uid = gid = chance(l, 50) ? 0 : 1 + (unsigned)draw(l, 4000000000U);
		launch_option(l, "--uid", launch_text(l, "%u", uid));
	}
	launch_tell(l, "uid=%u", uid);
	launch_tell(l, "gid=%u", gid);
	if (chance(l, 30)) {
		const char *name = names[draw(l, 4)];

		launch_option(l, "--hostname", name);
		launch_tell(l, "host=%s", name);
	} else {
		launch_tell(l, "host=cordon");
	}
	if (chance(l, 15)) {
		launch_option(l, "--argv0", "some other name");
		launch_tell(l, "argv0=some other name");
	}
	if (chance(l, 10))
		launch_word(l, "--new-time");
	if (chance(l, 30)) {
		static const char *const dirs[] = { "/", "/tmp", "/usr", "/launches" };
		const char *dir =
			chance(l, 70) ? dirs[draw(l, 4)]
				      : launch_text(l, "%s", world_path(world_nodes[draw(l, 6)]));

		launch_option(l, "--cwd", dir);
		launch_tell(l, "cwd=%s", dir);
		launch_may_refuse(l, "enter the working directory");
	}
}

static void draw_terminal(struct launch *l)
{
	enum { AUTO, ALWAYS, NEVER } pty = AUTO;
	unsigned own, inside;

	if (chance(l, 35)) {
		l->terminals = 1 + (unsigned)draw(l, 7);
		l->controlling = chance(l, 75);
	}
	if (chance(l, 30)) {
		static const char *const names[] = { "auto", "always", "never" };

		pty = draw(l, 3);
		launch_option(l, "--pty", names[pty]);
	}
	own = pty == NEVER ? 0 : pty == ALWAYS && !l->terminals ? 7 : l->terminals;
	inside = own | (pty == NEVER ? l->terminals : 0);
	launch_tell(l, "tty=%s", own ? "yes" : "no");
	launch_tell(l, "terminals=%u", inside);
	l->terminal_given = pty == NEVER;
}

static void draw_environment(struct launch *l)
{
	static const char *const values[] = { "", "x", "a b=c", "\xc3\xa9\xff", "$(id)" };

	for (uint64_t n = draw(l, 4); n > 0; n--) {
		const char *value = values[draw(l, 5)];

		launch_option(l, "--env", launch_text(l, "GIVEN_%u=%s", (unsigned)n, value));
		launch_tell(l, "env=GIVEN_%u=%s", (unsigned)n, value);
	}
	if (chance(l, 30)) {
		launch_option(l, "--env", "LAUNCHES_PASSED");
		launch_tell(l, "env=LAUNCHES_PASSED=passed");
	}
	if (chance(l, 10))
		launch_option(l, "--env", "NOT_SET_ANYWHERE");
}

static void draw_descriptors(struct launch *l)
{
	static const int all[] = { FD_NULL, FD_READ };
	char list[64] = "0,1,2";

	for (int i = 0; i < 2; i++) {
		if (!chance(l, 15))
			continue;
		launch_option(l, "--fd", launch_text(l, "%d", all[i]));
		snprintf(list + strlen(list), sizeof(list) - strlen(list), ",%d", all[i]);
	}
	if (chance(l, 2)) {
		launch_option(l, "--fd", launch_text(l, "%d", FD_LEAK));
		launch_may_refuse(l, "it is a directory");
	}
	if (chance(l, 2)) {
		launch_option(l, "--fd", "77");
		launch_may_refuse(l, "no open descriptor");
	}
	launch_tell(l, "fds=%s", list);
}

/* --- limits and the log */

static void draw_limit(struct launch *l, const char *name, const char *value)
{
	launch_option(l, "--limit", launch_text(l, "%s=%s", name, value));
}

/* What the kernel counts for each process, as it has to read inside. */
static void tell_limit(struct launch *l, const char *name, enum policy_limit which, int resource,
		       uint64_t asked)
{
	struct rlimit now;
	uint64_t want = asked;

	if (want == 0 && l->policy && l->policy->has_limit[which])
		want = l->policy->limit[which];
	if (want == 0 || getrlimit(resource, &now) < 0)
		return;
	if (world.by_cgroup && which != POLICY_LIMIT_NOFILE)
		return;
	launch_tell(l, "limit=%s:%llu", name,
		    (unsigned long long)(want < now.rlim_max ? want : now.rlim_max));
}

static void draw_limits(struct launch *l)
{
	static const char *const whole[] = { "cpu=1.5",	       "cpu-weight=50", "io-weight=10",
					     "memory-high=1G", "swap=0",	"cpuset=0" };
	uint64_t nofile = 0, pids = 0, memory = 0;

	if (chance(l, 20)) {
		nofile = 40 + draw(l, 3000);
		draw_limit(l, "nofile", launch_text(l, "%u", (unsigned)nofile));
	}
	if (chance(l, world.root ? 2 : 10)) {
		pids = 30 + draw(l, 300);
		draw_limit(l, "pids", launch_text(l, "%u", (unsigned)pids));
		if (world.root && !world.by_cgroup)
			launch_may_refuse(l, "pids");
	}
	if (chance(l, 3) && !world.sanitized) {
		memory = (64 + draw(l, 400)) << 20;
		draw_limit(l, "memory", launch_text(l, "%uM", (unsigned)(memory >> 20)));
		/* by name it is the sum of all processes */
		if (!world.by_cgroup)
			launch_may_refuse(l, "--limit memory");
	}
	if (chance(l, 15))
		draw_limit(l, "upper", launch_text(l, "%uM", 1 + (unsigned)draw(l, 64)));
	if (chance(l, 15))
		draw_limit(l, "inodes", launch_text(l, "%uK", 2 + (unsigned)draw(l, 64)));
	if (chance(l, 15))
		draw_limit(l, "wall", "1h");
	if (chance(l, 3)) {
		launch_option(l, "--limit", whole[draw(l, 6)]);
		if (!world.by_cgroup)
			launch_may_refuse(l, "limit");
	}
	launch_tell(l, "limit=core:0");
	tell_limit(l, "nofile", POLICY_LIMIT_NOFILE, RLIMIT_NOFILE, nofile);
	tell_limit(l, "nproc", POLICY_LIMIT_PIDS, RLIMIT_NPROC, pids);
	tell_limit(l, "data", POLICY_LIMIT_MEMORY, RLIMIT_DATA, memory);
}

static void draw_log(struct launch *l)
{
	static const char *const rotations[] = { "never", "size=64K,keep=1", "age=1h",
						 "size=1M,age=30d,keep=512" };
	uint64_t n = draw(l, 3);

	l->own_log = n == 0;
	for (; n > 0; n--) {
		const char *path = launch_text(l, "%s-%u", world_path("log/audit"), (unsigned)n);

		switch (draw(l, 8)) {
		case 0:
			launch_option(l, "--audit", "stderr");
			break;
		case 1:
			if (l->n_logs > 0 && strcmp(l->logs[0], "fd") == 0)
				break;
			launch_option(l, "--audit", launch_text(l, "fd:%d", FD_LOG));
			snprintf(l->logs[l->n_logs++], PATH_SIZE, "fd");
			break;
		case 2:
			launch_option(l, "--audit", launch_text(l, "syslog:%s", world.syslog));
			break;
		default:
			launch_option(l, "--audit", launch_text(l, "file:%s", path));
			snprintf(l->logs[l->n_logs++], PATH_SIZE, "%s", path);
		}
	}
	if (chance(l, 15))
		launch_option(l, "--audit-rotate", rotations[draw(l, 4)]);
	if (chance(l, 10))
		launch_option(l, "--audit-flood", "2M");
}

/* --- the rest */

static void draw_telling(struct launch *l)
{
	if (chance(l, 6)) {
		launch_word(l, "--dry-run");
		l->dry = true;
	}
	if (chance(l, 5))
		launch_word(l, "--json");
	if (chance(l, 15))
		launch_word(l, chance(l, 50) ? "-v" : "-q");
	if (chance(l, 4)) {
		static const char *const labels[] = { "apparmor=auto", "selinux=auto",
						      "apparmor=none", "apparmor=not-loaded",
						      "selinux=no_such_t:c1,c2" };
		const uint64_t which = draw(l, 5);

		launch_option(l, "--label", labels[which]);
		if (which > 2)
			launch_may_refuse(l, "");
	}
	l->rude = chance(l, 25);
}

/* What no launch takes. */
static void draw_nonsense(struct launch *l)
{
	static const char *const words[][3] = {
		{ "--net", "inet", "--net" },
		{ "--uid", "-1", "--uid" },
		{ "--uid", "4294967295", "--uid" },
		{ "--limit", "nofile=0x", "--limit" },
		{ "--limit", "nothing=1", "--limit" },
		{ "--hostname", "a_b", "--hostname" },
		{ "--env", "=x", "--env" },
		{ "--pty", "yes", "--pty" },
		{ "--fd", "3x", "--fd" },
		{ "--audit", "file:", "" },
		{ "--audit", "smoke:signal", "" },
		{ "--audit-rotate", "size=1", "--audit-rotate" },
		{ "--audit-flood", "1K", "--audit-flood" },
		{ "--ro", "", "--ro" },
		{ "--symlink", "x", "--symlink" },
		{ "--file", "77:/x", "--file" },
		{ "--label", "smack=x", "--label" },
		{ "--policy", "no-such-policy", "policy" },
		{ "--upper", "/proc/self/fd", "" },
		{ "--base", "/", "base" },
		{ "--nosuch", "x", "--nosuch" },
		{ "--cwd", "\x1b[2J", "" },
	};
	const uint64_t which = draw(l, sizeof(words) / sizeof(words[0]));

	launch_option(l, words[which][0], words[which][1]);
	launch_may_refuse(l, words[which][2]);
}

static void shuffle(struct launch *l)
{
	char *old[MAX_WORDS];
	size_t begin[MAX_WORDS], n_groups = 0, n = 0;

	memcpy(old, l->words, sizeof(old));
	for (size_t i = 0; i < l->n_words; i++)
		if (old[i][0] == '-' &&
		    (i == 0 || old[i - 1][0] != '-' || strcmp(old[i], "-1") != 0))
			begin[n_groups++] = i;
	begin[n_groups] = l->n_words;
	/* an option and its value stay together */
	for (size_t left = n_groups; left > 0; left--) {
		size_t pick = draw(l, left), from = begin[pick], to = from + 1;

		while (to < l->n_words && (old[to][0] != '-' || strcmp(old[to], "-1") == 0))
			to++;
		for (size_t i = from; i < to; i++)
			l->words[n++] = old[i];
		begin[pick] = begin[left - 1];
	}
}

/* The first that is named is the topmost. */
static void find_bases(struct launch *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n_words && n < l->n_bases; i++) {
		const char *w = l->words[i];

		if (strncmp(w, "--base", 6) != 0)
			continue;
		w = w[6] == '=' ? w + 7 : l->words[i + 1];
		if (strcmp(w, world.over) == 0 || strcmp(w, world.base) == 0)
			l->bases[n++] = strcmp(w, world.over) == 0 ? world.over : world.base;
	}
}

struct launch *launch_draw(uint64_t seed)
{
	static const char *const nets[] = { "none", "loopback", "host" };
	struct launch *l = calloc(1, sizeof(*l));

	if (!l)
		exit(2);
	l->seed = l->state = seed;
	snprintf(l->mark, sizeof(l->mark), "mark-%016llx", (unsigned long long)seed);
	policy_draw(l);
	draw_root(l);
	places_draw(l);
	draw_identity(l);
	draw_terminal(l);
	if (chance(l, 40)) {
		l->net = (int)draw(l, 3);
		launch_option(l, "--net", nets[l->net]);
		if (l->policy && l->policy->n_ports > 0)
			launch_may_refuse(l, "");
	}
	draw_environment(l);
	draw_descriptors(l);
	draw_limits(l);
	draw_log(l);
	draw_telling(l);
	if (chance(l, 4))
		draw_nonsense(l);
	launch_option(l, "--ro", launch_text(l, "%s:/launches", world.programs));
	if (chance(l, 5)) {
		l->want_signal = chance(l, 50) ? 9 : 15;
		launch_tell(l, "signal=%d", l->want_signal);
	} else {
		l->want_exit = (int)draw(l, 97);
		launch_tell(l, "exit=%d", l->want_exit);
	}
	shuffle(l);
	find_bases(l);
	if (l->policy)
		expect_all(l);
	launch_word(l, "--");
	launch_word(l, "/launches/inside");
	return l;
}

void launch_free(struct launch *l)
{
	for (size_t i = 0; i < l->n_kept; i++)
		free(l->kept[i]);
	policy_free(l->policy);
	free(l);
}
