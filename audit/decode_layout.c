// SPDX-License-Identifier: Apache-2.0
/* Structures, arrays of them, and masks, as policies/layouts.tbl describes them. */
#include <errno.h>
#include <string.h>

#include "audit/decoding.h"

/* A structure that was read: len bytes of it, at addr. */
struct view {
	enum layout layout;
	const struct layout_desc *desc;
	uint64_t addr;
	const char *bytes;
	size_t len;
};

static void put_fields(struct decoding *d, const struct view *view);

/* --- reading ------------------------------------------------------------------------------- */

/* What the kernel would read, as far as we know the structure. */
static int read_sized(struct decoding *d, const struct layout_desc *desc, uint64_t addr, char *buf,
		      size_t *ret_len)
{
	uint32_t size = 0;
	size_t len;
	int r = decode_read(d, addr, buf, desc->least);

	if (r < 0)
		return r;
	memcpy(&size, buf + desc->size_at, sizeof(size));
	/* 0 stands for the first version (kernel/events/core.c, kernel/sched/syscalls.c). */
	len = size < desc->least ? desc->least : size < desc->size ? size : desc->size;
	r = decode_read(d, addr + desc->least, buf + desc->least, len - desc->least);
	if (r == 0)
		*ret_len = len;
	return r;
}

/* -ENODATA: the length in the call says that it is something else. */
static int read_whole(struct decoding *d, const struct layout_desc *desc,
		      const struct decode_value *v, char *buf, size_t *ret_len)
{
	size_t len = desc->size;
	int r;

	if (desc->has_size)
		return read_sized(d, desc, v->value, buf, ret_len);
	if (v->arg->length) {
		if (desc->exact && v->length != desc->size)
			return -ENODATA;
		if (v->length < (desc->least ? desc->least : desc->size))
			return -EMSGSIZE;
		len = v->length < len ? (size_t)v->length : len;
	}
	r = decode_read(d, v->value, buf, len);
	if (r < 0 && desc->least && !v->arg->length) {
		len = desc->least;
		r = decode_read(d, v->value, buf, len);
	}
	if (r == 0)
		*ret_len = len;
	return r;
}

/* --- fields -------------------------------------------------------------------------------- */

static uint64_t number_at(const struct view *view, const struct layout_field *field)
{
	uint64_t value = 0;

	/* Both architectures put the low bytes first. */
	memcpy(&value, view->bytes + field->offset, field->size);
	if (field->is_signed && field->size < 8 && value >> (field->size * 8 - 1))
		value |= UINT64_MAX << (field->size * 8);
	return value;
}

static bool is_number(const struct layout_field *field)
{
	return field->type < LAYOUT_TEXT;
}

/* Field i, or what it is in this structure; *ret_next is the one behind it and its alternatives. */
static bool field_of(const struct decoding *d, const struct view *view, unsigned i,
		     struct layout_field *ret, unsigned *ret_next)
{
	struct layout_field other, judge;

	if (!layout_field(view->layout, d->column, i, ret))
		return false;
	for (i++; layout_field(view->layout, d->column, i, &other) && other.conditional; i++) {
		if (layout_field(view->layout, d->column, other.when, &judge) &&
		    is_number(&judge) && judge.offset + judge.size <= view->len &&
		    number_at(view, &judge) == other.value)
			*ret = other;
	}
	*ret_next = i;
	return true;
}

static uint64_t length_of(const struct decoding *d, const struct view *view, uint8_t length)
{
	struct layout_field field;
	uint64_t value;

	if (length & SYSCALL_LENGTH_FIXED)
		return length & ~SYSCALL_LENGTH_FIXED;
	if (length == 0 || !layout_field(view->layout, d->column, length - 1U, &field) ||
	    !is_number(&field) || field.offset + field.size > view->len)
		return 0;
	value = number_at(view, &field);
	return field.is_signed && value >> 63 ? 0 : value;
}

static void put_inside(struct decoding *d, const struct view *view,
		       const struct layout_field *field, const char *key)
{
	struct layout_desc desc;
	struct view inside = {
		.layout = (enum layout)field->arg.of,
		.desc = &desc,
		.addr = view->addr + field->offset,
		.bytes = view->bytes + field->offset,
	};

	layout_describe(inside.layout, d->column, &desc);
	if (field->offset + desc.size > view->len)
		return;
	inside.len = desc.size;
	json_object(d->j, key);
	put_fields(d, &inside);
	json_object_end(d->j);
}

static void put_field(struct decoding *d, const struct view *view, const struct layout_field *field,
		      const char *key)
{
	const char *text = view->bytes + field->offset;
	struct decode_value value = { .key = key, .arg = &field->arg };

	if (field->type == LAYOUT_INSIDE) {
		put_inside(d, view, field, key);
		return;
	}
	if (field->offset + field->size > view->len)
		return;
	if (field->type == LAYOUT_TEXT) {
		json_bytes(d->j, key, text, strnlen(text, field->size));
		return;
	}
	value.is_signed = field->is_signed;
	value.bits = (unsigned)field->size * 8;
	value.length = length_of(d, view, field->arg.length);
	value.value =
		field->type == LAYOUT_TAIL ? view->addr + field->offset : number_at(view, field);
	decode_value(d, &value);
}

