#!/usr/bin/env bash
# Runs the tests of the command line with the executable for this machine, without those that do not start it, or that do
# whatever program is tested. Those of other programs in front of it run with the executable each night, with PROPERTY_SEED.
# Needs `npm run build:standalone`. Arguments are for vitest.
set -euo pipefail
cd "$(dirname "$0")/../.."

SOPHIA_RUN_UNDER_TEST=dist-standalone/sophia-run-linux-$(node -p process.arch)
export SOPHIA_RUN_UNDER_TEST
[ -n "${PROPERTY_SEED-}" ] || set -- --exclude 'test/scenarios/recipes.slow.test.ts' --exclude 'test/scenarios/frameworks/*' "$@"
exec node node_modules/vitest/vitest.mjs run --project='!unit' test/access test/commands test/scenarios test/launch/masking \
  test/broker/{forward,hostile,upgrade}.esc.test.ts \
  --exclude 'test/scenarios/{build,checks,demo,first-change,installs,layers,mutations,npm-test,package-documents,packed,parts,places,places-cache,workflow}.*.test.ts' \
  --exclude 'test/scenarios/{colliding-names,executable,narrow}.standalone.test.ts' \
  --exclude 'test/commands/{takers,docs/documents,export/formats}.slow.test.ts' \
  --exclude 'test/commands/{link/*,init/image}.standalone.test.ts' "$@"
