#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Installs the Node peer and its locked packages into $BENCH_BUILD/peers/node.
exec "$(dirname "$0")/../install_npm.sh" node
