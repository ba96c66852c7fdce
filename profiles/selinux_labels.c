// SPDX-License-Identifier: Apache-2.0
/*
 * Where the reference policy puts which type: a short table of the paths that policies speak of, in
 * the spelling of its file_contexts after its own aliases (/bin is /usr/bin, ~ is any home).
 * Facts of Debian's selinux-policy-default 2:2.20221101-9; tests/unit/test_selinux_tools.c asks
 * that policy's own file_contexts about every row.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/text.h"
#include "profiles/selinux_tables.h"

#define TREE(path, type)                                                                           \
	{                                                                                          \
		path, type, 0                                                                      \
	}
#define FILE_IS(path, type)                                                                        \
	{                                                                                          \
		path, type, LABEL_FILE                                                             \
	}
/* The type's module can be taken out of the reference policy. */
#define TREE_OF(path, type)                                                                        \
	{                                                                                          \
		path, type, LABEL_OPTIONAL                                                         \
	}
#define FILE_OF(path, type)                                                                        \
	{                                                                                          \
		path, type, LABEL_FILE | LABEL_OPTIONAL                                            \
	}
/* A program with a type of its own: one of cordon-base.cil's attribute cordon_program. */
#define PROGRAM(path, type)                                                                        \
	{                                                                                          \
		path, type, LABEL_FILE | LABEL_PROGRAM                                             \
	}
#define PROGRAM_OF(path, type)                                                                     \
	{                                                                                          \
		path, type, LABEL_FILE | LABEL_PROGRAM | LABEL_OPTIONAL                            \
	}
/* Strewn about in the tree: no path has it by its place alone. */
#define WITHIN(path, type)                                                                         \
	{                                                                                          \
		path, type, LABEL_WITHIN                                                           \
	}
/* Given only where a line comes to this place or to one below it. */
#define SECRET(path, type)                                                                         \
	{                                                                                          \
		path, type, LABEL_NAMED                                                            \
	}
#define SECRET_OF(path, type)                                                                      \
	{                                                                                          \
		path, type, LABEL_NAMED | LABEL_OPTIONAL                                           \
	}
/* The reference policy's neverallow keeps it from everything but the log-in programs. */
#define NEVER(path, type)                                                                          \
	{                                                                                          \
		path, type, LABEL_FILE | LABEL_NEVER                                               \
	}

