# SPDX-License-Identifier: Apache-2.0
# Sourced by start.sh and stop.sh: how the server of a folder ($state) is started and stopped.

programs=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)
unprivileged=postgres  # PostgreSQL refuses to run as root; its package makes this user

as_user() {
  if [ "$(id -u)" != 0 ]; then
    "$@"
  else
    setpriv --reuid="$unprivileged" --regid="$unprivileged" --clear-groups "$@"
  fi
}

# Without any descriptor of ours, so that it keeps neither a caller's pipe open nor a lock held.
start_server() {
  (
    for descriptor in /proc/self/fd/*; do
      descriptor=${descriptor##*/}
      [ "$descriptor" -le 2 ] || eval "exec $descriptor>&-"
    done
    cd "$state"
    as_user "$programs/pg_ctl" -D "$state/data" -l "$state/postgres.log" -w -t 60 start \
      </dev/null >"$state/pg_ctl.log" 2>&1
  )
}

stop_server() { (cd "$state" && as_user "$programs/pg_ctl" -D "$state/data" -m immediate -w stop >/dev/null); }
