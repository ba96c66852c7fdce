// SPDX-License-Identifier: Apache-2.0
/*
 * Facts of Linux's arch/x86/entry/syscalls/syscall_32.tbl and syscall_64.tbl and of the entries
 * that they name: arch/x86/kernel/sys_ia32.c (64-bit values in two registers), the
 * COMPAT_SYSCALL_DEFINE lines of fs/, kernel/, ipc/ and io_uring/, kernel/uid16.c.
 *
 * A caller of i386 has registers of 32 bits, which a filter sees with zeros above. `long`,
 * `unsigned long`, `size_t` and `off_t` have 32 bits there.
 */
#include "policies/abi_args.h"

#include <errno.h>
#include <string.h>

static const char in_two[] = "a 64-bit value lies in two registers there";
static const char moved[] = "it lies in another register there, behind a 64-bit value in two";
static const char in_memory[] = "the call takes one pointer to its arguments there";
static const char short_id[] =
	"the kernel reads 16 bits of it there (setuid32 and the like read 32)";
static const char elsewhere[] = "it is the third argument there";
static const char by_version[] = "kernels read 32 bits of it there, or 64, by their version";
static const char no_high[] = "it lies in another register there: the offset is whole";

/* Arguments from first to last are not as in the table. */
static const struct {
	const char *call;
	uint8_t abi;
	uint8_t first, last;
	const char *why;
} exceptions[] = {
	{ "chown", ABI_I386, 1, 2, short_id },	      { "fadvise64", ABI_I386, 1, 1, in_two },
	{ "fadvise64", ABI_I386, 2, 3, moved },	      { "fallocate", ABI_I386, 2, 3, in_two },
	{ "fanotify_mark", ABI_I386, 2, 2, in_two },  { "fanotify_mark", ABI_I386, 3, 4, moved },
	{ "fchown", ABI_I386, 1, 2, short_id },	      { "lchown", ABI_I386, 1, 2, short_id },
	{ "lookup_dcookie", ABI_I386, 0, 0, in_two }, { "lookup_dcookie", ABI_I386, 1, 2, moved },
	{ "mmap", ABI_I386, 0, 5, in_memory },	      { "pread64", ABI_I386, 3, 3, in_two },
	{ "preadv", ABI_I386, 3, 4, in_two },	      { "preadv2", ABI_I386, 3, 4, in_two },
	{ "preadv2", ABI_X32, 4, 5, no_high },	      { "pwrite64", ABI_I386, 3, 3, in_two },
	{ "pwritev", ABI_I386, 3, 4, in_two },	      { "pwritev2", ABI_I386, 3, 4, in_two },
	{ "pwritev2", ABI_X32, 4, 5, no_high },	      { "readahead", ABI_I386, 1, 1, in_two },
	{ "readahead", ABI_I386, 2, 2, moved },	      { "select", ABI_I386, 0, 4, in_memory },
	{ "setfsgid", ABI_I386, 0, 0, short_id },     { "setfsuid", ABI_I386, 0, 0, short_id },
	{ "setgid", ABI_I386, 0, 0, short_id },	      { "setregid", ABI_I386, 0, 1, short_id },
	{ "setresgid", ABI_I386, 0, 2, short_id },    { "setresuid", ABI_I386, 0, 2, short_id },
	{ "setreuid", ABI_I386, 0, 1, short_id },     { "setuid", ABI_I386, 0, 0, short_id },
	{ "sigsuspend", ABI_I386, 0, 0, elsewhere },  { "sync_file_range", ABI_I386, 1, 2, in_two },
	{ "sync_file_range", ABI_I386, 3, 3, moved },
};

/* x32's own entries (numbers from 512 on) began as those of 32-bit callers; kernels have been
 * giving one after the other the 64-bit entry since 5.10. */
enum { X32_OWN = 512 };

int abi_arg_width(const struct syscall_desc *call, enum abi abi, unsigned arg,
		  enum syscall_width *ret, const char **ret_why)
{
	enum syscall_width width = (enum syscall_width)call->args[arg].width;
	bool wide = width == WIDTH_S64 || width == WIDTH_U64;

	for (size_t i = 0; i < sizeof(exceptions) / sizeof(exceptions[0]); i++) {
		if (exceptions[i].abi == abi && arg >= exceptions[i].first &&
		    arg <= exceptions[i].last && strcmp(exceptions[i].call, call->name) == 0) {
			*ret_why = exceptions[i].why;
			return -EINVAL;
		}
	}
	if (abi == ABI_X32 && wide && call->nr[ABI_X32] >= X32_OWN) {
		*ret_why = by_version;
		return -EINVAL;
	}
	if (abi == ABI_I386 && wide)
		width = width == WIDTH_S64 ? WIDTH_S32 : WIDTH_U32;
	*ret = width;
	return 0;
}
