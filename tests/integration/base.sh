#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib/harness.sh disable=SC2016,SC2317 # expanded inside; called by run
# A base of one's own: one overlay, writable everywhere, unchanged afterwards; stacked bases; a kept upper;
# file systems that no overlay goes over; and bases made by an enemy.
. "$(dirname "$0")/../lib/harness.sh"
cd "$WORK" || exit 1
BUSYBOX=$(command -v busybox)

make_base() { # DIR: a small root with a static shell
	local applet
	mkdir -p "$1"/{bin,etc,home,lib/deep,tmp,usr/share}
	cp "$BUSYBOX" "$1/bin/busybox"
	for applet in sh cat ls mkdir rm mv touch echo id true pwd stat readlink test cp ln find env sleep chmod; do
		ln -s busybox "$1/bin/$applet"
	done
	echo 'root:x:0:0::/:/bin/sh' >"$1/etc/passwd"
	echo lower >"$1/etc/file"
	echo one >"$1/lib/deep/one"
	echo two >"$1/lib/deep/two"
}
hash_tree() {
	(cd "$1" && find . -printf '%p %y %m %U:%G %l\n' -type f -exec sha256sum {} + | LC_ALL=C sort | sha256sum)
}
make_base base
before=$(hash_tree base)

# --- a base is the root, and takes changes that do not stay
expect_output "lower" "the base is the root" -- "$CORDON" run --base base -- /bin/cat /etc/file
expect_output "bin dev etc home lib proc run tmp usr var" "nothing of the host is in it" -- \
	"$CORDON" run --base base -- sh -c 'cd / && echo $(ls)'
for path in / /etc /lib/deep /usr/share /bin /var; do
	expect_status 0 "$path takes a file" -- "$CORDON" run --base base -- sh -c "echo x >$path/new && cat $path/new"
done
expect_output "changed" "a file of the base can be changed" -- \
	"$CORDON" run --base base -- sh -c 'echo changed >/etc/file; chmod 600 /etc/file; cat /etc/file'
expect_output "gone" "a file of the base can be removed" -- \
	"$CORDON" run --base base -- sh -c 'rm /etc/file && [ ! -e /etc/file ] && echo gone'
expect_output "" "a removed and remade directory is empty" -- \
	"$CORDON" run --base base -- sh -c 'rm -r /lib/deep && mkdir /lib/deep && ls -A /lib/deep'
expect_output "one two" "a directory can be moved (by copying: rename is EXDEV)" -- \
	"$CORDON" run --base base -- sh -c 'mv /lib/deep /lib/else && [ ! -e /lib/deep ] && echo $(ls /lib/else)'
expect_output "two" "a file moves over another" -- \
	"$CORDON" run --base base -- sh -c 'mv /lib/deep/two /lib/deep/one && cat /lib/deep/one'
expect_output "2" "a hard link" -- "$CORDON" run --base base -- sh -c 'ln /etc/file /etc/link && stat -c %h /etc/link'
expect_output "0 root" "--uid 0 in a base" -- "$CORDON" run --base base --uid 0 -- sh -c 'echo $(id -u) $(id -un)'
check "the base is as it was" test "$(hash_tree base)" = "$before"
expect_error 125 "mount point '/(dev|proc)'" "--upper none: a base without /dev and /proc" -- \
	"$CORDON" run --base base --upper none -- true
check "--upper none: a base without /dev and /proc: the hint" grep -q '^hint: .*--upper none' "$ERR"
mkdir base/dev base/proc base/opt
before=$(hash_tree base)
expect_denied "--upper none: no change" --base base --upper none --ro "$PROGRAMS:/opt" --twin --base base -- touch /etc/new
expect_error 125 "mount point|Read-only" "--upper none: what a base lacks cannot be made" -- \
	"$CORDON" run --base base --upper none --dir /absent -- true
expect_output "lower" "--upper none: the base is readable" -- "$CORDON" run --base base --upper none -- cat /etc/file
check "the base is still as it was" test "$(hash_tree base)" = "$before"
expect_output "fd full null ptmx pts random shm stderr stdin stdout tty urandom zero" "/dev is the sandbox's" -- \
	"$CORDON" run --base base -- sh -c 'echo $(ls -A /dev)'
