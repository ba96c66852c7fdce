// SPDX-License-Identifier: Apache-2.0
/* Constants are in consts.tbl; the errnos, of which base/errno_name.h has the numbers' names, here.
 */
#include "policies/consts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "policies/consts_table.h"

struct errno_constant {
	const char *name;
	uint16_t value;
};

#define C(name)                                                                                    \
	{                                                                                          \
#name, name                                                                        \
	}

/* clang-format off */
static const struct errno_constant errnos[] = {
	C(E2BIG), C(EACCES), C(EADDRINUSE), C(EADDRNOTAVAIL), C(EADV), C(EAFNOSUPPORT),
	C(EAGAIN), C(EALREADY), C(EBADE), C(EBADF), C(EBADFD), C(EBADMSG), C(EBADR), C(EBADRQC),
	C(EBADSLT), C(EBFONT), C(EBUSY), C(ECANCELED), C(ECHILD), C(ECHRNG), C(ECOMM),
	C(ECONNABORTED), C(ECONNREFUSED), C(ECONNRESET), C(EDEADLK), C(EDEADLOCK),
	C(EDESTADDRREQ), C(EDOM), C(EDOTDOT), C(EDQUOT), C(EEXIST), C(EFAULT), C(EFBIG),
	C(EHOSTDOWN), C(EHOSTUNREACH), C(EHWPOISON), C(EIDRM), C(EILSEQ), C(EINPROGRESS), C(EINTR),
	C(EINVAL), C(EIO), C(EISCONN), C(EISDIR),
	C(EISNAM), C(EKEYEXPIRED), C(EKEYREJECTED), C(EKEYREVOKED), C(EL2HLT), C(EL2NSYNC),
	C(EL3HLT), C(EL3RST), C(ELIBACC), C(ELIBBAD), C(ELIBEXEC), C(ELIBMAX), C(ELIBSCN),
	C(ELNRNG), C(ELOOP), C(EMEDIUMTYPE), C(EMFILE), C(EMLINK), C(EMSGSIZE), C(EMULTIHOP),
	C(ENAMETOOLONG), C(ENAVAIL), C(ENETDOWN), C(ENETRESET), C(ENETUNREACH), C(ENFILE),
	C(ENOANO), C(ENOBUFS), C(ENOCSI), C(ENODATA), C(ENODEV), C(ENOENT), C(ENOEXEC),
	C(ENOKEY), C(ENOLCK), C(ENOLINK), C(ENOMEDIUM), C(ENOMEM), C(ENOMSG), C(ENONET),
	C(ENOPKG), C(ENOPROTOOPT), C(ENOSPC), C(ENOSR), C(ENOSTR), C(ENOSYS), C(ENOTBLK),
	C(ENOTCONN), C(ENOTDIR), C(ENOTEMPTY), C(ENOTNAM), C(ENOTRECOVERABLE), C(ENOTSOCK),
	C(ENOTSUP), C(ENOTTY), C(ENOTUNIQ), C(ENXIO), C(EOPNOTSUPP), C(EOVERFLOW),
	C(EOWNERDEAD), C(EPERM), C(EPFNOSUPPORT), C(EPIPE), C(EPROTO), C(EPROTONOSUPPORT),
	C(EPROTOTYPE), C(ERANGE), C(EREMCHG), C(EREMOTE), C(EREMOTEIO), C(ERESTART), C(ERFKILL),
	C(EROFS), C(ESHUTDOWN), C(ESOCKTNOSUPPORT), C(ESPIPE), C(ESRCH), C(ESRMNT), C(ESTALE),
	C(ESTRPIPE), C(ETIME), C(ETIMEDOUT), C(ETOOMANYREFS), C(ETXTBSY), C(EUCLEAN),
	C(EUNATCH), C(EUSERS), C(EWOULDBLOCK), C(EXDEV), C(EXFULL),
};
/* clang-format on */

static const char *name_at(size_t i)
{
	return consts_gen_pool + consts_gen_name[i];
}

static uint64_t value_at(size_t i, enum abi native)
{
	for (size_t k = 0; native == ABI_AARCH64 && k < consts_gen_n_aarch64; k++) {
		if (consts_gen_aarch64[k].constant == i)
			return consts_gen_aarch64[k].value;
	}
	return consts_gen_value[i];
}

int consts_find_for(enum abi native, const char *name, uint64_t *ret, bool *ret_negative)
{
	size_t low = 0, high = consts_gen_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(name, name_at(middle));

		if (order == 0) {
			*ret = value_at(middle, native);
			*ret_negative = *ret >> 63;
			return 0;
		}
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return -ENOENT;
}

int consts_find(const char *name, uint64_t *ret, bool *ret_negative)
{
	return consts_find_for(ABI_NATIVE, name, ret, ret_negative);
}

