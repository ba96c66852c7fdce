#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib/harness.sh
# X5, in full: ten thousand trees, a thousand a seed. `make hostile-trees`.
. "$(dirname "$0")/../lib/harness.sh"
cd "$WORK" || exit 1
SECRET=secret-$(od -An -N 8 -t x8 /dev/urandom | tr -d ' ')
# shellcheck source=tests/escape/trees.bash
. "$(dirname "$0")/trees.bash"
# shellcheck disable=SC2034 # trees.bash reads it
trees_timeout=3600

trees_judge
for seed in {101..110}; do
	if [ "$WHO" = user ]; then trees 1000 "$seed"; else trees 50 "$seed"; fi
done
done_testing
