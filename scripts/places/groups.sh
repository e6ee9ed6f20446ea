#!/bin/sh
# Runs a command in the root of each hierarchy of control groups: groups.sh COMMAND... Those of version 1 have a line in
# /proc/self/cgroup, as version 2 has. A machine has them mounted anywhere, or nowhere.
set -eu
mkdir -p .cache/places/mount
# shellcheck disable=SC2016
exec unshare --mount sh -euc '
  folder=.cache/places/mount
  while IFS=: read -r _ controllers _; do
    case $controllers in
      "") mount -t cgroup2 cgroup2 "$folder" ;;
      name=*) mount -t cgroup -o "none,$controllers" cgroup "$folder" ;;
      *) mount -t cgroup -o "$controllers" cgroup "$folder" ;;
    esac
    (cd "$folder" && "$@")
    umount "$folder"
  done </proc/self/cgroup
' sh "$@"
