#!/bin/sh
# The manifests of examples/kubernetes on a cluster with one node, in a space of its own: kubernetes.sh [TEXT]. With TEXT it runs
# the cases whose names have it. The first time it compiles Kubernetes.
set -eu
cd "$(dirname "$0")/../.."
. scripts/places/space.sh

need node npm
need_executable
grep -q :memory: /proc/self/cgroup || not_run "the control groups have version 2 alone" "run it on a machine with version 1"
podman_root
root=$made
base_images node:24-bookworm-slim
version=$(sed -n 's|^require k8s.io/kubernetes v||p' scripts/places/kubernetes/go.mod)
[ -e "$cache/kubernetes/$version" ] || need go
part "$cache/kubernetes/$version" "$version, $(cat scripts/places/kubernetes/build.sh scripts/places/kubernetes/go.* | cksum)" \
  "12 minutes of processor time" scripts/places/kubernetes/build.sh
export KUBERNETES="$made"
open_space all "$root" sh scripts/places/kubernetes/init.sh
guarded node --import tsx scripts/places/docker/projects.mts "$state/projects"
run_cases scripts/places/kubernetes/cases.mts "$@"
