// SPDX-License-Identifier: Apache-2.0
#include "sandbox/lsm_text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The launcher's own profile and the one that it stacks on what it executes. */
static const char own_profile[] = "cordon", own_payload[] = "cordon_payload";

static const char stack_sign[] = "//&";

/* --- AppArmor --- */

/* Length of the label without " (MODE)". */
static size_t length_of(const char *label)
{
	size_t n = strlen(label);
	const char *open;

	if (n == 0 || label[n - 1] != ')')
		return n;
	open = strrchr(label, '(');
	return open && open > label && open[-1] == ' ' ? (size_t)(open - label) - 1 : n;
}

enum lsm_mode lsm_aa_mode(const char *label)
{
	static const struct {
		const char *name;
		enum lsm_mode mode;
	} modes[] = {
		{ " (enforce)", LSM_ENFORCE },	 { " (kill)", LSM_ENFORCE },
		{ " (complain)", LSM_COMPLAIN }, { " (unconfined)", LSM_UNCONFINED },
		{ " (user)", LSM_ENFORCE },
	};
	const char *mode = label + length_of(label);

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(mode, modes[i].name) == 0)
			return modes[i].mode;
	}
	/* "unconfined" alone is said without one, and so is nothing else. */
	return *mode ? LSM_MIXED : LSM_UNCONFINED;
}

void lsm_aa_strip(char *label)
{
	label[length_of(label)] = '\0';
}

struct span {
	const char *at;
	size_t n;
};

static struct span span_of(const char *label)
{
	return (struct span){ label, length_of(label) };
}

/* The next profile of a label's rest, which is moved behind it. False: there is none. */
static bool next_profile(struct span *rest, struct span *ret)
{
	const size_t n_sign = strlen(stack_sign);
	const char *sign;

	if (rest->n == 0)
		return false;
	sign = memmem(rest->at, rest->n, stack_sign, n_sign);
	*ret = (struct span){ rest->at, sign ? (size_t)(sign - rest->at) : rest->n };
	rest->at += ret->n + (sign ? n_sign : 0);
	rest->n -= ret->n + (sign ? n_sign : 0);
	return true;
}

/* ":NS:PROFILE" in two; without a namespace the first is empty. The kernel prints slashes behind
 * the second colon and takes the name without (security/apparmor/lib.c, aa_splitn_fqname()). */
static void split(struct span profile, struct span *ret_ns, struct span *ret_name)
{
	const char *colon = NULL;

	*ret_ns = (struct span){ profile.at, 0 };
	*ret_name = profile;
	if (profile.n > 0 && profile.at[0] == ':')
		colon = memchr(profile.at + 1, ':', profile.n - 1);
	if (!colon)
		return;
	ret_ns->n = (size_t)(colon - profile.at);
	ret_name->at = colon + 1;
	ret_name->n = profile.n - ret_ns->n - 1;
	if (ret_name->n > 2 && memcmp(ret_name->at, "//", 2) == 0) {
		ret_name->at += 2;
		ret_name->n -= 2;
	}
}

static bool same_text(struct span a, struct span b)
{
	return a.n == b.n && memcmp(a.at, b.at, a.n) == 0;
}

static bool same_profile(struct span a, struct span b)
{
	struct span ns[2], name[2];

	split(a, &ns[0], &name[0]);
	split(b, &ns[1], &name[1]);
	return same_text(ns[0], ns[1]) && same_text(name[0], name[1]);
}

static bool has(const char *label, struct span profile)
{
	struct span rest = span_of(label), one;

	while (next_profile(&rest, &one)) {
		if (same_profile(one, profile))
			return true;
	}
	return false;
}

bool lsm_aa_has(const char *label, const char *profile)
{
	return has(label, (struct span){ profile, strlen(profile) });
}

static bool within(const char *a, const char *b)
{
	struct span rest = span_of(a), one;

	while (next_profile(&rest, &one)) {
		if (!has(b, one))
			return false;
	}
	return true;
}

bool lsm_aa_same(const char *a, const char *b)
{
	return within(a, b) && within(b, a);
}

void lsm_aa_exec_text(const char *current, const char *profile, char ret[LSM_TEXT])
{
	const bool own = lsm_aa_has(current, own_profile);
	const bool free = lsm_aa_mode(current) == LSM_UNCONFINED;

	(void)snprintf(ret, LSM_TEXT, "%s %s%s%.255s", free ? "exec" : "stack",
		       own && !free ? own_payload : "", own && !free ? stack_sign : "", profile);
}

const char *lsm_aa_keep_text(const char *current)
{
	const struct span own = { own_profile, strlen(own_profile) };

	if (lsm_aa_mode(current) == LSM_UNCONFINED || !same_text(span_of(current), own))
		return NULL;
	return "exec cordon";
}

/* --- SELinux --- */

/* The n-th field (from 0) and what is behind it, up to the end. NULL: there is none. */
static const char *field(const char *context, unsigned n)
{
	while (n-- > 0 && context) {
		context = strchr(context, ':');
		context = context ? context + 1 : NULL;
	}
	return context;
}

size_t lsm_se_type(const char *context, const char **ret)
{
	const char *type = field(context, 2);

	if (!type)
		return 0;
	*ret = type;
	return strcspn(type, ":");
}

