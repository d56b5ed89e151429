#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Compiles both Clojure peers ahead of time, as an uberjar would, into $BENCH_BUILD/peers/clojure.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/classpath.sh"
newest=$(find "$here/src" -name '*.clj' -newer "$out/classes/peer/serial.class" 2>/dev/null || echo missing)
[ -n "$newest" ] || exit 0
rm -rf "$out/classes"
mkdir -p "$out/classes"
cd "$out"
java -cp "$classpath" -Dclojure.compiler.direct-linking=true "-Dclojure.compile.path=$out/classes" \
  clojure.main -e "(compile 'peer.coreasync) (compile 'peer.serial)"
