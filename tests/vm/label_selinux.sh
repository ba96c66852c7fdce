#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# lanes: selinux-6.1 selinux-6.12
# as: root
# Entering SELinux contexts, under a policy of our own (label_selinux.cil), permissive and enforcing.
# shellcheck source=tests/lib/harness.sh disable=SC2016,SC2034,SC2317 # expanded inside; called by run
. "$(dirname "$0")/../lib/harness.sh"
# shellcheck source=tests/lib/later.sh
. "$(dirname "$0")/../lib/later.sh"
HERE=$(cd "$(dirname "$0")" && pwd)

chmod 0755 "$CORDON_TEST_HOME" "$TMPDIR" "$WORK"
cd "$WORK" || exit 1
mkdir state
chown 59742:59742 "$WORK/state"
LOG=$WORK/state/cordon/audit.jsonl
SELINUX=/sys/fs/selinux
enforce() { printf '%s' "$1" >$SELINUX/enforce; }
become() { printf '%s' "$1" >/proc/self/attr/current; }

# Whatever policy the lane has is put back. In between this shell has a domain of ours.
before=$(tr -d "\0" </proc/self/attr/current)
enforcing=$(<$SELINUX/enforce)
enforce 0
cat $SELINUX/policy >"$WORK/before" 2>/dev/null
at_exit 'enforce 0; [ ! -s "$WORK/before" ] || cat "$WORK/before" >$SELINUX/load; become "$before"; enforce "$enforcing"'
check "the policy compiles" secilc -o "$WORK/policy" -f /dev/null "$HERE/label_selinux.cil"
check "and is loaded" sh -c 'cat "$0" >"$1/load"' "$WORK/policy" $SELINUX
become sys_u:sys_r:sys_t:s0-s0:c0.c7

USER=user_u:user_r
as() { # CONTEXT COMMAND...: an ordinary user with that context
	"$PROGRAMS/as" -l "$1" 59742 "$WORK/state" "${@:2}"
}
launch() { as "$USER":user_t:s0-s0:c0.c7 "$CORDON" run "$@"; }
label() { # OPTIONS...: of the payload; into a pipe, as its exec asks for nothing then
	piped launch "$@" -- cat /proc/self/attr/current
}
writes() { launch "$@" -- sh -c 'echo x >/tmp/file'; }

for mode in permissive enforcing; do
	[ $mode = permissive ] || enforce 1
	expect_match "^$USER:user_t:s0-s0:c0.c7$" "$mode: without a label the payload has the caller's" -- label
	expect_match "^$USER:box_t:s0:c[0-7],c[0-7]$" "$mode: a type, and a pair of the caller's categories" -- \
		label --label selinux=box_t
	opening "$mode: as the record says" ".in_force | any(.[]; . == \"SELinux context '$(<"$OUT")'\")"
	opening "$mode: whether it refuses anything" ".given_up |
		any(.[]; test(\"permissive, and it refuses nothing\")) == (\"$mode\" == \"permissive\")"
	for _ in 1 2 3 4 5 6 7 8; do
		label --label selinux=box_t
	done >"$WORK/pairs"
	check "$mode: sandboxes have different pairs" [ "$(sort -u "$WORK/pairs" | wc -l)" -ge 3 ]
	check "$mode: of two different categories, the smaller first" \
		awk -F '[:,c]+' '{ if ($NF <= $(NF - 1)) exit 1 }' "$WORK/pairs"
	expect_output "$USER:box_t:s0:c3,c4" "$mode: out of a range" -- label --label selinux=box_t:c3.c4
	expect_output "$USER:box_t:s0:c1,c7" "$mode: a pair that is said" -- label --label selinux=box_t:c7,c1
	expect_output "$USER:box_t:s0" "$mode: none" -- label --label selinux=box_t:s0
	expect_output "$USER:box_t:s0:c1,c7" "$mode: with a time namespace" -- label --new-time --label selinux=box_t:c7,c1
	expect_error 125 "'$USER:nobody_t:s0:c[0-7],c[0-7]' \(--label\): the policy of this host has no such context" \
		"$mode: a type that is not there" -- label --label selinux=nobody_t
	expect_error 125 "fewer than two categories" "$mode: a range that the caller has not" -- \
		label --label selinux=box_t:c100.c200
	expect_match "^$USER:user_t:" "$mode: auto does without" -- label --label selinux=auto
	opening "$mode: as the record says" ".given_up |
		any(.[]; test(\"^SELinux: '$USER:cordon-default.process:.*' cannot be entered: .* no such context\"))"
	expect_error 125 "AppArmor is not in force" "$mode: the other module is not here" -- label --label apparmor=x
done

# --- what SELinux alone refuses
expect_status 0 "without a label /tmp is written" -- writes
expect_status 2 "box_t may not" -- writes --label selinux=box_t
expect_status 0 "boxw_t may" -- writes --label selinux=boxw_t
check "the kernel says by whom" grep -q 'avc:.*denied.*{ write }.*path="/tmp/file".*scontext=user_u:user_r:box_t' <(dmesg)

# --- what a policy may lack
plain() { as "$USER":plain_t:s0-s0:c0.c7 "$CORDON" run "$@"; }
mute() { as "$USER":mute_t:s0-s0:c0.c7 "$CORDON" run "$@"; }
expect_status 0 "a domain without nnp_transition launches without a label" -- plain -- true
expect_error 125 "cannot run 'true' with the SELinux context 'user_u:user_r:box_t:" "and not with one" -- \
	plain --label selinux=box_t -- true
check "the rule is told" \
	grep -qF '(allow plain_t box_t (process2 (nnp_transition nosuid_transition)))' "$ERR"
expect_error 125 "the policy of this host does not let it" "one without setexec" -- mute --label selinux=box_t -- true
check "the rule is told" grep -qF '(allow mute_t self (process (setexec)))' "$ERR"
expect_status 0 "auto does without" -- mute --label selinux=auto -- true
lower() { as "$USER":user_t:s0 "$CORDON" run "$@"; }
expect_error 126 "cannot run 'true': Permission denied" "more categories than the caller's" -- \
	lower --label selinux=box_t:c1,c2 -- true
check "SELinux is named" grep -q "SELinux: no transition to 'user_u:user_r:box_t:s0:c1,c2'" "$ERR"
expect_status 0 "no more than his" -- lower --label selinux=box_t:s0 -- true
enforce 0
expect_status 0 "permissive, nothing of that is refused" -- plain --label selinux=box_t -- true

# --- by the policy
cat >"$WORK/asks.policy" <<'END'
policy asks
use default
kernel 6.18
label selinux box_t:c2,c6
END
chmod 0644 "$WORK/asks.policy"
enforce 1
expect_output "$USER:box_t:s0:c2,c6" "a policy asks" -- label --policy "$WORK/asks.policy"
expect_match "^$USER:user_t:" "the command line takes it back" -- \
	label --policy "$WORK/asks.policy" --label selinux=none
sed -i 's/box_t/nobody_t/' "$WORK/asks.policy"
expect_error 125 "nobody_t:s0:c2,c6' \(asks.policy:4\): the policy of this host has no such context" \
	"its line is named" -- label --policy "$WORK/asks.policy"
done_testing
