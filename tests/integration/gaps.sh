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
# shellcheck source=tests/lib/gaps.sh
. "$(dirname "$0")/../lib/gaps.sh"

tried=() # by ABI of Landlock

# alone POLICY SECCOMP LANDLOCK CAPABILITIES VIEW: with how many telling refusals at least
alone() {
	local abi
	begin "$1"
	build --emit seccomp,capabilities
	judge seccomp "$WORK/alone.policy" 0 "$2" "" attempts_with "seccomp $WORK/e/alone.bpf"
	for ((abi = 1; abi <= ${HERE:-0} && abi <= 11; abi++)); do
		build --emit landlock --landlock-abi "$abi"
		landlock_alone "$abi" "$3"
		tried[abi]=yes
	done
	judge capabilities "$WORK/alone.policy" 0 "$4" "" \
		attempts_with "capabilities $(capability_mask)"
	judge view "$WORK/alone.policy" 0 "$5" "" view
}

check "this kernel's Landlock ABI is known" [ "${HERE:-0}" -ge 1 ]
alone tree 40 100 10 200
# No guest has ABI 7 as its own: tests/vm/gaps.sh plays it on a newer kernel.
if [ "${HERE:-0}" -ge 7 ]; then
	check "ABI 7 of Landlock was tried" [ "${tried[7]-}" = yes ]
else
	skip "ABI 7 of Landlock was tried" "this kernel has ABI ${HERE:-0}"
fi
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
