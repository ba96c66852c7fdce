// SPDX-License-Identifier: Apache-2.0
#include "policies/spell.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "policies/abi_args.h"
#include "policies/cond.h"
#include "policies/consts.h"
#include "policies/label.h"
#include "policies/limit.h"

static const char *const actions[] = { "allow", "deny", "kill" };
static const char *const verbs[] = { "read", "exec", "write", "hide", "tmpfs" };
static const char *const directions[] = { "connect", "bind" };

int spell_word(struct buf *buf, const char *word)
{
	int r;

	if (word[0] && !strpbrk(word, " \t\"\\") && word[0] != '#')
		return buf_puts(buf, word);
	r = buf_puts(buf, "\"");
	for (const char *p = word; *p && r == 0; p++) {
		if (*p == '"' || *p == '\\')
			r = buf_puts(buf, "\\");
		if (r == 0)
			r = buf_put(buf, p, 1);
	}
	return r ? r : buf_puts(buf, "\"");
}

static int spell_errno(struct buf *buf, uint16_t value)
{
	for (size_t i = 0; consts_errno_name(i); i++) {
		uint16_t known = 0;

		if (consts_find_errno(consts_errno_name(i), &known) == 0 && known == value)
			return buf_puts(buf, consts_errno_name(i));
	}
	return buf_printf(buf, "%u", value);
}

static int spell_cond(struct buf *buf, const struct syscall_desc *call,
		      const struct policy_cond *cond)
{
	static const char *const ordered[] = {
		[POLICY_LT] = "<", [POLICY_LE] = "<=", [POLICY_GT] = ">", [POLICY_GE] = ">="
	};
	bool is_ordered = cond->op == POLICY_LT || cond->op == POLICY_LE || cond->op == POLICY_GT ||
			  cond->op == POLICY_GE;
	char text[COND_TEXT];

	/* what is ordered by its sign is written with it */
	if (is_ordered && cond->width == WIDTH_S32)
		return buf_printf(buf, "%s %s %" PRId32, call->args[cond->arg].name,
				  ordered[cond->op], (int32_t)(uint32_t)cond->value);
	if (is_ordered && cond->width == WIDTH_S64)
		return buf_printf(buf, "%s %s %" PRId64, call->args[cond->arg].name,
				  ordered[cond->op], (int64_t)cond->value);
	cond_text(call, cond, text);
	return buf_puts(buf, text);
}

static int spell_abis(struct buf *buf, uint64_t mask)
{
	int r = 0;

	for (unsigned a = 0; a < _ABI_MAX && r == 0; a++) {
		if (mask >> a & 1)
			r = buf_printf(buf, " %s", abi_name((enum abi)a));
	}
	return r;
}

/* Whether the rule would speak of that ABI, too, if its line did not name others: the call is there
 * and the comparisons are the same. */
static bool could_be_on(const struct policy_rule *rule, enum abi abi)
{
	if (rule->call->nr[abi] < 0)
		return false;
	for (unsigned i = 0; i < rule->n_conds; i++) {
		enum syscall_width width = WIDTH_NONE;
		const char *why;

		if (abi_arg_width(rule->call, abi, rule->conds[i].arg, &width, &why) < 0 ||
		    width != (enum syscall_width)rule->conds[i].width)
			return false;
	}
	return true;
}

int spell_rule(struct buf *buf, const struct policy_rule *rule)
{
	uint8_t has = 0;
	int r = buf_printf(buf, "%s %s", actions[rule->action], rule->call->name);

	for (unsigned i = 0; i < rule->n_conds && r == 0; i++) {
		r = buf_puts(buf, i ? " and " : " if ");
		if (r == 0)
			r = spell_cond(buf, rule->call, &rule->conds[i]);
	}
	for (unsigned a = 0; a < _ABI_MAX; a++) {
		if (could_be_on(rule, (enum abi)a))
			has |= (uint8_t)(1U << a);
	}
	if (r == 0 && (rule->abi_mask & has) != has) {
		r = buf_puts(buf, " on");
		r = r ? r : spell_abis(buf, rule->abi_mask & has);
	}
	if (r == 0 && rule->action == POLICY_DENY && rule->errno_value != EPERM) {
		r = buf_puts(buf, " errno ");
		r = r ? r : spell_errno(buf, rule->errno_value);
	}
	return r || !rule->quiet ? r : buf_puts(buf, " quiet");
}

int spell_path(struct buf *buf, const struct policy_path *path)
{
	int r = buf_printf(buf, "%s%s ", verbs[path->verb], path->optional ? "?" : "");

	return r ? r : spell_word(buf, path->path);
}

int spell_env(struct buf *buf, const struct policy_env *env)
{
	int r = buf_printf(buf, "env %s%s", env->name, env->value ? "=" : "");

	return r || !env->value || !env->value[0] ? r : spell_word(buf, env->value);
}

const char *spell_protocol(const struct policy_port *port)
{
	static const char *const names[2][4] = { { "", "tcp4", "tcp6", "tcp" },
						 { "", "udp4", "udp6", "udp" } };

	return names[port->protocol == POLICY_PORT_UDP][port->families & 3];
}

static int spell_ports(struct buf *buf, const struct policy_port *port)
{
	int r = buf_printf(buf, "%s %s ", directions[port->direction], spell_protocol(port));

	if (r == 0 && port->first == 0 && port->last == UINT16_MAX)
		return buf_puts(buf, "any");
	if (r == 0)
		r = buf_printf(buf, "%u", port->first);
	return r || port->first == port->last ? r : buf_printf(buf, "-%u", port->last);
}

