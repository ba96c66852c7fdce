// SPDX-License-Identifier: Apache-2.0
/*
 * The same answers as sandbox/plan_paths.c gives at a launch, without a file system: a path that
 * is a symlink is judged by its name. tests/unit/test_path_rule.c holds the two together.
 */
#include "policies/path_rule.h"

#include <errno.h>
#include <string.h>

#include "base/limits.h"
#include "base/path.h"

struct text {
	char *data;
	size_t size, len;
};

static int put(struct text *t, const char *bytes, size_t n)
{
	if (n >= t->size - t->len)
		return -ENAMETOOLONG;
	memcpy(t->data + t->len, bytes, n);
	t->len += n;
	t->data[t->len] = '\0';
	return 0;
}

static bool is_pwd(const char *p)
{
	return strncmp(p, "$PWD", 4) == 0 && (p[4] == '/' || p[4] == '\0');
}

/* ${NAME:-/default} from p to the brace at end. */
static int put_variable(struct text *t, const struct path_vars *vars, const char *p,
			const char *end)
{
	const char *sep = memmem(p, (size_t)(end - p), ":-", 2);
	const char *value = NULL;
	char name[LIMIT_PATH];
	size_t len = (size_t)((sep ? sep : end) - p) - 2;

	if (vars->lookup && len < sizeof(name)) {
		memcpy(name, p + 2, len);
		name[len] = '\0';
		value = vars->lookup(name, vars->context);
	}
	/* as in a shell: an empty value is none */
	if (value && *value)
		return put(t, value, strlen(value));
	return sep ? put(t, sep + 2, (size_t)(end - sep) - 2) : -ENOENT;
}

int path_rule_expand(const struct policy_path *line, const struct path_vars *vars, char *ret,
		     size_t size)
{
	char out[LIMIT_PATH], normal[LIMIT_PATH];
	struct text t = { .data = out, .size = sizeof(out) };
	const char *p = line->path;
	int r = 0;

	out[0] = '\0';
	if (p[0] == '~' && (p[1] == '/' || p[1] == '\0')) {
		if (!vars->home)
			return -ENOENT;
		r = put(&t, vars->home, strlen(vars->home));
		p += 1;
	} else if (is_pwd(p)) {
		if (!vars->pwd)
			return -ENOENT;
		r = put(&t, vars->pwd, strlen(vars->pwd));
		p += 4;
	}
	while (*p && r == 0) {
		const char *end = p[0] == '$' && p[1] == '{' ? strchr(p, '}') : NULL;

		if (end) {
			r = put_variable(&t, vars, p, end);
			p = end + 1;
		} else {
			r = put(&t, p++, 1);
		}
	}
	if (r < 0)
		return r;
	if (out[0] != '/')
		return -EINVAL;
	r = path_normalise("/", out, normal, sizeof(normal));
	if (r < 0)
		return r;
	if (strlen(normal) >= size)
		return -ENAMETOOLONG;
	memcpy(ret, normal, strlen(normal) + 1);
	return 0;
}

static unsigned rank(uint8_t verb)
{
	switch ((enum policy_path_verb)verb) {
	case POLICY_PATH_TMPFS:
		return 4;
	case POLICY_PATH_HIDE:
		return 3;
	case POLICY_PATH_WRITE:
		return 2;
	case POLICY_PATH_EXEC:
		return 1;
	case POLICY_PATH_READ:
		break;
	}
	return 0;
}

/* "/" stands for each top-level entry of the host, but for those that are the sandbox's own. */
static bool root_covers(const char *path)
{
	return !path_is_within(path, "/proc") && !path_is_within(path, "/sys") &&
	       !path_is_within(path, "/dev");
}

struct found {
	const struct policy_path *line;
	size_t depth;
	unsigned rights; /* by any of the lines at that place */
};

/* read, exec and write add up; hide and tmpfs are alone. */
static bool adds_up(const struct policy_path *line)
{
	return rank(line->verb) < rank(POLICY_PATH_HIDE);
}

static void take(struct found *f, const struct policy_path *line, size_t depth)
{
	const unsigned rights = path_rule_gives((enum policy_path_verb)line->verb);

	if (!f->line || depth > f->depth) {
		*f = (struct found){ .line = line, .depth = depth, .rights = rights };
		return;
	}
	if (depth < f->depth)
		return;
	if (adds_up(line) && adds_up(f->line))
		f->rights |= rights;
	else if (rank(line->verb) > rank(f->line->verb))
		f->rights = rights;
	if (rank(line->verb) > rank(f->line->verb))
		f->line = line;
}

/* The line's place: its own words where they have no variable, which are normal (model.h), else put
 * into room. NULL: it has none. */
static const char *place_of(const struct policy_path *line, const struct path_vars *vars,
			    char *room, size_t size)
{
	if (line->path[0] == '/' && !strchr(line->path, '$'))
		return line->path;
	return path_rule_expand(line, vars, room, size) < 0 ? NULL : room;
}

/* The lines that come to the deepest place at or above path that is less than below deep. */
static struct found find(const struct policy *policy, const struct path_vars *vars,
			 const char *path, size_t below)
{
	struct found f = { .line = NULL };
	char room[LIMIT_PATH];

	for (size_t i = 0; i < policy->n_paths; i++) {
		const struct policy_path *line = &policy->paths[i];
		const char *place = place_of(line, vars, room, sizeof(room));

		if (!place || !path_is_within(path, place) || path_depth(place) >= below ||
		    (place[1] == '\0' && !root_covers(path)))
			continue;
		take(&f, line, path_depth(place));
	}
	return f;
}

/* A launch hides what would show. In a tmpfs nothing does, and what the payload makes there
 * under a hidden name is its own. */
static struct found find_shown(const struct policy *policy, const struct path_vars *vars,
			       const char *path)
{
	struct found first = find(policy, vars, path, SIZE_MAX), f = first;

	while (f.line && f.line->verb == POLICY_PATH_HIDE)
		f = find(policy, vars, path, f.depth);
	return f.line && f.line->verb == POLICY_PATH_TMPFS ? f : first;
}

const struct policy_path *path_rule_find(const struct policy *policy, const struct path_vars *vars,
					 const char *path)
{
	return find_shown(policy, vars, path).line;
}

unsigned path_rule_rights(const struct policy *policy, const struct path_vars *vars,
			  const char *path, const struct policy_path **ret_line)
{
	const struct found f = find_shown(policy, vars, path);

	*ret_line = f.line;
	return f.rights;
}

bool path_rule_allows(const struct policy *policy, const struct path_vars *vars, const char *path,
		      enum policy_path_verb wanted, const struct policy_path **ret_line)
{
	return path_rule_rights(policy, vars, path, ret_line) & 1U << wanted;
}

unsigned path_rule_gives(enum policy_path_verb verb)
{
	switch (verb) {
	case POLICY_PATH_READ:
		return PATH_MAY_READ;
	case POLICY_PATH_EXEC:
		return PATH_MAY_READ | PATH_MAY_EXEC;
	case POLICY_PATH_WRITE:
		return PATH_MAY_READ | PATH_MAY_WRITE;
	case POLICY_PATH_TMPFS:
		return PATH_MAY_READ | PATH_MAY_WRITE | PATH_MAY_EXEC;
	case POLICY_PATH_HIDE:
		break;
	}
	return 0;
}
