#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# start.sh [discard|store]: starts the upstream; `store` keeps the objects under $UP_RUN/store.
# Where: UP_RUN (build/bench/upstream), UP_GET_PORT (18080), UP_PUT_PORT (18081).
# Faults: UP_LAT_GET=0.050 UP_LAT_PUT=0.010 (seconds) UP_P503=0.02 UP_PCLOSE=0.01 UP_P503_PUT=0,
#         UP_RATE=0 (requests/s before 429; 0: off) UP_BURST=50. Size: UP_ROWS=200.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
run=${UP_RUN:-$here/../../../build/bench/upstream}
get_port=${UP_GET_PORT:-18080}
put_port=${UP_PUT_PORT:-18081}
mode=${1:-discard}
PATH=$PATH:/usr/sbin
case $mode in
  discard) put='content_by_lua_block { upstream.put_discard() }' ;;
  # nginx's own dav module: temporary file, then rename
  store) put='dav_methods PUT DELETE; create_full_put_path on; dav_access user:rw group:rw all:r;' ;;
  *) echo "start.sh: mode is discard or store, not '$mode'" >&2; exit 2 ;;
esac
mkdir -p "$run/store"
run=$(cd "$run" && pwd)
UP_RUN=$run "$here/stop.sh"
sed -e "s|@PUT@|$put|" -e "s|@RUN@|$run|" \
  -e "s|@GET_PORT@|$get_port|" -e "s|@PUT_PORT@|$put_port|" "$here/nginx.conf" > "$run/nginx.conf"
cp "$here/upstream.lua" "$run/"
: > "$run/error.log"
ulimit -n 20000 2>/dev/null || true
# Started by root, nginx would run its worker as nobody, who cannot write here.
as=()
[ "$(id -u)" != 0 ] || as=(-g 'user root;')
cd "$run"
UP_MODE=$mode setsid nginx -p "$run" -c "$run/nginx.conf" "${as[@]}" \
  > "$run/out.log" 2>&1 < /dev/null &
pid=$!
for _ in $(seq 100); do
  kill -0 "$pid" 2>/dev/null || break
  if [ -s nginx.pid ] && curl -sf -o /dev/null "http://127.0.0.1:$get_port/_stats"; then exit 0; fi
  sleep 0.1
done
echo "start.sh: nginx did not start on ports $get_port and $put_port; it said:" >&2
cat "$run/out.log" "$run/error.log" >&2
exit 1
