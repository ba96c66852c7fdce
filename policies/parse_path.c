// SPDX-License-Identifier: Apache-2.0
/* read, exec, write, hide, tmpfs: the view of the file system. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "policies/part.h"

int parse_path_verb(const char *word, enum policy_path_verb *ret, bool *ret_optional)
{
	static const char *const names[] = { "read", "exec", "write", "hide", "tmpfs" };
	size_t len = strlen(word);
	bool optional = len > 1 && word[len - 1] == '?';

	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		if (strlen(names[i]) != len - optional ||
		    memcmp(word, names[i], len - optional) != 0)
			continue;
		*ret = (enum policy_path_verb)i;
		*ret_optional = optional;
		return 0;
	}
	return -EINVAL;
}

static bool is_variable_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* Length of "${NAME:-/default}" at the beginning of path, 0 when it is not well formed. */
static size_t variable_len(const char *path)
{
	char inside[LIMIT_PATH];
	const char *colon, *end;
	size_t len;

	if (path[0] != '$' || path[1] != '{' || !is_variable_start(path[2]))
		return 0;
	colon = path + 2;
	while (is_variable_start(*colon) || (*colon >= '0' && *colon <= '9'))
		colon++;
	if (colon[0] != ':' || colon[1] != '-')
		return 0;
	end = strchr(colon, '}');
	if (!end)
		return 0;
	len = (size_t)(end - colon - 2);
	if (len >= sizeof(inside))
		return 0;
	memcpy(inside, colon + 2, len);
	inside[len] = '\0';
	return path_is_normal(inside) ? (size_t)(end - path) + 1 : 0;
}

/* What comes before the part that must be normal by itself; SIZE_MAX for a wrong variable. */
static size_t prefix_len(const char *path)
{
	size_t n;

	if (path[0] == '~')
		return 1;
	if (path[0] != '$')
		return 0;
	if (strncmp(path, "$PWD", 4) == 0 && (path[4] == '\0' || path[4] == '/'))
		return 4;
	n = variable_len(path);
	return n ? n : SIZE_MAX;
}

static bool check_path(struct parser *p, size_t i)
{
	const char *path = p->line->words[i].text;
	size_t prefix = prefix_len(path);
	const char *rest;

	if (prefix == SIZE_MAX) {
		diag_error(p->d, word_at(p, i), "'%s': no such variable", quote(path).text);
		diag_hint(p->d, "a path begins with '/', '~', $PWD or ${NAME:-/default}");
		return false;
	}
	rest = path + prefix;
	if (strlen(path) >= LIMIT_PATH) {
		diag_error(p->d, word_at(p, i), "the path is longer than %d bytes", LIMIT_PATH - 1);
		return false;
	}
	if (prefix && *rest == '\0')
		return true;
	if (*rest != '/') {
		diag_error(p->d, word_at(p, i), "'%s' is no absolute path", quote(path).text);
		diag_hint(p->d, "a path begins with '/', '~', $PWD or ${NAME:-/default}");
		return false;
	}
	if (!path_is_normal(rest) || (prefix && rest[1] == '\0')) {
		diag_error(p->d, word_at(p, i), "'%s' is not in its normal form", quote(path).text);
		diag_hint(p->d, "no '.', '..' or empty parts and no '/' at the end");
		return false;
	}
	return true;
}

int parse_path_text(struct parser *p, size_t i, char **ret)
{
	if (!check_path(p, i))
		return -EINVAL;
	*ret = strdup(p->line->words[i].text);
	return *ret ? 0 : -ENOMEM;
}

static int add_path(struct parser *p, size_t i, enum policy_path_verb verb, bool optional)
{
	struct part *part = p->part;
	_cleanup_free_ char *path = NULL;
	int r = parse_path_text(p, i, &path);

	if (r < 0)
		return r;
	for (size_t k = 0; k < part->n_paths; k++) {
		const struct policy_path *old = &part->paths[k];

		if (strcmp(old->path, path) != 0)
			continue;
		if (old->verb == verb && old->optional == optional)
			return 0;
		diag_error(p->d, word_at(p, i), "'%s' has another rule on line %u",
			   quote(path).text, old->where.line);
		return -EINVAL;
	}
	if (part->n_paths == LIMIT_BINDS) {
		diag_error(p->d, word_at(p, i), "more than %d paths", LIMIT_BINDS);
		return -EINVAL;
	}
	r = list_grow(&part->paths, part->n_paths, sizeof(*part->paths));
	if (r < 0)
		return r;
	part->paths[part->n_paths++] = (struct policy_path){
		.verb = (uint8_t)verb,
		.optional = optional,
		.path = TAKE_PTR(path),
		.where = word_at(p, i),
	};
	return 0;
}

int parse_path(struct parser *p, enum policy_path_verb verb, bool optional)
{
	if (p->line->n < 2) {
		diag_error(p->d, word_at(p, 1), "a path is missing");
		return -EINVAL;
	}
	for (size_t i = 1; i < p->line->n; i++) {
		if (add_path(p, i, verb, optional) == -ENOMEM)
			return -ENOMEM;
	}
	return 0;
}
