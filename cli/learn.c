// SPDX-License-Identifier: Apache-2.0
/*
 * cordon learn: a launch that records what is asked of the kernel. The recording is a file beside
 * the policy; cordon-learn makes the policy's text of it. Both are written when nothing of the
 * sandbox lives any more, below a directory that was opened before it began.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "audit/learn.h"
#include "audit/stamp.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/path.h"
#include "cli/options.h"
#include "cli/print.h"
#include "cli/programs.h"
#include "cli/run.h"
#include "cli/scope.h"
#include "cli/verbs.h"
#include "policies/limit.h"
#include "sandbox/launch.h"

extern char **environ;

enum { LINE = 65536, ARG_SHOWN = 256, ARGS_SHOWN = 32 };

struct target {
	const char *file; /* as given */
	int dir;
	char name[256]; /* in dir: "x.policy" */
	char side[272]; /* "x.policy.learn" */
};

static const char usage[] =
	"usage: cordon learn -o NAME.policy [--phase] [--quick] [RUN OPTION...] -- COMMAND "
	"[ARGUMENT...]\n"
	"       cordon learn merge -o NAME.policy RECORDING...\n"
	"       cordon learn write -o NAME.policy RECORDING\n"
	"       cordon learn --static PROGRAM [--against RECORDING]\n\n"
	"  -o NAME.policy   the policy to write; the recording is kept as NAME.policy.learn\n"
	"  --phase          SIGUSR1 to this process says that start-up is over\n"
	"  --quick          calls on a process's own memory, signals, clock and open descriptors "
	"are\n"
	"                   assumed, not recorded; the policy says so\n\n"
	"The command runs under --policy (default: 'default'), which learning never opens.\n"
	"'cordon run --help' lists the options of a launch.\n";

static int usage_error(struct err *err)
{
	return err_hint(err, "usage: cordon learn -o NAME.policy [RUN OPTION...] -- COMMAND");
}

