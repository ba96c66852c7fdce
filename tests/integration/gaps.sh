#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What each mechanism alone answers is what its judge promises: hundreds of calls, each made without
# and with one mechanism in force. Older Landlock ABIs are played by leaving out what they lack.
# shellcheck source=tests/lib/harness.sh disable=SC2317 # called by run
. "$(dirname "$0")/../lib/harness.sh"

if [ ! -x "$PROGRAMS/attempts" ]; then
	skip "gaps" "the programs are not built for a sanitizer"
	done_testing
fi
# A launch looks at where it begins, and so as whoever begins it.
cd "$WORK" || exit 1
POLICY=$CORDON_TEST_ROOT/build/cordon-policy
ARENA=$WORK/a
PORT=$((20000 + $$ % 10000 * 2))
HERE=$("$CORDON" doctor --json 2>/dev/null | jq -r '.. | .detail? // empty' 2>/dev/null |
	sed -n 's/^ABI \([0-9]*\).*/\1/p' | head -n 1)

# Some of what is attempted would work for root.
as_user=()
if [ "$WHO" = root ]; then
	as_user=(setpriv --reuid 59742 --regid 59742 --clear-groups)
	chmod 0755 "$CORDON_TEST_HOME" "$TMPDIR" "$WORK"
	mkdir "$ARENA" "$WORK/state"
	chown 59742:59742 "$ARENA" "$WORK/state"
	export XDG_STATE_HOME=$WORK/state
fi
attempts() {
	ATTEMPTS_TRUE=$PROGRAMS/true "${as_user[@]}" timeout 120 "$PROGRAMS/attempts" "$@"
}

cat >"$WORK/tree.policy" <<END
# Most that can be said of files, and calls answered in each way.
policy tree
use base-libc process
kernel 6.18
allow socket bind connect
allow unlinkat renameat2 linkat symlinkat mkdirat mknodat truncate fchmodat fchownat utimensat
deny mkdirat errno EROFS
deny kill if sig == 0
kill acct
exec /usr
exec? /lib /lib64 /bin
read $ARENA/ro
hide $ARENA/ro/hidden
exec $ARENA/x
read $ARENA/x/data
write $ARENA/rw
read $ARENA/rw/keep
exec $ARENA/rw/run
tmpfs $ARENA/tmp
net host
cap CAP_SYS_CHROOT CAP_NET_BIND_SERVICE
END
cat >"$WORK/ports.policy" <<END
policy ports
use default
kernel 6.18
net loopback
net connect tcp $PORT
net connect udp any
net bind tcp $((PORT + 2))-$((PORT + 9))
write $ARENA
END

# The process outside, which listens; it stays, as attempts name it.
attempts prepare "$ARENA"
timeout 1200 "${as_user[@]}" "$PROGRAMS/attempts" serve "$ARENA" "$PORT" "$((PORT + 1))" >"$WORK/pid" &
SERVER=$!
at_exit "kill -KILL \$(cat '$WORK/pid'); kill $SERVER"
wait_for 5 test -s "$WORK/pid"
try() {
	chmod -R u+rwX "$ARENA"
	find "$ARENA" ! -type d ! -name sock -delete
	find "$ARENA" -mindepth 1 -type d -empty -delete
	attempts prepare "$ARENA"
	"$@" "$ARENA" "$(cat "$WORK/pid")" "$PORT" "$((PORT + 1))" "$((PORT + 2))"
}

attempts_with() {
	local extra=$1
	shift
	# shellcheck disable=SC2086 # words
	attempts try "$@" $extra
}
try attempts_with "" >"$WORK/baseline"
check "there are over 200 attempts" [ "$(wc -l <"$WORK/baseline")" -ge 200 ]
check "most of them work without a mechanism" [ "$(grep -c 'allowed$' "$WORK/baseline")" -ge 200 ]

# judge MECHANISM POLICY ABI LEAST WHAT COMMAND...: make the attempts by COMMAND and hold them against
# the promises; at least LEAST of them are refusals of what works. A promise is broken when it is twice:
# a process of several hundred that a loaded machine ends early has no answer to give.
judge() {
	local mechanism=$1 policy=$2 abi=$3 least=$4 what=$5 last telling status
	shift 5
	for _ in 1 2; do
		status=0
		try "$@" >"$WORK/outcome" || status=$?
		if timeout 60 "$PROGRAMS/alone" check "$mechanism" "$policy" "$LIBRARY" "$abi" \
			"$WORK/baseline" "$WORK/outcome" >"$WORK/verdict"; then
			last=$(tail -n 1 "$WORK/verdict")
			telling=${last#*telling }
			if [ "${telling%% *}" -ge "$least" ]; then
				ok "$title: $mechanism$what keeps its promises ($last)"
			else
				not_ok "$title: $mechanism$what refuses something" "$last"
			fi
			return
		fi
		diag "$title: $mechanism$what: status $status" "$(tail -n 30 "$WORK/verdict")"
	done
	not_ok "$title: $mechanism$what keeps its promises" "status $status" "$(tail -n 30 "$WORK/verdict")"
}

ruleset() {
	jq -r '"handled \(.handled_access_fs) \(.handled_access_net) \(.scoped)",
		(.paths[] | "path \(.allowed_access) \(.place)"),
		(.ports[] | "port \(.allowed_access) \(.first) \(.last)")' "$WORK/e/alone.landlock.json"
}

build() {
	"$POLICY" build "$WORK/alone.policy" --search "$WORK" --search "$LIBRARY" -o "$WORK/e" "$@"
}

view() {
	timeout 120 "${as_user[@]}" "$PROGRAMS/alone" view "$WORK/alone.policy" "$LIBRARY" \
		"$PROGRAMS/attempts" try "$@" view
}

# alone POLICY SECCOMP LANDLOCK CAPABILITIES VIEW: with how many telling refusals at least
alone() {
	local title=$1 abi
	printf 'policy alone\nuse %s\nkernel 6.18\nnotify off\n' "$1" >"$WORK/alone.policy"
	build --emit seccomp,capabilities
	judge seccomp "$WORK/alone.policy" 0 "$2" "" attempts_with "seccomp $WORK/e/alone.bpf"
	for ((abi = 1; abi <= ${HERE:-0} && abi <= 11; abi++)); do
		build --emit landlock --landlock-abi "$abi"
		ruleset >"$WORK/ruleset"
		judge landlock "$WORK/alone.policy" "$abi" "$3" " ABI $abi" \
			attempts_with "landlock $WORK/ruleset"
	done
	judge capabilities "$WORK/alone.policy" 0 "$4" "" \
		attempts_with "capabilities $(jq -r .mask "$WORK/e/alone.capabilities.json")"
	judge view "$WORK/alone.policy" 0 "$5" "" view
}

check "this kernel's Landlock ABI is known" [ "${HERE:-0}" -ge 1 ]
alone tree 40 100 10 200
if [ "$WHO" = user ]; then
	alone ports 20 5 10 10
	alone default 20 5 10 200
	alone strict 200 200 10 200
	# A judge that promises nothing would be found out.
	sed 's/\tdenied [0-9]*$/\tallowed/' "$WORK/outcome" >"$WORK/changed"
	if "$PROGRAMS/alone" check view "$WORK/alone.policy" "$LIBRARY" 0 "$WORK/baseline" \
		"$WORK/changed" >"$WORK/verdict"; then
		not_ok "outcomes that were not promised are found"
	else
		ok "outcomes that were not promised are found"
	fi
fi
done_testing
