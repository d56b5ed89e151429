# SPDX-License-Identifier: Apache-2.0
"""Imports into a table of a real PostgreSQL: it holds what the API serves, once, whatever happened on
the way; read back by psql, compared with DuckDB's sums over the API's own data."""

from harness import ROOT, wait_until
from warehouse_harness import FILE_SINK, transform, warehouse_test

FAULTS = ["--seed", "5", "--error-503", "0.1", "--cut", "0.1"]


class warehouse_import_test(warehouse_test):

    def test_rows_of_every_report_are_in_the_table_once(self):
        self.start_api(*FAULTS)
        self.spec(transform(), self.warehouse("batch = 7"))
        ended = self.run_import(days=4)
        self.assertEqual(ended.last_line(), "40 completed, 0 dead")
        self.assert_loaded(4)
        self.assertEqual(self.number("select count(*) from wherry_loads"), 40)
        self.assertEqual(self.sql("select distinct note from flights"), [["none"]])
        batches = self.number("select count(distinct batch) from wherry_loads")
        self.assertGreaterEqual(batches, 6)  # of at most 7 reports
        self.assertLess(batches, 40)

    def test_rows_from_compressed_and_columnar_files_are_the_same(self):
        self.start_api()
        for ending in ("csv.gz", "csv.zst", "parquet"):
            self.spec(transform(), self.warehouse(),
                      (FILE_SINK, FILE_SINK.replace(".csv", "." + ending)))
            self.run_import("--only", "all", days=2)
            self.assert_loaded(2)

    def test_a_restated_and_an_emptied_day_replace_the_old_rows(self):
        self.start_api()
        self.spec(transform(), self.warehouse())
        self.run_import(days=2)
        self.assert_loaded(2)
        fewer = "destination <> 'LAX' and origin <> 'SEA'"
        self.spec(transform(fewer), self.warehouse())
        ended = self.run_import("--only", "all", days=2)
        self.assertEqual(ended.last_line(), "20 completed, 0 dead")
        self.assert_loaded(2, fewer)
        self.assertEqual(self.number("select count(*) from wherry_loads where row_count = 0"), 2)

    def test_a_report_that_the_api_says_is_empty_deletes_the_rows_of_before(self):
        self.start_api()
        self.spec(transform(), self.warehouse())
        self.run_import(days=1)
        self.spec(transform(), self.warehouse(),
                  ("[transform]\n", '[[source.on]]\ncontains = "BOS"\nis = "empty"\n[transform]\n'))
        # All reports that name Boston, not only its own.
        self.run_import("--only", "all", days=1)
        self.assertEqual(self.number("select count(*) from flights where client = 'BOS'"), 0)
        self.assertEqual(self.sql("select row_count, sha256 from wherry_loads where client = 'BOS'"),
                         [["0", ""]])

    def test_the_same_bytes_again_are_not_loaded_again(self):
        self.start_api()
        self.spec(transform(), self.warehouse())
        self.run_import(days=1)
        before = self.sql("select client, xmin::text, ctid from flights order by 1, 2, 3")
        self.run_import("--only", "all", days=1)
        self.assertEqual(self.sql("select client, xmin::text, ctid from flights order by 1, 2, 3"), before)
        # The line says which generation was seen last.
        self.assertEqual(self.number("select count(*) from wherry_loads where generation = 1"), 0)

    def test_a_restated_day_that_a_lost_store_has_loaded_later_is_told_until_all_is_loaded_anew(self):
        self.start_api()
        self.spec(transform(), self.warehouse())
        self.run_import("--only", "all", days=1)
        (self.here / "flights.db").unlink()
        fewer = "destination <> 'LAX'"
        self.spec(transform(fewer), self.warehouse())
        ended = self.run_import(days=1, status=1)
        self.assert_says(ended.err, "dead: ATL/2001-01-01", "newer", "--only all")
        self.assert_loaded(1)
        self.assertEqual(self.run_import("--only", "all", days=1).last_line(), "10 completed, 0 dead")
        self.assert_loaded(1, fewer)

    def test_after_kill_9_in_the_midst_of_loads_no_row_is_twice_and_none_is_lost(self):
        self.start_api(*FAULTS)
        self.spec(transform(), self.warehouse("batch = 3"), ("in_flight = 8", "in_flight = 4"))
        for wanted in (3, 12, 24):  # so few that many loads are left
            importing = self.start_import(days=6)
            wait_until(lambda: self.loaded() >= wanted, f"{wanted} reports", importing.process)
            # A load stands before the table, its rows staged, when the process dies.
            holder = self.hold_lock("flights")
            wait_until(lambda: self.number("select count(*) from pg_locks where not granted") > 0,
                       "a load under way", importing.process)
            importing.kill()
            holder.kill()
            self.assertLess(self.phases().get("completed", 0), 60)
        self.assertEqual(self.run_import(days=6).last_line(), "60 completed, 0 dead")
        self.assert_loaded(6)

    def loaded(self) -> int:
        exists = self.number("select count(*) from pg_class where relname = 'wherry_loads'")
        return self.number("select count(*) from wherry_loads") if exists else 0

    def test_an_unreachable_warehouse_holds_up_only_its_lane_and_status_says_why(self):
        way = self.start_relay()
        self.start_api()
        self.spec(transform(), self.warehouse(), ('cap   = "100ms"', 'cap   = "3s"'))
        way.cut()
        importing = self.start_import(days=3)
        # Everything else goes on: all objects come to their place.
        wait_until(lambda: self.complete() == 30, "all objects", importing.process)
        wait_until(lambda: self.wherry("status", "--json").json()["lanes"], "a parked lane",
                   importing.process)
        said = self.wherry("status").out
        self.assert_says(said, "warehouse ", "parked until", "server closed the connection")
        waiting = self.wherry("list", "--state", "loadable", "--json").json()
        self.assertEqual(len(waiting), 30)
        way.mend()
        self.assertEqual(importing.end().last_line(), "30 completed, 0 dead")
        self.assert_loaded(3)

    def test_a_connection_that_is_lost_in_a_load_is_no_harm(self):
        way = self.start_relay()
        self.start_api()
        self.spec(transform(), self.warehouse("batch = 4"))
        # A lock holds the load up until it is cut.
        holder = self.hold_lock("flights")
        importing = self.start_import(days=2)
        wait_until(lambda: self.number("select count(*) from pg_locks where not granted") > 0,
                   "a load that waits for the lock", importing.process)
        way.cut()
        holder.kill()
        way.mend()
        self.assertEqual(importing.end().last_line(), "20 completed, 0 dead")
        self.assert_loaded(2)


