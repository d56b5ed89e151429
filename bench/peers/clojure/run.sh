#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# run.sh coreasync|serial N P: imports N reports with P processes (serial: P is ignored).
# Environment: REPORTS, BUCKET, RATES, JAVA_OPTS; see ../../README.md.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/classpath.sh"
export RATES=${RATES:-$here/../upstream/rates.csv}
main=$1
shift
# JAVA_OPTS is a list of words on purpose.
exec java ${JAVA_OPTS:-} -cp "$classpath" "peer.$main" "$@"
