# SPDX-License-Identifier: Apache-2.0
"""Who takes part, which rows there are, what is wanted of each, and who cannot do which by design."""
import dataclasses
import os

OURS = "Wherry"
PEERS = ["Go", "core.async", "tokio", "Asio", "Fiber"]
CONTESTANTS = [OURS] + PEERS

# A row that a peer has no way to do. All else that does not run ends the benchmark.
LACKS = {
    ("Fiber", "select2"): "Boost.Fiber has no select",
    ("Fiber", "select16"): "Boost.Fiber has no select",
    ("core.async", "parked1"): "core.async lets at most 1,024 takes wait on one channel",
}

# Rows in the order in which they are run, and on how many threads.
ROWS = {
    "pingpong": 1, "prodcons": 1, "buffered": 1, "mpmc0": 2, "mpmc64": 2, "select2": 1,
    "select16": 1, "ring": 1, "spawn": 1, "parked1": 1, "parkedn": 1, "timers": 1,
}


@dataclasses.dataclass(frozen=True)
class Figure:
    """One line of the table: a number of a row, and the target for its ratio to a peer's."""
    row: str
    number: str          # wall, cpu: ns an operation or task; bytes: resident, a task
    label: str
    faster: float = 0    # wanted at least: peer / ours
    at_most: float = 0   # or, wanted at most: ours / peer
    against: str = ""    # the peer; empty: the best of the row

    def ratio(self, ours, peer):
        return peer / ours if self.faster else ours / peer

    def met(self, ratio):
        return ratio >= self.faster if self.faster else ratio <= self.at_most

    @property
    def wanted(self):
        return f">= {self.faster:g}" if self.faster else f"<= {self.at_most:g}"


# The targets of the issue, and of rulings 15 and 18.
FIGURES = [
    Figure("pingpong", "wall", "ping-pong, a round trip", faster=3),
    Figure("prodcons", "wall", "1 to 1, unbuffered", faster=3),
    Figure("buffered", "wall", "1 to 1, capacity 1,024", faster=1.3),
    Figure("mpmc0", "wall", "8 to 8, 2 threads, unbuffered", faster=1.3),
    Figure("mpmc64", "wall", "8 to 8, 2 threads, capacity 64", faster=1),
    Figure("select2", "wall", "select over 2", faster=2),
    Figure("select16", "wall", "select over 16", faster=1.3),
    Figure("ring", "wall", "ring of 10,000, a hop", faster=1.3),
    Figure("spawn", "wall", "spawn and join, 1,000,000", faster=2),
    Figure("parked1", "bytes", "bytes a parked task, one channel", at_most=1.25, against="tokio"),
    Figure("parkedn", "bytes", "bytes a parked task, own channel", at_most=1.25, against="tokio"),
    Figure("timers", "bytes", "bytes a parked timer", at_most=0.5),
    Figure("timers", "cpu", "CPU ns a parked timer", at_most=0.3),
]


def takes_part(contestant, row):
    return (contestant, row) not in LACKS


def command(contestant, row, repetitions, program, root, build):
    """Returns (argv, environment of its own) of one run of one row."""
    threads = ROWS[row]
    arguments = [row, str(repetitions)]
    if contestant == OURS:
        return [program, *arguments], {}
    if contestant == "core.async":
        script = os.path.join(root, "bench/peers/chan/coreasync/run.sh")
        return [script, str(threads), *arguments], {}
    binary = os.path.join(build, "peers", f"chan-{contestant.lower()}", "chanbench")
    return [binary, *arguments], {"GOMAXPROCS": str(threads)} if contestant == "Go" else {}
