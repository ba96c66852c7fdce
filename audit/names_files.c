// SPDX-License-Identifier: Apache-2.0
/* Names for calls on files, mounts and names in the file system. */
#include <fcntl.h>
#include <linux/fanotify.h>
#include <linux/openat2.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/names.h"

/* O_LARGEFILE is 0 for 64-bit programs in the C library; the register has the kernel's bit
 * (uapi/asm/fcntl.h). */
#if defined(__aarch64__)
#define KERNEL_LARGEFILE 0400000
#else
#define KERNEL_LARGEFILE 0100000
#endif

static const struct name_value open_low[] = { NAME(O_RDONLY), NAME(O_WRONLY), NAME(O_RDWR) };
static const struct name_value open_bits[] = {
	NAME(O_TMPFILE),
	NAME(O_SYNC),
	NAME(O_DSYNC),
	NAME(O_CREAT),
	NAME(O_EXCL),
	NAME(O_NOCTTY),
	NAME(O_TRUNC),
	NAME(O_APPEND),
	NAME(O_NONBLOCK),
	NAME(O_ASYNC),
	NAME(O_DIRECT),
	NAME(O_DIRECTORY),
	NAME(O_NOFOLLOW),
	NAME(O_NOATIME),
	NAME(O_CLOEXEC),
	NAME(O_PATH),
	{ KERNEL_LARGEFILE, "O_LARGEFILE" },
};
NAMES_BOTH(names_open_flags, O_ACCMODE, open_low, open_bits);

static const struct name_value resolve_bits[] = {
	NAME(RESOLVE_NO_XDEV), NAME(RESOLVE_NO_MAGICLINKS), NAME(RESOLVE_NO_SYMLINKS),
	NAME(RESOLVE_BENEATH), NAME(RESOLVE_IN_ROOT),	    NAME(RESOLVE_CACHED),
};
NAMES_FLAGS(names_open_resolve, resolve_bits);

static const struct name_value access_bits[] = { NAME(R_OK), NAME(W_OK), NAME(X_OK) };
static const struct name_value access_low[] = { NAME(F_OK) };
static const struct name_set access_mode = { access_low, 1, 0, access_bits, 3 };

static const struct name_value at_bits[] = {
	NAME(AT_SYMLINK_NOFOLLOW),
	NAME(AT_SYMLINK_FOLLOW),
	NAME(AT_NO_AUTOMOUNT),
	NAME(AT_EMPTY_PATH),
	{ 0x2000, "AT_STATX_FORCE_SYNC" },
	{ 0x4000, "AT_STATX_DONT_SYNC" },
	{ 0x8000, "AT_RECURSIVE" },
};
static NAMES_FLAGS(at_flags, at_bits);

/* 0x200 means one thing to unlinkat and another to faccessat (uapi/linux/fcntl.h). */
static const struct name_value unlink_bits[] = { NAME(AT_REMOVEDIR) };
static NAMES_FLAGS(unlink_flags, unlink_bits);
static const struct name_value faccess_bits[] = { NAME(AT_EACCESS), NAME(AT_SYMLINK_NOFOLLOW),
						  NAME(AT_EMPTY_PATH) };
static NAMES_FLAGS(faccess_flags, faccess_bits);

static const struct name_value rename_bits[] = { { 1, "RENAME_NOREPLACE" },
						 { 2, "RENAME_EXCHANGE" },
						 { 4, "RENAME_WHITEOUT" } };
static NAMES_FLAGS(rename_flags, rename_bits);

/* uapi/linux/mount.h. The high half 0xc0ed is an old magic number that is still passed. */
static const struct name_value mount_bits[] = {
	{ 0xc0ed0000, "MS_MGC_VAL" }, { 1, "MS_RDONLY" },
	{ 2, "MS_NOSUID" },	      { 4, "MS_NODEV" },
	{ 8, "MS_NOEXEC" },	      { 16, "MS_SYNCHRONOUS" },
	{ 32, "MS_REMOUNT" },	      { 64, "MS_MANDLOCK" },
	{ 128, "MS_DIRSYNC" },	      { 256, "MS_NOSYMFOLLOW" },
	{ 1024, "MS_NOATIME" },	      { 2048, "MS_NODIRATIME" },
	{ 4096, "MS_BIND" },	      { 8192, "MS_MOVE" },
	{ 16384, "MS_REC" },	      { 32768, "MS_SILENT" },
	{ 1 << 16, "MS_POSIXACL" },   { 1 << 17, "MS_UNBINDABLE" },
	{ 1 << 18, "MS_PRIVATE" },    { 1 << 19, "MS_SLAVE" },
	{ 1 << 20, "MS_SHARED" },     { 1 << 21, "MS_RELATIME" },
	{ 1 << 23, "MS_I_VERSION" },  { 1 << 24, "MS_STRICTATIME" },
	{ 1 << 25, "MS_LAZYTIME" },
};
static NAMES_FLAGS(mount_flags, mount_bits);
static const struct name_value umount_bits[] = { NAME(MNT_FORCE), NAME(MNT_DETACH),
						 NAME(MNT_EXPIRE), NAME(UMOUNT_NOFOLLOW) };
