# The parts of .cache/places that take long to make: roots, images, programs. Sourced by space.sh.
#
# A part is made under the name PATH.new and renamed when it is whole. PATH.made then has its recipe and a sum. A part of another
# recipe is made again. One that was changed since is an error, since nothing can be said of what runs with it.

# Makes a part, if it is not there, and sets `made` to its path: part PATH RECIPE DURATION COMMAND... The recipe is one line, and
# the command gets the path to fill as its last argument. If the script ends, the command does.
part() {
  made=$1 recipe=$2 duration=$3
  shift 3
  mkdir -p "$(dirname "$made")"
  # Two places may need it at the same time.
  exec 8>"$made.lock"
  flock 8
  if [ ! -e "$made.made" ] || [ "$(head -n 1 "$made.made")" != "$recipe" ]; then
    echo "$place: makes ${made#"$PWD/"} ($duration)"
    rm -rf "$made" "$made.made" "$made".new*
    if ! guarded "$@" "$made.new" >"$made.log" 2>&1 8>&-; then
      tail -n 20 "$made.log"
      not_run "${made#"$PWD/"} could not be made" "see ${made#"$PWD/"}.log, and check the network"
    fi
    mv "$made.new" "$made"
    printf '%s\n%s\n' "$recipe" "$(sum "$made")" >"$made.made.new"
    mv "$made.made.new" "$made.made"
    rm "$made.log"
  elif [ "$(tail -n 1 "$made.made")" != "$(sum "$made")" ]; then
    not_run "${made#"$PWD/"} is damaged" "rm ${made#"$PWD/"}.made"
  fi
  exec 8>&-
}

# Runs a command with all that it starts in a namespace that ends with it, and it ends with the script.
guarded() { # COMMAND...
  # In the background, since the shell's traps wait for a process in the foreground.
  setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child --mount-proc -- "$@" </dev/null &
  wait $!
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
  # The lines of image.sh that are about it.
  lines=$(awk -v name="$1" 'index($0, name ")") || index($0, name " |") { on = 1 } on; /;;/ { on = 0 }' scripts/places/image.sh)
  part "$cache/images/$(echo "$1" | tr / _ | tr : _).tar" "$1, $(echo "$lines" | cksum)" "two minutes" scripts/places/image.sh "$1"
}
