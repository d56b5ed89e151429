#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The import benchmark: every contestant imports the same reports from the same flaky server.

First each contestant's objects are verified, then ROUNDS rounds are timed, contestants interleaved
so that noise of the machine meets all of them. ../README.md says how to read the table.
"""
import argparse
import json
import os
import subprocess
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import contestants as who
import table
from upstream import Upstream
from processes import (ROOT, BenchError, machine_busy_seconds, machine_line, output_of,
                       print_verdicts, run_child, run_harness, tail)

RUN_LIMIT_S = 900


def measure(contestant, reports, places, upstream):
    """Runs one contestant once. Work is counted by the server, CPU and memory by the kernel."""
    environment = os.environ | {
        "BENCH_BUILD": places.build, "RATES": places.rates,
        "REPORTS": f"http://127.0.0.1:{places.get_port}/reports",
        "BUCKET": f"http://127.0.0.1:{places.put_port}/bucket",
    }
    log = os.path.join(places.build, "import", contestant.name.replace(" ", "-") + ".log")
    command = contestant.command(places, reports, contestant.in_flight)
    upstream.reset()
    server_before, machine_before = upstream.cpu_seconds(), machine_busy_seconds()
    status, wall, usage = run_child(command, environment, log, RUN_LIMIT_S)
    machine = machine_busy_seconds() - machine_before
    server = upstream.cpu_seconds() - server_before
    client = usage.ru_utime + usage.ru_stime
    stats = upstream.stats()
    if status != 0:
        raise BenchError(f"{contestant.name} ended with status {status}; the end of {log}:\n"
                         f"{tail(log)}")
    if stats["reports"] != reports:
        raise BenchError(f"{contestant.name}: the server accepted {stats['reports']:.0f} objects "
                         f"of {reports}; the end of {log}:\n{tail(log)}")
    return stats | {
        "name": contestant.name, "family": contestant.family, "wall_s": wall,
        "client_cpu_s": client, "server_cpu_s": server, "peak_mb": usage.ru_maxrss * 1024 / 1e6,
        "elsewhere": max(0.0, machine - client - server) / (wall * os.cpu_count()),
    }


def verify(contestant, places, upstream):
    """Lets a contestant import into a real store and compares every object."""
    subprocess.run(["rm", "-rf", os.path.join(upstream.run, "store/bucket")], check=True)
    measure(contestant, contestant.verified, places, upstream)
    command = [os.path.join(places.peers, "upstream/verify.py"), str(contestant.verified),
               os.path.join(upstream.run, "store")]
    answer = subprocess.run(command, env=os.environ | upstream.environment(), text=True,
                            check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    print(f"  {contestant.name:15} {answer.stdout.strip()}", flush=True)
    if answer.returncode != 0:
        raise BenchError(f"{contestant.name} wrote wrong objects (above)")


def say_where(places):
    file_system = output_of("stat", "-f", "-c", "%T", places.build)
    if file_system in ("tmpfs", "ramfs"):
        raise BenchError(f"{places.build} is on {file_system}: a durable store needs a real disk; "
                         "set BENCH_BUILD")
    print(f"{machine_line()}, store on {file_system}")


def explain(rows, rounds, size):
    """Says under the table what was counted, by whom, and at what size."""
    print(f"""
