// SPDX-License-Identifier: Apache-2.0
/*
 * inject [OPTION...] CORDON FINGERPRINT: launch sandboxes with one fault in each, and judge what
 * came of it: every call that the supervisor, pid 1 and the payload's process (before its execve)
 * make fails with each of its errors, or succeeds without being made, or is where the process is
 * killed; and each that may move less than it asks for moves one byte, half, all but one of what it
 * moved without a fault. Needs no privilege. CORDON and FINGERPRINT are absolute names.
 *
 *   --scenario plain|full|terminal|cold
 *                           what is launched: full uses each kind of mount and descriptor, terminal
 *                           relays one, in both directions, cold has its policy compiled, and
 * faults before its sandbox only (the compiler itself is not followed)
 *   --only LIST             of all faults these: kill, or one,half,but-one
 *   --calls LIST            of all calls these, by name
 *   --count N --seed S      N faults of all of them, chosen by S; without it every one
 *   --jobs N                at once (2)
 *   --table                 what came of each call
 *   --say                   what came of each fault
 *   --subjects              a sentence that is about something else than the call is a finding
 *   --reach PERCENT         fewer that were reached are a finding: a relay's calls come in an order
 *                           of their own, so that not each of them is there again
 *   --replay FAULT          that one, as a finding names it:
 * ROLE:CALL:NTH:ERROR|lie|kill|one|half|but-one
 *   --list                  the calls, and no more
 *
 * Exit status: 0 when there is no finding, 1 when there is, 2 when it could not be done.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policies/syscall.h"
#include "tests/faults/faults.h"

static const struct {
	const char *name;
	enum kind kind;
	int error; /* an enum part, of KIND_SHORT */
} faults[] = {
	{ "EINVAL", KIND_FAIL, EINVAL },   { "EPERM", KIND_FAIL, EPERM },
	{ "ENOMEM", KIND_FAIL, ENOMEM },   { "EINTR", KIND_FAIL, EINTR },
	{ "EIO", KIND_FAIL, EIO },	   { "ENOSPC", KIND_FAIL, ENOSPC },
	{ "EMFILE", KIND_FAIL, EMFILE },   { "ENOSYS", KIND_FAIL, ENOSYS },
	{ "EACCES", KIND_FAIL, EACCES },   { "EAGAIN", KIND_FAIL, EAGAIN },
	{ "ENOENT", KIND_FAIL, ENOENT },   { "EBUSY", KIND_FAIL, EBUSY },
	{ "EEXIST", KIND_FAIL, EEXIST },   { "EUSERS", KIND_FAIL, EUSERS },
	{ "ENFILE", KIND_FAIL, ENFILE },   { "EROFS", KIND_FAIL, EROFS },
	{ "EDQUOT", KIND_FAIL, EDQUOT },   { "lie", KIND_LIE, 0 },
	{ "kill", KIND_KILL, 0 },	   { "one", KIND_SHORT, PART_ONE },
	{ "half", KIND_SHORT, PART_HALF }, { "but-one", KIND_SHORT, PART_BUT_ONE },
};
enum { N_FAULTS = sizeof(faults) / sizeof(*faults), MAX_JOBS = 16 };

struct job {
	struct call call;
	unsigned fault;
	unsigned char verdict; /* written by a worker */
	bool done, reached;
};

struct options {
	const char *scenario, *replay, *only, *calls, *cordon, *fingerprint;
	unsigned long count, seed, jobs, reach;
	bool table, list, say, subjects;
};

static char work[256];

static const char *call_name(int nr)
{
	const struct syscall_desc *d = syscall_by_nr(ABI_NATIVE, nr);

	return d ? d->name : "?";
}

static size_t part_of(size_t whole, enum part part)
{
	return part == PART_ONE ? 1 : part == PART_HALF ? whole / 2 : whole - 1;
}

static struct fault fault_of(const struct job *j)
{
	const bool is_short = faults[j->fault].kind == KIND_SHORT;
	const int error = faults[j->fault].error;

