// SPDX-License-Identifier: Apache-2.0
/* The bodies that speak of denials. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "audit/decode.h"
#include "audit/format.h"
#include "audit/names.h"
#include "audit/peer.h"
#include "audit/stamp.h"
#include "base/json.h"

/* enum policy_reason of policies/model.h, in its order. */
static const char *const reasons[] = { "rule", "default", "kernel", "abi" };

static void put_policy(struct json *j, const struct format_id *id)
{
	json_string(j, "policy", id->policy);
	json_string(j, "digest", id->digest);
	json_string(j, "mechanism", "seccomp");
}

static void put_syscall(struct json *j, enum abi abi, int32_t nr, const struct syscall_desc *desc)
{
	json_object(j, "syscall");
	json_string(j, "name", desc ? desc->name : NULL);
	json_i64(j, "nr", nr);
	json_string(j, "abi", abi_name(abi));
	json_object_end(j);
}

static void put_answer(struct json *j, bool kill, unsigned errno_value)
{
	char name[24];

	json_object(j, "answer");
	if (kill) {
		json_bool(j, "kill", true);
	} else {
		json_string(j, "errno", names_errno(errno_value, name, sizeof(name)));
		json_u64(j, "nr", errno_value);
	}
	json_object_end(j);
}

static void put_rule(struct json *j, unsigned reason, const char *file, uint32_t line)
{
	char text[512 + 16];

	if (file) {
		(void)snprintf(text, sizeof(text), "%.512s:%u", file, line);
		json_string(j, "rule", text);
	} else {
		json_string(j, "rule",
			    reason < sizeof(reasons) / sizeof(reasons[0]) ? reasons[reason] : "?");
	}
}

static void put_raw_args(struct json *j, const struct seccomp_notif *notif,
			 const struct syscall_desc *desc)
{
	unsigned n = desc && desc->n_args <= 6 ? desc->n_args : 6;

	json_array(j, "args");
	for (unsigned i = 0; i < n; i++)
		json_hex(j, NULL, notif->data.args[i]);
	json_array_end(j);
}

/* Whether the call still waits for our answer: only then was what we read of its process. */
static bool still_waiting(const struct audit_denial *denial)
{
	uint64_t id = denial->notif->id;

	return denial->notify_fd >= 0 &&
	       ioctl(denial->notify_fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

static void put_peer(struct json *j, const struct audit_denial *denial, const struct peer *peer)
{
	uint32_t pid = denial->pid_inside;

	if (pid == 0 && peer->known)
		pid = peer->pid_inside;
	if (pid != 0)
		json_u64(j, "pid", pid);
	json_u64(j, "pid_outside", denial->notif->pid);
	if (peer->known)
		json_u64(j, "uid", peer->uid);
	if (peer->comm_len > 0)
		json_bytes(j, "comm", peer->comm, peer->comm_len);
	if (peer->exe_len > 0)
		json_bytes(j, "exe", peer->exe, peer->exe_len < 1024 ? peer->exe_len : 1024);
}

/* What the end of a record may take: of the rule's file each byte may become five. */
static size_t end_of(const struct audit_denial *denial)
{
	return 512 + (denial->file ? 5 * strnlen(denial->file, 512) : 0);
}

/* The middle of the record: who called, with what. text_max 0: nothing of the process is read. */
static bool put_caller(struct json *j, const struct audit_denial *denial,
		       const struct syscall_desc *desc, size_t text_max, const char *note)
{
	struct decode_call call = { desc, denial->abi, NULL };
	pid_t pid = (pid_t)denial->notif->pid;
	struct decode_memory memory = { peer_memory, &pid };
	uint64_t args[6];
	struct peer peer;

	memset(&peer, 0, offsetof(struct peer, comm));
	memcpy(args, denial->notif->data.args, sizeof(args));
	call.args = args;
	/* A pid of 0 is a process that our pid namespace cannot see. */
	if (text_max > 0 && pid > 0)
		peer_read(pid, &peer);
	put_peer(j, denial, &peer);
	put_syscall(j, denial->abi, denial->nr, desc);
	put_raw_args(j, denial->notif, desc);
	if (desc)
		decode_args(j, &call, text_max > 0 && pid > 0 ? &memory : NULL, text_max);
	if (note)
		json_string(j, "note", note);
	return text_max == 0 || still_waiting(denial);
}

size_t format_denial(char *buf, size_t cap, const struct format_id *id,
		     const struct audit_denial *denial)
{
	static const size_t text_max[] = { DECODE_TEXT_MAX, 512, DECODE_TEXT_MIN / 2, 0 };
	const size_t last = sizeof(text_max) / sizeof(text_max[0]) - 1;
	const struct syscall_desc *desc = syscall_by_nr(denial->abi, denial->nr);
	const char *note = NULL;
	struct json j, before;

	(void)format_begin(&j, buf, cap, "denial", id->sandbox);
	put_policy(&j, id);
	before = j;
	/* Escaped text can be five times as long as it was: what does not fit is written again with
	 * less of it. Nothing is kept of a process that went away while it was read. */
	for (size_t i = denial->notify_fd < 0 ? last : 0; i <= last; i++) {
		j = before;
		if (!put_caller(&j, denial, desc, text_max[i], text_max[i] == 0 ? note : NULL)) {
			note = "the process was gone before it could be read";
			i = last - 1;
			continue;
		}
		if (!j.overflow && j.len < cap - end_of(denial))
			break;
		note = "too long to be shown";
	}
	put_answer(&j, denial->kill, denial->errno_value);
	put_rule(&j, denial->reason, denial->file, denial->line);
	json_u64(&j, "count", 1);
	json_object_end(&j);
	return json_finish(&j);
}

size_t format_summary(char *buf, size_t cap, const struct format_id *id,
		      const struct flood_slot *slot, bool other, uint64_t now_ms)
{
	const struct flood_key *key = &slot->key;
	const struct syscall_desc *desc =
		key->nr >= 0 ? syscall_by_nr((enum abi)key->abi, key->nr) : NULL;
	char first[STAMP_TEXT], last[STAMP_TEXT];
	struct json j;
	const int64_t now = format_begin(&j, buf, cap, "summary", id->sandbox);

	stamp_spell(now - (int64_t)(now_ms - slot->first_ms) * 1000000, first);
	stamp_spell(now - (int64_t)(now_ms - slot->last_ms) * 1000000, last);
	put_policy(&j, id);
	if (other) {
		json_string(&j, "note", "several calls, rules and answers");
	} else {
		put_syscall(&j, (enum abi)key->abi, key->nr, desc);
		put_answer(&j, key->kill, key->errno_value);
		put_rule(&j, key->reason, slot->file, slot->line);
	}
	json_string(&j, "first", first);
	json_string(&j, "last", last);
	json_u64(&j, "count", slot->count);
	json_object_end(&j);
	return json_finish(&j);
}
