// SPDX-License-Identifier: Apache-2.0
#include "audit/learn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "audit/learn_state.h"
#include "base/clock.h"
#include "base/fd.h"

int learn_new(struct learn **ret, struct err *err)
{
	struct learn *l = mmap(NULL, sizeof(*l), PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (l == MAP_FAILED)
		return err_set(err, -ENOMEM, "make room for a recording");
	l->root = -1;
	l->n_text = 1;
	l->started_ns = clock_ns();
	*ret = l;
	return 0;
}

void learn_free(struct learn *learn)
{
	if (!learn)
		return;
	fd_closep(&learn->root);
	for (size_t i = 0; i < ARRAY_SIZE(learn->dirs); i++) {
		if (learn->dirs[i].fd > 0)
			(void)close(learn->dirs[i].fd - 1);
	}
	for (size_t i = 0; i < ARRAY_SIZE(learn->memories); i++) {
		if (learn->memories[i].fd > 0)
			(void)close(learn->memories[i].fd - 1);
	}
	(void)munmap(learn, sizeof(*learn));
}

void learn_blind_fds(struct learn *learn)
{
	learn->blind_fds = true;
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

/* --- values --- */

/* As the kernel reads the register. */
static uint64_t narrow(const struct syscall_arg *arg, enum abi abi, uint64_t value)
{
	if (arg->width == WIDTH_S32 || arg->width == WIDTH_U32 || abi == ABI_I386)
		return (uint32_t)value;
	return value;
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
		     const struct learn_shape *shape)
{
	const unsigned wanted = shape->key | shape->constant;
	struct learn_tuple tuple = { .count = 1 };
	unsigned n = 0;

	for (unsigned i = 0; wanted >> i; i++) {
		uint64_t value = narrow(&shape->desc->args[i], e->abi, e->notif->data.args[i]);

		if (shape->key & 1U << i)
			tuple.value[n++] = value;
		if (shape->constant & 1U << i)
			put_value(&entry->args[i], value);
	}
	if (!shape->key)
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
	const struct learn_chain *chain;
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
	entry->first_ns = clock_ns() - l->started_ns;
	chain = learn_chain(l, (int32_t)e->notif->pid, program);
	memcpy(entry->chain, chain->chain, sizeof(entry->chain));
	entry->n_chain = chain->n;
	return entry;
}

void learn_call(struct learn *learn, const struct learn_event *e)
{
	const struct learn_shape *shape = learn_shape(learn, e->abi, e->nr);
	struct learn_entry *entry;
	uint16_t program;

	if (e->launch) { /* until then it is the launcher's copy, whose memory is nobody's to read
			  */
		learn_process_launch(learn, (int32_t)e->notif->pid);
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
		if (shape->desc)
			put_args(learn, entry, e, shape);
	}
	if (!shape->desc)
		return;
	learn_places(learn, e, shape, program);
	learn_process(learn, e, shape);
}

void learn_command(struct learn *learn, const char *exec, const char *path, const char *cwd)
{
	learn->exec = exec;
	learn->exec_path = path;
	learn->exec_cwd = cwd;
}
