#!/bin/sh
# usage: unshare --mount --propagation private sh hook-faults.sh FOLDER HOOK SHELL...
# Runs the hook by each SHELL in spools that fail in every way, and prints for each: the case, exit status, files in new, bytes of the
# last, what is left in tmp, and its cries to the log (busybox has a logger of its own: none is seen).
# shellcheck disable=SC2016,SC2086
set -u
W=$1 HOOK=$2
shift 2
printf '#!/bin/sh\necho "$*" >>%s/cries\n' "$W" >"$W/logger"
chmod 755 "$W/logger"
mount --bind "$W/logger" /usr/bin/logger
printf '#!/bin/sh\nhead -c 100 /dev/zero\nexit 1\n' >"$W/dd"
chmod 755 "$W/dd"

# spool OPTIONS: a new one on a file system of its own
spool() {
  S=$(mktemp -d "$W/spool.XXXXXX")
  mount -t tmpfs -o "$1" tmpfs "$S"
  mkdir "$S/tmp" "$S/new"
}

fill() { cat /dev/zero >"$S/filler" 2>/dev/null || true; }

# run NAME [VARIABLE=VALUE...]
run() {
  name=$1
  shift
  : >"$W/cries"
  /usr/bin/env -i PAM_TYPE=open_session PAM_SERVICE=sshd PAM_USER=alice "$@" $shell "$HOOK" "$S"
  code=$?
  last=$(find "$S/new" -type f ! -name '.*' | tail -n 1)
  echo "$name exit=$code new=$(find "$S/new" -type f ! -name '.*' | wc -l) bytes=$([ -z "$last" ] || wc -c <"$last") tmp=$(find "$S/tmp" -type f | wc -l) cries=$(grep -c 'not spooled: monitor [0-9]*$' "$W/cries")"
}

for shell in "$@"; do
  spool size=4m && run good
  spool size=4m && run hostile 'PAM_USER=-n $(touch '"$W"'/touched) `id` "; %n * ' 'IFS=/a1' PATH=/nowhere ENV=/nowhere BASH_ENV=/nowhere LC_ALL=xx
  # Several values: the kernel takes none longer than 128 KiB.
  long=$(head -c 60000 /dev/zero | tr '\0' x)
  spool size=4m && run long "A=$long" "B=$long" "C=$long"
  spool size=64k && fill && run full
  spool size=512k && head -c 262144 /dev/zero >"$S/new/.reserve" && fill && run full-with-reserve
  spool size=4m,nr_inodes=4 && : >"$S/filler" && run inodes
  spool size=4m,nr_inodes=5 && : >"$S/new/.reserve" && : >"$S/filler" && run inodes-with-reserve
  spool size=4m && mount -o remount,ro "$S" && run read-only
  # What dd says of EIO and EDQUOT, after the half of it: root is exempt from real quotas.
  mount --bind "$W/dd" "$(command -v dd)" && spool size=4m && head -c 262144 /dev/zero >"$S/new/.reserve" && run half-written && umount "$(command -v dd)"
  spool size=4m && rmdir "$S/new" "$S/tmp" && run no-folders 2>/dev/null
  spool size=16m && (cd "$S/new" && seq 8192 | xargs touch) && run many
  spool size=64m && (cd "$S/new" && seq 600 | xargs touch && head -c 33554432 /dev/zero >./1) && run much
done
[ ! -e "$W/touched" ] || echo "a name was run"
