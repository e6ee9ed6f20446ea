#!/bin/sh
# Becomes PID 1 of the space of jobs, and reaps what they leave: init.sh NODE NPM ACT. In the space are a user `job`,
# act, and what GitHub's runner has by itself: Node.js 24 with npm, also in its cache of tools.
set -eu
echo 'job:x:3001:3001::/home/job:/bin/bash' >>/etc/passwd
echo 'job:x:3001:' >>/etc/group
tools=/home/job/.cache/act/tool_cache
folder=$tools/node/$("$1" -p process.versions.node)/$("$1" -p process.arch)
mkdir -p "$folder/bin" "$folder/lib/node_modules"
cp "$1" "$folder/bin/node"
cp -r "$2" "$folder/lib/node_modules/npm"
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$folder/bin/npm"
: >"$folder.complete"
ln -s "$folder/bin" /opt/node24
cp "$3" /usr/local/bin/act
chown -R job:job /home/job
echo ready >/places/ready
sleep infinity &
wait
