#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib/harness.sh disable=SC2154,SC2317 # OUT comes from the harness
# doc/tutorial-policy.md: each command that it shows is run, and prints what it says.
. "$(dirname "$0")/../lib/harness.sh"
cd "$WORK" || exit 1

if [ "$WHO" = root ]; then
	skip "doc/tutorial-policy.md" "nginx gives its files to another user when root starts it"
	done_testing
	exit
fi
PATH=$CORDON_TEST_ROOT/build:$PATH
python3 "$CORDON_TEST_ROOT/tests/lib/transcript.py" "$CORDON_TEST_ROOT/doc/tutorial-policy.md" >"$OUT" 2>&1
status=$?
while IFS= read -r line; do
	case $line in
	"ok "*) ok "${line#* - }" ;;
	"not ok "*) not_ok "${line#* - }" ;;
	*) printf '%s\n' "$line" | sed 's/^[^#]/# &/' ;;
	esac
done < <(grep -v '^1\.\.' "$OUT")
# A transcript that stops half-way prints no failure of its own.
if [ "$status" -gt 1 ]; then not_ok "the transcript runs to its end"; else ok "the transcript runs to its end"; fi
done_testing
