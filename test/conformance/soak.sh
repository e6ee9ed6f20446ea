#!/bin/sh
# Every mode of sophia-run on every Node.js, ROUNDS times in a row (20), with as many busy loops beside it as there are cores.
# Prints one line for each, and ends with 1 if any round of any of them had a failure. The details are in .cache/soak.
set -u
cd "$(dirname "$0")/../.."
mkdir -p .cache/soak
status=0
for cell in spawn:20 spawn:22 spawn:24 spawn:26 exec:20 exec:22 exec:24 exec:26; do
  mode=${cell%:*} major=${cell#*:}
  node=$(test/conformance/fetch-node.sh "$major" | tail -n 1)
  python3 test/conformance/run.py --launcher "$node bin/sophia-run --no-contract --mode $mode --" --impossible "$mode" \
    --repeat "${ROUNDS:-20}" --load "$(nproc)" --jobs 3 >".cache/soak/$mode-$major" 2>&1 || status=1
  printf '%s, Node.js %s: %s\n' "$mode" "$major" "$(tail -n 1 ".cache/soak/$mode-$major")"
done
exit "$status"
