// SPDX-License-Identifier: Apache-2.0
/*
 * What a program attempts: a system call as an author writes it, and what it would do to files,
 * the network and the kernel. Each mechanism judges what it can see of an attempt: seccomp the
 * registers, Landlock and the LSMs the effects.
 */
#pragma once

#include "policies/model.h"

enum effect_kind {
	EFFECT_FILE,	/* access to path */
	EFFECT_SOCKET,	/* making a socket: family, type, protocol */
	EFFECT_CONNECT, /* family, protocol, port */
	EFFECT_BIND,	/* family, protocol, port */
	EFFECT_UNIX,	/* connecting to a unix socket: path, or abstract when it begins with '@' */
	EFFECT_CAPABILITY, /* needs a capability over the sandbox's or the host's objects */
	EFFECT_NAMESPACE,  /* makes a namespace: value is CLONE_NEW* */
	EFFECT_MOUNT,	   /* changes the mount tree */
	EFFECT_PTRACE,	   /* reads or steers another process of the same user */
	EFFECT_SIGNAL,	   /* signals a process outside the sandbox's domain */
	EFFECT_PROCESS,	   /* what the kernel keeps of another process: group, session, scheduling,
			    * limits, a descriptor of it */
	EFFECT_QUEUE,	   /* opens a POSIX message queue; value is the flags (mq_open(3)) */
	_EFFECT_MAX,
};

/* EFFECT_FILE: what is done to the path. */
enum {
	FILE_READ = 1 << 0,   /* a file's content, a directory's names */
	FILE_WRITE = 1 << 1,  /* into an existing file */
	FILE_EXEC = 1 << 2,   /* execve */
	FILE_CREATE = 1 << 3, /* a new name of a regular file */
	FILE_REMOVE = 1 << 4, /* a name goes */
	FILE_TRUNCATE = 1 << 5,
	FILE_MKDIR = 1 << 6,
	FILE_SYMLINK = 1 << 7,
	FILE_MKNOD = 1 << 8,	  /* a device, FIFO or socket: mode says which */
	FILE_LINK = 1 << 9,	  /* a hard link or a rename to here from another directory */
	FILE_CHMOD = 1 << 10,	  /* mode, owner, times, extended attributes */
	FILE_IOCTL = 1 << 11,	  /* of a device */
	FILE_MMAP_EXEC = 1 << 12, /* mapped executable */
	FILE_STAT = 1 << 13,	  /* its existence and attributes */
};

struct effect {
	uint8_t kind; /* enum effect_kind */
	uint8_t capability;
	uint8_t protocol; /* enum policy_port_protocol */
	uint16_t family;  /* AF_* */
	uint16_t port;	  /* host order */
	uint32_t type;	  /* EFFECT_SOCKET: SOCK_* without its flags */
	uint32_t access;  /* EFFECT_FILE: FILE_* */
	uint64_t value;
	const char *path; /* borrowed from the attempt; absolute and normal */
};

enum { ATTEMPT_EFFECTS = 4 };

struct attempt {
	const struct syscall_desc *call;
	enum abi abi;
	uint8_t n_args;
	uint64_t args[6];
	char *text[6]; /* arguments that were written as strings; heap, owned */
	struct effect effects[ATTEMPT_EFFECTS];
	uint8_t n_effects;
};
void attempt_done(struct attempt *attempt);

/*
 * Read an attempt as an expect line writes it: CALL, CALL(ARG, ...), with constants by name, paths
 * and addresses as strings: openat(AT_FDCWD, "/etc/passwd", O_RDWR), openat("/etc/passwd",
 * O_RDWR) (a leading directory descriptor may be left out), connect(3, "tcp:192.0.2.1:443"),
 * connect(3, "tcp:[2001:db8::1]:443"), connect(3, "udp:192.0.2.1:53"), bind likewise,
 * connect(3, "unix:/run/x"), connect(3, "unix:@name"). Relative paths are taken from cwd.
 * 0, -ENOMEM, or -EINVAL with err naming the word.
 */
int attempt_parse(const char *text, enum abi abi, const char *cwd, struct attempt *ret,
		  struct err *err);

/* The same of an expect line (any kind: a path is an openat or execve, a port a connect or bind on
 * loopback). Variables in a path are the caller's to put in: path_rule_expand(). */
int attempt_of_expect(const struct policy_expect *expect, enum abi abi, const char *cwd,
		      struct attempt *ret, struct err *err);

/*
 * Fill effects from call, args and text. Calls without an effect get none. Texts that effects point
 * to become absolute. EFFECT_CAPABILITY's value is the id, port or priority asked for (an own one
 * needs no capability), EFFECT_FILE's with FILE_MKNOD the mode, EFFECT_SIGNAL's and
 * EFFECT_PROCESS's the process. 0, -ENOMEM, -ENAMETOOLONG, or -EINVAL (a text that is no address).
 */
int attempt_find_effects(struct attempt *attempt, const char *cwd);
