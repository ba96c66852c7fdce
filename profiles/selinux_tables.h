// SPDX-License-Identifier: Apache-2.0
/*
 * What profiles/selinux*.c share: the reference policy's types, and what a policy gives on each.
 * SELinux judges types, not paths: a policy's path lines are turned into rights on the types that
 * the reference policy gives those paths, and a right on a type holds wherever the type is.
 */
#pragma once

#include "profiles/mechanism.h"

enum {
	LABEL_FILE = 1 << 0,	 /* one file; without: a tree */
	LABEL_OPTIONAL = 1 << 1, /* of a module that can be missing */
	LABEL_PROGRAM = 1 << 2,	 /* one of the attribute cordon_program */
	LABEL_WITHIN = 1 << 3,	 /* somewhere in the tree, not its own type */
	LABEL_BELOW = 1 << 6,	 /* what lies below, not the path itself */
	LABEL_NAMED = 1 << 4,	 /* a secret: a line must come to it by name */
	LABEL_NEVER = 1 << 5,	 /* a neverallow of the reference policy */
};

struct selinux_label {
	const char *path;
	const char *type;
	unsigned flags;
};
extern const struct selinux_label selinux_labels[]; /* sorted by path */
extern const size_t selinux_n_labels;

/* The path as the table spells it: aliases resolved, a home as "~". 0 or -ENAMETOOLONG. */
int selinux_spell(const struct path_vars *vars, const char *path, char *ret, size_t size);

/* A row's path made absolute. 0 or -ENAMETOOLONG. */
int selinux_row_path(const char *spelling, const struct path_vars *vars, char *ret, size_t size);

/* The label of a path in that spelling; never NULL. */
const struct selinux_label *selinux_label_of(const char *spelling);

/* Rights on a type; cordon-base.cil says which permissions of which class each one is. */
enum {
	SE_SEARCH = 1 << 0, /* a directory on the way */
	SE_LIST = 1 << 1,   /* a directory's names */
	SE_READ = 1 << 2,
	SE_MAP = 1 << 3,   /* map executable */
	SE_EXEC = 1 << 4,  /* execve, and being entered by it */
	SE_WRITE = 1 << 5, /* into what exists */
	SE_MAKE = 1 << 6,  /* names come and go; attributes */
	SE_STAT = 1 << 7,  /* a file's attributes; reading has it */
	SE_ALL = (1 << 8) - 1,
};

/* The module's own type for what a program makes in memory file systems. */
#define SELINUX_OWN "file"

struct selinux_right {
	const char *type;
	unsigned flags;		   /* of its label */
	unsigned rights;	   /* by the policy's lines */
	unsigned always;	   /* by the reference policy's `domain` and by cordon-base.cil */
	struct policy_where where; /* the first line that gave something; line 0: none */
};

struct selinux_rights {
	struct selinux_right *types; /* sorted by name */
	size_t n;
	bool home;   /* descriptors of files in a home directory may be used */
	bool memory; /* a tmpfs line: directories in memory may be written */
	struct policy_where memory_where;
};
void selinux_rights_done(struct selinux_rights *rights);

/* What the policy's path lines give on which type. 0, -ENOMEM or -ENAMETOOLONG. */
int selinux_rights_of(const struct policy *policy, const struct profile_target *target,
		      struct selinux_rights *ret, struct err *err);

/* Never NULL for a type of the table. */
const struct selinux_right *selinux_right_on(const struct selinux_rights *rights, const char *type);
/* All that holds on it: its own rights, those of cordon_program for a program, and the constant
 * ones. */
unsigned selinux_effective(const struct selinux_rights *rights, const char *type);
/* What a line's verb asks for. */
unsigned selinux_verb_rights(enum policy_path_verb verb);
/* The target's variables, with stand-ins for a home and a working directory that are not known. */
struct path_vars selinux_vars(const struct profile_target *target);

struct selinux_port {
	uint8_t protocol; /* enum policy_port_protocol */
	uint16_t first, last;
	const char *type;
};
extern const struct selinux_port selinux_ports[];
extern const size_t selinux_n_ports;
/* The type of a port from 1 to 65535: the narrowest row, as the kernel looks it up. */
const char *selinux_port_type(enum policy_port_protocol protocol, uint16_t port);

/* Ports that the kernel never asks about at bind(2): it checks name_bind outside of
 * net.ipv4.ip_local_port_range only (security/selinux/hooks.c, selinux_socket_bind), here its
 * default, and not for 0. */
bool selinux_port_unchecked(uint16_t port);

/* What the policy opens of the network and of the kernel's objects. */
enum selinux_opening {
	SE_UNIX, /* AF_UNIX sockets */
	SE_TCP,
	SE_UDP,
	SE_PING,
	SE_ROUTE, /* netlink: the list of interfaces and addresses */
	SE_EXECMEM,
	SE_PTRACE,
	SE_KEY,
	SE_BPF,
	SE_PERF,
	SE_IO_URING,
	SE_USERFAULTFD,
	SE_MEMFD_SECRET,
	SE_USERNS,
	_SE_OPENING_MAX,
};
bool selinux_opens(const struct policy *policy, enum selinux_opening opening);
/* Whether no line closes the direction for ports. */
bool selinux_any_port(const struct policy *policy, enum policy_port_direction direction);
/* Whether a line of the direction and protocol gives some port of this type. */
const struct policy_port *selinux_port_line(const struct policy *policy,
					    enum policy_port_direction direction,
					    enum policy_port_protocol protocol, const char *type);

/* The class and permission of a capability; NULL past the last one known. */
const char *selinux_capability(unsigned capability, const char **ret_class);
/* In bytes that name nothing else in CIL: letters, digits, - and _. */
bool selinux_name_is_valid(const char *name);
