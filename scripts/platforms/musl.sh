#!/bin/sh
# Runs the conformance suite with Node.js for musl (or LAUNCHER) on a system with BusyBox: musl.sh [--launcher LAUNCHER]
# OPTION... Python and the program of the cases are this machine's: the loaders of both C libraries are there.
set -eu

root=$("$(dirname "$0")/alpine-root.sh")
cd "$(dirname "$0")/../.."
if [ "${1-}" = --launcher ]; then
  launcher=$2
  shift 2
else
  launcher="$root/usr/local/bin/node bin/sophia-run --no-contract --"
fi

# Root can mount overlays, and so can a user namespace.
user=
[ "$(id -u)" = 0 ] || user="--user --map-root-user"
# shellcheck disable=SC2086 # the words of $user
exec unshare $user --mount -- /bin/sh -euc '
  root=$1
  shift
  mount -t overlay alpine -o "lowerdir=$root/lib:$root/usr/lib:/usr/lib" /usr/lib
  # Shell and tools. The suite needs the other programs.
  tools=$(mktemp -d)
  mount -t tmpfs tools "$tools"
  for each in sh env cat echo sleep true false printenv id nohup timeout; do ln -s busybox "$tools/$each"; done
  cp "$root/bin/busybox" "$tools/"
  mount -t overlay alpine -o "lowerdir=$tools:/usr/bin" /usr/bin
  umount -l "$tools"
  rmdir "$tools"
  exec "$@"
' sh "$root" python3 test/conformance/run.py --label musl --launcher "$launcher" "$@"
