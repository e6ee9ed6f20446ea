#!/bin/sh
# The example Dockerfiles and an engine's options, with this machine's own engine if one answers, else with Debian's in a space:
# docker.sh [--engine podman] [TEXT]. With TEXT it runs the builds, and of the other cases those whose names have it. The engine is
# Docker, which has also Compose, devcontainers and the documents.
set -eu
engine=docker
if [ "${1-}" = --engine ]; then
  engine=${2-}
  shift
  [ $# = 0 ] || shift
fi
cd "$(dirname "$0")/../.."
. scripts/places/space.sh
case $engine in
  docker) ;;
  podman) place=podman script="scripts/places/docker.sh --engine podman" ;;
  *)
    echo "docker.sh: the engine is docker or podman" >&2
    exit 1
    ;;
esac
export PLACES_ENGINE="$engine"

# Ends as the cases do, if an engine of this machine's own answers.
use_own_docker() {
  # An engine in another machine, as that of Docker Desktop, does not reach the ESC server.
  gateway=$(docker network inspect bridge --format '{{(index .IPAM.Config 0).Gateway}}' 2>/dev/null || true)
  [ -n "$gateway" ] && ip -oneline address show | grep -q " $gateway/" || return 0
  export PLACES_LABEL="sophia-places=$$"
  own_cases scripts/places/docker "$@"
}

# Podman gets a storage of its own.
use_own_podman() {
  command -v podman >/dev/null || return 0
  export CONTAINERS_STORAGE_CONF="$cache/state.$$/storage.conf"
  mkdir -p "${CONTAINERS_STORAGE_CONF%/*}"
  printf '[storage]\ndriver = "overlay"\ngraphroot = "%s/storage"\nrunroot = "%s/run"\n' \
    "${CONTAINERS_STORAGE_CONF%/*}" "${CONTAINERS_STORAGE_CONF%/*}" >"$CONTAINERS_STORAGE_CONF"
  own_cases scripts/places/docker "$@"
}

need_root
need_commands node npm ip
need_package
need_executable
# Builds get packages where this machine gets them.
npm_config_registry=$(npm config get registry)
export npm_config_registry
"use_own_$engine" "$@"

need python3
if [ "$engine" = docker ]; then
  base_images docker/dockerfile:1 node:24-bookworm-slim node:24-alpine python:3.13-slim-bookworm \
    gcr.io/distroless/nodejs24-debian12:nonroot node:24-bookworm
  # The last ones are what the cases need.
  debian_root docker trixie ca-certificates docker-buildx docker-cli docker-compose docker.io iproute2 iptables slirp4netns \
    libatomic1 libstdc++6 openssl procps python3
  open_space all "$made" sh scripts/places/docker/init.sh
  open_network "$made"
else
  base_images node:24-bookworm-slim node:24-alpine gcr.io/distroless/nodejs24-debian12:nonroot
  podman_root
  open_space all "$made" sh scripts/places/docker/podman.sh
fi
guarded node --import tsx scripts/places/docker/projects.mts "$state/projects"
run_cases scripts/places/docker/cases.mts "$@"
