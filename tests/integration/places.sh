#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib/harness.sh disable=SC2016,SC2317 # expanded inside; called by run
# Opening and closing single places: --ro --rw --overlay --hide --tmpfs --dir --symlink --file, which of
# them wins, what is refused, and the limits of the upper.
. "$(dirname "$0")/../lib/harness.sh"
cd "$WORK" || exit 1
mkdir -p a/b/c other empty
echo top >a/file
echo deep >a/b/file

# --- the working directory
expect_output top "the working directory is readable" -- "$CORDON" run -- cat a/file
expect_denied "writing to the working directory" --twin --rw . -- touch a/new
check "what --rw wrote is there" test -f a/new -a "$(stat -c %u:%g a/new)" = "$(id -u):$(id -g)"
expect_status 0 "--rw as uid 0 inside" -- "$CORDON" run --rw . --uid 0 -- touch a/as-root
check "is still the caller's outside" test "$(stat -c %u:%g a/as-root)" = "$(id -u):$(id -g)"
expect_denied "removing below --ro" --twin --rw . -- rm a/new
check "what --rw removed is gone" test ! -e a/new
expect_output "$WORK/a" "--cwd, relative" -- "$CORDON" run --ro a --cwd a -- pwd -P
expect_output "/usr" "--cwd, absolute" -- "$CORDON" run --cwd /usr -- pwd -P

# --- which wins: the deepest path
expect_denied "--rw above, --ro below" --rw a --ro a/b --twin --rw a -- touch a/b/x
expect_status 0 "--rw above, --ro below: above" -- "$CORDON" run --ro a/b --rw a -- touch a/x
expect_status 0 "--ro above, --rw below" -- "$CORDON" run --ro a --rw a/b -- touch a/b/y
check "--ro above, --rw below: it stays" test -e a/b/y
expect_denied "--ro above, --rw below: above" --rw a/b --ro a --twin --rw a -- touch a/y
expect_denied "--hide below" --ro a --hide a/b --twin --ro a -- cat a/b/file
expect_denied "--hide of a file" --hide a/file --twin --ro a -- grep -q top a/file
expect_output "deep" "--hide above, --ro below" -- "$CORDON" run --hide a --ro a/b -- cat a/b/file
expect_output "deep file" "--tmpfs above, --ro below" -- \
	"$CORDON" run --tmpfs a --ro a/b -- sh -c 'echo "$(cat a/b/file)" $(test -e a/file || echo file)'
for option in --hide --dir; do
	expect_output "x" "$option above, --tmpfs below takes files" -- \
		"$CORDON" run --ro a $option a/b --tmpfs a/b/c -- sh -c 'touch a/b/c/x && ls -A a/b/c'
	expect_denied "$option above, --tmpfs below: above" --ro a $option a/b --tmpfs a/b/c --twin --ro a --tmpfs a/b -- touch a/b/x
done
expect_output "c" "three deep" -- "$CORDON" run --ro a --tmpfs a/b --ro a/b/c -- ls -A a/b
expect_status 0 "a file over a directory's" -- "$CORDON" run --ro a --rw a/file -- sh -c 'echo more >>a/file'
check "a file over a directory's: it stays" grep -q more a/file
expect_error 125 "do both --ro and --rw to '$WORK/a'" "two wishes for one path" -- \
	"$CORDON" run --ro a --rw "$WORK/./b/../a/" -- true

# --- an option outranks the policy, the policy the built-in
cat >narrow.policy <<END
policy narrow
use default
hide $WORK/a
read $WORK/other
tmpfs $WORK/empty
END
expect_denied "what the policy hides" --policy ./narrow.policy --twin --policy ./narrow.policy --ro a -- cat a/b/file
expect_denied "what the policy only lets read" --policy ./narrow.policy --twin --policy ./narrow.policy --rw other -- \
	touch other/x
echo x >empty/file
expect_denied "what the policy empties" --policy ./narrow.policy --twin --policy ./narrow.policy --ro empty -- \
	cat empty/file

