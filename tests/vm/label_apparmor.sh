#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# lanes: apparmor-6.1 apparmor-new
# as: root
# Entering AppArmor profiles: root loads them, an ordinary user launches.
# shellcheck source=tests/lib/harness.sh disable=SC2016,SC2317 # expanded inside; called by run
. "$(dirname "$0")/../lib/harness.sh"
# shellcheck source=tests/lib/later.sh
. "$(dirname "$0")/../lib/later.sh"

chmod 0755 "$CORDON_TEST_HOME" "$TMPDIR" "$WORK"
cd "$WORK" || exit 1
mkdir state etc given
chown 59742:59742 state given
LOG=$WORK/state/cordon/audit.jsonl
LABEL=/proc/self/attr/apparmor/current
parser=/usr/sbin/apparmor_parser
[ -z "$CORDON_VM_PARSER" ] || parser=$CORDON_VM_PARSER
exec_is() { grep -qx "$1" "$OUT"; }
as() { "$PROGRAMS/as" "${AS[@]}" 59742 "$WORK/state" "$@"; }
AS=() # its options
# Through a pipe: of a file of the host's the payload may not even ask what it is (doc/apparmor.md).
launch() { piped as "$CORDON" run "$@"; }
load() { "$parser" -K --replace "$@"; }
emit() { # POLICY NAME OPTIONS...
	"$CORDON" policy build "$1" --emit apparmor -o "$WORK/etc" "${@:3}" &&
		mv "etc/${2#cordon-}.apparmor" "etc/$2"
}
denied_by() { # PROFILE NAME: what the kernel wrote
	dmesg | grep 'apparmor="DENIED"' | grep -F "profile=\"$1\"" | grep -qF "name=\"$2\""
}

# --- nothing is loaded
expect_error 125 "AppArmor profile 'cordon-default' \(--label\): it is not loaded" "by name it has to be there" -- \
	launch --label apparmor=cordon-default -- true
check "the administrator's command is told" grep -qF "as root: apparmor_parser --replace default.apparmor" "$ERR"
expect_output unconfined "auto does without" -- launch --label apparmor=auto -- cat $LABEL
opening "and the record says so" \
	".given_up | any(.[]; startswith(\"AppArmor: 'cordon-default' cannot be entered: it is not loaded\"))"
cat >'my own.policy' <<'END'
policy mine
use default
kernel 6.18
END
mine() { launch --policy "./my own.policy" --label apparmor=cordon-mine -- cat "$LABEL"; }
expect_error 125 "'cordon-mine' \(--label\): it is not loaded" "nor is a policy's of one's own" -- mine
hinted=$(sed -n 's/^hint: as root: apparmor_parser --replace mine.apparmor, written by: //p' "$ERR")
expect_status 0 "the command that is told writes it" -- env "PATH=${CORDON%/*}:$PATH" bash -c "$hinted"
expect_status 0 "so that it can be loaded" -- load mine.apparmor
expect_output "cordon-mine (enforce)" "and entered" -- mine
expect_error 125 "SELinux is not in force" "the other module is not here" -- launch --label selinux=x_t -- true

# --- the shipped policies' profiles
for policy in base-libc process default build session strict; do
	expect_status 0 "$policy: its profile is made" -- emit "$policy" "cordon-$policy"
	expect_status 0 "$policy: and loaded" -- load "etc/cordon-$policy"
done
expect_output "cordon-default (enforce)" "auto enters it" -- launch --label apparmor=auto -- cat $LABEL
opening "and the record says so" ".in_force | any(.[]; . == \"AppArmor profile 'cordon-default'\")"
opening "and of nothing that was given up" '.given_up | all(.[]; test("AppArmor") | not)'
expect_output "cordon-strict (enforce)" "by name, another one" -- launch --label apparmor=cordon-strict -- cat $LABEL
expect_output unconfined "pid 1 has none" -- launch --label apparmor=auto -- cat /proc/1/attr/apparmor/current
expect_output "cordon-default (enforce)" "a time namespace" -- launch --new-time --label apparmor=auto -- cat $LABEL
expect_output "cordon-default (enforce)" "a child of the payload" -- \
	launch --label apparmor=auto -- sh -c "cat $LABEL; true"
