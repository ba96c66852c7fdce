// SPDX-License-Identifier: Apache-2.0
/*
 * The modules and SELinux's own tools: Debian's reference policy takes them (secilc with its
 * assertions, semodule), and what the compiled policy decides, by libsepol, is what the judge
 * promises. Which type a path has is asked of that policy's file_contexts, by libselinux.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "profiles/selinux_tables.h"
#include "tests/unit/selinux_case.h"
#include "tests/unit/selinux_reference.h"

enum { N_POLICIES = SELINUX_SHIPPED + SELINUX_CASES };

static char work[] = "/tmp/cordon-selinux.XXXXXX";
static struct policy *policies[N_POLICIES];
static const struct profile_target target = { .name = NULL };

static uint32_t process_of(size_t i, const char *range)
{
	return sid_of("unconfined_u:unconfined_r:cordon-%s.process:%s", policies[i]->name, range);
}

/* --- programs --- */

/* sh -c with its output kept: shown when the status is not the wanted one. */
static int shell(const char *format, ...) __attribute__((format(printf, 1, 2)));
static int shell(const char *format, ...)
{
	char command[4096], line[512];
	va_list ap;
	int n, status;
	FILE *out;

	n = snprintf(command, sizeof(command),
		     "PATH=$PATH:/usr/sbin:/sbin; cd %s; exec >out 2>&1; ", work);
	va_start(ap, format);
	(void)vsnprintf(command + n, sizeof(command) - (size_t)n, format, ap);
	va_end(ap);
	status = system(command);
	if (status == 0)
		return 0;
	(void)snprintf(command, sizeof(command), "%s/out", work);
	out = fopen(command, "re");
	while (out && fgets(line, sizeof(line), out))
		print_message("# %s", line);
	if (out)
		(void)fclose(out);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void write_file(const char *name, const char *data, size_t len)
{
	char path[512];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", work, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, data, len), 0);
	close(fd);
}

static void find_reference(void)
{
	FILE *p = popen("exec tools/selinux-policy", "re");

	assert_non_null(p);
	if (!fgets(reference, sizeof(reference), p))
		reference[0] = '\0';
	assert_int_equal(pclose(p), 0);
	reference[strcspn(reference, "\n")] = '\0';
}

static int setup(void **state)
{
	char name[128];
	FILE *f;

	(void)state;
	find_reference();
	assert_non_null(mkdtemp(work));
	assert_int_equal(setenv("CIL", reference, 1), 0);
	for (size_t i = 0; i < N_POLICIES; i++) {
		const bool shipped = i < SELINUX_SHIPPED;
		struct err err = ERR_INIT;
		struct buf out = BUF_INIT;

		policies[i] = selinux_load(
			shipped ? selinux_shipped[i] : selinux_cases[i - SELINUX_SHIPPED].name,
			shipped ? NULL : selinux_cases[i - SELINUX_SHIPPED].text);
		assert_non_null(policies[i]);
		assert_int_equal(selinux_generate(policies[i], &target, &out, &err), 0);
		(void)snprintf(name, sizeof(name), "cordon-%s.cil", policies[i]->name);
		write_file(name, out.data, out.len);
		buf_done(&out);
	}
	assert_int_equal(shell("cp \"$OLDPWD\"/profiles/cordon-base.cil ."), 0);
	/* secilc looks at every neverallow of the reference policy */
	assert_int_equal(shell("secilc -c 33 -M true -U allow -o policy -f contexts "
			       "\"$CIL\"/cil/*.cil *.cil"),
			 0);
	open_libraries();
	(void)snprintf(name, sizeof(name), "%s/policy", work);
	f = fopen(name, "re");
	assert_non_null(f);
	assert_int_equal(set_policydb(f), 0);
	(void)fclose(f);
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

static int teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_POLICIES; i++)
		policy_free(policies[i]);
	return nftw(work, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* --- tests --- */

static void test_semodule(void **state)
{
	(void)state;
	assert_int_equal(shell("cp -R \"$CIL\"/store store && set -- && for f in cordon-*.cil; do "
			       "set -- \"$@\" -i \"$f\"; done; "
			       "\"$CIL\"/semodule -p \"$PWD\"/store -s default -n -X 400 \"$@\" && "
			       "\"$CIL\"/semodule -p \"$PWD\"/store -s default -l | "
			       "grep -c '^cordon-' | grep -qx %d",
			       N_POLICIES + 1),
			 0);
}

/* Without the modules that can be missing, what is of their types falls away and nothing else. */
static void test_small(void **state)
{
	(void)state;
	assert_int_equal(shell("secilc -c 33 -M true -o x -f y \"$CIL\"/small/*.cil *.cil"), 0);
}

/* Both refuse what they should: the acceptance above could fail. */
static void test_broken_is_refused(void **state)
{
	static const char no_type[] = "(allow cordon-default.process no_such_t (file (read)))\n",
			  no_end[] = "(block x\n",
			  assertion[] = "(allow cordon-default.process shadow_t (file (read)))\n";

	(void)state;
	write_file("x.no", no_type, sizeof(no_type) - 1);
	assert_int_equal(shell("! secilc -c 33 -M true -o x -f y \"$CIL\"/small/*.cil "
			       "cordon-base.cil cordon-default.cil x.no"),
			 0);
	write_file("x.no", assertion, sizeof(assertion) - 1);
	assert_int_equal(shell("! secilc -c 33 -M true -o x -f y \"$CIL\"/small/*.cil "
			       "cordon-base.cil cordon-default.cil x.no && "
			       "grep -q 'neverallow check failed' out"),
			 0);
	write_file("x.no", no_end, sizeof(no_end) - 1);
	assert_int_equal(shell("mv x.no x.cil; ! \"$CIL\"/semodule -p \"$PWD\"/store -s default -n "
			       "-X 400 -i x.cil; status=$?; rm x.cil; exit $status"),
			 0);
}

/* Every row of the table, by the reference policy's own words. */
static void test_labels(void **state)
{
	char path[LIMIT_PATH], type[128];

	(void)state;
	for (size_t i = 0; i < selinux_n_labels; i++) {
		const struct selinux_label *l = &selinux_labels[i];
		const struct path_vars vars = { .home = "/home/u" };

		if (l->flags & LABEL_WITHIN || strncmp(l->path, "/proc", 5) == 0)
			continue;
		assert_int_equal(selinux_row_path(l->path, &vars, path, sizeof(path)), 0);
		if (l->flags & LABEL_BELOW)
			(void)snprintf(path + strlen(path), sizeof(path) - strlen(path), "/x");
		type_by_reference(path, l->flags & (LABEL_FILE | LABEL_BELOW) ? S_IFREG : S_IFDIR,
				  type, sizeof(type));
		if (l->flags & LABEL_NAMED && strcmp(type, l->type) != 0)
			type_by_reference(path, S_IFREG, type, sizeof(type));
		assert_string_equal(type, l->type);
	}
}

struct right_perms {
	unsigned right;
	const char *class, *perms;
};
static const struct right_perms right_perms[] = {
	{ SE_SEARCH, "dir", "search getattr" },
	{ SE_LIST, "dir", "open read" },
	{ SE_READ, "file", "open read getattr" },
	{ SE_STAT, "file", "getattr" },
	{ SE_MAP, "file", "map execute" },
	{ SE_EXEC, "file", "execute_no_trans entrypoint execute" },
	{ SE_WRITE, "file", "open write" },
	{ SE_MAKE, "file", "create link unlink rename setattr" },
	{ SE_MAKE, "dir", "add_name remove_name write create" },
};

/* Every type of the table under every right: as many as promised, and not one more. */
static void test_rights(void **state)
{
	unsigned n_given = 0, n_refused = 0;

	(void)state;
	for (size_t i = 0; i < N_POLICIES; i++) {
		const uint32_t process = process_of(i, "s0");
		struct selinux_rights rights;
		struct err err = ERR_INIT;

		assert_int_equal(selinux_rights_of(policies[i], &target, &rights, &err), 0);
		for (size_t t = 0; t < rights.n; t++) {
			const char *type = rights.types[t].type;
			const unsigned have = selinux_effective(&rights, type);
			const bool own = strcmp(type, SELINUX_OWN) == 0;
			char name[160];

			if (strcmp(type, "cordon_program") == 0) /* an attribute */
				continue;
			(void)snprintf(name, sizeof(name), "%s%s%s%s", own ? "cordon-" : "",
				       own ? policies[i]->name : "", own ? "." : "", type);
			for (size_t p = 0; p < ARRAY_SIZE(right_perms); p++) {
				const struct right_perms *q = &right_perms[p];
				const bool want = have & q->right;

				if (gives(process, object(name), q->class, q->perms) != want)
					fail_msg("%s: %s:%s { %s } is%s given", policies[i]->name,
						 name, q->class, q->perms, want ? " not" : "");
				n_given += want;
				n_refused += !want;
			}
		}
		selinux_rights_done(&rights);
	}
	print_message("# %u rights given, %u refused\n", n_given, n_refused);
	assert_true(n_given > 1000 && n_refused > 1000);
}

/* --- the judge --- */

static struct judgement judge(size_t i, const char *text)
{
	struct judgement j = { .answer = JUDGE_SILENT };
	struct attempt attempt;
	struct err err = ERR_INIT;

	if (attempt_parse(text, ABI_NATIVE, "/", &attempt, &err) < 0)
		fail_msg("%s: %s", text, err.msg);
	assert_int_equal(
		mechanism_judge(MECHANISM_SELINUX, policies[i], &target, &attempt, &j, &err), 0);
	attempt_done(&attempt);
	return j;
}

static void same_answer(size_t i, const char *text, bool allowed)
{
	const struct judgement j = judge(i, text);

	assert_int_not_equal(j.answer, JUDGE_SILENT);
	if ((j.answer == JUDGE_ALLOWS) != allowed)
		fail_msg("%s: %s: the policy says %s", policies[i]->name, text,
			 allowed ? "yes" : "no");
}

/* Whether each directory above may be searched, by the compiled policy. */
static bool reaches(uint32_t process, const char *path)
{
	char dir[256], type[128];

	(void)snprintf(dir, sizeof(dir), "%s", path);
	for (char *slash = strrchr(dir, '/'); slash && slash > dir; slash = strrchr(dir, '/')) {
		*slash = '\0';
		type_by_reference(dir, S_IFDIR, type, sizeof(type));
		if (!gives(process, object(type), "dir", "search"))
			return false;
	}
	return true;
}

/* Paths of the host: their types come from file_contexts, not from our table. */
static void test_files(void **state)
{
	static const char *const paths[] = {
		"/usr/bin/ls",
		"/usr/bin/git",
		"/usr/bin/su",
		"/bin/sh",
		"/usr/sbin/nginx",
		"/usr/lib/libx.so.1",
		"/usr/share/doc/x",
		"/usr/include/x.h",
		"/usr/share/fonts/x",
		"/etc/passwd",
		"/etc/hosts",
		"/etc/shadow",
		"/etc/ssl/certs/x",
		"/etc/ssl/private/x",
		"/etc/nginx/x",
		"/var/www/html/x",
		"/var/log/nginx/x",
		"/var/log/x",
		"/var/lib/x/data",
		"/var/lib/dpkg/x",
		"/home/me/x",
		"/home/me/.ssh/x",
		"/home/me/.cache/x",
		"/opt/tool/x",
		"/srv/x",
		"/boot/x",
		"/usr/src/x",
		"/var/lib/postgresql/x",
		"/usr/local/bin/x",
		"/usr/games/x",
		"/var/backups/x",
		"/home/me/.config/git/x",
	};
	static const struct {
		const char *before, *after, *perms;
		bool in_dir;
	} ways[] = {
		{ "openat(\"", "\", O_RDONLY)", "open read", false },
		{ "openat(\"", "\", O_WRONLY)", "open write", false },
		{ "openat(\"", "\", O_RDWR)", "open read write", false },
		{ "execve(\"", "\")", "read execute execute_no_trans", false },
		{ "unlinkat(\"", "\", 0)", "unlink", false },
		{ "stat(\"", "\")", "getattr", false },
		{ "chmod(\"", "\", 0644)", "setattr", false },
		{ "openat(\"", "\", O_WRONLY|O_CREAT, 0644)", "create open write", true },
	};
	char text[256], type[128], dir[256];
	unsigned n = 0;

	(void)state;
	for (size_t i = 0; i < N_POLICIES; i++) {
		const uint32_t process = process_of(i, "s0");

		for (size_t p = 0; p < ARRAY_SIZE(paths); p++) {
			const struct path_vars vars = selinux_vars(&target);
			const struct policy_path *line =
				path_rule_find(policies[i], &vars, paths[p]);

			/* not the host's file; and every fourth policy is enough of a sample */
			if (i % 4 != 2 || (line && line->verb == POLICY_PATH_TMPFS))
				continue;
			for (size_t w = 0; w < ARRAY_SIZE(ways); w++) {
				bool want;

				(void)snprintf(dir, sizeof(dir), "%s", paths[p]);
				if (ways[w].in_dir)
					*strrchr(dir, '/') = '\0';
				type_by_reference(dir, ways[w].in_dir ? S_IFDIR : S_IFREG, type,
						  sizeof(type));
				want = reaches(process, paths[p]) &&
				       gives(process, object(type), "file", ways[w].perms) &&
				       (!ways[w].in_dir ||
					gives(process, object(type), "dir", "add_name write"));
				(void)snprintf(text, sizeof(text), "%s%s%s", ways[w].before,
					       paths[p], ways[w].after);
				same_answer(i, text, want);
				n++;
			}
		}
	}
	print_message("# %u attempts on files\n", n);
}

/* The port's type is the table's, and test_port_table holds that to the policy. */
static void test_ports(void **state)
{
	static const uint16_t ports[] = { 1,	22,   25,   53,	  80,	443,  444,   512,   1023,
					  1024, 3306, 5000, 5432, 8000, 8080, 32767, 61000, 65535 };
	char text[128];

	(void)state;
	for (size_t i = 0; i < N_POLICIES; i++) {
		const uint32_t process = process_of(i, "s0");
		const bool tcp = gives(process, process, "tcp_socket", "create connect");
		const bool udp = gives(process, process, "udp_socket", "create connect");

		for (size_t p = 0; p < ARRAY_SIZE(ports); p++) {
			const uint32_t t = object(selinux_port_type(POLICY_PORT_TCP, ports[p]));
			const uint32_t u = object(selinux_port_type(POLICY_PORT_UDP, ports[p]));

			(void)snprintf(text, sizeof(text), "connect(3, \"tcp:192.0.2.1:%u\")",
				       ports[p]);
			same_answer(i, text,
				    tcp && gives(process, t, "tcp_socket", "name_connect"));
			(void)snprintf(text, sizeof(text), "connect(3, \"udp:192.0.2.1:%u\")",
				       ports[p]);
			same_answer(i, text, udp);
			if (ports[p] < 1024) /* also asks for a capability */
				continue;
			(void)snprintf(text, sizeof(text), "bind(3, \"tcp:192.0.2.1:%u\")",
				       ports[p]);
			same_answer(i, text,
				    tcp && gives(process, t, "tcp_socket", "name_bind") &&
					    gives(process, object("node_t"), "tcp_socket",
						  "node_bind"));
			(void)snprintf(text, sizeof(text), "bind(3, \"udp:192.0.2.1:%u\")",
				       ports[p]);
			same_answer(i, text,
				    udp && gives(process, u, "udp_socket", "name_bind") &&
					    gives(process, object("node_t"), "udp_socket",
						  "node_bind"));
		}
	}
}

/* Every portcon statement of the reference policy, both ways. */
static void test_port_table(void **state)
{
	char line[256], proto[8], range[16], type[80], path[600];
	unsigned first, last, n = 0;
	FILE *f;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/cil/base.cil", reference);
	f = fopen(path, "re");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		bool found = false;

		if (sscanf(line, "(portcon %7s (%u %u) (system_u object_r %79[^ )]", proto, &first,
			   &last, type) != 4) {
			if (sscanf(line, "(portcon %7s %15[0-9] (system_u object_r %79[^ )]", proto,
				   range, type) != 3)
				continue;
			first = last = (unsigned)strtoul(range, NULL, 10);
		}
		if (strcmp(proto, "tcp") != 0 && strcmp(proto, "udp") != 0)
			continue;
		n++;
		for (size_t i = 0; i < selinux_n_ports && !found; i++) {
			const struct selinux_port *p = &selinux_ports[i];

			found = (p->protocol == POLICY_PORT_TCP) == (proto[0] == 't') &&
				p->first == first && p->last == last && strcmp(p->type, type) == 0;
		}
		if (!found)
			fail_msg("not in the table: %s", line);
	}
	(void)fclose(f);
	assert_true(n >= selinux_n_ports);
}

static void test_sockets_and_kernel(void **state)
{
	static const struct {
		const char *text, *class;
	} sockets[] = {
		{ "socket(AF_UNIX, SOCK_STREAM, 0)", "unix_stream_socket" },
		{ "socket(AF_UNIX, SOCK_DGRAM, 0)", "unix_dgram_socket" },
		{ "socket(AF_INET, SOCK_STREAM, 0)", "tcp_socket" },
		{ "socket(AF_INET6, SOCK_DGRAM, 0)", "udp_socket" },
		{ "socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP)", "icmp_socket" },
		{ "socket(AF_INET, SOCK_RAW, IPPROTO_ICMP)", "rawip_socket" },
		{ "socket(AF_PACKET, SOCK_RAW, 0)", "packet_socket" },
		{ "socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE)", "netlink_route_socket" },
		{ "socket(AF_NETLINK, SOCK_RAW, NETLINK_AUDIT)", "netlink_audit_socket" },
		{ "socket(AF_VSOCK, SOCK_STREAM, 0)", "vsock_socket" },
		{ "socket(AF_ALG, SOCK_SEQPACKET, 0)", "alg_socket" },
	};

	(void)state;
	for (size_t i = 0; i < N_POLICIES; i++) {
		const uint32_t process = process_of(i, "s0");

		for (size_t s = 0; s < ARRAY_SIZE(sockets); s++)
			same_answer(i, sockets[s].text,
				    gives(process, process, sockets[s].class, "create"));
		for (unsigned c = 0; c <= CAP_LAST_CAP; c++) {
			const char *class, *name = selinux_capability(c, &class);

			assert_int_equal(gives(process, process, class, name),
					 (policies[i]->caps >> c) & 1);
			assert_false(gives(process, process, c < 32 ? "capability" : "capability2",
					   name));
		}
		same_answer(i, "ptrace(PTRACE_ATTACH, 7)",
			    gives(process, process, "process", "ptrace"));
		same_answer(i, "mount(\"a\", \"/mnt\", \"b\", 0)", false);
		same_answer(i, "kill(1, 9)",
			    gives(process, sid_of("unconfined_u:unconfined_r:unconfined_t:s0"),
				  "process", "sigkill"));
		assert_int_equal(gives(process, process, "process", "execmem"),
				 selinux_opens(policies[i], SE_EXECMEM));
		assert_false(strcmp(policies[i]->name, "no-jit") == 0 &&
			     selinux_opens(policies[i], SE_EXECMEM));
		assert_false(gives(process, process, "process", "setexec"));
		assert_false(gives(process, process, "process", "setcurrent dyntransition"));
	}
}

static void test_entry(void **state)
{
	static const char *const callers[] = { "unconfined_u:unconfined_r:unconfined_t",
					       "user_u:user_r:user_t", "staff_u:staff_r:staff_t",
					       "sysadm_u:sysadm_r:sysadm_t" };
	const uint32_t box = process_of(2, "s0"), other = process_of(5, "s0");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(callers); i++) {
		const uint32_t caller = sid_of("%s:s0", callers[i]);
		const size_t role = strcspn(callers[i], ":") + 1;
		const uint32_t in =
			sid_of("%.*scordon-default.process:s0",
			       (int)(role + strcspn(callers[i] + role, ":") + 1), callers[i]);

		assert_true(gives(caller, in, "process",
				  "transition noatsecure siginh rlimitinh sigkill"));
		assert_true(gives(caller, in, "process2", "nnp_transition nosuid_transition"));
		assert_true(gives(in, caller, "process", "sigchld"));
		assert_true(gives(in, caller, "fd", "use"));
		assert_false(gives(in, caller, "process", "transition"));
	}
	assert_true(gives(box, object("bin_t"), "file", "entrypoint"));
	assert_false(gives(box, object("user_home_t"), "file", "entrypoint"));
	/* who is no caller does not get in, and no sandbox into another */
	assert_false(gives(sid_of("system_u:system_r:crond_t:s0"),
			   sid_of("system_u:system_r:cordon-default.process:s0"), "process",
			   "transition"));
	assert_false(gives(other, box, "process", "transition"));
	assert_false(gives(other, box, "process", "ptrace"));
	/* what it makes in memory is its own, and not another policy's */
	assert_true(gives(box, object("cordon-default.file"), "file", "open read write"));
	assert_false(gives(other, object("cordon-default.file"), "file", "open read"));
}

