# shellcheck shell=bash disable=SC2016,SC2154,SC2317 # expanded inside; the variables are tests/escape/run's
# SPDX-License-Identifier: Apache-2.0
# What is done to the launcher and the supervisor: hostile arguments, descriptors, limits and names; a
# log that is flooded, forged, linked; a supervisor that is stopped, killed or traced from outside.
cd "$WORK" || exit 1
mkdir -p log2
LOG2=$WORK/log2/audit.jsonl
plain() { # OPTION... -- COMMAND...: a sandbox with its log in LOG2
	"$CORDON" run --cwd / --audit "file:$LOG2" "$@"
}

# --- F3: a working directory that is a descriptor, or leads to one
bad=
for n in {3..20} 27 28 333; do
	run "$OUTSIDE" --leak out "$CORDON" run --audit "file:$LOG2" --cwd "/proc/self/fd/$n" -- true
	[ "$STATUS" -eq 125 ] && grep -q '^cordon: cannot enter the working directory' "$ERR" || bad+=" $n:$STATUS"
done
check "F3 --cwd /proc/self/fd/N is refused, N = 3 to 20, 27, 28, 333" test -z "$bad"
[ -z "$bad" ] || diag "$bad"
cp -a base leaky
ln -s /proc/self/fd/28 leaky/leaked
expect_error 125 "working directory" "F3 --cwd through a symlink of the base" -- \
	"$OUTSIDE" --leak out "$CORDON" run --audit "file:$LOG2" --base leaky --ro "$PROGRAMS" --cwd /leaked -- "$PROGRAMS/true"
expect_status 0 "twin F3 such a directory can be entered outside" -- \
	"$OUTSIDE" --leak out sh -c 'cd /proc/self/fd/28 && cd -P . && test "$(pwd -P)" = /'
mkdir gone
gone() {
	cd gone && rmdir ../gone && "$CORDON" run --audit "file:$LOG2" -- true
}
expect_error 125 "find the working directory" "F3 a caller in a directory that was removed" -- bash -c \
	"$(declare -f gone); CORDON='$CORDON' LOG2='$LOG2' gone"

# --- F6: 0, 1 and 2 closed, in every combination
bad=
for closed in "<&-" ">&-" "2>&-" "<&- >&-" "<&- 2>&-" ">&- 2>&-" "<&- >&- 2>&-"; do
	rm -f rw/seen
	bash -c "'$CORDON' run --cwd / --audit 'file:$LOG2' --rw '$WORK/rw' -- sh -c 'readlink /proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 >$WORK/rw/seen; echo noise; echo noise >&2' $closed" \
		>"$OUT" 2>"$ERR"
	[ "$(grep -vc -e ^/dev/null -e ^pipe: -e "^$WORK" rw/seen)" -eq 0 ] && ! grep -qx noise "$LOG2" || bad+=" '$closed'"
done
check "F6 standard descriptors closed: nothing lands on the wrong one" test -z "$bad"
[ -z "$bad" ] || diag "$bad"
check "F6 the log is whole" "$CORDON" audit verify "$LOG2"

# --- T4: names and arguments with control bytes in the launcher's own output
esc=$'x\e]0;title\a\e[2J\r\nforged: line\x9b31m'
tries=(
	"-- $esc" "--ro $esc -- true" "--policy $esc -- true" "--hostname $esc -- true" "--net $esc -- true" "--limit $esc -- true"
	"--cwd /$esc -- true" "--env $esc -- true" "--audit file:/$esc/x -- true" "--base $esc -- true" "--upper $esc --base base -- true"
	"--$esc" "-v --argv0 $esc -- true" "--dry-run --ro /usr:/opt/$esc -- $esc" "--dry-run --json --ro /usr:/opt/$esc -- $esc"
)
bad=
for i in "${!tries[@]}"; do
	IFS=' ' read -r -d '' -a words <<<"${tries[i]}"
	words=("${words[@]%$'\n'}")
	run "$CORDON" run "${words[@]}"
	! LC_ALL=C tr -d '\n\t\40-\176' <"$ERR" | grep -q . || bad+=" stderr of $i"
	! LC_ALL=C tr -d '\n\t\40-\176' <"$OUT" | grep -q . || bad+=" stdout of $i"
	! grep -q '^forged: line' "$ERR" "$OUT" || bad+=" line of $i"
