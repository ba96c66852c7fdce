#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# lanes: selinux-6.12 apparmor-6.1 apparmor-new
# as: root
# shellcheck source=tests/lib/harness.sh disable=SC2016,SC2317 # expanded inside; called by check
# A cgroup for limits by a real user manager of systemd's, and what is said where there is none. Root
# makes the places; every cordon runs as an ordinary user.
. "$(dirname "$0")/../lib/harness.sh"
cd "$WORK" || exit 1
readonly ID=34 # backup: dbus-daemon wants a user that has a name, and every Debian has this one
TOP=/sys/fs/cgroup/scope-test
MANAGER=$TOP/manager
SYSTEMD=/usr/lib/systemd/systemd
chmod 0755 "$CORDON_TEST_HOME" "$TMPDIR" "$WORK"
mkdir -m 0700 home && chown "$ID:$ID" home
HERE=$WORK/home

# Places: one that is the manager's, as user@.service is, with all but io; in it one like a terminal's;
# and a session that is root's, as login's are.
mkdir -p "$MANAGER/term.scope" "$TOP/session"
echo "+cpuset +cpu +io +memory +pids" >/sys/fs/cgroup/cgroup.subtree_control
rmdir "$MANAGER/term.scope"
echo "+cpuset +cpu +memory +pids" >"$TOP/cgroup.subtree_control"
own() {
	chown "$ID:$ID" "$1" "$1"/cgroup.{procs,threads,subtree_control}
}
own "$MANAGER"
in_place() { # PLACE COMMAND...
	"$PROGRAMS/as" -e -c "$1" "$ID" "$HERE" "${@:2}"
}
left() { # what is there of cordon's below the manager's node
	find "$TOP" -mindepth 1 -name 'cordon-*' | sort
}
none_left() {
	[ -z "$(left)" ]
}
terminal() {
	in_place "$MANAGER/term.scope" "$@"
}

# --- nobody to ask
expect_error 125 "enforce --limit memory: make cgroups in '$TOP/session', which is not delegated to you: Permission denied" \
	"no manager: refused" -- in_place "$TOP/session" "$CORDON" run --limit memory=64M -- true
check "no manager: and what to do" grep -q '^hint: let root chown a cgroup directory' "$ERR"
expect_status 0 "no manager: a limit of the policy is no reason to stop" -- \
	in_place "$TOP/session" "$CORDON" run -v --policy strict -- true
check "no manager: but is told" bash -c 'grep -q "without limit memory: bounds each process by itself" "$1" &&
	grep -q "without these limits by cgroup: cannot make cgroups in" "$1"' _ "$ERR"

# --- a manager
lacks() { # TITLE WHY: CI has installed what tools/install-deps vm brings
	if [ "${CI-}" = true ]; then not_ok "$1" "$2"; else skip "$1" "$2"; fi
}
[ -x "$SYSTEMD" ] || {
	lacks "a user manager" "systemd is not installed"
	rmdir "$MANAGER" "$TOP/session" "$TOP"
	done_testing
}
[ -d /run/systemd/system ] || {
	mkdir -p /run/systemd/system # sd_booted(3)
	at_exit 'rmdir /run/systemd/system /run/systemd'
}
"$PROGRAMS/as" -e -c "$MANAGER" "$ID" "$HERE" "$SYSTEMD" --user --log-target=null &
systemd=$!
at_exit 'kill -KILL "$systemd"'
check "the manager runs" wait_for 60 test -S "$HERE/systemd/private"
check "the manager has its place" wait_for 60 test -d "$MANAGER/init.scope"
mkdir "$MANAGER/term.scope" && own "$MANAGER/term.scope"
bus=$HERE/bus
[ ! -e /usr/lib/systemd/user/dbus.socket ] || check "the bus has its socket" wait_for 60 test -S "$bus"

works() { # TITLE
	expect_output "0::/" "$1: a limit by a scope" -- \
		terminal "$CORDON" run --limit memory=64M -- grep '^0::' /proc/self/cgroup
	expect_error 137 '^cordon: stopped by the memory limit 32M$' "$1: it bites" -- \
		terminal "$CORDON" run --ro "$PROGRAMS" --limit memory=32M -- "$PROGRAMS/consume" memory 90
	check "$1: nothing is left" wait_for 10 none_left
}
[ ! -S "$bus" ] || mv "$bus" "$bus.away"
works "by its own socket"
if [ -S "$bus.away" ]; then
	mv "$bus.away" "$bus"
	# The first to come starts the daemon, which takes its time here.
	wait_for 60 terminal busctl --user status org.freedesktop.systemd1 >/dev/null 2>&1
	works "by the bus"
