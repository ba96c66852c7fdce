// SPDX-License-Identifier: Apache-2.0
#include "audit/learn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "audit/learn_state.h"
#include "base/fd.h"

static uint64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

int learn_new(struct learn **ret, struct err *err)
{
	struct learn *l = mmap(NULL, sizeof(*l), PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (l == MAP_FAILED)
		return err_set(err, -ENOMEM, "make room for a recording");
	l->root = -1;
	l->n_text = 1;
	l->started_ns = now_ns();
	*ret = l;
	return 0;
}

void learn_free(struct learn *learn)
{
	if (!learn)
		return;
	fd_closep(&learn->root);
	(void)munmap(learn, sizeof(*learn));
}

void learn_next_phase(struct learn *learn)
{
	if (learn->phase + 1 < LEARN_PHASES)
		learn->phase++;
}

uint32_t learn_text(struct learn *l, const char *text)
{
	size_t len = strlen(text) + 1;
	uint32_t at = l->n_text;

	if (len > sizeof(l->text) - l->n_text)
		return 0;
	memcpy(l->text + at, text, len);
	l->n_text += (uint32_t)len;
	return at;
}

bool learn_is_valid(const struct learn_event *e)
{
	uint64_t id = e->notif->id;

	return e->notify_fd < 0 || ioctl(e->notify_fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

/* --- programs --- */

static uint16_t program_named(struct learn *l, const char *path)
{
	uint32_t text;

	for (uint16_t i = 0; i < l->n_programs; i++) {
		if (strcmp(l->text + l->programs[i], path) == 0)
			return (uint16_t)(i + 1);
	}
	text = l->n_programs < LEARN_PROGRAMS ? learn_text(l, path) : 0;
	if (text == 0) {
		l->lost_programs++;
		return 0;
	}
	l->programs[l->n_programs++] = text;
	return l->n_programs;
}

static uint16_t program_of(struct learn *l, int32_t pid)
{
	char name[64], path[LIMIT_PATH];
	ssize_t n;

	(void)snprintf(name, sizeof(name), "/proc/%d/exe", pid);
	n = readlink(name, path, sizeof(path) - 1);
	if (n <= 0)
		return 0;
	path[n] = '\0';
	return program_named(l, path);
}

/* A thread that just executed something else is known by its next call. */
uint16_t learn_program(struct learn *l, int32_t pid)
{
	struct learn_pid *p = &l->pids[(uint32_t)pid % LEARN_PIDS];

	if (p->pid == pid && p->program > 0 && !p->executes)
		return p->program;
	if (p->pid != pid || p->executes) {
		const bool executed = p->pid == pid && p->executes;

		p->pid = pid;
		p->executes = false;
		p->program = program_of(l, pid);
		if (executed && p->program > 0)
			learn_mapped(l, pid, p->program);
		return p->program;
	}
	return p->program = program_of(l, pid);
}

/* The parent's number is the fourth word of stat, behind a name that may hold anything but ends
 * with the last parenthesis. */
static int32_t parent_of(int32_t pid)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	char name[64];
	const char *p;

	(void)snprintf(name, sizeof(name), "/proc/%d/stat", pid);
	if (fd_read_virtual_at(-1, name, 4096, &text) < 0 || !text.data)
		return 0;
	p = strrchr(text.data, ')');
	if (!p || strlen(p) < 5)
		return 0;
	return (int32_t)strtol(p + 4, NULL, 10);
}

/* Up to the sandbox's pid 1, which is our own child. */
static void find_chain(struct learn *l, struct learn_entry *entry, int32_t pid, uint16_t program)
{
	for (; program > 0 && entry->n_chain < LEARN_CHAIN; program = program_of(l, pid)) {
		if (entry->n_chain == 0 || entry->chain[entry->n_chain - 1] != program)
			entry->chain[entry->n_chain++] = program;
		pid = parent_of(pid);
		if (pid <= 1 || parent_of(pid) == getpid())
			break;
	}
}

/* --- values --- */

/* The arguments that say what the call does, a bit each: a policy compares them together. */
static unsigned key_of(const struct syscall_desc *desc)
{
	static const struct {
		const char *call;
		unsigned args;
	} keyed[] = {
		{ "arch_prctl", 1 }, { "bpf", 1 },	  { "clone", 1 },   { "ioctl", 2 },
		{ "keyctl", 1 },     { "mknod", 2 },	  { "mknodat", 4 }, { "personality", 1 },
		{ "prctl", 1 },	     { "ptrace", 1 },	  { "seccomp", 1 }, { "setns", 2 },
		{ "socket", 7 },     { "socketpair", 7 }, { "unshare", 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(keyed); i++) {
		if (strcmp(keyed[i].call, desc->name) == 0)
			return keyed[i].args;
	}
	return 0;
}

/* As the kernel reads the register. */
static uint64_t narrow(const struct syscall_arg *arg, enum abi abi, uint64_t value)
{
	if (arg->width == WIDTH_S32 || arg->width == WIDTH_U32 || abi == ABI_I386)
		return (uint32_t)value;
	return value;
}

static bool is_constant_kind(const struct syscall_arg *arg)
{
	switch ((enum syscall_kind)arg->kind) {
	case KIND_NUMBER:
	case KIND_FLAGS:
	case KIND_ENUM:
	case KIND_MODE:
	case KIND_SIGNAL:
		return arg->width != WIDTH_PTR && arg->width != WIDTH_NONE;
	case KIND_FD:
	case KIND_DIRFD:
	case KIND_PATH:
	case KIND_STRING:
	case KIND_SOCKADDR:
	case KIND_PID:
	case KIND_SIZE:
	case KIND_CLONE_ARGS:
	case KIND_OPEN_HOW:
	case KIND_POINTER:
	case _KIND_MAX:
		break;
	}
	return false;
}

static void put_value(struct learn_values *v, uint64_t value)
{
	for (unsigned i = 0; i < v->n; i++) {
		if (v->value[i] == value)
			return;
	}
	if (v->varies)
		return;
	if (v->n == LEARN_VALUES)
		v->varies = true;
	else
		v->value[v->n++] = value;
}

static void put_tuple(struct learn *l, struct learn_entry *entry, const struct learn_tuple *tuple)
{
	struct learn_key *key = &l->keys[entry->key - 1];

	for (unsigned i = 0; i < key->n; i++) {
		if (memcmp(key->tuple[i].value, tuple->value, sizeof(tuple->value)) == 0) {
			key->tuple[i].count++;
			return;
		}
	}
	if (key->n == LEARN_TUPLES) {
		key->varies = true;
		l->lost_keys++;
		return;
	}
	key->tuple[key->n++] = *tuple;
}

static void put_args(struct learn *l, struct learn_entry *entry, const struct learn_event *e,
		     const struct syscall_desc *desc)
{
	const unsigned mask = key_of(desc);
	struct learn_tuple tuple = { .count = 1 };
	unsigned n = 0;

	for (unsigned i = 0; i < desc->n_args; i++) {
		uint64_t value = narrow(&desc->args[i], e->abi, e->notif->data.args[i]);

		if (mask & 1U << i)
			tuple.value[n++] = value;
		if (is_constant_kind(&desc->args[i]))
			put_value(&entry->args[i], value);
	}
	if (!mask)
		return;
	if (entry->key == 0 && l->n_keys < LEARN_KEYED)
		entry->key = ++l->n_keys;
	if (entry->key > 0) {
		put_tuple(l, entry, &tuple);
	} else {
		entry->no_key = true;
		l->lost_keys++;
	}
}

/* --- calls --- */

static struct learn_entry *find_entry(struct learn *l, const struct learn_event *e,
				      uint16_t program)
{
	struct learn_entry *entry;
	uint16_t *slot;

	if (e->nr < 0 || e->nr >= LEARN_NUMBERS) {
		l->odd_numbers++;
		return NULL;
	}
	slot = &l->index[e->denied][e->abi][e->nr];
	if (*slot > 0)
		return &l->entries[*slot - 1];
	if (l->n_entries == LEARN_CALLS) {
		l->lost_calls++;
		return NULL;
	}
	entry = &l->entries[l->n_entries++];
	*slot = l->n_entries;
	entry->abi = (uint8_t)e->abi;
	entry->nr = e->nr;
	entry->denied = e->denied;
	entry->quiet = true;
	entry->first_ns = now_ns() - l->started_ns;
	find_chain(l, entry, (int32_t)e->notif->pid, program);
	return entry;
}

static void note_process(struct learn *l, const struct learn_event *e,
			 const struct syscall_desc *desc)
{
	struct learn_pid *p = &l->pids[e->notif->pid % LEARN_PIDS];

	if (e->denied || p->pid != (int32_t)e->notif->pid)
		return;
	if (strcmp(desc->name, "execve") == 0 || strcmp(desc->name, "execveat") == 0)
		p->executes = true;
	/* its number is free for another process */
	if (strcmp(desc->name, "exit") == 0 || strcmp(desc->name, "exit_group") == 0)
		*p = (struct learn_pid){ 0 };
}

void learn_call(struct learn *learn, const struct learn_event *e)
{
	const struct syscall_desc *desc = syscall_by_nr(e->abi, e->nr);
	struct learn_entry *entry;
	uint16_t program;

	if (e->launch) { /* until then it is the launcher's copy, whose memory is nobody's to read
			  */
		learn->pids[e->notif->pid % LEARN_PIDS] = (struct learn_pid){
			.pid = (int32_t)e->notif->pid,
			.executes = true,
		};
		return;
	}
	program = learn_program(learn, (int32_t)e->notif->pid);
	learn->calls++;
	learn->denied += e->denied;
	entry = find_entry(learn, e, program);
	if (entry) {
		entry->count[learn->phase]++;
		entry->phases |= (uint8_t)(1U << learn->phase);
		entry->killed = entry->killed || e->killed;
		entry->quiet = entry->quiet && e->quiet;
		entry->errno_value = e->errno_value;
		if (desc)
			put_args(learn, entry, e, desc);
	}
	if (!desc)
		return;
	learn_places(learn, e, desc, program);
	note_process(learn, e, desc);
}

void learn_command(struct learn *learn, const char *exec, const char *path, const char *cwd)
{
	learn->exec = exec;
	learn->exec_path = path;
	learn->exec_cwd = cwd;
}
