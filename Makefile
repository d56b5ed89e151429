# SPDX-License-Identifier: Apache-2.0
# The front door: each target does its own set-up on a fresh Debian 12 and says what it is doing.
MAKEFLAGS += --no-print-directory
JOBS := $(shell nproc)

.PHONY: help setup build demo test faults bench bench-import lint format clean

help:
	@echo "make demo          import thousands of real reports from a flaky API, here, in a minute"
	@echo "make test          build and run all tests, also under ASan and TSan"
	@echo "make build         the program, at build/release/wherry"
	@echo "make faults        kill -9 an import many times, and compare (KILLS=30 REPORTS=1000)"
	@echo "make bench         all benchmarks; make bench-import only the import"
	@echo "make lint          format, walls, clang-tidy;  make format  reformats"

setup:
	@tools/setup build

build: setup
	@tools/build release

demo: build
	@examples/demo.sh

test:
	@tools/setup build test
	@tools/test

faults: build
	@tests/faults/run.sh

bench: bench-import

bench-import:
	@tools/setup build bench
	@tools/build release
	@bench/import/run.sh

lint:
	@tools/setup build lint
	@tools/lint

format:
	@tools/setup build lint
	@git ls-files '*.cpp' '*.hpp' | xargs -P $(JOBS) -n 8 clang-format-19 -i

clean:
	@rm -rf build/release build/dev build/asan build/tsan build/all build/demo build/faults build/bench
