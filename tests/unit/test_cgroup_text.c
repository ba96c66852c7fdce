// SPDX-License-Identifier: Apache-2.0
/* What the kernel's cgroup files say, and what is written into them: samples. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "sandbox/cgroup.h"

static void test_parse_self(void **state)
{
	char path[32];

	(void)state;
	assert_int_equal(cgroup_parse_self("0::/user.slice/a\n", path, sizeof(path)), 0);
	assert_string_equal(path, "/user.slice/a");
	/* hybrid: v1 lines in front, a v1 line that holds "0::" inside */
	assert_int_equal(
		cgroup_parse_self("9:name=systemd:/0::/x\n1:cpu:/\n0::/\n", path, sizeof(path)), 0);
	assert_string_equal(path, "/");
	assert_int_equal(cgroup_parse_self("10::/no\n0::/yes", path, sizeof(path)), 0);
	assert_string_equal(path, "/yes");
	assert_int_equal(cgroup_parse_self("", path, sizeof(path)), -ENOENT);
	assert_int_equal(cgroup_parse_self("1:cpu:/\n", path, sizeof(path)), -ENOENT);
	assert_int_equal(cgroup_parse_self("0::x\n", path, sizeof(path)), -EINVAL);
	assert_int_equal(cgroup_parse_self("0::/../../a\n", path, sizeof(path)), -EXDEV);
	assert_int_equal(cgroup_parse_self("0::/..\n", path, sizeof(path)), -EXDEV);
	assert_int_equal(cgroup_parse_self("0::/..a\n", path, sizeof(path)), 0);
	assert_int_equal(
		cgroup_parse_self("0::/234567890123456789012345678901\n", path, sizeof(path)), 0);
	assert_int_equal(
		cgroup_parse_self("0::/2345678901234567890123456789012\n", path, sizeof(path)),
		-ENAMETOOLONG);
}

static void test_parse_mountinfo(void **state)
{
	static const char hybrid[] =
		"27 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n"
		"40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n"
		"41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";
	struct cgroup_mount m;
	const char *below;
	_cleanup_buf_ struct buf longer = BUF_INIT;
	int i;

	(void)state;
	assert_int_equal(cgroup_parse_mountinfo(hybrid, &m), 0);
	assert_string_equal(m.point, "/sys/fs/cgroup/unified");
	assert_string_equal(m.root, "/");
	/* optional fields, escapes, a root that is not "/" */
	assert_int_equal(cgroup_parse_mountinfo("30 23 0:26 /pod\\0401 /sys/fs/c\\134g rw "
						"shared:4 master:1 - cgroup2 cgroup rw\n",
						&m),
			 0);
	assert_string_equal(m.root, "/pod 1");
	assert_string_equal(m.point, "/sys/fs/c\\g");
	assert_int_equal(cgroup_relative(&m, "/pod 1/x", &below), 0);
	assert_string_equal(below, "x");
	assert_int_equal(cgroup_relative(&m, "/pod 1", &below), 0);
	assert_string_equal(below, "");
	assert_int_equal(cgroup_relative(&m, "/pod 12", &below), -EXDEV);
	assert_int_equal(cgroup_relative(&m, "/", &below), -EXDEV);
	/* a mount point that only looks like one */
	assert_int_equal(cgroup_parse_mountinfo("1 2 0:1 / /cgroup2 rw - tmpfs cgroup2 rw\n", &m),
			 -ENOENT);
	assert_int_equal(cgroup_parse_mountinfo("", &m), -ENOENT);
	assert_int_equal(cgroup_parse_mountinfo("1 2 - cgroup2 x\n", &m), -EINVAL);
	assert_int_equal(cgroup_parse_mountinfo(" - cgroup2 ", &m), -EINVAL);
	/* too long is refused, not cut */
	assert_int_equal(buf_puts(&longer, "1 2 0:1 / /"), 0);
	for (i = 0; i < LIMIT_PATH; i++)
		assert_int_equal(buf_puts(&longer, "a"), 0);
	assert_int_equal(buf_puts(&longer, " rw - cgroup2 x rw\n"), 0);
	assert_int_equal(cgroup_parse_mountinfo(longer.data, &m), -EINVAL);
}

