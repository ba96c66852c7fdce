// SPDX-License-Identifier: Apache-2.0
#include "audit/decode.h"

#include <inttypes.h>
#include <linux/ioctl.h>
#include <stdio.h>
#include <string.h>

#include "audit/decoding.h"
#include "audit/names.h"

/* --- values that lie in a register or a field ---------------------------------------------- */

static void put_number(struct decoding *d, const struct decode_value *v)
{
	if (v->is_signed)
		json_i64(d->j, v->key, (int64_t)v->value);
	else
		json_u64(d->j, v->key, v->value);
}

/* A number of which some values have names. */
static void put_named(struct decoding *d, const struct decode_value *v, enum consts_set set,
		      uint64_t value)
{
	const char *name = set ? consts_name_of(set, d->abi, value) : NULL;

	if (name)
		json_string(d->j, v->key, name);
	else
		put_number(d, v);
}

static void put_spelt(struct decoding *d, const struct decode_value *v)
{
	const enum consts_set set = (enum consts_set)v->arg->of;
	uint64_t value = v->value;
	char text[DECODE_SPELT];

	/* The highest bit of an int is a flag like others. */
	if (v->arg->kind == KIND_FLAGS && v->bits > 0 && v->bits < 64)
		value &= (UINT64_C(1) << v->bits) - 1;
	/* What no header of ours names is taken apart. */
	if (set == CONSTS_IOCTL_REQUEST && !consts_name_of(set, d->abi, (uint32_t)value))
		names_ioctl((uint32_t)value, text, sizeof(text));
	else
		consts_spell(set, d->abi, value, text, sizeof(text));
	json_string(d->j, v->key, text);
}

static void put_mode(struct decoding *d, const struct decode_value *v)
{
	/* umode_t has 16 bits (linux/types.h). */
	uint64_t mode = v->value & 0xffff;
	char text[DECODE_SPELT];

	if (v->arg->of && mode > 07777)
		consts_spell((enum consts_set)v->arg->of, d->abi, mode, text, sizeof(text));
	else
		(void)snprintf(text, sizeof(text), "0%03" PRIo64, mode);
	json_string(d->j, v->key, text);
}

/* The kernel's 32-bit form of a device number (linux/kdev_t.h, new_decode_dev). */
static void put_device(struct decoding *d, const struct decode_value *v)
{
	uint32_t dev = (uint32_t)v->value;
	char text[32];

	(void)snprintf(text, sizeof(text), "%u:%u", dev >> 8 & 0xfff,
		       (dev & 0xff) | (dev >> 12 & 0xfff00));
	json_string(d->j, v->key, text);
}

static void put_signal(struct decoding *d, const struct decode_value *v)
{
	char text[24];

	/* Signal 0 only asks whether the process is there (kill(2)). */
	if (v->value == 0)
		json_u64(d->j, v->key, 0);
	else
		json_string(d->j, v->key, names_signal((unsigned)v->value, text, sizeof(text)));
}

/* -1 leaves an id as it is (chown(2), setresuid(2)). */
static void put_id(struct decoding *d, const struct decode_value *v)
{
	const uint32_t none = v->arg->kind == KIND_ID16 ? 0xffff : UINT32_MAX;
	uint32_t id = (uint32_t)v->value & none;

	json_i64(d->j, v->key, id == none ? -1 : (int64_t)id);
}

/* What a word is that no line of syscalls.tbl explains: small ones are numbers, others mostly
 * addresses. */
static void put_word(struct decoding *d, const struct decode_value *v)
{
	if (v->value < 4096 || (v->is_signed && (int64_t)v->value < 0 && (int64_t)v->value > -4096))
		put_number(d, v);
	else
		json_hex(d->j, v->key, v->value);
}

static void put_sigset(struct decoding *d, const struct decode_value *v)
{
	char text[DECODE_SPELT];

	json_string(d->j, v->key, names_sigset(v->value, text, sizeof(text)));
}

static void put_scalar(struct decoding *d, const struct decode_value *v)
{
	const enum consts_set set = (enum consts_set)v->arg->of;
	struct decode_value fd = *v;

	switch (v->arg->kind) {
	case KIND_FD:
	case KIND_DIRFD:
		fd.value = (uint64_t)(int64_t)(int32_t)v->value;
		fd.is_signed = true;
		put_named(d, &fd, v->arg->kind == KIND_DIRFD ? CONSTS_DIRFD : set, fd.value);
		break;
	case KIND_FLAGS:
	case KIND_ENUM:
		put_spelt(d, v);
		break;
	case KIND_MODE:
		put_mode(d, v);
		break;
	case KIND_SIGNAL:
		put_signal(d, v);
		break;
	case KIND_UID:
	case KIND_GID:
	case KIND_ID16:
		put_id(d, v);
		break;
	case KIND_DEVICE:
		put_device(d, v);
		break;
	case KIND_SIGSET:
		put_sigset(d, v);
		break;
	case KIND_WORD:
		put_word(d, v);
		break;
	default:
		put_named(d, v, set, v->value);
		break;
	}
}

