#!/bin/sh
# Removes what a run with the machine's own engine has made, as soon as standard input ends: own.sh LABEL STATE. It is started by
# docker.sh in a session of its own, so that it also comes after SIGKILL.
trap '' INT TERM HUP
cat >/dev/null
for each in $(docker container ls --all --quiet --filter "label=$1"); do docker container rm --force --volumes "$each"; done
for each in $(docker image ls --all --quiet --filter "label=$1"); do docker image rm --force "$each"; done
# The devcontainer CLI gives its images no label, but the folder's name.
for each in $(docker image ls --quiet --filter "reference=vsc-$(echo "$1" | tr = -)-*"); do docker image rm --force "$each"; done
for each in $(docker network ls --quiet --filter "label=$1"); do docker network rm "$each"; done
rm -rf "$2"