/* In a structure that grows, what is zero is not used: an old caller's looks the same. */
static bool is_unused(const struct view *view, const struct layout_field *field)
{
	if (view->desc->least == 0)
		return false;
	if (field->type == LAYOUT_TEXT)
		return field->offset < view->len && view->bytes[field->offset] == '\0';
	return is_number(field) && field->offset + field->size <= view->len &&
	       number_at(view, field) == 0;
}

static void put_fields(struct decoding *d, const struct view *view)
{
	struct layout_field field;
	bool first = true; /* what the structure is about: always told */
	unsigned next;

	for (unsigned i = 0; field_of(d, view, i, &field, &next); i = next) {
		if (field.arg.kind == KIND_SKIP || (!first && is_unused(view, &field)))
			continue;
		put_field(d, view, &field, field.name);
		first = false;
	}
}

/* The structure under a key: an object, or the value of its only field. */
static void put_view(struct decoding *d, const struct view *view, const char *key)
{
	struct layout_field field;
	unsigned next;

	if (field_of(d, view, 0, &field, &next) && field.name[0] == '\0') {
		put_field(d, view, &field, key);
		return;
	}
	json_object(d->j, key);
	put_fields(d, view);
	json_object_end(d->j);
}

/* --- structures and arrays ----------------------------------------------------------------- */

/* "clone_args_as_read" */
static const char *label_of(const struct layout_desc *desc, char *buf, size_t cap)
{
	size_t n = strnlen(desc->name, cap - sizeof("_as_read"));

	memcpy(buf, desc->name, n);
	memcpy(buf + n, "_as_read", sizeof("_as_read"));
	return buf;
}

enum { LABEL = 64 };

void decode_struct(struct decoding *d, const struct decode_value *v)
{
	char bytes[DECODE_STRUCT], label[LABEL];
	struct layout_desc desc;
	struct view view = {
		.layout = (enum layout)v->arg->of,
		.desc = &desc,
		.addr = v->value,
		.bytes = bytes,
	};
	int r;

	layout_describe(view.layout, d->column, &desc);
	r = read_whole(d, &desc, v, bytes, &view.len);
	if (r == -ENODATA)
		return;
	if (r < 0) {
		decode_unreadable(d, v->key, r);
		return;
	}
	json_object(d->j, v->key);
	put_view(d, &view, label_of(&desc, label, sizeof(label)));
	json_object_end(d->j);
}

static int put_element(struct decoding *d, const struct decode_value *v,
		       const struct layout_desc *desc, uint64_t i)
{
	char bytes[DECODE_STRUCT];
	struct view view = {
		.layout = (enum layout)v->arg->of,
		.desc = desc,
		.addr = v->value + i * desc->size,
		.bytes = bytes,
		.len = desc->size,
	};
	int r = 0;

	if (v->arg->kind == KIND_POINTERS)
		r = decode_read_pointer(d, v->value + i * decode_pointer_size(d), &view.addr);
	r = r ? r : decode_read(d, view.addr, bytes, desc->size);
	if (r == 0)
		put_view(d, &view, NULL);
	return r;
}

void decode_array(struct decoding *d, const struct decode_value *v)
{
	/* A record that became too long is tried with less. */
	const uint64_t most = d->text_max < DECODE_TEXT_MIN ? 1 : DECODE_ELEMENTS;
	uint64_t shown = v->length < most ? v->length : most, n = 0;
	struct layout_desc desc;
	char label[LABEL];
	int r = 0;

	layout_describe((enum layout)v->arg->of, d->column, &desc);
	json_object(d->j, v->key);
	json_array(d->j, label_of(&desc, label, sizeof(label)));
	while (n < shown && (r = put_element(d, v, &desc, n)) == 0)
		n++;
	json_array_end(d->j);
	if (n < v->length)
		json_u64(d->j, "count", v->length);
	if (r < 0)
		json_string(d->j, "note",
			    r == -E2BIG ? "not read: too much in one call" : "unreadable");
	json_object_end(d->j);
}

/* --- masks --------------------------------------------------------------------------------- */

void decode_mask(struct decoding *d, const struct decode_value *v)
{
	unsigned char
		mask[128]; /* 1024 bits: FD_SETSIZE, and more nodes and processors than most */
	uint64_t bits = v->length, n = 0;
	size_t unit = decode_pointer_size(d), len;
	bool more = false;
	int r;

	if (v->arg->kind == KIND_BYTES)
		bits = v->length < sizeof(mask) ? v->length * 8 : sizeof(mask) * 8 + 1;
	else if (v->arg->kind == KIND_BITS && bits > 0)
		bits--; /* mm/mempolicy.c, get_nodes() takes one off */
	if (bits > sizeof(mask) * 8) {
		more = true;
		bits = sizeof(mask) * 8;
	}
	/* The kernel reads whole words of the caller's. */
	len = (size_t)(bits + 7) / 8;
	if (v->arg->kind != KIND_BYTES)
		len = (len + unit - 1) / unit * unit;
	r = decode_read(d, v->value, mask, len);
	if (r < 0) {
		decode_unreadable(d, v->key, r);
		return;
	}
	json_object(d->j, v->key);
	json_array(d->j, v->arg->kind == KIND_FDS ? "fds_as_read" : "bits_as_read");
	for (uint64_t i = 0; i < bits; i++) {
		if (!(mask[i / 8] >> (i % 8) & 1))
			continue;
		if (n++ == DECODE_MEMBERS) {
			more = true;
			break;
		}
		json_u64(d->j, NULL, i);
	}
	json_array_end(d->j);
	if (more)
		json_bool(d->j, "more", true);
	json_object_end(d->j);
}
