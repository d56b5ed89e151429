#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A real S3 server for tests: one ceph-mon, one ceph-osd and radosgw on 127.0.0.1, without systemd,
# with all its state in one folder. Ready in a few seconds.
#   tools/s3/start.sh DIR [memstore|bluestore] [PORT]     tools/s3/stop.sh DIR [-r] ends it
# DIR must not exist. memstore forgets at the end and grows with each object: for short tests;
# bluestore keeps. PORT 0 (the default) takes a free one. Afterwards `. DIR/env` gives S3_ENDPOINT,
# S3_ACCESS_KEY, S3_SECRET_KEY and S3_BUCKET (an empty bucket, made here).
set -euo pipefail
[ $# -ge 1 ] || { sed -n '3,9s/^# //p' "$0" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
state=$(realpath -m "$1") objects=${2:-memstore} port=${3:-0}
access_key=WHERRYTESTKEY secret_key='wherry-test-secret/+key' bucket=wherry-test
. "$here/daemons.sh"

for program in ceph ceph-mon ceph-osd monmaptool radosgw radosgw-admin curl python3; do
  command -v "$program" >/dev/null ||
    { echo "s3: $program is not installed; run: tools/setup test" >&2; exit 2; }
done
case $objects in memstore | bluestore) ;;
  *) echo "s3: no object store $objects: memstore or bluestore" >&2; exit 2 ;;
esac
[ ! -e "$state" ] ||
  { echo "s3: $state exists; go on with it by resume.sh or remove it by stop.sh -r" >&2; exit 2; }

# Both ports are held at once, so that they differ.
read -r port mon_port < <(python3 - "$port" <<'PYTHON'
import socket, sys
held = []
for port in (int(sys.argv[1]), 0):
    held.append(socket.socket())
    held[-1].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        held[-1].bind(("127.0.0.1", port))
    except OSError as error:
        sys.exit(f"s3: port {port}: {error.strerror}; give another, or 0 for any")
print(*(s.getsockname()[1] for s in held))
PYTHON
) || exit 2

began=$EPOCHREALTIME
step() {
  local now=$EPOCHREALTIME
  printf '%6d ms  %s\n' $(((${now/[.,]/} - ${began/[.,]/}) / 1000)) "$*"
}
mkdir -p "$state"/{mon,osd,rgw,run,log}
trap 'for name in rgw osd mon; do stop_daemon $name; done' EXIT  # until it is ready

fsid=$(cat /proc/sys/kernel/random/uuid)
sed -e "s|@state@|$state|g" -e "s|@fsid@|$fsid|; s|@objects@|$objects|" \
  -e "s|@port@|$port|; s|@mon_port@|$mon_port|" "$here/ceph.conf.in" >"$state/ceph.conf"
export CEPH_CONF=$state/ceph.conf
cluster() { ceph --connect-timeout 20 "$@" >/dev/null 2>>"$state/log/ceph.out"; }
osd_is_up() { ceph osd stat | grep -q '1 up'; }

monmaptool --create --fsid "$fsid" --addv a "[v2:127.0.0.1:$mon_port/0]" "$state/monmap" >/dev/null
ceph-mon -i a --mkfs --monmap "$state/monmap" >"$state/log/mon-mkfs.out" 2>&1
start_daemon mon
wait_for mon cluster mon stat
cluster osd new "$fsid" 0
step "monitor up"
ceph-osd -i 0 --mkfs --osd-uuid "$fsid" >"$state/log/osd-mkfs.out" 2>&1
cluster osd crush add osd.0 1.0 root=default host=wherry
start_daemon osd
wait_for osd osd_is_up
step "object store up ($objects)"
start_daemon rgw
wait_for rgw curl -s "http://127.0.0.1:$port/"
step "gateway answers"
radosgw-admin -n client.rgw user create --uid=wherry --display-name=wherry \
  --access-key="$access_key" --secret-key="$secret_key" >"$state/user.json" \
  2>"$state/log/admin.out" || { cat "$state/log/admin.out" >&2; exit 1; }
empty=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
curl -sf --aws-sigv4 "aws:amz:us-east-1:s3" --user "$access_key:$secret_key" -o /dev/null \
  -H "x-amz-content-sha256: $empty" -X PUT "http://127.0.0.1:$port/$bucket" ||
  { echo "s3: the gateway refuses to make the bucket $bucket; see $state/log" >&2; exit 1; }
cat >"$state/env" <<ENV
export S3_ENDPOINT=http://127.0.0.1:$port
export S3_ACCESS_KEY=$access_key
export S3_SECRET_KEY=$secret_key
export S3_BUCKET=$bucket
ENV
trap - EXIT
step "ready: http://127.0.0.1:$port, bucket $bucket; . $state/env"
