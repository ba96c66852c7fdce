// SPDX-License-Identifier: Apache-2.0
/* Text to model: each kind of mistake with its place and words, composition, bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "policies/cond.h"
#include "policies/load.h"

static const char *const lib_dirs[] = { "tests/policies/lib" };
static const struct policy_search lib = { .dirs = lib_dirs, .n_dirs = 1, .native = ABI_NATIVE };

struct loaded {
	struct policy *policy;
	struct policy_diags diags;
	struct err err;
	int r;
};

static struct loaded load_len(const char *text, size_t len)
{
	struct loaded l = { .diags = { .text = BUF_INIT } };

	l.r = policy_load_text("t", text, len, &lib, &l.policy, &l.diags, &l.err);
	assert_true((l.r == 0) == (l.policy != NULL));
	assert_true((l.r == -EBADMSG) == (l.diags.n_errors > 0));
	return l;
}

static struct loaded load(const char *text)
{
	return load_len(text, strlen(text));
}

static void done(struct loaded *l)
{
	policy_free(l->policy);
	policy_diags_done(&l->diags);
}

static struct loaded good(const char *text)
{
	struct loaded l = load(text);

	if (l.r < 0)
		fail_msg("%s\n%s", text, l.diags.text.data);
	return l;
}

static void bad(const char *text, const char *message)
{
	struct loaded l = load(text);

	assert_int_equal(l.r, -EBADMSG);
	if (!strstr(l.diags.text.data, message))
		fail_msg("wanted \"%s\", got:\n%s", message, l.diags.text.data);
	done(&l);
}

/* --- the corpus of mistakes --- */

static void check_bad_file(const char *name)
{
	struct loaded l = { .diags = { .text = BUF_INIT } };
	_cleanup_free_ char *want = NULL;
	char path[512], expected[512];
	size_t len = 0;

	(void)snprintf(path, sizeof(path), "tests/policies/bad/%s.policy", name);
	(void)snprintf(expected, sizeof(expected), "tests/policies/bad/%s.expected", name);
	l.r = policy_load(path, &lib, &l.policy, &l.diags, &l.err);
	assert_null(l.policy);
	assert_int_equal(l.r, -EBADMSG);
	if (fd_read_file_at(AT_FDCWD, expected, 1 << 20, &want, &len) < 0)
		fail_msg("%s is missing; it would be:\n%s", expected, l.diags.text.data);
	assert_string_equal(l.diags.text.data, want);
	done(&l);
}

static void test_each_kind_of_mistake(void **state)
{
	DIR *dir = opendir("tests/policies/bad");
	const struct dirent *e;
	unsigned n = 0;

	(void)state;
	assert_non_null(dir);
	while ((e = readdir(dir)) != NULL) {
		char name[256];
		size_t len = strlen(e->d_name);

		if (len < 8 || strcmp(e->d_name + len - 7, ".policy") != 0)
			continue;
		(void)snprintf(name, sizeof(name), "%.*s", (int)(len - 7), e->d_name);
		check_bad_file(name);
		n++;
	}
	(void)closedir(dir);
	assert_in_range(n, 40, 1000);
}

/* --- what a text becomes --- */

static const struct policy_rule *rule_of(const struct policy *p, const char *call, unsigned skip)
{
	for (size_t i = 0; i < p->n_rules; i++) {
		if (strcmp(p->rules[i].call->name, call) == 0 && skip-- == 0)
			return &p->rules[i];
	}
	return NULL;
}

static void check_conds(const struct policy_rule *rule, const char *want)
{
	char all[512] = "", one[COND_TEXT];

	assert_non_null(rule);
	for (unsigned i = 0; i < rule->n_conds; i++) {
		cond_text(rule->call, &rule->conds[i], one);
		(void)snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s",
			       i ? " and " : "", one);
	}
	assert_string_equal(all, want);
}

