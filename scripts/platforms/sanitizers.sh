#!/bin/sh
# Runs cases of the conformance suite with the addons under AddressSanitizer and UndefinedBehaviorSanitizer, in exec mode, in
# spawn mode and with masking. A finding ends sophia-run, and the case fails.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cp -R bin dist "$place/"

platform=linux-$(node -p process.arch)
compile() { # SOURCE OUTPUT OPTION...
  source=$1 output=$2
  shift 2
  cc -shared -fPIC -std=gnu11 -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer \
    -isystem node_modules/node-api-headers/include -o "$output" "$source" "$@"
}
compile native/system.c "$place/dist/$platform.node"
compile native/masking/masking-addon.c "$place/dist/$platform-masking.node"

# The runtimes must be loaded first. The loader's option does that without affecting the program that sophia-run starts.
node=$(node -p process.execPath)
loader=$(readelf -l "$node" | sed -n 's/.*interpreter: \(.*\)]/\1/p')
runtimes="$(realpath "$(cc -print-file-name=libasan.so)"):$(realpath "$(cc -print-file-name=libubsan.so)")"
prefix="$loader --preload $runtimes $node"
# At its end Node.js has much memory that no pointer reaches.
export ASAN_OPTIONS=detect_leaks=0

# Without an addon, or with one without sanitizers, all cases would pass.
for name in "$platform" "$platform-masking"; do
  $prefix -e 'process.dlopen({ exports: {} }, process.argv[1])' "$place/dist/$name.node"
done
cat >"$place/wrong.c" <<'END'
#include <stdlib.h>
static volatile int at = 1;
static char *volatile bytes;
__attribute__((constructor)) static void write_behind(void) {
  bytes = malloc(1);
  bytes[at] = 0;
}
END
compile "$place/wrong.c" "$place/wrong.node"
if $prefix -e 'process.dlopen({ exports: {} }, process.argv[1])' "$place/wrong.node" 2>"$place/report"; then
  echo "sanitizers.sh: the sanitizer finds nothing" >&2
  exit 1
fi
grep -q heap-buffer-overflow "$place/report"

status=0
# Each two bytes behind each byte that begins an escape, through the search of masking.
python3 -c 'import sys
for first in b"%\\&$+": sys.stdout.buffer.write(b"".join(bytes((first, x, y)) for x in range(256) for y in range(256)))
' >"$place/escapes"
ESC_TOKEN="it's a \"secret\" %41" $prefix -- "$place/bin/sophia-run.cjs" --no-contract --offline --redact -- cat "$place/escapes" \
  >"$place/masked"
cmp "$place/escapes" "$place/masked" || status=1
run() { # LABEL OPTIONS-OF-SOPHIA-RUN OPTION-OF-THE-SUITE...
  label=$1 options=$2
  shift 2
  python3 test/conformance/run.py --label "sanitizers-$label" --patience 60 --moments 5 --env "ASAN_OPTIONS=$ASAN_OPTIONS" \
    --launcher "$prefix -- $place/bin/sophia-run --no-contract $options --" "$@" || status=1
}
run exec "--mode auto" --only 'argv/*' --only 'descriptors/*' --only 'signals-at-start/*'
run spawn "--mode spawn" --only 'jobcontrol/*'
# Continued masking is started by process.execPath, which is the loader here.
echo "jobcontrol/grandchild-stops this launcher's process.execPath is no Node.js" >"$place/impossible"
run redact --redact --env PULUMI_ACCESS_TOKEN=pul-conformance-0a1b2c3d --known-impossible "$place/impossible" \
  --only 'terminal/*' --only 'jobcontrol/*'
exit "$status"
