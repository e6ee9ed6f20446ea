# A space: namespaces with a root of their own, in which a place is real. Sourced by the places' scripts, in the repository.
#
# Outside stay this script and `unshare`, whose child is PID 1 of the space. If the script ends, also by SIGKILL, the kernel
# ends `unshare`, PID 1, all other processes of the space, and then its mounts and networks. After SIGKILL an empty control
# group and a folder are left, which the next space removes.

cache=$PWD/.cache/places
place=$(basename "$0" .sh)
# The script as it was called, for remedies.
script=${script-scripts/places/$place.sh}
# The beginning of a remedy, if the caller is in another folder.
here=
[ "$OLDPWD" = "$PWD" ] || here="cd '$PWD' && "
. scripts/places/cache.sh

# Status 2 says that no case was run.
not_run() { # REASON REMEDY
  printf 'not run: %s: %s\n  %s\n' "$place" "$1" "$2"
  is_not_run=1
  exit 2
}

# Ends the script: what it has started ends, and `close` names the function that removes what it has made.
leave() {
  status=$?
  trap '' INT TERM HUP
  "${close:-end_all}" || status=1
  remove_unfinished
  # A shell has status 2 for errors of its own, too. They must not be taken for a place that cannot run.
  [ "$status" != 2 ] || [ -n "${is_not_run-}" ] || status=1
  exit "$status"
}

# Kills the processes that another one has started, but for SPARED, and sets `children` to all: kill_children PID [SPARED...]
kill_children() {
  children=
  read -r children 2>/dev/null <"/proc/$1/task/$1/children" || true
  shift
  for child in $children; do
    case " $* " in *" $child "*) continue ;; esac
    kill -KILL "$child" 2>/dev/null || true
  done
}

# Ends all processes that the script has started, but for one of them: end_children [SPARED]
end_children() {
  # The end of PID 1 is the end of all others in its namespace, and `unshare` waits for it.
  for parent in ${space-} ${guard-}; do
    kill_children "$parent"
    [ -n "$children" ] || kill -KILL "$parent" 2>/dev/null || true
  done
  kill_children $$ "${space-}" "${guard-}" "$@"
}

end_all() {
  end_children
  wait
}

trap leave EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

# Ends with status 2 if this machine lacks what a space needs, or one of the commands.
need() { # COMMAND...
  need_root
  need_commands unshare nsenter setpriv mount pivot_root flock ip hostname "$@"
  need_package
  mkdir -p "$cache/mount" 2>/dev/null && [ -w "$cache" ] ||
    not_run "${cache#"$PWD/"} cannot be written" "make room on its disk, or mount it for writing"
  # The same as open_space and root.sh do.
  # shellcheck disable=SC2016 # for the inner shells
  {
    scripts/places/groups.sh sh -euc 'mkdir "$0"; rmdir "$0"' "sophia-places-$$" &&
      unshare --net --mount --pid --fork --uts --ipc --cgroup sh -euc '
        mount -t tmpfs tmpfs "$0"
        cd "$0"
        mkdir upper work root
        mount -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work root
        mount -t proc proc root/proc
        mount -t sysfs -o ro sysfs root/sys
        ip link set lo up
        setpriv --bounding-set=-sys_boot true
      ' "$cache/mount"
  } 2>/dev/null || not_run "namespaces, mounts or control groups are denied" "run it outside of a container"
}

need_root() {
  [ "$(uname)" = Linux ] || not_run "it needs Linux" "run it on Linux"
  [ "$(id -u)" = 0 ] || not_run "it must be root" "${here}sudo env \"PATH=\$PATH\" $script"
}

need_commands() { # COMMAND...
  for command; do
    command -v "$command" >/dev/null || not_run "$command is missing" "install the package that has $command"
  done
}

need_package() {
  [ -e bin/sophia-run.cjs ] || not_run "the package is not built" "${here}npm run build"
}

# The Dockerfiles take it out of the package.
need_executable() {
  need_commands node
  [ -e "dist-standalone/sophia-run-linux-$(node -p process.arch)" ] || not_run "the executable is not built" "${here}npm run build:standalone"
}

# Removes what spaces of scripts that were killed have left.
remove_left() {
  for left in "$cache"/state.*; do
    [ -d "$left" ] || continue
    # One with the process ID of this script is of an earlier one. Another script may remove the same at the same time.
    [ "${left##*.}" != $$ ] && [ -e "/proc/${left##*.}" ] || remove_space "${left##*.}" 2>/dev/null || true
  done
}

remove_space() { # PID
  # shellcheck disable=SC2016
  scripts/places/groups.sh sh -euc '[ ! -e "$0" ] || find "$0" -depth -type d -exec rmdir {} +' "sophia-places-$1"
  rm -rf "$cache/state.$1"
}

