#!/bin/sh
# Removes what a run with the machine's own engine has made: own.sh STATE (space.sh).
if [ -e "$1/storage.conf" ]; then
  # A storage of its own.
  export CONTAINERS_STORAGE_CONF="$1/storage.conf"
  podman rm --all --force --time=0
  umount --recursive "$1/storage/overlay"
  exit
fi
label=sophia-places=${1##*.}
for each in $(docker container ls --all --quiet --filter "label=$label"); do docker container rm --force --volumes "$each"; done
for each in $(docker image ls --all --quiet --filter "label=$label"); do docker image rm --force "$each"; done
# The devcontainer CLI gives its images no label, but the folder's name.
for each in $(docker image ls --quiet --filter "reference=vsc-$(echo "$label" | tr = -)-*"); do docker image rm --force "$each"; done
for each in $(docker network ls --quiet --filter "label=$label"); do docker network rm "$each"; done