int consts_find_errno(const char *name, uint16_t *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(errnos); i++) {
		if (strcmp(errnos[i].name, name) == 0) {
			*ret = errnos[i].value;
			return 0;
		}
	}
	return -ENOENT;
}

const char *consts_name(size_t i)
{
	return i < consts_gen_count ? name_at(i) : NULL;
}

const char *consts_errno_name(size_t i)
{
	return i < ARRAY_SIZE(errnos) ? errnos[i].name : NULL;
}

/* --- sets ---------------------------------------------------------------------------------- */

enum { CUT = 4 }; /* of "|..." */

struct spelling {
	char *buf;
	size_t cap, len;
	enum abi abi;
	uint64_t value, rest;
	bool cut;
};

static void add(struct spelling *s, const char *text)
{
	size_t n = strlen(text), bar = s->len > 0;

	if (s->cut)
		return;
	if (s->len + bar + n + CUT >= s->cap) {
		s->cut = true;
		bar = bar && s->len + CUT < s->cap;
		text = "...";
		n = s->len + bar + 3 < s->cap ? 3 : 0;
	}
	if (bar)
		s->buf[s->len++] = '|';
	memcpy(s->buf + s->len, text, n);
	s->len += n;
	s->buf[s->len] = '\0';
}

static const char *member_with(const struct consts_gen_group *group, enum abi abi, uint64_t value)
{
	for (unsigned i = 0; i < group->n; i++) {
		size_t member = consts_gen_member[group->first + i];

		uint64_t candidate = value_at(member, abi);

		/* An int below zero is what a header writes as a high number, too: 0xfee1dead. */
		if (candidate == value ||
		    (value >= (uint64_t)INT32_MIN && candidate == (uint32_t)value))
			return name_at(member);
	}
	return NULL;
}

static void add_field(struct spelling *s, const struct consts_gen_group *group)
{
	uint64_t low = (s->value & group->mask) >> group->shift;
	const char *name;

	if (group->kind == CONSTS_NETWORK)
		low = (low & 0xff) << 8 | (low >> 8 & 0xff);
	name = member_with(group, s->abi, low);
	if (!name)
		return;
	add(s, name);
	s->rest &= ~group->mask;
}

static void add_flags(struct spelling *s, const struct consts_gen_group *group)
{
	const char *none = s->value == 0 ? member_with(group, s->abi, 0) : NULL;

	if (none)
		add(s, none);
	for (unsigned i = 0; i < group->n; i++) {
		size_t member = consts_gen_member[group->first + i];
		uint64_t bits = value_at(member, s->abi);

		if (group->kind == CONSTS_BITS)
			bits = UINT64_C(1) << ((bits - group->shift) & 63);
		if (bits != 0 && (s->rest & bits) == bits) {
			add(s, name_at(member));
			s->rest &= ~bits;
		}
	}
}

static void add_octal(struct spelling *s, uint64_t value)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "0%03" PRIo64, value);
	add(s, text);
}

/* What no name is left for. */
static void add_rest(struct spelling *s, bool is_enum)
{
	char text[24] = "0";

	if (is_enum && s->rest >= (uint64_t)INT32_MIN)
		(void)snprintf(text, sizeof(text), "%" PRId64, (int64_t)s->rest);
	else if (s->rest != 0)
		(void)snprintf(text, sizeof(text), "0x%" PRIx64, s->rest);
	if (s->rest != 0 || (s->len == 0 && !s->cut))
		add(s, text);
}

const char *consts_spell(enum consts_set set, enum abi abi, uint64_t value, char *buf, size_t cap)
{
	const struct consts_gen_set *gen = &consts_gen_sets[set];
	struct spelling s = { .buf = buf, .cap = cap, .abi = abi, .value = value, .rest = value };
	bool is_enum = false;

	if (cap == 0)
		return buf;
	buf[0] = '\0';
	for (unsigned i = 0; i < gen->n; i++) {
		const struct consts_gen_group *group = &consts_gen_groups[gen->first + i];

		if (group->kind == CONSTS_FIELD || group->kind == CONSTS_NETWORK) {
			is_enum = group->mask == UINT64_MAX;
			add_field(&s, group);
		} else if (group->kind != CONSTS_OCTAL) {
			add_flags(&s, group);
		} else if (s.rest & group->mask) {
			add_octal(&s, s.rest & group->mask);
			s.rest &= ~group->mask;
		}
	}
	add_rest(&s, is_enum);
	return buf;
}

const char *consts_name_of(enum consts_set set, enum abi abi, uint64_t value)
{
	const struct consts_gen_set *gen = &consts_gen_sets[set];
	const char *name = NULL;

	for (unsigned i = 0; i < gen->n && !name; i++) {
		const struct consts_gen_group *group = &consts_gen_groups[gen->first + i];

		if (group->kind == CONSTS_FLAGS ||
		    (group->kind == CONSTS_FIELD && group->shift == 0))
			name = member_with(group, abi, value);
	}
	return name;
}