	return (struct fault){ .kind = faults[j->fault].kind,
			       .role = j->call.role,
			       .nr = j->call.nr,
			       .nth = j->call.nth,
			       .error = is_short ? 0 : error,
			       .most = is_short ? part_of(j->call.whole, (enum part)error) : 0 };
}

static void name_job(const struct job *j, char *ret, size_t size)
{
	snprintf(ret, size, "%s:%s:%u:%s", role_names[j->call.role], call_name(j->call.nr),
		 j->call.nth, faults[j->fault].name);
}

static int parse_job(const char *text, struct job *ret)
{
	char role[32], call[64], fault[32];
	const struct syscall_desc *d;

	if (sscanf(text, "%31[^:]:%63[^:]:%u:%31s", role, call, &ret->call.nth, fault) != 4)
		return -1;
	d = syscall_by_name(call);
	if (!d)
		return -1;
	ret->call.nr = -1;
	for (int nr = 0; nr < MAX_NR; nr++)
		if (!strcmp(call_name(nr), call))
			ret->call.nr = nr;
	for (unsigned i = 0; i < _ROLE_MAX; i++)
		for (unsigned f = 0; f < N_FAULTS; f++)
			if (!strcmp(role, role_names[i]) && !strcmp(fault, faults[f].name)) {
				ret->call.role = (enum role)i;
				ret->fault = f;
				return ret->call.nr < 0 ? -1 : 0;
			}
	return -1;
}

/* The launch without a fault, three times: its fingerprint must not change by itself. The first one
 * compiles the policy and is not looked at. */
static char *reference(struct place *p, struct call *calls, size_t *n_calls)
{
	char *first = NULL, *again;

	for (int i = 0; i < 4; i++) {
		struct run r = { .place = p, .calls = i == 3 ? calls : NULL };

		place_reset(p);
		if (trace_run(&r) < 0 || !WIFEXITED(r.status) ||
		    WEXITSTATUS(r.status) != PAYLOAD_STATUS) {
			again = place_read(p, "err");
			fprintf(stderr, "inject: the launch without a fault fails: %s\n", again);
			free(again);
			free(first);
			return NULL;
		}
		again = place_read(p, "out");
		if (first && again && strcmp(first, again) != 0) {
			fprintf(stderr, "inject: two launches without a fault differ\n");
			free(first);
			free(again);
			return NULL;
		}
		free(first);
		first = again;
		if (n_calls)
			*n_calls = r.n_calls;
	}
	return first;
}

static int do_job(const struct place *p, const char *ref, struct job *j, bool say, int out)
{
	struct run r = { .place = p, .fault = fault_of(j) };
	char *why = NULL, name[160];
	enum verdict v;
	size_t len = 0;
	FILE *f;

	place_reset(p);
	if (trace_run(&r) < 0)
		return -1;
	f = open_memstream(&why, &len);
	if (!f)
		return -1;
	name_job(j, name, sizeof(name));
	v = judge_run(&r, ref, f);
	fclose(f);
	j->verdict = (unsigned char)v;
	j->reached = r.reached;
	j->done = true;
	if (v >= WEAKER || say) {
		char *text = NULL;
		int n = asprintf(&text,
				 "%-8s %s%s\n%s  again: inject --scenario %s --replay %s %s %s\n",
				 verdict_names[v], name, r.reached ? "" : " (not reached)", why,
				 p->scenario, name, p->cordon, p->fingerprint);

		if (n > 0)
			(void)!write(out, text, (size_t)n);
		free(text);
	}
	free(why);
	return 0;
}

static struct place place_of(const struct options *o)
{
	return (struct place){ .subjects = o->subjects,
			       .cordon = o->cordon,
			       .fingerprint = o->fingerprint,
			       .scenario = o->scenario };
}

/* Jobs by turns, so that each worker has some of each kind. */
static int work_on(const struct options *o, struct job *jobs, size_t n, unsigned me)
{
	struct place p = place_of(o);
	char *ref = NULL;

	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	if (place_make(&p, work, me) < 0 || !(ref = reference(&p, NULL, NULL)))
		return 2;
	for (size_t i = me; i < n; i += o->jobs)
		if (do_job(&p, ref, &jobs[i], o->say, STDOUT_FILENO) < 0)
			return 2;
	free(ref);
	return 0;
}

