# SPDX-License-Identifier: Apache-2.0
"""Disks that are full, or read-only: the message names the place and the remedy, and once there is
space again the same import completes.

The disks are small tmpfs file systems in a mount namespace of this process and its children, so
they are really full, nobody else sees them, and they go with the process. That needs root, or a
user namespace; where neither is to be had the tests are skipped, but on CI that is a failure."""

import ctypes
import os
import unittest

from harness import program_test

CLONE_NEWNS, CLONE_NEWUSER = 0x20000, 0x10000000
MS_RDONLY, MS_REMOUNT, MS_REC, MS_PRIVATE = 1, 32, 0x4000, 0x40000
MNT_DETACH = 2
libc = ctypes.CDLL(None, use_errno=True)

# A full disk is tried again a minute apart: only a test can wish for less.
ONE_TRY = ("[retry]\n", "[retry]\nattempts = 1\n")
THREE_TRIES = ("[retry]\n", "[retry]\nattempts = 3\n")
STORE_ELSEWHERE = ("\n[source]\n", '\nstore = "sqlite:store/flights.db"\n\n[source]\n')


def checked(code: int, what: str):
    if code != 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


def enter_namespace():
    """Gives this process mounts of its own; once."""
    user, group = os.geteuid(), os.getegid()
    checked(libc.unshare(CLONE_NEWNS | (CLONE_NEWUSER if user != 0 else 0)), "unshare")
    if user != 0:
        for name, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"),
                           ("gid_map", f"0 {group} 1")):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
    checked(libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None), "mount --make-rprivate /")


