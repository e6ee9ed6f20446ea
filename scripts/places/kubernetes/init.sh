#!/bin/sh
# Becomes PID 1 of a space with a node of Kubernetes, whose processes cases.mts starts: mounts what they need, then reaps orphans.
set -eu
# Layers cannot be in an overlay, and what the node writes is in memory.
for folder in /var/lib/containerd /var/lib/containers /var/lib/kubelet; do
  mkdir -p "$folder"
  mount -t tmpfs -o mode=711 tmpfs "$folder"
done
# The kubelet wants these settings of the kernel, which no place may change, and the kernel's messages.
mkdir /run/kubernetes
for setting in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1; do
  file=/run/kubernetes/$(basename "${setting%=*}")
  echo "${setting#*=}" >"$file"
  mount --bind "$file" "/proc/sys/${setting%=*}"
done
ln -s null /dev/kmsg
echo ready >/places/ready
# A shell reaps what it has not started.
while :; do sleep 1000000000; done