static void test_conditions(void **state)
{
	struct loaded l = good("allow socket if type&0xf==SOCK_RAW|1 and domain in AF_UNIX 0xa\n"
			       "deny clone if flags & CLONE_NEW_NAMESPACES != 0\n"
			       "allow lseek if offset in -5..5\n"
			       "allow openat if dfd == AT_FDCWD and dfd == -100\n"
			       "deny kill if pid < 0 errno ESRCH quiet\n");

	(void)state;
	check_conds(rule_of(l.policy, "socket", 0), "domain == 0x1 and type & 0xf == 0x3");
	check_conds(rule_of(l.policy, "socket", 1), "domain == 0xa and type & 0xf == 0x3");
	assert_null(rule_of(l.policy, "socket", 2));
	check_conds(rule_of(l.policy, "clone", 0), "flags & 0x7e020080 != 0x0");
	check_conds(rule_of(l.policy, "lseek", 0),
		    "offset <= 0x5 and offset >= 0xfffffffffffffffb");
	check_conds(rule_of(l.policy, "openat", 0), "dfd == 0xffffff9c");
	check_conds(rule_of(l.policy, "kill", 0), "pid < 0x0");
	assert_int_equal(rule_of(l.policy, "kill", 0)->errno_value, ESRCH);
	assert_true(rule_of(l.policy, "kill", 0)->quiet);
	assert_int_equal(rule_of(l.policy, "clone", 0)->errno_value, EPERM);
	done(&l);
}

static void test_settings(void **state)
{
	struct loaded l =
		good("policy t\nkernel 5.10\nabi native i386\nnet host\nnotify off\n"
		     "cap CAP_CHOWN CAP_CHECKPOINT_RESTORE\n"
		     "limit pids 5 memory 4G cpu 1.25 nofile 7 upper 3K inodes 2K wall 2m\n"
		     "limit memory-high 3G swap 0 cpu-weight 50 io-weight 200 cpuset 1-2,0,1000\n"
		     "env TERM LC_* A=\"b c\" E=\n");
	const struct policy *p = l.policy;
	char set[CPUS_TEXT];

	(void)state;
	assert_int_equal(p->kernel, KERNEL(5, 10));
	assert_int_equal(p->abi_mask, 1U << ABI_NATIVE | 1U << ABI_I386);
	assert_int_equal(p->net, POLICY_NET_HOST);
	assert_false(p->notify);
	assert_true(p->caps == (1ULL << 0 | 1ULL << 40));
	assert_int_equal(p->limit[POLICY_LIMIT_PIDS], 5);
	assert_true(p->limit[POLICY_LIMIT_MEMORY] == 4ULL << 30);
	assert_int_equal(p->limit[POLICY_LIMIT_CPU], 1250);
	assert_int_equal(p->limit[POLICY_LIMIT_NOFILE], 7);
	assert_int_equal(p->limit[POLICY_LIMIT_UPPER], 3072);
	assert_int_equal(p->limit[POLICY_LIMIT_INODES], 2048);
	assert_int_equal(p->limit[POLICY_LIMIT_WALL], 120000);
	assert_true(p->limit[POLICY_LIMIT_MEMORY_HIGH] == 3ULL << 30);
	assert_true(p->has_limit[POLICY_LIMIT_SWAP] && p->limit[POLICY_LIMIT_SWAP] == 0);
	assert_int_equal(p->limit[POLICY_LIMIT_CPU_WEIGHT], 50);
	assert_int_equal(p->limit[POLICY_LIMIT_IO_WEIGHT], 200);
	assert_int_equal(p->limit[POLICY_LIMIT_CPUSET], 4);
	assert_string_equal(cpus_format(&p->cpuset, set), "0-2,1000");
	assert_int_equal(p->n_env, 4);
	assert_string_equal(p->env[0].name, "A");
	assert_string_equal(p->env[0].value, "b c");
	assert_string_equal(p->env[1].value, "");
	assert_string_equal(p->env[2].name, "LC_*");
	assert_null(p->env[2].value);
	done(&l);
}

