#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Stops what start.sh started and keeps its state, or with -r removes that, too:
#   tools/s3/stop.sh DIR [-r]
set -euo pipefail
state=$(realpath -m "${1:?usage: stop.sh DIR [-r]}")
. "$(dirname "$0")/daemons.sh"
for name in rgw osd mon; do stop_daemon "$name"; done
if [ "${2-}" = -r ] && [ -f "$state/ceph.conf" ]; then rm -rf "$state"; fi
