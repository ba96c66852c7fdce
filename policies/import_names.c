// SPDX-License-Identifier: Apache-2.0
/* Names that are not in our tables, and what they stand for. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policies/consts.h"
#include "policies/import_model.h"

/*
 * Calls of architectures and kernels that policies/syscalls.tbl does not have, sorted. From the
 * kernel's arch/ARCH/kernel/syscalls/syscall.tbl and arch/ARCH/include/uapi/asm/unistd.h.
 */
static const struct {
	const char *name, *where;
} foreign[] = {
	{ "arm_fadvise64_64", "arm" },
	{ "arm_sync_file_range", "arm" },
	{ "atomic_barrier", "m68k" },
	{ "atomic_cmpxchg_32", "m68k" },
	{ "breakpoint", "arm" },
	{ "cachectl", "mips" },
	{ "cacheflush", "arm m68k mips parisc sh" },
	{ "get_tls", "arm" },
	{ "getpagesize", "m68k" },
	{ "listns", "Linux 6.19" },
	{ "multiplexer", "powerpc" },
	{ "pciconfig_iobase", "arm powerpc" },
	{ "pciconfig_read", "arm powerpc" },
	{ "pciconfig_write", "arm powerpc" },
	{ "recv", "arm mips parisc powerpc sh; socketcall's on i386" },
	{ "riscv_flush_icache", "riscv" },
	{ "riscv_hwprobe", "riscv" },
	{ "rseq_slice_yield", "Linux 7.0" },
	{ "rtas", "powerpc" },
	{ "s390_guarded_storage", "s390" },
	{ "s390_pci_mmio_read", "s390" },
	{ "s390_pci_mmio_write", "s390" },
	{ "s390_runtime_instr", "s390" },
	{ "s390_sthyi", "s390" },
	{ "send", "arm mips parisc powerpc sh; socketcall's on i386" },
	{ "set_tls", "arm" },
	{ "spu_create", "powerpc" },
	{ "spu_run", "powerpc" },
	{ "subpage_prot", "powerpc" },
	{ "swapcontext", "powerpc" },
	{ "switch_endian", "powerpc" },
	{ "sync_file_range2", "arm powerpc sh" },
	{ "sys_debug_setcontext", "powerpc" },
	{ "syscall", "mips" },
	{ "sysmips", "mips" },
	{ "timerfd", "mips s390; Linux 2.6.22 to 2.6.24" },
	{ "usr26", "arm" },
	{ "usr32", "arm" },
};

static int compare_foreign(const void *key, const void *element)
{
	return strcmp(key, *(const char *const *)element);
}

const char *import_foreign_call(const char *name)
{
	const char *const *found =
		bsearch(name, foreign, ARRAY_SIZE(foreign), sizeof(foreign[0]), compare_foreign);

	return found ? found[1] : NULL;
}

bool import_multiplexed(const char *name, const char **ret_call, unsigned *ret_operation)
{
	static const char *const sockets[] = {
		NULL,	       "socket",      "bind",	    "connect",	  "listen",  "accept",
		"getsockname", "getpeername", "socketpair", "send",	  "recv",    "sendto",
		"recvfrom",    "shutdown",    "setsockopt", "getsockopt", "sendmsg", "recvmsg",
		"accept4",     "recvmmsg",    "sendmmsg",
	};
	static const char *const ipcs[] = {
		NULL, "semop", "semget", "semctl", "semtimedop", NULL,	   NULL,     NULL, NULL,
		NULL, NULL,    "msgsnd", "msgrcv", "msgget",	 "msgctl", NULL,     NULL, NULL,
		NULL, NULL,    NULL,	 "shmat",  "shmdt",	 "shmget", "shmctl",
	};

	for (unsigned i = 1; i < ARRAY_SIZE(sockets); i++) {
		if (strcmp(name, sockets[i]) == 0) {
			*ret_call = "socketcall";
			*ret_operation = i;
			return true;
		}
	}
	for (unsigned i = 1; i < ARRAY_SIZE(ipcs); i++) {
		if (ipcs[i] && strcmp(name, ipcs[i]) == 0) {
			*ret_call = "ipc";
			*ret_operation = i;
			return true;
		}
	}
	return false;
}

int import_cap(const char *name, unsigned *ret)
{
	uint64_t bit;
	bool negative;

	if (!text_starts_with(name, "CAP_") || consts_find(name, &bit, &negative) < 0 || bit > 63)
		return -ENOENT;
	*ret = (unsigned)bit;
	return 0;
}
