# SPDX-License-Identifier: Apache-2.0
"""What the tests of the built program stand on: a directory of their own, a spec, the example's API
with faults, and `wherry` run as a user runs it.

One test by hand: cd tests/program && /usr/bin/python3 -m unittest import_test.import_test.test_…

What it keeps true:
1. Nothing is shared between two tests but the programs: each has its own directory, API and ports,
   so that they run side by side, and from any place of the tree.
2. Waiting is for an event (a file, a count of the API, the end of a process), never for time.
   Whoever is waited for and ends instead fails the test at once.
3. No test leaves a process behind: what it started dies with it, also if it is killed itself.
4. After every test, whatever it was about, none of the secrets of its runs is found in what
   `wherry` printed, nor in any file that it left: store, spool, objects.

The records are real: the first 20 days of vega-datasets' flights at 10 airports, cut out once, so
that the API is up in a third of a second instead of two.

Environment, set by CMake: WHERRY, REPORTING_API_PROGRAM, VEGA_DATASETS, DUCKDB_LIBRARY and
PROGRAM_TESTS_DIRECTORY, where what is made once is kept."""

import contextlib
import ctypes
import dataclasses
import json
import os
import pathlib
import select
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
import unittest
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]


def place(variable: str, usual: str) -> pathlib.Path:
    return pathlib.Path(os.environ.get(variable, ROOT / usual))


WHERRY = place("WHERRY", "build/release/wherry")
API = place("REPORTING_API_PROGRAM", "build/release/examples/reporting_api")
DATA = place("VEGA_DATASETS", "build/deps/node_modules/vega-datasets/data")
DUCKDB = place("DUCKDB_LIBRARY",
               "build/deps/node_modules/@duckdb/node-bindings-linux-x64/libduckdb.so")
KEPT = place("PROGRAM_TESTS_DIRECTORY", "build/release/tests/program")

AIRPORTS = ["ATL", "BOS", "DEN", "DFW", "JFK", "LAX", "MIA", "ORD", "PHX", "SEA"]
TOKEN = "a-token-that-nobody-may-see"
PATIENCE = int(os.environ.get("PATIENCE", 60))  # seconds for an event before the test fails
os.environ["no_proxy"] = "127.0.0.1,localhost"  # whatever the machine has for others

SPEC = pathlib.Path(__file__).with_name("flights.toml").read_text()

_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent():
    _libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def wait_until(holds, what: str, process: subprocess.Popen | None = None):
    """Polls until `holds()`; fails if the process ends first, or if nothing comes of it."""
    end = time.monotonic() + PATIENCE
    while not (found := holds()):
        if process is not None and process.poll() is not None:
            raise AssertionError(f"waited for {what}, but the process ended: {process.returncode}")
        if time.monotonic() > end:
            raise AssertionError(f"waited {PATIENCE} s for {what}")
        time.sleep(0.002)
    return found


def duckdb(sql: str):
    """Carries out a statement in DuckDB itself, which is not a part of wherry."""
    library = ctypes.CDLL(DUCKDB)
    library.duckdb_result_error.restype = ctypes.c_char_p
    database, connection = ctypes.c_void_p(), ctypes.c_void_p()
    result = ctypes.create_string_buffer(512)
    assert library.duckdb_open(None, ctypes.byref(database)) == 0
    assert library.duckdb_connect(database, ctypes.byref(connection)) == 0
    if library.duckdb_query(connection, sql.encode(), result) != 0:
        raise AssertionError(library.duckdb_result_error(result).decode())
    library.duckdb_disconnect(ctypes.byref(connection))
    library.duckdb_close(ctypes.byref(database))


def records() -> pathlib.Path:
    """The API's data, cut out at the first call; whole or absent, whoever else calls."""
    kept = KEPT / f"records-{(DATA / 'flights-3m.parquet').stat().st_size}"
    if not kept.exists():
        KEPT.mkdir(parents=True, exist_ok=True)
        made = pathlib.Path(tempfile.mkdtemp(dir=KEPT))
        for name in ("birdstrikes.csv", "weather.csv"):
            shutil.copy(DATA / name, made / name)
        airports = ", ".join(f"'{each}'" for each in AIRPORTS)
        duckdb(f"copy (from '{DATA}/flights-3m.parquet' where date < timestamp '2001-01-21'"
               f" and origin in ({airports})) to '{made}/flights-3m.parquet'")
        with contextlib.suppress(OSError):  # somebody else was first
            made.rename(kept)
        shutil.rmtree(made, ignore_errors=True)
    return kept


