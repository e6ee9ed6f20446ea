#!/bin/sh
# Compiles Kubernetes: build.sh FOLDER (cache.sh). The version is that of go.mod, from the Go module proxy; go.sum has the checksums
# of all modules. A build that was interrupted goes on with what was compiled. It takes 2 GB of disk, of which 350 MB remain.
set -eu
mkdir -p "$1"
folder=$(cd "$1" && pwd)
cd "$(dirname "$0")"
version=$(sed -n 's|^require k8s.io/kubernetes v||p' go.mod)
export GOCACHE="${folder%/*}/compiled" GOFLAGS="-mod=readonly -trimpath -buildvcs=false" CGO_ENABLED=0
# The version that the programs report.
reported=$(printf ' -X k8s.io/component-base/version.%s' "gitVersion=v$version" gitMajor=1 "gitMinor=$(echo "$version" | cut -d . -f 2)")
for program in kubectl kube-apiserver kube-controller-manager kube-scheduler kube-proxy kubelet; do
  echo "compiling $program $version"
  nice -n 10 go build -p 1 -ldflags "-s -w $reported" -o "$folder/$program" "k8s.io/kubernetes/cmd/$program"
done
rm -rf "$GOCACHE"
