#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The engine's benchmark: durable transitions beside a bare loop over SQLite and beside BullMQ, in
interleaved rounds on one disk; latency at half load; memory of what waits.

Each run is a process of its own on a fresh store. ../README.md says how to read the table.
"""
import argparse
import json
import os
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import contestants as who
import table
from processes import (ROOT, BenchError, machine_busy_seconds, machine_line, print_verdicts,
                       run_child, run_harness, tail)

RUN_LIMIT_S = 600


def parse(text):
    """Reads what a program prints: lines of "name value"."""
    words = (line.split() for line in text.splitlines())
    return {line[0]: float(line[1]) for line in words if len(line) == 2}


def measure(row, machines, rate, program, build):
    """Runs one row once, and returns its numbers."""
    command = who.command(row, machines, rate, program, ROOT, build)
    log = os.path.join(build, "engine", row.name.replace(" ", "-") + ".log")
    before = machine_busy_seconds()
    try:
        status, wall, usage = run_child(command, os.environ | {"BENCH_BUILD": build}, log,
                                        RUN_LIMIT_S)
    except OSError as error:
        raise BenchError(f"{row.label} could not be started: {error}") from error
    with open(log, encoding="utf-8", errors="replace") as file:
        numbers = parse(file.read())
    if status != 0 or not numbers:
        raise BenchError(f"{row.label} ended with status {status}; the end of {log}:\n{tail(log)}")
    busy = machine_busy_seconds() - before - usage.ru_utime - usage.ru_stime
    elsewhere = max(0.0, busy - numbers.get("server_cpu_seconds", 0)) / (wall * os.cpu_count())
    extra = {"rate": rate / 2} if row.at_half_load else {"machines": machines}
    return extra | numbers | {"row": row.name, "process_s": wall, "elsewhere": elsewhere}


def show(run, rounds):
    row = table.row_named(run["row"])
    if "all_p99_ms" in run:
        what = f"p50 {run['all_p50_ms']:6.1f} ms, p99 {run['all_p99_ms']:6.1f} ms"
    elif "resident_bytes_per_machine" in run:
        what = f"{run['resident_bytes_per_machine']:.1f} bytes a machine of {run['machines']:,.0f}"
    else:
        what = f"{table.rate(run):9,.0f} transitions/s"
    print(f"round {run['round']}/{rounds}  {row.label:42} {what}  "
          f"({run['process_s']:5.1f} s, elsewhere {run['elsewhere']:.0%})", flush=True)


def compete(runs, rows, options, program, build):
    """Adds every run to `runs`, so that what was measured before an error is there."""
    for number in range(1, options.rounds + 1):
        for row in rows:
            rate = table.median(runs, who.RUN, table.rate) if row.at_half_load else None
            if row.at_half_load and rate is None:
                raise BenchError("latency is measured at half of what was reached: run it with Wherry")
            runs.append(measure(row, options.machines, (rate or 0) / who.STEPS, program, build)
                        | {"round": number})
            show(runs[-1], options.rounds)
    if who.WAITING in rows and options.machines >= who.MACHINES:
        runs.append(measure(who.WAITING, who.MANY_WAITING, 0, program, build)
                    | {"round": options.rounds})
        show(runs[-1], options.rounds)


def explain(runs, rounds):
    """Says under the table what was counted, by whom, and at what size."""
    print(f"""Median of {rounds} interleaved round(s), ratios of runs of one round; every run on a fresh store, on one disk.
A machine takes {who.STEPS} no-op steps, its state is 200 bytes of JSON; a transition is durable (fsynced) before
the next step. Transitions, and rows (2 a transition: machine and history), are counted in the file by
SQLite after the run, BullMQ's completed jobs by Redis; seconds by the program, from the first lease (the
worker's start) to the last commit. CPU: of the program's process, of BullMQ Node and Redis together.
Latency: for every step that started, from when it might (its time had come; the one before had ended; its
retry was due) to its first line, by the step itself, microseconds; {who.LATENCY_SECONDS} s at half of the
machines a second that Wherry reached in these rounds. Memory: growth of the resident set
(/proc/self/statm) from 2,000 machines that wait to all of them, an engine running beside.""")
    worst = max(run["elsewhere"] for run in runs)
    if worst > 0.1:
        print(f"NOISY: other processes used up to {worst:.0%} of the machine during a run: trust the "
              "ratios rather than the figures, or measure again on a quiet machine.")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=int(os.environ.get("ROUNDS", "3")))
    parser.add_argument("--machines", type=int,
                        default=int(os.environ.get("MACHINES", who.MACHINES)),
                        help="fewer than the default make every target a miss")
    parser.add_argument("--row", action="append", default=[], choices=[row.name for row in who.ROWS],
                        help="only this row (repeatable); targets of others then are missed")
    parser.add_argument("--strict", action="store_true", help="exit with 1 if a target is missed")
    options = parser.parse_args()
    if options.rounds < 1 or options.machines < 3_000:
        parser.error("rounds must be at least 1 and machines at least 3,000")
    return options


def main():
    options = parse_arguments()
    build = os.environ.get("BENCH_BUILD", os.path.join(ROOT, "build/bench"))
    program = os.environ.get("ENGINEBENCH", os.path.join(ROOT, "build/bench-engine/bench/enginebench"))
    os.makedirs(os.path.join(build, "engine"), exist_ok=True)
    rows = [row for row in who.ROWS if not options.row or row.name in options.row]
    print(machine_line())
    runs, failed = [], None
    try:
        compete(runs, rows, options, program, build)
    except BenchError as error:
        failed = error
    if failed is not None and not runs:
        raise failed
    judged = table.verdicts(runs)
    with open(os.path.join(build, "engine/results.json"), "w", encoding="utf-8") as file:
        json.dump({"runs": runs, "verdicts": [{"met": met, "sentence": sentence}
                                              for met, sentence in judged]}, file, indent=1)
    print("\n" + "\n".join(table.lines(runs)))
    explain(runs, options.rounds)
    print()
    print_verdicts(judged)
    for sentence in table.reported(runs):
        print(f"      {sentence}")
    if failed is not None:
        print("\nNOT WHOLE: an error ended the rounds; the table shows what was measured before it.")
        raise failed
    return 1 if options.strict and not all(met for met, _ in judged) else 0


if __name__ == "__main__":
    run_harness("bench-engine", main)