const struct selinux_label selinux_labels[] = {
	TREE("/", "root_t"),
	TREE("/boot", "boot_t"),
	TREE("/dev", "device_t"),
	TREE("/dev/pts", "devpts_t"),
	TREE("/dev/shm", "tmpfs_t"),
	TREE("/etc", "etc_t"),
	FILE_IS("/etc/.pwd.lock", "shadow_lock_t"),
	TREE_OF("/etc/NetworkManager", "NetworkManager_etc_t"),
	TREE_OF("/etc/apache2", "httpd_config_t"),
	TREE_OF("/etc/bind", "named_zone_t"),
	{ "/etc/cron.d", "system_cron_spool_t", LABEL_OPTIONAL | LABEL_PROGRAM },
	TREE_OF("/etc/cups", "cupsd_etc_t"),
	TREE("/etc/dbus-1", "dbusd_etc_t"),
	NEVER("/etc/gshadow", "shadow_t"),
	NEVER("/etc/gshadow-", "shadow_t"),
	FILE_IS("/etc/hostname", "net_conf_t"),
	FILE_IS("/etc/hosts", "net_conf_t"),
	FILE_OF("/etc/krb5.conf", "krb5_conf_t"),
	SECRET_OF("/etc/krb5.keytab", "krb5_keytab_t"),
	FILE_IS("/etc/ld.so.cache", "ld_so_cache_t"),
	SECRET("/etc/letsencrypt", "tls_privkey_t"),
	FILE_IS("/etc/locale.alias", "locale_t"),
	FILE_IS("/etc/localtime", "locale_t"),
	TREE_OF("/etc/mysql", "mysqld_etc_t"),
	TREE_OF("/etc/nginx", "httpd_config_t"),
	TREE("/etc/pki", "cert_t"),
	TREE_OF("/etc/postfix", "postfix_etc_t"),
	TREE_OF("/etc/postgresql", "postgresql_etc_t"),
	TREE("/etc/profile.d", "bin_t"),
	FILE_IS("/etc/resolv.conf", "net_conf_t"),
	TREE("/etc/selinux", "selinux_config_t"),
	NEVER("/etc/shadow", "shadow_t"),
	NEVER("/etc/shadow-", "shadow_t"),
	TREE("/etc/ssl", "cert_t"),
	SECRET("/etc/ssl/private", "tls_privkey_t"),
	TREE("/etc/systemd/network", "net_conf_t"),
	TREE("/etc/systemd/system", "systemd_unit_t"),
	TREE("/etc/systemd/user", "systemd_user_unit_t"),
	FILE_IS("/etc/timezone", "locale_t"),
	TREE("/home", "home_root_t"),
	TREE("/lost+found", "lost_found_t"),
	TREE("/media", "mnt_t"),
	TREE("/mnt", "mnt_t"),
	TREE("/opt", "usr_t"),
	TREE("/opt/bin", "bin_t"),
	TREE("/proc", "proc_t"),
	TREE("/proc/sys", "sysctl_t"),
	TREE("/proc/sys/fs", "sysctl_fs_t"),
	TREE("/proc/sys/kernel", "sysctl_kernel_t"),
	TREE("/proc/sys/vm", "sysctl_vm_t"),
	TREE("/run", "var_run_t"),
	TREE("/run/dbus", "system_dbusd_runtime_t"),
	TREE("/run/lock", "var_lock_t"),
	TREE("/run/log", "var_log_t"),
	TREE("/run/shm", "tmpfs_t"),
	TREE("/run/systemd", "init_runtime_t"),
	TREE("/run/user", "user_runtime_root_t"),
	TREE("/srv", "var_t"),
	TREE_OF("/srv/www", "httpd_sys_content_t"),
	TREE("/sys", "sysfs_t"),
	FILE_IS("/sys/devices/system/cpu/online", "cpu_online_t"),
	TREE("/sys/fs/cgroup", "cgroup_t"),
	TREE("/tmp", "tmp_t"),
	TREE("/usr", "usr_t"),
	TREE("/usr/bin", "bin_t"),
	WITHIN("/usr/bin", "cordon_program"),
	PROGRAM_OF("/usr/bin/Xorg", "xserver_exec_t"),
	PROGRAM_OF("/usr/bin/apt", "apt_exec_t"),
	PROGRAM_OF("/usr/bin/apt-get", "apt_exec_t"),
	PROGRAM("/usr/bin/bash", "shell_exec_t"),
	PROGRAM("/usr/bin/chage", "passwd_exec_t"),
	PROGRAM("/usr/bin/chfn", "chfn_exec_t"),
	PROGRAM_OF("/usr/bin/crontab", "crontab_exec_t"),
	PROGRAM("/usr/bin/dash", "shell_exec_t"),
	PROGRAM("/usr/bin/dbus-daemon", "dbusd_exec_t"),
	PROGRAM("/usr/bin/dmesg", "dmesg_exec_t"),
	PROGRAM("/usr/bin/dpkg", "dpkg_exec_t"),
	PROGRAM("/usr/bin/fusermount", "mount_exec_t"),
	PROGRAM_OF("/usr/bin/git", "git_exec_t"),
	PROGRAM("/usr/bin/gpasswd", "groupadd_exec_t"),
	PROGRAM_OF("/usr/bin/gpg", "gpg_exec_t"),
	PROGRAM_OF("/usr/bin/gpg-agent", "gpg_agent_exec_t"),
	PROGRAM_OF("/usr/bin/hostname", "hostname_exec_t"),
	PROGRAM("/usr/bin/ip", "ifconfig_exec_t"),
	PROGRAM_OF("/usr/bin/mandb", "mandb_exec_t"),
	PROGRAM("/usr/bin/mount", "mount_exec_t"),
	PROGRAM("/usr/bin/passwd", "passwd_exec_t"),
	PROGRAM_OF("/usr/bin/ping", "ping_exec_t"),
	PROGRAM_OF("/usr/bin/procmail", "procmail_exec_t"),
	PROGRAM_OF("/usr/bin/redis-server", "redis_exec_t"),
	PROGRAM_OF("/usr/bin/rsync", "rsync_exec_t"),
	PROGRAM_OF("/usr/bin/screen", "screen_exec_t"),
	PROGRAM("/usr/bin/sh", "shell_exec_t"),
	PROGRAM_OF("/usr/bin/ssh", "ssh_exec_t"),
	PROGRAM_OF("/usr/bin/ssh-agent", "ssh_agent_exec_t"),
	PROGRAM_OF("/usr/bin/ssh-keygen", "ssh_keygen_exec_t"),
	PROGRAM_OF("/usr/bin/su", "su_exec_t"),
	PROGRAM_OF("/usr/bin/sudo", "sudo_exec_t"),
	PROGRAM_OF("/usr/bin/tmux", "screen_exec_t"),
	PROGRAM("/usr/bin/umount", "mount_exec_t"),
	PROGRAM("/usr/bin/zsh", "shell_exec_t"),
	{ "/usr/games", "games_exec_t", LABEL_BELOW | LABEL_OPTIONAL | LABEL_PROGRAM },
	TREE("/usr/lib", "lib_t"),
	WITHIN("/usr/lib", "bin_t"),
	WITHIN("/usr/lib", "cordon_program"),
	WITHIN("/usr/lib", "ld_so_t"),
	WITHIN("/usr/lib", "textrel_shlib_t"),
	TREE_OF("/usr/lib/cgi-bin", "httpd_sys_script_exec_t"),
	TREE("/usr/lib/locale", "locale_t"),
	TREE("/usr/lib/modules", "modules_object_t"),
	TREE("/usr/libexec", "bin_t"),
	TREE("/usr/local", "usr_t"),
	TREE("/usr/local/bin", "bin_t"),
	TREE("/usr/local/sbin", "bin_t"),
	TREE("/usr/local/share/fonts", "fonts_t"),
	TREE("/usr/sbin", "bin_t"),
	WITHIN("/usr/sbin", "cordon_program"),
	PROGRAM_OF("/usr/sbin/apache2", "httpd_exec_t"),
	PROGRAM_OF("/usr/sbin/dnsmasq", "dnsmasq_exec_t"),
	PROGRAM("/usr/sbin/ip", "ifconfig_exec_t"),
	PROGRAM_OF("/usr/sbin/iptables", "iptables_exec_t"),
	PROGRAM("/usr/sbin/ldconfig", "ldconfig_exec_t"),
	PROGRAM_OF("/usr/sbin/mysqld", "mysqld_exec_t"),
	PROGRAM_OF("/usr/sbin/named", "named_exec_t"),
	PROGRAM_OF("/usr/sbin/nginx", "httpd_exec_t"),
	PROGRAM_OF("/usr/sbin/sshd", "sshd_exec_t"),
	TREE("/usr/share/fonts", "fonts_t"),
	TREE("/usr/share/locale", "locale_t"),
	TREE("/usr/share/man", "man_t"),
	TREE("/usr/share/zoneinfo", "locale_t"),
	TREE("/usr/src", "src_t"),
	TREE("/var", "var_t"),
	TREE_OF("/var/backups", "backup_store_t"),
	TREE_OF("/var/cache/apt", "apt_var_cache_t"),
	TREE("/var/cache/fontconfig", "fonts_cache_t"),
	TREE("/var/cache/man", "man_cache_t"),
	TREE("/var/lib", "var_lib_t"),
	TREE_OF("/var/lib/apt", "apt_var_lib_t"),
	TREE("/var/lib/dpkg", "dpkg_var_lib_t"),
	TREE_OF("/var/lib/mysql", "mysqld_db_t"),
	TREE_OF("/var/lib/nginx", "httpd_var_lib_t"),
	TREE_OF("/var/lib/postgresql", "postgresql_db_t"),
	TREE("/var/lib/systemd", "init_var_lib_t"),
	TREE("/var/lock", "var_lock_t"),
	TREE("/var/log", "var_log_t"),
	TREE_OF("/var/log/apache2", "httpd_log_t"),
	TREE("/var/log/journal", "systemd_journal_t"),
	TREE_OF("/var/log/nginx", "httpd_log_t"),
	TREE_OF("/var/mail", "mail_spool_t"),
	TREE("/var/spool", "var_spool_t"),
	TREE_OF("/var/spool/mail", "mail_spool_t"),
	TREE("/var/tmp", "tmp_t"),
	TREE_OF("/var/www", "httpd_sys_content_t"),
	TREE("~", "user_home_dir_t"),
	{ "~", "user_home_t", LABEL_BELOW },
	TREE_OF("~/.cache", "xdg_cache_t"),
	TREE_OF("~/.config", "xdg_config_t"),
	TREE_OF("~/.config/chromium", "chromium_xdg_config_t"),
	TREE_OF("~/.config/git", "git_xdg_config_t"),
	FILE_OF("~/.gitconfig", "git_xdg_config_t"),
	SECRET_OF("~/.gnupg", "gpg_secret_t"),
	TREE_OF("~/.java", "java_home_t"),
	TREE_OF("~/.local", "xdg_data_t"),
	TREE("~/.local/bin", "user_bin_t"),
	TREE_OF("~/.mozilla", "mozilla_home_t"),
	TREE("~/.pki", "user_cert_t"),
	SECRET_OF("~/.ssh", "ssh_home_t"),
	TREE_OF("~/Documents", "xdg_documents_t"),
	TREE_OF("~/Downloads", "xdg_downloads_t"),
	TREE_OF("~/Music", "xdg_music_t"),
	TREE_OF("~/Pictures", "xdg_pictures_t"),
	TREE_OF("~/Videos", "xdg_videos_t"),
	TREE("~/bin", "user_bin_t"),
	TREE_OF("~/public_html", "httpd_user_content_t"),
};
const size_t selinux_n_labels = ARRAY_SIZE(selinux_labels);

