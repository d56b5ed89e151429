#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Stops the nginx that start.sh started, by its own pid file.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
run=${UP_RUN:-$here/../../../build/bench/upstream}
[ -s "$run/nginx.pid" ] || exit 0
pid=$(cat "$run/nginx.pid")
if grep -qs nginx "/proc/$pid/comm"; then
  kill -TERM "$pid"
  for _ in $(seq 100); do [ -e "/proc/$pid" ] || break; sleep 0.1; done
fi
rm -f "$run/nginx.pid"
