# SPDX-License-Identifier: Apache-2.0
"""What a running import shows: lines where stderr is a file or a pipe, a bar that redraws itself
where it is a terminal. The API stands still until the progress was seen, so that no clock is
guessed at."""

import fcntl
import os
import pty
import re
import struct
import termios

from harness import program_test

LINE = re.compile(r"\d+ of 20 done, \d+ in flight, \d+ waiting, 0 dead, \d+\.\d/s"
                  r"(, (\d+[hms] ?)+left)?$")
REDRAW = "\r\x1b[K"


class terminal_test(program_test):

    def test_progress_is_plain_lines_where_stderr_is_no_terminal(self):
        server = self.start_api()
        self.spec()
        server.freeze()
        importing = self.start_import(days=2)
        self.assert_says(importing.wait_for("\n"), "0 of 20 done, 8 in flight")
        server.thaw()
        ended = importing.end()
        self.assertEqual(ended.out, "20 completed, 0 dead\n")
        for line in ended.err.splitlines():
            self.assertRegex(line, LINE)
        self.assert_says(ended.err.splitlines()[-1], "20 of 20 done, 0 in flight")

    def start_on_terminal(self, columns: int):
        """Starts the import with stderr on a terminal; returns it and our end of the terminal."""
        ours, its = pty.openpty()
        self.addCleanup(os.close, ours)
        fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        importing = self.start_import(days=2, stderr=its)
        os.close(its)
        return importing, ours

    def test_progress_is_a_bar_that_redraws_itself_on_a_terminal(self):
        server = self.start_api()
        self.spec()
        server.freeze()
        importing, terminal = self.start_on_terminal(100)
        importing.wait_for(REDRAW + "[....................] 0 of 20 done, 8 in flight", terminal)
        server.thaw()
        shown = importing.wait_for("\n", terminal)
        self.assertEqual(importing.end().out, "20 completed, 0 dead\n")
        drawn = shown.split(REDRAW)
        self.assertEqual(drawn[0], "", "each drawing replaces the one before")
        self.assertGreaterEqual(len(drawn), 3)
        self.assertRegex(drawn[-1], r"^\[#{20}\] 20 of 20 done, .*/s\r\n$")
        self.assertEqual(shown.count("\n"), 1, "the bar stays on its line")

    def test_the_bar_is_never_wider_than_the_terminal(self):
        server = self.start_api()
        self.spec()
        server.freeze()
        importing, terminal = self.start_on_terminal(40)
        importing.wait_for("0 of 20 done", terminal)
        server.thaw()
        shown = importing.wait_for("\n", terminal)
        importing.end()
        drawings = shown.split(REDRAW)[1:]
        self.assertGreaterEqual(len(drawings), 2)
        for drawing in drawings:
            self.assertLess(len(drawing.strip()), 40)