/* Two sandboxes of one policy with different categories are apart; one without sees neither. */
static void test_categories(void **state)
{
	const uint32_t a = process_of(2, "s0:c1,c2"), b = process_of(2, "s0:c3,c4");
	const uint32_t none = process_of(2, "s0");
	const uint32_t file = sid_of("unconfined_u:object_r:cordon-default.file:s0:c1,c2");

	(void)state;
	assert_true(gives(a, file, "file", "open read write"));
	assert_false(gives(b, file, "file", "open"));
	assert_false(gives(none, file, "file", "open"));
	assert_true(gives(a, a, "process", "sigkill"));
	assert_false(gives(b, a, "process", "sigkill"));
	assert_true(gives(a, object("bin_t"), "file", "open read execute"));
	/* doc/selinux.md: pipes of a caller with every category */
	{
		const uint32_t caller =
			sid_of("unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023");

		assert_false(gives(a, caller, "fifo_file", "read"));
		assert_true(
			gives(process_of(2, "s0-s0:c0.c1023"), caller, "fifo_file", "read write"));
		assert_true(gives(a, object("user_devpts_t"), "chr_file", "read write"));
	}
	/* a caller that may use every category may pick any two */
	assert_true(gives(sid_of("unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023"), a,
			  "process", "transition"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_semodule),
		cmocka_unit_test(test_small),
		cmocka_unit_test(test_broken_is_refused),
		cmocka_unit_test(test_labels),
		cmocka_unit_test(test_rights),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_port_table),
		cmocka_unit_test(test_sockets_and_kernel),
		cmocka_unit_test(test_entry),
		cmocka_unit_test(test_categories),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