bool lsm_se_has_levels(const char *current)
{
	return field(current, 3) != NULL;
}

struct categories {
	bool in[LABEL_CATEGORIES];
	unsigned n;
};

static int read_number(const char **p, unsigned *ret)
{
	unsigned value = 0;

	if (*(*p)++ != 'c' || **p < '0' || **p > '9')
		return -EINVAL;
	for (; **p >= '0' && **p <= '9'; (*p)++) {
		value = value * 10 + (unsigned)(**p - '0');
		if (value >= LABEL_CATEGORIES)
			return -ERANGE;
	}
	*ret = value;
	return 0;
}

/* "c0.c99,c200" */
static int read_categories(const char *p, struct categories *ret)
{
	unsigned first = 0, last = 0;

	while (*p) {
		if (read_number(&p, &first) < 0)
			return -EINVAL;
		last = first;
		if (*p == '.' && (p++, read_number(&p, &last) < 0))
			return -EINVAL;
		for (unsigned c = first; c <= last; c++) {
			ret->n += !ret->in[c];
			ret->in[c] = true;
		}
		if (*p && *p++ != ',')
			return -EINVAL;
	}
	return 0;
}

/* Those of the higher level: what a process may have. All of them where that has none: whether he
 * may have them is then the policy's to say. */
static int own_categories(const char *levels, struct categories *ret)
{
	const char *high = strchr(levels, '-');
	const char *colon = strchr(high ? high : levels, ':');

	if (colon)
		return read_categories(colon + 1, ret);
	for (unsigned c = 0; c < LABEL_CATEGORIES; c++)
		ret->in[c] = true;
	ret->n = LABEL_CATEGORIES;
	return 0;
}

static void keep_range(struct categories *set, unsigned first, unsigned last)
{
	for (unsigned c = 0; c < LABEL_CATEGORIES; c++) {
		if ((c < first || c > last) && set->in[c]) {
			set->in[c] = false;
			set->n--;
		}
	}
}

/* The index-th that is in. */
static unsigned category_at(const struct categories *set, unsigned index)
{
	unsigned c = 0;

	for (; c + 1 < LABEL_CATEGORIES; c++) {
		if (set->in[c] && index-- == 0)
			break;
	}
	return c;
}

/* One of n, then one of the other n - 1. Of 32 bits for each, no category is likelier than another
 * by more than n / 2^32. */
static void draw(const struct categories *set, uint64_t random, unsigned *ret_a, unsigned *ret_b)
{
	unsigned a = (unsigned)(((random >> 32) * set->n) >> 32);
	unsigned b = (unsigned)(((random & 0xffffffff) * (set->n - 1)) >> 32);

	b += b >= a;
	*ret_a = category_at(set, a < b ? a : b);
	*ret_b = category_at(set, a < b ? b : a);
}

/* The pair that label asks for, drawn where it is not fixed. */
static int choose(const char *levels, const struct label *label, uint64_t random, unsigned ret[2],
		  const char **ret_why)
{
	struct categories set = { .n = 0 };

	ret[0] = label->first;
	ret[1] = label->last;
	if (label->categories == LABEL_PAIR)
		return 0;
	*ret_why = "cordon's own context has categories that cannot be read";
	if (own_categories(levels, &set) < 0)
		return -EINVAL;
	if (label->categories == LABEL_RANGE)
		keep_range(&set, label->first, label->last);
	*ret_why = "fewer than two categories are left of that range and of those that cordon's "
		   "own context has";
	if (set.n < 2)
		return -EINVAL;
	draw(&set, random, &ret[0], &ret[1]);
	return 0;
}

static int put_level(const char *levels, const struct label *label, uint64_t random,
		     char ret[LSM_TEXT], size_t n, const char **ret_why)
{
	const int n_sensitivity = (int)strcspn(levels, ":-");
	char categories[32] = "";
	unsigned pair[2];
	int r;

	if (label->categories != LABEL_BARE) {
		r = choose(levels, label, random, pair, ret_why);
		if (r < 0)
			return r;
		(void)snprintf(categories, sizeof(categories), ":c%u,c%u", pair[0], pair[1]);
	}
	r = snprintf(ret + n, LSM_TEXT - n, ":%.*s%s", n_sensitivity, levels, categories);
	*ret_why = "the context is too long";
	return r < 0 || (size_t)r >= LSM_TEXT - n ? -EINVAL : 0;
}

int lsm_se_context(const char *current, const struct label *label, uint64_t random,
		   char ret[LSM_TEXT], const char **ret_why)
{
	const char *type = field(current, 2), *levels = field(current, 3);
	int n;

	*ret_why = "cordon's own context cannot be read";
	if (!type)
		return -EINVAL;
	n = snprintf(ret, LSM_TEXT, "%.*s%s", (int)(type - current), current, label->name);
	*ret_why = "the context is too long";
	if (n < 0 || n >= LSM_TEXT)
		return -EINVAL;
	if (levels)
		return put_level(levels, label, random, ret, (size_t)n, ret_why);
	*ret_why = "the policy of this host has no categories";
	return label->categories == LABEL_PICK ? 0 : -EINVAL;
}
