# SPDX-License-Identifier: Apache-2.0
"""A store that is damaged, that is not ours, or that somebody else works on: exit status 2, a
message that names the file and the remedy, and the file as it was, so that nothing in it is
lost."""

import contextlib
import signal
import sqlite3

from harness import program_test


class store_file_test(program_test):

    def assert_refused(self, content: bytes | None, *words: str):
        """With this content, every command refuses the store with these words and leaves it."""
        store = self.here / "flights.db"
        if content is not None:
            store.write_bytes(content)
        before = store.read_bytes()
        for command in (["import", "flights.toml", *self.days(1)], ["status"], ["list"],
                        ["show", "ATL/2001-01-01"], ["redrive", "--all"]):
            ended = self.wherry(*command, status=2)
            self.assertEqual(ended.out, "")
            self.assert_says(ended.err, str(store), *words)
        self.assertEqual(store.read_bytes(), before)

    def used_store(self) -> bytes:
        """The bytes of a store that has completed an import, and its file gone."""
        self.server = self.start_api()
        self.spec()
        self.run_import(days=5)
        content = (self.here / "flights.db").read_bytes()
        self.assertGreater(len(content), 10 * 4096)
        (self.here / "flights.db").unlink()
        return content

    def test_a_truncated_store_is_told_to_be_damaged_and_how_to_save_it(self):
        whole = self.used_store()
        self.assert_refused(whole[:len(whole) // 2], "damaged", "restore it from a copy",
                            ".recover")
        (self.here / "flights.db").write_bytes(whole)
        self.assertEqual(self.run_import(days=5).last_line(), "50 completed, 0 dead")
        self.assertEqual(self.server.asked(), 50, "the copy that was restored knew it all")

    def test_a_store_with_garbage_after_its_first_page_is_told_to_be_damaged(self):
        whole = self.used_store()
        garbage = bytes(i * 7 & 255 for i in range(len(whole) - 4096))
        self.assert_refused(whole[:4096] + garbage, "damaged", "restore it from a copy", ".recover")

    def test_a_store_whose_reports_are_damaged_is_not_taken_for_an_empty_one(self):
        whole = bytearray(self.used_store())
        for page in range(4096, len(whole), 4096):
            if b"ATL/2001-01-0" in whole[page:page + 4096]:
                whole[page:page + 4096] = bytes(i * 7 & 255 for i in range(4096))
        (self.here / "flights.db").write_bytes(whole)
        ended = self.run_import(days=6, status=None)
        self.assertIn(ended.status, (1, 2))
        self.assert_says(ended.err, "flights.db: damaged", "restore it from a copy", ".recover")
        self.assert_says(self.wherry("list", status=2).err, "damaged")

    def test_a_file_that_is_no_database_is_refused(self):
        self.spec()
        self.assert_refused(b"my notes, precious\n" * 1000, "not a Wherry store",
                            "move this one away")

    def test_the_database_of_another_program_is_refused(self):
        self.spec()
        with contextlib.closing(sqlite3.connect(self.here / "flights.db")) as other:
            other.execute("create table machines (id)")
            other.execute("insert into machines values ('theirs')")
            other.commit()
        self.assert_refused(None, "a SQLite file of another program", "move this one away")

    def test_a_store_of_a_newer_version_is_refused(self):
        (self.here / "flights.db").write_bytes(self.used_store())
        with contextlib.closing(sqlite3.connect(self.here / "flights.db")) as known:
            version, = known.execute("pragma user_version").fetchone()
        self.write("pragma user_version = 999")
        self.assert_refused(None, "newer Wherry (schema 999", "install that version")
        self.write(f"pragma user_version = {version}")
        self.assertEqual(self.run_import(days=5).last_line(), "50 completed, 0 dead")
        self.assertEqual(self.server.asked(), 50, "whoever knows that version has it all")

    def test_reports_of_a_newer_version_are_left_alone_and_all_others_are_imported(self):
        server = self.start_api()
        self.spec()
        server.freeze()
        killed = self.start_import(days=2)
        killed.wait_for("8 in flight")
        killed.kill()
        server.thaw()
        self.write("update machines set shape = 9 where id like 'ATL/%'")
        ended = self.run_import(days=2, status=1)
        self.assertEqual(ended.out, "2 left alone, as they were: the program that wrote them goes on "
                                    "with them\n18 completed, 0 dead\n")
        why = 'its state "downloadable" is of shape 9, this program knows 3: left alone'
        self.assert_says(ended.err, "left alone: ATL/2001-01-01: " + why)
        self.assert_says(self.wherry("show", "ATL/2001-01-02").out, "note     " + why)
        self.assertEqual(self.phases(), {"completed": 18, "ready": 2})
        self.assertEqual(self.run_import("--json", days=2, status=1).json()["left_alone"], 2)
        self.write("update machines set shape = 3 where shape = 9")
        self.assertEqual(self.run_import(days=2).last_line(), "20 completed, 0 dead")
        self.check_store()

    def test_files_of_a_newer_version_s_reports_stay_in_the_spool(self):
        server = self.start_api()
        self.spec()
        server.freeze()
        killed = self.start_import()
        killed.wait_for("8 in flight")
        killed.kill()
        server.thaw()
        name = "JFK_2001-01-01-0123456789abcdef-g1.download"
        (self.here / "flights.spool" / name).write_bytes(b"bytes of the newer program")
        self.write("update machines set state = 'archivable', shape = 9, data = '{\"file\":\"" + name
                   + "\"}' where id = 'JFK/2001-01-01'")
        self.write("update counts set n = n - 1 where phase = 'ready' and state = 'downloadable'")
        self.write("insert into counts values ('ready', 'archivable', 1)")
        self.assert_says(self.run_import(status=1).err, "left alone: JFK/2001-01-01")
        self.assertIn(name, self.spooled())

    def write(self, sql: str):
        with contextlib.closing(sqlite3.connect(self.here / "flights.db")) as database:
            database.execute(sql)
            database.commit()

    def test_a_directory_in_the_place_of_the_store_is_refused(self):
        self.spec()
        (self.here / "flights.db").mkdir()
        ended = self.run_import(status=2)
        self.assert_says(ended.err, f"{self.here}/flights.db: a directory", "name a file")

    def test_a_second_import_on_one_store_is_told_by_whom_and_the_first_goes_on(self):
        server = self.start_api()
        self.spec()
        server.freeze()
        first = self.start_import(days=2)
        first.wait_for("8 in flight")
        second = self.run_import(days=3, status=2)
        self.assertEqual(second.out, "")
        self.assert_says(second.err, f"{self.here}/flights.db: in use by pid {first.process.pid} ",
                         "wait for it, or stop it")
        status = self.wherry("status").out
        self.assert_says(status, f"worked on by pid {first.process.pid} on ", "20  in all")
        server.thaw()
        self.assertEqual(first.end().out, "20 completed, 0 dead\n")
        self.assertEqual(server.asked(), 20)
        self.assertEqual(self.run_import(days=3).last_line(), "30 completed, 0 dead")

    def killed_in_the_midst(self):
        """A store with ten reports, some of them under way when their import was killed."""
        self.server = self.start_api()
        self.spec()
        self.server.freeze()
        importing = self.start_import()
        importing.wait_for("8 in flight")
        importing.kill()
        self.server.thaw()

    def change_store(self, *statements: str):
        with contextlib.closing(sqlite3.connect(self.here / "flights.db")) as store:
            for each in statements:
                store.execute(each)
            store.commit()

    def test_a_state_that_does_not_parse_is_a_dead_letter_and_the_others_complete(self):
        self.killed_in_the_midst()
        self.change_store("create temp table kept as select data from machines"
                          " where id = 'JFK/2001-01-01'",
                          "update machines set data = '{\"client\":\"J' where id = 'JFK/2001-01-01'")
        ended = self.run_import(status=1)
        self.assertEqual(ended.last_line(), "9 completed, 1 dead")
        self.assert_says(ended.err, "dead: JFK/2001-01-01 (downloadable, attempt 1)",
                         'the stored state "downloadable" cannot be read', "incomplete JSON")
        shown = self.wherry("show", "JFK/2001-01-01")
        self.assert_says(shown.out, "cannot be read", '{"client":"J')
        self.assertEqual(self.wherry("show", "JFK/2001-01-01", "--json").json()["data"],
                         '{"client":"J')
        self.change_store("update machines set data = '{\"client\":\"JFK\",\"day\":\"2001-01-01\"}'"
                          " where id = 'JFK/2001-01-01'")
        self.wherry("redrive", "JFK/2001-01-01")
        self.assertEqual(self.run_import().last_line(), "10 completed, 0 dead")
        self.assertEqual(len(self.objects()), 10)

    def test_a_clock_that_was_set_back_is_told_and_what_is_not_to_wait_can_be_run(self):
        self.killed_in_the_midst()
        # As a store looks when its clock was ahead by a year: one report waits to be tried again.
        year = 365 * 24 * 3600 * 1000
        self.change_store(
            "update machines set phase = 'waiting', attempt = 2, error = '503',"
            f" updated_ms = updated_ms + {year}, due_ms = due_ms + {year} + 60000"
            " where id = 'JFK/2001-01-01'",
            "update counts set n = n - 1 where phase = 'ready' and state = 'downloadable'",
            "insert into counts values ('waiting', 'downloadable', 1)"
            " on conflict (phase, state) do update set n = n + 1",
            "update lanes set ready = ready - 1")
        told = ("the clock was set back", "set it right", "cancel and redrive")
        self.assert_says(self.wherry("status").err, *told)
        importing = self.start_import()
        self.assert_says(importing.wait_for("9 of 10 done"), *told)
        importing.signal(signal.SIGTERM)
        self.assertEqual(importing.end().status, 0)
        self.wherry("cancel", "JFK/2001-01-01")
        self.wherry("redrive", "JFK/2001-01-01")
        self.assertEqual(self.run_import().last_line(), "10 completed, 0 dead")
        self.assertEqual(self.wherry("status").err, "")
        self.check_store()
