#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# lanes: apparmor-new apparmor-6.1 selinux-6.1 selinux-6.12
# as: root
# What each mechanism answers to hundreds of calls is what its judge promises, as in
# tests/integration/gaps.sh, with what only these kernels have: AppArmor alone, SELinux alone, Landlock
# alone as old and as new as they have it, and all of them at once.
# shellcheck source=tests/lib/harness.sh disable=SC2317 # called by run
LSM=${CORDON_TEST_LANE%%-*}
# In one write, as the kernel wants it.
load() { dd if="$1" of=/sys/fs/selinux/load bs=16M iflag=fullblock status=none; }
if [ "$LSM" = selinux ] && [ "${1-}" != labelled ]; then
	# Debian's reference policy speaks of file systems that are mounted after it is loaded; the guest's
	# own come back with the policy before it.
	before=$(mktemp)
	current=$(tr -d '\0' </proc/self/attr/current)
	enforcing=$(</sys/fs/selinux/enforce)
	echo 0 >/sys/fs/selinux/enforce
	cat /sys/fs/selinux/policy >"$before"
	status=0
	{ load "$(dirname "$0")/gaps.policy" && unshare --mount --pid --fork bash "$0" labelled; } || status=$?
	echo 0 >/sys/fs/selinux/enforce
	load "$before"
	rm -f "$before"
	printf '%s' "$current" >/proc/self/attr/current
	printf '%s' "$enforcing" >/sys/fs/selinux/enforce
	exit "$status"
fi

# labelled_root: a root as an installed system has it, its labels by file_contexts.
labelled_root() {
	local root=/run/gaps dir
	mount --make-rprivate /
	mkdir -p $root
	mount -t tmpfs gaps $root
	for dir in usr etc sys tmp run; do
		mkdir $root/$dir
		mount --rbind /$dir $root/$dir
	done
	cp -a /bin /sbin /lib /lib64 $root/
	mkdir $root/dev $root/proc $root/opt $root/old
	mount -t proc proc $root/proc
	mknod -m 0666 $root/dev/null c 1 3
	mknod -m 0666 $root/dev/zero c 1 5
	mknod -m 0666 $root/dev/full c 1 7
	mknod -m 0666 $root/dev/random c 1 8
	mknod -m 0666 $root/dev/urandom c 1 9
	mknod -m 0666 $root/dev/tty c 5 0
	(cd $root && pivot_root . old) && cd / && umount -l /old && rmdir /old
	chcon system_u:object_r:root_t:s0 /
	chcon system_u:object_r:usr_t:s0 /opt
	chcon system_u:object_r:device_t:s0 /dev
	chcon system_u:object_r:null_device_t:s0 /dev/null /dev/full
	chcon system_u:object_r:random_device_t:s0 /dev/random
	chcon system_u:object_r:urandom_device_t:s0 /dev/urandom
	chcon system_u:object_r:devtty_t:s0 /dev/tty
	chcon system_u:object_r:zero_device_t:s0 /dev/zero
	printf unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023 >/proc/self/attr/current
	echo 1 >/sys/fs/selinux/enforce
}
if [ "$LSM" = selinux ]; then
	labelled_root || exit 1
	export GAPS_ARENA=/opt/a
	OWN_SOCKET=("unconfined_u:unconfined_r:cordon-gaps-tree.process:s0:c1,c2" tmp)
	# A tmpfs of a launch: its directories are the launcher's, what is in them the program's.
	prepared() {
		[ -z "${LABELS-}" ] || chcon -R "system_u:object_r:$LABELS:s0" "$ARENA/tmp"
		[ "${LABELS-}" != user_tmpfs_t ] ||
			find "$ARENA/tmp" ! -type d -exec chcon -h system_u:object_r:cordon-gaps-tree.file:s0 {} +
	}
fi
. "$(dirname "$0")/../lib/harness.sh"
# shellcheck source=tests/lib/gaps.sh
. "$(dirname "$0")/../lib/gaps.sh"
diag "$SECONDS s: Linux $(uname -r), Landlock ABI $HERE, $N attempts, $NO_CALLS of no call of this kernel's"

# Each lane's Landlock; and how many attempts cannot be judged, for each of the policies: under Landlock, under
# the lane's module, under all at once.
declare -A known=(
	[apparmor-6.1]="2 0 1 0 0 1 0 0 1 0"
	[selinux-6.1]="2 0 3 1 0 3 1 0 3 0"
	[selinux-6.12]="6 0 2 1 0 2 1 0 2 0"
	[apparmor-new]="11 1 1 1 0 1 0 1 2 0"
)
read -r landlock unjudged <<<"${known[$CORDON_TEST_LANE]}"
# Where no lane's kernel has an ABI that matters, a newer one plays it, by a ruleset of that ABI; unjudged likewise.
declare -A played=([apparmor-new]="7 0 0 0")
read -r old old_unjudged <<<"${played[$CORDON_TEST_LANE]-}"
check "Landlock's ABI is $landlock" [ "$HERE" = "$landlock" ]
parser=/usr/sbin/apparmor_parser abi=30
[ -z "$CORDON_VM_PARSER" ] || parser=$CORDON_VM_PARSER abi=40

# lsm_alone LEAST: AppArmor's profile is for the home and working directory that alone judges for; SELinux'
# module is loaded with all others.
lsm_alone() {
	if [ "$LSM" = apparmor ]; then
		check "$title: the profile is loaded" "$parser" -K --replace "$WORK/e/alone.apparmor"
		entered="apparmor cordon-alone"
	else
		entered="selinux unconfined_u:unconfined_r:cordon-gaps-$title.process:s0:c1,c2"
	fi
	judge "$LSM" "$WORK/alone.policy" "$HERE:$abi" "$1" "" attempts_with "$entered"
}