expect_output "1 2" "/proc is the sandbox's" -- "$CORDON" run --base base -- \
	sh -c 'cd /proc; echo $(echo [0-9]* | busybox tr " " "\n" | busybox head -n 2)'
expect_output "/" "the working directory is /" -- "$CORDON" run --base base -- pwd
expect_output "/lib" "--cwd in a base" -- "$CORDON" run --base base --cwd /lib -- pwd
mkdir -p data
echo given >data/file
expect_output "given" "--ro into a base" -- "$CORDON" run --base base --ro data:/srv/data -- cat /srv/data/file
expect_denied "--ro into a base: writing" --base base --ro data:/d --twin --base base --rw data:/d -- touch /d/new
check "--rw into a base stays" test -e data/new
expect_output "" "--hide in a base" -- "$CORDON" run --base base --hide /lib/deep -- ls -A /lib/deep
expect_denied "a full upper" --base base --limit upper=2M --twin --base base --limit upper=16M -- \
	busybox dd if=/dev/zero of=/etc/big bs=1M count=4

# --- stacked
mkdir -p top/etc top/lib/deep
echo upper >top/etc/file
echo three >top/lib/deep/three
expect_output "upper one three two" "two bases: the first is on top" -- \
	"$CORDON" run --base top --base base -- sh -c 'echo $(cat /etc/file) $(ls /lib/deep)'
expect_output "lower" "two bases, turned round" -- "$CORDON" run --base base --base top -- cat /etc/file
layers=()
for i in {1..20}; do
	mkdir -p "layers/$i/etc"
	echo "$i" >"layers/$i/etc/layer$i"
	layers+=(--base "layers/$i")
done
expect_output "21" "twenty bases" -- "$CORDON" run "${layers[@]}" --base base -- \
	sh -c 'echo $(($(ls /etc/layer* | busybox wc -l) + 1))'
expect_error 125 "stack 2 bases" "two bases without an upper" -- \
	"$CORDON" run --base top --base base --upper none -- true

# --- a kept upper
mkdir kept
expect_status 0 "--upper DIR" -- "$CORDON" run --base base --upper kept -- \
	sh -c 'echo kept >/etc/new; rm /etc/file; rm -r /lib/deep; mkdir /lib/deep'
check "--upper DIR: the change is in it" test "$(cat kept/upper/etc/new)" = kept
check "--upper DIR: a removal is a whiteout" test -c kept/upper/etc/file
check "--upper DIR: it belongs to the caller" test "$(stat -c %u kept/upper/etc/new)" = "$(id -u)"
expect_output "kept  0" "--upper DIR: the next run goes on from there" -- "$CORDON" run --base base --upper kept -- \
	sh -c 'echo "$(cat /etc/new) $(ls /etc/file 2>/dev/null) $(ls -A /lib/deep | busybox wc -l)"'
check "--upper DIR: the base is as it was" test "$(hash_tree base)" = "$before"
ln -s kept linked
expect_error 125 "upper '.*linked'" "--upper of a symlink" -- "$CORDON" run --base base --upper linked -- true
expect_error 125 "upper '.*missing'" "--upper of what is missing" -- "$CORDON" run --base base --upper missing -- true
mkdir -p bad/upper.real && ln -s upper.real bad/upper
expect_error 125 "in '.*bad'" "--upper whose upper is a symlink" -- "$CORDON" run --base base --upper bad -- true
find kept/work -mindepth 1 -delete 2>/dev/null

# --- what no overlay goes over
expect_error 125 "overlay over '/proc'" "the base /proc is refused" -- "$CORDON" run --base /proc -- true
check "the base /proc: the hint" grep -q '^hint: .*--upper none' "$ERR"
expect_error 125 "use '/' as a base" "the base / is refused" -- "$CORDON" run --base / -- true
cat >stack.sh <<'END'
mkdir -p s1 s2 u1 w1 u2 w2 && touch base/.x 2>/dev/null; rm -f base/.x
mount -t overlay -o userxattr,lowerdir=base,upperdir=u1,workdir=w1 x s1 || exit 98
mount -t overlay -o userxattr,lowerdir=s1,upperdir=u2,workdir=w2 x s2 || exit 97
"$1" run --base s2 -- true
END
expect_error 125 "overlay over '.*/s2'" "an overlay on an overlay on an overlay is refused" -- \
	unshare --user --map-root-user --mount bash stack.sh "$CORDON"