/* --- values that lie behind a pointer ------------------------------------------------------ */

static void put_pointed(struct decoding *d, const struct decode_value *v)
{
	switch (v->arg->kind) {
	case KIND_PATH:
		decode_text(d, v, "path_as_read");
		break;
	case KIND_STRING:
		decode_text(d, v, "text_as_read");
		break;
	case KIND_SOCKADDR:
		decode_sockaddr(d, v);
		break;
	case KIND_STRUCT:
		decode_struct(d, v);
		break;
	case KIND_ARRAY:
	case KIND_POINTERS:
		decode_array(d, v);
		break;
	case KIND_ARGV:
		decode_argv(d, v);
		break;
	case KIND_CONTROL:
		decode_control(d, v);
		break;
	default:
		decode_mask(d, v);
		break;
	}
}

static void follow(struct decoding *d, const struct decode_value *v)
{
	if (v->value == 0) {
		json_string(d->j, v->key, NULL);
		return;
	}
	if (!d->memory || d->depth == DECODE_NESTING)
		return;
	d->depth++;
	put_pointed(d, v);
	d->depth--;
}

void decode_value(struct decoding *d, const struct decode_value *v)
{
	const char *name;

	switch ((enum syscall_kind)v->arg->kind) {
	case KIND_PATH:
	case KIND_STRING:
	case KIND_SOCKADDR:
	case KIND_STRUCT:
	case KIND_ARRAY:
	case KIND_POINTERS:
	case KIND_ARGV:
	case KIND_FDS:
	case KIND_BITS:
	case KIND_BYTES:
	case KIND_CONTROL:
		follow(d, v);
		break;
	case KIND_ADDRESS: /* the raw register is in the record */
		name = v->arg->of ? consts_name_of((enum consts_set)v->arg->of, d->abi, v->value)
				  : NULL;
		if (name)
			json_string(d->j, v->key, name);
		break;
	case KIND_NUMBER:
	case KIND_FD:
	case KIND_DIRFD:
	case KIND_FLAGS:
	case KIND_ENUM:
	case KIND_MODE:
	case KIND_PID:
	case KIND_SIGNAL:
	case KIND_SIZE:
	case KIND_UID:
	case KIND_GID:
	case KIND_ID16:
	case KIND_DEVICE:
	case KIND_SIGSET:
	case KIND_WORD:
		put_scalar(d, v);
		break;
	case KIND_DATA:
	case KIND_OUT:
	case KIND_SKIP:
	case _KIND_MAX:
		break;
	}
}

/* --- arguments ----------------------------------------------------------------------------- */

/* The register as the kernel will read it. */
static uint64_t narrow(const struct decoding *d, const struct syscall_arg *arg, uint64_t value)
{
	switch ((enum syscall_width)arg->width) {
	case WIDTH_S32:
		return (uint64_t)(int64_t)(int32_t)(uint32_t)value;
	case WIDTH_U32:
		return (uint32_t)value;
	case WIDTH_S64:
		return d->abi == ABI_I386 ? (uint64_t)(int64_t)(int32_t)(uint32_t)value : value;
	case WIDTH_PTR:
		return d->abi == ABI_I386 || d->abi == ABI_X32 ? (uint32_t)value : value;
	case WIDTH_U64:
	case WIDTH_NONE:
		break;
	}
	return d->abi == ABI_I386 ? (uint32_t)value : value;
}

static bool is_signed(const struct syscall_arg *arg)
{
	return arg->width == WIDTH_S32 || arg->width == WIDTH_S64;
}

static uint64_t length_of(const struct decoding *d, const struct syscall_view *view,
			  const uint64_t args[6], uint8_t length)
{
	const struct syscall_arg *arg;
	uint64_t value;

	if (length & SYSCALL_LENGTH_FIXED)
		return length & ~SYSCALL_LENGTH_FIXED;
	if (length == 0 || length > view->n)
		return 0;
	arg = &view->args[length - 1];
	value = narrow(d, arg, args[length - 1]);
	return is_signed(arg) && value >> 63 ? 0 : value;
}

void decode_args(struct json *j, const struct decode_call *call, const struct decode_memory *memory,
		 size_t text_max)
{
	struct decoding d = {
		.j = j,
		.abi = call->abi,
		.column = layout_column_of(call->abi, call->desc->nr[call->abi]),
		.memory = memory,
		.text_max = text_max,
		.reads = DECODE_READS,
	};
	struct syscall_view view;

	syscall_view(call->desc, call->abi, call->args, &view);
	json_object(j, "decoded");
	for (unsigned i = 0; i < 6 && i < view.n; i++) {
		const struct syscall_arg *arg = &view.args[i];
		const struct decode_value value = {
			.key = arg->name,
			.arg = arg,
			.value = narrow(&d, arg, call->args[i]),
			.is_signed = is_signed(arg),
			.bits = arg->width == WIDTH_S32 || d.abi == ABI_I386 ? 32 : 64,
			.length = length_of(&d, &view, call->args, arg->length),
		};

		decode_value(&d, &value);
	}
	json_object_end(j);
}
