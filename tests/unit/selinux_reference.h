// SPDX-License-Identifier: Apache-2.0
/*
 * Debian's reference policy as a judge: decisions by libsepol of a compiled policy, types of paths
 * by libselinux. Both are opened at run time, without their headers: the tests need no more than
 * the libraries that SELinux's tools bring along.
 */
#pragma once

#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static char reference[512]; /* the folder that tools/selinux-policy printed */

struct av_decision { /* sepol/policydb/flask_types.h */
	uint32_t allowed, decided, auditallow, auditdeny, seqno;
};
struct selinux_opt { /* selinux/selinux.h */
	int type;
	const char *value;
};
enum { SELABEL_CTX_FILE = 0, SELABEL_OPT_PATH = 3 };

static int (*set_policydb)(FILE *);
static int (*context_to_sid)(const char *, size_t, uint32_t *);
static int (*compute_av)(uint32_t, uint32_t, uint16_t, uint32_t, struct av_decision *, unsigned *);
static int (*string_to_class)(const char *, uint16_t *);
static int (*string_to_perm)(uint16_t, const char *, uint32_t *);
static void *(*label_open)(unsigned, const struct selinux_opt *, unsigned);
static int (*label_lookup)(void *, char **, const char *, int);
static void *labels;

static void find(void *library, const char *name, void *ret)
{
	void *symbol = dlsym(library, name);

	assert_non_null(symbol);
	memcpy(ret, &symbol, sizeof(symbol));
}

static void open_libraries(void)
{
	char file[600];
	struct selinux_opt opt = { SELABEL_OPT_PATH, file };
	void *sepol = dlopen("libsepol.so.2", RTLD_NOW),
	     *selinux = dlopen("libselinux.so.1", RTLD_NOW);

	assert_non_null(sepol);
	assert_non_null(selinux);
	find(sepol, "sepol_set_policydb_from_file", &set_policydb);
	find(sepol, "sepol_context_to_sid", &context_to_sid);
	find(sepol, "sepol_compute_av_reason", &compute_av);
	find(sepol, "sepol_string_to_security_class", &string_to_class);
	find(sepol, "sepol_string_to_av_perm", &string_to_perm);
	find(selinux, "selabel_open", &label_open);
	find(selinux, "selabel_lookup_raw", &label_lookup);
	(void)snprintf(file, sizeof(file), "%s/file_contexts", reference);
	labels = label_open(SELABEL_CTX_FILE, &opt, 1);
	assert_non_null(labels);
}

/* The type that the reference policy gives a path, or "" for none. */
static void type_by_reference(const char *path, mode_t mode, char *ret, size_t size)
{
	char *context = NULL, *type;

	ret[0] = '\0';
	if (label_lookup(labels, &context, path, (int)mode) < 0)
		return;
	type = strchr(strchr(context, ':') + 1, ':') + 1;
	(void)snprintf(ret, size, "%.*s", (int)strcspn(type, ":"), type);
	free(context);
}

static uint32_t sid_of(const char *format, ...) __attribute__((format(printf, 1, 2)));
static uint32_t sid_of(const char *format, ...)
{
	char context[256];
	uint32_t sid = 0;
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(context, sizeof(context), format, ap);
	va_end(ap);
	if (context_to_sid(context, strlen(context) + 1, &sid) < 0)
		fail_msg("no such context: %s", context);
	return sid;
}

/* Whether every one of the permissions, divided by blanks, is given. */
static bool gives(uint32_t source, uint32_t to, const char *class, const char *perms)
{
	struct av_decision d = { .allowed = 0 };
	char copy[256], *save = NULL;
	uint32_t all = 0, one;
	unsigned reason = 0;
	uint16_t c = 0;

	if (string_to_class(class, &c) < 0)
		fail_msg("no class %s", class);
	(void)snprintf(copy, sizeof(copy), "%s", perms);
	for (char *p = strtok_r(copy, " ", &save); p; p = strtok_r(NULL, " ", &save)) {
		one = 0;
		if (string_to_perm(c, p, &one) < 0)
			fail_msg("no permission %s of %s", p, class);
		all |= one;
	}
	assert_int_equal(compute_av(source, to, c, all, &d, &reason), 0);
	return reason == 0 && (d.allowed & all) == all;
}

static uint32_t object(const char *type)
{
	/* the caller's user: another one's objects are never created */
	return sid_of("unconfined_u:object_r:%s:s0", type);
}
