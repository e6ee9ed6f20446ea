#!/usr/bin/env bash
# Runs the README's two commands as on a machine that has only what the README asks for: in a clone of the last commit,
# with no variable of the caller's, an empty home folder, an empty npm cache, and a PATH without compilers for other
# processors, without zsh, fish, tmux and Wine.
#
#   scripts/platforms/fresh.sh                                 # npm ci && npm run demo, then npm test
#   scripts/platforms/fresh.sh --json FILE                     # and vitest's report into FILE
#   scripts/platforms/fresh.sh --without 'cc gcc' --only demo  # without a C compiler; without the tests
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
json=/dev/null
without=""
only=""
while [ $# -gt 0 ]; do
  case $1 in
  --json) json=$(realpath -m "$2") ;;
  --without) without=$2 ;;
  --only) only=$2 ;;
  *) echo "usage: $0 [--json FILE] [--without 'COMMAND...'] [--only demo]" >&2 && exit 1 ;;
  esac
  shift 2
done

# What the README names, then what any Linux has.
COMMANDS="npm npx gcc cc as ld openssl git
  sh bash dash env cat cp mv rm ln ls mkdir mkfifo mktemp rmdir touch chmod chown stat head tail cut sort uniq tr tee wc seq
  printf echo true false test [ sleep date id whoami nohup nice timeout yes dd readlink realpath dirname basename uname
  base64 sha256sum od kill expr tty stty setsid ps pgrep prlimit setpriv unshare mount umount script flock find xargs grep
  sed awk tar gzip install nproc sync printenv less vi which diff cmp getent su"

home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
mkdir "$home/bin" "$home/home" "$home/tmp"
for command in $COMMANDS; do
  case " $without " in *" $command "*) continue ;; esac
  path=$(type -P "$command") && ln -s "$path" "$home/bin/$command"
done
# Not by their names on the PATH, which may be those of a version manager's scripts. Tests look for commands beside Node.js.
cp "$(node -p process.execPath)" "$home/bin/node"
ln -s "$(python3 -c 'import sys; print(sys.executable)')" "$home/bin/python3"

git clone --quiet --no-hardlinks "$root" "$home/checkout"
# The way to the registry is the machine's.
network=("npm_config_registry=$(npm config get registry)")
for name in HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy no_proxy NODE_EXTRA_CA_CERTS SSL_CERT_FILE; do
  [ -z "${!name:-}" ] || network+=("$name=${!name}")
done

fresh() { (cd "$home/checkout" && env -i HOME="$home/home" TMPDIR="$home/tmp" PATH="$home/bin" "$@"); }

fresh "${network[@]}" npm ci --no-audit --no-fund
fresh npm run demo
[ "$only" = demo ] || fresh npm test -- --reporter=default --reporter=./test/helpers/skip-reporter.ts --reporter=json --outputFile.json="$json"
