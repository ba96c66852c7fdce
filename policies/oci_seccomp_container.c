// SPDX-License-Identifier: Apache-2.0
/* Which entries are for the container that is meant: includes and excludes. */
#include <stdio.h>
#include <string.h>

#include "policies/oci_seccomp.h"

static bool has_cap(struct oci *o, const char *where, struct json_object *value, bool *ret)
{
	const char *text = oci_string(o, where, value);
	unsigned bit;

	if (!text)
		return false;
	if (import_cap(text, &bit) < 0) {
		import_error(o->im, where, "there is no capability '%.60s'", text);
		return false;
	}
	*ret = o->im->options->caps >> bit & 1;
	return true;
}

/* "X.Y", of which a kernel that is as new or newer is meant. */
static bool is_kernel(struct oci *o, const char *where, struct json_object *value, bool *ret)
{
	const char *text = oci_string(o, where, value);
	unsigned major = 0, minor = 0;
	char end = '\0';

	if (!text)
		return false;
	if (strspn(text, "0123456789.") != strlen(text) || strlen(text) > 8 ||
	    sscanf(text, "%3u.%3u%c", &major, &minor, &end) != 2 || major > 255 || minor > 255) {
		import_error(o->im, where, "'%.20s' is no kernel version as in 4.8", text);
		return false;
	}
	*ret = o->im->options->kernel >= KERNEL(major, minor);
	return true;
}

/*
 * includes: all of caps must be there, one of arches, and the kernel. excludes: one that is there
 * is enough. *ret_out: the entry is left out; *ret_why: for what.
 */
void oci_filter(struct oci *o, const char *entry, struct json_object *filter, bool includes,
		bool *ret_out, char why[96])
{
	static const char *const known[] = { "caps", "arches", "minKernel", NULL };
	const char *native = oci_seccomp_native(o->im->options->arch), *side;
	char where[IMPORT_WHERE + 32];
	struct json_object *caps, *arches, *kernel;
	bool arch_found = false, holds = false;
	size_t n;

	side = includes ? "includes" : "excludes";
	if (!filter)
		return;
	(void)snprintf(where, sizeof(where), "%s/%s", entry, side);
	if (!json_object_is_type(filter, json_type_object)) {
		import_error(o->im, where, "is no object");
		return;
	}
	oci_only(o, where, filter, known, true);
	caps = oci_member(filter, "caps");
	n = oci_array(o, where, caps);
	for (size_t i = 0; i < n; i++) {
		if (has_cap(o, where, json_object_array_get_idx(caps, i), &holds) &&
		    holds != includes && !*ret_out) {
			*ret_out = true;
			(void)snprintf(why, 96, "%s %.60s", includes ? "without" : "with",
				       json_object_get_string(json_object_array_get_idx(caps, i)));
		}
	}
	arches = oci_member(filter, "arches");
	n = oci_array(o, where, arches);
	for (size_t i = 0; i < n; i++) {
		const char *text = oci_string(o, where, json_object_array_get_idx(arches, i));

		arch_found = arch_found || (text && strcmp(text, native) == 0);
	}
	if (n > 0 && arch_found != includes && !*ret_out) {
		*ret_out = true;
		(void)snprintf(why, 96, "on %s", native);
	}
	kernel = oci_member(filter, "minKernel");
	if (kernel && is_kernel(o, where, kernel, &holds) && holds != includes && !*ret_out) {
		*ret_out = true;
		(void)snprintf(why, 96, "kernel %u.%u", o->im->options->kernel >> 8,
			       o->im->options->kernel & 0xffU);
	}
}
