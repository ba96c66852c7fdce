# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The attempts of tests/programs/attempts, made with one mechanism in force, and the judge of what came of
# it: what tests/integration/gaps.sh and tests/vm/gaps.sh share. Read behind harness.sh; makes the arena,
# two policies (tree, ports) and the baseline.
# A launch looks at where it begins, and so as whoever begins it.
cd "$WORK" || exit 1
POLICY=$CORDON_TEST_ROOT/build/cordon-policy
ARENA=${GAPS_ARENA:-$WORK/a}
PORT=$((20000 + $$ % 10000 * 2))
HERE=
# shellcheck disable=SC2034 # read by who reads this
[[ ! $("$CORDON" doctor 2>/dev/null) =~ \ Landlock\ +ABI\ ([0-9]+) ]] || HERE=${BASH_REMATCH[1]}

# Some of what is attempted would work for root.
as_user=()
if [ "$WHO" = root ]; then
	as_user=("$PROGRAMS/as" 59742 -)
	chmod 0755 "$CORDON_TEST_HOME" "$TMPDIR" "$WORK"
	mkdir -p "$ARENA" "$WORK/state"
	chown 59742:59742 "$ARENA" "$WORK/state"
	export XDG_STATE_HOME=$WORK/state
fi
# An emulated machine takes its time.
SECONDS_EACH=120
[ -z "${CORDON_TEST_SLOW-}" ] || SECONDS_EACH=900
attempts() {
	ATTEMPTS_TRUE=$PROGRAMS/true "${as_user[@]}" timeout $SECONDS_EACH "$PROGRAMS/attempts" "$@" </dev/null
}

sed "s|@ARENA@|$ARENA|" "$CORDON_TEST_ROOT/tests/lib/gaps_tree.policy" >"$WORK/tree.policy"
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

# Where who listens is not one outside: a context of SELinux' and the area.
[ -v OWN_SOCKET ] || OWN_SOCKET=()
# The process outside, which listens; it stays, as attempts name it.
attempts prepare "$ARENA"
timeout $((SECONDS_EACH * 20)) "${as_user[@]}" "$PROGRAMS/attempts" serve "$ARENA" "$PORT" "$((PORT + 1))" \
	"${OWN_SOCKET[@]}" >"$WORK/pid" &
SERVER=$!
at_exit "kill -KILL \$(cat '$WORK/pid'); kill $SERVER"
wait_for 30 test -s "$WORK/pid"
# Once more before each round, for who has something to do to the files.
[ "$(type -t prepared)" = function ] || prepared() { :; }
try() {
	attempts prepare "$ARENA"
	prepared
	"$@" "$ARENA" "$(<"$WORK/pid")" "$PORT" "$((PORT + 1))" "$((PORT + 2))"
}

attempts_with() {
	local extra=$1
	shift
	# shellcheck disable=SC2086 # words
	attempts try "$@" $extra
}
try attempts_with "" >"$WORK/baseline"
N=$(wc -l <"$WORK/baseline")
check "there are over 200 attempts" [ "$N" -ge 200 ]
check "most of them work without a mechanism" [ "$(grep -c 'allowed$' "$WORK/baseline")" -ge 200 ]
# What is refused of these cannot be told from what is not; alone counts and lists them.
NO_CALLS=$(grep -c "denied 38\$" "$WORK/baseline")

# judge MECHANISM[,MECHANISM...] POLICY ABI LEAST WHAT COMMAND...: make the attempts by COMMAND and hold them
# against the promises; at least LEAST of them are refusals of what works. A promise is broken when it is twice:
# a process of several hundred that a loaded machine ends early has no answer to give.
# What cannot be judged is counted: UNJUDGED, or, where a kernel is not known, no more than it lacks.
judge() {
	local mechanism=$1 policy=$2 abi=$3 least=$4 what=$5 last telling unjudged status
	shift 5
	for _ in 1 2; do
		status=0
		try "$@" >"$WORK/outcome" || status=$?
		if timeout $SECONDS_EACH "$PROGRAMS/alone" check "$mechanism" "$policy" "$LIBRARY" "$abi" \
			"$WORK/baseline" "$WORK/outcome" >"$WORK/verdict"; then
			last=$(tail -n 1 "$WORK/verdict")
			diag "$title: $mechanism$what: $last"
			telling=${last#*telling }
			if [ "$mechanism" != view ] && [[ $last != "attempts $N "* ]]; then
				not_ok "$title: $mechanism$what: all were made" "$last"
			elif unjudged=${last#*unjudged } && unjudged=${unjudged%% *} &&
				{ [ "$unjudged" -gt $((NO_CALLS + 1)) ] || [ "${UNJUDGED:-$unjudged}" -ne "$unjudged" ]; }; then
				not_ok "$title: $mechanism$what: no more is left unjudged" "$(grep -e ^unjudged -e ^attempts "$WORK/verdict")"
			elif [ "${telling%% *}" -ge "$least" ]; then
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

# By this shell: jq(1) takes a fifth of a second to start in a guest. An object that is in none of the forms, as one
# with an escape in its place would be, ends as a line that attempts does not know.
ruleset() {
	local hex='"(0x[0-9a-f]+)"' json object
	json=$(<"$WORK/e/alone.landlock.json")
	[[ $json =~ \"handled_access_fs\":$hex.*\"handled_access_net\":$hex.*\"scoped\":$hex ]] &&
		printf 'handled %s %s %s\n' "${BASH_REMATCH[@]:1}"
	while IFS= read -r -d '{' object || [ -n "$object" ]; do
		if [[ $object =~ ^\"place\":\"([^\"\\]*)\",\"allowed_access\":$hex, ]]; then
			printf 'path %s %s\n' "${BASH_REMATCH[2]}" "${BASH_REMATCH[1]}"
		elif [[ $object =~ ^\"first\":([0-9]+),\"last\":([0-9]+),\"allowed_access\":$hex, ]]; then
			printf 'port %s %s %s\n' "${BASH_REMATCH[3]}" "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
		else
			printf '%s\n' "$object"
		fi
	done <<<"${json#*\"paths\":[\{}"
}

# capability_mask: of what was built.
capability_mask() {
	[[ $(<"$WORK/e/alone.capabilities.json") =~ \"mask\":\"(0x[0-9a-f]+)\" ]] && echo "${BASH_REMATCH[1]}"
}

build() {
	"$POLICY" build "$WORK/alone.policy" --search "$WORK" --search "$LIBRARY" -o "$WORK/e" "$@"
}

# begin POLICY: what follows is about it, by the name of alone.
begin() {
	title=$1
	printf 'policy alone\nuse %s\nkernel 6.18\nnotify off\n' "$1" >"$WORK/alone.policy"
}

# landlock_alone ABI LEAST: of what was built
landlock_alone() {
	ruleset >"$WORK/ruleset"
	judge landlock "$WORK/alone.policy" "$1" "$2" " ABI $1" attempts_with "landlock $WORK/ruleset"
}

view() {
	timeout $SECONDS_EACH "${as_user[@]}" "$PROGRAMS/alone" view "$WORK/alone.policy" "$LIBRARY" \
		"$PROGRAMS/attempts" try "$@" view
}
