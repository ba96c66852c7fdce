// SPDX-License-Identifier: Apache-2.0
/* Values of an OCI profile, each with its place when it is not what it should be. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "policies/consts.h"
#include "policies/oci_seccomp.h"

const char *oci_place(const struct oci *o, char where[IMPORT_WHERE], const char *fmt, ...)
{
	va_list args;
	int n = snprintf(where, IMPORT_WHERE, "%.80s:", o->im->options->path);

	va_start(args, fmt);
	if (n > 0 && n < IMPORT_WHERE)
		(void)vsnprintf(where + n, (size_t)(IMPORT_WHERE - n), fmt, args);
	va_end(args);
	return where;
}

/* --- values of JSON --- */

/* The member, or NULL when it is absent or null: so it is for Go. */
struct json_object *oci_member(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	return json_object_object_get_ex(object, name, &value) ? value : NULL;
}

/* A string without NUL inside, or NULL and an error. */
const char *oci_string(struct oci *o, const char *where, struct json_object *value)
{
	const char *text;

	if (!json_object_is_type(value, json_type_string)) {
		import_error(o->im, where, "is no string");
		return NULL;
	}
	text = json_object_get_string(value);
	if (!text || strlen(text) != (size_t)json_object_get_string_len(value)) {
		import_error(o->im, where, "holds a NUL byte");
		return NULL;
	}
	return text;
}

bool oci_number(struct oci *o, const char *where, struct json_object *value, uint64_t max,
		uint64_t *ret)
{
	if (!json_object_is_type(value, json_type_int) || json_object_get_int64(value) < 0 ||
	    json_object_get_uint64(value) > max) {
		import_error(o->im, where, "is no whole number from 0 to %" PRIu64, max);
		return false;
	}
	*ret = json_object_get_uint64(value);
	return true;
}

/* The array's elements, 0 when it is absent; an error when it is no array. */
size_t oci_array(struct oci *o, const char *where, struct json_object *value)
{
	if (!value)
		return 0;
	if (json_object_is_type(value, json_type_array))
		return json_object_array_length(value);
	import_error(o->im, where, "is no array");
	return 0;
}

/* Members that nobody knows: in an entry they may be conditions, so they are errors. */
void oci_only(struct oci *o, const char *where, struct json_object *object,
	      const char *const *known, bool fatal)
{
	struct json_object_iterator it = json_object_iter_begin(object);
	struct json_object_iterator end = json_object_iter_end(object);

	for (; !json_object_iter_equal(&it, &end); json_object_iter_next(&it)) {
		const char *name = json_object_iter_peek_name(&it);
		size_t i = 0;

		while (known[i] && strcmp(known[i], name) != 0)
			i++;
		if (!known[i] && fatal)
			import_error(o->im, where, "'%.60s' is no member of an entry", name);
		else if (!known[i])
			import_warn(o->im, where, "'%.60s' has no meaning here", name);
	}
}

/* --- actions --- */

/* errnoRet, and containers-common's errno, which may be a name and goes before it. */
bool oci_errno(struct oci *o, const char *where, struct json_object *object,
	       const char *number_name, const char *text_name, uint16_t *ret)
{
	struct json_object *as_number = oci_member(object, number_name);
	struct json_object *as_text = oci_member(object, text_name);
	uint64_t value = 0, other = 0;
	const char *text;

	if (as_number && !oci_number(o, where, as_number, UINT16_MAX, &value))
		return false;
	if (as_text) {
		text = oci_string(o, where, as_text);
		if (!text)
			return false;
		if (text_parse_u64(text, &other) < 0 || other > UINT16_MAX) {
			uint16_t named;

			if (consts_find_errno(text, &named) < 0) {
				import_error(o->im, where, "there is no error '%.60s'", text);
				return false;
			}
			other = named;
		}
		if (as_number && other != value) {
			import_error(o->im, where, "%s and %s differ", number_name, text_name);
			return false;
		}
		value = other;
	}
	if (as_number || as_text)
		*ret = (uint16_t)value;
	return true;
}

bool oci_action(struct oci *o, const char *where, struct json_object *value,
		enum import_verdict *ret)
{
	const char *text = value ? oci_string(o, where, value) : NULL;

	if (text && oci_seccomp_action(text, ret) == 0)
		return true;
	if (text)
		import_error(o->im, where, "there is no action '%.60s'", text);
	else if (!value)
		import_error(o->im, where, "is missing");
	return false;
}

/* Only these actions carry a number. */
bool oci_has_data(enum import_verdict verdict)
{
	return verdict == IMPORT_ERRNO || verdict == IMPORT_TRACE;
}
