#!/bin/sh
# The example unit under systemd as PID 1: this machine's own systemd, in a space of its own, with its root.
set -eu
cd "$(dirname "$0")/../.."
. scripts/places/space.sh

need node python3 systemctl journalctl dbus-daemon ip hostname
[ -x /lib/systemd/systemd ] || not_run "systemd is missing" "install systemd"
open_space version2 / sh scripts/places/systemd/init.sh
run_cases scripts/places/systemd/cases.mts
