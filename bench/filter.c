// SPDX-License-Identifier: Apache-2.0
/*
 * filter [ROUNDS]: what a filter makes calls cost, and what making it costs, beside libseccomp's
 * programs for the same rules: the one that it makes by default, which asks for one number after
 * the other, and the one of SCMP_FLTATR_CTL_OPTIMIZE 2, a tree. One child for each filter, pinned
 * to one processor; they measure in turn, so that whatever else the machine does falls on all
 * alike. Medians of the rounds: of the calls without a filter, of what a filter adds within a
 * round, and the ratio of the medians.
 */
#include <errno.h>
#include <linux/filter.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "policies/load.h"
#include "profiles/compile.h"
#include "profiles/seccomp.h"

enum { CALLS = 400, MAX_ROUNDS = 1000, LOOPS = 20000, DEFAULT_ROUNDS = 41 };

static void die(const char *what)
{
	fprintf(stderr, "filter: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, int n)
{
	qsort(values, (size_t)n, sizeof(*values), compare);
	return values[n / 2];
}

/* --- the policy --- */

/* Asked for by their arguments; all others are allowed by number. */
static const char *const lines[] = {
	"allow ioctl if cmd != 0x5412\n",
	"allow getpgid if pid in 7 8 0\n",
	"allow socket if domain in 1 2 10\n",
	"allow prctl if option == 15\n",
};

static bool is_asked(const char *name)
{
	return !strcmp(name, "ioctl") || !strcmp(name, "getpgid") || !strcmp(name, "socket") ||
	       !strcmp(name, "prctl");
}

static char *policy_text(void)
{
	size_t n, size = 1 << 16, len = 0;
	const struct syscall_desc *table = syscall_table(&n);
	char *text = malloc(size);

	if (!text)
		die("malloc");
	len += (size_t)snprintf(text, size, "policy bench\nnotify off\n");
	for (size_t i = 0, calls = 0; i < n && calls < CALLS; i++) {
		char *known =
			seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, table[i].nr[ABI_NATIVE]);

		/* What libseccomp does not know it cannot be asked for; getsid is what is refused.
		 */
		if (table[i].nr[ABI_NATIVE] >= 0 && known && !is_asked(table[i].name) &&
		    strcmp(table[i].name, "getsid") != 0)
			len += (size_t)snprintf(text + len, size - len, "allow %s\n",
						table[i].name),
				calls++;
		free(known);
	}
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		len += (size_t)snprintf(text + len, size - len, "%s", lines[i]);
	return text;
}

static struct policy *load(const char *text)
{
	struct policy_diags diags = { .text = BUF_INIT };
	struct policy *policy = NULL;
	struct err err = ERR_INIT;

	if (policy_load_text("bench.policy", text, strlen(text), NULL, &policy, &diags, &err) < 0) {
		fprintf(stderr, "%s%s\n", diags.text.data ? diags.text.data : "", err.msg);
		exit(1);
	}
	policy_diags_done(&diags);
	return policy;
}

/* The same rules to libseccomp; each of ours has one comparison at most. */
static scmp_filter_ctx peer_of(const struct policy *policy, uint32_t optimize)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));

	if (!ctx || (optimize > 1 && seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, optimize) < 0))
		die("libseccomp");
	for (size_t i = 0; i < policy->n_rules; i++) {
		const struct policy_rule *r = &policy->rules[i];
		const struct policy_cond *c = &r->conds[0];
		struct scmp_arg_cmp arg = { .arg = c->arg,
					    .op = c->op == POLICY_NE ? SCMP_CMP_NE : SCMP_CMP_EQ,
					    .datum_a = c->value };

		if (seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, r->call->nr[ABI_NATIVE], r->n_conds,
					   r->n_conds ? &arg : NULL) < 0)
			die(r->call->name);
	}
	return ctx;
}

static struct sock_fprog export_of(scmp_filter_ctx ctx)
{
	static const size_t max = BPF_MAXINSNS * sizeof(struct sock_filter);
	struct sock_fprog prog = { .filter = malloc(max) };
	int fd = memfd_create("filter", MFD_CLOEXEC);
	ssize_t len;

