# SPDX-License-Identifier: Apache-2.0
"""Reports that the API makes on request: asked for once, polled until they are ready, downloaded from
an address that expires and takes no credentials; and none is asked for twice, whatever is killed."""

from harness import program_test, wait_until

MADE = ('url     = "${API}/v1/flights/clients/{client}/reports/{day}.csv"', '')
ASKED = ('[transform]', """[source.request]
url       = "${API}/v1/flights/reports"
body      = { client = "{client}", day = "{day}" }
id        = "reportId"
duplicate = "duplicate of : {report}"

[source.poll]
url    = "${API}/v1/flights/reports/{report}"
ready  = { status = "COMPLETED" }
failed = { status = "FAILED" }
link   = "url"
every  = "100ms"

[transform]""")

PATIENT = ('cap   = "100ms"', 'cap   = "100ms"\nattempts = 1000')  # however long the API is down


class made_reports_test(program_test):

    def make(self, *flags: str, changes=()):
        self.server = self.start_api(*flags)
        self.spec(MADE, ASKED, *changes)

    def pending(self) -> int:
        states = self.wherry("status", "--json").json()["states"]
        return sum(each["count"] for each in states if each["state"] == "pending")

    def history(self, report: str) -> list[dict]:
        return self.wherry("show", report, "--json").json()["history"]

    def test_each_report_is_asked_for_once_and_polled_and_downloaded(self):
        self.make("--make", "300ms")
        self.assertEqual(self.run_import(days=2).last_line(), "20 completed, 0 dead")
        self.assertEqual(list(self.server.reports_requested().values()), [1] * 20)
        self.assertEqual(len(self.objects()), 20)
        lines = self.history("ATL/2001-01-01")
        self.assertEqual([(line["from"], line["outcome"]) for line in lines],
                         [("requestable", "advanced"), ("pending", "postponed"),
                          ("pending", "advanced"), ("transformable", "advanced"),
                          ("uploadable", "advanced")])
        self.assertEqual(lines[1]["error"], "the API still makes the report")

    def test_the_objects_are_those_of_reports_that_lie_there(self):
        self.make("--make", "1ms")
        self.run_import()
        made = self.objects()
        self.spec()
        self.run_import("--only", "all")
        self.assertEqual(self.objects(), made)

    def test_a_killed_import_goes_on_with_the_reports_that_the_api_makes(self):
        self.make("--make", "2s")
        first = self.start_import()
        wait_until(lambda: len(self.server.reports_requested()) == 10, "all to be asked for", first.process)
        wait_until(lambda: self.pending() == 10, "their ids to be durable", first.process)
        first.kill()
        self.assertEqual(self.run_import().last_line(), "10 completed, 0 dead")
        self.assertEqual(list(self.server.reports_requested().values()), [1] * 10)

    def test_an_answer_that_was_lost_costs_no_second_report_where_the_api_knows_duplicates(self):
        self.make("--make", "300ms")
        self.run_import()
        asked = self.server.reports_requested()
        (self.here / "flights.db").unlink()  # all that we knew of their ids is lost
        self.assertEqual(self.run_import().last_line(), "10 completed, 0 dead")
        self.assertEqual(self.server.reports_requested(), {path: 2 for path in asked})
        shown = self.history("ATL/2001-01-01")
        self.assertEqual(shown[0]["outcome"], "advanced", "425 told the id of before")

    def test_a_report_that_failed_at_the_api_is_asked_for_anew(self):
        self.make("--make", "1ms", "--fail", "0.3", "--seed", "3")
        self.assertEqual(self.run_import(days=2).last_line(), "20 completed, 0 dead")
        self.assertGreater(sum(self.server.reports_requested().values()), 20)
        told = [line["error"] for report in ("ATL", "BOS", "DEN", "DFW", "JFK", "LAX", "MIA")
                for line in self.history(f"{report}/2001-01-01") if line["outcome"] == "went_back"]
        self.assertIn(f"{self.server.url} says that it failed", told)

    def test_an_address_that_expired_is_asked_for_anew(self):
        self.make("--make", "1ms", "--link-life", "0ms")
        ended = self.run_import(status=1)
        self.assert_says(ended.err, "pending", "answered 403 at the address of the report",
                         "is asked for anew")
        self.assertNotIn("/made/", self.printed.decode(), "an address is a secret")

    def test_no_address_of_a_report_is_kept(self):
        self.make("--make", "100ms")
        self.run_import()
        for path in self.here.rglob("flights.db*"):
            self.assertNotIn(b"/made/", path.read_bytes())

    def test_a_key_that_expires_while_reports_wait_for_a_slot_ends_the_run(self):
        self.server = self.start_api("--make", "60s")
        self.spec(MADE, ASKED, PATIENT,
                  ('"duplicate of : {report}"', '"duplicate of : {report}"\nslots = 3'))
        first = self.start_import()
        wait_until(lambda: len(self.server.reports_requested()) == 3, "requests", first.process)
        wait_until(lambda: self.pending() == 3, "the slots to be taken", first.process)
        self.server.stop()
        self.server = self.start_api(port=self.server.port, token="another")
        ended = first.end()
        self.assertEqual(ended.status, 1)
        self.assert_says(ended.err, "stopped", "401", "`auth.bearer`")

    def test_an_api_that_forgot_a_report_is_asked_for_it_anew(self):
        self.server = self.start_api("--make", "10s")
        self.spec(MADE, ASKED, PATIENT)
        first = self.start_import()
        wait_until(lambda: len(self.server.reports_requested()) == 10, "all to be asked for", first.process)
        self.server.stop()
        self.server = self.start_api("--make", "1ms", port=self.server.port)
        self.assertEqual(first.end().last_line(), "10 completed, 0 dead")
        self.assertEqual(list(self.server.reports_requested().values()), [1] * 10)
