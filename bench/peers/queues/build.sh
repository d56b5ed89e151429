#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Installs both queues' peers and their locked packages into $BENCH_BUILD/peers/queues.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
"$here/../install_npm.sh" queues
cp "$here"/../node/{http,transform}.js "${BENCH_BUILD:-$here/../../../build/bench}/peers/queues/"