	if (fd < 0 || !prog.filter || seccomp_export_bpf(ctx, fd) < 0)
		die("libseccomp's export");
	len = pread(fd, prog.filter, max, 0);
	if (len <= 0)
		die("libseccomp's program");
	prog.len = (unsigned short)((size_t)len / sizeof(struct sock_filter));
	close(fd);
	return prog;
}

/* --- calls --- */

static const struct probe {
	const char *name;
	long nr, a, b;
} probes[] = {
	{ "getppid, by number", SYS_getppid, 0, 0 },
	{ "ioctl, one comparison", SYS_ioctl, -1, 0x5413 },
	{ "getpgid, one of 3", SYS_getpgid, 0, 0 },
	{ "getsid, refused", SYS_getsid, 0, 0 },
};
enum { PROBES = sizeof(probes) / sizeof(probes[0]) };

static double measure(const struct probe *p)
{
	double from = now_ns();

	for (int i = 0; i < LOOPS; i++)
		syscall(p->nr, p->a, p->b, 0, 0, 0);
	return (now_ns() - from) / LOOPS;
}

struct variant {
	const char *name;
	struct sock_fprog prog;
	int ask, answer;
	double ns[PROBES][MAX_ROUNDS];
	double sorted[MAX_ROUNDS];
};

/* One byte in: measure all; the figures out. */
static void child(const struct sock_fprog *prog, int ask, int answer)
{
	double ns[PROBES];
	char byte;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    (prog->len && syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, prog) < 0))
		_exit(1);
	while (read(ask, &byte, 1) == 1) {
		for (int i = 0; i < PROBES; i++)
			ns[i] = measure(&probes[i]);
		if (write(answer, ns, sizeof(ns)) != (ssize_t)sizeof(ns))
			_exit(1);
	}
	_exit(0);
}

static void start(struct variant *v)
{
	int ask[2], answer[2];
	pid_t pid;

	if (pipe(ask) < 0 || pipe(answer) < 0)
		die("pipe");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		close(ask[1]);
		close(answer[0]);
		child(&v->prog, ask[0], answer[1]);
	}
	close(ask[0]);
	close(answer[1]);
	v->ask = ask[1];
	v->answer = answer[0];
}

static void round_of(struct variant *v, int round)
{
	double ns[PROBES];

	if (write(v->ask, "", 1) != 1 || read(v->answer, ns, sizeof(ns)) != (ssize_t)sizeof(ns))
		die(v->name);
	for (int i = 0; i < PROBES; i++)
		v->ns[i][round < 0 ? 0 : round] = ns[i];
}

static void bench_calls(const struct policy *policy, int rounds)
{
	struct seccomp_program ours = { .n = 0 };
	static struct variant v[] = { { .name = "no filter" },
				      { .name = "cordon" },
				      { .name = "libseccomp, linear" },
				      { .name = "libseccomp, tree" } };
	enum { VARIANTS = sizeof(v) / sizeof(v[0]) };
	cpu_set_t one;

	if (seccomp_generate(policy, &ours, NULL) < 0)
		die("generate");
	v[1].prog = (struct sock_fprog){ .len = (unsigned short)ours.n, .filter = ours.insns };
	v[2].prog = export_of(peer_of(policy, 1));
	v[3].prog = export_of(peer_of(policy, 2));
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	if (sched_setaffinity(0, sizeof(one), &one) < 0)
		die("sched_setaffinity");
	for (int i = 0; i < VARIANTS; i++)
		start(&v[i]);
	for (int r = -2; r < rounds; r++)
		for (int i = 0; i < VARIANTS; i++)
			round_of(&v[i], r);
	printf("%-26s", "nanoseconds a call; more");
	for (int i = 0; i < VARIANTS; i++)
		printf(" %20s", v[i].name);
	printf("\n%-26s", "  instructions");
	for (int i = 0; i < VARIANTS; i++)
		printf(" %20u", v[i].prog.len);
	for (int p = 0; p < PROBES; p++) {
		double none;

		for (int i = 0; i < VARIANTS; i++)
			memcpy(v[i].sorted, v[i].ns[p], sizeof(v[i].sorted));
		none = median(v[0].sorted, rounds);

		printf("\n  %-24s %20.1f", probes[p].name, none);
		for (int i = 1; i < VARIANTS; i++) {
			double more[MAX_ROUNDS];

			/* Within a round both met the same neighbours. */
			for (int r = 0; r < rounds; r++)
				more[r] = v[i].ns[p][r] - v[0].ns[p][r];
			printf(" %14.1f x%4.2f", median(more, rounds),
			       median(v[i].sorted, rounds) / none);
		}
	}
	printf("\n");
	for (int i = 0; i < VARIANTS; i++) {
		close(v[i].ask);
		close(v[i].answer);
	}
	while (wait(NULL) > 0)
		;
	seccomp_program_done(&ours);
}

