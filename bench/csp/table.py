# SPDX-License-Identifier: Apache-2.0
"""From measured runs to the table and the verdicts. Pure: no process is started here.

A run is what measure() of run.py returns: contestant, row, and the numbers the program printed.
The verdict of a row of speed is by the clock on the wall. On one thread the CPU time of the same
repetitions stands beside it: it does not see the time in which others had the processor, so where
the two ratios disagree, the machine was not quiet.
"""
import dataclasses
import statistics

from contestants import CONTESTANTS, FIGURES, LACKS, OURS, PEERS, ROWS, Figure, takes_part
from processes import lay_out


@dataclasses.dataclass
class Line:
    """One figure of all contestants."""
    figure: Figure
    numbers: dict        # contestant -> median over the rounds
    cpu: dict            # the same of CPU ns; empty where that says nothing
    absent: list         # peers that could have taken part, and were left out
    channels: float      # of our row parked1: it is to be one

    @property
    def peer(self):
        """The peer it is compared with; None: not run."""
        return self.rival(self.numbers)

    def rival(self, numbers):
        peers = {name: number for name, number in numbers.items() if name != OURS}
        if self.figure.against:
            return self.figure.against if self.figure.against in peers else None
        return min(peers, key=peers.get, default=None)

    def ratio_of(self, numbers):
        peer = self.rival(numbers)
        if peer is None or OURS not in numbers:
            return None
        return self.figure.ratio(numbers[OURS], numbers[peer])


def medians(runs, row, number):
    """Returns contestant -> median over the rounds, of those that ran the row."""
    found = {}
    for run in runs:
        if run["row"] == row and number in run:
            found.setdefault(run["contestant"], []).append(run[number])
    return {name: statistics.median(found[name]) for name in CONTESTANTS if name in found}


def summarize(runs):
    lines = []
    for figure in FIGURES:
        numbers = medians(runs, figure.row, figure.number)
        if not numbers:
            continue  # the row was not asked for
        by_cpu = figure.number == "wall" and ROWS[figure.row] == 1
        absent = [peer for peer in PEERS if takes_part(peer, figure.row) and peer not in numbers]
        channels = max((run.get("channels", 1) for run in runs if run["row"] == "parked1"),
                       default=1) if figure.row == "parked1" else 1
        cpu = medians(runs, figure.row, "cpu") if by_cpu else {}
        lines.append(Line(figure, numbers, cpu, absent, channels))
    return lines


def number_text(line, contestant):
    if contestant in line.numbers:
        return f"{line.numbers[contestant]:,.0f}" if line.numbers[contestant] >= 100 \
            else f"{line.numbers[contestant]:.1f}"
    return "none" if (contestant, line.figure.row) in LACKS else "left out"


def ratio_text(ratio):
    return "-" if ratio is None else f"{ratio:.2f}"


def lines(summary):
    """Lays out the table."""
    cells = [["ns an operation, or as said", *CONTESTANTS, "beside", "ratio", "wanted",
              f"CPU: {OURS}", "best peer", "ratio"]]
    for line in summary:
        cpu = ["-", "-", "-"]
        if line.cpu:
            rival = line.rival(line.cpu)
            cpu = [f"{line.cpu[OURS]:,.1f}" if OURS in line.cpu else "-",
                   f"{line.cpu[rival]:,.1f} {rival}" if rival else "-",
                   ratio_text(line.ratio_of(line.cpu))]
        cells.append([line.figure.label, *(number_text(line, name) for name in CONTESTANTS),
                      line.peer or "-", ratio_text(line.ratio_of(line.numbers)),
                      line.figure.wanted, *cpu])
    return lay_out(cells)


def verdict(line):
    """Judges one figure: (met, sentence)."""
    figure, ratio = line.figure, line.ratio_of(line.numbers)
    if OURS not in line.numbers or line.peer is None:
        return False, f"{figure.label}: not run"
    number = f"{figure.label}: {number_text(line, OURS)}, {line.peer} {number_text(line, line.peer)}"
    said = f"{number}: {ratio:.2f} times " + ("faster" if figure.faster else "as much")
    sentence = f"{said}, wanted {figure.wanted}"
    if line.channels != 1:
        return False, f"{sentence} (but on {line.channels:.0f} channels, not on one)"
    if line.absent and not figure.against:
        return False, f"{sentence} (not beside {', '.join(line.absent)})"
    met = figure.met(ratio)
    if line.cpu and figure.met(line.ratio_of(line.cpu)) != met:
        sentence += f" (by CPU time {line.ratio_of(line.cpu):.2f}: measure again, more quietly)"
    return met, sentence


def verdicts(summary):
    """Judges every target: one that was not measured is missed."""
    judged = [verdict(line) for line in summary]
    measured = {(line.figure.row, line.figure.number) for line in summary}
    judged += [(False, f"{figure.label}: not run") for figure in FIGURES
               if (figure.row, figure.number) not in measured]
    return judged
