# The part that the places of Podman and of Kubernetes share. Sourced after space.sh.

# Sets `root` to a root with Podman, and the programs of a node of Kubernetes that Debian has.
podman_root() {
  debian_root podman bookworm catatonit conmon containerd containernetworking-plugins crun etcd-server iproute2 iptables openssl \
    podman runc
  root=$made
}

# Makes base images, and tells the cases their archives: base_images NAME...
base_images() {
  BASE_IMAGES=
  for image in "$@"; do
    base_image "$image"
    BASE_IMAGES="$BASE_IMAGES$made
"
  done
  export BASE_IMAGES
}

# Opens the space with the example app: open_podman INIT. Sets `state`.
open_podman() {
  open_space all "$root" sh "$1"
  guarded node --import tsx scripts/places/docker/projects.mts "$state/projects"
}
