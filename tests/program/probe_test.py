# SPDX-License-Identifier: Apache-2.0
"""`wherry check --probe`: says of source and sink whether they are there and take the credentials,
and leaves nothing at either."""

from harness import program_test
from made_reports_test import ASKED, MADE


class probe_test(program_test):

    def probe(self, *more, status: int = 0) -> dict[str, dict]:
        ended = self.wherry("check", "flights.toml", "--probe", "--json", *self.days(1), *more,
                            status=status)
        return {line["side"]: line for line in ended.json()["probes"]}

    def test_a_probe_asks_for_one_report_and_leaves_nothing(self):
        server = self.start_api()
        self.spec()
        ended = self.wherry("check", "flights.toml", "--probe", *self.days(2))
        self.assert_says(ended.out, "probe  source ok: asked for ATL/2001-01-02: ",
                         "answered 200", "probe  sink ok: wrote and removed a file in")
        self.assertEqual(server.stats()["ok"], 1)
        self.assertEqual([path.name for path in self.here.iterdir()], ["flights.toml"])

    def test_a_probe_says_which_credentials_the_api_does_not_take(self):
        self.start_api(token="another")
        self.spec()
        seen = self.probe(status=1)
        self.assertFalse(seen["source"]["ok"])
        self.assert_says(seen["source"]["says"], "answered 401", "`auth.bearer`")
        self.assertTrue(seen["sink"]["ok"])

    def test_a_probe_says_that_nobody_listens(self):
        self.spec()
        seen = self.probe(status=1)
        self.assert_says(seen["source"]["says"], "cannot connect", "`source.url`")

    def test_a_probe_has_no_report_made(self):
        server = self.start_api()
        self.spec(MADE, ASKED)
        seen = self.probe()
        self.assert_says(seen["source"]["says"], "asked for a report that does not exist",
                         "answered 404", "takes the credentials")
        self.assertEqual(server.reports_requested(), {})
        server.stop()
        self.start_api(token="another")
        self.assertFalse(self.probe(status=1)["source"]["ok"])

    def test_a_probe_says_where_files_cannot_be_written(self):
        self.start_api()
        (self.here / "objects").write_text("a file, where directories are wanted")
        self.spec()
        seen = self.probe(status=1)
        self.assertTrue(seen["source"]["ok"])
        self.assert_says(seen["sink"]["says"], "cannot write in", "`sink.url`")
