#!/bin/sh
# Builds the launchers written in Go and Rust that the benchmark compares with, each at one version, from their public
# registries into .cache/built-peers/bin of the repository: fetch.sh [esc] [pulumi] [chamber] [doppler] [fnox] [secretspec], all of
# them where none is named. What is there in that version already is not built again. What cannot be had, or is not built
# within PEER_MINUTES (15), is said in a line, and the benchmark leaves it out; called again, a build that ran out of time
# goes on. PEER_JOBS (1) tells how many compilers run at once.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
peers=$root/.cache/built-peers
jobs=${PEER_JOBS:-1}
minutes=${PEER_MINUTES:-15}

have() {
  command -v "$1" >/dev/null || { echo "there is no $1 here" && return 1; }
}

go_program() {
  have go && GOBIN=$work go install -p "$jobs" "$1"
}

# As part of a module of our own, which can ask for other versions of what the program needs: go_module PACKAGE MODULE@VERSION…
go_module() {
  package=$1
  shift
  have go && cd "$work" && rm -f go.mod go.sum && go mod init peers && go get "$@" && go build -p "$jobs" -o "$name" "$package"
}

# With later packages of Pulumi's than it asks for, because the registry may not serve those.
esc() {
  go_module github.com/pulumi/esc/cmd/esc "github.com/pulumi/esc/cmd/esc@v$1" github.com/pulumi/pulumi/pkg/v3@v3.248.0
}

# Its module has replacements, with which `go install` of a version refuses it.
pulumi() {
  go_module github.com/pulumi/pulumi/pkg/v3/cmd/pulumi "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi@v$1"
}

chamber() {
  go_program "github.com/segmentio/chamber/v3@v$1"
}

# The tags of this module are not versions to Go; this is the newest commit that the registry names.
doppler() {
  go_program "github.com/DopplerHQ/cli@v$1" && mv "$work/cli" "$work/doppler"
}

rust_program() {
  have cargo && cargo install --quiet --jobs "$jobs" --root "$work" --target-dir "$work/target" "$@" && mv "$work/bin/"* "$work"
}

# Without its lock file, which names a crate that the registry may not serve. Libudev is asked for here because the build
# would miss it only when half of the crates are compiled.
fnox() {
  pkg-config --exists --print-errors libudev && rust_program "fnox@$1"
}

# Without the stores that it can speak to, whose clients are most of what there would be to compile; the benchmark reads a file.
secretspec() {
  rust_program --locked --no-default-features --features cli "secretspec@$1"
}

version_of() {
  case $1 in
    esc) echo 0.26.0 ;;
    pulumi) echo 3.274.1 ;;
    chamber) echo 3.1.4 ;;
    doppler) echo 0.5.11-0.20230908185655-7aef4713e1a4 ;;
    fnox) echo 1.46.0 ;;
    secretspec) echo 0.21.1 ;;
    *)
      echo "fetch.sh: no peer is called $1" >&2
      return 1
      ;;
  esac
}

# The script runs itself for one build, so that timeout(1) has a process to end.
if [ "${1-}" = --build ]; then
  name=$2
  work=$3
  "$name" "$(version_of "$name")"
  exit
fi

[ "$#" -gt 0 ] || set -- esc pulumi chamber doppler fnox secretspec
mkdir -p "$peers/bin"
for name in "$@"; do
  version=$(version_of "$name")
  [ "$(cat "$peers/$name.version" 2>/dev/null)" != "$version" ] || [ ! -x "$peers/bin/$name" ] || continue
  work=$peers/build/$name
  log=$peers/$name.log
  mkdir -p "$work"
  if nice -n 19 timeout "$((minutes * 60))" sh "$root/bench/peers/fetch.sh" --build "$name" "$work" >"$log" 2>&1; then
    mv "$work/$name" "$peers/bin/$name"
    echo "$version" >"$peers/$name.version"
  elif [ "$?" = 124 ]; then
    echo "fetch.sh: $name $version was not built within $minutes minutes; call again to go on" >&2
    continue
  else
    echo "fetch.sh: $name $version cannot be had here; see .cache/built-peers/$name.log" >&2
  fi
  rm -rf "$work"
done
