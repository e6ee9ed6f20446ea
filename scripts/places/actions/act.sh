#!/bin/sh
# Builds act from its Go module, beside others who need the processor: act.sh VERSION FOLDER
set -eu
GOMAXPROCS=1 GOBIN=$2 nice go install -trimpath -ldflags '-s -w' "github.com/nektos/act@$1"
