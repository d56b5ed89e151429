# SPDX-License-Identifier: Apache-2.0
"""An import as a user sees it: what it makes, what it says, and what it asks of the API.

Expected rows come from the API itself and from Python's own csv, gzip and arithmetic, or from
DuckDB by its own door; how often the API was asked comes from the API."""

import csv
import gzip
import io
import urllib.request

from harness import AIRPORTS, TOKEN, duckdb, program_test

KM_PER_MILE = 1.609344  # exactly, since 1959


def rows_of(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


class import_test(program_test):

    def expected(self, server, client: str, day: str) -> list[tuple]:
        """What the report of a client and day must have become."""
        request = urllib.request.Request(
            f"{server.url}/v1/flights/clients/{client}/reports/{day}.csv",
            headers={"Authorization": f"Bearer {TOKEN}"})
        with urllib.request.urlopen(request) as answer:
            header, *rows = rows_of(answer.read().decode())
        self.assertEqual(header, ["date", "delay", "distance", "origin", "destination"])
        made = [(origin, destination, date, int(miles) * KM_PER_MILE)
                for date, _, miles, origin, destination in rows]
        return sorted(made, key=lambda row: (row[2], row[1], row[3]))

    def check_rows(self, found: list[list[str]], expected: list[tuple]):
        self.assertEqual(found[0], ["origin", "destination", "departed_at", "distance_km"])
        self.assertGreater(len(expected), 100)
        self.assertEqual([tuple(row[:3]) for row in found[1:]], [row[:3] for row in expected])
        for row, (*_, km) in zip(found[1:], expected):
            self.assertAlmostEqual(float(row[3]), km, places=6)

    def test_an_import_makes_one_object_a_report_and_ends_with_0(self):
        self.start_api()
        self.spec()
        ended = self.run_import(days=3)
        self.assertEqual(ended.out, "30 completed, 0 dead\n")
        self.assertEqual(set(self.objects()), {f"day=2001-01-0{day}/{client}.csv"
                                               for day in (1, 2, 3) for client in AIRPORTS})
        self.assertEqual(self.phases(), {"completed": 30})
        self.check_store()
        self.assertEqual(self.spooled(), [])

    def test_an_object_has_the_rows_of_its_report_with_units_converted(self):
        server = self.start_api()
        self.spec()
        self.run_import("--client", "ATL", days=2)
        text = self.objects()["day=2001-01-02/ATL.csv"].decode()
        self.check_rows(rows_of(text), self.expected(server, "ATL", "2001-01-02"))

    def test_a_csv_gz_object_is_gzip_of_csv(self):
        server = self.start_api()
        self.spec(("{client}.csv\"\n\n[retry]", "{client}.csv.gz\"\n\n[retry]"))
        self.run_import("--client", "SEA")
        packed = self.objects()["day=2001-01-01/SEA.csv.gz"]
        self.check_rows(rows_of(gzip.decompress(packed).decode()),
                        self.expected(server, "SEA", "2001-01-01"))

    def test_a_parquet_object_is_read_by_duckdb_with_the_declared_types(self):
        server = self.start_api()
        self.spec(("{client}.csv\"\n\n[retry]", "{client}.parquet\"\n\n[retry]"))
        self.run_import("--client", "SEA")
        made = self.here / "objects/day=2001-01-01/SEA.parquet"
        rows = f"read_parquet('{made}', hive_partitioning = false)"
        duckdb(f"copy (from {rows}) to '{self.here}/rows.csv'")
        duckdb(f"copy (select column_name, column_type from (describe from {rows}))"
               f" to '{self.here}/types.csv' (header false)")
        self.check_rows(rows_of((self.here / "rows.csv").read_text()),
                        self.expected(server, "SEA", "2001-01-01"))
        self.assertEqual(rows_of((self.here / "types.csv").read_text()),
                         [["origin", "VARCHAR"], ["destination", "VARCHAR"],
                          ["departed_at", "TIMESTAMP"], ["distance_km", "DOUBLE"]])

    def test_the_same_import_again_asks_nothing_of_the_api(self):
        server = self.start_api()
        self.spec()
        self.run_import(days=2)
        self.assertEqual(server.asked(), 20)
        ended = self.run_import(days=2)
        self.assertEqual(ended.last_line(), "20 completed, 0 dead")
        self.assertEqual(server.asked(), 20)

    def test_a_longer_range_asks_only_for_what_is_missing(self):
        server = self.start_api()
        self.spec()
        self.run_import(days=1)
        self.run_import("--only", "missing", days=3)
        self.assertEqual(server.asked(), 30)
        self.assertEqual(len(self.objects()), 30)

    def test_only_all_asks_for_everything_again_and_leaves_equal_objects_as_they_are(self):
        server = self.start_api()
        self.spec()
        self.run_import()
        files = sorted((self.here / "objects").rglob("*.csv"))
        before = [(path, path.stat().st_ino, path.stat().st_mtime_ns) for path in files]
        ended = self.run_import("--only", "all")
        self.assertEqual(server.asked(), 20)
        self.assertEqual(ended.last_line(), "10 completed, 0 dead")
        after = [(path, path.stat().st_ino, path.stat().st_mtime_ns) for path in files]
        self.assertEqual(after, before)

    def test_json_prints_one_object_and_no_progress(self):
        self.start_api()
        self.spec()
        ended = self.run_import("--json", days=2)
        self.assertEqual(ended.err, "")
        result = ended.json()
        self.assertLess(0, result.pop("seconds"))
        expected = {"completed": 20, "dead": 0, "cancelled": 0, "unfinished": 0,
                    "completed_now": 20, "retried": 0, "throttled": 0, "transitions": 60}
        self.assertEqual({name: result.get(name) for name in expected}, expected)

    def test_an_import_completes_although_the_api_fails_often(self):
        server = self.start_api("--seed", "3", "--error-503", "0.1", "--cut", "0.1",
                                "--empty", "0.05", "--malformed", "0.05")
        self.spec()
        self.assertEqual(self.run_import(days=6).last_line(), "60 completed, 0 dead")
        met = server.stats()
        for fault in ("unavailable", "cut", "empty", "malformed"):
            self.assertGreater(met[fault], 0, f"the API never answered {fault}")
        self.assertEqual(met["ok"], 60)
        faulty = self.objects()

        for name in ("flights.db", "flights.db.owner"):
            (self.here / name).unlink()
        (self.here / "objects").rename(self.here / "faulty")
        self.start_api()
        self.run_import(days=6)
        self.assertEqual(faulty, self.objects(), "faults must not change what is made")

    def test_throttling_parks_the_lane_and_spends_no_attempt(self):
        server = self.start_api("--rate", "100/s")
        self.spec(("in_flight = 8", "in_flight = 32"), ("[retry]", "[retry]\nattempts = 1"))
        result = self.run_import("--json", days=5).json()
        self.assertEqual((result["completed"], result["dead"]), (50, 0))
        self.assertGreater(server.stats()["throttled"], 0, "the API never answered 429")
        self.assertEqual((result["throttled"], result["retried"]),
                         (server.stats()["throttled"], 0))

    def test_a_day_without_rows_is_an_object_with_its_header_alone(self):
        self.start_api()
        self.spec()
        self.wherry("import", "flights.toml", "--from", "2001-05-01", "--to", "2001-05-01")
        self.assertEqual(set(self.objects().values()),
                         {b"origin,destination,departed_at,distance_km\n"})

    def test_preview_shows_rows_before_and_after_and_writes_nothing(self):
        server = self.start_api()
        self.spec()
        (self.here / "tmp").mkdir()
        self.variables["TMPDIR"] = str(self.here / "tmp")
        shown = self.wherry("preview", "flights.toml", "--client", "ATL", "--day", "2001-01-02",
                            "--rows", "2").out
        before, after = shown.split("\nafter\n")
        self.assert_says(before, "before\n", "2001-01-02 00:01:00", "595", "432")
        self.assert_says(after, "957.5", "695.2", "DOUBLE")
        self.assertEqual(server.asked(), 1)
        self.assertEqual(sorted(path.name for path in self.here.rglob("*")),
                         ["flights.toml", "tmp"])

    def test_check_shows_the_plan_without_asking_the_api_or_writing(self):
        server = self.start_api()
        self.spec()
        shown = self.wherry("check", "flights.toml", *self.days(20)).out
        self.assert_says(shown, "10 clients, 200 reports",
                         "/v1/flights/clients/ATL/reports/2001-01-20.csv\n",
                         "/objects/day=2001-01-20/ATL.csv\n", "lane   api: any rate, 8 in flight")
        plan = self.wherry("check", "flights.toml", *self.days(20), "--json").json()
        self.assertEqual((plan["import"], plan["clients"], plan["reports"]), ("flights", 10, 200))
        self.assertEqual(server.asked(), 0)
        self.assertEqual([path.name for path in self.here.iterdir()], ["flights.toml"])

    def test_init_writes_a_spec_that_check_accepts_and_never_overwrites(self):
        self.wherry("init")
        self.variables["API_TOKEN"] = TOKEN
        plan = self.wherry("check", "wherry.toml", "--from", "2025-01-01", "--to", "2025-01-31")
        self.assert_says(plan.out, "import ads: 2 clients, 62 reports")
        (self.here / "wherry.toml").write_text("mine")
        refused = self.wherry("init", status=2)
        self.assert_says(refused.err, "wherry.toml", "exists", "name another file")
        self.assertEqual((self.here / "wherry.toml").read_text(), "mine")
