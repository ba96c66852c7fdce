// SPDX-License-Identifier: Apache-2.0
/* A recording's memory, for the files of this room that fill and write it. */
#pragma once

#include <sys/types.h>

#include "audit/learn.h"
#include "base/limits.h"

enum {
	LEARN_NUMBERS = 1024, /* of an ABI; higher ones are counted as odd */
	LEARN_CALLS = 1024,   /* distinct (call, ABI, allowed or not) */
	LEARN_VALUES = 16,    /* distinct values of one argument; then it varies */
	LEARN_TUPLES = 64,    /* distinct values of the arguments that say what a call does */
	LEARN_KEYED = 64,     /* calls with such arguments */
	LEARN_PROGRAMS = 512, /* distinct executables */
	LEARN_PIDS = 4096,    /* whose program is remembered */
	LEARN_PATHS = 16384,  /* distinct paths */
	LEARN_SLOTS = 32768,  /* of their hash table */
	LEARN_TEXT = 4 << 20, /* bytes of all texts */
	LEARN_KNOWN = 8192,
	LEARN_SOCKETS = 1024, /* distinct addresses */
	LEARN_CHAIN = 8,      /* ancestors that are told */
	LEARN_PHASES = 2,
	LEARN_CHAINS = 64,   /* processes whose ancestors are remembered */
	LEARN_MEMORIES = 32, /* whose memory is kept open */
	LEARN_STARTS = 128,  /* descriptors whose directory is remembered */
	LEARN_START_TEXT = 256,
	LEARN_DIRS = 128, /* directories that are kept open */
	LEARN_KNOWN_LINKS = 3,
	LEARN_SOCKET_KINDS = 64,
};

/* What a call is to the recorder, by its name. */
enum learn_role {
	LEARN_ROLE_PATHS = 1 << 0,   /* it names paths */
	LEARN_ROLE_MMAP = 1 << 1,    /* it may map a file executable */
	LEARN_ROLE_SOCKET = 1 << 2,  /* it may name an address */
	LEARN_ROLE_EXEC = 1 << 3,    /* the process becomes another program */
	LEARN_ROLE_EXIT = 1 << 4,    /* its number becomes free */
	LEARN_ROLE_CHDIR = 1 << 5,   /* AT_FDCWD becomes another directory */
	LEARN_ROLE_CLOSE = 1 << 6,   /* one descriptor becomes free */
	LEARN_ROLE_CLOSES = 1 << 7,  /* some do */
	LEARN_ROLE_RENAMES = 1 << 8, /* a name may lead to another place than before */
	LEARN_ROLE_RMDIR = 1 << 9,   /* a directory may go */
	LEARN_ROLE_OPEN = 1 << 10,   /* flags say what is done to its path */
	LEARN_ROLE_KNOWN = 1 << 15,  /* looked up already */
};

struct learn_shape {
	const struct syscall_desc *desc; /* NULL: no such call */
	uint16_t role;
	uint8_t key;	       /* the arguments that say what it does, a bit each */
	uint8_t constant;      /* those whose values are kept */
	uint8_t closing;       /* which argument is the descriptor of LEARN_ROLE_CLOSE */
	uint8_t first, second; /* access to its paths */
	bool nofollow;
};

struct learn_values {
	uint8_t n;
	bool varies;
	uint64_t value[LEARN_VALUES];
};

struct learn_tuple {
	uint64_t value[3];
	uint64_t count;
};

struct learn_key {
	uint16_t n;
	bool varies;
	struct learn_tuple tuple[LEARN_TUPLES];
};

struct learn_entry {
	uint8_t abi;
	bool denied, killed, quiet;
	bool no_key; /* it should have one */
	uint8_t phases;
	uint16_t key; /* 0: none, else place in keys + 1 */
	uint16_t errno_value;
	int32_t nr;
	uint32_t chain[LEARN_CHAIN]; /* programs: the first caller, its parent ... */
	uint8_t n_chain;
	uint64_t count[LEARN_PHASES];
	uint64_t first_ns;
	struct learn_values args[6];
};

