#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib/harness.sh disable=SC2016,SC2317 # expanded inside; called by run
# What a reviewer broke once, or tried in vain: directories that are passed on, cordon's own files below
# a writable tree, directories renamed between two launches, scripts that name the launcher, trees of
# symlinks and FIFOs as a base, exchanges during launches.
. "$(dirname "$0")/../lib/harness.sh"
cd "$WORK" || exit 1
umask 022

# --- a directory that is passed on: ".." and what Landlock does not mediate lead out by it
mkdir -p host/in
echo key >host/key
chmod 600 host/key
for fd in 0 7; do
	expect_error 125 "descriptor $fd: it is a directory" "a directory as descriptor $fd" -- \
		sh -c 'fd=$1 && shift && eval "exec $fd<host" && exec "$@"' sh $fd \
		"$CORDON" run --fd $fd -- chmod 0666 /proc/self/fd/$fd/key
	check "a directory as descriptor $fd: nothing changed" test "$(stat -c %a host/key)" = 600
done
expect_output "key" "a file as descriptor 7" -- \
	sh -c 'exec 7<host/key && exec "$@"' sh "$CORDON" run --fd 7 -- cat /proc/self/fd/7
expect_output "key" "a file as standard input" -- sh -c 'exec "$@" <host/key' sh "$CORDON" run -- cat
if python3 -c 'import os; os.O_PATH' 2>/dev/null; then
	run python3 -c 'import os, sys; fd = os.open("host/key", os.O_PATH); os.dup2(fd, 7); os.execv(sys.argv[1], sys.argv[1:])' \
		"$CORDON" run --fd 7 -- true
	check "a path that was not opened as descriptor 7" grep -q O_PATH "$ERR"
fi

# --- below a writable tree: the log, the cache and the caller's policies
own() { # NAME: an account of its own in ./NAME
	mkdir -p "$1/.local/state" "$1/tree"
	env HOME="$WORK/$1" XDG_STATE_HOME= XDG_CACHE_HOME= XDG_CONFIG_HOME= "${@:2}"
}
expect_status 0 "a first launch in an account" -- own acc "$CORDON" run -- true
lines=$(wc -l <acc/.local/state/cordon/audit.jsonl)
expect_output "0 0 0" "--rw of the home: what is cordon's own is covered" -- own acc "$CORDON" run --rw acc -- \
	sh -c 'cd && for d in .local/state .cache .config; do ls -A $d/cordon | wc -l; done | xargs'
for d in .local .local/state .local/state/cordon .cache .cache/cordon .config .config/cordon; do
	run own acc "$CORDON" run --rw acc -- sh -c 'cd && mv $1 $1.gone || rm -rf $1' sh "$d"
	check "--rw of the home: $d stays in place" test -d "acc/$d" -a ! -e "acc/$d.gone"
done
expect_status 0 "--rw of the home: other files are written" -- own acc "$CORDON" run --rw acc -- \
	sh -c 'cd && echo x >.local/state/x && mkdir .config/other && rm -r .config/other && mv tree moved'
check "--rw of the home: they stay" test -e acc/.local/state/x -a -d acc/moved
check "--rw of the home: the log grew" test "$(wc -l <acc/.local/state/cordon/audit.jsonl)" -gt "$lines"
expect_status 0 "--rw of the home: the log is whole" -- own acc "$CORDON" audit verify
check "--rw of the home: cordon's folders hold no file of the payload's" test -z \
	"$(find acc/.config/cordon -type f)"
expect_output "0" "--rw of the cache alone" -- own acc "$CORDON" run --rw acc/.cache -- \
	sh -c 'cd ~/.cache && ls -A cordon | wc -l; touch x && rm x'
expect_output "0" "--rw of the home at another place" -- own acc "$CORDON" run --rw acc:/mnt/acc -- \
	sh -c 'mv /mnt/acc/.local /mnt/acc/x 2>/dev/null || ls -A /mnt/acc/.local/state/cordon | wc -l'