# --- other places
expect_output "top more" "--ro at another path" -- "$CORDON" run --ro a:/data/in -- sh -c 'echo $(cat /data/in/file)'
expect_denied "--ro at another path: writing" --ro a:/data/in --twin --rw a:/data/in -- touch /data/in/z
check "--rw at another path: it stays" test -e a/z
mkdir 'co:lon'
echo col >'co:lon/file'
expect_output col "a colon in a path" -- "$CORDON" run --ro 'co\:lon:/data' -- cat /data/file
expect_output "" "--tmpfs" -- "$CORDON" run --tmpfs a -- sh -c 'echo x >a/x; rm a/x; ls -A a'
expect_output "dir 0" "--dir" -- "$CORDON" run --dir /some/dir -- sh -c 'test -d /some/dir && echo dir $(ls -A /some/dir | wc -l)'
expect_denied "--dir takes no file" --dir /some/dir --twin --tmpfs /some/dir -- touch /some/dir/x
expect_output "tgt" "--symlink" -- "$CORDON" run --symlink tgt:/some/link -- readlink /some/link
exec 7<<<"yielded"
expect_output "yielded" "--file" -- "$CORDON" run --file 7:/some/file -- cat /some/file
exec 7<<<"yielded"
expect_denied "--file is read-only" --file 7:/some/file --twin --tmpfs /some -- sh -c 'echo x >/some/file'
exec 7<&-
expect_error 125 "descriptor" "--file of a closed descriptor" -- "$CORDON" run --file 7:/some/file -- true
# Each number that the launcher's own descriptors come to have, too: none is taken for the caller's.
ours=
for fd in {3..12}; do
	run timeout 20 bash -c "exec $fd<&-; exec \"\$@\"" _ "$CORDON" run --file "$fd:/some/file" -- true
	if [ "$STATUS" -ne 125 ] || ! grep -q 'no open descriptor' "$ERR"; then ours+=" $fd"; fi
	run timeout 20 bash -c "exec $fd<&-; exec \"\$@\"" _ "$CORDON" run --fd "$fd" -- true
	if [ "$STATUS" -ne 125 ] || ! grep -q 'no open descriptor' "$ERR"; then ours+=" $fd"; fi
done
check "--file and --fd of one that the caller has not opened" test -z "$ours"
# Below a writable place, and over what the host has: mounts of their own, so nothing can be written.
exec 7<<<"yielded"
expect_output "yielded" "--file over a file of the host" -- "$CORDON" run --file 7:/etc/hostname -- cat /etc/hostname
expect_denied "--dir below a writable place takes no file" --dir /tmp/d --twin --tmpfs /tmp/d -- touch /tmp/d/x
exec 7<<<"yielded"
expect_denied "--file below a writable place is read-only" --file 7:/tmp/f --twin --tmpfs /tmp -- sh -c 'echo x >/tmp/f'
exec 7<&-
expect_denied "/srv" --cwd / --twin --tmpfs /srv -- ls /srv

# --- overlays
mkdir -p tree/dir
echo one >tree/dir/one
hash_tree() {
	(cd "$1" && find . -printf '%p %m %U %s %l\n' -type f -exec sha256sum {} + | LC_ALL=C sort | sha256sum)
}
before=$(hash_tree tree)
expect_output "two one" "--overlay takes changes" -- "$CORDON" run --overlay tree -- sh -c \
	'cd tree && echo two >dir/two && cp -p dir/one dir/o && mv dir/o dir/one && chmod 700 dir/one && echo $(cat dir/two dir/one)'
expect_output "" "--overlay: a lower directory can be removed" -- \
	"$CORDON" run --overlay tree -- sh -c 'rm -r tree/dir && mkdir tree/dir && ls -A tree/dir'
check "--overlay: nothing came to the host" test "$(hash_tree tree)" = "$before"
expect_output "one" "--overlay at another path" -- "$CORDON" run --overlay tree:/t -- sh -c 'touch /t/x && cat /t/dir/one'
check "--overlay at another path: nothing came to the host" test "$(hash_tree tree)" = "$before"
expect_error 125 "overlay over '.*/a/file'" "--overlay of a file" -- "$CORDON" run --overlay a/file -- true
if [ "$WHO" = user ]; then
	expect_error 125 "overlay over '/usr'" "--overlay of another's tree" -- "$CORDON" run --overlay /usr -- true
	check "--overlay of another's tree: the hint" grep -q '^hint: .*own' "$ERR"
fi

