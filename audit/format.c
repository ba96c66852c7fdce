// SPDX-License-Identifier: Apache-2.0
#include "audit/format.h"

#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "audit/names.h"
#include "audit/stamp.h"
#include "base/json.h"

int64_t format_begin(struct json *j, char *buf, size_t cap, const char *type, const char *sandbox)
{
	struct stamp now;

	stamp_now(&now);
	json_init(j, buf, cap);
	json_object(j, NULL);
	json_string(j, "type", type);
	json_string(j, "time", now.text);
	json_u64(j, "mono", now.mono_ns);
	json_string(j, "sandbox", sandbox);
	return now.wall_ns;
}

static size_t finish(struct json *j)
{
	json_object_end(j);
	return json_finish(j);
}

/* An element of at most max bytes of text in an array; whether it fitted below the limit. */
static bool put_bounded(struct json *j, const char *text, size_t max, size_t limit)
{
	struct json before = *j;
	size_t len = strlen(text);

	json_bytes(j, NULL, text, len < max ? len : max);
	if (!j->overflow && j->len <= limit)
		return len <= max;
	*j = before;
	j->buf[j->len] = '\0';
	return false;
}

/* As many elements as fit into share bytes; what was left out or cut is told by a second field. */
static void put_list(struct json *j, const char *key, const char *cut_key, const char *const *list,
		     size_t share)
{
	size_t limit = j->len + share, n = 0;
	bool whole = true;

	json_array(j, key);
	for (; list && list[n]; n++) {
		if (whole)
			whole = put_bounded(j, list[n], 1024, limit);
	}
	json_array_end(j);
	if (!whole)
		json_u64(j, cut_key, n);
}

static void put_hash(struct json *j, const char *key, const struct hash *hash)
{
	char hex[HASH_HEX + 1];

	hash_hex(hash, hex);
	json_string(j, key, hex);
}

/* Whose denials will not be in the log. */
static void put_unseen(struct json *j, const struct format_kernel_state *kernel,
		       const struct audit_start *start)
{
	static const char *const names[_AUDIT_REFUSER_MAX] = {
		[AUDIT_APPARMOR] = "apparmor",		 [AUDIT_SELINUX] = "selinux",
		[AUDIT_LANDLOCK] = "landlock",		 [AUDIT_SECCOMP_KILL] = "seccomp-kill",
		[AUDIT_SECCOMP_ERRNO] = "seccomp-errno",
	};
	unsigned unseen = start->untold;

	if (kernel->why)
		unseen = ~0U;
	else if (!kernel->audit)
		unseen |= 1U << AUDIT_LANDLOCK;
	json_array(j, "unseen");
	for (unsigned i = 0; i < _AUDIT_REFUSER_MAX; i++) {
		if ((start->refusers & unseen) >> i & 1)
			json_string(j, NULL, names[i]);
	}
	json_array_end(j);
}

static void put_kernel(struct json *j, const struct format_kernel_state *kernel,
		       const struct audit_start *start)
{
	json_object(j, "kernel_denials");
	json_bool(j, "readable", !kernel->why);
	if (kernel->why) {
		json_string(j, "why", kernel->why);
	} else {
		json_bool(j, "forks", kernel->forks);
		json_bool(j, "audit", kernel->audit);
	}
	put_unseen(j, kernel, start);
	json_object_end(j);
}

size_t format_open(char *buf, size_t cap, const struct format_id *id,
		   const struct audit_start *start, const char *sealed,
		   const struct format_kernel_state *kernel)
{
	struct utsname uts = { .release = "" };
	struct json j;

	(void)uname(&uts);
	(void)format_begin(&j, buf, cap, "open", id->sandbox);
	json_string(&j, "cordon", CORDON_VERSION);
	json_string(&j, "kernel", uts.release);
	json_string(&j, "machine", uts.machine);
	json_string(&j, "policy", id->policy);
	put_hash(&j, "policy_digest", &start->policy_digest);
	put_hash(&j, "plan_digest", &start->plan_digest);
	json_u64(&j, "uid", start->uid);
	json_u64(&j, "uid_inside", start->uid_inside);
	json_bool(&j, "blind", start->blind);
	put_kernel(&j, kernel, start);
	json_string(&j, "sealed", sealed && sealed[0] ? sealed : NULL);
	put_list(&j, "in_force", "in_force_count", start->in_force, 2048);
	put_list(&j, "given_up", "given_up_count", start->given_up, 4096);
	put_list(&j, "argv", "argv_count", start->argv, 6144);
	return finish(&j);
}

size_t format_limit(char *buf, size_t cap, const struct format_id *id, const char *which,
		    const char *text, uint64_t count)
{
	struct json j;

	(void)format_begin(&j, buf, cap, "limit", id->sandbox);
	json_string(&j, "policy", id->policy);
	json_bytes(&j, "limit", which, strnlen(which, 64));
	json_bytes(&j, "text", text, strnlen(text, 1024));
	if (count)
		json_u64(&j, "count", count);
	return finish(&j);
}

