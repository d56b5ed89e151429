#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# run.sh [--rounds N] [--machines N] [--row ROW] [--strict]: builds the peer, then runs the engine's
# benchmark. `make bench-engine` calls it. ROUNDS, MACHINES, ENGINEBENCH and BENCH_BUILD work from the
# environment too. run.sh --self-test: only the test of how the table is made; run.sh --scale: the
# benchmark of millions, see scale.py.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
export PYTHONDONTWRITEBYTECODE=1
export BENCH_BUILD=${BENCH_BUILD:-$(cd "$here/../.." && pwd)/build/bench}
if [ "${1-}" = --self-test ]; then exec /usr/bin/python3 "$here/table_test.py"; fi
if [ "${1-}" = --scale ]; then shift; exec /usr/bin/python3 "$here/scale.py" "$@"; fi
missing=()
for pair in redis-server:redis-server redis-cli:redis-tools node:nodejs npm:npm; do
  command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
done
if [ ${#missing[@]} -gt 0 ]; then
  echo "run.sh: missing tools; run: apt-get install -y --no-install-recommends ${missing[*]}" >&2
  exit 2
fi
echo "building the BullMQ peer"
"$here/../peers/bullmq/build.sh"
exec /usr/bin/python3 "$here/run.py" "$@"