# strict's own limits are 64, 64 and 4G, and no core
echo "+memory +pids" >/sys/fs/cgroup/user/cgroup.subtree_control
delegated() { # into AS: a place for each, as a launch lets no process be in it
	AS=(-c "$(mktemp -d /sys/fs/cgroup/user/place.XXXXXX)")
	chown 59742:59742 "${AS[1]}" "${AS[1]}"/cgroup.{procs,threads,subtree_control}
}
limits() { # OPTIONS: the payload's label, and its limits
	as "$CORDON" run --policy strict --limit nofile=256 --limit pids=100 "$@" -- \
		sh -c "read -r l <$LABEL; echo \"\$l\"; ulimit -n; ulimit -p; ulimit -d; ulimit -c" | {
		mapfile -t
		echo "${MAPFILE[*]}"
	}
}
expect_output "unconfined 256 100 4194304 0" "without a label the limits are those of the command line" -- limits
expect_output "cordon-strict (enforce) 256 100 4194304 0" "with one they are the same" -- limits --label apparmor=auto
delegated
expect_output "unconfined 256 $(ulimit -u) unlimited 0" "by cgroup without a label" -- limits --limit memory=5G
delegated
expect_output "cordon-strict (enforce) 256 $(ulimit -u) unlimited 0" "by cgroup with one" -- \
	limits --limit memory=5G --label apparmor=auto
AS=()
cat >gated.policy <<'END'
policy gated
use default
kernel 6.18
deny execve
END
expect_output "cordon-default (enforce)" "where the first execve alone may pass" -- \
	launch --policy "$WORK/gated.policy" --label apparmor=cordon-default -- cat $LABEL

# --- by the policy
cat >asks.policy <<'END'
policy asks
use default
kernel 6.18
label apparmor cordon-default
END
expect_output "cordon-default (enforce)" "a policy asks" -- launch --policy "$WORK/asks.policy" -- cat $LABEL
expect_output unconfined "the command line takes it back" -- \
	launch --policy "$WORK/asks.policy" --label apparmor=none -- cat $LABEL
sed -i 's/cordon-default/cordon-nobody/' asks.policy
expect_error 125 "'cordon-nobody' \(asks.policy:4\): it is not loaded" "its line is named" -- \
	launch --policy "$WORK/asks.policy" -- true

# --- it bites: mounts and Landlock let a place be written that an option gives, and AppArmor alone
# knows no rule for it
writes() { launch "$@" --rw "$WORK/given:/data" -- sh -c 'echo x >/data/file'; }
expect_status 0 "given by an option, without the profile" -- writes
expect_status 2 "with it, it is refused" -- writes --label apparmor=auto
check "as the path is in the sandbox" denied_by cordon-default /data/file
cat >shows.policy <<'END'
policy shows
use default
kernel 6.18
write /data
END
expect_status 0 "a policy that has the line" -- emit "$WORK/shows.policy" cordon-shows
expect_status 0 "gets a profile that has it" -- load etc/cordon-shows
expect_status 0 "and with that one it is written" -- writes --label apparmor=cordon-shows
# Under chroot the rule would have to speak of the outer path.
sed "s|/data|$WORK/given|g" etc/cordon-shows | sed 's/^profile cordon-shows /profile cordon-outer /' >etc/cordon-outer
expect_status 0 "a profile with the outer path" -- load etc/cordon-outer
expect_status 2 "says nothing of it" -- writes --label apparmor=cordon-outer

# --- out of it
escape='printf "changeprofile cordon-strict" >/proc/self/attr/apparmor/current; read -r l </proc/self/attr/apparmor/current; echo "$l"'
expect_output "cordon-strict (enforce)" "who has none may choose one" -- launch -- sh -c "$escape"
run launch --label apparmor=auto -- sh -c "$escape"
check "who has one may not" exec_is "cordon-default (enforce)"