/* --- compiling --- */

enum phase { LOAD, GENERATE, CHECK, BUNDLE, PEER_LINEAR, PEER_TREE, _PHASES };

static void compile_once(const char *text, double us[_PHASES])
{
	struct seccomp_program p = { .n = 0 };
	struct buf bundle = BUF_INIT;
	double at[_PHASES + 1];
	struct policy *policy;
	int phase = 0;

	at[phase++] = now_ns();
	policy = load(text);
	at[phase++] = now_ns();
	if (seccomp_generate(policy, &p, NULL) < 0)
		die("generate");
	at[phase++] = now_ns();
	if (seccomp_check(policy, &p, NULL) < 0)
		die("check");
	at[phase++] = now_ns();
	/* Generates and checks once more: the difference is the writing. */
	if (compile_bundle(policy, &bundle, NULL) < 0)
		die("compile");
	at[phase++] = now_ns();
	for (uint32_t optimize = 1; optimize <= 2; optimize++) {
		scmp_filter_ctx ctx = peer_of(policy, optimize);
		struct sock_fprog prog = export_of(ctx);

		free(prog.filter);
		seccomp_release(ctx);
		at[phase++] = now_ns();
	}
	for (int i = 0; i < _PHASES; i++)
		us[i] = (at[i + 1] - at[i]) / 1e3;
	us[BUNDLE] -= us[GENERATE] + us[CHECK];
	policy_free(policy);
	seccomp_program_done(&p);
	buf_done(&bundle);
}

static void bench_compile(const char *text, int rounds)
{
	static const char *const names[_PHASES] = {
		"read, parse, compose", "generate",	      "check",
		"write the bundle",	"libseccomp, linear", "libseccomp, tree"
	};
	static double us[_PHASES][MAX_ROUNDS];
	double first[_PHASES], cold = 0, warm = 0;

	compile_once(text, first);
	for (int r = 0; r < rounds; r++) {
		double one[_PHASES];

		compile_once(text, one);
		for (int i = 0; i < _PHASES; i++)
			us[i][r] = one[i];
	}
	printf("%-26s %20s %20s\n", "microseconds to compile", "first in the process", "median");
	for (int i = 0; i < _PHASES; i++) {
		double m = median(us[i], rounds);

		if (i == PEER_LINEAR)
			printf("  %-24s %20.0f %20.0f\n", "cordon, all of it", cold, warm);
		printf("  %-24s %20.0f %20.0f\n", names[i], first[i], m);
		cold += first[i];
		warm += m;
	}
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? (int)strtol(argv[1], NULL, 10) : DEFAULT_ROUNDS;
	char *text = policy_text();
	struct policy *policy;

	if (rounds < 1 || rounds > MAX_ROUNDS) {
		fprintf(stderr, "usage: filter [ROUNDS]\n");
		return 2;
	}
	bench_compile(text, rounds);
	policy = load(text);
	printf("(%zu rules, %zu of them with a comparison)\n\n", policy->n_rules,
	       sizeof(lines) / sizeof(lines[0]) + 4);
	bench_calls(policy, rounds);
	policy_free(policy);
	free(text);
	return 0;
}
