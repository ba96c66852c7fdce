#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# lanes: apparmor-new apparmor-6.1 selinux-6.1 selinux-6.12
# as: root
# shellcheck source=tests/lib/harness.sh disable=SC2016,SC2034,SC2317 # expanded inside; called by run
# Hosts that let an ordinary user do less, made by root: doctor says what is lacking and what to do, a
# launch that fails says the same, and both work again when it is undone.
. "$(dirname "$0")/../lib/harness.sh"
chmod 0755 "$CORDON_TEST_HOME" "$TMPDIR" "$WORK"
cd "$WORK" || exit 1
ID=59742
mkdir home
chown $ID:$ID home
# user COMMAND...: an ordinary user's; LABEL is given to it, PLACE is its cgroup.
LABEL='' PLACE=/sys/fs/cgroup/user/doctor
mkdir $PLACE
chown $ID:$ID $PLACE $PLACE/cgroup.{procs,threads,subtree_control}
at_exit "rmdir $PLACE"
user() {
	"$PROGRAMS/as" -e -c "$PLACE" ${LABEL:+-l "$LABEL"} $ID "$WORK/home" "$@"
}
# lacks WHAT DETAIL HINT TITLE: doctor's line and hint; where nothing can run, its status says so.
lacks() {
	run user "$CORDON" doctor
	check "$4: doctor" grep -qE "^no +$1 +.*$2" "$OUT"
	check "$4: its hint" awk -v line="^no +$1 " -v hint="hint: .*$3" '$0 ~ line { on = 1; next }
		/^(yes|no) / { on = 0 } on && $0 ~ hint { found = 1 } END { exit !found }' "$OUT"
	[ "$_failed" -eq 0 ] || _said
}
cannot_run() { # DETAIL HINT TITLE
	lacks "user namespaces" "$1" "$2" "$3"
	check "$3: doctor's status" test "$STATUS" -eq 1
	check "$3: doctor's last line" test "$(tail -n 1 "$OUT")" = "cordon cannot run here"
	check "$3: what follows from it has no hint of its own" test "$(grep -c 'hint: .*[a-z]' <(grep -A3 'pid namespace' "$OUT"))" -eq 0
	expect_error 125 "cannot make the namespaces of the sandbox( in its cgroup)?: $1" "$3: a launch" -- user "$CORDON" run -- true
	check "$3: its hint" grep -qE "^hint: .*$2" "$ERR"
}
can_run() { # TITLE
	expect_status 0 "$1: a launch" -- user "$CORDON" run -- true
	expect_match "^cordon can run here" "$1: doctor" -- user "$CORDON" doctor
}
can_run "as it is"

# --- Debian's switch: EPERM, and not for root
echo 0 >/proc/sys/kernel/unprivileged_userns_clone
cannot_run "Operation not permitted" "sysctl -w kernel.unprivileged_userns_clone=1" "unprivileged_userns_clone=0"
check "unprivileged_userns_clone=0: doctor shows the switch" grep -q 'kernel.unprivileged_userns_clone=0' <(user "$CORDON" doctor)
expect_status 0 "unprivileged_userns_clone=0: root launches" -- "$CORDON" run -- true
echo 1 >/proc/sys/kernel/unprivileged_userns_clone

# --- the kernel's own: ENOSPC
most=$(</proc/sys/user/max_user_namespaces)
echo 0 >/proc/sys/user/max_user_namespaces
cannot_run "No space left on device" "sysctl -w user.max_user_namespaces=15000" "max_user_namespaces=0"
expect_error 125 "No space left" "max_user_namespaces=0: nor does root" -- "$CORDON" run -- true
echo "$most" >/proc/sys/user/max_user_namespaces
most=$(</proc/sys/user/max_net_namespaces)
echo 0 >/proc/sys/user/max_net_namespaces
lacks "network namespace" "No space left on device" "raise user.max_net_namespaces" "max_net_namespaces=0"
expect_error 125 "No space left" "max_net_namespaces=0: a launch" -- user "$CORDON" run -- true
check "max_net_namespaces=0: its hint" grep -q '^hint: .*sysctl -w user.max_net_namespaces=15000' "$ERR"
echo "$most" >/proc/sys/user/max_net_namespaces
can_run "switches put back"

# --- a security module: EACCES
case $CORDON_TEST_LANE in
apparmor-*)
	# The rule exists for a parser of 4.0 and a kernel of 6.7 together.
	profile() { # RULE: the same profile with it and without
		printf '%s\n' "abi <abi/4.0>," "profile no-userns flags=(attach_disconnected,mediate_deleted) {" \
			"file, capability, network, unix, signal, ptrace, mount, remount, umount, pivot_root," \
			"change_profile, mqueue, io_uring," "$1" "}" | "$CORDON_VM_PARSER" -rK
	}
	LABEL="exec no-userns"
	if [ -n "${CORDON_VM_PARSER-}" ]; then
		check "the profile without the rule is loaded" profile ""
		expect_match "^no-userns \(enforce\)" "and entered" -- user cat /proc/self/attr/current
		cannot_run "Permission denied" "the AppArmor profile 'no-userns' .*'userns,'" "no rule userns"
		check "the profile with the rule is loaded" profile "userns,"
		can_run "a rule userns"
	fi
	;;
selinux-*)
	LABEL=user_u:user_r:nons_t:s0-s0:c0.c7
	cannot_run "Permission denied" "SELinux policy lets '$LABEL'.*user_namespace create" "enforcing, a domain without user_namespace"
	LABEL=user_u:user_r:user_t:s0-s0:c0.c7
	can_run "enforcing, a domain with user_namespace"
	LABEL=user_u:user_r:nons_t:s0-s0:c0.c7
	echo 0 >/sys/fs/selinux/enforce
	can_run "permissive, a domain without user_namespace"
	check "permissive: the kernel says what it would refuse" wait_for 5 \
		sh -c 'dmesg | grep -a "avc: *denied *{ create }.*tclass=user_namespace" | grep -qa permissive=1'
	echo 1 >/sys/fs/selinux/enforce
	;;
esac
LABEL=''

# --- a cgroup that is root's
PLACE=/sys/fs/cgroup/closed
mkdir $PLACE
at_exit "rmdir $PLACE"
lacks "delegated cgroup v2" "cannot make cgroups in '/sys/fs/cgroup/closed', which is not delegated to you" \
	"let root chown a cgroup directory" "no delegation"
check "no delegation: cordon can run here" grep -qE "^cordon can run here, with [12] things? given up" "$OUT"
expect_status 0 "no delegation: a launch" -- user "$CORDON" run -- true
mkdir /sys/fs/cgroup/init.scope
lacks "delegated cgroup v2" "not delegated to you" "systemd-run --user --scope -p Delegate=yes" "no delegation by systemd"
rmdir /sys/fs/cgroup/init.scope
done_testing
