#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# run.sh [--rounds N] [--row ROW] [--without NAME] [--strict]: builds the peers, then runs the channel
# benchmark. `make bench-csp` calls it. ROUNDS, CHANBENCH and BENCH_BUILD work from the environment too.
# run.sh --self-test: only the test of how the table is made.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
export PYTHONDONTWRITEBYTECODE=1
if [ "${1-}" = --self-test ]; then exec /usr/bin/python3 "$here/table_test.py"; fi
export BENCH_BUILD=${BENCH_BUILD:-$(cd "$here/../.." && pwd)/build/bench}
missing=()
for pair in go:golang-go java:default-jre-headless clang++-19:clang-19; do
  command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
done
for pair in /usr/bin/cargo:cargo-web /usr/bin/rustc:rustc-web \
  /usr/share/java/core.async.jar:libcore-async-clojure /usr/share/java/clojure.jar:clojure \
  /usr/share/cargo/registry/tokio-1:librust-tokio-dev \
  /usr/share/cargo/registry/async-channel-1:librust-async-channel-dev \
  /usr/include/boost/fiber/all.hpp:libboost-fiber1.81-dev \
  /usr/include/boost/asio.hpp:libboost1.81-dev; do
  compgen -G "${pair%%:*}*" >/dev/null || missing+=("${pair##*:}")
done
if [ ${#missing[@]} -gt 0 ]; then
  echo "run.sh: missing tools; run: apt-get install -y --no-install-recommends ${missing[*]}" >&2
  exit 2
fi
for peer in go tokio asio fiber coreasync; do
  echo "building the $peer peer"
  "$here/../peers/chan/$peer/build.sh"
done
exec /usr/bin/python3 "$here/run.py" "$@"
