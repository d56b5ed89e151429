#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The channel benchmark: the same small programs in Wherry and five peers, in interleaved rounds.

Each row of each contestant is a process of its own, which measures itself after a warm-up and
prints a line; rows and contestants are interleaved so that noise of the machine meets all of them.
../README.md says how to read the table.
"""
import argparse
import json
import os
import re
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import contestants as who
import table
from processes import (ROOT, BenchError, machine_busy_seconds, machine_line, print_verdicts,
                       run_child, run_harness, tail)

RUN_LIMIT_S = 900
REPETITIONS = 3  # in a process, after its warm-up; odd, so that there is a middle one


def parse(row, text):
    """Reads what a program prints: "ROW MEDIAN MIN MAX cpu MEDIAN" or "ROW bytes B cpu_ns C ..."."""
    form = re.compile(re.escape(row) + r"(( [0-9.]+){3} cpu | bytes )")
    words = next((line.split() for line in text.splitlines() if form.match(line)), None)
    if words is None:
        return None
    rest = words[1:]
    numbers = {}
    if rest[0] != "bytes":
        numbers = dict(zip(("wall", "wall_min", "wall_max"), map(float, rest[:3])))
        rest = rest[3:]
    numbers |= {name: float(value) for name, value in zip(rest[::2], rest[1::2])}
    if "cpu_ns" in numbers:
        numbers["cpu"] = numbers.pop("cpu_ns")
    return numbers


def measure(contestant, row, program, build):
    """Runs one row of one contestant once, and returns its numbers."""
    command, own = who.command(contestant, row, REPETITIONS, program, ROOT, build)
    log = os.path.join(build, "csp", f"{contestant}-{row}.log")
    machine_before = machine_busy_seconds()
    try:
        status, wall, usage = run_child(command, os.environ | own | {"BENCH_BUILD": build}, log,
                                        RUN_LIMIT_S)
    except OSError as error:
        raise BenchError(f"{contestant} could not be started: {error}") from error
    busy = machine_busy_seconds() - machine_before
    with open(log, encoding="utf-8", errors="replace") as file:
        numbers = parse(row, file.read())
    if status != 0 or numbers is None:
        raise BenchError(f"{contestant}, row {row}, ended with status {status}; the end of {log}:\n"
                         f"{tail(log)}")
    elsewhere = max(0.0, busy - usage.ru_utime - usage.ru_stime) / (wall * os.cpu_count())
    return numbers | {"contestant": contestant, "row": row, "process_s": wall,
                      "elsewhere": elsewhere}


def measure_whole(contestant, row, program, build):
    """As measure; again if the first timers were due before the last were set: not all were parked."""
    for _ in range(3):
        run = measure(contestant, row, program, build)
        if run.get("sched_ms", 0) < run.get("first_due_ms", 1):
            return run
    raise BenchError(f"{contestant}, row {row}: in three runs its first timers were due before the "
                     "last were set; the machine is too busy, or too slow, for this row")


def show(number, rounds, run):
    what = (f"{run['wall']:8.1f} ns, {run['cpu']:8.1f} CPU ns" if "wall" in run
            else f"{run['bytes']:8.0f} bytes, {run['cpu']:5.0f} CPU ns")
    print(f"round {number}/{rounds}  {run['row']:9} {run['contestant']:11} {what}  "
          f"({run['process_s']:5.1f} s, elsewhere {run['elsewhere']:.0%})", flush=True)


def compete(runs, names, rows, program, build, rounds):
    """Adds every run to `runs`, so that what was measured before an error is there."""
    for number in range(1, rounds + 1):
        first = number % len(names)  # nobody always runs after the same neighbour's heat
        for row in rows:
            for name in names[first:] + names[:first]:
                if not who.takes_part(name, row):
                    continue
                runs.append(measure_whole(name, row, program, build) | {"round": number})
                show(number, rounds, runs[-1])


def explain(runs, rounds):
    """Says under the table what was counted, by whom, and at what size."""
    print(f"""
Median of {rounds} interleaved round(s); in each, every row of every contestant is a process of its
own, and its figure the median of {REPETITIONS} repetitions after a warm-up (core.async: 3 warm-ups).
Counted by the programs themselves: wall time of a repetition; CPU (user + system, all threads);
bytes (growth of the resident set, /proc/self/statm, from the first task to the last parked).
A repetition is 1,000,000 operations (1 to 1, capacity 1,024: 5,000,000; core.async, Asio 1,000,000;
ring: 1,000,000 hops; core.async, Asio, Fiber 200,000). Rows of bytes: 1,000,000 tasks, Fiber
100,000; timers due over 1 s that begins 10 s after the start (core.async: 20 s, after 30 s).
On one thread unless said. The last three columns: CPU ns of the same repetitions, as a check.""")
    for name, row in who.LACKS:
        if any(run["row"] == row for run in runs):
            print(f"none: {who.LACKS[name, row]} ({row})")
    by_contest = {}
    for run in runs:
        by_contest.setdefault((run["contestant"], run["row"]), []).append(run["elsewhere"])
    noisy = {key: sorted(each)[len(each) // 2] for key, each in by_contest.items()}
    (name, row), worst = max(noisy.items(), key=lambda item: item[1])
    count = sum(share > 0.1 for share in noisy.values())
    if count:
        print(f"NOISY: in {count} of {len(noisy)} contests other processes used more than 10 % of "
              f"the machine, at most {worst:.0%} ({name}, {row}): measure again on a quiet machine.")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=int(os.environ.get("ROUNDS", "5")))
    parser.add_argument("--row", action="append", default=[], choices=list(who.ROWS),
                        help="only this row (repeatable); targets of others then are missed")
    parser.add_argument("--without", action="append", default=[], choices=who.CONTESTANTS,
                        help="leave a contestant out (repeatable); its targets then are missed")
    parser.add_argument("--strict", action="store_true", help="exit with 1 if a target is missed")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("rounds must be at least 1")
    return options


def main():
    options = parse_arguments()
    build = os.environ.get("BENCH_BUILD", os.path.join(ROOT, "build/bench"))
    program = os.environ.get("CHANBENCH", os.path.join(ROOT, "build/bench-csp/bench/chanbench"))
    os.makedirs(os.path.join(build, "csp"), exist_ok=True)
    names = [name for name in who.CONTESTANTS if name not in options.without]
    rows = [row for row in who.ROWS if not options.row or row in options.row]
    print(machine_line())
    runs, failed = [], None
    try:
        compete(runs, names, rows, program, build, options.rounds)
    except BenchError as error:
        failed = error
    if failed is not None and not runs:
        raise failed
    summary = table.summarize(runs)
    judged = table.verdicts(summary)
    with open(os.path.join(build, "csp/results.json"), "w", encoding="utf-8") as file:
        json.dump({"runs": runs, "verdicts": [{"met": met, "sentence": sentence}
                                              for met, sentence in judged]}, file, indent=1)
    print("\n" + "\n".join(table.lines(summary)))
    explain(runs, options.rounds)
    print()
    print_verdicts(judged)
    if failed is not None:
        print("\nNOT WHOLE: an error ended the rounds; the table shows what was measured before it.")
        raise failed
    return 1 if options.strict and not all(met for met, _ in judged) else 0


if __name__ == "__main__":
    run_harness("bench-csp", main)