enum learn_kind { LEARN_MISSING, LEARN_FILE, LEARN_DIR, LEARN_LINK, LEARN_OTHER, LEARN_UNSEEN };

struct learn_path {
	uint32_t text;
	uint32_t program;
	uint8_t access;
	uint8_t kind; /* enum learn_kind */
	uint8_t phases;
	bool denied; /* every call with it was refused */
	uint64_t count;
};

/*
 * What was found out is used again for as long as nothing that was seen can have changed it: calls
 * that can raise a number, and so does each second that begins, for what others may have done.
 */
struct learn_ages {
	uint32_t second; /* all of it */
	uint32_t names;	 /* where a name leads to */
	uint32_t dirs;	 /* directories that are kept open */
	uint32_t cwd;	 /* of any process */
	uint32_t fds;	 /* all descriptors */
	uint32_t fd[64]; /* those of one number, modulo 64 */
};

/* A path whose end is known, by the hash of what was read. */
struct learn_known {
	uint64_t hash;
	uint32_t names;			  /* age */
	uint32_t path;			  /* place in paths + 1 */
	uint32_t link[LEARN_KNOWN_LINKS]; /* symlinks on the way, the same; 0: no more */
};

/* The directory of a descriptor, or of AT_FDCWD. */
struct learn_start {
	int32_t pid, dirfd;
	uint64_t age;
	char text[LEARN_START_TEXT];
};

struct learn_dir {
	uint64_t hash; /* of its path */
	uint32_t dirs; /* age */
	int fd;	       /* + 1; 0: none */
};

struct learn_memory {
	int32_t pid;
	uint32_t second;
	int fd; /* + 1; 0: none */
};

/* What a descriptor is that a socket call names. */
struct learn_socket_kind {
	int32_t pid, fd;
	uint64_t age;
	int32_t type, protocol; /* -1: not seen */
};

/* A process's program and its ancestors'. */
struct learn_chain {
	int32_t pid;
	uint32_t second;
	uint16_t program;
	uint8_t n;
	uint32_t chain[LEARN_CHAIN];
};

struct learn_socket {
	bool bind, denied;
	uint8_t phases;
	uint16_t family, port;
	int32_t type, protocol; /* -1: not seen */
	uint32_t address;	/* text */
	uint32_t program;
	uint64_t count;
};

struct learn_pid {
	int32_t pid;
	uint32_t second;  /* when its program was looked at */
	uint16_t program; /* place in programs + 1 */
	uint16_t
		changed; /* roles of its last call, which has come to its end when the next comes */
	uint8_t fd;	 /* that one's, for LEARN_ROLE_CLOSE, modulo 64 */
	uint8_t texts;	 /* read of it so far, up to a few */
};

struct learn {
	const char *exec, *exec_path, *exec_cwd; /* NULL once told */
	int root;	       /* of the sandbox, as its payload sees it; -1: not yet */
	bool blind_fds;	       /* descriptors may be closed unseen */
	_Atomic uint8_t phase; /* the one member that another thread writes */
	uint64_t started_ns;
	uint64_t calls, denied;
	uint64_t odd_numbers; /* calls with a number that no table can have */
	uint64_t unread;      /* texts that could not be read */
	uint64_t unresolved;  /* paths whose place could not be looked at */
	uint64_t gone;	      /* callers that ended before their text was believed */
	uint64_t lost_calls, lost_keys, lost_paths, lost_sockets, lost_programs;

