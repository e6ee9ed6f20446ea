# The parts of .cache/places that take long to make: roots, images, programs. Sourced by space.sh.
#
# A part is made under the name PATH.new and renamed when it is whole. PATH.made then has its recipe and a sum. A part of another
# recipe is made again. One that was changed since is an error, since nothing can be said of what runs with it.

# Makes a part, if it is not there, and sets `made` to its path: part PATH RECIPE DURATION COMMAND... The recipe is one line, and
# the command gets the path to fill as its last argument. If the script ends, the command does.
part() {
  made=$1 recipe=$2 duration=$3
  shift 3
  short=${made#"$PWD/"}
  { mkdir -p "$(dirname "$made")" && true >>"$made.lock"; } 2>/dev/null ||
    not_run "${short%/*} cannot be written" "make room on its disk, or mount it for writing"
  # Two places may need it at the same time.
  exec 8>"$made.lock"
  if ! flock --nonblock 8; then
    echo "$place: waits for another place that makes or checks $short"
    setpriv --pdeathsig KILL flock --timeout 1800 8 &
    wait $! || not_run "another place makes $short since half an hour" "end the process that has opened $short.lock"
  fi
  if [ ! -e "$made.made" ] || [ "$(head -n 1 "$made.made")" != "$recipe" ]; then
    echo "$place: makes $short ($duration)"
    unfinished=$made
    rm -rf "$made" "$made.made" "$made".new*
    if ! { guarded "$@" "$made.new" >"$made.log" 2>&1 8>&- && finish; }; then
      remove_unfinished
      why=$(cause "$made.log")
      not_run "$short could not be made${why:+: $why}" "see $short.log, and check the network and the disk"
    fi
    unfinished=
    rm "$made.log"
  elif [ "$(tail -n 1 "$made.made")" != "$(sum "$made")" ]; then
    not_run "$short is damaged" "${here-}rm $short.made"
  fi
  exec 8>&-
}

# Prints the line of a log that says why a command failed: the last one that names an error, or the last one. Not of a stack.
cause() { # LOG
  lines=$(grep -v -e '^ *at ' -e '^ *[]})]' -e '^ *[a-z]*: .*,$' -e '^Node\.js v' -e '^ *$' "$1" || true)
  line=$(echo "$lines" | grep -i -e error -e failed -e 'no such' -e 'not found' -e cannot -e denied | tail -n 1)
  echo "${line:-$(echo "$lines" | tail -n 1)}" | cut -c 1-300
}

# Gives a part that is whole its name.
finish() {
  mv "$made.new" "$made" && { printf '%s\n' "$recipe" && sum "$made"; } >"$made.made.new" && mv "$made.made.new" "$made.made"
}

# Removes what there is of a part that was not finished, which may have filled the disk.
remove_unfinished() {
  [ -z "${unfinished-}" ] || rm -rf "$unfinished" "$unfinished".new* "$unfinished.made.new"
}

# Runs a command with all that it starts in a namespace that ends with it, and it ends with the script.
guarded() { # COMMAND...
  # In the background, since the shell's traps wait for a process in the foreground.
  # `unshare` itself writes an error if what it waits for is killed.
  # shellcheck disable=SC2016 # for the inner shell
  setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child --mount-proc -- \
    sh -c 'exec "$@" 2>&9 9>&-' sh "$@" </dev/null 9>&2 2>/dev/null &
  guard=$! outcome=0
  wait "$guard" || outcome=$?
  guard=
  return "$outcome"
}

# Prints a sum over the names, sizes, modes, owners and times of a part's files.
sum() { # PATH
  [ ! -e "$1" ] || find "$1" -printf '%P %y %m %U %G %s %T@ %l\n' | LC_ALL=C sort | sha256sum
}

# Makes a root with Debian: debian_root NAME SUITE PACKAGE...
debian_root() {
  root=$1
  shift
  part "$cache/roots/$root" "$*" "three minutes" scripts/places/debian.sh "$@"
}

# Makes a base image under the name that an example uses: base_image NAME. It is an archive, which `docker load`, `podman load` and
# `ctr image import` read.
base_image() {
  # The lines of image.sh that are about it, and the form of all archives.
  lines=$(awk -v name="$1" 'index($0, name ")") || index($0, name " |") { on = 1 } on; /;;/ { on = 0 }' scripts/places/image.sh)
  part "$cache/images/$(echo "$1" | tr / _ | tr : _).tar" "$1, $({ echo "$lines"; cat scripts/places/archive.mts; } | cksum)" "two minutes" scripts/places/image.sh "$1"
}

# Makes base images, and tells the cases their archives: base_images NAME... (base-images.ts)
base_images() {
  BASE_IMAGES=
  for image in "$@"; do
    base_image "$image"
    BASE_IMAGES="$BASE_IMAGES$made
"
  done
  export BASE_IMAGES
}

# Makes a root with Podman, the programs of a node of Kubernetes that Debian has, and what the cases need.
podman_root() {
  debian_root podman bookworm catatonit conmon containerd containernetworking-plugins crun etcd-server iproute2 iptables openssl \
    podman python3 runc
}