static void test_nothing_said(void **state)
{
	struct loaded l = good("# nothing\n\n   # at all\n");

	(void)state;
	assert_string_equal(l.policy->name, "t");
	assert_int_equal(l.policy->kernel, SYSCALL_NEWEST);
	assert_int_equal(l.policy->abi_mask, 1U << ABI_NATIVE);
	assert_int_equal(l.policy->net, POLICY_NET_NONE);
	assert_true(l.policy->caps == 0);
	assert_true(l.policy->notify);
	assert_int_equal(l.policy->n_rules, 0);
	for (int i = 0; i < _POLICY_LIMIT_MAX; i++)
		assert_false(l.policy->has_limit[i]);
	done(&l);
}

static void test_paths(void **state)
{
	struct loaded l =
		good("read /usr \"/a b\" ~ ~/x\nwrite $PWD $PWD/out ${XDG_X:-/x}/y\n"
		     "exec? /opt\nhide? /boot\ntmpfs /tmp\nread / /usr # twice is once\n");

	(void)state;
	assert_int_equal(l.policy->n_paths, 11);
	for (size_t i = 1; i < l.policy->n_paths; i++)
		assert_true(strcmp(l.policy->paths[i - 1].path, l.policy->paths[i].path) < 0);
	assert_string_equal(l.policy->paths[0].path, "$PWD");
	assert_int_equal(l.policy->paths[0].verb, POLICY_PATH_WRITE);
	assert_string_equal(l.policy->paths[2].path, "${XDG_X:-/x}/y");
	assert_string_equal(l.policy->paths[4].path, "/a b");
	assert_int_equal(l.policy->paths[4].where.line, 1);
	assert_int_equal(l.policy->paths[4].where.column, 11);
	assert_string_equal(l.policy->paths[5].path, "/boot");
	assert_true(l.policy->paths[5].optional);
	done(&l);
}

static void test_expects(void **state)
{
	struct loaded l = good("expect allow openat(\"/x\\\"y\", O_RDONLY|O_CLOEXEC, 0)\n"
			       "expect deny mount\nexpect kill kill(-1,9)\nexpect deny fork()\n"
			       "expect allow execve(\"/bin/sh\", 0)\n");
	const struct policy_expect *e = l.policy->expects;

	(void)state;
	assert_int_equal(l.policy->n_expects, 5);
	assert_int_equal(e[0].n_args, 4);
	assert_true(e[0].args[0] == (uint32_t)AT_FDCWD);
	assert_true(e[0].has_text[1]);
	assert_string_equal(e[0].text[1], "/x\"y");
	assert_true(e[0].args[2] == (O_RDONLY | O_CLOEXEC));
	assert_int_equal(e[1].n_args, 0);
	assert_int_equal(e[2].action, POLICY_KILL);
	assert_true(e[2].args[0] == UINT32_MAX && e[2].args[1] == 9);
	done(&l);
}

/* --- composition --- */

static void test_use(void **state)
{
	struct loaded l = good("policy t\nuse loop denies\nallow write\nlimit pids 9\nread /usr\n");

	(void)state;
	assert_int_equal(l.policy->n_sources, 3);
	assert_string_equal(l.policy->sources[1].path, "tests/policies/lib/loop.policy");
	assert_int_equal(l.policy->net, POLICY_NET_LOOPBACK);
	assert_int_equal(l.policy->limit[POLICY_LIMIT_PIDS], 9);
	assert_int_equal(l.policy->n_paths, 1);
	assert_int_equal(l.policy->paths[0].verb, POLICY_PATH_READ);
	assert_int_equal(rule_of(l.policy, "read", 0)->where.source, 1);
	assert_int_equal(rule_of(l.policy, "write", 0)->where.source, 0);
	assert_int_equal(l.policy->n_expects, 1);
	assert_true(l.policy->sources[1].ino != 0 && l.policy->sources[1].mtime_ns != 0);
	done(&l);
}

