#!/bin/sh
# Analyses the workflows, the action and the examples of workflows: actionlint finds mistakes, zizmor what could give a job's
# secrets or its token to others. Needs Go and Python, which install both into .cache/validators the first time, in a minute.
# Without one of them, ends with status 2 and the reason.
set -eu

cd "$(dirname "$0")/../.."
tools=$PWD/.cache/validators
ACTIONLINT=v1.7.12
ZIZMOR=1.32.0

not_run() { # REASON
  printf 'not run: %s\n' "$1" >&2
  exit 2
}

actionlint=$tools/$ACTIONLINT/actionlint
if [ ! -x "$actionlint" ]; then
  command -v go >/dev/null || not_run 'actionlint needs Go: apt-get install golang-go'
  GOBIN=$tools/$ACTIONLINT go install "github.com/rhysd/actionlint/cmd/actionlint@$ACTIONLINT" || exit 1
fi
zizmor=$tools/zizmor-$ZIZMOR/bin/zizmor
if [ ! -x "$zizmor" ]; then
  python3 -c 'import ensurepip, venv' 2>/dev/null || not_run 'zizmor needs Python with venv: apt-get install python3-venv'
  python3 -m venv "$tools/zizmor-$ZIZMOR" || exit 1
  "$tools/zizmor-$ZIZMOR/bin/pip" install --quiet --disable-pip-version-check "zizmor==$ZIZMOR" || exit 1
fi

# actionlint checks that the action has its bundle. Status 2 means that nothing ran, so that no tool may pass on a 2 of its own.
node scripts/action.mjs >/dev/null || exit 1
"$actionlint" .github/workflows/*.yml examples/actions/*.yml || exit 1
"$zizmor" --offline --no-progress --quiet --config .github/zizmor.yml .github action.yml examples/actions/*.yml || exit 1
echo "the workflows are valid"