static int run_jobs(const struct options *o, struct job *jobs, size_t n)
{
	pid_t workers[MAX_JOBS];
	int bad = 0;

	fflush(stdout);
	for (unsigned i = 0; i < o->jobs; i++) {
		workers[i] = fork();
		if (workers[i] == 0)
			_exit(work_on(o, jobs, n, i));
	}
	for (unsigned i = 0; i < o->jobs; i++) {
		int status = -1;

		while (waitpid(workers[i], &status, 0) < 0 && errno == EINTR)
			;
		bad |= status != 0;
	}
	return bad ? -1 : 0;
}

/* Whether there is such a part of it, and no smaller one is the same. */
static bool has_part(const struct call *c, enum part part)
{
	const size_t most = c->whole > 1 ? part_of(c->whole, part) : 0;

	return most > 0 && (part == PART_ONE || most > part_of(c->whole, (enum part)(part - 1)));
}

/* Errors of one kind of call each: elsewhere they would be the others once more. */
static bool has_error(int nr, int error)
{
	static const struct {
		int error, nr;
	} only[] = {
		{ EUSERS, SYS_clone3 },	  { EUSERS, SYS_unshare },   { ENFILE, SYS_openat },
		{ ENFILE, SYS_openat2 },  { ENFILE, SYS_open_tree }, { ENFILE, SYS_socketpair },
		{ ENFILE, SYS_clone3 },	  { ENFILE, SYS_fsopen },    { ENFILE, SYS_fsmount },
		{ EROFS, SYS_openat },	  { EROFS, SYS_mkdirat },    { EROFS, SYS_fchmodat },
		{ EROFS, SYS_symlinkat }, { EROFS, SYS_faccessat2 }, { EDQUOT, SYS_openat },
		{ EDQUOT, SYS_write },	  { EDQUOT, SYS_pwrite64 },  { EDQUOT, SYS_mkdirat },
		{ EDQUOT, SYS_keyctl },	  { EDQUOT, SYS_symlinkat },
	};
	bool known = false;

	for (size_t i = 0; i < sizeof(only) / sizeof(*only); i++) {
		if (only[i].error == error && only[i].nr == nr)
			return true;
		known |= only[i].error == error;
	}
	return !known;
}

/* Whether the name is one of a list with commas. */
static bool is_among(const char *name, const char *list)
{
	const size_t len = strlen(name);

	for (const char *p = list; p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL)
		if (!strncmp(p, name, len) && (p[len] == ',' || p[len] == '\0'))
			return true;
	return false;
}

static size_t make_jobs(const struct call *calls, size_t n_calls, const struct options *o,
			struct job *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < n_calls; i++)
		for (unsigned f = 0; f < N_FAULTS; f++) {
			if ((o->only && !is_among(faults[f].name, o->only)) ||
			    (o->calls && !is_among(call_name(calls[i].nr), o->calls)))
				continue;
			if (faults[f].kind == KIND_FAIL && !has_error(calls[i].nr, faults[f].error))
				continue;
			if (faults[f].kind == KIND_SHORT &&
			    !has_part(&calls[i], (enum part)faults[f].error))
				continue;
			/* These answer nothing: there is nothing to fail. */
			if (faults[f].kind != KIND_KILL && calls[i].nr == SYS_exit_group)
				continue;
			if (faults[f].kind == KIND_LIE &&
			    !trace_can_lie(calls[i].role, calls[i].nr))
				continue;
			/* The terminal, which both sides would wait about for each other, before
			 * anything of the payload's runs and until the caller ends it. */
			if (faults[f].kind == KIND_LIE && calls[i].nr == SYS_sendmsg &&
			    calls[i].nth == 1 && !strcmp(o->scenario, "terminal"))
				continue;
			/* "It is no symlink" is an answer, and no failure. */
			if (faults[f].error == EINVAL && calls[i].nr == SYS_readlink)
				continue;
			ret[n++] = (struct job){ .call = calls[i], .fault = f };
		}
	return n;
}

