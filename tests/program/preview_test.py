# SPDX-License-Identifier: Apache-2.0
"""A preview takes the way of an import, for one report: what is requested is polled for, pages and
parts are put together, limits are kept; and nothing is written."""

from harness import program_test

ONE = ["--client", "ATL", "--day", "2001-01-02"]


class preview_test(program_test):

    def prepare(self, name: str, *flags: str, changes=()):
        self.server = self.start_api(*flags)
        self.variables["TMPDIR"] = str(self.apart)
        self.example_spec(name, *changes)

    def preview(self, *more: str, status: int = 0):
        return self.wherry("preview", "spec.toml", *ONE, *more, status=status)

    def after(self, text: str) -> list[list[str]]:
        """The cells of the rows after the transform."""
        lines = text.split("\nafter\n")[1].splitlines()
        return [line.split() for line in lines if line.startswith("2001-01-02")]

    def test_a_preview_of_a_report_that_is_made_on_request_waits_for_it(self):
        self.prepare("duplicate", "--make", "300ms", changes=[('every  = "1m"', 'every  = "50ms"')])
        self.assertEqual(len(self.after(self.preview().out)), 10)
        self.assertEqual(list(self.server.reports_requested().values()), [1])
        self.assertEqual(sorted(path.name for path in self.here.rglob("*")), ["spec.toml"])

    def test_a_preview_puts_pages_and_parts_together(self):
        rows = {}
        for name, flags, changes in (
                ("run-id", ["--make", "10ms"], [('every    = "30s"', 'every    = "20ms"')]),
                ("reduce-data", ["--most-rows", "150"], []),
                ("error-code", [], [])):
            self.prepare(name, *flags, changes=changes)
            rows[name] = self.after(self.preview("--rows", "10000").out)
        self.assertGreater(len(rows["run-id"]), 300)
        self.assertEqual(rows["run-id"], rows["reduce-data"])
        self.assertEqual(rows["run-id"], rows["error-code"])

    def test_a_preview_that_waits_says_for_what_and_ends_at_ctrl_c(self):
        self.prepare("duplicate", "--make", "3600s")
        waiting = self.start("preview", "spec.toml", *ONE)
        waiting.wait_for(" s: the API still makes the report; again in ")
        waiting.signal(2)
        self.assertEqual(waiting.end().status, 130)

    def test_a_preview_whose_credentials_are_refused_says_so_at_once(self):
        self.prepare("run-id")
        self.variables["REPORTING_TOKEN"] = "another"
        self.assert_says(self.preview(status=1).err, "rule 3 of [[source.on]] calls credentials")

    def replay(self, *source: str, answers: dict[str, str], status: int = 0):
        """Previews a report of CSV that such a source makes of these answers, by their query."""
        (self.here / "spec.toml").write_text("\n".join([
            '[import]', 'name = "some"', 'clients = ["ATL"]', '[source]',
            'columns = { name = "varchar", n = "bigint" }', *source,
            '[transform]', 'columns = { name = "varchar", n = "bigint" }',
            '[sink]', 'url = "file:///nowhere/{day}/{client}.csv"']))
        said = self.here / "said"
        said.mkdir(exist_ok=True)
        (said / "recording.txt").write_text("wherry recording 1\nbegun 0\n")
        for number, (query, answer) in enumerate(answers.items(), 1):
            (said / f"{number:04}-GET-r.http").write_text(
                f"> GET http://api.invalid/r?day=2001-01-02&{query}\n< {answer}")
        return self.preview("--rows", "100", "--replay", "said", status=status)

    def rows(self, shown: str) -> list[str]:
        return [" ".join(line.split()) for line in shown.split("\nafter\n")[1].splitlines()[2:]]

    def test_totals_of_each_page_or_of_the_last_are_no_rows(self):
        shown = self.replay(
            'url = "http://api.invalid/r?day={day}&page={page}"',
            'format = { skip = 1, totals = "Total" }', 'pages = { by = "page", size = 2 }',
            answers={"page=1": '200\n<\ntitle\nname,n\na,1\n"b\nTotal",2\nTotal,3\n\n',
                     "page=2": "200\n<\ntitle\nname,n\nTotal,3\nd,4\n",
                     "page=3": "200\n<\ntitle\nname,n\ne,5\nTotal,15"})
        self.assertEqual(self.rows(shown.out), ["a 1", "b Total 2", "Total 3", "d 4", "e 5"])

    def test_totals_of_each_part_are_no_rows_and_a_part_that_lacks_them_is_an_error(self):
        source = ['url = "http://api.invalid/r?day={day}&of={part}"', 'format = { totals = 2 }',
                  'split = { values = ["x", "y"] }', 'on = [{ status = 413, is = "split" }]']
        answers = {"of=x%2Cy": "413\n<\n",
                   "of=x": "200\n<\nname,n\na,1\nall,1\n(c) them,0\n",
                   "of=y": "200\n<\nname,n\nb,2\nc,3\nall,5\n(c) them,0\n"}
        self.assertEqual(self.rows(self.replay(*source, answers=answers).out),
                         ["a 1", "b 2", "c 3"])
        answers["of=x"] = "200\n<\nname,n\na,1\n"
        self.assert_says(self.replay(*source, answers=answers, status=1).err,
                         "a part of the report has fewer rows than totals", "correct `totals`")
