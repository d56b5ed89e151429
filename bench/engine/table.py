# SPDX-License-Identifier: Apache-2.0
"""From measured runs to the table and the verdicts. Pure: no process is started here.

A run is a dict: row (its name), round, and the numbers that the program printed. A ratio is of runs
of one round, which stand side by side; the median over the rounds decides.
"""
import statistics

from contestants import (BULLMQ, FAILING_LATENCY, FAILING_RUN, LATENCY, LOOP, MACHINES, ROWS, RUN,
                         WAITING)
from processes import lay_out

WANTED_OF_LOOP = 0.5
WANTED_OF_BULLMQ = 10
BYTES_AT_MOST = 300
P99_MS_BELOW = 20


def rate(run):
    return run["transitions"] / run["seconds"]


def of_row(runs, row):
    return [run for run in runs if run["row"] == row.name]


def median(runs, row, number):
    values = [number(run) if callable(number) else run[number]
              for run in of_row(runs, row) if callable(number) or number in run]
    return statistics.median(values) if values else None


def ratio(runs, row, against):
    """The median over the rounds of row's rate by against's; None: no round has both."""
    by_round = {run["round"]: rate(run) for run in of_row(runs, against)}
    ratios = [rate(run) / by_round[run["round"]] for run in of_row(runs, row)
              if run["round"] in by_round]
    return statistics.median(ratios) if ratios else None


def text(number, form=",.0f"):
    return "-" if number is None else format(number, form)


def throughput_lines(runs):
    cells = [["durable transitions", "machines", "transitions", "a second", "rows a second",
              "of the loop", "x BullMQ", "CPU us each", "submitted/s"]]
    for row in (LOOP, RUN, FAILING_RUN, BULLMQ):
        if not of_row(runs, row):
            continue
        second = median(runs, row, rate)
        rows = None if row is BULLMQ else 2 * second
        cpu = median(runs, row, lambda run: run["cpu_seconds"] / run["transitions"] * 1e6)
        cells.append([row.label, text(median(runs, row, "machines")),
                      text(median(runs, row, "transitions")), text(second), text(rows),
                      text(ratio(runs, row, LOOP), ".2f"), text(ratio(runs, row, BULLMQ), ".1f"),
                      text(cpu, ".1f"), text(median(runs, row, "submitted_per_second"))])
    return lay_out(cells)


def latency_lines(runs):
    cells = [["ms from due to started", "machines/s", "starts", "p50", "p99",
              "p99 had waited", "p99 followed", "p99 retried"]]
    for row in (LATENCY, FAILING_LATENCY):
        if not of_row(runs, row):
            continue
        cells.append([row.label, text(median(runs, row, "rate")),
                      text(median(runs, row, "all_starts")),
                      *(text(median(runs, row, name), ".1f") for name in
                        ("all_p50_ms", "all_p99_ms", "waited_p99_ms", "followed_p99_ms",
                         "retried_p99_ms"))])
    return lay_out(cells)


def memory_lines(runs):
    cells = [["machines waiting", "bytes resident each", "resident MB in all", "submitted/s"]]
    sizes = sorted({run["machines"] for run in of_row(runs, WAITING)})
    for size in sizes:
        same = [run for run in runs if run["machines"] == size]
        cells.append([text(size), text(median(same, WAITING, "resident_bytes_per_machine"), ".1f"),
                      text(median(same, WAITING, lambda run: run["resident_bytes"] / 1e6)),
                      text(median(same, WAITING, "submitted_per_second"))])
    return lay_out(cells)


def lines(runs):
    parts = [throughput_lines(runs), latency_lines(runs), memory_lines(runs)]
    return [line for part in parts if len(part) > 1 for line in (*part, "")]


def verdicts(runs):
    """Judges every target: (met, sentence) each; one not measured, or at a reduced size, is missed."""
    whole = all(run["machines"] >= MACHINES for run in runs
                if run["row"] not in (LATENCY.name, FAILING_LATENCY.name))
    judged = []

    def judge(met, number, sentence):
        if number is None:
            judged.append((False, sentence + " (not run)"))
        elif not whole:
            judged.append((False, sentence + " (reduced size)"))
        else:
            judged.append((met, sentence))

    for row in (RUN, FAILING_RUN):
        share = ratio(runs, row, LOOP)
        judge(share is not None and share >= WANTED_OF_LOOP, share,
              f"{row.label}: {text(share, '.2f')} of the bare loop's rows a second, "
              f"wanted {WANTED_OF_LOOP}")
    fsync = text(median(runs, LOOP, "commit_p99_ms"), ".1f")
    for row in (LATENCY, FAILING_LATENCY):
        p99 = median(runs, row, "all_p99_ms")
        judge(p99 is not None and p99 < P99_MS_BELOW, p99,
              f"{row.label}: from due to started p99 {text(p99, '.1f')} ms, wanted under "
              f"{P99_MS_BELOW} (p99 of the bare loop's commit, write and fsync: {fsync} ms)")
    sizes = {run["machines"] for run in of_row(runs, WAITING)}
    worst = max((median([run for run in runs if run["machines"] == size], WAITING,
                        "resident_bytes_per_machine") for size in sizes), default=None)
    judge(worst is not None and worst <= BYTES_AT_MOST, worst,
          f"a waiting machine: {text(worst, '.0f')} bytes resident, wanted {BYTES_AT_MOST} at most")
    return judged


def reported(runs):
    """What is said and not judged."""
    times = ratio(runs, RUN, BULLMQ)
    return [f"Wherry does {text(times, '.1f')} times the durable transitions of BullMQ "
            f"(reported: {WANTED_OF_BULLMQ} were hoped for)"]


def row_named(name):
    return next(row for row in ROWS if row.name == name)
