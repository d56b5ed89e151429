# SPDX-License-Identifier: Apache-2.0
# The front door: each target does its own set-up on a fresh Debian 12 and says what it is doing.
MAKEFLAGS += --no-print-directory
PROGRAMS := wherry reporting_api query_results

MINUTES := 60
SEEDS := 20000

.PHONY: help setup build demo test faults soak simulate guarantees bench bench-import bench-csp bench-engine \
  bench-engine-scale lint format clean

help:
	@echo "make demo          import thousands of real reports from a flaky API, on this machine"
	@echo "make test          build and run all tests, those of the library also under ASan and TSan"
	@echo "make build         the program, at build/release/wherry"
	@echo "make faults        kill -9 an import many times, and compare (KILLS=30 REPORTS=1000)"
	@echo "make soak          random programs over channels against a model, on and on (MINUTES=60)"
	@echo "make simulate      whole engines under virtual time, with crashes and faults (SEEDS=20000)"
	@echo "make guarantees    break each line that protects a guarantee, and see its test fail"
	@echo "make bench         all benchmarks: make bench-import (beside its peers), make bench-csp (channels),"
	@echo "                   make bench-engine (durable transitions, beside SQLite alone and BullMQ)"
	@echo "make bench-engine-scale   the engine with millions of machines (MACHINES=1000000)"
	@echo "make lint          format, walls, clang-tidy (make format: puts the format right)"
	@echo "make setup         only what the others would install: Debian packages, npm's DuckDB"
	@echo "make clean         removes what was built and kept in build/, but not what was installed"

setup:
	@tools/setup build

build: setup
	@tools/build release $(PROGRAMS)

demo: build
	@examples/demo.sh

test:
	@tools/setup build test
	@tools/test

faults: build
	@tests/faults/run.sh

# Half of the time as it is used, half under ThreadSanitizer.
soak:
	@tools/setup build test
	@tools/build release soak
	@tools/build tsan soak
	@build/release/tests/csp/soak/soak --seconds $$(($(MINUTES) * 30))
	@build/tsan/tests/csp/soak/soak --seconds $$(($(MINUTES) * 30))

simulate:
	@tools/setup build test
	@tools/build release simulate
	@build/release/tests/simulation/simulate --seeds $(SEEDS)

guarantees:
	@tools/setup build test
	@tools/guarantees --break $(ROWS)

bench: bench-import bench-csp bench-engine

bench-import:
	@tools/setup build bench
	@tools/build release $(PROGRAMS)
	@bench/import/run.sh

bench-csp:
	@tools/setup build bench
	@tools/build bench-csp chanbench
	@bench/csp/run.sh

bench-engine:
	@tools/setup build bench
	@tools/build bench-engine enginebench
	@bench/engine/run.sh

bench-engine-scale:
	@tools/setup build
	@tools/build bench-engine enginebench
	@bench/engine/run.sh --scale

lint:
	@tools/setup build lint
	@tools/lint

format:
	@tools/setup build lint
	@git ls-files '*.cpp' '*.hpp' | xargs clang-format-19 -i

clean:
	@rm -rf build/release build/dev build/asan build/tsan build/all build/demo build/faults \
	  build/bench build/bench-csp build/bench-engine build/broken build/*.log