Median of {rounds} interleaved round(s), SIZE={size:g}. A report: GET 200 rows (50 ms), convert,
gzip, PUT (10 ms); faults: GET 503 2 %, cut body 1 %. Counted by the server: reports (distinct
objects accepted by PUT), retries (attempts of GET and PUT beyond one each), in flight (most GET and
PUT at once), span. Counted by the kernel: CPU (user + system of the client's process, start-up
included) and peak MB (largest resident set, highest of all rounds).
reports/s: peers over the server's span, first request to last PUT; Wherry over its whole process.
ideal/s = in flight / (50 ms x GET attempts per report + 10 ms x PUT attempts per report), attempts
as the server saw them. x core.async: its best; x Go, x Node, x BullMQ, x Graphile: the one told the same number in
flight, for serial their best. server CPU: of one core, while the contestant ran.""")
    for row in rows:
        if row["others"]:
            print(f"{row['name']} also made {row['others']} other calls to the bucket, "
                  "counted as in flight like the rest.")
    elsewhere = max(row["elsewhere"] for row in rows)
    if elsewhere > 0.1:
        print(f"NOISY: other processes used up to {elsewhere:.0%} of the machine during a "
              "contestant's rounds (median).")


def compete(chosen, places, upstream, options):
    print("verify: PUT 503 2 % too, objects kept and compared", flush=True)
    upstream.start("store", up_p503_put=0.02)
    for contestant in chosen:
        if contestant.in_flight <= 32:
            verify(contestant, places, upstream)
    subprocess.run(["rm", "-rf", os.path.join(upstream.run, "store/bucket")], check=True)
    upstream.start("discard")
    runs = []
    for number in range(1, options.rounds + 1):
        for contestant in chosen:
            reports = who.rounded_up(int(contestant.size * options.size))
            run = measure(contestant, reports, places, upstream)
            runs.append(run)
            print(f"round {number}/{options.rounds}  {contestant.name:15} {reports:6} reports "
                  f"in {run['wall_s']:6.1f} s, {run['client_cpu_s']:5.1f} CPU s, "
                  f"server {run['server_cpu_s']:4.1f} CPU s, elsewhere {run['elsewhere']:.0%}",
                  flush=True)
    return runs


def parse_arguments():
    families = sorted({contestant.family.lower() for contestant in who.CONTESTANTS})
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=int(os.environ.get("ROUNDS", "3")))
    parser.add_argument("--size", type=float, default=float(os.environ.get("SIZE", "1")),
                        help="fraction of the full number of reports; below 1 all targets miss")
    parser.add_argument("--without", action="append", default=[], choices=families, type=str.lower,
                        help="leave a contestant out (repeatable)")
    parser.add_argument("--strict", action="store_true", help="exit with 1 if a target is missed")
    options = parser.parse_args()
    if options.rounds < 1 or options.size <= 0:
        parser.error("rounds must be at least 1 and size above 0")
    return options


def main():
    options = parse_arguments()
    chosen = [one for one in who.CONTESTANTS if one.family.lower() not in options.without]
    build = os.environ.get("BENCH_BUILD", os.path.join(ROOT, "build/bench"))
    program = os.environ.get("WHERRY", os.path.join(ROOT, "build/release/wherry"))
    places = who.Places(ROOT, build, program, int(os.environ.get("UP_GET_PORT", "18080")),
                        int(os.environ.get("UP_PUT_PORT", "18081")))
    os.makedirs(os.path.join(build, "import"), exist_ok=True)
    ours = any(one.family == "Wherry" for one in chosen)
    if ours and not os.access(places.wherry, os.X_OK):
        raise BenchError(f"no program at {places.wherry}: run `make build`, "
                         "or leave it out with --without wherry")
    say_where(places)
    upstream = Upstream(os.path.join(places.peers, "upstream"), os.path.join(build, "upstream"),
                        places.get_port, places.put_port)
    try:
        runs = compete(chosen, places, upstream, options)
    finally:
        upstream.stop()
    rows = table.summarize(chosen, runs)
    with open(os.path.join(build, "import/results.json"), "w", encoding="utf-8") as file:
        json.dump({"runs": runs, "rows": rows}, file, indent=1)
    print("\n" + "\n".join(table.lines(rows)))
    explain(rows, options.rounds, options.size)
    judged = table.verdicts(rows)
    print("" if judged else "\nNo target was judged: Wherry did not take part.")
    print_verdicts(judged)
    return 1 if options.strict and not all(met for met, _ in judged) else 0


if __name__ == "__main__":
    run_harness("bench-import", main)
