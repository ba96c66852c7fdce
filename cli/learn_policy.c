// SPDX-License-Identifier: Apache-2.0
/* The policy's text: what it was learned of, then its rules, then the settings of the runs. */
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "cli/learn_model.h"
#include "policies/limit.h"

static int put_header(const struct learned *l, struct buf *out)
{
	int r = buf_printf(
		out,
		"# Learned by cordon %s. Each rule says in which runs and how often it was "
		"needed, and the\n# first program that did.\n# complete: %s",
		CORDON_VERSION, learned_complete(l) ? "yes" : "no");
	if (r == 0 && l->n_assumed > 0)
		r = buf_printf(out,
			       ", but for %zu calls that --quick assumed: their rules are below, "
			       "unrecorded",
			       l->n_assumed);
	if (r == 0)
		r = buf_puts(out, "\n");

	for (size_t i = 0; i < l->n_runs && r == 0; i++) {
		const struct learned_run *run = &l->runs[i];

		r = buf_printf(out,
			       "#\n# r%zu  run %s, %s, under policy '%s': %s\n"
			       "#     %" PRIu64 " calls, %" PRIu64
			       " of them refused; %s waited for the recorder, so none was "
			       "missed\n",
			       i + 1, run->id, run->time, run->policy, run->command, run->calls,
			       run->denied,
			       run->n_assumed ? "each that --quick does not assume" : "each call");
		if (r == 0 && !run->ended)
			r = buf_puts(out, "#     CUT SHORT: the recording has no end\n");
		if (r == 0 && run->cut)
			r = buf_printf(out, "#     CUT SHORT: %s\n", run->cut);
		if (r == 0 && run->lost + run->unread > 0)
			r = buf_printf(out,
				       "#     NOT SEEN: %" PRIu64
				       " entries that did not fit, %" PRIu64
				       " texts that could not be read\n",
				       run->lost, run->unread);
		if (r == 0 && run->odd + run->unresolved + run->lost_args > 0)
			r = buf_printf(out,
				       "#     %" PRIu64 " calls of no known number, %" PRIu64
				       " paths not looked up, %" PRIu64 " arguments not kept\n",
				       run->odd, run->unresolved, run->lost_args);
	}
	if (r == 0)
		r = buf_puts(
			out,
			"#\n# Never seen by a filter: what the vDSO answers, operations of "
			"io_uring, addresses within\n# messages and other structures in memory, "
			"and what these runs did not come to do.\n\n");
	return r;
}

/* Of a name or a value that no policy has nothing is written: anybody can edit a recording. */
static int put_limit(const struct learned_setting *s, struct buf *out)
{
	char text[CPUS_TEXT];

	for (unsigned i = 0; i < _POLICY_LIMIT_MAX; i++) {
		const enum policy_limit which = (enum policy_limit)i;
		struct cpus cpus = { { 0 } };
		uint64_t value = 0;
		int r;

		if (!s->value || strcmp(s->name, limit_name(which)) != 0)
			continue;
		r = which == POLICY_LIMIT_CPUSET ? limit_parse(which, s->value, &value, &cpus)
						 : text_parse_u64(s->value, &value);
		/* what is out of bounds is none, as the policy's reader will see it */
		r = r < 0 ? r
			  : limit_parse(which, limit_text(which, value, &cpus, text), &value,
					&cpus);
		return r < 0 ? 0 : buf_printf(out, " %s %s", limit_name(which), text);
	}
	return 0;
}

/* One line, where there is any that is known. */
static int put_limits(const struct learned *l, struct buf *out)
{
	_cleanup_buf_ struct buf line = BUF_INIT;
	int r = 0;

	for (size_t i = 0; i < l->n_limits && r == 0; i++)
		r = put_limit(&l->limits[i], &line);
	return r == 0 && line.len > 0 ? buf_printf(out, "limit%s\n", line.data) : r;
}

static int put_settings(const struct learned *l, struct buf *out)
{
	int r = buf_puts(out, "\n# --- settings, as the runs had them\n");

	if (r == 0)
		r = learned_net(l, out);
	if (r == 0)
		r = buf_puts(out, "cap none\n");
	if (r == 0)
		r = put_limits(l, out);
	for (size_t i = 0, column = 0; i < l->n_envs && r == 0; i++) {
		if (l->envs[i].value)
			continue; /* a fixed value is the base policy's business */
		r = buf_printf(out, "%s %s", column == 0 ? "env" : "", l->envs[i].name);
		column += strlen(l->envs[i].name) + 1;
		if (r == 0 && (column > 80 || i + 1 == l->n_envs)) {
			r = buf_puts(out, "\n");
			column = 0;
		}
	}
	return r;
}

static int put_abis(const struct learned *l, struct buf *out)
{
	bool seen[_ABI_MAX] = { false };
	int r = buf_puts(out, "abi native");

	for (size_t i = 0; i < l->n_calls && r == 0; i++) {
		const struct learned_call *c = &l->calls[i];

		if (c->denied || c->abi == ABI_NATIVE || seen[c->abi])
			continue;
		seen[c->abi] = true;
		r = buf_printf(out, " %s", abi_name(c->abi));
	}
	return r < 0 ? r : buf_puts(out, "\n");
}

int learned_policy(struct learned *l, const char *name, struct buf *out)
{
	int r = put_header(l, out);

	if (r == 0)
		r = buf_printf(out, "policy %s\nkernel %u.%u\n", name, SYSCALL_NEWEST >> 8,
			       SYSCALL_NEWEST & 255);
	if (r == 0)
		r = put_abis(l, out);
	if (r == 0)
		r = learned_rules(l, out);
	if (r == 0)
		r = learned_view(l, out);
	return r < 0 ? r : put_settings(l, out);
}
