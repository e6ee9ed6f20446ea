#!/bin/sh
# Builds the launchers in Go and Rust for the benchmark, each at one version, from their public registries into
# .cache/built-peers/bin: fetch.sh [pulumi] [sops] [chamber] [doppler] [fnox] [secretspec]; without names all of them. A
# launcher that exists in that version is not built again. One that is not available, or not built within PEER_MINUTES (15), is
# reported; called again, its build continues. PEER_JOBS (1) is the number of compilers that run at once.
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

# Builds in a module of our own, which can require other versions of dependencies: go_module PACKAGE MODULE@VERSION…
go_module() {
  package=$1
  shift
  have go && cd "$work" && rm -f go.mod go.sum && go mod init peers && go get "$@" && go build -p "$jobs" -o "$name" "$package"
}

# `go install` of a version refuses this module, because it has replacements.
pulumi() {
  go_module github.com/pulumi/pulumi/pkg/v3/cmd/pulumi "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi@v$1"
}

# With the program that makes a key for it.
sops() {
  go_program filippo.io/age/cmd/age-keygen@v1.3.2 && mv "$work/age-keygen" "$peers/bin/age-keygen"
  go_program "github.com/getsops/sops/v3/cmd/sops@v$1"
}

chamber() {
  go_program "github.com/segmentio/chamber/v3@v$1"
}

# Go does not read this module's tags as versions; this is the newest commit of the registry.
doppler() {
  go_program "github.com/DopplerHQ/cli@v$1" && mv "$work/cli" "$work/doppler"
}

rust_program() {
  have cargo && cargo install --quiet --jobs "$jobs" --root "$work" --target-dir "$work/target" "$@" && mv "$work/bin/"* "$work"
}

# Without its lock file, which names a crate that the registry may not serve. Libudev is checked first, because the build
# would fail only after half of the crates.
fnox() {
  pkg-config --exists --print-errors libudev && rust_program "fnox@$1"
}

# Without its stores, whose clients are most of the code; the benchmark reads a file.
secretspec() {
  rust_program --locked --no-default-features --features cli "secretspec@$1"
}

version_of() {
  case $1 in
    pulumi) echo 3.276.0 ;;
    sops) echo 3.13.3 ;;
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

# Runs itself for one build, so that timeout(1) has a process to end.
if [ "${1-}" = --build ]; then
  name=$2
  work=$3
  "$name" "$(version_of "$name")"
  exit
fi

[ "$#" -gt 0 ] || set -- pulumi sops chamber doppler fnox secretspec
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
