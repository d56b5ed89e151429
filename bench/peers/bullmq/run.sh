#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# run.sh JOBS [CONCURRENCY]: runs so many jobs on a Redis of its own, which fsyncs every write before
# it answers (appendfsync always), on the disk of $BENCH_BUILD.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
peer=${BENCH_BUILD:-$here/../../../build/bench}/peers/bullmq
data=$peer/redis
socket=$(mktemp -u /tmp/wherry-bullmq-XXXXXX.sock)
rm -rf "$data"
mkdir -p "$data"
redis-server --port 0 --unixsocket "$socket" --dir "$data" --appendonly yes --appendfsync always \
  --save '' --auto-aof-rewrite-percentage 0 --logfile "$data/log" --daemonize no &
server=$!
trap 'kill "$server" 2>/dev/null; wait "$server" 2>/dev/null || true; rm -rf "$data"/appendonly* "$socket"' EXIT
for _ in $(seq 100); do
  [ "$(redis-cli -s "$socket" ping 2>/dev/null)" = PONG ] && break
  sleep 0.05
done
[ "$(redis-cli -s "$socket" config get appendfsync | tail -1)" = always ]
node "$peer/main.js" "$socket" "$1" "${2:-300}"
