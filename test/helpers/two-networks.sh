#!/bin/sh
# Creates two network namespaces with a virtual cable between them, as container engines do, and runs a command in the first one,
# the host. The host has the address 10.77.0.1, the container 10.77.0.2. Each has a loopback interface of its own. The variable
# CONTAINER is the prefix of commands that run in the container.
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
