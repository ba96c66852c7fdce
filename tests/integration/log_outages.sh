#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib/harness.sh disable=SC2016,SC2154,SC2317 # expanded inside; of outage.sh; called by run
# A log file that cannot be written while a payload is refused calls: each answer is the policy's and is
# quick, the log says once for each outage how much it lacks, and the user is told at the end.
. "$(dirname "$0")/../lib/harness.sh"
. "$(dirname "$0")/../lib/outage.sh"
cd "$WORK" || exit 1
mkfifo orders

# --- a full disk: a tmpfs in a mount namespace of the test's own, which the supervisor sees through /proc
mkdir disk
unshare -Urm sh -c "mount -t tmpfs -o size=1m tmpfs disk && echo >ready && exec sleep 600" &
holder=$!
at_exit "kill $holder"
wait_for 10 test -e ready
disk=/proc/$holder/root$WORK/disk
# room N: so much of the disk is not taken by another file
room() {
	rm -f "$disk/ballast"
	head -c $(((1024 - $1) * 1024)) /dev/zero >"$disk/ballast"
}
room 128
begin --audit "file:$disk/log.jsonl"
deny 20
deny 300
deny 100
check "a full disk: it was full" test "$(stat -c %s "$disk/log.jsonl")" -gt 110000
room 1000
deny 30
room 1000
deny 10
end
enforced "a full disk"
exact "a full disk" "$disk/log.jsonl" 1
check "a full disk: the user is told" told "$disk/log.jsonl" "file:$disk/log.jsonl" ENOSPC
check "a full disk: the record says why" jq -e -s 'map(select(.type == "lost"))[0] | .why == "ENOSPC" and .records > 0 and .denials > 100' "$disk/log.jsonl"

# twice full, twice told
rm "$disk"/log.jsonl*
room 128
begin --audit "file:$disk/log.jsonl"
deny 300
room 256
deny 20
deny 400
room 1000
deny 20
end
enforced "a disk that is full twice"
exact "a disk that is full twice" "$disk/log.jsonl" 2

# to the end: what is there is whole, and the user's sentence has the rest
rm "$disk"/log.jsonl*
room 128
begin --audit "file:$disk/log.jsonl"
deny 500
end
enforced "a disk that stays full"
said=$(sed -n 's/^cordon: [0-9]* audit records (\([0-9]*\) denials) could not be written to .*(ENOSPC).*; the policy was enforced$/\1/p' said)
there=$(jq -s 'map(select(.type == "denial" or .type == "summary").count) | add' "$disk/log.jsonl")
check "a disk that stays full: what is there and what the user is told are what was made" test $((there + said)) -eq "$made"
expect_status 0 "a disk that stays full: what is there is whole" -- verify "$disk/log.jsonl"
expect_status 125 "a log that lies in another process's view" -- "$CORDON" audit verify "$disk/log.jsonl"
check "is read from within it" grep -q "^hint: .*nsenter --mount --target $holder " "$ERR"
expect_error 125 "ENOSPC|No space left" "a disk that is full at the beginning: nothing starts" -- bash -c \
	"head -c 1m /dev/zero >>'$disk/ballast'; exec '$CORDON' run --audit 'file:$disk/new.jsonl' -- true"

# --- a limit on the size of files, as a log that may not grow
begin --audit "file:$WORK/limit.jsonl"
deny 20
prlimit --pid "$supervisor" --fsize=$(($(stat -c %s limit.jsonl) + 1500)):unlimited
deny 100
deny 100
prlimit --pid "$supervisor" --fsize=unlimited:unlimited
deny 20
end
enforced "a limit on files"
exact "a limit on files" limit.jsonl 1
check "a limit on files: the user is told" told limit.jsonl "file:$WORK/limit.jsonl" EFBIG
prlimit --fsize=$(($(stat -c %s limit.jsonl) + 100)):unlimited --pid $$
expect_error 125 "opening record" "a limit on files that holds at the beginning: nothing starts" -- \
	"$CORDON" run --audit "file:$WORK/limit.jsonl" -- true