/* file_contexts.subs_dist: the left is labelled as the right. */
static const struct {
	const char *from, *to;
} aliases[] = {
	{ "/bin", "/usr/bin" },	       { "/lib", "/usr/lib" },
	{ "/lib32", "/usr/lib" },      { "/lib64", "/usr/lib" },
	{ "/libx32", "/usr/lib" },     { "/sbin", "/usr/sbin" },
	{ "/usr/lib32", "/usr/lib" },  { "/usr/lib64", "/usr/lib" },
	{ "/usr/libx32", "/usr/lib" }, { "/usr/local/lib", "/usr/lib" },
	{ "/var/run", "/run" },	       { "/root", "~" },
};

/* The length of the home directory at the beginning of path, or 0. */
static size_t home_len(const struct path_vars *vars, const char *path)
{
	if (vars->home && path_is_within(path, vars->home))
		return strlen(vars->home);
	if (!text_starts_with(path, "/home/"))
		return 0;
	return 6 + strcspn(path + 6, "/");
}

int selinux_spell(const struct path_vars *vars, const char *path, char *ret, size_t size)
{
	const char *to = "", *rest = path;
	size_t len = home_len(vars, path);
	int n;

	for (size_t i = 0; i < ARRAY_SIZE(aliases); i++) {
		if (path_is_within(path, aliases[i].from)) {
			to = aliases[i].to;
			rest = path + strlen(aliases[i].from);
		}
	}
	if (len > 0) {
		to = "~";
		rest = path + len;
	}
	n = snprintf(ret, size, "%s%s", to, rest);
	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

int selinux_row_path(const char *spelling, const struct path_vars *vars, char *ret, size_t size)
{
	const char *home = spelling[0] == '~' ? vars->home : "";
	const char *rest = spelling[0] == '~' ? spelling + 1 : spelling;

	if (strlen(home) + strlen(rest) >= size)
		return -ENAMETOOLONG;
	memcpy(ret, home, strlen(home));
	memcpy(ret + strlen(home), rest, strlen(rest) + 1);
	return 0;
}

/* The path of a row against the first len bytes of a spelling. */
static int compare_path(const struct selinux_label *row, const char *spelling, size_t len)
{
	int order = strncmp(row->path, spelling, len);

	return order ? order : row->path[len] != '\0';
}

/* The first row that is not before these bytes. */
static size_t first_row(const char *spelling, size_t len)
{
	size_t from = 0, to = selinux_n_labels;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (compare_path(&selinux_labels[middle], spelling, len) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

/* The row of this very path that says which type the spelling has, which is the path's own or
 * one below it, rather than a type that is in the tree somewhere; NULL: none. */
static const struct selinux_label *row_of(const char *spelling, size_t len)
{
	const unsigned not_for = LABEL_WITHIN | (spelling[len] ? LABEL_FILE : LABEL_BELOW);
	const struct selinux_label *found = NULL;

	/* of two rows of one path the later one is for what lies below */
	for (size_t i = first_row(spelling, len);
	     i < selinux_n_labels && compare_path(&selinux_labels[i], spelling, len) == 0; i++) {
		if (!(selinux_labels[i].flags & not_for))
			found = &selinux_labels[i];
	}
	return found;
}

const struct selinux_label *selinux_label_of(const char *spelling)
{
	const struct selinux_label *found = NULL;
	size_t len = strlen(spelling);

	while (len > 0 && !(found = row_of(spelling, len))) {
		while (len > 0 && spelling[len - 1] != '/')
			len--;
		len -= len > 0; /* the slash itself */
	}
	return found ? found : &selinux_labels[0];
}
