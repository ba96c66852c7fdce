#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# lanes: selinux-6.1 apparmor-6.1 apparmor-new selinux-6.12
# as: root
# The kernel's own denials: cordon-collect with one capability, two users, each refused things of his
# own; each denial is once in the right log and in no other one.
# shellcheck source=tests/lib/harness.sh disable=SC2016,SC2317 # expanded inside; called by run
. "$(dirname "$0")/../lib/harness.sh"
# shellcheck source=tests/lib/later.sh
. "$(dirname "$0")/../lib/later.sh"

SOCKET=/run/cordon/collect.sock
LSM=${CORDON_TEST_LANE%%-*} KERNEL=${CORDON_TEST_LANE#*-}
ONE=59742 TWO=59743 COLLECTOR=59744
chmod 0755 "$CORDON_TEST_HOME" "$TMPDIR" "$WORK"
cd "$WORK" || exit 1
for user in "$ONE" "$TWO"; do
	mkdir "$user"
	chown "$user:$user" "$user"
done
as() { # USER COMMAND...
	"$PROGRAMS/as" "$1" "$WORK/$1" "${@:2}"
}
launch() { # USER OPTIONS... -- COMMAND...
	as "$1" "$CORDON" run --ro "$PROGRAMS" "${@:2}"
}
log() { # TITLE USER FILTER: true of that user's records
	later "$1" "$WORK/$2/cordon/audit.jsonl" "$3"
}
# Without fork events (Linux 6.1) a process that ends at once may be gone when its denial is read: then that
# is told, by a number.
exact=yes
[ "$KERNEL" != 6.1 ] || exact=
has() { # USER {NUMBER TITLE FILTER}...: so many denials, those that were counted included; NUMBER~: see above
	local user=$1 gone
	shift
	for (( ; $# > 0; )); do
		gone=false
		[[ $1 != *~ || -n $exact ]] || gone=true
		log "$2" "$user" "so_many(${1%\~}; $gone; $3)"
		shift 3
	done
}
unseen() { # TITLE USER LIST: of the last sandbox's opening record
	log "$1" "$2" "opened.kernel_denials.unseen == $3"
}
start_collector() {
	mkdir -p /run/cordon
	chown "$COLLECTOR" /run/cordon
	setpriv --reuid "$COLLECTOR" --regid "$COLLECTOR" --clear-groups --inh-caps=-all,+audit_read \
		--ambient-caps=-all,+audit_read --bounding-set=-all,+audit_read \
		"$CORDON_TEST_ROOT/build/cordon-collect" 2>"$WORK/collector.err" &
	collector=$!
	wait_for 10 grep -q 'listening at' "$WORK/collector.err"
}
stop_collector() {
	kill "$collector" 2>/dev/null
	wait "$collector"
	diag "$(tail -n 1 "$WORK/collector.err")"
}
at_exit 'kill $collector; rm -rf /run/cordon'

# --- without it
launch "$ONE" -- "$PROGRAMS/killed" 1 110 >/dev/null
log "without a collector the opening record says so" "$ONE" \
	'.[0].kernel_denials == {"readable": false, "why": "there is no collector", "unseen": ["landlock"]}'
has "$ONE" 0 "and nothing of the kernel's is there" true
printf 'policy silent\nuse default\nkernel 6.18\nnotify off\n' >silent.policy
launch "$ONE" --policy "$WORK/silent.policy" -- "$PROGRAMS/denied" 1 1 keyctl >/dev/null
unseen "whose denials are not seen is said" "$ONE" '["landlock","seccomp-errno"]'
check "nor is anything in the kernel's own log" [ "$(dmesg | grep -c 'type=1326 .*code=0x50000')" -eq 0 ]

# --- what it is, and is not, when it starts
expect_error 125 'collect as root' "it does not run as root" -- "$CORDON_TEST_ROOT/build/cordon-collect"
expect_error 125 'with the capability (cap_)?net_admin' "nor with more than it needs" -- \
	setpriv --reuid "$COLLECTOR" --regid "$COLLECTOR" --clear-groups --inh-caps=-all,+audit_read,+net_admin \
	--ambient-caps=-all,+audit_read,+net_admin "$CORDON_TEST_ROOT/build/cordon-collect"
expect_error 125 'CAP_AUDIT_READ' "nor with less" -- \
	setpriv --reuid "$COLLECTOR" --regid "$COLLECTOR" --clear-groups "$CORDON_TEST_ROOT/build/cordon-collect"
check "it starts with CAP_AUDIT_READ" start_collector
diag "$(<"$WORK/collector.err")"
status() {
	grep -qE "^$1" "/proc/$collector/status"
}
check "and has no capability then" status $'CapPrm:\t0000000000000000'
check "and none to gain" status $'NoNewPrivs:\t1'
check "and a filter" status $'Seccomp:\t2'
expect_error 125 'something does already' "a second one does not take its socket" -- \
	setpriv --reuid "$COLLECTOR" --regid "$COLLECTOR" --clear-groups --inh-caps=-all,+audit_read \
	--ambient-caps=-all,+audit_read --bounding-set=-all,+audit_read "$CORDON_TEST_ROOT/build/cordon-collect"

# --- two users at once, each with calls of his own that kill
launch "$ONE" -- "$PROGRAMS/killed" 7 110 >/dev/null &
first=$!
launch "$TWO" -- "$PROGRAMS/killed" 9 111 >/dev/null &
second=$!
wait $first $second
log "the opening record says that the kernel's denials are read" "$TWO" 'opened.kernel_denials.readable'
# Landlock tells from ABI 7 on
untold='["landlock"]'
[ "$KERNEL" != new ] || untold='[]'
unseen "and whose are not" "$TWO" "$untold"
launch "$ONE" -- sh -c 'exec "$0" 1 104' "$PROGRAMS/killed" >/dev/null
launch "$ONE" -- "$PROGRAMS/hostile" nothing >/dev/null 2>&1
has "$ONE" \
	7~ "each kill of the one is there once" '.mechanism == "seccomp" and .syscall.name == "getppid" and .answer.kill' \
	0 "and none of the other's" '.syscall.name == "getpgrp"' \
	1~ "the payload's own child, right before the end" '.syscall.name == "getgid"' \
	0 "what a supervisor records is not recorded twice" '.joined and .syscall.name == "mount"'
has "$TWO" \
	9~ "and the other way about" '.mechanism == "seccomp" and .syscall.name == "getpgrp" and .answer.kill' \
	0 "and none of the one's there" '.syscall.name == "getppid"'
how='"pid"'
[ -n "$exact" ] || how='"pid", "parent", "uid"'
log "joined by process" "$ONE" "all(.[] | select(.joined); .joined | IN($how))"

# --- a policy without a listener: the kernel tells of its refusals, the policy of their errno
printf 'policy silent\nuse default\nkernel 6.18\nnotify off\nremove deny acct bpf\ndeny acct errno EACCES\ndeny bpf errno ENOSYS quiet\n' >silent.policy
check "errno is among what the kernel logs, as it is without anybody's doing" \
	grep -qw errno /proc/sys/kernel/seccomp/actions_logged
silent() { # USER N CALL [THREADS]
	launch "$1" --policy "$WORK/silent.policy" -- "$PROGRAMS/denied" "$2" "${4-1}" "$3" >/dev/null
}
silent "$ONE" 3 acct &
first=$!
silent "$TWO" 7 keyctl 2
wait $first
silent "$ONE" 6 keyctl
silent "$ONE" 5 bpf
unseen "what a policy without a listener refuses is not unseen" "$ONE" "$untold"
launch "$ONE" --policy "$WORK/silent.policy" -- true
launch "$ONE" -- "$PROGRAMS/denied" 4 1 swapoff >/dev/null
has "$ONE" \
	6~ "notify off: each refused call is there once, with its errno" \
	'.mechanism == "seccomp" and .joined and .syscall.name == "keyctl" and .answer.errno == "EPERM"' \
	3~ "another one's errno" '.joined and .syscall.name == "acct" and .answer == {"errno": "EACCES", "nr": 13}' \
	0 "nothing of what is refused quietly" '.syscall.name == "bpf"' \
	0 "nor of the self-test of a launch" '.syscall != null and .syscall.name == null' \
	4 "with a listener each is there once" '.syscall.name == "swapoff"' \
	0 "as the supervisor's" '.joined and .syscall.name == "swapoff"' \
	9~ "and no other errno" '.joined and .answer.errno'
has "$TWO" \
	7~ "and the other's" '.joined and .syscall.name == "keyctl" and .answer.errno == "EPERM"' \
	0 "its threads begin with a call that is refused quietly" '.syscall.name == "clone3"'

# --- the module's own
case $LSM in
apparmor)
	for user in "$ONE" "$TWO"; do
		cat >>"$WORK/profile" <<END
profile collect-$user flags=(attach_disconnected) {
  / rw,
  /** rwmixlk,
  capability, network, mount, umount, pivot_root, signal, ptrace, unix, dbus, change_profile,
  audit deny /tmp/secret-$user w,
  audit deny "/tmp/odd \" name-$user" w,
}
END
	done
	/usr/sbin/apparmor_parser -K --replace "$WORK/profile"
	confined() { # USER COMMAND...
		"$PROGRAMS/as" -l "exec collect-$1" "$1" "$WORK/$1" "$CORDON" run --ro "$PROGRAMS" -- "${@:2}"
	}
	for _ in 1 2 3; do
		confined "$ONE" sh -c "echo >/tmp/secret-$ONE; echo >/tmp/open" 2>/dev/null
	done &
	first=$!
	confined "$TWO" sh -c "echo >/tmp/secret-$TWO; echo >'/tmp/odd \" name-$TWO'; (echo >/tmp/secret-$TWO)" 2>/dev/null
	wait $first
	has "$ONE" \
		3~ "AppArmor: each denial once, in the right log" \
		".mechanism == \"apparmor\" and .operation != \"open\" and .path == \"/tmp/secret-$ONE\" and .label == \"collect-$ONE\" and .comm == \"sh\"" \
		0 "all of AppArmor's are that user's" ".mechanism == \"apparmor\" and .label != \"collect-$ONE\""
	has "$TWO" \
		2~ "and the other's" ".mechanism == \"apparmor\" and .path == \"/tmp/secret-$TWO\"" \
		1~ "a name that the kernel writes in hex" ".mechanism == \"apparmor\" and .path == \"/tmp/odd \\\" name-$TWO\"" \
		3~ "no more than these" '.mechanism == "apparmor"'
	;;
selinux)
	cat /sys/fs/selinux/policy >before 2>/dev/null
	enforcing=$(</sys/fs/selinux/enforce)
	secilc -o policy -f /dev/null "$CORDON_TEST_ROOT/tests/vm/collect.cil" && cat policy >/sys/fs/selinux/load
	echo 1 >/sys/fs/selinux/enforce
	at_exit "echo 0 >/sys/fs/selinux/enforce; [ ! -s '$WORK/before' ] || cat '$WORK/before' >/sys/fs/selinux/load
		echo $enforcing >/sys/fs/selinux/enforce"
	mkdir shown
	for user in "$ONE" "$TWO"; do
		echo secret >"shown/secret-$user"
	done
	echo secret >shown/secret-label
	chcon all_u:object_r:secret_t:s0 shown/secret-*
	boxed() { # USER COMMAND...
		"$PROGRAMS/as" -l all_u:all_r:box_t:s0 "$1" "$WORK/$1" \
			"$CORDON" run --ro "$PROGRAMS" --ro "$WORK/shown" -- "${@:2}"
	}
	launch "$ONE" --ro "$WORK/shown" -- cat "$WORK/shown/secret-$ONE" >/dev/null
	has "$ONE" 0 "SELinux: what is allowed is no denial" '.mechanism == "selinux"'
	boxed "$ONE" cat "$WORK/shown/secret-$ONE" "$WORK/shown/secret-$ONE" 2>/dev/null &
	first=$!
	boxed "$TWO" cat "$WORK/shown/secret-$TWO" 2>/dev/null
	wait $first
	has "$ONE" \
		2~ "SELinux: each denial once, in the right log" \
		".mechanism == \"selinux\" and .operation == \"file\" and (.access | index(\"read\")) and .fields.name == \"secret-$ONE\" and (.label | test(\"box_t\"))" \
		2~ "no more than these" '.mechanism == "selinux"'
	has "$TWO" \
		1~ "and the other's" ".mechanism == \"selinux\" and .fields.name == \"secret-$TWO\"" \
		1~ "no more than that" '.mechanism == "selinux"'
	# a label that the launch asks for
	labelled() { # USER FILE
		launch "$1" --label selinux=box_t:s0 --ro "$WORK/shown" -- cat "$WORK/shown/$2" 2>/dev/null
	}
	labelled "$TWO" secret-label
	log "with --label: the payload is in it" "$TWO" \
		'[opened.in_force[] | select(. == "SELinux context \u0027all_u:all_r:box_t:s0\u0027")] | length == 1'
	launch "$TWO" --ro "$WORK/shown" -- cat "$WORK/shown/secret-label" >/dev/null
	has "$TWO" \
		1~ "with --label: the denial once, in the same log" \
		'.mechanism == "selinux" and .fields.name == "secret-label" and .label == "all_u:all_r:box_t:s0" and .joined' \
		2~ "no more than that" '.mechanism == "selinux"'
	echo 0 >/sys/fs/selinux/enforce
	boxed "$ONE" cat "$WORK/shown/secret-$ONE" >/dev/null
	has "$ONE" 2~ "permissive mode refuses nothing" '.mechanism == "selinux"'
	;;
esac

# --- Landlock tells of itself from ABI 7 on
cat >shut.policy <<'END'
policy shut
use default
remove exec /
exec? /usr /bin /lib /lib64 /sbin
exec /tmp/may
read /etc
write /tmp
END
sed -i '/may/d' shut.policy
cat >open.policy <<'END'
policy open
use default
END
shut() { # USER N
	launch "$1" --policy "$WORK/shut.policy" -- sh -c 'cp /usr/bin/true "/tmp/$0"; for i in $(seq "$1"); do "/tmp/$0"; done' "of-$1" "$2" 2>/dev/null
}
shut "$ONE" 4 &
first=$!
shut "$TWO" 5
wait $first
launch "$ONE" --policy "$WORK/open.policy" -- sh -c 'cp /usr/bin/true /tmp/of-x; /tmp/of-x'
if [ "$KERNEL" = new ]; then
	has "$ONE" \
		4 "Landlock: each denial once, in the right log" \
		".mechanism == \"landlock\" and .operation == \"fs\" and .access == [\"execute\"] and .path == \"/tmp/of-$ONE\" and .joined == \"domain\"" \
		4 "no more than these" '.mechanism == "landlock"'
	has "$TWO" \
		5 "and the other's" ".mechanism == \"landlock\" and .path == \"/tmp/of-$TWO\"" \
		5 "no more than those" '.mechanism == "landlock"'
else
	has "$ONE" 0 "Landlock tells nothing on this kernel" '.mechanism == "landlock"'
fi

# --- a profile that the launch enters: what it refuses is seen from the sandbox's root
if [ "$LSM" = apparmor ]; then
	mkdir given etc
	chown "$TWO:$TWO" given
	check "the policy's own profile is made" "$CORDON" policy build default --emit apparmor -o "$WORK/etc"
	check "and loaded" "${CORDON_VM_PARSER:-/usr/sbin/apparmor_parser}" -K --replace etc/default.apparmor
	# other tests of this guest look for one that is not
	at_exit "printf cordon-default >/sys/kernel/security/apparmor/.remove"
	# Through a pipe: under a profile a file of the host's would be refused, too (doc/apparmor.md).
	labelled() { # USER LABEL OPTIONS...
		launch "$1" --label "apparmor=$2" --rw "$WORK/given:/data" "${@:3}" 2>&1 | pass_on >/dev/null
	}
	labelled "$TWO" none -- sh -c 'echo x >/data/file && rm /data/file'
	has "$TWO" 0 "without a label nothing is refused" '.mechanism == "apparmor" and (.path // "" | startswith("/data/"))'
	labelled "$TWO" auto -- sh -c 'echo x >/data/file; echo x >/data/file'
	labelled "$TWO" cordon-default --policy "$WORK/shut.policy" -- \
		sh -c 'echo x >/data/other; cp /usr/bin/true /tmp/labelled; /tmp/labelled'
	has "$TWO" \
		2~ "with --label: each denial once, with the profile and the path inside" \
		'.mechanism == "apparmor" and .label == "cordon-default" and .path == "/data/file"' \
		3~ "no more of the profile's" '.mechanism == "apparmor" and .label == "cordon-default"'
	log "each sandbox has its own" "$TWO" 'map(select(.label == "cordon-default") | .sandbox) | unique | length == 2'
	if [ "$KERNEL" = new ]; then
		log "with Landlock's beside it, in one sandbox" "$TWO" 'map(select(.type == "denial" and
			(.path == "/data/other" or .path == "/tmp/labelled"))) |
			[(map(.sandbox) | unique | length), (.[].mechanism)] == [1, "apparmor", "landlock"]'
	fi
fi

# --- who lies gets nothing
launch "$ONE" -- sleep 60 &
sleeper=$!
inner() { # the parent of the sleeping payload
	payload=$(pgrep -u "$ONE" -x sleep | head -n 1)
	[ -n "$payload" ] && victim=$(awk '/^PPid:/ { print $2 }' "/proc/$payload/status") && [ -n "$victim" ]
}
wait_for 20 inner
expect_output "Operation not permitted" "another user's pid 1 is not to be had" -- as "$TWO" "$PROGRAMS/claim" "$SOCKET" "$victim"
expect_output "Operation not permitted" "nor by its own user, but not its supervisor" -- as "$ONE" "$PROGRAMS/claim" "$SOCKET" "$victim"
expect_output "Operation not permitted" "nor a child that is no pid 1" -- as "$ONE" "$PROGRAMS/claim" "$SOCKET" child
expect_output "ready" "a pid 1 of one's own is" -- as "$ONE" "$PROGRAMS/claim" "$SOCKET" self
as "$TWO" "$PROGRAMS/claim" "$SOCKET" self "$WORK/enough" >heard &
spy=$!
wait_for 10 grep -q ready heard
launch "$ONE" -- "$PROGRAMS/killed" 3 110 >/dev/null
as "$TWO" "$PROGRAMS/killed" 2 110 >/dev/null
: >enough
wait $spy
hears_only_its_own() {
	! grep -v "^ready\$" heard | grep -qv " uid=$TWO "
}
check "and hears nothing of another user's" hears_only_its_own
# Without fork events what is gone is joined by its user (decision 15).
[ -z "$exact" ] || check "and hears of nobody else, not even of its own user's" [ "$(<heard)" = ready ]
kill "$payload"
wait $sleeper

# --- many at once: recorded, counted, or told as lost; where a log says that nobody knows how many, there is nothing to
# add up, and a machine that is slow enough for it may do better at once
for _ in 1 2 3; do
	mapfile -t before <"$WORK/$TWO/cordon/audit.jsonl"
	launch "$TWO" -- sh -c 'for i in 1 2 3 4; do "$0" 50 102 & done; wait' "$PROGRAMS/killed" >/dev/null
	mapfile -t -s ${#before[@]} flood <"$WORK/$TWO/cordon/audit.jsonl"
	[[ ${flood[*]} == *'"event":"unfinished"'* ]] || break
	diag "the end of the kernel's stream was not seen in time: ${flood[*]: -3}"
done
log "a flood of 200 adds up" "$TWO" ".[${#before[@]}:] | denials(true) as \$got |
	([.[] | select(.type == \"kernel\") | .events + .unjoined] | add // 0) as \$lost |
	\"\(\$got) accounted for, \(\$lost) told as lost at most\",
	(\$got <= 200 and \$got + \$lost >= 200 and all(.[]; .event != \"unfinished\"))"
log "and is summed up" "$TWO" 'any(.[]; .type == "summary" and .operation == "syscall")'

# --- it ends
mkdir stopped
chown "$ONE" stopped
launch "$ONE" --rw "$WORK/stopped" -- sh -c 'cd "$1" && >began; until [ -e go ]; do sleep 0.2; done; "$0" 1 107' \
	"$PROGRAMS/killed" "$WORK/stopped" >/dev/null &
sleeper=$!
wait_for 20 [ -e stopped/began ]
stop_collector
touch stopped/go
wait $sleeper
log "a log says that the collector is gone" "$ONE" '[.[] | select(.type == "kernel" and .event == "ended")] | length == 1'
has "$ONE" 0 "and has nothing of what came then" '.syscall.name == "geteuid"'

# A label that refuses nothing has nothing that would be unseen.
case $LSM in
apparmor)
	labelled "$TWO" auto -- true
	unseen "an entered profile's denials are unseen then" "$TWO" '["apparmor","landlock"]'
	;;
selinux)
	labelled "$TWO" secret-label >/dev/null
	unseen "a context's are not, in permissive mode" "$TWO" '["landlock"]'
	;;
esac

for user in "$ONE" "$TWO"; do
	expect_match ': whole$' "chain and totals of $user hold" -- "$CORDON" audit verify "$WORK/$user/cordon/audit.jsonl"
done
rm -rf /run/cordon
done_testing
