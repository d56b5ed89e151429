#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# run.sh [--rounds N] [--size FRACTION] [--without NAME] [--strict]: builds the peers, then runs the
# import benchmark; with SIZE=1mb that of large reports instead (large.py, REPORTS=5000). `make
# bench-import` calls it. ROUNDS, SIZE, WHERRY, BENCH_BUILD, UP_GET_PORT and UP_PUT_PORT work from
# the environment too.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
export BENCH_BUILD=${BENCH_BUILD:-$(cd "$here/../.." && pwd)/build/bench}
PATH=$PATH:/usr/sbin
missing=()
for pair in nginx:nginx go:golang-go java:default-jre-headless node:nodejs npm:npm curl:curl redis-server:redis-server; do
  command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
done
[ -e /usr/lib/nginx/modules/ngx_http_lua_module.so ] || missing+=(libnginx-mod-http-lua)
[ -x /usr/lib/postgresql/15/bin/postgres ] || missing+=(postgresql-15)
[ -e /usr/share/java/core.async.jar ] || missing+=(clojure libcore-async-clojure)
[ -e /usr/share/java/data.csv.jar ] || missing+=(libdata-csv-clojure)
if [ ${#missing[@]} -gt 0 ]; then
  echo "run.sh: missing tools; run: apt-get install -y --no-install-recommends ${missing[*]}" >&2
  exit 2
fi
export PYTHONDONTWRITEBYTECODE=1
if [ "${SIZE-}" = 1mb ]; then exec /usr/bin/python3 "$here/large.py" "$@"; fi
for peer in go clojure node queues; do
  echo "building the $peer peer"
  "$here/../peers/$peer/build.sh"
done
exec /usr/bin/python3 "$here/run.py" "$@"
