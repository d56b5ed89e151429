# SPDX-License-Identifier: Apache-2.0
"""From the bytes of a report to its object, by the spec of docs/transform.md: whatever the bytes are
(JSON, CSV, TSV, in UTF-16, as .gz or .zip) the object is the same; what is cut is downloaded again,
a bomb is not; rows that cannot be read are put aside, or too many of them fail the report.

The API is a server of files in this process: what its bytes are is all that these tests are about."""

import gzip
import hashlib
import http.server
import io
import json
import pathlib
import threading
import zipfile

from harness import program_test

SPEC = pathlib.Path(__file__).with_name("transform.toml").read_text()
RATES = "Date,USD,JPY\n2025-03-28,1.0800,162.00\n"
CAMPAIGNS = "id,name,team\n1,\"Spring, sale\",a\n2,Shoes,b\n"

ROWS = [  # of both clients: 01:00 UTC is when the clocks of Berlin change on that day
    {"time": "2025-03-30 00:59:59", "campaign": {"id": 1}, "metrics": {"clicks": 5, "cost_micros": 1500000}},
    {"time": "2025-03-30 01:00:00", "campaign": {"id": 2},
     "metrics": {"clicks": "7", "cost_micros": 1, "fee_minor": 1234}},
    {"time": "2025-03-30 03:00:00", "campaign": {"id": 9}, "metrics": {"clicks": 0, "cost_micros": None}},
]
ACME = """\
client,day,local_time,campaign,clicks,fee,cost_usd,rate,rate_day
acme,2025-03-30,2025-03-30 01:59:59,"Spring, sale",5,,1.620000,1.080000000,2025-03-28
acme,2025-03-30,2025-03-30 03:00:00,Shoes,7,12.340,0.000001,1.080000000,2025-03-28
acme,2025-03-30,2025-03-30 05:00:00,,0,,,1.080000000,2025-03-28
"""
GLOBEX = """\
client,day,local_time,campaign,clicks,fee,cost_usd,rate,rate_day
globex,2025-03-30,2025-03-30 09:59:59,"Spring, sale",5,,0.010000,0.006666667,2025-03-28
globex,2025-03-30,2025-03-30 10:00:00,Shoes,7,1234.000,0.000000,0.006666667,2025-03-28
globex,2025-03-30,2025-03-30 12:00:00,,0,,,0.006666667,2025-03-28
"""
BOTH = {"day=2025-03-30/acme.csv": ACME.encode(), "day=2025-03-30/globex.csv": GLOBEX.encode()}
DAY = ["--from", "2025-03-30", "--to", "2025-03-30"]
HEADER = ["time", "campaign.id", "metrics.clicks", "metrics.cost_micros", "metrics.fee_minor"]


def documents(rows: list) -> bytes:
    """Two pages, one after the other."""
    pages = [{"code": 0, "data": {"list": part}} for part in (rows[:1], rows[1:])]
    return "\n".join(json.dumps(page) for page in pages).encode()


def table(between: str) -> str:
    """The same rows as CSV, with a title and a row of totals."""
    lines = ["Report of a day", between.join(HEADER)]
    for row in ROWS:
        of = row["metrics"]
        cells = [row["time"], row["campaign"]["id"], of["clicks"], of["cost_micros"], of.get("fee_minor")]
        lines.append(between.join("" if cell is None else str(cell) for cell in cells))
    return "\n".join([*lines, between.join(["Total", "", "12", "", ""])]) + "\n"


def zipped(**files: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("_", "."), content)
    return packed.getvalue()