static void test_the_user_decides_a_clash(void **state)
{
	struct loaded l;

	(void)state;
	bad("use loop host\n", "net is one thing in tests/policies/lib/loop.policy:2 and another "
			       "in tests/policies/lib/host.policy:1");
	l = good("use loop host\nnet none\n");
	assert_int_equal(l.policy->net, POLICY_NET_NONE);
	assert_int_equal(l.policy->limit[POLICY_LIMIT_PIDS], 5); /* both say 5 */
	done(&l);
	l = good("use loop envb\nenv A\n");
	assert_null(l.policy->env[0].value);
	done(&l);
	l = good("use loop\nlimit pids none\n");
	assert_false(l.policy->has_limit[POLICY_LIMIT_PIDS]);
	done(&l);
	bad("use set-a set-b\n",
	    "limit cpuset is one thing in tests/policies/lib/set-a.policy:1 and another in "
	    "tests/policies/lib/set-b.policy:1");
	l = good("use set-a set-b\nlimit cpuset 7\n");
	assert_int_equal(l.policy->limit[POLICY_LIMIT_CPUSET], 1);
	assert_int_equal(l.policy->n_notes, 2);
	assert_string_equal(l.policy->notes[0].text, "limit cpuset 0-1");
	done(&l);
}

static void test_remove(void **state)
{
	struct loaded l = good("use denies loop\nremove deny ptrace\nremove expect deny ptrace\n"
			       "deny ptrace quiet\nremove env A\nremove exec /usr\n");

	(void)state;
	assert_true(rule_of(l.policy, "ptrace", 0)->quiet);
	assert_null(rule_of(l.policy, "ptrace", 1));
	assert_int_equal(l.policy->n_expects, 0);
	assert_int_equal(l.policy->n_env, 1);
	assert_int_equal(l.policy->n_paths, 0);
	done(&l);
	/* the own line stays: only used policies are touched */
	l = good("use denies\nremove deny socket\ndeny socket\n");
	assert_int_equal(rule_of(l.policy, "socket", 0)->n_conds, 0);
	done(&l);
	bad("allow read\nremove allow read\n", "t:2:14: no used policy says this of 'read'");
}

static void test_repetitions_are_one_rule(void **state)
{
	struct loaded l = good("allow read\nallow @basic-io read\nuse loop\nallow socket if domain "
			       "== 1 and type == 2\nallow socket if type == 2 and domain == 1\n");

	(void)state;
	assert_int_equal(rule_of(l.policy, "read", 0)->where.line, 1);
	assert_null(rule_of(l.policy, "read", 1));
	assert_null(rule_of(l.policy, "socket", 1));
	done(&l);
}

static void test_names_of_the_root(void **state)
{
	struct loaded l = { .diags = { .text = BUF_INIT } };

	(void)state;
	assert_int_equal(policy_load("lop", &lib, &l.policy, &l.diags, &l.err), -ENOENT);
	assert_string_equal(l.err.hint, "did you mean 'loop'?");
	assert_null(l.policy);
	assert_int_equal(policy_load("loop", &lib, &l.policy, &l.diags, &l.err), 0);
	assert_string_equal(l.policy->name, "loop");
	policy_free(l.policy);
	assert_int_equal(policy_load("tests/policies/lib", &lib, &l.policy, &l.diags, &l.err),
			 -EINVAL);
	done(&(struct loaded){ .diags = l.diags });
	l = load("policy other\n");
	assert_int_equal(l.r, 0);
	assert_int_equal(l.diags.n_warnings, 1);
	done(&l);
}

/* --- precedence, whatever the order --- */

