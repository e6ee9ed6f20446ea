#!/usr/bin/env bash
# Runs commands as on a machine with only the programs that the README names: in a clone, with an empty home folder and npm
# cache, no variables of the caller except those for the registry, for reports and for a night, and a PATH without cross compilers, zsh, fish, tmux and Wine.
#
#   scripts/platforms/fresh.sh 'npm run demo' 'npm test'
#   scripts/platforms/fresh.sh --without 'cc gcc as ld' 'npm run demo'    # nothing compiles
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
without=""
while [ $# -gt 0 ]; do
  case $1 in
  --without) without=$2 && shift 2 ;;
  *) break ;;
  esac
done

# The commands that the README names, then those of any Linux.
COMMANDS="npm npx gcc cc as ld readelf openssl git
  sh bash dash env cat cp mv rm ln ls mkdir mkfifo mktemp rmdir touch chmod chown stat head tail cut sort uniq tr tee wc seq
  printf echo true false test [ sleep date id whoami nohup nice timeout yes dd readlink realpath dirname basename uname
  base64 sha256sum od kill expr tty stty setsid ps pgrep prlimit setpriv unshare mount umount script flock find xargs grep
  sed awk tar gzip install nproc sync printenv less vi which diff cmp getent su"

home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
# Tests run it as other users as well.
chmod 755 "$home"
mkdir "$home/bin" "$home/home"
for command in $COMMANDS; do
  case " $without " in *" $command "*) continue ;; esac
  path=$(type -P "$command") && ln -s "$path" "$home/bin/$command"
done
# Not by names on the PATH, which may be scripts of a version manager. Tests look for commands next to Node.js.
cp "$(node -p process.execPath)" "$home/bin/node"
ln -s "$(python3 -c 'import sys; print(sys.executable)')" "$home/bin/python3"

"$root/scripts/platforms/clone.sh" "$home/checkout"
cd "$home/checkout"

variables=(HOME="$home/home" PATH="$home/bin" npm_config_registry="$(npm config get registry)")
for name in TEST_REPORTS PROPERTY_SEED HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy no_proxy NODE_EXTRA_CA_CERTS SSL_CERT_FILE; do
  [ -z "${!name:-}" ] || variables+=("$name=${!name}")
done
for command in "$@"; do
  printf '\n$ %s\n' "$command"
  env -i "${variables[@]}" sh -c "$command"
done
