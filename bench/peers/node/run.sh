#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# run.sh N IN_FLIGHT: imports N reports. Environment: REPORTS, BUCKET, RATES; see ../../README.md.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
export RATES=${RATES:-$here/../upstream/rates.csv}
exec node "${BENCH_BUILD:-$here/../../../build/bench}/peers/node/main.js" "$@"
