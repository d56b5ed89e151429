#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# run.sh bullmq|graphile N IN_FLIGHT: imports N reports by jobs of BullMQ on a Redis (appendfsync
# always) or of Graphile Worker on a PostgreSQL, each of this run's own. The servers are daemons, so
# that their CPU is not counted as the peer's.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=${BENCH_BUILD:-$here/../../../build/bench}
peer=$build/peers/queues
tools=$here/../../../tools
export RATES=${RATES:-$here/../upstream/rates.csv}
case $1 in
  bullmq)
    export REDIS=$peer/redis.sock
    stop() { redis-cli -s "$REDIS" shutdown nosave >/dev/null 2>&1 || true; }
    stop
    rm -rf "$peer/redis"
    mkdir -p "$peer/redis"
    redis-server --port 0 --unixsocket "$REDIS" --dir "$peer/redis" --appendonly yes --appendfsync \
      always --save '' --auto-aof-rewrite-percentage 0 --logfile "$peer/redis.log" --daemonize yes
    for _ in $(seq 100); do
      [ "$(redis-cli -s "$REDIS" ping 2>/dev/null)" = PONG ] && break
      sleep 0.05
    done
    ;;
  graphile)
    stop() { "$tools/postgres/stop.sh" "$peer/postgres" >/dev/null 2>&1 || true; }
    stop
    "$tools/postgres/start.sh" "$peer/postgres" >/dev/null
    . "$peer/postgres/env"
    export DATABASE=postgres://$PG_USER:$PG_PASSWORD@$PG_HOST:$PG_PORT/$PG_DATABASE
    ;;
  *) echo "run.sh: bullmq or graphile, not '$1'" >&2; exit 2 ;;
esac
trap stop EXIT
node "$peer/$1.js" "${@:2}"
