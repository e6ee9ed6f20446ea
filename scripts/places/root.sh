#!/bin/sh
# Becomes PID 1 of a space (space.sh), in a root of its own: root.sh MOUNT REPOSITORY STATE GROUPS ROOT INIT...
# It is called in new namespaces. MOUNT is an empty folder, STATE the folder that becomes /places. GROUPS is `version2`, or `all`
# hierarchies of control groups, as engines need them where version 1 has the controllers.
set -eu
mount=$1 repository=$2 state=$3 groups=$4 lower=$5
shift 5

mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs "$mount"
mkdir "$mount/upper" "$mount/work" "$mount/root"
mount -t overlay overlay -o "lowerdir=$lower,upperdir=$mount/upper,workdir=$mount/work" "$mount/root"
cd "$mount/root"
mkdir -p proc sys dev run tmp places

mount -t proc proc proc
# No service may change the machine's kernel.
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
# These are settings of the network namespace.
mount --bind proc/sys/net proc/sys/net
mount -o remount,bind,rw proc/sys/net
mount -t sysfs -o ro sysfs sys
if [ "$groups" = all ] && grep -qv '^0:' /proc/self/cgroup; then
  mount -t tmpfs -o mode=755 tmpfs sys/fs/cgroup
  while IFS=: read -r _ controllers _; do
    folder=sys/fs/cgroup/${controllers#name=}
    case $controllers in
      "") mkdir "${folder}unified" && mount -t cgroup2 cgroup2 "${folder}unified" ;;
      name=*) mkdir "$folder" && mount -t cgroup -o "none,$controllers" cgroup "$folder" ;;
      *) mkdir "$folder" && mount -t cgroup -o "$controllers" cgroup "$folder" ;;
    esac
  done </proc/self/cgroup
else
  mount -t cgroup2 cgroup2 sys/fs/cgroup
  if [ "$groups" = all ]; then
    # A group with processes in it gives its children no controllers.
    mkdir sys/fs/cgroup/init
    echo $$ >sys/fs/cgroup/init/cgroup.procs
    for each in $(cat sys/fs/cgroup/cgroup.controllers); do echo "+$each" >sys/fs/cgroup/cgroup.subtree_control; done
  fi
fi
mount -t tmpfs -o mode=755 tmpfs dev
mkdir dev/pts dev/shm
for each in null zero full random urandom tty; do
  : >"dev/$each"
  mount --bind "/dev/$each" "dev/$each"
done
: >dev/console
mount --bind /dev/null dev/console
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
for each in 0 1 2; do ln -s "/proc/self/fd/$each" "dev/$(echo stdin stdout stderr | cut -d ' ' -f $((each + 1)))"; done
mount -t tmpfs -o mode=1777 tmpfs dev/shm
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
if [ "$lower" != / ]; then
  # This machine's Node.js, and the authorities that it trusts.
  for file in "$(node -p process.execPath):usr/local/bin/node" "/etc/ssl/certs/ca-certificates.crt:etc/ssl/certs/ca-certificates.crt"; do
    [ -e "${file%:*}" ] || continue
    mkdir -p "$(dirname "${file##*:}")"
    : >>"${file##*:}"
    mount --bind "${file%:*}" "${file##*:}"
  done
fi
mount --bind "$state" places
# It may be in /tmp.
mkdir -p ".$repository"
mount --bind "$repository" ".$repository"
mount -o remount,bind,ro ".$repository"
ip link set lo up
hostname sophia-places

mkdir -p places/old
pivot_root . places/old
umount -l /places/old
# As at a boot: systemd mounts a service's credentials in a namespace that shares this one's mounts.
mount --make-rshared /
rmdir /places/old
cd "$repository"
# shellcheck disable=SC2093
exec setpriv --bounding-set=-sys_module,-sys_rawio,-sys_time,-sys_boot,-syslog,-wake_alarm \
  --inh-caps=-sys_module,-sys_rawio,-sys_time,-sys_boot,-syslog,-wake_alarm \
  env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin container=sophia-places "$@"