/* The first count of a shuffle that the seed alone decides. */
static size_t choose(struct job *jobs, size_t n, const struct options *o)
{
	unsigned long long state = o->seed * 2862933555777941757ULL + 3037000493ULL;

	for (size_t i = 0; i < n && i < o->count; i++) {
		state = state * 6364136223846793005ULL + 1442695040888963407ULL;
		size_t k = i + (size_t)((state >> 33) % (n - i));
		struct job t = jobs[i];

		jobs[i] = jobs[k];
		jobs[k] = t;
	}
	return n < o->count ? n : o->count;
}

static int by_call(const void *a, const void *b)
{
	const struct job *x = a, *y = b;

	if (x->call.role != y->call.role)
		return x->call.role < y->call.role ? -1 : 1;
	if (x->call.nr != y->call.nr)
		return strcmp(call_name(x->call.nr), call_name(y->call.nr));
	return (int)x->fault - (int)y->fault;
}

static void print_cell(const unsigned counts[_VERDICT_MAX])
{
	char cell[128];
	size_t at = 0;

	cell[0] = '\0';
	for (unsigned v = 0; v < _VERDICT_MAX; v++)
		if (counts[v] && at < sizeof(cell) - 16)
			at += (size_t)snprintf(cell + at, sizeof(cell) - at, "%u%c", counts[v],
					       verdict_letters[v]);
	printf(" %-11s", at ? cell : ".");
}

static void print_rows(const struct job *jobs, size_t n, const bool used[N_FAULTS])
{
	for (size_t i = 0; i < n;) {
		unsigned counts[N_FAULTS][_VERDICT_MAX] = { 0 };
		const struct call *c = &jobs[i].call;

		for (; i < n && jobs[i].call.role == c->role && jobs[i].call.nr == c->nr; i++)
			if (jobs[i].done)
				counts[jobs[i].fault][jobs[i].verdict]++;
		printf("%-10s %-22s", role_names[c->role], call_name(c->nr));
		for (unsigned f = 0; f < N_FAULTS; f++)
			if (used[f])
				print_cell(counts[f]);
		putchar('\n');
	}
}

/* A row for each call, a column for each fault that was made. */
static void print_table(struct job *jobs, size_t n)
{
	bool used[N_FAULTS] = { false };

	qsort(jobs, n, sizeof(*jobs), by_call);
	for (size_t i = 0; i < n; i++)
		used[jobs[i].fault] = true;
	printf("%-10s %-22s", "role", "call");
	for (unsigned f = 0; f < N_FAULTS; f++)
		if (used[f])
			printf(" %-11s", faults[f].name);
	putchar('\n');
	print_rows(jobs, n, used);
	for (unsigned v = 0; v < _VERDICT_MAX; v++)
		printf("%s%c %s", v ? ", " : "", verdict_letters[v], verdict_names[v]);
	putchar('\n');
}

