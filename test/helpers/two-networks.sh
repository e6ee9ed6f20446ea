#!/bin/sh
# Makes two network namespaces with a cable between them, as an engine of containers does: the host has 10.77.0.1, the
# container 10.77.0.2, and each a loopback of its own. Runs a command in the host; CONTAINER is a command's prefix there.
set -eu
gate=$(mktemp -u)
mkfifo "$gate"
unshare --net sh -c 'echo >"$0"; exec sleep 600' "$gate" &
container=$!
trap 'kill "$container"; rm -f "$gate"' EXIT
read -r _ <"$gate"
export CONTAINER="nsenter --net=/proc/$container/ns/net"
ip link set lo up
ip link add host0 type veth peer name container0 netns "$container"
ip address add 10.77.0.1/24 dev host0
ip address add fd77::1/64 dev host0 nodad
ip link set host0 up
$CONTAINER ip link set lo up
$CONTAINER ip address add 10.77.0.2/24 dev container0
$CONTAINER ip address add fd77::2/64 dev container0 nodad
$CONTAINER ip link set container0 up
"$@"
