// SPDX-License-Identifier: Apache-2.0
/*
 * A plan in a test: a policy from its text, a host that we make up, a folder of our own. The
 * arena is ARENA/{home/src,work/deep,file,link -> work,dir}, with its real path.
 */
#pragma once

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policies/load.h"
#include "profiles/compile.h"
#include "sandbox/plan.h"

struct plan_case {
	struct request req;
	struct plan_host host;
	char *argv[3];
	char home[LIMIT_PATH + 64];
	struct buf bytes;
	struct bundle *bundle;
	struct plan *plan;
	struct err err;
};

static char arena[LIMIT_PATH]; /* realpath(3) asks for PATH_MAX */

static inline const char *in_arena(const char *name)
{
	static char text[8][LIMIT_PATH + 64];
	static unsigned next;
	char *t = text[next++ % 8];

	(void)snprintf(t, sizeof(text[0]), "%s%s%s", arena, *name ? "/" : "", name);
	return t;
}

static inline int arena_make(void **state)
{
	const char *tmp = getenv("TMPDIR");
	char made[128];
	FILE *f;

	(void)state;
	(void)snprintf(made, sizeof(made), "%.64s/test_plan.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(made) || !realpath(made, arena))
		return -1;
	if (mkdir(in_arena("home"), 0700) < 0 || mkdir(in_arena("home/src"), 0700) < 0 ||
	    mkdir(in_arena("job"), 0755) < 0 || mkdir(in_arena("job/deep"), 0755) < 0 ||
	    mkdir(in_arena("dir"), 0755) < 0 || symlink("job", in_arena("link")) < 0)
		return -1;
	f = fopen(in_arena("file"), "we");
	return f ? fclose(f) : -1;
}

static inline int arena_remove(void **state)
{
	static const char *const names[] = { "home/src", "home", "job/deep", "job", "dir", "" };

	(void)state;
	(void)unlink(in_arena("file"));
	(void)unlink(in_arena("link"));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		(void)rmdir(in_arena(names[i]));
	return access(arena, F_OK) == 0;
}

/* A policy that lets programs start, and lines; env is the host's. "%A" in the lines becomes the
 * arena's path. */
static inline struct plan_case *case_new(const char *lines, const char *const *env)
{
	static const char head[] = "policy test\nkernel 6.18\nallow read write exit_group\n";
	struct plan_case *c = calloc(1, sizeof(*c));
	_cleanup_buf_ struct buf text = BUF_INIT;
	struct policy_diags diags = { .n_errors = 0 };
	struct policy *policy = NULL;
	static char command[] = "/bin/true";

	assert_non_null(c);
	assert_int_equal(buf_puts(&text, head), 0);
	if (!strstr(lines, "execve"))
		assert_int_equal(buf_puts(&text, "allow execve\n"), 0);
	for (const char *p = lines; *p; p++) {
		if (p[0] == '%' && p[1] == 'A')
			assert_int_equal(buf_puts(&text, arena), 0);
		else
			assert_int_equal(buf_put(&text, p, 1), 0);
		p += p[0] == '%' && p[1] == 'A';
	}
	if (policy_load_text("/etc/cordon/test.policy", text.data, text.len, NULL, &policy, &diags,
			     &c->err) < 0)
		fail_msg("cannot %s\n%s", c->err.msg, diags.text.data ? diags.text.data : "");
	policy_diags_done(&diags);
	if (compile_bundle(policy, &c->bytes, &c->err) < 0 ||
	    bundle_open(c->bytes.data, c->bytes.len, &c->bundle, &c->err) < 0)
		fail_msg("cannot %s", c->err.msg);
	policy_free(policy);
	(void)snprintf(c->home, sizeof(c->home), "%s/home", arena);
	c->host = (struct plan_host){
		.uid = geteuid(),
		.gid = getegid(),
		.home = c->home,
		.user = "somebody",
		.shell = "/bin/bash",
		.environ = (char *const *)(uintptr_t)env,
		.landlock_abi = 6,
		.release = "6.18.0",
	};
	(void)snprintf(c->host.cwd, sizeof(c->host.cwd), "/");
	c->argv[0] = command;
	c->req.argv = c->argv;
	c->req.net = -1;
	return c;
}

static inline void case_free(struct plan_case *c)
{
	plan_free(c->plan);
	bundle_close(c->bundle);
	buf_done(&c->bytes);
	free(c);
}

static inline void case_place(struct plan_case *c, enum request_place_kind kind, const char *source,
			      const char *dest)
{
	assert_true(c->req.n_places < LIMIT_BINDS);
	c->req.places[c->req.n_places++] =
		(struct request_place){ .kind = kind, .source = source, .dest = dest, .fd = -1 };
}

static inline void case_cwd(struct plan_case *c, const char *cwd)
{
	(void)snprintf(c->host.cwd, sizeof(c->host.cwd), "%s", cwd);
}

static inline int case_make(struct plan_case *c)
{
	struct plan *before = c->plan = NULL;

	c->err = ERR_INIT;
	if (plan_make(&c->req, c->bundle, &c->host, &c->plan, &c->err) == 0)
		return 0;
	assert_ptr_equal(c->plan, before);
	assert_true(c->err.code < 0 && c->err.msg[0]);
	return c->err.code;
}

static inline void case_make_good(struct plan_case *c)
{
	if (case_make(c) < 0)
		fail_msg("cannot %s (hint: %s)", c->err.msg, c->err.hint);
}

static inline void case_make_refused(struct plan_case *c, int code, const char *part)
{
	int r = case_make(c);

	if (r != code || !strstr(c->err.msg, part))
		fail_msg("%d instead of %d, and '%s' says nothing of '%s'", r, code, c->err.msg,
			 part);
}

static inline const struct plan_step *step_at(const struct plan_case *c, const char *dest)
{
	const struct plan_step *found = NULL;

	for (size_t i = 0; i < c->plan->n_steps; i++) {
		if (strcmp(c->plan->steps[i].dest, dest) != 0)
			continue;
		assert_null(found); /* never two at one place */
		found = &c->plan->steps[i];
	}
	return found;
}

static inline const struct plan_step *expect_step(const struct plan_case *c, const char *dest,
						  enum plan_step_kind kind, enum plan_access access,
						  const char *why)
{
	const struct plan_step *s = step_at(c, dest);

	if (!s)
		fail_msg("no step at '%s'", dest);
	else if (s->kind != kind || s->access != access || strcmp(s->why, why) != 0)
		fail_msg("'%s': kind %u access %u why '%s'", dest, s->kind, s->access, s->why);
	return s;
}

static inline void expect_none(const struct plan_case *c, const char *dest)
{
	if (step_at(c, dest))
		fail_msg("a step at '%s' (%s)", dest, step_at(c, dest)->why);
}