static void test_parse_lists(void **state)
{
	char names[48];
	uint64_t value = 7;

	(void)state;
	assert_int_equal(cgroup_parse_controllers("cpuset cpu io memory hugetlb pids rdma misc\n"),
			 CGROUP_ALL);
	assert_int_equal(cgroup_parse_controllers("cpusets cpuacct pid memoryx\n"), 0);
	assert_int_equal(cgroup_parse_controllers(""), 0);
	assert_int_equal(cgroup_parse_controllers("memory"), CGROUP_MEMORY);
	assert_string_equal(cgroup_names(CGROUP_ALL, names), "pids, memory, cpu, io, cpuset");
	assert_string_equal(cgroup_names(CGROUP_MEMORY, names), "memory");
	assert_string_equal(cgroup_names(0, names), "none");

	assert_int_equal(cgroup_parse_key("low 0\noom 3\noom_kill 12\n", "oom_kill", &value), 0);
	assert_int_equal(value, 12);
	assert_int_equal(cgroup_parse_key("low 0\noom_kill 12", "oom", &value), -ENOENT);
	assert_int_equal(cgroup_parse_key("max x\n", "max", &value), -EINVAL);
	assert_int_equal(cgroup_parse_key("max 1 2\n", "max", &value), -EINVAL);
	assert_int_equal(cgroup_parse_key("max 999999999999999999999999999\n", "max", &value),
			 -EINVAL);
	assert_int_equal(cgroup_parse_key("", "max", &value), -ENOENT);
	assert_int_equal(value, 12);
}

/* What each file gets, one a line; a '?' in front: a kernel may lack it. */
static const char *settings_of(const struct cgroup_limits *limits, unsigned have, char ret[512])
{
	struct cgroup_setting s[CGROUP_SETTINGS];
	size_t count = cgroup_settings(limits, have, s), n = 0;

	assert_in_range(count, 0, CGROUP_SETTINGS);
	ret[0] = '\0';
	for (size_t i = 0; i < count; i++)
		n += (size_t)snprintf(ret + n, 512 - n, "%s%s=%s\n", s[i].optional ? "?" : "",
				      s[i].file, s[i].value);
	return ret;
}

static void test_settings(void **state)
{
	struct cgroup_limits limits = {
		.set = CGROUP_LIMIT(PIDS) | CGROUP_LIMIT(MEMORY) | CGROUP_LIMIT(CPU),
		.value = { [POLICY_LIMIT_PIDS] = 512,
			   [POLICY_LIMIT_MEMORY] = 4ULL << 30,
			   [POLICY_LIMIT_CPU] = 1500,
			   [POLICY_LIMIT_MEMORY_HIGH] = 3ULL << 30,
			   [POLICY_LIMIT_CPU_WEIGHT] = 50,
			   [POLICY_LIMIT_IO_WEIGHT] = 200 },
	};
	char text[512];

	(void)state;
	assert_string_equal(settings_of(&limits, CGROUP_ALL, text),
			    "pids.max=512\nmemory.max=4294967296\nmemory.oom.group=1\n"
			    "?memory.swap.max=0\ncpu.max=150000 100000\n");
	/* only what the place can give, only what was asked */
	assert_string_equal(settings_of(&limits, CGROUP_PIDS, text), "pids.max=512\n");
	assert_string_equal(settings_of(&limits, 0, text), "");
	limits.set = CGROUP_LIMITS;
	assert_string_equal(settings_of(&limits, CGROUP_ALL, text),
			    "pids.max=512\nmemory.high=3221225472\nmemory.max=4294967296\n"
			    "memory.oom.group=1\nmemory.swap.max=0\ncpu.max=150000 100000\n"
			    "cpu.weight=50\nio.weight=200\n");
	/* swap that was named is no default: it must be had; and it needs no limit of memory */
	limits.set = CGROUP_LIMIT(SWAP);
	limits.value[POLICY_LIMIT_SWAP] = 4096;
	assert_string_equal(settings_of(&limits, CGROUP_ALL, text), "memory.swap.max=4096\n");
	limits.set = 0;
	assert_string_equal(settings_of(&limits, CGROUP_ALL, text), "");
}