class warehouse_refusals_test(warehouse_test):
    """What somebody must change first: the lane stops and says what, no report dies of it, and the
    same command goes on."""

    def assert_stopped(self, *words: str):
        ended = self.run_import(days=1, status=1)
        self.assert_says(ended.out, "stopped: 10 not finished")
        self.assert_says(ended.err, "lane warehouse stopped: ", *words)
        self.assertEqual(len(self.objects()), 10)
        waiting = self.wherry("list", "--state", "loadable", "--json").json()
        self.assertEqual(len(waiting), 10)
        self.assertIn(True, [all(word in each["error"] for word in words) for each in waiting])

    def goes_on(self):
        self.assertEqual(self.run_import(days=1).last_line(), "10 completed, 0 dead")
        self.assert_loaded(1)

    def test_a_wrong_password_stops_the_lane_and_is_told(self):
        self.start_api()
        self.spec(transform(), self.warehouse())
        self.variables["DATABASE"] = self.database_url(password="not-the-password")
        self.secrets.append("not-the-password")
        self.assert_stopped("password authentication failed", "check user and password",
                         "[warehouse]")
        self.variables["DATABASE"] = self.database_url()
        self.goes_on()

    def test_a_missing_table_is_told(self):
        self.start_api()
        self.spec(transform(), self.warehouse())
        self.sql("alter table flights rename to elsewhere")
        self.assert_stopped("table public.flights", "does not exist", "make the table",
                         "`warehouse.table`")
        self.sql("alter table elsewhere rename to flights")
        self.goes_on()

    def test_a_missing_column_is_told(self):
        self.start_api()
        self.spec(transform(), self.warehouse())
        self.sql("alter table flights drop column distance_km")
        self.assert_stopped('"distance_km"', "add the column to the table")
        self.sql("alter table flights add column distance_km double precision")
        self.goes_on()

    def test_a_missing_permission_is_told(self):
        self.start_api()
        self.spec(transform(), self.warehouse())
        role = self.database
        self.sql(f"create role {role} login password 'a-weak-one'; grant select on flights to {role};"
                 f" grant create on schema public to {role}")
        self.addCleanup(self.sql, f"drop owned by {role}; drop role {role}")
        self.variables["DATABASE"] = self.database_url(user=role, password="a-weak-one")
        self.secrets.append("a-weak-one")
        self.assert_stopped("permission denied for table flights", "SELECT, INSERT and DELETE")
        self.sql(f"grant insert, delete on flights to {role}")
        self.goes_on()

    def test_a_bad_report_dies_alone_and_does_not_hold_up_its_batch(self):
        self.start_api()
        self.spec(transform(), self.warehouse())
        self.sql("alter table flights add constraint no_denver check (client <> 'DEN')")
        ended = self.run_import(days=1, status=1)
        self.assertEqual(ended.last_line(), "9 completed, 1 dead")
        dead = self.wherry("list", "--phase", "dead", "--json").json()
        self.assertEqual([each["id"] for each in dead], ["DEN/2001-01-01"])
        self.assert_says(dead[0]["error"], "no_denver")
        self.assert_loaded(1, "origin <> 'DEN'")

    def test_rows_of_another_client_are_told_and_not_loaded(self):
        self.start_api()
        self.spec((transform()[0], transform()[1].replace(
            "origin as client", "case origin when 'SEA' then 'sea' else origin end as client")),
            self.warehouse())
        ended = self.run_import(days=1, status=1)
        self.assertEqual(ended.last_line(), "9 completed, 1 dead")
        dead = self.wherry("list", "--phase", "dead", "--json").json()
        self.assert_says(dead[0]["error"], '0 have its client "SEA"', "`warehouse.client`")
        self.assert_loaded(1, "origin <> 'SEA'")

    def test_an_object_that_was_changed_is_made_again(self):
        self.start_api()
        way = self.start_relay()
        self.spec(transform(), self.warehouse())
        way.cut()
        importing = self.start_import(days=1)
        wait_until(lambda: self.complete() == 10, "all objects", importing.process)
        wait_until(lambda: len(self.wherry("list", "--state", "loadable").out.splitlines()) >= 10,
                   "reports that wait for the warehouse", importing.process)
        files = sorted((self.here / "objects").rglob("*.csv"))
        files[0].unlink()
        files[1].write_text(files[1].read_text() + "ATL,2001-01-01,x,,\n")
        way.mend()
        self.assertEqual(importing.end().last_line(), "10 completed, 0 dead")
        self.assert_loaded(1)


class warehouse_page_test(warehouse_test):

    def test_the_spec_of_the_page_fills_its_table(self):
        self.start_api()
        page = (ROOT / "docs/warehouse.md").read_text()
        self.sql(page.split("```sql\n")[1].split("```")[0])
        (self.here / "flights.toml").write_text((ROOT / "tests/program/warehouse.toml").read_text())
        for _ in range(2):  # the second time nothing changes
            self.run_import("--only", "all", days=2)
            self.assertEqual(self.sql("select airport, day, sum(flights) from destinations group by"
                                      " 1, 2 order by 1, 2"),
                             [row[:3] for row in self.truth(2)])