expect_error 125 "cordon's own lies there" "--rw of the log's own directory" -- \
	own acc "$CORDON" run --rw acc/.local/state/cordon -- true
expect_error 125 "the audit log is" "a log in a tree that is given writable" -- \
	"$CORDON" run --rw host --audit file:host/in/log -- true
expect_status 0 "a log beside a tree that is given writable" -- \
	"$CORDON" run --rw host/in --audit file:host/log -- touch host/in/x
ln -s tree acc2-state
expect_error 125 "symlink" "a symlink on the way to the log, which a payload could set anew" -- \
	own . env XDG_STATE_HOME="$WORK/acc2-state" "$CORDON" run --rw . -- true

# --- what is hidden or read-only in a writable tree is not moved for the next launch
mkdir -p t/a/b t/a/ro
echo secret >t/a/b/s
echo kept >t/a/ro/s
closed=(--rw t --hide t/a/b --ro t/a/ro)
run "$CORDON" run "${closed[@]}" -- sh -c 'mv t/a t/old; mkdir -p t/a/b t/a/ro'
expect_output "nothing" "hidden below a writable tree: also in the next launch" -- \
	"$CORDON" run "${closed[@]}" -- sh -c 'cat t/old/b/s t/a/b/s || echo nothing'
run "$CORDON" run "${closed[@]}" -- sh -c 'echo lost | tee t/old/ro/s t/a/ro/s'
check "read-only below a writable tree: also in the next launch" test "$(cat t/a/ro/s)" = kept
expect_status 0 "beside what is hidden: written" -- "$CORDON" run "${closed[@]}" -- touch t/a/new
expect_output "secret" "the allowed twin: not hidden" -- "$CORDON" run --rw t -- cat t/a/b/s
expect_status 0 "the allowed twin: a directory is renamed" -- "$CORDON" run --rw t -- sh -c 'mv t/a t/c && mv t/c t/a'
expect_status 0 "a rule about what is not there makes nothing" -- "$CORDON" run --rw t --hide t/no/such -- mkdir t/no
rmdir t/no

# --- scripts whose interpreter would be the launcher itself
for to in /proc/self/exe /proc/1/exe /proc/self/fd/3; do
	printf '#!%s\n' "$to" >script
	chmod +x script
	expect_error 126 "cannot run" "a script for $to" -- "$CORDON" run -- ./script
done
printf '#!/bin/sh\necho ran\n' >script
expect_output "ran" "a script for /bin/sh" -- "$CORDON" run -- ./script

# --- pid 1 keeps to itself
for f in environ maps mem auxv fd/0 cwd/. root/. exe pagemap stack; do
	expect_status 0 "/proc/1/$f" -- "$CORDON" run -- sh -c \
		'! head -c 1 /proc/1/$1 2>/dev/null && test ! -e /proc/1/$1/ && head -c 1 /proc/self/stat >/dev/null' sh "$f"
done
expect_output "alive" "every signal to pid 1" -- "$CORDON" run -- \
	sh -c 'for s in $(seq 1 64); do kill -$s 1 2>/dev/null; done; echo alive'

# --- the device nodes are the host's own, and root owns those: usable, and not to be changed. The
# mode asked for is the one that they have, so that a failure here breaks nothing.
devices='null zero full random urandom tty'
for device in $devices; do
	mode=$(stat -c %a "/dev/$device")
	expect_status 1 "/dev/$device: its mode" -- "$CORDON" run -- chmod "$mode" "/dev/$device"
	expect_status 1 "/dev/$device: its times" -- "$CORDON" run -- \
		touch -c -d "$(stat -c @%X "/dev/$device")" "/dev/$device"
done
mode=$(stat -c %a /dev/null)
expect_status 1 "an inherited /dev/null: its mode" -- bash -c '"$@" </dev/null' sh "$CORDON" run -- \
	chmod "$mode" /proc/self/fd/0