check "an overlay on an overlay on an overlay: the hint" grep -q '^hint: .*cannot be a layer' "$ERR"
rm -rf s1 s2 u1 w1 u2 w2
expect_error 125 "use '/' as a base" "the base / is refused read-only too" -- \
	"$CORDON" run --base / --upper none -- true

# --- bases made by an enemy: contained or refused, never hanging, nothing on the host touched
mkdir -p outside/dir
echo s3ntinel >outside/secret
sentinel=$(hash_tree outside)
up=../../../../../../../../../../../..
contained() { # TITLE OPTION... -- COMMAND...: ends by itself, shows no secret, leaves the host's files alone
	local title=$1
	shift
	run timeout 5 "$CORDON" run --base evil "$@"
	if [ "$STATUS" -ge 124 ] && [ "$STATUS" -ne 125 ] && [ "$STATUS" -ne 126 ] && [ "$STATUS" -ne 127 ]; then
		not_ok "$title: it ends" "status $STATUS"
		_said
	elif grep -q s3ntinel "$OUT"; then
		not_ok "$title: shows nothing" "$(cat "$OUT")"
	elif [ "$(hash_tree outside)" != "$sentinel" ]; then
		not_ok "$title: the host is untouched"
		hash_tree outside >/dev/null
		sentinel=$(hash_tree outside)
	else
		ok "$title ($STATUS)"
	fi
}
look='ls /tmp /run /etc /var 2>/dev/null; cat /tmp/secret /etc/secret /dev/secret /x/secret 2>/dev/null
	for d in /tmp /dev /run /etc /var /home /x; do echo x >$d/written; done 2>/dev/null; echo end'
for place in dev proc tmp etc run var home; do
	for target in "$WORK/outside" "$up$WORK/outside" /proc/self/root /proc/1/root "$up/tmp" /nowhere . "$place"; do
		rm -rf evil
		make_base evil
		rm -rf "evil/$place"
		ln -s "$target" "evil/$place"
		contained "/$place is a symlink to ${target//$WORK/WORK}" -- sh -c "$look"
	done
	rm -rf evil
	make_base evil
	rm -rf "evil/$place"
	mkfifo "evil/$place"
	contained "/$place is a FIFO" -- sh -c "$look"
	rm "evil/$place"
	echo file >"evil/$place"
	contained "/$place is a file" -- sh -c "$look"
done
rm -rf evil
make_base evil
ln -s "$WORK/outside" evil/x
for how in --ro --rw; do
	contained "$how below a symlink" $how data:/x/new -- sh -c "$look"
	contained "$how on a symlink" $how data:/x -- sh -c "$look"
done
contained "--tmpfs on a symlink" --tmpfs /x -- sh -c "$look"
contained "--dir below a symlink" --dir /x/new -- sh -c "$look"
contained "--symlink below a symlink" --symlink y:/x/new -- sh -c "$look"
contained "--file below a symlink" --file 0:/x/new -- sh -c "$look"
contained "--hide of a symlink" --hide /x -- sh -c "$look"
contained "--cwd is a symlink" --cwd /x -- sh -c 'cat secret; echo x >written'
contained "--cwd is a deep symlink" --cwd /x/dir/.. -- sh -c 'cat secret; echo x >written'
contained "the command is a symlink out" -- /x/../bin/sh -c "$look"
for what in "ln -s $up$WORK/outside/secret" mkfifo "mkdir" "ln -s run-me"; do
	rm -rf evil/bin/run-me
	$what evil/bin/run-me
	contained "the command is made by ${what%% *} ${what##*/}" -- run-me
done
rm -f evil/etc/passwd && mkfifo evil/etc/passwd evil/etc/ld.so.cache evil/etc/ld.so.preload
contained "FIFOs for /etc/passwd and the loader's files" -- true
mkfifo fifo
ln -s base baselink
expect_error 125 "open the base '.*fifo'" "the base is a FIFO" -- timeout 5 "$CORDON" run --base fifo -- true
expect_error 125 "open the base '.*baselink'" "the base is a symlink" -- "$CORDON" run --base baselink -- true
check "the host's files are untouched" test "$(hash_tree outside)" = "$sentinel"
check "the base is as it was at the end" test "$(hash_tree base)" = "$before"

done_testing