done
check "T4 control bytes in ${#tries[@]} kinds of argument are escaped in what cordon prints" test -z "$bad"
[ -z "$bad" ] || diag "$bad"
check "twin T4 without escaping they arrive" bash -c "printf '%s' '$esc' | LC_ALL=C tr -d '\n\t\40-\176' | grep -q ."

# --- L3: names, paths and arguments that look like records
forged='","x":1}\n{"type":"close","seq":1}\e[31m'
rm -f log2/*
plain --ro "$PROGRAMS" --argv0 "$forged"$'\n\e[2J"' -- sh -c 'printf "%b" "\",\"y\":1}\n\e[2" >/proc/self/comm
	unshare -U true 2>/dev/null; '"$PROGRAMS"'/denied 3 1 acct' $'{"type":"denial"}\n\xff\xfe' >/dev/null 2>&1
check "L3 each line of the log is one object" test "$(wc -l <"$LOG2")" = "$(jq -s length "$LOG2")"
check "L3 nothing is forged into it" test "$(jq -s 'map(select(.x? or .y? or .forged?)) | length' "$LOG2")" = 0
check "L3 no control byte is in it" bash -c "! LC_ALL=C tr -d '\n\40-\176' <'$LOG2' | grep -q ."
run "$CORDON" audit show "$LOG2"
check "L3 nor in what shows it" bash -c "! LC_ALL=C tr -d '\n\t\40-\176' <'$OUT' | grep -q ."
check "twin L3 the calls are there" grep -q acct "$OUT"

# --- L1, L2: floods
rm -f log2/*
flood=20000
run plain --ro "$PROGRAMS" -- "$PROGRAMS/denied" $flood 8
check "L1 a flood of $flood: all told" test "$(jq -s '.[-1].denials' "$LOG2")" = $flood
check "L1 a flood of $flood: records and counts are that many" test \
	"$(jq -s 'map(select(.type == "denial" or .type == "summary").count) | add' "$LOG2")" = $flood
check "L1 a flood of $flood: the log stays small" test "$(stat -c %s "$LOG2")" -lt 2000000
rm -f log2/*
for _ in {1..8}; do
	plain --ro "$PROGRAMS" -- "$PROGRAMS/denied" 200 2 >/dev/null 2>&1 &
done
wait
check "L2 eight sandboxes on one log: all told" test \
	"$(jq -s 'map(select(.type == "denial" or .type == "summary").count) | add' "$LOG2")" = 1600
check "L2 eight sandboxes on one log: whole" "$CORDON" audit verify "$LOG2"

# --- L5, L6, L7
cp "$LOG2" whole.jsonl && cp "$LOG2.head" whole.jsonl.head
"$CORDON" run --cwd / --audit "file:$LOG2" --ro "$PROGRAMS" -- "$PROGRAMS/denied" 100000000 2 >/dev/null 2>&1 &
writer=$!
wait_for 10 bash -c "test \$(wc -l <'$LOG2') -gt $(($(wc -l <whole.jsonl) + 5))"
kill -9 $writer
wait $writer 2>/dev/null
run "$CORDON" audit verify "$LOG2"
check "L5 a supervisor that is killed leaves whole records" test "$STATUS" -eq 0
plain -- true
check "L5 and the next one goes on there" "$CORDON" audit verify "$LOG2"
mkdir -p bad.d
mkfifo bad.fifo
ln -s whole.jsonl bad.link
ln -s . bad.dirlink
for kind in fifo link d; do
	expect_error 125 "audit log" "L6 a log that is a $kind" -- timeout 10 "$CORDON" run --audit "file:$WORK/bad.$kind" -- true
done
expect_error 125 "audit log" "L6 a log that others may write" -- bash -c \
	'>open.jsonl; chmod 666 open.jsonl; exec "$1" run --audit "file:$PWD/open.jsonl" -- true' sh "$CORDON"
expect_status 0 "twin L6 a plain file" -- "$CORDON" run --audit "file:$WORK/plain.jsonl" -- true
for how in '3d' '3{h;d};4G'; do
	sed "$how" whole.jsonl >cut.jsonl
	cp whole.jsonl.head cut.jsonl.head
	expect_status 1 "L7 lines that were dropped or exchanged are found: $how" -- "$CORDON" audit verify cut.jsonl
done
expect_status 0 "twin L7 as it was written it is whole" -- "$CORDON" audit verify whole.jsonl

# --- X6: a launch under the worst circumstances runs as confined, or is refused with a sentence
confined='grep -q "^NoNewPrivs:.1" /proc/self/status && grep -q "^Seccomp:.2" /proc/self/status && grep -q "^CapBnd:.0*$" /proc/self/status && echo confined'
worst() { # TITLE COMMAND-PREFIX...: then cordon
	local title=$1
	shift
	run timeout -k 1 20 "$@" "$CORDON" run --cwd / --audit "file:$LOG2" -- /bin/sh -c "$confined"
	if { [ "$STATUS" -eq 0 ] && grep -qx confined "$OUT"; } ||
		{ [ "$STATUS" -eq 125 ] && grep -q '^cordon: cannot' "$ERR" && ! grep -q confined "$OUT"; }; then
		ok "X6 $title ($STATUS$(sed -n 's/^cordon: cannot/: cannot/p' "$ERR" | head -n 1 | cut -c 1-80))"
	else
		not_ok "X6 $title" "status $STATUS"
		_said
	fi
}
worst "nothing special: the twin"
check "X6 nothing special: it runs" test "$STATUS" -eq 0
for limit in "-n 3" "-n 4" "-n 8" "-n 16" "-s 64" "-s 128" "-c unlimited" "-l 0" "-t 1"; do
	worst "ulimit $limit" bash -c "ulimit $limit; exec \"\$@\"" sh
done
worst "ulimit -f 0, told by a pipe" bash -c 'set -o pipefail; (trap "" XFSZ; ulimit -f 0; "$@" 2>&1) | cat >&2' sh
[ "$WHO" = root ] || worst "ulimit -u 1" bash -c 'ulimit -u 1; exec "$@"' sh
worst "every signal blocked and ignored, no cache" env XDG_CACHE_HOME="$WORK/no-cache" "$OUTSIDE" --rude out
worst "a umask of 0777 and a new home" env XDG_CACHE_HOME="$WORK/new/c" XDG_STATE_HOME="$WORK/new/s" bash -c 'umask 0777; exec "$@"' sh
worst "no variable at all" env -i
worst "no /proc" unshare --user --map-root-user --mount sh -c 'mount -t tmpfs none /proc && exec "$@"' sh
worst "something else on /proc" unshare --user --map-root-user --mount sh -c 'mount --bind /etc /proc && exec "$@"' sh
worst "something else on /dev" unshare --user --map-root-user --mount sh -c 'mount -t tmpfs none /dev && exec "$@"' sh
worst "/dev/null is a link" unshare --user --map-root-user --mount sh -c \
	'mount -t tmpfs none /dev && ln -s /etc/passwd /dev/null && for d in zero full random urandom tty; do : >/dev/$d; done; exec "$@"' sh

# --- M9: what the host mounts during a life stays outside; the whole of it is in tests/integration/view.sh

# --- G: the supervisor, from outside
word=$RANDOM$RANDOM
no_payload() { # none whose arguments hold the word
	! pgrep -f "cordon-escape-$word" >/dev/null
}
start() { # SCRIPT: in a sandbox in the background; its pid in launcher
	rm -f rw/*
	"$CORDON" run --cwd / --audit "file:$LOG2" --rw "$WORK/rw" -- sh -c "$1" "cordon-escape-$word" "$WORK/rw" >/dev/null 2>&1 &
	launcher=$!
	wait_for 10 test -e rw/ready
}
script='cd "$1"; (while :; do echo x >>ticks; sleep 0.02; done) & echo >ready
	while [ ! -e go ]; do sleep 0.02; done
	unshare -U true 2>answer; echo $? >done; sleep 60'
start "$script"
kill -STOP $launcher
touch rw/go
sleep 0.5
ticks=$(wc -l <rw/ticks)
check "G4 a supervisor that is stopped: a denied call waits" test ! -e rw/done
sleep 0.2
check "twin G4 what is allowed goes on" test "$(wc -l <rw/ticks)" -gt "$ticks"
kill -CONT $launcher
check "G4 when it goes on, the call is answered" wait_for 10 test -e rw/done
check "G4 and refused" test "$(cat rw/done)" -ne 0
check "G4 and recorded" wait_for 5 grep -q '"name":"unshare"' "$LOG2"
kill -STOP $launcher
kill -KILL $launcher
wait $launcher 2>/dev/null
check "G4 stopped and then killed: nothing is left" wait_for 5 no_payload
start "$script"
kill -KILL $launcher
wait $launcher 2>/dev/null
check "G4 killed: nothing is left" wait_for 5 no_payload
start 'cd "$1"; trap "" TERM HUP INT; echo >ready; sleep 60'
kill -TERM $launcher
sleep 0.2
check "twin G3 a payload that takes SIGTERM lives on" kill -0 $launcher
kill -KILL $launcher
wait $launcher 2>/dev/null
start 'cd "$1"; echo >ready; exec sleep 60'
kill -TERM $launcher
wait $launcher
check "G3 SIGTERM ends one that does not" test $? -eq 143
start 'cd "$1"; echo >ready; (setsid sleep 60 >/dev/null 2>&1 &); exit 9'
wait $launcher
check "G1 the status is the payload's" test $? -eq 9
check "G2 what it left behind ends with it" wait_for 5 no_payload

# Traced from outside by a process of the same user: pid 1 is not to be had, the supervisor is, and then
# nothing is promised (SECURITY.md).
if [ "$WHO" = user ]; then
	start 'cd "$1"; echo >ready; exec sleep 60'
	init=$(pgrep -P $launcher | head -n 1)
	run "$OUTSIDE" --trace "${init:-0}"
	check "G5 pid 1 is not traced by a process of the same user outside" test "$STATUS $(cat "$OUT")" = "1 EPERM"
	sleep 60 &
	sleeper=$!
	run "$OUTSIDE" --trace $sleeper
	kill $sleeper
	case $STATUS in
	0) ok "twin G5 an ordinary process is" ;;
	*) ok "twin G5 an ordinary process is # not shown here: kernel.yama.ptrace_scope" ;;
	esac
	kill -KILL $launcher
	wait $launcher 2>/dev/null
fi

# --- a terminal: nothing is typed into the caller's
on_terminal() {
	/usr/bin/python3 "$CORDON_TEST_ROOT/tests/lib/terminal.py" "$@" | tr -d '\r'
}
for policy in $([ "$which" = quick ] && echo default strict || echo "${policies[@]}"); do
	run on_terminal --size 24x400 -- "$OUTSIDE" out "$CORDON" run --policy "$policy" --cwd / --audit "file:$LOG2" \
		--ro "$PROGRAMS" -- "$PROBE" --when "$policy,pty" @facts T1 T2 T3
	take "$policy, at a terminal"
done

# --- C3, M11: groups and set-user-ID programs, which root sets up for an ordinary caller
if [ "$WHO" = root ]; then
	user=(setpriv --reuid 59741 --regid 59741 --groups "59741,4242")
	open_dir=$(mktemp -d /tmp/cordon-test.escape.XXXXXX)
	at_exit "rm -rf '$open_dir'"
	cp setuid "$open_dir/setuid"
	chmod 4755 "$open_dir/setuid"
	mkdir -p "$open_dir/home"
	chown 59741:59741 "$open_dir/home"
	chmod 755 "$open_dir"
	as_user=(env -C "$open_dir" HOME="$open_dir/home" XDG_STATE_HOME= XDG_CACHE_HOME= XDG_CONFIG_HOME= "${user[@]}")
	run "${user[@]}" "$open_dir/setuid" --am-i-root
	check "twin M11 a set-user-ID program of root's gains outside" test "$STATUS" -eq 7
	expect_status 0 "M11 a set-user-ID program of root's gains nothing" -- "${as_user[@]}" "$CORDON" run --cwd / --ro "$open_dir/setuid" -- \
		"$open_dir/setuid" --am-i-root
	run "${as_user[@]}" "$CORDON" run --cwd / --ro "$PROGRAMS" -- "$PROBE" --when default,groups C3
	take "default, a caller with a group more"
	run "${as_user[@]}" "$CORDON" run -v --cwd / -- true
	check "C3 that groups stay is told" grep -q 'without .*supplementary group' "$ERR"
	check "C3 and is in the log" grep -q 'supplementary group' "$open_dir/home/.local/state/cordon/audit.jsonl"
fi
