# SPDX-License-Identifier: Apache-2.0
"""An API that is not there, or answers what it should not: the report ends as a dead letter that
names the place and the remedy, exit status 1, the spool keeps no torn file, and once the API is
well again a redrive completes what died.

Every answer of the API is of the kind that the test is about; what is mixed is import_test's."""

from harness import program_test

TWO_TRIES = ("[retry]\n", "[retry]\nattempts = 2\n")
AGAIN = "it will be tried again"


class bad_answer_test(program_test):

    def dead_letters(self, *changes: tuple[str, str], clients: str = "ATL BOS") -> list[str]:
        """Imports a day of these clients, all in vain; returns what is said of each."""
        self.spec(*changes)
        self.clients = [word for each in clients.split() for word in ("--client", each)]
        ended = self.run_import(*self.clients, status=1)
        number = len(self.clients) // 2
        self.assertEqual(ended.last_line(), f"0 completed, {number} dead")
        self.assertEqual(self.objects(), {})
        dead = [line for line in ended.err.splitlines() if line.startswith("dead: ")]
        self.assertEqual(len(dead), number)
        return dead

    def assert_completes(self, *changes: tuple[str, str]):
        """With the cause removed, all that died completes."""
        self.spec(*changes)
        self.run_import("--only", "failed", *self.clients)
        self.assertEqual(self.phases(), {"completed": len(self.clients) // 2})
        self.assertEqual(len(self.objects()), len(self.clients) // 2)
        self.assertEqual(self.spooled(), [])

    def test_columns_other_than_declared_are_named(self):
        self.start_api()
        drifted = (('distance = "bigint", origin', 'miles = "bigint", origin'),
                   ("(distance,", "(miles,"))
        for line in self.dead_letters(*drifted):
            self.assert_says(line, "transformable", 'missing "miles"', 'not declared "distance"',
                             "[source] columns")
        self.assert_completes()

    def test_a_value_of_another_type_than_declared_is_named_with_its_line(self):
        self.start_api()
        dates = (('destination = "varchar" }\n\n[tr', 'destination = "date" }\n\n[tr'),
                 ('destination = "varchar", dep', 'destination = "date", dep'))
        for line in self.dead_letters(*dates):
            self.assert_says(line, 'line 2, column "destination"', "is not a date",
                             "[source] columns")
        self.assert_completes()

    def test_a_malformed_body_is_told_with_its_line(self):
        server = self.start_api("--malformed", "1")
        for line in self.dead_letters():
            self.assert_says(line, "transformable", "line 1", "quote",
                             "Correct the report at its source")
        server.stop()
        self.start_api()
        self.assert_completes()

    def test_an_empty_body_is_no_report_without_rows(self):
        server = self.start_api("--empty", "1")
        for line in self.dead_letters(TWO_TRIES):
            self.assert_says(line, "downloadable, attempt 2", server.url, "empty body", "204")
        self.assertEqual(server.stats()["empty"], 4)
        server.stop()
        self.start_api()
        self.assert_completes()

    def test_a_truncated_body_is_never_taken_for_a_whole_one(self):
        server = self.start_api("--cut", "1")
        for line in self.dead_letters(TWO_TRIES):
            self.assert_says(line, "downloadable, attempt 2", server.url,
                             "before the answer was whole")
        self.assertEqual(self.spooled(), [])
        server.stop()
        self.start_api()
        self.assert_completes()

    def test_an_oversized_body_is_told_with_the_limit_and_its_key(self):
        server = self.start_api()
        for line in self.dead_letters(("timeout =", 'max_size = "1kB"\ntimeout =')):
            self.assert_says(line, "downloadable, attempt 1", server.url, "1000 bytes",
                             "source.max_size")
        self.assertEqual(self.spooled(), [])
        self.assert_completes()

    def test_an_endless_body_ends_at_the_size_limit(self):
        server = self.start_api("--endless")
        endless = ("/v1/flights/", "/v1/endless/")
        for line in self.dead_letters(endless, ("timeout =", 'max_size = "100kB"\ntimeout =')):
            self.assert_says(line, "downloadable, attempt 1", server.url, "100000 bytes",
                             "source.max_size")
        self.assertEqual(self.spooled(), [])
        self.assert_completes()

    def test_an_endless_body_ends_at_the_time_limit(self):
        server = self.start_api("--endless")
        endless = (("/v1/flights/", "/v1/endless/"), ('"5m"', '"1s"'), TWO_TRIES)
        for line in self.dead_letters(*endless):
            self.assert_says(line, "downloadable, attempt 2", server.url, "took too long",
                             "1 s for the whole answer", "source.timeout")
        self.assertEqual(self.spooled(), [])
        self.assert_completes()

    def test_a_server_that_has_only_problems_is_tried_as_often_as_the_spec_says(self):
        server = self.start_api("--error-503", "1")
        for line in self.dead_letters(("[retry]\n", "[retry]\nattempts = 3\n")):
            self.assert_says(line, "downloadable, attempt 3", server.url, "503",
                             "the server has a problem of its own")
        self.assertEqual(server.stats()["unavailable"], 6)
        server.stop()
        self.start_api()
        self.assert_completes()

    def test_a_token_that_is_not_accepted_stops_its_lane_and_names_the_key_in_the_spec(self):
        server = self.start_api()
        self.secrets.append("a-token-of-yesterday")
        right, self.variables["TOKEN"] = self.variables["TOKEN"], "a-token-of-yesterday"
        self.spec()
        ended = self.run_import(status=1)
        self.assert_says(ended.err, f"lane api stopped: {server.url} answered 401", "auth.bearer",
                         "no report is given up")
        self.assert_says(ended.out, "10 not finished; the same command goes on with them",
                         "0 completed, 0 dead")
        self.assertLessEqual(server.stats()["unauthorized"], 8)  # those in flight at once
        self.assert_says(self.wherry("status").out, "api ", "stopped until a new run begins, or ",
                         f"{server.url} answered 401")
        self.variables["TOKEN"] = right
        self.run_import()
        self.assertEqual(self.phases(), {"completed": 10})
        self.assertEqual(self.wherry("status", "--json").json()["lanes"], [])
        self.assertEqual(self.spooled(), [])

    def test_nobody_who_listens_is_told_with_the_address_and_its_key(self):
        for line in self.dead_letters(TWO_TRIES):
            self.assert_says(line, "downloadable, attempt 2",
                             "cannot connect to http://127.0.0.1:9", "Connection refused",
                             "source.url")
        self.start_api()
        self.assert_completes()

    def test_a_host_that_is_not_known_is_told_with_its_name_and_key(self):
        self.variables["API"] = "http://no-such-host.invalid"
        for line in self.dead_letters(TWO_TRIES):
            self.assert_says(line, "downloadable, attempt 2", "http://no-such-host.invalid",
                             "check the spelling", "source.url")
        self.start_api()
        self.assert_completes()

    def test_an_unknown_currency_in_the_rows_is_a_dead_letter_that_names_it(self):
        self.start_api()
        (self.here / "rates.csv").write_text("Date,USD,GBP,\n2001-01-01,0.95,0.63,\n")
        money = (("convert_unit(distance, 'mile', 'km') as distance_km",
                  "convert_currency(distance, CURRENCY, 'EUR', date::date) as cost"),
                 ("by departed_at, destination, distance_km", "by departed_at, destination, cost"),
                 ('distance_km = "double"', 'cost = "decimal(38,10)"'),
                 ("[sink]", 'rates = "rates.csv"\n\n[sink]'))
        for line in self.dead_letters(*money, ("CURRENCY", "origin")):
            self.assert_says(line, "transformable", "unknown currency", "rates.csv", "ISO 4217")
        self.assert_completes(*money, ("CURRENCY", "'USD'"))

    def test_a_dead_letter_does_not_promise_another_try(self):
        self.start_api("--cut", "0.5", "--error-503", "0.5")
        self.spec(TWO_TRIES)
        self.run_import(status=1)
        found = self.wherry("list", "--phase", "dead", "--json").json()
        self.assertEqual(len(found), 10)
        for each in found:
            self.assertNotIn(AGAIN, each["error"])