static void check_meaning(const char *const *lines, size_t n, unsigned seed)
{
	const char *mixed[16];
	_cleanup_buf_ struct buf text = BUF_INIT;
	struct policy_verdict v;
	const uint64_t unix_socket[6] = { 1 }, inet[6] = { 2 }, packet[6] = { 17 };
	struct loaded l;

	memcpy(mixed, lines, n * sizeof(*lines));
	for (size_t i = n - 1; i > 0; i--) {
		size_t j;
		const char *swap = mixed[i];

		seed = seed * 1103515245U + 12345U;
		j = (seed >> 8) % (i + 1);
		mixed[i] = mixed[j];
		mixed[j] = swap;
	}
	for (size_t i = 0; i < n; i++)
		assert_int_equal(buf_printf(&text, "%s\n", mixed[i]), 0);
	l = good(text.data);
	policy_eval(l.policy, ABI_NATIVE, syscall_by_name("socket")->nr[ABI_NATIVE], unix_socket,
		    &v);
	assert_int_equal(v.action, POLICY_ALLOW);
	policy_eval(l.policy, ABI_NATIVE, syscall_by_name("socket")->nr[ABI_NATIVE], inet, &v);
	assert_int_equal(v.action, POLICY_DENY);
	assert_int_equal(v.errno_value, EACCES);
	policy_eval(l.policy, ABI_NATIVE, syscall_by_name("socket")->nr[ABI_NATIVE], packet, &v);
	assert_int_equal(v.action, POLICY_KILL);
	policy_eval(l.policy, ABI_NATIVE, syscall_by_name("ptrace")->nr[ABI_NATIVE], inet, &v);
	assert_int_equal(v.action, POLICY_DENY);
	policy_eval(l.policy, ABI_NATIVE, syscall_by_name("mount")->nr[ABI_NATIVE], inet, &v);
	assert_int_equal(v.reason, POLICY_BY_DEFAULT);
	done(&l);
}

static void test_order_of_lines_has_no_meaning(void **state)
{
	static const char *const lines[] = {
		"allow socket",	   "deny socket if domain == AF_INET and type >= 0 errno EACCES",
		"allow ptrace",	   "deny socket if domain > AF_UNIX errno EPERM",
		"deny ptrace",	   "kill socket if domain == AF_PACKET",
		"allow @basic-io", "deny socket if domain == AF_PACKET",
		"net none",
	};

	(void)state;
	for (unsigned seed = 0; seed < 50; seed++)
		check_meaning(lines, ARRAY_SIZE(lines), seed);
}

/* --- digest --- */

static void test_digest(void **state)
{
	struct loaded a = good("allow read\n"), b = good("allow read\n"), c = good("allow read \n");
	struct loaded d = good("allow read\nuse loop\n");

	(void)state;
	assert_memory_equal(&a.policy->digest, &b.policy->digest, sizeof(struct hash));
	assert_memory_not_equal(&a.policy->digest, &c.policy->digest, sizeof(struct hash));
	assert_memory_not_equal(&a.policy->digest, &d.policy->digest, sizeof(struct hash));
	done(&a);
	done(&b);
	done(&c);
	done(&d);
}

/* --- bounds: what just fits, and one more --- */

static void repeat(struct buf *b, const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_int_equal(buf_puts(b, text), 0);
}

static void test_line_bound(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct loaded l;

	(void)state;
	repeat(&b, "#", LIMIT_POLICY_LINE);
	l = good(b.data);
	done(&l);
	repeat(&b, "#", 1);
	bad(b.data, "t:1:4097: the line is longer than 4096 bytes");
}

static void test_file_bound(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct loaded l;

	(void)state;
	repeat(&b, "#######\n", LIMIT_POLICY_BYTES / 8);
	l = good(b.data);
	done(&l);
	repeat(&b, "\n", 1);
	l = load(b.data);
	assert_int_equal(l.r, -EFBIG);
	done(&l);
}

static void test_rule_bound(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct loaded l;

	(void)state;
	for (int i = 0; i < LIMIT_POLICY_RULES; i++)
		assert_int_equal(buf_printf(&b, "allow read if fd == %d\n", i), 0);
	l = good(b.data);
	assert_int_equal(l.policy->n_rules, LIMIT_POLICY_RULES);
	done(&l);
	repeat(&b, "allow read\n", 1);
	bad(b.data, "t:16385:7: more than 16384 rules");
}

static void test_path_bounds(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct loaded l;

	(void)state;
	for (int i = 0; i < LIMIT_BINDS; i++)
		assert_int_equal(buf_printf(&b, "read /p%d\n", i), 0);
	l = good(b.data);
	done(&l);
	repeat(&b, "read /one-more\n", 1);
	bad(b.data, "more than 512 paths");
}

