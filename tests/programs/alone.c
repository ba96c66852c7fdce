// SPDX-License-Identifier: Apache-2.0
/*
 * alone: holds what mechanism_judge() promises against what happened.
 *
 *	alone promise MECHANISM POLICY LIBRARY ABI        attempts on stdin, "TEXT<TAB>PROMISE" out
 *	alone check MECHANISM POLICY LIBRARY ABI BASELINE OUTCOME
 *	alone view POLICY LIBRARY COMMAND...              a launch with the policy's view and
 *	                                                  nothing else: no Landlock, every call
 *	                                                  allowed
 *
 * MECHANISM is one or several with commas, in force together. What one of them refuses is refused:
 * by seccomp's errno where it does, as it is asked first, else by that of any that does. ABI is
 * Landlock's and, behind a colon, AppArmor's (30, 40).
 *
 * BASELINE and OUTCOME are what tests/programs/attempts printed without and with the mechanism. A
 * promise to refuse has to come with its errno; any other promise, that nothing changes. Two things
 * cannot be judged, and are listed: what is refused behind the call's number, of a call that this
 * kernel was built without, and connecting to where nobody listens. Status 1 when a promise was not
 * kept. The last line is "attempts N matched N unjudged N telling N mismatches N"; telling are
 * refusals of what works without.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policies/load.h"
#include "profiles/bundle.h"
#include "profiles/compile.h"
#include "profiles/mechanism.h"
#include "sandbox/launch.h"

enum { TEXT = 2048 };

extern char **environ;

static void fail(const char *what, const struct err *err)
{
	fprintf(stderr, "alone: cannot %s: %s\n", what, err ? err->msg : strerror(errno));
	exit(2);
}

static struct policy *load(const char *path, const char *library)
{
	const char *dirs[] = { library };
	const struct policy_search search = { .dirs = dirs, .n_dirs = 1, .native = ABI_NATIVE };
	struct policy_diags diags = { .n_errors = 0 };
	struct policy *policy = NULL;
	struct err err = ERR_INIT;

	if (policy_load(path, &search, &policy, &diags, &err) < 0) {
		fprintf(stderr, "%s", diags.text.data ? diags.text.data : "");
		fail("read the policy", &err);
	}
	policy_diags_done(&diags);
	return policy;
}

static const char *lookup(const char *name, void *context)
{
	(void)context;
	return getenv(name);
}

static struct profile_target target_of(const char *abi)
{
	static char cwd[LIMIT_PATH];

	if (!getcwd(cwd, sizeof(cwd)))
		fail("find the working directory", NULL);
	return (struct profile_target){
		.landlock_abi = atoi(abi),
		.apparmor_abi = strchr(abi, ':') ? (unsigned)atoi(strchr(abi, ':') + 1) : 30,
		.vars = { .home = getenv("HOME"), .pwd = cwd, .lookup = lookup }
	};
}

static struct judgement judge(enum mechanism mechanism, const struct policy *policy,
			      const struct profile_target *target, const char *text)
{
	struct err err = ERR_INIT;
	struct attempt attempt;
	struct judgement out;
	char plain[TEXT];
	char *mark;

	snprintf(plain, sizeof(plain), "%s", text);
	mark = strstr(plain, " #userns");
	if (mark)
		*mark = '\0';
	if (attempt_parse(plain, ABI_NATIVE, "/", &attempt, &err) < 0)
		fail(plain, &err);
	if (mechanism_judge(mechanism, policy, target, &attempt, &out, &err) < 0)
		fail("judge", &err);
	attempt_done(&attempt);
	return out;
}

/* In the words of attempts: what has to be printed where baseline was without the mechanism. */
static void promise_text(const struct judgement *j, const char *baseline, char *ret, size_t size)
{
	if (j->answer != JUDGE_DENIES)
		snprintf(ret, size, "%s", baseline);
	else if (j->errno_value == 0)
		snprintf(ret, size, "killed");
	else
		snprintf(ret, size, "denied %u", j->errno_value);
}

static char *second(char *line)
{
	char *tab = strchr(line, '\t');

	line[strcspn(line, "\n")] = '\0';
	if (!tab)
		fail("find a tab in what attempts printed", NULL);
	*tab = '\0';
	return tab + 1;
}

