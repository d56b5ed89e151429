# SPDX-License-Identifier: Apache-2.0
"""An import that is stopped, or killed, in its midst: it ends as it should, and starting it again
completes what is left and nothing twice that was recorded.

In the midst means: the API says that it has answered some and that others are under way; at that
moment it is made to stand still, so that steps under way cannot end before the test wants them
to."""

import signal

from harness import program_test

REPORTS = 60
DAYS = 6


class stop_test(program_test):

    def start_in_the_midst(self):
        """An import of 60 reports of which some are downloaded, some under way, and most not begun.
        The API stands still."""
        self.server = self.start_api("--latency", "100ms")
        self.spec(("in_flight = 8", "in_flight = 4"), ('timeout = "5m"', 'timeout = "1h"'))
        importing = self.start_import(days=DAYS)
        self.wait_for_requests(self.server, importing, answered=4)
        self.server.freeze()
        return importing

    def left(self, text: str) -> int:
        """The number in "stopped: 50 not finished"."""
        line, = [line for line in text.splitlines() if line.startswith("stopped: ")]
        self.assert_says(line, "not finished; the same command goes on with them")
        return int(line.split()[1])

    def complete(self):
        self.assertEqual(self.run_import(days=DAYS).last_line(), f"{REPORTS} completed, 0 dead")
        self.assertEqual(len(self.objects()), REPORTS)
        self.check_store()

    def test_sigterm_lets_steps_in_flight_end_says_what_is_left_and_exits_0(self):
        importing = self.start_in_the_midst()
        importing.signal(signal.SIGTERM)
        importing.wait_for("stopping: steps under way may end; again to stop at once")
        self.server.thaw()
        ended = importing.end()
        self.assertEqual(ended.status, 0, ended.err)
        completed = self.phases().get("completed", 0)
        self.assertEqual(ended.last_line(), f"{completed} completed, 0 dead")
        self.assertEqual(self.left(ended.out), REPORTS - completed)
        self.assertGreater(self.left(ended.out), 0)
        self.complete()
        self.assertEqual(self.server.asked(), REPORTS, "what was under way had ended: none twice")

    def test_sigint_stops_like_sigterm(self):
        importing = self.start_in_the_midst()
        importing.signal(signal.SIGINT)
        importing.wait_for("stopping:")
        self.server.thaw()
        ended = importing.end()
        self.assertEqual(ended.status, 0, ended.err)
        self.assertGreater(self.left(ended.out), 0)
        self.complete()

    def test_a_stop_does_not_wait_for_a_step_that_never_ends(self):
        importing = self.start_in_the_midst()
        importing.signal(signal.SIGTERM)
        ended = importing.end()  # by itself, after the grace period of half a minute
        self.assertEqual(ended.status, 0, ended.err)
        self.assertGreater(self.left(ended.out), 0)
        self.server.thaw()
        self.complete()

    def test_a_stop_between_retries_does_not_wait_for_them(self):
        self.variables["API"] = "http://127.0.0.1:9"
        self.spec(('first = "10ms"\ncap   = "100ms"', 'first = "1h"\ncap   = "1h"'))
        importing = self.start_import()
        importing.wait_for("10 waiting")
        importing.signal(signal.SIGTERM)
        ended = importing.end()
        self.assertEqual((ended.status, self.left(ended.out)), (0, 10))

    def test_a_second_signal_exits_at_once_and_loses_nothing(self):
        importing = self.start_in_the_midst()
        importing.signal(signal.SIGTERM)
        importing.wait_for("stopping:")
        importing.signal(signal.SIGTERM)
        ended = importing.end()
        self.assertEqual(ended.status, 128 + signal.SIGTERM)
        self.assertEqual(ended.out, "")
        self.server.thaw()
        self.assertEqual(sum(self.phases().values()), REPORTS)
        self.complete()

    def test_after_kill_9_the_same_command_completes_and_no_report_is_missing(self):
        importing = self.start_in_the_midst()
        importing.kill()
        self.server.thaw()
        phases = self.phases()
        self.assertEqual(sum(phases.values()), REPORTS)
        self.assertLess(phases.get("completed", 0), REPORTS)
        made = self.objects()
        self.complete()
        after = self.objects()
        for name, content in made.items():
            if not name.endswith(".wherry"):
                self.assertEqual(after[name], content, name)
        (self.here / "flights.db").unlink()
        (self.here / "objects").rename(self.here / "killed")
        self.run_import(days=DAYS)
        self.assertEqual(after, self.objects(), "an undisturbed import makes the same")

    def test_after_kill_9_nobody_works_on_it_and_the_next_import_cleans_the_spool(self):
        importing = self.start_in_the_midst()
        self.assert_says(self.wherry("status").out, f"worked on by pid {importing.process.pid} on ")
        importing.kill()
        self.server.thaw()
        self.assert_says(self.wherry("status").out, "nobody works on it now")
        spool = self.here / "flights.spool"
        (spool / "ATL_2001-01-01-eb1bb069afdf3cab-g7.download").write_text("left by a kill")
        (spool / "notes").write_text("somebody's own")
        self.complete()
        self.assertEqual(self.spooled(), ["notes"])
