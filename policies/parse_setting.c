// SPDX-License-Identifier: Apache-2.0
/* kernel, abi, net, cap, notify, limit, env, label: what a policy says once. */
#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policies/consts.h"
#include "policies/label.h"
#include "policies/limit.h"
#include "policies/part.h"

static const char *text_at(const struct parser *p, size_t i)
{
	return p->line->words[i].text;
}

int parse_set_scalar(struct parser *p, unsigned kind, uint64_t value, struct policy_where where)
{
	struct scalar *s = &p->part->scalars[kind];

	if (s->set) {
		diag_error(p->d, where, "%s was said on line %u already", scalar_name(kind),
			   s->where.line);
		return -EINVAL;
	}
	*s = (struct scalar){ .set = true, .value = value, .where = where };
	return 0;
}

static int want_words(struct parser *p, size_t n, const char *what)
{
	if (p->line->n < n) {
		diag_error(p->d, word_at(p, p->line->n), "%s is missing", what);
		return -EINVAL;
	}
	if (p->line->n > n) {
		diag_error(p->d, word_at(p, n), "'%s' is not expected here",
			   quote(text_at(p, n)).text);
		return -EINVAL;
	}
	return 0;
}

/* Digits only, at most 255. */
static int parse_part(const char *text, size_t len, unsigned *ret)
{
	unsigned value = 0;

	if (len == 0 || len > 3)
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -EINVAL;
		value = value * 10 + (unsigned)(text[i] - '0');
	}
	*ret = value;
	return value > 255 ? -EINVAL : 0;
}

static int parse_kernel(struct parser *p)
{
	unsigned major = 0, minor = 0;
	const char *text, *dot;

	if (want_words(p, 2, "a kernel version") < 0)
		return -EINVAL;
	text = text_at(p, 1);
	dot = strchr(text, '.');
	if (!dot || parse_part(text, (size_t)(dot - text), &major) < 0 ||
	    parse_part(dot + 1, strlen(dot + 1), &minor) < 0) {
		diag_error(p->d, word_at(p, 1), "'%s' is no kernel version", quote(text).text);
		diag_hint(p->d, "two numbers, as in: kernel 6.1");
		return -EINVAL;
	}
	if (KERNEL(major, minor) > SYSCALL_NEWEST) {
		diag_error(p->d, word_at(p, 1), "calls are known up to Linux %d.%d",
			   SYSCALL_NEWEST >> 8, SYSCALL_NEWEST & 0xff);
		return -EINVAL;
	}
	return parse_set_scalar(p, SCALAR_KERNEL, KERNEL(major, minor), word_at(p, 1));
}

int parse_abi_name(struct parser *p, size_t i, enum abi *ret)
{
	struct suggestion s;

	if (strcmp(text_at(p, i), "native") == 0) {
		*ret = p->native;
		return 0;
	}
	if (abi_from_name(text_at(p, i), ret) == 0)
		return 0;
	s = suggest_begin(text_at(p, i));
	diag_error(p->d, word_at(p, i), "there is no ABI '%s'", quote(text_at(p, i)).text);
	suggest_offer(&s, "native");
	for (unsigned a = 0; a < _ABI_MAX; a++)
		suggest_offer(&s, abi_name((enum abi)a));
	suggest_end(p->d, &s);
	return -EINVAL;
}

static int parse_abi(struct parser *p)
{
	uint64_t mask = UINT64_C(1) << p->native;

	if (p->line->n < 2) {
		diag_error(p->d, word_at(p, 1), "an ABI is missing");
		diag_hint(p->d, "as in: abi native, abi native i386 x32");
		return -EINVAL;
	}
	for (size_t i = 1; i < p->line->n; i++) {
		enum abi abi = p->native;

		if (parse_abi_name(p, i, &abi) < 0)
			return -EINVAL;
		mask |= 1U << abi;
	}
	return parse_set_scalar(p, SCALAR_ABI, mask, word_at(p, 1));
}

/* One of names; the index, or -EINVAL with a mistake. */
static int parse_choice(struct parser *p, size_t i, const char *const *names, size_t n,
			const char *what)
{
	struct suggestion s = suggest_begin(text_at(p, i));

	for (size_t k = 0; k < n; k++) {
		if (strcmp(text_at(p, i), names[k]) == 0)
			return (int)k;
		suggest_offer(&s, names[k]);
	}
	diag_error(p->d, word_at(p, i), "'%s' is no %s", quote(text_at(p, i)).text, what);
	suggest_end(p->d, &s);
	return -EINVAL;
}