static NAMES_FLAGS(umount_flags, umount_bits);

static const struct name_value open_tree_bits[] = {
	{ 1, "OPEN_TREE_CLONE" }, NAME(O_CLOEXEC),     NAME(AT_SYMLINK_NOFOLLOW),
	NAME(AT_NO_AUTOMOUNT),	  NAME(AT_EMPTY_PATH), { 0x8000, "AT_RECURSIVE" },
};
static NAMES_FLAGS(open_tree_flags, open_tree_bits);
static const struct name_value move_mount_bits[] = {
	{ 0x01, "MOVE_MOUNT_F_SYMLINKS" },   { 0x02, "MOVE_MOUNT_F_AUTOMOUNTS" },
	{ 0x04, "MOVE_MOUNT_F_EMPTY_PATH" }, { 0x10, "MOVE_MOUNT_T_SYMLINKS" },
	{ 0x20, "MOVE_MOUNT_T_AUTOMOUNTS" }, { 0x40, "MOVE_MOUNT_T_EMPTY_PATH" },
	{ 0x100, "MOVE_MOUNT_SET_GROUP" },   { 0x200, "MOVE_MOUNT_BENEATH" },
};
static NAMES_FLAGS(move_mount_flags, move_mount_bits);
static const struct name_value fsopen_bits[] = { { 1, "FSOPEN_CLOEXEC" } };
static NAMES_FLAGS(fsopen_flags, fsopen_bits);
static const struct name_value fsmount_bits[] = { { 1, "FSMOUNT_CLOEXEC" } };
static NAMES_FLAGS(fsmount_flags, fsmount_bits);
static const struct name_value fspick_bits[] = { { 1, "FSPICK_CLOEXEC" },
						 { 2, "FSPICK_SYMLINK_NOFOLLOW" },
						 { 4, "FSPICK_NO_AUTOMOUNT" },
						 { 8, "FSPICK_EMPTY_PATH" } };
static NAMES_FLAGS(fspick_flags, fspick_bits);
static const struct name_value fsconfig_values[] = {
	{ 0, "FSCONFIG_SET_FLAG" },	   { 1, "FSCONFIG_SET_STRING" },
	{ 2, "FSCONFIG_SET_BINARY" },	   { 3, "FSCONFIG_SET_PATH" },
	{ 4, "FSCONFIG_SET_PATH_EMPTY" },  { 5, "FSCONFIG_SET_FD" },
	{ 6, "FSCONFIG_CMD_CREATE" },	   { 7, "FSCONFIG_CMD_RECONFIGURE" },
	{ 8, "FSCONFIG_CMD_CREATE_EXCL" },
};
static NAMES_ENUM(fsconfig_commands, fsconfig_values);
static const struct name_value mount_attr_bits[] = {
	{ 0x01, "MOUNT_ATTR_RDONLY" },		{ 0x02, "MOUNT_ATTR_NOSUID" },
	{ 0x04, "MOUNT_ATTR_NODEV" },		{ 0x08, "MOUNT_ATTR_NOEXEC" },
	{ 0x10, "MOUNT_ATTR_NOATIME" },		{ 0x20, "MOUNT_ATTR_STRICTATIME" },
	{ 0x80, "MOUNT_ATTR_NODIRATIME" },	{ 0x100000, "MOUNT_ATTR_IDMAP" },
	{ 0x200000, "MOUNT_ATTR_NOSYMFOLLOW" },
};
static NAMES_FLAGS(mount_attrs, mount_attr_bits);

