#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the verdicts of the engine's benchmarks to made-up runs: run.sh --self-test."""
import os
import sys
import unittest

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import contestants as who
import run
import scale
import table


def throughput(row, *rates, machines=who.MACHINES):
    return [{"row": row.name, "round": number, "machines": machines, "transitions": 300_000,
             "seconds": 300_000 / rate, "cpu_seconds": 1} for number, rate in enumerate(rates, 1)]


def latency(row, *p99s):
    return [{"row": row.name, "round": number, "rate": 5_000, "all_starts": 1, "all_p50_ms": 1,
             "all_p99_ms": p99} for number, p99 in enumerate(p99s, 1)]


def waiting(size, *each):
    return [{"row": who.WAITING.name, "round": number, "machines": size, "resident_bytes": 1e7,
             "resident_bytes_per_machine": value} for number, value in enumerate(each, 1)]


def verdict(runs, word):
    found = [one for one in table.verdicts(runs) if word in one[1]]
    assert len(found) == 1, found
    return found[0]


class Verdicts(unittest.TestCase):
    def test_the_ratio_is_of_runs_of_one_round(self):
        # In the second round the machine was half as fast for both.
        runs = throughput(who.LOOP, 100, 50) + throughput(who.RUN, 60, 30)
        self.assertAlmostEqual(table.ratio(runs, who.RUN, who.LOOP), 0.6)
        self.assertTrue(verdict(runs, "Wherry: 0.60 of the bare loop")[0])

    def test_less_than_half_of_the_loop_is_missed(self):
        runs = throughput(who.LOOP, 100) + throughput(who.RUN, 49)
        self.assertFalse(verdict(runs, "Wherry: 0.49 of the bare loop")[0])

    def test_what_was_not_run_is_missed(self):
        runs = throughput(who.RUN, 60)
        self.assertEqual(verdict(runs, "Wherry: -"), (
            False, "Wherry: - of the bare loop's rows a second, wanted 0.5 (not run)"))
        self.assertTrue(all(not met for met, _ in table.verdicts(runs)))

    def test_a_reduced_size_is_missed(self):
        runs = throughput(who.LOOP, 100, machines=3_000) + throughput(who.RUN, 90, machines=3_000)
        met, sentence = verdict(runs, "Wherry: 0.90")
        self.assertFalse(met)
        self.assertIn("reduced size", sentence)

    def test_latency_is_the_median_of_the_rounds_beside_the_commit_of_the_loop(self):
        runs = latency(who.LATENCY, 5, 19, 100) + [{**throughput(who.LOOP, 1)[0],
                                                    "commit_p99_ms": 7.25}]
        met, sentence = verdict(runs, "half load: from due")
        self.assertTrue(met)
        self.assertIn("p99 19.0 ms", sentence)
        self.assertIn("7.2 ms", sentence)
        self.assertFalse(verdict(latency(who.LATENCY, 20), "half load: from due")[0])

    def test_memory_is_that_of_the_worst_size(self):
        runs = waiting(who.MACHINES, 301) + waiting(who.MANY_WAITING, 30)
        self.assertFalse(verdict(runs, "a waiting machine: 301")[0])
        self.assertTrue(verdict(waiting(who.MACHINES, 300), "a waiting machine: 300")[0])

    def test_the_ratio_to_bullmq_is_reported_and_not_judged(self):
        runs = throughput(who.RUN, 60) + throughput(who.BULLMQ, 20)
        self.assertIn("3.0 times", table.reported(runs)[0])
        self.assertFalse(any("BullMQ" in sentence for _, sentence in table.verdicts(runs)))

    def test_the_lines_of_a_program_are_its_numbers(self):
        self.assertEqual(run.parse("seconds 1.5\nnot a figure\ntransitions 3\n"),
                         {"seconds": 1.5, "transitions": 3.0})


class Scale(unittest.TestCase):
    FEW = {"machines": scale.FEW, "peak_mb": 100}

    def judge(self, **numbers):
        many = {"machines": scale.FULL, "peak_mb": 132, "start_per_second": 10,
                "end_per_second": 7, **numbers}
        return [met for met, _ in scale.verdicts(self.FEW, many)]

    def test_each_target_is_met_up_to_its_limit_and_not_beyond(self):
        self.assertEqual(self.judge(), [True, True, True])
        self.assertEqual(self.judge(peak_mb=132.1), [False, True, True])
        self.assertEqual(self.judge(peak_mb=301), [False, False, True])
        self.assertEqual(self.judge(end_per_second=6.9), [True, True, False])

    def test_fewer_than_ten_million_are_a_miss(self):
        self.assertEqual(self.judge(machines=1_000_000), [False, False, False])


if __name__ == "__main__":
    unittest.main()
