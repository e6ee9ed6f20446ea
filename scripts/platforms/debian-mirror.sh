#!/bin/sh
# Prints the address of apt's mirror of Debian; on another system, such as Ubuntu, that of Debian's own.
set -eu
if ! grep -q '^ID=debian$' /etc/os-release; then
  echo http://deb.debian.org/debian
  exit
fi
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -v security | head -n 1)
if [ -z "$mirror" ]; then
  echo "debian-mirror.sh: apt knows no mirror; run apt-get update" >&2
  exit 1
fi
echo "$mirror"