# --- who is confined stacks
cat >etc/callers <<'END'
abi <abi/3.0>,
profile may-stack flags=(attach_disconnected,mediate_deleted) {
  file, capability, network, unix, signal, ptrace, mount, remount, umount, pivot_root, dbus,
  change_profile,
}
profile may-not flags=(attach_disconnected,mediate_deleted) {
  file, capability, network, unix, signal, ptrace, mount, remount, umount, pivot_root, dbus,
}
profile complains flags=(complain,attach_disconnected,mediate_deleted) { file, }
profile is-unconfined flags=(unconfined) { file, }
END
expect_status 0 "callers' profiles" -- load etc/callers
within() {
	local AS=(-l "exec $1")
	piped as "$CORDON" run "${@:2}"
}
expect_output "cordon-default//&may-stack (enforce)" "a confined launcher stacks" -- \
	within may-stack --label apparmor=auto -- cat $LABEL
expect_status 0 "and its payload signals its own children" -- \
	within may-stack --label apparmor=auto -- sh -c 'sleep 60 & kill $!'
opening "and the record says so" \
	".in_force | any(.[]; . == \"AppArmor profile 'cordon-default', stacked on 'may-stack (enforce)'\")"
expect_output "cordon-default//&may-stack (enforce)" "under no_new_privs, too" -- piped aa-exec -p may-stack -- \
	"$PROGRAMS/as" -n 59742 "$WORK/state" "$CORDON" run --label apparmor=auto -- cat $LABEL
expect_error 125 "the profile that cordon itself is in does not let it" "one without the right" -- \
	within may-not --label apparmor=cordon-default -- true
check "the rule is told" grep -qF change_profile "$ERR"
expect_output "may-not (enforce)" "auto does without" -- within may-not --label apparmor=auto -- cat $LABEL
expect_error 125 "'nowhere' \(--label\): it is not loaded" "a profile that is made up is none" -- \
	within complains --label apparmor=nowhere -- true
expect_output "cordon-default (enforce)" "a profile that confines nothing is left" -- \
	within is-unconfined --label apparmor=auto -- cat $LABEL

# --- a profile that refuses nothing is no secret
expect_output "complains (complain)" "complain mode" -- launch --label apparmor=complains -- cat $LABEL
opening "is recorded as what it is" ".given_up | any(.[]; startswith(\"AppArmor profile 'complains': it complains\"))"

if [ "$CORDON_TEST_LANE" = apparmor-6.1 ]; then
	done_testing
fi

