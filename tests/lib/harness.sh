# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# TAP for shell tests over the built programs. A script begins with
#     . "$(dirname "$0")/../lib/harness.sh"
# makes its checks and ends with done_testing. tools/run-tests gives it a private home, the copy of
# the programs in $CORDON_TEST_ROOT and a subreaper that fails it for any process left behind.
#
# CORDON    the launcher            PROGRAMS  the payload programs (static)
# LIBRARY   the shipped policies    WORK      a scratch directory, removed at the end
# WHO       user | root             OUT ERR STATUS   of the last `run`
set -u

: "${CORDON_TEST_ROOT:?run me through tools/run-tests integration}"
: "${CORDON_TEST_HOME:?}" "${TMPDIR:?}"
# shellcheck disable=SC2034 # read by the scripts
{
	CORDON=$CORDON_TEST_ROOT/build/cordon
	PROGRAMS=$CORDON_TEST_ROOT/build/tests/programs
	LIBRARY=$CORDON_TEST_ROOT/policies/library
	WHO=${CORDON_TEST_WHO:?}
}
WORK=$(mktemp -d "$TMPDIR/work.XXXXXX")
OUT=$WORK/.out
ERR=$WORK/.err
STATUS=0
_n=0
_failed=0
_at_exit=()

# Where a forgotten file could lie, seen from outside. A uid of the test's own owns nothing else, so
# any file of it counts; others have neighbours in /tmp, and are judged by places less used.
_places() {
	if [ -n "${CORDON_TEST_OWN_UID-}" ]; then
		find /tmp /var/tmp /dev/shm -maxdepth 1 -uid "$(id -u)" ! -name 'cordon-test.*' 2>/dev/null |
			sort
	else
		find /dev/shm /run /var/lib -maxdepth 1 -name '*cordon*' 2>/dev/null | sort
	fi
	find "$TMPDIR" "$XDG_RUNTIME_DIR" -mindepth 1 -maxdepth 1 ! -path "$WORK" 2>/dev/null | sort
}
_mounts() {
	awk '{ print $5 }' /proc/self/mountinfo | grep -F -e "$CORDON_TEST_ROOT" -e "$CORDON_TEST_HOME" \
		-e cordon | sort
}
_places_before=$(_places)
_mounts_before=$(_mounts)

