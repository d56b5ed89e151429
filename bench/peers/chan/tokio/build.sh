#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Builds the tokio peer of the channel benchmark into $BENCH_BUILD/peers/chan-tokio: with Debian's
# compiler, and from the sources of Debian's librust-*-dev packages, so without a network and the
# same on each machine. Another cargo of yours, and its settings, are left alone. The compiler is
# rustc-web (Debian 12: 1.96): what the older rustc 1.63 makes of tokio is 15 to 45 % slower.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=${BENCH_BUILD:-$here/../../../../build/bench}/peers/chan-tokio
minor=$(/usr/bin/rustc --version | cut -d. -f2)
if [ "$minor" -lt 78 ]; then
  echo "rustc 1.$minor is too old to be fair to tokio; run: apt-get install cargo-web rustc-web" >&2
  exit 1
fi
mkdir -p "$out/src" "$out/cargo-home"
cp -p "$here/Cargo.toml" "$out/"  # here, because cargo writes Cargo.lock beside it
cp -p "$here/src/main.rs" "$out/src/"
cat > "$out/cargo-home/config.toml" <<'CONFIG'
[source.crates-io]
replace-with = "debian"
[source.debian]
directory = "/usr/share/cargo/registry"
CONFIG
cd "$out"
unset RUSTUP_TOOLCHAIN RUSTFLAGS
CARGO_HOME=$out/cargo-home RUSTC=/usr/bin/rustc /usr/bin/cargo build --release --offline -q
cp -p target/release/chanbench chanbench
