#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# install_npm.sh PEER: puts a peer's programs and its locked packages into $BENCH_BUILD/peers/PEER.
set -euo pipefail
cd "$(dirname "$0")/$1"
out=${BENCH_BUILD:-$PWD/../../../build/bench}/peers/$1
mkdir -p "$out"
if ! cmp -s package-lock.json "$out/package-lock.json" || [ ! -d "$out/node_modules" ]; then
  cp package.json package-lock.json "$out/"
  if ! npm ci --prefix "$out" --no-audit --no-fund --ignore-scripts >/dev/null; then
    rm -f "$out/package-lock.json"  # so that the next build tries again
    exit 1
  fi
fi
cp ./*.js "$out/"
