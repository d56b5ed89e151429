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

# --- the behaviours of real APIs
says() { grep -q -- "$1" "$scratch/body" || fail "$1 is not in $(head -c 300 "$scratch/body")"; }
field() { sed "s/.*\"$1\":\"\([^\"]*\)\".*/\1/" "$scratch/body"; }
header() { grep -i "^$1:" "$scratch/headers" | cut -d' ' -f2- | tr -d '\r'; }
counted() { curl -s "$url/stats/$1" | sed "s/.*\"$2\":\([0-9]*\).*/\1/"; }
status() { ask "$@" | cut -d' ' -f1; }
until_says() {  # until_says TEXT PATH: polls
  local tries=0
  until [[ $(status "$2") == 200 ]] && grep -q -- "$1" "$scratch/body"; do
    [ $((tries += 1)) -lt 200 ] || fail "no $1 at $2: $(cat "$scratch/body")"
    sleep 0.05
  done
}
json=(-H "Content-Type: application/json")

start --token s3cret --quota 3 --quota-window 60s --page-size 500 --make 200ms
ga4="/sync-quota/v1beta/properties/ATL:runReport"
check "ga4: first page" 200 "$(status "$ga4?date=2001-01-02")"
says '"rowCount":651'
says '"tokensPerHour":{"consumed":1,"remaining":2}'
check "ga4: rows of a page" 500 "$(grep -o dimensionValues "$scratch/body" | wc -l)"
check "ga4: by POST" 200 "$(status "$ga4" "${json[@]}" -d '{"dateRanges":[{"startDate":"2001-01-02"}],"offset":"500"}')"
check "ga4: rows of the last page" 151 "$(grep -o dimensionValues "$scratch/body" | wc -l)"
check "ga4: no rows" 200 "$(status "$ga4?date=1999-01-02")"
if grep -q '"rows"' "$scratch/body"; then fail "rows, where GA4 has none"; fi
check "ga4: quota" 429 "$(status "$ga4?date=2001-01-02")"
says '"status":"RESOURCE_EXHAUSTED"'
check "ga4: asked again" 429 "$(status "$ga4?date=2001-01-02")"
check "ga4: counted" 1 "$(counted sync-quota asked_while_throttled)"
check "ga4: no token" 401 "$(token=wrong; status "$ga4?date=2001-01-02")"
tiktok="/error-code/open_api/v1.3/report/integrated/get/"
check "tiktok: wrong token" 200 "$(status "$tiktok?advertiser_id=ATL&start_date=2001-01-02")"
says '"code":40105'
check "tiktok: last page" 200 "$(status "$tiktok?advertiser_id=ATL&start_date=2001-01-02&page=2" -H "Access-Token: $token")"
says '"total_page":2'
check "tiktok: its rows" 151 "$(grep -o '"dimensions"' "$scratch/body" | wc -l)"
check "tiktok: no such advertiser" 200 "$(status "$tiktok?advertiser_id=XXX&start_date=2001-01-02" -H "Access-Token: $token")"
says '"code":40002'
for _ in 1 2 3; do status "$tiktok?advertiser_id=ATL&start_date=2001-01-03" -H "Access-Token: $token" > "$scratch/nobody"; done
says '"code":40100'
meta=/run-id/v19.0
check "meta: run" 200 "$(status "$meta/act_BOS/insights" -d '{"time_range":{"since":"2001-01-02"}}')"
run=$(field report_run_id)
check "meta: too early" 400 "$(status "$meta/$run/insights")"
says '"error_subcode":1815107'
check "meta: progress" 200 "$(status "$meta/$run")"
says '"async_status":"Job '
check "meta: too many calls" 400 "$(status "$meta/$run" -D "$scratch/headers")"
says '"code":80004'
[[ $(header x-business-use-case-usage) == *'"estimated_time_to_regain_access":'[01].* ]] || fail "meta: $(cat "$scratch/headers")"
stop

start --token s3cret --make 200ms --link-life 60s --page-size 400 --most-rows 600 --slots 1 --report-life 60s
check "meta: run" 200 "$(status "$meta/act_BOS/insights" -d '{"time_range":{"since":"2001-01-02"}}')"
run=$(field report_run_id)
until_says '"async_percent_completion":100' "$meta/$run"
check "meta: page" 200 "$(status "$meta/$run/insights?limit=100")"
says '"cursors":{"before":"0","after":"100"}'
check "meta: next page" 200 "$(status "$meta/$run/insights?limit=100&after=100")"
says '"before":"100"'
check "meta: skipped" 200 "$(status "$meta/act_BOS/insights" -d '{"time_range":{"since":"1999-01-02"}}')"
until_says '"async_status":"Job Skipped"' "$meta/$(field report_run_id)"
check "meta: too much" 500 "$(status "$meta/act_ATL/insights?since=2001-01-02")"
says 'Please reduce the amount of data'
check "meta: less" 200 "$(status "$meta/act_ATL/insights?since=2001-01-02&hours=06,07")"
if grep -q ' 08:' "$scratch/body"; then fail "an hour that was not asked for"; fi
check "meta: wrong token" 400 "$(token=wrong; status "$meta/act_ATL/insights?since=2001-01-02")"
says '"code":190'

