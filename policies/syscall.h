// SPDX-License-Identifier: Apache-2.0
/*
 * The table of system calls: names, numbers and argument types for each ABI that a
 * policy can name. Data comes from policies/syscalls.tbl (numbers and prototypes are
 * facts of the kernel's headers, current to Linux 6.18; each line cites the first
 * kernel that had the call); tools/gen-tables makes build/gen/syscall_table.c of it.
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

/* What the value means: for decoding in the audit log and for lint. A set is one of consts.h, a
 * structure one of layout.h. */
enum syscall_kind {
	KIND_NUMBER, /* plain; with a set, some values have names */
	KIND_FD,     /* a descriptor */
	KIND_DIRFD,  /* a descriptor or AT_FDCWD */
	KIND_PATH,   /* pointer to a NUL-terminated path */
	KIND_STRING, /* pointer to text that is no path, NUL-terminated or as long as length says */
	KIND_SOCKADDR, /* pointer to an address that the kernel reads */
	KIND_FLAGS,    /* bits, of a set */
	KIND_ENUM,     /* one of the values of a set */
	KIND_MODE,     /* file mode */
	KIND_PID,
	KIND_SIGNAL,
	KIND_SIZE,
	KIND_UID,
	KIND_GID,
	KIND_ID16,     /* a uid or gid of which the kernel reads 16 bits */
	KIND_DEVICE,   /* major and minor number of a device */
	KIND_SIGSET,   /* a mask of signals, in the register */
	KIND_STRUCT,   /* pointer to a structure that the kernel reads */
	KIND_ARRAY,    /* pointer to structures, as many as length says */
	KIND_POINTERS, /* pointer to pointers to structures, as many as length says */
	KIND_ARGV,     /* pointer to pointers to strings, up to a null pointer */
	KIND_FDS,      /* pointer to a set of descriptors below length */
	KIND_BITS,     /* pointer to a mask of as many bits */
	KIND_BYTES,    /* pointer to a mask of as many bytes */
	KIND_CONTROL,  /* pointer to the control messages of a message */
	KIND_WORD,     /* depends on another argument: see syscall_view() */
	KIND_ADDRESS,  /* a place in memory that is not read */
	KIND_DATA, /* pointer to data that is not looked at: what is written, a key, an environment
		    */
	KIND_OUT,  /* pointer to what the kernel fills in */
	KIND_SKIP, /* of a structure: of no interest */
	_KIND_MAX,
};

/* In syscall_arg.length: the number itself is in the other bits. */
#define SYSCALL_LENGTH_FIXED 0x80U

/* Names lie in the tables themselves: a pointer to each would be relocated at every start of a
 * static-pie program, 15 pages copied for nothing. tools/gen-tables refuses a longer one. */
enum { SYSCALL_NAME_SIZE = 32, SYSCALL_ARG_NAME_SIZE = 20 };

struct syscall_arg {
	char name[SYSCALL_ARG_NAME_SIZE]; /* the kernel's parameter name; "" past the last */
	uint8_t width;			  /* enum syscall_width */
	uint8_t kind;			  /* enum syscall_kind */
	uint8_t length; /* which argument tells how much there is, from 1; 0: none does */
	uint16_t of;	/* enum consts_set or enum layout, as the kind wants; 0: none */
};

struct syscall_desc {
	char name[SYSCALL_NAME_SIZE];
	int32_t nr[_ABI_MAX]; /* -1 where the ABI lacks it; x32 numbers without the x32 bit */
	uint16_t since;	      /* KERNEL() of the first release with it; KERNEL(2, 6) for old ones */
	uint8_t n_args;
	uint16_t first_when, n_whens; /* for syscall_view() */
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

/* The arguments of one call as its caller passed them. */
struct syscall_view {
	unsigned n;
	struct syscall_arg args[6];
};

/*
 * What the registers mean: the arguments in the form that the ABI has (i386 passes 64-bit values in
 * two, and some calls have all of theirs in memory), those of which the meaning depends on another
 * one as that one says. An argument that is of no use then has KIND_SKIP; what stays KIND_WORD is
 * not known.
 */
void syscall_view(const struct syscall_desc *call, enum abi abi, const uint64_t args[6],
		  struct syscall_view *ret);

/* The highest number that the ABI has, x32 bit not counted. */
int32_t syscall_max_nr(enum abi abi);