static void test_bounds(void **state)
{
	static const struct {
		uint64_t milli;
		const char *want;
	} cpu[] = {
		{ 1, "cpu.max=1000 1000000\n" },
		{ 9, "cpu.max=9000 1000000\n" },
		{ 10, "cpu.max=1000 100000\n" },
		{ 500, "cpu.max=50000 100000\n" },
		{ 64000, "cpu.max=6400000 100000\n" },
		{ UINT64_MAX, "cpu.max=1000000000 100000\n" },
	};
	struct cgroup_limits limits = { .set = CGROUP_LIMIT(CPU) };
	char text[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cpu); i++) {
		limits.value[POLICY_LIMIT_CPU] = cpu[i].milli;
		assert_string_equal(settings_of(&limits, CGROUP_ALL, text), cpu[i].want);
	}
	limits.set = CGROUP_LIMIT(PIDS);
	limits.value[POLICY_LIMIT_PIDS] = UINT64_MAX;
	assert_string_equal(settings_of(&limits, CGROUP_ALL, text), "pids.max=4194304\n");
}

static void test_controllers(void **state)
{
	(void)state;
	assert_int_equal(cgroup_controllers(0), 0);
	assert_int_equal(cgroup_controllers(CGROUP_LIMITS), CGROUP_ALL);
	assert_int_equal(cgroup_controllers(CGROUP_LIMIT(SWAP)), CGROUP_MEMORY);
	assert_int_equal(cgroup_controllers(CGROUP_LIMIT(CPUSET) | CGROUP_LIMIT(CPU_WEIGHT)),
			 CGROUP_CPUSET | CGROUP_CPU);
	/* limits of other mechanisms need none */
	assert_int_equal(cgroup_controllers(CGROUP_LIMIT(WALL) | CGROUP_LIMIT(NOFILE)), 0);
}

static void test_parse_sum(void **state)
{
	static const char io[] = "8:16 rbytes=1459200 wbytes=314773504 rios=192 wios=353\n"
				 "8:0 rbytes=90 wbytes=1 rios=1 wios=2 dbytes=0 dios=0\n";
	uint64_t value = 7;

	(void)state;
	assert_int_equal(cgroup_parse_sum(io, "rbytes", &value), 0);
	assert_int_equal(value, 1459290);
	assert_int_equal(cgroup_parse_sum(io, "wios", &value), 0);
	assert_int_equal(value, 355);
	assert_int_equal(cgroup_parse_sum(io, "bytes", &value), -ENOENT);
	assert_int_equal(cgroup_parse_sum("", "rbytes", &value), -ENOENT);
	assert_int_equal(cgroup_parse_sum("8:0 rbytes=x rbytes= rbytes\n", "rbytes", &value),
			 -ENOENT);
	assert_int_equal(
		cgroup_parse_sum("a rbytes=18446744073709551615 rbytes=1", "rbytes", &value), 0);
	assert_true(value == UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_self),  cmocka_unit_test(test_parse_mountinfo),
		cmocka_unit_test(test_parse_lists), cmocka_unit_test(test_settings),
		cmocka_unit_test(test_bounds),	    cmocka_unit_test(test_controllers),
		cmocka_unit_test(test_parse_sum),
	};

	return cmocka_run_group_tests_name("cgroup_text", tests, NULL, NULL);
}
