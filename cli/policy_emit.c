// SPDX-License-Identifier: Apache-2.0
/* cordon policy build --emit: one file a mechanism. All are made before the first is written. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/policy_report.h"
#include "cli/print.h"
#include "profiles/seccomp.h"

static const char *const suffixes[_MECHANISM_MAX] = {
	[MECHANISM_SECCOMP] = "bpf",
	[MECHANISM_LANDLOCK] = "landlock.json",
	[MECHANISM_APPARMOR] = "apparmor",
	[MECHANISM_SELINUX] = "cil",
	[MECHANISM_CAPABILITIES] = "capabilities.json",
};

struct emission {
	struct buf files[_MECHANISM_MAX];
	struct buf listing; /* the program as text */
	struct buf report;
};

static void emission_done(struct emission *e)
{
	for (int m = 0; m < _MECHANISM_MAX; m++)
		buf_done(&e->files[m]);
	buf_done(&e->listing);
	buf_done(&e->report);
}

/* What policy_cli_bpf() prints. glibc lets stdout be set (libc manual, "Standard Streams"). */
static int list_program(const struct policy *policy, struct buf *ret, struct err *err)
{
	FILE *real = stdout, *memory;
	char *text = NULL;
	size_t len = 0;
	int r;

	memory = open_memstream(&text, &len);
	if (!memory)
		return err_set(err, -errno, "list the program of '%s'", policy->name);
	stdout = memory;
	r = policy_cli_bpf(policy, err);
	stdout = real;
	if (fclose(memory) != 0 && r == 0)
		r = err_set(err, -ENOMEM, "list the program of '%s'", policy->name);
	if (r == 0 && buf_put(ret, text, len) < 0)
		r = err_set(err, -ENOMEM, "list the program of '%s'", policy->name);
	free(text);
	return r;
}

/* As seccomp(2) takes it: struct sock_filter after struct sock_filter. */
static int emit_seccomp(const struct policy *policy, struct emission *e, struct err *err)
{
	__attribute__((cleanup(seccomp_program_done))) struct seccomp_program p = { .n = 0 };
	int r = seccomp_generate(policy, &p, err);

	r = r ? r : seccomp_check(policy, &p, err);
	if (r < 0)
		return r;
	if (buf_put(&e->files[MECHANISM_SECCOMP], p.insns, p.n * sizeof(*p.insns)) < 0)
		return err_set(err, -ENOMEM, "write the program of '%s'", policy->name);
	return list_program(policy, &e->listing, err);
}

static int make_all(const struct policy_args *args, const struct policy *policy,
		    const struct profile_target *target, unsigned mask, struct emission *e,
		    struct err *err)
{
	struct profile_target loaded = *target;
	int r = 0;

	/* An administrator loads it once, for every user and directory: who runs this is neither.
	 */
	loaded.vars = (struct path_vars){ .home = policy_arg(args, "--home"),
					  .pwd = policy_arg(args, "--pwd") };

	for (int m = 0; m < _MECHANISM_MAX && r == 0; m++) {
		const struct mechanism_ops *ops = mechanism_ops_of((enum mechanism)m);

		if (!(mask & 1U << m))
			continue;
		if (m == MECHANISM_SECCOMP) {
			r = emit_seccomp(policy, e, err);
		} else if (!ops || !ops->emit) {
			(void)err_refuse(err, "write a profile for '%s': it has no file of its own",
					 mechanism_name((enum mechanism)m));
			r = err_hint(err, "a launch does it: cordon run --dry-run shows how");
		} else {
			r = ops->emit(policy, m == MECHANISM_APPARMOR ? &loaded : target,
				      &e->files[m], err);
		}
	}
	return r;
}

static int make_report(const struct policy *policy, const struct profile_target *target,
		       struct emission *e, struct err *err)
{
	struct report report;
	int r = report_make(policy, target, policy_cli_all_mechanisms(), &report, err);

	if (r < 0)
		return r;
	r = policy_cli_report_json(policy, target, &report, &e->report);
	report_done(&report);
	return r < 0 ? err_set(err, r, "report on policy '%s'", policy->name) : 0;
}

static int write_file(const char *dir, const char *name, const char *suffix, const struct buf *file,
		      struct err *err)
{
	_cleanup_buf_ struct buf path = BUF_INIT;
	int r = buf_printf(&path, "%s/%s.%s", dir, name, suffix);

	return r < 0 ? err_set(err, r, "write '%s'", dir)
		     : policy_cli_write_file(path.data, file->data ? file->data : "", file->len,
					     err);
}

static int write_all(const struct policy *policy, const char *dir, unsigned mask,
		     const struct emission *e, struct err *err)
{
	int r = 0;

	if (mask && mkdir(dir, 0777) < 0 && errno != EEXIST)
		return err_set(err, -errno, "make the directory '%.400s'", dir);
	for (int m = 0; m < _MECHANISM_MAX && r == 0; m++) {
		if (mask & 1U << m)
			r = write_file(dir, policy->name, suffixes[m], &e->files[m], err);
	}
	if (r == 0 && mask & 1U << MECHANISM_SECCOMP)
		r = write_file(dir, policy->name, "bpf.txt", &e->listing, err);
	return r;
}

int policy_cli_emit(const struct policy_args *args, const struct policy *policy)
{
	__attribute__((cleanup(emission_done))) struct emission e = { .report = BUF_INIT };
	const char *list = policy_arg(args, "--emit"), *dir = policy_arg(args, "-o");
	const char *report = policy_arg(args, "--report");
	struct profile_target target;
	struct err err = ERR_INIT;
	unsigned mask = 0;
	int r;

	if (policy_cli_target(args, &target) < 0 ||
	    (list && policy_cli_mechanisms(list, &mask) < 0))
		return -EINVAL;
	r = make_all(args, policy, &target, mask, &e, &err);
	if (r == 0 && report)
		r = make_report(policy, &target, &e, &err);
	if (r == 0)
		r = write_all(policy, dir ? dir : ".", mask, &e, &err);
	if (r == 0 && report)
		r = policy_cli_write_file(report, e.report.data, e.report.len, &err);
	if (r < 0)
		print_error(NULL, &err);
	return r;
}
