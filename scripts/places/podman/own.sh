#!/bin/sh
# Removes what a run with the machine's own Podman has made in a storage of its own: own.sh STATE (space.sh).
export CONTAINERS_STORAGE_CONF="$1/storage.conf"
podman rm --all --force --time=0
umount --recursive "$1/storage/overlay"
