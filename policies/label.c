// SPDX-License-Identifier: Apache-2.0
#include "policies/label.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static const char *const lsm_names[] = {
	[POLICY_LSM_APPARMOR] = "apparmor",
	[POLICY_LSM_SELINUX] = "selinux",
};
static_assert(sizeof(lsm_names) / sizeof(lsm_names[0]) == _POLICY_LSM_MAX, "each has its name");

enum { CATEGORIES_TEXT = sizeof(":c1023.c1023") };

const char *label_lsm_name(enum policy_lsm lsm)
{
	return lsm_names[lsm];
}

int label_lsm_from_name(const char *name, enum policy_lsm *ret)
{
	for (unsigned i = 0; i < _POLICY_LSM_MAX; i++) {
		if (strcmp(lsm_names[i], name) == 0) {
			*ret = (enum policy_lsm)i;
			return 0;
		}
	}
	return -EINVAL;
}

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* The last part of a stack's or namespace's name: "unconfined" of ":ns://unconfined". */
static const char *last_part(const char *name)
{
	const char *last = name;

	for (const char *p = name; *p; p++) {
		if (*p == '/' || *p == ':' || *p == '&')
			last = p + 1;
	}
	return last;
}

/* The kernel reads "exec NAME" up to its end, and we read "NAME (mode)" back: neither a blank nor
 * a bracket can be part of a name here. */
static int check_profile(const char *name, const char **ret_why)
{
	*ret_why = "a profile's name has letters, digits and any of _ - . / : & @ + = , ~";
	for (const char *p = name; *p; p++) {
		if (!is_alnum(*p) && !strchr("_-./:&@+=,~", *p))
			return -EINVAL;
	}
	if (!is_alnum(name[0]) && !strchr("/:_", name[0]))
		return -EINVAL;
	*ret_why = "it names no profile that confines";
	return strcmp(last_part(name), "unconfined") == 0 || !*last_part(name) ? -EINVAL : 0;
}

static int check_type(const char *name, const char **ret_why)
{
	*ret_why = "a type begins with a letter and has letters, digits and any of _ - .";
	for (const char *p = name; *p; p++) {
		if (!is_alnum(*p) && !strchr("_-.", *p))
			return -EINVAL;
	}
	return is_alnum(name[0]) && (name[0] < '0' || name[0] > '9') ? 0 : -EINVAL;
}

/* "c0" to "c1023" at *text, which is moved behind it. */
static int read_category(const char **text, uint16_t *ret)
{
	const char *p = *text;
	unsigned value = 0;

	if (*p++ != 'c' || *p < '0' || *p > '9')
		return -EINVAL;
	for (; *p >= '0' && *p <= '9'; p++) {
		value = value * 10 + (unsigned)(*p - '0');
		if (value >= LABEL_CATEGORIES)
			return -ERANGE;
	}
	*text = p;
	*ret = (uint16_t)value;
	return 0;
}

static int parse_categories(const char *text, struct label *ret, const char **ret_why)
{
	uint16_t a = 0, b = 0;
	char between;

	*ret_why = "categories are c1,c2 or c0.c99, of c0 to c1023 (s0 means none)";
	if (strcmp(text, "s0") == 0) {
		ret->categories = LABEL_BARE;
		return 0;
	}
	if (text_starts_with(text, "s0:"))
		text += 3;
	if (read_category(&text, &a) < 0)
		return -EINVAL;
	between = *text;
	if (between != ',' && between != '.')
		return -EINVAL;
	text++;
	if (read_category(&text, &b) < 0 || *text)
		return -EINVAL;
	*ret_why = "two different categories are what tells sandboxes apart";
	if (a == b || (between == '.' && a > b))
		return -EINVAL;
	ret->categories = between == ',' ? LABEL_PAIR : LABEL_RANGE;
	ret->first = a < b ? a : b;
	ret->last = a < b ? b : a;
	return 0;
}

int label_parse(enum policy_lsm lsm, const char *text, struct label *ret, const char **ret_why)
{
	const char *colon = lsm == POLICY_LSM_SELINUX ? strchr(text, ':') : NULL;
	size_t n = colon ? (size_t)(colon - text) : strlen(text);
	struct label label = { .kind = LABEL_NAMED };
	int r = 0;

	*ret_why = "it is empty or too long";
	if (n == 0 || n >= sizeof(label.name) - CATEGORIES_TEXT)
		return -EINVAL;
	memcpy(label.name, text, n);
	if (strcmp(label.name, "none") == 0) {
		*ret_why = "none has no categories";
		label = (struct label){ .kind = LABEL_NONE };
		r = colon ? -EINVAL : 0;
	} else if (strcmp(label.name, "auto") == 0) {
		label = (struct label){ .kind = LABEL_AUTO };
	} else {
		r = lsm == POLICY_LSM_SELINUX ? check_type(label.name, ret_why)
					      : check_profile(label.name, ret_why);
	}
	if (r == 0 && colon)
		r = parse_categories(colon + 1, &label, ret_why);
	if (r < 0)
		return r;
	*ret = label;
	return 0;
}

void label_spell(const struct label *label, char ret[LIMIT_LABEL])
{
	const char *name = label->kind == LABEL_NONE   ? "none"
			   : label->kind == LABEL_AUTO ? "auto"
						       : label->name;
	char categories[CATEGORIES_TEXT] = "";

	if (label->categories == LABEL_BARE)
		(void)snprintf(categories, sizeof(categories), ":s0");
	else if (label->categories != LABEL_PICK)
		(void)snprintf(categories, sizeof(categories), ":c%u%cc%u", label->first % 10000U,
			       label->categories == LABEL_PAIR ? ',' : '.', label->last % 10000U);
	(void)snprintf(ret, LIMIT_LABEL, "%s%s", name, categories);
}
