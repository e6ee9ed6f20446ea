#!/bin/sh
# The Dockerfiles and the image of examples/docker with this machine's own Podman if there is one, else with Debian's in a space:
# podman.sh [TEXT]. With TEXT it runs the builds, and of the other cases those whose names have it.
set -eu
cd "$(dirname "$0")/../.."
. scripts/places/space.sh
. scripts/places/podman/parts.sh

need_root
need_package
need_executable
if command -v podman >/dev/null; then
  export CONTAINERS_STORAGE_CONF="$cache/state.$$/storage.conf"
  mkdir -p "${CONTAINERS_STORAGE_CONF%/*}"
  printf '[storage]\ndriver = "overlay"\ngraphroot = "%s/storage"\nrunroot = "%s/run"\n' \
    "${CONTAINERS_STORAGE_CONF%/*}" "${CONTAINERS_STORAGE_CONF%/*}" >"$CONTAINERS_STORAGE_CONF"
  own_cases scripts/places/podman "$@"
fi

need node npm
podman_root
base_images node:24-bookworm-slim node:24-alpine gcr.io/distroless/nodejs24-debian12:nonroot
open_podman scripts/places/podman/init.sh
run_cases scripts/places/podman/cases.mts "$@"