expect_status 1 "a passed /dev/zero: its mode" -- bash -c '"$@" 9</dev/zero' sh "$CORDON" run --fd 9 -- \
	chmod "$(stat -c %a /dev/zero)" /proc/self/fd/9
expect_output 4 "a passed /dev/zero is read" -- bash -c '"$@" 9</dev/zero' sh "$CORDON" run --fd 9 -- \
	sh -c 'head -c 4 <&9 | wc -c'
expect_status 0 "an inherited /dev/null is read and written" -- bash -c '"$@" </dev/null >/dev/null' sh "$CORDON" run -- \
	sh -c 'echo x && test "$(wc -c)" = 0'
expect_status 0 "devices are written" -- "$CORDON" run -- \
	sh -c 'echo x >/dev/null && echo x >>/dev/zero && ! echo x 2>/dev/null >/dev/full'
expect_status 0 "devices are read" -- "$CORDON" run -- \
	sh -c 'test "$(head -c 8 /dev/urandom | wc -c)" = 8 && test "$(cat /dev/null | wc -c)" = 0'
expect_status 0 "a file of the sandbox's own: its mode" -- "$CORDON" run -- sh -c 'touch /tmp/f && chmod 600 /tmp/f'

# --- a base that its maker shaped: nothing outside changes, nothing hangs
mkdir canary
echo safe >canary/f
canary() {
	test "$(ls -A canary):$(cat canary/f)" = f:safe
}
bad=0 hung=0 made=0
for name in dev proc tmp etc run home var/tmp etc/resolv.conf dev/pts dev/null; do
	for kind in up fifo loop dangling magic; do
		rm -rf base
		mkdir -p base/bin "base/$(dirname $name)"
		cp "$PROGRAMS/true" base/bin/
		case $kind in
		up) ln -s "../../../../../../../..$WORK/canary" "base/$name" ;;
		fifo) mkfifo "base/$name" ;;
		loop) ln -s "${name##*/}" "base/$name" ;;
		dangling) ln -s "$WORK/canary/new" "base/$name" ;;
		magic) ln -s /proc/self/cwd "base/$name" ;;
		esac
		for option in --upper=tmpfs --upper=none "--rw=canary:/$name/in" "--dir=/$name/in" "--cwd=/$name"; do
			run timeout -k 1 10 "$CORDON" run --base base "$option" -- /bin/true
			made=$((made + 1))
			[ "$STATUS" -ne 124 ] || hung=$((hung + 1))
			canary || bad=$((bad + 1))
		done
	done
done
check "shaped bases: no effect outside in $made launches" test "$bad" = 0
check "shaped bases: none hung" test "$hung" = 0
rm -rf base
mkdir -p base/bin
cp "$PROGRAMS/true" base/bin/
expect_status 0 "an honest base" -- "$CORDON" run --base base -- /bin/true

# --- components exchanged during launches
if command -v python3 >/dev/null; then
	mkdir -p x/real/sub
	ln -s "$WORK/canary" x/link
	mkdir -p canary/sub
	# renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE)
	python3 -c 'import ctypes, os
c = ctypes.CDLL(None)
while os.getppid() != 1:
    for i in range(100):
        c.renameat2(-100, b"x/real", -100, b"x/link", 2)' &
	racer=$!
	at_exit "kill $racer"
	effects=0 ran=0
	for _ in $(seq 60); do
		for option in --rw=x/real/sub --ro=x/real "--rw=x --dir=x/real/made" "--overlay=x/real"; do
			# shellcheck disable=SC2086 # two options
			"$CORDON" run --cwd / --rw host $option -- sh -c 'cat $0/x/*/f; touch $0/x/real/sub/w' "$WORK" \
				>"$OUT" 2>/dev/null
			ran=$((ran + 1))
			if grep -q safe "$OUT" || [ -e canary/sub/w ] || [ -e canary/made ]; then
				effects=$((effects + 1))
			fi
		done
	done
	kill $racer
	wait $racer 2>/dev/null
	check "exchanges: no effect outside in $ran launches" test $effects = 0
fi

done_testing
