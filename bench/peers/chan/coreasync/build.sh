#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Compiles the core.async peer of the channel benchmark ahead of time, as an uberjar would, into
# $BENCH_BUILD/peers/chan-coreasync.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/classpath.sh"
built=$out/classes/chanbench.class
if [ "$built" -nt "$here/src/chanbench.clj" ]; then exit 0; fi
rm -rf "$out/classes"
mkdir -p "$out/classes"
cd "$out"
java -cp "$classpath" -Dclojure.compiler.direct-linking=true "-Dclojure.compile.path=$out/classes" \
  clojure.main -e "(compile 'chanbench)" >/dev/null
touch "$built"
