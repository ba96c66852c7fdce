// SPDX-License-Identifier: Apache-2.0
#include "cli/audit_policy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "cli/policy_dirs.h"
#include "cli/print.h"
#include "policies/load.h"

size_t audit_policy_dirs(const struct audit_args *args, const char *ret[AUDIT_MAX_SEARCH])
{
	if (args->n_search == 0)
		return policy_default_dirs(ret);
	memcpy(ret, args->search, args->n_search * sizeof(args->search[0]));
	return args->n_search;
}

int audit_policy_load(const struct audit_args *args, const char *what, struct policy **ret,
		      struct err *err)
{
	__attribute__((
		cleanup(policy_diags_done))) struct policy_diags diags = { .text = BUF_INIT };
	const char *dirs[AUDIT_MAX_SEARCH];
	struct policy_search search = { .dirs = dirs,
					.n_dirs = audit_policy_dirs(args, dirs),
					.native = ABI_NATIVE };
	struct err unused = ERR_INIT;
	char cwd[LIMIT_PATH], full[LIMIT_PATH];
	size_t len = strlen(what);
	int r;

	if (strchr(what, '/') || (len > 7 && strcmp(what + len - 7, ".policy") == 0)) {
		if (!getcwd(cwd, sizeof(cwd)) || path_normalise(cwd, what, full, sizeof(full)) < 0)
			return err_set(err ? err : &unused, -EINVAL, "use the policy '%.400s'",
				       what);
		what = full;
	}
	r = policy_load(what, &search, ret, &diags, err ? err : &unused);
	if (err && diags.text.len > 0)
		(void)fd_write_all(STDERR_FILENO, diags.text.data, diags.text.len);
	return r;
}

bool audit_policy_is_records(const struct policy *policy, const struct recorded *record)
{
	char hex[HASH_HEX + 1], digest[HASH_HEX + 1];
	size_t len = scan_string(&record->digest, digest, sizeof(digest));

	hash_hex(&policy->digest, hex);
	return record->digest.len && len >= 12 && strncmp(hex, digest, len) == 0;
}

static const char *reason_text(const struct policy_verdict *verdict)
{
	static const char *const reasons[] = { "rule", "default", "kernel", "abi" };

	return reasons[verdict->reason & 3];
}

void audit_policy_rule_text(const struct policy *policy, const struct policy_verdict *verdict,
			    bool whole, char *buf, size_t cap)
{
	const struct policy_where *where = verdict->rule ? &verdict->rule->where : NULL;
	const char *path, *slash;

	if (!where || where->line == 0 || where->source >= policy->n_sources) {
		(void)snprintf(buf, cap, "%s", reason_text(verdict));
		return;
	}
	path = policy->sources[where->source].path;
	slash = whole ? NULL : strrchr(path, '/');
	(void)snprintf(buf, cap, "%.512s:%u", slash ? slash + 1 : path, where->line);
}

/* The file by its whole path, as the record has it, or the end of that. */
static bool same_rule(const struct policy *policy, const struct policy_verdict *verdict,
		      const struct recorded *record)
{
	const struct policy_where *where = verdict->rule ? &verdict->rule->where : NULL;
	const char *p = record->rule.p + 1, *path, *colon;
	size_t len = record->rule.len - 2, n = 0;
	uint32_t line = 0;

	if (record->rule.len < 2)
		return false;
	if (!where || where->line == 0 || where->source >= policy->n_sources)
		return scan_is(&record->rule, reason_text(verdict));
	colon = memrchr(p, ':', len);
	if (!colon)
		return false;
	for (const char *digit = colon + 1; digit < p + len; digit++) {
		if (*digit < '0' || *digit > '9' || __builtin_mul_overflow(line, 10U, &line) ||
		    __builtin_add_overflow(line, (uint32_t)(*digit - '0'), &line))
			return false;
	}
	if (line != where->line)
		return false;
	path = policy->sources[where->source].path;
	/* Names of files with escapes in them are rare enough for the last part not to matter. */
	if (memchr(p, '\\', len))
		return true;
	for (n = strlen(path); n > 0 && path[n - 1] != '/'; n--)
		;
	path += n;
	n = strlen(path);
	return (size_t)(colon - p) >= n && memcmp(colon - n, path, n) == 0 &&
	       (colon - n == p || colon[-(ptrdiff_t)n - 1] == '/');
}

bool audit_policy_same_verdict(const struct policy *policy, const struct policy_verdict *verdict,
			       const struct recorded *record)
{
	if (verdict->action == POLICY_ALLOW || !record->has_answer)
		return false;
	if ((verdict->action == POLICY_KILL) != record->kill)
		return false;
	return (record->kill || verdict->errno_value == record->errno_value) &&
	       same_rule(policy, verdict, record);
}
