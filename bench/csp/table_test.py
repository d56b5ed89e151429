#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the verdicts of the channel benchmark to made-up runs: run.sh --self-test."""
import os
import sys
import unittest

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import contestants as who
import run
import table


def runs_of(row, number, cpu=None, **by_name):
    """Makes one run a value; names as in CONTESTANTS, core.async as core_async."""
    return [{"contestant": name.replace("_", "."), "row": row, number: value, "round": index,
             **({"cpu": cpu} if cpu is not None else {})}
            for name, values in by_name.items() for index, value in enumerate(values)]


ALL_AT = {"Go": [300], "core_async": [500], "tokio": [210], "Asio": [600], "Fiber": [280]}


def judge(runs, number=None):
    summary = table.summarize(runs)
    return table.verdict(next(line for line in summary if number in (None, line.figure.number)))


class Verdicts(unittest.TestCase):
    def test_a_row_is_compared_with_its_best_peer(self):
        met, sentence = judge(runs_of("pingpong", "wall", Wherry=[70], **ALL_AT))
        self.assertTrue(met)
        self.assertIn("tokio 210: 3.00 times faster, wanted >= 3", sentence)

    def test_one_that_is_a_little_too_slow_is_missed(self):
        self.assertFalse(judge(runs_of("pingpong", "wall", Wherry=[70.1], **ALL_AT))[0])

    def test_the_median_of_the_rounds_counts(self):
        self.assertTrue(judge(runs_of("pingpong", "wall", Wherry=[1000, 60, 65], **ALL_AT))[0])
        self.assertFalse(judge(runs_of("pingpong", "wall", Wherry=[1000, 60, 900], **ALL_AT))[0])

    def test_a_row_without_one_of_its_peers_is_missed(self):
        some = {name: values for name, values in ALL_AT.items() if name != "Asio"}
        met, sentence = judge(runs_of("pingpong", "wall", Wherry=[10], **some))
        self.assertFalse(met)
        self.assertIn("not beside Asio", sentence)

    def test_a_peer_that_has_no_such_row_is_not_waited_for(self):
        some = {name: values for name, values in ALL_AT.items() if name != "Fiber"}
        self.assertTrue(judge(runs_of("select2", "wall", Wherry=[100], **some))[0])

    def test_a_parked_task_is_compared_with_tokio_and_not_with_the_best(self):
        peers = ALL_AT | {"Go": [1]}
        met, sentence = judge(runs_of("parkedn", "bytes", Wherry=[262], **peers))
        self.assertTrue(met)
        self.assertIn("tokio 210: 1.25 times as much, wanted <= 1.25", sentence)
        self.assertFalse(judge(runs_of("parkedn", "bytes", Wherry=[263], **peers))[0])

    def test_a_shared_channel_must_be_one(self):
        runs = runs_of("parked1", "bytes", Wherry=[1], **ALL_AT)
        runs[0]["channels"] = 977
        met, sentence = judge(runs)
        self.assertFalse(met)
        self.assertIn("977 channels", sentence)
        runs[0]["channels"] = 1
        self.assertTrue(judge(runs)[0])

    def test_timers_are_judged_by_bytes_and_by_cpu(self):
        runs = runs_of("timers", "bytes", cpu=1000, Wherry=[105], **ALL_AT)
        runs[0]["cpu"] = 300
        self.assertTrue(judge(runs, "bytes")[0])
        self.assertTrue(judge(runs, "cpu")[0])
        runs[0]["cpu"] = 301
        self.assertFalse(judge(runs, "cpu")[0])

    def test_wall_and_cpu_that_disagree_are_pointed_out(self):
        runs = runs_of("pingpong", "wall", cpu=200, Wherry=[60], **ALL_AT)
        self.assertIn("by CPU time 1.00", judge(runs)[1])

    def test_what_was_not_measured_is_missed(self):
        judged = table.verdicts(table.summarize(runs_of("pingpong", "wall", Wherry=[1], **ALL_AT)))
        self.assertEqual(len(who.FIGURES), len(judged))
        self.assertEqual(1, sum(met for met, _ in judged))

    def test_every_row_has_a_target_and_the_table_a_line_for_each(self):
        self.assertEqual(set(who.ROWS), {figure.row for figure in who.FIGURES})
        runs = runs_of("ring", "wall", cpu=3, Wherry=[1], **ALL_AT)
        self.assertEqual(2, len(table.lines(table.summarize(runs))))


class Output(unittest.TestCase):
    def test_a_row_of_speed(self):
        self.assertEqual({"wall": 2.5, "wall_min": 2, "wall_max": 3, "cpu": 2.4},
                         run.parse("ring", "noise\nring 2.5 2.0 3.0 cpu 2.4\n"))

    def test_a_row_of_memory(self):
        self.assertEqual({"bytes": 100, "cpu": 7, "sched_ms": 3},
                         run.parse("timers", "timers bytes 100 cpu_ns 7 sched_ms 3\n"))

    def test_anything_else_is_no_result(self):
        for text in ("", "ring n/a\n", "rings 1 2 3 cpu 4\n", "ring 1 2 3\n"):
            self.assertIsNone(run.parse("ring", text))


if __name__ == "__main__":
    unittest.main()
