#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Stops what start.sh started, and removes its folder:
#   tools/postgres/stop.sh DIR
set -euo pipefail
state=$(realpath -m "${1:?usage: stop.sh DIR}")
. "$(dirname "$0")/server.sh"
[ ! -f "$state/data/postmaster.pid" ] || stop_server
if [ -f "$state/data/PG_VERSION" ]; then rm -rf "$state"; fi
