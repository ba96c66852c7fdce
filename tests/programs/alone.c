// SPDX-License-Identifier: Apache-2.0
/*
 * alone: holds what mechanism_judge() promises against what happened.
 *
 *	alone promise MECHANISM POLICY LIBRARY ABI        attempts on stdin, "TEXT<TAB>PROMISE" out
 *	alone check MECHANISM POLICY LIBRARY ABI BASELINE OUTCOME
 *	alone view POLICY LIBRARY COMMAND...              a launch with the policy's view and
 *nothing else: no Landlock, every call allowed
 *
 * BASELINE and OUTCOME are what tests/programs/attempts printed without and with the mechanism. A
 * promise to refuse has to come with its errno; any other promise, that nothing changes. Status 1
 * when a promise was not kept; the last line is "attempts N telling N mismatches N", where telling
 * are refusals of what works without the mechanism.
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
		.apparmor_abi = 30,
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

static int check(enum mechanism mechanism, const struct policy *policy,
		 const struct profile_target *target, const char *baseline, const char *outcome)
{
	FILE *before = fopen(baseline, "re"), *after = fopen(outcome, "re");
	char a[TEXT], b[TEXT], want[TEXT];
	size_t n = 0, telling = 0, mismatches = 0;
	char no_call[32];

	snprintf(no_call, sizeof(no_call), "denied %d", ENOSYS);
	if (!before || !after)
		fail("open what attempts printed", NULL);
	while (fgets(b, sizeof(b), after)) {
		char *got = second(b), *was;
		struct judgement j;

		/* the view leaves some out */
		do {
			if (!fgets(a, sizeof(a), before))
				fail("find an attempt in the baseline", NULL);
			was = second(a);
		} while (strcmp(a, b) != 0);
		j = judge(mechanism, policy, target, b);
		promise_text(&j, was, want, sizeof(want));
		/* a call that this kernel was built without, to all but who numbers it */
		if (mechanism != MECHANISM_SECCOMP && strcmp(was, no_call) == 0 &&
		    strcmp(got, no_call) == 0)
			continue;
		n++;
		telling += j.answer == JUDGE_DENIES && strcmp(was, "allowed") == 0;
		if (strcmp(got, want) == 0 && strcmp(got, "unprepared") != 0)
			continue;
		mismatches++;
		printf("%s: promised %s%s%s, got %s; without it %s\n", b, want, j.note ? ": " : "",
		       j.note ? j.note : "", got, was);
	}
	printf("attempts %zu telling %zu mismatches %zu\n", n, telling, mismatches);
	fclose(before);
	fclose(after);
	return mismatches > 0 || n == 0;
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

int main(int argc, char **argv)
{
	struct profile_target target;
	enum mechanism mechanism;

	if (argc >= 5 && strcmp(argv[1], "view") == 0)
		return view(load(argv[2], argv[3]), argv[3], argv + 4, argv[0]);
	if (argc < 6 || mechanism_from_name(argv[2], &mechanism) < 0)
		return fprintf(stderr, "usage: see the head of alone.c\n"), 2;
	target = target_of(argv[5]);
	if (strcmp(argv[1], "promise") == 0)
		return promise(mechanism, load(argv[3], argv[4]), &target);
	if (strcmp(argv[1], "check") == 0 && argc == 8)
		return check(mechanism, load(argv[3], argv[4]), &target, argv[6], argv[7]);
	return fprintf(stderr, "usage: see the head of alone.c\n"), 2;
}