enum refusal {
	REFUSAL_NONE,
	REFUSAL_SECCOMP,
	REFUSAL_BEHIND /* by who sees it when the call has begun */
};

/* Who of the mask refuses an attempt; *ret_kept says whether what happened is what one of those
 * promises, or, where nobody does, what happens without. */
static enum refusal refusal_of(unsigned mask, const struct policy *policy,
			       const struct profile_target *target, const char *text,
			       const char *was, const char *got, bool *ret_kept, char *want,
			       size_t size)
{
	size_t n = 0;

	want[0] = '\0';
	*ret_kept = false;
	for (unsigned m = 0; m < _MECHANISM_MAX; m++) {
		struct judgement j;
		char one[64];

		if (!(mask & 1U << m))
			continue;
		j = judge((enum mechanism)m, policy, target, text);
		if (j.answer != JUDGE_DENIES)
			continue;
		promise_text(&j, was, one, sizeof(one));
		n += (size_t)snprintf(want + n, size - n, "%s%s by %s%s%s", n ? " or " : "", one,
				      mechanism_name((enum mechanism)m), j.note ? ": " : "",
				      j.note ? j.note : "");
		*ret_kept = *ret_kept || strcmp(got, one) == 0;
		if (m == MECHANISM_SECCOMP)
			return REFUSAL_SECCOMP; /* the others do not see it */
	}
	if (n > 0)
		return REFUSAL_BEHIND;
	snprintf(want, size, "%s", was);
	*ret_kept = strcmp(got, was) == 0;
	return REFUSAL_NONE;
}

/* Why nothing can be said of an attempt that some mechanism behind seccomp refuses, or NULL. */
static const char *unjudged_why(const char *text, const char *was, const char *got)
{
	char no_call[32], nothing[32];

	snprintf(no_call, sizeof(no_call), "denied %d", ENOSYS);
	snprintf(nothing, sizeof(nothing), "denied %d", ENOENT);
	if (strcmp(was, got) != 0)
		return NULL;
	if (strcmp(was, no_call) == 0)
		return "this kernel has no such call";
	if (strcmp(was, nothing) == 0 && strncmp(text, "connect(", 8) == 0)
		return "nobody listens there, and the kernel sees that first";
	return NULL;
}

static int check(unsigned mask, const struct policy *policy, const struct profile_target *target,
		 const char *baseline, const char *outcome)
{
	FILE *before = fopen(baseline, "re"), *after = fopen(outcome, "re");
	char a[TEXT], b[TEXT], want[TEXT];
	size_t n = 0, matched = 0, unjudged = 0, telling = 0;

	if (!before || !after)
		fail("open what attempts printed", NULL);
	while (fgets(b, sizeof(b), after)) {
		const char *got = second(b), *was, *why = NULL;
		enum refusal refusal;
		bool kept;

		/* the view leaves some out */
		do {
			if (!fgets(a, sizeof(a), before))
				fail("find an attempt in the baseline", NULL);
			was = second(a);
		} while (strcmp(a, b) != 0);
		n++;
		refusal = refusal_of(mask, policy, target, b, was, got, &kept, want, sizeof(want));
		if (refusal == REFUSAL_BEHIND)
			why = unjudged_why(b, was, got);
		if (kept && strcmp(got, "unprepared") != 0) {
			matched++;
			telling += refusal != REFUSAL_NONE && strcmp(was, "allowed") == 0;
		} else if (why) {
			unjudged++;
			printf("unjudged: %s: %s\n", b, why);
		} else {
			printf("%s: promised %s, got %s; without it %s\n", b, want, got, was);
		}
	}
	printf("attempts %zu matched %zu unjudged %zu telling %zu mismatches %zu\n", n, matched,
	       unjudged, telling, n - matched - unjudged);
	fclose(before);
	fclose(after);
	return matched + unjudged < n || n == 0;
}

static int promise(enum mechanism mechanism, const struct policy *policy,
		   const struct profile_target *target)
{
	char line[TEXT], text[64];

	while (fgets(line, sizeof(line), stdin)) {
		struct judgement j;

		line[strcspn(line, "\t\n")] = '\0';
		j = judge(mechanism, policy, target, line);
		promise_text(&j, j.answer == JUDGE_ALLOWS ? "allowed" : "silent", text,
			     sizeof(text));
		printf("%s\t%s\n", line, text);
	}
	return 0;
}

