#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Compiles both Clojure peers ahead of time, as an uberjar would, into $BENCH_BUILD/peers/clojure.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/classpath.sh"
built=$out/classes/peer/serial.class  # the last to be compiled
if [ -e "$built" ] && [ -z "$(find "$here/src" -name '*.clj' -newer "$built")" ]; then exit 0; fi
rm -rf "$out/classes"
mkdir -p "$out/classes"
cd "$out"
java -cp "$classpath" -Dclojure.compiler.direct-linking=true "-Dclojure.compile.path=$out/classes" \
  clojure.main -e "(compile 'peer.coreasync) (compile 'peer.serial)"
