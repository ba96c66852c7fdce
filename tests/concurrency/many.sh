#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib/harness.sh disable=SC2317 # called by run
# Two hundred launches at any time, for ten minutes (CROWD, CROWD_SECONDS), with one cache and one log, while
# somebody damages the cache: each ends as it should, the log has all of them, and what they take of
# the machine stays the same. `make concurrency`.
. "$(dirname "$0")/../lib/harness.sh"
cd "$WORK" || exit 1
: "${CROWD:=200}" "${CROWD_SECONDS:=600}"
[ "$WHO" = user ] || CROWD_SECONDS=$((CROWD_SECONDS / 10 + 20))
LOG=$WORK/crowd.jsonl
CACHE=$XDG_CACHE_HOME/cordon
end=$((SECONDS + CROWD_SECONDS))

# worker NUMBER: launches one after another; tells how many, and each that ended in another way
worker() {
	local n=0 want status
	while [ "$SECONDS" -lt "$end" ]; do
		want=$(((n + $1) % 100))
		"$CORDON" run -q --audit "file:$LOG" --ro "$PROGRAMS" -- sh -c "$PROGRAMS/denied 3 >/dev/null; exit $want" \
			2>"err.$1" </dev/null
		status=$?
		[ "$status" -eq "$want" ] || echo "$1: $status, not $want: $(head -n 1 "err.$1")" >>wrong
		[ ! -s "err.$1" ] || head -n 3 "err.$1" >>said
		n=$((n + 1))
	done
	echo "$n" >"count.$1"
}
# An entry that was half written, one of another's bytes, one that went: each is made anew.
damage() {
	local entry
	entry=$(find "$CACHE" -name '*.bundle' | shuf -n 1)
	[ -n "$entry" ] || return 0
	case $((RANDOM % 3)) in
	0) truncate -s 100 "$entry" ;;
	1) printf 'x%.0s' {1..64} | dd of="$entry" bs=1 seek=$((RANDOM % 200)) conv=notrunc status=none ;;
	2) rm -f "$entry" ;;
	esac
	damaged=$((damaged + 1))
} 2>/dev/null
sample() { # processes of this user, open files of the machine, KiB of memory in use
	echo "$(find /proc -maxdepth 1 -name '[0-9]*' -uid "$(id -u)" 2>/dev/null | wc -l)" \
		"$(cut -f 1 /proc/sys/fs/file-nr)" \
		"$(awk '/^MemTotal:/ { t = $2 } /^MemAvailable:/ { print t - $2 }' /proc/meminfo)"
}
files() {
	find /proc/self/fd "$XDG_RUNTIME_DIR" "$CACHE" /tmp /dev/shm -maxdepth 1 -uid "$(id -u)" 2>/dev/null | wc -l
}

"$CORDON" run -q --audit "file:$LOG" -- true
files_before=$(files)
: >wrong
: >said
damaged=0
workers=()
for ((i = 0; i < CROWD; i++)); do
	worker "$i" &
	workers+=($!)
done
while [ "$SECONDS" -lt "$end" ]; do
	sleep 2
	sample >>samples
	damage
done
wait "${workers[@]}"
launches=$(($(cat count.* | paste -s -d +) + 1))
diag "$CROWD at once for $CROWD_SECONDS s: $launches launches, $damaged damages to the cache"
check "more launches than there are at once" test "$launches" -gt "$CROWD"
check "the cache was damaged" test "$damaged" -gt 0
check "each ended as it should" test ! -s wrong
[ ! -s wrong ] || diag "$(wc -l <wrong) did not:" "$(head -n 20 wrong)"
check "the log is whole" "$CORDON" audit verify "$LOG"
# A machine that keeps a launch from the log's lock for two seconds at its end loses what it would have written, which
# it says: nothing else may be missing, and no more than one in a thousand.
[ ! -s said ] || diag "$(wc -l <said) lines of launches:" "$(head -n 20 said)"
read -r opened closed denied < <(jq -r 'select(.type == "open" or .type == "close") | "\(.type) \(.denials)"' "$LOG" |
	awk '$1 == "open" { opened++ } $1 == "close" { closed++; denied += $2 } END { print opened + 0, closed + 0, denied + 0 }')
read -r lost unwritten < <(awk '/^cordon: [0-9]+ audit records \([0-9]+ denials\) could not be written to / {
	denials += substr($5, 2); n += $2 - substr($5, 2) } END { print n + 0, denials + 0 }' said)
check "and has the beginning of each" test "$opened" -eq "$launches"
check "and the end of each that did not say that it was lost" test $((launches - closed)) -le "$lost"
check "which are few" test $((launches - closed)) -le $((launches / 1000 + 1))
check "and every denial, in records or counted" test "$denied" -eq $((3 * (closed - 1)))
check "of which few are only told as lost" test "$unwritten" -le $((launches * 3 / 1000 + 3))

# The first tenth is the beginning, when all compile.
flat() { # COLUMN SLACK: the mean of the last third is that of the second, within a tenth and SLACK
	awk -v column="$1" -v slack="$2" '{ x[NR] = $column }
		END { for (i = int(NR / 3) + 1; i <= int(2 * NR / 3); i++) { a += x[i]; n++ }
			for (i = int(2 * NR / 3) + 1; i <= NR - 2; i++) { b += x[i]; m++ }
			printf "# column %d: %.0f, then %.0f\n", column, a / n, b / m
			exit !(m > 0 && b / m <= a / n * 1.1 + slack) }' samples
}
# Root's part is short, and on a machine that is this busy one look takes ten seconds.
if [ "$WHO" = user ]; then
	check "the number of processes is flat" flat 1 "$CROWD" # a launch is one to four of them
	check "so is that of open files" flat 2 500
	check "so is memory" flat 3 65536
fi
check "no file is left" test "$(files)" -le "$files_before"
done_testing