/* stat(2)'s types; the permission bits are left as a number, which NAMES_BOTH would hide. */
static const struct name_value mode_types[] = {
	{ 0, "S_IFREG" }, NAME(S_IFREG),  NAME(S_IFCHR), NAME(S_IFBLK),
	NAME(S_IFIFO),	  NAME(S_IFSOCK), NAME(S_IFDIR), NAME(S_IFLNK),
};
static const struct name_value mode_bits[] = { NAME(S_ISUID), NAME(S_ISGID), NAME(S_ISVTX) };
static NAMES_BOTH(mknod_mode, S_IFMT, mode_types, mode_bits);

static const struct name_value fcntl_values[] = {
	NAME(F_DUPFD),
	NAME(F_GETFD),
	NAME(F_SETFD),
	NAME(F_GETFL),
	NAME(F_SETFL),
	NAME(F_GETLK),
	NAME(F_SETLK),
	NAME(F_SETLKW),
	NAME(F_SETOWN),
	NAME(F_GETOWN),
	NAME(F_SETSIG),
	NAME(F_GETSIG),
	NAME(F_SETOWN_EX),
	NAME(F_GETOWN_EX),
	NAME(F_OFD_GETLK),
	NAME(F_OFD_SETLK),
	NAME(F_OFD_SETLKW),
	NAME(F_SETLEASE),
	NAME(F_GETLEASE),
	NAME(F_NOTIFY),
	NAME(F_DUPFD_CLOEXEC),
	NAME(F_SETPIPE_SZ),
	NAME(F_GETPIPE_SZ),
	NAME(F_ADD_SEALS),
	NAME(F_GET_SEALS),
	{ 1035, "F_GET_RW_HINT" },
	{ 1036, "F_SET_RW_HINT" },
};
static NAMES_ENUM(fcntl_commands, fcntl_values);

static const struct name_value fanotify_bits[] = {
	NAME(FAN_CLOEXEC),	     NAME(FAN_NONBLOCK),	NAME(FAN_CLASS_CONTENT),
	NAME(FAN_CLASS_PRE_CONTENT), NAME(FAN_UNLIMITED_QUEUE), NAME(FAN_UNLIMITED_MARKS),
	NAME(FAN_ENABLE_AUDIT),	     NAME(FAN_REPORT_PIDFD),	NAME(FAN_REPORT_TID),
	NAME(FAN_REPORT_FID),	     NAME(FAN_REPORT_DIR_FID),	NAME(FAN_REPORT_NAME),
};
static NAMES_FLAGS(fanotify_flags, fanotify_bits);

const struct name_row names_files[] = {
	{ "open", 1, &names_open_flags },
	{ "openat", 2, &names_open_flags },
	{ "open_by_handle_at", 2, &names_open_flags },
	{ "access", 1, &access_mode },
	{ "faccessat", 2, &access_mode },
	{ "faccessat2", 2, &access_mode },
	{ "faccessat2", 3, &faccess_flags },
	{ "newfstatat", 3, &at_flags },
	{ "fstatat64", 3, &at_flags },
	{ "statx", 2, &at_flags },
	{ "fchmodat2", 3, &at_flags },
	{ "fchownat", 4, &at_flags },
	{ "linkat", 4, &at_flags },
	{ "utimensat", 3, &at_flags },
	{ "name_to_handle_at", 4, &at_flags },
	{ "execveat", 4, &at_flags },
	{ "mount_setattr", 2, &at_flags },
	{ "unlinkat", 2, &unlink_flags },
	{ "renameat2", 4, &rename_flags },
	{ "mount", 3, &mount_flags },
	{ "umount2", 1, &umount_flags },
	{ "open_tree", 2, &open_tree_flags },
	{ "open_tree_attr", 2, &open_tree_flags },
	{ "move_mount", 4, &move_mount_flags },
	{ "fsopen", 1, &fsopen_flags },
	{ "fsmount", 1, &fsmount_flags },
	{ "fsmount", 2, &mount_attrs },
	{ "fspick", 2, &fspick_flags },
	{ "fsconfig", 1, &fsconfig_commands },
	{ "mknod", 1, &mknod_mode },
	{ "mknodat", 2, &mknod_mode },
	{ "fcntl", 1, &fcntl_commands },
	{ "fcntl64", 1, &fcntl_commands },
	{ "fanotify_init", 0, &fanotify_flags },
	{ "fanotify_init", 1, &names_open_flags },
	{ "dup3", 2, &names_open_flags },
	{ "pipe2", 1, &names_open_flags },
};
const size_t names_n_files = sizeof(names_files) / sizeof(names_files[0]);
