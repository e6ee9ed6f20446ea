#!/bin/sh
# The example workflows, unchanged, and the action in jobs that act runs, without GitHub: actions.sh [FOLDER]
# In the space github.com is a server on loopback. What the workflows use of others comes from there or, if FOLDER is given, from
# the repositories FOLDER/OWNER/NAME.
set -eu
from=${1-https://github.com}
[ ! -d "$from" ] || from=$(cd "$from" && pwd)
cd "$(dirname "$0")/../.."
. scripts/places/space.sh

ACT=v0.2.89

need node npm git go openssl gh ip hostname
for each in $(sed -n 's/.*uses: \([^ ]*@[0-9a-f]\{40\}\).*/\1/p' examples/actions/*.yml | sort -u); do
  part "$cache/actions/repositories/${each%@*}" "${each#*@}" "a moment" \
    scripts/places/actions/fetch.sh "$from/${each%@*}" "${each#*@}"
done
part "$cache/actions/act" "$ACT" "two minutes" scripts/places/actions/act.sh "$ACT"
guarded test/conformance/fetch-node.sh 24 >/dev/null || not_run "Node.js 24 cannot be fetched" "check the network"
node24=$(test/conformance/fetch-node.sh 24)

open_space version2 / sh scripts/places/actions/init.sh "$node24" "$(npm root --global)/npm" "$made/act"

# The action as a release has it: the newest commit, and the bundle of this work tree.
release=$state/release.git
objects=$(git rev-parse --path-format=absolute --git-path objects)
git init --quiet --bare "$release"
commit=$(GIT_OBJECT_DIRECTORY=$release/objects GIT_ALTERNATE_OBJECT_DIRECTORIES=$objects node scripts/action.mjs --commit | tail -n 1)
echo "$objects" >"$release/objects/info/alternates"
tag=$(sed -n 's/.*uses: sophia-platform\/sophia-run@//p' examples/actions/oidc.yml)
git --git-dir="$release" tag "$tag" "$commit"
git -c advice.detachedHead=false clone --quiet --bare --depth 1 --branch "$tag" "file://$release" "$state/sophia-platform/sophia-run"

run_cases scripts/places/actions/cases.mts
