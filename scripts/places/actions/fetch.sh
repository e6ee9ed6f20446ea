#!/bin/sh
# Makes a repository with one commit of another: fetch.sh REPOSITORY COMMIT FOLDER
set -eu
git init --quiet --bare "$3"
timeout 120 git --git-dir="$3" fetch --quiet --depth 1 "$1" "$2:refs/heads/main" || {
  echo "commit $2 cannot be fetched from $1"
  echo "scripts/places/actions.sh FOLDER takes it from a repository in FOLDER"
  exit 1
}
