#!/bin/sh
# Becomes systemd in its space: only with what the example needs.
set -eu
: >/etc/fstab
cat >/etc/systemd/system/places.target <<'UNIT'
[Unit]
Requires=dbus.socket systemd-journald.service places-ready.service
After=dbus.socket systemd-journald.service
UNIT
cat >/etc/systemd/system/places-ready.service <<'UNIT'
[Unit]
After=dbus.socket systemd-journald.service
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'echo ready >/places/ready'
UNIT
exec /lib/systemd/systemd --unit=places.target
