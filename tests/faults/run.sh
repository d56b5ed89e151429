#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `make faults`: kills an import with -9 in its midst, again and again, and proves that nothing is
# lost and nothing done twice. KILLS=30 REPORTS=1000 SEED=<printed> by default; works in
# build/faults/.
set -euo pipefail
cd "$(dirname "$0")/../.."
exec python3 tests/faults/kill.py