size_t format_lost(char *buf, size_t cap, const struct format_id *id, const char *sink,
		   uint64_t records, uint64_t denials, int why)
{
	char name[24];
	struct json j;

	(void)format_begin(&j, buf, cap, "lost", id->sandbox);
	json_bytes(&j, "sink", sink, strnlen(sink, 512));
	json_u64(&j, "records", records);
	json_u64(&j, "denials", denials);
	json_string(&j, "why", names_errno((unsigned)-why, name, sizeof(name)));
	return finish(&j);
}

static void put_exit(struct json *j, const struct audit_end *end)
{
	char name[24];

	json_object(j, "exit");
	if (!end->started) {
		const char *why = end->error ? end->error : "never started";

		json_bytes(j, "error", why, strnlen(why, LIMIT_ERR_TEXT));
	} else if (WIFSIGNALED(end->wait_status)) {
		unsigned sig = (unsigned)WTERMSIG(end->wait_status);

		json_string(j, "signal", names_signal(sig, name, sizeof(name)));
		json_u64(j, "nr", sig);
	} else {
		json_u64(j, "status", (unsigned)WEXITSTATUS(end->wait_status));
	}
	json_object_end(j);
}

static void put_known(struct json *j, const char *key, uint64_t value)
{
	if (value != AUDIT_UNKNOWN)
		json_u64(j, key, value);
}

static void put_usage(struct json *j, const struct audit_usage *u)
{
	json_object(j, "usage");
	json_string(j, "source", u->by_cgroup ? "cgroup" : "rusage");
	put_known(j, "cpu_usec", u->cpu_usec);
	put_known(j, "user_usec", u->user_usec);
	put_known(j, "system_usec", u->system_usec);
	put_known(j, "memory_peak", u->memory_peak);
	put_known(j, "max_rss", u->max_rss);
	if (u->read_bytes != AUDIT_UNKNOWN || u->write_bytes != AUDIT_UNKNOWN) {
		json_object(j, "io");
		put_known(j, "rbytes", u->read_bytes);
		put_known(j, "wbytes", u->write_bytes);
		json_object_end(j);
	}
	put_known(j, "pids_peak", u->pids_peak);
	put_known(j, "oom_kills", u->oom_kills);
	json_object_end(j);
}

size_t format_close(char *buf, size_t cap, const struct format_id *id,
		    const struct format_closing *closing, const struct audit_end *end)
{
	struct json j;

	(void)format_begin(&j, buf, cap, "close", id->sandbox);
	json_string(&j, "policy", id->policy);
	json_u64(&j, "denials", closing->denials);
	json_u64(&j, "records", closing->records);
	json_u64(&j, "summaries", closing->summaries);
	json_u64(&j, "counted", closing->counted);
	json_object(&j, "lost");
	json_u64(&j, "records", closing->lost_records);
	json_u64(&j, "denials", closing->lost_denials);
	json_u64(&j, "other_sinks", closing->others_lost);
	json_object_end(&j);
	put_exit(&j, end);
	if (end->usage)
		put_usage(&j, end->usage);
	return finish(&j);
}

size_t format_repair(char *buf, size_t cap, const char *sandbox, const struct chain_repair *repair)
{
	struct json j;

	(void)format_begin(&j, buf, cap, "repair", sandbox);
	json_string(&j, "head", repair->head);
	json_u64(&j, "adopted", repair->adopted);
	json_u64(&j, "torn", repair->torn);
	json_u64(&j, "foreign", repair->foreign);
	json_u64(&j, "cut", repair->cut);
	return finish(&j);
}

size_t format_rotate(char *buf, size_t cap, const char *sandbox, uint64_t bytes)
{
	struct json j;

	(void)format_begin(&j, buf, cap, "rotate", sandbox);
	json_u64(&j, "bytes", bytes);
	return finish(&j);
}

size_t format_retain(char *buf, size_t cap, const char *sandbox, uint64_t files, uint64_t from,
		     uint64_t through)
{
	struct json j;

	(void)format_begin(&j, buf, cap, "retain", sandbox);
	json_u64(&j, "files", files);
	json_u64(&j, "from", from);
	json_u64(&j, "through", through);
	return finish(&j);
}

size_t format_seal(char *buf, size_t cap, const char *sandbox, const struct seal_state *state,
		   uint64_t last)
{
	struct json j;

	(void)format_begin(&j, buf, cap, "seal", sandbox);
	json_string(&j, "id", state->id);
	json_u64(&j, "epoch", state->epoch);
	json_u64(&j, "first", state->first);
	json_u64(&j, "last", last);
	return finish(&j);
}

size_t format_unsealed(char *buf, size_t cap, const char *sandbox, const char *id, int why)
{
	char name[24];
	struct json j;

	(void)format_begin(&j, buf, cap, "unsealed", sandbox);
	json_string(&j, "id", id);
	json_string(&j, "why", names_errno((unsigned)-why, name, sizeof(name)));
	return finish(&j);
}
