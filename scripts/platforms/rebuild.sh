#!/usr/bin/env bash
# Builds everything that a release publishes twice, in surroundings that differ, and compares the files byte for byte:
#
#   npm run rebuild                  # package, executables for Linux, wheels, the action's bundle
#   npm run rebuild -- --keep DIR    # also leaves the files of both builds in DIR/first and DIR/second
#
# The two builds differ in the clone's folder, the user, HOME, the umask, the locale, the time zone, and the times of the sources.
# In the second one each C compiler of the system fails, because a build may only use the compiler that it fetches.
# Each begins with empty caches, so that it fetches and compiles everything; that takes some five minutes each on two cores.
# Ends with status 1 if a file differs, and with status 2 and the reason if this machine cannot do it.
set -euo pipefail
# npm packs the files of a clone with their modes.
umask 022
root=$(cd "$(dirname "$0")/../.." && pwd)

not_run() { # REASON REMEDY
  printf 'not run: %s\n  %s\n' "$1" "$2" >&2
  exit 2
}

keep=
case ${1-} in
"") ;;
--keep)
  [ $# = 2 ] || not_run '--keep needs a folder' 'npm run rebuild -- --keep /tmp/rebuilt'
  keep=$(realpath -m -- "$2")
  [ ! -e "$keep" ] || not_run "$2 exists" 'name a folder that does not exist'
  ;;
*) not_run "unknown option $1" 'npm run rebuild -- --keep /tmp/rebuilt' ;;
esac
[ "$(id -u)" = 0 ] || not_run 'only root can build as another user' 'sudo npm run rebuild'
for command in git npm cargo python3 setpriv; do
  command -v "$command" >/dev/null || not_run "$command is missing" 'docs/maintaining.md has what a build needs'
done
[ -z "$(git -C "$root" status --porcelain)" ] || not_run 'the work tree has changes, which a clone would lack' 'git stash'

# Both builds are of this commit, even if the branch moves meanwhile.
commit=$(git -C "$root" rev-parse HEAD)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
[ "$(df --output=avail -BM "$work" | tr -dc 0-9)" -ge 6000 ] ||
  not_run "$work has less than 6 GB" 'set TMPDIR to a folder with more space'

# Variables that a build needs to reach the registries and to find the compilers. Not by names on the PATH, which may be scripts of a version
# manager that look into HOME.
passed=(
  "PATH=$(dirname "$(node -p process.execPath)"):$(dirname "$(python3 -c 'import sys; print(sys.executable)')"):$PATH"
  "npm_config_registry=$(npm config get registry)"
)
[ ! -d "${RUSTUP_HOME:-$HOME/.rustup}" ] || passed+=("RUSTUP_HOME=${RUSTUP_HOME:-$HOME/.rustup}")
for name in HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy no_proxy NODE_EXTRA_CA_CERTS SSL_CERT_FILE PIP_INDEX_URL PIP_CERT; do
  [ -z "${!name:-}" ] || passed+=("$name=${!name}")
done

# The compilers of the second build.
mkdir "$work/failing"
for compiler in cc gcc clang c++ g++ "$(uname -m)-linux-gnu-gcc" aarch64-linux-gnu-gcc x86_64-linux-gnu-gcc; do
  printf '#!/bin/sh\necho "the build called %s of the system" >&2\nexit 1\n' "$compiler" >"$work/failing/$compiler"
done
chmod -R a+rx "$work/failing"

build() { # NAME FOLDER UID UMASK LOCALE TIMEZONE DATE-OF-SOURCES
  local name=$1 clone=$work/$1/$2 home=$work/$1/home
  mkdir -p "$work/$name" "$home"
  git clone --quiet --no-hardlinks "$root" "$clone"
  git -C "$clone" checkout --quiet --detach "$commit"
  find "$clone" -path "$clone/.git" -prune -o -exec touch --no-dereference --date "$7" {} +
  chown -R "$3:$3" "$work/$name"
  printf '=== %s build: %s as user %s, umask %s, %s, %s\n' "$name" "$2" "$3" "$4" "$5" "$6"
  (
    cd "$clone"
    # The tools may be in a folder that only root can read.
    [ "$name" = first ] || passed=("${passed[0]/PATH=/PATH=$work/failing:}" "${passed[@]:1}")
    env -i "${passed[@]}" HOME="$home" TMPDIR="$home" LC_ALL="$5" TZ="$6" npm_config_cache="$home/npm" \
      setpriv --reuid "$3" --regid "$3" --clear-groups --inh-caps +dac_read_search --ambient-caps +dac_read_search \
      bash -euo pipefail -c "umask $4
        npm ci --no-audit --no-fund
        npm run --silent build:standalone -- linux-x64 linux-arm64
        node scripts/build.mjs --release
        node scripts/wheel.mjs linux-x64 linux-arm64
        node scripts/action.mjs
        mkdir made
        npm pack --ignore-scripts --silent --pack-destination made
        cp dist-standalone/sophia-run-linux-* dist-wheels/*.whl made
        cp \"\$(sed -n 's/^  main: //p' action.yml)\" made/action.cjs"
  ) >"$work/$name.log" 2>&1 || {
    tail -n 40 "$work/$name.log" >&2
    printf 'the %s build failed\n' "$name" >&2
    exit 1
  }
  mv "$clone/made" "$work/$name/made"
}

printf 'Node.js %s, whose zlib compresses the package and the executables\n' "$(node --version)"
build first sophia-run 0 022 C UTC '2001-02-03 04:05:06'
build second 'another folder' 65534 077 tr_TR.UTF-8 Pacific/Kiritimati '2020-12-31 23:59:59'

if [ -n "$keep" ]; then
  mkdir -p "$keep"
  cp -r "$work/first/made" "$keep/first"
  cp -r "$work/second/made" "$keep/second"
fi
status=0
for file in "$work"/first/made/*; do
  name=${file##*/}
  sum=$(sha256sum <"$file" | cut -d' ' -f1)
  if cmp --silent "$file" "$work/second/made/$name"; then
    printf 'same     %s  %s\n' "$sum" "$name"
  else
    printf 'differs  %s  %s\n' "$sum" "$name"
    status=1
  fi
done
[ "$(ls "$work/first/made")" = "$(ls "$work/second/made")" ] || {
  echo 'the builds have other files'
  status=1
}
[ "$status" = 0 ] && echo "both builds are the same, byte for byte"
exit "$status"