/* Every call allowed, and the paths and network of the policy. */
static void open_calls(struct policy *policy, const char *library)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	struct policy_diags diags = { .n_errors = 0 };
	const struct policy_search search = { .dirs = &library, .n_dirs = 1, .native = ABI_NATIVE };
	struct policy *open = NULL;
	struct err err = ERR_INIT;
	size_t n;
	const struct syscall_desc *table = syscall_table(&n);
	int r = buf_puts(&text, "policy open\nkernel 6.18\nnotify off\n");

	for (size_t i = 0; i < n && r == 0; i++) {
		if (table[i].nr[ABI_NATIVE] >= 0)
			r = buf_printf(&text, "allow %s\n", table[i].name);
	}
	if (r < 0 || policy_load_text("/open.policy", text.data, text.len, &search, &open, &diags,
				      &err) < 0) {
		fprintf(stderr, "%s", diags.text.data ? diags.text.data : "");
		fail("open every call", &err);
	}
	/* The rest goes with the process. */
	policy->rules = open->rules;
	policy->n_rules = open->n_rules;
	policy->sources = open->sources;
	policy->n_sources = open->n_sources;
	policy->abi_mask = open->abi_mask;
	policy->kernel = open->kernel;
	policy->notify = false;
	policy->n_ports = 0; /* Landlock's */
	policy->n_notes = policy->n_expects = 0;
	for (size_t i = 0; i < policy->n_paths; i++)
		policy->paths[i].where = (struct policy_where){ .line = 0 };
	memset(policy->has_limit, 0, sizeof(policy->has_limit));
	memset(policy->setting_where, 0, sizeof(policy->setting_where));
}

static int view(struct policy *policy, const char *library, char **command, char *title)
{
	static struct request req;
	struct launch_options options = { .title = title, .title_size = strlen(title) };
	struct launch_result result = { .exit_status = 125 };
	struct buf bytes = BUF_INIT;
	struct bundle *bundle = NULL;
	struct plan *plan = NULL;
	struct plan_host host;
	struct err err = ERR_INIT;

	open_calls(policy, library);
	if (compile_bundle(policy, &bytes, &err) < 0 ||
	    bundle_open(bytes.data, bytes.len, &bundle, &err) < 0)
		fail("compile", &err);
	if (plan_host_read(&host, environ, &err) < 0)
		fail("look at the host", &err);
	host.landlock_abi = 0;
	req.argv = command;
	req.net = -1;
	req.cwd = "/";
	req.places[0] = (struct request_place){ .kind = PLACE_RO, .dest = command[0], .fd = -1 };
	req.n_places = 1; /* the program itself */
	if (plan_make(&req, bundle, &host, &plan, &err) < 0)
		fail("plan", &err);
	if (launch_run(plan, &options, &result, &err) < 0)
		fail("launch", &err);
	plan_free(plan);
	return result.exit_status;
}

static bool read_mechanisms(char *list, unsigned *ret)
{
	enum mechanism m;

	*ret = 0;
	for (char *name; (name = strsep(&list, ",")) != NULL;) {
		if (mechanism_from_name(name, &m) < 0)
			return false;
		*ret |= 1U << m;
	}
	return true;
}

int main(int argc, char **argv)
{
	struct profile_target target;
	unsigned mask = 0;

	if (argc >= 5 && strcmp(argv[1], "view") == 0)
		return view(load(argv[2], argv[3]), argv[3], argv + 4, argv[0]);
	if (argc < 6 || !read_mechanisms(argv[2], &mask))
		return fprintf(stderr, "usage: see the head of alone.c\n"), 2;
	target = target_of(argv[5]);
	if (strcmp(argv[1], "promise") == 0)
		return promise((enum mechanism)__builtin_ctz(mask), load(argv[3], argv[4]),
			       &target);
	if (strcmp(argv[1], "check") == 0 && argc == 8)
		return check(mask, load(argv[3], argv[4]), &target, argv[6], argv[7]);
	return fprintf(stderr, "usage: see the head of alone.c\n"), 2;
}
