#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib/harness.sh disable=SC2016,SC2317 # expanded inside; called by run
# Who the payload is, what it holds, and what it inherits: nothing but what was passed.
. "$(dirname "$0")/../lib/harness.sh"
cd "$WORK" || exit 1
INSPECT=$PROGRAMS/inspect

look() { # WHAT OPTION...: the payload's own account, into ./seen
	local what=$1
	shift
	run inside "$@" -- "$INSPECT" "$what"
	cp "$OUT" seen
}
is() { # JQ: whether it holds for the one line that was seen
	[ "$(jq -s "length == 1 and (.[0] | $1)" seen)" = true ] || { diag "$(cat seen "$ERR")"; return 1; }
}

# --- ids
look ids
check "the ids are the caller's" is ".uid == $(id -u) and .euid == .uid and .suid == .uid and .gid == $(id -g) and .egid == .gid and .sgid == .gid"
look ids --uid 0
check "--uid 0: root by name" is '.uid == 0 and .euid == 0 and .suid == 0 and .gid == 0 and .egid == 0'
look ids --uid 1234
check "--uid 1234" is '.uid == 1234 and .gid == 1234'
expect_output "0 $(id -u) 1 deny" "--uid 0: one id is mapped, to the caller" -- "$CORDON" run --uid 0 -- \
	sh -c 'echo $(cat /proc/self/uid_map /proc/self/setgroups)'
expect_output "0 $(id -g) 1" "--uid 0: one group is mapped" -- "$CORDON" run --uid 0 -- sh -c 'echo $(cat /proc/self/gid_map)'
if [ "$WHO" = user ]; then
	look ids
	check "no supplementary group" is '.groups | length == 0 or . == ['"$(id -g)"']'
fi

# --- capabilities and locks, as root by name too
for uid in "$(id -u)" 0; do
	look status --uid "$uid"
	check "uid $uid: every capability set is empty" is \
		'[.CapInh, .CapPrm, .CapEff, .CapBnd, .CapAmb] | unique == ["0000000000000000"]'
	check "uid $uid: no_new_privs" is '.NoNewPrivs == "1" and .no_new_privs == 1'
	check "uid $uid: seccomp filters" is '.Seccomp == "2"'
	# NOROOT, NO_SETUID_FIXUP, NO_CAP_AMBIENT_RAISE and their locks, KEEP_CAPS_LOCKED: 0xef
	check "uid $uid: securebits are locked" is '.securebits == 239 and .keepcaps == 0'
	check "uid $uid: no signal is blocked or ignored" is \
		'.SigBlk == "0000000000000000" and .SigIgn == "0000000000000000" and .SigCgt == "0000000000000000"'
	check "uid $uid: dumpable for its own tools" is '.dumpable == 1'
	check "uid $uid: no parent-death signal of ours" is '.pdeathsig == 0'
done
# It takes its own filter right after the payload's execve, so it is given a moment.
run "$CORDON" run -- sh -c 'sleep 0.5; grep -E "^(Cap...|NoNewPrivs|Seccomp):" /proc/1/status'
check "pid 1 is no weaker" test "$(awk '/Cap/ { caps += ($2 != "0000000000000000") } /NoNewPrivs/ { nnp = $2 }
	/Seccomp/ { s = $2 } END { print caps, nnp, s }' "$OUT")" = "0 1 2"
expect_status 1 "a set-user-ID program gains nothing" -- "$CORDON" run -- \
	sh -c 'for p in $(find /usr/bin -perm -4000 -name su); do $p -c true root </dev/null && exit 0; done 2>/dev/null; exit 1'

# --- descriptors
leak() { # what a careless caller leaves open
	exec 27</etc/passwd 28</ 333</usr 29>"$WORK/leaked"
	"$@"
}
fds() {
	[ "$(jq -s -c '[.[].fd]' seen)" = "$1" ] || { diag "$(cat seen)"; return 1; }
}
run leak inside -- "$INSPECT" fd
cp "$OUT" seen
check "leaked descriptors do not cross" fds '[0,1,2]'
run leak inside --fd 27 -- "$INSPECT" fd
cp "$OUT" seen
check "--fd 27 passes that one" fds '[0,1,2,27]'
check "--fd 27 arrives open over exec" test "$(jq -s '.[3].cloexec' seen)" = 0
run leak inside --fd 29 --fd 27 --fd 27 -- "$INSPECT" fd
cp "$OUT" seen
check "--fd 27 and 29" fds '[0,1,2,27,29]'
expect_error 125 "directory" "--fd of a directory: it leads out" -- leak "$CORDON" run --fd 28 -- true
expect_match '^root' "--fd: it can be read" -- leak "$CORDON" run --fd 27 -- sh -c 'exec 3</dev/fd/27 && cat <&3'
expect_status 0 "--fd: it can be written" -- leak "$CORDON" run --fd 29 -- sh -c 'echo x >/proc/self/fd/29'
check "--fd: what was written is there" test "$(cat leaked)" = x
reading() {
	"$CORDON" run --fd 3 -- "$@" 3<leaked
}
expect_output "x" "--fd for reading" -- reading sh -c 'cat /proc/self/fd/3'
expect_status 2 "--fd for reading does not become writable" -- reading sh -c 'echo y >/proc/self/fd/3'
expect_error 125 "--fd .77.: no open descriptor" "--fd of a closed one" -- "$CORDON" run --fd 77 -- true
exec 27<&- 28<&- 333<&- 29<&-
expect_output "0 1 2 3" "pid 1's wire and the listener are not there" -- "$CORDON" run -- sh -c 'echo $(ls /proc/self/fd)'

