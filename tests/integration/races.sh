#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib/harness.sh
# X4, a selection: somebody of the same user exchanges the components of what is named while it is
# launched on, by chance and at known points. `make races` does it in full.
. "$(dirname "$0")/../lib/harness.sh"
cd "$WORK" || exit 1
# shellcheck source=tests/races/races.bash
. "$(dirname "$0")/../races/races.bash"

races_judge
if [ "$WHO" = root ]; then
	races "by chance" -- --launches 4
else
	races "by chance" -- --launches 8 --seed "${CORDON_TEST_SEED:-1}"
	# a sanitizer's launcher makes most of its calls for itself
	if ! sanitized; then
		races "one exchange before a call" -- --exact 3 --seed "${CORDON_TEST_SEED:-1}"
		races "one mount before a call" unshare --user --map-root-user --mount -- --exact 1 --mounts yes
	fi
fi
done_testing
