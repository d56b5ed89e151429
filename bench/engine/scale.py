#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The engine at scale: as many machines as one likes, submitted and run, beside 100,000.

MACHINES (1,000,000 by default; the issue's size is 10,000,000) from the environment or --machines.
../README.md says what is counted.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from processes import ROOT, BenchError, lay_out, machine_line
from run import parse

FEW = 100_000
FULL = 10_000_000
BYTES_ON_DISK = 800      # of a machine with its history, and some to spare
GROWTH_MB, PEAK_MB, SHARE = 32, 300, 0.7


def measure(machines, program, build):
    """Runs the row once; its progress goes to our stderr."""
    store = os.path.join(build, "engine", "scale.db")
    print(f"{machines:,} machines", file=sys.stderr, flush=True)
    done = subprocess.run([program, "scale", store, f"machines={machines}"], text=True, check=False,
                          stdout=subprocess.PIPE)
    if done.returncode != 0:
        raise BenchError(f"{machines:,} machines ended with status {done.returncode}: see above")
    return parse(done.stdout) | {"machines": machines}


def require_space(machines, folder):
    free = shutil.disk_usage(folder).free
    wanted = machines * BYTES_ON_DISK
    if free < wanted:
        raise BenchError(f"{machines:,} machines need about {wanted / 1e9:.0f} GB in {folder}, of which "
                         f"{free / 1e9:.0f} GB are free: give fewer, or BENCH_BUILD on another disk")


def verdicts(few, many):
    growth = many["peak_mb"] - few["peak_mb"]
    share = many["end_per_second"] / many["start_per_second"]
    size = "" if many["machines"] >= FULL else f" (reduced size: {many['machines']:,})"
    full = many["machines"] >= FULL
    return [
        (full and growth <= GROWTH_MB,
         f"peak memory is {growth:.1f} MB above that of {few['machines']:,} machines, wanted "
         f"{GROWTH_MB} at most{size}"),
        (full and many["peak_mb"] <= PEAK_MB,
         f"peak memory {many['peak_mb']:.0f} MB, wanted {PEAK_MB} at most{size}"),
        (full and share >= SHARE,
         f"the rate of the last tenth is {share:.2f} of that of the first, wanted {SHARE}{size}"),
    ]


def table(rows):
    cells = [["machines", "submitted/s", "transitions/s", "first tenth", "last tenth", "seconds",
              "peak MB", "disk MB", "bytes on disk each"]]
    for row in rows:
        cells.append([f"{row['machines']:,}", f"{row['submitted_per_second']:,.0f}",
                      f"{row['transitions'] / row['seconds']:,.0f}",
                      f"{row['start_per_second']:,.0f}", f"{row['end_per_second']:,.0f}",
                      f"{row['seconds']:,.0f}", f"{row['peak_mb']:.1f}", f"{row['disk_mb']:,.0f}",
                      f"{row['disk_mb'] * 1e6 / row['machines']:,.0f}"])
    return lay_out(cells)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    number = re.sub(r"[_,]", "", os.environ.get("MACHINES", "1000000"))
    parser.add_argument("--machines", type=int, default=int(number))
    parser.add_argument("--strict", action="store_true", help="exit with 1 if a target is missed")
    options = parser.parse_args()
    if not FEW < options.machines <= FULL:
        parser.error(f"machines must be above {FEW:,} and at most {FULL:,}")
    return options


def main():
    options = parse_arguments()
    build = os.environ.get("BENCH_BUILD", os.path.join(ROOT, "build/bench"))
    program = os.environ.get("ENGINEBENCH", os.path.join(ROOT, "build/bench-engine/bench/enginebench"))
    os.makedirs(os.path.join(build, "engine"), exist_ok=True)
    print(machine_line())
    require_space(options.machines, build)
    rows = [measure(machines, program, build) for machines in (FEW, options.machines)]
    print("\n" + "\n".join(table(rows)))
    print("""
Machines of three no-op steps and 200-byte states, all submitted, then run to completion on one store.
Transitions are counted in the file by SQLite; peak is the largest resident set (kernel), submitting
included; disk is the file with its write-ahead log at the end.
""")
    judged = verdicts(*rows)
    for met, sentence in judged:
        print(f"{'ok  ' if met else 'MISS'}  {sentence}")
    return 1 if options.strict and not all(met for met, _ in judged) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BenchError as error:
        sys.exit(f"bench-engine-scale: {error}")
