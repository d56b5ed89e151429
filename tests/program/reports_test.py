# SPDX-License-Identifier: Apache-2.0
"""What becomes of reports that cannot be had, and how a user finds them and lets them run again.

One client's account is wrong, so that the API answers 404 for its reports alone; correcting it in
the spec removes the cause. Dead letters must name it, block nobody, and complete once it is
gone."""

from harness import program_test, wait_until

BROKEN = ('"SEA"]', '"SEA", { id = "paris", account = "CDG" }]')
MENDED = ('"SEA"]', '"SEA", { id = "paris", account = "JFK" }]')
BY_ACCOUNT = ("/clients/{client}/", "/clients/{account}/")


class reports_test(program_test):

    def import_with_a_dead_letter(self):
        self.server = self.start_api()
        self.spec(BY_ACCOUNT, BROKEN)
        return self.run_import(status=1)

    def test_a_report_that_the_api_does_not_have_is_a_dead_letter_and_the_others_complete(self):
        ended = self.import_with_a_dead_letter()
        self.assertEqual(ended.last_line(), "10 completed, 1 dead")
        self.assert_says(ended.err, "dead: paris/2001-01-01", "downloadable",
                         f"{self.server.url} answered 404", "check `source.url` and the client's")
        self.assertEqual(self.server.stats()["not_found"], 1, "404 is final: one try")
        self.assertEqual(len(self.objects()), 10)

    def test_the_exit_status_stays_1_as_long_as_there_are_dead_letters(self):
        self.import_with_a_dead_letter()
        asked = self.server.asked()
        again = self.run_import(status=1)
        self.assert_says(again.err, "dead: paris/2001-01-01")
        self.assertEqual(self.server.asked(), asked, "a dead letter waits for a redrive")

    def test_redrive_lets_a_dead_letter_run_with_the_next_import(self):
        self.import_with_a_dead_letter()
        self.spec(BY_ACCOUNT, MENDED)
        self.wherry("redrive", "paris/2001-01-01")
        self.assertEqual(self.phases(), {"completed": 10, "ready": 1})
        ended = self.run_import()
        self.assertEqual(ended.last_line(), "11 completed, 0 dead")
        self.assertEqual(self.objects()["day=2001-01-01/paris.csv"],
                         self.objects()["day=2001-01-01/JFK.csv"])

    def test_redrive_all_means_all_that_are_dead_and_no_others(self):
        self.import_with_a_dead_letter()
        self.spec(BY_ACCOUNT, MENDED)
        asked = self.server.asked()
        self.wherry("redrive", "--all")
        self.assertEqual(self.run_import().last_line(), "11 completed, 0 dead")
        self.assertEqual(self.server.asked(), asked + 1)

    def test_only_failed_runs_the_dead_letters_of_the_range_and_submits_nothing(self):
        self.import_with_a_dead_letter()
        self.spec(BY_ACCOUNT, MENDED)
        asked = self.server.asked()
        self.run_import("--only", "failed", days=2)
        self.assertEqual(self.server.asked(), asked + 1)
        self.assertEqual(self.phases(), {"completed": 11})

    def test_a_report_that_has_one_try_completes_when_it_is_redriven(self):
        self.start_api()
        self.spec(("[retry]\n", "[retry]\nattempts = 1\n"))
        (self.here / "objects").write_text("a file in the place of the sink's directory")
        ended = self.run_import(status=1)
        self.assertEqual(ended.last_line(), "0 completed, 10 dead")
        (self.here / "objects").unlink()
        self.run_import("--only", "failed")
        self.assertEqual(self.phases(), {"completed": 10})

    def test_a_redriven_report_whose_cause_is_still_there_is_dead_again(self):
        self.import_with_a_dead_letter()
        ended = self.run_import("--only", "failed", status=1)
        self.assert_says(ended.err, "dead: paris/2001-01-01", "answered 404")
        self.assertEqual(self.phases(), {"completed": 10, "dead": 1})
        self.assertEqual(self.server.stats()["not_found"], 2)

    def test_a_command_for_an_unknown_or_no_report_changes_nothing(self):
        self.import_with_a_dead_letter()
        for verb, *flags in (["redrive"], ["cancel"], ["prioritize", "--to", "5"]):
            unknown = self.wherry(verb, "paris/2001-01-01", "paris/2001-01-02", *flags, status=2)
            self.assert_says(unknown.err, 'no report "paris/2001-01-02"', "wherry list")
            self.assert_says(self.wherry(verb, *flags, status=2).err, "client/2025-01-31", "--all")
        self.assertEqual(self.phases(), {"completed": 10, "dead": 1})

    def test_a_cancelled_report_does_not_run_until_it_is_redriven(self):
        server = self.start_api()
        self.spec(("in_flight = 8", "in_flight = 1"))
        server.freeze()
        importing = self.start_import()
        importing.wait_for("1 in flight")
        asked = self.wherry("cancel", "SEA/2001-01-01")
        self.assert_says(asked.out, "the running import applies it")
        wait_until(lambda: "cancelled" in self.phases(), "the report to be cancelled")
        server.thaw()
        ended = importing.end()
        self.assertEqual(ended.status, 1, "not all completed")
        self.assert_says(ended.last_line(), "9 completed, 0 dead")
        self.assertEqual(self.phases(), {"completed": 9, "cancelled": 1})
        self.assert_says(self.run_import(status=1).last_line(), "9 completed, 0 dead")
        self.wherry("redrive", "SEA/2001-01-01")
        self.assertEqual(self.run_import().last_line(), "10 completed, 0 dead")
        self.assertEqual(server.asked(), 10)

    def test_a_paused_lane_begins_nothing_until_it_is_resumed(self):
        server = self.start_api()
        self.spec(("in_flight = 8", "in_flight = 1"))
        server.freeze()
        importing = self.start_import()
        importing.wait_for("1 in flight")
        asked = self.wherry("pause", "api")
        self.assert_says(asked.out, "the running import applies it")
        wait_until(lambda: self.wherry("status", "--json").json()["lanes"], "the lane to be paused")
        server.thaw()
        wait_until(lambda: self.phases().get("completed") == 1, "the step under way to end")
        self.assert_says(self.wherry("status").out, "lanes that begin nothing now:",
                         "paused until: wherry resume api")
        self.assertEqual(server.asked(), 1, "nothing new was begun")
        self.wherry("resume", "api")
        self.assertEqual(importing.end().last_line(), "10 completed, 0 dead")
        self.assertEqual(self.wherry("status", "--json").json()["lanes"], [])

    def test_a_lane_may_be_paused_and_resumed_while_nobody_works(self):
        self.import_with_a_dead_letter()
        self.assertEqual(self.wherry("pause", "api", "--json").json(), {"changed": 1})
        again = self.wherry("pause", "api")
        self.assert_says(again.out, 'nothing to do: lane "api" is paused already')
        self.assert_says(again.err, 'no unfinished report is in lane "api" now')
        (lane,) = self.wherry("status", "--json").json()["lanes"]
        self.assertEqual((lane["lane"], lane["paused"], lane["parked_until_ms"]),
                         ("api", True, None))
        self.assert_says(self.wherry("resume", "api").out, 'lane "api" goes on')
        self.assert_says(self.wherry("resume", "api").out, 'lane "api" is not paused')
        self.wherry("pause", status=2)

    def test_a_report_that_is_prioritized_runs_before_the_others_of_its_lane(self):
        server = self.start_api()
        self.spec(("in_flight = 8", "in_flight = 1"))
        server.freeze()
        importing = self.start_import()
        importing.wait_for("1 in flight")
        waiting = [each["id"] for each in self.wherry("list", "--json").json()][-1]
        self.assert_says(self.wherry("prioritize", waiting, "--to", "5").out,
                         "the running import applies it")
        wait_until(lambda: self.wherry("show", waiting, "--json").json()["priority"] == 5,
                   "the priority to be applied")
        server.thaw()
        self.assertEqual(importing.end().last_line(), "10 completed, 0 dead")
        def began_at(report):
            return self.wherry("show", report, "--json").json()["history"][0]["started_ms"]
        began = {each["id"]: began_at(each["id"]) for each in self.wherry("list", "--json").json()}
        self.assertLessEqual(sum(at < began[waiting] for at in began.values()), 1,
                             "only the one that was under way was begun before it")
        self.assert_says(self.wherry("show", waiting).out, "priority 5")
        self.assert_says(self.wherry("prioritize", "--all", "--to", "7").out, "nothing to do")
        self.assert_says(self.wherry("prioritize", waiting, "--to", "1000001", status=2).err,
                         "priority 1000001 must lie between")
        self.wherry("prioritize", waiting, status=2)

    def test_status_counts_by_state_and_says_that_nobody_works(self):
        self.import_with_a_dead_letter()
        text = self.wherry("status").out
        self.assert_says(text, "nobody works on it now")
        counts = [line.split() for line in text.splitlines()[1:]]
        self.assertIn(["10", "completed", "completed"], counts)
        self.assertIn(["1", "dead", "downloadable"], counts)
        self.assertIn(["11", "in", "all"], counts)
        found = self.wherry("status", "--json").json()
        self.assertEqual((found["all"], found["unfinished"], found["owner"]), (11, 0, ""))

    def test_list_filters_by_phase_and_shows_the_error(self):
        self.import_with_a_dead_letter()
        line, = self.wherry("list", "--phase", "dead").out.splitlines()
        self.assert_says(line, "paris/2001-01-01", "dead", "downloadable", "answered 404")
        found, = self.wherry("list", "--phase", "dead", "--json").json()
        self.assertEqual((found["id"], found["phase"], found["attempt"]),
                         ("paris/2001-01-01", "dead", 1))
        self.assert_says(found["error"], "answered 404")
        self.assertEqual(len(self.wherry("list").out.splitlines()), 11)
        self.assert_says(self.wherry("list", "--phase", "lost", status=2).err,
                         '"lost"', "waiting, ready, completed, dead or cancelled")

    def test_show_tells_the_history_of_a_report(self):
        self.import_with_a_dead_letter()
        text = self.wherry("show", "ATL/2001-01-01").out
        steps = [line.split(" ms  ")[1] for line in text.splitlines() if " -> " in line]
        self.assertEqual(steps, ["downloadable -> transformable  advanced",
                                 "transformable -> uploadable  advanced",
                                 "uploadable -> completed  advanced"])
        dead = self.wherry("show", "paris/2001-01-01", "--json").json()
        self.assertEqual([entry["phase"] for entry in dead["history"]], ["dead"])
        missing = self.wherry("show", "ATL/2001-02-01", status=2)
        self.assert_says(missing.err, 'no report "ATL/2001-02-01"', "wherry list")

    def test_without_a_store_or_with_several_the_commands_say_what_to_do(self):
        for command in ("status", "list"):
            self.assert_says(self.wherry(command, status=2).err, "no store", "--store FILE")
        self.import_with_a_dead_letter()
        (self.here / "other.db").write_bytes((self.here / "flights.db").read_bytes())
        several = self.wherry("status", status=2)
        self.assert_says(several.err, "flights.db", "other.db", "--store FILE")
        self.assertEqual(self.wherry("status", "--json", "--store", "flights.db").json()["all"], 11)
        self.variables["WHERRY_STORE"] = "other.db"
        self.assertEqual(self.wherry("status", "--json").json()["all"], 11)
