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

What runs again. After each restart the next kill waits until every machine that the killed process
was running has been run again, and recorded; how long that takes is printed. That no download is
made again that had been recorded, the API proves: it counts how often each report was asked for.

Environment: KILLS (30), REPORTS (1000, a multiple of 10), SEED (random; printed)."""

import collections
import hashlib
import json
import os
import pathlib
import random
import re
import shutil
import signal
import stat
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
DAYS = 181  # that the API has
PATIENCE = 120  # seconds without any progress before giving up


class failure(Exception):
    """What the test found wrong."""


def say(text: str):
    print(text, flush=True)


class api:
    """A reporting API of its own, with faults; stopped at the end of the `with`."""

    def __init__(self, directory: pathlib.Path, latency: str):
        self._directory, self._latency = directory, latency

    def __enter__(self):
        port_file = self._directory / "port"
        self._process = subprocess.Popen(
            [API, "--data", DATA, "--port-file", port_file, "--token", "faults", "--seed", "1",
             "--latency", self._latency, "--error-503", "0.03", "--cut", "0.02"],
            stdout=open(self._directory / "reporting_api.log", "w"), stderr=subprocess.STDOUT)
        wait_until(port_file.exists, "the reporting API to listen", self._process)
        self.url = f"http://127.0.0.1:{port_file.read_text().strip()}"
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait()

    def _get(self, path: str) -> dict:
        request = urllib.request.Request(self.url + path,
                                         headers={"Authorization": "Bearer faults"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def stats(self) -> dict:
        return self._get("/stats")

    def asked(self) -> dict[str, int]:
        """How often each report was asked for, by its id."""
        parts = ((path.split("/"), count) for path, count in self._get("/requests").items())
        return {f"{path[4]}/{path[6].removesuffix('.csv')}": count for path, count in parts}

    def clients(self) -> list[str]:
        return self._get("/v1/flights/clients")["clients"]


def wait_until(holds, what: str, process: subprocess.Popen | None = None):
    """Polls; a process that ends meanwhile, or PATIENCE running out, is a failure."""
    end = time.monotonic() + PATIENCE
    while not holds():
        if process is not None and process.poll() is not None:
            raise failure(f"waited for {what}, but the process ended with {process.returncode}")
        if time.monotonic() > end:
            raise failure(f"waited {PATIENCE} s for {what}")
        time.sleep(0.002)


def write_spec(reports: int, server: api) -> int:
    """Writes a spec of as many clients as so many reports take; returns the number of days."""
    text = SPEC.read_text()
    clients = len(re.search(r"clients = \[(.*)\]", text)[1].split(","))
    if reports > clients * DAYS:
        known = server.clients()
        fits = [n for n in range(-(-reports // DAYS), len(known) + 1) if reports % n == 0]
        if not fits:
            raise failure(f"REPORTS must be a product of at most {len(known)} clients and {DAYS} days")
        clients = fits[0]
        text = re.sub(r"clients = \[.*\]", "clients = " + json.dumps(known[:clients]), text)
    if reports % clients:
        raise failure(f"REPORTS must be a multiple of {clients}")
    (WORK / "flights.toml").write_text(text)
    return reports // clients


class importer:
    """The import into one directory; may be started again and again."""

    def __init__(self, directory: pathlib.Path, server: api, days: int):
        self.directory = directory
        self.store_file = directory / "faults.db"
        self._hashed: dict[str, tuple] = {}  # by path: which file that was, and its hash
        self._log = open(directory / "wherry.log", "a")
        self._environment = os.environ | {"RESULTS": str(directory), "REPORTING_API": server.url,
                                          "REPORTING_TOKEN": "faults"}
        last = time.strftime("%Y-%m-%d", time.gmtime(978307200 + (days - 1) * 86400))
        self._command = [WHERRY, "import", WORK / "flights.toml", "--from", "2001-01-01", "--to", last]

    def start(self) -> subprocess.Popen:
        return subprocess.Popen(self._command, env=self._environment, cwd=self.directory,
                                stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log)

    def finish(self, process: subprocess.Popen, reports: int):
        if (code := process.wait(timeout=1800)) != 0:
            raise failure(f"the import ended with {code}; see {self._log.name}")
        last = pathlib.Path(self._log.name).read_text().strip().splitlines()[-1]
        if last != f"{reports} completed, 0 dead":
            raise failure(f"the import's last line is {last!r}")

    def objects(self) -> dict[str, str]:
        """The hash of each file in the sink, by its path there."""
        found = {}
        top = self.directory / "objects"
        for path in top.rglob("*"):
            name, seen = str(path.relative_to(top)), path.stat()
            if not stat.S_ISREG(seen.st_mode):
                continue
            at = (seen.st_ino, seen.st_size, seen.st_mtime_ns)
            found[name] = self._hashed.get(name, (None, ""))
            if found[name][0] != at:
                found[name] = (at, hashlib.sha256(path.read_bytes()).hexdigest())
        self._hashed = found
        return {name: digest for name, (_, digest) in found.items()}


def object_of(report: str) -> str:
    client, day = report.rsplit("/", 1)
    return f"day={day}/{client}.parquet"


def stop(process: subprocess.Popen):
    """Stops the process where it stands, and returns when it does."""
    os.kill(process.pid, signal.SIGSTOP)
    state = pathlib.Path(f"/proc/{process.pid}/stat")
    wait_until(lambda: state.read_text().rsplit(")", 1)[1].split()[0] in "TZ", "SIGSTOP")


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
        # At the last kill.
        self._completed: set[str] = set()
        self._running: dict[str, int] = {}  # machines that were begun and not recorded: version
        self._asked: dict[str, int] = {}
        self._downloaded: set[str] = set()
        self.downloads_checked = 0
        self.recoveries: list[float] = []  # seconds from a restart until those ran again
        self.run_again = 0
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
            self._wait_for_recovery(store, process, began)
            wait_until(lambda: store.transitions() >= threshold, f"transition {threshold}", process)
            in_flight = self._stop_in_flight(process, number)
            transitions = store.transitions()
            self._examine(store, number)
            store.close()
            kill(process, self._server)
        finally:
            process.kill()
        self.in_flight.append(in_flight)
        say(f"kill {number:2}: {len(self._completed)} of {self._reports} completed,"
            f" {transitions} transitions, {in_flight} requests in flight")

    def _wait_for_recovery(self, store: store_view, process: subprocess.Popen, began: float):
        """Until each machine that the killed process was running has been recorded again."""
        if not self._running:
            return
        wait_until(lambda: all(store.version(r) > v for r, v in self._running.items()),
                   f"{len(self._running)} machines to run again", process)
        self.recoveries.append(time.monotonic() - began)
        self.run_again += len(self._running)

    def _stop_in_flight(self, process: subprocess.Popen, number: int) -> int:
        """Stops the process with requests in flight; how many there are."""
        while True:
            time.sleep(self._chance.uniform(0, 0.04))
            if process.poll() is not None:
                raise failure(f"the import ended with {process.returncode} before kill {number}")
            stop(process)
            if (in_flight := self._server.stats()["in_flight"]) > 0:
                return in_flight
            os.kill(process.pid, signal.SIGCONT)

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
        for path, digest in objects.items():
            if self._reference.get(path, digest) != digest:
                raise failure(f"object {path} is not whole at kill {number}")
        if missing := [r for r in completed if object_of(r) not in objects]:
            raise failure(f"completed without an object at kill {number}: {sorted(missing)[:5]}")
        self._completed = completed
        self.check_downloads(store, f"kill {number}")
        # A download that failed before is not told from one that waits for its turn: left out.
        self._running = {report: version for report, state, version in store.ready()
                         if state != "downloadable" or (version == 0 and report in self._asked)}

    def check_downloads(self, store: store_view, when: str):
        """No report was asked for again whose download had been recorded."""
        asked, downloaded = self._server.asked(), store.downloaded()
        recorded = self._downloaded & downloaded
        self.downloads_checked += len(recorded)
        if again := [r for r in recorded if asked[r] != self._asked[r]]:
            raise failure(f"downloaded again, though that was recorded, before {when}:"
                          f" {sorted(again)[:5]}")
        self._asked, self._downloaded = asked, downloaded


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


def undisturbed(reports: int) -> tuple[int, dict[str, str], int]:
    """Runs the import into A; returns its days, its objects, and how many transitions it took."""
    directory = WORK / "A"
    directory.mkdir(parents=True)
    with api(directory, "15ms") as server:
        days = write_spec(reports, server)
        began = time.monotonic()
        job = importer(directory, server, days)
        job.finish(job.start(), reports)
        store = store_view(job.store_file)
        say(f"undisturbed: {reports} completed in {time.monotonic() - began:.1f} s,"
            f" {store.transitions()} transitions")
        objects = job.objects()
        if len(objects) != reports:
            raise failure(f"{len(objects)} objects for {reports} reports")
        return days, objects, store.transitions()


def main() -> int:
    kills, reports = int(os.environ.get("KILLS", 30)), int(os.environ.get("REPORTS", 1000))
    seed = int(os.environ.get("SEED", random.SystemRandom().randrange(1_000_000)))
    say(f"SEED={seed} KILLS={kills} REPORTS={reports}")
    for need in (WHERRY, API, DATA / "flights-3m.parquet"):
        if not need.exists():
            raise failure(f"{need} is missing: run make build first")
    shutil.rmtree(WORK, ignore_errors=True)
    days, reference, transitions = undisturbed(reports)

    chance = random.Random(seed)
    thresholds = sorted(chance.sample(range(transitions // 50, transitions * 9 // 10), kills))
    directory = WORK / "B"
    directory.mkdir()
    with api(directory, "150ms") as server:
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
        tries.check_downloads(store_view(job.store_file), "the end")
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
        say(f"restart until all {tries.run_again} machines of the killed processes had run again:"
            f" median {statistics.median(tries.recoveries):.2f} s,"
            f" most {max(tries.recoveries):.2f} s ({len(tries.recoveries)} restarts)")
    say(f"{tries.downloads_checked} recorded downloads looked for at the API later: none made again")
    say(f"kills {len(tries.in_flight)}, lost {len(lost)}, duplicates {duplicates}")
    return 1 if lost or duplicates else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except failure as found:
        say(f"FAILED: {found}")
        sys.exit(1)
