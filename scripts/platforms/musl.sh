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

tools=$root-tools
mkdir -p "$tools"
for applet in sh env cat echo sleep true false printenv id nohup timeout stty; do
  ln -sf busybox "$tools/$applet"
done
cp "$root/bin/busybox" "$tools/busybox"

exec unshare --mount -- /bin/sh -euc '
  root=$1 tools=$2
  shift 2
  mount -t overlay alpine -o "lowerdir=$root/lib:$root/usr/lib:/usr/lib" /usr/lib
  mount -t overlay alpine -o "lowerdir=$tools:/usr/bin" /usr/bin
  exec "$@"
' sh "$root" "$tools" python3 test/conformance/run.py --launcher "$launcher" "$@"
