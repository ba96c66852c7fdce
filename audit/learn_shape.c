// SPDX-License-Identifier: Apache-2.0
/* What the recorder has to know of a call, found by its name once. */
#include <string.h>

#include "audit/learn_state.h"
#include "base/fd.h"

/* The arguments that say what the call does, a bit each: a policy compares them together. */
static uint8_t key_of(const char *name)
{
	static const struct {
		const char *call;
		uint8_t args;
	} keyed[] = {
		{ "arch_prctl", 1 }, { "bpf", 1 },	  { "clone", 1 },   { "ioctl", 2 },
		{ "keyctl", 1 },     { "mknod", 2 },	  { "mknodat", 4 }, { "personality", 1 },
		{ "prctl", 1 },	     { "ptrace", 1 },	  { "seccomp", 1 }, { "setns", 2 },
		{ "socket", 7 },     { "socketpair", 7 }, { "unshare", 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(keyed); i++) {
		if (strcmp(keyed[i].call, name) == 0)
			return keyed[i].args;
	}
	return 0;
}

static bool is_constant(const struct syscall_arg *arg)
{
	switch ((enum syscall_kind)arg->kind) {
	case KIND_NUMBER:
	case KIND_FLAGS:
	case KIND_ENUM:
	case KIND_MODE:
	case KIND_SIGNAL:
	case KIND_UID:
	case KIND_GID:
	case KIND_ID16:
	case KIND_DEVICE:
	case KIND_SIGSET:
	case KIND_WORD:
		return arg->width != WIDTH_PTR && arg->width != WIDTH_NONE;
	case KIND_FD:
	case KIND_DIRFD:
	case KIND_PATH:
	case KIND_STRING:
	case KIND_SOCKADDR:
	case KIND_PID:
	case KIND_SIZE:
	case KIND_STRUCT:
	case KIND_ARRAY:
	case KIND_POINTERS:
	case KIND_ARGV:
	case KIND_FDS:
	case KIND_BITS:
	case KIND_BYTES:
	case KIND_CONTROL:
	case KIND_ADDRESS:
	case KIND_DATA:
	case KIND_OUT:
	case KIND_SKIP:
	case _KIND_MAX:
		break;
	}
	return false;
}

/* What it does to its paths; those that are not here look. */
static void set_access(struct learn_shape *s, const char *name)
{
	static const struct {
		const char *call;
		uint8_t first, second;
		bool nofollow;
	} effects[] = {
		{ "access", LEARN_LOOK, 0, false },
		{ "chdir", LEARN_LOOK, 0, false },
		{ "chmod", LEARN_WRITE, 0, false },
		{ "chown", LEARN_WRITE, 0, false },
		{ "creat", LEARN_WRITE | LEARN_MAKE, 0, false },
		{ "execve", LEARN_EXEC, 0, false },
		{ "execveat", LEARN_EXEC, 0, false },
		{ "fchmodat", LEARN_WRITE, 0, false },
		{ "fchmodat2", LEARN_WRITE, 0, false },
		{ "fchownat", LEARN_WRITE, 0, false },
		{ "futimesat", LEARN_WRITE, 0, false },
		{ "inotify_add_watch", LEARN_READ, 0, false },
		{ "lchown", LEARN_WRITE, 0, true },
		{ "link", LEARN_READ, LEARN_MAKE, true },
		{ "linkat", LEARN_READ, LEARN_MAKE, true },
		{ "lremovexattr", LEARN_WRITE, 0, true },
		{ "lsetxattr", LEARN_WRITE, 0, true },
		{ "mkdir", LEARN_MAKE, 0, true },
		{ "mkdirat", LEARN_MAKE, 0, true },
		{ "mknod", LEARN_MAKE, 0, true },
		{ "mknodat", LEARN_MAKE, 0, true },
		{ "removexattr", LEARN_WRITE, 0, false },
		{ "rename", LEARN_MAKE, LEARN_MAKE, true },
		{ "renameat", LEARN_MAKE, LEARN_MAKE, true },
		{ "renameat2", LEARN_MAKE, LEARN_MAKE, true },
		{ "rmdir", LEARN_MAKE, 0, true },
		{ "setxattr", LEARN_WRITE, 0, false },
		{ "setxattrat", LEARN_WRITE, 0, false },
		{ "symlink", 0, LEARN_MAKE, true },
		{ "symlinkat", 0, LEARN_MAKE, true },
		{ "truncate", LEARN_WRITE, 0, false },
		{ "unlink", LEARN_MAKE, 0, true },
		{ "unlinkat", LEARN_MAKE, 0, true },
		{ "utime", LEARN_WRITE, 0, false },
		{ "utimensat", LEARN_WRITE, 0, false },
		{ "utimes", LEARN_WRITE, 0, false },
	};

	s->first = s->second = LEARN_LOOK;
	s->nofollow = strcmp(name, "lstat") == 0 || strncmp(name, "readlink", 8) == 0 ||
		      strncmp(name, "lget", 4) == 0 || strncmp(name, "llist", 5) == 0;
	for (size_t i = 0; i < ARRAY_SIZE(effects); i++) {
		if (strcmp(effects[i].call, name) != 0)
			continue;
		s->first = effects[i].first;
		s->second = effects[i].second;
		s->nofollow = effects[i].nofollow;
	}
}

static uint16_t role_of(const char *name)
{
	static const struct {
		const char *call;
		uint16_t role;
	} roles[] = {
		{ "bind", LEARN_ROLE_SOCKET },
		{ "chdir", LEARN_ROLE_CHDIR },
		{ "chroot", LEARN_ROLE_CHDIR | LEARN_ROLE_RENAMES },
		{ "close", LEARN_ROLE_CLOSE },
		{ "close_range", LEARN_ROLE_CLOSES },
		{ "connect", LEARN_ROLE_SOCKET },
		{ "dup2", LEARN_ROLE_CLOSE },
		{ "dup3", LEARN_ROLE_CLOSE },
		{ "execve", LEARN_ROLE_EXEC },
		{ "execveat", LEARN_ROLE_EXEC },
		{ "exit", LEARN_ROLE_EXIT },
		{ "exit_group", LEARN_ROLE_EXIT },
		{ "fchdir", LEARN_ROLE_CHDIR },
		{ "link", LEARN_ROLE_RENAMES },
		{ "linkat", LEARN_ROLE_RENAMES },
		{ "mmap", LEARN_ROLE_MMAP },
		{ "mmap2", LEARN_ROLE_MMAP },
		{ "mount", LEARN_ROLE_RENAMES },
		{ "mount_setattr", LEARN_ROLE_RENAMES },
		{ "move_mount", LEARN_ROLE_RENAMES },
		{ "open", LEARN_ROLE_OPEN },
		{ "openat", LEARN_ROLE_OPEN },
		{ "openat2", LEARN_ROLE_OPEN },
		{ "pivot_root", LEARN_ROLE_CHDIR | LEARN_ROLE_RENAMES },
		{ "rename", LEARN_ROLE_RENAMES },
		{ "renameat", LEARN_ROLE_RENAMES },
		{ "renameat2", LEARN_ROLE_RENAMES },
		{ "rmdir", LEARN_ROLE_RMDIR },
		{ "sendmmsg", LEARN_ROLE_SOCKET },
		{ "sendmsg", LEARN_ROLE_SOCKET },
		{ "sendto", LEARN_ROLE_SOCKET },
		{ "setns", LEARN_ROLE_CHDIR | LEARN_ROLE_RENAMES },
		{ "symlink", LEARN_ROLE_RENAMES },
		{ "symlinkat", LEARN_ROLE_RENAMES },
		{ "umount", LEARN_ROLE_RENAMES },
		{ "umount2", LEARN_ROLE_RENAMES },
		{ "unlinkat", LEARN_ROLE_RMDIR },
		{ "unshare", LEARN_ROLE_CHDIR | LEARN_ROLE_RENAMES },
	};

	for (size_t i = 0; i < ARRAY_SIZE(roles); i++) {
		if (strcmp(roles[i].call, name) == 0)
			return roles[i].role;
	}
	return 0;
}

const struct learn_shape *learn_shape(struct learn *l, enum abi abi, int32_t nr)
{
	static const struct learn_shape odd = { .role = LEARN_ROLE_KNOWN };
	struct learn_shape *s;
	const struct syscall_desc *desc;

	if ((unsigned)abi >= _ABI_MAX || nr < 0 || nr >= LEARN_NUMBERS)
		return &odd;
	s = &l->shapes[abi][nr];
	if (s->role & LEARN_ROLE_KNOWN)
		return s;
	s->role = LEARN_ROLE_KNOWN;
	s->desc = desc = syscall_by_nr(abi, nr);
	if (!desc)
		return s;
	s->role |= role_of(desc->name);
	/* its arguments lie in memory there */
	if (abi == ABI_I386 && strcmp(desc->name, "mmap") == 0)
		s->role &= (uint16_t)~LEARN_ROLE_MMAP;
	s->key = key_of(desc->name);
	s->closing = strncmp(desc->name, "dup", 3) == 0;
	set_access(s, desc->name);
	for (unsigned i = 0; i < desc->n_args; i++) {
		if (is_constant(&desc->args[i]))
			s->constant |= (uint8_t)(1U << i);
		if (desc->args[i].kind == KIND_PATH)
			s->role |= LEARN_ROLE_PATHS;
	}
	return s;
}
