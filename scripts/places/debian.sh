#!/bin/sh
# Makes a root with Debian, or with Ubuntu for its suite noble: debian.sh SUITE PACKAGE... FOLDER. Runs in PID and mount namespaces
# of its own (cache.sh), as root. debootstrap is not installed: it is a package of scripts, which is unpacked. Debian has the keys
# of Ubuntu's archive; UBUNTU_MIRROR names a mirror of that.
set -eu

suite=$1
shift
packages=
while [ $# -gt 1 ]; do
  packages="$packages $1"
  shift
done
folder=$1

platforms=$(cd "$(dirname "$0")/../platforms" && pwd)
mkdir -p "$folder" "$folder.tools"
folder=$(cd "$folder" && pwd)
keyring=$folder.tools/usr/share/keyrings/ubuntu-archive-keyring.gpg
if [ "$suite" = noble ]; then
  tools="trixie $(uname -m) debootstrap ubuntu-keyring"
  set -- --components=main,universe --keyring="$keyring" noble "$folder" "${UBUNTU_MIRROR-http://archive.ubuntu.com/ubuntu}"
else
  tools="$suite $(uname -m) debootstrap"
  set -- "$suite" "$folder" "$("$platforms/debian-mirror.sh")"
fi
# shellcheck disable=SC2086 # the words of $tools
(cd "$folder.tools" && "$platforms/debian-packages.sh" $tools)
DEBOOTSTRAP_DIR=$folder.tools/usr/share/debootstrap "$folder.tools/usr/sbin/debootstrap" --variant=minbase "$@"
rm -rf "$folder.tools"

if [ -n "$packages" ]; then
  mount -t proc proc "$folder/proc"
  cp /etc/resolv.conf "$folder/etc/resolv.conf"
  # No package starts a service.
  printf '#!/bin/sh\nexit 101\n' >"$folder/usr/sbin/policy-rc.d"
  chmod 755 "$folder/usr/sbin/policy-rc.d"
  # shellcheck disable=SC2086 # the words of $packages
  DEBIAN_FRONTEND=noninteractive chroot "$folder" apt-get install -qq --yes --no-install-recommends $packages
  rm "$folder/usr/sbin/policy-rc.d"
  umount "$folder/proc"
fi
rm -rf "$folder"/var/cache/apt/archives/*.deb "$folder"/var/lib/apt/lists/*
