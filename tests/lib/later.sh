# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Checks of a log that tools/run-tests makes outside the guest, where jq(1) starts in 5 ms and not in 230. Read
# behind harness.sh.

# later TITLE LOG FILTER: ok when what FILTER says last is true of the list of the records that LOG has now. jq's,
# with what later.jq defines. The log has to be there when the script ends, with its first thousand records.
later() {
	local records=() i
	mapfile -t records <"$2"
	for ((i = 0; i < ${#FUNCNAME[@]}; i++)); do
		[ "${FUNCNAME[i + 1]-main}" != main ] || break
	done
	_n=$((_n + 1))
	printf '@later %d\t%d\t%s\t%s\t%s\t%s\n' "$_n" "${#records[@]}" "$2" "${BASH_SOURCE[i + 1]##*/}:${BASH_LINENO[i]}" \
		"$1" "${3//[$'\n\t']/ }"
}

# opening TITLE FILTER: true of the last sandbox's opening record in $LOG
opening() {
	later "$1" "$LOG" "opened | $2"
}
