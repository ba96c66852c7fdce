// SPDX-License-Identifier: Apache-2.0
#include "cli/policy_call.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "audit/names.h"
#include "base/text.h"
#include "policies/consts.h"

static bool is_narrow(const struct syscall_arg *arg)
{
	return arg->width == WIDTH_S32 || arg->width == WIDTH_U32;
}

/* Whether a policy knows each of A|B by that name: the log's names are more than the language's. */
static bool is_readable(const char *spelled, uint64_t value, bool narrow)
{
	uint64_t sum = 0;

	for (const char *p = spelled; *p;) {
		size_t n = strcspn(p, "|");
		char word[LIMIT_NAME];
		uint64_t bits;
		bool negative;

		if (n == 0 || n >= sizeof(word))
			return false;
		memcpy(word, p, n);
		word[n] = '\0';
		if (text_parse_u64(word, &bits) < 0 && consts_find(word, &bits, &negative) < 0)
			return false;
		sum |= bits;
		p += n + (p[n] == '|');
	}
	return narrow ? (uint32_t)sum == (uint32_t)value : sum == value;
}

static int put_number(struct buf *out, const struct syscall_arg *arg, uint64_t value)
{
	bool narrow = is_narrow(arg);
	int64_t s = narrow ? (int32_t)value : (int64_t)value;

	if (narrow)
		value &= UINT32_MAX;
	if (arg->kind == KIND_DIRFD && (int32_t)value == AT_FDCWD)
		return buf_puts(out, "AT_FDCWD");
	if (arg->kind == KIND_MODE)
		return buf_printf(out, "0%" PRIo64, value);
	if (value < 4096)
		return buf_printf(out, "%" PRIu64, value);
	if ((arg->width == WIDTH_S32 || arg->width == WIDTH_S64) && s < 0 && s > -4096)
		return buf_printf(out, "%" PRId64, s);
	return buf_printf(out, "0x%" PRIx64, value);
}

int call_value(struct buf *out, const struct syscall_desc *call, unsigned i, uint64_t value)
{
	const struct syscall_arg *arg = &call->args[i];
	const bool is_set = arg->kind == KIND_FLAGS || arg->kind == KIND_ENUM;
	char spelled[1024];

	if (is_narrow(arg))
		value &= UINT32_MAX;
	if (is_set)
		(void)consts_spell((enum consts_set)arg->of, ABI_NATIVE, value, spelled,
				   sizeof(spelled));
	else if (arg->kind == KIND_SIGNAL && value > 0 && value < 65)
		names_signal((unsigned)value, spelled, sizeof(spelled));
	else
		return put_number(out, arg, value);
	return is_readable(spelled, value, is_narrow(arg)) ? buf_puts(out, spelled)
							   : put_number(out, arg, value);
}

static int put_quoted(struct buf *out, const char *text)
{
	int r = buf_puts(out, "\"");

	for (; *text && r == 0; text++) {
		if (*text == '"' || *text == '\\')
			r = buf_puts(out, "\\");
		if (r == 0)
			r = buf_put(out, text, 1);
	}
	return r ? r : buf_puts(out, "\"");
}

int call_text(struct buf *out, const struct syscall_desc *call, const uint64_t args[6],
	      unsigned n_args, char *const text[6])
{
	int r = buf_puts(out, call->name);

	if (n_args == 0)
		return r;
	if (n_args > call->n_args)
		n_args = call->n_args;
	for (unsigned i = 0; i < n_args && r == 0; i++) {
		r = buf_puts(out, i ? ", " : "(");
		if (r == 0)
			r = text && text[i] ? put_quoted(out, text[i])
					    : call_value(out, call, i, args[i]);
	}
	return r ? r : buf_puts(out, ")");
}

const char *call_line(const struct policy *policy, struct policy_where where, size_t *ret_len)
{
	const struct policy_source *source;
	const char *p, *end;

	*ret_len = 0;
	if (where.line == 0 || where.source >= policy->n_sources)
		return "";
	source = &policy->sources[where.source];
	p = source->text;
	end = p ? p + source->len : p;
	for (uint32_t n = 1; p && p < end; n++) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		const char *stop = nl ? nl : end;

		if (n == where.line) {
			while (p < stop && (*p == ' ' || *p == '\t'))
				p++;
			while (stop > p && (stop[-1] == ' ' || stop[-1] == '\t'))
				stop--;
			*ret_len = (size_t)(stop - p);
			return p;
		}
		p = stop + 1;
	}
	return "";
}
