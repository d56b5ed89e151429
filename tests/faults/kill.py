#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills an import with -9 at random moments and proves that nothing is lost and nothing done twice.

Method. The same import runs undisturbed into A, then into B with a fresh store and a fresh API of
the same seed. B is killed KILLS times. The moments are random counts of recorded transitions plus a
random delay, so that they fall anywhere in a step. At each, the process is first stopped (SIGSTOP),
so that what is asserted holds at that very instruction: the import has not finished, and the API
has requests of it in flight; then the store and the objects are examined, and then it is killed. A
kill that finds nothing in flight does not count; the process goes on and is stopped again later.
Some more kills, not counted, fall into the start of the process, where it repairs, submits and
claims.

Environment: KILLS (30), REPORTS (1000, a multiple of 10), SEED (random; printed)."""

import collections
import hashlib
import json
import os
import pathlib
import random
import shutil
import signal
import statistics
import subprocess
import sys
import time
import urllib.request

from store_view import store_view

ROOT = pathlib.Path(__file__).resolve().parents[2]


def place(variable: str, usual: str) -> pathlib.Path:
    return pathlib.Path(os.environ.get(variable, ROOT / usual))


WHERRY = place("WHERRY", "build/release/wherry")
API = place("REPORTING_API_PROGRAM", "build/release/examples/reporting_api")
DATA = place("VEGA_DATASETS", "build/deps/node_modules/vega-datasets/data")
WORK = place("FAULTS_DIRECTORY", "build/faults")
SPEC = ROOT / "tests/faults/flights.toml"
CLIENTS = 10
PATIENCE = 120  # seconds without any progress before giving up


class failure(Exception):
    """What the test found wrong."""


def say(text: str):
    print(text, flush=True)


class api:
    """A reporting API of its own, with faults; stopped at the end of the `with`."""

    def __init__(self, directory: pathlib.Path):
        self._directory = directory

    def __enter__(self):
        port_file = self._directory / "port"
        self._process = subprocess.Popen(
            [API, "--data", DATA, "--port-file", port_file, "--token", "faults", "--seed", "1",
             "--latency", "150ms", "--error-503", "0.03", "--cut", "0.02"],
            stdout=open(self._directory / "reporting_api.log", "w"), stderr=subprocess.STDOUT)
        wait_until(port_file.exists, "the reporting API to listen", self._process)
        self.url = f"http://127.0.0.1:{port_file.read_text().strip()}"
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait()

    def stats(self) -> dict:
        with urllib.request.urlopen(self.url + "/stats", timeout=10) as answer:
            return json.load(answer)


def wait_until(holds, what: str, process: subprocess.Popen | None = None):
    """Polls; a process that ends meanwhile, or PATIENCE running out, is a failure."""
    end = time.monotonic() + PATIENCE
    while not holds():
        if process is not None and process.poll() is not None:
            raise failure(f"waited for {what}, but the process ended with {process.returncode}")
        if time.monotonic() > end:
            raise failure(f"waited {PATIENCE} s for {what}")
        time.sleep(0.002)


class importer:
    """The import into one directory; may be started again and again."""

    def __init__(self, directory: pathlib.Path, server: api, days: int):
        self.directory = directory
        self.store_file = directory / "faults.db"
        self._log = open(directory / "wherry.log", "a")
        self._environment = os.environ | {"RESULTS": str(directory), "REPORTING_API": server.url,
                                          "REPORTING_TOKEN": "faults"}
        last = time.strftime("%Y-%m-%d", time.gmtime(978307200 + (days - 1) * 86400))
        self._command = [WHERRY, "import", SPEC, "--from", "2001-01-01", "--to", last]

    def start(self) -> subprocess.Popen:
        return subprocess.Popen(self._command, env=self._environment, cwd=self.directory,
                                stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log)

    def finish(self, process: subprocess.Popen, reports: int):
        if (code := process.wait(timeout=300)) != 0:
            raise failure(f"the import ended with {code}; see {self._log.name}")
        last = pathlib.Path(self._log.name).read_text().strip().splitlines()[-1]
        if last != f"{reports} completed, 0 dead":
            raise failure(f"the import's last line is {last!r}")

    def objects(self) -> dict[str, str]:
        """The hash of each file in the sink, by its path there."""
        top = self.directory / "objects"
        return {str(path.relative_to(top)): hashlib.sha256(path.read_bytes()).hexdigest()
                for path in top.rglob("*") if path.is_file()}


def object_of(report: str) -> str:
    client, day = report.rsplit("/", 1)
    return f"day={day}/{client}.parquet"


def stop(process: subprocess.Popen):
    """Stops the process where it stands, and returns when it does."""
    os.kill(process.pid, signal.SIGSTOP)
    stat = pathlib.Path(f"/proc/{process.pid}/stat")
    wait_until(lambda: stat.read_text().rsplit(")", 1)[1].split()[0] in "TZ", "SIGSTOP")


def kill(process: subprocess.Popen, server: api):
    process.kill()
    if process.wait() != -signal.SIGKILL:
        raise failure(f"the import ended with {process.returncode} before it was killed")
    # What the dead process had asked for must not count as in flight for its successor.
    wait_until(lambda: server.stats()["in_flight"] == 0, "the API to be idle after a kill")


class killer:
    """Kills one import and keeps what was seen at the kills."""

    def __init__(self, job: importer, server: api, reference: dict[str, str], reports: int,
                 chance: random.Random):
        self._job, self._server, self._reference, self._reports = job, server, reference, reports
        self._chance = chance
        self._completed: set[str] = set()  # at the last kill
        self.recoveries: list[float] = []  # seconds from a restart to the next completed report
        self.in_flight: list[int] = []
        self.start_up_kills = 0

    def kill_in_start_up(self):
        process = self._job.start()
        time.sleep(self._chance.uniform(0, 0.06))
        if process.poll() is not None:
            raise failure(f"the import ended with {process.returncode} while starting")
        kill(process, self._server)
        self.start_up_kills += 1

    def kill_at(self, threshold: int, number: int):
        """Starts the import and kills it once `threshold` transitions are recorded."""
        began = time.monotonic()
        process = self._job.start()
        try:
            wait_until(lambda: self._server.stats()["in_flight"] > 0, "requests in flight", process)
            store = store_view(self._job.store_file)
            recovered = None

            def is_time() -> bool:
                nonlocal recovered
                if recovered is None and not store.completed() <= self._completed:
                    recovered = time.monotonic() - began
                return store.transitions() >= threshold

            wait_until(is_time, f"transition {threshold}", process)
            while True:
                time.sleep(self._chance.uniform(0, 0.04))
                if process.poll() is not None:
                    raise failure(f"the import ended with {process.returncode}"
                                  f" before kill {number}")
                stop(process)
                in_flight = self._server.stats()["in_flight"]
                if in_flight > 0:
                    break
                os.kill(process.pid, signal.SIGCONT)
            transitions = store.transitions()
            self._examine(store, number)
            store.close()
            kill(process, self._server)
        finally:
            process.kill()
        if recovered is not None and number > 1:
            self.recoveries.append(recovered)
        self.in_flight.append(in_flight)
        say(f"kill {number:2}: {len(self._completed)} of {self._reports} completed,"
            f" {transitions} transitions, {in_flight} requests in flight")

    def _examine(self, store: store_view, number: int):
        """What must hold at any moment."""
        completed = store.completed()
        if len(completed) >= self._reports:
            raise failure(f"the import had finished at kill {number};"
                          " use fewer KILLS or more REPORTS")
        if gone := self._completed - completed:
            raise failure(f"completed before kill {number}, and no longer: {sorted(gone)[:5]}")
        if (known := len(store.phases())) != self._reports:
            raise failure(f"{known} machines in the store at kill {number}, not {self._reports}")
        objects = self._job.objects()
        for path, digest in self._reference.items():
            if path in objects and objects[path] != digest:
                raise failure(f"object {path} is not whole at kill {number}")
        if missing := [r for r in completed if object_of(r) not in objects]:
            raise failure(f"completed without an object at kill {number}: {sorted(missing)[:5]}")
        self._completed = completed


def judge(job: importer, reference: dict[str, str]) -> tuple[set[str], int]:
    """Returns the reports that were lost and the number of duplicates; explains each."""
    store = store_view(job.store_file)
    if damage := store.damage():
        raise failure(f"the store is damaged: {damage}")
    wanted = {f"{path.split('/')[1].removesuffix('.parquet')}/{path[4:14]}" for path in reference}
    phases, history, objects = store.phases(), store.history(), job.objects()
    digests = store.digests()
    lost = set()
    for report in wanted:
        path = object_of(report)
        why = ("no machine" if report not in phases else
               f"it is {phases[report]}" if phases[report] != "completed" else
               "no object" if path not in objects else
               "other bytes" if objects[path] != reference[path] else
               "the store names other bytes" if digests[report] != reference[path] else "")
        if why:
            lost.add(report)
            say(f"lost {report}: {why}")
    if strangers := (objects.keys() - reference.keys()) | (phases.keys() - wanted):
        raise failure(f"in B but not in A: {sorted(strangers)[:5]} ({len(strangers)} in all)")
    if store.counted() != {"completed": len(wanted)}:
        raise failure(f"the counter rows say {store.counted()}")

    commits = collections.Counter((m, g, v) for m, g, v, *_ in history)
    ends = collections.Counter(row[:2] for row in history if row[5] == "completed")
    twice = [key for key, n in (commits | ends).items() if n > 1]
    for key in twice[:5]:
        say(f"committed twice: {key}")
    for before, after in zip(history, history[1:]):
        continues = (after[2], after[3]) == (before[2] + 1, before[4])
        if not twice and before[:2] == after[:2] and not continues:
            raise failure(f"a gap in the history of {before[0]}:"
                          f" {before[2:]} then {after[2:]}")
    for report in wanted - {machine for machine, _ in ends}:
        lost.add(report)
        say(f"lost {report}: its history does not end in completed")
    return lost, len(twice)


def undisturbed(days: int, reports: int) -> tuple[dict[str, str], int]:
    """Runs the import into A; returns its objects and how many transitions it recorded."""
    directory = WORK / "A"
    directory.mkdir(parents=True)
    with api(directory) as server:
        began = time.monotonic()
        job = importer(directory, server, days)
        job.finish(job.start(), reports)
        store = store_view(job.store_file)
        say(f"undisturbed: {reports} completed in {time.monotonic() - began:.1f} s,"
            f" {store.transitions()} transitions")
        objects = job.objects()
        if len(objects) != reports:
            raise failure(f"{len(objects)} objects for {reports} reports")
        return objects, store.transitions()


def main() -> int:
    kills, reports = int(os.environ.get("KILLS", 30)), int(os.environ.get("REPORTS", 1000))
    seed = int(os.environ.get("SEED", random.SystemRandom().randrange(1_000_000)))
    if reports % CLIENTS or not 0 < reports <= 181 * CLIENTS:
        raise failure(f"REPORTS must be a multiple of {CLIENTS}, at most {181 * CLIENTS}")
    say(f"SEED={seed} KILLS={kills} REPORTS={reports}")
    for need in (WHERRY, API, DATA / "flights-3m.parquet"):
        if not need.exists():
            raise failure(f"{need} is missing: run make build first")
    shutil.rmtree(WORK, ignore_errors=True)
    days = reports // CLIENTS
    reference, transitions = undisturbed(days, reports)

    chance = random.Random(seed)
    thresholds = sorted(chance.sample(range(transitions // 50, transitions * 9 // 10), kills))
    directory = WORK / "B"
    directory.mkdir()
    with api(directory) as server:
        began = time.monotonic()
        job = importer(directory, server, days)
        tries = killer(job, server, reference, reports, chance)
        for number, threshold in enumerate(thresholds, 1):
            if number % 5 == 0:
                tries.kill_in_start_up()
            tries.kill_at(threshold, number)
        job.finish(job.start(), reports)
        took = time.monotonic() - began
        answered = server.stats()["ok"]
    lost, duplicates = judge(job, reference)

    history = store_view(job.store_file).history()
    moves = collections.Counter(outcome for *_, outcome in history)
    needed = sum(1 for row in history if row[3] == "downloadable" and row[6] == "advanced")
    say(f"disturbed: {reports} completed in {took:.1f} s; outcomes recorded: {dict(moves)}")
    say(f"at the kills {min(tries.in_flight)} to {max(tries.in_flight)} requests in flight;"
        f" {tries.start_up_kills} more kills in start-up")
    say(f"steps repeated: {answered - needed} downloads were answered whole and not recorded,"
        f" {moves['went_back']} moves back to an earlier state")
    if tries.recoveries:
        say(f"restart to first newly completed report:"
            f" median {statistics.median(tries.recoveries):.2f} s,"
            f" most {max(tries.recoveries):.2f} s ({len(tries.recoveries)} restarts)")
    say(f"kills {len(tries.in_flight)}, lost {len(lost)}, duplicates {duplicates}")
    return 1 if lost or duplicates else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except failure as found:
        say(f"FAILED: {found}")
        sys.exit(1)
