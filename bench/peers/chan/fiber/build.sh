#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Builds the Boost.Fiber peer of the channel benchmark into $BENCH_BUILD/peers/chan-fiber, with the
# compiler and the optimisation of our own program.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=${BENCH_BUILD:-$here/../../../../build/bench}/peers/chan-fiber
mkdir -p "$out"
measure=$here/../../../csp/measure.hpp
if [ "$out/chanbench" -nt "$here/main.cpp" ] && [ "$out/chanbench" -nt "$measure" ]; then exit 0; fi
clang++-19 -O2 -DNDEBUG -std=c++20 -pthread "$here/main.cpp" -o "$out/chanbench" -lboost_fiber -lboost_context