prlimit --fsize=unlimited:unlimited --pid $$

# --- a log that somebody else has locked
begin_locked() { # NAME: from the twentieth call on, until let_go
	begin --audit "file:$WORK/$1.jsonl"
	deny 20
	flock "$1.jsonl.head" sh -c 'for _ in $(seq 600); do [ ! -e "$0" ] || exit 0; sleep 0.1; done' "$1.go" &
	locker=$!
	wait_for 10 not flock --nonblock "$1.jsonl.head" true
	GO=$1.go
}
let_go() {
	: >"$GO"
	wait "$locker"
}
begin_locked locked
deny 20
deny 20
let_go
deny 20
end
enforced "a log that is locked"
exact "a log that is locked" locked.jsonl 0
check "a log that is locked: nothing is to be told" test ! -s said
# ... for longer than there is room for what waits
begin_locked locked_long
deny 300
deny 100
let_go
deny 20
end
enforced "a log that is locked for long"
exact "a log that is locked for long" locked_long.jsonl 1
check "a log that is locked for long: the user is told" told locked_long.jsonl "file:$WORK/locked_long.jsonl" ETIMEDOUT
# ... at the end it is waited for
begin_locked locked_end
(sleep 1 && : >"$GO") &
end
wait "$locker"
enforced "a log that is locked at the end"
exact "a log that is locked at the end" locked_end.jsonl 0

# --- a log that is taken away
begin --audit "file:$WORK/gone.jsonl"
deny 20
rm gone.jsonl
deny 20
end
enforced "a log file that is removed"
check "a log file that is removed: what follows is in a new one" test "$(jq -s 'map(select(.type == "denial")) | length' gone.jsonl)" = 20
check "a log file that is removed: which says what was cut off" jq -e -s '.[0] | .type == "repair" and .cut == 21' gone.jsonl
expect_status 1 "a log file that is removed: and verify finds it" -- "$CORDON" audit verify gone.jsonl
begin --audit "file:$WORK/both.jsonl"
deny 20
rm both.jsonl both.jsonl.head
deny 20
end
enforced "a log that is moved away"
check "a log that is moved away: a new one goes on" test "$(jq -s 'map(select(.type == "denial")) | length' both.jsonl)" = 20
mkdir place
begin --audit "file:$WORK/place/log.jsonl"
deny 20
mv place elsewhere
deny 20
end
enforced "a directory that is moved"
made=$((20 + 20))
exact "a directory that is moved: its log goes with it" elsewhere/log.jsonl 0
mkdir place
begin --audit "file:$WORK/place/log.jsonl"
deny 20
rm -r place
deny 20
end
enforced "a directory that is removed"
check "a directory that is removed: the user is told" grep -Eqx \
	"cordon: 21 audit records \(20 denials\) could not be written to file:$WORK/place/log.jsonl \(ENOENT\); the policy was enforced" said

# --- a directory that takes no new name when the log is to be rotated
if [ "$WHO" = user ]; then
	mkdir closed
	begin --audit "file:$WORK/closed/log.jsonl" --audit-rotate size=64K,keep=20
	deny 20
	chmod 0500 closed
	deny 300
	check "no rotation: the file grows on" test "$(stat -c %s closed/log.jsonl)" -gt 100000
	chmod 0700 closed
	deny 20
	end
	enforced "no rotation"
	check "no rotation: later there is one" test "$(find closed -name 'log.jsonl.0*' | wc -l)" -ge 1
	cat closed/log.jsonl.0* closed/log.jsonl >closed.all
	check "no rotation: nothing is lost" test "$(sum closed.all)" = "$made"
	expect_status 0 "no rotation: the log is whole" -- "$CORDON" audit verify closed/log.jsonl
fi

done_testing
