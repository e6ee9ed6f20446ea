#!/bin/sh
# The example Dockerfiles and Docker's options, with this machine's own engine if one answers, else with Debian's in a space:
# docker.sh [TEXT]. With TEXT it runs the builds, and of the other cases those whose names have it.
set -eu
cd "$(dirname "$0")/../.."
. scripts/places/space.sh

need_root
need_commands node npm ip
need_package
need_executable
# Builds get packages where this machine gets them.
npm_config_registry=$(npm config get registry)
export npm_config_registry
# An engine in another machine, as that of Docker Desktop, does not reach the ESC server.
gateway=$(docker network inspect bridge --format '{{(index .IPAM.Config 0).Gateway}}' 2>/dev/null || true)
if [ -n "$gateway" ] && ip -oneline address show | grep -q " $gateway/"; then
  export PLACES_LABEL="sophia-places=$$"
  own_cases scripts/places/docker "$@"
fi

need python3
archives=
for name in docker/dockerfile:1 node:24-bookworm-slim node:24-alpine python:3.13-slim-bookworm \
  gcr.io/distroless/nodejs24-debian12:nonroot node:24-bookworm; do
  base_image "$name"
  archives="$archives ${made#"$PWD/"}"
done
# The last ones are what the cases need.
debian_root docker trixie ca-certificates docker-buildx docker-cli docker-compose docker.io iproute2 iptables slirp4netns \
  libatomic1 libstdc++6 openssl procps python3
open_space all "$made" sh scripts/places/docker/init.sh
open_network "$made"
guarded node --import tsx scripts/places/docker/projects.mts "$state/projects"
for archive in $archives; do in_space docker load --quiet --input "$archive"; done
run_cases scripts/places/docker/cases.mts "$@"