static int parse_net(struct parser *p)
{
	static const char *const names[] = { "none", "loopback", "host", "connect", "bind" };
	int choice;

	if (p->line->n < 2)
		return want_words(p, 2, "none, loopback, host, connect or bind");
	choice = parse_choice(p, 1, names, ARRAY_SIZE(names),
			      "network (none, loopback, host) and no direction (connect, bind)");
	if (choice < 0)
		return -EINVAL;
	if (choice > POLICY_NET_HOST)
		return parse_net_ports(p, choice == POLICY_NET_HOST + 1 ? POLICY_PORT_CONNECT
									: POLICY_PORT_BIND);
	if (want_words(p, 2, "") < 0)
		return -EINVAL;
	return parse_set_scalar(p, SCALAR_NET, (uint64_t)choice, word_at(p, 1));
}

static int parse_notify(struct parser *p)
{
	static const char *const names[] = { "off", "on" };
	int choice;

	if (want_words(p, 2, "on or off") < 0)
		return -EINVAL;
	choice = parse_choice(p, 1, names, ARRAY_SIZE(names), "setting of notify: on or off");
	if (choice < 0)
		return -EINVAL;
	return parse_set_scalar(p, SCALAR_NOTIFY, (uint64_t)choice, word_at(p, 1));
}

static int parse_default(struct parser *p)
{
	uint16_t value = 0;

	if (p->line->n < 2 || strcmp(text_at(p, 1), "errno") != 0) {
		diag_error(p->d, word_at(p, 1), "'errno' and the name of an error are missing");
		diag_hint(p->d, "as in: default errno ENOSYS");
		return -EINVAL;
	}
	if (p->line->n > 2 && want_words(p, 3, "the name of an error") < 0)
		return -EINVAL;
	if (parse_errno(p, 2, &value) < 0)
		return -EINVAL;
	return parse_set_scalar(p, SCALAR_DEFAULT, value, word_at(p, 2));
}

static int parse_cap_name(struct parser *p, size_t i, uint64_t *caps)
{
	const char *name = text_at(p, i);
	struct suggestion s = suggest_begin(name);
	uint64_t value = 0;
	bool negative;

	if (text_starts_with(name, "CAP_") && consts_find(name, &value, &negative) == 0 &&
	    value <= CAP_LAST_CAP) {
		*caps |= UINT64_C(1) << value;
		return 0;
	}
	diag_error(p->d, word_at(p, i), "there is no capability '%s'", quote(name).text);
	for (size_t k = 0; consts_name(k); k++) {
		if (text_starts_with(consts_name(k), "CAP_"))
			suggest_offer(&s, consts_name(k));
	}
	suggest_end(p->d, &s);
	return -EINVAL;
}

static int parse_cap(struct parser *p)
{
	uint64_t caps = 0;

	if (p->line->n < 2) {
		diag_error(p->d, word_at(p, 1), "'none' or a capability is missing");
		return -EINVAL;
	}
	if (strcmp(text_at(p, 1), "none") == 0) {
		if (want_words(p, 2, "") < 0)
			return -EINVAL;
	} else {
		for (size_t i = 1; i < p->line->n; i++) {
			if (parse_cap_name(p, i, &caps) < 0)
				return -EINVAL;
		}
	}
	return parse_set_scalar(p, SCALAR_CAP, caps, word_at(p, 1));
}

static int parse_one_limit(struct parser *p, size_t i)
{
	struct suggestion s = suggest_begin(text_at(p, i));
	struct cpus cpus = { { 0 } };
	uint64_t value = 0;
	unsigned k = 0;
	int r;

	while (k < _POLICY_LIMIT_MAX &&
	       strcmp(text_at(p, i), limit_name((enum policy_limit)k)) != 0)
		suggest_offer(&s, limit_name((enum policy_limit)k++));
	if (k == _POLICY_LIMIT_MAX) {
		diag_error(p->d, word_at(p, i), "there is no limit '%s'",
			   quote(text_at(p, i)).text);
		suggest_end(p->d, &s);
		return -EINVAL;
	}
	if (i + 1 >= p->line->n) {
		diag_error(p->d, word_at(p, i + 1), "the value of limit %s is missing",
			   limit_name((enum policy_limit)k));
		return -EINVAL;
	}
	if (strcmp(text_at(p, i + 1), "none") == 0) {
		value = SCALAR_NONE;
	} else if (limit_parse((enum policy_limit)k, text_at(p, i + 1), &value, &cpus) < 0) {
		diag_error(p->d, word_at(p, i + 1), "'%s' is not %s, or out of bounds",
			   quote(text_at(p, i + 1)).text, limit_kind((enum policy_limit)k));
		return -EINVAL;
	}
	r = parse_set_scalar(p, SCALAR_LIMIT + k, value, word_at(p, i));
	if (r == 0)
		p->part->scalars[SCALAR_LIMIT + k].cpus = cpus;
	return r;
}