# together LEAST: behind the two others
together() {
	judge "seccomp,landlock,$LSM,capabilities" "$WORK/alone.policy" "$HERE:$abi" "$1" "" attempts_with \
		"$entered capabilities $(capability_mask) landlock $WORK/ruleset seccomp $WORK/e/alone.bpf"
}

# launch OPTIONS... -- COMMAND...: in a base whose programs have the label that installed ones have
launch() {
	"$PROGRAMS/as" 59742 "$WORK/state" "$CORDON" run --policy "$WORK/gaps-default.policy" \
		--base /opt/base --upper none --rw /opt/data "$@"
}
# launched: the launcher itself enters the type that is made from its policy, and this alone refuses. Output goes to
# files: a pipe of a caller with all categories is not for a type with two.
launched() {
	local applet label context=unconfined_u:unconfined_r:cordon-gaps-default.process type=cordon-gaps-default.process
	local OUT=/opt/out ERR=/opt/err
	mkdir -p /opt/base/{bin,dev,proc,run,tmp,usr,var/tmp,opt/data} /opt/data
	cp "$(command -v busybox)" /opt/base/bin/
	for applet in sh cat; do ln -s busybox /opt/base/bin/$applet; done
	echo data | tee /opt/data/usr >/opt/data/own
	chcon system_u:object_r:root_t:s0 /opt/base
	chcon -R -h system_u:object_r:bin_t:s0 /opt/base/bin
	chcon system_u:object_r:user_tmpfs_t:s0 /opt/data
	chcon system_u:object_r:usr_t:s0 /opt/data/usr
	chcon system_u:object_r:cordon-gaps-default.file:s0 /opt/data/own
	chown -R 59742:59742 /opt/base /opt/data
	printf 'policy gaps-default\nuse default\nkernel 6.18\n' >"$WORK/gaps-default.policy"
	# Where the label of a user's memory files can be had: /tmp was mounted before this policy. It stays when they are
	# written again.
	: >$OUT 2>$ERR
	chcon system_u:object_r:user_tmpfs_t:s0 $OUT $ERR
	dmesg -C
	expect_status 0 "a launch: with auto" -- launch --label selinux=auto -- cat /proc/self/attr/current
	label=$(tr -d '\0' <"$OUT")
	check "a launch: in the type that is made, with a pair of categories" \
		grep -Eqx "$context:s0:c[0-9]+,c[0-9]+" <<<"$label"
	check "a launch: the opening record says so" [ "SELinux context '$label'" = "$(jq -r \
		'select(.type == "open").in_force[] | select(startswith("SELinux"))' "$WORK/state/cordon/audit.jsonl")" ]
	expect_error 1 "/opt/data/usr: Permission denied" "a launch: the type may not write usr_t" -- \
		launch --label selinux=auto -- sh -c 'echo x >/opt/data/usr'
	expect_status 0 "a launch: it may write its own files" -- \
		launch --label selinux=auto -- sh -c 'echo x >/opt/data/own'
	expect_status 0 "a launch: without a label usr_t, too" -- launch -- sh -c 'echo x >/opt/data/usr'

	expect_status 0 "two pairs: one sandbox makes a file" -- \
		launch --label selinux=$type:c1,c2 -- sh -c 'echo secret >/opt/data/one'
	check "two pairs: it has the sandbox's" [ "$(stat -c %C /opt/data/one)" = \
		unconfined_u:object_r:cordon-gaps-default.file:s0:c1,c2 ]
	expect_error 1 "/opt/data/one.*: Permission denied" "two pairs: another does not read it" -- \
		launch --label selinux=$type:c1,c3 -- cat /opt/data/one
	expect_output secret "two pairs: one with the same does" -- launch --label selinux=$type:c1,c2 -- cat /opt/data/one
	# Its domain is permissive here: what its rules lack it was let do, and the kernel told.
	dmesg >"$WORK/dmesg"
	check "a launch: the kernel told of what was refused" \
		grep -q "avc: .*denied.*{ write }.*scontext=$context:.*tcontext=[^ ]*:usr_t:" "$WORK/dmesg"
	run grep "avc: .*scontext=[^ ]*:unconfined_t:" "$WORK/dmesg"
	check "a launch: the launcher's own rules were enough" [ ! -s "$OUT" ]
}
[ "$LSM" = apparmor ] || launched

for policy in tree default strict; do
	begin $policy
	if [ -n "$old" ]; then
		build --emit landlock --landlock-abi "$old" --home "$HOME" --pwd "$PWD"
		read -r UNJUDGED old_unjudged <<<"$old_unjudged"
		landlock_alone "$old" 5
	fi
	build --emit seccomp,capabilities,landlock,apparmor --landlock-abi "$HERE" --apparmor-abi "$abi" \
		--home "$HOME" --pwd "$PWD"
	[ $policy = tree ] && LABELS=user_tmpfs_t || LABELS=usr_t
	read -r UNJUDGED unjudged <<<"$unjudged"
	landlock_alone "$HERE" 5
	read -r UNJUDGED unjudged <<<"$unjudged"
	lsm_alone 20
	read -r UNJUDGED unjudged <<<"$unjudged"
	together 20
	diag "$SECONDS s: $policy"
done
# Ports of UDP, which no development machine's Landlock has.
if [ "$landlock" -ge 10 ]; then
	begin ports
	build --emit landlock --landlock-abi "$HERE"
	UNJUDGED=0
	landlock_alone "$HERE" 20
	diag "$SECONDS s: ports"
fi
done_testing