class transform_test(program_test):

    def setUp(self):
        super().setUp()
        self.answers = {"/rates.csv": [RATES.encode()]}  # by path; the last one for good
        self.asked = []
        test = self

        class handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                test.asked.append(self.path)
                left = test.answers.get(self.path, [])
                body = (left.pop(0) if len(left) > 1 else left[0]) if left else b""
                self.send_response(200 if left else 404)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.variables["API"] = f"http://127.0.0.1:{server.server_port}"

    def make(self, *bodies: bytes, changes=()):
        """Writes the spec and what lies beside it; both clients get these bodies, one after another."""
        text = SPEC
        for old, new in changes:
            self.assertIn(old, text, "the change has nothing to change")
            text = text.replace(old, new)
        (self.here / "ads.toml").write_text(text)
        (self.here / "campaigns.csv").write_text(CAMPAIGNS)
        for client in ("acme", "globex"):
            self.answers[f"/{client}/2025-03-30.json"] = list(bodies)

    def import_all(self, *more, status=0):
        return self.wherry("import", "ads.toml", *DAY, *more, status=status)

    def dead(self, *bodies: bytes, changes=(), client: str = "acme") -> str:
        """What is said of a report that these bodies kill."""
        self.make(*bodies, changes=changes)
        ended = self.import_all("--client", client, status=1)
        self.assertEqual(self.objects(), {})
        return ended.err

    def test_the_spec_of_the_page_makes_objects_of_json(self):
        self.make(documents(ROWS))
        self.import_all()
        self.assertEqual(self.objects(), BOTH)
        self.assertEqual((self.here / "ads.rates").read_text(), RATES)

    def test_a_preview_knows_whose_report_it_is(self):
        self.make(documents(ROWS))
        shown = self.wherry("preview", "ads.toml", "--client", "globex", "--day", "2025-03-30").out
        self.assert_says(shown, "globex", "2025-03-30 09:59:59", "Spring, sale")

    def test_packed_reports_make_the_same_objects(self):
        plain = documents(ROWS)
        for packed in (gzip.compress(plain), gzip.compress(plain[:50]) + gzip.compress(plain[50:]),
                       zipped(report_json=plain)):
            self.make(packed)
            self.import_all("--only", "all")
            self.assertEqual(self.objects(), BOTH)

    def test_csv_and_tsv_of_any_dialect_make_the_same_objects(self):
        json_format = 'format = { type = "json", rows = "data.list" }'
        for text, encoding, format in (
                (table(";"), "utf-8", 'delimiter = ";", skip = 1, totals = 1'),
                (table("\t"), "utf-16", 'type = "tsv", skip = 1, totals = "Total"'),
                (table(","), "latin-1", 'skip = 1, totals = "Total", encoding = "windows-1252"')):
            self.make(text.encode(encoding), changes=[(json_format, f"format = {{ {format} }}")])
            self.import_all("--only", "all")
            self.assertEqual(self.objects(), BOTH, format)

    def test_a_zip_of_several_files_says_which_to_choose(self):
        both = zipped(readme_txt=b"hello", report_json=documents(ROWS))
        self.assert_says(self.dead(both), "readme.txt, report.json", "member")
        self.make(both, changes=[("list\" }", 'list", member = "*.json" }')])
        self.import_all("--only", "all")
        self.assertEqual(self.objects(), BOTH)

    def test_a_report_that_was_cut_is_downloaded_again(self):
        packed = gzip.compress(documents(ROWS))
        self.make(packed[:-9], packed)
        self.import_all()
        self.assertEqual(self.objects(), BOTH)
        self.assertEqual(self.asked.count("/acme/2025-03-30.json"), 2)

    def test_a_report_that_stays_cut_dies_with_the_reason(self):
        self.assert_says(self.dead(gzip.compress(documents(ROWS))[:-9]),
                         "transformable", "gzip file ends before its end")

    def test_a_bomb_dies_at_once_with_the_limit(self):
        bomb = gzip.compress(b" " * 20_000_000)
        small = [("[source.columns]", 'max_size = "1MB"\n\n[source.columns]')]
        self.assert_says(self.dead(bomb, changes=small), "transformable", "unpacked", "max_size")
        self.assertEqual(self.asked.count("/acme/2025-03-30.json"), 1)

    def test_malformed_json_is_told_with_its_place(self):
        self.assert_says(self.dead(documents(ROWS)[:-20]), "line 2", "document 2, row 3", "no JSON")

    def test_json_whose_columns_changed_is_told_with_the_difference(self):
        drifted = documents(ROWS).replace(b'"clicks"', b'"clickz"')
        self.assert_says(self.dead(drifted), 'no row of the report has "metrics.clicks"',
                         'not declared: "metrics.clickz"')

    def test_another_encoding_than_declared_is_told_with_its_line(self):
        changes = [('format = { type = "json", rows = "data.list" }', "format = { skip = 1 }")]
        text = table(",").replace("Report of a day", "Bericht über einen Tag")
        self.assert_says(self.dead(text.encode("latin-1"), changes=changes), "line 1", "not UTF-8",
                         "encoding")

    def test_a_lookup_table_that_drifted_is_told_before_the_first_download(self):
        self.make(documents(ROWS))
        (self.here / "campaigns.csv").write_text("id,title\n1,x\n")
        ended = self.import_all(status=2)
        self.assert_says(ended.err, "[transform.tables.campaigns]", 'no "name"', "campaigns.csv")
        self.assertEqual(self.asked, ["/rates.csv"])

    def test_rates_that_cannot_be_fetched_are_those_of_before_or_an_error(self):
        self.make(documents(ROWS))
        del self.answers["/rates.csv"]
        self.assert_says(self.import_all(status=2).err, "exchange rates", "404", "no copy")
        (self.here / "ads.rates").write_text(RATES)
        self.assert_says(self.import_all().err, "exchange rates", "404", "are used")
        self.assertEqual(self.objects(), BOTH)

    def test_rows_that_cannot_be_read_lie_beside_the_object(self):
        bad = {"time": "noon", "campaign": {"id": 3}, "metrics": {"clicks": 1, "cost_micros": 1}}
        self.make(documents([*ROWS, bad]))
        ended = self.import_all()
        self.assert_says(ended.out, "2 rows of 2 reports could not be read", "2 completed, 0 dead")
        found = self.objects()
        aside = found.pop("day=2025-03-30/acme.rejected.csv").decode()
        self.assertEqual(aside, 'row,reason,text\n'
                         '4,"column ""moment"": \'noon\' is not a timestamp","noon,3,1,1,"\n')
        self.assertIn("day=2025-03-30/globex.rejected.csv", found)
        del found["day=2025-03-30/globex.rejected.csv"]
        self.assertEqual(found, BOTH)
        shown = self.wherry("show", "acme/2025-03-30", "--json").json()
        self.assertEqual(shown["data"]["rejected_rows"], 1)
        self.assert_says(self.wherry("show", "acme/2025-03-30").out, "aside    1 rows in",
                         "acme.rejected.csv")
        self.assertEqual(self.spooled("ads.spool"), [])

    def test_rows_that_were_put_aside_are_named_like_the_object_beside_which_they_lie(self):
        bad = {"time": "noon", "campaign": {"id": 3}, "metrics": {"clicks": 1, "cost_micros": 1}}
        self.make(documents([*ROWS, bad]), changes=[("{client}.csv", "{client}-{sha256}.csv")])
        self.assert_says(self.import_all().out, "2 completed, 0 dead")
        found = self.objects()
        hash_of_rows = hashlib.sha256(ACME.encode()).hexdigest()
        self.assertEqual(found[f"day=2025-03-30/acme-{hash_of_rows}.csv"], ACME.encode())
        self.assertIn(f"day=2025-03-30/acme-{hash_of_rows}.rejected.csv", found)
        self.assertEqual(len(found), 4)

    def test_more_bad_rows_than_allowed_fail_the_report_and_name_the_first(self):
        bad = [{**row, "time": "noon"} for row in ROWS]
        self.assert_says(self.dead(documents([*ROWS, *bad])), "3 of 6 rows cannot be read",
                         "bad_rows in [transform] allows 25%", "row 4, column \"moment\"")
        self.assertEqual(self.spooled("ads.spool"), [])

    def test_a_run_that_dies_between_the_two_objects_makes_both_again(self):
        bad = {"time": "noon", "campaign": {"id": 3}, "metrics": {"clicks": 1, "cost_micros": 1}}
        self.make(documents([*ROWS, bad]))
        place = self.here / "objects" / "day=2025-03-30" / "acme.csv"
        place.mkdir(parents=True)  # no object can be there
        self.assert_says(self.import_all("--client", "acme", status=1).err, "uploadable")
        self.assertTrue((place.parent / "acme.rejected.csv").exists())
        place.rmdir()
        self.import_all("--client", "acme", "--only", "failed")
        self.assertEqual(place.read_bytes(), ACME.encode())
        self.assert_says((place.parent / "acme.rejected.csv").read_text(), "noon")
