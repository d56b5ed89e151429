# SPDX-License-Identifier: Apache-2.0
"""A preview that is recorded can be replayed without the API, without its secrets and without
waiting, to the same output; and no secret is in a recording, whatever way in the API has, also if
the API says in its answers what it was sent."""

import base64
import http.server
import json
import threading
import urllib.parse

from harness import ROOT, program_test

ONE = ["--client", "ATL", "--day", "2001-01-02"]

ECHO_SPEC = """
[import]
name    = "echo"
clients = ["ATL"]

[source]
url    = "${ECHO}/report?client={client}&after={cursor}"
format = { type = "json", rows = "rows" }
AUTH
columns = { n = "bigint" }

[source.pages]
cursor = "after"

[transform]
columns = { n = "bigint" }

[sink]
url = "file://${RESULTS}/{day}/{client}.csv"
"""
PASSWORD = "p/ss word+1"
WAYS = {
    "bearer": 'auth = { bearer = "${PASSWORD}" }',
    "basic": 'auth = { basic = { user = "me", password = "${PASSWORD}" } }',
    "header": 'auth = { header = { name = "X-Mine", value = "${PASSWORD}" } }',
    "query": 'auth = { query = { name = "who", value = "${PASSWORD}" } }',
    "written into the spec": f'auth = {{ bearer = "{PASSWORD}" }}',
    "header of the spec": 'headers = { X-Api-Key = "${PASSWORD}" }',
    "oauth2": 'auth = { oauth2 = { token_url = "${ECHO}/token", client_id = "me", '
              'client_secret = "${PASSWORD}", refresh_token = "refresh-${PASSWORD}" } }',
    "oauth2 in the body": 'auth = { oauth2 = { token_url = "${ECHO}/token", client_id = "me", '
                          'client_secret = "${PASSWORD}", client = "body" } }',
    "hmac": 'auth = { hmac = { secret = "${PASSWORD}", header = "X-Sum", '
            'over = "{timestamp}{path}" } }',
    "sigv4": 'auth = { sigv4 = { access_key = "AKIDEXAMPLE", secret_key = "${PASSWORD}", '
             'session_token = "session-${PASSWORD}", region = "r", service = "s" } }',
    "several": 'auth = [{ bearer = "${PASSWORD}" }, { basic = { user = "me", '
               'password = "other ${PASSWORD}" } }]',
}
ACCESS_TOKEN = "an-access-token-that-was-given"
SIGNATURE = "0123456789abcdef-signature"


class echo(http.server.BaseHTTPRequestHandler):
    """Says in its answers, in many ways, all that it was sent; of tokens it gives always the same."""

    def do_GET(self):
        sent = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self.server.seen += [self.path, sent, *self.headers.values()]
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        said = "\n".join([self.path, urllib.parse.unquote_plus(self.path), sent,
                          urllib.parse.unquote_plus(sent), *map(str, self.headers.items())])
        scheme, _, rest = self.headers.get("Authorization", "").partition(" ")
        if scheme == "Basic":
            said += urllib.parse.unquote(base64.b64decode(rest).decode())
        if self.path == "/rates":
            return self.answer(b"Date,USD\n2001-01-02,0.5\n", said)
        if self.path.startswith("/token"):
            answer = {"access_token": ACCESS_TOKEN, "expires_in": 3600,
                      "refresh_token": "refreshed-" + ACCESS_TOKEN}
        else:
            answer = {"rows": [{"n": 1}], "after": "" if query.get("after") else "c1"}
        answer |= {"said": said, "again": base64.b64encode(said.encode()).decode(),
                   "link": f"https://x.invalid/a?X-Amz-Signature={SIGNATURE}&b=1"}
        self.answer(json.dumps(answer).encode(), said)

    def answer(self, body: bytes, said: str):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Set-Cookie", "session=" + SIGNATURE)
        self.send_header("X-Said", urllib.parse.quote(said))
        self.send_header("Location", f"/next?sig={SIGNATURE}")
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *_):
        pass


