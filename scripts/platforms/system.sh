#!/bin/sh
# Runs the README's commands, or others, in a clone on a system that is made for it, with one version of Node.js:
#
#   scripts/platforms/system.sh bookworm|trixie|noble 20|22|24 [COMMAND...]
#
# bookworm is Debian 12, trixie Debian 13 (OpenSSL 3.5), noble Ubuntu 24.04. The root (300 MB) is made once, under .cache. It has
# the programs that the README names, and what each such system has. What a run writes is removed at its end. For Ubuntu's packages
# UBUNTU_MIRROR names a mirror. Without COMMANDs it runs `npm run demo` and `npm test`. It must be root, as for the places.
set -eu
cd "$(dirname "$0")/../.."
script="scripts/platforms/system.sh $*"
. scripts/places/space.sh

suite=${1-} major=${2-}
case $suite in
  bookworm | trixie | noble) ;;
  *) major= ;;
esac
case $major in
  *[!0-9]* | "") echo "usage: scripts/platforms/system.sh bookworm|trixie|noble 20|22|24 [COMMAND...]" >&2 && exit 1 ;;
esac
shift 2
[ $# -gt 0 ] || set -- "npm run demo" "npm test"

need_root
need_commands unshare setpriv mount pivot_root flock ip hostname git node npm
guarded test/conformance/fetch-node.sh "$major" >/dev/null || not_run "Node.js $major cannot be fetched" "check the network"
node=$(test/conformance/fetch-node.sh "$major")
debian_root "$suite" "$suite" ca-certificates gcc git less libatomic1 libc6-dev libstdc++6 openssl procps python3 vim-tiny
root=$made

remove_left
state=$cache/state.$$
close=close_system
close_system() {
  end_all
  rm -rf "$state"
}
mkdir -p "$state/home" "$state/bin" "$cache/mount"
scripts/platforms/clone.sh "$state/checkout"
cp -R "$(npm root --global)/npm" "$state/npm"
for each in npm npx; do
  printf '#!/bin/sh\nexec node /places/npm/bin/%s-cli.js "$@"\n' "$each" >"$state/bin/$each"
  chmod 755 "$state/bin/$each"
done
cp /etc/resolv.conf "$state/resolv.conf"
# root.sh mounts the file of the machine's authorities.
authorities=/etc/ssl/certs/ca-certificates.crt
set -- HOME=/places/home PATH=/places/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin npm_config_registry="$(npm config get registry)" \
  ${NODE_EXTRA_CA_CERTS+NODE_EXTRA_CA_CERTS="$authorities"} \
  sh -euc '
    cp /places/resolv.conf /etc/resolv.conf
    # An installed system has it; the C library of Debian 12 does not know localhost by itself.
    [ -e /etc/hosts ] || echo "127.0.0.1 localhost" >/etc/hosts
    cd /places/checkout
    . /etc/os-release
    echo "$PRETTY_NAME, Node.js $(node --version), $(openssl version)"
    for command in "$@"; do
      printf "\n$ %s\n" "$command"
      sh -c "$command"
    done
  ' sh "$@"
for name in PROPERTY_SEED HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy no_proxy; do
  eval "value=\${$name-}"
  [ -z "$value" ] || set -- "$name=$value" "$@"
done

outcome=0
# root.sh mounts the Node.js that is first on the PATH.
PATH=${node%/*}:$PATH guarded unshare --uts --ipc scripts/places/root.sh "$cache/mount" "$PWD" "$state" version2 "$root" \
  env "$@" || outcome=$?
[ "$outcome" = 0 ] || exit 1