_finish() {
	local i
	# A background child that is killed before it executes anything still has this trap.
	[ "$BASHPID" = "$$" ] || return
	for ((i = ${#_at_exit[@]} - 1; i >= 0; i--)); do
		eval "${_at_exit[i]}" >/dev/null 2>&1
	done
	chmod -R u+rwX "$WORK" 2>/dev/null
	rm -rf "$WORK"
}
trap _finish EXIT
trap 'exit 143' TERM

# at_exit COMMAND: run at the end, last first, however the script ends.
at_exit() {
	_at_exit+=("$1")
}

diag() {
	local text=$*
	if [[ ${text//$'\n'/} == *[![:print:]]* ]]; then
		printf '%s\n' "$text" | cat -v | sed 's/^/# /'
	else
		printf '# %s\n' "${text//$'\n'/$'\n'# }"
	fi
}

ok() {
	_n=$((_n + 1))
	printf 'ok %d - %s\n' "$_n" "$1"
}

# not_ok TITLE [WHY]: with the line of the script that asked.
not_ok() {
	local i
	_n=$((_n + 1))
	_failed=$((_failed + 1))
	printf 'not ok %d - %s\n' "$_n" "$1"
	for ((i = 0; i < ${#FUNCNAME[@]}; i++)); do
		[[ ${BASH_SOURCE[i + 1]-} == */harness.sh ]] || break
	done
	diag "at ${BASH_SOURCE[i + 1]##*/}:${BASH_LINENO[i]}"
	shift
	[ $# -eq 0 ] || diag "$@"
	return 0
}

# Whether the launcher under test is a sanitizer's: dynamic, and with terabytes of shadow memory.
sanitized() {
	grep -qa __asan_init "$CORDON"
}
skip() {
	_n=$((_n + 1))
	printf 'ok %d - %s # SKIP %s\n' "$_n" "$1" "$2"
}

# check TITLE COMMAND...: ok when the command returns 0.
check() {
	local title=$1
	shift
	if "$@"; then ok "$title"; else not_ok "$title" "false: $*"; fi
}

# run COMMAND...: into OUT, ERR and STATUS; never ends the script.
run() {
	STATUS=0
	"$@" >"$OUT" 2>"$ERR" || STATUS=$?
}

# pass_on: standard input, but for NULs.
pass_on() {
	local line
	while IFS= read -r line || [ -n "$line" ]; do printf '%s\n' "$line"; done
}

# piped COMMAND...: what it writes comes through a pipe; its status.
piped() {
	"$@" | pass_on
	return "${PIPESTATUS[0]}"
}

_said() {
	diag "exit status $STATUS; standard output:"
	head -c 4000 "$OUT" | cat -v | sed 's/^/#   /'
	diag "standard error:"
	head -c 4000 "$ERR" | cat -v | sed 's/^/#   /'
}

# expect_status N TITLE -- COMMAND...
expect_status() {
	local want=$1 title=$2
	shift 3
	run "$@"
	if [ "$STATUS" -eq "$want" ]; then ok "$title"; else
		not_ok "$title" "status $STATUS, not $want, of: $*"
		_said
	fi
}

# has_line REGEX FILE: whether a line matches, as of grep -E, by this shell: a process takes 20 ms in a guest.
has_line() {
	local _lines=() _line
	mapfile -t _lines 2>/dev/null <"$2"
	for _line in "${_lines[@]}"; do
		[[ $_line =~ $1 ]] && return
	done
	return 1
}

# expect_output TEXT TITLE -- COMMAND...: status 0 and exactly this standard output.
expect_output() {
	local want=$1 title=$2
	shift 3
	run "$@"
	if [ "$STATUS" -eq 0 ] && [ "$(<"$OUT")" = "$want" ]; then ok "$title"; else
		not_ok "$title" "not the output '$want' of: $*"
		_said
	fi
}

# expect_match REGEX TITLE -- COMMAND...: status 0 and a line of standard output that matches.
expect_match() {
	local want=$1 title=$2
	shift 3
	run "$@"
	if [ "$STATUS" -eq 0 ] && has_line "$want" "$OUT"; then ok "$title"; else
		not_ok "$title" "nothing matches '$want' in the output of: $*"
		_said
	fi
}

# expect_error STATUS REGEX TITLE -- COMMAND...: this status and a matching line of standard error.
expect_error() {
	local status=$1 want=$2 title=$3
	shift 4
	run "$@"
	if [ "$STATUS" -eq "$status" ] && has_line "$want" "$ERR"; then ok "$title"; else
		not_ok "$title" "not status $status and a message like '$want' of: $*"
		_said
	fi
}

# inside OPTIONS... -- COMMAND...: a sandbox in which the payload programs are visible.
inside() {
	"$CORDON" run --ro "$PROGRAMS" "$@"
}

# expect_denied TITLE [OPTIONS...] --twin [OPTIONS...] -- COMMAND...
# The command must be refused in a sandbox with the first options and succeed in one with the second:
# a denial alone would also come from a command that cannot work at all. Refused means that the
# payload itself failed: 125, 126, 127 are cordon's own and prove nothing.
expect_denied() {
	local title=$1 denied=() allowed=()
	shift
	while [ "$1" != --twin ]; do
		denied+=("$1")
		shift
	done
	shift
	while [ "$1" != -- ]; do
		allowed+=("$1")
		shift
	done
	shift
	run inside "${denied[@]}" -- "$@"
	if [ "$STATUS" -ne 0 ] && { [ "$STATUS" -lt 125 ] || [ "$STATUS" -gt 127 ]; }; then
		ok "$title: refused"
	else
		not_ok "$title: refused" "status $STATUS of: $* with ${denied[*]-no options}"
		_said
	fi
	run inside "${allowed[@]}" -- "$@"
	if [ "$STATUS" -eq 0 ]; then
		ok "$title: the allowed twin works"
	else
		not_ok "$title: the allowed twin works" "status $STATUS of: $* with ${allowed[*]-no options}"
		_said
	fi
}

# nap SECONDS: of sleep(1) only the end is wanted in a guest, where it takes 20 ms to start.
[ -z "${CORDON_TEST_LANE-}" ] || exec {_silent}<> <(:)
nap() {
	if [ -n "${_silent-}" ]; then read -rt "$1" -u "$_silent" || :; else sleep "$1"; fi
}

# not COMMAND...: for check and wait_for
not() {
	! "$@"
}

# wait_for SECONDS COMMAND...: until the command returns 0; 1 when the time is over.
wait_for() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || return 1
		nap 0.05
	done
}

# fill_fifo FIFO: make it, so full that who writes to it waits, until its reader, descriptor 7 here, is closed.
fill_fifo() {
	mkfifo "$1"
	exec 7<>"$1"
	dd if=/dev/zero of="$1" bs=4096 oflag=nonblock 2>/dev/null
}
# is_filtered PID FILTERS: has so many seccomp filters more than this shell.
is_filtered() {
	[ "$(awk '/^Seccomp_filters:/ { n += FNR == NR ? -$2 : $2 } END { print n }' /proc/$$/status "/proc/$1/status")" = "$2" ]
}

# Nothing of the sandboxes so far is left: no orphan (they come to our parent, the subreaper), no
# mount, no file outside the scratch directory.
_guard=$(awk '{ sub(/^.*\) [A-Za-z] /, ""); print $1 }' "/proc/$PPID/stat")
_orphans() {
	awk -v parent="$_guard" -v runner="$PPID" 'FNR == 1 {
		pid = $1; sub(/^.*\) [A-Za-z] /, ""); if ($1 == parent && pid != runner) print pid }' \
		/proc/[0-9]*/stat 2>/dev/null
}
no_orphans() {
	[ -z "$(_orphans)" ]
}
no_leaks() {
	local places mounts
	if wait_for 2 no_orphans; then ok "$1: no process is left"; else
		not_ok "$1: no process is left" "$(_orphans | xargs -I{} sh -c 'tr "\0" " " </proc/{}/cmdline; echo')"
	fi
	mounts=$(comm -13 <(echo "$_mounts_before") <(_mounts))
	if [ -z "$mounts" ]; then ok "$1: no mount is left"; else not_ok "$1: no mount is left" "$mounts"; fi
	places=$(comm -13 <(echo "$_places_before") <(_places))
	if [ -z "$places" ]; then ok "$1: no file is left"; else not_ok "$1: no file is left" "$places"; fi
}

# Each record of each log that the script left fits doc/audit.schema.json: a name that the schema lacks, or
# a value of another kind, fails the script. HOSTILE_LOGS: names of files that are to be wrong.
HOSTILE_LOGS=()
_records_fit() {
	local name excepted=() checker=$CORDON_TEST_ROOT/tests/lib/checker.pyc
	if [ -n "${CORDON_TEST_LANE-}" ]; then # Python takes seconds to start there: judged outside
		find "$CORDON_TEST_HOME" -type f \( -name '*.jsonl' -o -name '*.jsonl.[0-9]*' \) \
			-exec awk 'FNR <= 1000 { print "@record", FILENAME, $0 }' {} +
		return
	fi
	for name in "${HOSTILE_LOGS[@]}"; do excepted+=(--except "$name"); done
	run python3 "$CORDON_TEST_ROOT/tests/lib/records.py" check "$checker" "${excepted[@]}" \
		"$CORDON_TEST_HOME"
	if [ "$STATUS" -eq 0 ]; then ok "each record fits the schema"; else
		not_ok "each record fits the schema"
		_said
	fi
}

done_testing() {
	_records_fit
	no_leaks "at the end"
	printf '1..%d\n' "$_n"
	[ "$_failed" -eq 0 ]
	exit
}