# --- habits of the caller
rude() { # signals blocked and ignored, a strange umask, soft limits, priorities
	python3 -c '
import os, signal, sys
for s in (signal.SIGHUP, signal.SIGINT, signal.SIGPIPE, signal.SIGTERM, signal.SIGCHLD, signal.SIGUSR1, 40):
    signal.signal(s, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
os.umask(0o777)
os.execvp(sys.argv[1], sys.argv[1:])' "$@"
}
run rude "$CORDON" run --ro "$PROGRAMS" -- "$INSPECT" signals
cp "$OUT" seen
check "a caller's blocked and ignored signals do not cross" is '.blocked == [] and .ignored == []'
run rude "$CORDON" run --ro "$PROGRAMS" -- "$INSPECT" process
cp "$OUT" seen
check "nor does its umask" is ".umask == $((0022))"
for turn in first next; do
	expect_status 0 "a umask that takes every right: the $turn launch of a new home" -- env XDG_STATE_HOME="$WORK/new/state" \
		XDG_CACHE_HOME="$WORK/new/cache" bash -c 'umask 0777; exec "$@"' sh "$CORDON" run -- true
done
check "a session and a group of its own" is '.session == .pid and .pgrp == .pid and .ppid == 1'
check "no controlling terminal" is '.has_tty == 0'
expect_status 143 "a payload of a rude caller can be ended" -- rude "$CORDON" run -- sh -c 'kill -TERM $$; sleep 5'
run inside -- "$INSPECT" limit
check "no core dumps" test "$(jq -s -c '.[] | select(.name == "core") | [.soft, .hard]' "$OUT")" = '[0,0]'
check "the policy's limits hold" test "$(jq -s -c '[.[] | select(.name == "nofile" or .name == "nproc") | .hard]' "$OUT")" = '[4096,4096]'
run inside --limit nofile=77 -- "$INSPECT" limit
check "--limit outranks the policy" test "$(jq -s -c '.[] | select(.name == "nofile") | .hard' "$OUT")" = 77
low_files() {
	ulimit -n 50
	inside --limit nofile=200 -- "$INSPECT" limit
}
run low_files
check "the caller's own hard limit holds" test "$(jq -s -c '.[] | select(.name == "nofile") | .hard' "$OUT")" = 50
run bash -c "ulimit -c unlimited; '$CORDON' run -- sh -c 'ulimit -c'"
check "a caller's core limit is not taken over" test "$(cat "$OUT")" = 0

# --- environment
export SECRET_TOKEN=hunter2 LD_PRELOAD_X=1 LC_TEST=c TERM=dumb AWS_SECRET_ACCESS_KEY=x SSH_AUTH_SOCK=/tmp/x
expect_output "HOME LANG LC_ALL LC_TEST PATH PWD SHELL TERM USER" "the environment is the allow-list" -- \
	env USER=me SHELL=/bin/sh "$CORDON" run -- sh -c 'echo $(env | sed "s/=.*//" | grep -v -e ^_$ -e LOGNAME -e SHLVL -e OLDPWD | sort)'
expect_output "hunter2" "--env NAME: the allowed twin" -- "$CORDON" run --env SECRET_TOKEN -- printenv SECRET_TOKEN
expect_output "other" "--env NAME=VALUE" -- "$CORDON" run --env SECRET_TOKEN=other -- printenv SECRET_TOKEN
expect_output "" "--env NAME=: empty" -- "$CORDON" run --env SECRET_TOKEN= -- printenv SECRET_TOKEN
expect_status 1 "--env of what is not set" -- "$CORDON" run --env NOT_SET_HERE -- printenv NOT_SET_HERE
expect_output "/opt/bin" "--env outranks the built-in" -- "$CORDON" run --env PATH=/opt/bin -- /usr/bin/printenv PATH
expect_status 1 "LD_PRELOAD of the caller does not cross" -- env LD_PRELOAD=/nonexistent.so "$CORDON" run -- \
	/bin/sh -c 'test -n "$LD_PRELOAD"'
if sanitized; then
	skip "LD_PRELOAD of the caller: cordon itself does not load it" "a sanitizer's launcher is dynamic"
else
	check "LD_PRELOAD of the caller: cordon itself does not load it" bash -c "! grep -q preload '$ERR'"
fi
expect_output "/usr" "PWD is where it starts" -- "$CORDON" run --cwd /usr -- printenv PWD

# --- keyring, personality
expect_output "" "no key is shown" -- "$CORDON" run -- cat /proc/keys /proc/key-users
expect_match '^[0-9a-f]' "the host shows some: the allowed twin" -- cat /proc/keys /proc/key-users /proc/self/loginuid
look status
check "the personality is the plain one" is '.personality == 0'
run setarch -R "$CORDON" run --ro "$PROGRAMS" -- "$INSPECT" status
cp "$OUT" seen
check "a caller's personality (no address randomisation) does not cross" is '.personality == 0'

done_testing
