#!/bin/sh
# The Dockerfiles and the image of examples/docker with Podman, in a space of its own: podman.sh [TEXT]. With TEXT it runs the
# builds, and of the other cases those whose names have it.
set -eu
cd "$(dirname "$0")/../.."
. scripts/places/space.sh
. scripts/places/podman/parts.sh

need_podman
podman_root
base_images node:24-bookworm-slim node:24-alpine gcr.io/distroless/nodejs24-debian12:nonroot
open_podman scripts/places/podman/init.sh
run_cases scripts/places/podman/cases.mts "$@"
