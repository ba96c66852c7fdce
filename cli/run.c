// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "audit/place.h"
#include "base/fd.h"
#include "base/text.h"
#include "cli/options.h"
#include "cli/print.h"
#include "cli/programs.h"
#include "cli/run.h"
#include "cli/scope.h"
#include "cli/verbs.h"
#include "sandbox/launch.h"
#include "sandbox/plan.h"

extern char **environ;

static void say_started(void *ctx, const struct launch_progress *p)
{
	const struct plan *plan = ctx;

	(void)fprintf(stderr, "cordon: sandbox %s under policy '%s'\n", plan->id,
		      bundle_policy_name(plan->bundle));
	for (size_t i = 0; p->stage[i]; i++)
		(void)fprintf(stderr, "cordon: %-7s %6llu us\n", p->stage[i],
			      (unsigned long long)(p->stage_ns[i] / 1000));
	for (size_t i = 0; p->in_force[i]; i++)
		(void)fprintf(stderr, "cordon: with    %s\n", p->in_force[i]);
	(void)fprintf(stderr, "cordon: with    %u Landlock rules\n", p->landlock_rules);
	for (size_t i = 0; p->given_up[i]; i++)
		(void)fprintf(stderr, "cordon: without %s\n", p->given_up[i]);
}

int run_print_plan(const struct plan *plan, bool json, struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	int r = plan_print(plan, json, &text);

	if (r == 0)
		r = fd_write_all(STDOUT_FILENO, text.data, text.len);
	return r < 0 ? err_set(err, r, "print the plan") : 0;
}

static int launch(const struct plan *plan, const struct run_options *o, struct err *err)
{
	struct launch_options options = {
		.sinks = o->n_sinks ? o->sinks : NULL,
		.n_sinks = o->n_sinks,
		.rotation = o->rotation,
		.flood = o->flood,
		.started = o->verbose > 0 ? say_started : NULL,
		.ctx = (void *)(uintptr_t)plan,
		.title = o->title,
		.title_size = o->title_size,
		.scope = scope_ask,
		.confine = &supervisor_program,
	};
	struct launch_result result;
	int r = launch_run(plan, &options, &result, err);

	if (r < 0) {
		print_error(NULL, err);
		return result.exit_status;
	}
	if (result.limit_hit && o->verbose >= 0)
		(void)fprintf(stderr, "cordon: stopped by %s\n", result.stopped_by);
	run_losses(&result.totals);
	if (o->verbose > 0) {
		run_usage(&result.usage);
		run_summary(plan, o, &result.totals);
	}
	return result.exit_status;
}

/* The payload must not reach what tells of it, nor what decides about the next launch. */
void run_keep_own(struct run_options *o)
{
	static char texts[3 * LIMIT_PATH]; /* one behind the other */
	char log[LIMIT_PATH], cache[LIMIT_PATH], config[LIMIT_PATH], *text = texts;
	struct request *req = &o->request;
	const struct request_kept own[] = {
		{ log, "the audit log", true },
		{ cache, "the cache of policies", true },
		{ config, "the folder of your policies", true },
	};
	struct err none = ERR_INIT; /* no place for it is told where the log is opened */
	char *slash;

	req->n_kept = 0;
	programs_own_dirs(cache, config, sizeof(cache));
	if (place_default(log, sizeof(log), &none) < 0)
		log[0] = '\0';
	slash = strrchr(log, '/');
	if (slash)
		*slash = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
		const size_t size = strlen(own[i].path) + 1;

		if (size == 1)
			continue;
		req->kept[req->n_kept] = own[i];
		req->kept[req->n_kept++].path = memcpy(text, own[i].path, size);
		text += size;
	}
	for (size_t i = 0; i < o->n_sinks; i++) {
		if (text_starts_with(o->sinks[i], "file:") && o->sinks[i][5])
			req->kept[req->n_kept++] = (struct request_kept){
				.path = o->sinks[i] + 5,
				.what = "the audit log",
			};
	}
}

int run_options(struct run_options *o, const struct plan_host *host)
{
	struct err err = ERR_INIT;
	struct bundle *bundle = NULL;
	struct plan *plan = NULL;
	int status = EXIT_CORDON;
	int r = programs_bundle(o->policy, &bundle, &err);

	run_keep_own(o);
	if (r == 0)
		r = plan_make(&o->request, bundle, host, &plan, &err);
	if (r == 0 && o->dry_run) {
		r = run_print_plan(plan, o->json, &err);
		status = 0;
	} else if (r == 0) {
		status = launch(plan, o, &err);
	}
	if (r < 0) {
		print_error(NULL, &err);
		status = EXIT_CORDON;
	}
	/* Plan and bundle go with the process: to free them now would copy the pages that the clone
	 * has left shared, a fault each. */
	return status;
}

int cmd_run(int argc, char **argv)
{
	static struct run_options o; /* large, and the only one */
	struct err err = ERR_INIT;
	struct plan_host host;
	int r = options_parse(argc, argv, &o, &err);

	if (r == 0 && o.help) {
		options_help("run");
		return 0;
	}
	if (r == 0 && !o.request.argv[0]) {
		r = err_refuse(&err, "run nothing");
		(void)err_hint(&err, "usage: cordon run [OPTION...] -- COMMAND [ARGUMENT...]");
	}
	if (r == 0)
		r = plan_host_read(&host, environ, &err);
	if (r < 0) {
		print_error(NULL, &err);
		return EXIT_CORDON;
	}
	if (!o.policy)
		o.policy = "default";
	return run_options(&o, &host);
}
