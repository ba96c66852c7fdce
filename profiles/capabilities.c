// SPDX-License-Identifier: Apache-2.0
/* The capability sets: what a policy keeps, and who asks for one. */
#include "profiles/capabilities.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/text.h"
#include "policies/consts.h"
#include "profiles/report.h"

/* In the order of the numbers; selinux/classmap.h has the same names. */
static const char *const names[] = {
	"chown",
	"dac_override",
	"dac_read_search",
	"fowner",
	"fsetid",
	"kill",
	"setgid",
	"setuid",
	"setpcap",
	"linux_immutable",
	"net_bind_service",
	"net_broadcast",
	"net_admin",
	"net_raw",
	"ipc_lock",
	"ipc_owner",
	"sys_module",
	"sys_rawio",
	"sys_chroot",
	"sys_ptrace",
	"sys_pacct",
	"sys_admin",
	"sys_boot",
	"sys_nice",
	"sys_resource",
	"sys_time",
	"sys_tty_config",
	"mknod",
	"lease",
	"audit_write",
	"audit_control",
	"setfcap",
	"mac_override",
	"mac_admin",
	"syslog",
	"wake_alarm",
	"block_suspend",
	"audit_read",
	"perfmon",
	"bpf",
	"checkpoint_restore",
};
_Static_assert(ARRAY_SIZE(names) == CAP_CHECKPOINT_RESTORE + 1, "one name a capability");

const char *capabilities_name(unsigned capability)
{
	return capability < ARRAY_SIZE(names) ? names[capability] : NULL;
}

/* "CAP_SYS_ADMIN"; NULL past the last. */
static const char *name_of(unsigned capability)
{
	const char *name;

	for (size_t i = 0; (name = consts_name(i)); i++) {
		uint64_t value;
		bool negative;

		if (text_starts_with(name, "CAP_") && consts_find(name, &value, &negative) == 0 &&
		    value == capability)
			return name;
	}
	return NULL;
}

static int judge_line(const struct policy *policy, const struct profile_target *target,
		      const struct report_line *line, enum coverage *ret, struct buf *note)
{
	(void)target;
	if (line->kind != REPORT_CAP) {
		*ret = COVERAGE_NOT_ITS_OWN;
		return 0;
	}
	*ret = COVERAGE_ENFORCED;
	return policy->caps ? buf_puts(note, "over the sandbox's own user namespace, never the "
					     "host's")
			    : 0;
}

static int report(const struct policy *policy, const struct profile_target *target,
		  struct report *to, struct err *err)
{
	return report_each(policy, MECHANISM_CAPABILITIES, target, judge_line, to, err);
}

int capabilities_errno(const char *call)
{
	/* Where it is something else than EPERM. */
	static const struct {
		const char *call;
		int error;
	} others[] = {
		{ "bind", EACCES },	       /* net/ipv4/af_inet.c */
		{ "setpriority", EACCES },     /* kernel/sys.c, set_one_prio */
		{ "perf_event_open", EACCES }, /* include/linux/perf_event.h */
	};

	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		if (strcmp(call, others[i].call) == 0)
			return others[i].error;
	}
	return EPERM;
}

static int judge(const struct policy *policy, const struct profile_target *target,
		 const struct attempt *attempt, struct judgement *ret, struct err *err)
{
	(void)target;
	(void)err;
	*ret = (struct judgement){ .answer = JUDGE_SILENT };
	for (uint8_t i = 0; i < attempt->n_effects; i++) {
		const struct effect *e = &attempt->effects[i];

		if (e->kind != EFFECT_CAPABILITY)
			continue;
		ret->where = policy->setting_where[POLICY_SETTING_CAP];
		if (!(policy->caps & 1ULL << e->capability)) {
			ret->answer = JUDGE_DENIES;
			ret->errno_value = (uint16_t)capabilities_errno(attempt->call->name);
			ret->note = "the capability is not kept";
			return 0;
		}
		ret->answer = JUDGE_ALLOWS;
	}
	return 0;
}

/* For libcap-ng's users and OCI's: each of the five sets is the same. */
static int emit(const struct policy *policy, const struct profile_target *target, struct buf *ret,
		struct err *err)
{
	static const char *const sets[] = { "bounding", "effective", "permitted", "inheritable",
					    "ambient" };
	char block[16384];
	struct json j;
	size_t n;

	(void)target;
	json_init(&j, block, sizeof(block));
	json_object(&j, NULL);
	json_string(&j, "policy", policy->name);
	json_hex(&j, "mask", policy->caps);
	json_bool(&j, "noNewPrivileges", true);
	json_object(&j, "capabilities");
	for (size_t s = 0; s < ARRAY_SIZE(sets); s++) {
		json_array(&j, sets[s]);
		for (unsigned i = 0; i < 64; i++) {
			if (policy->caps & 1ULL << i)
				json_string(&j, NULL, name_of(i));
		}
		json_array_end(&j);
	}
	json_object_end(&j);
	json_object_end(&j);
	n = json_finish(&j);
	if (n == 0 || buf_put(ret, block, n) < 0 || buf_puts(ret, "\n") < 0)
		return err_set(err, -ENOMEM, "write the capabilities of '%s'", policy->name);
	return 0;
}

const struct mechanism_ops capabilities_mechanism = {
	.report = report,
	.judge = judge,
	.emit = emit,
};
