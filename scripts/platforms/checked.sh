#!/usr/bin/env bash
# Runs tests of launches, TLS, masking and the broker with the executable that checks its memory
# (runtime/native/checked/checked.h). Needs `node runtime/build/runtime.mjs --checked`.
set -euo pipefail
cd "$(dirname "$0")/../.."

executable=.cache/runtime/checked-sophia-run-linux-$(node -p process.arch)
trap 'rm -f "$executable".{findings,counts}' EXIT
[ -x "$executable" ] || { echo "no $executable: node runtime/build/runtime.mjs --checked" >&2 && exit 2; }
# The executable appends to these files, also as another user.
for file in "$executable".{findings,counts}; do : >"$file" && chmod 666 "$file"; done

status=0
SOPHIA_RUN_UNDER_TEST=$executable node node_modules/vitest/vitest.mjs run \
  test/launch/masking/{same,source,streams} test/broker/{forward,hostile,upgrade} \
  test/commands/run/broker/{broker,trust} test/scenarios/{esc-faults,signals} || status=1
run() { # LABEL OPTIONS-OF-SOPHIA-RUN OPTION-OF-THE-SUITE...
  python3 test/conformance/run.py --label "checked-$1" --moments 5 \
    --launcher "$executable --no-contract $2 --" "${@:3}" || status=1
}
run exec "--mode auto" --only 'argv/*' --only 'descriptors/*' --only 'signals-at-start/*' --only 'status/*'
run spawn "--mode spawn" --impossible spawn --only 'descriptors/*' --only 'jobcontrol/*'
run redact --redact --impossible spawn --env PULUMI_ACCESS_TOKEN=pul-conformance-0a1b2c3d --only 'terminal/*' --only 'jobcontrol/*'
run broker "-q --broker" --env OPENAI_API_KEY=sk-conformance-0a1b2c3d4e5f6a7b8c9d \
  --only 'status/*' --only 'signals-at-start/*'

# A test may expect a failure, or ignore it.
if [ -s "$executable.findings" ]; then
  echo "checked.sh: the executable has found:" >&2
  sort "$executable.findings" | uniq -c >&2
  status=1
fi
processes=$(wc -l <"$executable.counts")
echo "$processes processes have checked their memory"
[ "$processes" -gt 500 ] || { echo "checked.sh: those are too few" >&2 && status=1; }
exit "$status"
