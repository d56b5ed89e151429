#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The demo: imports 2,172 real reports (12 airports, 181 days of 2001) from an API that fails now
# and then and limits its callers, into build/demo/. Starts the API, stops it whatever happens.
#   examples/demo.sh              from the beginning: removes the previous result
#   examples/demo.sh --continue   goes on where an interrupted demo stopped
set -euo pipefail
cd "$(dirname "$0")/.."
wherry=build/release/wherry
api=build/release/examples/reporting_api
query=build/release/examples/query_results
data=build/deps/node_modules/vega-datasets/data
results=$PWD/build/demo

for need in "$wherry" "$api" "$query" "$data/flights-3m.parquet"; do
  [ -e "$need" ] || { echo "demo: $need is missing: run 'make build' first" >&2; exit 2; }
done
case "${1-}" in
  "") rm -rf "$results" ;;
  --continue) [ -d "$results" ] || { echo "demo: nothing to continue: run it without --continue" >&2; exit 2; } ;;
  *) echo "usage: examples/demo.sh [--continue]" >&2; exit 2 ;;
esac
mkdir -p "$results"

server=
stop_server() {
  [ -n "$server" ] || return 0
  kill "$server" 2>/dev/null || true
  wait "$server" 2>/dev/null || true
  server=
}
interrupted=
stopped_by_hand() {
  echo
  echo "Stopped; what is done is kept. Go on with:  examples/demo.sh --continue"
  exit 130
}
trap stop_server EXIT
trap 'interrupted=yes' INT TERM

# The API has a session of its own, so that Ctrl-C reaches wherry alone and it can end its steps;
# and it goes with this script even if that is killed.
rm -f "$results/port"
export REPORTING_TOKEN=demo-$RANDOM
echo "Starting a reporting API over 3 million flights, with faults: 2 % of answers are 503, 1 % are cut"
echo "short, each takes 25 to 75 ms, and beyond 240 a second it says 429."
setsid setpriv --pdeathsig TERM "$api" --data "$data" --port-file "$results/port" --token "$REPORTING_TOKEN" \
  --seed 1 --latency 50ms --error-503 0.02 --cut 0.01 --rate 240/s > "$results/reporting_api.log" 2>&1 &
server=$!
until [ -f "$results/port" ]; do
  [ -z "$interrupted" ] || stopped_by_hand
  kill -0 "$server" 2>/dev/null || { cat "$results/reporting_api.log" >&2; exit 1; }
  sleep 0.1 || true  # Ctrl-C ends it too
done
export REPORTING_API=http://127.0.0.1:$(cat "$results/port")
export RESULTS=$results

import() { "$wherry" import examples/flights.toml --from 2001-01-01 --to 2001-06-30; }
echo "wherry import examples/flights.toml --from 2001-01-01 --to 2001-06-30"
status=0
import || status=$?
[ -z "$interrupted" ] || stopped_by_hand
[ "$status" = 0 ] || exit "$status"

echo
echo "Once more: all reports are completed already, so nothing is asked of the API."
last=$(import | tail -n 1)
stop_server
echo "The API $(grep '^answered' "$results/reporting_api.log")."
echo
echo "The result is in build/demo/flights/: $(find "$results/flights" -name '*.parquet' | wc -l) files," \
  "one an airport and day. A query over it:"
sql="select origin, count(*) as flights, round(avg(distance_km)) as mean_km,
       round(60 * avg(delay_hours), 1) as mean_delay_minutes
from 'build/demo/flights/*/*.parquet' group by origin order by flights desc limit 5"
echo
echo "$query \"$sql\""
echo
"$query" "$sql"
echo
echo "$last"
