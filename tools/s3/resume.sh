#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Starts daemons again on the state of an earlier start.sh, after stop.sh or a kill -9:
#   tools/s3/resume.sh DIR [mon|osd|rgw]...     all three by default; ready when it returns
set -euo pipefail
[ -f "${1:?usage: resume.sh DIR [mon|osd|rgw]...}/env" ] ||
  { echo "s3: $1 was not made by tools/s3/start.sh" >&2; exit 2; }
state=$(realpath "$1")
. "$(dirname "$0")/daemons.sh"
. "$state/env"
shift
for name in "${@:-mon osd rgw}"; do
  for one in $name; do is_alive "$one" || start_daemon "$one"; done
done
wait_for rgw curl -sf -o /dev/null "$S3_ENDPOINT/"
echo "s3: ready: $S3_ENDPOINT"
