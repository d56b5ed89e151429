#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Starts reporting_api twice and checks with curl, a client of its own, that every kind of answer is
# what it says, and that the faults are the same in the second run although asked for in reverse.
#   smoke.sh PATH_TO_REPORTING_API FOLDER_OF_VEGA_DATASETS
set -euo pipefail
program=${1:?"usage: smoke.sh PROGRAM DATA"}
data=${2:?"usage: smoke.sh PROGRAM DATA"}
[ -f "$data/flights-3m.parquet" ] || { echo "no flights-3m.parquet in $data: run make build first"; exit 1; }
scratch=$(mktemp -d)
server=
finish() { [ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$scratch"; }
trap finish EXIT

fail() { echo "FAILED: $*"; exit 1; }
check() { [ "$2" = "$3" ] || fail "$1: wanted '$2', got '$3'"; }

start() {  # start FLAGS...: sets $server and $url
  rm -f "$scratch/port"
  "$program" --data "$data" --port-file "$scratch/port" "$@" > "$scratch/log" &
  server=$!
  until [ -f "$scratch/port" ]; do
    kill -0 "$server" 2>/dev/null || fail "the server ended: $(cat "$scratch/log")"
    sleep 0.05
  done
  url=http://127.0.0.1:$(cat "$scratch/port")
  grep -q "^listening on $url (.*3000000 flights" "$scratch/log" || fail "start-up line"
}
stop() {
  kill -TERM "$server"
  wait "$server" || fail "SIGTERM: exit $?"
  server=
}
token=s3cret
# ask PATH [CURL FLAGS...]: prints "status curl's-exit size"; the body is left in $scratch/body
ask() {
  local path=$1 code=0
  shift
  : > "$scratch/body"
  local out
  out=$(curl -s --max-time 20 -o "$scratch/body" -w '%{http_code}' -H "Authorization: Bearer $token" \
    "$@" "$url$path") || code=$?
  echo "$out $code $(stat -c %s "$scratch/body")"
}
flight() { echo "/v1/flights/clients/$1/reports/2001-0$2.csv"; }
stat_of() { curl -s "$url/stats" | sed "s/.*\"$1\":\([0-9]*\).*/\1/"; }

# --- every answer, without chance
start --token s3cret --endless --rate 1/s
check "no token" "401 0" "$(token=wrong; ask "$(flight ATL 1-02)" | cut -d' ' -f1,2)"
check "error body" unauthorized "$(sed 's/.*"error":"\([a-z_]*\)".*/\1/' "$scratch/body")"
check "clients" "200 0" "$(ask /v1/flights/clients | cut -d' ' -f1,2)"
grep -q '"ATL"' "$scratch/body" || fail "ATL is no client"
check "a report" "200 0" "$(ask "$(flight ATL 1-02)" --retry 9 | cut -d' ' -f1,2)"
check "rows and header" 652 "$(wc -l < "$scratch/body")"
cp "$scratch/body" "$scratch/plain"
check "gzip" "200 0" "$(ask "$(flight ATL 1-02)" --retry 9 --compressed -D "$scratch/headers" | cut -d' ' -f1,2)"
grep -qi '^content-encoding: gzip' "$scratch/headers" || fail "not compressed"
cmp "$scratch/plain" "$scratch/body" || fail "gzip changed the bytes"
check "day without rows" "200 0" "$(ask /v1/birdstrikes/clients/abx-air/reports/1990-01-08.csv --retry 9 | cut -d' ' -f1,2)"
check "header only" 1 "$(wc -l < "$scratch/body")"
check "unknown client" "404 0" "$(ask "$(flight XXX 1-02)" | cut -d' ' -f1,2)"
check "unknown dataset" "404 0" "$(ask /v1/none/clients/ATL/reports/2001-01-02.csv | cut -d' ' -f1,2)"
check "no such day" "400 0" "$(ask "$(flight ATL 2-30)" | cut -d' ' -f1,2)"
check "endless" "200 28" "$(ask /v1/endless/x --max-time 1 | cut -d' ' -f1,2)"  # 28: out of time
[ "$(stat -c %s "$scratch/body")" -gt 50000 ] || fail "the endless body ended"
tries=0
until [[ $(ask "$(flight ATL 1-02)" -D "$scratch/headers") == 429* ]]; do
  [ $((tries += 1)) -lt 20 ] || fail "20 requests in a row were within 1/s"
done
grep -qi '^retry-after: 1' "$scratch/headers" || fail "429 without Retry-After"
stop

# --- faults by chance, the same ones in a second run in reverse order
faults=(--seed 7 --latency 4ms --error-503 0.15 --cut 0.15 --slow 0.03 --empty 0.1 --malformed 0.1)
faults_of_all() {  # the fate of the first two requests of 28 reports
  local order=("$@") day
  for day in "${order[@]}"; do
    for nth in 1 2; do
      fate=$(ask "$(flight ATL "1-$day")")
      if [[ $fate == "200 0"* && $(head -c 6 "$scratch/body") == "<html>" ]]; then
        fate+=" malformed"
      fi
      echo "$day $nth $fate"
    done
  done | sort
}
start "${faults[@]}"
faults_of_all $(seq -w 1 28) > "$scratch/first"
for kind in ok unavailable cut slow empty malformed; do
  [ "$(stat_of $kind)" -gt 0 ] || fail "no $kind answer in 56 requests"
done
check "cut bodies" "$(stat_of cut)" "$(grep -c ' 200 18 ' "$scratch/first")"
check "empty bodies" "$(stat_of empty)" "$(grep -c ' 200 0 0$' "$scratch/first")"
check "503" "$(stat_of unavailable)" "$(grep -c ' 503 0 ' "$scratch/first")"
check "malformed bodies" "$(stat_of malformed)" "$(grep -c ' malformed$' "$scratch/first")"
stop
start "${faults[@]}"
faults_of_all $(seq -w 28 -1 1) > "$scratch/second"
cmp "$scratch/first" "$scratch/second" || fail "the same seed gave other faults"
stop
echo "reporting_api: all answers are as they should be"
