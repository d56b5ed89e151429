#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ceiling.sh: how much the upstream itself can serve (wrk, one thread, 256 connections, 8 s each), so
# that a contestant near this rate is known to be limited by the server. A report is a GET and a PUT.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
export UP_RUN=${UP_RUN:-$here/../../../build/bench/upstream}
get=http://127.0.0.1:${UP_GET_PORT:-18080}
put=http://127.0.0.1:${UP_PUT_PORT:-18081}
trap '"$here/stop.sh"' EXIT

worker_ticks() {
  local worker
  worker=$(pgrep -P "$(cat "$UP_RUN/nginx.pid")" | head -1)
  awk '{print $14 + $15}' "/proc/$worker/stat"
}

# measure LABEL SCRIPT URL
measure() {
  local before after
  before=$(worker_ticks)
  wrk -t1 -c256 -d8s --latency -s "$here/$2" "$3" > "$UP_RUN/wrk.txt"
  after=$(worker_ticks)
  awk -v label="$1" -v ticks=$((after - before)) '
    /Requests\/sec/ {rate = $2}
    /50%/ {p50 = $2}
    /99%/ {p99 = $2}
    /requests in/ {requests = $1}
    /Non-2xx/ {bad = $NF}
    END {printf "%-32s %8.0f req/s  p50 %s  p99 %s  not 2xx: %d  server CPU %.0f us/request\n",
         label, rate, p50, p99, bad, ticks * 1e4 / requests}' "$UP_RUN/wrk.txt"
}

UP_LAT_GET=0 UP_LAT_PUT=0 UP_P503=0 UP_PCLOSE=0 "$here/start.sh" discard
measure "GET, no latency, no faults" get.lua "$get"
measure "PUT 9 kB discarded, no latency" put.lua "$put"
"$here/start.sh" discard
measure "GET, 50 ms, faults" get.lua "$get"
measure "PUT 9 kB discarded, 10 ms" put.lua "$put"
UP_LAT_PUT=0 "$here/start.sh" store
measure "PUT 9 kB stored, no latency" put.lua "$put"
rm -rf "$UP_RUN/store/bucket"
