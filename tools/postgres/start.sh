#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A real PostgreSQL for tests on 127.0.0.1, without systemd, with all its state in one folder. Ready in
# about two seconds.
#   tools/postgres/start.sh DIR [PORT]     tools/postgres/stop.sh DIR ends it and removes DIR
# DIR must not exist. PORT 0 (the default) takes a free one. Afterwards `. DIR/env` gives PG_HOST,
# PG_PORT, PG_USER (a superuser), PG_PASSWORD and PG_DATABASE. It does not fsync: what a test kills is
# never the database.
set -euo pipefail
[ $# -ge 1 ] || { sed -n '3,8s/^# //p' "$0" >&2; exit 2; }
state=$(realpath -m "$1") port=${2:-0}
. "$(dirname "$0")/server.sh"

[ -x "$programs/postgres" ] ||
  { echo "postgres: PostgreSQL is not installed; run: tools/setup test" >&2; exit 2; }
[ ! -e "$state" ] || { echo "postgres: $state exists; remove it by stop.sh" >&2; exit 2; }
port=$(python3 - "$port" <<'PYTHON'
import socket, sys
with socket.socket() as held:
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        held.bind(("127.0.0.1", int(sys.argv[1])))
    except OSError as error:
        sys.exit(f"postgres: port {sys.argv[1]}: {error.strerror}; give another, or 0 for any")
    print(held.getsockname()[1])
PYTHON
) || exit 2

mkdir -p "$state"
password=wherry-test-password
printf %s "$password" >"$state/password"
[ "$(id -u)" != 0 ] || chown -R "$unprivileged" "$state"
as_user test -w "$state" ||
  { echo "postgres: user $unprivileged cannot reach $state; choose another place" >&2; exit 2; }
as_user "$programs/initdb" -D "$state/data" -U wherry --pwfile="$state/password" \
  --auth=scram-sha-256 --encoding=UTF8 --locale=C --no-sync >"$state/initdb.log" 2>&1 ||
  { cat "$state/initdb.log" >&2; exit 1; }
cat >>"$state/data/postgresql.conf" <<CONF
port = $port
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
fsync = off
max_connections = 50
CONF
start_server || { cat "$state/postgres.log" >&2; exit 1; }
cat >"$state/env" <<ENV
export PG_HOST=127.0.0.1
export PG_PORT=$port
export PG_USER=wherry
export PG_PASSWORD=$password
export PG_DATABASE=postgres
ENV
echo "ready: 127.0.0.1:$port, user wherry; . $state/env"
