#!/bin/sh
# The conformance suite, or the cases that --only names, with Node.js for musl (or the LAUNCHER that is given) on a system
# whose shell and tools are BusyBox: musl.sh [--launcher LAUNCHER] OPTION...
# Python and the program that the cases start stay those of this machine: both C libraries have their loaders.
set -eu

root=$("$(dirname "$0")/alpine-root.sh")
cd "$(dirname "$0")/../.."
if [ "${1-}" = --launcher ]; then
  launcher=$2
  shift 2
else
  launcher="$root/usr/local/bin/node bin/sophia-run --no-contract --"
fi

# Overlays can be mounted by root, and in a user namespace.
user=
[ "$(id -u)" = 0 ] || user="--user --map-root-user"
# shellcheck disable=SC2086 # the words of $user
exec unshare $user --mount -- /bin/sh -euc '
  root=$1
  shift
  mount -t overlay alpine -o "lowerdir=$root/lib:$root/usr/lib:/usr/lib" /usr/lib
  # Shell and tools; the others stay, since the suite needs them.
  tools=$(mktemp -d)
  mount -t tmpfs tools "$tools"
  for each in sh env cat echo sleep true false printenv id nohup timeout; do ln -s busybox "$tools/$each"; done
  cp "$root/bin/busybox" "$tools/"
  mount -t overlay alpine -o "lowerdir=$tools:/usr/bin" /usr/bin
  umount -l "$tools"
  rmdir "$tools"
  exec "$@"
' sh "$root" python3 test/conformance/run.py --label musl --launcher "$launcher" "$@"