	uint16_t index[2][_ABI_MAX][LEARN_NUMBERS]; /* by denied; place in entries + 1 */
	uint16_t n_entries, n_keys, n_programs;
	uint32_t n_paths, n_sockets, n_text;
	struct learn_entry entries[LEARN_CALLS];
	struct learn_key keys[LEARN_KEYED];
	uint32_t programs[LEARN_PROGRAMS]; /* texts */
	bool mapped[LEARN_PROGRAMS];	   /* its loader was looked at */
	struct learn_pid pids[LEARN_PIDS];
	uint32_t slots[LEARN_SLOTS]; /* place in paths + 1 */
	struct learn_path paths[LEARN_PATHS];
	struct learn_ages ages;
	struct learn_shape shapes[_ABI_MAX][LEARN_NUMBERS];
	struct learn_known known[LEARN_KNOWN];
	struct learn_start starts[LEARN_STARTS];
	struct learn_dir dirs[LEARN_DIRS];
	struct learn_memory memories[LEARN_MEMORIES];
	struct learn_chain chains[LEARN_CHAINS];
	struct learn_socket_kind kinds[LEARN_SOCKET_KINDS];
	struct learn_socket sockets[LEARN_SOCKETS];
	char text[LEARN_TEXT];	    /* [0] is the empty text */
	char read[LIMIT_PATH];	    /* the path of this call, as it was read */
	char whole[2 * LIMIT_PATH]; /* the same, absolute */
};

/* A text's place, or 0 when there is no room. */
uint32_t learn_text(struct learn *l, const char *text);

/* --- learn_shape.c --- */
const struct learn_shape *learn_shape(struct learn *l, enum abi abi, int32_t nr);

/* --- learn_process.c --- */

/* The program behind a process: its place in programs + 1, 0 when it cannot be told. Called first
 * for each call: what the last one changed has changed by now. */
uint16_t learn_program(struct learn *l, int32_t pid);

/* What the call may change, once it goes on. */
void learn_process(struct learn *l, const struct learn_event *e, const struct learn_shape *shape);

/* The launcher's own execve. */
void learn_process_launch(struct learn *l, int32_t pid);

/* The caller and its ancestors, up to the sandbox's pid 1. */
const struct learn_chain *learn_chain(struct learn *l, int32_t pid, uint16_t program);

/* Bytes of the caller's memory: their number or -errno. *unsure is set when they may be another
 * process's, unless learn_is_valid() says otherwise afterwards. */
ssize_t learn_memory(struct learn *l, const struct learn_event *e, uint64_t addr, void *buf,
		     size_t len, bool *unsure);

/* The directory that a relative path begins at, within ret: 0 or -errno. *unsure as above. */
int learn_start(struct learn *l, const struct learn_event *e, int dirfd, char ret[LIMIT_PATH],
		bool *unsure);

/* Changes whenever a descriptor of that number may be another one than before. */
uint64_t learn_fd_age(const struct learn *l, int fd);

/* Whether the caller still waits: what was read of it is its own. */
bool learn_is_valid(const struct learn_event *e);

/* --- learn_path.c: what is where --- */

/* Count a path that is where it is said to be. */
void learn_put(struct learn *l, const char *path, unsigned access, enum learn_kind kind,
	       uint16_t program, bool denied);

/* Find what path leads to for a caller, count it and each symlink on the way. */
void learn_resolve(struct learn *l, const char *path, unsigned access, bool follow,
		   uint16_t program, bool denied);

/* The sandbox's root, as this process sees it, for all look-ups. */
void learn_root(struct learn *l, int32_t pid);

/* --- learn_call.c: what a call names --- */

/* Paths and addresses of a call. */
void learn_places(struct learn *l, const struct learn_event *e, const struct learn_shape *shape,
		  uint16_t program);

/* Whether a policy can name it. */
bool learn_is_text(const char *text);

/* What a process has mapped executable right after execve: itself and its loader. */
void learn_mapped(struct learn *l, int32_t pid, uint16_t program);

/* --- learn_socket.c --- */
void learn_socket(struct learn *l, const struct learn_event *e, const struct syscall_desc *desc,
		  uint16_t program);
