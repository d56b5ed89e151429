# SPDX-License-Identifier: Apache-2.0
"""What is run, at what size, and how each is started."""
import dataclasses
import os

STEPS = 3                 # no-op steps of a machine, each a durable transition
MACHINES = 100_000        # the size of the issue
MANY_WAITING = 1_000_000  # for memory, besides
FAILING = 5               # per cent of steps
LATENCY_SECONDS = 10


@dataclasses.dataclass(frozen=True)
class Row:
    """One program run once a round."""
    name: str
    label: str
    arguments: tuple = ()      # of enginebench, after the store; empty first: a peer
    at_half_load: bool = False

    @property
    def is_peer(self):
        return not self.arguments


LOOP = Row("loop", "bare loop of SQLite, 1,000 a transaction", ("loop",))
RUN = Row("run", "Wherry", ("run",))
FAILING_RUN = Row("failing", f"Wherry, {FAILING} % of steps failing", ("run", f"failing={FAILING}"))
BULLMQ = Row("bullmq", "BullMQ, Redis, appendfsync always")
LATENCY = Row("latency", "Wherry, half load", ("latency",), at_half_load=True)
FAILING_LATENCY = Row("failing latency", f"Wherry, half load, {FAILING} % failing",
                      ("latency", f"failing={FAILING}"), at_half_load=True)
WAITING = Row("waiting", "Wherry, machines waiting", ("waiting",))

# In the order of a round: what is compared with each other stands side by side.
ROWS = [LOOP, RUN, BULLMQ, FAILING_RUN, LATENCY, FAILING_LATENCY, WAITING]
PEERS = [BULLMQ]


def command(row, machines, rate, program, root, build):
    """Returns the argv of one run; `rate`: machines per second that the engine was seen to do."""
    if row.is_peer:
        return [os.path.join(root, "bench/peers/bullmq/run.sh"), str(machines)]
    store = os.path.join(build, "engine", "store.db")
    argv = [program, row.arguments[0], store, *row.arguments[1:]]
    if row.at_half_load:
        return [*argv, f"rate={rate / 2:.0f}", f"seconds={LATENCY_SECONDS}"]
    return [*argv, f"machines={machines}"]
