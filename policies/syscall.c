// SPDX-License-Identifier: Apache-2.0
#include "policies/syscall.h"

#include <errno.h>
#include <linux/audit.h>
#include <stdlib.h>
#include <string.h>

#include "policies/syscall_table.h"

static const char *const abi_names[_ABI_MAX] = {
	[ABI_X86_64] = "x86_64",
	[ABI_AARCH64] = "aarch64",
	[ABI_I386] = "i386",
	[ABI_X32] = "x32",
};

uint32_t abi_audit_arch(enum abi abi)
{
	switch (abi) {
	case ABI_X86_64:
	case ABI_X32:
		return AUDIT_ARCH_X86_64;
	case ABI_AARCH64:
		return AUDIT_ARCH_AARCH64;
	case ABI_I386:
		return AUDIT_ARCH_I386;
	case _ABI_MAX:
		break;
	}
	return 0;
}

const char *abi_name(enum abi abi)
{
	return (unsigned)abi < _ABI_MAX ? abi_names[abi] : "unknown";
}

int abi_from_name(const char *name, enum abi *ret)
{
	if (strcmp(name, "native") == 0) {
		*ret = ABI_NATIVE;
		return 0;
	}
	for (unsigned i = 0; i < _ABI_MAX; i++) {
		if (strcmp(name, abi_names[i]) == 0) {
			*ret = (enum abi)i;
			return 0;
		}
	}
	return -EINVAL;
}

int abi_from_audit_arch(uint32_t arch, uint32_t raw_nr, enum abi *ret, int32_t *ret_nr)
{
	enum abi abi;
	uint32_t nr = raw_nr;

	switch (arch) {
	case AUDIT_ARCH_X86_64:
		/* x32 is bit 30 alone: a negative number is no x32 call
		 * (arch/x86/entry/common.c, do_syscall_x32) */
		if (raw_nr & X32_SYSCALL_BIT && !(raw_nr >> 31)) {
			abi = ABI_X32;
			nr &= ~X32_SYSCALL_BIT;
		} else {
			abi = ABI_X86_64;
		}
		break;
	case AUDIT_ARCH_AARCH64:
		abi = ABI_AARCH64;
		break;
	case AUDIT_ARCH_I386:
		abi = ABI_I386;
		break;
	default:
		return -EINVAL;
	}
	*ret = abi;
	*ret_nr = (int32_t)nr;
	return 0;
}

static int compare_name(const void *key, const void *element)
{
	return strcmp(key, ((const struct syscall_desc *)element)->name);
}

const struct syscall_desc *syscall_by_name(const char *name)
{
	return bsearch(name, syscall_gen_table, syscall_gen_count, sizeof(syscall_gen_table[0]),
		       compare_name);
}

const struct syscall_desc *syscall_by_nr(enum abi abi, int32_t nr)
{
	const struct syscall_gen_index *index;
	uint16_t position;

	if ((unsigned)abi >= _ABI_MAX)
		return NULL;
	index = &syscall_gen_index[abi];
	if (nr < 0 || nr > index->max_nr)
		return NULL;
	position = index->by_nr[nr];
	return position ? &syscall_gen_table[position - 1] : NULL;
}

const struct syscall_desc *syscall_table(size_t *ret_count)
{
	*ret_count = syscall_gen_count;
	return syscall_gen_table;
}

static bool holds(const struct syscall_gen_when *when, const uint64_t args[6])
{
	return ((uint32_t)args[when->arg] & when->mask) == when->value &&
	       (when->second_arg == 0 || (uint32_t)args[when->second_arg - 1] == when->second);
}

static void apply(const struct syscall_gen_when *when, struct syscall_view *view)
{
	for (unsigned i = 0; i < view->n; i++) {
		if (view->args[i].kind == KIND_WORD)
			view->args[i].kind = KIND_SKIP;
	}
	for (unsigned i = 0; i < when->n; i++) {
		const struct syscall_gen_slot *slot = &syscall_gen_slots[when->first + i];
		struct syscall_arg *arg = &view->args[slot->arg];

		arg->width = slot->width;
		arg->kind = slot->kind;
		arg->length = slot->length;
		arg->of = slot->of;
	}
}

void syscall_view(const struct syscall_desc *call, enum abi abi, const uint64_t args[6],
		  struct syscall_view *ret)
{
	const size_t position = (size_t)(call - syscall_gen_table);

	for (size_t i = 0; i < syscall_gen_n_forms; i++) {
		const struct syscall_gen_form *form = &syscall_gen_forms[i];

		if (form->call == position && form->abi == abi) {
			ret->n = form->n;
			memcpy(ret->args, form->args, sizeof(ret->args));
			return; /* no such call has conditions, too, but epoll_ctl's on one op */
		}
	}
	ret->n = call->n_args;
	memcpy(ret->args, call->args, sizeof(ret->args));
	for (unsigned i = 0; i < call->n_whens; i++) {
		const struct syscall_gen_when *when = &syscall_gen_whens[call->first_when + i];

		if (holds(when, args)) {
			apply(when, ret);
			return;
		}
	}
}

int32_t syscall_max_nr(enum abi abi)
{
	return (unsigned)abi < _ABI_MAX ? syscall_gen_index[abi].max_nr : -1;
}
