// SPDX-License-Identifier: Apache-2.0
/*
 * The table of system calls: names, numbers and argument types for each ABI that a
 * policy can name. Data comes from policies/syscalls.tbl (numbers and prototypes are
 * facts of the kernel's headers, current to Linux 6.18; each line cites the first
 * kernel that had the call); tools/gen-syscalls makes build/gen/syscall_table.c of it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum abi {
	ABI_X86_64,
	ABI_AARCH64,
	ABI_I386, /* named so that it can be refused, or opened by `abi native i386` */
	ABI_X32,
	_ABI_MAX,
};

#if defined(__x86_64__)
#define ABI_NATIVE ABI_X86_64
#elif defined(__aarch64__)
#define ABI_NATIVE ABI_AARCH64
#else
#error "cordon knows x86_64 and aarch64"
#endif

/* A kernel version as one number: KERNEL(6, 18). Compares as versions do. */
#define KERNEL(major, minor) ((uint16_t)((major) << 8 | (minor)))

/* The newest kernel whose calls policies/syscalls.tbl has. */
#define SYSCALL_NEWEST KERNEL(6, 18)

/* How the kernel reads the register: its width and sign (SYSCALL_DEFINE prototypes). */
enum syscall_width {
	WIDTH_NONE, /* no such argument */
	WIDTH_S32,  /* int: the high 32 bits are ignored by the kernel */
	WIDTH_U32,  /* unsigned int, mode_t, dev_t, key_t ... */
	WIDTH_S64,  /* long, ssize_t, off_t (on a 64-bit ABI) */
	WIDTH_U64,  /* unsigned long, size_t */
	WIDTH_PTR,  /* an address: comparing it is an error in a policy */
};

/* What the value means: for decoding in the audit log and for lint. */
enum syscall_kind {
	KIND_NUMBER,
	KIND_FD,       /* a descriptor */
	KIND_DIRFD,    /* a descriptor or AT_FDCWD */
	KIND_PATH,     /* pointer to a NUL-terminated path */
	KIND_STRING,   /* pointer to a NUL-terminated string that is no path */
	KIND_SOCKADDR, /* pointer; the length is the next argument */
	KIND_FLAGS,    /* bits; the names are chosen by (call, argument) */
	KIND_ENUM,     /* one of named values */
	KIND_MODE,     /* file mode */
	KIND_PID,
	KIND_SIGNAL,
	KIND_SIZE,
	KIND_CLONE_ARGS, /* pointer to struct clone_args; the size is the next argument */
	KIND_OPEN_HOW,	 /* pointer to struct open_how; the size is the next argument */
	KIND_POINTER,	 /* anything else in memory */
	_KIND_MAX,
};

struct syscall_arg {
	const char *name; /* the kernel's parameter name; NULL past the last */
	uint8_t width;	  /* enum syscall_width */
	uint8_t kind;	  /* enum syscall_kind */
};

struct syscall_desc {
	const char *name;
	int32_t nr[_ABI_MAX]; /* -1 where the ABI lacks it; x32 numbers without the x32 bit */
	uint16_t since;	      /* KERNEL() of the first release with it; KERNEL(2, 6) for old ones */
	uint8_t n_args;
	struct syscall_arg args[6];
};

/* Set in the number of an x32 call (asm/unistd.h __X32_SYSCALL_BIT). */
#define X32_SYSCALL_BIT 0x40000000U

/* AUDIT_ARCH_* of the ABI (linux/audit.h); x32 shares x86_64's. */
uint32_t abi_audit_arch(enum abi abi);
const char *abi_name(enum abi abi);		    /* "x86_64", "aarch64", "i386", "x32" */
int abi_from_name(const char *name, enum abi *ret); /* 0 or -EINVAL; "native" is known too */

/* The ABI of a seccomp_data or notification: from arch and the x32 bit. *ret_nr is the number
 * without that bit. -EINVAL for an architecture that the table does not know. */
int abi_from_audit_arch(uint32_t arch, uint32_t raw_nr, enum abi *ret, int32_t *ret_nr);

/* NULL when unknown. Pointers into constant data, valid for ever. */
const struct syscall_desc *syscall_by_name(const char *name);
const struct syscall_desc *syscall_by_nr(enum abi abi, int32_t nr);

/* All of them, sorted by name. */
const struct syscall_desc *syscall_table(size_t *ret_count);

/* The highest number that the ABI has, x32 bit not counted. */
int32_t syscall_max_nr(enum abi abi);
