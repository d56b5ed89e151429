#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# run.sh THREADS ROW REPETITIONS: one row, with core.async's pool of so many threads.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/classpath.sh"
threads=$1
shift
exec java "-Dclojure.core.async.pool-size=$threads" -Xmx8g -cp "$classpath" chanbench "$@"