# --- refused
ln -s a link
ln -s missing dangling
mkdir -p t
ln -s ../a t/link
for option in --ro --rw --overlay; do
	expect_error 125 "cannot use '$WORK/link' for $option" "$option of a symlink" -- "$CORDON" run $option link -- true
	check "$option of a symlink: the hint names the real path" grep -q "^hint: .*$WORK/a" "$ERR"
	expect_error 125 "link/b' for $option" "$option through a symlink" -- "$CORDON" run $option t/link/b -- true
	expect_error 125 "dangling' for $option" "$option of a dangling symlink" -- "$CORDON" run $option dangling -- true
	expect_error 125 "missing' for $option: No such" "$option of what is missing" -- "$CORDON" run $option missing -- true
	expect_error 125 "cannot use '/' for $option" "$option /" -- "$CORDON" run $option / -- true
	expect_error 125 "'/proc/sys' for $option" "$option /proc/sys" -- "$CORDON" run $option /proc/sys -- true
done
for option in --hide --tmpfs --dir; do
	expect_error 125 "cannot use '/' for $option" "$option /" -- "$CORDON" run $option / -- true
	expect_error 125 "'/proc/self' for $option" "$option /proc/self" -- "$CORDON" run $option /proc/self -- true
done
expect_error 125 "'/dev'" "--ro /dev" -- "$CORDON" run --ro /dev -- true
expect_error 125 "empty" "an empty path" -- "$CORDON" run --ro '' -- true
expect_error 125 "empty" "an empty destination" -- "$CORDON" run --ro a: -- true
expect_error 125 "--symlink" "--symlink without a place" -- "$CORDON" run --symlink x -- true
expect_error 125 "mount point '/opt/x'" "a destination in a read-only place" -- "$CORDON" run --ro a:/opt/x -- true
check "a destination in a read-only place: the hint" grep -q '^hint: ' "$ERR"
mkfifo fifo
expect_status 0 "a FIFO can be shown, and is not opened" -- timeout 10 "$CORDON" run --ro fifo -- test -p fifo
expect_status 0 "a character device of /dev can be given" -- "$CORDON" run --ro /dev/null:/dev/nil -- test -c /dev/nil

# --- the upper and its limits
expect_denied "--upper none: /tmp" --upper none --twin --upper tmpfs -- touch /tmp/x
expect_denied "--upper none: the home directory" --upper none --twin --upper tmpfs -- sh -c 'touch ~/x'
for place in /var/tmp /run /dev/shm; do
	expect_denied "--upper none: $place" --upper none --twin --upper tmpfs -- touch "$place/x"
done
expect_denied "--upper none: --tmpfs by name takes files" --upper none --twin --upper none --tmpfs /data -- sh -c \
	'test -d /data || exit 1; touch /data/x'
expect_status 0 "--upper none: --rw still writes" -- "$CORDON" run --upper none --rw other -- touch other/y
expect_error 125 "needs a --base|keep the upper" "--upper DIR without a base" -- "$CORDON" run --upper other -- true
run "$CORDON" run --limit upper=4M -- sh -c 'head -c 8M /dev/zero >/tmp/big'
check "a full upper says so inside" grep -q 'No space left' "$ERR"
check "and is not cordon's failure" test "$STATUS" -eq 1
expect_status 0 "a big enough upper: the allowed twin" -- \
	"$CORDON" run --limit upper=16M -- sh -c 'head -c 8M /dev/zero >/tmp/big'
expect_denied "all writable places share the limit" --limit upper=4M --twin --limit upper=16M -- \
	sh -c 'head -c 2M /dev/zero >/tmp/1 && head -c 2M /dev/zero >~/2 && head -c 2M /dev/zero >/dev/shm/3'
expect_denied "so do overlays" --limit upper=4M --overlay tree --twin --limit upper=16M --overlay tree -- \
	sh -c 'head -c 6M /dev/zero >tree/big'
expect_denied "the number of files is limited" --limit inodes=200 --twin --limit inodes=2000 -- \
	sh -c 'i=0; while [ $i -lt 500 ]; do : >/tmp/$i || exit 1; i=$((i+1)); done'
expect_status 0 "an upper of a page" -- "$CORDON" run --limit upper=4K -- true
many=()
for i in {1..520}; do many+=(--dir "/d$i"); done
expect_error 125 "too many paths" "too many places" -- "$CORDON" run "${many[@]}" -- true
expect_status 0 "many places: the allowed twin" -- "$CORDON" run "${many[@]:0:900}" -- test -d /d450

done_testing
