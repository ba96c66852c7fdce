// SPDX-License-Identifier: Apache-2.0
#include "policies/layout.h"

#include "policies/layout_table.h"

/* arch/x86/entry/syscalls/syscall_64.tbl: from here on numbers are x32's, of compat entries. */
enum { X32_OWN = 512 };

enum layout_column layout_column_of(enum abi abi, int32_t nr)
{
	if (abi == ABI_I386)
		return LAYOUT_32;
	return abi == ABI_X32 && nr >= X32_OWN ? LAYOUT_X32 : LAYOUT_64;
}

void layout_describe(enum layout layout, enum layout_column column, struct layout_desc *ret)
{
	const struct layout_gen *gen = &layout_gen_table[layout];

	*ret = (struct layout_desc){
		.name = layout_gen_pool + gen->name,
		.size = gen->size[column],
		.least = gen->least,
		.has_size = gen->self > 0,
		.size_at = gen->self ? gen->self - 1U : 0,
		.exact = gen->exact,
		.n_fields = gen->n,
	};
}

static size_t size_of(enum layout_type type, enum layout_column column, size_t text)
{
	switch (type) {
	case LAYOUT_U8:
	case LAYOUT_S8:
		return 1;
	case LAYOUT_U16:
	case LAYOUT_S16:
		return 2;
	case LAYOUT_U32:
	case LAYOUT_S32:
		return 4;
	case LAYOUT_U64:
	case LAYOUT_S64:
		return 8;
	case LAYOUT_LONG:
	case LAYOUT_ULONG:
	case LAYOUT_PTR:
		return column == LAYOUT_64 ? 8 : 4;
	case LAYOUT_KLONG:
		return column == LAYOUT_32 ? 4 : 8;
	case LAYOUT_TEXT:
	case LAYOUT_TAIL:
		return text;
	case LAYOUT_INSIDE:
	case _LAYOUT_TYPE_MAX:
		break;
	}
	return 0;
}

static bool is_signed(enum layout_type type)
{
	return type == LAYOUT_S8 || type == LAYOUT_S16 || type == LAYOUT_S32 ||
	       type == LAYOUT_S64 || type == LAYOUT_LONG || type == LAYOUT_KLONG;
}

bool layout_field(enum layout layout, enum layout_column column, unsigned i,
		  struct layout_field *ret)
{
	const struct layout_gen *gen = &layout_gen_table[layout];
	const struct layout_gen_field *field;

	if (i >= gen->n)
		return false;
	field = &layout_gen_fields[gen->first + i];
	*ret = (struct layout_field){
		.name = layout_gen_pool + field->name,
		.type = (enum layout_type)field->type,
		.offset = field->offset[column],
		.size = size_of((enum layout_type)field->type, column, field->size),
		.is_signed = is_signed((enum layout_type)field->type),
		.conditional = field->when > 0,
		.when = layout_gen_whens[field->when].field,
		.value = layout_gen_whens[field->when].value,
		.arg = { .kind = field->kind, .length = field->length, .of = field->of },
	};
	return true;
}