static void test_name_bound(void **state)
{
	char text[128] = "policy ";
	struct loaded l;

	(void)state;
	memset(text + 7, 'a', LIMIT_NAME - 1);
	l = load(text);
	assert_int_equal(l.r, 0);
	done(&l);
	text[7 + LIMIT_NAME - 1] = 'a';
	bad(text, "is no name of a policy");
}

static void test_depth_bound(void **state)
{
	char dir[] = "/tmp/cordon-policy-XXXXXX", path[64];
	struct loaded l = { .diags = { .text = BUF_INIT } };
	const char *const dirs[] = { dir };
	const struct policy_search search = { .dirs = dirs, .n_dirs = 1, .native = ABI_NATIVE };

	(void)state;
	assert_non_null(mkdtemp(dir));
	for (int i = 0; i < LIMIT_POLICY_DEPTH + 2; i++) {
		FILE *f;

		(void)snprintf(path, sizeof(path), "%s/d%d.policy", dir, i);
		f = fopen(path, "we");
		assert_non_null(f);
		if (i < LIMIT_POLICY_DEPTH + 1)
			(void)fprintf(f, "use d%d\n", i + 1);
		assert_int_equal(fclose(f), 0);
	}
	assert_int_equal(policy_load("d1", &search, &l.policy, &l.diags, &l.err), 0);
	policy_free(l.policy);
	l.policy = NULL;
	assert_int_equal(policy_load("d0", &search, &l.policy, &l.diags, &l.err), -EBADMSG);
	assert_non_null(strstr(l.diags.text.data, "more than 16 policies within each other"));
	done(&l);
	for (int i = 0; i < LIMIT_POLICY_DEPTH + 2; i++) {
		(void)snprintf(path, sizeof(path), "%s/d%d.policy", dir, i);
		assert_int_equal(remove(path), 0);
	}
	assert_int_equal(remove(dir), 0);
}

static void test_mistakes_are_safe_to_show(void **state)
{
	struct loaded l = load_len("allow \x1b[31mred\n", 15);

	(void)state;
	assert_int_equal(l.r, -EBADMSG);
	assert_null(strchr(l.diags.text.data, '\x1b'));
	done(&l);
}

static void test_default_errno(void **state)
{
	static const uint64_t args[6];
	struct policy_verdict v;
	struct loaded l = good("default errno ENOSYS\nallow read\n");

	(void)state;
	assert_int_equal(l.policy->default_errno, ENOSYS);
	assert_int_equal(l.policy->setting_where[POLICY_SETTING_DEFAULT].line, 1);
	assert_int_equal(l.policy->setting_where[POLICY_SETTING_NET].line, 0);
	policy_eval(l.policy, ABI_NATIVE, syscall_by_name("write")->nr[ABI_NATIVE], args, &v);
	assert_int_equal(v.action, POLICY_DENY);
	assert_int_equal(v.reason, POLICY_BY_DEFAULT);
	assert_int_equal(v.errno_value, ENOSYS);
	policy_eval(l.policy, ABI_NATIVE, syscall_by_name("read")->nr[ABI_NATIVE], args, &v);
	assert_int_equal(v.action, POLICY_ALLOW);
	done(&l);
	l = good("allow read\n");
	assert_int_equal(l.policy->default_errno, EPERM);
	done(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_default_errno),
		cmocka_unit_test(test_each_kind_of_mistake),
		cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_nothing_said),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_expects),
		cmocka_unit_test(test_use),
		cmocka_unit_test(test_the_user_decides_a_clash),
		cmocka_unit_test(test_remove),
		cmocka_unit_test(test_repetitions_are_one_rule),
		cmocka_unit_test(test_names_of_the_root),
		cmocka_unit_test(test_order_of_lines_has_no_meaning),
		cmocka_unit_test(test_digest),
		cmocka_unit_test(test_line_bound),
		cmocka_unit_test(test_file_bound),
		cmocka_unit_test(test_rule_bound),
		cmocka_unit_test(test_path_bounds),
		cmocka_unit_test(test_name_bound),
		cmocka_unit_test(test_depth_bound),
		cmocka_unit_test(test_mistakes_are_safe_to_show),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
