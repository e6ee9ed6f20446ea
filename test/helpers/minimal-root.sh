#!/bin/sh
# Replaces itself by a command in a file system whose root is a folder: minimal-root.sh ROOT ACCESS WORKDIR USER COMMAND...
# It must run in a new mount namespace. The file ROOT.mounts has a line for each bind mount: SOURCE TARGET ACCESS. ACCESS is
# ro or rw. USER is the number of a user, or mapped:NUMBER if only a user namespace can give the process that user.
set -eu
root=$1 access=$2 workdir=$3 user=$4
shift 4

bind() { # SOURCE TARGET ACCESS
  mount --bind "$1" "$2"
  [ "$3" = rw ] || mount -o remount,bind,ro "$2"
}

mount --bind "$root" "$root"
while read -r source target right; do
  bind "$source" "$root$target" "$right"
done <"$root.mounts"
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/tmp"
[ "$access" = rw ] || mount -o remount,bind,ro "$root"

case $user in
  0) exec unshare --root="$root" --wd="$workdir" -- "$@" ;;
  mapped:*) exec unshare --user --map-user="${user#mapped:}" --map-group="${user#mapped:}" --root="$root" --wd="$workdir" -- "$@" ;;
  *) exec unshare --root="$root" --wd="$workdir" --setgid="$user" --setuid="$user" -- "$@" ;;
esac