amazon=/duplicate/reporting/reports
report='{"profileId":"ATL","startDate":"2001-01-02"}'
check "amazon: asked for" 200 "$(status $amazon -d "$report")"
id=$(field reportId)
check "amazon: asked for again" 425 "$(status $amazon -d "$report")"
says "duplicate of : $id\""
until_says '"status":"COMPLETED"' "$amazon/$id"
link=$(field url)
check "amazon: with credentials" 400 "$(status "${link#"$url"}")"
check "amazon: counted" 1 "$(counted duplicate credentials_at_the_link)"
check "amazon: without" 200 "$(curl -s -o "$scratch/body.gz" -w '%{http_code}' "$link")"
gunzip -c "$scratch/body.gz" > "$scratch/body"
check "amazon: rows" 651 "$(grep -o '"departedAt"' "$scratch/body" | wc -l)"

microsoft=/slots/Reporting/v13/GenerateReport
report() { echo "{\"ReportRequest\":{\"Scope\":{\"AccountIds\":[\"$1\"]},\"Time\":{\"CustomDateRangeStart\":\"$2\"}}}"; }
check "microsoft: asked for" 200 "$(status $microsoft/Submit -d "$(report ATL 2001-01-02)")"
id=$(field ReportRequestId)
check "microsoft: no slot" 400 "$(status $microsoft/Submit -d "$(report ATL 2001-01-03)")"
says '"Code":207,"ErrorCode":"ConcurrentRequestOverLimit"'
until_says '"Status":"Success"' "$microsoft/Poll/$id"
check "microsoft: by POST" 200 "$(status $microsoft/Poll -d "{\"ReportRequestId\":\"$id\"}")"
link=$(field ReportDownloadUrl)
curl -s -o "$scratch/body.zip" "$link"
/usr/bin/python3 -m zipfile -t "$scratch/body.zip" > "$scratch/nobody" || fail "microsoft: no zip file"
/usr/bin/python3 -m zipfile -e "$scratch/body.zip" "$scratch"
check "microsoft: titles, header, rows, totals" 658 "$(wc -l < "$scratch/ATL-2001-01-02.csv")"
check "microsoft: asked for again" 200 "$(status $microsoft/Submit -d "$(report ATL 2001-01-02)")"
[ "$id" != "$(field ReportRequestId)" ] || fail "microsoft: the same report"
until_says '"Status":"Success"' "$microsoft/Poll/$(field ReportRequestId)"
status $microsoft/Submit -d "$(report ATL 1999-01-02)" > "$scratch/nobody"
until_says '"Status":"Success","ReportDownloadUrl":null' "$microsoft/Poll/$(field ReportRequestId)"
check "microsoft: never more" 1 "$(counted slots most_made_at_once)"

criteo=/expiring/2025-01/retail-media/reports
check "criteo: asked for" 200 "$(status $criteo/flights -d '{"data":{"attributes":{"accountId":"ATL","startDate":"2001-01-02"}}}')"
id=$(field id)
until_says '"status":"success","rowCount":600' "$criteo/$id/status"
check "criteo: there" 200 "$(status "$criteo/$id/output")"
check "criteo: cut short" 600 "$(grep -o departedAt "$scratch/body" | wc -l)"
stop
start --token s3cret --make 1ms --report-life 1ms --quota 6 --quota-window 60s
status $criteo/flights -d '{"data":{"attributes":{"accountId":"ATL","startDate":"2001-01-02"}}}' > "$scratch/nobody"
id=$(field id)
until_says '"status":"expired"' "$criteo/$id/status"
check "criteo: gone" 410 "$(status "$criteo/$id/output")"
until [ "$(status "$criteo/$id/status" -D "$scratch/headers")" == 429 ]; do true; done
[ "$(header x-ratelimit-reset)" -gt "$(date +%s)" ] || fail "criteo: $(cat "$scratch/headers")"
stop

start --token s3cret --error-503 1 --error-quota 3 --quota-window 60s
ga4="/error-quota/v1beta/properties/ATL:runReport?date=2001-01-02"
for _ in 1 2 3; do check "error quota: an error" 503 "$(status "$ga4")"; done
check "error quota: refused" 429 "$(status "$ga4")"
says 'Exhausted server errors'
check "error quota: counted" 3 "$(counted error-quota most_server_errors_of_a_window)"
stop
start --token s3cret --outage 300ms --outage-after 1
check "outage: before" 200 "$(status "$ga4")"
check "outage: in it" 503 "$(status "$ga4")"
until_says rowCount "${ga4#"$url"}"
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