class api:
    """A reporting API of the test's own. `flags` are its faults, see examples/reporting_api."""

    def __init__(self, directory: pathlib.Path, *flags: str, port: int = 0, token: str = TOKEN):
        port_file = directory / "port"
        port_file.unlink(missing_ok=True)
        self._log = directory / "reporting_api.log"
        with open(self._log, "w") as log:
            self._process = subprocess.Popen(
                [API, "--data", records(), "--port-file", port_file, "--port", str(port),
                 "--token", token, *flags],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=die_with_parent)
        wait_until(port_file.exists, "the reporting API to listen", self._process)
        self.port = int(port_file.read_text())
        self.url = f"http://127.0.0.1:{self.port}"

    def _get(self, path: str) -> dict:
        with urllib.request.urlopen(self.url + path, timeout=PATIENCE) as answer:
            return json.load(answer)

    def stats(self) -> dict:
        return self._get("/stats")

    def reports_requested(self) -> dict[str, int]:
        """How often it was asked to make each report."""
        return {path: n for path, n in self._get("/requests").items() if path.startswith("request ")}

    def asked(self) -> int:
        """How many requests for reports were answered, in whatever way."""
        return sum(number for name, number in self.stats().items() if "in_flight" not in name)

    def freeze(self):
        """Stands still until `thaw`: whoever has asked, or asks now, waits for an answer."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self._process.send_signal(signal.SIGCONT)

    def stop(self):
        self._process.kill()
        self._process.wait()


@dataclasses.dataclass
class outcome:
    """How a run of wherry ended."""
    status: int
    out: str
    err: str

    def last_line(self) -> str:
        return self.out.rstrip("\n").rsplit("\n", 1)[-1]

    def json(self):
        return json.loads(self.out)


class running:
    """A wherry that was started and not yet waited for."""

    def __init__(self, test: "program_test", process: subprocess.Popen):
        self._test, self.process = test, process
        self._read = b""  # of stderr, by `wait_for`

    def signal(self, number: int):
        self.process.send_signal(number)

    def wait_for(self, text: str, terminal: int | None = None) -> str:
        """Reads stderr, or the terminal in its place, until the text is there; returns all."""
        source = self.process.stderr.fileno() if terminal is None else terminal
        end = time.monotonic() + PATIENCE  # whatever else is heard meanwhile
        while text.encode() not in self._read:
            ready, _, _ = select.select([source], [], [], max(0, end - time.monotonic()))
            piece = os.read(source, 65536) if ready else b""
            self._test.assertTrue(piece, f"waited for {text!r}, and heard only {self._read!r}")
            self._read += piece
        return self._read.decode()

    def kill(self):
        """kill -9, and the process is gone when this returns."""
        self.process.kill()
        self._test.assertEqual(self.end().status, -signal.SIGKILL)

    def end(self) -> outcome:
        out, err = self.process.communicate(timeout=PATIENCE)
        err = self._read + (err or b"")
        self._test.printed += out + err
        return outcome(self.process.returncode, out.decode(), err.decode())


class program_test(unittest.TestCase):
    """A test with a directory of its own, `self.here`, in which wherry is run."""
    longMessage = True
    maxDiff = None

    def setUp(self):
        self.here = pathlib.Path(tempfile.mkdtemp(prefix="wherry-test-"))
        self.addCleanup(shutil.rmtree, self.here, ignore_errors=True)
        self._apart = pathlib.Path(tempfile.mkdtemp(prefix="wherry-api-"))  # holds the API's files
        self.addCleanup(shutil.rmtree, self._apart, ignore_errors=True)
        self.printed = b""
        self.secrets = [TOKEN]
        self.variables = {"TOKEN": TOKEN, "API": "http://127.0.0.1:9", "PWD": str(self.here)}
        self.addCleanup(self._no_secret_is_anywhere)  # the last to be added runs first

    def _no_secret_is_anywhere(self):
        for secret in map(str.encode, self.secrets):
            self.assertNotIn(secret, self.printed, "a secret was printed")
            for path in self.here.rglob("*"):
                if path.is_file() and path.suffix != ".toml":  # a spec is the user's own
                    self.assertNotIn(secret, path.read_bytes(), f"a secret is in {path}")

    @property
    def apart(self) -> pathlib.Path:
        """A directory whose files are not searched for secrets."""
        return self._apart

    def start_api(self, *flags: str, **more) -> api:
        server = api(self._apart, *flags, **more)
        self.addCleanup(server.stop)
        self.variables["API"] = server.url
        return server

    def spec(self, *changes: tuple[str, str], name: str = "flights.toml") -> pathlib.Path:
        """Writes flights.toml with each `old` replaced by its `new`."""
        return self._write_changed(SPEC, changes, name)

    def example_spec(self, name: str, *changes: tuple[str, str]):
        """Writes spec.toml, that of examples/ with each `old` replaced by its `new`."""
        self.variables |= {"REPORTING_API": self.variables["API"], "REPORTING_TOKEN": TOKEN,
                           "RESULTS": str(self.here)}
        self._write_changed((ROOT / f"examples/{name}.toml").read_text(), changes, "spec.toml")

    def _write_changed(self, text: str, changes, name: str) -> pathlib.Path:
        for old, new in changes:
            self.assertIn(old, text, "the change has nothing to change")
            text = text.replace(old, new)
        path = self.here / name
        path.write_text(text)
        return path

    def start(self, *arguments, **options) -> running:
        """Starts wherry; stdout and stderr are pipes unless told otherwise."""
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.here)} | self.variables
        usual = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        process = subprocess.Popen([WHERRY, *map(str, arguments)], cwd=self.here, env=environment,
                                   preexec_fn=die_with_parent, **(usual | options))
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return running(self, process)

    def wherry(self, *arguments, status: int | None = 0) -> outcome:
        """Runs wherry to its end, and expects that exit status (None: any)."""
        ended = self.start(*arguments).end()
        if status is not None:
            self.assertEqual(ended.status, status, f"\nstdout: {ended.out}\nstderr: {ended.err}")
        return ended

    def days(self, number: int) -> list[str]:
        """Flags for the first days of 2001; times ten clients is how many reports."""
        return ["--from", "2001-01-01", "--to", f"2001-01-{number:02}"]

    def run_import(self, *more, days: int = 1, status: int | None = 0) -> outcome:
        return self.wherry("import", "flights.toml", *self.days(days), *more, status=status)

    def start_import(self, *more, days: int = 1, **options) -> running:
        return self.start("import", "flights.toml", *self.days(days), *more, **options)

    def wait_for_requests(self, server: api, importing: running, answered: int = 0):
        """Waits until the API has answered so many reports, and others are under way."""
        def in_the_midst():
            seen = server.stats()
            return seen["ok"] >= answered and seen["in_flight"] > 0
        wait_until(in_the_midst, "requests under way", importing.process)

    def objects(self, under: str = "objects") -> dict[str, bytes]:
        """Each file in the sink, by its path there."""
        top = self.here / under
        return {str(path.relative_to(top)): path.read_bytes()
                for path in top.rglob("*") if path.is_file()}

    def spooled(self, under: str = "flights.spool") -> list[str]:
        """The spool's files, without the one that says whose it is."""
        return sorted(path.name for path in (self.here / under).iterdir()
                      if not path.name.endswith(".owner"))

    def phases(self) -> dict[str, int]:
        """What `wherry status` counts, without the zeros."""
        counted = self.wherry("status", "--json").json()["phases"]
        return {phase: number for phase, number in counted.items() if number}

    def check_store(self, store: str = "flights.db"):
        """SQLite itself finds the store whole."""
        with contextlib.closing(sqlite3.connect(self.here / store)) as database:
            self.assertEqual(database.execute("pragma integrity_check").fetchall(), [("ok",)])

    def assert_says(self, text: str, *words: str):
        """Each of the words is in the text."""
        for each in words:
            self.assertIn(each, text)