static int open_target(struct target *t, struct err *err)
{
	char full[LIMIT_PATH], cwd[LIMIT_PATH];
	const size_t suffix = strlen(".policy");
	char *slash;
	int r;

	if (!getcwd(cwd, sizeof(cwd)))
		return err_set(err, -errno, "find the working directory");
	r = path_normalise(cwd, t->file, full, sizeof(full));
	if (r < 0)
		return err_set(err, r, "write '%s'", t->file);
	slash = strrchr(full, '/');
	if (strlen(slash + 1) <= suffix || strlen(slash + 1) > LIMIT_NAME + suffix ||
	    strcmp(slash + strlen(slash) - suffix, ".policy") != 0 ||
	    strspn(slash + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") !=
		    strlen(slash + 1) - suffix)
		return err_refuse(err, "write a policy to '%s'", t->file),
		       err_hint(err, "its file is NAME.policy, NAME of letters, digits, - and _");
	(void)snprintf(t->name, sizeof(t->name), "%s", slash + 1);
	(void)snprintf(t->side, sizeof(t->side), "%s.learn", slash + 1);
	slash[slash == full] = '\0';
	t->dir = open(full, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return t->dir < 0 ? err_set(err, -errno, "open the directory '%s'", full) : 0;
}

/* --- the recording's file --- */

struct head {
	char *buf; /* one line */
	struct buf *out;
	int r;
};

static void put_line(struct head *h, struct json *j)
{
	size_t len;

	json_object_end(j);
	len = json_finish(j);
	if (h->r == 0)
		h->r = len == 0 ? -EMSGSIZE : buf_put(h->out, h->buf, len);
	if (h->r == 0)
		h->r = buf_put(h->out, "\n", 1);
}

static void begin_line(struct head *h, struct json *j, const char *type)
{
	json_init(j, h->buf, LINE);
	json_object(j, NULL);
	json_string(j, "type", type);
}

static void put_run(struct head *h, const struct plan *plan, const struct plan_host *host,
		    bool phases)
{
	char digest[HASH_HEX + 1];
	struct stamp now;
	struct json j;

	stamp_now(&now);
	hash_hex(bundle_policy_digest(plan->bundle), digest);
	begin_line(h, &j, "run");
	json_u64(&j, "version", 1);
	json_string(&j, "cordon", CORDON_VERSION);
	json_string(&j, "run", plan->id);
	json_string(&j, "time", now.text);
	json_string(&j, "kernel", host->release);
	json_string(&j, "abi", abi_name(ABI_NATIVE));
	json_string(&j, "policy", bundle_policy_name(plan->bundle));
	json_string(&j, "policy_digest", digest);
	json_array(&j, "argv");
	for (size_t i = 0; i < ARGS_SHOWN && plan->argv[i]; i++)
		json_bytes(&j, NULL, plan->argv[i], strnlen(plan->argv[i], ARG_SHOWN));
	json_array_end(&j);
	json_string(&j, "cwd", plan->cwd);
	json_string(&j, "home", host->home);
	json_u64(&j, "net", plan->net);
	json_u64(&j, "landlock", plan->landlock_abi > 0 ? (unsigned)plan->landlock_abi : 0);
	json_bool(&j, "host_root", plan->root == ROOT_HOST);
	json_bool(&j, "phased", phases);
	if (plan->n_assumed > 0) {
		json_array(&j, "assumed");
		for (size_t i = 0; i < plan->n_assumed; i++)
			json_string(&j, NULL, plan->assumed[i].name);
		json_array_end(&j);
	}
	put_line(h, &j);
}

static void put_place(struct head *h, const struct plan_step *s)
{
	static const char *const kinds[] = {
		[STEP_BIND] = "bind", [STEP_PLACE] = "tmpfs",	[STEP_OVERLAY] = "overlay",
		[STEP_HIDE] = "hide", [STEP_DIR] = "directory", [STEP_SYMLINK] = "symlink",
		[STEP_FILE] = "file", [STEP_PIN] = "pin",	[STEP_PROC] = "proc",
		[STEP_DEV] = "dev",
	};
	struct json j;

	if (s->kind == STEP_PIN)
		return;
	begin_line(h, &j, "place");
	json_string(&j, "kind", kinds[s->kind]);
	json_string(&j, "path", s->dest);
	json_bool(&j, "writable", s->writable);
	json_string(&j, "why", s->why);
	put_line(h, &j);
}

static void put_settings(struct head *h, const struct plan *plan)
{
	char set[CPUS_TEXT];
	struct json j;

	for (unsigned i = 0; i < _POLICY_LIMIT_MAX; i++) {
		if (!plan->has_limit[i])
			continue;
		begin_line(h, &j, "limit");
		json_string(&j, "name", limit_name((enum policy_limit)i));
		if (i == POLICY_LIMIT_CPUSET)
			json_string(&j, "value", cpus_format(&plan->cpuset, set));
		else
			json_u64(&j, "value", plan->limit[i]);
		put_line(h, &j);
	}
	for (size_t i = 0; i < bundle_n_env(plan->bundle); i++) {
		struct bundle_env e;

		bundle_env(plan->bundle, i, &e);
		begin_line(h, &j, "env");
		json_string(&j, "name", e.name);
		json_string(&j, "value", e.value);
		put_line(h, &j);
	}
}

static int make_head(const struct plan *plan, const struct plan_host *host, bool phases,
		     struct buf *out)
{
	static char line[LINE];
	struct head h = { .buf = line, .out = out };

	put_run(&h, plan, host, phases);
	for (size_t i = 0; i < plan->n_steps; i++)
		put_place(&h, &plan->steps[i]);
	put_settings(&h, plan);
	return h.r;
}

/* The file is replaced, so that whatever lies at its name now is neither followed nor written to.
 */
static int write_side(const struct target *t, const struct buf *head, const struct learn *learn,
		      const char *cut, bool *ret_complete, struct err *err)
{
	_cleanup_close_ int fd = -1;
	char tmp[300];
	int r;

	(void)snprintf(tmp, sizeof(tmp), "%s.%d", t->side, getpid());
	fd = openat(t->dir, tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(err, -errno, "write the recording '%s'", t->side);
	r = fd_write_all(fd, head->data, head->len);
	if (r == 0 && learn)
		r = learn_write(learn, fd, cut, ret_complete);
	if (r == 0 && renameat(t->dir, tmp, t->dir, t->side) < 0)
		r = -errno;
	if (r == 0)
		return 0;
	(void)unlinkat(t->dir, tmp, 0);
	return err_set(err, r, "write the recording '%s'", t->side);
}

/* --- the run --- */

struct recording {
	struct target target;
	struct learn *learn;
	struct buf head;
	bool phases, quick;
	int verbose;
};

static const char *why_cut(int r, const struct launch_result *result)
{
	static char text[64];

	if (r < 0)
		return "the launch failed";
	if (result->limit_hit)
		(void)snprintf(text, sizeof(text), "the limit '%s' was hit", result->limit_hit);
	else if (result->signal)
		(void)snprintf(text, sizeof(text), "the command was ended by signal %d",
			       result->signal);
	else
		return NULL;
	return text;
}

/* The policy's text is cordon-learn's to make; it works in the directory that was opened before. */
static int finish(const struct recording *rec, int status, struct err *err)
{
	char number[16];
	char *argv[] = { (char *)(uintptr_t) "cordon-learn",
			 (char *)(uintptr_t) "write",
			 (char *)(uintptr_t) "--status",
			 number,
			 (char *)(uintptr_t)(rec->verbose < 0 ? "-q" : "-v"),
			 (char *)(uintptr_t) "-o",
			 (char *)(uintptr_t)rec->target.name,
			 (char *)(uintptr_t)rec->target.side,
			 NULL };
	sigset_t none;

	(void)snprintf(number, sizeof(number), "%d", status);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (fchdir(rec->target.dir) < 0)
		return err_set(err, -errno, "go to the directory of '%s'", rec->target.file);
	return programs_exec("learn", argv, err);
}

static int record(struct recording *rec, const struct run_options *o, const struct plan *plan,
		  struct err *err)
{
	struct launch_options options = {
		.sinks = o->n_sinks ? o->sinks : NULL,
		.n_sinks = o->n_sinks,
		.learn = rec->learn,
		.learn_phases = rec->phases,
		.title = o->title,
		.title_size = o->title_size,
		.scope = scope_ask,
	};
	struct launch_result result;
	struct err failed = ERR_INIT;
	bool complete = false;
	int r, w;

	learn_command(rec->learn, plan->exec, plan->path_env, plan->cwd);
	/* Until the end is written this is the recording, and it has none. */
	r = write_side(&rec->target, &rec->head, NULL, NULL, NULL, err);
	if (r < 0)
		return r;
	r = launch_run(plan, &options, &result, &failed);
	w = write_side(&rec->target, &rec->head, rec->learn, why_cut(r, &result), &complete, err);
	if (r < 0) {
		print_error(NULL, &failed);
		return result.exit_status;
	}
	run_losses(&result.totals);
	return w < 0 ? w : finish(rec, result.exit_status, err);
}

static int learn_options(struct recording *rec, struct run_options *o, struct err *err)
{
	struct bundle *bundle = NULL;
	struct plan *plan = NULL;
	struct plan_host host;
	int r = plan_host_read(&host, environ, err);

	if (r == 0)
		r = programs_bundle(o->policy ? o->policy : "default", &bundle, err);
	if (r == 0) {
		run_keep_own(o);
		o->request.learn = true;
		o->request.learn_quick = rec->quick;
		r = plan_make(&o->request, bundle, &host, &plan, err);
	}
	if (r == 0 && o->dry_run) {
		r = run_print_plan(plan, o->json, err);
	} else if (r == 0) {
		r = make_head(plan, &host, rec->phases, &rec->head);
		if (r < 0)
			(void)err_set(err, r, "describe the launch");
		if (r == 0)
			r = learn_new(&rec->learn, err);
		if (r == 0 && plan->n_assumed > 0)
			learn_blind_fds(rec->learn);
		if (r == 0)
			r = record(rec, o, plan, err);
	}
	plan_free(plan);
	bundle_close(bundle);
	return r;
}

static int take_own(void *ctx, int argc, char **argv, struct err *err)
{
	struct recording *rec = ctx;

	if (strcmp(argv[0], "--phase") == 0) {
		rec->phases = true;
	} else if (strcmp(argv[0], "--quick") == 0) {
		rec->quick = true;
	} else if (strcmp(argv[0], "-o") == 0) {
		if (argc < 2)
			return err_refuse(err, "use -o without its value"), usage_error(err);
		rec->target.file = argv[1];
		return 2;
	} else {
		return 0;
	}
	return 1;
}

int cmd_learn(int argc, char **argv)
{
	static struct run_options o; /* large, and the only one */
	struct recording rec = { .target = { .dir = -1 } };
	struct err err = ERR_INIT;
	int r;

	if (argc > 1 && (strcmp(argv[1], "merge") == 0 || strcmp(argv[1], "write") == 0)) {
		(void)programs_exec("learn", argv, &err);
		print_error(NULL, &err);
		return EXIT_CORDON;
	}
	if (argc > 1 && strcmp(argv[1], "--static") == 0) {
		(void)programs_exec("static", argv, &err);
		print_error(NULL, &err);
		return EXIT_CORDON;
	}
	o.own = take_own;
	o.own_ctx = &rec;
	r = options_parse(argc, argv, &o, &err);
	if (r == 0 && o.help) {
		(void)fputs(usage, stdout);
		return 0;
	}
	if (r == 0 && !o.request.argv[0])
		r = err_refuse(&err, "learn from nothing"), usage_error(&err);
	if (r == 0 && !rec.target.file)
		r = err_refuse(&err, "learn without a place for the policy"), usage_error(&err);
	rec.verbose = o.verbose;
	if (r == 0)
		r = open_target(&rec.target, &err);
	if (r == 0)
		r = learn_options(&rec, &o, &err);
	if (r < 0) {
		print_error(NULL, &err);
		r = EXIT_CORDON;
	}
	learn_free(rec.learn);
	buf_done(&rec.head);
	fd_closep(&rec.target.dir);
	return r;
}
