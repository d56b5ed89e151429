#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Builds the Go peer into $BENCH_BUILD/peers/go.
set -euo pipefail
cd "$(dirname "$0")"
out=${BENCH_BUILD:-$PWD/../../../build/bench}/peers/go
mkdir -p "$out"
go build -o "$out/peer" .
