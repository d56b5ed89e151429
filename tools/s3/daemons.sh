# SPDX-License-Identifier: Apache-2.0
# Sourced by start.sh, resume.sh and stop.sh: how the three daemons of a Ceph in a folder ($state)
# are started, found alive and stopped. Only processes whose ids lie in that folder are touched.

# run_daemon NAME COMMAND...: in a session of its own and without any descriptor of ours, so that it
# keeps neither a caller's pipe open nor a lock held.
run_daemon() {
  local name=$1
  shift
  (
    for descriptor in /proc/self/fd/*; do
      descriptor=${descriptor##*/}
      [ "$descriptor" -le 2 ] || eval "exec $descriptor>&-"
    done
    exec setsid "$@" </dev/null >>"$state/log/$name.out" 2>&1
  ) &
  echo $! >"$state/$name.pid"
}

start_daemon() {
  case $1 in
    mon) run_daemon mon ceph-mon -c "$state/ceph.conf" -i a -f ;;
    osd) run_daemon osd ceph-osd -c "$state/ceph.conf" -i 0 -f ;;
    rgw) run_daemon rgw radosgw -c "$state/ceph.conf" -n client.rgw -f ;;
    *) echo "s3: no daemon $1: mon, osd or rgw" >&2; return 2 ;;
  esac
}

# is_alive NAME: running, and still the program of this folder (an id may have been given anew).
is_alive() {
  local pid
  pid=$(cat "$state/$1.pid" 2>/dev/null) || return 1
  grep -qzF -- "$state/ceph.conf" "/proc/$pid/cmdline" 2>/dev/null &&
    ! grep -q '^State:.Z' "/proc/$pid/status" 2>/dev/null
}

stop_daemon() {
  is_alive "$1" || return 0
  local pid tries
  pid=$(cat "$state/$1.pid")
  kill "$pid" 2>/dev/null || true
  for ((tries = 0; tries < 60; tries++)); do
    is_alive "$1" || return 0
    sleep 0.1
  done
  kill -9 "$pid" 2>/dev/null || true
}

# wait_for NAME COMMAND...: until COMMAND succeeds; gives up if daemon NAME dies, or after two minutes
# (a busy machine needs many times the usual second).
wait_for() {
  local name=$1 deadline=$((SECONDS + 120))
  shift
  until "$@" >/dev/null 2>&1; do
    if ! grep -q '^State:.[^Z]' "/proc/$(cat "$state/$name.pid")/status" 2>/dev/null ||
      [ $SECONDS -ge $deadline ]; then
      echo "s3: $name does not come up. The end of its log ($state/log):" >&2
      tail -n 15 "$state/log/$name".* >&2
      return 1
    fi
    sleep 0.1
  done
}