class disk_test(program_test):

    @classmethod
    def setUpClass(cls):
        try:
            enter_namespace()
        except OSError as why:
            if "CI" in os.environ:
                raise
            raise unittest.SkipTest(f"needs root or a user namespace to mount a small disk: {why}")

    def disk(self, name: str, options: str, flags: int = 0):
        """Makes `name` in the test's directory a disk with these options of tmpfs; again: changes
        them."""
        path = self.here / name
        again = os.path.ismount(path)
        path.mkdir(exist_ok=True)
        checked(libc.mount(b"tmpfs", bytes(path), b"tmpfs", flags | (MS_REMOUNT if again else 0),
                           options.encode()), f"mount {path}")
        if not again:
            self.addCleanup(libc.umount2, bytes(path), MNT_DETACH)

    def dead_letters(self, ended) -> list[str]:
        return [line for line in ended.err.splitlines() if line.startswith("dead: ")]

    def assert_completes(self):
        self.spec()
        self.wherry("redrive", "--all")
        self.assertEqual(self.run_import().last_line(), "10 completed, 0 dead")
        self.assertEqual(len(self.objects()), 10)
        self.assertEqual(self.spooled(), [])

    def test_a_full_spool_is_told_with_the_file_and_what_to_do_and_loses_nothing(self):
        self.start_api()
        self.spec(ONE_TRY)
        self.disk("flights.spool", "size=64k")
        ended = self.run_import(status=1)
        dead = self.dead_letters(ended)
        self.assertGreater(len(dead), 0)
        for line in dead:
            self.assert_says(line.lower(), "flights.spool/", "no space left", "free s", "spool")
        phases = self.phases()
        self.assertEqual(phases.get("completed", 0) + phases["dead"], 10)
        self.assertEqual(len(self.objects()), phases.get("completed", 0))
        self.disk("flights.spool", "size=64m")
        self.assert_completes()

    def test_a_full_sink_leaves_whole_objects_only_and_loses_nothing(self):
        self.start_api()
        self.spec(ONE_TRY)
        self.disk("objects", "size=64k")
        ended = self.run_import(status=1)
        dead = self.dead_letters(ended)
        self.assertGreater(len(dead), 0)
        for line in dead:
            self.assert_says(line, "uploadable, attempt 1",
                             f"no space left for {self.here}/objects/", "free some", "sink.url")
        made = self.objects()
        self.assertEqual(len(made), 10 - len(dead), "a torn object, or what was to become one")
        self.disk("objects", "size=64m")
        self.assert_completes()
        after = self.objects()
        self.assertEqual(made, {name: after[name] for name in made})

    def test_a_full_store_ends_the_import_with_1_and_all_that_was_committed_is_safe(self):
        server = self.start_api()
        self.spec(STORE_ELSEWHERE)
        self.disk("store", "size=256k")
        ended = self.run_import(days=10, status=1)
        self.assert_says(ended.err, f"{self.here}/store/flights.db: no space left", "free some",
                         "start again", "all that was committed is safe")
        self.variables["WHERRY_STORE"] = "store/flights.db"
        self.assertEqual(sum(self.phases().values()), 100)
        self.assertLess(self.phases().get("completed", 0), 100)
        self.disk("store", "size=64m")
        self.assertEqual(self.run_import(days=10).last_line(), "100 completed, 0 dead")
        self.assertEqual(len(self.objects()), 100)
        self.check_store("store/flights.db")
        self.assertGreaterEqual(server.stats()["ok"], 100)

    def test_a_store_that_finds_no_space_to_begin_ends_with_2(self):
        server = self.start_api()
        self.spec(STORE_ELSEWHERE)
        self.disk("store", "size=16k")
        ended = self.run_import(status=2)
        self.assertEqual(ended.out, "")
        self.assert_says(ended.err, "store/flights.db: no space left", "free some")
        self.assertEqual(server.asked(), 0)
        self.disk("store", "size=64m")
        self.assertEqual(self.run_import().last_line(), "10 completed, 0 dead")

    def test_a_disk_without_any_space_for_the_store_is_told_to_be_full(self):
        self.start_api()
        self.spec(STORE_ELSEWHERE)
        self.disk("store", "size=4k")
        (self.here / "store/filler").write_bytes(b"x" * 4096)
        ended = self.run_import(status=2)
        self.assert_says(ended.err, f"{self.here}/store/flights.db", "o space left", "free some")
        self.assertNotIn("may write to", ended.err, "space is missing, not the right to write")

    def test_a_read_only_sink_is_told_to_be_read_only_at_the_first_try(self):
        self.start_api()
        self.spec()
        self.disk("objects", "size=1m", MS_RDONLY)
        ended = self.run_import(status=1)
        self.assertEqual(ended.last_line(), "0 completed, 10 dead")
        for line in self.dead_letters(ended):
            self.assert_says(line, "uploadable, attempt 1", f"cannot write {self.here}/objects/",
                             "mounted read-only", "sink.url")
        self.disk("objects", "size=64m")
        self.assert_completes()

    def test_a_read_only_spool_is_told_with_what_to_do(self):
        self.start_api()
        self.spec(THREE_TRIES)
        self.disk("flights.spool", "size=1m", MS_RDONLY)
        ended = self.run_import(status=None)
        self.assertIn(ended.status, (1, 2))
        self.assert_says(ended.err, "flights.spool", "Read-only file system", "`spool` in the spec")
        self.disk("flights.spool", "size=64m")
        self.run_import("--only", "failed", status=None)
        self.assertEqual(self.run_import().last_line(), "10 completed, 0 dead")

    def test_a_read_only_place_for_the_store_ends_with_2(self):
        self.start_api()
        self.spec(STORE_ELSEWHERE)
        self.disk("store", "size=1m", MS_RDONLY)
        ended = self.run_import(status=2)
        self.assert_says(ended.err, f"{self.here}/store/flights.db", "Read-only file system",
                         "may write")

    def test_a_backup_that_finds_no_space_is_told_and_leaves_nothing(self):
        self.start_api()
        self.spec()
        self.run_import(days=5)
        self.disk("small", "size=64k")
        ended = self.wherry("store", "backup", "small/copy.db", status=1)
        self.assert_says(ended.err, f"{self.here}/small/copy.db", "no space left", "free some")
        self.assertEqual(list((self.here / "small").iterdir()), [])
        self.disk("small", "size=64m")
        self.wherry("store", "backup", "small/copy.db")
        self.check_store("small/copy.db")

    def test_a_compaction_without_the_space_says_how_much_it_needs_and_loses_nothing(self):
        self.start_api()
        self.spec(STORE_ELSEWHERE)
        self.disk("store", "size=64m")
        self.run_import(days=5)
        size = (self.here / "store/flights.db").stat().st_size
        self.disk("store", f"size={size + size // 2}")
        ended = self.wherry("store", "compact", "--store", "store/flights.db", status=1)
        self.assert_says(ended.err, f"{self.here}/store/flights.db: writing it anew needs",
                         "MB are free", "make room")
        self.disk("store", "size=64m")
        self.wherry("store", "compact", "--store", "store/flights.db")
        self.wherry("store", "check", "--store", "store/flights.db")
