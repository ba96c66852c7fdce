#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib/harness.sh disable=SC2016,SC2317 # expanded inside; called by run
# What of the host can be seen from inside without any option, and by which mounts.
. "$(dirname "$0")/../lib/harness.sh"
cd "$WORK" || exit 1
INSPECT=$PROGRAMS/inspect

# --- the home directory is empty, and a person can open it
mkdir -p "$HOME/.ssh"
echo secret >"$HOME/.ssh/id_test"
expect_output "" "the home directory is empty" -- "$CORDON" run -- sh -c 'ls -A ~'
expect_denied "a key in the home directory" --twin --ro "$HOME/.ssh" -- cat "$HOME/.ssh/id_test"
expect_output "$HOME" "the home directory is where it was" -- "$CORDON" run -- sh -c 'cd && pwd -P'
expect_status 0 "the home directory takes files" -- "$CORDON" run -- sh -c 'echo x >~/x && cat ~/x'
check "the home directory: what was written is gone" test ! -e "$HOME/x"
cd "$HOME" || exit 1
expect_output "$HOME" "called from home, it starts in the empty one" -- "$CORDON" run -- sh -c 'pwd; ls -A'
mkdir -p "$HOME/src"
echo body >"$HOME/src/file"
cd "$HOME/src" || exit 1
expect_output "body .ssh-hidden" "called from below home, it sees that and no more" -- "$CORDON" run -- \
	sh -c 'test -e ~/.ssh || echo "$(cat file) .ssh-hidden"'
cd "$WORK" || exit 1

# --- absent, empty, own
for path in /root /sys /boot /mnt /media /srv; do
	expect_status 1 "$path is absent" -- "$CORDON" run -- test -e "$path"
done
expect_status 0 "/usr is there: the allowed twin" -- "$CORDON" run -- test -e /usr
run "$CORDON" run -- sh -c 'cat /etc/shadow /etc/gshadow /etc/shadow- | wc -c'
check "/etc/shadow shows nothing" grep -qx 0 "$OUT"
expect_match '^root:' "/etc/passwd: the allowed twin" -- "$CORDON" run -- cat /etc/passwd
sentinel=$(mktemp -d /tmp/cordon-view.XXXXXX)
at_exit "rm -rf '$sentinel'"
chmod 755 "$sentinel"
expect_denied "the host's /tmp" --cwd / --twin --ro "$sentinel" -- ls "$sentinel"
rm -r "$sentinel"
expect_output "1777 1777 1777" "/tmp, /var/tmp and /dev/shm are own and sticky" -- \
	"$CORDON" run --cwd / -- sh -c 'echo $(stat -c %a /tmp /var/tmp /dev/shm)'
run "$CORDON" run --cwd / -- sh -c 'ls -A /tmp /var/tmp /run /dev/shm | grep -v -e : -e ^$ -e ^cordon-test; echo end'
check "/tmp, /var/tmp, /run and /dev/shm begin empty" test "$(cat "$OUT")" = end
run "$CORDON" run --cwd / -- sh -c 'for d in /tmp /var/tmp /run /dev/shm; do echo x >$d/x && cat $d/x; done'
check "all of them take files" test "$(cat "$OUT")" = $'x\nx\nx\nx'
expect_output "fd full null ptmx pts random shm stderr stdin stdout tty urandom zero" \
	"/dev holds exactly what is needed" -- "$CORDON" run -- sh -c 'echo $(ls -A /dev)'
expect_output "ptmx" "/dev/pts is own" -- "$CORDON" run --pty never -- ls -A /dev/pts
expect_output "5" "the devices work" -- "$CORDON" run -- sh -c \
	'echo x >/dev/null; head -c 5 /dev/zero | wc -c; head -c 9 /dev/urandom >/dev/null; test ! -s /dev/null'
expect_status 1 "/dev/full is full" -- "$CORDON" run -- sh -c 'echo x >/dev/full'
for dir in / /usr /usr/bin /etc /var /opt /dev /proc; do
	expect_status 1 "$dir takes no file" -- "$CORDON" run -- touch "$dir/cordon-test"
done
check "no file came to the host" test ! -e /usr/cordon-test -a ! -e /etc/cordon-test -a ! -e /cordon-test
expect_status 0 "but it can be written where it is given: the allowed twin" -- \
	"$CORDON" run --tmpfs /opt -- touch /opt/cordon-test

# --- /proc
run "$CORDON" run -- sh -c 'ls -d /proc/[0-9]* | wc -l; cat /proc/1/comm'
check "/proc shows the sandbox's own processes" test "$(head -n 1 "$OUT")" -le 4
expect_output "cordon" "/proc/1/cmdline tells a name and no argument" -- \
	"$CORDON" run --env SECRET_ENV=1 -- sh -c 'tr "\0" "\n" </proc/1/cmdline | grep .'
for file in environ maps mem auxv stack; do
	expect_status 1 "/proc/1/$file cannot be read" -- "$CORDON" run -- head -c 1 "/proc/1/$file"
done
for link in root cwd exe ns/mnt; do
	expect_status 1 "/proc/1/$link cannot be followed" -- "$CORDON" run -- readlink "/proc/1/$link"
done
run "$CORDON" run -- sh -c 'ls /proc/1/fd 2>/dev/null | wc -l; ls /proc/self/fd | wc -l'
check "/proc/1/fd shows no descriptor, /proc/self/fd does" grep -Pzq '^0\n[1-9]' "$OUT"
expect_match . "/proc/self/environ: the allowed twin" -- "$CORDON" run -- cat /proc/self/environ
expect_match . "/proc/self/root: the allowed twin" -- "$CORDON" run -- readlink /proc/self/root
for file in cmdline kallsyms keys key-users interrupts timer_list diskstats partitions modules; do
	[ -e "/proc/$file" ] || continue
	run "$CORDON" run -- sh -c "cat /proc/$file 2>/dev/null | wc -c"
	check "/proc/$file is masked" grep -qx 0 "$OUT"
