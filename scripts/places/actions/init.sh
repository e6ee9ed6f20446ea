#!/bin/sh
# Becomes PID 1 of the space of jobs, and reaps what they leave: init.sh NODE ACT. In the space are a user `runner`, act, and
# what GitHub's runner has by itself: Node.js 24 with npm, also in its cache of tools.
set -eu
echo 'runner:x:1001:1001::/home/runner:/bin/bash' >>/etc/passwd
echo 'runner:x:1001:' >>/etc/group
tools=/home/runner/.cache/act/tool_cache
folder=$tools/node/$("$1" -p process.versions.node)/$("$1" -p process.arch)
mkdir -p "$folder/bin" "$folder/lib/node_modules"
cp "$1" "$folder/bin/node"
cp -r "$(npm root --global)/npm" "$folder/lib/node_modules/"
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$folder/bin/npm"
: >"$folder.complete"
ln -s "$folder/bin" /opt/node24
cp "$2" /usr/local/bin/act
chown -R runner:runner /home/runner
echo ready >/places/ready
sleep infinity &
wait