# --- the launcher's own profile: parser and kernel that know userns
check "the parser is of the 4th series" grep -q '^AppArmor parser version 4' <("$parser" --version)
cat >nests.policy <<'END'
policy nests
use default
kernel 6.18
remove deny unshare
allow unshare
END
nest() { launch --policy "$WORK/nests.policy" "$@" -- unshare -U true; }
cat >live.policy <<'END'
policy live
use base-libc
kernel 6.18
expect deny ptrace
END
sed 's/^policy live/policy other/; s/^expect.*/deny getpid/' live.policy >other.policy
# where the user can run it
cp -R "$parser" "$(dirname "$parser")/parser" "$WORK/"
mkdir -p /sys/kernel/security/apparmor/policy/namespaces/label
verbs() { # HOW: those that launch, or make a user namespace, from another program of ours
	expect_match '^# [0-9]+ expectations, 0 failed, 0 not tried$' "$1: policy test --live" -- \
		as "$CORDON" policy test --live ./live.policy
	expect_status 1 "$1: policy diff --live" -- as "$CORDON" policy diff --live ./live.policy ./other.policy
	check "$1: both policies were in force" grep -q 'live: old let in; new denied with EPERM' "$OUT"
	expect_output "loaded: cordon run --label apparmor=:label:cordon-live" "$1: policy load" -- as \
		"$CORDON" policy load --apparmor-namespace label --parser "$WORK/apparmor_parser" --apparmor-abi 40 ./live.policy
	expect_status 0 "$1: learn" -- as "$CORDON" learn -q -o state/learnt.policy -- true
	rm state/learnt.*
	run as env LD_SHOW_AUXV=1 "$CORDON" policy --help
}
verbs "without it"
check "the caller's loader variables are heard" grep -q '^AT_SECURE: *0$' "$OUT"
expect_status 0 "without it, a policy lets the payload nest" -- nest
cat >keeps.policy <<'END'
policy keeps
use default
kernel 6.18
cap CAP_SYS_CHROOT
remove deny chroot
allow chroot
END
keep() { launch --policy "$WORK/keeps.policy" -- chroot / echo there; }
expect_output there "and use a capability that it keeps" -- keep
sed "s|^@{cordon} = .*|@{cordon} = $CORDON|" "$CORDON_TEST_ROOT/profiles/apparmor.d/cordon" >etc/cordon
expect_status 0 "the launcher's profile is loaded" -- load etc/cordon
expect_output "cordon//&cordon_payload (enforce)" "its payload is in both" -- launch -- cat $LABEL
expect_status 1 "and may not nest" -- nest
check "by the payload's profile" grep -q 'profile="cordon_payload".*userns_create' <(dmesg)
expect_error 125 "chroot: .*: Operation not permitted" "nor use that capability" -- keep
check "by the payload's profile, too" grep -q 'profile="cordon_payload".*capname="sys_chroot"' <(dmesg)
# What an administrator adds for all payloads at once.
mkdir local
echo 'capability sys_chroot,' >local/cordon_payload
expect_status 0 "the launcher's profile, with a line in local/cordon_payload" -- load -I "$WORK" etc/cordon
expect_output there "the capability may be used again" -- keep
expect_status 1 "and that alone" -- nest
echo 'userns,' >local/cordon_payload
expect_status 0 "with another line" -- load -I "$WORK" etc/cordon
expect_status 0 "the payload may nest" -- nest
expect_error 125 "chroot: .*: Operation not permitted" "and that alone" -- keep
rm -r local
expect_status 0 "the launcher's profile, as it is shipped" -- load etc/cordon
verbs "with it"
check "what keeps the profile hears none of the caller's loader variables" [ -z "$(grep ^AT_ "$OUT")" ]
keeps='printf "exec cordon" >/proc/self/attr/apparmor/exec && exec cat /proc/self/attr/apparmor/current'
expect_output "cordon (enforce)" "the launcher may keep its profile" -- as aa-exec -p cordon -- sh -c "$keeps"
expect_status 1 "a payload may not have it" -- launch -- sh -c "$keeps"
check "by its own profile" grep -q 'operation="change_onexec".*profile="cordon_payload" name="cordon"' <(dmesg)
expect_error 2 'cannot create .*exec: Permission denied' "one with a label may not open it" -- launch --label apparmor=auto -- sh -c "$keeps"
expect_output "cordon//&cordon-default//&cordon_payload (enforce)" "with a label it is in three" -- \
	launch --label apparmor=auto -- cat $LABEL
for policy in default strict; do
	expect_status 0 "$policy: a profile of ABI 4.0" -- emit "$policy" "cordon-$policy" --apparmor-abi 40
	expect_status 0 "$policy: is loaded" -- load "etc/cordon-$policy"
done
expect_output "cordon//&cordon-default//&cordon_payload (enforce)" "and entered" -- launch --label apparmor=auto -- cat $LABEL
expect_status 1 "and may not nest, either" -- nest --label apparmor=cordon-default
expect_status 0 "the launcher's profile goes" -- "$parser" --remove etc/cordon
into_file() { as "$CORDON" run --label apparmor=auto -- cat "$LABEL" >state/file && cat state/file; }
expect_output "cordon-default (enforce)" "output into a file of the host's" -- into_file
expect_status 1 "the policy's own refuses it, too" -- nest --label apparmor=cordon-default
check "by itself" grep -q 'profile="cordon-default".*userns_create' <(dmesg)
expect_status 0 "without a label the payload may nest again" -- nest

# Where the unconfined may not leave what they are, the profile is stacked on that.
echo 1 >/proc/sys/kernel/apparmor_restrict_unprivileged_unconfined
expect_match '^(cordon-default//&unconfined|unconfined//&cordon-default) \((enforce|mixed)\)$' "the unconfined are restricted" -- \
	launch --label apparmor=auto -- cat $LABEL
expect_status 2 "and the profile bites" -- writes --label apparmor=auto
echo 0 >/proc/sys/kernel/apparmor_restrict_unprivileged_unconfined
done_testing
