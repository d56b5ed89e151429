#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Builds the Go peer of the channel benchmark into $BENCH_BUILD/peers/chan-go.
set -euo pipefail
cd "$(dirname "$0")"
out=${BENCH_BUILD:-$PWD/../../../../build/bench}/peers/chan-go
mkdir -p "$out"
go build -o "$out/chanbench" .