static int parse_limits(struct parser *p)
{
	if (p->line->n < 2) {
		diag_error(p->d, word_at(p, 1), "a limit is missing");
		diag_hint(p->d, "as in: limit pids 512 memory 4G");
		return -EINVAL;
	}
	for (size_t i = 1; i < p->line->n; i += 2) {
		if (parse_one_limit(p, i) < 0)
			return -EINVAL;
	}
	return 0;
}

static int parse_variable(struct parser *p, size_t i)
{
	struct part *part = p->part;
	const char *equals = strchr(text_at(p, i), '=');
	_cleanup_free_ char *name = NULL;
	_cleanup_free_ char *value = NULL;
	int r;

	name = equals ? strndup(text_at(p, i), (size_t)(equals - text_at(p, i)))
		      : strdup(text_at(p, i));
	value = equals ? strdup(equals + 1) : NULL;
	if (!name || (equals && !value))
		return -ENOMEM;
	if (!text_is_variable(name, !equals)) {
		diag_error(p->d, word_at(p, i), "'%s' is no name of a variable", quote(name).text);
		return -EINVAL;
	}
	for (size_t k = 0; k < part->n_env; k++) {
		if (strcmp(part->env[k].name, name) == 0) {
			diag_error(p->d, word_at(p, i), "variable '%s' was said on line %u already",
				   quote(name).text, part->env[k].where.line);
			return -EINVAL;
		}
	}
	if (part->n_env == LIMIT_ENV) {
		diag_error(p->d, word_at(p, i), "more than %d variables", LIMIT_ENV);
		return -EINVAL;
	}
	r = list_grow(&part->env, part->n_env, sizeof(*part->env));
	if (r < 0)
		return r;
	part->env[part->n_env++] = (struct policy_env){ .name = TAKE_PTR(name),
							.value = TAKE_PTR(value),
							.where = word_at(p, i) };
	return 0;
}

static int parse_env(struct parser *p)
{
	if (p->line->n < 2) {
		diag_error(p->d, word_at(p, 1), "a variable is missing");
		return -EINVAL;
	}
	for (size_t i = 1; i < p->line->n; i++) {
		if (parse_variable(p, i) == -ENOMEM)
			return -ENOMEM;
	}
	return 0;
}

static int parse_label(struct parser *p)
{
	static const char *const names[] = { "apparmor", "selinux" };
	struct policy_label *said;
	struct label label;
	char text[LIMIT_LABEL];
	const char *why;
	int lsm;

	if (p->line->n < 2)
		return want_words(p, 2, "apparmor or selinux");
	lsm = parse_choice(p, 1, names, ARRAY_SIZE(names), "security module: apparmor or selinux");
	if (lsm < 0)
		return -EINVAL;
	if (want_words(p, 3, "a label, auto or none") < 0)
		return -EINVAL;
	if (label_parse((enum policy_lsm)lsm, text_at(p, 2), &label, &why) < 0) {
		diag_error(p->d, word_at(p, 2), "'%s' is no label: %s", quote(text_at(p, 2)).text,
			   why);
		return -EINVAL;
	}
	said = &p->part->labels[lsm];
	if (said->text) {
		diag_error(p->d, word_at(p, 1), "label %s was said on line %u already",
			   label_lsm_name((enum policy_lsm)lsm), said->where.line);
		return -EINVAL;
	}
	label_spell(&label, text);
	said->text = strdup(text);
	said->where = word_at(p, 1);
	return said->text ? 0 : -ENOMEM;
}

static const struct {
	const char *name;
	int (*parse)(struct parser *p);
} settings[] = {
	{ "kernel", parse_kernel }, { "abi", parse_abi },	  { "net", parse_net },
	{ "cap", parse_cap },	    { "notify", parse_notify },	  { "limit", parse_limits },
	{ "env", parse_env },	    { "default", parse_default }, { "label", parse_label },
};

bool parse_is_setting(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		if (strcmp(settings[i].name, word) == 0)
			return true;
	}
	return false;
}

int parse_settings(struct parser *p)
{
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		if (strcmp(settings[i].name, text_at(p, 0)) == 0)
			return settings[i].parse(p);
	}
	return -EINVAL;
}