int spell_port(struct buf *buf, const struct policy_port *port)
{
	int r = buf_puts(buf, "net ");

	return r ? r : spell_ports(buf, port);
}

int spell_label(struct buf *buf, enum policy_lsm lsm, const char *text)
{
	return buf_printf(buf, "label %s %s", label_lsm_name(lsm), text);
}

static int spell_string(struct buf *buf, const char *text)
{
	int r = buf_puts(buf, "\"");

	for (const char *p = text; *p && r == 0; p++) {
		if (*p == '"' || *p == '\\')
			r = buf_puts(buf, "\\");
		if (r == 0)
			r = buf_put(buf, p, 1);
	}
	return r ? r : buf_puts(buf, "\"");
}

static int spell_call(struct buf *buf, const struct policy_expect *e)
{
	int r = buf_puts(buf, e->call->name);

	for (unsigned i = 0; i < e->n_args && r == 0; i++) {
		r = buf_puts(buf, i ? ", " : "(");
		if (r == 0 && e->text[i])
			r = spell_string(buf, e->text[i]);
		else if (r == 0)
			r = buf_printf(buf, "0x%" PRIx64, e->args[i]);
	}
	if (r == 0 && e->n_args)
		r = buf_puts(buf, ")");
	if (r || !e->errno_value)
		return r;
	r = buf_puts(buf, " errno ");
	return r ? r : spell_errno(buf, e->errno_value);
}

int spell_expect(struct buf *buf, const struct policy_expect *e)
{
	int r;

	if (e->kind == POLICY_EXPECT_SETTING) {
		struct scalar s = { .value = e->value };

		if (e->text[0])
			(void)cpus_parse(e->text[0], &s.cpus);
		r = buf_puts(buf, "expect ");
		return r ? r : spell_scalar(buf, e->setting, &s);
	}
	if (e->kind == POLICY_EXPECT_ENV) {
		r = buf_puts(buf, "expect ");
		return r ? r
			 : spell_env(buf,
				     &(struct policy_env){ .name = e->path, .value = e->text[0] });
	}
	if (e->kind == POLICY_EXPECT_LABEL) {
		r = buf_puts(buf, "expect ");
		return r ? r : spell_label(buf, (enum policy_lsm)e->setting, e->text[0]);
	}
	r = buf_printf(buf, "expect %s ", actions[e->action]);
	if (r < 0)
		return r;
	switch ((enum policy_expect_kind)e->kind) {
	case POLICY_EXPECT_CALL:
		return spell_call(buf, e);
	case POLICY_EXPECT_PATH:
		r = buf_printf(buf, "%s ", verbs[e->verb]);
		return r ? r : spell_word(buf, e->path);
	case POLICY_EXPECT_PORT:
		return spell_ports(buf, &e->port);
	case POLICY_EXPECT_SETTING:
	case POLICY_EXPECT_ENV:
	case POLICY_EXPECT_LABEL:
		break;
	}
	return -EINVAL;
}

int spell_let(struct buf *buf, const struct part_let *let)
{
	int r = buf_printf(buf, "let %s", let->name);

	for (size_t i = 0; i < let->n_words && r == 0; i++) {
		r = buf_puts(buf, " ");
		if (r == 0)
			r = let->words[i].quoted ? spell_string(buf, let->words[i].text)
						 : buf_puts(buf, let->words[i].text);
	}
	return r;
}

static int spell_caps(struct buf *buf, uint64_t caps)
{
	int r = buf_puts(buf, caps ? "cap" : "cap none");

	for (size_t i = 0; consts_name(i) && r == 0; i++) {
		uint64_t value = 0;
		bool negative;

		if (text_starts_with(consts_name(i), "CAP_") &&
		    consts_find(consts_name(i), &value, &negative) == 0 && value < 64 &&
		    caps >> value & 1)
			r = buf_printf(buf, " %s", consts_name(i));
	}
	return r;
}

static int spell_limit(struct buf *buf, unsigned kind, const struct scalar *s)
{
	char text[CPUS_TEXT];

	return buf_printf(buf, "%s %s", scalar_name(kind),
			  s->value == SCALAR_NONE
				  ? "none"
				  : limit_text((enum policy_limit)(kind - SCALAR_LIMIT), s->value,
					       &s->cpus, text));
}

int spell_scalar(struct buf *buf, unsigned kind, const struct scalar *s)
{
	static const char *const nets[] = { "none", "loopback", "host" };
	const uint64_t value = s->value;
	int r;

	switch (kind) {
	case SCALAR_KERNEL:
		return buf_printf(buf, "kernel %u.%u", (unsigned)(value >> 8),
				  (unsigned)(value & 0xff));
	case SCALAR_ABI:
		r = buf_puts(buf, "abi");
		return r ? r : spell_abis(buf, value);
	case SCALAR_NET:
		return buf_printf(buf, "net %s", nets[value % 3]);
	case SCALAR_CAP:
		return spell_caps(buf, value);
	case SCALAR_NOTIFY:
		return buf_printf(buf, "notify %s", value ? "on" : "off");
	case SCALAR_DEFAULT:
		r = buf_puts(buf, "default errno ");
		return r ? r : spell_errno(buf, (uint16_t)value);
	default:
		return spell_limit(buf, kind, s);
	}
}
