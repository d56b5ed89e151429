# SPDX-License-Identifier: Apache-2.0
"""Which days an import is about: those that have ended where the client is, the newest first, and
with look-back the last ones again, of which only what has changed is written anew.

The records are of 2001, so an API of the test's own answers for the days of now."""

import datetime
import http.server
import sqlite3
import threading
import zoneinfo

from harness import program_test

UTC = datetime.timezone.utc
SPEC = """
[import]
name      = "days"
clients   = [{ id = "west", timezone = "Pacific/Honolulu" }, { id = "east", timezone = "Pacific/Auckland" }]
look_back = 2

[source]
url     = "${API}/{client}/{day}.csv"
columns = { day = "date", clicks = "bigint" }

[transform]
columns = { day = "date", clicks = "bigint" }

[sink]
url = "file://${PWD}/objects/{client}/{day}.csv"
"""


class days_test(program_test):

    def setUp(self):
        super().setUp()
        self.asked, self.clicks, self.refused = [], {}, set()
        outer = self

        class handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.asked.append(self.path)
                day = self.path.rsplit("/", 1)[1].removesuffix(".csv")
                if self.path.split("/")[1] in outer.refused:
                    self.send_response(401)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                body = f"day,clicks\n{day},{outer.clicks.get(self.path, 1)}\n".encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.variables["API"] = f"http://127.0.0.1:{server.server_port}"
        (self.here / "days.toml").write_text(SPEC)

    def newest(self, zone: str) -> datetime.date:
        return datetime.datetime.now(zoneinfo.ZoneInfo(zone)).date() - datetime.timedelta(1)

    def days_of(self, client: str) -> set[str]:
        return {path.rsplit("/", 1)[1] for path in self.asked if path.startswith(f"/{client}/")}

    def test_without_days_an_import_is_about_the_newest_that_have_ended_where_the_client_is(self):
        west, east = self.newest("Pacific/Honolulu"), self.newest("Pacific/Auckland")
        ended = self.wherry("import", "days.toml", "--json").json()
        if (west, east) != (self.newest("Pacific/Honolulu"), self.newest("Pacific/Auckland")):
            return  # midnight passed meanwhile
        self.assertIn(f"{west}.csv", self.days_of("west"))
        self.assertIn(f"{east}.csv", self.days_of("east"))
        self.assertNotIn(f"{west + datetime.timedelta(1)}.csv", self.days_of("west"))
        self.assertNotIn(f"{east + datetime.timedelta(1)}.csv", self.days_of("east"))
        self.assertLessEqual(3, len(self.days_of("west")))
        self.assertEqual(ended["completed"], len(self.asked))
        self.assertEqual(ended["not_due"], (east - west).days)

    def test_the_same_pass_asks_once_and_the_next_one_writes_only_what_has_changed(self):
        self.wherry("import", "days.toml")
        asked = len(self.asked)
        self.wherry("import", "days.toml")
        self.assertEqual(len(self.asked), asked, "a pass is one for the day")
        # As if that pass had been yesterday's.
        with sqlite3.connect(self.here / "days.db") as store:
            for table in ("machines", "history"):
                store.execute(f"update {table} set generation = generation - 86400000")
        store.close()
        written = {path: path.stat().st_mtime_ns
                   for path in (self.here / "objects").rglob("*.csv")}
        changed = self.asked[0]
        self.clicks[changed] = 2
        self.wherry("import", "days.toml")
        self.assertEqual(len(self.asked), 2 * asked)
        again = {path for path, when in written.items() if path.stat().st_mtime_ns != when}
        self.assertEqual([str(path.relative_to(self.here / "objects")) for path in again],
                         [changed.removeprefix("/")])

    def test_only_all_asks_for_all_anew_although_a_daily_pass_has_not_ended(self):
        text = SPEC.replace("${API}/{client}/{day}.csv\"\n",
                            "${API}/{client}/{day}.csv\"\nlimit   = { lane = \"{account}\" }\n")
        (self.here / "days.toml").write_text(text)
        self.refused.add("west")
        self.wherry("import", "days.toml", status=1)
        once = [path for path in self.asked if path.startswith("/east/")]
        self.asked.clear()
        self.refused.clear()
        self.wherry("import", "days.toml", "--only", "all")
        again = [path for path in self.asked if path.startswith("/east/")]
        self.assertTrue(set(once) <= set(again))
        self.assertTrue(self.days_of("west"))

    def test_a_day_that_has_not_ended_is_not_due_and_is_told(self):
        today = datetime.datetime.now(UTC).date()
        ended = self.wherry("import", "days.toml", "--from", today - datetime.timedelta(3),
                            "--to", today + datetime.timedelta(2))
        self.assert_says(ended.out, "not due: their day has not ended where the client is")
        self.assertNotIn(f"{today + datetime.timedelta(1)}.csv", self.days_of("west"))

    def test_a_delay_holds_a_report_back_after_its_day_has_ended(self):
        text = SPEC.replace("look_back = 2", 'delay = "48h"')
        (self.here / "days.toml").write_text(text)
        west = self.newest("Pacific/Honolulu")
        self.wherry("import", "days.toml")
        self.assertNotIn(f"{west}.csv", self.days_of("west"))
        self.assertNotIn(f"{west - datetime.timedelta(1)}.csv", self.days_of("west"))
        self.assertIn(f"{west - datetime.timedelta(2)}.csv", self.days_of("west"))

    def test_a_backfill_runs_from_the_newest_day_back(self):
        limited = SPEC.replace("columns = { day = \"date\", clicks = \"bigint\" }\n\n[transform]",
                               "limit = { lane = \"api\", in_flight = 1 }\n"
                               "columns = { day = \"date\", clicks = \"bigint\" }\n\n[transform]")
        (self.here / "days.toml").write_text(limited)
        self.wherry("import", "days.toml", "--from", "2024-01-01", "--to", "2024-01-09",
                    "--client", "west")
        days = [path.rsplit("/", 1)[1] for path in self.asked]
        self.assertEqual(days, sorted(days, reverse=True))
        self.assertEqual(len(days), 9)

    def test_half_a_range_is_told_what_lacks(self):
        ended = self.wherry("import", "days.toml", "--from", "2024-01-01", status=2)
        self.assert_says(ended.err, "--from", "--to")
