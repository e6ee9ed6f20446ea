#!/bin/sh
# Runs cases of the conformance suite with a monitor under AddressSanitizer and UndefinedBehaviorSanitizer:
# monitor-sanitizers.sh OPTION... of test/conformance/run.py. A finding ends the monitor, and the case fails.
# Without --only: signals, job control, terminals, statuses, PID 1, and the tests of secret files in both modes. Needs gcc or
# clang with both, and `npm run build`.
set -eu

cd "$(dirname "$0")/../.."
place=$(mktemp -d "${TMPDIR:-/tmp}/sophia-run-sanitized-XXXXXX")
trap 'rm -rf "$place"' EXIT
cp -R bin dist "$place"
monitor=$place/dist/linux-$(node -p process.arch)-monitor
"${CC:-cc}" -std=gnu11 -g -O1 -Wall -Wextra -Werror -DMONITOR_WITH_LIBC -fsanitize=address,undefined \
  -fno-sanitize-recover=all -o "$monitor" native/monitor/monitor.c
case " $* " in
  *" --only "*) ;;
  *)
    # Without the check of its size.
    SOPHIA_RUN_DRIVEN_PACKAGE=$place npx vitest run --project slow --project process --testNamePattern '^(?!.*small process)' \
      test/launch/exec/cleaner.slow.test.ts test/launch/secret-files.slow.test.ts
    for each in signals jobcontrol terminal status pid1; do set -- "$@" --only "$each/*"; done
    ;;
esac
python3 test/conformance/run.py --label sanitized --moments 5 "$@" \
  --launcher "$(command -v node) $place/bin/sophia-run --no-contract --mode spawn --"