done
check "the host's own tell something: the allowed twin" test -n "$(cat /proc/cmdline /proc/interrupts)"
expect_match '^MemTotal' "/proc/meminfo is readable" -- "$CORDON" run -- cat /proc/meminfo
for file in sys/kernel/hostname sys/user/max_user_namespaces sysrq-trigger sys/vm/drop_caches; do
	expect_status 1 "/proc/$file cannot be written" -- \
		"$CORDON" run --uid 0 -- sh -c "test -w /proc/$file || exit 1; : >>/proc/$file"
done
expect_output 0 "no user namespace may be made" -- "$CORDON" run -- cat /proc/sys/user/max_user_namespaces

# --- names and network
expect_output cordon "the host name is not the host's" -- "$CORDON" run -- uname -n
expect_output box-1.example "the host name that was asked for" -- "$CORDON" run --hostname box-1.example -- uname -n
expect_output lo "the only interface is loopback" -- "$CORDON" run -- \
	sh -c 'sed -n "s/^ *\([^ :]*\):.*/\1/p" /proc/net/dev'
expect_output "" "--net none: it is down" -- "$CORDON" run --net none -- sh -c 'tail -n +2 /proc/net/route; cat /proc/net/if_inet6'
expect_match 'lo$' "loopback is up: the allowed twin" -- "$CORDON" run -- cat /proc/net/if_inet6
run "$CORDON" run -- cat /etc/resolv.conf
check "/etc/resolv.conf says nothing without a network" test ! -s "$OUT"
ns_is() { # SAME|OWN NAME OPTION...: whether the sandbox is in our namespace or in one of its own
	local want=$1 name=$2 theirs
	shift 2
	theirs=$("$CORDON" run "$@" -- readlink "/proc/self/ns/$name") || return 1
	[ "$want" = SAME ] && [ "$theirs" = "$(readlink "/proc/self/ns/$name")" ] && return
	[ "$want" = OWN ] && [ "$theirs" != "$(readlink "/proc/self/ns/$name")" ]
}
for ns in user mnt pid ipc uts net cgroup; do
	check "the $ns namespace is its own" ns_is OWN "$ns"
done
check "--net host: the allowed twin" ns_is SAME net --net host
check "no time namespace unasked" ns_is SAME time
check "--new-time: its own" ns_is OWN time --new-time
expect_match '^[0-5]\.' "--new-time: the clock begins at the launch" -- \
	"$CORDON" run --new-time -- cat /proc/uptime

# --- the mounts
run inside -- "$INSPECT" mount
cp "$OUT" mounts
check "there are mounts to judge" test "$(wc -l <mounts)" -gt 20
wrong() { # a jq expression over one mount: the mounts for which it holds
	jq -r "select($1) | .point + \" \" + .options + \" \" + .propagation" mounts
}
none() {
	[ -z "$(wrong "$1")" ] || { diag "$(wrong "$1")"; return 1; }
}
has() {
	[ -n "$(wrong "$1")" ]
}
opt() {
	echo "(.options | split(\",\") | index(\"$1\"))"
}
check "every mount is nosuid" none "$(opt nosuid) | not"
check "every mount but /dev's is nodev" none "($(opt nodev) | not) and (.point | startswith(\"/dev/\") | not)"
check "every mount is private" none '.propagation != "private"'
check "no mount but the root, /dev, /proc and places is writable" \
	none "$(opt rw) and (.type != \"tmpfs\") and (.point | test(\"^/dev/|^/proc\$\") | not)"
for point in /usr /etc /var /proc/sys; do
	check "$point is read-only" has ".point == \"$point\" and $(opt ro)"
done
check "nothing can be executed on devices and /proc" \
	none "(.point | test(\"^/(dev/|proc)\")) and ($(opt noexec) | not)"
super=$(jq -r 'select(.point == "/") | .super' mounts)
check "of the tmpfs that holds all that is writable only directories are mounted" \
	none ".type == \"tmpfs\" and .root == \"/\" and .super == \"$super\""
check "its other mounts are there: the allowed twin" has ".root != \"/\" and .super == \"$super\""

# What the host mounts later stays outside, also where the host's mounts are shared (as with systemd).
mkfifo go ready
cat >later.sh <<'END'
mount --make-rshared / && mkdir -p m && mount -t tmpfs x m && mkdir m/sub || exit 99
"$1" run --ro "$PWD/m" --fd 4 -- sh -c '
	grep -E "shared:|master:|propagate_from:" /proc/self/mountinfo && exit 1
	echo ready >&4; read -r go; test -d m/sub && test ! -e m/sub/late' <go 4>ready &
exec 5>go
read -r word <ready
mount -t tmpfs y m/sub && touch m/sub/late || exit 98
echo go >&5
wait $!
END
expect_status 0 "a shared mount of the host: none inside, and what it mounts later stays outside" -- \
	timeout 20 unshare --user --map-root-user --mount bash later.sh "$CORDON"
cat >sub.sh <<'END'
mkdir -p n && mount -t tmpfs x n && mkdir n/sub && mount -t tmpfs y n/sub || exit 99
"$1" run --ro "$PWD/n" -- touch n/sub/x 2>/dev/null && exit 1
"$1" run --rw "$PWD/n" -- touch n/sub/x && test -e n/sub/x
END
expect_status 0 "read-only reaches the mounts below; writable is the allowed twin" -- \
	timeout 20 unshare --user --map-root-user --mount bash sub.sh "$CORDON"

done_testing
