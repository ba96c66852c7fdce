// SPDX-License-Identifier: Apache-2.0
/*
 * A record of the kernel's audit as text: "audit(1700000000.123:45): key=value ...", of the types
 * that tell of denials. The kernel writes the keys; values can be an attacker's (names of files and
 * processes). What such a value holds beyond plain characters the kernel writes in hex digits
 * (audit_log_untrustedstring(), kernel/audit.c), so that no value can pass for a key.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Record types: linux/audit.h up to Linux 7.3; own names, so that any header will do. */
enum {
	KERNEL_TYPE_SYSCALL = 1300,
	KERNEL_TYPE_END = 1320,
	KERNEL_TYPE_SECCOMP = 1326,
	KERNEL_TYPE_LISTENER = 1335,
	KERNEL_TYPE_LSM = 1400, /* AVC, which AppArmor uses too */
	KERNEL_TYPE_LANDLOCK = 1423,
	KERNEL_TYPE_DOMAIN = 1424,
};

enum {
	/* Two paths in hex digits and what is around them. (MAX_AUDIT_MESSAGE_LENGTH of
	 * linux/audit.h, 8970, bounds what userspace sends, and not what the kernel writes.) */
	KERNEL_RECORD_MAX = 32768,
	KERNEL_FIELDS = 48, /* a SYSCALL record has 30 */
};

enum kernel_mechanism {
	KERNEL_APPARMOR,
	KERNEL_SELINUX,
	KERNEL_LANDLOCK,
	KERNEL_SECCOMP,
	_KERNEL_MECHANISM_MAX,
};
/* "apparmor", as records spell it. */
const char *kernel_mechanism_name(enum kernel_mechanism mechanism);

/* A piece of the record's text, not NUL-terminated. */
struct kernel_text {
	const char *p;
	size_t len;
};

struct kernel_field {
	struct kernel_text key, value; /* without quotes */
	bool quoted;
};

struct kernel_record {
	unsigned type;
	int64_t time_ms; /* of the event, since 1970 */
	uint64_t serial; /* of the event: records of one event share it */
	bool denial;	 /* something was refused, by mechanism */
	enum kernel_mechanism mechanism;
	struct kernel_text access; /* SELinux: what stands between the braces */
	struct kernel_field field[KERNEL_FIELDS];
	size_t n;
};

/*
 * The text is borrowed: it must stay as long as ret is used. -EINVAL: it does not have the kernel's
 * form. A record of another type than those above is parsed too, and is no denial.
 */
int kernel_record_parse(unsigned type, const char *text, size_t len, struct kernel_record *ret);

/* The first field of that name, or NULL. */
const struct kernel_field *kernel_record_get(const struct kernel_record *record, const char *key);

/* A decimal or, with base 16, a hexadecimal number that fits. 0, -ENOENT or -EINVAL. */
int kernel_record_number(const struct kernel_record *record, const char *key, unsigned base,
			 uint64_t *ret);

/*
 * The value's bytes, hex digits undone where the kernel writes them for such a key; at most cap.
 * *ret_whole (may be NULL): nothing was cut. What the kernel writes for "nothing" (?, (null)) has
 * no bytes.
 */
size_t kernel_field_bytes(const struct kernel_field *field, char *buf, size_t cap, bool *ret_whole);

/* Whether the field is there and its value is spelt as text. */
bool kernel_field_is(const struct kernel_field *field, const char *text);
