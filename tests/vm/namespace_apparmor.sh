#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# lanes: apparmor-6.1 apparmor-new
# as: root
# A policy namespace that root opens: an ordinary user loads into it and launches under what it loaded.
# Another user's profiles of the same name are then his: the namespace is everybody's (doc/apparmor.md).
# shellcheck source=tests/lib/harness.sh disable=SC2016,SC2317 # expanded inside; called by run
. "$(dirname "$0")/../lib/harness.sh"

chmod 0755 "$CORDON_TEST_HOME" "$TMPDIR" "$WORK"
cd "$WORK" || exit 1
LABEL=/proc/self/attr/apparmor/current
NAMESPACES=/sys/kernel/security/apparmor/policy/namespaces
options=()
if [ -n "$CORDON_VM_PARSER" ]; then
	# where the user can run it
	cp -R "$CORDON_VM_PARSER" "$(dirname "$CORDON_VM_PARSER")/parser" "$WORK/"
	options=(--parser "$WORK/apparmor_parser" --apparmor-abi 40)
fi
for user in 59742 59743; do
	mkdir "$user" && chown "$user:$user" "$user"
done
as() { # UID COMMAND...
	"$PROGRAMS/as" "$1" "$WORK/$1" "${@:2}"
}
launch() { piped as 59742 "$CORDON" run "$@"; }
load() { as "$1" "$CORDON" policy load --apparmor-namespace open "${options[@]}" "${@:2}"; }
cat >mine.policy <<'END'
policy mine
use default
kernel 6.18
write /data
END
sed 's/^write/read/' mine.policy >theirs.policy
mkdir given && chown 59742:59742 given
writes() { launch "$@" --rw "$WORK/given:/data" -- sh -c 'echo x >/data/file'; }

# Another script may have loaded it where all look.
! grep -q '^cordon-default ' <(cat /sys/kernel/security/apparmor/profiles) ||
	printf cordon-default >/sys/kernel/security/apparmor/.remove

expect_error 125 "policy namespace 'open': there is none" "a namespace that nobody opened" -- load 59742 default
check "the administrator's command is told" grep -qF "as root, once a boot: mkdir $NAMESPACES/open" "$ERR"
expect_error 125 "load needs" "it has to be named" -- as 59742 "$CORDON" policy load default
expect_error 125 "no name of a policy namespace" "by a name" -- \
	as 59742 "$CORDON" policy load --apparmor-namespace ../x default
expect_error 125 "it is not loaded" "a label in it is none" -- launch --label apparmor=:open:cordon-default -- true
expect_status 0 "root opens it" -- mkdir $NAMESPACES/open
expect_error 125 "it is not loaded" "nor is one that nobody loaded" -- launch --label apparmor=:open:cordon-default -- true
hinted=$(sed -n 's/^hint: as anybody: cordon //p' "$ERR")
check "whose command is told" [ "$hinted" = "policy load --apparmor-namespace open default" ]
# shellcheck disable=SC2086 # words
expect_output "loaded: cordon run --label apparmor=:open:cordon-default" "with it an ordinary user loads" -- \
	as 59742 "$CORDON" $hinted "${options[@]}"
expect_output "cordon-default (enforce)" "and launches under it" -- \
	launch --label apparmor=:open:cordon-default -- cat $LABEL
check "as the record says" grep -q "AppArmor profile ':open:cordon-default'" "$WORK/59742/cordon/audit.jsonl"
check "in the namespace alone" grep -qx ':open:cordon-default (enforce)' <(cat /sys/kernel/security/apparmor/profiles)
expect_error 125 "it is not loaded" "a profile that is no policy's" -- launch --label apparmor=:open:mine -- true
check "is root's to load" grep -qFx "hint: as root: apparmor_parser --namespace-string 'open' --replace FILE" "$ERR"
expect_output unconfined "auto does not look there" -- launch --label apparmor=auto -- cat $LABEL
expect_status 2 "it bites" -- writes --label apparmor=:open:cordon-default
expect_status 0 "a policy that has the line" -- load 59742 ./mine.policy
expect_status 0 "lets it be written" -- writes --label apparmor=:open:cordon-mine

# The threat: whoever may make a user namespace may replace it.
sed -i 's/^policy .*/policy mine/' theirs.policy
expect_status 0 "another user loads the same name" -- load 59743 ./theirs.policy
expect_status 2 "and decides what ours may do" -- writes --label apparmor=:open:cordon-mine
# Not a payload: it has no user namespace, and cannot enter the namespace's unconfined half.
for label in apparmor=none apparmor=:open:cordon-default; do
	run launch --label "$label" -- sh -c 'printf "stack :open:unconfined" >/proc/self/attr/apparmor/current; cat /sys/kernel/security/apparmor/.replace'
	check "a payload ($label) has no securityfs" [ "$STATUS" -ne 0 ]
done
rmdir $NAMESPACES/open
done_testing