close_space() {
  end_all
  remove_space $$
}

# Makes a space, and waits until something in it writes `ready` into /places/ready: open_space GROUPS ROOT INIT... (root.sh).
# ROOT is not changed: what is written is in memory. /places holds what place and space share.
open_space() {
  remove_left
  state=$cache/state.$$
  close=close_space
  mkdir -p "$state"
  # In cpuset's hierarchy a new group has no processors.
  # shellcheck disable=SC2016
  scripts/places/groups.sh sh -euc '
    mkdir "$0"
    for each in cpuset.cpus cpuset.mems; do [ ! -e "$each" ] || cat "$each" >"$0/$each"; done
  ' "sophia-places-$$"
  mkfifo "$state/ready"
  # `unshare` has it open for writing, so that its end is the end of the file.
  # shellcheck disable=SC2016
  setpriv --pdeathsig KILL sh -euc '
    scripts/places/groups.sh sh -euc "echo \$1 >\$0/cgroup.procs" "$0" $$
    exec unshare --net --mount --pid --fork --kill-child --uts --ipc --cgroup -- "$@"
  ' "sophia-places-$$" sh scripts/places/root.sh "$cache/mount" "$PWD" "$state" "$@" \
    </dev/null >"$state/console" 2>&1 9>"$state/ready" &
  space=$!
  # In the background, since the shell's traps wait for a process in the foreground.
  timeout 120 grep -q -m 1 ready <"$state/ready" &
  if ! wait $!; then
    cat "$state/console"
    echo "$place: the space did not start" >&2
    exit 1
  fi
  init=$(cat "/proc/$space/task/$space/children")
  init=${init% }
  echo "$init" >"$state/init"
}

# Gives the space a network that reaches what this machine reaches, by a process in user space: open_network ROOT, which has
# slirp4netns. Nothing of the machine's own network is changed. Loopback addresses of the machine cannot be reached.
open_network() {
  mkfifo "$state/network"
  for loader in "$1"/usr/lib/*-linux-gnu/ld-linux-*.so.*; do :; done
  setpriv --pdeathsig KILL "$loader" --library-path "${loader%/*}" "$1/usr/bin/slirp4netns" --configure --mtu=1500 \
    --disable-host-loopback --ready-fd=9 "$init" tap0 </dev/null >>"$state/console" 2>&1 9>"$state/network" &
  network=$!
  timeout 30 grep -q 1 <"$state/network" &
  if ! wait $!; then
    cat "$state/console"
    echo "$place: the space has no network" >&2
    exit 1
  fi
  in_space sh -c 'rm -f /etc/resolv.conf && echo "nameserver 10.0.2.3" >/etc/resolv.conf'
}

# Runs a command in the space, in the repository.
in_space() { # COMMAND...
  # shellcheck disable=SC2016
  nsenter --target "$init" --all -- sh -c 'cd "$0" && exec "$@"' "$PWD" "$@" &
  wait $!
}

# Runs the cases of a place in its space, and ends as they do.
run_cases() { # FILE ARGUMENT...
  outcome=0
  in_space env PLACES=/places node --import tsx "$@" || outcome=$?
  report "$outcome"
}

# Runs the cases of a place outside of a space, with an engine of this machine's own, and ends as they do: own_cases FOLDER
# ARGUMENT... FOLDER/own.sh removes what they have made, also after SIGKILL. It gets the state's folder.
own_cases() {
  folder=$1
  shift
  state=$cache/state.$$
  mkdir -p "$state"
  mkfifo "$state/end"
  # In a session of its own it waits for the end of the script, which closes its standard input.
  # shellcheck disable=SC2016
  setsid sh -c 'trap "" INT TERM HUP; cat >/dev/null; sh "$0" "$1"; rm -rf "$1"' "$folder/own.sh" "$state" \
    <"$state/end" >/dev/null 2>&1 &
  remover=$! close=close_own
  exec 7>"$state/end"
  guarded node --import tsx scripts/places/docker/projects.mts "$state/projects"
  outcome=0
  PLACES="$state" setpriv --pdeathsig KILL node --import tsx "$folder/cases.mts" "$@" 7>&- &
  wait $! || outcome=$?
  report "$outcome"
}

close_own() {
  end_children "$remover"
  exec 7>&-
  wait
}

# Ends as the cases did, which have said why they could not run (75). Their report is also for the caller, in TEST_REPORTS.
report() { # STATUS
  if [ "$1" = 75 ]; then
    is_not_run=1
    exit 2
  fi
  [ -z "${TEST_REPORTS-}" ] || cp "$state/report.json" "$TEST_REPORTS/places.json"
  [ "$1" = 0 ] || exit 1
  exit 0
}
