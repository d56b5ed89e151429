// SPDX-License-Identifier: Apache-2.0
// A test reads this text as a spec, and looks for every key of the tables in it.
#include "spec/init.hpp"

namespace wherry::app {

std::string_view starting_spec() {
  return R"toml(# An import for Wherry: a report per client and day, from an HTTP API to files.
#
#   wherry check   ads.toml                                    find mistakes, show the plan
#   wherry preview ads.toml --client acme --day 2025-01-31     one report, nothing written
#   wherry import  ads.toml --from 2025-01-01 --to 2025-01-31
#
# ${NAME} in any string is a variable of the environment; $$ is a dollar sign.
# Lines behind a single # are examples or defaults: take the # away to change them.

[import]
name    = "ads"
clients = [
  "acme",
  { id = "globex", account = "77", currency = "EUR", timezone = "Europe/Berlin" },
]
# Or a list from elsewhere, read at each start:
#clients = { file = "clients.csv" }
#clients = { command = ["./clients.sh", "--all"], timeout = "1m" }
#clients = { url = "https://api.example.com/v1/accounts", rows = "data", id = "account_id" }
#store        = "sqlite:ads.db"   # where progress is kept; it survives kill -9
#spool        = "ads.spool"       # directory for bytes under way
#spool_budget = "4GiB"
#window       = 512               # reports in memory at once
#delay        = "4h"              # a report is due so long after its day has ended, there
#look_back    = 3                 # days before the newest that are imported again each day
#keep_for      = "forever"        # a completed report; after that it is known no more
#history_for   = "90d"            # the history of a report that ended
#history_lines = 1000             # of one report

[source]
# {client} {account} {currency} {day} stand for those of each report; {day:%Y%m%d} gives 20250131.
url   = "https://api.example.com/v1/accounts/{account}/reports/{day}.csv"
auth  = { bearer = "${API_TOKEN}" }
#auth = { basic = { user = "${API_USER}", password = "${API_PASSWORD}" } }
#auth = { header = { name = "X-Api-Key", value = "${API_KEY}" } }
#auth = { query = { name = "api_key", value = "${API_KEY}" } }
#auth = [{ bearer = "${API_TOKEN}" }, { bearer = "${OTHER_TOKEN}" }]   # by turns
# What the API can take; the same keys limit the sink.
limit.lane      = "{account}"                # who shares the limit
limit.rate      = "10/s"                     # calls, evenly; also "600/min", "1000/h", "9000/day"
limit.in_flight = 32                         # calls under way at once
#limit.quotas   = ["100/min", "10000/day"]   # most calls in any minute, in any day; also s and h
#limit.adaptive = true                       # fewer in flight while the API throttles
#limit.breaker  = { failures = 5, open_for = "30s", longest = "10m" }   # rest while it is down
#limit.weight   = 2                          # twice the share of other lanes
#shared         = [{ lane = "app", rate = "50/s", quotas = ["100000/day"] }]   # of all accounts
#headers         = { Accept = "text/csv", X-Account = "{account}" }
#body            = { account = "{account}", date = "{day}" }   # JSON to POST; else a GET
#connect_timeout = "10s"
#timeout         = "5m"
#max_size        = "1GiB"
# Columns of the report. Without them each CSV is guessed, which is slower. A column may be a table
# that says where it is: cost = { type = "decimal(18,6)", path = "metrics.cost", optional = true }.
columns = { campaign = "varchar", currency = "varchar", clicks = "bigint", cost = "decimal(18,6)" }

# What the bytes of a report are; without this, CSV in UTF-8, also as .gz and as .zip.
#[source.format]
#type          = "csv"            # or "tsv", "json", "jsonl"
#delimiter     = ";"              # these are of csv and tsv
#quote         = "'"              # "" if there is none
#escape        = "\\"             # before a quote within quotes; else it is doubled
#skip          = 2                # lines before the header
#header        = false            # no header: the columns come in the order of columns
#totals        = 1                # rows at the end that are none; or how they begin: "Total"
#encoding      = "utf-16"         # or "utf-16le", "utf-16be", "latin-1", "windows-1252"
#rows          = "data.list"      # these are of json: where the array of rows is
#rows_optional = true             # an answer without it has no rows
#packed        = "zip"            # or "gzip", "none"; both are seen by themselves
#member        = "*.csv"          # which file of a zip

# In place of auth above: access tokens of OAuth 2.0, asked for and renewed as needed.
#[source.auth.oauth2]
#token_url     = "https://api.example.com/oauth2/token"
#client_id     = "wherry"
#client_secret = "${CLIENT_SECRET}"
#scope         = "reports.read"
#refresh_token = "${REFRESH_TOKEN}"   # without it: client credentials
#client        = "body"               # id and secret in the request's body; "header" by default

# Or AWS Signature Version 4.
#[source.auth.sigv4]
#access_key    = "${MY_ACCESS_KEY}"
#secret_key    = "${MY_SECRET_KEY}"
#session_token = "${MY_SESSION_TOKEN}"
#region        = "us-east-1"
#service       = "execute-api"

# Or a signature: HMAC-SHA-256 over a text of {method} {path} {query} {timestamp} {body_sha256}.
#[source.auth.hmac]
#secret           = "${API_SECRET}"
#header           = "X-Signature"
#over             = "{timestamp}{method}{path}{query}"
#encoding         = "base64"          # "hex" by default
#timestamp_header = "X-Timestamp"     # seconds since 1970; sent if over has {timestamp}

# In place of url above: a report that the API makes when it is asked to.
#[source.request]
#url       = "https://api.example.com/v1/reports"        # a POST
#body      = { account = "{account}", date = "{day}" }   # JSON
#id        = "reportId"                                  # where its id stands in the answer
#duplicate = "duplicate of : {report}"                   # an answer that names one of before
#slots     = 4                                           # reports that the API makes at a time

#[source.poll]
#url      = "https://api.example.com/v1/reports/{report}"
#every    = "30s"
#ready    = { status = "COMPLETED" }
#failed   = { status = "FAILED" }   # it is asked for anew
#link     = "url"                   # where its address stands in the answer; or, in its place:
#download = "https://api.example.com/v1/reports/{report}/content"
#give_up  = "6h"                    # then it is asked for anew

# A report that comes in pages: one of next, cursor and by says how the next one is asked for.
#[source.pages]
#next   = { json = "paging.next" }       # its address, in the answer; or { header = "Link" }
#cursor = "paging.cursors.after"         # or {cursor}, in the url
#by     = "page"                         # or {page}; "offset" for {offset}
#url    = "https://api.example.com/v1/pages/{cursor}"   # of later pages, if it is another one
#first  = 1                              # the first {page}
#size   = 500                            # rows of a full page, {size}: a shorter one is the last
#last   = "page_info.total_page"         # or the number of the last one
#more   = "has_more"                     # or whether there is one
#most   = 4000                           # pages of a report

# A report that may be too large (is = "split"): {part} is all of these, then halves of them.
#[source.split]
#values = ["search", "display", "video"]
#join   = ","

# What an answer means, where its status alone does not say: rows, empty, pending (not ready yet),
# transient, throttled, split (too large), credentials (the lane stops) or permanent. The first rule
# that fits decides.
[[source.on]]
status = 200
json   = { code = 40100 }
is     = "throttled"
wait   = "5m"
#header = { X-State = "busy" }                          # one more condition
#wait   = { header = "X-RateLimit-Reset", in = "epoch" }   # or seconds, minutes, milliseconds
#wait   = { json = "error.retry_after" }                   # or a path in the body

[[source.on]]
status   = 404
contains = "no data"
is       = "empty"

[transform]
# DuckDB's SQL over the table `report`. convert_unit(distance, 'mile', 'km') knows UDUNITS' names;
# convert_currency(cost, currency, 'USD', day) needs rates, a file in the form of the ECB's.
sql = """
  select campaign, clicks, cost
  from report
  order by campaign"""
# What must come out: names, order, types. Anything else is an error that names the column.
columns = { campaign = "varchar", clicks = "bigint", cost = "decimal(18,6)" }
#rates    = "eurofxref-hist.csv"   # path from this file, or https://…
#bad_rows = { quarantine = "1%" }  # so many may go beside the output; "fail" by default
#threads  = 2
# Files that the SQL can look things up in: CSV, TSV, JSON lines or Parquet, paths from this file.
#tables.campaigns = { file = "campaigns.csv", columns = { campaign = "varchar", team = "varchar" } }

[sink]
# The name tells the format: .parquet, .csv .csv.gz .csv.zst, .jsonl .jsonl.gz .jsonl.zst
url    = "file://${PWD}/out/day={day}/{client}.csv.gz"
#url   = "s3://bucket/ads/day={day}/{client}.parquet"
#overwrite = false   # an object that is there with other bytes stays, and its report is dead
#limit = { lane = "sink", in_flight = 32 }
#timeout    = "2m"
# Only for s3:// ; keys and region come from the environment, an AWS profile or the machine's role.
#region        = "us-east-1"
#endpoint      = "http://127.0.0.1:9000"
#path_style    = true
#multipart     = "64MiB"   # a larger object goes up in parts
#checksum      = "crc32c"  # or "sha256": is sent along, and kept by the server
#encryption    = "kms"     # or "s3"
#kms_key       = "alias/reports"
#access_key    = "${MY_ACCESS_KEY}"
#secret_key    = "${MY_SECRET_KEY}"
#session_token = "${MY_SESSION_TOKEN}"

# Rows may also go into a table, which is there already: see docs/warehouse.md.
#[warehouse]
#redshift   = "postgres://${RS_USER}:${RS_PASSWORD}@host.redshift.amazonaws.com:5439/dev"
#iam_role   = "arn:aws:iam::123456789012:role/copy"   # reads the bucket; or "default"
#postgresql = "postgres://${PG_USER}:${PG_PASSWORD}@127.0.0.1:5432/dev"   # in place of these two
#table      = "public.ads"     # its columns are those of [transform], or more
#client     = "client"         # columns that say whose row it is, and of which day
#day        = "day"
#batch      = 200              # most reports in one load
#linger     = "2s"             # how long a load waits for more of them
#timeout    = "10m"            # for one load

[retry]
#attempts = 12        # tries before a report is dead
#first    = "500ms"   # longest first delay; doubles each time, with jitter
#cap      = "1m"
)toml";
}

}  // namespace wherry::app
