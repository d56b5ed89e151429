# SPDX-License-Identifier: Apache-2.0
"""Who takes part, at what size, and how each is started.

Reports are (client, day): 30 days of January 2025 for as many clients as the size needs, so a size
is rounded up to a multiple of 30 and all contestants of one size import the very same reports.
"""
import csv
import dataclasses
import os
import shutil
import typing

DAYS = 30
FIRST_DAY, LAST_DAY = "2025-01-01", "2025-01-30"


@dataclasses.dataclass(frozen=True)
class Places:
    """Where things are; all of it under the source tree or its build directory."""
    root: str       # of the source tree
    build: str      # build/bench: everything the benchmark writes
    wherry: str     # the program
    get_port: int
    put_port: int

    @property
    def peers(self):
        return os.path.join(self.root, "bench/peers")

    @property
    def rates(self):
        return os.path.join(self.peers, "upstream/rates.csv")


@dataclasses.dataclass(frozen=True)
class Contestant:
    family: str     # serial, core.async, Go, Node, BullMQ, Graphile, Wherry
    in_flight: int  # what it is told; the server counts what it does
    size: int       # reports in a timed run
    verified: int   # reports in the correctness run
    command: typing.Callable[[Places, int, int], list]  # (places, reports, in flight) -> argv

    @property
    def name(self):
        return f"{self.family} {self.in_flight}"


def rounded_up(reports):
    return max(1, -(-reports // DAYS)) * DAYS


def peer(folder, *leading):
    """Makes the command of a peer: bench/peers/FOLDER/run.sh LEADING... N IN_FLIGHT."""
    def command(places, reports, in_flight):
        script = os.path.join(places.peers, folder, "run.sh")
        return [script, *leading, str(reports), str(in_flight)]
    return command


def wherry(places, reports, in_flight):
    """Makes Wherry's command; its objects go to the upstream, which checks no signature."""
    return wherry_into(places, f"wherry-{in_flight}", reports, {
        "IN_FLIGHT": in_flight, "OBJECTS": "bucket", "FORMAT": "csv.gz",
        "BUCKET": f"http://127.0.0.1:{places.put_port}",
        "ACCESS_KEY": "bench", "SECRET_KEY": "bench-nobody-checks-it",
    })


def wherry_into(places, name, reports, sink):
    """Makes Wherry's command over a fresh spec, store and spool in a folder of the build directory."""
    work = os.path.join(places.build, "import", name)
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    rates = os.path.join(work, "rates-ecb.csv")
    write_ecb_rates(places.rates, rates)
    clients = ", ".join(f'"c{client:05d}"' for client in range(reports // DAYS))
    values = sink | {
        "CLIENTS": clients, "WORK": work, "RATES": rates,
        "REPORTS": f"http://127.0.0.1:{places.get_port}/reports",
    }
    with open(os.path.join(places.root, "bench/import/import.toml.in"), encoding="utf-8") as file:
        text = file.read()
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    spec = os.path.join(work, "import.toml")
    with open(spec, "w", encoding="utf-8") as file:
        file.write(text)
    return [places.wherry, "import", spec, "--from", FIRST_DAY, "--to", LAST_DAY, "--json"]


def write_ecb_rates(source, target):
    """Turns the peers' rates (day, currency, USD for one) into the ECB's form (units for one EUR).

    Nine decimals, the most Wherry takes: the four or five of the ECB would move cost_usd by more than
    the 1e-6 that is verified.
    """
    days = {}
    with open(source, encoding="utf-8") as file:
        for row in csv.DictReader(file):
            days.setdefault(row["day"], {})[row["currency"]] = float(row["usd"])
    currencies = sorted(set().union(*days.values()) - {"EUR"})
    with open(target, "w", encoding="utf-8") as file:
        file.write("Date," + "".join(currency + "," for currency in currencies) + "\n")
        for day in sorted(days, reverse=True):
            usd = days[day]
            units = "".join(f"{usd['EUR'] / usd[currency]:.9f}," for currency in currencies)
            file.write(f"{day},{units}\n")


# Sizes are those of the issue: serial 500, core.async 2,000, all others 10,000.
CONTESTANTS = [
    Contestant("serial", 1, 500, 60, peer("clojure", "serial")),
    Contestant("core.async", 32, 2_000, 300, peer("clojure", "coreasync")),
    Contestant("core.async", 256, 2_000, 300, peer("clojure", "coreasync")),
    Contestant("Go", 32, 10_000, 300, peer("go")),
    Contestant("Go", 256, 10_000, 300, peer("go")),
    Contestant("Node", 32, 10_000, 300, peer("node")),
    Contestant("Node", 256, 10_000, 300, peer("node")),
    Contestant("BullMQ", 32, 10_000, 300, peer("queues", "bullmq")),
    Contestant("BullMQ", 256, 10_000, 300, peer("queues", "bullmq")),
    Contestant("Graphile", 32, 10_000, 300, peer("queues", "graphile")),
    Contestant("Graphile", 256, 10_000, 300, peer("queues", "graphile")),
    Contestant("Wherry", 32, 10_000, 300, wherry),
    Contestant("Wherry", 256, 10_000, 300, wherry),
]
