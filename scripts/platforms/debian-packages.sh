#!/bin/sh
# Unpacks packages of a suite of Debian into the working directory, without installing them: debian-packages.sh
# SUITE PROCESSOR NAME... (PROCESSOR as printed by uname -m).
# Uses apt's mirror, and does not change its lists of packages.
set -eu

suite=$1
case $2 in
  x86_64) architecture=amd64 ;;
  aarch64) architecture=arm64 ;;
  *)
    echo "debian-packages.sh: no packages for $2" >&2
    exit 1
    ;;
esac
shift 2
mirror=$("$(dirname "$0")/debian-mirror.sh")

state=$(mktemp -d)
trap 'rm -rf "$state"' EXIT
mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
echo "deb [arch=$architecture signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" >"$state/sources.list"
# As root, apt would download as a user who may not be able to write here.
apt() {
  apt-get -qq -o Dir::Etc::sourcelist="$state/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::State::lists="$state/lists" -o Dir::Cache="$state/cache" -o Acquire::Languages=none \
    -o APT::Architecture="$architecture" -o APT::Architectures="$architecture" \
    -o APT::Sandbox::User="$(id -un)" "$@" >&2
}
apt update
apt download "$@"
for package in *.deb; do
  dpkg-deb -x "$package" .
  rm "$package"
done