class recording_test(program_test):

    def prepare(self, name: str, *flags: str, changes=()):
        self.server = self.start_api(*flags)
        self.variables["TMPDIR"] = str(self.apart)
        self.example_spec(name, *changes)

    def preview(self, *more, status: int = 0):
        return self.wherry("preview", "spec.toml", *ONE, *more, status=status)

    def replay(self, *more, status: int = 0):
        """Without API and without any of the spec's variables."""
        known = self.variables
        self.variables = {"TMPDIR": known["TMPDIR"]}
        try:
            return self.preview("--replay", "said", *more, status=status)
        finally:
            self.variables = known

    def recorded(self) -> dict[str, bytes]:
        return self.objects("said")

    def record_run(self):
        self.prepare("run-id", "--make", "20ms", changes=[('every    = "30s"', 'every    = "20ms"')])
        self.preview("--record", "said")

    def assert_replays(self, name: str, *flags: str, changes=()):
        self.prepare(name, *flags, changes=changes)
        shown = self.preview("--record", "said").out
        self.server.stop()
        # What waited for milliseconds would now wait for an hour.
        spec = (self.here / "spec.toml").read_text()
        for _, new in changes:
            spec = spec.replace(new, new.replace('"20ms"', '"1h"').replace("\n", "\ngive_up = \"7d\"\n"))
        (self.here / "spec.toml").write_text(spec)
        self.assertEqual(self.replay().out, shown)

    def test_a_recorded_preview_is_replayed_without_api_secrets_and_waits(self):
        self.assert_replays("duplicate", "--make", "50ms",
                            changes=[('every  = "1m"', 'every  = "20ms"')])

    def test_a_recorded_preview_in_pages_and_parts_is_replayed(self):
        self.assert_replays("reduce-data", "--most-rows", "150")

    def test_a_recording_is_for_its_owner_alone_and_replaces_only_a_recording(self):
        self.record_run()
        modes = {path.stat().st_mode & 0o777 for path in (self.here / "said").iterdir()}
        self.assertEqual(modes | {(self.here / "said").stat().st_mode & 0o777}, {0o600, 0o700})
        (self.here / "said/notes.md").write_text("mine")
        (self.here / "said/0099-GET-old.http").write_text("> GET http://x\n< 200\n<\n")
        self.preview("--record", "said")
        self.assertIn("notes.md", self.recorded())
        self.assertNotIn("0099-GET-old.http", self.recorded())
        self.assert_says(self.wherry("preview", "spec.toml", "--client", "XYZ", "--day", "2001-01-02", "--record",
                                     "said", status=2).err, "XYZ")
        self.assertNotEqual(self.recorded().keys(), {"notes.md"}, "it went for nothing")
        (self.here / "other").mkdir()
        (self.here / "other/notes.md").write_text("mine")
        refused = self.preview("--record", "other", status=2)
        self.assert_says(refused.err, "other: holds files, and no recording", "name a directory")

    def start_echo(self) -> http.server.HTTPServer:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), echo)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        server.seen = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.variables = {"ECHO": f"http://127.0.0.1:{server.server_port}", "PASSWORD": PASSWORD,
                          "TMPDIR": str(self.apart), "RESULTS": str(self.here / "results")}
        return server

    def test_rates_that_are_fetched_are_recorded_and_no_copy_is_left(self):
        self.start_echo()
        text = ECHO_SPEC.replace("AUTH", WAYS["bearer"]).replace('[transform]\ncolumns = { n = "bigint" }', """
[transform]
rates   = "${ECHO}/rates"
sql     = "select convert_currency(n, 'EUR', 'USD', date '2001-01-02')::decimal(9,2) as n from report"
columns = { n = "decimal(9,2)" }""")
        (self.here / "spec.toml").write_text(text)
        shown = self.preview("--record", "said").out
        self.assert_says(shown, "0.50")
        self.assertEqual(self.replay().out, shown)
        self.assertIn("0001-GET-rates.http", self.recorded())
        self.assertEqual({path.name for path in self.here.iterdir()}, {"spec.toml", "said"})

    def test_no_secret_is_in_a_recording_whatever_the_way_in(self):
        server = self.start_echo()
        for name, way in WAYS.items():
            with self.subTest(name):
                server.seen = []
                (self.here / "spec.toml").write_text(ECHO_SPEC.replace("AUTH", way))
                shown = self.preview("--record", "said").out
                self.assertTrue(any("after=c1" in each for each in server.seen), server.seen)
                signature = [each for each in server.seen if len(each) == 64 and name == "hmac"]
                self.assertEqual(len(signature), 2 if name == "hmac" else 0)
                for path, content in self.recorded().items():
                    self.assert_without_secrets(path, content.decode(), signature)
                self.assertEqual(self.replay().out, shown)

    def assert_without_secrets(self, path: str, content: str, more: list[str]):
        secrets = [PASSWORD, ACCESS_TOKEN, SIGNATURE, "AKIDEXAMPLE", *more]
        for secret in secrets:
            encoded = urllib.parse.quote(secret, safe="")
            for spelled in (secret, encoded, encoded.lower(), urllib.parse.quote(secret),
                            urllib.parse.quote_plus(secret), json.dumps(secret)[1:-1],
                            secret.replace("/", "\\/"), base64.b64encode(secret.encode()).decode(),
                            base64.b64encode(f"me:{secret}".encode()).decode()):
                self.assertNotIn(spelled, content, f"{secret} is in {path}")
        for line in content.splitlines():
            for word in line.replace('"', " ").split():
                if len(word) > 40 and len(word) % 4 == 0:
                    try:
                        plain = base64.b64decode(word, validate=True).decode(errors="replace")
                    except ValueError:
                        continue
                    for secret in secrets:
                        self.assertNotIn(secret, plain, f"{secret} is in base64 in {path}")

    def test_a_request_that_was_not_recorded_is_named_with_what_differs(self):
        self.record_run()
        text = (self.here / "spec.toml").read_text()
        (self.here / "spec.toml").write_text(text.replace("size   = 100", "size   = 50"))
        said = self.replay(status=1).err
        self.assert_says(said, "the recording said has no answer to GET http://reporting-api.invalid/",
                         "insights?limit=50&after=&access_token=removed; nearest is 00",
                         "the query, where limit=100 stood in place of limit=50", "record again")
        (self.here / "spec.toml").write_text(text.replace('level = "ad"', 'level = "account"'))
        self.assert_says(self.replay(status=1).err, "nearest is 0001-POST-insights.http",
                         "differs in the body, where ")
        (self.here / "spec.toml").write_text(text.replace('url  = "${REPORTING_API}/run-id',
                                                          'url  = "${REPORTING_API}/other'))
        self.assert_says(self.replay(status=1).err, "differs in the address, http://reporting-api")

    def test_a_request_that_comes_more_often_than_it_was_recorded_is_named(self):
        self.record_run()
        polls = sorted((self.here / "said").glob("*-GET-r-*.http"))
        asked = polls[0].read_text().partition("\n")[0]
        polls[0].write_text(asked + '\n< 200\n<\n{"async_status":"Job Running"}')
        for each in (self.here / "said").glob("*.http"):
            if each.name > polls[0].name:
                each.unlink()
        self.assert_says(self.replay(status=1).err, "GET http://reporting-api.invalid/run-id/",
                         "is asked once more than the 1 times that said has an answer")

    def test_a_recording_that_is_cut_or_edited_amiss_says_where(self):
        self.record_run()
        first = self.here / "said/0001-POST-insights.http"
        whole = first.read_text()
        for text, *words in (
                (whole[:-3], "the body of the answer is to have", "it was cut, or edited"),
                (whole[:whole.index("\n< 200")], "line 4: no answer follows", "the file was cut"),
                (whole[:whole.index("\n<\n")], "no line \"<\" follows", "the file was cut"),
                (whole.replace("< 200", "< well"), "an answer begins as \"< 200, 345 bytes\""),
                (whole.replace("> POST ", "POST "), "line 0: an exchange begins with"),
                (whole.replace("> Content-Type: ", "> Content-Type "), "line 2: a header")):
            with self.subTest(words[0]):
                first.write_text(text)
                self.assert_says(self.replay(status=2).err, "cannot replay: said/0001-POST-insights",
                                 *words, "record again")
        first.unlink()
        self.assert_says(self.replay(status=2).err, "none of its files begin with 0001")
        first.write_text(whole)
        (self.here / "said/recording.txt").write_text("nonsense\n")
        self.assert_says(self.replay(status=2).err, "recording.txt: line 1 is to be \"wherry recording")
        (self.here / "said/recording.txt").unlink()
        self.assert_says(self.replay(status=2).err, "recording.txt: cannot be read: No such file")

    def test_a_recording_can_be_edited(self):
        self.record_run()
        page = sorted((self.here / "said").glob("*-GET-insights.http"))[0]
        head, body = page.read_text().split("\n<\n")
        said = json.loads(body)
        said["data"][0] |= {"destination": "XYZ", "delay": 4711}
        status = next(line for line in head.splitlines() if line.startswith("< "))
        page.write_text(head.replace(status, "< 200") + "\n<\n" + json.dumps(said))
        self.assert_says(self.replay("--rows", "10000").out, "XYZ", "4711")

    def test_a_secret_that_is_too_short_to_be_found_is_not_recorded(self):
        self.prepare("run-id")
        self.variables["REPORTING_TOKEN"] = "abc"
        self.assert_says(self.preview("--record", "said", status=2).err,
                         "`auth.query.value` has fewer than 4 characters", "record with a longer one")
        self.assertFalse((self.here / "said").exists())

    def assert_prints_what_it_says(self, session: str):
        """Runs the command behind "$ " as it stands, in the top directory; the rest is its output."""
        command, _, said = session.partition("\n")
        self.assertTrue(command.startswith("$ wherry "), command)
        if not (self.here / "examples").exists():
            (self.here / "examples").symlink_to(ROOT / "examples")
        self.variables = {"TMPDIR": str(self.apart)}
        self.assertEqual(self.wherry(*command.split()[2:]).out, said)

    def test_each_recording_of_the_examples_prints_what_stands_beside_it(self):
        for path in sorted((ROOT / "examples/recordings").glob("*.txt")):
            with self.subTest(path.stem):
                self.assert_prints_what_it_says(path.read_text())

    def test_the_command_of_the_page_about_recordings_prints_what_the_page_says(self):
        page = (ROOT / "docs/replay.md").read_text()
        self.assert_prints_what_it_says(page.split("```\n", 2)[1])
