# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# For scripts over harness.sh about a log that cannot be written: a payload that makes refused calls when
# it is told to, and what must hold at its end. The script has made the FIFO orders.
# shellcheck disable=SC2016 # jq's

# How long a refused call may take while its log cannot be written: the wait for a lock or a reader (0.1 s),
# once, and how busy the machine is.
MOST_US=5000000
made=0

# begin OPTIONS...: a sandbox with a payload that makes refused calls when told. Without flood control's
# bound, so that most are a record of their own.
begin() {
	made=0
	: >answers
	"$CORDON" run --ro "$PROGRAMS" --audit-flood 64M "$@" -- "$PROGRAMS/outage" <orders >answers 2>said &
	supervisor=$!
	exec 7>orders
}
answered() {
	[ "$(wc -l <answers)" -ge "$1" ]
}
# deny N: N refused calls, and until they are answered
deny() {
	local before
	before=$(wc -l <answers)
	echo "$1" >&7
	made=$((made + 1 * ${1%% *}))
	wait_for 60 answered $((before + 1)) || diag "the payload did not answer"
	sleep 0.05 # records wait for each other 10 ms
}
end() {
	exec 7>&-
	STATUS=0
	wait "$supervisor" || STATUS=$?
}

enforced() { # TITLE
	check "$1: each call was refused" test "$(jq -s -c '[(map(.made) | add), (map(.refused) | add)]' answers)" = "[$made,$made]"
	check "$1: the payload ended well" test "$STATUS" -eq 0
	check "$1: no answer came late" jq -e -s --argjson most "$MOST_US" 'map(.max_us) | max <= $most' answers
	diag "$1: the slowest answer took $(jq -s 'map(.max_us) | max' answers) us"
}
sum() { # LOG: denials that records, counts and losses tell of
	jq -s 'map(if .type == "denial" or .type == "summary" then .count elif .type == "lost" then .denials else 0 end) | add' "$1"
}
lost() { # LOG: how many lost records
	jq -s 'map(select(.type == "lost")) | length' "$1"
}
# told LOG SINK WHY: the sentence at the end has the numbers of the log's closing record
told() {
	local numbers
	numbers=$(jq -r -s 'map(select(.type == "close"))[-1].lost | "\(.records) audit records (\(.denials) denials)"' "$1")
	grep -Fqx "cordon: $numbers could not be written to $2 ($3), which it says itself; the policy was enforced" said ||
		{ diag "said: $(cat said)"; diag "closing record: $numbers"; return 1; } >&2
}

# verify LOG: a reader is confined and goes through no other process's /proc, but may be started there.
verify() {
	local pid=${1#/proc/}
	pid=${pid%%/*}
	case $1 in
	/proc/*/root/*)
		nsenter --target "$pid" --user --preserve-credentials --mount \
			"$CORDON" audit verify "${1#"/proc/$pid/root"}"
		;;
	*) "$CORDON" audit verify "$1" ;;
	esac
}
exact() { # TITLE LOG LOSSES
	check "$1: records, counts and losses are what was made" test "$(sum "$2")" = "$made"
	check "$1: $3 lost records" test "$(lost "$2")" = "$3"
	expect_status 0 "$1: the log is whole" -- verify "$2"
}
