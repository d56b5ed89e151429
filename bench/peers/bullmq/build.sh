#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Installs the BullMQ peer and its locked packages into $BENCH_BUILD/peers/bullmq.
exec "$(dirname "$0")/../install_npm.sh" bullmq
