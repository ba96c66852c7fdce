#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib/harness.sh
# X4, in full: 100,000 exchanges during launches for each kind of path, and one exchange before each
# call of a launch. `make races`.
. "$(dirname "$0")/../lib/harness.sh"
cd "$WORK" || exit 1
# shellcheck source=tests/races/races.bash
. "$(dirname "$0")/races.bash"
# shellcheck disable=SC2034 # races.bash reads it
race_timeout=14000

races_judge
if [ "$WHO" = user ]; then
	races "100,000 tries a kind" -- --tries 100000 --launches 400 --seed 1
	races "one exchange before each call" -- --exact all
	races "one mount before each call" unshare --user --map-root-user --mount -- --exact all --mounts yes
else
	races "1,000 tries a kind" -- --tries 1000 --launches 20 --seed 1
fi
done_testing
