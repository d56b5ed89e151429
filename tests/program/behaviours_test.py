# SPDX-License-Identifier: Apache-2.0
"""Each spec in examples/ that is for an API like a real one, against the example's API that behaves
so, with faults: all reports complete, their rows are those of the API's records, and what the API
itself has counted shows that its limits were kept."""

import urllib.request

from harness import PATIENCE, TOKEN, program_test, wait_until

FAULTS = ["--seed", "5", "--error-503", "0.03"]
QUICK = ('[sink]', '[retry]\nfirst = "10ms"\ncap = "200ms"\nattempts = 500\n\n[sink]')


class behaviours_test(program_test):

    def prepare(self, name: str, *flags: str, changes=()):
        self.name = name
        self.server = self.start_api(*flags)
        self.example_spec(name, QUICK, *changes)

    def counted(self, behaviour: str = "") -> dict[str, int]:
        return self.server._get(f"/stats/{behaviour or self.name}")

    def assert_rows(self, days: int):
        """Each object has the rows of the API's plain report of the same client and day."""
        self.server.stop()
        truth = self.start_api()
        found = self.objects(self.name)
        self.assertEqual(len(found), 10 * days)
        for path, content in found.items():
            day, client = path.removeprefix("day=").removesuffix(".csv").split("/")
            asked = urllib.request.Request(
                f"{truth.url}/v1/flights/clients/{client}/reports/{day}.csv",
                headers={"Authorization": f"Bearer {TOKEN}"})
            with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:
                lines = answer.read().decode().splitlines()[1:]
            fields = [line.split(",") for line in lines]
            expected = sorted((date, to, int(delay), int(miles))
                              for date, delay, miles, _, to in fields)
            rows = [line.split(",") for line in content.decode().splitlines()[1:]]
            self.assertEqual([(row[0], row[1], int(row[2]), int(row[3])) for row in rows],
                             expected, path)

    def import_all(self, days: int = 20, behaviour: str = "") -> dict[str, int]:
        """Imports to the end, sees that the rows are right, and returns what the API counted."""
        ended = self.wherry("import", "spec.toml", *self.days(days))
        self.assertEqual(ended.last_line(), f"{10 * days} completed, 0 dead")
        seen = self.counted(behaviour)
        self.asked = self.server.reports_requested()
        self.assert_rows(days)
        return seen

    def test_a_quota_of_an_account_is_waited_for_by_its_lane_alone(self):
        self.prepare("sync-quota", "--quota", "60", "--quota-window", "1s", *FAULTS,
                     changes=[('wait   = "10m"', 'wait   = "1s"')])
        seen = self.import_all()
        self.assertGreater(seen["throttled"], 0)
        self.assertLessEqual(seen["most_at_once"], 4)
        # Beyond the first refusal of a window there are only the calls that were under way.
        self.assertLessEqual(seen.get("asked_while_throttled", 0), 3 * seen["throttled"])

    def test_a_breaker_keeps_an_outage_from_using_up_the_quota_of_errors(self):
        self.prepare("error-quota", "--outage", "1s", "--outage-after", "5", "--quota-window", "60s",
                     changes=[('open_for = "10m"', 'open_for = "500ms"')])
        seen = self.import_all()
        self.assertGreaterEqual(seen["server_errors"], 10)
        self.assertNotIn("error_quota_exhausted", seen)

    def test_runs_are_polled_until_they_are_whole_and_read_page_by_page(self):
        self.prepare("run-id", "--make", "300ms", "--quota", "100", "--quota-window", "1s", *FAULTS,
                     changes=[('every    = "30s"', 'every    = "100ms"')])
        seen = self.import_all()
        self.assertEqual(list(self.asked.values()), [1] * 200)
        self.assertNotIn("read_before_it_was_ready", seen)
        self.assertGreater(seen["throttled"], 0)

    def test_a_killed_import_goes_on_with_the_runs_that_it_has_asked_for(self):
        self.prepare("run-id", "--make", "2s", changes=[('every    = "30s"', 'every    = "100ms"')])
        importing = self.start("import", "spec.toml", *self.days(2))
        wait_until(lambda: len(self.server.reports_requested()) == 20, "all to be asked for",
                   importing.process)

        def all_pending():
            listed = self.wherry("list", "--state", "pending", "--json", "--store", "run-id.db")
            return len(listed.json()) == 20
        wait_until(all_pending, "all ids to be durable", importing.process)
        importing.kill()
        self.import_all(days=2)
        self.assertEqual(list(self.asked.values()), [1] * 20)

    def test_a_report_that_is_too_large_is_asked_for_in_parts(self):
        self.prepare("reduce-data", "--most-rows", "150", *FAULTS)
        self.assertGreater(self.import_all(behaviour="run-id")["asked_for_too_much"], 0)

    def test_a_duplicate_is_taken_over_and_its_link_sees_no_credentials(self):
        self.prepare("duplicate", "--make", "200ms", "--poll-401", "0.1", "--cut", "0.05", *FAULTS,
                     changes=[('every  = "1m"', 'every  = "100ms"')])
        seen = self.import_all()
        self.assertEqual(seen["made"], 200)
        self.assertGreater(seen["duplicates"], 0)
        self.assertGreater(seen["polls_refused"], 0)
        self.assertNotIn("credentials_at_the_link", seen)

    def test_codes_in_answers_of_status_200_are_understood(self):
        self.prepare("error-code", "--quota", "150", "--quota-window", "1s", *FAULTS,
                     changes=[('wait = "5m"', 'wait = "1s"')])
        self.assertGreater(self.import_all()["throttled"], 0)

    def test_no_more_reports_are_made_at_once_than_there_are_slots(self):
        self.prepare("slots", "--make", "50ms", "--slots", "3", *FAULTS,
                     changes=[('every  = "30s"', 'every  = "50ms"'),
                              ('wait   = "1m"', 'wait   = "50ms"')])
        seen = self.import_all(days=10)
        self.assertEqual(seen["most_made_at_once"], 3)
        self.assertNotIn("refused", seen)
        self.assertEqual(list(self.asked.values()), [1] * 100)
        self.assertNotIn("credentials_at_the_link", seen)

    def test_a_report_that_expired_is_asked_for_again(self):
        self.prepare("expiring", "--make", "10ms", "--report-life", "60ms", "--quota", "300",
                     "--quota-window", "1s", *FAULTS,
                     changes=[('every    = "30s"', 'every    = "50ms"')])
        seen = self.import_all()
        self.assertGreater(seen["expired"], 0)
        self.assertGreater(seen["throttled"], 0)
