# SPDX-License-Identifier: Apache-2.0
"""`wherry store check`, `compact` and `backup` as a user calls them, also beside an import that
runs. What each of them guarantees is tested with the store itself: tests/store."""

import contextlib
import sqlite3

from harness import program_test


class upkeep_test(program_test):

    def imported(self, days: int):
        self.server = self.start_api()
        self.spec()
        self.run_import(days=days)

    def sql(self, statement: str):
        with contextlib.closing(sqlite3.connect(self.here / "flights.db")) as store:
            store.execute(statement)
            store.commit()

    def test_a_store_after_an_import_is_sound(self):
        self.imported(days=3)
        self.assertIn("flights.db: all is well\n", self.wherry("store", "check").out)
        self.assertEqual(self.wherry("store", "check", "--json").json(), {"sound": True, "found": []})

    def test_what_is_wrong_is_listed_with_its_remedy_and_the_remedy_helps(self):
        self.imported(days=3)
        self.sql("update counts set n = n + 1 where phase = 'completed'")
        ended = self.wherry("store", "check", status=1)
        self.assert_says(ended.out, "wrong: counts says 31 machines are completed in completed, but 30 are",
                         "remedy: ", "wherry store compact")
        found = self.wherry("store", "check", "--json", status=1).json()
        self.assertFalse(found["sound"])
        self.assertEqual(len(found["found"]), 1)
        self.wherry("store", "compact")
        self.assertIn("all is well", self.wherry("store", "check").out)

    def test_compact_takes_away_what_is_said_and_the_days_are_imported_again(self):
        self.imported(days=3)
        self.sql("update machines set updated_ms = updated_ms - 86400000 * 8")
        kept = self.wherry("store", "compact")
        self.assertIn("0 completed reports and 0 lines of history taken away", kept.out)
        gone = self.wherry("store", "compact", "--keep-days", "7", "--json").json()
        self.assertEqual(gone["machines_removed"], 30)
        self.assertLess(gone["bytes_after"], gone["bytes_before"])
        self.assertIn("all is well", self.wherry("store", "check").out)
        asked = self.server.asked()
        self.assertEqual(self.run_import(days=3).last_line(), "30 completed, 0 dead")
        self.assertEqual(self.server.asked(), 2 * asked)

    def test_a_backup_beside_a_running_import_goes_on_where_it_was_made(self):
        self.server = self.start_api()
        self.spec()
        self.run_import(days=2)
        self.server.freeze()
        first = self.start_import(days=3)
        first.wait_for("8 in flight")
        self.assertIn("all is well", self.wherry("store", "check").out)
        self.assert_says(self.wherry("store", "compact", status=2).err,
                         f"in use by pid {first.process.pid} ")
        self.wherry("store", "backup", "copy.db", "--store", "flights.db")
        self.server.thaw()
        first.end()
        status = self.wherry("status", "--store", "copy.db", "--json").json()
        self.assertEqual((status["all"], status["unfinished"]), (30, 10))
        self.assertIn("all is well", self.wherry("store", "check", "--store", "copy.db").out)

    def test_a_backup_does_not_overwrite_what_is_there(self):
        self.imported(days=1)
        (self.here / "notes.txt").write_text("precious")
        ended = self.wherry("store", "backup", "notes.txt", status=2)
        self.assert_says(ended.err, "notes.txt: there is a file already", "--replace")
        self.wherry("store", "backup", "notes.txt", "--replace", status=2)
        self.assertEqual((self.here / "notes.txt").read_text(), "precious")
        self.wherry("store", "backup", "copy.bak")
        self.wherry("store", "backup", "copy.bak", status=2)
        self.wherry("store", "backup", "copy.bak", "--replace")

    def test_a_store_that_is_not_there_or_newer_is_told(self):
        for command in (["check"], ["compact"], ["backup", "copy.db"]):
            ended = self.wherry("store", *command, status=2)
            self.assert_says(ended.err, "no store (*.db) in this directory")
        self.imported(days=1)
        self.sql("pragma user_version = 999")
        for command in (["check"], ["compact"], ["backup", "copy.bak"]):
            ended = self.wherry("store", *command, status=2)
            self.assert_says(ended.err, "written by a newer Wherry")

    def test_a_damaged_page_is_found_and_no_backup_hides_it(self):
        self.imported(days=5)
        whole = bytearray((self.here / "flights.db").read_bytes())
        for page in range(4096, len(whole), 4096):
            if b"ATL/2001-01-0" in whole[page:page + 4096]:
                whole[page:page + 4096] = bytes(i * 7 & 255 for i in range(4096))
        (self.here / "flights.db").write_bytes(whole)
        ended = self.wherry("store", "check", status=1)
        self.assert_says(ended.out + ended.err, "remedy: restore a backup")
