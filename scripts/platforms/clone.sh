#!/usr/bin/env bash
# Clones this repository into a folder, with what is not committed yet: clone.sh FOLDER
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
git clone --quiet --no-hardlinks "$root" "$1"
changes=$(mktemp -d)
trap 'rm -rf "$changes"' EXIT
cd "$root"
git diff --binary HEAD >"$changes/diff"
git ls-files -z --others --exclude-standard | tar --null --files-from=- -cf "$changes/new.tar"
cd "$1"
[ ! -s "$changes/diff" ] || git apply "$changes/diff"
tar -xf "$changes/new.tar"