else
	lacks "by the bus" "dbus-user-session is not installed"
fi
terminal "$CORDON" run --ro "$PROGRAMS" --limit memory=64M -- "$PROGRAMS/consume" hold >ready 2>held.err &
wait_for 30 grep -qs ready ready
scope=$(find "$MANAGER" -name 'cordon-*.scope')
leaf=$(find "$scope" -mindepth 1 -name 'cordon-*' ! -name cordon-supervisor)
check "the scope holds the leaf, the leaf the limit" grep -qx 67108864 "$leaf/memory.max"
check "the supervisor is beside it" test "$(wc -l <"$scope/cordon-supervisor/cgroup.procs")" -eq 1
supervisor=$(<"$scope/cordon-supervisor/cgroup.procs")
expect_output "nothing was left" "gc leaves a living scope alone" -- terminal "$CORDON" gc
kill -KILL "$supervisor"
check "kill -9: the manager removes the scope and what is in it" wait_for 20 none_left

expect_status 0 "a limit that processes hold by themselves asks nobody" -- \
	terminal "$CORDON" run -v --limit pids=64 -- true
check "and makes no cgroup" bash -c '! grep -q "by cgroup" "$1"' _ "$ERR"
expect_error 125 "enforce --limit io-weight: use the controllers io in '.*/cordon-[0-9a-f]*.scope': they are not enabled" \
	"a controller that the manager was not given" -- terminal "$CORDON" run --limit io-weight=50 -- true
check "and what to do" grep -q "^hint: .*Delegate=cpu cpuset io memory pids" "$ERR"
check "nothing is left of that" wait_for 10 none_left
expect_error 125 "enforce --limit memory: ask the user manager of systemd for the scope" \
	"out of root's session a manager alone moves nobody" -- \
	in_place "$TOP/session" "$CORDON" run --limit memory=64M -- true

# --- one that hangs
kill -STOP "$systemd"
before=$SECONDS
# At the same time: each waits five seconds.
terminal "$CORDON" run -v --policy strict -- true 2>strict.err &
strict=$!
expect_error 125 'enforce --limit memory: ask the user manager .*: Connection timed out' "a manager that hangs" -- \
	terminal "$CORDON" run --limit memory=64M -- true
check "costs seconds, not more" test $((SECONDS - before)) -le 15
check "and what to do, too" grep -q '^hint: the manager hangs' "$ERR"
check "the policy's limit goes without" wait "$strict"
check "and says why" grep -q 'without these limits by cgroup: cannot ask the user manager .*: Connection timed out' strict.err
before=$SECONDS
expect_status 0 "who limits nothing of the kind does not notice" -- terminal "$CORDON" run -- true
check "at all" test $((SECONDS - before)) -le 4
kill -CONT "$systemd"

# --- an empty scope that no manager removes
kill -KILL "$systemd"
wait "$systemd" 2>/dev/null
for node in "$MANAGER" "$MANAGER/cordon-0123456789abcdef.scope" "$MANAGER/cordon-0123456789abcdef.scope/cordon-supervisor" \
	"$MANAGER/cordon-0123456789abcdef.scope/cordon-0123456789abcdef" "$MANAGER/cordon-fedcba9876543210.scope"; do
	mkdir -p "$node" && own "$node"
done
sleep 1000 &
other=$!
echo "$other" >"$MANAGER/cordon-fedcba9876543210.scope/cgroup.procs"
expect_status 0 "gc without a manager" -- terminal "$CORDON" gc
check "removes the empty one whole" test ! -e "$MANAGER/cordon-0123456789abcdef.scope"
check "and says so" test "$(grep -c '^removed .*/cordon-0123456789abcdef.scope' "$OUT")" -eq 3
check "and not the one that somebody is in" test -d "$MANAGER/cordon-fedcba9876543210.scope"
kill "$other"
wait "$other" 2>/dev/null

# What the manager had started goes with its node.
echo 1 >"$TOP/cgroup.kill"
wait_for 20 grep -qx "populated 0" "$TOP/cgroup.events"
find "$TOP" -depth -type d -exec rmdir {} +
check "the places are gone" test ! -e "$TOP"
rm -rf "$HERE"
done_testing
