#!/bin/sh
# Makes a base image as an archive: image.sh NAME FILE (cache.sh). The official images cannot be had without their registry: these
# have their names, and as far as the examples need it their users, paths and settings. What is in them is from Debian, npm, PyPI
# and the Go module proxy.
set -eu
name=$1 file=$2
new=$file.root
scripts=$(cd "$(dirname "$0")" && pwd)
platforms=$scripts/../platforms
fetch_node=$scripts/../../test/conformance/fetch-node.sh
PATHS=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

BUILDKIT=v0.34.2

add_node() { # BINARY
  cp "$1" "$new/usr/local/bin/node"
  chmod 755 "$new/usr/local/bin/node"
  mkdir -p "$new/usr/local/lib/node_modules/npm" "$file.npm"
  npm pack --silent --pack-destination "$file.npm" npm@11 >/dev/null
  tar -xzf "$file.npm"/npm-*.tgz -C "$new/usr/local/lib/node_modules/npm" --strip-components=1 --no-same-owner
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$new/usr/local/bin/npm"
  ln -s ../lib/node_modules/npm/bin/npx-cli.js "$new/usr/local/bin/npx"
}

add_user() { # NAME ID HOME SHELL
  echo "$1:x:$2:$2::$3:$4" >>"$new/etc/passwd"
  echo "$1:x:$2:" >>"$new/etc/group"
  mkdir -p "$new$3"
  chown "$2:$2" "$new$3"
}

archive() { # CONFIG
  node --import tsx "$scripts/archive.mts" "$new" "$name" "$1" "$file"
}

case $name in
  node:24-bookworm-slim | node:24-bookworm)
    packages=
    [ "$name" != node:24-bookworm ] || packages="ca-certificates git openssh-client procps"
    # shellcheck disable=SC2086 # the words of $packages
    "$scripts/debian.sh" bookworm $packages "$new"
    add_node "$("$fetch_node" 24)"
    add_user node 1000 /home/node /bin/bash
    archive "{\"Env\":[\"$PATHS\"],\"Cmd\":[\"node\"]}"
    ;;
  node:24-alpine)
    alpine=$("$platforms/alpine-root.sh")
    cp -a "$alpine" "$new"
    mkdir -p "$new/etc" "$new/root" "$new/home" "$new/var/tmp" "$new/sbin" "$new/usr/sbin"
    chmod 1777 "$new/tmp" "$new/var/tmp"
    echo "root:x:0:0:root:/root:/bin/sh" >"$new/etc/passwd"
    echo "root:x:0:" >"$new/etc/group"
    for applet in $("$new/bin/busybox" --list); do [ -e "$new/bin/$applet" ] || ln -s busybox "$new/bin/$applet"; done
    add_node "$alpine/usr/local/bin/node"
    add_user node 1000 /home/node /bin/sh
    archive "{\"Env\":[\"$PATHS\"],\"Cmd\":[\"node\"]}"
    ;;
  python:3.13-slim-bookworm)
    "$scripts/debian.sh" trixie ca-certificates python3 python3-pip "$new"
    ln -s /usr/bin/python3 "$new/usr/local/bin/python"
    # As there, pip may install for the whole system.
    rm "$new"/usr/lib/python3.*/EXTERNALLY-MANAGED
    archive "{\"Env\":[\"$PATHS\"],\"Cmd\":[\"python3\"]}"
    ;;
  gcr.io/distroless/nodejs24-debian12:nonroot)
    mkdir "$new"
    (cd "$new" && "$platforms/debian-packages.sh" bookworm "$(uname -m)" base-files ca-certificates libc6 libgcc-s1 libstdc++6 netbase tzdata)
    mkdir -p "$new/etc/ssl/certs" "$new/nodejs/bin" "$new/root" "$new/tmp" "$new/home"
    chmod 1777 "$new/tmp"
    cat "$new"/usr/share/ca-certificates/mozilla/*.crt >"$new/etc/ssl/certs/ca-certificates.crt"
    cp "$("$fetch_node" 24)" "$new/nodejs/bin/node"
    echo "root:x:0:0:root:/root:/sbin/nologin" >"$new/etc/passwd"
    echo "root:x:0:" >"$new/etc/group"
    add_user nonroot 65532 /home/nonroot /sbin/nologin
    archive "{\"Env\":[\"$PATHS\",\"SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt\"],\"User\":\"65532\",
      \"WorkingDir\":\"/home/nonroot\",\"Entrypoint\":[\"/nodejs/bin/node\"]}"
    ;;
  docker/dockerfile:1)
    # BuildKit's reader of Dockerfiles. The module cannot be installed by its name, since its go.mod excludes versions.
    mkdir -p "$file.module" "$new/bin"
    package=github.com/moby/buildkit/frontend/dockerfile/cmd/dockerfile-frontend
    program=$(cd "$new/bin" && pwd)/dockerfile-frontend
    (cd "$file.module" && go mod init places && go get "$package@$BUILDKIT" &&
      CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o "$program" "$package")
    caps=moby.buildkit.frontend.inputs,moby.buildkit.frontend.subrequests,moby.buildkit.frontend.contexts
    archive "{\"Env\":[\"PATH=/bin\"],\"Entrypoint\":[\"/bin/dockerfile-frontend\"],\"Labels\":{
      \"moby.buildkit.frontend.network.none\":\"true\",\"moby.buildkit.frontend.caps\":\"$caps\"}}"
    ;;
  *)
    echo "image.sh: no recipe for $name" >&2
    exit 1
    ;;
esac
rm -rf "$new" "$file.npm" "$file.module"