/* Returns the number of findings. */
static size_t print_totals(const struct job *jobs, size_t n, unsigned long reach)
{
	size_t counts[_VERDICT_MAX] = { 0 }, done = 0, reached = 0, findings = 0;

	for (size_t i = 0; i < n; i++) {
		counts[jobs[i].verdict] += jobs[i].done;
		done += jobs[i].done;
		reached += jobs[i].reached;
	}
	printf("%zu faults, %zu reached:", done, reached);
	for (unsigned v = 0; v < _VERDICT_MAX; v++) {
		printf(" %zu %s", counts[v], verdict_names[v]);
		findings += v >= WEAKER ? counts[v] : 0;
	}
	putchar('\n');
	if (reached * 100 < done * reach) {
		printf("UNREACHED too many: %zu of %zu, and %lu%% are to be reached\n",
		       done - reached, done, reach);
		findings++;
	}
	return findings;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

static int parse_options(int argc, char **argv, struct options *o)
{
	int i = 1;

	*o = (struct options){ .scenario = "plain", .jobs = 2, .seed = 1 };
	for (; i < argc && argv[i][0] == '-'; i++) {
		if (!strcmp(argv[i], "--table"))
			o->table = true;
		else if (!strcmp(argv[i], "--list"))
			o->list = true;
		else if (!strcmp(argv[i], "--say"))
			o->say = true;
		else if (!strcmp(argv[i], "--subjects"))
			o->subjects = true;
		else if (i + 1 == argc)
			return -1;
		else if (!strcmp(argv[i], "--scenario"))
			o->scenario = argv[++i];
		else if (!strcmp(argv[i], "--only"))
			o->only = argv[++i];
		else if (!strcmp(argv[i], "--calls"))
			o->calls = argv[++i];
		else if (!strcmp(argv[i], "--replay"))
			o->replay = argv[++i];
		else if (!strcmp(argv[i], "--count"))
			o->count = strtoul(argv[++i], NULL, 10);
		else if (!strcmp(argv[i], "--seed"))
			o->seed = strtoul(argv[++i], NULL, 10);
		else if (!strcmp(argv[i], "--reach"))
			o->reach = strtoul(argv[++i], NULL, 10);
		else if (!strcmp(argv[i], "--jobs"))
			o->jobs = strtoul(argv[++i], NULL, 10);
		else
			return -1;
	}
	if (argc - i != 2 || o->jobs < 1 || o->jobs > MAX_JOBS)
		return -1;
	o->cordon = argv[i];
	o->fingerprint = argv[i + 1];
	if (o->replay) {
		o->jobs = 1;
		o->say = true;
	}
	return o->cordon[0] == '/' && o->fingerprint[0] == '/' ? 0 : -1;
}

static int list_calls(const struct call *calls, size_t n, size_t n_jobs)
{
	for (size_t i = 0; i < n; i++)
		printf("%s:%s:%u %u\n", role_names[calls[i].role], call_name(calls[i].nr),
		       calls[i].nth, calls[i].whole);
	printf("%zu calls, %zu faults\n", n, n_jobs);
	return 0;
}

static void learn_whole(struct job *j, const struct call *calls, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (calls[i].role == j->call.role && calls[i].nr == j->call.nr &&
		    calls[i].nth == j->call.nth)
			j->call.whole = calls[i].whole;
}

static int inject(const struct options *o)
{
	static struct call calls[MAX_CALLS];
	const size_t most = (size_t)MAX_CALLS * N_FAULTS;
	struct job *jobs = mmap(NULL, most * sizeof(*jobs), PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct place p = place_of(o);
	size_t n_calls = 0, n;
	char *ref;

	if (jobs == MAP_FAILED || place_make(&p, work, MAX_JOBS) < 0)
		return 2;
	ref = reference(&p, calls, &n_calls);
	if (!ref)
		return 2;
	free(ref);
	n = make_jobs(calls, n_calls, o, jobs);
	if (o->list)
		return list_calls(calls, n_calls, n);
	if (o->count)
		n = choose(jobs, n, o);
	if (o->replay) {
		n = 1;
		jobs[0] = (struct job){ 0 };
		if (parse_job(o->replay, &jobs[0]) < 0) {
			fprintf(stderr, "inject: '%s' is no fault\n", o->replay);
			return 2;
		}
		learn_whole(&jobs[0], calls, n_calls);
	}
	if (run_jobs(o, jobs, n) < 0)
		return 2;
	if (o->table)
		print_table(jobs, n);
	return print_totals(jobs, n, o->reach) ? 1 : 0;
}

int main(int argc, char **argv)
{
	const char *tmp = getenv("TMPDIR");
	struct options o;
	int r;

	if (parse_options(argc, argv, &o) < 0) {
		fprintf(stderr,
			"usage: inject [--scenario plain|full|terminal|cold] [--only FAULT,...]\n"
			"              [--calls CALL,...]\n"
			"              [--count N] [--seed S] [--jobs N] [--reach PERCENT] "
			"[--table] "
			"[--say] [--subjects]\n"
			"              [--list] [--replay FAULT]\n"
			"              CORDON FINGERPRINT\n");
		return 2;
	}
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	snprintf(work, sizeof(work), "%s/cordon-faults.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(work)) {
		fprintf(stderr, "inject: cannot make '%s': %s\n", work, strerror(errno));
		return 2;
	}
	r = inject(&o);
	nftw(work, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return r;
}
