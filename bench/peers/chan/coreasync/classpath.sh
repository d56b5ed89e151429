# SPDX-License-Identifier: Apache-2.0
# Sourced by build.sh and run.sh, which set $here: where Debian keeps core.async and what it needs,
# and where classes go.
out=${BENCH_BUILD:-$here/../../../../build/bench}/peers/chan-coreasync
classpath=$out/classes:$here/src
for jar in clojure spec.alpha core.specs.alpha core.async tools.analyzer tools.analyzer.jvm \
  tools.reader data.priority-map core.memoize core.cache asm; do
  [ -e "/usr/share/java/$jar.jar" ] || {
    echo "missing /usr/share/java/$jar.jar; run: apt-get install clojure libcore-async-clojure" >&2
    exit 1
  }
  classpath=$classpath:/usr/share/java/$jar.jar
done
